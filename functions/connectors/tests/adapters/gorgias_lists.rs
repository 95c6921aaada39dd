//! Lists: page by page to their end, and never an empty one in place of an answer.

use std::collections::BTreeSet;
use std::error::Error as _;
use std::time::Duration;

use expect_test::{Expect, expect};
use pipeline::ports::gorgias::{Gorgias, ReadError};
use twins::gorgias::Action;

use crate::desk::{Desk, note, ticket, with};

#[tokio::test]
async fn lists_are_walked_by_their_cursors() {
    let desk = Desk::quiet().await;
    let before = desk.client.customers(None).await.unwrap().records.len();
    for number in 0..230 {
        desk.customer(number).await;
        desk.time.advance(Duration::from_secs(1));
    }
    let (mut ids, mut sizes, mut cursor) = (BTreeSet::new(), Vec::new(), None);
    loop {
        let page = desk.client.customers(cursor.as_ref()).await.unwrap();
        sizes.push(page.records.len());
        ids.extend(page.records.iter().map(|raw| raw.record.id));
        // The list form shows neither, and that is not the same as none.
        assert!(page.records.iter().all(|raw| raw.record.channels.is_none() && raw.record.values.is_none()));
        match page.next {
            Some(next) => cursor = Some(next),
            None => break,
        }
    }
    assert_eq!(sizes, [100, 100, 30 + before]);
    assert_eq!(ids.len(), 230 + before);
}

#[tokio::test]
async fn tickets_and_messages_are_listed_oldest_first_with_the_trash() {
    let desk = Desk::quiet().await;
    let (author, customer) = (desk.service_user().await, desk.customer(1).await);
    let mut created = Vec::new();
    for number in 0..130 {
        let new = ticket(number, customer, vec![note(&number.to_string(), author, "2025-01-01T09:00:00Z")]);
        created.push(desk.client.create_ticket(&new).await.unwrap());
    }
    desk.client.set_ticket_trashed(created[5], Some("2026-11-22T09:00:00Z".parse().unwrap())).await.unwrap();
    let first = desk.client.tickets(None).await.unwrap();
    let second = desk.client.tickets(first.next.as_ref()).await.unwrap();
    let rows = || first.records.iter().chain(&second.records).map(|raw| &raw.record);
    let listed: BTreeSet<_> = rows().map(|ticket| ticket.id).collect();
    assert!(created.iter().all(|id| listed.contains(id)) && second.next.is_none());
    assert!(rows().is_sorted_by_key(|ticket| ticket.created_at));
    assert!(rows().any(|ticket| ticket.trashed_at.is_some()));
    let first = desk.client.messages(None).await.unwrap();
    let second = desk.client.messages(first.next.as_ref()).await.unwrap();
    assert_eq!(first.records.len(), 100);
    let ours = first
        .records
        .iter()
        .chain(&second.records)
        .filter(|raw| created.contains(&raw.record.ticket))
        .count();
    assert_eq!(ours, 130);
}

#[tokio::test]
async fn a_cursor_that_died_is_refused_and_not_an_end() {
    let desk = Desk::open(with(|switches| switches.cursor_life_seconds = Some(60.0)), "1000000/1").await;
    for number in 0..150 {
        desk.customer(number).await;
    }
    let page = desk.client.customers(None).await.unwrap();
    desk.time.advance(Duration::from_secs(61));
    let error = desk.client.customers(page.next.as_ref()).await.unwrap_err();
    assert!(matches!(error, ReadError::Refused { .. }), "{error}");
}

const PASSING: [Action; 8] = [
    Action::StatusBefore(500),
    Action::StatusBefore(503),
    Action::StatusBefore(408),
    Action::StatusBefore(499),
    Action::Html(200),
    Action::Html(502),
    Action::Truncate,
    Action::HangUpBeforeCommit,
];

fn came<T>(action: Action, outcome: Result<T, ReadError>) -> T {
    outcome.unwrap_or_else(|error| panic!("{action:?}: {error}"))
}

#[tokio::test]
async fn what_passes_is_waited_for_and_the_answer_is_the_same() {
    let desk = Desk::quiet().await;
    let customer = desk.customer(1).await;
    let (page, record) =
        (desk.client.customers(None).await.unwrap(), desk.client.customer(customer).await.unwrap());
    let settings = desk.client.settings().await.unwrap();
    for action in PASSING {
        desk.strike("GET", "/customers", 2, action);
        let before = desk.asked("GET /api/customers");
        assert_eq!(came(action, desk.client.customers(None).await), page, "{action:?}");
        assert_eq!(desk.asked("GET /api/customers") - before, 3, "{action:?}");
        desk.strike("GET", "/customers/{id}", 2, action);
        assert_eq!(came(action, desk.client.customer(customer).await), record, "{action:?}");
        desk.strike("GET", "/account/settings", 2, action);
        assert_eq!(came(action, desk.client.settings().await), settings, "{action:?}");
    }
}

async fn check(action: Action, tries: u64, expected: Expect) {
    let desk = Desk::quiet().await;
    desk.strike("GET", "/tickets", 1_000_000, action);
    let error = desk.client.tickets(None).await.unwrap_err();
    let cause = error.source().map(|cause| format!(": {cause}")).unwrap_or_default();
    // What comes after these is worded by libraries and the operating system.
    let cause = [": no answer", ": the answer was cut off"]
        .into_iter()
        .find(|start| cause.starts_with(start))
        .unwrap_or(&cause);
    expected.assert_eq(&format!("{error}{cause}"));
    assert_eq!(desk.asked("GET /api/tickets"), tries, "{action:?}");
}

#[tokio::test]
async fn what_does_not_pass_is_an_error_that_says_what_came() {
    check(
        Action::Html(200),
        6,
        expect!["Gorgias' answer to GET /tickets cannot be used: a page for people instead of data"],
    )
    .await;
    check(Action::StatusBefore(503), 6, expect!["Gorgias did not answer GET /tickets: status 503"]).await;
    check(Action::Truncate, 6, expect!["Gorgias did not answer GET /tickets: the answer was cut off"]).await;
    check(Action::StatusBefore(400), 1, expect!["Gorgias refused GET /tickets"]).await;
    check(
        Action::StatusBefore(401),
        1,
        expect!["Gorgias refused the credentials or the permission for GET /tickets"],
    )
    .await;
    check(
        Action::StatusBefore(403),
        1,
        expect!["Gorgias refused the credentials or the permission for GET /tickets"],
    )
    .await;
    check(Action::StatusBefore(404), 1, expect!["Gorgias has no such record for GET /tickets"]).await;
    check(Action::StatusBefore(301), 1, expect!["Gorgias' answer to GET /tickets cannot be used: a redirect: the record was merged, or the address is wrong"]).await;
    check(Action::HangUpBeforeCommit, 6, expect!["Gorgias did not answer GET /tickets: no answer"]).await;
}

#[tokio::test]
async fn a_closed_account_stops_at_once() {
    let desk = Desk::open(with(|switches| switches.deactivated = true), "1000000/1").await;
    let error = desk.client.account().await.unwrap_err();
    assert!(matches!(error, ReadError::Credentials { .. }), "{error}");
    assert_eq!(desk.asked("GET /api/account"), 1);
}
