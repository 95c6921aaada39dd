//! One row of the call log as a call.
//!
//! Column names are those of `call/get` (facts: call record); `customer_id` is kept raw only, its meaning is unknown.

use migration::local_time::TimeError;
use migration::settings::MappingSettings;
use snapshot::tables::SourceCall;

use super::part::SourceReject;
use super::seen::{Seen, canonical_id, e164};
use crate::operator::delimited::Row;
use crate::operator::table::{Header, cell};

/// The id is missing or no id.
pub const NO_ID: &str = "EXT301";
/// The time of the call is missing or cannot be read.
pub const NO_TIME: &str = "EXT302";
/// Seconds beyond which a duration is a slip of some clock: ninety hours.
pub const TALK_SECONDS_PLAUSIBLE_MAX: i32 = 90 * 3600;

macro_rules! columns {
    ($($name:ident),+ $(,)?) => {
        /// Where the columns stand.
        #[derive(Debug, Clone, Copy)]
        pub struct CallColumns { $($name: Option<usize>),+ }

        impl CallColumns {
            /// Finds the columns by name.
            #[must_use]
            pub fn of(header: &Header) -> Self {
                Self { $($name: header.position(stringify!($name))),+ }
            }
        }
    };
}

columns! {
    id, agent_id, agent_username, agent_group_id, agent_group_name, talk_time, created_at, talk_start, talk_end,
    handling_stop, number, campaign, campaign_name, contact_id, call_ending_reason, call_ending_reason_name, comment,
    record_file, direction, call_type, call_type_name, order_ids,
}

impl CallColumns {
    /// The id of a row, when it has one.
    #[must_use]
    pub fn id_of(&self, row: &Row<'_>) -> Option<u64> {
        row.flaw
            .is_none()
            .then(|| cell(row, self.id))
            .flatten()
            .and_then(|id| canonical_id(&id)?.parse().ok())
    }
}

/// Reads a row.
///
/// # Errors
/// The row as a reject.
pub fn parse(
    columns: &CallColumns,
    header: &Header,
    row: &Row<'_>,
    settings: &MappingSettings,
    seen: &Seen,
) -> Result<SourceCall, SourceReject> {
    let place = || format!("{}:line-{}", seen.page, row.line);
    if let Some(flaw) = row.flaw {
        return Err(SourceReject::record("call", place(), flaw.code(), flaw.to_string()));
    }
    let text = |position| cell(row, position);
    let Some(id) = text(columns.id).as_deref().and_then(canonical_id) else {
        return Err(SourceReject::record("call", place(), NO_ID, "id is missing or no positive integer"));
    };
    let created_at_raw = text(columns.created_at).unwrap_or_default();
    let created = migration::local_time::resolve(&created_at_raw, &settings.zone)
        .map_err(|error| SourceReject::record("call", &id, NO_TIME, time_reason(error)))?;
    let number_raw = text(columns.number);
    // "0" stands for nobody and nothing (facts: simulator contract).
    let reference = |position| text(position).as_deref().and_then(canonical_id);
    Ok(SourceCall {
        leaddesk_call_id: id,
        created_at: created.at,
        created_at_raw,
        source_tz: settings.zone.name().to_owned(),
        dst_note: created.note.map(|note| note.as_str().to_owned()),
        talk_seconds: text(columns.talk_time).and_then(|seconds| seconds.trim().parse().ok()),
        talk_start_raw: text(columns.talk_start),
        talk_end_raw: text(columns.talk_end),
        handling_stop_raw: text(columns.handling_stop),
        agent_id: reference(columns.agent_id),
        agent_username: text(columns.agent_username),
        agent_group_id: reference(columns.agent_group_id),
        agent_group_name: text(columns.agent_group_name),
        number_e164: e164(number_raw.as_deref(), settings),
        number_raw,
        campaign_id: reference(columns.campaign),
        campaign_name: text(columns.campaign_name),
        leaddesk_contact_id: reference(columns.contact_id),
        outcome_id: reference(columns.call_ending_reason),
        outcome_name: text(columns.call_ending_reason_name),
        comment: text(columns.comment),
        recording_file: text(columns.record_file),
        direction: text(columns.direction).map(|direction| direction.trim().to_ascii_lowercase()),
        call_type: text(columns.call_type),
        call_type_name: text(columns.call_type_name),
        order_ids: text(columns.order_ids),
        source_row_hash: String::new(),
        extracted_at: seen.at,
        source_page: seen.page.clone(),
        is_deleted: false,
        raw_json: header.raw_json(row),
    })
}

/// Why a time is none.
#[must_use]
pub fn time_reason(error: TimeError) -> String {
    format!("created_at: {error}")
}
