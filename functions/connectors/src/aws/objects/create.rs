//! One attempt to create an object, in one request or, for a large file, in parts.

use aws_sdk_s3::error::SdkError;
use aws_sdk_s3::operation::RequestId;
use aws_sdk_s3::primitives::{ByteStream, Length};
use aws_sdk_s3::types::{ChecksumAlgorithm, CompletedMultipartUpload, CompletedPart, ServerSideEncryption};

use super::S3Store;
use super::source::{Hasher, Source};
use crate::aws::cause::{CallFailed, StatusOf};

/// The condition of every write.
const NOT_THERE: &str = "*";
/// Larger files go in parts (facts: one request takes 5 GB; parts can be tried again one by one).
const SINGLE_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// Bytes of a part (facts: at least 5 MiB but for the last, at most 10,000 parts).
const PART_BYTES: u64 = 16 * 1024 * 1024;

/// Why an attempt did not create the object.
pub(super) enum NotCreated {
    /// The file to send cannot be read.
    Unreadable(std::io::Error),
    /// Another write is on its way (409): try again.
    Busy(CallFailed),
    /// The object may be there, by us or by somebody else: look.
    Unclear(CallFailed),
    /// It was not created, and will not be.
    Refused(CallFailed),
}

impl NotCreated {
    fn of<E, R>(error: &SdkError<E, R>) -> Self
    where
        E: aws_sdk_s3::error::ProvideErrorMetadata + RequestId + std::error::Error + 'static,
        R: StatusOf,
    {
        let failed = CallFailed::of("S3", error);
        match failed.status {
            Some(409) => Self::Busy(failed),
            // 404 to the end of an upload in parts: it was completed or ended before.
            Some(404 | 408 | 412 | 429) | None => Self::Unclear(failed),
            Some(400..=499) => Self::Refused(failed),
            Some(_) => Self::Unclear(failed),
        }
    }
}

pub(super) async fn once(store: &S3Store, name: &str, source: &Source) -> Result<(), NotCreated> {
    match source.file() {
        Some(path) if source.bytes() > SINGLE_BYTES_MAX => in_parts(store, name, source, path).await,
        _ => at_once(store, name, source).await,
    }
}

async fn at_once(store: &S3Store, name: &str, source: &Source) -> Result<(), NotCreated> {
    let body = match (source.memory(), source.file()) {
        (Some(bytes), _) => ByteStream::from(bytes.clone()),
        (None, Some(path)) => ByteStream::from_path(path).await.map_err(unreadable)?,
        (None, None) => ByteStream::default(),
    };
    let request = store
        .client
        .put_object()
        .bucket(&store.bucket.name)
        .key(name)
        .if_none_match(NOT_THERE)
        .content_length(i64::try_from(source.bytes()).unwrap_or(i64::MAX))
        .checksum_sha256(source.checksum())
        .set_server_side_encryption(store.kms_key.as_ref().map(|_| ServerSideEncryption::AwsKms))
        .set_ssekms_key_id(store.kms_key.clone())
        .set_bucket_key_enabled(store.kms_key.as_ref().map(|_| true))
        .body(body);
    store.meter.store_write(usize::try_from(source.bytes()).unwrap_or(usize::MAX));
    request.send().await.map(|_| ()).map_err(|error| NotCreated::of(&error))
}

fn unreadable(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> NotCreated {
    NotCreated::Unreadable(std::io::Error::other(error))
}

async fn in_parts(
    store: &S3Store,
    name: &str,
    source: &Source,
    path: &std::path::Path,
) -> Result<(), NotCreated> {
    let request = store
        .client
        .create_multipart_upload()
        .bucket(&store.bucket.name)
        .key(name)
        .checksum_algorithm(ChecksumAlgorithm::Sha256)
        .set_server_side_encryption(store.kms_key.as_ref().map(|_| ServerSideEncryption::AwsKms))
        .set_ssekms_key_id(store.kms_key.clone())
        .set_bucket_key_enabled(store.kms_key.as_ref().map(|_| true));
    store.meter.store_write(0);
    let begun = request.send().await.map_err(|error| NotCreated::of(&error))?;
    let upload = begun.upload_id().unwrap_or_default().to_owned();
    let sent = send_parts(store, name, source, path, &upload).await;
    if sent.is_err() {
        // Parts that nobody completes are paid for until the bucket's lifecycle removes them; an error here changes
        // nothing about the one to tell.
        store.meter.store_write(0);
        let abort = store.client.abort_multipart_upload().bucket(&store.bucket.name).key(name);
        let _ = abort.upload_id(&upload).send().await;
    }
    sent
}

async fn send_parts(
    store: &S3Store,
    name: &str,
    source: &Source,
    path: &std::path::Path,
    upload: &str,
) -> Result<(), NotCreated> {
    let mut parts = Vec::new();
    let mut offset = 0;
    while offset < source.bytes() {
        let length = PART_BYTES.min(source.bytes() - offset);
        let number = i32::try_from(parts.len() + 1).unwrap_or(i32::MAX);
        let checksum = checksum_of(path, offset, length).await.map_err(NotCreated::Unreadable)?;
        let body = ByteStream::read_from()
            .path(path)
            .offset(offset)
            .length(Length::Exact(length))
            .build()
            .await
            .map_err(unreadable)?;
        let request = store
            .client
            .upload_part()
            .bucket(&store.bucket.name)
            .key(name)
            .upload_id(upload)
            .part_number(number)
            .checksum_algorithm(ChecksumAlgorithm::Sha256)
            .checksum_sha256(&checksum)
            .body(body);
        store.meter.store_write(usize::try_from(length).unwrap_or(usize::MAX));
        let sent = request.send().await.map_err(|error| NotCreated::of(&error))?;
        let part = CompletedPart::builder()
            .part_number(number)
            .set_e_tag(sent.e_tag().map(ToOwned::to_owned))
            .checksum_sha256(checksum);
        parts.push(part.build());
        offset += length;
    }
    let request = store
        .client
        .complete_multipart_upload()
        .bucket(&store.bucket.name)
        .key(name)
        .upload_id(upload)
        .if_none_match(NOT_THERE)
        .multipart_upload(CompletedMultipartUpload::builder().set_parts(Some(parts)).build());
    store.meter.store_write(0);
    request.send().await.map(|_| ()).map_err(|error| NotCreated::of(&error))
}

/// SHA-256 of a piece of the file.
async fn checksum_of(path: &std::path::Path, offset: u64, length: u64) -> std::io::Result<String> {
    let path = path.to_owned();
    let read = tokio::task::spawn_blocking(move || {
        use std::io::{Read as _, Seek as _, SeekFrom};
        let mut file = std::fs::File::open(path)?;
        file.seek(SeekFrom::Start(offset))?;
        let mut piece = Vec::new();
        file.take(length).read_to_end(&mut piece)?;
        let mut hasher = Hasher::default();
        hasher.update(&piece);
        Ok(hasher.finish())
    });
    read.await.map_err(std::io::Error::other)?
}
