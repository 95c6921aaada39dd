//! Gorgias' tickets and messages, read whole: rows for a snapshot, and images of ours for whoever compares.
//!
//! Deliberately absent: comparing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use migration::gorgias::TicketId;
use migration::keys::ExternalId;
use migration::load_plan::{self, Counts};
use snapshot::tables::{FoundMessage, FoundTicket, FoundTicketTag, FoundTicketValue, WantTicket};
use snapshot::{Pass, TableWriter};

use super::image::{found_message, found_ticket};
use super::scratch::{MessageImage, TicketImage};
use super::{ReconcileError, Scene};
use crate::archive;
use crate::found_rows;
use crate::ledger::key;
use crate::listing::{BEGINNINGS_MAX, walk};
use crate::load::want;
use crate::ports::gorgias::{Cursor, Gorgias, Message, Raw, ReadError, Ticket};
use crate::readings::{Reading, whole};
use crate::wave::Wave;

/// Is shown every ticket of the account, some of them twice when the list is walked anew.
pub(crate) type See<'a> = &'a (dyn Fn(&Ticket) + Send + Sync);

/// What the waves so far should have left behind.
#[derive(Default)]
pub(crate) struct Expected {
    /// Keys by id of the ledger.
    pub(crate) keys: BTreeMap<u64, String>,
    /// Keys of tickets that were not loaded.
    pub(crate) not_loaded: BTreeSet<String>,
    /// Messages of the loaded ones.
    pub(crate) messages: u64,
}

/// What the ledger says about the tickets of these waves.
pub(crate) async fn expected(scene: &Scene<'_>, waves: &[Wave]) -> Result<Expected, ReconcileError> {
    let mut expected = Expected::default();
    for row in want::<WantTicket>(scene.ctx).await? {
        let row = row?;
        if !waves.iter().any(|wave| wave.holds_tickets_of(&row.wave)) {
            continue;
        }
        let key = key::ticket(&ExternalId::from_stored(row.external_id.clone()), &scene.secret);
        match scene.book.held(&key) {
            Some(id) => {
                expected.messages += u64::try_from(row.message_count).unwrap_or(0);
                expected.keys.insert(id, row.external_id);
            }
            None => drop(expected.not_loaded.insert(row.external_id)),
        }
    }
    Ok(expected)
}

/// Tickets as found, and those of ours for comparison.
pub(crate) struct TicketsFound {
    pub(crate) tickets: TableWriter<FoundTicket>,
    pub(crate) tags: TableWriter<FoundTicketTag>,
    pub(crate) values: TableWriter<FoundTicketValue>,
    pub(crate) images: TableWriter<TicketImage>,
}

/// Walks the whole list of tickets.
pub(crate) async fn read_tickets(
    scene: &Scene<'_>,
    pass: Pass,
    see: See<'_>,
) -> Result<TicketsFound, ReconcileError> {
    let ctx = scene.ctx;
    let begin = || {
        Ok::<_, ReconcileError>(TicketsFound {
            tickets: archive::writer(ctx, pass, Vec::new())?,
            tags: archive::writer(ctx, pass, Vec::new())?,
            values: archive::writer(ctx, pass, Vec::new())?,
            images: archive::scratch_writer(ctx)?,
        })
    };
    let take = |found: &mut TicketsFound, raw: Raw<Ticket>| {
        see(&raw.record);
        let ours = raw.record.external_id.as_ref().filter(|text| text.starts_with(ExternalId::PREFIX));
        if let Some(external_id) = ours {
            found.images.push(TicketImage {
                external_id: external_id.clone(),
                gorgias_id: raw.record.id.to_string(),
                image: serde_json::to_string(&found_ticket(&scene.names, &raw.record))?,
            })?;
        }
        let (ticket, tags, values) = found_rows::ticket(raw);
        tags.into_iter().try_for_each(|row| found.tags.push(row))?;
        values.into_iter().try_for_each(|row| found.values.push(row))?;
        Ok(found.tickets.push(ticket)?)
    };
    whole(ctx, &format!("{}/tickets", scene.reading), begin, take).await
}

/// Messages as found, and those of our tickets for comparison.
pub(crate) struct MessagesFound {
    pub(crate) rows: TableWriter<FoundMessage>,
    pub(crate) images: TableWriter<MessageImage>,
}

impl MessagesFound {
    fn take(&mut self, expected: &Expected, raw: Raw<Message>) -> Result<(), ReconcileError> {
        if let Some(ticket) = expected.keys.get(&raw.record.ticket.0) {
            self.images.push(MessageImage {
                ticket_external_id: ticket.clone(),
                external_id: raw.record.external_id.clone().unwrap_or_default(),
                gorgias_id: raw.record.id.to_string(),
                image: serde_json::to_string(&found_message(&raw.record))?,
            })?;
        }
        Ok(self.rows.push(found_rows::message(raw))?)
    }
}

/// By pages of the whole account, or ticket by ticket, whichever takes fewer requests.
pub(crate) async fn read_messages(
    scene: &Scene<'_>,
    pass: Pass,
    expected: &Expected,
) -> Result<MessagesFound, ReconcileError> {
    let counts = Counts {
        tickets_created: expected.keys.len() as u64,
        messages_created: expected.messages,
        messages_before: scene.plan.counts.messages_before,
        ..Counts::default()
    };
    if load_plan::read_messages_by_account(&counts) {
        walk_messages(scene, pass, expected).await
    } else {
        walk_ticket_messages(scene, pass, expected).await
    }
}

fn messages_found(scene: &Scene<'_>, pass: Pass) -> Result<MessagesFound, ReconcileError> {
    let rows = archive::writer(scene.ctx, pass, Vec::new())?;
    Ok(MessagesFound { rows, images: archive::scratch_writer(scene.ctx)? })
}

async fn walk_messages(
    scene: &Scene<'_>,
    pass: Pass,
    expected: &Expected,
) -> Result<MessagesFound, ReconcileError> {
    let mut done = 0;
    let take = |found: &mut MessagesFound, raw: Raw<Message>| {
        done += 1;
        scene.advanced("messages", done);
        found.take(expected, raw)
    };
    let name = format!("{}/messages", scene.reading);
    whole(scene.ctx, &name, || messages_found(scene, pass), take).await
}

async fn walk_ticket_messages(
    scene: &Scene<'_>,
    pass: Pass,
    expected: &Expected,
) -> Result<MessagesFound, ReconcileError> {
    let mut found = messages_found(scene, pass)?;
    let tickets = expected.keys.keys().copied().map(|id| Ok::<_, ReconcileError>(((), id)));
    let fetch = |id| {
        let gorgias = Arc::clone(&scene.ctx.destination);
        Box::pin(async move { messages_of(&*gorgias, TicketId(id)).await }) as _
    };
    let mut done = 0;
    let mut reading = Reading::open(scene.ctx, &format!("{}/ticket-messages", scene.reading)).await?;
    // A ticket that is gone has no messages, and shows up as missing.
    let visit = |(), _, messages: Vec<Raw<Message>>| {
        done += 1;
        scene.advanced("tickets with messages", done);
        messages.into_iter().try_for_each(|raw| found.take(expected, raw))
    };
    reading.each(tickets, fetch, visit).await?;
    Ok(found)
}

/// All messages of one ticket.
async fn messages_of(gorgias: &dyn Gorgias, id: TicketId) -> Result<Vec<Raw<Message>>, ReadError> {
    let mut beginnings = 1;
    loop {
        let mut messages = Vec::new();
        let fetch = |cursor: Option<Cursor>| {
            Box::pin(async move { gorgias.ticket_messages(id, cursor.as_ref()).await }) as _
        };
        let read = walk::<Message, ReadError>(fetch, |raw| {
            messages.push(raw);
            Ok(())
        });
        match read.await {
            Ok(_) => return Ok(messages),
            Err(ReadError::Refused { .. }) if beginnings < BEGINNINGS_MAX => beginnings += 1,
            Err(error) => return Err(error),
        }
    }
}
