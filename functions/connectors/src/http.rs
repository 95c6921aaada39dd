//! One HTTP request and its answer: bounded, logged without content, and honest about what is not known.
//!
//! Deliberately absent: retries, pacing, redirects and cookies. Who may be asked again, and when, is for the client
//! of each system to say; a redirect is an answer like any other.

mod download;
pub mod log;
pub(crate) mod retry_after;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use pipeline::ports::clock::Clock;
use reqwest::header::{CONTENT_TYPE, HeaderMap};
use reqwest::redirect::Policy;
use url::{Host, Url};

pub(crate) use download::Download;
use log::{HttpLog, HttpRecord, Outcome};

/// Time in which a connection must stand.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Longest silence within an answer.
const READ_TIMEOUT: Duration = Duration::from_secs(30);
/// Shorter than the idle time of common front ends, so that we rarely write into a connection that is being closed.
const POOL_IDLE: Duration = Duration::from_secs(20);
/// First pause before an equal request is sent again; doubles.
const PAUSE_FIRST: Duration = Duration::from_millis(500);
/// Longest pause.
const PAUSE_MAX: Duration = Duration::from_secs(30);
/// Identifies us in the other side's logs.
const USER_AGENT: &str = concat!("deskferry/", env!("CARGO_PKG_VERSION"));

/// A failure below HTTP. Holds no URL: LeadDesk's key stands in the query.
#[derive(Debug, thiserror::Error)]
#[error("{what}")]
pub(crate) struct TransportError {
    what: &'static str,
    source: reqwest::Error,
}

impl TransportError {
    fn new(what: &'static str, source: reqwest::Error) -> Self {
        Self { what, source: source.without_url() }
    }
}

/// No status line came back.
#[derive(Debug)]
pub(crate) enum Failure {
    /// No connection: not a byte of the request was written.
    NotSent(TransportError),
    /// The request may have arrived.
    NoAnswer(TransportError),
}

/// The status came, the body did not come whole.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BodyFault {
    #[error("the answer is longer than {bytes_max} bytes")]
    TooLong { bytes_max: usize },
    #[error("the answer was cut off")]
    Cut(#[source] TransportError),
}

/// An answer; its body may be missing while its status is known.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Result<Bytes, BodyFault>,
}

impl Answer {
    pub(crate) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    pub(crate) fn is_redirect(&self) -> bool {
        (300..400).contains(&self.status)
    }

    /// The media type in lower case, without parameters.
    pub(crate) fn media_type(&self) -> Option<String> {
        let value = self.headers.get(CONTENT_TYPE)?.to_str().ok()?;
        let media_type = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        (!media_type.is_empty()).then_some(media_type)
    }
}

/// What is to be sent, and how it is named in the log. Deliberately without `Debug`: the URL may hold a key.
pub(crate) struct Exchange {
    pub(crate) request: reqwest::Request,
    /// Pattern such as `POST /tickets`; the only name of the request that is ever shown.
    pub(crate) route: &'static str,
    /// Bytes of the answer at most.
    pub(crate) bytes_max: usize,
    /// Whether the body is wanted; a download that is only asked for is dropped after its headers.
    pub(crate) wants_body: bool,
}

/// A connection pool to one system.
#[derive(Clone)]
pub(crate) struct HttpClient {
    client: reqwest::Client,
    system: &'static str,
    clock: Arc<dyn Clock>,
    log: Arc<dyn HttpLog>,
}

impl HttpClient {
    /// A pool for `base`. Loopback never goes through a proxy.
    pub(crate) fn new(
        system: &'static str,
        base: &Url,
        clock: Arc<dyn Clock>,
        log: Arc<dyn HttpLog>,
    ) -> Result<Self, TransportError> {
        let mut builder = settings();
        if is_loopback(base) {
            builder = builder.no_proxy();
        }
        let client = builder.build().map_err(|error| TransportError::new("cannot set up HTTP", error))?;
        Ok(Self { client, system, clock, log })
    }

    /// A client that reaches `host` at `address` alone, whatever its name leads to by now. No proxy: it would look the
    /// name up once more.
    pub(crate) fn pinned(&self, host: &str, address: SocketAddr) -> Result<Self, TransportError> {
        let builder = settings().no_proxy().resolve_to_addrs(host, &[address]);
        let client = builder.build().map_err(|error| TransportError::new("cannot set up HTTP", error))?;
        Ok(Self { client, ..self.clone() })
    }

    pub(crate) fn request(&self, method: reqwest::Method, url: Url) -> reqwest::RequestBuilder {
        self.client.request(method, url)
    }

    /// Sends once and reads the answer.
    pub(crate) async fn exchange(&self, exchange: Exchange) -> Result<Answer, Failure> {
        let Exchange { request, route, bytes_max, wants_body } = exchange;
        let mut observed = Observed::new(self, route, &request);
        let mut response = match self.client.execute(request).await {
            Ok(response) => response,
            Err(error) => return Err(observed.failed(error)),
        };
        let (status, headers) = (response.status().as_u16(), std::mem::take(response.headers_mut()));
        observed.record.status = Some(status);
        observed.record.bucket = call_limit(&headers);
        let body = if wants_body {
            read_body(&mut response, bytes_max, &mut observed).await
        } else {
            Ok(Bytes::new())
        };
        observed.record.outcome = if body.is_ok() { Outcome::Answered } else { Outcome::BodyLost };
        Ok(Answer { status, headers, body })
    }
}

/// What all clients have in common.
fn settings() -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .user_agent(USER_AGENT)
        .redirect(Policy::none())
        .referer(false)
        .retry(reqwest::retry::never())
        .http1_only()
        .tcp_nodelay(true)
        .connect_timeout(CONNECT_TIMEOUT)
        .read_timeout(READ_TIMEOUT)
        .pool_idle_timeout(POOL_IDLE)
}

async fn read_body(
    response: &mut reqwest::Response,
    bytes_max: usize,
    observed: &mut Observed<'_>,
) -> Result<Bytes, BodyFault> {
    let mut whole = BytesMut::new();
    loop {
        match response.chunk().await {
            Ok(None) => return Ok(whole.freeze()),
            Ok(Some(chunk)) => {
                observed.record.bytes_received += chunk.len() as u64;
                if whole.len() + chunk.len() > bytes_max {
                    return Err(BodyFault::TooLong { bytes_max });
                }
                whole.extend_from_slice(&chunk);
            }
            Err(error) => return Err(BodyFault::Cut(TransportError::new("the connection broke", error))),
        }
    }
}

/// A request under way. It is logged when this is dropped, so that a request which is given up is logged too.
struct Observed<'c> {
    client: &'c HttpClient,
    started: u64,
    record: HttpRecord,
}

impl<'c> Observed<'c> {
    fn new(client: &'c HttpClient, route: &'static str, request: &reqwest::Request) -> Self {
        let bytes_sent = request.body().and_then(reqwest::Body::as_bytes).map_or(0, <[u8]>::len) as u64;
        let record = HttpRecord {
            at: client.clock.now(),
            system: client.system,
            route,
            status: None,
            outcome: Outcome::GivenUp,
            bytes_sent,
            bytes_received: 0,
            milliseconds: 0,
            bucket: None,
        };
        Self { client, started: client.clock.elapsed_nanoseconds(), record }
    }

    /// What it means that no status line came.
    fn failed(&mut self, error: reqwest::Error) -> Failure {
        if error.is_connect() {
            self.record.outcome = Outcome::NotSent;
            return Failure::NotSent(TransportError::new("no connection", error));
        }
        self.record.outcome = if error.is_timeout() { Outcome::Timeout } else { Outcome::NoAnswer };
        Failure::NoAnswer(TransportError::new("no answer", error))
    }
}

impl Drop for Observed<'_> {
    fn drop(&mut self) {
        let elapsed = self.client.clock.elapsed_nanoseconds().saturating_sub(self.started);
        self.record.milliseconds = elapsed / 1_000_000;
        self.client.log.record(&self.record);
    }
}

/// (used, limit) of `X-Gorgias-Account-Api-Call-Limit: used/limit` (facts: rate limits). Header names have no case.
pub(crate) fn call_limit(headers: &HeaderMap) -> Option<(u32, u32)> {
    let text = headers.get("x-gorgias-account-api-call-limit")?.to_str().ok()?;
    let (used, limit) = text.split_once('/')?;
    Some((used.trim().parse().ok()?, limit.trim().parse().ok()?))
}

/// The moment of the answer by the clock of who gave it (RFC 9110, `Date`).
pub(crate) fn moment(headers: &HeaderMap) -> Option<jiff::Timestamp> {
    let text = headers.get("date")?.to_str().ok()?;
    jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text).ok()
}

/// Pause before try number `tries` + 1 of an equal request.
pub(crate) fn pause_after(tries: u32) -> Duration {
    let doubled = 2_u32.checked_pow(tries.saturating_sub(1)).unwrap_or(u32::MAX);
    PAUSE_FIRST.saturating_mul(doubled).min(PAUSE_MAX)
}

/// Whether the host is this machine by its own name or number.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_moment_of_an_answer_is_read() {
        let read = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert("date", text.parse().unwrap());
            moment(&headers).map(|at| at.to_string())
        };
        assert_eq!(read("Sat, 28 Nov 2026 04:38:59 GMT").as_deref(), Some("2026-11-28T04:38:59Z"));
        assert_eq!((read("yesterday"), moment(&HeaderMap::new())), (None, None));
    }

    #[test]
    fn the_call_limit_is_read_whatever_its_case() {
        let check = |text: &str, expected| {
            let mut headers = HeaderMap::new();
            headers.insert("X-Gorgias-Account-Api-Call-Limit", text.parse().unwrap());
            assert_eq!(call_limit(&headers), expected, "{text}");
        };
        check("5/80", Some((5, 80)));
        check(" 39 / 40 ", Some((39, 40)));
        check("40", None);
        check("-1/40", None);
        check("a/b", None);
        assert_eq!(call_limit(&HeaderMap::new()), None);
    }

    #[test]
    fn pauses_double_and_end() {
        let pauses: Vec<u128> = (1..10).map(|tries| pause_after(tries).as_millis()).collect();
        assert_eq!(pauses, [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
        assert_eq!(pause_after(u32::MAX), PAUSE_MAX);
    }

    #[test]
    fn only_this_machine_is_loopback() {
        let check = |url: &str, expected: bool| {
            assert_eq!(is_loopback(&Url::parse(url).unwrap()), expected, "{url}");
        };
        check("http://127.0.0.1:8080/api", true);
        check("http://127.9.9.9", true);
        check("http://[::1]:1", true);
        check("http://localhost", true);
        check("http://localhost.example.com", false);
        check("http://10.0.0.1", false);
        check("http://acme.example", false);
    }
}
