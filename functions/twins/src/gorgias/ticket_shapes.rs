//! How tickets and messages look on the wire, key by key.
//!
//! Null and absent keys differ and are kept apart (facts: tickets, messages, shapes of live recordings).

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use super::clock::Instant;
use super::model::{Message, Rare, Ticket};
use super::shapes::{CustomerShape, CustomerView, PersonShape, ValuesShape, decoration};
use super::state::State;

/// Microseconds that a record is said to have taken to process.
const PROCESSING_MICROS: i64 = 1_745;
/// Characters of the last message that a list item repeats.
const EXCERPT_CHARS: usize = 200;

/// A ticket, whole or as a list item.
pub(crate) struct TicketShape<'a> {
    pub(crate) state: &'a State,
    pub(crate) ticket: &'a Ticket,
    pub(crate) whole: bool,
}

impl Serialize for TicketShape<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        self.common_keys(&mut map)?;
        if self.whole {
            self.whole_keys(&mut map)?;
        } else {
            self.item_keys(&mut map)?;
        }
        map.end()
    }
}

impl TicketShape<'_> {
    fn common_keys<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        let ticket = self.ticket;
        map.serialize_entry("id", &ticket.id)?;
        map.serialize_entry("uri", &format!("/api/tickets/{}/", ticket.id))?;
        map.serialize_entry("external_id", &ticket.external_id)?;
        map.serialize_entry("status", ticket.status)?;
        map.serialize_entry("priority", ticket.priority)?;
        map.serialize_entry("channel", &*ticket.channel)?;
        map.serialize_entry("via", &*ticket.via)?;
        map.serialize_entry("from_agent", &ticket.from_agent)?;
        map.serialize_entry("spam", &ticket.spam)?;
        map.serialize_entry("assignee_user", &self.assignee_user())?;
        map.serialize_entry("assignee_team", &self.assignee_team())?;
        map.serialize_entry("language", &ticket.language)?;
        map.serialize_entry("subject", &ticket.subject)?;
        map.serialize_entry("summary", &None::<Value>)?;
        map.serialize_entry("meta", &ticket.meta)?;
        map.serialize_entry("tags", &self.tags())?;
        if !ticket.values.is_empty() {
            map.serialize_entry("custom_fields", &ValuesShape(&ticket.values))?;
        }
        map.serialize_entry("created_datetime", &ticket.times.created)?;
        map.serialize_entry("opened_datetime", &ticket.times.opened)?;
        map.serialize_entry("last_received_message_datetime", &ticket.times.last_received)?;
        map.serialize_entry("last_message_datetime", &ticket.times.last_message)?;
        map.serialize_entry("updated_datetime", &ticket.times.updated)?;
        map.serialize_entry("closed_datetime", &ticket.times.closed)?;
        map.serialize_entry("trashed_datetime", &ticket.times.trashed)?;
        map.serialize_entry("snooze_datetime", &ticket.times.snoozed_until)?;
        map.serialize_entry("is_unread", &ticket.unread)
    }

    fn whole_keys<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        let ticket = self.ticket;
        let customer = ticket.customer.and_then(|id| self.state.customers.get(id));
        let customer = customer.map(|customer| CustomerShape { customer, view: CustomerView::OfTicket });
        let messages: Vec<_> = ticket
            .messages
            .iter()
            .filter_map(|id| self.state.messages.get(*id))
            .map(|message| MessageShape { state: self.state, message, inside_ticket: true })
            .collect();
        map.serialize_entry("events", &[(); 0])?;
        map.serialize_entry("imported", &ticket.imported)?;
        map.serialize_entry("customer", &customer)?;
        map.serialize_entry("requester", &customer)?;
        map.serialize_entry("assignee_user_id", &ticket.assignee_user)?;
        map.serialize_entry("assignee_team_id", &ticket.assignee_team)?;
        map.serialize_entry("messages", &messages)?;
        map.serialize_entry("processed_datetime", &ticket.stored.plus_micros(PROCESSING_MICROS))?;
        let survey = ticket.survey.and_then(|id| self.state.surveys.get(id));
        map.serialize_entry("satisfaction_survey", &survey)?;
        map.serialize_entry("reply_options", &self.reply_options())
    }

    fn item_keys<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        let ticket = self.ticket;
        let customer = ticket.customer.map(|id| PersonShape { state: self.state, id });
        let last = ticket.messages.last().and_then(|id| self.state.messages.get(*id));
        let undelivered = last.is_some_and(|message| message.from_agent && message.sent.is_none());
        map.serialize_entry("customer", &customer)?;
        map.serialize_entry("excerpt", &last.map(excerpt))?;
        map.serialize_entry("messages_count", &ticket.messages.len())?;
        map.serialize_entry("integrations", &[(); 0])?;
        map.serialize_entry("last_sent_message_not_delivered", &undelivered)
    }

    fn assignee_user(&self) -> Option<Value> {
        let user = self.state.users.get(&self.ticket.assignee_user?)?;
        let mut shape = super::shapes::person_snapshot(self.state, user.id);
        shape["bio"] = json!(user.bio);
        Some(shape)
    }

    fn assignee_team(&self) -> Option<Value> {
        let team = self.state.teams.get(&self.ticket.assignee_team?)?;
        Some(json!({ "id": team.id, "name": team.name, "decoration": decoration(team) }))
    }

    fn tags(&self) -> Vec<Value> {
        let known = self.ticket.tags.iter().filter_map(|id| self.state.tags.get(*id));
        known
            .map(|tag| json!({ "id": tag.id, "name": tag.name, "decoration": { "color": tag.color } }))
            .collect()
    }

    /// Channels over which the customer can be answered (facts: tickets).
    fn reply_options(&self) -> Value {
        let mut options = json!({ "internal-note": { "answerable": true } });
        let customer = self.ticket.customer.and_then(|id| self.state.customers.get(id));
        for channel in customer.map(|customer| customer.channels.as_slice()).unwrap_or_default() {
            if ["email", "phone"].contains(&&*channel.kind) {
                options[&*channel.kind] = json!({ "answerable": true });
            }
        }
        options
    }
}

fn excerpt(message: &Message) -> String {
    message.body_text.as_deref().unwrap_or_default().chars().take(EXCERPT_CHARS).collect()
}

/// A message, inside a ticket or by itself.
pub(crate) struct MessageShape<'a> {
    pub(crate) state: &'a State,
    pub(crate) message: &'a Message,
    /// Some keys are absent inside tickets.
    pub(crate) inside_ticket: bool,
}

impl Serialize for MessageShape<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let message = self.message;
        let nothing = Rare::default();
        let rare = message.rare.as_deref().unwrap_or(&nothing);
        let person = |id| PersonShape { state: self.state, id };
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("id", &message.id)?;
        map.serialize_entry("uri", &format!("/api/tickets/{}/messages/{}/", message.ticket, message.id))?;
        map.serialize_entry("message_id", &rare.message_id)?;
        map.serialize_entry("ticket_id", &message.ticket)?;
        map.serialize_entry("external_id", &message.external_id)?;
        map.serialize_entry("public", &message.public)?;
        map.serialize_entry("channel", &*message.channel)?;
        map.serialize_entry("via", &*message.via)?;
        match &rare.source {
            Some(source) => map.serialize_entry("source", source)?,
            None => map.serialize_entry("source", &json!({ "type": &*message.channel }))?,
        }
        map.serialize_entry("sender", &message.sender.map(person))?;
        map.serialize_entry("auth_customer_identity", &None::<Value>)?;
        map.serialize_entry("integration_id", &rare.integration_id)?;
        map.serialize_entry("intents", &intents(message))?;
        map.serialize_entry("rule_id", &rare.rule_id)?;
        map.serialize_entry("from_agent", &message.from_agent)?;
        map.serialize_entry("receiver", &message.receiver.map(person))?;
        map.serialize_entry("subject", &message.subject)?;
        map.serialize_entry("body_text", &message.body_text)?;
        map.serialize_entry("body_html", &message.body_html)?;
        self.rare_keys(&mut map, rare)?;
        map.serialize_entry("imported", &message.imported)?;
        map.serialize_entry("created_datetime", &message.created)?;
        map.serialize_entry("processed_datetime", &message.stored.plus_micros(PROCESSING_MICROS))?;
        map.serialize_entry("sent_datetime", &message.sent)?;
        map.serialize_entry("is_retriable", &true)?;
        map.end()
    }
}

impl MessageShape<'_> {
    fn rare_keys<M: SerializeMap>(&self, map: &mut M, rare: &Rare) -> Result<(), M::Error> {
        map.serialize_entry("stripped_text", &rare.stripped_text)?;
        map.serialize_entry("stripped_html", &rare.stripped_html)?;
        map.serialize_entry("stripped_signature", &rare.stripped_signature)?;
        // Null when there are none, even if an empty list was sent (facts: messages).
        map.serialize_entry("attachments", &Some(&rare.attachments).filter(|rows| !rows.is_empty()))?;
        map.serialize_entry("actions", &rare.actions)?;
        map.serialize_entry("meta", &rare.meta)?;
        map.serialize_entry("failed_datetime", &rare.failed)?;
        map.serialize_entry("opened_datetime", &rare.opened)?;
        map.serialize_entry("last_sending_error", &rare.last_sending_error)?;
        if !self.inside_ticket {
            map.serialize_entry("macros", &rare.macros)?;
            map.serialize_entry("headers", &rare.headers)?;
            map.serialize_entry("deleted_datetime", &rare.deleted)?;
            map.serialize_entry("replied_by", &None::<Instant>)?;
            map.serialize_entry("replied_to", &None::<Instant>)?;
        }
        Ok(())
    }
}

fn intents(message: &Message) -> Value {
    if message.intent {
        return json!([{ "name": "other/question", "rejected": null, "is_user_feedback": false }]);
    }
    json!([])
}
