//! Snapshots, mapping and report -> the folder that the customer's admin keeps: `reports/<run>/<number>/handoff/`, and the
//! same as `handoff.zip` beside it. A package that says something else than the one before, such as after a spot check, is
//! `handoff-0002/`; nothing is replaced.
//!
//! Plain English for a person who was not there; an empty section says why it is empty. Deliberately absent: anything
//! that would have to be invented because nobody supplied it, and persons other than agents: contacts appear by id.

mod after;
mod bundle;
mod closing;
mod dialer;
mod index;
mod lost;
mod material;
mod people;
mod proof;
mod shelf;
mod since;
#[cfg(test)]
mod tests;
mod words;

use bytes::Bytes;

use crate::archive::ArchiveError;
use crate::boxed::of_snapshot;
use crate::context::Context;
use crate::documents::DocumentError;
use crate::losses::LossError;
use crate::ports::store::{InvalidKey, Key, Put, StoreError};
use crate::report::{self, ReportError};
use crate::run_folder;
use crate::spotcheck::SpotError;
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
    /// What was lost.
    #[error("cannot tell what was lost")]
    Losses(#[source] Box<LossError>),
    /// A document of the run.
    #[error("cannot read a document of the run")]
    Run(#[source] Box<run_folder::DocumentError>),
    /// Spot checks.
    #[error("cannot read the spot checks")]
    Spot(#[source] Box<SpotError>),
    /// The ZIP cannot be written; a bug.
    #[error("cannot write the ZIP of the handoff")]
    Zip(#[source] zip::result::ZipError),
    /// There are more packages of one report than anybody makes.
    #[error("there are {count} handoff packages of this report already")]
    TooMany {
        /// How many.
        count: u32,
    },
    /// LeadApps cannot be written as text; a bug.
    #[error("cannot write leadapps.json")]
    Json(#[source] serde_json::Error),
}

of_snapshot!(HandoffError);

impl HandoffError {
    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &str {
        match self {
            Self::NoReport { .. } => "HND001",
            Self::Report(error) => error.code(),
            Self::Archive(error) => error.code(),
            Self::Mapping(error) => error.code(),
            Self::Losses(error) => error.code(),
            Self::Spot(error) => error.code(),
            Self::Store(_) | Self::Key(_) | Self::Run(_) => "STO101",
            Self::Csv(_) | Self::Row { .. } | Self::Json(_) | Self::Zip(_) => "HND002",
            Self::TooMany { .. } => "HND003",
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

/// Packages of one report, at most: more means that something calls without end.
const PACKAGES_MAX: u32 = 999;

/// Writes the package beside the latest report; does nothing when the newest one says the same.
///
/// # Errors
/// [`HandoffError`].
pub async fn run(ctx: &Context) -> Result<StepReport, HandoffError> {
    let mut step = StepReport::of(STEP);
    let latest = report::latest(ctx).await.map_err(|source| HandoffError::Report(Box::new(source)))?;
    let latest = latest.ok_or_else(|| HandoffError::NoReport { run: ctx.run.to_string() })?;
    let name = format!("handoff-{}-{}", latest.report.migration, latest.report.run);
    let material = Material::read(ctx, latest.report).await?;
    let sheets = sheets(&material)?;
    step.records.insert("files".to_owned(), sheets.len() as u64);
    step.records.insert("open_points".to_owned(), closing::open(&material).len() as u64);
    for number in 1..=PACKAGES_MAX {
        let folder = match number {
            1 => format!("{}/handoff", latest.folder),
            _ => format!("{}/handoff-{number:04}", latest.folder),
        };
        match keep(ctx, &folder, &name, &sheets).await? {
            Kept::Written => return Ok(step),
            Kept::Same => {
                step.was_done = true;
                return Ok(step);
            }
            Kept::Another => {}
        }
    }
    Err(HandoffError::TooMany { count: PACKAGES_MAX })
}

/// What writing a package came to.
enum Kept {
    /// It is there now.
    Written,
    /// It was there.
    Same,
    /// Another one, or a part of one, is there under this name.
    Another,
}

/// Writes a package: the files, the ZIP, and the index last. What an interrupted start left of the same package is kept.
async fn keep(ctx: &Context, folder: &str, name: &str, sheets: &[Sheet]) -> Result<Kept, HandoffError> {
    let index = Key::new(format!("{folder}/{INDEX}"))?;
    let was_whole = ctx.store.list(&Key::new(folder.to_owned())?).await?.contains(&index);
    let mut files = Vec::new();
    for sheet in sheets.iter().filter(|sheet| sheet.name != INDEX) {
        files.push((Key::new(format!("{folder}/{}", sheet.name))?, sheet.body.clone()));
    }
    files.push((Key::new(format!("{folder}.zip"))?, bundle::zip(name, sheets)?));
    files.extend(sheets.iter().find(|sheet| sheet.name == INDEX).map(|sheet| (index, sheet.body.clone())));
    for (key, body) in files {
        if ctx.store.put_new(&key, body).await? == Put::AlreadyThere {
            return Ok(Kept::Another);
        }
    }
    Ok(if was_whole { Kept::Same } else { Kept::Written })
}

/// All files, the index last.
fn sheets(material: &Material) -> Result<Vec<Sheet>, HandoffError> {
    let mut sheets = proof::sheets(material)?;
    sheets.extend(after::sheets(material));
    sheets.extend(dialer::sheets(material));
    sheets.push(words::lead_apps(material)?);
    sheets.push(words::dispositions(material)?);
    sheets.push(people::to_provision(material)?);
    sheets.push(people::merged_persons(material)?);
    sheets.push(people::offices(material));
    sheets.push(lost::sheet(material));
    sheets.push(shelf::sheet(material));
    sheets.extend(closing::sheets(material));
    sheets.push(index::sheet(material, &sheets));
    sheets.push(bundle::sums(&sheets));
    Ok(sheets)
}
