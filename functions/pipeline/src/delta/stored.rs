//! Rows of customers as they are kept before the rest is decided.

use serde::{Deserialize, Serialize};
use snapshot::tables::ControlDelta;

/// Rows that were decided before the rest, since the rest depends on what they come to.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "version")]
pub(super) enum StoredRows {
    #[serde(rename = "1")]
    V1 { rows: Vec<RowV1> },
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct RowV1 {
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

impl From<ControlDelta> for RowV1 {
    fn from(row: ControlDelta) -> Self {
        let ControlDelta {
            object,
            external_id,
            gorgias_id,
            action,
            reason_code,
            reason,
            changed_fields,
            kept_fields,
            change,
            conflict,
        } = row;
        Self {
            object,
            external_id,
            gorgias_id,
            action,
            reason_code,
            reason,
            changed_fields,
            kept_fields,
            change,
            conflict,
        }
    }
}

impl From<RowV1> for ControlDelta {
    fn from(row: RowV1) -> Self {
        let RowV1 {
            object,
            external_id,
            gorgias_id,
            action,
            reason_code,
            reason,
            changed_fields,
            kept_fields,
            change,
            conflict,
        } = row;
        Self {
            object,
            external_id,
            gorgias_id,
            action,
            reason_code,
            reason,
            changed_fields,
            kept_fields,
            change,
            conflict,
        }
    }
}
