//! Rows of values that become other values: roles, statuses of leads, outcomes.

use std::collections::{BTreeMap, BTreeSet};

use super::super::{MappingRow, RowChoice, RowEvidence, RowSubject};
use super::{CERTAIN, Planned, carry, leave, row};
use crate::finding;
use crate::leaddesk::LeadStatus;
use crate::text::{clean_line, folded};
use crate::users::SourceRole;

/// Fixed by the documentation of both systems.
const BY_RULE: f64 = 0.95;
/// What an unfinished lead should be is a matter of taste.
const BY_DEFAULT: f64 = 0.8;

fn reason(is_chosen: bool, by_rule: &str) -> String {
    if is_chosen { "chosen by a person".to_owned() } else { by_rule.to_owned() }
}

/// LeadDesk's roles, with the number of accounts that have each.
pub(super) fn role_rows(planned: &Planned<'_>, rows: &mut Vec<MappingRow>) {
    for role in SourceRole::ALL.iter().copied() {
        let subject = RowSubject::Role(role);
        let has = |user: &&crate::leaddesk::User| SourceRole::from_text(&user.role) == Some(role);
        let count = u64::try_from(planned.input.users.iter().filter(has).count()).ok();
        let chosen = planned.settings.choices.of(&subject).is_some();
        let target = format!("role `{}`", planned.settings.role(role.as_str()).as_str());
        let decision = carry(reason(chosen, "role of a user to provision"), None);
        let evidence = RowEvidence::certain(if chosen { CERTAIN } else { BY_RULE });
        rows.push(row(subject.row(), role.as_str(), target, count, decision, evidence));
    }
}

/// LeadDesk's three states, and the account's own words.
pub(super) fn status_rows(planned: &Planned<'_>, rows: &mut Vec<MappingRow>) {
    let mut words: BTreeMap<String, (String, Option<LeadStatus>, u64)> = BTreeMap::new();
    for status in [LeadStatus::Unused, LeadStatus::InCirculation, LeadStatus::Finished] {
        let word = status.as_str();
        words.insert(word.to_owned(), (word.to_owned(), Some(status), 0));
    }
    for (word, count) in planned.input.lead_statuses {
        let shown = clean_line(word);
        if shown.is_empty() {
            continue;
        }
        words.entry(folded(word)).or_insert((shown, None, 0)).2 += count;
    }
    for (key, (shown, status, count)) in words {
        let subject = RowSubject::LeadStatus(key);
        let choice = planned.settings.choices.of(&subject);
        let (target, by_rule) = match (choice, status) {
            (Some(RowChoice::Status(chosen)), _) => (format!("ticket status `{}`", chosen.as_str()), ""),
            (_, Some(status)) => {
                let by_rule = match status {
                    LeadStatus::Finished => "nobody waits for anything",
                    _ => "the setting for unfinished leads",
                };
                let target = planned.settings.ticket_status(status, "");
                (format!("ticket status `{}`", target.as_str()), by_rule)
            }
            (_, None) => {
                let by_rule = "the account's own word: the lead's state in its list decides";
                ("ticket status by the state in the list".to_owned(), by_rule)
            }
        };
        let confidence = match (choice, status) {
            (Some(_), _) => CERTAIN,
            (None, Some(LeadStatus::Finished)) => BY_RULE,
            (None, _) => BY_DEFAULT,
        };
        let count = (count > 0).then_some(count);
        let decision = carry(reason(choice.is_some(), by_rule), None);
        rows.push(row(subject.row(), shown, target, count, decision, RowEvidence::certain(confidence)));
    }
}

/// The taxonomy: each outcome is a value of the disposition field where it is a lead's latest.
pub(super) fn outcome_rows(planned: &Planned<'_>, rows: &mut Vec<MappingRow>) {
    let mut done = BTreeSet::new();
    for (outcome, calls) in planned.input.outcomes {
        if !done.insert(outcome.id) {
            continue;
        }
        let subject = RowSubject::Outcome(outcome.id);
        let (target, decision, confidence) = match planned.settings.choices.of(&subject) {
            Some(RowChoice::Leave { reason }) => {
                let why = format!("left by choice: {reason}; it stands in the notes of calls");
                (String::new(), leave(finding::FLD113_LEFT_BY_CHOICE, why), CERTAIN)
            }
            Some(RowChoice::Rename { name }) => {
                let target = format!("value `{} ({})`", clean_line(name), outcome.id);
                (target, carry("renamed by a person; the id stays behind it", None), CERTAIN)
            }
            _ => {
                let target = format!("value `{} ({})`", clean_line(&outcome.name), outcome.id);
                (target, carry("value of the disposition field where it is the latest", None), BY_RULE)
            }
        };
        let evidence = RowEvidence::certain(confidence);
        rows.push(row(subject.row(), clean_line(&outcome.name), target, Some(*calls), decision, evidence));
    }
}
