//! Everything that is proven, read once more, and what came of it kept: one numbered document a comparison.
//!
//! Readiness and sign-off rest on these. Deliberately absent: comparing; see the parent.

use jiff::Timestamp;
use migration::canonical::Digest;
use migration::cutover::Compared;
use serde::{Deserialize, Serialize};

use super::verdict::{self, StoredVerdict};
use super::{Blame, ReconcileError, STEP, blame, covering, once_more};
use crate::context::Context;
use crate::report::steps;
use crate::run_folder::{self, DocumentError};
use crate::step::StepReport;
use crate::wave::Wave;

/// The stored form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "version")]
enum StoredComparison {
    #[serde(rename = "1")]
    V1(ComparisonV1),
}

/// A comparison of everything, first form.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ComparisonV1 {
    /// When it ended.
    pub at: Timestamp,
    /// One entry a wave; the last wave of tickets stands for all waves of tickets.
    pub waves: Vec<WaveComparisonV1>,
    /// Fields compared.
    pub fields: u64,
    /// Of these, fields that differ without a declared reason.
    pub different: u64,
    /// Of these, fields of records on which other users or customers acted.
    pub people: u64,
    /// Of these, fields of records on which nobody else acted.
    pub damage: u64,
}

/// What a wave came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaveComparisonV1 {
    /// `customers`, `leads` or `chats`.
    pub wave: String,
    /// `pass`, `fail` or `empty`.
    pub verdict: String,
    /// Nothing differs, or every kind of difference is accepted by name.
    pub holds: bool,
    /// Records that were read back.
    pub records: u64,
    /// Keys that are on more than one record.
    pub duplicates: u64,
    /// Digest of the verdict as it lies in the store.
    pub digest: String,
}

impl ComparisonV1 {
    /// Whether nothing differs, or only what is accepted by name.
    #[must_use]
    pub fn is_right(&self) -> bool {
        !self.waves.is_empty() && self.waves.iter().all(|wave| wave.holds)
    }

    /// As readiness looks at it.
    #[must_use]
    pub fn compared(&self) -> Compared {
        Compared {
            at: self.at,
            is_right: self.is_right(),
            fields: self.fields,
            people: self.people,
            damage: self.damage,
            untold: self.different.saturating_sub(self.people + self.damage),
        }
    }

    /// Digest of all of it.
    #[must_use]
    pub fn digest(&self) -> Digest {
        let waves: Vec<String> =
            self.waves.iter().map(|wave| format!("{} {} {}", wave.wave, wave.verdict, wave.digest)).collect();
        let counts = [self.fields, self.different, self.people, self.damage];
        Digest::of(format!("{}\n{counts:?}\n", waves.join("\n")).as_bytes())
    }
}

/// Reads everything back, compares it, tells damage from people's work, and keeps what came of it.
///
/// # Errors
/// [`ReconcileError`]; [`ReconcileError::NotLoaded`] before every wave is proven.
pub async fn everything(
    ctx: &Context,
    was_written: bool,
    tell: &mut (dyn FnMut(Wave, &StepReport) + Send),
) -> Result<ComparisonV1, ReconcileError> {
    let mut comparison = ComparisonV1::default();
    let mut whose = Blame::default();
    for wave in covering(ctx).await? {
        let (report, verdict) = once_more(ctx, wave, was_written).await?;
        whose.add(blame::of(ctx, &verdict).await?);
        let total = verdict.total();
        comparison.fields += total.fields;
        comparison.different += total.unexplained;
        let bytes = serde_json::to_vec(&StoredVerdict::V1(verdict.clone()))?;
        comparison.waves.push(WaveComparisonV1 {
            wave: wave.to_string(),
            verdict: verdict.verdict.clone(),
            holds: verdict.opens_next(),
            records: total.compared,
            duplicates: total.duplicates,
            digest: Digest::of(&bytes).to_hex(),
        });
        tell(wave, &report);
    }
    (comparison.people, comparison.damage) = (whose.people, whose.damage);
    comparison.at = ctx.clock.now();
    run_folder::append(ctx, "comparisons", 6, &StoredComparison::V1(comparison.clone())).await?;
    Ok(comparison)
}

/// The last comparison of everything: the newest one that was made on its own, else the one of the run itself.
///
/// # Errors
/// [`ReconcileError`] when the store or the plan cannot be read.
pub async fn last(ctx: &Context) -> Result<Option<Compared>, ReconcileError> {
    let kept = ctx.store.list(&ctx.run_key("comparisons")?).await.map_err(DocumentError::from)?;
    if let Some(newest) = kept.last() {
        let StoredComparison::V1(comparison) = run_folder::need(ctx, newest).await?;
        return Ok(Some(comparison.compared()));
    }
    let ran = steps::read(ctx).await?.into_iter().filter(|step| step.step == STEP);
    let Some(at) = ran.map(|step| step.ended_at).max() else { return Ok(None) };
    let mut compared = Compared { at, is_right: true, fields: 0, people: 0, damage: 0, untold: 0 };
    for wave in covering(ctx).await? {
        let Some(verdict) = verdict::read(ctx, wave).await? else { return Ok(None) };
        compared.is_right &= verdict.opens_next();
        compared.fields += verdict.total().fields;
        compared.untold += if verdict.opens_next() { 0 } else { verdict.total().unexplained };
    }
    Ok(Some(compared))
}
