//! The report as it is stored, and what it groups. Ids, codes and counts only.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::advice;
use super::forecast::ForecastV1;
use super::recordings::RecordingsV1;
use super::records::{Line, State};
use super::since::SinceV1;
use super::summary::SummaryV1;
use crate::sample::ChosenV1;

/// Records that a group names.
pub const SAMPLES_MAX: usize = 3;

/// `report.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "version")]
pub enum StoredReport {
    /// First form.
    #[serde(rename = "1")]
    V1(Box<ReportV1>),
}

/// Contents of `report.json`, first form.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReportV1 {
    /// Name of the migration.
    pub migration: String,
    /// The run.
    pub run: String,
    /// Subdomain at Gorgias; absent before the plan.
    pub account: Option<String>,
    /// When the report was made.
    pub made_at: Timestamp,
    /// The figures.
    #[serde(flatten)]
    pub summary: SummaryV1,
    /// Codes of differences that a person accepted by name.
    pub accepted: Vec<String>,
    /// Verdict by wave.
    pub waves: BTreeMap<String, String>,
    /// Unexplained differences by code.
    pub differences: BTreeMap<String, u64>,
    /// Explained differences by code.
    pub explained: BTreeMap<String, u64>,
    /// Records that did not arrive, by code; most frequent first.
    pub failures: Vec<GroupV1>,
    /// Records that were left out, by code; most frequent first.
    pub excluded: Vec<GroupV1>,
    /// Values that were dropped from records that arrived, by code; most frequent first.
    pub dropped_values: Vec<GroupV1>,
    /// How often a rule was applied, by code.
    pub notes: BTreeMap<String, u64>,
    /// What became of the recordings, where they were to be fetched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recordings: Option<RecordingsV1>,
    /// What was chosen, where the run is a sample.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sample: Option<ChosenV1>,
    /// Requests to Gorgias by route.
    pub requests_by_route: BTreeMap<String, u64>,
    /// What was forecast, beside what happened; absent where nothing was forecast.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forecast: Option<ForecastV1>,
    /// What came after the load.
    #[serde(default, skip_serializing_if = "SinceV1::is_empty")]
    pub since: SinceV1,
    /// Every wave was compared, and found right or accepted by name.
    pub is_complete: bool,
    /// What came to light while the report was made, as code and text.
    pub remarks: Vec<RemarkV1>,
    /// Where things lie in the store.
    pub places: BTreeMap<String, String>,
    /// The one command to run next.
    pub next: String,
}

/// Something about the report itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RemarkV1 {
    /// Stable code.
    pub code: String,
    /// Explanation without values.
    pub text: String,
}

/// Records with one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupV1 {
    /// Code of the reason.
    pub code: String,
    /// What it says.
    pub title: String,
    /// What to do.
    pub advice: String,
    /// How many.
    pub count: u64,
    /// How many of each kind.
    pub objects: BTreeMap<String, u64>,
    /// The first few, as kind and id.
    pub samples: Vec<String>,
}

/// Gathers records by code while they pass.
#[derive(Debug, Default)]
pub struct Groups {
    by_code: BTreeMap<String, (BTreeMap<String, u64>, Vec<String>)>,
}

impl Groups {
    /// Adds one record.
    pub fn add(&mut self, code: &str, object: &str, id: &str) {
        let (objects, samples) = self.by_code.entry(code.to_owned()).or_default();
        *objects.entry(object.to_owned()).or_default() += 1;
        if samples.len() < SAMPLES_MAX {
            samples.push(format!("{object} {id}"));
        }
    }

    /// The groups, most frequent first.
    #[must_use]
    pub fn into_sorted(self) -> Vec<GroupV1> {
        let group = |(code, (objects, samples)): (String, (BTreeMap<String, u64>, Vec<String>))| {
            let advice::Advice { title, advice } = advice::of(&code);
            let count = objects.values().sum();
            GroupV1 { code, title: title.to_owned(), advice: advice.to_owned(), count, objects, samples }
        };
        let mut groups: Vec<GroupV1> = self.by_code.into_iter().map(group).collect();
        groups.sort_by(|left, right| right.count.cmp(&left.count).then_with(|| left.code.cmp(&right.code)));
        groups
    }
}

/// The three kinds of groups of a report.
#[derive(Debug, Default)]
pub struct Reasons {
    /// Records that did not arrive.
    pub failures: Groups,
    /// Records that were left out.
    pub excluded: Groups,
    /// Values that were dropped.
    pub dropped_values: Groups,
}

impl Reasons {
    /// Takes one record into account.
    pub fn take(&mut self, line: &Line) {
        let code = line.code.as_deref().unwrap_or("none");
        match line.state {
            State::Failed => self.failures.add(code, &line.object, &line.source_id),
            State::Excluded => self.excluded.add(code, &line.object, &line.source_id),
            State::Loaded | State::Merged => {}
        }
    }
}
