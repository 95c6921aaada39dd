//! Calls without a call log: what the personal-data read shows per number (facts: listing all calls).
//!
//! These calls have no id, no agent and no campaign. An id is derived from the call itself, so that every reading gives
//! the same; it lies above 2^63, where no id of LeadDesk is. Deliberately absent: guessing what is not shown.

use std::collections::{BTreeMap, BTreeSet};

use migration::finding;
use migration::settings::MappingSettings;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};
use snapshot::tables::SourceCall;
use snapshot::{Sealed, TableReader};

use super::call_rows::{NO_TIME, time_reason};
use super::error::ExtractError;
use super::lists;
use super::pages;
use super::part::{PartRecord, SourceReject};
use super::seen::{Seen, e164};
use super::since::{self, Since};
use crate::archive;
use crate::context::Context;
use crate::ports::leaddesk::SourceError;
use crate::progress::Event;
use crate::source_json::{SourceObject, without_withheld};

/// Numbers of one stored page.
pub const PAGE_PHONES: usize = 500;
/// Ids derived here have this bit; LeadDesk counts from one.
const DERIVED_ID_BIT: u64 = 1 << 63;

/// Every number of the account and the contact that has it; `None` when several have it.
pub type Phones = BTreeMap<String, Option<String>>;

#[derive(Debug, Serialize, Deserialize)]
struct Line<'a> {
    phone: &'a str,
    #[serde(borrow)]
    calls: Vec<&'a RawValue>,
}

fn page_name(number: usize) -> String {
    format!("histories/{number:06}.ndjson")
}

/// Asks for every number, then makes the table of calls.
///
/// # Errors
/// What LeadDesk, the store or the writer say.
pub async fn read(
    ctx: &Context,
    phones: &Phones,
    since: Option<Moved>,
    record: &mut PartRecord,
) -> Result<Sealed, ExtractError> {
    let is_asked = |phone: &&String| since.as_ref().is_none_or(|moved| moved.phones.contains(*phone));
    let numbers: Vec<&String> = phones.keys().filter(is_asked).collect();
    let total = u64::try_from(numbers.len()).unwrap_or(u64::MAX);
    let part = || "call histories".to_owned();
    ctx.progress
        .emit(ctx.clock.now(), Event::StepStarted { step: "extract", part: part(), total: Some(total) });
    let mut writer = archive::writer::<SourceCall>(ctx, ctx.pass, Vec::new())?;
    let mut seen_ids = BTreeSet::new();
    let mut shown = BTreeSet::new();
    let (mut calls, mut gaps, mut folds) = (0_u64, 0, 0);
    let mut done = 0;
    for (number, chunk) in numbers.chunks(PAGE_PHONES).enumerate() {
        let page = pages::of_lines(ctx, &page_name(number), chunk, |phone| history(ctx, phone)).await?;
        let seen = Seen::new(page.fetched_at, format!("gdpr/contact/{number:06}"));
        for line in page.lines() {
            let broken = || ExtractError::StoredPage { key: page_name(number) };
            let line: Line<'_> = serde_json::from_str(line.ok_or_else(broken)?).map_err(|_| broken())?;
            let contact = phones.get(line.phone).cloned().flatten();
            if !line.calls.is_empty() {
                shown.insert(line.phone.to_owned());
            }
            for row in rows(&line, contact.as_deref(), &ctx.mapping, &seen) {
                calls += 1;
                match row {
                    Err(reject) => record.rejects.push(reject),
                    Ok(call) if seen_ids.insert(call.leaddesk_call_id.clone()) => {
                        record.count("call", 1);
                        gaps += u64::from(call.dst_note.as_deref() == Some("gap"));
                        folds += u64::from(call.dst_note.as_deref() == Some("fold"));
                        writer.push(call)?;
                    }
                    // The same call shows in the history of another number of the same person.
                    Ok(_) => {}
                }
            }
        }
        done += u64::try_from(chunk.len()).unwrap_or(0);
        let failed = u64::try_from(record.rejects.len()).unwrap_or(0);
        let event = Event::StepAdvanced { step: "extract", part: part(), done, failed, bucket: None };
        ctx.progress.emit(ctx.clock.now(), event);
    }
    if let Some(moved) = since {
        for row in moved.calls {
            let row = row?;
            // What a number shows now stands for what it showed before; one that shows nothing was erased, and its
            // calls stay.
            let is_replaced = row.number_raw.as_ref().is_some_and(|number| shown.contains(number));
            if !is_replaced && seen_ids.insert(row.leaddesk_call_id.clone()) {
                calls += 1;
                record.count("call", 1);
                writer.push(row)?;
            }
        }
    }
    let text = "calls come from the personal-data read by number: no call id, agent or campaign; calls of numbers that \
                no contact carries are not shown";
    record.find(finding::DIS102_NO_CALL_LOG.as_str(), calls.max(1), text);
    let text = "times of calls fall into an hour in which the clock was moved";
    record.find(finding::CAL110_DST_GAP.as_str(), gaps, text);
    record.find(finding::CAL111_DST_FOLD.as_str(), folds, text);
    record.check_drift(ctx, "call", calls)?;
    let failed = u64::try_from(record.rejects.len()).unwrap_or(0);
    let event = Event::StepFinished { step: "extract", part: part(), done: total, failed };
    ctx.progress.emit(ctx.clock.now(), event);
    Ok(tokio::task::spawn_blocking(move || writer.seal()).await??)
}

/// What a delta asks for, and what it takes over.
pub struct Moved {
    /// Numbers with calls since the reading before, and numbers that are new.
    phones: BTreeSet<String>,
    /// Calls as they were read before.
    calls: TableReader<SourceCall>,
}

/// Numbers that are asked for again.
///
/// # Errors
/// What the readers say.
pub(super) async fn moved(ctx: &Context, since: &Since, phones: &Phones) -> Result<Moved, ExtractError> {
    let mut due = since::due(ctx, since).await?.phones;
    let known = lists::phones(&since.base).await?;
    due.extend(phones.keys().filter(|phone| !known.contains_key(*phone)).cloned());
    Ok(Moved { phones: due, calls: since.open().await? })
}

async fn history(ctx: &Context, phone: &str) -> Result<String, ExtractError> {
    let what = "call histories";
    let calls = match pages::ask(ctx, what, ctx.source.phone_history(phone)).await {
        Ok(history) => history.calls,
        Err(ExtractError::Source { source: SourceError::NotFound { .. }, .. }) => Vec::new(),
        Err(error) => return Err(error),
    };
    let cleared: Vec<Box<RawValue>> = calls
        .iter()
        .map(|call| {
            let cleared = without_withheld(call).map_err(|_| ExtractError::ItemShape { what })?;
            RawValue::from_string(cleared).map_err(|_| ExtractError::ItemShape { what })
        })
        .collect::<Result<_, _>>()?;
    let line = Line { phone, calls: cleared.iter().map(AsRef::as_ref).collect() };
    serde_json::to_string(&line).map_err(|_| ExtractError::ItemShape { what })
}

fn rows(
    line: &Line<'_>,
    contact: Option<&str>,
    settings: &MappingSettings,
    seen: &Seen,
) -> Vec<Result<SourceCall, SourceReject>> {
    let mut ordinals: BTreeMap<&str, u32> = BTreeMap::new();
    line.calls
        .iter()
        .map(|item| {
            let ordinal = ordinals.entry(item.get()).or_default();
            *ordinal += 1;
            row(line.phone, item.get(), *ordinal, contact, settings, seen)
        })
        .collect()
}

fn row(
    asked: &str,
    item: &str,
    ordinal: u32,
    contact: Option<&str>,
    settings: &MappingSettings,
    seen: &Seen,
) -> Result<SourceCall, SourceReject> {
    let object = SourceObject::parse(item).map_err(|flaw| {
        SourceReject::record("call", format!("{}:{ordinal}", seen.page), flaw.code(), flaw.to_string())
    })?;
    let number = object.text("phone_number").unwrap_or_else(|| asked.to_owned());
    let created_at_raw = object.text("created_at").unwrap_or_default();
    let id = derived_id(&number, item, ordinal).to_string();
    let created = migration::local_time::resolve(&created_at_raw, &settings.zone)
        .map_err(|error| SourceReject::record("call", &id, NO_TIME, time_reason(error)))?;
    Ok(SourceCall {
        leaddesk_call_id: id,
        created_at: created.at,
        created_at_raw,
        source_tz: settings.zone.name().to_owned(),
        dst_note: created.note.map(|note| note.as_str().to_owned()),
        talk_seconds: object.text("duration").and_then(|seconds| seconds.trim().parse().ok()),
        talk_start_raw: None,
        talk_end_raw: None,
        handling_stop_raw: None,
        agent_id: None,
        agent_username: None,
        agent_group_id: None,
        agent_group_name: None,
        number_e164: e164(Some(&number), settings),
        number_raw: Some(number),
        campaign_id: None,
        campaign_name: None,
        leaddesk_contact_id: contact.map(str::to_owned),
        outcome_id: None,
        outcome_name: object.text("result"),
        comment: object.text("comment"),
        recording_file: object.text("call_recording"),
        direction: object.text("direction").map(|direction| direction.trim().to_ascii_lowercase()),
        call_type: None,
        call_type_name: None,
        order_ids: None,
        source_row_hash: String::new(),
        extracted_at: seen.at,
        source_page: seen.page.clone(),
        is_deleted: false,
        raw_json: item.to_owned(),
    })
}

/// Equal for the same call in every reading; `ordinal` keeps equal calls of one answer apart.
fn derived_id(number: &str, item: &str, ordinal: u32) -> u64 {
    let mut hasher = Sha256::new();
    for piece in [number, item, &ordinal.to_string()] {
        hasher.update(piece.len().to_be_bytes());
        hasher.update(piece.as_bytes());
    }
    let digest = hasher.finalize();
    let bits = digest.iter().take(8).fold(0_u64, |bits, byte| (bits << 8) | u64::from(*byte));
    bits | DERIVED_ID_BIT
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn derived_ids_repeat_and_never_meet() {
        let first = derived_id("+3580000001", "{\"a\":1}", 1);
        assert_eq!(first, derived_id("+3580000001", "{\"a\":1}", 1));
        let others = [
            derived_id("+3580000001", "{\"a\":1}", 2),
            derived_id("+3580000002", "{\"a\":1}", 1),
            derived_id("+358000000", "1{\"a\":1}", 1),
        ];
        assert!(others.iter().all(|other| *other != first && *other >= DERIVED_ID_BIT));
    }
}
