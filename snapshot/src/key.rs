//! Sort keys as bytes that compare like the columns they were made of.
//!
//! Text compares by its UTF-8 bytes, so numeric ids kept as text sort as text: `"10"` stands before `"9"`. Numbers and
//! instants compare by value. A key is the concatenation of its columns, each self-delimiting, so the bytes of a key's
//! first columns are a prefix of the key and of no other key.

use crate::column::ColumnType;
use crate::schema::TableSchema;
use crate::value::{Value, ValueBuf};

/// A whole sort key, or its first columns.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Key(Vec<u8>);

impl Key {
    /// The key of these values, in the order of the key columns; fewer values make a prefix.
    #[must_use]
    pub fn of<'a>(values: impl IntoIterator<Item = Value<'a>>) -> Self {
        let mut bytes = Vec::new();
        for value in values {
            append(&mut bytes, value);
        }
        Self(bytes)
    }

    /// Whether the first columns of this key are exactly those of `prefix`.
    #[must_use]
    pub fn starts_with(&self, prefix: &Self) -> bool {
        self.0.starts_with(&prefix.0)
    }

    /// Becomes the key with these bytes, in the memory that it has.
    pub(crate) fn become_bytes(&mut self, bytes: &[u8]) {
        self.0.clear();
        self.0.extend_from_slice(bytes);
    }

    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// Appends one column of a key.
pub(crate) fn append(bytes: &mut Vec<u8>, value: Value<'_>) {
    match value {
        // No key column is nullable; the byte keeps a prefix of nothing apart from a key.
        Value::Null => bytes.push(0),
        Value::Text(text) => {
            if text.as_bytes().contains(&0) {
                for &byte in text.as_bytes() {
                    bytes.push(byte);
                    if byte == 0 {
                        bytes.push(0xFF);
                    }
                }
            } else {
                bytes.extend_from_slice(text.as_bytes());
            }
            bytes.extend_from_slice(&[0, 0]);
        }
        Value::Instant(number) | Value::Int64(number) => {
            bytes.extend_from_slice(&(number.cast_unsigned() ^ (1 << 63)).to_be_bytes());
        }
        Value::Int32(number) => bytes.extend_from_slice(&(number.cast_unsigned() ^ (1 << 31)).to_be_bytes()),
        Value::Flag(flag) => bytes.push(u8::from(flag)),
        Value::Number(number) => {
            let bits = number.to_bits();
            let ordered = if bits >> 63 == 1 { !bits } else { bits | (1 << 63) };
            bytes.extend_from_slice(&ordered.to_be_bytes());
        }
    }
}

/// The columns of a whole key, in key order. Bytes that are no key of the table end the list early.
pub(crate) fn values(table: &TableSchema, bytes: &[u8]) -> Vec<ValueBuf> {
    let mut rest = bytes;
    table
        .key_columns()
        .map_while(|column| {
            let (value, tail) = take(column.kind, rest)?;
            rest = tail;
            Some(value)
        })
        .collect()
}

/// The same as text.
pub(crate) fn texts(table: &TableSchema, bytes: &[u8]) -> Vec<String> {
    values(table, bytes)
        .iter()
        .map(|value| value.as_value().to_text().unwrap_or_default().into_owned())
        .collect()
}

/// The first column of a key, and the rest.
fn take(kind: ColumnType, bytes: &[u8]) -> Option<(ValueBuf, &[u8])> {
    fn number<const N: usize>(bytes: &[u8]) -> Option<([u8; N], &[u8])> {
        bytes.split_first_chunk::<N>().map(|(chunk, rest)| (*chunk, rest))
    }
    Some(match kind {
        ColumnType::Text => {
            let (text, rest) = take_text(bytes)?;
            (ValueBuf::Text(text), rest)
        }
        ColumnType::Instant | ColumnType::Int64 => {
            let (chunk, rest) = number::<8>(bytes)?;
            let value = (u64::from_be_bytes(chunk) ^ (1 << 63)).cast_signed();
            (
                if kind == ColumnType::Instant { ValueBuf::Instant(value) } else { ValueBuf::Int64(value) },
                rest,
            )
        }
        ColumnType::Int32 => {
            let (chunk, rest) = number::<4>(bytes)?;
            (ValueBuf::Int32((u32::from_be_bytes(chunk) ^ (1 << 31)).cast_signed()), rest)
        }
        ColumnType::Flag => {
            let ([flag], rest) = number::<1>(bytes)?;
            (ValueBuf::Flag(flag != 0), rest)
        }
        ColumnType::Number => {
            let (chunk, rest) = number::<8>(bytes)?;
            let ordered = u64::from_be_bytes(chunk);
            let bits = if ordered >> 63 == 1 { ordered ^ (1 << 63) } else { !ordered };
            (ValueBuf::Number(f64::from_bits(bits)), rest)
        }
    })
}

fn take_text(bytes: &[u8]) -> Option<(String, &[u8])> {
    let mut text = Vec::new();
    let mut at = 0;
    loop {
        match (bytes.get(at)?, bytes.get(at + 1)) {
            (0, Some(0)) => return Some((String::from_utf8(text).ok()?, &bytes[at + 2..])),
            (0, Some(0xFF)) => {
                text.push(0);
                at += 2;
            }
            (0, _) => return None,
            (&byte, _) => {
                text.push(byte);
                at += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Key;
    use crate::value::Value;

    fn key(text: &str, number: i32, long: i64) -> Key {
        Key::of([Value::Text(text), Value::Int32(number), Value::Int64(long)])
    }

    proptest! {
        #![proptest_config(crate::fixture::seeded(256))]

        #[test]
        fn keys_compare_like_their_columns(
            left in ("[ab\0ä]{0,4}", -2_i32..3, any::<i64>()),
            right in ("[ab\0ä]{0,4}", -2_i32..3, any::<i64>()),
        ) {
            let by_columns = (left.0.as_bytes(), left.1, left.2).cmp(&(right.0.as_bytes(), right.1, right.2));
            prop_assert_eq!(key(&left.0, left.1, left.2).cmp(&key(&right.0, right.1, right.2)), by_columns);
        }

        #[test]
        fn only_the_own_first_columns_are_a_prefix(left in "[ab\0]{0,3}", right in "[ab\0]{0,3}", number in any::<i32>()) {
            let whole = Key::of([Value::Text(&left), Value::Int32(number)]);
            prop_assert_eq!(whole.starts_with(&Key::of([Value::Text(&right)])), left == right);
        }

        #[test]
        fn floats_compare_by_value(left in -1e9_f64..1e9, right in -1e9_f64..1e9) {
            let key = |number| Key::of([Value::Number(number)]);
            prop_assert_eq!(key(left).cmp(&key(right)), left.total_cmp(&right));
        }
    }

    #[test]
    fn ids_kept_as_text_sort_as_text() {
        let mut ids = ["9", "10", "1", "100"];
        ids.sort_by_key(|id| Key::of([Value::Text(id)]));
        assert_eq!(ids, ["1", "10", "100", "9"]);
    }
}
