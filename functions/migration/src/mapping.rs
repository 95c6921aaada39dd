//! What will become of every field, user, tag and team: proposed with reasons, confirmed by a person, fixed by digest.
//!
//! Loading takes a [`ConfirmedMapping`], and the only way to one is a person's confirmation of a proposal without open
//! conflicts. Deliberately absent: records; a mapping speaks of the account's shape only.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;

use crate::canonical::Digest;
use crate::fields::{ContactField, FieldPlan, FieldPlanInput, Scope, ScopeMap, SlotKey, SlotStatistics};
use crate::finding::ObjectKind;
use crate::gorgias;
use crate::leaddesk::{CallingList, Campaign, Group, Office, Outcome, SlotSetting, User};
use crate::settings::MappingSettings;
use crate::suggest::suggest_all;
use crate::tags::TagPlan;
use crate::teams::{TeamPlan, TeamPlanInput};
use crate::text::clean_line;
use crate::ticket::CampaignIndex;
use crate::users::{UserMatches, match_users_under};

pub mod cells;
pub mod choice;
mod confirmed;
pub mod document;
mod evidence;
mod rows;

pub use choice::{CarryInto, ChoiceError, ChoiceKind, MappingChoices, RowChoice, RowSubject, legal_choices};
use confirmed::confirmed_digest;
pub use confirmed::{ConfirmedMapping, DigestMismatch, MappingParts};
pub use evidence::{Alternative, RowEvidence, Sample};

/// Why something is carried.
#[derive(Debug, Clone, PartialEq)]
pub struct Rationale {
    /// In words.
    pub reason: String,
    /// Share of values that fit, where values were looked at; 0 to 1.
    pub share: Option<f64>,
}

/// Why something is not carried, or not as a person may expect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Objection {
    /// Stable code.
    pub code: crate::finding::Code,
    /// In words.
    pub reason: String,
}

/// What becomes of one thing.
#[derive(Debug, Clone, PartialEq)]
pub enum Decision {
    /// It arrives.
    Carry(Rationale),
    /// It does not.
    Leave(Objection),
    /// A person has to say.
    Conflict {
        /// What speaks for carrying.
        carry: Rationale,
        /// What stands against it.
        leave: Objection,
    },
}

impl Decision {
    /// `carry`, `leave` or `conflict`.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Carry(_) => "carry",
            Self::Leave(_) => "leave",
            Self::Conflict { .. } => "conflict",
        }
    }
}

/// Names a row: the same thing has the same id in every proposal.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct RowId {
    /// Kind of thing.
    pub object: ObjectKind,
    /// Its id at the source, such as `other7:campaign-12` or an account id.
    pub source_id: String,
}

impl RowId {
    /// An id.
    pub fn new(object: ObjectKind, source_id: impl fmt::Display) -> Self {
        Self { object, source_id: source_id.to_string() }
    }
}

impl fmt::Display for RowId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}/{}", self.object.as_str(), self.source_id)
    }
}

/// One line of a proposal.
#[derive(Debug, Clone, PartialEq)]
pub struct MappingRow {
    /// What it is about.
    pub id: RowId,
    /// What people call it.
    pub name: String,
    /// What it becomes, such as `customer field "Customer number" (number)`; empty when it becomes nothing.
    pub target: String,
    /// Values or records concerned, where they were counted.
    pub count: Option<u64>,
    /// What becomes of it.
    pub decision: Decision,
    /// What the decision rests on; absent in proposals of older programs.
    pub evidence: Option<RowEvidence>,
}

/// A row that a person has to settle.
#[derive(Debug, Clone, PartialEq)]
pub struct Conflict {
    /// The row.
    pub id: RowId,
    /// What people call it.
    pub name: String,
    /// What speaks for carrying.
    pub carry: Rationale,
    /// What stands against it.
    pub leave: Objection,
}

/// What a proposal is made from.
#[derive(Debug, Clone, Copy)]
pub struct ProposalInput<'a> {
    /// LeadDesk's accounts.
    pub users: &'a [User],
    /// Campaigns.
    pub campaigns: &'a [Campaign],
    /// Lists with the campaigns that dial them.
    pub lists: &'a [CallingList],
    /// Offices of the operator's file.
    pub offices: &'a [Office],
    /// Agent groups.
    pub groups: &'a [Group],
    /// Values by slot and scope.
    pub statistics: &'a BTreeMap<SlotKey, SlotStatistics>,
    /// Values of the fields that every card has.
    pub card_statistics: &'a BTreeMap<ContactField, SlotStatistics>,
    /// Contacts that were looked at, by the scope of their list.
    pub looked_at: &'a BTreeMap<Scope, u64>,
    /// Outcomes with the number of calls that have them.
    pub outcomes: &'a [(Outcome, u64)],
    /// The account's own words for the status of leads, with how often each is used.
    pub lead_statuses: &'a BTreeMap<String, u64>,
    /// Labels and types of the projects.
    pub slot_settings: &'a [SlotSetting],
    /// What somebody outside suggests for slots; shown as alternatives, never applied.
    pub outside: &'a BTreeMap<SlotKey, Vec<Alternative>>,
    /// Users of Gorgias.
    pub gorgias_users: &'a [gorgias::User],
    /// Teams of Gorgias.
    pub gorgias_teams: &'a [gorgias::Team],
    /// Tags of Gorgias.
    pub gorgias_tags: &'a [gorgias::Tag],
    /// Custom fields of Gorgias, archived ones included.
    pub gorgias_fields: &'a [gorgias::Field],
}

/// The reviewer's name is empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a reviewer needs a name")]
pub struct NoReviewer;

/// The person who confirms.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reviewer(String);

impl Reviewer {
    /// A name or address by which the person can be found again.
    ///
    /// # Errors
    /// [`NoReviewer`] when nothing is left after trimming.
    pub fn new(name: &str) -> Result<Self, NoReviewer> {
        let name = clean_line(name);
        if name.is_empty() { Err(NoReviewer) } else { Ok(Self(name)) }
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A row cannot be settled this way.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettleError {
    /// No such row.
    #[error("the proposal has no row {0}")]
    NoSuchRow(RowId),
    /// The row is no conflict.
    #[error("row {0} is no conflict")]
    NoConflict(RowId),
    /// The reason is empty.
    #[error("row {0} needs a reason")]
    NoReason(RowId),
}

/// A suggestion for a whole account, row by row with reasons.
#[derive(Debug, Clone, PartialEq)]
pub struct MappingProposal {
    settings: MappingSettings,
    fields: FieldPlan,
    tags: TagPlan,
    teams: TeamPlan,
    users: UserMatches,
    scopes: ScopeMap,
    campaigns: CampaignIndex,
    rows: BTreeMap<RowId, MappingRow>,
}

impl MappingProposal {
    /// Proposes a mapping under the settings; choices that a person made before are in them.
    #[must_use]
    pub fn propose(settings: MappingSettings, input: &ProposalInput<'_>) -> Self {
        let users = match_users_under(&settings, input.users, input.gorgias_users);
        let scope_names = scope_names(input);
        let suggestions = suggest_all(input.statistics, input.slot_settings, input.gorgias_fields);
        let fields = FieldPlan::build(&FieldPlanInput {
            statistics: input.statistics,
            settings: input.slot_settings,
            existing: input.gorgias_fields,
            scope_names: &scope_names,
            mapping: &settings,
            suggestions: &suggestions,
        });
        let (tags, tag_rows) = TagPlan::propose(input.campaigns, input.lists, &settings, input.gorgias_tags);
        let team_input = TeamPlanInput {
            users: input.users,
            offices: input.offices,
            groups: input.groups,
            existing: input.gorgias_teams,
            matches: &users,
        };
        let (teams, team_rows) = TeamPlan::propose(&team_input, &settings.choices);
        let scopes = ScopeMap::new(input.lists);
        let campaigns = CampaignIndex::new(input.campaigns);
        let rows = rows::rows(&rows::Planned {
            settings: &settings,
            input,
            suggestions: &suggestions,
            fields: &fields,
            tags: &tags,
            tag_rows: &tag_rows,
            teams: &teams,
            team_rows: &team_rows,
            users: &users,
        });
        let rows = rows.into_iter().map(|row| (row.id.clone(), row)).collect();
        Self { settings, fields, tags, teams, users, scopes, campaigns, rows }
    }

    /// All rows, in order of id.
    pub fn rows(&self) -> impl Iterator<Item = &MappingRow> {
        self.rows.values()
    }

    /// The settings that it was made under.
    #[must_use]
    pub fn settings(&self) -> &MappingSettings {
        &self.settings
    }

    /// Custom fields.
    #[must_use]
    pub fn fields(&self) -> &FieldPlan {
        &self.fields
    }

    /// Tags.
    #[must_use]
    pub fn tags(&self) -> &TagPlan {
        &self.tags
    }

    /// Teams.
    #[must_use]
    pub fn teams(&self) -> &TeamPlan {
        &self.teams
    }

    /// Who is who.
    #[must_use]
    pub fn users(&self) -> &UserMatches {
        &self.users
    }

    /// Rows that a person has to settle, in order of id.
    #[must_use]
    pub fn conflicts(&self) -> Vec<Conflict> {
        let open = self.rows.values().filter_map(|row| match &row.decision {
            Decision::Conflict { carry, leave } => Some(Conflict {
                id: row.id.clone(),
                name: row.name.clone(),
                carry: carry.clone(),
                leave: leave.clone(),
            }),
            Decision::Carry(_) | Decision::Leave(_) => None,
        });
        open.collect()
    }

    /// Settles a conflict by leaving the thing out, with the person's reason. An account that is left out is given to the
    /// service user by name; a field that is left out shows its values on the lead card.
    ///
    /// To carry instead, change the settings or the Gorgias account and propose again.
    ///
    /// # Errors
    /// [`SettleError`].
    pub fn leave(mut self, id: &RowId, reason: &str) -> Result<Self, SettleError> {
        let reason = clean_line(reason);
        let row = self.rows.get_mut(id).ok_or_else(|| SettleError::NoSuchRow(id.clone()))?;
        let Decision::Conflict { leave, .. } = &row.decision else {
            return Err(SettleError::NoConflict(id.clone()));
        };
        if reason.is_empty() {
            return Err(SettleError::NoReason(id.clone()));
        }
        let reason = format!("{}; left by choice: {reason}", leave.reason);
        row.decision = Decision::Leave(Objection { code: leave.code, reason });
        if id.object == ObjectKind::User
            && let Ok(user) = id.source_id.parse()
        {
            self.settings.placeholder_users.insert(user);
            self.users = self.users.with_choices(&self.settings);
        }
        Ok(self)
    }

    /// SHA-256 over everything that the reviewer sees.
    #[must_use]
    pub fn digest(&self) -> Digest {
        let rows: Vec<&MappingRow> = self.rows.values().collect();
        rows::digest(&rows, &self.settings, &self.fields, &self.tags, &self.teams, &self.users)
    }

    /// A person's decision for the whole.
    ///
    /// # Errors
    /// The open conflicts, of which there must be none.
    pub fn confirm(self, by: Reviewer, at: Timestamp) -> Result<ConfirmedMapping, Vec<Conflict>> {
        let open = self.conflicts();
        if !open.is_empty() {
            return Err(open);
        }
        let proposal_digest = self.digest();
        let Self { settings, fields, tags, teams, users, scopes, campaigns, rows } = self;
        let digest = confirmed_digest(proposal_digest, &scopes, &campaigns, &by, at);
        let rows = rows.into_values().collect();
        let parts = MappingParts {
            settings,
            fields,
            tags,
            teams,
            users,
            scopes,
            campaigns,
            rows,
            reviewer: by,
            confirmed_at: at,
            digest,
        };
        Ok(ConfirmedMapping { parts })
    }
}

fn scope_names(input: &ProposalInput<'_>) -> BTreeMap<Scope, String> {
    let campaigns =
        input.campaigns.iter().map(|campaign| (Scope::Campaign(campaign.id), campaign.name.clone()));
    let lists = input.lists.iter().map(|list| (Scope::List(list.id), list.name.clone()));
    campaigns.chain(lists).collect()
}
