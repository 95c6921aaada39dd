//! The row hash: 128 bits of SHA-256 over the mapped columns of a row.
//!
//! Encoding, fixed for ever under the name [`ROW_HASH_ALGORITHM`]: for each hashed column that is not empty, in the order
//! (version that brought it, position), its ordinal in that order as two bytes, a type byte, the length of the value as
//! four bytes, and the value: text as UTF-8, integers and microseconds as two's complement, flags as one byte, floats as
//! IEEE 754 bits with zero for negative zero; all little-endian. Lengths and ordinals make the encoding injective; an
//! empty column is absent and so differs from empty text. A nullable column that a later version adds leaves the hash of
//! rows without it as it was.

use sha2::{Digest as _, Sha256};

use crate::digest::hex;
use crate::schema::TableSchema;
use crate::value::Value;

/// Name of the algorithm, in the metadata of every file.
pub const ROW_HASH_ALGORITHM: &str = "sha256-128-v1";
/// Bytes of a row hash.
pub(crate) const ROW_HASH_BYTES: usize = 16;

/// Ordinals of the hashed columns of a table, by position in the row.
#[derive(Debug, Clone)]
pub(crate) struct HashPlan {
    ordinals: Vec<Option<u16>>,
    /// Positions in the order of the ordinals; `None` when that is the order of the row.
    detour: Option<Vec<usize>>,
}

impl HashPlan {
    pub(crate) fn of(schema: &TableSchema) -> Self {
        let mut hashed: Vec<usize> =
            (0..schema.columns.len()).filter(|&position| schema.columns[position].is_hashed).collect();
        hashed.sort_by_key(|&position| (schema.columns[position].since, position));
        let mut ordinals = vec![None; schema.columns.len()];
        for (ordinal, &position) in hashed.iter().enumerate() {
            ordinals[position] = Some(u16::try_from(ordinal).expect("a table has fewer than 65,536 columns"));
        }
        let detour = (!hashed.is_sorted()).then_some(hashed);
        Self { ordinals, detour }
    }

    /// The hash of a row given by its values in column order.
    pub(crate) fn hash(&self, values: &[Value<'_>], scratch: &mut Vec<u8>) -> [u8; ROW_HASH_BYTES] {
        scratch.clear();
        let mut feed = |position: usize| {
            if let Some(ordinal) = self.ordinals[position] {
                encode(scratch, ordinal, values[position]);
            }
        };
        match &self.detour {
            None => (0..values.len()).for_each(&mut feed),
            Some(order) => order.iter().copied().for_each(&mut feed),
        }
        let digest = Sha256::digest(&scratch[..]);
        let mut hash = [0; ROW_HASH_BYTES];
        hash.copy_from_slice(&digest[..ROW_HASH_BYTES]);
        hash
    }
}

fn encode(out: &mut Vec<u8>, ordinal: u16, value: Value<'_>) {
    let mut put = |kind: u8, bytes: &[u8]| {
        out.extend_from_slice(&ordinal.to_le_bytes());
        out.push(kind);
        // Text beyond four gigabytes is refused before it comes here.
        out.extend_from_slice(&u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_le_bytes());
        out.extend_from_slice(bytes);
    };
    match value {
        Value::Null => {}
        Value::Text(text) => put(b't', text.as_bytes()),
        Value::Instant(micros) => put(b'i', &micros.to_le_bytes()),
        Value::Int32(number) => put(b'3', &number.to_le_bytes()),
        Value::Int64(number) => put(b'6', &number.to_le_bytes()),
        Value::Flag(flag) => put(b'f', &[u8::from(flag)]),
        Value::Number(number) => put(b'n', &number.to_bits().to_le_bytes()),
    }
}

/// The hash as it is stored: 32 hexadecimal digits.
pub(crate) fn to_text(hash: [u8; ROW_HASH_BYTES]) -> String {
    hex(&hash)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use expect_test::expect;
    use proptest::prelude::*;

    use super::HashPlan;
    use crate::row::Row;
    use crate::value::Value;

    crate::table! {
        /// Two texts and two numbers.
        pub(super) struct First = "ctl_hashed", Control, version 1 {
            /// Key.
            name: String => key,
            /// Text.
            left: Option<String> => null("missing"),
            /// Text.
            right: Option<String> => null("missing"),
            /// Not part of the hash.
            seen: i64 => control,
            /// Number.
            amount: Option<i32> => null("missing"),
        }
    }

    crate::table! {
        /// The same with a column that came later and stands in between.
        pub(super) struct Second = "ctl_hashed", Control, version 2 {
            /// Key.
            name: String => key,
            /// Text.
            left: Option<String> => null("missing"),
            /// Later text.
            between: Option<String> => null("missing") since(2),
            /// Text.
            right: Option<String> => null("missing"),
            /// Not part of the hash.
            seen: i64 => control,
            /// Number.
            amount: Option<i32> => null("missing"),
        }
    }

    fn first(left: Option<&str>, right: Option<&str>, seen: i64, amount: Option<i32>) -> First {
        let text = |text: Option<&str>| text.map(str::to_owned);
        First { name: "a".into(), left: text(left), right: text(right), seen, amount }
    }

    /// Computed by another program from the encoding as the head of this file describes it.
    #[test]
    fn the_hash_is_what_it_was_when_it_was_released() {
        let hash = |row: First| row.row_hash();
        expect!["fdb45d6265e99379ba0d32e25c4887b4"].assert_eq(&hash(first(None, None, 0, None)));
        expect!["61082135dec36f9709e375c1b3015203"].assert_eq(&hash(first(Some("x"), Some(""), 0, Some(-7))));
    }

    #[test]
    fn empty_text_is_not_no_text_and_control_columns_do_not_count() {
        let hash = |row: First| row.row_hash();
        assert_ne!(hash(first(Some(""), None, 0, None)), hash(first(None, None, 0, None)));
        assert_ne!(hash(first(Some("x"), None, 0, None)), hash(first(None, Some("x"), 0, None)));
        assert_eq!(hash(first(Some("x"), None, 0, None)), hash(first(Some("x"), None, 9, None)));
    }

    #[test]
    fn a_column_that_came_later_leaves_older_hashes_as_they_were() {
        let old = first(Some("x"), Some("y"), 0, Some(1));
        let mut new = Second {
            name: "a".into(),
            left: Some("x".into()),
            between: None,
            right: Some("y".into()),
            seen: 0,
            amount: Some(1),
        };
        assert_eq!(old.row_hash(), new.row_hash());
        new.between = Some(String::new());
        assert_ne!(old.row_hash(), new.row_hash());
    }

    proptest! {
        #![proptest_config(crate::fixture::seeded(128))]

        /// What is digested is injective; a clash of the digest itself is not to be hoped for.
        #[test]
        fn different_rows_have_different_encodings(
            rows in proptest::collection::vec(
                (proptest::option::of("[ab\0]{0,2}"), proptest::option::of("[ab\0]{0,2}"), proptest::option::of(-1_i32..2)),
                2..40,
            ),
        ) {
            let plan = HashPlan::of(First::SCHEMA);
            let mut seen = BTreeMap::new();
            for (left, right, amount) in rows {
                let mut encoded = Vec::new();
                let row = first(left.as_deref(), right.as_deref(), 0, amount);
                let hash = plan.hash(&row.values(), &mut encoded);
                let earlier = seen.entry(encoded).or_insert_with(|| (row.clone(), hash));
                prop_assert_eq!(&earlier.0, &row);
                prop_assert_eq!(earlier.1, hash);
            }
        }
    }

    #[test]
    fn types_are_told_apart() {
        let plan = HashPlan::of(First::SCHEMA);
        let hash = |value| {
            plan.hash(&[Value::Text("a"), value, Value::Null, Value::Int64(0), Value::Null], &mut Vec::new())
        };
        let values = [
            Value::Text("\u{1}\0\0\0"),
            Value::Int32(1),
            Value::Int64(1),
            Value::Instant(1),
            Value::Flag(true),
        ];
        for (at, value) in values.iter().enumerate() {
            for other in &values[at + 1..] {
                assert_ne!(hash(*value), hash(*other));
            }
        }
    }
}
