//! Histories of loads and rollbacks in a simulated world: one seed, one course of events, thousands of them a second.
//!
//! The real steps run against a destination and a store in memory, in virtual time. Processes are killed and paused at
//! numbered points, answers get lost, the index lags, people act in between. Every history ends with the question what is
//! there twice, what is missing, and what of people's work is gone. For proofs only; built with the feature `simulation`.

mod cutovers;
mod deltas;
mod desk;
mod histories;
mod importers;
mod repairs;
mod rollbacks;
mod template;

use std::collections::BTreeMap;

use serde::Serialize;

pub use crate::testing::bug::Bug;
pub use deltas::{FIRED as DELTA_FIRED, Ongoing};
pub use importers::Importer;
pub use rollbacks::Migrated;
pub use template::Template;

/// What histories came to, added up.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Sum {
    /// Histories.
    pub histories: u64,
    /// Histories that ended in anything but the state of an undisturbed one.
    pub wrong: u64,
    /// Seed or kill point of the first of them.
    pub first_wrong: Option<u64>,
    /// Records and messages that are there twice at the end.
    pub duplicates: u64,
    /// Records and messages that are missing at the end.
    pub lost: u64,
    /// Histories that did not come to an end.
    pub stuck: u64,
    /// Messages that went out to customers.
    pub mails: u64,
    /// Kills.
    pub kills: u64,
    /// Pauses of a process that another one overtook.
    pub pauses: u64,
    /// Appends to the ledger that met another owner.
    pub fenced: u64,
    /// Tickets that were written twice although every assumption about time held.
    pub written_twice: u64,
    /// Tickets that were written twice because an assumption about time broke: a process stood still for longer than its
    /// hold, or the look-up lagged longer than was waited for.
    pub written_twice_uncovered: u64,
    /// Records that a comparison found twice and took out of the way.
    pub swept: u64,
    /// Look-ups by our keys of what was in doubt.
    pub look_ups: u64,
    /// Most of them in one history.
    pub look_ups_max: u64,
    /// Look-ups of fresh records, to measure how long Gorgias takes to show them.
    pub probes: u64,
    /// Records that were to be written.
    pub records: u64,
    /// Requests.
    pub requests: u64,
    /// Changes by people.
    pub edits: u64,
    /// Changes by people that are gone.
    pub edits_lost: u64,
    /// Changes by people that came between our look at a record and our write to it, and that the repair names for a person:
    /// Gorgias has no conditional writes.
    pub edits_overtaken: u64,
    /// Records that nobody touched and that are not as before.
    pub not_restored: u64,
    /// Faults by kind.
    pub faults: BTreeMap<String, u64>,
}

impl Sum {
    /// Adds another sum.
    pub fn add(&mut self, other: &Self) {
        self.histories += other.histories;
        self.wrong += other.wrong;
        self.first_wrong = self.first_wrong.or(other.first_wrong);
        self.duplicates += other.duplicates;
        self.lost += other.lost;
        self.stuck += other.stuck;
        self.mails += other.mails;
        self.kills += other.kills;
        self.pauses += other.pauses;
        self.fenced += other.fenced;
        self.written_twice += other.written_twice;
        self.written_twice_uncovered += other.written_twice_uncovered;
        self.swept += other.swept;
        self.look_ups += other.look_ups;
        self.look_ups_max = self.look_ups_max.max(other.look_ups_max);
        self.probes += other.probes;
        self.records += other.records;
        self.requests += other.requests;
        self.edits += other.edits;
        self.edits_lost += other.edits_lost;
        self.edits_overtaken += other.edits_overtaken;
        self.not_restored += other.not_restored;
        for (kind, count) in &other.faults {
            *self.faults.entry(kind.clone()).or_default() += count;
        }
    }

    /// Marks a history as wrong when anything of it is.
    fn judged(mut self, name: u64) -> Self {
        let is_wrong = self.duplicates
            + self.lost
            + self.stuck
            + self.mails
            + self.edits_lost
            + self.not_restored
            + self.written_twice
            > 0;
        self.histories = 1;
        self.wrong = u64::from(is_wrong);
        self.first_wrong = is_wrong.then_some(name);
        self
    }

    /// Look-ups for a thousand records.
    #[must_use]
    pub fn look_ups_per_thousand(&self) -> u64 {
        (self.look_ups * 1_000).checked_div(self.records).unwrap_or(0)
    }
}

/// Runs a history in a runtime of its own, whose time stands still until nothing else is left to do.
fn in_virtual_time<T>(history: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
    runtime.expect("a runtime").block_on(history)
}

#[cfg(test)]
mod tests;
