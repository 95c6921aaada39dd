//! The store: objects are created once and never replaced; what is current is found by listing.

use std::path::{Path, PathBuf};

use async_trait::async_trait;
use bytes::Bytes;

/// Name of an object, relative to the store's root; segments joined by `/`, never `..`, never empty.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(String);

impl Key {
    /// Segments may hold letters, digits and `._=-`; anything else is refused, so that no source text becomes a path.
    ///
    /// # Errors
    /// [`InvalidKey`] names the offending text.
    pub fn new(text: impl Into<String>) -> Result<Self, InvalidKey> {
        let text = text.into();
        let valid = !text.is_empty()
            && text.split('/').all(|segment| {
                !segment.is_empty()
                    && segment != "."
                    && segment != ".."
                    && segment.chars().all(|c| c.is_ascii_alphanumeric() || "._=-".contains(c))
            });
        if valid { Ok(Self(text)) } else { Err(InvalidKey(text)) }
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for Key {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(&self.0)
    }
}

/// The text is no key of a store.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a valid object key: {0:?}")]
pub struct InvalidKey(pub String);

/// What [`Store::put_new`] found out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Put {
    /// The object is there and its bytes are the ones given. This also holds when an earlier try of ours wrote it.
    Created,
    /// Another object with other bytes stands under the key.
    AlreadyThere,
}

/// Why the store could not do it.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// No object under this key.
    #[error("no object {key}")]
    NotFound {
        /// The key asked for.
        key: Key,
    },
    /// A key that the store's own listing gave is not one of ours.
    #[error("foreign object in the store")]
    ForeignKey(#[source] InvalidKey),
    /// The medium failed; nothing is known about the effect of a write.
    #[error("store failed to {action} {key}")]
    Medium {
        /// `read`, `write`, `list`.
        action: &'static str,
        /// Key or prefix.
        key: String,
        /// The cause.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// Where snapshots, ledger and runs live: a local directory or an S3 bucket.
#[async_trait]
pub trait Store: Send + Sync {
    /// Creates the object, or tells that another one is there. Atomic: a partial object is never visible.
    /// On any doubt the adapter reads back and compares, so the answer is the truth.
    async fn put_new(&self, key: &Key, body: Bytes) -> Result<Put, StoreError>;
    /// As [`Store::put_new`], from a file on this machine; for parts too large to hold in memory.
    async fn put_new_file(&self, key: &Key, path: &Path) -> Result<Put, StoreError>;
    /// The whole object.
    async fn get(&self, key: &Key) -> Result<Bytes, StoreError>;
    /// A path on this machine from which the object can be read; adapters for remote stores download into `scratch`.
    async fn local_copy(&self, key: &Key, scratch: &Path) -> Result<PathBuf, StoreError>;
    /// All keys under `prefix/`, sorted bytewise. An unknown prefix is an empty list.
    async fn list(&self, prefix: &Key) -> Result<Vec<Key>, StoreError>;
}
