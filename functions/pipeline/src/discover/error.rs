//! Why discovery stopped.

use crate::documents::DocumentError;
use crate::extract::ExtractError;
use crate::ports::gorgias::ReadError;
use crate::ports::leaddesk::SourceError;
use crate::residency::ResidencyError;

/// Why discovery stopped.
#[derive(Debug, thiserror::Error)]
pub enum DiscoverError {
    /// LeadDesk's key or client credentials are wrong.
    #[error(
        "LeadDesk refuses the credentials; check `leaddesk.auth`, `leaddesk.client_id` and `leaddesk.client_secret`"
    )]
    SourceCredentials(#[source] SourceError),
    /// LeadDesk's tier does not include the interface.
    #[error(
        "this LeadDesk account has no access to {what}; ask LeadDesk for API access, which the higher tiers include"
    )]
    SourceTier {
        /// What was read.
        what: &'static str,
        /// The cause.
        source: SourceError,
    },
    /// Reading the source failed in another way.
    #[error("cannot look at the source")]
    Source(#[from] ExtractError),
    /// Gorgias' credentials are wrong.
    #[error(
        "Gorgias refuses the credentials; check `gorgias.email` and `gorgias.api_key`, which need the admin role"
    )]
    DestinationCredentials(#[source] ReadError),
    /// Reading Gorgias failed in another way.
    #[error("cannot read {what} from Gorgias")]
    Destination {
        /// What was read.
        what: &'static str,
        /// The cause.
        source: ReadError,
    },
    /// A list of Gorgias does not end.
    #[error("the list of {what} in Gorgias does not end after {pages} pages")]
    Endless {
        /// What was read.
        what: &'static str,
        /// Pages read.
        pages: usize,
    },
    /// The store lies outside the area of the law that protects the contacts.
    #[error("cannot keep samples of contacts")]
    Residency(#[from] ResidencyError),
    /// The inventory cannot be kept or read.
    #[error("cannot keep the inventory")]
    Document(#[from] DocumentError),
}

impl DiscoverError {
    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::SourceCredentials(_) => "SRC101",
            Self::SourceTier { .. } => "SRC102",
            Self::Source(error) => error.code(),
            Self::DestinationCredentials(_) => "DST101",
            Self::Destination { .. } => "DST102",
            Self::Endless { .. } => "DST103",
            Self::Residency(error) => error.code(),
            Self::Document(error) => error.code(),
        }
    }

    /// Failures of the source by what a person can do about them.
    pub(super) fn of_source(error: ExtractError) -> Self {
        match error {
            ExtractError::Source { source: source @ SourceError::Credentials { .. }, .. } => {
                Self::SourceCredentials(source)
            }
            ExtractError::Source { what, source: source @ SourceError::NotAllowed { .. } } => {
                Self::SourceTier { what, source }
            }
            other => Self::Source(other),
        }
    }

    pub(super) fn of_destination(what: &'static str, source: ReadError) -> Self {
        match source {
            ReadError::Credentials { .. } => Self::DestinationCredentials(source),
            source => Self::Destination { what, source },
        }
    }
}
