//! An account made from what another account answered: same ids, same settings, same records, as far as answers tell.
//!
//! Records come one by one as JSON in the form of lists or single reads. Of messages only their number is known, so that
//! lists are as long as they were; they are shells without text. Deliberately absent: asking the other account.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::clock::{Instant, Ticking};
use super::config::{Config, Switches};
use super::model::{
    Channel, Customer, Field, Message, ObjectType, Origin, Tag, Team, Ticket, TicketTimes, User, Values,
};
use super::seed::AGE_MICROS;
use super::shelves::plain;
use super::state::{Actor, State};
use super::views::{add as add_view, system_views};
use super::words::{CUSTOMER_MANAGED_TYPES, PRIORITIES, REQUIREMENTS, STATUSES, TICKET_MANAGED_TYPES};

/// Messages of one ticket that are put there, at the most.
const MESSAGES_MAX: u64 = 10_000;

/// An account that is being put together.
#[derive(Debug)]
pub struct AccountCopy {
    state: State,
    switches: Switches,
    left: BTreeMap<String, u64>,
    taken: BTreeMap<String, u64>,
}

impl AccountCopy {
    /// Nothing yet; of the configuration everything counts but what the account holds.
    #[must_use]
    pub fn new(config: &Config) -> Self {
        let now = Ticking::start(&config.clock, 1.0).now();
        let mut state = State::empty(config, now.plus_micros(-AGE_MICROS));
        state.actor = Actor { user: 0, origin: Origin::Preexisting };
        // What is there already was made under no limit that the configuration may set.
        state.switches = Switches::default();
        Self { state, switches: config.switches.clone(), left: BTreeMap::new(), taken: BTreeMap::new() }
    }

    /// A user as listed. The one whose key is used is the owner.
    pub fn user(&mut self, row: &Value, is_owner: bool) {
        let Some(id) = self.id("user", "person", row) else { return };
        if row["active"] == json!(false) || !row["deactivated_datetime"].is_null() {
            return self.leave("deactivated user");
        }
        let text = |key: &str| row[key].as_str().map(str::to_owned);
        let user = User {
            id,
            email: text("email").unwrap_or_else(|| format!("user-{id}@invalid.example")),
            name: text("name").unwrap_or_default(),
            role: row["role"]["name"].as_str().unwrap_or("agent").to_owned(),
            external_id: text("external_id"),
            bio: text("bio"),
            country: text("country"),
            language: text("language"),
            timezone: text("timezone").unwrap_or_else(|| self.state.time_zone.clone()),
            sso: None,
            picture: None,
            created: self.at(row, "created_datetime"),
            updated: self.at(row, "updated_datetime"),
            owner: is_owner,
        };
        if is_owner {
            self.state.owner = id;
        }
        self.state.insert_user(user);
    }

    /// A team as listed.
    pub fn team(&mut self, row: &Value) {
        let Some(id) = self.id("team", "team", row) else { return };
        let members = row["members"].as_array().into_iter().flatten();
        let team = Team {
            id,
            name: row["name"].as_str().unwrap_or_default().to_owned(),
            description: row["description"].as_str().map(str::to_owned),
            emoji: row["decoration"]["emoji"].as_str().map(str::to_owned),
            members: members.filter_map(|member| member["id"].as_u64()).collect(),
            created: self.at(row, "created_datetime"),
            origin: Origin::Preexisting,
        };
        self.state.teams.insert(id, team);
    }

    /// A tag as listed.
    pub fn tag(&mut self, row: &Value) {
        let Some(id) = self.id("tag", "tag", row) else { return };
        let tag = Tag {
            id,
            name: row["name"].as_str().unwrap_or_default().to_owned(),
            description: row["description"].as_str().map(str::to_owned),
            color: row["decoration"]["color"].as_str().unwrap_or("#000000").to_owned(),
            usage: row["usage"].as_u64().unwrap_or(0),
            created: self.at(row, "created_datetime"),
            origin: Origin::Preexisting,
        };
        self.state.tags.insert(tag);
    }

    /// A custom field as listed, archived ones too.
    pub fn field(&mut self, row: &Value) {
        let Some(id) = self.id("field", "field", row) else { return };
        let object = ObjectType::named(row["object_type"].as_str().unwrap_or_default());
        let known: &[&'static str] = match object {
            ObjectType::Ticket => &TICKET_MANAGED_TYPES,
            ObjectType::Customer => &CUSTOMER_MANAGED_TYPES,
        };
        let managed = row["managed_type"].as_str().and_then(|word| known_word(known, word));
        if managed.is_none() && !row["managed_type"].is_null() {
            self.leave("kind of a managed field");
        }
        let requirement = row["requirement_type"].as_str().unwrap_or_default();
        let field = Field {
            id,
            external_id: row["external_id"].as_str().map(str::to_owned),
            object,
            label: row["label"].as_str().unwrap_or_default().to_owned(),
            description: row["description"].as_str().map(str::to_owned),
            priority: row["priority"].as_i64().unwrap_or(0),
            required: row["required"].as_bool().unwrap_or(false),
            requirement: known_word(&REQUIREMENTS, requirement).unwrap_or("visible"),
            managed,
            definition: row["definition"].clone(),
            created: self.at(row, "created_datetime"),
            updated: self.at(row, "updated_datetime"),
            deactivated: instant(row, "deactivated_datetime"),
            origin: Origin::Preexisting,
        };
        self.state.fields.insert(id, field);
    }

    /// A rule as listed.
    pub fn rule(&mut self, row: &Value) {
        let Some(id) = self.id("rule", "other", row) else { return };
        self.state.rules.insert(id, plain(row.clone()));
    }

    /// An integration as listed.
    pub fn integration(&mut self, row: &Value) {
        let Some(id) = self.id("integration", "other", row) else { return };
        self.state.integrations.insert(id, plain(row.clone()));
    }

    /// A setting: its id, its type, and its data.
    pub fn setting(&mut self, id: u64, kind: &str, data: &Value) {
        let row = json!({ "id": id, "type": kind, "data": data });
        if let Some(id) = self.id("setting", "other", &row) {
            self.state.settings.insert(id, plain(row));
        }
    }

    /// A customer as listed or as read alone, which tells channels and values too. A later form replaces an earlier one.
    pub fn customer(&mut self, row: &Value) {
        let Some(id) = self.id("customer", "person", row) else { return };
        if self.state.customers.get(id).is_some() {
            self.state.customers.remove(id);
            self.count("customer", -1);
        }
        let boxed = |key: &str| row[key].as_str().map(Into::into);
        let created = self.at(row, "created_datetime");
        let customer = Customer {
            id,
            external_id: boxed("external_id"),
            email: boxed("email"),
            name: boxed("name"),
            language: boxed("language"),
            timezone: boxed("timezone"),
            note: boxed("note"),
            channels: self.channels(row, created),
            values: values(&row["custom_fields"]),
            custom: None,
            name_set_via: match row["meta"]["name_set_via"].as_str() {
                Some("agent") => Some("agent"),
                Some(_) => Some("email"),
                None => None,
            },
            created,
            updated: self.at(row, "updated_datetime"),
            stored: created,
            origin: Origin::Preexisting,
        };
        self.state.customers.insert(customer);
    }

    /// Channels as told; of the list form only the address itself.
    fn channels(&mut self, row: &Value, created: Instant) -> Vec<Channel> {
        let told: Vec<(u64, String, String, bool)> = match row["channels"].as_array() {
            Some(channels) => channels
                .iter()
                .filter_map(|it| {
                    let (kind, address) = (it["type"].as_str()?, it["address"].as_str()?);
                    let preferred = it["preferred"].as_bool().unwrap_or(false);
                    Some((it["id"].as_u64().unwrap_or(0), kind.to_owned(), address.to_owned(), preferred))
                })
                .collect(),
            None => row["email"]
                .as_str()
                .map(|email| (0, "email".to_owned(), email.to_owned(), true))
                .into_iter()
                .collect(),
        };
        let mut channels = Vec::with_capacity(told.len());
        for (id, kind, address, preferred) in told {
            let id = if id == 0 { self.state.ids.channel.next(&mut self.state.random) } else { id };
            self.state.ids.channel.raise(id);
            let kind = self.state.word(&kind);
            let address = address.into();
            channels.push(Channel { id, kind, address, preferred, created, updated: created });
        }
        channels
    }

    /// A ticket as listed, with shells for its messages.
    pub fn ticket(&mut self, row: &Value) {
        let Some(id) = self.id("ticket", "ticket", row) else { return };
        let word = |copy: &mut Self, key: &str| {
            let word = row[key].as_str().unwrap_or("api").to_owned();
            copy.state.allow_channel(&word);
            copy.state.word(&word)
        };
        let (channel, via) = (word(self, "channel"), word(self, "via"));
        let created = self.at(row, "created_datetime");
        let customer = row["customer"]["id"].as_u64().filter(|id| self.state.customers.get(*id).is_some());
        let named = |row: &Value| row["id"].as_u64();
        let tags = row["tags"].as_array().into_iter().flatten().filter_map(named);
        let boxed = |key: &str| row[key].as_str().map(Into::into);
        let ticket = Ticket {
            id,
            external_id: boxed("external_id"),
            status: known_word(&STATUSES, row["status"].as_str().unwrap_or_default()).unwrap_or("open"),
            priority: known_word(&PRIORITIES, row["priority"].as_str().unwrap_or_default())
                .unwrap_or("normal"),
            channel,
            via,
            from_agent: row["from_agent"].as_bool().unwrap_or(false),
            spam: row["spam"].as_bool().unwrap_or(false),
            imported: row["imported"].as_bool().unwrap_or(false),
            unread: row["is_unread"].as_bool().unwrap_or(false),
            customer,
            assignee_user: named(&row["assignee_user"]).filter(|id| self.state.users.contains_key(id)),
            assignee_team: named(&row["assignee_team"]).filter(|id| self.state.teams.contains_key(id)),
            language: boxed("language"),
            subject: boxed("subject"),
            meta: (!row["meta"].is_null()).then(|| Box::new(row["meta"].clone())),
            tags: tags.filter(|id| self.state.tags.get(*id).is_some()).collect(),
            values: values(&row["custom_fields"]),
            messages: Vec::new(),
            survey: None,
            times: TicketTimes {
                created,
                updated: self.at(row, "updated_datetime"),
                opened: instant(row, "opened_datetime"),
                closed: instant(row, "closed_datetime"),
                trashed: instant(row, "trashed_datetime"),
                snoozed_until: instant(row, "snooze_datetime"),
                last_message: instant(row, "last_message_datetime"),
                last_received: instant(row, "last_received_message_datetime"),
            },
            stored: created,
            origin: Origin::Preexisting,
        };
        self.shells(ticket, row["messages_count"].as_u64().unwrap_or(0));
    }

    /// Stores a ticket with so many messages, of which nothing is known.
    fn shells(&mut self, mut ticket: Ticket, count: u64) {
        if count > MESSAGES_MAX {
            self.leave("ticket with more messages than are put there");
        }
        for _ in 0..count.min(MESSAGES_MAX) {
            let id = self.state.ids.message.next(&mut self.state.random);
            let message = Message {
                id,
                ticket: ticket.id,
                external_id: None,
                channel: ticket.channel.clone(),
                via: ticket.via.clone(),
                from_agent: false,
                public: true,
                imported: false,
                intent: false,
                sender: ticket.customer,
                receiver: None,
                body_text: None,
                body_html: None,
                subject: None,
                created: ticket.times.created,
                sent: Some(ticket.times.created),
                stored: ticket.stored,
                rare: None,
                origin: Origin::Preexisting,
            };
            self.state.messages.insert(message);
            ticket.messages.push(id);
        }
        self.count("message shell", i64::try_from(count.min(MESSAGES_MAX)).unwrap_or(0));
        self.state.tickets.insert(ticket);
    }

    /// Records that are there, by kind.
    #[must_use]
    pub fn taken(&self) -> &BTreeMap<String, u64> {
        &self.taken
    }

    /// What could not be taken over, by kind.
    #[must_use]
    pub fn left(&self) -> &BTreeMap<String, u64> {
        &self.left
    }

    /// The account at the instant `now`.
    pub(crate) fn into_state(mut self, now: Instant) -> State {
        for (name, filters) in system_views() {
            let keys = plain(json!({ "name": name, "slug": name.to_lowercase(), "filters": filters }));
            add_view(&mut self.state, "system", keys);
        }
        self.state.tickets_created = 0;
        self.state.switches = self.switches;
        self.state.actor = Actor { user: self.state.owner, origin: Origin::Client };
        self.state.now = now;
        self.state
    }

    /// The record's own id; what is made later gets higher ones.
    fn id(&mut self, kind: &'static str, sequence: &'static str, row: &Value) -> Option<u64> {
        let Some(id) = row["id"].as_u64() else {
            self.leave(&format!("{kind} without id"));
            return None;
        };
        let ids = &mut self.state.ids;
        match sequence {
            "person" => ids.person.raise(id),
            "team" => ids.team.raise(id),
            "tag" => ids.tag.raise(id),
            "field" => ids.field.raise(id),
            "ticket" => ids.ticket.raise(id),
            _ => ids.other.raise(id),
        }
        self.count(kind, 1);
        Some(id)
    }

    fn count(&mut self, kind: &str, more: i64) {
        let held = self.taken.entry(kind.to_owned()).or_default();
        *held = held.saturating_add_signed(more);
    }

    fn leave(&mut self, what: &str) {
        *self.left.entry(what.to_owned()).or_default() += 1;
    }

    fn at(&self, row: &Value, key: &str) -> Instant {
        instant(row, key).unwrap_or(self.state.started)
    }
}

fn instant(row: &Value, key: &str) -> Option<Instant> {
    Instant::parse(row[key].as_str()?)
}

/// The word as the vocabulary has it.
fn known_word(words: &[&'static str], word: &str) -> Option<&'static str> {
    words.iter().copied().find(|known| *known == word)
}

/// Values in the form of a map by id, or of a list with definitions.
fn values(told: &Value) -> Values {
    let of_map = told.as_object().into_iter().flat_map(|map| map.values());
    let of_list = told.as_array().into_iter().flatten();
    let mut values: Values = of_map
        .chain(of_list)
        .filter_map(|it| {
            let id = it["id"].as_u64().or_else(|| it["custom_field"]["id"].as_u64())?;
            (!it["value"].is_null()).then(|| (id, it["value"].clone()))
        })
        .collect();
    values.sort_by_key(|(id, _)| *id);
    values
}
