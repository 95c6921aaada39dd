//! The twin's own clock, for tokens and signed addresses.
//!
//! Deliberately absent: sleeping. A test that wants a token to expire moves the clock.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// Tells the time in whole seconds since 1970 (UTC).
#[derive(Clone)]
pub struct Clock(Source);

#[derive(Clone)]
enum Source {
    System,
    Manual(Arc<AtomicU64>),
}

impl Clock {
    /// The machine's clock.
    pub fn system() -> Self {
        Self(Source::System)
    }

    /// A clock that stands still at `seconds` until somebody moves the number.
    pub fn manual(seconds: Arc<AtomicU64>) -> Self {
        Self(Source::Manual(seconds))
    }

    /// The present second.
    pub fn now(&self) -> u64 {
        match &self.0 {
            // A machine whose clock stands before 1970 has no tokens to expire.
            Source::System => {
                SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |elapsed| elapsed.as_secs())
            }
            Source::Manual(seconds) => seconds.load(Ordering::SeqCst),
        }
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self.0 {
            Source::System => "Clock(system)",
            Source::Manual(_) => "Clock(manual)",
        })
    }
}
