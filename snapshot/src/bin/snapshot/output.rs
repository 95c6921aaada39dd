//! What people and programs get to see: tables or NDJSON, errors in one shape, the next command last.

use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::Error;
use comfy_table::{Table, presets};
use serde_json::{Value as Json, json};
use snapshot::{PersonalData, SnapshotError, ValueBuf};

/// Version of the form of the events.
const EVENTS_VERSION: &str = "1.0";
/// Characters of a value in a table for people.
const CELL_CHARS_MAX: usize = 48;
/// Stands for a value that points at a person.
pub(crate) const MASK: &str = "(masked)";

const BOLD: &str = "\x1b[1m";
const RED: &str = "\x1b[1;31m";
const PLAIN: &str = "\x1b[0m";

/// Where a command says things. Colour goes away by itself where it is not wanted.
pub(crate) struct Output {
    out: Box<dyn Write>,
    is_json: bool,
}

impl Output {
    pub(crate) fn new(is_json: bool) -> Self {
        // Rows are many: one system call per line would be slower than reading them.
        let out: Box<dyn Write> = if is_json {
            Box::new(io::BufWriter::new(io::stdout()))
        } else {
            Box::new(io::BufWriter::new(anstream::AutoStream::auto(io::stdout())))
        };
        Self { out, is_json }
    }

    pub(crate) fn is_json(&self) -> bool {
        self.is_json
    }

    /// The event that tells programs the form of those to come.
    pub(crate) fn begin(&mut self) -> io::Result<()> {
        let version = env!("CARGO_PKG_VERSION");
        self.event(
            &json!({"type": "version", "ui": EVENTS_VERSION, "tool": "snapshot", "tool_version": version}),
        )
    }

    /// An event, for programs only.
    pub(crate) fn event(&mut self, event: &Json) -> io::Result<()> {
        if self.is_json { writeln!(self.out, "{event}") } else { Ok(()) }
    }

    /// A line, for people only.
    pub(crate) fn line(&mut self, text: &str) -> io::Result<()> {
        if self.is_json { Ok(()) } else { writeln!(self.out, "{text}") }
    }

    /// A line that heads others, for people only.
    pub(crate) fn heading(&mut self, text: &str) -> io::Result<()> {
        self.line(&format!("{BOLD}{text}{PLAIN}"))
    }

    /// A table, for people only.
    pub(crate) fn table(&mut self, header: &[&str], rows: Vec<Vec<String>>) -> io::Result<()> {
        let mut table = Table::new();
        table.load_style(presets::UTF8_HORIZONTAL_ONLY).set_header(header.to_vec());
        table.add_rows(rows);
        self.line(&table.to_string())
    }

    /// The one command to run next.
    pub(crate) fn next(&mut self, command: &str) -> io::Result<()> {
        self.event(&json!({"type": "next", "command": command}))?;
        self.line("")?;
        self.line(&format!("Next: {command}"))
    }

    /// The same after a document that people redirect into a file.
    pub(crate) fn next_beside_document(&mut self, command: &str) -> io::Result<()> {
        self.event(&json!({"type": "next", "command": command}))?;
        if self.is_json {
            return Ok(());
        }
        self.out.flush()?;
        writeln!(io::stderr(), "\nNext: {command}")
    }

    pub(crate) fn end(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    /// Reports what went wrong. A reader that went away is no error.
    pub(crate) fn fail(&mut self, error: &Error) -> ExitCode {
        let is_gone = |error: &io::Error| error.kind() == io::ErrorKind::BrokenPipe;
        if error.downcast_ref::<io::Error>().is_some_and(is_gone) {
            return ExitCode::SUCCESS;
        }
        let (code, why, fix) = match error.downcast_ref::<SnapshotError>() {
            Some(error) => (error.code(), error.why(), error.fix()),
            None => {
                ("SNP001", error.root_cause().to_string(), "check where the output goes, then run it again")
            }
        };
        let event = json!({"type": "error", "code": code, "what": error.to_string(), "why": why, "fix": fix});
        // Nothing is left to tell if even this fails.
        let _ = self.event(&event).and_then(|()| self.out.flush());
        let mut err = anstream::stderr();
        let _ = writeln!(err, "{RED}Error {code}{PLAIN}: {error}\n  Why: {why}\n  Fix: {fix}");
        ExitCode::FAILURE
    }
}

/// A value for people: one line, not too long, masked if it must be.
pub(crate) fn cell(value: &ValueBuf, is_masked: bool) -> String {
    match value.as_value().to_text() {
        None => "-".to_owned(),
        Some(_) if is_masked => MASK.to_owned(),
        Some(text) => {
            let line = text.replace(|each: char| each.is_control(), " ");
            match line.char_indices().nth(CELL_CHARS_MAX) {
                Some((end, _)) => format!("{}…", &line[..end]),
                None => line,
            }
        }
    }
}

/// A value for programs, masked if it must be.
pub(crate) fn json_value(value: &ValueBuf, is_masked: bool) -> Json {
    match value {
        ValueBuf::Null => Json::Null,
        _ if is_masked => Json::String(MASK.to_owned()),
        value => value.as_value().to_json(),
    }
}

/// Whether values of a column are masked.
pub(crate) fn is_masked(personal: PersonalData, shows_personal_data: bool) -> bool {
    personal == PersonalData::Direct && !shows_personal_data
}

/// A number with thin groups of three digits.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// "1 part", "2 parts".
pub(crate) fn counted(number: usize, one: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{} {one}s", grouped(number as u64)) }
}

/// A size for people.
pub(crate) fn size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["B", "kB", "MB", "GB"];
    let mut unit = 0;
    let mut tenths = u128::from(bytes) * 10;
    while tenths >= 10_000 && unit + 1 < UNITS.len() {
        tenths = (tenths + 500) / 1_000;
        unit += 1;
    }
    if unit == 0 { format!("{bytes} B") } else { format!("{}.{} {}", tenths / 10, tenths % 10, UNITS[unit]) }
}
