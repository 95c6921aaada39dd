//! Between values and Arrow arrays: building batches, and reading rows out of them.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BooleanArray, BooleanBuilder, Float64Array, Float64Builder, Int32Array, Int32Builder,
    Int64Array, Int64Builder, StringArray, StringBuilder, TimestampMicrosecondArray,
    TimestampMicrosecondBuilder,
};
use arrow::record_batch::RecordBatch;

use crate::column::{Column, ColumnType};
use crate::error::SnapshotError;
use crate::value::{Cell, Value};

/// Collects the values of one column.
pub(crate) enum ColumnBuilder {
    Text(StringBuilder),
    Instant(TimestampMicrosecondBuilder),
    Int32(Int32Builder),
    Int64(Int64Builder),
    Flag(BooleanBuilder),
    Number(Float64Builder),
}

impl ColumnBuilder {
    pub(crate) fn new(kind: ColumnType) -> Self {
        match kind {
            ColumnType::Text => Self::Text(StringBuilder::new()),
            ColumnType::Instant => Self::Instant(TimestampMicrosecondBuilder::new().with_timezone("UTC")),
            ColumnType::Int32 => Self::Int32(Int32Builder::new()),
            ColumnType::Int64 => Self::Int64(Int64Builder::new()),
            ColumnType::Flag => Self::Flag(BooleanBuilder::new()),
            ColumnType::Number => Self::Number(Float64Builder::new()),
        }
    }

    /// A value of another type than the column's becomes empty; rows come from [`crate::table!`], so there is none.
    pub(crate) fn append(&mut self, value: Value<'_>) {
        match (self, value) {
            (Self::Text(builder), Value::Text(text)) => builder.append_value(text),
            (Self::Text(builder), _) => builder.append_null(),
            (Self::Instant(builder), Value::Instant(micros)) => builder.append_value(micros),
            (Self::Instant(builder), _) => builder.append_null(),
            (Self::Int32(builder), Value::Int32(number)) => builder.append_value(number),
            (Self::Int32(builder), _) => builder.append_null(),
            (Self::Int64(builder), Value::Int64(number)) => builder.append_value(number),
            (Self::Int64(builder), _) => builder.append_null(),
            (Self::Flag(builder), Value::Flag(flag)) => builder.append_value(flag),
            (Self::Flag(builder), _) => builder.append_null(),
            (Self::Number(builder), Value::Number(number)) => builder.append_value(number),
            (Self::Number(builder), _) => builder.append_null(),
        }
    }

    pub(crate) fn finish(&mut self) -> ArrayRef {
        match self {
            Self::Text(builder) => Arc::new(builder.finish()),
            Self::Instant(builder) => Arc::new(builder.finish()),
            Self::Int32(builder) => Arc::new(builder.finish()),
            Self::Int64(builder) => Arc::new(builder.finish()),
            Self::Flag(builder) => Arc::new(builder.finish()),
            Self::Number(builder) => Arc::new(builder.finish()),
        }
    }
}

/// One column of a batch as read.
pub(crate) enum ColumnView {
    Text(StringArray),
    Instant(TimestampMicrosecondArray),
    Int32(Int32Array),
    Int64(Int64Array),
    Flag(BooleanArray),
    Number(Float64Array),
    /// Not in the file or not asked for.
    Absent(Value<'static>),
}

impl ColumnView {
    /// `None` when the array is of another type than the column.
    fn new(kind: ColumnType, array: &ArrayRef) -> Option<Self> {
        let any = array.as_any();
        match kind {
            ColumnType::Text => any.downcast_ref().cloned().map(Self::Text),
            ColumnType::Instant => any.downcast_ref().cloned().map(Self::Instant),
            ColumnType::Int32 => any.downcast_ref().cloned().map(Self::Int32),
            ColumnType::Int64 => any.downcast_ref().cloned().map(Self::Int64),
            ColumnType::Flag => any.downcast_ref().cloned().map(Self::Flag),
            ColumnType::Number => any.downcast_ref().cloned().map(Self::Number),
        }
    }

    fn value(&self, row: usize) -> Value<'_> {
        macro_rules! at {
            ($array:ident, $kind:ident) => {
                if $array.is_null(row) { Value::Null } else { Value::$kind($array.value(row)) }
            };
        }
        match self {
            Self::Text(array) => at!(array, Text),
            Self::Instant(array) => at!(array, Instant),
            Self::Int32(array) => at!(array, Int32),
            Self::Int64(array) => at!(array, Int64),
            Self::Flag(array) => at!(array, Flag),
            Self::Number(array) => at!(array, Number),
            Self::Absent(value) => *value,
        }
    }
}

/// A batch whose columns are those of a row struct, in its order.
pub(crate) struct BatchView {
    table: &'static str,
    columns: Vec<(&'static str, ColumnView)>,
    rows: usize,
}

impl BatchView {
    /// Finds the columns by name. A column that is not in the batch is empty if it may be, else blank.
    pub(crate) fn new(
        table: &'static str,
        columns: impl Iterator<Item = Column>,
        batch: &RecordBatch,
    ) -> Result<Self, SnapshotError> {
        let columns = columns
            .map(|column| {
                let view = match batch.column_by_name(column.name) {
                    Some(array) => {
                        ColumnView::new(column.kind, array).ok_or_else(|| SnapshotError::SchemaMismatch {
                            table: table.to_owned(),
                            detail: format!("column {} is not {}", column.name, column.kind.as_str()),
                        })?
                    }
                    None if column.is_nullable => ColumnView::Absent(Value::Null),
                    None => ColumnView::Absent(Value::blank(column.kind)),
                };
                Ok((column.name, view))
            })
            .collect::<Result<Vec<_>, SnapshotError>>()?;
        Ok(Self { table, columns, rows: batch.num_rows() })
    }

    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    pub(crate) fn value(&self, column: usize, row: usize) -> Value<'_> {
        self.columns[column].1.value(row)
    }

    pub(crate) fn row(&self, row: usize) -> RowView<'_> {
        RowView { batch: self, row }
    }
}

/// One row of a batch.
pub struct RowView<'a> {
    batch: &'a BatchView,
    row: usize,
}

impl<'a> RowView<'a> {
    /// The values one by one, in column order.
    #[must_use]
    pub fn cells(&self) -> Cells<'a> {
        Cells { batch: self.batch, row: self.row, next: 0 }
    }
}

/// Hands out the values of a row in column order.
pub struct Cells<'a> {
    batch: &'a BatchView,
    row: usize,
    next: usize,
}

impl Cells<'_> {
    /// The next value.
    ///
    /// # Errors
    /// When it is of another type, or empty where it must not be.
    pub fn take<T: Cell>(&mut self) -> Result<T, SnapshotError> {
        let (name, view) =
            self.batch.columns.get(self.next).ok_or_else(|| SnapshotError::SchemaMismatch {
                table: self.batch.table.to_owned(),
                detail: "the row has more columns than the batch".into(),
            })?;
        self.next += 1;
        T::from_value(view.value(self.row)).ok_or_else(|| SnapshotError::SchemaMismatch {
            table: self.batch.table.to_owned(),
            detail: format!("column {name} holds a value that it must not hold"),
        })
    }
}
