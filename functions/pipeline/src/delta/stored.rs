//! Rows as they are kept when they are decided, before anything is made of them.

use serde::{Deserialize, Serialize};
use snapshot::tables::ControlDelta;

/// Rows that were decided together.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "version")]
pub(super) enum StoredRows {
    #[serde(rename = "1")]
    V1 { rows: Vec<Kept> },
}

/// A row in its stored form.
#[derive(Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Kept(#[serde(with = "RowV1")] pub(super) ControlDelta);

/// First form of a row, field by field.
#[derive(Serialize, Deserialize)]
#[serde(remote = "ControlDelta")]
struct RowV1 {
    object: String,
    external_id: String,
    gorgias_id: String,
    action: String,
    reason_code: Option<String>,
    reason: Option<String>,
    changed_fields: Option<String>,
    kept_fields: Option<String>,
    change: Option<String>,
    conflict: Option<String>,
}
