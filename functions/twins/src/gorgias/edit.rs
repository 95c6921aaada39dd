//! Changes from outside of the client under test: what people at Gorgias do meanwhile, and planted corruption.
//!
//! A person acts through the same endpoints, so their changes leave the events that a person's changes leave; they
//! fill no ledger. Corruption leaves no trace at all. Deliberately absent: changing ledgers or requests.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use thiserror::Error;

use super::answer::Body;
use super::model::{Origin, Values};
use super::route::{Call, Found, find};
use super::state::{Actor, State};

/// Kind of a record that can be corrupted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecordKind {
    /// Text fields `subject`, `external_id` and custom values as `custom:<field id>`.
    Ticket,
    /// Text fields `body_text`, `body_html`, `subject`, `external_id`.
    Message,
    /// Text fields `name`, `email`, `external_id`, custom values as `custom:<field id>`, addresses as `channel:<type>`.
    Customer,
}

/// Which record of its kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Which {
    /// The record of this id.
    Id(u64),
    /// The record at this place, from 0, in the order of ids.
    Nth(usize),
    /// The first record with this external id.
    ExternalId(String),
}

/// A change, as data; the control endpoint takes it as JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Edit {
    /// Changes one character of one field, with no event and no new `updated_datetime`.
    PlantWrongByte {
        /// Kind of the record.
        kind: RecordKind,
        /// Which record of that kind.
        which: Which,
        /// Name of the field, see [`RecordKind`].
        field: String,
    },
    /// A request of another user of the account, past authentication, bucket and faults.
    AsPerson {
        /// Method, for example `PUT`.
        method: String,
        /// Path with query, for example `/api/tickets/1`; `{id}` stands for the record.
        path: String,
        /// JSON body, if any.
        #[serde(default)]
        body: Option<Value>,
        /// The record whose id is put into the path.
        #[serde(default)]
        record: Option<(RecordKind, Which)>,
    },
}

/// Why a change could not be made.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum EditError {
    /// No record fits.
    #[error("there is no such record")]
    NoRecord,
    /// The record has no text in this field.
    #[error("the record has no text in {0}")]
    NoText(String),
    /// No endpoint fits the path and method.
    #[error("no endpoint answers {0}")]
    NoEndpoint(String),
    /// The endpoint refused.
    #[error("refused with status {status}: {message}")]
    Refused {
        /// Status of the answer.
        status: u16,
        /// Message of the error envelope.
        message: String,
    },
}

/// Access to the account for a test or a rehearsal.
pub struct Editor<'a> {
    pub(crate) state: &'a mut State,
}

impl Editor<'_> {
    /// Ids of all records of a kind, ascending.
    #[must_use]
    pub fn ids(&self, kind: RecordKind) -> Vec<u64> {
        match kind {
            RecordKind::Ticket => self.state.tickets.iter().map(|row| row.id).collect(),
            RecordKind::Message => self.state.messages.iter().map(|row| row.id).collect(),
            RecordKind::Customer => self.state.customers.iter().map(|row| row.id).collect(),
        }
    }

    /// Makes a change and returns what it did, or what its endpoint answered.
    ///
    /// # Errors
    /// [`EditError`] when no record or endpoint fits, or the endpoint refuses.
    pub fn apply(&mut self, edit: Edit) -> Result<Value, EditError> {
        match edit {
            Edit::PlantWrongByte { kind, which, field } => self.plant_wrong_byte(kind, &which, &field),
            Edit::AsPerson { method, path, body, record } => {
                let path = match &record {
                    None => path,
                    Some((kind, which)) => {
                        let id = self.find(*kind, which).ok_or(EditError::NoRecord)?;
                        path.replace("{id}", &id.to_string())
                    }
                };
                self.as_person(&method, &path, body)
            }
        }
    }

    /// Changes one character of one field; returns `{id, field, before, after}`.
    ///
    /// # Errors
    /// [`EditError::NoRecord`] or [`EditError::NoText`].
    pub fn plant_wrong_byte(
        &mut self,
        kind: RecordKind,
        which: &Which,
        field: &str,
    ) -> Result<Value, EditError> {
        let id = self.find(kind, which).ok_or(EditError::NoRecord)?;
        let changed = match kind {
            RecordKind::Ticket => self.state.tickets.change(id, |row| match field {
                "subject" => corrupt(&mut row.subject),
                "external_id" => corrupt(&mut row.external_id),
                _ => corrupt_value(&mut row.values, field),
            }),
            RecordKind::Message => self.state.messages.change(id, |row| match field {
                "body_text" => corrupt(&mut row.body_text),
                "body_html" => corrupt(&mut row.body_html),
                "subject" => corrupt(&mut row.subject),
                "external_id" => corrupt(&mut row.external_id),
                _ => None,
            }),
            RecordKind::Customer => self.state.customers.change(id, |row| match field {
                "name" => corrupt(&mut row.name),
                "email" => corrupt(&mut row.email),
                "external_id" => corrupt(&mut row.external_id),
                _ => match field.strip_prefix("channel:") {
                    Some(kind) => {
                        let channel = row.channels.iter_mut().find(|channel| &*channel.kind == kind)?;
                        let before = channel.address.clone();
                        channel.address = wrong(&before);
                        Some((json!(before), json!(channel.address)))
                    }
                    None => corrupt_value(&mut row.values, field),
                },
            }),
        };
        let (before, after) = changed.flatten().ok_or_else(|| EditError::NoText(field.to_owned()))?;
        Ok(json!({ "id": id, "field": field, "before": before, "after": after }))
    }

    fn find(&self, kind: RecordKind, which: &Which) -> Option<u64> {
        let external = |wanted: &str| match kind {
            RecordKind::Ticket => self.state.tickets.with_external_id(wanted).next(),
            RecordKind::Customer => self.state.customers.with_external_id(wanted).next(),
            RecordKind::Message => {
                let mut rows = self.state.messages.iter();
                rows.find(|row| row.external_id.as_deref() == Some(wanted)).map(|row| row.id)
            }
        };
        match which {
            Which::Id(id) => Some(*id),
            Which::Nth(place) => self.ids(kind).get(*place).copied(),
            Which::ExternalId(wanted) => external(wanted),
        }
    }

    /// Lets another user of the account make a request; returns the answer's JSON, null when it has none.
    ///
    /// # Errors
    /// [`EditError::NoEndpoint`] or [`EditError::Refused`].
    pub fn as_person(&mut self, method: &str, path: &str, body: Option<Value>) -> Result<Value, EditError> {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let Found::Route(route, parts) = find(method, path.trim_end_matches('/')) else {
            return Err(EditError::NoEndpoint(format!("{method} {path}")));
        };
        let call = Call {
            path: path.trim_end_matches('/').to_owned(),
            query: query.to_owned(),
            content_type: "application/json".to_owned(),
            body: body.map(|body| body.to_string().into()).unwrap_or_default(),
            parts,
        };
        let owner = self.state.owner;
        let person = self.state.users.keys().copied().find(|id| *id != owner).unwrap_or(owner);
        let actor = Actor { user: person, origin: Origin::Person };
        let before = std::mem::replace(&mut self.state.actor, actor);
        let outcome = (route.run)(self.state, &call);
        self.state.actor = before;
        match outcome {
            Err(refusal) => Err(EditError::Refused { status: refusal.status, message: refusal.message }),
            Ok(answer) => Ok(match answer.body {
                Body::Json(bytes) => serde_json::from_slice(&bytes).unwrap_or_default(),
                Body::Empty | Body::Other { .. } => Value::Null,
            }),
        }
    }
}

type Changed = Option<(Value, Value)>;

fn corrupt(text: &mut Option<Box<str>>) -> Changed {
    let before = text.take()?;
    let after = wrong(&before);
    *text = Some(after.clone());
    (before != after).then(|| (json!(before), json!(after)))
}

fn corrupt_value(values: &mut Values, field: &str) -> Changed {
    let id: u64 = field.strip_prefix("custom:")?.parse().ok()?;
    let (_, value) = values.iter_mut().find(|(found, _)| *found == id)?;
    let before = value.clone();
    *value = match &before {
        Value::String(text) => json!(wrong(text)),
        Value::Bool(truth) => json!(!truth),
        Value::Number(number) => json!(number.as_f64().unwrap_or_default() + 1.0),
        _ => return None,
    };
    Some((before, value.clone()))
}

/// The text with its last letter or digit replaced by another of the same kind; a text without any gets one more.
fn wrong(text: &str) -> Box<str> {
    let Some((place, letter)) = text.char_indices().rev().find(|(_, letter)| letter.is_ascii_alphanumeric())
    else {
        return format!("{text}x").into();
    };
    let other = match letter {
        '9' => '0',
        'z' => 'a',
        'Z' => 'A',
        _ => char::from_u32(u32::from(letter) + 1).unwrap_or('x'),
    };
    format!("{}{other}{}", &text[..place], &text[place + letter.len_utf8()..]).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_character_changes() {
        let check = |text: &str, expected: &str| assert_eq!(&*wrong(text), expected);
        check("Ärger 19!", "Ärger 10!");
        check("abcz.", "abca.");
        check("öö", "ööx");
        check("", "x");
    }
}
