//! Reading a message from a request, strictly.
//!
//! The three kinds differ in who may send and receive them (facts: shape per direction). Deliberately absent:
//! storing; see `messages`.

use serde_json::Value;

use super::clock::Instant;
use super::model::Rare;
use super::persons::{PersonRef, TEXT_CHARS_MAX, read_person};
use super::reading::{Given, Problems, Reader};
use super::state::State;
use super::words::SOURCE_TYPES;

/// Longest external id (facts: messages).
const EXTERNAL_ID_CHARS_MAX: usize = 255;
/// Longest subject (facts: tickets).
pub(crate) const SUBJECT_CHARS_MAX: usize = 998;

/// What a request says about a message.
#[derive(Debug, Clone)]
pub(crate) struct MessageDraft {
    pub(crate) channel: String,
    pub(crate) via: String,
    pub(crate) from_agent: bool,
    pub(crate) public: bool,
    pub(crate) imported: bool,
    pub(crate) body_text: Given<String>,
    pub(crate) body_html: Given<String>,
    pub(crate) subject: Given<String>,
    pub(crate) external_id: Given<String>,
    pub(crate) sender: Option<PersonRef>,
    pub(crate) receiver: Option<PersonRef>,
    pub(crate) created: Option<Instant>,
    pub(crate) sent: Given<Instant>,
    pub(crate) rare: Rare,
}

impl MessageDraft {
    pub(crate) fn is_note(&self) -> bool {
        self.channel == "internal-note"
    }
}

/// Where a message stands in a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Inside `POST /tickets`.
    Inline,
    /// `POST /tickets/{id}/messages`.
    Alone,
    /// `PUT /tickets/{id}/messages/{id}`.
    Update,
}

pub(crate) fn read_message(
    state: &State,
    value: Value,
    path: String,
    standing: Standing,
    problems: &Problems,
) -> Option<MessageDraft> {
    let mut reader = Reader::nested(value, path, problems)?;
    let channel = reader.text("channel", 1..=TEXT_CHARS_MAX);
    let channel = reader.required("channel", channel);
    if channel.as_deref().is_some_and(|name| !state.is_channel(name)) {
        reader.problem("channel", "Not a known channel.");
    }
    let from_agent = reader.boolean("from_agent");
    let from_agent = reader.required("from_agent", from_agent);
    let via = read_via(state, &mut reader);
    let public = reader.boolean("public");
    let public = reader.solid("public", public).unwrap_or(true);
    let imported = match standing {
        Standing::Alone => reader.boolean("imported").value().unwrap_or(false),
        Standing::Inline | Standing::Update => false,
    };
    let body_text = read_body(state, &mut reader, "body_text");
    let body_html = read_body(state, &mut reader, "body_html");
    let mut draft = MessageDraft {
        channel: channel.unwrap_or_default(),
        via: via.unwrap_or_else(|| "api".to_owned()),
        from_agent: from_agent.unwrap_or_default(),
        public,
        imported,
        body_text,
        body_html,
        subject: reader.text("subject", 0..=SUBJECT_CHARS_MAX),
        external_id: reader.text("external_id", 0..=EXTERNAL_ID_CHARS_MAX),
        sender: read_party(state, &mut reader, "sender"),
        receiver: read_party(state, &mut reader, "receiver"),
        created: read_past(state, &mut reader, "created_datetime").value(),
        sent: read_past(state, &mut reader, "sent_datetime"),
        rare: read_rare(state, &mut reader),
    };
    // A note is never public, whatever was asked for.
    if draft.is_note() && state.switches.server_changes {
        draft.public = false;
    }
    if standing != Standing::Update && channel_known(&draft) && from_agent.is_some() {
        check_direction(state, &draft, &reader);
    }
    reader.end();
    Some(draft)
}

fn channel_known(draft: &MessageDraft) -> bool {
    !draft.channel.is_empty()
}

/// `via`, which may be left out: live requests without it got `api`.
pub(crate) fn read_via(state: &State, reader: &mut Reader<'_>) -> Option<String> {
    let via = reader.text("via", 1..=TEXT_CHARS_MAX);
    let via = reader.solid("via", via)?;
    if !state.is_via(&via) {
        reader.problem("via", "Not a known value.");
    }
    Some(via)
}

fn read_body(state: &State, reader: &mut Reader<'_>, key: &str) -> Given<String> {
    let body = reader.text(key, 0..=usize::MAX);
    if let (Given::Value(text), Some(most)) = (&body, state.switches.message_body_bytes_max)
        && text.len() > most
    {
        reader.problem(key, format!("Longer than {most} bytes."));
    }
    body
}

/// An instant that must not lie in the future.
pub(crate) fn read_past(state: &State, reader: &mut Reader<'_>, key: &str) -> Given<Instant> {
    let instant = reader.instant(key);
    if matches!(instant, Given::Value(instant) if instant > state.now) {
        reader.problem(key, "Must not be in the future.");
    }
    instant
}

fn read_party(state: &State, reader: &mut Reader<'_>, key: &str) -> Option<PersonRef> {
    let value = reader.object(key).value()?;
    read_person(state, value, reader.path(key), reader.problems(), true)
}

fn read_rare(state: &State, reader: &mut Reader<'_>) -> Rare {
    let boxed =
        |reader: &mut Reader<'_>, key| reader.text(key, 0..=usize::MAX).value().map(String::into_boxed_str);
    let mut rare = Rare {
        message_id: boxed(reader, "message_id"),
        stripped_text: boxed(reader, "stripped_text"),
        stripped_html: boxed(reader, "stripped_html"),
        stripped_signature: boxed(reader, "stripped_signature"),
        ..Rare::default()
    };
    rare.source = read_source(reader);
    rare.attachments = read_attachments(reader);
    rare.macros = reader.list("macros").value().unwrap_or_default();
    rare.actions = reader.list("actions").value().map(Value::from);
    rare.headers = reader.object("headers").value();
    rare.meta = reader.object("meta").value();
    rare.integration_id = reader.id("integration_id").value();
    if rare.integration_id.is_some_and(|id| state.integrations.get(id).is_none()) {
        reader.problem("integration_id", "This integration does not exist.");
    }
    rare.last_sending_error = reader.object("last_sending_error").value();
    rare.opened = reader.instant("opened_datetime").value();
    rare.failed = reader.instant("failed_datetime").value();
    rare.deleted = reader.instant("deleted_datetime").value();
    let mentions = reader.ids("mention_ids", usize::MAX).value().unwrap_or_default();
    if mentions.iter().any(|id| !state.users.contains_key(id)) {
        reader.problem("mention_ids", "A mentioned user does not exist.");
    }
    rare
}

/// `source {type, from{name,address}, to[], cc[], bcc[], extra}`.
fn read_source(reader: &mut Reader<'_>) -> Option<Value> {
    let value = reader.object("source").value()?;
    let kept = value.clone();
    let problems = reader.problems();
    let mut nested = Reader::nested(value, reader.path("source"), problems)?;
    nested.word("type", &SOURCE_TYPES);
    let mut parties: Vec<(String, Value)> = Vec::new();
    if let Given::Value(from) = nested.object("from") {
        parties.push((nested.path("from"), from));
    }
    for key in ["to", "cc", "bcc"] {
        let rows = nested.list(key).value().unwrap_or_default();
        parties.extend(
            rows.into_iter().enumerate().map(|(place, row)| (format!("{}.{place}", nested.path(key)), row)),
        );
    }
    for (path, party) in parties {
        if let Some(mut party) = Reader::nested(party, path, problems) {
            party.text("name", 0..=TEXT_CHARS_MAX);
            party.text("address", 0..=TEXT_CHARS_MAX);
            party.end();
        }
    }
    nested.any("extra");
    nested.end();
    Some(kept)
}

/// `attachments [{url, name, content_type, size?, public?, extra?}]`; urls are stored, not fetched (facts: messages).
fn read_attachments(reader: &mut Reader<'_>) -> Vec<Value> {
    let rows = reader.list("attachments").value().unwrap_or_default();
    let base = reader.path("attachments");
    for (place, row) in rows.iter().enumerate() {
        let path = format!("{base}.{place}");
        let Some(mut nested) = Reader::nested(row.clone(), path, reader.problems()) else { continue };
        for key in ["url", "name", "content_type"] {
            let text = nested.text(key, 1..=TEXT_CHARS_MAX);
            nested.required(key, text);
        }
        nested.integer("size", 0..=i64::MAX);
        nested.boolean("public");
        nested.any("extra");
        nested.end();
    }
    let mut rows = rows;
    for row in rows.iter_mut().filter_map(Value::as_object_mut) {
        row.entry("public").or_insert(Value::Bool(true));
    }
    rows
}

/// Incoming: from a customer. Outgoing: from a user to a customer. Note: from a user to nobody.
fn check_direction(state: &State, draft: &MessageDraft, reader: &Reader<'_>) {
    let is_user = |person: &PersonRef| person.known(state).map(|id| state.users.contains_key(&id));
    match draft.sender.as_ref().and_then(is_user) {
        Some(false) if draft.from_agent => {
            reader.problem("sender", "Must be a user when from_agent is true.");
        }
        Some(true) if !draft.from_agent => {
            reader.problem("sender", "Must be a customer when from_agent is false.");
        }
        _ => {}
    }
    if draft.is_note() {
        if !draft.from_agent {
            reader.problem("from_agent", "Internal notes come from agents.");
        }
        if draft.receiver.is_some() {
            reader.problem("receiver", "Internal notes have no receiver.");
        }
    } else if draft.from_agent {
        match draft.receiver.as_ref().map(is_user) {
            None => reader.problem("receiver", "Required when from_agent is true."),
            Some(Some(true)) => reader.problem("receiver", "Must be a customer."),
            Some(_) => {}
        }
    }
    if draft.channel == "email" {
        let source = draft.rare.source.as_ref();
        let address = |party: &Value| party["address"].as_str().is_some_and(|address| !address.is_empty());
        let from = source.is_some_and(|source| address(&source["from"]));
        let to = source.and_then(|source| source["to"].as_array()).is_some_and(|to| to.iter().any(address));
        if !from || !to {
            reader.problem("source", "An email needs the addresses of source.from and source.to.");
        }
    }
}
