//! What a person decides on one row of a proposal, and which decisions a row takes.
//!
//! Choices are part of the settings, so a proposal stays a function of settings and account: the same choices give the
//! same proposal. Deliberately absent: whether a row exists; a choice for a row that is gone waits until it comes back.

use std::collections::{BTreeMap, BTreeSet};

use super::RowId;
use crate::canonical::Canonical;
use crate::fields::{ContactField, FixedField, SlotKey, SlotKind};
use crate::finding::ObjectKind;
use crate::gorgias::{self, FIELD_LABEL_CHARS_MAX, TAG_NAME_CHARS_MAX, TicketStatus};
use crate::leaddesk::{CampaignId, ListId, OutcomeId, UserId};
use crate::settings::{MappingSettings, choice};
use crate::text::clean_line;
use crate::users::{GorgiasRole, SourceRole};

/// Characters of a reason or purpose at most.
pub const REASON_CHARS_MAX: usize = 500;
/// Characters of a team's or outcome's new name at most.
pub const NAME_CHARS_MAX: usize = 255;
/// Words that may stand for "opted out" in one field.
const OPT_OUT_WORDS_MAX: usize = 50;

choice! {
    /// The forms that a choice has.
    ChoiceKind {
        /// Not migrated.
        Leave = "leave",
        /// Migrated, with a purpose, a type or a place of one's own.
        Carry = "carry",
        /// Under another name.
        Rename = "rename",
        /// A team of Gorgias that is there.
        Team = "team",
        /// A user of Gorgias.
        User = "user",
        /// The service user stands for it.
        Placeholder = "placeholder",
        /// Status of the ticket.
        Status = "status",
        /// Role of the user to provision.
        Role = "role",
    }
}

/// Where a value goes when it is carried.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum CarryInto {
    /// A new field with this label.
    NewField(String),
    /// A field of the account that is there.
    Field(gorgias::FieldId),
    /// The customer is opted out when the value is one of these words; compared without case.
    OptOut(BTreeSet<String>),
    /// The lead card alone.
    LeadCard,
}

impl CarryInto {
    /// Stable word for documents.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::NewField(_) => "new-field",
            Self::Field(_) => "field",
            Self::OptOut(_) => "opt-out",
            Self::LeadCard => "lead-card",
        }
    }
}

/// What a person decides on one row.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum RowChoice {
    /// Not migrated.
    Leave {
        /// Why.
        reason: String,
    },
    /// Migrated.
    Carry {
        /// What it is needed for; may be empty where nothing sensitive is carried.
        purpose: String,
        /// Another type than the inferred one.
        kind: Option<SlotKind>,
        /// Another place than the proposed one.
        into: Option<CarryInto>,
    },
    /// Tags, teams and outcomes under another name.
    Rename {
        /// The name.
        name: String,
    },
    /// The team of Gorgias that stands for an office or group.
    Team(gorgias::TeamId),
    /// The user of Gorgias that an account is.
    User(gorgias::UserId),
    /// The service user stands for an account.
    Placeholder {
        /// Why.
        reason: String,
    },
    /// The ticket status of a lead status.
    Status(TicketStatus),
    /// The role in Gorgias of a role in LeadDesk.
    Role(GorgiasRole),
}

impl RowChoice {
    /// Its form.
    #[must_use]
    pub fn kind(&self) -> ChoiceKind {
        match self {
            Self::Leave { .. } => ChoiceKind::Leave,
            Self::Carry { .. } => ChoiceKind::Carry,
            Self::Rename { .. } => ChoiceKind::Rename,
            Self::Team(_) => ChoiceKind::Team,
            Self::User(_) => ChoiceKind::User,
            Self::Placeholder { .. } => ChoiceKind::Placeholder,
            Self::Status(_) => ChoiceKind::Status,
            Self::Role(_) => ChoiceKind::Role,
        }
    }
}

/// A choice that its row does not take.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChoiceError {
    /// Nothing can be decided on such a row.
    #[error("nothing can be decided on row {0}")]
    NoDecision(RowId),
    /// The row takes other choices.
    #[error("row {row} takes {}, not `{}`", words(.legal), .kind.as_str())]
    NotLegal {
        /// The row.
        row: RowId,
        /// What was chosen.
        kind: ChoiceKind,
        /// What it takes.
        legal: &'static [ChoiceKind],
    },
    /// The row cannot be carried there, or not with that type.
    #[error("row {row} cannot be carried so: {why}")]
    Place {
        /// The row.
        row: RowId,
        /// Why not.
        why: &'static str,
    },
    /// A reason, name or purpose is missing or too long.
    #[error("row {row}: {what} {why}")]
    Text {
        /// The row.
        row: RowId,
        /// `reason`, `purpose`, `name`, `label` or `words`.
        what: &'static str,
        /// What is wrong with it.
        why: &'static str,
    },
}

fn words(kinds: &[ChoiceKind]) -> String {
    let words: Vec<String> = kinds.iter().map(|kind| format!("`{}`", kind.as_str())).collect();
    words.join(" or ")
}

impl ChoiceError {
    /// The row.
    #[must_use]
    pub fn row(&self) -> &RowId {
        match self {
            Self::NoDecision(row)
            | Self::NotLegal { row, .. }
            | Self::Place { row, .. }
            | Self::Text { row, .. } => row,
        }
    }
}

/// What a row is about, read from its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RowSubject {
    /// A slot in its scope.
    Slot(SlotKey),
    /// A field of the contact card.
    Contact(ContactField),
    /// A field that the mapping promises.
    Fixed(FixedField),
    /// A campaign's tag.
    Campaign(CampaignId),
    /// A sponsor's tag, by name.
    Sponsor(String),
    /// A list's tag.
    List(ListId),
    /// One outcome.
    Outcome(OutcomeId),
    /// One status of leads, folded.
    LeadStatus(String),
    /// An office or group, by the key of its team.
    Team(crate::keys::TeamKey),
    /// An account.
    User(UserId),
    /// One of LeadDesk's roles.
    Role(SourceRole),
}

const STATUS_PREFIX: &str = "status:";
const ROLE_PREFIX: &str = "role:";
const SPONSOR_PREFIX: &str = "sponsor:";

impl RowSubject {
    /// What the row with this id is about; `None` when nothing can be decided on it.
    #[must_use]
    pub fn of(id: &RowId) -> Option<Self> {
        let text = id.source_id.as_str();
        let fixed = FixedField::ALL.iter().copied().find(|field| field.row() == *id);
        if let Some(fixed) = fixed {
            return Some(Self::Fixed(fixed));
        }
        Some(match id.object {
            ObjectKind::Slot => Self::Slot(text.parse().ok()?),
            ObjectKind::Contact => Self::Contact(ContactField::from_word(text)?),
            ObjectKind::Campaign => match text.strip_prefix(SPONSOR_PREFIX) {
                Some(name) => Self::Sponsor(name.to_owned()),
                None => Self::Campaign(text.parse().ok()?),
            },
            ObjectKind::List => Self::List(text.parse().ok()?),
            ObjectKind::Outcome => Self::Outcome(text.parse().ok()?),
            ObjectKind::Lead => Self::LeadStatus(text.strip_prefix(STATUS_PREFIX)?.to_owned()),
            ObjectKind::Office | ObjectKind::Group => Self::Team(crate::keys::TeamKey(text.to_owned())),
            ObjectKind::User => match text.strip_prefix(ROLE_PREFIX) {
                Some(role) => Self::Role(SourceRole::from_word(role)?),
                None => Self::User(text.parse().ok()?),
            },
            _ => return None,
        })
    }

    /// The id of its row.
    #[must_use]
    pub fn row(&self) -> RowId {
        match self {
            Self::Slot(key) => RowId::new(ObjectKind::Slot, key),
            Self::Contact(field) => RowId::new(ObjectKind::Contact, field.as_str()),
            Self::Fixed(field) => field.row(),
            Self::Campaign(id) => RowId::new(ObjectKind::Campaign, id),
            Self::Sponsor(name) => RowId::new(ObjectKind::Campaign, format!("{SPONSOR_PREFIX}{name}")),
            Self::List(id) => RowId::new(ObjectKind::List, id),
            Self::Outcome(id) => RowId::new(ObjectKind::Outcome, id),
            Self::LeadStatus(word) => RowId::new(ObjectKind::Lead, format!("{STATUS_PREFIX}{word}")),
            Self::Team(key) if key.0.starts_with("office:") => RowId::new(ObjectKind::Office, key),
            Self::Team(key) => RowId::new(ObjectKind::Group, key),
            Self::User(id) => RowId::new(ObjectKind::User, id),
            Self::Role(role) => RowId::new(ObjectKind::User, format!("{ROLE_PREFIX}{}", role.as_str())),
        }
    }

    /// The forms of choices that its row takes, in the order in which they are offered.
    #[must_use]
    pub fn legal(&self) -> &'static [ChoiceKind] {
        use ChoiceKind as Kind;
        match self {
            Self::Slot(_) | Self::Fixed(_) => &[Kind::Carry, Kind::Leave],
            Self::Contact(field) if field.is_card() => &[Kind::Carry, Kind::Leave],
            Self::Contact(_) => &[],
            Self::Campaign(_) | Self::Sponsor(_) | Self::List(_) | Self::Outcome(_) => {
                &[Kind::Rename, Kind::Leave]
            }
            Self::LeadStatus(_) => &[Kind::Status],
            Self::Team(_) => &[Kind::Rename, Kind::Team, Kind::Leave],
            Self::User(_) => &[Kind::User, Kind::Placeholder],
            Self::Role(_) => &[Kind::Role],
        }
    }
}

/// The forms of choices that a row takes; empty when nothing can be decided on it.
#[must_use]
pub fn legal_choices(id: &RowId) -> &'static [ChoiceKind] {
    RowSubject::of(id).map_or(&[], |subject| subject.legal())
}

/// Checks one choice against the form of its row.
///
/// # Errors
/// [`ChoiceError`].
pub fn check(id: &RowId, choice: &RowChoice) -> Result<(), ChoiceError> {
    let subject = RowSubject::of(id).ok_or_else(|| ChoiceError::NoDecision(id.clone()))?;
    let (kind, legal) = (choice.kind(), subject.legal());
    if legal.is_empty() {
        return Err(ChoiceError::NoDecision(id.clone()));
    }
    if !legal.contains(&kind) {
        return Err(ChoiceError::NotLegal { row: id.clone(), kind, legal });
    }
    let text = |what, text: &str, is_needed: bool, chars_max: usize| {
        let length = clean_line(text).chars().count();
        let why = match length {
            0 if is_needed => "is missing",
            length if length > chars_max => "is too long",
            _ => return Ok(()),
        };
        Err(ChoiceError::Text { row: id.clone(), what, why })
    };
    match choice {
        RowChoice::Leave { reason } | RowChoice::Placeholder { reason } => {
            text("reason", reason, true, REASON_CHARS_MAX)
        }
        RowChoice::Rename { name } => {
            let is_tag =
                matches!(subject, RowSubject::Campaign(_) | RowSubject::Sponsor(_) | RowSubject::List(_));
            text("name", name, true, if is_tag { TAG_NAME_CHARS_MAX } else { NAME_CHARS_MAX })
        }
        RowChoice::Carry { purpose, kind, into } => {
            text("purpose", purpose, false, REASON_CHARS_MAX)?;
            place(id, &subject, *kind, into.as_ref())?;
            match into {
                Some(CarryInto::NewField(label)) => text("label", label, true, FIELD_LABEL_CHARS_MAX),
                Some(CarryInto::OptOut(words)) => {
                    let fits = (1..=OPT_OUT_WORDS_MAX).contains(&words.len());
                    let first = words.first().map_or("", String::as_str);
                    text("words", if fits { first } else { "" }, true, NAME_CHARS_MAX)
                }
                _ => Ok(()),
            }
        }
        RowChoice::Team(_) | RowChoice::User(_) | RowChoice::Status(_) | RowChoice::Role(_) => Ok(()),
    }
}

fn place(
    id: &RowId,
    subject: &RowSubject,
    kind: Option<SlotKind>,
    into: Option<&CarryInto>,
) -> Result<(), ChoiceError> {
    let no = |why| Err(ChoiceError::Place { row: id.clone(), why });
    let is_field = matches!(into, None | Some(CarryInto::NewField(_) | CarryInto::Field(_)));
    match subject {
        RowSubject::Fixed(_) if kind.is_some() => no("its type is fixed by the mapping"),
        RowSubject::Fixed(_) if !is_field => no("it is a field and nothing else"),
        RowSubject::Contact(_) if matches!(into, Some(CarryInto::OptOut(_))) => {
            no("a field of the card becomes a field or stands on the lead card")
        }
        _ if kind.is_some() && !is_field => no("only a field has a type"),
        _ => Ok(()),
    }
}

/// Choices by row.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MappingChoices(pub BTreeMap<RowId, RowChoice>);

impl MappingChoices {
    /// The choice for a row.
    #[must_use]
    pub fn get(&self, id: &RowId) -> Option<&RowChoice> {
        self.0.get(id)
    }

    /// The choice for what a row is about.
    #[must_use]
    pub fn of(&self, subject: &RowSubject) -> Option<&RowChoice> {
        if self.0.is_empty() { None } else { self.0.get(&subject.row()) }
    }

    pub(crate) fn render(&self, out: &mut Canonical) {
        for (id, choice) in &self.0 {
            out.put("choice", id).put("form", choice.kind().as_str());
            match choice {
                RowChoice::Leave { reason } | RowChoice::Placeholder { reason } => out.put("reason", reason),
                RowChoice::Rename { name } => out.put("name", name),
                RowChoice::Team(id) => out.put("team", id),
                RowChoice::User(id) => out.put("user", id),
                RowChoice::Status(status) => out.put("status", status.as_str()),
                RowChoice::Role(role) => out.put("role", role.as_str()),
                RowChoice::Carry { purpose, kind, into } => {
                    out.put("purpose", purpose).put_option("kind", kind.map(SlotKind::as_str));
                    out.put_option("into", into.as_ref().map(CarryInto::as_str));
                    match into {
                        Some(CarryInto::NewField(label)) => out.put("label", label),
                        Some(CarryInto::Field(id)) => out.put("field", id),
                        Some(CarryInto::OptOut(words)) => put_all(out, words),
                        _ => &mut *out,
                    }
                }
            };
        }
    }
}

fn put_all<'o>(out: &'o mut Canonical, words: &BTreeSet<String>) -> &'o mut Canonical {
    for word in words {
        out.put("word", word);
    }
    out
}

impl MappingSettings {
    /// These settings with choices on top; a choice replaces an earlier one for its row.
    ///
    /// # Errors
    /// The first choice, in order of row, that its row does not take.
    pub fn with_choices(&self, choices: &MappingChoices) -> Result<Self, ChoiceError> {
        let mut settings = self.clone();
        for (id, choice) in &choices.0 {
            check(id, choice)?;
            settings.choices.0.insert(id.clone(), choice.clone());
        }
        Ok(settings)
    }
}
