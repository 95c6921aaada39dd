//! Snapshots in the store: parts first, manifest last. A snapshot without a manifest does not exist.
//!
//! Writing the same snapshot again is success; writing another one under the same name is a bug of ours and named so.
//! Deliberately absent: format, sorting, hashing (see the `snapshot` crate), and deleting.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use jiff::Timestamp;
use snapshot::{
    Dataset, Digest, Manifest, Opened, Pass, Row, RunId, Sealed, SnapshotError, TableReader, TableSchema,
    TableWriter, WriteContext,
};

use crate::context::Context;
use crate::ports::store::{InvalidKey, Put, StoreError};

/// Version that stands in every file that we write.
const TOOL_VERSION: &str = env!("CARGO_PKG_VERSION");

/// Why a snapshot could not be kept or read.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// The snapshot itself: format, digest, order.
    #[error("cannot write or read a snapshot")]
    Snapshot(#[from] SnapshotError),
    /// The store failed.
    #[error("cannot reach a snapshot in the store")]
    Store(#[from] StoreError),
    /// A name that is no key.
    #[error("cannot name a snapshot")]
    Key(#[from] InvalidKey),
    /// Another snapshot is there under the same name.
    #[error("{key} is already stored with other bytes: the same input gave another output")]
    NotRepeatable {
        /// Key of the object.
        key: String,
    },
    /// The snapshot was never sealed.
    #[error("there is no snapshot {dataset}; run the step before")]
    Missing {
        /// `<table>/<run>/<pass>`.
        dataset: String,
    },
    /// The manifest under this name lists another snapshot.
    #[error("the manifest at {dataset} lists another snapshot")]
    Misplaced {
        /// `<table>/<run>/<pass>`.
        dataset: String,
    },
    /// The scratch folder cannot be made.
    #[error("cannot make the scratch folder")]
    Scratch(#[source] std::io::Error),
    /// A document that says which snapshots count.
    #[error("cannot tell which snapshots count")]
    Document(#[source] Box<crate::run_folder::DocumentError>),
    /// A worker thread ended unexpectedly.
    #[error("a worker that reads or writes a snapshot failed")]
    Worker(#[from] tokio::task::JoinError),
}

impl ArchiveError {
    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Snapshot(_) => "ARC101",
            Self::Store(_) | Self::Key(_) | Self::Document(_) => "STO101",
            Self::NotRepeatable { .. } => "ARC102",
            Self::Missing { .. } => "ARC103",
            Self::Misplaced { .. } => "ARC104",
            Self::Scratch(_) => "ARC105",
            Self::Worker(_) => "ARC106",
        }
    }
}

/// What stands in the files beside the rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provenance {
    /// The pass.
    pub pass: Pass,
    /// Digests of the snapshots and documents that the rows were made from.
    pub made_from: Vec<Digest>,
    /// Digest of the confirmed mapping that the rows depend on.
    pub mapping_hash: Option<String>,
    /// When the reading began; must be the same after a restart.
    pub taken_at: Option<Timestamp>,
}

/// A writer for a table of this run.
///
/// # Errors
/// [`ArchiveError::Scratch`], [`ArchiveError::Snapshot`].
pub fn writer<R: Row>(
    ctx: &Context,
    pass: Pass,
    made_from: Vec<Digest>,
) -> Result<TableWriter<R>, ArchiveError> {
    writer_of(ctx, Provenance { pass, made_from, mapping_hash: None, taken_at: None })
}

/// A writer for a table of this run that says more about where its rows come from.
///
/// # Errors
/// [`ArchiveError::Scratch`], [`ArchiveError::Snapshot`].
pub fn writer_of<R: Row>(ctx: &Context, provenance: Provenance) -> Result<TableWriter<R>, ArchiveError> {
    std::fs::create_dir_all(&ctx.scratch).map_err(ArchiveError::Scratch)?;
    let Provenance { pass, made_from, mapping_hash, taken_at } = provenance;
    let context = WriteContext {
        run: ctx.run.clone(),
        pass,
        tool_version: TOOL_VERSION.to_owned(),
        mapping_hash,
        made_from,
        taken_at,
    };
    Ok(TableWriter::new(context, &ctx.scratch, ctx.limits.writer_bytes)?)
}

/// A table that lives in the scratch folder only: sorts more rows than memory holds.
///
/// # Errors
/// [`ArchiveError::Scratch`], [`ArchiveError::Snapshot`].
pub fn scratch_writer<R: Row>(ctx: &Context) -> Result<TableWriter<R>, ArchiveError> {
    writer(ctx, Pass::Full, Vec::new())
}

/// Rows of a scratch table in order of their key. The files live as long as this.
pub struct Sorted<R: Row> {
    rows: TableReader<R>,
    _files: Sealed,
}

impl<R: Row> Iterator for Sorted<R> {
    type Item = Result<R, SnapshotError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.rows.next()
    }
}

/// Sorts a scratch table and gives its rows back.
///
/// # Errors
/// [`ArchiveError::Snapshot`].
pub fn read_back<R: Row>(writer: TableWriter<R>) -> Result<Sorted<R>, ArchiveError> {
    let sealed = writer.seal()?;
    let rows = TableReader::of(&sealed)?;
    Ok(Sorted { rows, _files: sealed })
}

/// Stores a sealed table: parts, then the manifest, then the marker. Returns the digest of the snapshot.
///
/// # Errors
/// [`ArchiveError::NotRepeatable`] when another snapshot is there; [`ArchiveError::Store`].
pub async fn publish(ctx: &Context, sealed: Sealed) -> Result<Digest, ArchiveError> {
    let dataset = &sealed.manifest.dataset;
    for part in &sealed.parts {
        let key = ctx.key(&dataset.part_path(&part.file_name))?;
        created(ctx.store.put_new_file(&key, &part.path).await?, &key)?;
    }
    let key = ctx.key(&dataset.manifest_path())?;
    created(ctx.store.put_new(&key, Bytes::from(sealed.manifest.encode())).await?, &key)?;
    let key = ctx.key(&dataset.success_path())?;
    created(ctx.store.put_new(&key, Bytes::new()).await?, &key)?;
    Ok(sealed.manifest.digest())
}

fn created(put: Put, key: &crate::ports::store::Key) -> Result<(), ArchiveError> {
    match put {
        Put::Created => Ok(()),
        Put::AlreadyThere => Err(ArchiveError::NotRepeatable { key: key.to_string() }),
    }
}

/// The manifest of a snapshot; `None` when it was never sealed.
///
/// # Errors
/// [`ArchiveError::Snapshot`] for a damaged manifest, [`ArchiveError::Misplaced`], [`ArchiveError::Store`].
pub async fn manifest(
    ctx: &Context,
    run: &RunId,
    pass: Pass,
    table: &'static TableSchema,
) -> Result<Option<Manifest>, ArchiveError> {
    let dataset = Dataset { run: run.clone(), pass, table };
    let key = ctx.key(&dataset.manifest_path())?;
    let bytes = match ctx.store.get(&key).await {
        Ok(bytes) => bytes,
        Err(StoreError::NotFound { .. }) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let manifest = Manifest::decode(&bytes)?;
    if manifest.dataset == dataset {
        Ok(Some(manifest))
    } else {
        Err(ArchiveError::Misplaced { dataset: dataset.to_string() })
    }
}

/// Whether a snapshot exists.
///
/// # Errors
/// As [`manifest`].
pub async fn is_sealed(
    ctx: &Context,
    run: &RunId,
    pass: Pass,
    table: &'static TableSchema,
) -> Result<bool, ArchiveError> {
    Ok(manifest(ctx, run, pass, table).await?.is_some())
}

/// Snapshots that one piece of work reads several times: each is fetched and digested once, and its files stay open. They
/// cannot change meanwhile, since nothing in the store is ever replaced. By default nothing is held.
#[derive(Clone, Default)]
pub struct HeldOpen(Option<Arc<Mutex<BTreeMap<String, Opened>>>>);

impl HeldOpen {
    /// An empty one.
    pub(crate) fn new() -> Self {
        Self(Some(Arc::default()))
    }

    fn get(&self, name: &str) -> Option<Opened> {
        let held = self.0.as_ref()?.lock().unwrap_or_else(PoisonError::into_inner);
        held.get(name).cloned()
    }

    fn put(&self, name: String, opened: &Opened) {
        if let Some(held) = &self.0 {
            held.lock().unwrap_or_else(PoisonError::into_inner).insert(name, opened.clone());
        }
    }
}

/// A stored snapshot; every file's digest is checked before a row is read.
///
/// # Errors
/// [`ArchiveError::Missing`] when it was never sealed, [`ArchiveError::Snapshot`] when a byte differs.
pub(crate) async fn opened(
    ctx: &Context,
    run: &RunId,
    pass: Pass,
    table: &'static TableSchema,
) -> Result<Opened, ArchiveError> {
    let name = Dataset { run: run.clone(), pass, table }.to_string();
    if let Some(opened) = ctx.held_open.get(&name) {
        return Ok(opened);
    }
    let manifest = manifest(ctx, run, pass, table).await?;
    let manifest = manifest.ok_or_else(|| ArchiveError::Missing { dataset: name.clone() })?;
    let paths = local_parts(ctx, &manifest).await?;
    let opened = tokio::task::spawn_blocking(move || Opened::new(&manifest, &paths)).await??;
    ctx.held_open.put(name, &opened);
    Ok(opened)
}

/// Rows of a stored snapshot in order of their key; every file's digest is checked before a row is read.
///
/// # Errors
/// [`ArchiveError::Missing`] when it was never sealed, [`ArchiveError::Snapshot`] when a byte differs.
pub async fn open<R: Row>(ctx: &Context, run: &RunId, pass: Pass) -> Result<TableReader<R>, ArchiveError> {
    Ok(opened(ctx, run, pass, R::SCHEMA).await?.rows()?)
}

/// A snapshot that can be read several times, without asking the store again.
pub struct Parts<R: Row> {
    manifest: Manifest,
    paths: Vec<PathBuf>,
    row: std::marker::PhantomData<fn() -> R>,
}

impl<R: Row> Parts<R> {
    /// Its rows from the beginning; every file's digest is checked before a row is read.
    ///
    /// # Errors
    /// When a byte differs, or a file cannot be read.
    pub fn open(&self) -> Result<TableReader<R>, SnapshotError> {
        TableReader::open(&self.manifest, self.paths.clone())
    }
}

/// Finds a stored snapshot without reading it.
///
/// # Errors
/// As [`open`].
pub async fn parts<R: Row>(ctx: &Context, run: &RunId, pass: Pass) -> Result<Parts<R>, ArchiveError> {
    let missing = || Dataset { run: run.clone(), pass, table: R::SCHEMA }.to_string();
    let manifest = manifest(ctx, run, pass, R::SCHEMA).await?;
    let manifest = manifest.ok_or_else(|| ArchiveError::Missing { dataset: missing() })?;
    let paths = local_parts(ctx, &manifest).await?;
    Ok(Parts { manifest, paths, row: std::marker::PhantomData })
}

pub(crate) async fn local_parts(ctx: &Context, manifest: &Manifest) -> Result<Vec<PathBuf>, ArchiveError> {
    tokio::fs::create_dir_all(&ctx.scratch).await.map_err(ArchiveError::Scratch)?;
    let mut paths = Vec::with_capacity(manifest.parts.len());
    for part in &manifest.parts {
        let key = ctx.key(&manifest.dataset.part_path(&part.file_name))?;
        paths.push(ctx.store.local_copy(&key, &ctx.scratch).await?);
    }
    Ok(paths)
}
