//! How long Gorgias takes to show what was written, measured in every run.
//!
//! Whether a look-up lags is not documented (facts: lists look immediate in recordings, search and views lag), and an
//! absence is believed only after that lag. So a few fresh records of every run are looked up until they show.
//! Deliberately absent: the requests; the driver sends them.

use std::time::Duration;

/// Records in the beginning that are all looked up: a lag shows at once or not at all.
const FIRST_PROBES: u64 = 3;
/// Of the later records, one in so many is looked up: half a percent of the requests.
const RECORDS_PER_PROBE: u64 = 200;
/// The wait for visibility is so many times the largest lag seen.
const SAFETY_FACTOR: u32 = 3;

/// What is known of the lag.
#[derive(Debug, Clone, Copy)]
pub struct LagMeter {
    floor: Duration,
    largest: Duration,
    records: u64,
    probes: u64,
}

impl LagMeter {
    /// Nothing seen; `floor` is waited for in any case.
    #[must_use]
    pub fn new(floor: Duration) -> Self {
        Self { floor, largest: Duration::ZERO, records: 0, probes: 0 }
    }

    /// One more record was created; whether it is to be looked up.
    pub fn wants_probe(&mut self) -> bool {
        self.records += 1;
        let wants = self.records <= FIRST_PROBES || self.records.is_multiple_of(RECORDS_PER_PROBE);
        self.probes += u64::from(wants);
        wants
    }

    /// A record showed, or is still not there, `lag` after the answer to its creation.
    pub fn observe(&mut self, lag: Duration) {
        self.largest = self.largest.max(lag);
    }

    /// The largest lag seen.
    #[must_use]
    pub fn largest(&self) -> Duration {
        self.largest
    }

    /// Records that were looked up only to measure.
    #[must_use]
    pub fn probes(&self) -> u64 {
        self.probes
    }

    /// How long after its effect a record is certainly visible, as far as is known.
    #[must_use]
    pub fn visibility(&self) -> Duration {
        self.floor.max(self.largest.saturating_mul(SAFETY_FACTOR))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_records_and_one_in_two_hundred_are_looked_up() {
        let mut meter = LagMeter::new(Duration::from_secs(30));
        let probed: Vec<u64> = (1..=600).filter(|_| meter.wants_probe()).collect();
        assert_eq!(probed, [1, 2, 3, 200, 400, 600]);
        assert_eq!(meter.probes(), 6);
    }

    #[test]
    fn the_wait_grows_with_the_largest_lag_and_never_falls_below_the_floor() {
        let mut meter = LagMeter::new(Duration::from_secs(30));
        let seconds = |meter: &LagMeter| meter.visibility().as_secs();
        assert_eq!(seconds(&meter), 30);
        meter.observe(Duration::from_secs(9));
        assert_eq!(seconds(&meter), 30);
        meter.observe(Duration::from_secs(25));
        meter.observe(Duration::from_secs(1));
        assert_eq!((seconds(&meter), meter.largest().as_secs()), (75, 25));
    }
}
