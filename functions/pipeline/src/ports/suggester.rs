//! Somebody outside who may add suggestions to a proposal, such as a language model.
//!
//! What goes out is described in one type, and it has no place for a value of a record. What comes back is not trusted.

use async_trait::async_trait;
use migration::suggest::external::ExternalSuggestion;

/// A field as it may be told to somebody outside: its name, its types, and shapes of values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DescribedField {
    /// By which an answer names it.
    pub number: usize,
    /// What agents see.
    pub label: String,
    /// Type of the project's setting; empty when there is none.
    pub stated_type: String,
    /// Type that the rules saw.
    pub seen_type: String,
    /// Shapes of some values: letters and digits are replaced.
    pub shapes: Vec<String>,
}

/// Why there is no suggestion. Holds nothing of the answer.
#[derive(Debug, thiserror::Error)]
pub enum SuggesterError {
    /// It is configured, and cannot be used.
    #[error("the suggester cannot be used: {0}")]
    Unusable(String),
    /// No answer in time, or none at all.
    #[error("the suggester does not answer")]
    NoAnswer(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// It refuses.
    #[error("the suggester answers with status {status}")]
    Status {
        /// HTTP status.
        status: u16,
    },
    /// The answer is longer than any good one, or no answer of the kind that was asked for.
    #[error("the suggester's answer cannot be used: {0}")]
    Answer(&'static str),
}

impl SuggesterError {
    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unusable(_) => "SUG101",
            Self::NoAnswer(_) | Self::Status { .. } => "SUG102",
            Self::Answer(_) => "SUG103",
        }
    }
}

/// Adds suggestions. A failure costs a finding and nothing else.
#[async_trait]
pub trait Suggester: Send + Sync {
    /// Who it is, as reviewers see it.
    fn name(&self) -> &str;

    /// Fields of one question at most.
    fn fields_per_question(&self) -> usize;

    /// What it thinks of these fields. Numbers and targets of the answer are the asker's to check.
    async fn suggest(&self, fields: &[DescribedField]) -> Result<Vec<ExternalSuggestion>, SuggesterError>;
}
