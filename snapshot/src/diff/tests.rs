//! The comparison against an oracle: two maps.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::{Counts, Difference, FieldChange, KeyDifference, Kind, compare, keys};
use crate::fixture::{outcome, seal, ticket};
use crate::tables::{ControlFailure, SourceOutcome, WantTicket};
use crate::{Opened, Pass, Row, Sealed, SnapshotError, ValueBuf};

fn differences(old: &Sealed, new: &Sealed) -> Result<(Vec<Difference>, Counts), SnapshotError> {
    let mut found = compare(&old.manifest, &old.part_paths(), &new.manifest, &new.part_paths())?;
    let all = (&mut found).collect::<Result<Vec<_>, _>>()?;
    let by_key = all.iter().map(|difference| {
        let (kind, key) = match difference {
            Difference::Added { key } => (Kind::Added, key),
            Difference::Removed { key } => (Kind::Removed, key),
            Difference::Changed { key, .. } => (Kind::Changed, key),
        };
        KeyDifference { kind, key: key.clone() }
    });
    let opened = |sealed: &Sealed| Opened::new(&sealed.manifest, &sealed.part_paths());
    assert_eq!(keys(&opened(old)?, &opened(new)?)?, (by_key.collect(), found.counts()));
    Ok((all, found.counts()))
}

fn sealed<R: Row>(rows: impl IntoIterator<Item = R>) -> (tempfile::TempDir, Sealed) {
    let scratch = tempfile::tempdir().unwrap();
    let sealed = seal("2026-11-22-a1", Pass::After, rows, scratch.path());
    (scratch, sealed)
}

fn text(text: &str) -> ValueBuf {
    ValueBuf::Text(text.to_owned())
}

#[test]
fn added_removed_and_changed_rows_are_told_with_field_old_and_new_value() {
    let (_old_scratch, old) = sealed((0..5).map(ticket));
    let changed = WantTicket { status: "open".into(), assignee_agent_id: None, ..ticket(1) };
    let (_new_scratch, new) = sealed([ticket(0), changed, ticket(2), ticket(4), ticket(7)]);
    let (found, counts) = differences(&old, &new).unwrap();
    let key = |id: &str| vec![text(&format!("leaddesk:lead:41:{id}"))];
    let expected = [
        Difference::Changed {
            key: key("000001"),
            fields: vec![
                FieldChange { column: "status", old: text("closed"), new: text("open") },
                FieldChange { column: "assignee_agent_id", old: text("1"), new: ValueBuf::Null },
            ],
        },
        Difference::Removed { key: key("000003") },
        Difference::Added { key: key("000007") },
    ];
    assert_eq!(found, expected);
    assert_eq!(counts, Counts { same: 3, added: 1, removed: 1, changed: 1 });
}

#[test]
fn how_a_record_was_read_is_no_difference() {
    let (_old_scratch, old) = sealed((0..5).map(outcome));
    let later = |id| SourceOutcome {
        extracted_at: "2026-12-01T00:00:00Z".parse().unwrap(),
        source_page: "calls.csv#rows=7-8".into(),
        raw_json: format!("{{ \"id\": {id} }}"),
        ..outcome(id)
    };
    let (_new_scratch, new) = sealed((0..5).map(later));
    assert_ne!(old.manifest.digest(), new.manifest.digest());
    assert_eq!(old.manifest.content_digest, new.manifest.content_digest);
    assert_eq!(differences(&old, &new).unwrap(), (Vec::new(), Counts { same: 5, ..Counts::default() }));
    // A row that is gone at the source is a difference.
    let (_gone_scratch, gone) = sealed((0..5).map(|id| SourceOutcome { is_deleted: id == 3, ..outcome(id) }));
    let (found, counts) = differences(&old, &gone).unwrap();
    assert_eq!(counts.changed, 1);
    let fields =
        vec![FieldChange { column: "is_deleted", old: ValueBuf::Flag(false), new: ValueBuf::Flag(true) }];
    assert_eq!(found, [Difference::Changed { key: vec![text("3")], fields }]);
}

#[test]
fn one_byte_in_one_row_of_many_is_found_and_nothing_else() {
    let rows = || (0..30_000).map(ticket);
    let (_old_scratch, old) = sealed(rows());
    let planted = rows().map(|row| {
        if row.external_id.ends_with("017433") {
            WantTicket { subject: "Lead 17432".into(), ..row }
        } else {
            row
        }
    });
    let (_new_scratch, new) = sealed(planted);
    let (found, counts) = differences(&old, &new).unwrap();
    let fields = vec![FieldChange { column: "subject", old: text("Lead 17433"), new: text("Lead 17432") }];
    assert_eq!(found, [Difference::Changed { key: vec![text("leaddesk:lead:41:017433")], fields }]);
    assert_eq!(counts, Counts { same: 29_999, changed: 1, ..Counts::default() });
}

#[test]
fn many_changes_come_in_key_order_across_windows() {
    let (_old_scratch, old) = sealed((0..20_000).map(ticket));
    let (_new_scratch, new) = sealed((0..20_000).map(|id| WantTicket { message_count: 2, ..ticket(id) }));
    let (found, counts) = differences(&old, &new).unwrap();
    assert_eq!(counts, Counts { changed: 20_000, ..Counts::default() });
    for (id, difference) in found.iter().enumerate() {
        let fields =
            vec![FieldChange { column: "message_count", old: ValueBuf::Int32(1), new: ValueBuf::Int32(2) }];
        assert_eq!(
            *difference,
            Difference::Changed { key: vec![text(&format!("leaddesk:lead:41:{id:06}"))], fields }
        );
    }
}

#[test]
fn tables_with_several_rows_per_key_are_compared_row_by_row() {
    let failure = |id: &str, reason: &str| ControlFailure {
        object: "contact".into(),
        leaddesk_id: id.into(),
        reason_code: "TRF204".into(),
        reason: reason.into(),
        state: "value_rejected".into(),
    };
    let (_old_scratch, old) =
        sealed([failure("1", "slot 3"), failure("1", "slot 4"), failure("2", "slot 1")]);
    let (_new_scratch, new) =
        sealed([failure("1", "slot 4"), failure("1", "slot 5"), failure("2", "slot 1")]);
    let (found, counts) = differences(&old, &new).unwrap();
    let key = || vec![text("contact"), text("1"), text("TRF204")];
    assert_eq!(counts, Counts { same: 2, added: 1, removed: 1, changed: 0 });
    assert!(
        found.contains(&Difference::Added { key: key() })
            && found.contains(&Difference::Removed { key: key() })
    );
}

#[test]
fn two_tables_and_damaged_files_are_refused() {
    let (_old_scratch, old) = sealed((0..5).map(ticket));
    let (_new_scratch, new) = sealed((0..5).map(outcome));
    assert_eq!(differences(&old, &new).unwrap_err().code(), "SNP308");
    let (_other_scratch, other) = sealed((0..6).map(ticket));
    let path = &other.parts[0].path;
    let mut bytes = std::fs::read(path).unwrap();
    bytes[100] ^= 1;
    std::fs::write(path, bytes).unwrap();
    assert_eq!(differences(&old, &other).unwrap_err().code(), "SNP201");
}

proptest! {
    #![proptest_config(crate::fixture::seeded(64))]

    #[test]
    fn it_finds_what_two_maps_find(
        old in proptest::collection::btree_map(0_u32..40, 0_u8..3, 0..30),
        new in proptest::collection::btree_map(0_u32..40, 0_u8..3, 0..30),
    ) {
        let row = |(id, state): (&u32, &u8)| WantTicket { status: format!("s{state}"), ..ticket(*id) };
        let (_old_scratch, old_sealed) = sealed(old.iter().map(row));
        let (_new_scratch, new_sealed) = sealed(new.iter().map(row));
        let (found, counts) = differences(&old_sealed, &new_sealed).unwrap();
        let keys: std::collections::BTreeSet<u32> = old.keys().chain(new.keys()).copied().collect();
        let mut expected = Vec::new();
        let mut same = 0;
        for id in keys {
            let key = vec![text(&ticket(id).external_id)];
            match (old.get(&id), new.get(&id)) {
                (Some(was), Some(is)) if was == is => same += 1,
                (Some(was), Some(is)) => {
                    let value = |state: &u8| text(&format!("s{state}"));
                    let fields = vec![FieldChange { column: "status", old: value(was), new: value(is) }];
                    expected.push(Difference::Changed { key, fields });
                }
                (Some(_), None) => expected.push(Difference::Removed { key }),
                (None, _) => expected.push(Difference::Added { key }),
            }
        }
        prop_assert_eq!(&found, &expected);
        prop_assert_eq!(counts.same, same);
        let kinds: BTreeMap<&str, u64> = expected.iter().fold(BTreeMap::new(), |mut kinds, difference| {
            let kind = match difference {
                Difference::Added { .. } => "added",
                Difference::Removed { .. } => "removed",
                Difference::Changed { .. } => "changed",
            };
            *kinds.entry(kind).or_default() += 1;
            kinds
        });
        let count = |kind| kinds.get(kind).copied().unwrap_or(0);
        prop_assert_eq!((counts.added, counts.removed, counts.changed), (count("added"), count("removed"), count("changed")));
    }
}
