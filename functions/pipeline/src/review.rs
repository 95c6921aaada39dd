//! The proposal under review: three views of one document, and what people said about it.
//!
//! `mapping.toml` for editors, a workbook for office programs, a page for browsers; each can be imported, and none can say
//! what another cannot. An import is taken as a whole or not at all. Deliberately absent: approving (see `propose`).

mod brought;
mod columns;
pub mod decisions;
pub mod file;
pub mod page;
#[cfg(test)]
mod tests;
mod workbook;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use jiff::Timestamp;
use migration::canonical::Digest;
use migration::mapping::document::{
    AnswerCells, Answers, Clash, Difference, MappingDocument, choices, differences, merged,
};
use migration::mapping::{MappingProposal, MappingRow, NoReviewer, Reviewer, RowId};

pub use brought::Fault;
use brought::{Brought, CLASH, TOO_LARGE, UNREADABLE};

use crate::context::Context;
use crate::documents::answers::{self, AnswersV1, StoredAnswers};
use crate::documents::inventory::Inventory;
use crate::documents::{self, DocumentError};
use crate::propose::{self, ProposeError};

/// Bytes of a file at most, whatever its form.
pub const BYTES_MAX: usize = file::BYTES_MAX;

/// A view of the mapping.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum View {
    /// `mapping.toml`.
    Toml,
    /// A workbook.
    Workbook,
    /// The review page.
    Page,
    /// What the page gives back.
    Decisions,
}

impl View {
    /// The view that a file name says it is.
    #[must_use]
    pub fn of(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "toml" => Some(Self::Toml),
            "xlsx" => Some(Self::Workbook),
            "html" => Some(Self::Page),
            "json" => Some(Self::Decisions),
            _ => None,
        }
    }
}

/// Why a view could not be made or taken.
#[derive(Debug, thiserror::Error)]
pub enum ReviewError {
    /// There is no proposal.
    #[error("cannot make the proposal that is under review")]
    Propose(#[from] ProposeError),
    /// A document of the run.
    #[error("cannot read or keep what was said about the proposal")]
    Document(#[from] DocumentError),
    /// The workbook could not be written; a bug.
    #[error("cannot write the workbook")]
    Workbook(#[from] rust_xlsxwriter::XlsxError),
    /// The page could not be written; a bug.
    #[error("cannot write the page")]
    Page(#[from] askama::Error),
    /// The reviewer has no name.
    #[error("cannot take answers of nobody")]
    Reviewer(#[from] NoReviewer),
    /// The file cannot be taken. Nothing was changed.
    #[error("{} cannot be imported; nothing was changed", things(.faults))]
    Refused {
        /// What is wrong with it, at least one.
        faults: Vec<Fault>,
    },
}

fn things(faults: &[Fault]) -> String {
    match faults {
        [_] => "the file".to_owned(),
        faults => format!("the file has {} faults, and", faults.len()),
    }
}

impl ReviewError {
    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Propose(error) => error.code(),
            Self::Document(error) => error.code(),
            Self::Workbook(_) | Self::Page(_) => "REV112",
            Self::Reviewer(_) => "MAP101",
            Self::Refused { faults } => faults.first().map_or("REV101", |fault| fault.code),
        }
    }
}

/// The proposal of a run with everything that was said about it.
#[derive(Debug, Clone)]
pub struct Review {
    /// The document.
    pub document: MappingDocument,
    /// Number of the answers in it; 0 while nobody said anything.
    pub number: u32,
    /// What comes of it: the proposal under these answers.
    pub outcome: MappingProposal,
    inventory: Inventory,
}

/// Opens the review of a run. A proposal must be possible; nobody has to have looked at it.
///
/// # Errors
/// [`ReviewError`].
pub async fn open(ctx: &Context) -> Result<Review, ReviewError> {
    let inventory = documents::inventory(ctx).await?;
    let proposed = propose::without_answers(ctx).await?;
    let number = answers::newest_number(ctx).await?;
    let said = match answers::numbered(ctx, number).await? {
        Some(stored) => stored.read().map_err(DocumentError::from)?,
        None => Answers::new(),
    };
    let outcome = propose::under(ctx, &choices(&said)).await?;
    Ok(Review { document: MappingDocument::new(&proposed).reminded(&said), number, outcome, inventory })
}

impl Review {
    /// The bytes of a view. `before` is the file that is there, for the view that people write into.
    ///
    /// # Errors
    /// [`ReviewError::Refused`] when the file that is there cannot be read.
    pub fn export(
        &self,
        view: View,
        before: Option<&str>,
        about: &page::About,
    ) -> Result<Vec<u8>, ReviewError> {
        Ok(match view {
            View::Toml => match before {
                None => file::fresh(&self.document, self.number).into_bytes(),
                Some(text) => file::over(text, &self.document, self.number)
                    .map_err(|fault| ReviewError::Refused { faults: vec![fault] })?
                    .into_bytes(),
            },
            View::Workbook => workbook::write(&self.document, self.number, &self.inventory)?,
            View::Page => page::write(self, about)?.into_bytes(),
            View::Decisions => {
                let decisions = decisions::of(&self.document, self.number, &about.reviewer, about.made_at);
                let mut bytes = serde_json::to_vec_pretty(&decisions).unwrap_or_default();
                bytes.push(b'\n');
                bytes
            }
        })
    }

    pub(crate) fn inventory(&self) -> &Inventory {
        &self.inventory
    }
}

/// Whether a file says something that was not imported, or that cannot be told: writing over it would lose somebody's work.
///
/// # Errors
/// [`ReviewError`] when the store cannot be read.
pub async fn says_more(
    ctx: &Context,
    review: &Review,
    view: View,
    bytes: &[u8],
) -> Result<bool, ReviewError> {
    let Ok(brought) = read(&Import { view, bytes, by: None }) else { return Ok(true) };
    if brought.rows.iter().all(|row| row.answer == AnswerCells::default()) {
        return Ok(false);
    }
    let Ok(theirs) = brought::take(&review.document, &brought, &review.inventory) else { return Ok(true) };
    let began = match answers::numbered(ctx, brought.answers).await? {
        Some(stored) => stored.read().map_err(DocumentError::from)?,
        None => Answers::new(),
    };
    let is_here = |id: &RowId| review.document.row(id).is_some();
    let began: Answers = began.into_iter().filter(|(id, _)| is_here(id)).collect();
    let ours = review.document.answers();
    // Joined with what is known it must be what is known.
    Ok(!merged(&began, &ours, &theirs).is_ok_and(|joined| joined == ours))
}

/// Where a file comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Import<'a> {
    /// What it says it is.
    pub view: View,
    /// Its content.
    pub bytes: &'a [u8],
    /// Who gave the answers, where the file does not say it.
    pub by: Option<&'a str>,
}

/// What an import changed.
#[derive(Debug, Clone, PartialEq)]
pub struct Imported {
    /// Number under which the answers are kept; the one before when nothing changed.
    pub number: u32,
    /// Who gave them.
    pub reviewer: Option<String>,
    /// What is said differently.
    pub differences: Vec<Difference>,
    /// Rows that come out differently: before and after, either of which may be missing.
    pub outcomes: Vec<(Option<MappingRow>, Option<MappingRow>)>,
    /// Rows that somebody looked at, of how many.
    pub looked_at: (usize, usize),
}

/// Takes a file: checks all of it, keeps what it says as the newest answers, and tells what changes by it.
///
/// # Errors
/// [`ReviewError::Refused`] with everything that is wrong; nothing was changed then.
pub async fn import(ctx: &Context, import: &Import<'_>) -> Result<Imported, ReviewError> {
    let refused = |faults| ReviewError::Refused { faults };
    let review = open(ctx).await?;
    let brought = read(import).map_err(refused)?;
    let signed = brought.signed.clone();
    let reviewer = match signed.as_ref().map(|(name, _)| name.as_str()).or(import.by) {
        Some(name) => Some(Reviewer::new(name)?.as_str().to_owned()),
        None => None,
    };
    let theirs = brought::take(&review.document, &brought, &review.inventory).map_err(refused)?;
    let ours = review.document.answers();
    let joined = join(ctx, &review, &brought, &ours, &theirs).await?;
    let changed = differences(&ours, &joined);
    let document = review.document.clone().reminded(&joined);
    let looked_at = (document.rows().filter(|row| row.answer.is_seen).count(), document.rows().len());
    if changed.is_empty() {
        let (number, differences, outcomes) = (review.number, changed, Vec::new());
        return Ok(Imported { number, reviewer, differences, outcomes, looked_at });
    }
    let outcome = propose::under(ctx, &choices(&joined)).await?;
    let stored = AnswersV1 {
        proposal: review.document.proposal().to_hex(),
        began_at: review.number,
        reviewer: reviewer.clone(),
        decided_at: signed.map(|(_, at)| at),
        imported_at: ctx.clock.now(),
        file_sha256: Digest::of(import.bytes).to_hex(),
        rows: answers::rows_of(&kept(ctx, &review, joined).await?),
    };
    let number = review.number + 1;
    documents::put(ctx, answers::key(ctx, number)?, &StoredAnswers::V1(stored)).await?;
    let outcomes = outcomes(&review.outcome, &outcome);
    Ok(Imported { number, reviewer, differences: changed, outcomes, looked_at })
}

/// Answers for rows that are not in this proposal wait for them to come back.
async fn kept(ctx: &Context, review: &Review, mut answers: Answers) -> Result<Answers, DocumentError> {
    for (id, answer) in answers::newest(ctx).await? {
        if review.document.row(&id).is_none() {
            answers.entry(id).or_insert(answer);
        }
    }
    Ok(answers)
}

/// A file that began at older answers is joined with what was said since.
async fn join(
    ctx: &Context,
    review: &Review,
    brought: &Brought,
    ours: &Answers,
    theirs: &Answers,
) -> Result<Answers, ReviewError> {
    if brought.answers == review.number {
        return Ok(theirs.clone());
    }
    let began = match answers::numbered(ctx, brought.answers).await? {
        Some(stored) => stored.read().map_err(DocumentError::from)?,
        None if brought.answers == 0 => Answers::new(),
        None => {
            let what = format!("it began at answers {}, which this run does not have", brought.answers);
            let fault = Fault::whole(brought::LOCKED_CELL, what, "export the mapping again");
            return Err(ReviewError::Refused { faults: vec![fault] });
        }
    };
    let is_here = |id: &RowId| review.document.row(id).is_some();
    let began: Answers = began.into_iter().filter(|(id, _)| is_here(id)).collect();
    merged(&began, ours, theirs).map_err(|Clash(rows)| {
        let clash = rows.iter().map(|row| Fault {
            code: CLASH,
            place: format!("row {}", brought::shown(&row.to_string())),
            what: format!(
                "it was answered differently in import {}, after this file was made",
                review.number
            ),
            advice: "export the mapping again, settle the row there, and import that".to_owned(),
        });
        ReviewError::Refused { faults: clash.collect() }
    })
}

fn read(import: &Import<'_>) -> Result<Brought, Vec<Fault>> {
    if import.bytes.len() > file::BYTES_MAX {
        let what = format!("it has {} bytes, at most {} are read", import.bytes.len(), file::BYTES_MAX);
        return Err(vec![Fault::whole(TOO_LARGE, what, "export the mapping again and fill that in")]);
    }
    match import.view {
        View::Workbook => workbook::reading::read(import.bytes),
        View::Decisions => decisions::read(import.bytes).map_err(|fault| vec![fault]),
        View::Toml => {
            let text = std::str::from_utf8(import.bytes).map_err(|_| {
                let what = "it is no text in UTF-8";
                vec![Fault::whole(UNREADABLE, what, "save it as UTF-8, without compression")]
            })?;
            file::read(text.trim_start_matches('\u{feff}')).map_err(|fault| vec![fault])
        }
        View::Page => {
            let what = "the page itself holds no decisions";
            let advice = "open it in a browser, decide, and import what its button downloads: decisions.json";
            Err(vec![Fault::whole(UNREADABLE, what, advice)])
        }
    }
}

/// Rows that come out differently.
fn outcomes(was: &MappingProposal, is: &MappingProposal) -> Vec<(Option<MappingRow>, Option<MappingRow>)> {
    let by_id = |proposal: &MappingProposal| -> BTreeMap<RowId, MappingRow> {
        proposal.rows().map(|row| (row.id.clone(), row.clone())).collect()
    };
    let (was, is) = (by_id(was), by_id(is));
    let ids: BTreeSet<&RowId> = was.keys().chain(is.keys()).collect();
    let pairs = ids.into_iter().map(|id| (was.get(id).cloned(), is.get(id).cloned()));
    let differs = |(was, is): &(Option<MappingRow>, Option<MappingRow>)| match (was, is) {
        (Some(was), Some(is)) => {
            was.target != is.target || was.decision.as_str() != is.decision.as_str() || was.name != is.name
        }
        _ => true,
    };
    pairs.filter(differs).collect()
}

/// When something was made, and for whom.
pub(crate) fn moment(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}
