//! Plans of a mapping as stored: custom fields, tags, teams, users.

use std::collections::BTreeMap;

use migration::fields::{
    FieldAction, FieldConflict, FieldPlan, FieldSource, LeftReason, LeftSlot, PlannedField, SlotKind,
};
use migration::finding::{Code, Note, ObjectKind};
use migration::gorgias::{FieldDraft, FieldId, FieldKind, FieldObject, TagId, TeamDraft, TeamId, UserId};
use migration::keys::{FieldKey, TeamKey};
use migration::tags::{TagDecision, TagPlan};
use migration::teams::{PlannedTeam, TeamAction, TeamPlan};
use migration::users::{AgentName, Provision, ProvisionReason, UserMatches, gorgias_role};
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
    fn of(note: &Note) -> Self {
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

fn notes(notes: Vec<NoteV1>) -> Result<Vec<Note>, Malformed> {
    notes.into_iter().map(NoteV1::read).collect()
}

/// Custom fields.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FieldsV1 {
    fields: Vec<FieldV1>,
    left: Vec<LeftV1>,
    conflicts: Vec<FieldConflictV1>,
    notes: Vec<NoteV1>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FieldV1 {
    key: String,
    object: String,
    label: String,
    data_type: String,
    description: String,
    source: String,
    kind: String,
    action: ActionV1,
    filled: u64,
    #[serde(with = "super::exact")]
    share: f64,
    reason: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ActionV1 {
    Create,
    Reuse(u64),
    Reactivate(u64),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct LeftV1 {
    key: String,
    label: String,
    reason: LeftReasonV1,
    filled: u64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum LeftReasonV1 {
    Sensitive(String),
    ByChoice(String),
    NoRoom(usize),
    Clash,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FieldConflictV1 {
    source: String,
    label: String,
    existing: Option<u64>,
    reason: String,
}

fn source_word(source: FieldSource) -> String {
    match source {
        FieldSource::Disposition => "disposition".to_owned(),
        FieldSource::LeadStatus => "lead-status".to_owned(),
        FieldSource::EmailOptOut => "email-opt-out".to_owned(),
        FieldSource::RawPhone => "phone-as-received".to_owned(),
        FieldSource::Slot(key) => key.to_string(),
    }
}

fn source(word: &str) -> Result<FieldSource, Malformed> {
    Ok(match word {
        "disposition" => FieldSource::Disposition,
        "lead-status" => FieldSource::LeadStatus,
        "email-opt-out" => FieldSource::EmailOptOut,
        "phone-as-received" => FieldSource::RawPhone,
        key => FieldSource::Slot(key.parse().map_err(|_| Malformed { field: "source" })?),
    })
}

/// Gorgias' word for an object with fields.
pub(super) fn field_object(word: &str) -> Result<FieldObject, Malformed> {
    let all = [FieldObject::Ticket, FieldObject::Customer];
    all.into_iter().find(|object| object.as_str() == word).ok_or(Malformed { field: "object" })
}

/// Gorgias' word for a data type.
pub(super) fn field_kind(word: &str) -> Result<FieldKind, Malformed> {
    let all = [FieldKind::Text, FieldKind::Number, FieldKind::Boolean];
    all.into_iter().find(|kind| kind.as_str() == word).ok_or(Malformed { field: "data_type" })
}

impl FieldsV1 {
    /// The stored form.
    #[must_use]
    pub(super) fn of(plan: &FieldPlan) -> Self {
        let field = |field: &PlannedField| FieldV1 {
            key: field.draft.key.to_string(),
            object: field.draft.object.as_str().to_owned(),
            label: field.draft.label.clone(),
            data_type: field.draft.kind.as_str().to_owned(),
            description: field.draft.description.clone(),
            source: source_word(field.source),
            kind: field.kind.as_str().to_owned(),
            action: match field.action {
                FieldAction::Create => ActionV1::Create,
                FieldAction::Reuse(id) => ActionV1::Reuse(id.0),
                FieldAction::Reactivate(id) => ActionV1::Reactivate(id.0),
            },
            filled: field.filled,
            share: field.share,
            reason: field.reason.clone(),
        };
        let left = |left: &LeftSlot| LeftV1 {
            key: left.key.to_string(),
            label: left.label.clone(),
            reason: match &left.reason {
                LeftReason::Sensitive(why) => LeftReasonV1::Sensitive(why.clone()),
                LeftReason::ByChoice(why) => LeftReasonV1::ByChoice(why.clone()),
                LeftReason::NoRoom { rank } => LeftReasonV1::NoRoom(*rank),
                LeftReason::Clash => LeftReasonV1::Clash,
            },
            filled: left.filled,
        };
        let conflict = |conflict: &FieldConflict| FieldConflictV1 {
            source: source_word(conflict.source),
            label: conflict.label.clone(),
            existing: conflict.existing.map(|id| id.0),
            reason: conflict.reason.clone(),
        };
        Self {
            fields: plan.fields().map(field).collect(),
            left: plan.left().map(left).collect(),
            conflicts: plan.conflicts().iter().map(conflict).collect(),
            notes: plan.notes().iter().map(NoteV1::of).collect(),
        }
    }

    /// The plan again.
    ///
    /// # Errors
    /// [`Malformed`].
    pub(super) fn read(self) -> Result<FieldPlan, Malformed> {
        let fields = self.fields.into_iter().map(FieldV1::read).collect::<Result<Vec<_>, _>>()?;
        let left = self.left.into_iter().map(LeftV1::read).collect::<Result<Vec<_>, _>>()?;
        let conflicts = self.conflicts.into_iter().map(|conflict| {
            Ok(FieldConflict {
                source: source(&conflict.source)?,
                label: conflict.label,
                existing: conflict.existing.map(FieldId),
                reason: conflict.reason,
            })
        });
        let conflicts = conflicts.collect::<Result<Vec<_>, Malformed>>()?;
        Ok(FieldPlan::from_parts(fields, left, conflicts, notes(self.notes)?))
    }
}

impl FieldV1 {
    fn read(self) -> Result<PlannedField, Malformed> {
        Ok(PlannedField {
            draft: FieldDraft {
                key: FieldKey(self.key),
                object: field_object(&self.object)?,
                label: self.label,
                kind: field_kind(&self.data_type)?,
                description: self.description,
            },
            source: source(&self.source)?,
            kind: SlotKind::from_word(&self.kind).ok_or(Malformed { field: "kind" })?,
            action: match self.action {
                ActionV1::Create => FieldAction::Create,
                ActionV1::Reuse(id) => FieldAction::Reuse(FieldId(id)),
                ActionV1::Reactivate(id) => FieldAction::Reactivate(FieldId(id)),
            },
            filled: self.filled,
            share: self.share,
            reason: self.reason,
        })
    }
}

impl LeftV1 {
    fn read(self) -> Result<LeftSlot, Malformed> {
        Ok(LeftSlot {
            key: self.key.parse().map_err(|_| Malformed { field: "key" })?,
            label: self.label,
            reason: match self.reason {
                LeftReasonV1::Sensitive(why) => LeftReason::Sensitive(why),
                LeftReasonV1::ByChoice(why) => LeftReason::ByChoice(why),
                LeftReasonV1::NoRoom(rank) => LeftReason::NoRoom { rank },
                LeftReasonV1::Clash => LeftReason::Clash,
            },
            filled: self.filled,
        })
    }
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

/// Gorgias' roles are static words; each is the role of one of LeadDesk's five.
fn role(word: &str) -> Result<&'static str, Malformed> {
    let roles = ["Admin", "Manager", "Agent", "Sponsor"].map(gorgias_role);
    roles.into_iter().find(|role| *role == word).ok_or(Malformed { field: "role" })
}

fn provision_reason(word: &str) -> Result<ProvisionReason, Malformed> {
    use ProvisionReason as Reason;
    let all = [Reason::NoEmail, Reason::SharedEmail, Reason::NoUser, Reason::Deactivated];
    all.into_iter().find(|reason| reason.as_str() == word).ok_or(Malformed { field: "reason" })
}
