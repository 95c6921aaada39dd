//! Contact cards on trial: those that discovery looked at as they are, all others filled in from them.
//!
//! A card that nobody read has its own number, name and place from the list export, and everything else from a card of the
//! same list that was read: the cards that were read take turns, so that shares of filled fields, of bad addresses and of
//! contacts that are gone are those of the sample. Addresses that are filled in are made up and lead nowhere. Deliberately
//! absent: guessing which contacts share an address; nobody can see that from outside.

use std::collections::{BTreeMap, BTreeSet};

use migration::contact_point::normalize_email;
use serde_json::{Map, Value, json};

use crate::extract::seen::canonical_id;
use crate::operator::delimited::{DelimitedReader, Delimiter};
use crate::operator::fault::FileFault;

/// Columns of an export that a card has too: place in the export, key of the card.
const COLUMNS: [(usize, &str); 5] =
    [(2, "fname"), (3, "lname"), (4, "address"), (5, "postcode"), (6, "city")];
/// Columns of a row.
const WIDTH: usize = 14;
/// Column of the number.
const PHONE: usize = 1;

/// What the exports say of one contact.
#[derive(Debug, Default)]
struct Row {
    list: u32,
    cells: Vec<(&'static str, String)>,
    phones: Vec<String>,
}

/// Answers of one list that may stand in for others; `None` for a contact that is gone.
type Donors = Vec<Option<Map<String, Value>>>;

/// Answers for every contact of the account.
#[derive(Debug, Default)]
pub(super) struct Cards {
    rows: BTreeMap<u64, Row>,
    read: BTreeMap<u64, Option<String>>,
    donors: BTreeMap<u32, Donors>,
    /// Of contacts that no list names.
    donors_outside: Donors,
    /// Place of each contact among those of its list that were not read.
    turns: BTreeMap<u64, usize>,
}

impl Cards {
    /// Takes an export, which discovery found to be sound.
    ///
    /// # Errors
    /// The export as a whole.
    pub(super) fn export(&mut self, list: u32, export: &[u8]) -> Result<(), FileFault> {
        if export.is_empty() {
            return Ok(());
        }
        let mut reader = DelimitedReader::new(export, Delimiter::Semicolon)?;
        while let Some(row) = reader.next_row()? {
            // A row of another width is put aside by whoever reads leads, and its contact with it.
            let row = row.expect_width(WIDTH)?;
            if row.flaw.is_some() {
                continue;
            }
            let Some(id) = canonical_id(row.get(0)).and_then(|id| id.parse().ok()) else { continue };
            let held = self.rows.entry(id).or_insert_with(|| {
                let filled = |(column, key): (usize, &'static str)| {
                    Some((key, row.get(column).to_owned())).filter(|(_, text)| !text.is_empty())
                };
                Row { list, cells: COLUMNS.into_iter().filter_map(filled).collect(), phones: Vec::new() }
            });
            let phone = row.get(PHONE);
            if !phone.is_empty() && !held.phones.iter().any(|known| known == phone) {
                held.phones.push(phone.to_owned());
            }
        }
        Ok(())
    }

    /// Takes answers that were read.
    pub(super) fn read(&mut self, answers: impl IntoIterator<Item = (u64, Option<String>)>) {
        self.read.extend(answers);
    }

    /// Whether a list names the contact.
    pub(super) fn is_listed(&self, id: u64) -> bool {
        self.rows.contains_key(&id)
    }

    /// Contacts that lists name.
    pub(super) fn listed(&self) -> u64 {
        self.rows.len() as u64
    }

    /// Contacts whose card was read, whether LeadDesk gave it or not.
    pub(super) fn were_read(&self) -> u64 {
        self.read.len() as u64
    }

    /// Of these, the ones that LeadDesk did not give.
    pub(super) fn gone(&self) -> u64 {
        self.read.values().filter(|answer| answer.is_none()).count() as u64
    }

    /// Numbers of all lists, as given.
    pub(super) fn phones(&self) -> BTreeSet<&str> {
        self.rows.values().flat_map(|row| row.phones.iter().map(String::as_str)).collect()
    }

    /// Every card is known, or made from those that are. `outside` are contacts that no list names.
    pub(super) fn settle(&mut self, outside: &BTreeSet<u64>) {
        for (id, answer) in &self.read {
            let donor = match answer {
                None => None,
                Some(text) => match data_of(text) {
                    Some(data) => Some(data),
                    // What cannot be understood stands for itself alone.
                    None => continue,
                },
            };
            match self.rows.get(id) {
                Some(row) => self.donors.entry(row.list).or_default().push(donor),
                None => self.donors_outside.push(donor),
            }
        }
        let mut seen: BTreeMap<u32, usize> = BTreeMap::new();
        for (id, row) in self.rows.iter().filter(|(id, _)| !self.read.contains_key(id)) {
            let turn = seen.entry(row.list).or_default();
            self.turns.insert(*id, *turn);
            *turn += 1;
        }
        let unread = outside.iter().filter(|id| !self.rows.contains_key(id) && !self.read.contains_key(id));
        self.turns.extend(unread.copied().zip(0..));
    }

    /// The answer for a contact; `None` for one that is gone.
    pub(super) fn answer(&self, id: u64) -> Option<String> {
        if let Some(known) = self.read.get(&id) {
            return known.clone();
        }
        let row = self.rows.get(&id);
        let own = row.and_then(|row| self.donors.get(&row.list)).filter(|donors| !donors.is_empty());
        let others = || match row {
            // A list of which nothing was read is taken to be like the fullest other one.
            Some(_) => self.donors.values().max_by_key(|donors| donors.len()),
            None => Some(&self.donors_outside),
        };
        let turn = self.turns.get(&id).copied().unwrap_or(0);
        let donors = own.or_else(others).filter(|donors| !donors.is_empty());
        let mut data = match donors {
            None => Map::new(),
            Some(donors) => donors[turn % donors.len()].clone()?,
        };
        fill_in(&mut data, id, row);
        Some(json!({ "success": true, "contact_id": id, "data": data }).to_string())
    }
}

fn data_of(answer: &str) -> Option<Map<String, Value>> {
    let Value::Object(mut answer) = serde_json::from_str(answer).ok()? else { return None };
    match answer.remove("data") {
        Some(Value::Object(data)) => Some(data),
        _ => None,
    }
}

/// Puts the contact's own values in place of the donor's.
fn fill_in(data: &mut Map<String, Value>, id: u64, row: Option<&Row>) {
    data.insert("id".to_owned(), json!(id));
    data.remove("phone_numbers");
    for (_, key) in COLUMNS {
        data.remove(key);
    }
    data.remove("phone");
    let email = data.get("email").and_then(Value::as_str);
    if email.is_some_and(|email| normalize_email(email).is_some()) {
        data.insert("email".to_owned(), json!(format!("contact-{id}@estimate.invalid")));
    }
    let Some(row) = row else { return };
    for (key, text) in &row.cells {
        data.insert((*key).to_owned(), json!(text));
    }
    if let Some((first, further)) = row.phones.split_first() {
        data.insert("phone".to_owned(), json!(first));
        data.insert("phone_numbers".to_owned(), json!(further));
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    #[test]
    fn cards_that_nobody_read_are_like_those_that_were() {
        let mut cards = Cards::default();
        let rows: String = (1..=5).map(|id| format!("{id};+35840{id};Aino;N{id};;;;;;;;;;\r\n")).collect();
        cards.export(41, rows.as_bytes()).expect("sound");
        cards.read([
            (1, Some(r#"{"data":{"id":1,"fname":"Eva","email":"eva@example.fi","other1":"x"}}"#.to_owned())),
            (3, None),
        ]);
        cards.settle(&BTreeSet::from([99]));
        let shown: Vec<String> =
            [1, 2, 3, 4, 5, 99].map(|id| cards.answer(id).unwrap_or_else(|| "gone".to_owned())).to_vec();
        expect![[r#"
            {"data":{"id":1,"fname":"Eva","email":"eva@example.fi","other1":"x"}}
            {"contact_id":2,"data":{"email":"contact-2@estimate.invalid","fname":"Aino","id":2,"lname":"N2","other1":"x","phone":"+358402","phone_numbers":[]},"success":true}
            gone
            gone
            {"contact_id":5,"data":{"email":"contact-5@estimate.invalid","fname":"Aino","id":5,"lname":"N5","other1":"x","phone":"+358405","phone_numbers":[]},"success":true}
            {"contact_id":99,"data":{"id":99},"success":true}"#]]
        .assert_eq(&shown.join("\n"));
        assert_eq!((cards.listed(), cards.were_read(), cards.gone(), cards.phones().len()), (5, 2, 1, 5));
    }
}
