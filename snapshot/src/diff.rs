//! What changed between two snapshots of one table, field by field.
//!
//! A streaming merge of sorted parts. Only the sort key and the stored row hash of every row are read; the other columns
//! only of rows whose hashes differ. Memory does not grow with the snapshots. Control columns and raw records are not
//! compared. In tables that allow several rows per key a changed row shows as one removed and one added.

use std::cmp::Ordering;
use std::collections::VecDeque;
use std::path::PathBuf;

use parquet::arrow::arrow_reader::{ArrowReaderMetadata, RowSelection};

use crate::column::Column;
use crate::error::SnapshotError;
use crate::hash::to_text;
use crate::key;
use crate::manifest::Manifest;
use crate::read::{BATCH_ROWS_MAX, RowStream, VerifiedPart, VerifiedParts, batch_rows};
use crate::schema::TableSchema;
use crate::value::ValueBuf;

/// One difference between two snapshots. Keys are in the order of the table's key columns.
#[derive(Debug, Clone, PartialEq)]
pub enum Difference {
    /// Only the newer one has the row.
    Added {
        /// Its key.
        key: Vec<ValueBuf>,
    },
    /// Only the older one has the row.
    Removed {
        /// Its key.
        key: Vec<ValueBuf>,
    },
    /// Both have the row, with other values.
    Changed {
        /// Its key.
        key: Vec<ValueBuf>,
        /// The columns that differ; at least one.
        fields: Vec<FieldChange>,
    },
}

/// One column that differs.
#[derive(Debug, Clone, PartialEq)]
pub struct FieldChange {
    /// The column.
    pub column: &'static str,
    /// In the older snapshot.
    pub old: ValueBuf,
    /// In the newer snapshot.
    pub new: ValueBuf,
}

/// How many rows of each kind there were so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Rows that are equal in both.
    pub same: u64,
    /// Rows that only the newer one has.
    pub added: u64,
    /// Rows that only the older one has.
    pub removed: u64,
    /// Rows that both have with other values.
    pub changed: u64,
}

impl Counts {
    /// Whether anything differs.
    #[must_use]
    pub fn has_differences(&self) -> bool {
        self.added + self.removed + self.changed > 0
    }
}

/// The differences in key order, one by one.
pub struct Differences {
    table: &'static TableSchema,
    old: Side,
    new: Side,
    counts: Counts,
    /// Differences that are looked up together; fewer where rows are long.
    window_rows: usize,
    ready: VecDeque<Difference>,
    is_done: bool,
}

/// Compares an older snapshot with a newer one of the same table. Both are checked whole before anything is compared.
///
/// # Errors
/// When the tables differ, or a file is missing or not the one listed.
pub fn compare(
    old: &Manifest,
    old_paths: &[PathBuf],
    new: &Manifest,
    new_paths: &[PathBuf],
) -> Result<Differences, SnapshotError> {
    let (table, other) = (old.dataset.table, new.dataset.table);
    if table != other {
        return Err(SnapshotError::TwoTables { left: table.name.to_owned(), right: other.name.to_owned() });
    }
    let (old_side, new_side) = (Side::open(old, old_paths)?, Side::open(new, new_paths)?);
    // The same row hashes in the same order: nothing can differ.
    let is_same = old.content_digest == new.content_digest && old.rows == new.rows;
    let counts = Counts { same: if is_same { old.rows } else { 0 }, ..Counts::default() };
    let mut differences = Differences {
        table,
        old: old_side,
        new: new_side,
        counts,
        window_rows: BATCH_ROWS_MAX,
        ready: VecDeque::new(),
        is_done: is_same,
    };
    if !is_same {
        let rows = differences.old.start()?.min(differences.new.start()?);
        differences.window_rows = rows;
    }
    Ok(differences)
}

/// A difference whose columns are not read yet.
enum Pending {
    Added(Vec<u8>),
    Removed(Vec<u8>),
    Changed(Vec<u8>),
}

impl Differences {
    /// How many rows of each kind there were so far; of all rows once the iterator has ended.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// Merges on until a window is full, then reads the columns of its changed rows.
    fn fill(&mut self) -> Result<(), SnapshotError> {
        let mut pending = Vec::new();
        let (mut old_rows, mut new_rows) = (Vec::new(), Vec::new());
        while pending.len() < self.window_rows {
            let order = match (&self.old.head, &self.new.head) {
                (None, None) => {
                    self.is_done = true;
                    break;
                }
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some(old), Some(new)) if self.table.is_multi => {
                    old.key.cmp(&new.key).then_with(|| old.hash.cmp(&new.hash))
                }
                (Some(old), Some(new)) => old.key.cmp(&new.key),
            };
            let old = if order.is_le() { self.old.advance()? } else { None };
            let new = if order.is_ge() { self.new.advance()? } else { None };
            match (old, new) {
                (Some(old), Some(new)) if old.hash == new.hash => self.counts.same += 1,
                (Some(old), Some(new)) => {
                    self.counts.changed += 1;
                    old_rows.push(old.number);
                    new_rows.push(new.number);
                    pending.push(Pending::Changed(old.key));
                }
                (Some(old), None) => {
                    self.counts.removed += 1;
                    pending.push(Pending::Removed(old.key));
                }
                (None, Some(new)) => {
                    self.counts.added += 1;
                    pending.push(Pending::Added(new.key));
                }
                (None, None) => {}
            }
        }
        let columns: Vec<Column> =
            self.table.columns.iter().filter(|column| column.is_hashed).copied().collect();
        let old_values = self.old.fetch(&columns, &old_rows)?;
        let new_values = self.new.fetch(&columns, &new_rows)?;
        let mut changed = old_values.into_iter().zip(new_values);
        for pending in pending {
            let difference = match pending {
                Pending::Added(key) => Difference::Added { key: key::values(self.table, &key) },
                Pending::Removed(key) => Difference::Removed { key: key::values(self.table, &key) },
                Pending::Changed(key) => {
                    let fields = changed.next().map(|(old, new)| field_changes(&columns, old, new));
                    let fields =
                        fields.filter(|fields| !fields.is_empty()).ok_or_else(|| self.old.false_hash())?;
                    Difference::Changed { key: key::values(self.table, &key), fields }
                }
            };
            self.ready.push_back(difference);
        }
        Ok(())
    }
}

impl Iterator for Differences {
    type Item = Result<Difference, SnapshotError>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.ready.is_empty() && !self.is_done {
            if let Err(error) = self.fill() {
                self.is_done = true;
                self.ready.clear();
                return Some(Err(error));
            }
        }
        self.ready.pop_front().map(Ok)
    }
}

fn field_changes(columns: &[Column], old: Vec<ValueBuf>, new: Vec<ValueBuf>) -> Vec<FieldChange> {
    let pairs = columns.iter().zip(old.into_iter().zip(new));
    pairs
        .filter(|(_, (old, new))| old != new)
        .map(|(column, (old, new))| FieldChange { column: column.name, old, new })
        .collect()
}

/// Key, hash and place of the next row.
struct Head {
    key: Vec<u8>,
    hash: String,
    number: u64,
}

/// One of the two snapshots: all rows by key and hash, and single rows whole.
struct Side {
    rows: RowStream,
    head: Option<Head>,
    parts: VerifiedParts,
    footers: Vec<ArrowReaderMetadata>,
}

impl Side {
    fn open(manifest: &Manifest, paths: &[PathBuf]) -> Result<Self, SnapshotError> {
        let parts = VerifiedParts::of(manifest.dataset.table, manifest, paths)?;
        let mut rows = RowStream::new(parts.clone());
        rows.leave_key_and_hash();
        Ok(Self { rows, head: None, parts, footers: Vec::new() })
    }

    /// Reads the footers and the first row. How many rows fit into memory together.
    fn start(&mut self) -> Result<usize, SnapshotError> {
        let table = self.parts.table();
        self.footers =
            self.parts.parts().iter().map(|part| part.metadata(table)).collect::<Result<_, _>>()?;
        self.advance()?;
        Ok(self.footers.iter().map(batch_rows).min().unwrap_or(BATCH_ROWS_MAX))
    }

    /// Hands out the head and moves on.
    fn advance(&mut self) -> Result<Option<Head>, SnapshotError> {
        let next = self.rows.next_with(|place| {
            let hash = place.stored_hash().map_or_else(|| to_text(place.computed_hash()), str::to_owned);
            Ok(Head { key: place.key().to_vec(), hash, number: place.number() })
        })?;
        Ok(std::mem::replace(&mut self.head, next))
    }

    /// The values of these rows, which are in order, column by column.
    fn fetch(&self, columns: &[Column], numbers: &[u64]) -> Result<Vec<Vec<ValueBuf>>, SnapshotError> {
        let table = self.parts.table();
        let wanted: Vec<&str> = columns.iter().map(|column| column.name).collect();
        let mut fetched = Vec::with_capacity(numbers.len());
        let mut part_start = 0;
        let mut rest = numbers;
        for (part, footer) in self.parts.parts().iter().zip(&self.footers) {
            let part_end = part_start + part.rows();
            let (here, later) = rest.split_at(rest.partition_point(|&number| number < part_end));
            rest = later;
            if !here.is_empty() {
                let offsets: Vec<u64> = here.iter().map(|number| number - part_start).collect();
                let mut reader = part.reader(footer, &wanted, Some(selection(part, &offsets)))?;
                while let Some(view) = part.next_batch(table, columns, &mut reader)? {
                    for row in 0..view.rows() {
                        let values =
                            (0..columns.len()).map(|column| view.value(column, row).to_owned_value());
                        fetched.push(values.collect());
                    }
                }
            }
            part_start = part_end;
        }
        Ok(fetched)
    }

    /// Two hashes differ, and no column does.
    fn false_hash(&self) -> SnapshotError {
        let path = self.parts.parts().first().map(|part| part.path().to_owned()).unwrap_or_default();
        SnapshotError::Contradiction { path, detail: "a stored row hash is not the hash of its row".into() }
    }
}

/// These rows of a part, and no other.
fn selection(part: &VerifiedPart, offsets: &[u64]) -> RowSelection {
    let at = |offset: u64| usize::try_from(offset).expect("rows of a part are counted in memory");
    RowSelection::from_consecutive_ranges(
        offsets.iter().map(|&offset| at(offset)..at(offset) + 1),
        at(part.rows()),
    )
}

#[cfg(test)]
mod tests;
