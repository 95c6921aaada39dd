//! Lists: paging, filters, order, lag.

use std::time::Duration;

use serde_json::{Value, json};

use crate::desk::{Desk, merged, quiet, ticket, with};

/// All ids of a list, page by page.
async fn walk(desk: &Desk, path: &str) -> Vec<Value> {
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = desk.get(&format!("{path}{cursor}")).await;
        assert_eq!(page.status, 200, "{}", page.body);
        seen.extend(page.column("id"));
        match page.body["meta"]["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return seen,
        }
    }
}

#[tokio::test]
async fn every_list_can_be_walked() {
    let desk = Desk::quiet().await;
    let customer = desk.customer("one@example.org").await;
    for number in 0..7 {
        desk.clock.advance(Duration::from_secs(1));
        desk.ticket(customer).await;
        desk.post("/api/tags", json!({ "name": format!("tag {number}") })).await;
        desk.post("/api/teams", json!({ "name": format!("team {number}") })).await;
        desk.field("Ticket", &format!("field {number}")).await;
    }
    let cases = [
        ("/api/tickets?", 9),
        ("/api/tickets?order_by=updated_datetime:asc&", 9),
        ("/api/messages?", 7 + 4),
        ("/api/customers?", 3),
        ("/api/users?order_by=name:desc&", 3),
        ("/api/tags?order_by=usage:desc,name:desc&", 10),
        ("/api/teams?order_by=name:asc&", 8),
        ("/api/custom-fields?object_type=Ticket&", 13),
        ("/api/views?", 3),
        (
            "/api/events?order_by=created_datetime:asc&",
            desk.running.dump()["events"].as_array().unwrap().len(),
        ),
    ];
    for (path, count) in cases {
        let whole = walk(&desk, &format!("{path}limit=100")).await;
        assert_eq!(whole.len(), count, "{path}");
        assert_eq!(walk(&desk, &format!("{path}limit=2")).await, whole, "{path}");
    }
}

#[tokio::test]
async fn a_page_is_stable_while_others_write() {
    let desk = Desk::quiet().await;
    let customer = desk.customer("one@example.org").await;
    let mut ids = Vec::new();
    for _ in 0..5 {
        desk.clock.advance(Duration::from_secs(1));
        ids.push(json!(desk.ticket(customer).await));
    }
    let first = desk.get(&format!("/api/tickets?customer_id={customer}&limit=2")).await;
    assert_eq!(first.column("id"), [ids[4].clone(), ids[3].clone()]);
    desk.clock.advance(Duration::from_secs(1));
    desk.ticket(customer).await;
    desk.delete(&format!("/api/tickets/{}", ids[3])).await;
    let cursor = first.body["meta"]["next_cursor"].as_str().unwrap();
    let second = desk.get(&format!("/api/tickets?customer_id={customer}&limit=2&cursor={cursor}")).await;
    assert_eq!(second.column("id"), [ids[2].clone(), ids[1].clone()]);
    let back = second.body["meta"]["prev_cursor"].as_str().unwrap();
    let before = desk.get(&format!("/api/tickets?customer_id={customer}&limit=1&cursor={back}")).await;
    assert_eq!(before.column("id"), [ids[4].clone()]);
}

#[tokio::test]
async fn filters_of_tickets() {
    let desk = Desk::quiet().await;
    let (one, two) = (desk.customer("one@example.org").await, desk.customer("two@example.org").await);
    let of = |customer, more| desk.post("/api/tickets", merged(ticket(customer), more));
    let first = of(one, json!({ "external_id": "leaddesk:lead:1" })).await.id();
    let second = of(two, json!({ "external_id": "leaddesk:lead:2" })).await.id();
    let trashed = of(two, json!({ "trashed_datetime": "2026-10-01T00:00:00Z" })).await.id();
    let found = async |query: &str| desk.get(&format!("/api/tickets?{query}")).await.column("id");
    assert_eq!(found("external_id=leaddesk:lead:2").await, [json!(second)]);
    assert!(found("external_id=leaddesk:lead").await.is_empty(), "no prefixes");
    assert_eq!(found(&format!("customer_id={one}")).await, [json!(first)]);
    assert_eq!(
        found(&format!("customer_id={two}")).await,
        [json!(trashed), json!(second)],
        "trashed included"
    );
    assert_eq!(found(&format!("customer_id={two}&trashed=false")).await, [json!(second)]);
    assert_eq!(
        found(&format!("ticket_ids={first}&ticket_ids={second}")).await,
        [json!(second), json!(first)]
    );
    assert_eq!(found(&format!("ticket_ids={first}&ticket_ids={first}&ticket_ids=1")).await, [json!(first)]);
    let view = json!({ "slug": "v", "filters": format!("eq(ticket.customer.id, {one})") });
    let view = desk.post("/api/views", view).await.id();
    assert_eq!(found(&format!("view_id={view}")).await, [json!(first)]);
}

#[tokio::test]
async fn filters_of_customers_and_users() {
    let desk = Desk::quiet().await;
    let body = json!({
        "name": "Ann Example", "external_id": "leaddesk:contact:1", "email": "Ann@Example.org", "language": "fi",
        "channels": [{ "type": "phone", "address": "+358 40 123", "preferred": true }],
    });
    let ann = json!([desk.post("/api/customers", body).await.id()]);
    let found = async |query: &str| json!(desk.get(&format!("/api/customers?{query}")).await.column("id"));
    assert_eq!(found("external_id=leaddesk:contact:1").await, ann);
    assert_eq!(found("email=ann@example.ORG").await, ann, "compared in lower case");
    assert_eq!(found("channel_type=phone&channel_address=%2B35840123").await, ann, "compared in normal form");
    assert_eq!(found("channel_type=email&channel_address=%2B35840123").await, json!([]));
    assert_eq!(found("name=Ann%20Example").await, ann);
    assert_eq!(found("language=fi").await, ann);
    let users = async |query: &str| desk.get(&format!("/api/users?{query}")).await.column("email");
    assert_eq!(users("email=AGENT.one@acme.example").await, [json!("agent.one@acme.example")]);
    assert_eq!(users("roles=basic-agent&roles=admin").await.len(), 2);
    assert_eq!(users("search=two").await, [json!("agent.two@acme.example")]);
}

#[tokio::test]
async fn messages_stand_in_the_order_of_their_time() {
    let desk = Desk::quiet().await;
    let customer = desk.customer("one@example.org").await;
    let dated = |text: &str, at: &str| merged(crate::desk::note(text), json!({ "created_datetime": at }));
    let body = json!({ "customer": { "id": customer }, "messages": [
        dated("second", "2026-02-01T00:00:00Z"), dated("third", "2026-03-01T00:00:00Z"), dated("first", "2026-01-01T00:00:00Z"),
    ]});
    let id = desk.post("/api/tickets", body).await.id();
    let texts = |rows: &Value| {
        rows.as_array().unwrap().iter().map(|row| row["body_text"].clone()).collect::<Vec<_>>()
    };
    let whole = desk.get(&format!("/api/tickets/{id}")).await;
    assert_eq!(texts(&whole.body["messages"]), ["first", "second", "third"]);
    let list = desk.get(&format!("/api/messages?ticket_id={id}")).await;
    assert_eq!(texts(&list.body["data"]), ["third", "second", "first"], "newest first by default");
    let below = desk.get(&format!("/api/tickets/{id}/messages?order_by=created_datetime:asc")).await;
    assert_eq!(texts(&below.body["data"]), ["first", "second", "third"]);
}

#[tokio::test]
async fn lists_lag_and_single_reads_do_not() {
    let desk = Desk::open(with(|switches| switches.list_lag_seconds = 10.0)).await;
    let body = merged(crate::desk::customer("one@example.org"), json!({ "external_id": "x" }));
    let customer = desk.post("/api/customers", body).await.id();
    let id = desk.ticket(customer).await;
    let listed = async || {
        let customers = desk.get("/api/customers?external_id=x").await.column("id").len();
        let tickets = desk.get(&format!("/api/tickets?customer_id={customer}")).await.column("id").len();
        let messages = desk.get(&format!("/api/messages?ticket_id={id}")).await.column("id").len();
        (customers, tickets, messages)
    };
    assert_eq!(desk.get(&format!("/api/tickets/{id}")).await.status, 200);
    assert_eq!(listed().await, (0, 0, 0));
    desk.clock.advance(Duration::from_millis(9_999));
    assert_eq!(listed().await, (0, 0, 0));
    desk.clock.advance(Duration::from_millis(1));
    assert_eq!(listed().await, (1, 1, 1));
}

#[tokio::test]
async fn cursors_expire_when_told_to() {
    let desk = Desk::open(with(|switches| switches.cursor_life_seconds = Some(60.0))).await;
    let first = desk.get("/api/users?limit=1").await;
    let path = format!("/api/users?limit=1&cursor={}", first.body["meta"]["next_cursor"].as_str().unwrap());
    assert_eq!(desk.get(&path).await.status, 200);
    desk.clock.advance(Duration::from_secs(61));
    assert_eq!(desk.get(&path).await.brief(), "400 cursor: Expired cursor.");
}

#[tokio::test]
async fn two_accounts_of_one_seed_are_equal() {
    let (one, other) = (Desk::open(quiet()).await, Desk::open(quiet()).await);
    for desk in [&one, &other] {
        desk.ticket(desk.customer("one@example.org").await).await;
    }
    assert_eq!(one.running.dump(), other.running.dump());
}
