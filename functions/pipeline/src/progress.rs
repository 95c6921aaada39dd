//! What happens in a run, as values: the terminal, the log and the event file are made of these.
//!
//! Events hold ids, counts, durations and codes; never a name, an address, a number or a text of a person.

use jiff::Timestamp;

/// One thing that happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// A step begins.
    StepStarted {
        /// Step name, such as `extract`.
        step: &'static str,
        /// What it does now, such as `contacts`.
        part: String,
        /// Units to do, when known.
        total: Option<u64>,
    },
    /// A step moved on.
    StepAdvanced {
        /// Step name.
        step: &'static str,
        /// Part as in [`Event::StepStarted`].
        part: String,
        /// Units done so far.
        done: u64,
        /// Units that failed so far.
        failed: u64,
        /// Requests that the destination's bucket holds now, and its size.
        bucket: Option<(u32, u32)>,
    },
    /// A part of a step is done.
    StepFinished {
        /// Step name.
        step: &'static str,
        /// Part.
        part: String,
        /// Units done.
        done: u64,
        /// Units that failed.
        failed: u64,
    },
    /// What a start found in the ledger of an earlier one.
    WorkFound {
        /// Step name.
        step: &'static str,
        /// Writes that have their outcome.
        settled: u64,
        /// Writes that the run takes in all.
        planned: u64,
        /// Writes that were sent and not answered.
        in_doubt: u64,
        /// Seconds until the doubtful ones are looked up; everything else goes on meanwhile.
        wait_seconds: u64,
    },
    /// How the doubtful ones of a step were settled.
    DoubtsSettled {
        /// Step name.
        step: &'static str,
        /// They had taken effect.
        arrived: u64,
        /// They had not, and were sent again.
        absent: u64,
        /// Still not known; the next start looks again.
        left: u64,
    },
    /// A fresh record was looked up to measure how long Gorgias takes to show one.
    LagMeasured {
        /// Step name.
        step: &'static str,
        /// Since the answer to its creation.
        lag_milliseconds: u64,
        /// Whether it showed; if not, it takes at least so long.
        is_visible: bool,
    },
    /// The step rests outside of the hours in which it may keep Gorgias busy.
    Resting {
        /// The hours, such as `20:00-06:00 Europe/Helsinki`.
        hours: String,
        /// When it goes on.
        until: Timestamp,
    },
    /// Something that a person should know; the code is in the catalogue of findings.
    Finding {
        /// Stable code.
        code: &'static str,
        /// How many records it touches.
        count: u64,
        /// Explanation without personal data.
        text: String,
    },
}

/// Receives events. Must not block.
pub trait Progress: Send + Sync {
    /// Takes one event; `at` is wall time.
    fn emit(&self, at: Timestamp, event: Event);
}

/// Drops everything; for tests and pure uses.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Progress for Silent {
    fn emit(&self, _at: Timestamp, _event: Event) {}
}
