//! Does one step at a time, woken by the queue; what is to be done is what the store shows unfinished.
//!
//! A message names a step and a run. One that is lost costs time, one that comes twice finds its step done.
//! Deliberately absent: the order of steps (see `conduct`), and the lock that keeps two processes apart.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use snapshot::Pass;

use crate::approval::{self, ApprovalError};
use crate::archive::{self, ArchiveError};
use crate::boxed::boxed;
use crate::conduct::{self, DeltaPart, DeltaShown, Gate, Next, Shown, Step};
use crate::context::Context;
use crate::delta::{self, DeltaError};
use crate::deltas::Delta;
use crate::discover::{self, DiscoverError};
use crate::documents::{self, DocumentError as MappingDocumentError};
use crate::extract::{self, ExtractError};
use crate::finish::{self, FinishError};
use crate::handoff::{self, HandoffError};
use crate::ledger::driver::DriveError;
use crate::load::{self, LoadError};
use crate::plan::{self, PlanError};
use crate::ports::queue::{Delivery, Outgoing, Queue, QueueError};
use crate::ports::store::{InvalidKey, StoreError};
use crate::prepare::{self, PrepareError};
use crate::propose::{self, ProposeError};
use crate::reconcile::{self, ReconcileError, verdict};
use crate::report::{self, ReportError, steps};
use crate::residency::{self, ResidencyError};
use crate::run_folder::DocumentError;
use crate::sample::{self, SampleError};
use crate::step::StepReport;
use crate::stop::Stopped;
use crate::transform::{self, TransformError};
use crate::wave::Wave;

/// How long a receive waits before the store is looked at again.
const RECEIVE_WAIT: Duration = Duration::from_millis(50);

/// Why a step did not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum StepError {
    /// Taking stock.
    #[error("cannot take stock of the accounts")]
    Discover(#[from] DiscoverError),
    /// Proposing.
    #[error("cannot propose a mapping")]
    Propose(#[from] ProposeError),
    /// The confirmed mapping.
    #[error("cannot read the confirmed mapping")]
    Mapping(#[from] MappingDocumentError),
    /// Data would leave the area of the law that protects it.
    #[error("cannot move data")]
    Residency(#[from] ResidencyError),
    /// The approval.
    #[error("cannot write what the mapping says")]
    Approval(#[from] ApprovalError),
    /// Preparing.
    #[error("cannot prepare the destination")]
    Prepare(#[from] PrepareError),
    /// Extracting.
    #[error("cannot extract")]
    Extract(#[from] ExtractError),
    /// Transforming.
    #[error("cannot transform")]
    Transform(#[from] TransformError),
    /// Planning.
    #[error("cannot plan the load")]
    Plan(#[from] PlanError),
    /// Loading.
    #[error("cannot load")]
    Load(#[from] LoadError),
    /// Reconciling.
    #[error("cannot reconcile")]
    Reconcile(#[from] ReconcileError),
    /// Restoring.
    #[error("cannot restore what was switched off")]
    Finish(#[from] FinishError),
    /// Reporting.
    #[error("cannot write the report")]
    Report(#[from] ReportError),
    /// Handing off.
    #[error("cannot write the handoff")]
    Handoff(#[from] HandoffError),
    /// A delta.
    #[error("cannot bring over what changed")]
    Delta(#[source] Box<DeltaError>),
    /// What needs a run of everything.
    #[error("cannot go on with a sample")]
    Sample(#[from] SampleError),
    /// A document of the run.
    #[error("cannot read or keep a document of the run")]
    Document(#[from] DocumentError),
    /// The store.
    #[error("cannot reach the store")]
    Store(#[from] StoreError),
    /// A name that is no key.
    #[error("cannot name an object")]
    Key(#[from] InvalidKey),
    /// A snapshot.
    #[error("cannot read a snapshot")]
    Archive(#[from] ArchiveError),
    /// The queue.
    #[error("cannot use the queue")]
    Queue(#[from] QueueError),
}

boxed!(StepError { Delta(DeltaError) });

impl StepError {
    /// Whether somebody asked to stop, and the step did so between two requests: the same step goes on from there.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        let mut next: Option<&(dyn std::error::Error + 'static)> = Some(self);
        while let Some(cause) = next {
            if cause.is::<Stopped>() || matches!(cause.downcast_ref(), Some(DriveError::Stopped)) {
                return true;
            }
            next = cause.source();
        }
        false
    }

    /// Stable code of the cause.
    #[must_use]
    pub fn code(&self) -> String {
        match self {
            Self::Discover(error) => error.code().to_owned(),
            Self::Propose(error) => error.code().to_owned(),
            Self::Mapping(error) => error.code().to_owned(),
            Self::Residency(error) => error.code().to_owned(),
            Self::Approval(error) => error.code().to_owned(),
            Self::Prepare(error) => error.code().to_owned(),
            Self::Extract(error) => error.code().to_owned(),
            Self::Transform(error) => error.code().to_owned(),
            Self::Plan(error) => error.code().to_owned(),
            Self::Load(error) => error.code().to_owned(),
            Self::Reconcile(error) => error.code().to_owned(),
            Self::Finish(error) => error.code().to_owned(),
            Self::Report(error) => error.code().to_owned(),
            Self::Handoff(error) => error.code().to_owned(),
            Self::Archive(error) => error.code().to_owned(),
            Self::Delta(error) => error.code().to_owned(),
            Self::Sample(error) => error.code().to_owned(),
            Self::Document(_) | Self::Store(_) | Self::Key(_) => "STO101".to_owned(),
            Self::Queue(_) => "QUE101".to_owned(),
        }
    }

    /// The same step may come to its end later although nobody does anything: a service failed, or did not answer.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        PASSING.contains(&self.code().as_str())
    }
}

/// Codes of failures behind which a service stands, or another process: the store, the queue, LeadDesk and Gorgias when
/// they do not answer or answer what cannot be read, a ledger that somebody else took, writes whose outcome could not be
/// learnt yet.
const PASSING: [&str; 11] = [
    "STO101", "QUE101", "ARC106", "EXT101", "EXT107", "SRC105", "SRC106", "GOR102", "LED101", "LOD100",
    "LOD104",
];

/// A message's body, by version. Pointers only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "version", deny_unknown_fields)]
pub enum Message {
    /// A step of a run to do.
    #[serde(rename = "1")]
    V1 {
        /// The migration.
        migration: String,
        /// The run.
        run: String,
        /// As [`Step`] is shown.
        step: String,
    },
}

/// Runs one step to its end, and stores that it ran and what it spent.
///
/// # Errors
/// [`StepError`]; what the step stored stays, and running it again goes on from there.
pub async fn run_step(ctx: &Context, step: Step) -> Result<StepReport, StepError> {
    let started_at = ctx.clock.now();
    let asked_before = ctx.source.requests();
    let outcome = dispatch(ctx, step).await;
    match outcome {
        Ok(report) => {
            steps::record_since(ctx, started_at, &report, &asked_before).await?;
            Ok(report)
        }
        Err(error) => {
            // What was spent counts even when the step failed; the step's own error is the one to tell.
            let _ = report::usage::record(ctx).await;
            Err(error)
        }
    }
}

/// One delta from its reading to its watermark, part by part; an open one is gone on with.
///
/// # Errors
/// [`StepError`]; running it again goes on where it stopped.
pub async fn run_delta(ctx: &Context) -> Result<Delta, StepError> {
    let number = delta::due(ctx).await?;
    for part in DeltaPart::ALL {
        run_step(ctx, Step::Delta(number, part)).await?;
    }
    let delta = delta::all(ctx).await?.into_iter().find(|delta| delta.begun.number == number);
    delta.ok_or_else(|| DeltaError::NotLoaded.into())
}

async fn dispatch(ctx: &Context, step: Step) -> Result<StepReport, StepError> {
    let ctx = &if conduct::keeps_hours(step.name()) { ctx.keeping_hours() } else { ctx.clone() };
    if matches!(step, Step::Prepare | Step::Extract | Step::Load(_)) {
        let inventory = documents::inventory(ctx).await?;
        residency::check(ctx, Some(&inventory)).await?;
    }
    // In boxes: each step's future is large, and the stack of a test or of a function's thread is not.
    Ok(match step {
        Step::Discover => Box::pin(discover::run(ctx)).await?,
        Step::Propose => Box::pin(propose::run(ctx)).await?,
        Step::Prepare => {
            // What a rollback is about to remove would be taken for what is there.
            load::check_rollback(ctx).await?;
            let mapping = approval::holding(ctx).await?;
            Box::pin(prepare::run(ctx, &mapping)).await?
        }
        Step::Extract => {
            let report = Box::pin(extract::run(ctx)).await?;
            approval::keep_snapshot(ctx).await?;
            report
        }
        Step::Transform => Box::pin(transform::run(ctx)).await?,
        Step::Plan => Box::pin(plan::run(ctx)).await?,
        Step::Load(wave) => {
            load::check_rollback(ctx).await?;
            approval::holding(ctx).await?;
            Box::pin(load::run(ctx, wave)).await?
        }
        Step::Reconcile(wave) => Box::pin(reconcile::run(ctx, wave)).await?,
        Step::Finish => Box::pin(finish::run(ctx)).await?,
        Step::Report => Box::pin(report::run(ctx)).await?,
        Step::Handoff => {
            sample::refuse(ctx, "a handoff").await?;
            Box::pin(handoff::run(ctx)).await?
        }
        Step::Delta(number, part) => {
            let was_done = !Box::pin(delta::run_part(ctx, number, part)).await?;
            StepReport { was_done, ..StepReport::of(delta::STEP) }
        }
    })
}

/// Looks at what the store has of this run.
///
/// # Errors
/// The store, or a document that cannot be read.
pub async fn look(ctx: &Context) -> Result<Shown, StepError> {
    let mut shown = Shown::default();
    let keys = ctx.store.list(&ctx.key(&format!("runs/{}", ctx.run))?).await?;
    let has =
        |rest: &str| -> Result<bool, InvalidKey> { Ok(keys.binary_search(&ctx.run_key(rest)?).is_ok()) };
    let markers = [
        (Step::Discover, "inventory.json"),
        (Step::Prepare, "destination.json"),
        (Step::Transform, "counts.json"),
        (Step::Plan, "plan.json"),
        (Step::Finish, "finish.json"),
    ];
    for (step, marker) in markers {
        if has(marker)? {
            shown.done.push(step);
        }
    }
    let approvals = format!("{}/", ctx.run_key(documents::approval::FOLDER)?);
    // `mapping.json` is the form of older programs.
    shown.is_confirmed = has("mapping.json")? || keys.iter().any(|key| key.as_str().starts_with(&approvals));
    let proposals = format!("{}/", ctx.run_key("proposals")?);
    if shown.is_confirmed || keys.iter().any(|key| key.as_str().starts_with(&proposals)) {
        shown.done.push(Step::Propose);
    }
    shown.is_sample = has(sample::MARK)?;
    if is_extracted(ctx).await? {
        shown.done.push(Step::Extract);
    }
    for wave in Wave::ALL {
        if keys.binary_search(&load::done_key(ctx, wave)?).is_ok() {
            shown.done.push(Step::Load(wave));
        }
        shown.gates[conduct::place(wave)] = match verdict::read(ctx, wave).await? {
            None => Gate::Open,
            Some(held) if held.opens_next() || held.is_of_nothing() => Gate::Passed,
            Some(_) => Gate::Closed,
        };
    }
    if let Some(latest) = report::latest(ctx).await? {
        // A report of an unfinished run, or a handoff folder without its index, is made again.
        let has_end = shown.done.contains(&Step::Finish) && latest.report.is_complete;
        if has_end {
            shown.done.push(Step::Report);
        }
        if has_end && handoff::is_whole(ctx, &latest).await? {
            shown.done.push(Step::Handoff);
        }
    }
    if let Some(newest) = delta::newest(ctx).await? {
        let number = newest.begun.number;
        shown.delta = Some(DeltaShown { number, open: delta::open_part(ctx, number).await? });
    }
    Ok(shown)
}

async fn is_extracted(ctx: &Context) -> Result<bool, StepError> {
    for table in extract::tables(ctx) {
        if !archive::is_sealed(ctx, &ctx.run, Pass::Full, table).await? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// How a run came to rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rest {
    /// Complete.
    Done,
    /// The mapping waits for a person.
    Confirmation,
    /// A wave is not right and waits for a person.
    Decision(Wave),
}

/// Works until nothing is left to do without a person. `tell` is called after every step.
///
/// # Errors
/// The error of the step that stopped; starting again goes on from there.
pub async fn run_to_end(
    ctx: &Context,
    queue: &dyn Queue,
    tell: &mut (dyn FnMut(Step, &StepReport) + Send),
) -> Result<Rest, StepError> {
    // Steps that were looked through in this process: a first start verifies what it finds instead of trusting it.
    let mut turn = 0_u64;
    let mut is_repaired = Vec::new();
    loop {
        let step = match conduct::next(&look(ctx).await?) {
            Next::Nothing => return Ok(Rest::Done),
            Next::Confirmation => return Ok(Rest::Confirmation),
            // A wave that was found wrong earlier is read once more: it may have been put right meanwhile.
            Next::Decision(wave) if !is_repaired.contains(&wave) => {
                is_repaired.push(wave);
                Step::Reconcile(wave)
            }
            Next::Decision(wave) => {
                let report = run_step(ctx, Step::Report).await?;
                tell(Step::Report, &report);
                return Ok(Rest::Decision(wave));
            }
            Next::Run(step) => step,
        };
        turn += 1;
        queue.send(message(ctx, step, turn)).await?;
        for delivery in queue.receive(1, RECEIVE_WAIT).await? {
            if let Some(step) = understood(ctx, &delivery) {
                let outcome = run_step(ctx, step).await;
                queue.delete(&delivery.receipt).await?;
                if let Step::Reconcile(wave) = step {
                    is_repaired.push(wave);
                }
                tell(step, &outcome?);
            } else {
                // A message for somebody else, or of another version, must not block the group.
                tracing::warn!(receive_count = delivery.receive_count, "message not understood, put aside");
                queue.delete(&delivery.receipt).await?;
            }
        }
    }
}

fn message(ctx: &Context, step: Step, turn: u64) -> Outgoing {
    let body =
        Message::V1 { migration: ctx.migration.clone(), run: ctx.run.to_string(), step: step.to_string() };
    Outgoing {
        group: format!("{}/{}", ctx.migration, ctx.run),
        deduplication_id: format!("{}/{}/{step}/{turn}", ctx.migration, ctx.run),
        body: serde_json::to_string(&body).unwrap_or_default(),
    }
}

fn understood(ctx: &Context, delivery: &Delivery) -> Option<Step> {
    let Message::V1 { migration, run, step } = serde_json::from_str(&delivery.body).ok()?;
    (migration == ctx.migration && run == ctx.run.to_string()).then(|| Step::from_text(&step))?
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::readings::ReadingError;

    #[test]
    fn a_stopped_step_is_told_from_a_failed_one() {
        let drive = || DriveError::Stopped;
        let stopped: [StepError; 8] = [
            PrepareError::Drive(drive()).into(),
            PrepareError::Reading(ReadingError::Stopped(Stopped)).into(),
            ExtractError::Stopped(Stopped).into(),
            PlanError::Read(ReadingError::Stopped(Stopped)).into(),
            PlanError::Prepared(Box::new(PrepareError::Drive(drive()))).into(),
            LoadError::Drive { wave: Wave::Leads, source: drive() }.into(),
            ReconcileError::Reading(ReadingError::Stopped(Stopped)).into(),
            FinishError::Drive(drive()).into(),
        ];
        for error in stopped {
            assert!(error.is_stopped(), "{error:?}");
        }
        let sweep = crate::sweep::SweepError::Drive(drive());
        assert!(StepError::from(ReconcileError::Sweep(Box::new(sweep))).is_stopped());
        let request = "POST /tickets".to_owned();
        let failed = StepError::from(PrepareError::Drive(DriveError::Unreachable { request }));
        assert!(!failed.is_stopped() && !StepError::from(PlanError::NotPrepared).is_stopped());
    }
}
