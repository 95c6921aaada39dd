//! HTTP around a twin: reads requests, writes answers with the headers that Gorgias sends, and plays faults.
//!
//! Deliberately absent: anything that knows the account.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body as HttpBody;
use axum::extract::{Request, State as OfRouter};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::{Bytes, BytesMut};
use futures::{StreamExt, stream};
use http_body_util::BodyExt;

use super::answer::{Answer, Answered, Body, Refusal};
use super::config::{ErrorBody, StatusCodes};
use super::control;
use super::fault::Action;
use super::twin::{Incoming, Twin};
use crate::http::HangUp;

/// An upload may hold several files.
const UPLOAD_FILES_MAX: usize = 8;
/// Without a pause before the cut, the server drops what it has not flushed yet.
const FLUSH_PAUSE: Duration = Duration::from_millis(10);
const HTML: &str = "<html><body><h1>Something went wrong</h1></body></html>";

/// The router that serves a twin.
pub(crate) fn router(twin: Arc<Twin>) -> Router {
    Router::new().fallback(handle).with_state(twin)
}

async fn handle(OfRouter(twin): OfRouter<Arc<Twin>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let path = head.uri.path().trim_end_matches('/').to_owned();
    let text = |name| head.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let most = match path.as_str() {
        "/api/upload" => twin.switches.upload_bytes_max.saturating_mul(UPLOAD_FILES_MAX),
        _ => twin.switches.request_bytes_max,
    };
    let body = read(body, most).await;
    let incoming = Incoming {
        method: head.method.as_str().to_owned(),
        path,
        query: head.uri.query().unwrap_or_default().to_owned(),
        authorization: text(header::AUTHORIZATION),
        content_type: text(header::CONTENT_TYPE).unwrap_or_default(),
        body: body.clone().unwrap_or_default(),
    };
    if let Some(name) = incoming.path.strip_prefix(control::PREFIX) {
        let outcome = control::answer(&twin, &incoming.method, name, &incoming.body);
        return render(&twin, outcome);
    }
    answer(&twin, incoming, body.is_none()).await
}

/// The body, or `None` when it is longer than `most`; the rest of it is read and dropped, so that the client gets to
/// read the answer.
async fn read(mut body: HttpBody, most: usize) -> Option<Bytes> {
    let mut kept = BytesMut::new();
    let mut fits = true;
    while let Some(Ok(frame)) = body.frame().await {
        if let Some(chunk) = frame.data_ref() {
            fits &= kept.len() + chunk.len() <= most;
            if fits {
                kept.extend_from_slice(chunk);
            }
        }
    }
    fits.then(|| kept.freeze())
}

async fn answer(twin: &Arc<Twin>, incoming: Incoming, too_large: bool) -> Response {
    let route = Twin::route_name(&incoming.method, &incoming.path);
    let (method, search) = (incoming.method.clone(), route == "/api/search");
    twin.note(&method, route);
    let passage = twin.pass(&incoming, route);
    let mut fault = None;
    let outcome = match passage.outcome {
        Err(refusal) => Err(refusal),
        Ok(_) if too_large => Err(Refusal::new(413, "The request body is too large.")),
        Ok(Some(Action::StatusBefore(status))) => Err(Refusal::new(status, "Something went wrong.")),
        Ok(Some(action @ (Action::Html(_) | Action::HangUpBeforeCommit))) => {
            fault = Some(action);
            Err(Refusal::new(502, "Something went wrong."))
        }
        Ok(Some(action @ Action::ApplyLate(seconds))) => {
            fault = Some(action);
            apply_later(Arc::clone(twin), incoming, seconds);
            Err(Refusal::new(502, "Something went wrong."))
        }
        Ok(action) => {
            fault = action;
            twin.serve(incoming)
        }
    };
    let mut response = render(twin, outcome);
    response = match fault {
        Some(Action::StatusAfter(status)) => render(twin, Err(Refusal::new(status, "Something went wrong."))),
        Some(Action::Html(status)) => html(status),
        Some(Action::Truncate) => truncate(response).await,
        Some(Action::Delay(seconds)) => {
            tokio::time::sleep(account_time(twin, seconds)).await;
            response
        }
        Some(Action::HangUpBeforeCommit | Action::LostAnswerAfterCommit | Action::ApplyLate(_)) => {
            response.extensions_mut().insert(HangUp);
            response
        }
        Some(Action::StatusBefore(_)) | None => response,
    };
    let (gauge, number) = twin.count(&method, route, response.status().as_u16());
    add_headers(twin, response.headers_mut(), &gauge, number, search);
    if let Some(seconds) = passage.retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

fn account_time(twin: &Twin, seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds / twin.time_scale).unwrap_or_default()
}

/// A request that hung in a queue of the server while its client gave up.
fn apply_later(twin: Arc<Twin>, incoming: Incoming, seconds: f64) {
    tokio::spawn(async move {
        tokio::time::sleep(account_time(&twin, seconds)).await;
        // Whatever comes of it, nobody hears of it.
        drop(twin.serve(incoming));
    });
}

/// The headers seen on live answers, and the twin's own time scale.
///
/// `x-twin-time-scale: K` tells that account time runs K times faster than the client's: `Retry-after` counts account
/// seconds, so a client that knows divides by K, and one that does not waits longer than it must.
fn add_headers(twin: &Twin, headers: &mut HeaderMap, gauge: &str, number: u64, search: bool) {
    let mut set = |name: &'static str, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    };
    if twin.switches.call_limit_header {
        set("x-gorgias-account-api-call-limit", gauge);
    }
    set("x-request-id", &format!("{number:032x}"));
    set("x-gorgias-release", "twin");
    set("x-twin-time-scale", &twin.time_scale.to_string());
    set("vary", "Cookie");
    if search {
        set("x-gorgias-search-engine", "ES");
    }
}

fn render(twin: &Twin, outcome: Answered<Answer>) -> Response {
    match outcome {
        Ok(answer) => {
            let all_ok = twin.switches.status_codes == StatusCodes::AllOk && answer.status != 204;
            let status = if all_ok { 200 } else { answer.status };
            match answer.body {
                Body::Empty => respond(status, None, Bytes::new()),
                Body::Json(bytes) => respond(status, Some("application/json"), bytes),
                Body::Other { content_type, bytes } => respond(status, Some(&content_type), bytes),
            }
        }
        Err(refusal) => refuse(twin, &refusal),
    }
}

fn refuse(twin: &Twin, refusal: &Refusal) -> Response {
    let status = refusal.status;
    let mut response = match twin.switches.error_body {
        ErrorBody::Html if status == 429 || status >= 500 => html(status),
        ErrorBody::Empty if status == 429 || status >= 500 => respond(status, None, Bytes::new()),
        _ => respond(status, Some("application/json"), refusal.body()),
    };
    if let Some(location) = &refusal.location
        && let Ok(value) = HeaderValue::from_str(location)
    {
        response.headers_mut().insert(header::LOCATION, value);
    }
    response
}

fn html(status: u16) -> Response {
    respond(status, Some("text/html; charset=utf-8"), Bytes::from_static(HTML.as_bytes()))
}

fn respond(status: u16, content_type: Option<&str>, bytes: Bytes) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = (status, bytes).into_response();
    response.headers_mut().remove(header::CONTENT_TYPE);
    if let Some(value) = content_type.and_then(|name| HeaderValue::from_str(name).ok()) {
        response.headers_mut().insert(header::CONTENT_TYPE, value);
    }
    response
}

/// Announces the whole body and breaks off after half of it.
async fn truncate(response: Response) -> Response {
    let (mut head, body) = response.into_parts();
    let whole = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    head.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(whole.len()));
    let half = whole.slice(..whole.len() / 2);
    let cut = async {
        tokio::time::sleep(FLUSH_PAUSE).await;
        Err(std::io::Error::other("cut on purpose"))
    };
    let broken = stream::iter([Ok(half)]).chain(stream::once(cut));
    Response::from_parts(head, HttpBody::from_stream(broken))
}
