//! How fast one part of a step goes, and when it will be done.
//!
//! Deliberately absent: the clock. Whoever reports progress says when.

use std::collections::VecDeque;

use jiff::Timestamp;

/// Rates are taken over this many seconds, so that they follow a change and do not jump.
const WINDOW_SECONDS: f64 = 30.0;
/// A line is due after this many seconds at the latest.
const LINE_SECONDS_MAX: f64 = 10.0;
/// No two lines come closer than this, however fast the work goes.
const LINE_SECONDS_MIN: f64 = 1.0;
/// A line is due after this share of the whole.
const LINE_SHARE: f64 = 0.05;
/// Two figures closer together than this say nothing about a rate.
const RATE_SECONDS_MIN: f64 = 0.2;

/// Progress of one part of a step.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Meter {
    started_at: Timestamp,
    total: Option<u64>,
    done: u64,
    failed: u64,
    samples: VecDeque<(Timestamp, u64)>,
    line_at: Timestamp,
    line_done: u64,
}

impl Meter {
    /// Starts counting.
    pub(crate) fn new(started_at: Timestamp, total: Option<u64>) -> Self {
        Self {
            started_at,
            total,
            done: 0,
            failed: 0,
            samples: VecDeque::from([(started_at, 0)]),
            line_at: started_at,
            line_done: 0,
        }
    }

    /// Takes new totals.
    pub(crate) fn advanced(&mut self, at: Timestamp, done: u64, failed: u64) {
        self.done = done;
        self.failed = failed;
        self.samples.push_back((at, done));
        // One sample older than the window stays, so that the rate always spans it.
        while self.samples.get(1).is_some_and(|(second, _)| seconds(*second, at) >= WINDOW_SECONDS) {
            self.samples.pop_front();
        }
    }

    /// Units done.
    pub(crate) fn done(&self) -> u64 {
        self.done
    }

    /// Units to do, when known.
    pub(crate) fn total(&self) -> Option<u64> {
        self.total
    }

    /// Units that failed.
    pub(crate) fn failed(&self) -> u64 {
        self.failed
    }

    /// Seconds since the start.
    pub(crate) fn elapsed_seconds(&self, at: Timestamp) -> f64 {
        seconds(self.started_at, at)
    }

    /// Units a second lately; `None` while nothing can be said.
    pub(crate) fn rate(&self) -> Option<f64> {
        let ((from, done_from), (until, done_until)) = (self.samples.front()?, self.samples.back()?);
        let spanned = seconds(*from, *until);
        (spanned >= RATE_SECONDS_MIN && done_until > done_from)
            .then(|| float(done_until.saturating_sub(*done_from)) / spanned)
    }

    /// Seconds until all is done at the present rate.
    pub(crate) fn remaining_seconds(&self) -> Option<f64> {
        let left = self.total?.saturating_sub(self.done);
        if left == 0 { Some(0.0) } else { Some(float(left) / self.rate()?) }
    }

    /// Whether a line of plain output is due, and if so counts it as written.
    pub(crate) fn line_due(&mut self, at: Timestamp) -> bool {
        let since = seconds(self.line_at, at);
        let moved = float(self.done.saturating_sub(self.line_done));
        let far = self.total.is_some_and(|total| total > 0 && moved / float(total) >= LINE_SHARE);
        let due = since >= LINE_SECONDS_MAX || (far && since >= LINE_SECONDS_MIN);
        if due {
            self.line_at = at;
            self.line_done = self.done;
        }
        due
    }
}

fn seconds(from: Timestamp, until: Timestamp) -> f64 {
    until.duration_since(from).as_secs_f64()
}

/// Exact up to 2^53, far above every count here.
fn float(number: u64) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::ToSpan;

    fn at(seconds: i64) -> Timestamp {
        "2026-11-22T10:00:00Z".parse::<Timestamp>().unwrap() + seconds.seconds()
    }

    #[test]
    fn rate_follows_the_last_half_minute() {
        let mut meter = Meter::new(at(0), Some(10_000));
        assert_eq!(meter.rate(), None);
        for second in 1..=100 {
            meter.advanced(at(second), second.unsigned_abs() * 10, 0);
        }
        assert_eq!(meter.rate(), Some(10.0));
        assert_eq!(meter.remaining_seconds(), Some(900.0));
        for second in 101..=140 {
            meter.advanced(at(second), 1_000 + (second.unsigned_abs() - 100) * 100, 0);
        }
        assert_eq!(meter.rate(), Some(100.0));
        assert!(meter.samples.len() < 40, "{}", meter.samples.len());
    }

    #[test]
    fn nothing_is_promised_without_total_or_movement() {
        let mut unknown = Meter::new(at(0), None);
        unknown.advanced(at(10), 50, 0);
        assert_eq!(unknown.remaining_seconds(), None);
        let mut stuck = Meter::new(at(0), Some(10));
        stuck.advanced(at(10), 0, 0);
        assert_eq!((stuck.rate(), stuck.remaining_seconds()), (None, None));
        stuck.advanced(at(11), 10, 3);
        assert_eq!((stuck.remaining_seconds(), stuck.failed()), (Some(0.0), 3));
    }

    #[test]
    fn lines_come_by_time_or_by_share_and_never_in_floods() {
        let mut meter = Meter::new(at(0), Some(100));
        let mut lines = Vec::new();
        for (second, done) in [(0, 50), (1, 52), (2, 53), (2, 58), (11, 58), (12, 59), (12, 64)] {
            meter.advanced(at(second), done, 0);
            if meter.line_due(at(second)) {
                lines.push((second, done));
            }
        }
        assert_eq!(lines, [(1, 52), (2, 58), (12, 59)]);
    }
}
