//! What came after the load: deltas, cut-overs, and the day of deletion, as the store knows them. Ids, codes, counts.
//!
//! Deliberately absent: values of records; the tables of each delta have them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::text::{counted, grouped};
use super::{advice, usage};
use crate::context::Context;
use crate::cutovers::{self, Cutover, ForceV1};
use crate::deletions::{self, DeletionV1};
use crate::deltas::{self, Delta};
use crate::run_folder::DocumentError;

/// Everything after the load.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SinceV1 {
    /// Deltas that came to their end.
    pub deltas: Vec<DeltaToldV1>,
    /// Cut-overs, the last one at the end.
    pub cutovers: Vec<CutoverToldV1>,
    /// The day on which the data is deleted, as it was decided.
    pub deletion: Option<DeletionV1>,
    /// Requests to Gorgias that all of this took; the floor of the load knows nothing of them.
    #[serde(default, skip_serializing_if = "crate::run_folder::is_zero")]
    pub requests: u64,
}

/// What a delta brought over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeltaToldV1 {
    /// Its number.
    pub number: u32,
    /// When it ended.
    pub at: Timestamp,
    /// What changed at LeadDesk before this moment was seen.
    pub read_from: Timestamp,
    /// Requests to LeadDesk.
    pub requests: u64,
    /// Rows of LeadDesk that came, went or changed, by table.
    pub source: BTreeMap<String, BTreeMap<String, u64>>,
    /// Records that vanished, by likely cause.
    pub vanished: BTreeMap<String, u64>,
    /// Records at Gorgias, by object and outcome.
    pub objects: BTreeMap<String, BTreeMap<String, u64>>,
    /// Records that are not as LeadDesk has them, by code.
    pub reasons: BTreeMap<String, u64>,
    /// Fields that were read back.
    pub fields_compared: u64,
    /// Of these, fields that were not as written.
    pub fields_different: u64,
}

impl DeltaToldV1 {
    fn of(delta: &Delta) -> Option<Self> {
        let done = delta.done.as_ref()?;
        let plan = delta.plan.clone().unwrap_or_default();
        Some(Self {
            number: done.number,
            at: done.at,
            read_from: done.read_from,
            requests: done.requests.values().sum(),
            source: plan.source,
            vanished: plan.vanished,
            objects: done.objects.clone(),
            reasons: done.reasons.clone(),
            fields_compared: done.fields_compared,
            fields_different: done.fields_different,
        })
    }

    /// Records with this outcome.
    #[must_use]
    pub fn count(&self, outcome: &str) -> u64 {
        self.objects.values().filter_map(|outcomes| outcomes.get(outcome)).sum()
    }

    /// What it came to, in words.
    #[must_use]
    pub fn in_words(&self) -> String {
        let outcomes = ["created", "updated", "appended", "conflict", "kept", "refused"];
        let told = outcomes.map(|outcome| (outcome, self.count(outcome)));
        let told: Vec<String> = told
            .into_iter()
            .filter(|(_, count)| *count > 0)
            .map(|(outcome, count)| format!("{} {outcome}", grouped(count)))
            .collect();
        if told.is_empty() { "nothing had to be written".to_owned() } else { told.join(", ") }
    }
}

/// How a cut-over went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CutoverToldV1 {
    /// Its number.
    pub number: u32,
    /// When it began.
    pub begun_at: Timestamp,
    /// From when on LeadDesk counted as frozen.
    pub frozen_since: Timestamp,
    /// `signed`, `refused` or `begun`.
    pub state: String,
    /// When it was signed or refused.
    pub decided_at: Option<Timestamp>,
    /// Who signed; nothing where nobody is named.
    pub by: Option<String>,
    /// Why it was refused: the code, then what was seen.
    pub refused: Vec<String>,
    /// The last delta.
    pub delta: Option<u32>,
    /// Fields compared, different, of these changed by people, and damaged.
    pub fields: Option<[u64; 4]>,
    /// Digest of the reconciliation.
    pub reconciliation: Option<String>,
    /// What somebody took upon themselves.
    pub forced: Vec<ForceV1>,
}

impl CutoverToldV1 {
    fn of(cutover: &Cutover) -> Self {
        let (signed, refused) = (cutover.signed.as_ref(), cutover.refused.as_ref());
        let reasons = refused.map(|refused| {
            std::iter::once(refused.code.clone()).chain(refused.reasons.iter().cloned()).collect()
        });
        Self {
            number: cutover.begun.number,
            begun_at: cutover.begun.at,
            frozen_since: cutover.begun.frozen_since,
            state: match (signed, refused) {
                (Some(_), _) => "signed",
                (None, Some(_)) => "refused",
                (None, None) => "begun",
            }
            .to_owned(),
            decided_at: signed.map(|it| it.at).or(refused.map(|it| it.at)),
            by: cutover.begun.by.clone(),
            refused: reasons.unwrap_or_default(),
            delta: cutover.delta.as_ref().map(|delta| delta.number),
            fields: cutover.compared.as_ref().map(|compared| {
                let told = &compared.comparison;
                [told.fields, told.different, told.people, told.damage]
            }),
            reconciliation: cutover.compared.as_ref().map(|compared| compared.digest.clone()),
            forced: cutover.forced().cloned().collect(),
        }
    }

    /// What it came to, in words.
    #[must_use]
    pub fn in_words(&self) -> String {
        let at = self.decided_at.unwrap_or(self.begun_at);
        let by = self.by.as_deref().unwrap_or("nobody by name");
        match self.state.as_str() {
            "signed" => format!("signed at {at:.0} by {by}, LeadDesk frozen since {:.0}", self.frozen_since),
            "refused" => format!("refused at {at:.0}: {}", self.refused.join("; ")),
            _ => format!("begun at {at:.0} and not at its end"),
        }
    }
}

impl SinceV1 {
    /// Reads everything.
    ///
    /// # Errors
    /// [`DocumentError`].
    pub(crate) async fn read(ctx: &Context) -> Result<Self, DocumentError> {
        Ok(Self {
            deltas: deltas::all(ctx).await?.iter().filter_map(DeltaToldV1::of).collect(),
            cutovers: cutovers::all(ctx).await?.iter().map(CutoverToldV1::of).collect(),
            deletion: deletions::newest(ctx).await?,
            requests: {
                let purposes = usage::read(ctx).await?.purposes;
                let spent = [crate::delta::STEP, crate::cutover::STEP].map(|step| purposes.get(step));
                spent.into_iter().flatten().sum()
            },
        })
    }

    /// Nothing came after the load.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The cut-over that counts: the last one that was signed.
    #[must_use]
    pub fn signed(&self) -> Option<&CutoverToldV1> {
        self.cutovers.iter().rfind(|cutover| cutover.state == "signed")
    }

    /// Lines for the report.
    #[must_use]
    pub(crate) fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        if self.deltas.is_empty() {
            lines.push(
                "  no delta ran: what changed at LeadDesk since it was read is not at Gorgias".to_owned(),
            );
        }
        for delta in &self.deltas {
            lines.push(format!(
                "  delta {} read LeadDesk at {:.0}: {}; {} read back, {} different",
                delta.number,
                delta.read_from,
                delta.in_words(),
                counted(delta.fields_compared, "field"),
                grouped(delta.fields_different)
            ));
            for (code, count) in &delta.reasons {
                lines.push(format!("    {code} {}: {}", advice::of(code).title, grouped(*count)));
            }
            for (cause, count) in &delta.vanished {
                lines.push(format!(
                    "    {} vanished from LeadDesk, likely: {cause}",
                    counted(*count, "record")
                ));
            }
        }
        if self.cutovers.is_empty() {
            lines.push("  not cut over yet: deskferry cutover status says whether it is ready".to_owned());
        }
        for cutover in &self.cutovers {
            lines.push(format!("  cut-over {} {}", cutover.number, cutover.in_words()));
            for force in &cutover.forced {
                lines.push(format!(
                    "    forced by {} at {:.0}: {} ({})",
                    migration::text::clean_line(&force.by),
                    force.at,
                    force.codes.join(", "),
                    migration::text::clean_line(&force.reason)
                ));
            }
        }
        lines.push(match &self.deletion {
            Some(decided) => format!("  the data is deleted on {}, as {}", decided.day, ground(decided)),
            None => "  nobody decided yet when the data is deleted".to_owned(),
        });
        lines
    }
}

/// Who decided on a day, and why it is that one.
pub(crate) fn ground(decided: &DeletionV1) -> String {
    let by = decided.by.as_deref().map_or_else(|| "nobody by name".to_owned(), migration::text::clean_line);
    match decided.is_named {
        true => format!("{by} decided at {:.0}", decided.at),
        false => format!(
            "follows from the cut-over ({} days after it), recorded at {:.0} for {by}",
            deletions::KEPT_DAYS,
            decided.at
        ),
    }
}
