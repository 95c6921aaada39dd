//! Documents in the store: versioned, written once, old versions read for ever.
//!
//! `runs/<run>/inventory.json`, `runs/<run>/proposal.json`, `mappings/<digest>/proposal.json`,
//! `mappings/<digest>/confirmed.json`, `runs/<run>/approvals/<number>.json`, `runs/<run>/counts.json`.
//! Deliberately absent: snapshots (see [`archive`](crate::archive)) and the ledger.

pub mod answers;
pub mod approval;
mod choices;
mod exact;
mod fields;
pub mod inventory;
pub mod mapping;
mod plans;
mod settings;
#[cfg(test)]
mod tests;

use bytes::Bytes;
use migration::mapping::{ConfirmedMapping, DigestMismatch};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::context::Context;
use crate::ports::store::{InvalidKey, Key, Put, StoreError};
use inventory::{Inventory, StoredInventory};
use mapping::{StoredMapping, StoredPointer};

/// A stored value that is none of its kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the field {field} holds no valid value")]
pub struct Malformed {
    /// The field.
    pub field: &'static str,
}

/// Why a document cannot be kept or read.
#[derive(Debug, thiserror::Error)]
pub enum DocumentError {
    /// It is not there.
    #[error("there is no {what} for this run yet; run `{step}` first")]
    Missing {
        /// What is missing.
        what: &'static str,
        /// The step that makes it.
        step: &'static str,
    },
    /// It is no document of a version that this program knows.
    #[error("{key} cannot be read; was it written by a newer program?")]
    Unreadable {
        /// Its key.
        key: String,
        /// Where reading stopped.
        source: serde_json::Error,
    },
    /// A value in it is none of its kind.
    #[error("a document of the run is malformed")]
    Malformed(#[from] Malformed),
    /// It is not what was confirmed.
    #[error("the confirmed mapping was edited")]
    Changed(#[from] DigestMismatch),
    /// Another document is there under the same name.
    #[error("{key} is already stored with other content")]
    AlreadyThere {
        /// Its key.
        key: String,
    },
    /// The store failed.
    #[error("cannot reach a document in the store")]
    Store(#[from] StoreError),
    /// A name that is no key.
    #[error("cannot name a document")]
    Key(#[from] InvalidKey),
}

impl DocumentError {
    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Missing { .. } => "DOC101",
            Self::Unreadable { .. } | Self::Malformed(_) => "DOC102",
            Self::Changed(_) => "DOC103",
            Self::AlreadyThere { .. } => "DOC104",
            Self::Store(_) | Self::Key(_) => "STO101",
        }
    }
}

/// Stores a document; the same document again is success.
///
/// # Errors
/// [`DocumentError::AlreadyThere`] when another one is there.
pub async fn put<T: Serialize>(ctx: &Context, key: Key, document: &T) -> Result<(), DocumentError> {
    let unreadable = |source| DocumentError::Unreadable { key: key.to_string(), source };
    let mut body = serde_json::to_vec_pretty(document).map_err(unreadable)?;
    body.push(b'\n');
    match ctx.store.put_new(&key, Bytes::from(body)).await? {
        Put::Created => Ok(()),
        Put::AlreadyThere => Err(DocumentError::AlreadyThere { key: key.to_string() }),
    }
}

/// Reads a document; `None` when it is not there.
///
/// # Errors
/// [`DocumentError::Unreadable`], [`DocumentError::Store`].
pub async fn get<T: DeserializeOwned>(ctx: &Context, key: Key) -> Result<Option<T>, DocumentError> {
    match ctx.store.get(&key).await {
        Ok(bytes) => serde_json::from_slice(&bytes)
            .map(Some)
            .map_err(|source| DocumentError::Unreadable { key: key.to_string(), source }),
        Err(StoreError::NotFound { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// What discovery found.
///
/// # Errors
/// [`DocumentError::Missing`] before discovery.
pub async fn inventory(ctx: &Context) -> Result<Inventory, DocumentError> {
    let stored: Option<StoredInventory> = get(ctx, ctx.run_key("inventory.json")?).await?;
    let stored = stored.ok_or(DocumentError::Missing { what: "inventory", step: "discover" })?;
    Ok(stored.read()?)
}

/// The mapping that a person confirmed for this run.
///
/// # Errors
/// [`DocumentError::Missing`] before the confirmation, [`DocumentError::Changed`] when it was edited.
pub async fn confirmed_mapping(ctx: &Context) -> Result<ConfirmedMapping, DocumentError> {
    let missing = || DocumentError::Missing { what: "confirmed mapping", step: "confirm" };
    let digest = approval::mapping_digest(ctx).await?.ok_or_else(missing)?;
    let stored: Option<StoredMapping> =
        get(ctx, ctx.key(&format!("mappings/{digest}/confirmed.json"))?).await?;
    stored.ok_or_else(missing)?.read()
}
