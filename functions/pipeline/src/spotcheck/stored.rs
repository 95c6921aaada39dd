//! Samples and judgements as they stand in the store, and the file that the page downloads.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ledger::key::sha256_hex;

/// The record is as it should be.
pub const RIGHT: &str = "right";
/// It is not.
pub const WRONG: &str = "wrong";
/// Who compared could not tell.
pub const UNSURE: &str = "unsure";

/// A sample.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "version")]
pub enum StoredSample {
    /// First form.
    #[serde(rename = "1")]
    V1(SampleV1),
}

/// Contents of a sample, first form. Ids alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SampleV1 {
    /// The run.
    pub run: String,
    /// Its number.
    pub number: u32,
    /// What chance came from.
    pub seed: u64,
    /// When it was drawn.
    pub drawn_at: Timestamp,
    /// The records, in order.
    pub records: Vec<DrawnV1>,
    /// What there was no room for.
    pub uncovered: Vec<String>,
}

impl SampleV1 {
    /// Tells this sample from any other.
    #[must_use]
    pub fn digest(&self) -> String {
        let names = self.records.iter().map(|it| format!("{}\0{}\0", it.object, it.leaddesk_id));
        sha256_hex(
            format!("{}\0{}\0{}\0{}", self.run, self.number, self.seed, names.collect::<String>()).as_bytes(),
        )
    }
}

/// One record that was drawn.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DrawnV1 {
    /// Kind.
    pub object: String,
    /// Id.
    pub leaddesk_id: String,
    /// What it stands for.
    pub strata: Vec<String>,
}

/// What somebody said of a sample.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "version")]
pub enum StoredResult {
    /// First form.
    #[serde(rename = "1")]
    V1(ResultV1),
}

/// Contents of a judgement, first form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResultV1 {
    /// Number of the sample.
    pub sample: u32,
    /// Who compared.
    pub by: String,
    /// When it was recorded.
    pub at: Timestamp,
    /// SHA-256 of the file that it came in.
    pub file_sha256: String,
    /// Record by record.
    pub records: Vec<JudgedV1>,
}

/// What was said of one record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JudgedV1 {
    /// Kind.
    pub object: String,
    /// Id.
    pub leaddesk_id: String,
    /// `right`, `wrong` or `unsure`.
    #[serde(deserialize_with = "verdict")]
    pub verdict: String,
    /// In words; empty when nothing was written.
    #[serde(default)]
    pub comment: String,
}

fn verdict<'de, D: serde::Deserializer<'de>>(source: D) -> Result<String, D::Error> {
    let word = String::deserialize(source)?;
    if [RIGHT, WRONG, UNSURE].contains(&word.as_str()) {
        return Ok(word);
    }
    Err(serde::de::Error::custom("a verdict is right, wrong or unsure"))
}

/// The file that the page downloads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "version")]
pub enum StoredFile {
    /// First form.
    #[serde(rename = "1")]
    V1(FileV1),
}

/// Contents of the file, first form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileV1 {
    /// The run.
    pub run: String,
    /// Number of the sample.
    pub sample: u32,
    /// Digest of the sample.
    pub digest: String,
    /// Who compared.
    #[serde(default)]
    pub by: String,
    /// Records that were judged.
    pub records: Vec<JudgedV1>,
}
