//! Gorgias read back, wanted, ledger -> differences and the verdict that opens the next wave.
//!
//! Every field of every record of the wave is compared; what is not a difference is declared in `migration::compare`.
//! Deliberately absent: repairing. An attempt that does not open the next wave is kept and can be made again.

mod blame;
pub(crate) mod customers;
pub mod everything;
pub(crate) mod image;
pub(crate) mod pairing;
pub(crate) mod reading;
pub(crate) mod schema;
pub(crate) mod scratch;
pub(crate) mod tickets;
pub mod verdict;

use std::collections::BTreeSet;

use migration::compare::{Comparison, Discrepancy};
use migration::gorgias::CustomerId;
use migration::keys::ExternalId;
use migration::loss::Excess;
use snapshot::Sealed;

use crate::archive::{self, ArchiveError};
use crate::boxed::{boxed, of_snapshot};
use crate::context::Context;
use crate::evidence::EvidenceError;
use crate::ledger::driver::{self, DriveError, Part};
use crate::ledger::{Ledger, LedgerError, Opening, key};
use crate::load::{self, LoadError};
use crate::losses::{self, LossError};
use crate::merges::{self, Aliases};
use crate::plan::{self, PlanError};
use crate::ports::gorgias::ReadError;
use crate::ports::store::InvalidKey;
use crate::progress::Event;
use crate::readings::ReadingError;
use crate::run_folder::{self, DocumentError};
use crate::step::{StepFinding, StepReport};
use crate::sweep::{self, Second, SweepError};
use crate::wave::Wave;

pub use blame::Blame;
use verdict::{Difference, Findings, ObjectTally, WaveVerdict};

/// Name of the step.
pub const STEP: &str = "reconcile";
/// What a comparison of something proven reads, in names of readings.
const AGAIN: &str = "again";
/// Records between two progress events.
const PROGRESS_RECORDS: u64 = 100;

/// Why a wave could not be compared.
#[derive(Debug, thiserror::Error)]
pub enum ReconcileError {
    /// A snapshot.
    #[error("cannot read or keep a snapshot of the comparison")]
    Archive(#[from] ArchiveError),
    /// A document.
    #[error("cannot read or keep a verdict")]
    Document(#[from] DocumentError),
    /// A name that is no key.
    #[error("cannot name an object")]
    Key(#[from] InvalidKey),
    /// The ledger.
    #[error("cannot read the ledger")]
    Ledger(#[from] LedgerError),
    /// Reading Gorgias.
    #[error("cannot read the destination back")]
    Read(#[from] ReadError),
    /// A long reading.
    #[error("cannot read the destination back")]
    Reading(#[from] ReadingError),
    /// What the load needs as well.
    #[error("cannot read what was loaded")]
    Load(#[source] Box<LoadError>),
    /// The account's log.
    #[error("cannot tell what people did")]
    Evidence(#[from] EvidenceError),
    /// The plan.
    #[error("cannot read the load plan")]
    Plan(#[source] Box<PlanError>),
    /// An image cannot be kept or read; a bug.
    #[error("cannot keep a record for comparison")]
    Image(#[from] serde_json::Error),
    /// Second records could not be taken out of the way.
    #[error("cannot take second records out of the way")]
    Sweep(#[source] Box<SweepError>),
    /// Where customers went could not be kept.
    #[error("cannot keep where customers went that people merged")]
    Merged(#[source] Box<DriveError>),
    /// A wanted row names something that nobody prepared; a bug.
    #[error("cannot tell what was written")]
    Unresolved(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The losses cannot be held against the budget.
    #[error("cannot hold what was lost against what was approved")]
    Losses(#[source] Box<LossError>),
    /// The wave has not been loaded to its end.
    #[error("wave {wave} is not loaded to its end; run load first")]
    NotLoaded {
        /// The wave.
        wave: Wave,
    },
}

of_snapshot!(ReconcileError);

boxed!(ReconcileError { Load(LoadError) });

impl ReconcileError {
    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Archive(error) => error.code(),
            Self::Document(_) | Self::Key(_) => "STO101",
            Self::Ledger(_) => "LED101",
            Self::Losses(error) => error.code(),
            Self::Read(ReadError::Credentials { .. }) => "GOR101",
            Self::Read(_) => "GOR102",
            Self::Reading(error) => error.code(),
            Self::Evidence(error) => error.code(),
            Self::Load(_)
            | Self::Plan(_)
            | Self::Image(_)
            | Self::Unresolved(_)
            | Self::Sweep(_)
            | Self::Merged(_) => "REC001",
            Self::NotLoaded { .. } => "REC002",
        }
    }
}

/// Compares one wave; does nothing when its verdict opens the next one already.
///
/// # Errors
/// [`ReconcileError`]. A bad verdict is no error: it stands in the findings and keeps the next wave closed.
pub async fn run(ctx: &Context, wave: Wave) -> Result<StepReport, ReconcileError> {
    let mut report = StepReport::of(STEP);
    if let Some(held) = verdict::read(ctx, wave).await?.filter(WaveVerdict::opens_next) {
        report.was_done = true;
        tell(&held, &mut report);
        return Ok(report);
    }
    let loaded = run_folder::get::<load::StoredLoad>(ctx, &load::done_key(ctx, wave)?).await?;
    if loaded.is_none() {
        return Err(ReconcileError::NotLoaded { wave });
    }
    let plan = read_plan(ctx).await?;
    if plan.wave(wave).records == 0 {
        let verdict = WaveVerdict::of_nothing(wave);
        verdict::keep(ctx, wave, &verdict).await?;
        return Ok(report);
    }
    let Compared { mut verdict, mut sealed, seconds, aliases } = compare(ctx, wave, &plan, STEP).await?;
    keep_aliases(ctx, &plan, &aliases).await?;
    if !seconds.is_empty() {
        let swept = sweep::run(ctx, &plan.account, &seconds).await;
        if swept.map_err(|error| ReconcileError::Sweep(Box::new(error)))? > 0 {
            Compared { verdict, sealed, .. } = compare(ctx, wave, &plan, STEP).await?;
        }
    }
    // What was read back becomes a snapshot only with a verdict that stays: a snapshot cannot be replaced.
    if verdict.opens_next() {
        for table in sealed {
            publish_once(ctx, table).await?;
        }
    }
    verdict::keep(ctx, wave, &verdict).await?;
    tell(&verdict, &mut report);
    Ok(report)
}

/// Reads what is proven already once more, any day later. The verdict of the run and its snapshot stay; what is found now
/// is kept beside them. The answer says whether it still holds: a comparison of nothing does not.
///
/// # Errors
/// [`ReconcileError::NotLoaded`] before the wave has a verdict that opens the next; else as [`run`].
pub async fn again(ctx: &Context, wave: Wave) -> Result<(StepReport, bool), ReconcileError> {
    let (report, verdict) = once_more(ctx, wave, false).await?;
    Ok((report, verdict.opens_next()))
}

/// As [`again`], or as [`after_writes`] when something was written, and tells damage from what people did: by the account's
/// log, as a repair does.
///
/// # Errors
/// As [`again`].
pub async fn again_blamed(
    ctx: &Context,
    wave: Wave,
    was_written: bool,
) -> Result<(StepReport, bool, Blame), ReconcileError> {
    let (report, verdict) = once_more(ctx, wave, was_written).await?;
    Ok((report, verdict.opens_next(), blame::of(ctx, &verdict).await?))
}

/// As [`again`], after something was written once more: second records are taken out of the way, as they are in the
/// first comparison, and what is there then is compared.
///
/// # Errors
/// As [`again`].
pub async fn after_writes(ctx: &Context, wave: Wave) -> Result<(StepReport, bool), ReconcileError> {
    let (report, verdict) = once_more(ctx, wave, true).await?;
    Ok((report, verdict.opens_next()))
}

async fn once_more(
    ctx: &Context,
    wave: Wave,
    sweeps: bool,
) -> Result<(StepReport, WaveVerdict), ReconcileError> {
    if !verdict::read(ctx, wave).await?.is_some_and(|held| held.opens_next()) {
        return Err(ReconcileError::NotLoaded { wave });
    }
    let plan = read_plan(ctx).await?;
    let Compared { mut verdict, seconds, .. } = compare(ctx, wave, &plan, AGAIN).await?;
    if sweeps && !seconds.is_empty() {
        let swept = sweep::run(ctx, &plan.account, &seconds).await;
        if swept.map_err(|error| ReconcileError::Sweep(Box::new(error)))? > 0 {
            Compared { verdict, .. } = compare(ctx, wave, &plan, AGAIN).await?;
        }
    }
    verdict::keep_beside(ctx, wave, &verdict).await?;
    let mut report = StepReport::of(STEP);
    tell(&verdict, &mut report);
    Ok((report, verdict))
}

/// The fewest waves whose comparison covers everything: the last wave of tickets compares those of all waves.
///
/// # Errors
/// [`ReconcileError::Plan`].
pub async fn covering(ctx: &Context) -> Result<Vec<Wave>, ReconcileError> {
    let waves = read_plan(ctx).await?.waves_with_records();
    let last = waves.last().copied();
    Ok(waves.into_iter().filter(|wave| *wave == Wave::Customers || Some(*wave) == last).collect())
}

async fn read_plan(ctx: &Context) -> Result<plan::PlanV1, ReconcileError> {
    let (plan, _) = plan::read(ctx).await.map_err(|source| ReconcileError::Plan(Box::new(source)))?;
    Ok(plan)
}

/// What a comparison came to.
struct Compared {
    verdict: WaveVerdict,
    sealed: Vec<Sealed>,
    seconds: BTreeSet<Second>,
    /// Customers that people merged, as far as the ledger does not know it.
    aliases: Aliases,
}

/// Reads the wave back and holds it against what is wanted. Where it differs, customers that people merged are looked
/// for, and what was read is compared once more with them in mind. One that was interrupted goes on with what it read,
/// unless something was written or an attempt was kept since.
async fn compare(
    ctx: &Context,
    wave: Wave,
    plan: &plan::PlanV1,
    purpose: &str,
) -> Result<Compared, ReconcileError> {
    let (book, secret) = Ledger::read_of(ctx, &plan.account).await?;
    let names = load::names(ctx).await?;
    let attempt = verdict::attempts_made(ctx, wave).await? + 1;
    let reading = format!("{purpose}-{wave}-{attempt:04}-{:010}", book.state().next_sequence());
    let mut scene = Scene { ctx, names, book, secret, plan: plan.clone(), reading, aliases: Aliases::new() };
    let (verdict, sealed, seconds) = compare_with(&scene, wave).await?;
    if verdict.opens_next() || !may_be_merged(&verdict) {
        return Ok(Compared { verdict, sealed, seconds, aliases: scene.aliases });
    }
    scene.aliases = merges::find(&scene).await?;
    if scene.aliases.is_empty() {
        return Ok(Compared { verdict, sealed, seconds, aliases: scene.aliases });
    }
    let (verdict, sealed, seconds) = compare_with(&scene, wave).await?;
    Ok(Compared { verdict, sealed, seconds, aliases: scene.aliases })
}

/// Whether a merge could be behind what differs: at a customer, or in whose ticket it is.
fn may_be_merged(verdict: &WaveVerdict) -> bool {
    let unexplained = verdict.differences.iter().filter(|found| found.explanation.is_none());
    unexplained
        .filter(|found| matches!(found.object.as_str(), "customer" | "ticket" | "message"))
        .any(|found| found.object == "customer" || matches!(found.field.as_str(), "customer" | "sender"))
}

async fn compare_with(
    scene: &Scene<'_>,
    wave: Wave,
) -> Result<(WaveVerdict, Vec<Sealed>, BTreeSet<Second>), ReconcileError> {
    let mut findings = Findings::default();
    let sealed = match wave {
        Wave::Customers => {
            let mut sealed = schema::read_back(scene, &mut findings).await?;
            sealed.extend(customers::read_back(scene, &mut findings).await?);
            sealed
        }
        Wave::Leads | Wave::Chats => tickets::read_back(scene, wave, &mut findings).await?,
    };
    let over = losses::over(scene.ctx, &scene.book).await;
    for excess in over.map_err(|source| ReconcileError::Losses(Box::new(source)))? {
        findings.push(over_budget(&excess));
    }
    let seconds = std::mem::take(&mut findings.seconds);
    Ok((findings.into_verdict(wave, &scene.ctx.limits.accepted_findings), sealed, seconds))
}

/// One kind of loss of which more than was approved did not arrive.
fn over_budget(excess: &Excess) -> Difference {
    Difference {
        object: "loss".to_owned(),
        external_id: excess.key.to_string(),
        gorgias_id: None,
        field: excess.way.as_str().to_owned(),
        wanted: Some(format!("at most {}", excess.bound)),
        found: Some(excess.lost.to_string()),
        code: losses::OVER_AT_GORGIAS.to_owned(),
        explanation: None,
    }
}

/// What was learnt about merged customers is kept in the ledger, for the waves that follow.
async fn keep_aliases(ctx: &Context, plan: &plan::PlanV1, aliases: &Aliases) -> Result<(), ReconcileError> {
    if aliases.is_empty() {
        return Ok(());
    }
    let mut ledger = Ledger::open(ctx, &Opening::default()).await?;
    if ledger.account() == plan.account {
        let mut work = merges::Follows::new(ledger.book(), aliases);
        let part = Part { step: STEP, name: "merged customers".to_owned(), total: None };
        let driven = driver::drive(ctx, &mut ledger, &mut work, &part).await;
        driven.map_err(|error| ReconcileError::Merged(Box::new(error)))?;
    }
    Ok(ledger.close().await?)
}

/// A reading that was interrupted between two tables is not mixed with a later one: what is sealed stays.
async fn publish_once(ctx: &Context, sealed: Sealed) -> Result<(), ReconcileError> {
    let dataset = &sealed.manifest.dataset;
    if !archive::is_sealed(ctx, &dataset.run, dataset.pass, dataset.table).await? {
        archive::publish(ctx, sealed).await?;
    }
    Ok(())
}

fn tell(verdict: &WaveVerdict, report: &mut StepReport) {
    let total = verdict.total();
    for (object, tally) in &verdict.objects {
        report.records.insert(object.clone(), tally.compared);
    }
    report.records.insert("fields_compared".to_owned(), total.fields);
    report.records.insert("fields_different".to_owned(), total.unexplained);
    let codes = verdict.unexplained.iter().map(|(code, count)| {
        let first =
            verdict.differences.iter().find(|found| found.code == *code && found.explanation.is_none());
        let text = first.map_or_else(String::new, |found| {
            format!("first in field {} of a {}", found.field, found.object)
        });
        StepFinding { code: code.clone(), count: *count, text }
    });
    report.findings.extend(codes);
}

/// What every comparison needs.
pub(crate) struct Scene<'a> {
    pub(crate) ctx: &'a Context,
    pub(crate) names: load::drafts::Names,
    pub(crate) book: crate::ledger::book::Book,
    pub(crate) secret: key::Secret,
    pub(crate) plan: plan::PlanV1,
    /// Folder of what it reads, see [`crate::readings`].
    pub(crate) reading: String,
    /// Customers that people merged since the ledger was last told.
    pub(crate) aliases: Aliases,
}

impl Scene<'_> {
    /// The customer under a key of ours, or the one that it was merged into.
    pub(crate) fn customer(&self, ours: &str) -> Option<CustomerId> {
        let ours = ExternalId::from_stored(ours.to_owned());
        let id = self.book.held(&key::customer(&ours, &self.secret))?;
        Some(CustomerId(self.aliases.get(&id).copied().unwrap_or(id)))
    }

    /// Tells how far the comparison is.
    pub(crate) fn advanced(&self, part: &str, done: u64) {
        if done.is_multiple_of(PROGRESS_RECORDS) {
            let event = Event::StepAdvanced {
                step: STEP,
                part: part.to_owned(),
                done,
                failed: 0,
                bucket: self.ctx.destination.usage().bucket,
            };
            self.ctx.progress.emit(self.ctx.clock.now(), event);
        }
    }
}

/// Which record a comparison is about.
pub(crate) struct Subject<'a> {
    pub(crate) object: &'a str,
    pub(crate) external_id: &'a str,
    pub(crate) gorgias_id: Option<u64>,
}

/// Takes one comparison into account; `explain` names the reason of a difference that is none.
pub(crate) fn take_in(
    findings: &mut Findings,
    subject: &Subject<'_>,
    comparison: Comparison,
    explain: impl Fn(&Discrepancy) -> Option<String>,
) {
    let tally: &mut ObjectTally = findings.object(subject.object);
    tally.fields += comparison.fields;
    for discrepancy in comparison.discrepancies {
        let explanation = explain(&discrepancy);
        findings.push(Difference {
            object: subject.object.to_owned(),
            external_id: subject.external_id.to_owned(),
            gorgias_id: subject.gorgias_id.map(|id| id.to_string()),
            field: discrepancy.field,
            wanted: discrepancy.wanted,
            found: discrepancy.found,
            code: discrepancy.code.to_string(),
            explanation,
        });
    }
}

/// Several records carry one key.
pub(crate) fn duplicate(findings: &mut Findings, object: &str, external_id: &str, id: u64) {
    findings.object(object).duplicates += 1;
    findings.push(Difference {
        object: object.to_owned(),
        external_id: external_id.to_owned(),
        gorgias_id: Some(id.to_string()),
        field: "record".to_owned(),
        wanted: None,
        found: Some("another record with this key".to_owned()),
        code: migration::finding::CMP103_DUPLICATE.to_string(),
        explanation: None,
    });
}
