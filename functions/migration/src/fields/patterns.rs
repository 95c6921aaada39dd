//! Forms that single values have: what a label may not say, or says wrongly.
//!
//! A value may have several forms. National ids and bank accounts are told by their check digits, so that a customer
//! number is not taken for one. Deliberately absent: the countries' numbering plans; a form is enough to tell a column.

use jiff::civil::Date;

use super::{convert, words};
use crate::contact_point::normalize_email;
use crate::settings::choice;

choice! {
    /// A form of values.
    Pattern {
        /// Stands for "nothing", such as `n/a` or `-`.
        Void = "void",
        /// One email address.
        Email = "email",
        /// A number with its country code.
        PhoneInternational = "phone-international",
        /// A number with a trunk prefix.
        PhoneTrunk = "phone-trunk",
        /// Digits that may be a number at home.
        PhoneBare = "phone-bare",
        /// A web address.
        Url = "url",
        /// A postal code that is nothing else.
        PostcodeSure = "postcode-sure",
        /// Four or five digits.
        PostcodeMaybe = "postcode-maybe",
        /// A national id with its check.
        NationalId = "national-id",
        /// A bank account with its check.
        Iban = "iban",
        /// A nested value.
        Nested = "nested",
        /// A hash or a universally unique id.
        Opaque = "opaque",
        /// Letters and marks of names alone, one to four words.
        NameLike = "name-like",
        /// Eight words and more, or several lines.
        Prose = "prose",
    }
}

/// What people write where they have nothing to say.
const VOID: &[&str] = &[
    "-",
    "--",
    "?",
    "??",
    ".",
    "n/a",
    "na",
    "none",
    "null",
    "unknown",
    "tuntematon",
    "ei tiedossa",
    "okänd",
    "ukjent",
    "ukendt",
    "teadmata",
    "unbekannt",
    "onbekend",
    "desconocido",
    "tbd",
    "xxx",
    "ingen",
    "nvt",
];

/// All forms of a cleaned value.
pub(super) fn of(value: &str) -> Vec<Pattern> {
    let lower = value.to_lowercase();
    if VOID.contains(&lower.as_str()) {
        return vec![Pattern::Void];
    }
    let compact: String = value.chars().filter(|character| !character.is_whitespace()).collect();
    let checks = [
        (Pattern::Email, normalize_email(value).is_some()),
        (Pattern::Url, is_url(&lower)),
        (Pattern::Iban, words::is_iban(&compact)),
        (Pattern::NationalId, is_national_id(&compact)),
        (Pattern::Nested, is_nested(value)),
        (Pattern::Opaque, is_opaque(value)),
        (Pattern::NameLike, is_name(value)),
        (Pattern::Prose, value.contains('\n') || value.split_whitespace().count() >= 8),
    ];
    let mut found: Vec<Pattern> =
        checks.into_iter().filter(|(_, is_so)| *is_so).map(|(pattern, _)| pattern).collect();
    found.extend(phone(value));
    found.extend(postcode(value));
    found
}

/// Whether a value is a national id or a bank account by its check digits.
pub(super) fn is_sensitive(value: &str) -> bool {
    let compact: String = value.chars().filter(|character| !character.is_whitespace()).collect();
    words::is_iban(&compact) || is_national_id(&compact)
}

fn is_url(lower: &str) -> bool {
    if lower.contains(char::is_whitespace) || lower.contains('@') {
        return false;
    }
    if lower.starts_with("http://") || lower.starts_with("https://") || lower.starts_with("www.") {
        return lower.len() > 8;
    }
    let host = lower.split('/').next().unwrap_or("");
    let Some((name, top)) = host.rsplit_once('.') else { return false };
    (2..=6).contains(&top.len())
        && top.bytes().all(|byte| byte.is_ascii_lowercase())
        && name.len() >= 3
        && name.chars().all(|character| character.is_alphanumeric() || matches!(character, '-' | '.'))
        && name.chars().any(char::is_alphabetic)
}

fn is_nested(value: &str) -> bool {
    (value.starts_with('{') && value.ends_with('}') && value.contains(':'))
        || (value.starts_with('[') && value.ends_with(']'))
}

fn is_opaque(value: &str) -> bool {
    let hex = value.bytes().filter(u8::is_ascii_hexdigit).count();
    let dashes = value.bytes().filter(|byte| *byte == b'-').count();
    let has_both = value.bytes().any(|byte| byte.is_ascii_digit())
        && value.bytes().any(|byte| byte.is_ascii_alphabetic());
    hex >= 16 && hex + dashes == value.len() && has_both && (dashes == 0 || dashes == 4)
}

fn is_name(value: &str) -> bool {
    let parts = value.split_whitespace().count();
    (1..=4).contains(&parts)
        && value.chars().all(|character| {
            character.is_alphabetic() || matches!(character, ' ' | '-' | '\'' | '’' | '.' | ',')
        })
        && value.split_whitespace().all(|part| part.chars().next().is_some_and(char::is_uppercase))
}

/// Digits with the marks of a written number. The country code tells it for sure, a trunk zero nearly so.
fn phone(value: &str) -> Option<Pattern> {
    let text = value.strip_prefix("tel:").unwrap_or(value);
    let is_mark = |character: char| matches!(character, ' ' | '\u{a0}' | '-' | '–' | '(' | ')' | '/' | '.');
    let signed = text.strip_prefix('+').unwrap_or(text);
    if !signed.chars().all(|character| character.is_ascii_digit() || is_mark(character)) {
        return None;
    }
    let digits: String = signed.chars().filter(char::is_ascii_digit).collect();
    if convert::iso_date(value).is_some() {
        return None;
    }
    let length = digits.len();
    let is_international =
        text.len() != signed.len() || (digits.starts_with("00") && !digits.starts_with("000"));
    if is_international {
        return (8..=17).contains(&length).then_some(Pattern::PhoneInternational);
    }
    if digits.starts_with('0') && !digits.starts_with("00") && (8..=12).contains(&length) {
        return Some(Pattern::PhoneTrunk);
    }
    ((7..=10).contains(&length) && !digits.starts_with('0')).then_some(Pattern::PhoneBare)
}

fn postcode(value: &str) -> Option<Pattern> {
    if !value.is_ascii() {
        return None;
    }
    let upper = value.trim().to_uppercase();
    let rest = upper
        .split_once('-')
        .filter(|(country, _)| {
            (1..=3).contains(&country.len()) && country.bytes().all(|byte| byte.is_ascii_uppercase())
        })
        .map(|(_, rest)| rest);
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if let Some(rest) = rest {
        let compact = rest.replace(' ', "");
        return ((4..=5).contains(&compact.len()) && digits(&compact)).then_some(Pattern::PostcodeSure);
    }
    let parts: Vec<&str> = upper.split(' ').collect();
    match parts.as_slice() {
        [three, two] if three.len() == 3 && two.len() == 2 && digits(three) && digits(two) => {
            Some(Pattern::PostcodeSure)
        }
        [four, letters] if four.len() == 4 && digits(four) && is_letters(letters, 2) => {
            Some(Pattern::PostcodeSure)
        }
        [outward, inward] if is_british(outward, inward) => Some(Pattern::PostcodeSure),
        [one] if one.len() == 6 && digits(&one[..4.min(one.len())]) && is_letters(&one[4..], 2) => {
            Some(Pattern::PostcodeSure)
        }
        [one] if (4..=5).contains(&one.len()) && digits(one) => Some(Pattern::PostcodeMaybe),
        _ => None,
    }
}

fn is_letters(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|byte| byte.is_ascii_uppercase())
}

fn is_british(outward: &str, inward: &str) -> bool {
    let inward = inward.as_bytes();
    (2..=4).contains(&outward.len())
        && outward.bytes().all(|byte| byte.is_ascii_alphanumeric())
        && outward.as_bytes()[0].is_ascii_uppercase()
        && outward.bytes().any(|byte| byte.is_ascii_digit())
        && inward.len() == 3
        && inward[0].is_ascii_digit()
        && inward[1..].iter().all(u8::is_ascii_uppercase)
}

/// Finland, Sweden, Norway, Denmark, Estonia, Spain, Britain. Ids whose check any number may pass are told by label.
fn is_national_id(compact: &str) -> bool {
    words::is_finnish_id(compact)
        || is_swedish_or_danish(compact)
        || is_norwegian(compact)
        || is_estonian(compact)
        || is_spanish(compact)
        || is_british_insurance(compact)
}

fn numbers(text: &str) -> Option<Vec<u32>> {
    text.chars().map(|character| character.to_digit(10)).collect()
}

fn is_day(day: u32, month: u32) -> bool {
    let (Ok(month), Ok(day)) = (i8::try_from(month), i8::try_from(day)) else { return false };
    // A leap year, so that the last of February counts whatever the century.
    Date::new(2024, month, day).is_ok()
}

fn two(digits: &[u32], at: usize) -> u32 {
    digits.get(at).copied().unwrap_or(0) * 10 + digits.get(at + 1).copied().unwrap_or(0)
}

/// `YYMMDD-NNNC` and `YYYYMMDD-NNNC` with Luhn's check; `DDMMYY-NNNN` has none, so the dash and the day must do.
fn is_swedish_or_danish(compact: &str) -> bool {
    let Some((birth, tail)) = compact.split_once(['-', '+']) else { return false };
    let (Some(birth), Some(tail)) = (numbers(birth), numbers(tail)) else { return false };
    if tail.len() != 4 || !matches!(birth.len(), 6 | 8) {
        return false;
    }
    let short = &birth[birth.len() - 6..];
    let luhn: u32 = short
        .iter()
        .chain(&tail)
        .enumerate()
        .map(|(at, digit)| if at % 2 == 0 { digit * 2 / 10 + digit * 2 % 10 } else { *digit })
        .sum();
    let is_swedish = is_day(two(short, 4), two(short, 2)) && luhn.is_multiple_of(10);
    let is_danish = birth.len() == 6 && is_day(two(&birth, 0), two(&birth, 2));
    is_swedish || is_danish
}

fn weighted(digits: &[u32], weights: &[u32]) -> u32 {
    digits.iter().zip(weights).map(|(digit, weight)| digit * weight).sum()
}

fn is_norwegian(compact: &str) -> bool {
    let Some(digits) = numbers(compact).filter(|digits| digits.len() == 11) else { return false };
    is_day(two(&digits, 0) % 40, two(&digits, 2))
        && weighted(&digits, &[3, 7, 6, 1, 8, 9, 4, 5, 2, 1]).is_multiple_of(11)
        && weighted(&digits, &[5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1]).is_multiple_of(11)
}

fn is_estonian(compact: &str) -> bool {
    let Some(digits) = numbers(compact).filter(|digits| digits.len() == 11) else { return false };
    if !(1..=8).contains(&digits[0]) || !is_day(two(&digits, 5), two(&digits, 3)) {
        return false;
    }
    let first = weighted(&digits, &[1, 2, 3, 4, 5, 6, 7, 8, 9, 1]) % 11;
    let second = weighted(&digits, &[3, 4, 5, 6, 7, 8, 9, 1, 2, 3]) % 11;
    let check = if first < 10 { first } else { second % 10 };
    check == digits[10]
}

fn is_spanish(compact: &str) -> bool {
    const LETTERS: &[u8; 23] = b"TRWAGMYFPDXBNJZSQVHLCKE";
    let upper = compact.replace('-', "").to_uppercase();
    if upper.len() != 9 || !upper.is_ascii() {
        return false;
    }
    let (body, letter) = upper.split_at(8);
    let body = match body.as_bytes()[0] {
        b'X' => format!("0{}", &body[1..]),
        b'Y' => format!("1{}", &body[1..]),
        b'Z' => format!("2{}", &body[1..]),
        _ => body.to_owned(),
    };
    let Ok(number) = body.parse::<usize>() else { return false };
    LETTERS.get(number % 23) == letter.as_bytes().first()
}

fn is_british_insurance(compact: &str) -> bool {
    let bytes = compact.as_bytes();
    bytes.len() == 9
        && bytes[..2].iter().all(u8::is_ascii_uppercase)
        && bytes[2..8].iter().all(u8::is_ascii_digit)
        && matches!(bytes[8], b'A'..=b'D')
}
