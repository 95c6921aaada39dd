//! Parquet snapshots: what is stored of a migration, and how it is written, read and compared.
//!
//! One definition per table ([`table!`], all in [`tables`]) gives the row struct, the Arrow schema, the data dictionary
//! and the DDL. A snapshot is a set of immutable parts in key order and a manifest that is written last
//! ([`Manifest`]); [`TableWriter`] makes one from rows in any order, [`TableReader`] gives the rows back after checking
//! every file's SHA-256, [`diff`] compares two, [`lake`] finds them on a disk.
//! Same rows, same bytes. Deliberately absent: object stores, async, clocks and queues; callers bring local files.

pub mod ddl;
pub mod dictionary;
pub mod diff;
pub mod lake;
pub mod tables;

mod batch;
mod column;
mod dataset;
mod digest;
mod error;
#[cfg(test)]
mod fixture;
mod hash;
mod key;
mod manifest;
mod read;
mod row;
mod schema;
mod value;
mod write;

pub use batch::{Cells, RowView};
pub use column::{Column, ColumnType, EncodingClass, PersonalData};
pub use dataset::{Dataset, LAKE_FOLDER, MANIFEST_FILE, Pass, RunId, SUCCESS_FILE};
pub use digest::{Digest, NotADigest};
pub use error::SnapshotError;
pub use hash::ROW_HASH_ALGORITHM;
pub use key::Key;
pub use manifest::{Manifest, PartEntry};
pub use read::{Children, Group, Grouped, Merged, Opened, Picked, RecordReader, TableReader};
pub use row::{Row, RowRead};
pub use schema::{
    Layer, Origin, PASS_COLUMN, RAW_JSON, ROW_HASH, RUN_ID_COLUMN, SOURCE_ROW_HASH, StoredColumn, TableSchema,
};
pub use value::{Cell, Value, ValueBuf};
pub use write::{LocalPart, SORT_BUDGET_BYTES, Sealed, TableWriter, WriteContext};
