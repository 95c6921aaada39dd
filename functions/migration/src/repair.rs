//! One record as wished and as it is now -> which fields are written again, which stay, and why. Pure.
//!
//! The decision is `crate::decide`'s, with the wish unchanged. What it is told as "last written" is what our last
//! write came to: when nobody else acted on the record, that is what is there now, and every difference is damage; when
//! somebody did, it is the wish, but for fields that an earlier plan found damaged while nobody had acted.

use std::collections::BTreeMap;

use crate::decide::{
    Action, Decision, FieldImage, FieldStates, Found, FoundKey, KeepReason, LastWritten, Origin, RecordImage,
    decide,
};
use crate::settings::ConflictRule;

/// Fields that an earlier plan found damaged and that nobody mended since, with what they held.
pub type Damaged = BTreeMap<String, Option<String>>;

/// A record of ours.
pub struct Case<'a> {
    /// As it was wished, with all of its messages.
    pub wished: RecordImage,
    /// As it is now; nothing when it is gone or in the trash.
    pub found: Option<RecordImage>,
    /// What an earlier plan found.
    pub damaged: Option<&'a Damaged>,
    /// Somebody else acted on it, or wants it in the trash.
    pub is_touched: bool,
}

/// What becomes of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    /// What the engine says.
    pub decision: Decision,
    /// Fields that are there and that nobody wished for, where they are not ours to remove.
    pub unwished: Vec<String>,
    /// Somebody else acted on it.
    is_touched: bool,
}

/// Judges one record; `rule` settles a field that was damaged and that people changed since.
pub fn judge(case: Case<'_>, rule: impl Fn(&str) -> ConflictRule) -> Judged {
    let Case { wished, found, damaged, is_touched } = case;
    let Some(found) = found else {
        // Nothing of what we wrote is left where nobody took it away.
        let last = LastWritten { origin: Origin::Created, image: wished.clone() };
        let decision = decide(Some(&wished), Some(&last).filter(|_| is_touched), None, rule);
        return Judged { decision, unwished: Vec::new(), is_touched };
    };
    let held = held(&wished.fields, &found.fields);
    let is_unwished =
        |name: &&String| !wished.fields.contains_key(*name) && (is_touched || !held.contains_key(*name));
    let unwished: Vec<String> = found.fields.keys().filter(is_unwished).cloned().collect();
    let image = if is_touched {
        let mut image = wished.clone();
        for (name, value) in damaged.into_iter().flatten() {
            match value {
                Some(value) => image.fields.insert(name.clone(), value.clone()),
                None => image.fields.remove(name),
            };
        }
        image
    } else {
        RecordImage { fields: held, messages: found.messages.clone() }
    };
    let last = LastWritten { origin: Origin::Created, image };
    let found = Found { image: found, key: FoundKey::Ours, has_foreign_traces: is_touched };
    let decision = decide(Some(&wished), Some(&last), Some(&found), rule);
    Judged { decision, unwished, is_touched }
}

/// What of the found fields our last write came to. A tag, channel or value that nobody wished for counts only where it
/// stands in the place of one that is missing: else somebody put it there who leaves no event.
fn held(wished: &FieldImage, found: &FieldImage) -> FieldImage {
    let missing = sets(wished, found);
    let mut in_place = sets(found, wished);
    in_place.retain(|set, extra| missing.get(set).is_some_and(|missing| missing >= extra));
    let counts =
        |name: &str| wished.contains_key(name) || set_of(name).is_none_or(|set| in_place.contains_key(&set));
    found.iter().filter(|(name, _)| counts(name)).map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// How many fields of each set are in the one image and not in the other.
fn sets<'a>(image: &'a FieldImage, other: &FieldImage) -> BTreeMap<(&'a str, &'a str), usize> {
    let mut counts = BTreeMap::new();
    for set in image.keys().filter(|name| !other.contains_key(*name)).filter_map(|name| set_of(name)) {
        *counts.entry(set).or_default() += 1;
    }
    counts
}

/// The set that a field belongs to, such as tags, values, or channels of one kind. Nothing for fields that stand alone.
fn set_of(name: &str) -> Option<(&str, &str)> {
    if name.starts_with("message[") {
        return None;
    }
    let (kind, rest) = name.split_once('[')?;
    match (kind, rest.split_once(' ')) {
        ("channel", Some((channel, _))) => Some((kind, channel)),
        _ => Some((kind, "")),
    }
}

impl Judged {
    /// Whether the record is as it was wished.
    pub fn is_as_wished(&self) -> bool {
        self.decision.action == Action::Keep(KeepReason::AsWished) && self.unwished.is_empty()
    }

    /// Code of what keeps the record, or some of it, from being as it was wished; the gravest.
    pub fn code(&self) -> Option<&'static str> {
        let decision = &self.decision;
        match decision.action {
            Action::Create => Some(codes::MISSING),
            Action::Keep(KeepReason::DeletedByPeople) => Some(codes::DELETED),
            _ if !decision.conflicts.is_empty() => Some(codes::CONFLICT),
            _ if !decision.messages_deleted.is_empty() => Some(codes::DELETED),
            _ if !decision.kept.is_empty() => Some(codes::CHANGED),
            _ if !self.unwished.is_empty() && self.is_touched => Some(codes::CHANGED),
            _ if !self.unwished.is_empty() => Some(codes::UNWISHED),
            _ => None,
        }
    }

    /// Names of the fields that stay as they are.
    pub fn kept(&self) -> Vec<&str> {
        let states = self.decision.kept.iter().chain(&self.decision.conflicts);
        let names = states.map(|states: &FieldStates| states.field.as_str());
        names.chain(self.unwished.iter().map(String::as_str)).collect()
    }
}

/// Why a record that differs is not mended, or only in part. Stable.
pub mod codes {
    /// People changed fields of it.
    pub const CHANGED: &str = "RPR101";
    /// People deleted it, or some of its messages.
    pub const DELETED: &str = "RPR102";
    /// A field was damaged, and people changed it since.
    pub const CONFLICT: &str = "RPR103";
    /// It is not there, and nobody deleted it.
    pub const MISSING: &str = "RPR104";
    /// It holds a field that no request writes.
    pub const NOT_WRITABLE: &str = "RPR105";
    /// It is a tag, team or field definition.
    pub const BY_HAND: &str = "RPR106";
    /// It holds something beside what was wished that nobody of us wrote.
    pub const UNWISHED: &str = "RPR107";
    /// A person merged it into another customer.
    pub const MERGED: &str = "RPR108";
    /// Gorgias refused the write.
    pub const REFUSED: &str = "RPR109";
    /// Somebody changed it since the plan.
    pub const CHANGED_SINCE: &str = "RPR110";
    /// Somebody acted on it while it was written.
    pub const OVERTAKEN: &str = "RPR112";
    /// It carries a key of ours, and this ledger did not write it.
    pub const NOT_OURS: &str = "RPR111";

    /// The reason in words.
    pub fn words(code: &str) -> &'static str {
        match code {
            CHANGED => "people changed it, and what they wrote stays",
            DELETED => "people deleted it, or some of its messages; nothing is brought back",
            CONFLICT => {
                "a field was damaged and people changed it since; a rule of the mapping or a person settles it"
            }
            MISSING => "it is not there although it was written, and nobody deleted it",
            NOT_WRITABLE => "it holds a field that can only be written when the record is made",
            BY_HAND => "definitions are mended by hand",
            UNWISHED => "it holds something beside what was wished, which is not ours to remove",
            MERGED => "a person merged it into another customer",
            REFUSED => "Gorgias refused the write",
            CHANGED_SINCE => "somebody changed it since the plan; plan again",
            OVERTAKEN => "somebody acted on it while it was written; look whether their change is there",
            NOT_OURS => "it carries a key of ours and was not written by this ledger",
            _ => "",
        }
    }
}
