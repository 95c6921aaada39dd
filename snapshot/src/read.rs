//! Reading a snapshot: every file's SHA-256 first, then rows in key order.
//!
//! Flipped bits in Parquet often read back as other data without an error, so nothing is parsed before its digest is
//! known to be right. Memory stays bounded by a batch, whatever the size of the snapshot.

use std::collections::BTreeSet;
use std::marker::PhantomData;
use std::path::PathBuf;

use crate::error::SnapshotError;
use crate::hash::to_text;
use crate::key::Key;
use crate::manifest::Manifest;
use crate::row::{Row, RowRead};
use crate::value::ValueBuf;
use crate::write::Sealed;

mod join;
mod parts;
mod pick;
mod stream;
#[cfg(test)]
mod tests;

pub use join::{Children, Group, Grouped, Merged};
pub(crate) use parts::{VerifiedPart, VerifiedParts, batch_rows};
pub use pick::Picked;
pub(crate) use stream::RowStream;

/// Rows of a batch, at most.
pub(crate) const BATCH_ROWS_MAX: usize = 8_192;

/// Reads the rows of a snapshot in key order.
pub struct TableReader<R: Row> {
    rows: RowStream,
    row: PhantomData<fn() -> R>,
}

impl<R: Row> TableReader<R> {
    /// Checks number, size and SHA-256 of all parts; parses nothing that is not as the manifest lists it.
    /// `part_paths` are in the order of the manifest, wherever they lie.
    ///
    /// # Errors
    /// When the manifest is of another table or of a newer schema, or a file is missing or not the one listed.
    pub fn open(
        manifest: &Manifest,
        part_paths: impl IntoIterator<Item: Into<PathBuf>>,
    ) -> Result<Self, SnapshotError> {
        let part_paths: Vec<PathBuf> = part_paths.into_iter().map(Into::into).collect();
        let rows = RowStream::new(VerifiedParts::of(R::SCHEMA, manifest, &part_paths)?);
        Ok(Self { rows, row: PhantomData })
    }

    /// Reads what was just sealed.
    ///
    /// # Errors
    /// As [`TableReader::open`].
    pub fn of(sealed: &Sealed) -> Result<Self, SnapshotError> {
        Self::open(&sealed.manifest, sealed.part_paths())
    }

    /// Leaves these columns unread: they come as empty, as empty text, zero or false. Saves most of the time where the
    /// raw records are not needed.
    ///
    /// # Errors
    /// When the table has no such column, or it is part of the sort key.
    pub fn without(mut self, columns: &[&str]) -> Result<Self, SnapshotError> {
        self.rows.leave_out(columns)?;
        Ok(self)
    }

    /// Leaves all columns unread but these and the sort key; they come as of [`TableReader::without`].
    ///
    /// # Errors
    /// When the table has no such column.
    pub fn with_only(mut self, columns: &[&str]) -> Result<Self, SnapshotError> {
        self.rows.leave_only(columns)?;
        Ok(self)
    }

    /// Only rows whose sort key begins with one of these. The other rows are found by their keys alone, so that a few
    /// records out of many cost little.
    ///
    /// # Errors
    /// When a file cannot be read, or is not what the manifest lists.
    pub fn only(self, keys: &BTreeSet<Key>) -> Result<Picked<R>, SnapshotError> {
        if keys.is_empty() {
            self.rows.only(None::<fn(&Key) -> bool>)
        } else {
            self.rows.only(Some(pick::begins_with_one_of(keys)))
        }
        .map(Picked::new)
    }

    /// Only rows of whose sort key this is true.
    ///
    /// # Errors
    /// As [`TableReader::only`].
    pub fn only_where(self, is_wanted: impl FnMut(&Key) -> bool) -> Result<Picked<R>, SnapshotError> {
        self.rows.only(Some(is_wanted)).map(Picked::new)
    }

    /// The sort keys alone, of rows of whose sort key this is true.
    ///
    /// # Errors
    /// As [`TableReader::only`].
    pub fn keys_where(mut self, is_wanted: impl FnMut(&Key) -> bool) -> Result<Vec<Key>, SnapshotError> {
        self.rows.found(is_wanted, |key, _| key.clone())
    }

    /// The rows together with their hashes.
    pub fn with_hash(self) -> impl Iterator<Item = Result<RowRead<R>, SnapshotError>> {
        let mut rows = self.rows;
        std::iter::from_fn(move || {
            let step = rows.next_with(|place| {
                let hash = place.stored_hash().map_or_else(|| to_text(place.computed_hash()), str::to_owned);
                Ok(RowRead { row: R::read(&place.row())?, hash })
            });
            step.transpose()
        })
    }

    /// The rows in groups that share the first `key_columns` columns of the sort key.
    pub fn grouped(self, key_columns: usize) -> Grouped<R, Self> {
        Grouped::new(self, key_columns)
    }

    /// The rows as children of another table's rows, joined by the first `key_columns` columns of the sort key.
    pub fn children(self, key_columns: usize) -> Children<R, Self> {
        Children::new(self, key_columns)
    }
}

impl<R: Row> Iterator for TableReader<R> {
    type Item = Result<R, SnapshotError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.rows.next_with(|place| R::read(&place.row())).transpose()
    }
}

/// A snapshot whose files were digested once and stay open, to be read several times.
#[derive(Clone)]
pub struct Opened {
    parts: VerifiedParts,
}

impl Opened {
    /// As [`TableReader::open`], for whatever table the manifest names.
    ///
    /// # Errors
    /// As [`TableReader::open`].
    pub fn new(manifest: &Manifest, part_paths: &[PathBuf]) -> Result<Self, SnapshotError> {
        Ok(Self { parts: VerifiedParts::of(manifest.dataset.table, manifest, part_paths)? })
    }

    /// Its rows from the beginning.
    ///
    /// # Errors
    /// When it is of another table.
    pub fn rows<R: Row>(&self) -> Result<TableReader<R>, SnapshotError> {
        let table = self.parts.table();
        if table != R::SCHEMA {
            let (left, right) = (table.name.to_owned(), R::SCHEMA.name.to_owned());
            return Err(SnapshotError::TwoTables { left, right });
        }
        Ok(TableReader { rows: RowStream::new(self.parts.clone()), row: PhantomData })
    }

    pub(crate) fn parts(&self) -> &VerifiedParts {
        &self.parts
    }
}

/// Reads the rows of a snapshot of any table, as values in the order of the columns asked for.
pub struct RecordReader {
    rows: RowStream,
    positions: Vec<usize>,
}

impl RecordReader {
    /// As [`TableReader::open`], for whatever table the manifest names. `columns` may name stored columns of the row and
    /// the row hash; without any, all columns of the row come.
    ///
    /// # Errors
    /// As [`TableReader::open`], and when the table has no such column.
    pub fn open(
        manifest: &Manifest,
        part_paths: &[PathBuf],
        columns: &[&str],
    ) -> Result<Self, SnapshotError> {
        let table = manifest.dataset.table;
        let mut rows = RowStream::new(VerifiedParts::of(table, manifest, part_paths)?);
        let positions =
            if columns.is_empty() { (0..table.columns.len()).collect() } else { rows.leave_only(columns)? };
        Ok(Self { rows, positions })
    }
}

impl Iterator for RecordReader {
    type Item = Result<Vec<ValueBuf>, SnapshotError>;

    fn next(&mut self) -> Option<Self::Item> {
        let positions = &self.positions;
        let step = self.rows.next_with(|place| {
            Ok(positions.iter().map(|&position| place.value(position).to_owned_value()).collect())
        });
        step.transpose()
    }
}
