//! Endpoints of views and of their items, full-text search of tickets included.
//!
//! Views and search lag behind writes (`search_lag_seconds`). Deliberately absent: sections and sharing; they are
//! stored and shown, and change nothing.

use serde_json::{Value, json};

use super::answer::{Answer, Answered, Refusal};
use super::expression::Expression;
use super::model::Ticket;
use super::persons::TEXT_CHARS_MAX;
use super::query::{BY_CREATED, Order, Page, Place, Query, SortValue, order};
use super::reading::{Given, Problems, Reader};
use super::route::Call;
use super::shelves::{find, page_of, plain, set};
use super::state::State;
use super::tables::{Plain, text_of};
use super::ticket_shapes::TicketShape;
use super::words::PRIORITIES;

const ITEM_ORDERS: [Order; 14] = [
    order("updated_datetime:desc"),
    order("updated_datetime:asc"),
    order("created_datetime:desc"),
    order("created_datetime:asc"),
    order("last_message_datetime:desc"),
    order("last_message_datetime:asc"),
    order("last_received_message_datetime:desc"),
    order("last_received_message_datetime:asc"),
    order("closed_datetime:desc"),
    order("closed_datetime:asc"),
    order("snooze_datetime:desc"),
    order("snooze_datetime:asc"),
    order("priority:desc"),
    order("priority:asc"),
];

pub(crate) fn index(state: &mut State, call: &Call) -> Answered<Answer> {
    let problems = state.problems();
    let mut query = Query::new(&call.query, &problems);
    let page = query.page(&BY_CREATED, state.now, state.switches.cursor_life_seconds);
    let category = query.word("category", &["system", "user"]);
    query.end()?;
    let keep = |row: &Plain| category.is_none_or(|category| text_of(row, "category") == category);
    Ok(page_of(call, &page, &state.views, true, keep))
}

pub(crate) fn show(state: &mut State, call: &Call) -> Answered<Answer> {
    Ok(Answer::ok(find(&state.views, "View", call.id(0))?))
}

/// Keys that a stored view and a view given with a search have in common.
fn read_selection(reader: &mut Reader<'_>, row: &mut Plain) {
    set(row, "type", reader.word("type", &["ticket-list"]));
    set(row, "fields", reader.list("fields"));
    set(row, "order_by", reader.text("order_by", 1..=TEXT_CHARS_MAX));
    set(row, "order_dir", reader.word("order_dir", &["asc", "desc"]));
    set(row, "search", reader.text("search", 0..=TEXT_CHARS_MAX));
    let filters = reader.text("filters", 0..=usize::MAX);
    if let Given::Value(text) = &filters
        && !Expression::parse(text).is_some_and(|filter| filter.is_understood())
    {
        reader.problem("filters", "Not a valid filter expression.");
    }
    set(row, "filters", filters);
}

fn read_into(mut reader: Reader<'_>, row: &mut Plain, new: bool) {
    read_selection(&mut reader, row);
    let slug = reader.text("slug", 1..=TEXT_CHARS_MAX);
    if new {
        // Deprecated, and required all the same (facts: views).
        reader.required("slug", slug.clone());
    }
    set(row, "slug", slug);
    set(row, "name", reader.text("name", 0..=TEXT_CHARS_MAX));
    set(row, "visibility", reader.word("visibility", &["public", "shared", "private"]));
    set(row, "decoration", reader.object("decoration"));
    set(row, "section_id", reader.id("section_id"));
    set(row, "shared_with_teams", reader.list("shared_with_teams"));
    set(row, "shared_with_users", reader.list("shared_with_users"));
    reader.end();
}

/// Stores a view under a new id.
pub(crate) fn add(state: &mut State, category: &str, keys: Plain) -> u64 {
    let id = state.ids.other.next(&mut state.random);
    let nowhere = json!({ "line": 0, "column": 0 });
    let mut row = plain(json!({
        "id": id, "category": category, "created_datetime": state.now, "deactivated_datetime": null,
        "decoration": null, "fields": [], "filters": "", "name": "", "order_by": "updated_datetime",
        "order_dir": "desc", "search": null, "shared_with_teams": [], "shared_with_users": [], "section_id": null,
        "slug": "", "type": "ticket-list", "uri": format!("/api/views/{id}/"), "visibility": "public",
        "filters_ast": {
            "loc": { "start": nowhere, "end": nowhere }, "type": "Program", "body": [], "sourceType": "script",
        },
    }));
    row.extend(keys);
    state.views.insert(id, row);
    id
}

pub(crate) fn create(state: &mut State, call: &Call) -> Answered<Answer> {
    let problems = state.problems();
    let mut keys = Plain::new();
    read_into(Reader::body(call.json()?, &problems)?, &mut keys, true);
    problems.check()?;
    let id = add(state, "user", keys);
    state.log("view-created", "View", id);
    Ok(Answer::created(find(&state.views, "View", id)?))
}

fn check_own(row: &Plain) -> Answered<()> {
    if text_of(row, "category") == "system" {
        return Err(Refusal::bad_request("System views cannot be changed."));
    }
    Ok(())
}

pub(crate) fn update(state: &mut State, call: &Call) -> Answered<Answer> {
    let id = call.id(0);
    let mut row = find(&state.views, "View", id)?.clone();
    check_own(&row)?;
    let problems = state.problems();
    read_into(Reader::body(call.json()?, &problems)?, &mut row, false);
    problems.check()?;
    state.views.insert(id, row);
    state.log("view-updated", "View", id);
    Ok(Answer::accepted(find(&state.views, "View", id)?))
}

pub(crate) fn destroy(state: &mut State, call: &Call) -> Answered<Answer> {
    let id = call.id(0);
    check_own(find(&state.views, "View", id)?)?;
    state.views.remove(id);
    state.log("view-deleted", "View", id);
    Ok(Answer::deleted())
}

/// The filter of a stored view.
pub(crate) fn filter_of(state: &State, id: u64) -> Answered<Expression> {
    let row = find(&state.views, "View", id)?;
    Expression::parse(text_of(row, "filters"))
        .ok_or_else(|| Refusal::bad_request("The view has no valid filter."))
}

pub(crate) fn items(state: &mut State, call: &Call) -> Answered<Answer> {
    let view = find(&state.views, "View", call.id(0))?.clone();
    let problems = state.problems();
    select(state, call, &view, &problems)
}

/// `PUT /views/{id}/items` with a view in the body; id 0 stands for no stored view.
pub(crate) fn search_items(state: &mut State, call: &Call) -> Answered<Answer> {
    let mut view = match call.id(0) {
        0 => Plain::new(),
        id => find(&state.views, "View", id)?.clone(),
    };
    let problems = state.problems();
    if !call.body.is_empty() {
        let mut reader = Reader::body(call.json()?, &problems)?;
        if let Some(value) = reader.object("view").value()
            && let Some(mut nested) = Reader::nested(value, "view".to_owned(), &problems)
        {
            read_selection(&mut nested, &mut view);
            nested.text("category", 0..=TEXT_CHARS_MAX);
            nested.end();
        }
        reader.end();
    }
    problems.check()?;
    select(state, call, &view, &problems)
}

fn select(state: &State, call: &Call, view: &Plain, problems: &Problems) -> Answered<Answer> {
    let mut query = Query::new(&call.query, problems);
    let page = query.page(&ITEM_ORDERS, state.now, state.switches.cursor_life_seconds);
    query.word("direction", &["prev", "next"]);
    let ignored = query.id("ignored_item");
    query.end()?;
    let filter = Expression::parse(text_of(view, "filters"));
    let filter = filter.ok_or_else(|| Refusal::bad_request("The view has no valid filter."))?;
    let search = text_of(view, "search").to_lowercase();
    let keep = |ticket: &&Ticket| {
        Some(ticket.id) != ignored
            && state.is_searchable(ticket.stored)
            && filter.holds(state, ticket) == Some(true)
            && (search.is_empty() || mentions(state, ticket, &search))
    };
    let rows: Vec<Place> = state.tickets.iter().filter(keep).map(|ticket| place(&page, ticket)).collect();
    let slice = page.of_rows(rows);
    let data: Vec<_> = slice
        .ids
        .iter()
        .filter_map(|id| state.tickets.get(*id))
        .map(|ticket| TicketShape { state, ticket, whole: false })
        .collect();
    let address =
        |cursor: &Option<String>| cursor.as_ref().map(|cursor| format!("{}?cursor={cursor}", call.path));
    let meta = json!({
        "prev_items": address(&slice.prev_cursor), "next_items": address(&slice.next_cursor), "current_cursor": null,
    });
    Ok(Answer::ok(&json!({ "data": data, "meta": meta })))
}

fn place(page: &Page, ticket: &Ticket) -> Place {
    let times = &ticket.times;
    let never = super::clock::Instant(i64::MIN);
    let instant = match page.attribute() {
        "created_datetime" => times.created,
        "last_message_datetime" => times.last_message.unwrap_or(never),
        "last_received_message_datetime" => times.last_received.unwrap_or(never),
        "closed_datetime" => times.closed.unwrap_or(never),
        "snooze_datetime" => times.snoozed_until.unwrap_or(never),
        "priority" => {
            let rank = PRIORITIES.iter().rev().position(|name| *name == ticket.priority).unwrap_or_default();
            return (SortValue::Number(i64::try_from(rank).unwrap_or_default()), ticket.id);
        }
        _ => times.updated,
    };
    (SortValue::Number(instant.0), ticket.id)
}

/// Whether subject, messages or customer of a ticket contain `text`, which is in lower case.
fn mentions(state: &State, ticket: &Ticket, text: &str) -> bool {
    let contains = |found: Option<&str>| found.is_some_and(|found| found.to_lowercase().contains(text));
    let customer = ticket.customer.and_then(|id| state.customers.get(id));
    contains(ticket.subject.as_deref())
        || customer.is_some_and(|row| contains(row.name.as_deref()) || contains(row.email.as_deref()))
        || ticket
            .messages
            .iter()
            .filter_map(|id| state.messages.get(*id))
            .any(|message| contains(message.body_text.as_deref()))
}

/// The views that every account has.
pub(crate) fn system_views() -> [(&'static str, Value); 3] {
    [
        ("Inbox", json!("eq(ticket.status, 'open') && isEmpty(ticket.trashed_datetime)")),
        ("Closed", json!("eq(ticket.status, 'closed') && isEmpty(ticket.trashed_datetime)")),
        ("Trash", json!("isNotEmpty(ticket.trashed_datetime)")),
    ]
}
