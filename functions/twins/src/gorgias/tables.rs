//! The tables of an account, each with the indexes that its lists and look-ups need.
//!
//! A row changes only through `change`, which keeps the indexes true. Deliberately absent: validation.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::clock::Instant;
use super::model::{Customer, Message, Tag, Ticket, Word, normal_address};

type ByInstant = BTreeSet<(Instant, u64)>;
type ByText = BTreeSet<(Box<str>, u64)>;

fn matching<'a>(index: &'a ByText, text: &str) -> impl Iterator<Item = u64> + use<'a> {
    let text: Box<str> = text.into();
    index.range((text.clone(), 0)..=(text, u64::MAX)).map(|(_, id)| *id)
}

/// Tickets by id, creation, change, external id and customer.
#[derive(Debug, Default)]
pub(crate) struct Tickets {
    rows: BTreeMap<u64, Ticket>,
    by_created: ByInstant,
    by_updated: ByInstant,
    by_external: ByText,
    by_customer: BTreeSet<(u64, u64)>,
}

impl Tickets {
    pub(crate) fn get(&self, id: u64) -> Option<&Ticket> {
        self.rows.get(&id)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Ticket> {
        self.rows.values()
    }

    pub(crate) fn by_created(&self) -> &ByInstant {
        &self.by_created
    }

    pub(crate) fn by_updated(&self) -> &ByInstant {
        &self.by_updated
    }

    pub(crate) fn with_external_id(&self, external_id: &str) -> impl Iterator<Item = u64> + use<'_> {
        matching(&self.by_external, external_id)
    }

    pub(crate) fn of_customer(&self, customer: u64) -> impl Iterator<Item = u64> + use<'_> {
        self.by_customer.range((customer, 0)..=(customer, u64::MAX)).map(|(_, id)| *id)
    }

    pub(crate) fn insert(&mut self, ticket: Ticket) {
        self.index(&ticket);
        self.rows.insert(ticket.id, ticket);
    }

    pub(crate) fn remove(&mut self, id: u64) -> Option<Ticket> {
        let ticket = self.rows.remove(&id)?;
        self.unindex(&ticket);
        Some(ticket)
    }

    pub(crate) fn change<T>(&mut self, id: u64, change: impl FnOnce(&mut Ticket) -> T) -> Option<T> {
        let mut ticket = self.remove(id)?;
        let outcome = change(&mut ticket);
        self.insert(ticket);
        Some(outcome)
    }

    fn index(&mut self, ticket: &Ticket) {
        self.by_created.insert((ticket.times.created, ticket.id));
        self.by_updated.insert((ticket.times.updated, ticket.id));
        if let Some(external_id) = &ticket.external_id {
            self.by_external.insert((external_id.clone(), ticket.id));
        }
        if let Some(customer) = ticket.customer {
            self.by_customer.insert((customer, ticket.id));
        }
    }

    fn unindex(&mut self, ticket: &Ticket) {
        self.by_created.remove(&(ticket.times.created, ticket.id));
        self.by_updated.remove(&(ticket.times.updated, ticket.id));
        if let Some(external_id) = &ticket.external_id {
            self.by_external.remove(&(external_id.clone(), ticket.id));
        }
        if let Some(customer) = ticket.customer {
            self.by_customer.remove(&(customer, ticket.id));
        }
    }
}

/// Customers by id, creation, change, external id and every address.
#[derive(Debug, Default)]
pub(crate) struct Customers {
    rows: BTreeMap<u64, Customer>,
    by_created: ByInstant,
    by_updated: ByInstant,
    by_external: ByText,
    by_address: BTreeSet<(Word, String, u64)>,
}

impl Customers {
    pub(crate) fn get(&self, id: u64) -> Option<&Customer> {
        self.rows.get(&id)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Customer> {
        self.rows.values()
    }

    pub(crate) fn by_created(&self) -> &ByInstant {
        &self.by_created
    }

    pub(crate) fn by_updated(&self) -> &ByInstant {
        &self.by_updated
    }

    pub(crate) fn with_external_id(&self, external_id: &str) -> impl Iterator<Item = u64> + use<'_> {
        matching(&self.by_external, external_id)
    }

    /// Customers that hold `address`, compared in its normal form.
    pub(crate) fn with_address(&self, kind: &str, address: &str) -> impl Iterator<Item = u64> + use<'_> {
        let (kind, normal): (Word, _) = (kind.into(), normal_address(kind, address));
        self.by_address.range((kind.clone(), normal.clone(), 0)..=(kind, normal, u64::MAX)).map(|row| row.2)
    }

    pub(crate) fn insert(&mut self, customer: Customer) {
        self.by_created.insert((customer.created, customer.id));
        self.by_updated.insert((customer.updated, customer.id));
        if let Some(external_id) = &customer.external_id {
            self.by_external.insert((external_id.clone(), customer.id));
        }
        for (kind, normal) in addresses(&customer) {
            self.by_address.insert((kind, normal, customer.id));
        }
        self.rows.insert(customer.id, customer);
    }

    pub(crate) fn remove(&mut self, id: u64) -> Option<Customer> {
        let customer = self.rows.remove(&id)?;
        self.by_created.remove(&(customer.created, customer.id));
        self.by_updated.remove(&(customer.updated, customer.id));
        if let Some(external_id) = &customer.external_id {
            self.by_external.remove(&(external_id.clone(), customer.id));
        }
        for (kind, normal) in addresses(&customer) {
            self.by_address.remove(&(kind, normal, customer.id));
        }
        Some(customer)
    }

    pub(crate) fn change<T>(&mut self, id: u64, change: impl FnOnce(&mut Customer) -> T) -> Option<T> {
        let mut customer = self.remove(id)?;
        let outcome = change(&mut customer);
        self.insert(customer);
        Some(outcome)
    }
}

/// Every address of a customer in normal form: its channels, and its e-mail even when no channel repeats it.
pub(crate) fn addresses(customer: &Customer) -> Vec<(Word, String)> {
    let mut addresses: Vec<(Word, String)> = customer
        .channels
        .iter()
        .map(|channel| (channel.kind.clone(), normal_address(&channel.kind, &channel.address)))
        .collect();
    if let Some(email) = &customer.email {
        addresses.push(("email".into(), normal_address("email", email)));
    }
    addresses
}

/// Messages by id and creation.
#[derive(Debug, Default)]
pub(crate) struct Messages {
    rows: BTreeMap<u64, Message>,
    by_created: ByInstant,
}

impl Messages {
    pub(crate) fn get(&self, id: u64) -> Option<&Message> {
        self.rows.get(&id)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Message> {
        self.rows.values()
    }

    pub(crate) fn by_created(&self) -> &ByInstant {
        &self.by_created
    }

    pub(crate) fn insert(&mut self, message: Message) {
        self.by_created.insert((message.created, message.id));
        self.rows.insert(message.id, message);
    }

    pub(crate) fn remove(&mut self, id: u64) -> Option<Message> {
        let message = self.rows.remove(&id)?;
        self.by_created.remove(&(message.created, message.id));
        Some(message)
    }

    pub(crate) fn change<T>(&mut self, id: u64, change: impl FnOnce(&mut Message) -> T) -> Option<T> {
        let mut message = self.remove(id)?;
        let outcome = change(&mut message);
        self.insert(message);
        Some(outcome)
    }
}

/// Tags by id and name.
#[derive(Debug, Default)]
pub(crate) struct Tags {
    rows: BTreeMap<u64, Tag>,
    by_name: BTreeMap<String, u64>,
}

impl Tags {
    pub(crate) fn get(&self, id: u64) -> Option<&Tag> {
        self.rows.get(&id)
    }

    /// The tag of exactly this name; case counts (facts: tags).
    pub(crate) fn named(&self, name: &str) -> Option<&Tag> {
        self.by_name.get(name).and_then(|id| self.rows.get(id))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Tag> {
        self.rows.values()
    }

    pub(crate) fn insert(&mut self, tag: Tag) {
        self.by_name.insert(tag.name.clone(), tag.id);
        self.rows.insert(tag.id, tag);
    }

    pub(crate) fn remove(&mut self, id: u64) -> Option<Tag> {
        let tag = self.rows.remove(&id)?;
        self.by_name.remove(&tag.name);
        Some(tag)
    }

    pub(crate) fn change<T>(&mut self, id: u64, change: impl FnOnce(&mut Tag) -> T) -> Option<T> {
        let mut tag = self.remove(id)?;
        let outcome = change(&mut tag);
        self.insert(tag);
        Some(outcome)
    }

    pub(crate) fn count_use(&mut self, id: u64, used: bool) {
        if let Some(tag) = self.rows.get_mut(&id) {
            tag.usage = if used { tag.usage + 1 } else { tag.usage.saturating_sub(1) };
        }
    }
}

/// A record of the small tables (rules, views, macros …), kept as it looks on the wire.
pub(crate) type Plain = Map<String, Value>;

/// A small table of plain records.
#[derive(Debug, Default)]
pub(crate) struct Shelf {
    rows: BTreeMap<u64, Plain>,
}

impl Shelf {
    pub(crate) fn get(&self, id: u64) -> Option<&Plain> {
        self.rows.get(&id)
    }

    pub(crate) fn get_mut(&mut self, id: u64) -> Option<&mut Plain> {
        self.rows.get_mut(&id)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (u64, &Plain)> {
        self.rows.iter().map(|(id, plain)| (*id, plain))
    }

    pub(crate) fn insert(&mut self, id: u64, plain: Plain) {
        self.rows.insert(id, plain);
    }

    pub(crate) fn remove(&mut self, id: u64) -> Option<Plain> {
        self.rows.remove(&id)
    }
}

/// Text of a key of a plain record; empty when it is absent or no text.
pub(crate) fn text_of<'a>(plain: &'a Plain, key: &str) -> &'a str {
    plain.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// Whether a key of a plain record is absent or null.
pub(crate) fn is_null(plain: &Plain, key: &str) -> bool {
    plain.get(key).is_none_or(Value::is_null)
}
