//! Gorgias' words: drafts ready to write, and records as they were read back.
//!
//! Drafts name other records by our keys; ids of Gorgias are filled in when the draft is sent.
//! Deliberately absent: JSON, HTTP and every field that this tool never writes (snooze, spam, macros, actions).

use jiff::Timestamp;

use crate::keys::{ExternalId, FieldKey, TeamKey};
use crate::leaddesk::UserId as LeadDeskUserId;

macro_rules! gorgias_id {
    ($(#[$doc:meta] $name:ident),+ $(,)?) => {$(
        #[$doc]
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub u64);

        impl std::fmt::Display for $name {
            fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(out, "{}", self.0)
            }
        }
    )+};
}

gorgias_id! {
    /// Id of a customer; shares one sequence with users, so it is never used without its type.
    CustomerId,
    /// Id of a user (an agent in Gorgias).
    UserId,
    /// Id of a team.
    TeamId,
    /// Id of a tag.
    TagId,
    /// Id of a custom field definition.
    FieldId,
    /// Id of a ticket.
    TicketId,
    /// Id of a message.
    MessageId,
    /// Id of a rule.
    RuleId,
    /// Id of an integration.
    IntegrationId,
    /// Id of an account setting.
    SettingId,
}

/// Messages that one ticket creation carries at most (facts: ticket create body).
pub const MESSAGES_PER_TICKET_CREATE_MAX: usize = 500;
/// Characters of a subject.
pub const SUBJECT_CHARS_MAX: usize = 998;
/// Characters of a tag name.
pub const TAG_NAME_CHARS_MAX: usize = 256;
/// Characters of a custom field's label.
pub const FIELD_LABEL_CHARS_MAX: usize = 255;
/// Characters of a custom field's text value that every known account takes.
pub const FIELD_TEXT_CHARS_MAX: usize = 1_000;
/// Active custom fields per object type.
pub const FIELDS_PER_OBJECT_MAX: usize = 25;

/// A way to reach a customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ChannelKind {
    /// `email`.
    Email,
    /// `phone`.
    Phone,
}

impl ChannelKind {
    /// Gorgias' word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Phone => "phone",
        }
    }
}

/// One channel of a customer.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct CustomerChannel {
    /// What kind of address.
    pub kind: ChannelKind,
    /// Sent as it stands here; Gorgias stores phone addresses as sent.
    pub address: String,
    /// The one to use first of its kind.
    pub is_preferred: bool,
}

/// Which records a custom field belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FieldObject {
    /// `Ticket`.
    Ticket,
    /// `Customer`.
    Customer,
}

impl FieldObject {
    /// Gorgias' word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ticket => "Ticket",
            Self::Customer => "Customer",
        }
    }
}

/// Data type of a custom field. Gorgias has no date and no multi-select.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FieldKind {
    /// Free text.
    Text,
    /// Finite number.
    Number,
    /// Yes or no.
    Boolean,
}

impl FieldKind {
    /// Gorgias' `data_type`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Number => "number",
            Self::Boolean => "boolean",
        }
    }
}

/// A custom field definition to create.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldDraft {
    /// Becomes `external_id`.
    pub key: FieldKey,
    /// Ticket or customer field.
    pub object: FieldObject,
    /// What agents see; unique in the account.
    pub label: String,
    /// Data type.
    pub kind: FieldKind,
    /// Where it comes from, for the admin.
    pub description: String,
}

/// Value of a custom field.
#[derive(Debug, Clone, PartialEq)]
pub enum FieldValue {
    /// At most [`FIELD_TEXT_CHARS_MAX`] characters.
    Text(String),
    /// Finite.
    Number(f64),
    /// Yes or no.
    Boolean(bool),
}

/// A value for one field of one record.
#[derive(Debug, Clone, PartialEq)]
pub struct FieldValueDraft {
    /// The definition.
    pub field: FieldKey,
    /// The value.
    pub value: FieldValue,
}

/// A tag to create.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct TagDraft {
    /// 1 to 256 characters, case-sensitive.
    pub name: String,
    /// Where it comes from.
    pub description: String,
}

/// A team to create.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TeamDraft {
    /// Our key; also written into the description, since teams have no `external_id`.
    pub key: TeamKey,
    /// Unique in the account.
    pub name: String,
    /// Carries the time zone, the leaders and the key.
    pub description: String,
    /// Members that have a user in Gorgias.
    pub members: Vec<LeadDeskUserId>,
}

/// A customer to create.
#[derive(Debug, Clone, PartialEq)]
pub struct CustomerDraft {
    /// `leaddesk:contact:<smallest contact id>` and the like.
    pub external_id: ExternalId,
    /// Gorgias splits the first and the last token off by itself.
    pub name: Option<String>,
    /// Primary address.
    pub email: Option<String>,
    /// At least one unless it is a placeholder.
    pub channels: Vec<CustomerChannel>,
    /// Two-letter language code.
    pub language: Option<String>,
    /// IANA zone.
    pub timezone: Option<String>,
    /// Set by a second request, since creation takes none.
    pub values: Vec<FieldValueDraft>,
}

/// Status of a ticket; there are only two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TicketStatus {
    /// `open`.
    Open,
    /// `closed`.
    Closed,
}

impl TicketStatus {
    /// Gorgias' word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Closed => "closed",
        }
    }
}

/// Who a message comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sender {
    /// The ticket's customer.
    Customer,
    /// The Gorgias user matched to this LeadDesk account.
    User(LeadDeskUserId),
    /// The user that the migration runs as.
    ServiceUser,
}

/// How a message travels. Outgoing kinds carry the moment they were sent: without it Gorgias would send them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery {
    /// Never sent, never billed.
    InternalNote {
        /// Author.
        author: Sender,
        /// Moment shown.
        at: Timestamp,
    },
    /// From the customer, on a channel such as `chat` or `phone`.
    Incoming {
        /// Gorgias' channel word.
        channel: String,
        /// Moment of receipt.
        at: Timestamp,
    },
    /// From the company to the customer, long ago.
    Outgoing {
        /// Gorgias' channel word.
        channel: String,
        /// Author.
        author: Sender,
        /// Moment of sending; in the past.
        sent_at: Timestamp,
    },
}

impl Delivery {
    /// The moment of the message.
    #[must_use]
    pub fn at(&self) -> Timestamp {
        match self {
            Self::InternalNote { at, .. } | Self::Incoming { at, .. } => *at,
            Self::Outgoing { sent_at, .. } => *sent_at,
        }
    }
}

/// A message to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageDraft {
    /// Not a list filter at Gorgias, but read back.
    pub external_id: ExternalId,
    /// Kind, author and moment.
    pub delivery: Delivery,
    /// Plain text.
    pub body_text: String,
    /// The same text as safe HTML.
    pub body_html: String,
    /// The file that hangs on it.
    pub attachment: Option<AttachmentDraft>,
}

/// A file of the store that shall hang on a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttachmentDraft {
    /// Name that people see; holds no number of a person.
    pub file_name: String,
    /// Media type.
    pub content_type: String,
    /// Size.
    pub bytes: u64,
    /// SHA-256, hexadecimal.
    pub sha256: String,
    /// Object below the folder of the migration.
    pub store_key: String,
}

/// A ticket to write with all of its messages.
#[derive(Debug, Clone, PartialEq)]
pub struct TicketDraft {
    /// `leaddesk:lead:<list>:<contact>` and the like.
    pub external_id: ExternalId,
    /// Its customer, written before.
    pub customer: ExternalId,
    /// At most [`SUBJECT_CHARS_MAX`] characters.
    pub subject: String,
    /// Open or closed.
    pub status: TicketStatus,
    /// Gorgias' channel word; later messages never change it.
    pub channel: String,
    /// Owner.
    pub assignee_user: Option<LeadDeskUserId>,
    /// Owner's team.
    pub assignee_team: Option<TeamKey>,
    /// Sorted, without repetition.
    pub tags: Vec<String>,
    /// Ticket fields.
    pub values: Vec<FieldValueDraft>,
    /// Earliest evidence.
    pub created_at: Timestamp,
    /// Latest evidence, for closed tickets only.
    pub closed_at: Option<Timestamp>,
    /// In order of time; at least one.
    pub messages: Vec<MessageDraft>,
}

/// A user as the account lists it (facts: users).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Its id.
    pub id: UserId,
    /// Shown name.
    pub name: String,
    /// Login address.
    pub email: Option<String>,
    /// Role word: `admin`, `agent`, `basic-agent`, `lite-agent`, `observer-agent`.
    pub role: String,
    /// Not deactivated.
    pub is_active: bool,
}

/// A team as the account lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Team {
    /// Its id.
    pub id: TeamId,
    /// Unique name.
    pub name: String,
    /// May hold our key, since teams have no `external_id`.
    pub description: Option<String>,
}

/// A tag as the account lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag {
    /// Its id.
    pub id: TagId,
    /// Case-sensitive name.
    pub name: String,
}

/// A custom field definition as the account lists it, archived ones included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Its id.
    pub id: FieldId,
    /// Ticket or customer field.
    pub object: FieldObject,
    /// Unique label.
    pub label: String,
    /// Free text for integrations; ours carry a [`FieldKey`].
    pub external_id: Option<String>,
    /// Data type.
    pub kind: FieldKind,
    /// Not archived.
    pub is_active: bool,
    /// Filled by Gorgias itself.
    pub is_managed: bool,
}
