//! Tables, mapping and ledger -> where a record of LeadDesk went, and why a field holds what it holds.
//!
//! Answers come from what the store holds; no request is sent to either system. Deliberately absent: judging whether the
//! migration went well (see `reconcile`), and hiding values, which is done where they are shown.

mod cell;
mod found;
mod gather;
mod record;
mod rule;
#[cfg(test)]
pub(crate) mod tests;

use std::collections::BTreeSet;

use snapshot::tables::ControlIdMap;
use snapshot::{Pass, Row as _};

use crate::archive::{self, ArchiveError};
use crate::boxed::{boxed, of_snapshot};
use crate::context::Context;
use crate::documents::DocumentError;
use crate::ledger::LedgerError;
use crate::load::LoadError;

pub use crate::ledger::history::{Mention, Said};
pub use cell::Cell;
pub(crate) use gather::records;
pub use record::{Field, Record, Trouble};
pub use rule::Rule;

/// Kinds of records at LeadDesk that can be asked for.
pub const OBJECTS: [&str; 11] = [
    "contact",
    "lead",
    "call",
    "conversation",
    "chat_message",
    "agent",
    "office",
    "group",
    "campaign",
    "outcome",
    "field",
];

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum TraceError {
    /// The tables that tell where records went are made with the report.
    #[error("run {run} has no table of ids yet; it is made by the report, once every wave is proven")]
    NoIdMap {
        /// The run.
        run: String,
    },
    /// The source has no such record.
    #[error("run {run} read no record of LeadDesk with the id {id}")]
    Unknown {
        /// The run.
        run: String,
        /// What was asked for.
        id: String,
    },
    /// Nothing at Gorgias with this id was written by the run.
    #[error("run {run} wrote no ticket, customer or message {id}")]
    NotOurs {
        /// The run.
        run: String,
        /// What was asked for.
        id: String,
    },
    /// The record has no such field.
    #[error("{record} has no field {field}; it has {known}")]
    NoField {
        /// The record.
        record: String,
        /// What was asked for.
        field: String,
        /// The names of those that it has.
        known: String,
    },
    /// A snapshot.
    #[error("cannot read a snapshot")]
    Archive(#[from] ArchiveError),
    /// The mapping.
    #[error("cannot read the mapping")]
    Mapping(#[from] DocumentError),
    /// The ledger.
    #[error("cannot read the ledger")]
    Ledger(#[from] LedgerError),
    /// What prepare left behind.
    #[error("cannot read what was prepared")]
    Prepared(#[source] Box<LoadError>),
}

of_snapshot!(TraceError);

boxed!(TraceError { Prepared(LoadError) });

impl TraceError {
    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoIdMap { .. } => "TRC001",
            Self::Unknown { .. } => "TRC002",
            Self::NotOurs { .. } => "TRC003",
            Self::NoField { .. } => "TRC004",
            Self::Archive(error) => error.code(),
            Self::Mapping(error) => error.code(),
            Self::Ledger(_) => "LED101",
            Self::Prepared(error) => error.code(),
        }
    }
}

/// Names of records at LeadDesk: kind and id.
pub(crate) type Names = BTreeSet<(String, String)>;

/// Rows of the id map that fit; the map is whole once the report is made.
async fn id_rows(
    ctx: &Context,
    fits: impl Fn(&ControlIdMap) -> bool,
) -> Result<Vec<ControlIdMap>, TraceError> {
    if !archive::is_sealed(ctx, &ctx.run, Pass::Full, ControlIdMap::SCHEMA).await? {
        return Err(TraceError::NoIdMap { run: ctx.run.to_string() });
    }
    let mut rows = Vec::new();
    for row in archive::open::<ControlIdMap>(ctx, &ctx.run, Pass::Full).await? {
        let row = row?;
        if fits(&row) {
            rows.push(row);
        }
    }
    Ok(rows)
}

/// Where the records with this id went; several when the id names records of several kinds.
///
/// # Errors
/// [`TraceError::Unknown`] when the run read none; [`TraceError::NoIdMap`] before the report.
pub async fn find(ctx: &Context, id: &str, object: Option<&str>) -> Result<Vec<Record>, TraceError> {
    let is_it = |kind: &str, other: &str| other == id && object.is_none_or(|object| object == kind);
    let rows = id_rows(ctx, |row| is_it(&row.object, &row.leaddesk_id)).await?;
    let mut names: Names = rows.into_iter().map(|row| (row.object, row.leaddesk_id)).collect();
    // Records that did not arrive may have no row.
    names.extend(gather::failed(ctx, is_it).await?);
    let records = records(ctx, &names).await?;
    if records.is_empty() {
        return Err(TraceError::Unknown { run: ctx.run.to_string(), id: id.to_owned() });
    }
    Ok(records)
}

/// The record at Gorgias with this id, or with our key, and those of its fields that carry this name.
///
/// # Errors
/// [`TraceError::NotOurs`], [`TraceError::NoField`].
pub async fn why(
    ctx: &Context,
    id: &str,
    field: &str,
    kind: Option<&str>,
) -> Result<(Record, Vec<Field>), TraceError> {
    let rows =
        id_rows(ctx, |row| row.gorgias_id.as_deref() == Some(id) || row.external_id.as_deref() == Some(id))
            .await?;
    let is_wanted = |row: &&ControlIdMap| match (record::kind_of(&row.object), kind) {
        (at, Some(kind)) => at == kind,
        (at, None) => matches!(at, "ticket" | "customer" | "message"),
    };
    // A ticket comes before a customer of the same number, and the record itself before what was merged into it.
    let mut fitting: Vec<&ControlIdMap> = rows.iter().filter(is_wanted).collect();
    fitting.sort_by_key(|row| (record::kind_of(&row.object) != "ticket", row.via == "merged"));
    let not_ours = || TraceError::NotOurs { run: ctx.run.to_string(), id: id.to_owned() };
    let first = fitting.first().ok_or_else(not_ours)?;
    let names = Names::from([(first.object.clone(), first.leaddesk_id.clone())]);
    let record = records(ctx, &names).await?.into_iter().next().ok_or_else(not_ours)?;
    let fields: Vec<Field> = record.fields.iter().filter(|found| found.is_called(field)).cloned().collect();
    if fields.is_empty() {
        let known: BTreeSet<&str> = record.fields.iter().map(Field::short_name).collect();
        return Err(TraceError::NoField {
            record: record.name(),
            field: field.to_owned(),
            known: known.into_iter().collect::<Vec<_>>().join(", "),
        });
    }
    Ok((record, fields))
}
