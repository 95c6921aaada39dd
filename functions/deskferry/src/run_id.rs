//! Names of runs: the day and a short suffix, such as `2026-11-22-a1`, chosen by looking at the runs that exist.
//!
//! Names sort as text in the order in which they were given, so "newest" needs no clock and no file dates.

use jiff::civil::Date;
use snapshot::RunId;

/// Suffixes of one letter and one digit: `a1` to `a9`, then `b1`, up to `z9`.
const SHORT_SUFFIXES: usize = 26 * 9;

/// The first name of `day` that sorts behind all `existing` ones.
///
/// A clock that was set back gives a new name of the latest day there is, so that order is kept.
pub(crate) fn next(existing: &[RunId], day: Date) -> Result<RunId, snapshot::SnapshotError> {
    let newest = existing.iter().max();
    let newest_day = newest.and_then(|run| run.as_str().get(..10)).and_then(|text| text.parse::<Date>().ok());
    let day = newest_day.map_or(day, |newest| newest.max(day));
    let mut number = 0;
    loop {
        let candidate = RunId::new(day, &suffix(number))?;
        if newest.is_none_or(|newest| candidate > *newest) {
            return Ok(candidate);
        }
        number += 1;
    }
}

/// After `z9` comes `za1`, which sorts behind it, since letters sort behind digits.
fn suffix(number: usize) -> String {
    let letter = char::from(b'a'.saturating_add(u8::try_from(number % SHORT_SUFFIXES / 9).unwrap_or(0)));
    format!("{}{letter}{}", "z".repeat(number / SHORT_SUFFIXES), number % 9 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    fn check(existing: &[&str], expected: &str) {
        let existing: Vec<RunId> = existing.iter().map(|text| text.parse().unwrap()).collect();
        assert_eq!(next(&existing, date(2026, 11, 22)).unwrap().as_str(), expected, "{existing:?}");
    }

    #[test]
    fn the_next_name_sorts_behind_all_others() {
        check(&[], "2026-11-22-a1");
        check(&["2026-11-21-c4"], "2026-11-22-a1");
        check(&["2026-11-22-a1"], "2026-11-22-a2");
        check(&["2026-11-22-a9", "2026-11-22-a2"], "2026-11-22-b1");
        check(&["2026-11-22-z9"], "2026-11-22-za1");
        check(&["2026-11-22-custom"], "2026-11-22-d1");
        check(&["2026-11-25-a3"], "2026-11-25-a4");
    }

    #[test]
    fn a_thousand_runs_of_one_day_stay_in_order() {
        let mut existing: Vec<RunId> = Vec::new();
        for _ in 0..1_000 {
            let run = next(&existing[existing.len().saturating_sub(1)..], date(2026, 11, 22)).unwrap();
            assert!(existing.last().is_none_or(|last| *last < run), "{run}");
            existing.push(run);
        }
    }
}
