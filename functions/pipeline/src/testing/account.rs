//! What an account at Gorgias holds, its rules of uniqueness, and faults on request.

use std::collections::BTreeMap;

use jiff::Timestamp;
use migration::gorgias::{
    CustomerId, FieldDraft, FieldId, FieldObject, FieldValue, MessageId, RuleId, SettingId, TagDraft, TagId,
    TeamId, TicketId, UserId,
};

use crate::ports::gorgias::{
    Attachment, AuditEvent, Customer, CustomerChange, Field, FoundAttachment, FoundChannel, FoundValue,
    Integration, Message, NewCustomer, NewDelivery, NewFile, NewMessage, NewTeam, NewTicket, Rule, Setting,
    Tag, Team, Ticket, TicketChange, User,
};

/// What goes wrong with one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The connection does not come about.
    NotSent,
    /// It takes effect and the answer is lost.
    AnswerLost,
    /// It does not take effect and no answer comes.
    Vanished,
    /// It takes effect after this many seconds, and no answer comes.
    Late(u64),
    /// A ticket keeps only its first message, and the answer is lost.
    Partial,
    /// 400.
    Refused,
    /// 401.
    Credentials,
}

/// Why the account does not do it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum No {
    Refused(&'static str),
    Conflict,
    Gone,
}

/// The state of one account.
#[derive(Debug, Clone, Default)]
pub(crate) struct Account {
    pub(crate) users: Vec<User>,
    pub(crate) teams: Vec<Team>,
    pub(crate) tags: Vec<Tag>,
    pub(crate) fields: Vec<Field>,
    pub(crate) rules: Vec<Rule>,
    pub(crate) settings: Vec<Setting>,
    pub(crate) integrations: Vec<Integration>,
    pub(crate) customers: BTreeMap<CustomerId, Customer>,
    pub(crate) tickets: BTreeMap<TicketId, Ticket>,
    pub(crate) messages: BTreeMap<MessageId, Message>,
    /// Every upload that arrived, by its address; what no message names is an orphan.
    pub(crate) uploads: BTreeMap<String, NewFile>,
    /// Customers that people merged, with those that they went into.
    pub(crate) merged: BTreeMap<CustomerId, CustomerId>,
    /// What people did; what we do leaves no events here.
    pub(crate) events: Vec<AuditEvent>,
    next_id: u64,
}

impl Account {
    /// One admin, one active rule, surveys on, one webhook.
    pub(crate) fn fresh() -> Self {
        let user = |id, email: &str, name: &str| User {
            id: UserId(id),
            email: Some(email.to_owned()),
            name: name.to_owned(),
            role: "admin".to_owned(),
            is_active: true,
            external_id: None,
        };
        let survey = r#"{"send_survey_for_chat":true,"send_survey_for_contact_form":true,"send_survey_for_email":true,"send_survey_for_help_center":true,"survey_interval":2}"#;
        Self {
            users: vec![user(1, "migration@acme.example", "Service"), user(2, "agent@acme.example", "Agent")],
            rules: vec![Rule {
                id: RuleId(11),
                name: "auto reply".to_owned(),
                is_active: true,
                event_types: Some("ticket-created".to_owned()),
            }],
            settings: vec![Setting {
                id: SettingId(21),
                kind: "satisfaction-surveys".to_owned(),
                json: survey.to_owned(),
            }],
            next_id: 100,
            ..Self::default()
        }
    }

    fn draw(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }

    pub(crate) fn add_tag(&mut self, draft: &TagDraft) -> Result<TagId, No> {
        if self.tags.iter().any(|tag| tag.name == draft.name) {
            return Err(No::Conflict);
        }
        let id = TagId(self.draw());
        let description = Some(draft.description.clone());
        self.tags.push(Tag { id, name: draft.name.clone(), description, color: None, usage: Some(0) });
        Ok(id)
    }

    pub(crate) fn add_field(&mut self, draft: &FieldDraft) -> Result<FieldId, No> {
        if self.fields.iter().any(|field| field.label == draft.label) {
            return Err(No::Conflict);
        }
        let id = FieldId(self.draw());
        self.fields.push(Field {
            id,
            object: draft.object,
            external_id: Some(draft.key.to_string()),
            label: draft.label.clone(),
            description: Some(draft.description.clone()),
            data_type: draft.kind.as_str().to_owned(),
            managed_type: None,
            is_active: true,
            priority: Some(10),
        });
        Ok(id)
    }

    pub(crate) fn add_team(&mut self, team: &NewTeam, now: Timestamp) -> Result<TeamId, No> {
        if self.teams.iter().any(|held| held.name == team.name) {
            return Err(No::Conflict);
        }
        if !team.members.iter().all(|member| self.users.iter().any(|user| user.id == *member)) {
            return Err(No::Refused("unknown member"));
        }
        let id = TeamId(self.draw());
        let (name, description) = (team.name.clone(), Some(team.description.clone()));
        self.teams.push(Team { id, name, description, members: team.members.clone(), created_at: Some(now) });
        Ok(id)
    }

    fn holds(&self, kind: &str, address: &str, but: Option<CustomerId>) -> bool {
        let folded = address.trim().to_lowercase();
        let same = |channel: &FoundChannel| channel.kind == kind && channel.address.to_lowercase() == folded;
        let user = kind == "email"
            && self.users.iter().any(|user| user.email.as_deref().is_some_and(|email| email == folded));
        user || self
            .customers
            .values()
            .filter(|customer| Some(customer.id) != but)
            .any(|customer| customer.channels.iter().flatten().any(same))
    }

    fn check_channels(&self, channels: &[FoundChannel], but: Option<CustomerId>) -> Result<(), No> {
        if channels.iter().any(|channel| self.holds(&channel.kind, &channel.address, but)) {
            return Err(No::Conflict);
        }
        Ok(())
    }

    pub(crate) fn add_customer(&mut self, new: &NewCustomer, now: Timestamp) -> Result<CustomerId, No> {
        let mut channels: Vec<FoundChannel> = new
            .channels
            .iter()
            .map(|channel| FoundChannel {
                kind: channel.kind.as_str().to_owned(),
                address: channel.address.clone(),
                is_preferred: channel.is_preferred,
            })
            .collect();
        if let Some(email) = &new.email
            && !channels.iter().any(|channel| channel.kind == "email" && channel.address == *email)
        {
            channels.push(FoundChannel { kind: "email".into(), address: email.clone(), is_preferred: true });
        }
        self.check_channels(&channels, None)?;
        let id = CustomerId(self.draw());
        let name = new.name.clone();
        let token = |last: bool| {
            let mut tokens = name.as_deref().unwrap_or_default().split_whitespace();
            if last { tokens.next_back() } else { tokens.next() }.map(str::to_owned)
        };
        self.customers.insert(
            id,
            Customer {
                id,
                external_id: Some(new.external_id.to_string()),
                first_name: token(false),
                last_name: token(true),
                name: name.clone(),
                email: new.email.clone(),
                language: new.language.clone(),
                timezone: new.timezone.clone(),
                channels: Some(channels),
                values: Some(Vec::new()),
                created_at: Some(now),
                updated_at: Some(now),
            },
        );
        Ok(id)
    }

    pub(crate) fn change_customer(&mut self, id: CustomerId, change: &CustomerChange) -> Result<(), No> {
        if let Some(channels) = &change.channels {
            self.check_channels(channels, Some(id))?;
        }
        let customer = self.customers.get_mut(&id).ok_or(No::Gone)?;
        change.external_id.apply(&mut customer.external_id);
        change.name.apply(&mut customer.name);
        change.email.apply(&mut customer.email);
        change.language.apply(&mut customer.language);
        change.timezone.apply(&mut customer.timezone);
        if change.channels.is_some() {
            customer.channels.clone_from(&change.channels);
        }
        Ok(())
    }

    fn check_values(&self, object: FieldObject, values: &[FoundValue]) -> Result<(), No> {
        for value in values {
            let field = self.fields.iter().find(|field| field.id == value.field && field.object == object);
            let field = field.filter(|field| field.is_active).ok_or(No::Refused("no such field"))?;
            let kind = match value.value {
                FieldValue::Text(_) => "text",
                FieldValue::Number(_) => "number",
                FieldValue::Boolean(_) => "boolean",
            };
            if field.data_type != kind {
                return Err(No::Refused("wrong type of value"));
            }
        }
        Ok(())
    }

    pub(crate) fn set_values(&mut self, id: CustomerId, values: &[FoundValue]) -> Result<(), No> {
        self.check_values(FieldObject::Customer, values)?;
        let customer = self.customers.get_mut(&id).ok_or(No::Gone)?;
        customer.values = Some(values.to_vec());
        Ok(())
    }

    pub(crate) fn add_ticket(
        &mut self,
        new: &NewTicket,
        keep: usize,
        now: Timestamp,
    ) -> Result<TicketId, No> {
        if !self.customers.contains_key(&new.customer) {
            return Err(No::Refused("no such customer"));
        }
        if !new.tags.iter().all(|name| self.tags.iter().any(|tag| tag.name == *name)) {
            return Err(No::Refused("no such tag"));
        }
        if new.messages.is_empty() || new.messages.len() > 500 {
            return Err(No::Refused("1 to 500 messages"));
        }
        self.check_values(FieldObject::Ticket, &new.values)?;
        let id = TicketId(self.draw());
        let mut tags = new.tags.clone();
        tags.sort();
        self.tickets.insert(
            id,
            Ticket {
                id,
                external_id: Some(new.external_id.to_string()),
                customer: Some(new.customer),
                subject: Some(new.subject.clone()),
                status: new.status.as_str().to_owned(),
                channel: new.channel.clone(),
                via: "api".to_owned(),
                from_agent: Some(matches!(new.messages[0].delivery, NewDelivery::InternalNote { .. })),
                assignee_user: new.assignee_user,
                assignee_team: new.assignee_team,
                tags,
                values: new.values.clone(),
                created_at: Some(new.created_at),
                opened_at: None,
                closed_at: new.closed_at,
                last_message_at: Some(new.last_message_at),
                updated_at: Some(now),
                trashed_at: None,
                is_spam: Some(false),
                priority: Some("normal".to_owned()),
                language: None,
                message_count: None,
            },
        );
        for message in new.messages.iter().take(keep) {
            self.add_message(id, message)?;
        }
        Ok(id)
    }

    /// Takes a file; every arrival is one more.
    pub(crate) fn add_upload(&mut self, file: &NewFile) -> Attachment {
        let url =
            format!("https://acme.gorgias.com/api/attachment/download/{:08x}/{}", self.draw(), file.name);
        self.uploads.insert(url.clone(), file.clone());
        let (name, content_type) = (file.name.clone(), file.content_type.clone());
        Attachment { url, name, content_type, bytes: file.body.len() as u64 }
    }

    /// A person merges one customer into another: tickets and channels go along, the source is gone.
    pub(crate) fn merge(&mut self, source: CustomerId, target: CustomerId) {
        let Some(gone) = self.customers.remove(&source) else { return };
        if let Some(kept) = self.customers.get_mut(&target) {
            kept.channels.get_or_insert_default().extend(gone.channels.unwrap_or_default());
            kept.external_id = kept.external_id.take().or(gone.external_id);
        }
        for ticket in self.tickets.values_mut().filter(|ticket| ticket.customer == Some(source)) {
            ticket.customer = Some(target);
        }
        self.merged.insert(source, target);
    }

    /// The customer, or the one that it was merged into.
    pub(crate) fn customer(&self, id: CustomerId) -> Option<&Customer> {
        self.customers.get(self.merged.get(&id).unwrap_or(&id))
    }

    pub(crate) fn change_ticket(&mut self, id: TicketId, change: &TicketChange) -> Result<(), No> {
        self.check_values(FieldObject::Ticket, change.values.as_deref().unwrap_or_default())?;
        if change.customer.is_some_and(|id| !self.customers.contains_key(&id)) {
            return Err(No::Refused("no such customer"));
        }
        let ticket = self.tickets.get_mut(&id).ok_or(No::Gone)?;
        change.external_id.apply(&mut ticket.external_id);
        change.subject.apply(&mut ticket.subject);
        change.assignee_user.apply(&mut ticket.assignee_user);
        change.assignee_team.apply(&mut ticket.assignee_team);
        change.closed_at.apply(&mut ticket.closed_at);
        change.last_message_at.apply(&mut ticket.last_message_at);
        ticket.customer = change.customer.or(ticket.customer);
        ticket.from_agent = change.from_agent.or(ticket.from_agent);
        ticket.is_spam = change.is_spam.or(ticket.is_spam);
        if let Some(status) = change.status {
            status.as_str().clone_into(&mut ticket.status);
        }
        for (held, given) in [(&mut ticket.channel, &change.channel), (&mut ticket.via, &change.via)] {
            if let Some(given) = given {
                held.clone_from(given);
            }
        }
        if let Some(values) = &change.values {
            ticket.values.clone_from(values);
        }
        Ok(())
    }

    pub(crate) fn change_tags(&mut self, id: TicketId, names: &[String], is_added: bool) -> Result<(), No> {
        if is_added && !names.iter().all(|name| self.tags.iter().any(|tag| tag.name == *name)) {
            return Err(No::Refused("no such tag"));
        }
        let ticket = self.tickets.get_mut(&id).ok_or(No::Gone)?;
        ticket.tags.retain(|tag| !names.contains(tag));
        if is_added {
            ticket.tags.extend(names.iter().cloned());
            ticket.tags.sort();
        }
        Ok(())
    }

    pub(crate) fn change_message(&mut self, message: &Message) -> Result<(), No> {
        let held = self.messages.get_mut(&message.id).filter(|held| held.ticket == message.ticket);
        *held.ok_or(No::Gone)? = message.clone();
        Ok(())
    }

    pub(crate) fn add_message(&mut self, ticket: TicketId, new: &NewMessage) -> Result<MessageId, No> {
        if !self.tickets.contains_key(&ticket) {
            return Err(No::Gone);
        }
        let id = MessageId(self.draw());
        let (channel, from_agent, sender, receiver, at) = match &new.delivery {
            NewDelivery::InternalNote { author, at } => ("internal-note", true, author.0, None, *at),
            NewDelivery::Incoming { channel, sender, at } => (channel.as_str(), false, sender.0, None, *at),
            NewDelivery::Outgoing { channel, author, receiver, sent_at } => {
                (channel.as_str(), true, author.0, Some(receiver.0), *sent_at)
            }
        };
        self.messages.insert(
            id,
            Message {
                id,
                ticket,
                external_id: Some(new.external_id.to_string()),
                channel: channel.to_owned(),
                via: "api".to_owned(),
                from_agent,
                is_public: Some(channel != "internal-note"),
                sender: Some(sender),
                receiver,
                sent_at: Some(at),
                created_at: Some(at),
                body_text: Some(new.body_text.clone()),
                body_html: Some(new.body_html.clone()),
                attachments: new.attachments.iter().map(found).collect(),
            },
        );
        Ok(id)
    }

    /// External ids that several customers, tickets or messages carry.
    pub(crate) fn duplicates(&self) -> Vec<String> {
        let customers = self.customers.values().filter_map(|customer| customer.external_id.as_ref());
        let tickets = self.tickets.values().filter_map(|ticket| ticket.external_id.as_ref());
        let messages = self.messages.values().filter_map(|message| message.external_id.as_ref());
        let mut seen: BTreeMap<&String, usize> = BTreeMap::new();
        for id in customers.chain(tickets).chain(messages) {
            *seen.entry(id).or_default() += 1;
        }
        seen.into_iter().filter(|(_, count)| *count > 1).map(|(id, _)| id.clone()).collect()
    }
}

/// The account without what moves by itself.
pub(crate) fn essence(account: &Account) -> Account {
    let mut account = account.clone();
    for ticket in account.tickets.values_mut() {
        ticket.updated_at = None;
    }
    account
}

fn found(file: &Attachment) -> FoundAttachment {
    FoundAttachment {
        url: file.url.clone(),
        name: file.name.clone(),
        content_type: file.content_type.clone(),
        bytes: Some(file.bytes),
    }
}
