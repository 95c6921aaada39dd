//! A wave of tickets: one creation each with up to five hundred messages, the rest one after the other.
//!
//! Files of a ticket are uploaded before it is created, each once: its address stands in the note of its receipt, which
//! reaches the ledger no later than the announcement of the ticket. So a ticket that is announced again has the same
//! body, and what a crash costs is at most a file that hangs on nothing. Files of tickets that are there are not
//! uploaded any more: a message takes attachments at its creation only.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use async_trait::async_trait;
use migration::gorgias::{CustomerId, TicketId, UserId};
use migration::keys::ExternalId;
use migration::ledger::{DestinationObject, ReceiptClass, Via, WriteKey};
use migration::message::BODY_BYTES_MAX;
use snapshot::tables::{WantAttachment, WantMessage, WantTicket, WantTicketTag, WantTicketValue};
use snapshot::{Children, Pass, Row as _};

use super::drafts::{self, Names, TicketDraft, TicketRows};
use super::order::OrderedTickets;
use super::uploads::Uploads;
use super::{Again, want};
use crate::archive::ArchiveError;
use crate::context::Context;
use crate::ledger::driver::{Action, Outcome, Reaction, Work, WorkFailure, codes, plain};
use crate::ledger::request::{Mending, Request};
use crate::ledger::stored::NoteV1;
use crate::ledger::{Ledger, key};
use crate::merges;
use crate::ports::gorgias::{Gorgias, NewDelivery, NewMessage, ReadError};
use crate::wave::Wave;
use crate::wish::{self, Wish};

type ChildrenOf<R> = Children<R, Wish<R>>;

/// The tables of tickets, side by side.
pub(crate) struct TicketTables {
    pub(crate) tickets: Wish<WantTicket>,
    pub(crate) tags: ChildrenOf<WantTicketTag>,
    pub(crate) values: ChildrenOf<WantTicketValue>,
    pub(crate) messages: ChildrenOf<WantMessage>,
    /// Where anything hangs on messages.
    pub(crate) attachments: Option<ChildrenOf<WantAttachment>>,
}

impl TicketTables {
    /// Opens them together; that of attachments where there is one.
    pub(crate) async fn open(ctx: &Context) -> Result<Self, ArchiveError> {
        Ok(Self {
            tickets: want::<WantTicket>(ctx).await?,
            tags: want::<WantTicketTag>(ctx).await?.children(1),
            values: want::<WantTicketValue>(ctx).await?.children(1),
            messages: want::<WantMessage>(ctx).await?.children(1),
            attachments: match wish::is_there(ctx, Pass::Full, WantAttachment::SCHEMA).await? {
                true => Some(want::<WantAttachment>(ctx).await?.children(1)),
                false => None,
            },
        })
    }

    /// The next ticket that belongs to one of the waves.
    pub(crate) fn next(&mut self, waves: &[Wave]) -> Result<Option<TicketRows>, snapshot::SnapshotError> {
        self.next_of(waves, |_| true)
    }

    /// As [`Self::next`], of the tickets that are wanted.
    pub(crate) fn next_of(
        &mut self,
        waves: &[Wave],
        is_wanted: impl Fn(&WantTicket) -> bool,
    ) -> Result<Option<TicketRows>, snapshot::SnapshotError> {
        for ticket in self.tickets.by_ref() {
            let ticket = ticket?;
            if waves.iter().any(|wave| wave.holds_tickets_of(&ticket.wave)) && is_wanted(&ticket) {
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

/// Gives the writes of one wave in the order of loading.
pub(crate) struct TicketsWork {
    names: Names,
    tickets: OrderedTickets,
    meta: BTreeMap<String, String>,
    /// By the key of the write that is on its way.
    open: BTreeMap<WriteKey, Open>,
    uploads: Uploads,
    gorgias: Arc<dyn Gorgias>,
    /// Creations that wait until it is known where their customer went, by the key of that customer.
    waiting: BTreeMap<WriteKey, Vec<Action>>,
    /// What is written once more; nothing writes what has no receipt.
    pub(crate) again: Option<Again>,
    /// Tickets whose customer is not there.
    pub(crate) held: u64,
}

impl TicketsWork {
    pub(crate) fn new(
        names: Names,
        tickets: OrderedTickets,
        meta: BTreeMap<String, String>,
        migration: &str,
        gorgias: Arc<dyn Gorgias>,
    ) -> Self {
        let uploads = Uploads::new(migration);
        let (open, waiting) = (BTreeMap::new(), BTreeMap::new());
        Self { names, tickets, meta, open, uploads, gorgias, waiting, again: None, held: 0 }
    }

    /// Whether the ticket, or one of its messages, is among what is written once more.
    fn is_looked_at(&self, rows: &TicketRows) -> bool {
        let Some(again) = &self.again else { return true };
        again.tickets.contains(&rows.ticket.external_id)
            || rows.messages.iter().any(|row| again.messages.contains(&row.external_id))
    }

    /// Whether the file's message may be among what is written.
    fn is_due(&self, rows: &TicketRows, file: &WantAttachment) -> bool {
        self.again.as_ref().is_none_or(|again| {
            again.tickets.contains(&rows.ticket.external_id)
                || again.messages.contains(&file.message_external_id)
        })
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
            !is_gone && !is_written && self.is_due(&rows, file)
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
        let missing = match &self.again {
            None => missing_after_restart(draft, ledger, &key),
            Some(again) => missing_of(again, draft, ledger),
        };
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

impl TicketsWork {
    /// What to do about a ticket that was refused because its customer is not there any more: nothing for any other.
    async fn lost_customer(
        &mut self,
        action: &Action,
        outcome: &Outcome,
        ledger: &Ledger,
    ) -> Result<Option<Reaction>, WorkFailure> {
        let Request::CreateTicket(ticket) = &action.request else { return Ok(None) };
        if !matches!(outcome, Outcome::Refused { .. } | Outcome::Gone) {
            return Ok(None);
        }
        let source = ticket.customer;
        let target = match self.gorgias.customer(source).await {
            Ok(raw) if raw.record.id == source => return Ok(None),
            Ok(raw) => raw.record.id,
            Err(ReadError::NotFound { .. }) => {
                self.open.remove(&action.key);
                let text = "a person deleted its customer";
                return Ok(Some(Reaction::refused(codes::GONE, text)));
            }
            // Whether it is there cannot be told now: the refusal stands, and can be tried once more.
            Err(_) => return Ok(None),
        };
        let named = ledger.book().iter().find(|(key, written)| {
            key.object == DestinationObject::Customer
                && written.destination().is_some_and(|id| id.0 == source.0)
        });
        // Where the ledger does not name it, an earlier ticket of the same customer has told where it went.
        let Some(key) = named.map(|(key, _)| key.clone()) else {
            return Ok(Some(Reaction::Instead(moved(action, target))));
        };
        let is_first = !self.waiting.contains_key(&key);
        self.waiting.entry(key.clone()).or_default().push(action.clone());
        let follow = if is_first { vec![merges::follow(key, source.0)] } else { Vec::new() };
        // Nothing took effect; the ticket is announced again when it is known where it belongs.
        Ok(Some(Reaction::Record {
            dest_id: None,
            class: ReceiptClass::Absent,
            via: Via::Answer,
            note: None,
            follow,
        }))
    }

    /// As [`Self::first_action`]. Where an earlier start died while it followed the customer, where that one is comes
    /// before its tickets.
    fn action_of(
        &mut self,
        rows: TicketRows,
        parent: WriteKey,
        customer: CustomerId,
        ledger: &Ledger,
    ) -> Result<Option<Action>, WorkFailure> {
        let action = self.first_action(rows, customer, ledger)?;
        if ledger.book().doubt(&parent).is_none() {
            return Ok(action);
        }
        let Some(action) = action else { return Ok(None) };
        if !matches!(action.request, Request::CreateTicket(_)) {
            return Ok(Some(action));
        }
        let is_first = !self.waiting.contains_key(&parent);
        self.waiting.entry(parent.clone()).or_default().push(action);
        Ok(is_first.then(|| merges::follow(parent, customer.0)))
    }

    /// The ledger learns where a customer went, and its tickets go there.
    fn followed(&mut self, key: &WriteKey, source: CustomerId, outcome: Outcome) -> Reaction {
        let waiting = self.waiting.remove(key).unwrap_or_default();
        let target = match outcome {
            Outcome::Done { id, .. } => CustomerId(id),
            _ => source,
        };
        let mut reaction = merges::followed(source.0, outcome);
        if let Reaction::Record { follow, .. } = &mut reaction {
            follow.extend(waiting.iter().map(|action| moved(action, target)));
        }
        reaction
    }
}

/// Messages that always ride with the creation, however long their texts are.
const MESSAGES_RIDING: u64 = (drafts::CREATE_BYTES_MAX / (2 * BODY_BYTES_MAX)) as u64;

/// Whether nothing can be left to write of the ticket: it is there, and it has no message that had to come after it.
fn is_settled(ticket: &str, messages: u64, ledger: &Ledger) -> bool {
    let key = key::ticket(&ExternalId::from_stored(ticket.to_owned()), ledger.secret());
    messages <= MESSAGES_RIDING
        && ledger.is_over(&key)
        && ledger.book().destination(&key).is_some()
        && ledger.book().note(&key).is_none()
}

/// Key of the customer that the ticket belongs to.
fn parent_of(rows: &TicketRows, ledger: &Ledger) -> WriteKey {
    key::customer(&ExternalId::from_stored(rows.ticket.customer_external_id.clone()), ledger.secret())
}

/// The same ticket for another customer.
fn moved(action: &Action, customer: CustomerId) -> Action {
    let mut action = action.clone();
    if let Request::CreateTicket(ticket) = &mut action.request {
        ticket.customer = customer;
        for message in &mut ticket.messages {
            if let NewDelivery::Incoming { sender, .. } = &mut message.delivery {
                *sender = customer;
            }
            if let NewDelivery::Outgoing { receiver, .. } = &mut message.delivery {
                *receiver = customer;
            }
        }
    }
    action
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

/// Messages that are known to be missing and have no receipt.
fn missing_of(again: &Again, draft: TicketDraft, ledger: &Ledger) -> VecDeque<NewMessage> {
    let is_due = |message: &NewMessage| {
        again.messages.contains(message.external_id.as_str())
            && !ledger.is_over(&key::message(&message.external_id, ledger.secret()))
    };
    draft.ticket.messages.into_iter().chain(draft.rest).filter(is_due).collect()
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
        let looks_at_all = self.again.is_some();
        while let Some(rows) = self
            .tickets
            .next(|placed| !looks_at_all && is_settled(&placed.age.key, placed.messages, ledger))?
        {
            if !self.is_looked_at(&rows) {
                continue;
            }
            let parent = parent_of(&rows, ledger);
            let Some(customer) = ledger.book().held(&parent) else {
                self.held += 1;
                continue;
            };
            if let Some(action) = self.action_of(rows, parent, CustomerId(customer), ledger)? {
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
                let parent = parent_of(&rows, ledger);
                follow.extend(self.action_of(rows, parent, customer, ledger)?);
            }
            return Ok(reaction);
        }
        if let Request::Mend(Mending::Follow(source)) = &action.request {
            return Ok(self.followed(&action.key, *source, outcome));
        }
        if let Some(reaction) = self.lost_customer(action, &outcome, ledger).await? {
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
