//! The pacer against a leaky bucket that other clients may use too.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use migration::load_plan::bound_seconds;
use migration::pacer::{Bucket, BucketError, Pacer, SentTicket};
use proptest::prelude::*;

use crate::support::seeded;

const SECOND: u64 = 1_000_000_000;

/// A bucket at the server: exact, with the header rounded down as the least helpful server would.
struct Server {
    capacity: f64,
    per_nanosecond: f64,
    level: f64,
    at: u64,
}

impl Server {
    #[expect(clippy::cast_precision_loss, reason = "simulated times are minutes")]
    fn new(capacity: u32, window: u64) -> Self {
        Self {
            capacity: f64::from(capacity),
            per_nanosecond: f64::from(capacity) / window as f64,
            level: 0.0,
            at: 0,
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "simulated times are minutes")]
    fn leak(&mut self, now: u64) {
        self.level = (self.level - (now - self.at) as f64 * self.per_nanosecond).max(0.0);
        self.at = now;
    }

    /// Takes a request: the number used after it, or nothing when it would overflow.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the level is between 0 and 100"
    )]
    fn take(&mut self, now: u64) -> Option<u32> {
        self.leak(now);
        // A billionth of a request is rounding of the simulation, not of the pacer.
        if self.level + 1.0 > self.capacity + 1e-6 {
            return None;
        }
        self.level += 1.0;
        Some(self.level.floor() as u32)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Arrives(usize),
    Answered(usize),
    Other,
    Wake,
}

#[derive(Debug, Default)]
struct Run {
    sent: u64,
    others: u64,
    refused: u64,
    others_refused: u64,
    last_sent_at: u64,
}

/// How the world around the pacer behaves.
struct World {
    real: (u32, u64),
    configured: Bucket,
    /// Nanoseconds to the server and back, by request, repeated.
    delays: Vec<(u64, u64)>,
    in_flight_max: u32,
    /// Moments of other clients' requests.
    others: Vec<u64>,
    until: u64,
    /// Requests to send; the run ends when they are answered.
    wanted: u64,
}

fn simulate(world: &World) -> Run {
    let mut server = Server::new(world.real.0, world.real.1);
    let mut pacer = Pacer::new(world.configured, 0);
    let mut queue: BinaryHeap<Reverse<(u64, Event)>> = BinaryHeap::from([Reverse((0, Event::Wake))]);
    queue.extend(world.others.iter().map(|at| Reverse((*at, Event::Other))));
    let mut tickets: Vec<SentTicket> = Vec::new();
    let mut answers: Vec<Option<u32>> = Vec::new();
    let mut run = Run::default();
    let mut waking_at = 0;
    while let Some(Reverse((now, event))) = queue.pop() {
        if now > world.until {
            break;
        }
        match event {
            Event::Wake => {}
            Event::Other => match server.take(now) {
                Some(_) => run.others += 1,
                None => run.others_refused += 1,
            },
            Event::Arrives(index) => {
                answers[index] = server.take(now);
                let back = world.delays[index % world.delays.len()].1;
                queue.push(Reverse((now + back, Event::Answered(index))));
            }
            Event::Answered(index) => match answers[index] {
                Some(used) => pacer.answered(now, tickets[index], Some((used, world.real.0))),
                None => {
                    run.refused += 1;
                    pacer.throttled(now, tickets[index], Duration::from_secs(1));
                }
            },
        }
        while run.sent < world.wanted && pacer.in_flight() < world.in_flight_max {
            let wait = pacer.wait(now);
            if !wait.is_zero() {
                let wake = now + u64::try_from(wait.as_nanos()).unwrap();
                // One alarm at a time, the earliest.
                if waking_at <= now || wake < waking_at {
                    waking_at = wake;
                    queue.push(Reverse((wake, Event::Wake)));
                }
                break;
            }
            let index = tickets.len();
            tickets.push(pacer.sent(now));
            answers.push(None);
            run.sent += 1;
            run.last_sent_at = now;
            let there = world.delays[index % world.delays.len()].0;
            queue.push(Reverse((now + there, Event::Arrives(index))));
        }
    }
    run
}

fn bucket(text: &str, reserve: f64) -> Bucket {
    Bucket::parse(text, reserve).unwrap()
}

fn alone(delays: Vec<(u64, u64)>, in_flight_max: u32) -> World {
    World {
        real: (40, 20 * SECOND),
        configured: bucket("40/20", 0.0),
        delays,
        in_flight_max,
        others: Vec::new(),
        until: 600 * SECOND,
        wanted: u64::MAX,
    }
}

#[test]
fn buckets_are_read() {
    assert_eq!(bucket("40/20", 0.5).in_words(), "40 requests in 20 s");
    assert_eq!(bucket("40/0.1", 0.0).in_words(), "40 requests in 0.1 s");
    assert_eq!(
        bucket(" 40 / 20 ", 0.25),
        Bucket { capacity: 40, window: Duration::from_secs(20), reserve: 0.25 }
    );
    assert_eq!(bucket("40/0.5", 0.0).window, Duration::from_millis(500));
    for text in ["", "40", "0/20", "40/0", "40/-1", "x/20", "40/1e9"] {
        assert_eq!(Bucket::parse(text, 0.0), Err(BucketError::Format), "{text:?}");
    }
    for reserve in [-0.1, 1.0, f64::NAN] {
        assert_eq!(Bucket::parse("40/20", reserve), Err(BucketError::Reserve), "{reserve}");
    }
    assert!((bucket("40/20", 0.25).sustained_per_second() - 1.5).abs() < 1e-12);
}

#[test]
fn the_first_request_goes_alone() {
    let mut pacer = Pacer::new(bucket("40/20", 0.0), 0);
    let ticket = pacer.sent(0);
    assert!(!pacer.wait(1).is_zero());
    // Others have filled the bucket: the header says so, and only the leak makes room.
    pacer.answered(SECOND / 10, ticket, Some((40, 40)));
    let wait = pacer.wait(SECOND / 10);
    assert!(wait >= Duration::from_millis(500) && wait <= Duration::from_secs(4), "{wait:?}");
    assert!(pacer.fill(SECOND / 10).0 >= 40);
}

#[test]
fn a_burst_fills_the_bucket_and_then_the_leak_rules() {
    let mut pacer = Pacer::new(bucket("40/20", 0.0), 0);
    let mut now = 0;
    let mut sent = 0_u32;
    while now < 20 * SECOND {
        let wait = pacer.wait(now);
        if wait.is_zero() {
            let ticket = pacer.sent(now);
            pacer.answered(now, ticket, None);
            sent += 1;
        } else {
            now += u64::try_from(wait.as_nanos()).unwrap();
        }
    }
    assert_eq!(sent, 40 + 39, "a full bucket at once, then two a second up to the last moment");
}

#[test]
fn a_limit_other_than_the_configured_one_is_followed() {
    let check = |configured: &str, real: (u32, u64)| {
        let world =
            World { real, configured: bucket(configured, 0.0), ..alone(vec![(SECOND / 20, SECOND / 20)], 4) };
        let run = simulate(&world);
        let ours = Bucket { capacity: real.0, window: Duration::from_nanos(real.1), reserve: 0.0 };
        #[expect(clippy::cast_precision_loss, reason = "request counts are small")]
        let floor = run.sent as f64 * 0.98;
        let possible = 600.0 * ours.sustained_per_second() + f64::from(real.0);
        assert_eq!(run.refused, 0, "{configured}");
        assert!(
            floor <= possible && run.sent as f64 >= possible * 0.98,
            "{configured}: {} of {possible}",
            run.sent
        );
    };
    check("40/20", (80, 20 * SECOND));
    check("80/20", (40, 20 * SECOND));
    check("40/20", (40, 20 * SECOND));
}

#[test]
fn a_429_is_obeyed_and_forgotten() {
    let mut pacer = Pacer::new(bucket("40/20", 0.0), 0);
    let ticket = pacer.sent(0);
    pacer.throttled(SECOND, ticket, Duration::from_secs(7));
    assert_eq!(pacer.wait(SECOND), Duration::from_secs(7));
    assert!(pacer.wait(8 * SECOND).is_zero());
    assert_eq!(pacer.in_flight(), 0);
}

#[test]
fn shared_with_others_both_get_through() {
    // Somebody sends one request a second, regularly.
    let others: Vec<u64> = (0..600).map(|second| second * SECOND).collect();
    let world = World { others, ..alone(vec![(SECOND / 20, SECOND / 20), (SECOND / 10, SECOND / 50)], 4) };
    let run = simulate(&world);
    assert!(run.sent >= 590, "half of the rate is left: {}", run.sent);
    let refusals = run.refused + run.others_refused;
    assert!(refusals * 50 <= run.sent + run.others, "{} and {} refused", run.refused, run.others_refused);
}

#[test]
fn the_reserve_stays_free() {
    for reserve in [0.25, 0.5] {
        let world =
            World { configured: bucket("40/20", reserve), ..alone(vec![(SECOND / 20, SECOND / 20)], 4) };
        let run = simulate(&world);
        let possible = (1_200.0 + 40.0) * (1.0 - reserve);
        #[expect(clippy::cast_precision_loss, reason = "request counts are small")]
        let sent = run.sent as f64;
        assert!(sent <= possible + 1.0 && sent >= possible * 0.98, "{sent} of {possible}");
        // Others that use no more than the reserve never meet a 429.
        let gap = (0.5 / reserve * 1e9).ceil();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a few seconds in nanoseconds"
        )]
        let gap = gap as u64;
        let others = (1..600 * SECOND / gap).map(|number| number * gap).collect();
        let run = simulate(&World { others, ..world });
        assert_eq!((run.refused, run.others_refused), (0, 0));
    }
}

#[test]
fn odd_buckets_do_not_break_it() {
    for odd in [
        Bucket { capacity: 0, window: Duration::ZERO, reserve: 0.0 },
        Bucket { capacity: 1, window: Duration::from_secs(1), reserve: 5.0 },
        Bucket { capacity: u32::MAX, window: Duration::MAX, reserve: -1.0 },
        Bucket { capacity: 1, window: Duration::from_secs(1), reserve: f64::NAN },
    ] {
        let mut pacer = Pacer::new(odd, 5);
        assert!(pacer.wait(5).is_zero(), "{odd:?}");
        let ticket = pacer.sent(5);
        pacer.answered(4, ticket, Some((u32::MAX, 0)));
        assert!(pacer.next_send_at(u64::MAX) >= 5);
    }
}

proptest! {
    #![proptest_config(seeded(60))]

    /// Alone, whatever the network does: not one 429, and at least 98 % of what the bucket allows in ten minutes.
    #[test]
    fn alone_it_spends_the_bucket_whole_without_a_429(
        delays in proptest::collection::vec((1_000_000_u64..500_000_000, 1_000_000_u64..500_000_000), 1..20),
        in_flight_max in 2_u32..40,
    ) {
        let world = alone(delays, in_flight_max);
        let run = simulate(&world);
        prop_assert_eq!(run.refused, 0);
        let bound = bound_seconds(run.sent, &world.configured);
        let elapsed = Duration::from_nanos(run.last_sent_at).as_secs_f64();
        prop_assert!(bound / elapsed >= 0.98, "{} sent, bound {bound}, took {elapsed}", run.sent);
        prop_assert!(run.sent >= 1_215, "{} of 1240", run.sent);
    }

    /// Small and fast buckets too.
    #[test]
    fn any_bucket_alone_has_no_429(
        capacity in 1_u32..100, window_milliseconds in 100_u64..60_000,
        delays in proptest::collection::vec((1_u64..300_000_000, 1_u64..300_000_000), 1..10),
        in_flight_max in 1_u32..40,
    ) {
        let window = window_milliseconds * 1_000_000;
        let configured = Bucket { capacity, window: Duration::from_nanos(window), reserve: 0.0 };
        let world = World {
            real: (capacity, window), configured, until: 60 * SECOND, wanted: 3_000, ..alone(delays, in_flight_max)
        };
        prop_assert_eq!(simulate(&world).refused, 0);
    }

    /// With others in bursts it may meet a 429, but never many.
    #[test]
    fn others_in_bursts_are_seen(
        bursts in proptest::collection::vec((1_u64..600, 1_usize..30), 0..10),
        delays in proptest::collection::vec((1_000_000_u64..200_000_000, 1_000_000_u64..200_000_000), 1..10),
    ) {
        let others: Vec<u64> =
            bursts.iter().flat_map(|(second, count)| std::iter::repeat_n(second * SECOND, *count)).collect();
        let run = simulate(&World { others, ..alone(delays, 4) });
        prop_assert!(run.refused <= 2 * bursts.len() as u64 + 2, "{} refused", run.refused);
        prop_assert!(run.sent >= 800, "{}", run.sent);
    }
}
