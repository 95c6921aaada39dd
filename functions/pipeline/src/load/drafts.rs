//! Rows of the `want_*` tables -> writes with Gorgias' ids. Pure.
//!
//! A row that names something that nobody prepared is an error of the whole step, not of the record: the same name
//! stands on many records.

use std::collections::BTreeMap;

use migration::gorgias::{
    ChannelKind, CustomerChannel, CustomerId, FieldObject, FieldValue, MESSAGES_PER_TICKET_CREATE_MAX,
    TeamId, TicketStatus, UserId,
};
use migration::keys::{ExternalId, TeamKey};
use snapshot::tables::{
    WantAttachment, WantCustomer, WantCustomerChannel, WantCustomerValue, WantMessage, WantTicket,
    WantTicketTag, WantTicketValue,
};

use crate::ports::gorgias::{Attachment, FoundValue, NewCustomer, NewDelivery, NewMessage, NewTicket};
use crate::prepare::directory::Directory;

/// Bytes of texts that one ticket creation carries at most: the limit of a request body is not documented, ten
/// megabytes is what is assumed, and quoting in JSON takes its share.
pub(crate) const CREATE_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Bytes that a message takes beside its texts.
const MESSAGE_OVERHEAD_BYTES: usize = 1_024;

/// A want row cannot be written as it stands.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} of {object} is not known at the destination")]
pub(crate) struct Unresolved {
    /// What is missing, such as `tag Q4`.
    pub(crate) what: String,
    /// The record.
    pub(crate) object: String,
}

fn unresolved(what: String, object: &str) -> Unresolved {
    Unresolved { what, object: object.to_owned() }
}

/// Where names lead, with the users of agents beside.
#[derive(Debug, Clone, Default)]
pub(crate) struct Names {
    pub(crate) directory: Directory,
    /// Users of LeadDesk's accounts, by the account's id.
    pub(crate) users: BTreeMap<String, UserId>,
}

impl Names {
    fn author(&self, kind: &str, agent: Option<&String>) -> UserId {
        let user = agent.filter(|_| kind == "user").and_then(|agent| self.users.get(agent));
        user.copied().unwrap_or_else(|| self.directory.service_user())
    }

    /// The user of an agent, if there is one.
    pub(crate) fn assignee(&self, agent: Option<&String>) -> Option<UserId> {
        self.users.get(agent?).copied()
    }

    /// The team of a key.
    pub(crate) fn team(&self, key: Option<&String>) -> Option<TeamId> {
        self.directory.teams.get(&TeamKey(key?.clone())).copied()
    }

    /// The sender that a message shall have: customer or user.
    pub(crate) fn sender(&self, message: &WantMessage, customer: CustomerId) -> u64 {
        if message.sender_kind == "customer" {
            customer.0
        } else {
            self.author(&message.sender_kind, message.sender_agent_id.as_ref()).0
        }
    }
}

/// A value of the type that its row names.
pub(crate) fn field_value(
    data_type: &str,
    text: Option<&String>,
    number: Option<f64>,
    boolean: Option<bool>,
) -> Option<FieldValue> {
    match data_type {
        "text" => text.cloned().map(FieldValue::Text),
        "number" => number.map(FieldValue::Number),
        "boolean" => boolean.map(FieldValue::Boolean),
        _ => None,
    }
}

/// A customer to create.
pub(crate) fn customer(
    row: &WantCustomer,
    channels: &[WantCustomerChannel],
) -> Result<NewCustomer, Unresolved> {
    let channels = channels.iter().map(|channel| {
        let kind = match channel.channel_type.as_str() {
            "email" => ChannelKind::Email,
            "phone" => ChannelKind::Phone,
            other => return Err(unresolved(format!("channel type {other}"), &row.external_id)),
        };
        Ok(CustomerChannel { kind, address: channel.address.clone(), is_preferred: channel.is_preferred })
    });
    Ok(NewCustomer {
        external_id: ExternalId::from_stored(row.external_id.clone()),
        name: row.customer_name.clone(),
        email: row.email.clone(),
        channels: channels.collect::<Result<_, _>>()?,
        language: row.language.clone(),
        timezone: row.timezone.clone(),
    })
}

/// Values of a customer, sorted by field.
pub(crate) fn customer_values(
    names: &Names,
    rows: &[WantCustomerValue],
) -> Result<Vec<FoundValue>, Unresolved> {
    let values = rows.iter().map(|row| {
        let field = names.directory.field(FieldObject::Customer, &row.field_key);
        let field = field.ok_or_else(|| {
            unresolved(format!("customer field {}", row.field_key), &row.customer_external_id)
        })?;
        let value = field_value(&row.data_type, row.value_text.as_ref(), row.value_number, row.value_boolean);
        let value = value.ok_or_else(|| {
            unresolved(format!("value of {} as {}", row.field_key, row.data_type), &row.customer_external_id)
        })?;
        Ok(FoundValue { field, value })
    });
    let mut values: Vec<FoundValue> = values.collect::<Result<_, _>>()?;
    values.sort_by_key(|value| value.field);
    Ok(values)
}

/// A ticket's rows together.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TicketRows {
    pub(crate) ticket: WantTicket,
    pub(crate) tags: Vec<WantTicketTag>,
    pub(crate) values: Vec<WantTicketValue>,
    pub(crate) messages: Vec<WantMessage>,
    pub(crate) attachments: Vec<WantAttachment>,
}

/// A ticket to create, and its messages that do not fit into the creation.
pub(crate) struct TicketDraft {
    pub(crate) ticket: NewTicket,
    pub(crate) rest: Vec<NewMessage>,
}

/// The moment at which the ticket's last message was sent.
fn kind_of(row: &WantMessage, names: &Names, customer: CustomerId) -> Result<NewDelivery, Unresolved> {
    let author = names.author(&row.sender_kind, row.sender_agent_id.as_ref());
    match row.kind.as_str() {
        "note" => Ok(NewDelivery::InternalNote { author, at: row.sent_at }),
        "incoming" => {
            Ok(NewDelivery::Incoming { channel: row.channel.clone(), sender: customer, at: row.sent_at })
        }
        "outgoing" => Ok(NewDelivery::Outgoing {
            channel: row.channel.clone(),
            author,
            receiver: customer,
            sent_at: row.sent_at,
        }),
        other => Err(unresolved(format!("message kind {other}"), &row.external_id)),
    }
}

/// Where a file lies at Gorgias; `None` when it was refused.
pub(crate) type Urls<'u> = &'u dyn Fn(&WantAttachment) -> Option<String>;

impl TicketRows {
    /// What hangs on the message at this position.
    pub(crate) fn attached(&self, position: i32) -> impl Iterator<Item = &WantAttachment> {
        self.attachments.iter().filter(move |row| row.position == position)
    }
}

/// A file as its message names it.
fn attachment(row: &WantAttachment, url: String) -> Attachment {
    Attachment {
        url,
        name: row.file_name.clone(),
        content_type: row.content_type.clone(),
        bytes: u64::try_from(row.size_bytes).unwrap_or(0),
    }
}

/// A message, ids resolved.
pub(crate) fn message(
    row: &WantMessage,
    attached: Vec<Attachment>,
    names: &Names,
    customer: CustomerId,
) -> Result<NewMessage, Unresolved> {
    Ok(NewMessage {
        external_id: ExternalId::from_stored(row.external_id.clone()),
        delivery: kind_of(row, names, customer)?,
        body_text: row.body_text.clone(),
        body_html: row.body_html.clone(),
        attachments: attached,
    })
}

/// A ticket with as many messages as its creation carries.
pub(crate) fn ticket(
    rows: &TicketRows,
    names: &Names,
    customer: CustomerId,
    meta: &BTreeMap<String, String>,
    urls: Urls<'_>,
) -> Result<TicketDraft, Unresolved> {
    let row = &rows.ticket;
    let status = match row.status.as_str() {
        "open" => TicketStatus::Open,
        "closed" => TicketStatus::Closed,
        other => return Err(unresolved(format!("status {other}"), &row.external_id)),
    };
    let tags = rows.tags.iter().map(|tag| {
        let known = names.directory.tags.contains_key(&tag.tag_name);
        known
            .then(|| tag.tag_name.clone())
            .ok_or_else(|| unresolved(format!("tag {}", tag.tag_name), &row.external_id))
    });
    let values = rows.values.iter().map(|value| {
        let missing = || unresolved(format!("ticket field {}", value.field_key), &row.external_id);
        let field = names.directory.field(FieldObject::Ticket, &value.field_key).ok_or_else(missing)?;
        let text = value.value_text.as_ref();
        let value = field_value(&value.data_type, text, value.value_number, value.value_boolean);
        Ok(FoundValue { field, value: value.ok_or_else(missing)? })
    });
    let mut values: Vec<FoundValue> = values.collect::<Result<_, Unresolved>>()?;
    values.sort_by_key(|value| value.field);
    let assignee_team = match &row.assignee_team_key {
        None => None,
        Some(key) => {
            Some(names.team(Some(key)).ok_or_else(|| unresolved(format!("team {key}"), &row.external_id))?)
        }
    };
    let messages = rows.messages.iter().map(|row| {
        let attached = rows.attached(row.position).filter_map(|file| Some(attachment(file, urls(file)?)));
        message(row, attached.collect(), names, customer)
    });
    let mut messages: Vec<NewMessage> = messages.collect::<Result<_, _>>()?;
    let rest = messages.split_off(fitting(&messages));
    Ok(TicketDraft {
        ticket: NewTicket {
            external_id: ExternalId::from_stored(row.external_id.clone()),
            customer,
            subject: row.subject.clone(),
            status,
            channel: row.channel.clone(),
            assignee_user: names.assignee(row.assignee_agent_id.as_ref()),
            assignee_team,
            tags: tags.collect::<Result<_, _>>()?,
            values,
            created_at: row.created_at,
            closed_at: row.closed_at,
            last_message_at: row.last_message_at,
            meta: meta.clone(),
            messages,
        },
        rest,
    })
}

/// How many of the first messages one creation carries: at least one, by number and by bytes.
fn fitting(messages: &[NewMessage]) -> usize {
    let mut bytes = 0;
    let fits = messages.iter().take(MESSAGES_PER_TICKET_CREATE_MAX).take_while(|message| {
        bytes += message.body_text.len() + message.body_html.len() + MESSAGE_OVERHEAD_BYTES;
        bytes <= CREATE_BYTES_MAX
    });
    fits.count().max(1).min(messages.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note(bytes: usize) -> NewMessage {
        NewMessage {
            external_id: ExternalId::from_stored("leaddesk:call:1"),
            delivery: NewDelivery::InternalNote { author: UserId(1), at: jiff::Timestamp::UNIX_EPOCH },
            body_text: "x".repeat(bytes),
            body_html: String::new(),
            attachments: Vec::new(),
        }
    }

    #[test]
    fn a_creation_carries_five_hundred_messages_and_eight_megabytes() {
        let table = [
            (vec![note(1); 3], 3),
            (vec![note(1); 500], 500),
            (vec![note(1); 501], 500),
            (vec![note(3 * 1024 * 1024); 4], 2),
            (vec![note(9 * 1024 * 1024), note(1)], 1),
        ];
        for (messages, expected) in table {
            assert_eq!(fitting(&messages), expected, "{} messages", messages.len());
        }
    }

    #[test]
    fn a_value_of_the_wrong_type_is_none() {
        let text = "7".to_owned();
        assert_eq!(field_value("number", Some(&text), None, None), None);
        assert_eq!(field_value("number", None, Some(7.0), None), Some(FieldValue::Number(7.0)));
        assert_eq!(field_value("date", Some(&text), None, None), None);
    }
}
