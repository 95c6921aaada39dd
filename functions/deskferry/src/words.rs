//! Numbers and times as people read them.
//!
//! Deliberately absent: other languages. Times of day are in the zone of this machine and say so.

use jiff::{Timestamp, tz::TimeZone};

/// `1234567` as `1,234,567`.
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Seconds as `0.4 s`, `12 s`, `3 min 20 s`, `1 h 05 min`.
pub(crate) fn duration(seconds: f64) -> String {
    if !seconds.is_finite() || seconds < 0.0 {
        return "unknown time".to_owned();
    }
    if seconds < 9.95 {
        return format!("{seconds:.1} s");
    }
    let whole = whole_seconds(seconds);
    match whole {
        0..60 => format!("{whole} s"),
        60..3600 => format!("{} min {:02} s", whole / 60, whole % 60),
        _ => format!("{} h {:02} min", count(whole / 3600), whole % 3600 / 60),
    }
}

/// Rounds to whole seconds; the greatest value stands for everything beyond it.
fn whole_seconds(seconds: f64) -> u64 {
    // A duration holds the seconds as an integer, so no cast is needed.
    std::time::Duration::try_from_secs_f64(seconds.round()).map_or(u64::MAX, |duration| duration.as_secs())
}

/// Units a second, with a digit behind the point where it says something.
pub(crate) fn rate(per_second: f64) -> String {
    if per_second < 10.0 { format!("{per_second:.1}/s") } else { format!("{per_second:.0}/s") }
}

/// `14:05`, or with the day when it is not the day of `now`.
pub(crate) fn clock(at: Timestamp, now: Timestamp, zone: &TimeZone) -> String {
    let (at, now) = (at.to_zoned(zone.clone()), now.to_zoned(zone.clone()));
    let format = if at.date() == now.date() { "%H:%M" } else { "%a %Y-%m-%d %H:%M" };
    at.strftime(format).to_string()
}

/// Day, time and zone.
pub(crate) fn moment(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M:%S %Z").to_string()
}

/// `1 record`, `2 records`.
pub(crate) fn plural(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", count(number), if number == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_grouped() {
        let cases = [(0, "0"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567")];
        for (number, text) in cases {
            assert_eq!(count(number), text);
        }
    }

    #[test]
    fn durations_have_two_units_at_most() {
        let cases = [
            (0.04, "0.0 s"),
            (9.94, "9.9 s"),
            (9.96, "10 s"),
            (59.6, "1 min 00 s"),
            (200.0, "3 min 20 s"),
            (3_900.0, "1 h 05 min"),
            (172_800.0, "48 h 00 min"),
            (f64::NAN, "unknown time"),
        ];
        for (seconds, text) in cases {
            assert_eq!(duration(seconds), text);
        }
    }

    #[test]
    fn the_day_is_named_when_it_is_another_one() {
        let zone = TimeZone::get("Europe/Helsinki").unwrap();
        let now: Timestamp = "2026-11-22T21:00:00Z".parse().unwrap();
        assert_eq!(clock("2026-11-22T21:30:00Z".parse().unwrap(), now, &zone), "23:30");
        assert_eq!(clock("2026-11-22T22:30:00Z".parse().unwrap(), now, &zone), "Mon 2026-11-23 00:30");
    }
}
