//! What is wanted beside what was found, ticket by ticket, in the order of our keys.

use std::collections::VecDeque;

use snapshot::{Children, Key, SnapshotError, TableWriter, Value};

use super::ReconcileError;
use super::scratch::{MessageImage, TicketImage};
use crate::archive::{self, Sorted};
use crate::context::Context;
use crate::load::drafts::TicketRows;
use crate::load::tickets::TicketTables;
use crate::wave::Wave;

/// A step of the walk.
pub(crate) enum Pair {
    /// A ticket that is wanted, and everything that carries its key or lies in it.
    Wanted {
        /// The wish.
        rows: Box<TicketRows>,
        /// Tickets that carry its key.
        found: Vec<TicketImage>,
        /// Messages of the ticket that the ledger names.
        messages: Vec<MessageImage>,
    },
    /// A ticket with a key of ours that nobody wants.
    Stranger(TicketImage),
}

type Images<R> = Children<R, Sorted<R>>;

/// Walks both sides together; holds one ticket at a time.
pub(crate) struct Pairing {
    waves: Vec<Wave>,
    wanted: TicketTables,
    tickets: Images<TicketImage>,
    messages: Images<MessageImage>,
    held: Option<TicketRows>,
    strangers: VecDeque<TicketImage>,
}

impl Pairing {
    /// Brings what was found into order.
    pub(crate) async fn open(
        ctx: &Context,
        waves: &[Wave],
        tickets: TableWriter<TicketImage>,
        messages: TableWriter<MessageImage>,
    ) -> Result<Self, ReconcileError> {
        Ok(Self {
            waves: waves.to_vec(),
            wanted: TicketTables::open(ctx).await?,
            tickets: Children::new(archive::read_back(tickets)?, 1),
            messages: Children::new(archive::read_back(messages)?, 1),
            held: None,
            strangers: VecDeque::new(),
        })
    }

    /// The next step; `None` at the end of both sides.
    pub(crate) fn next(&mut self) -> Result<Option<Pair>, SnapshotError> {
        if let Some(stranger) = self.strangers.pop_front() {
            return Ok(Some(Pair::Stranger(stranger)));
        }
        let rows = match self.held.take() {
            Some(rows) => Some(rows),
            None => self.wanted.next(&self.waves)?,
        };
        let Some(rows) = rows else { return self.next_stranger() };
        let parent = Key::of([Value::Text(rows.ticket.external_id.as_str())]);
        if let Some(stranger) = self.tickets.next_before(&parent)? {
            self.held = Some(rows);
            return Ok(Some(Pair::Stranger(stranger)));
        }
        let (found, messages) = (self.tickets.take(&parent)?, self.messages.take(&parent)?);
        Ok(Some(Pair::Wanted { rows: Box::new(rows), found, messages }))
    }

    fn next_stranger(&mut self) -> Result<Option<Pair>, SnapshotError> {
        if let Some(key) = self.tickets.next_key() {
            self.strangers.extend(self.tickets.take(&key?)?);
        }
        Ok(self.strangers.pop_front().map(Pair::Stranger))
    }
}
