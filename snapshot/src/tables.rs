//! All tables of the lake, one struct each.
//!
//! `src_*` is LeadDesk as it was read, `want_*` what Gorgias should hold under our keys, `dst_*` what Gorgias holds under
//! its own, `map_*` how it was mapped, `ctl_*` what was done. Ids are text everywhere.
//! Deliberately absent: columns for national ids, birth years and genders. They stay in `raw_json` of the source.

use crate::error::SnapshotError;
use crate::row::Row;
use crate::schema::TableSchema;

mod chat;
mod control;
mod customers;
mod found;
mod settings;
mod source;
mod tickets;
mod wanted;

pub use chat::{SourceChatMessage, SourceConversation};
pub use control::{
    ControlDelta, ControlDeltaScope, ControlFailure, ControlIdMap, ControlReconCount, ControlReconDifference,
    ControlRepair, ControlRequestWindow, ControlRollback, ControlRun, MapField, MapValue,
};
pub use customers::{FoundCustomer, FoundCustomerChannel, FoundCustomerValue};
pub use found::{FoundMessage, FoundTicket, FoundTicketTag, FoundTicketValue};
pub use settings::{
    FoundField, FoundIntegration, FoundRule, FoundSetting, FoundTag, FoundTeam, FoundUser, SourceBlacklist,
    SourceDocument, SourceField, SourceGroup, SourceOffice, SourceOutcome,
};
pub use source::{
    SourceAgent, SourceCall, SourceCampaign, SourceContact, SourceFieldValue, SourceLead, SourceList,
    SourceRecording,
};
pub use tickets::{WantAttachment, WantMessage, WantTicket, WantTicketTag, WantTicketValue};
pub use wanted::{
    WantCustomer, WantCustomerChannel, WantCustomerValue, WantField, WantTag, WantTeam, WantTeamMember,
    WantUser,
};

/// All tables in the order of the flow: source, wanted, found, mapping, control.
pub const ALL: &[&TableSchema] = &[
    SourceAgent::SCHEMA,
    SourceCampaign::SCHEMA,
    SourceList::SCHEMA,
    SourceLead::SCHEMA,
    SourceContact::SCHEMA,
    SourceFieldValue::SCHEMA,
    SourceCall::SCHEMA,
    SourceRecording::SCHEMA,
    SourceOutcome::SCHEMA,
    SourceBlacklist::SCHEMA,
    SourceField::SCHEMA,
    SourceOffice::SCHEMA,
    SourceGroup::SCHEMA,
    SourceConversation::SCHEMA,
    SourceChatMessage::SCHEMA,
    SourceDocument::SCHEMA,
    WantTag::SCHEMA,
    WantField::SCHEMA,
    WantTeam::SCHEMA,
    WantTeamMember::SCHEMA,
    WantUser::SCHEMA,
    WantCustomer::SCHEMA,
    WantCustomerChannel::SCHEMA,
    WantCustomerValue::SCHEMA,
    WantTicket::SCHEMA,
    WantTicketTag::SCHEMA,
    WantTicketValue::SCHEMA,
    WantMessage::SCHEMA,
    WantAttachment::SCHEMA,
    FoundUser::SCHEMA,
    FoundTeam::SCHEMA,
    FoundTag::SCHEMA,
    FoundField::SCHEMA,
    FoundRule::SCHEMA,
    FoundSetting::SCHEMA,
    FoundIntegration::SCHEMA,
    FoundCustomer::SCHEMA,
    FoundCustomerChannel::SCHEMA,
    FoundCustomerValue::SCHEMA,
    FoundTicket::SCHEMA,
    FoundTicketTag::SCHEMA,
    FoundTicketValue::SCHEMA,
    FoundMessage::SCHEMA,
    MapField::SCHEMA,
    MapValue::SCHEMA,
    ControlRun::SCHEMA,
    ControlIdMap::SCHEMA,
    ControlFailure::SCHEMA,
    ControlReconCount::SCHEMA,
    ControlReconDifference::SCHEMA,
    ControlRequestWindow::SCHEMA,
    ControlRollback::SCHEMA,
    ControlRepair::SCHEMA,
    ControlDelta::SCHEMA,
    ControlDeltaScope::SCHEMA,
];

/// The table of this name.
///
/// # Errors
/// When there is none; the error names the nearest.
pub fn named(name: &str) -> Result<&'static TableSchema, SnapshotError> {
    ALL.iter()
        .copied()
        .find(|table| table.name == name)
        .ok_or_else(|| SnapshotError::UnknownTable { table: name.to_owned(), nearest: nearest(name) })
}

/// The table that shares the most words with `name`, if it shares any that is not a layer or a system.
fn nearest(name: &str) -> Option<&'static str> {
    let words: Vec<&str> = name.split('_').collect();
    let shared = |table: &&TableSchema| {
        let ours: Vec<&str> = table.name.split('_').collect();
        let weight = |word: &str| match word {
            "src" | "dst" | "want" | "map" | "ctl" | "leaddesk" | "gorgias" => 1,
            _ => 10,
        };
        let close = |ours: &str, theirs: &str| ours == theirs || theirs.strip_suffix('s') == Some(ours);
        let sum: i32 = ours
            .iter()
            .filter(|ours| words.iter().any(|theirs| close(ours, theirs)))
            .map(|word| weight(word))
            .sum();
        let unshared = i32::try_from(ours.len().abs_diff(words.len())).unwrap_or(i32::MAX);
        (sum, -unshared)
    };
    // Reversed, so that of equals the first wins.
    ALL.iter().rev().copied().max_by_key(shared).filter(|table| shared(table).0 >= 10).map(|table| table.name)
}

/// A `src_*` table: the columns, the four control columns and the raw record.
macro_rules! source_table {
    (
        $(#[doc = $table_doc:literal])+
        pub struct $row:ident = $table:literal, version $version:literal { $($columns:tt)+ }
    ) => {
        crate::table! {
            $(#[doc = $table_doc])+
            pub struct $row = $table, Source, version $version {
                $($columns)+
                /// Hash over all mapped columns; the writer computes it, so what is given here is replaced.
                source_row_hash: String => control,
                /// When the record was read.
                extracted_at: jiff::Timestamp => control from("clock of the extractor"),
                /// Where the record was read: the request's page, or the file and row.
                source_page: String => control category from("extractor") example("calls.csv#rows=1-5000"),
                /// Whether a delta found the record gone; its other columns are then those of the last sight.
                is_deleted: bool => from("comparison of two extractions"),
                /// The record as received, JSON.
                raw_json: String => free control from("whole record"),
            }
        }
    };
}
use source_table;

/// A `dst_*` table: the columns and the raw record.
macro_rules! found_table {
    (
        $(#[doc = $table_doc:literal])+
        pub struct $row:ident = $table:literal, version $version:literal { $($columns:tt)+ }
    ) => {
        crate::table! {
            $(#[doc = $table_doc])+
            pub struct $row = $table, Found, version $version {
                $($columns)+
                /// The record as received, JSON.
                raw_json: String => free control from("whole record"),
            }
        }
    };
}
use found_table;

#[cfg(test)]
mod tests;
