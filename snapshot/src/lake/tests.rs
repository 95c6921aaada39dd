//! Placing, finding and checking snapshots on a disk.

use std::fs::{self, File};
use std::sync::Arc;

use arrow::array::{ArrayRef, StringArray};
use arrow::record_batch::RecordBatch;
use expect_test::expect;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::{Depth, Entry, Lake, StoredSnapshot};
use crate::fixture::{outcome, seal, ticket};
use crate::tables::{SourceOutcome, WantTicket};
use crate::{Digest, Pass, Sealed, TableReader};

struct Place {
    scratch: tempfile::TempDir,
    root: tempfile::TempDir,
    lake: Lake,
}

fn place() -> Place {
    let root = tempfile::tempdir().unwrap();
    let lake = Lake::at(root.path());
    Place { scratch: tempfile::tempdir().unwrap(), root, lake }
}

impl Place {
    fn tickets(&self, run: &str, pass: Pass, count: u32) -> Sealed {
        seal(run, pass, (0..count).map(ticket), self.scratch.path())
    }
}

#[test]
fn what_is_placed_is_found_read_and_checked() {
    let place = place();
    place.lake.place(&place.tickets("2026-11-23-a1", Pass::Full, 3)).unwrap();
    place.lake.place(&place.tickets("2026-11-22-a1", Pass::Delta(1), 4)).unwrap();
    place.lake.place(&place.tickets("2026-11-22-a1", Pass::Full, 5)).unwrap();
    place.lake.place(&place.tickets("2026-11-24-a1", Pass::Full, 0)).unwrap();
    let outcomes = seal("2026-11-22-a1", Pass::Full, (0..2).map(outcome), place.scratch.path());
    place.lake.place(&outcomes).unwrap();
    for inside in ["", "lake", "lake/v1"] {
        let lake = Lake::open(&place.root.path().join(inside)).unwrap();
        let found = lake.snapshots().unwrap();
        let names: Vec<String> = found.iter().map(|snapshot| snapshot.manifest.dataset.to_string()).collect();
        expect![[r#"
            src_leaddesk_outcome/2026-11-22-a1/full
            want_gorgias_ticket/2026-11-22-a1/full
            want_gorgias_ticket/2026-11-22-a1/delta_0001
            want_gorgias_ticket/2026-11-23-a1/full
            want_gorgias_ticket/2026-11-24-a1/full"#]]
        .assert_eq(&names.join("\n"));
        for snapshot in found {
            snapshot.verify(Depth::Rows).unwrap();
        }
    }
    let rows = place.lake.snapshot(&outcomes.manifest.dataset).unwrap().rows::<SourceOutcome>().unwrap();
    assert_eq!(rows.map(|row| row.unwrap().outcome_id).collect::<Vec<_>>(), ["0", "1"]);
    assert_eq!(Lake::open(place.scratch.path()).unwrap_err().code(), "SNP306");
}

#[test]
fn placing_again_finishes_and_placing_otherwise_is_refused() {
    let place = place();
    let sealed = place.tickets("2026-11-22-a1", Pass::Full, 5);
    let stored = place.lake.place(&sealed).unwrap();
    place.lake.place(&sealed).unwrap();
    // As if the process had died before the manifest.
    fs::remove_file(stored.folder.join("_manifest.json")).unwrap();
    fs::remove_file(stored.folder.join("_SUCCESS")).unwrap();
    assert!(matches!(place.lake.entries().unwrap()[..], [Entry::Unfinished(_)]));
    assert_eq!(place.lake.snapshot(&sealed.manifest.dataset).unwrap_err().code(), "SNP307");
    place.lake.place(&sealed).unwrap();
    assert_eq!(place.lake.snapshots().unwrap().len(), 1);
    let other = place.tickets("2026-11-22-a1", Pass::Full, 6);
    assert_eq!(place.lake.place(&other).unwrap_err().code(), "SNP106");
    place.lake.snapshot(&sealed.manifest.dataset).unwrap().verify(Depth::Rows).unwrap();
}

#[test]
fn a_file_too_many_is_as_bad_as_one_too_few() {
    let place = place();
    let stored = place.lake.place(&place.tickets("2026-11-22-a1", Pass::Full, 5)).unwrap();
    let part = stored.folder.join("part-00000.zstd.parquet");
    let stray = stored.folder.join("part-00001.zstd.parquet");
    fs::copy(&part, &stray).unwrap();
    assert_eq!(stored.verify(Depth::Files).unwrap_err().code(), "SNP203");
    fs::rename(&stray, stored.folder.join(".part-00001.zstd.parquet")).unwrap();
    stored.verify(Depth::Files).unwrap();
    fs::remove_file(&part).unwrap();
    assert_eq!(stored.verify(Depth::Files).unwrap_err().code(), "SNP101");
}

#[test]
fn a_snapshot_that_was_moved_is_not_taken_for_another() {
    let place = place();
    let stored = place.lake.place(&place.tickets("2026-11-22-a1", Pass::Full, 5)).unwrap();
    let moved = stored.folder.with_file_name("pass=before");
    fs::rename(&stored.folder, &moved).unwrap();
    assert_eq!(StoredSnapshot::load(&moved).unwrap_err().code(), "SNP207");
    let entries = place.lake.entries().unwrap();
    assert!(matches!(&entries[..], [Entry::Unreadable(folder, _)] if *folder == moved));
}

/// Changes one column of the only part, and forges file and manifest so that all digests are right.
fn forge(stored: &StoredSnapshot, change: impl Fn(&str, &ArrayRef) -> ArrayRef) -> StoredSnapshot {
    let path = stored.part_paths().remove(0);
    let mut reader =
        ParquetRecordBatchReaderBuilder::try_new(File::open(&path).unwrap()).unwrap().build().unwrap();
    let batch = reader.next().unwrap().unwrap();
    let names = batch.schema();
    let arrays = names.fields().iter().zip(batch.columns()).map(|(field, array)| change(field.name(), array));
    let forged = RecordBatch::try_new(batch.schema(), arrays.collect()).unwrap();
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), None).unwrap();
    writer.write(&forged).unwrap();
    let bytes = writer.into_inner().unwrap();
    fs::write(&path, &bytes).unwrap();
    let mut forged = stored.clone();
    forged.manifest.parts[0].sha256 = Digest::of(&bytes);
    forged.manifest.parts[0].bytes = bytes.len() as u64;
    forged.manifest.bytes = bytes.len() as u64;
    forged
}

#[test]
fn changed_values_under_forged_digests_are_found_by_their_row_hash() {
    let place = place();
    let stored = place.lake.place(&place.tickets("2026-11-22-a1", Pass::Full, 3)).unwrap();
    let texts = |texts: [&str; 3]| Arc::new(StringArray::from_iter_values(texts)) as ArrayRef;
    let changed = |name: &'static str, values: [&'static str; 3]| {
        move |column: &str, array: &ArrayRef| if column == name { texts(values) } else { Arc::clone(array) }
    };
    let told = |forged: &StoredSnapshot| {
        forged.verify(Depth::Files).unwrap();
        let error = forged.verify(Depth::Rows).unwrap_err();
        let text = error.to_string();
        format!("{} {}", error.code(), text.rsplit_once(": ").unwrap().1)
    };
    let unchanged = forge(&stored, |_, array| Arc::clone(array));
    unchanged.verify(Depth::Rows).unwrap();
    let subject = forge(&stored, changed("subject", ["Lead 0", "Lead X", "Lead 2"]));
    expect!["SNP203 the row hash of row 2 is not the hash of its columns"].assert_eq(&told(&subject));
    let order = ["leaddesk:lead:41:000001", "leaddesk:lead:41:000000", "leaddesk:lead:41:000002"];
    let order = forge(&stored, changed("external_id", order));
    expect!["SNP203 the row hash of row 1 is not the hash of its columns"].assert_eq(&told(&order));
    // Readers that ask for no hash still notice that the order is wrong.
    let read = TableReader::<WantTicket>::open(&order.manifest, order.part_paths()).unwrap();
    let read = read.collect::<Result<Vec<_>, _>>();
    expect!["row 2 of the snapshot is not in key order"]
        .assert_eq(read.unwrap_err().to_string().rsplit_once(": ").unwrap().1);
}

#[test]
fn rows_under_a_forged_content_digest_are_found() {
    let place = place();
    let mut stored = place.lake.place(&place.tickets("2026-11-22-a1", Pass::Full, 3)).unwrap();
    stored.manifest.content_digest = Digest::of(b"other");
    stored.verify(Depth::Files).unwrap();
    expect!["the digest over its row hashes is not the one listed"]
        .assert_eq(stored.verify(Depth::Rows).unwrap_err().to_string().rsplit_once(": ").unwrap().1);
}
