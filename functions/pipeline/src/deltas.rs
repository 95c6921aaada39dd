//! The deltas of a run as the store knows them: one folder each, and in it one document per phase, written once.
//!
//! The last document of a delta is its watermark: from then on the next delta reads on from here. A delta without it
//! is gone on with, and finds done what was done. Deliberately absent: doing anything; see `delta`.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use snapshot::Pass;

use crate::context::Context;
use crate::ports::store::{InvalidKey, Key, Put};
use crate::run_folder::{self, DocumentError};

/// A delta that began: which reading of LeadDesk it goes on from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "version")]
enum StoredBegun {
    #[serde(rename = "1")]
    V1(BegunV1),
}

/// Contents of the mark of a beginning, first form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BegunV1 {
    /// From 1, within the run.
    pub number: u32,
    /// When, by this machine's clock.
    pub at: Timestamp,
    /// The reading before, such as `full` or `delta_0001`.
    pub base: String,
    /// The wish before: the newest reading that changed anything.
    pub wish: String,
}

/// LeadDesk was read to the end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "version")]
enum StoredReading {
    #[serde(rename = "1")]
    V1(ReadingV1),
}

/// Contents of the mark of a reading, first form.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ReadingV1 {
    /// When it began.
    pub read_from: Timestamp,
    /// Requests to LeadDesk by kind, of the process that came to the end.
    pub requests: BTreeMap<String, u64>,
    /// Requests that the recipe cannot do without.
    pub requests_floor: u64,
}

/// What was found to be different, and what is done about it. The rows stand in the table `ctl_delta`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "version")]
enum StoredPlan {
    #[serde(rename = "1")]
    V1(PlanV1),
}

/// Contents of a plan, first form.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PlanV1 {
    /// Differences of the source by table: `added`, `removed`, `changed`.
    pub source: BTreeMap<String, BTreeMap<String, u64>>,
    /// Wished records by object: `new`, `changed`, `vanished`.
    pub wished: BTreeMap<String, BTreeMap<String, u64>>,
    /// Source records that vanished, by their likely cause.
    pub vanished: BTreeMap<String, u64>,
}

/// What a delta did, and how far it read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "version")]
enum StoredDone {
    #[serde(rename = "1")]
    V1(DoneV1),
}

/// Contents of a watermark, first form.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct DoneV1 {
    /// The delta.
    pub number: u32,
    /// When it ended.
    pub at: Timestamp,
    /// When it began to read the source: the next one reads again what changed two days before.
    pub read_from: Timestamp,
    /// Nothing of what is wished changed, so the wish before stays the newest.
    pub is_unchanged: bool,
    /// Requests to LeadDesk by kind.
    pub requests: BTreeMap<String, u64>,
    /// Requests that the recipe cannot do without.
    pub requests_floor: u64,
    /// Records by object and outcome: `created`, `updated`, `appended`, `kept`, `conflict`, `refused`.
    pub objects: BTreeMap<String, BTreeMap<String, u64>>,
    /// Records that are not as wished, by code of the reason.
    pub reasons: BTreeMap<String, u64>,
    /// What a person has to look at.
    pub residue: Vec<ResidueV1>,
    /// Fields that were read back after writing.
    pub fields_compared: u64,
    /// Of these, fields that were not as written.
    pub fields_different: u64,
}

/// A record that is not as wished.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResidueV1 {
    /// Object.
    pub object: String,
    /// Our key; without a number of a person.
    pub external_id: String,
    /// Id in Gorgias.
    pub gorgias_id: String,
    /// Code of the reason.
    pub code: String,
    /// The reason.
    pub text: String,
}

impl DoneV1 {
    /// Records with this outcome, of all objects.
    #[must_use]
    pub fn count(&self, outcome: &str) -> u64 {
        self.objects.values().filter_map(|outcomes| outcomes.get(outcome)).sum()
    }

    /// Records more.
    pub(crate) fn take(&mut self, object: &str, outcome: &str, records: u64) {
        let outcomes = self.objects.entry(object.to_owned()).or_default();
        *outcomes.entry(outcome.to_owned()).or_default() += records;
    }
}

/// One delta.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delta {
    /// How it began.
    pub begun: BegunV1,
    /// What it found; nothing before it has compared.
    pub plan: Option<PlanV1>,
    /// What it did; nothing before its end.
    pub done: Option<DoneV1>,
}

impl Delta {
    /// Its pass.
    #[must_use]
    pub fn pass(&self) -> Pass {
        Pass::Delta(self.begun.number)
    }
}

fn key(ctx: &Context, number: u32, document: &str) -> Result<Key, InvalidKey> {
    ctx.run_key(&format!("delta/{number:04}/{document}"))
}

/// Number of the delta that is open, or of the next one.
pub(crate) fn due(all: &[Delta]) -> u32 {
    let open = all.iter().find(|delta| delta.done.is_none()).map(|delta| delta.begun.number);
    open.unwrap_or_else(|| all.last().map_or(1, |last| last.begun.number + 1))
}

/// Begins the next delta, or finds the one that is open.
pub(crate) async fn begin(ctx: &Context) -> Result<BegunV1, DocumentError> {
    loop {
        let all = all(ctx).await?;
        if let Some(open) = all.iter().find(|delta| delta.done.is_none()) {
            return Ok(open.begun.clone());
        }
        let number = due(&all);
        let base = all.last().map_or(Pass::Full, Delta::pass).to_string();
        let begun = BegunV1 { number, at: ctx.clock.now(), base, wish: wish_of(&all).to_string() };
        let key = key(ctx, number, "begun.json")?;
        if run_folder::put(ctx, &key, &StoredBegun::V1(begun.clone())).await? == Put::Created {
            return Ok(begun);
        }
    }
}

/// The delta of this number, begun now if it is the next one; none when it is not, or another one is open.
pub(crate) async fn begin_number(ctx: &Context, number: u32) -> Result<Option<BegunV1>, DocumentError> {
    let all = all(ctx).await?;
    if let Some(held) = all.iter().find(|delta| delta.begun.number == number) {
        return Ok(Some(held.begun.clone()));
    }
    if due(&all) != number {
        return Ok(None);
    }
    let begun = begin(ctx).await?;
    Ok((begun.number == number).then_some(begun))
}

/// Keeps that LeadDesk was read; the first one stays.
pub(crate) async fn keep_reading(
    ctx: &Context,
    number: u32,
    reading: &ReadingV1,
) -> Result<(), DocumentError> {
    run_folder::put(ctx, &key(ctx, number, "reading.json")?, &StoredReading::V1(reading.clone())).await?;
    Ok(())
}

/// How LeadDesk was read, if it was read to the end.
pub(crate) async fn reading(ctx: &Context, number: u32) -> Result<Option<ReadingV1>, DocumentError> {
    let found = run_folder::get(ctx, &key(ctx, number, "reading.json")?).await?;
    Ok(found.map(|StoredReading::V1(reading)| reading))
}

/// What was found to be different, if it was compared.
pub(crate) async fn plan(ctx: &Context, number: u32) -> Result<Option<PlanV1>, DocumentError> {
    let found = run_folder::get(ctx, &key(ctx, number, "plan.json")?).await?;
    Ok(found.map(|StoredPlan::V1(plan)| plan))
}

pub(crate) async fn keep_plan(ctx: &Context, number: u32, plan: &PlanV1) -> Result<(), DocumentError> {
    run_folder::put(ctx, &key(ctx, number, "plan.json")?, &StoredPlan::V1(plan.clone())).await?;
    Ok(())
}

/// Writes the watermark; the first one stays.
pub(crate) async fn finish(ctx: &Context, done: DoneV1) -> Result<DoneV1, DocumentError> {
    let key = key(ctx, done.number, "watermark.json")?;
    run_folder::put(ctx, &key, &StoredDone::V1(done)).await?;
    let StoredDone::V1(done) = run_folder::need(ctx, &key).await?;
    Ok(done)
}

/// How a delta began.
pub(crate) async fn begun(ctx: &Context, number: u32) -> Result<BegunV1, DocumentError> {
    let StoredBegun::V1(begun) = run_folder::need(ctx, &key(ctx, number, "begun.json")?).await?;
    Ok(begun)
}

/// Every delta of this run, in order of their numbers.
///
/// # Errors
/// [`DocumentError`] when the store or a document cannot be read.
pub async fn all(ctx: &Context) -> Result<Vec<Delta>, DocumentError> {
    let mut all = Vec::new();
    for found in ctx.store.list(&ctx.run_key("delta")?).await? {
        if !found.as_str().ends_with("/begun.json") {
            continue;
        }
        let StoredBegun::V1(begun) = run_folder::need(ctx, &found).await?;
        let plan = run_folder::get(ctx, &key(ctx, begun.number, "plan.json")?).await?;
        let done = run_folder::get(ctx, &key(ctx, begun.number, "watermark.json")?).await?;
        let plan = plan.map(|StoredPlan::V1(plan)| plan);
        all.push(Delta { plan, done: done.map(|StoredDone::V1(done)| done), begun });
    }
    all.sort_by_key(|delta| delta.begun.number);
    Ok(all)
}

/// The newest delta.
///
/// # Errors
/// As [`all`].
pub async fn newest(ctx: &Context) -> Result<Option<Delta>, DocumentError> {
    Ok(all(ctx).await?.pop())
}

/// The newest reading whose wish counts: one that began to write counts before its end. One that changes nothing of what
/// is wished has no tables of its own, also while it writes what earlier ones left open.
///
/// # Errors
/// As [`all`].
pub async fn wish(ctx: &Context) -> Result<Pass, DocumentError> {
    let all = all(ctx).await?;
    let planned = all.iter().rfind(|delta| delta.plan.as_ref().is_some_and(|plan| !plan.wished.is_empty()));
    Ok(planned.map_or(Pass::Full, Delta::pass))
}

fn wish_of(all: &[Delta]) -> Pass {
    let changed = all.iter().rfind(|delta| delta.done.as_ref().is_some_and(|done| !done.is_unchanged));
    changed.map_or(Pass::Full, Delta::pass)
}
