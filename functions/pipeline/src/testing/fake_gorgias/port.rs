//! What every route does.

use async_trait::async_trait;
use jiff::Timestamp;
use migration::gorgias::{
    CustomerId, FieldDraft, FieldId, FieldObject, IntegrationId, MessageId, RuleId, TagDraft, TagId, TeamId,
    TicketId, UserId,
};
use migration::keys::ExternalId;

use crate::ports::clock::Clock;
use crate::ports::gorgias::{
    Attachment, AuditEvent, Cursor, Customer, CustomerChange, Field, FoundValue, Gorgias, Integration,
    Message, NewCustomer, NewFile, NewMessage, NewTeam, NewTicket, PAGE_RECORDS_MAX, Page, Raw, ReadError,
    Rule, Setting, Tag, Team, Ticket, TicketChange, Usage, User, WriteError,
};

use super::{Effect, FakeGorgias};
use crate::testing::account::No;
use crate::testing::bug::Bug;
use crate::transform::VANISHED_TAG;

/// A record whose text nobody keeps.
fn untold<T>(record: T) -> Raw<T> {
    Raw { record, json: "{}".to_owned() }
}

/// Lists of customers show neither channels nor values.
fn listed(customer: &Customer) -> Customer {
    Customer { channels: None, values: None, ..customer.clone() }
}

#[async_trait]
impl Gorgias for FakeGorgias {
    async fn account(&self) -> Result<crate::ports::gorgias::Account, ReadError> {
        self.read("GET /account", |_| crate::ports::gorgias::Account {
            domain: "acme".to_owned(),
            status: Some("active".to_owned()),
            plan: None,
        })
    }
    async fn service_user(&self) -> Result<User, ReadError> {
        self.read("GET /users/0", |account| account.users[0].clone())
    }
    async fn settings(&self) -> Result<Vec<Setting>, ReadError> {
        self.read("GET /account/settings", |account| account.settings.clone())
    }
    async fn users(&self, cursor: Option<&Cursor>) -> Result<Page<User>, ReadError> {
        self.page("GET /users", cursor, |account| account.users.clone())
    }
    async fn teams(&self, cursor: Option<&Cursor>) -> Result<Page<Team>, ReadError> {
        self.page("GET /teams", cursor, |account| account.teams.clone())
    }
    async fn tags(&self, cursor: Option<&Cursor>) -> Result<Page<Tag>, ReadError> {
        self.page("GET /tags", cursor, |account| account.tags.clone())
    }
    async fn fields(&self, object: FieldObject, cursor: Option<&Cursor>) -> Result<Page<Field>, ReadError> {
        self.page("GET /custom-fields", cursor, |account| {
            account.fields.iter().filter(|field| field.object == object).cloned().collect()
        })
    }
    async fn rules(&self, cursor: Option<&Cursor>) -> Result<Page<Rule>, ReadError> {
        self.page("GET /rules", cursor, |account| account.rules.clone())
    }
    async fn integrations(&self, cursor: Option<&Cursor>) -> Result<Page<Integration>, ReadError> {
        self.page("GET /integrations", cursor, |account| account.integrations.clone())
    }
    async fn customers(&self, cursor: Option<&Cursor>) -> Result<Page<Customer>, ReadError> {
        self.page("GET /customers", cursor, |account| account.customers.values().map(listed).collect())
    }
    async fn customer(&self, id: CustomerId) -> Result<Raw<Customer>, ReadError> {
        let request = "GET /customers/{id}".to_owned();
        self.note(&request, &id.to_string());
        self.read(&request, |_| ())?;
        let found = self.seen(|account| account.customer(id));
        found.map(|found| self.raw(&found)).ok_or(ReadError::NotFound { request })
    }
    async fn customers_by_external_id(&self, id: &ExternalId) -> Result<Vec<Raw<Customer>>, ReadError> {
        let now = self.clock.now();
        self.read("GET /customers?external_id", |_| ())?;
        Ok(self.with(|inside| {
            let same = |customer: &&Customer| customer.external_id.as_deref() == Some(id.as_str());
            let shows = |found: &&Customer| Self::shows(inside, now, found.id.0, found.created_at);
            let found = inside.account.customers.values().filter(same).filter(shows);
            found.map(|found| untold(listed(found))).collect()
        }))
    }
    async fn customers_by_email(&self, email: &str) -> Result<Vec<Raw<Customer>>, ReadError> {
        self.by_channel("GET /customers?email", "email", email)
    }
    async fn customers_by_phone(&self, address: &str) -> Result<Vec<Raw<Customer>>, ReadError> {
        self.by_channel("GET /customers?channel", "phone", address)
    }
    async fn tickets(&self, cursor: Option<&Cursor>) -> Result<Page<Ticket>, ReadError> {
        self.page("GET /tickets", cursor, |account| account.tickets.values().cloned().collect())
    }
    async fn ticket(&self, id: TicketId) -> Result<Raw<Ticket>, ReadError> {
        let request = "GET /tickets/{id}".to_owned();
        self.read(&request, |_| ())?;
        self.with(|inside| {
            let trashed = inside.account.tickets.get_mut(&id);
            if let Some(ticket) = trashed.filter(|_| inside.bug == Some(Bug::TrashUndone)) {
                ticket.trashed_at = None;
            }
        });
        let found = self.seen(|account| account.tickets.get(&id));
        found.map(untold).ok_or(ReadError::NotFound { request })
    }
    async fn tickets_by_external_id(&self, id: &ExternalId) -> Result<Vec<Raw<Ticket>>, ReadError> {
        let now = self.clock.now();
        self.read("GET /tickets?external_id", |_| ())?;
        Ok(self.with(|inside| {
            let bug = inside.bug;
            let same = |ticket: &&Ticket| match bug {
                Some(Bug::BlindLookUp) => false,
                Some(Bug::PrefixLookUp) => {
                    ticket.external_id.as_deref().is_some_and(|found| found[..17] == id.as_str()[..17])
                }
                _ => ticket.external_id.as_deref() == Some(id.as_str()),
            };
            let shows = |found: &&Ticket| Self::shows(inside, now, found.id.0, found.updated_at);
            let told = |found: &Ticket| {
                let message_count =
                    (bug == Some(Bug::MessagesUnchecked)).then_some(2).or(found.message_count);
                untold(Ticket { message_count, external_id: Some(id.to_string()), ..found.clone() })
            };
            inside.account.tickets.values().filter(same).filter(shows).map(told).collect()
        }))
    }
    async fn messages(&self, cursor: Option<&Cursor>) -> Result<Page<Message>, ReadError> {
        self.page("GET /messages", cursor, |account| account.messages.values().cloned().collect())
    }
    fn customer_from(&self, json: &str) -> Result<Raw<Customer>, ReadError> {
        self.again(json)
    }
    fn ticket_from(&self, json: &str) -> Result<Raw<Ticket>, ReadError> {
        self.again(json)
    }
    fn message_from(&self, json: &str) -> Result<Raw<Message>, ReadError> {
        self.again(json)
    }
    async fn newest_messages(&self) -> Result<Vec<Message>, ReadError> {
        self.read("GET /messages?newest", |account| {
            let mut messages: Vec<Message> = account.messages.values().cloned().collect();
            messages.sort_by_key(|message| std::cmp::Reverse((message.created_at, message.id)));
            messages.truncate(PAGE_RECORDS_MAX);
            messages
        })
    }
    async fn ticket_messages(
        &self,
        id: TicketId,
        cursor: Option<&Cursor>,
    ) -> Result<Page<Message>, ReadError> {
        self.note("GET /messages?ticket_id", &id.to_string());
        self.page("GET /messages?ticket_id", cursor, |account| {
            account.messages.values().filter(|message| message.ticket == id).cloned().collect()
        })
    }

    async fn events(
        &self,
        since: Timestamp,
        user: Option<UserId>,
        cursor: Option<&Cursor>,
    ) -> Result<Page<AuditEvent>, ReadError> {
        self.page("GET /events", cursor, |account| {
            let wanted = |event: &&AuditEvent| event.at >= since && (user.is_none() || event.user == user);
            account.events.iter().filter(wanted).cloned().collect()
        })
    }

    async fn create_tag(&self, draft: &TagDraft) -> Result<TagId, WriteError> {
        let draft = draft.clone();
        self.write("POST /tags", None, move |account, _| account.add_tag(&draft)).await
    }
    async fn create_field(&self, draft: &FieldDraft) -> Result<FieldId, WriteError> {
        let draft = draft.clone();
        self.write("POST /custom-fields", None, move |account, _| account.add_field(&draft)).await
    }
    async fn set_field_archived(&self, id: FieldId, at: Option<Timestamp>) -> Result<(), WriteError> {
        self.write("PUT /custom-fields/{id}", None, move |account, _| {
            let field = account.fields.iter_mut().find(|field| field.id == id).ok_or(No::Gone)?;
            field.is_active = at.is_none();
            Ok(())
        })
        .await
    }
    async fn create_team(&self, team: &NewTeam) -> Result<TeamId, WriteError> {
        let team = team.clone();
        self.write("POST /teams", None, move |account, now| account.add_team(&team, now)).await
    }
    async fn set_rule_paused(&self, id: RuleId, at: Option<Timestamp>) -> Result<(), WriteError> {
        self.write("PUT /rules/{id}", None, move |account, _| {
            let rule = account.rules.iter_mut().find(|rule| rule.id == id).ok_or(No::Gone)?;
            rule.is_active = at.is_none();
            Ok(())
        })
        .await
    }
    async fn set_integration_paused(
        &self,
        id: IntegrationId,
        at: Option<Timestamp>,
    ) -> Result<(), WriteError> {
        self.write("PUT /integrations/{id}", None, move |account, _| {
            let held = account.integrations.iter_mut().find(|held| held.id == id).ok_or(No::Gone)?;
            held.is_active = at.is_none();
            Ok(())
        })
        .await
    }
    async fn put_setting(&self, setting: &Setting) -> Result<(), WriteError> {
        let setting = setting.clone();
        self.write("PUT /account/settings/{id}", None, move |account, _| {
            let held = account.settings.iter_mut().find(|held| held.id == setting.id).ok_or(No::Gone)?;
            held.json = setting.json;
            Ok(())
        })
        .await
    }
    async fn create_customer(&self, customer: &NewCustomer) -> Result<CustomerId, WriteError> {
        let customer = customer.clone();
        self.write("POST /customers", None, move |account, now| account.add_customer(&customer, now)).await
    }
    async fn update_customer(&self, id: CustomerId, change: &CustomerChange) -> Result<(), WriteError> {
        let change = change.clone();
        self.write("PUT /customers/{id}", None, move |account, _| account.change_customer(id, &change)).await
    }
    async fn set_customer_values(&self, id: CustomerId, values: &[FoundValue]) -> Result<(), WriteError> {
        let values = values.to_vec();
        self.write("PUT /customers/{id}/custom-fields", None, move |account, _| {
            account.set_values(id, &values)
        })
        .await
    }
    async fn upload(&self, file: &NewFile) -> Result<Attachment, WriteError> {
        let file = file.clone();
        self.write("POST /upload", None, move |account, _| Ok(account.add_upload(&file))).await
    }
    async fn create_ticket(&self, ticket: &NewTicket) -> Result<TicketId, WriteError> {
        let (whole, part) = (ticket.clone(), ticket.clone());
        let partial: Effect = Box::new(move |account, now| drop(account.add_ticket(&part, 1, now)));
        self.write("POST /tickets", Some(partial), move |account, now| {
            account.add_ticket(&whole, usize::MAX, now)
        })
        .await
    }
    async fn append_message(&self, ticket: TicketId, message: &NewMessage) -> Result<MessageId, WriteError> {
        let message = message.clone();
        let is_twice = self.with(|inside| inside.bug == Some(Bug::AppendedTwice));
        self.write("POST /tickets/{id}/messages", None, move |account, _| {
            if is_twice {
                account.add_message(ticket, &message)?;
            }
            account.add_message(ticket, &message)
        })
        .await
    }
    async fn update_ticket(&self, id: TicketId, change: &TicketChange) -> Result<(), WriteError> {
        let change = change.clone();
        self.write("PUT /tickets/{id}", None, move |account, _| account.change_ticket(id, &change)).await
    }
    async fn add_ticket_tags(&self, id: TicketId, names: &[String]) -> Result<(), WriteError> {
        let names = names.to_vec();
        let is_deleted = self.with(|inside| inside.bug == Some(Bug::VanishedDeleted));
        self.write("POST /tickets/{id}/tags", None, move |account, _| {
            if is_deleted && names.iter().any(|name| name == VANISHED_TAG) {
                account.tickets.remove(&id);
                return Ok(());
            }
            account.change_tags(id, &names, true)
        })
        .await
    }
    async fn remove_ticket_tags(&self, id: TicketId, names: &[String]) -> Result<(), WriteError> {
        let names = names.to_vec();
        self.write("DELETE /tickets/{id}/tags", None, move |account, _| {
            account.change_tags(id, &names, false)
        })
        .await
    }
    async fn update_message(&self, message: &Message) -> Result<(), WriteError> {
        let message = message.clone();
        let route = "PUT /tickets/{id}/messages/{id}";
        self.write(route, None, move |account, _| account.change_message(&message)).await
    }
    async fn set_ticket_trashed(&self, id: TicketId, at: Option<Timestamp>) -> Result<(), WriteError> {
        self.write("PUT /tickets/{id}", None, move |account, _| {
            account.tickets.get_mut(&id).ok_or(No::Gone)?.trashed_at = at;
            Ok(())
        })
        .await
    }
    async fn delete_ticket(&self, id: TicketId) -> Result<(), WriteError> {
        self.write("DELETE /tickets/{id}", None, move |account, _| {
            account.messages.retain(|_, message| message.ticket != id);
            account.tickets.remove(&id).map(drop).ok_or(No::Gone)
        })
        .await
    }
    async fn delete_message(&self, ticket: TicketId, id: MessageId) -> Result<(), WriteError> {
        self.write("DELETE /tickets/{id}/messages/{id}", None, move |account, _| {
            let held = account.messages.get(&id).filter(|message| message.ticket == ticket);
            held.is_some().then(|| account.messages.remove(&id)).map(drop).ok_or(No::Gone)
        })
        .await
    }
    async fn delete_customer(&self, id: CustomerId) -> Result<(), WriteError> {
        self.write("DELETE /customers/{id}", None, move |account, _| {
            // As the strict stand-in: the tickets of a deleted customer go with it.
            account.tickets.retain(|_, ticket| ticket.customer != Some(id));
            let tickets = &account.tickets;
            account.messages.retain(|_, message| tickets.contains_key(&message.ticket));
            account.customers.remove(&id).map(drop).ok_or(No::Gone)
        })
        .await
    }
    async fn delete_tag(&self, id: TagId) -> Result<(), WriteError> {
        self.write("DELETE /tags/{id}", None, move |account, _| {
            account.tags.retain(|tag| tag.id != id);
            Ok(())
        })
        .await
    }
    async fn delete_team(&self, id: TeamId) -> Result<(), WriteError> {
        self.write("DELETE /teams/{id}", None, move |account, _| {
            account.teams.retain(|team| team.id != id);
            Ok(())
        })
        .await
    }
    fn usage(&self) -> Usage {
        self.with(|inside| Usage { requests: inside.requests.clone(), ..Usage::default() })
    }
    fn ticket_url(&self, id: TicketId) -> String {
        format!("https://acme.gorgias.com/app/ticket/{id}")
    }
    fn customer_url(&self, id: CustomerId) -> String {
        format!("https://acme.gorgias.com/app/customer/{id}")
    }
}

impl FakeGorgias {
    fn by_channel(&self, route: &str, kind: &str, address: &str) -> Result<Vec<Raw<Customer>>, ReadError> {
        let folded = address.to_lowercase();
        self.read(route, |account| {
            let holds = |customer: &&Customer| {
                let mut channels = customer.channels.iter().flatten();
                channels.any(|channel| channel.kind == kind && channel.address.to_lowercase() == folded)
            };
            account.customers.values().filter(holds).map(|found| untold(listed(found))).collect()
        })
    }
}
