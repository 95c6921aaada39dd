//! Stands in front of the emulator: counts requests by service and operation, and answers some of them itself, as AWS
//! does on a bad day and the emulator never does.
//!
//! The emulator is told that requests came by TLS, which the bucket demands; encryption itself is not tried here.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, Method, Response, StatusCode, Uri};
use serde_json::{Value, json};

/// What goes wrong, once each time that its turn comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fault {
    /// S3 says 503 and has done nothing.
    SlowDown,
    /// S3 says 409: another conditional write is on its way.
    Conflict,
    /// S3 has created the object, and the answer is lost.
    AnswerLost,
}

impl Fault {
    const ALL: [Self; 3] = [Self::SlowDown, Self::Conflict, Self::AnswerLost];

    fn name(self) -> &'static str {
        match self {
            Self::SlowDown => "s3_503",
            Self::Conflict => "s3_409",
            Self::AnswerLost => "s3_answer_lost",
        }
    }
}

#[derive(Default)]
struct Seen {
    requests: BTreeMap<String, u64>,
    faults: BTreeMap<Fault, u64>,
    creations: u64,
    /// Every so many creations one goes wrong; none while it is zero.
    every: u64,
}

/// The front, running.
pub(crate) struct Front {
    seen: Arc<Mutex<Seen>>,
    server: tokio::task::JoinHandle<()>,
    /// Its address.
    pub(crate) url: String,
}

struct Shared {
    seen: Arc<Mutex<Seen>>,
    client: reqwest::Client,
    behind: String,
}

impl Front {
    /// Listens on a free port and passes on to `behind`.
    pub(crate) async fn start(behind: String) -> anyhow::Result<Self> {
        let seen = Arc::new(Mutex::new(Seen::default()));
        let shared = Arc::new(Shared { seen: Arc::clone(&seen), client: reqwest::Client::new(), behind });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let app = Router::new().fallback(pass).layer(DefaultBodyLimit::disable()).with_state(shared);
        let server = tokio::spawn(async move {
            // Ends with the value that holds it.
            let _ = axum::serve(listener, app).await;
        });
        Ok(Self { seen, server, url })
    }

    /// From now on one of so many creations of objects goes wrong, in one way after the other.
    pub(crate) fn go_wrong_every(&self, creations: u64) {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).every = creations;
    }

    /// Requests and faults so far.
    pub(crate) fn to_json(&self) -> Value {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let faults: BTreeMap<&str, u64> = Fault::ALL
            .iter()
            .map(|fault| (fault.name(), seen.faults.get(fault).copied().unwrap_or(0)))
            .collect();
        json!({ "requests": seen.requests, "faults": faults })
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn pass(
    State(shared): State<Arc<Shared>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let fault = {
        let mut seen = shared.seen.lock().unwrap_or_else(PoisonError::into_inner);
        *seen.requests.entry(operation(&method, &uri, &headers)).or_default() += 1;
        seen.fault(&headers)
    };
    match fault {
        Some(Fault::SlowDown) => told(StatusCode::SERVICE_UNAVAILABLE, "SlowDown"),
        Some(Fault::Conflict) => told(StatusCode::CONFLICT, "ConditionalRequestConflict"),
        Some(Fault::AnswerLost) => {
            let _ = shared.send(method, &uri, headers, body).await;
            told(StatusCode::INTERNAL_SERVER_ERROR, "InternalError")
        }
        None => shared
            .send(method, &uri, headers, body)
            .await
            .unwrap_or_else(|error| told(StatusCode::BAD_GATEWAY, &format!("{error:#}"))),
    }
}

impl Seen {
    fn fault(&mut self, headers: &HeaderMap) -> Option<Fault> {
        if !headers.contains_key("if-none-match") {
            return None;
        }
        self.creations += 1;
        if self.every == 0 || !self.creations.is_multiple_of(self.every) {
            return None;
        }
        let turn = usize::try_from(self.creations / self.every).unwrap_or(0);
        let fault = Fault::ALL[turn % Fault::ALL.len()];
        *self.faults.entry(fault).or_default() += 1;
        Some(fault)
    }
}

impl Shared {
    async fn send(
        &self,
        method: Method,
        uri: &Uri,
        mut headers: HeaderMap,
        body: Bytes,
    ) -> anyhow::Result<Response<Body>> {
        let target = uri.path_and_query().context("a request without a path")?.as_str();
        headers.insert("x-forwarded-proto", "https".parse()?);
        let request =
            self.client.request(method, format!("{}{target}", self.behind)).headers(headers).body(body);
        let answer = request.send().await?;
        let mut response = Response::builder().status(answer.status());
        for (name, value) in answer.headers() {
            if name != "transfer-encoding" && name != "connection" {
                response = response.header(name, value);
            }
        }
        Ok(response.body(Body::from(answer.bytes().await?))?)
    }
}

fn told(status: StatusCode, code: &str) -> Response<Body> {
    let text = format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>{code}</Message></Error>");
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    response
}

/// `SQS.SendMessage`, `S3 PUT`: what is counted.
fn operation(method: &Method, uri: &Uri, headers: &HeaderMap) -> String {
    let target = headers.get("x-amz-target").and_then(|value| value.to_str().ok());
    if let Some(target) = target {
        return target.replace("AmazonSQS", "SQS").replace("secretsmanager", "Secrets");
    }
    let is_list = method == Method::GET && uri.query().is_some_and(|query| query.contains("list-type"));
    if is_list { "S3 LIST".to_owned() } else { format!("S3 {method}") }
}
