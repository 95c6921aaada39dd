//! `POST /reporting/stats`: honest counts over the tickets and messages that there are.
//!
//! Scopes about what a twin never has (calls, quality scores, automation) answer with no rows. Deliberately absent:
//! filters other than the period, channel and agent; they are refused rather than ignored.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::{Map, Value, json};

use super::answer::{Answer, Answered, Refusal};
use super::clock::Instant;
use super::model::{Message, Ticket};
use super::persons::read_time_zone;
use super::query::Query;
use super::reading::{Problems, Reader};
use super::route::Call;
use super::state::State;

/// Longest period of one query (facts: reporting).
const DAYS_MAX: f64 = 366.0;
const SECONDS_PER_DAY: f64 = 86_400.0;
const ROWS_DEFAULT: usize = 30;
const ROWS_MAX: usize = 10_000;

/// Scope, time dimension, measure, and how single values become the measure.
const SCOPES: [(&str, &str, &str, Measure); 11] = [
    ("tickets-created", "createdDatetime", "ticketCount", Measure::Count),
    ("tickets-closed", "closedDatetime", "ticketCount", Measure::Count),
    ("tickets-open", "createdDatetime", "ticketCount", Measure::Count),
    ("tickets-replied", "createdDatetime", "ticketCount", Measure::Count),
    ("messages-sent", "sentDatetime", "messagesCount", Measure::Count),
    ("messages-received", "sentDatetime", "messagesCount", Measure::Count),
    ("tags", "timestamp", "ticketCount", Measure::Count),
    ("messages-per-ticket", "createdDatetime", "averageMessagesCount", Measure::Average),
    ("resolution-time", "createdDatetime", "medianResolutionTime", Measure::Median),
    ("first-response-time", "firstAgentMessageDatetime", "medianFirstResponseTime", Measure::Median),
    ("human-first-response-time", "firstAgentMessageDatetime", "medianFirstResponseTime", Measure::Median),
];
/// Scopes about what a twin never has.
const EMPTY_SCOPES: [&str; 16] = [
    "one-touch-tickets",
    "zero-touch-tickets",
    "satisfaction-surveys",
    "response-time",
    "ticket-handle-time",
    "online-time",
    "auto-qa",
    "automation-rate",
    "workload-tickets",
    "automated-interactions",
    "ticket-fields",
    "voice-calls",
    "voice-agent-events",
    "ticket-sla",
    "knowledge-insights",
    "voice-calls-summary",
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Measure {
    Count,
    Average,
    Median,
}

/// One thing counted: when, by whom, where, and its own value.
struct Sample {
    at: Instant,
    agent: Option<u64>,
    channel: String,
    tag: Option<u64>,
    value: f64,
}

/// What is asked for.
#[derive(Default)]
struct Question {
    scope: String,
    from: Option<Instant>,
    until: Option<Instant>,
    channels: Vec<String>,
    agents: Vec<u64>,
    zone: String,
    dimensions: Vec<String>,
    time: Option<(String, String)>,
    descending: bool,
}

pub(crate) fn stats(state: &mut State, call: &Call) -> Answered<Answer> {
    let problems = state.problems();
    let mut query = Query::new(&call.query, &problems);
    let limit = query.id("limit").and_then(|limit| usize::try_from(limit).ok()).unwrap_or(ROWS_DEFAULT);
    if !(1..=ROWS_MAX).contains(&limit) {
        query.problem("limit", format!("Not a valid integer between 1 and {ROWS_MAX}."));
    }
    let offset = match query.text("cursor") {
        None => Some(0),
        Some(cursor) => decode(&cursor),
    };
    if offset.is_none() {
        query.problem("cursor", "Invalid cursor.");
    }
    query.end()?;
    let mut reader = Reader::body(call.json()?, &problems)?;
    let value = reader.object("query");
    let value = reader.required("query", value);
    reader.end();
    let question = value.and_then(|value| read(value, &problems)).unwrap_or_default();
    problems.check()?;
    let rows = rows(state, &question)?;
    let offset = offset.unwrap_or_default();
    let page: Vec<&Value> = rows.iter().skip(offset).take(limit).collect();
    let next = (offset + page.len() < rows.len()).then(|| encode(offset + page.len()));
    let prev = (offset > 0).then(|| encode(offset.saturating_sub(limit)));
    let meta = json!({ "prev_cursor": prev, "next_cursor": next });
    Ok(Answer::ok(&json!({ "object": "list", "uri": call.uri(), "data": page, "meta": meta })))
}

fn encode(offset: usize) -> String {
    URL_SAFE_NO_PAD.encode(format!("row {offset}"))
}

fn decode(cursor: &str) -> Option<usize> {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()?;
    text.strip_prefix("row ")?.parse().ok()
}

fn read(value: Value, problems: &Problems) -> Option<Question> {
    let mut reader = Reader::nested(value, "query".to_owned(), problems)?;
    let mut question = Question::default();
    let scope = reader.text("scope", 1..=64);
    question.scope = reader.required("scope", scope).unwrap_or_default();
    let known = SCOPES.iter().find(|scope| scope.0 == question.scope);
    if known.is_none() && !EMPTY_SCOPES.contains(&question.scope.as_str()) {
        reader.problem("scope", "Not a known scope.");
    }
    let zone = read_time_zone(&mut reader, "timezone");
    question.zone = reader.required("timezone", zone).unwrap_or_default();
    question.dimensions = reader.texts("dimensions").value().unwrap_or_default();
    let tags = question.scope == "tags";
    let fits =
        |name: &str| ["integrationId", "storeId"].contains(&name) || ["agentId", "channel"].contains(&name);
    if !question.dimensions.iter().all(|name| if tags { name == "tagId" } else { fits(name) }) {
        reader.problem("dimensions", "Not a dimension of this scope.");
    }
    let measures = reader.texts("measures").value().unwrap_or_default();
    if known.is_some_and(|scope| measures.iter().any(|name| name != scope.2)) {
        reader.problem("measures", "Not a measure of this scope.");
    }
    let times = reader.list("time_dimensions").value().unwrap_or_default();
    for time in times.into_iter().take(1) {
        let Some(mut nested) = Reader::nested(time, reader.path("time_dimensions.0"), problems) else {
            continue;
        };
        let name = nested.text("dimension", 1..=64);
        let name = nested.required("dimension", name).unwrap_or_default();
        if known.is_some_and(|scope| scope.1 != name) {
            nested.problem("dimension", "Not a time dimension of this scope.");
        }
        let unit = nested.word("granularity", &["hour", "day", "week", "month"]);
        let unit = nested.required("granularity", unit).unwrap_or("day");
        nested.end();
        question.time = Some((name, unit.to_owned()));
    }
    let order = reader.list("order").value().unwrap_or_default();
    question.descending = order.first().is_some_and(|pair| pair[1] == "desc");
    let filters = reader.list("filters");
    for (place, filter) in reader.required("filters", filters).unwrap_or_default().into_iter().enumerate() {
        read_filter(&mut question, filter, format!("query.filters.{place}"), problems);
    }
    reader.end();
    Some(question)
}

fn read_filter(question: &mut Question, filter: Value, path: String, problems: &Problems) {
    let Some(mut nested) = Reader::nested(filter, path, problems) else { return };
    let member = nested.text("member", 1..=64);
    let member = nested.required("member", member).unwrap_or_default();
    nested.text("operator", 1..=64);
    let values = nested.list("values");
    let values = nested.required("values", values).unwrap_or_default();
    let instant = || values.first().and_then(Value::as_str).and_then(day_or_instant);
    match member.as_str() {
        "periodStart" => question.from = instant(),
        "periodEnd" => question.until = instant(),
        "channel" => question.channels = values.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        "agentId" => question.agents = values.iter().filter_map(Value::as_u64).collect(),
        _ => nested.problem("member", "Not a filter of this scope."),
    }
    if ["periodStart", "periodEnd"].contains(&member.as_str()) && instant().is_none() {
        nested.problem("values", "Not a valid date.");
    }
    nested.end();
}

fn day_or_instant(text: &str) -> Option<Instant> {
    Instant::parse(text).or_else(|| {
        let start = text.parse::<Date>().ok()?.to_zoned(TimeZone::UTC).ok()?;
        Some(Instant(start.timestamp().as_microsecond()))
    })
}

/// The keys of a row, and the values that it sums up.
type Group = (Map<String, Value>, Vec<f64>);

fn rows(state: &State, question: &Question) -> Answered<Vec<Value>> {
    let (Some(from), Some(until)) = (question.from, question.until) else {
        return Err(Refusal::bad_field("query.filters", "periodStart and periodEnd are required."));
    };
    if until.seconds_since(from) > (DAYS_MAX + 1.0) * SECONDS_PER_DAY {
        return Err(Refusal::bad_field("query.filters", "The period is longer than 366 days."));
    }
    let Some((_, _, measure_name, measure)) = SCOPES.iter().find(|scope| scope.0 == question.scope) else {
        return Ok(Vec::new());
    };
    let mut groups: BTreeMap<Vec<(String, String)>, Group> = BTreeMap::new();
    for sample in samples(state, &question.scope) {
        let wanted = sample.at >= from
            && sample.at < until
            && (question.channels.is_empty() || question.channels.contains(&sample.channel))
            && (question.agents.is_empty()
                || sample.agent.is_some_and(|agent| question.agents.contains(&agent)));
        if !wanted {
            continue;
        }
        let keys = group_keys(question, &sample);
        let order = keys.iter().map(|(key, value)| (key.clone(), value.to_string())).collect();
        groups.entry(order).or_insert_with(|| (keys, Vec::new())).1.push(sample.value);
    }
    let mut rows: Vec<Value> = groups
        .into_values()
        .map(|(mut keys, values)| {
            keys.insert((*measure_name).to_owned(), summary(*measure, values));
            Value::Object(keys)
        })
        .collect();
    if question.descending {
        rows.reverse();
    }
    Ok(rows)
}

fn group_keys(question: &Question, sample: &Sample) -> Map<String, Value> {
    let mut keys = Map::new();
    for dimension in &question.dimensions {
        let value = match dimension.as_str() {
            "agentId" => json!(sample.agent),
            "channel" => json!(sample.channel),
            "tagId" => json!(sample.tag),
            _ => Value::Null,
        };
        keys.insert(dimension.clone(), value);
    }
    if let Some((name, unit)) = &question.time {
        keys.insert(format!("{name}.{unit}"), json!(bucket(sample.at, &question.zone, unit)));
    }
    keys
}

/// The start of the hour, day, week or month in which `at` lies, in local time.
fn bucket(at: Instant, zone: &str, unit: &str) -> Option<String> {
    let zoned = Timestamp::from_microsecond(at.0).ok()?.in_tz(zone).ok()?;
    let date = match unit {
        "week" => zoned
            .date()
            .checked_sub(jiff::Span::new().days(zoned.date().weekday().to_monday_zero_offset()))
            .ok()?,
        "month" => zoned.date().first_of_month(),
        _ => zoned.date(),
    };
    let hour = if unit == "hour" { zoned.hour() } else { 0 };
    Some(format!("{date}T{hour:02}:00:00.000"))
}

fn summary(measure: Measure, mut values: Vec<f64>) -> Value {
    let count = values.len();
    match measure {
        Measure::Count => json!(count),
        Measure::Average => {
            json!(values.iter().sum::<f64>() / f64::from(u32::try_from(count).unwrap_or(u32::MAX)))
        }
        Measure::Median => {
            values.sort_by(f64::total_cmp);
            let (low, high) = (values.get((count - 1) / 2), values.get(count / 2));
            json!(low.zip(high).map(|(low, high)| f64::midpoint(*low, *high)))
        }
    }
}

fn samples(state: &State, scope: &str) -> Vec<Sample> {
    let of_ticket = |ticket: &Ticket, at: Instant, value: f64| Sample {
        at,
        agent: ticket.assignee_user,
        channel: ticket.channel.to_string(),
        tag: None,
        value,
    };
    let first_reply = |ticket: &Ticket| {
        let messages = ticket.messages.iter().filter_map(|id| state.messages.get(*id));
        messages.filter(|message| is_reply(message)).map(|message| message.created).min()
    };
    let tickets = state.tickets.iter();
    match scope {
        "messages-sent" | "messages-received" => state
            .messages
            .iter()
            .filter(|message| if scope == "messages-sent" { is_reply(message) } else { !message.from_agent })
            .filter_map(|message| {
                let agent = message.sender.filter(|_| message.from_agent);
                Some(Sample {
                    at: message.sent?,
                    agent,
                    channel: message.channel.to_string(),
                    tag: None,
                    value: 1.0,
                })
            })
            .collect(),
        "tags" => tickets
            .flat_map(|ticket| ticket.tags.iter().map(move |tag| (ticket, *tag)))
            .map(|(ticket, tag)| Sample { tag: Some(tag), ..of_ticket(ticket, ticket.times.created, 1.0) })
            .collect(),
        _ => tickets
            .filter_map(|ticket| {
                let times = &ticket.times;
                let (at, value) = match scope {
                    "tickets-closed" => (times.closed?, 1.0),
                    "tickets-open" if ticket.status != "open" => return None,
                    "tickets-replied" => (first_reply(ticket).map(|_| times.created)?, 1.0),
                    "messages-per-ticket" => {
                        (times.created, f64::from(u32::try_from(ticket.messages.len()).unwrap_or(u32::MAX)))
                    }
                    "resolution-time" => (times.created, times.closed?.seconds_since(times.created)),
                    "first-response-time" | "human-first-response-time" => {
                        let reply = first_reply(ticket)?;
                        (reply, reply.seconds_since(times.created))
                    }
                    _ => (times.created, 1.0),
                };
                Some(of_ticket(ticket, at, value))
            })
            .collect(),
    }
}

fn is_reply(message: &Message) -> bool {
    message.from_agent && message.public
}
