//! What a delta wrote, read back and compared field by field.
//!
//! Records that were made are compared whole, the others in what was written. Deliberately absent: mending; a difference
//! is told, and `reconcile --again` and `repair` see it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use migration::compare::{Compared, Image, compare_record, normalised};
use migration::gorgias::{CustomerId, TicketId};
use migration::keys::ExternalId;
use snapshot::tables::ControlDelta;

use super::work::remark;
use super::{DeltaError, Looked, codes, overtaken};
use crate::deltas::{DoneV1, ResidueV1};
use crate::ledger::key;
use crate::ledger::request::messages_of;
use crate::load::drafts::TicketRows;
use crate::mends::Mends;
use crate::ports::gorgias::{Message, ReadError};
use crate::reconcile::Scene;
use crate::reconcile::image::{
    found_customer, found_message, found_ticket, wanted_customer, wanted_message, wanted_ticket,
};
use crate::reconcile::tickets::files_of;
use crate::sides;

/// What of a record was written: everything, or some fields.
#[derive(Default)]
struct Written {
    is_whole: bool,
    fields: BTreeSet<String>,
}

/// Reads everything back that the rows wrote.
pub(super) async fn read_back(
    scene: &Scene<'_>,
    log_from: Timestamp,
    rows: &[ControlDelta],
    looked: &Looked,
    done: &mut DoneV1,
) -> Result<(), DeltaError> {
    let refused: BTreeSet<(String, String)> =
        done.residue.iter().map(|left| (left.object.clone(), left.gorgias_id.clone())).collect();
    let mut customers: BTreeMap<&str, Written> = BTreeMap::new();
    let mut tickets: BTreeMap<String, (Written, BTreeMap<String, Written>)> = BTreeMap::new();
    let of_message = messages(looked);
    for row in rows.iter().filter(|row| !refused.contains(&(row.object.clone(), row.gorgias_id.clone()))) {
        let fields = match &row.change {
            Some(change) => Mends::decode(change)?.1.iter().map(|(name, _)| name.to_owned()).collect(),
            None => BTreeSet::new(),
        };
        let is_whole = matches!(row.action.as_str(), "create" | "append");
        if !is_whole && fields.is_empty() {
            continue;
        }
        let written = Written { is_whole, fields };
        match row.object.as_str() {
            "customer" => drop(customers.insert(&row.external_id, written)),
            "ticket" => tickets.entry(row.external_id.clone()).or_default().0 = written,
            _ => {
                if let Some(ticket) = of_message.get(row.external_id.as_str()) {
                    let messages = &mut tickets.entry((*ticket).to_owned()).or_default().1;
                    messages.insert(row.external_id.clone(), written);
                }
            }
        }
    }
    for (external_id, written) in customers {
        customer(scene, log_from, looked, external_id, &written, done).await?;
    }
    for (external_id, (written, messages)) in tickets {
        if let Some(pair) = looked.tickets.get(&external_id) {
            ticket(scene, log_from, &pair.now, &written, &messages, done).await?;
        }
    }
    Ok(())
}

/// The ticket of each message that is looked at.
fn messages(looked: &Looked) -> BTreeMap<&str, &str> {
    let rows = looked.tickets.values().flat_map(|pair| &pair.now.messages);
    rows.map(|row| (row.external_id.as_str(), row.ticket_external_id.as_str())).collect()
}

async fn customer(
    scene: &Scene<'_>,
    log_from: Timestamp,
    looked: &Looked,
    external_id: &str,
    written: &Written,
    done: &mut DoneV1,
) -> Result<(), DeltaError> {
    let key = key::customer(&ExternalId::from_stored(external_id.to_owned()), &scene.secret);
    let (Some(id), Some(pair)) = (scene.book.destination(&key), looked.customers.get(external_id)) else {
        return Ok(());
    };
    let Some(raw) = there(scene.ctx.destination.customer(CustomerId(id)).await)? else {
        return gone(scene, log_from, ("customer", "Customer"), external_id, id, done).await;
    };
    let found = found_customer(&scene.names, &raw.record);
    // A customer that was there before keeps what it had, and one may lack numbers that others hold.
    let is_theirs = scene.book.is_adopted(&key) || scene.book.note(&key).is_some();
    if written.is_whole && is_theirs {
        return Ok(());
    }
    let wanted = &pair.now;
    let wished = wanted_customer(&scene.names, &wanted.row, &wanted.channels, &wanted.values);
    compare(Compared::Customer, &wished, &found, written, done);
    Ok(())
}

async fn ticket(
    scene: &Scene<'_>,
    log_from: Timestamp,
    rows: &TicketRows,
    written: &Written,
    messages: &BTreeMap<String, Written>,
    done: &mut DoneV1,
) -> Result<(), DeltaError> {
    let external_id = &rows.ticket.external_id;
    let key = key::ticket(&ExternalId::from_stored(external_id.clone()), &scene.secret);
    let Some(id) = scene.book.destination(&key) else { return Ok(()) };
    let Some(raw) = there(scene.ctx.destination.ticket(TicketId(id)).await)? else {
        return gone(scene, log_from, ("ticket", "Ticket"), external_id, id, done).await;
    };
    let customer = sides::parent(scene, rows);
    let wished = wanted_ticket(&scene.names, rows, customer);
    compare(Compared::Ticket, &wished, &found_ticket(&scene.names, &raw.record), written, done);
    if !written.is_whole && messages.is_empty() {
        return Ok(());
    }
    let held = there(messages_of(&*scene.ctx.destination, TicketId(id)).await)?.unwrap_or_default();
    for row in &rows.messages {
        let whole = Written { is_whole: true, fields: BTreeSet::new() };
        let written = match messages.get(&row.external_id) {
            Some(written) => written,
            None if written.is_whole => &whole,
            None => continue,
        };
        let key = key::message(&ExternalId::from_stored(row.external_id.clone()), &scene.secret);
        if scene.book.is_refused(&key) {
            continue;
        }
        let named: Vec<&Message> =
            held.iter().filter(|held| held.external_id.as_ref() == Some(&row.external_id)).collect();
        let [found] = named.as_slice() else {
            different(done, 1);
            continue;
        };
        let files = files_of(scene, rows, row.position);
        let wished = wanted_message(&scene.names, row, &files, customer);
        compare(Compared::Message, &wished, &found_message(found), written, done);
    }
    Ok(())
}

/// A record that is not there any more: a person deleted it since, or it differs from what was written.
async fn gone(
    scene: &Scene<'_>,
    log_from: Timestamp,
    (object, kind): (&str, &str),
    external_id: &str,
    id: u64,
    done: &mut DoneV1,
) -> Result<(), DeltaError> {
    if !overtaken::acted(scene.ctx, log_from).await?.holds_after(kind, id, log_from) {
        different(done, 1);
        return Ok(());
    }
    let is_it = |left: &ResidueV1| left.object == object && left.external_id == external_id;
    if !done.residue.iter().any(|left| is_it(left) && left.code == codes::DELETED) {
        done.take(object, "kept", 1);
        let text = codes::words(codes::DELETED);
        remark(done, object, external_id, &id.to_string(), codes::DELETED, text);
    }
    Ok(())
}

fn there<T>(answer: Result<T, ReadError>) -> Result<Option<T>, ReadError> {
    match answer {
        Ok(found) => Ok(Some(found)),
        Err(ReadError::NotFound { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

fn different(done: &mut DoneV1, fields: u64) {
    done.fields_compared += fields;
    done.fields_different += fields;
}

fn compare(kind: Compared, wished: &Image, found: &Image, written: &Written, done: &mut DoneV1) {
    if written.is_whole {
        let comparison = compare_record(kind, wished, found);
        done.fields_compared += comparison.fields;
        done.fields_different += comparison.discrepancies.len() as u64;
        return;
    }
    let (wished, found) = (normalised(kind, wished), normalised(kind, found));
    for field in &written.fields {
        done.fields_compared += 1;
        done.fields_different += u64::from(wished.get(field) != found.get(field));
    }
}
