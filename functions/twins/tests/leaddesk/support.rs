//! A twin to talk to, and the few ways in which tests talk.

use serde_json::Value;
use twins::generate::{Account, Place, PlantedKind, Shape};
use twins::leaddesk::{Config, Profile, Running, start};

/// A running twin with a client that follows no redirects.
pub(crate) struct Visit {
    pub(crate) running: Running,
    pub(crate) client: reqwest::Client,
    pub(crate) auth: String,
    config: Config,
}

/// What a test looks at in an answer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) status: u16,
    pub(crate) content_type: String,
    pub(crate) body: String,
}

impl Seen {
    pub(crate) async fn of(response: reqwest::Response) -> Self {
        let content_type = response.headers()["content-type"].to_str().unwrap().to_owned();
        Self { status: response.status().as_u16(), content_type, body: response.text().await.unwrap() }
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }
}

impl Visit {
    pub(crate) async fn begin(profile: Profile) -> Self {
        Self::with(Config::new(profile)).await
    }

    pub(crate) async fn with(config: Config) -> Self {
        Self::to(config, demo()).await
    }

    pub(crate) async fn to(config: Config, account: Account) -> Self {
        let auth = config.auth.clone();
        let running = start(config.clone(), account).await.unwrap();
        let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Self { running, client, auth, config }
    }

    /// GET of the Original API with the right key; `query` is sent as it is.
    pub(crate) async fn original(&self, query: &str) -> Seen {
        self.get(&format!("/?auth={}&{query}", self.auth)).await
    }

    /// GET without any token.
    pub(crate) async fn get(&self, path: &str) -> Seen {
        Seen::of(self.client.get(self.url(path)).send().await.unwrap()).await
    }

    pub(crate) async fn post(&self, path: &str, body: &str) -> Seen {
        Seen::of(self.client.post(self.url(path)).body(body.to_owned()).send().await.unwrap()).await
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.running.base_url())
    }

    pub(crate) async fn token(&self) -> String {
        let document = serde_json::json!({
            "grant_type": "leaddesk_client_id",
            "leaddesk_client_id": self.config.account_number,
            "client_id": self.config.client_id,
            "client_secret": self.config.client_secret,
        });
        let url = format!("{}/oauth/access-token", self.running.rest_url());
        let seen = Seen::of(self.client.post(url).json(&document).send().await.unwrap()).await;
        assert_eq!(seen.status, 200, "{}", seen.body);
        seen.json()["access_token"].as_str().unwrap().to_owned()
    }

    /// GET of the REST API with a token.
    pub(crate) async fn rest(&self, token: &str, path: &str) -> Seen {
        let url = format!("{}{path}", self.running.rest_url());
        Seen::of(self.client.get(url).bearer_auth(token).send().await.unwrap()).await
    }
}

pub(crate) fn demo() -> Account {
    Account::generate(Shape::demo()).unwrap()
}

pub(crate) fn place(account: &Account, kind: PlantedKind) -> &Place {
    let found = account.planted().iter().find(|planted| planted.kind == kind);
    &found.unwrap_or_else(|| panic!("{kind:?} is not planted")).place
}

/// The planted contact ids of a kind.
pub(crate) fn contacts(account: &Account, kind: PlantedKind) -> Vec<u32> {
    match place(account, kind) {
        Place::Contacts(ids) => ids.clone(),
        other => panic!("{kind:?} is at {other:?}"),
    }
}

/// The planted call ids of a kind.
pub(crate) fn calls(account: &Account, kind: PlantedKind) -> Vec<u32> {
    match place(account, kind) {
        Place::Calls(ids) => ids.clone(),
        other => panic!("{kind:?} is at {other:?}"),
    }
}
