//! When which step ran, and what it handed back: one document each time that a step ends well.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use snapshot::tables::ControlRun;

use super::usage;
use crate::conduct;
use crate::context::Context;
use crate::run_folder::{self, DocumentError};
use crate::step::StepReport;

/// The step that takes stock of both accounts.
const DISCOVER: &str = "discover";

/// The stored form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "version")]
enum StoredStep {
    #[serde(rename = "1")]
    V1(StepV1),
}

/// One time that a step ran to its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepV1 {
    /// Its name.
    pub step: String,
    /// Begin.
    pub started_at: Timestamp,
    /// End.
    pub ended_at: Timestamp,
    /// Records by kind.
    pub records: BTreeMap<String, u64>,
    /// Codes of its findings with their counts.
    pub findings: BTreeMap<String, u64>,
    /// Requests to Gorgias that it sent.
    pub requests: u64,
    /// Requests to LeadDesk that it sent, by command.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub source_requests: BTreeMap<String, u64>,
    /// Time outside of its hours, in which it rested.
    #[serde(default, skip_serializing_if = "crate::run_folder::is_zero")]
    pub rested_milliseconds: u64,
}

/// Stores that a step ran, and what it spent of the rate limit. A step that found everything done leaves no trace.
///
/// # Errors
/// [`DocumentError`].
pub async fn record(ctx: &Context, started_at: Timestamp, report: &StepReport) -> Result<(), DocumentError> {
    record_since(ctx, started_at, report, &ctx.source.requests()).await
}

/// As [`record`], with what LeadDesk was asked since it had been asked so much.
///
/// # Errors
/// [`DocumentError`].
pub async fn record_since(
    ctx: &Context,
    started_at: Timestamp,
    report: &StepReport,
    asked_before: &BTreeMap<String, u64>,
) -> Result<(), DocumentError> {
    let requests = usage::record_for(ctx, report.step).await?;
    if report.was_done && requests == 0 {
        return Ok(());
    }
    let mut findings: BTreeMap<String, u64> = BTreeMap::new();
    for finding in &report.findings {
        *findings.entry(finding.code.clone()).or_default() += finding.count;
    }
    let ended_at = ctx.clock.now();
    let step = StepV1 {
        step: report.step.to_owned(),
        started_at,
        ended_at,
        records: report.records.clone(),
        findings,
        requests,
        source_requests: since(ctx.source.requests(), asked_before),
        rested_milliseconds: rested_milliseconds(ctx, report.step, started_at, ended_at),
    };
    let key = ctx.run_key(&format!("steps/{:020}-{}.json", started_at.as_nanosecond(), report.step))?;
    run_folder::put(ctx, &key, &StoredStep::V1(step)).await?;
    Ok(())
}

/// What of the time lay outside of the hours that the step keeps.
fn rested_milliseconds(ctx: &Context, step: &str, from: Timestamp, until: Timestamp) -> u64 {
    let Some(hours) = ctx.limits.hours.as_ref().filter(|_| conduct::keeps_hours(step)) else {
        return 0;
    };
    let all = Duration::try_from(until.duration_since(from)).unwrap_or(Duration::ZERO);
    let rested = all.saturating_sub(hours.open_between(from, until));
    u64::try_from(rested.as_millis()).unwrap_or(u64::MAX)
}

fn since(now: BTreeMap<String, u64>, before: &BTreeMap<String, u64>) -> BTreeMap<String, u64> {
    let more = now.into_iter().map(|(command, count)| {
        let earlier = before.get(&command).copied().unwrap_or(0);
        (command, count.saturating_sub(earlier))
    });
    more.filter(|(_, count)| *count > 0).collect()
}

/// All records of steps, in order of their begin, but for the report's own.
///
/// # Errors
/// [`DocumentError`].
pub async fn read(ctx: &Context) -> Result<Vec<StepV1>, DocumentError> {
    let mut steps = Vec::new();
    for key in ctx.store.list(&ctx.run_key("steps")?).await? {
        let StoredStep::V1(step) = run_folder::need(ctx, &key).await?;
        if step.step != super::STEP {
            steps.push(step);
        }
    }
    Ok(steps)
}

/// Seconds of the steps that run at the rate of Gorgias and that the load plan speaks of: those that sent requests to it,
/// but for the first looks at both accounts, which take as long as LeadDesk needs, and for what came after the run.
#[must_use]
pub fn seconds_at_destination(steps: &[StepV1]) -> f64 {
    let spent = |step: &StepV1| {
        let rested = Duration::from_millis(step.rested_milliseconds);
        (step.ended_at.duration_since(step.started_at).as_secs_f64() - rested.as_secs_f64()).max(0.0)
    };
    // An empty sum of floats is minus zero, which people would read as an error.
    let others = [DISCOVER, crate::estimate::STEP, crate::delta::STEP, crate::cutover::STEP];
    let at_its_rate = |step: &&StepV1| step.requests > 0 && !others.contains(&step.step.as_str());
    steps.iter().filter(at_its_rate).map(spent).fold(0.0, |sum, seconds| sum + seconds)
}

/// One row a step; a step that ran several times, such as once a wave, has one row from its first begin to its last end.
#[must_use]
pub fn rows(steps: &[StepV1]) -> Vec<ControlRun> {
    let mut rows: BTreeMap<&str, (ControlRun, u64)> = BTreeMap::new();
    for step in steps {
        let records = i64::try_from(step.records.values().sum::<u64>()).unwrap_or(i64::MAX);
        let (row, times) = rows.entry(&step.step).or_insert_with(|| {
            let (started_at, ended_at) = (step.started_at, Some(step.ended_at));
            (ControlRun { step: step.step.clone(), started_at, ended_at, record_count: 0, note: None }, 0)
        });
        row.started_at = row.started_at.min(step.started_at);
        row.ended_at = row.ended_at.max(Some(step.ended_at));
        row.record_count = row.record_count.saturating_add(records);
        *times += 1;
        row.note = (*times > 1).then(|| format!("ran {times} times"));
    }
    rows.into_values().map(|(row, _)| row).collect()
}
