//! Stored rows as cells: what stands in which column, and where it came from.

use jiff::Timestamp;
use migration::text::mask_value;
use snapshot::{PersonalData, Row, Value};

/// Columns that say how a row was kept, not what the record holds.
const KEPT: [&str; 5] = ["source_row_hash", "extracted_at", "source_page", "is_deleted", "raw_json"];

/// Columns that point at a person by more than an id or a moment: file names of recordings hold the number that was called.
const POINTING: [&str; 8] = [
    "recording_file",
    "web_address",
    "postcode",
    "city",
    "job_title",
    "company_name",
    "company_registration",
    "vat_number",
];

/// One filled column of a stored row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    /// The table.
    pub table: &'static str,
    /// The column.
    pub column: String,
    /// The route or file and the field of it that the column holds.
    pub origin: &'static str,
    /// The stored page or file that the row was read from.
    pub page: String,
    /// The value as text.
    pub value: String,
    /// It names a person, reaches one, or is free text.
    pub is_personal: bool,
}

impl Cell {
    /// The value, hidden where it is a person's and nobody asked to see it.
    #[must_use]
    pub fn shown(&self, shows_personal: bool) -> String {
        if self.is_personal && !shows_personal { mask_value(&self.value) } else { self.value.clone() }
    }
}

/// The filled columns of a row.
pub(super) fn cells<R: Row>(row: &R) -> Vec<Cell> {
    let columns = R::SCHEMA.columns.iter().zip(row.values());
    let page = columns.clone().find(|(column, _)| column.name == "source_page");
    let page = page.and_then(|(_, value)| text_of(&value)).unwrap_or_default();
    let filled = columns.filter(|(column, _)| !KEPT.contains(&column.name)).filter_map(|(column, value)| {
        let value = text_of(&value).filter(|text| !text.is_empty())?;
        Some(Cell {
            table: R::SCHEMA.name,
            column: column.name.to_owned(),
            origin: column.source_field.unwrap_or_default(),
            page: page.clone(),
            value,
            is_personal: column.personal == PersonalData::Direct || POINTING.contains(&column.name),
        })
    });
    filled.collect()
}

fn text_of(value: &Value<'_>) -> Option<String> {
    match value {
        Value::Null => None,
        Value::Text(text) => Some((*text).to_owned()),
        Value::Instant(at) => Timestamp::from_microsecond(*at).ok().map(|at| at.to_string()),
        Value::Int32(number) => Some(number.to_string()),
        Value::Int64(number) => Some(number.to_string()),
        Value::Flag(flag) => Some(if *flag { "yes" } else { "no" }.to_owned()),
        Value::Number(number) => Some(number.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture::contact;

    #[test]
    fn a_row_is_its_filled_columns_with_their_routes() {
        let cells = cells(&contact("1001"));
        let line = |cell: &Cell| format!("{} [{}] {}", cell.column, cell.origin, cell.shown(false));
        let lines: Vec<String> = cells.iter().map(line).collect();
        expect_test::expect![[r"
            leaddesk_contact_id [contact/get: contact_id] 1001
            phone_raw [contact/get: phone] +358…01
            first_name [contact/get: fname] Aaa
            last_name [contact/get: lname] Aaaaaaa
            email_raw [contact/get: email] a…@….com
            comment [contact/get: comment] aaaaaaa aaaaaa"]]
        .assert_eq(&lines.join("\n"));
        assert_eq!(cells[2].shown(true), "Ada");
        assert!(cells.iter().all(|cell| cell.page == "page"));
    }
}
