//! Endpoints of macros.

use serde_json::{Value, json};

use super::answer::{Answer, Answered};
use super::persons::{TEXT_CHARS_MAX, read_language};
use super::query::{Order, Query, order};
use super::reading::{Given, Reader};
use super::route::Call;
use super::shelves::{find, page_of, plain, set};
use super::state::State;
use super::tables::{Plain, is_null, text_of};

const ORDERS: [Order; 2] = [order("created_datetime:desc"), order("created_datetime:asc")];
/// Most macros that one request archives (facts: macros).
const BULK_MAX: usize = 30;

pub(crate) fn index(state: &mut State, call: &Call) -> Answered<Answer> {
    let problems = state.problems();
    let mut query = Query::new(&call.query, &problems);
    let page = query.page(&ORDERS, state.now, state.switches.cursor_life_seconds);
    let search = query.text("search").map(|text| text.to_lowercase());
    let archived = query.boolean("archived").unwrap_or(false);
    query.end()?;
    let keep = |row: &Plain| {
        is_null(row, "archived_datetime") != archived
            && search.as_deref().is_none_or(|text| text_of(row, "name").to_lowercase().contains(text))
    };
    Ok(page_of(call, &page, &state.macros, false, keep))
}

pub(crate) fn show(state: &mut State, call: &Call) -> Answered<Answer> {
    Ok(Answer::ok(find(&state.macros, "Macro", call.id(0))?))
}

fn read_into(mut reader: Reader<'_>, row: &mut Plain, new: bool) {
    let name = reader.text("name", 1..=TEXT_CHARS_MAX);
    if new {
        reader.required("name", name.clone());
    }
    set(row, "name", reader.solid("name", name).map_or(Given::Absent, Given::Value));
    set(row, "actions", reader.list("actions"));
    set(row, "external_id", reader.text("external_id", 0..=255));
    set(row, "intent", reader.text("intent", 0..=255));
    set(row, "language", read_language(&mut reader, "language"));
    reader.end();
}

pub(crate) fn create(state: &mut State, call: &Call) -> Answered<Answer> {
    let problems = state.problems();
    let id = state.ids.other.next(&mut state.random);
    let mut row = plain(json!({
        "id": id, "external_id": null, "name": "", "intent": null, "language": null, "usage": 0, "actions": [],
        "created_datetime": state.now, "updated_datetime": null, "archived_datetime": null,
        "uri": format!("/api/macros/{id}/"),
    }));
    read_into(Reader::body(call.json()?, &problems)?, &mut row, true);
    problems.check()?;
    state.macros.insert(id, row);
    state.log("macro-created", "Macro", id);
    Ok(Answer::created(find(&state.macros, "Macro", id)?))
}

pub(crate) fn update(state: &mut State, call: &Call) -> Answered<Answer> {
    let id = call.id(0);
    let mut row = find(&state.macros, "Macro", id)?.clone();
    let problems = state.problems();
    read_into(Reader::body(call.json()?, &problems)?, &mut row, false);
    problems.check()?;
    row.insert("updated_datetime".to_owned(), json!(state.now));
    state.macros.insert(id, row);
    state.log("macro-updated", "Macro", id);
    Ok(Answer::accepted(find(&state.macros, "Macro", id)?))
}

pub(crate) fn destroy(state: &mut State, call: &Call) -> Answered<Answer> {
    let id = call.id(0);
    find(&state.macros, "Macro", id)?;
    state.macros.remove(id);
    state.log("macro-deleted", "Macro", id);
    Ok(Answer::deleted())
}

pub(crate) fn archive(state: &mut State, call: &Call) -> Answered<Answer> {
    let now = json!(state.now);
    set_archived(state, call, &now)
}

pub(crate) fn unarchive(state: &mut State, call: &Call) -> Answered<Answer> {
    set_archived(state, call, &Value::Null)
}

fn set_archived(state: &mut State, call: &Call, instant: &Value) -> Answered<Answer> {
    let problems = state.problems();
    let mut reader = Reader::body(call.json()?, &problems)?;
    let ids = reader.ids("ids", BULK_MAX);
    let ids = reader.required("ids", ids).unwrap_or_default();
    reader.end();
    problems.check()?;
    for id in &ids {
        find(&state.macros, "Macro", *id)?;
    }
    for id in &ids {
        if let Some(row) = state.macros.get_mut(*id) {
            row.insert("archived_datetime".to_owned(), instant.clone());
        }
    }
    let rows: Vec<&Plain> = ids.iter().filter_map(|id| state.macros.get(*id)).collect();
    Ok(Answer::accepted(&json!({ "data": rows })))
}
