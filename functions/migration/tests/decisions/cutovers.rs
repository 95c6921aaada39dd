//! Readiness from facts, the course of a cut-over, and what the check of the freeze says.

use std::collections::{BTreeMap, BTreeSet};

use expect_test::{Expect, expect};
use jiff::Timestamp;
use migration::cutover::{
    Agents, Approval, Chats, Compared, Facts, FreezeEvidence, LastDelta, NotSeen, Point, Read, Seen, Shown,
    Snapshots, SpotChecks, State, Step, Switch, is_ready, next, readiness,
};

fn at(text: &str) -> Timestamp {
    text.parse().expect("ISO 8601")
}

fn why<T>() -> Seen<T> {
    Err(NotSeen("the ledger does not answer".to_owned()))
}

fn compared() -> Compared {
    Compared { at: at("2026-11-28T12:00:00Z"), is_right: true, fields: 900, people: 0, damage: 0, untold: 0 }
}

/// A migration that may be cut over at once.
fn ready() -> Facts {
    Facts {
        now: at("2026-11-28T18:00:00Z"),
        is_loaded: true,
        taken_back: None,
        compared: Ok(Some(compared())),
        conflicts: Ok(0),
        failed: Ok(0),
        in_doubt: Ok(0),
        approval: Ok(Approval::Holds { by: "Ada".to_owned() }),
        agents: Ok(Agents { active: 24, without_user: 0 }),
        switched_off: Ok(0),
        chats: Ok(Chats::None),
        read: Ok(Read { delta: Some(3), open: None, read_from: at("2026-11-28T17:30:00Z"), different: 0 }),
        last_delta: Ok(LastDelta {
            source_requests: 30,
            writes: Some(12),
            read_back: 400,
            seconds: 218,
            basis: "as the delta before took".to_owned(),
        }),
        spot_checks: Ok(SpotChecks { judged: 25, wrong: 0 }),
        snapshots: Ok(Snapshots::Intact { tables: 40, files: 60 }),
    }
}

/// What is not ready after this change.
fn check(change: impl Fn(&mut Facts), expected: &Expect) {
    let mut facts = ready();
    change(&mut facts);
    let open = readiness(&facts, &[]).into_iter().filter(Point::is_in_the_way);
    let lines: Vec<String> =
        open.map(|point| format!("{} {}: {}", point.code, point.state.as_str(), point.reason)).collect();
    expected.assert_eq(&lines.join("\n"));
}

#[test]
fn everything_in_order_is_ready_and_every_point_is_told() {
    let points = readiness(&ready(), &[]);
    assert!(is_ready(&points));
    assert_eq!(points.len(), points.iter().map(|point| point.code).collect::<BTreeSet<_>>().len());
    let told: Vec<String> = points.iter().map(|point| format!("{} {}", point.about, point.reason)).collect();
    expect![[r#"
        load every wave is loaded, proven, and what was switched off is on again
        rollback nothing of the run was taken back
        reconciliation 900 fields compared 6 h ago, right
        conflicts no field was changed on both sides and left open
        failed records Gorgias refused no record
        writes in doubt every write has its answer
        approval the mapping that Ada approved still holds
        users to provision all 24 agents who go on working have a user
        rules, surveys, webhooks nothing is switched off by us; they go off while records are written, and on again at the end
        chatbot window no chatbot export was supplied, so none is moved
        delta lag LeadDesk was read 30 min ago, by delta 3
        forecast of the last delta about 30 requests to LeadDesk twice (delta, freeze check), about 12 records to write, 400 requests to read everything back: 3 min at the rate of the account (as the delta before took)
        spot checks 25 records compared by hand, none wrong
        snapshots 60 files of 40 tables are as they were sealed"#]]
    .assert_eq(&told.join("\n"));
    assert!(points.iter().all(|point| point.advice.is_none()));
}

#[test]
fn nothing_is_ready_by_being_nothing() {
    assert!(!is_ready(&[]));
}

#[test]
fn a_comparison_says_less_the_older_it_is() {
    let compared = |change: fn(&mut Compared)| {
        move |facts: &mut Facts| {
            let mut held = compared();
            change(&mut held);
            facts.compared = Ok(Some(held));
        }
    };
    check(|facts| facts.compared = Ok(None), &expect!["CUT102 not ready: everything was never compared"]);
    check(compared(|it| it.at = at("2026-11-25T18:00:00Z")), &expect![""]);
    check(
        compared(|it| it.at = at("2026-11-25T17:59:59Z")),
        &expect!["CUT102 not ready: right, but 3 days old; at most 72 h are taken"],
    );
    check(
        compared(|it| it.fields = 0),
        &expect!["CUT102 not ready: nothing was compared, which proves nothing"],
    );
    // What people did is no damage; what nobody did is.
    check(compared(|it| (it.is_right, it.people) = (false, 7)), &expect![""]);
    check(
        compared(|it| (it.is_right, it.people, it.damage) = (false, 7, 1)),
        &expect!["CUT102 not ready: 1 field differs although nobody else acted on the record"],
    );
    check(
        compared(|it| (it.is_right, it.untold) = (false, 2)),
        &expect!["CUT102 not ready: 2 fields differ without anybody knowing yet whose doing it is"],
    );
    check(
        |facts| facts.read.as_mut().expect("seen").different = 3,
        &expect!["CUT102 not ready: 3 fields differ from what deltas wrote since"],
    );
}

#[test]
fn each_fact_alone_is_in_the_way() {
    check(
        |facts| facts.is_loaded = false,
        &expect!["CUT101 not ready: not every wave is loaded and proven, or something is still switched off"],
    );
    check(
        |facts| facts.taken_back = Some("rollback 1 is applied".to_owned()),
        &expect!["CUT114 not ready: rollback 1 is applied"],
    );
    check(
        |facts| facts.conflicts = Ok(1),
        &expect!["CUT103 not ready: 1 record holds a field that both sides changed"],
    );
    check(|facts| facts.failed = Ok(2), &expect!["CUT104 not ready: 2 records were refused by Gorgias"]);
    check(|facts| facts.in_doubt = Ok(2), &expect!["CUT105 not ready: 2 writes have no answer yet"]);
    check(
        |facts| facts.approval = Ok(Approval::Stale { what: "the account changed".to_owned() }),
        &expect!["CUT106 not ready: stale: the account changed"],
    );
    check(
        |facts| facts.approval = Ok(Approval::Missing),
        &expect!["CUT106 not ready: nobody approved the mapping"],
    );
    check(
        |facts| facts.agents = Ok(Agents { active: 24, without_user: 2 }),
        &expect!["CUT107 not ready: 2 of 24 agents who go on working have no user of their own"],
    );
    check(|facts| facts.switched_off = Ok(1), &expect!["CUT108 not ready: 1 is still switched off by us"]);
    check(
        |facts| facts.spot_checks = Ok(SpotChecks::default()),
        &expect!["CUT112 not ready: nobody has compared records by hand"],
    );
    check(
        |facts| facts.spot_checks = Ok(SpotChecks { judged: 25, wrong: 1 }),
        &expect!["CUT112 not ready: 1 of 25 records were judged wrong"],
    );
    check(
        |facts| facts.snapshots = Ok(Snapshots::Damaged { what: "part-00000 is missing".to_owned() }),
        &expect!["CUT113 not ready: part-00000 is missing"],
    );
    check(
        |facts| facts.snapshots = Ok(Snapshots::Intact { tables: 0, files: 0 }),
        &expect!["CUT113 not ready: no snapshot is sealed, so nothing can be taken back"],
    );
}

#[test]
fn what_could_not_be_looked_at_is_in_the_way() {
    let mut facts = ready();
    (facts.compared, facts.conflicts, facts.failed, facts.in_doubt) = (why(), why(), why(), why());
    (facts.approval, facts.agents, facts.switched_off, facts.chats) = (why(), why(), why(), why());
    (facts.read, facts.last_delta, facts.spot_checks, facts.snapshots) = (why(), why(), why(), why());
    let points = readiness(&facts, &[]);
    let unknown = points.iter().filter(|point| point.state == State::NotKnown).count();
    assert_eq!((unknown, points.len()), (12, 14));
    assert!(points.iter().filter(|point| point.state == State::NotKnown).all(|point| point.advice.is_some()));
}

#[test]
fn reading_and_chats_must_reach_today() {
    let read = |open, from: &'static str| {
        move |facts: &mut Facts| {
            facts.read = Ok(Read { delta: Some(3), open, read_from: at(from), different: 0 });
        }
    };
    check(read(None, "2026-11-27T18:00:00Z"), &expect![""]);
    check(
        read(None, "2026-11-27T17:59:00Z"),
        &expect!["CUT110 not ready: LeadDesk was read 24 h ago, by delta 3"],
    );
    check(
        read(Some(4), "2026-11-28T17:00:00Z"),
        &expect!["CUT110 not ready: delta 4 is begun and not at its end"],
    );
    let chats = |last: &'static str, until: Option<&'static str>| {
        move |facts: &mut Facts| {
            facts.chats = Ok(Chats::Exported { last: Some(at(last)), until: until.map(at) });
        }
    };
    check(chats("2026-11-27T18:00:00Z", None), &expect![""]);
    // A window that is stated covers days without a message; one that lies ahead covers no more than today.
    check(chats("2026-11-01T18:00:00Z", Some("2026-12-24T00:00:00Z")), &expect![""]);
    check(
        chats("2026-11-01T18:00:00Z", Some("2026-11-10T00:00:00Z")),
        &expect![
            "CUT109 not ready: the export ends on 2026-11-10 (the stated window), 18 days ago; what was said since is lost once the account closes"
        ],
    );
}

#[test]
fn a_point_is_accepted_by_its_code_but_not_one_without_which_there_is_nothing() {
    let mut facts = ready();
    facts.spot_checks = Ok(SpotChecks::default());
    (facts.is_loaded, facts.taken_back) = (false, Some("rollback 1 is applied".to_owned()));
    let accepted = ["CUT112", "CUT101", "CUT114"].map(str::to_owned);
    let points = readiness(&facts, &accepted);
    let state = |code: &str| points.iter().find(|point| point.code.as_str() == code).expect("told").state;
    assert_eq!(state("CUT112"), State::Accepted);
    assert_eq!((state("CUT101"), state("CUT114")), (State::NotReady, State::NotReady));
    assert_eq!(points.iter().filter(|point| point.is_firm()).count(), 2);
    for state in [State::Ready, State::Accepted, State::NotKnown, State::NotReady] {
        assert_eq!(State::from_text(state.as_str()), Some(state));
    }
}

/// Plays a cut-over whose steps come to this, and tells their order.
fn course(may_go_on: bool, is_frozen: bool) -> String {
    let (mut shown, mut steps) = (Shown::default(), Vec::new());
    while steps.len() < 20 {
        let step = next(&shown);
        steps.push(step.as_str());
        match step {
            Step::Begin => shown.is_begun = true,
            Step::Delta => shown.is_delta_done = true,
            Step::Reconcile => shown.may_go_on = Some(may_go_on),
            Step::Freeze => shown.is_frozen = Some(is_frozen),
            Step::SignOff => shown.is_decided = true,
            Step::Refuse => (shown.is_decided, shown.is_refused) = (true, true),
            Step::Restore => shown.is_restored = true,
            Step::HandOff => shown.is_handed_off = true,
            Step::Nothing => break,
        }
    }
    steps.join(", ")
}

#[test]
fn nothing_is_signed_that_is_not_right_or_not_frozen_and_everything_is_on_again_at_the_end() {
    assert_eq!(
        course(true, true),
        "begin, delta, reconcile, freeze check, sign-off, restore, handoff, nothing"
    );
    assert_eq!(course(true, false), "begin, delta, reconcile, freeze check, refusal, restore, nothing");
    assert_eq!(course(false, true), "begin, delta, reconcile, refusal, restore, nothing");
}

#[test]
fn every_kind_of_evidence_is_a_change() {
    let of = |count: u64| BTreeMap::from([("leads".to_owned(), count)]);
    assert!(
        FreezeEvidence { tables: of(0), stamps: of(0), cards: 50, ..Default::default() }.changes().is_empty()
    );
    for evidence in [
        FreezeEvidence { tables: of(1), ..Default::default() },
        FreezeEvidence { stamps: of(1), ..Default::default() },
        FreezeEvidence { cards: 50, cards_changed: 1, ..Default::default() },
        FreezeEvidence { written: 1, ..Default::default() },
    ] {
        assert_eq!(evidence.changes().len(), 1, "{evidence:?}");
    }
}

#[test]
fn an_order_names_each_kind_once() {
    let order =
        |words: &[&str]| Switch::order(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>());
    assert_eq!(
        order(&["webhooks", "rules", "surveys"]),
        Some(vec![Switch::Webhooks, Switch::Rules, Switch::Surveys])
    );
    for words in [&["rules"][..], &["rules", "rules", "surveys"], &["rules", "surveys", "hooks"], &[]] {
        assert_eq!(order(words), None, "{words:?}");
    }
}
