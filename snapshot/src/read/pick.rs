//! A few rows of a large snapshot, found by their keys.

use std::collections::BTreeSet;
use std::marker::PhantomData;

use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, RowSelection};

use super::parts::VerifiedParts;
use super::stream::RowStream;
use crate::batch::BatchView;
use crate::column::Column;
use crate::error::SnapshotError;
use crate::key::Key;
use crate::row::Row;

/// Rows that were asked for, in key order.
pub struct Picked<R: Row> {
    rows: PickedRows,
    row: PhantomData<fn() -> R>,
}

impl<R: Row> Picked<R> {
    pub(super) fn new(rows: PickedRows) -> Self {
        Self { rows, row: PhantomData }
    }
}

impl<R: Row> Iterator for Picked<R> {
    type Item = Result<R, SnapshotError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.rows
            .advance()
            .and_then(|at| at.map(|(view, row)| R::read(&view.row(row))).transpose())
            .transpose()
    }
}

/// The same of any table.
pub(crate) struct PickedRows {
    parts: VerifiedParts,
    columns: Vec<Column>,
    wanted: Vec<&'static str>,
    /// Numbers of rows, by part.
    numbers: Vec<Vec<u64>>,
    next_part: usize,
    reader: Option<ParquetRecordBatchReader>,
    view: Option<BatchView>,
    next_row: usize,
}

impl RowStream {
    /// Only rows of whose key this is true; none at all without a condition.
    pub(super) fn only(
        mut self,
        is_wanted: Option<impl FnMut(&Key) -> bool>,
    ) -> Result<PickedRows, SnapshotError> {
        let (columns, wanted, parts) = self.unread()?;
        let mut numbers: Vec<Vec<u64>> = parts.parts().iter().map(|_| Vec::new()).collect();
        let ends: Vec<u64> = parts
            .parts()
            .iter()
            .scan(0, |end, part| {
                *end += part.rows();
                Some(*end)
            })
            .collect();
        if let Some(is_wanted) = is_wanted {
            for number in self.found(is_wanted, |_, number| number)? {
                let part = ends.partition_point(|end| *end <= number);
                let start = part.checked_sub(1).map_or(0, |before| ends[before]);
                numbers[part].push(number - start);
            }
        }
        Ok(PickedRows {
            parts,
            columns,
            wanted,
            numbers,
            next_part: 0,
            reader: None,
            view: None,
            next_row: 0,
        })
    }
}

impl RowStream {
    /// Reads the keys alone, and what `make` makes of those of which this is true and of the numbers of their rows.
    pub(super) fn found<T>(
        &mut self,
        mut is_wanted: impl FnMut(&Key) -> bool,
        mut make: impl FnMut(&Key, u64) -> T,
    ) -> Result<Vec<T>, SnapshotError> {
        self.leave_key();
        let (mut key, mut found) = (Key::default(), Vec::new());
        loop {
            let step = self.next_with(|place| {
                key.become_bytes(place.key());
                Ok(place.number())
            })?;
            let Some(number) = step else { return Ok(found) };
            if is_wanted(&key) {
                found.push(make(&key, number));
            }
        }
    }
}

/// Whether keys that come in ascending order begin with one of these.
pub(super) fn begins_with_one_of(prefixes: &BTreeSet<Key>) -> impl FnMut(&Key) -> bool {
    let mut prefixes = prefixes.iter().peekable();
    move |key| {
        // What stands before this key, and is not its beginning, is not the beginning of any later one.
        while prefixes.next_if(|prefix| *prefix < key && !key.starts_with(prefix)).is_some() {}
        prefixes.peek().is_some_and(|prefix| key.starts_with(prefix))
    }
}

impl PickedRows {
    /// Moves to the next row.
    fn advance(&mut self) -> Result<Option<(&BatchView, usize)>, SnapshotError> {
        loop {
            let has_row = self.view.as_ref().is_some_and(|view| self.next_row < view.rows());
            if has_row || !self.next_batch()? {
                break;
            }
        }
        let row = self.next_row;
        self.next_row += 1;
        Ok(self.view.as_ref().filter(|view| row < view.rows()).map(|view| (view, row)))
    }

    /// Reads on; false at the end.
    fn next_batch(&mut self) -> Result<bool, SnapshotError> {
        let table = self.parts.table();
        loop {
            if let Some(reader) = &mut self.reader {
                let part = &self.parts.parts()[self.next_part - 1];
                if let Some(view) = part.next_batch(table, &self.columns, reader)? {
                    (self.view, self.next_row) = (Some(view), 0);
                    return Ok(true);
                }
                self.reader = None;
            }
            let Some(part) = self.parts.parts().get(self.next_part) else {
                self.view = None;
                return Ok(false);
            };
            let numbers = std::mem::take(&mut self.numbers[self.next_part]);
            self.next_part += 1;
            if !numbers.is_empty() {
                let at = |number: u64| usize::try_from(number).expect("rows of a part are counted in memory");
                let selection = RowSelection::from_consecutive_ranges(
                    numbers.iter().map(|&number| at(number)..at(number) + 1),
                    at(part.rows()),
                );
                let footer = part.metadata(table)?;
                self.reader = Some(part.reader(&footer, &self.wanted, Some(selection))?);
            }
        }
    }
}
