//! How fast LeadDesk is asked: at most so many requests a second, and so many at once.
//!
//! No limit is documented (facts: rate limit), so the pace is a courtesy that configuration may change. Deliberately
//! absent: a bucket; Gorgias, the side that has one, is paced by `migration::pacer`.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use pipeline::ports::clock::Clock;
use tokio::sync::{Semaphore, SemaphorePermit};

/// Departures that may be made up for after a pause.
const CATCH_UP: u64 = 4;
/// Waits below this are not slept: a timer would turn each into a whole millisecond or two.
const TIMER_GRAIN_NANOSECONDS: u64 = 1_000_000;
/// A sleep may end this much too late without costing rate.
const LATENESS_NANOSECONDS: u64 = 5 * TIMER_GRAIN_NANOSECONDS;

pub(super) struct Pace {
    clock: Arc<dyn Clock>,
    interval_nanoseconds: u64,
    in_flight: Semaphore,
    /// When the next request may leave, on the monotonic clock.
    next: Mutex<u64>,
}

/// Stands for one request in flight.
pub(super) struct Slot<'p>(#[expect(dead_code, reason = "held for its drop")] Option<SemaphorePermit<'p>>);

impl Pace {
    pub(super) fn new(requests_per_second: f64, in_flight: usize, clock: Arc<dyn Clock>) -> Self {
        let interval =
            Duration::try_from_secs_f64(1.0 / requests_per_second).unwrap_or(Duration::from_secs(1));
        let interval_nanoseconds = u64::try_from(interval.as_nanos()).unwrap_or(u64::MAX);
        let in_flight = Semaphore::new(in_flight.clamp(1, Semaphore::MAX_PERMITS));
        Self { clock, interval_nanoseconds, in_flight, next: Mutex::new(0) }
    }

    /// Waits for a turn.
    pub(super) async fn slot(&self) -> Slot<'_> {
        // The semaphore is never closed, so there always is a permit in the end.
        let permit = self.in_flight.acquire().await.ok();
        let wait = self.reserve();
        if wait >= Duration::from_nanos(TIMER_GRAIN_NANOSECONDS) {
            self.clock.sleep(wait).await;
        }
        Slot(permit)
    }

    /// Takes the next departure and says how long it is away.
    fn reserve(&self) -> Duration {
        let now = self.clock.elapsed_nanoseconds();
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let made_up = self.interval_nanoseconds.saturating_mul(CATCH_UP).max(LATENESS_NANOSECONDS);
        let earliest = now.saturating_sub(made_up);
        let departure = (*next).max(earliest);
        *next = departure.saturating_add(self.interval_nanoseconds);
        Duration::from_nanos(departure.saturating_sub(now))
    }

    /// Nothing departs before `wait` has passed.
    pub(super) fn hold(&self, wait: Duration) {
        let until = self
            .clock
            .elapsed_nanoseconds()
            .saturating_add(u64::try_from(wait.as_nanos()).unwrap_or(u64::MAX));
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        *next = (*next).max(until);
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::clock::VirtualClock;

    fn pace(clock: &Arc<VirtualClock>) -> Pace {
        let clock: Arc<dyn Clock> = clock.clone();
        Pace::new(5.0, 4, clock)
    }

    #[tokio::test]
    async fn a_hundred_requests_take_twenty_seconds() {
        let clock = Arc::new(VirtualClock::new(Timestamp::UNIX_EPOCH));
        let pace = pace(&clock);
        for _ in 0..100 {
            drop(pace.slot().await);
        }
        let seconds = clock.elapsed_nanoseconds() as f64 / 1e9;
        assert!((19.0..=20.0).contains(&seconds), "{seconds}");
    }

    #[tokio::test]
    async fn a_long_pause_gives_a_small_burst_only() {
        let clock = Arc::new(VirtualClock::new(Timestamp::UNIX_EPOCH));
        let pace = pace(&clock);
        clock.advance(Duration::from_secs(3_600));
        let before = clock.elapsed_nanoseconds();
        for _ in 0..25 {
            drop(pace.slot().await);
        }
        assert_eq!(clock.elapsed_nanoseconds() - before, 20 * 200_000_000);
    }

    #[tokio::test]
    async fn a_hold_stops_everyone() {
        let clock = Arc::new(VirtualClock::new(Timestamp::UNIX_EPOCH));
        let pace = pace(&clock);
        pace.hold(Duration::from_secs(9));
        drop(pace.slot().await);
        assert_eq!(clock.elapsed_nanoseconds(), 9_000_000_000);
    }

    #[tokio::test]
    async fn no_more_than_allowed_are_out() {
        let clock = Arc::new(VirtualClock::new(Timestamp::UNIX_EPOCH));
        let pace = pace(&clock);
        let mut out = Vec::new();
        for _ in 0..4 {
            out.push(pace.slot().await);
        }
        let fifth = pace.slot();
        tokio::pin!(fifth);
        assert!(futures::poll!(fifth.as_mut()).is_pending());
        out.pop();
        assert!(futures::poll!(fifth.as_mut()).is_pending(), "the fifth departs a moment later");
        drop(fifth.await);
    }
}
