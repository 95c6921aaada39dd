//! Endpoints of tickets: lists, single reads, updates, deletion.

use super::answer::{Answer, Answered, Refusal};
use super::effects::{ticket_closed, ticket_updated};
use super::ledger::{Entry, codes};
use super::model::{Origin, Ticket};
use super::query::{BY_CREATED_OR_UPDATED, Page, Place, Query, SortValue};
use super::reading::Reader;
use super::route::Call;
use super::shapes::list;
use super::state::State;
use super::ticket_draft::TicketDraft;
use super::ticket_shapes::TicketShape;
use super::views;

/// Most ids in one list request (facts: lists).
const TICKET_IDS_MAX: usize = 100;

pub(crate) fn index(state: &mut State, call: &Call) -> Answered<Answer> {
    let problems = state.problems();
    let mut query = Query::new(&call.query, &problems);
    let page = query.page(&BY_CREATED_OR_UPDATED, state.now, state.switches.cursor_life_seconds);
    let wanted = Wanted::read(state, &mut query);
    query.end()?;
    let filter = match wanted.view {
        Some(view) => Some(views::filter_of(state, view)?),
        None => None,
    };
    let keep = |id: u64| {
        state.tickets.get(id).is_some_and(|ticket| {
            state.is_listed(ticket.stored)
                && wanted.keeps(ticket)
                && filter.as_ref().is_none_or(|filter| filter.holds(state, ticket) == Some(true))
        })
    };
    let slice = match wanted.candidates(state) {
        Some(ids) => {
            page.of_rows(ids.into_iter().filter(|id| keep(*id)).map(|id| place(state, &page, id)).collect())
        }
        None if page.attribute() == "updated_datetime" => page.of_index(state.tickets.by_updated(), keep),
        None => page.of_index(state.tickets.by_created(), keep),
    };
    let rows = slice.ids.iter().filter_map(|id| state.tickets.get(*id));
    let rows = rows.map(|ticket| TicketShape { state, ticket, whole: false });
    Ok(Answer::ok(&list(call, &slice, rows.collect(), true)))
}

fn place(state: &State, page: &Page, id: u64) -> Place {
    let instant = state.tickets.get(id).map_or(state.now, |ticket| {
        if page.attribute() == "updated_datetime" { ticket.times.updated } else { ticket.times.created }
    });
    (SortValue::Number(instant.0), id)
}

/// Which tickets are wanted. Trashed ones are, unless the request says otherwise (facts: lists).
struct Wanted {
    customer: Option<u64>,
    external_id: Option<String>,
    ids: Option<Vec<u64>>,
    view: Option<u64>,
    trashed: bool,
    /// A rule was asked for; the twin's rules leave no trace on tickets, so none fits.
    by_rule: bool,
}

impl Wanted {
    fn read(state: &State, query: &mut Query<'_>) -> Self {
        let wanted = Self {
            customer: query.id("customer_id"),
            external_id: query.text("external_id"),
            ids: query.ids("ticket_ids", TICKET_IDS_MAX),
            view: query.id("view_id"),
            trashed: query.boolean("trashed").unwrap_or(true),
            by_rule: query.id("rule_id").is_some(),
        };
        if wanted.view.is_some_and(|id| state.views.get(id).is_none()) {
            query.problem("view_id", "This view does not exist.");
        }
        wanted
    }

    fn candidates(&self, state: &State) -> Option<Vec<u64>> {
        if self.by_rule {
            return Some(Vec::new());
        }
        if let Some(ids) = &self.ids {
            let mut ids = ids.clone();
            ids.sort_unstable();
            ids.dedup();
            return Some(ids);
        }
        if let Some(external_id) = &self.external_id {
            return Some(state.tickets.with_external_id(external_id).collect());
        }
        self.customer.map(|customer| state.tickets.of_customer(customer).collect())
    }

    fn keeps(&self, ticket: &Ticket) -> bool {
        self.customer.is_none_or(|customer| ticket.customer == Some(customer))
            && self.external_id.as_deref().is_none_or(|id| ticket.external_id.as_deref() == Some(id))
            && (self.trashed || ticket.times.trashed.is_none())
    }
}

pub(crate) fn find(state: &State, id: u64) -> Answered<&Ticket> {
    state.tickets.get(id).ok_or_else(|| Refusal::not_found("Ticket", id))
}

pub(crate) fn show(state: &mut State, call: &Call) -> Answered<Answer> {
    let problems = state.problems();
    let mut query = Query::new(&call.query, &problems);
    for relationship in query.texts("relationships") {
        if relationship != "custom_fields" {
            query.problem("relationships", "Must be one of: custom_fields.");
        }
    }
    query.end()?;
    let ticket = find(state, call.id(0))?;
    Ok(Answer::ok(&TicketShape { state, ticket, whole: true }))
}

pub(crate) fn update(state: &mut State, call: &Call) -> Answered<Answer> {
    let id = call.id(0);
    let problems = state.problems();
    let mut query = Query::new(&call.query, &problems);
    query.texts("relationships");
    query.end()?;
    find(state, id)?;
    let draft = read_update(state, id, Reader::body(call.json()?, &problems)?)?;
    apply_update(state, id, draft);
    let ticket = find(state, id)?;
    Ok(Answer::accepted(&TicketShape { state, ticket, whole: true }))
}

/// Reads the keys of an update and checks them against the ticket.
pub(crate) fn read_update(state: &State, id: u64, mut reader: Reader<'_>) -> Answered<TicketDraft> {
    let problems = reader.problems();
    if reader.is_empty() {
        return Err(Refusal::bad_request("At least one field is required."));
    }
    let draft = TicketDraft::read(state, &mut reader, false);
    reader.end();
    draft.check_managed(state, find(state, id)?, problems);
    problems.check()?;
    Ok(draft)
}

/// Applies a checked update, with the events and effects that follow from what changed.
pub(crate) fn apply_update(state: &mut State, id: u64, draft: TicketDraft) {
    let Some(before) = state.tickets.get(id).cloned() else { return };
    let Some(mut ticket) = state.tickets.remove(id) else { return };
    draft.apply(state, &mut ticket);
    let after = ticket.clone();
    state.tickets.insert(ticket);
    if before.times.trashed != after.times.trashed {
        let trashed = after.times.trashed.is_some();
        state.log(if trashed { "ticket-trashed" } else { "ticket-untrashed" }, "Ticket", id);
        if trashed && before.origin != Origin::Client {
            let entry = state.entry(codes::FOREIGN_RECORD, "ticket trashed");
            state.violation(Entry { ticket_id: Some(id), ..entry });
        }
    }
    if before.assignee_user != after.assignee_user {
        state.log("ticket-assigned", "Ticket", id);
    }
    if before.assignee_team != after.assignee_team {
        state.log("ticket-team-assigned", "Ticket", id);
    }
    if before.subject != after.subject {
        state.log("ticket-subject-updated", "Ticket", id);
    }
    if before.tags != after.tags {
        state.log("ticket-tags-added", "Ticket", id);
    }
    if before.status != after.status && after.status == "closed" {
        ticket_closed(state, id);
    }
    ticket_updated(state, id);
}

/// Deletes for good, messages included; there is no undo (facts: tickets).
pub(crate) fn destroy(state: &mut State, call: &Call) -> Answered<Answer> {
    let id = call.id(0);
    if find(state, id)?.origin != Origin::Client {
        let entry = state.entry(codes::FOREIGN_RECORD, "ticket");
        state.violation(Entry { ticket_id: Some(id), ..entry });
    }
    remove_ticket(state, id);
    Ok(Answer::deleted())
}

/// Removes a ticket with its messages and survey.
pub(crate) fn remove_ticket(state: &mut State, id: u64) {
    let Some(ticket) = state.tickets.remove(id) else { return };
    for message in ticket.messages {
        state.messages.remove(message);
    }
    for tag in ticket.tags {
        state.tags.count_use(tag, false);
    }
    if let Some(survey) = ticket.survey {
        state.surveys.remove(survey);
    }
    state.log("ticket-deleted", "Ticket", id);
}
