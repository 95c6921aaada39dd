//! The store over a bucket. Objects are created with `If-None-Match: *`, and never replaced or deleted.
//!
//! Source for the meaning of answers: the user guide of S3, "Conditional writes": 412 says that an object is there,
//! which may be our own of an earlier attempt; 409 says that another write is on its way, and nothing else. So on any doubt
//! the object is looked at, and its bytes decide.

use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_sdk_s3::Client;
use aws_sdk_s3::operation::get_object::GetObjectError;
use aws_sdk_s3::operation::head_object::HeadObjectError;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{ChecksumMode, ChecksumType};
use bytes::Bytes;
use pipeline::ports::store::{Key, Put, Store, StoreError};
use tokio::io::AsyncWriteExt as _;

use super::cause::CallFailed;
use super::spent::SpentMeter;
use crate::place::Bucket;
use crate::store::place_in;

mod create;
mod source;

use create::NotCreated;
use source::{Hasher, Source};

/// Rounds of creating and looking before the store counts as out of reach.
const ROUNDS: u32 = 6;
/// First pause between two rounds; doubles each time.
const PAUSE: Duration = Duration::from_millis(100);

/// A store in one bucket, below one prefix.
#[derive(Debug, Clone)]
pub struct S3Store {
    client: Client,
    bucket: Bucket,
    /// Key of the customer; without it the bucket's own setting encrypts.
    kms_key: Option<String>,
    meter: SpentMeter,
}

/// What stands under a key, beside what should.
enum Found {
    Nothing,
    Same,
    Other,
}

impl S3Store {
    /// A store; sends no request.
    #[must_use]
    pub fn new(settings: &SdkConfig, bucket: Bucket, kms_key: Option<String>, meter: SpentMeter) -> Self {
        Self { client: Client::new(settings), bucket, kms_key, meter }
    }

    fn name(&self, key: &Key) -> String {
        if self.bucket.prefix.is_empty() { key.to_string() } else { format!("{}/{key}", self.bucket.prefix) }
    }

    /// Creates the object or finds out what stands in its place. The answer is the truth.
    async fn create(&self, key: &Key, source: &Source) -> Result<Put, StoreError> {
        let mut pause = PAUSE;
        let mut last: Option<CallFailed> = None;
        for _ in 0..ROUNDS {
            match create::once(self, &self.name(key), source).await {
                Ok(()) => return Ok(Put::Created),
                Err(NotCreated::Unreadable(error)) => return Err(medium("read the file for", key, error)),
                Err(NotCreated::Refused(error)) => return Err(medium("write", key, error)),
                // Somebody else is writing: who wins is known when they are done.
                Err(NotCreated::Busy(error)) => last = Some(error),
                Err(NotCreated::Unclear(error)) => match self.look(key, source).await {
                    Ok(Found::Same) => return Ok(Put::Created),
                    Ok(Found::Other) => return Ok(Put::AlreadyThere),
                    Ok(Found::Nothing) => last = Some(error),
                    Err(unreadable) => last = Some(unreadable),
                },
            }
            tokio::time::sleep(pause).await;
            pause *= 2;
        }
        Err(match last {
            Some(error) => medium("write", key, error),
            None => medium("write", key, "no attempt was made"),
        })
    }

    /// Compares what is there with what should be: by length, by the checksum that S3 keeps, and by its bytes where S3
    /// keeps none over the whole.
    async fn look(&self, key: &Key, source: &Source) -> Result<Found, CallFailed> {
        let request = self.client.head_object().bucket(&self.bucket.name).key(self.name(key));
        self.meter.store_read(0);
        let head = match request.checksum_mode(ChecksumMode::Enabled).send().await {
            Ok(head) => head,
            Err(error) if error.as_service_error().is_some_and(HeadObjectError::is_not_found) => {
                return Ok(Found::Nothing);
            }
            Err(error) => return Err(CallFailed::of("S3", &error)),
        };
        if head.content_length().and_then(|length| u64::try_from(length).ok()) != Some(source.bytes()) {
            return Ok(Found::Other);
        }
        let is_whole = head.checksum_type() != Some(&ChecksumType::Composite);
        let same = match head.checksum_sha256() {
            Some(checksum) if is_whole && !checksum.contains('-') => checksum == source.checksum(),
            _ => match self.hash_of(key).await? {
                Some(checksum) => checksum == source.checksum(),
                None => return Ok(Found::Nothing),
            },
        };
        Ok(if same { Found::Same } else { Found::Other })
    }

    async fn hash_of(&self, key: &Key) -> Result<Option<String>, CallFailed> {
        let Some(mut body) = self.open(key).await? else { return Ok(None) };
        let mut hasher = Hasher::default();
        while let Some(chunk) = body.next().await {
            hasher.update(&chunk.map_err(|_| CallFailed::cut("S3"))?);
        }
        Ok(Some(hasher.finish()))
    }

    /// The object's bytes; `None` when there is none.
    async fn open(&self, key: &Key) -> Result<Option<ByteStream>, CallFailed> {
        match self.client.get_object().bucket(&self.bucket.name).key(self.name(key)).send().await {
            Ok(found) => {
                let bytes = found.content_length().and_then(|length| usize::try_from(length).ok());
                self.meter.store_read(bytes.unwrap_or(0));
                Ok(Some(found.body))
            }
            Err(error) if error.as_service_error().is_some_and(GetObjectError::is_no_such_key) => {
                self.meter.store_read(0);
                Ok(None)
            }
            Err(error) => {
                self.meter.store_read(0);
                Err(CallFailed::of("S3", &error))
            }
        }
    }

    async fn found(&self, key: &Key) -> Result<ByteStream, StoreError> {
        let opened = self.open(key).await.map_err(|error| medium("read", key, error))?;
        opened.ok_or_else(|| StoreError::NotFound { key: key.clone() })
    }

    /// Downloads into a file that appears whole or not at all.
    async fn download(&self, key: &Key, target: &Path) -> Result<(), StoreError> {
        let broken = |error: std::io::Error| medium("copy", key, error);
        let mut body = self.found(key).await?;
        let folder = target.parent().unwrap_or(target);
        tokio::fs::create_dir_all(folder).await.map_err(broken)?;
        let staged = tempfile::NamedTempFile::new_in(folder).map_err(broken)?;
        let mut file = tokio::fs::File::from_std(staged.reopen().map_err(broken)?);
        while let Some(chunk) = body.next().await {
            let chunk = chunk.map_err(|_| medium("read", key, CallFailed::cut("S3")))?;
            file.write_all(&chunk).await.map_err(broken)?;
        }
        file.flush().await.map_err(broken)?;
        staged.persist(target).map_err(|error| medium("copy", key, error.error))?;
        Ok(())
    }
}

fn medium(
    action: &'static str,
    key: &Key,
    source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> StoreError {
    StoreError::Medium { action, key: key.to_string(), source: source.into() }
}

#[async_trait]
impl Store for S3Store {
    async fn put_new(&self, key: &Key, body: Bytes) -> Result<Put, StoreError> {
        self.create(key, &Source::of_bytes(body)).await
    }

    async fn put_new_file(&self, key: &Key, path: &Path) -> Result<Put, StoreError> {
        let source = Source::of_file(path).await.map_err(|error| medium("read the file for", key, error))?;
        self.create(key, &source).await
    }

    async fn get(&self, key: &Key) -> Result<Bytes, StoreError> {
        let body = self.found(key).await?;
        let bytes = body.collect().await.map_err(|_| medium("read", key, CallFailed::cut("S3")))?;
        Ok(bytes.into_bytes())
    }

    async fn local_copy(&self, key: &Key, scratch: &Path) -> Result<PathBuf, StoreError> {
        let file = place_in(scratch, key);
        self.download(key, &file).await?;
        Ok(file)
    }

    async fn list(&self, prefix: &Key) -> Result<Vec<Key>, StoreError> {
        let below = format!("{}/", self.name(prefix));
        let skip = if self.bucket.prefix.is_empty() { 0 } else { self.bucket.prefix.len() + 1 };
        let request = self.client.list_objects_v2().bucket(&self.bucket.name).prefix(&below);
        let mut pages = request.into_paginator().send();
        let mut keys = Vec::new();
        while let Some(page) = pages.next().await {
            self.meter.store_write(0);
            let page = page.map_err(|error| medium("list", prefix, CallFailed::of("S3", &error)))?;
            for object in page.contents() {
                let name = object.key().and_then(|name| name.get(skip..)).unwrap_or_default();
                keys.push(Key::new(name).map_err(StoreError::ForeignKey)?);
            }
        }
        keys.sort();
        Ok(keys)
    }
}
