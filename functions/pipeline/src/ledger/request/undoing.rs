//! Writes that take back what a migration wrote, and those that bring it again.
//!
//! A record that is not ours is read before it is written: whoever changed it since the plan wins. Deletions that find
//! nothing have done what they should. Deliberately absent: judging what may be taken back; see `rollback`.

use jiff::Timestamp;
use migration::gorgias::{CustomerId, FieldId, FieldObject, MessageId, TagId, TeamId, TicketId};
use migration::ledger::Operation;

use super::{
    Trace, change_fields, field_where, found_or_absent, messages_of, tag_where, team_where, values_text,
};
use crate::ports::gorgias::{
    Change, Customer, CustomerChange, FoundChannel, FoundValue, Gorgias, ReadError, WriteError,
};

/// Status in the reason of a write that was not sent because a person changed the record since the plan.
pub const CHANGED_SINCE_PLAN: u16 = 412;

/// One such write, ids resolved.
#[derive(Debug, Clone, PartialEq)]
pub enum Undoing {
    /// Puts a ticket into the trash.
    TrashTicket(TicketId, Timestamp),
    /// Takes a ticket out of the trash.
    RestoreTicket(TicketId),
    /// Removes a ticket for good.
    DeleteTicket(TicketId),
    /// Removes a message for good.
    DeleteMessage(TicketId, MessageId),
    /// Removes a customer for good.
    DeleteCustomer(CustomerId),
    /// Removes a tag.
    DeleteTag(TagId),
    /// Removes a team.
    DeleteTeam(TeamId),
    /// Archives a field definition, which has no deletion.
    ArchiveField(FieldId, Timestamp),
    /// Changes fields of a customer that was there before us, if they are still as expected.
    ExchangeFields(CustomerId, Box<Exchange<CustomerChange>>),
    /// The same for the whole set of its values.
    ExchangeValues(CustomerId, Box<Exchange<Vec<FoundValue>>>),
}

/// What must be there before a write, and what is there after it.
#[derive(Debug, Clone, PartialEq)]
pub struct Exchange<T> {
    /// As the plan found it.
    pub from: T,
    /// As it shall be.
    pub to: T,
    /// Whether what we filled is taken out, or filled again.
    pub direction: Direction,
}

/// Which way an exchange goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Out of the record.
    Release,
    /// Into the record again.
    Refill,
}

impl Undoing {
    pub(super) async fn send(&self, gorgias: &dyn Gorgias) -> Result<u64, WriteError> {
        let done = match self {
            Self::TrashTicket(id, at) => gorgias.set_ticket_trashed(*id, Some(*at)).await,
            Self::RestoreTicket(id) => gorgias.set_ticket_trashed(*id, None).await,
            Self::DeleteTicket(id) => gone_is_done(gorgias.delete_ticket(*id).await),
            Self::DeleteMessage(ticket, id) => gone_is_done(gorgias.delete_message(*ticket, *id).await),
            Self::DeleteCustomer(id) => gone_is_done(gorgias.delete_customer(*id).await),
            Self::DeleteTag(id) => gone_is_done(gorgias.delete_tag(*id).await),
            Self::DeleteTeam(id) => gone_is_done(gorgias.delete_team(*id).await),
            Self::ArchiveField(id, at) => gorgias.set_field_archived(*id, Some(*at)).await,
            Self::ExchangeFields(id, exchange) => match stand(gorgias, *id, holds, exchange).await? {
                Stand::There => Ok(()),
                Stand::Expected => gorgias.update_customer(*id, &exchange.to).await,
                Stand::Changed => Err(changed("PUT /customers/{id}")),
            },
            Self::ExchangeValues(id, exchange) => {
                match stand(gorgias, *id, |customer, side| holds_values(customer, side), exchange).await? {
                    Stand::There => Ok(()),
                    Stand::Expected => gorgias.set_customer_values(*id, &exchange.to).await,
                    Stand::Changed => Err(changed("PUT /customers/{id}/custom-fields")),
                }
            }
        };
        done.map(|()| self.target())
    }

    /// Looks whether an earlier send took effect.
    pub(super) async fn look_up(&self, gorgias: &dyn Gorgias) -> Result<Trace, ReadError> {
        let happened = match self {
            Self::TrashTicket(id, _) => {
                found(gorgias.ticket(*id).await)?.is_none_or(|raw| raw.record.trashed_at.is_some())
            }
            Self::RestoreTicket(id) => {
                found(gorgias.ticket(*id).await)?.is_some_and(|raw| raw.record.trashed_at.is_none())
            }
            Self::DeleteTicket(id) => found(gorgias.ticket(*id).await)?.is_none(),
            Self::DeleteCustomer(id) => found(gorgias.customer(*id).await)?.is_none(),
            Self::DeleteMessage(ticket, id) => found(messages_of(gorgias, *ticket).await)?
                .is_none_or(|messages| !messages.iter().any(|message| message.id == *id)),
            Self::DeleteTag(id) => tag_where(gorgias, |tag| tag.id == *id).await?.is_none(),
            Self::DeleteTeam(id) => team_where(gorgias, |team| team.id == *id).await?.is_none(),
            Self::ArchiveField(id, _) => is_archived(gorgias, *id).await?,
            Self::ExchangeFields(id, exchange) => {
                found(gorgias.customer(*id).await)?.is_some_and(|raw| holds(&raw.record, &exchange.to))
            }
            Self::ExchangeValues(id, exchange) => {
                found(gorgias.customer(*id).await)?.is_some_and(|raw| holds_values(&raw.record, &exchange.to))
            }
        };
        Ok(found_or_absent(happened.then_some(self.target())))
    }

    pub(super) fn operation(&self) -> Operation {
        match self {
            Self::TrashTicket(..) | Self::ArchiveField(..) => Operation::Trash,
            Self::RestoreTicket(_) => Operation::Restore,
            Self::DeleteTicket(_)
            | Self::DeleteMessage(..)
            | Self::DeleteCustomer(_)
            | Self::DeleteTag(_)
            | Self::DeleteTeam(_) => Operation::Delete,
            Self::ExchangeFields(_, exchange) => exchange.direction.operation(),
            Self::ExchangeValues(_, exchange) => exchange.direction.operation(),
        }
    }

    /// Id of the record that is changed.
    pub fn target(&self) -> u64 {
        match self {
            Self::TrashTicket(id, _) | Self::RestoreTicket(id) | Self::DeleteTicket(id) => id.0,
            Self::DeleteMessage(_, id) => id.0,
            Self::DeleteCustomer(id) | Self::ExchangeFields(id, _) | Self::ExchangeValues(id, _) => id.0,
            Self::DeleteTag(id) => id.0,
            Self::DeleteTeam(id) => id.0,
            Self::ArchiveField(id, _) => id.0,
        }
    }

    pub(super) fn fields(&self) -> Vec<(&'static str, String)> {
        let one = |name, value: &str| vec![(name, value.to_owned())];
        match self {
            // The moment is no content: it differs between two tries.
            Self::TrashTicket(..) => one("is_trashed", "true"),
            Self::RestoreTicket(_) => one("is_trashed", "false"),
            Self::DeleteTicket(_)
            | Self::DeleteMessage(..)
            | Self::DeleteCustomer(_)
            | Self::DeleteTag(_)
            | Self::DeleteTeam(_) => one("is_deleted", "true"),
            Self::ArchiveField(..) => one("is_active", "false"),
            Self::ExchangeFields(_, exchange) => change_fields(&exchange.to),
            Self::ExchangeValues(_, exchange) => vec![("values", values_text(&exchange.to))],
        }
    }
}

impl Direction {
    fn operation(self) -> Operation {
        match self {
            Self::Release => Operation::Release,
            Self::Refill => Operation::Update,
        }
    }
}

fn gone_is_done(answer: Result<(), WriteError>) -> Result<(), WriteError> {
    match answer {
        Err(WriteError::Gone { .. }) => Ok(()),
        other => other,
    }
}

/// A record that is not there is no failure of a read.
pub(super) fn found<T>(answer: Result<T, ReadError>) -> Result<Option<T>, ReadError> {
    match answer {
        Ok(record) => Ok(Some(record)),
        Err(ReadError::NotFound { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

async fn is_archived(gorgias: &dyn Gorgias, id: FieldId) -> Result<bool, ReadError> {
    for object in [FieldObject::Ticket, FieldObject::Customer] {
        let found = field_where(gorgias, object, |field| field.id == id && !field.is_active).await?;
        if found.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

pub(super) fn changed(request: &str) -> WriteError {
    WriteError::Refused {
        request: request.to_owned(),
        status: CHANGED_SINCE_PLAN,
        message: "a person changed the record since the plan".to_owned(),
    }
}

/// How a record stands before an exchange.
enum Stand {
    /// As it shall be already.
    There,
    /// As the plan found it.
    Expected,
    /// Otherwise.
    Changed,
}

/// Reads the customer; nothing was sent when that fails.
async fn stand<T>(
    gorgias: &dyn Gorgias,
    id: CustomerId,
    holds: impl Fn(&Customer, &T) -> bool,
    exchange: &Exchange<T>,
) -> Result<Stand, WriteError> {
    let request = "GET /customers/{id}".to_owned();
    let customer = match gorgias.customer(id).await {
        Ok(raw) => raw.record,
        Err(ReadError::Credentials { .. }) => return Err(WriteError::Credentials { request }),
        Err(ReadError::NotFound { .. }) => return Err(WriteError::Gone { request }),
        Err(error) => return Err(WriteError::NotSent { request, source: Some(Box::new(error)) }),
    };
    Ok(if holds(&customer, &exchange.to) {
        Stand::There
    } else if holds(&customer, &exchange.from) {
        Stand::Expected
    } else {
        Stand::Changed
    })
}

/// Whether every field that is named holds this; fields that are kept do not count.
fn holds(customer: &Customer, wanted: &CustomerChange) -> bool {
    let same = |held: &Option<String>, wanted: &Change| match wanted {
        Change::Keep => true,
        Change::Empty => held.as_deref().is_none_or(str::is_empty),
        Change::To(text) => held.as_deref() == Some(text),
    };
    let sorted = |channels: &[FoundChannel]| {
        let mut channels = channels.to_vec();
        channels.sort();
        channels
    };
    let held = customer.channels.as_deref().unwrap_or_default();
    same(&customer.external_id, &wanted.external_id)
        && same(&customer.name, &wanted.name)
        && same(&customer.email, &wanted.email)
        && wanted.channels.as_deref().is_none_or(|channels| sorted(channels) == sorted(held))
}

fn holds_values(customer: &Customer, wanted: &[FoundValue]) -> bool {
    let sorted = |values: &[FoundValue]| {
        let mut values = values.to_vec();
        values.sort_by_key(|value| value.field);
        values
    };
    sorted(customer.values.as_deref().unwrap_or_default()) == sorted(wanted)
}
