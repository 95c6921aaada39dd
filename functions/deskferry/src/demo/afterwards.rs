//! What people do between the load and the delta of the demonstration: agents in LeadDesk one thing of each kind, and a
//! colleague in Gorgias one that stands against them.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use twins::generate::{Account, Change, Contact, Stamp};

/// The name that the colleague gives a customer whose card an agent changes as well.
const THEIR_NAME: &str = "Name of a colleague";

/// Everything that happens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Afterwards {
    /// In LeadDesk, each with the words that the screen has for it.
    pub(crate) changes: Vec<(Change, &'static str)>,
    /// Contact whose customer gets another name in Gorgias.
    pub(crate) renamed_there: u32,
}

/// Draws what happens from people who stand alone, so that each change shows one effect. None when the account is too small.
pub(crate) fn afterwards(account: &Account, loaded: &Value) -> Option<Afterwards> {
    let alone = alone(account, loaded);
    let [both, email, phone, comment, touched, moved, gone, called, ..] = alone.as_slice() else {
        return None;
    };
    let lists: Vec<u32> = account.lists().map(|list| list.id).collect();
    let other = *lists.iter().find(|list| **list != moved.list_ids[0])?;
    let (agent, outcome) =
        account.calls().filter_map(|call| Some((call.agent_id?, call.outcome_id?))).last()?;
    let card = |contact: &Contact, minute| Change::EditCard {
        contact_id: contact.id,
        fname: None,
        lname: None,
        email: None,
        phones: None,
        at: at(minute),
    };
    let with = |change: Change, edit: &dyn Fn(&mut Change)| {
        let mut change = change;
        edit(&mut change);
        change
    };
    let named = with(card(both, 1), &|change| {
        if let Change::EditCard { lname, .. } = change {
            *lname = Some("Newname".to_owned());
        }
    });
    let addressed = with(card(email, 2), &|change| {
        if let Change::EditCard { email, .. } = change {
            *email = Some("new.address@example.fi".to_owned());
        }
    });
    let phoned = with(card(phone, 3), &|change| {
        if let Change::EditCard { phones, .. } = change {
            *phones = Some(vec!["+358 40 123 4567".to_owned()]);
        }
    });
    let noted = Change::EditComment {
        contact_id: comment.id,
        comment: "asked to be called in May".to_owned(),
        at: at(4),
    };
    let changes = vec![
        (named, "a contact gets another name, as its customer does in Gorgias"),
        (addressed, "a contact gets another email address"),
        (phoned, "a contact gets another number"),
        (noted, "the comment of a card is edited"),
        (Change::TouchPhone { contact_id: touched.id, slot: 0, at: at(5) }, "a number is touched, and stays"),
        (Change::MoveContact { contact_id: moved.id, to_list_id: other }, "a contact moves to another list"),
        (Change::DeleteContact { contact_id: gone.id }, "a contact is deleted"),
        (Change::AddContact { list_id: lists[0], at: at(6) }, "a new contact comes in"),
        (Change::AddCall { contact_id: Some(called.id), at: at(7) }, "somebody known is called"),
        (Change::AddCall { contact_id: None, at: at(8) }, "an unknown number calls"),
        (
            Change::RenameUser { user_id: agent, name: "Maija Uusinimi".to_owned() },
            "an agent takes another name",
        ),
        (
            Change::RenameOutcome { outcome_id: outcome, name: "Renamed outcome".to_owned(), at: at(9) },
            "an outcome is called otherwise",
        ),
    ];
    Some(Afterwards { changes, renamed_there: both.id })
}

/// The request of the colleague in Gorgias.
pub(crate) fn their_rename(contact: u32, loaded: &Value) -> Option<(String, Value)> {
    let key = format!("leaddesk:contact:{contact}");
    let customer = loaded["customers"].as_array()?.iter().find(|customer| customer["external_id"] == key)?;
    Some((format!("/api/customers/{}", customer["id"]), json!({ "name": THEIR_NAME })))
}

fn at(minute: u32) -> Stamp {
    Stamp::civil(2026, 3, 2, 9, minute, 0)
}

/// Contacts of one list, with one number and an address that nobody else has, whose customer and ticket are loaded.
fn alone(account: &Account, loaded: &Value) -> Vec<Contact> {
    let all: Vec<Contact> = account.contacts().filter(|contact| !contact.list_ids.is_empty()).collect();
    let mut emails = BTreeMap::<String, u32>::new();
    let mut phones = BTreeMap::<String, u32>::new();
    for contact in &all {
        *emails.entry(contact.text.email.to_lowercase()).or_default() += 1;
        for phone in &contact.text.phones {
            *phones.entry(phone.clone()).or_default() += 1;
        }
    }
    let keys = |table: &str| -> std::collections::BTreeSet<String> {
        let records = loaded[table].as_array().into_iter().flatten();
        records.filter_map(|record| record["external_id"].as_str().map(str::to_owned)).collect()
    };
    let (customers, tickets) = (keys("customers"), keys("tickets"));
    let is_alone = |contact: &Contact| {
        let [list] = contact.list_ids[..] else { return false };
        let [phone] = &contact.text.phones[..] else { return false };
        !contact.text.email.is_empty()
            && emails.get(&contact.text.email.to_lowercase()) == Some(&1)
            && phones.get(phone) == Some(&1)
            && customers.contains(&format!("leaddesk:contact:{}", contact.id))
            && tickets.contains(&format!("leaddesk:lead:{list}:{}", contact.id))
    };
    all.into_iter().filter(is_alone).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn twelve_changes_of_twelve_kinds_touch_different_people() {
        let account = crate::stand_in::account(1, Some(300), Some(600)).expect("an account");
        let everything = |prefix: &str, keys: Vec<String>| -> Vec<Value> {
            keys.into_iter().map(|key| json!({ "id": 7, "external_id": format!("{prefix}{key}") })).collect()
        };
        let contacts: Vec<Contact> = account.contacts().collect();
        let customers =
            everything("leaddesk:contact:", contacts.iter().map(|it| it.id.to_string()).collect());
        let leads =
            contacts.iter().flat_map(|it| it.list_ids.iter().map(move |list| format!("{list}:{}", it.id)));
        let loaded =
            json!({ "customers": customers, "tickets": everything("leaddesk:lead:", leads.collect()) });
        let told = afterwards(&account, &loaded).expect("enough contacts");
        assert_eq!(told.changes.len(), 12);
        let words: BTreeSet<&str> = told.changes.iter().map(|(_, words)| *words).collect();
        assert_eq!(words.len(), 12);
        let people: Vec<String> = told
            .changes
            .iter()
            .filter_map(|(change, _)| serde_json::to_value(change).ok()?["contact_id"].as_u64())
            .map(|id| id.to_string())
            .collect();
        assert_eq!(people.iter().collect::<BTreeSet<_>>().len(), people.len());
        let (path, body) = their_rename(told.renamed_there, &loaded).expect("it is loaded");
        assert_eq!((path.as_str(), body), ("/api/customers/7", json!({ "name": THEIR_NAME })));
        // Nothing is loaded, so there is nobody to do anything to.
        assert_eq!(afterwards(&account, &json!({ "customers": [], "tickets": [] })), None);
    }
}
