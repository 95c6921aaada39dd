//! Why the transformation stopped.

use snapshot::SnapshotError;

use crate::archive::ArchiveError;
use crate::boxed::boxed;
use crate::documents::DocumentError;
use crate::extract::ExtractError;
use crate::sample::SampleError;

/// Why the transformation stopped. Nothing is published then.
#[derive(Debug, thiserror::Error)]
pub enum TransformError {
    /// The mapping or the inventory is missing, or was edited.
    #[error("cannot transform without a confirmed mapping")]
    Document(#[from] DocumentError),
    /// A snapshot cannot be read or written.
    #[error("cannot read the source or write what is wanted")]
    Archive(#[source] Box<ArchiveError>),
    /// The rejects of the extraction cannot be read.
    #[error("cannot read what the extraction put aside")]
    Extract(#[from] ExtractError),
    /// A scratch file is not what was written.
    #[error("a scratch file of the transformation was changed")]
    ScratchDamaged,
    /// A small source table holds a row without id.
    #[error("a row of {table} has no id")]
    RowWithoutId {
        /// The table.
        table: &'static str,
    },
    /// More vanished between two readings than a person would expect.
    #[error("{vanished} of {rows} rows of {table} vanished since the last reading")]
    MuchVanished {
        /// The table.
        table: &'static str,
        /// Rows that are gone.
        vanished: u64,
        /// Rows before.
        rows: u64,
    },
    /// More changed between two readings than a person would expect.
    #[error("{changed} of {rows} rows of {table} changed since the last reading")]
    MuchChanged {
        /// The table.
        table: &'static str,
        /// Rows that are new or other ones.
        changed: u64,
        /// Rows before.
        rows: u64,
    },
    /// Records are lost or counted twice: a bug of ours.
    #[error(
        "{object} does not add up: {source_records} in the source, but {settled} settled \
         (excluded, merged, rejected or wanted)"
    )]
    Unbalanced {
        /// Kind of record.
        object: String,
        /// Records in the source.
        source_records: u64,
        /// Dispositions.
        settled: u64,
    },
    /// What the sample is.
    #[error("cannot choose the sample")]
    Sample(#[from] SampleError),
    /// A worker thread ended unexpectedly.
    #[error("a worker of the transformation failed")]
    Worker(#[from] tokio::task::JoinError),
}

impl From<SnapshotError> for TransformError {
    fn from(error: SnapshotError) -> Self {
        Self::Archive(Box::new(error.into()))
    }
}

boxed!(TransformError { Archive(ArchiveError) });

impl TransformError {
    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Document(error) => error.code(),
            Self::Archive(error) => error.code(),
            Self::Extract(error) => error.code(),
            Self::ScratchDamaged => "TRF101",
            Self::RowWithoutId { .. } => "TRF102",
            Self::Unbalanced { .. } => "TRF103",
            Self::MuchVanished { .. } => super::differing::MUCH_VANISHED,
            Self::MuchChanged { .. } => super::differing::MUCH_CHANGED,
            Self::Sample(error) => error.code(),
            Self::Worker(_) => "TRF104",
        }
    }
}
