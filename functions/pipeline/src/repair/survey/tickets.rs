//! Tickets and their messages, held against what was wished.

use std::collections::BTreeMap;

use migration::compare::Compared;
use migration::decide::{Action, FieldChange, RecordImage, field_names};
use migration::keys::ExternalId;
use migration::repair::{Case, Damaged, Judged, judge};
use snapshot::Pass;

use super::super::writes::{changes, message_field, writes};
use super::super::{RepairError, codes};
use super::{Known, Line, Survey, push_judged, rule};
use crate::ledger::key;
use crate::load::drafts::{self, TicketRows};
use crate::load::uploads;
use crate::reconcile::image::{wanted_message, wanted_ticket};
use crate::reconcile::pairing::{Pair, Pairing};
use crate::reconcile::reading::{expected, read_messages, read_tickets};
use crate::reconcile::scratch::{MessageImage, TicketImage};
use crate::reconcile::tickets::files_of;
use crate::reconcile::{ReconcileError, Scene};
use crate::sides::{self, TicketSides};
use crate::wave::Wave;

pub(super) async fn tickets(
    scene: &Scene<'_>,
    pass: Pass,
    known: &Known<'_>,
    survey: &mut Survey,
) -> Result<(), RepairError> {
    let expected = expected(scene, &Wave::ALL).await?;
    let (tickets, messages) =
        futures::try_join!(read_tickets(scene, pass, &|_| ()), read_messages(scene, pass, &expected))?;
    let mut pairs = Pairing::open(scene.ctx, &Wave::ALL, tickets.images, messages.images).await?;
    while let Some(pair) = pairs.next()? {
        // One that nobody wished for is named by the comparison.
        let Pair::Wanted { rows, found, messages } = pair else { continue };
        ticket(scene, known, &rows, &found, &messages, survey)?;
    }
    let (rows, tags, values) = (tickets.tickets.seal()?, tickets.tags.seal()?, tickets.values.seal()?);
    survey.sealed.extend([rows, tags, values, messages.rows.seal()?]);
    Ok(())
}

fn ticket(
    scene: &Scene<'_>,
    known: &Known<'_>,
    rows: &TicketRows,
    found: &[TicketImage],
    messages: &[MessageImage],
    survey: &mut Survey,
) -> Result<(), RepairError> {
    let external_id = rows.ticket.external_id.as_str();
    let ours = |id: &str| ExternalId::from_stored(id.to_owned());
    let key = key::ticket(&ours(external_id), &scene.secret);
    // What was refused, held or taken back is another command's.
    let Some(id) = scene.book.destination(&key) else { return Ok(()) };
    survey.compared += 1;
    let sides = sides::ticket(scene, rows, id, found, messages)?;
    if scene.book.is_adopted(&key) {
        return Ok(survey.keep("ticket", external_id, id, codes::NOT_OURS)?);
    }
    let message_ids = messages.iter().filter_map(|image| image.gorgias_id.parse::<u64>().ok());
    let is_answered = message_ids.clone().any(|id| known.touched.holds("TicketMessage", id));
    let is_touched = known.touched.holds("Ticket", id)
        || is_answered
        || !sides.foreign.is_empty()
        || known.robbed.contains(&id);
    let is_in_trash = sides.image.as_ref().is_some_and(|image| image.contains_key("trashed_at"));
    let parent = sides::parent(scene, rows);
    let is_orphan = survey.gone.contains(&parent.0);
    let TicketSides { mut wished, found: mut now, .. } = sides;
    if is_orphan {
        // Which customer it belongs to is known when that customer is there again.
        [Some(&mut wished), now.as_mut()].into_iter().flatten().for_each(|side| {
            side.fields.remove("customer");
        });
    }
    let is_wanted = |row: &&snapshot::tables::WantMessage| {
        !scene.book.is_refused(&key::message(&ours(&row.external_id), &scene.secret))
    };
    let all = rows.messages.iter().filter(is_wanted).map(|row| row.external_id.clone());
    wished.messages.extend(all);
    let is_blind = known.is_blind && now.as_ref().is_some_and(|now| lacks(&wished, now));
    let damaged = known.earlier.get(&("ticket".to_owned(), id.to_string()));
    let damaged = with_messages(known, damaged, messages);
    let is_touched = is_touched || is_in_trash || is_blind;
    let judged =
        judge(Case { wished, found: now, damaged: Some(&damaged), is_touched }, |field| rule(scene, field));
    if judged.is_as_wished() {
        return Ok(());
    }
    if judged.decision.action == Action::Create {
        let has_second = found.iter().any(|image| image.gorgias_id != id.to_string());
        // Without its customer it is people's doing as well; with a second record it is not missing.
        let deed = if is_orphan || has_second { "keep" } else { "make_again" };
        let code = Some(codes::MISSING);
        let (mended, kept) = (Vec::new(), Vec::new());
        return Ok(survey.push(Line {
            object: "ticket",
            external_id,
            id,
            deed,
            code,
            mended,
            kept,
            change: None,
        })?);
    }
    take_ticket(scene, rows, id, messages, &judged, survey)
}

fn lacks(wished: &RecordImage, now: &RecordImage) -> bool {
    wished.messages.difference(&now.messages).next().is_some()
}

/// What an earlier plan found of the ticket, with that of its messages.
fn with_messages(known: &Known<'_>, ticket: Option<&Damaged>, messages: &[MessageImage]) -> Damaged {
    let mut all = ticket.cloned().unwrap_or_default();
    for image in messages {
        let earlier = known.earlier.get(&("message".to_owned(), image.gorgias_id.clone()));
        let named = earlier.into_iter().flatten();
        all.extend(
            named.map(|(name, value)| (format!("message[{}].{name}", image.gorgias_id), value.clone())),
        );
    }
    all
}

/// The rows of a ticket: itself, each message that is written again, each that is appended.
fn take_ticket(
    scene: &Scene<'_>,
    rows: &TicketRows,
    id: u64,
    messages: &[MessageImage],
    judged: &Judged,
    survey: &mut Survey,
) -> Result<(), RepairError> {
    let external_id = rows.ticket.external_id.as_str();
    let customer = sides::parent(scene, rows);
    let unresolved = |error: drafts::Unresolved| ReconcileError::Unresolved(Box::new(error));
    let urls = |file: &_| uploads::url_of(file, &scene.book, &scene.secret);
    let draft = drafts::ticket(rows, &scene.names, customer, &BTreeMap::new(), &urls).map_err(unresolved)?;
    let image = wanted_ticket(&scene.names, rows, customer);
    let own = writes(Compared::Ticket, &image, &draft.ticket.values);
    let mut of_messages: BTreeMap<u64, Vec<(&str, &FieldChange)>> = BTreeMap::new();
    let mut of_ticket = Vec::new();
    for change in changes(judged) {
        match message_field(&change.field) {
            Some((message, field)) => of_messages.entry(message).or_default().push((field, change)),
            None => of_ticket.push((change.field.as_str(), change)),
        }
    }
    let (mends, unwritable) = super::super::writes::mends("ticket", of_ticket, &own);
    push_judged(survey, "ticket", external_id, id, judged, mends, unwritable)?;
    for (message, changes) in of_messages {
        let named = messages.iter().find(|image| image.gorgias_id == message.to_string());
        let row =
            rows.messages.iter().find(|row| named.is_some_and(|image| image.external_id == row.external_id));
        let Some(row) = row else { continue };
        let files = files_of(scene, rows, row.position);
        let image = wanted_message(&scene.names, row, &files, customer);
        let writes = writes(Compared::Message, &image, &[]);
        // Files hang on a message from its creation on, or never.
        let (mends, unwritable) = super::super::writes::mends("message", changes, &writes);
        let change = (!mends.is_empty()).then(|| mends.encode(Some(id))).transpose();
        survey.push(Line {
            object: "message",
            external_id: &row.external_id,
            id: message,
            deed: if mends.is_empty() { "keep" } else { "mend" },
            code: (!unwritable.is_empty()).then_some(codes::NOT_WRITABLE),
            mended: field_names(mends.iter().map(|(name, _)| name)),
            kept: field_names(unwritable.iter().map(String::as_str)),
            change: change.map_err(ReconcileError::Image)?,
        })?;
    }
    for message in &judged.decision.append {
        let (mended, kept, code) = (Vec::new(), Vec::new(), Some(codes::MISSING));
        survey.push(Line {
            object: "message",
            external_id: message,
            id,
            deed: "append",
            code,
            mended,
            kept,
            change: None,
        })?;
    }
    Ok(())
}
