//! Objects in memory, created once and never replaced; a test may change one behind the port's back.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;

use super::world::Effects;
use crate::ports::store::{Key, Put, Store, StoreError};

pub(crate) struct MemoryStore {
    objects: Mutex<BTreeMap<Key, Bytes>>,
    effects: Arc<Effects>,
}

impl MemoryStore {
    pub(crate) fn new(effects: Arc<Effects>) -> Self {
        Self { objects: Mutex::default(), effects }
    }

    fn with<T>(&self, look: impl FnOnce(&mut BTreeMap<Key, Bytes>) -> T) -> T {
        look(&mut self.objects.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Changes an object as no adapter ever would.
    pub(crate) fn tamper(&self, key: &Key, bytes: &[u8]) {
        self.with(|objects| objects.insert(key.clone(), Bytes::copy_from_slice(bytes)));
    }

    pub(crate) fn remove(&self, key: &Key) {
        self.with(|objects| objects.remove(key));
    }

    pub(crate) fn keys(&self) -> Vec<Key> {
        self.with(|objects| objects.keys().cloned().collect())
    }

    fn medium(action: &'static str, key: &Key, source: std::io::Error) -> StoreError {
        StoreError::Medium { action, key: key.to_string(), source: Box::new(source) }
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn put_new(&self, key: &Key, body: Bytes) -> Result<Put, StoreError> {
        if !self.effects.store_latency.is_zero() {
            tokio::time::sleep(self.effects.store_latency).await;
        }
        let put = self.with(|objects| match objects.get(key) {
            Some(held) if *held == body => Put::Created,
            Some(_) => Put::AlreadyThere,
            None => {
                objects.insert(key.clone(), body);
                Put::Created
            }
        });
        self.effects.happened().await;
        Ok(put)
    }

    async fn put_new_file(&self, key: &Key, path: &Path) -> Result<Put, StoreError> {
        let bytes = std::fs::read(path).map_err(|source| Self::medium("write", key, source))?;
        self.put_new(key, Bytes::from(bytes)).await
    }

    async fn get(&self, key: &Key) -> Result<Bytes, StoreError> {
        self.with(|objects| objects.get(key).cloned()).ok_or(StoreError::NotFound { key: key.clone() })
    }

    async fn local_copy(&self, key: &Key, scratch: &Path) -> Result<PathBuf, StoreError> {
        let bytes = self.get(key).await?;
        let path = scratch.join(key.as_str().replace('/', "_"));
        std::fs::create_dir_all(scratch)
            .and_then(|()| std::fs::write(&path, &bytes))
            .map_err(|source| Self::medium("read", key, source))?;
        Ok(path)
    }

    async fn list(&self, prefix: &Key) -> Result<Vec<Key>, StoreError> {
        let start = format!("{prefix}/");
        Ok(self.keys().into_iter().filter(|key| key.as_str().starts_with(&start)).collect())
    }
}
