//! Which contacts are one person.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use expect_test::{Expect, expect};
use migration::contact_point::{normalize_email, normalize_phone};
use migration::leaddesk::{Contact, ContactId};
use migration::person::{ContactIdentity, PersonId, Persons, PhoneOwner, Resolver};
use migration::text::folded;
use proptest::prelude::*;

use crate::support::{contact, fi, person, resolve, seeded};

fn shown(persons: &Persons) -> String {
    let mut out = String::new();
    for person in persons.iter() {
        let members: Vec<String> = persons.members(person).iter().map(ToString::to_string).collect();
        writeln!(out, "{person}: {}", members.join(" ")).unwrap();
    }
    for merge in persons.merges() {
        let (member, into) = (merge.member, merge.person);
        writeln!(out, "{member} -> {into}: {} as {}", merge.reason.as_str(), merge.linked_to).unwrap();
    }
    out
}

fn check(contacts: &[Contact], expected: &Expect) {
    expected.assert_eq(&shown(&resolve(contacts)));
}

#[test]
fn one_person_in_three_lists() {
    check(
        &[
            person(30, "Anna Example", "anna@example.com", &["0401234567"]),
            person(10, "Anna Example", "ANNA@example.com", &[]),
            person(20, "anna  EXAMPLE", "", &["+358401234567"]),
        ],
        &expect![[r"
            10: 10 20 30
            20 -> 10: same number and name as 30
            30 -> 10: same email as 10
        "]],
    );
}

#[test]
fn households_and_companies_share_numbers() {
    check(
        &[
            person(1, "Anna Example", "", &["0401234567"]),
            person(2, "Bo Example", "", &["0401234567"]),
            person(3, "", "", &["0401234567"]),
            person(4, "", "", &["0401234567"]),
        ],
        &expect![[r"
            1: 1
            2: 2
            3: 3
            4: 4
        "]],
    );
}

#[test]
fn same_name_alone_is_nothing() {
    check(
        &[person(1, "Anna Example", "", &["0401234567"]), person(2, "Anna Example", "", &["0501234567"])],
        &expect![[r"
            1: 1
            2: 2
        "]],
    );
}

#[test]
fn invalid_contact_points_join_nobody() {
    check(
        &[
            person(1, "Anna Example", "none@none", &["0"]),
            person(2, "Anna Example", "none@none", &["0"]),
            person(3, "Anna Example", "", &["anonymous"]),
        ],
        &expect![[r"
            1: 1
            2: 2
            3: 3
        "]],
    );
}

#[test]
fn chains_become_one_person() {
    check(
        &[
            person(4, "Anna Example", "b@example.com", &["0401234567"]),
            person(3, "Anna Other", "a@example.com", &[]),
            person(2, "Anna Example", "a@example.com", &["0401234567"]),
            person(9, "Somebody", "c@example.com", &[]),
        ],
        &expect![[r"
            2: 2 3 4
            9: 9
            3 -> 2: same email as 2
            4 -> 2: same number and name as 2
        "]],
    );
}

#[test]
fn look_ups() {
    let persons = resolve(&[
        person(1, "Anna Example", "anna@example.com", &["0401234567"]),
        person(2, "Bo Example", "", &["0401234567", "0501234567"]),
        person(5, "Anna Example", "anna@example.com", &["12-34"]),
    ]);
    let email = |text| persons.person_by_email(&normalize_email(text).unwrap());
    let phone = |text| persons.owner_of_phone(&normalize_phone(text, fi()).unwrap());
    let one = PersonId(ContactId(1));
    assert_eq!(email("ANNA@example.com"), Some(one));
    assert_eq!(email("other@example.com"), None);
    assert_eq!(phone("+358401234567"), PhoneOwner::Several(one));
    assert_eq!(phone("+358501234567"), PhoneOwner::One(PersonId(ContactId(2))));
    assert_eq!(phone("+358441234567"), PhoneOwner::Nobody);
    assert_eq!(persons.owner_of_raw_number("1234"), PhoneOwner::One(one));
    assert_eq!(persons.person_of(ContactId(5)), Some(one));
    assert_eq!(persons.person_of(ContactId(6)), None);
    assert_eq!(persons.members(PersonId(ContactId(5))), [], "5 names no person");
    assert_eq!((persons.count(), persons.contact_count()), (2, 3));
}

#[test]
fn nobody_is_fine() {
    let persons = Resolver::new().finish();
    assert_eq!((persons.count(), persons.merges().count()), (0, 0));
    assert_eq!(persons.members(PersonId(ContactId(1))), []);
}

/// Few emails, numbers and names, so that contacts meet often.
fn contacts() -> impl Strategy<Value = Vec<Contact>> {
    let one = (1_u64..60, 0_u8..5, proptest::collection::vec(0_u8..5, 0..3), 0_u8..4);
    proptest::collection::vec(one, 0..40).prop_map(|drawn| {
        let contact_of = |(id, email, phones, name): (u64, u8, Vec<u8>, u8)| Contact {
            email: (email > 0).then(|| format!("person{email}@example.com")),
            phones: phones.iter().map(|phone| format!("040123456{phone}")).collect(),
            first_name: (name > 0).then(|| format!("Name{name}")),
            ..contact(id)
        };
        // One contact an id, as in LeadDesk.
        let by_id: BTreeMap<u64, Contact> =
            drawn.into_iter().map(contact_of).map(|contact| (contact.id.0, contact)).collect();
        by_id.into_values().collect()
    })
}

/// The rule as it is written, by comparing everyone with everyone until nothing changes.
fn by_the_book(contacts: &[Contact]) -> BTreeMap<u64, u64> {
    let identities: Vec<ContactIdentity> =
        contacts.iter().map(|contact| ContactIdentity::of(contact, fi())).collect();
    let mut person: BTreeMap<u64, u64> =
        contacts.iter().map(|contact| (contact.id.0, contact.id.0)).collect();
    let same = |left: &ContactIdentity, right: &ContactIdentity| {
        let email = left
            .emails
            .iter()
            .any(|email| right.emails.iter().any(|other| other.normalized == email.normalized));
        let names = (left.name.as_deref().map(folded), right.name.as_deref().map(folded));
        let name = names.0.is_some() && names.0 == names.1;
        email || (name && left.phones.iter().any(|phone| right.phones.contains(phone)))
    };
    loop {
        let mut changed = false;
        for left in &identities {
            for right in &identities {
                let smaller = person[&left.id.0].min(person[&right.id.0]);
                if same(left, right) && (person[&left.id.0] != smaller || person[&right.id.0] != smaller) {
                    person.insert(left.id.0, smaller);
                    person.insert(right.id.0, smaller);
                    changed = true;
                }
            }
        }
        if !changed {
            return person;
        }
    }
}

proptest! {
    #![proptest_config(seeded(300))]

    #[test]
    fn follows_the_rule_in_every_order(contacts in contacts(), order in any::<prop::sample::Index>()) {
        let persons = resolve(&contacts);
        let expected = by_the_book(&contacts);
        for contact in &contacts {
            let person = persons.person_of(contact.id).unwrap();
            prop_assert_eq!(person.0.0, expected[&contact.id.0]);
        }
        // Rotated and reversed, the outcome is the same to the letter.
        let mut other = contacts.clone();
        if !other.is_empty() {
            let by = order.index(other.len());
            other.rotate_left(by);
        }
        prop_assert_eq!(shown(&resolve(&other)), shown(&persons));
        other.reverse();
        prop_assert_eq!(shown(&resolve(&other)), shown(&persons));
    }

    #[test]
    fn members_and_merges_add_up(contacts in contacts()) {
        let persons = resolve(&contacts);
        let members: Vec<ContactId> = persons.iter().flat_map(|person| persons.members(person)).collect();
        let distinct: BTreeSet<ContactId> = members.iter().copied().collect();
        prop_assert_eq!(members.len(), contacts.len());
        prop_assert_eq!(distinct.len(), contacts.len());
        prop_assert_eq!(persons.merges().count() + persons.count(), contacts.len());
        for merge in persons.merges() {
            prop_assert_eq!(persons.person_of(merge.member), Some(merge.person));
            prop_assert_eq!(persons.person_of(merge.linked_to), Some(merge.person));
            prop_assert!(merge.linked_to != merge.member && merge.person.0 < merge.member);
        }
    }
}
