//! What customers, tickets and messages have in common: addresses of persons, and references to them.
//!
//! A reference by id is exact. A reference by e-mail finds the person or creates one, and every further key changes
//! the person (facts: `sender`); the twin does the same and records it as harm. Deliberately absent: users, who are
//! never created by reference.

use serde_json::Value;

use super::answer::{Answered, Refusal};
use super::config::{DuplicateChannel, DuplicateEmail};
use super::ledger::{Entry, codes};
use super::model::{Channel, Customer, normal_address};
use super::reading::{Given, Problems, Reader};
use super::state::State;
use super::words::{is_language, is_time_zone};

/// Longest e-mail or other address (facts: customers).
const ADDRESS_CHARS_MAX: usize = 320;
/// Longest name, id or note that the twin stores for a person.
pub(crate) const TEXT_CHARS_MAX: usize = 4_096;

/// An address that a request gives a customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ChannelDraft {
    pub(crate) kind: String,
    pub(crate) address: String,
    pub(crate) preferred: bool,
}

pub(crate) fn read_email(reader: &mut Reader<'_>, key: &str) -> Given<String> {
    let email = reader.text(key, 1..=ADDRESS_CHARS_MAX);
    if let Given::Value(text) = &email
        && !is_email(text)
    {
        reader.problem(key, "Not a valid email address.");
        return Given::Absent;
    }
    email
}

fn is_email(text: &str) -> bool {
    let parts: Vec<&str> = text.trim().split('@').collect();
    let clean = |part: &&str| !part.is_empty() && !part.contains(char::is_whitespace);
    parts.len() == 2 && parts.iter().all(clean)
}

fn is_e164(text: &str) -> bool {
    let digits = text.strip_prefix('+').unwrap_or_default();
    (8..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
}

pub(crate) fn read_language(reader: &mut Reader<'_>, key: &str) -> Given<String> {
    let language = reader.text(key, 0..=TEXT_CHARS_MAX);
    if let Given::Value(code) = &language
        && !is_language(code)
    {
        reader.problem(key, "Not a two-letter language code.");
        return Given::Absent;
    }
    language
}

pub(crate) fn read_time_zone(reader: &mut Reader<'_>, key: &str) -> Given<String> {
    let zone = reader.text(key, 0..=TEXT_CHARS_MAX);
    if let Given::Value(name) = &zone
        && !is_time_zone(name)
    {
        reader.problem(key, "Not a time zone of the IANA database.");
        return Given::Absent;
    }
    zone
}

/// Reads `channels`: a list of objects with `type`, `address` and `preferred`.
pub(crate) fn read_channels(state: &State, reader: &mut Reader<'_>) -> Given<Vec<ChannelDraft>> {
    let problems = reader.problems();
    let rows = match reader.list("channels") {
        Given::Absent => return Given::Absent,
        Given::Null => return Given::Null,
        Given::Value(rows) => rows,
    };
    let base = reader.path("channels");
    let mut drafts: Vec<ChannelDraft> = Vec::with_capacity(rows.len());
    for (position, row) in rows.into_iter().enumerate() {
        let path = format!("{base}.{position}");
        let Some(draft) = read_channel(state, row, &path, problems) else { continue };
        let same = |other: &ChannelDraft| {
            other.kind == draft.kind
                && normal_address(&other.kind, &other.address) == normal_address(&draft.kind, &draft.address)
        };
        if drafts.iter().any(same) {
            problems.add(&path, "Duplicate channel.");
        }
        drafts.push(draft);
    }
    Given::Value(drafts)
}

fn read_channel(state: &State, row: Value, path: &str, problems: &Problems) -> Option<ChannelDraft> {
    let mut reader = Reader::nested(row, path.to_owned(), problems)?;
    let kind = reader.text("type", 1..=ADDRESS_CHARS_MAX);
    let kind = reader.required("type", kind);
    let address = reader.text("address", 1..=ADDRESS_CHARS_MAX);
    let address = reader.required("address", address);
    // Documented as required, yet live requests without it are stored as true (facts: customers).
    let preferred = reader.boolean("preferred");
    let preferred = reader.solid("preferred", preferred).unwrap_or(true);
    let (kind, address) = (kind?, address?);
    if !state.is_customer_channel(&kind) {
        reader.problem("type", "Not a known channel type.");
    }
    if kind == "email" && !is_email(&address) {
        reader.problem("address", "Not a valid email address.");
    }
    if kind == "phone" && state.switches.phone_e164_only && !is_e164(&address) {
        reader.problem("address", "Not a phone number in E.164.");
    }
    reader.end();
    Some(ChannelDraft { kind, address, preferred })
}

/// Refuses addresses that a person other than `own` holds.
pub(crate) fn check_addresses(
    state: &State,
    own: &[u64],
    email: Option<&str>,
    channels: &[ChannelDraft],
) -> Answered<()> {
    let emails = channels.iter().filter(|draft| draft.kind == "email").map(|draft| draft.address.as_str());
    for email in emails.chain(email) {
        let user = state.users_by_email.get(&normal_address("email", email)).copied();
        let taken = user.into_iter().chain(state.customers.with_address("email", email));
        if taken.into_iter().any(|holder| !own.contains(&holder)) {
            let status = match state.switches.duplicate_email {
                DuplicateEmail::Conflict => 409,
                DuplicateEmail::BadRequest => 400,
            };
            return Err(Refusal::about_field(
                status,
                "email",
                "This email is already used by another person.",
            ));
        }
    }
    if state.switches.duplicate_channel == DuplicateChannel::Allow {
        return Ok(());
    }
    for draft in channels.iter().filter(|draft| draft.kind != "email") {
        if state.customers.with_address(&draft.kind, &draft.address).any(|holder| !own.contains(&holder)) {
            let message = format!("This {} channel is already used by another customer.", draft.kind);
            return Err(Refusal::about_field(409, "channels", message));
        }
    }
    Ok(())
}

/// The stored channels for `drafts`; those of an address that the customer had keep their id.
pub(crate) fn build_channels(state: &mut State, old: &[Channel], drafts: Vec<ChannelDraft>) -> Vec<Channel> {
    let now = state.now;
    drafts
        .into_iter()
        .map(|draft| {
            let same =
                |channel: &&Channel| *channel.kind == *draft.kind && *channel.address == *draft.address;
            if let Some(channel) = old.iter().find(same) {
                return Channel { preferred: draft.preferred, updated: now, ..channel.clone() };
            }
            Channel {
                id: state.ids.channel.next(&mut state.random),
                kind: state.word(&draft.kind),
                address: draft.address.into(),
                preferred: draft.preferred,
                created: now,
                updated: now,
            }
        })
        .collect()
}

/// A new customer without anything but its id.
pub(crate) fn blank_customer(state: &mut State) -> Customer {
    Customer {
        id: state.ids.person.next(&mut state.random),
        external_id: None,
        email: None,
        name: None,
        language: None,
        timezone: None,
        note: None,
        channels: Vec::new(),
        values: Vec::new(),
        custom: None,
        name_set_via: Some("agent"),
        created: state.now,
        updated: state.now.plus_micros(4),
        stored: state.now,
        origin: state.actor.origin,
    }
}

/// How a ticket or message names a person.
#[derive(Debug, Clone, Default)]
pub(crate) struct PersonRef {
    pub(crate) id: Option<u64>,
    pub(crate) email: Option<String>,
    name: Option<String>,
    external_id: Option<String>,
    note: Option<String>,
    language: Option<String>,
    time_zone: Option<String>,
    channels: Vec<ChannelDraft>,
}

impl PersonRef {
    fn changes_person(&self) -> bool {
        self.name.is_some()
            || self.external_id.is_some()
            || self.note.is_some()
            || self.language.is_some()
            || self.time_zone.is_some()
            || !self.channels.is_empty()
            || (self.id.is_some() && self.email.is_some())
    }

    /// The person that is meant, if there is one already.
    pub(crate) fn known(&self, state: &State) -> Option<u64> {
        match self.id {
            Some(id) => Some(id).filter(|id| state.is_person(*id)),
            None => state.person_with_email(self.email.as_deref()?),
        }
    }
}

/// Reads a reference to a person; `keys` says how much of the person it may carry.
pub(crate) fn read_person(
    state: &State,
    value: Value,
    path: String,
    problems: &Problems,
    whole: bool,
) -> Option<PersonRef> {
    let mut reader = Reader::nested(value, path, problems)?;
    let mut person = PersonRef { id: reader.id("id").value(), ..PersonRef::default() };
    person.email = read_email(&mut reader, "email").value();
    person.name = reader.text("name", 0..=TEXT_CHARS_MAX).value();
    if whole {
        person.external_id = reader.text("external_id", 0..=255).value();
        person.note = reader.text("note", 0..=TEXT_CHARS_MAX).value();
        person.language = read_language(&mut reader, "language").value();
        person.time_zone = read_time_zone(&mut reader, "timezone").value();
        person.channels = read_channels(state, &mut reader).value().unwrap_or_default();
        reader.object("meta");
    }
    if person.id.is_some_and(|id| !state.is_person(id)) {
        reader.problem("id", "This person does not exist.");
    }
    if person.id.is_none() && person.email.is_none() {
        reader.problem("id", "Either id or email is required.");
    }
    reader.end();
    Some(person)
}

/// The id of the person that is meant: found, changed or created, as Gorgias does.
pub(crate) fn settle_person(state: &mut State, person: PersonRef) -> Option<u64> {
    let Some(id) = person.known(state) else { return create_person(state, person) };
    if person.changes_person() && state.customers.get(id).is_some() {
        let entry = Entry {
            person_id: Some(id),
            ..state.entry(codes::PERSON_CHANGED, "a reference had more than an id")
        };
        state.violation(entry);
        let now = state.now;
        let old = state.customers.get(id).map(|customer| customer.channels.clone()).unwrap_or_default();
        let mut channels = build_channels(state, &old, person.channels);
        channels.retain(|channel| !old.iter().any(|kept| kept.id == channel.id));
        state.customers.change(id, |customer| {
            customer.updated = now;
            customer.channels.extend(channels);
            for (from, to) in [
                (person.name, &mut customer.name),
                (person.external_id, &mut customer.external_id),
                (person.note, &mut customer.note),
                (person.language, &mut customer.language),
                (person.time_zone, &mut customer.timezone),
            ] {
                if let Some(text) = from {
                    *to = Some(text.into());
                }
            }
        });
        state.log("customer-updated", "Customer", id);
    }
    Some(id)
}

fn create_person(state: &mut State, person: PersonRef) -> Option<u64> {
    let email = person.email?;
    let mut drafts = person.channels;
    if !drafts.iter().any(|draft| draft.kind == "email") {
        drafts.push(ChannelDraft { kind: "email".to_owned(), address: email.clone(), preferred: true });
    }
    let mut customer = blank_customer(state);
    customer.channels = build_channels(state, &[], drafts);
    customer.email = Some(email.into());
    customer.name = person.name.map(Into::into);
    customer.external_id = person.external_id.map(Into::into);
    customer.note = person.note.map(Into::into);
    customer.language = person.language.map(Into::into);
    customer.timezone = person.time_zone.map(Into::into);
    let id = customer.id;
    state.customers.insert(customer);
    state.log("customer-created", "Customer", id);
    let entry = Entry {
        person_id: Some(id),
        ..state.entry(codes::PERSON_CREATED, "a reference named an unknown email")
    };
    state.violation(entry);
    Some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_recognised() {
        let emails = ["a@b.example", "a@b", "@b", "a@", "a b@c.example", "a@b@c", "plain"].map(is_email);
        assert_eq!(emails, [true, true, false, false, false, false, false]);
        let numbers =
            ["+358401234567", "358401234567", "+35840", "+3584012345678901", "+35840x234567"].map(is_e164);
        assert_eq!(numbers, [true, false, false, false, false]);
    }
}
