//! The last gate before the wire: whatever built a body, one that could make Gorgias contact, create or alter a person
//! does not leave.
//!
//! What may leave is listed, key by key, so that a key nobody thought of is refused as well. Deliberately absent: mending. A body that
//! is refused is a bug of ours and has to be seen.

use jiff::Timestamp;
use serde_json::{Map, Value};
use url::Url;

use super::compose::VIA;

/// Messages of one ticket at most (facts: ticket creation).
const MESSAGES_MAX: usize = 500;

/// Keys of a ticket that describe it and make nothing happen.
const TICKET_KEYS: &[&str] = &[
    "assignee_team",
    "assignee_user",
    "channel",
    "closed_datetime",
    "created_datetime",
    "custom_fields",
    "customer",
    "external_id",
    "from_agent",
    "imported",
    "last_message_datetime",
    "messages",
    "meta",
    "opened_datetime",
    "status",
    "subject",
    "tags",
    "via",
];

/// Keys that exist when a ticket is changed, beside those of its creation.
const CHANGE_KEYS: &[&str] = &["spam"];

/// Keys of a ticket that a change must not hold: they exist at creation only, or have a request of their own.
const CREATION_KEYS: &[&str] = &["created_datetime", "imported", "messages", "meta", "tags"];

/// Keys of a message that describe it. Among those left out: `action`, `actions`, `macros`, `mention_ids`,
/// `integration_id`, `source` and `rule_id` act elsewhere or name a person by address.
const MESSAGE_KEYS: &[&str] = &[
    "attachments",
    "body_html",
    "body_text",
    "channel",
    "created_datetime",
    "external_id",
    "from_agent",
    "imported",
    "public",
    "receiver",
    "sender",
    "sent_datetime",
    "via",
];

/// Keys that hold more than one plain value; what may be in them is checked one by one.
const STRUCTURED_KEYS: &[&str] = &[
    "assignee_team",
    "assignee_user",
    "attachments",
    "custom_fields",
    "customer",
    "messages",
    "meta",
    "receiver",
    "sender",
    "tags",
];

/// One of the gates.
pub(super) type Check = fn(&Value, Timestamp) -> Result<(), &'static str>;

/// Refuses a change of a ticket that could contact, create or alter a person: a change holds no messages, and moves no
/// ticket into or out of the trash.
pub(super) fn checked_change(body: &Value, _now: Timestamp) -> Result<(), &'static str> {
    let body = body.as_object().ok_or("a body is no object")?;
    let fits = |key: &String| TICKET_KEYS.contains(&key.as_str()) || CHANGE_KEYS.contains(&key.as_str());
    let is_creation = |key: &String| CREATION_KEYS.contains(&key.as_str());
    if !body.keys().all(|key| fits(key) && !is_creation(key)) {
        return Err("a change holds what this tool never writes");
    }
    body.get("via")
        .map_or(Ok(()), |via| if via.is_string() { Ok(()) } else { Err("an unreadable origin") })?;
    body.get("customer").map_or(Ok(()), only_id)?;
    for assignee in ["assignee_user", "assignee_team"] {
        body.get(assignee).filter(|assignee| !assignee.is_null()).map_or(Ok(()), only_id)?;
    }
    let values = listed(body, "custom_fields")?;
    if !values.iter().all(|value| only_keys_of(value, &["id", "value"]).is_ok()) {
        return Err("a custom value is more than a value");
    }
    Ok(())
}

/// Refuses the body of a ticket or message that could contact, create or alter a person. The text says which rule.
pub(super) fn checked(body: &Value, now: Timestamp) -> Result<(), &'static str> {
    let body = body.as_object().ok_or("a body is no object")?;
    let Some(messages) = body.get("messages") else { return checked_message(body, now) };
    only_keys(body, TICKET_KEYS).map_err(|()| "a ticket holds what this tool never writes")?;
    via_api(body)?;
    let messages = messages.as_array().ok_or("messages are no list")?;
    if messages.is_empty() || messages.len() > MESSAGES_MAX {
        return Err("a ticket has no messages or too many");
    }
    for person in ["customer", "assignee_user", "assignee_team"] {
        body.get(person).map_or(Ok(()), only_id)?;
    }
    for tag in listed(body, "tags")? {
        only_keys_of(tag, &["name"]).map_err(|()| "a tag is named by more than its name")?;
    }
    for value in listed(body, "custom_fields")? {
        only_keys_of(value, &["id", "value"]).map_err(|()| "a custom value is more than a value")?;
    }
    messages
        .iter()
        .try_for_each(|message| checked_message(message.as_object().ok_or("a message is no object")?, now))
}

fn checked_message(message: &Map<String, Value>, now: Timestamp) -> Result<(), &'static str> {
    only_keys(message, MESSAGE_KEYS).map_err(|()| "a message holds what this tool never writes")?;
    via_api(message)?;
    for person in ["sender", "receiver"] {
        message.get(person).map_or(Ok(()), only_id)?;
    }
    let from_agent =
        message.get("from_agent").and_then(Value::as_bool).ok_or("a message does not say who it is from")?;
    listed(message, "attachments")?.iter().try_for_each(checked_attachment)?;
    let channel =
        message.get("channel").and_then(Value::as_str).ok_or("a message does not name its channel")?;
    let public =
        message.get("public").and_then(Value::as_bool).ok_or("a message does not say who may see it")?;
    if (channel == "internal-note") == public {
        return Err("a note would be public, or a message of a customer hidden");
    }
    let sent = message.get("sent_datetime").and_then(Value::as_str).map(str::parse::<Timestamp>);
    match sent {
        Some(Ok(at)) if at <= now => Ok(()),
        Some(Ok(_)) => Err("a message would be sent in the future"),
        Some(Err(_)) => Err("a message has an unreadable moment of sending"),
        None if from_agent => Err("an outgoing message without its moment of sending would be sent"),
        None => Err("an incoming message has no moment of receipt"),
    }
}

/// A file of ours lies at Gorgias, private; its address holds neither a key nor a signature, so it is none of LeadDesk's.
fn checked_attachment(attachment: &Value) -> Result<(), &'static str> {
    only_keys_of(attachment, &["url", "name", "content_type", "size", "public"])
        .map_err(|()| "an attachment holds what this tool never writes")?;
    if attachment.get("public").and_then(Value::as_bool) != Some(false) {
        return Err("an attachment would be public");
    }
    checked_address(attachment.get("url").and_then(Value::as_str).unwrap_or_default())
}

/// The address of a file at Gorgias, with nothing in it that could be a key or a signature.
pub(super) fn checked_address(address: &str) -> Result<(), &'static str> {
    match Url::parse(address).ok() {
        Some(url) if url.scheme() == "https" && url.query().is_none() && url.username().is_empty() => Ok(()),
        _ => Err("an attachment's address is unencrypted, or holds what could be a key"),
    }
}

fn via_api(object: &Map<String, Value>) -> Result<(), &'static str> {
    if object.get("via").and_then(Value::as_str) == Some(VIA) {
        Ok(())
    } else {
        Err("it does not come by the API")
    }
}

fn listed<'b>(body: &'b Map<String, Value>, key: &str) -> Result<&'b [Value], &'static str> {
    match body.get(key) {
        None => Ok(&[]),
        Some(Value::Array(items)) => Ok(items),
        Some(_) => Err("tags, custom values or attachments are no list"),
    }
}

/// Listed keys alone, and plain values under all that do not have a check of their own.
fn only_keys(object: &Map<String, Value>, allowed: &[&str]) -> Result<(), ()> {
    let fits = |(key, value): (&String, &Value)| {
        let is_plain = !value.is_object() && !value.is_array();
        allowed.contains(&key.as_str()) && (is_plain || STRUCTURED_KEYS.contains(&key.as_str()))
    };
    if object.iter().all(fits) { Ok(()) } else { Err(()) }
}

fn only_keys_of(value: &Value, allowed: &[&str]) -> Result<(), ()> {
    only_keys(value.as_object().ok_or(())?, allowed)
}

/// A person named by more than an id is created or altered (facts: sender and receiver take more than `id`).
fn only_id(person: &Value) -> Result<(), &'static str> {
    let person = person.as_object().ok_or("a person is no reference")?;
    let by_id = person.get("id").is_some_and(Value::is_u64);
    if by_id && person.len() == 1 { Ok(()) } else { Err("a person is named by more than an id") }
}

#[cfg(test)]
mod tests;
