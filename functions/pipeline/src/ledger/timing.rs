//! How long to wait before silence means absence.
//!
//! Waits are measured on the monotonic clock: a wall clock that jumps by a day changes nothing. Wall time stands in the
//! segments only, for an owner on another machine.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::ports::clock::Clock;

/// Time rules of the ledger. Every bound errs on the side of waiting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    /// How long after its announcement a request may still start.
    pub hold: Duration,
    /// Longest time between the start of a request and its effect: our time-out and the server's own limit.
    pub request_life: Duration,
    /// Longest time between an effect and its appearance in a look-up, until a run measures a longer one.
    pub visibility: Duration,
    /// Left between the start of a request and the end of its hold, for waits inside the connection's pacer.
    pub margin: Duration,
    /// A lock of the operating system keeps every other process away for the life of this one: no earlier owner can
    /// start a request any more, whatever its hold says.
    pub is_exclusive: bool,
    /// Before an absence is believed, a record that was sent after the doubtful one must have become visible. That
    /// replaces trust in `visibility` where the look-up shows records in the order of their effects.
    pub barrier: bool,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            hold: Duration::from_secs(120),
            request_life: Duration::from_secs(90),
            visibility: Duration::from_secs(30),
            margin: Duration::from_secs(45),
            is_exclusive: false,
            barrier: true,
        }
    }
}

impl Timing {
    /// End of the hold of something announced at `now`, for its segment.
    #[must_use]
    pub fn not_after(&self, now: Timestamp) -> Timestamp {
        later(now, self.hold)
    }

    /// The last moment at which a request announced at `announced` may start.
    #[must_use]
    pub fn may_start_until(&self, announced: Moment) -> Moment {
        announced.after(self.hold.saturating_sub(self.margin))
    }

    /// When nothing that an earlier owner announced can take effect any more. `opened` is when the ledger was fenced,
    /// `now` and `wall` are the same instant on both clocks.
    #[must_use]
    pub fn still_after_takeover(
        &self,
        not_after: Timestamp,
        opened: Moment,
        now: Moment,
        wall: Timestamp,
    ) -> Moment {
        let last_start = if self.is_exclusive { opened } else { now.after(until(wall, not_after)) };
        last_start.after(self.request_life)
    }
}

/// An instant of the machine's monotonic clock: nanoseconds since an arbitrary zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(u64);

impl Moment {
    /// Now.
    #[must_use]
    pub fn now(clock: &dyn Clock) -> Self {
        Self(clock.elapsed_nanoseconds())
    }

    /// `duration` later, or the end of time.
    #[must_use]
    pub fn after(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)))
    }

    /// Time from `earlier` to this; zero when `earlier` is later.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
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
fn until(now: Timestamp, due: Timestamp) -> Duration {
    Duration::try_from(due.duration_since(now)).unwrap_or(Duration::ZERO)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Moment {
        Moment(0).after(Duration::from_secs(seconds))
    }

    #[test]
    fn a_request_starts_within_its_hold_and_not_in_its_margin() {
        let timing = Timing::default();
        assert_eq!(timing.may_start_until(at(10)), at(85));
        let now: Timestamp = "2026-01-01T00:00:00Z".parse().expect("literal");
        assert_eq!(timing.not_after(now).to_string(), "2026-01-01T00:02:00Z");
    }

    #[test]
    fn an_earlier_owner_is_still_after_its_hold_and_the_life_of_a_request() {
        let timing = Timing::default();
        let wall: Timestamp = "2026-01-01T00:00:00Z".parse().expect("literal");
        let still = |not_after: &str| {
            timing.still_after_takeover(not_after.parse().expect("literal"), at(0), at(5), wall)
        };
        assert_eq!(still("2026-01-01T00:01:00Z"), at(5 + 60 + 90));
        // Long ago: only the life of a request is left to wait for.
        assert_eq!(still("2025-12-31T00:00:00Z"), at(5 + 90));
    }

    #[test]
    fn under_a_lock_no_wall_clock_counts() {
        let timing = Timing { is_exclusive: true, ..Timing::default() };
        let wall: Timestamp = "2026-01-01T00:00:00Z".parse().expect("literal");
        for not_after in ["2020-01-01T00:00:00Z", "2026-01-01T00:01:00Z", "2027-01-01T00:00:00Z"] {
            let not_after = not_after.parse().expect("literal");
            assert_eq!(timing.still_after_takeover(not_after, at(3), at(5), wall), at(93));
        }
    }

    #[test]
    fn moments_do_not_overflow() {
        assert_eq!(at(3).since(at(5)), Duration::ZERO);
        assert_eq!(at(5).since(at(3)), Duration::from_secs(2));
        assert!(at(1).after(Duration::MAX) > at(1));
    }
}
