//! Agents who need a user, persons who were brought together, and offices.

use std::collections::{BTreeMap, BTreeSet};

use migration::finding::{self, Code};
use migration::keys::{ExternalId, TeamKey};
use migration::text::{clean_line, folded};
use migration::users::gorgias_role;

use super::dialer::table_cell;
use super::material::Material;
use super::{HandoffError, Sheet};
use crate::report::cell::Table;

/// Why an agent has no user.
fn reason(state: &str) -> Option<(Code, &'static str)> {
    match state {
        "without_email" => {
            Some((finding::USR101_NO_EMAIL, "give the agent an address, then invite that address"))
        }
        "shared_email" => Some((finding::USR102_SHARED_EMAIL, "give each agent an address of their own")),
        "to_provision" => Some((finding::USR103_NO_USER, "invite this address at Gorgias")),
        "placeholder" => Some((finding::USR107_PLACEHOLDER, "invite the agent, if they go on working")),
        _ => None,
    }
}

/// Agents without a user of their own: the admin needs their names to invite them.
pub(super) fn to_provision(material: &Material) -> Result<Sheet, HandoffError> {
    let mut table = Table::new(&[
        "agent_id",
        "name",
        "username",
        "email",
        "role_proposed",
        "still_employed",
        "reason_code",
        "reason",
        "what_to_do",
    ])?;
    let agents: BTreeMap<&str, _> =
        material.agents.iter().map(|agent| (agent.leaddesk_agent_id.as_str(), agent)).collect();
    let mut count = 0;
    for user in &material.users {
        let Some((code, advice)) = reason(&user.state) else { continue };
        let agent = agents.get(user.leaddesk_agent_id.as_str());
        let (employed, advice) = match agent.map(|agent| agent.is_active) {
            Some(true) => ("yes", advice),
            Some(false) => ("no", "nothing; the agent has left"),
            None => ("not known", advice),
        };
        table.push(&[
            &user.leaddesk_agent_id,
            &clean_line(&user.agent_name),
            agent.map_or("", |agent| agent.username.as_str()),
            user.email.as_deref().unwrap_or_default(),
            &user.role,
            employed,
            code.as_str(),
            code.entry().title,
            advice,
        ])?;
        count += 1;
    }
    let about = match count {
        0 => "agents without a Gorgias user: empty, every agent was matched by email or by hand".to_owned(),
        count => {
            format!("agents without a Gorgias user, each with the role that fits and what to do: {count}")
        }
    };
    Ok(Sheet { name: "to-provision.csv".to_owned(), about, body: table.into_bytes()? })
}

/// Contacts that became part of another one, with the reason.
pub(super) fn merged_persons(material: &Material) -> Result<Sheet, HandoffError> {
    let mut table = Table::new(&["contact_id", "merged_into_contact_id", "customer_external_id", "reason"])?;
    for (contact, person, reason) in &material.merges {
        let customer = person.parse().map(ExternalId::customer);
        let customer = customer.map_or_else(|_| String::new(), |customer| customer.to_string());
        table.push(&[contact, person, &customer, reason])?;
    }
    let about = match material.merges.len() {
        0 => "contacts that became one customer: empty, no two contacts are one person".to_owned(),
        count => {
            format!("contacts that became part of another contact's customer, with the reason: {count}")
        }
    };
    Ok(Sheet { name: "merged-persons.csv".to_owned(), about, body: table.into_bytes()? })
}

/// Offices and groups: zone, leaders, roster, telephony.
pub(super) fn offices(material: &Material) -> Sheet {
    let mut out = "# Offices and teams\n\nGorgias teams have neither time zones nor leaders, so both stand in the team's \
                   description and here.\n"
        .to_owned();
    if material.offices.is_empty() {
        out.push_str(
            "\nNo office: no user and no list names one, and offices.csv was not supplied or is empty.\n",
        );
    }
    for office in &material.offices {
        office_section(&mut out, material, &office.office_name, office.time_zone.as_deref());
    }
    groups(&mut out, material);
    let about = match material.offices.len() {
        0 => "offices: none is known; agent groups and their teams".to_owned(),
        count => format!("offices with zone, leaders, roster and what to do about telephony: {count}"),
    };
    Sheet::text("offices.md", about, out)
}

fn office_section(out: &mut String, material: &Material, name: &str, zone: Option<&str>) {
    let of_office =
        |office: &Option<String>| office.as_deref().is_some_and(|other| folded(other) == folded(name));
    let members: Vec<_> = material.agents.iter().filter(|agent| of_office(&agent.office_name)).collect();
    let leads = |role: &str| matches!(gorgias_role(role), "admin" | "agent");
    let leaders: Vec<String> = members
        .iter()
        .filter(|agent| agent.is_active && leads(&agent.role_raw))
        .map(|agent| format!("{} ({})", clean_line(&agent.agent_name), clean_line(&agent.role_raw)))
        .collect();
    out.push_str(&format!("\n## {}\n\n", clean_line(name)));
    out.push_str(&match zone {
        Some(zone) => format!(
            "- Time zone: {}. Set the business hours of its channels in this zone.\n",
            clean_line(zone)
        ),
        None => "- Time zone: not stated in offices.csv; ask the office before setting business hours.\n"
            .to_owned(),
    });
    out.push_str(&match leaders.is_empty() {
        true => "- Leaders: nobody in this office is a team leader, manager or admin.\n".to_owned(),
        false => format!("- Leaders: {}.\n", leaders.join(", ")),
    });
    let active = members.iter().filter(|agent| agent.is_active).count();
    out.push_str(&format!("- Roster: {active} active of {} agents.\n", members.len()));
    out.push_str(&team_line(material, |key| {
        key.0.strip_prefix("office:").is_some_and(|key| folded(key) == folded(name))
    }));
    let lists = material.lists.iter().filter(|list| of_office(&list.office_name)).count();
    out.push_str(&format!("- Calling lists of this office: {lists}.\n"));
    out.push_str(
        "- Telephony: the numbers and call routing of LeadDesk do not move. Before the account closes, port or forward \
         the numbers of this office, then add them as a Gorgias Voice integration and send their calls to the team above.\n",
    );
}

fn team_line(material: &Material, is_it: impl Fn(&TeamKey) -> bool) -> String {
    let team = material.teams.iter().find(|team| is_it(&TeamKey(team.team_key.clone())));
    match team {
        Some(team) => format!("- Team at Gorgias: {}.\n", clean_line(&team.team_name)),
        None => "- Team at Gorgias: none was made; see lost-or-changed.md.\n".to_owned(),
    }
}

fn groups(out: &mut String, material: &Material) {
    out.push_str("\n## Agent groups\n\n");
    let mut groups: BTreeMap<&str, (&str, BTreeSet<&str>)> = BTreeMap::new();
    for row in &material.groups {
        let (_, members) = groups.entry(&row.group_id).or_insert((&row.group_name, BTreeSet::new()));
        if !row.username.is_empty() {
            members.insert(&row.username);
        }
    }
    if groups.is_empty() {
        out.push_str("No group: neither groups.csv nor a call names one.\n");
        return;
    }
    out.push_str("| group | name | members | team at Gorgias |\n| --- | --- | --- | --- |\n");
    for (id, (name, members)) in groups {
        let key = format!("group:{id}");
        let team = material.teams.iter().find(|team| team.team_key == key);
        let team = team.map_or_else(|| "none was made".to_owned(), |team| table_cell(&team.team_name));
        out.push_str(&format!("| {id} | {} | {} | {team} |\n", table_cell(name), members.len()));
    }
}
