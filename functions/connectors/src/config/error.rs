//! What can be wrong with `migration.toml`: what, where, why, and the way out. Never a value of a secret.

use std::path::{Path, PathBuf};

/// A refusal of the configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read {}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// Not TOML, a missing key, or a value of another type.
    #[error("{}:{line}: {why}", path.display())]
    Form {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
        /// What is wrong.
        why: String,
    },
    /// A key that nobody reads.
    #[error("{}:{line}: unknown key {key:?}", path.display())]
    UnknownKey {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
        /// The key as written.
        key: String,
        /// The nearest key that exists.
        nearest: Option<String>,
    },
    /// A value that cannot be used.
    #[error("{key} cannot be used: {why}")]
    Value {
        /// The key, with its table.
        key: String,
        /// What is wrong.
        why: String,
        /// What to write.
        fix: String,
    },
    /// A secret that is not there or not a reference.
    #[error("{key} leads to no secret: {why}")]
    Secret {
        /// The key, with its table.
        key: &'static str,
        /// What is wrong; never the value.
        why: String,
    },
}

impl ConfigError {
    pub(super) fn unreadable(path: &Path, source: std::io::Error) -> Self {
        Self::Unreadable { path: path.to_owned(), source }
    }

    pub(super) fn value(key: &str, why: &str, fix: &str) -> Self {
        Self::Value { key: key.to_owned(), why: why.to_owned(), fix: fix.to_owned() }
    }

    pub(super) fn secret(key: &'static str, why: &str) -> Self {
        Self::Secret { key, why: why.to_owned() }
    }

    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } => "E0101",
            Self::Form { .. } => "E0102",
            Self::UnknownKey { .. } => "E0103",
            Self::Value { .. } => "E0104",
            Self::Secret { .. } => "E0105",
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn fix(&self) -> String {
        match self {
            Self::Unreadable { .. } => {
                "name the file with --config, or make one with: deskferry init".to_owned()
            }
            Self::Form { .. } => "compare with the file that this writes: deskferry init".to_owned(),
            Self::UnknownKey { nearest: Some(nearest), .. } => format!("did you mean {nearest:?}?"),
            Self::UnknownKey { nearest: None, .. } => "remove it".to_owned(),
            Self::Value { fix, .. } => fix.clone(),
            Self::Secret { .. } => {
                "write env:NAME or file:path and put the secret there; never the secret itself".to_owned()
            }
        }
    }
}
