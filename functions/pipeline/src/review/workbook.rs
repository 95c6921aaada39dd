//! The mapping as a workbook: lists of what a row takes, and everything that is only shown locked.
//!
//! Deliberately absent: formulas and programs; a workbook that comes back with either is refused (see `reading`).

use std::collections::BTreeMap;

use migration::fields::SlotKind;
use migration::gorgias::TicketStatus;
use migration::mapping::cells::SLOT_KINDS;
use migration::mapping::document::{MappingDocument, ReviewRow};
use migration::mapping::{CarryInto, ChoiceKind, RowChoice};
use migration::users::GorgiasRole;
use rust_xlsxwriter::{
    Color, DataValidation, DocProperties, ExcelDateTime, Format, FormatAlign, Formula, ProtectionOptions,
    Workbook, Worksheet, XlsxError,
};

use super::columns::{LOCKED, NO, OPEN, YES, locked, offer, open};
use crate::documents::inventory::Inventory;

pub(crate) mod reading;

/// Sheet with the rows.
pub(crate) const SHEET: &str = "Mapping";
/// Sheet that says what the workbook is about.
pub(crate) const ABOUT: &str = "About";
/// Sheet with the longer lists, hidden.
const LISTS: &str = "Lists";
/// Version of the form.
pub(crate) const VERSION: &str = "1";
/// Columns of the sheet before the open ones.
const LOCKED_COUNT: u16 = 12;
/// Column of the last open one.
const LAST_COLUMN: u16 = 18;
const _: () = assert!(LOCKED.len() == 12 && LOCKED.len() + OPEN.len() == 19);

/// Users, teams and fields of the account, as lists offer them: the id first.
struct Lists {
    columns: Vec<(ChoiceKind, Vec<String>)>,
}

fn entry(id: u64, name: &str) -> String {
    let name = migration::mapping::cells::clean_comment(&migration::text::clean_line(name));
    migration::text::truncate_chars(&format!("{id} {name}"), 200).trim_end().to_owned()
}

impl Lists {
    fn of(inventory: &Inventory) -> Self {
        let users = inventory.gorgias_users.iter().filter(|user| user.is_active);
        let teams = inventory.gorgias_teams.iter();
        let fields = inventory.gorgias_fields.iter().filter(|field| !field.is_managed);
        let words = |words: &[&'static str]| words.iter().map(|word| (*word).to_owned()).collect();
        let columns = vec![
            (ChoiceKind::User, users.map(|user| entry(user.id.0, &user.name)).collect()),
            (ChoiceKind::Team, teams.map(|team| entry(team.id.0, &team.name)).collect()),
            (ChoiceKind::Carry, fields.map(|field| entry(field.id.0, &field.label)).collect()),
            (
                ChoiceKind::Status,
                words(&[TicketStatus::Open, TicketStatus::Closed].map(TicketStatus::as_str)),
            ),
            (ChoiceKind::Role, words(&GorgiasRole::ALL.iter().map(|role| role.as_str()).collect::<Vec<_>>())),
        ];
        Self { columns }
    }

    fn write(&self, sheet: &mut Worksheet) -> Result<(), XlsxError> {
        for (column, (kind, entries)) in (0_u16..).zip(&self.columns) {
            sheet.write_string(0, column, kind.as_str())?;
            for (row, entry) in (1_u32..).zip(entries) {
                sheet.write_string(row, column, entry)?;
            }
        }
        sheet.set_hidden(true).protect();
        Ok(())
    }

    /// The range of a list, and whether something else may be typed.
    fn range(&self, choices: &[ChoiceKind]) -> Option<(String, bool)> {
        let at =
            self.columns.iter().position(|(kind, entries)| choices.contains(kind) && !entries.is_empty())?;
        let letter = char::from(b'A' + u8::try_from(at).ok()?);
        let last = self.columns[at].1.len() + 1;
        // Where a name or a label may be given too, the list only helps.
        let is_strict = !choices.contains(&ChoiceKind::Rename) && !choices.contains(&ChoiceKind::Carry);
        Some((format!("={LISTS}!${letter}$2:${letter}${last}"), is_strict))
    }

    /// The text of an id with its name, where the account has it.
    fn named(&self, kind: ChoiceKind, id: &str) -> Option<&String> {
        let (_, entries) = self.columns.iter().find(|(of, _)| *of == kind)?;
        entries.iter().find(|entry| entry.split(' ').next() == Some(id))
    }
}

struct Formats {
    heading: Format,
    shown: Format,
    open: Format,
    conflict: Format,
}

impl Formats {
    fn new() -> Self {
        let cell = Format::new().set_text_wrap().set_align(FormatAlign::Top).set_num_format("@");
        Self {
            heading: Format::new().set_bold().set_text_wrap().set_align(FormatAlign::Top),
            shown: cell.clone().set_background_color(Color::RGB(0xF2_F2_F2)),
            conflict: cell.clone().set_background_color(Color::RGB(0xFF_E6_CC)).set_bold(),
            open: cell.set_unlocked(),
        }
    }
}

/// The workbook. The same document gives the same bytes.
///
/// # Errors
/// [`XlsxError`] when the writer refuses something; a bug, since all text is cleaned and cut.
pub(crate) fn write(
    document: &MappingDocument,
    answers: u32,
    inventory: &Inventory,
) -> Result<Vec<u8>, XlsxError> {
    let lists = Lists::of(inventory);
    let mut workbook = Workbook::new();
    // A fixed time: the same mapping gives the same file.
    let made = ExcelDateTime::from_ymd(2026, 1, 1)?.and_hms(0, 0, 0)?;
    workbook.set_properties(&DocProperties::new().set_title("Mapping").set_creation_datetime(&made));
    let sheet = workbook.add_worksheet().set_name(SHEET)?;
    rows(sheet, document, &lists)?;
    about(workbook.add_worksheet().set_name(ABOUT)?, document, answers)?;
    lists.write(workbook.add_worksheet().set_name(LISTS)?)?;
    workbook.save_to_buffer()
}

fn rows(sheet: &mut Worksheet, document: &MappingDocument, lists: &Lists) -> Result<(), XlsxError> {
    let formats = Formats::new();
    for (at, column) in (0_u16..).zip(LOCKED.iter().chain(&OPEN)) {
        sheet.write_string_with_format(0, at, column.heading, &formats.heading)?;
        sheet.set_column_width(at, f64::from(column.width))?;
    }
    let mut validations = Validations::default();
    for (at, row) in (1_u32..).zip(document.rows()) {
        let is_conflict = row.proposed.decision.as_str() == "conflict";
        for (column, text) in (0_u16..).zip(locked(row)) {
            let format = if is_conflict && column == 2 { &formats.conflict } else { &formats.shown };
            text_cell(sheet, at, column, &text, format)?;
        }
        for (column, mut text) in (0_u16..).zip(open(row)) {
            if column == 2
                && let Some(named) = named(lists, row, &text)
            {
                text.clone_from(named);
            }
            text_cell(sheet, at, LOCKED_COUNT + column, &text, &formats.open)?;
        }
        validations.row(at, row, lists);
    }
    validations.write(sheet)?;
    let last = u32::try_from(document.rows().len()).unwrap_or(u32::MAX);
    sheet.autofilter(0, 0, last, LAST_COLUMN)?;
    sheet.set_freeze_panes(1, 2)?;
    let may = ProtectionOptions {
        format_columns: true,
        format_rows: true,
        use_autofilter: true,
        ..ProtectionOptions::default()
    };
    sheet.protect_with_options(&may);
    Ok(())
}

fn named<'a>(lists: &'a Lists, row: &ReviewRow, id: &str) -> Option<&'a String> {
    match row.answer.choice.as_ref()? {
        choice @ (RowChoice::User(_)
        | RowChoice::Team(_)
        | RowChoice::Carry { into: Some(CarryInto::Field(_)), .. }) => lists.named(choice.kind(), id),
        _ => None,
    }
}

fn text_cell(
    sheet: &mut Worksheet,
    row: u32,
    column: u16,
    text: &str,
    format: &Format,
) -> Result<(), XlsxError> {
    // Always as text: what begins like a formula is none.
    if text.is_empty() {
        sheet.write_blank(row, column, format)?;
    } else {
        sheet.write_string_with_format(row, column, text, format)?;
    }
    Ok(())
}

/// Lists of choices by column; neighbouring rows that take the same share one.
#[derive(Default)]
struct Validations {
    /// First and last row by column and list.
    runs: Vec<(u16, Rule, u32, u32)>,
    /// Where the newest run of a column stands.
    newest: BTreeMap<u16, usize>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Rule {
    Words(Vec<&'static str>, &'static str),
    Range(String, bool),
}

impl Validations {
    fn row(&mut self, at: u32, row: &ReviewRow, lists: &Lists) {
        let offer = offer(row);
        let mut choices: Vec<&'static str> = offer.choices.iter().map(|kind| kind.as_str()).collect();
        choices.push("as-proposed");
        self.put(at, 0, Rule::Words(choices, "Take a choice of the list, or leave the cell empty."));
        if let Some((range, is_strict)) = lists.range(offer.choices) {
            self.put(at, 2, Rule::Range(range, is_strict));
        }
        // Where neither fits, nothing but an empty cell does.
        let kinds = if offer.is_typed { SLOT_KINDS.map(SlotKind::as_str).to_vec() } else { vec![" "] };
        let into = if offer.places.is_empty() { vec![" "] } else { offer.places.to_vec() };
        self.put(at, 3, Rule::Words(kinds, "Only fields that are carried have a type."));
        self.put(at, 4, Rule::Words(into, "Only fields that are carried have another place."));
        self.put(at, 6, Rule::Words(vec![YES, NO], "yes or no"));
    }

    fn put(&mut self, at: u32, column: u16, rule: Rule) {
        if let Some(index) = self.newest.get(&column)
            && let (_, known, _, last) = &mut self.runs[*index]
            && *known == rule
            && *last + 1 == at
        {
            *last = at;
            return;
        }
        self.newest.insert(column, self.runs.len());
        self.runs.push((column, rule, at, at));
    }

    fn write(self, sheet: &mut Worksheet) -> Result<(), XlsxError> {
        for (column, rule, first, last) in self.runs {
            let validation = match rule {
                Rule::Words(words, message) => DataValidation::new()
                    .allow_list_strings(&words)?
                    .set_error_title("Not possible here")?
                    .set_error_message(message)?,
                Rule::Range(range, is_strict) => {
                    let list = DataValidation::new().allow_list_formula(Formula::new(range));
                    if is_strict {
                        list.set_error_title("Not in Gorgias")?.set_error_message("Take one of the list.")?
                    } else {
                        list.show_error_message(false)
                    }
                }
            };
            let column = LOCKED_COUNT + column;
            sheet.add_data_validation(first, column, last, column, &validation.ignore_blank(true))?;
        }
        Ok(())
    }
}

fn about(sheet: &mut Worksheet, document: &MappingDocument, answers: u32) -> Result<(), XlsxError> {
    let bold = Format::new().set_bold();
    let wrapped = Format::new().set_text_wrap();
    let rows = [
        ("Form", VERSION.to_owned()),
        ("Proposal", document.proposal().to_hex()),
        ("Answers", answers.to_string()),
        ("Rows", document.rows().len().to_string()),
        (
            "How to fill in",
            "White cells are yours: what shall become of a row, why, a comment, and whether you looked at it. Leave Choice \
             empty where the proposal is right. Grey cells only show what is proposed; they are checked when the file comes \
             back. Formulas and macros are refused."
                .to_owned(),
        ),
        ("Then", "deskferry map import FILE --by \"YOUR NAME\"".to_owned()),
    ];
    for (at, (name, text)) in (0_u32..).zip(rows) {
        sheet.write_string_with_format(at, 0, name, &bold)?;
        sheet.write_string_with_format(at, 1, text, &wrapped)?;
    }
    sheet.set_column_width(0, 16)?.set_column_width(1, 90)?;
    sheet.protect();
    Ok(())
}
