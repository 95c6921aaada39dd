//! The REST token: fetched once, renewed by one request however many need it.
//!
//! Its life is not documented: it is renewed after a 401, and at half of `expires_in` where that is told (facts:
//! REST token request). Deliberately absent: storing it anywhere but in memory.

use pipeline::ports::leaddesk::SourceError;
use reqwest::Method;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::json;
use tokio::sync::Mutex;

use super::answer::{Expected, media_fault};
use super::tries::{Tries, Trouble};
use super::{ANSWER_TIMEOUT, Client};

const NAME: &str = "POST /oauth/access-token";

/// A token in use.
#[derive(Debug, Clone)]
pub(super) struct Token {
    pub(super) access: SecretString,
    /// Which token this is; renewing names the one that was refused.
    pub(super) generation: u64,
    /// When to fetch the next one, on the monotonic clock.
    renew_at: Option<u64>,
}

#[derive(Debug, Default)]
pub(super) struct TokenKeeper {
    /// Held while a token is fetched, so that all others wait for that one.
    current: Mutex<Option<Token>>,
}

#[derive(Deserialize)]
struct TokenAnswer {
    access_token: SecretText,
    expires_in: Option<serde_json::Value>,
}

/// Deserialises without ever being printable.
struct SecretText(SecretString);

impl<'de> Deserialize<'de> for SecretText {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(text.into()))
    }
}

impl TokenKeeper {
    /// The token, fetched or renewed if need be.
    pub(super) async fn current(&self, client: &Client) -> Result<Token, SourceError> {
        let mut current = self.current.lock().await;
        let generation = match &*current {
            Some(token) if token.renew_at.is_none_or(|at| client.clock.elapsed_nanoseconds() < at) => {
                return Ok(token.clone());
            }
            Some(token) => token.generation + 1,
            None => 0,
        };
        match (fetch(client, generation).await, &mut *current) {
            (Ok(token), current) => Ok(current.insert(token).clone()),
            // Half of its life is left: the old one serves, and the next question tries again.
            (Err(SourceError::NoAnswer { .. } | SourceError::Unusable { .. }), Some(token)) => {
                Ok(token.clone())
            }
            (Err(error), _) => Err(error),
        }
    }

    /// Replaces the token of this generation, unless somebody has done so meanwhile.
    pub(super) async fn renew(&self, client: &Client, refused: u64) -> Result<(), SourceError> {
        let mut current = self.current.lock().await;
        if current.as_ref().is_some_and(|token| token.generation == refused) {
            *current = Some(fetch(client, refused + 1).await?);
        }
        Ok(())
    }
}

async fn fetch(client: &Client, generation: u64) -> Result<Token, SourceError> {
    let mut tries = Tries::new(NAME);
    loop {
        let trouble = match fetch_once(client, generation).await? {
            Ok(token) => return Ok(token),
            Err(trouble) => trouble,
        };
        let pause = tries.pause_or_give_up(trouble)?;
        client.clock.sleep(pause).await;
    }
}

async fn fetch_once(client: &Client, generation: u64) -> Result<Result<Token, Trouble>, SourceError> {
    let access = &client.access;
    let body = json!({
        "grant_type": "leaddesk_client_id",
        "leaddesk_client_id": access.account,
        "client_id": access.client_id.expose_secret(),
        "client_secret": access.client_secret.expose_secret(),
    });
    let url = client.rest_url(&["oauth", "access-token"]);
    let request = client.http.request(Method::POST, url).timeout(ANSWER_TIMEOUT).json(&body);
    let answer = match client.send(request, NAME, Expected::Json).await {
        Ok(answer) => answer,
        Err(trouble) => return Ok(Err(trouble)),
    };
    let status = answer.status;
    match status {
        200..=299 => {}
        400 | 401 | 403 => return Err(SourceError::Credentials { request: NAME.to_owned() }),
        408 | 500.. => return Ok(Err(Trouble::Status { status, code: None })),
        _ => {
            return Err(SourceError::Refused { request: NAME.to_owned(), code: format!("HTTP {status}") });
        }
    }
    if let Some(why) = media_fault(Expected::Json, answer.media_type().as_deref()) {
        return Ok(Err(Trouble::Unusable(why)));
    }
    let body = match answer.body {
        Ok(body) => body,
        Err(fault) => return Ok(Err(Trouble::Unusable(fault.to_string()))),
    };
    Ok(match serde_json::from_slice::<TokenAnswer>(&body) {
        Ok(answer) => {
            let now = client.clock.elapsed_nanoseconds();
            let renew_at = answer.expires_in.as_ref().and_then(seconds).map(|life| {
                // Half of its life, in nanoseconds.
                now.saturating_add(life.saturating_mul(500_000_000))
            });
            Ok(Token { access: answer.access_token.0, generation, renew_at })
        }
        // The parser's own words could repeat the token.
        Err(_) => Err(Trouble::Unusable("no access_token in it".to_owned())),
    })
}

/// Seconds as a number or a text; anything else is as good as not told.
fn seconds(value: &serde_json::Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.trim().parse().ok()).filter(|seconds| *seconds > 0)
}
