//! A table: its columns, its order, its version, and what follows from them.
//!
//! One definition gives the struct, the Arrow schema, the data dictionary and the DDL. Columns are never renamed or
//! retyped; a new version only adds nullable columns, so that old files stay readable and old row hashes stay true.

use std::fmt::Write as _;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, TimeUnit};

use crate::column::{Column, ColumnType};
use crate::digest::Digest;

/// Which side of the migration a table shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Layer {
    /// `src`: as LeadDesk had it.
    Source,
    /// `want`: what Gorgias should hold.
    Wanted,
    /// `dst`: as Gorgias has it.
    Found,
    /// `map`: how fields and values were mapped.
    Mapping,
    /// `ctl`: what the migration did.
    Control,
}

impl Layer {
    /// First part of the table name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Source => "src",
            Self::Wanted => "want",
            Self::Found => "dst",
            Self::Mapping => "map",
            Self::Control => "ctl",
        }
    }
}

/// Name of the column that holds the row hash in `want_*` and `dst_*` tables.
pub const ROW_HASH: &str = "row_hash";
/// Name of the column that holds the row hash in `src_*` tables.
pub const SOURCE_ROW_HASH: &str = "source_row_hash";
/// Constant column: the run that wrote the file.
pub const RUN_ID_COLUMN: &str = "deskferry_run_id";
/// Constant column: the pass that wrote the file.
pub const PASS_COLUMN: &str = "deskferry_pass";
/// The record as received; always the last column.
pub const RAW_JSON: &str = "raw_json";

pub(crate) const ROW_HASH_COLUMN: Column = Column::new(
    ROW_HASH,
    ColumnType::Text,
    false,
    "Hash over all mapped columns of the row, 32 hexadecimal digits.",
)
.control();
const RUN_ID: Column = Column::new(
    RUN_ID_COLUMN,
    ColumnType::Text,
    false,
    "Run that wrote the file; the same as run_id in the path, for files that are copied out of it.",
)
.control()
.category();
const PASS: Column = Column::new(
    PASS_COLUMN,
    ColumnType::Text,
    false,
    "Pass that wrote the file; the same as pass in the path, for files that are copied out of it.",
)
.control()
.category();

/// Where the value of a stored column comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// The field of the struct with this position.
    Field(usize),
    /// The hash that the writer computes.
    RowHash,
    /// The run of the file.
    RunId,
    /// The pass of the file.
    Pass,
}

/// A column as it stands in the file.
#[derive(Debug, Clone, Copy)]
pub struct StoredColumn {
    /// What it means and how it is kept.
    pub column: Column,
    /// Where its value comes from.
    pub origin: Origin,
}

/// A table. The columns are those of the row struct, in its order.
#[derive(Debug)]
pub struct TableSchema {
    /// `<layer>_<system>_<object>`, singular.
    pub name: &'static str,
    /// Which side of the migration it shows.
    pub layer: Layer,
    /// Rises by one with each set of added columns.
    pub version: u32,
    /// One sentence or more for the data dictionary.
    pub meaning: &'static str,
    /// Columns of the row struct.
    pub columns: &'static [Column],
    /// Whether several rows may share a key; then the whole row decides their order.
    pub is_multi: bool,
}

impl PartialEq for TableSchema {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for TableSchema {}

impl TableSchema {
    /// Columns of the sort key, first first. Text sorts by bytes: `"10"` stands before `"9"`.
    pub fn key_columns(&self) -> impl Iterator<Item = &'static Column> {
        self.columns.iter().filter(|column| column.is_key)
    }

    /// Position of a column among [`TableSchema::columns`].
    #[must_use]
    pub fn position(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name)
    }

    /// Name of the stored column that holds the row hash; `map_*` and `ctl_*` tables have none.
    #[must_use]
    pub fn row_hash_column(&self) -> Option<&'static str> {
        match self.layer {
            Layer::Source => self.position(SOURCE_ROW_HASH).map(|_| SOURCE_ROW_HASH),
            Layer::Wanted | Layer::Found => Some(ROW_HASH),
            Layer::Mapping | Layer::Control => None,
        }
    }

    /// Columns as they stand in a file of this version: mapped and control columns, the row hash, the two constant
    /// columns, and the raw record last.
    #[must_use]
    pub fn stored_columns(&self) -> Vec<StoredColumn> {
        self.stored_columns_at(self.version)
    }

    /// The same for a file of an older version.
    #[must_use]
    pub fn stored_columns_at(&self, version: u32) -> Vec<StoredColumn> {
        let field = |(position, column): (usize, &Column)| {
            let origin =
                if column.name == SOURCE_ROW_HASH { Origin::RowHash } else { Origin::Field(position) };
            StoredColumn { column: *column, origin }
        };
        let known = || self.columns.iter().enumerate().filter(|(_, column)| column.since <= version);
        let mut stored: Vec<StoredColumn> =
            known().filter(|(_, column)| column.name != RAW_JSON).map(field).collect();
        if self.row_hash_column() == Some(ROW_HASH) {
            stored.push(StoredColumn { column: ROW_HASH_COLUMN, origin: Origin::RowHash });
        }
        stored.push(StoredColumn { column: RUN_ID, origin: Origin::RunId });
        stored.push(StoredColumn { column: PASS, origin: Origin::Pass });
        stored.extend(known().filter(|(_, column)| column.name == RAW_JSON).map(field));
        stored
    }

    /// Arrow schema of a file of this version, with the dictionary as field metadata.
    #[must_use]
    pub fn arrow_schema(&self) -> Arc<Schema> {
        let fields: Vec<Field> =
            self.stored_columns().iter().map(|stored| arrow_field(&stored.column)).collect();
        Arc::new(Schema::new(fields))
    }

    /// Digest of everything that a reader relies on: names, types, order, nullability, keys, hashed columns.
    /// `version` may be older than the table's own.
    #[must_use]
    pub fn fingerprint_at(&self, version: u32) -> Digest {
        let mut text = format!("{}\n{version}\n{}\n", self.name, self.is_multi);
        for StoredColumn { column, .. } in self.stored_columns_at(version) {
            // Writing to a String cannot fail.
            let _ = writeln!(
                text,
                "{} {} {} {} {}",
                column.name,
                column.kind.as_str(),
                column.is_nullable,
                column.is_key,
                column.is_hashed
            );
        }
        Digest::of(text.as_bytes())
    }

    /// [`TableSchema::fingerprint_at`] the table's own version.
    #[must_use]
    pub fn fingerprint(&self) -> Digest {
        self.fingerprint_at(self.version)
    }
}

/// Arrow type of a column.
#[must_use]
pub(crate) fn arrow_type(kind: ColumnType) -> DataType {
    match kind {
        ColumnType::Text => DataType::Utf8,
        ColumnType::Instant => DataType::Timestamp(TimeUnit::Microsecond, Some(Arc::from("UTC"))),
        ColumnType::Int32 => DataType::Int32,
        ColumnType::Int64 => DataType::Int64,
        ColumnType::Flag => DataType::Boolean,
        ColumnType::Number => DataType::Float64,
    }
}

fn arrow_field(column: &Column) -> Field {
    let facts = [
        ("meaning", Some(column.meaning)),
        ("unit", column.unit),
        ("null_meaning", column.null_meaning),
        ("source_field", column.source_field),
        ("personal_data", Some(column.personal.as_str())),
    ];
    let metadata: std::collections::HashMap<String, String> = facts
        .into_iter()
        .filter_map(|(name, fact)| fact.map(|fact| (name.to_owned(), fact.to_owned())))
        .collect();
    Field::new(column.name, arrow_type(column.kind), column.is_nullable).with_metadata(metadata)
}
