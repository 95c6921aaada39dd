//! Endpoints below one ticket: tags and custom values.

use serde_json::{Value, json};

use super::answer::{Answer, Answered, Refusal};
use super::effects::ticket_updated;
use super::model::{ObjectType, Values};
use super::query::Query;
use super::reading::Reader;
use super::route::Call;
use super::shapes::{FieldValueShape, TagShape, ValueListShape};
use super::state::State;
use super::ticket_draft::{TagRef, check_managed, set_tags as replace_tags};
use super::tickets::find;
use super::values::{after_put, put, read_single, read_values};

/// Most tags in one request. Not documented.
const TAGS_MAX: usize = 100;

pub(crate) fn tags(state: &mut State, call: &Call) -> Answered<Answer> {
    let problems = state.problems();
    Query::new(&call.query, &problems).end()?;
    let ticket = find(state, call.id(0))?;
    let rows: Vec<_> = ticket.tags.iter().filter_map(|id| state.tags.get(*id)).map(TagShape).collect();
    Ok(Answer::ok(&json!({ "data": rows })))
}

/// Reads `{"ids": […]}` or `{"names": […]}`; every tag must exist.
fn read_tags(state: &State, call: &Call) -> Answered<Vec<u64>> {
    let problems = state.problems();
    let mut reader = Reader::body(call.json()?, &problems)?;
    let ids = reader.ids("ids", TAGS_MAX).value();
    let names = reader.texts("names").value();
    if ids.is_none() && names.is_none() {
        problems.add("ids", "Either ids or names is required.");
    }
    let mut tags = ids.unwrap_or_default();
    if tags.iter().any(|id| state.tags.get(*id).is_none()) {
        problems.add("ids", "A tag does not exist.");
    }
    for name in names.unwrap_or_default() {
        match state.tags.named(&name) {
            Some(tag) => tags.push(tag.id),
            None => problems.add("names", "A tag does not exist."),
        }
    }
    reader.end();
    problems.check()?;
    Ok(tags)
}

fn store_tags(state: &mut State, id: u64, tags: Vec<u64>) {
    let Some(mut ticket) = state.tickets.remove(id) else { return };
    replace_tags(state, &mut ticket, tags.into_iter().map(TagRef::Known).collect());
    ticket.times.updated = state.now;
    state.tickets.insert(ticket);
    state.log("ticket-tags-added", "Ticket", id);
    ticket_updated(state, id);
}

pub(crate) fn add_tags(state: &mut State, call: &Call) -> Answered<Answer> {
    let id = call.id(0);
    let mut tags = find(state, id)?.tags.clone();
    tags.extend(read_tags(state, call)?);
    store_tags(state, id, tags);
    Ok(Answer::empty(201))
}

pub(crate) fn set_tags(state: &mut State, call: &Call) -> Answered<Answer> {
    let id = call.id(0);
    find(state, id)?;
    let tags = read_tags(state, call)?;
    store_tags(state, id, tags);
    Ok(Answer::empty(202))
}

pub(crate) fn remove_tags(state: &mut State, call: &Call) -> Answered<Answer> {
    let id = call.id(0);
    let mut tags = find(state, id)?.tags.clone();
    let removed = read_tags(state, call)?;
    tags.retain(|tag| !removed.contains(tag));
    store_tags(state, id, tags);
    Ok(Answer::deleted())
}

pub(crate) fn values(state: &mut State, call: &Call) -> Answered<Answer> {
    let problems = state.problems();
    Query::new(&call.query, &problems).end()?;
    answer(state, call.id(0), 200)
}

fn answer(state: &State, id: u64, status: u16) -> Answered<Answer> {
    let shape = ValueListShape { state, values: &find(state, id)?.values };
    Ok(Answer::json(status, &json!({ "data": shape })))
}

fn store_values(state: &mut State, id: u64, values: Values) {
    let now = state.now;
    state.tickets.change(id, |ticket| {
        ticket.values = values;
        ticket.times.updated = now;
    });
    ticket_updated(state, id);
}

pub(crate) fn set_values(state: &mut State, call: &Call) -> Answered<Answer> {
    let id = call.id(0);
    find(state, id)?;
    let Ok(rows) = serde_json::from_value(call.json()?) else {
        return Err(Refusal::bad_request("The body must be a list of custom values."));
    };
    let problems = state.problems();
    let new = read_values(state, ObjectType::Ticket, rows, "custom_fields", &problems);
    let old = &find(state, id)?.values;
    let after = after_put(state, old, new);
    check_managed(state, old, &after, &problems);
    problems.check()?;
    store_values(state, id, after);
    answer(state, id, 202)
}

pub(crate) fn set_value(state: &mut State, call: &Call) -> Answered<Answer> {
    let (id, field) = (call.id(0), call.id(1));
    let mut after = find(state, id)?.values.clone();
    let value = read_single(state, call, ObjectType::Ticket, field)?;
    put(&mut after, field, value.clone());
    store_values(state, id, after);
    let field = state.fields.get(&field).ok_or_else(|| Refusal::not_found("Custom field", field))?;
    Ok(Answer::accepted(&FieldValueShape { field, value: &value }))
}

pub(crate) fn remove_value(state: &mut State, call: &Call) -> Answered<Answer> {
    let (id, field) = (call.id(0), call.id(1));
    let mut after = find(state, id)?.values.clone();
    if !after.iter().any(|(found, _)| *found == field) {
        return Err(Refusal::not_found("Custom field value", field));
    }
    put(&mut after, field, Value::Null);
    store_values(state, id, after);
    Ok(Answer::deleted())
}
