//! Why there is no estimate.

use crate::archive::ArchiveError;
use crate::boxed::{boxed, of_snapshot};
use crate::documents::DocumentError;
use crate::extract::ExtractError;
use crate::losses::LossError;
use crate::ports::gorgias::ReadError;
use crate::ports::store::{InvalidKey, StoreError};
use crate::propose::ProposeError;
use crate::transform::TransformError;

/// Why there is no estimate.
#[derive(Debug, thiserror::Error)]
pub enum EstimateError {
    /// What discovery left, or the estimate itself.
    #[error("cannot read or keep a document of the estimate")]
    Document(#[from] DocumentError),
    /// The mapping.
    #[error("cannot propose the mapping that is to be estimated")]
    Propose(#[from] ProposeError),
    /// LeadDesk, or the operator's files.
    #[error("cannot look at the source, or extract it on trial")]
    Source(#[from] ExtractError),
    /// Gorgias.
    #[error("cannot read how much Gorgias holds")]
    Destination(#[from] ReadError),
    /// The trial.
    #[error("cannot transform the samples on trial")]
    Transform(#[source] Box<TransformError>),
    /// Tables of the trial.
    #[error("cannot read what the trial left")]
    Archive(#[from] ArchiveError),
    /// What is lost.
    #[error("cannot tell what would be lost")]
    Loss(#[source] Box<LossError>),
    /// A name that is no key.
    #[error("cannot name the estimate")]
    Key(#[from] InvalidKey),
    /// The store.
    #[error("cannot reach the store")]
    Store(#[from] StoreError),
    /// The scratch folder.
    #[error("cannot use the scratch folder")]
    Scratch(#[source] std::io::Error),
    /// The account has open rows that nobody may leave out.
    #[error("the proposal cannot be settled for a trial")]
    Unsettled,
}

boxed!(EstimateError { Transform(TransformError), Loss(LossError) });

of_snapshot!(EstimateError);

impl EstimateError {
    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Document(error) => error.code(),
            Self::Propose(error) => error.code(),
            Self::Source(error) => error.code(),
            Self::Destination(ReadError::Credentials { .. }) => "DST101",
            Self::Destination(_) => "DST102",
            Self::Transform(error) => error.code(),
            Self::Archive(error) => error.code(),
            Self::Loss(error) => error.code(),
            Self::Key(_) | Self::Store(_) => "STO101",
            Self::Scratch(_) => "ARC105",
            Self::Unsettled => "EST101",
        }
    }
}
