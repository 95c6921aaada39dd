//! Reading what a request says about a ticket, and applying it: the keys that creating and updating share.
//!
//! Deliberately absent: `messages`, `created_datetime`, `imported` and `split_from`, which exist at creation only.

use serde_json::Value;

use super::clock::Instant;
use super::config::UnknownTag;
use super::ledger::{Entry, codes};
use super::message_draft::{SUBJECT_CHARS_MAX, read_via};
use super::model::{ObjectType, Ticket, Values};
use super::persons::{PersonRef, TEXT_CHARS_MAX, read_language, read_person, settle_person};
use super::reading::{Given, Problems, Reader};
use super::state::State;
use super::tags::{add as add_tag, read_color};
use super::values::{put, read_values};
use super::words::{PRIORITIES, STATUSES};

const EXTERNAL_ID_CHARS_MAX: usize = 255;
const TAG_CHARS_MAX: usize = 256;

/// A tag named inline: one that exists, or one to create where the switch says so.
#[derive(Debug, Clone)]
pub(crate) enum TagRef {
    Known(u64),
    New { name: String, color: Option<String> },
}

/// What a request says about a ticket.
#[derive(Debug, Clone)]
pub(crate) struct TicketDraft {
    pub(crate) customer: Option<PersonRef>,
    pub(crate) channel: Option<String>,
    pub(crate) via: Option<String>,
    pub(crate) from_agent: Option<bool>,
    subject: Given<String>,
    status: Option<&'static str>,
    priority: Option<&'static str>,
    assignee_user: Given<u64>,
    assignee_team: Given<u64>,
    tags: Option<Vec<TagRef>>,
    values: Option<Values>,
    pub(crate) external_id: Given<String>,
    pub(crate) language: Given<String>,
    spam: Option<bool>,
    unread: Option<bool>,
    meta: Given<Value>,
    opened: Given<Instant>,
    closed: Given<Instant>,
    pub(crate) updated: Option<Instant>,
    pub(crate) last_message: Given<Instant>,
    pub(crate) last_received: Given<Instant>,
    snooze: Given<Instant>,
    trashed: Given<Instant>,
}

impl TicketDraft {
    /// Reads the keys of both requests; `is_unread` exists in updates only.
    pub(crate) fn read(state: &State, reader: &mut Reader<'_>, new: bool) -> Self {
        let problems = reader.problems();
        let channel = reader.text("channel", 1..=TEXT_CHARS_MAX);
        let channel = reader.solid("channel", channel);
        if channel.as_deref().is_some_and(|name| !state.is_channel(name)) {
            reader.problem("channel", "Not a known channel.");
        }
        let status = reader.word("status", &STATUSES);
        let priority = reader.word("priority", &PRIORITIES);
        let unread = if new { None } else { reader.boolean("is_unread").value() };
        let draft = Self {
            customer: read_customer(state, reader, problems),
            channel,
            via: read_via(state, reader),
            from_agent: reader.boolean("from_agent").value(),
            subject: reader.text("subject", 0..=SUBJECT_CHARS_MAX),
            status: reader.solid("status", status),
            priority: reader.solid("priority", priority),
            assignee_user: read_assignee(reader, "assignee_user", |id| state.users.contains_key(&id)),
            assignee_team: read_assignee(reader, "assignee_team", |id| state.teams.contains_key(&id)),
            tags: read_tags(state, reader, problems),
            values: reader.list("custom_fields").value().map(|rows| {
                read_values(state, ObjectType::Ticket, rows, &reader.path("custom_fields"), problems)
            }),
            external_id: reader.text("external_id", 0..=EXTERNAL_ID_CHARS_MAX),
            language: read_language(reader, "language"),
            spam: reader.boolean("spam").value(),
            unread,
            meta: reader.object("meta"),
            opened: reader.instant("opened_datetime"),
            closed: reader.instant("closed_datetime"),
            updated: reader.instant("updated_datetime").value(),
            last_message: reader.instant("last_message_datetime"),
            last_received: reader.instant("last_received_message_datetime"),
            snooze: reader.instant("snooze_datetime"),
            trashed: reader.instant("trashed_datetime"),
        };
        if draft.status == Some("open") && matches!(draft.closed, Given::Value(_)) {
            reader.problem("closed_datetime", "An open ticket has none.");
        }
        draft
    }

    /// Refuses custom values that leave out a managed one which the ticket has (facts: managed ticket fields).
    pub(crate) fn check_managed(&self, state: &State, ticket: &Ticket, problems: &Problems) {
        if let Some(values) = &self.values {
            check_managed(state, &ticket.values, values, problems);
        }
    }

    /// Applies everything to `ticket`, which is outside of its table meanwhile.
    pub(crate) fn apply(self, state: &mut State, ticket: &mut Ticket) {
        if let Some(person) = self.customer {
            ticket.customer = settle_person(state, person);
        }
        if let Some(channel) = self.channel {
            ticket.channel = state.word(&channel);
        }
        if let Some(via) = self.via {
            ticket.via = state.word(&via);
        }
        ticket.from_agent = self.from_agent.unwrap_or(ticket.from_agent);
        ticket.spam = self.spam.unwrap_or(ticket.spam);
        ticket.unread = self.unread.unwrap_or(ticket.unread);
        ticket.priority = self.priority.unwrap_or(ticket.priority);
        self.subject.map(Into::into).apply(&mut ticket.subject);
        self.assignee_user.apply(&mut ticket.assignee_user);
        self.assignee_team.apply(&mut ticket.assignee_team);
        self.external_id.map(Into::into).apply(&mut ticket.external_id);
        self.language.map(Into::into).apply(&mut ticket.language);
        self.meta.map(Box::new).apply(&mut ticket.meta);
        self.opened.apply(&mut ticket.times.opened);
        self.last_message.apply(&mut ticket.times.last_message);
        self.last_received.apply(&mut ticket.times.last_received);
        self.trashed.apply(&mut ticket.times.trashed);
        if let Some(tags) = self.tags {
            set_tags(state, ticket, tags);
        }
        if let Some(values) = self.values {
            ticket.values.clear();
            for (id, value) in values {
                put(&mut ticket.values, id, value);
            }
        }
        apply_status(state.now, ticket, self.status, self.closed);
        apply_snooze(state, ticket, self.snooze);
        ticket.times.updated = self.updated.unwrap_or(state.now);
    }
}

fn read_customer(state: &State, reader: &mut Reader<'_>, problems: &Problems) -> Option<PersonRef> {
    let value = reader.object("customer").value()?;
    let person = read_person(state, value, reader.path("customer"), problems, false)?;
    if person.known(state).is_some_and(|id| state.customers.get(id).is_none()) {
        reader.problem("customer", "Must be a customer.");
    }
    Some(person)
}

/// `{id}`; `{id: null}` and null both unassign (facts: tickets).
fn read_assignee(reader: &mut Reader<'_>, key: &str, exists: impl Fn(u64) -> bool) -> Given<u64> {
    let value = match reader.object(key) {
        Given::Absent => return Given::Absent,
        Given::Null => return Given::Null,
        Given::Value(value) => value,
    };
    let Some(mut nested) = Reader::nested(value, reader.path(key), reader.problems()) else {
        return Given::Absent;
    };
    let id = nested.id("id");
    match &id {
        Given::Absent => nested.problem("id", "Missing data for required field."),
        Given::Value(id) if !exists(*id) => nested.problem("id", "Does not exist."),
        _ => {}
    }
    nested.end();
    id
}

fn read_tags(state: &State, reader: &mut Reader<'_>, problems: &Problems) -> Option<Vec<TagRef>> {
    let rows = reader.list("tags");
    let rows = reader.solid("tags", rows)?;
    let base = reader.path("tags");
    let mut tags = Vec::with_capacity(rows.len());
    for (position, row) in rows.into_iter().enumerate() {
        let Some(mut nested) = Reader::nested(row, format!("{base}.{position}"), problems) else { continue };
        let name = nested.text("name", 1..=TAG_CHARS_MAX);
        let name = nested.required("name", name);
        let color = read_color(&mut nested, problems);
        if let Some(name) = name {
            match state.tags.named(&name) {
                Some(tag) => tags.push(TagRef::Known(tag.id)),
                None if state.switches.unknown_tag == UnknownTag::Create => {
                    tags.push(TagRef::New { name, color });
                }
                None => nested.problem("name", "This tag does not exist."),
            }
        }
        nested.end();
    }
    Some(tags)
}

/// Makes `tags` the tags of `ticket` and counts their use.
pub(crate) fn set_tags(state: &mut State, ticket: &mut Ticket, tags: Vec<TagRef>) {
    for tag in std::mem::take(&mut ticket.tags) {
        state.tags.count_use(tag, false);
    }
    for tag in tags {
        let id = match tag {
            TagRef::Known(id) => id,
            TagRef::New { name, color } => match state.tags.named(&name) {
                Some(tag) => tag.id,
                None => add_tag(state, name, None, color),
            },
        };
        if !ticket.tags.contains(&id) {
            ticket.tags.push(id);
            state.tags.count_use(id, true);
        }
    }
}

/// Notes a mistake for every managed value of `old` that `new` leaves out.
pub(crate) fn check_managed(state: &State, old: &Values, new: &Values, problems: &Problems) {
    for (id, _) in old {
        let managed = state.fields.get(id).is_some_and(|field| field.managed.is_some());
        if managed && !new.iter().any(|(kept, _)| kept == id) {
            problems
                .add("custom_fields", format!("The managed field {id} has a value and must be included."));
        }
    }
}

/// A status or a closing time; an already closed ticket keeps its time (facts: tickets).
fn apply_status(now: Instant, ticket: &mut Ticket, status: Option<&'static str>, closed: Given<Instant>) {
    let wanted = match (status, &closed) {
        (Some(status), _) => status,
        (None, Given::Value(_)) => "closed",
        (None, Given::Null) => "open",
        (None, Given::Absent) => ticket.status,
    };
    ticket.times.closed = match (wanted, closed) {
        ("closed", Given::Value(instant)) => Some(instant),
        ("closed", _) => ticket.times.closed.or(Some(now)),
        _ => None,
    };
    ticket.status = wanted;
}

/// A snooze that is over reopens the ticket at once (facts: snoozed tickets in the past).
fn apply_snooze(state: &mut State, ticket: &mut Ticket, snooze: Given<Instant>) {
    let past = matches!(snooze, Given::Value(until) if until <= state.now);
    snooze.apply(&mut ticket.times.snoozed_until);
    if past {
        ticket.times.snoozed_until = None;
        ticket.times.closed = None;
        ticket.status = "open";
        state.log_as(None, "ticket-self-unsnoozed", "Ticket", ticket.id, None);
        let entry = state.entry(codes::SNOOZED_INTO_PAST, "reopened at once");
        state.violation(Entry { ticket_id: Some(ticket.id), ..entry });
    }
}
