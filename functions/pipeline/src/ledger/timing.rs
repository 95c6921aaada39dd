//! How long to wait before silence means absence.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// Time rules of the ledger. Every bound errs on the side of waiting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    /// How long after its announcement a request may still start.
    pub hold: Duration,
    /// Longest time between the start of a request and its effect: our time-out and the server's own limit.
    pub request_life: Duration,
    /// Longest time between an effect and its appearance in a look-up.
    pub visibility: Duration,
    /// Left between the start of a request and the end of its hold, for waits inside the connection's pacer.
    pub margin: Duration,
    /// Since when a lock of the operating system keeps every other process away; `None` without such a lock. Requests
    /// of an owner before the lock cannot start after it, whatever their hold says.
    pub exclusive_since: Option<Timestamp>,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            hold: Duration::from_secs(120),
            request_life: Duration::from_secs(90),
            visibility: Duration::from_secs(30),
            margin: Duration::from_secs(45),
            exclusive_since: None,
        }
    }
}

impl Timing {
    /// End of the hold of something announced at `now`.
    #[must_use]
    pub fn not_after(&self, now: Timestamp) -> Timestamp {
        later(now, self.hold)
    }

    /// From this moment on, a look-up that finds nothing proves that there is nothing.
    #[must_use]
    pub fn quiet_at(&self, last_start: Timestamp) -> Timestamp {
        later(later(last_start, self.request_life), self.visibility)
    }

    /// As [`Timing::quiet_at`] for something that an earlier owner may have started until `not_after`.
    #[must_use]
    pub fn quiet_after_takeover(&self, not_after: Timestamp) -> Timestamp {
        let last_start = match self.exclusive_since {
            Some(since) if not_after < later(since, self.hold) => not_after.min(since),
            _ => not_after,
        };
        self.quiet_at(last_start)
    }

    /// May a request announced until `not_after` start at `now`?
    #[must_use]
    pub fn may_start(&self, now: Timestamp, not_after: Timestamp) -> bool {
        later(now, self.margin) <= not_after
    }
}

/// `duration` after `at`, or the end of time.
#[must_use]
pub(crate) fn later(at: Timestamp, duration: Duration) -> Timestamp {
    SignedDuration::try_from(duration)
        .ok()
        .and_then(|duration| at.checked_add(duration).ok())
        .unwrap_or(Timestamp::MAX)
}

/// Time until `due`, zero when it has come.
#[must_use]
pub(crate) fn until(now: Timestamp, due: Timestamp) -> Duration {
    Duration::try_from(due.duration_since(now)).unwrap_or(Duration::ZERO)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quiet_comes_after_life_and_visibility() {
        let timing = Timing::default();
        let now: Timestamp = "2026-01-01T00:00:00Z".parse().expect("literal");
        assert_eq!(timing.quiet_at(now).to_string(), "2026-01-01T00:02:00Z");
        assert!(timing.may_start(now, timing.not_after(now)));
        assert!(!timing.may_start(later(now, Duration::from_secs(76)), timing.not_after(now)));
        assert_eq!(timing.quiet_after_takeover(now), timing.quiet_at(now));
        assert_eq!(until(now, later(now, Duration::from_secs(3))), Duration::from_secs(3));
        assert_eq!(until(later(now, Duration::from_secs(3)), now), Duration::ZERO);
    }

    #[test]
    fn a_lock_ends_what_was_announced_before_it_and_nothing_else() {
        let lock: Timestamp = "2026-01-01T00:00:00Z".parse().expect("literal");
        let timing = Timing { exclusive_since: Some(lock), ..Timing::default() };
        let after = |seconds| later(lock, Duration::from_secs(seconds));
        // Announced ten seconds before the lock: its hold would last 110 seconds beyond it.
        assert_eq!(timing.quiet_after_takeover(after(110)), timing.quiet_at(lock));
        // Announced under the lock, by this very process.
        assert_eq!(timing.quiet_after_takeover(after(150)), timing.quiet_at(after(150)));
        let long_ago: Timestamp = "2025-12-31T00:00:00Z".parse().expect("literal");
        assert_eq!(timing.quiet_after_takeover(long_ago), timing.quiet_at(long_ago));
    }
}
