//! Records as Gorgias shows them -> rows of the `dst_gorgias_*` tables. Translation only; nothing is decided here.

use migration::gorgias::FieldValue;
use snapshot::tables::{
    FoundCustomer, FoundCustomerChannel, FoundCustomerValue, FoundField, FoundIntegration, FoundMessage,
    FoundRule, FoundSetting, FoundTag, FoundTeam, FoundTicket, FoundTicketTag, FoundTicketValue, FoundUser,
};

use crate::ports::gorgias::{
    Customer, Field, FoundValue, Integration, Message, Raw, Rule, Setting, Tag, Team, Ticket, User,
};

/// Text of a value, in the columns of its type.
struct ValueColumns {
    text: Option<String>,
    number: Option<f64>,
    boolean: Option<bool>,
}

fn columns_of(value: &FieldValue) -> ValueColumns {
    let empty = ValueColumns { text: None, number: None, boolean: None };
    match value {
        FieldValue::Text(text) => ValueColumns { text: Some(text.clone()), ..empty },
        FieldValue::Number(number) => ValueColumns { number: Some(*number), ..empty },
        FieldValue::Boolean(boolean) => ValueColumns { boolean: Some(*boolean), ..empty },
    }
}

/// A user.
#[must_use]
pub(crate) fn user(raw: Raw<User>) -> FoundUser {
    FoundUser {
        gorgias_user_id: raw.record.id.to_string(),
        email: raw.record.email,
        user_name: raw.record.name,
        role_name: raw.record.role,
        is_active: raw.record.is_active,
        external_id: raw.record.external_id,
        raw_json: raw.json,
    }
}

/// A team; members as sorted ids.
#[must_use]
pub(crate) fn team(raw: Raw<Team>) -> FoundTeam {
    let members: Vec<String> = raw.record.members.iter().map(ToString::to_string).collect();
    FoundTeam {
        gorgias_team_id: raw.record.id.to_string(),
        team_name: raw.record.name,
        description: raw.record.description,
        member_ids: (!members.is_empty()).then(|| members.join(",")),
        created_at: raw.record.created_at,
        raw_json: raw.json,
    }
}

/// A tag.
#[must_use]
pub(crate) fn tag(raw: Raw<Tag>) -> FoundTag {
    FoundTag {
        gorgias_tag_id: raw.record.id.to_string(),
        tag_name: raw.record.name,
        description: raw.record.description,
        color: raw.record.color,
        usage_count: raw.record.usage,
        raw_json: raw.json,
    }
}

/// A custom field definition.
#[must_use]
pub(crate) fn field(raw: Raw<Field>) -> FoundField {
    FoundField {
        gorgias_field_id: raw.record.id.to_string(),
        object_type: raw.record.object.as_str().to_owned(),
        external_id: raw.record.external_id,
        label: raw.record.label,
        data_type: raw.record.data_type,
        managed_type: raw.record.managed_type,
        is_active: raw.record.is_active,
        priority: raw.record.priority,
        raw_json: raw.json,
    }
}

/// A rule.
#[must_use]
pub(crate) fn rule(raw: Raw<Rule>) -> FoundRule {
    FoundRule {
        gorgias_rule_id: raw.record.id.to_string(),
        rule_name: raw.record.name,
        is_active: raw.record.is_active,
        event_types: raw.record.event_types,
        raw_json: raw.json,
    }
}

/// A setting; its contents are the record.
#[must_use]
pub(crate) fn setting(setting: Setting) -> FoundSetting {
    FoundSetting {
        setting_id: setting.id.to_string(),
        setting_type: setting.kind,
        raw_json: setting.json.clone(),
        setting_json: setting.json,
    }
}

/// An integration.
#[must_use]
pub(crate) fn integration(raw: Raw<Integration>) -> FoundIntegration {
    FoundIntegration {
        gorgias_integration_id: raw.record.id.to_string(),
        integration_name: raw.record.name,
        integration_type: raw.record.kind,
        is_active: raw.record.is_active,
        raw_json: raw.json,
    }
}

/// A customer with what its form shows of channels and values.
#[must_use]
pub(crate) fn customer(
    raw: Raw<Customer>,
) -> (FoundCustomer, Vec<FoundCustomerChannel>, Vec<FoundCustomerValue>) {
    let id = raw.record.id.to_string();
    let has_detail = raw.record.channels.is_some() && raw.record.values.is_some();
    let channels = raw.record.channels.unwrap_or_default().into_iter().map(|channel| FoundCustomerChannel {
        gorgias_customer_id: id.clone(),
        channel_type: channel.kind,
        address: channel.address,
        is_preferred: channel.is_preferred,
        raw_json: String::new(),
    });
    let mut channels: Vec<FoundCustomerChannel> = channels.collect();
    // One address may be listed twice; the preferred entry stands for both.
    channels.sort_by(|left, right| {
        let key = |channel: &FoundCustomerChannel| (channel.channel_type.clone(), channel.address.clone());
        key(left).cmp(&key(right)).then(right.is_preferred.cmp(&left.is_preferred))
    });
    channels.dedup_by(|next, kept| next.channel_type == kept.channel_type && next.address == kept.address);
    let values = raw.record.values.unwrap_or_default();
    let values = values.iter().map(|value| customer_value(&id, value)).collect();
    let row = FoundCustomer {
        gorgias_customer_id: id,
        external_id: raw.record.external_id,
        customer_name: raw.record.name,
        first_name: raw.record.first_name,
        last_name: raw.record.last_name,
        email: raw.record.email,
        language: raw.record.language,
        timezone: raw.record.timezone,
        created_at: raw.record.created_at,
        updated_at: raw.record.updated_at,
        has_detail,
        raw_json: raw.json,
    };
    (row, channels, values)
}

fn customer_value(id: &str, value: &FoundValue) -> FoundCustomerValue {
    let columns = columns_of(&value.value);
    FoundCustomerValue {
        gorgias_customer_id: id.to_owned(),
        gorgias_field_id: value.field.to_string(),
        value_text: columns.text,
        value_number: columns.number,
        value_boolean: columns.boolean,
        raw_json: String::new(),
    }
}

/// A ticket with its tags and values.
#[must_use]
pub(crate) fn ticket(raw: Raw<Ticket>) -> (FoundTicket, Vec<FoundTicketTag>, Vec<FoundTicketValue>) {
    let Raw { record, json } = raw;
    let id = record.id.to_string();
    let mut names = record.tags;
    names.sort();
    names.dedup();
    let tags = names.into_iter().map(|tag_name| FoundTicketTag {
        gorgias_ticket_id: id.clone(),
        tag_name,
        raw_json: String::new(),
    });
    let tags = tags.collect();
    let values = record.values.iter().map(|value| {
        let columns = columns_of(&value.value);
        FoundTicketValue {
            gorgias_ticket_id: id.clone(),
            gorgias_field_id: value.field.to_string(),
            value_text: columns.text,
            value_number: columns.number,
            value_boolean: columns.boolean,
            raw_json: String::new(),
        }
    });
    let values = values.collect();
    let row = FoundTicket {
        gorgias_ticket_id: id,
        external_id: record.external_id,
        gorgias_customer_id: record.customer.map(|customer| customer.to_string()),
        subject: record.subject,
        status: record.status,
        channel: record.channel,
        via: record.via,
        is_from_agent: record.from_agent,
        assignee_user_id: record.assignee_user.map(|user| user.to_string()),
        assignee_team_id: record.assignee_team.map(|team| team.to_string()),
        created_at: record.created_at,
        opened_at: record.opened_at,
        closed_at: record.closed_at,
        last_message_at: record.last_message_at,
        updated_at: record.updated_at,
        trashed_at: record.trashed_at,
        is_spam: record.is_spam,
        priority: record.priority,
        language: record.language,
        message_count: record.message_count,
        raw_json: json,
    };
    (row, tags, values)
}

/// A message.
#[must_use]
pub(crate) fn message(raw: Raw<Message>) -> FoundMessage {
    let Raw { record, json } = raw;
    FoundMessage {
        gorgias_ticket_id: record.ticket.to_string(),
        sent_at_or_created: record.sent_at.or(record.created_at).unwrap_or(jiff::Timestamp::UNIX_EPOCH),
        gorgias_message_id: record.id.to_string(),
        external_id: record.external_id,
        channel: record.channel,
        via: record.via,
        is_from_agent: record.from_agent,
        is_public: record.is_public,
        sender_id: record.sender.map(|id| id.to_string()),
        receiver_id: record.receiver.map(|id| id.to_string()),
        sent_at: record.sent_at,
        created_at: record.created_at,
        body_text: record.body_text,
        body_html: record.body_html,
        raw_json: json,
    }
}
