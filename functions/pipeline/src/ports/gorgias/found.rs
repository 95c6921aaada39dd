//! Records as they are read from Gorgias. Lists show less than single reads; what a form does not show is `None`.

use jiff::Timestamp;
use migration::gorgias::{
    CustomerId, FieldId, FieldObject, FieldValue, IntegrationId, MessageId, RuleId, SettingId, TagId, TeamId,
    TicketId, UserId,
};

/// One page of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct Page<T> {
    /// Records with the raw JSON beside each.
    pub records: Vec<Raw<T>>,
    /// Opaque; absent at the end.
    pub next: Option<Cursor>,
}

/// A parsed record and the text it was parsed from.
#[derive(Debug, Clone, PartialEq)]
pub struct Raw<T> {
    /// The part that we understand.
    pub record: T,
    /// The record as received; unknown keys live on here.
    pub json: String,
}

/// Opaque, short-lived position in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor(pub String);

/// A user as listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Id.
    pub id: UserId,
    /// Address.
    pub email: Option<String>,
    /// Shown name.
    pub name: String,
    /// `role.name`.
    pub role: String,
    /// Not deactivated.
    pub is_active: bool,
    /// Ours or anyone's.
    pub external_id: Option<String>,
}

/// A team as listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Team {
    /// Id.
    pub id: TeamId,
    /// Name.
    pub name: String,
    /// Description.
    pub description: Option<String>,
    /// Members, sorted.
    pub members: Vec<UserId>,
    /// Creation.
    pub created_at: Option<Timestamp>,
}

/// A tag as listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag {
    /// Id.
    pub id: TagId,
    /// Name, case-sensitive.
    pub name: String,
    /// Description.
    pub description: Option<String>,
    /// Colour, may differ from what was sent.
    pub color: Option<String>,
    /// How many tickets carry it.
    pub usage: Option<i64>,
}

/// A custom field definition as listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Id.
    pub id: FieldId,
    /// Ticket or customer.
    pub object: FieldObject,
    /// Ours or anyone's.
    pub external_id: Option<String>,
    /// Label.
    pub label: String,
    /// What it is for.
    pub description: Option<String>,
    /// `text`, `number`, `boolean`.
    pub data_type: String,
    /// Set for fields that Gorgias manages itself.
    pub managed_type: Option<String>,
    /// Not archived.
    pub is_active: bool,
    /// The server may override what was sent.
    pub priority: Option<i32>,
}

/// A rule as listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Id.
    pub id: RuleId,
    /// Name.
    pub name: String,
    /// Not deactivated.
    pub is_active: bool,
    /// Events that trigger it.
    pub event_types: Option<String>,
}

/// An account setting; the content is kept as JSON text because it is restored as it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// Id.
    pub id: SettingId,
    /// `satisfaction-surveys`, `auto-merge`, `ticket-assignment`, …
    pub kind: String,
    /// `data` as JSON text.
    pub json: String,
}

/// An integration; HTTP ones are webhooks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Integration {
    /// Id.
    pub id: IntegrationId,
    /// Name.
    pub name: String,
    /// `http`, `email`, …
    pub kind: String,
    /// Not deactivated.
    pub is_active: bool,
}

/// The account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Subdomain; the fingerprint of the destination.
    pub domain: String,
    /// `status.status`.
    pub status: Option<String>,
    /// `current_subscription.plan`.
    pub plan: Option<String>,
}

/// Value of a custom field as read.
#[derive(Debug, Clone, PartialEq)]
pub struct FoundValue {
    /// Definition.
    pub field: FieldId,
    /// Value.
    pub value: FieldValue,
}

/// A customer as read; lists show no channels and no values.
#[derive(Debug, Clone, PartialEq)]
pub struct Customer {
    /// Id.
    pub id: CustomerId,
    /// Ours or anyone's.
    pub external_id: Option<String>,
    /// Whole name.
    pub name: Option<String>,
    /// First token, split off by the server.
    pub first_name: Option<String>,
    /// Last token, split off by the server.
    pub last_name: Option<String>,
    /// Primary address.
    pub email: Option<String>,
    /// Two letters.
    pub language: Option<String>,
    /// IANA zone.
    pub timezone: Option<String>,
    /// `None` in the list form.
    pub channels: Option<Vec<FoundChannel>>,
    /// `None` in the list form.
    pub values: Option<Vec<FoundValue>>,
    /// Creation.
    pub created_at: Option<Timestamp>,
    /// Last change.
    pub updated_at: Option<Timestamp>,
}

/// A channel as read; kinds that we never write occur too.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct FoundChannel {
    /// `email`, `phone`, `chat`, …
    pub kind: String,
    /// Address.
    pub address: String,
    /// Preferred of its kind.
    pub is_preferred: bool,
}

/// A ticket as read; messages come from their own lists.
#[derive(Debug, Clone, PartialEq)]
pub struct Ticket {
    /// Id.
    pub id: TicketId,
    /// Ours or anyone's.
    pub external_id: Option<String>,
    /// Customer.
    pub customer: Option<CustomerId>,
    /// Subject.
    pub subject: Option<String>,
    /// `open` or `closed`.
    pub status: String,
    /// Channel word.
    pub channel: String,
    /// Via word.
    pub via: String,
    /// First message from an agent; absent when not told.
    pub from_agent: Option<bool>,
    /// Owner.
    pub assignee_user: Option<UserId>,
    /// Team.
    pub assignee_team: Option<TeamId>,
    /// Tag names, sorted.
    pub tags: Vec<String>,
    /// Values, sorted by field.
    pub values: Vec<FoundValue>,
    /// Creation, may be back-dated.
    pub created_at: Option<Timestamp>,
    /// Opening.
    pub opened_at: Option<Timestamp>,
    /// Closing.
    pub closed_at: Option<Timestamp>,
    /// Last message.
    pub last_message_at: Option<Timestamp>,
    /// Last change; moves by itself.
    pub updated_at: Option<Timestamp>,
    /// In the trash since.
    pub trashed_at: Option<Timestamp>,
    /// Spam mark.
    pub is_spam: Option<bool>,
    /// Priority word.
    pub priority: Option<String>,
    /// Detected language.
    pub language: Option<String>,
    /// Messages, where the list tells.
    pub message_count: Option<i64>,
}

/// A message as read.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// Id.
    pub id: MessageId,
    /// Its ticket.
    pub ticket: TicketId,
    /// Ours or anyone's.
    pub external_id: Option<String>,
    /// Channel word.
    pub channel: String,
    /// Via word.
    pub via: String,
    /// From the company.
    pub from_agent: bool,
    /// Shown to the customer.
    pub is_public: Option<bool>,
    /// Person id of the sender (customer or user, by `from_agent`).
    pub sender: Option<u64>,
    /// Person id of the receiver.
    pub receiver: Option<u64>,
    /// Sent.
    pub sent_at: Option<Timestamp>,
    /// Created, may be back-dated.
    pub created_at: Option<Timestamp>,
    /// Plain text.
    pub body_text: Option<String>,
    /// HTML.
    pub body_html: Option<String>,
    /// Files that hang on it, in order.
    pub attachments: Vec<FoundAttachment>,
}

/// A file that hangs on a message, as read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundAttachment {
    /// Address.
    pub url: String,
    /// Label.
    pub name: String,
    /// Media type.
    pub content_type: String,
    /// Size, where it is told.
    pub bytes: Option<u64>,
}

/// An entry of the account's audit log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEvent {
    /// Id.
    pub id: u64,
    /// `ticket-updated`, `ticket-tags-added`, …
    pub kind: String,
    /// `Ticket`, `Customer`, …; case-sensitive.
    pub object_type: String,
    /// The record.
    pub object: u64,
    /// Who did it; nobody for what the server did by itself.
    pub user: Option<UserId>,
    /// When.
    pub at: Timestamp,
}
