//! Gorgias as a destination: typed reads and writes; JSON stays in the adapter.
//!
//! The adapter paces every request by the account's bucket, follows no redirect on writes, and never repeats a POST
//! whose outcome is not known. Ids inside requests are Gorgias' own: the caller has resolved our keys.

mod failure;
mod found;
mod new;
mod usage;

use async_trait::async_trait;
use jiff::Timestamp;
use migration::gorgias::{
    CustomerId, FieldDraft, FieldId, FieldObject, IntegrationId, MessageId, RuleId, TagDraft, TagId, TeamId,
    TicketId, UserId,
};
use migration::keys::ExternalId;

pub use failure::{ReadError, WriteError};
pub use found::{
    Account, AuditEvent, Cursor, Customer, Field, FoundAttachment, FoundChannel, FoundValue, Integration,
    Message, Page, Raw, Rule, Setting, Tag, Team, Ticket, User,
};
pub use new::{
    Attachment, Author, Change, ChangeOf, CustomerChange, NewCustomer, NewDelivery, NewFile, NewMessage,
    NewTeam, NewTicket, TicketChange,
};
pub use usage::{Usage, Window};

/// Records per list page (facts: 1 to 100).
pub const PAGE_RECORDS_MAX: usize = 100;

/// The destination.
#[async_trait]
pub trait Gorgias: Send + Sync {
    /// `GET /account`.
    async fn account(&self) -> Result<Account, ReadError>;
    /// `GET /users/0`: the caller.
    async fn service_user(&self) -> Result<User, ReadError>;
    /// `GET /account/settings`.
    async fn settings(&self) -> Result<Vec<Setting>, ReadError>;
    /// `GET /users`, oldest first.
    async fn users(&self, cursor: Option<&Cursor>) -> Result<Page<User>, ReadError>;
    /// `GET /teams`, oldest first.
    async fn teams(&self, cursor: Option<&Cursor>) -> Result<Page<Team>, ReadError>;
    /// `GET /tags`, oldest first.
    async fn tags(&self, cursor: Option<&Cursor>) -> Result<Page<Tag>, ReadError>;
    /// `GET /custom-fields` of one object type, archived ones included.
    async fn fields(&self, object: FieldObject, cursor: Option<&Cursor>) -> Result<Page<Field>, ReadError>;
    /// `GET /rules`.
    async fn rules(&self, cursor: Option<&Cursor>) -> Result<Page<Rule>, ReadError>;
    /// `GET /integrations`.
    async fn integrations(&self, cursor: Option<&Cursor>) -> Result<Page<Integration>, ReadError>;
    /// `GET /customers`, oldest first; list form.
    async fn customers(&self, cursor: Option<&Cursor>) -> Result<Page<Customer>, ReadError>;
    /// `GET /customers/{id}` with values and channels. One that was merged into another answers with that other, whose
    /// id then differs from the one that was asked for.
    async fn customer(&self, id: CustomerId) -> Result<Raw<Customer>, ReadError>;
    /// `GET /customers?external_id=`; only byte-equal ids are returned.
    async fn customers_by_external_id(&self, id: &ExternalId) -> Result<Vec<Raw<Customer>>, ReadError>;
    /// `GET /customers?email=`.
    async fn customers_by_email(&self, email: &str) -> Result<Vec<Raw<Customer>>, ReadError>;
    /// `GET /customers?channel_type=phone&channel_address=`.
    async fn customers_by_phone(&self, address: &str) -> Result<Vec<Raw<Customer>>, ReadError>;
    /// `GET /tickets`, oldest first, trashed included.
    async fn tickets(&self, cursor: Option<&Cursor>) -> Result<Page<Ticket>, ReadError>;
    /// `GET /tickets/{id}`.
    async fn ticket(&self, id: TicketId) -> Result<Raw<Ticket>, ReadError>;
    /// `GET /tickets?external_id=`; only byte-equal ids are returned.
    async fn tickets_by_external_id(&self, id: &ExternalId) -> Result<Vec<Raw<Ticket>>, ReadError>;
    /// `GET /messages`, oldest first, whole account.
    async fn messages(&self, cursor: Option<&Cursor>) -> Result<Page<Message>, ReadError>;
    /// A customer from the text of an answer that was kept; nothing is sent.
    fn customer_from(&self, json: &str) -> Result<Raw<Customer>, ReadError>;
    /// A ticket from the text of an answer that was kept; nothing is sent.
    fn ticket_from(&self, json: &str) -> Result<Raw<Ticket>, ReadError>;
    /// A message from the text of an answer that was kept; nothing is sent.
    fn message_from(&self, json: &str) -> Result<Raw<Message>, ReadError>;
    /// `GET /messages`, the newest hundred of the whole account by their shown moment.
    async fn newest_messages(&self) -> Result<Vec<Message>, ReadError>;
    /// `GET /messages?ticket_id=`, oldest first.
    async fn ticket_messages(
        &self,
        id: TicketId,
        cursor: Option<&Cursor>,
    ) -> Result<Page<Message>, ReadError>;

    /// `GET /events` since a moment, oldest first; of one user, or of everybody and of nobody.
    async fn events(
        &self,
        since: Timestamp,
        user: Option<UserId>,
        cursor: Option<&Cursor>,
    ) -> Result<Page<AuditEvent>, ReadError>;

    /// `POST /tags`.
    async fn create_tag(&self, draft: &TagDraft) -> Result<TagId, WriteError>;
    /// `POST /custom-fields`.
    async fn create_field(&self, draft: &FieldDraft) -> Result<FieldId, WriteError>;
    /// `PUT /custom-fields/{id}` with `deactivated_datetime`: `Some` archives, `None` reactivates.
    async fn set_field_archived(&self, id: FieldId, at: Option<Timestamp>) -> Result<(), WriteError>;
    /// `POST /teams`.
    async fn create_team(&self, team: &NewTeam) -> Result<TeamId, WriteError>;
    /// `PUT /rules/{id}` with `deactivated_datetime`.
    async fn set_rule_paused(&self, id: RuleId, at: Option<Timestamp>) -> Result<(), WriteError>;
    /// `PUT /integrations/{id}` with `deactivated_datetime`.
    async fn set_integration_paused(
        &self,
        id: IntegrationId,
        at: Option<Timestamp>,
    ) -> Result<(), WriteError>;
    /// `PUT /account/settings/{id}` with type and data.
    async fn put_setting(&self, setting: &Setting) -> Result<(), WriteError>;
    /// `POST /customers`.
    async fn create_customer(&self, customer: &NewCustomer) -> Result<CustomerId, WriteError>;
    /// `PUT /customers/{id}`.
    async fn update_customer(&self, id: CustomerId, change: &CustomerChange) -> Result<(), WriteError>;
    /// `PUT /customers/{id}/custom-fields`: the full set, since the array replaces.
    async fn set_customer_values(&self, id: CustomerId, values: &[FoundValue]) -> Result<(), WriteError>;
    /// `POST /upload?type=attachment`: one private file. It can neither be found nor deleted afterwards.
    async fn upload(&self, file: &NewFile) -> Result<Attachment, WriteError>;
    /// `POST /tickets`.
    async fn create_ticket(&self, ticket: &NewTicket) -> Result<TicketId, WriteError>;
    /// `POST /tickets/{id}/messages`.
    async fn append_message(&self, ticket: TicketId, message: &NewMessage) -> Result<MessageId, WriteError>;
    /// `PUT /tickets/{id}`: only the fields that are named.
    async fn update_ticket(&self, id: TicketId, change: &TicketChange) -> Result<(), WriteError>;
    /// `POST /tickets/{id}/tags`: tags that exist; the others of the ticket stay.
    async fn add_ticket_tags(&self, id: TicketId, names: &[String]) -> Result<(), WriteError>;
    /// `DELETE /tickets/{id}/tags`: the others of the ticket stay.
    async fn remove_ticket_tags(&self, id: TicketId, names: &[String]) -> Result<(), WriteError>;
    /// `PUT /tickets/{id}/messages/{id}`: the message as it shall be, whole.
    async fn update_message(&self, message: &Message) -> Result<(), WriteError>;
    /// `PUT /tickets/{id}` with `trashed_datetime`: `Some` trashes, `None` restores.
    async fn set_ticket_trashed(&self, id: TicketId, at: Option<Timestamp>) -> Result<(), WriteError>;
    /// `DELETE /tickets/{id}`: permanent.
    async fn delete_ticket(&self, id: TicketId) -> Result<(), WriteError>;
    /// `DELETE /tickets/{id}/messages/{id}`: permanent.
    async fn delete_message(&self, ticket: TicketId, id: MessageId) -> Result<(), WriteError>;
    /// `DELETE /customers/{id}`: permanent.
    async fn delete_customer(&self, id: CustomerId) -> Result<(), WriteError>;
    /// `DELETE /tags/{id}`.
    async fn delete_tag(&self, id: TagId) -> Result<(), WriteError>;
    /// `DELETE /teams/{id}`.
    async fn delete_team(&self, id: TeamId) -> Result<(), WriteError>;
    /// What was sent so far.
    fn usage(&self) -> Usage;
    /// Address of a record for people, such as `https://acme.gorgias.com/app/ticket/1`.
    fn ticket_url(&self, id: TicketId) -> String;
    /// Address of a customer for people.
    fn customer_url(&self, id: CustomerId) -> String;
}
