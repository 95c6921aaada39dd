//! Texts as they travel: cleaned, made safe for HTML, cut to a limit, and masked for reports.
//!
//! Deliberately absent: sanitising foreign HTML (the caller does that before a text comes here) and any language rule.
//! Lengths are Unicode scalar values unless a name says bytes.

use std::borrow::Cow;

use sha2::{Digest, Sha256};
use unicode_normalization::UnicodeNormalization;

/// Ends a text that was cut.
pub const CUT_MARK: char = '…';

/// NFC, line ends as `\n`, no control characters except line feed and tab, no surrounding white space.
#[must_use]
pub fn clean(text: &str) -> String {
    // Most values are plain ASCII, which NFC leaves as it is.
    if text.bytes().all(|byte| byte.is_ascii() && (!byte.is_ascii_control() || matches!(byte, b'\n' | b'\t')))
    {
        return text.trim().to_owned();
    }
    let mut out = String::with_capacity(text.len());
    let mut characters = text.nfc().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\r' => {
                if characters.peek() != Some(&'\n') {
                    out.push('\n');
                }
            }
            '\n' | '\t' => out.push(character),
            other if other.is_control() => {}
            // Byte order marks stand inside pasted texts and are never meant.
            '\u{feff}' => {}
            other => out.push(other),
        }
    }
    let trimmed = out.trim();
    if trimmed.len() == out.len() { out } else { trimmed.to_owned() }
}

/// [`clean`], with every run of white space as one space: for names, labels and subjects.
#[must_use]
pub fn clean_line(text: &str) -> String {
    let cleaned = clean(text);
    let mut out = String::with_capacity(cleaned.len());
    for word in cleaned.split_whitespace() {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(word);
    }
    out
}

/// The cleaned text, or nothing when nothing is left of it.
#[must_use]
pub fn clean_some(text: Option<&str>) -> Option<String> {
    text.map(clean).filter(|cleaned| !cleaned.is_empty())
}

/// Plain text as HTML that shows the same: five characters escaped, line feeds as `<br>`.
#[must_use]
pub fn html_from_text(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\n' => out.push_str("<br>"),
            '\r' => {}
            other => out.push(other),
        }
    }
    out
}

/// At most `chars_max` characters; a cut text ends with [`CUT_MARK`], which counts. A combining mark is not parted from its base.
#[must_use]
pub fn truncate_chars(text: &str, chars_max: usize) -> Cow<'_, str> {
    if text.len() <= chars_max || text.chars().count() <= chars_max {
        return Cow::Borrowed(text);
    }
    let Some(kept) = chars_max.checked_sub(1) else { return Cow::Owned(String::new()) };
    let end = text.char_indices().nth(kept).map_or(text.len(), |(index, _)| index);
    let end = base_boundary(text, end);
    let mut out = text[..end].trim_end().to_owned();
    out.push(CUT_MARK);
    Cow::Owned(out)
}

/// The longest beginning whose own length and length as HTML both stay within `bytes_max`, marked when cut.
#[must_use]
pub fn truncate_for_html(text: &str, bytes_max: usize) -> Cow<'_, str> {
    // Six bytes are the longest escape of one byte.
    if text.len().saturating_mul(6) <= bytes_max {
        return Cow::Borrowed(text);
    }
    let room = bytes_max.saturating_sub(CUT_MARK.len_utf8());
    let mut html_bytes = 0;
    let mut end_with_mark = 0;
    for (index, character) in text.char_indices() {
        html_bytes += html_length(character);
        if html_bytes <= room {
            end_with_mark = index + character.len_utf8();
        }
        if html_bytes > bytes_max {
            let mut out = text[..base_boundary(text, end_with_mark)].to_owned();
            out.push(CUT_MARK);
            return Cow::Owned(out);
        }
    }
    Cow::Borrowed(text)
}

fn html_length(character: char) -> usize {
    match character {
        '&' | '\'' => 5,
        '<' | '>' | '\n' => 4,
        '"' => 6,
        other => other.len_utf8(),
    }
}

/// Moves a cut to the left until it does not stand before a combining mark or inside a joined emoji.
fn base_boundary(text: &str, mut end: usize) -> usize {
    const JOINER: char = '\u{200d}';
    while end > 0 && end < text.len() {
        let next = text[end..].chars().next();
        let previous = text[..end].chars().next_back();
        let joined = next.is_some_and(|character| {
            unicode_normalization::char::is_combining_mark(character)
                || character == JOINER
                || matches!(character, '\u{fe00}'..='\u{fe0f}' | '\u{1f3fb}'..='\u{1f3ff}')
        }) || previous == Some(JOINER);
        if !joined {
            break;
        }
        end -= previous.map_or(end, char::len_utf8);
    }
    end
}

/// Case and spacing removed, for comparing names: NFC, lower case, single spaces.
#[must_use]
pub fn folded(text: &str) -> String {
    let line = clean_line(text);
    if line.is_ascii() {
        line.to_ascii_lowercase()
    } else {
        line.chars().flat_map(char::to_lowercase).nfc().collect()
    }
}

/// `anna@mail.example.com` → `a…@….com`.
#[must_use]
pub fn mask_email(email: &str) -> String {
    let Some((local, domain)) = email.rsplit_once('@') else { return "…".to_owned() };
    let first: String = local.chars().take(1).collect();
    let end = domain.rsplit_once('.').map_or("", |(_, end)| end);
    format!("{first}…@….{end}")
}

/// `+358 40 123 4567` → `+358…67`. Short numbers are hidden altogether.
#[must_use]
pub fn mask_phone(phone: &str) -> String {
    let digits: Vec<char> = phone.chars().filter(char::is_ascii_digit).collect();
    if digits.len() < 7 {
        return "…".to_owned();
    }
    let (head_length, plus) = if phone.trim_start().starts_with('+') { (3, "+") } else { (2, "") };
    let head: String = digits[..head_length].iter().collect();
    let tail: String = digits[digits.len() - 2..].iter().collect();
    format!("{plus}{head}…{tail}")
}

/// `Anna Example` → `A. E.`
#[must_use]
pub fn mask_name(name: &str) -> String {
    let initials: Vec<String> = name
        .split_whitespace()
        .filter_map(|word| word.chars().next())
        .map(|first| format!("{first}."))
        .collect();
    if initials.is_empty() { "…".to_owned() } else { initials.join(" ") }
}

/// The shape of a value: letters as `a` or `A`, digits as `0`, the rest as it is; at most 40 characters.
#[must_use]
pub fn mask_shape(value: &str) -> String {
    let shape: String = value
        .chars()
        .map(|character| match character {
            '0'..='9' => '0',
            other if other.is_uppercase() => 'A',
            other if other.is_alphabetic() => 'a',
            other if other.is_numeric() => '0',
            other => other,
        })
        .collect();
    truncate_chars(&shape, 40).into_owned()
}

/// First 128 bits of SHA-256: a key that keeps no text and meets no other in practice.
#[must_use]
pub(crate) fn fingerprint(domain: u8, text: &str) -> u128 {
    let digest = Sha256::new().chain_update([domain]).chain_update(text.as_bytes()).finalize();
    digest.iter().take(16).fold(0, |bits, byte| (bits << 8) | u128::from(*byte))
}

/// Hides whatever a value of a person may be: an address, a number, or any other text by its shape.
#[must_use]
pub fn mask_value(value: &str) -> String {
    let digits = value.chars().filter(char::is_ascii_digit).count();
    if value.contains('@') && !value.contains(' ') {
        mask_email(value)
    } else if digits >= 7 && !value.chars().any(char::is_alphabetic) {
        mask_phone(value)
    } else {
        mask_shape(value)
    }
}
