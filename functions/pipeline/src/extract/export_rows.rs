//! One list export as leads: several rows of one contact, one for each number, become one lead (facts: list export).
//!
//! Fourteen columns by position, no header. A row of another width is put aside: a moved column would put an agent's
//! name where a result belongs. Deliberately absent: email, company and slots, which only `contact/get` has.

use std::collections::BTreeMap;

use jiff::Timestamp;
use migration::local_time::SourceZone;
use migration::settings::MappingSettings;
use snapshot::tables::SourceLead;

use super::part::SourceReject;
use super::seen::{Seen, canonical_id, is_unreadable_time, joined, local_time, push_distinct};
use crate::operator::delimited::{DelimitedReader, Delimiter, Row};
use crate::operator::fault::FileFault;
use crate::source_json;

/// Columns of a row.
const COLUMNS: usize = 14;
/// The contact id is missing or no id.
pub const NO_ID: &str = "EXT301";
/// The finalised flag has a value that nobody documented.
pub const UNKNOWN_FLAG: &str = "EXT304";

/// Statuses of the operator's own, by list and contact.
pub type OwnStatuses = BTreeMap<(String, String), String>;

/// The list that an export belongs to.
#[derive(Debug, Clone, Copy)]
pub struct ExportOf<'a> {
    /// Canonical id.
    pub list_id: &'a str,
    /// Name.
    pub list_name: &'a str,
    /// Statuses that override the derived ones.
    pub statuses: &'a OwnStatuses,
}

/// Leads of one list.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Leads {
    /// In order of contact id as a number.
    pub leads: Vec<SourceLead>,
    /// Rows that were put aside.
    pub rejects: Vec<SourceReject>,
    /// Rows read, sound or not.
    pub rows: u64,
    /// Times that cannot be read; the raw text is kept.
    pub unreadable_times: u64,
}

struct ExportRow {
    contact_id: String,
    cells: Vec<String>,
    is_finalised: bool,
}

/// Groups an export by contact.
///
/// # Errors
/// The export as a whole: cut, not UTF-8.
pub fn parse(
    of: ExportOf<'_>,
    export: &[u8],
    settings: &MappingSettings,
    seen: &Seen,
) -> Result<Leads, FileFault> {
    let mut out = Leads::default();
    let mut by_contact: BTreeMap<u64, Vec<ExportRow>> = BTreeMap::new();
    if !export.is_empty() {
        let mut reader = DelimitedReader::new(export, Delimiter::Semicolon)?;
        while let Some(row) = reader.next_row()? {
            let row = row.expect_width(COLUMNS)?;
            out.rows += 1;
            match export_row(of.list_id, &row) {
                Ok(row) => {
                    by_contact.entry(row.contact_id.parse().unwrap_or(u64::MAX)).or_default().push(row);
                }
                Err(reject) => out.rejects.push(reject),
            }
        }
    }
    for rows in by_contact.into_values() {
        let lead = lead(of, &rows, settings, seen, &mut out.unreadable_times);
        out.leads.extend(lead);
    }
    Ok(out)
}

fn export_row(list_id: &str, row: &Row<'_>) -> Result<ExportRow, SourceReject> {
    let reject = |code: &str, reason: String| {
        SourceReject::record("lead", format!("{list_id}:line-{}", row.line), code, reason)
    };
    if let Some(flaw) = row.flaw {
        return Err(reject(flaw.code(), flaw.to_string()));
    }
    let Some(contact_id) = canonical_id(row.get(0)) else {
        return Err(reject(NO_ID, "column 1 is no contact id".to_owned()));
    };
    // Column 8; only these values have been seen or can be guessed without doubt.
    let is_finalised = match row.get(7).trim().to_ascii_lowercase().as_str() {
        "*" | "1" | "true" | "yes" => true,
        "" | "0" => false,
        _ => return Err(reject(UNKNOWN_FLAG, "column 8 holds an unknown flag".to_owned())),
    };
    Ok(ExportRow { contact_id, cells: row.iter().map(str::to_owned).collect(), is_finalised })
}

fn lead(
    of: ExportOf<'_>,
    rows: &[ExportRow],
    settings: &MappingSettings,
    seen: &Seen,
    unreadable_times: &mut u64,
) -> Option<SourceLead> {
    let first = rows.first()?;
    let zone = &settings.zone;
    for row in rows {
        for column in [8, 10] {
            *unreadable_times += u64::from(is_unreadable_time(filled(row, column), zone));
        }
    }
    let latest_call = latest(rows, 10, zone);
    let updated = latest(rows, 8, zone);
    let called = rows.iter().any(|row| filled(row, 10).is_some());
    let is_finished = rows.iter().any(|row| row.is_finalised);
    let derived = match (is_finished, called) {
        (true, _) => "finished",
        (false, true) => "in_circulation",
        (false, false) => "unused",
    };
    let own = of.statuses.get(&(of.list_id.to_owned(), first.contact_id.clone()));
    let last_row = latest_call.map_or(first, |(_, row)| row);
    let text = |row: &ExportRow, column: usize| filled(row, column).map(str::to_owned);
    let mut phones = Vec::new();
    for row in rows {
        push_distinct(&mut phones, row.cells[1].clone());
    }
    Some(SourceLead {
        leaddesk_list_id: of.list_id.to_owned(),
        leaddesk_contact_id: first.contact_id.clone(),
        leaddesk_lead_id: format!("{}:{}", of.list_id, first.contact_id),
        list_name: of.list_name.to_owned(),
        lead_status: derived.to_owned(),
        lead_status_raw: own.cloned().unwrap_or_else(|| derived.to_owned()),
        is_finished,
        last_result_name: text(last_row, 11),
        last_campaign_name: text(last_row, 12),
        last_agent_name: text(last_row, 13),
        last_call_at: latest_call.map(|(at, _)| at),
        last_call_at_raw: text(last_row, 10),
        contact_updated_at: updated.map(|(at, _)| at),
        contact_updated_at_raw: updated.map_or_else(|| text(first, 8), |(_, row)| text(row, 8)),
        source_tz: zone.name().to_owned(),
        phone_count: i32::try_from(phones.len()).unwrap_or(i32::MAX),
        phones_joined: joined(&phones),
        source_row_hash: String::new(),
        extracted_at: seen.at,
        source_page: seen.page.clone(),
        is_deleted: false,
        raw_json: raw_json(rows),
    })
}

fn filled(row: &ExportRow, column: usize) -> Option<&str> {
    Some(row.cells[column].as_str()).filter(|text| !text.trim().is_empty())
}

/// The row with the latest readable time in a column; of equals the first.
fn latest<'r>(rows: &'r [ExportRow], column: usize, zone: &SourceZone) -> Option<(Timestamp, &'r ExportRow)> {
    let mut found: Option<(Timestamp, &ExportRow)> = None;
    for row in rows {
        let Some(time) = local_time(filled(row, column), zone) else { continue };
        if found.is_none_or(|(at, _)| time.at > at) {
            found = Some((time.at, row));
        }
    }
    found
}

fn raw_json(rows: &[ExportRow]) -> String {
    let mut out = String::from("[");
    for (position, row) in rows.iter().enumerate() {
        out.push_str(if position > 0 { ",[" } else { "[" });
        for (column, cell) in row.cells.iter().enumerate() {
            if column > 0 {
                out.push(',');
            }
            source_json::push_string(cell, &mut out);
        }
        out.push(']');
    }
    out.push(']');
    out
}
