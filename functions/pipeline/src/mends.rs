//! Single fields of a record, as they were found and as they shall be; and their stored form. Pure.
//!
//! A field is named and compared as the comparison names and compares it. What is written is what was wished, in full.
//! Deliberately absent: deciding which fields are mended (see `repair`), and sending (see `ledger::request`).

use std::collections::BTreeMap;

use migration::compare::Image;
use migration::gorgias::{CustomerId, FieldId, FieldValue, TeamId, TicketStatus, UserId};
use serde::{Deserialize, Serialize};

use crate::ports::gorgias::{
    Change, ChangeOf, Customer, CustomerChange, FoundChannel, FoundValue, Message, Ticket, TicketChange,
};

/// Fields by their names in the comparison.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Mends(BTreeMap<String, Mend>);

/// One field.
#[derive(Debug, Clone, PartialEq)]
pub struct Mend {
    /// What was there, in comparable form.
    pub found: Option<String>,
    /// What shall be there, in comparable form.
    pub wish: Option<String>,
    /// What is written; nothing empties the field.
    pub write: Option<Write>,
}

/// A field as it is written.
#[derive(Debug, Clone, PartialEq)]
pub struct Write {
    /// Its name with the address or tag as it was wished.
    pub name: String,
    /// Its content.
    pub content: FieldValue,
}

/// How a record stands before its fields are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stand {
    /// Every field is as it shall be.
    There,
    /// Every field is as it was found, or as it shall be.
    Expected,
    /// Somebody has changed one of them since.
    Changed,
}

/// A field that no request writes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no request writes {0}")]
pub(crate) struct Unwritable(pub(crate) String);

impl Mends {
    /// Adds a field.
    pub(crate) fn put(&mut self, name: &str, mend: Mend) {
        self.0.insert(name.to_owned(), mend);
    }

    /// Whether nothing is to be mended.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Names and fields, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Mend)> {
        self.0.iter().map(|(name, mend)| (name.as_str(), mend))
    }

    /// Those of which this is true.
    pub(crate) fn only(&self, is_it: impl Fn(&str) -> bool) -> Self {
        let fields = self.0.iter().filter(|(name, _)| is_it(name));
        Self(fields.map(|(name, mend)| (name.clone(), mend.clone())).collect())
    }

    /// How the record stands whose comparable form this is.
    pub(crate) fn stand(&self, now: &Image) -> Stand {
        let is_there = |name: &String, mend: &Mend| now.get(name) == mend.wish.as_ref();
        if self.0.iter().all(|(name, mend)| is_there(name, mend)) {
            return Stand::There;
        }
        let is_found = |name: &String, mend: &Mend| now.get(name) == mend.found.as_ref();
        if self.0.iter().all(|(name, mend)| is_there(name, mend) || is_found(name, mend)) {
            Stand::Expected
        } else {
            Stand::Changed
        }
    }

    /// Name, what shall be there, for the fingerprint of a request.
    pub(crate) fn text(&self) -> String {
        let fields = self.0.iter();
        let shown = fields.map(|(name, mend)| format!("{}:{name}={:?}", name.len(), mend.wish));
        shown.collect::<Vec<_>>().join(";")
    }

    /// What changes on a customer beside its values, channels merged into those that it has now.
    pub(crate) fn customer(&self, now: &Customer) -> Result<CustomerChange, Unwritable> {
        let mut change = CustomerChange::default();
        let mut channels = now.channels.clone().unwrap_or_default();
        for (name, mend) in &self.0 {
            let text = mend.write.as_ref().map(|write| text_of(&write.content));
            match name.as_str() {
                "external_id" => change.external_id = Change::to(text),
                "name" => change.name = Change::to(text),
                "email" => change.email = Change::to(text),
                "language" => change.language = Change::to(text),
                "timezone" => change.timezone = Change::to(text),
                _ if name.starts_with("channel[") => put_channel(&mut channels, name, mend.write.as_ref())?,
                _ => return Err(Unwritable(kind_of(name))),
            }
        }
        change.channels = (now.channels.as_ref() != Some(&channels)).then_some(channels);
        Ok(change)
    }

    /// The whole set of values: what is there now, with what changes.
    pub(crate) fn values(&self, now: &[FoundValue]) -> Result<Vec<FoundValue>, Unwritable> {
        let mut values = now.to_vec();
        for (name, mend) in &self.0 {
            let field = inside(name).and_then(|id| id.parse().ok()).map(FieldId);
            let field = field.ok_or_else(|| Unwritable(kind_of(name)))?;
            values.retain(|value| value.field != field);
            values
                .extend(mend.write.as_ref().map(|write| FoundValue { field, value: write.content.clone() }));
        }
        values.sort_by_key(|value| value.field);
        Ok(values)
    }

    /// What changes on a ticket, and the tags to add and to remove.
    pub(crate) fn ticket(
        &self,
        now: &Ticket,
    ) -> Result<(TicketChange, Vec<String>, Vec<String>), Unwritable> {
        let mut change = TicketChange::default();
        let (mut added, mut removed) = (Vec::new(), Vec::new());
        for (name, mend) in &self.0 {
            let unwritable = || Unwritable(kind_of(name));
            let text = mend.write.as_ref().map(|write| text_of(&write.content));
            let need = || text.clone().ok_or_else(unwritable);
            match name.as_str() {
                "external_id" => change.external_id = Change::to(text),
                "subject" => change.subject = Change::to(text),
                "channel" => change.channel = Some(need()?),
                "via" => change.via = Some(need()?),
                "customer" => change.customer = Some(CustomerId(parsed(&need()?).ok_or_else(unwritable)?)),
                "status" => change.status = Some(status(&need()?).ok_or_else(unwritable)?),
                "from_agent" => change.from_agent = Some(need()? == "true"),
                "is_spam" => change.is_spam = Some(text.is_some_and(|text| text == "true")),
                "assignee_user" => {
                    change.assignee_user = ChangeOf::to(text.and_then(|text| parsed(&text)).map(UserId));
                }
                "assignee_team" => {
                    change.assignee_team = ChangeOf::to(text.and_then(|text| parsed(&text)).map(TeamId));
                }
                "closed_at" => change.closed_at = ChangeOf::to(text.and_then(|text| parsed(&text))),
                "last_message_at" => {
                    change.last_message_at = ChangeOf::to(text.and_then(|text| parsed(&text)));
                }
                _ if name.starts_with("tag[") => match &mend.write {
                    Some(write) => added.push(inside(&write.name).ok_or_else(unwritable)?.to_owned()),
                    None => removed.push(inside(name).ok_or_else(unwritable)?.to_owned()),
                },
                _ if name.starts_with("value[") => {}
                _ => return Err(unwritable()),
            }
        }
        let values = self.only(|name| name.starts_with("value["));
        change.values = (!values.is_empty()).then(|| values.values(&now.values)).transpose()?;
        Ok((change, added, removed))
    }

    /// The message with what changes.
    pub(crate) fn message(&self, now: &Message) -> Result<Message, Unwritable> {
        let mut message = now.clone();
        for (name, mend) in &self.0 {
            let unwritable = || Unwritable(kind_of(name));
            let text = mend.write.as_ref().map(|write| text_of(&write.content));
            let need = || text.clone().ok_or_else(unwritable);
            match name.as_str() {
                "external_id" => message.external_id = text,
                "channel" => message.channel = need()?,
                "from_agent" => message.from_agent = need()? == "true",
                "is_public" => message.is_public = Some(need()? == "true"),
                "sender" => message.sender = text.and_then(|text| parsed(&text)),
                "receiver" => message.receiver = text.and_then(|text| parsed(&text)),
                "sent_at" => message.sent_at = Some(parsed(&need()?).ok_or_else(unwritable)?),
                "created_at" => message.created_at = Some(parsed(&need()?).ok_or_else(unwritable)?),
                "body_text" => message.body_text = text,
                "body_html" => message.body_html = text,
                _ => return Err(unwritable()),
            }
        }
        Ok(message)
    }
}

/// Whether a request takes the field of a record that is there; `object` is `ticket`, `customer` or `message`.
pub(crate) fn is_writable(object: &str, field: &str) -> bool {
    let kind = field.split('[').next().unwrap_or(field);
    let known: &[&str] = match object {
        "customer" => &["external_id", "name", "email", "language", "timezone", "channel", "value"],
        "ticket" => &[
            "external_id",
            "subject",
            "channel",
            "via",
            "customer",
            "status",
            "from_agent",
            "is_spam",
            "assignee_user",
            "assignee_team",
            "closed_at",
            "last_message_at",
            "tag",
            "value",
        ],
        "message" => &[
            "external_id",
            "channel",
            "from_agent",
            "is_public",
            "sender",
            "receiver",
            "sent_at",
            "created_at",
            "body_text",
            "body_html",
        ],
        _ => &[],
    };
    known.contains(&kind)
}

/// The name without what stands in brackets, which may be personal.
pub(crate) fn kind_of(name: &str) -> String {
    name.split('[').next().unwrap_or(name).to_owned()
}

fn inside(name: &str) -> Option<&str> {
    name.split_once('[').and_then(|(_, rest)| rest.strip_suffix(']'))
}

fn parsed<T: std::str::FromStr>(text: &str) -> Option<T> {
    text.parse().ok()
}

fn status(text: &str) -> Option<TicketStatus> {
    [TicketStatus::Open, TicketStatus::Closed].into_iter().find(|status| status.as_str() == text)
}

fn text_of(content: &FieldValue) -> String {
    match content {
        FieldValue::Text(text) => text.clone(),
        FieldValue::Number(number) => number.to_string(),
        FieldValue::Boolean(boolean) => boolean.to_string(),
    }
}

/// Adds a channel, takes it out, or prefers it as wished. Addresses are the same whatever their case.
fn put_channel(
    channels: &mut Vec<FoundChannel>,
    name: &str,
    write: Option<&Write>,
) -> Result<(), Unwritable> {
    let parts = |name: &str| {
        let (kind, address) = inside(name)?.split_once(' ')?;
        Some((kind.to_owned(), address.to_owned()))
    };
    let unwritable = || Unwritable(kind_of(name));
    let (kind, address) = parts(name).ok_or_else(unwritable)?;
    let folded = address.to_lowercase();
    let place = channels.iter().position(|held| held.kind == kind && held.address.to_lowercase() == folded);
    let Some(write) = write else {
        place.map(|place| channels.remove(place));
        return Ok(());
    };
    let is_preferred = text_of(&write.content) == "preferred";
    match place {
        Some(place) => channels[place].is_preferred = is_preferred,
        None => {
            let (kind, address) = parts(&write.name).ok_or_else(unwritable)?;
            channels.push(FoundChannel { kind, address, is_preferred });
        }
    }
    Ok(())
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "version")]
enum StoredMends {
    #[serde(rename = "1")]
    V1 {
        /// The ticket of a message.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ticket: Option<u64>,
        fields: BTreeMap<String, MendV1>,
    },
}

#[derive(Serialize, Deserialize)]
struct MendV1 {
    found: Option<String>,
    wish: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    write: Option<WriteV1>,
}

#[derive(Serialize, Deserialize)]
struct WriteV1 {
    name: String,
    content: ContentV1,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ContentV1 {
    Text(String),
    Number(f64),
    Boolean(bool),
}

impl Mends {
    /// The stored form, with the ticket of a message; holds personal data.
    ///
    /// # Errors
    /// What serde says about a number that is none.
    pub(crate) fn encode(&self, ticket: Option<u64>) -> Result<String, serde_json::Error> {
        let write = |write: &Write| WriteV1 {
            name: write.name.clone(),
            content: match &write.content {
                FieldValue::Text(text) => ContentV1::Text(text.clone()),
                FieldValue::Number(number) => ContentV1::Number(*number),
                FieldValue::Boolean(boolean) => ContentV1::Boolean(*boolean),
            },
        };
        let fields = self.0.iter().map(|(name, mend)| {
            let stored = MendV1 {
                found: mend.found.clone(),
                wish: mend.wish.clone(),
                write: mend.write.as_ref().map(write),
            };
            (name.clone(), stored)
        });
        serde_json::to_string(&StoredMends::V1 { ticket, fields: fields.collect() })
    }

    /// From the stored form.
    ///
    /// # Errors
    /// When the text is none.
    pub(crate) fn decode(text: &str) -> Result<(Option<u64>, Self), serde_json::Error> {
        let StoredMends::V1 { ticket, fields } = serde_json::from_str(text)?;
        let write = |write: WriteV1| Write {
            name: write.name,
            content: match write.content {
                ContentV1::Text(text) => FieldValue::Text(text),
                ContentV1::Number(number) => FieldValue::Number(number),
                ContentV1::Boolean(boolean) => FieldValue::Boolean(boolean),
            },
        };
        let fields = fields.into_iter().map(|(name, stored)| {
            let mend = Mend { found: stored.found, wish: stored.wish, write: stored.write.map(write) };
            (name, mend)
        });
        Ok((ticket, Self(fields.collect())))
    }
}
