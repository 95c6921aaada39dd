//! The operator's smaller files as rows: outcomes, blacklist, slots, statuses, documents of the handoff.

use std::collections::BTreeMap;

use migration::leaddesk::Slot;
use migration::settings::MappingSettings;
use serde_json::value::RawValue;
use snapshot::tables::{SourceBlacklist, SourceDocument, SourceField};

use super::call_facts::ListedOutcome;
use super::error::ExtractError;
use super::export_rows::OwnStatuses;
use super::organisation::{Groups, ListSettings, NO_ID, list_settings, row_id};
use super::part::{PartRecord, SourceReject};
use super::seen::{Seen, canonical_id, e164};
use crate::operator::delimited::Row;
use crate::operator::fault::FileFault;
use crate::operator::folder::{Folder, OperatorFault, OperatorFile};
use crate::operator::table::{Header, cell};
use crate::source_json::without_withheld;

/// A row repeats the key of another row with other content.
pub const CONTRADICTION: &str = "EXT303";

/// Reads every row of a file; a broken row becomes a reject of `object`.
///
/// # Errors
/// A refused file.
pub fn each_row(
    folder: &Folder,
    file: OperatorFile,
    record: &mut PartRecord,
    mut take: impl FnMut(&Header, &Row<'_>) -> Result<(), SourceReject>,
) -> Result<(), ExtractError> {
    let refused = |fault: FileFault| OperatorFault { file: file.name().to_owned(), fault };
    let Some(mut table) = folder.table(file)? else { return Ok(()) };
    while let Some((header, row)) = table.next_row().map_err(refused)? {
        if let Err(reject) = take(header, &row) {
            record.rejects.push(reject);
        }
    }
    if !table.last_row_ended() {
        let text = format!("{} has no line end at its end; it may have been cut behind a row", file.name());
        record.find("FIL201", 1, text);
    }
    Ok(())
}

fn sound(object: &str, file: OperatorFile, row: &Row<'_>) -> Result<(), SourceReject> {
    match row.flaw {
        None => Ok(()),
        Some(flaw) => {
            let place = format!("{}:line-{}", file.name(), row.line);
            Err(SourceReject::record(object, place, flaw.code(), flaw.to_string()))
        }
    }
}

/// `leads.csv`: statuses of the account's own.
///
/// # Errors
/// A refused file.
pub fn own_statuses(folder: &Folder, record: &mut PartRecord) -> Result<OwnStatuses, ExtractError> {
    let mut statuses = OwnStatuses::new();
    each_row(folder, OperatorFile::Leads, record, |header, row| {
        let text = |name: &str| cell(row, header.position(name));
        let list = row_id("lead_status", "leads.csv", row, text("list_id").as_deref())?;
        let contact = row_id("lead_status", "leads.csv", row, text("contact_id").as_deref())?;
        if let Some(status) = text("status") {
            statuses.insert((list, contact), status.trim().to_owned());
        }
        Ok(())
    })?;
    Ok(statuses)
}

/// `sponsors.csv`: sponsor by campaign.
///
/// # Errors
/// A refused file.
pub fn sponsors(folder: &Folder, record: &mut PartRecord) -> Result<BTreeMap<String, String>, ExtractError> {
    let mut sponsors = BTreeMap::new();
    each_row(folder, OperatorFile::Sponsors, record, |header, row| {
        let text = |name: &str| cell(row, header.position(name));
        let campaign = row_id("sponsor", "sponsors.csv", row, text("campaign_id").as_deref())?;
        if let Some(sponsor) = text("sponsor") {
            sponsors.insert(campaign, sponsor.trim().to_owned());
        }
        Ok(())
    })?;
    Ok(sponsors)
}

/// `lists.csv`: settings by list.
///
/// # Errors
/// A refused file.
pub fn lists(
    folder: &Folder,
    record: &mut PartRecord,
) -> Result<BTreeMap<String, ListSettings>, ExtractError> {
    let mut lists = BTreeMap::new();
    each_row(folder, OperatorFile::Lists, record, |header, row| {
        let (id, settings) = list_settings(header, row)?;
        lists.insert(id, settings);
        Ok(())
    })?;
    Ok(lists)
}

/// `offices.csv`: zone and raw row by name.
///
/// # Errors
/// A refused file.
pub fn offices(
    folder: &Folder,
    record: &mut PartRecord,
) -> Result<BTreeMap<String, (Option<String>, String)>, ExtractError> {
    let mut offices = BTreeMap::new();
    each_row(folder, OperatorFile::Offices, record, |header, row| {
        sound("office", OperatorFile::Offices, row)?;
        let text = |name: &str| cell(row, header.position(name));
        match text("name") {
            None => Err(SourceReject::record(
                "office",
                format!("offices.csv:line-{}", row.line),
                NO_ID,
                "name is empty",
            )),
            Some(name) => {
                let zone = text("time_zone").map(|zone| zone.trim().to_owned());
                offices.insert(name.trim().to_owned(), (zone, header.raw_json(row)));
                Ok(())
            }
        }
    })?;
    Ok(offices)
}

/// `groups.csv`: members of groups.
///
/// # Errors
/// A refused file.
pub fn groups(folder: &Folder, record: &mut PartRecord) -> Result<Groups, ExtractError> {
    let mut groups = Groups::default();
    each_row(folder, OperatorFile::Groups, record, |header, row| {
        let text = |name: &str| cell(row, header.position(name));
        let id = row_id("group", "groups.csv", row, text("group_id").as_deref())?;
        groups.list(
            &id,
            text("group_name").unwrap_or_default().trim(),
            &text("username").unwrap_or_default(),
        );
        Ok(())
    })?;
    Ok(groups)
}

/// `results.csv`: outcomes by id.
///
/// # Errors
/// A refused file.
pub fn outcomes(
    folder: &Folder,
    record: &mut PartRecord,
) -> Result<BTreeMap<String, ListedOutcome>, ExtractError> {
    let mut outcomes = BTreeMap::new();
    each_row(folder, OperatorFile::Results, record, |header, row| {
        let text = |name: &str| cell(row, header.position(name));
        let id = row_id("outcome", "results.csv", row, text("id").as_deref())?;
        let is_finalising =
            text("finalises").and_then(|word| match word.trim().to_ascii_lowercase().as_str() {
                "1" | "true" | "yes" => Some(true),
                "0" | "false" | "no" => Some(false),
                _ => None,
            });
        let campaign_id = text("campaign_id").as_deref().and_then(canonical_id);
        let name = text("name").unwrap_or_default();
        outcomes
            .insert(id, ListedOutcome { name, campaign_id, is_finalising, raw_json: header.raw_json(row) });
        Ok(())
    })?;
    Ok(outcomes)
}

/// `blacklist.csv`, each pair of number and sponsor once.
///
/// # Errors
/// A refused file.
pub fn blacklist(
    folder: &Folder,
    settings: &MappingSettings,
    seen: &Seen,
    record: &mut PartRecord,
) -> Result<Vec<SourceBlacklist>, ExtractError> {
    let mut entries = BTreeMap::new();
    each_row(folder, OperatorFile::Blacklist, record, |header, row| {
        sound("blacklist_entry", OperatorFile::Blacklist, row)?;
        let text = |name: &str| cell(row, header.position(name));
        let Some(number_raw) = text("number") else {
            let place = format!("blacklist.csv:line-{}", row.line);
            return Err(SourceReject::record("blacklist_entry", place, NO_ID, "number is empty"));
        };
        let sponsor_name = text("sponsor").map(|sponsor| sponsor.trim().to_owned()).unwrap_or_default();
        entries.insert(
            (number_raw.clone(), sponsor_name.clone()),
            SourceBlacklist {
                number_e164: e164(Some(&number_raw), settings),
                number_raw,
                sponsor_name,
                source_row_hash: String::new(),
                extracted_at: seen.at,
                source_page: OperatorFile::Blacklist.name().to_owned(),
                is_deleted: false,
                raw_json: header.raw_json(row),
            },
        );
        Ok(())
    })?;
    Ok(entries.into_values().collect())
}

/// `fields.csv`: labels and types of slots per campaign.
///
/// # Errors
/// A refused file.
pub fn fields(
    folder: &Folder,
    seen: &Seen,
    record: &mut PartRecord,
) -> Result<Vec<SourceField>, ExtractError> {
    let mut fields: BTreeMap<(String, i32), SourceField> = BTreeMap::new();
    each_row(folder, OperatorFile::Fields, record, |header, row| {
        let text = |name: &str| cell(row, header.position(name));
        let campaign_id = row_id("field", "fields.csv", row, text("campaign_id").as_deref())?;
        let reject = |code: &str, reason: &str| {
            SourceReject::record("field", format!("fields.csv:line-{}", row.line), code, reason)
        };
        let Some(slot) = text("slot").and_then(|slot| Slot::from_field_name(slot.trim())) else {
            return Err(reject(NO_ID, "slot is none of other1 to other35"));
        };
        let slot_number = i32::from(slot.number());
        let field = SourceField {
            campaign_id: campaign_id.clone(),
            slot_number,
            field_label: text("label").unwrap_or_default().trim().to_owned(),
            field_type: text("type").unwrap_or_else(|| "text".to_owned()).trim().to_lowercase(),
            allowed_values: text("values"),
            source_row_hash: String::new(),
            extracted_at: seen.at,
            source_page: OperatorFile::Fields.name().to_owned(),
            is_deleted: false,
            raw_json: header.raw_json(row),
        };
        let earlier = fields.entry((campaign_id, slot_number)).or_insert_with(|| field.clone());
        if earlier.raw_json == field.raw_json {
            return Ok(());
        }
        Err(reject(CONTRADICTION, "another row names the same slot of the same campaign; the first counts"))
    })?;
    Ok(fields.into_values().collect())
}

/// Files that become part of the handoff, row by row: `leadapps.json`, `dialer.csv`, `lists.csv`.
///
/// # Errors
/// A refused file.
pub fn documents(
    folder: &Folder,
    seen: &Seen,
    record: &mut PartRecord,
) -> Result<Vec<SourceDocument>, ExtractError> {
    let mut documents = Vec::new();
    for (file, name) in [(OperatorFile::Dialer, "dialer"), (OperatorFile::Lists, "lists")] {
        let mut row_number = 0;
        each_row(folder, file, record, |header, row| {
            sound("document", file, row)?;
            row_number += 1;
            documents.push(document(name, row_number, header.raw_json(row), file, seen));
            Ok(())
        })?;
    }
    let items = lead_apps(folder)?;
    for (row_number, item) in (1..).zip(items) {
        documents.push(document("leadapps", row_number, item, OperatorFile::LeadApps, seen));
    }
    Ok(documents)
}

fn document(
    name: &str,
    row_number: i32,
    raw_json: String,
    file: OperatorFile,
    seen: &Seen,
) -> SourceDocument {
    SourceDocument {
        document_name: name.to_owned(),
        row_number,
        source_row_hash: String::new(),
        extracted_at: seen.at,
        source_page: file.name().to_owned(),
        is_deleted: false,
        raw_json,
    }
}

/// `leadapps.json`: an array of objects, passed through.
///
/// # Errors
/// A refused file.
pub fn lead_apps(folder: &Folder) -> Result<Vec<String>, OperatorFault> {
    let Some(path) = folder.path(OperatorFile::LeadApps) else { return Ok(Vec::new()) };
    let refused = |fault: FileFault| OperatorFault { file: OperatorFile::LeadApps.name().to_owned(), fault };
    let bytes = std::fs::read(path).map_err(|cause| refused(cause.into()))?;
    if bytes.is_empty() {
        return Err(refused(FileFault::Empty));
    }
    let text =
        std::str::from_utf8(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes)).map_err(|cause| {
            let at = u64::try_from(cause.valid_up_to()).unwrap_or(0);
            refused(FileFault::Encoding { at, guess: "Latin-1 or UTF-16" })
        })?;
    let items: Vec<&RawValue> = serde_json::from_str(text).map_err(|_| refused(FileFault::NotAnArray))?;
    items
        .into_iter()
        .map(|item| match without_withheld(item.get()) {
            Ok(cleared) if cleared.starts_with('{') => Ok(cleared),
            _ => Err(refused(FileFault::NotAnArray)),
        })
        .collect()
}
