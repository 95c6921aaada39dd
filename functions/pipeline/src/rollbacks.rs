//! The rollbacks of a migration as the store knows them: one folder each, and in it one document per phase, written once.
//!
//! Deliberately absent: doing anything; see `rollback`.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::numbered;
use crate::ports::store::{InvalidKey, Key};
use crate::run_folder::{self, DocumentError};

/// A plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "version")]
enum StoredPlan {
    #[serde(rename = "1")]
    V1(PlanV1),
}

/// Contents of a plan, first form. The rows stand in the table `ctl_rollback`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanV1 {
    /// From 1, over all runs of the migration.
    pub number: u32,
    /// The run that is taken back.
    pub run: String,
    /// Subdomain of the destination.
    pub account: String,
    /// When the reading began.
    pub planned_at: Timestamp,
    /// From when on the account's log has to be read again.
    pub log_from: Timestamp,
    /// The user that we write as.
    pub service_user: u64,
    /// Records by object and deed.
    pub objects: BTreeMap<String, BTreeMap<String, u64>>,
    /// Records by code of the reason.
    pub reasons: BTreeMap<String, u64>,
    /// Rules, surveys and webhooks that are switched on again.
    pub switches: u64,
}

impl PlanV1 {
    /// Records with this deed, of all objects.
    #[must_use]
    pub fn count(&self, deed: &str) -> u64 {
        self.objects.values().filter_map(|deeds| deeds.get(deed)).sum()
    }

    /// Whether anything would be written.
    #[must_use]
    pub fn has_changes(&self) -> bool {
        self.switches > 0 || ["remove", "give_back", "archive"].iter().any(|deed| self.count(deed) > 0)
    }
}

/// How far a rollback is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Nothing is written.
    Planned,
    /// Writing began.
    Applying,
    /// In the trash; can be undone.
    Applied,
    /// Being undone.
    Undoing,
    /// Undone.
    Undone,
    /// Removal for good began; cannot be undone any more.
    Purging,
    /// Removed for good.
    Purged,
}

impl Phase {
    /// The word for people.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Applying => "begun",
            Self::Applied => "applied",
            Self::Undoing => "being undone",
            Self::Undone => "undone",
            Self::Purging => "being purged",
            Self::Purged => "purged",
        }
    }

    /// Whether a load would meet its own records in the trash.
    #[must_use]
    pub fn is_open(self) -> bool {
        matches!(self, Self::Applying | Self::Applied | Self::Undoing | Self::Purging)
    }

    fn document(self) -> &'static str {
        match self {
            Self::Planned => "plan.json",
            Self::Applying => "applying.json",
            Self::Applied => "applied.json",
            Self::Undoing => "undoing.json",
            Self::Undone => "undone.json",
            Self::Purging => "purging.json",
            Self::Purged => "purged.json",
        }
    }

    const ALL: [Self; 7] = [
        Self::Planned,
        Self::Applying,
        Self::Applied,
        Self::Undoing,
        Self::Undone,
        Self::Purging,
        Self::Purged,
    ];
}

/// The newest rollback of a migration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rollback {
    /// Its plan.
    pub plan: PlanV1,
    /// How far it is.
    pub phase: Phase,
    /// When that phase began, where it leaves a mark.
    pub since: Timestamp,
    /// From when on the account's log has to be read again.
    pub(crate) log_from: Timestamp,
}

/// Folder of all of them.
const FOLDER: &str = "rollback";

pub(crate) fn key(ctx: &Context, number: u32, document: &str) -> Result<Key, InvalidKey> {
    numbered::key(ctx, FOLDER, number, document)
}

/// Takes the next free number.
pub(crate) async fn claim(ctx: &Context, now: Timestamp) -> Result<u32, DocumentError> {
    numbered::claim(ctx, FOLDER, now).await
}

pub(crate) async fn keep_plan(ctx: &Context, plan: PlanV1) -> Result<(), DocumentError> {
    let key = key(ctx, plan.number, Phase::Planned.document())?;
    run_folder::put(ctx, &key, &StoredPlan::V1(plan)).await?;
    Ok(())
}

/// Marks that a phase began; the first mark stays.
pub(crate) async fn mark(
    ctx: &Context,
    number: u32,
    phase: Phase,
    log_from: Timestamp,
) -> Result<(), DocumentError> {
    numbered::mark(ctx, &key(ctx, number, phase.document())?, log_from).await
}

/// Every rollback that has a plan, in order of their numbers.
///
/// # Errors
/// [`DocumentError`] when the store or a document cannot be read.
pub async fn all(ctx: &Context) -> Result<Vec<Rollback>, DocumentError> {
    let mut all = Vec::new();
    for plan in numbered::plans(ctx, FOLDER).await? {
        let StoredPlan::V1(plan) = run_folder::need(ctx, &plan).await?;
        let mut rollback =
            Rollback { phase: Phase::Planned, since: plan.planned_at, log_from: plan.log_from, plan };
        for phase in Phase::ALL.into_iter().skip(1) {
            let key = key(ctx, rollback.plan.number, phase.document())?;
            if let Some((at, log_from)) = numbered::marked(ctx, &key).await? {
                rollback = Rollback { phase, since: at, log_from, ..rollback };
            }
        }
        all.push(rollback);
    }
    Ok(all)
}

/// The newest rollback that has a plan.
///
/// # Errors
/// As [`all`].
pub async fn newest(ctx: &Context) -> Result<Option<Rollback>, DocumentError> {
    Ok(all(ctx).await?.pop())
}

/// The rollback that has taken this run back, for now or for good.
///
/// # Errors
/// As [`all`].
pub async fn of_this_run(ctx: &Context) -> Result<Option<Rollback>, DocumentError> {
    let is_away = |rollback: &Rollback| {
        rollback.plan.run == ctx.run.as_str() && (rollback.phase.is_open() || rollback.phase == Phase::Purged)
    };
    Ok(all(ctx).await?.into_iter().rfind(is_away))
}
