//! What may exist once only.

use serde_json::{Value, json};

use crate::desk::{Desk, customer, field, merged};

#[tokio::test]
async fn emails_are_unique_over_users_and_customers() {
    let desk = Desk::quiet().await;
    let taken = "409 email: This email is already used by another person.";
    let id = desk.customer("one@example.org").await;
    for email in ["one@example.org", "ONE@example.org", "customer.one@example.org", "agent.one@acme.example"]
    {
        assert_eq!(desk.post("/api/customers", customer(email)).await.brief(), taken, "{email}");
    }
    let by_email = json!({ "email": " One@Example.org ".trim(), "channels": [] });
    assert_eq!(desk.post("/api/customers", by_email).await.brief(), taken);
    let user = json!({ "name": "A", "email": "one@example.org", "role": { "name": "agent" } });
    assert_eq!(desk.post("/api/users", user).await.brief(), taken);
    let own = desk.put(&format!("/api/customers/{id}"), json!({ "email": "One@example.org" })).await;
    assert_eq!(own.status, 202, "a customer may keep its own email");
    let other =
        desk.put(&format!("/api/customers/{id}"), json!({ "email": "customer.one@example.org" })).await;
    assert_eq!(other.brief(), taken);
}

#[tokio::test]
async fn channels_are_unique_in_normal_form() {
    let desk = Desk::quiet().await;
    let phone =
        |address: &str| json!({ "channels": [{ "type": "phone", "address": address, "preferred": true }] });
    assert_eq!(desk.post("/api/customers", phone("+358 40 123 4567")).await.status, 201);
    let taken = "409 channels: This phone channel is already used by another customer.";
    for address in ["+358401234567", "00358 40 1234567", "+358-40-123-4567"] {
        assert_eq!(desk.post("/api/customers", phone(address)).await.brief(), taken, "{address}");
    }
    let kept = desk.get("/api/customers?channel_type=phone&channel_address=%2B358401234567").await;
    let kept = desk.get(&format!("/api/customers/{}", kept.body["data"][0]["id"])).await;
    assert_eq!(kept.body["channels"][0]["address"], "+358 40 123 4567", "stored as sent");
    assert_eq!(
        desk.post("/api/customers", phone("0401234567")).await.status,
        201,
        "another number to the twin"
    );
}

#[tokio::test]
async fn names_labels_and_surveys() {
    let desk = Desk::quiet().await;
    assert_eq!(desk.post("/api/tags", json!({ "name": "vip" })).await.status, 201, "case counts");
    assert_eq!(desk.post("/api/tags", json!({ "name": "vip" })).await.status, 400);
    assert_eq!(desk.post("/api/teams", json!({ "name": "support" })).await.status, 201);
    let id = desk.field("Ticket", "Region").await;
    let taken = "400 label: A custom field with this label already exists.";
    assert_eq!(
        desk.post("/api/custom-fields", field("Customer", "Region")).await.brief(),
        taken,
        "account-wide"
    );
    let archived = json!({ "deactivated_datetime": "2026-10-01T00:00:00Z" });
    assert_eq!(desk.put(&format!("/api/custom-fields/{id}"), archived).await.status, 202);
    assert_eq!(
        desk.post("/api/custom-fields", field("Ticket", "Region")).await.brief(),
        taken,
        "archived ones too"
    );
    let customer = desk.customer("one@example.org").await;
    let survey = json!({ "ticket_id": desk.ticket(customer).await, "customer_id": customer });
    assert_eq!(desk.post("/api/satisfaction-surveys", survey.clone()).await.status, 201);
    assert_eq!(
        desk.post("/api/satisfaction-surveys", survey).await.brief(),
        "409 ticket_id: This ticket already has a survey."
    );
}

#[tokio::test]
async fn external_ids_may_repeat_and_are_noted() {
    let desk = Desk::quiet().await;
    let with = |email: &str| merged(customer(email), json!({ "external_id": "leaddesk:contact:1" }));
    for email in ["one@example.org", "two@example.org"] {
        assert_eq!(desk.post("/api/customers", with(email)).await.status, 201);
    }
    assert_eq!(desk.get("/api/customers?external_id=leaddesk:contact:1").await.column("id").len(), 2);
    assert_eq!(desk.codes("violations"), ["duplicate-external-id"]);
}

#[tokio::test]
async fn persons_share_one_sequence_and_the_email_is_filled() {
    let desk = Desk::quiet().await;
    let customer = desk.customer("one@example.org").await;
    let user = json!({ "name": "A", "email": "a@acme.example", "role": { "name": "agent" } });
    let user = desk.post("/api/users", user).await.id();
    assert!(user > customer && user - customer < 100, "{customer} {user}");
    let shown = desk.get(&format!("/api/customers/{customer}")).await;
    assert_eq!(shown.body["email"], "one@example.org");
    let bare = desk.post("/api/customers", json!({ "email": "bare@example.org", "channels": [] })).await;
    assert_eq!(bare.body["channels"], json!([]), "channels are what was sent");
    assert_eq!(bare.body["meta"], json!({ "name_set_via": "agent" }));
    assert_eq!(shown.body["customer"], Value::Null);
}

#[tokio::test]
async fn channels_are_replaced_and_keep_their_ids() {
    let desk = Desk::quiet().await;
    let id = desk.customer("one@example.org").await;
    let path = format!("/api/customers/{id}");
    let before = desk.get(&path).await.body["channels"][0]["id"].clone();
    let channels = json!({ "channels": [
        { "type": "email", "address": "one@example.org", "preferred": false },
        { "type": "phone", "address": "+358401234567", "preferred": true },
    ]});
    desk.put(&path, channels).await;
    let after = desk.get(&path).await;
    assert_eq!(after.body["channels"][0]["id"], before);
    assert_eq!(after.body["channels"].as_array().unwrap().len(), 2);
    desk.put(&path, json!({ "channels": [] })).await;
    assert_eq!(desk.get(&path).await.body["channels"], json!([]));
    assert_eq!(
        desk.get("/api/customers?email=one@example.org").await.column("id"),
        [json!(id)],
        "the email stays"
    );
}
