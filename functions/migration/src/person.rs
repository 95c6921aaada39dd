//! Which contacts are one person.
//!
//! Same normalised email; or same normalised number and same normalised name. Never by number alone: households and
//! companies share numbers (facts: pitfalls). Keys are kept as 128-bit fingerprints, so that memory holds no text:
//! about 100 bytes a contact. Deliberately absent: likeness of names.

use crate::contact_point::Region;
use crate::contact_point::{E164, Email, digits_of, normalize_email, normalize_phone};
use crate::leaddesk::{Contact, ContactId};
use crate::text::{fingerprint, folded};

mod persons;

pub use persons::{Merge, Merges, PersonId, Persons, PhoneOwner};

/// What identifies a contact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContactIdentity {
    /// The contact.
    pub id: ContactId,
    /// Valid addresses.
    pub emails: Vec<Email>,
    /// Numbers that could be normalised.
    pub phones: Vec<E164>,
    /// Numbers that could not, as received; they join nobody but may be a channel.
    pub other_numbers: Vec<String>,
    /// First and last name.
    pub name: Option<String>,
}

impl ContactIdentity {
    /// What identifies this contact, with local numbers read in `region`.
    #[must_use]
    pub fn of(contact: &Contact, region: Region) -> Self {
        let mut phones = Vec::new();
        let mut other_numbers = Vec::new();
        for raw in &contact.phones {
            match normalize_phone(raw, region) {
                Some(phone) => phones.push(phone),
                None => other_numbers.push(raw.clone()),
            }
        }
        let emails = contact.email.as_deref().and_then(normalize_email).into_iter().collect();
        Self { id: contact.id, emails, phones, other_numbers, name: full_name(contact) }
    }
}

/// What was normalised of a contact when it was read, so that it need not be done again.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Normalised {
    /// Its address as it is compared.
    pub email: Option<String>,
    /// Its primary number.
    pub phone: Option<String>,
}

impl ContactIdentity {
    /// As [`ContactIdentity::of`], of a contact whose address and primary number were normalised before.
    #[must_use]
    pub fn of_normalised(contact: &Contact, normalised: Normalised, region: Region) -> Self {
        let emails = normalised
            .email
            .into_iter()
            .map(|normalized| Email { as_given: contact.email.clone().unwrap_or_default(), normalized });
        let (mut phones, mut other_numbers) = (Vec::new(), Vec::new());
        for (place, raw) in contact.phones.iter().enumerate() {
            let phone = match &normalised.phone {
                Some(phone) if place == 0 => Some(E164::from_stored(phone.clone())),
                _ => normalize_phone(raw, region),
            };
            match phone {
                Some(phone) => phones.push(phone),
                None => other_numbers.push(raw.clone()),
            }
        }
        Self { id: contact.id, emails: emails.collect(), phones, other_numbers, name: full_name(contact) }
    }
}

/// First and last name in one line, cleaned; `None` when both are empty.
#[must_use]
pub fn full_name(contact: &Contact) -> Option<String> {
    let parts = [&contact.first_name, &contact.last_name];
    let words: Vec<String> = parts
        .into_iter()
        .flatten()
        .map(|part| crate::text::clean_line(part))
        .filter(|part| !part.is_empty())
        .collect();
    (!words.is_empty()).then(|| words.join(" "))
}

/// Why a contact belongs to its person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum MergeReason {
    /// Same normalised email as another contact.
    Email,
    /// Same normalised number and same normalised name as another contact.
    PhoneAndName,
}

impl MergeReason {
    /// `same email` or `same number and name`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Email => "same email",
            Self::PhoneAndName => "same number and name",
        }
    }
}

const EMAIL: u8 = 1;
const PHONE_AND_NAME: u8 = 2;
const PHONE: u8 = 3;

/// A fingerprint and the contact that has it.
type Key = (u128, u64);

/// Collects contacts in any order.
#[derive(Debug, Clone, Default)]
pub struct Resolver {
    contacts: Vec<u64>,
    emails: Vec<Key>,
    phones_with_name: Vec<Key>,
    phones: Vec<Key>,
}

impl Resolver {
    /// Knows nobody yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes one contact; the same id twice adds up.
    pub fn add(&mut self, identity: ContactIdentity) {
        let ContactIdentity { id, emails, phones, other_numbers, name } = identity;
        self.contacts.push(id.0);
        for email in emails {
            self.emails.push((email_key(&email), id.0));
        }
        let name = name.map(|name| folded(&name)).filter(|name| !name.is_empty());
        for phone in phones {
            if let Some(name) = &name {
                let both = format!("{}\n{name}", phone.as_str());
                self.phones_with_name.push((fingerprint(PHONE_AND_NAME, &both), id.0));
            }
            self.phones.push((phone_key(&phone), id.0));
        }
        for number in other_numbers {
            self.phones.push((raw_number_key(&number), id.0));
        }
    }

    /// Joins the contacts. The outcome does not depend on the order in which they came.
    #[must_use]
    pub fn finish(self) -> Persons {
        Persons::build(self.contacts, self.emails, self.phones_with_name, self.phones)
    }
}

fn email_key(email: &Email) -> u128 {
    fingerprint(EMAIL, &email.normalized)
}

fn phone_key(phone: &E164) -> u128 {
    fingerprint(PHONE, phone.as_str())
}

fn raw_number_key(number: &str) -> u128 {
    // Digits without a plus cannot meet an E.164 text, which has one.
    fingerprint(PHONE, &digits_of(number))
}
