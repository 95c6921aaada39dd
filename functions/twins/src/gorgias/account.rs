//! Endpoints of the account and its settings.

use serde_json::{Value, json};

use super::answer::{Answer, Answered, Refusal};
use super::query::Query;
use super::reading::{Given, Reader};
use super::route::Call;
use super::shelves::{find, plain, set};
use super::state::State;
use super::tables::{Plain, text_of};

/// Types of settings (facts: account and settings).
const SETTING_TYPES: [&str; 14] = [
    "satisfaction-surveys",
    "auto-merge",
    "auto-split",
    "ticket-assignment",
    "business-hours",
    "access",
    "views-ordering",
    "views-visibility",
    "default-integration",
    "limits",
    "agents-table-config",
    "in-ticket-suggestion",
    "agent-costs",
    "tickets-table-config",
];

pub(crate) fn show(state: &mut State, call: &Call) -> Answered<Answer> {
    let problems = state.problems();
    Query::new(&call.query, &problems).end()?;
    let settings: Vec<&Plain> = state.settings.iter().map(|(_, setting)| setting).collect();
    Ok(Answer::ok(&json!({
        "domain": state.domain, "created_datetime": state.started, "deactivated_datetime": null,
        "status": { "status": "active" }, "settings": settings, "meta": {},
        "current_subscription": { "plan": null, "status": "active", "start_datetime": state.started },
    })))
}

pub(crate) fn settings(state: &mut State, call: &Call) -> Answered<Answer> {
    let problems = state.problems();
    let mut query = Query::new(&call.query, &problems);
    let kind = query.text("type");
    query.end()?;
    let rows: Vec<&Plain> = state
        .settings
        .iter()
        .map(|(_, setting)| setting)
        .filter(|setting| kind.as_deref().is_none_or(|kind| text_of(setting, "type") == kind))
        .collect();
    Ok(Answer::ok(&json!({ "data": rows })))
}

/// Reads `{type, data, name?}`.
fn read(reader: &mut Reader<'_>) -> (Option<&'static str>, Given<Value>) {
    let kind = reader.word("type", &SETTING_TYPES);
    let kind = reader.required("type", kind);
    reader.text("name", 0..=255);
    (kind, reader.object("data"))
}

/// Stores a setting under a new id.
pub(crate) fn add(state: &mut State, kind: &str, data: &Value) -> u64 {
    let id = state.ids.other.next(&mut state.random);
    state.settings.insert(id, plain(json!({ "id": id, "type": kind, "data": data })));
    id
}

pub(crate) fn create_setting(state: &mut State, call: &Call) -> Answered<Answer> {
    let problems = state.problems();
    let mut reader = Reader::body(call.json()?, &problems)?;
    let (kind, data) = read(&mut reader);
    reader.end();
    let kind = kind.unwrap_or_default();
    if state.settings.iter().any(|(_, setting)| text_of(setting, "type") == kind) {
        problems.add("type", "This setting exists; change it by its id.");
    }
    problems.check()?;
    let id = add(state, kind, &data.value().unwrap_or(Value::Null));
    state.log("account-setting-created", "AccountSetting", id);
    Ok(Answer::created(find(&state.settings, "Setting", id)?))
}

/// Replaces the whole `data` of a setting.
pub(crate) fn update_setting(state: &mut State, call: &Call) -> Answered<Answer> {
    let id = call.id(0);
    let mut setting = find(&state.settings, "Setting", id)?.clone();
    let problems = state.problems();
    let mut reader = Reader::body(call.json()?, &problems)?;
    let (kind, data) = read(&mut reader);
    if kind.is_some_and(|kind| kind != text_of(&setting, "type")) {
        reader.problem("type", "Differs from the stored type.");
    }
    reader.end();
    problems.check()?;
    if data.is_absent() {
        return Err(Refusal::bad_field("data", "Missing data for required field."));
    }
    set(&mut setting, "data", data);
    state.settings.insert(id, setting);
    state.log("account-setting-updated", "AccountSetting", id);
    Ok(Answer::accepted(find(&state.settings, "Setting", id)?))
}
