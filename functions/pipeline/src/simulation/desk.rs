//! A LeadDesk in memory whose people go on working; what it shows is what its interfaces show.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;

use crate::ports::leaddesk::{
    FetchedRecording, LeadDesk, ListItem, PhoneHistory, RecordingError, RestPage, SourceError,
};

/// Lists of the account.
pub(super) const LISTS: [u32; 2] = [1, 2];

/// A contact card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Card {
    pub(super) lname: String,
    pub(super) email: String,
    pub(super) comment: String,
    /// Minutes since the account began.
    pub(super) updated: u64,
    pub(super) lists: BTreeSet<u32>,
    pub(super) is_alive: bool,
}

/// A call of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Call {
    pub(super) contact: u64,
    pub(super) minute: u64,
    pub(super) comment: String,
}

/// The account.
#[derive(Debug, Clone, Default)]
pub(super) struct Books {
    pub(super) cards: BTreeMap<u64, Card>,
    pub(super) calls: BTreeMap<u64, Call>,
    pub(super) minute: u64,
}

/// Its interfaces.
#[derive(Default)]
pub(super) struct Desk {
    books: Mutex<Books>,
    /// Cards as they were, where only the lists are looked at again.
    first: Option<BTreeMap<u64, Card>>,
    asked: Mutex<BTreeMap<String, u64>>,
}

pub(super) fn own_email(contact: u64) -> String {
    format!("person{contact}@example.com")
}

fn stamp(minute: u64) -> String {
    let (day, rest) = (minute / 1_440, minute % 1_440);
    format!("2024-01-{:02} {:02}:{:02}:00", 2 + day % 25, rest / 60, rest % 60)
}

fn phone(contact: u64) -> String {
    format!("+35840{contact:07}")
}

impl Books {
    /// So many people with one call each.
    pub(super) fn of(people: u64) -> Self {
        let mut books = Self::default();
        for contact in 1..=people {
            books.add_card(contact, LISTS[0]);
            books.add_call(contact);
        }
        books
    }

    pub(super) fn tick(&mut self) -> u64 {
        self.minute += 1;
        self.minute
    }

    pub(super) fn add_card(&mut self, contact: u64, list: u32) {
        let updated = self.tick();
        let card = Card {
            lname: format!("Last{contact}"),
            email: own_email(contact),
            comment: String::new(),
            updated,
            lists: BTreeSet::from([list]),
            is_alive: true,
        };
        self.cards.insert(contact, card);
    }

    pub(super) fn add_call(&mut self, contact: u64) {
        let (id, minute) = (1 + self.calls.len() as u64, self.tick());
        self.calls.insert(id, Call { contact, minute, comment: String::new() });
    }

    /// The call log from this call on, as the operator exports it.
    pub(super) fn call_log(&self, from: u64) -> String {
        let mut log =
            "id;created_at;talk_time;number;contact_id;campaign;agent_id;direction;comment\n".to_owned();
        for (id, call) in self.calls.range(from..) {
            writeln!(
                log,
                "{id};{};30;{};{};12;7;out;{}",
                stamp(call.minute),
                phone(call.contact),
                call.contact,
                call.comment
            )
            .expect("writing to a String cannot fail");
        }
        log
    }

    pub(super) fn write_log(&self, from: u64, folder: &Path) {
        std::fs::write(folder.join("calls.csv"), self.call_log(from)).expect("a folder of ours");
    }

    fn export(&self, list: u32) -> String {
        let mut rows = String::new();
        for (id, card) in self.cards.iter().filter(|(_, card)| card.is_alive && card.lists.contains(&list)) {
            let last = self.calls.values().filter(|call| call.contact == *id).map(|call| call.minute).max();
            let (called, campaign, agent) =
                last.map_or((String::new(), "", ""), |minute| (stamp(minute), "Spring", "Agent"));
            write!(
                rows,
                "{id};{};First{id};{};;;;;{};;{called};;{campaign};{agent}\r\n",
                phone(*id),
                card.lname,
                stamp(card.updated)
            )
            .expect("writing to a String cannot fail");
        }
        rows
    }
}

impl Desk {
    pub(super) fn of(books: Books) -> Self {
        Self { books: Mutex::new(books), first: None, asked: Mutex::default() }
    }

    /// A client that knows of changes what the list exports tell, and nothing else.
    pub(super) fn by_lists_alone(books: Books) -> Self {
        Self { first: Some(books.cards.clone()), ..Self::of(books) }
    }

    pub(super) fn with<T>(&self, look: impl FnOnce(&mut Books) -> T) -> T {
        look(&mut self.books.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn ask(&self, what: &str) {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        *asked.entry(what.to_owned()).or_default() += 1;
    }
}

fn absent<T>(request: &str) -> Result<T, SourceError> {
    Err(SourceError::NotFound { request: request.to_owned() })
}

#[async_trait]
impl LeadDesk for Desk {
    async fn lists(&self) -> Result<Vec<ListItem>, SourceError> {
        self.ask("calling_list/list");
        let item = |id: &u32| ListItem {
            id: id.to_string(),
            name: format!("List {id}"),
            raw_json: serde_json::json!({ "id": id.to_string(), "name": format!("List {id}") }).to_string(),
        };
        Ok(LISTS.iter().map(item).collect())
    }

    async fn list_export(&self, list_id: &str) -> Result<Bytes, SourceError> {
        self.ask("calling_list/export");
        let list = list_id.parse().unwrap_or(0);
        Ok(Bytes::from(self.with(|books| books.export(list))))
    }

    async fn contact(&self, contact_id: &str) -> Result<String, SourceError> {
        self.ask("contact/get");
        let id: u64 = contact_id.parse().unwrap_or(0);
        let card = self.with(|books| books.cards.get(&id).filter(|card| card.is_alive).cloned());
        let Some(card) = card else { return absent("contact/get") };
        let first = self.first.as_ref().and_then(|first| first.get(&id));
        let card = first.map_or(card.clone(), |first| Card { lname: card.lname, ..first.clone() });
        let data = serde_json::json!({
            "id": id,
            "phone": phone(id),
            "fname": format!("First{id}"),
            "lname": card.lname,
            "email": card.email,
            "comment": card.comment,
        });
        Ok(serde_json::json!({ "success": true, "contact_id": id, "data": data }).to_string())
    }

    async fn call(&self, _call_id: &str) -> Result<String, SourceError> {
        absent("call/get")
    }

    async fn users(&self, page: u32) -> Result<RestPage, SourceError> {
        self.ask("/users");
        let user = r#"{"id":7,"name":"Agent","username":"agent","employment":"active","role":"Agent","primary_email":"agent@acme.example"}"#;
        let items = if page == 1 { vec![user.to_owned()] } else { Vec::new() };
        Ok(RestPage { announced: 1, items })
    }

    async fn campaigns(&self, page: u32) -> Result<RestPage, SourceError> {
        self.ask("/campaigns");
        let campaign = r#"{"id":12,"name":"Spring","type":"outbound","disabled":false}"#;
        let items = if page == 1 { vec![campaign.to_owned()] } else { Vec::new() };
        Ok(RestPage { announced: 1, items })
    }

    async fn phone_history(&self, _phone: &str) -> Result<PhoneHistory, SourceError> {
        absent("/gdpr/contact")
    }

    async fn recording_exists(&self, _file_name: &str) -> Result<bool, SourceError> {
        Ok(false)
    }

    async fn recording(&self, _file_name: &str, _scratch: &Path) -> Result<FetchedRecording, RecordingError> {
        Err(RecordingError::Gone)
    }

    fn requests(&self) -> BTreeMap<String, u64> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
