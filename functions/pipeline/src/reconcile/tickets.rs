//! Tickets and messages read back: whole lists, brought into the order of our keys, compared record by record.
//!
//! With every wave of tickets all tickets written so far are compared again, so the last reading proves the end state
//! and is the one that becomes a snapshot.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures::StreamExt as _;
use migration::compare::{Compared, Image, compare_record, missing, unexpected};
use migration::gorgias::{CustomerId, TicketId};
use migration::keys::ExternalId;
use migration::load_plan::{self, Counts};
use snapshot::tables::{FoundMessage, FoundTicket, FoundTicketTag, FoundTicketValue, WantTicket};
use snapshot::{Children, Key, Pass, Sealed, TableWriter, Value};

use super::image::{found_message, found_ticket, wanted_message, wanted_ticket};
use super::scratch::{MessageImage, TicketImage};
use super::verdict::Findings;
use super::{ReconcileError, Scene, Subject, duplicate, take_in};
use crate::archive::{self, Sorted};
use crate::found_rows;
use crate::ledger::key;
use crate::listing::{BEGINNINGS_MAX, walk};
use crate::load::drafts::TicketRows;
use crate::load::{ticket_tables, want};
use crate::ports::gorgias::{Message, Raw, ReadError, Ticket};
use crate::wave::Wave;

const TICKET: &str = "ticket";
const MESSAGE: &str = "message";

/// What the waves so far should have left behind.
#[derive(Default)]
struct Expected {
    /// Keys by id of the ledger.
    keys: BTreeMap<u64, String>,
    /// Keys of tickets that were not loaded.
    not_loaded: BTreeSet<String>,
    messages: u64,
}

/// Reads tickets and messages back and compares those of all waves up to this one.
pub(crate) async fn read_back(
    scene: &Scene<'_>,
    wave: Wave,
    findings: &mut Findings,
) -> Result<Vec<Sealed>, ReconcileError> {
    let waves: Vec<Wave> = Wave::ALL.into_iter().filter(|other| *other <= wave).collect();
    let expected = expected(scene, &waves).await?;
    findings.object(TICKET).wanted = expected.keys.len() as u64;
    let (tickets, messages) = futures::try_join!(read_tickets(scene), read_messages(scene, &expected))?;
    let images = tickets.images;
    compare(scene, &waves, &expected, images, messages.images, findings).await?;
    let is_last = scene.plan.waves_with_records().last() == Some(&wave);
    if !is_last {
        return Ok(Vec::new());
    }
    Ok(vec![tickets.tickets.seal()?, tickets.tags.seal()?, tickets.values.seal()?, messages.rows.seal()?])
}

async fn expected(scene: &Scene<'_>, waves: &[Wave]) -> Result<Expected, ReconcileError> {
    let mut expected = Expected::default();
    for row in want::<WantTicket>(scene.ctx).await? {
        let row = row?;
        if !waves.iter().any(|wave| wave.holds_tickets_of(&row.wave)) {
            continue;
        }
        let key = key::ticket(&ExternalId::from_stored(row.external_id.clone()), &scene.secret);
        match scene.book.destination(&key) {
            Some(id) => {
                expected.messages += u64::try_from(row.message_count).unwrap_or(0);
                expected.keys.insert(id, row.external_id);
            }
            None => drop(expected.not_loaded.insert(row.external_id)),
        }
    }
    Ok(expected)
}

struct TicketsFound {
    tickets: TableWriter<FoundTicket>,
    tags: TableWriter<FoundTicketTag>,
    values: TableWriter<FoundTicketValue>,
    images: TableWriter<TicketImage>,
}

async fn read_tickets(scene: &Scene<'_>) -> Result<TicketsFound, ReconcileError> {
    let mut beginnings = 0;
    loop {
        match walk_tickets(scene).await {
            Err(ReconcileError::Read(ReadError::Refused { .. })) if beginnings + 1 < BEGINNINGS_MAX => {
                beginnings += 1;
            }
            other => return other,
        }
    }
}

async fn walk_tickets(scene: &Scene<'_>) -> Result<TicketsFound, ReconcileError> {
    let ctx = scene.ctx;
    let mut found = TicketsFound {
        tickets: archive::writer(ctx, Pass::After, Vec::new())?,
        tags: archive::writer(ctx, Pass::After, Vec::new())?,
        values: archive::writer(ctx, Pass::After, Vec::new())?,
        images: archive::scratch_writer(ctx)?,
    };
    let gorgias = Arc::clone(&ctx.destination);
    let fetch = |cursor| {
        let gorgias = Arc::clone(&gorgias);
        Box::pin(async move { gorgias.tickets(Option::as_ref(&cursor)).await }) as _
    };
    walk::<Ticket, ReconcileError>(fetch, |raw| {
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
    })
    .await?;
    Ok(found)
}

struct MessagesFound {
    rows: TableWriter<FoundMessage>,
    images: TableWriter<MessageImage>,
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
async fn read_messages(scene: &Scene<'_>, expected: &Expected) -> Result<MessagesFound, ReconcileError> {
    let counts = Counts {
        tickets_created: expected.keys.len() as u64,
        messages_created: expected.messages,
        messages_before: scene.plan.counts.messages_before,
        ..Counts::default()
    };
    let by_account = load_plan::read_messages_by_account(&counts);
    let mut beginnings = 0;
    loop {
        let read = if by_account {
            walk_messages(scene, expected).await
        } else {
            walk_ticket_messages(scene, expected).await
        };
        match read {
            Err(ReconcileError::Read(ReadError::Refused { .. })) if beginnings + 1 < BEGINNINGS_MAX => {
                beginnings += 1;
            }
            other => return other,
        }
    }
}

fn messages_found(scene: &Scene<'_>) -> Result<MessagesFound, ReconcileError> {
    let rows = archive::writer(scene.ctx, Pass::After, Vec::new())?;
    Ok(MessagesFound { rows, images: archive::scratch_writer(scene.ctx)? })
}

async fn walk_messages(scene: &Scene<'_>, expected: &Expected) -> Result<MessagesFound, ReconcileError> {
    let mut found = messages_found(scene)?;
    let gorgias = Arc::clone(&scene.ctx.destination);
    let fetch = |cursor| {
        let gorgias = Arc::clone(&gorgias);
        Box::pin(async move { gorgias.messages(Option::as_ref(&cursor)).await }) as _
    };
    let mut done = 0;
    walk::<Message, ReconcileError>(fetch, |raw| {
        done += 1;
        scene.advanced("messages", done);
        found.take(expected, raw)
    })
    .await?;
    Ok(found)
}

async fn walk_ticket_messages(
    scene: &Scene<'_>,
    expected: &Expected,
) -> Result<MessagesFound, ReconcileError> {
    let mut found = messages_found(scene)?;
    let reads = expected.keys.keys().map(|id| {
        let gorgias = Arc::clone(&scene.ctx.destination);
        let id = TicketId(*id);
        async move {
            let fetch = |cursor| {
                let gorgias = Arc::clone(&gorgias);
                Box::pin(async move { gorgias.ticket_messages(id, Option::as_ref(&cursor)).await }) as _
            };
            let mut messages = Vec::new();
            let read = walk::<Message, ReconcileError>(fetch, |raw| {
                messages.push(raw);
                Ok(())
            });
            match read.await {
                // A ticket that is gone shows up as missing.
                Ok(_) | Err(ReconcileError::Read(ReadError::NotFound { .. })) => Ok(messages),
                Err(error) => Err(error),
            }
        }
    });
    let mut reads = futures::stream::iter(reads).buffered(scene.ctx.limits.destination_in_flight.max(1));
    let mut done = 0;
    while let Some(messages) = reads.next().await {
        messages?.into_iter().try_for_each(|raw| found.take(expected, raw))?;
        done += 1;
        scene.advanced("tickets with messages", done);
    }
    Ok(found)
}

type Images<R> = Children<R, Sorted<R>>;

async fn compare(
    scene: &Scene<'_>,
    waves: &[Wave],
    expected: &Expected,
    tickets: TableWriter<TicketImage>,
    messages: TableWriter<MessageImage>,
    findings: &mut Findings,
) -> Result<(), ReconcileError> {
    let mut tickets: Images<TicketImage> = Children::new(archive::read_back(tickets)?, 1);
    let mut messages: Images<MessageImage> = Children::new(archive::read_back(messages)?, 1);
    let mut wanted = ticket_tables(scene.ctx).await?;
    let mut done = 0;
    while let Some(rows) = wanted.next(waves)? {
        let parent = Key::of([Value::Text(rows.ticket.external_id.as_str())]);
        while let Some(stranger) = tickets.next_before(&parent)? {
            unwanted(scene, expected, &stranger, findings);
        }
        let found = tickets.take(&parent)?;
        let its_messages = messages.take(&parent)?;
        compare_ticket(scene, &rows, &found, &its_messages, findings)?;
        done += 1;
        scene.advanced("tickets", done);
    }
    while let Some(key) = tickets.next_key() {
        for stranger in tickets.take(&key?)? {
            unwanted(scene, expected, &stranger, findings);
        }
    }
    Ok(())
}

/// A ticket with a key of ours that this run does not want (yet).
fn unwanted(scene: &Scene<'_>, expected: &Expected, found: &TicketImage, findings: &mut Findings) {
    let key = key::ticket(&ExternalId::from_stored(found.external_id.clone()), &scene.secret);
    let known = scene.book.destination(&key).is_some() && !expected.not_loaded.contains(&found.external_id);
    let subject = Subject {
        object: TICKET,
        external_id: &found.external_id,
        gorgias_id: found.gorgias_id.parse().ok(),
    };
    take_in(findings, &subject, unexpected(), |_| {
        known.then(|| "an earlier run of this migration wrote it".to_owned())
    });
}

fn compare_ticket(
    scene: &Scene<'_>,
    rows: &TicketRows,
    found: &[TicketImage],
    messages: &[MessageImage],
    findings: &mut Findings,
) -> Result<(), ReconcileError> {
    let external_id = &rows.ticket.external_id;
    let ours = ExternalId::from_stored(external_id.clone());
    let parent = ExternalId::from_stored(rows.ticket.customer_external_id.clone());
    let loaded = scene.book.destination(&key::ticket(&ours, &scene.secret));
    let customer = scene.book.destination(&key::customer(&parent, &scene.secret));
    let (Some(id), Some(customer)) = (loaded, customer.map(CustomerId)) else {
        // Refused or held: whatever is there was not written by this ledger.
        for stranger in found {
            unwanted(scene, &Expected::default(), stranger, findings);
        }
        return Ok(());
    };
    let wanted = wanted_ticket(&scene.names, rows, customer);
    let subject = Subject { object: TICKET, external_id, gorgias_id: Some(id) };
    let own = id.to_string();
    for other in found.iter().filter(|image| image.gorgias_id != own) {
        duplicate(findings, TICKET, external_id, other.gorgias_id.parse().unwrap_or(0));
    }
    match found.iter().find(|image| image.gorgias_id == own) {
        None => take_in(findings, &subject, missing(&wanted), |_| None),
        Some(image) => {
            findings.object(TICKET).compared += 1;
            let image: Image = serde_json::from_str(&image.image)?;
            take_in(findings, &subject, compare_record(Compared::Ticket, &wanted, &image), |_| None);
        }
    }
    compare_messages(scene, rows, customer, messages, findings)
}

fn compare_messages(
    scene: &Scene<'_>,
    rows: &TicketRows,
    customer: CustomerId,
    found: &[MessageImage],
    findings: &mut Findings,
) -> Result<(), ReconcileError> {
    let mut by_key: BTreeMap<&str, Vec<&MessageImage>> = BTreeMap::new();
    for image in found {
        by_key.entry(&image.external_id).or_default().push(image);
    }
    for row in &rows.messages {
        let key = key::message(&ExternalId::from_stored(row.external_id.clone()), &scene.secret);
        if scene.book.is_refused(&key) {
            continue;
        }
        findings.object(MESSAGE).wanted += 1;
        let wanted = wanted_message(&scene.names, row, customer);
        let images = by_key.remove(row.external_id.as_str()).unwrap_or_default();
        let id = images.first().and_then(|image| image.gorgias_id.parse().ok());
        let subject = Subject { object: MESSAGE, external_id: &row.external_id, gorgias_id: id };
        for other in images.iter().skip(1) {
            duplicate(findings, MESSAGE, &row.external_id, other.gorgias_id.parse().unwrap_or(0));
        }
        match images.first() {
            None => take_in(findings, &subject, missing(&wanted), |_| None),
            Some(image) => {
                findings.object(MESSAGE).compared += 1;
                let image: Image = serde_json::from_str(&image.image)?;
                take_in(findings, &subject, compare_record(Compared::Message, &wanted, &image), |_| None);
            }
        }
    }
    for image in by_key.into_values().flatten() {
        let id = image.gorgias_id.parse().ok();
        let subject = Subject { object: MESSAGE, external_id: &image.external_id, gorgias_id: id };
        take_in(findings, &subject, unexpected(), |_| None);
    }
    Ok(())
}
