//! The phases of a rollback that write: apply, undo, purge. Each goes on where it stopped.

use std::sync::{Mutex, PoisonError};

use jiff::SignedDuration;
use migration::gorgias::{CustomerId, FieldId, FieldObject, MessageId, TagId, TeamId, TicketId};
use migration::keys::{ExternalId, FieldKey, TeamKey};
use migration::ledger::{Operation, ReceiptClass, Settled, WriteKey, WriteState};
use snapshot::tables::ControlRollback;
use snapshot::{Pass, TableReader};

use super::certificate::{self, CertificateV1};
use super::exchange::Release;
use super::survey::Needed;
use super::work::{Make, RowsWork, Watch, log_word};
use super::{RollbackError, STEP, newest, user};
use crate::archive;
use crate::context::Context;
use crate::evidence::{self, Touched};
use crate::ledger::driver::{self, Action, Listed, Part, Tally, WorkFailure};
use crate::ledger::key::{self, Secret};
use crate::ledger::request::{Direction, Request, Undoing};
use crate::ledger::{Ledger, Opening};
use crate::listing::walk;
use crate::ports::gorgias::Ticket;
use crate::prepare::quiet;
use crate::repairs;
use crate::rollbacks::{self, Phase, PlanV1, Rollback};
use crate::sample;
use crate::sides::{self, Appended};

/// Puts into the trash what may go, gives back what was there before, and switches on what was paused.
///
/// # Errors
/// [`RollbackError`]; calling it again goes on.
pub async fn apply(ctx: &Context) -> Result<CertificateV1, RollbackError> {
    let rollback = at(ctx, "apply", &[Phase::Planned, Phase::Applying, Phase::Applied]).await?;
    let plan = &rollback.plan;
    if rollback.phase == Phase::Applied {
        return certificate::certificate(ctx, plan, Phase::Applied).await;
    }
    rollbacks::mark(ctx, plan.number, Phase::Applying, rollback.log_from).await?;
    let mut ledger = open(ctx, plan, "apply").await?;
    let now = ctx.clock.now();
    settle(ctx, &mut ledger, plan).await?;
    let watch = Watch::begin(ctx, user(plan), rollback.log_from).await?;
    bring_back(ctx, &mut ledger, plan, &watch.touched).await?;
    let make: Make<'_> = Box::new(move |row, ledger| take_back(row, ledger, now));
    let mut work = RowsWork::new(rows(ctx, plan).await?, make, Some(watch));
    let total = ["remove", "give_back", "archive"].iter().map(|deed| plan.count(deed)).sum();
    drive(ctx, &mut ledger, &mut work, "take back", Some(total)).await?;
    let mut log_from = rollback.log_from;
    if let Some(mut watch) = work.into_watch() {
        let back = watch.look().await?;
        drive(ctx, &mut ledger, &mut Listed::new(back, ReceiptClass::Restored), "bring back", None).await?;
        log_from = watch.log_from;
    }
    close(ctx, ledger).await?;
    rollbacks::mark(ctx, plan.number, Phase::Applied, log_from).await?;
    certificate::certificate(ctx, plan, Phase::Applied).await
}

/// Brings everything back that the rollback took, as long as nothing is removed for good.
///
/// # Errors
/// [`RollbackError`]; calling it again goes on.
pub async fn undo(ctx: &Context) -> Result<CertificateV1, RollbackError> {
    let phases = [Phase::Applying, Phase::Applied, Phase::Undoing, Phase::Undone];
    let rollback = at(ctx, "undo", &phases).await?;
    let plan = &rollback.plan;
    if rollback.phase == Phase::Undone {
        return certificate::certificate(ctx, plan, Phase::Undone).await;
    }
    rollbacks::mark(ctx, plan.number, Phase::Undoing, rollback.log_from).await?;
    let mut ledger = open(ctx, plan, "undo").await?;
    settle(ctx, &mut ledger, plan).await?;
    let touched = evidence::since(ctx, user(plan), plan.log_from).await?;
    // Values can only be written to fields that are active.
    for objects in [&["field"][..], &["customer", "ticket"][..]] {
        let make: Make<'_> = Box::new(|row, ledger| {
            let id = row.gorgias_id.parse().unwrap_or(0);
            // What a person put into the trash as well stays there.
            let is_theirs = row.object == "ticket" && touched.trashed(id);
            let is_due = objects.contains(&row.object.as_str()) && !is_theirs;
            Ok(if is_due { bring_again(row, ledger)? } else { Vec::new() })
        });
        let mut work = RowsWork::new(rows(ctx, plan).await?, make, None);
        drive(ctx, &mut ledger, &mut work, "bring again", None).await?;
    }
    close(ctx, ledger).await?;
    rollbacks::mark(ctx, plan.number, Phase::Undone, rollback.log_from).await?;
    certificate::certificate(ctx, plan, Phase::Undone).await
}

/// Removes for good what lay in the trash for the time of the hold. `count` is what a person typed.
///
/// # Errors
/// [`RollbackError::Held`] before that time, [`RollbackError::OtherCount`]; calling it again goes on.
pub async fn purge(ctx: &Context, count: u64) -> Result<CertificateV1, RollbackError> {
    let rollback = at(ctx, "purge", &[Phase::Applied, Phase::Purging, Phase::Purged]).await?;
    let plan = &rollback.plan;
    if rollback.phase == Phase::Purged {
        return certificate::certificate(ctx, plan, Phase::Purged).await;
    }
    let wanted = plan.count("remove");
    if count != wanted {
        return Err(RollbackError::OtherCount { wanted, given: count });
    }
    if rollback.phase == Phase::Applied {
        let hold = hold(ctx, plan).await?;
        let until = rollback.since.checked_add(hold).unwrap_or(jiff::Timestamp::MAX);
        if ctx.clock.now() < until {
            return Err(RollbackError::Held { number: plan.number, until });
        }
    }
    rollbacks::mark(ctx, plan.number, Phase::Purging, rollback.log_from).await?;
    let mut ledger = open(ctx, plan, "purge").await?;
    settle(ctx, &mut ledger, plan).await?;
    // What people did while it lay in the trash decides once more.
    let watch = Watch::begin(ctx, user(plan), plan.log_from).await?;
    bring_back(ctx, &mut ledger, plan, &watch.touched).await?;
    let messages = sides::appended(ctx, ledger.book(), ledger.secret()).await?;
    let make: Make<'_> = Box::new(move |row, ledger| remove_ticket(row, ledger, &messages));
    let mut work = RowsWork::new(rows(ctx, plan).await?, make, Some(watch));
    drive(ctx, &mut ledger, &mut work, "tickets", Some(wanted)).await?;
    let watch = work.into_watch();

    let needed = needed(ctx).await?;
    let make: Make<'_> = Box::new(move |row, ledger| remove_rest(row, ledger, &needed));
    let mut work = RowsWork::new(rows(ctx, plan).await?, make, watch);
    drive(ctx, &mut ledger, &mut work, "customers, tags, teams", None).await?;
    close(ctx, ledger).await?;
    rollbacks::mark(ctx, plan.number, Phase::Purged, rollback.log_from).await?;
    certificate::certificate(ctx, plan, Phase::Purged).await
}

/// How long what was removed stays in the trash. Of a sample everything is at LeadDesk and will be written again: its
/// removal may be for good at once.
///
/// # Errors
/// [`RollbackError::Sample`].
pub async fn hold(ctx: &Context, plan: &PlanV1) -> Result<SignedDuration, RollbackError> {
    let run = plan.run.parse().unwrap_or_else(|_| ctx.run.clone());
    if sample::wish(&Context { run, ..ctx.clone() }).await?.is_some() {
        return Ok(SignedDuration::ZERO);
    }
    Ok(SignedDuration::try_from(ctx.limits.rollback_hold).unwrap_or(SignedDuration::MAX))
}

/// What an earlier start left in doubt is known before anything is sent.
async fn settle(ctx: &Context, ledger: &mut Ledger, plan: &PlanV1) -> Result<(), RollbackError> {
    if ledger.book().state().doubt_count() == 0 {
        return Ok(());
    }
    let now = ctx.clock.now();
    let messages = sides::appended(ctx, ledger.book(), ledger.secret()).await?;
    let make: Make<'_> = Box::new(move |row, ledger| in_doubt(row, ledger, now, &messages));
    let mut work = RowsWork::settling(rows(ctx, plan).await?, make);
    drive(ctx, ledger, &mut work, "settle", None).await
}

/// The writes of a row that were announced and have no outcome, whichever phase announced them.
fn in_doubt(
    row: &ControlRollback,
    ledger: &Ledger,
    now: jiff::Timestamp,
    messages: &Appended,
) -> Result<Vec<Action>, WorkFailure> {
    let external_id = ExternalId::from_stored(row.external_id.clone());
    let mut actions = Vec::new();
    let Some((key, id)) = key_of(row, ledger.secret()).zip(row.gorgias_id.parse().ok()) else {
        return Ok(actions);
    };
    for (message, id) in messages.get(&row.external_id).into_iter().flatten() {
        if ledger.book().doubt(message).is_some() {
            let ticket = TicketId(row.gorgias_id.parse().unwrap_or(0));
            actions.push(undoing(message.clone(), Undoing::DeleteMessage(ticket, MessageId(*id))));
        }
    }
    let operation = |key: &WriteKey| match ledger.book().written(key)?.state {
        WriteState::Intended { operation, .. } => Some(operation),
        _ => None,
    };
    let release = row.change.as_deref().map(Release::decode).transpose()?;
    let direction = |operation| match operation {
        Operation::Release => Direction::Release,
        _ => Direction::Refill,
    };
    let write = operation(&key).and_then(|operation| match (row.object.as_str(), operation) {
        ("ticket", Operation::Trash) => Some(Request::Undo(Undoing::TrashTicket(TicketId(id), now))),
        ("ticket", Operation::Restore) => Some(Request::Undo(Undoing::RestoreTicket(TicketId(id)))),
        ("ticket", Operation::Delete) => Some(Request::Undo(Undoing::DeleteTicket(TicketId(id)))),
        ("customer", Operation::Delete) => Some(Request::Undo(Undoing::DeleteCustomer(CustomerId(id)))),
        ("customer", operation) => {
            Some(Request::Undo(release.as_ref()?.fields(CustomerId(id), direction(operation))))
        }
        ("tag", Operation::Delete) => Some(Request::Undo(Undoing::DeleteTag(TagId(id)))),
        ("team", Operation::Delete) => Some(Request::Undo(Undoing::DeleteTeam(TeamId(id)))),
        ("field", Operation::Trash) => Some(Request::Undo(Undoing::ArchiveField(FieldId(id), now))),
        ("field", Operation::Restore) => Some(Request::ReactivateField(FieldId(id))),
        _ => None,
    });
    actions.extend(write.map(|write| Action::new(key, write)));
    if let Some(release) = release.filter(|_| row.object == "customer") {
        let values = key::values(&external_id, ledger.secret());
        let exchange =
            operation(&values).and_then(|operation| release.values(CustomerId(id), direction(operation)));
        actions.extend(exchange.map(|exchange| undoing(values, exchange)));
    }
    Ok(actions)
}

/// What people acted on since it went into the trash comes back, unless they want it there.
async fn bring_back(
    ctx: &Context,
    ledger: &mut Ledger,
    plan: &PlanV1,
    touched: &Touched,
) -> Result<(), RollbackError> {
    let make: Make<'_> = Box::new(move |row, ledger| {
        let id = row.gorgias_id.parse().unwrap_or(0);
        let is_theirs = row.object == "ticket" && touched.trashed(id);
        let is_touched = touched.holds(log_word(&row.object), id) && !is_theirs;
        Ok(if is_touched { bring_again(row, ledger)? } else { Vec::new() })
    });
    let mut work = RowsWork::new(rows(ctx, plan).await?, make, None);
    drive(ctx, ledger, &mut work, "bring back", None).await
}

async fn at(ctx: &Context, wanted: &'static str, phases: &[Phase]) -> Result<Rollback, RollbackError> {
    let rollback = newest(ctx).await?.ok_or(RollbackError::NoPlan)?;
    if phases.contains(&rollback.phase) && rollback.plan.run == ctx.run.to_string() {
        return Ok(rollback);
    }
    let (number, phase) = (rollback.plan.number, rollback.phase.as_str());
    Err(RollbackError::OutOfOrder { number, phase, wanted })
}

/// Takes the ledger over, and switches off what would answer a write with a mail or another write.
async fn open(ctx: &Context, plan: &PlanV1, phase: &str) -> Result<Ledger, RollbackError> {
    if let Some(open) = repairs::open(ctx).await? {
        return Err(RollbackError::RepairOpen { number: open.plan.number });
    }
    let mut ledger = Ledger::open(ctx, &Opening::default()).await?;
    if ledger.account() != plan.account {
        let (planned, connected) = (plan.account.clone(), ledger.account().to_owned());
        return Err(RollbackError::OtherAccount { planned, connected });
    }
    let occasion = format!("{}.rollback-{:04}-{phase}", ctx.run, plan.number);
    let hushed = quiet::hush(ctx, &mut ledger, STEP, &occasion).await;
    hushed.map_err(|error| RollbackError::Switches(Box::new(error)))?;
    Ok(ledger)
}

async fn rows(ctx: &Context, plan: &PlanV1) -> Result<TableReader<ControlRollback>, RollbackError> {
    Ok(archive::open(ctx, &ctx.run, Pass::Rollback(plan.number)).await?)
}

async fn drive(
    ctx: &Context,
    ledger: &mut Ledger,
    work: &mut dyn driver::Work,
    name: &str,
    total: Option<u64>,
) -> Result<(), RollbackError> {
    let part = Part { step: STEP, name: name.to_owned(), total };
    let Tally { left, .. } = driver::drive(ctx, ledger, work, &part).await?;
    if left > 0 { Err(RollbackError::Unsettled { count: left }) } else { Ok(()) }
}

/// Switches on again what was paused, and ends the ownership; a phase is over only when nothing of it is in doubt.
async fn close(ctx: &Context, mut ledger: Ledger) -> Result<(), RollbackError> {
    let on = quiet::unhush(ctx, &mut ledger, STEP).await;
    on.map_err(|error| RollbackError::Switches(Box::new(error)))?;
    let count = ledger.book().state().doubt_count() as u64;
    ledger.close().await?;
    if count > 0 { Err(RollbackError::Unsettled { count }) } else { Ok(()) }
}

/// Name in the ledger of what a row is about.
pub(super) fn key_of(row: &ControlRollback, secret: &Secret) -> Option<WriteKey> {
    let external_id = || ExternalId::from_stored(row.external_id.clone());
    match row.object.as_str() {
        "ticket" => Some(key::ticket(&external_id(), secret)),
        "customer" => Some(key::customer(&external_id(), secret)),
        "tag" => Some(key::tag(&row.external_id, secret)),
        "team" => Some(key::team(&TeamKey(row.external_id.clone()))),
        "field" => {
            let (object, name) = row.external_id.split_once('/')?;
            let object = match object {
                "Ticket" => FieldObject::Ticket,
                "Customer" => FieldObject::Customer,
                _ => return None,
            };
            Some(key::field(object, &FieldKey(name.to_owned())))
        }
        _ => None,
    }
}

/// A row with its place in the ledger.
struct Placed {
    key: WriteKey,
    id: u64,
    state: Settled,
    class: Option<ReceiptClass>,
}

/// Only rows whose deed is a write have a place; a row about a second record has none.
fn place(row: &ControlRollback, ledger: &Ledger) -> Option<Placed> {
    if !matches!(row.action.as_str(), "remove" | "give_back" | "archive") {
        return None;
    }
    let key = key_of(row, ledger.secret())?;
    let id = row.gorgias_id.parse().ok()?;
    let written = ledger.book().written(&key)?;
    // What is in doubt counts as before: the engine looks it up before anything is sent.
    let state = written.rest()?;
    let is_it = match state {
        Settled::Applied(held) | Settled::Undone(held) => held.0 == id,
        Settled::Nothing => true,
        Settled::Refused | Settled::Skipped => false,
    };
    is_it.then_some(Placed { key, id, state, class: written.class })
}

fn undoing(key: WriteKey, undoing: Undoing) -> Action {
    Action::new(key, Request::Undo(undoing))
}

fn take_back(
    row: &ControlRollback,
    ledger: &Ledger,
    now: jiff::Timestamp,
) -> Result<Vec<Action>, WorkFailure> {
    let Some(Placed { key, id, state, .. }) = place(row, ledger) else { return Ok(Vec::new()) };
    let is_there = matches!(state, Settled::Applied(_));
    Ok(match (row.action.as_str(), row.object.as_str()) {
        ("remove", "ticket") if is_there => vec![undoing(key, Undoing::TrashTicket(TicketId(id), now))],
        ("archive", "field") if is_there => vec![undoing(key, Undoing::ArchiveField(FieldId(id), now))],
        // Fields and values are two writes: one of them may be done already.
        ("give_back", "customer") => exchange(row, ledger, id, Direction::Release)?,
        _ => Vec::new(),
    })
}

/// The writes of both halves that are still open.
fn exchange(
    row: &ControlRollback,
    ledger: &Ledger,
    id: u64,
    direction: Direction,
) -> Result<Vec<Action>, WorkFailure> {
    let Some(text) = &row.change else { return Ok(Vec::new()) };
    let release = Release::decode(text)?;
    let external_id = ExternalId::from_stored(row.external_id.clone());
    let customer = CustomerId(id);
    let fields = key::customer(&external_id, ledger.secret());
    let values = key::values(&external_id, ledger.secret());
    let is_open = |key: &WriteKey| match direction {
        Direction::Release => ledger.book().held(key).is_some(),
        Direction::Refill => ledger.book().class(key) == Some(ReceiptClass::Released),
    };
    let mut actions = Vec::new();
    // The key goes last, and comes back first: it is what says that the record is ours to fill.
    if is_open(&fields) {
        actions.push(undoing(fields, release.fields(customer, direction)));
    }
    if let Some(exchange) = release.values(customer, direction).filter(|_| is_open(&values)) {
        actions.push(undoing(values, exchange));
    }
    if direction == Direction::Release {
        actions.reverse();
    }
    Ok(actions)
}

fn bring_again(row: &ControlRollback, ledger: &Ledger) -> Result<Vec<Action>, WorkFailure> {
    let Some(Placed { key, id, state, class }) = place(row, ledger) else { return Ok(Vec::new()) };
    let is_away = matches!(state, Settled::Undone(_)) && class == Some(ReceiptClass::Trashed);
    Ok(match (row.action.as_str(), row.object.as_str()) {
        ("remove", "ticket") if is_away => vec![undoing(key, Undoing::RestoreTicket(TicketId(id)))],
        ("archive", "field") if is_away => vec![Action::new(key, Request::ReactivateField(FieldId(id)))],
        ("give_back", "customer") => exchange(row, ledger, id, Direction::Refill)?,
        _ => Vec::new(),
    })
}

/// Messages first, then their ticket; only what lay in the trash because of us.
fn remove_ticket(
    row: &ControlRollback,
    ledger: &Ledger,
    messages: &Appended,
) -> Result<Vec<Action>, WorkFailure> {
    let Some(Placed { key, id, state: Settled::Undone(_), class }) = place(row, ledger) else {
        return Ok(Vec::new());
    };
    if row.object != "ticket" || class == Some(ReceiptClass::Restored) {
        return Ok(Vec::new());
    }
    let ticket = TicketId(id);
    let mut actions: Vec<Action> = Vec::new();
    for (key, id) in messages.get(&row.external_id).into_iter().flatten() {
        if ledger.book().held(key).is_some() {
            actions.push(undoing(key.clone(), Undoing::DeleteMessage(ticket, MessageId(*id))));
        }
    }
    if class == Some(ReceiptClass::Trashed) {
        actions.push(undoing(key, Undoing::DeleteTicket(ticket)));
    }
    Ok(actions)
}

fn remove_rest(row: &ControlRollback, ledger: &Ledger, needed: &Needed) -> Result<Vec<Action>, WorkFailure> {
    let Some(Placed { key, id, state: Settled::Applied(_), .. }) = place(row, ledger) else {
        return Ok(Vec::new());
    };
    if row.action != "remove" {
        return Ok(Vec::new());
    }
    let write = match row.object.as_str() {
        "customer" if !needed.customers.contains(&id) => Undoing::DeleteCustomer(CustomerId(id)),
        "tag" if !needed.tags.contains(&row.external_id) => Undoing::DeleteTag(TagId(id)),
        "team" if !needed.teams.contains(&id) => Undoing::DeleteTeam(TeamId(id)),
        _ => return Ok(Vec::new()),
    };
    Ok(vec![undoing(key, write)])
}

/// What the tickets need that are there now, whosever they are.
async fn needed(ctx: &Context) -> Result<Needed, RollbackError> {
    let needed = Mutex::new(Needed::default());
    let fetch = |cursor| {
        let gorgias = std::sync::Arc::clone(&ctx.destination);
        Box::pin(async move { gorgias.tickets(Option::as_ref(&cursor)).await }) as _
    };
    walk::<Ticket, RollbackError>(fetch, |raw| {
        needed.lock().unwrap_or_else(PoisonError::into_inner).by_ticket(&raw.record);
        Ok(())
    })
    .await?;
    Ok(needed.into_inner().unwrap_or_else(PoisonError::into_inner))
}
