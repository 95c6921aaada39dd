//! A rendering that is equal exactly when the contents are equal, and its SHA-256.
//!
//! Every piece carries its length, so that no two different sequences of pieces give one text.
//! Deliberately absent: reading a rendering back; stored documents have their own types.

use std::fmt::{self, Write};

use sha2::{Digest as _, Sha256};

/// A SHA-256, shown as 64 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// SHA-256 of bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// Reads 64 hexadecimal digits.
    #[must_use]
    pub fn from_hex(text: &str) -> Option<Self> {
        if text.len() != 64 || !text.is_ascii() {
            return None;
        }
        let mut bytes = [0; 32];
        for (index, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&text[index * 2..index * 2 + 2], 16).ok()?;
        }
        Some(Self(bytes))
    }

    /// 64 hexadecimal digits, lower case.
    #[must_use]
    pub fn to_hex(self) -> String {
        self.to_string()
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(out, "{byte:02x}"))
    }
}

/// Collects named pieces in the order of the calls.
#[derive(Debug, Default)]
pub struct Canonical {
    text: String,
}

impl Canonical {
    /// Starts a rendering; `what` keeps documents of different kinds apart.
    #[must_use]
    pub fn new(what: &str) -> Self {
        let mut canonical = Self::default();
        canonical.put("document", what);
        canonical
    }

    /// Adds a named piece.
    pub fn put(&mut self, name: &str, value: impl fmt::Display) -> &mut Self {
        let value = value.to_string();
        // Writing to a String does not fail.
        let _ = writeln!(self.text, "{name} {} {value}", value.len());
        self
    }

    /// Adds a piece that may be absent; absent and empty differ.
    pub fn put_option(&mut self, name: &str, value: Option<impl fmt::Display>) -> &mut Self {
        match value {
            Some(value) => self.put(name, value),
            None => {
                let _ = writeln!(self.text, "{name} none");
                self
            }
        }
    }

    /// The digest of everything put so far.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(self.text.as_bytes())
    }

    /// Every piece with its name, in order; nothing for one that is absent.
    pub(crate) fn pieces(&self) -> Vec<(&str, Option<&str>)> {
        let mut pieces = Vec::new();
        let mut rest = self.text.as_str();
        while let Some((name, after)) = rest.split_once(' ') {
            if let Some(next) = after.strip_prefix("none\n") {
                pieces.push((name, None));
                rest = next;
                continue;
            }
            let piece = after.split_once(' ').and_then(|(length, value)| {
                let length: usize = length.parse().ok()?;
                Some((value.get(..length)?, value.get(length + 1..)?))
            });
            // Written by `put` alone, so every piece has a length that holds.
            let Some((value, next)) = piece else { break };
            pieces.push((name, Some(value)));
            rest = next;
        }
        pieces
    }

    /// The text itself, for showing what changed between two digests.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_come_back_as_they_were_put() {
        let mut canonical = Canonical::new("test/1");
        canonical.put("one", "none").put("two", "a\nthree 5 xxxxx\n").put("empty", "");
        canonical.put_option("absent", None::<&str>).put("last", "ä 1");
        let expected = [
            ("document", Some("test/1")),
            ("one", Some("none")),
            ("two", Some("a\nthree 5 xxxxx\n")),
            ("empty", Some("")),
            ("absent", None),
            ("last", Some("ä 1")),
        ];
        assert_eq!(canonical.pieces(), expected);
    }
}
