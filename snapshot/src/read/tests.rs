//! The reader against damage, and the joins against simple ones.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use proptest::prelude::*;

use super::{Children, Grouped, Merged};
use crate::fixture::{outcome, seal, ticket};
use crate::row::Row;
use crate::tables::{SourceOutcome, WantTicket, WantTicketTag};
use crate::{Key, Manifest, Opened, Pass, SnapshotError, TableReader};

fn outcomes(count: u32) -> (tempfile::TempDir, Manifest, Vec<PathBuf>) {
    let scratch = tempfile::tempdir().unwrap();
    let sealed = seal("2026-11-22-a1", Pass::Full, (0..count).map(outcome), scratch.path());
    let paths = sealed.parts.iter().map(|part| {
        let path = scratch.path().join(&part.file_name);
        fs::copy(&part.path, &path).unwrap();
        path
    });
    let paths = paths.collect();
    (scratch, sealed.manifest, paths)
}

fn code(manifest: &Manifest, paths: &[PathBuf]) -> &'static str {
    let all =
        TableReader::<SourceOutcome>::open(manifest, paths).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    all.map_or_else(|error| error.code(), |_| "read")
}

#[test]
fn every_flipped_bit_and_every_cut_is_noticed_before_parsing() {
    let (_scratch, manifest, paths) = outcomes(5);
    let bytes = fs::read(&paths[0]).unwrap();
    assert_eq!(code(&manifest, &paths), "read");
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 1 << (at % 8);
        fs::write(&paths[0], &changed).unwrap();
        assert_eq!(code(&manifest, &paths), "SNP201", "byte {at}");
    }
    for length in (0..bytes.len()).step_by(97).chain([bytes.len() - 1]) {
        fs::write(&paths[0], &bytes[..length]).unwrap();
        assert_eq!(code(&manifest, &paths), "SNP201", "cut to {length}");
    }
    let longer = [bytes.as_slice(), b"x"].concat();
    fs::write(&paths[0], longer).unwrap();
    assert_eq!(code(&manifest, &paths), "SNP201");
    fs::remove_file(&paths[0]).unwrap();
    assert_eq!(code(&manifest, &paths), "SNP101");
}

#[test]
fn parts_are_all_there_or_nothing_is_read() {
    let (_scratch, manifest, paths) = outcomes(5);
    assert_eq!(code(&manifest, &[]), "SNP202");
    assert_eq!(code(&manifest, &[paths[0].clone(), paths[0].clone()]), "SNP202");
}

#[test]
fn a_file_whose_digest_was_forged_must_still_agree_with_the_manifest() {
    let (scratch, manifest, paths) = outcomes(5);
    // Not Parquet at all, Parquet of another table, and the right file under a wrong count.
    let forge = |bytes: &[u8], rows: u64| {
        let path = scratch.path().join("forged.parquet");
        fs::write(&path, bytes).unwrap();
        let mut manifest = manifest.clone();
        manifest.parts[0].sha256 = crate::Digest::of(bytes);
        manifest.parts[0].bytes = bytes.len() as u64;
        manifest.parts[0].rows = rows;
        code(&manifest, &[path])
    };
    assert_eq!(forge(b"PAR1 this is not Parquet PAR1", 5), "SNP204");
    let other = seal("2026-11-22-a1", Pass::Full, (0..5).map(ticket), scratch.path());
    assert_eq!(forge(&fs::read(&other.parts[0].path).unwrap(), 5), "SNP203");
    let right = fs::read(&paths[0]).unwrap();
    assert_eq!(forge(&right, 6), "SNP203");
    assert_eq!(forge(&right, 5), "read");
    // Damage that the digest no longer shows ends in an error or in other data, never in a panic.
    for at in (0..right.len()).step_by(11) {
        let mut changed = right.clone();
        changed[at] ^= 0x55;
        let _ = forge(&changed, 5);
    }
}

#[test]
fn a_manifest_of_another_table_is_refused() {
    let (_scratch, manifest, paths) = outcomes(1);
    let error = TableReader::<WantTicket>::open(&manifest, paths).err().map(|error| error.code());
    assert_eq!(error, Some("SNP308"));
}

#[test]
fn the_writer_fills_the_row_hash_in() {
    let (_scratch, manifest, paths) = outcomes(20);
    for read in TableReader::<SourceOutcome>::open(&manifest, paths).unwrap().with_hash() {
        let read = read.unwrap();
        assert_eq!(read.hash, read.row.source_row_hash);
        assert_eq!(read.hash, read.row.row_hash());
    }
    let scratch = tempfile::tempdir().unwrap();
    let sealed = seal("2026-11-22-a1", Pass::Full, (0..20).map(ticket), scratch.path());
    for (read, id) in TableReader::of(&sealed).unwrap().with_hash().zip(0..) {
        let read = read.unwrap();
        assert_eq!((read.hash, read.row), (ticket(id).row_hash(), ticket(id)));
    }
}

#[test]
fn columns_that_are_left_out_come_empty_and_keys_cannot_be() {
    let (_scratch, manifest, paths) = outcomes(3);
    let open = || TableReader::<SourceOutcome>::open(&manifest, &paths).unwrap();
    let row = open().without(&["raw_json", "call_count", "campaign_id"]).unwrap().next().unwrap().unwrap();
    assert_eq!((row.raw_json.as_str(), row.call_count, row.campaign_id), ("", 0, None));
    assert_eq!((row.outcome_id.as_str(), row.outcome_name.as_str()), ("0", "Outcome 0"));
    for bad in ["outcome_id", "no_such_column"] {
        assert_eq!(open().without(&[bad]).err().map(|error| error.code()), Some("SNP302"), "{bad}");
    }
    // Without the stored hash it is computed from what is read.
    let read = open().without(&["source_row_hash"]).unwrap().with_hash().next().unwrap().unwrap();
    assert_eq!(read.hash, outcome(0).row_hash());
}

crate::table! {
    /// A table before a column was added to it.
    pub(super) struct Older = "want_gorgias_grown", Wanted, version 1 {
        /// Key.
        name: String => key,
        /// Number.
        amount: i32,
    }
}

crate::table! {
    /// The same table afterwards.
    pub(super) struct Newer = "want_gorgias_grown", Wanted, version 2 {
        /// Key.
        name: String => key,
        /// Text that came later.
        note: Option<String> => null("written before there were notes") since(2),
        /// Number.
        amount: i32,
    }
}

proptest! {
    #![proptest_config(crate::fixture::seeded(64))]

    #[test]
    fn rows_found_by_their_keys_are_those_that_a_filter_finds(
        tags in proptest::collection::btree_set((0_u8..20, 0_u8..4), 0..40),
        whole in proptest::collection::btree_set((0_u8..20, 0_u8..4), 0..6),
        parents in proptest::collection::btree_set(0_u8..20, 0..6),
    ) {
        let scratch = tempfile::tempdir().unwrap();
        let rows = tags.iter().map(|(ticket, name)| tag(*ticket, *name));
        let sealed = seal("2026-11-22-a1", Pass::Full, rows, scratch.path());
        let opened = Opened::new(&sealed.manifest, &sealed.part_paths()).unwrap();
        // Whole keys and beginnings, some of them beginnings of one another.
        let mut wanted: BTreeSet<Key> = whole.iter().map(|(ticket, name)| tag(*ticket, *name).key()).collect();
        wanted.extend(parents.iter().map(|ticket| tag(*ticket, 0).key_prefix(1)));
        let is_wanted = |key: &Key| wanted.iter().any(|prefix| key.starts_with(prefix));
        let all: Vec<WantTicketTag> = opened.rows().unwrap().collect::<Result<_, _>>().unwrap();
        let expected: Vec<WantTicketTag> = all.into_iter().filter(|row| is_wanted(&row.key())).collect();
        let only = || opened.rows::<WantTicketTag>().unwrap();
        let picked: Vec<WantTicketTag> = only().only(&wanted).unwrap().collect::<Result<_, _>>().unwrap();
        prop_assert_eq!(&picked, &expected);
        let picked = only().only_where(is_wanted).unwrap().collect::<Result<Vec<_>, _>>().unwrap();
        prop_assert_eq!(&picked, &expected);
        let keys = only().keys_where(is_wanted).unwrap();
        prop_assert_eq!(keys, expected.iter().map(Row::key).collect::<Vec<_>>());
    }
}

#[test]
fn an_opened_table_is_read_as_one_table_only_and_columns_that_are_not_asked_for_come_empty() {
    let (_scratch, manifest, paths) = outcomes(3);
    let opened = Opened::new(&manifest, &paths).unwrap();
    assert_eq!(opened.rows::<WantTicketTag>().err().unwrap().code(), "SNP308");
    let read: Vec<SourceOutcome> =
        opened.rows().unwrap().with_only(&["outcome_name"]).unwrap().collect::<Result<_, _>>().unwrap();
    let whole: Vec<SourceOutcome> = opened.rows().unwrap().collect::<Result<_, _>>().unwrap();
    for (read, whole) in read.iter().zip(&whole) {
        assert_eq!((&read.outcome_id, &read.outcome_name), (&whole.outcome_id, &whole.outcome_name));
        assert_eq!((read.raw_json.as_str(), read.call_count), ("", 0));
    }
    assert!(whole.iter().all(|row| !row.raw_json.is_empty()) && whole.len() == 3);
    assert_eq!(
        opened.rows::<SourceOutcome>().unwrap().with_only(&["nothing"]).err().unwrap().code(),
        "SNP302"
    );
}

#[test]
fn files_of_an_older_schema_stay_readable_and_those_of_a_newer_one_are_refused() {
    let scratch = tempfile::tempdir().unwrap();
    let name = |name: &str| name.to_owned();
    let older = seal("2026-11-22-a1", Pass::Full, [Older { name: name("a"), amount: 1 }], scratch.path());
    let read: Vec<_> = TableReader::<Newer>::of(&older).unwrap().with_hash().map(Result::unwrap).collect();
    assert_eq!(read[0].row, Newer { name: name("a"), note: None, amount: 1 });
    assert_eq!(read[0].hash, read[0].row.row_hash());
    let rows = [Newer { name: name("a"), note: None, amount: 1 }];
    let newer = seal("2026-11-22-a1", Pass::Full, rows, scratch.path());
    assert_eq!(older.manifest.content_digest, newer.manifest.content_digest);
    let error = TableReader::<Older>::of(&newer).err().unwrap();
    assert_eq!(error.to_string(), "want_gorgias_grown was written by a newer program: needs >= 0.1.0");
    let mut changed = older.manifest.clone();
    changed.schema_fingerprint = crate::Digest::of(b"other columns");
    let error = TableReader::<Older>::open(&changed, older.part_paths()).err().map(|error| error.code());
    assert_eq!(error, Some("SNP205"));
}

fn tag(ticket: u8, tag: u8) -> WantTicketTag {
    WantTicketTag { ticket_external_id: format!("t{ticket}"), tag_name: format!("tag{tag}") }
}

proptest! {
    #![proptest_config(crate::fixture::seeded(128))]

    #[test]
    fn children_meet_their_parents_and_orphans_are_counted(
        parents in proptest::collection::btree_set(0_u8..12, 0..8),
        tags in proptest::collection::btree_set((0_u8..12, 0_u8..4), 0..30),
    ) {
        let mut by_name: Vec<WantTicketTag> = tags.iter().map(|&(ticket, number)| tag(ticket, number)).collect();
        by_name.sort_by_key(Row::key);
        let mut children = Children::new(by_name.clone().into_iter().map(Ok), 1);
        let mut names: Vec<String> = parents.iter().map(|parent| format!("t{parent}")).collect();
        names.sort();
        for name in &names {
            let expected: Vec<_> = by_name.iter().filter(|row| row.ticket_external_id == *name).cloned().collect();
            prop_assert_eq!(children.take(&Key::of([name.as_str().into()])).unwrap(), expected);
        }
        let orphans = by_name.iter().filter(|row| !names.contains(&row.ticket_external_id)).count();
        prop_assert_eq!(children.orphans().unwrap(), orphans as u64);

        let mut expected: BTreeMap<String, Vec<WantTicketTag>> = BTreeMap::new();
        for row in &by_name {
            expected.entry(row.ticket_external_id.clone()).or_default().push(row.clone());
        }
        let groups = Grouped::new(by_name.into_iter().map(Ok), 1).map(|group| group.unwrap().rows);
        prop_assert_eq!(groups.collect::<Vec<_>>(), expected.into_values().collect::<Vec<_>>());
    }

    #[test]
    fn merging_pairs_what_has_one_key(
        left in proptest::collection::btree_set(0_u8..20, 0..15),
        right in proptest::collection::btree_set(0_u8..20, 0..15),
    ) {
        let rows = |ids: &BTreeSet<u8>| {
            let mut rows: Vec<WantTicketTag> = ids.iter().map(|&id| tag(id, 0)).collect();
            rows.sort_by_key(Row::key);
            rows.into_iter().map(Ok::<_, SnapshotError>)
        };
        let merged = Merged::new(rows(&left), rows(&right), 2);
        let pairs: Vec<_> = merged.map(Result::unwrap).collect();
        let mut expected: Vec<_> = left.union(&right).map(|&id| {
            let on = |ids: &BTreeSet<u8>| ids.contains(&id).then(|| tag(id, 0));
            (on(&left), on(&right))
        }).collect();
        let key = |pair: &(Option<WantTicketTag>, Option<WantTicketTag>)| pair.0.as_ref().or(pair.1.as_ref()).map(Row::key);
        expected.sort_by_key(key);
        prop_assert_eq!(pairs, expected);
    }
}

#[test]
fn an_error_reaches_the_caller_through_every_join_and_ends_it() {
    let fails = || {
        let error = SnapshotError::ScratchDamaged { table: "want_gorgias_ticket_tag" };
        vec![Ok(tag(1, 1)), Err(error), Ok(tag(2, 1))].into_iter()
    };
    let mut children = Children::new(fails(), 1);
    assert!(children.take(&tag(1, 1).key_prefix(1)).is_err());
    let groups: Vec<_> = Grouped::new(fails(), 1).collect();
    assert!(groups[0].is_err());
    let merged: Vec<_> =
        Merged::new(fails(), Vec::<Result<WantTicketTag, SnapshotError>>::new().into_iter(), 2).collect();
    assert!(merged[1].is_err());
    assert!(Children::new(fails(), 1).orphans().is_err());
}
