//! Why extraction stopped. Every stop leaves what was read in the store, so that the next start goes on from there.

use crate::archive::ArchiveError;
use crate::boxed::boxed;
use crate::operator::folder::OperatorFault;
use crate::ports::leaddesk::SourceError;
use crate::ports::store::{InvalidKey, StoreError};
use crate::stop::Stopped;

/// Why extraction stopped.
#[derive(Debug, thiserror::Error)]
pub enum ExtractError {
    /// LeadDesk did not answer usably. Nothing was taken for "no records".
    #[error("cannot read {what} from LeadDesk")]
    Source {
        /// What was read, such as `users`.
        what: &'static str,
        /// The cause.
        source: SourceError,
    },
    /// The pages of a collection do not add up to what LeadDesk announces, also after reading again.
    #[error("LeadDesk announces {announced} {what}, but {found} different ones could be read")]
    CountDiffers {
        /// Collection.
        what: &'static str,
        /// `_meta.count`.
        announced: u64,
        /// Unique ids read.
        found: u64,
    },
    /// A collection that must list objects lists something else.
    #[error("an item of {what} is no object with an id")]
    ItemShape {
        /// Collection.
        what: &'static str,
    },
    /// So many records of one kind are broken that the format must have changed.
    #[error(
        "{rejected} of {total} records of {what} cannot be read; the commonest reason is {code}: {reason}"
    )]
    Drift {
        /// Kind of record.
        what: &'static str,
        /// Records that were put aside.
        rejected: u64,
        /// All records.
        total: u64,
        /// Code of the commonest reason.
        code: String,
        /// The commonest reason.
        reason: String,
    },
    /// An export that is no table.
    #[error("the export of list {list_id} cannot be read: {fault}")]
    Export {
        /// The list.
        list_id: String,
        /// What is wrong; part of the text, since it names the place.
        fault: Box<crate::operator::fault::FileFault>,
    },
    /// A file of the operator is refused.
    #[error("a file of the operator is refused")]
    Operator(#[source] Box<OperatorFault>),
    /// A file of the operator is another than when this run began to read.
    #[error("{file} changed since this run began to read; put the old one back or start a new run")]
    FileChanged {
        /// File name.
        file: String,
    },
    /// A delta cannot change the way in which calls are read: the same call would get two ids.
    #[error(
        "calls.csv appeared since the run began, and its calls were read without one; start a new run with it"
    )]
    CallLogAppeared,
    /// A stored page cannot be understood.
    #[error("the stored page {key} cannot be read")]
    StoredPage {
        /// Its key.
        key: String,
    },
    /// Two ways to the same result gave different bytes.
    #[error("{key} is already stored with other content: reading is not repeatable")]
    NotRepeatable {
        /// Its key.
        key: String,
    },
    /// So many recordings cannot be fetched for now that their host must be down.
    #[error("{pending} of {total} recordings cannot be fetched for now")]
    RecordingsPending {
        /// Recordings that a later try may bring.
        pending: u64,
        /// All recordings.
        total: u64,
    },
    /// An archived recording is not the one that its name says.
    #[error("the archived recording {key} is not the one that its name says")]
    RecordingDamaged {
        /// Its key.
        key: String,
    },
    /// The scratch folder.
    #[error("cannot write into the scratch folder")]
    Scratch(#[source] std::io::Error),
    /// A snapshot could not be written or read.
    #[error("cannot keep what was read")]
    Archive(#[source] Box<ArchiveError>),
    /// The store failed.
    #[error("cannot keep a page of what was read")]
    Store(#[from] StoreError),
    /// A name that is no key.
    #[error("cannot name what was read")]
    Key(#[from] InvalidKey),
    /// Somebody asked to stop.
    #[error("the extraction was stopped and goes on at the next start")]
    Stopped(#[from] Stopped),
    /// A worker thread ended unexpectedly.
    #[error("a worker of the extraction failed")]
    Worker(#[from] tokio::task::JoinError),
}

impl From<snapshot::SnapshotError> for ExtractError {
    fn from(error: snapshot::SnapshotError) -> Self {
        Self::Archive(Box::new(error.into()))
    }
}

boxed!(ExtractError { Archive(ArchiveError) });

impl From<OperatorFault> for ExtractError {
    fn from(fault: OperatorFault) -> Self {
        Self::Operator(Box::new(fault))
    }
}

impl ExtractError {
    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Source { source, .. } => source_code(source),
            Self::CountDiffers { .. } => "EXT101",
            Self::ItemShape { .. } => "EXT102",
            Self::Drift { .. } => "EXT103",
            Self::Export { fault, .. } => fault.code(),
            Self::Operator(fault) => fault.fault.code(),
            Self::FileChanged { .. } => "EXT104",
            Self::CallLogAppeared => "EXT110",
            Self::StoredPage { .. } => "EXT105",
            Self::NotRepeatable { .. } => "EXT106",
            Self::RecordingsPending { .. } => "EXT108",
            Self::RecordingDamaged { .. } => "EXT109",
            Self::Scratch(_) => "ARC105",
            Self::Archive(error) => error.code(),
            Self::Store(_) | Self::Key(_) => "STO101",
            Self::Stopped(_) => Stopped::CODE,
            Self::Worker(_) => "EXT107",
        }
    }
}

/// Code of what LeadDesk did; other steps that read LeadDesk use the same.
#[must_use]
pub fn source_code(error: &SourceError) -> &'static str {
    match error {
        SourceError::Credentials { .. } => "SRC101",
        SourceError::NotAllowed { .. } => "SRC102",
        SourceError::NotFound { .. } => "SRC103",
        SourceError::Refused { .. } => "SRC104",
        SourceError::Unusable { .. } => "SRC105",
        SourceError::NoAnswer { .. } => "SRC106",
    }
}
