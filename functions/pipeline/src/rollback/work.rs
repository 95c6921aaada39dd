//! The writes of a rollback, row by row, through the ledger; and the watch over what people do meanwhile.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use jiff::Timestamp;
use migration::gorgias::{TicketId, UserId};
use migration::ledger::{ReceiptClass, Via, WriteKey};
use migration::rollback::codes;
use snapshot::TableReader;
use snapshot::tables::ControlRollback;

use crate::context::Context;
use crate::evidence::{self, Touched};
use crate::ledger::Ledger;
use crate::ledger::driver::{Action, Outcome, Reaction, Work, WorkFailure, plain};
use crate::ledger::request::{CHANGED_SINCE_PLAN, Direction, Request, Undoing};

/// Tickets that go into the trash between two looks at the account's log.
const LOOK_TICKETS: usize = 500;

/// Makes the writes that a row still needs; none when its part is done.
pub(super) type Make<'a> =
    Box<dyn FnMut(&ControlRollback, &Ledger) -> Result<Vec<Action>, WorkFailure> + Send + 'a>;

/// Gives the writes of a phase.
pub(super) struct RowsWork<'a> {
    rows: TableReader<ControlRollback>,
    make: Make<'a>,
    next: Vec<Action>,
    /// Writes that are looked up and not sent again.
    unwanted: BTreeSet<WriteKey>,
    only_settles: bool,
    watch: Option<Watch<'a>>,
}

impl<'a> RowsWork<'a> {
    pub(super) fn new(rows: TableReader<ControlRollback>, make: Make<'a>, watch: Option<Watch<'a>>) -> Self {
        Self { rows, make, next: Vec::new(), unwanted: BTreeSet::new(), only_settles: false, watch }
    }

    /// Looks up what is in doubt, and sends nothing.
    pub(super) fn settling(rows: TableReader<ControlRollback>, make: Make<'a>) -> Self {
        Self { only_settles: true, ..Self::new(rows, make, None) }
    }

    /// The watch with what it saw.
    pub(super) fn into_watch(self) -> Option<Watch<'a>> {
        self.watch
    }
}

/// Looks at the account's log while tickets go into the trash: what a person touches meanwhile comes back.
pub(super) struct Watch<'a> {
    ctx: &'a Context,
    service_user: UserId,
    pub(super) log_from: Timestamp,
    pub(super) touched: Touched,
    /// Tickets that went into the trash and stay there so far.
    trashed: BTreeMap<u64, WriteKey>,
    unlooked: usize,
    /// Tickets that came back.
    pub(super) back: BTreeSet<u64>,
}

impl<'a> Watch<'a> {
    /// Looks once before the first write.
    pub(super) async fn begin(
        ctx: &'a Context,
        service_user: UserId,
        log_from: Timestamp,
    ) -> Result<Self, super::RollbackError> {
        let (trashed, back) = (BTreeMap::new(), BTreeSet::new());
        let mut watch =
            Self { ctx, service_user, log_from, touched: Touched::default(), trashed, unlooked: 0, back };
        watch.look().await?;
        Ok(watch)
    }

    /// Tickets to bring back.
    pub(super) async fn look(&mut self) -> Result<Vec<Action>, super::RollbackError> {
        let seen = evidence::since(self.ctx, self.service_user, self.log_from).await?;
        self.log_from = seen.resume_from(self.log_from).max(self.log_from);
        self.touched.absorb(seen);
        self.unlooked = 0;
        let touched: Vec<u64> =
            self.trashed.keys().copied().filter(|id| self.touched.holds("Ticket", *id)).collect();
        // What a person put into the trash as well is left where they want it.
        let is_wanted_back = |id: &u64| !self.touched.trashed(*id);
        let mut back = Vec::new();
        for id in touched.into_iter().filter(is_wanted_back).collect::<Vec<_>>() {
            if let Some(key) = self.trashed.remove(&id) {
                self.back.insert(id);
                back.push(Action::new(key, Request::Undo(Undoing::RestoreTicket(TicketId(id)))));
            }
        }
        Ok(back)
    }

    fn is_touched(&self, row: &ControlRollback) -> bool {
        row.gorgias_id.parse().is_ok_and(|id| self.touched.holds(log_word(&row.object), id))
    }

    fn went(&mut self, id: u64, key: &WriteKey) {
        self.trashed.insert(id, key.clone());
        self.unlooked += 1;
    }
}

#[async_trait]
impl Work for RowsWork<'_> {
    fn next(&mut self, ledger: &Ledger) -> Result<Option<Action>, WorkFailure> {
        loop {
            if let Some(action) = self.next.pop() {
                return Ok(Some(action));
            }
            let Some(row) = self.rows.next() else { return Ok(None) };
            let row = row?;
            let is_touched = self.watch.as_ref().is_some_and(|watch| watch.is_touched(&row));
            let is_unwanted = is_touched || self.only_settles;
            let mut actions = (self.make)(&row, ledger)?;
            // What is in doubt is looked up even when it is not wanted any more.
            actions.retain(|action| !is_unwanted || ledger.book().doubt(&action.key).is_some());
            for action in actions.iter().filter(|_| is_unwanted) {
                self.unwanted.insert(action.key.clone());
            }
            self.next = actions;
            self.next.reverse();
        }
    }

    fn is_wanted(&mut self, action: &Action) -> bool {
        !self.unwanted.contains(&action.key)
    }

    async fn settle(
        &mut self,
        action: &Action,
        outcome: Outcome,
        _ledger: &Ledger,
    ) -> Result<Reaction, WorkFailure> {
        let Request::Undo(undoing) = &action.request else {
            return Ok(plain(outcome, ReceiptClass::Restored));
        };
        let mut reaction = react(undoing, outcome);
        if let (Undoing::TrashTicket(id, _), Some(watch)) = (undoing, &mut self.watch)
            && matches!(reaction, Reaction::Record { class: ReceiptClass::Trashed, .. })
        {
            watch.went(id.0, &action.key);
            if watch.unlooked >= LOOK_TICKETS {
                let back = watch.look().await.map_err(Box::new)?;
                if let Reaction::Record { follow, .. } = &mut reaction {
                    follow.extend(back);
                }
            }
        }
        Ok(reaction)
    }
}

/// The log's word for an object of the table.
pub(super) fn log_word(object: &str) -> &'static str {
    match object {
        "ticket" => "Ticket",
        "customer" => "Customer",
        "tag" => "Tag",
        "team" => "Team",
        _ => "CustomField",
    }
}

/// What an outcome means for a write that takes back.
pub(super) fn react(undoing: &Undoing, outcome: Outcome) -> Reaction {
    let done = match undoing {
        Undoing::TrashTicket(..) | Undoing::ArchiveField(..) => ReceiptClass::Trashed,
        Undoing::RestoreTicket(_) => ReceiptClass::Restored,
        Undoing::DeleteTicket(_)
        | Undoing::DeleteMessage(..)
        | Undoing::DeleteCustomer(_)
        | Undoing::DeleteTag(_)
        | Undoing::DeleteTeam(_) => ReceiptClass::Deleted,
        Undoing::ExchangeFields(_, exchange) => exchanged(exchange.direction, ReceiptClass::Adopted),
        Undoing::ExchangeValues(_, exchange) => exchanged(exchange.direction, ReceiptClass::Updated),
    };
    match outcome {
        // Nothing of ours is left at a record that a person deleted.
        Outcome::Gone if done == ReceiptClass::Trashed => {
            Reaction::done(undoing.target(), ReceiptClass::Deleted, Via::Answer)
        }
        Outcome::Gone if done == ReceiptClass::Released => {
            Reaction::done(undoing.target(), ReceiptClass::Released, Via::Answer)
        }
        Outcome::Gone => Reaction::refused(codes::ABSENT, codes::words(codes::ABSENT)),
        Outcome::Refused { status: CHANGED_SINCE_PLAN, .. } => {
            Reaction::refused(codes::CHANGED, codes::words(codes::CHANGED))
        }
        Outcome::Refused { status, message } => {
            Reaction::refused(codes::NOT_REMOVED, format!("refused with {status}: {message}"))
        }
        other => plain(other, done),
    }
}

fn exchanged(direction: Direction, refilled: ReceiptClass) -> ReceiptClass {
    match direction {
        Direction::Release => ReceiptClass::Released,
        Direction::Refill => refilled,
    }
}
