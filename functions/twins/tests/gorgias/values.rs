//! Custom values of tickets and customers, and free data.

use serde_json::{Value, json};

use crate::desk::{Desk, incoming, merged, ticket};

#[tokio::test]
async fn inline_values_are_checked_and_stored() {
    let desk = Desk::quiet().await;
    let customer = desk.customer("one@example.org").await;
    let dropdown = json!({
        "object_type": "Ticket", "label": "Stage",
        "definition": { "data_type": "text", "input_settings": { "input_type": "dropdown", "choices": ["New", "Won"] } },
    });
    let stage = desk.post("/api/custom-fields", dropdown).await.id();
    let text = desk.field("Ticket", "Comment").await;
    let of_customer = desk.field("Customer", "Region").await;
    let send = |values: Value| {
        desk.post("/api/tickets", merged(ticket(customer), json!({ "custom_fields": values })))
    };
    let cases = [
        (json!([{ "id": stage, "value": "Lost" }]), "400 custom_fields.0.value: Not one of the choices."),
        (json!([{ "id": stage, "value": 1 }]), "400 custom_fields.0.value: Not a valid text."),
        (json!([{ "id": stage }]), "400 custom_fields.0.value: Missing data for required field."),
        (
            json!([{ "id": text, "value": "x".repeat(1001) }]),
            "400 custom_fields.0.value: Longer than maximum length 1000.",
        ),
        (
            json!([{ "id": of_customer, "value": "x" }]),
            "400 custom_fields.0.id: This ticket field does not exist.",
        ),
        (
            json!([{ "id": text, "value": "x" }, { "id": text, "value": "y" }]),
            "400 custom_fields.1.id: Duplicate custom field.",
        ),
    ];
    for (values, expected) in cases {
        assert_eq!(send(values.clone()).await.brief(), expected, "{values}");
    }
    let made = send(json!([{ "id": stage, "value": "Won" }, { "id": text, "value": null }])).await;
    assert_eq!(made.body["custom_fields"], json!({ stage.to_string(): { "id": stage, "value": "Won" } }));
    desk.put(
        &format!("/api/custom-fields/{stage}"),
        json!({ "deactivated_datetime": "2026-10-01T00:00:00Z" }),
    )
    .await;
    let archived = send(json!([{ "id": stage, "value": "Won" }])).await;
    assert_eq!(archived.brief(), "400 custom_fields.0.id: This custom field is archived.");
    let kept = desk.get(&format!("/api/tickets/{}", made.id())).await;
    assert_eq!(
        kept.body["custom_fields"][stage.to_string()]["value"],
        "Won",
        "values of an archived field stay"
    );
}

#[tokio::test]
async fn a_put_of_values_replaces_but_must_keep_managed_ones() {
    let desk = Desk::quiet().await;
    let customer = desk.customer("one@example.org").await;
    let (one, two) = (desk.field("Ticket", "One").await, desk.field("Ticket", "Two").await);
    let plain = desk.ticket(customer).await;
    let path = format!("/api/tickets/{plain}/custom-fields");
    desk.put(&path, json!([{ "id": one, "value": "a" }, { "id": two, "value": "b" }])).await;
    desk.put(&path, json!([{ "id": one, "value": "c" }])).await;
    assert_eq!(desk.get(&path).await.column("value"), ["c"]);
    let body = json!({ "customer": { "id": customer }, "messages": [incoming("Hello?")] });
    let filled = desk.post("/api/tickets", body).await;
    let managed: Vec<&Value> = filled.body["custom_fields"].as_object().unwrap().values().collect();
    assert_eq!(managed.len(), 2, "contact reason and intent are filled by the server");
    let path = format!("/api/tickets/{}", filled.id());
    let refused = desk.put(&format!("{path}/custom-fields"), json!([{ "id": one, "value": "a" }])).await;
    assert_eq!(refused.status, 400, "{}", refused.body);
    assert_eq!(desk.put(&path, json!({ "custom_fields": [] })).await.status, 400);
    let mut values: Vec<Value> = managed.into_iter().cloned().collect();
    values.push(json!({ "id": one, "value": "a" }));
    assert_eq!(desk.put(&path, json!({ "custom_fields": values })).await.status, 202);
}

#[tokio::test]
async fn single_values() {
    let desk = Desk::quiet().await;
    let customer = desk.customer("one@example.org").await;
    let ticket = desk.ticket(customer).await;
    for (object, owner) in
        [("Customer", format!("/api/customers/{customer}")), ("Ticket", format!("/api/tickets/{ticket}"))]
    {
        let field = desk.field(object, &format!("Field of {object}")).await;
        let path = format!("{owner}/custom-fields/{field}");
        let set = desk.put(&path, json!("North")).await;
        assert_eq!((set.status, &set.body["value"]), (202, &json!("North")), "{object}");
        assert_eq!(desk.put(&path, json!(5)).await.brief(), "400 value: Not a valid text.");
        assert_eq!(
            desk.put(&path, json!({ "id": field, "value": "South" })).await.status,
            400,
            "bare by default"
        );
        let shown = desk.get(&owner).await;
        assert_eq!(shown.body["custom_fields"][field.to_string()]["value"], "North");
        assert_eq!(desk.delete(&path).await.status, 204);
        assert_eq!(desk.delete(&path).await.status, 404);
    }
}

#[tokio::test]
async fn older_versions_of_data_are_ignored() {
    let desk = Desk::quiet().await;
    let id = desk.customer("one@example.org").await;
    let path = format!("/api/customers/{id}");
    let data = async |value: u64, version: Option<&str>| {
        let body = json!({ "data": { "n": value }, "version": version });
        assert_eq!(desk.put(&format!("{path}/data"), body).await.status, 202);
        desk.get(&path).await.body["data"]["n"].clone()
    };
    assert_eq!(data(1, Some("2026-10-02T00:00:00Z")).await, 1);
    assert_eq!(data(2, Some("2026-10-01T00:00:00Z")).await, 1);
    assert_eq!(data(3, Some("2026-10-02T00:00:00Z")).await, 3);
    assert_eq!(data(4, None).await, 4);
}

#[tokio::test]
async fn twenty_five_active_fields_per_object_managed_ones_included() {
    let desk = Desk::quiet().await;
    for number in 0..19 {
        desk.field("Ticket", &format!("field {number}")).await;
    }
    let one_more = crate::desk::field("Ticket", "one more");
    let full = "400 object_type: No more than 25 active custom fields.";
    assert_eq!(desk.post("/api/custom-fields", one_more.clone()).await.brief(), full);
    let id =
        desk.get("/api/custom-fields?object_type=Ticket&search=field%2018").await.column("id")[0].clone();
    let path = format!("/api/custom-fields/{id}");
    desk.put(&path, json!({ "deactivated_datetime": "2026-10-01T00:00:00Z" })).await;
    assert_eq!(desk.get("/api/custom-fields?object_type=Ticket&archived=true").await.column("id"), [id]);
    assert_eq!(desk.post("/api/custom-fields", one_more).await.status, 201);
    assert_eq!(
        desk.put(&path, json!({ "deactivated_datetime": null })).await.brief(),
        full,
        "no room to reactivate"
    );
    assert_eq!(desk.post("/api/custom-fields", crate::desk::field("Customer", "other")).await.status, 201);
}

#[tokio::test]
async fn the_server_puts_new_fields_first() {
    let desk = Desk::quiet().await;
    let body = merged(crate::desk::field("Ticket", "New"), json!({ "priority": 0 }));
    assert_eq!(desk.post("/api/custom-fields", body).await.body["priority"], 7);
    let listed = desk.get("/api/custom-fields?object_type=Ticket&limit=1").await;
    assert_eq!(listed.column("label"), ["New"]);
}
