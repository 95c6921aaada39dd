//! An answer before it becomes bytes on a socket.
//!
//! Deliberately absent: streaming, but for answers that do not tell their size. The largest answer that anybody wants is
//! one list's export, a few megabytes.

use axum::body::Body;
use axum::http::{HeaderValue, Response, StatusCode, header};
use bytes::Bytes;
use serde::Serialize;

/// Content types that LeadDesk's APIs use here.
pub(crate) const JSON: &str = "application/json; charset=utf-8";
pub(crate) const TEXT: &str = "text/plain; charset=utf-8";
pub(crate) const CSV: &str = "text/csv; charset=utf-8";
pub(crate) const HTML: &str = "text/html; charset=utf-8";

/// Status, kind, body and the two headers that ever come with them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) content_type: &'static str,
    pub(crate) body: Bytes,
    pub(crate) location: Option<String>,
    pub(crate) retry_after: Option<u64>,
    /// Whether the size is told in advance.
    pub(crate) tells_size: bool,
}

/// Bytes of a piece of an answer that does not tell its size.
const PIECE_BYTES: usize = 64 * 1024;

impl Answer {
    pub(crate) fn new(status: u16, content_type: &'static str, body: impl Into<Bytes>) -> Self {
        Self { status, content_type, body: body.into(), location: None, retry_after: None, tells_size: true }
    }

    /// Status 200 with a JSON document.
    pub(crate) fn json(document: &impl Serialize) -> Self {
        Self::json_with(200, document)
    }

    pub(crate) fn json_with(status: u16, document: &impl Serialize) -> Self {
        // Maps with text keys and numbers that are no floats always become JSON.
        let body = serde_json::to_vec(document).expect("the twin's documents have text keys only");
        Self::new(status, JSON, body)
    }

    /// An error of the REST API. The shape is assumed: nothing public shows it.
    pub(crate) fn rest_error(status: u16, code: &str, message: &str) -> Self {
        Self::json_with(status, &serde_json::json!({ "code": code, "message": message }))
    }

    pub(crate) fn into_response(self) -> Response<Body> {
        let body = if self.tells_size { Body::from(self.body) } else { in_pieces(self.body) };
        let mut response = Response::new(body);
        *response.status_mut() =
            StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.content_type));
        // A location that is no header value was wished by a fault plan; leaving it out is as broken as it asked for.
        if let Some(location) = self.location.and_then(|location| HeaderValue::from_str(&location).ok()) {
            headers.insert(header::LOCATION, location);
        }
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

fn in_pieces(mut body: Bytes) -> Body {
    let pieces = std::iter::from_fn(move || {
        let piece = body.split_to(body.len().min(PIECE_BYTES));
        (!piece.is_empty()).then_some(Ok::<Bytes, std::convert::Infallible>(piece))
    });
    Body::from_stream(futures::stream::iter(pieces))
}
