//! What the calls show about other objects: outcomes, groups, contacts. Read from the sealed table, so that every start
//! sees the same.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use snapshot::tables::{SourceCall, SourceOutcome};

use super::organisation::Groups;
use super::seen::Seen;
use crate::source_json;

/// An outcome as calls show it. Names may change over time: the latest counts.
#[derive(Debug, Clone, PartialEq, Eq)]
struct ShownOutcome {
    name: String,
    named_at: Timestamp,
    calls: i64,
}

/// An outcome as the operator's `results.csv` lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedOutcome {
    /// Name.
    pub name: String,
    /// Campaign that owns it; `None` for global ones.
    pub campaign_id: Option<String>,
    /// Whether choosing it finalises the contact.
    pub is_finalising: Option<bool>,
    /// The row.
    pub raw_json: String,
}

/// Everything that calls show.
#[derive(Debug, Clone, Default)]
pub struct CallFacts {
    /// Ids of contacts, ascending.
    pub contact_ids: BTreeSet<u64>,
    outcomes: BTreeMap<String, ShownOutcome>,
    /// Outcomes that were shown under several names.
    pub renamed_outcomes: BTreeSet<String>,
    /// Group of every login name by its latest call: moment, group, name of the group.
    latest_group: BTreeMap<String, (Timestamp, String, String)>,
    groups: BTreeMap<String, String>,
}

impl CallFacts {
    /// Takes one call; the outcome does not depend on the order of calls.
    pub fn observe(&mut self, call: &SourceCall) {
        if let Some(id) = call.leaddesk_contact_id.as_deref().and_then(|id| id.parse().ok()) {
            self.contact_ids.insert(id);
        }
        self.observe_outcome(call);
        let Some(group) = &call.agent_group_id else { return };
        let name = call.agent_group_name.clone().unwrap_or_default();
        let known = self.groups.entry(group.clone()).or_default();
        if name > *known {
            known.clone_from(&name);
        }
        if let Some(username) = call.agent_username.as_ref().filter(|username| !username.trim().is_empty()) {
            let candidate = (call.created_at, group.clone(), name);
            let latest =
                self.latest_group.entry(username.trim().to_owned()).or_insert_with(|| candidate.clone());
            if candidate > *latest {
                *latest = candidate;
            }
        }
    }

    fn observe_outcome(&mut self, call: &SourceCall) {
        let Some(id) = &call.outcome_id else { return };
        let name = call.outcome_name.clone().unwrap_or_default();
        let shown = self.outcomes.entry(id.clone()).or_insert_with(|| ShownOutcome {
            name: name.clone(),
            named_at: call.created_at,
            calls: 0,
        });
        shown.calls += 1;
        if shown.name != name {
            self.renamed_outcomes.insert(id.clone());
            if (call.created_at, &name) > (shown.named_at, &shown.name) {
                shown.name = name;
                shown.named_at = call.created_at;
            }
        } else if call.created_at > shown.named_at {
            shown.named_at = call.created_at;
        }
    }

    /// The taxonomy: what the operator lists, and what calls show beside it.
    #[must_use]
    pub fn outcomes(&self, listed: &BTreeMap<String, ListedOutcome>, seen: &Seen) -> Vec<SourceOutcome> {
        let ids: BTreeSet<&String> = listed.keys().chain(self.outcomes.keys()).collect();
        ids.into_iter()
            .map(|id| {
                let shown = self.outcomes.get(id);
                let calls = shown.map_or(0, |shown| shown.calls);
                let row = |name: String, origin: &str, page: &str, raw_json: String| SourceOutcome {
                    outcome_id: id.clone(),
                    outcome_name: name,
                    campaign_id: listed.get(id).and_then(|listed| listed.campaign_id.clone()),
                    is_finalising: listed.get(id).and_then(|listed| listed.is_finalising),
                    origin: origin.to_owned(),
                    call_count: calls,
                    source_row_hash: String::new(),
                    extracted_at: seen.at,
                    source_page: page.to_owned(),
                    is_deleted: false,
                    raw_json,
                };
                match listed.get(id) {
                    Some(listed) => row(listed.name.clone(), "file", "results.csv", listed.raw_json.clone()),
                    None => {
                        let name = shown.map(|shown| shown.name.clone()).unwrap_or_default();
                        let raw = source_json::object_of([("id", id.as_str()), ("name", name.as_str())]);
                        row(name, "calls", "calls", raw)
                    }
                }
            })
            .collect()
    }

    /// Adds the groups that calls show.
    pub fn add_groups(&self, groups: &mut Groups) {
        for (id, name) in &self.groups {
            groups.derive(id, name, "");
        }
        for (username, (_, group, name)) in &self.latest_group {
            groups.derive(group, name, username);
        }
    }
}
