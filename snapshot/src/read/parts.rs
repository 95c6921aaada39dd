//! Parts whose digests are right, and the batches in them.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::datatypes::Schema;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
    RowSelection,
};
use parquet::errors::ParquetError;
use parquet::file::metadata::PageIndexPolicy;

use super::BATCH_ROWS_MAX;
use crate::batch::BatchView;
use crate::column::Column;
use crate::digest::Digesting;
use crate::error::SnapshotError;
use crate::manifest::{Manifest, PartEntry};
use crate::schema::{TableSchema, arrow_type};

/// Decoded bytes of a batch, nearly: batches of long rows are shorter.
const BATCH_BYTES: usize = 8 << 20;
/// Rows of a batch, at least.
const BATCH_ROWS_MIN: usize = 16;

/// The parts of one snapshot, opened and found to be what the manifest lists.
#[derive(Clone)]
pub(crate) struct VerifiedParts {
    table: &'static TableSchema,
    parts: Vec<Arc<VerifiedPart>>,
}

/// One part. The file stays open, so that what is parsed is what was digested even if the path is given to another.
pub(crate) struct VerifiedPart {
    path: PathBuf,
    file: File,
    rows: u64,
    schema_version: u32,
}

impl VerifiedParts {
    /// The parts of this manifest, which must be one of `table` in a version that this program knows.
    pub(crate) fn of(
        table: &'static TableSchema,
        manifest: &Manifest,
        paths: &[PathBuf],
    ) -> Result<Self, SnapshotError> {
        let (found, version) = (manifest.dataset.table.name, manifest.schema_version);
        if found != table.name {
            return Err(SnapshotError::TwoTables { left: found.to_owned(), right: table.name.to_owned() });
        }
        if version > table.version {
            let needs = manifest.tool_version.clone();
            return Err(SnapshotError::NewerProgram { what: found.to_owned(), needs });
        }
        if manifest.schema_fingerprint != table.fingerprint_at(version) {
            let detail = format!("version {version} has another fingerprint here");
            return Err(SnapshotError::SchemaMismatch { table: found.to_owned(), detail });
        }
        Self::open(table, version, &manifest.parts, paths)
    }

    pub(crate) fn open(
        table: &'static TableSchema,
        schema_version: u32,
        entries: &[PartEntry],
        paths: &[PathBuf],
    ) -> Result<Self, SnapshotError> {
        if entries.len() != paths.len() {
            let (listed, given) = (entries.len(), paths.len());
            return Err(SnapshotError::PartCount { table: table.name.to_owned(), listed, given });
        }
        let parts = entries
            .iter()
            .zip(paths)
            .map(|(entry, path)| {
                let file = verified(entry, path)?;
                Ok(Arc::new(VerifiedPart { path: path.clone(), file, rows: entry.rows, schema_version }))
            })
            .collect::<Result<Vec<_>, SnapshotError>>()?;
        Ok(Self { table, parts })
    }

    pub(crate) fn table(&self) -> &'static TableSchema {
        self.table
    }

    pub(crate) fn parts(&self) -> &[Arc<VerifiedPart>] {
        &self.parts
    }

    /// Batches of these columns; those that are not in `wanted` come as empty or blank.
    pub(crate) fn batches(self, columns: Vec<Column>, wanted: impl Iterator<Item = &'static str>) -> Batches {
        let wanted: Vec<&str> = wanted.collect();
        let parts = self.parts.into_iter();
        Batches { table: self.table, columns, wanted, parts, current: None, path: PathBuf::new() }
    }
}

/// Opens a file and digests it.
fn verified(entry: &PartEntry, path: &Path) -> Result<File, SnapshotError> {
    let refused = |attempt| move |source| SnapshotError::File { attempt, path: path.to_owned(), source };
    let file = File::open(path).map_err(refused("open"))?;
    let mismatch = |detail| Err(SnapshotError::DigestMismatch { path: path.to_owned(), detail });
    let length = file.metadata().map_err(refused("examine"))?.len();
    if length != entry.bytes {
        return mismatch(format!("it has {length} bytes, listed are {}", entry.bytes));
    }
    // The limit keeps a file that grows meanwhile from being read for ever.
    let mut input = Digesting::new(file.take(entry.bytes + 1));
    std::io::copy(&mut input, &mut std::io::sink()).map_err(refused("read"))?;
    let (digest, _, file) = input.finish();
    if digest != entry.sha256 {
        return mismatch(format!(
            "its SHA-256 begins {}, listed is {}",
            digest.short(),
            entry.sha256.short()
        ));
    }
    let mut file = file.into_inner();
    file.seek(SeekFrom::Start(0)).map_err(refused("read"))?;
    Ok(file)
}

impl VerifiedPart {
    pub(crate) fn rows(&self) -> u64 {
        self.rows
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    fn unreadable(&self, detail: String) -> SnapshotError {
        SnapshotError::Unreadable { path: self.path.clone(), detail }
    }

    /// Parses the footer, and holds it against the manifest and the table.
    pub(crate) fn metadata(&self, table: &TableSchema) -> Result<ArrowReaderMetadata, SnapshotError> {
        let options = ArrowReaderOptions::new().with_page_index_policy(PageIndexPolicy::Optional);
        let metadata = guarded(|| ArrowReaderMetadata::load(&self.file, options))
            .map_err(|detail| self.unreadable(detail))?;
        let contradiction = |detail| SnapshotError::Contradiction { path: self.path.clone(), detail };
        let rows = metadata.metadata().file_metadata().num_rows();
        if u64::try_from(rows) != Ok(self.rows) {
            return Err(contradiction(format!("it has {rows} rows, listed are {}", self.rows)));
        }
        let difference = schema_difference(table, self.schema_version, metadata.schema());
        difference.map_or(Ok(metadata), |detail| Err(contradiction(detail)))
    }

    /// Batches of some columns, and of some rows if there is a selection.
    pub(crate) fn reader(
        &self,
        metadata: &ArrowReaderMetadata,
        wanted: &[&str],
        selection: Option<RowSelection>,
    ) -> Result<ParquetRecordBatchReader, SnapshotError> {
        let file = self.file.try_clone().map_err(|source| SnapshotError::File {
            attempt: "open again",
            path: self.path.clone(),
            source,
        })?;
        let made = guarded(|| {
            let mask = ProjectionMask::columns(metadata.parquet_schema(), wanted.iter().copied());
            let mut builder = ParquetRecordBatchReaderBuilder::new_with_metadata(file, metadata.clone())
                .with_projection(mask)
                .with_batch_size(batch_rows(metadata));
            if let Some(selection) = selection {
                builder = builder.with_row_selection(selection);
            }
            builder.build()
        });
        made.map_err(|detail| self.unreadable(detail))
    }

    /// The next batch of such a reader.
    pub(crate) fn next_batch(
        &self,
        table: &'static TableSchema,
        columns: &[Column],
        reader: &mut ParquetRecordBatchReader,
    ) -> Result<Option<BatchView>, SnapshotError> {
        let batch = guarded(|| {
            reader.next().transpose().map_err(|error| ParquetError::ArrowError(error.to_string()))
        })
        .map_err(|detail| self.unreadable(detail))?;
        batch.map(|batch| BatchView::new(table.name, columns.iter().copied(), &batch)).transpose()
    }
}

/// Runs the parser; a panic of it becomes a text.
fn guarded<T>(parse: impl FnOnce() -> Result<T, ParquetError>) -> Result<T, String> {
    match catch_unwind(AssertUnwindSafe(parse)) {
        Ok(parsed) => parsed.map_err(|error| error.to_string()),
        Err(_) => Err("the parser gave up".into()),
    }
}

/// Rows of a batch so that it stays near [`BATCH_BYTES`].
pub(crate) fn batch_rows(metadata: &ArrowReaderMetadata) -> usize {
    let row_bytes = metadata.metadata().row_groups().iter().map(|group| {
        let bytes = u64::try_from(group.total_byte_size()).unwrap_or(0);
        bytes / u64::try_from(group.num_rows()).unwrap_or(1).max(1)
    });
    let longest = usize::try_from(row_bytes.max().unwrap_or(0)).unwrap_or(usize::MAX).max(1);
    (BATCH_BYTES / longest).clamp(BATCH_ROWS_MIN, BATCH_ROWS_MAX)
}

/// The first column that is not as the table says, if there is one.
fn schema_difference(table: &TableSchema, version: u32, found: &Schema) -> Option<String> {
    let stored = table.stored_columns_at(version);
    if stored.len() != found.fields().len() {
        return Some(format!("it has {} columns, {} belong there", found.fields().len(), stored.len()));
    }
    stored.iter().zip(found.fields()).find_map(|(stored, field)| {
        let column = &stored.column;
        let is_same = column.name == field.name()
            && arrow_type(column.kind) == *field.data_type()
            && column.is_nullable == field.is_nullable();
        (!is_same)
            .then(|| format!("its column {} is not the {} that belongs there", field.name(), column.name))
    })
}

/// The batches of all parts, one after the other.
pub(crate) struct Batches {
    table: &'static TableSchema,
    columns: Vec<Column>,
    wanted: Vec<&'static str>,
    parts: std::vec::IntoIter<Arc<VerifiedPart>>,
    current: Option<(Arc<VerifiedPart>, ParquetRecordBatchReader)>,
    path: PathBuf,
}

impl Batches {
    /// The file that was read last.
    pub(crate) fn path(&self) -> PathBuf {
        self.path.clone()
    }

    fn next_batch(&mut self) -> Result<Option<BatchView>, SnapshotError> {
        loop {
            if let Some((part, reader)) = &mut self.current {
                if let Some(batch) = part.next_batch(self.table, &self.columns, reader)? {
                    return Ok(Some(batch));
                }
                self.current = None;
            }
            let Some(part) = self.parts.next() else { return Ok(None) };
            self.path.clone_from(&part.path);
            let metadata = part.metadata(self.table)?;
            let reader = part.reader(&metadata, &self.wanted, None)?;
            self.current = Some((part, reader));
        }
    }
}

impl Iterator for Batches {
    type Item = Result<BatchView, SnapshotError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_batch().transpose()
    }
}
