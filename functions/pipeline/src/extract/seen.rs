//! Where and when a record was seen: the control columns of every source table.

use jiff::Timestamp;
use migration::contact_point::{normalize_email, normalize_phone};
use migration::local_time::{Resolved, SourceZone, resolve};
use migration::settings::MappingSettings;

/// Origin of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// When the source was read.
    pub at: Timestamp,
    /// Page or file, such as `contacts/000012` or `calls.csv`.
    pub page: String,
}

impl Seen {
    /// Seen at this moment on this page.
    pub fn new(at: Timestamp, page: impl Into<String>) -> Self {
        Self { at, page: page.into() }
    }
}

/// Digits alone, without leading zeros: the one writing of an id, whether LeadDesk sends it as text or number.
/// Zero and everything that is no positive integer are no ids.
#[must_use]
pub fn canonical_id(text: &str) -> Option<String> {
    let text = text.trim();
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    text.parse::<u64>().ok().filter(|id| *id > 0).map(|id| id.to_string())
}

/// A number in international form.
#[must_use]
pub fn e164(raw: Option<&str>, settings: &MappingSettings) -> Option<String> {
    normalize_phone(raw?, settings.region).map(|phone| phone.as_str().to_owned())
}

/// An address as it is compared.
#[must_use]
pub fn comparable_email(raw: Option<&str>) -> Option<String> {
    normalize_email(raw?).map(|email| email.normalized)
}

/// A zone-less time of the source; `None` when it is empty or cannot be read.
#[must_use]
pub fn local_time(raw: Option<&str>, zone: &SourceZone) -> Option<Resolved> {
    resolve(raw?, zone).ok()
}

/// Whether LeadDesk wrote a time and it cannot be read. The zero date is LeadDesk's way to write none.
#[must_use]
pub fn is_unreadable_time(raw: Option<&str>, zone: &SourceZone) -> bool {
    let Some(raw) = raw else { return false };
    !matches!(resolve(raw, zone), Ok(_) | Err(migration::local_time::TimeError::ZeroDate))
}

/// Raw numbers in one column. A bar inside a number would part it, so it is written as a slash; the raw record keeps it.
#[must_use]
pub fn joined(numbers: &[String]) -> Option<String> {
    let clean: Vec<String> = numbers.iter().map(|number| number.replace('|', "/")).collect();
    (!clean.is_empty()).then(|| clean.join("|"))
}

/// Adds a number unless it is there.
pub fn push_distinct(numbers: &mut Vec<String>, number: String) {
    if !number.trim().is_empty() && !numbers.contains(&number) {
        numbers.push(number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_have_one_writing() {
        let shown: Vec<_> =
            ["12", " 0012 ", "0", "", "-1", "1.0", "18446744073709551616", "x"].map(canonical_id).to_vec();
        assert_eq!(shown, [Some("12".to_owned()), Some("12".to_owned()), None, None, None, None, None, None]);
    }

    #[test]
    fn numbers_are_joined_without_being_parted() {
        let mut numbers = Vec::new();
        for number in ["+3580001", " ", "+3580001", "04|0"] {
            push_distinct(&mut numbers, number.to_owned());
        }
        assert_eq!(joined(&numbers).as_deref(), Some("+3580001|04/0"));
        assert_eq!(joined(&[]), None);
    }
}
