//! Changes from outside: people at Gorgias, and corruption.

use serde_json::{Value, json};
use twins::gorgias::{Edit, EditError, RecordKind, Which};

use crate::desk::{Desk, merged, note, ticket};

#[tokio::test]
async fn one_wrong_byte_and_nothing_else() {
    let desk = Desk::quiet().await;
    let customer = desk.customer("one@example.org").await;
    let with = |number: usize| {
        merged(ticket(customer), json!({ "external_id": format!("lead:{number}"), "subject": "Lead A" }))
    };
    for number in 0..5 {
        desk.post("/api/tickets", with(number)).await;
    }
    let before = desk.running.dump();
    let which = Which::ExternalId("lead:3".to_owned());
    let planted =
        desk.running.edit(|editor| editor.plant_wrong_byte(RecordKind::Ticket, &which, "subject")).unwrap();
    assert_eq!((&planted["before"], &planted["after"]), (&json!("Lead A"), &json!("Lead B")));
    let after = desk.running.dump();
    let differing = |one: &Value, other: &Value| {
        let (one, other) = (one.as_object().unwrap(), other.as_object().unwrap());
        one.keys().filter(|key| one[*key] != other[*key]).cloned().collect::<Vec<_>>()
    };
    assert_eq!(differing(&before, &after), ["tickets"]);
    let rows = |dump: &Value| dump["tickets"].as_array().unwrap().clone();
    let changed: Vec<_> =
        rows(&before).into_iter().zip(rows(&after)).filter(|(one, other)| one != other).collect();
    assert_eq!(changed.len(), 1);
    assert_eq!(differing(&changed[0].0, &changed[0].1), ["subject"], "not even updated_datetime");
}

#[tokio::test]
async fn every_kind_of_field_can_be_corrupted() {
    let desk = Desk::quiet().await;
    let customer = desk.customer("one@example.org").await;
    let (of_ticket, of_customer) = (desk.field("Ticket", "T").await, desk.field("Customer", "C").await);
    desk.put(
        &format!("/api/customers/{customer}/custom-fields"),
        json!([{ "id": of_customer, "value": "c1" }]),
    )
    .await;
    let values = json!({ "custom_fields": [{ "id": of_ticket, "value": "t1" }] });
    let id = desk.post("/api/tickets", merged(ticket(customer), values)).await.id();
    let plant = |kind, which, field: &str| {
        let planted = desk.running.edit(|editor| editor.plant_wrong_byte(kind, &which, field));
        planted.map(|planted| planted["after"].clone())
    };
    let last = desk.running.edit(|editor| editor.ids(RecordKind::Message)).len() - 1;
    assert_eq!(plant(RecordKind::Message, Which::Nth(last), "body_text"), Ok(json!("A notf.")));
    assert_eq!(plant(RecordKind::Ticket, Which::Id(id), &format!("custom:{of_ticket}")), Ok(json!("t2")));
    assert_eq!(
        plant(RecordKind::Customer, Which::Id(customer), &format!("custom:{of_customer}")),
        Ok(json!("c2"))
    );
    assert_eq!(
        plant(RecordKind::Customer, Which::Id(customer), "channel:email"),
        Ok(json!("one@example.orh"))
    );
    assert_eq!(
        desk.get("/api/customers?channel_type=email&channel_address=one@example.orh")
            .await
            .column("id")
            .len(),
        1
    );
    assert_eq!(plant(RecordKind::Ticket, Which::Nth(99), "subject"), Err(EditError::NoRecord));
    assert_eq!(
        plant(RecordKind::Ticket, Which::Id(id), "subject"),
        Err(EditError::NoText("subject".to_owned()))
    );
}

#[tokio::test]
async fn a_person_leaves_events_but_no_ledger() {
    let desk = Desk::quiet().await;
    let customer = desk.customer("one@example.org").await;
    let id = desk.ticket(customer).await;
    let path = format!("/api/tickets/{id}");
    let reply =
        json!({ "channel": "phone", "from_agent": true, "receiver": { "id": customer }, "body_text": "Hi." });
    let done = desk.running.edit(|editor| {
        editor.as_person("PUT", &path, Some(json!({ "subject": "By a person" })))?;
        editor.as_person("POST", &format!("{path}/messages"), Some(reply))?;
        editor.as_person("POST", &format!("{path}/tags"), Some(json!({ "names": ["VIP"] })))
    });
    assert_eq!(done, Ok(Value::Null));
    let shown = desk.get(&path).await;
    assert_eq!(
        (&shown.body["subject"], shown.body["messages"].as_array().unwrap().len()),
        (&json!("By a person"), 2)
    );
    let owner = json!(desk.user("migration@acme.example").await);
    let events = desk
        .get(&format!("/api/events?object_type=Ticket&object_id={id}&types=ticket-subject-updated"))
        .await;
    assert_ne!(events.column("user_id"), [owner]);
    assert!(desk.running.ledgers().is_empty(), "{:?}", desk.running.ledgers());
    let refused = desk.running.edit(|editor| editor.as_person("DELETE", "/api/tickets/1", None));
    let message = "Ticket 1 does not exist.".to_owned();
    assert_eq!(refused, Err(EditError::Refused { status: 404, message }));
}

#[tokio::test]
async fn a_merged_customer_answers_with_a_redirect() {
    let desk = Desk::quiet().await;
    let (one, two) = (desk.customer("one@example.org").await, desk.customer("two@example.org").await);
    let id = desk.ticket(one).await;
    let path = format!("/api/customers/merge?source_id={one}&target_id={two}");
    desk.running.edit(|editor| editor.as_person("PUT", &path, Some(json!({ "name": "Both" })))).unwrap();
    let gone = desk.get(&format!("/api/customers/{one}")).await;
    assert_eq!((gone.status, gone.header("location")), (301, Some(format!("/api/customers/{two}").as_str())));
    assert_eq!(desk.get(&format!("/api/tickets/{id}")).await.body["customer"]["id"], two);
    assert_eq!(
        desk.get(&format!("/api/customers/{two}")).await.body["channels"].as_array().unwrap().len(),
        2
    );
}

#[tokio::test]
async fn control_endpoints() {
    let desk = Desk::quiet().await;
    let id = desk.ticket(desk.customer("one@example.org").await).await;
    let control = async |method: &str, name: &str, body: Option<Value>| {
        let url = format!("{}/__twin/{name}", desk.running.base_url());
        let mut request = desk.client.request(method.parse().unwrap(), url);
        if let Some(body) = body {
            request = request.json(&body);
        }
        desk.send(request).await
    };
    let edit =
        json!({ "plant_wrong_byte": { "kind": "message", "which": { "nth": 4 }, "field": "body_text" } });
    assert_eq!(control("POST", "edit", Some(edit)).await.body["after"], "A notf.");
    let person = json!({ "as_person": { "method": "PUT", "path": format!("/api/tickets/{id}"), "body": { "priority": "low" } } });
    assert_eq!(control("POST", "edit", Some(person)).await.body["priority"], "low");
    let ledgers = control("GET", "ledgers", None).await;
    assert_eq!(ledgers.body["counts"]["outbox"], 0);
    let requests = control("GET", "requests", None).await;
    assert_eq!(
        requests.body["requests"][0],
        json!({ "route": "POST /api/customers", "status": 201, "count": 1 })
    );
    let state = control("GET", "state", None).await;
    assert_eq!(state.body, desk.running.dump());
    assert!(!state.body.to_string().contains("twin-key"), "no key in a dump");
    assert_eq!(control("GET", "nothing", None).await.status, 404);
    let edit: Result<Edit, _> = serde_json::from_value(json!({ "plant_wrong_byte": { "kind": "ticket" } }));
    assert!(edit.is_err());
    assert_eq!(desk.post(&format!("/api/tickets/{id}/messages"), note("x")).await.status, 201);
}
