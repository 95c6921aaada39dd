//! Endpoints of integrations. HTTP integrations are webhooks; a `deactivated_datetime` pauses one.

use serde_json::{Value, json};

use super::answer::{Answer, Answered, Refusal};
use super::clock::Instant;
use super::ledger::codes;
use super::persons::TEXT_CHARS_MAX;
use super::query::{BY_CREATED, Query};
use super::reading::{Given, Problems, Reader};
use super::route::Call;
use super::shelves::{find, page_of, plain, set};
use super::state::State;
use super::tables::{Plain, text_of};
use super::words::WEBHOOK_TRIGGERS;

const METHODS: [&str; 6] = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"];
const CONTENT_TYPES: [&str; 2] = ["application/json", "application/x-www-form-urlencoded"];

pub(crate) fn index(state: &mut State, call: &Call) -> Answered<Answer> {
    let problems = state.problems();
    let mut query = Query::new(&call.query, &problems);
    let page = query.page(&BY_CREATED, state.now, state.switches.cursor_life_seconds);
    let kind = query.text("type");
    query.end()?;
    let keep = |row: &Plain| kind.as_deref().is_none_or(|kind| text_of(row, "type") == kind);
    Ok(page_of(call, &page, &state.integrations, false, keep))
}

pub(crate) fn show(state: &mut State, call: &Call) -> Answered<Answer> {
    Ok(Answer::ok(find(&state.integrations, "Integration", call.id(0))?))
}

fn read_into(mut reader: Reader<'_>, row: &mut Plain, new: bool, problems: &Problems) {
    let name = reader.text("name", 1..=TEXT_CHARS_MAX);
    if new {
        reader.required("name", name.clone());
    }
    set(row, "name", reader.solid("name", name).map_or(Given::Absent, Given::Value));
    set(row, "description", reader.text("description", 0..=TEXT_CHARS_MAX));
    set(row, "deactivated_datetime", reader.instant("deactivated_datetime").map(Instant::text));
    reader.word("type", &["http"]);
    let http = reader.object("http");
    if new {
        reader.required("http", http.clone());
    }
    if let Some(mut nested) = http.value().and_then(|http| Reader::nested(http, "http".to_owned(), problems))
    {
        let mut kept = row.get("http").and_then(Value::as_object).cloned().unwrap_or_default();
        let url = nested.text("url", 1..=TEXT_CHARS_MAX);
        if let Some(url) = nested.required("url", url) {
            kept.insert("url".to_owned(), url.into());
        }
        set(&mut kept, "method", nested.word("method", &METHODS));
        set(&mut kept, "request_content_type", nested.word("request_content_type", &CONTENT_TYPES));
        set(&mut kept, "response_content_type", nested.word("response_content_type", &CONTENT_TYPES));
        set(&mut kept, "form", nested.object("form"));
        set(&mut kept, "headers", nested.object("headers"));
        // Written only; no answer shows it.
        nested.text("hmac_secret", 0..=TEXT_CHARS_MAX);
        if let Given::Value(triggers) = nested.object("triggers")
            && let Some(mut flags) = Reader::nested(triggers.clone(), nested.path("triggers"), problems)
        {
            for trigger in WEBHOOK_TRIGGERS {
                flags.boolean(trigger);
            }
            flags.end();
            kept.insert("triggers".to_owned(), triggers);
        }
        nested.end();
        row.insert("http".to_owned(), Value::Object(kept));
    }
    reader.end();
}

/// Stores an integration under a new id.
pub(crate) fn add(state: &mut State, kind: &str, keys: Plain) -> u64 {
    let id = state.ids.other.next(&mut state.random);
    let mut row = plain(json!({
        "id": id, "created_datetime": state.now, "deactivated_datetime": null, "decoration": null,
        "description": null, "http": null, "locked_datetime": null, "meta": {}, "name": "", "type": kind,
        "updated_datetime": state.now, "user": { "id": state.actor.user }, "uri": format!("/api/integrations/{id}/"),
        "application_id": null, "managed": false, "business_hours_id": null,
    }));
    row.extend(keys);
    state.integrations.insert(id, row);
    id
}

pub(crate) fn create(state: &mut State, call: &Call) -> Answered<Answer> {
    let problems = state.problems();
    let mut keys = Plain::new();
    read_into(Reader::body(call.json()?, &problems)?, &mut keys, true, &problems);
    problems.check()?;
    let id = add(state, "http", keys);
    state.log("integration-created", "Integration", id);
    Ok(Answer::created(find(&state.integrations, "Integration", id)?))
}

pub(crate) fn update(state: &mut State, call: &Call) -> Answered<Answer> {
    let id = call.id(0);
    let mut row = find(&state.integrations, "Integration", id)?.clone();
    if text_of(&row, "type") != "http" {
        return Err(Refusal::bad_request("Only HTTP integrations can be changed."));
    }
    let problems = state.problems();
    read_into(Reader::body(call.json()?, &problems)?, &mut row, false, &problems);
    problems.check()?;
    row.insert("updated_datetime".to_owned(), json!(state.now));
    state.integrations.insert(id, row);
    state.log("integration-updated", "Integration", id);
    Ok(Answer::accepted(find(&state.integrations, "Integration", id)?))
}

pub(crate) fn destroy(state: &mut State, call: &Call) -> Answered<Answer> {
    let id = call.id(0);
    let row = find(&state.integrations, "Integration", id)?;
    if text_of(row, "created_datetime") == state.started.text() {
        let entry = state.entry(codes::FOREIGN_RECORD, format!("integration {id}"));
        state.violation(entry);
    }
    state.integrations.remove(id);
    state.log("integration-deleted", "Integration", id);
    Ok(Answer::deleted())
}
