//! A Gorgias account to look at: two users, a managed field, a rule, a survey, a webhook. Whatever writes is a mistake.

use async_trait::async_trait;
use jiff::Timestamp;
use migration::gorgias::{
    CustomerId, FieldDraft, FieldId, FieldObject, IntegrationId, MessageId, RuleId, SettingId, TagDraft,
    TagId, TeamId, TicketId, UserId,
};
use migration::keys::ExternalId;

use crate::ports::gorgias::{
    Account, Attachment, AuditEvent, Cursor, Customer, CustomerChange, Field, FoundValue, Gorgias,
    Integration, Message, NewCustomer, NewFile, NewMessage, NewTeam, NewTicket, Page, Raw, ReadError, Rule,
    Setting, Tag, Team, Ticket, TicketChange, Usage, User, WriteError,
};

/// The account.
#[derive(Debug, Default)]
pub(crate) struct FakeGorgias {
    /// What somebody changed in it.
    pub(crate) changed: Option<Changed>,
}

/// Something that somebody changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Changed {
    Domain,
    ServiceUser,
    AgentGone,
    AgentDeactivated,
    AgentEmail,
    TagRenamed,
    TagGone,
    FieldAdded,
    UnusedUser,
}

impl FakeGorgias {
    fn is(&self, changed: Changed) -> bool {
        self.changed == Some(changed)
    }
}

fn page<T>(records: Vec<T>) -> Page<T> {
    let records = records.into_iter().map(|record| Raw { record, json: "{}".to_owned() }).collect();
    Page { records, next: None }
}

fn user(id: u64, name: &str, email: &str, role: &str) -> User {
    User {
        id: UserId(id),
        email: Some(email.to_owned()),
        name: name.to_owned(),
        role: role.to_owned(),
        is_active: true,
        external_id: None,
    }
}

fn refused<T>(route: &str) -> Result<T, ReadError> {
    Err(ReadError::Refused { request: route.to_owned() })
}

fn written<T>(route: &str) -> Result<T, WriteError> {
    Err(WriteError::Gone { request: route.to_owned() })
}

#[async_trait]
impl Gorgias for FakeGorgias {
    async fn account(&self) -> Result<Account, ReadError> {
        let domain = if self.is(Changed::Domain) { "other" } else { "acme" };
        Ok(Account { domain: domain.into(), status: Some("active".into()), plan: Some("pro".into()) })
    }
    async fn service_user(&self) -> Result<User, ReadError> {
        let id = if self.is(Changed::ServiceUser) { 7 } else { 1 };
        Ok(user(id, "Migration", "migration@acme.example", "admin"))
    }
    async fn settings(&self) -> Result<Vec<Setting>, ReadError> {
        let kind = "satisfaction-surveys".to_owned();
        Ok(vec![Setting { id: SettingId(5), kind, json: r#"{"send_survey_for_chat":true}"#.into() }])
    }
    async fn users(&self, cursor: Option<&Cursor>) -> Result<Page<User>, ReadError> {
        let mut first = user(1, "Migration", "migration@acme.example", "admin");
        let mut second = user(2, "Agent One", "AGENT1@acme.example", "basic-agent");
        first.is_active = !self.is(Changed::UnusedUser);
        second.is_active = !self.is(Changed::AgentDeactivated);
        if self.is(Changed::AgentEmail) {
            second.email = Some("agent9@acme.example".into());
        }
        if self.is(Changed::AgentGone) {
            return Ok(page(vec![first]));
        }
        Ok(match cursor {
            None => Page { next: Some(Cursor("second".into())), ..page(vec![first]) },
            Some(_) => page(vec![second]),
        })
    }
    async fn teams(&self, _: Option<&Cursor>) -> Result<Page<Team>, ReadError> {
        Ok(page(Vec::new()))
    }
    async fn tags(&self, _: Option<&Cursor>) -> Result<Page<Tag>, ReadError> {
        let name = if self.is(Changed::TagRenamed) { "very important" } else { "VIP" }.to_owned();
        if self.is(Changed::TagGone) {
            return Ok(page(Vec::new()));
        }
        Ok(page(vec![Tag { id: TagId(3), name, description: None, color: None, usage: Some(2) }]))
    }
    async fn fields(&self, object: FieldObject, _: Option<&Cursor>) -> Result<Page<Field>, ReadError> {
        let managed = Field {
            id: FieldId(9),
            object,
            external_id: None,
            label: "Contact reason".into(),
            description: None,
            data_type: "text".into(),
            managed_type: Some("contact_reason".into()),
            is_active: true,
            priority: Some(1),
        };
        if object == FieldObject::Customer && self.is(Changed::FieldAdded) {
            let (id, label) = (FieldId(10), "HasOptedOutOfEmail".to_owned());
            let data_type = "boolean".to_owned();
            return Ok(page(vec![Field { id, label, data_type, managed_type: None, ..managed }]));
        }
        Ok(page(if object == FieldObject::Ticket { vec![managed] } else { Vec::new() }))
    }
    async fn rules(&self, _: Option<&Cursor>) -> Result<Page<Rule>, ReadError> {
        let name = "Auto-reply".to_owned();
        Ok(page(vec![Rule {
            id: RuleId(4),
            name,
            is_active: true,
            event_types: Some("ticket-created".into()),
        }]))
    }
    async fn integrations(&self, _: Option<&Cursor>) -> Result<Page<Integration>, ReadError> {
        let (name, kind) = ("Orders".to_owned(), "http".to_owned());
        Ok(page(vec![Integration { id: IntegrationId(6), name, kind, is_active: true }]))
    }
    async fn customers(&self, _: Option<&Cursor>) -> Result<Page<Customer>, ReadError> {
        Ok(page(Vec::new()))
    }
    async fn customer(&self, _: CustomerId) -> Result<Raw<Customer>, ReadError> {
        refused("GET /customers/{id}")
    }
    async fn customers_by_external_id(&self, _: &ExternalId) -> Result<Vec<Raw<Customer>>, ReadError> {
        Ok(Vec::new())
    }
    async fn customers_by_email(&self, _: &str) -> Result<Vec<Raw<Customer>>, ReadError> {
        Ok(Vec::new())
    }
    async fn customers_by_phone(&self, _: &str) -> Result<Vec<Raw<Customer>>, ReadError> {
        Ok(Vec::new())
    }
    async fn tickets(&self, _: Option<&Cursor>) -> Result<Page<Ticket>, ReadError> {
        Ok(page(Vec::new()))
    }
    async fn ticket(&self, _: TicketId) -> Result<Raw<Ticket>, ReadError> {
        refused("GET /tickets/{id}")
    }
    async fn tickets_by_external_id(&self, _: &ExternalId) -> Result<Vec<Raw<Ticket>>, ReadError> {
        Ok(Vec::new())
    }
    async fn messages(&self, _: Option<&Cursor>) -> Result<Page<Message>, ReadError> {
        Ok(page(Vec::new()))
    }
    fn customer_from(&self, _: &str) -> Result<Raw<Customer>, ReadError> {
        refused("a kept answer")
    }
    fn ticket_from(&self, _: &str) -> Result<Raw<Ticket>, ReadError> {
        refused("a kept answer")
    }
    fn message_from(&self, _: &str) -> Result<Raw<Message>, ReadError> {
        refused("a kept answer")
    }
    async fn newest_messages(&self) -> Result<Vec<Message>, ReadError> {
        Ok(Vec::new())
    }
    async fn ticket_messages(&self, _: TicketId, _: Option<&Cursor>) -> Result<Page<Message>, ReadError> {
        Ok(page(Vec::new()))
    }
    async fn events(
        &self,
        _: Timestamp,
        _: Option<UserId>,
        _: Option<&Cursor>,
    ) -> Result<Page<AuditEvent>, ReadError> {
        Ok(page(Vec::new()))
    }
    async fn create_tag(&self, _: &TagDraft) -> Result<TagId, WriteError> {
        written("POST /tags")
    }
    async fn create_field(&self, _: &FieldDraft) -> Result<FieldId, WriteError> {
        written("POST /custom-fields")
    }
    async fn set_field_archived(&self, _: FieldId, _: Option<Timestamp>) -> Result<(), WriteError> {
        written("PUT /custom-fields/{id}")
    }
    async fn create_team(&self, _: &NewTeam) -> Result<TeamId, WriteError> {
        written("POST /teams")
    }
    async fn set_rule_paused(&self, _: RuleId, _: Option<Timestamp>) -> Result<(), WriteError> {
        written("PUT /rules/{id}")
    }
    async fn set_integration_paused(&self, _: IntegrationId, _: Option<Timestamp>) -> Result<(), WriteError> {
        written("PUT /integrations/{id}")
    }
    async fn put_setting(&self, _: &Setting) -> Result<(), WriteError> {
        written("PUT /account/settings/{id}")
    }
    async fn create_customer(&self, _: &NewCustomer) -> Result<CustomerId, WriteError> {
        written("POST /customers")
    }
    async fn update_customer(&self, _: CustomerId, _: &CustomerChange) -> Result<(), WriteError> {
        written("PUT /customers/{id}")
    }
    async fn set_customer_values(&self, _: CustomerId, _: &[FoundValue]) -> Result<(), WriteError> {
        written("PUT /customers/{id}/custom-fields")
    }
    async fn upload(&self, _: &NewFile) -> Result<Attachment, WriteError> {
        written("POST /upload")
    }
    async fn create_ticket(&self, _: &NewTicket) -> Result<TicketId, WriteError> {
        written("POST /tickets")
    }
    async fn append_message(&self, _: TicketId, _: &NewMessage) -> Result<MessageId, WriteError> {
        written("POST /tickets/{id}/messages")
    }
    async fn update_ticket(&self, _: TicketId, _: &TicketChange) -> Result<(), WriteError> {
        written("PUT /tickets/{id}")
    }
    async fn add_ticket_tags(&self, _: TicketId, _: &[String]) -> Result<(), WriteError> {
        written("POST /tickets/{id}/tags")
    }
    async fn remove_ticket_tags(&self, _: TicketId, _: &[String]) -> Result<(), WriteError> {
        written("DELETE /tickets/{id}/tags")
    }
    async fn update_message(&self, _: &Message) -> Result<(), WriteError> {
        written("PUT /tickets/{id}/messages/{id}")
    }
    async fn set_ticket_trashed(&self, _: TicketId, _: Option<Timestamp>) -> Result<(), WriteError> {
        written("PUT /tickets/{id}")
    }
    async fn delete_ticket(&self, _: TicketId) -> Result<(), WriteError> {
        written("DELETE /tickets/{id}")
    }
    async fn delete_message(&self, _: TicketId, _: MessageId) -> Result<(), WriteError> {
        written("DELETE /tickets/{id}/messages/{id}")
    }
    async fn delete_customer(&self, _: CustomerId) -> Result<(), WriteError> {
        written("DELETE /customers/{id}")
    }
    async fn delete_tag(&self, _: TagId) -> Result<(), WriteError> {
        written("DELETE /tags/{id}")
    }
    async fn delete_team(&self, _: TeamId) -> Result<(), WriteError> {
        written("DELETE /teams/{id}")
    }
    fn usage(&self) -> Usage {
        Usage::default()
    }
    fn ticket_url(&self, id: TicketId) -> String {
        format!("https://acme.example/app/ticket/{id}")
    }
    fn customer_url(&self, id: CustomerId) -> String {
        format!("https://acme.example/app/customer/{id}")
    }
}
