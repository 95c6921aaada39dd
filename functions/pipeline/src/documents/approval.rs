//! Approvals as stored: who approved what, when, and the seal of everything that it rests on.
//!
//! `runs/<run>/approvals/<number>.json`; the newest counts. An approval of an older program is `runs/<run>/mapping.json`,
//! and seals nothing.

use std::collections::BTreeMap;

use jiff::Timestamp;
use migration::approval::{ApprovalSeal, Facts};
use migration::canonical::Digest;
use serde::{Deserialize, Serialize};

use super::{DocumentError, Malformed, StoredPointer, get};
use crate::context::Context;
use crate::ports::store::Key;

/// Folder of the approvals below the run's.
pub const FOLDER: &str = "approvals";

/// An approval.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "version")]
pub enum StoredApproval {
    /// First version.
    #[serde(rename = "1")]
    V1(ApprovalV1),
}

/// First version of an approval.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApprovalV1 {
    /// Digest of the confirmed mapping, which names its folder.
    pub mapping: String,
    /// Digest of the proposal that the person saw.
    pub proposal: String,
    /// Who.
    pub reviewer: String,
    /// When.
    pub approved_at: Timestamp,
    /// What it rests on.
    pub seal: SealV1,
}

/// Digests by fact. No value stands here.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SealV1 {
    mapping: BTreeMap<String, String>,
    source: BTreeMap<String, String>,
    account: BTreeMap<String, String>,
}

impl SealV1 {
    /// The stored form.
    #[must_use]
    pub fn of(seal: &ApprovalSeal) -> Self {
        let of = |facts: &Facts| facts.pairs().map(|(name, is)| (name.to_owned(), is.to_hex())).collect();
        Self { mapping: of(&seal.mapping), source: of(&seal.source), account: of(&seal.account) }
    }

    /// The seal again.
    ///
    /// # Errors
    /// [`Malformed`] for a digest that is none.
    pub fn read(&self) -> Result<ApprovalSeal, Malformed> {
        let facts = |pairs: &BTreeMap<String, String>| {
            let read = |(name, hex): (&String, &String)| {
                Digest::from_hex(hex).map(|is| (name.clone(), is)).ok_or(Malformed { field: "seal" })
            };
            Ok(Facts::from_pairs(pairs.iter().map(read).collect::<Result<Vec<_>, _>>()?))
        };
        Ok(ApprovalSeal {
            mapping: facts(&self.mapping)?,
            source: facts(&self.source)?,
            account: facts(&self.account)?,
        })
    }
}

/// Manifests of the source snapshot as they were when it was sealed: `runs/<run>/source-snapshot.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "version")]
pub enum StoredSourceSnapshot {
    /// First version.
    #[serde(rename = "1")]
    V1 {
        /// Digests of the manifests by table.
        manifests: BTreeMap<String, String>,
    },
}

/// Keys of all approvals of the run, oldest first.
///
/// # Errors
/// [`DocumentError::Store`].
pub async fn keys(ctx: &Context) -> Result<Vec<Key>, DocumentError> {
    Ok(ctx.store.list(&ctx.run_key(FOLDER)?).await?)
}

/// The newest approval of the run; `None` when there is none, or one of an older program.
///
/// # Errors
/// [`DocumentError::Unreadable`], [`DocumentError::Store`].
pub async fn newest(ctx: &Context) -> Result<Option<ApprovalV1>, DocumentError> {
    let Some(key) = keys(ctx).await?.pop() else { return Ok(None) };
    let stored: Option<StoredApproval> = get(ctx, key).await?;
    Ok(stored.map(|StoredApproval::V1(approval)| approval))
}

/// Digest of the mapping that the newest approval is for, by either form.
pub(super) async fn mapping_digest(ctx: &Context) -> Result<Option<String>, DocumentError> {
    if let Some(approval) = newest(ctx).await? {
        return Ok(Some(approval.mapping));
    }
    let pointer: Option<StoredPointer> = get(ctx, ctx.run_key("mapping.json")?).await?;
    Ok(pointer.map(|StoredPointer::V1 { digest, .. }| digest))
}
