//! LeadDesk as a source. Only reads exist here: a command that changes LeadDesk cannot be expressed.

mod recording;

use std::path::Path;

use async_trait::async_trait;
use bytes::Bytes;

pub use recording::{
    AddressFault, FetchedRecording, RECORDING_BYTES_MAX, RECORDING_SECONDS_MAX, RecordingError, Sound,
};

/// Why LeadDesk did not answer the question. Never holds the key: URLs are not part of any variant.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// Wrong or missing credentials.
    #[error("LeadDesk refused the credentials for {request}")]
    Credentials {
        /// Command or route, without parameters.
        request: String,
    },
    /// The tier or the permission does not cover this command.
    #[error("LeadDesk does not allow {request} for this account")]
    NotAllowed {
        /// Command or route.
        request: String,
    },
    /// LeadDesk says that the object does not exist.
    #[error("LeadDesk has no such object for {request}")]
    NotFound {
        /// Command or route.
        request: String,
    },
    /// The request itself is wrong.
    #[error("LeadDesk refused {request}: {code}")]
    Refused {
        /// Command or route.
        request: String,
        /// LeadDesk's short code, without detail.
        code: String,
    },
    /// An answer came that is no answer: HTML, cut off, or of another shape; kept trying, did not help.
    #[error("LeadDesk's answer to {request} cannot be used: {why}")]
    Unusable {
        /// Command or route.
        request: String,
        /// What is wrong with it, without content.
        why: String,
    },
    /// No answer within the retries.
    #[error("LeadDesk did not answer {request}")]
    NoAnswer {
        /// Command or route.
        request: String,
        /// The last cause, stripped of its URL.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// One page of a REST collection.
#[derive(Debug, Clone, PartialEq)]
pub struct RestPage {
    /// Total that `_meta.count` announces.
    pub announced: u64,
    /// The items as received, one JSON text each.
    pub items: Vec<String>,
}

/// A listed calling list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListItem {
    /// List id, text as received.
    pub id: String,
    /// Name.
    pub name: String,
    /// The item as received.
    pub raw_json: String,
}

/// Answer of the personal-data read for one phone: calls without ids.
#[derive(Debug, Clone, PartialEq)]
pub struct PhoneHistory {
    /// The whole answer as received.
    pub raw_json: String,
    /// `calls.agent[]`, one JSON text each.
    pub calls: Vec<String>,
}

/// What the source can be asked. JSON is handed over as text, parsed once by the step that knows its meaning.
///
/// Every method retries what may be repeated within its bounds, paces itself, and refuses HTML, cut bodies and
/// answers of the wrong shape instead of reading them as "nothing".
#[async_trait]
pub trait LeadDesk: Send + Sync {
    /// `calling_list/list` (facts: no paging seen).
    async fn lists(&self) -> Result<Vec<ListItem>, SourceError>;
    /// `calling_list/export`: the CSV text of one list, whole; `;`-separated, no header row, 14 columns.
    async fn list_export(&self, list_id: &str) -> Result<Bytes, SourceError>;
    /// `contact/get`: the whole answer as text.
    async fn contact(&self, contact_id: &str) -> Result<String, SourceError>;
    /// `call/get` by `call_ref_id`: the whole answer as text.
    async fn call(&self, call_id: &str) -> Result<String, SourceError>;
    /// REST `/users`, page from 1.
    async fn users(&self, page: u32) -> Result<RestPage, SourceError>;
    /// REST `/campaigns`, page from 1.
    async fn campaigns(&self, page: u32) -> Result<RestPage, SourceError>;
    /// REST `/gdpr/contact` by phone.
    async fn phone_history(&self, phone: &str) -> Result<PhoneHistory, SourceError>;
    /// Whether a recording still exists, without downloading it.
    async fn recording_exists(&self, file_name: &str) -> Result<bool, SourceError>;
    /// Downloads a recording into a file of its own in `scratch`, which must exist. Its address is asked for right
    /// before, since it dies soon; nothing of it is kept.
    async fn recording(&self, file_name: &str, scratch: &Path) -> Result<FetchedRecording, RecordingError>;
    /// Requests sent so far, by command.
    fn requests(&self) -> std::collections::BTreeMap<String, u64>;
}

/// Items per REST page that we ask for (facts: 1 to 100).
pub const REST_PAGE_ITEMS: u32 = 100;
