//! Batches, the floor of requests, and the time bound.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::time::Duration;

use expect_test::expect;
use migration::load_plan::{
    Counts, Wave, appended, bound, bound_seconds, efficiency, pages, plan_batches, plan_waves, requests_floor,
};
use migration::pacer::Bucket;
use proptest::prelude::*;

use crate::support::seeded;

fn size(size: usize) -> NonZeroUsize {
    NonZeroUsize::new(size).unwrap()
}

#[test]
fn batches_are_half_open_and_numbered() {
    let shown = |keys, batch| {
        let batches = plan_batches(Wave::Tickets, keys, size(batch));
        batches.iter().map(|batch| format!("{batch} {:?}", batch.keys)).collect::<Vec<_>>().join(", ")
    };
    expect!["tickets/000000 0..10, tickets/000001 10..20, tickets/000002 20..25"].assert_eq(&shown(25, 10));
    expect!["tickets/000000 0..10"].assert_eq(&shown(10, 10));
    expect![""].assert_eq(&shown(0, 10));
    let waves = BTreeMap::from([(Wave::Chats, 1), (Wave::Customers, 2), (Wave::Tickets, 0)]);
    let names: Vec<String> = plan_waves(&waves, size(1)).iter().map(ToString::to_string).collect();
    assert_eq!(names, ["customers/000000", "customers/000001", "chats/000000"]);
}

#[test]
fn pages_and_rests() {
    for (records, expected) in [(0, 1), (1, 1), (100, 1), (101, 2)] {
        assert_eq!(pages(records), expected, "{records}");
    }
    for (messages, expected) in [(0, 0), (500, 0), (501, 1)] {
        assert_eq!(appended(messages), expected, "{messages}");
    }
}

#[test]
fn the_floor() {
    let empty = requests_floor(&Counts::default());
    expect!["Forecast { baseline: 12, schema: 0, customers: 0, tickets: 0, read_back: 6 }"]
        .assert_eq(&format!("{empty:?}"));
    // A contact with fields, a lead and three calls, ten thousand times.
    let counts = Counts {
        customers_created: 10_000,
        customers_with_values: 10_000,
        tickets_created: 10_000,
        messages_created: 40_000,
        ..Counts::default()
    };
    let forecast = requests_floor(&counts);
    expect!["Forecast { baseline: 12, schema: 0, customers: 20000, tickets: 10000, read_back: 10604 }"]
        .assert_eq(&format!("{forecast:?}"));
    let few_long =
        Counts { tickets_created: 3, messages_created: 1_800, messages_appended: 300, ..Counts::default() };
    assert_eq!(
        requests_floor(&few_long).read_back,
        6 + 3,
        "three tickets are fewer requests than eighteen pages"
    );
    let switched =
        Counts { switched: 4, tags_created: 2, teams_created: 3, fields_written: 5, ..Counts::default() };
    assert_eq!(requests_floor(&switched).schema, 18);
    let recorded = Counts { tickets_created: 2, messages_created: 9, files_uploaded: 7, ..Counts::default() };
    assert_eq!(requests_floor(&recorded).tickets, 9, "each file is a request of its own");
    let adopted = Counts { customers_adopted: 5, customers_with_values: 2, ..Counts::default() };
    assert_eq!(requests_floor(&adopted).customers, 12);
    assert_eq!(requests_floor(&adopted).total(), 12 + 12 + 6 + 5);
}

#[test]
fn the_bound() {
    let bucket = Bucket::parse("40/20", 0.0).unwrap();
    assert_eq!(bound(40, &bucket), Duration::ZERO);
    assert_eq!(bound(240, &bucket), Duration::from_secs(100));
    // Fifty thousand contacts with values and leads: the hours of the facts.
    let hours = bound_seconds(150_000, &bucket) / 3_600.0;
    assert!((20.8..20.9).contains(&hours), "{hours}");
    let reserved = Bucket { reserve: 0.5, ..bucket };
    assert_eq!(bound(240, &reserved), Duration::from_secs(220));
    assert!((efficiency(Duration::from_secs(97), Duration::from_secs(100)) - 0.97).abs() < 1e-9);
    assert!((efficiency(Duration::from_secs(100), Duration::from_secs(97)) - 1.0).abs() < 1e-9);
    assert!((efficiency(Duration::ZERO, Duration::ZERO) - 1.0).abs() < 1e-9);
}

proptest! {
    #![proptest_config(seeded(300))]

    #[test]
    fn batches_cover_every_key_once(keys in 0_usize..5_000, batch in 1_usize..300) {
        let batches = plan_batches(Wave::Customers, keys, size(batch));
        let mut next = 0;
        for (number, batch_planned) in (0_u32..).zip(&batches) {
            prop_assert_eq!(batch_planned.number, number);
            prop_assert_eq!(batch_planned.keys.start, next);
            prop_assert!((1..=batch).contains(&batch_planned.keys.len()));
            next = batch_planned.keys.end;
        }
        prop_assert_eq!(next, keys);
    }

    #[test]
    fn more_work_is_never_cheaper(
        customers in 0_u64..5_000, tickets in 0_u64..5_000, extra_messages in 0_u64..5_000, more in 1_u64..500,
    ) {
        let counts = Counts {
            customers_created: customers,
            tickets_created: tickets,
            messages_created: if tickets == 0 { 0 } else { tickets + extra_messages },
            ..Counts::default()
        };
        let total = requests_floor(&counts).total();
        let bigger = [
            Counts { customers_created: customers + more, ..counts },
            Counts { tickets_created: tickets + more, messages_created: counts.messages_created + more, ..counts },
            Counts { messages_created: counts.messages_created + more, ..counts },
        ];
        for counts in bigger {
            prop_assert!(requests_floor(&counts).total() >= total);
        }
    }
}
