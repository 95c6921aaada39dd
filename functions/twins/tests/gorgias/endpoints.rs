//! The smaller endpoints: users, teams, tags, jobs, files, views, events, reporting, macros, voice.

use std::time::Duration;

use serde_json::{Value, json};
use twins::gorgias::RecordKind;

use crate::desk::{Desk, incoming, merged, note, ticket, with};

#[tokio::test]
async fn users() {
    let desk = Desk::quiet().await;
    let me = desk.get("/api/users/0").await;
    assert_eq!(
        (&me.body["email"], &me.body["role"]),
        (&json!("migration@acme.example"), &json!({ "name": "admin" }))
    );
    let agent = desk.user("agent.one@acme.example").await;
    let path = format!("/api/users/{agent}");
    let changed =
        desk.put(&path, json!({ "role": { "name": "lite-agent" }, "external_id": "leaddesk:agent:1" })).await;
    assert_eq!((changed.status, &changed.body["role"]["name"]), (202, &json!("lite-agent")));
    assert_eq!(desk.get("/api/users?external_id=leaddesk:agent:1").await.column("id"), [json!(agent)]);
    let customer = desk.customer("one@example.org").await;
    let body = merged(
        ticket(customer),
        json!({
            "assignee_user": { "id": agent }, "messages": [merged(note("x"), json!({ "sender": { "id": agent } }))],
        }),
    );
    let id = desk.post("/api/tickets", body).await.id();
    assert_eq!(desk.delete(&path).await.status, 204);
    assert_eq!(desk.delete(&path).await.status, 404);
    let kept = desk.get(&format!("/api/tickets/{id}")).await;
    assert_eq!(kept.body["assignee_user"], Value::Null);
    assert_eq!(kept.body["messages"][0]["sender"]["name"], "Agent One", "a snapshot stays");
}

#[tokio::test]
async fn teams() {
    let desk = Desk::quiet().await;
    let (one, two) = (desk.user("agent.one@acme.example").await, desk.user("agent.two@acme.example").await);
    let made = desk
        .post(
            "/api/teams",
            json!({ "name": "Oulu", "members": [{ "id": one }], "decoration": { "emoji": "x" } }),
        )
        .await;
    let path = format!("/api/teams/{}", made.id());
    assert_eq!(made.body["decoration"], json!({ "emoji": "x" }));
    let changed =
        desk.put(&path, json!({ "members": [{ "id": two }], "description": "Europe/Helsinki" })).await;
    assert_eq!(
        (changed.status, &changed.body["members"][0]["id"]),
        (202, &json!(two)),
        "members are replaced"
    );
    let customer = desk.customer("one@example.org").await;
    let body = merged(ticket(customer), json!({ "assignee_team": { "id": made.id() } }));
    let id = desk.post("/api/tickets", body).await.id();
    assert_eq!(desk.get(&format!("/api/tickets/{id}")).await.body["assignee_team"]["name"], "Oulu");
    assert_eq!(desk.delete(&path).await.status, 204);
    assert_eq!(desk.get(&format!("/api/tickets/{id}")).await.body["assignee_team"], Value::Null);
}

#[tokio::test]
async fn tags_of_tickets_and_their_deletion() {
    let desk = Desk::quiet().await;
    let id = desk.ticket(desk.customer("one@example.org").await).await;
    let path = format!("/api/tickets/{id}/tags");
    let names = async || desk.get(&path).await.column("name");
    assert_eq!(desk.post(&path, json!({ "names": ["VIP"] })).await.status, 201);
    let urgent = desk.get("/api/tags?search=URGENT").await.column("id")[0].clone();
    assert_eq!(desk.post(&path, json!({ "ids": [urgent] })).await.status, 201);
    assert_eq!(names().await, ["VIP", "urgent"]);
    assert_eq!(desk.put(&path, json!({ "names": ["auto-reply"] })).await.status, 202);
    assert_eq!(names().await, ["auto-reply"]);
    assert_eq!(desk.call("DELETE", &path, json!({ "names": ["auto-reply"] })).await.status, 204);
    assert!(names().await.is_empty());
    let rule =
        json!({ "name": "r", "code": "Action('addTags', { tags: 'x' }); eq(ticket.tags.name, 'urgent')" });
    desk.post("/api/rules", rule).await;
    let refused = desk.delete(&format!("/api/tags/{urgent}")).await;
    assert!(refused.brief().starts_with("400 This tag is used by rule"), "{}", refused.brief());
    let view = json!({ "slug": "v", "filters": "containsAny(ticket.tags.name, ['VIP'])" });
    let view = desk.post("/api/views", view).await.id();
    let vip = desk.get("/api/tags?search=VIP").await.column("id")[0].clone();
    assert_eq!(desk.call("DELETE", "/api/tags", json!({ "ids": [vip] })).await.status, 204);
    assert_ne!(desk.get(&format!("/api/views/{view}")).await.body["deactivated_datetime"], Value::Null);
}

#[tokio::test]
async fn ticket_updates_and_their_events() {
    let desk = Desk::quiet().await;
    let id = desk.ticket(desk.customer("one@example.org").await).await;
    let path = format!("/api/tickets/{id}");
    let put = async |body: Value| desk.put(&path, body).await.body;
    assert_eq!(
        put(json!({ "status": "closed" })).await["closed_datetime"],
        "2026-11-01T00:00:00.000000+00:00"
    );
    desk.clock.advance(Duration::from_secs(60));
    let again = put(json!({ "status": "closed" })).await;
    assert_eq!(
        again["closed_datetime"], "2026-11-01T00:00:00.000000+00:00",
        "a closed ticket keeps its time"
    );
    assert_eq!(again["updated_datetime"], "2026-11-01T00:01:00.000000+00:00");
    assert_eq!(put(json!({ "status": "open" })).await["closed_datetime"], Value::Null);
    let backdated =
        json!({ "closed_datetime": "2026-01-01T00:00:00Z", "updated_datetime": "2026-01-02T00:00:00Z" });
    let closed = put(backdated).await;
    assert_eq!(
        (&closed["status"], &closed["updated_datetime"]),
        (&json!("closed"), &json!("2026-01-02T00:00:00.000000+00:00"))
    );
    put(json!({ "trashed_datetime": "2026-11-01T00:00:00Z" })).await;
    assert_eq!(put(json!({ "trashed_datetime": null, "is_unread": false })).await["is_unread"], false);
    let events = desk
        .get(&format!(
            "/api/events?object_type=Ticket&object_id={id}&order_by=created_datetime:asc&limit=100"
        ))
        .await;
    let kinds = events.column("type");
    for kind in ["ticket-created", "ticket-updated", "ticket-closed", "ticket-trashed", "ticket-untrashed"] {
        assert!(kinds.contains(&json!(kind)), "{kind} in {kinds:?}");
    }
    let since = desk.get("/api/events?types=ticket-closed&created_datetime[gt]=2026-11-01T00:00:30Z").await;
    assert_eq!(since.column("object_id"), [json!(id)]);
}

#[tokio::test]
async fn messages_can_be_changed_and_deleted() {
    let desk = Desk::quiet().await;
    let id = desk.ticket(desk.customer("one@example.org").await).await;
    let list = format!("/api/tickets/{id}/messages");
    let body =
        merged(note("old"), json!({ "body_html": "<p>old</p>", "attachments": [], "meta": { "k": 1 } }));
    let message = desk.post(&list, body).await;
    assert_eq!(message.body["attachments"], Value::Null, "an empty list reads as null");
    let path = format!("{list}/{}", message.id());
    let changed =
        desk.put(&path, json!({ "channel": "internal-note", "from_agent": true, "body_text": "new" })).await;
    assert_eq!((changed.status, &changed.body["body_text"]), (202, &json!("new")));
    assert_eq!(changed.body["body_html"], "<p>old</p>", "text and HTML are not kept in step");
    assert_eq!(desk.delete(&path).await.status, 204);
    assert_eq!(desk.get(&path).await.status, 404);
    let file = json!({ "url": "https://files.example/1.mp3", "name": "1.mp3", "content_type": "audio/mpeg" });
    let attached = desk.post(&list, merged(note("x"), json!({ "attachments": [file.clone()] }))).await;
    assert_eq!(
        attached.body["attachments"][0],
        merged(file, json!({ "public": true })),
        "returned as sent, not fetched"
    );
}

#[tokio::test]
async fn jobs_delete_and_update_in_bulk() {
    let desk = Desk::quiet().await;
    let customer = desk.customer("one@example.org").await;
    let ids = [desk.ticket(customer).await, desk.ticket(customer).await, desk.ticket(customer).await];
    let run = async |body: Value| {
        let job = desk.post("/api/jobs", body).await;
        assert_eq!((job.status, &job.body["status"]), (201, &json!("pending")), "{}", job.body);
        desk.clock.advance(Duration::from_secs(1));
        desk.get(&format!("/api/jobs/{}", job.id())).await.body["status"].clone()
    };
    let update =
        json!({ "type": "updateTicket", "params": { "ticket_ids": ids, "updates": { "is_unread": false } } });
    assert_eq!(run(update).await, "done");
    let unread = desk.get(&format!("/api/tickets?customer_id={customer}")).await.column("is_unread");
    assert_eq!(unread, [json!(false), json!(false), json!(false)]);
    let wrong =
        json!({ "type": "updateTicket", "params": { "ticket_ids": ids, "updates": { "colour": 1 } } });
    assert_eq!(run(wrong).await, "errored");
    let delete = json!({ "type": "deleteTicket", "params": { "ticket_ids": [ids[0], 1, ids[1]] } });
    assert_eq!(run(delete).await, "errored", "one of them does not exist");
    assert_eq!(desk.get(&format!("/api/tickets?customer_id={customer}")).await.column("id"), [json!(ids[2])]);
    let too_late = json!({ "type": "deleteTicket", "params": { "ticket_ids": ids }, "scheduled_datetime": "2026-11-01T02:00:00Z" });
    assert_eq!(
        desk.post("/api/jobs", too_late).await.brief(),
        "400 scheduled_datetime: No more than 60 minutes ahead."
    );
    let later = json!({ "type": "deleteTicket", "params": { "ticket_ids": [ids[2]] }, "scheduled_datetime": "2026-11-01T00:30:00Z" });
    let job = desk.post("/api/jobs", later).await.id();
    assert_eq!(desk.delete(&format!("/api/jobs/{job}")).await.status, 204);
    desk.clock.advance(Duration::from_secs(3_600));
    assert_eq!(desk.get(&format!("/api/tickets/{}", ids[2])).await.status, 200, "cancelled");
    assert_eq!(desk.get("/api/jobs?status=canceled").await.column("id"), [json!(job)]);
}

#[tokio::test]
async fn files_go_up_and_come_down() {
    let desk = Desk::open(with(|switches| switches.upload_bytes_max = 100)).await;
    let upload = |bytes: &str| {
        let body = format!(
            "--B\r\nContent-Disposition: form-data; name=\"call.mp3\"; filename=\"f\"\r\nContent-Type: audio/mpeg\r\n\r\n{bytes}\r\n--B--\r\n"
        );
        desk.request("POST", "/api/upload?type=attachment")
            .header("content-type", "multipart/form-data; boundary=B")
            .body(body)
    };
    let up = desk.send(upload("sound")).await;
    assert_eq!((up.status, &up.body[0]["name"], &up.body[0]["size"]), (201, &json!("call.mp3"), &json!(5)));
    let url = up.body[0]["url"].as_str().unwrap();
    let path = url.strip_prefix("https://acme.gorgias.com").unwrap();
    let down = desk.request("GET", path).send().await.unwrap();
    assert_eq!(down.headers()["content-type"], "audio/mpeg");
    assert_eq!(down.text().await.unwrap(), "sound");
    assert_eq!(desk.send(upload(&"x".repeat(101))).await.brief(), "413 A file is larger than 100 bytes.");
    assert_eq!(desk.get("/api/attachment/download/0/none").await.status, 404);
}

#[tokio::test]
async fn views_select_tickets() {
    let desk = Desk::open(with(|switches| switches.search_lag_seconds = 0.0)).await;
    let customer = desk.customer("one@example.org").await;
    let open = desk.post("/api/tickets", merged(ticket(customer), json!({ "priority": "high" }))).await.id();
    let closed =
        desk.post("/api/tickets", merged(ticket(customer), json!({ "status": "closed" }))).await.id();
    let filters = format!("eq(ticket.status, 'closed') && eq(ticket.customer.id, {customer})");
    let view =
        desk.post("/api/views", json!({ "slug": "closed", "name": "Closed", "filters": filters })).await.id();
    assert_eq!(desk.get(&format!("/api/views/{view}/items")).await.column("id"), [json!(closed)]);
    let inline = json!({ "view": { "filters": format!("eq(ticket.customer.id, {customer})"), "type": "ticket-list" } });
    let ranked = desk.put("/api/views/0/items?order_by=priority:desc", inline).await;
    assert_eq!((ranked.status, ranked.column("id")), (200, vec![json!(open), json!(closed)]));
    assert_eq!(
        ranked.body["meta"],
        json!({ "current_cursor": null, "next_items": null, "prev_items": null })
    );
    let found = desk.put("/api/views/0/items", json!({ "view": { "search": "a NOTE" } })).await;
    assert_eq!(found.column("id").len(), 2);
    let wrong = desk.post("/api/views", json!({ "slug": "w", "filters": "ticket.status == 'open'" })).await;
    assert_eq!(wrong.brief(), "400 filters: Not a valid filter expression.");
    assert_eq!(
        desk.post("/api/views", json!({ "name": "w" })).await.brief(),
        "400 slug: Missing data for required field."
    );
    let system = desk.get("/api/views?category=system").await.column("id")[0].clone();
    assert_eq!(desk.delete(&format!("/api/views/{system}")).await.status, 400);
}

#[tokio::test]
async fn search_finds_persons_by_their_addresses() {
    let desk = Desk::open(with(|switches| switches.search_lag_seconds = 0.0)).await;
    let body = json!({ "name": "Ann", "channels": [{ "type": "phone", "address": "+358 40 123", "preferred": true }] });
    let ann = desk.post("/api/customers", body).await.id();
    let ids = async |kind: &str, text: &str| {
        desk.post("/api/search", json!({ "type": kind, "query": text })).await.column("id")
    };
    assert_eq!(ids("customer", "ann").await, [json!(ann)]);
    assert_eq!(ids("customers_by_phone", "+35840123").await, [json!(ann)]);
    assert_eq!(ids("customer_channel_phone", "40 12").await.len(), 1);
    assert!(ids("customer_channel_email", "40 12").await.is_empty());
    assert_eq!(ids("tag", "vip").await.len(), 1);
    assert_eq!(desk.post("/api/search", json!({ "type": "ticket", "query": "x" })).await.status, 400);
}

#[tokio::test]
async fn reporting_counts_what_there_is() {
    let desk = Desk::quiet().await;
    let customer = desk.customer("one@example.org").await;
    for (day, channel) in [("01", "phone"), ("01", "chat"), ("02", "phone")] {
        let dated = json!({ "created_datetime": format!("2026-05-{day}T12:00:00Z"), "channel": channel });
        desk.post("/api/tickets", merged(ticket(customer), dated)).await;
    }
    let ask = async |scope: &str, until: &str, more: Value| {
        let query = json!({ "scope": scope, "timezone": "UTC", "filters": [
            { "member": "periodStart", "operator": "afterDate", "values": ["2026-05-01"] },
            { "member": "periodEnd", "operator": "beforeDate", "values": [until] },
        ]});
        desk.post("/api/reporting/stats", json!({ "query": merged(query, more) })).await
    };
    let total = ask("tickets-created", "2026-06-01", json!({})).await;
    assert_eq!((total.status, &total.body["data"]), (200, &json!([{ "ticketCount": 3 }])));
    let by_day = json!({ "time_dimensions": [{ "dimension": "createdDatetime", "granularity": "day" }] });
    let by_day = ask("tickets-created", "2026-06-01", by_day).await;
    assert_eq!(by_day.column("ticketCount"), [2, 1]);
    assert_eq!(by_day.column("createdDatetime.day")[0], "2026-05-01T00:00:00.000");
    let by_channel = ask("tickets-created", "2026-06-01", json!({ "dimensions": ["channel"] })).await;
    assert_eq!(by_channel.column("channel"), ["chat", "phone"]);
    assert_eq!(ask("voice-calls", "2026-06-01", json!({})).await.body["data"], json!([]));
    assert_eq!(
        ask("tickets-created", "2027-06-01", json!({})).await.brief(),
        "400 query.filters: The period is longer than 366 days."
    );
    assert_eq!(ask("tickets", "2026-06-01", json!({})).await.brief(), "400 query.scope: Not a known scope.");
}

#[tokio::test]
async fn macros_rules_and_voice() {
    let desk = Desk::quiet().await;
    let id = desk.post("/api/macros", json!({ "name": "Greeting" })).await.id();
    assert_eq!(desk.put("/api/macros/archive", json!({ "ids": [id] })).await.status, 202);
    assert!(desk.get("/api/macros").await.column("id").is_empty());
    assert_eq!(desk.get("/api/macros?archived=true").await.column("id"), [json!(id)]);
    let rule = desk
        .post("/api/rules", json!({ "name": "r", "code": "x", "event_types": "ticket-created" }))
        .await
        .id();
    assert_eq!(
        desk.post("/api/rules/priorities", json!({ "priorities": [{ "id": rule, "priority": 9 }] }))
            .await
            .status,
        201
    );
    assert_eq!(desk.get(&format!("/api/rules/{rule}")).await.body["priority"], 9);
    assert_eq!(
        desk.post("/api/rules", json!({ "name": "r", "code": "x", "event_types": "sometimes" })).await.status,
        400
    );
    assert_eq!(desk.delete(&format!("/api/rules/{rule}")).await.status, 204);
    for path in [
        "/api/phone/voice-calls",
        "/api/phone/voice-call-events",
        "/api/phone/voice-call-recordings",
        "/api/widgets",
    ] {
        assert_eq!(desk.get(path).await.body["data"], json!([]), "{path}");
    }
    assert_eq!(desk.post("/api/phone/voice-calls", json!({})).await.status, 405, "a call cannot be created");
}

#[tokio::test]
async fn five_hundred_messages_fit_in_one_request() {
    let desk = Desk::quiet().await;
    let customer = desk.customer("one@example.org").await;
    let messages: Vec<Value> = (0..500)
        .map(|number| {
            merged(
                incoming("x"),
                json!({ "external_id": format!("call:{number}"), "sender": { "id": customer } }),
            )
        })
        .collect();
    let made =
        desk.post("/api/tickets", json!({ "customer": { "id": customer }, "messages": messages })).await;
    assert_eq!((made.status, made.body["messages"].as_array().unwrap().len()), (201, 500));
    assert_eq!(
        desk.get(&format!("/api/tickets?customer_id={customer}")).await.column("messages_count"),
        [500]
    );
    assert_eq!(desk.running.edit(|editor| editor.ids(RecordKind::Message)).len(), 504);
    assert_eq!(desk.delete(&format!("/api/tickets/{}", made.id())).await.status, 204);
    assert_eq!(desk.running.edit(|editor| editor.ids(RecordKind::Message)).len(), 4);
}
