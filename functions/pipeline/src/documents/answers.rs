//! What people said about a proposal, as stored: `runs/<run>/choices/<number>.json`, written once; the greatest number counts.

use jiff::Timestamp;
use migration::mapping::RowId;
use migration::mapping::cells::ChoiceCells;
use migration::mapping::document::{AnswerCells, Answers};
use serde::{Deserialize, Serialize};

use super::plans::object_kind;
use super::{DocumentError, Malformed, get};
use crate::context::Context;
use crate::ports::store::Key;

/// Folder of the answers below the run's.
pub const FOLDER: &str = "choices";

/// Answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "version")]
pub enum StoredAnswers {
    /// First version.
    #[serde(rename = "1")]
    V1(AnswersV1),
}

/// First version of answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnswersV1 {
    /// Digest of the proposal that they are about.
    pub proposal: String,
    /// The answers on top of which they were given; 0 for none.
    pub began_at: u32,
    /// Who gave them, where it was said.
    pub reviewer: Option<String>,
    /// When they were given, by the clock of that person's machine.
    pub decided_at: Option<Timestamp>,
    /// When they were imported.
    pub imported_at: Timestamp,
    /// SHA-256 of the file that brought them.
    pub file_sha256: String,
    /// In order of row.
    pub rows: Vec<AnswerV1>,
}

/// What was said about one row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnswerV1 {
    object: String,
    source_id: String,
    choice: String,
    reason: String,
    value: String,
    #[serde(rename = "type")]
    kind: String,
    into: String,
    comment: String,
    seen: bool,
}

/// The stored form of answers.
#[must_use]
pub fn rows_of(answers: &Answers) -> Vec<AnswerV1> {
    let rows = answers.iter().map(|(id, answer)| {
        let AnswerCells { choice, comment, is_seen } = AnswerCells::of(answer);
        let ChoiceCells { choice, reason, value, kind, into } = choice;
        let (object, source_id) = (id.object.as_str().to_owned(), id.source_id.clone());
        AnswerV1 { object, source_id, choice, reason, value, kind, into, comment, seen: is_seen }
    });
    rows.collect()
}

impl AnswersV1 {
    /// The answers again.
    ///
    /// # Errors
    /// [`Malformed`] for a choice that is none.
    pub fn read(&self) -> Result<Answers, Malformed> {
        let read = |row: &AnswerV1| {
            let id = RowId { object: object_kind(&row.object)?, source_id: row.source_id.clone() };
            let choice = ChoiceCells {
                choice: row.choice.clone(),
                reason: row.reason.clone(),
                value: row.value.clone(),
                kind: row.kind.clone(),
                into: row.into.clone(),
            };
            let cells = AnswerCells { choice, comment: row.comment.clone(), is_seen: row.seen };
            let answer = cells.read(&id).map_err(|_| Malformed { field: "choice" })?;
            Ok((id, answer))
        };
        self.rows.iter().map(read).collect()
    }
}

/// Key of the answers with this number.
///
/// # Errors
/// [`DocumentError::Key`].
pub fn key(ctx: &Context, number: u32) -> Result<Key, DocumentError> {
    Ok(ctx.run_key(&format!("{FOLDER}/{number:04}.json"))?)
}

/// The answers with this number; none for 0.
///
/// # Errors
/// [`DocumentError`].
pub async fn numbered(ctx: &Context, number: u32) -> Result<Option<AnswersV1>, DocumentError> {
    if number == 0 {
        return Ok(None);
    }
    let stored: Option<StoredAnswers> = get(ctx, key(ctx, number)?).await?;
    Ok(stored.map(|StoredAnswers::V1(answers)| answers))
}

/// Number of the newest answers; 0 while there are none.
///
/// # Errors
/// [`DocumentError::Store`].
pub async fn newest_number(ctx: &Context) -> Result<u32, DocumentError> {
    let keys = ctx.store.list(&ctx.run_key(FOLDER)?).await?;
    let numbers = keys
        .iter()
        .filter_map(|key| key.as_str().rsplit('/').next()?.strip_suffix(".json")?.parse::<u32>().ok());
    Ok(numbers.max().unwrap_or(0))
}

/// The newest answers; empty while nobody said anything.
///
/// # Errors
/// [`DocumentError`].
pub async fn newest(ctx: &Context) -> Result<Answers, DocumentError> {
    match numbered(ctx, newest_number(ctx).await?).await? {
        Some(stored) => Ok(stored.read()?),
        None => Ok(Answers::new()),
    }
}
