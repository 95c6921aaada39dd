//! Faults on request: what each looks like to a client.

use std::sync::Arc;
use std::time::Duration;

use crate::support::{Seen, Visit};
use serde_json::{Value, json};
use twins::leaddesk::{Config, Fault, FaultAction, Profile, RequestSummary};

async fn plan(visit: &Visit, rules: Value) {
    let seen = visit.post("/__twin/faults", &json!({ "rules": rules }).to_string()).await;
    assert_eq!(seen.status, 200, "{}", seen.body);
}

const LISTS: &str = "mod=calling_list&cmd=list";

#[tokio::test]
async fn faults_strike_the_planned_request_and_no_other() {
    let visit = Visit::begin(Profile::Evidence).await;
    let sound = visit.original(LISTS).await;
    let strike = async |action: Value| {
        plan(&visit, json!([{ "when": { "route": "calling_list/list", "nth": 2 }, "action": action }])).await;
        assert_eq!(visit.original("mod=widget&cmd=list").await.status, 200);
        assert_eq!(visit.original(LISTS).await, sound);
        let struck = visit.original(LISTS).await;
        assert_eq!(visit.original(LISTS).await, sound);
        assert_eq!(visit.running.twin().ledgers().faults_struck, [1]);
        struck
    };
    let html = strike(json!("html")).await;
    assert_eq!((html.status, html.content_type.as_str()), (200, "text/html; charset=utf-8"));
    assert!(html.body.starts_with("<!DOCTYPE html>"));
    let broken = strike(json!({ "status": 500 })).await;
    assert_eq!((broken.status, broken.body.as_str()), (500, "ERR_UNDEFINED"));
    let cut = strike(json!({ "truncate": 25 })).await;
    assert_eq!((cut.status, cut.body.as_str()), (200, &sound.body[..25]));
    let garbled = strike(json!({ "garble": 3 })).await;
    let differing = garbled.body.bytes().zip(sound.body.bytes()).filter(|(one, other)| one != other).count();
    assert_eq!((garbled.body.len(), differing), (sound.body.len(), 1));
    let empty = strike(json!("empty")).await;
    assert_eq!((empty.status, empty.body.as_str()), (200, ""));
    let huge = strike(json!({ "huge": 300_000 })).await;
    assert_eq!(huge.body.len(), 300_000);
    let redirect = strike(json!({ "redirect": "http://169.254.169.254/" })).await;
    assert_eq!(redirect.status, 302);
}

#[tokio::test]
async fn rest_errors_keep_their_shape() {
    let visit = Visit::begin(Profile::Evidence).await;
    let token = visit.token().await;
    plan(
        &visit,
        json!([
            { "when": { "route": "users", "nth": 1 }, "action": { "status": 503 } },
            { "when": { "route": "users", "nth": 2 }, "action": { "too_many_requests": 7 } },
            { "when": { "route": "users", "nth": 3 }, "action": { "too_many_requests": null } }
        ]),
    )
    .await;
    let url = format!("{}/users", visit.running.rest_url());
    let mut answers = Vec::new();
    for _ in 0..4 {
        let answer = visit.client.get(&url).bearer_auth(&token).send().await.unwrap();
        let wait = answer.headers().get("retry-after").map(|value| value.to_str().unwrap().to_owned());
        answers.push((answer.status().as_u16(), wait, Seen::of(answer).await.json()["code"].take()));
    }
    let expected = [
        (503, None, json!("error")),
        (429, Some("7".to_owned()), json!("error")),
        (429, None, json!("error")),
        (200, None, Value::Null),
    ];
    assert_eq!(answers, expected);
}

#[tokio::test]
async fn connections_can_be_dropped_and_bodies_broken_off() {
    let visit = Visit::begin(Profile::Evidence).await;
    plan(
        &visit,
        json!([
            { "when": { "nth": 1 }, "action": "drop_before" },
            { "when": { "nth": 2 }, "action": "drop_after" },
            { "when": { "nth": 3 }, "action": { "break_off": 30 } }
        ]),
    )
    .await;
    // One connection each, so that no client retries on a kept one.
    let ask = async || {
        let client = reqwest::Client::new();
        client.get(visit.url(&format!("/?auth={}&{LISTS}", visit.auth))).send().await
    };
    assert!(ask().await.unwrap_err().is_request());
    assert!(ask().await.unwrap_err().is_request());
    let mut broken = ask().await.unwrap();
    assert_eq!(broken.status(), 200);
    assert!(broken.content_length().unwrap() > 30);
    assert_eq!(broken.chunk().await.unwrap().unwrap().len(), 30);
    assert!(!broken.chunk().await.unwrap_err().is_timeout(), "cut off, not slow");
    assert_eq!(ask().await.unwrap().status(), 200);
    let ledgers = visit.running.twin().ledgers();
    assert_eq!(ledgers.answers[&0], 2);
    assert_eq!(ledgers.requests["calling_list/list"], 4);
}

#[tokio::test]
async fn answers_can_be_late() {
    let visit = Visit::begin(Profile::Evidence).await;
    plan(&visit, json!([{ "when": {}, "action": { "delay": 3_600_000 } }])).await;
    let url = visit.url(&format!("/?auth={}&{LISTS}", visit.auth));
    let failure = visit.client.get(url).timeout(Duration::from_millis(50)).send().await.unwrap_err();
    assert!(failure.is_timeout());
}

#[tokio::test]
async fn plans_can_be_taken_back_and_bad_ones_are_refused() {
    let visit = Visit::begin(Profile::Evidence).await;
    plan(&visit, json!([{ "when": {}, "action": { "status": 500 } }])).await;
    assert_eq!(visit.original(LISTS).await.status, 500);
    assert_eq!(visit.get("/__twin/state").await.status, 200, "control is never struck");
    let bad = visit.post("/__twin/faults", r#"{"rules":[{"when":{},"action":"explode"}]}"#).await;
    assert_eq!(bad.status, 400);
    assert_eq!(visit.original(LISTS).await.status, 500, "the old plan holds");
    visit.client.delete(visit.url("/__twin/faults")).send().await.unwrap();
    assert_eq!(visit.original(LISTS).await.status, 200);
    assert_eq!(visit.running.twin().ledgers().violation_count, 0);
}

/// A hook that is no plan.
struct EveryContact;

impl Fault for EveryContact {
    fn next(&self, request: &RequestSummary<'_>) -> FaultAction {
        if request.route == "contact/get" { FaultAction::Status(502) } else { FaultAction::None }
    }
}

#[tokio::test]
async fn any_hook_can_decide() {
    let mut config = Config::new(Profile::Evidence);
    config.faults = Some(Arc::new(EveryContact));
    let visit = Visit::with(config).await;
    assert_eq!(visit.original("mod=contact&cmd=get&contact_id=10001").await.status, 502);
    assert_eq!(visit.original(LISTS).await.status, 200);
}
