//! What a file brings back, and whether it can be taken: as a whole or not at all.
//!
//! Every format is read into the same form, so every format is held to the same rules. Deliberately absent: storing.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use migration::gorgias::{FieldId, TeamId, UserId};
use migration::mapping::cells::Cell;
use migration::mapping::document::{AnswerCells, AnswerError, Answers, MappingDocument};
use migration::mapping::{CarryInto, RowChoice, RowId};

use super::columns::{LOCKED, OPEN, locked};
use crate::documents::inventory::Inventory;

/// Characters of a foreign text that a message repeats.
const SHOWN_CHARS_MAX: usize = 60;

/// The file is not what its ending says, or cannot be read.
pub(super) const UNREADABLE: &str = "REV101";
/// It was made for another proposal.
pub(super) const OTHER_PROPOSAL: &str = "REV102";
/// A row that the proposal does not have.
pub(super) const UNKNOWN_ROW: &str = "REV103";
/// A row is missing, or there twice.
pub(super) const ROW_COUNT: &str = "REV104";
/// A choice or comment that cannot be taken.
pub(super) const BAD_CHOICE: &str = "REV105";
/// Something was changed that is only shown.
pub(super) const LOCKED_CELL: &str = "REV106";
/// A cell holds a formula.
pub(super) const FORMULA: &str = "REV107";
/// The workbook holds a program.
pub(super) const MACROS: &str = "REV108";
/// The file is larger than any mapping, packed or unpacked.
pub(super) const TOO_LARGE: &str = "REV109";
/// Two reviews said different things about a row.
pub(super) const CLASH: &str = "REV110";
/// Nobody signed the decisions.
pub(super) const UNSIGNED: &str = "REV111";

/// One thing that is wrong with a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    /// Stable code.
    pub code: &'static str,
    /// Where, such as `line 14` or `cell M14`; empty for the whole file.
    pub place: String,
    /// What is wrong.
    pub what: String,
    /// What to do about it.
    pub advice: String,
}

impl Fault {
    /// A fault of the whole file.
    pub(crate) fn whole(code: &'static str, what: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { code, place: String::new(), what: what.into(), advice: advice.into() }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} ", self.code)?;
        if !self.place.is_empty() {
            write!(out, "{}: ", self.place)?;
        }
        write!(out, "{}; {}", self.what, self.advice)
    }
}

/// Where a row stands in its file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// Line of a text file, from one.
    Line(usize),
    /// Row of a sheet, from one; columns are [`LOCKED`], then [`OPEN`].
    Sheet(usize),
    /// Entry of a list, from one.
    Entry(usize),
}

impl Place {
    fn of(&self, column: usize) -> String {
        let key = LOCKED.iter().chain(&OPEN).nth(column).map_or("", |column| column.key);
        match self {
            Self::Line(line) => format!("row at line {line}, {key}"),
            // Nineteen columns: one letter each.
            Self::Sheet(row) => {
                let letter = u8::try_from(column).map_or('?', |column| char::from(b'A' + column));
                format!("cell {letter}{row} ({key})")
            }
            Self::Entry(entry) => format!("entry {entry}, {key}"),
        }
    }

    fn whole(&self) -> String {
        match self {
            Self::Line(line) => format!("row at line {line}"),
            Self::Sheet(row) => format!("row {row}"),
            Self::Entry(entry) => format!("entry {entry}"),
        }
    }
}

/// One row as a file has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BroughtRow {
    pub(crate) place: Place,
    /// Id as text.
    pub(crate) row: String,
    /// Locked cells that the file shows, in the order of [`LOCKED`]; nothing where it shows none.
    pub(crate) locked: [Option<String>; LOCKED.len()],
    pub(crate) answer: AnswerCells,
}

/// What a file says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Brought {
    /// Digest of the proposal that it was made for.
    pub(crate) proposal: String,
    /// Number of the answers that it began at; 0 for none.
    pub(crate) answers: u32,
    pub(crate) rows: Vec<BroughtRow>,
    /// Rows that are not there stand as nobody looked at them.
    pub(crate) is_partial: bool,
    /// Who signed it, and when by their clock.
    pub(crate) signed: Option<(String, Timestamp)>,
}

/// A foreign text as a message may repeat it.
pub(crate) fn shown(text: &str) -> String {
    migration::text::truncate_chars(&migration::text::clean_line(text), SHOWN_CHARS_MAX).into_owned()
}

/// Takes what a file says about a document.
///
/// # Errors
/// Everything that is wrong with it, in order of place.
pub(crate) fn take(
    document: &MappingDocument,
    brought: &Brought,
    inventory: &Inventory,
) -> Result<Answers, Vec<Fault>> {
    if brought.proposal != document.proposal().to_hex() {
        let what = format!(
            "it was made for proposal {}, and the proposal of this run is {}",
            shown(&brought.proposal),
            document.proposal()
        );
        let advice = "export the mapping again, and carry your decisions over";
        return Err(vec![Fault::whole(OTHER_PROPOSAL, what, advice)]);
    }
    let by_text: BTreeMap<String, &RowId> =
        document.rows().map(|row| (locked(row)[0].clone(), &row.proposed.id)).collect();
    let (mut answers, mut faults) = (Answers::new(), Vec::new());
    let mut seen: BTreeMap<&RowId, &Place> = BTreeMap::new();
    for row in &brought.rows {
        let Some(id) = by_text.get(&migration::mapping::cells::clean_comment(&row.row)) else {
            faults.push(Fault {
                code: UNKNOWN_ROW,
                place: row.place.of(0),
                what: format!("the proposal has no row `{}`", shown(&row.row)),
                advice: "remove it, or put its name back as it was exported".to_owned(),
            });
            continue;
        };
        if let Some(before) = seen.insert(id, &row.place) {
            faults.push(Fault {
                code: ROW_COUNT,
                place: row.place.whole(),
                what: format!("row `{}` is there twice, before at {}", shown(&row.row), before.whole()),
                advice: "remove one of the two".to_owned(),
            });
        }
        faults.extend(changed_cells(document, id, row));
        match answer(id, row, inventory) {
            Ok(answer) if answer.is_empty() => {}
            Ok(answer) => drop(answers.insert((*id).clone(), answer)),
            Err(fault) => faults.push(fault),
        }
    }
    if !brought.is_partial {
        for row in document.rows().filter(|row| !seen.contains_key(&row.proposed.id)) {
            faults.push(Fault::whole(
                ROW_COUNT,
                format!("row `{}` is missing", shown(&row.proposed.id.to_string())),
                "put it back, or export the mapping again; to leave something out, choose leave",
            ));
        }
    }
    if faults.is_empty() { Ok(answers) } else { Err(faults) }
}

/// Cells that are only shown and say something else than the proposal.
fn changed_cells(document: &MappingDocument, id: &RowId, brought: &BroughtRow) -> Vec<Fault> {
    let Some(row) = document.row(id) else { return Vec::new() };
    let pairs = locked(row).into_iter().zip(&brought.locked).enumerate();
    let changed = pairs.filter_map(|(column, (expected, found))| {
        let found = found.as_ref()?;
        (migration::mapping::cells::clean_comment(found) != expected).then(|| Fault {
            code: LOCKED_CELL,
            place: brought.place.of(column),
            what: format!("it says `{}`, and the proposal says `{}`", shown(found), shown(&expected)),
            advice: format!(
                "put it back; what shall become of the row is said in {} and the columns after it",
                OPEN[0].key
            ),
        })
    });
    changed.collect()
}

fn answer(
    id: &RowId,
    row: &BroughtRow,
    inventory: &Inventory,
) -> Result<migration::mapping::document::Answer, Fault> {
    let fault = |column: usize, what: String, advice: &str| Fault {
        code: BAD_CHOICE,
        place: row.place.of(LOCKED.len() + column),
        what,
        advice: advice.to_owned(),
    };
    let answer = row.answer.read(id).map_err(|error| match &error {
        AnswerError::Cell(cell) => {
            let column = match cell.cell() {
                Cell::Choice => 0,
                Cell::Reason => 1,
                Cell::Value => 2,
                Cell::Kind => 3,
                Cell::Into => 4,
            };
            let advice = match cell.cell() {
                Cell::Choice | Cell::Into => {
                    "`takes` names the choices of the row; empty the cell for what is proposed"
                }
                Cell::Reason | Cell::Kind => "fill it in, or empty it, as the choice needs it",
                Cell::Value => "give a name, an id or a word, as the choice needs it",
            };
            fault(column, shown_error(&error), advice)
        }
        AnswerError::LongComment { .. } => fault(5, error.to_string(), "shorten it"),
    })?;
    let unknown = match &answer.choice {
        Some(RowChoice::User(UserId(id))) => {
            (!inventory.gorgias_users.iter().any(|user| user.id.0 == *id)).then_some(("user", id))
        }
        Some(RowChoice::Team(TeamId(id))) => {
            (!inventory.gorgias_teams.iter().any(|team| team.id.0 == *id)).then_some(("team", id))
        }
        Some(RowChoice::Carry { into: Some(CarryInto::Field(FieldId(id))), .. }) => {
            (!inventory.gorgias_fields.iter().any(|field| field.id.0 == *id)).then_some(("field", id))
        }
        _ => None,
    };
    if let Some((kind, id)) = unknown {
        let what = format!("Gorgias had no {kind} {id} when it was looked at");
        return Err(fault(2, what, "take one that is there, or begin another run, which looks again"));
    }
    Ok(answer)
}

/// Foreign words in an error are cut like any other foreign text.
fn shown_error(error: &AnswerError) -> String {
    const ERROR_CHARS_MAX: usize = 300;
    let text = migration::text::clean_line(&error.to_string());
    migration::text::truncate_chars(&text, ERROR_CHARS_MAX).into_owned()
}
