//! Hours in which Gorgias may be kept busy.

use std::time::Duration;

use jiff::Timestamp;
use migration::local_time::SourceZone;
use migration::working_hours::{WorkingHours, ends_at};
use proptest::prelude::*;

fn at(text: &str) -> Timestamp {
    text.parse().expect("a moment")
}

#[test]
fn nights_only_stretch_the_work_over_days_and_mind_the_clock() {
    let zone = || SourceZone::new("Europe/Helsinki").expect("a zone");
    let nights = WorkingHours::parse("20:00-06:00", zone()).expect("hours");
    let check = |start: &str, hours: u64, expected: &str| {
        let end = ends_at(at(start), Duration::from_secs(hours * 3_600), Some(&nights)).expect("an end");
        assert_eq!(end.to_string(), expected, "{start} and {hours} h");
    };
    // Noon in Helsinki: work begins at 20:00, which is 18:00 UTC in winter.
    check("2026-11-28T10:00:00Z", 4, "2026-11-28T22:00:00Z");
    check("2026-11-28T10:00:00Z", 10, "2026-11-29T04:00:00Z");
    check("2026-11-28T10:00:00Z", 11, "2026-11-29T19:00:00Z");
    // In the middle of a night that began yesterday.
    check("2026-11-28T02:00:00Z", 3, "2026-11-28T19:00:00Z");
    // The night in which the clock goes forward is an hour shorter.
    check("2026-03-28T12:00:00Z", 10, "2026-03-29T18:00:00Z");
    let days = WorkingHours::parse("08:00-16:00", zone()).expect("hours");
    let end = ends_at(at("2026-11-28T20:00:00Z"), Duration::from_secs(3_600), Some(&days));
    assert_eq!(end, Some(at("2026-11-29T07:00:00Z")));
    assert_eq!(
        ends_at(at("2026-11-28T20:00:00Z"), Duration::from_secs(60), None),
        Some(at("2026-11-28T20:01:00Z"))
    );
    for wrong in ["", "20:00", "20:00-20:00", "24:00-06:00", "8-16", "20:00-06:60"] {
        assert!(WorkingHours::parse(wrong, zone()).is_err(), "{wrong}");
    }
}

#[test]
fn the_next_opening_and_what_was_open_are_told() {
    let nights = WorkingHours::parse(" 20:00-6:00", SourceZone::new("Europe/Helsinki").expect("a zone"));
    let nights = nights.expect("hours");
    assert_eq!(nights.to_string(), "20:00-06:00 Europe/Helsinki");
    let opens = |now: &str| nights.opens_at(at(now)).expect("an opening").to_string();
    assert_eq!(opens("2026-11-28T10:00:00Z"), "2026-11-28T18:00:00Z");
    assert_eq!(opens("2026-11-28T18:00:00Z"), "2026-11-28T18:00:00Z");
    assert_eq!(opens("2026-11-28T02:00:00Z"), "2026-11-28T02:00:00Z");
    // The end of the night is not in it any more.
    assert_eq!(opens("2026-11-28T04:00:00Z"), "2026-11-28T18:00:00Z");
    let open = |from: &str, until: &str| nights.open_between(at(from), at(until)).as_secs() / 60;
    assert_eq!(open("2026-11-28T10:00:00Z", "2026-11-28T17:00:00Z"), 0);
    assert_eq!(open("2026-11-28T10:00:00Z", "2026-11-28T18:30:00Z"), 30);
    assert_eq!(open("2026-11-28T10:00:00Z", "2026-11-30T10:00:00Z"), 20 * 60);
    // The clock goes forward in this one and back in that one.
    assert_eq!(open("2026-03-28T10:00:00Z", "2026-03-29T10:00:00Z"), 9 * 60);
    assert_eq!(open("2026-10-24T10:00:00Z", "2026-10-25T10:00:00Z"), 11 * 60);
    assert_eq!(open("2026-11-28T20:00:00Z", "2026-11-28T19:00:00Z"), 0);
}

#[test]
fn hours_that_a_night_does_not_have_are_those_of_the_next() {
    let hours = WorkingHours::parse("03:00-04:00", SourceZone::new("Europe/Helsinki").expect("a zone"));
    let hours = hours.expect("hours");
    // The clock goes from three to four.
    assert_eq!(hours.opens_at(at("2026-03-29T00:00:00Z")), Some(at("2026-03-30T00:00:00Z")));
    let (from, until) = (at("2026-03-28T12:00:00Z"), at("2026-03-30T12:00:00Z"));
    assert_eq!(hours.open_between(from, until), Duration::from_secs(3_600));
}

proptest! {
    /// Work that rests takes as long as the hours are open while it goes on, and begins when they open.
    #[test]
    fn work_ends_when_it_had_its_time(
        start in 1_700_000_000_i64..1_900_000_000,
        work in 1_u64..400_000,
        (from, until) in (0_u32..1_440, 0_u32..1_440).prop_filter("two times", |(from, until)| from != until),
        zone in prop::sample::select(vec!["Europe/Helsinki", "UTC", "America/New_York"]),
    ) {
        let text = format!("{:02}:{:02}-{:02}:{:02}", from / 60, from % 60, until / 60, until % 60);
        let hours = WorkingHours::parse(&text, SourceZone::new(zone).expect("a zone")).expect("hours");
        let start = Timestamp::from_second(start).expect("a moment");
        let work = Duration::from_secs(work);
        if let Some(end) = ends_at(start, work, Some(&hours)) {
            prop_assert_eq!(hours.open_between(start, end), work);
            prop_assert!(hours.opens_at(start).expect("an opening") < end);
        }
    }
}
