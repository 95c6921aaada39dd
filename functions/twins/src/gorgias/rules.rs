//! Endpoints of rules. A rule is paused by a `deactivated_datetime` and resumed by null (facts: rules).

use serde_json::{Value, json};

use super::answer::{Answer, Answered};
use super::clock::Instant;
use super::ledger::codes;
use super::persons::TEXT_CHARS_MAX;
use super::query::{BY_CREATED, Query};
use super::reading::{Given, Reader};
use super::route::Call;
use super::shelves::{find, page_of, plain, set};
use super::state::State;
use super::tables::{Plain, text_of};
use super::words::RULE_EVENTS;

/// Rows on a page of rules when the client names no number (facts: lists).
const LIMIT_DEFAULT: usize = 100;

pub(crate) fn index(state: &mut State, call: &Call) -> Answered<Answer> {
    let problems = state.problems();
    let mut query = Query::new(&call.query, &problems);
    let page = query.page_of(&BY_CREATED, LIMIT_DEFAULT, state.now, state.switches.cursor_life_seconds);
    query.end()?;
    Ok(page_of(call, &page, &state.rules, false, |_| true))
}

pub(crate) fn show(state: &mut State, call: &Call) -> Answered<Answer> {
    Ok(Answer::ok(find(&state.rules, "Rule", call.id(0))?))
}

fn read_into(mut reader: Reader<'_>, rule: &mut Plain, new: bool) {
    let name = reader.text("name", 1..=TEXT_CHARS_MAX);
    let code = reader.text("code", 1..=usize::MAX);
    if new {
        reader.required("name", name.clone());
        reader.required("code", code.clone());
    }
    set(rule, "name", reader.solid("name", name).map_or(Given::Absent, Given::Value));
    set(rule, "code", reader.solid("code", code).map_or(Given::Absent, Given::Value));
    set(rule, "code_ast", reader.object("code_ast"));
    set(rule, "description", reader.text("description", 0..=TEXT_CHARS_MAX));
    let events = reader.text("event_types", 0..=TEXT_CHARS_MAX);
    if let Given::Value(events) = &events {
        let known = |event: &str| RULE_EVENTS.contains(&event.trim());
        if !events.is_empty() && !events.split(',').all(known) {
            reader.problem("event_types", format!("Must be among: {}.", RULE_EVENTS.join(", ")));
        }
    }
    set(rule, "event_types", events);
    set(rule, "priority", reader.integer("priority", 0..=i64::MAX));
    set(rule, "deactivated_datetime", reader.instant("deactivated_datetime").map(Instant::text));
    reader.end();
}

/// Stores a rule under a new id.
pub(crate) fn add(state: &mut State, keys: Plain) -> u64 {
    let id = state.ids.other.next(&mut state.random);
    let priority = 1 + state
        .rules
        .iter()
        .filter_map(|(_, rule)| rule.get("priority").and_then(Value::as_i64))
        .max()
        .unwrap_or_default();
    let mut rule = plain(json!({
        "id": id, "code": "", "code_ast": { "type": "Program", "body": [], "sourceType": "script" },
        "created_datetime": state.now, "deactivated_datetime": null, "description": null, "event_types": null,
        "name": "", "priority": priority, "updated_datetime": state.now.plus_micros(4),
        "uri": format!("/api/rules/{id}/"),
    }));
    rule.extend(keys);
    state.rules.insert(id, rule);
    id
}

pub(crate) fn create(state: &mut State, call: &Call) -> Answered<Answer> {
    let problems = state.problems();
    let mut keys = Plain::new();
    read_into(Reader::body(call.json()?, &problems)?, &mut keys, true);
    problems.check()?;
    let id = add(state, keys);
    state.log("rule-created", "Rule", id);
    Ok(Answer::created(find(&state.rules, "Rule", id)?))
}

pub(crate) fn update(state: &mut State, call: &Call) -> Answered<Answer> {
    let id = call.id(0);
    let mut rule = find(&state.rules, "Rule", id)?.clone();
    let problems = state.problems();
    read_into(Reader::body(call.json()?, &problems)?, &mut rule, false);
    problems.check()?;
    rule.insert("updated_datetime".to_owned(), json!(state.now));
    state.rules.insert(id, rule);
    state.log("rule-updated", "Rule", id);
    Ok(Answer::accepted(find(&state.rules, "Rule", id)?))
}

pub(crate) fn destroy(state: &mut State, call: &Call) -> Answered<Answer> {
    let id = call.id(0);
    let created = text_of(find(&state.rules, "Rule", id)?, "created_datetime").to_owned();
    // Rules made before the first request are the account's own.
    if created == state.started.text() {
        let entry = state.entry(codes::FOREIGN_RECORD, format!("rule {id}"));
        state.violation(entry);
    }
    state.rules.remove(id);
    state.log("rule-deleted", "Rule", id);
    Ok(Answer::deleted())
}

pub(crate) fn set_priorities(state: &mut State, call: &Call) -> Answered<Answer> {
    let problems = state.problems();
    let mut reader = Reader::body(call.json()?, &problems)?;
    let rows = reader.list("priorities");
    let rows = reader.required("priorities", rows).unwrap_or_default();
    reader.end();
    let mut changes = Vec::with_capacity(rows.len());
    for (position, row) in rows.into_iter().enumerate() {
        let Some(mut nested) = Reader::nested(row, format!("priorities.{position}"), &problems) else {
            continue;
        };
        let (id, priority) = (nested.id("id"), nested.integer("priority", 0..=i64::MAX));
        let (id, priority) = (nested.required("id", id), nested.required("priority", priority));
        if id.is_some_and(|id| state.rules.get(id).is_none()) {
            nested.problem("id", "This rule does not exist.");
        }
        nested.end();
        changes.extend(id.zip(priority));
    }
    problems.check()?;
    for (id, priority) in changes {
        if let Some(rule) = state.rules.get_mut(id) {
            rule.insert("priority".to_owned(), json!(priority));
        }
        state.log("rule-updated", "Rule", id);
    }
    Ok(Answer::empty(201))
}
