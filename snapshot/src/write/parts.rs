//! Parquet parts out of sorted records.
//!
//! Where batches, row groups and parts end depends on the records alone. Page checksums are absent, because the library
//! writes none: the digest of the whole file stands in for them.

use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::datatypes::Schema;
use arrow::record_batch::RecordBatch;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::file::metadata::{KeyValue, SortingColumn};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;
use sha2::{Digest as _, Sha256};

use super::WriteContext;
use super::record::Record;
use crate::batch::ColumnBuilder;
use crate::column::{Column, EncodingClass, PersonalData};
use crate::digest::{Digest, Digesting, hex};
use crate::error::SnapshotError;
use crate::hash::{ROW_HASH_ALGORITHM, to_text};
use crate::key;
use crate::manifest::{PartEntry, part_file_name};
use crate::schema::{Origin, StoredColumn, TableSchema};
use crate::value::Value;

/// Rows of a row group: DuckDB's own size; a look-up by key reads one group.
const ROW_GROUP_ROWS: usize = 122_880;

/// Where batches, row groups and parts end.
#[derive(Clone, Copy)]
pub(super) struct Limits {
    /// Rows of a row group.
    pub(super) group_rows: usize,
    /// Encoded bytes after which a row group ends early, since it is kept in memory until then.
    pub(super) group_bytes: usize,
    /// Rows of a part, at most, unless one row group has more.
    pub(super) part_rows: u64,
    /// Bytes after which no further row group goes into a part.
    pub(super) part_bytes: usize,
    /// Rows that are handed to the Parquet writer at once.
    pub(super) batch_rows: usize,
    /// Bytes of rows after which a batch ends early.
    pub(super) batch_bytes: usize,
}

impl Limits {
    /// The limits of all files. Another value would give other files for the same rows.
    pub(super) const STORED: Self = Self {
        group_rows: ROW_GROUP_ROWS,
        group_bytes: 32 << 20,
        part_rows: 1_000_000,
        part_bytes: 128 << 20,
        batch_rows: 8_192,
        batch_bytes: 4 << 20,
    };
}

/// Chance that a bloom filter sends a reader in vain.
const BLOOM_FALSE_POSITIVES: f64 = 0.01;
/// Bytes of the values in footers and page indexes.
const STATISTICS_BYTES: usize = 64;
/// zstd level: half the size of snappy at nearly its speed.
const ZSTD_LEVEL: i32 = 3;

/// Everything that was written.
pub(super) struct Written {
    pub(super) parts: Vec<PartEntry>,
    pub(super) content_digest: Digest,
}

/// Writes sorted records into parts.
pub(super) struct PartWriter {
    table: &'static TableSchema,
    limits: Limits,
    folder: PathBuf,
    stored: Vec<StoredColumn>,
    schema: Arc<Schema>,
    properties: WriterProperties,
    run: String,
    pass: String,
    builders: Vec<ColumnBuilder>,
    /// Where the cells of a record go: the builder of each field that is stored as given.
    builder_of_field: Vec<Option<usize>>,
    batch_rows: usize,
    batch_bytes: usize,
    open: Option<OpenPart>,
    done: Vec<PartEntry>,
    last_key: Option<Vec<u8>>,
    content: Sha256,
    rows: u64,
}

struct OpenPart {
    writer: ArrowWriter<BufWriter<Digesting<File>>>,
    path: PathBuf,
    first_key: Vec<u8>,
    rows: u64,
    group_rows: usize,
}

impl PartWriter {
    pub(super) fn new(
        table: &'static TableSchema,
        context: &WriteContext,
        folder: &Path,
        limits: Limits,
    ) -> Self {
        let stored = table.stored_columns();
        let mut builder_of_field = vec![None; table.columns.len()];
        for (position, column) in stored.iter().enumerate() {
            if let Origin::Field(field) = column.origin {
                builder_of_field[field] = Some(position);
            }
        }
        Self {
            table,
            limits,
            folder: folder.to_owned(),
            schema: table.arrow_schema(),
            properties: properties(table, &stored, context),
            run: context.run.to_string(),
            pass: context.pass.to_string(),
            builders: stored.iter().map(|stored| ColumnBuilder::new(stored.column.kind)).collect(),
            builder_of_field,
            stored,
            batch_rows: 0,
            batch_bytes: 0,
            open: None,
            done: Vec::new(),
            last_key: None,
            content: Sha256::new(),
            rows: 0,
        }
    }

    pub(super) fn rows(&self) -> u64 {
        self.rows
    }

    pub(super) fn last_key(&self) -> Option<&[u8]> {
        self.last_key.as_deref()
    }

    /// Adds the next record in order.
    pub(super) fn push(&mut self, record: Record<'_>) -> Result<(), SnapshotError> {
        let last_key = self.last_key.get_or_insert_default();
        if self.rows > 0 && !self.table.is_multi && last_key == record.key() {
            let key = shown_key(self.table, record.key());
            return Err(SnapshotError::DuplicateKey { table: self.table.name, key });
        }
        last_key.clear();
        last_key.extend_from_slice(record.key());
        if self.open.is_none() {
            self.open = Some(self.open_part(record.key())?);
        }
        let hash = record.hash();
        self.content.update(hash);
        for (builder, value) in self.builder_of_field.iter().zip(record.cells()) {
            if let Some(builder) = builder {
                self.builders[*builder].append(value);
            }
        }
        for (builder, stored) in self.builders.iter_mut().zip(&self.stored) {
            match stored.origin {
                Origin::Field(_) => {}
                Origin::RowHash => builder.append(Value::Text(&to_text(hash))),
                Origin::RunId => builder.append(Value::Text(&self.run)),
                Origin::Pass => builder.append(Value::Text(&self.pass)),
            }
        }
        self.rows += 1;
        self.batch_rows += 1;
        self.batch_bytes += record.as_bytes().len();
        let group_rows = self.open.as_ref().map_or(0, |open| open.group_rows);
        let is_full =
            self.batch_rows >= self.limits.batch_rows || self.batch_bytes >= self.limits.batch_bytes;
        if is_full || group_rows + self.batch_rows >= self.limits.group_rows {
            self.flush_batch()
        } else {
            Ok(())
        }
    }

    /// Closes the last part.
    pub(super) fn finish(mut self) -> Result<Written, SnapshotError> {
        self.flush_batch()?;
        self.close_part()?;
        let content = hex(&self.content.finalize());
        let content_digest = content.parse().expect("SHA-256 has 64 hexadecimal digits");
        Ok(Written { parts: self.done, content_digest })
    }

    fn open_part(&self, first_key: &[u8]) -> Result<OpenPart, SnapshotError> {
        let path = self.folder.join(part_file_name(self.done.len()));
        let refused = |source| SnapshotError::File { attempt: "create", path: path.clone(), source };
        let file = File::create_new(&path).map_err(refused)?;
        let options = ArrowWriterOptions::new().with_properties(self.properties.clone());
        let out = BufWriter::with_capacity(1 << 16, Digesting::new(file));
        let writer = ArrowWriter::try_new_with_options(out, Arc::clone(&self.schema), options)
            .map_err(self.encode_error())?;
        Ok(OpenPart { writer, path, first_key: first_key.to_vec(), rows: 0, group_rows: 0 })
    }

    fn encode_error(&self) -> impl Fn(parquet::errors::ParquetError) -> SnapshotError + use<> {
        let table = self.table.name;
        move |source| SnapshotError::Encode { table, source }
    }

    fn flush_batch(&mut self) -> Result<(), SnapshotError> {
        let encode_error = self.encode_error();
        let Some(open) = self.open.as_mut().filter(|_| self.batch_rows > 0) else { return Ok(()) };
        let arrays = self.builders.iter_mut().map(ColumnBuilder::finish).collect();
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), arrays)
            .map_err(|error| encode_error(parquet::errors::ParquetError::ArrowError(error.to_string())))?;
        open.writer.write(&batch).map_err(&encode_error)?;
        open.rows += self.batch_rows as u64;
        open.group_rows += self.batch_rows;
        self.batch_rows = 0;
        self.batch_bytes = 0;
        if open.group_rows < self.limits.group_rows
            && open.writer.in_progress_size() < self.limits.group_bytes
        {
            return Ok(());
        }
        open.writer.flush().map_err(&encode_error)?;
        open.group_rows = 0;
        let next_rows = open.rows + self.limits.group_rows as u64;
        let is_full =
            next_rows > self.limits.part_rows || open.writer.bytes_written() >= self.limits.part_bytes;
        if is_full { self.close_part() } else { Ok(()) }
    }

    fn close_part(&mut self) -> Result<(), SnapshotError> {
        let Some(open) = self.open.take() else { return Ok(()) };
        let out = open.writer.into_inner().map_err(self.encode_error())?;
        let refused = |source| SnapshotError::File { attempt: "write", path: open.path.clone(), source };
        let out = out.into_inner().map_err(|error| refused(error.into_error()))?;
        let (sha256, bytes, _) = out.finish();
        let last_key = self.last_key.as_deref().unwrap_or_default();
        self.done.push(PartEntry {
            file_name: part_file_name(self.done.len()),
            sha256,
            bytes,
            rows: open.rows,
            first_key: listed_key(self.table, &open.first_key),
            last_key: listed_key(self.table, last_key),
        });
        Ok(())
    }
}

/// A key for an error text: columns that name a person are left out.
fn shown_key(table: &TableSchema, bytes: &[u8]) -> String {
    let shown = |(column, value): (&Column, String)| match column.personal {
        PersonalData::Direct => format!("{}=(withheld)", column.name),
        PersonalData::Indirect | PersonalData::None => format!("{}={value}", column.name),
    };
    table.key_columns().zip(key::texts(table, bytes)).map(shown).collect::<Vec<_>>().join(", ")
}

/// A key for the manifest, or none where a column of it names a person.
fn listed_key(table: &TableSchema, bytes: &[u8]) -> Option<Vec<String>> {
    let is_personal = table.key_columns().any(|column| column.personal == PersonalData::Direct);
    (!is_personal).then(|| key::texts(table, bytes))
}

fn properties(table: &TableSchema, stored: &[StoredColumn], context: &WriteContext) -> WriterProperties {
    let fact = |name: &str, value: String| KeyValue::new(format!("deskferry.{name}"), value);
    let mut facts = vec![
        fact("table", table.name.to_owned()),
        fact("schema_version", table.version.to_string()),
        fact("schema_fingerprint", table.fingerprint().to_string()),
        fact("run_id", context.run.to_string()),
        fact("pass", context.pass.to_string()),
        fact("tool_version", context.tool_version.clone()),
        fact("row_hash_algorithm", ROW_HASH_ALGORITHM.to_owned()),
    ];
    facts.extend(context.mapping_hash.clone().map(|hash| fact("mapping_hash", hash)));
    let sorting =
        stored.iter().enumerate().filter(|(_, stored)| stored.column.is_key).map(|(position, _)| {
            let column_idx =
                i32::try_from(position).expect("a table has fewer than two thousand million columns");
            SortingColumn { column_idx, descending: false, nulls_first: true }
        });
    let level = ZstdLevel::try_new(ZSTD_LEVEL).expect("zstd knows levels 1 to 22");
    let mut builder = WriterProperties::builder()
        .set_created_by(format!("deskferry {}", context.tool_version))
        .set_compression(Compression::ZSTD(level))
        // Row groups end where the part writer says, never inside a batch.
        .set_max_row_group_row_count(None)
        .set_statistics_truncate_length(Some(STATISTICS_BYTES))
        .set_column_index_truncate_length(Some(STATISTICS_BYTES))
        .set_sorting_columns(Some(sorting.collect()))
        .set_key_value_metadata(Some(facts));
    for StoredColumn { column, .. } in stored {
        let path = ColumnPath::from(column.name);
        let (has_dictionary, encoding) = match column.encoding {
            EncodingClass::Identifier => (false, Encoding::DELTA_BYTE_ARRAY),
            EncodingClass::Unique | EncodingClass::Free => (false, Encoding::DELTA_LENGTH_BYTE_ARRAY),
            EncodingClass::Category => (true, Encoding::PLAIN),
            EncodingClass::Delta => (false, Encoding::DELTA_BINARY_PACKED),
            EncodingClass::Plain => (false, Encoding::PLAIN),
        };
        let statistics = if column.encoding == EncodingClass::Free {
            EnabledStatistics::None
        } else {
            EnabledStatistics::Page
        };
        builder = builder
            .set_column_dictionary_enabled(path.clone(), has_dictionary)
            .set_column_encoding(path.clone(), encoding)
            .set_column_statistics_enabled(path.clone(), statistics);
        if column.is_looked_up {
            builder = builder
                .set_column_bloom_filter_enabled(path.clone(), true)
                .set_column_bloom_filter_fpp(path.clone(), BLOOM_FALSE_POSITIVES)
                .set_column_bloom_filter_max_ndv(path, ROW_GROUP_ROWS as u64);
        }
    }
    builder.build()
}
