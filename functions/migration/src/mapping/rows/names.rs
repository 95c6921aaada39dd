//! Rows of tags, teams and users.

use super::super::{MappingRow, Objection, Rationale, RowEvidence, RowId, RowSubject};
use super::{CERTAIN, Planned, carry, conflict, leave, row};
use crate::finding::{self, ObjectKind};
use crate::mapping::Decision;
use crate::settings::UserChoice;
use crate::teams::{TeamAction, TeamChoice};

/// An email that matches leaves little doubt; the account may have been given away.
const BY_EMAIL: f64 = 0.98;
/// Names become tags and teams as they are.
const BY_RULE: f64 = 0.95;

pub(super) fn tag_rows(planned: &Planned<'_>, rows: &mut Vec<MappingRow>) {
    for tag in planned.tag_rows {
        let id = tag.subject.row();
        let name = match &tag.tag {
            Err(reason) => {
                let decision = leave(finding::TAG106_LEFT_BY_CHOICE, format!("left by choice: {reason}"));
                rows.push(row(id, &tag.name, "", None, decision, RowEvidence::certain(CERTAIN)));
                continue;
            }
            Ok(name) => name,
        };
        let Some(decision) = planned.tags.decision(name) else { continue };
        let action = if decision.existing.is_some() { "there already" } else { "created" };
        let mut reason = decision.sources.join(", ");
        if tag.is_renamed {
            reason = format!("{reason}; renamed by a person");
        }
        for code in &decision.codes {
            reason = format!("{reason}; {code} {}", code.entry().title);
        }
        let confidence = if tag.is_renamed { CERTAIN } else { BY_RULE };
        let target = format!("tag `{name}` ({action})");
        rows.push(row(id, &tag.name, target, None, carry(reason, None), RowEvidence::certain(confidence)));
    }
}

pub(super) fn team_rows(planned: &Planned<'_>, rows: &mut Vec<MappingRow>) {
    for team in planned.team_rows {
        let id = RowSubject::Team(team.key.clone()).row();
        let count = u64::try_from(team.members).ok();
        let settled = planned.teams.team(&team.key);
        let target = settled.map_or_else(String::new, |settled| {
            let action = match settled.action {
                TeamAction::Create => "created",
                TeamAction::Reuse(_) => "there already",
            };
            format!("team `{}` ({action})", settled.draft.name)
        });
        let roster = "members by roster, zone and leaders in the description";
        let (decision, confidence) = match &team.choice {
            TeamChoice::Left(reason) => {
                (leave(finding::TEA107_LEFT_BY_CHOICE, format!("left by choice: {reason}")), CERTAIN)
            }
            TeamChoice::Gone(id) => {
                let why = format!("team {id}, which a person chose, is not in the account");
                (conflict(roster, finding::TEA106_TEAM_GONE, why), 0.5)
            }
            TeamChoice::Renamed => (carry(format!("renamed by a person; {roster}"), None), CERTAIN),
            TeamChoice::Team(_) => {
                (carry("chosen by a person; the team keeps its members and description", None), CERTAIN)
            }
            TeamChoice::ByRule => (carry(roster, None), BY_RULE),
        };
        rows.push(row(id, &team.name, target, count, decision, RowEvidence::certain(confidence)));
    }
}

pub(super) fn user_rows(planned: &Planned<'_>, rows: &mut Vec<MappingRow>) {
    let users = planned.users;
    let mut push = |user, target: String, decision, confidence| {
        let name = users.name_of(user).unwrap_or("").to_owned();
        let id = RowId::new(ObjectKind::User, user);
        rows.push(row(id, name, target, None, decision, RowEvidence::certain(confidence)));
    };
    for (user, gorgias_user) in &users.matched {
        let choice = planned.settings.user_choice(*user);
        let is_there = planned.input.gorgias_users.iter().any(|present| present.id == *gorgias_user);
        let target = format!("user {gorgias_user}");
        match choice {
            Some(_) if !is_there => {
                let why = format!("user {gorgias_user} is not in the account");
                push(*user, target, conflict("a person chose this", finding::USR108_USER_GONE, why), 0.5);
            }
            Some(_) => push(*user, target, carry("chosen by a person", None), CERTAIN),
            None => push(*user, target, carry("matched by email", None), BY_EMAIL),
        }
    }
    for user in &users.placeholders {
        let reason = match planned.settings.user_choice(*user) {
            Some(UserChoice::Placeholder(reason)) if !reason.is_empty() => {
                format!("given to the placeholder by name: {reason}")
            }
            _ => "given to the placeholder by name".to_owned(),
        };
        push(*user, "service user".to_owned(), leave(finding::USR107_PLACEHOLDER, reason), CERTAIN);
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
        let confidence = if provision.is_active { 0.5 } else { BY_RULE };
        push(provision.user, "service user".to_owned(), decision, confidence);
    }
}
