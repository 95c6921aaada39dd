//! A plan as a file that people keep: what would be written, object by object, and the digests of everything behind it.
//!
//! It is a promise: only while plan, mapping, source snapshot and account are those that it names is it applied.
//! Deliberately absent: the batches; they stand in the store, under the digest that the file names.

use std::collections::BTreeMap;

use migration::mapping::Decision;
use serde::{Deserialize, Serialize};
use snapshot::Pass;
use snapshot::tables::ControlFailure;

use super::{PlanError, PlanV1};
use crate::approval;
use crate::archive::{self, ArchiveError};
use crate::context::Context;
use crate::documents::{self, DocumentError};

/// Ids of one object that are shown.
const SAMPLES_MAX: usize = 5;

/// The file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "version")]
pub enum StoredSavedPlan {
    /// First version.
    #[serde(rename = "1")]
    V1(SavedPlanV1),
}

/// First version of a saved plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SavedPlanV1 {
    /// The migration.
    pub migration: String,
    /// The run.
    pub run: String,
    /// Subdomain of the Gorgias account.
    pub account: String,
    /// SHA-256 of the plan in the store.
    pub plan: String,
    /// SHA-256 of the approved mapping.
    pub mapping: String,
    /// SHA-256 of the manifest of every table of the source snapshot.
    pub source: BTreeMap<String, String>,
    /// Whether applying it would write anything.
    pub has_changes: bool,
    /// By object.
    pub objects: BTreeMap<String, PlannedV1>,
    /// The fewest requests that it takes.
    pub requests_floor: u64,
    /// Seconds at the rate limit of the account.
    pub bound_seconds: f64,
}

/// What becomes of the records of one object.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedV1 {
    /// Records to create.
    pub create: u64,
    /// Records to change.
    pub update: u64,
    /// Records that are there already as they should be.
    pub skip: u64,
    /// Records that cannot migrate, or only in part.
    pub cannot: u64,
    /// Things that a person left out, or that wait for one.
    pub decided: u64,
    /// Ids of some records.
    pub samples: Vec<String>,
    /// Reasons with how often each holds.
    pub reasons: BTreeMap<String, u64>,
}

/// Why a saved plan is not applied.
#[derive(Debug, thiserror::Error)]
pub enum SavedPlanError {
    /// It is no saved plan, or one of a newer program.
    #[error("the file is no saved plan of a version that this program knows")]
    Unreadable(#[source] serde_json::Error),
    /// It was saved for something else than what is there now.
    #[error("the saved plan is not the one of now: {}", .0.join("; "))]
    Stale(Vec<String>),
    /// What it is compared with cannot be read.
    #[error("cannot read what the saved plan is compared with")]
    Plan(#[from] PlanError),
    /// The mapping.
    #[error("cannot read the mapping that the saved plan names")]
    Mapping(#[from] DocumentError),
    /// A snapshot.
    #[error("cannot read a snapshot that the saved plan names")]
    Archive(#[from] ArchiveError),
}

impl SavedPlanError {
    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unreadable(_) => "PLA102",
            Self::Stale(_) => "PLA101",
            Self::Plan(error) => error.code(),
            Self::Mapping(error) => error.code(),
            Self::Archive(error) => error.code(),
        }
    }
}

impl SavedPlanV1 {
    /// The plan of the run as it is now.
    ///
    /// # Errors
    /// [`SavedPlanError`] before the run has a plan.
    pub async fn of(ctx: &Context) -> Result<Self, SavedPlanError> {
        let (plan, digest) = super::read(ctx).await?;
        let mapping = documents::confirmed_mapping(ctx).await?;
        let mut objects = written(&plan);
        for row in archive::open::<ControlFailure>(ctx, &ctx.run, Pass::Full).await? {
            let row = row.map_err(ArchiveError::from)?;
            let planned = objects.entry(row.object).or_default();
            planned.cannot += 1;
            *planned.reasons.entry(row.reason_code).or_default() += 1;
            if planned.samples.len() < SAMPLES_MAX {
                planned.samples.push(row.leaddesk_id);
            }
        }
        for row in mapping.rows() {
            if let Decision::Leave(objection) = &row.decision {
                let planned = objects.entry(row.id.object.as_str().to_owned()).or_default();
                planned.decided += 1;
                *planned.reasons.entry(objection.code.as_str().to_owned()).or_default() += 1;
            }
        }
        let source = approval::manifests(ctx).await?;
        Ok(Self {
            migration: ctx.migration.clone(),
            run: ctx.run.to_string(),
            account: plan.account.clone(),
            plan: digest.to_hex(),
            mapping: mapping.digest().to_hex(),
            source: source.into_iter().map(|(table, digest)| (table, digest.to_hex())).collect(),
            has_changes: plan.waves.iter().any(|wave| wave.writes > 0),
            objects,
            requests_floor: plan.requests_floor,
            bound_seconds: plan.bound_seconds,
        })
    }

    /// From the bytes of a file.
    ///
    /// # Errors
    /// [`SavedPlanError::Unreadable`].
    pub fn read(bytes: &[u8]) -> Result<Self, SavedPlanError> {
        let StoredSavedPlan::V1(saved) = serde_json::from_slice(bytes).map_err(SavedPlanError::Unreadable)?;
        Ok(saved)
    }

    /// Lets it be applied: everything that it names is as it was when it was saved.
    ///
    /// # Errors
    /// [`SavedPlanError::Stale`] with every difference in words.
    pub async fn check(&self, ctx: &Context) -> Result<(), SavedPlanError> {
        let differences = self.differences(&Self::of(ctx).await?);
        if differences.is_empty() { Ok(()) } else { Err(SavedPlanError::Stale(differences)) }
    }

    fn differences(&self, now: &Self) -> Vec<String> {
        let mut found = Vec::new();
        for (what, saved, is) in [
            ("migration", &self.migration, &now.migration),
            ("run", &self.run, &now.run),
            ("Gorgias account", &self.account, &now.account),
        ] {
            if saved != is {
                found.push(format!("it was saved for {what} {saved}, this is {is}"));
            }
        }
        if self.mapping != now.mapping {
            found.push("the mapping is another one".to_owned());
        }
        for table in self.source.keys().chain(now.source.keys()).collect::<std::collections::BTreeSet<_>>() {
            if self.source.get(table) != now.source.get(table) {
                found.push(format!("the source snapshot differs in {table}"));
            }
        }
        // The file's own words count as well: what a person read is what is applied.
        if found.is_empty() && self != now {
            found.push(
                if self.plan == now.plan { "the file was edited" } else { "the plan is another one" }
                    .to_owned(),
            );
        }
        found
    }
}

/// What the plan writes, by object.
fn written(plan: &PlanV1) -> BTreeMap<String, PlannedV1> {
    let counts = &plan.counts;
    let samples = |name: &str| {
        let batches = plan.waves.iter().filter(|wave| wave.name == name).flat_map(|wave| &wave.batches);
        batches.map(|batch| batch.first.clone()).take(SAMPLES_MAX).collect()
    };
    let records =
        |name: &str| plan.waves.iter().filter(|wave| wave.name == name).map(|wave| wave.records).sum::<u64>();
    let created = |create| PlannedV1 { create, ..PlannedV1::default() };
    let customers = records("customers");
    BTreeMap::from([
        (
            "customer".to_owned(),
            PlannedV1 {
                update: counts.customers_adopted,
                skip: customers.saturating_sub(counts.customers_created + counts.customers_adopted),
                samples: samples("customers"),
                ..created(counts.customers_created)
            },
        ),
        (
            "ticket".to_owned(),
            PlannedV1 {
                skip: (records("leads") + records("chats")).saturating_sub(counts.tickets_created),
                samples: [samples("leads"), samples("chats")]
                    .concat()
                    .into_iter()
                    .take(SAMPLES_MAX)
                    .collect(),
                ..created(counts.tickets_created)
            },
        ),
        ("message".to_owned(), created(counts.messages_created)),
        ("attachment".to_owned(), created(counts.files_uploaded)),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn saved() -> SavedPlanV1 {
        SavedPlanV1 {
            migration: "acme".to_owned(),
            run: "2026-11-22-a1".to_owned(),
            account: "acme".to_owned(),
            plan: "aa".to_owned(),
            mapping: "bb".to_owned(),
            source: [("src_leaddesk_contact".to_owned(), "cc".to_owned())].into(),
            has_changes: true,
            objects: [("ticket".to_owned(), PlannedV1 { create: 3, ..PlannedV1::default() })].into(),
            requests_floor: 10,
            bound_seconds: 5.0,
        }
    }

    /// A change of a saved plan, and what is said of it.
    type Case = (fn(&mut SavedPlanV1), &'static str);

    #[test]
    fn whatever_changed_is_named() {
        let now = saved();
        assert_eq!(now.differences(&now), [""; 0]);
        let cases: [Case; 7] = [
            (
                |plan| plan.account = "other".to_owned(),
                "it was saved for Gorgias account acme, this is other",
            ),
            (
                |plan| plan.run = "2026-11-22-a2".to_owned(),
                "it was saved for run 2026-11-22-a1, this is 2026-11-22-a2",
            ),
            (|plan| plan.mapping = "b0".to_owned(), "the mapping is another one"),
            (
                |plan| {
                    plan.source.insert("src_leaddesk_call".to_owned(), "dd".to_owned());
                },
                "the source snapshot differs in src_leaddesk_call",
            ),
            (|plan| plan.source.clear(), "the source snapshot differs in src_leaddesk_contact"),
            (|plan| plan.plan = "a0".to_owned(), "the plan is another one"),
            (|plan| plan.objects.clear(), "the file was edited"),
        ];
        for (change, said) in cases {
            let mut other = saved();
            change(&mut other);
            assert_eq!(now.differences(&other), [said]);
        }
    }

    #[test]
    fn a_file_is_read_as_it_was_written() {
        let text = serde_json::to_vec(&StoredSavedPlan::V1(saved())).expect("text");
        assert_eq!(SavedPlanV1::read(&text).expect("a plan"), saved());
        for bad in ["", "{}", r#"{"version":"2"}"#, r#"{"version":"1","migration":"acme"}"#] {
            assert_eq!(SavedPlanV1::read(bad.as_bytes()).expect_err(bad).code(), "PLA102");
        }
    }
}
