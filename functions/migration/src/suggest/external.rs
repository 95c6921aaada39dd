//! Suggestions from outside: untrusted, bounded, and never more than an alternative.

use crate::mapping::Alternative;
use crate::text::{clean_line, truncate_chars};

/// Alternatives from outside that one row takes.
pub const PER_ROW_MAX: usize = 3;
/// Characters of a reason from outside.
pub const REASON_CHARS_MAX: usize = 200;

/// One suggestion from outside.
#[derive(Debug, Clone, PartialEq)]
pub struct ExternalSuggestion {
    /// The field, by the number under which it was described.
    pub field: usize,
    /// Where to, in one of the words that were offered.
    pub target: String,
    /// 0 to 1.
    pub confidence: f64,
    /// In its own words.
    pub reason: String,
}

/// The targets that may be named from outside.
pub const TARGETS: &[&str] =
    &["name", "email", "phone", "opt-out", "existing-field", "new-field", "lead-card", "leave"];

impl ExternalSuggestion {
    /// The alternative for a row; `None` when the target is none of ours or the confidence is no share.
    #[must_use]
    pub fn alternative(&self, source: &str) -> Option<Alternative> {
        let target = self.target.trim();
        let shown = match target {
            "name" => "customer name",
            "email" => "customer email",
            "phone" => "customer phone",
            "opt-out" => "customer opt-out",
            "existing-field" => "existing field",
            "new-field" => "customer field",
            "lead-card" => "lead card",
            "leave" => "nothing",
            _ => return None,
        };
        if !(0.0..=1.0).contains(&self.confidence) {
            return None;
        }
        let why = clean_line(&self.reason);
        let why = truncate_chars(&why, REASON_CHARS_MAX);
        Some(Alternative {
            target: shown.to_owned(),
            confidence: (self.confidence * 100.0).round() / 100.0,
            reason: format!("suggested by {source}: {why}"),
        })
    }
}
