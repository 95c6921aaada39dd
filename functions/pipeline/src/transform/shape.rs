//! The account's shape as it should be: tags, fields, teams, users; and how every field and value was mapped.

use std::collections::{BTreeMap, BTreeSet};

use migration::fields::{FieldPlan, FieldSource, LeftReason};
use migration::finding;
use migration::leaddesk::{Campaign, Group, LeadStatus, Office, Outcome, User, UserId};
use migration::mapping::{ConfirmedMapping, RowChoice, RowSubject};
use migration::settings::MappingSettings;
use migration::tags::TagPlan;
use migration::teams::TeamPlan;
use migration::users::{ProvisionReason, UserMatches};
use snapshot::tables::{MapField, MapValue, WantField, WantTag, WantTeam, WantTeamMember, WantUser};

use super::balance::Disposition;
use super::error::TransformError;
use super::failures::Failures;

/// The small tables of the source.
#[derive(Debug, Default)]
pub(super) struct SmallTables {
    /// Accounts.
    pub(super) users: Vec<User>,
    /// Campaigns.
    pub(super) campaigns: Vec<Campaign>,
    /// Offices.
    pub(super) offices: Vec<Office>,
    /// Groups.
    pub(super) groups: Vec<Group>,
    /// Outcomes with the number of their calls.
    pub(super) outcomes: Vec<(Outcome, i64)>,
}

/// Rows of the small tables that leave the transformation.
#[derive(Debug, Default)]
pub(super) struct Shape {
    /// Tags.
    pub(super) tags: Vec<WantTag>,
    /// Fields.
    pub(super) fields: Vec<WantField>,
    /// Teams.
    pub(super) teams: Vec<WantTeam>,
    /// Members of teams.
    pub(super) members: Vec<WantTeamMember>,
    /// Users.
    pub(super) users: Vec<WantUser>,
    /// Decisions on fields.
    pub(super) map_fields: Vec<MapField>,
    /// Decisions on values, by kind and source value.
    pub(super) map_values: BTreeMap<(String, String), MapValue>,
}

/// Why a campaign has no tag of its own.
const NO_TAG: &str =
    "the settings carry the second tag level only, or the campaign is newer than the mapping";

impl Shape {
    /// Puts the tables together and settles every record of them.
    ///
    /// # Errors
    /// What the table of failures says.
    pub(super) fn make(
        mapping: &ConfirmedMapping,
        tables: &SmallTables,
        failures: &mut Failures<'_>,
    ) -> Result<Self, TransformError> {
        let mut shape = Self::default();
        shape.tags(mapping, &tables.campaigns, failures)?;
        shape.fields(mapping.fields(), failures)?;
        shape.teams(mapping, tables, failures)?;
        shape.users(mapping, &tables.users, failures)?;
        shape.outcomes(&tables.outcomes, mapping.settings(), failures)?;
        shape.statuses(mapping);
        Ok(shape)
    }

    /// LeadDesk's three states, and the words of the account that a person decided on.
    fn statuses(&mut self, mapping: &ConfirmedMapping) {
        let why = "status of the lead's ticket";
        for status in [LeadStatus::Unused, LeadStatus::InCirculation, LeadStatus::Finished] {
            let target = mapping.settings().ticket_status(status, "");
            self.value("lead_status", status.as_str(), Some(target.as_str().to_owned()), why);
        }
        for (id, choice) in &mapping.settings().choices.0 {
            if let (Some(RowSubject::LeadStatus(word)), RowChoice::Status(target)) =
                (RowSubject::of(id), choice)
            {
                self.value("lead_status", &word, Some(target.as_str().to_owned()), why);
            }
        }
    }

    /// Adds a decision on a value.
    pub(super) fn value(
        &mut self,
        kind: &str,
        source_value: &str,
        target_value: Option<String>,
        reason: &str,
    ) {
        let row = MapValue {
            value_kind: kind.to_owned(),
            source_value: source_value.to_owned(),
            target_value,
            reason: reason.to_owned(),
        };
        self.map_values.insert((kind.to_owned(), source_value.to_owned()), row);
    }

    fn tags(
        &mut self,
        mapping: &ConfirmedMapping,
        campaigns: &[Campaign],
        failures: &mut Failures<'_>,
    ) -> Result<(), TransformError> {
        let plan: &TagPlan = mapping.tags();
        let mut of_campaign: BTreeMap<String, String> = BTreeMap::new();
        for decision in &plan.decisions {
            let origin = decision
                .sources
                .first()
                .map_or("campaign", |source| source.split(' ').next().unwrap_or(source));
            self.tags.push(WantTag {
                tag_name: decision.name.clone(),
                description: decision.description.clone(),
                origin: origin.to_owned(),
            });
            for source in &decision.sources {
                of_campaign.insert(source.clone(), decision.name.clone());
            }
        }
        let mut taken = BTreeSet::new();
        for campaign in campaigns {
            failures.balance.source("campaign", 1);
            let id = campaign.id.to_string();
            let tag = of_campaign.get(&format!("campaign {id}"));
            match tag {
                Some(name) if taken.insert(name.clone()) => {
                    failures.balance.settle("campaign", 1, Disposition::Wanted);
                    self.value("campaign_tag", &id, Some(name.clone()), "campaign");
                }
                Some(name) => {
                    failures.balance.settle("campaign", 1, Disposition::Merged);
                    self.value("campaign_tag", &id, Some(name.clone()), "shares the tag of another campaign");
                }
                None => {
                    let chosen = mapping.settings().choices.of(&RowSubject::Campaign(campaign.id));
                    let (code, reason) = match chosen {
                        Some(RowChoice::Leave { reason }) => {
                            (finding::TAG106_LEFT_BY_CHOICE.as_str(), reason.as_str())
                        }
                        _ => ("TAG-NONE", NO_TAG),
                    };
                    failures.excluded("campaign", id.clone(), code, reason)?;
                    self.value("campaign_tag", &id, None, reason);
                }
            }
        }
        Ok(())
    }

    fn fields(&mut self, plan: &FieldPlan, failures: &mut Failures<'_>) -> Result<(), TransformError> {
        for field in plan.fields() {
            self.fields.push(WantField {
                object_type: field.draft.object.as_str().to_owned(),
                field_key: field.draft.key.to_string(),
                label: field.draft.label.clone(),
                data_type: field.draft.kind.as_str().to_owned(),
                description: field.draft.description.clone(),
            });
            let (object, source_field, scope) = place(field.source);
            let is_slot = matches!(field.source, FieldSource::Slot(_));
            if is_slot {
                failures.balance.source("field", 1);
                failures.balance.settle("field", 1, Disposition::Wanted);
            }
            self.map_fields.push(MapField {
                object,
                source_field,
                scope,
                decision: "carry".to_owned(),
                target: Some(field.draft.key.to_string()),
                target_type: Some(field.draft.kind.as_str().to_owned()),
                rationale: field.reason.clone(),
                fill_share: None,
                fit_share: is_slot.then_some(field.share),
            });
        }
        for left in plan.left() {
            failures.balance.source("field", 1);
            let (code, rationale) = match &left.reason {
                LeftReason::Sensitive(why) => (finding::FLD101_LEFT_SENSITIVE, why.clone()),
                LeftReason::ByChoice(why) => {
                    (finding::FLD113_LEFT_BY_CHOICE, format!("left by choice: {why}"))
                }
                LeftReason::OnCard => (finding::FLD114_ELSEWHERE, "on the lead card, by choice".into()),
                LeftReason::OptOut(_) => {
                    (finding::FLD114_ELSEWHERE, "opts customers out; on the lead card too".into())
                }
                LeftReason::NoRoom { rank } => {
                    (finding::FLD102_NO_ROOM, format!("place {rank} by fill; on the lead card"))
                }
                LeftReason::Clash => {
                    (finding::FLD105_KIND_CLASH, "another field stands in the way; on the lead card".into())
                }
            };
            failures.excluded("field", left.key.to_string(), code.as_str(), rationale.clone())?;
            let (object, source_field, scope) = place(FieldSource::Slot(left.key));
            self.map_fields.push(MapField {
                object,
                source_field,
                scope,
                decision: "leave".to_owned(),
                target: None,
                target_type: None,
                rationale,
                fill_share: None,
                fit_share: None,
            });
        }
        let taken: BTreeSet<(String, String)> =
            self.map_fields.iter().map(|row| (row.object.clone(), row.source_field.clone())).collect();
        let is_free = |row: &MapField| !taken.contains(&(row.object.clone(), row.source_field.clone()));
        self.map_fields.extend(fixed_fields().filter(is_free));
        Ok(())
    }

    fn teams(
        &mut self,
        mapping: &ConfirmedMapping,
        tables: &SmallTables,
        failures: &mut Failures<'_>,
    ) -> Result<(), TransformError> {
        let plan: &TeamPlan = mapping.teams();
        let left = |key: String| {
            let subject = RowSubject::Team(migration::keys::TeamKey(key));
            match mapping.settings().choices.of(&subject) {
                Some(RowChoice::Leave { reason }) => Some(reason.clone()),
                _ => None,
            }
        };
        let mut names: BTreeMap<String, String> = BTreeMap::new();
        for office in &tables.offices {
            failures.balance.source("office", 1);
            let name = migration::text::clean_line(&office.name);
            let team = plan
                .teams
                .iter()
                .find(|team| team.draft.key.0.strip_prefix("office:") == Some(name.as_str()));
            self.settle_team(
                "office",
                &office.name,
                team.map(|team| team.draft.key.to_string()).ok_or_else(|| left(format!("office:{name}"))),
                &mut names,
                failures,
            )?;
        }
        for group in &tables.groups {
            failures.balance.source("group", 1);
            let key = plan.of_group.get(&group.id).map(ToString::to_string);
            let id = group.id.to_string();
            if let Some(key) = &key {
                names.entry(key.clone()).or_insert_with(|| group.name.clone());
            }
            let key = key.ok_or_else(|| left(format!("group:{id}")));
            self.settle_team("group", &id, key, &mut names, failures)?;
        }
        for team in &plan.teams {
            let team_key = team.draft.key.to_string();
            self.teams.push(WantTeam {
                leaddesk_name: names.get(&team_key).cloned().unwrap_or_else(|| team.draft.name.clone()),
                team_name: team.draft.name.clone(),
                description: team.draft.description.clone(),
                team_key: team_key.clone(),
            });
            let members: BTreeSet<&UserId> = team.draft.members.iter().collect();
            for member in members {
                self.members.push(WantTeamMember {
                    team_key: team_key.clone(),
                    leaddesk_agent_id: member.to_string(),
                });
            }
        }
        Ok(())
    }

    fn settle_team(
        &mut self,
        object: &str,
        source: &str,
        key: Result<String, Option<String>>,
        names: &mut BTreeMap<String, String>,
        failures: &mut Failures<'_>,
    ) -> Result<(), TransformError> {
        let kind = format!("{object}_team");
        match key {
            Ok(key) => {
                let is_first = !self.map_values.values().any(|value| {
                    value.value_kind == kind && value.target_value.as_deref() == Some(key.as_str())
                });
                let disposition = if is_first { Disposition::Wanted } else { Disposition::Merged };
                failures.balance.settle(object, 1, disposition);
                if object == "office" {
                    names.entry(key.clone()).or_insert_with(|| source.to_owned());
                }
                self.value(&kind, source, Some(key), if is_first { "team" } else { "shares a team" });
            }
            Err(left) => {
                let code = if left.is_some() { finding::TEA107_LEFT_BY_CHOICE.as_str() } else { "TEA-NONE" };
                let reason =
                    left.unwrap_or_else(|| "newer than the confirmed mapping, or without a name".to_owned());
                failures.excluded(object, source, code, reason.clone())?;
                self.value(&kind, source, None, &reason);
            }
        }
        Ok(())
    }

    fn users(
        &mut self,
        mapping: &ConfirmedMapping,
        users: &[User],
        failures: &mut Failures<'_>,
    ) -> Result<(), TransformError> {
        let matches: &UserMatches = mapping.users();
        let provisions: BTreeMap<UserId, ProvisionReason> =
            matches.to_provision.iter().map(|provision| (provision.user, provision.reason)).collect();
        for user in users {
            failures.balance.source("agent", 1);
            let id = user.id.to_string();
            let gorgias_user_id = matches.matched.get(&user.id).map(ToString::to_string);
            let provision = provisions.get(&user.id);
            let state = match (&gorgias_user_id, matches.placeholders.contains(&user.id), provision) {
                (Some(_), ..) => "matched",
                (None, true, _) => "placeholder",
                (None, false, Some(ProvisionReason::NoEmail)) => "without_email",
                (None, false, Some(ProvisionReason::SharedEmail)) => "shared_email",
                (None, false, _) => "to_provision",
            };
            let code = provision.map_or(finding::USR103_NO_USER, |reason| reason.code());
            match state {
                "matched" => failures.balance.settle("agent", 1, Disposition::Wanted),
                "placeholder" => {
                    let code = finding::USR107_PLACEHOLDER;
                    failures.excluded("agent", id.clone(), code.as_str(), code.entry().title)?;
                }
                _ if user.is_active => {
                    failures.rejected("agent", id.clone(), code.as_str(), code.entry().title)?;
                }
                _ => failures.excluded(
                    "agent",
                    id.clone(),
                    code.as_str(),
                    "no longer employed, and without a user",
                )?,
            }
            let role = mapping.settings().role(&user.role).as_str();
            self.value("role", &user.role, Some(role.to_owned()), "role of a user to provision");
            self.users.push(WantUser {
                leaddesk_agent_id: id,
                agent_name: user.name.clone(),
                email: user.email.clone(),
                gorgias_user_id,
                state: state.to_owned(),
                role: role.to_owned(),
            });
        }
        Ok(())
    }

    fn outcomes(
        &mut self,
        outcomes: &[(Outcome, i64)],
        settings: &MappingSettings,
        failures: &mut Failures<'_>,
    ) -> Result<(), TransformError> {
        for (outcome, calls) in outcomes {
            failures.balance.source("outcome", 1);
            let id = outcome.id.to_string();
            let chosen = settings.choices.of(&RowSubject::Outcome(outcome.id));
            if let Some(RowChoice::Leave { reason }) = chosen {
                let code = finding::FLD113_LEFT_BY_CHOICE;
                failures.excluded("outcome", id.clone(), code.as_str(), reason.clone())?;
                self.value("outcome", &id, None, reason);
            } else if *calls > 0 {
                failures.balance.settle("outcome", 1, Disposition::Wanted);
                let name = match chosen {
                    Some(RowChoice::Rename { name }) => name,
                    _ => &outcome.name,
                };
                let text = format!("{} ({id})", migration::text::clean_line(name));
                self.value(
                    "outcome",
                    &id,
                    Some(text),
                    "value of the disposition field where it is the latest",
                );
            } else {
                let reason = "no call has it; documented in the taxonomy of the handoff";
                failures.excluded("outcome", id.clone(), "OUT-UNUSED", reason)?;
                self.value("outcome", &id, None, reason);
            }
        }
        Ok(())
    }
}

/// Object, field and scope of a source of values.
fn place(source: FieldSource) -> (String, String, String) {
    let (object, field, scope) = match source {
        FieldSource::Disposition => ("call", "call_ending_reason".to_owned(), String::new()),
        FieldSource::LeadStatus => ("lead", "status".to_owned(), String::new()),
        FieldSource::EmailOptOut => ("blacklist_entry", "number".to_owned(), String::new()),
        FieldSource::RawPhone => ("contact", "phone as received".to_owned(), String::new()),
        FieldSource::Contact(field) => ("contact", field.as_str().to_owned(), String::new()),
        FieldSource::Slot(key) => ("contact", key.slot.to_string(), key.scope.to_string()),
    };
    (object.to_owned(), field, scope)
}

/// Fields that are mapped alike in every account (source: mapping, rows 1, 3 and 4).
const FIXED: &[(&str, &str, Option<&str>, &str)] = &[
    (
        "call",
        "agent_id",
        Some("message.sender"),
        "the matched user, else the service user with the name in the text",
    ),
    ("call", "campaign", Some("ticket.tags"), "by the tag plan"),
    ("call", "comment", Some("message.body_text"), "line of the call's text"),
    ("call", "created_at", Some("message.sent_datetime"), "zone of the settings"),
    ("call", "customer_id", None, "its meaning is unknown; kept in the source snapshot"),
    ("call", "direction", Some("message.body_text"), "line of the call's text"),
    ("call", "number", Some("message.body_text"), "line of the call's text"),
    ("call", "order_ids", None, "orders are not readable; ids are kept in the source snapshot"),
    ("call", "record_file", None, "by the policy for recordings; a link with a key is never written"),
    ("call", "talk_time", Some("message.body_text"), "line of the call's text"),
    ("contact", "address", Some("lead card"), "no field in Gorgias"),
    ("contact", "birthyear", None, "never read into the store without a purpose"),
    ("contact", "city", Some("lead card"), "no field in Gorgias"),
    ("contact", "comment", Some("lead card"), "no field in Gorgias"),
    ("contact", "company", Some("lead card"), "no field in Gorgias"),
    ("contact", "companyid", Some("lead card"), "no field in Gorgias"),
    ("contact", "country", Some("lead card"), "no field in Gorgias"),
    ("contact", "email", Some("customer.email"), "valid addresses; others stand on the lead card"),
    ("contact", "fname", Some("customer.name"), "first and last name"),
    ("contact", "gender", None, "never read into the store without a purpose"),
    ("contact", "lname", Some("customer.name"), "first and last name"),
    ("contact", "phone", Some("customer.channels"), "international form"),
    ("contact", "phone_numbers", Some("customer.channels"), "international form"),
    ("contact", "postcode", Some("lead card"), "no field in Gorgias"),
    ("contact", "ssc", None, "national id; never read into the store without a purpose"),
    ("contact", "title", Some("lead card"), "no field in Gorgias"),
    ("contact", "vatin", Some("lead card"), "no field in Gorgias"),
    ("contact", "www", Some("lead card"), "no field in Gorgias"),
    ("lead", "contact updated at", Some("lead card"), "and evidence of the ticket's dates"),
    ("lead", "last agent", Some("ticket.assignee_user"), "by name, when exactly one account carries it"),
    ("lead", "last call at", Some("lead card"), "and evidence of the ticket's dates"),
    ("lead", "last campaign", Some("ticket.tags"), "by the tag plan"),
    ("lead", "last result", Some("lead card"), "and the disposition when no call shows one"),
];

fn fixed_fields() -> impl Iterator<Item = MapField> {
    FIXED.iter().map(|(object, source_field, target, rationale)| MapField {
        object: (*object).to_owned(),
        source_field: (*source_field).to_owned(),
        scope: String::new(),
        decision: if target.is_some() { "carry" } else { "leave" }.to_owned(),
        target: target.map(str::to_owned),
        target_type: None,
        rationale: (*rationale).to_owned(),
        fill_share: None,
        fit_share: None,
    })
}
