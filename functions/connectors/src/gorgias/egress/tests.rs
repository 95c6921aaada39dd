//! The gate against bodies that nobody here would build.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use migration::gorgias::{CustomerId, FieldId, FieldValue, TeamId, TicketStatus, UserId};
use migration::keys::ExternalId;
use pipeline::ports::gorgias::{FoundValue, NewDelivery, NewMessage, NewTicket};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

use super::checked;
use crate::gorgias::compose;

fn now() -> Timestamp {
    "2026-11-22T10:00:00Z".parse().unwrap()
}

fn past() -> impl Strategy<Value = Timestamp> {
    (0_i64..400_000_000).prop_map(|seconds| now() - SignedDuration::from_secs(seconds))
}

fn delivery() -> impl Strategy<Value = NewDelivery> {
    let channel = || prop::sample::select(vec!["phone", "chat", "email", "sms"]).prop_map(str::to_owned);
    prop_oneof![
        (1_u64..9, past()).prop_map(|(author, at)| NewDelivery::InternalNote { author: UserId(author), at }),
        (channel(), 1_u64..9, past()).prop_map(|(channel, sender, at)| NewDelivery::Incoming {
            channel,
            sender: CustomerId(sender),
            at
        }),
        (channel(), 1_u64..9, 1_u64..9, past()).prop_map(|(channel, author, receiver, sent_at)| {
            NewDelivery::Outgoing { channel, author: UserId(author), receiver: CustomerId(receiver), sent_at }
        }),
    ]
}

fn message() -> impl Strategy<Value = NewMessage> {
    (delivery(), "[a-z]{1,8}", "\\PC{0,20}").prop_map(|(delivery, id, text)| NewMessage {
        external_id: ExternalId::from_stored(format!("leaddesk:call:{id}")),
        delivery,
        body_html: format!("<p>{}</p>", text.len()),
        attachments: Vec::new(),
        body_text: text,
    })
}

fn ticket() -> impl Strategy<Value = NewTicket> {
    let persons = (prop::option::of(1_u64..9), prop::option::of(1_u64..9));
    let value = prop::option::of(prop_oneof![
        "[a-z]{0,8}".prop_map(FieldValue::Text),
        (0.0..1e6_f64).prop_map(FieldValue::Number),
        any::<bool>().prop_map(FieldValue::Boolean),
    ]);
    (prop::collection::vec(message(), 1..5), persons, value, past(), prop::option::of(past())).prop_map(
        |(messages, (user, team), value, created_at, closed_at)| NewTicket {
            external_id: ExternalId::from_stored("leaddesk:lead:1:1"),
            customer: CustomerId(1),
            subject: "Lead".to_owned(),
            status: if closed_at.is_some() { TicketStatus::Closed } else { TicketStatus::Open },
            channel: "phone".to_owned(),
            assignee_user: user.map(UserId),
            assignee_team: team.map(TeamId),
            tags: vec!["campaign".to_owned()],
            values: value.map(|value| FoundValue { field: FieldId(7), value }).into_iter().collect(),
            created_at,
            closed_at,
            last_message_at: created_at,
            meta: BTreeMap::from([("attempt".to_owned(), "1".to_owned())]),
            messages,
        },
    )
}

/// A body as the client sends it: a ticket, or a message of its own.
fn body() -> impl Strategy<Value = Value> {
    let appended = message().prop_map(|message| {
        let mut body = compose::message(&message);
        body["imported"] = json!(true);
        body
    });
    prop_oneof![ticket().prop_map(|ticket| compose::ticket(&ticket)), appended]
}

/// One thing done to a body: which object or list of it, which key, and what becomes of that.
type Change = (prop::sample::Index, prop::sample::Index, Option<Value>);

const KEYS: [&str; 26] = [
    "action",
    "actions",
    "assignee_user",
    "attachments",
    "cc",
    "channel",
    "created_datetime",
    "customer",
    "email",
    "from_agent",
    "id",
    "integration_id",
    "macros",
    "mention_ids",
    "messages",
    "meta",
    "name",
    "public",
    "receiver",
    "rule_id",
    "sender",
    "sent_datetime",
    "snooze_datetime",
    "source",
    "tags",
    "via",
];

fn value() -> impl Strategy<Value = Value> {
    let texts = [
        "internal-note",
        "email",
        "api",
        "rule",
        "2027-01-01T00:00:00+00:00",
        "2020-01-01T00:00:00+00:00",
        "2020-01-01",
        "soon",
        "",
    ];
    let mut values: Vec<Value> = texts.into_iter().map(Value::from).collect();
    values.extend([
        json!(null),
        json!(true),
        json!(false),
        json!(0),
        json!(7),
        json!(-1),
        json!([]),
        json!({}),
        json!([{}]),
        json!({ "id": 5 }),
        json!({ "id": "5" }),
        json!({ "id": 5, "email": "someone@example.com" }),
        json!({ "email": "someone@example.com" }),
        json!([{ "channel": "email", "from_agent": true, "body_text": "Hello" }]),
        json!({ "type": "email", "to": [{ "address": "someone@example.com" }] }),
    ]);
    prop::sample::select(values)
}

fn pointers(value: &Value, at: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            found.push(at.to_owned());
            map.iter().for_each(|(key, value)| pointers(value, &format!("{at}/{key}"), found));
        }
        Value::Array(items) => {
            found.push(at.to_owned());
            items
                .iter()
                .enumerate()
                .for_each(|(place, item)| pointers(item, &format!("{at}/{place}"), found));
        }
        _ => {}
    }
}

fn changed(mut body: Value, changes: &[Change]) -> Value {
    for (place, key, replacement) in changes {
        let mut found = Vec::new();
        pointers(&body, "", &mut found);
        if found.is_empty() {
            return body;
        }
        let pointer = found[place.index(found.len())].clone();
        match body.pointer_mut(&pointer).unwrap() {
            Value::Object(map) => {
                // Half of the time a key that is there, so that removals meet something.
                let there: Vec<String> = map.keys().cloned().collect();
                let wished = key.index(2 * KEYS.len());
                let name = if wished < KEYS.len() || there.is_empty() {
                    KEYS[wished % KEYS.len()].to_owned()
                } else {
                    there[wished % there.len()].clone()
                };
                match replacement {
                    Some(value) => drop(map.insert(name, value.clone())),
                    None => drop(map.remove(&name)),
                }
            }
            Value::Array(items) => match replacement {
                Some(value) => items.push(value.clone()),
                None => drop(items.pop()),
            },
            _ => {}
        }
    }
    body
}

/// What must be true of everything that leaves, said without a look at the gate.
fn harm(body: &Value) -> Option<String> {
    let one = std::slice::from_ref(body);
    let messages = body.get("messages").map_or(Some(one), |messages| messages.as_array().map(Vec::as_slice));
    let Some(messages) = messages.filter(|messages| !messages.is_empty()) else {
        return Some("no messages".to_owned());
    };
    for message in messages {
        let sent = message["sent_datetime"].as_str().and_then(|text| text.parse::<Timestamp>().ok());
        if sent.is_none_or(|sent| sent > now()) {
            return Some("not sent in the past".to_owned());
        }
    }
    let mut found = Vec::new();
    pointers(body, "", &mut found);
    for pointer in found.iter().filter(|pointer| !pointer.starts_with("/meta")) {
        let Some(object) = body.pointer(pointer).and_then(Value::as_object) else { continue };
        let acting = [
            "action",
            "actions",
            "attachments",
            "cc",
            "email",
            "integration_id",
            "macros",
            "mention_ids",
            "rule_id",
            "snooze_datetime",
            "source",
        ];
        if let Some(key) = acting.iter().find(|key| object.contains_key(**key)) {
            return Some(format!("{key} at {pointer:?}"));
        }
        for person in ["customer", "sender", "receiver", "assignee_user"] {
            let Some(reference) = object.get(person) else { continue };
            let keys: Vec<&String> =
                reference.as_object().map(|person| person.keys().collect()).unwrap_or_default();
            if keys != ["id"] || !reference["id"].is_u64() {
                return Some(format!("{person} by more than an id"));
            }
        }
    }
    None
}

#[test]
fn whatever_is_composed_may_leave() {
    let mut runner = TestRunner::deterministic();
    runner
        .run(&body(), |body| {
            prop_assert_eq!(checked(&body, now()), Ok(()), "{}", body);
            prop_assert_eq!(harm(&body), None);
            Ok(())
        })
        .unwrap();
}

#[test]
fn nothing_harmful_leaves_whatever_is_done_to_a_body() {
    let change =
        (any::<prop::sample::Index>(), any::<prop::sample::Index>(), prop::option::weighted(0.8, value()));
    let case = (body(), prop::collection::vec(change, 1..4));
    let (passed, refused) = (std::cell::Cell::new(0), std::cell::Cell::new(0));
    let mut runner = TestRunner::new_with_rng(
        Config { cases: 4_000, failure_persistence: None, ..Config::default() },
        proptest::test_runner::TestRng::deterministic_rng(proptest::test_runner::RngAlgorithm::ChaCha),
    );
    runner
        .run(&case, |(body, changes)| {
            let body = changed(body, &changes);
            if checked(&body, now()).is_ok() {
                passed.set(passed.get() + 1);
                prop_assert_eq!(harm(&body), None, "{}", body);
            } else {
                refused.set(refused.get() + 1);
            }
            Ok(())
        })
        .unwrap();
    // Neither all nor nothing: the changes do reach the gate, and some of them are harmless.
    assert!(
        passed.get() > 200 && refused.get() > 1_000,
        "{} passed, {} refused",
        passed.get(),
        refused.get()
    );
}

#[test]
fn each_rule_names_itself() {
    let note = json!({
        "external_id": "leaddesk:call:1", "via": "api", "channel": "internal-note", "from_agent": true, "public": false,
        "sender": { "id": 5 }, "body_text": "", "body_html": "", "created_datetime": "2020-01-01T00:00:00Z",
        "sent_datetime": "2020-01-01T00:00:00Z",
    });
    let with = |key: &str, value: Value| {
        let mut message = note.clone();
        message[key] = value;
        message
    };
    let check = |body: Value, expected: &str| {
        assert_eq!(checked(&body, now()), if expected.is_empty() { Ok(()) } else { Err(expected) }, "{body}");
    };
    check(note.clone(), "");
    check(json!([]), "a body is no object");
    check(
        with("sent_datetime", json!(null)),
        "an outgoing message without its moment of sending would be sent",
    );
    check(with("sent_datetime", json!("2026-11-22T10:00:00Z")), "");
    check(with("sent_datetime", json!("2026-11-22T10:00:01Z")), "a message would be sent in the future");
    check(
        with("sent_datetime", json!("2020-01-01T00:00:00")),
        "a message has an unreadable moment of sending",
    );
    check(with("public", json!(true)), "a note would be public, or a message of a customer hidden");
    check(with("action", json!("reply")), "a message holds what this tool never writes");
    check(with("mention_ids", json!([5])), "a message holds what this tool never writes");
    check(with("integration_id", json!(5)), "a message holds what this tool never writes");
    check(with("sender", json!({ "id": 5, "name": "x" })), "a person is named by more than an id");
    check(
        with("receiver", json!({ "email": "someone@example.com" })),
        "a person is named by more than an id",
    );
    check(with("via", json!("email")), "it does not come by the API");
    let ticket = |more: Value| {
        let mut body = json!({ "via": "api", "customer": { "id": 7 }, "messages": [note] });
        more.as_object().unwrap().iter().for_each(|(key, value)| body[key] = value.clone());
        body
    };
    check(ticket(json!({})), "");
    check(ticket(json!({ "messages": [] })), "a ticket has no messages or too many");
    check(ticket(json!({ "messages": vec![note.clone(); 500] })), "");
    check(ticket(json!({ "messages": vec![note.clone(); 501] })), "a ticket has no messages or too many");
    check(
        ticket(json!({ "customer": { "id": 7, "email": "x@example.com" } })),
        "a person is named by more than an id",
    );
    check(ticket(json!({ "requester": { "id": 7 } })), "a ticket holds what this tool never writes");
    check(
        ticket(json!({ "messages": [with("sent_datetime", json!("soon"))] })),
        "a message has an unreadable moment of sending",
    );
    check(ticket(json!({ "tags": [{ "name": "a", "id": 5 }] })), "a tag is named by more than its name");
}
