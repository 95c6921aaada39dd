//! What every step hands back when it is done.

use std::collections::BTreeMap;

/// Outcome of a step that ran to its end. A step that could not comes back with its error instead.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StepReport {
    /// Name of the step, such as `extract`.
    pub step: &'static str,
    /// Everything was there already and was verified; nothing was done.
    pub was_done: bool,
    /// Records by kind, such as `contact` or `want_gorgias_ticket`.
    pub records: BTreeMap<String, u64>,
    /// What a person should know, in order of code.
    pub findings: Vec<StepFinding>,
}

/// Something that a person should know about the step.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct StepFinding {
    /// Stable code.
    pub code: String,
    /// How many records it touches.
    pub count: u64,
    /// Explanation with ids, counts and masked values only.
    pub text: String,
}

impl StepReport {
    /// Nothing done yet.
    #[must_use]
    pub fn of(step: &'static str) -> Self {
        Self { step, ..Self::default() }
    }
}
