//! Everything a step needs, in memory, with numbered effects.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use migration::contact_point::Region;
use migration::local_time::SourceZone;
use migration::settings::MappingSettings;
use tokio::sync::Notify;

use super::bug::Bug;
use super::chance::Weather;
use super::{Account, FakeGorgias, MemoryStore};
use crate::context::{Context, Limits, Stated};
use crate::ports::clock::Clock;
use crate::progress::{Event, Progress};

/// What strikes a process at a chosen point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stroke {
    /// It ends at once.
    Kill,
    /// It stands still for so long, as a paused machine does.
    Pause(Duration),
}

/// Counts outside effects of one process, and strikes it before or after a chosen one.
#[derive(Default)]
pub(crate) struct Effects {
    count: AtomicU64,
    /// Points passed: two for every effect, one before and one after it.
    points: AtomicU64,
    strokes: Mutex<BTreeMap<u64, Stroke>>,
    /// 0 never crashes.
    crash_at: AtomicU64,
    crashed: Notify,
    /// How long the store takes to create an object.
    pub(crate) store_latency: Duration,
}

impl Effects {
    /// A process that is struck at these points, counted from 1.
    pub(crate) fn struck(strokes: impl IntoIterator<Item = (u64, Stroke)>, store_latency: Duration) -> Self {
        let strokes = Mutex::new(strokes.into_iter().collect());
        Self { strokes, store_latency, ..Self::default() }
    }

    /// Something is about to be changed outside.
    pub(crate) async fn begins(&self) {
        self.pass().await;
    }

    async fn pass(&self) {
        let point = self.points.fetch_add(1, Ordering::SeqCst) + 1;
        let stroke = self.strokes.lock().unwrap_or_else(PoisonError::into_inner).remove(&point);
        match stroke {
            None => {}
            Some(Stroke::Pause(duration)) => tokio::time::sleep(duration).await,
            Some(Stroke::Kill) => {
                self.crashed.notify_one();
                std::future::pending::<()>().await;
            }
        }
    }

    /// Points passed so far.
    pub(crate) fn points(&self) -> u64 {
        self.points.load(Ordering::SeqCst)
    }

    /// Ends when the process is killed.
    pub(crate) async fn killed(&self) {
        self.crashed.notified().await;
    }

    /// One more thing was changed outside. Never comes back when this was the last one before the crash.
    pub(crate) async fn happened(&self) {
        let count = self.count.fetch_add(1, Ordering::SeqCst) + 1;
        if self.crash_at.load(Ordering::SeqCst) == count {
            self.crashed.notify_one();
            std::future::pending::<()>().await;
        }
        self.pass().await;
    }

    pub(crate) fn count(&self) -> u64 {
        self.count.load(Ordering::SeqCst)
    }
}

/// Sleeping moves the clock and costs no time; or time is the runtime's own, paused and moved by it.
pub(crate) struct TestClock {
    nanoseconds: AtomicU64,
    runtime: Option<tokio::time::Instant>,
}

const START: i64 = 1_790_000_000;

impl TestClock {
    pub(crate) fn advance(&self, duration: Duration) {
        let nanoseconds = u64::try_from(duration.as_nanos()).expect("test durations are short");
        self.nanoseconds.fetch_add(nanoseconds, Ordering::SeqCst);
    }
}

#[async_trait]
impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        let elapsed = i128::from(self.elapsed_nanoseconds());
        Timestamp::from_nanosecond(i128::from(START) * 1_000_000_000 + elapsed).expect("within range")
    }

    fn elapsed_nanoseconds(&self) -> u64 {
        match self.runtime {
            Some(start) => u64::try_from(start.elapsed().as_nanos()).expect("test durations are short"),
            None => self.nanoseconds.load(Ordering::SeqCst),
        }
    }

    async fn sleep(&self, duration: Duration) {
        if self.runtime.is_some() {
            tokio::time::sleep(duration).await;
        } else {
            tokio::task::yield_now().await;
            self.advance(duration);
        }
    }
}

/// Counts the looks at fresh records, which measure and settle nothing.
#[derive(Default)]
pub(crate) struct Probes(AtomicU64);

impl Probes {
    pub(crate) fn count(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
}

impl Progress for Probes {
    fn emit(&self, _at: Timestamp, event: Event) {
        if let Event::LagMeasured { .. } = event {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }
}

/// One world; contexts made from it see the same accounts and the same store.
pub(crate) struct World {
    pub(crate) gorgias: Arc<FakeGorgias>,
    pub(crate) store: Arc<MemoryStore>,
    pub(crate) clock: Arc<TestClock>,
    pub(crate) effects: Arc<Effects>,
    pub(crate) probes: Arc<Probes>,
    pub(crate) limits: Limits,
    pub(crate) run: String,
    scratch: tempfile::TempDir,
}

impl World {
    pub(crate) fn new(account: Account) -> Self {
        let effects = Arc::new(Effects::default());
        Self::with_clock(account, TestClock { nanoseconds: AtomicU64::new(0), runtime: None }, effects)
    }

    /// A world in the runtime's paused time, whose writes take as long as a real connection's.
    pub(crate) fn paced(account: Account, pace: super::fake_gorgias::Pace, store_latency: Duration) -> Self {
        let effects = Arc::new(Effects { store_latency, ..Effects::default() });
        let clock = TestClock { nanoseconds: AtomicU64::new(0), runtime: Some(tokio::time::Instant::now()) };
        let world = Self::with_clock(account, clock, effects);
        world.gorgias.set_pace(pace);
        world
    }

    fn with_clock(account: Account, clock: TestClock, effects: Arc<Effects>) -> Self {
        let clock = Arc::new(clock);
        Self {
            gorgias: Arc::new(FakeGorgias::new(account, Arc::clone(&clock), Arc::clone(&effects))),
            store: Arc::new(MemoryStore::new(Arc::clone(&effects))),
            clock,
            effects,
            probes: Arc::default(),
            limits: Limits { stated: Stated::inside(), ..Limits::default() },
            run: "2026-11-22-t1".to_owned(),
            scratch: tempfile::tempdir().expect("a temporary folder"),
        }
    }

    /// Another process in the same world, with its own points and its own scratch folder.
    pub(crate) fn beside(&self, effects: Effects) -> Self {
        let effects = Arc::new(effects);
        Self {
            gorgias: Arc::new(self.gorgias.beside(Arc::clone(&effects))),
            store: Arc::new(self.store.beside(Arc::clone(&effects))),
            clock: Arc::clone(&self.clock),
            effects,
            probes: Arc::clone(&self.probes),
            limits: self.limits.clone(),
            run: self.run.clone(),
            scratch: tempfile::tempdir().expect("a temporary folder"),
        }
    }

    /// A world of its own in the runtime's paused time, which begins as this one is.
    pub(crate) fn copied(
        &self,
        pace: super::fake_gorgias::Pace,
        store_latency: Duration,
        weather: &Weather,
        bug: Option<Bug>,
    ) -> Self {
        let effects = Arc::new(Effects { store_latency, ..Effects::default() });
        let clock = TestClock { nanoseconds: AtomicU64::new(0), runtime: Some(tokio::time::Instant::now()) };
        let clock = Arc::new(clock);
        let account = self.gorgias.account(|account| account.clone());
        let gorgias = FakeGorgias::new(account, Arc::clone(&clock), Arc::clone(&effects));
        gorgias.set_pace(pace);
        gorgias.set_weather(weather.clone());
        gorgias.set_bug(bug);
        Self {
            gorgias: Arc::new(gorgias),
            store: Arc::new(self.store.copied(Arc::clone(&effects), weather.clone(), bug)),
            clock,
            effects,
            probes: Arc::default(),
            limits: self.limits.clone(),
            run: self.run.clone(),
            scratch: tempfile::tempdir().expect("a temporary folder"),
        }
    }

    /// Another run over the same account, store and clock.
    pub(crate) fn another_run(&self, run: &str) -> Self {
        Self {
            gorgias: Arc::clone(&self.gorgias),
            store: Arc::clone(&self.store),
            clock: Arc::clone(&self.clock),
            effects: Arc::clone(&self.effects),
            probes: Arc::clone(&self.probes),
            limits: self.limits.clone(),
            run: run.to_owned(),
            scratch: tempfile::tempdir().expect("a temporary folder"),
        }
    }

    pub(crate) fn context(&self) -> Context {
        let zone = SourceZone::new("Europe/Helsinki").expect("a known zone");
        let region = "FI".parse::<Region>().expect("a known region");
        Context {
            migration: "acme".to_owned(),
            run: self.run.parse().expect("a run id"),
            pass: snapshot::Pass::Full,
            held_open: crate::archive::HeldOpen::default(),
            store: Arc::clone(&self.store) as Arc<dyn crate::ports::store::Store>,
            source: Arc::new(super::fake_source::NoSource),
            destination: Arc::clone(&self.gorgias) as Arc<dyn crate::ports::gorgias::Gorgias>,
            suggester: None,
            clock: Arc::clone(&self.clock) as Arc<dyn Clock>,
            progress: Arc::clone(&self.probes) as Arc<dyn Progress>,
            files: PathBuf::from("/nonexistent"),
            scratch: self.scratch.path().to_path_buf(),
            mapping: MappingSettings::new(zone, region),
            limits: self.limits.clone(),
            stop: crate::stop::Stop::default(),
            hours: None,
        }
    }

    /// Runs until the end, or until `effect` more outside effects have happened; `None` means crashed.
    pub(crate) async fn until_crash<T>(&self, effect: u64, run: impl Future<Output = T>) -> Option<T> {
        self.effects.crash_at.store(self.effects.count() + effect, Ordering::SeqCst);
        let ended = tokio::select! {
            biased;
            () = self.effects.crashed.notified() => None,
            ended = run => Some(ended),
        };
        self.effects.crash_at.store(0, Ordering::SeqCst);
        ended
    }
}
