//! The tables above contacts and calls: who works where, for whom, and by which rules.
//!
//! Deliberately absent: a hierarchy between users. LeadDesk shows roles and agent groups only (facts: no team object).

use crate::generate::chance::small;
use crate::generate::stamp::Stamp;

mod campaigns;
mod fields;
mod people;

pub(crate) use fields::value_for;

/// An account level. Only agents make calls (facts: the five account types).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Configures the account.
    Admin,
    /// Makes and takes calls.
    Agent,
    /// Leads the agents of one office.
    TeamLeader,
    /// Sees and leads everything.
    Manager,
    /// The client on whose behalf calls are made; looks on.
    Sponsor,
}

impl Role {
    /// The text of the REST API. The vendor publishes the five words but not their spelling there; these are assumed.
    pub fn text(self) -> &'static str {
        match self {
            Self::Admin => "Admin",
            Self::Agent => "Agent",
            Self::TeamLeader => "Team Leader",
            Self::Manager => "Manager",
            Self::Sponsor => "Sponsor",
        }
    }
}

/// A user account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Unique in the account.
    pub id: u32,
    /// Full name as shown to others.
    pub name: String,
    /// Login name, unique in the account.
    pub username: String,
    /// Whether the employment is active.
    pub active: bool,
    /// Name of the office; several roles have none.
    pub office: Option<String>,
    /// Account level.
    pub role: Role,
    /// Missing for some agents, and shared by two accounts of the same human being.
    pub email: Option<String>,
    /// Agent group, of agents and team leaders only.
    pub group_id: Option<u32>,
}

/// An administrative flag on users, lists and campaigns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Office {
    /// Unique in the account; visible in the extended profile only.
    pub id: u32,
    /// Unique in the account; the only key elsewhere.
    pub name: String,
    /// Name of an IANA time zone, where one is set.
    pub time_zone: Option<&'static str>,
}

/// What LeadDesk has instead of teams.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentGroup {
    /// Unique in the account.
    pub id: u32,
    /// Unique among groups; one may equal an office's name.
    pub name: String,
}

/// The dialer settings of a campaign, as an operator would write them down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dialer {
    /// Allowed calling modes.
    pub modes: Vec<&'static str>,
    /// Minutes between two attempts.
    pub waiting_minutes: u32,
    /// Seconds after a call before the next.
    pub wrap_up_seconds: u32,
    /// Free text.
    pub notes: String,
}

/// A campaign, which newer texts of the vendor call project: one object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Campaign {
    /// Unique in the account.
    pub id: u32,
    /// Shown to agents.
    pub name: String,
    /// The REST API's `type`; its values are not documented, these are assumed.
    pub kind: &'static str,
    /// Whether it is switched off.
    pub disabled: bool,
    /// The client on whose behalf it runs.
    pub sponsor: Option<String>,
    /// Name of the office it belongs to.
    pub office: Option<String>,
    /// Local time of creation.
    pub created_at: Stamp,
    /// How its calls are made.
    pub dialer: Dialer,
}

/// A calling list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallingList {
    /// Unique in the account.
    pub id: u32,
    /// Shown to agents.
    pub name: String,
    /// Positions of the campaigns that call it.
    pub(crate) campaigns: Vec<u16>,
    /// Call attempts per contact (facts: rounds belong to the list).
    pub rounds: u32,
    /// When it moves to the archive.
    pub expiry: Option<Stamp>,
    /// Name of its office.
    pub office: Option<String>,
    /// Whether it has been deleted or archived since.
    pub(crate) gone: bool,
}

/// What an agent says came of a call; older texts of the vendor say call ending reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Unique in the account; the only safe key.
    pub id: u32,
    /// Today's name; may repeat between campaigns.
    pub name: String,
    /// Position of the campaign it belongs to; none for global outcomes.
    pub(crate) campaign: Option<u16>,
    /// Whether it ends the work on a contact.
    pub finalises: bool,
    /// The extended profile's `type`.
    pub kind: &'static str,
    /// Until when it had another name, and which; calls before show that one.
    pub former_name: Option<(Stamp, String)>,
    /// Whether it fits calls that were answered.
    pub(crate) answered: bool,
}

impl Outcome {
    /// The name it had at a moment.
    pub fn name_at(&self, moment: Stamp) -> &str {
        match &self.former_name {
            Some((renamed_at, former)) if moment < *renamed_at => former,
            _ => &self.name,
        }
    }
}

/// Validation of a custom field, the same three that LeadDesk has: all values are text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldKind {
    /// Any text.
    Text,
    /// Text that should be a number; nothing enforces it for uploaded values.
    Number,
    /// One of the listed values.
    Dropdown,
}

impl FieldKind {
    /// The operator's word for it.
    pub fn text(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Number => "number",
            Self::Dropdown => "dropdown",
        }
    }
}

/// What one campaign calls one of the 35 slots.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldDefinition {
    /// 1 for `other1` to 35 for `other35`.
    pub slot: u8,
    /// Shown to agents; the same slot has other labels in other campaigns.
    pub label: &'static str,
    /// Validation.
    pub kind: FieldKind,
    /// Choices of a drop-down.
    pub values: &'static [&'static str],
    /// What people really put in.
    pub(crate) content: Content,
}

/// What the values of a field look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Content {
    Number,
    YesNo,
    Date,
    Choice,
    Words,
    Nested,
}

/// A number that must not be called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlacklistEntry {
    /// As uploaded; LeadDesk compares the exact text (facts: no normalisation).
    pub number: String,
    /// The sponsor for whom it holds; none for everybody.
    pub sponsor: Option<String>,
    /// Local time of the upload.
    pub created_at: Stamp,
}

/// Everything above contacts and calls.
#[derive(Debug, Clone)]
pub(crate) struct Organisation {
    pub(crate) offices: Vec<Office>,
    pub(crate) groups: Vec<AgentGroup>,
    pub(crate) sponsors: Vec<String>,
    pub(crate) users: Vec<User>,
    /// Positions in `users` of those who can take calls.
    pub(crate) agents: Vec<u16>,
    pub(crate) campaigns: Vec<Campaign>,
    /// Per campaign.
    pub(crate) fields: Vec<Vec<FieldDefinition>>,
    pub(crate) lists: Vec<CallingList>,
    pub(crate) outcomes: Vec<Outcome>,
}

impl Organisation {
    pub(crate) fn generate(shape: &crate::generate::Shape) -> Self {
        let offices = people::offices(shape);
        let groups = people::groups(shape, &offices);
        let sponsors = people::sponsors(shape);
        let users = people::users(shape, &offices, &groups);
        let agents = (0_u16..)
            .zip(&users)
            .filter(|(_, user)| user.role == Role::Agent)
            .map(|(position, _)| position)
            .collect();
        let campaigns = campaigns::campaigns(shape, &sponsors, &offices);
        let fields = fields::definitions(campaigns.len());
        let lists = campaigns::lists(shape, &offices);
        let outcomes = campaigns::outcomes(shape, &campaigns);
        Self { offices, groups, sponsors, users, agents, campaigns, fields, lists, outcomes }
    }

    /// Positions of the outcomes that an agent of the campaign can choose: the global ones and its own.
    pub(crate) fn outcomes_for(&self, campaign: u16) -> impl Iterator<Item = u16> + Clone {
        let own = campaigns::own_outcomes(campaign);
        let known = small(self.outcomes.len());
        campaigns::global_outcomes().chain(own).filter(move |position| *position < known)
    }
}
