//! What does not arrive bit by bit: kinds, counts, and the bounds that a person approved.
//!
//! A budget is made before the extraction from a trial over samples, with bounds, and is approved with the mapping. What
//! the transformation and the load really lose is held against it, kind by kind: one record more than the bound of any
//! kind, or one of a kind that nobody approved, is over budget. Deliberately absent: values of records; examples are ids
//! and masked texts.

use std::collections::BTreeMap;
use std::fmt;

use crate::canonical::{Canonical, Digest};
use crate::finding;
use crate::forecast::margin;

use crate::settings::choice;

choice! {
    /// What happens to what does not arrive as it was.
    Way {
        /// It does not arrive.
        Dropped = "dropped",
        /// The nearest that can be carried arrives instead.
        Rounded = "rounded",
        /// It becomes part of something else.
        Merged = "merged",
        /// It arrives as text, on a card or in a note.
        AsText = "as-text",
        /// It is longer, or there is more of it, than Gorgias takes.
        OverLimit = "over-limit",
        /// It stands in a document alone.
        Documented = "documented",
    }
}

/// Names one kind of loss: the kind of record, and the code of the reason.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct LossKey {
    /// Kind of record, such as `contact`.
    pub object: String,
    /// Stable code of the reason.
    pub code: String,
}

impl LossKey {
    /// A key.
    pub fn new(object: impl Into<String>, code: impl Into<String>) -> Self {
        Self { object: object.into(), code: code.into() }
    }
}

impl fmt::Display for LossKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}/{}", self.object, self.code)
    }
}

/// What was lost in one way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lost {
    /// What happens to it.
    pub way: Way,
    /// Records, or values of records.
    pub count: u64,
    /// A few of them, as ids and masked texts.
    pub examples: Vec<String>,
}

/// Examples of one kind that are kept.
pub const EXAMPLES_MAX: usize = 3;

/// Losses by kind.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Losses {
    /// In order of key.
    pub kinds: BTreeMap<LossKey, Lost>,
}

impl Losses {
    /// Adds losses of one kind; of nothing, nothing.
    pub fn add(&mut self, key: LossKey, way: Way, count: u64, example: Option<String>) {
        if count == 0 {
            return;
        }
        let lost = self.kinds.entry(key).or_insert_with(|| Lost { way, count: 0, examples: Vec::new() });
        lost.count += count;
        if let Some(example) = example.filter(|_| lost.examples.len() < EXAMPLES_MAX) {
            lost.examples.push(example);
        }
    }
}

/// What a code of a rule says about the record that it touched; nothing where nothing is lost.
///
/// The first word is the kind of record.
#[must_use]
pub fn of_note(code: &str) -> Option<(&'static str, Way)> {
    NOTES.iter().find(|(known, ..)| known.as_str() == code).map(|(_, object, way)| (*object, *way))
}

/// Codes that are counted when a rule is applied, and mean a loss.
const NOTES: &[(finding::Code, &str, Way)] = &[
    (finding::CUS103_EMAIL_INVALID, "contact", Way::AsText),
    (finding::CUS104_PHONE_UNNORMALISED, "contact", Way::AsText),
    (finding::CUS105_PHONE_OF_ANOTHER_CUSTOMER, "contact", Way::AsText),
    (finding::CUS106_EMAIL_OF_AGENT, "contact", Way::AsText),
    (finding::CUS108_OTHER_NAME, "contact", Way::AsText),
    (finding::CUS109_VALUES_DIFFER, "contact", Way::AsText),
    (finding::CUS110_LEFTOVER_WITHOUT_LEAD, "contact", Way::Dropped),
    (finding::FLD106_VALUE_REJECTED, "contact", Way::AsText),
    (finding::FLD108_DATE_AS_TEXT, "contact", Way::AsText),
    (finding::TIC101_SUBJECT_CUT, "lead", Way::OverLimit),
    (finding::TIC102_BODY_CUT, "lead", Way::OverLimit),
    (finding::TIC105_VALUE_CUT, "lead", Way::OverLimit),
    (finding::LEA104_CREATED_FROM_EXTRACTION, "lead", Way::Rounded),
    (finding::USR105_AMBIGUOUS_NAME, "lead", Way::AsText),
    (finding::USR106_UNKNOWN_NAME, "lead", Way::AsText),
    (finding::CAL105_RECORDING_WITHHELD, "call", Way::Dropped),
    (finding::CAL106_TIME_IN_FUTURE, "call", Way::Rounded),
    (finding::CAL107_DURATION_UNKNOWN, "call", Way::AsText),
    (finding::CAL109_DUPLICATE, "call", Way::Merged),
    (finding::CAL110_DST_GAP, "call", Way::Rounded),
    (finding::CAL111_DST_FOLD, "call", Way::Rounded),
    (finding::CHT106_INTENT_IN_TEXT, "chat_message", Way::AsText),
    (finding::CHT107_INTENT_LOST, "chat_message", Way::Dropped),
    (finding::CHT108_DUPLICATE_MESSAGE, "chat_message", Way::Merged),
    (finding::TAG101_SHORTENED, "campaign", Way::OverLimit),
    (finding::TAG102_CASE_CLASH, "campaign", Way::Merged),
    (finding::TAG104_SAME_NAME, "campaign", Way::Merged),
];

/// What a refused or left-out record or value is, by its code.
#[must_use]
pub fn of_failure(state: &str, code: &str) -> Way {
    if code == finding::FLD102_NO_ROOM.as_str() {
        return Way::OverLimit;
    }
    if code == finding::FLD105_KIND_CLASH.as_str() {
        return Way::AsText;
    }
    // Outcomes that no call has stand in the taxonomy of the handoff.
    if code.starts_with("USR") || code == "OUT-UNUSED" {
        return Way::Documented;
    }
    match state {
        // What a value was, the lead card says where the rule says so.
        "value_rejected" => of_note(code).map_or(Way::Dropped, |(_, way)| way),
        _ => Way::Dropped,
    }
}

/// Whether how often this occurs is only seen on the cards of contacts.
#[must_use]
pub fn is_seen_on_cards(key: &LossKey) -> bool {
    matches!(key.object.as_str(), "contact" | "lead") || key.code == ORPHANED
}

/// Code of records whose parent could not be made: calls of contacts that are gone.
pub const ORPHANED: &str = "T-PARENT";

/// Contacts that become part of the customer of another one, whatever showed that they are one person: an address shows it
/// before a number and a name do, and is not seen from outside.
pub const MERGED: &str = "LOS203";

/// Kinds that cards of contacts show, beyond those of [`of_note`]: a sample may hold none of them.
const SEEN_ON_CARDS: [(&str, &str); 6] = [
    ("contact", "EXT305"),
    ("contact", "EXT311"),
    ("contact", MERGED),
    ("contact", finding::CUS102_UNREACHABLE_REJECTED.as_str()),
    ("lead", finding::LEA105_NO_CUSTOMER.as_str()),
    ("call", ORPHANED),
];

/// How many contacts the account has, and of how many the card was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sampled {
    /// Cards that were read.
    pub read: u64,
    /// Contacts of the account.
    pub of: u64,
}

impl Sampled {
    /// Whether nothing had to be guessed.
    #[must_use]
    pub fn is_whole(self) -> bool {
        self.read >= self.of
    }
}

/// What may be lost of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allowed {
    /// What happens to it.
    pub way: Way,
    /// How many are expected.
    pub expected: u64,
    /// How many may be; equal to `expected` where that is counted and not estimated.
    pub bound: u64,
    /// A few of them.
    pub examples: Vec<String>,
}

/// What a person approves: kinds with upper bounds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LossBudget {
    /// In order of key.
    pub kinds: BTreeMap<LossKey, Allowed>,
}

/// One kind that is over the budget.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excess {
    /// The kind.
    pub key: LossKey,
    /// What happens to it.
    pub way: Way,
    /// How many may be lost; 0 for a kind that nobody approved.
    pub bound: u64,
    /// How many are.
    pub lost: u64,
    /// A few of them.
    pub examples: Vec<String>,
}

impl fmt::Display for Excess {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} {}: {} instead of at most {}", self.key, self.way.as_str(), self.lost, self.bound)
    }
}

/// Bounds are wider than the interval of 19 in 20: a run that stops for chance alone costs more than a wide bound.
const BOUND_WIDTHS: u64 = 2;

impl LossBudget {
    /// The budget of counted losses: every bound is the count.
    #[must_use]
    pub fn exact(losses: &Losses) -> Self {
        let allowed = |lost: &Lost| Allowed {
            way: lost.way,
            expected: lost.count,
            bound: lost.count,
            examples: lost.examples.clone(),
        };
        Self { kinds: losses.kinds.iter().map(|(key, lost)| (key.clone(), allowed(lost))).collect() }
    }

    /// The budget of losses of a trial over samples: what cards show has room for chance, also where none was seen.
    #[must_use]
    pub fn estimated(losses: &Losses, sampled: Sampled) -> Self {
        let mut budget = Self::exact(losses);
        if sampled.is_whole() {
            return budget;
        }
        let cards = NOTES.iter().map(|(code, object, way)| (LossKey::new(*object, code.as_str()), *way));
        let more = SEEN_ON_CARDS.into_iter().map(|(object, code)| {
            let way = if code == MERGED { Way::Merged } else { Way::Dropped };
            (LossKey::new(object, code), way)
        });
        for (key, way) in cards.chain(more) {
            let none = Allowed { way, expected: 0, bound: 0, examples: Vec::new() };
            budget.kinds.entry(key).or_insert(none);
        }
        let unread = sampled.of - sampled.read;
        for (key, allowed) in &mut budget.kinds {
            if is_seen_on_cards(key) {
                let seen =
                    u128::from(allowed.expected) * u128::from(sampled.read) / u128::from(sampled.of.max(1));
                let hits = u64::try_from(seen).unwrap_or(u64::MAX).min(sampled.read);
                // Values may be lost several times on one card.
                let room = margin(hits, sampled.read, unread.max(allowed.expected));
                allowed.bound = allowed.expected.saturating_add(room.saturating_mul(BOUND_WIDTHS));
            }
        }
        budget.kinds.retain(|_, allowed| allowed.bound > 0);
        budget
    }

    /// The losses that are expected.
    #[must_use]
    pub fn expected(self) -> Losses {
        let lost = |(key, allowed): (LossKey, Allowed)| {
            let Allowed { way, expected, examples, .. } = allowed;
            (key, Lost { way, count: expected, examples })
        };
        Losses { kinds: self.kinds.into_iter().map(lost).collect() }
    }

    /// Allows so many of one kind, and no fewer than before.
    pub fn allow(&mut self, key: LossKey, way: Way, bound: u64) {
        let none = Allowed { way, expected: 0, bound: 0, examples: Vec::new() };
        let allowed = self.kinds.entry(key).or_insert(none);
        allowed.bound = allowed.bound.max(bound);
    }

    /// Kinds of which more is lost than may be.
    #[must_use]
    pub fn exceeded(&self, losses: &Losses) -> Vec<Excess> {
        let over = losses.kinds.iter().filter_map(|(key, lost)| {
            let bound = self.kinds.get(key).map_or(0, |allowed| allowed.bound);
            (lost.count > bound).then(|| Excess {
                key: key.clone(),
                way: lost.way,
                bound,
                lost: lost.count,
                examples: lost.examples.clone(),
            })
        });
        over.collect()
    }

    /// The same budget with room for these losses: what a person approves who accepts them by name.
    #[must_use]
    pub fn raised(&self, losses: &Losses) -> Self {
        let mut budget = self.clone();
        for excess in self.exceeded(losses) {
            budget.kinds.insert(
                excess.key,
                Allowed {
                    way: excess.way,
                    expected: excess.lost,
                    bound: excess.lost,
                    examples: excess.examples,
                },
            );
        }
        budget
    }

    /// SHA-256 over kinds, expectations and bounds.
    #[must_use]
    pub fn digest(&self) -> Digest {
        let mut canonical = Canonical::new("loss-budget");
        for (key, allowed) in &self.kinds {
            let Allowed { way, expected, bound, .. } = allowed;
            canonical.put(&key.to_string(), format!("{} {expected} {bound}", way.as_str()));
        }
        canonical.digest()
    }
}
