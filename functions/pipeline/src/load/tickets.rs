//! A wave of tickets: one creation each with up to five hundred messages, the rest one after the other.
//!
//! Files of a ticket are uploaded before it is created, each once: its address stands in the note of its receipt, which
//! reaches the ledger no later than the announcement of the ticket. So a ticket that is announced again has the same
//! body, and what a crash costs is at most a file that hangs on nothing. Files of tickets that are there are not
//! uploaded any more: a message takes attachments at its creation only.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use async_trait::async_trait;
use migration::gorgias::{CustomerId, TicketId, UserId};
use migration::keys::ExternalId;
use migration::ledger::{ReceiptClass, WriteKey};
use snapshot::tables::{WantAttachment, WantMessage, WantTicket, WantTicketTag, WantTicketValue};
use snapshot::{Children, Row as _, TableReader};

use super::drafts::{self, Names, TicketDraft, TicketRows};
use super::uploads::Uploads;
use crate::ledger::driver::{Action, Outcome, Reaction, Work, WorkFailure, codes, plain};
use crate::ledger::request::Request;
use crate::ledger::stored::NoteV1;
use crate::ledger::{Ledger, key};
use crate::ports::gorgias::NewMessage;
use crate::wave::Wave;

type ChildrenOf<R> = Children<R, TableReader<R>>;

/// The tables of tickets, side by side.
pub(crate) struct TicketTables {
    pub(crate) tickets: TableReader<WantTicket>,
    pub(crate) tags: ChildrenOf<WantTicketTag>,
    pub(crate) values: ChildrenOf<WantTicketValue>,
    pub(crate) messages: ChildrenOf<WantMessage>,
    /// Where anything hangs on messages.
    pub(crate) attachments: Option<ChildrenOf<WantAttachment>>,
}

impl TicketTables {
    /// The next ticket that belongs to one of the waves.
    pub(crate) fn next(&mut self, waves: &[Wave]) -> Result<Option<TicketRows>, snapshot::SnapshotError> {
        for ticket in self.tickets.by_ref() {
            let ticket = ticket?;
            if waves.iter().any(|wave| wave.holds_tickets_of(&ticket.wave)) {
                let key = ticket.key();
                let (tags, values) = (self.tags.take(&key)?, self.values.take(&key)?);
                let attachments = match &mut self.attachments {
                    Some(attachments) => attachments.take(&key)?,
                    None => Vec::new(),
                };
                let messages = self.messages.take(&key)?;
                return Ok(Some(TicketRows { tags, values, messages, attachments, ticket }));
            }
        }
        Ok(None)
    }
}

/// Messages of one ticket that still have to be appended, in order of time.
struct Open {
    ticket: Option<TicketId>,
    rest: VecDeque<NewMessage>,
}

/// Gives the writes of one wave in order of key.
pub(crate) struct TicketsWork {
    wave: Wave,
    names: Names,
    tables: TicketTables,
    meta: BTreeMap<String, String>,
    /// By the key of the write that is on its way.
    open: BTreeMap<WriteKey, Open>,
    uploads: Uploads,
    /// Tickets whose customer is not there.
    pub(crate) held: u64,
}

impl TicketsWork {
    pub(crate) fn new(
        wave: Wave,
        names: Names,
        tables: TicketTables,
        meta: BTreeMap<String, String>,
        migration: &str,
    ) -> Self {
        let uploads = Uploads::new(migration);
        Self { wave, names, tables, meta, open: BTreeMap::new(), uploads, held: 0 }
    }

    /// The write that comes first for a ticket: an upload, its creation, or a message that is still missing.
    fn first_action(
        &mut self,
        rows: TicketRows,
        customer: CustomerId,
        ledger: &Ledger,
    ) -> Result<Option<Action>, WorkFailure> {
        let urls = |file: &WantAttachment| self.uploads.url(file, ledger);
        let draft = drafts::ticket(&rows, &self.names, customer, &self.meta, &urls)?;
        let key = key::ticket(&draft.ticket.external_id, ledger.secret());
        let (is_over, inline) = (ledger.is_over(&key), draft.ticket.messages.len());
        let is_gone = is_over && ledger.book().destination(&key).is_none();
        let is_due = |file: &WantAttachment| {
            let message = ExternalId::from_stored(file.message_external_id.clone());
            let is_inline = usize::try_from(file.position).is_ok_and(|position| position <= inline);
            let is_written =
                is_over && (is_inline || ledger.is_over(&key::message(&message, ledger.secret())));
            !is_gone && !is_written
        };
        let due: Vec<WantAttachment> = rows.attachments.iter().filter(|file| is_due(file)).cloned().collect();
        if self.uploads.begin(&due, ledger)? {
            self.uploads.wait(rows, customer);
            return Ok(self.uploads.next());
        }
        if !is_over {
            self.open.insert(key.clone(), Open { ticket: None, rest: draft.rest.into() });
            return Ok(Some(Action::new(key, Request::CreateTicket(Box::new(draft.ticket)))));
        }
        let Some(id) = ledger.book().destination(&key) else { return Ok(None) };
        let missing = missing_after_restart(draft, ledger, &key);
        Ok(self.append_next(TicketId(id), missing, ledger))
    }

    /// The next message to append; the others follow when it is there.
    fn append_next(
        &mut self,
        ticket: TicketId,
        mut rest: VecDeque<NewMessage>,
        ledger: &Ledger,
    ) -> Option<Action> {
        let message = rest.pop_front()?;
        let key = key::message(&message.external_id, ledger.secret());
        self.open.insert(key.clone(), Open { ticket: Some(ticket), rest });
        Some(Action::new(key, Request::Append(ticket, Box::new(message))))
    }
}

/// Messages without a receipt of their own among those that creation did not take or did not keep.
fn missing_after_restart(draft: TicketDraft, ledger: &Ledger, ticket: &WriteKey) -> VecDeque<NewMessage> {
    let lost = ledger.book().note(ticket).filter(|note| note.code == codes::ARRIVED_IN_PART);
    let lost: BTreeSet<usize> = lost
        .map(|note| note.text.split(',').filter_map(|position| position.parse().ok()).collect())
        .unwrap_or_default();
    let inline = draft.ticket.messages.into_iter().enumerate();
    let lost = inline.filter(|(position, _)| lost.contains(position)).map(|(_, message)| message);
    let is_open =
        |message: &NewMessage| !ledger.is_over(&key::message(&message.external_id, ledger.secret()));
    lost.chain(draft.rest).filter(is_open).collect()
}

/// Positions of messages that were sent with the creation and did not arrive.
fn lost_positions(request: &Request, arrived: &[String]) -> Vec<usize> {
    let Request::CreateTicket(ticket) = request else { return Vec::new() };
    let arrived: BTreeSet<&str> = arrived.iter().map(String::as_str).collect();
    let is_lost = |message: &NewMessage| !arrived.contains(message.external_id.as_str());
    ticket.messages.iter().enumerate().filter(|(_, message)| is_lost(message)).map(|(at, _)| at).collect()
}

#[async_trait]
impl Work for TicketsWork {
    fn is_wanted(&mut self, action: &Action) -> bool {
        self.uploads.sent_again(action);
        true
    }

    fn watched_for(&self) -> Option<UserId> {
        Some(self.names.directory.service_user())
    }

    fn next(&mut self, ledger: &Ledger) -> Result<Option<Action>, WorkFailure> {
        if let Some(upload) = self.uploads.next() {
            return Ok(Some(upload));
        }
        while let Some(rows) = self.tables.next(&[self.wave])? {
            let parent = ExternalId::from_stored(rows.ticket.customer_external_id.clone());
            let parent = key::customer(&parent, ledger.secret());
            let Some(customer) = ledger.book().destination(&parent) else {
                self.held += 1;
                continue;
            };
            if let Some(action) = self.first_action(rows, CustomerId(customer), ledger)? {
                return Ok(Some(action));
            }
        }
        Ok(None)
    }

    async fn settle(
        &mut self,
        action: &Action,
        outcome: Outcome,
        ledger: &Ledger,
    ) -> Result<Reaction, WorkFailure> {
        if matches!(action.request, Request::Upload(_)) {
            let mut reaction = self.uploads.settle(action, outcome);
            if let (Reaction::Record { follow, .. }, Some((rows, customer))) =
                (&mut reaction, self.uploads.released(&action.key))
            {
                follow.extend(self.first_action(rows, customer, ledger)?);
            }
            return Ok(reaction);
        }
        let open = self.open.remove(&action.key);
        let Outcome::Done { id, via, arrived } = outcome else {
            // A message that is refused does not hold up the later ones of its ticket.
            let follow = open.and_then(|open| self.append_next(open.ticket?, open.rest, ledger));
            let mut reaction = plain(outcome, ReceiptClass::Created);
            if let Reaction::Record { follow: next, .. } = &mut reaction {
                next.extend(follow);
            }
            return Ok(reaction);
        };
        let Some(Open { ticket, mut rest }) = open else {
            return Ok(Reaction::done(id, ReceiptClass::Created, via));
        };
        let lost = arrived.map(|arrived| lost_positions(&action.request, &arrived)).unwrap_or_default();
        if let Request::CreateTicket(sent) = &action.request {
            for message in lost.iter().rev().filter_map(|position| sent.messages.get(*position)) {
                rest.push_front(message.clone());
            }
        }
        let note = (!lost.is_empty()).then(|| NoteV1 {
            code: codes::ARRIVED_IN_PART.to_owned(),
            text: lost.iter().map(ToString::to_string).collect::<Vec<_>>().join(","),
        });
        let next = self.append_next(ticket.unwrap_or(TicketId(id)), rest, ledger);
        Ok(Reaction::Record {
            dest_id: Some(id),
            class: ReceiptClass::Created,
            via,
            note,
            follow: next.into_iter().collect(),
        })
    }
}
