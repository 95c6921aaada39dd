//! Every switch, away from its default.

use std::time::Duration;

use serde_json::{Value, json};
use twins::gorgias::{
    Config, CustomerDelete, DuplicateChannel, DuplicateEmail, FieldCap, Preexisting, SingleValue,
    StatusCodes, Switches, UnknownKeys, UnknownTag, ValuesAnswer, ValuesPut,
};

use crate::desk::{Desk, customer, field, incoming, merged, quiet, ticket, with};

async fn open(change: impl FnOnce(&mut Switches)) -> Desk {
    Desk::open(with(change)).await
}

#[tokio::test]
async fn all_successes_can_be_200() {
    let desk = open(|switches| switches.status_codes = StatusCodes::AllOk).await;
    let made = desk.post("/api/customers", customer("one@example.org")).await;
    assert_eq!(made.status, 200);
    let path = format!("/api/customers/{}", made.id());
    assert_eq!(desk.put(&path, json!({ "name": "A" })).await.status, 200);
    assert_eq!(desk.delete(&path).await.status, 204, "recorded as 204 throughout");
}

#[tokio::test]
async fn unknown_keys_can_be_ignored() {
    let desk = open(|switches| switches.unknown_keys = UnknownKeys::Ignore).await;
    let body = merged(customer("one@example.org"), json!({ "firstname": "X", "colour": 1 }));
    let made = desk.post("/api/customers", body).await;
    assert_eq!((made.status, &made.body["firstname"]), (201, &json!("Test")));
    assert_eq!(desk.get("/api/tickets?status=open").await.status, 200);
}

#[tokio::test]
async fn duplicates_of_persons() {
    let desk = open(|switches| {
        switches.duplicate_email = DuplicateEmail::BadRequest;
        switches.duplicate_channel = DuplicateChannel::Allow;
    })
    .await;
    desk.customer("one@example.org").await;
    assert_eq!(desk.post("/api/customers", customer("one@example.org")).await.status, 400);
    let phone = json!({ "channels": [{ "type": "phone", "address": "+358401234567", "preferred": true }] });
    assert_eq!(desk.post("/api/customers", phone.clone()).await.status, 201);
    assert_eq!(desk.post("/api/customers", phone).await.status, 201);
    let found = desk.get("/api/customers?channel_type=phone&channel_address=%2B358401234567").await;
    assert_eq!(found.column("id").len(), 2);
}

#[tokio::test]
async fn phones_can_be_held_to_e164() {
    let desk = open(|switches| switches.phone_e164_only = true).await;
    let phone =
        |address: &str| json!({ "channels": [{ "type": "phone", "address": address, "preferred": true }] });
    let refused = desk.post("/api/customers", phone("040 1234567")).await;
    assert_eq!(refused.brief(), "400 channels.0.address: Not a phone number in E.164.");
    assert_eq!(desk.post("/api/customers", phone("+358401234567")).await.status, 201);
}

#[tokio::test]
async fn unknown_inline_tags_can_be_created() {
    let desk = open(|switches| switches.unknown_tag = UnknownTag::Create).await;
    let customer = desk.customer("one@example.org").await;
    let tags =
        json!({ "tags": [{ "name": "new", "decoration": { "color": "#123456" } }, { "name": "new" }] });
    let made = desk.post("/api/tickets", merged(ticket(customer), tags)).await;
    assert_eq!(made.body["tags"].as_array().unwrap().len(), 1);
    assert_eq!(made.body["tags"][0]["decoration"]["color"], "#123456");
    assert_eq!(desk.get("/api/tags?search=new").await.column("usage"), [1]);
}

#[tokio::test]
async fn forms_of_custom_values() {
    let desk = open(|switches| {
        switches.values_put = ValuesPut::Merge;
        switches.single_value = SingleValue::Wrapped;
        switches.values_answer = ValuesAnswer::Bare;
    })
    .await;
    let (one, two) = (desk.field("Customer", "One").await, desk.field("Customer", "Two").await);
    let path = format!("/api/customers/{}/custom-fields", desk.customer("one@example.org").await);
    desk.put(&path, json!([{ "id": one, "value": "a" }])).await;
    desk.put(&path, json!([{ "id": two, "value": "b" }])).await;
    let values = desk.get(&path).await;
    assert_eq!(values.body.as_array().unwrap().len(), 2, "a bare array, merged");
    let single = format!("{path}/{one}");
    assert_eq!(desk.put(&single, json!("c")).await.status, 400);
    assert_eq!(
        desk.put(&single, json!({ "id": two, "value": "c" })).await.brief(),
        "400 id: Differs from the address."
    );
    assert_eq!(desk.put(&single, json!({ "id": one, "value": "c" })).await.status, 202);
}

#[tokio::test]
async fn the_server_can_keep_its_hands_off() {
    let desk = open(|switches| switches.server_changes = false).await;
    let customer = desk.customer("one@example.org").await;
    let body = json!({ "customer": { "id": customer }, "messages": [incoming("Hello?")] });
    let made = desk.post("/api/tickets", body).await;
    assert_eq!(
        (
            &made.body["language"],
            &made.body["is_unread"],
            &made.body["messages"][0]["intents"],
            made.body.get("custom_fields")
        ),
        (&Value::Null, &json!(false), &json!([]), None)
    );
    let field = merged(field("Ticket", "New"), json!({ "priority": 3 }));
    assert_eq!(desk.post("/api/custom-fields", field).await.body["priority"], 3);
}

#[tokio::test]
async fn by_default_the_server_changes_things() {
    let desk = Desk::quiet().await;
    let customer = desk.customer("one@example.org").await;
    let body = json!({ "customer": { "id": customer }, "messages": [incoming("Päivää")] });
    let made = desk.post("/api/tickets", body).await;
    assert_eq!((&made.body["language"], &made.body["is_unread"]), (&json!("fi"), &json!(true)));
    assert_eq!(made.body["messages"][0]["intents"][0]["name"], "other/question");
    let public_note = json!({ "channel": "internal-note", "from_agent": true, "public": true });
    let noted = desk.post(&format!("/api/tickets/{}/messages", made.id()), public_note).await;
    assert_eq!(noted.body["public"], false);
}

#[tokio::test]
async fn caps() {
    let desk = open(|switches| {
        switches.field_cap = FieldCap::Overall;
        switches.text_value_chars_max = None;
        switches.message_body_bytes_max = Some(10);
        switches.request_bytes_max = 20_000;
    })
    .await;
    for number in 0..18 {
        desk.field(["Ticket", "Customer"][number % 2], &format!("field {number}")).await;
    }
    let full = desk.post("/api/custom-fields", field("Customer", "one more")).await;
    assert_eq!(full.brief(), "400 object_type: No more than 25 active custom fields.");
    let id = desk.customer("one@example.org").await;
    let of_customer =
        desk.get("/api/custom-fields?object_type=Customer&search=field").await.column("id")[0].clone();
    let long = json!([{ "id": of_customer, "value": "x".repeat(5_000) }]);
    assert_eq!(desk.put(&format!("/api/customers/{id}/custom-fields"), long).await.status, 202);
    let body = json!({ "customer": { "id": id }, "messages": [crate::desk::note("eleven chars")] });
    assert_eq!(
        desk.post("/api/tickets", body).await.brief(),
        "400 messages.0.body_text: Longer than 10 bytes."
    );
    let large = json!({ "name": "x".repeat(20_000) });
    assert_eq!(desk.post("/api/customers", large).await.status, 413);
}

#[tokio::test]
async fn a_trial_has_a_quota_of_tickets() {
    let desk = open(|switches| switches.message_quota = Some(1)).await;
    let customer = desk.customer("one@example.org").await;
    assert_eq!(desk.post("/api/tickets", ticket(customer)).await.status, 201);
    assert_eq!(
        desk.post("/api/tickets", ticket(customer)).await.brief(),
        "403 You do not have enough permissions to perform this action. Messaging quota exceeded."
    );
}

#[tokio::test]
async fn tickets_can_outlive_their_customer() {
    let desk = open(|switches| switches.customer_delete = CustomerDelete::OrphanTickets).await;
    let customer = desk.customer("one@example.org").await;
    let body = json!({ "customer": { "id": customer }, "messages": [incoming("x")] });
    let id = desk.post("/api/tickets", body).await.id();
    desk.delete(&format!("/api/customers/{customer}")).await;
    let kept = desk.get(&format!("/api/tickets/{id}")).await;
    assert_eq!((kept.status, &kept.body["customer"]), (200, &Value::Null));
    assert_eq!(
        kept.body["messages"][0]["sender"]["email"], "one@example.org",
        "a snapshot of the sender stays"
    );
    assert_eq!(desk.codes("violations"), ["tickets-orphaned-by-customer"]);
}

#[tokio::test]
async fn a_deactivated_account_refuses_everything() {
    let desk = open(|switches| switches.deactivated = true).await;
    assert_eq!(desk.get("/api/account").await.brief(), "403 This account is deactivated.");
}

#[tokio::test]
async fn search_and_views_lag() {
    let desk = open(|switches| switches.search_lag_seconds = 5.0).await;
    let id = desk.customer("late@example.org").await;
    let body = merged(ticket(id), json!({ "subject": "needle" }));
    desk.post("/api/tickets", body).await;
    let found = async || {
        let persons = desk.post("/api/search", json!({ "type": "customer", "query": "late@" })).await;
        let tickets = desk
            .put("/api/views/0/items", json!({ "view": { "search": "needle", "type": "ticket-list" } }))
            .await;
        (persons.column("id").len(), tickets.column("id").len())
    };
    assert_eq!(found().await, (0, 0));
    desk.clock.advance(Duration::from_secs(5));
    assert_eq!(found().await, (1, 1));
}

#[test]
fn switches_are_data_with_strict_names() {
    let switches: Switches =
        serde_json::from_str(r#"{"list_lag_seconds": 3, "unknown_tag": "create"}"#).unwrap();
    assert_eq!(
        switches,
        Switches { list_lag_seconds: 3.0, unknown_tag: UnknownTag::Create, ..Switches::default() }
    );
    assert!(serde_json::from_str::<Switches>(r#"{"list_lag": 3}"#).is_err());
}

#[tokio::test]
async fn what_an_account_holds_already_is_data() {
    let preexisting: Preexisting = serde_json::from_value(json!({
        "users": [{ "name": "Agent Nine", "email": "nine@acme.example", "role": "observer-agent", "external_id": "9" }],
        "customers": [{ "name": "Known Person", "email": "known@example.org", "phone": "+358401234567", "external_id": "k" }],
        "tags": ["kept"], "teams": ["Oulu"], "custom_channels": ["jennybot"], "tickets": 3,
        "rules": false, "surveys": false, "webhook": false, "auto_merge": true, "auto_assign": true, "time_zone": "UTC",
    }))
    .unwrap();
    let desk = Desk::open(Config { preexisting, ..quiet() }).await;
    let user = desk.get("/api/users?external_id=9").await.body["data"][0].clone();
    assert_eq!((&user["role"]["name"], &user["timezone"]), (&json!("observer-agent"), &json!("UTC")));
    let known = desk.get("/api/customers?channel_type=phone&channel_address=%2B358401234567").await;
    assert_eq!(known.column("external_id"), ["k"]);
    assert_eq!(desk.get("/api/tags").await.column("name"), ["kept"]);
    assert_eq!(
        desk.get("/api/teams").await.body["data"][0]["members"].as_array().unwrap().len(),
        2,
        "owner and user"
    );
    assert_eq!(desk.get("/api/tickets").await.column("messages_count"), [2, 2, 2]);
    let setting = async |kind: &str| {
        desk.get(&format!("/api/account/settings?type={kind}")).await.body["data"][0]["data"].clone()
    };
    assert_eq!(setting("auto-merge").await["tickets"]["enabled"], true);
    assert_eq!(setting("ticket-assignment").await["auto_assign_to_teams"], true);
    assert_eq!(setting("satisfaction-surveys").await["send_survey_for_email"], false);
    let customer = known.body["data"][0]["id"].as_u64().unwrap();
    let custom = merged(incoming("x"), json!({ "channel": "jennybot" }));
    let made =
        desk.post("/api/tickets", json!({ "customer": { "id": customer }, "messages": [custom] })).await;
    assert_eq!(
        (&made.body["channel"], &made.body["messages"][0]["source"]["type"]),
        (&json!("jennybot"), &json!("jennybot"))
    );
    assert!(desk.running.ledgers().is_empty());
}
