//! A few rows of a large snapshot, found by their keys.

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
        is_wanted: Option<impl Fn(&Key) -> bool>,
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
            self.leave_key();
            while let Some(found) = self.next_with(|place| {
                let key = Key::from_bytes(place.key().to_vec());
                Ok(is_wanted(&key).then(|| place.number()))
            })? {
                let Some(number) = found else { continue };
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
