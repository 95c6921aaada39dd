//! Budgets and approvals as they stand in the store.

use std::collections::BTreeMap;

use jiff::Timestamp;
use migration::loss::{Allowed, LossBudget, LossKey, Way};
use serde::{Deserialize, Serialize};

use crate::documents::Malformed;

/// A loss budget.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "version")]
pub enum StoredBudget {
    /// First form.
    #[serde(rename = "1")]
    V1(BudgetV1),
}

/// Contents of a budget, first form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BudgetV1 {
    /// Counted from everything that was read; else estimated from samples, with bounds.
    pub is_exact: bool,
    /// By kind of record and code, such as `contact/CUS103`.
    pub kinds: BTreeMap<String, AllowedV1>,
}

/// What may be lost of one kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AllowedV1 {
    /// What happens to it.
    pub way: String,
    /// How many are expected.
    pub expected: u64,
    /// How many may be.
    pub bound: u64,
    /// A few of them.
    pub examples: Vec<String>,
}

/// Who approved which budget.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "version")]
pub enum StoredApproval {
    /// First form.
    #[serde(rename = "1")]
    V1 {
        /// Digest of the budget.
        budget: String,
        /// Who.
        by: String,
        /// When.
        at: Timestamp,
    },
}

impl BudgetV1 {
    /// The stored form.
    #[must_use]
    pub fn of(budget: &LossBudget, is_exact: bool) -> Self {
        let kind = |(key, allowed): (&LossKey, &Allowed)| {
            let Allowed { way, expected, bound, examples } = allowed;
            let (way, examples) = (way.as_str().to_owned(), examples.clone());
            (key.to_string(), AllowedV1 { way, expected: *expected, bound: *bound, examples })
        };
        Self { is_exact, kinds: budget.kinds.iter().map(kind).collect() }
    }

    /// The budget again.
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn read(self) -> Result<LossBudget, Malformed> {
        let kind = |(key, stored): (String, AllowedV1)| {
            let (object, code) = key.split_once('/').ok_or(Malformed { field: "kinds" })?;
            let AllowedV1 { way, expected, bound, examples } = stored;
            let way = Way::from_word(&way).ok_or(Malformed { field: "way" })?;
            Ok((LossKey::new(object, code), Allowed { way, expected, bound, examples }))
        };
        Ok(LossBudget { kinds: self.kinds.into_iter().map(kind).collect::<Result<_, _>>()? })
    }
}

impl StoredBudget {
    /// The stored form.
    #[must_use]
    pub fn of(budget: &LossBudget, is_exact: bool) -> Self {
        Self::V1(BudgetV1::of(budget, is_exact))
    }

    /// The budget again.
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn read(self) -> Result<LossBudget, Malformed> {
        let Self::V1(stored) = self;
        stored.read()
    }
}
