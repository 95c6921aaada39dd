//! Causes that are larger than what holds them, boxed on the way in.

/// `boxed!(RepairError { Load(LoadError) })` lets `?` put a cause into its variant, boxed.
macro_rules! boxed {
    ($error:ty { $($variant:ident($cause:ty)),+ $(,)? }) => {$(
        impl From<$cause> for $error {
            fn from(cause: $cause) -> Self {
                Self::$variant(Box::new(cause))
            }
        }
    )+};
}

/// `of_snapshot!(RepairError)` lets `?` take what a snapshot says as what the archive says.
macro_rules! of_snapshot {
    ($error:ty) => {
        impl From<snapshot::SnapshotError> for $error {
            fn from(error: snapshot::SnapshotError) -> Self {
                Self::Archive($crate::archive::ArchiveError::from(error))
            }
        }
    };
}

pub(crate) use {boxed, of_snapshot};
