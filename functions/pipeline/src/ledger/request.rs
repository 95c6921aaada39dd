//! One write to Gorgias as a value: how to send it, how it is fingerprinted, and how to find out whether it happened.

mod fields;
mod mending;
mod undoing;

use jiff::Timestamp;
use migration::gorgias::{
    CustomerId, FieldDraft, FieldId, FieldObject, IntegrationId, RuleId, TagDraft, TicketId,
};
use migration::ledger::Operation;

pub use mending::{Mending, STILL_THERE};
pub use undoing::{CHANGED_SINCE_PLAN, Direction, Exchange, Undoing};

use super::key::Secret;
use crate::ports::gorgias::{
    Customer, CustomerChange, Field, FoundValue, Gorgias, Message, NewCustomer, NewMessage, NewTeam,
    NewTicket, Page, Raw, ReadError, Setting, Tag, Team, WriteError,
};
use crate::ports::store::Key;

use fields::{change_fields, customer_fields, joined, message_text, put, ticket_fields, values_text};

/// A write, ids resolved.
#[derive(Debug, Clone, PartialEq)]
pub enum Request {
    /// Makes a tag.
    CreateTag(TagDraft),
    /// Makes a custom field.
    CreateField(FieldDraft),
    /// Brings an archived field back.
    ReactivateField(FieldId),
    /// Makes a team.
    CreateTeam(NewTeam),
    /// Switches a rule; `Some` pauses it.
    SwitchRule(RuleId, Option<Timestamp>),
    /// Switches an integration; `Some` pauses it.
    SwitchIntegration(IntegrationId, Option<Timestamp>),
    /// Writes a setting, for a pause or for its return.
    PutSetting(Setting),
    /// Makes a customer.
    CreateCustomer(NewCustomer),
    /// Fills empty fields of a customer.
    UpdateCustomer(CustomerId, CustomerChange),
    /// Sets all values of a customer.
    SetValues(CustomerId, Vec<FoundValue>),
    /// Uploads a file of the store.
    Upload(Box<StoredFile>),
    /// Makes a ticket.
    CreateTicket(Box<NewTicket>),
    /// Adds a message.
    Append(TicketId, Box<NewMessage>),
    /// Takes something back, or brings it again.
    Undo(Undoing),
    /// Gives fields what was wished, where nobody has changed them since.
    Mend(Mending),
}

/// A file of the store that is uploaded; its content is read when it is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredFile {
    /// Object of the store.
    pub key: Key,
    /// Label at Gorgias.
    pub name: String,
    /// Media type.
    pub content_type: String,
    /// SHA-256, hexadecimal.
    pub sha256: String,
}

/// What a look-up says about a write whose answer is missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trace {
    /// The record is there.
    Found {
        /// Its id.
        id: u64,
        /// For tickets: external ids of messages that arrived.
        messages: Vec<String>,
    },
    /// The record is not there (yet).
    Absent,
    /// Nothing to look up: sending the same request again has the same effect.
    Repeatable,
}

impl Request {
    /// Sends it; the id of what was made or changed comes back.
    ///
    /// # Errors
    /// [`WriteError`], one of three kinds of outcome.
    pub async fn send(&self, gorgias: &dyn Gorgias) -> Result<u64, WriteError> {
        match self {
            Self::CreateTag(draft) => gorgias.create_tag(draft).await.map(|id| id.0),
            Self::CreateField(draft) => gorgias.create_field(draft).await.map(|id| id.0),
            Self::ReactivateField(id) => gorgias.set_field_archived(*id, None).await.map(|()| id.0),
            Self::CreateTeam(team) => gorgias.create_team(team).await.map(|id| id.0),
            Self::SwitchRule(id, at) => gorgias.set_rule_paused(*id, *at).await.map(|()| id.0),
            Self::SwitchIntegration(id, at) => gorgias.set_integration_paused(*id, *at).await.map(|()| id.0),
            Self::PutSetting(setting) => gorgias.put_setting(setting).await.map(|()| setting.id.0),
            Self::CreateCustomer(customer) => gorgias.create_customer(customer).await.map(|id| id.0),
            Self::UpdateCustomer(id, change) => gorgias.update_customer(*id, change).await.map(|()| id.0),
            Self::SetValues(id, values) => gorgias.set_customer_values(*id, values).await.map(|()| id.0),
            Self::CreateTicket(ticket) => gorgias.create_ticket(ticket).await.map(|id| id.0),
            // The driver sends files itself, since it reads their content from the store.
            Self::Upload(_) => Err(WriteError::NotSent { request: "POST /upload".to_owned(), source: None }),
            Self::Append(ticket, message) => gorgias.append_message(*ticket, message).await.map(|id| id.0),
            Self::Undo(undoing) => undoing.send(gorgias).await,
            Self::Mend(mending) => mending.send(gorgias).await,
        }
    }

    /// Looks for the effect of an earlier send.
    ///
    /// # Errors
    /// [`ReadError`].
    pub async fn look_up(&self, gorgias: &dyn Gorgias) -> Result<Trace, ReadError> {
        match self {
            Self::CreateCustomer(customer) => {
                let found = gorgias.customers_by_external_id(&customer.external_id).await?;
                Ok(found_or_absent(found.iter().map(|raw| raw.record.id.0).min()))
            }
            Self::CreateTicket(ticket) => ticket_trace(gorgias, ticket).await,
            Self::Append(ticket, message) => {
                let messages = messages_of(gorgias, *ticket).await?;
                let ours =
                    |found: &&Message| found.external_id.as_deref() == Some(message.external_id.as_str());
                Ok(found_or_absent(messages.iter().find(ours).map(|found| found.id.0)))
            }
            Self::CreateTag(draft) => {
                let found = tag_where(gorgias, |tag| tag.name == draft.name).await?;
                Ok(found_or_absent(found))
            }
            Self::CreateField(draft) => {
                let key = draft.key.0.as_str();
                let is_it = |field: &Field| field.external_id.as_deref() == Some(key);
                Ok(found_or_absent(field_where(gorgias, draft.object, is_it).await?))
            }
            Self::CreateTeam(team) => {
                let found = team_where(gorgias, |found| found.name == team.name).await?;
                Ok(found_or_absent(found))
            }
            Self::Undo(undoing) => undoing.look_up(gorgias).await,
            Self::Mend(mending) => mending.look_up(gorgias).await,
            // An upload can neither be found nor deleted (facts: finding a record): sending it again leaves the first
            // one unattached, and changes nothing else.
            Self::Upload(_)
            | Self::ReactivateField(_)
            | Self::SwitchRule(..)
            | Self::SwitchIntegration(..)
            | Self::PutSetting(_)
            | Self::UpdateCustomer(..)
            | Self::SetValues(..) => Ok(Trace::Repeatable),
        }
    }

    /// Whether a look-up finds the record by the index of our keys, which may lag behind.
    #[must_use]
    pub fn has_indexed_key(&self) -> bool {
        matches!(self, Self::CreateCustomer(_) | Self::CreateTicket(_))
    }

    /// What the request does, for its intent.
    #[must_use]
    pub fn operation(&self) -> Operation {
        match self {
            Self::CreateTag(_)
            | Self::CreateField(_)
            | Self::CreateTeam(_)
            | Self::CreateCustomer(_)
            | Self::Upload(_)
            | Self::CreateTicket(_)
            | Self::Append(..) => Operation::Create,
            Self::ReactivateField(_) => Operation::Restore,
            Self::Undo(undoing) => undoing.operation(),
            Self::Mend(mending) => mending.operation(),
            Self::SwitchRule(..)
            | Self::SwitchIntegration(..)
            | Self::PutSetting(_)
            | Self::UpdateCustomer(..)
            | Self::SetValues(..) => Operation::Update,
        }
    }

    /// Id of the record that is changed, unless the request makes one.
    #[must_use]
    pub fn target(&self) -> Option<u64> {
        match self {
            Self::CreateTag(_)
            | Self::CreateField(_)
            | Self::CreateTeam(_)
            | Self::CreateCustomer(_)
            | Self::Upload(_)
            | Self::CreateTicket(_) => None,
            Self::ReactivateField(id) => Some(id.0),
            Self::SwitchRule(id, _) => Some(id.0),
            Self::SwitchIntegration(id, _) => Some(id.0),
            Self::PutSetting(setting) => Some(setting.id.0),
            Self::UpdateCustomer(id, _) | Self::SetValues(id, _) => Some(id.0),
            Self::Append(id, _) => Some(id.0),
            Self::Undo(undoing) => Some(undoing.target()),
            Self::Mend(mending) => Some(mending.target()),
        }
    }

    /// Every field with its value as text, in a fixed order.
    #[must_use]
    pub fn fields(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::CreateTag(draft) => {
                vec![("name", draft.name.clone()), ("description", draft.description.clone())]
            }
            Self::CreateField(draft) => vec![
                ("external_id", draft.key.to_string()),
                ("object_type", draft.object.as_str().to_owned()),
                ("label", draft.label.clone()),
                ("data_type", draft.kind.as_str().to_owned()),
                ("description", draft.description.clone()),
            ],
            Self::CreateTeam(team) => vec![
                ("name", team.name.clone()),
                ("description", team.description.clone()),
                ("members", joined(team.members.iter())),
            ],
            Self::ReactivateField(_) => vec![("is_active", "true".to_owned())],
            // The moment of the pause is no content: it differs between two tries.
            Self::SwitchRule(_, at) | Self::SwitchIntegration(_, at) => {
                vec![("is_active", at.is_none().to_string())]
            }
            Self::PutSetting(setting) => vec![("data", setting.json.clone())],
            Self::CreateCustomer(customer) => customer_fields(customer),
            Self::UpdateCustomer(_, change) => change_fields(change),
            Self::SetValues(_, values) => vec![("values", values_text(values))],
            Self::Upload(file) => vec![
                ("name", file.name.clone()),
                ("content_type", file.content_type.clone()),
                ("sha256", file.sha256.clone()),
            ],
            Self::CreateTicket(ticket) => ticket_fields(ticket),
            Self::Append(_, message) => {
                let mut text = String::new();
                message_text(message, &mut text);
                vec![("message", text)]
            }
            Self::Undo(undoing) => undoing.fields(),
            Self::Mend(mending) => mending.fields(),
        }
    }

    /// Keyed hash of the whole request.
    #[must_use]
    pub fn body_hmac(&self, secret: &Secret) -> String {
        let mut text = String::new();
        for (name, value) in self.fields() {
            put(&mut text, name, &value);
        }
        secret.hash(text.as_bytes())
    }
}

fn found_or_absent(id: Option<u64>) -> Trace {
    id.map_or(Trace::Absent, |id| Trace::Found { id, messages: Vec::new() })
}

/// Messages are listed only where the ticket's own count is not that of what was sent.
async fn ticket_trace(gorgias: &dyn Gorgias, sent: &NewTicket) -> Result<Trace, ReadError> {
    let found = gorgias.tickets_by_external_id(&sent.external_id).await?;
    let Some(ticket) = found.iter().map(|raw| &raw.record).min_by_key(|ticket| ticket.id) else {
        return Ok(Trace::Absent);
    };
    let is_whole =
        ticket.message_count.and_then(|count| usize::try_from(count).ok()) == Some(sent.messages.len());
    let messages = if is_whole {
        sent.messages.iter().map(|message| message.external_id.as_str().to_owned()).collect()
    } else {
        let messages = messages_of(gorgias, ticket.id).await?;
        messages.into_iter().filter_map(|message| message.external_id).collect()
    };
    Ok(Trace::Found { id: ticket.id.0, messages })
}

/// All messages of a ticket.
///
/// # Errors
/// [`ReadError`].
pub async fn messages_of(gorgias: &dyn Gorgias, ticket: TicketId) -> Result<Vec<Message>, ReadError> {
    let mut messages = Vec::new();
    let mut cursor = None;
    loop {
        let page: Page<Message> = gorgias.ticket_messages(ticket, cursor.as_ref()).await?;
        messages.extend(page.records.into_iter().map(|raw| raw.record));
        cursor = page.next;
        if cursor.is_none() {
            return Ok(messages);
        }
    }
}

/// Id of the first tag of which this is true.
async fn tag_where(gorgias: &dyn Gorgias, is_it: impl Fn(&Tag) -> bool) -> Result<Option<u64>, ReadError> {
    let mut cursor = None;
    loop {
        let page = gorgias.tags(cursor.as_ref()).await?;
        if let Some(found) = page.records.iter().find(|raw| is_it(&raw.record)) {
            return Ok(Some(found.record.id.0));
        }
        cursor = page.next;
        if cursor.is_none() {
            return Ok(None);
        }
    }
}

/// Id of the first field of which this is true.
async fn field_where(
    gorgias: &dyn Gorgias,
    object: FieldObject,
    is_it: impl Fn(&Field) -> bool,
) -> Result<Option<u64>, ReadError> {
    let mut cursor = None;
    loop {
        let page = gorgias.fields(object, cursor.as_ref()).await?;
        if let Some(found) = page.records.iter().find(|raw| is_it(&raw.record)) {
            return Ok(Some(found.record.id.0));
        }
        cursor = page.next;
        if cursor.is_none() {
            return Ok(None);
        }
    }
}

/// Id of the first team of which this is true.
async fn team_where(gorgias: &dyn Gorgias, is_it: impl Fn(&Team) -> bool) -> Result<Option<u64>, ReadError> {
    let mut cursor = None;
    loop {
        let page = gorgias.teams(cursor.as_ref()).await?;
        if let Some(found) = page.records.iter().find(|raw| is_it(&raw.record)) {
            return Ok(Some(found.record.id.0));
        }
        cursor = page.next;
        if cursor.is_none() {
            return Ok(None);
        }
    }
}

/// The customers that may hold an identifier which a creation was refused for: by key, by email, by each number.
///
/// # Errors
/// [`ReadError`].
pub async fn holders(gorgias: &dyn Gorgias, wanted: &NewCustomer) -> Result<Vec<Holder>, ReadError> {
    let mut holders = Vec::new();
    for raw in gorgias.customers_by_external_id(&wanted.external_id).await? {
        holders.push((raw.record.id, Claim::Key));
    }
    let channels = wanted.channels.iter().filter(|channel| channel.kind.as_str() == "email");
    let emails =
        wanted.email.iter().map(String::as_str).chain(channels.map(|channel| channel.address.as_str()));
    let mut asked: Vec<String> = Vec::new();
    for email in emails {
        let folded = email.trim().to_lowercase();
        if asked.contains(&folded) {
            continue;
        }
        for raw in gorgias.customers_by_email(email).await? {
            holders.push((raw.record.id, Claim::Email));
        }
        asked.push(folded);
    }
    for channel in wanted.channels.iter().filter(|channel| channel.kind.as_str() == "phone") {
        for raw in gorgias.customers_by_phone(&channel.address).await? {
            holders.push((raw.record.id, Claim::Phone(channel.address.clone())));
        }
    }
    let mut detailed: Vec<Holder> = Vec::new();
    for (id, claim) in holders {
        match detailed.iter_mut().find(|holder| holder.customer.record.id == id) {
            Some(holder) => holder.claims.push(claim),
            None => detailed.push(Holder { customer: gorgias.customer(id).await?, claims: vec![claim] }),
        }
    }
    Ok(detailed)
}

/// A customer that holds an identifier we wanted.
#[derive(Debug, Clone, PartialEq)]
pub struct Holder {
    /// The whole customer.
    pub customer: Raw<Customer>,
    /// Which identifiers it holds.
    pub claims: Vec<Claim>,
}

/// An identifier that is held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// Our key.
    Key,
    /// An email.
    Email,
    /// A phone number.
    Phone(String),
}
