//! What an account holds before the first request: the owner, managed fields, settings, views, and what the
//! configuration asks for.
//!
//! Everything was there thirty days before, so that nothing of it lags. Deliberately absent: real people; every name
//! and address is the caller's or plainly made up.

use serde_json::{Value, json};

use super::account::add as add_setting;
use super::answer::Answered;
use super::config::{Config, Preexisting, PreexistingCustomer, Switches};
use super::fields::{add as add_field, blank as blank_field};
use super::integrations::add as add_integration;
use super::model::{ObjectType, Origin, Team, User};
use super::persons::{ChannelDraft, blank_customer, build_channels};
use super::route::Call;
use super::rules::add as add_rule;
use super::shelves::plain;
use super::state::{Actor, State};
use super::tags::add as add_tag;
use super::tickets_create;
use super::views::{add as add_view, system_views};

pub(crate) const AGE_MICROS: i64 = 30 * 24 * 3_600 * 1_000_000;
/// Microseconds between two preexisting records.
const STEP_MICROS: i64 = 1_000_000;

/// An account as `config` describes it, at the instant `now`.
pub(crate) fn account(config: &Config, now: super::clock::Instant) -> State {
    let mut state = State::empty(config, now.plus_micros(-AGE_MICROS));
    let owner = add_user(&mut state, "Account Owner", &config.email, "admin", None, true);
    state.actor = Actor { user: owner, origin: Origin::Preexisting };
    state.owner = owner;
    // What is there already was made under no limit that the configuration may set.
    state.switches = Switches::default();
    let content = &config.preexisting;
    add_fields(&mut state);
    add_settings(&mut state, content);
    let mut members = vec![owner];
    for user in &content.users {
        members.push(add_user(
            &mut state,
            &user.name,
            &user.email,
            &user.role,
            user.external_id.clone(),
            false,
        ));
    }
    for (position, name) in content.teams.iter().enumerate() {
        add_team(&mut state, name, if position == 0 { members.clone() } else { Vec::new() });
    }
    for name in &content.tags {
        add_tag(&mut state, name.clone(), None, None);
    }
    let customers: Vec<u64> = content.customers.iter().map(|row| add_customer(&mut state, row)).collect();
    for (name, filters) in system_views() {
        let keys = plain(json!({ "name": name, "slug": name.to_lowercase(), "filters": filters }));
        add_view(&mut state, "system", keys);
    }
    for (number, customer) in customers.iter().cycle().take(content.tickets).enumerate() {
        let created = add_ticket(&mut state, number + 1, *customer);
        debug_assert!(created.is_ok(), "preexisting tickets fit the rules of the API: {created:?}");
    }
    add_automation(&mut state, content);
    state.tickets_created = 0;
    state.switches = config.switches.clone();
    state.actor = Actor { user: owner, origin: Origin::Client };
    state.now = now;
    state
}

fn add_user(
    state: &mut State,
    name: &str,
    email: &str,
    role: &str,
    external_id: Option<String>,
    owner: bool,
) -> u64 {
    state.now = state.now.plus_micros(STEP_MICROS);
    let id = state.ids.person.next(&mut state.random);
    state.insert_user(User {
        id,
        email: email.to_owned(),
        name: name.to_owned(),
        role: role.to_owned(),
        external_id,
        bio: None,
        country: None,
        language: None,
        timezone: state.time_zone.clone(),
        sso: None,
        picture: None,
        created: state.now,
        updated: state.now,
        owner,
    });
    state.log_as(None, "user-created", "User", id, None);
    id
}

fn add_team(state: &mut State, name: &str, members: Vec<u64>) {
    let id = state.ids.team.next(&mut state.random);
    let team = Team {
        id,
        name: name.to_owned(),
        description: None,
        emoji: None,
        members,
        created: state.now,
        origin: Origin::Preexisting,
    };
    state.teams.insert(id, team);
}

fn add_customer(state: &mut State, row: &PreexistingCustomer) -> u64 {
    state.now = state.now.plus_micros(STEP_MICROS);
    let mut customer = blank_customer(state);
    let channel = |kind: &str, address: &Option<String>| {
        address.as_ref().map(|address| ChannelDraft {
            kind: kind.to_owned(),
            address: address.clone(),
            preferred: true,
        })
    };
    let drafts = [channel("email", &row.email), channel("phone", &row.phone)];
    customer.channels = build_channels(state, &[], drafts.into_iter().flatten().collect());
    customer.email = row.email.as_deref().map(Into::into);
    customer.name = row.name.as_deref().map(Into::into);
    customer.external_id = row.external_id.as_deref().map(Into::into);
    customer.name_set_via = Some("email");
    let id = customer.id;
    state.customers.insert(customer);
    state.log_as(None, "customer-created", "Customer", id, None);
    id
}

/// The managed fields of a fresh account: six on tickets, one on customers (facts: custom fields).
fn add_fields(state: &mut State) {
    let fields: [(ObjectType, &'static str, &str, &[&str]); 7] = [
        (
            ObjectType::Ticket,
            "resolution",
            "Resolution",
            &["No action", "Refund", "Information given", "Other"],
        ),
        (ObjectType::Ticket, "product", "Product", &[]),
        (
            ObjectType::Ticket,
            "contact_reason",
            "Contact reason",
            &["Order::Status", "Order::Cancel", "Return", "Exchange", "Spam", "Other"],
        ),
        (ObjectType::Ticket, "ai_intent", "AI Intent", &["Order::Status", "Other::Other::Other"]),
        (
            ObjectType::Ticket,
            "managed_sentiment",
            "Managed sentiment",
            &["Positive", "Negative", "Undefined"],
        ),
        (ObjectType::Ticket, "call_status", "Call status", &["Answered", "Missed", "Cancelled"]),
        (ObjectType::Customer, "customer_type", "Customer Type", &["VIP", "Collaborator::Ambassador"]),
    ];
    for (object, managed, label, choices) in fields {
        let mut field = blank_field(state.now, Origin::Preexisting);
        field.object = object;
        field.managed = Some(managed);
        field.label = label.to_owned();
        field.definition = json!({ "data_type": "text", "input_settings": { "input_type": "dropdown", "choices": choices } });
        add_field(state, field);
    }
}

/// Settings with the values seen in a fresh account (facts: account and settings).
fn add_settings(state: &mut State, content: &Preexisting) {
    let surveys = content.surveys;
    let hours = json!([{ "days": "1,2,3,4,5", "from_time": "09:00", "to_time": "17:00" }]);
    let settings: [(&str, Value); 6] = [
        (
            "satisfaction-surveys",
            json!({
                "send_survey_for_chat": surveys, "send_survey_for_email": surveys,
                "send_survey_for_contact_form": surveys, "send_survey_for_help_center": surveys,
                "survey_interval": 2, "survey_email_html": "<div>How did we do?</div>",
                "survey_email_text": "How did we do?",
            }),
        ),
        ("business-hours", json!({ "timezone": content.time_zone, "business_hours": hours })),
        (
            "ticket-assignment",
            json!({
                "auto_assign_to_teams": content.auto_assign, "unassign_on_reply": true,
                "assignment_channels": ["chat", "sms", "whatsapp"], "max_user_chat_ticket": 3,
            }),
        ),
        ("access", json!({ "signup_mode": "invite", "allowed_domains": [] })),
        ("auto-merge", json!({ "tickets": { "enabled": content.auto_merge, "merging_window_days": 5 } })),
        ("auto-split", json!({ "email": { "enabled": true, "split_after_days": 10 } })),
    ];
    for (kind, data) in settings {
        add_setting(state, kind, &data);
    }
}

/// A ticket with a question and a pre-dated answer, made by the endpoint itself.
fn add_ticket(state: &mut State, number: usize, customer: u64) -> Answered<()> {
    state.now = state.now.plus_micros(STEP_MICROS);
    let created = state.now.plus_micros(-STEP_MICROS).text();
    let message = |from_agent: bool, sender: u64, receiver: Option<u64>, text: &str| {
        json!({
            "channel": "phone", "via": "phone", "from_agent": from_agent, "sender": { "id": sender },
            "receiver": receiver.map(|id| json!({ "id": id })), "body_text": text, "body_html": null,
            "created_datetime": created, "sent_datetime": created,
        })
    };
    let body = json!({
        "customer": { "id": customer }, "channel": "phone", "via": "phone", "status": "open",
        "subject": format!("Preexisting ticket {number}"), "created_datetime": created,
        "messages": [
            message(false, customer, None, "An earlier question."),
            message(true, state.owner, Some(customer), "An earlier answer."),
        ],
    });
    let call = Call {
        path: "/api/tickets".to_owned(),
        query: String::new(),
        content_type: "application/json".to_owned(),
        body: body.to_string().into(),
        parts: Vec::new(),
    };
    tickets_create::create(state, &call).map(|_| ())
}

/// Rules and the webhook, last, so that they do not run on the preexisting tickets.
fn add_automation(state: &mut State, content: &Preexisting) {
    // Rules and integrations that came with the account carry the instant of its start.
    state.now = state.started;
    if content.rules {
        for (name, events, code) in [
            (
                "Reopen on update",
                "ticket-updated",
                "if (eq(ticket.status, 'closed')) { Action('setStatus', { status: 'open' }) }",
            ),
            (
                "Auto-reply to new tickets",
                "ticket-created",
                "Action('replyToTicket', { body_text: 'We have received your message.' })",
            ),
        ] {
            add_rule(state, plain(json!({ "name": name, "event_types": events, "code": code })));
        }
    }
    add_integration(
        state,
        "email",
        plain(json!({ "name": "Support", "meta": { "address": "support@acme.example" } })),
    );
    if content.webhook {
        let triggers =
            json!({ "ticket-created": true, "ticket-updated": true, "ticket-message-created": true });
        let http = json!({
            "url": "https://hooks.acme.example/gorgias", "method": "POST", "triggers": triggers, "headers": {},
            "form": null, "request_content_type": "application/json", "response_content_type": "application/json",
        });
        add_integration(state, "http", plain(json!({ "name": "Order webhook", "http": http })));
    }
}
