//! Bodies of writes, strictly by the documented keys: an undocumented key is answered 400.
//!
//! Deliberately absent: judging whether a body may leave; see `egress`, which believes nothing that is done here.

use jiff::Timestamp;
use migration::gorgias::{FieldDraft, FieldKind, FieldValue};
use pipeline::ports::gorgias::{
    Change, ChangeOf, CustomerChange, FoundValue, Message, NewCustomer, NewDelivery, NewMessage, NewTicket,
    TicketChange,
};
use serde_json::{Value, json};

use super::files;

/// The origin that every write names (facts: always send `via`).
pub(super) const VIA: &str = "api";

/// ISO 8601, UTC, microseconds, with offset, as Gorgias answers.
pub(super) fn instant_text(at: Timestamp) -> String {
    let text = at.strftime("%Y-%m-%dT%H:%M:%S%.6f").to_string();
    format!("{text}+00:00")
}

pub(super) fn value_json(value: &FieldValue) -> Value {
    match value {
        FieldValue::Text(text) => json!(text),
        FieldValue::Number(number) => json!(number),
        FieldValue::Boolean(flag) => json!(flag),
    }
}

pub(super) fn values(values: &[FoundValue]) -> Value {
    Value::Array(
        values
            .iter()
            .map(|entry| json!({ "id": entry.field.0, "value": value_json(&entry.value) }))
            .collect(),
    )
}

pub(super) fn customer(customer: &NewCustomer) -> Value {
    let channels: Vec<Value> = customer
        .channels
        .iter()
        .map(|channel| {
            json!({ "type": channel.kind.as_str(), "address": channel.address, "preferred": channel.is_preferred })
        })
        .collect();
    let mut body = json!({ "external_id": customer.external_id.as_str(), "channels": channels });
    put(&mut body, "name", customer.name.as_ref());
    put(&mut body, "email", customer.email.as_ref());
    put(&mut body, "language", customer.language.as_ref());
    put(&mut body, "timezone", customer.timezone.as_ref());
    body
}

pub(super) fn customer_change(change: &CustomerChange) -> Value {
    let mut body = json!({});
    put_text(&mut body, "external_id", &change.external_id);
    put_text(&mut body, "name", &change.name);
    put_text(&mut body, "email", &change.email);
    put_text(&mut body, "language", &change.language);
    put_text(&mut body, "timezone", &change.timezone);
    if let Some(channels) = &change.channels {
        body["channels"] = channels
            .iter()
            .map(|channel| json!({ "type": channel.kind, "address": channel.address, "preferred": channel.is_preferred }))
            .collect();
    }
    body
}

pub(super) fn field(draft: &FieldDraft) -> Value {
    let settings = match draft.kind {
        FieldKind::Text => json!({ "input_type": "input" }),
        FieldKind::Number => json!({ "input_type": "input_number" }),
        FieldKind::Boolean => json!({ "input_type": "dropdown" }),
    };
    json!({
        "object_type": draft.object.as_str(),
        "label": draft.label,
        "description": draft.description,
        "external_id": draft.key.0,
        "definition": { "data_type": draft.kind.as_str(), "input_settings": settings },
    })
}

pub(super) fn ticket(ticket: &NewTicket) -> Value {
    let first = ticket.messages.first();
    let mut body = json!({
        "external_id": ticket.external_id.as_str(),
        "customer": { "id": ticket.customer.0 },
        "subject": ticket.subject,
        "status": ticket.status.as_str(),
        "channel": ticket.channel,
        "via": VIA,
        "from_agent": first.is_some_and(|message| !matches!(message.delivery, NewDelivery::Incoming { .. })),
        "imported": true,
        "created_datetime": instant_text(ticket.created_at),
        "opened_datetime": instant_text(ticket.created_at),
        "last_message_datetime": instant_text(ticket.last_message_at),
        "tags": ticket.tags.iter().map(|name| json!({ "name": name })).collect::<Vec<_>>(),
        "custom_fields": values(&ticket.values),
        "meta": ticket.meta,
        "messages": ticket.messages.iter().map(message).collect::<Vec<_>>(),
    });
    if let Some(closed_at) = ticket.closed_at {
        body["closed_datetime"] = json!(instant_text(closed_at));
    }
    if let Some(user) = ticket.assignee_user {
        body["assignee_user"] = json!({ "id": user.0 });
    }
    if let Some(team) = ticket.assignee_team {
        body["assignee_team"] = json!({ "id": team.0 });
    }
    body
}

pub(super) fn message(message: &NewMessage) -> Value {
    let mut body = json!({
        "external_id": message.external_id.as_str(),
        "via": VIA,
        "body_text": message.body_text,
        "body_html": message.body_html,
    });
    let at = match &message.delivery {
        NewDelivery::InternalNote { author, at } => {
            body["channel"] = json!("internal-note");
            body["from_agent"] = json!(true);
            body["public"] = json!(false);
            body["sender"] = json!({ "id": author.0 });
            at
        }
        NewDelivery::Incoming { channel, sender, at } => {
            body["channel"] = json!(channel);
            body["from_agent"] = json!(false);
            body["public"] = json!(true);
            body["sender"] = json!({ "id": sender.0 });
            at
        }
        NewDelivery::Outgoing { channel, author, receiver, sent_at } => {
            body["channel"] = json!(channel);
            body["from_agent"] = json!(true);
            body["public"] = json!(true);
            body["sender"] = json!({ "id": author.0 });
            body["receiver"] = json!({ "id": receiver.0 });
            sent_at
        }
    };
    body["created_datetime"] = json!(instant_text(*at));
    body["sent_datetime"] = json!(instant_text(*at));
    if !message.attachments.is_empty() {
        body["attachments"] = message.attachments.iter().map(files::attachment).collect();
    }
    body
}

pub(super) fn ticket_change(change: &TicketChange) -> Value {
    let mut body = json!({});
    put_text(&mut body, "external_id", &change.external_id);
    put_text(&mut body, "subject", &change.subject);
    put_change(&mut body, "assignee_user", &change.assignee_user, |user| json!({ "id": user.0 }));
    put_change(&mut body, "assignee_team", &change.assignee_team, |team| json!({ "id": team.0 }));
    put_change(&mut body, "closed_datetime", &change.closed_at, |at| json!(instant_text(*at)));
    put_change(&mut body, "last_message_datetime", &change.last_message_at, |at| json!(instant_text(*at)));
    put(&mut body, "channel", change.channel.as_ref());
    put(&mut body, "via", change.via.as_ref());
    if let Some(customer) = change.customer {
        body["customer"] = json!({ "id": customer.0 });
    }
    if let Some(status) = change.status {
        body["status"] = json!(status.as_str());
    }
    for (key, flag) in [("from_agent", change.from_agent), ("spam", change.is_spam)] {
        if let Some(flag) = flag {
            body[key] = json!(flag);
        }
    }
    if let Some(held) = &change.values {
        body["custom_fields"] = values(held);
    }
    body
}

/// A message that is there, as it shall be: a change of a message names all of it.
pub(super) fn message_as(message: &Message) -> Value {
    let mut body = json!({
        "via": VIA,
        "channel": message.channel,
        "from_agent": message.from_agent,
        "public": message.is_public.unwrap_or(message.channel != "internal-note"),
    });
    put(&mut body, "external_id", message.external_id.as_ref());
    put(&mut body, "body_text", message.body_text.as_ref());
    put(&mut body, "body_html", message.body_html.as_ref());
    // A note has no receiver, whatever a list names there.
    let receiver = message.receiver.filter(|_| message.channel != "internal-note");
    for (key, person) in [("sender", message.sender), ("receiver", receiver)] {
        if let Some(person) = person {
            body[key] = json!({ "id": person });
        }
    }
    for (key, at) in [("sent_datetime", message.sent_at), ("created_datetime", message.created_at)] {
        if let Some(at) = at {
            body[key] = json!(instant_text(at));
        }
    }
    body
}

fn put_text(body: &mut Value, key: &str, change: &Change) {
    put_change(body, key, change, |text| json!(text));
}

fn put_change<T>(body: &mut Value, key: &str, change: &ChangeOf<T>, written: impl Fn(&T) -> Value) {
    match change {
        ChangeOf::Keep => {}
        ChangeOf::Empty => body[key] = Value::Null,
        ChangeOf::To(content) => body[key] = written(content),
    }
}

fn put(body: &mut Value, key: &str, value: Option<&String>) {
    if let Some(value) = value {
        body[key] = json!(value);
    }
}
