//! Endpoints of customers: lists, single reads, writes, deletion.
//!
//! Deliberately absent: `firstname`, `lastname`, `note`, `meta`, `custom_fields` and `created_datetime` in bodies;
//! the documented schema does not have them, so they are unknown keys here (facts: customers).

use super::answer::{Answer, Answered, Refusal};
use super::config::CustomerDelete;
use super::ledger::{Entry, codes};
use super::model::{Customer, Origin};
use super::persons::{
    ChannelDraft, TEXT_CHARS_MAX, blank_customer, build_channels, check_addresses, read_channels, read_email,
    read_language, read_time_zone,
};
use super::query::{BY_CREATED_OR_UPDATED, Page, Place, Query, SortValue};
use super::reading::{Given, Problems, Reader};
use super::route::Call;
use super::shapes::{CustomerShape, CustomerView, list, person_snapshot};
use super::state::State;
use super::tickets::remove_ticket;

/// Most customers that one request deletes. Not documented.
const BULK_MAX: usize = 100;

pub(crate) fn index(state: &mut State, call: &Call) -> Answered<Answer> {
    let problems = state.problems();
    let mut query = Query::new(&call.query, &problems);
    let paged = ["cursor", "limit", "order_by"].into_iter().any(|name| query.has(name));
    let page = query.page(&BY_CREATED_OR_UPDATED, state.now, state.switches.cursor_life_seconds);
    let wanted = Wanted::read(state, &mut query);
    if paged && (wanted.language.is_some() || wanted.timezone.is_some()) {
        query.problem("language", "language and timezone cannot be combined with cursor, limit or order_by.");
    }
    query.end()?;
    let keep = |id: u64| {
        state
            .customers
            .get(id)
            .is_some_and(|customer| state.is_listed(customer.stored) && wanted.keeps(state, customer))
    };
    let slice = match wanted.candidates(state) {
        Some(ids) => {
            page.of_rows(ids.into_iter().filter(|id| keep(*id)).map(|id| place(state, &page, id)).collect())
        }
        None if page.attribute() == "updated_datetime" => page.of_index(state.customers.by_updated(), keep),
        None => page.of_index(state.customers.by_created(), keep),
    };
    let rows = slice.ids.iter().filter_map(|id| state.customers.get(*id));
    let rows = rows.map(|customer| CustomerShape { customer, view: CustomerView::ListItem });
    Ok(Answer::ok(&list(call, &slice, rows.collect(), false)))
}

fn place(state: &State, page: &Page, id: u64) -> Place {
    let instant = state.customers.get(id).map_or(state.now, |customer| {
        if page.attribute() == "updated_datetime" { customer.updated } else { customer.created }
    });
    (SortValue::Number(instant.0), id)
}

/// Which customers are wanted.
struct Wanted {
    email: Option<String>,
    external_id: Option<String>,
    name: Option<String>,
    language: Option<String>,
    timezone: Option<String>,
    channel_type: Option<String>,
    channel_address: Option<String>,
}

impl Wanted {
    fn read(state: &State, query: &mut Query<'_>) -> Self {
        let wanted = Self {
            email: query.text("email"),
            external_id: query.text("external_id"),
            name: query.text("name"),
            language: query.text("language"),
            timezone: query.text("timezone"),
            channel_type: query.text("channel_type"),
            channel_address: query.text("channel_address"),
        };
        if let Some(kind) = &wanted.channel_type
            && !state.is_customer_channel(kind)
        {
            query.problem("channel_type", "Not a known channel type.");
        }
        // The twin holds views of tickets only, so a view can select no customers.
        if query.id("view_id").is_some() {
            query.problem("view_id", "Not a view of customers.");
        }
        wanted
    }

    /// The few customers among which the wanted ones are, when a filter has an index.
    fn candidates(&self, state: &State) -> Option<Vec<u64>> {
        if let Some(external_id) = &self.external_id {
            return Some(state.customers.with_external_id(external_id).collect());
        }
        if let Some(email) = &self.email {
            return Some(distinct(state.customers.with_address("email", email)));
        }
        if let (Some(kind), Some(address)) = (&self.channel_type, &self.channel_address) {
            return Some(distinct(state.customers.with_address(kind, address)));
        }
        None
    }

    fn keeps(&self, state: &State, customer: &Customer) -> bool {
        let same = |wanted: &Option<String>, found: &Option<Box<str>>| {
            wanted.as_deref().is_none_or(|wanted| Some(wanted) == found.as_deref())
        };
        let channel = |kind: Option<&str>, address: Option<&str>| {
            customer.channels.iter().any(|channel| {
                kind.is_none_or(|kind| *channel.kind == *kind)
                    && address.is_none_or(|address| {
                        let holders = state.customers.with_address(&channel.kind, address);
                        holders.into_iter().any(|holder| holder == customer.id)
                    })
            })
        };
        let (kind, address) = (self.channel_type.as_deref(), self.channel_address.as_deref());
        same(&self.external_id, &customer.external_id)
            && same(&self.name, &customer.name)
            && same(&self.language, &customer.language)
            && same(&self.timezone, &customer.timezone)
            && self.email.as_deref().is_none_or(|email| {
                state.customers.with_address("email", email).any(|holder| holder == customer.id)
            })
            && ((kind.is_none() && address.is_none()) || channel(kind, address))
    }
}

fn distinct(ids: impl Iterator<Item = u64>) -> Vec<u64> {
    let mut ids: Vec<u64> = ids.collect();
    ids.dedup();
    ids
}

/// The customer, or where it went when it was merged.
pub(crate) fn find(state: &State, id: u64) -> Answered<&Customer> {
    if let Some(target) = state.merged.get(&id) {
        return Err(Refusal::moved(format!("/api/customers/{target}")));
    }
    state.customers.get(id).ok_or_else(|| Refusal::not_found("Customer", id))
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
    let customer = find(state, call.id(0))?;
    Ok(Answer::ok(&CustomerShape { customer, view: CustomerView::Single }))
}

/// What a request says about a customer.
pub(crate) struct Draft {
    channels: Given<Vec<ChannelDraft>>,
    email: Given<String>,
    external_id: Given<String>,
    name: Given<String>,
    language: Given<String>,
    timezone: Given<String>,
}

impl Draft {
    fn read(state: &State, mut reader: Reader<'_>, new: bool) -> Self {
        let channels = read_channels(state, &mut reader);
        if new || !channels.is_absent() {
            reader.required("channels", channels.clone());
        }
        let draft = Self {
            channels,
            email: read_email(&mut reader, "email"),
            external_id: reader.text("external_id", 0..=255),
            name: reader.text("name", 0..=TEXT_CHARS_MAX),
            language: read_language(&mut reader, "language"),
            timezone: read_time_zone(&mut reader, "timezone"),
        };
        reader.end();
        draft
    }

    /// With an e-mail channel and no e-mail, the e-mail is filled from the channel (facts: customers).
    fn fill_email(&mut self) {
        let first = match &self.channels {
            Given::Value(drafts) => drafts.iter().find(|draft| draft.kind == "email"),
            _ => None,
        };
        if let (Some(channel), Given::Absent | Given::Null) = (first, &self.email) {
            self.email = Given::Value(channel.address.clone());
        }
    }

    pub(crate) fn check(&self, state: &State, own: &[u64]) -> Answered<()> {
        let email = match &self.email {
            Given::Value(email) => Some(email.as_str()),
            _ => None,
        };
        let none = Vec::new();
        let channels = match &self.channels {
            Given::Value(drafts) => drafts,
            _ => &none,
        };
        check_addresses(state, own, email, channels)
    }

    fn apply(self, state: &mut State, customer: &mut Customer) {
        if let Given::Value(drafts) = self.channels {
            customer.channels = build_channels(state, &customer.channels, drafts);
        }
        self.email.map(Into::into).apply(&mut customer.email);
        self.external_id.map(Into::into).apply(&mut customer.external_id);
        self.name.map(Into::into).apply(&mut customer.name);
        self.language.map(Into::into).apply(&mut customer.language);
        self.timezone.map(Into::into).apply(&mut customer.timezone);
        customer.name_set_via = Some("agent");
    }
}

pub(crate) fn create(state: &mut State, call: &Call) -> Answered<Answer> {
    let problems = state.problems();
    Query::new(&call.query, &problems).end()?;
    let mut draft = Draft::read(state, Reader::body(call.json()?, &problems)?, true);
    problems.check()?;
    draft.fill_email();
    draft.check(state, &[])?;
    let mut customer = blank_customer(state);
    draft.apply(state, &mut customer);
    let id = customer.id;
    note_duplicate(state, "customer", customer.external_id.as_deref());
    state.customers.insert(customer);
    state.log("customer-created", "Customer", id);
    let customer = find(state, id)?;
    Ok(Answer::created(&CustomerShape { customer, view: CustomerView::Written }))
}

/// External ids may repeat (facts: uniqueness), but a migration that repeats one has a fault.
fn note_duplicate(state: &mut State, what: &str, external_id: Option<&str>) {
    let Some(external_id) = external_id else { return };
    if state.customers.with_external_id(external_id).next().is_some() {
        let entry = state.entry(codes::DUPLICATE_EXTERNAL_ID, format!("{what} {external_id}"));
        state.violation(entry);
    }
}

pub(crate) fn update(state: &mut State, call: &Call) -> Answered<Answer> {
    let id = call.id(0);
    let problems = state.problems();
    Query::new(&call.query, &problems).end()?;
    let knows_email = find(state, id)?.email.is_some();
    let mut draft = read_update(state, call, &problems)?;
    if !knows_email {
        draft.fill_email();
    }
    draft.check(state, &[id])?;
    commit(state, id, draft);
    let customer = find(state, id)?;
    Ok(Answer::accepted(&CustomerShape { customer, view: CustomerView::Written }))
}

/// What the body of `call` changes; a body without any key is refused.
pub(crate) fn read_update(state: &State, call: &Call, problems: &Problems) -> Answered<Draft> {
    let reader = Reader::body(call.json()?, problems)?;
    if reader.is_empty() {
        return Err(Refusal::bad_request("At least one field is required."));
    }
    let draft = Draft::read(state, reader, false);
    problems.check()?;
    Ok(draft)
}

/// Stores a checked change.
pub(crate) fn commit(state: &mut State, id: u64, draft: Draft) {
    let Some(mut customer) = state.customers.remove(id) else { return };
    draft.apply(state, &mut customer);
    customer.updated = state.now;
    state.customers.insert(customer);
    state.log("customer-updated", "Customer", id);
}

pub(crate) fn destroy(state: &mut State, call: &Call) -> Answered<Answer> {
    let id = call.id(0);
    find(state, id)?;
    remove_customer(state, id);
    Ok(Answer::deleted())
}

pub(crate) fn destroy_many(state: &mut State, call: &Call) -> Answered<Answer> {
    let problems = state.problems();
    let mut reader = Reader::body(call.json()?, &problems)?;
    let ids = reader.ids("ids", BULK_MAX);
    let ids = reader.required("ids", ids);
    reader.end();
    problems.check()?;
    let ids = ids.unwrap_or_default();
    for id in &ids {
        find(state, *id)?;
    }
    for id in ids {
        remove_customer(state, id);
    }
    Ok(Answer::deleted())
}

/// Deletes a customer and what the deletion takes along.
pub(crate) fn remove_customer(state: &mut State, id: u64) {
    let snapshot = person_snapshot(state, id);
    let Some(customer) = state.customers.get(id) else { return };
    if customer.origin != Origin::Client {
        let entry = Entry { person_id: Some(id), ..state.entry(codes::FOREIGN_RECORD, "customer") };
        state.violation(entry);
    }
    let tickets: Vec<u64> = state.tickets.of_customer(id).collect();
    if !tickets.is_empty() {
        let code = match state.switches.customer_delete {
            CustomerDelete::CascadeTickets => codes::TICKETS_CASCADED,
            CustomerDelete::OrphanTickets => codes::TICKETS_ORPHANED,
        };
        let entry = Entry { person_id: Some(id), ..state.entry(code, format!("{} tickets", tickets.len())) };
        state.violation(entry);
    }
    for ticket in tickets {
        match state.switches.customer_delete {
            CustomerDelete::CascadeTickets => remove_ticket(state, ticket),
            CustomerDelete::OrphanTickets => {
                state.tickets.change(ticket, |ticket| ticket.customer = None);
            }
        }
    }
    state.customers.remove(id);
    state.departed.insert(id, snapshot);
    state.log("customer-deleted", "Customer", id);
}
