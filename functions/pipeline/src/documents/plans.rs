//! Plans of a mapping as stored: tags, teams, users.

use std::collections::BTreeMap;

use migration::finding::{Code, Note, ObjectKind};
use migration::gorgias::{TagId, TeamDraft, TeamId, UserId};
use migration::keys::TeamKey;
use migration::tags::{TagDecision, TagPlan};
use migration::teams::{PlannedTeam, TeamAction, TeamPlan};
use migration::users::{AgentName, GorgiasRole, Provision, ProvisionReason, UserMatches};
use serde::{Deserialize, Serialize};

use super::Malformed;

/// A note as stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NoteV1 {
    code: String,
    object: String,
    source_id: String,
    detail: String,
}

impl NoteV1 {
    pub(super) fn of(note: &Note) -> Self {
        Self {
            code: note.code.as_str().to_owned(),
            object: note.object.as_str().to_owned(),
            source_id: note.source_id.clone(),
            detail: note.detail.clone(),
        }
    }

    fn read(self) -> Result<Note, Malformed> {
        let code = Code::from_text(&self.code).ok_or(Malformed { field: "code" })?;
        Ok(Note::new(code, object_kind(&self.object)?, self.source_id, self.detail))
    }
}

/// The kind of source record of this word.
pub(super) fn object_kind(word: &str) -> Result<ObjectKind, Malformed> {
    use ObjectKind as Kind;
    const ALL: [ObjectKind; 15] = [
        Kind::Contact,
        Kind::Lead,
        Kind::Call,
        Kind::Conversation,
        Kind::ChatMessage,
        Kind::User,
        Kind::Campaign,
        Kind::List,
        Kind::Outcome,
        Kind::Office,
        Kind::Group,
        Kind::Slot,
        Kind::BlacklistEntry,
        Kind::File,
        Kind::Account,
    ];
    ALL.into_iter().find(|kind| kind.as_str() == word).ok_or(Malformed { field: "object" })
}

pub(super) fn notes(notes: Vec<NoteV1>) -> Result<Vec<Note>, Malformed> {
    notes.into_iter().map(NoteV1::read).collect()
}

/// Tags.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TagsV1 {
    decisions: Vec<TagV1>,
    of_campaign: BTreeMap<String, Vec<String>>,
    of_list: BTreeMap<String, Vec<String>>,
    without_second_level: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct TagV1 {
    name: String,
    sources: Vec<String>,
    existing: Option<u64>,
    codes: Vec<String>,
    description: String,
}

impl TagsV1 {
    /// The stored form.
    #[must_use]
    pub(super) fn of(plan: &TagPlan) -> Self {
        let tag = |tag: &TagDecision| TagV1 {
            name: tag.name.clone(),
            sources: tag.sources.clone(),
            existing: tag.existing.map(|id| id.0),
            codes: tag.codes.iter().map(|code| code.as_str().to_owned()).collect(),
            description: tag.description.clone(),
        };
        Self {
            decisions: plan.decisions.iter().map(tag).collect(),
            of_campaign: plan.of_campaign.iter().map(|(id, tags)| (id.to_string(), tags.clone())).collect(),
            of_list: plan.of_list.iter().map(|(id, tags)| (id.to_string(), tags.clone())).collect(),
            without_second_level: plan.without_second_level.iter().map(ToString::to_string).collect(),
        }
    }

    /// The plan again.
    ///
    /// # Errors
    /// [`Malformed`].
    pub(super) fn read(self) -> Result<TagPlan, Malformed> {
        let malformed = |_| Malformed { field: "tags" };
        let decisions = self.decisions.into_iter().map(|tag| {
            let codes =
                tag.codes.iter().map(|code| Code::from_text(code).ok_or(Malformed { field: "codes" }));
            Ok(TagDecision {
                codes: codes.collect::<Result<_, _>>()?,
                name: tag.name,
                sources: tag.sources,
                existing: tag.existing.map(TagId),
                description: tag.description,
            })
        });
        let decisions = decisions.collect::<Result<_, Malformed>>()?;
        let mut plan = TagPlan { decisions, ..TagPlan::default() };
        for (id, tags) in self.of_campaign {
            plan.of_campaign.insert(id.parse().map_err(malformed)?, tags);
        }
        for (id, tags) in self.of_list {
            plan.of_list.insert(id.parse().map_err(malformed)?, tags);
        }
        for id in self.without_second_level {
            plan.without_second_level.push(id.parse().map_err(malformed)?);
        }
        Ok(plan)
    }
}

/// Teams.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TeamsV1 {
    teams: Vec<TeamV1>,
    of_user: BTreeMap<String, String>,
    of_group: BTreeMap<String, String>,
    notes: Vec<NoteV1>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct TeamV1 {
    key: String,
    name: String,
    description: String,
    members: Vec<String>,
    reuse: Option<u64>,
}

impl TeamsV1 {
    /// The stored form.
    #[must_use]
    pub(super) fn of(plan: &TeamPlan) -> Self {
        let team = |team: &PlannedTeam| TeamV1 {
            key: team.draft.key.to_string(),
            name: team.draft.name.clone(),
            description: team.draft.description.clone(),
            members: team.draft.members.iter().map(ToString::to_string).collect(),
            reuse: match team.action {
                TeamAction::Create => None,
                TeamAction::Reuse(id) => Some(id.0),
            },
        };
        Self {
            teams: plan.teams.iter().map(team).collect(),
            of_user: plan.of_user.iter().map(|(id, key)| (id.to_string(), key.to_string())).collect(),
            of_group: plan.of_group.iter().map(|(id, key)| (id.to_string(), key.to_string())).collect(),
            notes: plan.notes.iter().map(NoteV1::of).collect(),
        }
    }

    /// The plan again.
    ///
    /// # Errors
    /// [`Malformed`].
    pub(super) fn read(self) -> Result<TeamPlan, Malformed> {
        let malformed = |_| Malformed { field: "teams" };
        let teams = self.teams.into_iter().map(|team| {
            let members = team.members.iter().map(|member| member.parse().map_err(malformed));
            Ok(PlannedTeam {
                draft: TeamDraft {
                    members: members.collect::<Result<_, _>>()?,
                    key: TeamKey(team.key),
                    name: team.name,
                    description: team.description,
                },
                action: team.reuse.map_or(TeamAction::Create, |id| TeamAction::Reuse(TeamId(id))),
            })
        });
        let teams = teams.collect::<Result<_, Malformed>>()?;
        let mut plan = TeamPlan { teams, notes: notes(self.notes)?, ..TeamPlan::default() };
        for (id, key) in self.of_user {
            plan.of_user.insert(id.parse().map_err(malformed)?, TeamKey(key));
        }
        for (id, key) in self.of_group {
            plan.of_group.insert(id.parse().map_err(malformed)?, TeamKey(key));
        }
        Ok(plan)
    }
}

/// Users.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct UsersV1 {
    matched: BTreeMap<String, u64>,
    to_provision: Vec<ProvisionV1>,
    shared_email: Vec<Vec<String>>,
    placeholders: Vec<String>,
    names: BTreeMap<String, (String, String)>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ProvisionV1 {
    user: String,
    role: String,
    reason: String,
    is_active: bool,
}

impl UsersV1 {
    /// The stored form.
    #[must_use]
    pub(super) fn of(users: &UserMatches) -> Self {
        let provision = |provision: &Provision| ProvisionV1 {
            user: provision.user.to_string(),
            role: provision.role.to_owned(),
            reason: provision.reason.as_str().to_owned(),
            is_active: provision.is_active,
        };
        let texts = |ids: &Vec<migration::leaddesk::UserId>| ids.iter().map(ToString::to_string).collect();
        let names = users.names.iter();
        Self {
            matched: users.matched.iter().map(|(from, to)| (from.to_string(), to.0)).collect(),
            to_provision: users.to_provision.iter().map(provision).collect(),
            shared_email: users.shared_email.iter().map(texts).collect(),
            placeholders: users.placeholders.iter().map(ToString::to_string).collect(),
            names: names
                .map(|(id, name)| (id.to_string(), (name.name.clone(), name.username.clone())))
                .collect(),
        }
    }

    /// The matches again.
    ///
    /// # Errors
    /// [`Malformed`].
    pub(super) fn read(self) -> Result<UserMatches, Malformed> {
        let malformed = |_| Malformed { field: "users" };
        let mut users = UserMatches::default();
        for (from, to) in self.matched {
            users.matched.insert(from.parse().map_err(malformed)?, UserId(to));
        }
        for provision in self.to_provision {
            users.to_provision.push(Provision {
                user: provision.user.parse().map_err(malformed)?,
                role: role(&provision.role)?,
                reason: provision_reason(&provision.reason)?,
                is_active: provision.is_active,
            });
        }
        for group in self.shared_email {
            let group = group.iter().map(|id| id.parse().map_err(malformed));
            users.shared_email.push(group.collect::<Result<_, _>>()?);
        }
        for id in self.placeholders {
            users.placeholders.insert(id.parse().map_err(malformed)?);
        }
        for (id, (name, username)) in self.names {
            users.names.insert(id.parse().map_err(malformed)?, AgentName { name, username });
        }
        Ok(users)
    }
}

/// Gorgias' roles are static words.
fn role(word: &str) -> Result<&'static str, Malformed> {
    GorgiasRole::from_word(word).map(GorgiasRole::as_str).ok_or(Malformed { field: "role" })
}

fn provision_reason(word: &str) -> Result<ProvisionReason, Malformed> {
    use ProvisionReason as Reason;
    let all = [Reason::NoEmail, Reason::SharedEmail, Reason::NoUser, Reason::Deactivated];
    all.into_iter().find(|reason| reason.as_str() == word).ok_or(Malformed { field: "reason" })
}
