//! When the next request may leave: a leaky bucket kept full without ever overflowing it.
//!
//! The account has a bucket of `capacity` requests that leaks `capacity` in `window` (facts: rate limits: 40 in 20 s by API
//! key, 80 by OAuth, windows of 10 s for enterprise plans). A full bucket answers 429. Spending it whole means keeping it
//! nearly full: then the leak rate rules and nothing is lost by caution, because only an empty bucket wastes rate.
//!
//! A request counts in full from its sending until its answer, and leaks away from then on. Whenever the server counted it
//! in between, the level assumed here is not below the server's, so that alone we never meet a 429. Headers tell what
//! others use. Times are nanoseconds of a monotonic clock, given by the caller. Deliberately absent: sleeping and the clock.

use std::time::Duration;

/// Size and speed of an account's bucket.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bucket {
    /// Requests that fit.
    pub capacity: u32,
    /// Time in which a full bucket runs empty.
    pub window: Duration,
    /// Share left to other clients, 0 to below 1.
    pub reserve: f64,
}

/// Why a text is not a bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BucketError {
    /// Not `requests/seconds`.
    #[error("a bucket is written `requests/seconds`, such as 40/20, with both above zero")]
    Format,
    /// All or more is kept free.
    #[error("the reserve is a share from 0 up to, not including, 1")]
    Reserve,
}

/// Parts of a share in which the reserve is counted.
const PERMILLE: u32 = 1_000;
/// Part of the bucket that stays free while others are seen, so that what they send between two of our answers fits.
const SHARED_MARGIN_PART: u128 = 8;
/// Longest window that is believed; the longest documented one is 20 s.
const WINDOW_MAX: Duration = Duration::from_secs(86_400);

impl Bucket {
    /// Reads `40/20`: requests in seconds.
    ///
    /// # Errors
    /// [`BucketError`].
    pub fn parse(text: &str, reserve: f64) -> Result<Self, BucketError> {
        let (requests, seconds) = text.trim().split_once('/').ok_or(BucketError::Format)?;
        let capacity: u32 = requests.trim().parse().map_err(|_| BucketError::Format)?;
        let seconds: f64 = seconds.trim().parse().map_err(|_| BucketError::Format)?;
        let window = Duration::try_from_secs_f64(seconds).map_err(|_| BucketError::Format)?;
        if capacity == 0 || window.is_zero() || window > WINDOW_MAX {
            return Err(BucketError::Format);
        }
        if !(0.0..1.0).contains(&reserve) {
            return Err(BucketError::Reserve);
        }
        Ok(Self { capacity, window, reserve })
    }

    /// Requests a second that this client may send for hours.
    #[must_use]
    pub fn sustained_per_second(&self) -> f64 {
        f64::from(self.capacity) * (1.0 - self.reserve) / self.window.as_secs_f64()
    }

    /// `40 requests in 20 s`, the share of others included.
    #[must_use]
    pub fn in_words(&self) -> String {
        format!("{} requests in {} s", self.capacity, self.window.as_secs_f64())
    }

    /// The reserve in thousandths, rounded up: it is a promise to others. Something always stays for us.
    fn reserve_permille(&self) -> u32 {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "clamped to 0 to 999 before"
        )]
        let permille = (self.reserve * f64::from(PERMILLE)).ceil().clamp(0.0, f64::from(PERMILLE - 1)) as u32;
        permille
    }
}

/// Stands for one request between sending and answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SentTicket {
    sent_at: u64,
    /// Requests that had been answered when it left: those are surely in what its answer says.
    answered_before: u64,
}

/// Decides when to send. One per account; every request passes through it.
///
/// Levels are in units of which one request has `window in nanoseconds * 1000`, so that neither the leak nor the reserve
/// is ever rounded.
#[derive(Debug, Clone)]
pub struct Pacer {
    bucket: Bucket,
    reserve_permille: u32,
    /// What was answered, and what others used.
    all: u128,
    /// What we used ourselves, for the reserve.
    own: u128,
    levels_at: u64,
    in_flight: u32,
    answered: u64,
    /// Until then headers are believed more than our own count, since others were seen.
    shared_until: u64,
    blocked_until: u64,
}

impl Pacer {
    /// Starts with an empty bucket; the first answer's header corrects that. The first request goes alone, so that a
    /// bucket which others have filled is not overrun.
    #[must_use]
    pub fn new(bucket: Bucket, now: u64) -> Self {
        let window = bucket.window.clamp(Duration::from_nanos(1), WINDOW_MAX);
        let bucket = Bucket { capacity: bucket.capacity.max(1), window, reserve: bucket.reserve };
        Self {
            bucket,
            reserve_permille: bucket.reserve_permille(),
            all: 0,
            own: 0,
            levels_at: now,
            in_flight: 0,
            answered: 0,
            shared_until: 0,
            blocked_until: now,
        }
    }

    /// The bucket as corrected by the headers.
    #[must_use]
    pub fn bucket(&self) -> Bucket {
        self.bucket
    }

    /// Requests whose answer is outstanding.
    #[must_use]
    pub fn in_flight(&self) -> u32 {
        self.in_flight
    }

    /// Requests in the bucket as far as known, and its size.
    #[must_use]
    pub fn fill(&self, now: u64) -> (u32, u32) {
        let (all, _) = self.levels(now);
        let answered = u32::try_from(all.div_ceil(self.request())).unwrap_or(u32::MAX);
        (answered.saturating_add(self.in_flight), self.bucket.capacity)
    }

    /// How long to wait before the next request may leave; zero means now.
    #[must_use]
    pub fn wait(&self, now: u64) -> Duration {
        Duration::from_nanos(self.next_send_at(now).saturating_sub(now))
    }

    /// The moment from which the next request may leave. An answer that comes earlier may bring it forward or push it back.
    #[must_use]
    pub fn next_send_at(&self, now: u64) -> u64 {
        let earliest = now.max(self.blocked_until);
        if self.answered == 0 && self.in_flight > 0 {
            return earliest.max(now.saturating_add(self.slot()));
        }
        let (all, own) = self.levels(now);
        let (all_leak, own_leak) = self.leaks();
        let (full, own_capacity) = self.capacities();
        // An almost full bucket leaks as fast as a full one: the margin costs no rate.
        let margin = if now < self.shared_until { full / SHARED_MARGIN_PART } else { 0 };
        let all_capacity = (full - margin).max(self.request());
        let flying = u128::from(self.in_flight + 1) * self.request();
        let from = |level: u128, capacity: u128, leak: u128| {
            let over = (level + flying).saturating_sub(capacity);
            let wait = over.div_ceil(leak);
            // What is in flight does not leak: when it alone fills the bucket, only an answer helps.
            let wait = if over > level { wait.max(u128::from(self.slot())) } else { wait };
            now.saturating_add(u64::try_from(wait).unwrap_or(u64::MAX))
        };
        earliest.max(from(all, all_capacity, all_leak)).max(from(own, own_capacity, own_leak))
    }

    /// A request leaves now. Its ticket comes back with the answer.
    pub fn sent(&mut self, now: u64) -> SentTicket {
        self.settle(now);
        self.in_flight += 1;
        SentTicket { sent_at: self.levels_at, answered_before: self.answered }
    }

    /// A request was answered, or is given up. `header` is (used, limit) of `X-Gorgias-Account-Api-Call-Limit`.
    pub fn answered(&mut self, now: u64, ticket: SentTicket, header: Option<(u32, u32)>) {
        self.land(now);
        let overlapping = self.answered - ticket.answered_before;
        self.answered += 1;
        let request = self.request();
        self.all += request;
        self.own += request;
        if let Some((used, limit)) = header {
            if limit > 0 {
                self.bucket.capacity = limit;
            }
            self.correct(ticket, u128::from(used), u128::from(overlapping));
        }
    }

    /// `used` was counted when that request arrived, and requests overtake each other. Whatever was answered while it was
    /// out may not be in `used` and is added, and one more for a header that rounds down: an upper bound. What is in
    /// flight counts by itself. It errs towards a fuller bucket, which costs no rate.
    fn correct(&mut self, ticket: SentTicket, used: u128, overlapping: u128) {
        let request = self.request();
        let stated = used * request;
        let bound = stated + (overlapping + 1) * request;
        let leaked_since = u128::from(self.levels_at.saturating_sub(ticket.sent_at)) * self.leaks().0;
        let ours = self.all + u128::from(self.in_flight) * request + leaked_since;
        if stated > ours {
            self.see_others();
        }
        self.all = if self.levels_at < self.shared_until { bound } else { self.all.min(bound) };
    }

    /// Others are remembered for as long as the bucket needs to forget them, twice over.
    fn see_others(&mut self) {
        let window = u64::try_from(self.bucket.window.as_nanos()).unwrap_or(u64::MAX);
        self.shared_until = self.levels_at.saturating_add(window.saturating_mul(2));
    }

    /// A request was answered 429: the bucket is full, whatever we thought, and nothing leaves before `retry_after`.
    pub fn throttled(&mut self, now: u64, _ticket: SentTicket, retry_after: Duration) {
        self.land(now);
        self.answered += 1;
        self.see_others();
        let (full, _) = self.capacities();
        self.all = self.all.max(full);
        let pause = u64::try_from(retry_after.as_nanos()).unwrap_or(u64::MAX);
        self.blocked_until = self.blocked_until.max(now.saturating_add(pause));
    }

    fn land(&mut self, now: u64) {
        self.settle(now);
        self.in_flight = self.in_flight.saturating_sub(1);
    }

    /// Units of one request.
    fn request(&self) -> u128 {
        self.bucket.window.as_nanos() * u128::from(PERMILLE)
    }

    /// Nanoseconds in which one request leaks.
    fn slot(&self) -> u64 {
        let slot = self.bucket.window.as_nanos().div_ceil(u128::from(self.bucket.capacity));
        u64::try_from(slot).unwrap_or(u64::MAX)
    }

    /// Units that leak in a nanosecond: of everything, and of our share.
    fn leaks(&self) -> (u128, u128) {
        let capacity = u128::from(self.bucket.capacity);
        (capacity * u128::from(PERMILLE), capacity * u128::from(PERMILLE - self.reserve_permille))
    }

    /// Units that fit: in all, and of ours. A share of less than one request still sends one at a time.
    fn capacities(&self) -> (u128, u128) {
        let all = u128::from(self.bucket.capacity) * self.request();
        let own = all * u128::from(PERMILLE - self.reserve_permille) / u128::from(PERMILLE);
        (all, own.max(self.request()))
    }

    fn levels(&self, now: u64) -> (u128, u128) {
        let elapsed = u128::from(now.saturating_sub(self.levels_at));
        let (all, own) = self.leaks();
        (self.all.saturating_sub(elapsed * all), self.own.saturating_sub(elapsed * own))
    }

    fn settle(&mut self, now: u64) {
        (self.all, self.own) = self.levels(now);
        self.levels_at = self.levels_at.max(now);
    }
}
