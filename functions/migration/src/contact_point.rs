//! Email addresses and phone numbers: what counts as one, and when two are the same.
//!
//! Deliberately absent: asking a mail or phone network whether an address lives.
//! The types do not print themselves: they hold personal data.

use std::fmt;
use std::str::FromStr;

use email_address::{EmailAddress, Options};
use phonenumber::country;

use crate::text::clean;

/// Longest address that Gorgias takes, in characters (facts: ticket create body, customer list filter).
pub const EMAIL_CHARS_MAX: usize = 320;

/// A valid email address.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Email {
    /// As the source has it, without surrounding white space; this is what is sent.
    pub as_given: String,
    /// Lower case and NFC; this is what is compared.
    pub normalized: String,
}

impl fmt::Debug for Email {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&crate::text::mask_email(&self.normalized))
    }
}

/// One address with a domain that has a dot, or nothing. Two addresses in one text are nothing; one final dot is a slip and dropped.
#[must_use]
pub fn normalize_email(raw: &str) -> Option<Email> {
    let cleaned = clean(raw);
    let as_given = cleaned.strip_suffix('.').unwrap_or(&cleaned);
    if as_given.is_empty() || as_given.chars().count() > EMAIL_CHARS_MAX {
        return None;
    }
    if as_given
        .chars()
        .any(|character| character.is_whitespace() || matches!(character, ',' | ';' | '<' | '>'))
    {
        return None;
    }
    let options = Options::default().with_required_tld().without_display_text().without_domain_literal();
    let parsed = EmailAddress::parse_with_options(as_given, options).ok()?;
    let top = parsed.domain().rsplit('.').next()?;
    if top.is_empty() || top.chars().all(|character| character.is_ascii_digit()) {
        return None;
    }
    let normalized = as_given.chars().flat_map(char::to_lowercase).collect::<String>();
    Some(Email { as_given: as_given.to_owned(), normalized: clean(&normalized) })
}

/// A country of ISO 3166-1 alpha-2, upper case, which numbers without country code are read in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Region([u8; 2]);

/// The text is not a country code that has a numbering plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a two-letter country code (ISO 3166-1 alpha-2)")]
pub struct NotARegion;

impl Region {
    /// The two letters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("")
    }

    fn country(self) -> Option<country::Id> {
        self.as_str().parse().ok()
    }
}

impl FromStr for Region {
    type Err = NotARegion;
    fn from_str(text: &str) -> Result<Self, NotARegion> {
        let upper = text.trim().to_ascii_uppercase();
        let letters: [u8; 2] = upper.as_bytes().try_into().map_err(|_| NotARegion)?;
        let region = Self(letters);
        if letters.iter().all(u8::is_ascii_uppercase) && region.country().is_some() {
            Ok(region)
        } else {
            Err(NotARegion)
        }
    }
}

impl fmt::Display for Region {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

/// A number in the international format `+358401234567`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct E164(String);

impl E164 {
    /// A number that was normalised before and kept.
    #[must_use]
    pub fn from_stored(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text, with its plus sign.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for E164 {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&crate::text::mask_phone(&self.0))
    }
}

/// A number of an existing numbering plan, or nothing. `region` is used when the number carries no country code.
#[must_use]
pub fn normalize_phone(raw: &str, region: Region) -> Option<E164> {
    let dialable = dialable(raw)?;
    // The parser applies the region's trunk prefix to foreign numbers too, so a region is named only when it is needed.
    let region = if dialable.starts_with('+') { None } else { Some(region.country()?) };
    let number = phonenumber::parse(region, &dialable).ok()?;
    if !number.is_valid() {
        return None;
    }
    Some(E164(number.format().mode(phonenumber::Mode::E164).to_string()))
}

/// Digits with an optional plus in front; `None` for anything with letters or a length that no number has.
fn dialable(raw: &str) -> Option<String> {
    let cleaned = clean(raw);
    let text = cleaned.strip_prefix("tel:").unwrap_or(&cleaned);
    let international = text.trim_start().starts_with('+') || text.trim_start().starts_with("00");
    // "+358 (0)40": the trunk prefix in brackets is for readers at home.
    let text = if international { text.replacen("(0)", "", 1) } else { text.to_owned() };
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '0'..='9' => out.push(character),
            '+' if out.is_empty() => out.push('+'),
            ' ' | '\u{a0}' | '\u{202f}' | '-' | '‐' | '‑' | '–' | '.' | '/' | '(' | ')' | '\u{200e}'
            | '\u{202a}' | '\u{202c}' => {}
            _ => return None,
        }
    }
    if let Some(rest) = out.strip_prefix("00") {
        out = format!("+{rest}");
    }
    let digits = out.bytes().filter(u8::is_ascii_digit).count();
    // E.164 ends at fifteen digits; seventeen leaves room for a trunk or dialling prefix.
    (4..=17).contains(&digits).then_some(out)
}

/// Digits alone: what two writings of one number that cannot be normalised have in common.
#[must_use]
pub fn digits_of(raw: &str) -> String {
    raw.chars().filter(char::is_ascii_digit).collect()
}
