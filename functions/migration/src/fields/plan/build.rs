//! Builds a [`FieldPlan`]: fixed fields first, then slots by how often they are filled, then labels.

use std::collections::{BTreeMap, BTreeSet};

use super::candidates::{Candidate, candidates, refuse};
use super::{
    DISPOSITION_LABEL, EMAIL_OPT_OUT_LABEL, FieldAction, FieldPlan, FieldPlanInput, FieldSource,
    LEAD_STATUS_LABEL, LeftReason, LeftSlot, PlannedField, RAW_PHONE_LABEL,
};
use crate::fields::{FixedField, SlotKind};
use crate::finding::{self, Note, ObjectKind};
use crate::gorgias::{self, FIELD_LABEL_CHARS_MAX, FieldDraft, FieldObject};
use crate::mapping::{CarryInto, RowSubject};
use crate::settings::{FieldChoice, UnnormalisablePhone};
use crate::text::{clean_line, folded, truncate_chars};

/// Free places, by object type and in all.
struct Room {
    ticket: usize,
    customer: usize,
    both: usize,
}

impl Room {
    fn new(input: &FieldPlanInput<'_>) -> Self {
        let limits = input.mapping.field_room;
        let active =
            |object| input.existing.iter().filter(|field| field.is_active && field.object == object).count();
        let (ticket, customer) = (active(FieldObject::Ticket), active(FieldObject::Customer));
        Self {
            ticket: limits.ticket.saturating_sub(ticket),
            customer: limits.customer.saturating_sub(customer),
            both: limits.both.map_or(usize::MAX, |both| both.saturating_sub(ticket + customer)),
        }
    }

    fn take(&mut self, object: FieldObject, action: FieldAction) -> bool {
        if matches!(action, FieldAction::Reuse(_)) {
            return true;
        }
        let own = match object {
            FieldObject::Ticket => &mut self.ticket,
            FieldObject::Customer => &mut self.customer,
        };
        if *own == 0 || self.both == 0 {
            return false;
        }
        *own -= 1;
        self.both -= 1;
        true
    }
}

pub(super) fn plan(input: &FieldPlanInput<'_>) -> FieldPlan {
    let mut out = FieldPlan::default();
    let mut room = Room::new(input);
    fixed_fields(input, &mut room, &mut out);
    let candidates = candidates(input, &mut out);
    let labels = labels(input, &candidates, &mut out);
    for (index, (candidate, label)) in candidates.into_iter().zip(labels).enumerate() {
        slot_field(candidate, label, index + 1, &mut room, &mut out);
    }
    out.notes.sort();
    out
}

/// Label, object, type and description of a promised field.
fn promised(field: FixedField) -> (FieldObject, &'static str, SlotKind, &'static str) {
    match field {
        FixedField::Disposition => (
            FieldObject::Ticket,
            DISPOSITION_LABEL,
            SlotKind::Text,
            "Latest outcome of the lead's calls in LeadDesk",
        ),
        FixedField::LeadStatus => (
            FieldObject::Ticket,
            LEAD_STATUS_LABEL,
            SlotKind::Text,
            "Status of the lead in LeadDesk, as it was",
        ),
        FixedField::EmailOptOut => (
            FieldObject::Customer,
            EMAIL_OPT_OUT_LABEL,
            SlotKind::Boolean,
            "On LeadDesk's blacklist, or opted out by the mapped consent field",
        ),
        FixedField::RawPhone => (
            FieldObject::Customer,
            RAW_PHONE_LABEL,
            SlotKind::Text,
            "Numbers of LeadDesk that have no international form",
        ),
    }
}

fn fixed_fields(input: &FieldPlanInput<'_>, room: &mut Room, out: &mut FieldPlan) {
    let raw_phone = input.mapping.unnormalisable_phone == UnnormalisablePhone::KeepAsField;
    for fixed in FixedField::ALL.iter().copied() {
        if fixed == FixedField::RawPhone && !raw_phone {
            continue;
        }
        let source = fixed.source();
        let (object, label, kind, description) = promised(fixed);
        let mut draft = FieldDraft {
            key: source.key(),
            object,
            label: label.to_owned(),
            kind: kind.field_kind(),
            description: description.to_owned(),
        };
        let chosen = input.mapping.field_choice(&RowSubject::Fixed(fixed));
        let existing = match chosen {
            Some(FieldChoice::Leave(_)) => continue,
            Some(FieldChoice::Carry { into: Some(CarryInto::Field(id)), .. }) => {
                let Some(field) = input.existing.iter().find(|field| field.id == *id) else {
                    refuse(
                        source,
                        label,
                        None,
                        finding::FLD112_FIELD_GONE,
                        "the chosen field is not there",
                        out,
                    );
                    continue;
                };
                draft.label.clone_from(&field.label);
                Some(field)
            }
            Some(FieldChoice::Carry { into: Some(CarryInto::NewField(label)), .. }) => {
                draft.label = clean_line(label);
                existing_of(input.existing, &draft)
            }
            _ => existing_of(input.existing, &draft),
        };
        let existing_id = existing.map(|field| field.id);
        match action_for(&draft, existing) {
            Err(reason) => {
                refuse(source, &draft.label, existing_id, finding::FLD105_KIND_CLASH, &reason, out);
            }
            Ok(_) if is_taken(&draft.label, out) => {
                refuse(source, &draft.label, existing_id, finding::FLD110_TAKEN_TWICE, TAKEN, out);
            }
            Ok(action) if room.take(object, action) => {
                note_reactivation(action, &draft.label, source, out);
                let reason =
                    if chosen.is_some() { "chosen by a person" } else { "fixed by the mapping" }.to_owned();
                let field = PlannedField { draft, source, kind, action, filled: 0, share: 1.0, reason };
                out.fields.insert(source, field);
            }
            Ok(_) => {
                let reason = format!("no room for another active {} field", object.as_str());
                refuse(source, &draft.label, None, finding::FLD102_NO_ROOM, &reason, out);
            }
        }
    }
}

/// What is wrong with a field that two rows go into.
const TAKEN: &str = "another row goes into this field already";

fn is_taken(label: &str, out: &FieldPlan) -> bool {
    out.fields.values().any(|field| folded(&field.draft.label) == folded(label))
}

/// The field with our key, else the field with our label. Labels are unique in the account, whatever their case.
fn existing_of<'a>(existing: &'a [gorgias::Field], draft: &FieldDraft) -> Option<&'a gorgias::Field> {
    let by_key = existing.iter().find(|field| field.external_id.as_deref() == Some(draft.key.0.as_str()));
    by_key.or_else(|| existing.iter().find(|field| folded(&field.label) == folded(&draft.label)))
}

fn action_for(draft: &FieldDraft, existing: Option<&gorgias::Field>) -> Result<FieldAction, String> {
    match existing {
        None => Ok(FieldAction::Create),
        Some(field) if field.is_managed => Err("a managed field of Gorgias carries the label".to_owned()),
        Some(field) if field.object != draft.object => {
            Err(format!("a {} field carries the label", field.object.as_str()))
        }
        Some(field) if field.kind != draft.kind => {
            Err(format!("a field of type {} carries the label", field.kind.as_str()))
        }
        Some(field) if field.is_active => Ok(FieldAction::Reuse(field.id)),
        Some(field) => Ok(FieldAction::Reactivate(field.id)),
    }
}

fn note_reactivation(action: FieldAction, label: &str, source: FieldSource, out: &mut FieldPlan) {
    if let FieldAction::Reactivate(id) = action {
        let detail = format!("`{label}` (field {id})");
        out.notes.push(Note::new(finding::FLD104_REACTIVATED, ObjectKind::Slot, source.key(), detail));
    }
}

/// A label of its own for every candidate. Whoever clashes, with a field of the account or with each other, gets a suffix.
fn labels(input: &FieldPlanInput<'_>, candidates: &[Candidate<'_>], out: &mut FieldPlan) -> Vec<String> {
    let ours: BTreeSet<_> =
        candidates.iter().filter_map(|candidate| candidate.existing.map(|field| field.id)).collect();
    let mut taken: BTreeSet<String> = input
        .existing
        .iter()
        .filter(|field| !ours.contains(&field.id))
        .map(|field| folded(&field.label))
        .chain([DISPOSITION_LABEL, LEAD_STATUS_LABEL, EMAIL_OPT_OUT_LABEL, RAW_PHONE_LABEL].map(folded))
        .chain(out.fields.values().map(|field| folded(&field.draft.label)))
        .collect();
    let mut wanted: BTreeMap<String, usize> = BTreeMap::new();
    for candidate in candidates {
        *wanted.entry(folded(&candidate.label)).or_default() += 1;
    }
    let mut order: Vec<usize> = (0..candidates.len()).collect();
    order.sort_by_key(|index| candidates[*index].source);
    let mut labels = vec![String::new(); candidates.len()];
    for index in order {
        let candidate = &candidates[index];
        if let Some(field) = candidate.existing {
            labels[index].clone_from(&field.label);
            taken.insert(folded(&field.label));
            continue;
        }
        let suffixes = suffixes(input, candidate.source);
        // The last suffix holds the key itself, so it cannot be taken.
        let from = usize::from(wanted[&folded(&candidate.label)] > 1);
        let label = suffixes[from..]
            .iter()
            .map(|suffix| suffixed(&candidate.label, suffix))
            .find(|label| !taken.contains(&folded(label)))
            .unwrap_or_else(|| candidate.source.key().0);
        if label != candidate.label {
            let detail = format!("`{}` becomes `{label}`", candidate.label);
            let name = source_name(candidate.source);
            out.notes.push(Note::new(finding::FLD103_LABEL_CLASH, ObjectKind::Slot, name, detail));
        }
        taken.insert(folded(&label));
        labels[index] = label;
    }
    labels
}

fn suffixed(label: &str, suffix: &str) -> String {
    let suffix = truncate_chars(suffix, FIELD_LABEL_CHARS_MAX / 2);
    let room = FIELD_LABEL_CHARS_MAX - suffix.chars().count();
    format!("{}{suffix}", truncate_chars(label, room))
}

/// What is put behind a label that is taken, in the order in which it is tried; the last holds the key itself.
fn suffixes(input: &FieldPlanInput<'_>, source: FieldSource) -> [String; 4] {
    let FieldSource::Slot(key) = source else {
        return [
            String::new(),
            " (LeadDesk)".to_owned(),
            " (LeadDesk contact)".to_owned(),
            format!(" ({})", source.key()),
        ];
    };
    let scope_name =
        input.scope_names.get(&key.scope).map_or_else(|| key.scope.to_string(), |name| clean_line(name));
    [String::new(), format!(" ({scope_name})"), format!(" ({scope_name}, {})", key.slot), format!(" ({key})")]
}

/// How notes and descriptions name a source.
fn source_name(source: FieldSource) -> String {
    match source {
        FieldSource::Slot(key) => key.to_string(),
        FieldSource::Contact(field) => field.as_str().to_owned(),
        other => other.key().0,
    }
}

fn description(source: FieldSource, purpose: Option<&str>) -> String {
    let mut description = match source {
        FieldSource::Slot(key) => format!("LeadDesk {} of {}", key.slot, key.scope),
        other => format!("LeadDesk contact field {}", source_name(other)),
    };
    if let Some(purpose) = purpose.map(clean_line).filter(|purpose| !purpose.is_empty()) {
        description.push_str("; purpose: ");
        description.push_str(&purpose);
    }
    truncate_chars(&description, 1_024).into_owned()
}

fn slot_field(candidate: Candidate<'_>, label: String, rank: usize, room: &mut Room, out: &mut FieldPlan) {
    let Candidate { source, kind, inference, filled, existing, purpose, is_chosen, .. } = candidate;
    let draft = FieldDraft {
        key: source.key(),
        object: FieldObject::Customer,
        label,
        kind: kind.field_kind(),
        description: description(source, purpose.as_deref()),
    };
    let existing_id = existing.map(|field| field.id);
    let leave = |label: &str, reason, out: &mut FieldPlan| {
        if let FieldSource::Slot(key) = source {
            out.left.insert(key, LeftSlot { key, label: label.to_owned(), reason, filled });
        }
    };
    match action_for(&draft, existing) {
        Err(reason) => {
            leave(&draft.label, LeftReason::Clash, out);
            refuse(source, &draft.label, existing_id, finding::FLD105_KIND_CLASH, &reason, out);
        }
        Ok(_) if existing.is_some() && is_taken(&draft.label, out) => {
            leave(&draft.label, LeftReason::Clash, out);
            refuse(source, &draft.label, existing_id, finding::FLD110_TAKEN_TWICE, TAKEN, out);
        }
        Ok(action) if room.take(FieldObject::Customer, action) => {
            note_reactivation(action, &draft.label, source, out);
            let name = source_name(source);
            match kind {
                SlotKind::Date => out.notes.push(Note::new(
                    finding::FLD108_DATE_AS_TEXT,
                    ObjectKind::Slot,
                    name,
                    inference.reason.clone(),
                )),
                SlotKind::Number | SlotKind::Boolean => out.notes.push(Note::new(
                    finding::FLD107_KIND_INFERRED,
                    ObjectKind::Slot,
                    name,
                    format!("{}: {}", kind.as_str(), inference.reason),
                )),
                SlotKind::Text => {}
            }
            let (share, reason) = (inference.share, inference.reason);
            out.fields.insert(source, PlannedField { draft, source, kind, action, filled, share, reason });
        }
        Ok(_) => {
            let detail = format!("rank {rank}, {filled} values");
            let name = source_name(source);
            out.notes.push(Note::new(finding::FLD102_NO_ROOM, ObjectKind::Slot, name, detail));
            if is_chosen {
                let reason = "no room for another active Customer field, although a person chose it";
                refuse(source, &draft.label, None, finding::FLD102_NO_ROOM, reason, out);
            }
            leave(&draft.label, LeftReason::NoRoom { rank }, out);
        }
    }
}
