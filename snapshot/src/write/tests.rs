//! The writer against an oracle: a sorted map.

use std::collections::BTreeMap;
use std::path::Path;

use proptest::prelude::*;

use super::parts::Limits;
use super::{Sealed, Sorter, WriteContext};
use crate::read::RecordReader;
use crate::row::Row;
use crate::value::ValueBuf;
use crate::{Pass, SnapshotError, TableReader};

crate::table! {
    /// A row with a column of every type.
    pub(super) struct Sample = "ctl_sample", Control, version 1 {
        /// First key column.
        place: String => key,
        /// Second key column.
        number: i32 => key,
        /// Text that may be missing.
        text: Option<String> => free null("missing"),
        /// Few values.
        colour: Option<String> => category lookup null("missing"),
        /// Instant.
        moment: Option<jiff::Timestamp> => null("missing"),
        /// Long integer.
        amount: i64,
        /// Flag.
        is_good: Option<bool> => null("missing"),
        /// Float.
        share: Option<f64> => null("missing"),
    }
}

crate::table! {
    /// The same with several rows per key.
    pub(super) struct Repeated = "ctl_repeated", Control, version 1 multi {
        /// Key.
        place: String => key,
        /// Anything.
        amount: i64,
    }
}

/// Limits that cut everything small: batches of 8 rows, groups of 24, parts of 72.
const SMALL: Limits = Limits {
    group_rows: 24,
    group_bytes: 1 << 20,
    part_rows: 72,
    part_bytes: 1 << 20,
    batch_rows: 8,
    batch_bytes: 4_096,
};

fn context() -> WriteContext {
    WriteContext {
        run: "2026-11-22-a1".parse().unwrap(),
        pass: Pass::Full,
        tool_version: "0.1.0".into(),
        mapping_hash: Some("abc".into()),
        made_from: Vec::new(),
        taken_at: None,
    }
}

fn seal<R: Row>(rows: &[R], scratch: &Path, budget: usize, limits: Limits) -> Result<Sealed, SnapshotError> {
    let mut sorter = Sorter::new(R::SCHEMA, context(), scratch, budget, limits)?;
    for row in rows {
        sorter.push(&row.values())?;
    }
    sorter.seal()
}

fn bytes_of(sealed: &Sealed) -> Vec<Vec<u8>> {
    sealed.parts.iter().map(|part| std::fs::read(&part.path).unwrap()).collect()
}

fn sample() -> impl Strategy<Value = Sample> {
    let text = prop_oneof!["[a-c]{0,3}", "\\PC{0,12}", Just("nul\0inside\0".to_owned())];
    let key = prop_oneof!["[ab]{0,3}", "[0-9]{1,3}", Just("a\0".to_owned()), Just("ä\u{10FFFF}".to_owned())];
    // From year 1 to year 9999, in microseconds.
    let moment = (-62_135_596_800_000_000_i64..253_370_764_800_000_000)
        .prop_map(|micros| jiff::Timestamp::from_microsecond(micros).unwrap());
    let share = any::<f64>().prop_filter("finite, and not negative zero", |share| {
        share.is_finite() && !(*share == 0.0 && share.is_sign_negative())
    });
    (
        (key, -3_i32..4, proptest::option::of(text), proptest::option::of("[rgb]")),
        (proptest::option::of(moment), any::<i64>(), any::<Option<bool>>(), proptest::option::of(share)),
    )
        .prop_map(|((place, number, text, colour), (moment, amount, is_good, share))| Sample {
            place,
            number,
            text,
            colour,
            moment,
            amount,
            is_good,
            share,
        })
}

/// Rows with distinct keys in the order of the tuple of their key columns, which is the order that is promised.
fn by_key(rows: Vec<Sample>) -> BTreeMap<(Vec<u8>, i32), Sample> {
    rows.into_iter().map(|row| ((row.place.clone().into_bytes(), row.number), row)).collect()
}

proptest! {
    #![proptest_config(crate::fixture::seeded(48))]

    #[test]
    fn rows_come_back_in_key_order_and_their_order_leaves_no_trace(
        rows in proptest::collection::vec(sample(), 0..200),
        seed in any::<u64>(),
        budget in 1_usize..6_000,
    ) {
        let scratch = tempfile::tempdir().unwrap();
        let oracle = by_key(rows);
        let sorted: Vec<Sample> = oracle.values().cloned().collect();
        let mut shuffled = sorted.clone();
        let mut state = seed;
        for at in (1..shuffled.len()).rev() {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            shuffled.swap(at, usize::try_from(state >> 33).unwrap() % (at + 1));
        }
        // The middle one comes in order for a while and then does not: parts written early are taken back.
        let mut late = sorted.clone();
        if late.len() > 2 {
            let first = late.remove(0);
            late.push(first);
        }
        let in_memory = seal(&sorted, scratch.path(), usize::MAX, SMALL).unwrap();
        let read: Vec<Sample> = TableReader::of(&in_memory).unwrap().collect::<Result<_, _>>().unwrap();
        prop_assert_eq!(&read, &sorted);
        for (rows, budget) in [(&sorted, budget), (&shuffled, budget), (&shuffled, usize::MAX), (&late, budget)] {
            let other = seal(rows, scratch.path(), budget, SMALL).unwrap();
            prop_assert_eq!(&other.manifest, &in_memory.manifest);
            prop_assert_eq!(bytes_of(&other), bytes_of(&in_memory));
        }
    }

    #[test]
    fn rows_with_one_key_are_kept_where_the_table_allows_it(
        rows in proptest::collection::vec(("[ab]", 0_i64..3), 0..60),
        budget in 1_usize..2_000,
    ) {
        let scratch = tempfile::tempdir().unwrap();
        let rows: Vec<Repeated> = rows.into_iter().map(|(place, amount)| Repeated { place, amount }).collect();
        let sealed = seal(&rows, scratch.path(), budget, SMALL).unwrap();
        let read: Vec<Repeated> = TableReader::of(&sealed).unwrap().collect::<Result<_, _>>().unwrap();
        let places: Vec<&str> = read.iter().map(|row| row.place.as_str()).collect();
        prop_assert!(places.is_sorted());
        let counted = |rows: &[Repeated]| {
            let mut counts = BTreeMap::new();
            for row in rows {
                *counts.entry((row.place.clone(), row.amount)).or_insert(0) += 1;
            }
            counts
        };
        prop_assert_eq!(counted(&read), counted(&rows));
        let reversed: Vec<Repeated> = rows.into_iter().rev().collect();
        let other = seal(&reversed, scratch.path(), usize::MAX, SMALL).unwrap();
        prop_assert_eq!(other.manifest, sealed.manifest);
    }
}

fn numbered(number: i32) -> Sample {
    Sample {
        place: format!("p{:05}", number / 3),
        number,
        text: Some(format!("text {number}")),
        colour: (number % 2 == 0).then(|| "green".to_owned()),
        moment: None,
        amount: i64::from(number),
        is_good: None,
        share: None,
    }
}

#[test]
fn parts_end_at_their_limits_and_nothing_is_lost_between_them() {
    let scratch = tempfile::tempdir().unwrap();
    let rows: Vec<Sample> = (0..200).map(numbered).collect();
    let sealed = seal(&rows, scratch.path(), 1_000, SMALL).unwrap();
    let sizes: Vec<u64> = sealed.parts.iter().map(|part| part.rows).collect();
    assert_eq!(sizes, [72, 72, 56]);
    let names: Vec<&str> = sealed.parts.iter().map(|part| part.file_name.as_str()).collect();
    assert_eq!(names, ["part-00000.zstd.parquet", "part-00001.zstd.parquet", "part-00002.zstd.parquet"]);
    assert_eq!(sealed.parts[1].first_key, Some(vec!["p00024".to_owned(), "72".to_owned()]));
    assert_eq!(sealed.parts[1].last_key, Some(vec!["p00047".to_owned(), "143".to_owned()]));
    let read: Vec<Sample> = TableReader::of(&sealed).unwrap().collect::<Result<_, _>>().unwrap();
    assert_eq!(read, rows);
}

#[test]
fn long_rows_end_batches_and_groups_early_without_a_trace_of_the_order() {
    let scratch = tempfile::tempdir().unwrap();
    let limits = Limits { group_bytes: 20_000, part_bytes: 30_000, ..SMALL };
    // Text that does not compress: digits of a multiplicative sequence.
    let long = |number: i32| {
        let mut state = u64::try_from(number).unwrap() + 1;
        let mut text = String::new();
        while text.len() < 3_000 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            text.push_str(&state.to_string());
        }
        Sample { text: Some(text), ..numbered(number) }
    };
    let rows: Vec<Sample> = (0..60).map(long).collect();
    let sealed = seal(&rows, scratch.path(), usize::MAX, limits).unwrap();
    assert!(sealed.parts.len() > 2, "{} parts", sealed.parts.len());
    let reversed: Vec<Sample> = rows.iter().rev().cloned().collect();
    let other = seal(&reversed, scratch.path(), 10_000, limits).unwrap();
    assert_eq!(other.manifest, sealed.manifest);
    let read: Vec<Sample> = TableReader::of(&other).unwrap().collect::<Result<_, _>>().unwrap();
    assert_eq!(read, rows);
}

#[test]
fn more_runs_than_can_be_merged_at_once_are_merged_in_steps() {
    let scratch = tempfile::tempdir().unwrap();
    let rows: Vec<Sample> = (0..1_000).rev().map(numbered).collect();
    // Every row is a run of its own.
    let sealed = seal(&rows, scratch.path(), 1, SMALL).unwrap();
    let read: Vec<i32> = TableReader::<Sample>::of(&sealed).unwrap().map(|row| row.unwrap().number).collect();
    assert_eq!(read, (0..1_000).collect::<Vec<_>>());
}

#[test]
fn an_empty_table_has_a_manifest_and_no_parts() {
    let scratch = tempfile::tempdir().unwrap();
    let sealed = seal::<Sample>(&[], scratch.path(), 1_000, SMALL).unwrap();
    assert_eq!((sealed.parts.len(), sealed.manifest.rows, sealed.manifest.bytes), (0, 0, 0));
    assert_eq!(TableReader::<Sample>::of(&sealed).unwrap().count(), 0);
}

#[test]
fn a_second_row_with_a_key_is_refused_wherever_the_first_one_is() {
    let scratch = tempfile::tempdir().unwrap();
    let rows: Vec<Sample> = (0..50).map(numbered).collect();
    for budget in [1, 700, usize::MAX] {
        for again in [0, 25, 49] {
            let mut rows = rows.clone();
            rows.push(numbered(again));
            let error = seal(&rows, scratch.path(), budget, SMALL).unwrap_err();
            assert_eq!(error.code(), "SNP102");
            assert_eq!(
                error.to_string(),
                format!("ctl_sample got two rows with the key place=p{:05}, number={again}", again / 3)
            );
        }
    }
}

#[test]
fn a_key_that_names_a_person_is_not_repeated() {
    let scratch = tempfile::tempdir().unwrap();
    let channel = crate::tables::WantCustomerChannel {
        customer_external_id: "leaddesk:contact:7".into(),
        channel_type: "email".into(),
        address: "ada@example.com".into(),
        is_preferred: true,
    };
    let error = seal(&[channel.clone(), channel.clone()], scratch.path(), 100, SMALL).unwrap_err();
    assert_eq!(
        error.to_string(),
        "want_gorgias_customer_channel got two rows with the key customer_external_id=leaddesk:contact:7, \
         channel_type=email, address=(withheld)"
    );
    let sealed = seal(&[channel], scratch.path(), 100, SMALL).unwrap();
    assert_eq!(sealed.manifest.parts[0].first_key, None);
}

#[test]
fn numbers_that_are_none_are_refused_and_negative_zero_becomes_zero() {
    let scratch = tempfile::tempdir().unwrap();
    for share in [f64::NAN, f64::INFINITY] {
        let row = Sample { share: Some(share), ..numbered(1) };
        let error = seal(&[row], scratch.path(), 100, SMALL).unwrap_err();
        assert_eq!(error.code(), "SNP103");
    }
    let with_share = |share| Sample { share: Some(share), ..numbered(1) };
    assert_eq!(with_share(-0.0).row_hash(), with_share(0.0).row_hash());
    let sealed = seal(&[with_share(-0.0)], scratch.path(), 100, SMALL).unwrap();
    let values = RecordReader::open(&sealed.manifest, &sealed.part_paths(), &["share"]).unwrap().next();
    let Some(Ok(values)) = values else { panic!("one row") };
    let [ValueBuf::Number(share)] = values[..] else { panic!("one number") };
    assert!(share.is_sign_positive());
}

#[test]
fn a_spill_that_changed_on_the_disk_is_noticed() {
    let scratch = tempfile::tempdir().unwrap();
    let mut sorter = Sorter::new(Sample::SCHEMA, context(), scratch.path(), 400, SMALL).unwrap();
    for number in (0..100).rev() {
        sorter.push(&numbered(number).values()).unwrap();
    }
    let spill = sorter.folder.path().join("run-2");
    let mut bytes = std::fs::read(&spill).unwrap();
    // The last byte belongs to a value, so the record stays well-formed.
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(&spill, bytes).unwrap();
    assert_eq!(sorter.seal().unwrap_err().code(), "SNP104");
}

#[test]
fn the_scratch_folder_is_empty_once_the_parts_are_dropped() {
    let scratch = tempfile::tempdir().unwrap();
    let rows: Vec<Sample> = (0..100).rev().map(numbered).collect();
    let sealed = seal(&rows, scratch.path(), 400, SMALL).unwrap();
    let parts = sealed.parts;
    assert!(parts[0].path.exists());
    drop(parts);
    assert_eq!(std::fs::read_dir(scratch.path()).unwrap().count(), 0);
}
