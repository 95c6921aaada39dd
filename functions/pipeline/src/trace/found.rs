//! Rows of what was read back -> records, as the comparison takes them.

use migration::gorgias::{CustomerId, FieldId, FieldValue, MessageId, TeamId, TicketId, UserId};
use snapshot::tables::{
    FoundCustomer, FoundCustomerChannel, FoundCustomerValue, FoundMessage, FoundTicket, FoundTicketTag,
    FoundTicketValue,
};

use crate::ports::gorgias::{Customer, FoundChannel, FoundValue, Message, Ticket};

fn id(text: &str) -> u64 {
    text.parse().unwrap_or(0)
}

fn maybe(text: Option<&String>) -> Option<u64> {
    text.and_then(|text| text.parse().ok())
}

fn value(field: &str, text: Option<String>, number: Option<f64>, flag: Option<bool>) -> Option<FoundValue> {
    let value = match (text, number, flag) {
        (Some(text), ..) => FieldValue::Text(text),
        (_, Some(number), _) => FieldValue::Number(number),
        (_, _, Some(flag)) => FieldValue::Boolean(flag),
        _ => return None,
    };
    Some(FoundValue { field: FieldId(id(field)), value })
}

pub(super) fn customer(
    row: FoundCustomer,
    channels: Vec<FoundCustomerChannel>,
    values: Vec<FoundCustomerValue>,
) -> Customer {
    let channel = |row: FoundCustomerChannel| FoundChannel {
        kind: row.channel_type,
        address: row.address,
        is_preferred: row.is_preferred,
    };
    let values = values
        .into_iter()
        .filter_map(|row| value(&row.gorgias_field_id, row.value_text, row.value_number, row.value_boolean));
    Customer {
        id: CustomerId(id(&row.gorgias_customer_id)),
        external_id: row.external_id,
        name: row.customer_name,
        first_name: row.first_name,
        last_name: row.last_name,
        email: row.email,
        language: row.language,
        timezone: row.timezone,
        channels: Some(channels.into_iter().map(channel).collect()),
        values: Some(values.collect()),
        created_at: row.created_at,
        updated_at: row.updated_at,
    }
}

pub(super) fn ticket(row: FoundTicket, tags: Vec<FoundTicketTag>, values: Vec<FoundTicketValue>) -> Ticket {
    let values = values
        .into_iter()
        .filter_map(|row| value(&row.gorgias_field_id, row.value_text, row.value_number, row.value_boolean));
    Ticket {
        id: TicketId(id(&row.gorgias_ticket_id)),
        external_id: row.external_id,
        customer: maybe(row.gorgias_customer_id.as_ref()).map(CustomerId),
        subject: row.subject,
        status: row.status,
        channel: row.channel,
        via: row.via,
        from_agent: row.is_from_agent,
        assignee_user: maybe(row.assignee_user_id.as_ref()).map(UserId),
        assignee_team: maybe(row.assignee_team_id.as_ref()).map(TeamId),
        tags: tags.into_iter().map(|row| row.tag_name).collect(),
        values: values.collect(),
        created_at: row.created_at,
        opened_at: row.opened_at,
        closed_at: row.closed_at,
        last_message_at: row.last_message_at,
        updated_at: row.updated_at,
        trashed_at: row.trashed_at,
        is_spam: row.is_spam,
        priority: row.priority,
        language: row.language,
        message_count: row.message_count,
    }
}

/// Files are not in the table; they are compared with the record itself.
pub(super) fn message(row: FoundMessage) -> Message {
    Message {
        id: MessageId(id(&row.gorgias_message_id)),
        ticket: TicketId(id(&row.gorgias_ticket_id)),
        external_id: row.external_id,
        channel: row.channel,
        via: row.via,
        from_agent: row.is_from_agent,
        is_public: row.is_public,
        sender: maybe(row.sender_id.as_ref()),
        receiver: maybe(row.receiver_id.as_ref()),
        sent_at: row.sent_at,
        created_at: row.created_at,
        body_text: row.body_text,
        body_html: row.body_html,
        attachments: Vec::new(),
    }
}
