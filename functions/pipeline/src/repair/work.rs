//! The writes of a repair, through the ledger, in an order that any start can take up again.
//!
//! First what is missing is proven gone, then it is made again by the load's own work, then fields are written. What an
//! earlier start left in doubt is looked up where its turn comes.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use async_trait::async_trait;
use jiff::Timestamp;
use migration::gorgias::{CustomerId, MessageId, TicketId, UserId};
use migration::keys::ExternalId;
use migration::ledger::{ReceiptClass, Via, WriteKey};
use snapshot::tables::ControlRepair;
use snapshot::{Pass, SnapshotError, TableReader};

use super::survey::key_of;
use super::{RepairError, STEP, codes};
use crate::archive;
use crate::context::Context;
use crate::evidence::{self, Touched};
use crate::ledger::driver::{self, Action, DriveError, Outcome, Part, Reaction, Work, WorkFailure};
use crate::ledger::key::Secret;
use crate::ledger::request::{CHANGED_SINCE_PLAN, Mending, Request, STILL_THERE, Trace};
use crate::ledger::stored::NoteV1;
use crate::ledger::{Ledger, Opening, key};
use crate::load::{self, Again};
use crate::mends::Mends;
use crate::prepare::quiet;
use crate::repairs::{self, DoneV1, Phase, PlanV1, ResidueV1};
use crate::rollbacks;
use crate::sides::{self, Appended};

/// Records that the list of what was not mended names; all are counted.
const NAMED_MAX: usize = 1_000;
/// Codes of notes that explain a record for good: a repair leaves them.
const LASTING: [&str; 2] = [driver::codes::NUMBER_HELD, driver::codes::ARRIVED_IN_PART];

/// Carries the newest plan out; does nothing when that is done.
///
/// # Errors
/// [`RepairError`]; calling it again goes on.
pub async fn apply(ctx: &Context) -> Result<DoneV1, RepairError> {
    let repair = repairs::newest(ctx).await?.filter(|repair| repair.plan.run == ctx.run.as_str());
    let repair = repair.ok_or(RepairError::NoPlan)?;
    if let (Phase::Applied, Some(done)) = (repair.phase, repair.done) {
        return Ok(done);
    }
    let plan = &repair.plan;
    load::check_rollback(ctx).await?;
    if plan.writes() == 0 {
        let mut done = DoneV1 { number: plan.number, at: ctx.clock.now(), ..DoneV1::default() };
        for row in rows(ctx, plan).await? {
            take_kept(&row?, &mut done);
        }
        return Ok(repairs::finish(ctx, done).await?);
    }
    let log_from = begin(ctx, plan).await?;
    let mut ledger = Ledger::open(ctx, &Opening::default()).await?;
    if ledger.account() != plan.account {
        let (planned, connected) = (plan.account.clone(), ledger.account().to_owned());
        return Err(RepairError::OtherAccount { planned, connected });
    }
    let occasion = occasion(ctx, plan).await?;
    let switches = |error| RepairError::Switches(Box::new(error));
    quiet::hush(ctx, &mut ledger, STEP, &occasion).await.map_err(switches)?;
    let done = carry_out(ctx, &mut ledger, plan, log_from).await?;
    // What a run that is not finished holds switched off stays off until that run switches it on.
    if crate::finish::is_done(ctx).await? {
        quiet::unhush(ctx, &mut ledger, STEP).await.map_err(switches)?;
    }
    let count = ledger.book().state().doubt_count() as u64;
    ledger.close().await?;
    if count > 0 {
        return Err(RepairError::Unsettled { count });
    }
    Ok(repairs::finish(ctx, DoneV1 { at: ctx.clock.now(), ..done }).await?)
}

/// Marks that writing begins. The first start looks at the account's log before it looks at any record: whoever acted
/// later may have done so between our look at a record and our write.
async fn begin(ctx: &Context, plan: &PlanV1) -> Result<Timestamp, RepairError> {
    if let Some(log_from) = repairs::began(ctx, plan.number).await? {
        return Ok(log_from);
    }
    let seen = evidence::since(ctx, UserId(plan.service_user), plan.log_from).await?;
    repairs::begin(ctx, plan.number, seen.until().unwrap_or(plan.log_from)).await?;
    Ok(repairs::began(ctx, plan.number).await?.unwrap_or(plan.log_from))
}

/// Sorts behind what every rollback that began before has kept, and before the next one.
async fn occasion(ctx: &Context, plan: &PlanV1) -> Result<String, RepairError> {
    let begun = rollbacks::all(ctx).await?.into_iter().rfind(|held| held.phase != rollbacks::Phase::Planned);
    let behind = begun.map_or(0, |rollback| rollback.plan.number);
    Ok(format!("{}.rollback-{behind:04}-z-repair-{:04}", ctx.run, plan.number))
}

async fn carry_out(
    ctx: &Context,
    ledger: &mut Ledger,
    plan: &PlanV1,
    log_from: Timestamp,
) -> Result<DoneV1, RepairError> {
    let mut again = Again::default();
    for row in rows(ctx, plan).await? {
        let row = row?;
        match (row.action.as_str(), row.object.as_str()) {
            ("make_again", "customer") => drop(again.customers.insert(row.external_id)),
            ("make_again", "ticket") => drop(again.tickets.insert(row.external_id)),
            ("append", "message") => drop(again.messages.insert(row.external_id)),
            _ => {}
        }
    }
    if !again.is_empty() {
        let appended = sides::appended(ctx, ledger.book(), ledger.secret()).await?;
        let mut proofs = Proofs::new(rows(ctx, plan).await?, appended);
        drive(ctx, ledger, &mut proofs, "prove gone", None).await?;
        load::again(ctx, ledger, &again).await?;
    }
    let mut work = Fields::new(plan.number, Box::new(rows(ctx, plan).await?));
    drive(ctx, ledger, &mut work, "mend", Some(plan.count("mend"))).await?;
    name_overtaken(ctx, ledger, plan, log_from, &mut work).await?;
    let mut done = work.done;
    for row in rows(ctx, plan).await? {
        take_rest(ledger, &row?, &mut done);
    }
    Ok(done)
}

/// Names records that somebody acted on while they were written and that hold what we wrote. A change that fell between
/// our look and our write is gone then, and Gorgias tells nobody what it was: a person has to look.
async fn name_overtaken(
    ctx: &Context,
    ledger: &Ledger,
    plan: &PlanV1,
    log_from: Timestamp,
    work: &mut Fields,
) -> Result<(), RepairError> {
    let touched = evidence::since(ctx, UserId(plan.service_user), log_from).await?;
    for row in rows(ctx, plan).await? {
        let row = row?;
        let name = (row.object.clone(), row.gorgias_id.clone());
        if row.action != "mend" || work.refused.contains(&name) || !is_touched(&row, &touched, log_from)? {
            continue;
        }
        let mut is_ours = false;
        for action in work.of(&row, ledger).map_err(DriveError::Work)? {
            is_ours |= matches!(action.request.look_up(&*ctx.destination).await?, Trace::Found { .. });
        }
        if is_ours {
            let text = codes::words(codes::OVERTAKEN).to_owned();
            remark(&mut work.done, &row, codes::OVERTAKEN, text);
        }
    }
    Ok(())
}

/// Whether somebody acted on what a row is about after a moment.
pub(crate) fn is_touched(
    row: &ControlRepair,
    touched: &Touched,
    at: Timestamp,
) -> Result<bool, serde_json::Error> {
    let Ok(id) = row.gorgias_id.parse() else { return Ok(false) };
    Ok(match row.object.as_str() {
        "customer" => touched.holds_after("Customer", id, at),
        "ticket" => touched.holds_after("Ticket", id, at),
        _ => {
            let ticket = row.change.as_deref().map(Mends::decode).transpose()?.and_then(|(ticket, _)| ticket);
            touched.holds_after("TicketMessage", id, at)
                || ticket.is_some_and(|ticket| touched.holds_after("Ticket", ticket, at))
        }
    })
}

/// What became of the rows that are no writes of fields.
fn take_rest(ledger: &Ledger, row: &ControlRepair, done: &mut DoneV1) {
    let key = key_of(row, ledger.secret());
    let is_there = key.as_ref().is_some_and(|key| {
        let held = ledger.book().destination(key);
        held.is_some_and(|held| row.object == "message" || held.to_string() != row.gorgias_id)
    });
    match row.action.as_str() {
        "make_again" if is_there => done.take(&row.object, "made_again"),
        "append" if is_there => done.take(&row.object, "appended"),
        "make_again" | "append" => {
            let note = key.as_ref().and_then(|key| ledger.book().note(key));
            let text =
                note.map_or("it was found after all, or its ticket is gone", |note| note.text.as_str());
            left(done, row, codes::REFUSED, text.to_owned());
        }
        _ => take_kept(row, done),
    }
}

/// What stays as it is.
fn take_kept(row: &ControlRepair, done: &mut DoneV1) {
    if matches!(row.action.as_str(), "keep" | "ask") {
        done.take(&row.object, "kept");
        if let Some(code) = &row.reason_code {
            *done.reasons.entry(code.clone()).or_default() += 1;
        }
    }
}

fn left(done: &mut DoneV1, row: &ControlRepair, code: &str, text: String) {
    done.take(&row.object, "refused");
    remark(done, row, code, text);
}

/// Names a record that a person has to look at.
fn remark(done: &mut DoneV1, row: &ControlRepair, code: &str, text: String) {
    *done.reasons.entry(code.to_owned()).or_default() += 1;
    if done.residue.len() < NAMED_MAX {
        let (object, gorgias_id) = (row.object.clone(), row.gorgias_id.clone());
        done.residue.push(ResidueV1 { object, gorgias_id, code: code.to_owned(), text });
    }
}

async fn rows(ctx: &Context, plan: &PlanV1) -> Result<TableReader<ControlRepair>, RepairError> {
    Ok(archive::open(ctx, &ctx.run, Pass::Repair(plan.number)).await?)
}

async fn drive(
    ctx: &Context,
    ledger: &mut Ledger,
    work: &mut dyn Work,
    name: &str,
    total: Option<u64>,
) -> Result<(), RepairError> {
    let part = Part { step: STEP, name: name.to_owned(), total };
    let left = driver::drive(ctx, ledger, work, &part).await?.left;
    if left > 0 { Err(RepairError::Unsettled { count: left }) } else { Ok(()) }
}

/// Proves that records are gone, so that the ledger lets them be made again.
struct Proofs {
    rows: TableReader<ControlRepair>,
    appended: Appended,
    next: VecDeque<Action>,
}

impl Proofs {
    fn new(rows: TableReader<ControlRepair>, appended: Appended) -> Self {
        Self { rows, appended, next: VecDeque::new() }
    }

    fn of(&self, row: &ControlRepair, ledger: &Ledger) -> Vec<Action> {
        let Some((key, id)) = key_of(row, ledger.secret()).zip(row.gorgias_id.parse::<u64>().ok()) else {
            return Vec::new();
        };
        let ours = ExternalId::from_stored(row.external_id.clone());
        let proofs: Vec<(WriteKey, Mending)> = match (row.action.as_str(), row.object.as_str()) {
            ("make_again", "customer") => vec![(key, Mending::GoneCustomer(CustomerId(id), ours))],
            ("make_again", "ticket") => {
                // Messages of their own receipts go with their ticket.
                let messages = self.appended.get(&row.external_id).into_iter().flatten();
                let messages = messages.map(|(key, message)| {
                    let ours = ExternalId::from_stored(key.key.clone());
                    (key.clone(), Mending::GoneMessage(TicketId(id), MessageId(*message), ours))
                });
                let ticket = (key.clone(), Mending::GoneTicket(TicketId(id), ours));
                // Nothing of a ticket that was made again in an earlier start is proven gone.
                if ledger.book().held(&key) == Some(id) {
                    messages.chain([ticket]).collect()
                } else {
                    Vec::new()
                }
            }
            ("append", "message") => match ledger.book().held(&key) {
                Some(message) => vec![(key, Mending::GoneMessage(TicketId(id), MessageId(message), ours))],
                None => Vec::new(),
            },
            _ => Vec::new(),
        };
        let is_due = |(key, proof): &(WriteKey, Mending)| ledger.book().held(key) == Some(proof.target());
        proofs.into_iter().filter(is_due).map(|(key, proof)| Action::new(key, Request::Mend(proof))).collect()
    }
}

#[async_trait]
impl Work for Proofs {
    fn next(&mut self, ledger: &Ledger) -> Result<Option<Action>, WorkFailure> {
        loop {
            if let Some(action) = self.next.pop_front() {
                return Ok(Some(action));
            }
            let Some(row) = self.rows.next().transpose()? else { return Ok(None) };
            self.next.extend(self.of(&row, ledger));
        }
    }

    async fn settle(
        &mut self,
        _action: &Action,
        outcome: Outcome,
        _ledger: &Ledger,
    ) -> Result<Reaction, WorkFailure> {
        Ok(match outcome {
            Outcome::Done { id, via, .. } => Reaction::done(id, ReceiptClass::Deleted, via),
            Outcome::Refused { status: STILL_THERE, .. } => nothing_done(None),
            other => not_done(other),
        })
    }
}

/// Rows of a plan, in order.
pub(crate) type PlannedRows = Box<dyn Iterator<Item = Result<ControlRepair, SnapshotError>> + Send>;

/// Writes fields, row by row.
pub(crate) struct Fields {
    rows: PlannedRows,
    next: VecDeque<Action>,
    /// Rows by the keys of their writes that are open.
    open: BTreeMap<WriteKey, ControlRepair>,
    /// Rows of which a write was refused.
    refused: BTreeSet<(String, String)>,
    /// What came of them.
    pub(crate) done: DoneV1,
}

impl Fields {
    /// Writes the rows with the deed `mend`.
    pub(crate) fn new(number: u32, rows: PlannedRows) -> Self {
        Self {
            rows,
            next: VecDeque::new(),
            open: BTreeMap::new(),
            refused: BTreeSet::new(),
            done: DoneV1 { number, ..DoneV1::default() },
        }
    }

    /// The writes of a row: one for a ticket or message, up to two for a customer.
    fn of(&self, row: &ControlRepair, ledger: &Ledger) -> Result<Vec<Action>, WorkFailure> {
        writes_of(row, ledger.secret())
    }

    fn closed(&mut self, key: &WriteKey, refusal: Option<(&'static str, String)>) {
        let Some(row) = self.open.remove(key) else { return };
        let name = (row.object.clone(), row.gorgias_id.clone());
        if let Some((code, text)) = refusal {
            if self.refused.insert(name) {
                left(&mut self.done, &row, code, text);
            }
        } else if !self.refused.contains(&name) && !self.open.values().any(|other| *other == row) {
            self.done.take(&row.object, "mended");
        }
    }
}

/// The writes of a row: one for a ticket or message, up to two for a customer.
pub(crate) fn writes_of(row: &ControlRepair, secret: &Secret) -> Result<Vec<Action>, WorkFailure> {
    let Some(change) = row.change.as_ref().filter(|_| row.action == "mend") else {
        return Ok(Vec::new());
    };
    let Some((key, id)) = key_of(row, secret).zip(row.gorgias_id.parse::<u64>().ok()) else {
        return Ok(Vec::new());
    };
    let (ticket, mends) = Mends::decode(change)?;
    let ours = ExternalId::from_stored(row.external_id.clone());
    let writes = match row.object.as_str() {
        "customer" => {
            let is_value = |name: &str| name.starts_with("value[");
            let (fields, values) = (mends.only(|name| !is_value(name)), mends.only(is_value));
            let fields = (key, Mending::Customer(CustomerId(id), fields.clone()), fields.is_empty());
            let key = key::values(&ours, secret);
            let values = (key, Mending::Values(CustomerId(id), values.clone()), values.is_empty());
            let both = [fields, values].into_iter().filter(|(_, _, is_empty)| !is_empty);
            both.map(|(key, mending, _)| (key, mending)).collect()
        }
        "ticket" => vec![(key, Mending::Ticket(TicketId(id), mends))],
        "message" => {
            let ticket = TicketId(ticket.unwrap_or(0));
            vec![(key, Mending::Message(ticket, MessageId(id), mends))]
        }
        _ => Vec::new(),
    };
    // A start that goes on reads again what an earlier one wrote, and finds it as it shall be.
    Ok(writes.into_iter().map(|(key, mending)| Action::new(key, Request::Mend(mending))).collect())
}

#[async_trait]
impl Work for Fields {
    fn next(&mut self, ledger: &Ledger) -> Result<Option<Action>, WorkFailure> {
        loop {
            if let Some(action) = self.next.pop_front() {
                return Ok(Some(action));
            }
            let Some(row) = self.rows.next().transpose()? else { return Ok(None) };
            let actions = self.of(&row, ledger)?;
            for action in &actions {
                self.open.insert(action.key.clone(), row.clone());
            }
            self.next.extend(actions);
        }
    }

    async fn settle(
        &mut self,
        action: &Action,
        outcome: Outcome,
        ledger: &Ledger,
    ) -> Result<Reaction, WorkFailure> {
        let lasting = ledger.book().note(&action.key).filter(|note| LASTING.contains(&note.code.as_str()));
        if let Outcome::Done { id, via, .. } = outcome {
            self.closed(&action.key, None);
            let is_adopted = ledger.book().is_adopted(&action.key)
                && matches!(action.request, Request::Mend(Mending::Customer(..)));
            let class = if is_adopted { ReceiptClass::Adopted } else { ReceiptClass::Updated };
            let note = lasting.cloned();
            return Ok(Reaction::Record { dest_id: Some(id), class, via, note, follow: Vec::new() });
        }
        let refusal = match &outcome {
            Outcome::Unsettled => return Ok(Reaction::Leave),
            Outcome::Refused { status: CHANGED_SINCE_PLAN, .. } => {
                (codes::CHANGED_SINCE, codes::words(codes::CHANGED_SINCE).to_owned())
            }
            Outcome::Gone => (codes::DELETED, codes::words(codes::DELETED).to_owned()),
            Outcome::Refused { status, message } => {
                (codes::REFUSED, format!("refused with {status}: {message}"))
            }
            _ => (codes::REFUSED, "another record holds the identifier".to_owned()),
        };
        let note = NoteV1 { code: refusal.0.to_owned(), text: refusal.1.clone() };
        self.closed(&action.key, Some(refusal));
        Ok(nothing_done(Some(lasting.cloned().unwrap_or(note))))
    }
}

/// Nothing took effect: the record stands in the ledger as it did.
fn nothing_done(note: Option<NoteV1>) -> Reaction {
    Reaction::Record {
        dest_id: None,
        class: ReceiptClass::Absent,
        via: Via::Answer,
        note,
        follow: Vec::new(),
    }
}

fn not_done(outcome: Outcome) -> Reaction {
    match outcome {
        Outcome::Unsettled => Reaction::Leave,
        Outcome::Refused { status, message } => {
            let text = format!("refused with {status}: {message}");
            nothing_done(Some(NoteV1 { code: codes::REFUSED.to_owned(), text }))
        }
        _ => nothing_done(None),
    }
}
