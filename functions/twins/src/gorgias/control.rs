//! The control endpoints below `/__twin/`: state, ledgers, request counts, faults, edits.
//!
//! They need no credentials and take nothing from the bucket: a twin serves loopback only.

use serde_json::{Value, json};

use super::answer::{Answer, Answered, Refusal};
use super::edit::Edit;
use super::events::EventShape;
use super::shapes::{CustomerShape, CustomerView, FieldShape, TagShape, TeamShape, UserShape};
use super::state::State;
use super::tables::{Plain, Shelf};
use super::ticket_shapes::TicketShape;
use super::twin::Twin;

/// Path prefix of the control endpoints.
pub(crate) const PREFIX: &str = "/__twin/";

/// Answers a control request; `name` is the path after the prefix.
pub(crate) fn answer(twin: &Twin, method: &str, name: &str, body: &[u8]) -> Answered<Answer> {
    match (method, name) {
        ("GET", "state") => Ok(Answer::ok(&twin.dump())),
        ("GET", "ledgers") => {
            let ledgers = twin.ledgers();
            Ok(Answer::ok(&json!({ "counts": ledgers.counts(), "ledgers": ledgers })))
        }
        ("GET", "requests") => {
            let rows: Vec<Value> = twin
                .requests()
                .into_iter()
                .map(|((route, status), count)| json!({ "route": route, "status": status, "count": count }))
                .collect();
            Ok(Answer::ok(&json!({ "requests": rows, "responses_429": twin.responses_429() })))
        }
        ("GET", "faults") => Ok(Answer::ok(&twin.faults())),
        ("PUT" | "POST", "faults") => {
            twin.set_faults(read(body)?);
            Ok(Answer::ok(&twin.faults()))
        }
        ("DELETE", "faults") => {
            twin.set_faults(Vec::new());
            Ok(Answer::deleted())
        }
        ("POST", "edit") => {
            let edit: Edit = read(body)?;
            let outcome = twin.edit(|editor| editor.apply(edit));
            outcome.map(|done| Answer::ok(&done)).map_err(|error| Refusal::bad_request(error.to_string()))
        }
        _ => Err(Refusal::new(404, "Control endpoints are state, ledgers, requests, faults and edit.")),
    }
}

fn read<T: serde::de::DeserializeOwned>(body: &[u8]) -> Answered<T> {
    serde_json::from_slice(body).map_err(|error| Refusal::bad_request(error.to_string()))
}

/// The whole account as JSON, every table in the order of ids.
pub(crate) fn dump(state: &State) -> Value {
    let shelf = |shelf: &Shelf| -> Vec<Plain> { shelf.iter().map(|(_, row)| row.clone()).collect() };
    let domain = &state.domain;
    json!({
        "users": state.users.values().map(|user| UserShape { user, domain }).map(value).collect::<Vec<_>>(),
        "customers": state.customers.iter()
            .map(|customer| value(CustomerShape { customer, view: CustomerView::Single })).collect::<Vec<_>>(),
        "teams": state.teams.values().map(|team| value(TeamShape { state, team })).collect::<Vec<_>>(),
        "tags": state.tags.iter().map(|tag| value(TagShape(tag))).collect::<Vec<_>>(),
        "custom_fields": state.fields.values().map(|field| value(FieldShape(field))).collect::<Vec<_>>(),
        "tickets": state.tickets.iter()
            .map(|ticket| value(TicketShape { state, ticket, whole: true })).collect::<Vec<_>>(),
        "rules": shelf(&state.rules),
        "integrations": shelf(&state.integrations),
        "views": shelf(&state.views),
        "macros": shelf(&state.macros),
        "jobs": shelf(&state.jobs),
        "satisfaction_surveys": shelf(&state.surveys),
        "settings": shelf(&state.settings),
        "events": state.events.iter().map(|(id, event)| value(EventShape { id, event })).collect::<Vec<_>>(),
        "uploads": state.uploads.iter()
            .map(|(path, file)| json!({ "path": path, "size": file.bytes.len() })).collect::<Vec<_>>(),
    })
}

fn value(shape: impl serde::Serialize) -> Value {
    serde_json::to_value(shape).expect("records are maps with text keys, which JSON can hold")
}
