//! Records drawn by a printed seed, side by side, and what people said of them: `reports/<run>/spotcheck/<number>/`.
//!
//! A sample is `sample.json` with ids alone, and `spotcheck.html` with the personal data that has to be compared; each
//! judgement is one more `result-<number>.json`. Nothing is replaced, and no request is sent but by [`now`]: what Gorgias holds is
//! what was read back. Deliberately absent: drawing and counting (see `migration::spot_check`).

mod candidates;
pub mod now;
mod page;
pub mod stored;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use jiff::Timestamp;
use migration::spot_check::{Drawn, Sampler, meaning};

use crate::archive::ArchiveError;
use crate::boxed::of_snapshot;
use crate::context::Context;
use crate::ledger::key::sha256_hex;
use crate::load::LoadError;
use crate::ports::gorgias::ReadError;
use crate::ports::leaddesk::SourceError;
use crate::ports::store::{InvalidKey, Key, Put, StoreError};
use crate::run_folder::{self, DocumentError};
use crate::trace::{Names, Record, TraceError};

pub use stored::{JudgedV1, ResultV1, SampleV1, StoredFile, StoredResult, StoredSample};

/// File of the page.
pub const PAGE: &str = "spotcheck.html";
/// Samples of one run, and results of one sample, at most.
const NUMBERS_MAX: u32 = 999;
/// Characters of a comment, at most: a remark, no letter.
const COMMENT_CHARS_MAX: usize = 2_000;

/// Why a spot check cannot be made or recorded.
#[derive(Debug, thiserror::Error)]
pub enum SpotError {
    /// There is no sample yet, or none of this number.
    #[error("there is no spot check of run {run} to record or show; draw one with spotcheck new")]
    NoSample {
        /// The run.
        run: String,
    },
    /// The file is no result of a spot check.
    #[error("the file is no spotcheck.json as the page writes it")]
    File(#[source] serde_json::Error),
    /// The file belongs to another sample.
    #[error("the file is of another spot check: {what}")]
    OtherSample {
        /// What does not fit.
        what: String,
    },
    /// Nobody judged.
    #[error("the name of who compared the records is empty; write it into the page, or pass --by")]
    NoName,
    /// The page cannot be written; a bug.
    #[error("the page of the spot check cannot be written")]
    Page(#[source] askama::Error),
    /// More than anybody makes.
    #[error("there are {NUMBERS_MAX} of them already")]
    TooMany,
    /// The records.
    #[error("cannot read the records on both sides")]
    Trace(#[from] TraceError),
    /// A snapshot.
    #[error("cannot read a snapshot for the spot check")]
    Archive(#[from] ArchiveError),
    /// A document.
    #[error("cannot keep or read a spot check")]
    Document(#[from] DocumentError),
    /// The store.
    #[error("cannot reach the store")]
    Store(#[from] StoreError),
    /// A name that is no key.
    #[error("cannot name a spot check")]
    Key(#[from] InvalidKey),
    /// Reading LeadDesk.
    #[error("cannot ask LeadDesk for a record of the spot check")]
    Source(#[from] SourceError),
    /// Reading Gorgias.
    #[error("cannot ask Gorgias for a record of the spot check")]
    Destination(#[from] ReadError),
    /// What prepare made cannot be told.
    #[error("cannot tell what the run made at Gorgias")]
    Names(#[source] Box<LoadError>),
}

of_snapshot!(SpotError);

impl SpotError {
    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoSample { .. } => "SPT001",
            Self::File(_) => "SPT002",
            Self::OtherSample { .. } => "SPT003",
            Self::NoName => "SPT004",
            Self::Page(_) | Self::TooMany => "SPT005",
            Self::Trace(error) => error.code(),
            Self::Archive(error) => error.code(),
            Self::Document(_) | Self::Store(_) | Self::Key(_) => "STO101",
            Self::Source(_) => "EXT107",
            Self::Destination(ReadError::Credentials { .. }) => "GOR101",
            Self::Destination(_) => "GOR102",
            Self::Names(error) => error.code(),
        }
    }
}

/// A sample that was drawn, with both sides of its records.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// What is stored of it.
    pub drawn: SampleV1,
    /// The records, in order.
    pub records: Vec<Record>,
    /// Where the page lies in the store.
    pub page: Key,
}

/// A sample with everything that people said of it; the latest judgement of a record counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// Its number.
    pub number: u32,
    /// Its seed.
    pub seed: u64,
    /// When it was drawn.
    pub drawn_at: Timestamp,
    /// Records of it.
    pub records: u64,
    /// Records that were found right or wrong.
    pub judged: u64,
    /// Records that were found wrong.
    pub wrong: u64,
    /// Who, when, what of each, and what the tally says.
    pub lines: Vec<String>,
}

fn folder(ctx: &Context) -> Result<Key, InvalidKey> {
    ctx.key(&format!("reports/{}/spotcheck", ctx.run))
}

fn key(ctx: &Context, number: u32, name: &str) -> Result<Key, InvalidKey> {
    Key::new(format!("{}/{number:04}/{name}", folder(ctx)?))
}

/// Draws a sample, and writes its page; `seed` is the number of the sample unless one is named.
///
/// # Errors
/// [`SpotError`]; [`TraceError::NoIdMap`] before the report.
pub async fn new(ctx: &Context, seed: Option<u64>, size: usize) -> Result<Sample, SpotError> {
    let at = ctx.clock.now();
    let held = samples(ctx).await?;
    let mut number = held.last().map_or(0, |sample| sample.number) + 1;
    while number <= NUMBERS_MAX {
        let seed = seed.unwrap_or(u64::from(number));
        let mut sampler = Sampler::new(seed, size);
        candidates::offer(ctx, &mut sampler).await?;
        let drawn = SampleV1::of(ctx.run.as_str(), number, seed, at, &sampler.draw());
        let records = both_sides(ctx, &drawn).await?;
        let page = key(ctx, number, PAGE)?;
        let stored = StoredSample::V1(drawn.clone());
        if run_folder::put(ctx, &key(ctx, number, "sample.json")?, &stored).await? == Put::Created {
            let html = page::render(ctx, &drawn, &records)?;
            ctx.store.put_new(&page, Bytes::from(html)).await?;
            return Ok(Sample { drawn, records, page });
        }
        number += 1;
    }
    Err(SpotError::TooMany)
}

async fn both_sides(ctx: &Context, drawn: &SampleV1) -> Result<Vec<Record>, SpotError> {
    let names: Names = drawn.records.iter().map(|it| (it.object.clone(), it.leaddesk_id.clone())).collect();
    Ok(crate::trace::records(ctx, &names).await?)
}

async fn samples(ctx: &Context) -> Result<Vec<SampleV1>, SpotError> {
    let mut samples = Vec::new();
    for key in ctx.store.list(&folder(ctx)?).await? {
        if key.as_str().ends_with("/sample.json") {
            let StoredSample::V1(sample) = run_folder::need(ctx, &key).await?;
            samples.push(sample);
        }
    }
    Ok(samples)
}

/// Keeps what people said of a sample: the file that the page downloads.
///
/// # Errors
/// [`SpotError::File`], [`SpotError::OtherSample`], [`SpotError::NoName`]; nothing is kept then.
pub async fn record(ctx: &Context, file: &[u8], by: Option<&str>) -> Result<Checked, SpotError> {
    let StoredFile::V1(said) = serde_json::from_slice(file).map_err(SpotError::File)?;
    let other = |what: String| SpotError::OtherSample { what };
    if said.run != ctx.run.as_str() {
        return Err(other(format!("it is of run {}", said.run)));
    }
    let samples = samples(ctx).await?;
    let none = || SpotError::NoSample { run: ctx.run.to_string() };
    let sample = samples.iter().find(|sample| sample.number == said.sample).ok_or_else(none)?;
    if sample.digest() != said.digest {
        return Err(other("its records are not those that were drawn".to_owned()));
    }
    let known: BTreeSet<(&str, &str)> =
        sample.records.iter().map(|it| (it.object.as_str(), it.leaddesk_id.as_str())).collect();
    let is_strange = |it: &&JudgedV1| !known.contains(&(it.object.as_str(), it.leaddesk_id.as_str()));
    if let Some(strange) = said.records.iter().find(is_strange) {
        return Err(other(format!(
            "it judges {} {}, which was not drawn",
            strange.object, strange.leaddesk_id
        )));
    }
    let by = by.unwrap_or(&said.by).trim().to_owned();
    if by.is_empty() {
        return Err(SpotError::NoName);
    }
    let cut = |text: &str| text.chars().take(COMMENT_CHARS_MAX).collect::<String>();
    let records =
        said.records.iter().map(|it| JudgedV1 { comment: cut(&it.comment), ..it.clone() }).collect();
    let result =
        ResultV1 { sample: sample.number, by, at: ctx.clock.now(), file_sha256: sha256_hex(file), records };
    let held = results(ctx, sample.number).await?;
    let is_same = |it: &ResultV1| it.file_sha256 == result.file_sha256 && it.by == result.by;
    if !held.iter().any(is_same) {
        keep(ctx, sample.number, result, held.len()).await?;
    }
    Ok(checked(sample, &results(ctx, sample.number).await?))
}

async fn keep(ctx: &Context, sample: u32, result: ResultV1, held: usize) -> Result<(), SpotError> {
    let stored = StoredResult::V1(result);
    let first = u32::try_from(held).unwrap_or(NUMBERS_MAX) + 1;
    for number in first..=NUMBERS_MAX {
        let key = key(ctx, sample, &format!("result-{number:04}.json"))?;
        if run_folder::put(ctx, &key, &stored).await? == Put::Created {
            return Ok(());
        }
    }
    Err(SpotError::TooMany)
}

async fn results(ctx: &Context, sample: u32) -> Result<Vec<ResultV1>, SpotError> {
    let folder = Key::new(format!("{}/{sample:04}", folder(ctx)?))?;
    let mut results = Vec::new();
    for key in ctx.store.list(&folder).await? {
        if key.as_str().contains("/result-") {
            let StoredResult::V1(result) = run_folder::need(ctx, &key).await?;
            results.push(result);
        }
    }
    Ok(results)
}

/// Every sample of the run with its tally, oldest first.
///
/// # Errors
/// [`SpotError`].
pub async fn all(ctx: &Context) -> Result<Vec<Checked>, SpotError> {
    let mut all = Vec::new();
    for sample in samples(ctx).await? {
        all.push(checked(&sample, &results(ctx, sample.number).await?));
    }
    Ok(all)
}

fn checked(sample: &SampleV1, results: &[ResultV1]) -> Checked {
    let mut latest: BTreeMap<(&str, &str), &JudgedV1> = BTreeMap::new();
    let mut lines = Vec::new();
    for result in results {
        lines.push(format!(
            "{} recorded {} of {} records at {:.0}",
            result.by,
            result.records.len(),
            sample.records.len(),
            result.at
        ));
        latest.extend(result.records.iter().map(|it| ((it.object.as_str(), it.leaddesk_id.as_str()), it)));
    }
    let count = |verdict: &str| latest.values().filter(|it| it.verdict == verdict).count();
    let (right, wrong, unsure) = (count(stored::RIGHT), count(stored::WRONG), count(stored::UNSURE));
    for it in latest.values().filter(|it| it.verdict != stored::RIGHT || !it.comment.is_empty()) {
        let comment = migration::text::clean_line(&it.comment);
        let comment = if comment.is_empty() { "no comment".to_owned() } else { comment };
        lines.push(format!("{} {}: {}; {comment}", it.object, it.leaddesk_id, it.verdict));
    }
    let small = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    lines.extend(meaning(small(right + wrong), small(wrong), small(unsure)));
    if !sample.uncovered.is_empty() {
        lines.push(format!("No room was left for: {}", sample.uncovered.join(", ")));
    }
    Checked {
        number: sample.number,
        seed: sample.seed,
        drawn_at: sample.drawn_at,
        records: sample.records.len() as u64,
        judged: (right + wrong) as u64,
        wrong: wrong as u64,
        lines,
    }
}

impl SampleV1 {
    fn of(run: &str, number: u32, seed: u64, drawn_at: Timestamp, drawn: &Drawn) -> Self {
        let record =
            |((object, leaddesk_id), strata): (&(String, String), &Vec<migration::spot_check::Stratum>)| {
                stored::DrawnV1 {
                    object: object.clone(),
                    leaddesk_id: leaddesk_id.clone(),
                    strata: strata.iter().map(ToString::to_string).collect(),
                }
            };
        Self {
            run: run.to_owned(),
            number,
            seed,
            drawn_at,
            records: drawn.records.iter().map(record).collect(),
            uncovered: drawn.uncovered.iter().map(ToString::to_string).collect(),
        }
    }
}
