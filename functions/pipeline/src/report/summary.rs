//! The figures of a run, and the check that no source record is unaccounted for.
//!
//! Pure: the store is read elsewhere (see `facts`).

use std::collections::BTreeMap;
use std::time::Duration;

use migration::compare::{Balance, Unbalanced};
use migration::load_plan;
use serde::{Deserialize, Serialize};

pub use migration::compare::Verdict;

/// Where every source record of one kind went: `source = excluded + merged + loaded + failed`. Records.
pub type ObjectSummary = Balance;

/// The figures of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    /// The worst verdict of all waves; empty when nothing was compared.
    pub verdict: Verdict,
    /// By kind of source record: `contact`, `lead`, `call`, …
    pub objects: BTreeMap<String, ObjectSummary>,
    /// Fields compared with what was read back.
    pub fields_compared: u64,
    /// Of these, different without an explanation.
    pub fields_different: u64,
    /// Of these, different with a declared explanation.
    pub fields_explained: u64,
    /// Keys carried by more than one record at Gorgias.
    pub duplicates: u64,
    /// Requests sent to Gorgias, over all starts of the run.
    pub requests: u64,
    /// The fewest requests with which the run could be written and proven; 0 before there is a plan.
    pub requests_floor: u64,
    /// Answers 429.
    pub responses_429: u64,
    /// Seconds that the account's rate limit makes `requests_floor` last at the least.
    pub bound_seconds: f64,
    /// Seconds that the steps took which send requests to Gorgias.
    pub elapsed_seconds: f64,
    /// `bound_seconds` over `elapsed_seconds`, from 0 to 1.
    pub efficiency: f64,
}

/// What a summary is made from.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Facts {
    /// Source records by kind, as transform counted them.
    pub source: BTreeMap<String, u64>,
    /// What became of each record, counted record by record.
    pub outcomes: BTreeMap<String, Outcomes>,
    /// Verdict of every wave that had records.
    pub verdicts: Vec<Verdict>,
    /// See [`Summary`].
    pub fields_compared: u64,
    /// See [`Summary`].
    pub fields_different: u64,
    /// See [`Summary`].
    pub fields_explained: u64,
    /// See [`Summary`].
    pub duplicates: u64,
    /// See [`Summary`].
    pub requests: u64,
    /// See [`Summary`].
    pub requests_floor: u64,
    /// See [`Summary`].
    pub responses_429: u64,
    /// See [`Summary`].
    pub bound_seconds: f64,
    /// See [`Summary`].
    pub elapsed_seconds: f64,
}

/// Records of one kind by what became of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Outcomes {
    /// Left out by decision or rule.
    pub excluded: u64,
    /// Part of another record.
    pub merged: u64,
    /// There, and found equal to what was wished.
    pub loaded: u64,
    /// Not there, or different.
    pub failed: u64,
}

/// Why the figures cannot be true.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SummaryError {
    /// Records of one kind do not add up.
    #[error("records of kind {object} do not add up")]
    Unbalanced {
        /// The kind.
        object: String,
        /// The five figures.
        source: Unbalanced,
    },
}

impl Summary {
    /// Puts the figures together and checks that every source record has exactly one outcome.
    ///
    /// # Errors
    /// [`SummaryError::Unbalanced`] names the kind of record.
    pub fn of(facts: &Facts) -> Result<Self, SummaryError> {
        let mut objects = BTreeMap::new();
        for object in facts.source.keys().chain(facts.outcomes.keys()) {
            let records = facts.source.get(object).copied().unwrap_or(0);
            let Outcomes { excluded, merged, loaded, failed } =
                facts.outcomes.get(object).copied().unwrap_or_default();
            let balance = Balance::new(records, excluded, merged, loaded, failed)
                .map_err(|source| SummaryError::Unbalanced { object: object.clone(), source })?;
            objects.insert(object.clone(), balance);
        }
        let seconds = |seconds: f64| Duration::try_from_secs_f64(seconds).unwrap_or_default();
        Ok(Self {
            verdict: worst(&facts.verdicts),
            objects,
            fields_compared: facts.fields_compared,
            fields_different: facts.fields_different,
            fields_explained: facts.fields_explained,
            duplicates: facts.duplicates,
            requests: facts.requests,
            requests_floor: facts.requests_floor,
            responses_429: facts.responses_429,
            bound_seconds: facts.bound_seconds,
            elapsed_seconds: facts.elapsed_seconds,
            efficiency: load_plan::efficiency(seconds(facts.bound_seconds), seconds(facts.elapsed_seconds)),
        })
    }

    /// Records of all kinds that did not arrive.
    #[must_use]
    pub fn failed(&self) -> u64 {
        self.objects.values().map(Balance::failed).sum()
    }

    /// The stored form.
    #[must_use]
    pub fn to_stored(&self) -> SummaryV1 {
        let objects = self.objects.iter().map(|(object, balance)| (object.clone(), ObjectV1::of(balance)));
        SummaryV1 {
            verdict: self.verdict.as_str().to_owned(),
            objects: objects.collect(),
            fields_compared: self.fields_compared,
            fields_different: self.fields_different,
            fields_explained: self.fields_explained,
            duplicates: self.duplicates,
            requests: self.requests,
            requests_floor: self.requests_floor,
            responses_429: self.responses_429,
            bound_seconds: self.bound_seconds,
            elapsed_seconds: self.elapsed_seconds,
            efficiency: self.efficiency,
        }
    }
}

/// One failed wave fails the run; a run without any comparison proves nothing.
fn worst(verdicts: &[Verdict]) -> Verdict {
    if verdicts.contains(&Verdict::Fail) {
        Verdict::Fail
    } else if verdicts.is_empty() || verdicts.contains(&Verdict::Empty) {
        Verdict::Empty
    } else {
        Verdict::Pass
    }
}

/// The figures as they stand in `report.json`; the fields are those of [`Summary`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names are those of `Summary`, which documents them")]
pub struct SummaryV1 {
    pub verdict: String,
    pub objects: BTreeMap<String, ObjectV1>,
    pub fields_compared: u64,
    pub fields_different: u64,
    pub fields_explained: u64,
    pub duplicates: u64,
    pub requests: u64,
    pub requests_floor: u64,
    pub responses_429: u64,
    pub bound_seconds: f64,
    pub elapsed_seconds: f64,
    pub efficiency: f64,
}

/// One kind of record in `report.json`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names are those of `ObjectSummary`, which documents them")]
pub struct ObjectV1 {
    pub source: u64,
    pub excluded: u64,
    pub merged: u64,
    pub loaded: u64,
    pub failed: u64,
}

impl ObjectV1 {
    fn of(balance: &Balance) -> Self {
        Self {
            source: balance.source(),
            excluded: balance.excluded(),
            merged: balance.merged(),
            loaded: balance.loaded(),
            failed: balance.failed(),
        }
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    fn check(records: u64, outcomes: Outcomes, verdicts: &[Verdict], expected: &Expect) {
        let facts = Facts {
            source: BTreeMap::from([("contact".to_owned(), records)]),
            outcomes: BTreeMap::from([("contact".to_owned(), outcomes)]),
            verdicts: verdicts.to_vec(),
            bound_seconds: 30.0,
            elapsed_seconds: 40.0,
            ..Facts::default()
        };
        expected.assert_eq(&match Summary::of(&facts) {
            Ok(summary) => format!("{} {}", summary.verdict.as_str(), summary.efficiency),
            Err(error @ SummaryError::Unbalanced { .. }) => {
                format!("{error}: {}", std::error::Error::source(&error).expect("a cause"))
            }
        });
    }

    #[test]
    fn every_record_has_one_outcome() {
        let outcomes = Outcomes { excluded: 1, merged: 2, loaded: 3, failed: 4 };
        check(10, outcomes, &[Verdict::Pass], &expect!["pass 0.75"]);
        check(
            11,
            outcomes,
            &[Verdict::Pass],
            &expect![
                "records of kind contact do not add up: 11 in the source, but 1 excluded + 2 merged + 3 loaded + 4 failed make 10"
            ],
        );
        check(
            0,
            outcomes,
            &[],
            &expect![
                "records of kind contact do not add up: 0 in the source, but 1 excluded + 2 merged + 3 loaded + 4 failed make 10"
            ],
        );
    }

    #[test]
    fn the_worst_wave_speaks_for_the_run_and_nothing_compared_is_no_pass() {
        let none = Outcomes::default();
        check(0, none, &[], &expect!["empty 0.75"]);
        check(0, none, &[Verdict::Pass, Verdict::Empty], &expect!["empty 0.75"]);
        check(0, none, &[Verdict::Fail, Verdict::Empty, Verdict::Pass], &expect!["fail 0.75"]);
    }
}
