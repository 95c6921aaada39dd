//! The REST API: tokens, pages, a person's calls, recordings.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::support::{Seen, Visit, calls, contacts, demo};
use serde_json::{Value, json};
use twins::generate::{PlantedKind, Recording};
use twins::leaddesk::{Clock, Config, PageShift, Profile, RateLimit, ViolationKind};

fn ids(collection: &Value) -> Vec<u64> {
    collection["collection"].as_array().unwrap().iter().map(|item| item["id"].as_u64().unwrap()).collect()
}

#[tokio::test]
async fn tokens_are_given_for_the_right_key_and_expire() {
    let seconds = Arc::new(AtomicU64::new(1_000));
    let mut config = Config::new(Profile::Evidence);
    config.clock = Clock::manual(Arc::clone(&seconds));
    let visit = Visit::with(config).await;
    let url = format!("{}/oauth/access-token", visit.running.rest_url());
    let right = [
        ("grant_type", "leaddesk_client_id"),
        ("leaddesk_client_id", "1234"),
        ("client_id", "twin-client"),
        ("client_secret", "twin-secret"),
    ];
    let seen = Seen::of(visit.client.post(&url).form(&right).send().await.unwrap()).await;
    let document = seen.json();
    assert_eq!((&document["token_type"], &document["expires_in"]), (&json!("Bearer"), &json!(3_600)));
    let token = document["access_token"].as_str().unwrap();
    for place in 0..right.len() {
        let mut wrong = right;
        wrong[place].1 = "wrong";
        let seen = Seen::of(visit.client.post(&url).form(&wrong).send().await.unwrap()).await;
        assert_eq!((seen.status, &seen.json()["code"]), (401, &json!("unauthorized")), "{:?}", right[place]);
        let mut missing = right.to_vec();
        missing.remove(place);
        let seen = Seen::of(visit.client.post(&url).form(&missing).send().await.unwrap()).await;
        assert_eq!(seen.status, 400, "{:?}", right[place]);
    }
    assert_eq!(visit.rest(token, "/users").await.status, 200);
    seconds.fetch_add(3_599, Ordering::SeqCst);
    assert_eq!(visit.rest(token, "/users").await.status, 200);
    seconds.fetch_add(1, Ordering::SeqCst);
    let seen = visit.rest(token, "/users").await;
    assert_eq!((seen.status, &seen.json()["code"]), (401, &json!("unauthorized")));
    assert_eq!(visit.rest("other", "/users").await.status, 401);
    assert_eq!(visit.get("/stable/users").await.status, 401);
}

#[tokio::test]
async fn collections_come_in_pages() {
    let visit = Visit::begin(Profile::Evidence).await;
    let token = visit.token().await;
    let page = visit.rest(&token, "/users").await.json();
    assert_eq!(page["_meta"], json!({ "count": 24, "page": 1, "per_page": 20 }));
    assert_eq!(ids(&page), (501..=520).collect::<Vec<u64>>());
    assert_eq!(ids(&visit.rest(&token, "/users?page=2").await.json()), [521, 522, 523, 524]);
    let beyond = visit.rest(&token, "/users?page=9&per_page=100").await.json();
    assert_eq!((ids(&beyond), &beyond["_meta"]["count"]), (vec![], &json!(24)));
    assert_eq!(ids(&visit.rest(&token, "/users?limit=2").await.json()), [501, 502]);
    for query in ["page=0", "per_page=101", "limit=5&per_page=5", "offset=3", "page=x"] {
        let seen = visit.rest(&token, &format!("/users?{query}")).await;
        assert_eq!((seen.status, &seen.json()["code"]), (400, &json!("bad_parameter")), "{query}");
    }
    let campaigns = visit.rest(&token, "/campaigns?per_page=100").await.json();
    assert_eq!(
        campaigns["collection"][3],
        json!({ "id": 104, "name": "Vår-Nykund", "type": "outbound", "disabled": true })
    );
    let user = &page["collection"][6];
    assert_eq!(
        user.as_object().unwrap().keys().map(String::as_str).collect::<BTreeSet<_>>(),
        BTreeSet::from(["id", "name", "username", "employment", "office", "role", "primary_email"])
    );
    assert_eq!(user["primary_email"], Value::Null);
    for path in ["/nothing", "/calls", "/offices", "/user_groups", "/audio/files/"] {
        assert_eq!(visit.rest(&token, path).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn pages_shift_when_told_to() {
    for (shift, first_walk, second_walk) in
        [(PageShift::Removal, (23, 23), (23, 23)), (PageShift::Insertion, (24, 23), (24, 24))]
    {
        let mut config = Config::new(Profile::Evidence);
        config.knobs.page_shift = shift;
        let visit = Visit::with(config).await;
        let token = visit.token().await;
        let mut walks = Vec::new();
        for _ in 0..2 {
            let mut seen = Vec::new();
            for page in 1..=3 {
                seen.extend(ids(&visit
                    .rest(&token, &format!("/users?per_page=10&page={page}"))
                    .await
                    .json()));
            }
            let distinct = seen.iter().collect::<BTreeSet<_>>().len();
            walks.push((seen.len(), distinct));
        }
        assert_eq!(walks, [first_walk, second_walk], "{shift:?}");
    }
}

#[tokio::test]
async fn calls_of_a_person_come_by_any_key() {
    let visit = Visit::begin(Profile::Evidence).await;
    let token = visit.token().await;
    let account = demo();
    let person = contacts(&account, PlantedKind::PersonInThreeLists);
    let contact = account.contact(person[0]).unwrap();
    let all: usize = person.iter().map(|id| account.calls_of_contact(*id).len()).sum();
    let count = async |query: String| {
        let document = visit.rest(&token, &format!("/gdpr/contact?{query}")).await.json();
        assert_eq!(document.as_object().unwrap().keys().collect::<Vec<_>>(), ["calls"]);
        document["calls"]["agent"].as_array().unwrap().len()
    };
    assert!(all >= 3, "{all}");
    assert_eq!(count(format!("email={}", contact.text.email)).await, all);
    assert_eq!(count(format!("phone={}", contact.text.phones[0].replace('+', "%2B"))).await, all);
    assert_eq!(count("phone=nobody".to_owned()).await, 0);
    assert_eq!(visit.rest(&token, "/gdpr/contact").await.status, 400);
    assert_eq!(visit.rest(&token, "/gdpr/contact?name=x").await.status, 400);
    let with_ssc = account
        .contacts()
        .find(|contact| !contact.text.ssc.is_empty() && !account.calls_of_contact(contact.id).is_empty());
    let with_ssc = with_ssc.unwrap();
    let by_ssn = count(format!("ssn={}", with_ssc.text.ssc)).await;
    assert!(by_ssn >= account.calls_of_contact(with_ssc.id).len());
    let document = visit.rest(&token, &format!("/gdpr/contact?email={}", contact.text.email)).await.json();
    let call = document["calls"]["agent"][0].as_object().unwrap();
    let expected = [
        "call_recording",
        "comment",
        "created_at",
        "direction",
        "duration",
        "phone_number",
        "result",
        "status",
    ];
    assert_eq!(call.keys().map(String::as_str).collect::<BTreeSet<_>>(), BTreeSet::from(expected));
}

#[tokio::test]
async fn recordings_are_signed_and_short_lived() {
    let seconds = Arc::new(AtomicU64::new(5_000));
    let mut config = Config::new(Profile::Evidence);
    config.clock = Clock::manual(Arc::clone(&seconds));
    let visit = Visit::with(config).await;
    let token = visit.token().await;
    let account = demo();
    let file = |id: u32| account.call(id).unwrap().record_file.replace('+', "%2B");
    let resolve = async |name: &str| {
        let url = format!("{}/audio/files/{name}", visit.running.rest_url());
        visit.client.get(url).bearer_auth(&token).send().await.unwrap()
    };
    let kept = calls(&account, PlantedKind::HostileComment)[0];
    let answer = resolve(&file(kept)).await;
    assert_eq!(answer.status(), 302);
    let location = answer.headers()["location"].to_str().unwrap().to_owned();
    assert!(location.starts_with(&visit.running.base_url()), "{location}");
    let download = async || visit.client.get(&location).send().await.unwrap();
    let sound = download().await;
    assert_eq!(
        (sound.status().as_u16(), sound.headers()["content-type"].to_str().unwrap()),
        (200, "audio/mpeg")
    );
    assert_eq!(sound.bytes().await.unwrap()[..2], [0xFF, 0xFB]);
    seconds.fetch_add(299, Ordering::SeqCst);
    assert_eq!(download().await.status(), 200);
    seconds.fetch_add(1, Ordering::SeqCst);
    assert_eq!(download().await.status(), 403);
    let forged = location.replace("expires=5300", "expires=9999");
    assert_ne!(forged, location);
    assert_eq!(visit.client.get(forged).send().await.unwrap().status(), 403);
    let gone = calls(&account, PlantedKind::RecordingGone)[0];
    assert_eq!(account.call(gone).unwrap().recording, Recording::Gone);
    assert_eq!(resolve(&file(gone)).await.status(), 404);
    assert_eq!(resolve("nothing.wav.mp3").await.status(), 404);
    assert_eq!(visit.running.twin().ledgers().violation_count, 0);
}

#[tokio::test]
async fn a_token_sent_to_the_recording_host_is_written_down() {
    let visit = Visit::begin(Profile::Evidence).await;
    let token = visit.token().await;
    let account = demo();
    let file = account
        .call(calls(&account, PlantedKind::HostileComment)[0])
        .unwrap()
        .record_file
        .replace('+', "%2B");
    // On one host a client that follows redirects by itself keeps its header.
    let careless = reqwest::Client::new();
    let url = format!("{}/audio/files/{file}", visit.running.rest_url());
    let answer = careless.get(url).bearer_auth(&token).send().await.unwrap();
    assert_eq!(answer.status(), 400);
    let ledgers = visit.running.twin().ledgers();
    assert_eq!(
        ledgers.violations.iter().map(|it| it.kind).collect::<Vec<_>>(),
        [ViolationKind::TokenForwarded]
    );
}

#[tokio::test]
async fn a_limit_answers_429_until_its_window_ends() {
    let seconds = Arc::new(AtomicU64::new(60));
    let mut config = Config::new(Profile::Evidence);
    config.clock = Clock::manual(Arc::clone(&seconds));
    config.knobs.rate_limit = Some(RateLimit { requests: 3, window_seconds: 20 });
    let visit = Visit::with(config).await;
    let token = visit.token().await;
    assert_eq!(visit.rest(&token, "/users").await.status, 200);
    assert_eq!(visit.original("mod=calling_list&cmd=list").await.status, 200);
    seconds.fetch_add(5, Ordering::SeqCst);
    let url = format!("{}/users", visit.running.rest_url());
    let answer = visit.client.get(url).bearer_auth(&token).send().await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.headers()["retry-after"].to_str().unwrap()), (429, "15"));
    seconds.fetch_add(15, Ordering::SeqCst);
    assert_eq!(visit.rest(&token, "/users").await.status, 200);
}

#[tokio::test]
async fn the_extended_profile_has_more_collections() {
    let visit = Visit::begin(Profile::Extended).await;
    let token = visit.token().await;
    let account = demo();
    let mut seen = Vec::new();
    for page in 1..=40 {
        let document = visit.rest(&token, &format!("/calls?per_page=100&page={page}")).await.json();
        assert_eq!(document["_meta"]["count"], 4_000);
        seen.extend(
            document["collection"]
                .as_array()
                .unwrap()
                .iter()
                .map(|call| call["id"].as_str().unwrap().to_owned()),
        );
    }
    assert_eq!(seen, account.calls().map(|call| call.id.to_string()).collect::<Vec<_>>());
    let day = "created_at_from=2025-03-30%2003:15:00&created_at_to=2025-03-30%2003:15:01";
    let document = visit.rest(&token, &format!("/calls?{day}")).await.json();
    assert_eq!(document["collection"][0]["id"], calls(&account, PlantedKind::TimeInGap)[0].to_string());
    assert_eq!(document["_meta"]["count"], 1);
    let before = "created_at_from=2025-03-30%2003:15:01&created_at_to=2025-03-30%2003:15:00";
    assert_eq!(visit.rest(&token, &format!("/calls?{before}")).await.json()["_meta"]["count"], 0);
    assert_eq!(visit.rest(&token, "/calls?created_at_from=yesterday").await.status, 400);
    let offices = visit.rest(&token, "/offices").await.json();
    assert_eq!(
        offices["collection"][0],
        json!({ "id": 1, "name": "Helsinki", "time_zone": "Europe/Helsinki" })
    );
    let groups = visit.rest(&token, "/user_groups").await.json();
    let members: usize = groups["collection"]
        .as_array()
        .unwrap()
        .iter()
        .map(|group| group["user_ids"].as_array().unwrap().len())
        .sum();
    assert_eq!(members, account.users().filter(|user| user.group_id.is_some()).count());
    let person = contacts(&account, PlantedKind::PersonInThreeLists);
    let email = account.contact(person[0]).unwrap().text.email;
    let document = visit.rest(&token, &format!("/gdpr/contact?email={email}")).await.json();
    let expected: Vec<Value> = person.iter().map(|id| json!({ "id": id })).collect();
    assert_eq!(document["contacts"], Value::Array(expected));
}
