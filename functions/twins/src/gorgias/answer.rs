//! What a request gets back: an answer, or a refusal in the error envelope of Gorgias.
//!
//! Deliberately absent: headers common to all answers; the server adds them.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::Serialize;
use serde_json::json;

/// The body of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Body {
    Empty,
    Json(Bytes),
    Other { content_type: String, bytes: Bytes },
}

/// A request that was carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Body,
}

impl Answer {
    pub(crate) fn json(status: u16, shape: &impl Serialize) -> Self {
        let bytes = serde_json::to_vec(shape).expect("answers are maps with text keys, which JSON can hold");
        Self { status, body: Body::Json(bytes.into()) }
    }

    pub(crate) fn ok(shape: &impl Serialize) -> Self {
        Self::json(200, shape)
    }

    pub(crate) fn created(shape: &impl Serialize) -> Self {
        Self::json(201, shape)
    }

    pub(crate) fn accepted(shape: &impl Serialize) -> Self {
        Self::json(202, shape)
    }

    pub(crate) fn empty(status: u16) -> Self {
        Self { status, body: Body::Empty }
    }

    pub(crate) fn deleted() -> Self {
        Self::empty(204)
    }
}

/// A request that was refused, and had no effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) message: String,
    /// Messages per field, on validation errors (facts: errors).
    pub(crate) fields: BTreeMap<String, Vec<String>>,
    /// Where the resource went, for the redirect that follows a merge.
    pub(crate) location: Option<String>,
}

/// What every endpoint returns.
pub(crate) type Answered<T> = Result<T, Refusal>;

impl Refusal {
    pub(crate) fn new(status: u16, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), fields: BTreeMap::new(), location: None }
    }

    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(400, message)
    }

    /// A validation error on one field.
    pub(crate) fn bad_field(field: &str, message: impl Into<String>) -> Self {
        Self::about_field(400, field, message)
    }

    pub(crate) fn about_field(status: u16, field: &str, message: impl Into<String>) -> Self {
        let message = message.into();
        let mut refusal = Self::new(status, format!("{field}: {message}"));
        refusal.fields.insert(field.to_owned(), vec![message]);
        refusal
    }

    pub(crate) fn not_found(what: &str, id: u64) -> Self {
        Self::new(404, format!("{what} {id} does not exist."))
    }

    pub(crate) fn moved(location: String) -> Self {
        Self { location: Some(location), ..Self::new(301, "This customer was merged into another one.") }
    }

    /// `{"error":{"msg":…,"data":{field:[…]}}}`; `data` only on validation errors (facts: errors).
    pub(crate) fn body(&self) -> Bytes {
        let mut error = json!({ "msg": self.message });
        if !self.fields.is_empty() {
            error["data"] = json!(self.fields);
        }
        json!({ "error": error }).to_string().into()
    }
}
