//! What goes to the ledgers: mails, invitations, fees, harm.

use std::time::Duration;

use serde_json::{Value, json};
use twins::gorgias::{Bucket, Config, LedgerCounts, Preexisting};

use crate::desk::{Desk, incoming, merged, note, quiet, ticket};

fn outgoing(customer: u64, sent: Option<&str>) -> Value {
    json!({
        "channel": "phone", "via": "api", "from_agent": true, "receiver": { "id": customer }, "body_text": "Hello.",
        "sent_datetime": sent,
    })
}

#[tokio::test]
async fn a_careful_load_leaves_all_ledgers_empty() {
    let desk = Desk::quiet().await;
    let customer = desk.customer("one@example.org").await;
    let agent = desk.user("agent.one@acme.example").await;
    let body = json!({
        "customer": { "id": customer }, "status": "closed", "closed_datetime": "2026-10-01T00:00:00Z",
        "created_datetime": "2026-09-01T00:00:00Z", "tags": [{ "name": "VIP" }], "assignee_user": { "id": agent },
        "messages": [merged(note("x"), json!({ "sender": { "id": agent } })), incoming("y")],
    });
    let id = desk.post("/api/tickets", body).await.id();
    assert_eq!(desk.post(&format!("/api/tickets/{id}/messages"), note("z")).await.status, 201);
    assert_eq!(desk.running.ledgers().counts(), LedgerCounts::default(), "{:?}", desk.running.ledgers());
    let shown = desk.get(&format!("/api/tickets/{id}")).await;
    assert_eq!(shown.body["status"], "closed");
    assert_eq!(shown.body["closed_datetime"], "2026-10-01T00:00:00.000000+00:00");
}

#[tokio::test]
async fn an_outgoing_message_without_sent_datetime_is_sent_and_billed_once() {
    let desk = Desk::quiet().await;
    let customer = desk.customer("one@example.org").await;
    let body = json!({ "customer": { "id": customer }, "messages": [outgoing(customer, None)] });
    let made = desk.post("/api/tickets", body).await;
    assert_eq!(made.body["messages"][0]["sent_datetime"], Value::Null);
    let path = format!("/api/tickets/{}/messages", made.id());
    desk.post(&path, outgoing(customer, None)).await;
    assert_eq!(desk.codes("outbox"), ["message-sent", "message-sent"]);
    assert_eq!(desk.codes("billing_certain"), ["ticket-billed"], "once per ticket");
    assert!(desk.codes("billing_possible").is_empty());
    desk.clock.advance(Duration::from_secs(2));
    let sent = desk.get(&path).await.column("sent_datetime");
    assert!(sent.iter().all(Value::is_string), "filled later: {sent:?}");
}

#[tokio::test]
async fn pre_dated_outgoing_messages_are_billed_possibly() {
    let desk = Desk::quiet().await;
    let customer = desk.customer("one@example.org").await;
    let dated = || outgoing(customer, Some("2026-10-01T00:00:00Z"));
    let body = json!({ "customer": { "id": customer }, "messages": [dated(), dated()] });
    desk.post("/api/tickets", body).await;
    let hidden = merged(dated(), json!({ "public": false }));
    desk.post("/api/tickets", json!({ "customer": { "id": customer }, "messages": [hidden] })).await;
    let expected = LedgerCounts { billing_possible: 1, ..LedgerCounts::default() };
    assert_eq!(desk.running.ledgers().counts(), expected);
}

#[tokio::test]
async fn new_users_are_invited_and_take_seats() {
    let mut config = quiet();
    config.switches.seats_max = 4;
    let desk = Desk::open(config).await;
    let user = |email: &str| json!({ "name": "New Agent", "email": email, "role": { "name": "agent" } });
    assert_eq!(desk.post("/api/users", user("a@acme.example")).await.status, 201);
    assert_eq!(
        desk.post("/api/users", user("b@acme.example")).await.brief(),
        "403 The plan has no seat left."
    );
    assert_eq!(desk.codes("invitations"), ["user-invited"]);
}

#[tokio::test]
async fn rules_answer_new_tickets_and_reopen_updated_ones() {
    let mut config = quiet();
    config.preexisting.rules = true;
    let desk = Desk::open(config).await;
    let customer = desk.customer("one@example.org").await;
    let closed = merged(ticket(customer), json!({ "status": "closed" }));
    let id = desk.post("/api/tickets", closed.clone()).await.id();
    assert_eq!(desk.codes("outbox"), ["rule-replied"]);
    assert_eq!(desk.codes("billing_certain"), ["ticket-billed"]);
    let path = format!("/api/tickets/{id}");
    assert_eq!(desk.get(&path).await.body["status"], "closed", "creation does not reopen");
    desk.put(&path, json!({ "subject": "Later" })).await;
    assert_eq!(desk.get(&path).await.body["status"], "open");
    let executed = desk.get("/api/events?types=rule-executed").await;
    assert_eq!(executed.column("user_id"), [Value::Null, Value::Null]);
    for rule in desk.get("/api/rules").await.column("id") {
        let pause = json!({ "deactivated_datetime": "2026-10-01T00:00:00Z" });
        assert_eq!(desk.put(&format!("/api/rules/{rule}"), pause).await.status, 202);
    }
    let id = desk.post("/api/tickets", closed).await.id();
    let path = format!("/api/tickets/{id}");
    desk.post(&format!("{path}/messages"), note("appended")).await;
    assert_eq!(desk.get(&path).await.body["status"], "closed");
    assert_eq!(desk.codes("outbox").len(), 1, "paused rules do nothing");
}

#[tokio::test]
async fn auto_replies_spare_the_channel_api() {
    let mut config = quiet();
    config.preexisting.rules = true;
    let desk = Desk::open(config).await;
    let customer = desk.customer("one@example.org").await;
    desk.post("/api/tickets", merged(ticket(customer), json!({ "channel": "api" }))).await;
    assert!(desk.codes("outbox").is_empty());
    assert_eq!(desk.get("/api/events?types=rule-executed").await.column("id").len(), 1);
}

#[tokio::test]
async fn rules_with_conditions_and_tags() {
    let desk = Desk::quiet().await;
    let customer = desk.customer("one@example.org").await;
    let code = "if (eq(ticket.subject, 'tag me')) { Action('addTags', { tags: 'VIP, urgent' }) }";
    let rule = json!({ "name": "Tags", "code": code, "event_types": "ticket-created" });
    assert_eq!(desk.post("/api/rules", rule).await.status, 201);
    let tags = async |subject: &str| {
        let made = desk.post("/api/tickets", merged(ticket(customer), json!({ "subject": subject }))).await;
        made.body["tags"].as_array().unwrap().len()
    };
    assert_eq!((tags("tag me").await, tags("leave me").await), (2, 0));
}

#[tokio::test]
async fn surveys_are_sent_after_a_real_conversation() {
    let mut config = quiet();
    config.preexisting.surveys = true;
    let desk = Desk::open(config).await;
    let customer = desk.customer("one@example.org").await;
    let long = "long enough ".repeat(25);
    let body =
        |messages: Value| json!({ "customer": { "id": customer }, "status": "closed", "messages": messages });
    let answer = merged(outgoing(customer, Some("2026-10-01T00:00:00Z")), json!({ "body_text": long }));
    desk.post("/api/tickets", body(json!([incoming(&long), note(&long)]))).await;
    desk.post(
        "/api/tickets",
        body(json!([incoming("short"), outgoing(customer, Some("2026-10-01T00:00:00Z"))])),
    )
    .await;
    assert!(desk.codes("outbox").is_empty(), "notes and short talks are not surveyed");
    let skipped = desk.get("/api/events?types=ticket-satisfaction-survey-skipped").await;
    assert_eq!(skipped.column("data").len(), 2);
    let id = desk.post("/api/tickets", body(json!([incoming(&long), answer]))).await.id();
    assert_eq!(desk.codes("outbox"), ["survey-scheduled"]);
    let survey = desk.get(&format!("/api/tickets/{id}")).await.body["satisfaction_survey"].clone();
    assert_eq!(survey["should_send_datetime"], "2026-11-01T02:00:00.000000+00:00");
    desk.clock.advance(Duration::from_secs(2 * 3_600));
    assert_eq!(desk.get("/api/events?types=satisfaction-survey-sent").await.column("id").len(), 1);
}

#[tokio::test]
async fn surveys_can_be_switched_off_through_the_settings() {
    let mut config = quiet();
    config.preexisting.surveys = true;
    let desk = Desk::open(config).await;
    let customer = desk.customer("one@example.org").await;
    let setting = desk.get("/api/account/settings?type=satisfaction-surveys").await.body["data"][0].clone();
    let mut data = setting["data"].clone();
    for channel in ["chat", "email", "contact_form", "help_center"] {
        data[format!("send_survey_for_{channel}")] = json!(false);
    }
    let off = json!({ "type": "satisfaction-surveys", "data": data });
    assert_eq!(desk.put(&format!("/api/account/settings/{}", setting["id"]), off).await.status, 202);
    let long = "long enough ".repeat(25);
    let answer = outgoing(customer, Some("2026-10-01T00:00:00Z"));
    let body =
        json!({ "customer": { "id": customer }, "status": "closed", "messages": [incoming(&long), answer] });
    desk.post("/api/tickets", body).await;
    assert!(desk.codes("outbox").is_empty());
}

#[tokio::test]
async fn webhooks_are_called_unless_paused() {
    let mut config = quiet();
    config.preexisting.webhook = true;
    let desk = Desk::open(config).await;
    let customer = desk.customer("one@example.org").await;
    let id = desk.ticket(customer).await;
    assert_eq!(desk.codes("outbox"), ["webhook-called"]);
    desk.put(&format!("/api/tickets/{id}"), json!({ "subject": "x" })).await;
    assert_eq!(desk.codes("outbox").len(), 2);
    let hook = desk.get("/api/integrations?type=http").await.body["data"][0].clone();
    let pause = json!({ "name": hook["name"], "deactivated_datetime": "2026-10-01T00:00:00Z" });
    assert_eq!(desk.put(&format!("/api/integrations/{}", hook["id"]), pause).await.status, 202);
    desk.ticket(customer).await;
    assert_eq!(desk.codes("outbox").len(), 2);
}

#[tokio::test]
async fn violations() {
    let desk = Desk::quiet().await;
    let customer = desk.customer("one@example.org").await;
    let seen = async |expected: &str| {
        let last = desk.codes("violations").pop();
        assert_eq!(last.as_deref(), Some(expected));
    };
    let named = json!({ "customer": { "email": "unknown@example.org" }, "messages": [note("x")] });
    desk.post("/api/tickets", named).await;
    seen("person-created-by-reference").await;
    let renamed = merged(incoming("x"), json!({ "sender": { "id": customer, "name": "Other Name" } }));
    desk.post("/api/tickets", json!({ "customer": { "id": customer }, "messages": [renamed] })).await;
    seen("person-changed-by-reference").await;
    assert_eq!(desk.get(&format!("/api/customers/{customer}")).await.body["name"], "Other Name");
    desk.post("/api/tickets", merged(ticket(customer), json!({ "snooze_datetime": "2026-10-01T00:00:00Z" })))
        .await;
    seen("snoozed-into-past").await;
    desk.post("/api/tickets", merged(ticket(customer), json!({ "colour": 1 }))).await;
    seen("unknown-key").await;
    let agent = desk.user("agent.two@acme.example").await;
    assert_eq!(desk.delete(&format!("/api/users/{agent}")).await.status, 204);
    seen("user-deletion-requested").await;
    let tickets = desk.get("/api/tickets?order_by=created_datetime:asc&limit=1").await;
    desk.delete(&format!("/api/tickets/{}", tickets.body["data"][0]["id"])).await;
    seen("foreign-record-removed").await;
    assert_eq!(desk.delete(&format!("/api/customers/{customer}")).await.status, 204);
    seen("tickets-deleted-with-customer").await;
    assert!(desk.get(&format!("/api/tickets?customer_id={customer}")).await.column("id").is_empty());
    let tag = desk.post("/api/tags", json!({ "name": "a" })).await.id();
    let vip = desk.get("/api/tags?search=vip").await.body["data"][0]["id"].clone();
    desk.put(&format!("/api/tags/{vip}/merge"), json!({ "source_tags_ids": [tag] })).await;
    seen("records-merged").await;
}

#[tokio::test]
async fn defaults_are_dangerous_on_purpose() {
    let preexisting = Preexisting::default();
    let bucket = Bucket { capacity: 1_000, window_seconds: 1.0 };
    let desk = Desk::open(Config { preexisting, bucket, ..Config::default() }).await;
    assert!(desk.running.ledgers().is_empty(), "what came with the account is nobody's fault");
    desk.ticket(desk.customer("one@example.org").await).await;
    assert_eq!(desk.codes("outbox"), ["rule-replied", "webhook-called"]);
}
