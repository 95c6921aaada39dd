//! Load plan, wave by wave -> Gorgias, through the ledger.
//!
//! A wave opens only after the one before it was found right. What has a receipt is not written again, so a wave can be
//! stopped anywhere and run again. Deliberately absent: comparing (see `reconcile`) and deciding what records hold
//! (see `transform`).

pub(crate) mod added;
pub(crate) mod adopted;
pub(crate) mod adoption;
pub(crate) mod customers;
pub(crate) mod drafts;
mod error;
pub(crate) mod order;
pub(crate) mod tickets;
pub(crate) mod uploads;

use std::collections::{BTreeMap, BTreeSet};

use migration::canonical::Digest;
use migration::gorgias::{TagId, UserId};
use migration::ledger::DestinationObject;
use serde::{Deserialize, Serialize};
use snapshot::Row;
use snapshot::tables::WantUser;

use crate::archive::ArchiveError;
use crate::context::Context;
use crate::deltas;
use crate::ledger::book::Book;
use crate::ledger::driver::{self, Part, Tally, Work, codes};
use crate::ledger::{Ledger, Opening, key};
use crate::losses;
use crate::plan::{self, PlanV1, StoredPlan};
use crate::ports::store::InvalidKey;
use crate::prepare;
use crate::progress::Event;
use crate::reconcile::verdict::{self, WaveVerdict};
use crate::rollbacks;
use crate::run_folder;
use crate::step::StepReport;
use crate::transform::VANISHED_TAG;
use crate::wave::Wave;
use crate::wish::{self, Layers, Wish};

use customers::CustomersWork;
use drafts::Names;
pub use error::LoadError;
use order::{OrderedCustomers, OrderedTickets};
use tickets::TicketsWork;

/// Name of the step.
pub const STEP: &str = "load";

/// What a finished wave leaves behind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "version")]
pub enum StoredLoad {
    /// First form.
    #[serde(rename = "1")]
    V1 {
        /// Writes with an effect, in the attempt that finished the wave.
        done: u64,
        /// Writes without.
        failed: u64,
        /// Outcomes learnt by a look-up.
        looked_up: u64,
        /// Writes announced more than once.
        repeated: u64,
        /// Tickets whose customer is not there.
        held: u64,
    },
}

/// Key of the document that says that a wave is loaded.
pub(crate) fn done_key(ctx: &Context, wave: Wave) -> Result<crate::ports::store::Key, InvalidKey> {
    ctx.run_key(&format!("load-{wave}.json"))
}

/// Loads one wave; does nothing when that is done.
///
/// # Errors
/// [`LoadError`]; running it again goes on where it stopped.
pub async fn run(ctx: &Context, wave: Wave) -> Result<StepReport, LoadError> {
    let mut report = StepReport::of(STEP);
    let done_key = done_key(ctx, wave)?;
    if let Some(stored) = run_folder::get::<StoredLoad>(ctx, &done_key).await? {
        report.was_done = true;
        count(&stored, &mut report);
        return Ok(report);
    }
    let (plan, digest) = plan::read(ctx).await.map_err(|source| LoadError::Plan(Box::new(source)))?;
    check_rollback(ctx).await?;
    losses::check(ctx).await.map_err(|source| LoadError::Losses(Box::new(source)))?;
    check_gate(ctx, wave, &plan).await?;
    if plan.wave(wave).records == 0 {
        let stored = StoredLoad::V1 { done: 0, failed: 0, looked_up: 0, repeated: 0, held: 0 };
        run_folder::put(ctx, &done_key, &stored).await?;
        return Ok(report);
    }
    let (tally, held) = write(ctx, wave, &plan, digest, 0).await?;
    let Tally { done, failed, looked_up, repeated, .. } = tally;
    let stored = StoredLoad::V1 { done, failed, looked_up, repeated, held };
    run_folder::put(ctx, &done_key, &stored).await?;
    count(&stored, &mut report);
    Ok(report)
}

/// Writes once more what Gorgias refused in a wave that is loaded, and what had to wait for it.
///
/// # Errors
/// [`LoadError::NotLoaded`] before the wave was loaded; else as [`run`].
pub async fn retry(ctx: &Context, wave: Wave, attempt: u32) -> Result<StepReport, LoadError> {
    if run_folder::get::<StoredLoad>(ctx, &done_key(ctx, wave)?).await?.is_none() {
        return Err(LoadError::NotLoaded { wave });
    }
    let (plan, digest) = plan::read(ctx).await.map_err(|source| LoadError::Plan(Box::new(source)))?;
    check_rollback(ctx).await?;
    let mut report = StepReport::of(STEP);
    let (Tally { done, failed, looked_up, repeated, .. }, held) =
        write(ctx, wave, &plan, digest, attempt).await?;
    let stored = StoredLoad::V1 { done, failed, looked_up, repeated, held };
    run_folder::put(ctx, &ctx.run_key(&format!("retries/{attempt:04}-{wave}.json"))?, &stored).await?;
    count(&stored, &mut report);
    Ok(report)
}

/// Number of the next attempt.
///
/// # Errors
/// [`LoadError::Store`].
pub async fn next_attempt(ctx: &Context) -> Result<u32, LoadError> {
    let keys = ctx.store.list(&ctx.run_key("retries")?).await?;
    let numbers = keys.iter().filter_map(|key| {
        let name = key.as_str().rsplit('/').next()?;
        name.split('-').next()?.parse::<u32>().ok()
    });
    Ok(numbers.max().unwrap_or(0) + 1)
}

/// Records that Gorgias refused, of all waves, as the ledger says. Sends no request.
///
/// # Errors
/// [`LoadError`] when the plan or the ledger cannot be read.
pub async fn refused(ctx: &Context) -> Result<u64, LoadError> {
    let (plan, _) = plan::read(ctx).await.map_err(|source| LoadError::Plan(Box::new(source)))?;
    let (book, _) = Ledger::read_of(ctx, &plan.account).await?;
    Ok(book.iter().filter(|(key, _)| is_loaded(key.object) && book.is_refused(key)).count() as u64)
}

/// Records that are gone, by our keys, to be made again; and messages that are missing in tickets that are there.
#[derive(Debug, Clone, Default)]
pub(crate) struct Again {
    pub(crate) customers: BTreeSet<String>,
    pub(crate) tickets: BTreeSet<String>,
    pub(crate) messages: BTreeSet<String>,
}

impl Again {
    pub(crate) fn is_empty(&self) -> bool {
        self.customers.is_empty() && self.tickets.is_empty() && self.messages.is_empty()
    }
}

/// Makes again what the ledger says is gone, and appends what is missing. Nothing else is looked at.
///
/// # Errors
/// As [`run`].
pub(crate) async fn again(ctx: &Context, ledger: &mut Ledger, again: &Again) -> Result<(), LoadError> {
    let (plan, _) = plan::read(ctx).await.map_err(|source| LoadError::Plan(Box::new(source)))?;
    if !again.customers.is_empty() {
        let mut work = customers_work(ctx, names(ctx).await?).await?;
        work.only = Some(again.customers.clone());
        settled(Wave::Customers, drive(ctx, ledger, &mut work, Wave::Customers, &plan).await?)?;
    }
    for wave in [Wave::Leads, Wave::Chats].into_iter().filter(|wave| plan.wave(*wave).records > 0) {
        let mut work = tickets_work(ctx, wave, names(ctx).await?).await?;
        work.again = Some(again.clone());
        settled(wave, drive(ctx, ledger, &mut work, wave, &plan).await?)?;
    }
    Ok(())
}

fn part(wave: Wave, total: Option<u64>) -> Part {
    Part { step: STEP, name: wave.to_string(), total }
}

fn settled(wave: Wave, tally: Tally) -> Result<(), LoadError> {
    if tally.left > 0 { Err(LoadError::Unsettled { wave, count: tally.left }) } else { Ok(()) }
}

/// Carries a wave out.
async fn write(
    ctx: &Context,
    wave: Wave,
    plan: &PlanV1,
    digest: Digest,
    attempt: u32,
) -> Result<(Tally, u64), LoadError> {
    let names = names(ctx).await?;
    let opening = Opening { plan: Some(digest), baseline: Digest::from_hex(&plan.baseline), attempt };
    let mut ledger = Ledger::open(ctx, &opening).await?;
    if ledger.account() != plan.account {
        let (planned, connected) = (plan.account.clone(), ledger.account().to_owned());
        return Err(LoadError::OtherAccount { planned, connected });
    }
    tell_found(ctx, &ledger, plan);
    let (tally, held) = match wave {
        Wave::Customers => {
            let mut work = customers_work(ctx, names).await?;
            (drive(ctx, &mut ledger, &mut work, wave, plan).await?, 0)
        }
        Wave::Leads | Wave::Chats => {
            let mut work = tickets_work(ctx, wave, names).await?;
            (drive(ctx, &mut ledger, &mut work, wave, plan).await?, work.held)
        }
    };
    ledger.close().await?;
    tell_settled(ctx, &tally);
    if tally.left > 0 {
        return Err(LoadError::Unsettled { wave, count: tally.left });
    }
    Ok((tally, held))
}

/// What an earlier start left behind, if there was one.
fn tell_found(ctx: &Context, ledger: &Ledger, plan: &PlanV1) {
    let Some(found) = found_in(ledger.book(), plan) else { return };
    let timing = ledger.timing();
    let wait = timing.request_life + ledger.lag().visibility();
    let event = Event::WorkFound {
        step: STEP,
        settled: found.settled,
        planned: found.planned,
        in_doubt: found.in_doubt,
        wait_seconds: if found.in_doubt == 0 { 0 } else { wait.as_secs() },
    };
    ctx.progress.emit(ctx.clock.now(), event);
}

/// How the writes in doubt were settled, and what the lag of look-ups casts doubt on again.
fn tell_settled(ctx: &Context, tally: &Tally) {
    let Tally { looked_up: arrived, repeated: absent, left, suspects, withdrawn, .. } = *tally;
    let now = ctx.clock.now();
    if arrived + absent + left > 0 {
        ctx.progress.emit(now, Event::DoubtsSettled { step: STEP, arrived, absent, left });
    }
    if suspects > 0 {
        let text =
            "writes were repeated on a look-up that may have come too early; the look for duplicates decides";
        let event = Event::Finding { code: codes::SUSPECT, count: suspects, text: text.to_owned() };
        ctx.progress.emit(now, event);
    }
    if withdrawn > 0 {
        let text = "tickets were put into the trash because another process had written them too";
        let event = Event::Finding { code: codes::WITHDRAWN, count: withdrawn, text: text.to_owned() };
        ctx.progress.emit(now, event);
    }
}

/// How far the load of a run is, as its ledger says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// Writes that have their outcome.
    pub settled: u64,
    /// Writes that the run takes in all.
    pub planned: u64,
    /// Writes that were sent and not answered.
    pub in_doubt: u64,
}

/// How far the load of the run is; `None` before its first write. Sends no request.
///
/// # Errors
/// [`LoadError`] when the plan or the ledger cannot be read.
pub async fn found(ctx: &Context) -> Result<Option<Found>, LoadError> {
    if run_folder::get::<StoredPlan>(ctx, &ctx.run_key("plan.json")?).await?.is_none() {
        return Ok(None);
    }
    let (plan, _) = plan::read(ctx).await.map_err(|source| LoadError::Plan(Box::new(source)))?;
    let (book, _) = Ledger::read_of(ctx, &plan.account).await?;
    Ok(found_in(&book, &plan))
}

/// Kinds of records that the waves write.
fn is_loaded(object: DestinationObject) -> bool {
    matches!(
        object,
        DestinationObject::Customer
            | DestinationObject::CustomerValues
            | DestinationObject::Upload
            | DestinationObject::Ticket
            | DestinationObject::Message
    )
}

fn found_in(book: &Book, plan: &PlanV1) -> Option<Found> {
    let (mut settled, mut in_doubt) = (0, 0);
    for (_, written) in book.iter().filter(|(key, _)| is_loaded(key.object)) {
        if written.not_after.is_some() {
            in_doubt += 1;
        } else if written.class.is_some() {
            settled += 1;
        }
    }
    let planned = Wave::ALL.into_iter().map(|wave| plan.wave(wave).writes).sum();
    (settled + in_doubt > 0).then_some(Found { settled, planned, in_doubt })
}

fn count(stored: &StoredLoad, report: &mut StepReport) {
    let StoredLoad::V1 { done, failed, looked_up, repeated, held } = stored;
    let counts = [
        ("done", done),
        ("failed", failed),
        ("looked_up", looked_up),
        ("repeated", repeated),
        ("held", held),
    ];
    report.records.extend(counts.map(|(name, count)| (name.to_owned(), *count)));
}

/// What lies in the trash is not written a second time.
pub(crate) async fn check_rollback(ctx: &Context) -> Result<(), LoadError> {
    if let Some(open) = rollbacks::all(ctx).await?.into_iter().rfind(|rollback| rollback.phase.is_open()) {
        let (number, phase) = (open.plan.number, open.phase.as_str());
        return Err(LoadError::RollbackOpen { number, phase });
    }
    // What its waves wrote is gone, and its waves still say that they are done.
    if let Some(purged) = rollbacks::of_this_run(ctx).await? {
        return Err(LoadError::TakenBack { number: purged.plan.number });
    }
    Ok(())
}

/// A wave opens on a good verdict of the wave before it that had anything to write.
async fn check_gate(ctx: &Context, wave: Wave, plan: &PlanV1) -> Result<(), LoadError> {
    let mut before = wave.before();
    while let Some(earlier) = before {
        if plan.wave(earlier).records > 0 {
            let stored = verdict::read(ctx, earlier).await?;
            return if stored.as_ref().is_some_and(WaveVerdict::opens_next) {
                Ok(())
            } else {
                Err(LoadError::Closed { wave, before: earlier })
            };
        }
        before = earlier.before();
    }
    Ok(())
}

/// Where names lead: what prepare found and made, and the users that transform matched.
pub(crate) async fn names(ctx: &Context) -> Result<Names, LoadError> {
    let directory =
        prepare::read_directory(ctx).await.map_err(|source| LoadError::Prepared(Box::new(source)))?;
    let mut directory = directory.ok_or(LoadError::NotPrepared)?;
    if let Some(id) = vanished_tag(ctx).await? {
        directory.tags.entry(VANISHED_TAG.to_owned()).or_insert(id);
    }
    let mut users = BTreeMap::new();
    for row in want::<WantUser>(ctx).await? {
        let row = row.map_err(ArchiveError::from)?;
        let id = row.gorgias_user_id.filter(|_| row.state == "matched").and_then(|id| id.parse().ok());
        if let Some(id) = id.map(UserId).filter(|id| directory.active_users.contains(id)) {
            users.insert(row.leaddesk_agent_id, id);
        }
    }
    Ok(Names { directory, users })
}

/// The tag of what vanished, which a delta made after everything else was prepared. It is known for ever: what was wished
/// before may carry it although nothing does now.
async fn vanished_tag(ctx: &Context) -> Result<Option<TagId>, LoadError> {
    if deltas::newest(ctx).await?.is_none() {
        return Ok(None);
    }
    let (plan, _) = plan::read(ctx).await.map_err(|source| LoadError::Plan(Box::new(source)))?;
    let (book, secret) = Ledger::read_of(ctx, &plan.account).await?;
    Ok(book.destination(&key::tag(VANISHED_TAG, &secret)).map(TagId))
}

/// A table of what is wanted now.
pub(crate) async fn want<R: Row>(ctx: &Context) -> Result<Wish<R>, ArchiveError> {
    wish::newest(ctx).await
}

async fn customers_work(ctx: &Context, names: Names) -> Result<CustomersWork<'_>, LoadError> {
    let adoptions = adopted::read(ctx).await?;
    Ok(CustomersWork::new(ctx, names, OrderedCustomers::open(ctx, Layers::Newest).await?, adoptions))
}

async fn tickets_work(ctx: &Context, wave: Wave, names: Names) -> Result<TicketsWork, LoadError> {
    let tickets = OrderedTickets::open(ctx, wave, Layers::Newest).await?;
    let meta = BTreeMap::from([("deskferry_run".to_owned(), ctx.run.to_string())]);
    Ok(TicketsWork::new(names, tickets, meta, &ctx.migration, std::sync::Arc::clone(&ctx.destination)))
}

async fn drive(
    ctx: &Context,
    ledger: &mut Ledger,
    work: &mut dyn Work,
    wave: Wave,
    plan: &PlanV1,
) -> Result<Tally, LoadError> {
    driven(ctx, ledger, work, wave, &part(wave, Some(plan.wave(wave).writes))).await
}

async fn driven(
    ctx: &Context,
    ledger: &mut Ledger,
    work: &mut dyn Work,
    wave: Wave,
    part: &Part,
) -> Result<Tally, LoadError> {
    driver::drive(ctx, ledger, work, part).await.map_err(|source| LoadError::Drive { wave, source })
}

#[cfg(test)]
mod tests;
