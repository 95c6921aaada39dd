//! Snapshots, mapping and report -> the folder that the customer's admin keeps: `reports/<run>/<number>/handoff/`.
//!
//! Plain English for a person who was not there; an empty section says why it is empty. Deliberately absent: anything
//! that would have to be invented because nobody supplied it, and persons other than agents: contacts appear by id.

mod dialer;
mod index;
mod lost;
mod material;
mod people;
mod shelf;
#[cfg(test)]
mod tests;
mod words;

use bytes::Bytes;
use snapshot::SnapshotError;

use crate::archive::ArchiveError;
use crate::context::Context;
use crate::documents::DocumentError;
use crate::ports::store::{InvalidKey, Key, StoreError};
use crate::report::{self, ReportError};
use crate::step::StepReport;

use material::Material;

/// Name of the step.
pub const STEP: &str = "handoff";
/// File that is written last: with it the folder is whole.
const INDEX: &str = "README.md";

/// Why there is no handoff folder.
#[derive(Debug, thiserror::Error)]
pub enum HandoffError {
    /// There is no report to hand off.
    #[error("there is no report of run {run}; run report first")]
    NoReport {
        /// The run.
        run: String,
    },
    /// The report.
    #[error("cannot read the report")]
    Report(#[source] Box<ReportError>),
    /// A snapshot.
    #[error("cannot read a snapshot for the handoff")]
    Archive(#[from] ArchiveError),
    /// The confirmed mapping.
    #[error("cannot read the confirmed mapping")]
    Mapping(#[from] DocumentError),
    /// The store.
    #[error("cannot reach the store")]
    Store(#[from] StoreError),
    /// A name that is no key.
    #[error("cannot name a file of the handoff")]
    Key(#[from] InvalidKey),
    /// A table cannot be written as CSV.
    #[error("cannot write a table of the handoff")]
    Csv(#[from] csv::Error),
    /// A document of the operator is not the JSON that extraction checked; a bug.
    #[error("row {row} of document {document} is no JSON object")]
    Row {
        /// `dialer`, `lists` or `leadapps`.
        document: String,
        /// Its number.
        row: i32,
        /// What is wrong.
        source: serde_json::Error,
    },
    /// LeadApps cannot be written as text; a bug.
    #[error("cannot write leadapps.json")]
    Json(#[source] serde_json::Error),
}

impl From<SnapshotError> for HandoffError {
    fn from(error: SnapshotError) -> Self {
        Self::Archive(ArchiveError::from(error))
    }
}

impl HandoffError {
    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &str {
        match self {
            Self::NoReport { .. } => "HND001",
            Self::Report(error) => error.code(),
            Self::Archive(error) => error.code(),
            Self::Mapping(error) => error.code(),
            Self::Store(_) | Self::Key(_) => "STO101",
            Self::Csv(_) | Self::Row { .. } | Self::Json(_) => "HND002",
        }
    }
}

/// One file of the folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sheet {
    /// File name.
    pub(crate) name: String,
    /// What it holds, for the index.
    pub(crate) about: String,
    /// Its contents.
    pub(crate) body: Bytes,
}

impl Sheet {
    pub(crate) fn text(name: impl Into<String>, about: impl Into<String>, body: String) -> Self {
        Self { name: name.into(), about: about.into(), body: Bytes::from(body) }
    }
}

/// Whether the folder beside this report is whole.
///
/// # Errors
/// [`HandoffError::Store`], [`HandoffError::Key`].
pub async fn is_whole(ctx: &Context, latest: &report::Latest) -> Result<bool, HandoffError> {
    let folder = Key::new(format!("{}/handoff", latest.folder))?;
    let index = Key::new(format!("{folder}/{INDEX}"))?;
    Ok(ctx.store.list(&folder).await?.contains(&index))
}

/// Writes the folder beside the latest report; does nothing when it is whole.
///
/// # Errors
/// [`HandoffError`].
pub async fn run(ctx: &Context) -> Result<StepReport, HandoffError> {
    let mut step = StepReport::of(STEP);
    let latest = report::latest(ctx).await.map_err(|source| HandoffError::Report(Box::new(source)))?;
    let latest = latest.ok_or_else(|| HandoffError::NoReport { run: ctx.run.to_string() })?;
    let folder = Key::new(format!("{}/handoff", latest.folder))?;
    let index = Key::new(format!("{folder}/{INDEX}"))?;
    let held = ctx.store.list(&folder).await?;
    if held.contains(&index) {
        step.was_done = true;
        step.records.insert("files".to_owned(), held.len() as u64);
        return Ok(step);
    }
    let material = Material::read(ctx, latest.report).await?;
    let sheets = sheets(&material)?;
    for sheet in &sheets {
        // The same material gives the same bytes, so what an interrupted start left behind is the file itself.
        ctx.store.put_new(&Key::new(format!("{folder}/{}", sheet.name))?, sheet.body.clone()).await?;
    }
    step.records.insert("files".to_owned(), sheets.len() as u64);
    Ok(step)
}

/// All files, the index last.
fn sheets(material: &Material) -> Result<Vec<Sheet>, HandoffError> {
    let mut sheets = dialer::sheets(material);
    sheets.push(words::lead_apps(material)?);
    sheets.push(words::dispositions(material)?);
    sheets.push(people::to_provision(material)?);
    sheets.push(people::merged_persons(material)?);
    sheets.push(people::offices(material));
    sheets.push(lost::sheet(material));
    sheets.push(shelf::sheet(material));
    sheets.push(index::sheet(material, &sheets));
    Ok(sheets)
}
