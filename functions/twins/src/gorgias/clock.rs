//! Account time: instants as Gorgias writes them, and the clocks that tell them.
//!
//! Instants are UTC microseconds. Deliberately absent: local time zones (Gorgias answers in UTC only).

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::Offset;
use serde::{Serialize, Serializer};

const MICROS_PER_SECOND: i64 = 1_000_000;

/// A point of account time in UTC microseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Instant(pub(crate) i64);

impl Instant {
    /// Reads ISO-8601 with an offset; a text without one is refused, because its instant would be a guess.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        text.parse::<Timestamp>().ok().map(|timestamp| Self(timestamp.as_microsecond()))
    }

    pub(crate) fn plus_seconds(self, seconds: f64) -> Self {
        self.plus(Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or(Duration::MAX))
    }

    pub(crate) fn plus(self, span: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(span.as_micros()).unwrap_or(i64::MAX)))
    }

    pub(crate) fn plus_micros(self, micros: i64) -> Self {
        Self(self.0.saturating_add(micros))
    }

    /// Seconds from `earlier` to here; negative when `earlier` is later.
    pub(crate) fn seconds_since(self, earlier: Self) -> f64 {
        Duration::from_micros(self.0.abs_diff(earlier.0)).as_secs_f64()
            * if self >= earlier { 1.0 } else { -1.0 }
    }

    /// `2026-08-26T12:46:06.231080+00:00`, the form of live answers (facts: microseconds and a numeric offset).
    pub(crate) fn text(self) -> String {
        let timestamp = Timestamp::from_microsecond(self.0).unwrap_or(Timestamp::MAX);
        let civil = Offset::UTC.to_datetime(timestamp);
        let mut text = String::with_capacity(32);
        push_digits(&mut text, i64::from(civil.year()), 4);
        for (separator, part) in [
            ('-', civil.month()),
            ('-', civil.day()),
            ('T', civil.hour()),
            (':', civil.minute()),
            (':', civil.second()),
        ] {
            text.push(separator);
            push_digits(&mut text, i64::from(part), 2);
        }
        text.push('.');
        push_digits(&mut text, self.0.rem_euclid(MICROS_PER_SECOND), 6);
        text.push_str("+00:00");
        text
    }
}

fn push_digits(text: &mut String, number: i64, width: u32) {
    for place in (0..width).rev() {
        let digit = number / 10_i64.pow(place) % 10;
        text.push(char::from(b'0' + u8::try_from(digit).unwrap_or_default()));
    }
}

impl Serialize for Instant {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text())
    }
}

/// Where the twin's account time comes from.
#[derive(Debug, Clone, Default)]
pub enum Clock {
    /// Starts at the machine's time and runs `time_scale` times as fast.
    #[default]
    Real,
    /// Stands still until told otherwise; for tests.
    Manual(ManualClock),
}

/// A clock that moves only when told to. Clones show the same time.
#[derive(Debug, Clone)]
pub struct ManualClock {
    micros: Arc<AtomicI64>,
}

impl ManualClock {
    /// A clock that stands at `start` (ISO-8601 with an offset), or `None` when that is no instant.
    #[must_use]
    pub fn at(start: &str) -> Option<Self> {
        let start = Instant::parse(start)?;
        Some(Self { micros: Arc::new(AtomicI64::new(start.0)) })
    }

    /// Moves the clock forward by `span` of account time.
    pub fn advance(&self, span: Duration) {
        let micros = i64::try_from(span.as_micros()).unwrap_or(i64::MAX);
        self.micros.fetch_add(micros, Ordering::SeqCst);
    }

    /// The instant shown, as Gorgias would write it.
    #[must_use]
    pub fn text(&self) -> String {
        self.now().text()
    }

    fn now(&self) -> Instant {
        Instant(self.micros.load(Ordering::SeqCst))
    }
}

/// A clock that has been started: the only source of "now" inside the twin.
#[derive(Debug)]
pub(crate) enum Ticking {
    Real { origin: Instant, started: std::time::Instant, scale: f64 },
    Manual(ManualClock),
}

impl Ticking {
    pub(crate) fn start(clock: &Clock, scale: f64) -> Self {
        match clock {
            Clock::Real => Self::Real {
                origin: Instant(Timestamp::now().as_microsecond()),
                started: std::time::Instant::now(),
                scale,
            },
            Clock::Manual(manual) => Self::Manual(manual.clone()),
        }
    }

    pub(crate) fn now(&self) -> Instant {
        match self {
            Self::Real { origin, started, scale } => {
                origin.plus_seconds(started.elapsed().as_secs_f64() * scale)
            }
            Self::Manual(manual) => manual.now(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_keep_the_live_form() {
        let check = |given: &str, shown: Option<&str>| {
            assert_eq!(Instant::parse(given).map(Instant::text).as_deref(), shown, "{given}");
        };
        check("2026-08-26T12:46:06.231080+00:00", Some("2026-08-26T12:46:06.231080+00:00"));
        check("2026-08-26T12:46:06Z", Some("2026-08-26T12:46:06.000000+00:00"));
        check("2026-08-26T15:46:06.5+03:00", Some("2026-08-26T12:46:06.500000+00:00"));
        check("1969-12-31T23:59:59.999999Z", Some("1969-12-31T23:59:59.999999+00:00"));
        check("2026-08-26 12:46:06+00:00", Some("2026-08-26T12:46:06.000000+00:00"));
        check("2026-08-26T12:46:06", None);
        check("2026-08-26", None);
        check("yesterday", None);
    }

    #[test]
    fn a_manual_clock_moves_only_when_told() {
        let manual = ManualClock::at("2026-01-01T00:00:00Z").unwrap();
        let ticking = Ticking::start(&Clock::Manual(manual.clone()), 10.0);
        assert_eq!(ticking.now().text(), "2026-01-01T00:00:00.000000+00:00");
        manual.advance(Duration::from_millis(1500));
        assert_eq!(ticking.now().text(), "2026-01-01T00:00:01.500000+00:00");
    }
}
