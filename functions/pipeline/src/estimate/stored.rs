//! The estimate as it stands in the store: `runs/<run>/estimate/<number>.json`.

use std::collections::BTreeMap;

use jiff::Timestamp;
use migration::forecast::Range;
use migration::loss::LossBudget;
use serde::{Deserialize, Serialize};

use crate::documents::Malformed;
use crate::losses::BudgetV1;

/// An estimate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "version")]
pub enum StoredEstimate {
    /// First form.
    #[serde(rename = "1")]
    V1(Box<EstimateV1>),
}

/// A count with its bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct RangeV1 {
    /// At the least.
    pub low: u64,
    /// Most likely.
    pub likely: u64,
    /// At the most.
    pub high: u64,
}

impl From<Range> for RangeV1 {
    fn from(range: Range) -> Self {
        let Range { low, likely, high } = range;
        Self { low, likely, high }
    }
}

/// Requests of one step and kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KindV1 {
    /// The step that sends them.
    pub step: String,
    /// What they are for.
    pub what: String,
    /// How many.
    pub requests: RangeV1,
}

/// What the times rest on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LimitsV1 {
    /// Requests of a full bucket at Gorgias.
    pub capacity: u32,
    /// Time in which it drains.
    pub window_milliseconds: u64,
    /// Share that is left to others.
    pub reserve: f64,
    /// What this makes, in words.
    pub gorgias: String,
    /// Requests a second to LeadDesk.
    pub leaddesk_per_second: f64,
    /// Hours of work, when they are limited.
    pub hours: Option<String>,
}

/// A time with its bounds, in seconds of work.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SecondsV1 {
    /// At the least.
    pub low: f64,
    /// Most likely.
    pub likely: f64,
    /// At the most.
    pub high: f64,
}

/// How long it takes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TimesV1 {
    /// Reading LeadDesk.
    pub extract: SecondsV1,
    /// Reading and writing Gorgias.
    pub gorgias: SecondsV1,
    /// Until agents can start.
    pub until_start: SecondsV1,
    /// All.
    pub all: SecondsV1,
    /// When agents could start if the run began at the moment of the estimate.
    pub start_at: Option<Timestamp>,
    /// When the run would end.
    pub end_at: Option<Timestamp>,
    /// What keeps it from being faster.
    pub limited_by: String,
}

/// Tickets in the order of loading.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderV1 {
    /// Tickets of leads and calls.
    pub tickets: u64,
    /// Of these, open ones: they come first.
    pub open: u64,
    /// Days before the newest ticket that agents need as well.
    pub recent_days: u32,
    /// Tickets after which agents can start.
    pub first: u64,
}

/// How sure the figures are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EvidenceV1 {
    /// `samples` before the extraction, `snapshot` after the transformation.
    pub basis: String,
    /// Contacts that lists and calls name.
    pub contacts: u64,
    /// Contacts whose card was read.
    pub cards_read: u64,
    /// Of these, the ones that LeadDesk did not give.
    pub cards_gone: u64,
    /// Whether there is a call log.
    pub has_call_log: bool,
    /// What is assumed, and what is not known, in words.
    pub assumptions: Vec<String>,
}

/// Tickets that Gorgias could bill.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BillingV1 {
    /// For certain: messages that Gorgias sends. None, unless the load stops for it.
    pub certain: u64,
    /// Tickets with an outgoing message of the past.
    pub possible: u64,
    /// What is not known about it.
    pub not_known: Vec<String>,
}

/// Contents of an estimate, first form.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EstimateV1 {
    /// When it was made.
    pub made_at: Timestamp,
    /// Digest of the mapping that it is for.
    pub mapping: String,
    /// How sure it is.
    pub evidence: EvidenceV1,
    /// Requests to Gorgias by step and kind, in order.
    pub requests: Vec<KindV1>,
    /// All of them.
    pub requests_total: RangeV1,
    /// Requests to LeadDesk, by command.
    pub source_requests: BTreeMap<String, RangeV1>,
    /// Requests that this estimate itself sent to Gorgias.
    pub limits: LimitsV1,
    /// How long it takes.
    pub times: TimesV1,
    /// What comes first.
    pub order: OrderV1,
    /// Records at Gorgias, by kind.
    pub records: BTreeMap<String, RangeV1>,
    /// Bytes, by what holds them.
    pub bytes: BTreeMap<String, RangeV1>,
    /// Dollars in AWS, by service, with the date of the prices.
    pub aws: BTreeMap<String, f64>,
    /// Date and place of the prices.
    pub aws_prices_of: String,
    /// Tickets that Gorgias could bill.
    pub billing: BillingV1,
    /// What does not arrive bit by bit.
    pub losses: BudgetV1,
}

impl EstimateV1 {
    /// The loss budget.
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn budget(&self) -> Result<LossBudget, Malformed> {
        self.losses.clone().read()
    }

    /// Whether everything was read and nothing was filled in.
    #[must_use]
    pub fn is_exact(&self) -> bool {
        self.losses.is_exact
    }

    /// Requests to Gorgias that a step sends, most likely.
    #[must_use]
    pub fn requests_of(&self, step: &str) -> u64 {
        self.requests.iter().filter(|kind| kind.step == step).map(|kind| kind.requests.likely).sum()
    }
}
