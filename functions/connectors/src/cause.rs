//! Causes of failures as text without addresses: LeadDesk's key travels in the query string.

use std::error::Error;
use std::fmt;

/// A cause whose text holds no URL.
#[derive(Debug)]
pub(crate) struct Cause(String);

impl Cause {
    /// Keeps the chain of texts; whatever could quote an address is left out.
    pub(crate) fn of(error: &dyn Error) -> Self {
        let mut text = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            let line = cause.to_string();
            if !line.contains("://") && !line.contains('?') {
                text.push_str(": ");
                text.push_str(&line);
            }
            source = cause.source();
        }
        Self(text)
    }

    /// A cause in own words.
    pub(crate) fn because(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl Error for Cause {}

/// Looks like a page for people where data was due.
pub(crate) fn looks_like_html(body: &[u8]) -> bool {
    let start: Vec<u8> = body.iter().copied().skip_while(u8::is_ascii_whitespace).take(15).collect();
    let start = start.to_ascii_lowercase();
    start.starts_with(b"<!doctype") || start.starts_with(b"<html") || start.starts_with(b"<?xml")
}
