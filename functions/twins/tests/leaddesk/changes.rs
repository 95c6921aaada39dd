//! The account at a later time.

use std::collections::BTreeMap;

use crate::support::{Visit, contacts, demo, place};
use serde_json::json;
use twins::generate::{Account, Change, ChangeError, ExportRow, Place, PlantedKind, Shape};
use twins::leaddesk::Profile;

/// All export rows by list, contact and number, as a reader of exports would compare them.
fn rows(account: &Account) -> BTreeMap<(u32, u32, String), ExportRow> {
    let rows = account.lists().flat_map(|list| account.export(list).map(move |row| (list.id, row)));
    rows.map(|(list, row)| ((list, row.contact_id, row.phone.clone()), row)).collect()
}

#[test]
fn planted_changes_are_what_they_say() {
    let (earlier, later) = (demo(), demo().at_later_time(1));
    let Place::Lists(gone) = place(&earlier, PlantedKind::ListToBeDeleted) else { panic!("a list") };
    assert!(earlier.list(gone[0]).is_some() && later.list(gone[0]).is_none());
    let moved = contacts(&earlier, PlantedKind::ContactToBeMoved)[0];
    let lists = |account: &Account| account.contact(moved).unwrap().list_ids;
    assert_ne!(lists(&earlier), lists(&later));
    assert_eq!(earlier.contact(moved).unwrap().text, later.contact(moved).unwrap().text);
    let touched = contacts(&earlier, PlantedKind::PhoneToBeTouched)[0];
    let row = |account: &Account| rows(account).into_values().find(|row| row.contact_id == touched).unwrap();
    let (before, after) = (row(&earlier), row(&later));
    assert!(before.phone_updated_at < after.phone_updated_at);
    assert_eq!(
        ExportRow { phone_updated_at: before.phone_updated_at, ..after },
        before,
        "nothing but column 10"
    );
}

#[test]
fn later_times_differ_in_every_way_and_mostly_not_at_all() {
    let earlier = demo();
    let later = earlier.at_later_time(1);
    let (before, after) = (rows(&earlier), rows(&later));
    let new = after.keys().filter(|key| !before.contains_key(key)).count();
    let vanished = before.keys().filter(|key| !after.contains_key(key)).count();
    let same = before.iter().filter(|(key, row)| after.get(key) == Some(row)).count();
    assert!(new > 0 && vanished > 0, "{new} {vanished}");
    assert!(same > before.len() * 8 / 10, "{same} of {}", before.len());
    assert!(later.call_count() > earlier.call_count());
    let last = earlier.calls().last().unwrap().created_at;
    assert!(later.calls().skip(earlier.call_count()).all(|call| call.created_at > last));
    assert!(
        earlier
            .calls()
            .zip(later.calls())
            .all(|(one, other)| one.id == other.id && one.created_at == other.created_at)
    );
    assert_eq!(rows(&earlier.at_later_time(1)), after);
    assert!(earlier.conversations().eq(later.conversations()), "the past stays as it was");
    assert!(later.listed_contact_count() < later.contact_count(), "some were in the deleted list alone");
    assert_ne!(earlier.later_changes(2), earlier.later_changes(1));
}

#[test]
fn time_can_go_on() {
    let mut account = demo();
    for seed in 1..5 {
        let later = account.at_later_time(seed);
        let calls: Vec<_> = later.calls().map(|call| call.created_at).collect();
        assert!(calls.is_sorted() && calls.len() > account.call_count());
        assert_ne!(rows(&later), rows(&account));
        account = later;
    }
}

#[test]
fn single_changes_do_one_thing() {
    let shape = Shape { contacts: 3, leads: 3, calls: 0, trouble: false, short_row: false, ..Shape::demo() };
    let mut account = Account::generate(shape).unwrap();
    let at = "2026-03-01 10:00:00".parse().unwrap();
    account.apply(&[Change::AddContact { list_id: 2001, at }]).unwrap();
    assert_eq!(account.contact(10_004).unwrap().list_ids, [2001]);
    account.apply(&[Change::EditComment { contact_id: 10_004, comment: "new".to_owned(), at }]).unwrap();
    let edited = account.contact(10_004).unwrap();
    assert_eq!((edited.text.comment.as_str(), edited.updated_at), ("new", at));
    account.apply(&[Change::AddCall { contact_id: Some(10_004), at }]).unwrap();
    assert_eq!(account.calls_of_contact(10_004), [100_001]);
    assert_eq!(account.calls_with_phone(&edited.text.phones[0]), [100_001]);
    account.apply(&[Change::DeleteContact { contact_id: 10_004 }]).unwrap();
    assert_eq!((account.contact(10_004), account.contact_count()), (None, 3));
    assert!(account.contacts_with_phone(&edited.text.phones[0]).iter().all(|id| *id != 10_004));
    let refused = |account: &mut Account, change| account.apply(&[change]).unwrap_err();
    assert_eq!(
        refused(&mut account, Change::DeleteContact { contact_id: 10_004 }),
        ChangeError::NoContact(10_004)
    );
    assert_eq!(refused(&mut account, Change::DeleteList { list_id: 1 }), ChangeError::NoList(1));
    let early = "2020-01-01 00:00:00".parse().unwrap();
    let change = Change::AddCall { contact_id: None, at: early };
    assert_eq!(refused(&mut account, change), ChangeError::TooEarly { last: at, at: early });
    let change = Change::TouchPhone { contact_id: 10_001, slot: 9, at };
    assert_eq!(refused(&mut account, change), ChangeError::NoPhone { contact_id: 10_001, slot: 9 });
}

#[tokio::test]
async fn a_running_twin_can_be_advanced() {
    let visit = Visit::begin(Profile::Evidence).await;
    let lists = async || visit.original("mod=calling_list&cmd=list").await.json().as_array().unwrap().len();
    assert_eq!(lists().await, 8);
    let one = json!({ "changes": [{ "change": "delete_contact", "contact_id": 10_020 }] });
    assert_eq!(visit.post("/__twin/advance", &one.to_string()).await.json()["applied"], 1);
    assert_eq!(visit.original("mod=contact&cmd=get&contact_id=10020").await.body, "ERR_NOT_FOUND:contact");
    assert_eq!(visit.post("/__twin/advance", &one.to_string()).await.status, 400, "it is gone already");
    let advanced = visit.post("/__twin/advance", r#"{"seed":1}"#).await.json();
    assert!(advanced["applied"].as_u64().unwrap() > 20);
    assert_eq!(lists().await, 7);
    let export = visit.original("mod=calling_list&cmd=export&id=2008").await;
    assert_eq!(export.body, "ERR_NOT_FOUND:calling_list");
    let state = visit.get("/__twin/state").await.json();
    assert_eq!(state["counts"]["lists"], 7);
    assert_eq!(visit.post("/__twin/advance", r#"{"sead":1}"#).await.status, 400);
}
