//! Second records of ours, found by the comparison -> out of the way, through the ledger.
//!
//! They come into being when an assumption about time broke: a process that stood still for minutes and then sent what
//! it had announced. Tickets go into the trash, second messages of a ticket are deleted; what a person acted on stays and
//! is reported. Deliberately absent: customers, which have no trash, and finding anything (see `reconcile`).

use std::collections::BTreeSet;

use migration::gorgias::{MessageId, TicketId};
use migration::ledger::ReceiptClass;

use crate::context::Context;
use crate::evidence::{self, EvidenceError};
use crate::ledger::driver::{self, Action, DriveError, Listed, Part};
use crate::ledger::request::{Request, Undoing};
use crate::ledger::{Ledger, LedgerError, Opening, key};
use crate::ports::gorgias::ReadError;
use crate::progress::Event;

/// Name of the step that it is a part of.
const STEP: &str = "reconcile";
/// Second records were taken out of the way.
pub const SWEPT: &str = "REC101";

/// Why second records could not be taken out of the way.
#[derive(Debug, thiserror::Error)]
pub enum SweepError {
    /// The ledger.
    #[error("cannot use the ledger")]
    Ledger(#[from] LedgerError),
    /// What people did cannot be told.
    #[error("cannot tell what people did")]
    Evidence(#[from] EvidenceError),
    /// Reading Gorgias.
    #[error("cannot read the destination")]
    Read(#[from] ReadError),
    /// Writing.
    #[error("cannot take second records out of the way")]
    Drive(#[from] DriveError),
}

/// A record beside the one that the ledger names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Second {
    /// Another ticket with the key.
    Ticket(TicketId),
    /// Another message with the key in this ticket.
    Message(TicketId, MessageId),
}

/// Takes them out of the way unless a person acted on them; says how many those were.
///
/// # Errors
/// [`SweepError`]; calling it again goes on.
pub(crate) async fn run(ctx: &Context, account: &str, seconds: &BTreeSet<Second>) -> Result<u64, SweepError> {
    let Some(began) = Ledger::began(ctx, account).await? else { return Ok(0) };
    let service_user = ctx.destination.service_user().await?.id;
    let touched = evidence::by_others(ctx, service_user, began).await?;
    let now = ctx.clock.now();
    let untouched = seconds.iter().filter(|second| match second {
        Second::Ticket(id) => !touched.holds("Ticket", id.0),
        Second::Message(_, id) => !touched.holds("TicketMessage", id.0),
    });
    let (mut tickets, mut messages) = (Vec::new(), Vec::new());
    for second in untouched {
        match *second {
            Second::Ticket(id) => {
                let write = Request::Undo(Undoing::TrashTicket(id, now));
                tickets.push(Action::new(key::second_ticket(id.0), write));
            }
            Second::Message(ticket, id) => {
                let write = Request::Undo(Undoing::DeleteMessage(ticket, id));
                messages.push(Action::new(key::second_message(id.0), write));
            }
        }
    }
    let swept = (tickets.len() + messages.len()) as u64;
    let mut ledger = Ledger::open(ctx, &Opening::default()).await?;
    for (name, actions, class) in [
        ("second tickets", tickets, ReceiptClass::Trashed),
        ("second messages", messages, ReceiptClass::Deleted),
    ] {
        let part = Part { step: STEP, name: name.to_owned(), total: Some(actions.len() as u64) };
        if !actions.is_empty() {
            driver::drive(ctx, &mut ledger, &mut Listed::new(actions, class), &part).await?;
        }
    }
    ledger.close().await?;
    if swept > 0 {
        let text = "second tickets put into the trash, second messages deleted; nobody had touched them";
        let event = Event::Finding { code: SWEPT, count: swept, text: text.to_owned() };
        ctx.progress.emit(ctx.clock.now(), event);
    }
    Ok(swept)
}
