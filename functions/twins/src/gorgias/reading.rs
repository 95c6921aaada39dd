//! Strict reading of JSON bodies: every key is asked for by name, what nobody asked for is a mistake.
//!
//! All mistakes of a body are collected, so that one answer names them all. Deliberately absent: what the values
//! mean; the endpoints decide that.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use serde_json::{Map, Value};

use super::answer::{Answered, Refusal};
use super::clock::Instant;

/// The message on a key that no endpoint asked for (facts: unknown parameters are refused).
pub(crate) const UNKNOWN_FIELD: &str = "Unknown field.";
const MISSING: &str = "Missing data for required field.";
const NULL: &str = "Field may not be null.";

/// A key of a body: not there, there and null, or there with a value. Partial updates need all three.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Given<T> {
    Absent,
    Null,
    Value(T),
}

impl<T> Given<T> {
    pub(crate) fn value(self) -> Option<T> {
        match self {
            Self::Absent | Self::Null => None,
            Self::Value(value) => Some(value),
        }
    }

    pub(crate) fn map<U>(self, change: impl FnOnce(T) -> U) -> Given<U> {
        match self {
            Self::Absent => Given::Absent,
            Self::Null => Given::Null,
            Self::Value(value) => Given::Value(change(value)),
        }
    }

    /// Changes `target` as a partial update does: absent keeps, null clears, a value sets.
    pub(crate) fn apply(self, target: &mut Option<T>) {
        match self {
            Self::Absent => {}
            Self::Null => *target = None,
            Self::Value(value) => *target = Some(value),
        }
    }

    pub(crate) fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }
}

/// The mistakes found in one request.
#[derive(Debug)]
pub(crate) struct Problems {
    found: RefCell<BTreeMap<String, Vec<String>>>,
    refuse_unknown: bool,
}

impl Problems {
    pub(crate) fn new(refuse_unknown: bool) -> Self {
        Self { found: RefCell::default(), refuse_unknown }
    }

    pub(crate) fn add(&self, path: &str, message: impl Into<String>) {
        self.found.borrow_mut().entry(path.to_owned()).or_default().push(message.into());
    }

    pub(crate) fn unknown(&self, path: &str) {
        if self.refuse_unknown {
            self.add(path, UNKNOWN_FIELD);
        }
    }

    /// A refusal with everything found so far, if anything was.
    pub(crate) fn check(&self) -> Answered<()> {
        let fields = self.found.borrow().clone();
        let Some((path, messages)) = fields.first_key_value() else { return Ok(()) };
        let message = format!("{path}: {}", messages.join(" "));
        Err(Refusal { fields, ..Refusal::bad_request(message) })
    }
}

/// One JSON object, read key by key.
#[derive(Debug)]
pub(crate) struct Reader<'p> {
    fields: Map<String, Value>,
    path: String,
    problems: &'p Problems,
}

impl<'p> Reader<'p> {
    /// A reader over the whole body; a body that is no object is refused at once.
    pub(crate) fn body(value: Value, problems: &'p Problems) -> Answered<Self> {
        match value {
            Value::Object(fields) => Ok(Self { fields, path: String::new(), problems }),
            _ => Err(Refusal::bad_request("The body must be a JSON object.")),
        }
    }

    /// A reader over a nested object, or `None` and a noted mistake when `value` is something else.
    pub(crate) fn nested(value: Value, path: String, problems: &'p Problems) -> Option<Self> {
        if let Value::Object(fields) = value {
            return Some(Self { fields, path, problems });
        }
        problems.add(&path, "Not a valid object.");
        None
    }

    pub(crate) fn path(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    pub(crate) fn problem(&self, key: &str, message: impl Into<String>) {
        self.problems.add(&self.path(key), message);
    }

    pub(crate) fn problems(&self) -> &'p Problems {
        self.problems
    }

    pub(crate) fn any(&mut self, key: &str) -> Given<Value> {
        match self.fields.remove(key) {
            None => Given::Absent,
            Some(Value::Null) => Given::Null,
            Some(value) => Given::Value(value),
        }
    }

    fn read<T>(&mut self, key: &str, wanted: &str, read: impl FnOnce(Value) -> Option<T>) -> Given<T> {
        match self.any(key) {
            Given::Absent => Given::Absent,
            Given::Null => Given::Null,
            Given::Value(value) => match read(value) {
                Some(value) => Given::Value(value),
                None => {
                    self.problem(key, format!("Not a valid {wanted}."));
                    Given::Absent
                }
            },
        }
    }

    /// A text whose number of characters lies in `length`.
    pub(crate) fn text(&mut self, key: &str, length: RangeInclusive<usize>) -> Given<String> {
        let text = self.read(key, "string", |value| match value {
            Value::String(text) => Some(text),
            _ => None,
        });
        if let Given::Value(text) = &text
            && !fits(text, &length)
        {
            let (least, most) = (length.start(), length.end());
            self.problem(key, format!("Length must be between {least} and {most}."));
            return Given::Absent;
        }
        text
    }

    pub(crate) fn boolean(&mut self, key: &str) -> Given<bool> {
        self.read(key, "boolean", |value| value.as_bool())
    }

    pub(crate) fn integer(&mut self, key: &str, range: RangeInclusive<i64>) -> Given<i64> {
        self.read(key, "integer", |value| value.as_i64().filter(|number| range.contains(number)))
    }

    pub(crate) fn id(&mut self, key: &str) -> Given<u64> {
        self.read(key, "id", |value| value.as_u64().filter(|id| *id > 0))
    }

    pub(crate) fn instant(&mut self, key: &str) -> Given<Instant> {
        self.read(key, "datetime (ISO-8601 with offset)", |value| value.as_str().and_then(Instant::parse))
    }

    pub(crate) fn object(&mut self, key: &str) -> Given<Value> {
        self.read(key, "object", |value| value.is_object().then_some(value))
    }

    pub(crate) fn list(&mut self, key: &str) -> Given<Vec<Value>> {
        self.read(key, "list", |value| match value {
            Value::Array(items) => Some(items),
            _ => None,
        })
    }

    pub(crate) fn ids(&mut self, key: &str, at_most: usize) -> Given<Vec<u64>> {
        let ids = self.read(key, "list of ids", |value| {
            value.as_array()?.iter().map(|id| id.as_u64().filter(|id| *id > 0)).collect::<Option<Vec<_>>>()
        });
        if let Given::Value(ids) = &ids
            && ids.len() > at_most
        {
            self.problem(key, format!("Longer than maximum length {at_most}."));
            return Given::Absent;
        }
        ids
    }

    pub(crate) fn texts(&mut self, key: &str) -> Given<Vec<String>> {
        self.read(key, "list of strings", |value| serde_json::from_value(value).ok())
    }

    /// One of `allowed`.
    pub(crate) fn word(&mut self, key: &str, allowed: &[&'static str]) -> Given<&'static str> {
        let text = self.text(key, 0..=usize::MAX);
        self.one_of(key, text, allowed)
    }

    fn one_of(&self, key: &str, text: Given<String>, allowed: &[&'static str]) -> Given<&'static str> {
        match text {
            Given::Absent => Given::Absent,
            Given::Null => Given::Null,
            Given::Value(text) => match allowed.iter().find(|word| **word == text) {
                Some(word) => Given::Value(word),
                None => {
                    self.problem(key, format!("Must be one of: {}.", allowed.join(", ")));
                    Given::Absent
                }
            },
        }
    }

    /// A value that must be there and must not be null.
    pub(crate) fn required<T>(&self, key: &str, given: Given<T>) -> Option<T> {
        match given {
            Given::Value(value) => Some(value),
            Given::Null => {
                self.problem(key, NULL);
                None
            }
            // A value of the wrong type has been noted already and reads as absent.
            Given::Absent if self.noted(key) => None,
            Given::Absent => {
                self.problem(key, MISSING);
                None
            }
        }
    }

    /// A value that may be left out but must not be null.
    pub(crate) fn solid<T>(&self, key: &str, given: Given<T>) -> Option<T> {
        if matches!(given, Given::Null) {
            self.problem(key, NULL);
        }
        given.value()
    }

    fn noted(&self, key: &str) -> bool {
        self.problems.found.borrow().contains_key(&self.path(key))
    }

    /// True when no key is left to read.
    pub(crate) fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// Notes every key that nobody asked for.
    pub(crate) fn end(self) {
        for key in self.fields.keys() {
            self.problems.unknown(&self.path(key));
        }
    }
}

/// Whether the characters of `text` lie in `length`; counts bytes first, since most texts are short.
pub(crate) fn fits(text: &str, length: &RangeInclusive<usize>) -> bool {
    if *length.start() == 0 && text.len() <= *length.end() {
        return true;
    }
    length.contains(&text.chars().count())
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};
    use serde_json::json;

    #[expect(clippy::needless_pass_by_value, reason = "expectations are written in place")]
    fn check(body: Value, refuse_unknown: bool, expected: Expect) {
        let problems = Problems::new(refuse_unknown);
        let mut reader = Reader::body(body, &problems).unwrap();
        let name = reader.text("name", 1..=5);
        let name = reader.required("name", name);
        let active = reader.boolean("active");
        let active = reader.solid("active", active);
        let colour = reader.word("colour", &["red", "blue"]);
        let ids = reader.ids("ids", 2);
        reader.end();
        let outcome = problems.check().map_err(|refusal| refusal.fields);
        expected.assert_eq(&match outcome {
            Ok(()) => format!("{name:?} {active:?} {colour:?} {ids:?}"),
            Err(fields) => format!("{fields:?}"),
        });
    }

    #[test]
    fn every_mistake_is_named() {
        check(
            json!({"name": "Ann", "active": true, "colour": "red", "ids": [1, 2]}),
            true,
            expect![[r#"Some("Ann") Some(true) Value("red") Value([1, 2])"#]],
        );
        check(json!({"name": "Ann", "colour": null}), true, expect![[r#"Some("Ann") None Null Absent"#]]);
        check(
            json!({"active": null, "colour": "green", "ids": [1, 2, 3], "size": 1}),
            true,
            expect![[
                r#"{"active": ["Field may not be null."], "colour": ["Must be one of: red, blue."], "ids": ["Longer than maximum length 2."], "name": ["Missing data for required field."], "size": ["Unknown field."]}"#
            ]],
        );
        check(
            json!({"name": "too long", "active": "yes", "colour": 1, "ids": [0]}),
            true,
            expect![[
                r#"{"active": ["Not a valid boolean."], "colour": ["Not a valid string."], "ids": ["Not a valid list of ids."], "name": ["Length must be between 1 and 5."]}"#
            ]],
        );
        check(json!({"name": "Ann", "size": 1}), false, expect![[r#"Some("Ann") None Absent Absent"#]]);
    }
}
