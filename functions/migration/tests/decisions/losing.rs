//! Losses against the budget that a person approved.

use migration::loss::{LossBudget, LossKey, Losses, Sampled, Way, is_seen_on_cards, of_failure, of_note};

fn losses(kinds: &[(&str, &str, Way, u64)]) -> Losses {
    let mut losses = Losses::default();
    for (object, code, way, count) in kinds {
        losses.add(LossKey::new(*object, *code), *way, *count, Some(format!("{object} 1")));
    }
    losses
}

/// One of each way.
const EACH: [(&str, &str, Way, u64); 6] = [
    ("contact", "EXT311", Way::Dropped, 3),
    ("call", "CAL110", Way::Rounded, 2),
    ("contact", "LOS203", Way::Merged, 60),
    ("contact", "CUS103", Way::AsText, 7),
    ("lead", "TIC102", Way::OverLimit, 1),
    ("lead_app", "LOS202", Way::Documented, 4),
];

#[test]
fn as_much_as_was_approved_is_within_and_one_more_of_any_kind_is_over() {
    let found = losses(&EACH);
    let budget = LossBudget::exact(&found);
    assert_eq!(budget.exceeded(&found), []);
    for (object, code, way, _) in EACH {
        let mut more = found.clone();
        more.add(LossKey::new(object, code), way, 1, None);
        let over = budget.exceeded(&more);
        assert_eq!(over.len(), 1, "{object}/{code}");
        assert_eq!((over[0].key.to_string(), over[0].lost - over[0].bound), (format!("{object}/{code}"), 1));
        assert_eq!(budget.raised(&more).exceeded(&more), [], "accepted by name");
        assert_ne!(budget.raised(&more).digest(), budget.digest());
    }
    let mut less = found.clone();
    less.kinds.pop_first();
    assert_eq!(budget.exceeded(&less), []);
}

#[test]
fn a_kind_that_nobody_approved_is_over_with_its_first_record() {
    let budget = LossBudget::exact(&losses(&EACH[..5]));
    let over = budget.exceeded(&losses(&EACH));
    assert_eq!(
        over.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["lead_app/LOS202 documented: 4 instead of at most 0"]
    );
}

#[test]
fn what_cards_show_has_room_for_chance_and_what_is_counted_has_none() {
    let found = losses(&EACH);
    let sampled = Sampled { read: 1_000, of: 10_000 };
    let budget = LossBudget::estimated(&found, sampled);
    let bound =
        |object: &str, code: &str| budget.kinds.get(&LossKey::new(object, code)).map(|kind| kind.bound);
    assert_eq!(bound("call", "CAL110"), Some(2));
    assert_eq!(bound("lead_app", "LOS202"), Some(4));
    assert!(
        bound("contact", "LOS203").is_some_and(|bound| bound > 60 + 50),
        "{:?}",
        bound("contact", "LOS203")
    );
    // None in the sample: up to four in a thousand of the nine thousand others, twice.
    assert_eq!(bound("contact", "CUS106"), Some(70));
    assert_eq!(budget.exceeded(&found), []);
    let whole = LossBudget::estimated(&found, Sampled { read: 10_000, of: 10_000 });
    assert_eq!(whole, LossBudget::exact(&found));
}

#[test]
fn the_digest_is_over_kinds_and_bounds_and_not_over_examples() {
    let (left, mut right) = (LossBudget::exact(&losses(&EACH)), LossBudget::exact(&losses(&EACH)));
    right.kinds.values_mut().for_each(|kind| kind.examples.clear());
    assert_eq!(left.digest(), right.digest());
    right.kinds.values_mut().next().expect("a kind").bound += 1;
    assert_ne!(left.digest(), right.digest());
}

#[test]
fn every_code_says_what_happens_to_the_value() {
    assert_eq!(of_note("CUS103"), Some(("contact", Way::AsText)));
    assert_eq!(of_note("TIC103"), None, "messages that come after their ticket all arrive");
    assert_eq!(of_failure("value_rejected", "FLD106"), Way::AsText);
    assert_eq!(of_failure("value_rejected", "ROW101"), Way::Dropped);
    assert_eq!(of_failure("excluded", "FLD102"), Way::OverLimit);
    assert_eq!(of_failure("excluded", "USR107"), Way::Documented);
    assert_eq!(of_failure("rejected", "EXT311"), Way::Dropped);
    assert!(is_seen_on_cards(&LossKey::new("call", "T-PARENT")));
    assert!(!is_seen_on_cards(&LossKey::new("call", "CAL110")));
}
