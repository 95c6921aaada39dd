//! LeadDesk over HTTP: the Original API by `mod` and `cmd`, the REST API by resources.
//!
//! Only questions that read can be built, see [`command`]; there is no DELETE, PATCH or PUT in this module, and the one
//! POST fetches a token. The key of the Original API stands in query strings, so no URL is ever printed or passed on.
//! Deliberately absent: what the answers mean; they go to the steps as text once their shape is proven.

mod answer;
mod command;
mod error_code;
mod pace;
mod port;
mod recording;
mod recording_address;
mod token;
mod tries;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use pipeline::ports::clock::Clock;
use pipeline::ports::leaddesk::SourceError;
use reqwest::Method;
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use crate::http::log::HttpLog;
use crate::http::retry_after::retry_after;
use crate::http::{Answer, Exchange, Failure, HttpClient};

use answer::{Expected, media_fault, without_byte_order_mark};
use command::Question;
use error_code::error_code;
use pace::Pace;
use recording_address::Hosts;
pub(crate) use recording_address::pattern_fault;
pub use recording_address::{Resolve, SystemResolver};
use token::TokenKeeper;
use tries::{Tries, Trouble};

/// Time for one answer that fits into one page.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);
/// Time for the export of a whole list.
const EXPORT_TIMEOUT: Duration = Duration::from_secs(300);
/// Bytes of one JSON answer; a page of 100 users has less than 100 kB.
const JSON_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Bytes of one list export; uploads are limited to 10 MB a file (facts: upload limits), lists may be merged.
const EXPORT_BYTES_MAX: usize = 512 * 1024 * 1024;

/// How to reach an account. Its `Debug` text shows no secret.
#[derive(Debug, Clone)]
pub struct Access {
    /// Base of the Original API, such as `https://api.leaddesk.com`.
    pub original_api_url: Url,
    /// Base of the REST API with its version, such as `https://restapi-nor.leaddesk.com/stable`; names the zone.
    pub rest_api_url: Url,
    /// The constant key of the Original API.
    pub auth: SecretString,
    /// Account number, the `leaddesk_client_id` of token requests.
    pub account: u64,
    /// REST credentials.
    pub client_id: SecretString,
    /// REST credentials.
    pub client_secret: SecretString,
    /// Requests in flight at most.
    pub in_flight: usize,
    /// Pace over both APIs; no limit is documented, five is a careful guess (facts: rate).
    pub requests_per_second: f64,
    /// Hosts that recordings are taken from; `*` stands for a part of one label.
    pub recording_hosts: Vec<String>,
}

/// Where LeadDesk's recordings lie (facts: REST resources).
pub const RECORDING_HOSTS: [&str; 1] = ["rec-*.leaddesk.com"];

/// The client could not be built.
#[derive(Debug, thiserror::Error)]
#[error("cannot prepare the connection to LeadDesk")]
pub struct CannotConnect(#[source] Box<dyn std::error::Error + Send + Sync>);

/// The client; one per account and process. Behind one `Arc` there is one pace and one token.
pub struct Client {
    access: Access,
    http: HttpClient,
    clock: Arc<dyn Clock>,
    pace: Pace,
    token: TokenKeeper,
    requests: Mutex<BTreeMap<String, u64>>,
    recording_hosts: Hosts,
    resolver: Arc<dyn Resolve>,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("leaddesk::Client").field("access", &self.access).finish_non_exhaustive()
    }
}

impl Client {
    /// Builds the client; sends nothing.
    ///
    /// # Errors
    /// The TLS set-up of this machine cannot be used.
    pub fn new(access: Access, clock: Arc<dyn Clock>, log: Arc<dyn HttpLog>) -> Result<Self, CannotConnect> {
        let http = HttpClient::new("leaddesk", &access.original_api_url, Arc::clone(&clock), log)
            .map_err(|cause| CannotConnect(Box::new(cause)))?;
        let pace = Pace::new(access.requests_per_second, access.in_flight, Arc::clone(&clock));
        let recording_hosts = Hosts::new(&access.recording_hosts, &access.rest_api_url);
        Ok(Self {
            access,
            http,
            clock,
            pace,
            token: TokenKeeper::default(),
            requests: Mutex::default(),
            recording_hosts,
            resolver: Arc::new(SystemResolver),
        })
    }

    /// The same client with another way to look up the hosts of recordings.
    #[must_use]
    pub fn with_resolver(self, resolver: Arc<dyn Resolve>) -> Self {
        Self { resolver, ..self }
    }

    /// Asks until there is a usable answer, or it is clear that there will be none.
    async fn ask<T>(
        &self,
        question: &Question,
        read: impl Fn(&[u8]) -> Result<T, String> + Send,
    ) -> Result<T, SourceError> {
        let mut tries = Tries::new(question.name());
        loop {
            let trouble = match self.try_once(question, &mut tries).await? {
                Ok(answer) => match usable(question, answer) {
                    Ok(body) => match error_code(&body) {
                        Some(code) => return Err(refusal(question, &code)),
                        None => match read(without_byte_order_mark(&body)) {
                            Ok(value) => return Ok(value),
                            Err(why) => Trouble::Unusable(why),
                        },
                    },
                    Err(trouble) => trouble,
                },
                Err(trouble) => trouble,
            };
            let pause = tries.pause_or_give_up(trouble)?;
            self.clock.sleep(pause).await;
        }
    }

    /// One request. The outer error ends the question, the inner one may be tried again.
    async fn try_once(
        &self,
        question: &Question,
        tries: &mut Tries,
    ) -> Result<Result<Answer, Trouble>, SourceError> {
        let token = match question {
            Question::Rest(_) => Some(self.token.current(self).await?),
            Question::Original(_) => None,
        };
        let mut request = self.http.request(Method::GET, self.url(question)).timeout(timeout(question));
        if let Some(token) = &token {
            request = request.bearer_auth(token.access.expose_secret());
        }
        let answer = match self.send(request, question.name(), question.expected()).await {
            Ok(answer) => answer,
            Err(trouble) => return Ok(Err(trouble)),
        };
        match (answer.status, token) {
            (401, Some(token)) if tries.may_renew_token() => {
                self.token.renew(self, token.generation).await?;
                Ok(Err(Trouble::TokenRenewed))
            }
            _ => self.judge(question, answer),
        }
    }

    /// Sends one request in its turn, and counts it.
    async fn send(
        &self,
        request: reqwest::RequestBuilder,
        name: &'static str,
        expected: Expected,
    ) -> Result<Answer, Trouble> {
        // What cannot be built was never sent; the builder's error may repeat a header, so it is dropped.
        let Ok(request) = request.build() else { return Err(Trouble::NotBuilt) };
        let _slot = self.pace.slot().await;
        *self.requests.lock().unwrap_or_else(PoisonError::into_inner).entry(name.to_owned()).or_default() +=
            1;
        let bytes_max = if expected == Expected::Csv { EXPORT_BYTES_MAX } else { JSON_BYTES_MAX };
        let wants_body = expected != Expected::Location;
        let exchange = Exchange { request, route: name, bytes_max, wants_body };
        match self.http.exchange(exchange).await {
            Ok(answer) if answer.status == 429 => {
                let wait = retry_after(&answer.headers, self.clock.now());
                self.pace.hold(wait.unwrap_or_default());
                Err(Trouble::Throttled(wait))
            }
            Ok(answer) => Ok(answer),
            Err(Failure::NotSent(cause) | Failure::NoAnswer(cause)) => Err(Trouble::Transport(cause)),
        }
    }

    /// Sorts an answer by its status alone.
    fn judge(&self, question: &Question, answer: Answer) -> Result<Result<Answer, Trouble>, SourceError> {
        let request = || question.name().to_owned();
        let status = answer.status;
        match status {
            _ if answer.is_success() => Ok(Ok(answer)),
            _ if answer.is_redirect() && question.expected() == Expected::Location => Ok(Ok(answer)),
            300..=399 => Err(SourceError::Unusable {
                request: request(),
                why: format!("redirect {status}; is the address of the API right?"),
            }),
            400 | 422 => {
                let code = answer.body.as_deref().ok().and_then(error_code);
                Err(refusal(question, code.as_deref().unwrap_or("HTTP 400")))
            }
            401 => Err(SourceError::Credentials { request: request() }),
            403 => Err(SourceError::NotAllowed { request: request() }),
            404 | 410 if matches!(question, Question::Rest(_)) => {
                Err(SourceError::NotFound { request: request() })
            }
            408 | 500.. => {
                let code = answer.body.as_deref().ok().and_then(error_code);
                Ok(Err(Trouble::Status { status, code }))
            }
            _ => Err(SourceError::Refused { request: request(), code: format!("HTTP {status}") }),
        }
    }

    /// The address of a question, key included. Never printed.
    fn url(&self, question: &Question) -> Url {
        match question {
            Question::Original(command) => {
                let mut url = self.access.original_api_url.clone();
                let (module, name) = command.module_and_name();
                let mut pairs = url.query_pairs_mut();
                pairs.append_pair("auth", self.access.auth.expose_secret());
                pairs.append_pair("mod", module).append_pair("cmd", name);
                for (key, value) in command.parameters() {
                    pairs.append_pair(key, value);
                }
                drop(pairs);
                url
            }
            Question::Rest(resource) => {
                let mut url = self.rest_url(&resource.segments());
                let parameters = resource.parameters();
                if !parameters.is_empty() {
                    url.query_pairs_mut().extend_pairs(parameters);
                }
                url
            }
        }
    }

    fn rest_url(&self, segments: &[&str]) -> Url {
        let mut url = self.access.rest_api_url.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(segments);
        }
        url
    }
}

fn timeout(question: &Question) -> Duration {
    if question.expected() == Expected::Csv { EXPORT_TIMEOUT } else { ANSWER_TIMEOUT }
}

/// The body of a successful answer, when it is of the kind that was asked for.
fn usable(question: &Question, answer: Answer) -> Result<bytes::Bytes, Trouble> {
    if let Some(why) = media_fault(question.expected(), answer.media_type().as_deref()) {
        return Err(Trouble::Unusable(why));
    }
    answer.body.map_err(|fault| Trouble::Unusable(fault.to_string()))
}

/// What a code of the Original API means (facts: error codes).
fn refusal(question: &Question, code: &str) -> SourceError {
    let request = question.name().to_owned();
    match code {
        "ERR_AUTHENTICATION" => SourceError::Credentials { request },
        "ERR_NOT_FOUND" => SourceError::NotFound { request },
        code => SourceError::Refused { request, code: code.to_owned() },
    }
}
