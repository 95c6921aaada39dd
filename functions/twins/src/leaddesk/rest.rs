//! The REST API: token, users, campaigns, a person's calls, recordings, and three collections that may exist.
//!
//! Deliberately absent: anything but reading. A DELETE, which on the path of a read erases a person, is refused and
//! written down. Error shapes are assumed (facts: unknown).

use std::collections::BTreeSet;

use axum::http::Method;
use serde::Serialize;

use crate::generate::{Account, Call, Recording, Stamp, User};
use crate::leaddesk::answer::Answer;
use crate::leaddesk::audio;
use crate::leaddesk::config::Features;
use crate::leaddesk::ledger::ViolationKind;
use crate::leaddesk::lists::{BadParameter, Page, paged};
use crate::leaddesk::parameters::Parameters;
use crate::leaddesk::records::CallDocument;
use crate::leaddesk::serve::{Received, Twin};

/// What a path below the REST path names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Resource<'a> {
    Token,
    Users,
    Campaigns,
    Person,
    Recording(&'a str),
    Calls,
    Offices,
    Groups,
    Unknown,
}

impl<'a> Resource<'a> {
    /// `path` begins after the REST path.
    pub(crate) fn of(path: &'a str, features: &Features) -> Self {
        match path {
            "/oauth/access-token" => Self::Token,
            "/users" => Self::Users,
            "/campaigns" => Self::Campaigns,
            "/gdpr/contact" => Self::Person,
            "/calls" if features.rest_calls => Self::Calls,
            "/offices" if features.rest_offices => Self::Offices,
            "/user_groups" if features.rest_user_groups => Self::Groups,
            _ => path
                .strip_prefix("/audio/files/")
                .filter(|name| !name.is_empty())
                .map_or(Self::Unknown, Self::Recording),
        }
    }

    pub(crate) fn route(self) -> &'static str {
        match self {
            Self::Token => "oauth/access-token",
            Self::Users => "users",
            Self::Campaigns => "campaigns",
            Self::Person => "gdpr/contact",
            Self::Recording(_) => "audio/files",
            Self::Calls => "calls",
            Self::Offices => "offices",
            Self::Groups => "user_groups",
            Self::Unknown => "unknown",
        }
    }

    /// What a request with this method would do to the account, if anything.
    pub(crate) fn violation(self, method: &Method) -> Option<ViolationKind> {
        match *method {
            Method::DELETE => Some(ViolationKind::Delete),
            Method::POST if self == Self::Token => None,
            Method::POST | Method::PUT | Method::PATCH => Some(ViolationKind::WriteMethod),
            _ => None,
        }
    }
}

/// Answers after all checks, in their order: changing methods, token, path, method, parameters.
pub(crate) fn answer(twin: &Twin, resource: Resource<'_>, request: &Received) -> Answer {
    if resource.violation(&request.method).is_some() {
        return Answer::rest_error(403, "forbidden", "this key may only read");
    }
    if resource == Resource::Token {
        return if request.method == Method::POST { token(twin, request) } else { method_refused() };
    }
    let bearer = request.authorization.as_deref().and_then(|value| value.strip_prefix("Bearer "));
    if !bearer.is_some_and(|token| twin.tokens.holds(token, twin.config.clock.now())) {
        return Answer::rest_error(401, "unauthorized", "token is missing, unknown or expired");
    }
    if resource == Resource::Unknown {
        return Answer::rest_error(404, "not_found", "no such resource");
    }
    if request.method != Method::GET {
        return method_refused();
    }
    if let Resource::Recording(name) = resource {
        return audio::resolve(twin, name);
    }
    let parameters = Parameters::read(&request.query, None);
    read(twin, resource, &parameters).unwrap_or_else(Answer::from)
}

fn method_refused() -> Answer {
    Answer::rest_error(405, "method_not_allowed", "the resource does not know this method")
}

/// Issues a token to whoever names the account and both halves of the key, as JSON or as a form.
fn token(twin: &Twin, request: &Received) -> Answer {
    const NAMES: [&str; 4] = ["grant_type", "leaddesk_client_id", "client_id", "client_secret"];
    let Some(values) = credentials(request, &NAMES) else {
        return Answer::rest_error(400, "bad_parameter", "exactly the four documented parameters are needed");
    };
    let config = &twin.config;
    let account = config.account_number.to_string();
    let expected = ["leaddesk_client_id", &account, &config.client_id, &config.client_secret];
    if values.iter().map(String::as_str).ne(expected) {
        return Answer::rest_error(401, "unauthorized", "grant type, account or key is wrong");
    }
    let token = twin.tokens.issue(&config.client_secret, config.clock.now(), config.token_seconds);
    Answer::json(&serde_json::json!({
        "access_token": token, "token_type": "Bearer", "expires_in": config.token_seconds
    }))
}

/// The values of exactly these names.
fn credentials(request: &Received, names: &[&str]) -> Option<Vec<String>> {
    if request.is_json() {
        let document: serde_json::Map<String, serde_json::Value> =
            serde_json::from_slice(&request.body).ok()?;
        let value = |name: &&str| match document.get(*name)? {
            serde_json::Value::String(text) => Some(text.clone()),
            serde_json::Value::Number(number) => Some(number.to_string()),
            _ => None,
        };
        return if document.len() == names.len() { names.iter().map(value).collect() } else { None };
    }
    let parameters = Parameters::read("", Some(request.form()?));
    let value = |name: &&str| parameters.get(name).map(str::to_owned);
    if parameters.first_wrong(names).is_none() { names.iter().map(value).collect() } else { None }
}

#[derive(Serialize)]
struct UserItem<'a> {
    id: u32,
    name: &'a str,
    username: &'a str,
    employment: &'static str,
    office: Option<&'a str>,
    role: &'static str,
    primary_email: Option<&'a str>,
}

impl<'a> From<&'a User> for UserItem<'a> {
    fn from(user: &'a User) -> Self {
        Self {
            id: user.id,
            name: &user.name,
            username: &user.username,
            employment: if user.active { "active" } else { "inactive" },
            office: user.office.as_deref(),
            role: user.role.text(),
            primary_email: user.email.as_deref(),
        }
    }
}

#[derive(Serialize)]
struct CampaignItem<'a> {
    id: u32,
    name: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
    disabled: bool,
}

#[derive(Serialize)]
struct OfficeItem<'a> {
    id: u32,
    name: &'a str,
    time_zone: Option<&'static str>,
}

#[derive(Serialize)]
struct GroupItem<'a> {
    id: u32,
    name: &'a str,
    user_ids: Vec<u32>,
}

fn read(twin: &Twin, resource: Resource<'_>, parameters: &Parameters<'_>) -> Result<Answer, BadParameter> {
    let account = twin.account();
    match resource {
        Resource::Person => return person(twin, &account, parameters),
        Resource::Calls => return calls(twin, &account, parameters),
        _ => {}
    }
    let page = Page::read(parameters, &[])?;
    let hidden = twin.shifts.hidden(twin.config.knobs.page_shift, resource.route(), page);
    Ok(match resource {
        Resource::Users => paged(page, hidden, account.users(), UserItem::from),
        Resource::Campaigns => paged(page, hidden, account.campaigns(), |it| CampaignItem {
            id: it.id,
            name: &it.name,
            kind: it.kind,
            disabled: it.disabled,
        }),
        Resource::Offices => paged(page, hidden, account.offices(), |it| OfficeItem {
            id: it.id,
            name: &it.name,
            time_zone: it.time_zone,
        }),
        _ => paged(page, hidden, account.groups(), |it| {
            let members = account.users().filter(|user| user.group_id == Some(it.id));
            GroupItem { id: it.id, name: &it.name, user_ids: members.map(|user| user.id).collect() }
        }),
    })
}

/// Calls by time of creation, half-open, in the order of ids.
fn calls(twin: &Twin, account: &Account, parameters: &Parameters<'_>) -> Result<Answer, BadParameter> {
    let page = Page::read(parameters, &["created_at_from", "created_at_to"])?;
    let bound = |name: &str| {
        let stamp = |text: &str| text.parse::<Stamp>().map_err(|_| BadParameter(name.to_owned()));
        parameters.get(name).map(stamp).transpose()
    };
    let range = account.calls_created(bound("created_at_from")?, bound("created_at_to")?);
    let hidden = twin.shifts.hidden(twin.config.knobs.page_shift, Resource::Calls.route(), page);
    Ok(paged(page, hidden, range, |position| OwnedCall(account.call_at(position))))
}

struct OwnedCall(Call);

impl Serialize for OwnedCall {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        CallDocument(&self.0).serialize(serializer)
    }
}

/// A call as the page about one person shows it: no ids, no agent, no campaign (facts).
#[derive(Serialize)]
struct PersonCall {
    created_at: Option<String>,
    call_recording: Option<String>,
    phone_number: Option<String>,
    result: Option<String>,
    comment: Option<String>,
    direction: Option<String>,
    status: Option<String>,
    duration: Option<String>,
}

/// What is kept about whoever has the number, the address or the national id; more keys find more.
fn person(twin: &Twin, account: &Account, parameters: &Parameters<'_>) -> Result<Answer, BadParameter> {
    const KEYS: [&str; 3] = ["phone", "email", "ssn"];
    if let Some(wrong) = parameters.first_wrong(&KEYS) {
        return Err(BadParameter(wrong.to_owned()));
    }
    let [phone, email, ssn] = KEYS.map(|key| parameters.get(key));
    if phone.or(email).or(ssn).is_none() {
        return Err(BadParameter("phone".to_owned()));
    }
    let mut contacts: BTreeSet<u32> =
        email.map(|it| account.contacts_with_email(it)).into_iter().flatten().collect();
    contacts.extend(ssn.map(|it| account.contacts_with_ssc(it)).into_iter().flatten());
    let mut call_ids: BTreeSet<u32> = contacts.iter().flat_map(|id| account.calls_of_contact(*id)).collect();
    call_ids.extend(phone.map(|it| account.calls_with_phone(it)).into_iter().flatten());
    contacts.extend(phone.map(|it| account.contacts_with_phone(it)).into_iter().flatten());
    let recordings = format!("{}{}/audio/files/", twin.base_url(), twin.config.rest_path);
    let calls: Vec<PersonCall> = call_ids
        .into_iter()
        .filter_map(|id| account.call(id))
        .map(|call| person_call(&call, &recordings))
        .collect();
    let calls = serde_json::json!({ "agent": calls });
    if !twin.config.features.gdpr_parts {
        return Ok(Answer::json(&serde_json::json!({ "calls": calls })));
    }
    let contacts: Vec<_> = contacts.into_iter().map(|id| serde_json::json!({ "id": id })).collect();
    let orders: Vec<u32> = Vec::new();
    Ok(Answer::json(
        &serde_json::json!({ "contacts": contacts, "calls": calls, "messages": [], "orders": orders }),
    ))
}

fn person_call(call: &Call, recordings: &str) -> PersonCall {
    // Absent values are null for some calls and empty for others, as everywhere in LeadDesk.
    let absent = || (!call.id.is_multiple_of(2)).then(String::new);
    let text = |value: String| if value.is_empty() { absent() } else { Some(value) };
    let status = match (call.talk_time, call.inbound) {
        (0, true) => "missed",
        (0, false) => "unanswered",
        _ => "answered",
    };
    // Some records name the file, others its whole address (facts: file name or full URL).
    let recording = match call.recording {
        Recording::None => String::new(),
        _ if call.id.is_multiple_of(3) => format!("{recordings}{}", audio::encode(&call.record_file)),
        _ => call.record_file.clone(),
    };
    PersonCall {
        created_at: Some(call.created_at.to_string()),
        call_recording: text(recording),
        direction: Some(call.direction().to_owned()),
        duration: Some(call.talk_time.to_string()),
        phone_number: text(call.number.clone()),
        result: text(call.outcome_name.clone()),
        comment: text(call.comment.clone()),
        status: Some(status.to_owned()),
    }
}
