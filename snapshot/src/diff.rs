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
use crate::read::{BATCH_ROWS_MAX, Opened, RowStream, VerifiedPart, VerifiedParts, batch_rows};
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
    merge: Merge,
    columns: Vec<Column>,
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
    let table = old.dataset.table;
    same_table(table, new.dataset.table)?;
    let old_parts = VerifiedParts::of(table, old, old_paths)?;
    let new_parts = VerifiedParts::of(table, new, new_paths)?;
    let mut merge = Merge::new(old_parts, new_parts);
    // The same row hashes in the same order: nothing can differ.
    let is_same = old.content_digest == new.content_digest && old.rows == new.rows;
    let mut window_rows = BATCH_ROWS_MAX;
    if is_same {
        merge.counts.same = old.rows;
    } else {
        window_rows = merge.old.read_footers()?.min(merge.new.read_footers()?);
        merge.start()?;
    }
    let columns = table.columns.iter().filter(|column| column.is_hashed).copied().collect();
    Ok(Differences { merge, columns, window_rows, ready: VecDeque::new(), is_done: is_same })
}

fn same_table(left: &'static TableSchema, right: &'static TableSchema) -> Result<(), SnapshotError> {
    if left == right {
        Ok(())
    } else {
        Err(SnapshotError::TwoTables { left: left.name.to_owned(), right: right.name.to_owned() })
    }
}

/// What became of a row between two snapshots.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Only the newer one has it.
    Added,
    /// Only the older one has it.
    Removed,
    /// Both have it, with other values.
    Changed,
}

/// A row that differs, by its key alone.
#[derive(Debug, Clone, PartialEq)]
pub struct KeyDifference {
    /// What became of it.
    pub kind: Kind,
    /// Its key, in the order of the table's key columns.
    pub key: Vec<ValueBuf>,
}

/// Which rows differ, in key order. Reads sort keys and row hashes and nothing else. The counts of
/// all rows come with them.
///
/// # Errors
/// When the tables differ, or a file cannot be read.
pub fn keys(old: &Opened, new: &Opened) -> Result<(Vec<KeyDifference>, Counts), SnapshotError> {
    let table = old.parts().table();
    same_table(table, new.parts().table())?;
    let mut merge = Merge::new(old.parts().clone(), new.parts().clone());
    merge.start()?;
    let mut found = Vec::new();
    while let Some(step) = merge.next_difference()? {
        found.push(KeyDifference { kind: step.kind, key: key::values(table, &step.key) });
    }
    Ok((found, merge.counts))
}

/// A difference whose columns are not read yet.
struct Step {
    kind: Kind,
    key: Vec<u8>,
    old_row: u64,
    new_row: u64,
}

/// Two snapshots side by side.
struct Merge {
    table: &'static TableSchema,
    old: Side,
    new: Side,
    counts: Counts,
}

impl Merge {
    fn new(old: VerifiedParts, new: VerifiedParts) -> Self {
        let table = old.table();
        Self { table, old: Side::new(old), new: Side::new(new), counts: Counts::default() }
    }

    fn start(&mut self) -> Result<(), SnapshotError> {
        self.old.advance()?;
        self.new.advance()
    }

    /// Goes on to the next difference.
    fn next_difference(&mut self) -> Result<Option<Step>, SnapshotError> {
        loop {
            let (old, new) = (&self.old.head, &self.new.head);
            let order = match (old.is_there, new.is_there) {
                (false, false) => return Ok(None),
                (true, false) => Ordering::Less,
                (false, true) => Ordering::Greater,
                (true, true) if self.table.is_multi => {
                    old.key.cmp(&new.key).then_with(|| old.hash.cmp(&new.hash))
                }
                (true, true) => old.key.cmp(&new.key),
            };
            let (kind, count) = match order {
                Ordering::Less => (Some(Kind::Removed), &mut self.counts.removed),
                Ordering::Greater => (Some(Kind::Added), &mut self.counts.added),
                Ordering::Equal if old.hash == new.hash => (None, &mut self.counts.same),
                Ordering::Equal => (Some(Kind::Changed), &mut self.counts.changed),
            };
            *count += 1;
            let step = kind.map(|kind| {
                let key = if order.is_le() { old.key.clone() } else { new.key.clone() };
                Step { kind, key, old_row: old.number, new_row: new.number }
            });
            if order.is_le() {
                self.old.advance()?;
            }
            if order.is_ge() {
                self.new.advance()?;
            }
            if step.is_some() {
                return Ok(step);
            }
        }
    }
}

impl Differences {
    /// How many rows of each kind there were so far; of all rows once the iterator has ended.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.merge.counts
    }

    /// Merges on until a window is full, then reads the columns of its changed rows.
    fn fill(&mut self) -> Result<(), SnapshotError> {
        let mut steps = Vec::new();
        while steps.len() < self.window_rows {
            let Some(step) = self.merge.next_difference()? else {
                self.is_done = true;
                break;
            };
            steps.push(step);
        }
        let changed = || steps.iter().filter(|step| step.kind == Kind::Changed);
        let old_rows: Vec<u64> = changed().map(|step| step.old_row).collect();
        let new_rows: Vec<u64> = changed().map(|step| step.new_row).collect();
        let old_values = self.merge.old.fetch(&self.columns, &old_rows)?;
        let new_values = self.merge.new.fetch(&self.columns, &new_rows)?;
        let mut changed = old_values.into_iter().zip(new_values);
        for step in steps {
            let key = key::values(self.merge.table, &step.key);
            let difference = match step.kind {
                Kind::Added => Difference::Added { key },
                Kind::Removed => Difference::Removed { key },
                Kind::Changed => {
                    let fields = changed.next().map(|(old, new)| field_changes(&self.columns, old, new));
                    let fields = fields.filter(|fields| !fields.is_empty());
                    let fields = fields.ok_or_else(|| self.merge.old.false_hash())?;
                    Difference::Changed { key, fields }
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

/// Key, hash and place of the next row, in memory that is used again for every row.
#[derive(Default)]
struct Head {
    is_there: bool,
    key: Vec<u8>,
    hash: String,
    number: u64,
}

/// One of the two snapshots: all rows by key and hash, and single rows whole.
struct Side {
    rows: RowStream,
    head: Head,
    parts: VerifiedParts,
    footers: Vec<ArrowReaderMetadata>,
}

impl Side {
    fn new(parts: VerifiedParts) -> Self {
        let mut rows = RowStream::new(parts.clone());
        rows.leave_key_and_hash();
        Self { rows, head: Head::default(), parts, footers: Vec::new() }
    }

    /// Reads the footers. How many rows fit into memory together.
    fn read_footers(&mut self) -> Result<usize, SnapshotError> {
        let table = self.parts.table();
        self.footers =
            self.parts.parts().iter().map(|part| part.metadata(table)).collect::<Result<_, _>>()?;
        Ok(self.footers.iter().map(batch_rows).min().unwrap_or(BATCH_ROWS_MAX))
    }

    /// Moves the head to the next row.
    fn advance(&mut self) -> Result<(), SnapshotError> {
        let head = &mut self.head;
        let step = self.rows.next_with(|place| {
            head.key.clear();
            head.key.extend_from_slice(place.key());
            head.hash.clear();
            match place.stored_hash() {
                Some(hash) => head.hash.push_str(hash),
                None => head.hash = to_text(place.computed_hash()),
            }
            head.number = place.number();
            Ok(())
        })?;
        head.is_there = step.is_some();
        Ok(())
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
