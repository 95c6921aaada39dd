//! Phone numbers of generated people, and the raw forms in which operators upload them.
//!
//! Deliberately absent: validation. LeadDesk keeps what was uploaded (facts: normalising on upload is optional), so
//! raw texts here are well-formed or broken on purpose; only the number that a call shows is put into one form.

/// Subscriber numbers of one prefix.
const SUBSCRIBERS: u64 = 10_000_000;

/// Finnish mobile prefixes, as dialled without the leading zero.
const FINNISH_PREFIXES: [&str; 4] = ["50", "40", "44", "45"];

/// Raw texts that no parser takes for a number of any region.
pub(crate) const INVALID: [&str; 5] = ["12", "ei puhelinta", "050 12", "+3581", "0000000"];

/// Country code and national number of the `index`-th line of a language; no two lines of a language are equal.
pub(crate) fn line(language: &str, seed: u64, index: u64) -> (&'static str, String) {
    // An odd step that is not divisible by five visits every subscriber number once per round.
    let subscriber = (index % SUBSCRIBERS * 7_654_321 + seed % SUBSCRIBERS) % SUBSCRIBERS;
    let round = index / SUBSCRIBERS;
    let block = |blocks: &[&'static str; 4]| {
        blocks[usize::try_from((index + round) % 4).expect("a remainder of four is small")]
    };
    match language {
        "sv" => ("46", format!("{}{subscriber:07}", block(&["70", "72", "73", "76"]))),
        "de" => ("49", format!("{}{subscriber:07}", block(&["170", "171", "175", "177"]))),
        "en" => ("44", format!("74{}{subscriber:07}", round % 7)),
        "et" => ("372", format!("5{subscriber:07}")),
        _ => ("358", format!("{}{subscriber:07}", block(&FINNISH_PREFIXES))),
    }
}

/// The number of somebody whom no list knows; never the line of a generated person.
pub(crate) fn stranger(seed: u64, index: u64) -> String {
    let subscriber = (index % SUBSCRIBERS * 7_654_321 + seed % SUBSCRIBERS) % SUBSCRIBERS;
    format!("+35846{subscriber:07}")
}

/// One of the ways in which people write the number. Only Finnish ones are ever written without country code, because
/// that is the account's default region.
pub(crate) fn raw(country: &str, national: &str, style: u32) -> String {
    let (head, tail) = national.split_at(2.min(national.len()));
    let (middle, end) = tail.split_at(3.min(tail.len()));
    match (country, style % 10) {
        ("358", 5) => format!("0{national}"),
        ("358", 6) => format!("0{head} {middle} {end}"),
        ("358", 7) => format!("0{head}-{tail}"),
        ("358", 8) => format!("(0{head}) {middle} {end}"),
        (_, 9) => format!("00{country}{national}"),
        (_, 3 | 6) => format!("+{country} {head} {middle} {end}"),
        (_, 4) => format!("+{country} {head} {tail}"),
        _ => format!("+{country}{national}"),
    }
}

/// What a call record shows for a dialled raw number: `+` and digits where that can be told, else the raw text.
pub(crate) fn dialled(raw: &str) -> String {
    let digits: String = raw.chars().filter(char::is_ascii_digit).collect();
    if digits.len() < 7 {
        return raw.to_owned();
    }
    match (raw.trim_start().starts_with('+'), digits.strip_prefix("00"), digits.strip_prefix('0')) {
        (true, _, _) => format!("+{digits}"),
        (false, Some(international), _) => format!("+{international}"),
        (false, None, Some(national)) => format!("+358{national}"),
        (false, None, None) => raw.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn lines_differ_and_every_style_dials_the_same_number() {
        for language in ["fi", "sv", "en", "de", "et"] {
            let mut seen = BTreeSet::new();
            for index in 0..20_000 {
                let (country, national) = line(language, 42, index);
                assert!(seen.insert(national.clone()), "{language} {index}");
                let expected = format!("+{country}{national}");
                for style in 0..10 {
                    assert_eq!(dialled(&raw(country, &national, style)), expected, "style {style}");
                }
            }
        }
    }

    #[test]
    fn broken_numbers_stay_as_they_are() {
        for text in ["12", "ei puhelinta", "050 12", "+3581"] {
            assert_eq!(dialled(text), text);
        }
    }
}
