//! What a source can do instead of answering. None of it is ever read as "nothing there".

use std::collections::BTreeMap;
use std::error::Error as _;

use expect_test::{Expect, expect};
use pipeline::ports::clock::Clock;
use pipeline::ports::leaddesk::{LeadDesk, SourceError};
use twins::generate::Recording;
use twins::leaddesk::FaultAction;

use crate::visit::Visit;

/// The reads by the route of the twin, and ids that lead to something.
struct Reads {
    list: String,
    contact: String,
    call: String,
    phone: String,
    recording: String,
}

const ROUTES: [&str; 8] = [
    "calling_list/list",
    "calling_list/export",
    "contact/get",
    "call/get",
    "users",
    "campaigns",
    "gdpr/contact",
    "audio/files",
];

impl Reads {
    fn of(visit: &Visit) -> Self {
        let account = visit.account();
        let kept = account.calls().find(|call| call.recording == Recording::Kept).unwrap();
        Self {
            list: account
                .lists()
                .find(|list| account.contact_ids_of_list(list.id).count() > 9)
                .unwrap()
                .id
                .to_string(),
            contact: account.contact_ids().next().unwrap().to_string(),
            call: kept.id.to_string(),
            phone: kept.number.clone(),
            recording: kept.record_file.clone(),
        }
    }

    /// What the read of this route brings, as text.
    async fn read(&self, client: &dyn LeadDesk, route: &str) -> Result<String, SourceError> {
        Ok(match route {
            "calling_list/list" => format!("{:?}", client.lists().await?),
            "calling_list/export" => format!("{:?}", client.list_export(&self.list).await?),
            "contact/get" => client.contact(&self.contact).await?,
            "call/get" => client.call(&self.call).await?,
            "users" => format!("{:?}", client.users(1).await?),
            "campaigns" => format!("{:?}", client.campaigns(1).await?),
            "gdpr/contact" => format!("{:?}", client.phone_history(&self.phone).await?),
            "audio/files" => client.recording_exists(&self.recording).await?.to_string(),
            other => panic!("no read of {other}"),
        })
    }
}

fn passing() -> Vec<FaultAction> {
    vec![
        FaultAction::Status(500),
        FaultAction::Status(503),
        FaultAction::Status(408),
        FaultAction::TooManyRequests(Some(3)),
        FaultAction::TooManyRequests(None),
        FaultAction::Html,
        FaultAction::Empty,
        FaultAction::Huge(17 * 1024 * 1024),
        FaultAction::DropBefore,
        FaultAction::DropAfter,
        FaultAction::Truncate(20),
        FaultAction::BreakOff(20),
        FaultAction::Garble(0),
    ]
}

#[tokio::test]
async fn what_passes_is_waited_for_and_the_answer_is_the_same() {
    let visit = Visit::begin().await;
    let reads = Reads::of(&visit);
    let mut undisturbed = BTreeMap::new();
    for route in ROUTES {
        undisturbed.insert(route, reads.read(&visit.client, route).await.unwrap());
    }
    for route in ROUTES {
        for action in passing() {
            let is_plain_text = route == "calling_list/export";
            let has_no_body = route == "audio/files";
            match action {
                // Text has no shape that one flipped bit would break.
                FaultAction::Garble(_) if is_plain_text => continue,
                // The body of a redirect is not read.
                FaultAction::Truncate(_) | FaultAction::BreakOff(_) | FaultAction::Garble(_)
                    if has_no_body =>
                {
                    continue;
                }
                _ => {}
            }
            let before = visit.seen(route);
            visit.strike(route, 1, 2, action.clone());
            let found = reads.read(&visit.client, route).await;
            let found = found.unwrap_or_else(|error| panic!("{route} {action:?}: {error}"));
            assert_eq!(found, undisturbed[route], "{route} {action:?}");
            assert_eq!(visit.seen(route) - before, 3, "{route} {action:?}");
        }
    }
    visit.has_only_read();
}

/// The read of this route fails in this way when the fault does not end.
async fn check(route: &str, action: FaultAction, tries: u64, expected: Expect) {
    let visit = Visit::begin().await;
    let reads = Reads::of(&visit);
    visit.strike(route, 1, 1_000_000, action);
    let error = reads.read(&visit.client, route).await.unwrap_err();
    let mut text = error.to_string();
    // Causes of the connection's own are worded by the operating system.
    if let Some(cause) = error.source() {
        text = format!("{text}: {cause}");
    }
    expected.assert_eq(&text);
    assert_eq!(visit.seen(route), tries, "{route}");
}

#[tokio::test]
async fn what_does_not_pass_is_an_error_of_commands_that_says_what_came() {
    check(
        "calling_list/list",
        FaultAction::Html,
        6,
        expect!["LeadDesk's answer to calling_list/list cannot be used: content type text/html"],
    )
    .await;
    check(
        "calling_list/list",
        FaultAction::Empty,
        6,
        expect!["LeadDesk's answer to calling_list/list cannot be used: empty"],
    )
    .await;
    check(
        "calling_list/list",
        FaultAction::Truncate(40),
        6,
        expect![
            "LeadDesk's answer to calling_list/list cannot be used: JSON that is cut off, line 1 column 40"
        ],
    )
    .await;
    check(
        "contact/get",
        FaultAction::Status(500),
        6,
        expect!["LeadDesk did not answer contact/get: HTTP status 500 with ERR_UNDEFINED"],
    )
    .await;
    check(
        "contact/get",
        FaultAction::Huge(17 * 1024 * 1024),
        6,
        expect!["LeadDesk's answer to contact/get cannot be used: the answer is longer than 16777216 bytes"],
    )
    .await;
    check(
        "call/get",
        FaultAction::Garble(0),
        6,
        expect!["LeadDesk's answer to call/get cannot be used: not JSON, line 1 column 1"],
    )
    .await;
}

#[tokio::test]
async fn what_does_not_pass_is_an_error_of_exports_that_says_what_came() {
    check(
        "calling_list/export",
        FaultAction::Truncate(20),
        6,
        expect!["LeadDesk's answer to calling_list/export cannot be used: cut off inside the last row"],
    )
    .await;
    check(
        "calling_list/export",
        FaultAction::Html,
        6,
        expect!["LeadDesk's answer to calling_list/export cannot be used: content type text/html"],
    )
    .await;
    check(
        "calling_list/export",
        FaultAction::Empty,
        6,
        expect!["LeadDesk's answer to calling_list/export cannot be used: content type application/json"],
    )
    .await;
    check(
        "calling_list/export",
        FaultAction::BreakOff(200),
        6,
        expect!["LeadDesk's answer to calling_list/export cannot be used: the answer was cut off"],
    )
    .await;
}

#[tokio::test]
async fn what_does_not_pass_is_an_error_of_resources_that_says_what_came() {
    check(
        "users",
        FaultAction::Redirect("http://127.0.0.1:1/".to_owned()),
        1,
        expect![
            "LeadDesk's answer to GET /users cannot be used: redirect 302; is the address of the API right?"
        ],
    )
    .await;
    check(
        "campaigns",
        FaultAction::DropBefore,
        6,
        expect!["LeadDesk did not answer GET /campaigns: no answer"],
    )
    .await;
    check(
        "gdpr/contact",
        FaultAction::TooManyRequests(None),
        906,
        expect!["LeadDesk did not answer GET /gdpr/contact: too many answers 429"],
    )
    .await;
    check(
        "audio/files",
        FaultAction::Html,
        6,
        expect!["LeadDesk's answer to GET /audio/files/{name} cannot be used: neither an address nor sound"],
    )
    .await;
    check(
        "audio/files",
        FaultAction::Empty,
        6,
        expect!["LeadDesk's answer to GET /audio/files/{name} cannot be used: neither an address nor sound"],
    )
    .await;
}

#[tokio::test]
async fn a_wait_that_is_asked_for_is_kept_by_everybody() {
    let visit = Visit::begin().await;
    let reads = Reads::of(&visit);
    visit.strike("contact/get", 1, 1, FaultAction::TooManyRequests(Some(40)));
    let started = visit.clock.elapsed_nanoseconds();
    let (contact, lists) = futures::join!(visit.client.contact(&reads.contact), visit.client.lists());
    contact.unwrap();
    lists.unwrap();
    let waited = (visit.clock.elapsed_nanoseconds() - started) / 1_000_000_000;
    assert!(waited >= 40, "{waited}");
}
