//! The weight of a code, the same wherever it is shown.

use migration::finding::Code;
use pipeline::report::advice;

use super::catalogue;
use super::step_codes;

/// `stop`, `error`, `warning` or `note`; a code that nobody knows is a note.
pub(crate) fn severity_of(code: &str) -> &'static str {
    if let Some(found) = Code::from_text(code) {
        return found.entry().severity.as_str();
    }
    if catalogue::find(code).is_some() {
        return "error";
    }
    if step_codes::all().any(|(known, _, _)| *known == code) {
        // A file of the operator is refused as a whole: none of its records arrives before it is mended.
        let is_file = code.starts_with("FIL") || code.starts_with("ZIP");
        return if is_file { "error" } else { "warning" };
    }
    // What remains are reasons why one record does not arrive.
    if advice::of(code) == advice::of("") { "note" } else { "error" }
}

#[cfg(test)]
mod tests {
    use super::severity_of;

    #[test]
    fn what_is_lost_weighs_more_than_what_is_good_to_know() {
        for (code, expected) in [
            ("ZIP101", "error"),
            ("FIL106", "error"),
            ("ROW101", "error"),
            ("LED102", "warning"),
            ("CHT108", "note"),
            ("E0301", "error"),
            ("XYZ999", "note"),
        ] {
            assert_eq!(severity_of(code), expected, "{code}");
        }
    }
}
