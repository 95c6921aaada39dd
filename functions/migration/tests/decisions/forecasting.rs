//! Requests, hours and order of a forecast.

use expect_test::expect;
use jiff::{SignedDuration, Timestamp};
use migration::forecast::{Range, Work, margin, requests, requests_until_start};
use migration::load_order::{TicketAge, needed_to_start, sort};
use migration::load_plan::Counts;

fn at(text: &str) -> Timestamp {
    text.parse().expect("a moment")
}

/// The demonstration's account, whose run was counted request by request.
fn demo() -> Work {
    let counts = Counts {
        users: 24,
        teams_before: 1,
        teams_created: 8,
        tags_before: 3,
        tags_created: 6,
        ticket_fields_before: 6,
        customer_fields_before: 1,
        fields_written: 26,
        rules_before: 2,
        integrations_before: 2,
        switched: 4,
        customers_before: 8,
        customers_created: 1_299,
        customers_adopted: 6,
        customers_with_values: 994,
        tickets_before: 2,
        tickets_created: 1_739,
        messages_before: 4,
        messages_created: 6_459,
        messages_appended: 0,
        files_uploaded: 0,
    };
    Work { counts, chat_tickets: 120, chat_messages: 960, switch_kinds: 3 }
}

#[test]
fn the_kinds_are_what_a_run_was_seen_to_send() {
    let mut by_step = std::collections::BTreeMap::new();
    for kind in requests(&demo()) {
        *by_step.entry(kind.step).or_insert(0) += kind.requests;
    }
    // Counted in the records of that run: load 2,312 + 1,633 + 123, reconcile 1,323 + 73 + 83.
    expect![[r#"{"finish": 7, "load": 4068, "plan": 6, "prepare": 55, "reconcile": 1479}"#]]
        .assert_eq(&format!("{by_step:?}"));
}

#[test]
fn agents_wait_for_customers_and_the_first_tickets_alone() {
    let work = demo();
    let all: u64 = requests(&work).iter().map(|kind| kind.requests).sum();
    let (none, some) = (requests_until_start(&work, 0), requests_until_start(&work, 500));
    assert_eq!((some - none, none), (500, 55 + 6 + 1_305 + 994 + 1_323));
    assert!(some < all);
}

#[test]
fn nothing_switched_off_takes_nothing_to_switch_on() {
    let mut work = demo();
    (work.counts.switched, work.switch_kinds) = (0, 0);
    assert!(requests(&work).iter().filter(|kind| kind.step == "finish").all(|kind| kind.requests == 0));
}

#[test]
fn a_sample_leaves_room_for_chance_and_a_whole_account_none() {
    assert_eq!(margin(500, 1_000, 0), 0);
    assert_eq!(margin(500, 1_000, 10_000), 310);
    // None of a hundred were seen: not quite four in a hundred may be.
    assert_eq!(margin(0, 100, 10_000), 370);
    assert_eq!(margin(100, 100, 10_000), 370);
    assert!(margin(1, 200, 100) > margin(1, 2_000, 100));
    assert_eq!(margin(0, 0, 7), 7);
    assert_eq!(Range::around(5, 9), Range { low: 0, likely: 5, high: 14 });
}

#[test]
fn open_tickets_come_first_and_then_the_newest() {
    let ticket = |key: &str, is_open, last: &str| TicketAge { key: key.into(), is_open, last_at: at(last) };
    let mut tickets = vec![
        ticket("a", false, "2026-01-01T00:00:00Z"),
        ticket("b", false, "2026-06-20T00:00:00Z"),
        ticket("c", true, "2025-01-01T00:00:00Z"),
        ticket("e", true, "2026-05-01T00:00:00Z"),
        ticket("d", true, "2026-05-01T00:00:00Z"),
        ticket("f", false, "2026-06-01T00:00:00Z"),
    ];
    sort(&mut tickets);
    let keys: Vec<&str> = tickets.iter().map(|ticket| ticket.key.as_str()).collect();
    assert_eq!(keys, ["d", "e", "c", "b", "f", "a"]);
    let first = |days: i64| needed_to_start(&tickets, SignedDuration::from_hours(24 * days));
    assert_eq!((first(0), first(10), first(30), first(365)), (4, 4, 5, 6));
    assert_eq!(needed_to_start(&[], SignedDuration::ZERO), 0);
}
