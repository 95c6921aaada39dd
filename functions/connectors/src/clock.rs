//! The real clock, and one that only moves when somebody waits.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use jiff::Timestamp;
use pipeline::ports::clock::Clock;

/// Time as the machine has it.
#[derive(Debug, Clone, Copy)]
pub struct RealClock {
    zero: Instant,
}

impl RealClock {
    /// Starts the monotonic clock at zero.
    #[must_use]
    pub fn new() -> Self {
        Self { zero: Instant::now() }
    }
}

impl Default for RealClock {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl Clock for RealClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn elapsed_nanoseconds(&self) -> u64 {
        u64::try_from(self.zero.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}

/// Time that passes only by waiting: a sleep moves the clock and returns at once.
#[derive(Debug)]
pub struct VirtualClock {
    start: Timestamp,
    nanoseconds: AtomicU64,
}

impl VirtualClock {
    /// Stands at `start`.
    #[must_use]
    pub fn new(start: Timestamp) -> Self {
        Self { start, nanoseconds: AtomicU64::new(0) }
    }

    /// Lets time pass.
    pub fn advance(&self, duration: Duration) {
        let nanoseconds = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        self.nanoseconds.fetch_add(nanoseconds, Ordering::SeqCst);
    }
}

#[async_trait]
impl Clock for VirtualClock {
    fn now(&self) -> Timestamp {
        let passed = Duration::from_nanos(self.nanoseconds.load(Ordering::SeqCst));
        self.start.checked_add(passed).unwrap_or(Timestamp::MAX)
    }

    fn elapsed_nanoseconds(&self) -> u64 {
        self.nanoseconds.load(Ordering::SeqCst)
    }

    async fn sleep(&self, duration: Duration) {
        self.advance(duration);
        tokio::task::yield_now().await;
    }
}
