//! Endpoints of the voice add-on and of widgets: readable and empty.
//!
//! A call record cannot be created (facts: voice), so a twin never has one.

use super::answer::{Answer, Answered, Refusal};
use super::query::{BY_CREATED, Query};
use super::route::Call;
use super::shapes::list;
use super::state::State;

fn nothing(state: &State, call: &Call, filters: &[&str]) -> Answered<Answer> {
    let problems = state.problems();
    let mut query = Query::new(&call.query, &problems);
    let page = query.page(&BY_CREATED, state.now, state.switches.cursor_life_seconds);
    for filter in filters {
        query.text(filter);
    }
    query.end()?;
    let slice = page.of_rows(Vec::new());
    Ok(Answer::ok(&list(call, &slice, Vec::<u64>::new(), false)))
}

pub(crate) fn calls(state: &mut State, call: &Call) -> Answered<Answer> {
    nothing(state, call, &["ticket_id"])
}

pub(crate) fn call_events(state: &mut State, call: &Call) -> Answered<Answer> {
    nothing(state, call, &["call_id"])
}

pub(crate) fn recordings(state: &mut State, call: &Call) -> Answered<Answer> {
    nothing(state, call, &["call_id"])
}

pub(crate) fn widgets(state: &mut State, call: &Call) -> Answered<Answer> {
    nothing(state, call, &["integration_id", "app_id"])
}

pub(crate) fn missing(_: &mut State, call: &Call) -> Answered<Answer> {
    Err(Refusal::not_found("Record", call.id(0)))
}
