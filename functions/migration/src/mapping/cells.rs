//! A choice as five cells of text, for files and pages that people fill in.
//!
//! Every view of a mapping shows the same cells, so that none can say what another cannot. Whatever is read is cleaned, and
//! what was written comes back equal. Deliberately absent: whether a row takes a choice (see [`check`]).

use std::collections::BTreeSet;

use super::RowId;
use super::choice::{CarryInto, ChoiceError, ChoiceKind, RowChoice, check};
use crate::fields::SlotKind;
use crate::gorgias::{FieldId, TeamId, TicketStatus, UserId};
use crate::text::{clean, clean_line};
use crate::users::GorgiasRole;

/// Words for "as proposed" beside the empty cell; people write it.
const AS_PROPOSED: &str = "as-proposed";

/// Every place that a carried value may go to, as the cell `into` names it.
pub const INTO_WORDS: [&str; 4] = ["new-field", "field", "opt-out", "lead-card"];

/// Text that survives every file: [`clean`], without the two characters that no workbook can hold.
#[must_use]
pub fn clean_comment(text: &str) -> String {
    clean(&without_nonsense(text))
}

fn clean_cell(text: &str) -> String {
    clean_line(&without_nonsense(text))
}

fn without_nonsense(text: &str) -> String {
    text.chars().filter(|character| !matches!(character, '\u{fffe}' | '\u{ffff}')).collect()
}

/// A choice as text; all cells are empty for what stays as proposed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct ChoiceCells {
    /// The form, such as `leave`; empty as proposed.
    pub choice: String,
    /// Why something is left out or given to the service user; what it is needed for where it is carried.
    pub reason: String,
    /// A name, label, id, status or role; words that mean "opted out", one a line.
    pub value: String,
    /// Another type than the inferred one.
    pub kind: String,
    /// Another place than the proposed one.
    pub into: String,
}

/// One of the five cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cell {
    /// [`ChoiceCells::choice`].
    Choice,
    /// [`ChoiceCells::reason`].
    Reason,
    /// [`ChoiceCells::value`].
    Value,
    /// [`ChoiceCells::kind`].
    Kind,
    /// [`ChoiceCells::into`].
    Into,
}

impl Cell {
    /// Its name in files.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Choice => "choice",
            Self::Reason => "reason",
            Self::Value => "value",
            Self::Kind => "type",
            Self::Into => "into",
        }
    }
}

/// Cells that make no choice.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CellError {
    /// A word that is none.
    #[error("`{word}` is no {}; possible are {}", .cell.as_str(), .words.join(", "))]
    Word {
        /// The cell.
        cell: Cell,
        /// What stands there.
        word: String,
        /// What may stand there.
        words: Vec<&'static str>,
    },
    /// Not the number of a record at Gorgias.
    #[error("`{text}` is no id; an id is a number, as Gorgias shows it in its addresses")]
    Id {
        /// What stands there.
        text: String,
    },
    /// A cell is filled that this choice has no use for.
    #[error("the cell {} means nothing for {}; empty it", .cell.as_str(), choice_word(.choice))]
    Unused {
        /// The cell.
        cell: Cell,
        /// What was chosen.
        choice: String,
    },
    /// A cell is empty that this choice needs.
    #[error("the cell {} is empty, and {} needs it", .cell.as_str(), choice_word(.choice))]
    Empty {
        /// The cell.
        cell: Cell,
        /// What was chosen.
        choice: String,
    },
    /// The row does not take it.
    #[error(transparent)]
    Choice(#[from] ChoiceError),
}

fn choice_word(choice: &str) -> String {
    if choice.is_empty() { "a row that stays as proposed".to_owned() } else { format!("`{choice}`") }
}

impl CellError {
    /// The cell to look at.
    #[must_use]
    pub fn cell(&self) -> Cell {
        match self {
            Self::Word { cell, .. } | Self::Unused { cell, .. } | Self::Empty { cell, .. } => *cell,
            Self::Id { .. } => Cell::Value,
            Self::Choice(ChoiceError::Text { what: "reason" | "purpose", .. }) => Cell::Reason,
            Self::Choice(ChoiceError::Text { .. }) => Cell::Value,
            Self::Choice(ChoiceError::Place { .. }) => Cell::Into,
            Self::Choice(_) => Cell::Choice,
        }
    }
}

impl ChoiceCells {
    /// The cells of a choice.
    #[must_use]
    pub fn of(choice: Option<&RowChoice>) -> Self {
        let Some(choice) = choice else { return Self::default() };
        let mut cells = Self { choice: choice.kind().as_str().to_owned(), ..Self::default() };
        match choice {
            RowChoice::Leave { reason } | RowChoice::Placeholder { reason } => {
                cells.reason.clone_from(reason);
            }
            RowChoice::Rename { name } => cells.value.clone_from(name),
            RowChoice::Team(id) => cells.value = id.to_string(),
            RowChoice::User(id) => cells.value = id.to_string(),
            RowChoice::Status(status) => cells.value = status.as_str().to_owned(),
            RowChoice::Role(role) => cells.value = role.as_str().to_owned(),
            RowChoice::Carry { purpose, kind, into } => {
                cells.reason.clone_from(purpose);
                cells.kind = kind.map_or_else(String::new, |kind| kind.as_str().to_owned());
                if let Some(into) = into {
                    cells.into = into.as_str().to_owned();
                    cells.value = match into {
                        CarryInto::NewField(label) => label.clone(),
                        CarryInto::Field(id) => id.to_string(),
                        CarryInto::OptOut(words) => words.iter().cloned().collect::<Vec<_>>().join("\n"),
                        CarryInto::LeadCard => String::new(),
                    };
                }
            }
        }
        cells
    }

    /// The choice that the cells make for a row.
    ///
    /// # Errors
    /// [`CellError`] names the cell.
    pub fn read(&self, id: &RowId) -> Result<Option<RowChoice>, CellError> {
        let cells = self.cleaned();
        let Some(form) = cells.form()? else {
            cells.must_be_empty(&[Cell::Reason, Cell::Value, Cell::Kind, Cell::Into])?;
            return Ok(None);
        };
        let choice = match form {
            ChoiceKind::Carry => cells.carry()?,
            ChoiceKind::Leave | ChoiceKind::Placeholder => {
                cells.must_be_empty(&[Cell::Value, Cell::Kind, Cell::Into])?;
                cells.must_be_filled(Cell::Reason)?;
                let reason = cells.reason.clone();
                if form == ChoiceKind::Leave {
                    RowChoice::Leave { reason }
                } else {
                    RowChoice::Placeholder { reason }
                }
            }
            ChoiceKind::Rename
            | ChoiceKind::Team
            | ChoiceKind::User
            | ChoiceKind::Status
            | ChoiceKind::Role => {
                cells.must_be_empty(&[Cell::Reason, Cell::Kind, Cell::Into])?;
                cells.must_be_filled(Cell::Value)?;
                cells.named(form)?
            }
        };
        check(id, &choice)?;
        Ok(Some(choice))
    }

    fn named(&self, form: ChoiceKind) -> Result<RowChoice, CellError> {
        Ok(match form {
            ChoiceKind::Team => RowChoice::Team(TeamId(self.id()?)),
            ChoiceKind::User => RowChoice::User(UserId(self.id()?)),
            ChoiceKind::Status => RowChoice::Status(self.word(
                Cell::Value,
                &[TicketStatus::Open, TicketStatus::Closed],
                TicketStatus::as_str,
            )?),
            ChoiceKind::Role => {
                RowChoice::Role(self.word(Cell::Value, GorgiasRole::ALL, GorgiasRole::as_str)?)
            }
            _ => RowChoice::Rename { name: clean_line(&self.value) },
        })
    }

    fn carry(&self) -> Result<RowChoice, CellError> {
        let kind = match self.kind.as_str() {
            "" => None,
            _ => Some(self.word(Cell::Kind, &SLOT_KINDS, SlotKind::as_str)?),
        };
        let into = match self.into.as_str() {
            "" => None,
            "new-field" => {
                self.must_be_filled(Cell::Value)?;
                Some(CarryInto::NewField(clean_line(&self.value)))
            }
            "field" => {
                self.must_be_filled(Cell::Value)?;
                Some(CarryInto::Field(FieldId(self.id()?)))
            }
            "opt-out" => {
                self.must_be_filled(Cell::Value)?;
                let words: BTreeSet<String> = self.value.lines().map(clean_line).collect();
                Some(CarryInto::OptOut(words.into_iter().filter(|word| !word.is_empty()).collect()))
            }
            "lead-card" => Some(CarryInto::LeadCard),
            other => {
                let (cell, word) = (Cell::Into, other.to_owned());
                return Err(CellError::Word { cell, word, words: INTO_WORDS.to_vec() });
            }
        };
        if matches!(into, None | Some(CarryInto::LeadCard)) {
            self.must_be_empty(&[Cell::Value])?;
        }
        Ok(RowChoice::Carry { purpose: self.reason.clone(), kind, into })
    }

    fn cleaned(&self) -> Self {
        Self {
            choice: clean_cell(&self.choice),
            reason: clean_cell(&self.reason),
            value: clean_comment(&self.value),
            kind: clean_cell(&self.kind),
            into: clean_cell(&self.into),
        }
    }

    fn form(&self) -> Result<Option<ChoiceKind>, CellError> {
        if self.choice.is_empty() || self.choice == AS_PROPOSED {
            return Ok(None);
        }
        self.word(Cell::Choice, ChoiceKind::ALL, ChoiceKind::as_str).map(Some)
    }

    fn text(&self, cell: Cell) -> &str {
        match cell {
            Cell::Choice => &self.choice,
            Cell::Reason => &self.reason,
            Cell::Value => &self.value,
            Cell::Kind => &self.kind,
            Cell::Into => &self.into,
        }
    }

    fn word<T: Copy>(&self, cell: Cell, all: &[T], as_str: fn(T) -> &'static str) -> Result<T, CellError> {
        let word = self.text(cell);
        all.iter().copied().find(|one| as_str(*one) == word).ok_or_else(|| {
            let words = all.iter().map(|one| as_str(*one)).collect();
            CellError::Word { cell, word: word.to_owned(), words }
        })
    }

    fn id(&self) -> Result<u64, CellError> {
        self.value.parse().map_err(|_| CellError::Id { text: self.value.clone() })
    }

    fn must_be_filled(&self, cell: Cell) -> Result<(), CellError> {
        if self.text(cell).is_empty() {
            return Err(CellError::Empty { cell, choice: self.choice.clone() });
        }
        Ok(())
    }

    fn must_be_empty(&self, cells: &[Cell]) -> Result<(), CellError> {
        match cells.iter().find(|cell| !self.text(**cell).is_empty()) {
            Some(cell) => Err(CellError::Unused { cell: *cell, choice: self.choice.clone() }),
            None => Ok(()),
        }
    }
}

/// Types that a slot may have.
pub const SLOT_KINDS: [SlotKind; 4] = [SlotKind::Text, SlotKind::Number, SlotKind::Boolean, SlotKind::Date];
