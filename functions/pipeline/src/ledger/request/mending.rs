//! Writes that give single fields of a record what was wished, and looks that prove a record gone.
//!
//! Every record is read before it is written, and what is written is put into what it holds at that moment: whoever
//! changed one of the fields since the plan wins. Deliberately absent: judging what is mended; see `repair`.

use migration::compare::{Compared, normalised};
use migration::gorgias::{CustomerId, MessageId, TicketId};
use migration::keys::ExternalId;
use migration::ledger::Operation;

use super::undoing::{changed, found};
use super::{Trace, found_or_absent, messages_of};
use crate::load::drafts::Names;
use crate::mends::{Mends, Stand, Unwritable};
use crate::ports::gorgias::{
    ChangeOf, Customer, Gorgias, Message, ReadError, Ticket, TicketChange, WriteError,
};
use crate::reconcile::image::{found_customer, found_message, found_ticket};

/// Status in the reason of a proof of absence that found the record.
pub const STILL_THERE: u16 = 409;

/// One such write, ids resolved.
#[derive(Debug, Clone, PartialEq)]
pub enum Mending {
    /// Fields and channels of a customer.
    Customer(CustomerId, Mends),
    /// Values of a customer.
    Values(CustomerId, Mends),
    /// Fields, tags and values of a ticket.
    Ticket(TicketId, Mends),
    /// A message.
    Message(TicketId, MessageId, Mends),
    /// Reads where a customer went that a person merged into another one; changes nothing.
    Follow(CustomerId),
    /// Proves that a customer is gone; changes nothing.
    GoneCustomer(CustomerId, ExternalId),
    /// Proves that a ticket is gone; changes nothing.
    GoneTicket(TicketId, ExternalId),
    /// Proves that a message is gone; changes nothing.
    GoneMessage(TicketId, MessageId, ExternalId),
}

impl Mending {
    pub(super) async fn send(&self, gorgias: &dyn Gorgias) -> Result<u64, WriteError> {
        match self {
            Self::Customer(id, mends) => {
                let now = customer(gorgias, *id).await?;
                if is_due(mends.stand(&of_customer(&now)))? {
                    let change = mends.customer(&now).map_err(|error| unwritable(&error))?;
                    gorgias.update_customer(*id, &change).await?;
                }
            }
            Self::Values(id, mends) => {
                let now = customer(gorgias, *id).await?;
                if is_due(mends.stand(&of_customer(&now)))? {
                    let held = now.values.unwrap_or_default();
                    let values = mends.values(&held).map_err(|error| unwritable(&error))?;
                    gorgias.set_customer_values(*id, &values).await?;
                }
            }
            Self::Ticket(id, mends) => {
                let now = read(gorgias.ticket(*id).await.map(|raw| raw.record))?;
                if is_due(mends.stand(&of_ticket(&now)))? {
                    let (change, added, removed) = mends.ticket(&now).map_err(|error| unwritable(&error))?;
                    write_ticket(gorgias, &now, change, &added, &removed).await?;
                }
            }
            Self::Message(ticket, id, mends) => {
                let now = read(message(gorgias, *ticket, *id).await)?;
                if is_due(mends.stand(&of_message(&now)))? {
                    let message = mends.message(&now).map_err(|error| unwritable(&error))?;
                    gorgias.update_message(&message).await?;
                }
            }
            Self::Follow(id) => {
                let target = read(gorgias.customer(*id).await)?.record.id;
                return if target == *id { Err(still_there()) } else { Ok(target.0) };
            }
            Self::GoneCustomer(..) | Self::GoneTicket(..) | Self::GoneMessage(..) => {
                if !read(self.is_gone(gorgias).await)? {
                    return Err(still_there());
                }
            }
        }
        Ok(self.target())
    }

    /// Looks whether an earlier send took effect.
    pub(super) async fn look_up(&self, gorgias: &dyn Gorgias) -> Result<Trace, ReadError> {
        let stand = match self {
            Self::Customer(id, mends) | Self::Values(id, mends) => {
                found(gorgias.customer(*id).await)?.map(|raw| mends.stand(&of_customer(&raw.record)))
            }
            Self::Ticket(id, mends) => {
                found(gorgias.ticket(*id).await)?.map(|raw| mends.stand(&of_ticket(&raw.record)))
            }
            Self::Message(ticket, id, mends) => {
                found(message(gorgias, *ticket, *id).await)?.map(|held| mends.stand(&of_message(&held)))
            }
            Self::Follow(id) => {
                let target = found(gorgias.customer(*id).await)?.map(|raw| raw.record.id);
                return Ok(found_or_absent(target.filter(|target| target != id).map(|target| target.0)));
            }
            Self::GoneCustomer(..) | Self::GoneTicket(..) | Self::GoneMessage(..) => {
                let is_gone = self.is_gone(gorgias).await?;
                return Ok(found_or_absent(is_gone.then_some(self.target())));
            }
        };
        Ok(found_or_absent((stand == Some(Stand::There)).then_some(self.target())))
    }

    /// Neither its id nor its key leads to it.
    async fn is_gone(&self, gorgias: &dyn Gorgias) -> Result<bool, ReadError> {
        Ok(match self {
            Self::GoneCustomer(id, key) => {
                found(gorgias.customer(*id).await)?.is_none()
                    && gorgias.customers_by_external_id(key).await?.is_empty()
            }
            Self::GoneTicket(id, key) => {
                found(gorgias.ticket(*id).await)?.is_none()
                    && gorgias.tickets_by_external_id(key).await?.is_empty()
            }
            Self::GoneMessage(ticket, id, key) => {
                let held = found(messages_of(gorgias, *ticket).await)?.unwrap_or_default();
                !held.iter().any(|held| held.id == *id || held.external_id.as_deref() == Some(key.as_str()))
            }
            Self::Customer(..)
            | Self::Values(..)
            | Self::Ticket(..)
            | Self::Message(..)
            | Self::Follow(_) => false,
        })
    }

    pub(super) fn operation(&self) -> Operation {
        match self {
            Self::Customer(..)
            | Self::Values(..)
            | Self::Ticket(..)
            | Self::Message(..)
            | Self::Follow(_) => Operation::Update,
            // What is gone is noted as gone: only then may it be made again.
            Self::GoneCustomer(..) | Self::GoneTicket(..) | Self::GoneMessage(..) => Operation::Delete,
        }
    }

    /// Id of the record that is changed.
    pub fn target(&self) -> u64 {
        match self {
            Self::Customer(id, _) | Self::Values(id, _) | Self::GoneCustomer(id, _) | Self::Follow(id) => {
                id.0
            }
            Self::Ticket(id, _) | Self::GoneTicket(id, _) => id.0,
            Self::Message(_, id, _) | Self::GoneMessage(_, id, _) => id.0,
        }
    }

    pub(super) fn fields(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Customer(_, mends)
            | Self::Values(_, mends)
            | Self::Ticket(_, mends)
            | Self::Message(_, _, mends) => vec![("mends", mends.text())],
            Self::GoneCustomer(..) | Self::GoneTicket(..) | Self::GoneMessage(..) => {
                vec![("is_gone", "true".to_owned())]
            }
            Self::Follow(_) => vec![("is_merged", "true".to_owned())],
        }
    }
}

/// One request for the fields, one for tags that are missing, one for those that are too many; each only if there is
/// something for it. All of them may be sent again.
async fn write_ticket(
    gorgias: &dyn Gorgias,
    now: &Ticket,
    change: TicketChange,
    added: &[String],
    removed: &[String],
) -> Result<(), WriteError> {
    if change != TicketChange::default() {
        // A ticket that shall be closed keeps its moment only when both are told.
        let change = match (&change.status, &change.closed_at) {
            (Some(_), ChangeOf::Keep) => {
                TicketChange { closed_at: ChangeOf::filling(now.closed_at), ..change }
            }
            _ => change,
        };
        gorgias.update_ticket(now.id, &change).await?;
    }
    if !added.is_empty() {
        gorgias.add_ticket_tags(now.id, added).await?;
    }
    if !removed.is_empty() {
        gorgias.remove_ticket_tags(now.id, removed).await?;
    }
    Ok(())
}

/// Names of managed fields do not matter: they are never mended.
fn of_customer(now: &Customer) -> migration::compare::Image {
    normalised(Compared::Customer, &found_customer(&Names::default(), now))
}

fn of_ticket(now: &Ticket) -> migration::compare::Image {
    normalised(Compared::Ticket, &found_ticket(&Names::default(), now))
}

fn of_message(now: &Message) -> migration::compare::Image {
    normalised(Compared::Message, &found_message(now))
}

/// One that was merged meanwhile was changed by a person.
async fn customer(gorgias: &dyn Gorgias, id: CustomerId) -> Result<Customer, WriteError> {
    let now = read(gorgias.customer(id).await)?.record;
    if now.id == id { Ok(now) } else { Err(changed("PUT /customers/{id}")) }
}

async fn message(gorgias: &dyn Gorgias, ticket: TicketId, id: MessageId) -> Result<Message, ReadError> {
    let held = messages_of(gorgias, ticket).await?.into_iter().find(|held| held.id == id);
    held.ok_or_else(|| ReadError::NotFound { request: "GET /messages".to_owned() })
}

/// Nothing was sent when a read fails.
fn read<T>(answer: Result<T, ReadError>) -> Result<T, WriteError> {
    let request = "GET before a change".to_owned();
    answer.map_err(|error| match error {
        ReadError::Credentials { .. } => WriteError::Credentials { request },
        ReadError::NotFound { .. } => WriteError::Gone { request },
        error => WriteError::NotSent { request, source: Some(Box::new(error)) },
    })
}

fn is_due(stand: Stand) -> Result<bool, WriteError> {
    match stand {
        Stand::There => Ok(false),
        Stand::Expected => Ok(true),
        Stand::Changed => Err(changed("PUT")),
    }
}

fn still_there() -> WriteError {
    let (request, message) = ("GET by id".to_owned(), "the record is there".to_owned());
    WriteError::Refused { request, status: STILL_THERE, message }
}

fn unwritable(error: &Unwritable) -> WriteError {
    WriteError::Refused { request: "PUT".to_owned(), status: 0, message: error.to_string() }
}
