//! One request to Gorgias: waits for its turn in the bucket, sends once, and says which of three things happened.
//!
//! 429 is no outcome: the request was not applied, so it waits and goes again. Deliberately absent: repeating a write
//! whose outcome is not known.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use bytes::Bytes;
use migration::pacer::{Bucket, Pacer, SentTicket};
use pipeline::ports::clock::Clock;
use pipeline::ports::gorgias::{Usage, Window};
use reqwest::Method;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue, LOCATION};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use crate::cause::Cause;
use crate::http::log::HttpLog;
use crate::http::retry_after::retry_after;
use crate::http::{Exchange, Failure, HttpClient, call_limit, moment};

/// An answer larger than this is refused; a page of a hundred tickets or messages stays far below.
const ANSWER_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Time for one attempt, answer included.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(20);
/// The same for a file: fifty megabytes over a line of eight megabits a second.
const FILE_TIMEOUT: Duration = Duration::from_secs(60);
/// Wait after a 429 that names none.
const RETRY_AFTER_DEFAULT: Duration = Duration::from_secs(2);
/// A wait is cut into pieces of this length, because an answer may free the bucket earlier than assumed.
const LOOK_AGAIN: Duration = Duration::from_millis(250);
/// Attempts to get a connection before a request counts as not sent.
const CONNECT_ATTEMPTS: u32 = 3;
/// Windows that are kept for the statistics of a run; what comes later is counted into the last.
const WINDOWS_MAX: usize = 20_000;

/// A request, named by its route pattern so that logs and errors carry no ids of persons.
#[derive(Debug, Clone)]
pub(super) struct Request {
    pub(super) method: Method,
    /// Method and pattern such as `PUT /tickets/{id}`.
    pub(super) route: &'static str,
    /// Path below `/api`, such as `/tickets/7`.
    pub(super) path: String,
    pub(super) query: Vec<(&'static str, String)>,
    pub(super) body: Option<Bytes>,
    /// Content type of a body that is a form with a file; every other is JSON.
    pub(super) form: Option<String>,
}

impl Request {
    pub(super) fn get(
        route: &'static str,
        path: impl Into<String>,
        query: Vec<(&'static str, String)>,
    ) -> Self {
        Self { method: Method::GET, route, path: path.into(), query, body: None, form: None }
    }

    pub(super) fn write(
        method: Method,
        route: &'static str,
        path: impl Into<String>,
        body: Option<Bytes>,
    ) -> Self {
        Self { method, route, path: path.into(), query: Vec::new(), body, form: None }
    }

    /// Method and pattern, such as `POST /tickets`.
    pub(super) fn name(&self) -> String {
        self.route.to_owned()
    }
}

/// What came of one attempt.
#[derive(Debug)]
pub(super) enum Outcome {
    /// An answer with its whole body.
    Answer(u16, Bytes),
    /// The record is elsewhere: status and path below `/api`, where the account itself is named.
    Moved(u16, Option<String>),
    /// No byte of the request was written.
    NotSent(Cause),
    /// The request may have been applied; the answer is not whole.
    NoAnswer(Cause),
}

/// The way to one account.
pub(super) struct Transport {
    client: HttpClient,
    api: Url,
    authorization: HeaderValue,
    /// Every form in which the credentials could come back in an answer.
    secrets: Vec<SecretString>,
    clock: Arc<dyn Clock>,
    /// Held by whoever is next to leave.
    line: tokio::sync::Mutex<()>,
    pacer: Mutex<Pacer>,
    usage: Mutex<Usage>,
    window: Duration,
}

impl Transport {
    /// `base` is the account's address without `/api`.
    pub(super) fn new(
        base: &Url,
        email: &str,
        key: &SecretString,
        bucket: Bucket,
        clock: Arc<dyn Clock>,
        log: Arc<dyn HttpLog>,
    ) -> Result<Self, Cause> {
        let pair = format!("{email}:{}", key.expose_secret());
        let encoded = base64::engine::general_purpose::STANDARD.encode(pair);
        let mut authorization = HeaderValue::from_str(&format!("Basic {encoded}"))
            .map_err(|_| Cause::because("the email or the key holds characters that no header takes"))?;
        authorization.set_sensitive(true);
        let secrets = forms(key.expose_secret(), &encoded);
        let mut api = base.clone();
        api.set_path("/api");
        let pacer = Mutex::new(Pacer::new(bucket, clock.elapsed_nanoseconds()));
        let client = HttpClient::new("gorgias", base, Arc::clone(&clock), log)
            .map_err(|error| Cause::because(error.to_string()))?;
        let line = tokio::sync::Mutex::new(());
        let (usage, window) = (Mutex::default(), bucket.window);
        Ok(Self { client, api, authorization, secrets, clock, line, pacer, usage, window })
    }

    /// Whether a text from outside holds the credentials, which it has no business to do.
    pub(super) fn repeats_a_secret(&self, text: &[u8]) -> bool {
        let holds = |secret: &str| {
            text.windows(secret.len()).any(|part| part.eq_ignore_ascii_case(secret.as_bytes()))
        };
        self.secrets.iter().any(|secret| holds(secret.expose_secret()))
    }

    pub(super) fn usage(&self) -> Usage {
        self.usage.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Sends once the bucket allows it; goes again after 429 and, a few times, when no connection came about.
    pub(super) async fn send(&self, request: &Request) -> Outcome {
        let mut connects = 0;
        loop {
            let place = self.turn().await;
            match self.attempt(request, place).await {
                Attempt::Throttled => {}
                Attempt::Done(Outcome::NotSent(cause)) => {
                    connects += 1;
                    if connects >= CONNECT_ATTEMPTS {
                        return Outcome::NotSent(cause);
                    }
                    self.clock.sleep(Duration::from_secs(u64::from(connects))).await;
                }
                Attempt::Done(outcome) => return outcome,
            }
        }
    }

    /// Waits until the bucket has room and takes the place. All who wait stand in line, so that none is passed over and
    /// only one sets a timer: what leaked while it overslept lets the next ones leave at once.
    async fn turn(&self) -> Place<'_> {
        let _next = self.line.lock().await;
        loop {
            let wait = {
                let mut pacer = self.pacer.lock().unwrap_or_else(PoisonError::into_inner);
                let now = self.clock.elapsed_nanoseconds();
                let wait = pacer.wait(now);
                if wait.is_zero() {
                    return Place { transport: self, ticket: Some(pacer.sent(now)) };
                }
                wait
            };
            self.clock.sleep(wait.min(LOOK_AGAIN)).await;
        }
    }

    async fn attempt(&self, request: &Request, place: Place<'_>) -> Attempt {
        let mut address = self.api.clone();
        address.set_path(&format!("/api{}", request.path));
        let mut builder = self
            .client
            .request(request.method.clone(), address)
            .timeout(if request.form.is_some() { FILE_TIMEOUT } else { ATTEMPT_TIMEOUT })
            .header(AUTHORIZATION, self.authorization.clone());
        if !request.query.is_empty() {
            builder = builder.query(&request.query);
        }
        if let Some(body) = &request.body {
            let content_type = request.form.as_deref().unwrap_or("application/json");
            builder = builder.header("content-type", content_type).body(body.clone());
        }
        let built = match builder.build() {
            Ok(built) => built,
            Err(_) => {
                return Attempt::Done(Outcome::NotSent(Cause::because("the request cannot be built")));
            }
        };
        self.count(request, self.clock.now());
        let exchange =
            Exchange { request: built, route: request.route, bytes_max: ANSWER_BYTES_MAX, wants_body: true };
        let answer = match self.client.exchange(exchange).await {
            Ok(answer) => answer,
            Err(failure) => {
                place.answered(None);
                return Attempt::Done(match failure {
                    Failure::NotSent(error) => Outcome::NotSent(Cause::of(&error)),
                    Failure::NoAnswer(error) => Outcome::NoAnswer(Cause::of(&error)),
                });
            }
        };
        if answer.status == 429 {
            let wait = retry_after(&answer.headers, self.clock.now());
            place.throttled(wait.unwrap_or(RETRY_AFTER_DEFAULT));
            return Attempt::Throttled;
        }
        place.answered(call_limit(&answer.headers));
        self.compare_clocks(&answer.headers);
        if answer.is_redirect() {
            return Attempt::Done(Outcome::Moved(answer.status, self.path_of(&answer.headers)));
        }
        Attempt::Done(match answer.body {
            Ok(body) => Outcome::Answer(answer.status, body),
            Err(fault) => Outcome::NoAnswer(Cause::of(&fault)),
        })
    }

    fn compare_clocks(&self, headers: &HeaderMap) {
        if let Some(theirs) = moment(headers) {
            let ahead = theirs.as_second() - self.clock.now().as_second();
            self.usage.lock().unwrap_or_else(PoisonError::into_inner).clock_ahead_seconds = Some(ahead);
        }
    }

    /// The path that a redirect names, if it stays within the account.
    fn path_of(&self, headers: &HeaderMap) -> Option<String> {
        let target = self.api.join(headers.get(LOCATION)?.to_str().ok()?).ok()?;
        let is_ours = target.origin() == self.api.origin();
        let path = target.path().strip_prefix("/api").filter(|_| is_ours)?;
        Some(path.trim_end_matches('/').to_owned())
    }

    fn settle(&self, ticket: SentTicket, bucket: Option<(u32, u32)>) {
        let now = self.clock.elapsed_nanoseconds();
        self.pacer.lock().unwrap_or_else(PoisonError::into_inner).answered(now, ticket, bucket);
        if bucket.is_some() {
            self.usage.lock().unwrap_or_else(PoisonError::into_inner).bucket = bucket;
        }
    }

    fn throttled(&self, ticket: SentTicket, wait: Duration) {
        let now = self.clock.elapsed_nanoseconds();
        self.pacer.lock().unwrap_or_else(PoisonError::into_inner).throttled(now, ticket, wait);
        let mut usage = self.usage.lock().unwrap_or_else(PoisonError::into_inner);
        usage.throttled += 1;
        if let Some(window) = usage.windows.last_mut() {
            window.throttled += 1;
        }
    }

    /// Counts a request that leaves now, into its route and its window.
    fn count(&self, request: &Request, at: jiff::Timestamp) {
        let mut usage = self.usage.lock().unwrap_or_else(PoisonError::into_inner);
        *usage.requests.entry(request.name()).or_default() += 1;
        let milliseconds = u64::try_from(self.window.as_millis()).unwrap_or(u64::MAX).max(1);
        let fits = usage.windows.last().is_some_and(|window| {
            let age = at.as_millisecond().saturating_sub(window.started_at.as_millisecond());
            u64::try_from(age).unwrap_or(0) < window.milliseconds || usage.windows.len() >= WINDOWS_MAX
        });
        if !fits {
            usage.windows.push(Window { started_at: at, milliseconds, requests: 0, throttled: 0 });
        }
        if let Some(window) = usage.windows.last_mut() {
            window.requests += 1;
        }
    }
}

/// A place in the bucket, from sending to the answer. Whoever gives a request up on the way holds nobody else up: it counts
/// as one that was answered, since Gorgias may have counted it.
struct Place<'t> {
    transport: &'t Transport,
    ticket: Option<SentTicket>,
}

impl Place<'_> {
    fn answered(mut self, bucket: Option<(u32, u32)>) {
        if let Some(ticket) = self.ticket.take() {
            self.transport.settle(ticket, bucket);
        }
    }

    fn throttled(mut self, wait: Duration) {
        if let Some(ticket) = self.ticket.take() {
            self.transport.throttled(ticket, wait);
        }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket.take() {
            self.transport.settle(ticket, None);
        }
    }
}

enum Attempt {
    Throttled,
    Done(Outcome),
}

/// The key raw, in base64, hexadecimal and percent-encoded, and the pair as the header has it.
fn forms(key: &str, pair: &str) -> Vec<SecretString> {
    let base64 = base64::engine::general_purpose::STANDARD_NO_PAD.encode(key);
    let hexadecimal: String = key.bytes().map(|byte| format!("{byte:02x}")).collect();
    let encoded: String = url::form_urlencoded::byte_serialize(key.as_bytes()).collect();
    let forms = [key.to_owned(), base64, hexadecimal, encoded, pair.trim_end_matches('=').to_owned()];
    forms.into_iter().filter(|form| !form.is_empty()).map(SecretString::from).collect()
}
