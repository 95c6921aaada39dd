//! The keys of every answer, single and in lists, and which of them are null.

use expect_test::{Expect, expect};
use serde_json::{Value, json};

use crate::desk::{Desk, customer, incoming, note};

/// Keys in order; a question mark follows those that are null.
fn keys(value: &Value) -> String {
    let keys = value.as_object().unwrap().iter();
    keys.map(|(key, value)| format!("{key}{}", if value.is_null() { "?" } else { "" }))
        .collect::<Vec<_>>()
        .join(" ")
}

#[expect(clippy::needless_pass_by_value, reason = "expectations are written in place")]
fn check(value: &Value, expected: Expect) {
    expected.assert_eq(&keys(value));
}

#[tokio::test]
async fn customers() {
    let desk = Desk::quiet().await;
    let created = desk.post("/api/customers", customer("one@example.org")).await;
    assert_eq!(created.status, 201);
    check(
        &created.body,
        expect![
            "active channels created_datetime custom_fields customer? data? email external_id? firstname id integrations language? lastname meta name note? timezone? updated_datetime"
        ],
    );
    check(
        &created.body["channels"][0],
        expect![
            "address created_datetime customer deleted_datetime? id preferred type updated_datetime user"
        ],
    );
    let single = desk.get(&format!("/api/customers/{}", created.id())).await;
    check(
        &single.body,
        expect![
            "active channels created_datetime custom_fields customer? data? ecommerce_data email external_data external_id? firstname id integrations language? lastname meta name note? timezone? updated_datetime"
        ],
    );
    assert_eq!(single.body["meta"], json!({ "name_set_via": "agent" }));
    assert_eq!(single.body["custom_fields"], json!({}), "an empty map, never absent");
    let list = desk.get("/api/customers?limit=1").await;
    check(&list.body, expect!["data meta object uri"]);
    check(&list.body["meta"], expect!["next_cursor prev_cursor?"]);
    check(
        &list.body["data"][0],
        expect![
            "active created_datetime custom_fields data? email external_id? firstname id language? lastname meta name note? timezone? updated_datetime"
        ],
    );
    assert_eq!(list.body["uri"], "/api/customers?limit=1");
}

#[tokio::test]
async fn tickets_and_messages() {
    let desk = Desk::quiet().await;
    let id = desk.customer("one@example.org").await;
    let body = json!({ "customer": { "id": id }, "messages": [incoming("Hello?"), note("Checked.")] });
    let created = desk.post("/api/tickets", body).await;
    assert_eq!(created.status, 201, "{}", created.body);
    let whole = expect![
        "assignee_team? assignee_team_id? assignee_user? assignee_user_id? channel closed_datetime? created_datetime custom_fields customer events external_id? from_agent id imported is_unread language last_message_datetime last_received_message_datetime messages meta? opened_datetime? priority processed_datetime reply_options requester satisfaction_survey? snooze_datetime? spam status subject? summary? tags trashed_datetime? updated_datetime uri via"
    ];
    whole.assert_eq(&keys(&created.body));
    check(
        &created.body["customer"],
        expect![
            "channels customer? data? email external_id? firstname id integrations lastname meta name note?"
        ],
    );
    check(
        &created.body["messages"][0],
        expect![
            "actions? attachments? auth_customer_identity? body_html? body_text channel created_datetime external_id? failed_datetime? from_agent id imported integration_id? intents is_retriable last_sending_error? message_id? meta? opened_datetime? processed_datetime public receiver? rule_id? sender sent_datetime source stripped_html? stripped_signature? stripped_text? subject? ticket_id uri via"
        ],
    );
    assert_eq!(created.body["messages"][0]["source"], json!({ "type": "phone" }));
    let single = desk.get(&format!("/api/tickets/{}", created.id())).await;
    whole.assert_eq(&keys(&single.body));
    assert_eq!(single.body["uri"], format!("/api/tickets/{}/", created.id()));
    let list = desk.get(&format!("/api/tickets?customer_id={id}")).await;
    check(&list.body["meta"], expect!["next_cursor? prev_cursor? total_resources?"]);
    check(
        &list.body["data"][0],
        expect![
            "assignee_team? assignee_user? channel closed_datetime? created_datetime custom_fields customer excerpt external_id? from_agent id integrations is_unread language last_message_datetime last_received_message_datetime last_sent_message_not_delivered messages_count meta? opened_datetime? priority snooze_datetime? spam status subject? summary? tags trashed_datetime? updated_datetime uri via"
        ],
    );
    check(&list.body["data"][0]["customer"], expect!["email firstname id lastname meta name"]);
    let message = single.body["messages"][1]["id"].as_u64().unwrap();
    let alone = desk.get(&format!("/api/tickets/{}/messages/{message}", created.id())).await;
    check(
        &alone.body,
        expect![
            "actions? attachments? auth_customer_identity? body_html? body_text channel created_datetime deleted_datetime? external_id? failed_datetime? from_agent headers? id imported integration_id? intents is_retriable last_sending_error? macros message_id? meta? opened_datetime? processed_datetime public receiver? replied_by? replied_to? rule_id? sender sent_datetime? source stripped_html? stripped_signature? stripped_text? subject? ticket_id uri via"
        ],
    );
}

#[tokio::test]
async fn custom_fields_of_a_ticket_are_absent_when_there_are_none() {
    let desk = Desk::quiet().await;
    let id = desk.ticket(desk.customer("one@example.org").await).await;
    let ticket = desk.get(&format!("/api/tickets/{id}")).await;
    assert!(ticket.body.get("custom_fields").is_none());
    assert_eq!(ticket.body["messages"][0]["attachments"], Value::Null);
}

#[tokio::test]
async fn users_teams_tags_and_fields() {
    let desk = Desk::quiet().await;
    let users = desk.get("/api/users?limit=1").await;
    check(
        &users.body["data"][0],
        expect![
            "active bio? client_id? country? created_datetime deactivated_datetime? email external_id? firstname has_2fa_enabled has_password id language? lastname meta name role timezone updated_datetime uri"
        ],
    );
    let uri = users.body["data"][0]["uri"].as_str().unwrap();
    assert!(uri.starts_with("https://acme.gorgias.com/api/users/"), "absolute: {uri}");
    let teams = desk.get("/api/teams").await;
    check(&teams.body["data"][0], expect!["created_datetime decoration description? id members name uri"]);
    check(&teams.body["data"][0]["members"][0], expect!["email id meta name"]);
    assert_eq!(teams.body["data"][0]["decoration"], json!({}));
    let tags = desk.get("/api/tags").await;
    check(
        &tags.body["data"][0],
        expect!["created_datetime decoration deleted_datetime? description? id name uri usage"],
    );
    check(&tags.body["meta"], expect!["next_cursor? prev_cursor? total_resources?"]);
    let of_tickets = desk.get("/api/custom-fields?object_type=Ticket").await;
    check(
        &of_tickets.body["data"][0],
        expect![
            "created_datetime deactivated_datetime? definition description? external_id? id label managed_type object_type priority required requirement_type updated_datetime"
        ],
    );
    assert_eq!(of_tickets.column("managed_type").len(), 6);
    let of_customers = desk.get("/api/custom-fields?object_type=Customer").await;
    check(
        &of_customers.body["data"][0],
        expect![
            "created_datetime deactivated_datetime? definition description? external_id? id label managed_type object_type priority required updated_datetime"
        ],
    );
    assert_eq!(of_customers.column("managed_type"), [json!("customer_type")]);
}

#[tokio::test]
async fn values_with_their_definition() {
    let desk = Desk::quiet().await;
    let id = desk.customer("one@example.org").await;
    let (of_customer, of_ticket) =
        (desk.field("Customer", "Region").await, desk.field("Ticket", "Lead").await);
    let path = format!("/api/customers/{id}/custom-fields");
    assert_eq!(desk.put(&path, json!([{ "id": of_customer, "value": "North" }])).await.status, 202);
    let values = desk.get(&path).await;
    check(&values.body["data"][0], expect!["field value"]);
    let ticket = desk.ticket(id).await;
    let path = format!("/api/tickets/{ticket}/custom-fields");
    desk.put(&path, json!([{ "id": of_ticket, "value": "New" }])).await;
    check(&desk.get(&path).await.body["data"][0], expect!["field prediction? value"]);
    let shown = desk.get(&format!("/api/tickets/{ticket}")).await;
    assert_eq!(
        shown.body["custom_fields"],
        json!({ of_ticket.to_string(): { "id": of_ticket, "value": "New" } })
    );
}

#[tokio::test]
async fn names_are_split_and_instants_have_microseconds() {
    let desk = Desk::quiet().await;
    let named = json!({ "name": "Test Middle Customer", "channels": [] });
    let created = desk.post("/api/customers", named).await;
    assert_eq!((&created.body["firstname"], &created.body["lastname"]), (&json!("Test"), &json!("Customer")));
    assert_eq!(created.body["created_datetime"], "2026-11-01T00:00:00.000000+00:00");
    let nameless = desk.post("/api/customers", json!({ "channels": [] })).await;
    assert_eq!((&nameless.body["name"], &nameless.body["firstname"]), (&Value::Null, &json!("")));
}

#[tokio::test]
async fn small_tables() {
    let desk = Desk::open(twins::gorgias::Config {
        bucket: twins::gorgias::Bucket { capacity: 1_000, window_seconds: 1.0 },
        ..twins::gorgias::Config::default()
    })
    .await;
    check(
        &desk.get("/api/rules").await.body["data"][0],
        expect![
            "code code_ast created_datetime deactivated_datetime? description? event_types id name priority updated_datetime uri"
        ],
    );
    check(
        &desk.get("/api/integrations?type=http").await.body["data"][0],
        expect![
            "application_id? business_hours_id? created_datetime deactivated_datetime? decoration? description? http id locked_datetime? managed meta name type updated_datetime uri user"
        ],
    );
    check(
        &desk.get("/api/views").await.body["data"][0],
        expect![
            "category created_datetime deactivated_datetime? decoration? fields filters filters_ast id name order_by order_dir search? section_id? shared_with_teams shared_with_users slug type uri visibility"
        ],
    );
    check(
        &desk.get("/api/events?limit=1").await.body["data"][0],
        expect!["context created_datetime data? id object_id object_type type uri user_id"],
    );
    check(
        &desk.get("/api/account").await.body,
        expect!["created_datetime current_subscription deactivated_datetime? domain meta settings status"],
    );
    let settings = desk.get("/api/account/settings?type=satisfaction-surveys").await;
    check(&settings.body["data"][0], expect!["data id type"]);
    let job = desk.post("/api/jobs", json!({ "type": "exportMacro", "params": {} })).await;
    check(
        &job.body,
        expect![
            "cancel_requested_datetime? cancelled_datetime? created_datetime ended_datetime? failed_datetime? id info locked_datetime? meta? params scheduled_datetime? started_datetime? status type uri user_id"
        ],
    );
    let macros = desk.post("/api/macros", json!({ "name": "M" })).await;
    check(
        &macros.body,
        expect![
            "actions archived_datetime? created_datetime external_id? id intent? language? name updated_datetime? uri usage"
        ],
    );
    let found = desk.post("/api/search", json!({ "type": "agent", "query": "agent" })).await;
    assert_eq!((found.status, &found.body["uri"], &found.body["meta"]), (200, &json!(""), &json!({})));
    assert_eq!(found.header("x-gorgias-search-engine"), Some("ES"));
}
