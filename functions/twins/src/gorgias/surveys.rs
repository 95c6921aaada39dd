//! Endpoints of satisfaction surveys: one per ticket, never deleted, replaced as a whole (facts: surveys).

use serde_json::json;

use super::answer::{Answer, Answered, Refusal};
use super::clock::Instant;
use super::effects::add_survey;
use super::ledger::{Entry, codes};
use super::query::{BY_CREATED, Query};
use super::reading::{Given, Reader};
use super::route::Call;
use super::shelves::{find, page_of, set};
use super::state::{Due, State};
use super::tables::Plain;

const BODY_CHARS_MAX: usize = 1_000;

pub(crate) fn index(state: &mut State, call: &Call) -> Answered<Answer> {
    let problems = state.problems();
    let mut query = Query::new(&call.query, &problems);
    let page = query.page(&BY_CREATED, state.now, state.switches.cursor_life_seconds);
    let ticket = query.id("ticket_id");
    query.end()?;
    let keep = |row: &Plain| ticket.is_none_or(|ticket| row.get("ticket_id") == Some(&json!(ticket)));
    Ok(page_of(call, &page, &state.surveys, false, keep))
}

pub(crate) fn show(state: &mut State, call: &Call) -> Answered<Answer> {
    Ok(Answer::ok(find(&state.surveys, "Satisfaction survey", call.id(0))?))
}

/// What a request says about a survey.
struct Draft {
    ticket: u64,
    customer: u64,
    due: Option<Instant>,
    keys: Plain,
}

fn read(state: &State, call: &Call) -> Answered<Draft> {
    let problems = state.problems();
    let mut reader = Reader::body(call.json()?, &problems)?;
    let (ticket, customer) = (reader.id("ticket_id"), reader.id("customer_id"));
    let (ticket, customer) = (reader.required("ticket_id", ticket), reader.required("customer_id", customer));
    if ticket.is_some_and(|id| state.tickets.get(id).is_none()) {
        reader.problem("ticket_id", "This ticket does not exist.");
    }
    if customer.is_some_and(|id| state.customers.get(id).is_none()) {
        reader.problem("customer_id", "This customer does not exist.");
    }
    let mut keys = Plain::new();
    set(&mut keys, "score", reader.integer("score", 1..=5));
    set(&mut keys, "body_text", reader.text("body_text", 0..=BODY_CHARS_MAX));
    set(&mut keys, "meta", reader.object("meta"));
    for key in ["created_datetime", "scored_datetime", "sent_datetime"] {
        set(&mut keys, key, reader.instant(key).map(Instant::text));
    }
    let due = reader.instant("should_send_datetime");
    set(&mut keys, "should_send_datetime", due.clone().map(Instant::text));
    reader.end();
    problems.check()?;
    Ok(Draft {
        ticket: ticket.unwrap_or_default(),
        customer: customer.unwrap_or_default(),
        due: due.value(),
        keys,
    })
}

pub(crate) fn create(state: &mut State, call: &Call) -> Answered<Answer> {
    let draft = read(state, call)?;
    if state.tickets.get(draft.ticket).is_some_and(|ticket| ticket.survey.is_some()) {
        return Err(Refusal::about_field(409, "ticket_id", "This ticket already has a survey."));
    }
    let id = add_survey(state, draft.ticket, draft.customer, draft.due);
    if let Some(row) = state.surveys.get_mut(id) {
        row.extend(draft.keys);
    }
    schedule(state, id, draft.ticket, draft.customer, draft.due);
    Ok(Answer::created(find(&state.surveys, "Satisfaction survey", id)?))
}

pub(crate) fn update(state: &mut State, call: &Call) -> Answered<Answer> {
    let id = call.id(0);
    let before = find(&state.surveys, "Satisfaction survey", id)?.clone();
    let draft = read(state, call)?;
    let mut row = before;
    for key in ["score", "body_text", "meta", "scored_datetime", "sent_datetime", "should_send_datetime"] {
        set(&mut row, key, Given::<String>::Null);
    }
    row.insert("ticket_id".to_owned(), json!(draft.ticket));
    row.insert("customer_id".to_owned(), json!(draft.customer));
    row.extend(draft.keys);
    state.surveys.insert(id, row);
    schedule(state, id, draft.ticket, draft.customer, draft.due);
    Ok(Answer::accepted(find(&state.surveys, "Satisfaction survey", id)?))
}

/// A survey with `should_send_datetime` goes to the customer.
fn schedule(state: &mut State, id: u64, ticket: u64, customer: u64, due: Option<Instant>) {
    let Some(due) = due else { return };
    let entry = state.entry(codes::SURVEY_SCHEDULED, format!("survey {id}"));
    state.ledgers.outbox.push(Entry { ticket_id: Some(ticket), person_id: Some(customer), ..entry });
    state.later(due.seconds_since(state.now).max(0.0), Due::SurveySent(id));
}
