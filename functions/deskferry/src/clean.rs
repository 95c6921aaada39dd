//! Makes text that came from outside safe to print.
//!
//! Names, file names and answers may hold escape sequences that would recolour, retitle or rewrite a terminal, and
//! direction marks that make one text look like another. Deliberately absent: any judgement on what may be shown at all;
//! personal data does not come this far.

use std::borrow::Cow;

/// The text without control characters and direction marks; each becomes one replacement character.
pub(crate) fn line(text: &str) -> Cow<'_, str> {
    if text.chars().any(is_unsafe) {
        Cow::Owned(text.chars().map(|c| if is_unsafe(c) { char::REPLACEMENT_CHARACTER } else { c }).collect())
    } else {
        Cow::Borrowed(text)
    }
}

/// As [`line`], and line ends stay.
pub(crate) fn block(text: &str) -> String {
    text.split('\n').map(line).collect::<Vec<_>>().join("\n")
}

fn is_unsafe(c: char) -> bool {
    // Directional embeddings, overrides and isolates (Unicode 9): they reorder what stands around them.
    c.is_control() || matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_steers_the_terminal() {
        let cases = [
            ("plain – ä", "plain – ä"),
            ("\u{1b}[31mred", "\u{fffd}[31mred"),
            ("a\rb\tc\u{7}", "a\u{fffd}b\u{fffd}c\u{fffd}"),
            ("\u{9b}2J", "\u{fffd}2J"),
            ("file\u{202e}gpj.exe", "file\u{fffd}gpj.exe"),
        ];
        for (raw, printed) in cases {
            assert_eq!(line(raw), printed);
        }
        assert_eq!(block("one\u{1b}\ntwo"), "one\u{fffd}\ntwo");
    }
}
