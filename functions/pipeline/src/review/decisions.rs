//! `decisions.json`: what a person decided on the review page, signed with a name and a time.
//!
//! Holds the decisions alone, not the proposal; its digest says which one they are about.

use jiff::Timestamp;
use migration::mapping::cells::ChoiceCells;
use migration::mapping::document::{AnswerCells, MappingDocument};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::brought::{Brought, BroughtRow, Fault, Place, UNREADABLE, UNSIGNED};
use super::columns::LOCKED;

/// Name under which the page offers the file.
pub const FILE: &str = "decisions.json";

/// Decisions of a person about a mapping.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "version")]
#[schemars(title = "deskferry decisions")]
pub enum Decisions {
    /// First version.
    #[serde(rename = "1")]
    V1(DecisionsV1),
}

/// First version of decisions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DecisionsV1 {
    /// Digest of the proposal that was looked at.
    pub proposal: String,
    /// Number of the answers that the page began at; 0 for none.
    pub answers: u32,
    /// Who decided.
    pub reviewer: String,
    /// When, by the clock of the person's machine.
    #[schemars(with = "String")]
    pub decided_at: Timestamp,
    /// Every row about which something was said; the others are as nobody looked at them.
    pub rows: Vec<DecisionV1>,
}

/// What was said about one row.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DecisionV1 {
    /// The row.
    pub row: String,
    /// See `mapping.toml`; all five are empty when the proposal is right.
    #[serde(default)]
    pub choice: String,
    /// See `mapping.toml`.
    #[serde(default)]
    pub reason: String,
    /// See `mapping.toml`.
    #[serde(default)]
    pub value: String,
    /// See `mapping.toml`.
    #[serde(default, rename = "type")]
    pub kind: String,
    /// See `mapping.toml`.
    #[serde(default)]
    pub into: String,
    /// A remark.
    #[serde(default)]
    pub comment: String,
    /// Whether somebody looked at the row.
    #[serde(default)]
    pub seen: bool,
}

/// The schema of the file.
#[must_use]
pub fn schema() -> serde_json::Value {
    let generator = schemars::generate::SchemaSettings::draft07().into_generator();
    generator.into_root_schema_for::<Decisions>().to_value()
}

/// Everything that a document says, as its page would give it.
#[must_use]
pub fn of(document: &MappingDocument, answers: u32, reviewer: &str, decided_at: Timestamp) -> Decisions {
    let rows = document.rows().filter(|row| !row.answer.is_empty()).map(|row| {
        let AnswerCells { choice, comment, is_seen } = AnswerCells::of(&row.answer);
        let ChoiceCells { choice, reason, value, kind, into } = choice;
        let row = super::columns::locked(row)[0].clone();
        DecisionV1 { row, choice, reason, value, kind, into, comment, seen: is_seen }
    });
    Decisions::V1(DecisionsV1 {
        proposal: document.proposal().to_hex(),
        answers,
        reviewer: reviewer.to_owned(),
        decided_at,
        rows: rows.collect(),
    })
}

/// Reads the file.
///
/// # Errors
/// A [`Fault`] of the whole file.
pub(crate) fn read(bytes: &[u8]) -> Result<Brought, Fault> {
    let Decisions::V1(decisions) = serde_json::from_slice(bytes).map_err(|error| Fault {
        code: UNREADABLE,
        place: if error.line() == 0 { String::new() } else { format!("line {}", error.line()) },
        what: "these are no decisions of the review page".to_owned(),
        advice: "download them again; it may be cut off, or of a newer program".to_owned(),
    })?;
    if migration::text::clean_line(&decisions.reviewer).is_empty() {
        let what = "nobody signed it: the name of the reviewer is empty";
        return Err(Fault::whole(UNSIGNED, what, "fill in your name on the page and download again"));
    }
    let rows = decisions.rows.into_iter().enumerate().map(|(index, row)| {
        let DecisionV1 { row, choice, reason, value, kind, into, comment, seen } = row;
        let mut locked = [const { None }; LOCKED.len()];
        locked[0] = Some(row.clone());
        let choice = ChoiceCells { choice, reason, value, kind, into };
        let answer = AnswerCells { choice, comment, is_seen: seen };
        BroughtRow { place: Place::Entry(index + 1), row, locked, answer }
    });
    Ok(Brought {
        proposal: decisions.proposal,
        answers: decisions.answers,
        rows: rows.collect(),
        is_partial: true,
        signed: Some((decisions.reviewer, decisions.decided_at)),
    })
}
