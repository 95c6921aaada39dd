//! Contacts on their way through the scratch folder.

use std::collections::BTreeMap;

use migration::leaddesk::{Contact, ContactId, Slot};
use serde::{Deserialize, Serialize};

/// Scratch form of a contact; lives as long as one transformation.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Card {
    id: u64,
    phones: Vec<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    texts: BTreeMap<u8, String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    slots: BTreeMap<u8, String>,
}

/// The contact as one text.
#[must_use]
pub(super) fn contact_json(contact: &Contact) -> String {
    let texts =
        (0_u8..).zip(texts(contact)).filter_map(|(number, text)| Some((number, text.clone()?))).collect();
    let slots = contact.slots.iter().map(|(slot, value)| (slot.number(), value.clone())).collect();
    let card = Card { id: contact.id.0, phones: contact.phones.clone(), texts, slots };
    serde_json::to_string(&card).expect("texts and numbers are always JSON")
}

fn texts(contact: &Contact) -> [&Option<String>; 13] {
    [
        &contact.first_name,
        &contact.last_name,
        &contact.email,
        &contact.www,
        &contact.address,
        &contact.postcode,
        &contact.city,
        &contact.country,
        &contact.title,
        &contact.company,
        &contact.company_registration,
        &contact.vat_number,
        &contact.comment,
    ]
}

/// The contact again.
#[must_use]
pub(super) fn contact_from_json(text: &str) -> Option<Contact> {
    let Card { id, phones, mut texts, slots } = serde_json::from_str(text).ok()?;
    let mut text = |number: u8| texts.remove(&number);
    Some(Contact {
        id: ContactId(id),
        phones,
        first_name: text(0),
        last_name: text(1),
        email: text(2),
        www: text(3),
        address: text(4),
        postcode: text(5),
        city: text(6),
        country: text(7),
        title: text(8),
        company: text(9),
        company_registration: text(10),
        vat_number: text(11),
        comment: text(12),
        slots: slots.into_iter().filter_map(|(slot, value)| Some((Slot::new(slot)?, value))).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contacts_survive_their_way() {
        let text = |word: &str| Some(word.to_owned());
        let contact = Contact {
            id: ContactId(7),
            phones: vec!["+358000000001".into()],
            first_name: text("a"),
            last_name: None,
            email: text("c"),
            www: text("d"),
            address: text("e"),
            postcode: text("f"),
            city: text("g"),
            country: text("h"),
            title: text("i"),
            company: text("j"),
            company_registration: text("k"),
            vat_number: text("l"),
            comment: text("m\n\u{1f600}"),
            slots: [(Slot::new(35).expect("a slot"), "x".to_owned())].into(),
        };
        assert_eq!(contact_from_json(&contact_json(&contact)), Some(contact));
        assert_eq!(contact_from_json("7"), None);
    }
}
