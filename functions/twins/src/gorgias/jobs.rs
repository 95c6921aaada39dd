//! Endpoints of jobs, the only bulk mechanism of the API, and carrying them out.
//!
//! A job runs one account second after it was asked for, or when it was scheduled. Deliberately absent: importing
//! and drill-down exports; those jobs end in `errored`.

use serde_json::{Value, json};

use super::answer::{Answer, Answered};
use super::clock::Instant;
use super::effects::ticket_updated;
use super::ledger::{Entry, codes};
use super::model::Origin;
use super::persons::TEXT_CHARS_MAX;
use super::query::{BY_CREATED, Query};
use super::reading::{Given, Problems, Reader};
use super::route::Call;
use super::shelves::{find, page_of, plain, set};
use super::state::{Actor, Due, State};
use super::tables::{Plain, text_of};
use super::ticket_draft::{TagRef, set_tags};
use super::tickets::{apply_update, read_update, remove_ticket};
use super::views::filter_of;
use super::words::{JOB_STATUSES, JOB_TYPES};

/// Most tickets that one job names. Not documented.
const TICKETS_MAX: usize = 100;
/// How far ahead a job may be scheduled (facts: jobs).
const AHEAD_SECONDS_MAX: f64 = 3_600.0;
const START_SECONDS: f64 = 1.0;

pub(crate) fn index(state: &mut State, call: &Call) -> Answered<Answer> {
    let problems = state.problems();
    let mut query = Query::new(&call.query, &problems);
    let page = query.page(&BY_CREATED, state.now, state.switches.cursor_life_seconds);
    let (status, kind) = (query.word("status", &JOB_STATUSES), query.word("type", &JOB_TYPES));
    query.end()?;
    let keep = |row: &Plain| {
        status.is_none_or(|status| text_of(row, "status") == status)
            && kind.is_none_or(|kind| text_of(row, "type") == kind)
    };
    Ok(page_of(call, &page, &state.jobs, false, keep))
}

pub(crate) fn show(state: &mut State, call: &Call) -> Answered<Answer> {
    Ok(Answer::ok(find(&state.jobs, "Job", call.id(0))?))
}

/// Checks `params` and returns it as it came.
fn read_params(state: &State, reader: &mut Reader<'_>, kind: &str, problems: &Problems) -> Given<Value> {
    let params = reader.object("params");
    let Given::Value(value) = &params else { return params };
    let Some(mut nested) = Reader::nested(value.clone(), reader.path("params"), problems) else {
        return params;
    };
    let ids = nested.ids("ticket_ids", TICKETS_MAX);
    let view = nested.id("view_id").value();
    if view.is_some_and(|id| state.views.get(id).is_none()) {
        nested.problem("view_id", "This view does not exist.");
    }
    if ["deleteTicket", "updateTicket", "applyMacro"].contains(&kind) && ids.is_absent() && view.is_none() {
        nested.problem("ticket_ids", "Either ticket_ids or view_id is required.");
    }
    let updates = nested.object("updates");
    if kind == "updateTicket" {
        nested.required("updates", updates);
    }
    let named = nested.id("macro_id");
    if kind == "applyMacro" {
        let named = nested.required("macro_id", named);
        if named.is_some_and(|id| state.macros.get(id).is_none()) {
            nested.problem("macro_id", "This macro does not exist.");
        }
    }
    nested.object("view");
    nested.object("context");
    nested.boolean("apply_and_close");
    nested.instant("start_datetime");
    nested.instant("end_datetime");
    nested.text("url", 0..=TEXT_CHARS_MAX);
    nested.end();
    params
}

fn read_schedule(state: &State, reader: &mut Reader<'_>) -> Given<Instant> {
    let scheduled = reader.instant("scheduled_datetime");
    if matches!(scheduled, Given::Value(at) if at > state.now.plus_seconds(AHEAD_SECONDS_MAX)) {
        reader.problem("scheduled_datetime", "No more than 60 minutes ahead.");
    }
    scheduled
}

pub(crate) fn create(state: &mut State, call: &Call) -> Answered<Answer> {
    let problems = state.problems();
    let mut reader = Reader::body(call.json()?, &problems)?;
    let kind = reader.word("type", &JOB_TYPES);
    let kind = reader.required("type", kind).unwrap_or_default();
    let params = read_params(state, &mut reader, kind, &problems);
    let params = reader.required("params", params);
    let scheduled = read_schedule(state, &mut reader).value();
    let meta = reader.object("meta").value();
    reader.end();
    problems.check()?;
    let id = state.ids.other.next(&mut state.random);
    let status = if scheduled.is_some() { "scheduled" } else { "pending" };
    state.jobs.insert(
        id,
        plain(json!({
            "id": id, "type": kind, "status": status, "params": params, "meta": meta, "info": {},
            "created_datetime": state.now, "scheduled_datetime": scheduled, "started_datetime": null,
            "ended_datetime": null, "failed_datetime": null, "locked_datetime": null, "cancelled_datetime": null,
            "cancel_requested_datetime": null, "user_id": state.actor.user, "uri": format!("/api/jobs/{id}/"),
        })),
    );
    let wait = scheduled.map_or(START_SECONDS, |at| at.seconds_since(state.now).max(0.0));
    state.later(wait, Due::JobRun(id));
    Ok(Answer::created(find(&state.jobs, "Job", id)?))
}

pub(crate) fn update(state: &mut State, call: &Call) -> Answered<Answer> {
    let id = call.id(0);
    let mut row = find(&state.jobs, "Job", id)?.clone();
    let kind = text_of(&row, "type").to_owned();
    let problems = state.problems();
    let mut reader = Reader::body(call.json()?, &problems)?;
    set(&mut row, "meta", reader.object("meta"));
    set(&mut row, "params", read_params(state, &mut reader, &kind, &problems));
    let scheduled = read_schedule(state, &mut reader);
    set(&mut row, "scheduled_datetime", scheduled.clone().map(Instant::text));
    set(&mut row, "status", reader.word("status", &JOB_STATUSES));
    reader.end();
    problems.check()?;
    if let Given::Value(at) = scheduled {
        state.later(at.seconds_since(state.now).max(0.0), Due::JobRun(id));
    }
    state.jobs.insert(id, row);
    Ok(Answer::accepted(find(&state.jobs, "Job", id)?))
}

/// Cancels what has not run yet; done work is not taken back (facts: jobs).
pub(crate) fn cancel(state: &mut State, call: &Call) -> Answered<Answer> {
    let id = call.id(0);
    find(&state.jobs, "Job", id)?;
    let now = json!(state.now);
    if let Some(row) = state.jobs.get_mut(id)
        && ["pending", "scheduled"].contains(&text_of(row, "status"))
    {
        row.insert("status".to_owned(), "canceled".into());
        row.insert("cancel_requested_datetime".to_owned(), now.clone());
        row.insert("cancelled_datetime".to_owned(), now);
    }
    Ok(Answer::deleted())
}

/// Carries out a job that is due.
pub(crate) fn run(state: &mut State, id: u64) {
    let Some(row) = state.jobs.get(id).cloned() else { return };
    let due = row.get("scheduled_datetime").and_then(Value::as_str).and_then(Instant::parse);
    let waiting = ["pending", "scheduled"].contains(&text_of(&row, "status"));
    if !waiting || due.is_some_and(|due| due > state.now) {
        return;
    }
    let user = row.get("user_id").and_then(Value::as_u64).unwrap_or(state.owner);
    let caller = std::mem::replace(&mut state.actor, Actor { user, origin: Origin::Client });
    let params = row.get("params").cloned().unwrap_or_default();
    let tickets = tickets_of(state, &params);
    let done = match text_of(&row, "type") {
        "deleteTicket" => each(&tickets, |ticket| delete(state, ticket)),
        "updateTicket" => each(&tickets, |ticket| change(state, ticket, &params["updates"])),
        "applyMacro" => each(&tickets, |ticket| apply_macro(state, ticket, &params)),
        "exportTicket" | "exportMacro" => true,
        _ => false,
    };
    state.actor = caller;
    let now = json!(state.now);
    if let Some(row) = state.jobs.get_mut(id) {
        row.insert("started_datetime".to_owned(), now.clone());
        row.insert("ended_datetime".to_owned(), now.clone());
        row.insert("status".to_owned(), if done { "done" } else { "errored" }.into());
        row.insert("info".to_owned(), json!({ "tickets": tickets.len() }));
        if !done {
            row.insert("failed_datetime".to_owned(), now);
        }
    }
}

/// Works on every ticket, also after one that failed; true when none did.
fn each(tickets: &[u64], mut work: impl FnMut(u64) -> bool) -> bool {
    let mut done = true;
    for ticket in tickets {
        done &= work(*ticket);
    }
    done
}

fn tickets_of(state: &State, params: &Value) -> Vec<u64> {
    if let Some(ids) = params["ticket_ids"].as_array() {
        return ids.iter().filter_map(Value::as_u64).collect();
    }
    let filter = params["view_id"].as_u64().and_then(|view| filter_of(state, view).ok());
    let holds = |ticket: &&super::model::Ticket| {
        filter.as_ref().is_some_and(|filter| filter.holds(state, ticket) == Some(true))
    };
    state.tickets.iter().filter(holds).map(|ticket| ticket.id).collect()
}

fn delete(state: &mut State, ticket: u64) -> bool {
    let Some(row) = state.tickets.get(ticket) else { return false };
    if row.origin != Origin::Client {
        let entry = state.entry(codes::FOREIGN_RECORD, "ticket deleted by job");
        state.violation(Entry { ticket_id: Some(ticket), ..entry });
    }
    remove_ticket(state, ticket);
    true
}

fn change(state: &mut State, ticket: u64, updates: &Value) -> bool {
    if state.tickets.get(ticket).is_none() {
        return false;
    }
    let problems = state.problems();
    let draft =
        Reader::body(updates.clone(), &problems).and_then(|reader| read_update(state, ticket, reader));
    match draft {
        Ok(draft) => {
            apply_update(state, ticket, draft);
            true
        }
        Err(_) => false,
    }
}

/// Tags and statuses of a macro; an action of another kind makes the job fail.
fn apply_macro(state: &mut State, id: u64, params: &Value) -> bool {
    let row = params["macro_id"].as_u64().and_then(|id| state.macros.get(id));
    let actions =
        row.and_then(|row| row.get("actions")).and_then(Value::as_array).cloned().unwrap_or_default();
    let Some(mut ticket) = state.tickets.remove(id) else { return false };
    let mut understood = true;
    for action in &actions {
        let arguments = &action["arguments"];
        match action["name"].as_str().unwrap_or_default() {
            "addTags" => {
                let names = arguments["tags"].as_str().unwrap_or_default().split(',');
                let mut tags: Vec<TagRef> = ticket.tags.iter().copied().map(TagRef::Known).collect();
                tags.extend(
                    names.filter_map(|name| state.tags.named(name.trim())).map(|tag| TagRef::Known(tag.id)),
                );
                set_tags(state, &mut ticket, tags);
            }
            "setStatus" => {
                let open = arguments["status"] == "open";
                ticket.status = if open { "open" } else { "closed" };
                ticket.times.closed = if open { None } else { ticket.times.closed.or(Some(state.now)) };
            }
            _ => understood = false,
        }
    }
    if params["apply_and_close"] == true {
        ticket.status = "closed";
        ticket.times.closed = ticket.times.closed.or(Some(state.now));
    }
    ticket.times.updated = state.now;
    state.tickets.insert(ticket);
    ticket_updated(state, id);
    understood
}
