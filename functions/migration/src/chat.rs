//! Chatbot conversations as tickets: one ticket a conversation, one message a message.
//!
//! Texts come in plain: the caller has removed foreign HTML. Messages of the bot and of agents are internal notes unless
//! the settings say otherwise. Deliberately absent: inventing messages from totals.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::call_note::not_in_future;
use crate::contact_point::{Email, normalize_email, normalize_phone};
use crate::customer::{CustomerContext, number_customer, visitor_customer};
use crate::finding::{self, Note, ObjectKind};
use crate::gorgias::{CustomerDraft, Delivery, MessageDraft, Sender, TicketDraft, TicketStatus};
use crate::keys::ExternalId;
use crate::leaddesk::{ChatMessage, ChatSender, Conversation, UserId};
use crate::message::message;
use crate::person::{PersonId, PhoneOwner};
use crate::reject::Reject;
use crate::settings::{AnonymisedChat, ChatVisibility};
use crate::text::{clean, clean_line};
use crate::ticket::{DraftedTicket, Evidence, TicketContext, subject_within};
use crate::users::Named;

/// Stands in every subject and every note of the bot.
pub const BOT_NAME: &str = "JennyBot";
/// Gorgias' word for the channel.
const CHANNEL: &str = "chat";
/// Stands in place of a message without text.
const EMPTY: &str = "(no text)";

/// How a conversation found its customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FoundBy {
    /// A person has the visitor's email.
    Email,
    /// Exactly one person has the visitor's number.
    Phone,
}

/// Who a conversation belongs to.
#[derive(Debug, Clone, PartialEq)]
pub enum ChatCustomer {
    /// A person that is migrated anyway.
    Person(PersonId, FoundBy),
    /// A customer made for it; several conversations may share one.
    Placeholder(Box<CustomerDraft>),
    /// Nobody, and the settings say that such conversations are not carried.
    Skip,
}

/// Finds the customer: by email, else by a number that exactly one person has, else a placeholder.
#[must_use]
pub fn chat_customer(conversation: &Conversation, ctx: &CustomerContext<'_>) -> (ChatCustomer, Vec<Note>) {
    let email = conversation.customer_email.as_deref().and_then(normalize_email);
    if let Some(person) = email.as_ref().and_then(|email| ctx.persons.person_by_email(email)) {
        return (ChatCustomer::Person(person, FoundBy::Email), Vec::new());
    }
    let number = conversation.customer_phone.as_deref().map(clean).filter(|number| !number.is_empty());
    let phone = number.as_deref().and_then(|number| normalize_phone(number, ctx.settings.region));
    let owner = phone.as_ref().map_or(PhoneOwner::Nobody, |phone| ctx.persons.owner_of_phone(phone));
    let mut notes = Vec::new();
    let mut note = |code| notes.push(Note::new(code, ObjectKind::Conversation, &conversation.id, ""));
    match owner {
        // An address of its own says that the visitor is not the person with the number.
        PhoneOwner::One(person) if email.is_none() => {
            return (ChatCustomer::Person(person, FoundBy::Phone), notes);
        }
        PhoneOwner::Several(_) => note(finding::CHT105_PHONE_AMBIGUOUS),
        PhoneOwner::One(_) | PhoneOwner::Nobody => {}
    }
    let is_reserved = |email: &Email| ctx.reserved_emails.contains(&email.normalized);
    let draft = match (&email, &phone) {
        (Some(email), _) => visitor_customer(&conversation.id, Some(email), is_reserved(email)),
        (None, Some(phone)) if owner == PhoneOwner::Nobody => number_customer(phone.as_str(), ctx),
        (None, Some(_)) => visitor_customer(&conversation.id, None, false),
        (None, None) if ctx.settings.anonymised_chat == AnonymisedChat::Skip => {
            note(finding::CHT102_ANONYMISED_SKIPPED);
            return (ChatCustomer::Skip, notes);
        }
        (None, None) => {
            note(finding::CHT101_ANONYMISED);
            visitor_customer(&conversation.id, None, false)
        }
    };
    (ChatCustomer::Placeholder(Box::new(draft)), notes)
}

/// Drafts the ticket of a conversation for its customer.
///
/// # Errors
/// A [`Reject`] when the conversation has no message.
pub fn draft_chat_ticket(
    conversation: &Conversation,
    customer: &ExternalId,
    ctx: &TicketContext<'_>,
) -> Result<DraftedTicket, Reject> {
    let about = (ObjectKind::Conversation, conversation.id.clone());
    let mut notes = Vec::new();
    let said = in_order(&conversation.messages, &about, &mut notes);
    let (Some(first), Some(last)) = (said.first(), said.last()) else {
        let reason = "the export has no message of it";
        return Err(Reject::new(about.0, about.1, finding::CHT103_NO_MESSAGES, reason));
    };
    let stated = conversation.stated_messages.and_then(|stated| usize::try_from(stated).ok());
    if stated.is_some_and(|stated| stated > said.len()) {
        let detail = format!("{} of {}", said.len(), stated.unwrap_or(0));
        notes.push(Note::new(finding::CHT104_COUNT_DIFFERS, about.0, &about.1, detail));
    }
    let created_at = conversation.started_at.map_or(first.sent_at, |at| at.min(first.sent_at));
    let ended_at = conversation.ended_at.map_or(last.sent_at, |at| at.max(last.sent_at));
    let created_at = not_in_future(created_at, ctx.as_of);
    let agent = said.iter().rev().find_map(|said| agent_of(said, conversation, ctx));
    let messages = said.iter().map(|said| chat_message(said, conversation, ctx, &mut notes)).collect();
    let subject = subject_within(&subject(conversation), &about, &mut notes);
    let ticket = TicketDraft {
        external_id: ExternalId::chat(&conversation.id),
        customer: customer.clone(),
        subject,
        status: TicketStatus::Closed,
        channel: CHANNEL.to_owned(),
        assignee_user: ctx.users.assignable(agent),
        assignee_team: ctx.teams.team_of(agent).cloned(),
        tags: Vec::new(),
        values: Vec::new(),
        created_at,
        closed_at: Some(not_in_future(ended_at, ctx.as_of).max(created_at)),
        messages,
    };
    notes.sort();
    notes.dedup();
    Ok(DraftedTicket { ticket, notes, created_from: Evidence::List })
}

/// Messages by time, then id; each id once.
fn in_order<'a>(
    messages: &'a [ChatMessage],
    about: &(ObjectKind, String),
    notes: &mut Vec<Note>,
) -> Vec<&'a ChatMessage> {
    let mut sorted: Vec<&ChatMessage> = messages.iter().collect();
    sorted.sort_by(|left, right| (left.sent_at, &left.id).cmp(&(right.sent_at, &right.id)));
    let mut seen = BTreeSet::new();
    sorted.retain(|message| {
        let is_new = seen.insert(message.id.as_str());
        if !is_new {
            notes.push(Note::new(finding::CHT108_DUPLICATE_MESSAGE, about.0, &about.1, message.id.clone()));
        }
        is_new
    });
    sorted
}

fn subject(conversation: &Conversation) -> String {
    let mut subject = format!("{BOT_NAME} conversation");
    let outcome = conversation.outcome.as_deref().map(clean_line).filter(|outcome| !outcome.is_empty());
    if let Some(outcome) = outcome {
        subject = format!("{subject}: {outcome}");
    }
    let to = conversation.transferred_to.as_deref().map(clean_line).filter(|to| !to.is_empty());
    match to {
        Some(to) => format!("{subject} to {to}"),
        None => subject,
    }
}

/// The account of an agent's message: by the sender's name, else the only agent of the conversation.
fn agent_of(said: &ChatMessage, conversation: &Conversation, ctx: &TicketContext<'_>) -> Option<UserId> {
    if said.sender != ChatSender::Agent {
        return None;
    }
    let only_agent = match conversation.agents.as_slice() {
        [only] => Some(only.as_str()),
        _ => None,
    };
    [said.sender_name.as_deref(), only_agent].into_iter().flatten().find_map(|name| {
        match ctx.names.find(name) {
            Named::One(user) => Some(user),
            Named::Ambiguous | Named::Unknown => None,
        }
    })
}

fn chat_message(
    said: &ChatMessage,
    conversation: &Conversation,
    ctx: &TicketContext<'_>,
    notes: &mut Vec<Note>,
) -> MessageDraft {
    let at = not_in_future(said.sent_at, ctx.as_of);
    let id = conversation.id.as_str();
    let mut text = clean(&said.text);
    if text.is_empty() {
        EMPTY.clone_into(&mut text);
        notes.push(Note::new(finding::CHT109_EMPTY_MESSAGE, ObjectKind::Conversation, id, said.id.clone()));
    }
    let external_id = ExternalId::chat_message(id, &said.id);
    let author = ctx.users.sender(agent_of(said, conversation, ctx));
    let delivery = delivery(said.sender, author, at, ctx);
    let body = match &delivery {
        Delivery::Incoming { .. } | Delivery::Outgoing { .. } => {
            if said.intent.is_some() || said.feedback.is_some() {
                notes.push(Note::new(
                    finding::CHT107_INTENT_LOST,
                    ObjectKind::Conversation,
                    id,
                    said.id.clone(),
                ));
            }
            text
        }
        Delivery::InternalNote { .. } => note_text(said, &text, id, notes),
    };
    message(external_id, delivery, &body, (ObjectKind::Conversation, id), notes)
}

fn delivery(sender: ChatSender, author: Sender, at: Timestamp, ctx: &TicketContext<'_>) -> Delivery {
    let channel = CHANNEL.to_owned();
    match (sender, ctx.settings.chat_visibility) {
        (ChatSender::Customer, _) => Delivery::Incoming { channel, at },
        (ChatSender::Bot | ChatSender::Agent, ChatVisibility::Public) => {
            Delivery::Outgoing { channel, author, sent_at: at }
        }
        (ChatSender::System, _) | (_, ChatVisibility::InternalNote) => Delivery::InternalNote { author, at },
    }
}

/// Who spoke, the text, and what the bot understood.
fn note_text(said: &ChatMessage, text: &str, id: &str, notes: &mut Vec<Note>) -> String {
    let name = said.sender_name.as_deref().map(clean_line).filter(|name| !name.is_empty());
    let speaker = match (said.sender, name) {
        (ChatSender::Bot, _) => BOT_NAME.to_owned(),
        (ChatSender::System, _) => format!("{BOT_NAME} (system)"),
        (ChatSender::Agent, Some(name)) => format!("{name} (agent, {BOT_NAME})"),
        (ChatSender::Agent, None) => format!("Agent ({BOT_NAME})"),
        (ChatSender::Customer, _) => "Visitor".to_owned(),
    };
    let mut out = format!("{speaker}:\n{text}");
    for (label, value) in [("Intent", &said.intent), ("Feedback", &said.feedback)] {
        if let Some(value) = value.as_deref().map(clean_line).filter(|value| !value.is_empty()) {
            out = format!("{out}\n{label}: {value}");
            notes.push(Note::new(finding::CHT106_INTENT_IN_TEXT, ObjectKind::Conversation, id, ""));
        }
    }
    out
}
