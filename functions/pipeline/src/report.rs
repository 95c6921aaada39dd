//! What the store shows of a run -> report as text, JSON and CSV, and the last control tables.
//!
//! A report is made from stored documents and snapshots alone, so it can be made again at any time; every making is
//! numbered (`reports/<run>/<number>/`) and nothing is replaced. `report.txt` and `report.json` hold ids, codes and
//! counts; `records.csv` holds ids. The control tables are sealed once every wave is found right. Deliberately absent:
//! names, addresses, numbers and texts of persons, and any change to either system.

pub mod advice;
mod build;
pub mod cell;
#[cfg(test)]
pub(crate) mod fixture;
pub mod forecast;
mod gather;
pub(crate) mod known;
pub mod page;
pub mod recordings;
pub mod records;
mod scratch;
pub mod since;
pub mod steps;
pub mod summary;
#[cfg(test)]
mod tests;
pub mod text;
pub mod usage;
pub mod verdicts;

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use snapshot::tables::{ControlReconCount, ControlReconDifference, ControlRequestWindow, ControlRun};
use snapshot::{Pass, Row, Sealed};

pub use page::{ReportV1, StoredReport};
pub use summary::{ObjectSummary, Summary, SummaryError, SummaryV1, Verdict};

use crate::archive::{self, ArchiveError};
use crate::boxed::of_snapshot;
use crate::context::Context;
use crate::documents;
use crate::estimate;
use crate::extract::{self, ExtractError};
use crate::ledger::{Ledger, LedgerError};
use crate::plan::{self, PlanError, PlanV1};
use crate::ports::store::{InvalidKey, Key, StoreError};
use crate::prepare::{self, PrepareError};
use crate::run_folder::{self, DocumentError};
use crate::sample::{self, ChosenV1, SampleError};
use crate::step::{StepFinding, StepReport};
use crate::transform;

use build::Built;
use forecast::ForecastV1;
use gather::Tables;
use known::Known;
use page::RemarkV1;
use recordings::RecordingsV1;
use since::SinceV1;
use summary::Facts;
use usage::RunUsage;
use verdicts::Verdicts;

/// Name of the step.
pub const STEP: &str = "report";
/// More differences were counted than a verdict keeps: some records with a difference count as loaded.
pub const DIFFERENCES_NOT_KEPT: &str = "REP102";

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// A snapshot.
    #[error("cannot read or keep a snapshot of the report")]
    Archive(#[from] ArchiveError),
    /// A document of the run.
    #[error("cannot read or keep a document of the report")]
    Document(#[from] DocumentError),
    /// The mapping or the balance of the transformation.
    #[error("cannot read what was mapped and transformed")]
    Transformed(#[from] documents::DocumentError),
    /// What extraction put aside.
    #[error("cannot read what extraction put aside")]
    Extracted(#[from] ExtractError),
    /// What prepare left behind.
    #[error("cannot read what was prepared")]
    Prepared(#[source] Box<PrepareError>),
    /// The plan.
    #[error("cannot read the load plan")]
    Plan(#[source] Box<PlanError>),
    /// The ledger.
    #[error("cannot read the ledger")]
    Ledger(#[from] LedgerError),
    /// The store.
    #[error("cannot reach the store")]
    Store(#[from] StoreError),
    /// A name that is no key.
    #[error("cannot name an object")]
    Key(#[from] InvalidKey),
    /// What the sample is.
    #[error("cannot read what the sample is")]
    Sample(#[from] SampleError),
    /// The figures cannot be true.
    #[error("the figures of the run cannot be true")]
    Figures(#[from] SummaryError),
    /// A table cannot be written as CSV.
    #[error("cannot write a table")]
    Csv(#[from] csv::Error),
    /// The scratch folder.
    #[error("cannot use the scratch folder")]
    Scratch(#[source] std::io::Error),
    /// A worker thread ended unexpectedly.
    #[error("a worker of the report failed")]
    Worker(#[from] tokio::task::JoinError),
    /// There are more reports of this run than anybody makes.
    #[error("run {run} has {count} reports already")]
    TooMany {
        /// The run.
        run: String,
        /// How many.
        count: u32,
    },
}

of_snapshot!(ReportError);

impl ReportError {
    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &str {
        match self {
            Self::Archive(error) => error.code(),
            Self::Document(_) | Self::Store(_) | Self::Key(_) => "STO101",
            Self::Transformed(error) => error.code(),
            Self::Extracted(error) => error.code(),
            Self::Prepared(error) => error.code(),
            Self::Plan(error) => error.code(),
            Self::Ledger(_) => "LED101",
            Self::Sample(error) => error.code(),
            Self::Figures(_) => migration::finding::CMP107_COUNT.as_str(),
            Self::Csv(_) | Self::Scratch(_) => "REP001",
            Self::Worker(_) => "REP002",
            Self::TooMany { .. } => "REP003",
        }
    }
}

/// Reports of one run, at most: more means that something calls without end.
const REPORTS_MAX: u32 = 9_999;

/// A report as it lies in the store.
#[derive(Debug, Clone, PartialEq)]
pub struct Latest {
    /// Counts the reports of the run from one.
    pub number: u32,
    /// Its folder, such as `acme/reports/<run>/0001`.
    pub folder: Key,
    /// Its contents.
    pub report: ReportV1,
}

/// Makes the report of the run; does nothing when the latest one says the same.
///
/// # Errors
/// [`ReportError`]; [`ReportError::Figures`] names the kind of record that does not add up.
pub async fn run(ctx: &Context) -> Result<StepReport, ReportError> {
    let mut step = StepReport::of(STEP);
    let latest = latest(ctx).await?;
    let sources = Sources::read(ctx).await?;
    let built = sources.build(ctx).await?;
    let number = latest.as_ref().map_or(0, |latest| latest.number) + 1;
    if number > REPORTS_MAX {
        return Err(ReportError::TooMany { run: ctx.run.to_string(), count: REPORTS_MAX });
    }
    let (report, built) = sources.report(ctx, number, built)?;
    if let Some(held) = latest.filter(|held| says_the_same(&held.report, &report)) {
        tell(&held.report, &mut step);
        step.was_done = true;
        return Ok(step);
    }
    let tables = sources.tables(ctx, built.id_map, &built.outcomes)?;
    if sources.verdicts.is_complete() {
        for table in tables {
            publish_once(ctx, table).await?;
        }
    }
    let folder = folder(ctx, number)?;
    let at = |name: &str| Key::new(format!("{folder}/{name}"));
    ctx.store.put_new_file(&at("records.csv")?, &built.csv).await?;
    ctx.store.put_new(&at("report.txt")?, Bytes::from(text::render(&report))).await?;
    // Last: from here on the report exists.
    run_folder::put(ctx, &at("report.json")?, &StoredReport::V1(Box::new(report.clone()))).await?;
    tell(&report, &mut step);
    Ok(step)
}

/// The newest report of the run.
///
/// # Errors
/// [`ReportError::Document`].
pub async fn latest(ctx: &Context) -> Result<Option<Latest>, ReportError> {
    let mut newest = None;
    for key in ctx.store.list(&ctx.key(&format!("reports/{}", ctx.run))?).await? {
        let mut names = key.as_str().rsplit('/');
        let is_report = names.next() == Some("report.json");
        let number = names.next().filter(|_| is_report).and_then(|name| name.parse::<u32>().ok());
        newest = newest.max(number.map(|number| (number, key)));
    }
    let Some((number, key)) = newest else { return Ok(None) };
    let StoredReport::V1(report) = run_folder::need(ctx, &key).await?;
    Ok(Some(Latest { number, folder: folder(ctx, number)?, report: *report }))
}

fn folder(ctx: &Context, number: u32) -> Result<Key, InvalidKey> {
    ctx.key(&format!("reports/{}/{number:04}", ctx.run))
}

/// Two reports differ in more than the moment and the place of their making.
fn says_the_same(held: &ReportV1, new: &ReportV1) -> bool {
    let new = ReportV1 { made_at: held.made_at, places: held.places.clone(), ..new.clone() };
    *held == new
}

fn tell(report: &ReportV1, step: &mut StepReport) {
    for (object, counts) in &report.summary.objects {
        step.records.insert(object.clone(), counts.loaded);
    }
    step.records.insert("failed".to_owned(), report.failures.iter().map(|group| group.count).sum());
    let failures = report.failures.iter().map(|group| StepFinding {
        code: group.code.clone(),
        count: group.count,
        text: format!("{}; such as {}", group.title, group.samples.join(", ")),
    });
    step.findings.extend(failures);
    step.findings.sort();
}

/// Everything that a report is made from, but the records themselves.
struct Sources {
    counts: transform::Balance,
    plan: Option<PlanV1>,
    verdicts: Verdicts,
    usage: RunUsage,
    steps: Vec<steps::StepV1>,
    known: Arc<Known>,
    recordings: Option<RecordingsV1>,
    forecast: Option<ForecastV1>,
    sample: Option<ChosenV1>,
    since: SinceV1,
}

impl Sources {
    async fn read(ctx: &Context) -> Result<Self, ReportError> {
        let counts = transform::counts(ctx).await?;
        let mapping = documents::confirmed_mapping(ctx).await?;
        let plan = match plan::read(ctx).await {
            Ok((plan, _)) => Some(plan),
            Err(PlanError::Document(DocumentError::Missing { .. })) => None,
            Err(error) => return Err(ReportError::Plan(Box::new(error))),
        };
        let directory =
            prepare::read_directory(ctx).await.map_err(|source| ReportError::Prepared(Box::new(source)))?;
        // Before prepare nothing was written, so there is no ledger to ask Gorgias' name for.
        let book = match &directory {
            Some(_) => Some(Ledger::read(ctx).await?),
            None => None,
        };
        let recordings = recordings::read(ctx, book.as_ref().map(|(book, _)| book)).await?;
        let verdicts = Verdicts::read(ctx, plan.as_ref()).await?;
        let known = Known {
            destination: Arc::clone(&ctx.destination),
            book,
            directory,
            mapping: Some(mapping),
            wrong: verdicts.wrong(),
        };
        let steps = steps::read(ctx).await?;
        let forecast = estimate::first(ctx).await?.and_then(|said| forecast::compare(&said, &steps));
        Ok(Self {
            counts,
            plan,
            verdicts,
            usage: usage::read(ctx).await?,
            steps,
            forecast,
            since: SinceV1::read(ctx).await?,
            known: Arc::new(known),
            recordings,
            sample: sample::chosen(ctx).await?,
        })
    }

    async fn build(&self, ctx: &Context) -> Result<Built, ReportError> {
        let tables = Tables::open(ctx).await?;
        let records = extract::records(ctx).await?;
        let set_aside = records.into_iter().flat_map(|record| record.rejects).collect();
        let (ctx, known) = (ctx.clone(), Arc::clone(&self.known));
        tokio::task::spawn_blocking(move || build::build(&ctx, tables, &known, set_aside)).await?
    }

    fn source(&self) -> BTreeMap<String, u64> {
        self.counts.objects.iter().map(|(object, counts)| (object.clone(), counts.source)).collect()
    }

    fn facts(&self, built: &Built) -> Facts {
        Facts {
            source: self.source(),
            outcomes: built.outcomes.clone(),
            verdicts: self.verdicts.words(),
            fields_compared: self.verdicts.sum(|tally| tally.fields),
            fields_different: self.verdicts.sum(|tally| tally.unexplained),
            fields_explained: self.verdicts.sum(|tally| tally.explained),
            duplicates: self.verdicts.sum(|tally| tally.duplicates),
            requests: self.usage.total(),
            requests_floor: self.plan.as_ref().map_or(0, |plan| plan.requests_floor),
            responses_429: self.usage.throttled,
            bound_seconds: self.plan.as_ref().map_or(0.0, |plan| plan.bound_seconds),
            elapsed_seconds: steps::seconds_at_destination(&self.steps) + self.usage.unclaimed_seconds(),
        }
    }

    fn report(&self, ctx: &Context, number: u32, mut built: Built) -> Result<(ReportV1, Built), ReportError> {
        let summary = Summary::of(&self.facts(&built))?;
        let reasons = std::mem::take(&mut built.reasons);
        let failures = reasons.failures.into_sorted();
        let mut remarks = Vec::new();
        if self.verdicts.not_kept() > 0 {
            let text = format!(
                "{} differences were counted and not kept one by one; their records count as loaded above",
                self.verdicts.not_kept()
            );
            remarks.push(RemarkV1 { code: DIFFERENCES_NOT_KEPT.to_owned(), text });
        }
        let next = match (summary.verdict, self.verdicts.is_complete(), failures.first()) {
            (_, true, _) if self.sample.is_some() => "deskferry rollback plan".to_owned(),
            (_, true, _) => "deskferry handoff".to_owned(),
            (Verdict::Fail, false, _) => match self.verdicts.unexplained().keys().next() {
                Some(code) => format!("deskferry explain {code}"),
                None => "deskferry reconcile".to_owned(),
            },
            _ => "deskferry run".to_owned(),
        };
        let report = ReportV1 {
            migration: ctx.migration.clone(),
            run: ctx.run.to_string(),
            account: self.plan.as_ref().map(|plan| plan.account.clone()),
            made_at: ctx.clock.now(),
            summary: summary.to_stored(),
            accepted: self.verdicts.accepted(),
            waves: self.verdicts.wave_words(),
            differences: self.verdicts.unexplained(),
            explained: self.verdicts.explained(),
            failures,
            excluded: reasons.excluded.into_sorted(),
            dropped_values: reasons.dropped_values.into_sorted(),
            notes: self.counts.notes.clone(),
            recordings: self.recordings,
            sample: self.sample.clone(),
            requests_by_route: self.usage.requests.clone(),
            forecast: self.forecast.clone(),
            since: self.since.clone(),
            is_complete: self.verdicts.is_complete(),
            remarks,
            places: places(ctx, number, self.recordings.is_some())?,
            next,
        };
        Ok((report, built))
    }

    fn tables(
        &self,
        ctx: &Context,
        id_map: Sealed,
        outcomes: &BTreeMap<String, summary::Outcomes>,
    ) -> Result<Vec<Sealed>, ReportError> {
        let counts = build::count_rows(&self.source(), outcomes, &self.verdicts.objects);
        let limit = i64::from(self.plan.as_ref().map_or(0, |plan| plan.bucket.capacity));
        let windows = self.usage.windows.iter().map(|(window, purpose)| ControlRequestWindow {
            started_at: window.started_at,
            // Windows are 10 or 20 s long; shorter ones are those of a stand-in whose time runs faster.
            window_seconds: i32::try_from(window.milliseconds.div_ceil(1_000)).unwrap_or(i32::MAX),
            request_count: i64::try_from(window.requests).unwrap_or(i64::MAX),
            limit_count: self.usage.limit.map_or(limit, i64::from),
            throttled_count: i64::try_from(window.throttled).unwrap_or(i64::MAX),
            purpose: purpose.clone(),
        });
        Ok(vec![
            id_map,
            seal::<ControlReconCount>(ctx, counts)?,
            seal::<ControlReconDifference>(ctx, self.verdicts.rows())?,
            seal::<ControlRequestWindow>(ctx, windows)?,
            seal::<ControlRun>(ctx, steps::rows(&self.steps))?,
        ])
    }
}

fn seal<R: Row>(ctx: &Context, rows: impl IntoIterator<Item = R>) -> Result<Sealed, ReportError> {
    let mut writer = archive::writer::<R>(ctx, Pass::Full, Vec::new())?;
    for row in rows {
        writer.push(row)?;
    }
    Ok(writer.seal()?)
}

/// A table that an earlier report sealed stays: a snapshot cannot be replaced.
async fn publish_once(ctx: &Context, sealed: Sealed) -> Result<(), ReportError> {
    let dataset = &sealed.manifest.dataset;
    if !archive::is_sealed(ctx, &dataset.run, dataset.pass, dataset.table).await? {
        archive::publish(ctx, sealed).await?;
    }
    Ok(())
}

/// What lies where, by a word that people know.
fn places(ctx: &Context, number: u32, has_recordings: bool) -> Result<BTreeMap<String, String>, InvalidKey> {
    let folder = folder(ctx, number)?;
    let places = [
        ("report", format!("{folder}/report.txt")),
        ("figures", format!("{folder}/report.json")),
        ("records", format!("{folder}/records.csv")),
        ("handoff", format!("{folder}/handoff")),
        ("lake", ctx.key(snapshot::LAKE_FOLDER)?.to_string()),
        ("run", ctx.key(&format!("runs/{}", ctx.run))?.to_string()),
    ];
    let mut places: BTreeMap<String, String> = places.map(|(what, place)| (what.to_owned(), place)).into();
    if has_recordings {
        places.insert("recordings".to_owned(), ctx.key(extract::recordings::FOLDER)?.to_string());
    }
    Ok(places)
}
