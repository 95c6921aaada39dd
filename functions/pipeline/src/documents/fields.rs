//! The plan of custom fields as stored.

use migration::fields::{
    ContactField, FieldAction, FieldConflict, FieldPlan, FieldSource, LeftReason, LeftSlot, PlannedField,
    SlotKind,
};
use migration::finding::{self, Code};
use migration::gorgias::{FieldDraft, FieldId, FieldKind, FieldObject};
use migration::keys::FieldKey;
use serde::{Deserialize, Serialize};

use super::Malformed;
use super::plans::{NoteV1, notes};

/// Stands before the name of a field of the card.
const CARD_PREFIX: &str = "card:";

/// Custom fields.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FieldsV1 {
    fields: Vec<FieldV1>,
    left: Vec<LeftV1>,
    conflicts: Vec<FieldConflictV1>,
    notes: Vec<NoteV1>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FieldV1 {
    key: String,
    object: String,
    label: String,
    data_type: String,
    description: String,
    source: String,
    kind: String,
    action: ActionV1,
    filled: u64,
    #[serde(with = "super::exact")]
    share: f64,
    reason: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ActionV1 {
    Create,
    Reuse(u64),
    Reactivate(u64),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct LeftV1 {
    key: String,
    label: String,
    reason: LeftReasonV1,
    filled: u64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum LeftReasonV1 {
    Sensitive(String),
    ByChoice(String),
    NoRoom(usize),
    Clash,
    OnCard,
    OptOut(Vec<String>),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FieldConflictV1 {
    source: String,
    label: String,
    existing: Option<u64>,
    /// Absent in the first version, where it followed from the rest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    code: Option<String>,
    reason: String,
}

fn source_word(source: FieldSource) -> String {
    match source {
        FieldSource::Disposition => "disposition".to_owned(),
        FieldSource::LeadStatus => "lead-status".to_owned(),
        FieldSource::EmailOptOut => "email-opt-out".to_owned(),
        FieldSource::RawPhone => "phone-as-received".to_owned(),
        FieldSource::Contact(field) => format!("{CARD_PREFIX}{}", field.as_str()),
        FieldSource::Slot(key) => key.to_string(),
    }
}

fn source(word: &str) -> Result<FieldSource, Malformed> {
    Ok(match word {
        "disposition" => FieldSource::Disposition,
        "lead-status" => FieldSource::LeadStatus,
        "email-opt-out" => FieldSource::EmailOptOut,
        "phone-as-received" => FieldSource::RawPhone,
        word => match word.strip_prefix(CARD_PREFIX) {
            Some(field) => {
                FieldSource::Contact(ContactField::from_word(field).ok_or(Malformed { field: "source" })?)
            }
            None => FieldSource::Slot(word.parse().map_err(|_| Malformed { field: "source" })?),
        },
    })
}

/// Gorgias' word for an object with fields.
pub(super) fn field_object(word: &str) -> Result<FieldObject, Malformed> {
    let all = [FieldObject::Ticket, FieldObject::Customer];
    all.into_iter().find(|object| object.as_str() == word).ok_or(Malformed { field: "object" })
}

/// Gorgias' word for a data type.
pub(super) fn field_kind(word: &str) -> Result<FieldKind, Malformed> {
    let all = [FieldKind::Text, FieldKind::Number, FieldKind::Boolean];
    all.into_iter().find(|kind| kind.as_str() == word).ok_or(Malformed { field: "data_type" })
}

impl FieldsV1 {
    /// The stored form.
    #[must_use]
    pub(super) fn of(plan: &FieldPlan) -> Self {
        let field = |field: &PlannedField| FieldV1 {
            key: field.draft.key.to_string(),
            object: field.draft.object.as_str().to_owned(),
            label: field.draft.label.clone(),
            data_type: field.draft.kind.as_str().to_owned(),
            description: field.draft.description.clone(),
            source: source_word(field.source),
            kind: field.kind.as_str().to_owned(),
            action: match field.action {
                FieldAction::Create => ActionV1::Create,
                FieldAction::Reuse(id) => ActionV1::Reuse(id.0),
                FieldAction::Reactivate(id) => ActionV1::Reactivate(id.0),
            },
            filled: field.filled,
            share: field.share,
            reason: field.reason.clone(),
        };
        let left = |left: &LeftSlot| LeftV1 {
            key: left.key.to_string(),
            label: left.label.clone(),
            reason: match &left.reason {
                LeftReason::Sensitive(why) => LeftReasonV1::Sensitive(why.clone()),
                LeftReason::ByChoice(why) => LeftReasonV1::ByChoice(why.clone()),
                LeftReason::NoRoom { rank } => LeftReasonV1::NoRoom(*rank),
                LeftReason::Clash => LeftReasonV1::Clash,
                LeftReason::OnCard => LeftReasonV1::OnCard,
                LeftReason::OptOut(words) => LeftReasonV1::OptOut(words.iter().cloned().collect()),
            },
            filled: left.filled,
        };
        let conflict = |conflict: &FieldConflict| FieldConflictV1 {
            source: source_word(conflict.source),
            label: conflict.label.clone(),
            existing: conflict.existing.map(|id| id.0),
            code: Some(conflict.code.as_str().to_owned()),
            reason: conflict.reason.clone(),
        };
        Self {
            fields: plan.fields().map(field).collect(),
            left: plan.left().map(left).collect(),
            conflicts: plan.conflicts().iter().map(conflict).collect(),
            notes: plan.notes().iter().map(NoteV1::of).collect(),
        }
    }

    /// The plan again.
    ///
    /// # Errors
    /// [`Malformed`].
    pub(super) fn read(self) -> Result<FieldPlan, Malformed> {
        let fields = self.fields.into_iter().map(FieldV1::read).collect::<Result<Vec<_>, _>>()?;
        let left = self.left.into_iter().map(LeftV1::read).collect::<Result<Vec<_>, _>>()?;
        let conflicts = self.conflicts.into_iter().map(|conflict| {
            Ok(FieldConflict {
                source: source(&conflict.source)?,
                label: conflict.label,
                code: match conflict.code {
                    Some(code) => Code::from_text(&code).ok_or(Malformed { field: "code" })?,
                    None if conflict.existing.is_some() => finding::FLD105_KIND_CLASH,
                    None => finding::FLD102_NO_ROOM,
                },
                existing: conflict.existing.map(FieldId),
                reason: conflict.reason,
            })
        });
        let conflicts = conflicts.collect::<Result<Vec<_>, Malformed>>()?;
        Ok(FieldPlan::from_parts(fields, left, conflicts, notes(self.notes)?))
    }
}

impl FieldV1 {
    fn read(self) -> Result<PlannedField, Malformed> {
        Ok(PlannedField {
            draft: FieldDraft {
                key: FieldKey(self.key),
                object: field_object(&self.object)?,
                label: self.label,
                kind: field_kind(&self.data_type)?,
                description: self.description,
            },
            source: source(&self.source)?,
            kind: SlotKind::from_word(&self.kind).ok_or(Malformed { field: "kind" })?,
            action: match self.action {
                ActionV1::Create => FieldAction::Create,
                ActionV1::Reuse(id) => FieldAction::Reuse(FieldId(id)),
                ActionV1::Reactivate(id) => FieldAction::Reactivate(FieldId(id)),
            },
            filled: self.filled,
            share: self.share,
            reason: self.reason,
        })
    }
}

impl LeftV1 {
    fn read(self) -> Result<LeftSlot, Malformed> {
        Ok(LeftSlot {
            key: self.key.parse().map_err(|_| Malformed { field: "key" })?,
            label: self.label,
            reason: match self.reason {
                LeftReasonV1::Sensitive(why) => LeftReason::Sensitive(why),
                LeftReasonV1::ByChoice(why) => LeftReason::ByChoice(why),
                LeftReasonV1::NoRoom(rank) => LeftReason::NoRoom { rank },
                LeftReasonV1::Clash => LeftReason::Clash,
                LeftReasonV1::OnCard => LeftReason::OnCard,
                LeftReasonV1::OptOut(words) => LeftReason::OptOut(words.into_iter().collect()),
            },
            filled: self.filled,
        })
    }
}
