//! What the twin remembers of its visitors: how often they asked for what, and what they should never have done.
//!
//! Deliberately absent: queries, bodies and addresses. Keys and people are in there.

use std::collections::BTreeMap;
use std::sync::Mutex;

use serde::{Deserialize, Serialize};

/// So many violations are kept in full; further ones are only counted.
const VIOLATIONS_KEPT_MAX: usize = 1_000;

/// What a visitor should never have done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ViolationKind {
    /// A command of the Original API that changes the account. Some do so even by GET.
    WriteCommand,
    /// A DELETE; on the path of a read it erases a person.
    Delete,
    /// Any other changing method.
    WriteMethod,
    /// A token that was sent to the recording host, which needs none.
    TokenForwarded,
}

/// One violation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Violation {
    /// What was done.
    pub kind: ViolationKind,
    /// HTTP method.
    pub method: String,
    /// The command or resource, without parameters.
    pub target: String,
}

/// The present state of the twin's memory.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ledgers {
    /// Requests by route, as in [`RequestSummary`](crate::leaddesk::RequestSummary).
    pub requests: BTreeMap<String, u64>,
    /// Answers by status; answers that were held back are under 0.
    pub answers: BTreeMap<u16, u64>,
    /// How many violations there were.
    pub violation_count: u64,
    /// The first thousand of them.
    pub violations: Vec<Violation>,
    /// How often each rule of the present fault plan has struck.
    pub faults_struck: Vec<u64>,
}

/// The memory at work.
#[derive(Debug, Default)]
pub(crate) struct Ledger(Mutex<Entries>);

#[derive(Debug, Default)]
struct Entries {
    requests: BTreeMap<&'static str, u64>,
    answers: BTreeMap<u16, u64>,
    violation_count: u64,
    violations: Vec<Violation>,
}

impl Ledger {
    pub(crate) fn request(&self, route: &'static str) {
        *self.entries().requests.entry(route).or_default() += 1;
    }

    pub(crate) fn answer(&self, status: u16) {
        *self.entries().answers.entry(status).or_default() += 1;
    }

    pub(crate) fn violation(&self, kind: ViolationKind, method: &str, target: &str) {
        let mut entries = self.entries();
        entries.violation_count += 1;
        if entries.violations.len() < VIOLATIONS_KEPT_MAX {
            let (method, target) = (method.to_owned(), target.to_owned());
            entries.violations.push(Violation { kind, method, target });
        }
    }

    pub(crate) fn read(&self, faults_struck: Vec<u64>) -> Ledgers {
        let entries = self.entries();
        Ledgers {
            requests: entries.requests.iter().map(|(route, count)| ((*route).to_owned(), *count)).collect(),
            answers: entries.answers.clone(),
            violation_count: entries.violation_count,
            violations: entries.violations.clone(),
            faults_struck,
        }
    }

    fn entries(&self) -> std::sync::MutexGuard<'_, Entries> {
        // Counters stay meaningful even if some other request panicked between two of them.
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
