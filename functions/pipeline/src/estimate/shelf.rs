//! Objects in a folder of the scratch space, for steps that run on trial: gone with the estimate, seen by nobody.
//!
//! Deliberately absent: surviving a crash, and two writers at a time.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;

use crate::ports::store::{Key, Put, Store, StoreError};

/// The folder; removed when this is dropped.
#[derive(Debug)]
pub(super) struct Shelf {
    folder: tempfile::TempDir,
    keys: Mutex<BTreeSet<Key>>,
}

impl Shelf {
    /// An empty one in `scratch`.
    pub(super) fn new(scratch: &Path) -> std::io::Result<Self> {
        std::fs::create_dir_all(scratch)?;
        let folder = tempfile::Builder::new().prefix("estimate-").tempdir_in(scratch)?;
        Ok(Self { folder, keys: Mutex::default() })
    }

    fn path(&self, key: &Key) -> PathBuf {
        self.folder.path().join(key.as_str().replace('/', "%"))
    }

    fn is_held(&self, key: &Key) -> bool {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner).contains(key)
    }

    fn medium(action: &'static str, key: &Key, source: std::io::Error) -> StoreError {
        StoreError::Medium { action, key: key.to_string(), source: Box::new(source) }
    }

    fn keep(
        &self,
        key: &Key,
        write: impl FnOnce(&Path) -> std::io::Result<()>,
        is_same: impl FnOnce(&[u8]) -> std::io::Result<bool>,
    ) -> Result<Put, StoreError> {
        let path = self.path(key);
        if self.is_held(key) {
            let held = std::fs::read(&path).map_err(|error| Self::medium("read", key, error))?;
            let is_same = is_same(&held).map_err(|error| Self::medium("read", key, error))?;
            return Ok(if is_same { Put::Created } else { Put::AlreadyThere });
        }
        write(&path).map_err(|error| Self::medium("write", key, error))?;
        self.keys.lock().unwrap_or_else(PoisonError::into_inner).insert(key.clone());
        Ok(Put::Created)
    }
}

#[async_trait]
impl Store for Shelf {
    async fn put_new(&self, key: &Key, body: Bytes) -> Result<Put, StoreError> {
        self.keep(key, |path| std::fs::write(path, &body), |held| Ok(*held == body))
    }

    async fn put_new_file(&self, key: &Key, path: &Path) -> Result<Put, StoreError> {
        self.keep(key, |to| std::fs::copy(path, to).map(drop), |held| Ok(held == std::fs::read(path)?))
    }

    async fn get(&self, key: &Key) -> Result<Bytes, StoreError> {
        if !self.is_held(key) {
            return Err(StoreError::NotFound { key: key.clone() });
        }
        let bytes = std::fs::read(self.path(key)).map_err(|error| Self::medium("read", key, error))?;
        Ok(Bytes::from(bytes))
    }

    async fn local_copy(&self, key: &Key, _scratch: &Path) -> Result<PathBuf, StoreError> {
        if self.is_held(key) { Ok(self.path(key)) } else { Err(StoreError::NotFound { key: key.clone() }) }
    }

    async fn list(&self, prefix: &Key) -> Result<Vec<Key>, StoreError> {
        let start = format!("{prefix}/");
        let keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(keys.iter().filter(|key| key.as_str().starts_with(&start)).cloned().collect())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[tokio::test]
    async fn a_shelf_is_a_store() {
        let scratch = tempfile::tempdir().expect("a folder");
        let made = async || {
            let shelf = Shelf::new(scratch.path()).map_err(|error| error.to_string())?;
            Ok(Arc::new(shelf) as Arc<dyn Store>)
        };
        crate::conformance::store(made).await.expect("every promise kept");
    }
}
