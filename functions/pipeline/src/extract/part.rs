//! What one part of the extraction found out beside its tables: rejects, findings, counts.
//!
//! Stored before the part's tables are sealed, so that a start that finds the tables also finds their rejects.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::error::ExtractError;
use crate::context::Context;
use crate::ports::store::{Put, StoreError};

/// A source record that was put aside, or a value of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SourceReject {
    /// Kind of record, such as `call`.
    pub object: String,
    /// Its id, or its place when it has none.
    pub leaddesk_id: String,
    /// Stable code.
    pub code: String,
    /// Why, without a value of the record.
    pub reason: String,
    /// A value was dropped, the record itself goes on.
    pub is_value_only: bool,
}

impl SourceReject {
    /// A record that does not go on.
    pub fn record(object: &str, id: impl Into<String>, code: &str, reason: impl Into<String>) -> Self {
        Self {
            object: object.to_owned(),
            leaddesk_id: id.into(),
            code: code.to_owned(),
            reason: reason.into(),
            is_value_only: false,
        }
    }

    /// A value that does not go on, of a record that does.
    pub fn value(object: &str, id: impl Into<String>, code: &str, reason: impl Into<String>) -> Self {
        Self { is_value_only: true, ..Self::record(object, id, code, reason) }
    }
}

/// Something to tell, with how many records it touches.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PartFinding {
    /// Stable code.
    pub code: String,
    /// Records touched.
    pub count: u64,
    /// Explanation with ids and counts only.
    pub text: String,
}

/// Everything that a part found out.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PartRecord {
    /// Sorted.
    pub rejects: Vec<SourceReject>,
    /// Sorted.
    pub findings: Vec<PartFinding>,
    /// Records by kind.
    pub counts: BTreeMap<String, u64>,
}

impl PartRecord {
    /// Adds a finding unless nothing is touched.
    pub fn find(&mut self, code: &str, count: u64, text: impl Into<String>) {
        if count > 0 {
            self.findings.push(PartFinding { code: code.to_owned(), count, text: text.into() });
        }
    }

    /// Counts one more record of a kind.
    pub fn count(&mut self, kind: &str, records: u64) {
        *self.counts.entry(kind.to_owned()).or_default() += records;
    }

    /// Stops when so many records are broken that the format itself must have changed.
    ///
    /// # Errors
    /// [`ExtractError::Drift`] above the limit in percent, and above a number that small accounts reach by chance.
    pub fn check_drift(&self, ctx: &Context, what: &'static str, total: u64) -> Result<(), ExtractError> {
        /// Below this many, a share says nothing.
        const REJECTS_MIN: u64 = 20;
        let mut reasons: BTreeMap<(&str, &str), u64> = BTreeMap::new();
        for reject in self.rejects.iter().filter(|reject| reject.object == what && !reject.is_value_only) {
            *reasons.entry((&reject.code, &reject.reason)).or_default() += 1;
        }
        let rejected: u64 = reasons.values().sum();
        #[expect(clippy::cast_precision_loss, reason = "counts of records stay far below 2^52")]
        let percent = rejected as f64 * 100.0 / total.max(1) as f64;
        if rejected <= REJECTS_MIN || percent <= ctx.limits.refused_percent_max {
            return Ok(());
        }
        let commonest =
            reasons.iter().max_by_key(|(_, count)| **count).map(|((code, reason), _)| (*code, *reason));
        let (code, reason) = commonest.unwrap_or_default();
        Err(ExtractError::Drift { what, rejected, total, code: code.to_owned(), reason: reason.to_owned() })
    }
}

/// The stored form.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "version")]
enum StoredPart {
    #[serde(rename = "1")]
    V1(PartRecord),
}

fn key(part: &str) -> String {
    format!("extract/{part}.json")
}

/// What an earlier start found out about this part.
///
/// # Errors
/// [`ExtractError::Store`], [`ExtractError::StoredPage`].
pub async fn load(ctx: &Context, part: &str) -> Result<Option<PartRecord>, ExtractError> {
    let key = ctx.pass_key(&key(part))?;
    match ctx.store.get(&key).await {
        Ok(bytes) => match serde_json::from_slice(&bytes) {
            Ok(StoredPart::V1(record)) => Ok(Some(record)),
            Err(_) => Err(ExtractError::StoredPage { key: key.to_string() }),
        },
        Err(StoreError::NotFound { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Stores the part's record; the same record again is success.
///
/// # Errors
/// [`ExtractError::NotRepeatable`] when another record is there.
pub async fn store(ctx: &Context, part: &str, mut record: PartRecord) -> Result<PartRecord, ExtractError> {
    record.rejects.sort_unstable();
    record.findings.sort_unstable();
    let key = ctx.pass_key(&key(part))?;
    let body = serde_json::to_vec(&StoredPart::V1(record.clone()))
        .map_err(|_| ExtractError::StoredPage { key: key.to_string() })?;
    match ctx.store.put_new(&key, Bytes::from(body)).await? {
        Put::Created => Ok(record),
        Put::AlreadyThere => Err(ExtractError::NotRepeatable { key: key.to_string() }),
    }
}
