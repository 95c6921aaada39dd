//! Recordings over loopback: what is taken, what is refused, and what the other host gets to see of us.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use connectors::leaddesk::Resolve;
use expect_test::expect;
use pipeline::ports::leaddesk::{LeadDesk as _, RecordingError, Sound};
use snapshot::Digest;
use twins::generate::{Account, Recording};
use twins::leaddesk::{FaultAction, OddRecording};

use super::visit::Visit;

/// Every kind of recording that is not as it should be.
const ODD: [OddRecording; 10] = [
    OddRecording::TooLarge,
    OddRecording::TooLargeUntold,
    OddRecording::Page,
    OddRecording::Empty,
    OddRecording::RedirectToMetadata,
    OddRecording::AddressOfMetadata,
    OddRecording::AddressOfInnerNetwork,
    OddRecording::SoundAtOnce,
    OddRecording::NoAddress,
    OddRecording::Expired,
];

/// Ids of calls whose recording is there.
fn kept(account: &Account) -> Vec<u32> {
    account.calls().filter(|call| call.recording == Recording::Kept).take(12).map(|call| call.id).collect()
}

async fn visit() -> Visit {
    let prepare = |config: &mut twins::leaddesk::Config, account: &Account| {
        config.odd_recordings = kept(account).into_iter().zip(ODD).collect();
    };
    Visit::prepared(prepare, |_| {}).await
}

fn chain(error: &RecordingError) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(next) = cause {
        text += &format!(": {next}");
        cause = next.source();
    }
    text
}

#[tokio::test]
async fn a_recording_comes_whole_and_the_other_host_sees_no_credential() {
    let visit = visit().await;
    let scratch = tempfile::tempdir().unwrap();
    let names: Vec<String> = {
        let account = visit.account();
        kept(&account)[10..].iter().map(|id| account.call(*id).unwrap().record_file.clone()).collect()
    };
    let mut digests = Vec::new();
    for name in [&names[0], &names[1]] {
        let fetched = visit.client.recording(name, scratch.path()).await.unwrap();
        let bytes = std::fs::read(&fetched.path).unwrap();
        assert_eq!((fetched.bytes, fetched.sound), (4_170, Sound::Mpeg));
        assert_eq!(fetched.sha256, Digest::of(&bytes).as_str());
        assert!(String::from_utf8_lossy(&bytes).contains(name.as_str()), "another recording came");
        digests.push(fetched.sha256);
    }
    assert_ne!(digests[0], digests[1]);
    assert_eq!(std::fs::read_dir(scratch.path()).unwrap().count(), 0, "a file was left behind");
    assert_eq!(visit.client.requests()["GET recording"], 2);
    // A token that is sent along would stand among the violations.
    visit.has_only_read();
}

#[tokio::test]
async fn whatever_is_odd_about_a_recording_is_named_and_followed_nowhere() {
    let visit = visit().await;
    let scratch = tempfile::tempdir().unwrap();
    let names: Vec<String> = {
        let account = visit.account();
        kept(&account).iter().map(|id| account.call(*id).unwrap().record_file.clone()).collect()
    };
    let mut told = Vec::new();
    for (odd, name) in ODD.iter().zip(&names) {
        let error = visit.client.recording(name, scratch.path()).await.unwrap_err();
        told.push(format!("{odd:?}: {}", chain(&error)));
        for secret in ["signature", "http", name.as_str(), "twin-"] {
            assert!(!format!("{error:?} {}", chain(&error)).contains(secret), "{error:?} shows {secret}");
        }
    }
    let gone = visit.client.recording("never.wav.mp3", scratch.path()).await.unwrap_err();
    told.push(format!("never: {}", chain(&gone)));
    expect![[r"
        TooLarge: a recording is larger than 52428800 bytes
        TooLargeUntold: a recording is larger than 52428800 bytes
        Page: what was downloaded is no sound
        Empty: what was downloaded is no sound
        RedirectToMetadata: the host of a recording redirects with 302, which is not followed
        AddressOfMetadata: the address of a recording is not followed: a stand-in on this machine points to another machine
        AddressOfInnerNetwork: the address of a recording is not followed: a stand-in on this machine points to another machine
        SoundAtOnce: cannot ask for the address of a recording: LeadDesk's answer to GET /audio/files/{name} cannot be used: sound or a page instead of the address of a recording
        NoAddress: cannot ask for the address of a recording: LeadDesk's answer to GET /audio/files/{name} cannot be used: a redirect without an address
        Expired: the host of a recording answered 403
        never: LeadDesk does not have the recording any more"]]
    .assert_eq(&told.join("\n"));
    assert_eq!(std::fs::read_dir(scratch.path()).unwrap().count(), 0, "a file was left behind");
    visit.has_only_read();
}

#[tokio::test]
async fn a_host_that_fails_is_asked_again_with_a_fresh_address() {
    let visit = visit().await;
    let scratch = tempfile::tempdir().unwrap();
    let name = {
        let account = visit.account();
        account.call(kept(&account)[11]).unwrap().record_file.clone()
    };
    visit.strike("recording", 1, 2, FaultAction::Status(503));
    visit.client.recording(&name, scratch.path()).await.unwrap();
    assert_eq!((visit.seen("audio/files"), visit.seen("recording")), (3, 3));
    visit.strike("recording", 1, 3, FaultAction::Status(503));
    let error = visit.client.recording(&name, scratch.path()).await.unwrap_err();
    assert!(matches!(error, RecordingError::Status { status: 503 }), "{error:?}");
    visit.has_only_read();
}

/// This machine for the first question, the metadata service for every later one.
#[derive(Default)]
struct Rebinding(AtomicU64);

#[async_trait]
impl Resolve for Rebinding {
    async fn resolve(&self, _host: &str, _port: u16) -> io::Result<Vec<IpAddr>> {
        let is_first = self.0.fetch_add(1, Ordering::SeqCst) == 0;
        Ok(vec![if is_first { [127, 0, 0, 1].into() } else { [169, 254, 169, 254].into() }])
    }
}

/// A LeadDesk of one answer, and a recording host of one answer, at one name each.
async fn named_host(sound: &'static [u8]) -> u16 {
    use axum::http::{StatusCode, header};
    use axum::response::IntoResponse as _;
    use axum::routing::{get, post};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let location = format!("http://rec-1.localhost:{port}/sound?signature=s");
    let redirect = move || {
        let location = location.clone();
        async move { (StatusCode::FOUND, [(header::LOCATION, location)]).into_response() }
    };
    let router = axum::Router::new()
        .route(
            "/stable/oauth/access-token",
            post(|| async { axum::Json(serde_json::json!({ "access_token": "t" })) }),
        )
        .route("/stable/audio/files/{name}", get(redirect))
        .route("/sound", get(move || async move { sound }));
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    port
}

#[tokio::test]
async fn a_name_that_leads_elsewhere_a_moment_later_is_connected_where_it_was_judged() {
    let port = named_host(b"ID3 and some sound").await;
    let base = format!("http://127.0.0.1:{port}/stable");
    let Visit { client, running: _running, .. } =
        Visit::with(|access| access.rest_api_url = base.parse().unwrap()).await;
    let resolver = Arc::new(Rebinding::default());
    let client = client.with_resolver(resolver.clone());
    let scratch = tempfile::tempdir().unwrap();
    // The name itself resolves to nothing here: only the judged address can have been used.
    let fetched = client.recording("a.mp3", scratch.path()).await.unwrap();
    assert_eq!((fetched.bytes, resolver.0.load(Ordering::SeqCst)), (18, 1));
    let lured = client.recording("a.mp3", scratch.path()).await.unwrap_err();
    assert!(matches!(lured, RecordingError::Refused(_)), "{lured:?}");
}
