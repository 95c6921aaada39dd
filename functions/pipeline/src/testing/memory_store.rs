//! Objects in memory, created once and never replaced; a test may change one behind the port's back.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;

use super::bug::Bug;
use super::chance::Weather;
use super::world::Effects;
use crate::ports::store::{Key, Put, Store, StoreError};

/// One process' way to the objects; others may share them.
pub(crate) struct MemoryStore {
    objects: Arc<Mutex<BTreeMap<Key, Bytes>>>,
    effects: Arc<Effects>,
    weather: Arc<Mutex<Weather>>,
    bug: Option<Bug>,
}

impl MemoryStore {
    pub(crate) fn new(effects: Arc<Effects>) -> Self {
        let weather = Arc::new(Mutex::new(Weather::fair()));
        Self { objects: Arc::default(), effects, weather, bug: None }
    }

    /// Another process' way to the same objects.
    pub(crate) fn beside(&self, effects: Arc<Effects>) -> Self {
        let (objects, weather) = (Arc::clone(&self.objects), Arc::clone(&self.weather));
        Self { objects, effects, weather, bug: self.bug }
    }

    /// A store of its own that begins with the same objects.
    pub(crate) fn copied(&self, effects: Arc<Effects>, weather: Weather, bug: Option<Bug>) -> Self {
        let objects = self.with(|objects| objects.clone());
        let weather = Arc::new(Mutex::new(weather));
        Self { objects: Arc::new(Mutex::new(objects)), effects, weather, bug }
    }

    pub(crate) fn weather<T>(&self, look: impl FnOnce(&mut Weather) -> T) -> T {
        look(&mut self.weather.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// What a store that is not to be trusted makes of an object of the ledger.
    fn is_ledger(key: &Key) -> bool {
        key.as_str().contains("/ledger/") && !key.as_str().ends_with("/key")
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
        self.effects.begins().await;
        let fault = self.weather(Weather::store_fault);
        let failed = || Self::medium("write", key, std::io::Error::other("no answer"));
        if fault == Some(false) {
            return Err(failed());
        }
        if self.bug == Some(Bug::LedgerForgotten) && Self::is_ledger(key) {
            return Ok(Put::Created);
        }
        let put = self.with(|objects| match objects.get(key) {
            Some(held) if *held == body => Put::Created,
            Some(_) if self.bug == Some(Bug::TakenIsMine) => Put::Created,
            Some(_) => Put::AlreadyThere,
            None => {
                objects.insert(key.clone(), body);
                Put::Created
            }
        });
        self.effects.happened().await;
        if fault == Some(true) {
            return Err(failed());
        }
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
        let mut keys: Vec<Key> =
            self.keys().into_iter().filter(|key| key.as_str().starts_with(&start)).collect();
        // The newest segment is not listed yet, and then its number looks free.
        let newest = keys.iter().rposition(|key| Self::is_ledger(key) && !key.as_str().contains("/ckpt/"));
        if let Some(newest) = newest.filter(|_| self.bug == Some(Bug::StaleList)) {
            keys.remove(newest);
        }
        Ok(keys)
    }
}
