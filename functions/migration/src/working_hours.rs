//! Hours of the day in which Gorgias may be kept busy, and how long work lasts that rests outside of them.
//!
//! By day the account's limit belongs to the people who answer there. The hours are those of a zone, so that a night in
//! which the clock changes is longer or shorter. Deliberately absent: the clock, and waiting.

use std::fmt;
use std::time::Duration;

use jiff::civil::{Date, Time};
use jiff::{SignedDuration, Timestamp};

use crate::local_time::SourceZone;

/// From and until in the zone's own time, such as `20:00-06:00 Europe/Helsinki`.
#[derive(Debug, Clone, PartialEq)]
pub struct WorkingHours {
    from: Time,
    until: Time,
    zone: SourceZone,
}

/// Why a text names no hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("hours are written `20:00-06:00`, with two different times")]
pub struct NoHours;

impl WorkingHours {
    /// Reads `20:00-06:00`; the second may be on the next day.
    ///
    /// # Errors
    /// [`NoHours`].
    pub fn parse(text: &str, zone: SourceZone) -> Result<Self, NoHours> {
        let (from, until) = text.trim().split_once('-').ok_or(NoHours)?;
        let time = |text: &str| -> Result<Time, NoHours> {
            let (hour, minute) = text.trim().split_once(':').ok_or(NoHours)?;
            let (hour, minute) = (hour.parse().map_err(|_| NoHours)?, minute.parse().map_err(|_| NoHours)?);
            Time::new(hour, minute, 0, 0).map_err(|_| NoHours)
        };
        let (from, until) = (time(from)?, time(until)?);
        if from == until { Err(NoHours) } else { Ok(Self { from, until, zone }) }
    }

    /// The first moment, `now` or later, at which work may go on; `None` beyond what a calendar holds.
    #[must_use]
    pub fn opens_at(&self, now: Timestamp) -> Option<Timestamp> {
        self.next(now).map(|(from, _)| from)
    }

    /// How much of the time between two moments lies within the hours.
    #[must_use]
    pub fn open_between(&self, from: Timestamp, until: Timestamp) -> Duration {
        let (mut open, mut now) = (Duration::ZERO, from);
        while let Some((begin, end)) = self.next(now).filter(|(begin, _)| *begin < until) {
            open += Duration::try_from(end.min(until).duration_since(begin)).unwrap_or(Duration::ZERO);
            now = end;
        }
        open
    }

    /// When the hours begin that hold `now`, or the next ones, and when they end.
    fn next(&self, now: Timestamp) -> Option<(Timestamp, Timestamp)> {
        let today = now.to_zoned(self.zone.zone().clone()).date();
        // Yesterday's night may still go on.
        let mut day = today.yesterday().ok()?;
        for _ in 0..4 {
            let last = if self.until > self.from { day } else { day.tomorrow().ok()? };
            let at = |day: Date, time| {
                Some(day.to_datetime(time).to_zoned(self.zone.zone().clone()).ok()?.timestamp())
            };
            let (from, until) = (at(day, self.from)?, at(last, self.until)?);
            if until > now && until > from {
                return Some((from.max(now), until));
            }
            day = day.tomorrow().ok()?;
        }
        None
    }
}

impl fmt::Display for WorkingHours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (from, until) = (self.from, self.until);
        let zone = self.zone.name();
        write!(f, "{:02}:{:02}-{:02}:{:02} {zone}", from.hour(), from.minute(), until.hour(), until.minute())
    }
}

/// Nights in a row at most: eleven years.
const SHIFTS_MAX: usize = 4_000;

/// When work of this length ends that begins at `start` and rests outside of the hours; `None` beyond reason.
#[must_use]
pub fn ends_at(start: Timestamp, work: Duration, hours: Option<&WorkingHours>) -> Option<Timestamp> {
    let mut left = SignedDuration::try_from(work).ok()?;
    let Some(hours) = hours else { return start.checked_add(left).ok() };
    let mut now = start;
    for _ in 0..SHIFTS_MAX {
        let (from, until) = hours.next(now)?;
        let shift = until.duration_since(from);
        if left <= shift {
            return from.checked_add(left).ok();
        }
        left = left.checked_sub(shift)?;
        now = until;
    }
    None
}
