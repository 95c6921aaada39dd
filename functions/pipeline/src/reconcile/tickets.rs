//! Tickets and messages read back: whole lists, brought into the order of our keys, compared record by record.
//!
//! With every wave of tickets all tickets written so far are compared again, so the last reading proves the end state
//! and is the one that becomes a snapshot.

use std::collections::BTreeMap;

use migration::compare::{Compared, Image, compare_record, missing, unexpected};
use migration::gorgias::{CustomerId, MessageId, TicketId};
use migration::keys::ExternalId;
use snapshot::tables::WantAttachment;
use snapshot::{Pass, Sealed};

use super::image::{wanted_message, wanted_ticket};
use super::pairing::{Pair, Pairing};
use super::reading::{Expected, expected, read_messages, read_tickets};
use super::scratch::{MessageImage, TicketImage};
use super::verdict::Findings;
use super::{ReconcileError, Scene, Subject, duplicate, take_in};
use crate::ledger::key;
use crate::load::drafts::TicketRows;
use crate::load::uploads::url_of;
use crate::readings::both;
use crate::sweep::Second;
use crate::wave::Wave;

const TICKET: &str = "ticket";
const MESSAGE: &str = "message";

/// Reads tickets and messages back and compares those of all waves up to this one.
pub(crate) async fn read_back(
    scene: &Scene<'_>,
    wave: Wave,
    findings: &mut Findings,
) -> Result<Vec<Sealed>, ReconcileError> {
    let waves: Vec<Wave> = Wave::ALL.into_iter().filter(|other| *other <= wave).collect();
    let expected = expected(scene, &waves).await?;
    findings.object(TICKET).wanted = expected.keys.len() as u64;
    let (tickets, messages) = both(
        &scene.ctx.stop,
        read_tickets(scene, Pass::After, &|_| ()),
        read_messages(scene, Pass::After, &expected),
    )
    .await?;
    let mut pairs = Pairing::open(scene.ctx, &waves, tickets.images, messages.images).await?;
    let mut done = 0;
    while let Some(pair) = pairs.next()? {
        match pair {
            Pair::Stranger(stranger) => unwanted(scene, &expected, &stranger, findings),
            Pair::Wanted { rows, found, messages } => {
                compare_ticket(scene, &rows, &found, &messages, findings)?;
                done += 1;
                scene.advanced("tickets", done);
            }
        }
    }
    let is_last = scene.plan.waves_with_records().last() == Some(&wave);
    if !is_last {
        return Ok(Vec::new());
    }
    Ok(vec![tickets.tickets.seal()?, tickets.tags.seal()?, tickets.values.seal()?, messages.rows.seal()?])
}

/// A ticket with a key of ours that this run does not want (yet).
fn unwanted(scene: &Scene<'_>, expected: &Expected, found: &TicketImage, findings: &mut Findings) {
    let key = key::ticket(&ExternalId::from_stored(found.external_id.clone()), &scene.secret);
    let known = scene.book.held(&key).is_some() && !expected.not_loaded.contains(&found.external_id);
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
    let loaded = scene.book.held(&key::ticket(&ours, &scene.secret));
    let customer = scene.customer(&rows.ticket.customer_external_id);
    let (Some(id), Some(customer)) = (loaded, customer) else {
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
        // One that lies in the trash is out of the way.
        let image: Image = serde_json::from_str(&other.image)?;
        if !image.contains_key("trashed_at") {
            let second = other.gorgias_id.parse().unwrap_or(0);
            duplicate(findings, TICKET, external_id, second);
            findings.seconds.insert(Second::Ticket(TicketId(second)));
        }
    }
    match found.iter().find(|image| image.gorgias_id == own) {
        None => take_in(findings, &subject, missing(&wanted), |_| None),
        Some(image) => {
            findings.object(TICKET).compared += 1;
            let image: Image = serde_json::from_str(&image.image)?;
            take_in(findings, &subject, compare_record(Compared::Ticket, &wanted, &image), |_| None);
        }
    }
    compare_messages(scene, rows, TicketId(id), customer, messages, findings)
}

/// The files of a message that Gorgias took, with their addresses.
pub(crate) fn files_of<'r>(
    scene: &Scene<'_>,
    rows: &'r TicketRows,
    position: i32,
) -> Vec<(&'r WantAttachment, String)> {
    let url = |file| Some((file, url_of(file, &scene.book, &scene.secret)?));
    rows.attached(position).filter_map(url).collect()
}

fn compare_messages(
    scene: &Scene<'_>,
    rows: &TicketRows,
    ticket: TicketId,
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
        let files = files_of(scene, rows, row.position);
        let wanted = wanted_message(&scene.names, row, &files, customer);
        let images = by_key.remove(row.external_id.as_str()).unwrap_or_default();
        // The one that the ledger names, else the first of them.
        let held = scene.book.held(&key).map(|id| id.to_string());
        let named = images.iter().find(|image| Some(&image.gorgias_id) == held.as_ref());
        let image = named.or(images.first()).copied();
        let id = image.and_then(|image| image.gorgias_id.parse().ok());
        let subject = Subject { object: MESSAGE, external_id: &row.external_id, gorgias_id: id };
        for other in
            images.iter().filter(|other| Some(&other.gorgias_id) != image.map(|image| &image.gorgias_id))
        {
            let second = other.gorgias_id.parse().unwrap_or(0);
            duplicate(findings, MESSAGE, &row.external_id, second);
            findings.seconds.insert(Second::Message(ticket, MessageId(second)));
        }
        match image {
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
