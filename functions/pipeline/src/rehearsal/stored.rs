//! What a rehearsal found, as it is kept and told. Ids, counts and codes only.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::report::forecast::ForecastV1;
use crate::report::text::grouped;
use crate::report::{SummaryV1, page::RemarkV1};
use crate::rollback::CertificateV1;

/// `rehearsal.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "version")]
pub enum StoredRehearsal {
    /// First form.
    #[serde(rename = "1")]
    V1(Box<RehearsalV1>),
}

/// What a rehearsal found, first form.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RehearsalV1 {
    /// Counts the rehearsals of the migration.
    pub number: u32,
    /// The run whose decisions were rehearsed.
    pub run: String,
    /// Subdomain of the real account.
    pub account: String,
    /// When it began.
    pub began_at: Timestamp,
    /// When it ended.
    pub ended_at: Timestamp,
    /// How many times faster than real time the stand-in's rate limit ran.
    pub time_scale: f64,
    /// What the stand-in was given.
    pub fed: FedV1,
    /// The load, and what was read back.
    pub loaded: SummaryV1,
    /// What was forecast, beside what the load took; absent where nothing was forecast.
    pub forecast: Option<ForecastV1>,
    /// Seconds that the requests of the load take at the real account's rate limit, at the least.
    pub seconds_at_limit: f64,
    /// What was taken back; absent where the load did not come so far.
    pub taken_back: Option<TakenBackV1>,
    /// The second load; absent where it did not come so far.
    pub again: Option<AgainV1>,
    /// Requests to the real account, by route.
    pub asked: BTreeMap<String, u64>,
    /// Mails, invitations, billed tickets and violations that the stand-in counted.
    pub ledgers: BTreeMap<String, u64>,
    /// Why it did not pass, as code and text; empty when it passed.
    pub wrong: Vec<RemarkV1>,
}

/// What a stand-in was given of the real account.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct FedV1 {
    /// Records by kind.
    pub taken: BTreeMap<String, u64>,
    /// What could not be taken over, by kind.
    pub left: BTreeMap<String, u64>,
    /// Customers that were read in full.
    pub in_full: u64,
}

/// What was taken back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TakenBackV1 {
    /// The certificate of the rollback.
    pub certificate: CertificateV1,
    /// Records of the stand-in that were compared with what they were before.
    pub compared: u64,
    /// Of these, different ones; the first few by kind and id.
    pub different: Vec<String>,
}

/// The second load.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AgainV1 {
    /// Its figures.
    pub loaded: SummaryV1,
    /// Records of ours that were compared with those of the first load.
    pub compared: u64,
    /// Of these, different ones; the first few by kind and our key.
    pub different: Vec<String>,
}

impl RehearsalV1 {
    /// Whether everything was as it should be.
    #[must_use]
    pub fn is_passed(&self) -> bool {
        self.wrong.is_empty()
    }

    /// The whole report, line by line.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let mut lines = vec![format!(
            "Rehearsal   {} of run {} against a stand-in of account {}; nothing was written to the account",
            self.number, self.run, self.account
        )];
        lines
            .push(format!("Account     given to the stand-in with its own ids: {}", counts(&self.fed.taken)));
        lines.push(format!(
            "            {} customers read in full; of others the numbers and values are not known to it",
            grouped(self.fed.in_full)
        ));
        lines.push(
            "            messages of tickets that are there: as many as there are, without text".to_owned(),
        );
        if !self.fed.left.is_empty() {
            lines.push(format!("            not taken over: {}", counts(&self.fed.left)));
        }
        lines.push(told("Load", &self.loaded));
        match &self.taken_back {
            None => lines.push("Rollback    not reached".to_owned()),
            Some(back) => lines.extend(back.lines()),
        }
        match &self.again {
            None => lines.push("Again       not reached".to_owned()),
            Some(again) => {
                lines.push(told("Again", &again.loaded));
                lines.push(format!(
                    "            {} records compared with the first load, {}",
                    grouped(again.compared),
                    different(&again.different)
                ));
            }
        }
        lines.extend(self.effort());
        let ledgers = counts(&self.ledgers);
        lines.push(format!("Effects     {}", if ledgers.is_empty() { "none".to_owned() } else { ledgers }));
        lines.push(format!("Asked       the real account, reads alone: {}", counts(&self.asked)));
        for wrong in &self.wrong {
            lines.push(format!("Wrong       {}: {}", wrong.code, wrong.text));
        }
        lines.push(format!("Verdict     {}", if self.is_passed() { "pass" } else { "fail" }));
        lines
    }

    fn effort(&self) -> Vec<String> {
        let mut lines = vec![format!(
            "Effort      {} requests for the load, {:.0} s at the rate limit of the account",
            grouped(self.loaded.requests),
            self.seconds_at_limit
        )];
        if let Some(forecast) = &self.forecast {
            let figures = forecast.requests;
            lines.push(format!(
                "            forecast: {} requests, between {} and {}; {:.0} s for both systems",
                grouped(figures.likely),
                grouped(figures.low),
                grouped(figures.high),
                forecast.seconds_forecast
            ));
        }
        lines
    }
}

impl TakenBackV1 {
    fn lines(&self) -> Vec<String> {
        let mut outcomes: BTreeMap<String, u64> = BTreeMap::new();
        for (outcome, count) in self.certificate.objects.values().flatten() {
            *outcomes.entry(outcome.clone()).or_default() += count;
        }
        vec![
            format!(
                "Rollback    {}; residue {}, unexpected {}",
                counts(&outcomes),
                self.certificate.residue.len(),
                self.certificate.unexpected
            ),
            format!(
                "            {} records of the account compared with before, {}",
                grouped(self.compared),
                different(&self.different)
            ),
        ]
    }
}

fn told(what: &str, summary: &SummaryV1) -> String {
    let loaded: u64 = summary.objects.values().map(|object| object.loaded).sum();
    let failed: u64 = summary.objects.values().map(|object| object.failed).sum();
    format!(
        "{what:<11} {} records arrived, {} failed; {} fields compared, {} explained, {} different",
        grouped(loaded),
        grouped(failed),
        grouped(summary.fields_compared),
        grouped(summary.fields_explained),
        grouped(summary.fields_different)
    )
}

fn counts(counts: &BTreeMap<String, u64>) -> String {
    let told = counts.iter().filter(|(_, count)| **count > 0);
    told.map(|(what, count)| format!("{what} {}", grouped(*count))).collect::<Vec<_>>().join(", ")
}

fn different(records: &[String]) -> String {
    if records.is_empty() { "all equal".to_owned() } else { format!("different: {}", records.join(", ")) }
}
