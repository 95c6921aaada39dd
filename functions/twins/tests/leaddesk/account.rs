//! The generated account: size, determinism, proportions.

use std::collections::{BTreeMap, BTreeSet};

use crate::support::demo;
use expect_test::expect;
use sha2::{Digest, Sha256};
use twins::generate::{Account, Role, Shape, ShapeError};

/// A digest of everything that an API shows of an account.
fn digest(account: &Account) -> String {
    let mut hash = Sha256::new();
    for contact in account.contacts() {
        hash.update(format!("{contact:?}"));
    }
    for call in account.calls() {
        hash.update(format!("{call:?}"));
    }
    for list in account.lists() {
        for row in account.export(list) {
            hash.update(row.columns().join(";"));
        }
    }
    for user in account.users() {
        hash.update(format!("{user:?}"));
    }
    for conversation in account.conversations() {
        hash.update(format!("{conversation:?}"));
    }
    hash.update(format!("{:?}{:?}", account.blacklist(), account.planted()));
    hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn equal_shapes_give_equal_accounts_on_every_machine() {
    assert_eq!(digest(&demo()), digest(&demo()));
    expect!["211ac1d918a1946d"].assert_eq(&digest(&demo()));
    assert_ne!(digest(&demo()), digest(&Account::generate(Shape::demo().seeded(2)).unwrap()));
}

#[test]
fn the_demonstration_has_its_size() {
    let account = demo();
    let messages: usize = account.conversations().map(|conversation| conversation.messages.len()).sum();
    let counts = [
        ("contacts", account.contact_count(), 1_200),
        ("leads", account.lead_count(), 1_500),
        ("calls", account.call_count(), 4_000),
        ("users", account.users().len(), 24),
        ("offices", account.offices().len(), 3),
        ("groups", account.groups().len(), 5),
        ("campaigns", account.campaigns().len(), 4),
        ("conversations", account.conversations().count(), 120),
        ("messages", messages, 960),
    ];
    for (what, actual, expected) in counts {
        assert_eq!(actual, expected, "{what}");
    }
}

#[test]
fn records_are_plausible() {
    let account = demo();
    let contacts: Vec<_> = account.contacts().collect();
    let share = |count: usize, all: usize| count * 100 / all;
    let mailed = contacts.iter().filter(|contact| contact.text.email.contains('@')).count();
    assert!((70..85).contains(&share(mailed, contacts.len())));
    let reserved = |email: &str| {
        let domain = email.rsplit('@').next().unwrap();
        domain.ends_with(".example") || ["example.com", "example.net", "example.org"].contains(&domain)
    };
    assert!(
        contacts
            .iter()
            .filter(|contact| contact.text.email.contains('@'))
            .all(|contact| reserved(&contact.text.email))
    );
    let languages: BTreeSet<&str> = contacts.iter().map(|contact| contact.text.country.as_str()).collect();
    assert_eq!(languages.len(), 6, "five countries and none: {languages:?}");
    let mut owners = BTreeMap::<String, BTreeSet<u32>>::new();
    for contact in contacts.iter().filter(|contact| contact.text.email.contains('@')) {
        owners.entry(contact.text.email.to_lowercase()).or_default().insert(contact.id);
    }
    let repeated = owners.values().filter(|ids| ids.len() > 1).count();
    assert!((30..120).contains(&repeated), "people in several lists: {repeated}");
    let calls: Vec<_> = account.calls().collect();
    let answered = calls.iter().filter(|call| call.talked.is_some()).count();
    assert!((70..85).contains(&share(answered, calls.len())));
    assert!(calls.is_sorted_by_key(|call| call.created_at));
    let agents: BTreeSet<u32> =
        account.users().filter(|user| user.role == Role::Agent).map(|user| user.id).collect();
    assert!(calls.iter().filter_map(|call| call.agent_id).all(|id| agents.contains(&id)));
    let two_lists = contacts.iter().filter(|contact| contact.list_ids.len() == 2).count();
    assert_eq!(two_lists, 300);
    assert!(
        contacts
            .iter()
            .all(|contact| contact.list_ids.len() < 2 || contact.list_ids[0] != contact.list_ids[1])
    );
}

#[test]
fn calls_belong_to_a_campaign_of_their_contacts_list() {
    let account = demo();
    let campaigns: BTreeMap<u32, BTreeSet<u32>> = account
        .lists()
        .map(|list| (list.id, account.campaigns_of(list).map(|campaign| campaign.id).collect()))
        .collect();
    let planted = 12;
    let foreign = account.calls().filter(|call| {
        let lists = call.contact_id.and_then(|id| account.contact(id)).map(|contact| contact.list_ids);
        let campaign = call.campaign_id.unwrap();
        lists.is_some_and(|lists| !lists.iter().any(|list| campaigns[list].contains(&campaign)))
    });
    assert!(foreign.count() <= planted);
    let outcomes: BTreeMap<u32, Option<u32>> = account
        .outcomes()
        .map(|(outcome, campaign)| (outcome.id, campaign.map(|campaign| campaign.id)))
        .collect();
    for call in account.calls() {
        let owner = call.outcome_id.and_then(|id| outcomes[&id]);
        assert!(owner.is_none() || owner == call.campaign_id, "{call:?}");
    }
}

#[test]
fn one_contact_can_have_very_many_calls() {
    let shape = Shape { busiest_calls: 640, ..Shape::demo() };
    let account = Account::generate(shape).unwrap();
    let most = account.contact_ids().map(|id| account.calls_of_contact(id).len()).max().unwrap();
    assert!((640..700).contains(&most), "{most}");
}

#[test]
fn small_accounts_without_trouble_are_possible() {
    let empty = Shape {
        contacts: 0,
        leads: 0,
        calls: 0,
        agents: 0,
        offices: 0,
        groups: 0,
        campaigns: 0,
        sponsors: 0,
        lists: 0,
        conversations: 0,
        messages: 0,
        trouble: false,
        short_row: false,
        ..Shape::demo()
    };
    let account = Account::generate(empty.clone()).unwrap();
    assert_eq!((account.contact_count(), account.planted().len()), (0, 0));
    let one = Shape { contacts: 1, leads: 1, calls: 2, agents: 1, campaigns: 1, lists: 1, ..empty };
    let account = Account::generate(one).unwrap();
    assert_eq!((account.contact_count(), account.lead_count(), account.call_count()), (1, 1, 2));
    assert!(account.users().all(|user| user.email.is_some()));
    let refused = Account::generate(Shape { calls: 3, ..Shape::demo() }).unwrap_err();
    assert_eq!(refused, ShapeError::TooSmall { what: "calls", floor: 40, wished: 3 });
}

#[test]
fn a_hundred_thousand_contacts_are_there_at_once() {
    let account = Account::generate(Shape::with_size(100_000, 300_000)).unwrap();
    assert_eq!(
        (account.contact_count(), account.lead_count(), account.call_count()),
        (100_000, 100_000, 300_000)
    );
    let contact = account.contact(10_001 + 77_777).unwrap();
    assert!(account.contacts_with_phone(&contact.text.phones[0]).contains(&contact.id));
    let call = account.call(100_001 + 222_222).unwrap();
    assert!(account.calls_with_phone(&call.number).contains(&call.id));
}
