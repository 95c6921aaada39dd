//! Contacts: a few bytes each at rest, their text computed when somebody asks.
//!
//! Deliberately absent: a creation time. LeadDesk shows none (facts: take the earliest evidence instead).

use crate::generate::chance::{Chance, Stream};
use crate::generate::organisation::{FieldDefinition, value_for};
use crate::generate::person::Person;
use crate::generate::phone;
use crate::generate::stamp::Stamp;
use crate::generate::words;

/// The id of the first contact; ids count up from here.
pub(crate) const CONTACT_ID_FIRST: u32 = 10_001;

/// Marks an empty place among a contact's lists.
pub(crate) const NO_LIST: u16 = u16::MAX;

/// What cannot be computed from the contact's position.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ContactRecord {
    pub(crate) person: u32,
    pub(crate) updated_at: Stamp,
    /// Positions of its lists; the second place is empty for most.
    pub(crate) lists: [u16; 2],
    /// Whether work on it has ended, per list.
    pub(crate) finalised: [bool; 2],
    pub(crate) phones: u8,
    /// False after a deletion.
    pub(crate) alive: bool,
}

impl ContactRecord {
    pub(crate) fn memberships(&self) -> impl Iterator<Item = (u16, bool)> {
        self.lists.into_iter().zip(self.finalised).filter(|(list, _)| *list != NO_LIST)
    }
}

/// A contact as LeadDesk has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contact {
    /// Unique in the account.
    pub id: u32,
    /// Ids of the lists it is in; lists that are gone do not count.
    pub list_ids: Vec<u32>,
    /// Local time of the last change of anything but a phone.
    pub updated_at: Stamp,
    /// Everything that people typed.
    pub text: ContactText,
}

/// What people typed into a contact card. Empty text means no value.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ContactText {
    /// Raw numbers, the primary one first.
    pub phones: Vec<String>,
    /// First name.
    pub fname: String,
    /// Last name.
    pub lname: String,
    /// The one address.
    pub email: String,
    /// Web site.
    pub www: String,
    /// Street.
    pub address: String,
    /// Postal code.
    pub postcode: String,
    /// City.
    pub city: String,
    /// Country, as written.
    pub country: String,
    /// National id; sensitive.
    pub ssc: String,
    /// Four digits.
    pub birthyear: String,
    /// One letter.
    pub gender: String,
    /// Job title.
    pub title: String,
    /// Company name.
    pub company: String,
    /// Company's own number; digits only.
    pub companyid: String,
    /// VAT number.
    pub vatin: String,
    /// Free text of several lines.
    pub comment: String,
    /// Filled slots of `other1` to `other35`, by number, ascending.
    pub others: Vec<(u8, String)>,
}

/// A contact's position with the seed: enough to compute its text, as long as nobody edits it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Draft {
    pub(crate) seed: u64,
    pub(crate) position: u32,
    pub(crate) person: u32,
    pub(crate) phones: u8,
}

impl Draft {
    fn chance(self, stream: Stream) -> Chance {
        Chance::of(self.seed, stream, u64::from(self.position))
    }

    fn person(self) -> Person {
        Person { seed: self.seed, number: self.person }
    }

    pub(crate) fn phones(self) -> Vec<String> {
        let mut chance = self.chance(Stream::PhoneStyle);
        (0..self.phones)
            .map(|slot| {
                let style = chance.below(10);
                let broken = chance.per_mille(8);
                let placeholder = *chance.pick(&phone::INVALID);
                if broken { placeholder.to_owned() } else { self.person().phone(slot, style) }
            })
            .collect()
    }

    pub(crate) fn email(self) -> String {
        let email = self.person().email().unwrap_or_default();
        let mut chance = self.chance(Stream::ContactText);
        match chance.below(100) {
            0 => email.replace('@', "(at)"),
            1..6 => {
                let mut letters = email.chars();
                letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
            }
            _ => email,
        }
    }

    /// A made-up national id with an individual number from the range that is never given to people.
    pub(crate) fn ssc(self) -> String {
        let mut chance = Chance::of(self.seed ^ 2, Stream::Person, u64::from(self.person));
        if !chance.per_mille(50) {
            return String::new();
        }
        let (day, month, year) = (chance.between(1, 28), chance.between(1, 12), chance.between(50, 99));
        format!("{day:02}{month:02}{year:02}-9{:02}{}", chance.below(100), chance.pick(&["A", "K", "X"]))
    }

    /// The whole card; `fields` are the labels of the contact's campaign.
    pub(crate) fn text(self, fields: &[FieldDefinition]) -> ContactText {
        let words = self.person().words();
        let (given, family) = self.person().name();
        let mut text = ContactText {
            phones: self.phones(),
            email: self.email(),
            ssc: self.ssc(),
            others: self.others(fields),
            ..ContactText::default()
        };
        let mut chance = self.chance(Stream::ContactLinks);
        (text.fname, text.lname) = self.typed_name(given, family, &mut chance);
        if chance.per_mille(700) {
            let (city, postcode) = *chance.pick(words.cities);
            text.address = format!(
                "{}{} {}",
                chance.pick(words.family_heads),
                words.street_tail,
                chance.between(1, 120)
            );
            (text.postcode, text.city) = (postcode.to_owned(), city.to_owned());
            words.country.clone_into(&mut text.country);
        }
        if chance.per_mille(150) {
            text.company = format!("{} {}", chance.pick(words.family_heads), words.company_tail);
            text.companyid = chance.between(10_000_000, 99_999_999).to_string();
            text.title = (*chance.pick(words.titles)).to_owned();
            if chance.per_mille(500) {
                text.vatin = format!("FI{}", chance.between(10_000_000, 99_999_999));
                text.www = format!("https://{}.example/", words::ascii_fold(&text.company));
            }
        }
        if chance.per_mille(300) {
            text.birthyear = chance.between(1940, 2006).to_string();
            text.gender = (*chance.pick(&["m", "f"])).to_owned();
        }
        if chance.per_mille(350) {
            text.comment = (*chance.pick(words.remarks)).to_owned();
        }
        text
    }

    /// The name as somebody typed it this time: mostly clean, sometimes in capitals, with stray spaces or with accents as
    /// separate marks.
    fn typed_name(self, given: String, family: String, chance: &mut Chance) -> (String, String) {
        match chance.below(100) {
            0..3 => (given.to_uppercase(), family.to_uppercase()),
            3..5 => (format!("{given} "), format!(" {family}")),
            5..8 => (decomposed(&given), decomposed(&family)),
            8..10 => (String::new(), format!("{given} {family}")),
            _ => (given, family),
        }
    }

    fn others(self, fields: &[FieldDefinition]) -> Vec<(u8, String)> {
        let mut chance = self.chance(Stream::ContactFields);
        let usual = fields.iter().filter(|field| field.slot <= 6);
        usual
            .filter_map(|field| {
                let filled = chance.per_mille(550);
                let value = value_for(field, &mut chance);
                filled.then_some((field.slot, value))
            })
            .collect()
    }
}

/// The same text with accents as combining marks.
fn decomposed(text: &str) -> String {
    text.chars()
        .flat_map(|letter| {
            let (base, mark) = match letter {
                'ä' => ('a', Some('\u{308}')),
                'ö' => ('o', Some('\u{308}')),
                'ü' => ('u', Some('\u{308}')),
                'å' => ('a', Some('\u{30A}')),
                'õ' => ('o', Some('\u{303}')),
                other => (other, None),
            };
            [Some(base), mark].into_iter().flatten()
        })
        .collect()
}
