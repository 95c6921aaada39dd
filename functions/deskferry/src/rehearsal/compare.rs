//! Accounts held against each other: before and after a rollback, and after two loads.
//!
//! Deliberately absent: values; what differs is named by kind and id alone.

use std::collections::BTreeMap;

use migration::canonical::Digest;
use migration::keys::ExternalId;
use serde_json::{Map, Value, json};

/// Fields that move by themselves, also when a write is taken back.
const MOVING: [&str; 2] = ["updated_datetime", "usage"];
/// Tables that record what happened, and what nobody can remove.
const APART: [&str; 5] = ["events", "jobs", "satisfaction_surveys", "uploads", "views"];
/// Records that are named, at the most.
const NAMED_MAX: usize = 20;

/// Records by kind and id or key, with a digest of their contents.
pub(crate) type Records = BTreeMap<String, Digest>;

/// Every record of an account but what records events, without what moves by itself. Archived fields count as gone, since
/// Gorgias deletes none.
pub(crate) fn everything(dump: &Value) -> Records {
    let mut records = Records::new();
    let tables = dump.as_object().into_iter().flatten();
    for (table, rows) in tables.filter(|(table, _)| !APART.contains(&table.as_str())) {
        for row in rows.as_array().into_iter().flatten() {
            if table == "custom_fields" && !row["deactivated_datetime"].is_null() {
                continue;
            }
            let mut essence = row.clone();
            strip(&mut essence);
            let id = &row["id"];
            records.insert(format!("{table} {id}"), Digest::of(essence.to_string().as_bytes()));
        }
    }
    records
}

fn strip(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            MOVING.iter().for_each(|name| drop(fields.remove(*name)));
            // How a name came to be known is the server's own note, and channels that are set again get other ids.
            if fields.get("meta").is_some_and(|meta| !meta["name_set_via"].is_null()) {
                fields.remove("meta");
            }
            if let Some(channels) = fields.get_mut("channels") {
                *channels = json!(addresses(channels));
            }
            // Whether something is paused counts, since when does not.
            if let Some(at) = fields.get_mut("deactivated_datetime") {
                *at = json!(!at.is_null());
            }
            fields.values_mut().for_each(strip);
        }
        Value::Array(values) => values.iter_mut().for_each(strip),
        _ => {}
    }
}

/// Tickets and customers of the migration by our key, without ids and moments that the server gives.
pub(crate) fn ours(dump: &Value) -> Records {
    let mut records = Records::new();
    let of = |table: &str| dump[table].as_array().into_iter().flatten();
    let key = |row: &Value| row["external_id"].as_str().map(str::to_owned);
    let is_ours = |key: &String| key.starts_with(ExternalId::PREFIX);
    for row in of("customers") {
        if let Some(key) = key(row).filter(is_ours) {
            records.insert(format!("customer {key}"), Digest::of(customer(row).to_string().as_bytes()));
        }
    }
    for row in of("tickets") {
        if let Some(key) = key(row).filter(is_ours) {
            records.insert(format!("ticket {key}"), Digest::of(ticket(row).to_string().as_bytes()));
        }
    }
    records
}

fn pick(row: &Value, names: &[&str]) -> Map<String, Value> {
    names.iter().map(|name| ((*name).to_owned(), row[*name].clone())).collect()
}

fn customer(row: &Value) -> Value {
    let mut essence = pick(row, &["name", "email", "language", "timezone", "note", "custom_fields"]);
    essence.insert("channels".to_owned(), json!(addresses(&row["channels"])));
    Value::Object(essence)
}

/// Channels without their ids and moments, in order.
fn addresses(channels: &Value) -> Vec<String> {
    let channels = channels.as_array().into_iter().flatten();
    let picked = channels.map(|it| Value::Object(pick(it, &["type", "address", "preferred"])).to_string());
    let mut addresses: Vec<String> = picked.collect();
    addresses.sort();
    addresses
}

fn ticket(row: &Value) -> Value {
    let names = [
        "subject",
        "status",
        "channel",
        "via",
        "from_agent",
        "custom_fields",
        "created_datetime",
        "closed_datetime",
        "last_message_datetime",
    ];
    let mut essence = pick(row, &names);
    let tags = row["tags"].as_array().into_iter().flatten();
    let mut tags: Vec<&str> = tags.filter_map(|tag| tag["name"].as_str()).collect();
    tags.sort_unstable();
    essence.insert("tags".to_owned(), json!(tags));
    essence.insert("customer".to_owned(), row["customer"]["external_id"].clone());
    essence.insert("assignee_user".to_owned(), row["assignee_user"]["email"].clone());
    essence.insert("assignee_team".to_owned(), row["assignee_team"]["name"].clone());
    let messages = row["messages"].as_array().into_iter().flatten().map(message);
    essence.insert("messages".to_owned(), messages.collect());
    Value::Object(essence)
}

fn message(row: &Value) -> Value {
    let names = [
        "external_id",
        "channel",
        "via",
        "public",
        "from_agent",
        "subject",
        "body_text",
        "body_html",
        "created_datetime",
        "sent_datetime",
    ];
    let mut essence = pick(row, &names);
    essence.insert("sender".to_owned(), row["sender"]["email"].clone());
    let files = row["attachments"].as_array().into_iter().flatten();
    let files = files.map(|file| Value::Object(pick(file, &["name", "content_type", "size"])));
    essence.insert("attachments".to_owned(), files.collect());
    Value::Object(essence)
}

/// The first records that are only on one side, or different.
pub(crate) fn different(one: &Records, other: &Records) -> Vec<String> {
    let unequal = one.iter().filter(|(name, digest)| other.get(*name) != Some(*digest));
    let new = other.keys().filter(|name| !one.contains_key(*name));
    unequal.map(|(name, _)| name).chain(new).take(NAMED_MAX).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account() -> Value {
        json!({
            "events": [{ "id": 1 }],
            "custom_fields": [{ "id": 4, "label": "Old", "deactivated_datetime": "2026-01-01T00:00:00" }],
            "rules": [{ "id": 5, "name": "Reopen", "deactivated_datetime": null }],
            "customers": [{ "id": 7, "external_id": "leaddesk:contact:1", "name": "Ann", "updated_datetime": "a",
                "channels": [{ "id": 1, "type": "email", "address": "a@b.example", "preferred": true }] }],
            "tickets": [{ "id": 9, "external_id": "leaddesk:lead:1:1", "subject": "Lead", "tags": [],
                "customer": { "id": 7, "external_id": "leaddesk:contact:1" },
                "messages": [{ "id": 11, "body_text": "Call" }] }],
        })
    }

    fn changed(path: &str, value: Value) -> Value {
        let mut account = account();
        *account.pointer_mut(path).unwrap() = value;
        account
    }

    #[test]
    fn what_moves_by_itself_is_no_difference_and_everything_else_is() {
        let before = everything(&account());
        let check = |path, value, expected: &[&str]| {
            assert_eq!(different(&before, &everything(&changed(path, value))), expected, "{path}");
        };
        check("/customers/0/updated_datetime", json!("b"), &[]);
        check("/events/0/id", json!(2), &[]);
        check("/custom_fields/0/label", json!("archived ones are gone"), &[]);
        check("/customers/0/name", json!("Bob"), &["customers 7"]);
        check("/rules/0/deactivated_datetime", json!("2026-01-01T00:00:00"), &["rules 5"]);
        check("/tickets/0/messages/0/body_text", json!("Calm"), &["tickets 9"]);
        check("/tickets/0/id", json!(10), &["tickets 9", "tickets 10"]);
    }

    #[test]
    fn two_loads_may_differ_in_ids_alone() {
        let first = ours(&account());
        let check = |path, value, expected: &[&str]| {
            assert_eq!(different(&first, &ours(&changed(path, value))), expected, "{path}");
        };
        check("/tickets/0/id", json!(10), &[]);
        check("/tickets/0/customer/id", json!(10), &[]);
        check("/customers/0/channels/0/id", json!(10), &[]);
        check("/tickets/0/messages/0/body_text", json!("Calm"), &["ticket leaddesk:lead:1:1"]);
        check("/tickets/0/customer/external_id", json!("leaddesk:contact:2"), &["ticket leaddesk:lead:1:1"]);
        check("/customers/0/channels/0/preferred", json!(false), &["customer leaddesk:contact:1"]);
        check("/customers/0/external_id", json!("elsewhere:1"), &["customer leaddesk:contact:1"]);
    }
}
