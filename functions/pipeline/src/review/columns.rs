//! The columns that every view of a mapping has, and the text of the ones that nobody may change.
//!
//! All text is cleaned before it is shown, so that a file can hold it and the same text comes back.

use migration::mapping::cells::{ChoiceCells, INTO_WORDS, clean_comment};
use migration::mapping::document::{AnswerCells, ReviewRow};
use migration::mapping::{ChoiceKind, Decision, RowSubject, legal_choices};
use migration::text::truncate_chars;

/// Characters of a locked cell at most; a workbook holds 32,767, people read less.
const CELL_CHARS_MAX: usize = 4_000;

/// One column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Column {
    /// Name in `mapping.toml`.
    pub(crate) key: &'static str,
    /// Heading for people.
    pub(crate) heading: &'static str,
    /// Width in a workbook, in characters.
    pub(crate) width: u8,
}

const fn column(key: &'static str, heading: &'static str, width: u8) -> Column {
    Column { key, heading, width }
}

/// What is proposed, and why; nobody may change it.
pub(crate) const LOCKED: [Column; 12] = [
    column("row", "Row", 26),
    column("name", "LeadDesk", 24),
    column("proposed", "Proposed", 10),
    column("target", "Gorgias", 34),
    column("why", "Why", 44),
    column("records", "Records", 9),
    column("confidence", "Confidence", 11),
    column("filled", "Filled", 9),
    column("distinct", "Distinct", 9),
    column("samples", "Samples, masked", 34),
    column("alternatives", "Also possible", 34),
    column("takes", "Takes", 18),
];

/// What a person says.
pub(crate) const OPEN: [Column; 7] = [
    column("choice", "Choice", 13),
    column("reason", "Reason or purpose", 30),
    column("value", "Name, id or words", 26),
    column("type", "Type", 10),
    column("into", "Into", 12),
    column("comment", "Comment", 36),
    column("seen", "Looked at", 10),
];

/// Words of the column `seen` in a workbook.
pub(crate) const YES: &str = "yes";
pub(crate) const NO: &str = "no";

/// Text of the locked cells of a row, in the order of [`LOCKED`].
pub(crate) fn locked(row: &ReviewRow) -> [String; LOCKED.len()] {
    let proposed = &row.proposed;
    let why = match &proposed.decision {
        Decision::Carry(why) => why.reason.clone(),
        Decision::Leave(why) => format!("{} {}", why.code, why.reason),
        Decision::Conflict { carry, leave } => {
            format!("{} {}; for it speaks: {}", leave.code, leave.reason, carry.reason)
        }
    };
    let evidence = proposed.evidence.as_ref();
    let percent = |share: f64| format!("{:.1} %", share * 100.0);
    let samples = evidence.iter().flat_map(|it| &it.samples).map(|sample| {
        let after = if sample.after.is_empty() { "nothing" } else { &sample.after };
        format!("{} → {after}", sample.before)
    });
    let others = evidence
        .iter()
        .flat_map(|it| &it.alternatives)
        .map(|other| format!("{} ({}: {})", other.target, percent(other.confidence), other.reason));
    let takes = legal_choices(&proposed.id).iter().map(|kind| kind.as_str());
    let cells = [
        proposed.id.to_string(),
        proposed.name.clone(),
        proposed.decision.as_str().to_owned(),
        proposed.target.clone(),
        why,
        proposed.count.map_or_else(String::new, |count| count.to_string()),
        evidence.map_or_else(String::new, |it| percent(it.confidence)),
        evidence.and_then(|it| it.fill_share).map_or_else(String::new, percent),
        evidence.and_then(|it| it.distinct).map_or_else(String::new, |distinct| distinct.to_string()),
        samples.collect::<Vec<_>>().join("\n"),
        others.collect::<Vec<_>>().join("\n"),
        takes.collect::<Vec<_>>().join(", "),
    ];
    cells.map(|cell| clean_comment(&truncate_chars(&clean_comment(&cell), CELL_CHARS_MAX)))
}

/// Text of the open cells of a row, in the order of [`OPEN`].
pub(crate) fn open(row: &ReviewRow) -> [String; OPEN.len()] {
    let AnswerCells { choice, comment, is_seen } = AnswerCells::of(&row.answer);
    let ChoiceCells { choice, reason, value, kind, into } = choice;
    let seen = if is_seen { YES } else { NO };
    [choice, reason, value, kind, into, comment, seen.to_owned()]
}

/// What may be filled in for a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Offer {
    /// Forms of choices.
    pub(crate) choices: &'static [ChoiceKind],
    /// Whether a person may say another type.
    pub(crate) is_typed: bool,
    /// Places that a person may say.
    pub(crate) places: &'static [&'static str],
}

/// What may be filled in for this row.
pub(crate) fn offer(row: &ReviewRow) -> Offer {
    let choices = legal_choices(&row.proposed.id);
    let (is_typed, places): (bool, &'static [&'static str]) = match RowSubject::of(&row.proposed.id) {
        Some(RowSubject::Slot(_)) => (true, &INTO_WORDS),
        Some(RowSubject::Contact(_)) if !choices.is_empty() => (true, &["new-field", "field", "lead-card"]),
        Some(RowSubject::Fixed(_)) => (false, &["new-field", "field"]),
        _ => (false, &[]),
    };
    Offer { choices, is_typed, places }
}
