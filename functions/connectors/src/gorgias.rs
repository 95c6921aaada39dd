//! Gorgias over HTTPS.
//!
//! JSON stays below this module; requests are paced by one bucket; nothing here decides what to write.

mod compose;
mod egress;
mod files;
mod reading;
mod transport;
mod wire;
mod writing;

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use migration::gorgias::{
    CustomerId, FieldDraft, FieldId, FieldObject, IntegrationId, MessageId, RuleId, TagDraft, TagId, TeamId,
    TicketId, UserId,
};
use migration::keys::ExternalId;
use migration::pacer::Bucket;
use pipeline::ports::clock::Clock;
use pipeline::ports::gorgias::{
    Account, Attachment, AuditEvent, Cursor, Customer, CustomerChange, Field, FoundValue, Gorgias,
    Integration, Message, NewCustomer, NewFile, NewMessage, NewTeam, NewTicket, Page, Raw, ReadError, Rule,
    Setting, Tag, Team, Ticket, TicketChange, Usage, User, WriteError,
};
use reqwest::Method;
use secrecy::SecretString;
use serde_json::{Value, json};
use tokio::sync::OnceCell;
use url::Url;

use crate::cause::Cause;
use crate::http::log::HttpLog;
use transport::{Request, Transport};
use wire::{
    AccountWire, CustomerWire, EventWire, FieldWire, IntegrationWire, MessageWire, RuleWire, SettingWire,
    TagWire, TeamWire, TicketWire, UserWire,
};

/// Oldest first: rows that appear while a list is walked come at its end.
const OLDEST_FIRST: Option<&str> = Some("created_datetime:asc");
/// The order of a look at what has just happened.
const NEWEST_FIRST: Option<&str> = Some("created_datetime:desc");

/// How to reach an account. Its `Debug` text shows no secret.
#[derive(Debug, Clone)]
pub struct Access {
    /// `https://acme.gorgias.com`.
    pub base_url: Url,
    /// Address of the user whose key it is.
    pub email: String,
    /// API key.
    pub api_key: SecretString,
    /// Bucket until the header corrects it.
    pub bucket: Bucket,
}

/// The client; one per account and process.
pub struct Client {
    transport: Transport,
    base_url: Url,
    clock: Arc<dyn Clock>,
    /// Whose key it is does not change while this lives: asked once.
    account: OnceCell<Account>,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("gorgias::Client").field("base_url", &self.base_url.as_str()).finish_non_exhaustive()
    }
}

/// The client could not be built.
#[derive(Debug, thiserror::Error)]
#[error("cannot prepare the connection to Gorgias")]
pub struct CannotConnect(#[source] Box<dyn std::error::Error + Send + Sync>);

impl Client {
    /// Builds the client; sends nothing.
    ///
    /// # Errors
    /// The TLS roots cannot be loaded, or the credentials hold characters that no header takes.
    pub fn new(access: Access, clock: Arc<dyn Clock>, log: Arc<dyn HttpLog>) -> Result<Self, CannotConnect> {
        let wrap = |cause: Cause| CannotConnect(Box::new(cause));
        let transport = Transport::new(
            &access.base_url,
            &access.email,
            &access.api_key,
            access.bucket,
            Arc::clone(&clock),
            log,
        )
        .map_err(wrap)?;
        Ok(Self { transport, base_url: access.base_url, clock, account: OnceCell::new() })
    }

    async fn put(&self, route: &'static str, path: String, body: &Value) -> Result<(), WriteError> {
        self.write(Method::PUT, route, path, Some(body)).await.map(drop)
    }

    async fn put_guarded(
        &self,
        route: &'static str,
        path: String,
        body: &Value,
        check: egress::Check,
    ) -> Result<(), WriteError> {
        self.guard(route, body, check)?;
        self.put(route, path, body).await
    }

    async fn remove(&self, route: &'static str, path: String) -> Result<(), WriteError> {
        self.write(Method::DELETE, route, path, None).await.map(drop)
    }

    /// Records of a filtered list whose external id is byte-equal: a filter that was not applied is not believed.
    async fn customers_where(
        &self,
        filter: Vec<(&'static str, String)>,
    ) -> Result<Vec<Raw<Customer>>, ReadError> {
        Ok(self.page::<CustomerWire>("GET /customers", None, None, filter).await?.records)
    }
}

fn paused(at: Option<Timestamp>) -> Value {
    json!({ "deactivated_datetime": at.map(compose::instant_text) })
}

#[async_trait]
impl Gorgias for Client {
    async fn account(&self) -> Result<Account, ReadError> {
        let ask = || async {
            let request = Request::get("GET /account", "/account", Vec::new());
            Ok(self.one::<AccountWire>(&request).await?.record)
        };
        self.account.get_or_try_init(ask).await.cloned()
    }

    async fn service_user(&self) -> Result<User, ReadError> {
        Ok(self.one::<UserWire>(&Request::get("GET /users/0", "/users/0", Vec::new())).await?.record)
    }

    async fn settings(&self) -> Result<Vec<Setting>, ReadError> {
        self.all::<SettingWire>("GET /account/settings").await
    }

    async fn users(&self, cursor: Option<&Cursor>) -> Result<Page<User>, ReadError> {
        self.page::<UserWire>("GET /users", OLDEST_FIRST, cursor, Vec::new()).await
    }

    async fn teams(&self, cursor: Option<&Cursor>) -> Result<Page<Team>, ReadError> {
        self.page::<TeamWire>("GET /teams", OLDEST_FIRST, cursor, Vec::new()).await
    }

    async fn tags(&self, cursor: Option<&Cursor>) -> Result<Page<Tag>, ReadError> {
        self.page::<TagWire>("GET /tags", OLDEST_FIRST, cursor, Vec::new()).await
    }

    async fn fields(&self, object: FieldObject, cursor: Option<&Cursor>) -> Result<Page<Field>, ReadError> {
        let filter = vec![("object_type", object.as_str().to_owned())];
        self.page::<FieldWire>("GET /custom-fields", None, cursor, filter).await
    }

    async fn rules(&self, cursor: Option<&Cursor>) -> Result<Page<Rule>, ReadError> {
        self.page::<RuleWire>("GET /rules", OLDEST_FIRST, cursor, Vec::new()).await
    }

    async fn integrations(&self, cursor: Option<&Cursor>) -> Result<Page<Integration>, ReadError> {
        self.page::<IntegrationWire>("GET /integrations", OLDEST_FIRST, cursor, Vec::new()).await
    }

    async fn customers(&self, cursor: Option<&Cursor>) -> Result<Page<Customer>, ReadError> {
        self.page::<CustomerWire>("GET /customers", OLDEST_FIRST, cursor, Vec::new()).await
    }

    async fn customer(&self, id: CustomerId) -> Result<Raw<Customer>, ReadError> {
        self.customer_or_target(id).await
    }

    async fn customers_by_external_id(&self, id: &ExternalId) -> Result<Vec<Raw<Customer>>, ReadError> {
        let mut found = self.customers_where(vec![("external_id", id.as_str().to_owned())]).await?;
        found.retain(|raw| raw.record.external_id.as_deref() == Some(id.as_str()));
        Ok(found)
    }

    async fn customers_by_email(&self, email: &str) -> Result<Vec<Raw<Customer>>, ReadError> {
        self.customers_where(vec![("email", email.to_owned())]).await
    }

    async fn customers_by_phone(&self, address: &str) -> Result<Vec<Raw<Customer>>, ReadError> {
        let filter = vec![("channel_type", "phone".to_owned()), ("channel_address", address.to_owned())];
        self.customers_where(filter).await
    }

    async fn tickets(&self, cursor: Option<&Cursor>) -> Result<Page<Ticket>, ReadError> {
        self.page::<TicketWire>("GET /tickets", OLDEST_FIRST, cursor, Vec::new()).await
    }

    async fn ticket(&self, id: TicketId) -> Result<Raw<Ticket>, ReadError> {
        self.one::<TicketWire>(&Request::get("GET /tickets/{id}", format!("/tickets/{id}"), Vec::new())).await
    }

    async fn tickets_by_external_id(&self, id: &ExternalId) -> Result<Vec<Raw<Ticket>>, ReadError> {
        let filter = vec![("external_id", id.as_str().to_owned())];
        let mut found = self.page::<TicketWire>("GET /tickets", None, None, filter).await?.records;
        found.retain(|raw| raw.record.external_id.as_deref() == Some(id.as_str()));
        Ok(found)
    }

    async fn messages(&self, cursor: Option<&Cursor>) -> Result<Page<Message>, ReadError> {
        self.page::<MessageWire>("GET /messages", OLDEST_FIRST, cursor, Vec::new()).await
    }

    fn customer_from(&self, json: &str) -> Result<Raw<Customer>, ReadError> {
        reading::kept::<CustomerWire>(json)
    }

    fn ticket_from(&self, json: &str) -> Result<Raw<Ticket>, ReadError> {
        reading::kept::<TicketWire>(json)
    }

    fn message_from(&self, json: &str) -> Result<Raw<Message>, ReadError> {
        reading::kept::<MessageWire>(json)
    }

    async fn newest_messages(&self) -> Result<Vec<Message>, ReadError> {
        let page = self.page::<MessageWire>("GET /messages", NEWEST_FIRST, None, Vec::new()).await?;
        Ok(page.records.into_iter().map(|raw| raw.record).collect())
    }

    async fn ticket_messages(
        &self,
        id: TicketId,
        cursor: Option<&Cursor>,
    ) -> Result<Page<Message>, ReadError> {
        let filter = vec![("ticket_id", id.to_string())];
        self.page::<MessageWire>("GET /messages", OLDEST_FIRST, cursor, filter).await
    }

    async fn events(
        &self,
        since: Timestamp,
        user: Option<UserId>,
        cursor: Option<&Cursor>,
    ) -> Result<Page<AuditEvent>, ReadError> {
        let mut filter = vec![("created_datetime[gte]", compose::instant_text(since))];
        filter.extend(user.map(|user| ("user_ids", user.to_string())));
        self.page::<EventWire>("GET /events", OLDEST_FIRST, cursor, filter).await
    }

    async fn create_tag(&self, draft: &TagDraft) -> Result<TagId, WriteError> {
        let body = json!({ "name": draft.name, "description": draft.description });
        self.create("POST /tags", "/tags".to_owned(), &body, None).await.map(TagId)
    }

    async fn create_field(&self, draft: &FieldDraft) -> Result<FieldId, WriteError> {
        let key = ExternalId::from_stored(draft.key.0.clone());
        let body = compose::field(draft);
        self.create("POST /custom-fields", "/custom-fields".to_owned(), &body, Some(&key)).await.map(FieldId)
    }

    async fn set_field_archived(&self, id: FieldId, at: Option<Timestamp>) -> Result<(), WriteError> {
        self.put("PUT /custom-fields/{id}", format!("/custom-fields/{id}"), &paused(at)).await
    }

    async fn create_team(&self, team: &NewTeam) -> Result<TeamId, WriteError> {
        let members: Vec<Value> = team.members.iter().map(|member| json!({ "id": member.0 })).collect();
        let body = json!({ "name": team.name, "description": team.description, "members": members });
        self.create("POST /teams", "/teams".to_owned(), &body, None).await.map(TeamId)
    }

    async fn set_rule_paused(&self, id: RuleId, at: Option<Timestamp>) -> Result<(), WriteError> {
        self.put("PUT /rules/{id}", format!("/rules/{id}"), &paused(at)).await
    }

    async fn set_integration_paused(
        &self,
        id: IntegrationId,
        at: Option<Timestamp>,
    ) -> Result<(), WriteError> {
        self.put("PUT /integrations/{id}", format!("/integrations/{id}"), &paused(at)).await
    }

    async fn put_setting(&self, setting: &Setting) -> Result<(), WriteError> {
        let stored: Value = serde_json::from_str(&setting.json).map_err(|error| WriteError::Refused {
            request: "PUT /account/settings/{id}".to_owned(),
            status: 0,
            message: format!("stopped before sending: the setting is {}", reading::shape(&error)),
        })?;
        let body = json!({ "type": setting.kind, "data": stored });
        self.put("PUT /account/settings/{id}", format!("/account/settings/{}", setting.id), &body).await
    }

    async fn create_customer(&self, customer: &NewCustomer) -> Result<CustomerId, WriteError> {
        let body = compose::customer(customer);
        self.create("POST /customers", "/customers".to_owned(), &body, Some(&customer.external_id))
            .await
            .map(CustomerId)
    }

    async fn update_customer(&self, id: CustomerId, change: &CustomerChange) -> Result<(), WriteError> {
        self.put("PUT /customers/{id}", format!("/customers/{id}"), &compose::customer_change(change)).await
    }

    async fn set_customer_values(&self, id: CustomerId, values: &[FoundValue]) -> Result<(), WriteError> {
        let path = format!("/customers/{id}/custom-fields");
        self.put("PUT /customers/{id}/custom-fields", path, &compose::values(values)).await
    }

    async fn upload(&self, file: &NewFile) -> Result<Attachment, WriteError> {
        self.upload_file(file).await
    }

    async fn create_ticket(&self, ticket: &NewTicket) -> Result<TicketId, WriteError> {
        let body = compose::ticket(ticket);
        self.create_guarded("POST /tickets", "/tickets".to_owned(), &body, &ticket.external_id)
            .await
            .map(TicketId)
    }

    async fn append_message(&self, ticket: TicketId, message: &NewMessage) -> Result<MessageId, WriteError> {
        let mut body = compose::message(message);
        body["imported"] = json!(true);
        let path = format!("/tickets/{ticket}/messages");
        self.create_guarded("POST /tickets/{id}/messages", path, &body, &message.external_id)
            .await
            .map(MessageId)
    }

    async fn update_ticket(&self, id: TicketId, change: &TicketChange) -> Result<(), WriteError> {
        let body = compose::ticket_change(change);
        self.put_guarded("PUT /tickets/{id}", format!("/tickets/{id}"), &body, egress::checked_change).await
    }

    async fn add_ticket_tags(&self, id: TicketId, names: &[String]) -> Result<(), WriteError> {
        let body = json!({ "names": names });
        let path = format!("/tickets/{id}/tags");
        self.write(Method::POST, "POST /tickets/{id}/tags", path, Some(&body)).await.map(drop)
    }

    async fn remove_ticket_tags(&self, id: TicketId, names: &[String]) -> Result<(), WriteError> {
        let body = json!({ "names": names });
        let path = format!("/tickets/{id}/tags");
        self.write(Method::DELETE, "DELETE /tickets/{id}/tags", path, Some(&body)).await.map(drop)
    }

    async fn update_message(&self, message: &Message) -> Result<(), WriteError> {
        let body = compose::message_as(message);
        let path = format!("/tickets/{}/messages/{}", message.ticket, message.id);
        self.put_guarded("PUT /tickets/{id}/messages/{id}", path, &body, egress::checked).await
    }

    async fn set_ticket_trashed(&self, id: TicketId, at: Option<Timestamp>) -> Result<(), WriteError> {
        let body = json!({ "trashed_datetime": at.map(compose::instant_text) });
        self.put("PUT /tickets/{id}", format!("/tickets/{id}"), &body).await
    }

    async fn delete_ticket(&self, id: TicketId) -> Result<(), WriteError> {
        self.remove("DELETE /tickets/{id}", format!("/tickets/{id}")).await
    }

    async fn delete_message(&self, ticket: TicketId, id: MessageId) -> Result<(), WriteError> {
        let path = format!("/tickets/{ticket}/messages/{id}");
        self.remove("DELETE /tickets/{id}/messages/{id}", path).await
    }

    async fn delete_customer(&self, id: CustomerId) -> Result<(), WriteError> {
        self.remove("DELETE /customers/{id}", format!("/customers/{id}")).await
    }

    async fn delete_tag(&self, id: TagId) -> Result<(), WriteError> {
        self.remove("DELETE /tags/{id}", format!("/tags/{id}")).await
    }

    async fn delete_team(&self, id: TeamId) -> Result<(), WriteError> {
        self.remove("DELETE /teams/{id}", format!("/teams/{id}")).await
    }

    fn usage(&self) -> Usage {
        self.transport.usage()
    }

    fn ticket_url(&self, id: TicketId) -> String {
        format!("{}/app/ticket/{id}", self.base_url.as_str().trim_end_matches('/'))
    }

    fn customer_url(&self, id: CustomerId) -> String {
        format!("{}/app/customer/{id}", self.base_url.as_str().trim_end_matches('/'))
    }
}
