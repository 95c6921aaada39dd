//! Records that differ from what was wished, mended; what people did stays, and is reported.
//!
//! A repair is the load's own wish once more, with Gorgias as it is now: a field that differs although nobody touched the
//! record is written again, messages and records that nobody deleted are made again once they are proven gone, and
//! everything that people changed or deleted stays as they left it. Every write goes through the ledger.
//!
//! Deliberately absent: what Gorgias refused in the first place (see `load::retry`), second records (the comparison clears
//! them), and definitions of tags, teams and fields, which are only named.

mod survey;
pub(crate) mod work;
pub(crate) mod writes;

pub use migration::repair::codes;
use std::collections::BTreeMap;

use jiff::Timestamp;
use snapshot::Pass;
use snapshot::tables::ControlRepair;

use crate::archive::{self, ArchiveError};
use crate::boxed::{boxed, of_snapshot};
use crate::context::Context;
use crate::evidence::{self, EvidenceError};
use crate::ledger::driver::DriveError;
use crate::ledger::{Ledger, LedgerError};
use crate::load::{self, LoadError};
use crate::mends::Mends;
use crate::numbered;
use crate::plan::{self, PlanError};
use crate::ports::gorgias::ReadError;
use crate::ports::store::InvalidKey;
use crate::prepare::PrepareError;
use crate::reconcile::{ReconcileError, Scene};
use crate::repairs;
use crate::run_folder::DocumentError;

pub use crate::repairs::{DoneV1, Phase, PlanV1, Repair, ResidueV1, newest};
pub use work::apply;

use survey::{Earlier, Known, Survey};

/// Name of the step.
pub const STEP: &str = "repair";

/// Why a repair cannot go on. Everything that was done before is in the ledger.
#[derive(Debug, thiserror::Error)]
pub enum RepairError {
    /// A snapshot.
    #[error("cannot read or keep a snapshot of the repair")]
    Archive(#[from] ArchiveError),
    /// A document.
    #[error("cannot read or keep a document of the repair")]
    Document(#[from] DocumentError),
    /// A name that is no key.
    #[error("cannot name an object")]
    Key(#[from] InvalidKey),
    /// The ledger.
    #[error("cannot use the ledger")]
    Ledger(#[from] LedgerError),
    /// The account's log.
    #[error("cannot tell what people did")]
    Evidence(#[from] EvidenceError),
    /// Reading Gorgias.
    #[error("cannot read the destination")]
    Read(#[from] ReadError),
    /// What was written cannot be told.
    #[error("cannot tell what was written")]
    Reconcile(#[source] Box<ReconcileError>),
    /// What was loaded cannot be told, or may not be written to.
    #[error("cannot read what was loaded")]
    Load(#[source] Box<LoadError>),
    /// The load plan.
    #[error("cannot read the load plan")]
    Plan(#[source] Box<PlanError>),
    /// What answers writes could not be switched off, or on again.
    #[error("cannot switch off for the repair what would answer a write, or switch it on again")]
    Switches(#[source] Box<PrepareError>),
    /// A stored change of a record makes no sense.
    #[error("a row of the plan cannot be read")]
    Row(#[from] serde_json::Error),
    /// Writing stopped.
    #[error("the repair stopped")]
    Drive(#[from] DriveError),
    /// The key in use belongs to another account.
    #[error("the repair is for account {planned}, the credentials are for {connected}")]
    OtherAccount {
        /// Account of the plan.
        planned: String,
        /// Account of the credentials.
        connected: String,
    },
    /// Writes are in doubt.
    #[error("{count} writes are in doubt; run once more what was interrupted, which settles them")]
    InDoubt {
        /// How many.
        count: usize,
    },
    /// There is no plan for this run.
    #[error("there is no repair plan for this run; run repair plan first")]
    NoPlan,
    /// Some outcomes could not be learnt; the next start looks again.
    #[error("{count} writes of the repair are in doubt")]
    Unsettled {
        /// How many.
        count: u64,
    },
}

of_snapshot!(RepairError);
boxed!(RepairError { Reconcile(ReconcileError), Load(LoadError) });

impl RepairError {
    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &str {
        match self {
            Self::Archive(error) => error.code(),
            Self::Document(_) | Self::Key(_) | Self::Row(_) => "STO101",
            Self::Ledger(_) => "LED101",
            Self::Read(ReadError::Credentials { .. }) | Self::Drive(DriveError::Credentials { .. }) => {
                "GOR101"
            }
            Self::Read(_) => "GOR102",
            Self::Evidence(error) => error.code(),
            Self::Reconcile(error) => error.code(),
            Self::Load(error) => error.code(),
            Self::Plan(_) => "LOD001",
            Self::Switches(error) => error.code(),
            Self::Drive(_) => "LOD100",
            Self::OtherAccount { .. } => "LOD002",
            Self::InDoubt { .. } => "RPR001",
            Self::NoPlan => "RPR002",
            Self::Unsettled { .. } => "LOD104",
        }
    }
}

/// What planning led to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Planned {
    /// A new plan.
    New(PlanV1),
    /// Nothing is planned beside a repair that began to write.
    Open(Repair),
    /// The run wrote nothing.
    Nothing,
}

/// Reads Gorgias, seals what was found, and judges every record that the run wrote. Writes nothing to Gorgias.
///
/// # Errors
/// [`RepairError`]; a plan that was not finished leaves no trace but its number.
pub async fn plan(ctx: &Context) -> Result<Planned, RepairError> {
    if let Some(open) = repairs::open(ctx).await? {
        return Ok(Planned::Open(open));
    }
    let planned_at = ctx.clock.now();
    let account = ctx.destination.account().await?.domain;
    let Some(began) = Ledger::began(ctx, &account).await? else { return Ok(Planned::Nothing) };
    if load::found(ctx).await?.is_none() {
        return Ok(Planned::Nothing);
    }
    load::check_rollback(ctx).await?;
    let (load_plan, _) = plan::read(ctx).await.map_err(|source| RepairError::Plan(Box::new(source)))?;
    if load_plan.account != account {
        return Err(RepairError::OtherAccount { planned: load_plan.account, connected: account });
    }
    let (book, secret) = Ledger::read_of(ctx, &account).await?;
    let count = book.state().doubt_count();
    if count > 0 {
        return Err(RepairError::InDoubt { count });
    }
    let service_user = ctx.destination.service_user().await?.id;
    let earlier = earlier(ctx).await?;
    let number = repairs::claim(ctx, planned_at).await?;
    let pass = Pass::Repair(number);
    let touched = evidence::by_others(ctx, service_user, began).await?;
    let (robbed, is_blind) = survey::robbed(ctx, &touched).await?;
    let sequence = book.state().next_sequence();
    let (reading, log_from) = survey_reading(ctx, sequence, touched.resume_from(planned_at)).await?;
    let mut survey = Survey::new(ctx, pass)?;
    let names = load::names(ctx).await?;
    let mut scene = Scene { ctx, names, book, secret, plan: load_plan, reading, aliases: BTreeMap::new() };
    let known = Known { touched: &touched, earlier, robbed, is_blind };
    survey::records(&mut scene, pass, &known, &mut survey).await?;
    let Survey { rows, sealed, counts, reasons, compared, .. } = survey;
    for table in sealed {
        archive::publish(ctx, table).await?;
    }
    archive::publish(ctx, rows.seal()?).await?;
    let plan = PlanV1 {
        number,
        run: ctx.run.to_string(),
        account,
        planned_at,
        log_from,
        service_user: service_user.0,
        objects: counts,
        reasons,
        compared,
    };
    repairs::keep_plan(ctx, plan.clone()).await?;
    Ok(Planned::New(plan))
}

/// As the rollback's: a survey that was interrupted goes on with what it read, and what happened since its first start is
/// looked for; one that led to a plan, or is older than the last write, is made afresh.
async fn survey_reading(
    ctx: &Context,
    sequence: u64,
    log_from: Timestamp,
) -> Result<(String, Timestamp), RepairError> {
    let attempt = repairs::all(ctx).await?.len() + 1;
    let reading = format!("repair-{attempt:04}-{sequence:010}");
    let log_from = numbered::survey_began(ctx, &reading, log_from).await?;
    Ok((reading, log_from))
}

/// What earlier plans found damaged while nobody had acted on it, and what was not mended since: all that was only
/// planned, the records that somebody changed before their turn came, and what a person has still to settle.
async fn earlier(ctx: &Context) -> Result<Earlier, RepairError> {
    let mut earlier = Earlier::new();
    for repair in repairs::all(ctx).await?.iter().filter(|repair| repair.plan.run == ctx.run.as_str()) {
        let mut before = std::mem::take(&mut earlier);
        for row in archive::open::<ControlRepair>(ctx, &ctx.run, Pass::Repair(repair.plan.number)).await? {
            let row = row?;
            let name = (row.object.clone(), row.gorgias_id.clone());
            let mut damaged = before.remove(&name).unwrap_or_default();
            let is_open = repair.done.as_ref().is_none_or(|done| is_left(done, &row));
            let mends = row.change.as_deref().map(Mends::decode).transpose()?.map(|(_, mends)| mends);
            for (field, mend) in mends.iter().flat_map(Mends::iter) {
                if is_open {
                    damaged.insert(field.to_owned(), mend.found.clone());
                } else {
                    damaged.remove(field);
                }
            }
            if matches!(row.action.as_str(), "mend" | "ask") && !damaged.is_empty() {
                earlier.insert(name, damaged);
            }
        }
    }
    Ok(earlier)
}

/// Whether somebody changed the record before its turn came.
fn is_left(done: &DoneV1, row: &ControlRepair) -> bool {
    done.residue.iter().any(|left| {
        left.code == codes::CHANGED_SINCE && left.object == row.object && left.gorgias_id == row.gorgias_id
    })
}

#[cfg(test)]
mod tests;
