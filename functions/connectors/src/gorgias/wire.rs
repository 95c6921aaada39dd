//! JSON shapes of Gorgias' answers, read leniently: unknown keys are kept by the caller as text.

use jiff::Timestamp;
use migration::gorgias::{
    CustomerId, FieldId, FieldObject, FieldValue, IntegrationId, MessageId, RuleId, SettingId, TagId, TeamId,
    TicketId, UserId,
};
use pipeline::ports::gorgias as port;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::files;

/// Envelope of every paginated list.
#[derive(Deserialize)]
pub(super) struct List<'a> {
    #[serde(borrow)]
    pub(super) data: Vec<&'a RawValue>,
    pub(super) meta: Option<Meta>,
}

#[derive(Deserialize)]
pub(super) struct Meta {
    pub(super) next_cursor: Option<String>,
}

/// Turns the wire form into the port's record; the error says what is missing, without content.
pub(super) trait Wire: for<'de> Deserialize<'de> {
    type Record;
    fn into_record(self) -> Result<Self::Record, String>;
}

/// Both documented forms: with `T`, and the older one with a blank; a time without offset is UTC.
pub(super) fn instant(text: &str) -> Result<Timestamp, String> {
    if let Ok(at) = text.parse::<Timestamp>() {
        return Ok(at);
    }
    let civil = text
        .replacen(' ', "T", 1)
        .parse::<jiff::civil::DateTime>()
        .map_err(|_| "a time in an unknown form".to_owned())?;
    civil
        .to_zoned(jiff::tz::TimeZone::UTC)
        .map(|zoned| zoned.timestamp())
        .map_err(|_| "a time out of range".to_owned())
}

fn optional_instant(text: Option<&str>) -> Result<Option<Timestamp>, String> {
    text.map(instant).transpose()
}

#[derive(Deserialize)]
struct Reference {
    id: u64,
}

#[derive(Deserialize)]
struct Named {
    name: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct UserWire {
    id: u64,
    email: Option<String>,
    name: Option<String>,
    role: Option<Named>,
    active: Option<bool>,
    deactivated_datetime: Option<String>,
    external_id: Option<String>,
}

impl Wire for UserWire {
    type Record = port::User;
    fn into_record(self) -> Result<port::User, String> {
        Ok(port::User {
            id: UserId(self.id),
            email: self.email,
            name: self.name.unwrap_or_default(),
            role: self.role.and_then(|role| role.name).unwrap_or_default(),
            is_active: self.active.unwrap_or(true) && self.deactivated_datetime.is_none(),
            external_id: self.external_id,
        })
    }
}

#[derive(Deserialize)]
pub(super) struct TeamWire {
    id: u64,
    name: String,
    description: Option<String>,
    #[serde(default)]
    members: Vec<Reference>,
    created_datetime: Option<String>,
}

impl Wire for TeamWire {
    type Record = port::Team;
    fn into_record(self) -> Result<port::Team, String> {
        let mut members: Vec<UserId> = self.members.iter().map(|member| UserId(member.id)).collect();
        members.sort_unstable();
        let created_at = optional_instant(self.created_datetime.as_deref())?;
        Ok(port::Team {
            id: TeamId(self.id),
            name: self.name,
            description: self.description,
            members,
            created_at,
        })
    }
}

#[derive(Deserialize)]
struct Decoration {
    color: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct TagWire {
    id: u64,
    name: String,
    description: Option<String>,
    decoration: Option<Decoration>,
    usage: Option<i64>,
}

impl Wire for TagWire {
    type Record = port::Tag;
    fn into_record(self) -> Result<port::Tag, String> {
        let color = self.decoration.and_then(|decoration| decoration.color);
        Ok(port::Tag {
            id: TagId(self.id),
            name: self.name,
            description: self.description,
            color,
            usage: self.usage,
        })
    }
}

#[derive(Deserialize)]
struct Definition {
    data_type: String,
}

#[derive(Deserialize)]
pub(super) struct FieldWire {
    id: u64,
    object_type: String,
    external_id: Option<String>,
    label: String,
    description: Option<String>,
    definition: Definition,
    managed_type: Option<String>,
    deactivated_datetime: Option<String>,
    priority: Option<i32>,
}

impl Wire for FieldWire {
    type Record = port::Field;
    fn into_record(self) -> Result<port::Field, String> {
        let object = match self.object_type.as_str() {
            "Ticket" => FieldObject::Ticket,
            "Customer" => FieldObject::Customer,
            _ => return Err("a field of an unknown object type".to_owned()),
        };
        Ok(port::Field {
            id: FieldId(self.id),
            object,
            external_id: self.external_id,
            label: self.label,
            description: self.description,
            data_type: self.definition.data_type,
            managed_type: self.managed_type,
            is_active: self.deactivated_datetime.is_none(),
            priority: self.priority,
        })
    }
}

#[derive(Deserialize)]
pub(super) struct RuleWire {
    id: u64,
    name: String,
    deactivated_datetime: Option<String>,
    event_types: Option<Value>,
}

impl Wire for RuleWire {
    type Record = port::Rule;
    fn into_record(self) -> Result<port::Rule, String> {
        let event_types = self.event_types.filter(|value| !value.is_null()).map(|value| match value {
            Value::String(text) => text,
            other => other.to_string(),
        });
        Ok(port::Rule {
            id: RuleId(self.id),
            name: self.name,
            is_active: self.deactivated_datetime.is_none(),
            event_types,
        })
    }
}

#[derive(Deserialize)]
pub(super) struct SettingWire {
    id: u64,
    #[serde(rename = "type")]
    kind: String,
    data: Value,
}

impl Wire for SettingWire {
    type Record = port::Setting;
    fn into_record(self) -> Result<port::Setting, String> {
        Ok(port::Setting { id: SettingId(self.id), kind: self.kind, json: self.data.to_string() })
    }
}

#[derive(Deserialize)]
pub(super) struct IntegrationWire {
    id: u64,
    name: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    deactivated_datetime: Option<String>,
}

impl Wire for IntegrationWire {
    type Record = port::Integration;
    fn into_record(self) -> Result<port::Integration, String> {
        Ok(port::Integration {
            id: IntegrationId(self.id),
            name: self.name.unwrap_or_default(),
            kind: self.kind.unwrap_or_default(),
            is_active: self.deactivated_datetime.is_none(),
        })
    }
}

#[derive(Deserialize)]
struct StatusWire {
    status: Option<String>,
}

#[derive(Deserialize)]
struct Subscription {
    plan: Option<Value>,
}

#[derive(Deserialize)]
pub(super) struct AccountWire {
    domain: String,
    status: Option<StatusWire>,
    current_subscription: Option<Subscription>,
}

impl Wire for AccountWire {
    type Record = port::Account;
    fn into_record(self) -> Result<port::Account, String> {
        let plan =
            self.current_subscription.and_then(|subscription| subscription.plan).map(|plan| match plan {
                Value::String(text) => text,
                other => other.to_string(),
            });
        Ok(port::Account { domain: self.domain, status: self.status.and_then(|status| status.status), plan })
    }
}

#[derive(Deserialize)]
struct ChannelWire {
    #[serde(rename = "type")]
    kind: String,
    address: Option<String>,
    preferred: Option<bool>,
    deleted_datetime: Option<String>,
}

/// Entry of `{"data":[{"field":{…},"value":…}]}`.
#[derive(Deserialize)]
pub(super) struct ValueWire {
    field: Option<Reference>,
    id: Option<u64>,
    value: Value,
}

#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum ValuesWire {
    Wrapped { data: Vec<ValueWire> },
    Bare(Vec<ValueWire>),
    ById(std::collections::BTreeMap<String, ValueWire>),
}

impl ValuesWire {
    /// Sorted by field; a null value is no value.
    pub(super) fn into_values(self) -> Result<Vec<port::FoundValue>, String> {
        let entries = match self {
            Self::Wrapped { data } | Self::Bare(data) => data,
            Self::ById(map) => map.into_values().collect(),
        };
        let mut values = Vec::new();
        for entry in entries {
            let id = entry.field.map(|field| field.id).or(entry.id).ok_or("a value without a field")?;
            let value = match entry.value {
                Value::Null => continue,
                Value::String(text) => FieldValue::Text(text),
                Value::Bool(flag) => FieldValue::Boolean(flag),
                Value::Number(number) => FieldValue::Number(number.as_f64().ok_or("a number out of range")?),
                Value::Array(_) | Value::Object(_) => return Err("a nested custom value".to_owned()),
            };
            values.push(port::FoundValue { field: FieldId(id), value });
        }
        values.sort_by_key(|value| value.field);
        Ok(values)
    }
}

#[derive(Deserialize)]
pub(super) struct CustomerWire {
    id: u64,
    external_id: Option<String>,
    name: Option<String>,
    firstname: Option<String>,
    lastname: Option<String>,
    email: Option<String>,
    language: Option<String>,
    timezone: Option<String>,
    channels: Option<Vec<ChannelWire>>,
    custom_fields: Option<ValuesWire>,
    created_datetime: Option<String>,
    updated_datetime: Option<String>,
}

impl Wire for CustomerWire {
    type Record = port::Customer;
    fn into_record(self) -> Result<port::Customer, String> {
        let is_list_form = self.channels.is_none();
        let channels = self.channels.map(|channels| {
            let mut found: Vec<port::FoundChannel> = channels
                .into_iter()
                .filter(|channel| channel.deleted_datetime.is_none())
                .map(|channel| port::FoundChannel {
                    kind: channel.kind,
                    address: channel.address.unwrap_or_default(),
                    is_preferred: channel.preferred.unwrap_or_default(),
                })
                .collect();
            found.sort();
            found
        });
        // In the list form an empty map of values means nothing (facts: seen live).
        let values = match self.custom_fields {
            Some(values) if !is_list_form => Some(values.into_values()?),
            _ => None,
        };
        Ok(port::Customer {
            id: CustomerId(self.id),
            external_id: self.external_id,
            name: self.name,
            first_name: self.firstname,
            last_name: self.lastname,
            email: self.email,
            language: self.language,
            timezone: self.timezone,
            channels,
            values,
            created_at: optional_instant(self.created_datetime.as_deref())?,
            updated_at: optional_instant(self.updated_datetime.as_deref())?,
        })
    }
}

#[derive(Deserialize)]
pub(super) struct TicketWire {
    id: u64,
    external_id: Option<String>,
    customer: Option<Reference>,
    subject: Option<String>,
    status: String,
    channel: String,
    via: String,
    from_agent: Option<bool>,
    assignee_user: Option<Reference>,
    assignee_team: Option<Reference>,
    #[serde(default)]
    tags: Vec<Named>,
    custom_fields: Option<ValuesWire>,
    created_datetime: Option<String>,
    opened_datetime: Option<String>,
    closed_datetime: Option<String>,
    last_message_datetime: Option<String>,
    updated_datetime: Option<String>,
    trashed_datetime: Option<String>,
    spam: Option<bool>,
    priority: Option<String>,
    language: Option<String>,
    messages_count: Option<i64>,
}

impl Wire for TicketWire {
    type Record = port::Ticket;
    fn into_record(self) -> Result<port::Ticket, String> {
        let mut tags: Vec<String> = self.tags.into_iter().filter_map(|tag| tag.name).collect();
        tags.sort();
        Ok(port::Ticket {
            id: TicketId(self.id),
            external_id: self.external_id,
            customer: self.customer.map(|customer| CustomerId(customer.id)),
            subject: self.subject,
            status: self.status,
            channel: self.channel,
            via: self.via,
            from_agent: self.from_agent,
            assignee_user: self.assignee_user.map(|user| UserId(user.id)),
            assignee_team: self.assignee_team.map(|team| TeamId(team.id)),
            tags,
            values: self.custom_fields.map(ValuesWire::into_values).transpose()?.unwrap_or_default(),
            created_at: optional_instant(self.created_datetime.as_deref())?,
            opened_at: optional_instant(self.opened_datetime.as_deref())?,
            closed_at: optional_instant(self.closed_datetime.as_deref())?,
            last_message_at: optional_instant(self.last_message_datetime.as_deref())?,
            updated_at: optional_instant(self.updated_datetime.as_deref())?,
            trashed_at: optional_instant(self.trashed_datetime.as_deref())?,
            is_spam: self.spam,
            priority: self.priority,
            language: self.language,
            message_count: self.messages_count,
        })
    }
}

#[derive(Deserialize)]
pub(super) struct MessageWire {
    id: u64,
    ticket_id: u64,
    external_id: Option<String>,
    channel: String,
    via: String,
    from_agent: bool,
    public: Option<bool>,
    sender: Option<Reference>,
    receiver: Option<Reference>,
    sent_datetime: Option<String>,
    created_datetime: Option<String>,
    body_text: Option<String>,
    body_html: Option<String>,
    #[serde(default)]
    attachments: Option<Vec<files::AttachmentWire>>,
}

impl Wire for MessageWire {
    type Record = port::Message;
    fn into_record(self) -> Result<port::Message, String> {
        Ok(port::Message {
            id: MessageId(self.id),
            ticket: TicketId(self.ticket_id),
            external_id: self.external_id,
            channel: self.channel,
            via: self.via,
            from_agent: self.from_agent,
            is_public: self.public,
            sender: self.sender.map(|person| person.id),
            receiver: self.receiver.map(|person| person.id),
            sent_at: optional_instant(self.sent_datetime.as_deref())?,
            created_at: optional_instant(self.created_datetime.as_deref())?,
            body_text: self.body_text,
            body_html: self.body_html,
            attachments: files::found(self.attachments),
        })
    }
}

#[derive(Deserialize)]
pub(super) struct EventWire {
    id: u64,
    #[serde(rename = "type")]
    kind: String,
    object_type: String,
    object_id: u64,
    user_id: Option<u64>,
    created_datetime: String,
}

impl Wire for EventWire {
    type Record = port::AuditEvent;
    fn into_record(self) -> Result<port::AuditEvent, String> {
        Ok(port::AuditEvent {
            id: self.id,
            kind: self.kind,
            object_type: self.object_type,
            object: self.object_id,
            user: self.user_id.map(UserId),
            at: instant(&self.created_datetime)?,
        })
    }
}
