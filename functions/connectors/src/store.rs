//! The store over a local directory or over memory, both by way of `object_store`.
//!
//! Whatever an attempt to create reports, on any doubt the object is read back and its bytes are compared: the error
//! class is never believed (an "already exists" may be our own earlier write). Deliberately absent: replacing, deleting.

mod local_file;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures::TryStreamExt as _;
use object_store::local::LocalFileSystem;
use object_store::memory::InMemory;
use object_store::path::Path as ObjectPath;
use object_store::{Error as ObjectError, ObjectStore, ObjectStoreExt as _, PutMode, PutOptions, PutPayload};
use pipeline::ports::store::{Key, Put, Store, StoreError};
use tokio::io::AsyncWriteExt as _;

/// Attempts to create an object whose fate could not be read back.
const PUT_ATTEMPTS: u32 = 4;

/// A store over any `object_store` that creates without replacing.
pub struct ObjectStoreAdapter {
    objects: Arc<dyn ObjectStore>,
    /// Root on this machine, where objects are plain files.
    root: Option<PathBuf>,
}

impl ObjectStoreAdapter {
    /// Objects as files below `root`, which is created; every write reaches the disk before it counts.
    ///
    /// # Errors
    /// The folder cannot be made or used.
    pub fn local(root: &Path) -> Result<Self, StoreError> {
        let failed = |source: Box<dyn std::error::Error + Send + Sync>| StoreError::Medium {
            action: "open",
            key: "the store's folder".to_owned(),
            source,
        };
        std::fs::create_dir_all(root).map_err(|error| failed(Box::new(error)))?;
        let root = root.canonicalize().map_err(|error| failed(Box::new(error)))?;
        let objects = LocalFileSystem::new_with_prefix(&root).map_err(|error| failed(Box::new(error)))?;
        Ok(Self { objects: Arc::new(objects.with_fsync(true)), root: Some(root) })
    }

    /// Objects in memory, gone with the value.
    #[must_use]
    pub fn memory() -> Self {
        Self { objects: Arc::new(InMemory::new()), root: None }
    }

    /// Any other `object_store`, such as one that fails on purpose.
    #[must_use]
    pub fn over(objects: Arc<dyn ObjectStore>) -> Self {
        Self { objects, root: None }
    }

    async fn read(&self, key: &Key) -> Result<Bytes, ObjectError> {
        self.objects.get(&path(key)).await?.bytes().await
    }

    /// Downloads into a file that appears whole or not at all.
    async fn download(&self, key: &Key, target: &Path) -> Result<(), StoreError> {
        let medium = |error: std::io::Error| medium("copy", key, error);
        let folder = target.parent().unwrap_or(target);
        tokio::fs::create_dir_all(folder).await.map_err(medium)?;
        let staged = tempfile::NamedTempFile::new_in(folder).map_err(medium)?;
        let mut file = tokio::fs::File::from_std(staged.reopen().map_err(medium)?);
        let found = self.objects.get(&path(key)).await.map_err(|error| failed("read", key, error))?;
        let mut chunks = found.into_stream();
        while let Some(chunk) = chunks.try_next().await.map_err(|error| failed("read", key, error))? {
            file.write_all(&chunk).await.map_err(medium)?;
        }
        file.flush().await.map_err(medium)?;
        staged.persist(target).map_err(|error| medium(error.error))?;
        Ok(())
    }
}

fn path(key: &Key) -> ObjectPath {
    ObjectPath::from(key.as_str())
}

fn failed(action: &'static str, key: &Key, error: ObjectError) -> StoreError {
    match error {
        ObjectError::NotFound { .. } => StoreError::NotFound { key: key.clone() },
        other => medium(action, key, other),
    }
}

fn medium(
    action: &'static str,
    key: &Key,
    source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> StoreError {
    StoreError::Medium { action, key: key.to_string(), source: source.into() }
}

/// Where a download of `key` stands. No segment of a key holds a `~`, so that folders never meet files and no two keys
/// have one place.
pub(crate) fn place_in(scratch: &Path, key: &Key) -> PathBuf {
    let mut place = scratch.to_owned();
    let mut segments = key.as_str().split('/').peekable();
    while let Some(segment) = segments.next() {
        place.push(if segments.peek().is_some() { format!("{segment}~") } else { segment.to_owned() });
    }
    place
}

#[async_trait]
impl Store for ObjectStoreAdapter {
    async fn put_new(&self, key: &Key, body: Bytes) -> Result<Put, StoreError> {
        let mut last = None;
        for _ in 0..PUT_ATTEMPTS {
            let options = PutOptions { mode: PutMode::Create, ..PutOptions::default() };
            let written = self.objects.put_opts(&path(key), PutPayload::from(body.clone()), options).await;
            let Err(error) = written else { return Ok(Put::Created) };
            match self.read(key).await {
                Ok(there) if there == body => return Ok(Put::Created),
                Ok(_) => return Ok(Put::AlreadyThere),
                Err(ObjectError::NotFound { .. }) => last = Some(error),
                Err(unreadable) => last = Some(unreadable),
            }
        }
        let source: Box<dyn std::error::Error + Send + Sync> = match last {
            Some(error) => Box::new(error),
            None => "no attempt was made".into(),
        };
        Err(medium("write", key, source))
    }

    async fn put_new_file(&self, key: &Key, path: &Path) -> Result<Put, StoreError> {
        if let Some(root) = &self.root {
            let (target, source) = (root.join(key.as_str()), path.to_owned());
            let root = root.clone();
            let created =
                tokio::task::spawn_blocking(move || local_file::create(&root, &target, &source)).await;
            return match created {
                Ok(outcome) => outcome.map_err(|error| medium("write a file to", key, error)),
                Err(stopped) => Err(medium("write a file to", key, stopped)),
            };
        }
        let body = tokio::fs::read(path).await.map_err(|error| medium("read the file for", key, error))?;
        self.put_new(key, Bytes::from(body)).await
    }

    async fn get(&self, key: &Key) -> Result<Bytes, StoreError> {
        self.read(key).await.map_err(|error| failed("read", key, error))
    }

    async fn local_copy(&self, key: &Key, scratch: &Path) -> Result<PathBuf, StoreError> {
        if let Some(root) = &self.root {
            let file = root.join(key.as_str());
            return if file.is_file() { Ok(file) } else { Err(StoreError::NotFound { key: key.clone() }) };
        }
        let file = place_in(scratch, key);
        self.download(key, &file).await?;
        Ok(file)
    }

    async fn list(&self, prefix: &Key) -> Result<Vec<Key>, StoreError> {
        let objects: Vec<_> = self
            .objects
            .list(Some(&path(prefix)))
            .try_collect()
            .await
            .map_err(|error| failed("list", prefix, error))?;
        let below = format!("{prefix}/");
        let names =
            objects.iter().map(|object| object.location.as_ref()).filter(|name| name.starts_with(&below));
        let mut keys = names.map(Key::new).collect::<Result<Vec<_>, _>>().map_err(StoreError::ForeignKey)?;
        keys.sort();
        Ok(keys)
    }
}
