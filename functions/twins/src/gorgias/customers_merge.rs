//! Merging two customers: the source is gone afterwards, and its address answers with a redirect to the target.

use super::answer::{Answer, Answered, Refusal};
use super::customers::{commit, find, read_update};
use super::ledger::{Entry, codes};
use super::query::Query;
use super::route::Call;
use super::shapes::{CustomerShape, CustomerView};
use super::state::State;

pub(crate) fn merge(state: &mut State, call: &Call) -> Answered<Answer> {
    let problems = state.problems();
    let mut query = Query::new(&call.query, &problems);
    let (source, target) = (query.id("source_id"), query.id("target_id"));
    for (name, given) in [("source_id", source), ("target_id", target)] {
        if given.is_none() {
            query.problem(name, "Missing data for required field.");
        }
    }
    query.end()?;
    let (source, target) = (source.unwrap_or_default(), target.unwrap_or_default());
    let draft = read_update(state, call, &problems)?;
    let (from, to) = (find(state, source)?, find(state, target)?);
    if source == target {
        return Err(Refusal::bad_field("target_id", "Must differ from source_id."));
    }
    if from.custom.is_some() && to.custom.is_some() {
        return Err(Refusal::new(409, "Both customers hold data of the same integration."));
    }
    draft.check(state, &[source, target])?;
    merge_into(state, source, target);
    commit(state, target, draft);
    let customer = find(state, target)?;
    Ok(Answer::accepted(&CustomerShape { customer, view: CustomerView::Written }))
}

/// Moves channels, values, data and tickets of `source` to `target`, and leaves a redirect.
pub(crate) fn merge_into(state: &mut State, source: u64, target: u64) {
    let Some(gone) = state.customers.remove(source) else { return };
    let now = state.now;
    state.customers.change(target, |kept| {
        kept.channels.extend(gone.channels);
        kept.updated = now;
        kept.email = kept.email.take().or(gone.email);
        kept.name = kept.name.take().or(gone.name);
        kept.external_id = kept.external_id.take().or(gone.external_id);
        kept.custom = kept.custom.take().or(gone.custom);
        for (field, value) in gone.values {
            if let Err(position) = kept.values.binary_search_by_key(&field, |row| row.0) {
                kept.values.insert(position, (field, value));
            }
        }
    });
    let tickets: Vec<u64> = state.tickets.of_customer(source).collect();
    for ticket in tickets {
        state.tickets.change(ticket, |ticket| ticket.customer = Some(target));
    }
    state.merged.insert(source, target);
    state.departed.insert(source, super::shapes::person_snapshot(state, target));
    let entry = Entry { person_id: Some(source), ..state.entry(codes::MERGED, "customers") };
    state.violation(entry);
    state.log("customer-merged", "Customer", target);
}
