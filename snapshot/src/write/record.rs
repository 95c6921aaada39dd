//! Rows as bytes, for sorting and spilling: lengths, row hash, sort key, cells.

use std::cmp::Ordering;

use crate::error::SnapshotError;
use crate::hash::{HashPlan, ROW_HASH_BYTES};
use crate::key;
use crate::schema::TableSchema;
use crate::value::Value;

/// Bytes of one text, at most: a quarter of what an Arrow text array of a single batch can hold.
const TEXT_BYTES_MAX: usize = 256 << 20;
/// Two lengths of four bytes and the row hash.
const HEAD_BYTES: usize = 8 + ROW_HASH_BYTES;

/// One row as bytes: `key length, cells length, row hash, key, cells`, lengths as four little-endian bytes.
#[derive(Clone, Copy)]
pub(super) struct Record<'a>(&'a [u8]);

impl<'a> Record<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(super) fn as_bytes(self) -> &'a [u8] {
        self.0
    }

    pub(super) fn hash(self) -> [u8; ROW_HASH_BYTES] {
        let mut hash = [0; ROW_HASH_BYTES];
        hash.copy_from_slice(&self.0[8..HEAD_BYTES]);
        hash
    }

    pub(super) fn key(self) -> &'a [u8] {
        &self.0[HEAD_BYTES..HEAD_BYTES + length_at(self.0, 0)]
    }

    pub(super) fn cells(self) -> Cells<'a> {
        Cells(&self.0[HEAD_BYTES + length_at(self.0, 0)..])
    }

    /// Key order; rows with one key, which only some tables allow, by what they hold.
    pub(super) fn order(self, other: Record<'_>) -> Ordering {
        self.key().cmp(other.key()).then_with(|| self.0[8..].cmp(&other.0[8..]))
    }

    /// Length of the whole record whose first bytes are these; `None` when they are too few.
    pub(super) fn total_length(head: &[u8]) -> Option<usize> {
        (head.len() >= 8).then(|| HEAD_BYTES + length_at(head, 0) + length_at(head, 4))
    }
}

fn length_at(bytes: &[u8], at: usize) -> usize {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]) as usize
}

/// The cells of a record, one after the other.
pub(super) struct Cells<'a>(&'a [u8]);

impl<'a> Iterator for Cells<'a> {
    type Item = Value<'a>;

    /// Ends early where the bytes make no sense. They do: what comes from a disk is digested on its way.
    fn next(&mut self) -> Option<Value<'a>> {
        let (&kind, rest) = self.0.split_first()?;
        let (value, rest) = match kind {
            b't' => {
                let (text, rest) = rest.get(4..)?.split_at_checked(length_at(rest.get(..4)?, 0))?;
                (Value::Text(std::str::from_utf8(text).ok()?), rest)
            }
            b'i' => fixed(rest, |bytes| Value::Instant(i64::from_le_bytes(bytes)))?,
            b'6' => fixed(rest, |bytes| Value::Int64(i64::from_le_bytes(bytes)))?,
            b'3' => fixed(rest, |bytes| Value::Int32(i32::from_le_bytes(bytes)))?,
            b'n' => fixed(rest, |bytes| Value::Number(f64::from_le_bytes(bytes)))?,
            b'f' => fixed(rest, |[flag]: [u8; 1]| Value::Flag(flag != 0))?,
            _ => (Value::Null, rest),
        };
        self.0 = rest;
        Some(value)
    }
}

fn fixed<'a, const N: usize>(
    bytes: &'a [u8],
    make: impl Fn([u8; N]) -> Value<'a>,
) -> Option<(Value<'a>, &'a [u8])> {
    let (value, rest) = bytes.split_first_chunk::<N>()?;
    Some((make(*value), rest))
}

/// Turns rows of one table into records.
pub(super) struct RecordCoder {
    table: &'static TableSchema,
    plan: HashPlan,
    hash_input: Vec<u8>,
    key: Vec<u8>,
    record: Vec<u8>,
}

impl RecordCoder {
    pub(super) fn new(table: &'static TableSchema) -> Self {
        Self { table, plan: HashPlan::of(table), hash_input: Vec::new(), key: Vec::new(), record: Vec::new() }
    }

    pub(super) fn table(&self) -> &'static TableSchema {
        self.table
    }

    /// The record of a row given by its values in column order; valid until the next call.
    pub(super) fn encode(&mut self, values: &[Value<'_>]) -> Result<&[u8], SnapshotError> {
        self.record.clear();
        self.key.clear();
        let hash = self.plan.hash(values, &mut self.hash_input);
        for (column, value) in self.table.columns.iter().zip(values) {
            if column.is_key {
                key::append(&mut self.key, *value);
            }
        }
        self.record.extend_from_slice(&[0; 8]);
        self.record.extend_from_slice(&hash);
        self.record.extend_from_slice(&self.key);
        for (position, value) in values.iter().enumerate() {
            let reason = append_cell(&mut self.record, *value);
            if let Err(reason) = reason {
                let column = self.table.columns[position].name;
                return Err(SnapshotError::NotStorable { table: self.table.name, column, reason });
            }
        }
        let too_long = |_| SnapshotError::NotStorable {
            table: self.table.name,
            column: self.table.columns[0].name,
            reason: "the row is longer than four gigabytes",
        };
        let cells = self.record.len() - HEAD_BYTES - self.key.len();
        let lengths = [self.key.len(), cells];
        for (at, length) in lengths.into_iter().enumerate() {
            let length = u32::try_from(length).map_err(too_long)?;
            self.record[at * 4..at * 4 + 4].copy_from_slice(&length.to_le_bytes());
        }
        Ok(&self.record)
    }
}

fn append_cell(out: &mut Vec<u8>, value: Value<'_>) -> Result<(), &'static str> {
    match value {
        Value::Null => out.push(b'0'),
        Value::Text(text) => {
            if text.len() > TEXT_BYTES_MAX {
                return Err("the text is longer than 256 megabytes");
            }
            out.push(b't');
            let length = u32::try_from(text.len()).map_err(|_| "the text is too long")?;
            out.extend_from_slice(&length.to_le_bytes());
            out.extend_from_slice(text.as_bytes());
        }
        Value::Instant(micros) => {
            out.push(b'i');
            out.extend_from_slice(&micros.to_le_bytes());
        }
        Value::Int64(number) => {
            out.push(b'6');
            out.extend_from_slice(&number.to_le_bytes());
        }
        Value::Int32(number) => {
            out.push(b'3');
            out.extend_from_slice(&number.to_le_bytes());
        }
        Value::Flag(flag) => out.extend_from_slice(&[b'f', u8::from(flag)]),
        Value::Number(number) if !number.is_finite() => return Err("the number is infinite or no number"),
        Value::Number(number) => {
            out.push(b'n');
            out.extend_from_slice(&number.to_le_bytes());
        }
    }
    Ok(())
}
