//! The account as it stands: all tables, ledgers and what is due later.
//!
//! Everything happens under one lock, so a request is atomic. Deliberately absent: HTTP, and reading of requests.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::Value;

use super::answer::{Answered, Refusal};
use super::clock::Instant;
use super::config::{Config, Switches, UnknownKeys};
use super::events::{Event, Events};
use super::ledger::{Entry, Ledgers};
use super::model::{Field, Origin, Team, User, Word};
use super::reading::Problems;
use super::tables::{Customers, Messages, Shelf, Tags, Tickets};
use super::words::{CHANNELS, CUSTOMER_CHANNELS, VIAS};

/// Ids of one kind: ascending, with gaps, so that no client can rely on neighbours.
#[derive(Debug)]
pub(crate) struct Sequence {
    last: u64,
    gap: u64,
}

impl Sequence {
    fn from(first: u64, gap: u64) -> Self {
        Self { last: first, gap }
    }

    pub(crate) fn next(&mut self, random: &mut ChaCha8Rng) -> u64 {
        self.last += 1 + random.next_u64() % self.gap;
        self.last
    }

    /// What comes next is above this id, which is taken.
    pub(crate) fn raise(&mut self, taken: u64) {
        self.last = self.last.max(taken);
    }
}

/// The sequences of ids, in the ranges seen live (facts: pitfalls).
#[derive(Debug)]
pub(crate) struct Sequences {
    /// Users and customers share one table of persons.
    pub(crate) person: Sequence,
    pub(crate) channel: Sequence,
    pub(crate) ticket: Sequence,
    pub(crate) message: Sequence,
    pub(crate) tag: Sequence,
    pub(crate) team: Sequence,
    pub(crate) field: Sequence,
    /// Rules, views, macros, jobs, integrations, surveys, settings.
    pub(crate) other: Sequence,
    pub(crate) upload: Sequence,
}

/// Who a request acts for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Actor {
    /// The user whose key it is.
    pub(crate) user: u64,
    /// Whether the client under test acts, or a scripted person.
    pub(crate) origin: Origin,
}

/// What happens by itself at a later instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Due {
    MessageSent(u64),
    SurveySent(u64),
    JobRun(u64),
}

/// A file that was uploaded.
#[derive(Debug, Clone)]
pub(crate) struct Upload {
    pub(crate) content_type: String,
    pub(crate) bytes: Bytes,
}

/// The account.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) domain: String,
    pub(crate) time_zone: String,
    pub(crate) switches: Switches,
    /// Instant of the request that is being served.
    pub(crate) now: Instant,
    pub(crate) actor: Actor,
    pub(crate) owner: u64,
    pub(crate) started: Instant,
    pub(crate) random: ChaCha8Rng,
    pub(crate) ids: Sequences,
    words: BTreeMap<String, Word>,
    custom_channels: BTreeSet<String>,

    pub(crate) users: BTreeMap<u64, User>,
    pub(crate) users_by_email: BTreeMap<String, u64>,
    pub(crate) customers: Customers,
    /// Shapes of persons that are gone, for the messages that they sent.
    pub(crate) departed: BTreeMap<u64, Value>,
    /// Merged customers and the ones they became.
    pub(crate) merged: BTreeMap<u64, u64>,
    pub(crate) teams: BTreeMap<u64, Team>,
    pub(crate) tags: Tags,
    pub(crate) fields: BTreeMap<u64, Field>,
    pub(crate) tickets: Tickets,
    pub(crate) messages: Messages,
    pub(crate) events: Events,
    pub(crate) uploads: BTreeMap<String, Upload>,
    pub(crate) rules: Shelf,
    pub(crate) integrations: Shelf,
    pub(crate) views: Shelf,
    pub(crate) macros: Shelf,
    pub(crate) jobs: Shelf,
    pub(crate) surveys: Shelf,
    pub(crate) settings: Shelf,
    /// Tickets that the client created, for the quota of a trial account.
    pub(crate) tickets_created: u64,
    pub(crate) ledgers: Ledgers,
    pub(crate) billed: BTreeSet<u64>,
    pub(crate) maybe_billed: BTreeSet<u64>,
    due: BTreeSet<(Instant, Due)>,
}

impl State {
    /// An account without anything in it; `seed::fill` brings it to life.
    pub(crate) fn empty(config: &Config, now: Instant) -> Self {
        Self {
            domain: config.domain.clone(),
            time_zone: config.preexisting.time_zone.clone(),
            switches: config.switches.clone(),
            now,
            actor: Actor { user: 0, origin: Origin::Preexisting },
            owner: 0,
            started: now,
            random: ChaCha8Rng::seed_from_u64(config.seed),
            ids: Sequences {
                person: Sequence::from(519_000_000, 5),
                channel: Sequence::from(654_000_000, 3),
                ticket: Sequence::from(82_000_000, 4),
                message: Sequence::from(218_000_000, 3),
                tag: Sequence::from(1_812_000, 2),
                team: Sequence::from(4_300, 2),
                field: Sequence::from(319_600, 2),
                other: Sequence::from(120_000, 9),
                upload: Sequence::from(700_000, 9),
            },
            words: BTreeMap::new(),
            custom_channels: config.preexisting.custom_channels.iter().cloned().collect(),
            users: BTreeMap::new(),
            users_by_email: BTreeMap::new(),
            customers: Customers::default(),
            departed: BTreeMap::new(),
            merged: BTreeMap::new(),
            teams: BTreeMap::new(),
            tags: Tags::default(),
            fields: BTreeMap::new(),
            tickets: Tickets::default(),
            messages: Messages::default(),
            events: Events::default(),
            uploads: BTreeMap::new(),
            rules: Shelf::default(),
            integrations: Shelf::default(),
            views: Shelf::default(),
            macros: Shelf::default(),
            jobs: Shelf::default(),
            surveys: Shelf::default(),
            settings: Shelf::default(),
            tickets_created: 0,
            ledgers: Ledgers::default(),
            billed: BTreeSet::new(),
            maybe_billed: BTreeSet::new(),
            due: BTreeSet::new(),
        }
    }

    pub(crate) fn refuses_unknown(&self) -> bool {
        self.switches.unknown_keys == UnknownKeys::Refuse
    }

    pub(crate) fn problems(&self) -> Problems {
        Problems::new(self.refuses_unknown())
    }

    /// The stored form of a word of a small vocabulary.
    pub(crate) fn word(&mut self, text: &str) -> Word {
        if let Some(word) = self.words.get(text) {
            return word.clone();
        }
        let word: Word = text.into();
        self.words.insert(text.to_owned(), word.clone());
        word
    }

    pub(crate) fn is_channel(&self, name: &str) -> bool {
        CHANNELS.contains(&name) || self.custom_channels.contains(name)
    }

    /// Makes a word one of the account's own channels unless it is known.
    pub(crate) fn allow_channel(&mut self, name: &str) {
        if !self.is_channel(name) && !self.is_via(name) {
            self.custom_channels.insert(name.to_owned());
        }
    }

    pub(crate) fn is_via(&self, name: &str) -> bool {
        CHANNELS.contains(&name) || VIAS.contains(&name)
    }

    pub(crate) fn is_customer_channel(&self, name: &str) -> bool {
        CUSTOMER_CHANNELS.contains(&name) || self.custom_channels.contains(name)
    }

    /// Whether a record stored at `stored` shows in lists by now.
    pub(crate) fn is_listed(&self, stored: Instant) -> bool {
        self.switches.list_lag_seconds <= 0.0
            || stored.plus_seconds(self.switches.list_lag_seconds) <= self.now
    }

    /// Whether a record stored at `stored` shows in search and views by now.
    pub(crate) fn is_searchable(&self, stored: Instant) -> bool {
        stored.plus_seconds(self.switches.search_lag_seconds) <= self.now
    }

    /// The user or customer that holds an e-mail; both share one space (facts: uniqueness).
    pub(crate) fn person_with_email(&self, email: &str) -> Option<u64> {
        let user = self.users_by_email.get(&super::model::normal_address("email", email)).copied();
        user.or_else(|| self.customers.with_address("email", email).next())
    }

    pub(crate) fn is_person(&self, id: u64) -> bool {
        self.users.contains_key(&id) || self.customers.get(id).is_some()
    }

    pub(crate) fn insert_user(&mut self, user: User) {
        self.users_by_email.insert(super::model::normal_address("email", &user.email), user.id);
        self.users.insert(user.id, user);
    }

    pub(crate) fn remove_user(&mut self, id: u64) -> Option<User> {
        let user = self.users.remove(&id)?;
        self.users_by_email.remove(&super::model::normal_address("email", &user.email));
        Some(user)
    }

    /// Logs an event made by the actor of the request.
    pub(crate) fn log(&mut self, kind: &'static str, object_type: &'static str, object_id: u64) {
        let user_id = Some(self.actor.user);
        self.log_as(user_id, kind, object_type, object_id, None);
    }

    pub(crate) fn log_as(
        &mut self,
        user_id: Option<u64>,
        kind: &'static str,
        object_type: &'static str,
        object_id: u64,
        data: Option<Box<Value>>,
    ) {
        self.events.push(Event { kind, object_type, object_id, user_id, data, created: self.now });
    }

    pub(crate) fn entry(&self, code: &'static str, detail: impl Into<String>) -> Entry {
        Entry {
            at: self.now.text(),
            code,
            ticket_id: None,
            message_id: None,
            person_id: None,
            detail: detail.into(),
        }
    }

    /// Records harm done by the client under test; what a scripted person does is no harm.
    pub(crate) fn violation(&mut self, entry: Entry) {
        if self.actor.origin == Origin::Client {
            self.ledgers.violations.push(entry);
        }
    }

    pub(crate) fn later(&mut self, seconds: f64, due: Due) {
        self.due.insert((self.now.plus_seconds(seconds), due));
    }

    /// The next thing that is due by now, taken from the list.
    pub(crate) fn next_due(&mut self) -> Option<Due> {
        let first = *self.due.first()?;
        if first.0 > self.now {
            return None;
        }
        self.due.remove(&first);
        Some(first.1)
    }

    pub(crate) fn ticket_exists(&self, id: u64) -> Answered<()> {
        self.tickets.get(id).map(|_| ()).ok_or_else(|| Refusal::not_found("Ticket", id))
    }
}
