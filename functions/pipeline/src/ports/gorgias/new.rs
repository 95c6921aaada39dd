//! Records to write, with Gorgias' ids filled in.

use std::collections::BTreeMap;

use bytes::Bytes;
use jiff::Timestamp;
use migration::gorgias::{CustomerChannel, CustomerId, TeamId, TicketStatus, UserId};
use migration::keys::ExternalId;

use super::found::{FoundChannel, FoundValue};

/// A customer to create, ids resolved.
#[derive(Debug, Clone, PartialEq)]
pub struct NewCustomer {
    /// Our key.
    pub external_id: ExternalId,
    /// Whole name.
    pub name: Option<String>,
    /// Primary address.
    pub email: Option<String>,
    /// Channels.
    pub channels: Vec<CustomerChannel>,
    /// Two letters.
    pub language: Option<String>,
    /// IANA zone.
    pub timezone: Option<String>,
}

/// What becomes of one text field.
pub type Change = ChangeOf<String>;

/// What becomes of one field.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum ChangeOf<T> {
    /// It stays as it is.
    #[default]
    Keep,
    /// It is emptied.
    Empty,
    /// It gets this content.
    To(T),
}

impl<T: Clone> ChangeOf<T> {
    /// The content to write, or nothing when the field stays.
    #[must_use]
    pub fn filling(content: Option<T>) -> Self {
        content.map_or(Self::Keep, Self::To)
    }

    /// The content to write, or none when the field is emptied.
    #[must_use]
    pub fn to(content: Option<T>) -> Self {
        content.map_or(Self::Empty, Self::To)
    }

    /// Makes the change to a field.
    pub fn apply(&self, held: &mut Option<T>) {
        match self {
            Self::Keep => {}
            Self::Empty => *held = None,
            Self::To(content) => *held = Some(content.clone()),
        }
    }
}

/// Fields to change on a customer. Channels replace the whole list at Gorgias.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct CustomerChange {
    /// External id.
    pub external_id: Change,
    /// Name.
    pub name: Change,
    /// Primary address.
    pub email: Change,
    /// Two letters.
    pub language: Change,
    /// IANA zone.
    pub timezone: Change,
    /// All channels, old ones included.
    pub channels: Option<Vec<FoundChannel>>,
}

/// Fields to change on a ticket. Values replace the whole set at Gorgias; tags have requests of their own.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TicketChange {
    /// External id.
    pub external_id: Change,
    /// Customer.
    pub customer: Option<CustomerId>,
    /// Subject.
    pub subject: Change,
    /// Status.
    pub status: Option<TicketStatus>,
    /// Channel word.
    pub channel: Option<String>,
    /// Via word.
    pub via: Option<String>,
    /// First message from an agent.
    pub from_agent: Option<bool>,
    /// Spam mark.
    pub is_spam: Option<bool>,
    /// Owner.
    pub assignee_user: ChangeOf<UserId>,
    /// Team.
    pub assignee_team: ChangeOf<TeamId>,
    /// Closing.
    pub closed_at: ChangeOf<Timestamp>,
    /// Moment of the last message.
    pub last_message_at: ChangeOf<Timestamp>,
    /// All values, those that Gorgias manages included.
    pub values: Option<Vec<FoundValue>>,
}

/// Author of a message, resolved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Author {
    /// The ticket's customer.
    Customer(CustomerId),
    /// A user.
    User(UserId),
}

/// How a message travels, resolved. As in the draft, nothing that can leave Gorgias lacks its moment of sending.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NewDelivery {
    /// Internal note: never sent.
    InternalNote {
        /// Author.
        author: UserId,
        /// Moment shown.
        at: Timestamp,
    },
    /// From the customer.
    Incoming {
        /// Channel word.
        channel: String,
        /// Sender.
        sender: CustomerId,
        /// Moment.
        at: Timestamp,
    },
    /// From the company, long ago.
    Outgoing {
        /// Channel word.
        channel: String,
        /// Author.
        author: UserId,
        /// Receiver.
        receiver: CustomerId,
        /// Moment of sending.
        sent_at: Timestamp,
    },
}

/// A file to upload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewFile {
    /// Its label at Gorgias: ASCII letters, digits and `._-` alone.
    pub name: String,
    /// Media type.
    pub content_type: String,
    /// Content.
    pub body: Bytes,
}

/// A file that lies at Gorgias, as a message names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// Address, as the upload was answered.
    pub url: String,
    /// Label.
    pub name: String,
    /// Media type.
    pub content_type: String,
    /// Size.
    pub bytes: u64,
}

/// A message to create.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewMessage {
    /// Our key.
    pub external_id: ExternalId,
    /// Kind, author, moment.
    pub delivery: NewDelivery,
    /// Plain text.
    pub body_text: String,
    /// Safe HTML.
    pub body_html: String,
    /// Files that were uploaded before.
    pub attachments: Vec<Attachment>,
}

/// A ticket to create with up to 500 messages.
#[derive(Debug, Clone, PartialEq)]
pub struct NewTicket {
    /// Our key.
    pub external_id: ExternalId,
    /// Customer.
    pub customer: CustomerId,
    /// Subject.
    pub subject: String,
    /// Status.
    pub status: TicketStatus,
    /// Channel word.
    pub channel: String,
    /// Owner.
    pub assignee_user: Option<UserId>,
    /// Team.
    pub assignee_team: Option<TeamId>,
    /// Names of existing tags.
    pub tags: Vec<String>,
    /// Values.
    pub values: Vec<FoundValue>,
    /// Creation.
    pub created_at: Timestamp,
    /// Closing.
    pub closed_at: Option<Timestamp>,
    /// Moment of the last message.
    pub last_message_at: Timestamp,
    /// For `meta`: tells later which attempt made the record; never decides anything.
    pub meta: BTreeMap<String, String>,
    /// 1 to 500, in order of time.
    pub messages: Vec<NewMessage>,
}

/// A team to create, members resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewTeam {
    /// Name.
    pub name: String,
    /// Description.
    pub description: String,
    /// Members.
    pub members: Vec<UserId>,
}
