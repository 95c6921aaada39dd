//! The cut-overs of a run as the store knows them: one folder each, and in it one document per step, written once.
//!
//! One that was refused stays, and the next one begins anew. Deliberately absent: doing anything; see `cutover`.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use migration::cutover::{Point, Shown};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::ports::store::{InvalidKey, Key, Put};
use crate::reconcile::everything::ComparisonV1;
use crate::run_folder::{self, DocumentError};

/// The stored form of every document of a cut-over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "version")]
enum Stored<T> {
    #[serde(rename = "1")]
    V1(T),
}

/// How it began.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BegunV1 {
    /// From 1, within the run.
    pub number: u32,
    /// When, by this machine's clock.
    pub at: Timestamp,
    /// From when on LeadDesk must not change.
    pub frozen_since: Timestamp,
    /// Account at Gorgias.
    pub account: String,
    /// Who runs it; nothing where nobody is named.
    pub by: Option<String>,
    /// Deltas that were begun before.
    pub deltas: u32,
    /// Every point of the readiness, as it stood.
    pub points: Vec<PointV1>,
    /// Somebody took upon themselves what was in the way.
    pub force: Option<ForceV1>,
}

/// One point of the readiness.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PointV1 {
    /// Stable code.
    pub code: String,
    /// What it is about.
    pub about: String,
    /// `ready`, `accepted`, `not known`, `not ready`.
    pub state: String,
    /// Why.
    pub reason: String,
}

impl PointV1 {
    pub(crate) fn of(point: &Point) -> Self {
        Self {
            code: point.code.to_string(),
            about: point.about.to_owned(),
            state: point.state.as_str().to_owned(),
            reason: point.reason.clone(),
        }
    }
}

/// Somebody took something upon themselves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForceV1 {
    /// Who.
    pub by: String,
    /// Why.
    pub reason: String,
    /// When.
    pub at: Timestamp,
    /// Codes of what was in the way.
    pub codes: Vec<String>,
}

/// The last delta.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastDeltaV1 {
    /// Its number.
    pub number: u32,
    /// When it ended.
    pub at: Timestamp,
}

/// Everything was compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ComparedV1 {
    /// What came of it.
    pub comparison: ComparisonV1,
    /// Its digest.
    pub digest: String,
    /// Deltas that were begun before it ended.
    pub deltas: u32,
    /// Whether the certificate may rest on it.
    pub may_go_on: bool,
    /// Somebody took the damage upon themselves.
    pub force: Option<ForceV1>,
}

/// Whether LeadDesk still stood still.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FreezeV1 {
    /// When LeadDesk was asked once more.
    pub at: Timestamp,
    /// From when on nothing should have changed.
    pub since: Timestamp,
    /// The delta that asked.
    pub delta: u32,
    /// Requests to LeadDesk by kind.
    pub requests: BTreeMap<String, u64>,
    /// Rows that differ, by table.
    pub tables: BTreeMap<String, u64>,
    /// Stamps behind the freeze, by what they tell.
    pub stamps: BTreeMap<String, u64>,
    /// Cards that were asked for whatever the lists say.
    pub cards: u64,
    /// Of these, those that changed.
    pub cards_changed: u64,
    /// What was looked at.
    pub looked: Vec<String>,
    /// What no interface shows, and why.
    pub unseen: Vec<String>,
    /// What changed; nothing where LeadDesk stood still.
    pub changes: Vec<String>,
}

/// The certificate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedV1 {
    /// When.
    pub at: Timestamp,
    /// Who; nothing where nobody is named.
    pub by: Option<String>,
    /// Account at Gorgias.
    pub account: String,
    /// Digest of the approved mapping.
    pub mapping: String,
    /// From when on LeadDesk did not change.
    pub frozen_since: Timestamp,
    /// The last delta.
    pub delta: u32,
    /// Digest of the reconciliation.
    pub reconciliation: String,
    /// Digest of the document about the freeze.
    pub freeze: String,
    /// The day on which the data is deleted.
    pub delete_on: Date,
    /// What people took upon themselves.
    pub forced: Vec<ForceV1>,
}

/// The certificate was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusedV1 {
    /// When.
    pub at: Timestamp,
    /// Stable code.
    pub code: String,
    /// Why.
    pub reasons: Vec<String>,
}

/// Rules, surveys and webhooks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestoredV1 {
    /// When they were read back.
    pub at: Timestamp,
    /// The order that was agreed.
    pub order: Vec<String>,
    /// Kind and id of what is as it was before the migration.
    pub as_before: Vec<String>,
    /// Of what people changed since.
    pub changed: Vec<String>,
    /// Of what people removed.
    pub removed: Vec<String>,
}

/// Report and package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HandedV1 {
    /// When.
    pub at: Timestamp,
    /// Folder of the report.
    pub report: String,
}

/// One cut-over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cutover {
    /// How it began.
    pub begun: BegunV1,
    /// The last delta.
    pub delta: Option<LastDeltaV1>,
    /// The comparison.
    pub compared: Option<ComparedV1>,
    /// The check of the freeze.
    pub freeze: Option<FreezeV1>,
    /// The certificate.
    pub signed: Option<SignedV1>,
    /// Why there is none.
    pub refused: Option<RefusedV1>,
    /// Rules, surveys and webhooks.
    pub restored: Option<RestoredV1>,
    /// Report and package.
    pub handed: Option<HandedV1>,
}

impl Cutover {
    /// As the decision of what comes next looks at it.
    #[must_use]
    pub fn shown(&self) -> Shown {
        Shown {
            is_begun: true,
            is_delta_done: self.delta.is_some(),
            may_go_on: self.compared.as_ref().map(|compared| compared.may_go_on),
            is_frozen: self.freeze.as_ref().map(|freeze| freeze.changes.is_empty()),
            is_decided: self.signed.is_some() || self.refused.is_some(),
            is_restored: self.restored.is_some(),
            is_refused: self.refused.is_some(),
            is_handed_off: self.handed.is_some(),
        }
    }

    /// Whether nothing of it is left to do.
    #[must_use]
    pub fn is_ended(&self) -> bool {
        migration::cutover::next(&self.shown()) == migration::cutover::Step::Nothing
    }

    /// Everything that somebody took upon themselves.
    pub fn forced(&self) -> impl Iterator<Item = &ForceV1> {
        self.begun.force.iter().chain(self.compared.iter().filter_map(|compared| compared.force.as_ref()))
    }
}

pub(crate) const BEGUN: &str = "begun";
pub(crate) const DELTA: &str = "delta";
pub(crate) const COMPARED: &str = "compared";
pub(crate) const FREEZE: &str = "freeze";
pub(crate) const SIGNED: &str = "signed";
pub(crate) const REFUSED: &str = "refused";
pub(crate) const RESTORED: &str = "restored";
pub(crate) const HANDED: &str = "handed";

fn key(ctx: &Context, number: u32, document: &str) -> Result<Key, InvalidKey> {
    ctx.run_key(&format!("cutover/{number:04}/{document}.json"))
}

/// Keeps a document; the first one stays.
pub(crate) async fn keep<T: Serialize>(
    ctx: &Context,
    number: u32,
    document: &str,
    body: T,
) -> Result<Put, DocumentError> {
    run_folder::put(ctx, &key(ctx, number, document)?, &Stored::V1(body)).await
}

async fn get<T: DeserializeOwned>(
    ctx: &Context,
    number: u32,
    document: &str,
) -> Result<Option<T>, DocumentError> {
    let stored: Option<Stored<T>> = run_folder::get(ctx, &key(ctx, number, document)?).await?;
    Ok(stored.map(|Stored::V1(body)| body))
}

/// Every cut-over of this run, in order of their numbers.
///
/// # Errors
/// [`DocumentError`] when the store or a document cannot be read.
pub async fn all(ctx: &Context) -> Result<Vec<Cutover>, DocumentError> {
    let mut all = Vec::new();
    for found in ctx.store.list(&ctx.run_key("cutover")?).await? {
        if !found.as_str().ends_with("/begun.json") {
            continue;
        }
        let Stored::V1(begun) = run_folder::need::<Stored<BegunV1>>(ctx, &found).await?;
        let number = begun.number;
        all.push(Cutover {
            delta: get(ctx, number, DELTA).await?,
            compared: get(ctx, number, COMPARED).await?,
            freeze: get(ctx, number, FREEZE).await?,
            signed: get(ctx, number, SIGNED).await?,
            refused: get(ctx, number, REFUSED).await?,
            restored: get(ctx, number, RESTORED).await?,
            handed: get(ctx, number, HANDED).await?,
            begun,
        });
    }
    all.sort_by_key(|cutover| cutover.begun.number);
    Ok(all)
}

/// The newest cut-over.
///
/// # Errors
/// As [`all`].
pub async fn newest(ctx: &Context) -> Result<Option<Cutover>, DocumentError> {
    Ok(all(ctx).await?.pop())
}

/// Whether a cut-over keeps quiet what a delta switched off, until it is signed or refused.
pub(crate) async fn keeps_quiet(ctx: &Context) -> Result<bool, DocumentError> {
    Ok(newest(ctx).await?.is_some_and(|cutover| cutover.restored.is_none()))
}
