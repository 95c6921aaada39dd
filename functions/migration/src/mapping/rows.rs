//! The rows that a reviewer reads, made from the plans; and the digest over all of it.

use super::{Decision, MappingRow, Objection, Rationale, RowId};
use crate::canonical::{Canonical, Digest};
use crate::fields::{FieldAction, FieldPlan, FieldSource, LeftReason};
use crate::finding::{self, ObjectKind};
use crate::gorgias::FieldObject;
use crate::settings::MappingSettings;
use crate::tags::TagPlan;
use crate::teams::{TeamAction, TeamPlan};
use crate::users::UserMatches;

pub(super) fn rows(
    fields: &FieldPlan,
    tags: &TagPlan,
    teams: &TeamPlan,
    users: &UserMatches,
) -> Vec<MappingRow> {
    let mut rows = Vec::new();
    field_rows(fields, &mut rows);
    left_rows(fields, &mut rows);
    // A conflict replaces the row of the slot that it concerns, so it comes last.
    conflict_rows(fields, &mut rows);
    tag_rows(tags, &mut rows);
    team_rows(teams, &mut rows);
    user_rows(users, &mut rows);
    rows
}

fn carry(reason: impl Into<String>, share: Option<f64>) -> Decision {
    Decision::Carry(Rationale { reason: reason.into(), share })
}

fn leave(code: finding::Code, reason: impl Into<String>) -> Decision {
    Decision::Leave(Objection { code, reason: reason.into() })
}

/// Slots are rows of their own; fixed fields are rows of what fills them.
fn row_of(source: FieldSource) -> RowId {
    match source {
        FieldSource::Disposition => RowId::new(ObjectKind::Outcome, "latest"),
        FieldSource::LeadStatus => RowId::new(ObjectKind::Lead, "status"),
        FieldSource::EmailOptOut => RowId::new(ObjectKind::BlacklistEntry, "opt-out"),
        FieldSource::RawPhone => RowId::new(ObjectKind::Contact, "phone-as-received"),
        FieldSource::Slot(key) => RowId::new(ObjectKind::Slot, key),
    }
}

fn object_word(object: FieldObject) -> &'static str {
    match object {
        FieldObject::Ticket => "ticket",
        FieldObject::Customer => "customer",
    }
}

fn field_rows(fields: &FieldPlan, rows: &mut Vec<MappingRow>) {
    for field in fields.fields() {
        let draft = &field.draft;
        let action = match field.action {
            FieldAction::Create => "created",
            FieldAction::Reuse(_) => "there already",
            FieldAction::Reactivate(_) => "reactivated",
        };
        let object = object_word(draft.object);
        let is_slot = matches!(field.source, FieldSource::Slot(_));
        rows.push(MappingRow {
            id: row_of(field.source),
            name: draft.label.clone(),
            target: format!("{object} field `{}` ({}, {action})", draft.label, field.kind.as_str()),
            count: is_slot.then_some(field.filled),
            decision: carry(field.reason.clone(), is_slot.then_some(field.share)),
        });
    }
}

fn left_rows(fields: &FieldPlan, rows: &mut Vec<MappingRow>) {
    for left in fields.left() {
        let (decision, target) = match &left.reason {
            LeftReason::Sensitive(why) => (leave(finding::FLD101_LEFT_SENSITIVE, why.clone()), ""),
            LeftReason::ByChoice(why) => {
                (leave(finding::FLD101_LEFT_SENSITIVE, format!("left by choice: {why}")), "")
            }
            LeftReason::NoRoom { rank } => {
                let why = format!("place {rank} by fill, and no room for another field");
                (leave(finding::FLD102_NO_ROOM, why), "lead card")
            }
            LeftReason::Clash => {
                (leave(finding::FLD105_KIND_CLASH, "another field stands in the way"), "lead card")
            }
        };
        rows.push(MappingRow {
            id: RowId::new(ObjectKind::Slot, left.key),
            name: left.label.clone(),
            target: target.to_owned(),
            count: Some(left.filled),
            decision,
        });
    }
}

fn conflict_rows(fields: &FieldPlan, rows: &mut Vec<MappingRow>) {
    for conflict in fields.conflicts() {
        let code =
            if conflict.existing.is_some() { finding::FLD105_KIND_CLASH } else { finding::FLD102_NO_ROOM };
        rows.push(MappingRow {
            id: row_of(conflict.source),
            name: conflict.label.clone(),
            target: format!("field `{}`", conflict.label),
            count: None,
            decision: Decision::Conflict {
                carry: Rationale { reason: "the mapping promises this field".to_owned(), share: None },
                leave: Objection { code, reason: conflict.reason.clone() },
            },
        });
    }
}

fn tag_rows(tags: &TagPlan, rows: &mut Vec<MappingRow>) {
    for decision in &tags.decisions {
        let action = if decision.existing.is_some() { "there already" } else { "created" };
        let mut reason = decision.sources.join(", ");
        for code in &decision.codes {
            reason = format!("{reason}; {code} {}", code.entry().title);
        }
        rows.push(MappingRow {
            id: RowId::new(ObjectKind::Campaign, format!("tag:{}", decision.name)),
            name: decision.name.clone(),
            target: format!("tag `{}` ({action})", decision.name),
            count: None,
            decision: carry(reason, None),
        });
    }
}

fn team_rows(teams: &TeamPlan, rows: &mut Vec<MappingRow>) {
    for team in &teams.teams {
        let is_office = team.draft.key.0.starts_with("office:");
        let object = if is_office { ObjectKind::Office } else { ObjectKind::Group };
        let action = match team.action {
            TeamAction::Create => "created",
            TeamAction::Reuse(_) => "there already",
        };
        rows.push(MappingRow {
            id: RowId::new(object, &team.draft.key),
            name: team.draft.name.clone(),
            target: format!("team `{}` ({action})", team.draft.name),
            count: u64::try_from(team.draft.members.len()).ok(),
            decision: carry("members by roster, zone and leaders in the description", None),
        });
    }
}

fn user_rows(users: &UserMatches, rows: &mut Vec<MappingRow>) {
    let mut push = |user, target: String, decision| {
        let name = users.name_of(user).unwrap_or("").to_owned();
        rows.push(MappingRow { id: RowId::new(ObjectKind::User, user), name, target, count: None, decision });
    };
    for (user, gorgias_user) in &users.matched {
        push(*user, format!("user {gorgias_user}"), carry("matched by email or by hand", None));
    }
    for user in &users.placeholders {
        push(
            *user,
            "service user".to_owned(),
            leave(finding::USR107_PLACEHOLDER, "given to the placeholder by name"),
        );
    }
    for provision in &users.to_provision {
        let code = provision.reason.code();
        let objection = Objection { code, reason: code.entry().title.to_owned() };
        let decision = if provision.is_active {
            let reason = format!("provision with role `{}`", provision.role);
            Decision::Conflict { carry: Rationale { reason, share: None }, leave: objection }
        } else {
            Decision::Leave(objection)
        };
        push(provision.user, "service user".to_owned(), decision);
    }
}

pub(super) fn digest(
    rows: &[&MappingRow],
    settings: &MappingSettings,
    fields: &FieldPlan,
    tags: &TagPlan,
    teams: &TeamPlan,
    users: &UserMatches,
) -> Digest {
    let mut out = Canonical::new("mapping-proposal/1");
    settings.render(&mut out);
    fields.render(&mut out);
    tags.render(&mut out);
    teams.render(&mut out);
    users.render(&mut out);
    for row in rows {
        out.put("row", &row.id).put("name", &row.name).put("target", &row.target);
        out.put_option("count", row.count).put("decision", row.decision.as_str());
        let mut carry = |rationale: &Rationale| {
            out.put("carry", &rationale.reason).put_option("share", rationale.share);
        };
        match &row.decision {
            Decision::Carry(rationale) => carry(rationale),
            Decision::Leave(objection) => {
                out.put("leave", &objection.reason).put("code", objection.code);
            }
            Decision::Conflict { carry: rationale, leave } => {
                carry(rationale);
                out.put("leave", &leave.reason).put("code", leave.code);
            }
        }
    }
    out.digest()
}
