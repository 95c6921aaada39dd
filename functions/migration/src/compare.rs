//! Compares what Gorgias should hold with what it holds, field by field.
//!
//! Every difference between the two sides that is *not* an error is declared in [`NORMALISATIONS`], with its reason;
//! whatever is not declared there is compared as it stands. Deliberately absent: reading either side.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use crate::finding::{self, Code};
use crate::gorgias::FieldValue;
use crate::settings::choice;

/// Field name -> canonical text. Several values under one name (channels, tags) carry the value in the name, such as
/// `channel[phone +358…]` or `tag[Q4]`; absent means that the record has none.
pub type Image = BTreeMap<String, String>;

choice! {
    /// Kind of record at Gorgias that is compared.
    Compared {
        /// Customer with its channels and values.
        Customer = "customer",
        /// Ticket with its tags and values.
        Ticket = "ticket",
        /// Message.
        Message = "message",
        /// Team with its members.
        Team = "team",
        /// Tag.
        Tag = "tag",
        /// Custom field definition.
        Field = "field",
    }
}

/// How one field is read before it is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// Runs of white space at both ends do not count.
    Trimmed,
    /// Letter case does not count.
    CaseInsensitive,
    /// Not compared: the server decides it.
    ServerDecides,
}

/// A declared exception from "equal byte for byte".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Normalisation {
    /// Kind of record.
    pub object: Compared,
    /// Field name, or its part before `[`.
    pub field: &'static str,
    /// What is done.
    pub rule: Rule,
    /// Why this is no error.
    pub reason: &'static str,
}

const fn declare(object: Compared, field: &'static str, rule: Rule, reason: &'static str) -> Normalisation {
    Normalisation { object, field, rule, reason }
}

const MANAGED: &str = "Gorgias fills its own managed fields, such as the contact reason";
const BACKGROUND: &str = "moves by itself after creation";
const CASE: &str = "addresses are compared without case, and the stored case is not documented";

/// All declared exceptions.
pub const NORMALISATIONS: &[Normalisation] = &[
    declare(Compared::Customer, "name", Rule::Trimmed, "Gorgias splits the name into tokens and trims it"),
    declare(Compared::Customer, "email", Rule::CaseInsensitive, CASE),
    declare(Compared::Customer, "channel", Rule::CaseInsensitive, CASE),
    declare(
        Compared::Customer,
        "first_name",
        Rule::ServerDecides,
        "first token of the name, split off by Gorgias",
    ),
    declare(
        Compared::Customer,
        "last_name",
        Rule::ServerDecides,
        "last token of the name, split off by Gorgias",
    ),
    declare(Compared::Customer, "created_at", Rule::ServerDecides, "customers cannot be dated back"),
    declare(Compared::Customer, "updated_at", Rule::ServerDecides, BACKGROUND),
    declare(Compared::Customer, "meta", Rule::ServerDecides, "Gorgias notes how the name was set"),
    declare(Compared::Customer, "managed_value", Rule::ServerDecides, MANAGED),
    declare(
        Compared::Ticket,
        "language",
        Rule::ServerDecides,
        "Gorgias detects the language when none is sent",
    ),
    declare(Compared::Ticket, "updated_at", Rule::ServerDecides, BACKGROUND),
    declare(Compared::Ticket, "is_unread", Rule::ServerDecides, "cannot be said at creation"),
    declare(Compared::Ticket, "priority", Rule::ServerDecides, "Gorgias sets it when none is sent"),
    declare(Compared::Ticket, "managed_value", Rule::ServerDecides, MANAGED),
    declare(
        Compared::Message,
        "intent",
        Rule::ServerDecides,
        "Gorgias recognises intents in incoming messages",
    ),
    declare(Compared::Message, "updated_at", Rule::ServerDecides, BACKGROUND),
    declare(Compared::Team, "created_at", Rule::ServerDecides, "teams cannot be dated back"),
    declare(Compared::Tag, "color", Rule::ServerDecides, "a random colour is given when none is sent"),
    declare(Compared::Tag, "usage", Rule::ServerDecides, "counts tickets"),
    declare(Compared::Field, "priority", Rule::ServerDecides, "Gorgias may override the priority"),
];

fn rule_for(object: Compared, field: &str) -> Option<Rule> {
    let name = field.split_once('[').map_or(field, |(name, _)| name);
    let declared = NORMALISATIONS.iter().find(|declared| declared.object == object && declared.field == name);
    declared.map(|declared| declared.rule)
}

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Discrepancy {
    /// Field name, or `record` when the whole record is concerned.
    pub field: String,
    /// What should be there.
    pub wanted: Option<String>,
    /// What is there.
    pub found: Option<String>,
    /// What kind of difference.
    pub code: Code,
}

/// Result of comparing one record.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Comparison {
    /// Fields that were compared, equal or not; those that the server decides are not counted.
    pub fields: u64,
    /// The differences, in order of field names.
    pub discrepancies: Vec<Discrepancy>,
}

/// Name under which a difference of the whole record stands.
pub const WHOLE_RECORD: &str = "record";

/// Compares one record that exists on both sides. Fields found but not wanted count too.
#[must_use]
pub fn compare_record(object: Compared, wanted: &Image, found: &Image) -> Comparison {
    let wanted = read(object, wanted);
    let found = read(object, found);
    let names: BTreeSet<&Cow<'_, str>> = wanted.keys().chain(found.keys()).collect();
    let mut comparison = Comparison::default();
    for name in names {
        comparison.fields += 1;
        let (want, have) = (wanted.get(name), found.get(name));
        let code = match (want, have) {
            (Some((want, _)), Some((have, _))) if want == have => continue,
            (Some(_), Some(_)) => finding::CMP104_VALUE,
            (Some(_), None) => finding::CMP105_VALUE_MISSING,
            (None, _) => finding::CMP106_VALUE_UNEXPECTED,
        };
        let raw = |side: Option<&(Cow<'_, str>, &str)>| side.map(|(_, raw)| (*raw).to_owned());
        let (wanted, found) = (raw(want), raw(have));
        comparison.discrepancies.push(Discrepancy { field: name.to_string(), wanted, found, code });
    }
    comparison
}

/// The fields of a record that count, in the form in which they are compared: what the server decides is left out.
#[must_use]
pub fn normalised(object: Compared, image: &Image) -> Image {
    read(object, image).into_iter().map(|(name, (text, _))| (name.into_owned(), text.into_owned())).collect()
}

/// Fields that count, each with the text to compare and the text as it stands.
fn read(object: Compared, image: &Image) -> BTreeMap<Cow<'_, str>, (Cow<'_, str>, &str)> {
    let mut fields = BTreeMap::new();
    for (name, value) in image {
        let (name, text): (Cow<'_, str>, Cow<'_, str>) = match rule_for(object, name) {
            Some(Rule::ServerDecides) => continue,
            Some(Rule::Trimmed) => (Cow::Borrowed(name.as_str()), Cow::Borrowed(value.trim())),
            // A value in the name is a value like any other.
            Some(Rule::CaseInsensitive) => (lower(name), lower(value)),
            None => (Cow::Borrowed(name.as_str()), Cow::Borrowed(value.as_str())),
        };
        fields.insert(name, (text, value.as_str()));
    }
    fields
}

fn lower(text: &str) -> Cow<'_, str> {
    if text.chars().any(char::is_uppercase) { Cow::Owned(text.to_lowercase()) } else { Cow::Borrowed(text) }
}

/// A record that should be there and is not.
#[must_use]
pub fn missing(wanted: &Image) -> Comparison {
    let fields = u64::try_from(wanted.len()).unwrap_or(u64::MAX);
    whole(fields, finding::CMP101_MISSING)
}

/// A record with a key of ours that nobody wished for.
#[must_use]
pub fn unexpected() -> Comparison {
    whole(0, finding::CMP102_UNEXPECTED)
}

fn whole(fields: u64, code: Code) -> Comparison {
    let difference = Discrepancy { field: WHOLE_RECORD.to_owned(), wanted: None, found: None, code };
    Comparison { fields, discrepancies: vec![difference] }
}

/// The comparable form of a field value: texts as they are, numbers at their shortest, `true` and `false`.
#[must_use]
pub fn render_value(value: &FieldValue) -> String {
    match value {
        FieldValue::Text(text) => text.clone(),
        // Minus zero and zero are one number.
        FieldValue::Number(number) if *number == 0.0 => "0".to_owned(),
        FieldValue::Number(number) => number.to_string(),
        FieldValue::Boolean(answer) => answer.to_string(),
    }
}

/// Where every source record of one kind went. Built only when the identity holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Balance {
    source: u64,
    excluded: u64,
    merged: u64,
    loaded: u64,
    failed: u64,
}

/// The records of one kind do not add up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "{source_records} in the source, but {excluded} excluded + {merged} merged + {loaded} loaded + {failed} failed make {sum}"
)]
pub struct Unbalanced {
    /// Records in the source.
    pub source_records: u64,
    /// Left out by rule.
    pub excluded: u64,
    /// Absorbed by another record.
    pub merged: u64,
    /// Arrived.
    pub loaded: u64,
    /// Did not arrive.
    pub failed: u64,
    /// Sum of the four.
    pub sum: u64,
}

impl Balance {
    /// `source = excluded + merged + loaded + failed`, exactly.
    ///
    /// # Errors
    /// [`Unbalanced`] with all five figures.
    pub fn new(
        source: u64,
        excluded: u64,
        merged: u64,
        loaded: u64,
        failed: u64,
    ) -> Result<Self, Unbalanced> {
        let parts = [excluded, merged, loaded, failed];
        let sum = parts.iter().fold(0_u64, |sum, part| sum.saturating_add(*part));
        if sum == source {
            Ok(Self { source, excluded, merged, loaded, failed })
        } else {
            Err(Unbalanced { source_records: source, excluded, merged, loaded, failed, sum })
        }
    }

    /// Records in the source.
    #[must_use]
    pub fn source(&self) -> u64 {
        self.source
    }

    /// Left out by rule.
    #[must_use]
    pub fn excluded(&self) -> u64 {
        self.excluded
    }

    /// Absorbed by another record.
    #[must_use]
    pub fn merged(&self) -> u64 {
        self.merged
    }

    /// Arrived.
    #[must_use]
    pub fn loaded(&self) -> u64 {
        self.loaded
    }

    /// Did not arrive.
    #[must_use]
    pub fn failed(&self) -> u64 {
        self.failed
    }
}

/// What the comparison of a wave says about going on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Everything that was wished for is there and equal.
    Pass,
    /// Something differs, is missing, is there twice, or was not checked.
    Fail,
    /// Nothing was compared, which proves nothing. A wave without a wish has no check; callers leave it out.
    Empty,
}

impl Verdict {
    /// `pass`, `fail`, `empty`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Empty => "empty",
        }
    }
}

/// What was counted while a wave was compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// Records wished for and not refused.
    pub wanted: u64,
    /// Records that were compared.
    pub compared: u64,
    /// Records that could not be read back.
    pub not_checked: u64,
    /// Fields compared.
    pub fields: u64,
    /// Differences that nothing declared explains.
    pub unexplained: u64,
    /// Differences with a declared explanation.
    pub explained: u64,
    /// Keys carried by more than one record.
    pub duplicates: u64,
}

impl Tally {
    /// Adds another tally.
    pub fn merge(&mut self, other: &Self) {
        self.wanted += other.wanted;
        self.compared += other.compared;
        self.not_checked += other.not_checked;
        self.fields += other.fields;
        self.unexplained += other.unexplained;
        self.explained += other.explained;
        self.duplicates += other.duplicates;
    }

    /// The verdict. Nothing begins as success: what was wished for must have been compared.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        if self.unexplained > 0 || self.duplicates > 0 || self.not_checked > 0 {
            return Verdict::Fail;
        }
        if self.compared == 0 || self.fields == 0 {
            return Verdict::Empty;
        }
        if self.compared == self.wanted { Verdict::Pass } else { Verdict::Fail }
    }
}
