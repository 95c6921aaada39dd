//! `mapping.toml`: the view that people edit with a text editor, and that version control can compare.
//!
//! Writing over a file keeps what people wrote into it: comments, order and spacing. Deliberately absent: judging what it
//! says (see `brought`).

use std::collections::BTreeMap;
use std::fmt::Write as _;

use migration::mapping::cells::ChoiceCells;
use migration::mapping::document::{AnswerCells, MappingDocument, ReviewRow};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toml_edit::{ArrayOfTables, DocumentMut, Item, Table, Value, value};

use super::brought::{Brought, BroughtRow, Fault, Place, UNREADABLE};
use super::columns::{LOCKED, OPEN, YES, locked, open};

/// Bytes of a file at most: far more than any mapping has.
pub(crate) const BYTES_MAX: usize = 32 * 1024 * 1024;
/// Name of the schema beside the file, for editors.
pub const SCHEMA_FILE: &str = "mapping.schema.json";
/// Version that is written.
const VERSION: &str = "1";

/// `mapping.toml`: a mapping under review. Change only choice, reason, value, type, into, comment and seen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "deskferry mapping")]
struct MappingFile {
    /// Version of this form.
    version: Version,
    /// Digest of the proposal that the file was made for. Do not change it.
    proposal: String,
    /// Number of the answers that the file began at. Do not change it.
    #[serde(default)]
    answers: u32,
    /// One entry for each row of the proposal.
    #[serde(default)]
    row: Vec<RowEntry>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
enum Version {
    #[serde(rename = "1")]
    V1,
}

/// One row. What is proposed is only shown; what you want is said in choice and the keys after it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RowEntry {
    /// Which row. Do not change it.
    row: String,
    /// What people call it at LeadDesk. Only shown.
    name: Option<String>,
    /// carry, leave or conflict. Only shown.
    proposed: Option<String>,
    /// What it becomes at Gorgias. Only shown.
    target: Option<String>,
    /// Why. Only shown.
    why: Option<String>,
    /// Records or values concerned. Only shown.
    records: Option<String>,
    /// How sure the proposal is. Only shown.
    confidence: Option<String>,
    /// Share of the records looked at that have a value. Only shown.
    filled: Option<String>,
    /// Different values. Only shown.
    distinct: Option<String>,
    /// Values before and after, masked. Only shown.
    samples: Option<String>,
    /// What else it could become. Only shown.
    alternatives: Option<String>,
    /// The choices that this row takes. Only shown.
    takes: Option<String>,
    /// What shall become of the row instead; empty when the proposal is right.
    #[serde(default)]
    #[schemars(extend("enum" = [
        "", "as-proposed", "leave", "carry", "rename", "team", "user", "placeholder", "status", "role",
    ]))]
    choice: String,
    /// Why it is left out (leave, placeholder), or what it is needed for (carry).
    #[serde(default)]
    reason: String,
    /// rename: the name. team, user: the id at Gorgias. status: open or closed. role: the role. carry: the label of a new
    /// field, the id of a field, or words that mean "opted out", one a line.
    #[serde(default)]
    value: String,
    /// carry: another type than the inferred one.
    #[serde(default, rename = "type")]
    #[schemars(extend("enum" = ["", "text", "number", "boolean", "date"]))]
    kind: String,
    /// carry: another place than the proposed one.
    #[serde(default)]
    #[schemars(extend("enum" = ["", "new-field", "field", "opt-out", "lead-card"]))]
    into: String,
    /// A remark for whoever reads the mapping later.
    #[serde(default)]
    comment: String,
    /// Whether somebody looked at the row.
    #[serde(default)]
    seen: bool,
}

/// The schema of the file, for editors.
#[must_use]
pub fn schema() -> serde_json::Value {
    let generator = schemars::generate::SchemaSettings::draft07().into_generator();
    generator.into_root_schema_for::<MappingFile>().to_value()
}

/// The file as it is written when there is none.
#[must_use]
pub fn fresh(document: &MappingDocument, answers: u32) -> String {
    let mut file = DocumentMut::new();
    file["version"] = value(VERSION);
    file["proposal"] = value(document.proposal().to_hex());
    file["answers"] = value(i64::from(answers));
    let mut rows = ArrayOfTables::new();
    for row in document.rows() {
        rows.push(table(row));
    }
    file["row"] = Item::ArrayOfTables(rows);
    format!("{}{file}", head(document))
}

fn head(document: &MappingDocument) -> String {
    let mut head = format!("#:schema ./{SCHEMA_FILE}\n");
    let rows = document.rows().len();
    // Writing to a String does not fail.
    let _ = writeln!(
        head,
        "# What becomes of {rows} things at LeadDesk. Yours are the keys from choice on: {}.",
        OPEN.map(|column| column.key).join(", ")
    );
    head.push_str(
        "# Everything else is what is proposed and why; it is only shown, and checked when the file is imported.\n\
         # Leave choice empty where the proposal is right, and set seen to true. Comments like this one are kept.\n\
         # Then: deskferry map import mapping.toml\n\n",
    );
    head
}

fn table(row: &ReviewRow) -> Table {
    let mut table = Table::new();
    for (column, text) in LOCKED.iter().zip(locked(row)) {
        if !text.is_empty() {
            table[column.key] = value(text);
        }
    }
    for (column, text) in OPEN.iter().zip(open(row)) {
        if column.key == "seen" {
            table[column.key] = value(text == YES);
        } else if !text.is_empty() || column.key == "choice" || column.key == "comment" {
            table[column.key] = value(text);
        }
    }
    table
}

/// The file with this document in the place of what it said; comments, order and spacing stay.
///
/// # Errors
/// A [`Fault`] when the text is no TOML, so that nobody's work is overwritten.
pub fn over(text: &str, document: &MappingDocument, answers: u32) -> Result<String, Fault> {
    let mut file: DocumentMut = text.parse().map_err(|error| unreadable(text, &error))?;
    set(file.as_table_mut(), "version", VERSION.into());
    set(file.as_table_mut(), "proposal", document.proposal().to_hex().into());
    set(file.as_table_mut(), "answers", i64::from(answers).into());
    if !file.contains_array_of_tables("row") {
        file["row"] = Item::ArrayOfTables(ArrayOfTables::new());
    }
    let Some(tables) = file["row"].as_array_of_tables_mut() else {
        return Err(Fault::whole(
            UNREADABLE,
            "its rows cannot be read",
            "move the file away and export again",
        ));
    };
    let name = |table: &Table| table.get("row").and_then(Item::as_str).map(str::to_owned);
    // A row that is gone goes, and of two with one name the first stays.
    let mut places: BTreeMap<String, Option<usize>> =
        document.rows().map(|row| (locked(row)[0].clone(), None)).collect();
    let mut count = 0;
    tables.retain(|table| {
        let Some(place @ None) = name(table).and_then(|name| places.get_mut(&name)) else { return false };
        *place = Some(count);
        count += 1;
        true
    });
    for row in document.rows() {
        match places.get(&locked(row)[0]).copied().flatten().and_then(|at| tables.get_mut(at)) {
            Some(known) => update(known, row),
            None => tables.push(table(row)),
        }
    }
    Ok(file.to_string())
}

fn update(table: &mut Table, row: &ReviewRow) {
    let cells = LOCKED.iter().zip(locked(row)).chain(OPEN.iter().zip(open(row)));
    for (column, text) in cells {
        let is_there = table.contains_key(column.key);
        if column.key == "seen" {
            set(table, column.key, (text == YES).into());
        } else if is_there || !text.is_empty() {
            set(table, column.key, text.into());
        }
    }
}

/// Replaces a value that differs; what stands around it stays.
fn set(table: &mut Table, key: &str, new: Value) {
    let same = |old: &Value| match (old, &new) {
        (Value::String(old), Value::String(new)) => old.value() == new.value(),
        (Value::Integer(old), Value::Integer(new)) => old.value() == new.value(),
        (Value::Boolean(old), Value::Boolean(new)) => old.value() == new.value(),
        _ => false,
    };
    match table.get_mut(key).and_then(Item::as_value_mut) {
        Some(old) if same(old) => {}
        Some(old) => {
            let decor = old.decor().clone();
            *old = new;
            *old.decor_mut() = decor;
        }
        None => table[key] = value(new),
    }
}

fn unreadable(text: &str, error: &toml_edit::TomlError) -> Fault {
    let line = error.span().map(|span| line_of(text, span.start));
    Fault {
        code: UNREADABLE,
        place: line.map_or_else(String::new, |line| format!("line {line}")),
        what: format!("this is no TOML: {}", error.message()),
        advice: "mend it there; the file that `deskferry map export` writes shows the form".to_owned(),
    }
}

fn line_of(text: &str, offset: usize) -> usize {
    text.get(..offset).map_or(1, |before| before.matches('\n').count() + 1)
}

/// Reads the file.
///
/// # Errors
/// A [`Fault`] of the whole file, or of the first place that has another form.
pub(crate) fn read(text: &str) -> Result<Brought, Fault> {
    let parsed = toml_edit::Document::parse(text).map_err(|error| unreadable(text, &error))?;
    let lines: Vec<usize> = parsed
        .get("row")
        .and_then(Item::as_array_of_tables)
        .into_iter()
        .flat_map(ArrayOfTables::iter)
        .map(|table| table.span().map_or(1, |span| line_of(text, span.start)))
        .collect();
    let file: MappingFile = toml_edit::de::from_str(text).map_err(|error| {
        let line = error.span().map(|span| line_of(text, span.start));
        Fault {
            code: UNREADABLE,
            place: line.map_or_else(String::new, |line| format!("line {line}")),
            what: format!("it has another form: {}", error.message()),
            advice: "compare with the file that `deskferry map export` writes".to_owned(),
        }
    })?;
    let rows = file.row.into_iter().enumerate();
    let rows = rows.map(|(index, row)| row.brought(Place::Line(lines.get(index).copied().unwrap_or(1))));
    Ok(Brought {
        proposal: file.proposal,
        answers: file.answers,
        rows: rows.collect(),
        is_partial: false,
        signed: None,
    })
}

impl RowEntry {
    fn brought(self, place: Place) -> BroughtRow {
        let locked = [
            Some(self.row.clone()),
            self.name,
            self.proposed,
            self.target,
            self.why,
            self.records,
            self.confidence,
            self.filled,
            self.distinct,
            self.samples,
            self.alternatives,
            self.takes,
        ];
        let choice = ChoiceCells {
            choice: self.choice,
            reason: self.reason,
            value: self.value,
            kind: self.kind,
            into: self.into,
        };
        let answer = AnswerCells { choice, comment: self.comment, is_seen: self.seen };
        BroughtRow { place, row: self.row, locked, answer }
    }
}
