//! Requests that would change the account: refused, and written down.

use crate::support::Visit;
use reqwest::Method;
use serde_json::json;
use twins::leaddesk::{Profile, ViolationKind};

#[tokio::test]
async fn write_commands_are_violations_even_by_get() {
    let visit = Visit::begin(Profile::Evidence).await;
    let commands = [
        "contact/add",
        "contact/modify",
        "contact/delete",
        "agent/create",
        "agent/modify",
        "agent/modify_campaign_access",
        "call/create_callback",
        "messaging/send_agent",
        "blacklist/add",
        "calling_list/delete",
    ];
    for command in commands {
        let (module, name) = command.split_once('/').unwrap();
        let seen = visit.original(&format!("mod={module}&cmd={name}&contact_id=10001")).await;
        assert_eq!((seen.status, seen.body.as_str()), (400, "ERR_INVALID_COMMAND"), "{command}");
    }
    let url = visit.url(&format!("/?auth={}&mod=contact&cmd=add", visit.auth));
    let answer = visit.client.post(url).json(&json!({ "phone": "1" })).send().await.unwrap();
    assert_eq!(answer.status(), 400);
    let ledgers = visit.running.twin().ledgers();
    let mut targets: Vec<&str> =
        ledgers.violations.iter().map(|violation| violation.target.as_str()).collect();
    assert_eq!(targets.pop(), Some("contact/add"));
    assert_eq!(targets, commands);
    assert!(ledgers.violations.iter().all(|violation| violation.kind == ViolationKind::WriteCommand));
    assert_eq!(ledgers.requests["write"], 11);
}

#[tokio::test]
async fn changing_methods_are_violations() {
    let visit = Visit::begin(Profile::Extended).await;
    let token = visit.token().await;
    let before = visit.running.twin().account().contact_count();
    let table = [
        (Method::DELETE, "/stable/gdpr/contact?phone=1", 403, ViolationKind::Delete),
        (Method::DELETE, "/stable/nothing", 403, ViolationKind::Delete),
        (Method::DELETE, "/", 403, ViolationKind::Delete),
        (Method::DELETE, "/elsewhere", 403, ViolationKind::Delete),
        (Method::POST, "/stable/users", 403, ViolationKind::WriteMethod),
        (Method::PATCH, "/stable/users/501", 403, ViolationKind::WriteMethod),
        (Method::PUT, "/stable/oauth/access-token", 403, ViolationKind::WriteMethod),
        (Method::PUT, "/", 405, ViolationKind::WriteMethod),
    ];
    for (method, path, status, _) in &table {
        let request = visit.client.request(method.clone(), visit.url(path)).bearer_auth(&token);
        assert_eq!(request.send().await.unwrap().status(), *status, "{method} {path}");
    }
    let ledgers = visit.running.twin().ledgers();
    let kinds: Vec<_> =
        ledgers.violations.iter().map(|violation| (violation.method.clone(), violation.kind)).collect();
    assert_eq!(kinds, table.map(|(method, _, _, kind)| (method.to_string(), kind)));
    assert_eq!(visit.running.twin().account().contact_count(), before);
}

#[tokio::test]
async fn ledgers_keep_no_key_and_no_person() {
    let visit = Visit::begin(Profile::Evidence).await;
    visit.original("mod=contact&cmd=find&phone=0501234567").await;
    visit.original("mod=0501234567&cmd=add0501234567").await;
    visit.original("mod=Secret&cmd=delete_Person").await;
    let text = visit.get("/__twin/ledgers").await.body;
    for kept_out in [visit.auth.as_str(), "0501234567", "Secret", "Person"] {
        assert!(!text.contains(kept_out), "{text}");
    }
    assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap()["requests"]["contact/find"], 1);
}
