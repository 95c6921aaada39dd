//! Which slots become fields, under the account's limit and its unique labels.

use std::collections::{BTreeMap, BTreeSet};

use super::{ContactField, Scope, SlotKey, SlotKind, SlotStatistics};
use crate::canonical::Canonical;
use crate::finding::{Code, Note};
use crate::gorgias::{self, FieldDraft, FieldObject};
use crate::keys::FieldKey;
use crate::leaddesk::SlotSetting;
use crate::settings::MappingSettings;
use crate::suggest::Suggestion;

mod build;
mod candidates;

/// Label of the ticket field with the latest outcome.
pub const DISPOSITION_LABEL: &str = "leaddesk_disposition__c";
/// Label of the ticket field with the lead's original status.
pub const LEAD_STATUS_LABEL: &str = "leaddesk_lead_status__c";
/// Label of the customer field for opted-out persons.
pub const EMAIL_OPT_OUT_LABEL: &str = "HasOptedOutOfEmail";
/// Label of the customer field for numbers that cannot be normalised.
pub const RAW_PHONE_LABEL: &str = "leaddesk_phone__c";

/// Key of the field with the latest outcome.
#[must_use]
pub fn disposition_key() -> FieldKey {
    FieldKey("leaddesk:field:disposition".to_owned())
}

/// Key of the field with the lead's status.
#[must_use]
pub fn lead_status_key() -> FieldKey {
    FieldKey("leaddesk:field:lead-status".to_owned())
}

/// Key of the field for opted-out persons.
#[must_use]
pub fn email_opt_out_key() -> FieldKey {
    FieldKey("leaddesk:field:email-opt-out".to_owned())
}

/// Key of the field for numbers as received.
#[must_use]
pub fn raw_phone_key() -> FieldKey {
    FieldKey("leaddesk:field:phone-as-received".to_owned())
}

/// Where a field's values come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FieldSource {
    /// Latest outcome of a lead's calls.
    Disposition,
    /// Status of the lead.
    LeadStatus,
    /// Blacklist or consent field.
    EmailOptOut,
    /// Numbers that cannot be normalised.
    RawPhone,
    /// A field of the contact card that a person gave a field of its own.
    Contact(ContactField),
    /// A slot of the contact.
    Slot(SlotKey),
}

impl FieldSource {
    /// The key that such a field carries.
    #[must_use]
    pub fn key(self) -> FieldKey {
        match self {
            Self::Disposition => disposition_key(),
            Self::LeadStatus => lead_status_key(),
            Self::EmailOptOut => email_opt_out_key(),
            Self::RawPhone => raw_phone_key(),
            Self::Contact(field) => FieldKey(format!("leaddesk:field:{}", field.as_str())),
            Self::Slot(key) => FieldKey(format!("leaddesk:field:{key}")),
        }
    }
}

/// What has to be done for a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldAction {
    /// Nothing like it is there.
    Create,
    /// It is there and active.
    Reuse(gorgias::FieldId),
    /// It is there and archived.
    Reactivate(gorgias::FieldId),
}

/// A field that will exist after preparation.
#[derive(Debug, Clone, PartialEq)]
pub struct PlannedField {
    /// Definition.
    pub draft: FieldDraft,
    /// Where its values come from.
    pub source: FieldSource,
    /// How values are read.
    pub kind: SlotKind,
    /// What has to be done.
    pub action: FieldAction,
    /// Values seen.
    pub filled: u64,
    /// Share of values that fit the type, 0 to 1.
    pub share: f64,
    /// Why this type.
    pub reason: String,
}

/// Why a slot does not become a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LeftReason {
    /// Label or values look like something that is never migrated by default; values stay off the lead card too.
    Sensitive(String),
    /// A person said so; values stay off the lead card too.
    ByChoice(String),
    /// Others are filled more often; values stand on the lead card.
    NoRoom {
        /// Place among the candidates, from one.
        rank: usize,
    },
    /// A field with our label has another type; values stand on the lead card.
    Clash,
    /// A person chose the lead card alone.
    OnCard,
    /// A person chose it as consent: these words opt the customer out; values stand on the lead card too.
    OptOut(BTreeSet<String>),
}

impl LeftReason {
    /// Whether values may stand on the lead card.
    #[must_use]
    pub fn is_shown(&self) -> bool {
        !matches!(self, Self::Sensitive(_) | Self::ByChoice(_))
    }
}

/// A slot that does not become a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftSlot {
    /// The slot.
    pub key: SlotKey,
    /// What agents know it as.
    pub label: String,
    /// Why.
    pub reason: LeftReason,
    /// Values seen.
    pub filled: u64,
}

/// A field of the account that stands in the way; a person has to settle it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldConflict {
    /// Where the values would come from.
    pub source: FieldSource,
    /// Label in question.
    pub label: String,
    /// The field that is there; absent when there is no room at all.
    pub existing: Option<gorgias::FieldId>,
    /// Stable code.
    pub code: Code,
    /// What is wrong with it.
    pub reason: String,
}

/// What planning needs to know.
#[derive(Debug, Clone, Copy)]
pub struct FieldPlanInput<'a> {
    /// Values by slot and scope.
    pub statistics: &'a BTreeMap<SlotKey, SlotStatistics>,
    /// Labels and types of the projects.
    pub settings: &'a [SlotSetting],
    /// Fields of the account, archived ones included.
    pub existing: &'a [gorgias::Field],
    /// Names of campaigns and lists, for suffixes.
    pub scope_names: &'a BTreeMap<Scope, String>,
    /// Choices.
    pub mapping: &'a MappingSettings,
    /// What slots probably mean; a slot without one is judged by its values and setting alone.
    pub suggestions: &'a BTreeMap<SlotKey, Suggestion>,
}

/// Which fields carry what. Every source has at most one field.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct FieldPlan {
    fields: BTreeMap<FieldSource, PlannedField>,
    left: BTreeMap<SlotKey, LeftSlot>,
    conflicts: Vec<FieldConflict>,
    notes: Vec<Note>,
}

impl FieldPlan {
    /// Plans the fields of an account.
    #[must_use]
    pub fn build(input: &FieldPlanInput<'_>) -> Self {
        build::plan(input)
    }

    /// From stored parts; of two entries for one source the later stays.
    #[must_use]
    pub fn from_parts(
        fields: impl IntoIterator<Item = PlannedField>,
        left: impl IntoIterator<Item = LeftSlot>,
        conflicts: Vec<FieldConflict>,
        notes: Vec<Note>,
    ) -> Self {
        Self {
            fields: fields.into_iter().map(|field| (field.source, field)).collect(),
            left: left.into_iter().map(|left| (left.key, left)).collect(),
            conflicts,
            notes,
        }
    }

    /// All fields, in order of source.
    pub fn fields(&self) -> impl Iterator<Item = &PlannedField> {
        self.fields.values()
    }

    /// All slots without a field, in order of key.
    pub fn left(&self) -> impl Iterator<Item = &LeftSlot> {
        self.left.values()
    }

    /// What a person has to settle.
    #[must_use]
    pub fn conflicts(&self) -> &[FieldConflict] {
        &self.conflicts
    }

    /// What was decided by rule.
    #[must_use]
    pub fn notes(&self) -> &[Note] {
        &self.notes
    }

    /// The field of a source.
    #[must_use]
    pub fn field(&self, source: FieldSource) -> Option<&PlannedField> {
        self.fields.get(&source)
    }

    /// The slot's entry when it has no field.
    #[must_use]
    pub fn left_slot(&self, key: SlotKey) -> Option<&LeftSlot> {
        self.left.get(&key)
    }

    /// The field with this key.
    #[must_use]
    pub fn field_by_key(&self, key: &FieldKey) -> Option<&PlannedField> {
        self.fields.values().find(|field| field.draft.key == *key)
    }

    /// Fields of one object type.
    pub fn fields_of(&self, object: FieldObject) -> impl Iterator<Item = &PlannedField> {
        self.fields.values().filter(move |field| field.draft.object == object)
    }

    pub(crate) fn render(&self, out: &mut Canonical) {
        for field in self.fields.values() {
            out.put("field", &field.draft.key.0).put("object", field.draft.object.as_str());
            out.put("label", &field.draft.label).put("kind", field.kind.as_str());
            out.put("type", field.draft.kind.as_str()).put("description", &field.draft.description);
            match field.action {
                FieldAction::Create => out.put("action", "create"),
                FieldAction::Reuse(id) => out.put("reuse", id),
                FieldAction::Reactivate(id) => out.put("reactivate", id),
            };
        }
        for left in self.left.values() {
            out.put("left", left.key).put("label", &left.label);
            match &left.reason {
                LeftReason::Sensitive(why) => out.put("sensitive", why),
                LeftReason::ByChoice(why) => out.put("by_choice", why),
                LeftReason::NoRoom { rank } => out.put("no_room", rank),
                LeftReason::Clash => out.put("clash", ""),
                LeftReason::OnCard => out.put("on_card", ""),
                LeftReason::OptOut(words) => {
                    out.put("opt_out", words.iter().cloned().collect::<Vec<_>>().join("\n"))
                }
            };
        }
    }
}
