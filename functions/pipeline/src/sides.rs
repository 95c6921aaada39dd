//! Records of ours as they were wished and as they are now, in one comparable form: what rollback and repair judge by.
//!
//! Both sides are the comparison's own images under its declared normalisations, so that "changed" means one thing
//! everywhere. Deliberately absent: reading, and judging.

use std::collections::{BTreeMap, BTreeSet};

use migration::compare::{Compared, Image, normalised};
use migration::decide::RecordImage;
use migration::gorgias::CustomerId;
use migration::keys::ExternalId;
use migration::ledger::{DestinationObject, WriteKey};
use snapshot::tables::WantMessage;

use crate::context::Context;
use crate::ledger::book::Book;
use crate::ledger::driver::codes;
use crate::ledger::key::{self, Secret};
use crate::load;
use crate::load::adopted::Adoptions;
use crate::load::drafts::{self, TicketRows};
use crate::load::{LoadError, adoption};
use crate::ports::gorgias::Customer;
use crate::reconcile::customers::Wanted;
use crate::reconcile::image::{found_customer, wanted_customer, wanted_message, wanted_ticket};
use crate::reconcile::scratch::{MessageImage, TicketImage};
use crate::reconcile::tickets::files_of;
use crate::reconcile::{ReconcileError, Scene};

/// A ticket of ours with the messages that are there.
pub(crate) struct TicketSides {
    /// As it was wished.
    pub(crate) wished: RecordImage,
    /// As it is now; nothing when it is gone or in the trash.
    pub(crate) found: Option<RecordImage>,
    /// As it is now, unnormalised, also in the trash.
    pub(crate) image: Option<Image>,
    /// Its messages that are not ours.
    pub(crate) foreign: Vec<String>,
}

/// Fields and no messages.
pub(crate) fn record(fields: Image) -> RecordImage {
    RecordImage { fields, messages: BTreeSet::new() }
}

/// The customer that a ticket of ours belongs to.
pub(crate) fn parent(scene: &Scene<'_>, rows: &TicketRows) -> CustomerId {
    scene.customer(&rows.ticket.customer_external_id).unwrap_or(CustomerId(0))
}

/// Both sides of the ticket that the ledger names.
pub(crate) fn ticket(
    scene: &Scene<'_>,
    rows: &TicketRows,
    id: u64,
    found: &[TicketImage],
    messages: &[MessageImage],
) -> Result<TicketSides, ReconcileError> {
    let customer = parent(scene, rows);
    let own = id.to_string();
    let image = found.iter().find(|image| image.gorgias_id == own);
    let image: Option<Image> = image.map(|image| serde_json::from_str(&image.image)).transpose()?;
    let is_there = image.as_ref().filter(|image| !image.contains_key("trashed_at"));
    let mut wished = record(normalised(Compared::Ticket, &wanted_ticket(&scene.names, rows, customer)));
    let mut now = record(is_there.map(|image| normalised(Compared::Ticket, image)).unwrap_or_default());
    let foreign = messages_of(scene, rows, customer, messages, &mut wished, &mut now)?;
    let found = is_there.is_some().then_some(now);
    Ok(TicketSides { wished, found, image, foreign })
}

/// Puts the messages that are there beside their wishes, and names those that are not ours.
fn messages_of(
    scene: &Scene<'_>,
    rows: &TicketRows,
    customer: CustomerId,
    found: &[MessageImage],
    wished: &mut RecordImage,
    now: &mut RecordImage,
) -> Result<Vec<String>, ReconcileError> {
    let wanted: BTreeMap<&str, _> = rows.messages.iter().map(|row| (row.external_id.as_str(), row)).collect();
    let mut foreign = Vec::new();
    for image in found {
        let Some(row) = wanted.get(image.external_id.as_str()) else {
            let name = format!("message {}", image.gorgias_id);
            now.messages.insert(name.clone());
            foreign.push(name);
            continue;
        };
        let put = |into: &mut RecordImage, fields: Image| {
            for (name, value) in normalised(Compared::Message, &fields) {
                into.fields.insert(format!("message[{}].{name}", image.gorgias_id), value);
            }
        };
        let files = files_of(scene, rows, row.position);
        put(wished, wanted_message(&scene.names, row, &files, customer));
        put(now, serde_json::from_str(&image.image)?);
        wished.messages.insert(row.external_id.clone());
        now.messages.insert(row.external_id.clone());
    }
    Ok(foreign)
}

/// A customer that we made, as it was wished: channels that others held were left out when it was created.
pub(crate) fn made_customer(
    scene: &Scene<'_>,
    wanted: &Wanted,
    key: &WriteKey,
    found: Option<&Image>,
) -> Image {
    let mut image = wanted_customer(&scene.names, &wanted.row, &wanted.channels, &wanted.values);
    if scene.book.note(key).is_some_and(|note| note.code == codes::NUMBER_HELD) {
        image.retain(|name, _| {
            !name.starts_with("channel[") || found.is_some_and(|found| found.contains_key(name))
        });
    }
    image
}

/// The comparable form of a customer.
pub(crate) fn customer(scene: &Scene<'_>, customer: &Customer) -> RecordImage {
    record(normalised(Compared::Customer, &found_customer(&scene.names, customer)))
}

/// A customer that was there before us: as it was, and with what the load filled.
pub(crate) fn adopted<'a>(
    scene: &Scene<'_>,
    adoptions: &'a Adoptions,
    wanted: &Wanted,
) -> Result<Option<(&'a Customer, Customer)>, ReconcileError> {
    let ours = ExternalId::from_stored(wanted.row.external_id.clone());
    let Some(before) = adoptions.of(&ours) else { return Ok(None) };
    Ok(Some((before, filled(scene, wanted, before)?)))
}

fn filled(scene: &Scene<'_>, wanted: &Wanted, before: &Customer) -> Result<Customer, ReconcileError> {
    let unresolved = |error: drafts::Unresolved| ReconcileError::Unresolved(Box::new(error));
    let new = drafts::customer(&wanted.row, &wanted.channels).map_err(unresolved)?;
    let values = drafts::customer_values(&scene.names, &wanted.values).map_err(unresolved)?;
    let change = adoption::change(&new, before);
    let mut filled = before.clone();
    change.external_id.apply(&mut filled.external_id);
    change.name.apply(&mut filled.name);
    change.email.apply(&mut filled.email);
    if change.channels.is_some() {
        filled.channels = change.channels;
    }
    let held = before.values.clone().unwrap_or_default();
    if let Some(values) = adoption::values(&values, &held) {
        filled.values = Some(values);
    }
    Ok(filled)
}

/// Messages that have a receipt of their own, by the key of their ticket.
pub(crate) type Appended = BTreeMap<String, Vec<(WriteKey, u64)>>;

/// Messages that were appended one by one: their receipts go with them, so that a later load appends them again.
pub(crate) async fn appended(ctx: &Context, book: &Book, secret: &Secret) -> Result<Appended, LoadError> {
    let mut held: BTreeMap<WriteKey, u64> = BTreeMap::new();
    for (key, _) in book.iter().filter(|(key, _)| key.object == DestinationObject::Message) {
        held.extend(book.held(key).map(|id| (key.clone(), id)));
    }
    let mut appended = Appended::new();
    if held.is_empty() {
        return Ok(appended);
    }
    for row in load::want::<WantMessage>(ctx).await? {
        let row = row.map_err(crate::archive::ArchiveError::from)?;
        let key = key::message(&ExternalId::from_stored(row.external_id), secret);
        if let Some(id) = held.get(&key) {
            appended.entry(row.ticket_external_id).or_default().push((key, *id));
        }
    }
    Ok(appended)
}
