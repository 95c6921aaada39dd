//! Why a wave could not be loaded.

use crate::archive::ArchiveError;
use crate::ledger::LedgerError;
use crate::ledger::driver::DriveError;
use crate::losses::LossError;
use crate::plan::PlanError;
use crate::ports::store::{InvalidKey, StoreError};
use crate::prepare::PrepareError;
use crate::run_folder::DocumentError;
use crate::wave::Wave;

/// Why a wave could not be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// A snapshot.
    #[error("cannot read what is wanted")]
    Archive(#[from] ArchiveError),
    /// A document of the run.
    #[error("cannot read or keep a document of the load")]
    Document(#[from] DocumentError),
    /// The store.
    #[error("cannot reach the store")]
    Store(#[from] StoreError),
    /// A name that is no key.
    #[error("cannot name an object")]
    Key(#[from] InvalidKey),
    /// The plan.
    #[error("cannot read the load plan")]
    Plan(#[source] Box<PlanError>),
    /// What prepare left behind.
    #[error("cannot read what was prepared")]
    Prepared(#[source] Box<PrepareError>),
    /// Prepare has not run.
    #[error("the destination is not prepared; run prepare first")]
    NotPrepared,
    /// The ledger.
    #[error("cannot use the ledger")]
    Ledger(#[from] LedgerError),
    /// The key in use belongs to another account than the one that was prepared.
    #[error("the plan is for account {planned}, the credentials are for {connected}")]
    OtherAccount {
        /// Account of the plan.
        planned: String,
        /// Account of the credentials.
        connected: String,
    },
    /// A rollback took the run back for good.
    #[error("rollback {number} took this run back for good; begin another run")]
    TakenBack {
        /// The rollback.
        number: u32,
    },
    /// Nothing can be written once more before the wave was loaded.
    #[error("wave {wave} is not loaded; run load first")]
    NotLoaded {
        /// The wave.
        wave: Wave,
    },
    /// A rollback has taken records away and is neither undone nor purged.
    #[error("rollback {number} is {phase}: undo it, or purge it, before anything is loaded")]
    RollbackOpen {
        /// The rollback.
        number: u32,
        /// Its phase.
        phase: &'static str,
    },
    /// The transformation lost more than a person approved.
    #[error("nothing is loaded: the losses are not approved")]
    Losses(#[source] Box<LossError>),
    /// The wave before has no good verdict.
    #[error("wave {wave} stays closed: wave {before} was not found right")]
    Closed {
        /// The wave to load.
        wave: Wave,
        /// The wave before.
        before: Wave,
    },
    /// Some outcomes could not be learnt; the next start looks again.
    #[error("{count} writes of wave {wave} are in doubt")]
    Unsettled {
        /// The wave.
        wave: Wave,
        /// Writes in doubt.
        count: u64,
    },
    /// Writing stopped.
    #[error("loading wave {wave} stopped")]
    Drive {
        /// The wave.
        wave: Wave,
        /// Why.
        source: DriveError,
    },
}

impl LoadError {
    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Archive(error) => error.code(),
            Self::Document(_) | Self::Store(_) | Self::Key(_) => "STO101",
            Self::Plan(_) | Self::Prepared(_) | Self::NotPrepared => "LOD001",
            Self::Ledger(_) => "LED101",
            Self::Losses(error) => error.code(),
            Self::OtherAccount { .. } => "LOD002",
            Self::Closed { .. } | Self::NotLoaded { .. } => "LOD003",
            Self::RollbackOpen { .. } | Self::TakenBack { .. } => "LOD006",
            Self::Unsettled { .. } => "LOD104",
            Self::Drive { source: DriveError::Credentials { .. }, .. } => "GOR101",
            Self::Drive { source: DriveError::Breaker { .. }, .. } => "LOD004",
            Self::Drive { source: DriveError::Outgoing { .. }, .. } => "LOD005",
            Self::Drive { .. } => "LOD100",
        }
    }
}
