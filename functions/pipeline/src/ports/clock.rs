//! Time and waiting, so that a whole run can happen in virtual time.

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

/// The only clock that steps may read.
#[async_trait]
pub trait Clock: Send + Sync {
    /// Wall time, UTC.
    fn now(&self) -> Timestamp;
    /// Nanoseconds of a monotonic clock with an arbitrary zero.
    fn elapsed_nanoseconds(&self) -> u64;
    /// Waits.
    async fn sleep(&self, duration: Duration);
}
