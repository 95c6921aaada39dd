//! The verdicts of all waves, taken together.
//!
//! A wave of tickets compares all tickets written so far again, so of every kind of record the newest verdict counts, and
//! no field is counted twice.

use std::collections::BTreeMap;

use migration::compare::Verdict;
use snapshot::tables::ControlReconDifference;

use crate::context::Context;
use crate::plan::PlanV1;
use crate::reconcile::verdict::{self, Difference, ObjectTally, WaveVerdict};
use crate::run_folder::DocumentError;
use crate::wave::Wave;

/// What the verdicts say.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Verdicts {
    /// Waves that have records, in order, each with its verdict if there is one.
    pub waves: Vec<(Wave, Option<WaveVerdict>)>,
    /// Kind of record at Gorgias to its newest counts.
    pub objects: BTreeMap<String, ObjectTally>,
    /// The newest verdicts, each with the kinds of record that it speaks for.
    newest: Vec<WaveVerdict>,
}

impl Verdicts {
    /// Reads the verdicts of the waves that the plan has records for.
    ///
    /// # Errors
    /// [`DocumentError`].
    pub async fn read(ctx: &Context, plan: Option<&PlanV1>) -> Result<Self, DocumentError> {
        let mut waves = Vec::new();
        for wave in plan.map(PlanV1::waves_with_records).unwrap_or_default() {
            waves.push((wave, verdict::read(ctx, wave).await?));
        }
        Ok(Self::of(waves))
    }

    /// From the verdicts in the order of their waves.
    #[must_use]
    pub fn of(waves: Vec<(Wave, Option<WaveVerdict>)>) -> Self {
        let mut verdicts = Self::default();
        for verdict in waves.iter().filter_map(|(_, verdict)| verdict.as_ref()) {
            let overtaken =
                |older: &WaveVerdict| older.objects.keys().all(|kind| verdict.objects.contains_key(kind));
            verdicts.newest.retain(|older| !overtaken(older));
            verdicts.newest.push(verdict.clone());
            for (kind, tally) in &verdict.objects {
                verdicts.objects.insert(kind.clone(), *tally);
            }
        }
        verdicts.waves = waves;
        verdicts
    }

    /// Verdict of every wave with records; a wave without one counts as not compared.
    #[must_use]
    pub fn words(&self) -> Vec<Verdict> {
        let word = |verdict: &WaveVerdict| match verdict.verdict.as_str() {
            "pass" => Verdict::Pass,
            "fail" => Verdict::Fail,
            _ => Verdict::Empty,
        };
        self.waves.iter().map(|(_, verdict)| verdict.as_ref().map_or(Verdict::Empty, word)).collect()
    }

    /// What to say about each wave.
    #[must_use]
    pub fn wave_words(&self) -> BTreeMap<String, String> {
        let word = |verdict: &Option<WaveVerdict>| match verdict {
            None => "not compared yet".to_owned(),
            Some(verdict) if verdict.is_accepted() => "accepted".to_owned(),
            Some(verdict) => verdict.verdict.clone(),
        };
        self.waves.iter().map(|(wave, verdict)| (wave.to_string(), word(verdict))).collect()
    }

    /// Every wave was compared, and found right or accepted by name.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        let opens = |verdict: &Option<WaveVerdict>| verdict.as_ref().is_some_and(WaveVerdict::opens_next);
        !self.waves.is_empty() && self.waves.iter().all(|(_, verdict)| opens(verdict))
    }

    /// Sum of one figure over all kinds of record.
    #[must_use]
    pub fn sum(&self, figure: fn(&ObjectTally) -> u64) -> u64 {
        self.objects.values().map(figure).sum()
    }

    /// Unexplained differences by code.
    #[must_use]
    pub fn unexplained(&self) -> BTreeMap<String, u64> {
        self.by_code(|verdict| &verdict.unexplained)
    }

    /// Explained differences by code.
    #[must_use]
    pub fn explained(&self) -> BTreeMap<String, u64> {
        self.by_code(|verdict| &verdict.explained)
    }

    fn by_code(&self, codes: fn(&WaveVerdict) -> &BTreeMap<String, u64>) -> BTreeMap<String, u64> {
        let mut sum: BTreeMap<String, u64> = BTreeMap::new();
        for (code, count) in self.newest.iter().flat_map(codes) {
            *sum.entry(code.clone()).or_default() += count;
        }
        sum
    }

    /// Codes that a person accepted by name, sorted.
    #[must_use]
    pub fn accepted(&self) -> Vec<String> {
        let mut codes: Vec<String> =
            self.newest.iter().flat_map(|verdict| verdict.accepted.clone()).collect();
        codes.sort();
        codes.dedup();
        codes
    }

    /// The differences that were kept.
    pub fn differences(&self) -> impl Iterator<Item = &Difference> {
        self.newest.iter().flat_map(|verdict| &verdict.differences)
    }

    /// Differences that were counted and not kept.
    #[must_use]
    pub fn not_kept(&self) -> u64 {
        let counted: u64 = self.unexplained().values().chain(self.explained().values()).sum();
        counted.saturating_sub(self.differences().count() as u64)
    }

    /// Code of the first unexplained difference, by kind and key of the record.
    #[must_use]
    pub fn wrong(&self) -> BTreeMap<(String, String), String> {
        let mut wrong = BTreeMap::new();
        for difference in self.differences().filter(|difference| difference.explanation.is_none()) {
            let key = (difference.object.clone(), difference.external_id.clone());
            wrong.entry(key).or_insert_with(|| difference.code.clone());
        }
        wrong
    }

    /// Rows of the table of differences.
    pub fn rows(&self) -> impl Iterator<Item = ControlReconDifference> + '_ {
        let mut positions: BTreeMap<(String, String, String), i64> = BTreeMap::new();
        self.differences().map(move |difference| {
            let key = (difference.object.clone(), difference.external_id.clone(), difference.field.clone());
            let position = positions.entry(key).or_insert(-1);
            *position += 1;
            ControlReconDifference {
                object: difference.object.clone(),
                external_id: difference.external_id.clone(),
                field_name: difference.field.clone(),
                position: *position,
                gorgias_id: difference.gorgias_id.clone(),
                wanted: difference.wanted.clone(),
                found: difference.found.clone(),
                code: difference.code.clone(),
                is_explained: difference.explanation.is_some(),
            }
        })
    }
}
