//! Text values of slots as values of Gorgias.

use jiff::civil::Date;

use super::SlotKind;
use super::words;
use crate::gorgias::{FIELD_TEXT_CHARS_MAX, FieldValue};
use crate::text::clean;

/// Why a value does not fit its field. Holds no part of the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum ValueReject {
    /// Nothing in it.
    #[error("empty")]
    Empty,
    /// More than [`FIELD_TEXT_CHARS_MAX`] characters.
    #[error("longer than {FIELD_TEXT_CHARS_MAX} characters")]
    TooLong,
    /// Not a number, or one that would change when written as a number.
    #[error("not a number")]
    NotANumber,
    /// Neither yes nor no.
    #[error("neither yes nor no")]
    NotABoolean,
    /// No date in a known form.
    #[error("not a date")]
    NotADate,
}

impl ValueReject {
    /// Stable word for tables.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::TooLong => "too_long",
            Self::NotANumber => "not_a_number",
            Self::NotABoolean => "not_a_boolean",
            Self::NotADate => "not_a_date",
        }
    }
}

/// The value of a slot as `kind`.
///
/// # Errors
/// See [`ValueReject`].
pub fn convert(raw: &str, kind: SlotKind) -> Result<FieldValue, ValueReject> {
    let text = clean(raw);
    if text.is_empty() {
        return Err(ValueReject::Empty);
    }
    match kind {
        SlotKind::Text if text.chars().count() > FIELD_TEXT_CHARS_MAX => Err(ValueReject::TooLong),
        SlotKind::Text => Ok(FieldValue::Text(text)),
        SlotKind::Number => number(&text).map(FieldValue::Number).ok_or(ValueReject::NotANumber),
        SlotKind::Boolean => words::boolean(&text).map(FieldValue::Boolean).ok_or(ValueReject::NotABoolean),
        SlotKind::Date => iso_date(&text).map(FieldValue::Text).ok_or(ValueReject::NotADate),
    }
}

/// Digits that a double holds without loss.
const DIGITS_MAX: usize = 15;

/// A number that reads the same back. `1 234,5`, `1.234,5`, `1,234.5` and `-7` are; `007`, `+358…` and `1,234,56` are not.
///
/// A single comma or point is the decimal mark, since the source is European and thousands are rare in it.
pub(super) fn number(text: &str) -> Option<f64> {
    let (sign, unsigned) = match text.strip_prefix(['-', '−']) {
        Some(rest) => ("-", rest),
        None => ("", text),
    };
    let is_space = |character: char| matches!(character, ' ' | '\u{a0}' | '\u{202f}' | '\'' | '’');
    let (whole, fraction) = split_decimal(unsigned)?;
    let marks = whole.chars().filter(|character| !character.is_ascii_digit());
    let mark = marks.clone().next();
    if marks.clone().any(|other| Some(other) != mark) {
        return None;
    }
    let whole = match mark {
        Some(mark) if is_space(mark) || matches!(mark, '.' | ',') => ungroup(whole, mark)?,
        Some(_) => return None,
        None => whole.to_owned(),
    };
    let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !all_digits(&whole) || !all_digits(fraction) {
        return None;
    }
    if whole.len() > 1 && whole.starts_with('0') {
        return None;
    }
    if whole.len() + fraction.len() > DIGITS_MAX {
        return None;
    }
    let plain =
        if fraction.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") };
    plain.parse::<f64>().ok().filter(|value| value.is_finite())
}

/// Parts a text at its decimal mark; the fraction is empty without one. `None` when a mark has nothing behind it.
fn split_decimal(text: &str) -> Option<(&str, &str)> {
    let last_point = text.rfind('.');
    let last_comma = text.rfind(',');
    let at = match (last_point, last_comma) {
        (Some(point), Some(comma)) => Some(point.max(comma)),
        (Some(at), None) | (None, Some(at)) => {
            let mark = &text[at..=at];
            // Twice the same mark: it groups thousands.
            (text.matches(mark).count() == 1).then_some(at)
        }
        (None, None) => None,
    };
    match at {
        None => Some((text, "")),
        Some(at) if at + 1 == text.len() => None,
        Some(at) => Some((&text[..at], &text[at + 1..])),
    }
}

/// Removes a mark that parts groups of three.
fn ungroup(whole: &str, mark: char) -> Option<String> {
    let mut groups = whole.split(mark);
    let first = groups.next().filter(|group| (1..=3).contains(&group.len()))?;
    let mut out = first.to_owned();
    for group in groups {
        if group.len() != 3 {
            return None;
        }
        out.push_str(group);
    }
    Some(out)
}

/// `2024-03-31` for `2024-03-31`, `31.3.2024`, `31/03/2024`, `31-03-2024` and `31.3.24`, each with or without a time
/// behind it, and for `20240331`. A year of two digits lies between 1970 and 2069.
///
/// Day before month, as everywhere in the countries that the source serves.
pub(super) fn iso_date(text: &str) -> Option<String> {
    let (date, time) = match text.split_once([' ', 'T']) {
        Some((date, time)) => (date, Some(time.trim())),
        None => (text, None),
    };
    let Some(mark) = ['.', '/', '-'].into_iter().find(|mark| date.contains(*mark)) else {
        return if time.is_none() { packed_date(date) } else { None };
    };
    let parts: Vec<&str> = date.split(mark).collect();
    let &[first, second, third] = parts.as_slice() else { return None };
    let digits = |part: &str, lengths: &[usize]| {
        (lengths.contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit()))
            .then(|| part.parse::<i16>().ok())
            .flatten()
    };
    let (year, month, day) = if first.len() == 4 {
        (digits(first, &[4])?, digits(second, &[1, 2])?, digits(third, &[1, 2])?)
    } else if third.len() == 2 {
        let year = digits(third, &[2])?;
        let century = if year < 70 { 2000 } else { 1900 };
        (century + year, digits(second, &[1, 2])?, digits(first, &[1, 2])?)
    } else {
        (digits(third, &[4])?, digits(second, &[1, 2])?, digits(first, &[1, 2])?)
    };
    let date = Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()?;
    match time {
        None | Some("") => Some(date.to_string()),
        Some(time) => clock_time(time).map(|time| format!("{date}T{time}")),
    }
}

/// `20240331`, for years in which records of customers were kept.
fn packed_date(text: &str) -> Option<String> {
    if text.len() != 8 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let year: i16 = text[..4].parse().ok().filter(|year| (1950..2100).contains(year))?;
    let date = Date::new(year, text[4..6].parse().ok()?, text[6..].parse().ok()?).ok()?;
    Some(date.to_string())
}

/// `hh:mm` or `hh:mm:ss`; the value carries no zone, so none is added.
fn clock_time(text: &str) -> Option<String> {
    let shape_fits = matches!(text.len(), 5 | 8)
        && text
            .bytes()
            .enumerate()
            .all(|(at, byte)| if at % 3 == 2 { byte == b':' } else { byte.is_ascii_digit() });
    if !shape_fits {
        return None;
    }
    let part = |from: usize| text.get(from..from + 2).and_then(|part| part.parse::<i8>().ok());
    let second = if text.len() == 8 { part(6)? } else { 0 };
    jiff::civil::Time::new(part(0)?, part(3)?, second, 0).ok().map(|time| time.to_string())
}
