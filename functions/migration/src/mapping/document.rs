//! A proposal under review: every row as it is proposed, with what a person chose, remarked and looked at.
//!
//! A document belongs to one proposal, named by its digest, and holds all of its rows. Files and pages are views of it; what
//! they bring back becomes [`Answers`], which a document takes as a whole or not at all. Deliberately absent: how a view
//! looks.

use std::collections::BTreeMap;
use std::fmt;

use super::cells::{CellError, ChoiceCells, clean_comment};
use super::{MappingChoices, MappingProposal, MappingRow, RowChoice, RowId};
use crate::canonical::{Canonical, Digest};

/// Characters of a comment at most: more than anybody writes, less than any file cuts.
pub const COMMENT_CHARS_MAX: usize = 2_000;

/// What a person says about one row.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Answer {
    /// What shall become of it instead of what is proposed.
    pub choice: Option<RowChoice>,
    /// A remark for whoever reads the mapping later; never acted on.
    pub comment: String,
    /// Somebody looked at the row and let it stand as it is.
    pub is_seen: bool,
}

impl Answer {
    /// Nobody said anything.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// An answer as text, as views bring it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct AnswerCells {
    /// The choice.
    pub choice: ChoiceCells,
    /// The remark.
    pub comment: String,
    /// Whether somebody looked.
    pub is_seen: bool,
}

/// An answer that cannot be taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AnswerError {
    /// The choice is none.
    #[error(transparent)]
    Cell(#[from] CellError),
    /// The comment is too long.
    #[error("the comment has {chars} characters, at most {COMMENT_CHARS_MAX} are kept")]
    LongComment {
        /// How many it has.
        chars: usize,
    },
}

impl AnswerCells {
    /// The answer as text.
    #[must_use]
    pub fn of(answer: &Answer) -> Self {
        Self {
            choice: ChoiceCells::of(answer.choice.as_ref()),
            comment: answer.comment.clone(),
            is_seen: answer.is_seen,
        }
    }

    /// The answer for a row.
    ///
    /// # Errors
    /// [`AnswerError`].
    pub fn read(&self, id: &RowId) -> Result<Answer, AnswerError> {
        let comment = clean_comment(&self.comment);
        let chars = comment.chars().count();
        if chars > COMMENT_CHARS_MAX {
            return Err(AnswerError::LongComment { chars });
        }
        Ok(Answer { choice: self.choice.read(id)?, comment, is_seen: self.is_seen })
    }
}

/// Answers by row; rows without one are as nobody looked at them.
pub type Answers = BTreeMap<RowId, Answer>;

/// The choices among answers.
#[must_use]
pub fn choices(answers: &Answers) -> MappingChoices {
    let made = answers.iter().filter_map(|(id, answer)| Some((id.clone(), answer.choice.clone()?)));
    MappingChoices(made.collect())
}

/// One row under review.
#[derive(Debug, Clone, PartialEq)]
pub struct ReviewRow {
    /// As it is proposed, before any choice of the review.
    pub proposed: MappingRow,
    /// What a person said.
    pub answer: Answer,
}

/// Rows that the proposal does not have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the proposal has no row {}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))]
pub struct UnknownRows(pub Vec<RowId>);

/// A proposal under review.
#[derive(Debug, Clone, PartialEq)]
pub struct MappingDocument {
    proposal: Digest,
    rows: BTreeMap<RowId, ReviewRow>,
}

impl MappingDocument {
    /// A document of a proposal that was made without choices of the review; nobody has said anything yet.
    #[must_use]
    pub fn new(proposal: &MappingProposal) -> Self {
        Self::of_rows(proposal.digest(), proposal.rows().cloned())
    }

    /// From the rows of a proposal and its digest.
    #[must_use]
    pub fn of_rows(proposal: Digest, rows: impl IntoIterator<Item = MappingRow>) -> Self {
        let row =
            |proposed: MappingRow| (proposed.id.clone(), ReviewRow { proposed, answer: Answer::default() });
        Self { proposal, rows: rows.into_iter().map(row).collect() }
    }

    /// Digest of the proposal that it is about.
    #[must_use]
    pub fn proposal(&self) -> Digest {
        self.proposal
    }

    /// All rows, in order of id.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = &ReviewRow> {
        self.rows.values()
    }

    /// The row with this id.
    #[must_use]
    pub fn row(&self, id: &RowId) -> Option<&ReviewRow> {
        self.rows.get(id)
    }

    /// Everything that was said.
    #[must_use]
    pub fn answers(&self) -> Answers {
        let said = self.rows.iter().filter(|(_, row)| !row.answer.is_empty());
        said.map(|(id, row)| (id.clone(), row.answer.clone())).collect()
    }

    /// The same proposal with these answers in the place of all earlier ones.
    ///
    /// # Errors
    /// [`UnknownRows`]; a document takes all answers or none.
    pub fn answered(mut self, answers: &Answers) -> Result<Self, UnknownRows> {
        let unknown = answers.keys().filter(|id| !self.rows.contains_key(*id));
        let unknown: Vec<RowId> = unknown.cloned().collect();
        if !unknown.is_empty() {
            return Err(UnknownRows(unknown));
        }
        for (id, row) in &mut self.rows {
            row.answer = answers.get(id).cloned().unwrap_or_default();
        }
        Ok(self)
    }

    /// The same proposal with these answers where its rows are, for answers that were kept: a row may be gone.
    #[must_use]
    pub fn reminded(mut self, answers: &Answers) -> Self {
        for (id, row) in &mut self.rows {
            row.answer = answers.get(id).cloned().unwrap_or_default();
        }
        self
    }

    /// SHA-256 over the proposal and everything that was said.
    #[must_use]
    pub fn digest(&self) -> Digest {
        let mut out = Canonical::new("mapping-document/1");
        out.put("proposal", self.proposal);
        render(&self.answers(), &mut out);
        out.digest()
    }
}

/// SHA-256 over answers.
#[must_use]
pub fn answers_digest(answers: &Answers) -> Digest {
    let mut out = Canonical::new("answers/1");
    render(answers, &mut out);
    out.digest()
}

fn render(answers: &Answers, out: &mut Canonical) {
    for (id, answer) in answers.iter().filter(|(_, answer)| !answer.is_empty()) {
        let cells = ChoiceCells::of(answer.choice.as_ref());
        out.put("row", id).put("choice", &cells.choice).put("reason", &cells.reason);
        out.put("value", &cells.value).put("type", &cells.kind).put("into", &cells.into);
        out.put("comment", &answer.comment).put("seen", answer.is_seen);
    }
}

/// One row about which two sets of answers say different things.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The row.
    pub id: RowId,
    /// What was said.
    pub was: Answer,
    /// What is said now.
    pub is: Answer,
}

impl fmt::Display for Difference {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        if self.was.choice != self.is.choice {
            let (was, is) = (choice_words(self.was.choice.as_ref()), choice_words(self.is.choice.as_ref()));
            parts.push(format!("{was} -> {is}"));
        }
        if self.was.comment != self.is.comment {
            let what = match (self.was.comment.is_empty(), self.is.comment.is_empty()) {
                (true, _) => "comment added",
                (_, true) => "comment removed",
                _ => "comment changed",
            };
            parts.push(what.to_owned());
        }
        if self.was.is_seen != self.is.is_seen {
            parts.push(if self.is.is_seen { "looked at" } else { "not looked at any more" }.to_owned());
        }
        write!(out, "{}: {}", self.id, parts.join(", "))
    }
}

/// A choice in one line.
#[must_use]
pub fn choice_words(choice: Option<&RowChoice>) -> String {
    let cells = ChoiceCells::of(choice);
    if cells.choice.is_empty() {
        return "as proposed".to_owned();
    }
    let mut words = cells.choice.clone();
    for (before, text) in
        [(" into ", &cells.into), (" ", &cells.value), (" as ", &cells.kind), (": ", &cells.reason)]
    {
        if !text.is_empty() {
            words.push_str(before);
            words.push_str(&text.replace('\n', ", "));
        }
    }
    words
}

/// What is said differently, in order of row.
#[must_use]
pub fn differences(was: &Answers, is: &Answers) -> Vec<Difference> {
    let mut ids: Vec<&RowId> = was.keys().chain(is.keys()).collect();
    ids.sort();
    ids.dedup();
    let of = |answers: &Answers, id: &RowId| answers.get(id).cloned().unwrap_or_default();
    let pairs = ids.into_iter().map(|id| Difference { id: id.clone(), was: of(was, id), is: of(is, id) });
    pairs.filter(|pair| pair.was != pair.is).collect()
}

/// Two people said different things about one row, each on top of what stood before.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("two reviews differ about {}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))]
pub struct Clash(pub Vec<RowId>);

/// Joins two reviews that began at the same answers: what only one of them changed is taken from it.
///
/// # Errors
/// [`Clash`] names the rows that both changed, and differently.
pub fn merged(began: &Answers, ours: &Answers, theirs: &Answers) -> Result<Answers, Clash> {
    let mut joined = ours.clone();
    let mut clash = Vec::new();
    for difference in differences(began, theirs) {
        let Difference { id, was, is } = difference;
        let other = ours.get(&id).cloned().unwrap_or_default();
        if other != was && other != is {
            clash.push(id);
        } else if is.is_empty() {
            joined.remove(&id);
        } else {
            joined.insert(id, is);
        }
    }
    if clash.is_empty() { Ok(joined) } else { Err(Clash(clash)) }
}
