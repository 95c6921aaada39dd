//! Small JSON documents of a run: written once, read by later steps.
//!
//! Deliberately absent: what the documents say; each step keeps its own versioned types.

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::context::Context;
use crate::ports::store::{InvalidKey, Key, Put, StoreError};

/// Why a document could not be kept or read.
#[derive(Debug, thiserror::Error)]
pub enum DocumentError {
    /// The store failed.
    #[error("cannot reach a document of the run")]
    Store(#[from] StoreError),
    /// A name that is no key.
    #[error("cannot name a document of the run")]
    Key(#[from] InvalidKey),
    /// The document is not what was written.
    #[error("document {key} cannot be read")]
    Unreadable {
        /// Its key.
        key: Key,
        /// What is wrong.
        source: serde_json::Error,
    },
    /// It cannot be written as text; a bug.
    #[error("document {key} cannot be written")]
    Encode {
        /// Its key.
        key: Key,
        /// What is wrong.
        source: serde_json::Error,
    },
    /// A step before left nothing.
    #[error("there is no {key}; run the step before")]
    Missing {
        /// Its key.
        key: Key,
    },
}

/// Creates a document, readable for people; another one under the key stays.
pub(crate) async fn put<T: Serialize>(ctx: &Context, key: &Key, document: &T) -> Result<Put, DocumentError> {
    let encode = |source| DocumentError::Encode { key: key.clone(), source };
    let mut text = serde_json::to_vec_pretty(document).map_err(encode)?;
    text.push(b'\n');
    Ok(ctx.store.put_new(key, Bytes::from(text)).await?)
}

/// Keeps a document under the next free number of a folder of the run, `NUMBER.json` with so many digits, and returns the
/// number. Another one that is kept at the same moment has its own.
pub(crate) async fn append<T: Serialize>(
    ctx: &Context,
    folder: &str,
    digits: usize,
    document: &T,
) -> Result<usize, DocumentError> {
    let mut number = ctx.store.list(&ctx.run_key(folder)?).await?.len() + 1;
    while put(ctx, &ctx.run_key(&format!("{folder}/{number:0digits$}.json"))?, document).await?
        == Put::AlreadyThere
    {
        number += 1;
    }
    Ok(number)
}

/// The document, if it was written.
pub(crate) async fn get<T: DeserializeOwned>(ctx: &Context, key: &Key) -> Result<Option<T>, DocumentError> {
    let bytes = match ctx.store.get(key).await {
        Ok(bytes) => bytes,
        Err(StoreError::NotFound { .. }) => return Ok(None),
        Err(other) => return Err(other.into()),
    };
    let unreadable = |source| DocumentError::Unreadable { key: key.clone(), source };
    serde_json::from_slice(&bytes).map(Some).map_err(unreadable)
}

/// The document that a step before must have written.
pub(crate) async fn need<T: DeserializeOwned>(ctx: &Context, key: &Key) -> Result<T, DocumentError> {
    get(ctx, key).await?.ok_or_else(|| DocumentError::Missing { key: key.clone() })
}

/// A count that need not be stored.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands the field over by reference")]
pub(crate) fn is_zero(count: &u64) -> bool {
    *count == 0
}
