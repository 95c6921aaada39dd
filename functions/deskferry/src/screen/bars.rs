//! What is said about a part of a step while it runs, and the bars that say it at a terminal.
//!
//! Deliberately absent: colour. A bar says everything in words, so it reads the same on every terminal.

use std::collections::BTreeMap;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::meter::Meter;
use crate::{clean, words};

/// Redraws a second; more would only cost time.
const DRAWS_PER_SECOND: u8 = 8;

/// What limits a part at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Limiter {
    /// The rate limit of the destination.
    Gorgias,
    /// The source: its answers, or the pace that is kept towards it.
    LeadDesk,
    /// This machine.
    Machine,
}

impl Limiter {
    /// The bucket is what holds the work up when at least half of it is full; reading the source waits for the source.
    pub(crate) fn of(step: &str, bucket: Option<(u32, u32)>) -> Self {
        match bucket {
            Some((used, limit)) if limit > 0 && used >= limit.div_ceil(2) => Self::Gorgias,
            _ if matches!(step, "discover" | "extract") => Self::LeadDesk,
            _ => Self::Machine,
        }
    }

    fn render(self, pace: &str) -> String {
        match self {
            Self::Gorgias => format!("limited by Gorgias {pace}").trim_end().to_owned(),
            Self::LeadDesk => "limited by LeadDesk".to_owned(),
            Self::Machine => "limited by this machine".to_owned(),
        }
    }
}

/// What is shown of a part: everything but its name.
pub(crate) struct Situation<'a> {
    pub(crate) meter: &'a Meter,
    pub(crate) step: &'a str,
    pub(crate) bucket: Option<(u32, u32)>,
    /// Requests a second that the destination allows.
    pub(crate) pace: &'a str,
    pub(crate) now: Timestamp,
    pub(crate) zone: &'a TimeZone,
}

impl Situation<'_> {
    /// `1,204/1,500  41/s  requests 31/40  failed 0  ETA 14:05 (in 7 s)  limited by Gorgias 2 req/s`.
    pub(crate) fn render(&self) -> String {
        let mut parts = vec![match self.meter.total() {
            Some(total) => format!("{}/{}", words::count(self.meter.done()), words::count(total)),
            None => words::count(self.meter.done()),
        }];
        parts.extend(self.meter.rate().map(words::rate));
        parts.extend(self.bucket.map(|(used, limit)| format!("requests {used}/{limit}")));
        parts.push(format!("failed {}", words::count(self.meter.failed())));
        if let Some(seconds) = self.meter.remaining_seconds() {
            parts.extend(self.due_at(seconds).map(|at| {
                let clock = words::clock(at, self.now, self.zone);
                format!("ETA {clock} (in {})", words::duration(seconds))
            }));
        }
        parts.push(Limiter::of(self.step, self.bucket).render(self.pace));
        parts.join("  ")
    }

    /// When it will be done; `None` when that is beyond the calendar.
    pub(crate) fn due_at(&self, seconds: f64) -> Option<Timestamp> {
        let left = SignedDuration::try_from_secs_f64(seconds).ok()?;
        self.now.checked_add(left).ok()
    }
}

/// The bars of a terminal.
pub(crate) struct Bars {
    all: MultiProgress,
    open: BTreeMap<(String, String), ProgressBar>,
}

impl Bars {
    /// Bars on standard error.
    pub(crate) fn new() -> Self {
        let target = ProgressDrawTarget::stderr_with_hz(DRAWS_PER_SECOND);
        Self { all: MultiProgress::with_draw_target(target), open: BTreeMap::new() }
    }

    /// Opens the bar of a part, or moves it.
    pub(crate) fn show(&mut self, step: &str, part: &str, situation: &Situation<'_>) {
        let key = (step.to_owned(), part.to_owned());
        let all = &self.all;
        let bar = self.open.entry(key).or_insert_with(|| {
            let bar = all.add(ProgressBar::new(situation.meter.total().unwrap_or(0)));
            let template =
                if situation.meter.total().is_some() { "{prefix} {bar:20} {msg}" } else { "{prefix} {msg}" };
            // The template is one of two constants; the fallback is indicatif's own look.
            bar.set_style(
                ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()),
            );
            bar.set_prefix(clean::line(&format!("{step} {part}")).into_owned());
            bar
        });
        bar.set_position(situation.meter.done());
        bar.set_message(situation.render());
    }

    /// Removes the bar of a part.
    pub(crate) fn close(&mut self, step: &str, part: &str) {
        if let Some(bar) = self.open.remove(&(step.to_owned(), part.to_owned())) {
            bar.finish_and_clear();
            self.all.remove(&bar);
        }
    }

    /// Removes all bars.
    pub(crate) fn close_all(&mut self) {
        for bar in std::mem::take(&mut self.open).into_values() {
            bar.finish_and_clear();
            self.all.remove(&bar);
        }
    }

    /// Prints something while the bars are away.
    pub(crate) fn suspend(&self, print: impl FnOnce()) {
        self.all.suspend(print);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::ToSpan;

    fn check(step: &str, total: Option<u64>, bucket: Option<(u32, u32)>, expected: &str) {
        let start: Timestamp = "2026-11-22T12:00:00Z".parse().unwrap();
        let now = start + 10.seconds();
        let mut meter = Meter::new(start, total);
        meter.advanced(now, 400, 2);
        let zone = TimeZone::UTC;
        let situation = Situation { meter: &meter, step, bucket, pace: "2 req/s", now, zone: &zone };
        assert_eq!(situation.render(), expected);
    }

    #[test]
    fn everything_is_said_in_words() {
        check(
            "load",
            Some(1_500),
            Some((31, 40)),
            "400/1,500  40/s  requests 31/40  failed 2  ETA 12:00 (in 28 s)  limited by Gorgias 2 req/s",
        );
        check(
            "load",
            Some(1_500),
            Some((3, 40)),
            "400/1,500  40/s  requests 3/40  failed 2  ETA 12:00 (in 28 s)  limited by this machine",
        );
        check("extract", None, None, "400  40/s  failed 2  limited by LeadDesk");
    }
}
