//! What the comparison of a wave says, as it is stored.
//!
//! A verdict that opens the next wave is written once and stays. Attempts that do not are kept beside it, numbered.

use std::collections::{BTreeMap, BTreeSet};

use migration::compare::{Tally, Verdict};
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::ports::store::{InvalidKey, Key, Put};
use crate::run_folder::{self, DocumentError};
use crate::sweep::Second;
use crate::wave::Wave;

/// Differences that one verdict keeps in full; all are counted.
pub const DIFFERENCES_MAX: usize = 10_000;

/// The stored form.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "version")]
pub enum StoredVerdict {
    /// First form.
    #[serde(rename = "1")]
    V1(WaveVerdict),
}

/// Verdict of a wave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaveVerdict {
    /// `customers`, `leads`, `chats`.
    pub wave: String,
    /// `pass`, `fail`, `empty`.
    pub verdict: String,
    /// Codes of differences that a person accepted by name.
    pub accepted: Vec<String>,
    /// Counts by kind of record: `customer`, `ticket`, `message`, `tag`, `field`, `team`.
    pub objects: BTreeMap<String, ObjectTally>,
    /// Unexplained differences by code.
    pub unexplained: BTreeMap<String, u64>,
    /// Explained differences by code.
    pub explained: BTreeMap<String, u64>,
    /// The first differences, in the order in which they were found.
    pub differences: Vec<Difference>,
}

/// Counts of one kind of record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ObjectTally {
    /// Wished for and not refused.
    pub wanted: u64,
    /// Compared.
    pub compared: u64,
    /// Could not be read back.
    pub not_checked: u64,
    /// Fields compared.
    pub fields: u64,
    /// Differences without explanation.
    pub unexplained: u64,
    /// Differences with one.
    pub explained: u64,
    /// Keys on more than one record.
    pub duplicates: u64,
}

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// Kind of record.
    pub object: String,
    /// Its key.
    pub external_id: String,
    /// Its id at Gorgias.
    pub gorgias_id: Option<String>,
    /// The field.
    pub field: String,
    /// What should be there.
    pub wanted: Option<String>,
    /// What is there.
    pub found: Option<String>,
    /// What kind of difference.
    pub code: String,
    /// Declared, with the reason.
    pub explanation: Option<String>,
}

impl ObjectTally {
    fn tally(&self) -> Tally {
        Tally {
            wanted: self.wanted,
            compared: self.compared,
            not_checked: self.not_checked,
            fields: self.fields,
            unexplained: self.unexplained,
            explained: self.explained,
            duplicates: self.duplicates,
        }
    }

    fn add(&mut self, other: &Self) {
        self.wanted += other.wanted;
        self.compared += other.compared;
        self.not_checked += other.not_checked;
        self.fields += other.fields;
        self.unexplained += other.unexplained;
        self.explained += other.explained;
        self.duplicates += other.duplicates;
    }
}

impl WaveVerdict {
    /// Nothing was wished for in this wave: there is nothing that could be wrong.
    #[must_use]
    pub fn of_nothing(wave: Wave) -> Self {
        Self {
            wave: wave.to_string(),
            verdict: Tally::default().verdict().as_str().to_owned(),
            accepted: Vec::new(),
            objects: BTreeMap::new(),
            unexplained: BTreeMap::new(),
            explained: BTreeMap::new(),
            differences: Vec::new(),
        }
    }

    /// Whether nothing was wished for: then nothing had to be compared, and nothing stands in the way of the next wave.
    #[must_use]
    pub fn is_of_nothing(&self) -> bool {
        self.verdict == Verdict::Empty.as_str() && self.objects.is_empty() && self.differences.is_empty()
    }

    /// Whether the next wave may open: everything is right, or a person accepted every kind of difference by name.
    #[must_use]
    pub fn opens_next(&self) -> bool {
        self.verdict == Verdict::Pass.as_str() || self.is_accepted()
    }

    /// Not right, and accepted.
    #[must_use]
    pub fn is_accepted(&self) -> bool {
        self.verdict == Verdict::Fail.as_str()
            && !self.unexplained.is_empty()
            && self.unexplained.keys().all(|code| self.accepted.contains(code))
    }

    /// All kinds together.
    #[must_use]
    pub fn total(&self) -> ObjectTally {
        self.objects.values().fold(ObjectTally::default(), |mut total, object| {
            total.add(object);
            total
        })
    }
}

/// Collects what comparing says.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    pub(crate) objects: BTreeMap<String, ObjectTally>,
    unexplained: BTreeMap<String, u64>,
    explained: BTreeMap<String, u64>,
    differences: Vec<Difference>,
    /// Records beside those that the ledger names.
    pub(crate) seconds: BTreeSet<Second>,
}

impl Findings {
    pub(crate) fn object(&mut self, name: &str) -> &mut ObjectTally {
        self.objects.entry(name.to_owned()).or_default()
    }

    pub(crate) fn push(&mut self, difference: Difference) {
        let explained = difference.explanation.is_some();
        let tally = self.object(&difference.object);
        let by_code = if explained {
            tally.explained += 1;
            &mut self.explained
        } else {
            tally.unexplained += 1;
            &mut self.unexplained
        };
        *by_code.entry(difference.code.clone()).or_default() += 1;
        if self.differences.len() < DIFFERENCES_MAX {
            self.differences.push(difference);
        }
    }

    /// The differences without an explanation, as far as they are kept.
    pub(crate) fn unexplained(&self) -> impl Iterator<Item = &Difference> {
        self.differences.iter().filter(|found| found.explanation.is_none())
    }

    /// Adds what was found elsewhere.
    pub(crate) fn absorb(&mut self, other: Self) {
        for (name, tally) in other.objects {
            self.objects.entry(name).or_default().add(&tally);
        }
        for (ours, theirs) in
            [(&mut self.unexplained, other.unexplained), (&mut self.explained, other.explained)]
        {
            for (code, count) in theirs {
                *ours.entry(code).or_default() += count;
            }
        }
        self.seconds.extend(other.seconds);
        let room = DIFFERENCES_MAX.saturating_sub(self.differences.len());
        self.differences.extend(other.differences.into_iter().take(room));
    }

    /// The verdict of the wave: as bad as its worst kind of record.
    pub(crate) fn into_verdict(self, wave: Wave, accepted: &[String]) -> WaveVerdict {
        let verdicts: Vec<Verdict> = self.objects.values().map(|object| object.tally().verdict()).collect();
        let compared: u64 = self.objects.values().map(|object| object.compared).sum();
        let verdict = if verdicts.contains(&Verdict::Fail) {
            Verdict::Fail
        } else if verdicts.contains(&Verdict::Empty) || compared == 0 {
            Verdict::Empty
        } else {
            Verdict::Pass
        };
        let accepted = self.unexplained.keys().filter(|code| accepted.contains(code)).cloned().collect();
        WaveVerdict {
            wave: wave.to_string(),
            verdict: verdict.as_str().to_owned(),
            accepted,
            objects: self.objects,
            unexplained: self.unexplained,
            explained: self.explained,
            differences: self.differences,
        }
    }
}

fn final_key(ctx: &Context, wave: Wave) -> Result<Key, InvalidKey> {
    ctx.key(&format!("reports/{}/verdict-{wave}.json", ctx.run))
}

/// The verdict that opened the next wave, else the newest attempt.
pub(crate) async fn read(ctx: &Context, wave: Wave) -> Result<Option<WaveVerdict>, DocumentError> {
    if let Some(StoredVerdict::V1(verdict)) = run_folder::get(ctx, &final_key(ctx, wave)?).await? {
        return Ok(Some(verdict));
    }
    let Some(newest) = attempts(ctx, wave).await?.pop() else { return Ok(None) };
    let StoredVerdict::V1(verdict) = run_folder::need(ctx, &newest).await?;
    Ok(Some(verdict))
}

async fn attempts(ctx: &Context, wave: Wave) -> Result<Vec<Key>, DocumentError> {
    let folder = ctx.key(&format!("reports/{}/attempts", ctx.run))?;
    let start = format!("{folder}/verdict-{wave}-");
    let keys: Vec<Key> = ctx.store.list(&folder).await.map_err(DocumentError::Store)?;
    Ok(keys.into_iter().filter(|key| key.as_str().starts_with(&start)).collect())
}

/// How many attempts of the wave were kept.
pub(super) async fn attempts_made(ctx: &Context, wave: Wave) -> Result<usize, DocumentError> {
    Ok(attempts(ctx, wave).await?.len())
}

/// Keeps a verdict: for good when it opens the next wave, as a numbered attempt when it does not.
pub(crate) async fn keep(ctx: &Context, wave: Wave, verdict: &WaveVerdict) -> Result<(), DocumentError> {
    if verdict.opens_next() {
        let stored = StoredVerdict::V1(verdict.clone());
        run_folder::put(ctx, &final_key(ctx, wave)?, &stored).await?;
        return Ok(());
    }
    keep_beside(ctx, wave, verdict).await
}

/// Keeps a verdict as the next numbered attempt, beside one that stays.
pub(crate) async fn keep_beside(
    ctx: &Context,
    wave: Wave,
    verdict: &WaveVerdict,
) -> Result<(), DocumentError> {
    let stored = StoredVerdict::V1(verdict.clone());
    let mut number = attempts(ctx, wave).await?.len() + 1;
    loop {
        let key = ctx.key(&format!("reports/{}/attempts/verdict-{wave}-{number:04}.json", ctx.run))?;
        match run_folder::put(ctx, &key, &stored).await? {
            Put::Created => return Ok(()),
            Put::AlreadyThere => number += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(wanted: u64, compared: u64, codes: &[(&str, bool)]) -> Findings {
        let mut findings = Findings::default();
        *findings.object("customer") =
            ObjectTally { wanted, compared, fields: compared * 4, ..ObjectTally::default() };
        for (code, explained) in codes {
            findings.push(Difference {
                object: "customer".to_owned(),
                external_id: "leaddesk:contact:1".to_owned(),
                gorgias_id: None,
                field: "name".to_owned(),
                wanted: None,
                found: None,
                code: (*code).to_owned(),
                explanation: explained.then(|| "declared".to_owned()),
            });
        }
        findings
    }

    #[test]
    fn nothing_opens_the_next_wave_but_a_pass_or_a_named_acceptance() {
        let table: [(Findings, &[&str], &str, bool); 6] = [
            (findings(3, 3, &[]), &[], "pass", true),
            (findings(3, 3, &[("CMP104", true)]), &[], "pass", true),
            (findings(3, 3, &[("CMP104", false)]), &[], "fail", false),
            (findings(3, 3, &[("CMP104", false), ("CMP105", false)]), &["CMP104"], "fail", false),
            (findings(3, 3, &[("CMP104", false)]), &["CMP104"], "fail", true),
            (findings(0, 0, &[]), &[], "empty", false),
        ];
        for (findings, accepted, verdict, opens) in table {
            let accepted: Vec<String> = accepted.iter().map(|code| (*code).to_owned()).collect();
            let found = findings.into_verdict(Wave::Customers, &accepted);
            assert_eq!((found.verdict.as_str(), found.opens_next()), (verdict, opens), "{found:?}");
        }
    }

    #[test]
    fn a_missing_record_cannot_be_accepted_by_accepting_nothing() {
        let found = findings(3, 2, &[]).into_verdict(Wave::Customers, &["CMP104".to_owned()]);
        assert!(!found.opens_next(), "{found:?}");
    }
}
