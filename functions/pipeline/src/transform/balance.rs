//! The balance of every kind of source record: each record has exactly one disposition.
//!
//! source = excluded + merged + rejected + wanted, checked before anything is published.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Counts of one kind of source record.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ObjectCounts {
    /// Records in the source, broken ones included.
    pub source: u64,
    /// Left out by decision or rule.
    pub excluded: u64,
    /// Part of another record.
    pub merged: u64,
    /// Not carried, by reason code.
    pub rejected: BTreeMap<String, u64>,
    /// To be written, or to be matched.
    pub wanted: u64,
}

impl ObjectCounts {
    /// All rejects.
    #[must_use]
    pub fn rejected_sum(&self) -> u64 {
        self.rejected.values().sum()
    }

    /// Whether every record has exactly one disposition.
    #[must_use]
    pub fn is_balanced(&self) -> bool {
        self.source == self.excluded + self.merged + self.rejected_sum() + self.wanted
    }
}

/// Counts of all kinds, and how often each rule was applied.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Balance {
    /// By kind: `contact`, `lead`, `call`, `conversation`, `chat_message`, `agent`, `office`, `group`, `campaign`,
    /// `outcome`, `field`.
    pub objects: BTreeMap<String, ObjectCounts>,
    /// Records that a rule touched, by the rule's code.
    pub notes: BTreeMap<String, u64>,
    /// The first few of these records of each code, as kind and id.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub touched: BTreeMap<String, Vec<String>>,
}

/// Records that are named of each code.
const TOUCHED_MAX: usize = 3;

/// What becomes of records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disposition<'a> {
    /// Left out by decision or rule.
    Excluded,
    /// Part of another record.
    Merged,
    /// Not carried, with the code of the reason.
    Rejected(&'a str),
    /// To be written, or to be matched.
    Wanted,
}

impl Balance {
    fn of(&mut self, object: &str) -> &mut ObjectCounts {
        if !self.objects.contains_key(object) {
            self.objects.insert(object.to_owned(), ObjectCounts::default());
        }
        self.objects.entry(object.to_owned()).or_default()
    }

    /// Counts records of the source.
    pub fn source(&mut self, object: &str, records: u64) {
        self.of(object).source += records;
    }

    /// Counts what became of records.
    pub fn settle(&mut self, object: &str, records: u64, disposition: Disposition<'_>) {
        let counts = self.of(object);
        match disposition {
            Disposition::Excluded => counts.excluded += records,
            Disposition::Merged => counts.merged += records,
            Disposition::Wanted => counts.wanted += records,
            Disposition::Rejected(code) if records > 0 => {
                *counts.rejected.entry(code.to_owned()).or_default() += records;
            }
            Disposition::Rejected(_) => {}
        }
    }

    /// Counts one application of a rule.
    pub fn note(&mut self, code: &str) {
        match self.notes.get_mut(code) {
            Some(count) => *count += 1,
            None => {
                self.notes.insert(code.to_owned(), 1);
            }
        }
    }

    /// As [`Self::note`], and names the record while few are named.
    pub fn note_of(&mut self, code: &str, record: impl FnOnce() -> String) {
        self.note(code);
        let named = self.touched.entry(code.to_owned()).or_default();
        if named.len() < TOUCHED_MAX {
            named.push(record());
        }
    }

    /// The first kind that does not add up.
    #[must_use]
    pub fn unbalanced(&self) -> Option<(&str, &ObjectCounts)> {
        self.objects
            .iter()
            .find(|(_, counts)| !counts.is_balanced())
            .map(|(object, counts)| (object.as_str(), counts))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_without_disposition_is_found() {
        let mut balance = Balance::default();
        balance.source("call", 4);
        balance.settle("call", 2, Disposition::Wanted);
        balance.settle("call", 1, Disposition::Rejected("EXT301"));
        assert_eq!(balance.unbalanced().map(|(object, _)| object), Some("call"));
        balance.settle("call", 1, Disposition::Merged);
        assert_eq!(balance.unbalanced(), None);
        balance.settle("call", 1, Disposition::Excluded);
        assert!(balance.unbalanced().is_some());
    }
}
