//! Users, campaigns, lists, and what the operator's files add to them: sponsors, offices, groups.
//!
//! Deliberately absent: passwords, licences and working times, which no interface shows.

use std::collections::{BTreeMap, BTreeSet};

use snapshot::tables::{SourceAgent, SourceCampaign, SourceGroup, SourceList, SourceOffice};

use super::part::SourceReject;
use super::seen::{Seen, canonical_id, comparable_email};
use crate::operator::delimited::Row;
use crate::operator::table::{Header, cell};
use crate::source_json::{self, SourceObject};

/// A record without the id that it must have.
pub const NO_ID: &str = "EXT301";

/// Reads one user.
///
/// # Errors
/// The record as a reject.
pub fn agent(item: &str, seen: &Seen) -> Result<SourceAgent, SourceReject> {
    let (id, object) = identified("agent", item)?;
    let email_raw = object.text("primary_email");
    Ok(SourceAgent {
        leaddesk_agent_id: id,
        agent_name: object.text("name").unwrap_or_default(),
        username: object.text("username").unwrap_or_default(),
        email_normalized: comparable_email(email_raw.as_deref()),
        email_raw,
        role_raw: object.text("role").unwrap_or_default(),
        is_active: object.text("employment").is_none_or(|employment| employment.trim() == "active"),
        office_name: object.text("office").map(|office| office.trim().to_owned()),
        source_row_hash: String::new(),
        extracted_at: seen.at,
        source_page: seen.page.clone(),
        is_deleted: false,
        raw_json: item.to_owned(),
    })
}

/// Reads one campaign; its sponsor comes from the operator.
///
/// # Errors
/// The record as a reject.
pub fn campaign(
    item: &str,
    sponsors: &BTreeMap<String, String>,
    seen: &Seen,
) -> Result<SourceCampaign, SourceReject> {
    let (id, object) = identified("campaign", item)?;
    Ok(SourceCampaign {
        sponsor_name: sponsors.get(&id).cloned(),
        leaddesk_campaign_id: id,
        campaign_name: object.text("name").unwrap_or_default(),
        campaign_type: object.text("type"),
        is_disabled: matches!(object.text("disabled").as_deref(), Some("true" | "1")),
        source_row_hash: String::new(),
        extracted_at: seen.at,
        source_page: seen.page.clone(),
        is_deleted: false,
        raw_json: item.to_owned(),
    })
}

fn identified<'t>(object: &str, item: &'t str) -> Result<(String, SourceObject<'t>), SourceReject> {
    let parsed = SourceObject::parse(item)
        .map_err(|flaw| SourceReject::record(object, "unknown", flaw.code(), flaw.to_string()))?;
    match parsed.text("id").as_deref().and_then(canonical_id) {
        Some(id) => Ok((id, parsed)),
        None => Err(SourceReject::record(object, "unknown", NO_ID, "id is missing or no positive integer")),
    }
}

/// What the operator's `lists.csv` says of a list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ListSettings {
    /// Ids of the campaigns that dial it, ascending.
    pub campaign_ids: Vec<String>,
    /// Rounds, as written.
    pub rounds: Option<String>,
    /// Expiry, as written.
    pub expiry: Option<String>,
    /// Office.
    pub office: Option<String>,
}

/// Reads one row of `lists.csv`.
///
/// # Errors
/// The row as a reject.
pub fn list_settings(header: &Header, row: &Row<'_>) -> Result<(String, ListSettings), SourceReject> {
    let text = |name: &str| cell(row, header.position(name));
    let id = row_id("list", "lists.csv", row, text("list_id").as_deref())?;
    let mut campaigns: Vec<u64> = text("campaign_ids")
        .unwrap_or_default()
        .split([',', '|', ' '])
        .filter_map(|part| canonical_id(part)?.parse().ok())
        .collect();
    campaigns.sort_unstable();
    campaigns.dedup();
    let campaign_ids = campaigns.into_iter().map(|id| id.to_string()).collect();
    let settings =
        ListSettings { campaign_ids, rounds: text("rounds"), expiry: text("expiry"), office: text("office") };
    Ok((id, settings))
}

/// The id of an operator's row.
///
/// # Errors
/// The row as a reject: broken, or without id.
pub fn row_id(object: &str, file: &str, row: &Row<'_>, id: Option<&str>) -> Result<String, SourceReject> {
    let place = format!("{file}:line-{}", row.line);
    if let Some(flaw) = row.flaw {
        return Err(SourceReject::record(object, place, flaw.code(), flaw.to_string()));
    }
    id.and_then(canonical_id)
        .ok_or_else(|| SourceReject::record(object, place, NO_ID, "id is missing or no positive integer"))
}

/// A list as a row.
#[must_use]
pub fn list(
    id: String,
    name: String,
    settings: Option<&ListSettings>,
    raw_json: String,
    seen: &Seen,
) -> SourceList {
    let settings = settings.cloned().unwrap_or_default();
    SourceList {
        leaddesk_list_id: id,
        list_name: name,
        campaign_ids: (!settings.campaign_ids.is_empty()).then(|| settings.campaign_ids.join(",")),
        rounds_raw: settings.rounds,
        expiry_raw: settings.expiry,
        office_name: settings.office,
        source_row_hash: String::new(),
        extracted_at: seen.at,
        source_page: seen.page.clone(),
        is_deleted: false,
        raw_json,
    }
}

/// Offices of the file, and those that users or lists name.
#[must_use]
pub fn offices(
    zones: &BTreeMap<String, (Option<String>, String)>,
    named: &BTreeSet<String>,
    seen: &Seen,
) -> Vec<SourceOffice> {
    let names: BTreeSet<&String> = zones.keys().chain(named).collect();
    names
        .into_iter()
        .map(|name| {
            let (time_zone, raw_json) = match zones.get(name) {
                Some((zone, raw)) => (zone.clone(), raw.clone()),
                None => (None, source_json::object_of([("name", name.as_str())])),
            };
            SourceOffice {
                office_name: name.clone(),
                time_zone,
                source_row_hash: String::new(),
                extracted_at: seen.at,
                source_page: seen.page.clone(),
                is_deleted: false,
                raw_json,
            }
        })
        .collect()
}

/// Members of groups, by group id and login name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Groups {
    names: BTreeMap<String, String>,
    members: BTreeSet<(String, String)>,
    /// Groups that the operator's file lists; calls add no member to them.
    listed: BTreeSet<String>,
}

impl Groups {
    /// Takes a row of `groups.csv`.
    pub fn list(&mut self, id: &str, name: &str, username: &str) {
        self.listed.insert(id.to_owned());
        self.add(id, name, username);
    }

    /// Takes what calls show: a group that the file does not list, and who was in it last.
    pub fn derive(&mut self, id: &str, name: &str, username: &str) {
        if !self.listed.contains(id) {
            self.add(id, name, username);
        }
    }

    fn add(&mut self, id: &str, name: &str, username: &str) {
        let known = self.names.entry(id.to_owned()).or_default();
        if known.is_empty() {
            name.clone_into(known);
        }
        self.members.insert((id.to_owned(), username.trim().to_owned()));
    }

    /// One row a member; a group without member has one row with an empty login name.
    #[must_use]
    pub fn rows(&self, seen: &Seen) -> Vec<SourceGroup> {
        let has_member: BTreeSet<&String> =
            self.members.iter().filter(|(_, username)| !username.is_empty()).map(|(id, _)| id).collect();
        let rows =
            self.members.iter().filter(|(id, username)| !username.is_empty() || !has_member.contains(id));
        rows.map(|(id, username)| {
            let group_name = self.names.get(id).cloned().unwrap_or_default();
            SourceGroup {
                group_id: id.clone(),
                username: username.clone(),
                source_row_hash: String::new(),
                extracted_at: seen.at,
                source_page: if self.listed.contains(id) {
                    "groups.csv".to_owned()
                } else {
                    "calls".to_owned()
                },
                is_deleted: false,
                raw_json: source_json::object_of([
                    ("group_id", id.as_str()),
                    ("group_name", group_name.as_str()),
                    ("username", username.as_str()),
                ]),
                group_name,
            }
        })
        .collect()
    }
}
