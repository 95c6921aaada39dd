//! A clock for this program and the stand-in of Gorgias together, which stands while anybody works.
//!
//! When everybody waits and nothing has happened for a moment, it jumps to the end of the shortest wait. So a run takes as
//! long as its limits make it, hours in minutes, and what this machine computes costs none of that time. A request that
//! the machine is slow to answer is taken to be slow by at most one such wait. Deliberately absent: the clock of LeadDesk's
//! stand-in, which limits nothing.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use jiff::Timestamp;
use pipeline::ports::clock::Clock;
use tokio::sync::oneshot;
use twins::gorgias::ManualClock;

/// So long nothing happens before the clock jumps: many times what an answer over loopback takes.
const QUIET: Duration = Duration::from_micros(1_500);
/// Between two looks.
const LOOK: Duration = Duration::from_micros(300);

/// Ends of waits, each with a number of its own, and whom to wake.
type Waits = BTreeMap<(u64, u64), oneshot::Sender<()>>;

/// The clock.
pub(crate) struct IdleClock {
    start: Timestamp,
    nanoseconds: AtomicU64,
    twin: ManualClock,
    waits: Mutex<Waits>,
    waited: AtomicU64,
    zero: Instant,
    /// When anybody last asked for the time or began to wait, on the machine's clock.
    last: AtomicU64,
    is_over: AtomicBool,
}

impl IdleClock {
    /// Stands at `start`, where `twin` stands too, and moves on from now on.
    pub(crate) fn start(start: Timestamp, twin: ManualClock) -> Arc<Self> {
        let clock = Arc::new(Self {
            start,
            nanoseconds: AtomicU64::new(0),
            twin,
            waits: Mutex::default(),
            waited: AtomicU64::new(0),
            zero: Instant::now(),
            last: AtomicU64::new(0),
            is_over: AtomicBool::new(false),
        });
        let moving = Arc::clone(&clock);
        std::thread::spawn(move || {
            while !moving.is_over.load(Ordering::SeqCst) {
                std::thread::sleep(LOOK);
                moving.jump();
            }
        });
        clock
    }

    /// Lets the thread that moves it end.
    pub(crate) fn stop(&self) {
        self.is_over.store(true, Ordering::SeqCst);
    }

    fn touched(&self) {
        let now = u64::try_from(self.zero.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.last.store(now, Ordering::SeqCst);
    }

    fn jump(&self) {
        let now = u64::try_from(self.zero.elapsed().as_micros()).unwrap_or(u64::MAX);
        let quiet = u64::try_from(QUIET.as_micros()).unwrap_or(u64::MAX);
        if now.saturating_sub(self.last.load(Ordering::SeqCst)) < quiet {
            return;
        }
        let mut waits = self.waits.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((&(end, _), _)) = waits.first_key_value() else { return };
        let before = self.nanoseconds.load(Ordering::SeqCst);
        if end > before {
            // Both count microseconds alike: the twin is never behind by more than one.
            let micros = end / 1_000 - before / 1_000;
            self.twin.advance(Duration::from_micros(micros));
            self.nanoseconds.store(end, Ordering::SeqCst);
        }
        while let Some(wait) = waits.first_entry().filter(|wait| wait.key().0 <= end) {
            // Whoever gave up waiting is not there to be woken.
            wait.remove().send(()).ok();
        }
        drop(waits);
        self.touched();
    }
}

#[async_trait]
impl Clock for IdleClock {
    fn now(&self) -> Timestamp {
        self.touched();
        let passed = Duration::from_nanos(self.nanoseconds.load(Ordering::SeqCst));
        self.start.checked_add(passed).unwrap_or(Timestamp::MAX)
    }

    fn elapsed_nanoseconds(&self) -> u64 {
        self.touched();
        self.nanoseconds.load(Ordering::SeqCst)
    }

    async fn sleep(&self, duration: Duration) {
        let (wake, woken) = oneshot::channel();
        {
            let mut waits = self.waits.lock().unwrap_or_else(PoisonError::into_inner);
            let nanoseconds = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
            let end = self.nanoseconds.load(Ordering::SeqCst).saturating_add(nanoseconds);
            waits.insert((end, self.waited.fetch_add(1, Ordering::SeqCst)), wake);
        }
        self.touched();
        // A clock that was stopped wakes nobody; nobody waits for it then.
        woken.await.ok();
    }
}
