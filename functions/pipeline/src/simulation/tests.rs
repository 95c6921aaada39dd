//! The simulation itself: what it must find, and what it must not.

use super::{Bug, Importer, Migrated, Sum, Template};

/// Histories of a bug that is looked for; each must show within them.
const SEEDS: u64 = 60;

#[test]
fn an_undisturbed_load_needs_no_look_up_but_those_that_measure() {
    let sum = Template::new(40).undisturbed();
    assert_eq!((sum.wrong, sum.look_ups, sum.probes), (0, 0, 3), "{sum:?}");
}

#[test]
fn a_kill_at_any_point_changes_nothing() {
    let template = Template::new(12);
    let points = template.kill_points();
    assert!(points > 30, "{points}");
    let mut sum = Sum::default();
    (1..=points).for_each(|point| sum.add(&template.killed_at(point)));
    assert_eq!((sum.wrong, sum.kills), (0, points), "{sum:?}");
}

#[test]
fn storms_change_nothing_and_every_kind_of_fault_strikes() {
    let template = Template::new(30);
    let mut sum = Sum::default();
    (0..SEEDS).for_each(|seed| sum.add(&template.stormy(seed, None)));
    assert_eq!(sum.wrong, 0, "{sum:?}");
    assert!(sum.kills > 0 && sum.pauses > 0 && sum.fenced > 0, "{sum:?}");
    assert_eq!(sum.faults.len(), 8, "{:?}", sum.faults);
}

#[test]
fn every_bug_is_noticed() {
    let template = Template::new(30);
    for bug in Bug::ALL {
        let caught = (0..1_000).find(|seed| template.shows(*seed, bug));
        assert!(caught.is_some(), "{bug:?} is not noticed");
    }
}

#[test]
fn importers_without_the_protocol_write_twice() {
    let template = Template::new(30);
    for importer in Importer::ALL {
        let mut sum = Sum::default();
        (0..SEEDS).for_each(|seed| sum.add(&template.naive(seed, importer)));
        assert!(sum.duplicates > 0, "{importer:?}");
    }
}

#[test]
fn a_rollback_that_is_killed_at_any_point_ends_as_one_that_is_not() {
    let migrated = Migrated::new(4);
    let points = migrated.kill_points();
    let mut sum = Sum::default();
    (1..=points).for_each(|point| sum.add(&migrated.killed_at(point)));
    assert_eq!((sum.wrong, sum.kills), (0, points), "{sum:?}");
}

#[test]
fn nothing_that_people_do_is_lost() {
    let migrated = Migrated::new(8);
    let mut sum = Sum::default();
    (0..4 * SEEDS).for_each(|seed| sum.add(&migrated.history(seed)));
    assert_eq!(sum.wrong, 0, "{sum:?}");
    assert!(sum.edits > SEEDS && sum.kills > 0, "{sum:?}");
}

#[test]
fn a_repair_that_is_killed_at_any_point_ends_as_one_that_is_not() {
    let migrated = Migrated::new(9);
    let points = migrated.repair_points();
    let mut sum = Sum::default();
    (1..=points).for_each(|point| sum.add(&migrated.mended_at(point)));
    assert_eq!((sum.wrong, sum.kills), (0, points), "{sum:?}");
}

#[test]
fn damage_is_mended_and_nothing_that_people_do_is_overwritten() {
    let migrated = Migrated::new(8);
    let mut sum = Sum::default();
    (0..2 * SEEDS).for_each(|seed| sum.add(&migrated.repair_history(seed)));
    assert_eq!(sum.wrong, 0, "{sum:?}");
    assert!(sum.edits > SEEDS && sum.kills > 0, "{sum:?}");
}

#[test]
fn what_both_sides_do_between_deltas_is_neither_lost_nor_doubled() {
    let ongoing = super::Ongoing::new(6);
    let mut sum = Sum::default();
    for seed in 0..25 {
        let history = ongoing.history(seed);
        assert_eq!(history.wrong, 0, "seed {seed}: {history:?}");
        sum.add(&history);
    }
    assert!(sum.edits > 0 && sum.kills > 0, "{sum:?}");
}

#[test]
fn every_bug_of_a_delta_is_noticed() {
    let ongoing = super::Ongoing::new(6);
    // That one takes more seeds than a test may: `prove delta`.
    for bug in Bug::OF_DELTA.into_iter().filter(|bug| *bug != Bug::DecisionsForgotten) {
        let caught = (0..2 * SEEDS).find(|seed| ongoing.shows(*seed, bug));
        assert!(caught.is_some(), "{bug:?} is not noticed");
    }
}

/// A process dies when what is to be written is decided and not all of it is written, and a person acts before the next
/// start. That decisions which are not kept go wrong is shown by `prove delta`.
#[test]
fn what_a_delta_decided_stays_although_people_act_before_it_goes_on() {
    let ongoing = super::Ongoing::new(6);
    let history = ongoing.history(97);
    assert!(history.wrong == 0 && history.kills > 0, "{history:?}");
    assert!(history.faults.contains_key("person_while_dead"), "{history:?}");
}

#[test]
fn a_cut_over_that_is_killed_at_any_point_ends_as_one_that_is_not() {
    let ongoing = super::Ongoing::new(6);
    let points = ongoing.cutover_points();
    assert!(points > 300, "{points}");
    let mut sum = Sum::default();
    // A stride that shares no factor with the pairs of points meets every step; all points: `prove cutover`.
    (1..=points).step_by(13).for_each(|point| sum.add(&ongoing.cutover_killed_at(point)));
    assert_eq!(sum.wrong, 0, "{sum:?}");
}
