//! The repairs of a migration as the store knows them: one folder each, and in it one document per phase, written once.
//!
//! Deliberately absent: doing anything; see `repair`.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::numbered;
use crate::ports::store::{InvalidKey, Key};
use crate::run_folder::{self, DocumentError};

/// Folder of all of them.
const FOLDER: &str = "repair";

/// A plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "version")]
enum StoredPlan {
    #[serde(rename = "1")]
    V1(PlanV1),
}

/// Contents of a plan, first form. The rows stand in the table `ctl_repair`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanV1 {
    /// From 1, over all runs of the migration.
    pub number: u32,
    /// The run that is mended.
    pub run: String,
    /// Subdomain of the destination.
    pub account: String,
    /// When the reading began.
    pub planned_at: Timestamp,
    /// From when on the account's log has to be read again.
    pub log_from: Timestamp,
    /// The user that we write as.
    pub service_user: u64,
    /// Records by object and deed; records that are as wished are not among them.
    pub objects: BTreeMap<String, BTreeMap<String, u64>>,
    /// Records by code of the reason.
    pub reasons: BTreeMap<String, u64>,
    /// Records that were held against their wish.
    pub compared: u64,
}

impl PlanV1 {
    /// Records with this deed, of all objects.
    #[must_use]
    pub fn count(&self, deed: &str) -> u64 {
        self.objects.values().filter_map(|deeds| deeds.get(deed)).sum()
    }

    /// Records that would be written.
    #[must_use]
    pub fn writes(&self) -> u64 {
        ["mend", "append", "make_again"].iter().map(|deed| self.count(deed)).sum()
    }
}

/// What a repair did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "version")]
enum StoredDone {
    #[serde(rename = "1")]
    V1(DoneV1),
}

/// Contents of what a repair did, first form.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct DoneV1 {
    /// The repair.
    pub number: u32,
    /// When it ended.
    pub at: Timestamp,
    /// Records by object and outcome: `mended`, `appended`, `made_again`, `kept`, `refused`.
    pub objects: BTreeMap<String, BTreeMap<String, u64>>,
    /// Records that were not mended, by code of the reason.
    pub reasons: BTreeMap<String, u64>,
    /// What a person has to look at.
    pub residue: Vec<ResidueV1>,
}

/// A record that was to be mended and was not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResidueV1 {
    /// Object.
    pub object: String,
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

    /// One record more.
    pub(crate) fn take(&mut self, object: &str, outcome: &str) {
        let outcomes = self.objects.entry(object.to_owned()).or_default();
        *outcomes.entry(outcome.to_owned()).or_default() += 1;
    }
}

/// How far a repair is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Nothing is written.
    Planned,
    /// Writing began.
    Applying,
    /// Everything has its outcome.
    Applied,
}

impl Phase {
    /// The word for people.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Applying => "begun",
            Self::Applied => "applied",
        }
    }
}

/// One repair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repair {
    /// Its plan.
    pub plan: PlanV1,
    /// How far it is.
    pub phase: Phase,
    /// What it did, when it is applied.
    pub done: Option<DoneV1>,
}

fn key(ctx: &Context, number: u32, document: &str) -> Result<Key, InvalidKey> {
    numbered::key(ctx, FOLDER, number, document)
}

/// Takes the next free number.
pub(crate) async fn claim(ctx: &Context, now: Timestamp) -> Result<u32, DocumentError> {
    numbered::claim(ctx, FOLDER, now).await
}

pub(crate) async fn keep_plan(ctx: &Context, plan: PlanV1) -> Result<(), DocumentError> {
    run_folder::put(ctx, &key(ctx, plan.number, "plan.json")?, &StoredPlan::V1(plan)).await?;
    Ok(())
}

/// Marks that writing began; the first mark stays. `log_from` is the newest event of the account's log before it.
pub(crate) async fn begin(ctx: &Context, number: u32, log_from: Timestamp) -> Result<(), DocumentError> {
    numbered::mark(ctx, &key(ctx, number, "applying.json")?, log_from).await
}

/// What stood in the account's log when writing began; nothing where it did not.
pub(crate) async fn began(ctx: &Context, number: u32) -> Result<Option<Timestamp>, DocumentError> {
    let marked = numbered::marked(ctx, &key(ctx, number, "applying.json")?).await?;
    Ok(marked.map(|(_, log_from)| log_from))
}

/// Keeps what was done; what was kept first stays.
pub(crate) async fn finish(ctx: &Context, done: DoneV1) -> Result<DoneV1, DocumentError> {
    let key = key(ctx, done.number, "applied.json")?;
    run_folder::put(ctx, &key, &StoredDone::V1(done)).await?;
    let StoredDone::V1(done) = run_folder::need(ctx, &key).await?;
    Ok(done)
}

/// Every repair that has a plan, in order of their numbers.
///
/// # Errors
/// [`DocumentError`] when the store or a document cannot be read.
pub async fn all(ctx: &Context) -> Result<Vec<Repair>, DocumentError> {
    let mut all = Vec::new();
    for plan in numbered::plans(ctx, FOLDER).await? {
        let StoredPlan::V1(plan) = run_folder::need(ctx, &plan).await?;
        let done = run_folder::get(ctx, &key(ctx, plan.number, "applied.json")?).await?;
        let done = done.map(|StoredDone::V1(done)| done);
        let began = numbered::marked(ctx, &key(ctx, plan.number, "applying.json")?).await?;
        let phase = match (&done, began) {
            (Some(_), _) => Phase::Applied,
            (None, Some(_)) => Phase::Applying,
            (None, None) => Phase::Planned,
        };
        all.push(Repair { plan, phase, done });
    }
    Ok(all)
}

/// The newest repair that has a plan.
///
/// # Errors
/// As [`all`].
pub async fn newest(ctx: &Context) -> Result<Option<Repair>, DocumentError> {
    Ok(all(ctx).await?.pop())
}

/// The repair that began to write and is not at its end.
///
/// # Errors
/// As [`all`].
pub async fn open(ctx: &Context) -> Result<Option<Repair>, DocumentError> {
    Ok(newest(ctx).await?.filter(|repair| repair.phase == Phase::Applying))
}
