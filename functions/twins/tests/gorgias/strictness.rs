//! One line per bad request: status and message.

use serde_json::{Value, json};

use crate::desk::{Desk, customer, field, incoming, merged, note, ticket};

/// Sends every body to one endpoint and compares the answers.
async fn refuses(desk: &Desk, method: &str, path: &str, rows: Vec<(Value, &str)>) {
    for (body, expected) in rows {
        let answer = desk.call(method, path, body.clone()).await;
        assert_eq!(answer.brief(), expected, "{method} {path} {body}");
    }
}

#[tokio::test]
async fn transport() {
    let desk = Desk::quiet().await;
    let plain = |path: &str| desk.client.get(format!("{}{path}", desk.running.base_url()));
    let wrong = plain("/api/tickets").basic_auth("migration@acme.example", Some("wrong"));
    let cases = [
        (plain("/api/tickets"), "401 Valid credentials are required."),
        (wrong, "401 Valid credentials are required."),
        (plain("/api/tickets").bearer_auth("token"), "401 Valid credentials are required."),
        (desk.request("GET", "/api/nothing"), "404 This resource does not exist."),
        (desk.request("GET", "/api/tickets/1"), "404 Ticket 1 does not exist."),
        (desk.request("PATCH", "/api/tickets"), "405 The method is not allowed; allowed are GET, POST."),
        (desk.request("POST", "/api/tickets"), "400 A JSON body is required."),
        (desk.request("POST", "/api/tickets").body("{}"), "415 Content-Type must be application/json."),
        (
            desk.request("POST", "/api/tickets").header("content-type", "application/json").body("{"),
            "400 The body is not valid JSON.",
        ),
        (desk.request("POST", "/api/tickets").json(&json!([])), "400 The body must be a JSON object."),
        (
            desk.request("POST", "/api/tickets").json(&json!({ "subject": "x".repeat(10_000_001) })),
            "413 The request body is too large.",
        ),
    ];
    for (request, expected) in cases {
        assert_eq!(desk.send(request).await.brief(), expected);
    }
    assert_eq!(
        desk.get("/api/users/0/").await.body["email"],
        "migration@acme.example",
        "a closing slash is fine"
    );
}

#[tokio::test]
async fn every_mistake_of_a_body_is_in_the_envelope() {
    let desk = Desk::quiet().await;
    let answer = desk.post("/api/tickets", json!({ "messages": [{ "channel": "mail" }], "colour": 1 })).await;
    assert_eq!(
        answer.body["error"]["data"],
        json!({
            "colour": ["Unknown field."],
            "messages.0.channel": ["Not a known channel."],
            "messages.0.from_agent": ["Missing data for required field."],
        })
    );
}

#[tokio::test]
async fn tickets() {
    let desk = Desk::quiet().await;
    let customer = desk.customer("one@example.org").await;
    let agent = desk.user("agent.one@acme.example").await;
    let with = |more: Value| merged(ticket(customer), more);
    let many: Vec<Value> = (0..501).map(|_| note("x")).collect();
    refuses(
        &desk,
        "POST",
        "/api/tickets",
        vec![
            (with(json!({ "messages": null })), "400 messages: Missing data for required field."),
            (with(json!({ "messages": [] })), "400 messages: Length must be between 1 and 500."),
            (with(json!({ "messages": many })), "400 messages: Length must be between 1 and 500."),
            (with(json!({ "customer": null })), "400 customer: Missing data for required field."),
            (with(json!({ "customer": { "id": 1 } })), "400 customer.id: This person does not exist."),
            (with(json!({ "customer": { "id": agent } })), "400 customer: Must be a customer."),
            (with(json!({ "customer": {} })), "400 customer.id: Either id or email is required."),
            (
                with(json!({ "customer": { "id": customer, "firstname": "A" } })),
                "400 customer.firstname: Unknown field.",
            ),
            (with(json!({ "status": "pending" })), "400 status: Must be one of: open, closed."),
            (
                with(json!({ "priority": "urgent" })),
                "400 priority: Must be one of: critical, high, normal, low.",
            ),
            (with(json!({ "channel": "voice" })), "400 channel: Not a known channel."),
            (with(json!({ "via": "gorgias_chat" })), "400 via: Not a known value."),
            (with(json!({ "subject": "x".repeat(999) })), "400 subject: Length must be between 0 and 998."),
            (
                with(json!({ "external_id": "x".repeat(256) })),
                "400 external_id: Length must be between 0 and 255.",
            ),
            (with(json!({ "tags": ["VIP"] })), "400 tags.0: Not a valid object."),
            (with(json!({ "tags": [{ "name": "vip" }] })), "400 tags.0.name: This tag does not exist."),
            (with(json!({ "tags": [{ "id": 1 }] })), "400 tags.0.id: Unknown field."),
            (with(json!({ "assignee_user": { "id": customer } })), "400 assignee_user.id: Does not exist."),
            (with(json!({ "assignee_team": { "id": 1 } })), "400 assignee_team.id: Does not exist."),
            (with(json!({ "assignee_user": agent })), "400 assignee_user: Not a valid object."),
            (
                with(json!({ "custom_fields": [{ "id": 1, "value": "x" }] })),
                "400 custom_fields.0.id: This ticket field does not exist.",
            ),
            (
                with(json!({ "created_datetime": "2026-10-01" })),
                "400 created_datetime: Not a valid datetime (ISO-8601 with offset).",
            ),
            (
                with(json!({ "created_datetime": "2027-01-01T00:00:00Z" })),
                "400 created_datetime: Must not be in the future.",
            ),
            (
                with(json!({ "status": "open", "closed_datetime": "2026-10-01T00:00:00Z" })),
                "400 closed_datetime: An open ticket has none.",
            ),
            (with(json!({ "language": "en-US" })), "400 language: Not a two-letter language code."),
            (with(json!({ "is_unread": false })), "400 is_unread: Unknown field."),
            (with(json!({ "requester": { "id": customer } })), "400 requester: Unknown field."),
        ],
    )
    .await;
    assert!(
        desk.get(&format!("/api/tickets?customer_id={customer}")).await.column("id").is_empty(),
        "nothing stored"
    );
}

#[tokio::test]
async fn ticket_updates() {
    let desk = Desk::quiet().await;
    let id = desk.ticket(desk.customer("one@example.org").await).await;
    refuses(
        &desk,
        "PUT",
        &format!("/api/tickets/{id}"),
        vec![
            (json!({}), "400 At least one field is required."),
            (json!({ "messages": [] }), "400 messages: Unknown field."),
            (json!({ "created_datetime": "2026-01-01T00:00:00Z" }), "400 created_datetime: Unknown field."),
            (json!({ "imported": true }), "400 imported: Unknown field."),
            (json!({ "status": null }), "400 status: Field may not be null."),
        ],
    )
    .await;
    refuses(
        &desk,
        "PUT",
        &format!("/api/tickets/{id}/tags"),
        vec![
            (json!({}), "400 ids: Either ids or names is required."),
            (json!({ "names": ["nobody"] }), "400 names: A tag does not exist."),
            (json!({ "ids": [1] }), "400 ids: A tag does not exist."),
        ],
    )
    .await;
}

#[tokio::test]
async fn messages() {
    let desk = Desk::quiet().await;
    let customer = desk.customer("one@example.org").await;
    let agent = desk.user("agent.one@acme.example").await;
    let path = format!("/api/tickets/{}/messages", desk.ticket(customer).await);
    let outgoing = json!({ "channel": "phone", "from_agent": true, "receiver": { "id": customer } });
    let email = |source: Value| json!({ "channel": "email", "from_agent": false, "source": source });
    refuses(
        &desk,
        "POST",
        &path,
        vec![
            (json!({ "from_agent": true }), "400 channel: Missing data for required field."),
            (json!({ "channel": "phone" }), "400 from_agent: Missing data for required field."),
            (merged(note("x"), json!({ "receiver": { "id": customer } })), "400 receiver: Internal notes have no receiver."),
            (merged(note("x"), json!({ "from_agent": false })), "400 from_agent: Internal notes come from agents."),
            (merged(note("x"), json!({ "sender": { "id": customer } })), "400 sender: Must be a user when from_agent is true."),
            (
                merged(incoming("x"), json!({ "sender": { "id": agent } })),
                "400 sender: Must be a customer when from_agent is false.",
            ),
            (merged(outgoing.clone(), json!({ "receiver": null })), "400 receiver: Required when from_agent is true."),
            (merged(outgoing.clone(), json!({ "receiver": { "id": agent } })), "400 receiver: Must be a customer."),
            (
                merged(outgoing, json!({ "sent_datetime": "2026-11-01T00:00:01Z" })),
                "400 sent_datetime: Must not be in the future.",
            ),
            (email(json!({})), "400 source: An email needs the addresses of source.from and source.to."),
            (
                email(json!({ "type": "mail" , "from": { "address": "a@b.example" }, "to": [{ "address": "c@d.example" }] }))
                    .clone(),
                "400 source.type: Must be one of: aircall, api, app, custom-chat, chat, chat-contact-form, \
                 chat-offline-capture, contact-form, email, facebook, facebook-comment, facebook-mention-comment, \
                 facebook-mention-post, facebook-message, facebook-messenger, facebook-post, facebook-review, \
                 facebook-review-comment, form, google-business-messages, help-center, help-center-contact-form, helpdesk, \
                 instagram, instagram-ad-comment, instagram-ad-media, instagram-comment, instagram-direct-message, \
                 instagram-media, instagram-mention-comment, instagram-mention-media, internal-note, ottspott-call, phone, \
                 rule, self_service, shopify, sms, system-message, tiktok-shop, twilio, twitter-direct-message, \
                 twitter-mention-tweet, twitter-quoted-tweet, twitter-tweet, whatsapp-message, yotpo-review, \
                 yotpo-review-private-comment, yotpo-review-public-comment.",
            ),
            (merged(note("x"), json!({ "body_text": "x".repeat(1_000_001) })), "400 body_text: Longer than 1000000 bytes."),
            (merged(note("x"), json!({ "attachments": [{ "url": "u" }] })), "400 attachments.0.content_type: Missing data for required field."),
            (merged(note("x"), json!({ "mention_ids": [1] })), "400 mention_ids: A mentioned user does not exist."),
            (merged(note("x"), json!({ "text": "x" })), "400 text: Unknown field."),
        ],
    )
    .await;
    refuses(&desk, "POST", "/api/tickets/1/messages", vec![(note("x"), "404 Ticket 1 does not exist.")])
        .await;
    let inline = json!({ "customer": { "id": customer }, "messages": [merged(note("x"), json!({ "imported": true }))] });
    refuses(&desk, "POST", "/api/tickets", vec![(inline, "400 messages.0.imported: Unknown field.")]).await;
}

#[tokio::test]
async fn customers() {
    let desk = Desk::quiet().await;
    let with = |more: Value| merged(customer("new@example.org"), more);
    refuses(
        &desk,
        "POST",
        "/api/customers",
        vec![
            (with(json!({ "channels": null })), "400 channels: Missing data for required field."),
            (with(json!({ "channels": [{ "type": "email" }] })), "400 channels.0.address: Missing data for required field."),
            (
                with(json!({ "channels": [{ "type": "fax", "address": "1" }] })),
                "400 channels.0.type: Not a known channel type.",
            ),
            (
                with(json!({ "channels": [{ "type": "email", "address": "nowhere" }] })),
                "400 channels.0.address: Not a valid email address.",
            ),
            (
                with(json!({ "channels": [{ "type": "phone", "address": "1 23" }, { "type": "phone", "address": "123" }] })),
                "400 channels.1: Duplicate channel.",
            ),
            (with(json!({ "email": "nowhere" })), "400 email: Not a valid email address."),
            (with(json!({ "language": "en-US" })), "400 language: Not a two-letter language code."),
            (with(json!({ "timezone": "Helsinki" })), "400 timezone: Not a time zone of the IANA database."),
            (with(json!({ "firstname": "A" })), "400 firstname: Unknown field."),
            (with(json!({ "note": "A" })), "400 note: Unknown field."),
            (with(json!({ "custom_fields": [] })), "400 custom_fields: Unknown field."),
            (with(json!({ "created_datetime": "2020-01-01T00:00:00Z" })), "400 created_datetime: Unknown field."),
        ],
    )
    .await;
    let id = desk.customer("one@example.org").await;
    refuses(
        &desk,
        "PUT",
        &format!("/api/customers/{id}"),
        vec![
            (json!({}), "400 At least one field is required."),
            (json!({ "channels": null }), "400 channels: Field may not be null."),
        ],
    )
    .await;
    let too_many: Vec<u64> = (1..=101).collect();
    refuses(
        &desk,
        "DELETE",
        "/api/customers",
        vec![
            (json!({}), "400 ids: Missing data for required field."),
            (json!({ "ids": too_many }), "400 ids: Longer than maximum length 100."),
            (json!({ "ids": [id, 1] }), "404 Customer 1 does not exist."),
        ],
    )
    .await;
    assert_eq!(
        desk.get(&format!("/api/customers/{id}")).await.status,
        200,
        "a refused bulk delete deletes nothing"
    );
}

#[tokio::test]
async fn users_teams_and_tags() {
    let desk = Desk::quiet().await;
    let user = json!({ "name": "New Agent", "email": "new@acme.example", "role": { "name": "agent" } });
    refuses(
        &desk,
        "POST",
        "/api/users",
        vec![
            (merged(user.clone(), json!({ "role": null })), "400 role: Missing data for required field."),
            (
                merged(user.clone(), json!({ "role": { "name": "bot" } })),
                "400 role.name: Must be one of: admin, agent, basic-agent, lite-agent, observer-agent.",
            ),
            (merged(user.clone(), json!({ "channels": [] })), "400 channels: Unknown field."),
            (merged(user.clone(), json!({ "roles": [] })), "400 roles: Unknown field."),
            (merged(user.clone(), json!({ "language": "fi" })), "400 language: Must be one of: fr, en."),
            (merged(user, json!({ "country": "fin" })), "400 country: Length must be between 2 and 2."),
        ],
    )
    .await;
    let owner = desk.user("migration@acme.example").await;
    let agent = desk.user("agent.one@acme.example").await;
    let own = format!("/api/users/{owner}");
    refuses(
        &desk,
        "PUT",
        &own,
        vec![(json!({ "role": { "name": "agent" } }), "403 The account owner cannot be downgraded.")],
    )
    .await;
    let rename = json!({ "email": "other@acme.example" });
    let other = format!("/api/users/{agent}");
    refuses(&desk, "PUT", &other, vec![(rename, "400 password_confirmation: Needed to change the email.")])
        .await;
    assert_eq!(desk.delete(&own).await.brief(), "403 The account owner cannot be deleted.");
    refuses(
        &desk,
        "POST",
        "/api/teams",
        vec![
            (json!({}), "400 name: Missing data for required field."),
            (json!({ "name": "Support" }), "400 name: A team with this name already exists."),
            (json!({ "name": "T", "members": [{ "id": 1 }] }), "400 members.0.id: This user does not exist."),
            (json!({ "name": "T", "timezone": "UTC" }), "400 timezone: Unknown field."),
        ],
    )
    .await;
    refuses(
        &desk,
        "POST",
        "/api/tags",
        vec![
            (json!({ "name": "" }), "400 name: Length must be between 1 and 256."),
            (json!({ "name": "x".repeat(257) }), "400 name: Length must be between 1 and 256."),
            (json!({ "name": "VIP" }), "400 name: A tag with this name already exists."),
            (
                json!({ "name": "T", "decoration": { "color": "red" } }),
                "400 decoration.color: Length must be between 7 and 7.",
            ),
            (json!({ "name": "T", "external_id": "1" }), "400 external_id: Unknown field."),
        ],
    )
    .await;
}

#[tokio::test]
async fn custom_fields() {
    let desk = Desk::quiet().await;
    let with = |more: Value| merged(field("Ticket", "Lead status"), more);
    let definition = |data_type: &str, settings: Value| {
        with(json!({ "definition": { "data_type": data_type, "input_settings": settings } }))
    };
    refuses(
        &desk,
        "POST",
        "/api/custom-fields",
        vec![
            (with(json!({ "object_type": null })), "400 object_type: Missing data for required field."),
            (with(json!({ "object_type": "ticket" })), "400 object_type: Must be one of: Ticket, Customer."),
            (with(json!({ "label": "x".repeat(256) })), "400 label: Length must be between 1 and 255."),
            (with(json!({ "priority": 5001 })), "400 priority: Not a valid integer."),
            (with(json!({ "managed_type": "customer_type" })).clone(), "400 managed_type: Must be one of: contact_reason, product, resolution, ai_intent, ai_outcome, ai_sales, ai_discount, ai_journey, managed_sentiment, call_status."),
            (definition("date", json!({ "input_type": "input" })), "400 definition.data_type: Must be one of: text, number, boolean."),
            (definition("text", json!({ "input_type": "input_number" })), "400 definition.input_settings.input_type: Must be one of: input, dropdown."),
            (definition("text", json!({ "input_type": "dropdown" })), "400 definition.input_settings.choices: Missing data for required field."),
            (definition("number", json!({ "input_type": "input_number", "min": "low" })), "400 definition.input_settings.min: Not a valid number."),
            (definition("text", json!({ "input_type": "input", "choices": [] })), "400 definition.input_settings.choices: Unknown field."),
        ],
    )
    .await;
    assert_eq!(
        desk.get("/api/custom-fields").await.brief(),
        "400 object_type: Missing data for required field."
    );
    assert_eq!(
        desk.get("/api/custom-fields?object_type=ticket").await.brief(),
        "400 object_type: Must be one of: Ticket, Customer."
    );
    assert_eq!(
        desk.delete("/api/custom-fields/1").await.brief(),
        "405 The method is not allowed; allowed are GET, PUT."
    );
}

#[tokio::test]
async fn list_parameters() {
    let desk = Desk::quiet().await;
    let cases = [
        ("/api/tickets?status=open", "400 status: Unknown field."),
        ("/api/tickets?updated_since=x", "400 updated_since: Unknown field."),
        ("/api/tickets?page=2", "400 page: Unknown field."),
        ("/api/tickets?limit=101", "400 limit: Not a valid integer between 1 and 100."),
        ("/api/tickets?ticket_ids=1,2", "400 ticket_ids: Not a valid integer."),
        ("/api/tickets?view_id=1", "400 view_id: This view does not exist."),
        ("/api/tickets?trashed=maybe", "400 trashed: Not a valid boolean."),
        (
            "/api/tickets?order_by=created_datetime",
            "400 order_by: Must be one of: created_datetime:desc, created_datetime:asc, updated_datetime:desc, updated_datetime:asc.",
        ),
        ("/api/messages?external_id=1", "400 external_id: Unknown field."),
        (
            "/api/customers?language=fi&limit=10",
            "400 language: language and timezone cannot be combined with cursor, limit or order_by.",
        ),
        ("/api/customers?channel_type=fax", "400 channel_type: Not a known channel type."),
        ("/api/events?object_type=Ticket", "400 object_type: Needs object_id."),
        ("/api/events?user_ids=1&user_ids=2", "400 user_ids: Longer than maximum length 1."),
        ("/api/tags?name=VIP", "400 name: Unknown field."),
        ("/api/teams?search=x", "400 search: Unknown field."),
    ];
    for (path, expected) in cases {
        assert_eq!(desk.get(path).await.brief(), expected, "{path}");
    }
}
