//! What changed in the wish, held against Gorgias as it is now: rows of the plan. Reads each record by its id.
//!
//! Deliberately absent: writing to Gorgias, and records whose wish did not change: nobody looks at them.

use std::collections::{BTreeMap, BTreeSet};

use futures::{StreamExt as _, stream};
use migration::compare::{Compared, Image, normalised};
use migration::decide::{Action, Decision, FieldChange, FieldStates};
use migration::gorgias::{CustomerId, TicketId};
use migration::keys::ExternalId;
use migration::ledger::WriteKey;
use migration::settings::ConflictRule;
use snapshot::tables::ControlDelta;

use super::rows::{Place, States, Unsettled, code, judge};
use super::{DeltaError, codes};
use crate::ledger::driver;
use crate::ledger::key;
use crate::ledger::request::messages_of;
use crate::load::adopted::Adoptions;
use crate::load::drafts::{self, TicketRows};
use crate::load::uploads;
use crate::mends::kind_of;
use crate::merges;
use crate::ports::gorgias::{Customer, Message, Raw, ReadError, Ticket};
use crate::reconcile::customers::Wanted;
use crate::reconcile::image::{
    found_customer, found_message, found_ticket, wanted_customer, wanted_message, wanted_ticket,
};
use crate::reconcile::scratch::{MessageImage, TicketImage};
use crate::reconcile::tickets::files_of;
use crate::reconcile::{ReconcileError, Scene};
use crate::repair::writes::{changes_of, mends, message_field, writes};
use crate::sides::{self, TicketSides};

/// A record as it was wished before, and as it is wished now.
pub(super) struct Pair<T> {
    pub(super) before: Option<T>,
    pub(super) now: T,
    /// State in the scope, such as `new`.
    pub(super) state: String,
}

/// What earlier deltas could not settle, by object and key.
pub(super) type Open = BTreeMap<(String, String), Unsettled>;

/// Reads and judges customers.
pub(super) async fn customers(
    scene: &Scene<'_>,
    adoptions: &Adoptions,
    pairs: &BTreeMap<String, Pair<Wanted>>,
    open: &Open,
) -> Result<Vec<ControlDelta>, DeltaError> {
    let mut rows = Vec::new();
    let known = pairs.iter().map(|(external_id, pair)| {
        let key = key::customer(&ExternalId::from_stored(external_id.clone()), &scene.secret);
        (external_id, pair, scene.book.held(&key), key)
    });
    let mut reads = stream::iter(known.map(|(external_id, pair, id, key)| async move {
        let found = match id {
            Some(id) => there(scene.ctx.destination.customer(CustomerId(id)).await)?,
            None => None,
        };
        Ok::<_, ReadError>((external_id, pair, id, key, found))
    }))
    .buffered(scene.ctx.limits.destination_in_flight.max(1));
    while let Some(read) = reads.next().await {
        let (external_id, pair, id, key, found) = read?;
        let place = Place { object: "customer", external_id, id };
        let Some(id) = id else {
            rows.extend(unloaded(&place, scene.book.is_refused(&key) || pair.state == "merged"));
            continue;
        };
        if let Some(target) = found.as_ref().and_then(|raw| merges::target(&scene.book, &key, id, raw)) {
            rows.push(Place { id: Some(target), ..place }.row("keep", Some(codes::MERGED)));
            continue;
        }
        let unsettled = open.get(&("customer".to_owned(), external_id.clone()));
        rows.extend(customer(scene, adoptions, &place, pair, found.as_ref(), unsettled)?);
    }
    Ok(rows)
}

fn there<T>(answer: Result<T, ReadError>) -> Result<Option<T>, ReadError> {
    match answer {
        Ok(found) => Ok(Some(found)),
        Err(ReadError::NotFound { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// A record that the ledger does not have: it is made, unless it was refused.
fn unloaded(place: &Place<'_>, is_refused: bool) -> Option<ControlDelta> {
    Some(if is_refused { place.row("keep", Some(codes::NOT_LOADED)) } else { place.row("create", None) })
}

fn customer(
    scene: &Scene<'_>,
    adoptions: &Adoptions,
    place: &Place<'_>,
    pair: &Pair<Wanted>,
    found: Option<&Raw<Customer>>,
    unsettled: Option<&Unsettled>,
) -> Result<Option<ControlDelta>, DeltaError> {
    let ours = ExternalId::from_stored(place.external_id.to_owned());
    let key = key::customer(&ours, &scene.secret);
    let image = found.map(|raw| found_customer(&scene.names, &raw.record));
    let held = held_by_others(scene, &key, pair, image.as_ref());
    let sides = |wanted: &Wanted| -> Result<Option<Image>, ReconcileError> {
        if scene.book.is_adopted(&key) {
            let Some((before, filled)) = sides::adopted(scene, adoptions, wanted)? else { return Ok(None) };
            let before = found_customer(&scene.names, before);
            let mut image = found_customer(&scene.names, &filled);
            // Only what we filled is ours to keep up to date.
            image.retain(|name, value| before.get(name) != Some(value));
            return Ok(Some(image));
        }
        let mut made = wanted_customer(&scene.names, &wanted.row, &wanted.channels, &wanted.values);
        made.retain(|name, _| !held.contains(name));
        Ok(Some(made))
    };
    let Some(wish) = sides(&pair.now)? else {
        return Ok(Some(place.row("keep", Some(codes::NOT_LOADED))));
    };
    let before = match &pair.before {
        Some(before) => sides(before)?.unwrap_or_default(),
        None => wish.clone(),
    };
    let comparable = |image: &_| sides::record(normalised(Compared::Customer, image));
    let now = image.as_ref().map(comparable);
    let decision = judge(comparable(&before), &comparable(&wish), now, unsettled, |field| rule(scene, field));
    let values = drafts::customer_values(&scene.names, &pair.now.values).map_err(unresolved)?;
    let writes = writes(Compared::Customer, &wish, &values);
    let changes = changes_of(&decision);
    let named = changes.iter().map(|change| (change.field.as_str(), *change));
    let (mends, unwritable) = mends("customer", named, &writes);
    Ok(place.judged(&mends, &unwritable, &states_of(&decision, None), None)?)
}

/// Channels that were left out when the customer was made, because other customers hold them.
fn held_by_others(
    scene: &Scene<'_>,
    key: &WriteKey,
    pair: &Pair<Wanted>,
    found: Option<&Image>,
) -> BTreeSet<String> {
    let is_held = scene.book.note(key).is_some_and(|note| note.code == driver::codes::NUMBER_HELD);
    let Some(before) = pair.before.as_ref().filter(|_| is_held) else { return BTreeSet::new() };
    let wished = wanted_customer(&scene.names, &before.row, &before.channels, &before.values);
    let is_missing =
        |name: &String| name.starts_with("channel[") && !found.is_some_and(|found| found.contains_key(name));
    wished.into_keys().filter(is_missing).collect()
}

fn unresolved(error: drafts::Unresolved) -> DeltaError {
    DeltaError::Reconcile(Box::new(ReconcileError::Unresolved(Box::new(error))))
}

/// What of a decision belongs to the record itself, or to one of its messages.
fn states_of(decision: &Decision, message: Option<u64>) -> States<'_> {
    let is_its = |states: &&FieldStates| message_field(&states.field).map(|(id, _)| id) == message;
    let kept: Vec<&FieldStates> = decision.kept.iter().filter(is_its).collect();
    let conflicts: Vec<&FieldStates> = decision.conflicts.iter().filter(is_its).collect();
    let code = match message {
        None => code(decision).filter(|code| match *code {
            codes::CONFLICT => !conflicts.is_empty(),
            codes::CHANGED => !kept.is_empty(),
            _ => true,
        }),
        Some(_) if !conflicts.is_empty() => Some(codes::CONFLICT),
        Some(_) if !kept.is_empty() => Some(codes::CHANGED),
        Some(_) => None,
    };
    States { code, kept, conflicts }
}

/// Reads and judges tickets with their messages.
pub(super) async fn tickets(
    scene: &Scene<'_>,
    pairs: &BTreeMap<String, Pair<TicketRows>>,
    open: &Open,
) -> Result<Vec<ControlDelta>, DeltaError> {
    let mut rows = Vec::new();
    let known = pairs.iter().map(|(external_id, pair)| {
        let key = key::ticket(&ExternalId::from_stored(external_id.clone()), &scene.secret);
        (external_id, pair, scene.book.held(&key), scene.book.is_refused(&key))
    });
    let mut reads = stream::iter(known.map(|(external_id, pair, id, is_refused)| async move {
        let gorgias = &*scene.ctx.destination;
        let found = match id {
            Some(id) => there(gorgias.ticket(TicketId(id)).await)?,
            None => None,
        };
        let messages = match (id, &found) {
            (Some(id), Some(_)) => there(messages_of(gorgias, TicketId(id)).await)?.unwrap_or_default(),
            _ => Vec::new(),
        };
        Ok::<_, ReadError>((external_id, pair, id, is_refused, found, messages))
    }))
    .buffered(scene.ctx.limits.destination_in_flight.max(1));
    while let Some(read) = reads.next().await {
        let (external_id, pair, id, is_refused, found, messages) = read?;
        let place = Place { object: "ticket", external_id, id };
        match id {
            None => rows.extend(unloaded(&place, is_refused)),
            Some(id) => {
                let seen = Seen { id, found: found.as_ref(), messages: &messages };
                rows.extend(ticket(scene, &place, pair, &seen, open)?);
            }
        }
    }
    Ok(rows)
}

/// A ticket as it was read.
struct Seen<'a> {
    id: u64,
    found: Option<&'a Raw<Ticket>>,
    messages: &'a [Message],
}

impl Seen<'_> {
    fn images(
        &self,
        scene: &Scene<'_>,
        external_id: &str,
    ) -> Result<(Vec<TicketImage>, Vec<MessageImage>), serde_json::Error> {
        let mut tickets = Vec::new();
        if let Some(raw) = self.found {
            tickets.push(TicketImage {
                external_id: external_id.to_owned(),
                gorgias_id: raw.record.id.to_string(),
                image: serde_json::to_string(&found_ticket(&scene.names, &raw.record))?,
            });
        }
        let image = |message: &Message| {
            Ok(MessageImage {
                ticket_external_id: external_id.to_owned(),
                external_id: message.external_id.clone().unwrap_or_default(),
                gorgias_id: message.id.to_string(),
                image: serde_json::to_string(&found_message(message))?,
            })
        };
        let messages = self.messages.iter().map(image).collect::<Result<Vec<_>, serde_json::Error>>()?;
        Ok((tickets, messages))
    }
}

/// Messages of a wish that were not refused.
fn wished_messages(scene: &Scene<'_>, rows: &TicketRows) -> BTreeSet<String> {
    let is_wanted = |external_id: &&String| {
        let key = key::message(&ExternalId::from_stored((*external_id).clone()), &scene.secret);
        !scene.book.is_refused(&key)
    };
    rows.messages.iter().map(|row| &row.external_id).filter(is_wanted).cloned().collect()
}

fn ticket(
    scene: &Scene<'_>,
    place: &Place<'_>,
    pair: &Pair<TicketRows>,
    seen: &Seen<'_>,
    open: &Open,
) -> Result<Vec<ControlDelta>, DeltaError> {
    let (tickets, messages) = seen.images(scene, place.external_id)?;
    let TicketSides { mut wished, found, .. } =
        sides::ticket(scene, &pair.now, seen.id, &tickets, &messages)?;
    wished.messages.extend(wished_messages(scene, &pair.now));
    let mut before = wished.clone();
    if let Some(rows) = &pair.before {
        let mut sides = sides::ticket(scene, rows, seen.id, &tickets, &messages)?;
        sides.wished.messages.extend(wished_messages(scene, rows));
        before = sides.wished;
    }
    let unsettled = with_messages(place.external_id, &messages, open);
    let mut decision =
        judge(before.clone(), &wished, found.clone(), Some(&unsettled), |field| rule(scene, field));
    if !decision.append.is_empty() {
        // What is left to write of it is seen when the message is there.
        settle_appended(&mut decision);
    }
    rows_of(scene, place, pair, seen, &messages, &decision)
}

/// The moment of the last message comes with the message.
fn settle_appended(decision: &mut Decision) {
    let is_moved = |change: &FieldChange| change.field == "last_message_at";
    if let Action::Update(changes) = &mut decision.action {
        changes.retain(|change| !is_moved(change));
    }
    decision.kept.retain(|states| states.field != "last_message_at");
    decision.conflicts.retain(|states| states.field != "last_message_at");
}

/// What earlier deltas could not settle of the ticket and its messages.
fn with_messages(external_id: &str, messages: &[MessageImage], open: &Open) -> Unsettled {
    let of_ticket = open.get(&("ticket".to_owned(), external_id.to_owned()));
    let mut all = of_ticket.cloned().unwrap_or_default();
    for image in messages {
        let unsettled = open.get(&("message".to_owned(), image.external_id.clone()));
        let named = unsettled.into_iter().flatten();
        all.extend(
            named.map(|(name, value)| (format!("message[{}].{name}", image.gorgias_id), value.clone())),
        );
    }
    all
}

/// The rows of a ticket: itself, each message that is written, each that is appended.
fn rows_of(
    scene: &Scene<'_>,
    place: &Place<'_>,
    pair: &Pair<TicketRows>,
    seen: &Seen<'_>,
    messages: &[MessageImage],
    decision: &Decision,
) -> Result<Vec<ControlDelta>, DeltaError> {
    let customer = sides::parent(scene, &pair.now);
    let urls = |file: &_| uploads::url_of(file, &scene.book, &scene.secret);
    let draft =
        drafts::ticket(&pair.now, &scene.names, customer, &BTreeMap::new(), &urls).map_err(unresolved)?;
    let image = wanted_ticket(&scene.names, &pair.now, customer);
    let own = writes(Compared::Ticket, &image, &draft.ticket.values);
    let mut of_messages: BTreeMap<u64, Vec<(&str, &FieldChange)>> = BTreeMap::new();
    let mut of_ticket = Vec::new();
    for change in changes_of(decision) {
        match message_field(&change.field) {
            Some((message, field)) => of_messages.entry(message).or_default().push((field, change)),
            None => of_ticket.push((change.field.as_str(), change)),
        }
    }
    for states in decision.kept.iter().chain(&decision.conflicts) {
        if let Some((message, _)) = message_field(&states.field) {
            of_messages.entry(message).or_default();
        }
    }
    let (mends, unwritable) = mends("ticket", of_ticket, &own);
    let mut rows: Vec<ControlDelta> =
        place.judged(&mends, &unwritable, &states_of(decision, None), None)?.into_iter().collect();
    for (message, changes) in of_messages {
        let named = messages.iter().find(|image| image.gorgias_id == message.to_string());
        let row = pair
            .now
            .messages
            .iter()
            .find(|row| named.is_some_and(|image| image.external_id == row.external_id));
        let Some(row) = row else { continue };
        let files = files_of(scene, &pair.now, row.position);
        let image = wanted_message(&scene.names, row, &files, customer);
        let writes = writes(Compared::Message, &image, &[]);
        // Files hang on a message from its creation on, or never.
        let (mends, unwritable) = crate::repair::writes::mends("message", changes, &writes);
        let place = Place { object: "message", external_id: &row.external_id, id: Some(message) };
        rows.extend(place.judged(&mends, &unwritable, &states_of(decision, Some(message)), Some(seen.id))?);
    }
    for message in &decision.append {
        let place = Place { object: "message", external_id: message, id: Some(seen.id) };
        rows.push(place.row("append", None));
    }
    Ok(rows)
}

fn rule(scene: &Scene<'_>, field: &str) -> ConflictRule {
    // A rule names a field as people do: without the value in brackets, and without the message that it belongs to.
    let field = message_field(field).map_or(field, |(_, field)| field);
    scene.ctx.mapping.conflict_rule(&kind_of(field))
}
