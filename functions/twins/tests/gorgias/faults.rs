//! Faults on request.

use serde_json::{Value, json};
use twins::gorgias::{Action, ErrorBody, Fault, When};

use crate::desk::{Desk, customer, quiet};

fn on_create(action: Action) -> Vec<Fault> {
    let when =
        When { method: Some("POST".into()), route: Some("/api/customers".into()), nth: Some(1), times: None };
    vec![Fault { when, action }]
}

/// Creates a customer under a fault; returns what the client saw and whether the customer exists afterwards.
async fn create_under(action: Action) -> (Result<(u16, String), String>, bool) {
    let desk = Desk::quiet().await;
    desk.running.set_faults(on_create(action));
    let sent = desk.request("POST", "/api/customers").json(&customer("one@example.org")).send().await;
    let seen = match sent {
        Err(error) => Err(format!("connect {} request {}", error.is_connect(), error.is_request())),
        Ok(response) => {
            let status = response.status().as_u16();
            match response.text().await {
                Ok(text) => Ok((status, text)),
                Err(error) => Err(format!("body {}", error.is_body() || error.is_decode())),
            }
        }
    };
    let stored = !desk.get("/api/customers?email=one@example.org").await.column("id").is_empty();
    assert_eq!(desk.running.faults()[0].fired, 1);
    let again = desk.post("/api/customers", customer("two@example.org")).await;
    assert_eq!(again.status, 201, "only the first request met the fault");
    (seen, stored)
}

#[tokio::test]
async fn a_lost_answer_leaves_the_effect() {
    let (seen, stored) = create_under(Action::LostAnswerAfterCommit).await;
    assert_eq!((seen, stored), (Err("connect false request true".to_owned()), true));
}

#[tokio::test]
async fn a_connection_lost_before_the_commit_has_no_effect() {
    let (seen, stored) = create_under(Action::HangUpBeforeCommit).await;
    assert_eq!((seen, stored), (Err("connect false request true".to_owned()), false));
}

#[tokio::test]
async fn statuses_before_and_after_the_commit() {
    let body = r#"{"error":{"msg":"Something went wrong."}}"#.to_owned();
    assert_eq!(create_under(Action::StatusBefore(503)).await, (Ok((503, body.clone())), false));
    assert_eq!(create_under(Action::StatusAfter(500)).await, (Ok((500, body)), true));
}

#[tokio::test]
async fn a_page_of_html() {
    let (seen, stored) = create_under(Action::Html(200)).await;
    let (status, text) = seen.unwrap();
    assert_eq!((status, text.starts_with("<html>"), stored), (200, true, false));
}

#[tokio::test]
async fn an_answer_that_breaks_off() {
    assert_eq!(create_under(Action::Truncate).await, (Err("body true".to_owned()), true));
}

#[tokio::test]
async fn an_answer_that_comes_late() {
    let desk = Desk::open(twins::gorgias::Config { time_scale: 1_000.0, ..quiet() }).await;
    desk.running.set_faults(on_create(Action::Delay(50.0)));
    let started = std::time::Instant::now();
    assert_eq!(desk.post("/api/customers", customer("one@example.org")).await.status, 201);
    assert!(started.elapsed().as_millis() >= 50, "fifty account seconds at a thousandfold");
}

#[tokio::test]
async fn bodies_of_server_errors_can_be_html_or_empty() {
    for (error_body, expected) in [(ErrorBody::Html, "<html>"), (ErrorBody::Empty, "")] {
        let mut config = quiet();
        config.switches.error_body = error_body;
        let desk = Desk::open(config).await;
        desk.running.set_faults(vec![Fault { when: When::default(), action: Action::StatusBefore(502) }]);
        let text = desk.request("GET", "/api/users").send().await.unwrap().text().await.unwrap();
        assert_eq!(text.get(..expected.len()), Some(expected), "{error_body:?}");
        assert_eq!(text.is_empty(), expected.is_empty());
    }
}

#[tokio::test]
async fn plans_are_set_through_the_control_endpoint() {
    let desk = Desk::quiet().await;
    let url = format!("{}/__twin/faults", desk.running.base_url());
    let plan = json!([{ "when": { "route": "/api/tags", "nth": 2 }, "action": { "status_before": 503 } }]);
    let set = desk.send(desk.client.put(&url).json(&plan)).await;
    assert_eq!(set.body[0]["matched"], 0);
    let statuses = [
        desk.get("/api/tags").await.status,
        desk.get("/api/tags").await.status,
        desk.get("/api/tags").await.status,
    ];
    assert_eq!(statuses, [200, 503, 200]);
    let read = desk.send(desk.client.get(&url)).await;
    assert_eq!((&read.body[0]["matched"], &read.body[0]["fired"]), (&json!(3), &json!(1)));
    assert_eq!(desk.send(desk.client.delete(&url)).await.status, 204);
    assert_eq!(desk.send(desk.client.get(&url)).await.body, json!([]));
    let wrong = desk.send(desk.client.put(&url).json(&json!([{ "action": "explode" }]))).await;
    assert_eq!((wrong.status, wrong.body["error"]["msg"].is_string()), (400, true));
}

#[tokio::test]
async fn faults_do_not_touch_the_account_they_spare() {
    let desk = Desk::quiet().await;
    let before = desk.running.dump();
    desk.running.set_faults(vec![Fault { when: When::default(), action: Action::StatusBefore(500) }]);
    assert_eq!(desk.post("/api/customers", customer("one@example.org")).await.status, 500);
    assert_eq!(desk.running.dump(), before);
    assert_ne!(before["users"], Value::Null);
}

#[tokio::test]
async fn a_request_that_takes_effect_when_nobody_waits_any_more() {
    let desk = Desk::quiet().await;
    desk.running.set_faults(on_create(Action::ApplyLate(0.3)));
    let sent = desk.request("POST", "/api/customers").json(&customer("late@example.org")).send().await;
    assert!(sent.is_err(), "the connection closes at once");
    let found = async || desk.get("/api/customers?email=late@example.org").await.column("id").len();
    assert_eq!(found().await, 0, "not yet");
    while found().await == 0 {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    assert_eq!(found().await, 1);
}
