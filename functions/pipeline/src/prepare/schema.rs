//! Tags, fields and teams: what is there already, what has to be made, in which order.
//!
//! Pure. Deliberately absent: users, who are matched and never created.

use std::collections::BTreeMap;

use migration::finding;
use migration::gorgias::{FieldDraft, FieldId, FieldObject, TagDraft, TagId, TeamDraft, TeamId, UserId};
use migration::keys::TeamKey;
use migration::mapping::ConfirmedMapping;
use migration::teams::{PlannedTeam, key_in_description};
use snapshot::tables::{FoundField, FoundTag, FoundTeam};

use super::baseline::Baseline;
use super::directory::Directory;
use crate::ledger::Ledger;
use crate::ledger::driver::Action;
use crate::ledger::key::{self, Secret};
use crate::ledger::request::Request;
use crate::ports::gorgias::NewTeam;

/// What must be there after prepare.
#[derive(Debug, Clone, Default)]
pub(crate) struct SchemaWish {
    pub(crate) tags: Vec<TagDraft>,
    pub(crate) fields: Vec<FieldDraft>,
    pub(crate) teams: Vec<TeamDraft>,
    pub(crate) users: BTreeMap<migration::leaddesk::UserId, UserId>,
    /// Teams of the account that a person chose, or that carry our key.
    pub(crate) present_teams: BTreeMap<TeamKey, TeamId>,
}

impl SchemaWish {
    /// What a confirmed mapping needs.
    pub(crate) fn of(mapping: &ConfirmedMapping) -> Self {
        let tags = mapping.tags().decisions.iter().map(|decision| TagDraft {
            name: decision.name.clone(),
            description: decision.description.clone(),
        });
        Self {
            tags: tags.collect(),
            fields: mapping.fields().fields().map(|field| field.draft.clone()).collect(),
            teams: mapping.teams().teams.iter().map(|team| team.draft.clone()).collect(),
            users: mapping.users().matched.clone(),
            present_teams: mapping.teams().teams.iter().filter_map(PlannedTeam::present).collect(),
        }
    }
}

/// Something in the account stands in the way of the wish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Obstacle {
    /// Stable code.
    pub(crate) code: finding::Code,
    /// What it is about; names of fields, teams and ids only.
    pub(crate) what: String,
}

/// What is there, what has to be done.
#[derive(Debug, Default)]
pub(crate) struct SchemaPlan {
    /// Creations and reactivations, in order.
    pub(crate) actions: Vec<Action>,
    /// Ids of what is there already.
    pub(crate) tags: BTreeMap<String, TagId>,
    pub(crate) fields: BTreeMap<(FieldObject, String), FieldId>,
    pub(crate) teams: BTreeMap<TeamKey, TeamId>,
    pub(crate) obstacles: Vec<Obstacle>,
}

/// Holds the wish against the account.
pub(crate) fn plan(wish: &SchemaWish, baseline: &Baseline, secret: &Secret) -> SchemaPlan {
    let mut plan = SchemaPlan::default();
    for draft in &wish.tags {
        match baseline.tags.iter().find(|tag| tag.tag_name == draft.name).and_then(tag_id) {
            Some(id) => drop(plan.tags.insert(draft.name.clone(), id)),
            None => {
                let key = key::tag(&draft.name, secret);
                plan.actions.push(Action::new(key, Request::CreateTag(draft.clone())));
            }
        }
    }
    for draft in &wish.fields {
        plan_field(draft, &baseline.fields, &mut plan);
    }
    for draft in &wish.teams {
        plan_team(draft, wish, baseline, &mut plan);
    }
    plan
}

fn tag_id(tag: &FoundTag) -> Option<TagId> {
    tag.gorgias_tag_id.parse().ok().map(TagId)
}

fn field_id(field: &FoundField) -> Option<FieldId> {
    field.gorgias_field_id.parse().ok().map(FieldId)
}

fn plan_field(draft: &FieldDraft, present: &[FoundField], plan: &mut SchemaPlan) {
    let of_object = |field: &&FoundField| field.object_type == draft.object.as_str();
    let ours = present
        .iter()
        .filter(of_object)
        .find(|field| field.external_id.as_deref() == Some(draft.key.0.as_str()));
    // Labels are unique in the whole account, whatever the object (facts: custom fields).
    let same_label = present.iter().find(|field| field.label == draft.label);
    let Some(found) = ours.or(same_label) else {
        let key = key::field(draft.object, &draft.key);
        plan.actions.push(Action::new(key, Request::CreateField(draft.clone())));
        return;
    };
    let fits = found.data_type == draft.kind.as_str()
        && found.object_type == draft.object.as_str()
        && found.managed_type.is_none();
    match field_id(found) {
        Some(id) if fits => {
            if !found.is_active {
                let key = key::field(draft.object, &draft.key);
                plan.actions.push(Action::new(key, Request::ReactivateField(id)));
            }
            plan.fields.insert((draft.object, draft.key.0.clone()), id);
        }
        _ => plan.obstacles.push(Obstacle {
            code: finding::FLD105_KIND_CLASH,
            what: format!("field {} has type {}", found.label, found.data_type),
        }),
    }
}

fn plan_team(draft: &TeamDraft, wish: &SchemaWish, baseline: &Baseline, plan: &mut SchemaPlan) {
    let ours = |team: &&FoundTeam| {
        team.description.as_deref().and_then(key_in_description).is_some_and(|key| key == draft.key)
    };
    let id_of = |team: &FoundTeam| team.gorgias_team_id.parse::<u64>().ok();
    let chosen = wish.present_teams.get(&draft.key).map(|id| id.0);
    let is_chosen = |team: &&FoundTeam| chosen.is_some() && id_of(team) == chosen;
    let present = baseline.teams.iter().find(ours).or_else(|| baseline.teams.iter().find(is_chosen));
    let found = present.and_then(id_of);
    if let Some(id) = found {
        plan.teams.insert(draft.key.clone(), TeamId(id));
        return;
    }
    if baseline.teams.iter().any(|team| team.team_name == draft.name) {
        let what = format!("team {} was made by someone else since the proposal", draft.name);
        plan.obstacles.push(Obstacle { code: finding::TEA101_NAME_CLASH, what });
        return;
    }
    let mut members: Vec<UserId> =
        draft.members.iter().filter_map(|member| wish.users.get(member).copied()).collect();
    members.sort_unstable();
    members.dedup();
    let team = NewTeam { name: draft.name.clone(), description: draft.description.clone(), members };
    plan.actions.push(Action::new(key::team(&draft.key), Request::CreateTeam(team)));
}

/// What a wish still lacks after all writes: names of tags, fields, teams that are not there.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Lacking {
    pub(crate) names: Vec<String>,
}

/// Joins what was there with what the ledger says was made.
pub(crate) fn resolve(
    wish: &SchemaWish,
    plan: &SchemaPlan,
    baseline: &Baseline,
    ledger: &Ledger,
    service_user: UserId,
) -> (Directory, Lacking) {
    let mut directory = Directory {
        account: ledger.account().to_owned(),
        service_user: service_user.0,
        active_users: baseline
            .users
            .iter()
            .filter(|user| user.is_active)
            .filter_map(|user| user.gorgias_user_id.parse().ok().map(UserId))
            .collect(),
        managed_fields: baseline
            .fields
            .iter()
            .filter(|field| field.managed_type.is_some())
            .filter_map(field_id)
            .collect(),
        ..Directory::default()
    };
    let mut lacking = Lacking::default();
    for draft in &wish.tags {
        let made = ledger.book().destination(&key::tag(&draft.name, ledger.secret())).map(TagId);
        match plan.tags.get(&draft.name).copied().or(made) {
            Some(id) => drop(directory.tags.insert(draft.name.clone(), id)),
            None => lacking.names.push(format!("tag {}", draft.name)),
        }
    }
    for draft in &wish.fields {
        let made = ledger.book().destination(&key::field(draft.object, &draft.key)).map(FieldId);
        let known = plan.fields.get(&(draft.object, draft.key.0.clone())).copied();
        match known.or(made) {
            Some(id) => drop(directory.fields.insert((draft.object, draft.key.clone()), id)),
            None => lacking.names.push(format!("field {}", draft.label)),
        }
    }
    for draft in &wish.teams {
        let made = ledger.book().destination(&key::team(&draft.key)).map(TeamId);
        match plan.teams.get(&draft.key).copied().or(made) {
            Some(id) => drop(directory.teams.insert(draft.key.clone(), id)),
            None => lacking.names.push(format!("team {}", draft.name)),
        }
    }
    (directory, lacking)
}
