//! Every read of the port against the twin, held against what the account really holds.

use std::collections::BTreeSet;

use pipeline::ports::clock::Clock;
use pipeline::ports::leaddesk::{LeadDesk, REST_PAGE_ITEMS, SourceError};
use secrecy::SecretString;
use serde_json::Value;
use twins::generate::Recording;

use crate::visit::Visit;

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// Rows of an export as its only reader in these tests needs them: the contact ids.
fn contact_ids(export: &[u8]) -> BTreeSet<u32> {
    let mut ids = BTreeSet::new();
    let (mut quoted, mut at_start, mut id) = (false, true, String::new());
    for character in std::str::from_utf8(export).unwrap().chars() {
        match character {
            '"' => quoted = !quoted,
            '\n' if !quoted => {
                ids.insert(id.parse().unwrap());
                (at_start, id) = (true, String::new());
            }
            ';' if !quoted => at_start = false,
            other if at_start && !other.is_control() => id.push(other),
            _ => {}
        }
    }
    ids
}

#[tokio::test]
async fn lists_and_their_exports_are_whole() {
    let visit = Visit::begin().await;
    let lists = visit.client.lists().await.unwrap();
    let expected: Vec<(String, String)> =
        visit.account().lists().map(|list| (list.id.to_string(), list.name.clone())).collect();
    let found: Vec<(String, String)> =
        lists.iter().map(|list| (list.id.clone(), list.name.clone())).collect();
    assert_eq!(found, expected);
    assert!(
        !lists.is_empty() && lists.iter().all(|list| parsed(&list.raw_json)["name"] == list.name.as_str())
    );
    for list in &lists {
        let export = visit.client.list_export(&list.id).await.unwrap();
        let expected: BTreeSet<u32> = visit.account().contact_ids_of_list(list.id.parse().unwrap()).collect();
        assert_eq!(contact_ids(&export), expected, "list {}", list.id);
    }
    assert_eq!(visit.client.requests()["calling_list/export"], lists.len() as u64);
    visit.has_only_read();
}

#[tokio::test]
async fn contacts_and_calls_come_as_they_are() {
    let visit = Visit::begin().await;
    let (contacts, calls): (Vec<u32>, Vec<u32>) = {
        let account = visit.account();
        (account.contact_ids().take(40).collect(), account.calls().take(40).map(|call| call.id).collect())
    };
    for id in contacts {
        let contact = parsed(&visit.client.contact(&id.to_string()).await.unwrap());
        assert_eq!(contact["contact_id"], id);
        assert!(contact["data"].is_object());
    }
    for id in calls {
        let call = parsed(&visit.client.call(&id.to_string()).await.unwrap());
        assert_eq!(call["id"], id.to_string());
    }
    // Forty requests after a burst of a few, at five a second.
    let seconds = visit.clock.elapsed_nanoseconds() / 1_000_000_000;
    assert!((15..=16).contains(&seconds), "{seconds}");
    visit.has_only_read();
}

#[tokio::test]
async fn collections_are_paged_to_what_they_announce() {
    let visit = Visit::begin().await;
    let users = visit.client.users(1).await.unwrap();
    let expected: Vec<u32> = visit.account().users().map(|user| user.id).collect();
    assert_eq!(users.announced, expected.len() as u64);
    let found: Vec<u64> = users.items.iter().map(|item| parsed(item)["id"].as_u64().unwrap()).collect();
    assert_eq!(
        found,
        expected.iter().take(REST_PAGE_ITEMS as usize).map(|id| u64::from(*id)).collect::<Vec<_>>()
    );
    // Beyond the announced end there may be nothing.
    assert_eq!(visit.client.users(9).await.unwrap().items, Vec::<String>::new());
    let campaigns = visit.client.campaigns(1).await.unwrap();
    assert_eq!(campaigns.announced, visit.account().campaigns().count() as u64);
    assert_eq!(campaigns.items.len() as u64, campaigns.announced);
    assert_eq!(visit.client.requests()["POST /oauth/access-token"], 1);
    visit.has_only_read();
}

#[tokio::test]
async fn a_number_has_its_history() {
    let visit = Visit::begin().await;
    let (number, expected) = {
        let account = visit.account();
        let number = account.calls().find(|call| call.number.starts_with('+')).unwrap().number;
        let expected = account.calls_with_phone(&number).len();
        (number, expected)
    };
    let history = visit.client.phone_history(&number).await.unwrap();
    assert_eq!(history.calls.len(), expected);
    assert!(
        expected > 0 && parsed(&history.raw_json)["calls"]["agent"].as_array().unwrap().len() == expected
    );
    // Nobody has this number, and that is an answer.
    assert_eq!(visit.client.phone_history("+000000").await.unwrap().calls, Vec::<String>::new());
    visit.has_only_read();
}

#[tokio::test]
async fn a_recording_is_asked_for_and_never_fetched() {
    let visit = Visit::begin().await;
    let recordings: Vec<(String, bool)> = {
        let account = visit.account();
        let calls = account.calls().filter(|call| call.recording != Recording::None);
        calls.take(60).map(|call| (call.record_file.clone(), call.recording == Recording::Kept)).collect()
    };
    assert!(recordings.iter().any(|(_, kept)| *kept) && recordings.iter().any(|(_, kept)| !kept));
    for (name, kept) in recordings {
        assert_eq!(visit.client.recording_exists(&name).await.unwrap(), kept, "{name}");
    }
    assert!(!visit.client.recording_exists("never.wav.mp3").await.unwrap());
    // A whole address asks for the same file; what names no file asks nothing.
    let before = visit.seen("audio/files");
    assert!(!visit.client.recording_exists("https://rec.example/x/never.wav.mp3?signature=s").await.unwrap());
    assert!(!visit.client.recording_exists("..").await.unwrap());
    assert_eq!(visit.seen("audio/files"), before + 1);
    assert_eq!(visit.seen("recording"), 0, "the address was followed");
    visit.has_only_read();
}

#[tokio::test]
async fn what_is_not_there_is_told_as_such() {
    let visit = Visit::begin().await;
    let check = |outcome: Result<String, SourceError>, expected: &str| {
        assert_eq!(outcome.unwrap_err().to_string(), expected);
    };
    check(visit.client.contact("1").await, "LeadDesk has no such object for contact/get");
    check(visit.client.call("1").await, "LeadDesk has no such object for call/get");
    check(visit.client.contact("x").await, "LeadDesk refused contact/get: ERR_ARGUMENT_INVALID");
    let missing = visit.client.list_export("1").await.map(|_| String::new());
    check(missing, "LeadDesk has no such object for calling_list/export");
    // What is certain is not asked again.
    assert_eq!(visit.seen("contact/get"), 2);
}

#[tokio::test]
async fn wrong_credentials_are_told_and_not_tried_again() {
    let wrong = || SecretString::from("wrong");
    let visit = Visit::with(|access| (access.auth, access.client_secret) = (wrong(), wrong())).await;
    let lists = visit.client.lists().await.unwrap_err();
    assert_eq!(lists.to_string(), "LeadDesk refused the credentials for calling_list/list");
    assert_eq!(visit.seen("calling_list/list"), 1);
    let users = visit.client.users(1).await.unwrap_err();
    assert_eq!(users.to_string(), "LeadDesk refused the credentials for POST /oauth/access-token");
    assert_eq!((visit.seen("oauth/access-token"), visit.seen("users")), (1, 0));
}
