//! Reads a workbook that a person filled in, and trusts nothing of it.
//!
//! The archive is unpacked once into nowhere before anything else looks at it: what it states about its sizes is only a
//! claim. Deliberately absent: judging what the cells say (see `brought`).

use std::io::{Cursor, Read};

use calamine::{Data, Range, Reader, Xlsx};
use migration::mapping::cells::ChoiceCells;
use migration::mapping::document::AnswerCells;

use super::{ABOUT, SHEET, VERSION};
use crate::review::brought::{
    Brought, BroughtRow, FORMULA, Fault, LOCKED_CELL, MACROS, Place, TOO_LARGE, UNREADABLE, shown,
};
use crate::review::columns::{LOCKED, OPEN, YES};

/// Bytes of a workbook at most; one of 5,000 rows has less than one megabyte.
pub(crate) const BYTES_MAX: usize = 16 * 1024 * 1024;
/// Bytes of it unpacked at most.
const EXPANDED_BYTES_MAX: u64 = 128 * 1024 * 1024;
/// Entries of the archive at most; a workbook of ours has fifteen.
const ENTRIES_MAX: usize = 500;
/// Rows of the sheet at most.
const ROWS_MAX: usize = 100_000;
/// Faults that are told at most; a column that was filled down has one in every row.
const FAULTS_MAX: usize = 50;

/// Reads the file.
///
/// # Errors
/// What is wrong with the file as such.
pub(crate) fn read(bytes: &[u8]) -> Result<Brought, Vec<Fault>> {
    check_archive(bytes).map_err(|fault| vec![fault])?;
    let mut book: Xlsx<Cursor<&[u8]>> =
        Xlsx::new(Cursor::new(bytes)).map_err(|error| vec![unreadable(&error.to_string())])?;
    let about = sheet(&mut book, ABOUT).map_err(|fault| vec![fault])?;
    let rows = sheet(&mut book, SHEET).map_err(|fault| vec![fault])?;
    check_headings(&rows).map_err(|fault| vec![fault])?;
    let mut faults = formulas(&mut book);
    let (proposal, answers) = about_of(&about).map_err(|fault| vec![fault])?;
    let mut brought = Vec::new();
    // The range begins at the first used cell, and the headings are checked: it begins at A1.
    for (index, cells) in rows.rows().enumerate().skip(1) {
        if cells.iter().all(|cell| *cell == Data::Empty) {
            continue;
        }
        match row(index + 1, cells) {
            Ok(row) => brought.push(row),
            Err(fault) => faults.push(fault),
        }
    }
    faults.truncate(FAULTS_MAX);
    if !faults.is_empty() {
        return Err(faults);
    }
    Ok(Brought { proposal, answers, rows: brought, is_partial: false, signed: None })
}

fn unreadable(why: &str) -> Fault {
    Fault::whole(
        UNREADABLE,
        format!("this is no workbook that can be read: {}", shown(why)),
        "save it as an Excel workbook (.xlsx), without a password",
    )
}

fn check_archive(bytes: &[u8]) -> Result<(), Fault> {
    let too_large = |what: String| Fault::whole(TOO_LARGE, what, "export the mapping again and fill that in");
    if bytes.len() > BYTES_MAX {
        return Err(too_large(format!("it has {} bytes, at most {BYTES_MAX} are read", bytes.len())));
    }
    let mut zip = zip::ZipArchive::new(Cursor::new(bytes)).map_err(|error| unreadable(&error.to_string()))?;
    if zip.len() > ENTRIES_MAX {
        return Err(too_large(format!("it has {} parts, at most {ENTRIES_MAX} are read", zip.len())));
    }
    let mut expanded = 0_u64;
    for index in 0..zip.len() {
        let entry = zip.by_index(index).map_err(|error| unreadable(&error.to_string()))?;
        let name = entry.name().map_err(|error| unreadable(&error.to_string()))?.to_lowercase();
        if name.contains("vbaproject") || name.contains("macrosheets/") {
            return Err(Fault::whole(
                MACROS,
                "the workbook holds macros",
                "save it as an Excel workbook without macros (.xlsx)",
            ));
        }
        let room = EXPANDED_BYTES_MAX - expanded;
        let read = std::io::copy(&mut entry.take(room + 1), &mut std::io::sink())
            .map_err(|error| unreadable(&error.to_string()))?;
        if read > room {
            return Err(too_large(format!("unpacked it has more than {EXPANDED_BYTES_MAX} bytes")));
        }
        expanded += read;
    }
    Ok(())
}

fn sheet(book: &mut Xlsx<Cursor<&[u8]>>, name: &str) -> Result<Range<Data>, Fault> {
    if !book.sheet_names().iter().any(|known| known == name) {
        let what = format!("it has no sheet {name}");
        return Err(Fault::whole(
            UNREADABLE,
            what,
            "fill in the workbook that was exported; keep its sheets",
        ));
    }
    let range = book.worksheet_range(name).map_err(|error| unreadable(&error.to_string()))?;
    if range.height() > ROWS_MAX {
        let what = format!("sheet {name} has {} rows, at most {ROWS_MAX} are read", range.height());
        return Err(Fault::whole(TOO_LARGE, what, "remove the rows that were not exported"));
    }
    Ok(range)
}

fn check_headings(rows: &Range<Data>) -> Result<(), Fault> {
    let expected = LOCKED.iter().chain(&OPEN).map(|column| column.heading);
    for (column, heading) in (0_u32..).zip(expected) {
        let found = rows.get_value((0, column)).map(Data::to_string).unwrap_or_default();
        if found != heading {
            let letter = u8::try_from(column).map_or('?', |column| char::from(b'A' + column));
            return Err(Fault {
                code: LOCKED_CELL,
                place: format!("cell {letter}1"),
                what: format!("the heading is `{}` and was `{heading}`", shown(&found)),
                advice: "put the columns back in their order; rows may be sorted, columns may not".to_owned(),
            });
        }
    }
    Ok(())
}

fn formulas(book: &mut Xlsx<Cursor<&[u8]>>) -> Vec<Fault> {
    let mut faults = Vec::new();
    for name in [SHEET, ABOUT] {
        let Ok(formulas) = book.worksheet_formula(name) else { continue };
        let Some((first_row, first_column)) = formulas.start() else { continue };
        for (row, column, _) in formulas.used_cells().filter(|(_, _, formula)| !formula.is_empty()) {
            let (row, column) = (first_row as usize + row + 1, first_column as usize + column);
            faults.push(Fault {
                code: FORMULA,
                place: format!("{name}, cell {}{row}", letters(column)),
                what: "the cell holds a formula".to_owned(),
                advice: "put the value itself there: copy, then paste as values".to_owned(),
            });
        }
    }
    faults
}

/// Letters of a column, from 0.
fn letters(column: usize) -> String {
    let mut rest = column;
    let mut letters = Vec::new();
    loop {
        letters.push(char::from(b'A' + u8::try_from(rest % 26).unwrap_or(0)));
        if rest < 26 {
            break;
        }
        rest = rest / 26 - 1;
    }
    letters.iter().rev().collect()
}

fn about_of(about: &Range<Data>) -> Result<(String, u32), Fault> {
    let named = |name: &str| {
        let row = about.rows().find(|row| row.first().map(Data::to_string).as_deref() == Some(name));
        row.and_then(|row| row.get(1)).map(Data::to_string).unwrap_or_default()
    };
    if named("Form") != VERSION {
        let what = format!("the sheet {ABOUT} names form `{}`", shown(&named("Form")));
        return Err(Fault::whole(UNREADABLE, what, "use the program that exported it, or a newer one"));
    }
    let answers = named("Answers").parse().map_err(|_| {
        let what = format!("the sheet {ABOUT} names no number of answers");
        Fault::whole(LOCKED_CELL, what, "fill in the workbook that was exported; keep its sheets")
    })?;
    Ok((named("Proposal"), answers))
}

/// The text of a cell; a number that a person typed is its digits.
fn text(cell: Option<&Data>) -> Option<String> {
    match cell {
        None | Some(Data::Empty) => Some(String::new()),
        Some(Data::String(text)) => Some(text.clone()),
        Some(Data::Int(number)) => Some(number.to_string()),
        Some(Data::Float(number)) => Some(number.to_string()),
        Some(Data::Bool(truth)) => Some(truth.to_string()),
        Some(_) => None,
    }
}

fn row(number: usize, cells: &[Data]) -> Result<BroughtRow, Fault> {
    let mut texts = Vec::with_capacity(LOCKED.len() + OPEN.len());
    for column in 0..LOCKED.len() + OPEN.len() {
        let text = text(cells.get(column)).ok_or_else(|| Fault {
            code: UNREADABLE,
            place: format!("cell {}{number}", letters(column)),
            what: "the cell holds a date or an error".to_owned(),
            advice: "write it as text".to_owned(),
        })?;
        texts.push(text);
    }
    let mut texts = texts.into_iter();
    let locked: [Option<String>; LOCKED.len()] = std::array::from_fn(|_| texts.next());
    let [choice, reason, value, kind, into, comment, seen]: [String; OPEN.len()] =
        std::array::from_fn(|_| texts.next().unwrap_or_default());
    let is_seen = match seen.trim().to_lowercase().as_str() {
        YES | "true" | "1" | "x" => true,
        "" | "no" | "false" | "0" => false,
        other => {
            return Err(Fault {
                code: super::super::brought::BAD_CHOICE,
                place: format!("cell {}{number}", letters(LOCKED.len() + OPEN.len() - 1)),
                what: format!("`{}` is neither yes nor no", shown(other)),
                advice: "write yes or no".to_owned(),
            });
        }
    };
    let is_id = matches!(choice.trim(), "user" | "team") || into.trim() == "field";
    let value = if is_id { id_of(&value) } else { value };
    let choice = ChoiceCells { choice, reason, value, kind, into };
    let row = locked[0].clone().unwrap_or_default();
    let answer = AnswerCells { choice, comment, is_seen };
    Ok(BroughtRow { place: Place::Sheet(number), row, locked, answer })
}

/// Lists offer an id with its name; the id counts.
fn id_of(value: &str) -> String {
    value.split_whitespace().next().unwrap_or_default().to_owned()
}
