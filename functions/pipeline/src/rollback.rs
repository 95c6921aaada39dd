//! What a migration wrote, taken back: plan, trash, hold, purge; and the way back as long as nothing is purged.
//!
//! A rollback never overwrites or removes what people did since: what we made goes whole or stays whole, and a record
//! that was there before us loses only what we filled and nobody changed. Every write goes through the ledger, so a
//! crash, a lost answer and a second process mean here what they mean for a load.
//!
//! Deliberately absent: rows of other runs, which are rolled back by their own name.

mod certificate;
mod exchange;
mod phases;
mod schema;
mod survey;
mod work;

use jiff::Timestamp;
use migration::gorgias::UserId;
pub use migration::rollback::codes;
use snapshot::Pass;

use crate::archive::{self, ArchiveError};
use crate::boxed::{boxed, of_snapshot};
use crate::context::Context;
use crate::documents;
use crate::evidence::{self, EvidenceError};
use crate::ledger::driver::DriveError;
use crate::ledger::{Ledger, LedgerError};
use crate::load::{self, LoadError};
use crate::merges;
use crate::numbered;
use crate::plan;
use crate::ports::gorgias::ReadError;
use crate::ports::store::{InvalidKey, StoreError};
use crate::prepare::schema::SchemaWish;
use crate::prepare::{PrepareError, switches};
use crate::reconcile::{ReconcileError, Scene};
use crate::repairs;
use crate::rollbacks;
use crate::run_folder::{self, DocumentError};
use crate::sample::SampleError;

pub use crate::rollbacks::{Phase, PlanV1, Rollback, newest, of_this_run};
pub use certificate::{CertificateV1, ResidueV1, certificate};
pub use phases::{apply, hold, purge, undo};

use survey::Survey;

/// Name of the step.
pub const STEP: &str = "rollback";

/// Why a rollback cannot go on. Everything that was done before is in the ledger.
#[derive(Debug, thiserror::Error)]
pub enum RollbackError {
    /// A snapshot.
    #[error("cannot read or keep a snapshot of the rollback")]
    Archive(#[from] ArchiveError),
    /// A document.
    #[error("cannot read or keep a document of the rollback")]
    Document(#[from] DocumentError),
    /// What the sample is.
    #[error("cannot tell whether the run is a sample")]
    Sample(#[from] SampleError),
    /// The approved mapping.
    #[error("cannot read the approved mapping")]
    Mapping(#[from] documents::DocumentError),
    /// The store.
    #[error("cannot reach the store")]
    Store(#[from] StoreError),
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
    /// What was loaded cannot be told.
    #[error("cannot read what was loaded")]
    Load(#[source] Box<LoadError>),
    /// What was prepared cannot be told.
    #[error("cannot switch off for the rollback what would answer a write, or switch it on again")]
    Switches(#[source] Box<PrepareError>),
    /// A stored change of a record makes no sense.
    #[error("a row of the plan cannot be read")]
    Row(#[from] serde_json::Error),
    /// Writing stopped.
    #[error("the rollback stopped")]
    Drive(#[from] DriveError),
    /// The key in use belongs to another account.
    #[error("the rollback is for account {planned}, the credentials are for {connected}")]
    OtherAccount {
        /// Account of the plan.
        planned: String,
        /// Account of the credentials.
        connected: String,
    },
    /// The load left writes in doubt.
    #[error("{count} writes of the load are in doubt; run load once more, which settles them")]
    InDoubt {
        /// How many.
        count: usize,
    },
    /// A repair began to write and is not at its end.
    #[error("repair {number} is begun; run repair apply, which brings it to its end")]
    RepairOpen {
        /// The repair.
        number: u32,
    },
    /// The phase does not follow the one that the rollback is in.
    #[error("rollback {number} is {phase}; {wanted} cannot follow")]
    OutOfOrder {
        /// The rollback.
        number: u32,
        /// Its phase.
        phase: &'static str,
        /// What was asked for.
        wanted: &'static str,
    },
    /// There is no plan.
    #[error("there is no rollback plan; run rollback plan first")]
    NoPlan,
    /// The hold is not over.
    #[error("rollback {number} is held until {until}")]
    Held {
        /// The rollback.
        number: u32,
        /// The end of the hold.
        until: Timestamp,
    },
    /// The number that was typed is not that of the plan.
    #[error("{wanted} records would be removed for good, not {given}")]
    OtherCount {
        /// What the plan says.
        wanted: u64,
        /// What was typed.
        given: u64,
    },
    /// Some outcomes could not be learnt; the next start looks again.
    #[error("{count} writes of the rollback are in doubt")]
    Unsettled {
        /// How many.
        count: u64,
    },
}

of_snapshot!(RollbackError);
boxed!(RollbackError { Reconcile(ReconcileError), Load(LoadError) });

impl RollbackError {
    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &str {
        match self {
            Self::Archive(error) => error.code(),
            Self::Sample(error) => error.code(),
            Self::Document(_) | Self::Mapping(_) | Self::Store(_) | Self::Key(_) | Self::Row(_) => "STO101",
            Self::Ledger(_) => "LED101",
            Self::Read(ReadError::Credentials { .. }) | Self::Drive(DriveError::Credentials { .. }) => {
                "GOR101"
            }
            Self::Read(_) => "GOR102",
            Self::Evidence(error) => error.code(),
            Self::Reconcile(error) => error.code(),
            Self::Load(error) => error.code(),
            Self::Switches(error) => error.code(),
            Self::Drive(_) => "LOD100",
            Self::OtherAccount { .. } => "LOD002",
            Self::InDoubt { .. } | Self::RepairOpen { .. } => "ROL001",
            Self::OutOfOrder { .. } | Self::NoPlan => "ROL002",
            Self::Held { .. } => "ROL003",
            Self::OtherCount { .. } => "ROL004",
            Self::Unsettled { .. } => "LOD104",
        }
    }
}

/// What planning led to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Planned {
    /// A new plan.
    New(PlanV1),
    /// Nothing is planned beside a rollback that is open.
    Open(Rollback),
    /// The run wrote nothing.
    Nothing,
}

/// Reads Gorgias, seals what was found, and judges every record that the run wrote. Writes nothing to Gorgias.
///
/// # Errors
/// [`RollbackError`]; a plan that was not finished leaves no trace but its number.
pub async fn plan(ctx: &Context) -> Result<Planned, RollbackError> {
    if let Some(newest) = newest(ctx).await?.filter(|newest| newest.phase.is_open()) {
        return Ok(Planned::Open(newest));
    }
    match documents::confirmed_mapping(ctx).await {
        Ok(mapping) => plan_for(ctx, &SchemaWish::of(&mapping)).await,
        // Nothing is written to Gorgias before the mapping is approved.
        Err(documents::DocumentError::Missing { .. }) => Ok(Planned::Nothing),
        Err(error) => Err(error.into()),
    }
}

pub(crate) async fn plan_for(ctx: &Context, wish: &SchemaWish) -> Result<Planned, RollbackError> {
    let planned_at = ctx.clock.now();
    let account = ctx.destination.account().await?.domain;
    let service_user = ctx.destination.service_user().await?.id;
    let (book, secret) = Ledger::read_of(ctx, &account).await?;
    let Some(began) = Ledger::began(ctx, &account).await? else { return Ok(Planned::Nothing) };
    if let Some(open) = repairs::open(ctx).await? {
        return Err(RollbackError::RepairOpen { number: open.plan.number });
    }
    let count = book.state().doubt_count();
    if count > 0 {
        return Err(RollbackError::InDoubt { count });
    }
    let number = rollbacks::claim(ctx, planned_at).await?;
    let pass = Pass::Rollback(number);
    let touched = evidence::by_others(ctx, service_user, began).await?;
    let sequence = book.state().next_sequence();
    let (reading, log_from) = survey_reading(ctx, sequence, touched.resume_from(planned_at)).await?;
    let mut survey = Survey::new(ctx, pass)?;
    if let Some(plan) = load_plan(ctx).await? {
        if plan.account != account {
            return Err(RollbackError::OtherAccount { planned: plan.account, connected: account });
        }
        let (names, book, secret) = (load::names(ctx).await?, book.clone(), secret.clone());
        let mut scene = Scene { ctx, names, book, secret, plan, reading, aliases: merges::Aliases::new() };
        if touched.has_merges() {
            scene.aliases = merges::find(&scene).await?;
        }
        survey::records(&scene, pass, &touched, &mut survey).await?;
    }
    let scene = schema::Scene { ctx, wish, book: &book, secret: &secret, touched: &touched };
    survey::definitions(&scene, pass, &mut survey).await?;
    let switches = switches::held(&book);
    let Survey { rows, sealed, counts, reasons, .. } = survey;
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
        switches,
    };
    rollbacks::keep_plan(ctx, plan.clone()).await?;
    Ok(Planned::New(plan))
}

/// The name of what the survey reads, and from when on the account's log has to be read again after it. A survey that was
/// interrupted goes on with what it read, so what happened since its first start has to be looked for; one that led to a
/// plan, or is older than the last write, is made afresh.
async fn survey_reading(
    ctx: &Context,
    sequence: u64,
    log_from: Timestamp,
) -> Result<(String, Timestamp), RollbackError> {
    let attempt = rollbacks::all(ctx).await?.len() + 1;
    let reading = format!("rollback-{attempt:04}-{sequence:010}");
    let log_from = numbered::survey_began(ctx, &reading, log_from).await?;
    Ok((reading, log_from))
}

/// The load plan of the run; none when the run was stopped before.
async fn load_plan(ctx: &Context) -> Result<Option<plan::PlanV1>, RollbackError> {
    let stored = run_folder::get(ctx, &ctx.run_key("plan.json")?).await?;
    Ok(stored.map(|plan::StoredPlan::V1(plan)| plan))
}

fn user(plan: &PlanV1) -> UserId {
    UserId(plan.service_user)
}

#[cfg(test)]
mod tests;
