//! A twin with a manual clock and a client beside it.

use reqwest::header::HeaderMap;
use serde_json::{Value, json};
use twins::gorgias::{self, Bucket, Clock, Config, ManualClock, Preexisting, Running, Switches};

/// A twin, its clock and a client with the right key.
pub(crate) struct Desk {
    pub(crate) running: Running,
    pub(crate) clock: ManualClock,
    pub(crate) client: reqwest::Client,
    email: String,
    key: String,
}

/// One answer.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Answer {
    /// Status and message: `400 name: Unknown field.`
    pub(crate) fn brief(&self) -> String {
        match self.body["error"]["msg"].as_str() {
            Some(message) => format!("{} {message}", self.status),
            None => self.status.to_string(),
        }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    pub(crate) fn id(&self) -> u64 {
        self.body["id"].as_u64().unwrap_or_else(|| panic!("no id: {} {}", self.status, self.body))
    }

    /// One key of every row of a list.
    pub(crate) fn column(&self, key: &str) -> Vec<Value> {
        self.body["data"].as_array().unwrap().iter().map(|row| row[key].clone()).collect()
    }
}

/// A configuration with a bucket so wide that it never matters, and nothing that runs by itself.
pub(crate) fn quiet() -> Config {
    Config {
        bucket: Bucket { capacity: 1_000_000, window_seconds: 1.0 },
        preexisting: Preexisting { rules: false, surveys: false, webhook: false, ..Preexisting::default() },
        ..Config::default()
    }
}

/// A quiet account with changed switches.
pub(crate) fn with(change: impl FnOnce(&mut Switches)) -> Config {
    let mut config = quiet();
    change(&mut config.switches);
    config
}

impl Desk {
    pub(crate) async fn open(mut config: Config) -> Self {
        let clock = ManualClock::at("2026-11-01T00:00:00Z").unwrap();
        config.clock = Clock::Manual(clock.clone());
        let (email, key) = (config.email.clone(), config.api_key.clone());
        let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Self { running: gorgias::start(config).await.unwrap(), clock, client, email, key }
    }

    pub(crate) async fn quiet() -> Self {
        Self::open(quiet()).await
    }

    /// The same client before another twin that takes its key.
    pub(crate) fn beside(self, running: Running) -> Self {
        Self { running, ..self }
    }

    pub(crate) fn request(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        let url = format!("{}{path}", self.running.base_url());
        self.client.request(method.parse().unwrap(), url).basic_auth(&self.email, Some(&self.key))
    }

    pub(crate) async fn send(&self, request: reqwest::RequestBuilder) -> Answer {
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = serde_json::from_slice(&response.bytes().await.unwrap()).unwrap_or(Value::Null);
        Answer { status, headers, body }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(self.request("GET", path)).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.send(self.request("DELETE", path)).await
    }

    pub(crate) async fn call(&self, method: &str, path: &str, body: Value) -> Answer {
        self.send(self.request(method, path).json(&body)).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.call("POST", path, body).await
    }

    pub(crate) async fn put(&self, path: &str, body: Value) -> Answer {
        self.call("PUT", path, body).await
    }

    /// The id of a user by e-mail.
    pub(crate) async fn user(&self, email: &str) -> u64 {
        let found = self.get(&format!("/api/users?email={email}")).await;
        found.body["data"][0]["id"].as_u64().unwrap()
    }

    /// A new customer with this e-mail.
    pub(crate) async fn customer(&self, email: &str) -> u64 {
        self.post("/api/customers", customer(email)).await.id()
    }

    /// A new custom field of text.
    pub(crate) async fn field(&self, object: &str, label: &str) -> u64 {
        self.post("/api/custom-fields", field(object, label)).await.id()
    }

    /// A new ticket with one internal note.
    pub(crate) async fn ticket(&self, customer: u64) -> u64 {
        self.post("/api/tickets", ticket(customer)).await.id()
    }

    /// The codes of one ledger.
    pub(crate) fn codes(&self, ledger: &str) -> Vec<String> {
        let ledgers = serde_json::to_value(self.running.ledgers()).unwrap();
        let rows = ledgers[ledger].as_array().unwrap();
        rows.iter().map(|row| row["code"].as_str().unwrap().to_owned()).collect()
    }
}

pub(crate) fn customer(email: &str) -> Value {
    json!({ "name": "Test Customer", "channels": [{ "type": "email", "address": email, "preferred": true }] })
}

pub(crate) fn field(object: &str, label: &str) -> Value {
    json!({
        "object_type": object, "label": label,
        "definition": { "data_type": "text", "input_settings": { "input_type": "input" } },
    })
}

pub(crate) fn note(text: &str) -> Value {
    json!({ "channel": "internal-note", "via": "api", "from_agent": true, "public": false, "body_text": text })
}

pub(crate) fn incoming(text: &str) -> Value {
    json!({ "channel": "phone", "via": "api", "from_agent": false, "body_text": text })
}

pub(crate) fn ticket(customer: u64) -> Value {
    json!({ "customer": { "id": customer }, "via": "api", "messages": [note("A note.")] })
}

/// `base` with the keys of `more` over it; nulls of `more` remove a key.
pub(crate) fn merged(base: Value, more: Value) -> Value {
    let (mut base, more) = (base, more);
    for (key, value) in more.as_object().unwrap() {
        if value.is_null() {
            base.as_object_mut().unwrap().remove(key);
        } else {
            base[key] = value.clone();
        }
    }
    base
}
