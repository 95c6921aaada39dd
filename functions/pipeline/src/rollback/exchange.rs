//! What is taken out of a customer that was there before us, and its stored form. Pure.

use migration::compare::{Compared, Image, normalised};
use migration::decide::FieldChange;
use migration::gorgias::{CustomerId, FieldId, FieldValue};
use serde::{Deserialize, Serialize};

use crate::ledger::request::{Direction, Exchange, Undoing};
use crate::ports::gorgias::{Change, Customer, CustomerChange, FoundChannel, FoundValue};

/// Both halves of an exchange: fields with channels, and values.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Release {
    /// Before and after.
    fields: (CustomerChange, CustomerChange),
    /// Before and after; absent when no value changes.
    values: Option<(Vec<FoundValue>, Vec<FoundValue>)>,
}

impl Release {
    /// The release that makes these changes to a customer as it was found.
    pub(crate) fn of(found: &Customer, changes: &[FieldChange]) -> Self {
        let mut before = CustomerChange::default();
        let mut after = CustomerChange::default();
        let mut channels = found.channels.clone().unwrap_or_default();
        let mut values = found.values.clone().unwrap_or_default();
        let is_text = |text: Option<&String>| text.map_or(Change::Empty, |text| Change::To(text.clone()));
        for change in changes {
            let (held, write) = (is_text(change.found.as_ref()), is_text(change.write.as_ref()));
            match change.field.as_str() {
                "external_id" => (before.external_id, after.external_id) = (held, write),
                "name" => (before.name, after.name) = (held, write),
                "email" => (before.email, after.email) = (held, write),
                field if field.starts_with("channel[") => change_channel(&mut channels, field, &write),
                field => values.retain(|value| format!("value[{}]", value.field) != field),
            }
        }
        if found.channels.as_ref().is_some_and(|held| *held != channels) {
            before.channels.clone_from(&found.channels);
            after.channels = Some(channels);
        }
        let held = found.values.clone().unwrap_or_default();
        Self { fields: (before, after), values: (held != values).then_some((held, values)) }
    }

    /// The write of the fields.
    pub(crate) fn fields(&self, id: CustomerId, direction: Direction) -> Undoing {
        let (from, to) = turned(&self.fields, direction);
        Undoing::ExchangeFields(id, Box::new(Exchange { from, to, direction }))
    }

    /// The write of the values, if any change.
    pub(crate) fn values(&self, id: CustomerId, direction: Direction) -> Option<Undoing> {
        let (from, to) = turned(self.values.as_ref()?, direction);
        Some(Undoing::ExchangeValues(id, Box::new(Exchange { from, to, direction })))
    }
}

fn turned<T: Clone>(sides: &(T, T), direction: Direction) -> (T, T) {
    let (before, after) = sides.clone();
    match direction {
        Direction::Release => (before, after),
        Direction::Refill => (after, before),
    }
}

/// Takes a channel out, or lets the account prefer what it preferred before.
fn change_channel(channels: &mut Vec<FoundChannel>, field: &str, write: &Change) {
    let is_it = |channel: &FoundChannel| {
        let name = format!("channel[{} {}]", channel.kind, channel.address);
        let image = Image::from([(name, String::new())]);
        normalised(Compared::Customer, &image).contains_key(field)
    };
    match write {
        Change::To(word) => {
            for channel in channels.iter_mut().filter(|channel| is_it(channel)) {
                channel.is_preferred = word == "preferred";
            }
        }
        Change::Empty | Change::Keep => channels.retain(|channel| !is_it(channel)),
    }
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "version")]
enum StoredRelease {
    #[serde(rename = "1")]
    V1 { fields: (FieldsV1, FieldsV1), values: Option<(Vec<ValueV1>, Vec<ValueV1>)> },
}

/// Fields on one side; an absent one stays, an empty one is empty.
#[derive(Serialize, Deserialize)]
struct FieldsV1 {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    external_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    channels: Option<Vec<(String, String, bool)>>,
}

#[derive(Serialize, Deserialize)]
struct ValueV1 {
    field: u64,
    value: ContentV1,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ContentV1 {
    Text(String),
    Number(f64),
    Boolean(bool),
}

impl Release {
    /// The stored form; holds personal data.
    ///
    /// # Errors
    /// What serde says about a number that is none.
    pub(crate) fn encode(&self) -> Result<String, serde_json::Error> {
        let values = |values: &Vec<FoundValue>| values.iter().map(stored_value).collect();
        serde_json::to_string(&StoredRelease::V1 {
            fields: (stored_fields(&self.fields.0), stored_fields(&self.fields.1)),
            values: self.values.as_ref().map(|(before, after)| (values(before), values(after))),
        })
    }

    /// From the stored form.
    ///
    /// # Errors
    /// When the text is no release.
    pub(crate) fn decode(text: &str) -> Result<Self, serde_json::Error> {
        let StoredRelease::V1 { fields: (before, after), values } = serde_json::from_str(text)?;
        let found = |values: Vec<ValueV1>| values.into_iter().map(found_value).collect();
        Ok(Self {
            fields: (change(before), change(after)),
            values: values.map(|(before, after)| (found(before), found(after))),
        })
    }
}

fn stored_fields(change: &CustomerChange) -> FieldsV1 {
    let text = |change: &Change| match change {
        Change::Keep => None,
        Change::Empty => Some(String::new()),
        Change::To(text) => Some(text.clone()),
    };
    let channels = change.channels.as_ref().map(|channels| {
        channels.iter().map(|held| (held.kind.clone(), held.address.clone(), held.is_preferred)).collect()
    });
    FieldsV1 {
        external_id: text(&change.external_id),
        name: text(&change.name),
        email: text(&change.email),
        channels,
    }
}

fn change(stored: FieldsV1) -> CustomerChange {
    let text = |text: Option<String>| match text {
        None => Change::Keep,
        Some(text) if text.is_empty() => Change::Empty,
        Some(text) => Change::To(text),
    };
    let channel = |(kind, address, is_preferred)| FoundChannel { kind, address, is_preferred };
    CustomerChange {
        external_id: text(stored.external_id),
        name: text(stored.name),
        email: text(stored.email),
        channels: stored.channels.map(|channels| channels.into_iter().map(channel).collect()),
        ..CustomerChange::default()
    }
}

fn stored_value(value: &FoundValue) -> ValueV1 {
    let content = match &value.value {
        FieldValue::Text(text) => ContentV1::Text(text.clone()),
        FieldValue::Number(number) => ContentV1::Number(*number),
        FieldValue::Boolean(boolean) => ContentV1::Boolean(*boolean),
    };
    ValueV1 { field: value.field.0, value: content }
}

fn found_value(stored: ValueV1) -> FoundValue {
    let value = match stored.value {
        ContentV1::Text(text) => FieldValue::Text(text),
        ContentV1::Number(number) => FieldValue::Number(number),
        ContentV1::Boolean(boolean) => FieldValue::Boolean(boolean),
    };
    FoundValue { field: FieldId(stored.field), value }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn channel(address: &str, is_preferred: bool) -> FoundChannel {
        FoundChannel { kind: "phone".to_owned(), address: address.to_owned(), is_preferred }
    }

    fn found() -> Customer {
        Customer {
            id: CustomerId(5),
            external_id: Some("leaddesk:contact:1".to_owned()),
            name: Some("Aino".to_owned()),
            first_name: None,
            last_name: None,
            email: Some("aino@example.com".to_owned()),
            language: None,
            timezone: None,
            channels: Some(vec![channel("+3581", true), channel("+3582", false), channel("+3583", false)]),
            values: Some(vec![
                FoundValue { field: FieldId(1), value: FieldValue::Text("theirs".to_owned()) },
                FoundValue { field: FieldId(2), value: FieldValue::Number(2.5) },
            ]),
            created_at: None,
            updated_at: None,
        }
    }

    fn change_of(field: &str, found: Option<&str>, write: Option<&str>) -> FieldChange {
        FieldChange {
            field: field.to_owned(),
            found: found.map(str::to_owned),
            write: write.map(str::to_owned),
        }
    }

    #[test]
    fn only_what_we_filled_is_taken_out_and_it_can_be_filled_again() {
        let release = Release::of(
            &found(),
            &[
                change_of("external_id", Some("leaddesk:contact:1"), None),
                change_of("channel[phone +3582]", Some("listed"), None),
                change_of("value[2]", Some("2.5"), None),
            ],
        );
        let back = Release::decode(&release.encode().expect("plain")).expect("own form");
        assert_eq!(back, release);
        let Undoing::ExchangeFields(_, out) = release.fields(CustomerId(5), Direction::Release) else {
            unreachable!("fields are exchanged as fields")
        };
        assert_eq!(out.to.external_id, Change::Empty);
        assert_eq!(out.to.name, Change::Keep);
        assert_eq!(out.to.channels, Some(vec![channel("+3581", true), channel("+3583", false)]));
        let Some(Undoing::ExchangeValues(_, values)) = release.values(CustomerId(5), Direction::Refill)
        else {
            unreachable!("a value changes")
        };
        assert_eq!(values.from.len(), 1);
        assert_eq!(values.to, found().values.expect("given"));
    }

    #[test]
    fn nothing_to_take_out_changes_nothing() {
        let release = Release::of(&found(), &[]);
        assert_eq!(release.fields, (CustomerChange::default(), CustomerChange::default()));
        assert_eq!(release.values(CustomerId(5), Direction::Release), None);
    }
}
