//! How long an answer asks us to wait.
//!
//! Deliberately absent: obeying; a cap keeps a mistaken header from stopping a run for years.

use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822;
use reqwest::header::{HeaderMap, RETRY_AFTER};

/// Longest wait that is obeyed; a real window lasts 20 s (facts: rate limits).
pub(crate) const RETRY_AFTER_MAX: Duration = Duration::from_secs(120);

/// The `Retry-After` of an answer, in seconds or as an HTTP date, capped; `None` when absent or unreadable.
pub(crate) fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        let seconds = text.parse().unwrap_or(u64::MAX);
        return Some(Duration::from_secs(seconds).min(RETRY_AFTER_MAX));
    }
    let until = rfc2822::DateTimeParser::new().parse_timestamp(text).ok()?;
    // A date that has passed asks for no wait.
    let wait = Duration::try_from(until.duration_since(now)).unwrap_or(Duration::ZERO);
    Some(wait.min(RETRY_AFTER_MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_read_and_capped() {
        let now: Timestamp = "2026-11-22T10:00:00Z".parse().unwrap();
        let check = |text: &str, expected: Option<u64>| {
            let mut headers = HeaderMap::new();
            headers.insert("ReTry-AfTer", text.parse().unwrap());
            assert_eq!(retry_after(&headers, now), expected.map(Duration::from_secs), "{text:?}");
        };
        check("7", Some(7));
        check("0", Some(0));
        check(" 20 ", Some(20));
        check("1000000000", Some(120));
        check("99999999999999999999999999", Some(120));
        check("Sun, 22 Nov 2026 10:00:30 GMT", Some(30));
        check("Sun, 22 Nov 2026 09:59:30 GMT", Some(0));
        check("Mon, 23 Nov 2026 09:59:30 GMT", Some(120));
        check("", None);
        check("-5", None);
        check("soon", None);
        assert_eq!(retry_after(&HeaderMap::new(), now), None);
    }
}
