//! What was spent of the rate limit.

use std::collections::BTreeMap;

use jiff::Timestamp;

/// Requests that were sent, for forecast, window statistics and the report.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Usage {
    /// By route pattern and method, such as `POST /tickets`.
    pub requests: BTreeMap<String, u64>,
    /// Answers 429.
    pub throttled: u64,
    /// Last `used/limit` header.
    pub bucket: Option<(u32, u32)>,
    /// Seconds by which the destination's clock is ahead of this machine's, as its last answer told; to the second.
    pub clock_ahead_seconds: Option<i64>,
    /// One entry a window: start, requests sent in it, limit.
    pub windows: Vec<Window>,
}

impl Usage {
    /// All requests.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.requests.values().sum()
    }
}

/// Requests of one window of the bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    /// Start.
    pub started_at: Timestamp,
    /// Length in milliseconds.
    pub milliseconds: u64,
    /// Requests sent.
    pub requests: u64,
    /// Answers 429.
    pub throttled: u64,
}
