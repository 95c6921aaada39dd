//! Numbers that must not be called.
//!
//! LeadDesk compares the exact text (facts: blacklist), so a number is looked up raw and normalised.

use std::collections::BTreeMap;

use crate::contact_point::{E164, Region, normalize_phone};
use crate::text::clean;

/// How a number was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum BlacklistHit {
    /// The same text.
    Raw,
    /// The same number in another writing, which LeadDesk itself would not have found.
    Normalized,
}

impl BlacklistHit {
    /// `raw` or `normalised`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Raw => "raw",
            Self::Normalized => "normalised",
        }
    }
}

/// All blacklisted numbers of the account, of every sponsor.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Blacklist {
    raw: BTreeMap<String, u32>,
    normalized: BTreeMap<String, u32>,
    entries: u32,
}

impl std::fmt::Debug for Blacklist {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Blacklist({} entries)", self.entries)
    }
}

impl Blacklist {
    /// From numbers as received; local ones are read in `region`.
    pub fn new<I: IntoIterator<Item = S>, S: AsRef<str>>(numbers: I, region: Region) -> Self {
        let mut blacklist = Self::default();
        for number in numbers {
            blacklist.add(number.as_ref(), region);
        }
        blacklist
    }

    /// Adds one number; an empty one is nothing.
    pub fn add(&mut self, number: &str, region: Region) {
        let cleaned = clean(number);
        if cleaned.is_empty() {
            return;
        }
        self.entries += 1;
        if let Some(normalized) = normalize_phone(&cleaned, region) {
            self.normalized.entry(normalized.as_str().to_owned()).or_insert(self.entries);
        }
        self.raw.entry(cleaned).or_insert(self.entries);
    }

    /// Number of entries.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries as usize
    }

    /// No entry.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries == 0
    }

    /// Whether a number is on the list, and how it was found.
    #[must_use]
    pub fn hit(&self, raw: &str, normalized: Option<&E164>) -> Option<BlacklistHit> {
        if self.is_empty() {
            return None;
        }
        if self.raw.contains_key(&clean(raw)) {
            return Some(BlacklistHit::Raw);
        }
        let normalized = normalized?.as_str();
        self.normalized.contains_key(normalized).then_some(BlacklistHit::Normalized)
    }
}
