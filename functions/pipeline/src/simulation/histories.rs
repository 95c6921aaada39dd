//! Histories of a load: undisturbed, killed at every point, and stormy by seed.

use std::collections::BTreeSet;
use std::time::Duration;

use migration::keys::ExternalId;

use super::{Bug, Sum, Template, in_virtual_time};
use crate::ledger::driver::DriveError;
use crate::ledger::{Ledger, LedgerError, key};
use crate::load::{self, LoadError};
use crate::reconcile;
use crate::testing::World;
use crate::testing::chance::{Chance, Weather};
use crate::testing::world::{Effects, Stroke};
use crate::wave::Wave;

/// Starts that a history may take before it counts as stuck.
const STARTS_MAX: usize = 40;
/// Virtual time after which a single start counts as stuck.
const START_MAX: Duration = Duration::from_secs(6 * 60 * 60);
/// Pause of the operator, or of the scheduler, between a death and the next start.
const BETWEEN_STARTS: Duration = Duration::from_secs(5);

/// The longest pause that the rules about time cover: the margin between the last start of a request and the end of its
/// hold.
const PAUSE_COVERED: Duration = Duration::from_secs(40);

/// The longest lag that is waited for before any is measured.
pub(super) const LAG_COVERED: Duration = Duration::from_secs(30);

/// How one start ended.
enum End {
    Done,
    Killed,
    Fenced,
    Stopped,
    Stuck,
}

/// What a history is made of.
struct Storm {
    weather: Weather,
    /// Points at which the starts, one after the other, are killed.
    kills: Vec<u64>,
    /// The first process is paused at this point for so long while another one starts.
    pause: Option<(u64, Duration)>,
    is_exclusive: bool,
}

impl Storm {
    /// Whether every assumption about time holds.
    fn is_covered(&self) -> bool {
        self.pause.is_none_or(|(_, pause)| pause <= PAUSE_COVERED)
            && self.weather.lag.longest() <= LAG_COVERED
    }
}

impl Template {
    /// A load that nothing disturbs.
    #[must_use]
    pub fn undisturbed(&self) -> Sum {
        in_virtual_time(async {
            let storm =
                Storm { weather: Weather::fair(), kills: Vec::new(), pause: None, is_exclusive: true };
            self.play(&storm, None).await.judged(0)
        })
    }

    /// Points at which a load can be killed: before and after each of its outside effects.
    #[must_use]
    pub fn kill_points(&self) -> u64 {
        in_virtual_time(async {
            let world = self.world(&Weather::fair(), None).beside(Effects::struck([], Self::store_latency()));
            start(&world, true, None).await;
            world.effects.points()
        })
    }

    /// A load that is killed at this point and started again.
    #[must_use]
    pub fn killed_at(&self, point: u64) -> Sum {
        in_virtual_time(async {
            let storm =
                Storm { weather: Weather::fair(), kills: vec![point], pause: None, is_exclusive: true };
            self.play(&storm, None).await.judged(point)
        })
    }

    /// A load in the storm that this seed draws; with a bug, if one is given.
    #[must_use]
    pub fn stormy(&self, seed: u64, bug: Option<Bug>) -> Sum {
        let mut chance = Chance::new(seed);
        // Two points for each record, and those of the ledger.
        let points = 2 * (self.records + self.records / 10);
        let kills = (0..chance.below(4)).map(|_| 1 + chance.below(points)).collect();
        let is_paused = chance.happens(400);
        let pause = is_paused.then(|| (1 + chance.below(points), Duration::from_secs(pause_of(&mut chance))));
        let storm = Storm { weather: Weather::of(seed), kills, pause, is_exclusive: !is_paused };
        in_virtual_time(async { self.play(&storm, bug).await.judged(seed) })
    }

    /// Whether a bug shows in the storm of this seed: a wrong end, or more written twice than without it.
    #[must_use]
    pub fn shows(&self, seed: u64, bug: Bug) -> bool {
        let with = self.stormy(seed, Some(bug));
        let twice = |sum: &Sum| sum.written_twice + sum.written_twice_uncovered;
        with.wrong > 0 || (twice(&with) > 0 && twice(&with) > twice(&self.stormy(seed, None)))
    }

    async fn play(&self, storm: &Storm, bug: Option<Bug>) -> Sum {
        let world = self.world(&storm.weather, bug);
        let mut sum = Sum { records: self.records, ..Sum::default() };
        let mut kills = storm.kills.iter().copied();
        let mut is_done = false;
        if let Some((point, pause)) = storm.pause {
            let first = world.beside(Effects::struck([(point, Stroke::Pause(pause))], Self::store_latency()));
            let second = world.beside(Effects::struck([], Self::store_latency()));
            // The second starts when the first has got somewhere, as a scheduler does that takes it for dead.
            let begin = Duration::from_secs(1 + point / 8);
            let (one, other) = tokio::join!(start(&first, false, bug), async {
                tokio::time::sleep(begin).await;
                start(&second, false, bug).await
            });
            sum.pauses += 1;
            for end in [one, other] {
                is_done |= matches!(end, End::Done);
                count(&end, &mut sum);
            }
        }
        for _ in 0..STARTS_MAX {
            if is_done {
                break;
            }
            let strokes = kills.next().map(|point| (point, Stroke::Kill));
            let process = world.beside(Effects::struck(strokes, Self::store_latency()));
            let end = start(&process, storm.is_exclusive, bug).await;
            count(&end, &mut sum);
            is_done = matches!(end, End::Done);
            if matches!(end, End::Stuck) {
                break;
            }
            tokio::time::sleep(BETWEEN_STARTS).await;
        }
        sum.stuck = u64::from(!is_done);
        // Whatever may still come has come.
        tokio::time::sleep(Duration::from_secs(1_000)).await;
        let mut clear = |weather: &mut Weather| {
            for (kind, count) in &weather.fired {
                *sum.faults.entry((*kind).to_owned()).or_default() += count;
            }
            *weather = Weather::fair();
        };
        world.gorgias.weather(&mut clear);
        world.store.weather(&mut clear);
        let twice = Self::written_twice(&world);
        if storm.is_covered() {
            sum.written_twice = twice;
        } else {
            sum.written_twice_uncovered = twice;
        }
        let refused = if is_done { self.compare(&world, &mut sum).await } else { BTreeSet::new() };
        (sum.duplicates, sum.lost) = self.judge(&world, &refused);
        let requests = world.gorgias.usage_by_route();
        sum.requests = requests.values().sum();
        sum.probes = world.probes.count();
        let asked = requests.get("GET /tickets?external_id").copied().unwrap_or(0);
        sum.look_ups = asked.saturating_sub(sum.probes);
        sum.look_ups_max = sum.look_ups;
        sum.mails = world.gorgias.account(|account| {
            account.messages.values().filter(|message| message.is_public == Some(true)).count() as u64
        });
        sum
    }

    /// The comparison that opens the next wave; what it finds twice it takes out of the way.
    async fn compare(&self, world: &World, sum: &mut Sum) -> BTreeSet<String> {
        let ctx = world.context();
        let (before, _) = self.judge(world, &BTreeSet::new());
        // A comparison of records that are there once changes nothing; it takes most of the time of a history.
        if before > 0 {
            // A verdict that is not good is no error: the judge looks for itself.
            reconcile::run(&ctx, Wave::Leads).await.ok();
            let (after, _) = self.judge(world, &BTreeSet::new());
            sum.swept += before.saturating_sub(after);
        }
        let Ok((book, secret)) = Ledger::read_of(&ctx, "acme").await else { return BTreeSet::new() };
        let is_refused = |text: &String| {
            let id = ExternalId::from_stored(text.clone());
            book.is_refused(&key::ticket(&id, &secret)) || book.is_refused(&key::message(&id, &secret))
        };
        // Refused by the weather, never by a bug of ours that takes a doubt for a refusal.
        let struck = sum.faults.get("refused").copied().unwrap_or(0);
        let refused: BTreeSet<String> = self.keys().into_iter().filter(is_refused).collect();
        if refused.len() as u64 <= struck { refused } else { BTreeSet::new() }
    }
}

/// Half of the pauses are ones that the rules about time cover.
fn pause_of(chance: &mut Chance) -> u64 {
    if chance.happens(500) { 5 + chance.below(35) } else { 41 + chance.below(370) }
}

fn count(end: &End, sum: &mut Sum) {
    match end {
        End::Killed => sum.kills += 1,
        End::Fenced => sum.fenced += 1,
        End::Done | End::Stopped | End::Stuck => {}
    }
}

async fn start(world: &World, is_exclusive: bool, bug: Option<Bug>) -> End {
    let mut ctx = world.context();
    ctx.limits.ledger.is_exclusive = is_exclusive;
    ctx.limits.refused_percent_max = 100.0;
    ctx.limits.refused_in_a_row_max = usize::MAX;
    if let Some(bug) = bug {
        ctx.limits.ledger = bug.timing(ctx.limits.ledger);
    }
    tokio::select! {
        biased;
        () = world.effects.killed() => End::Killed,
        ended = tokio::time::timeout(START_MAX, load::run(&ctx, Wave::Leads)) => match ended {
            Err(_) => End::Stuck,
            Ok(Ok(_)) => End::Done,
            Ok(Err(error)) if is_fenced(&error) => End::Fenced,
            Ok(Err(_)) => End::Stopped,
        },
    }
}

fn is_fenced(error: &LoadError) -> bool {
    let owner = |error: &LedgerError| matches!(error, LedgerError::AnotherOwner { .. });
    match error {
        LoadError::Ledger(error) | LoadError::Drive { source: DriveError::Ledger(error), .. } => owner(error),
        _ => false,
    }
}
