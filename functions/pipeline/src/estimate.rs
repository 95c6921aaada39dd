//! Inventory, samples and files -> what the run will send, how long it takes, what it costs, what it loses.
//!
//! The estimate is the migration itself on trial: the steps that extract and transform run over what is known of the
//! account, in the scratch folder, and their tables are counted as the load plan counts them. What nobody has read is
//! filled in from samples ([`cards`]), and its room for chance is told. After the transformation the same counting looks
//! at the real tables. Deliberately absent: writing to either system.

mod cards;
mod count;
mod error;
mod figures;
mod holdings;
mod shadow;
mod shelf;
mod stored;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use jiff::SignedDuration;
use migration::loss::{LossBudget, LossKey, Sampled, Way};
use migration::mapping::{ConfirmedMapping, Reviewer};
use migration::pacer::Bucket;
use migration::settings::RecordingPolicy;
use migration::working_hours::WorkingHours;

pub use error::EstimateError;
pub use stored::{
    BillingV1, EstimateV1, EvidenceV1, KindV1, LimitsV1, OrderV1, RangeV1, SecondsV1, StoredEstimate, TimesV1,
};

use crate::context::Context;
use crate::documents::inventory::{Inventory, StoredInventory};
use crate::documents::mapping::StoredPointer;
use crate::documents::{self, DocumentError};
use crate::extract;
use crate::losses;
use crate::ports::leaddesk::LeadDesk;
use crate::ports::store::Key;
use crate::progress::{Event, Silent};
use crate::propose;
use crate::report::steps;
use crate::step::StepReport;
use crate::transform;
use figures::Known;
use shadow::Shadow;
use shelf::Shelf;

/// Name of the step.
pub const STEP: &str = "estimate";
/// Estimates of one run at most.
const ESTIMATES_MAX: usize = 9_999;
/// Who settles open rows on trial; nothing of it leaves the scratch folder.
const NOBODY: &str = "estimate";

/// What the figures rest on besides the accounts.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// The account's limit, with the share that is left to others.
    pub bucket: Bucket,
    /// Requests a second to LeadDesk.
    pub source_per_second: f64,
    /// Hours in which Gorgias may be kept busy; all day when absent.
    pub hours: Option<WorkingHours>,
    /// Tickets younger than this, seen from the newest, are needed before agents can start.
    pub recent_days: u32,
}

/// Makes an estimate and keeps it.
///
/// # Errors
/// [`EstimateError`]; neither system is changed.
pub async fn run(ctx: &Context, options: &Options) -> Result<EstimateV1, EstimateError> {
    let started_at = ctx.clock.now();
    let inventory = documents::inventory(ctx).await?;
    started(ctx, "what Gorgias holds");
    let held = holdings::look(ctx).await?;
    let is_transformed = match transform::counts(ctx).await {
        Ok(_) => true,
        Err(DocumentError::Missing { .. }) => false,
        Err(error) => return Err(error.into()),
    };
    let recent = SignedDuration::from_hours(24 * i64::from(options.recent_days));
    let known = if is_transformed {
        let mapping = documents::confirmed_mapping(ctx).await?;
        let counted = count::count(ctx, &mapping, &inventory, &held, recent).await?;
        let losses = losses::transformed(ctx).await?;
        let log = shadow::call_log_of(ctx).await?;
        Known {
            mapping: mapping.digest().to_hex(),
            recording: mapping.settings().recording,
            losses: LossBudget::exact(&losses),
            lake_bytes: figures::lake_bytes(ctx).await?,
            sampled: None,
            source_requests: None,
            counted,
            held,
            log,
        }
    } else {
        on_trial(ctx, &inventory, held, recent).await?
    };
    let estimate = figures::estimate(ctx, started_at, &known, options);
    keep(ctx, &estimate).await?;
    let mut report = StepReport::of(STEP);
    report.records.insert("requests".to_owned(), estimate.requests_total.likely);
    steps::record(ctx, started_at, &report).await.map_err(of_run_folder)?;
    Ok(estimate)
}

fn of_run_folder(error: crate::run_folder::DocumentError) -> EstimateError {
    match error {
        crate::run_folder::DocumentError::Store(error) => EstimateError::Store(error),
        crate::run_folder::DocumentError::Key(error) => EstimateError::Key(error),
        crate::run_folder::DocumentError::Unreadable { key, source }
        | crate::run_folder::DocumentError::Encode { key, source } => {
            EstimateError::Document(DocumentError::Unreadable { key: key.to_string(), source })
        }
        crate::run_folder::DocumentError::Missing { .. } => {
            EstimateError::Document(DocumentError::Missing { what: "record of a step", step: STEP })
        }
    }
}

fn started(ctx: &Context, part: &str) {
    let event = Event::StepStarted { step: STEP, part: part.to_owned(), total: None };
    ctx.progress.emit(ctx.clock.now(), event);
}

/// Extracts and transforms what is known.
async fn on_trial(
    ctx: &Context,
    inventory: &Inventory,
    held: holdings::Holdings,
    recent: SignedDuration,
) -> Result<Known, EstimateError> {
    started(ctx, "samples");
    let (shadow, log) = Shadow::look(ctx).await?;
    let shadow = Arc::new(shadow);
    let shelf = Shelf::new(&ctx.scratch).map_err(EstimateError::Scratch)?;
    let mut trial = Context {
        store: Arc::new(shelf),
        source: Arc::clone(&shadow) as Arc<dyn LeadDesk>,
        progress: Arc::new(Silent),
        scratch: ctx.scratch.join("trial"),
        ..ctx.clone()
    };
    let mapping = settled(ctx).await?;
    // Recordings are counted from the call log; on trial none is fetched.
    trial.mapping.recording = RecordingPolicy::None;
    let key = trial.run_key("inventory.json")?;
    documents::put(&trial, key, &StoredInventory::of(inventory)).await?;
    propose::keep_mapping(&trial, &mapping).await?;
    // On trial nobody approves, so nothing is sealed.
    let pointer = StoredPointer::V1 {
        digest: mapping.digest().to_hex(),
        reviewer: mapping.reviewer().as_str().to_owned(),
        confirmed_at: mapping.confirmed_at(),
    };
    documents::put(&trial, trial.run_key("mapping.json")?, &pointer).await?;
    started(ctx, "trial");
    extract::run(&trial).await?;
    transform::run(&trial).await?;
    let counted = count::count(&trial, &mapping, inventory, &held, recent).await?;
    let sampled = Sampled { read: shadow.cards().were_read(), of: shadow.contacts() };
    let found = losses::transformed(&trial).await?;
    let mut budget = LossBudget::estimated(&found, sampled);
    if !log.is_there {
        // Calls come from a few numbers only: any count of theirs may be twice what was seen.
        for (key, lost) in
            found.kinds.iter().filter(|(key, _)| matches!(key.object.as_str(), "call" | "recording"))
        {
            budget.allow(key.clone(), lost.way, lost.count.saturating_mul(2));
        }
    }
    // A number is lost to customers who are there already, one each at the most.
    let number = LossKey::new("gorgias_customer", crate::ledger::driver::codes::NUMBER_HELD);
    if held.customers > 0 {
        budget.allow(number, Way::Dropped, held.customers);
    }
    Ok(Known {
        mapping: mapping.digest().to_hex(),
        recording: ctx.mapping.recording,
        losses: budget,
        lake_bytes: figures::lake_bytes(&trial).await?,
        source_requests: Some(shadow.requests()),
        sampled: Some((sampled, shadow.cards().gone())),
        counted,
        held,
        log,
    })
}

/// The mapping of the run, or the proposal with every open row left out.
async fn settled(ctx: &Context) -> Result<ConfirmedMapping, EstimateError> {
    match documents::confirmed_mapping(ctx).await {
        Ok(mapping) => return Ok(mapping),
        Err(DocumentError::Missing { .. }) => {}
        Err(error) => return Err(error.into()),
    }
    let mut proposal = propose::proposal(ctx).await?;
    for conflict in proposal.conflicts() {
        proposal = proposal.leave(&conflict.id, NOBODY).map_err(|_| EstimateError::Unsettled)?;
    }
    let nobody = Reviewer::new(NOBODY).map_err(|_| EstimateError::Unsettled)?;
    proposal.confirm(nobody, ctx.clock.now()).map_err(|_| EstimateError::Unsettled)
}

async fn keep(ctx: &Context, estimate: &EstimateV1) -> Result<(), EstimateError> {
    let held = ctx.store.list(&ctx.run_key("estimate")?).await?;
    let number = (held.len() + 1).min(ESTIMATES_MAX);
    let key = ctx.run_key(&format!("estimate/{number:04}.json"))?;
    let stored = StoredEstimate::V1(Box::new(estimate.clone()));
    Ok(documents::put(ctx, key, &stored).await?)
}

/// The newest estimate of the run.
///
/// # Errors
/// [`DocumentError`].
pub async fn latest(ctx: &Context) -> Result<Option<EstimateV1>, DocumentError> {
    of_place(ctx, Vec::pop).await
}

/// The first estimate of the run: what was said before anything moved.
///
/// # Errors
/// [`DocumentError`].
pub async fn first(ctx: &Context) -> Result<Option<EstimateV1>, DocumentError> {
    of_place(ctx, |keys| (!keys.is_empty()).then(|| keys.swap_remove(0))).await
}

async fn of_place(
    ctx: &Context,
    choose: impl FnOnce(&mut Vec<Key>) -> Option<Key>,
) -> Result<Option<EstimateV1>, DocumentError> {
    let mut keys = ctx.store.list(&ctx.run_key("estimate")?).await?;
    let Some(key) = choose(&mut keys) else { return Ok(None) };
    let stored: Option<StoredEstimate> = documents::get(ctx, key).await?;
    Ok(stored.map(|StoredEstimate::V1(estimate)| *estimate))
}
