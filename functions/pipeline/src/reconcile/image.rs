//! Both sides of a comparison in one shape: field names to text, ids resolved on the wanted side. Pure.
//!
//! Several values under one name carry the value in the name, such as `channel[phone +358…]`. Empty text and absence
//! are the same: Gorgias turns one into the other.

use jiff::Timestamp;
use migration::compare::Image;
use migration::gorgias::{CustomerId, FieldId, FieldObject, FieldValue};
use snapshot::tables::{
    WantAttachment, WantCustomer, WantCustomerChannel, WantCustomerValue, WantField, WantMessage, WantTag,
    WantTeam,
};

use crate::load::drafts::{Names, TicketRows, field_value};
use crate::ports::gorgias::{Customer, Field, FoundValue, Message, Tag, Team, Ticket};

/// Collects the fields that are there.
#[derive(Default)]
struct Fields(Image);

impl Fields {
    #[expect(clippy::needless_pass_by_value, reason = "a value that is rendered is done with")]
    fn put(&mut self, name: impl Into<String>, value: impl ToString) {
        let value = value.to_string();
        if !value.is_empty() {
            self.0.insert(name.into(), value);
        }
    }

    fn put_maybe(&mut self, name: &str, value: Option<impl ToString>) {
        if let Some(value) = value {
            self.put(name, value);
        }
    }

    fn put_time(&mut self, name: &str, at: Option<Timestamp>) {
        // Both sides keep microseconds.
        self.put_maybe(name, at.and_then(|at| Timestamp::from_microsecond(at.as_microsecond()).ok()));
    }

    fn put_channel(&mut self, kind: &str, address: &str, is_preferred: bool) {
        self.put(format!("channel[{kind} {address}]"), if is_preferred { "preferred" } else { "listed" });
    }

    fn put_value(&mut self, names: &Names, field: FieldId, value: &FieldValue) {
        let shown = match value {
            FieldValue::Text(text) => text.clone(),
            FieldValue::Number(number) => number.to_string(),
            FieldValue::Boolean(boolean) => boolean.to_string(),
        };
        let managed = names.directory.managed_fields.contains(&field);
        self.put(format!("{}[{field}]", if managed { "managed_value" } else { "value" }), shown);
    }

    fn put_found(&mut self, names: &Names, values: &[FoundValue]) {
        for value in values {
            self.put_value(names, value.field, &value.value);
        }
    }
}

/// A customer as wanted.
pub(crate) fn wanted_customer(
    names: &Names,
    row: &WantCustomer,
    channels: &[WantCustomerChannel],
    values: &[WantCustomerValue],
) -> Image {
    let mut fields = Fields::default();
    fields.put("external_id", &row.external_id);
    fields.put_maybe("name", row.customer_name.as_ref());
    fields.put_maybe("email", row.email.as_ref());
    fields.put_maybe("language", row.language.as_ref());
    fields.put_maybe("timezone", row.timezone.as_ref());
    for channel in channels {
        fields.put_channel(&channel.channel_type, &channel.address, channel.is_preferred);
    }
    for row in values {
        let value = field_value(&row.data_type, row.value_text.as_ref(), row.value_number, row.value_boolean);
        let field = names.directory.field(FieldObject::Customer, &row.field_key);
        if let Some((field, value)) = field.zip(value) {
            fields.put_value(names, field, &value);
        }
    }
    fields.0
}

/// A customer as found.
pub(crate) fn found_customer(names: &Names, found: &Customer) -> Image {
    let mut fields = Fields::default();
    fields.put_maybe("external_id", found.external_id.as_ref());
    fields.put_maybe("name", found.name.as_ref());
    fields.put_maybe("first_name", found.first_name.as_ref());
    fields.put_maybe("last_name", found.last_name.as_ref());
    fields.put_maybe("email", found.email.as_ref());
    fields.put_maybe("language", found.language.as_ref());
    fields.put_maybe("timezone", found.timezone.as_ref());
    for channel in found.channels.iter().flatten() {
        fields.put_channel(&channel.kind, &channel.address, channel.is_preferred);
    }
    fields.put_found(names, found.values.as_deref().unwrap_or_default());
    fields.0
}

/// A ticket as wanted; its messages are compared for themselves.
pub(crate) fn wanted_ticket(names: &Names, rows: &TicketRows, customer: CustomerId) -> Image {
    let row = &rows.ticket;
    let mut fields = Fields::default();
    fields.put("external_id", &row.external_id);
    fields.put("customer", customer);
    fields.put("subject", &row.subject);
    fields.put("status", &row.status);
    fields.put("channel", &row.channel);
    fields.put("via", &row.via);
    fields.put("from_agent", row.is_from_agent);
    fields.put_maybe("assignee_user", names.assignee(row.assignee_agent_id.as_ref()));
    fields.put_maybe("assignee_team", names.team(row.assignee_team_key.as_ref()));
    fields.put_time("created_at", Some(row.created_at));
    fields.put_time("closed_at", row.closed_at);
    fields.put_time("last_message_at", Some(row.last_message_at));
    for tag in &rows.tags {
        fields.put(format!("tag[{}]", tag.tag_name), "set");
    }
    for row in &rows.values {
        let value = field_value(&row.data_type, row.value_text.as_ref(), row.value_number, row.value_boolean);
        let field = names.directory.field(FieldObject::Ticket, &row.field_key);
        if let Some((field, value)) = field.zip(value) {
            fields.put_value(names, field, &value);
        }
    }
    fields.0
}

/// A ticket as found.
pub(crate) fn found_ticket(names: &Names, found: &Ticket) -> Image {
    let mut fields = Fields::default();
    fields.put_maybe("external_id", found.external_id.as_ref());
    fields.put_maybe("customer", found.customer);
    fields.put_maybe("subject", found.subject.as_ref());
    fields.put("status", &found.status);
    fields.put("channel", &found.channel);
    fields.put("via", &found.via);
    fields.put_maybe("from_agent", found.from_agent);
    fields.put_maybe("assignee_user", found.assignee_user);
    fields.put_maybe("assignee_team", found.assignee_team);
    fields.put_time("created_at", found.created_at);
    fields.put_time("closed_at", found.closed_at);
    fields.put_time("last_message_at", found.last_message_at);
    fields.put_time("updated_at", found.updated_at);
    fields.put_time("trashed_at", found.trashed_at);
    fields.put_maybe("language", found.language.as_ref());
    if found.is_spam == Some(true) {
        fields.put("is_spam", true);
    }
    for tag in &found.tags {
        fields.put(format!("tag[{tag}]"), "set");
    }
    fields.put_found(names, &found.values);
    fields.0
}

/// A file that hangs on a message, under its place: two may have one name.
fn put_file(
    fields: &mut Fields,
    place: usize,
    name: &str,
    content_type: &str,
    bytes: Option<u64>,
    url: &str,
) {
    fields.put(format!("attachment[{place}].name"), name);
    fields.put(format!("attachment[{place}].content_type"), content_type);
    fields.put_maybe(&format!("attachment[{place}].size"), bytes);
    fields.put(format!("attachment[{place}].url"), url);
}

/// A message as wanted, with the files that Gorgias took.
pub(crate) fn wanted_message(
    names: &Names,
    row: &WantMessage,
    files: &[(&WantAttachment, String)],
    customer: CustomerId,
) -> Image {
    let mut fields = Fields::default();
    fields.put("external_id", &row.external_id);
    fields.put("channel", if row.kind == "note" { "internal-note" } else { row.channel.as_str() });
    fields.put("from_agent", row.is_from_agent);
    fields.put("is_public", row.is_public);
    fields.put("sender", names.sender(row, customer));
    if row.kind == "outgoing" {
        fields.put("receiver", customer);
    }
    fields.put_time("sent_at", Some(row.sent_at));
    fields.put_time("created_at", Some(row.sent_at));
    fields.put("body_text", &row.body_text);
    fields.put("body_html", &row.body_html);
    for (place, (file, url)) in (1..).zip(files) {
        let bytes = u64::try_from(file.size_bytes).ok();
        put_file(&mut fields, place, &file.file_name, &file.content_type, bytes, url);
    }
    fields.0
}

/// A message as found.
pub(crate) fn found_message(found: &Message) -> Image {
    let mut fields = Fields::default();
    fields.put_maybe("external_id", found.external_id.as_ref());
    fields.put("channel", &found.channel);
    fields.put("from_agent", found.from_agent);
    fields.put_maybe("is_public", found.is_public);
    fields.put_maybe("sender", found.sender);
    // Notes and incoming messages may name the account's own side; only outgoing ones have a receiver that matters.
    if found.from_agent && found.channel != "internal-note" {
        fields.put_maybe("receiver", found.receiver);
    }
    fields.put_time("sent_at", found.sent_at);
    fields.put_time("created_at", found.created_at);
    fields.put_maybe("body_text", found.body_text.as_ref());
    fields.put_maybe("body_html", found.body_html.as_ref());
    for (place, file) in (1..).zip(&found.attachments) {
        put_file(&mut fields, place, &file.name, &file.content_type, file.bytes, &file.url);
    }
    fields.0
}

/// A tag as wanted.
pub(crate) fn wanted_tag(row: &WantTag) -> Image {
    let mut fields = Fields::default();
    fields.put("name", &row.tag_name);
    fields.put("description", &row.description);
    fields.0
}

/// A tag as found.
pub(crate) fn found_tag(found: &Tag) -> Image {
    let mut fields = Fields::default();
    fields.put("name", &found.name);
    fields.put_maybe("description", found.description.as_ref());
    fields.put_maybe("color", found.color.as_ref());
    fields.0
}

/// A field definition as wanted.
pub(crate) fn wanted_field(row: &WantField) -> Image {
    let mut fields = Fields::default();
    fields.put("external_id", &row.field_key);
    fields.put("object_type", &row.object_type);
    fields.put("label", &row.label);
    fields.put("description", &row.description);
    fields.put("data_type", &row.data_type);
    fields.put("is_active", true);
    fields.0
}

/// A field definition as found.
pub(crate) fn found_field(found: &Field) -> Image {
    let mut fields = Fields::default();
    fields.put_maybe("external_id", found.external_id.as_ref());
    fields.put("object_type", found.object.as_str());
    fields.put("label", &found.label);
    fields.put_maybe("description", found.description.as_ref());
    fields.put("data_type", &found.data_type);
    fields.put("is_active", found.is_active);
    fields.put_maybe("priority", found.priority);
    fields.0
}

/// A team as wanted; `members` are users.
pub(crate) fn wanted_team(row: &WantTeam, members: &[u64]) -> Image {
    let mut fields = Fields::default();
    fields.put("name", &row.team_name);
    fields.put("description", &row.description);
    for member in members {
        fields.put(format!("member[{member}]"), "set");
    }
    fields.0
}

/// A team as found.
pub(crate) fn found_team(found: &Team) -> Image {
    let mut fields = Fields::default();
    fields.put("name", &found.name);
    fields.put_maybe("description", found.description.as_ref());
    for member in &found.members {
        fields.put(format!("member[{member}]"), "set");
    }
    fields.0
}
