//! The last evening: readiness, freeze, last delta, comparison of everything, certificate, rules on again, package.
//!
//! Every step leaves a document, and the next one follows from what is there: a cut-over that was interrupted goes on, one
//! that is at its end has nothing to do. Whatever is written is written by the delta, through the ledger. Rules, surveys
//! and webhooks that it switched off stay off until the certificate is signed or refused. Deliberately absent: closing
//! LeadDesk to its agents, which no interface does.

pub mod facts;
mod freeze;

use jiff::Timestamp;
use jiff::civil::Date;
use migration::canonical::Digest;
use migration::cutover::{self as decide, Point, Shown, Step};
use migration::finding;

use crate::archive::ArchiveError;
use crate::boxed::boxed;
use crate::conduct;
use crate::context::Context;
use crate::cutovers::{
    self, BegunV1, ComparedV1, Cutover, ForceV1, HandedV1, LastDeltaV1, PointV1, RefusedV1, RestoredV1,
    SignedV1,
};
use crate::deletions;
use crate::delta::DeltaError;
use crate::deltas::{self, Delta};
use crate::documents;
use crate::extract::ExtractError;
use crate::finish::{self, FinishError};
use crate::plan::{self, PlanError};
use crate::ports::gorgias::ReadError;
use crate::ports::leaddesk::SourceError;
use crate::ports::store::Put;
use crate::progress::Event;
use crate::reconcile::ReconcileError;
use crate::reconcile::everything::everything;
use crate::report::{self, steps, usage};
use crate::rollbacks;
use crate::run_folder::DocumentError;
use crate::sample::{self, SampleError};
use crate::step::StepReport;
use crate::worker::{self, StepError};

/// Name of the step.
pub const STEP: &str = "cutover";
/// Something is in the way of the cut-over.
pub const NOT_READY: &str = "CUT001";

/// Why a cut-over cannot go on. Everything that was done before is stored, and the next start goes on.
#[derive(Debug, thiserror::Error)]
pub enum CutoverError {
    /// Something is in the way, and nobody took it upon themselves.
    #[error("the migration is not ready to be cut over: {}", told(.points))]
    NotReady {
        /// Every point.
        points: Vec<Point>,
    },
    /// The key in use belongs to another account.
    #[error("the run is for account {planned}, the credentials are for {connected}")]
    OtherAccount {
        /// Account of the plan.
        planned: String,
        /// Account of the credentials.
        connected: String,
    },
    /// The run is a sample.
    #[error("cannot cut over")]
    Sample(#[from] SampleError),
    /// A moment of the freeze that has not come.
    #[error("the freeze is said to begin at {since}, which has not come")]
    FreezeToCome {
        /// The moment.
        since: Timestamp,
    },
    /// A document.
    #[error("cannot read or keep a document of the cut-over")]
    Document(#[from] DocumentError),
    /// A document of the steps before.
    #[error("cannot read what is cut over")]
    Earlier(#[from] documents::DocumentError),
    /// A snapshot.
    #[error("cannot read a snapshot for the cut-over")]
    Archive(#[from] ArchiveError),
    /// The load plan.
    #[error("cannot read the load plan")]
    Plan(#[source] Box<PlanError>),
    /// Reading Gorgias.
    #[error("cannot read the destination")]
    Read(#[from] ReadError),
    /// Reading LeadDesk.
    #[error("cannot ask LeadDesk whether it stands still")]
    Source(#[from] SourceError),
    /// What was read of LeadDesk cannot be told.
    #[error("cannot tell whether LeadDesk stands still")]
    Extract(#[source] Box<ExtractError>),
    /// The last delta, or the one that checks the freeze.
    #[error("cannot bring over what changed last")]
    Delta(#[source] Box<DeltaError>),
    /// The comparison.
    #[error("cannot compare everything")]
    Reconcile(#[source] Box<ReconcileError>),
    /// Rules, surveys and webhooks.
    #[error("cannot bring back rules, surveys and webhooks")]
    Finish(#[source] Box<FinishError>),
    /// What was done last, or what it spent, cannot be recorded.
    #[error("cannot record what was done for the cut-over")]
    Recorded(#[source] Box<StepError>),
    /// Report and package.
    #[error("cannot write report and package")]
    HandOff(#[source] Box<StepError>),
}

boxed!(CutoverError {
    Delta(DeltaError),
    Reconcile(ReconcileError),
    Finish(FinishError),
    HandOff(StepError),
    Extract(ExtractError),
    Plan(PlanError),
});

fn told(points: &[Point]) -> String {
    let open: Vec<String> = points
        .iter()
        .filter(|point| point.is_in_the_way())
        .map(|point| format!("{} {} ({})", point.code, point.about, point.reason))
        .collect();
    open.join("; ")
}

impl CutoverError {
    /// Stable code.
    #[must_use]
    pub fn code(&self) -> String {
        match self {
            Self::NotReady { .. } | Self::FreezeToCome { .. } => NOT_READY.to_owned(),
            Self::OtherAccount { .. } => "LOD002".to_owned(),
            Self::Sample(error) => error.code().to_owned(),
            Self::Document(_) => "STO101".to_owned(),
            Self::Earlier(error) => error.code().to_owned(),
            Self::Archive(error) => error.code().to_owned(),
            Self::Plan(_) => "LOD001".to_owned(),
            Self::Read(ReadError::Credentials { .. }) => "GOR101".to_owned(),
            Self::Read(_) => "GOR102".to_owned(),
            Self::Source(_) => "EXT107".to_owned(),
            Self::Extract(error) => error.code().to_owned(),
            Self::Delta(error) => error.code().to_owned(),
            Self::Reconcile(error) => error.code().to_owned(),
            Self::Finish(error) => error.code().to_owned(),
            Self::Recorded(error) | Self::HandOff(error) => error.code(),
        }
    }
}

/// What a person asks for.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    /// Who runs it.
    pub by: Option<String>,
    /// Who takes upon themselves what is in the way, and why.
    pub force: Option<(String, String)>,
    /// From when on LeadDesk is closed to its agents; else from the beginning of the cut-over.
    pub frozen_since: Option<Timestamp>,
    /// The day on which the data is deleted; else so many days after the cut-over.
    pub delete_on: Option<Date>,
}

/// How a cut-over came to rest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It is signed.
    Signed(Cutover),
    /// It was signed before.
    Nothing(Cutover),
    /// The certificate was refused.
    Refused(Cutover),
}

/// The readiness as it is now; writes nothing anywhere.
pub async fn readiness(ctx: &Context) -> Vec<Point> {
    decide::readiness(&Box::pin(facts::gather(ctx)).await, &ctx.limits.accepted_findings)
}

/// A cut-over from where it stands to its end. `tell` is called after every step.
///
/// # Errors
/// [`CutoverError`]; running it again goes on where it stopped.
pub async fn run(
    ctx: &Context,
    asked: &Asked,
    tell: &mut (dyn FnMut(Step, &Cutover) + Send),
) -> Result<Outcome, CutoverError> {
    sample::refuse(ctx, "a cut-over").await?;
    if let Some(signed) =
        cutovers::newest(ctx).await?.filter(|newest| newest.is_ended() && newest.signed.is_some())
    {
        if rollbacks::of_this_run(ctx).await?.is_none() {
            return Ok(Outcome::Nothing(signed));
        }
        return Err(CutoverError::NotReady { points: readiness(ctx).await });
    }
    loop {
        let open = cutovers::newest(ctx).await?.filter(|newest| !newest.is_ended());
        let step = decide::next(&open.as_ref().map_or_else(Shown::default, Cutover::shown));
        let part = Event::StepStarted { step: STEP, part: step.as_str().to_owned(), total: None };
        ctx.progress.emit(ctx.clock.now(), part);
        match &open {
            None => Box::pin(begin(ctx, asked)).await?,
            // What a step holds while it waits is large; boxed, whoever runs this stays small.
            Some(open) => Box::pin(carry_out(ctx, asked, open, step)).await?,
        }
        let Some(now) = cutovers::newest(ctx).await? else { continue };
        tell(step, &now);
        if now.is_ended() {
            return Ok(if now.signed.is_some() { Outcome::Signed(now) } else { Outcome::Refused(now) });
        }
    }
}

async fn begin(ctx: &Context, asked: &Asked) -> Result<(), CutoverError> {
    let points = readiness(ctx).await;
    let now = ctx.clock.now();
    if let Some(since) = asked.frozen_since.filter(|since| *since > now) {
        return Err(CutoverError::FreezeToCome { since });
    }
    let codes: Vec<String> =
        points.iter().filter(|point| point.is_in_the_way()).map(|point| point.code.to_string()).collect();
    if !codes.is_empty() && (asked.force.is_none() || points.iter().any(Point::is_firm)) {
        return Err(CutoverError::NotReady { points });
    }
    let (plan, _) = plan::read(ctx).await?;
    let connected = ctx.destination.account().await?.domain;
    if plan.account != connected {
        return Err(CutoverError::OtherAccount { planned: plan.account, connected });
    }
    let deltas = deltas::newest(ctx).await?.map_or(0, |newest| newest.begun.number);
    loop {
        let number = cutovers::newest(ctx).await?.map_or(0, |newest| newest.begun.number) + 1;
        let begun = BegunV1 {
            number,
            at: now,
            frozen_since: asked.frozen_since.unwrap_or(now),
            account: connected.clone(),
            by: asked.by.clone(),
            deltas,
            points: points.iter().map(PointV1::of).collect(),
            force: if codes.is_empty() { None } else { forced(ctx, asked, &codes) },
        };
        if cutovers::keep(ctx, number, cutovers::BEGUN, begun).await? == Put::Created {
            return Ok(());
        }
    }
}

fn forced(ctx: &Context, asked: &Asked, codes: &[String]) -> Option<ForceV1> {
    asked.force.as_ref().map(|(by, reason)| ForceV1 {
        by: by.clone(),
        reason: reason.clone(),
        at: ctx.clock.now(),
        codes: codes.to_vec(),
    })
}

async fn carry_out(ctx: &Context, asked: &Asked, open: &Cutover, step: Step) -> Result<(), CutoverError> {
    let number = open.begun.number;
    match step {
        Step::Begin | Step::Nothing => {}
        Step::Delta => {
            let delta = delta_after(ctx, open.begun.deltas).await?;
            let at = delta.done.as_ref().map_or(delta.begun.at, |done| done.at);
            let last = LastDeltaV1 { number: delta.begun.number, at };
            cutovers::keep(ctx, number, cutovers::DELTA, last).await?;
        }
        Step::Reconcile => {
            let compared = recorded(ctx, compare(ctx, asked, open)).await?;
            cutovers::keep(ctx, number, cutovers::COMPARED, compared).await?;
        }
        Step::Freeze => {
            let before = open.compared.as_ref().map_or(0, |compared| compared.deltas);
            let probe = delta_after(ctx, before).await?;
            let freeze = recorded(ctx, freeze::check(ctx, open, &probe)).await?;
            cutovers::keep(ctx, number, cutovers::FREEZE, freeze).await?;
        }
        Step::SignOff => {
            let signed = sign(ctx, asked, open).await?;
            cutovers::keep(ctx, number, cutovers::SIGNED, signed).await?;
        }
        Step::Refuse => {
            cutovers::keep(ctx, number, cutovers::REFUSED, refusal(ctx, open)).await?;
        }
        Step::Restore => {
            let standing = recorded(ctx, async { Ok(finish::again(ctx, STEP).await?) }).await?;
            let restored = RestoredV1 {
                at: ctx.clock.now(),
                order: ctx.limits.restore_order.iter().map(|kind| kind.as_str().to_owned()).collect(),
                as_before: standing.as_before,
                changed: standing.changed,
                removed: standing.removed,
            };
            cutovers::keep(ctx, number, cutovers::RESTORED, restored).await?;
        }
        Step::HandOff => {
            Box::pin(worker::run_step(ctx, conduct::Step::Report)).await?;
            Box::pin(worker::run_step(ctx, conduct::Step::Handoff)).await?;
            let latest = report::latest(ctx).await.map_err(StepError::from)?;
            let report = latest.map(|latest| latest.folder.to_string()).unwrap_or_default();
            let handed = HandedV1 { at: ctx.clock.now(), report };
            cutovers::keep(ctx, number, cutovers::HANDED, handed).await?;
        }
    }
    Ok(())
}

/// The first delta behind so many that came to its end. One that is open is brought to its end first.
async fn delta_after(ctx: &Context, before: u32) -> Result<Delta, CutoverError> {
    loop {
        let all = deltas::all(ctx).await?;
        if all.iter().all(|delta| delta.done.is_some())
            && let Some(delta) = all.into_iter().find(|delta| delta.begun.number > before)
        {
            return Ok(delta);
        }
        Box::pin(worker::run_delta(ctx)).await.map_err(|error| match error {
            StepError::Delta(error) => CutoverError::Delta(error),
            other => CutoverError::Recorded(Box::new(other)),
        })?;
    }
}

/// Keeps when a part ran and what it asked of both systems; the report, which comes after it, counts that. What was asked
/// counts although the part failed.
async fn recorded<T>(
    ctx: &Context,
    part: impl Future<Output = Result<T, CutoverError>>,
) -> Result<T, CutoverError> {
    let (started_at, asked_before) = (ctx.clock.now(), ctx.source.requests());
    match Box::pin(part).await {
        Ok(done) => {
            steps::record_since(ctx, started_at, &StepReport::of(STEP), &asked_before).await?;
            Ok(done)
        }
        Err(error) => {
            // The part's own error is the one to tell.
            let _ = usage::record_for(ctx, STEP).await;
            Err(error)
        }
    }
}

async fn compare(ctx: &Context, asked: &Asked, open: &Cutover) -> Result<ComparedV1, CutoverError> {
    let comparison = Box::pin(everything(ctx, true, &mut |_, _| ())).await?;
    let holds = comparison.compared().holds();
    let codes = [finding::CUT202_NOT_RIGHT.to_string()];
    // Who began with a force goes on with it, also when a start after a crash does not name it again.
    let force = match (holds, &open.begun.force) {
        (true, _) => None,
        (false, Some(begun)) => Some(ForceV1 { at: ctx.clock.now(), codes: codes.to_vec(), ..begun.clone() }),
        (false, None) => forced(ctx, asked, &codes),
    };
    Ok(ComparedV1 {
        digest: comparison.digest().to_hex(),
        deltas: deltas::newest(ctx).await?.map_or(0, |newest| newest.begun.number),
        may_go_on: holds || force.is_some(),
        comparison,
        force,
    })
}

async fn sign(ctx: &Context, asked: &Asked, open: &Cutover) -> Result<SignedV1, CutoverError> {
    let mapping = documents::confirmed_mapping(ctx).await?;
    let by = open.begun.by.as_deref();
    let deletion = match (asked.delete_on, deletions::newest(ctx).await?) {
        (Some(day), _) => deletions::decide(ctx, day, by, true).await?,
        (None, Some(held)) => held,
        (None, None) => {
            let day = deletions::day_after(open.begun.at, deletions::KEPT_DAYS);
            deletions::decide(ctx, day, by, false).await?
        }
    };
    let freeze = serde_json::to_vec(&open.freeze).unwrap_or_default();
    Ok(SignedV1 {
        at: ctx.clock.now(),
        by: open.begun.by.clone(),
        account: open.begun.account.clone(),
        mapping: mapping.digest().to_hex(),
        frozen_since: open.begun.frozen_since,
        delta: open.delta.as_ref().map_or(0, |delta| delta.number),
        reconciliation: open.compared.as_ref().map(|compared| compared.digest.clone()).unwrap_or_default(),
        freeze: Digest::of(&freeze).to_hex(),
        delete_on: deletion.day,
        forced: open.forced().cloned().collect(),
    })
}

fn refusal(ctx: &Context, open: &Cutover) -> RefusedV1 {
    let at = ctx.clock.now();
    match (&open.freeze, &open.compared) {
        (Some(freeze), _) => RefusedV1 {
            at,
            code: finding::CUT201_CHANGED_AFTER_FREEZE.to_string(),
            reasons: freeze.changes.clone(),
        },
        (None, Some(compared)) => {
            let told = compared.comparison.compared();
            let reason = format!(
                "{} of {} fields differ: {} by people's work, {} damaged, {} not told apart",
                compared.comparison.different, told.fields, told.people, told.damage, told.untold
            );
            RefusedV1 { at, code: finding::CUT202_NOT_RIGHT.to_string(), reasons: vec![reason] }
        }
        (None, None) => RefusedV1 {
            at,
            code: finding::CUT202_NOT_RIGHT.to_string(),
            reasons: vec!["nothing was compared".to_owned()],
        },
    }
}
