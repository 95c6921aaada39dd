//! Endpoints of messages, and storing them.

use super::answer::{Answer, Answered, Refusal};
use super::effects::{book_message, message_added, ticket_updated};
use super::ledger::{Entry, codes};
use super::message_draft::{MessageDraft, Standing, read_message};
use super::model::{Message, Origin, Rare};
use super::persons::settle_person;
use super::query::{BY_CREATED, Place, Query, SortValue};
use super::reading::Given;
use super::route::Call;
use super::shapes::list;
use super::state::State;
use super::ticket_shapes::MessageShape;

pub(crate) fn index(state: &mut State, call: &Call) -> Answered<Answer> {
    let problems = state.problems();
    let mut query = Query::new(&call.query, &problems);
    let ticket = query.id("ticket_id");
    listed(state, call, query, ticket)
}

/// The list below a ticket, deprecated but alive (facts: lists).
pub(crate) fn of_ticket(state: &mut State, call: &Call) -> Answered<Answer> {
    let ticket = call.id(0);
    state.ticket_exists(ticket)?;
    let problems = state.problems();
    listed(state, call, Query::new(&call.query, &problems), Some(ticket))
}

fn listed(state: &State, call: &Call, mut query: Query<'_>, ticket: Option<u64>) -> Answered<Answer> {
    let page = query.page(&BY_CREATED, state.now, state.switches.cursor_life_seconds);
    query.end()?;
    let keep = |id: u64| state.messages.get(id).is_some_and(|message| state.is_listed(message.stored));
    let slice = match ticket {
        None => page.of_index(state.messages.by_created(), keep),
        Some(ticket) => {
            let ids = state.tickets.get(ticket).map(|ticket| ticket.messages.as_slice()).unwrap_or_default();
            let messages = ids.iter().filter(|id| keep(**id)).filter_map(|id| state.messages.get(*id));
            let place = |message: &Message| -> Place { (SortValue::Number(message.created.0), message.id) };
            page.of_rows(messages.map(place).collect())
        }
    };
    let rows = slice.ids.iter().filter_map(|id| state.messages.get(*id));
    let rows = rows.map(|message| MessageShape { state, message, inside_ticket: false });
    Ok(Answer::ok(&list(call, &slice, rows.collect(), true)))
}

fn find(state: &State, ticket: u64, id: u64) -> Answered<&Message> {
    state
        .messages
        .get(id)
        .filter(|message| message.ticket == ticket)
        .ok_or_else(|| Refusal::not_found("Message", id))
}

fn shape(state: &State, ticket: u64, id: u64) -> Answered<MessageShape<'_>> {
    Ok(MessageShape { state, message: find(state, ticket, id)?, inside_ticket: false })
}

pub(crate) fn show(state: &mut State, call: &Call) -> Answered<Answer> {
    Ok(Answer::ok(&shape(state, call.id(0), call.id(1))?))
}

pub(crate) fn create(state: &mut State, call: &Call) -> Answered<Answer> {
    let ticket = call.id(0);
    state.ticket_exists(ticket)?;
    let problems = state.problems();
    let mut query = Query::new(&call.query, &problems);
    query.word("action", &["force", "retry", "cancel"]);
    query.end()?;
    let body = call.json()?;
    let draft = read_message(state, body, String::new(), Standing::Alone, &problems);
    problems.check()?;
    let draft = draft.ok_or_else(|| Refusal::bad_request("The body must be a JSON object."))?;
    let id = add(state, ticket, draft);
    let now = state.now;
    let message = find(state, ticket, id)?;
    let (created, incoming) = (message.created, !message.from_agent);
    state.tickets.change(ticket, |ticket| {
        ticket.times.updated = now;
        ticket.times.last_message = ticket.times.last_message.max(Some(created));
        if incoming {
            ticket.times.last_received = ticket.times.last_received.max(Some(created));
            ticket.unread = true;
        }
    });
    message_added(state, ticket, id);
    Ok(Answer::created(&shape(state, ticket, id)?))
}

/// Stores a checked message in a ticket that exists, and books what it causes.
pub(crate) fn add(state: &mut State, ticket: u64, draft: MessageDraft) -> u64 {
    let sender = match draft.sender.clone() {
        Some(person) => settle_person(state, person),
        None if draft.from_agent => Some(state.actor.user),
        None => state.tickets.get(ticket).and_then(|ticket| ticket.customer),
    };
    let receiver = draft.receiver.clone().and_then(|person| settle_person(state, person));
    let created = draft.created.unwrap_or(state.now);
    let mut sent = draft.sent.clone().value();
    // An incoming message without `sent_datetime` gets its creation; an outgoing one without it is sent.
    if !draft.from_agent {
        sent = sent.or(Some(created));
    }
    let rare = Some(draft.rare).filter(|rare| *rare != Rare::default()).map(Box::new);
    let message = Message {
        id: state.ids.message.next(&mut state.random),
        ticket,
        external_id: draft.external_id.value().map(Into::into),
        channel: state.word(&draft.channel),
        via: state.word(&draft.via),
        from_agent: draft.from_agent,
        public: draft.public,
        imported: draft.imported,
        intent: state.switches.server_changes && !draft.from_agent && draft.public,
        sender,
        receiver,
        body_text: draft.body_text.value().map(Into::into),
        body_html: draft.body_html.value().map(Into::into),
        subject: draft.subject.value().map(Into::into),
        created,
        sent,
        stored: state.now,
        rare,
        origin: state.actor.origin,
    };
    let id = message.id;
    note_duplicate(state, ticket, message.external_id.as_deref());
    book_message(state, &message);
    state.messages.insert(message);
    let messages = &state.messages;
    state.tickets.change(ticket, |ticket| {
        let earlier =
            |other: &u64| messages.get(*other).is_some_and(|other| (other.created, other.id) < (created, id));
        let place = ticket.messages.partition_point(earlier);
        ticket.messages.insert(place, id);
    });
    state.log("ticket-message-created", "TicketMessage", id);
    id
}

fn note_duplicate(state: &mut State, ticket: u64, external_id: Option<&str>) {
    let Some(external_id) = external_id else { return };
    let messages = state.tickets.get(ticket).map(|ticket| ticket.messages.as_slice()).unwrap_or_default();
    let mut found = messages.iter().filter_map(|id| state.messages.get(*id));
    if found.any(|message| message.external_id.as_deref() == Some(external_id)) {
        let entry = state.entry(codes::DUPLICATE_EXTERNAL_ID, format!("message {external_id}"));
        state.violation(Entry { ticket_id: Some(ticket), ..entry });
    }
}

/// Changes a message; text and HTML are not kept in step with each other (facts: messages).
pub(crate) fn update(state: &mut State, call: &Call) -> Answered<Answer> {
    let (ticket, id) = (call.id(0), call.id(1));
    find(state, ticket, id)?;
    let problems = state.problems();
    let draft = read_message(state, call.json()?, String::new(), Standing::Update, &problems);
    problems.check()?;
    let draft = draft.ok_or_else(|| Refusal::bad_request("The body must be a JSON object."))?;
    let sender = draft.sender.and_then(|person| settle_person(state, person));
    let receiver = draft.receiver.and_then(|person| settle_person(state, person));
    let (channel, via) = (state.word(&draft.channel), state.word(&draft.via));
    state.messages.change(id, |message| {
        message.channel = channel;
        message.via = via;
        message.from_agent = draft.from_agent;
        message.public = draft.public;
        message.sender = sender.or(message.sender);
        message.receiver = receiver.or(message.receiver);
        message.created = draft.created.unwrap_or(message.created);
        let text = |given: Given<String>, target: &mut Option<Box<str>>| given.map(Into::into).apply(target);
        text(draft.body_text, &mut message.body_text);
        text(draft.body_html, &mut message.body_html);
        text(draft.subject, &mut message.subject);
        text(draft.external_id, &mut message.external_id);
        draft.sent.apply(&mut message.sent);
        if draft.rare != Rare::default() {
            message.rare = Some(Box::new(draft.rare));
        }
    });
    let messages = &state.messages;
    state.tickets.change(ticket, |ticket| {
        ticket.messages.sort_by_key(|id| messages.get(*id).map(|message| (message.created, message.id)));
    });
    ticket_updated(state, ticket);
    Ok(Answer::accepted(&shape(state, ticket, id)?))
}

pub(crate) fn destroy(state: &mut State, call: &Call) -> Answered<Answer> {
    let (ticket, id) = (call.id(0), call.id(1));
    if find(state, ticket, id)?.origin != Origin::Client {
        let entry = state.entry(codes::FOREIGN_RECORD, "message");
        state.violation(Entry { ticket_id: Some(ticket), message_id: Some(id), ..entry });
    }
    state.messages.remove(id);
    state.tickets.change(ticket, |ticket| ticket.messages.retain(|message| *message != id));
    state.log("ticket-message-deleted", "TicketMessage", id);
    ticket_updated(state, ticket);
    Ok(Answer::deleted())
}
