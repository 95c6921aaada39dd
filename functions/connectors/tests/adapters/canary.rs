//! Marked secrets and marked people go in; whatever comes out for people and logs is searched for them.
//!
//! The other side is hostile: it repeats what it was sent in statuses, bodies and headers of every kind.

use std::error::Error;
use std::fmt::Write as _;
use std::io::Write;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{Response, header};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use connectors::clock::VirtualClock;
use connectors::http::log::{HttpLog, NdjsonLog};
use connectors::{gorgias, leaddesk};
use jiff::Timestamp;
use migration::gorgias::{CustomerId, FieldObject, TagDraft, TicketId, UserId};
use migration::keys::ExternalId;
use migration::pacer::Bucket;
use pipeline::ports::clock::Clock;
use pipeline::ports::gorgias::{Change, CustomerChange, FoundChannel, Gorgias, NewTeam};
use pipeline::ports::leaddesk::LeadDesk;
use secrecy::SecretString;
use url::Url;

use crate::desk::{customer, note, ticket};

const AUTH: &str = "canary/AUTH+key=&?01";
const CLIENT_ID: &str = "canary/CLIENT+id=&?02";
const CLIENT_SECRET: &str = "canary/CLIENT+secret=&?03";
const API_KEY: &str = "canary/API+key=&?04";
const TOKEN: &str = "canary-TOKEN-05";
const EMAIL: &str = "canary.user@example.com";
const PHONE: &str = "+358457011223";
const PERSON_EMAIL: &str = "canary.person@example.com";
const PERSON_NAME: &str = "Canary Person-Name";

/// Every form in which a text may show.
fn forms(text: &str) -> Vec<String> {
    let hexadecimal = |upper: bool| {
        text.bytes().fold(String::new(), |mut all, byte| {
            if upper { write!(all, "{byte:02X}") } else { write!(all, "{byte:02x}") }.unwrap();
            all
        })
    };
    let form: String = url::form_urlencoded::byte_serialize(text.as_bytes()).collect();
    let percent: String = text.bytes().fold(String::new(), |mut all, byte| {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' => all.push(char::from(byte)),
            _ => write!(all, "%{byte:02X}").unwrap(),
        }
        all
    });
    let json = serde_json::to_string(text).unwrap().trim_matches('"').to_owned();
    let debug = format!("{text:?}").trim_matches('"').to_owned();
    vec![
        text.to_owned(),
        STANDARD_NO_PAD.encode(text),
        URL_SAFE_NO_PAD.encode(text),
        hexadecimal(false),
        hexadecimal(true),
        form,
        percent,
        json,
        debug,
    ]
}

/// What must not show, by name.
fn canaries() -> Vec<(&'static str, Vec<String>)> {
    let basic = STANDARD.encode(format!("{EMAIL}:{API_KEY}"));
    let mut all: Vec<(&str, Vec<String>)> = [
        ("auth", AUTH),
        ("client id", CLIENT_ID),
        ("client secret", CLIENT_SECRET),
        ("API key", API_KEY),
        ("token", TOKEN),
        ("phone", PHONE),
        ("person's email", PERSON_EMAIL),
        ("person's name", PERSON_NAME),
    ]
    .map(|(name, text)| (name, forms(text)))
    .to_vec();
    all.push(("Basic header", vec![basic.trim_end_matches('=').to_owned()]));
    all
}

fn found_in(text: &str) -> Vec<String> {
    let mut hits = Vec::new();
    for (name, forms) in canaries() {
        let shown = forms.iter().filter(|form| text.contains(form.as_str()));
        hits.extend(shown.map(|form| format!("{name} as {form:?}")));
    }
    hits
}

/// Collects what was written.
#[derive(Clone, Default)]
struct Collected(Arc<Mutex<Vec<u8>>>);

impl Write for Collected {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Collected {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

const STATUSES: [u16; 15] = [200, 201, 301, 302, 400, 401, 403, 404, 405, 408, 409, 422, 429, 500, 503];

/// What the other side does next: a status of the list, and one of the ways to repeat what it was sent.
#[derive(Clone, Default)]
struct Mood {
    status: Arc<AtomicUsize>,
    way: Arc<AtomicUsize>,
    /// Everything it has received.
    received: Collected,
}

const WAYS: usize = 8;

async fn repeat(mood: Mood, request: Request) -> Response<Body> {
    let (head, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 1_000_000).await.unwrap();
    let body = String::from_utf8(body.to_vec()).unwrap();
    let headers: String =
        head.headers.values().filter_map(|value| value.to_str().ok()).collect::<Vec<_>>().join(" ");
    let query = head.uri.query().unwrap_or_default();
    let decoded: Vec<String> =
        url::form_urlencoded::parse(query.as_bytes()).map(|(_, value)| value.into_owned()).collect();
    let decoded = decoded.join(" ");
    let all = format!("{} {headers} {body} {decoded}", head.uri);
    mood.received.clone().write_all(all.as_bytes()).unwrap();
    let is_token = head.uri.path().ends_with("access-token");
    let status = if is_token && mood.way.load(Ordering::SeqCst) > 0 {
        200
    } else {
        STATUSES[mood.status.load(Ordering::SeqCst)]
    };
    let (media_type, text) = match mood.way.load(Ordering::SeqCst) {
        _ if is_token && status == 200 => (
            "application/json",
            serde_json::json!({ "access_token": TOKEN, "expires_in": 3_600 }).to_string(),
        ),
        1 => ("text/plain", format!("ERR_ARGUMENT_INVALID:{all}")),
        2 => (
            "application/json",
            serde_json::json!({ "error": { "msg": all, "data": { "field": [all, decoded] } } }).to_string(),
        ),
        3 => (
            "application/json",
            serde_json::json!({ "error": { "msg": format!("Bad value {body}"), "data": decoded } })
                .to_string(),
        ),
        4 => ("text/html", format!("<html>{all}</html>")),
        5 => (
            "application/json",
            serde_json::json!({ "data": [{ "id": all }], "id": all, "collection": all, "success": all })
                .to_string(),
        ),
        6 => (
            "application/json",
            serde_json::json!({ "id": 5, "external_id": all, "data": [{ "id": 5, "name": 7 }] }).to_string(),
        ),
        _ => ("application/json", all.clone()),
    };
    let location = format!("http://127.0.0.1:1/?{query}");
    let mut response = Response::builder()
        .status(status)
        .header(header::CONTENT_TYPE, media_type)
        .header(header::LOCATION, location);
    if mood.way.load(Ordering::SeqCst) == 7 {
        // Less than it announces.
        response = response.header(header::CONTENT_LENGTH, text.len() + 10);
    }
    response.body(Body::from(text)).unwrap()
}

/// Every text that a failure can become.
fn told(texts: &mut Vec<String>, error: &(impl Error + 'static)) {
    texts.push(format!("{error} / {error:?} / {error:#?}"));
    let mut cause = error.source();
    while let Some(next) = cause {
        texts.push(format!("{next} / {next:?} / {next:#?}"));
        cause = next.source();
    }
}

fn leaddesk_client(base: &Url, log: &Arc<dyn HttpLog>) -> (leaddesk::Client, String) {
    let access = leaddesk::Access {
        original_api_url: base.clone(),
        rest_api_url: base.join("stable").unwrap(),
        auth: SecretString::from(AUTH),
        account: 1234,
        client_id: SecretString::from(CLIENT_ID),
        client_secret: SecretString::from(CLIENT_SECRET),
        in_flight: 4,
        requests_per_second: 1_000.0,
        recording_hosts: leaddesk::RECORDING_HOSTS.map(str::to_owned).to_vec(),
    };
    let shown = format!("{access:?}");
    let clock: Arc<dyn Clock> = Arc::new(VirtualClock::new(Timestamp::UNIX_EPOCH));
    let client = leaddesk::Client::new(access, clock, Arc::clone(log)).unwrap();
    let shown = format!("{shown} {client:?}");
    (client, shown)
}

fn gorgias_client(base: &Url, log: &Arc<dyn HttpLog>) -> (gorgias::Client, String) {
    let access = gorgias::Access {
        base_url: base.clone(),
        email: EMAIL.to_owned(),
        api_key: SecretString::from(API_KEY),
        bucket: Bucket::parse("1000000/1", 0.0).unwrap(),
    };
    let shown = format!("{access:?}");
    let start: Timestamp = "2026-11-22T10:00:00Z".parse().unwrap();
    let clock: Arc<dyn Clock> = Arc::new(VirtualClock::new(start));
    let client = gorgias::Client::new(access, clock, Arc::clone(log)).unwrap();
    let shown = format!("{shown} {client:?}");
    (client, shown)
}

async fn read_leaddesk(client: &leaddesk::Client, texts: &mut Vec<String>) -> usize {
    let outcomes = [
        client.lists().await.map(drop),
        client.list_export("7").await.map(drop),
        client.contact("7").await.map(drop),
        client.call("7").await.map(drop),
        client.users(1).await.map(drop),
        client.campaigns(1).await.map(drop),
        client.phone_history(PHONE).await.map(drop),
        client.recording_exists(&format!("{PHONE}.wav.mp3")).await.map(drop),
    ];
    let recording = client.recording(&format!("{PHONE}.wav.mp3"), &std::env::temp_dir()).await;
    if let Err(error) = recording {
        told(texts, &error);
    }
    texts.push(format!("{:?}", client.requests()));
    outcomes.iter().filter_map(|outcome| outcome.as_ref().err()).map(|error| told(texts, error)).count()
}

async fn read_gorgias(client: &gorgias::Client, texts: &mut Vec<String>) -> usize {
    let outcomes = [
        client.account().await.map(drop),
        client.service_user().await.map(drop),
        client.settings().await.map(drop),
        client.users(None).await.map(drop),
        client.teams(None).await.map(drop),
        client.tags(None).await.map(drop),
        client.fields(FieldObject::Customer, None).await.map(drop),
        client.rules(None).await.map(drop),
        client.integrations(None).await.map(drop),
        client.customers(None).await.map(drop),
        client.customer(CustomerId(5)).await.map(drop),
        client.customers_by_external_id(&ExternalId::from_stored("leaddesk:contact:5")).await.map(drop),
        client.customers_by_email(PERSON_EMAIL).await.map(drop),
        client.customers_by_phone(PHONE).await.map(drop),
        client.tickets(None).await.map(drop),
        client.ticket(TicketId(5)).await.map(drop),
        client.messages(None).await.map(drop),
    ];
    texts.push(format!("{:?}", client.usage()));
    outcomes.iter().filter_map(|outcome| outcome.as_ref().err()).map(|error| told(texts, error)).count()
}

async fn write_gorgias(client: &gorgias::Client, texts: &mut Vec<String>) -> usize {
    let mut person = customer(1);
    person.name = Some(PERSON_NAME.to_owned());
    person.email = Some(PERSON_EMAIL.to_owned());
    PHONE.clone_into(&mut person.channels[1].address);
    let mut message = note("1", UserId(5), "2025-01-01T09:00:00Z");
    message.body_text = format!("{PERSON_NAME} {PERSON_EMAIL} {PHONE}");
    let channels =
        vec![FoundChannel { kind: "phone".to_owned(), address: PHONE.to_owned(), is_preferred: true }];
    let change = CustomerChange {
        name: Change::filling(person.name.clone()),
        channels: Some(channels),
        ..CustomerChange::default()
    };
    let team = NewTeam { name: PERSON_NAME.to_owned(), description: String::new(), members: vec![UserId(5)] };
    let tag = TagDraft { name: PERSON_NAME.to_owned(), description: String::new() };
    let outcomes = [
        client.create_customer(&person).await.map(drop),
        client.update_customer(CustomerId(5), &change).await,
        client.create_ticket(&ticket(1, CustomerId(5), vec![message.clone()])).await.map(drop),
        client.append_message(TicketId(5), &message).await.map(drop),
        client.create_team(&team).await.map(drop),
        client.create_tag(&tag).await.map(drop),
        client.delete_customer(CustomerId(5)).await,
    ];
    outcomes.iter().filter_map(|outcome| outcome.as_ref().err()).map(|error| told(texts, error)).count()
}

/// Fails and shows the place when a canary is found.
fn search(what: &str, texts: &[String]) {
    for text in texts {
        assert_eq!(found_in(text), Vec::<String>::new(), "{what}: {text}");
    }
}

#[tokio::test]
async fn no_failure_and_no_log_shows_a_secret_or_a_person() {
    let (mood, written) = (Mood::default(), Collected::default());
    let echo = mood.clone();
    let router = Router::new().fallback(move |request: Request| repeat(echo.clone(), request));
    let server = twins::http::serve(router, ([127, 0, 0, 1], 0).into()).await.unwrap();
    let base: Url = format!("http://{}", server.addr).parse().unwrap();
    let log: Arc<dyn HttpLog> = Arc::new(NdjsonLog::new(written.clone()));
    let mut failures = 0;
    for (place, status) in STATUSES.iter().enumerate() {
        // An endless 429 has no end at Gorgias by design: it is waited out.
        let waits_for_ever = *status == 429;
        for way in 0..WAYS {
            mood.status.store(place, Ordering::SeqCst);
            mood.way.store(way, Ordering::SeqCst);
            let mut texts = Vec::new();
            if !waits_for_ever {
                let (source, shown) = leaddesk_client(&base, &log);
                texts.push(shown);
                failures += read_leaddesk(&source, &mut texts).await;
                let (destination, shown) = gorgias_client(&base, &log);
                texts.push(shown);
                failures += read_gorgias(&destination, &mut texts).await;
                failures += write_gorgias(&destination, &mut texts).await;
            }
            search(&format!("status {status} way {way}"), &texts);
        }
    }
    server.stop().await;
    search("log", &[written.text()]);
    // Nothing was found although it was there: the other side had all of it, and failures were many.
    let received = found_in(&mood.received.text()).join("\n");
    for (name, _) in canaries() {
        assert!(received.contains(name), "{name} was never sent");
    }
    assert!(failures > 2_000, "{failures}");
    assert!(written.text().lines().count() > 5_000);
}

#[tokio::test]
async fn no_failure_below_http_shows_a_secret_or_a_person() {
    let written = Collected::default();
    let log: Arc<dyn HttpLog> = Arc::new(NdjsonLog::new(written.clone()));
    // Nobody listens on one of them; the other one hangs up on everybody.
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let closed = silent.local_addr().unwrap();
    drop(silent);
    let rude = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let rudely = rude.local_addr().unwrap();
    let hanging_up = tokio::spawn(async move {
        while let Ok((connection, _)) = rude.accept().await {
            drop(connection);
        }
    });
    let mut texts = Vec::new();
    let mut failures = 0;
    for base in [format!("http://{closed}"), format!("http://{rudely}"), format!("https://{rudely}")] {
        let base: Url = base.parse().unwrap();
        let (source, _) = leaddesk_client(&base, &log);
        failures += read_leaddesk(&source, &mut texts).await;
        let (destination, _) = gorgias_client(&base, &log);
        failures += read_gorgias(&destination, &mut texts).await;
        failures += write_gorgias(&destination, &mut texts).await;
    }
    hanging_up.abort();
    assert_eq!(failures, 3 * (8 + 17 + 7));
    search("failure", &texts);
    search("log", &[written.text()]);
}

#[test]
fn the_search_finds_what_it_looks_for() {
    for (name, forms) in canaries() {
        for form in forms {
            assert!(
                found_in(&format!("before{form}after")).iter().any(|hit| hit.starts_with(name)),
                "{name} {form}"
            );
        }
    }
    assert_eq!(found_in("a text without any of it"), Vec::<String>::new());
}
