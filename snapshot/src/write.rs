//! Writing a snapshot: rows in any order in, key-sorted Parquet parts and a manifest out.
//!
//! An external sort with bounded memory. Rows collect in a buffer; a full buffer that continues in key order goes
//! straight to the part being written, any other is sorted and spilled to the scratch folder, and sealing merges the
//! spills. The parts depend on the rows and the context alone, never on their order, the budget or the moment.
//! Deliberately absent: stores. The caller moves the sealed files to where they belong, manifest last.

use std::marker::PhantomData;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use tempfile::TempDir;

use crate::dataset::{Dataset, Pass, RunId};
use crate::digest::Digest;
use crate::error::SnapshotError;
use crate::manifest::Manifest;
use crate::read::VerifiedParts;
use crate::row::Row;
use crate::schema::TableSchema;
use crate::value::Value;

mod buffer;
mod parts;
mod record;
mod spill;
#[cfg(test)]
mod tests;

use buffer::SortBuffer;
use parts::{Limits, PartWriter};
use record::{Record, RecordCoder};
use spill::{MERGE_RUNS_MAX, Run, RunWriter, merge};

/// Rows that a writer keeps in memory before it sorts and spills, in bytes. A buffer of this size sorts two hundred
/// thousand calls at once, and thirty writers side by side stay below a gigabyte.
pub const SORT_BUDGET_BYTES: usize = 32 << 20;

/// What stands in every file and in the manifest beside the rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WriteContext {
    /// The run.
    pub run: RunId,
    /// The pass.
    pub pass: Pass,
    /// Version of the program that writes.
    pub tool_version: String,
    /// Digest of the confirmed mapping that the rows depend on.
    pub mapping_hash: Option<String>,
    /// Digests of the snapshots and documents that the rows were made from.
    pub made_from: Vec<Digest>,
    /// When the reading began; stands in the manifest only, so that files of equal rows stay equal.
    pub taken_at: Option<Timestamp>,
}

/// One finished file. Its folder lives as long as any part of the snapshot does: copy the file before dropping the last.
#[derive(Debug, Clone)]
pub struct LocalPart {
    /// `part-00000.zstd.parquet` and so on.
    pub file_name: String,
    /// Where it is.
    pub path: PathBuf,
    /// Digest of the file.
    pub sha256: Digest,
    /// Size of the file.
    pub bytes: u64,
    /// Rows in the file.
    pub rows: u64,
    /// Key of the first row, column by column; none where a key column names a person.
    pub first_key: Option<Vec<String>>,
    /// Key of the last row, column by column; none where a key column names a person.
    pub last_key: Option<Vec<String>>,
    #[expect(dead_code, reason = "holding it keeps the folder from being removed")]
    folder: Arc<TempDir>,
}

/// A finished snapshot on local disk. An empty table has a manifest and no parts.
#[derive(Debug, Clone)]
pub struct Sealed {
    /// To be stored after all parts.
    pub manifest: Manifest,
    /// In key order.
    pub parts: Vec<LocalPart>,
}

impl Sealed {
    /// Paths of the parts in order.
    #[must_use]
    pub fn part_paths(&self) -> Vec<PathBuf> {
        self.parts.iter().map(|part| part.path.clone()).collect()
    }
}

/// Takes rows in any order and seals them into a snapshot.
pub struct TableWriter<R: Row> {
    sorter: Sorter,
    row: PhantomData<fn(R)>,
}

impl<R: Row> TableWriter<R> {
    /// A writer that keeps about `budget_bytes` of rows in memory and the rest in a folder of its own below `scratch`.
    /// [`SORT_BUDGET_BYTES`] is a good budget.
    ///
    /// # Errors
    /// When no folder can be made in `scratch`.
    pub fn new(context: WriteContext, scratch: &Path, budget_bytes: usize) -> Result<Self, SnapshotError> {
        let sorter = Sorter::new(R::SCHEMA, context, scratch, budget_bytes, Limits::STORED)?;
        Ok(Self { sorter, row: PhantomData })
    }

    /// Adds a row.
    ///
    /// # Errors
    /// When a value cannot be kept, when the key is there already, or when the disk refuses. A key that is there already
    /// may also be noticed by [`TableWriter::seal`] only. After an error the writer is of no further use.
    #[expect(clippy::needless_pass_by_value, reason = "a row that was written is done with")]
    pub fn push(&mut self, row: R) -> Result<(), SnapshotError> {
        self.sorter.push(&row.values())
    }

    /// Rows so far.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.sorter.rows
    }

    /// Sorts, writes and closes everything.
    ///
    /// # Errors
    /// When two rows have one key, unless the table allows it, or when the disk refuses.
    pub fn seal(self) -> Result<Sealed, SnapshotError> {
        self.sorter.seal()
    }
}

/// The writer without its row type, so that it is compiled once.
struct Sorter {
    coder: RecordCoder,
    context: WriteContext,
    folder: Arc<TempDir>,
    buffer: SortBuffer,
    budget_bytes: usize,
    limits: Limits,
    /// Rows that came in key order from the first on; `None` once a row did not.
    in_order: Option<PartWriter>,
    runs: Vec<Run>,
    runs_made: usize,
    rows: u64,
}

impl Sorter {
    fn new(
        table: &'static TableSchema,
        context: WriteContext,
        scratch: &Path,
        budget_bytes: usize,
        limits: Limits,
    ) -> Result<Self, SnapshotError> {
        let in_scratch =
            |source| SnapshotError::File { attempt: "make a folder in", path: scratch.into(), source };
        let folder = tempfile::Builder::new().prefix(table.name).tempdir_in(scratch).map_err(in_scratch)?;
        let folder = Arc::new(folder);
        let in_order = Some(PartWriter::new(table, &context, folder.path(), limits));
        Ok(Self {
            coder: RecordCoder::new(table),
            context,
            folder,
            buffer: SortBuffer::default(),
            budget_bytes,
            limits,
            in_order,
            runs: Vec::new(),
            runs_made: 0,
            rows: 0,
        })
    }

    fn push(&mut self, values: &[Value<'_>]) -> Result<(), SnapshotError> {
        self.buffer.push(self.coder.encode(values)?);
        self.rows += 1;
        if self.buffer.bytes() >= self.budget_bytes { self.drain() } else { Ok(()) }
    }

    /// Empties the buffer: into the part being written as long as all rows came in order, else into a spill.
    fn drain(&mut self) -> Result<(), SnapshotError> {
        match self.in_order.take() {
            Some(mut parts) if self.continues(&parts) => {
                self.buffer.sorted().try_for_each(|record| parts.push(record))?;
                self.in_order = Some(parts);
            }
            written => {
                if let Some(parts) = written.filter(|parts| parts.rows() > 0) {
                    self.take_back(parts)?;
                }
                let mut run = self.new_run()?;
                self.buffer.sorted().try_for_each(|record| run.push(record.as_bytes()))?;
                self.runs.push(run.finish()?);
                if self.runs.len() >= MERGE_RUNS_MAX {
                    let runs = std::mem::take(&mut self.runs);
                    let mut run = self.new_run()?;
                    merge(&runs, None, |record| run.push(record.as_bytes()))?;
                    self.runs.push(run.finish()?);
                }
            }
        }
        self.buffer.clear();
        Ok(())
    }

    /// Whether the buffer begins behind what is written. An equal key does not: several rows with one key have an order
    /// of their own, and where they are not allowed the merge will say so.
    fn continues(&self, parts: &PartWriter) -> bool {
        let is_behind = |first: Record<'_>| parts.last_key().is_none_or(|last| last < first.key());
        self.buffer.is_sorted() && self.buffer.first().is_none_or(is_behind)
    }

    fn new_run(&mut self) -> Result<RunWriter, SnapshotError> {
        self.runs_made += 1;
        RunWriter::new(self.coder.table(), self.folder.path().join(format!("run-{}", self.runs_made)))
    }

    /// Turns parts that were written too early into a spill.
    fn take_back(&mut self, parts: PartWriter) -> Result<(), SnapshotError> {
        let entries = parts.finish()?.parts;
        let mut run = self.new_run()?;
        let paths: Vec<PathBuf> =
            entries.iter().map(|part| self.folder.path().join(&part.file_name)).collect();
        let verified = VerifiedParts::open(self.coder.table(), self.coder.table().version, &entries, &paths)?;
        let table = self.coder.table();
        for view in verified.batches(table.columns.to_vec(), table.columns.iter().map(|column| column.name)) {
            let view = view?;
            let mut values = Vec::with_capacity(table.columns.len());
            for row in 0..view.rows() {
                values.clear();
                values.extend((0..table.columns.len()).map(|column| view.value(column, row)));
                run.push(self.coder.encode(&values)?)?;
            }
        }
        for path in paths {
            let refused = |source| SnapshotError::File { attempt: "remove", path: path.clone(), source };
            std::fs::remove_file(&path).map_err(refused)?;
        }
        self.runs.push(run.finish()?);
        Ok(())
    }

    fn seal(mut self) -> Result<Sealed, SnapshotError> {
        let table = self.coder.table();
        let in_order = self.in_order.take();
        let written = match in_order {
            Some(mut parts) if parts.rows() == 0 || self.continues(&parts) => {
                self.buffer.sorted().try_for_each(|record| parts.push(record))?;
                parts.finish()?
            }
            late => {
                if let Some(parts) = late {
                    self.take_back(parts)?;
                }
                let mut parts = PartWriter::new(table, &self.context, self.folder.path(), self.limits);
                merge(&self.runs, Some(&mut self.buffer), |record| parts.push(record))?;
                parts.finish()?
            }
        };
        // The spills are done with; the folder itself stays as long as the parts.
        self.runs.clear();
        let context = self.context;
        let manifest = Manifest {
            dataset: Dataset { run: context.run, pass: context.pass, table },
            schema_version: table.version,
            schema_fingerprint: table.fingerprint(),
            rows: self.rows,
            bytes: written.parts.iter().map(|part| part.bytes).sum(),
            content_digest: written.content_digest,
            parts: written.parts,
            made_from: context.made_from,
            tool_version: context.tool_version,
            mapping_hash: context.mapping_hash,
            taken_at: context.taken_at,
        };
        let parts = manifest.parts.iter().map(|part| local_part(part, &self.folder)).collect();
        Ok(Sealed { manifest, parts })
    }
}

fn local_part(part: &crate::manifest::PartEntry, folder: &Arc<TempDir>) -> LocalPart {
    LocalPart {
        file_name: part.file_name.clone(),
        path: folder.path().join(&part.file_name),
        sha256: part.sha256.clone(),
        bytes: part.bytes,
        rows: part.rows,
        first_key: part.first_key.clone(),
        last_key: part.last_key.clone(),
        folder: Arc::clone(folder),
    }
}
