//! Persons as customers.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use expect_test::{Expect, expect};
use migration::contact_point::normalize_phone;
use migration::customer::{
    Blacklist, BlacklistHit, CustomerOutcome, draft_customer, number_customer, unknown_callers,
    unreachable_customer, visitor_customer,
};
use migration::fields::{FieldPlan, FieldPlanInput, Scope, SlotKey, SlotStatistics};
use migration::gorgias::{CustomerDraft, FieldValue};
use migration::leaddesk::{CampaignId, Contact, ContactId, Slot, SlotSetting};
use migration::person::PersonId;
use migration::settings::{ConsentField, PhoneSharing, SlotChoice, UnnormalisablePhone, UnreachablePolicy};
use proptest::prelude::*;

use crate::support::{CustomerWorld, contact, fi, notes_text, person, seeded};

fn shown_draft(draft: &CustomerDraft) -> String {
    let mut out = format!("{} name={:?} email={:?}\n", draft.external_id, draft.name, draft.email);
    for channel in &draft.channels {
        let star = if channel.is_preferred { "*" } else { "" };
        writeln!(out, "  {}{star} {}", channel.kind.as_str(), channel.address).unwrap();
    }
    for value in &draft.values {
        let text = match &value.value {
            FieldValue::Text(text) => text.clone(),
            FieldValue::Number(number) => number.to_string(),
            FieldValue::Boolean(answer) => answer.to_string(),
        };
        writeln!(out, "  {} = {text}", value.field).unwrap();
    }
    out
}

fn shown(outcome: &CustomerOutcome) -> String {
    let mut out = shown_draft(&outcome.draft);
    for reject in &outcome.rejected_values {
        writeln!(out, "value rejected: {}", reject.to_reject()).unwrap();
    }
    for leftover in &outcome.leftover {
        writeln!(out, "left {} {}: {}", leftover.contact, leftover.label, leftover.value).unwrap();
    }
    if let Some(reject) = &outcome.reject {
        writeln!(out, "{reject}").unwrap();
    }
    out + &notes_text(&outcome.notes)
}

fn check(world: &CustomerWorld, members: &[Contact], expected: &Expect) {
    let first = members.iter().map(|contact| contact.id).min().unwrap();
    let person = world.persons.person_of(first).unwrap_or(PersonId(first));
    expected.assert_eq(&shown(&draft_customer(person, members, &world.ctx())));
}

#[test]
fn three_contacts_one_customer() {
    let mut contacts = [
        person(30, "Anna Example", "anna@example.com", &["040 123 4567", "0501234567"]),
        person(10, "Anna  Example", "ANNA@example.com", &["+358401234567"]),
        person(20, "Anna Married", "anna@example.com", &[]),
    ];
    contacts[0].comment = Some("likes tea\nnot coffee".to_owned());
    contacts[2].city = Some("Oulu".to_owned());
    check(
        &CustomerWorld::new(&contacts),
        &contacts,
        &expect![[r#"
            leaddesk:contact:10 name=Some("Anna Example") email=Some("ANNA@example.com")
              email* ANNA@example.com
              phone* +358401234567
              phone +358501234567
            left 20 Name: Anna Married
            left 20 City: Oulu
            left 30 Comment: likes tea
            not coffee
            CUS108 contact/20
        "#]],
    );
}

#[test]
fn a_household_keeps_its_number_at_the_first() {
    let contacts =
        [person(1, "Anna Example", "", &["0401234567"]), person(2, "Bo Example", "", &["0401234567"])];
    let mut world = CustomerWorld::new(&contacts);
    check(
        &world,
        &contacts[..1],
        &expect![[r#"
            leaddesk:contact:1 name=Some("Anna Example") email=None
              phone* +358401234567
        "#]],
    );
    check(
        &world,
        &contacts[1..],
        &expect![[r#"
            leaddesk:contact:2 name=Some("Bo Example") email=None
            left 2 Phone (of another customer): +358401234567
            CUS101 contact/2 placeholder customer
            CUS105 contact/2 04…67 belongs to contact 1
        "#]],
    );
    world.settings.phone_sharing = PhoneSharing::EveryPerson;
    check(
        &world,
        &contacts[1..],
        &expect![[r#"
            leaddesk:contact:2 name=Some("Bo Example") email=None
              phone* +358401234567
        "#]],
    );
}

#[test]
fn odd_contact_points() {
    let contacts =
        [person(1, "Anna Example", "a@example.com, b@example.com", &["12-34-56", "0", "anonymous"])];
    let mut world = CustomerWorld::new(&contacts);
    check(
        &world,
        &contacts,
        &expect![[r#"
            leaddesk:contact:1 name=Some("Anna Example") email=None
              phone* 12-34-56
            value rejected: reject contact/1: CUS103 email: not one valid address (a…@….com)
            value rejected: reject contact/1: CUS104 phone: no international form; send-as-is (…)
            value rejected: reject contact/1: CUS104 phone: no international form; on the lead card (…)
            value rejected: reject contact/1: CUS104 phone: no international form; on the lead card (…)
            left 1 Email (not carried): a@example.com, b@example.com
            left 1 Phone (as received): 0
            left 1 Phone (as received): anonymous
        "#]],
    );
    world.settings.unnormalisable_phone = UnnormalisablePhone::KeepAsField;
    world.fields = crate::support::fixed_fields(&world.settings);
    check(
        &world,
        &contacts,
        &expect![[r#"
            leaddesk:contact:1 name=Some("Anna Example") email=None
              leaddesk:field:phone-as-received = 12-34-56, 0, anonymous
            value rejected: reject contact/1: CUS103 email: not one valid address (a…@….com)
            value rejected: reject contact/1: CUS104 phone: no international form; keep-as-field (…)
            value rejected: reject contact/1: CUS104 phone: no international form; keep-as-field (…)
            value rejected: reject contact/1: CUS104 phone: no international form; keep-as-field (…)
            left 1 Email (not carried): a@example.com, b@example.com
            CUS101 contact/1 placeholder customer
        "#]],
    );
}

#[test]
fn nobody_to_reach() {
    let contacts = [person(4, "Only Name", "", &[]), contact(5)];
    let mut world = CustomerWorld::new(&contacts);
    check(
        &world,
        &contacts[..1],
        &expect![[r#"
            leaddesk:contact:4 name=Some("Only Name") email=None
            CUS101 contact/4 placeholder customer
        "#]],
    );
    world.settings.unreachable = UnreachablePolicy::Reject;
    check(
        &world,
        &contacts[1..],
        &expect![[r#"
            leaddesk:contact:unreachable name=Some("LeadDesk contacts without address") email=None
            reject contact/5: CUS102 no usable email and phone
        "#]],
    );
    assert_eq!(
        draft_customer(PersonId(ContactId(5)), &contacts[1..], &world.ctx()).draft,
        unreachable_customer(),
        "leads of rejected persons hang on the common placeholder"
    );
}

#[test]
fn addresses_of_agents_stay_with_the_agents() {
    let contacts = [person(1, "Anna Example", "Agent@Company.example", &[])];
    let mut world = CustomerWorld::new(&contacts);
    world.reserved_emails = BTreeSet::from(["agent@company.example".to_owned()]);
    check(
        &world,
        &contacts,
        &expect![[r#"
            leaddesk:contact:1 name=Some("Anna Example") email=None
            value rejected: reject contact/1: CUS106 email: address of a Gorgias user (A…@….example)
            left 1 Email (not carried): Agent@Company.example
            CUS101 contact/1 placeholder customer
        "#]],
    );
}

#[test]
fn blacklist_and_consent() {
    let mut contacts = [person(1, "Anna Example", "", &["040-1234567"])];
    let mut world = CustomerWorld::new(&contacts);
    world.blacklist = Blacklist::new(["+358401234567", ""], fi());
    let expected = expect![[r#"
        leaddesk:contact:1 name=Some("Anna Example") email=None
          phone* +358401234567
          leaddesk:field:email-opt-out = true
        CUS107 contact/1 number on the blacklist (normalised)
    "#]];
    check(&world, &contacts, &expected);
    world.blacklist = Blacklist::default();
    world.settings.consent_fields = vec![ConsentField {
        slot: Slot::new(3).unwrap(),
        scope: Some(Scope::Campaign(CampaignId(12))),
        opted_out_words: BTreeSet::from(["Ei".to_owned()]),
    }];
    contacts[0].slots.insert(Slot::new(3).unwrap(), "EI".to_owned());
    let expected = expect![[r#"
        leaddesk:contact:1 name=Some("Anna Example") email=None
          phone* +358401234567
          leaddesk:field:email-opt-out = true
        left 1 LeadDesk other3: EI
        CUS107 contact/1 consent field other3 of contact 1
    "#]];
    check(&world, &contacts, &expected);
    contacts[0].slots.insert(Slot::new(3).unwrap(), "kyllä".to_owned());
    let draft = draft_customer(PersonId(ContactId(1)), &contacts, &world.ctx()).draft;
    assert!(draft.values.is_empty(), "no opt-out, no value, and so no second request");
}

#[test]
fn blacklist_finds_both_writings() {
    let blacklist = Blacklist::new(["040 123 4567", "12-34"], fi());
    let hit = |raw: &str| blacklist.hit(raw, normalize_phone(raw, fi()).as_ref());
    assert_eq!(hit("040 123 4567"), Some(BlacklistHit::Raw));
    assert_eq!(hit("+358401234567"), Some(BlacklistHit::Normalized));
    assert_eq!(hit("12-34"), Some(BlacklistHit::Raw));
    assert_eq!(hit("1234"), None);
    assert_eq!(blacklist.len(), 2);
    assert_eq!(format!("{blacklist:?}"), "Blacklist(2 entries)");
}

fn slots_world(contacts: &[Contact]) -> CustomerWorld {
    let mut world = CustomerWorld::new(contacts);
    let scope = Scope::Campaign(CampaignId(12));
    let mut statistics: BTreeMap<SlotKey, SlotStatistics> = BTreeMap::new();
    for contact in contacts {
        for (slot, value) in &contact.slots {
            statistics.entry(SlotKey { slot: *slot, scope }).or_default().observe(value);
        }
    }
    let setting = |slot, label: &str, kind: &str| SlotSetting {
        campaign: CampaignId(12),
        slot: Slot::new(slot).unwrap(),
        label: label.to_owned(),
        kind: kind.to_owned(),
        values: Vec::new(),
    };
    let slots = [
        setting(1, "Customer number", "text"),
        setting(2, "Visits", "number"),
        setting(3, "Syntymäaika", "text"),
    ];
    let visits = SlotKey { slot: Slot::new(2).unwrap(), scope };
    let choice =
        SlotChoice::Carry { purpose: "service".to_owned(), kind: Some(migration::fields::SlotKind::Number) };
    world.settings.slot_choices.insert(visits, choice);
    world.fields = FieldPlan::build(&FieldPlanInput {
        statistics: &statistics,
        settings: &slots,
        existing: &[],
        scope_names: &BTreeMap::new(),
        mapping: &world.settings,
        suggestions: &BTreeMap::new(),
    });
    world
}

#[test]
fn slots_become_values_or_stand_on_the_card() {
    let mut contacts = [
        person(1, "Anna Example", "anna@example.com", &[]),
        person(2, "Anna Example", "anna@example.com", &[]),
    ];
    let slot = |number| Slot::new(number).unwrap();
    contacts[0].slots = BTreeMap::from([(slot(1), "A-1".to_owned()), (slot(2), "3,5".to_owned())]);
    contacts[1].slots = BTreeMap::from([
        (slot(1), "B-2".to_owned()),
        (slot(2), "many".to_owned()),
        (slot(3), "1.1.1980".to_owned()),
        (slot(9), " ".to_owned()),
    ]);
    check(
        &slots_world(&contacts),
        &contacts,
        &expect![[r#"
            leaddesk:contact:1 name=Some("Anna Example") email=Some("anna@example.com")
              email* anna@example.com
              leaddesk:field:other1:campaign-12 = A-1
              leaddesk:field:other2:campaign-12 = 3.5
            value rejected: reject contact/2: FLD106 other2:campaign-12: not a number (aaaa)
            left 2 Customer number: B-2
            left 2 Visits: many
            CUS109 contact/2 other1:campaign-12
        "#]],
    );
}

#[test]
fn leftovers_without_a_lead_are_told() {
    let mut contacts = [person(1, "Anna Example", "anna@example.com", &[])];
    contacts[0].company = Some("Example Oy".to_owned());
    let mut world = CustomerWorld::new(&contacts);
    world.memberships = migration::fields::Memberships::default();
    check(
        &world,
        &contacts,
        &expect![[r#"
            leaddesk:contact:1 name=Some("Anna Example") email=Some("anna@example.com")
              email* anna@example.com
            left 1 Company: Example Oy
            CUS110 contact/1 1 values
        "#]],
    );
}

#[test]
fn placeholders() {
    let contacts =
        [person(1, "Anna Example", "", &["0401234567"]), person(2, "Bo Example", "", &["0401234567"])];
    let mut world = CustomerWorld::new(&contacts);
    world.blacklist = Blacklist::new(["0501234567"], fi());
    let email = migration::contact_point::normalize_email("Visitor@example.com").unwrap();
    let mut out = String::new();
    for draft in [
        number_customer("+358501234567", &world.ctx()),
        number_customer("+358401234567", &world.ctx()),
        number_customer("12345", &world.ctx()),
        unknown_callers(),
        visitor_customer("conv-1", Some(&email), false),
        visitor_customer("conv-2", Some(&email), false),
        visitor_customer("conv-3", Some(&email), true),
    ] {
        out += &shown_draft(&draft);
    }
    expect![[r#"
        leaddesk:number:+358501234567 name=Some("Caller +358501234567") email=None
          phone* +358501234567
          leaddesk:field:email-opt-out = true
        leaddesk:number:+358401234567 name=Some("Caller +358401234567") email=None
        leaddesk:number:12345 name=Some("Caller 12345") email=None
          phone* 12345
        leaddesk:number:unknown name=Some("LeadDesk unknown callers") email=None
        leaddesk:visitor:email-01a57457d5887a322fbfbefe0e99c7dc name=None email=Some("Visitor@example.com")
          email* Visitor@example.com
        leaddesk:visitor:email-01a57457d5887a322fbfbefe0e99c7dc name=None email=Some("Visitor@example.com")
          email* Visitor@example.com
        leaddesk:visitor:conv-3 name=Some("JennyBot visitor") email=None
    "#]]
    .assert_eq(&out);
}

#[test]
fn leftovers_do_not_print_themselves() {
    let contacts = [person(1, "Anna Example", "", &["secret"])];
    let outcome = draft_customer(PersonId(ContactId(1)), &contacts, &CustomerWorld::new(&contacts).ctx());
    assert_eq!(format!("{:?}", outcome.leftover), "[Leftover(1, Phone (as received), 6 characters)]");
}

proptest! {
    #![proptest_config(seeded(200))]

    /// Whatever the contacts: no address is carried by two customers, and no filled value vanishes.
    #[test]
    fn nothing_is_carried_twice_and_nothing_is_lost(
        drawn in proptest::collection::btree_map(1_u64..40, (0_u8..6, proptest::collection::vec(0_u8..6, 0..4), 0_u8..3), 1..25),
    ) {
        let contacts: Vec<Contact> = drawn
            .iter()
            .map(|(id, (email, phones, name))| {
                let email = if *email == 0 { String::new() } else { format!("person{email}@example.com") };
                let phones: Vec<String> = phones.iter().map(|phone| format!("040123456{phone}")).collect();
                let phones: Vec<&str> = phones.iter().map(String::as_str).collect();
                person(*id, &format!("Name{name}"), &email, &phones)
            })
            .collect();
        let world = CustomerWorld::new(&contacts);
        let mut addresses = BTreeSet::new();
        let mut external_ids = BTreeSet::new();
        for person in world.persons.iter() {
            let ids = world.persons.members(person);
            let mut members: Vec<Contact> =
                contacts.iter().filter(|contact| ids.contains(&contact.id)).cloned().collect();
            let outcome = draft_customer(person, &members, &world.ctx());
            prop_assert!(external_ids.insert(outcome.draft.external_id.clone()));
            for channel in &outcome.draft.channels {
                prop_assert!(addresses.insert(channel.address.to_lowercase()), "carried twice");
            }
            let has = |raw: &str| {
                let normal = normalize_phone(raw, fi()).map_or(raw.to_owned(), |phone| phone.as_str().to_owned());
                outcome.draft.channels.iter().any(|channel| channel.address.eq_ignore_ascii_case(&normal))
                    || outcome.leftover.iter().any(|leftover| leftover.value == normal)
            };
            for contact in &members {
                prop_assert!(contact.phones.iter().chain(&contact.email).all(|raw| has(raw)));
            }
            members.reverse();
            prop_assert_eq!(draft_customer(person, &members, &world.ctx()), outcome);
        }
    }
}
