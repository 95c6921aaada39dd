//! The optional limit on requests.
//!
//! Deliberately absent: fairness between visitors. LeadDesk documents no limit at all; this one only exists so that a
//! client can be shown a 429.

use std::sync::Mutex;

use crate::leaddesk::config::RateLimit;

/// Counts the requests of the present window.
#[derive(Debug, Default)]
pub(crate) struct Throttle(Mutex<Window>);

#[derive(Debug, Default)]
struct Window {
    begin: u64,
    requests: u32,
}

impl Throttle {
    /// Admits a request at `now`, or says in how many seconds the next window begins.
    pub(crate) fn admit(&self, limit: RateLimit, now: u64) -> Result<(), u64> {
        let length = u64::from(limit.window_seconds.max(1));
        let mut window = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if now < window.begin || now >= window.begin + length {
            *window = Window { begin: now, requests: 0 };
        }
        if window.requests >= limit.requests {
            return Err(window.begin + length - now);
        }
        window.requests += 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_open_and_close() {
        let throttle = Throttle::default();
        let limit = RateLimit { requests: 2, window_seconds: 10 };
        let admitted: Vec<_> =
            [100, 101, 104, 109, 110, 110, 111].map(|now| throttle.admit(limit, now)).into();
        assert_eq!(admitted, [Ok(()), Ok(()), Err(6), Err(1), Ok(()), Ok(()), Err(9)]);
    }
}
