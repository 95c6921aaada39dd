//! The leaky bucket that bounds how many requests an account answers.
//!
//! One bucket per account: all keys of an account share it. Deliberately absent: separate buckets per kind of
//! authentication, which older documentation denies (facts: rate limits).

use serde::{Deserialize, Serialize};

use super::clock::Instant;

/// Size and leak of the bucket: `capacity` requests at once, all of them forgotten after `window_seconds`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bucket {
    /// Requests that fit at once: 40 for an API key, 80 for OAuth (facts: rate limits).
    pub capacity: u32,
    /// Account seconds in which a full bucket empties: 20, or 10 on enterprise plans (facts: rate limits).
    pub window_seconds: f64,
}

impl Default for Bucket {
    fn default() -> Self {
        Self { capacity: 40, window_seconds: 20.0 }
    }
}

/// The bucket at work.
#[derive(Debug)]
pub(crate) struct Leaking {
    capacity: f64,
    leak_per_second: f64,
    level: f64,
    last: Instant,
}

/// What the bucket said to one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Admission {
    Admitted,
    /// Whole account seconds until a request fits, at least one.
    Throttled {
        retry_after_seconds: u64,
    },
}

impl Leaking {
    /// `other_share` of the leak is eaten by other clients of the same account (0 = none, below 1).
    pub(crate) fn new(bucket: Bucket, other_share: f64, now: Instant) -> Self {
        let capacity = f64::from(bucket.capacity.max(1));
        let share = other_share.clamp(0.0, 0.99);
        Self {
            capacity,
            leak_per_second: capacity / bucket.window_seconds.max(0.001) * (1.0 - share),
            level: capacity * share,
            last: now,
        }
    }

    pub(crate) fn admit(&mut self, now: Instant) -> Admission {
        self.leak(now);
        // The tolerance keeps sums of leaked fractions from refusing a request that fits exactly.
        let overflow = self.level + 1.0 - self.capacity;
        if overflow <= 1e-6 {
            self.level += 1.0;
            return Admission::Admitted;
        }
        Admission::Throttled { retry_after_seconds: whole((overflow / self.leak_per_second).max(1.0)) }
    }

    /// `used/limit`, as the call-limit header writes it.
    pub(crate) fn gauge(&mut self, now: Instant) -> String {
        self.leak(now);
        format!("{}/{}", whole((self.level - 1e-6).max(0.0)), whole(self.capacity))
    }

    fn leak(&mut self, now: Instant) {
        let seconds = now.seconds_since(self.last).max(0.0);
        self.level = (self.level - seconds * self.leak_per_second).max(0.0);
        self.last = self.last.max(now);
    }
}

/// The smallest whole number that is not below `number`, which is neither negative nor beyond a few thousand.
fn whole(number: f64) -> u64 {
    std::time::Duration::try_from_secs_f64(number.ceil()).map_or(u64::MAX, |span| span.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bucket(capacity: u32, window_seconds: f64) -> Leaking {
        Leaking::new(Bucket { capacity, window_seconds }, 0.0, Instant(0))
    }

    #[test]
    fn a_full_bucket_refuses_until_it_has_leaked() {
        let mut leaking = bucket(40, 20.0);
        for request in 0..40 {
            assert_eq!(leaking.admit(Instant(0)), Admission::Admitted, "request {request}");
        }
        assert_eq!(leaking.gauge(Instant(0)), "40/40");
        assert_eq!(leaking.admit(Instant(0)), Admission::Throttled { retry_after_seconds: 1 });
        assert_eq!(leaking.admit(Instant(499_000)), Admission::Throttled { retry_after_seconds: 1 });
        assert_eq!(leaking.admit(Instant(500_000)), Admission::Admitted);
        assert_eq!(leaking.gauge(Instant(20_500_000)), "0/40");
    }

    #[test]
    fn retry_after_is_the_wait_in_whole_seconds() {
        let mut leaking = bucket(1, 20.0);
        assert_eq!(leaking.admit(Instant(0)), Admission::Admitted);
        assert_eq!(leaking.admit(Instant(0)), Admission::Throttled { retry_after_seconds: 20 });
        assert_eq!(leaking.admit(Instant(5_500_000)), Admission::Throttled { retry_after_seconds: 15 });
        assert_eq!(leaking.admit(Instant(20_000_000)), Admission::Admitted);
    }

    #[test]
    fn the_sustained_rate_is_the_capacity_per_window() {
        let mut leaking = bucket(40, 20.0);
        // Four requests a second for 100 s: the 40 that fit at once and two a second after that.
        let admitted =
            (0..400).filter(|step| leaking.admit(Instant(step * 250_000)) == Admission::Admitted).count();
        assert_eq!(admitted, 40 + 199);
    }

    #[test]
    fn another_client_takes_its_share() {
        let mut leaking = Leaking::new(Bucket { capacity: 40, window_seconds: 20.0 }, 0.5, Instant(0));
        let at_once = (0..40).filter(|_| leaking.admit(Instant(0)) == Admission::Admitted).count();
        assert_eq!(at_once, 20);
        let later = (0..40).filter(|_| leaking.admit(Instant(10_000_000)) == Admission::Admitted).count();
        assert_eq!(later, 10, "half of two a second is left");
    }
}
