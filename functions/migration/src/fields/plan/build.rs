//! Builds a [`FieldPlan`]: fixed fields first, then slots by how often they are filled, then labels.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    DISPOSITION_LABEL, EMAIL_OPT_OUT_LABEL, FieldAction, FieldConflict, FieldPlan, FieldPlanInput,
    FieldSource, LEAD_STATUS_LABEL, LeftReason, LeftSlot, PlannedField, RAW_PHONE_LABEL,
};
use crate::fields::{Inference, Scope, SlotKey, SlotKind, SlotStatistics, infer, words};
use crate::finding::{self, Note, ObjectKind};
use crate::gorgias::{self, FIELD_LABEL_CHARS_MAX, FieldDraft, FieldObject};
use crate::leaddesk::SlotSetting;
use crate::settings::{SlotChoice, UnnormalisablePhone};
use crate::text::{clean_line, folded, truncate_chars};

/// Share of values with the shape of a bank account or national id that makes a slot sensitive.
const SENSITIVE_SHARE_MIN: f64 = 0.1;

struct Candidate<'a> {
    key: SlotKey,
    label: String,
    kind: SlotKind,
    inference: Inference,
    statistics: &'a SlotStatistics,
    existing: Option<&'a gorgias::Field>,
    purpose: Option<String>,
}

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

fn fixed_fields(input: &FieldPlanInput<'_>, room: &mut Room, out: &mut FieldPlan) {
    let raw_phone = input.mapping.unnormalisable_phone == UnnormalisablePhone::KeepAsField;
    let fixed = [
        (
            FieldSource::Disposition,
            FieldObject::Ticket,
            DISPOSITION_LABEL,
            SlotKind::Text,
            "Latest outcome of the lead's calls in LeadDesk",
        ),
        (
            FieldSource::LeadStatus,
            FieldObject::Ticket,
            LEAD_STATUS_LABEL,
            SlotKind::Text,
            "Status of the lead in LeadDesk, as it was",
        ),
        (
            FieldSource::EmailOptOut,
            FieldObject::Customer,
            EMAIL_OPT_OUT_LABEL,
            SlotKind::Boolean,
            "On LeadDesk's blacklist, or opted out by the mapped consent field",
        ),
        (
            FieldSource::RawPhone,
            FieldObject::Customer,
            RAW_PHONE_LABEL,
            SlotKind::Text,
            "Numbers of LeadDesk that have no international form",
        ),
    ];
    for (source, object, label, kind, description) in fixed {
        if source == FieldSource::RawPhone && !raw_phone {
            continue;
        }
        let draft = FieldDraft {
            key: source.key(),
            object,
            label: label.to_owned(),
            kind: kind.field_kind(),
            description: description.to_owned(),
        };
        let existing = existing_of(input.existing, &draft);
        match action_for(&draft, existing) {
            Err(reason) => out.conflicts.push(FieldConflict {
                source,
                label: label.to_owned(),
                existing: existing.map(|field| field.id),
                reason,
            }),
            Ok(action) if room.take(object, action) => {
                note_reactivation(action, &draft.label, source, out);
                let reason = "fixed by the mapping".to_owned();
                let field = PlannedField { draft, source, kind, action, filled: 0, share: 1.0, reason };
                out.fields.insert(source, field);
            }
            Ok(_) => out.conflicts.push(FieldConflict {
                source,
                label: label.to_owned(),
                existing: None,
                reason: format!("no room for another active {} field", object.as_str()),
            }),
        }
    }
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

/// Slots that may become fields, most filled first; all others are left with their reason.
fn candidates<'a>(input: &FieldPlanInput<'a>, out: &mut FieldPlan) -> Vec<Candidate<'a>> {
    let settings: BTreeMap<SlotKey, &SlotSetting> = input
        .settings
        .iter()
        .map(|setting| (SlotKey { slot: setting.slot, scope: Scope::Campaign(setting.campaign) }, setting))
        .collect();
    let mut candidates = Vec::new();
    for (key, statistics) in input.statistics {
        if statistics.filled() == 0 {
            continue;
        }
        let setting = settings.get(key).copied();
        let label = label_of(*key, setting);
        let choice = input.mapping.slot_choices.get(key);
        let reason = match choice {
            Some(SlotChoice::Leave(reason)) => Some(LeftReason::ByChoice(reason.clone())),
            Some(SlotChoice::Carry { .. }) => None,
            None => sensitivity(&label, statistics).map(LeftReason::Sensitive),
        };
        if let Some(reason) = reason {
            if let LeftReason::Sensitive(why) = &reason {
                out.notes.push(Note::new(finding::FLD101_LEFT_SENSITIVE, ObjectKind::Slot, key, why.clone()));
            }
            out.left.insert(*key, LeftSlot { key: *key, label, reason, filled: statistics.filled() });
            continue;
        }
        let inference = infer(statistics, setting);
        let (kind, purpose) = match choice {
            Some(SlotChoice::Carry { purpose, kind }) => {
                (kind.unwrap_or(inference.slot_kind()), Some(purpose.clone()))
            }
            _ => (inference.slot_kind(), None),
        };
        let external_id = FieldSource::Slot(*key).key().0;
        let existing =
            input.existing.iter().find(|field| field.external_id.as_deref() == Some(external_id.as_str()));
        candidates.push(Candidate { key: *key, label, kind, inference, statistics, existing, purpose });
    }
    candidates.sort_by_key(|candidate| (std::cmp::Reverse(candidate.statistics.filled()), candidate.key));
    candidates
}

fn label_of(key: SlotKey, setting: Option<&SlotSetting>) -> String {
    let stated = setting.map(|setting| clean_line(&setting.label)).filter(|label| !label.is_empty());
    stated.unwrap_or_else(|| format!("LeadDesk other {}", key.slot.number()))
}

fn sensitivity(label: &str, statistics: &SlotStatistics) -> Option<String> {
    if let Some(part) = words::sensitive(label) {
        return Some(format!("label contains `{part}`"));
    }
    #[expect(clippy::cast_precision_loss, reason = "counts of values stay far below 2^52")]
    let share = statistics.sensitive() as f64 / statistics.filled() as f64;
    (share >= SENSITIVE_SHARE_MIN)
        .then(|| "values have the shape of a bank account or national id".to_owned())
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
        .collect();
    let mut wanted: BTreeMap<String, usize> = BTreeMap::new();
    for candidate in candidates {
        *wanted.entry(folded(&candidate.label)).or_default() += 1;
    }
    let mut order: Vec<usize> = (0..candidates.len()).collect();
    order.sort_by_key(|index| candidates[*index].key);
    let mut labels = vec![String::new(); candidates.len()];
    for index in order {
        let candidate = &candidates[index];
        if let Some(field) = candidate.existing {
            labels[index].clone_from(&field.label);
            taken.insert(folded(&field.label));
            continue;
        }
        let scope = candidate.key.scope;
        let scope_name =
            input.scope_names.get(&scope).map_or_else(|| scope.to_string(), |name| clean_line(name));
        let suffixes = [
            String::new(),
            format!(" ({scope_name})"),
            format!(" ({scope_name}, {})", candidate.key.slot),
            format!(" ({})", candidate.key),
        ];
        // The last suffix holds the key itself, so it cannot be taken.
        let from = usize::from(wanted[&folded(&candidate.label)] > 1);
        let label = suffixes[from..]
            .iter()
            .map(|suffix| suffixed(&candidate.label, suffix))
            .find(|label| !taken.contains(&folded(label)))
            .unwrap_or_else(|| candidate.key.to_string());
        if label != candidate.label {
            let detail = format!("`{}` becomes `{label}`", candidate.label);
            out.notes.push(Note::new(finding::FLD103_LABEL_CLASH, ObjectKind::Slot, candidate.key, detail));
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

fn slot_field(candidate: Candidate<'_>, label: String, rank: usize, room: &mut Room, out: &mut FieldPlan) {
    let Candidate { key, kind, inference, statistics, existing, purpose, .. } = candidate;
    let source = FieldSource::Slot(key);
    let mut description = format!("LeadDesk {} of {}", key.slot, key.scope);
    if let Some(purpose) = &purpose {
        description.push_str("; purpose: ");
        description.push_str(&clean_line(purpose));
    }
    let description = truncate_chars(&description, 1_024).into_owned();
    let draft = FieldDraft {
        key: source.key(),
        object: FieldObject::Customer,
        label,
        kind: kind.field_kind(),
        description,
    };
    let filled = statistics.filled();
    let left = |label: String, reason| LeftSlot { key, label, reason, filled };
    match action_for(&draft, existing) {
        Err(reason) => {
            out.conflicts.push(FieldConflict {
                source,
                label: draft.label.clone(),
                existing: existing.map(|field| field.id),
                reason,
            });
            out.left.insert(key, left(draft.label, LeftReason::Clash));
        }
        Ok(action) if room.take(FieldObject::Customer, action) => {
            note_reactivation(action, &draft.label, source, out);
            match kind {
                SlotKind::Date => out.notes.push(Note::new(
                    finding::FLD108_DATE_AS_TEXT,
                    ObjectKind::Slot,
                    key,
                    inference.reason.clone(),
                )),
                SlotKind::Number | SlotKind::Boolean => out.notes.push(Note::new(
                    finding::FLD107_KIND_INFERRED,
                    ObjectKind::Slot,
                    key,
                    format!("{}: {}", kind.as_str(), inference.reason),
                )),
                SlotKind::Text => {}
            }
            let (share, reason) = (inference.share, inference.reason);
            out.fields.insert(source, PlannedField { draft, source, kind, action, filled, share, reason });
        }
        Ok(_) => {
            let detail = format!("rank {rank}, {filled} values");
            out.notes.push(Note::new(finding::FLD102_NO_ROOM, ObjectKind::Slot, key, detail));
            out.left.insert(key, left(draft.label, LeftReason::NoRoom { rank }));
        }
    }
}
