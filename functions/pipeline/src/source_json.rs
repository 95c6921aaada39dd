//! JSON of LeadDesk, read without believing it: order kept, doubled keys seen, numbers never turned into floats.
//!
//! What is never migrated (national id, birth year, gender, bank details) is replaced by a marker before anything is
//! stored. Deliberately absent: guessing what an unknown key means; unknown keys stay in the raw text.

use std::fmt;

use serde::Deserialize;
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// Stands in stored raw records for a value that is never kept.
pub const WITHHELD: &str = "withheld";

/// Keys whose values are never stored, compared without case (facts: `ssc` is a national id; users carry `ssn`, `bank_acc`).
const WITHHELD_KEYS: [&str; 9] =
    ["ssc", "ssn", "birthyear", "birth_year", "birthdate", "gender", "bank_acc", "bank_account", "iban"];

/// Nesting beyond which a text is refused; the parser below us stops at the same depth.
const DEPTH_MAX: usize = 128;

/// Whether values under this key are replaced by [`WITHHELD`].
#[must_use]
pub fn is_withheld(key: &str) -> bool {
    let key = key.trim();
    WITHHELD_KEYS.iter().any(|withheld| key.eq_ignore_ascii_case(withheld))
}

/// Why a JSON text cannot be used as a record. Holds no part of the text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JsonFlaw {
    /// Not JSON, or JSON that no Unicode text can hold (lone surrogates).
    #[error("not JSON at byte {at}")]
    Syntax {
        /// Byte offset within the line where reading stopped.
        at: usize,
    },
    /// JSON of another kind.
    #[error("not a JSON object")]
    NotAnObject,
    /// The same key stands twice; which value is meant is unknown.
    #[error("the key {key:?} stands twice in one object")]
    KeyTwice {
        /// The key, cut to forty characters.
        key: String,
    },
    /// Deeper than any record of LeadDesk.
    #[error("nested deeper than {DEPTH_MAX} levels")]
    TooDeep,
}

impl JsonFlaw {
    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Syntax { .. } => "EXT201",
            Self::NotAnObject => "EXT202",
            Self::KeyTwice { .. } => "EXT203",
            Self::TooDeep => "EXT204",
        }
    }
}

/// An object as received: keys in order, values as raw text.
#[derive(Debug)]
pub struct SourceObject<'a> {
    entries: Vec<(String, &'a RawValue)>,
}

impl<'a> SourceObject<'a> {
    /// Reads one object.
    ///
    /// # Errors
    /// See [`JsonFlaw`].
    pub fn parse(text: &'a str) -> Result<Self, JsonFlaw> {
        if !text.trim_start().starts_with('{') {
            serde_json::from_str::<serde::de::IgnoredAny>(text).map_err(|cause| syntax(&cause))?;
            return Err(JsonFlaw::NotAnObject);
        }
        let Entries(entries) = serde_json::from_str(text).map_err(|cause| syntax(&cause))?;
        let mut keys: Vec<&str> = entries.iter().map(|(key, _)| key.as_str()).collect();
        keys.sort_unstable();
        if let Some(pair) = keys.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(JsonFlaw::KeyTwice { key: pair[0].chars().take(40).collect() });
        }
        Ok(Self { entries })
    }

    /// Keys in the order received.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().map(|(key, _)| key.as_str())
    }

    /// Raw text of a value; absent keys are `None`, `null` is `Some("null")`.
    #[must_use]
    pub fn raw(&self, key: &str) -> Option<&'a str> {
        self.entries.iter().find(|(name, _)| name == key).map(|(_, value)| value.get())
    }

    /// A scalar as text: strings as they are, numbers and booleans as written. `null`, `""`, `[]` and `{}` all mean
    /// "empty" to LeadDesk (facts: contact), and so do absent keys.
    #[must_use]
    pub fn text(&self, key: &str) -> Option<String> {
        let raw = self.raw(key)?;
        match raw.as_bytes().first()? {
            b'"' => serde_json::from_str::<String>(raw).ok().filter(|text| !text.trim().is_empty()),
            b'n' | b'[' | b'{' => None,
            _ => Some(raw.to_owned()),
        }
    }

    /// Whether the value is an array or object with something in it.
    #[must_use]
    pub fn is_nested(&self, key: &str) -> bool {
        self.raw(key).is_some_and(is_filled_container)
    }

    /// A nested object.
    ///
    /// # Errors
    /// [`JsonFlaw::NotAnObject`] when absent or of another kind, else as [`SourceObject::parse`].
    pub fn object(&self, key: &str) -> Result<SourceObject<'a>, JsonFlaw> {
        SourceObject::parse(self.raw(key).ok_or(JsonFlaw::NotAnObject)?)
    }

    /// Raw texts of an array's items; empty for everything that is no array.
    #[must_use]
    pub fn items(&self, key: &str) -> Vec<&'a str> {
        let Some(raw) = self.raw(key).filter(|raw| raw.starts_with('[')) else { return Vec::new() };
        serde_json::from_str::<Vec<&'a RawValue>>(raw)
            .map(|items| items.into_iter().map(RawValue::get).collect())
            .unwrap_or_default()
    }
}

fn is_filled_container(raw: &str) -> bool {
    matches!(raw.as_bytes().first(), Some(b'[' | b'{')) && raw[1..raw.len() - 1].trim() != ""
}

fn syntax(cause: &serde_json::Error) -> JsonFlaw {
    JsonFlaw::Syntax { at: cause.column() }
}

struct Entries<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Entries<'a> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct EntriesVisitor;
        impl<'de> Visitor<'de> for EntriesVisitor {
            type Value = Entries<'de>;
            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry::<String, &'de RawValue>()? {
                    entries.push(entry);
                }
                Ok(Entries(entries))
            }
        }
        deserializer.deserialize_map(EntriesVisitor)
    }
}

/// The text with every withheld value replaced, white space between tokens removed, everything else byte for byte.
///
/// # Errors
/// See [`JsonFlaw`]; the outermost value may be of any kind.
pub fn without_withheld(text: &str) -> Result<String, JsonFlaw> {
    let mut out = String::with_capacity(text.len());
    copy(text, 0, &mut out)?;
    Ok(out)
}

fn copy(text: &str, depth: usize, out: &mut String) -> Result<(), JsonFlaw> {
    if depth > DEPTH_MAX {
        return Err(JsonFlaw::TooDeep);
    }
    let text = text.trim();
    match text.as_bytes().first() {
        Some(b'{') => {
            let object = SourceObject::parse(text)?;
            out.push('{');
            for (position, (key, value)) in object.entries.iter().enumerate() {
                if position > 0 {
                    out.push(',');
                }
                push_string(key, out);
                out.push(':');
                if is_withheld(key) && !is_empty(value.get()) {
                    push_string(WITHHELD, out);
                } else {
                    copy(value.get(), depth + 1, out)?;
                }
            }
            out.push('}');
        }
        Some(b'[') => {
            let Items(items) = serde_json::from_str(text).map_err(|cause| syntax(&cause))?;
            out.push('[');
            for (position, item) in items.iter().enumerate() {
                if position > 0 {
                    out.push(',');
                }
                copy(item.get(), depth + 1, out)?;
            }
            out.push(']');
        }
        _ => {
            // Checks scalars too: a lone surrogate inside a string is an error here.
            serde_json::from_str::<Scalar>(text).map_err(|cause| syntax(&cause))?;
            out.push_str(text);
        }
    }
    Ok(())
}

fn is_empty(raw: &str) -> bool {
    matches!(raw, "null" | "\"\"" | "[]" | "{}")
}

struct Items<'a>(Vec<&'a RawValue>);

impl<'de: 'a, 'a> Deserialize<'de> for Items<'a> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ItemsVisitor;
        impl<'de> Visitor<'de> for ItemsVisitor {
            type Value = Items<'de>;
            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("an array")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
                let mut all = Vec::new();
                while let Some(item) = items.next_element::<&'de RawValue>()? {
                    all.push(item);
                }
                Ok(Items(all))
            }
        }
        deserializer.deserialize_seq(ItemsVisitor)
    }
}

/// Any scalar: strings are decoded, since that is where broken Unicode shows; numbers stay text.
struct Scalar;

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&'de RawValue>::deserialize(deserializer)?;
        if raw.get().starts_with('"') {
            serde_json::from_str::<String>(raw.get()).map_err(serde::de::Error::custom)?;
        }
        Ok(Self)
    }
}

/// Appends `text` as a JSON string.
pub fn push_string(text: &str, out: &mut String) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            control if control < ' ' => {
                use fmt::Write;
                // Writing to a String does not fail.
                let _ = write!(out, "\\u{:04x}", u32::from(control));
            }
            other => out.push(other),
        }
    }
    out.push('"');
}

/// A JSON object of texts; withheld keys get the marker unless empty.
pub fn object_of<'t>(entries: impl IntoIterator<Item = (&'t str, &'t str)>) -> String {
    let mut out = String::from("{");
    for (key, value) in entries {
        if out.len() > 1 {
            out.push(',');
        }
        push_string(key, &mut out);
        out.push(':');
        push_string(if is_withheld(key) && !value.is_empty() { WITHHELD } else { value }, &mut out);
    }
    out.push('}');
    out
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    fn check(text: &str, expected: Expect) {
        let shown = match without_withheld(text) {
            Ok(copy) => copy,
            Err(flaw) => format!("{} {flaw}", flaw.code()),
        };
        expected.assert_eq(&shown);
    }

    #[test]
    fn keeps_everything_but_what_is_withheld() {
        check(
            r#"{ "id": 12345678901234567890123, "z": 1.50, "a": [1, {"SSC": "010100-123X"}], "gender": null, "birthyear": "1970" }"#,
            expect![[
                r#"{"id":12345678901234567890123,"z":1.50,"a":[1,{"SSC":"withheld"}],"gender":null,"birthyear":"withheld"}"#
            ]],
        );
    }

    #[test]
    fn refuses_what_has_two_meanings() {
        check(r#"{"id":1,"id":2}"#, expect![[r#"EXT203 the key "id" stands twice in one object"#]]);
        check(r#"{"a":{"b":1,"b":1}}"#, expect![[r#"EXT203 the key "b" stands twice in one object"#]]);
        check(r#"{"a":"\ud800"}"#, expect![["EXT201 not JSON at byte 8"]]);
        check(r#"{"a":NaN}"#, expect![["EXT201 not JSON at byte 6"]]);
        check(r#"{"a":1"#, expect![["EXT201 not JSON at byte 6"]]);
        check(
            &format!("{}1{}", "[".repeat(200), "]".repeat(200)),
            expect![["EXT204 nested deeper than 128 levels"]],
        );
    }

    #[test]
    fn scalars_become_text_and_every_empty_is_one() {
        let object = SourceObject::parse(
            r#"{"n":7,"t":"x","b":true,"e":"","l":[],"o":{},"u":null,"w":"  ","f":[{"x":1}]}"#,
        )
        .expect("valid");
        let texts: Vec<_> = object.keys().map(|key| format!("{key}={:?}", object.text(key))).collect();
        expect![[r#"n=Some("7") t=Some("x") b=Some("true") e=None l=None o=None u=None w=None f=None"#]]
            .assert_eq(&texts.join(" "));
        assert!(object.is_nested("f") && !object.is_nested("l") && !object.is_nested("o"));
        assert_eq!(object.items("f"), [r#"{"x":1}"#]);
        assert!(matches!(SourceObject::parse("[]"), Err(JsonFlaw::NotAnObject)));
    }

    proptest::proptest! {
        #[test]
        fn strings_survive(text in ".*") {
            let mut out = String::new();
            push_string(&text, &mut out);
            proptest::prop_assert_eq!(serde_json::from_str::<String>(&out).expect("JSON"), text);
        }
    }
}
