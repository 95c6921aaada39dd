//! Bodies of writes, strictly by the documented keys: an undocumented key is answered 400.
//!
//! Deliberately absent: judging whether a body may leave; see `egress`, which believes nothing that is done here.

use jiff::Timestamp;
use migration::gorgias::{FieldDraft, FieldKind, FieldValue};
use pipeline::ports::gorgias::{
    Change, CustomerChange, FoundValue, NewCustomer, NewDelivery, NewMessage, NewTicket,
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
    for (key, change) in
        [("external_id", &change.external_id), ("name", &change.name), ("email", &change.email)]
    {
        match change {
            Change::Keep => {}
            Change::Empty => body[key] = Value::Null,
            Change::To(text) => body[key] = json!(text),
        }
    }
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

fn put(body: &mut Value, key: &str, value: Option<&String>) {
    if let Some(value) = value {
        body[key] = json!(value);
    }
}
