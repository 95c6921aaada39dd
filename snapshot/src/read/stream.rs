//! Rows of any table one by one, in key order, and nothing else.

use super::parts::{Batches, VerifiedParts};
use crate::batch::{BatchView, RowView};
use crate::column::Column;
use crate::error::SnapshotError;
use crate::hash::{HashPlan, ROW_HASH_BYTES};
use crate::key;
use crate::schema::{ROW_HASH, ROW_HASH_COLUMN, TableSchema};
use crate::value::Value;

/// Rows of any table, their order checked. After an error it is at its end.
pub(crate) struct RowStream {
    table: &'static TableSchema,
    /// Columns of the row struct, and behind them the stored row hash where it is no field.
    columns: Vec<Column>,
    /// Positions of the sort key's columns.
    key_positions: Vec<usize>,
    /// Columns by name, without what is left out.
    wanted: Vec<&'static str>,
    hash_position: Option<usize>,
    /// Whether that column is among the wanted.
    reads_hash: bool,
    plan: HashPlan,
    state: State,
    key: Vec<u8>,
    last_key: Option<Vec<u8>>,
    rows: u64,
}

enum State {
    Waiting(VerifiedParts),
    Reading { batches: Box<Batches>, view: Option<BatchView>, next_row: usize },
    Ended,
}

/// One row while it is looked at.
pub(crate) struct Place<'a> {
    stream: &'a RowStream,
    view: &'a BatchView,
    row: usize,
}

impl<'a> Place<'a> {
    pub(crate) fn row(&self) -> RowView<'a> {
        self.view.row(self.row)
    }

    pub(crate) fn value(&self, position: usize) -> Value<'a> {
        self.view.value(position, self.row)
    }

    /// The whole sort key as bytes.
    pub(crate) fn key(&self) -> &'a [u8] {
        self.stream.last_key.as_deref().unwrap_or_default()
    }

    /// Number of the row in the snapshot, from 0.
    pub(crate) fn number(&self) -> u64 {
        self.stream.rows - 1
    }

    /// The hash beside the row, where the table stores one and it was asked for.
    pub(crate) fn stored_hash(&self) -> Option<&'a str> {
        let at = self.stream.hash_position.filter(|_| self.stream.reads_hash)?;
        match self.view.value(at, self.row) {
            Value::Text(hash) => Some(hash),
            _ => None,
        }
    }

    /// The hash of the row as read.
    pub(crate) fn computed_hash(&self) -> [u8; ROW_HASH_BYTES] {
        let values: Vec<Value<'_>> =
            (0..self.stream.table.columns.len()).map(|position| self.value(position)).collect();
        self.stream.plan.hash(&values, &mut Vec::new())
    }
}

impl RowStream {
    pub(crate) fn new(parts: VerifiedParts) -> Self {
        let table = parts.table();
        let mut columns = table.columns.to_vec();
        let hash_name = table.row_hash_column();
        if hash_name == Some(ROW_HASH) {
            columns.push(ROW_HASH_COLUMN);
        }
        Self {
            table,
            wanted: columns.iter().map(|column| column.name).collect(),
            key_positions: (0..table.columns.len()).filter(|&at| table.columns[at].is_key).collect(),
            hash_position: hash_name.and_then(|name| columns.iter().position(|column| column.name == name)),
            columns,
            reads_hash: true,
            plan: HashPlan::of(table),
            state: State::Waiting(parts),
            key: Vec::new(),
            last_key: None,
            rows: 0,
        }
    }

    /// Leaves these columns unread.
    pub(crate) fn leave_out(&mut self, names: &[&str]) -> Result<(), SnapshotError> {
        for name in names {
            if !self.columns.iter().any(|column| column.name == *name && !column.is_key) {
                return Err(SnapshotError::UnknownColumn {
                    table: self.table.name,
                    column: (*name).to_owned(),
                });
            }
            self.wanted.retain(|wanted| wanted != name);
        }
        self.notice_hash();
        Ok(())
    }

    /// Leaves all columns unread but these and the sort key; their positions.
    pub(crate) fn leave_only(&mut self, names: &[&str]) -> Result<Vec<usize>, SnapshotError> {
        let position = |name: &&str| {
            self.columns.iter().position(|column| column.name == *name).ok_or_else(|| {
                SnapshotError::UnknownColumn { table: self.table.name, column: (*name).to_owned() }
            })
        };
        let positions = names.iter().map(position).collect::<Result<Vec<_>, _>>()?;
        let columns = self.columns.iter();
        self.wanted = columns
            .filter(|column| column.is_key || names.contains(&column.name))
            .map(|column| column.name)
            .collect();
        self.notice_hash();
        Ok(positions)
    }

    /// Leaves all columns unread but the sort key.
    pub(super) fn leave_key(&mut self) {
        let columns = self.columns.iter();
        self.wanted = columns.filter(|column| column.is_key).map(|column| column.name).collect();
        self.reads_hash = false;
    }

    /// Columns, those that are read, and the parts, as long as no row was read.
    pub(super) fn unread(&self) -> Result<(Vec<Column>, Vec<&'static str>, VerifiedParts), SnapshotError> {
        match &self.state {
            State::Waiting(parts) => Ok((self.columns.clone(), self.wanted.clone(), parts.clone())),
            State::Reading { .. } | State::Ended => Err(SnapshotError::Contradiction {
                path: std::path::PathBuf::new(),
                detail: "rows were read already".into(),
            }),
        }
    }

    fn notice_hash(&mut self) {
        self.reads_hash = self.hash_position.is_some_and(|at| self.wanted.contains(&self.columns[at].name));
    }

    /// Leaves all columns unread but the sort key and the row hash, where the table stores one.
    pub(crate) fn leave_key_and_hash(&mut self) {
        if let Some(at) = self.hash_position {
            let hash = self.columns[at].name;
            let columns = self.columns.iter();
            self.wanted = columns
                .filter(|column| column.is_key || column.name == hash)
                .map(|column| column.name)
                .collect();
        }
    }

    /// What `make` makes of the next row; `None` at the end.
    pub(crate) fn next_with<T>(
        &mut self,
        make: impl FnOnce(&Place<'_>) -> Result<T, SnapshotError>,
    ) -> Result<Option<T>, SnapshotError> {
        let made = self.advance().and_then(|row| match (&self.state, row) {
            (State::Reading { view: Some(view), .. }, Some(row)) => {
                make(&Place { stream: self, view, row }).map(Some)
            }
            _ => Ok(None),
        });
        if !matches!(made, Ok(Some(_))) {
            self.state = State::Ended;
        }
        made
    }

    /// Moves to the next row and checks its place in the order.
    fn advance(&mut self) -> Result<Option<usize>, SnapshotError> {
        if matches!(self.state, State::Waiting(_))
            && let State::Waiting(parts) = std::mem::replace(&mut self.state, State::Ended)
        {
            let batches = Box::new(parts.batches(self.columns.clone(), self.wanted.iter().copied()));
            self.state = State::Reading { batches, view: None, next_row: 0 };
        }
        let State::Reading { batches, view, next_row } = &mut self.state else { return Ok(None) };
        let current = loop {
            match view {
                Some(view) if *next_row < view.rows() => break view,
                _ => {}
            }
            let Some(batch) = batches.next() else { return Ok(None) };
            *view = Some(batch?);
            *next_row = 0;
        };
        let row = *next_row;
        *next_row += 1;
        self.rows += 1;
        self.key.clear();
        for &position in &self.key_positions {
            key::append(&mut self.key, current.value(position, row));
        }
        match &mut self.last_key {
            None => self.last_key = Some(self.key.clone()),
            Some(last) => {
                let is_later = if self.table.is_multi { *last <= self.key } else { *last < self.key };
                if !is_later {
                    let detail = format!("row {} of the snapshot is not in key order", self.rows);
                    return Err(SnapshotError::Contradiction { path: batches.path(), detail });
                }
                std::mem::swap(last, &mut self.key);
            }
        }
        Ok(Some(row))
    }
}
