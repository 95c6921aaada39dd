//! One record on both sides, field by field.

use migration::compare::{Compared, Image, compare_record};
use migration::text::{mask_name, mask_value};

use super::cell::Cell;
use super::rule::Rule;
use crate::ledger::history::Mention;

/// Kind of record at Gorgias that a record of LeadDesk becomes.
pub(crate) fn kind_of(object: &str) -> &'static str {
    match object {
        "contact" => "customer",
        "lead" | "conversation" => "ticket",
        "call" | "chat_message" => "message",
        "agent" => "user",
        "office" | "group" => "team",
        "campaign" => "tag",
        _ => "field",
    }
}

/// What stood in the way of a record or a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// Stable code.
    pub code: String,
    /// In words, without values.
    pub reason: String,
    /// `rejected`, `failed`, `excluded`, `value_rejected`, `merged` or `different`.
    pub state: String,
}

/// A record of LeadDesk, and what stands for it at Gorgias.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// Kind at LeadDesk.
    pub object: String,
    /// Id at LeadDesk.
    pub leaddesk_id: String,
    /// Our key.
    pub external_id: Option<String>,
    /// Id at Gorgias.
    pub gorgias_id: Option<String>,
    /// The ticket that a message stands in.
    pub ticket_id: Option<String>,
    /// Address for people.
    pub url: Option<String>,
    /// How the id was learned; nothing when the record is not there.
    pub via: Option<String>,
    /// The record that this one became part of, and why.
    pub merged_into: Option<(String, String)>,
    /// What stood in the way.
    pub troubles: Vec<Trouble>,
    /// What LeadDesk held.
    pub source: Vec<Cell>,
    /// What Gorgias should hold and holds.
    pub fields: Vec<Field>,
    /// What the ledger says.
    pub mentions: Vec<Mention>,
    /// Whether the record was found when Gorgias was read back; nothing where that cannot be told.
    pub is_found: Option<bool>,
    /// Who approved the mapping, when, and its digest.
    pub approved: (String, jiff::Timestamp, String),
}

impl Record {
    /// `ticket 88001`, else the record of LeadDesk.
    #[must_use]
    pub fn name(&self) -> String {
        match &self.gorgias_id {
            Some(id) => format!("{} {id}", self.kind()),
            None => format!("{} {}", self.object, self.leaddesk_id),
        }
    }

    /// Kind of record at Gorgias.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        kind_of(&self.object)
    }

    /// Fields that differ without a reason that was declared.
    #[must_use]
    pub fn differing(&self) -> usize {
        self.fields.iter().filter(|field| field.code.is_some() && !field.is_explained).count()
    }
}

/// One field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Name as the comparison has it, such as `value[21]`.
    pub name: String,
    /// What people call it.
    pub label: String,
    /// Where it comes from and why.
    pub rule: Rule,
    /// Values of the source that it was made of.
    pub sources: Vec<Cell>,
    /// What should be there.
    pub wanted: Option<String>,
    /// What was there when Gorgias was read back.
    pub found: Option<String>,
    /// What kind of difference.
    pub code: Option<String>,
    /// The comparison knows a reason for the difference.
    pub is_explained: bool,
    /// The value may be a person's.
    pub is_personal: bool,
}

impl Field {
    /// Name without what stands in brackets, or the label of a custom field.
    #[must_use]
    pub fn short_name(&self) -> &str {
        match self.name.split_once('[') {
            Some(("value" | "managed_value", _)) => &self.label,
            Some((short, _)) => short,
            None => &self.name,
        }
    }

    /// Whether a person means this field by the word.
    #[must_use]
    pub fn is_called(&self, word: &str) -> bool {
        let same = |name: &str| name.eq_ignore_ascii_case(word);
        // `phone` means the channels of this kind.
        let channel = self.name.strip_prefix("channel[").and_then(|rest| rest.split(' ').next());
        same(&self.name) || same(self.short_name()) || same(&self.label) || channel.is_some_and(same)
    }

    /// A value of the field, hidden where it may be a person's and nobody asked to see it.
    #[must_use]
    pub fn shown(&self, value: &str, shows_personal: bool) -> String {
        match (self.is_personal && !shows_personal, self.name.as_str()) {
            (false, _) => value.to_owned(),
            (true, "name" | "first_name" | "last_name") => mask_name(value),
            (true, _) => mask_value(value),
        }
    }

    /// The label; the address of a channel is hidden as a value is.
    #[must_use]
    pub fn shown_label(&self, shows_personal: bool) -> String {
        let channel = self.name.strip_prefix("channel[").and_then(|rest| rest.strip_suffix(']'));
        match channel.and_then(|rest| rest.split_once(' ')) {
            Some((kind, address)) if !shows_personal => format!("{kind} {}", mask_value(address)),
            Some((kind, address)) => format!("{kind} {address}"),
            None => self.label.clone(),
        }
    }
}

/// Fields whose values never name a person.
const PLAIN: [&str; 20] = [
    "external_id",
    "status",
    "channel",
    "via",
    "from_agent",
    "is_public",
    "customer",
    "assignee_user",
    "assignee_team",
    "created_at",
    "closed_at",
    "last_message_at",
    "updated_at",
    "trashed_at",
    "sent_at",
    "sender",
    "receiver",
    "language",
    "timezone",
    "is_spam",
];

/// Whether values of a field may be a person's.
pub(super) fn is_personal(name: &str) -> bool {
    !PLAIN.contains(&name) && !name.starts_with("tag[") && !name.starts_with("channel[")
}

/// Both images, name by name; `wanted` and `found` absent where there is no such record.
pub(super) fn fields(
    compared: Compared,
    wanted: Option<&Image>,
    found: Option<&Image>,
    label: impl Fn(&str) -> String,
    rule: impl Fn(&str) -> Rule,
    explained: impl Fn(&str) -> bool,
    source: &[Cell],
) -> Vec<Field> {
    let comparison = wanted.zip(found).map(|(wanted, found)| compare_record(compared, wanted, found));
    let code = |name: &str| {
        let differences = comparison.iter().flat_map(|comparison| &comparison.discrepancies);
        differences.clone().find(|it| it.field == name).map(|it| it.code.to_string())
    };
    let names: std::collections::BTreeSet<&String> =
        wanted.into_iter().chain(found).flat_map(Image::keys).collect();
    let field = |name: &String| {
        let rule = rule(name);
        let sources = source.iter().filter(|cell| rule.columns.contains(&cell.column)).cloned().collect();
        Field {
            label: label(name),
            sources,
            wanted: wanted.and_then(|image| image.get(name)).cloned(),
            found: found.and_then(|image| image.get(name)).cloned(),
            code: code(name),
            is_explained: explained(name),
            is_personal: is_personal(name),
            name: name.clone(),
            rule,
        }
    };
    names.into_iter().map(field).collect()
}
