//! What a request says, field by field, for its fingerprint. Pure.

use std::fmt::Write as _;

use migration::gorgias::FieldValue;

use crate::ports::gorgias::{
    Change, CustomerChange, FoundValue, NewCustomer, NewDelivery, NewMessage, NewTicket,
};

pub(super) fn put(text: &mut String, name: &str, value: &str) {
    // Lengths in front keep different contents from meeting in one text.
    write!(text, "{name}={}:{value};", value.len()).expect("writing to a String cannot fail");
}

pub(super) fn joined<T: ToString>(parts: impl Iterator<Item = T>) -> String {
    parts.map(|part| part.to_string()).collect::<Vec<_>>().join(",")
}

pub(super) fn customer_fields(customer: &NewCustomer) -> Vec<(&'static str, String)> {
    let mut channels = String::new();
    for channel in &customer.channels {
        put(&mut channels, channel.kind.as_str(), &channel.address);
    }
    vec![
        ("external_id", customer.external_id.to_string()),
        ("name", customer.name.clone().unwrap_or_default()),
        ("email", customer.email.clone().unwrap_or_default()),
        ("channels", channels),
        ("language", customer.language.clone().unwrap_or_default()),
        ("timezone", customer.timezone.clone().unwrap_or_default()),
    ]
}

pub(super) fn change_fields(change: &CustomerChange) -> Vec<(&'static str, String)> {
    let mut fields = Vec::new();
    let mut add = |name, change: &Change| match change {
        Change::Keep => {}
        Change::Empty => fields.push((name, String::new())),
        Change::To(text) => fields.push((name, text.clone())),
    };
    add("external_id", &change.external_id);
    add("name", &change.name);
    add("email", &change.email);
    add("language", &change.language);
    add("timezone", &change.timezone);
    if let Some(channels) = &change.channels {
        let mut text = String::new();
        for channel in channels {
            put(&mut text, &channel.kind, &channel.address);
        }
        fields.push(("channels", text));
    }
    fields
}

pub(super) fn values_text(values: &[FoundValue]) -> String {
    let mut text = String::new();
    for value in values {
        let shown = match &value.value {
            FieldValue::Text(value) => value.clone(),
            FieldValue::Number(value) => value.to_string(),
            FieldValue::Boolean(value) => value.to_string(),
        };
        put(&mut text, &value.field.to_string(), &shown);
    }
    text
}

pub(super) fn ticket_fields(ticket: &NewTicket) -> Vec<(&'static str, String)> {
    let mut messages = String::new();
    for message in &ticket.messages {
        message_text(message, &mut messages);
    }
    let id = |id: Option<u64>| id.map(|id| id.to_string()).unwrap_or_default();
    vec![
        ("external_id", ticket.external_id.to_string()),
        ("customer", ticket.customer.to_string()),
        ("subject", ticket.subject.clone()),
        ("status", ticket.status.as_str().to_owned()),
        ("channel", ticket.channel.clone()),
        ("assignee_user", id(ticket.assignee_user.map(|user| user.0))),
        ("assignee_team", id(ticket.assignee_team.map(|team| team.0))),
        ("tags", joined(ticket.tags.iter())),
        ("values", values_text(&ticket.values)),
        ("created_at", ticket.created_at.to_string()),
        ("closed_at", ticket.closed_at.map(|at| at.to_string()).unwrap_or_default()),
        ("last_message_at", ticket.last_message_at.to_string()),
        ("messages", messages),
    ]
}

pub(super) fn message_text(message: &NewMessage, text: &mut String) {
    put(text, "external_id", message.external_id.as_str());
    let (kind, channel, person, at) = match &message.delivery {
        NewDelivery::InternalNote { author, at } => ("note", "", author.0, at),
        NewDelivery::Incoming { channel, sender, at } => ("incoming", channel.as_str(), sender.0, at),
        NewDelivery::Outgoing { channel, author, sent_at, .. } => {
            ("outgoing", channel.as_str(), author.0, sent_at)
        }
    };
    put(text, kind, channel);
    put(text, "person", &person.to_string());
    put(text, "at", &at.to_string());
    put(text, "body_text", &message.body_text);
    put(text, "body_html", &message.body_html);
    for file in &message.attachments {
        put(text, "attachment", &file.url);
        put(text, "attachment_name", &file.name);
    }
}
