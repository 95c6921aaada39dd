//! `POST /search`: persons, teams, tags and integrations by text. It lags, and it does not search tickets.

use serde_json::{Value, json};

use super::answer::{Answer, Answered};
use super::model::{Customer, normal_address};
use super::persons::TEXT_CHARS_MAX;
use super::reading::Reader;
use super::route::Call;
use super::state::State;
use super::tables::text_of;

const TYPES: [&str; 10] = [
    "agent",
    "customer",
    "customer_profile",
    "customer_channel",
    "customer_channel_email",
    "customer_channel_phone",
    "customers_by_phone",
    "integration",
    "team",
    "tag",
];
const SIZE_DEFAULT: i64 = 10;
/// Most results (facts: search).
const SIZE_MAX: i64 = 50;

pub(crate) fn search(state: &mut State, call: &Call) -> Answered<Answer> {
    let problems = state.problems();
    let mut reader = Reader::body(call.json()?, &problems)?;
    let kind = reader.word("type", &TYPES);
    let kind = reader.required("type", kind).unwrap_or_default();
    let text = reader.text("query", 0..=TEXT_CHARS_MAX).value().unwrap_or_default().to_lowercase();
    let size = reader.integer("size", 1..=SIZE_MAX).value().unwrap_or(SIZE_DEFAULT);
    reader.end();
    problems.check()?;
    let size = usize::try_from(size).unwrap_or_default();
    let contains = |found: &str| found.to_lowercase().contains(&text);
    let data: Vec<Value> = match kind {
        "agent" => state
            .users
            .values()
            .filter(|user| contains(&user.name) || contains(&user.email))
            .map(|user| json!({ "id": user.id, "name": user.name, "email": user.email }))
            .take(size)
            .collect(),
        "team" => state
            .teams
            .values()
            .filter(|team| contains(&team.name))
            .map(|team| json!({ "id": team.id, "name": team.name }))
            .take(size)
            .collect(),
        "tag" => state
            .tags
            .iter()
            .filter(|tag| contains(&tag.name))
            .map(|tag| json!({ "id": tag.id, "name": tag.name }))
            .take(size)
            .collect(),
        "integration" => state
            .integrations
            .iter()
            .filter(|(_, row)| contains(text_of(row, "name")))
            .map(|(id, row)| json!({ "id": id, "name": row.get("name"), "type": row.get("type") }))
            .take(size)
            .collect(),
        _ => customers(state, kind, &text, size),
    };
    Ok(Answer::ok(&json!({ "data": data, "object": "list", "uri": "", "meta": {} })))
}

fn customers(state: &State, kind: &str, text: &str, size: usize) -> Vec<Value> {
    let contains = |found: Option<&str>| found.is_some_and(|found| found.to_lowercase().contains(text));
    let person = |row: &Customer| json!({ "id": row.id, "name": row.name, "email": row.email });
    let seen = state.customers.iter().filter(|row| state.is_searchable(row.stored));
    let by_address = |row: &Customer| row.channels.iter().any(|channel| contains(Some(&channel.address)));
    match kind {
        "customer" | "customer_profile" => seen
            .filter(|row| {
                contains(row.name.as_deref())
                    || contains(row.email.as_deref())
                    || (kind == "customer_profile" && by_address(row))
            })
            .map(person)
            .take(size)
            .collect(),
        "customers_by_phone" => {
            let wanted = normal_address("phone", text);
            seen.filter(|row| {
                let mut phones = row.channels.iter().filter(|channel| &*channel.kind == "phone");
                phones.any(|channel| normal_address("phone", &channel.address) == wanted)
            })
            .map(person)
            .take(size)
            .collect()
        }
        _ => {
            let wanted = kind.strip_prefix("customer_channel_");
            seen.flat_map(|row| row.channels.iter().map(move |channel| (row, channel)))
                .filter(|(_, channel)| {
                    wanted.is_none_or(|wanted| &*channel.kind == wanted) && contains(Some(&channel.address))
                })
                .map(|(row, channel)| {
                    json!({
                        "id": channel.id, "type": &*channel.kind, "address": channel.address,
                        "customer": { "id": row.id, "name": row.name },
                    })
                })
                .take(size)
                .collect()
        }
    }
}
