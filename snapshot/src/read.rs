//! Reading a snapshot: every file's SHA-256 first, then rows in key order.
//!
//! Flipped bits in Parquet often read back as other data without an error, so nothing is parsed before its digest is
//! known to be right. Memory stays bounded by a batch, whatever the size of the snapshot.

use std::collections::BTreeSet;
use std::marker::PhantomData;
use std::ops::Bound;
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

    /// Only rows whose sort key begins with one of these. The other rows are found by their keys alone, so that a few
    /// records out of many cost little.
    ///
    /// # Errors
    /// When a file cannot be read, or is not what the manifest lists.
    pub fn only(self, keys: &BTreeSet<Key>) -> Result<Picked<R>, SnapshotError> {
        let is_wanted = |key: &Key| {
            let nearest = keys.range((Bound::Unbounded, Bound::Included(key))).next_back();
            nearest.is_some_and(|nearest| key.starts_with(nearest))
        };
        if keys.is_empty() {
            self.rows.only(None::<fn(&Key) -> bool>)
        } else {
            self.rows.only(Some(is_wanted))
        }
        .map(Picked::new)
    }

    /// Only rows of whose sort key this is true.
    ///
    /// # Errors
    /// As [`TableReader::only`].
    pub fn only_where(self, is_wanted: impl Fn(&Key) -> bool) -> Result<Picked<R>, SnapshotError> {
        self.rows.only(Some(is_wanted)).map(Picked::new)
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
