//! The twin at work: receives a request, asks what should become of it, answers it, writes down what it was.
//!
//! Deliberately absent: what the answers are; each API has its own module. Also absent: TLS and other hosts, see `http`.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock, PoisonError, RwLock, RwLockReadGuard};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{Method, Response, header};
use bytes::Bytes;
use futures::StreamExt as _;

use crate::generate::{Account, Change, ChangeError};
use crate::http;
use crate::leaddesk::answer::{Answer, HTML, JSON, TEXT};
use crate::leaddesk::config::Config;
use crate::leaddesk::fault::{Fault, FaultAction, RequestSummary, SERVICE, ScheduledFaults};
use crate::leaddesk::ledger::{Ledger, Ledgers, ViolationKind};
use crate::leaddesk::lists::Shifts;
use crate::leaddesk::original::{self, Context, Target};
use crate::leaddesk::parameters::Parameters;
use crate::leaddesk::rest::{self, Resource};
use crate::leaddesk::throttle::Throttle;
use crate::leaddesk::tokens::Tokens;
use crate::leaddesk::{audio, control};

/// Bodies above this are refused; reading commands have next to none, fault plans are small.
const BODY_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Bytes of one piece of a huge body.
const PIECE_BYTES: usize = 64 * 1024;

const FORM: &str = "application/x-www-form-urlencoded";

/// A page as proxies and maintenance screens show it.
const PAGE_FOR_PEOPLE: &str = "<!DOCTYPE html>\n<html><head><title>Please wait</title></head><body><h1>We will be right back</h1></body></html>\n";

/// An account on the air, without the socket.
pub struct Twin {
    pub(crate) config: Config,
    pub(crate) ledger: Ledger,
    pub(crate) tokens: Tokens,
    pub(crate) shifts: Shifts,
    account: RwLock<Account>,
    faults: RwLock<Arc<dyn Fault>>,
    throttle: Throttle,
    addr: OnceLock<SocketAddr>,
}

/// A request in full.
pub(crate) struct Received {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) authorization: Option<String>,
    content_type: Option<String>,
    pub(crate) body: Bytes,
}

impl Received {
    pub(crate) fn is_json(&self) -> bool {
        self.content_type.as_deref() == Some("application/json")
    }

    pub(crate) fn form(&self) -> Option<&[u8]> {
        (self.content_type.as_deref() == Some(FORM)).then_some(&*self.body)
    }
}

impl Twin {
    /// A twin of the account that nobody can reach yet.
    pub fn new(config: Config, account: Account) -> Arc<Self> {
        let faults = config.faults.clone().unwrap_or_else(|| Arc::new(ScheduledFaults::default()));
        Arc::new(Self {
            config,
            ledger: Ledger::default(),
            tokens: Tokens::default(),
            shifts: Shifts::default(),
            account: RwLock::new(account),
            faults: RwLock::new(faults),
            throttle: Throttle::default(),
            addr: OnceLock::new(),
        })
    }

    /// The twin's requests, for any server.
    pub fn router(self: &Arc<Self>) -> Router {
        Router::new().fallback(receive).with_state(Arc::clone(self))
    }

    /// The account as it is now. Changes wait for as long as this is held.
    pub fn account(&self) -> RwLockReadGuard<'_, Account> {
        self.account.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets changes happen in the account, all before any further request is answered.
    ///
    /// # Errors
    /// When a change names something that is not there; those before it stay applied.
    pub fn apply(&self, changes: &[Change]) -> Result<(), ChangeError> {
        self.account.write().unwrap_or_else(PoisonError::into_inner).apply(changes)
    }

    /// Replaces what decides over faults.
    pub fn set_faults(&self, faults: Arc<dyn Fault>) {
        *self.faults.write().unwrap_or_else(PoisonError::into_inner) = faults;
    }

    /// What the twin remembers of its visitors.
    pub fn ledgers(&self) -> Ledgers {
        self.ledger.read(self.faults().struck())
    }

    /// Where the twin is, without a slash at the end.
    pub fn base_url(&self) -> String {
        let addr = self.addr.get().unwrap_or(&self.config.listen);
        format!("http://{addr}")
    }

    fn faults(&self) -> Arc<dyn Fault> {
        Arc::clone(&self.faults.read().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A twin that is being served. Dropping it stops it without waiting.
pub struct Running {
    /// The bound address.
    pub addr: SocketAddr,
    twin: Arc<Twin>,
    server: http::Running,
}

impl Running {
    /// The twin behind the socket.
    pub fn twin(&self) -> &Arc<Twin> {
        &self.twin
    }

    /// Base of the Original API and of the control endpoints.
    pub fn base_url(&self) -> String {
        self.twin.base_url()
    }

    /// Base of the REST API.
    pub fn rest_url(&self) -> String {
        format!("{}{}", self.base_url(), self.twin.config.rest_path)
    }

    /// Closes all connections.
    pub async fn stop(self) {
        self.server.stop().await;
    }
}

/// Serves an account.
///
/// # Errors
/// When the address is not loopback, or cannot be bound.
pub async fn start(config: Config, account: Account) -> io::Result<Running> {
    let listen = config.listen;
    let twin = Twin::new(config, account);
    let server = http::serve(twin.router(), listen).await?;
    let addr = server.addr;
    // Nothing else sets it.
    twin.addr.set(addr).ok();
    Ok(Running { addr, twin, server })
}

async fn receive(State(twin): State<Arc<Twin>>, request: Request) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let header = |name| parts.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let content_type = header(header::CONTENT_TYPE)
        .map(|value| value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase());
    let authorization = header(header::AUTHORIZATION);
    let Ok(body) = axum::body::to_bytes(body, BODY_BYTES_MAX).await else {
        return Answer::new(413, TEXT, "body too large").into_response();
    };
    let received = Received {
        method: parts.method,
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        authorization,
        content_type,
        body,
    };
    if let Some(answer) = control::answer(&twin, &received) {
        return answer.into_response();
    }
    converse(&twin, &received).await
}

/// Which API a request is for, and what it wants there.
enum Destination<'a> {
    Original(Target, Parameters<'a>),
    Rest(Resource<'a>),
    Recording,
}

impl<'a> Destination<'a> {
    fn of(twin: &Twin, received: &'a Received) -> Self {
        let features = &twin.config.features;
        if received.path.starts_with(audio::DOWNLOADS) {
            return Self::Recording;
        }
        match received.path.strip_prefix(twin.config.rest_path.as_str()).filter(|rest| rest.starts_with('/'))
        {
            Some(rest) => Self::Rest(Resource::of(rest, features)),
            None if received.path == "/" => {
                let parameters = Parameters::read(&received.query, received.form());
                Self::Original(Target::of(&parameters, features), parameters)
            }
            None => Self::Rest(Resource::Unknown),
        }
    }

    fn route(&self) -> &'static str {
        match self {
            Self::Original(target, _) => target.route(),
            Self::Rest(resource) => resource.route(),
            Self::Recording => "recording",
        }
    }

    /// Whether the request would change the account, and what to call it in the ledger.
    fn violation(&self, method: &Method) -> Option<(ViolationKind, &str)> {
        match self {
            Self::Original(Target::Write(command), _) => Some((ViolationKind::WriteCommand, command)),
            Self::Original(_, _) | Self::Recording => {
                let kind = match *method {
                    Method::DELETE => ViolationKind::Delete,
                    Method::PUT | Method::PATCH => ViolationKind::WriteMethod,
                    _ => return None,
                };
                Some((kind, self.route()))
            }
            Self::Rest(resource) => resource.violation(method).map(|kind| (kind, resource.route())),
        }
    }

    fn error(&self, status: u16) -> Answer {
        match self {
            Self::Original(_, _) => original::internal_error(status),
            _ => Answer::rest_error(status, "error", "the request could not be handled"),
        }
    }

    fn answer(&self, twin: &Twin, received: &Received) -> Answer {
        let reads = matches!(received.method, Method::GET | Method::POST);
        match self {
            Self::Rest(resource) => rest::answer(twin, *resource, received),
            Self::Recording if received.method == Method::GET => audio::download(twin, received),
            Self::Original(target, parameters) if reads => {
                let account = twin.account();
                let context = Context { account: &account, config: &twin.config, parameters };
                let stray_body = !received.body.is_empty() && received.form().is_none();
                original::answer(target, &context, stray_body).unwrap_or_else(Answer::from)
            }
            Self::Recording | Self::Original(_, _) if received.method == Method::DELETE => self.error(403),
            Self::Recording | Self::Original(_, _) => self.error(405),
        }
    }
}

async fn converse(twin: &Twin, received: &Received) -> Response<Body> {
    let destination = Destination::of(twin, received);
    let route = destination.route();
    twin.ledger.request(route);
    if let Some((kind, target)) = destination.violation(&received.method) {
        twin.ledger.violation(kind, received.method.as_str(), target);
    }
    let summary = RequestSummary { service: SERVICE, method: received.method.as_str(), route };
    let action = twin.faults().next(&summary);
    let (answer, ending) = match before(&action, &destination) {
        Some(outcome) => outcome,
        None => (admitted(twin, &destination, received), after(&action)),
    };
    if let FaultAction::Delay(milliseconds) = action {
        tokio::time::sleep(Duration::from_millis(milliseconds)).await;
    }
    twin.ledger.answer(if ending == Ending::HangUp { 0 } else { answer.status });
    end(answer, ending)
}

fn admitted(twin: &Twin, destination: &Destination<'_>, received: &Received) -> Answer {
    if let Some(limit) = twin.config.knobs.rate_limit
        && let Err(seconds) = twin.throttle.admit(limit, twin.config.clock.now())
    {
        let mut answer = destination.error(429);
        answer.retry_after = Some(seconds);
        return answer;
    }
    destination.answer(twin, received)
}

/// How an answer reaches the visitor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    Whole,
    HangUp,
    Truncate(usize),
    BreakOff(usize),
    Garble(usize),
    Huge(u64),
}

/// The answer of a fault that keeps the request from being handled.
fn before(action: &FaultAction, destination: &Destination<'_>) -> Option<(Answer, Ending)> {
    let answer = match action {
        FaultAction::Status(status) => destination.error(*status),
        FaultAction::TooManyRequests(seconds) => {
            let mut answer = destination.error(429);
            answer.retry_after = seconds.map(u64::from);
            answer
        }
        FaultAction::Html => Answer::new(200, HTML, PAGE_FOR_PEOPLE),
        FaultAction::Empty => Answer::new(200, JSON, Bytes::new()),
        FaultAction::Redirect(location) => {
            let mut answer = Answer::new(302, TEXT, Bytes::new());
            answer.location = Some(location.clone());
            answer
        }
        FaultAction::Huge(bytes) => {
            return Some((Answer::new(200, JSON, Bytes::new()), Ending::Huge(*bytes)));
        }
        FaultAction::DropBefore => return Some((Answer::new(200, TEXT, Bytes::new()), Ending::HangUp)),
        FaultAction::None
        | FaultAction::DropAfter
        | FaultAction::Truncate(_)
        | FaultAction::BreakOff(_)
        | FaultAction::Garble(_)
        | FaultAction::Delay(_) => return None,
    };
    Some((answer, Ending::Whole))
}

/// What happens to an answer on its way.
fn after(action: &FaultAction) -> Ending {
    match action {
        FaultAction::DropAfter => Ending::HangUp,
        FaultAction::Truncate(bytes) => Ending::Truncate(*bytes),
        FaultAction::BreakOff(bytes) => Ending::BreakOff(*bytes),
        FaultAction::Garble(place) => Ending::Garble(*place),
        _ => Ending::Whole,
    }
}

fn end(mut answer: Answer, ending: Ending) -> Response<Body> {
    match ending {
        Ending::Whole => answer.into_response(),
        Ending::HangUp => {
            let mut response = answer.into_response();
            response.extensions_mut().insert(http::HangUp);
            response
        }
        Ending::Truncate(bytes) => {
            answer.body.truncate(bytes);
            answer.into_response()
        }
        Ending::Garble(place) => {
            let mut body = answer.body.to_vec();
            if !body.is_empty() {
                let place = place % body.len();
                body[place] ^= 1;
            }
            answer.body = body.into();
            answer.into_response()
        }
        Ending::BreakOff(bytes) => break_off(answer, bytes),
        Ending::Huge(bytes) => huge(answer, bytes),
    }
}

/// Announces the whole body and sends its beginning.
fn break_off(answer: Answer, bytes: usize) -> Response<Body> {
    let whole = answer.body.len();
    // At least one byte stays unsent, or nothing would be broken.
    let begun = answer.body.slice(..bytes.min(whole.saturating_sub(1)));
    let pieces = futures::stream::iter([Ok(begun), Err(io::Error::from(io::ErrorKind::ConnectionReset))]);
    // The error waits for one turn of the loop, so that the beginning is flushed before the connection closes.
    let pieces = pieces.then(|piece| async {
        tokio::task::yield_now().await;
        piece
    });
    let mut response = answer.into_response();
    *response.body_mut() = Body::from_stream(pieces);
    response.headers_mut().insert(header::CONTENT_LENGTH, whole.into());
    response
}

/// Sends so many spaces, which are JSON without an end.
fn huge(answer: Answer, bytes: u64) -> Response<Body> {
    let piece = Bytes::from(vec![b' '; PIECE_BYTES]);
    let pieces = futures::stream::unfold(bytes, move |left| {
        let length = usize::try_from(left).unwrap_or(usize::MAX).min(PIECE_BYTES);
        let next = piece.slice(..length);
        async move { (left > 0).then(|| (Ok::<_, io::Error>(next), left.saturating_sub(PIECE_BYTES as u64))) }
    });
    let mut response = answer.into_response();
    *response.body_mut() = Body::from_stream(pieces);
    response
}
