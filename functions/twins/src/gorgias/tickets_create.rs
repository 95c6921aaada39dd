//! `POST /tickets`: one request makes a ticket with its messages, tags, values, assignee and dates.
//!
//! Everything is checked before anything is stored, so a refused request has no effect.

use super::answer::{Answer, Answered, Refusal};
use super::effects::{ticket_closed, ticket_created};
use super::ledger::{Entry, codes};
use super::message_draft::{MessageDraft, Standing, read_message, read_past};
use super::messages;
use super::model::{Ticket, TicketTimes};
use super::persons::PersonRef;
use super::query::Query;
use super::reading::{Problems, Reader};
use super::route::Call;
use super::state::State;
use super::ticket_draft::TicketDraft;
use super::ticket_shapes::TicketShape;

/// Most messages inside one request (facts: tickets).
const MESSAGES_MAX: usize = 500;
/// Microseconds by which a fresh ticket seems changed after its creation (facts: pitfalls).
const FRESH_MICROS: i64 = 1_749;

/// The keys of a ticket that exist at creation only, beside those of an update.
struct Creation {
    draft: TicketDraft,
    messages: Vec<MessageDraft>,
    created: Option<super::clock::Instant>,
    imported: bool,
}

pub(crate) fn create(state: &mut State, call: &Call) -> Answered<Answer> {
    let problems = state.problems();
    Query::new(&call.query, &problems).end()?;
    let creation = read(state, Reader::body(call.json()?, &problems)?, &problems);
    problems.check()?;
    if state.switches.message_quota.is_some_and(|quota| state.tickets_created >= quota) {
        return Err(Refusal::new(
            403,
            "You do not have enough permissions to perform this action. Messaging quota exceeded.",
        ));
    }
    let customer = customer_of(state, &creation)?;
    let id = store(state, creation, customer);
    state.tickets_created += 1;
    let ticket = state.tickets.get(id).ok_or_else(|| Refusal::not_found("Ticket", id))?;
    Ok(Answer::created(&TicketShape { state, ticket, whole: true }))
}

fn read(state: &State, mut reader: Reader<'_>, problems: &Problems) -> Creation {
    let rows = reader.list("messages");
    let rows = reader.required("messages", rows).unwrap_or_default();
    if rows.len() > MESSAGES_MAX || (rows.is_empty() && problems.check().is_ok()) {
        reader.problem("messages", format!("Length must be between 1 and {MESSAGES_MAX}."));
    }
    let messages = rows
        .into_iter()
        .take(MESSAGES_MAX)
        .enumerate()
        .filter_map(|(place, row)| {
            read_message(state, row, format!("messages.{place}"), Standing::Inline, problems)
        })
        .collect();
    let creation = Creation {
        draft: TicketDraft::read(state, &mut reader, true),
        messages,
        created: read_past(state, &mut reader, "created_datetime").value(),
        imported: reader.boolean("imported").value().unwrap_or(false),
    };
    reader.id("split_from");
    reader.end();
    creation
}

/// The customer of the ticket: named, or the sender of the first message if that is a customer.
fn customer_of(state: &State, creation: &Creation) -> Answered<PersonRef> {
    if let Some(person) = &creation.draft.customer {
        return Ok(person.clone());
    }
    let sender = creation.messages.first().and_then(|message| message.sender.as_ref());
    match sender {
        Some(person) if person.known(state).is_none_or(|id| state.customers.get(id).is_some()) => {
            Ok(person.clone())
        }
        _ => Err(Refusal::bad_field("customer", "Missing data for required field.")),
    }
}

fn store(state: &mut State, creation: Creation, customer: PersonRef) -> u64 {
    let Creation { mut draft, messages, created, imported } = creation;
    let customer = super::persons::settle_person(state, customer);
    draft.customer = None;
    let first = messages.first();
    let channel = first.map_or("api", |message| message.channel.as_str()).to_owned();
    let via = first.map_or("api", |message| message.via.as_str()).to_owned();
    let from_agent = first.is_some_and(|message| message.from_agent);
    let created = created.unwrap_or(state.now);
    let mut ticket = Ticket {
        id: state.ids.ticket.next(&mut state.random),
        external_id: None,
        status: "open",
        priority: "normal",
        channel: state.word(&channel),
        via: state.word(&via),
        from_agent,
        spam: false,
        imported,
        unread: state.switches.server_changes,
        customer,
        assignee_user: None,
        assignee_team: None,
        language: None,
        subject: None,
        meta: None,
        tags: Vec::new(),
        values: Vec::new(),
        messages: Vec::with_capacity(messages.len()),
        survey: None,
        times: TicketTimes {
            created,
            updated: created,
            opened: None,
            closed: None,
            trashed: None,
            snoozed_until: None,
            last_message: last(&messages, created, |_| true),
            last_received: last(&messages, created, |message| !message.from_agent),
        },
        stored: state.now,
        origin: state.actor.origin,
    };
    if state.switches.server_changes && draft.language.is_absent() {
        ticket.language = detected_language(&messages).map(Into::into);
    }
    let updated = draft.updated;
    note_duplicate(state, draft.external_id.clone().value().as_deref());
    draft.apply(state, &mut ticket);
    ticket.times.updated = updated.unwrap_or_else(|| state.now.plus_micros(FRESH_MICROS));
    let (id, closed) = (ticket.id, ticket.status == "closed");
    state.tickets.insert(ticket);
    state.log("ticket-created", "Ticket", id);
    for message in messages {
        messages::add(state, id, message);
    }
    ticket_created(state, id);
    if closed {
        ticket_closed(state, id);
    }
    state.log("ticket-updated", "Ticket", id);
    id
}

/// The latest creation among the messages that count.
fn last(
    messages: &[MessageDraft],
    default: super::clock::Instant,
    counts: impl Fn(&MessageDraft) -> bool,
) -> Option<super::clock::Instant> {
    messages.iter().filter(|message| counts(message)).map(|message| message.created.unwrap_or(default)).max()
}

fn note_duplicate(state: &mut State, external_id: Option<&str>) {
    let Some(external_id) = external_id else { return };
    let other = state.tickets.with_external_id(external_id).next();
    if let Some(other) = other {
        let entry = state.entry(codes::DUPLICATE_EXTERNAL_ID, format!("ticket {external_id}"));
        state.violation(Entry { ticket_id: Some(other), ..entry });
    }
}

/// A guess from the first text, as the server makes one when the client names no language.
fn detected_language(messages: &[MessageDraft]) -> Option<&'static str> {
    let text = messages.iter().find_map(|message| message.body_text.clone().value())?;
    let finnish = text.chars().any(|letter| "äöÄÖ".contains(letter));
    Some(if finnish { "fi" } else { "en" })
}
