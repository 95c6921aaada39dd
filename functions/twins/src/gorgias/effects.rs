//! What Gorgias does by itself after a write: rules, surveys, webhooks, billing, mails.
//!
//! Rules run at the level of the evidence: an auto-reply sends a mail, a status rule changes the status, a tag rule
//! tags. Deliberately absent: rules that fire on rules, and AI agents (no switch of the API reaches them).

use serde_json::{Value, json};

use super::clock::Instant;
use super::events::survey_skipped;
use super::expression::{Action, Script};
use super::ledger::{Entry, codes};
use super::model::{Message, Origin};
use super::state::{Due, State};
use super::tables::{Plain, is_null, text_of};

/// Characters that a conversation needs before a survey is sent (facts: surveys).
const SURVEY_CHARS_MIN: usize = 250;
const SECONDS_PER_HOUR: f64 = 3_600.0;
/// Account seconds until a message that Gorgias sends has left.
const SENDING_SECONDS: f64 = 1.0;

/// After `POST /tickets`: the server's own changes, rules, webhooks, and a survey when it was created closed.
pub(crate) fn ticket_created(state: &mut State, ticket: u64) {
    fill_managed(state, ticket);
    run_rules(state, "ticket-created", ticket);
    call_webhooks(state, "ticket-created", ticket, None);
}

/// After any later write to a ticket.
pub(crate) fn ticket_updated(state: &mut State, ticket: u64) {
    state.log("ticket-updated", "Ticket", ticket);
    run_rules(state, "ticket-updated", ticket);
    call_webhooks(state, "ticket-updated", ticket, None);
}

/// After a message was added to a ticket that exists already.
pub(crate) fn message_added(state: &mut State, ticket: u64, message: u64) {
    run_rules(state, "ticket-message-created", ticket);
    call_webhooks(state, "ticket-message-created", ticket, Some(message));
    ticket_updated(state, ticket);
}

/// Books a new message: one that Gorgias sends goes to the outbox and is billed; a pre-dated public one of an agent
/// is billed possibly. Internal notes are neither (facts: sending rule, billing).
pub(crate) fn book_message(state: &mut State, message: &Message) {
    if !message.from_agent || &*message.channel == "internal-note" || state.actor.origin != Origin::Client {
        return;
    }
    let entry = |state: &State, code| Entry {
        ticket_id: Some(message.ticket),
        message_id: Some(message.id),
        person_id: message.receiver,
        ..state.entry(code, &*message.channel)
    };
    if message.sent.is_none() {
        let sent = entry(state, codes::MESSAGE_SENT);
        state.ledgers.outbox.push(sent);
        state.later(SENDING_SECONDS, Due::MessageSent(message.id));
        bill(state, message.ticket, Some(message.id));
    } else if message.public && state.maybe_billed.insert(message.ticket) {
        let maybe = entry(state, codes::TICKET_MAYBE_BILLED);
        state.ledgers.billing_possible.push(maybe);
    }
}

fn bill(state: &mut State, ticket: u64, message: Option<u64>) {
    if state.billed.insert(ticket) {
        let entry = state.entry(codes::TICKET_BILLED, "sent from the helpdesk");
        let entry = Entry { ticket_id: Some(ticket), message_id: message, ..entry };
        state.ledgers.billing_certain.push(entry);
    }
}

/// Fills the contact reason of a ticket with an incoming message, unless the client gave one (facts: side effects).
fn fill_managed(state: &mut State, ticket: u64) {
    let incoming = |state: &State| {
        let messages = state.tickets.get(ticket).map(|ticket| ticket.messages.clone()).unwrap_or_default();
        messages.iter().any(|id| state.messages.get(*id).is_some_and(|message| message.intent))
    };
    if !state.switches.server_changes || !incoming(state) {
        return;
    }
    let filled = [("contact_reason", "Other"), ("ai_intent", "Other::Other::Other")];
    let fields: Vec<(u64, Value)> = state
        .fields
        .values()
        .filter(|field| field.deactivated.is_none())
        .filter_map(|field| {
            let (_, value) = filled.iter().find(|(managed, _)| field.managed == Some(managed))?;
            Some((field.id, Value::from(*value)))
        })
        .collect();
    state.tickets.change(ticket, |ticket| {
        for (field, value) in fields {
            if let Err(place) = ticket.values.binary_search_by_key(&field, |row| row.0) {
                ticket.values.insert(place, (field, value));
            }
        }
    });
}

fn run_rules(state: &mut State, event: &str, ticket: u64) {
    let fires = |rule: &Plain| {
        is_null(rule, "deactivated_datetime")
            && text_of(rule, "event_types").split(',').any(|kind| kind.trim() == event)
    };
    let mut rules: Vec<(i64, u64)> = state
        .rules
        .iter()
        .filter(|(_, rule)| fires(rule))
        .map(|(id, rule)| (rule.get("priority").and_then(Value::as_i64).unwrap_or_default(), id))
        .collect();
    // Rules of higher priority run first (facts: rules).
    rules.sort_unstable_by(|one, other| other.cmp(one));
    for (_, id) in rules {
        run_rule(state, id, ticket);
    }
}

fn run_rule(state: &mut State, id: u64, ticket: u64) {
    let Some(rule) = state.rules.get(id) else { return };
    let (script, name) = (Script::parse(text_of(rule, "code")), text_of(rule, "name").to_owned());
    let Some(row) = state.tickets.get(ticket) else { return };
    if !script.fires(state, row) {
        return;
    }
    let (api_channel, origin) = (&*row.channel == "api", state.actor.origin);
    for action in &script.actions {
        match action.name.as_str() {
            // Auto-replies do not fire on the channel `api`; other actions do (facts: sending).
            "replyToTicket" | "sendEmail" if !api_channel && origin == Origin::Client => {
                let entry = state.entry(codes::RULE_REPLIED, format!("rule {id} {name}"));
                state.ledgers.outbox.push(Entry { ticket_id: Some(ticket), ..entry });
                bill(state, ticket, None);
            }
            "setStatus" => set_status(state, ticket, action),
            "addTags" => add_tags(state, ticket, action),
            _ => {}
        }
    }
    state.log_as(None, "rule-executed", "Ticket", ticket, Some(Box::new(json!({ "id": id, "name": name }))));
}

fn set_status(state: &mut State, ticket: u64, action: &Action) {
    let now = state.now;
    let open = action.argument("status") == "open";
    state.tickets.change(ticket, |ticket| {
        ticket.times.updated = now;
        ticket.status = if open { "open" } else { "closed" };
        ticket.times.closed = if open { None } else { ticket.times.closed.or(Some(now)) };
    });
}

fn add_tags(state: &mut State, ticket: u64, action: &Action) {
    for name in action.argument("tags").split(',') {
        let Some(tag) = state.tags.named(name.trim()).map(|tag| tag.id) else { continue };
        let added = state.tickets.change(ticket, |ticket| {
            let new = !ticket.tags.contains(&tag);
            if new {
                ticket.tags.push(tag);
            }
            new
        });
        if added == Some(true) {
            state.tags.count_use(tag, true);
        }
    }
}

/// Calls every active HTTP integration that is triggered by `event`.
fn call_webhooks(state: &mut State, event: &str, ticket: u64, message: Option<u64>) {
    if state.actor.origin != Origin::Client {
        return;
    }
    let called: Vec<u64> = state
        .integrations
        .iter()
        .filter(|(_, integration)| {
            text_of(integration, "type") == "http"
                && is_null(integration, "deactivated_datetime")
                && integration.get("http").is_some_and(|http| http["triggers"][event] == true)
        })
        .map(|(id, _)| id)
        .collect();
    for id in called {
        let entry = state.entry(codes::WEBHOOK_CALLED, format!("integration {id} on {event}"));
        state.ledgers.outbox.push(Entry { ticket_id: Some(ticket), message_id: message, ..entry });
    }
}

/// After a ticket was closed: a survey is scheduled, or skipped with reasons (facts: side effects).
pub(crate) fn ticket_closed(state: &mut State, ticket: u64) {
    state.log("ticket-closed", "Ticket", ticket);
    let Some(row) = state.tickets.get(ticket) else { return };
    let messages = row.messages.iter().filter_map(|id| state.messages.get(*id));
    let (mut from_customer, mut from_agent, mut chars) = (false, false, 0);
    for message in messages.filter(|message| message.public) {
        from_agent |= message.from_agent;
        from_customer |= !message.from_agent;
        chars += message.body_text.as_deref().map_or(0, |text| text.chars().count());
    }
    let mut reasons = Vec::new();
    if !surveys_on(state, &row.channel) {
        reasons.push("Surveys are off for this channel.");
    }
    if !from_customer || !from_agent {
        reasons.push("A message of the customer and one of an agent are needed.");
    }
    if chars < SURVEY_CHARS_MIN {
        reasons.push("The conversation is shorter than 250 characters.");
    }
    let (customer, surveyed) = (row.customer, row.survey.is_some());
    if !reasons.is_empty() {
        let data = survey_skipped(&reasons);
        state.log_as(None, "ticket-satisfaction-survey-skipped", "Ticket", ticket, data);
    } else if let (Some(customer), false) = (customer, surveyed) {
        schedule_survey(state, ticket, customer);
    }
}

/// The setting of the ticket's own channel; a channel without one is surveyed by mail.
fn surveys_on(state: &State, channel: &str) -> bool {
    let key = match channel {
        "chat" => "send_survey_for_chat",
        "contact_form" => "send_survey_for_contact_form",
        "help-center" => "send_survey_for_help_center",
        _ => "send_survey_for_email",
    };
    survey_settings(state).is_some_and(|data| data[key] == true)
}

fn survey_settings(state: &State) -> Option<&Value> {
    let found = state.settings.iter().find(|(_, setting)| text_of(setting, "type") == "satisfaction-surveys");
    found.and_then(|(_, setting)| setting.get("data"))
}

fn schedule_survey(state: &mut State, ticket: u64, customer: u64) {
    let hours = survey_settings(state).and_then(|data| data["survey_interval"].as_f64()).unwrap_or_default();
    let wait = hours * SECONDS_PER_HOUR;
    let due = state.now.plus_seconds(wait);
    let survey = add_survey(state, ticket, customer, Some(due));
    if state.actor.origin == Origin::Client {
        let entry = state.entry(codes::SURVEY_SCHEDULED, format!("survey {survey}"));
        let entry = Entry { ticket_id: Some(ticket), person_id: Some(customer), ..entry };
        state.ledgers.outbox.push(entry);
    }
    state.later(wait, Due::SurveySent(survey));
}

/// Stores a survey of a ticket.
pub(crate) fn add_survey(state: &mut State, ticket: u64, customer: u64, due: Option<Instant>) -> u64 {
    let id = state.ids.other.next(&mut state.random);
    let survey = json!({
        "id": id, "ticket_id": ticket, "customer_id": customer, "score": null, "body_text": null, "meta": null,
        "created_datetime": state.now, "scored_datetime": null, "sent_datetime": null,
        "should_send_datetime": due, "uri": format!("/api/satisfaction-surveys/{id}/"),
    });
    if let Value::Object(plain) = survey {
        state.surveys.insert(id, plain);
    }
    state.tickets.change(ticket, |ticket| ticket.survey = Some(id));
    id
}

/// Carries out what became due since the last request.
pub(crate) fn settle(state: &mut State) {
    while let Some(due) = state.next_due() {
        let now = state.now;
        match due {
            Due::MessageSent(id) => {
                state.messages.change(id, |message| message.sent = message.sent.or(Some(now)));
            }
            Due::SurveySent(id) => {
                if let Some(survey) = state.surveys.get_mut(id)
                    && is_null(survey, "sent_datetime")
                {
                    survey.insert("sent_datetime".to_owned(), now.text().into());
                    state.log_as(None, "satisfaction-survey-sent", "SatisfactionSurvey", id, None);
                }
            }
            Due::JobRun(id) => super::jobs::run(state, id),
        }
    }
}
