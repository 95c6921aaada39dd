//! The log: its transitions, its chain, and what it adds up to.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use expect_test::{Expect, expect};
use migration::canonical::Digest;
use migration::ledger::{
    CHAIN_START, DestinationId, DestinationObject, INTENTS_PER_SEGMENT_MAX, Intent, LedgerError, LedgerState,
    Operation, Receipt, ReceiptClass, Segment, SegmentKind, Settled, Via, WriteEvent, WriteKey, WriteState,
    Written, quiet_from,
};
use proptest::prelude::*;

use crate::support::{at, seeded};

const NOON: &str = "2026-01-01T12:00:00Z";

fn key(name: &str) -> WriteKey {
    WriteKey::new(DestinationObject::Customer, name)
}

fn intend(name: &str, operation: Operation) -> Intent {
    Intent { key: key(name), operation, version: Digest::of(name.as_bytes()), body: Digest::of(b"body") }
}

fn receipt(name: &str, class: ReceiptClass, id: Option<u64>) -> Receipt {
    Receipt {
        key: key(name),
        destination: id.map(DestinationId),
        class,
        via: Via::Answer,
        fields: Vec::new(),
        reason: None,
    }
}

fn fence() -> SegmentKind {
    SegmentKind::Fence { run: "run-1".to_owned(), plan: Digest::of(b"plan"), baseline: None }
}

/// The next segment of a log, as a correct writer makes it.
fn next(state: &LedgerState, kind: SegmentKind, intents: Vec<Intent>, receipts: Vec<Receipt>) -> Segment {
    let epoch = state.epoch() + u64::from(matches!(kind, SegmentKind::Fence { .. }));
    Segment {
        sequence: state.next_sequence(),
        previous: state.head(),
        nonce: [7; 16],
        epoch,
        kind,
        not_after: at(NOON),
        intents,
        receipts,
    }
}

fn bytes(segment: &Segment) -> Vec<u8> {
    format!("{segment:?}").into_bytes()
}

fn append(state: &mut LedgerState, segment: &Segment) -> Result<(), LedgerError> {
    state.apply(segment, &bytes(segment))
}

fn must(state: &mut LedgerState, kind: SegmentKind, intents: Vec<Intent>, receipts: Vec<Receipt>) {
    let segment = next(state, kind, intents, receipts);
    append(state, &segment).unwrap();
}

fn shown(state: &LedgerState) -> String {
    let mut out =
        format!("next {} epoch {} open {}\n", state.next_sequence(), state.epoch(), state.is_open());
    for (key, id) in state.have() {
        writeln!(out, "have {key} = {id}").unwrap();
    }
    for (key, operation, not_after) in state.doubt() {
        writeln!(out, "doubt {key} {} until {not_after}", operation.as_str()).unwrap();
    }
    out
}

#[test]
fn a_clean_run_and_a_crash() {
    let mut log = LedgerState::new();
    must(&mut log, fence(), vec![], vec![]);
    must(
        &mut log,
        SegmentKind::Work,
        vec![intend("a", Operation::Create), intend("b", Operation::Create)],
        vec![],
    );
    expect![[r"
        next 2 epoch 1 open true
        doubt customer/a create until 2026-01-01T12:00:00Z
        doubt customer/b create until 2026-01-01T12:00:00Z
    "]]
    .assert_eq(&shown(&log));
    assert_eq!(log.doubt_count(), 2);
    // The worker dies; its successor fences, waits, looks up, and only then announces again.
    must(&mut log, fence(), vec![], vec![]);
    let not_after = log.doubt().map(|(_, _, not_after)| not_after).collect::<Vec<_>>();
    assert_eq!(quiet_from(not_after), Some(at("2026-01-01T12:02:00Z")));
    let looked_up = vec![
        Receipt { via: Via::Lookup, ..receipt("a", ReceiptClass::Created, Some(7)) },
        Receipt { via: Via::Lookup, ..receipt("b", ReceiptClass::Absent, None) },
    ];
    must(&mut log, SegmentKind::Work, vec![intend("b", Operation::Create)], looked_up);
    must(&mut log, SegmentKind::Work, vec![], vec![receipt("b", ReceiptClass::Created, Some(8))]);
    let closing = log.closing();
    must(&mut log, closing, vec![], vec![]);
    expect![[r"
        next 6 epoch 2 open false
        have customer/a = 7
        have customer/b = 8
    "]]
    .assert_eq(&shown(&log));
    assert_eq!(LedgerState::from_checkpoint(log.checkpoint()), log);
    assert_eq!(quiet_from([]), None);
}

#[test]
fn a_rollback_and_its_undoing() {
    let mut log = LedgerState::new();
    must(&mut log, fence(), vec![], vec![]);
    let mut turn = |operation, class| {
        must(&mut log, SegmentKind::Work, vec![intend("a", operation)], vec![]);
        must(&mut log, SegmentKind::Work, vec![], vec![receipt("a", class, Some(7))]);
        log.written(&key("a")).map(|written| (written.state, written.is_ours))
    };
    let (applied, undone) = (Settled::Applied(DestinationId(7)), Settled::Undone(DestinationId(7)));
    assert_eq!(turn(Operation::Create, ReceiptClass::Created), Some((WriteState::Settled(applied), true)));
    assert_eq!(turn(Operation::Update, ReceiptClass::Updated), Some((WriteState::Settled(applied), true)));
    assert_eq!(turn(Operation::Trash, ReceiptClass::Trashed), Some((WriteState::Settled(undone), true)));
    assert_eq!(turn(Operation::Restore, ReceiptClass::Restored), Some((WriteState::Settled(applied), true)));
    assert_eq!(turn(Operation::Delete, ReceiptClass::Deleted), Some((WriteState::Settled(undone), true)));
    assert_eq!(turn(Operation::Create, ReceiptClass::Created), Some((WriteState::Settled(applied), true)));
}

#[test]
fn adopted_records_are_not_ours() {
    let mut log = LedgerState::new();
    must(&mut log, fence(), vec![], vec![]);
    let found = Receipt { via: Via::Lookup, ..receipt("a", ReceiptClass::Adopted, Some(7)) };
    must(&mut log, SegmentKind::Work, vec![], vec![found, receipt("s", ReceiptClass::Skipped, None)]);
    assert_eq!(
        log.written(&key("a")).map(|written| (written.is_ours, written.destination())),
        Some((false, Some(DestinationId(7))))
    );
    assert_eq!(log.written(&key("s")).unwrap().state, WriteState::Settled(Settled::Skipped));
}

/// Every state against every event.
#[test]
fn a_record_that_is_adopted_after_ours_was_removed_is_not_ours() {
    let mut log = LedgerState::new();
    must(&mut log, fence(), vec![], vec![]);
    let mut turn = |operation, class, id| {
        must(&mut log, SegmentKind::Work, vec![intend("a", operation)], vec![]);
        must(&mut log, SegmentKind::Work, vec![], vec![receipt("a", class, Some(id))]);
        log.written(&key("a")).map(|written| written.is_ours)
    };
    assert_eq!(turn(Operation::Create, ReceiptClass::Created, 7), Some(true));
    assert_eq!(turn(Operation::Delete, ReceiptClass::Deleted, 7), Some(true));
    assert_eq!(turn(Operation::Create, ReceiptClass::Adopted, 8), Some(false));
    assert_eq!(turn(Operation::Update, ReceiptClass::Updated, 8), Some(false));
}

#[test]
fn transitions() {
    use Operation::{Create, Delete, Restore, Trash, Update};
    let id = DestinationId(7);
    let states = [
        ("planned", WriteState::Planned),
        ("creating", WriteState::Intended { operation: Create, before: Settled::Nothing }),
        ("updating", WriteState::Intended { operation: Update, before: Settled::Applied(id) }),
        ("trashing", WriteState::Intended { operation: Trash, before: Settled::Applied(id) }),
        ("applied", WriteState::Settled(Settled::Applied(id))),
        ("undone", WriteState::Settled(Settled::Undone(id))),
        ("refused", WriteState::Settled(Settled::Refused)),
        ("skipped", WriteState::Settled(Settled::Skipped)),
    ];
    let events = [
        ("create", WriteEvent::Intend(Create)),
        ("update", WriteEvent::Intend(Update)),
        ("trash", WriteEvent::Intend(Trash)),
        ("restore", WriteEvent::Intend(Restore)),
        ("delete", WriteEvent::Intend(Delete)),
        ("apply", WriteEvent::Apply(id)),
        ("refuse", WriteEvent::Refuse),
        ("absent", WriteEvent::Absent),
        ("find", WriteEvent::Find(id)),
        ("skip", WriteEvent::Skip),
    ];
    let mut out = String::new();
    for (name, state) in states {
        let reached: Vec<String> = events
            .iter()
            .filter_map(|(event_name, event)| {
                let to = match state.next(*event).ok()? {
                    WriteState::Planned => "planned".to_owned(),
                    WriteState::Intended { operation, .. } => format!("{}?", operation.as_str()),
                    WriteState::Settled(Settled::Nothing) => "nothing".to_owned(),
                    WriteState::Settled(Settled::Applied(_)) => "applied".to_owned(),
                    WriteState::Settled(Settled::Undone(_)) => "undone".to_owned(),
                    WriteState::Settled(Settled::Refused) => "refused".to_owned(),
                    WriteState::Settled(Settled::Skipped) => "skipped".to_owned(),
                };
                Some(format!("{event_name}->{to}"))
            })
            .collect();
        writeln!(out, "{name}: {}", reached.join(" ")).unwrap();
    }
    expect![[r"
        planned: create->create? update->update? trash->trash? restore->restore? delete->delete? find->applied skip->skipped
        creating: apply->applied refuse->refused absent->nothing
        updating: apply->applied refuse->applied absent->applied
        trashing: apply->undone refuse->applied absent->applied
        applied: update->update? trash->trash? delete->delete? skip->applied
        undone: create->create? restore->restore? delete->delete? skip->undone
        refused: create->create? update->update? trash->trash? restore->restore? delete->delete? find->applied skip->refused
        skipped: create->create? update->update? trash->trash? restore->restore? delete->delete? find->applied skip->skipped
    "]]
    .assert_eq(&out);
}

#[test]
fn what_breaks_a_log_is_refused_whole() {
    let mut log = LedgerState::new();
    must(&mut log, fence(), vec![], vec![]);
    must(&mut log, SegmentKind::Work, vec![intend("a", Operation::Create)], vec![]);
    let check = |change: &dyn Fn(&mut Segment), expected: &Expect| {
        let mut copy = log.clone();
        let mut segment = next(&copy, SegmentKind::Work, vec![], vec![]);
        change(&mut segment);
        let error = append(&mut copy, &segment).unwrap_err();
        expected.assert_eq(&error.to_string());
        assert_eq!(copy, log, "nothing was taken over");
    };
    check(&|segment| segment.sequence = 3, &expect!["segment 3 cannot follow: 2 is next"]);
    check(&|segment| segment.sequence = 1, &expect!["segment 1 cannot follow: 2 is next"]);
    check(
        &|segment| segment.previous = CHAIN_START,
        &expect!["segment 2 does not carry the digest of the segment before it"],
    );
    check(&|segment| segment.epoch = 2, &expect!["segment 2 carries epoch 2, not 1"]);
    check(&|segment| segment.kind = fence(), &expect!["segment 2 carries epoch 1, not 2"]);
    check(
        &|segment| {
            segment.kind = fence();
            segment.epoch = 2;
            segment.intents = vec![intend("b", Operation::Create)];
        },
        &expect!["segment 2 carries intents or receipts that its kind must not carry"],
    );
    check(
        &|segment| segment.intents = vec![intend("a", Operation::Create)],
        &expect!["segment 2 takes customer/a where it cannot go"],
    );
    check(
        &|segment| segment.intents = vec![intend("b", Operation::Create), intend("b", Operation::Create)],
        &expect!["segment 2 announces customer/b twice"],
    );
    check(
        &|segment| {
            segment.intents =
                (0..101).map(|number| intend(&format!("k{number}"), Operation::Create)).collect();
        },
        &expect!["segment 2 announces 101 intents"],
    );
    check(
        &|segment| segment.receipts = vec![receipt("a", ReceiptClass::Created, None)],
        &expect!["segment 2 has a receipt for customer/a without an id"],
    );
    check(
        &|segment| segment.receipts = vec![receipt("b", ReceiptClass::Refused, None)],
        &expect!["segment 2 takes customer/b where it cannot go"],
    );
    // A good receipt beside a bad intent is not taken over either.
    check(
        &|segment| {
            segment.receipts = vec![receipt("a", ReceiptClass::Created, Some(7))];
            segment.intents = vec![intend("a", Operation::Create)];
        },
        &expect!["segment 2 takes customer/a where it cannot go"],
    );
    check(&|segment| segment.kind = log.closing(), &expect!["segment 2 closes an epoch that is not settled"]);
    check(
        &|segment| {
            segment.receipts = vec![receipt("a", ReceiptClass::Created, Some(7))];
            segment.kind = SegmentKind::Close { keys: 2, key_set: Digest::of(b"") };
        },
        &expect!["segment 2 closes an epoch that is not settled"],
    );
}

#[test]
fn a_close_carries_exactly_the_keys_of_its_log() {
    let mut log = LedgerState::new();
    must(&mut log, fence(), vec![], vec![]);
    must(&mut log, SegmentKind::Work, vec![intend("a", Operation::Create)], vec![]);
    must(&mut log, SegmentKind::Work, vec![], vec![receipt("a", ReceiptClass::Created, Some(7))]);
    let SegmentKind::Close { keys, key_set } = log.closing() else { unreachable!("a log can be closed") };
    assert_eq!(keys, 1);
    for (keys, key_set) in [(keys, Digest::of(b"")), (keys + 1, key_set)] {
        let segment = next(&log, SegmentKind::Close { keys, key_set }, vec![], vec![]);
        let error = append(&mut log.clone(), &segment).unwrap_err();
        assert_eq!(error, LedgerError::CloseUnsettled { sequence: 3 });
    }
    must(&mut log, SegmentKind::Close { keys, key_set }, vec![], vec![]);
}

#[test]
fn a_segment_announces_a_hundred_writes_and_not_one_more() {
    let mut log = LedgerState::new();
    must(&mut log, fence(), vec![], vec![]);
    let many =
        |count: usize| (0..count).map(|number| intend(&format!("k{number}"), Operation::Create)).collect();
    let segment = next(&log, SegmentKind::Work, many(INTENTS_PER_SEGMENT_MAX + 1), vec![]);
    assert!(matches!(append(&mut log.clone(), &segment), Err(LedgerError::TooManyIntents { .. })));
    must(&mut log, SegmentKind::Work, many(INTENTS_PER_SEGMENT_MAX), vec![]);
    assert_eq!(log.doubt_count(), INTENTS_PER_SEGMENT_MAX);
}

#[test]
fn a_write_rests_where_it_did_while_it_is_in_doubt() {
    let mut log = LedgerState::new();
    must(&mut log, fence(), vec![], vec![]);
    let rest = |log: &LedgerState| -> Vec<(String, Option<Settled>)> {
        log.iter().map(|(key, written)| (key.key.clone(), written.rest())).collect()
    };
    assert_eq!(rest(&log), []);
    must(&mut log, SegmentKind::Work, vec![intend("a", Operation::Create)], vec![]);
    assert_eq!(rest(&log), [("a".to_owned(), Some(Settled::Nothing))]);
    let made = receipt("a", ReceiptClass::Created, Some(7));
    must(&mut log, SegmentKind::Work, vec![intend("a", Operation::Update)], vec![made]);
    assert_eq!(rest(&log), [("a".to_owned(), Some(Settled::Applied(DestinationId(7))))]);
    assert_eq!(log.written(&key("a")).and_then(Written::destination), None);
}

#[test]
fn logs_begin_and_go_on_with_a_fence() {
    let mut log = LedgerState::new();
    let work = next(&log, SegmentKind::Work, vec![], vec![]);
    assert_eq!(append(&mut log, &work), Err(LedgerError::FenceNeeded { sequence: 0 }));
    must(&mut log, fence(), vec![], vec![]);
    let closing = log.closing();
    must(&mut log, closing, vec![], vec![]);
    let work = next(&log, SegmentKind::Work, vec![], vec![]);
    assert_eq!(append(&mut log, &work), Err(LedgerError::FenceNeeded { sequence: 2 }));
    must(&mut log, fence(), vec![], vec![]);
    assert_eq!(log.epoch(), 2);
}

#[test]
fn a_changed_byte_breaks_the_chain() {
    let mut log = LedgerState::new();
    let first = next(&log, fence(), vec![], vec![]);
    append(&mut log, &first).unwrap();
    let second = next(&log, SegmentKind::Work, vec![], vec![]);
    let mut other = LedgerState::new();
    let mut flipped = bytes(&first);
    flipped[10] ^= 1;
    other.apply(&first, &flipped).unwrap();
    assert_eq!(append(&mut other, &second), Err(LedgerError::BrokenChain { sequence: 1 }));
    assert_eq!(append(&mut log, &second), Ok(()));
}

#[derive(Debug, Clone)]
enum Step {
    Announce(Vec<u8>),
    Settle(Vec<(u8, u8)>),
    Fence,
    Close,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => proptest::collection::vec(0_u8..8, 1..5).prop_map(Step::Announce),
        4 => proptest::collection::vec((0_u8..8, 0_u8..4), 1..5).prop_map(Step::Settle),
        1 => Just(Step::Fence),
        1 => Just(Step::Close),
    ];
    proptest::collection::vec(step, 0..40)
}

proptest! {
    #![proptest_config(seeded(300))]

    /// However steps come: a key is never announced while in doubt or there, a key has one record, and a replay agrees.
    #[test]
    fn at_most_one_record_a_key(steps in steps()) {
        let mut log = LedgerState::new();
        let mut segments: Vec<Segment> = Vec::new();
        let mut ids = 100;
        let mut created: BTreeSet<WriteKey> = BTreeSet::new();
        for step in steps {
            let name = |number: &u8| format!("k{number}");
            let segment = match &step {
                Step::Announce(keys) => {
                    let distinct: BTreeSet<&u8> = keys.iter().collect();
                    let intents = distinct.into_iter().map(|number| intend(&name(number), Operation::Create)).collect();
                    next(&log, SegmentKind::Work, intents, vec![])
                }
                Step::Settle(receipts) => {
                    let receipts = receipts.iter().map(|(number, class)| {
                        ids += 1;
                        match class {
                            0 | 1 => receipt(&name(number), ReceiptClass::Created, Some(ids)),
                            2 => receipt(&name(number), ReceiptClass::Absent, None),
                            _ => receipt(&name(number), ReceiptClass::Refused, None),
                        }
                    });
                    next(&log, SegmentKind::Work, vec![], receipts.collect())
                }
                Step::Fence => next(&log, fence(), vec![], vec![]),
                Step::Close => next(&log, log.closing(), vec![], vec![]),
            };
            let before = log.clone();
            match append(&mut log, &segment) {
                Err(_) => prop_assert_eq!(&log, &before),
                Ok(()) => {
                    for intent in &segment.intents {
                        let written = before.written(&intent.key);
                        let is_free = |written: &Written| written.destination().is_none() && written.not_after.is_none();
                        prop_assert!(written.is_none_or(is_free));
                    }
                    for receipt in segment.receipts.iter().filter(|receipt| receipt.class == ReceiptClass::Created) {
                        prop_assert!(created.insert(receipt.key.clone()), "created twice");
                    }
                    if !log.is_open() {
                        prop_assert_eq!(log.doubt_count(), 0);
                    }
                    segments.push(segment);
                }
            }
            prop_assert_eq!(log.doubt().count(), log.doubt_count());
        }
        let mut replayed = LedgerState::new();
        for segment in &segments {
            append(&mut replayed, segment).unwrap();
        }
        prop_assert_eq!(&replayed, &log);
        prop_assert_eq!(LedgerState::from_checkpoint(log.checkpoint()), log);
    }
}
