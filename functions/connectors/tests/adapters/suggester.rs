//! A suggester on loopback: what is asked, what is made of good and bad answers, and what never leaves.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use connectors::clock::RealClock;
use connectors::http::log::NoLog;
use connectors::suggester::{Access, ChatModel};
use pipeline::ports::suggester::{DescribedField, Suggester, SuggesterError};
use secrecy::SecretString;

/// The authorization that was sent, and the body.
type Asked = (Option<String>, String);

/// What the stand-in answers, and what it was asked.
#[derive(Clone)]
struct Model {
    status: u16,
    body: String,
    wait: Duration,
    asked: Arc<Mutex<Vec<Asked>>>,
}

async fn answer(State(model): State<Model>, headers: HeaderMap, body: String) -> (StatusCode, String) {
    let key = headers.get("authorization").and_then(|value| value.to_str().ok()).map(str::to_owned);
    model.asked.lock().unwrap().push((key, body));
    tokio::time::sleep(model.wait).await;
    (StatusCode::from_u16(model.status).unwrap(), model.body)
}

/// A stand-in on a free port of this machine; it ends with the test's runtime.
async fn start(status: u16, body: &str, wait: Duration) -> (Model, Access) {
    let model = Model { status, body: body.to_owned(), wait, asked: Arc::default() };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!("http://{}/v1", listener.local_addr().unwrap()).parse().unwrap();
    let app = Router::new().route("/v1/chat/completions", post(answer)).with_state(model.clone());
    tokio::spawn(async move { axum::serve(listener, app).await });
    let access = Access {
        base_url,
        model: "small-1".to_owned(),
        api_key: Ok(Some(SecretString::from("k3y"))),
        timeout: Some(Duration::from_millis(400)),
    };
    (model, access)
}

fn client(access: Access) -> ChatModel {
    ChatModel::new(access, Arc::new(RealClock::new()), Arc::new(NoLog)).unwrap()
}

fn field() -> DescribedField {
    DescribedField {
        number: 3,
        label: "Puhelin 2".to_owned(),
        stated_type: "text".to_owned(),
        seen_type: "phone".to_owned(),
        shapes: vec!["000 000 0000".to_owned()],
    }
}

fn completion(content: &str) -> String {
    serde_json::json!({ "id": "x", "choices": [{ "index": 0, "message": { "role": "assistant", "content": content } }] })
        .to_string()
}

const GOOD: &str = r#"{"suggestions":[{"field":3,"target":"phone","confidence":0.9,"reason":"digits"}]}"#;

#[tokio::test]
async fn a_question_holds_names_types_and_shapes_and_nothing_else() {
    let (model, access) = start(200, &completion(GOOD), Duration::ZERO).await;
    let client = client(access);
    let found = client.suggest(&[field()]).await.unwrap();
    assert_eq!((found.len(), found[0].field, found[0].target.as_str()), (1, 3, "phone"));
    assert_eq!(client.name(), "model `small-1`");
    let asked = model.asked.lock().unwrap().clone();
    let [(key, body)] = asked.as_slice() else { panic!("asked once, not {}", asked.len()) };
    assert_eq!(key.as_deref(), Some("Bearer k3y"));
    assert!(!body.contains("k3y"));
    let body: serde_json::Value = serde_json::from_str(body).unwrap();
    let keys: Vec<&str> = body.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys, ["messages", "model", "response_format", "temperature"]);
    let told: serde_json::Value =
        serde_json::from_str(body["messages"][1]["content"].as_str().unwrap()).unwrap();
    let fields = serde_json::json!([{
        "field": 3, "label": "Puhelin 2", "seen_type": "phone", "shapes": ["000 000 0000"], "stated_type": "text",
    }]);
    assert_eq!(told["fields"], fields);
    let keys: Vec<&str> = told.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys, ["fields", "targets"]);
}

async fn failure(status: u16, body: &str, wait: Duration) -> String {
    let (_, access) = start(status, body, wait).await;
    match client(access).suggest(&[field()]).await {
        Ok(found) => format!("{} suggestions", found.len()),
        Err(error) => format!("{} {error}", error.code()),
    }
}

#[tokio::test]
async fn what_is_no_answer_is_an_error_with_a_code() {
    let cut = "it is no answer of chat completions";
    let other = "its text is not the object that was asked for";
    let now = Duration::ZERO;
    let too_long = completion(&format!("{GOOD}{}", " ".repeat(300 * 1024)));
    for (status, body, wait, expected) in [
        (500, "oops".to_owned(), now, "SUG102 the suggester answers with status 500".to_owned()),
        (302, String::new(), now, "SUG102 the suggester answers with status 302".to_owned()),
        (401, completion(GOOD), now, "SUG102 the suggester answers with status 401".to_owned()),
        (200, completion(GOOD), Duration::from_secs(5), "SUG102 the suggester does not answer".to_owned()),
        (200, "<html>".to_owned(), now, format!("SUG103 the suggester's answer cannot be used: {cut}")),
        (
            200,
            r#"{"choices":[]}"#.to_owned(),
            now,
            "SUG103 the suggester's answer cannot be used: it has no choice".to_owned(),
        ),
        (
            200,
            completion("I think it is a phone"),
            now,
            format!("SUG103 the suggester's answer cannot be used: {other}"),
        ),
        (
            200,
            completion(r#"{"suggestions":[{"field":-1,"target":"phone","confidence":1}]}"#),
            now,
            format!("SUG103 the suggester's answer cannot be used: {other}"),
        ),
        (
            200,
            completion(r#"{"suggestions":[],"run":"rm"}"#),
            now,
            format!("SUG103 the suggester's answer cannot be used: {other}"),
        ),
        (
            200,
            too_long,
            now,
            "SUG103 the suggester's answer cannot be used: it is cut off or too long".to_owned(),
        ),
        (200, completion(&format!("```json\n{GOOD}\n```")), now, "1 suggestions".to_owned()),
    ] {
        assert_eq!(failure(status, &body, wait).await, expected);
    }
}

#[tokio::test]
async fn a_flood_of_suggestions_is_cut() {
    let line = r#"{"field":3,"target":"phone","confidence":0.9}"#;
    let flood = format!(r#"{{"suggestions":[{}]}}"#, vec![line; 2_000].join(","));
    let (_, access) = start(200, &completion(&flood), Duration::ZERO).await;
    assert_eq!(client(access).suggest(&[field()]).await.unwrap().len(), 160);
}

#[tokio::test]
async fn a_key_that_is_not_there_sends_nothing() {
    let (model, access) = start(200, &completion(GOOD), Duration::ZERO).await;
    let access = Access { api_key: Err("the environment has no text in MODEL_KEY".to_owned()), ..access };
    let error = client(access).suggest(&[field()]).await.unwrap_err();
    assert!(matches!(&error, SuggesterError::Unusable(why) if why.contains("MODEL_KEY")), "{error}");
    assert!(model.asked.lock().unwrap().is_empty());
}

#[tokio::test]
async fn nobody_there_is_no_answer() {
    let access = Access {
        base_url: "http://127.0.0.1:1/v1".parse().unwrap(),
        model: "small-1".to_owned(),
        api_key: Ok(None),
        timeout: None,
    };
    assert_eq!(client(access).suggest(&[field()]).await.unwrap_err().code(), "SUG102");
}
