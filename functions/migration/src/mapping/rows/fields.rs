//! Rows of card fields, promised fields and slots.

use super::super::{MappingRow, RowEvidence, RowSubject};
use super::{CERTAIN, Planned, carry, conflict, leave, row};
use crate::fields::{
    ContactField, FieldAction, FieldSource, FixedField, LeftReason, LeftSlot, PlannedField, Scope, SlotKey,
    SlotKind, SlotStatistics,
};
use crate::finding;
use crate::gorgias::FieldObject;
use crate::settings::FieldChoice;
use crate::suggest::SuggestedTarget;

/// The subject of a field's row.
fn subject_of(source: FieldSource) -> RowSubject {
    match source {
        FieldSource::Disposition => RowSubject::Fixed(FixedField::Disposition),
        FieldSource::LeadStatus => RowSubject::Fixed(FixedField::LeadStatus),
        FieldSource::EmailOptOut => RowSubject::Fixed(FixedField::EmailOptOut),
        FieldSource::RawPhone => RowSubject::Fixed(FixedField::RawPhone),
        FieldSource::Contact(field) => RowSubject::Contact(field),
        FieldSource::Slot(key) => RowSubject::Slot(key),
    }
}

fn object_word(object: FieldObject) -> &'static str {
    match object {
        FieldObject::Ticket => "ticket",
        FieldObject::Customer => "customer",
    }
}

/// In words, such as ``customer field `Level` (text, created)``.
fn field_target(field: &PlannedField) -> String {
    let action = match field.action {
        FieldAction::Create => "created",
        FieldAction::Reuse(_) => "there already",
        FieldAction::Reactivate(_) => "reactivated",
    };
    let (object, label) = (object_word(field.draft.object), &field.draft.label);
    format!("{object} field `{label}` ({}, {action})", field.kind.as_str())
}

#[expect(clippy::cast_precision_loss, reason = "counts of contacts stay far below 2^52")]
fn share(filled: u64, of: u64) -> Option<f64> {
    (of > 0).then(|| (filled as f64 / of as f64).min(1.0))
}

/// Contacts that were looked at in a scope, or in all.
fn looked_at(planned: &Planned<'_>, scope: Option<Scope>) -> u64 {
    match scope {
        Some(scope) => planned.input.looked_at.get(&scope).copied().unwrap_or(0),
        None => planned.input.looked_at.values().sum(),
    }
}

/// What the values of a field show, read as `kind`.
fn seen(
    planned: &Planned<'_>,
    statistics: Option<&SlotStatistics>,
    scope: Option<Scope>,
    kind: SlotKind,
    confidence: f64,
) -> RowEvidence {
    let Some(statistics) = statistics else { return RowEvidence::certain(confidence) };
    RowEvidence {
        confidence,
        fill_share: share(statistics.filled(), looked_at(planned, scope)),
        distinct: statistics.distinct().and_then(|distinct| u64::try_from(distinct).ok()),
        samples: statistics.samples_as(kind),
        alternatives: Vec::new(),
    }
}

/// Every field of the contact card, wherever it goes.
pub(super) fn card_rows(planned: &Planned<'_>, rows: &mut Vec<MappingRow>) {
    for field in ContactField::ALL.iter().copied() {
        let subject = RowSubject::Contact(field);
        let statistics = planned.input.card_statistics.get(&field);
        let filled = statistics.map(SlotStatistics::filled);
        let evidence = seen(planned, statistics, None, SlotKind::Text, CERTAIN);
        let (target, decision) = match field {
            ContactField::FirstName | ContactField::LastName => {
                ("customer name", carry("first and last name", None))
            }
            ContactField::Email => {
                ("customer email", carry("valid addresses; others stand on the lead card", None))
            }
            ContactField::Phone => ("customer phone", carry("every number in its international form", None)),
            withheld if withheld.is_withheld() => {
                ("", leave(finding::FLD101_LEFT_SENSITIVE, "never read into the store"))
            }
            _ => match planned.settings.field_choice(&subject) {
                Some(FieldChoice::Leave(reason)) => {
                    ("", leave(finding::FLD113_LEFT_BY_CHOICE, format!("left by choice: {reason}")))
                }
                _ => ("lead card", carry("no field in Gorgias unless a person gives it one", None)),
            },
        };
        rows.push(row(subject.row(), field.label(), target, filled, decision, evidence));
    }
}

/// Fields that will be there.
pub(super) fn field_rows(planned: &Planned<'_>, rows: &mut Vec<MappingRow>) {
    for fixed in FixedField::ALL.iter().copied() {
        if let Some(FieldChoice::Leave(reason)) = planned.settings.field_choice(&RowSubject::Fixed(fixed)) {
            let decision = leave(finding::FLD113_LEFT_BY_CHOICE, format!("left by choice: {reason}"));
            let evidence = RowEvidence::certain(CERTAIN);
            rows.push(row(fixed.row(), fixed.as_str(), "", None, decision, evidence));
        }
    }
    for field in planned.fields.fields() {
        let subject = subject_of(field.source);
        let (statistics, scope) = match field.source {
            FieldSource::Slot(key) => (planned.input.statistics.get(&key), Some(key.scope)),
            FieldSource::Contact(of_card) => (planned.input.card_statistics.get(&of_card), None),
            _ => (None, None),
        };
        let chosen = planned.settings.field_choice(&subject).is_some();
        let mut evidence = seen(planned, statistics, scope, field.kind, CERTAIN);
        if let FieldSource::Slot(key) = field.source {
            let is_own = |target: &SuggestedTarget| match (target, field.action) {
                (SuggestedTarget::NewField(_), _) => true,
                (
                    SuggestedTarget::Existing(id, _),
                    FieldAction::Reuse(own) | FieldAction::Reactivate(own),
                ) => *id == own,
                _ => false,
            };
            weigh(planned, key, chosen, is_own, &mut evidence);
        }
        let is_slot = matches!(field.source, FieldSource::Slot(_));
        let mut reason = field.reason.clone();
        if chosen && is_slot {
            reason = format!("chosen by a person; {reason}");
        }
        let decision = carry(reason, is_slot.then_some(field.share));
        let count = statistics.map(SlotStatistics::filled);
        rows.push(row(subject.row(), &field.draft.label, field_target(field), count, decision, evidence));
    }
}

/// Slots without a field.
pub(super) fn left_rows(planned: &Planned<'_>, rows: &mut Vec<MappingRow>) {
    for left in planned.fields.left() {
        let (decision, target) = match &left.reason {
            LeftReason::Sensitive(why) => (leave(finding::FLD101_LEFT_SENSITIVE, why.clone()), ""),
            LeftReason::ByChoice(why) => {
                (leave(finding::FLD113_LEFT_BY_CHOICE, format!("left by choice: {why}")), "")
            }
            LeftReason::NoRoom { rank } => {
                let why = format!("place {rank} by fill, and no room for another field");
                (leave(finding::FLD102_NO_ROOM, why), "lead card")
            }
            LeftReason::Clash => {
                (leave(finding::FLD105_KIND_CLASH, "another field stands in the way"), "lead card")
            }
            LeftReason::OnCard => (carry("the lead card alone, chosen by a person", None), "lead card"),
            LeftReason::OptOut(words) => {
                let why = format!("chosen by a person; {} words opt out", words.len());
                (carry(why, None), "customer opt-out")
            }
        };
        let evidence = left_evidence(planned, left);
        let id = RowSubject::Slot(left.key).row();
        rows.push(row(id, &left.label, target, Some(left.filled), decision, evidence));
    }
}

/// Holds the decision on a slot against what its label and values suggest. A person's choice is certain.
fn weigh(
    planned: &Planned<'_>,
    key: SlotKey,
    is_chosen: bool,
    is_target: impl Fn(&SuggestedTarget) -> bool,
    evidence: &mut RowEvidence,
) {
    let Some(suggestion) = planned.suggestions.get(&key) else { return };
    let (confidence, alternatives) = suggestion.held_against(is_target);
    evidence.alternatives = alternatives;
    evidence.alternatives.extend(planned.input.outside.get(&key).into_iter().flatten().cloned());
    if !is_chosen {
        evidence.confidence = confidence;
    }
}

fn left_evidence(planned: &Planned<'_>, left: &LeftSlot) -> RowEvidence {
    let statistics = planned.input.statistics.get(&left.key);
    let suggestion = planned.suggestions.get(&left.key);
    let kind = suggestion.map_or(SlotKind::Text, |found| found.value_type.value_type.slot_kind());
    let mut evidence = seen(planned, statistics, Some(left.key.scope), kind, CERTAIN);
    let chosen = planned.settings.field_choice(&RowSubject::Slot(left.key)).is_some();
    let is_target = |target: &SuggestedTarget| match &left.reason {
        LeftReason::Sensitive(_) | LeftReason::ByChoice(_) => *target == SuggestedTarget::Leave,
        LeftReason::OptOut(_) => matches!(target, SuggestedTarget::OptOut { .. }),
        LeftReason::NoRoom { .. } | LeftReason::Clash | LeftReason::OnCard => {
            *target == SuggestedTarget::LeadCard
        }
    };
    weigh(planned, left.key, chosen, is_target, &mut evidence);
    if !left.reason.is_shown() {
        evidence.samples.iter_mut().for_each(|sample| sample.after.clear());
    }
    evidence
}

/// Fields that a person has to settle.
pub(super) fn conflict_rows(planned: &Planned<'_>, rows: &mut Vec<MappingRow>) {
    for found in planned.fields.conflicts() {
        let subject = subject_of(found.source);
        let chosen = planned.settings.field_choice(&subject).is_some();
        let why = if chosen { "a person chose this" } else { "the mapping promises this field" };
        let decision = conflict(why, found.code, found.reason.clone());
        let target = format!("field `{}`", found.label);
        let evidence = match found.source {
            FieldSource::Slot(key) => {
                let statistics = planned.input.statistics.get(&key);
                let mut evidence = seen(planned, statistics, Some(key.scope), SlotKind::Text, 0.5);
                weigh(planned, key, true, |_| false, &mut evidence);
                evidence
            }
            _ => RowEvidence::certain(0.5),
        };
        rows.push(row(subject.row(), &found.label, target, None, decision, evidence));
    }
}
