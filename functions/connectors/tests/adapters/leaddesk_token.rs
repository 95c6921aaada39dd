//! The token: fetched once, renewed once, by one request however many need it.

use std::sync::atomic::Ordering;
use std::time::Duration;

use futures::future::join_all;
use pipeline::ports::leaddesk::{LeadDesk, SourceError};
use twins::leaddesk::FaultAction;

use crate::visit::Visit;

const TOKEN: &str = "oauth/access-token";

#[tokio::test]
async fn one_token_serves_all_who_wait_for_it() {
    let visit = Visit::begin().await;
    for outcome in join_all((0..8).map(|_| visit.client.users(1))).await {
        outcome.unwrap();
    }
    assert_eq!((visit.seen(TOKEN), visit.seen("users")), (1, 8));
}

#[tokio::test]
async fn a_token_that_ran_out_is_renewed_once_for_all() {
    let visit = Visit::begin().await;
    visit.client.users(1).await.unwrap();
    // Only LeadDesk's clock has moved: we cannot know.
    visit.seconds.fetch_add(3_601, Ordering::SeqCst);
    for outcome in join_all((0..8).map(|_| visit.client.users(1))).await {
        outcome.unwrap();
    }
    assert_eq!(visit.seen(TOKEN), 2);
    let refused = visit.running.twin().ledgers().answers[&401];
    assert!((1..=8).contains(&refused), "{refused}");
}

#[tokio::test]
async fn a_token_is_renewed_at_half_of_its_life() {
    let visit = Visit::begin().await;
    visit.client.users(1).await.unwrap();
    visit.clock.advance(Duration::from_secs(1_700));
    visit.client.users(1).await.unwrap();
    assert_eq!(visit.seen(TOKEN), 1);
    visit.clock.advance(Duration::from_secs(200));
    visit.client.users(1).await.unwrap();
    assert_eq!(visit.seen(TOKEN), 2);
    assert_eq!(visit.running.twin().ledgers().answers.get(&401), None);
}

#[tokio::test]
async fn a_fresh_token_that_is_refused_means_wrong_credentials() {
    let visit = Visit::begin().await;
    visit.strike("users", 1, 1_000, FaultAction::Status(401));
    let error = visit.client.users(1).await.unwrap_err();
    assert!(matches!(error, SourceError::Credentials { .. }), "{error}");
    assert_eq!((visit.seen(TOKEN), visit.seen("users")), (2, 2));
}

#[tokio::test]
async fn a_token_request_that_fails_in_passing_is_put_again() {
    for action in [
        FaultAction::Status(503),
        FaultAction::Html,
        FaultAction::Empty,
        FaultAction::DropAfter,
        FaultAction::TooManyRequests(Some(2)),
        FaultAction::BreakOff(10),
    ] {
        let visit = Visit::begin().await;
        visit.strike(TOKEN, 1, 2, action.clone());
        visit.client.users(1).await.unwrap_or_else(|error| panic!("{action:?}: {error}"));
        assert_eq!((visit.seen(TOKEN), visit.seen("users")), (3, 1), "{action:?}");
    }
}

#[tokio::test]
async fn a_permission_that_is_missing_is_told_as_such() {
    let visit = Visit::begin().await;
    visit.strike("campaigns", 1, 1_000, FaultAction::Status(403));
    let error = visit.client.campaigns(1).await.unwrap_err();
    assert_eq!(error.to_string(), "LeadDesk does not allow GET /campaigns for this account");
    assert_eq!(visit.seen("campaigns"), 1);
}
