//! The rows that a reviewer reads, made from the plans.

use std::collections::BTreeMap;

use super::{Decision, MappingRow, Objection, ProposalInput, Rationale, RowEvidence, RowId};
use crate::fields::{FieldPlan, SlotKey};
use crate::finding;
use crate::settings::MappingSettings;
use crate::suggest::Suggestion;
use crate::tags::{TagPlan, TagRow};
use crate::teams::{TeamPlan, TeamRow};
use crate::users::UserMatches;

mod digest;
mod fields;
mod names;
mod values;

pub(super) use digest::digest;

/// Everything that rows are made from.
#[derive(Clone, Copy)]
pub(super) struct Planned<'a> {
    pub(super) settings: &'a MappingSettings,
    pub(super) input: &'a ProposalInput<'a>,
    pub(super) suggestions: &'a BTreeMap<SlotKey, Suggestion>,
    pub(super) fields: &'a FieldPlan,
    pub(super) tags: &'a TagPlan,
    pub(super) tag_rows: &'a [TagRow],
    pub(super) teams: &'a TeamPlan,
    pub(super) team_rows: &'a [TeamRow],
    pub(super) users: &'a UserMatches,
}

/// How sure a decision is that a person made, or that cannot be otherwise.
const CERTAIN: f64 = 1.0;

pub(super) fn rows(planned: &Planned<'_>) -> Vec<MappingRow> {
    let mut rows = Vec::new();
    fields::card_rows(planned, &mut rows);
    fields::field_rows(planned, &mut rows);
    fields::left_rows(planned, &mut rows);
    // A conflict replaces the row of the slot that it concerns, so it comes last.
    fields::conflict_rows(planned, &mut rows);
    names::tag_rows(planned, &mut rows);
    names::team_rows(planned, &mut rows);
    names::user_rows(planned, &mut rows);
    values::role_rows(planned, &mut rows);
    values::status_rows(planned, &mut rows);
    values::outcome_rows(planned, &mut rows);
    rows
}

fn carry(reason: impl Into<String>, share: Option<f64>) -> Decision {
    Decision::Carry(Rationale { reason: reason.into(), share })
}

fn leave(code: finding::Code, reason: impl Into<String>) -> Decision {
    Decision::Leave(Objection { code, reason: reason.into() })
}

fn conflict(carry: impl Into<String>, code: finding::Code, reason: impl Into<String>) -> Decision {
    Decision::Conflict {
        carry: Rationale { reason: carry.into(), share: None },
        leave: Objection { code, reason: reason.into() },
    }
}

fn row(
    id: RowId,
    name: impl Into<String>,
    target: impl Into<String>,
    count: Option<u64>,
    decision: Decision,
    evidence: RowEvidence,
) -> MappingRow {
    MappingRow { id, name: name.into(), target: target.into(), count, decision, evidence: Some(evidence) }
}
