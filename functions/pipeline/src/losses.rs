//! What a run loses, from its tables and its ledger; and the budget that a person approved, which it is held against.
//!
//! `runs/<run>/loss/budget-<digest>.json` holds a budget, `runs/<run>/loss/approved-<number>.json` who approved which; the
//! latest approval rules. Without an approval nothing is held against anything: the run was begun before there were
//! budgets. Deliberately absent: values of records; examples are ids and what the steps have masked.

mod stored;
#[cfg(test)]
mod tests;

use jiff::Timestamp;
use migration::finding;
use migration::ledger::ReceiptClass;
use migration::loss::{self, Excess, LossBudget, LossKey, Losses, Way};
use migration::mapping::Reviewer;
use migration::settings::RecordingPolicy;
use snapshot::Pass;
use snapshot::tables::{ControlFailure, MapValue, SourceCall};

use crate::archive::{self, ArchiveError};
use crate::boxed::of_snapshot;
use crate::context::Context;
use crate::documents::{self, DocumentError};
use crate::ledger::book::Book;
use crate::ledger::driver::codes;
use crate::load::{self, StoredLoad};
use crate::ports::store::{InvalidKey, Key, StoreError};
use crate::wave::Wave;

pub use stored::{AllowedV1, BudgetV1, StoredApproval, StoredBudget};

/// The transformation loses more than was approved: nothing is loaded.
pub const OVER_BEFORE_LOAD: &str = "LOS101";
/// More is lost at Gorgias than was approved: the wave is not found right.
pub const OVER_AT_GORGIAS: &str = "LOS102";
/// A recording that no setting moves.
const RECORDING_LEFT: &str = "LOS201";
/// Kinds of documents that are handed over and not migrated.
const DOCUMENT_ONLY: &str = "LOS202";
/// What the transformation lost.
pub(crate) const EXACT: &str = "loss/exact.json";
/// Approvals of one run at most.
const APPROVALS_MAX: u32 = 9_999;

/// Why losses could not be told or held against the budget.
#[derive(Debug, thiserror::Error)]
pub enum LossError {
    /// A snapshot.
    #[error("cannot read what is lost")]
    Archive(#[from] ArchiveError),
    /// A document.
    #[error("cannot read or keep the loss budget")]
    Document(#[from] DocumentError),
    /// The store.
    #[error("cannot reach the loss budget in the store")]
    Store(#[from] StoreError),
    /// A name that is no key.
    #[error("cannot name the loss budget")]
    Key(#[from] InvalidKey),
    /// More is lost than a person approved.
    #[error("{} kinds of losses are over the approved budget; {}", .over.len(), first(.over))]
    Over {
        /// Every kind.
        over: Vec<Excess>,
    },
    /// There are more approvals than anybody gives.
    #[error("the losses of this run were approved {count} times already")]
    TooMany {
        /// How many.
        count: u32,
    },
}

fn first(over: &[Excess]) -> String {
    over.first().map(ToString::to_string).unwrap_or_default()
}

of_snapshot!(LossError);

impl LossError {
    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Archive(error) => error.code(),
            Self::Document(error) => error.code(),
            Self::Store(_) | Self::Key(_) => "STO101",
            Self::Over { .. } => OVER_BEFORE_LOAD,
            Self::TooMany { .. } => "LOS103",
        }
    }
}

/// What the transformation of this run lost, exactly.
///
/// # Errors
/// [`LossError::Document`] before the transformation.
pub async fn transformed(ctx: &Context) -> Result<Losses, LossError> {
    let balance = crate::transform::counts(ctx).await?;
    let mut losses = Losses::default();
    for row in archive::open::<ControlFailure>(ctx, &ctx.run, Pass::Full).await? {
        let row = row?;
        // A sample loses what everything would lose; what is outside of it is lost by nobody.
        if row.reason_code == finding::SAM101_OUTSIDE.as_str() {
            continue;
        }
        let way = loss::of_failure(&row.state, &row.reason_code);
        let example = format!("{} {}: {}", row.object, row.leaddesk_id, row.reason);
        losses.add(LossKey::new(row.object, row.reason_code), way, 1, Some(example));
    }
    for row in archive::open::<MapValue>(ctx, &ctx.run, Pass::Full).await? {
        let row = row?;
        if row.value_kind == "merge" && row.target_value.as_deref() != Some(row.source_value.as_str()) {
            let into = row.target_value.unwrap_or_default();
            let example = format!("contact {} into {into}: {}", row.source_value, row.reason);
            losses.add(LossKey::new("contact", loss::MERGED), Way::Merged, 1, Some(example));
        }
    }
    for (code, count) in &balance.notes {
        let Some((object, way)) = loss::of_note(code) else { continue };
        let key = LossKey::new(object, code.as_str());
        // A value that was put aside is a row of its own already.
        if !losses.kinds.contains_key(&key) {
            let examples = balance.touched.get(code).cloned().unwrap_or_default();
            losses.add(key.clone(), way, *count, None);
            if let Some(lost) = losses.kinds.get_mut(&key) {
                lost.examples = examples;
            }
        }
    }
    recordings(ctx, &mut losses).await?;
    documented(ctx, &mut losses).await?;
    Ok(losses)
}

/// Recordings that the settings leave at LeadDesk.
async fn recordings(ctx: &Context, losses: &mut Losses) -> Result<(), LossError> {
    let mapping = documents::confirmed_mapping(ctx).await?;
    if !matches!(mapping.settings().recording, RecordingPolicy::None | RecordingPolicy::Link) {
        return Ok(());
    }
    let calls = archive::open::<SourceCall>(ctx, &ctx.run, Pass::Full).await?;
    for call in calls.without(&[snapshot::RAW_JSON])? {
        let call = call?;
        if call.recording_file.is_some() {
            let example = format!("call {}", call.leaddesk_call_id);
            losses.add(LossKey::new("recording", RECORDING_LEFT), Way::Dropped, 1, Some(example));
        }
    }
    Ok(())
}

/// What the scope says is documented alone, with what discovery counted of it.
async fn documented(ctx: &Context, losses: &mut Losses) -> Result<(), LossError> {
    let inventory = documents::inventory(ctx).await?;
    let rows = inventory.overview.scope.iter().filter(|row| row.disposition == "documented");
    for row in rows.filter(|row| row.what != "recording") {
        let key = LossKey::new(row.what.as_str(), DOCUMENT_ONLY);
        losses.add(key, Way::Documented, row.count.unwrap_or(0), Some(row.note.clone()));
    }
    Ok(())
}

/// Adds what the ledger says did not arrive: what Gorgias refused, and what was left out to make a write possible.
pub(crate) fn add_refused(losses: &mut Losses, book: &Book) {
    for (key, written) in book.iter() {
        let Some(note) = book.note(key) else { continue };
        let is_refused = written.class == Some(ReceiptClass::Refused);
        let is_partial = matches!(note.code.as_str(), codes::NUMBER_HELD | codes::UPLOAD_REFUSED);
        if is_refused || is_partial {
            let object = format!("gorgias_{}", key.object.as_str());
            losses.add(LossKey::new(object, note.code.as_str()), Way::Dropped, 1, None);
        }
    }
}

fn folder(ctx: &Context) -> Result<Key, InvalidKey> {
    ctx.run_key("loss")
}

/// Keeps a budget and gives back its digest.
///
/// # Errors
/// [`LossError::Document`].
pub async fn keep(ctx: &Context, budget: &LossBudget, is_exact: bool) -> Result<String, LossError> {
    let digest = budget.digest().to_hex();
    let key = ctx.run_key(&format!("loss/budget-{digest}.json"))?;
    // Another document under this name is the same budget with other examples.
    match documents::put(ctx, key, &StoredBudget::of(budget, is_exact)).await {
        Ok(()) | Err(DocumentError::AlreadyThere { .. }) => Ok(digest),
        Err(error) => Err(error.into()),
    }
}

/// The budget that was approved last; nothing where none was.
///
/// # Errors
/// [`LossError::Document`].
pub async fn approved(ctx: &Context) -> Result<Option<LossBudget>, LossError> {
    let Some(approval) = latest(ctx).await? else { return Ok(None) };
    let StoredApproval::V1 { budget, .. } = approval;
    let key = ctx.run_key(&format!("loss/budget-{budget}.json"))?;
    let stored: Option<StoredBudget> = documents::get(ctx, key).await?;
    let missing = DocumentError::Missing { what: "loss budget", step: "estimate" };
    let held = stored.ok_or(missing)?.read().map_err(DocumentError::from)?;
    if held.digest().to_hex() == budget {
        Ok(Some(held))
    } else {
        Err(DocumentError::Malformed(documents::Malformed { field: "loss budget" }).into())
    }
}

/// The newest approval.
///
/// # Errors
/// [`LossError::Document`].
pub async fn latest(ctx: &Context) -> Result<Option<StoredApproval>, LossError> {
    let keys = ctx.store.list(&folder(ctx)?).await?;
    let newest = keys.into_iter().rfind(|key| key.as_str().contains("/approved-"));
    Ok(match newest {
        Some(key) => documents::get(ctx, key).await?,
        None => None,
    })
}

/// A person approves a budget that is kept.
///
/// # Errors
/// [`LossError`].
pub async fn approve(
    ctx: &Context,
    budget: &LossBudget,
    is_exact: bool,
    by: &Reviewer,
    at: Timestamp,
) -> Result<String, LossError> {
    let digest = keep(ctx, budget, is_exact).await?;
    let held = ctx.store.list(&folder(ctx)?).await?;
    let count = held.iter().filter(|key| key.as_str().contains("/approved-")).count();
    let number = u32::try_from(count).unwrap_or(APPROVALS_MAX) + 1;
    if number > APPROVALS_MAX {
        return Err(LossError::TooMany { count: APPROVALS_MAX });
    }
    let approval = StoredApproval::V1 { budget: digest.clone(), by: by.as_str().to_owned(), at };
    documents::put(ctx, ctx.run_key(&format!("loss/approved-{number:04}.json"))?, &approval).await?;
    Ok(digest)
}

/// Approves with the mapping whatever budget the estimate left; without one there is nothing to approve.
///
/// # Errors
/// [`LossError`].
pub async fn seal(ctx: &Context, by: &Reviewer, at: Timestamp) -> Result<Option<String>, LossError> {
    if latest(ctx).await?.is_some() {
        return Ok(None);
    }
    let Some(estimate) = crate::estimate::latest(ctx).await? else { return Ok(None) };
    let budget = estimate.budget().map_err(DocumentError::from)?;
    approve(ctx, &budget, estimate.is_exact(), by, at).await.map(Some)
}

/// What the transformation lost, counted once and kept as `runs/<run>/loss/exact.json`.
async fn exact(ctx: &Context) -> Result<Losses, LossError> {
    let key = ctx.run_key(EXACT)?;
    if let Some(stored) = documents::get::<StoredBudget>(ctx, key.clone()).await? {
        return Ok(stored.read().map_err(DocumentError::from)?.expected());
    }
    let losses = transformed(ctx).await?;
    documents::put(ctx, key, &StoredBudget::of(&LossBudget::exact(&losses), true)).await?;
    Ok(losses)
}

/// Holds what the transformation lost against the approved budget, before anything is loaded.
///
/// # Errors
/// [`LossError::Over`] with every kind that is over it.
pub async fn check(ctx: &Context) -> Result<(), LossError> {
    let Some(budget) = approved(ctx).await? else { return Ok(()) };
    let over = budget.exceeded(&exact(ctx).await?);
    if over.is_empty() { Ok(()) } else { Err(LossError::Over { over }) }
}

/// Everything that is over the budget once a wave is written.
///
/// # Errors
/// [`LossError`].
pub(crate) async fn over(ctx: &Context, book: &Book) -> Result<Vec<Excess>, LossError> {
    let Some(budget) = approved(ctx).await? else { return Ok(Vec::new()) };
    let mut losses = exact(ctx).await?;
    add_refused(&mut losses, book);
    add_held(ctx, &mut losses).await?;
    Ok(budget.exceeded(&losses))
}

/// Adds tickets that wait for a customer who was refused.
async fn add_held(ctx: &Context, losses: &mut Losses) -> Result<(), LossError> {
    for wave in Wave::ALL {
        let done: Option<StoredLoad> = documents::get(ctx, load::done_key(ctx, wave)?).await?;
        if let Some(StoredLoad::V1 { held, .. }) = done {
            let key = LossKey::new("gorgias_ticket", codes::PARENT_NOT_LOADED);
            losses.add(key, Way::Dropped, held, None);
        }
    }
    Ok(())
}

/// Raises the bounds of every kind that is over, as a person accepts it; gives back what was over.
///
/// # Errors
/// [`LossError`].
pub async fn raise(ctx: &Context, by: &Reviewer, at: Timestamp) -> Result<Vec<Excess>, LossError> {
    let Some(budget) = approved(ctx).await? else { return Ok(Vec::new()) };
    let mut losses = exact(ctx).await?;
    if let Ok((plan, _)) = crate::plan::read(ctx).await
        && let Ok((book, _)) = crate::ledger::Ledger::read_of(ctx, &plan.account).await
    {
        add_refused(&mut losses, &book);
        add_held(ctx, &mut losses).await?;
    }
    let over = budget.exceeded(&losses);
    if !over.is_empty() {
        approve(ctx, &budget.raised(&losses), false, by, at).await?;
    }
    Ok(over)
}
