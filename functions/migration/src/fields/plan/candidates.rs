//! Which slots and card fields ask for a field, under the settings and a person's choices.

use std::collections::BTreeMap;

use super::{FieldConflict, FieldPlan, FieldPlanInput, FieldSource, LeftReason, LeftSlot};
use crate::fields::{
    ContactField, Inference, Scope, SlotKey, SlotKind, SlotStatistics, chosen, infer, informed, words,
};
use crate::finding::{self, Code, Note, ObjectKind};
use crate::gorgias::{self, FieldKind};
use crate::leaddesk::SlotSetting;
use crate::mapping::{CarryInto, RowSubject};
use crate::settings::FieldChoice;
use crate::text::clean_line;

/// Share of values with the shape of a bank account or national id that makes a slot sensitive.
const SENSITIVE_SHARE_MIN: f64 = 0.1;

/// A source that may become a field.
pub(super) struct Candidate<'a> {
    pub(super) source: FieldSource,
    pub(super) label: String,
    pub(super) kind: SlotKind,
    pub(super) inference: Inference,
    pub(super) filled: u64,
    pub(super) existing: Option<&'a gorgias::Field>,
    pub(super) purpose: Option<String>,
    /// A person chose it: it goes before what the rules propose.
    pub(super) is_chosen: bool,
}

/// Notes that a source cannot have its field.
pub(super) fn refuse(
    source: FieldSource,
    label: &str,
    existing: Option<gorgias::FieldId>,
    code: Code,
    reason: &str,
    out: &mut FieldPlan,
) {
    let (label, reason) = (label.to_owned(), reason.to_owned());
    out.conflicts.push(FieldConflict { source, label, existing, code, reason });
}

/// Sources that may become fields: those that a person chose first, then the most filled; all others are left with
/// their reason.
pub(super) fn candidates<'a>(input: &FieldPlanInput<'a>, out: &mut FieldPlan) -> Vec<Candidate<'a>> {
    let settings: BTreeMap<SlotKey, &SlotSetting> = input
        .settings
        .iter()
        .map(|setting| (SlotKey { slot: setting.slot, scope: Scope::Campaign(setting.campaign) }, setting))
        .collect();
    let mut candidates = Vec::new();
    for (key, statistics) in input.statistics {
        if statistics.filled() > 0 {
            candidates.extend(slot(input, *key, statistics, settings.get(key).copied(), out));
        }
    }
    let card = ContactField::ALL.iter().copied().filter(|field| field.is_card());
    for field in card {
        candidates.extend(card_field(input, field, out));
    }
    candidates.sort_by_key(|candidate| {
        (!candidate.is_chosen, std::cmp::Reverse(candidate.filled), candidate.source)
    });
    candidates
}

fn slot<'a>(
    input: &FieldPlanInput<'a>,
    key: SlotKey,
    statistics: &SlotStatistics,
    setting: Option<&SlotSetting>,
    out: &mut FieldPlan,
) -> Option<Candidate<'a>> {
    let label = label_of(key, setting);
    let filled = statistics.filled();
    let choice = input.mapping.field_choice(&RowSubject::Slot(key));
    let suggestion = input.suggestions.get(&key);
    let forbidden = || suggestion.and_then(|found| found.forbids()).map(str::to_owned);
    let sensitive = sensitivity(&label, statistics).or_else(forbidden);
    let leave = |label: String, reason, out: &mut FieldPlan| {
        out.left.insert(key, LeftSlot { key, label, reason, filled });
        None
    };
    match choice {
        Some(FieldChoice::Leave(reason)) => leave(label, LeftReason::ByChoice(reason.to_owned()), out),
        Some(FieldChoice::Carry { purpose, .. }) if sensitive.is_some() && clean_line(purpose).is_empty() => {
            let why = sensitive.unwrap_or_default();
            let reason = format!("{why}: it is carried with a purpose only");
            refuse(FieldSource::Slot(key), &label, None, finding::FLD111_NO_PURPOSE, &reason, out);
            leave(label, LeftReason::Sensitive(why), out)
        }
        Some(FieldChoice::Carry { into: Some(CarryInto::LeadCard), .. }) => {
            leave(label, LeftReason::OnCard, out)
        }
        Some(FieldChoice::Carry { into: Some(CarryInto::OptOut(words)), .. }) => {
            leave(label, LeftReason::OptOut(words.clone()), out)
        }
        None if sensitive.is_some() => {
            let why = sensitive.unwrap_or_default();
            out.notes.push(Note::new(finding::FLD101_LEFT_SENSITIVE, ObjectKind::Slot, key, why.clone()));
            leave(label, LeftReason::Sensitive(why), out)
        }
        Some(FieldChoice::Carry { .. }) | None => {
            let inference = informed(statistics, setting, suggestion);
            let made = candidate(input, FieldSource::Slot(key), label.clone(), inference, choice, out);
            made.map(|candidate| under_its_kind(Candidate { filled, ..candidate }, statistics))
                .or_else(|| leave(label, LeftReason::Clash, out))
        }
    }
}

/// The share of values that fit is told for the type that was chosen, not for the one that was inferred.
fn under_its_kind<'a>(made: Candidate<'a>, statistics: &SlotStatistics) -> Candidate<'a> {
    if made.kind == made.inference.slot_kind() {
        return made;
    }
    let inference = chosen(statistics, made.kind);
    Candidate { inference, ..made }
}

/// A card field asks for a field only when a person said so.
fn card_field<'a>(
    input: &FieldPlanInput<'a>,
    field: ContactField,
    out: &mut FieldPlan,
) -> Option<Candidate<'a>> {
    let choice = input.mapping.field_choice(&RowSubject::Contact(field))?;
    let is_field = matches!(
        choice,
        FieldChoice::Carry { into: None | Some(CarryInto::NewField(_) | CarryInto::Field(_)), .. }
    );
    if !is_field {
        return None;
    }
    let none = SlotStatistics::new();
    let inference = Inference { reason: "chosen by a person".to_owned(), ..infer(&none, None) };
    candidate(input, FieldSource::Contact(field), field.label().to_owned(), inference, Some(choice), out)
}

fn candidate<'a>(
    input: &FieldPlanInput<'a>,
    source: FieldSource,
    label: String,
    inference: Inference,
    choice: Option<FieldChoice<'_>>,
    out: &mut FieldPlan,
) -> Option<Candidate<'a>> {
    let external_id = source.key().0;
    let ours = input.existing.iter().find(|field| field.external_id.as_deref() == Some(external_id.as_str()));
    let mut made = Candidate {
        source,
        label,
        kind: inference.slot_kind(),
        inference,
        filled: 0,
        existing: ours,
        purpose: None,
        is_chosen: choice.is_some(),
    };
    let Some(FieldChoice::Carry { purpose, kind, into }) = choice else { return Some(made) };
    made.purpose = Some(purpose.to_owned());
    made.kind = kind.unwrap_or(made.kind);
    match into {
        Some(CarryInto::NewField(label)) => made.label = clean_line(label),
        Some(CarryInto::Field(id)) => {
            let Some(field) = input.existing.iter().find(|field| field.id == *id) else {
                let reason = "the chosen field is not there";
                refuse(source, &made.label, None, finding::FLD112_FIELD_GONE, reason, out);
                return None;
            };
            made.label.clone_from(&field.label);
            made.existing = Some(field);
            if kind.is_none() {
                made.kind = kind_of(field.kind, made.kind);
            }
        }
        _ => {}
    }
    Some(made)
}

/// How values are read for a field that is there: dates stay dates where text is taken.
fn kind_of(field: FieldKind, inferred: SlotKind) -> SlotKind {
    match field {
        FieldKind::Number => SlotKind::Number,
        FieldKind::Boolean => SlotKind::Boolean,
        FieldKind::Text if inferred == SlotKind::Date => SlotKind::Date,
        FieldKind::Text => SlotKind::Text,
    }
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
