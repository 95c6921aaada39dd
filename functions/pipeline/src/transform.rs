//! `source` snapshot and confirmed mapping -> `desired` snapshot, rejects, and the balance of every source record.
//!
//! Pure over its inputs: the same snapshots and the same mapping give the same bytes. Streams everything: memory holds
//! keys of all contacts and leads, and one person or one lead with its calls at a time; what must change its order goes
//! through sorted scratch tables. Nothing is published unless every source record has exactly one disposition.
//! Deliberately absent: LeadDesk, Gorgias, the clock.

pub mod balance;
mod bundles;
pub mod changed;
mod chats;
mod customers;
mod differing;
pub mod error;
mod failures;
mod fold;
mod frames;
mod making;
pub mod records;
mod sampled;
pub mod scratch;
mod shape;
#[cfg(test)]
mod tests;
mod tickets;
mod who;

use migration::settings::RecordingPolicy;
use serde::{Deserialize, Serialize};
use snapshot::tables::{
    ControlFailure, MapField, MapValue, SourceAgent, SourceBlacklist, SourceCall, SourceCampaign,
    SourceChatMessage, SourceContact, SourceConversation, SourceFieldValue, SourceGroup, SourceLead,
    SourceList, SourceOffice, SourceOutcome, SourceRecording, WantAttachment, WantCustomer,
    WantCustomerChannel, WantCustomerValue, WantField, WantMessage, WantTag, WantTeam, WantTeamMember,
    WantTicket, WantTicketTag, WantTicketValue, WantUser,
};
use snapshot::{Children, Digest, Row, SnapshotError, TableReader, TableSchema};

pub use balance::{Balance, ObjectCounts};
pub use error::TransformError;
pub use failures::{OBJECTS, PANIC, WITHOUT_PARENT};

use crate::archive::{self, Provenance};
use crate::context::Context;
use crate::documents::{self, DocumentError};
use crate::extract;
use crate::progress::Event;
use crate::sample;
use crate::step::{StepFinding, StepReport};
pub(crate) use bundles::{customers_as_of, tickets_as_of};
pub(crate) use fold::VANISHED_TAG;
use making::{Made, Making};
use sampled::Sampling;

/// Name of the step in reports and events.
const STEP: &str = "transform";

/// Tables that the step leaves behind; the one of attachments only where recordings are uploaded.
#[must_use]
pub fn tables(ctx: &Context) -> Vec<&'static TableSchema> {
    let attachments = (ctx.mapping.recording == RecordingPolicy::Upload).then_some(WantAttachment::SCHEMA);
    let always = [
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
        MapField::SCHEMA,
        MapValue::SCHEMA,
        ControlFailure::SCHEMA,
    ];
    always.into_iter().chain(attachments).collect()
}

/// The stored balance, `runs/<run>/counts.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "version")]
pub enum StoredCounts {
    /// First version.
    #[serde(rename = "1")]
    V1(Balance),
}

/// The balance of a run that was transformed.
///
/// # Errors
/// [`DocumentError::Missing`] before the transformation.
pub async fn counts(ctx: &Context) -> Result<Balance, DocumentError> {
    let stored: Option<StoredCounts> = documents::get(ctx, ctx.pass_key("counts.json")?).await?;
    let StoredCounts::V1(balance) = stored.ok_or(DocumentError::Missing { what: "balance", step: STEP })?;
    Ok(balance)
}

/// Transforms the source of this run under its confirmed mapping. Does nothing when everything is sealed.
///
/// # Errors
/// See [`TransformError`]; nothing is published then.
pub async fn run(ctx: &Context) -> Result<StepReport, TransformError> {
    if is_done(ctx).await? {
        let balance = counts(ctx).await?;
        return report(ctx, &balance, true).await;
    }
    let mapping = documents::confirmed_mapping(ctx).await?;
    let inventory = documents::inventory(ctx).await?;
    let rejects = extract::records(ctx).await?;
    let started_at = extract::started_at(ctx).await?;
    let source = Source::open(ctx).await?;
    let provenance = Provenance {
        pass: ctx.pass,
        made_from: made_from(ctx, &mapping.digest().to_hex()).await?,
        mapping_hash: Some(mapping.digest().to_hex()),
        taken_at: None,
    };
    let sampling = match sample::wish(ctx).await? {
        Some(wish) => Some(Sampling::open(ctx, wish).await?),
        None => None,
    };
    let (made, chosen) = {
        let ctx = ctx.clone();
        tokio::task::spawn_blocking(move || {
            let making = Making {
                ctx: &ctx,
                mapping: &mapping,
                inventory: &inventory,
                provenance: provenance.clone(),
                started_at,
                portion: None,
            };
            let made = making.make(source, rejects)?;
            match sampling {
                Some(sampling) => {
                    let (made, chosen) = sampling.restrict(&ctx, &provenance, made)?;
                    making::check(&made.balance)?;
                    Ok::<_, TransformError>((made, Some(chosen)))
                }
                None => Ok((made, None)),
            }
        })
        .await??
    };
    if let Some(chosen) = chosen {
        sample::keep(ctx, &chosen).await?;
    }
    let Made { balance, tables } = made;
    for table in tables {
        archive::publish(ctx, table).await?;
    }
    let key = ctx.pass_key("counts.json").map_err(DocumentError::from)?;
    documents::put(ctx, key, &StoredCounts::V1(balance.clone())).await?;
    report(ctx, &balance, false).await
}

async fn is_done(ctx: &Context) -> Result<bool, TransformError> {
    for table in tables(ctx) {
        if !archive::is_sealed(ctx, &ctx.run, ctx.pass, table).await? {
            return Ok(false);
        }
    }
    match counts(ctx).await {
        Ok(_) => Ok(true),
        Err(DocumentError::Missing { .. }) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

async fn report(ctx: &Context, balance: &Balance, was_done: bool) -> Result<StepReport, TransformError> {
    let mut report = StepReport { step: STEP, was_done, ..StepReport::default() };
    for table in tables(ctx) {
        if let Some(manifest) = archive::manifest(ctx, &ctx.run, ctx.pass, table).await? {
            report.records.insert(table.name.to_owned(), manifest.rows);
        }
    }
    for (code, count) in &balance.notes {
        let title = migration::finding::Code::from_text(code).map_or("", |code| code.entry().title);
        report.findings.push(StepFinding { code: code.clone(), count: *count, text: title.to_owned() });
        if let Some(code) = migration::finding::Code::from_text(code).filter(|_| !was_done) {
            let event = Event::Finding { code: code.as_str(), count: *count, text: title.to_owned() };
            ctx.progress.emit(ctx.clock.now(), event);
        }
    }
    Ok(report)
}

/// Digests of the source snapshots and of the mapping.
async fn made_from(ctx: &Context, mapping: &str) -> Result<Vec<Digest>, TransformError> {
    let mut digests = Vec::new();
    for table in extract::tables(ctx) {
        if let Some(manifest) = archive::manifest(ctx, &ctx.run, ctx.pass, table).await? {
            digests.push(manifest.digest());
        }
    }
    digests.extend(mapping.parse::<Digest>());
    Ok(digests)
}

/// Rows in order of their key, all of a table or some.
type Rows<R> = Box<dyn Iterator<Item = Result<R, SnapshotError>> + Send>;

/// The source, opened and verified. Tables that are read twice are opened twice.
struct Source {
    agents: TableReader<SourceAgent>,
    campaigns: TableReader<SourceCampaign>,
    lists: TableReader<SourceList>,
    offices: TableReader<SourceOffice>,
    groups: TableReader<SourceGroup>,
    outcomes: TableReader<SourceOutcome>,
    blacklist: TableReader<SourceBlacklist>,
    contacts: [Rows<SourceContact>; 2],
    values: Rows<SourceFieldValue>,
    leads: [Rows<SourceLead>; 2],
    calls: Rows<SourceCall>,
    /// By call, where recordings are fetched.
    recordings: Option<Children<SourceRecording, Rows<SourceRecording>>>,
    conversations: Rows<SourceConversation>,
    messages: Rows<SourceChatMessage>,
}

impl Source {
    async fn open(ctx: &Context) -> Result<Self, TransformError> {
        Ok(Self {
            agents: open(ctx).await?,
            campaigns: open(ctx).await?,
            lists: open(ctx).await?,
            offices: open(ctx).await?,
            groups: open(ctx).await?,
            outcomes: open(ctx).await?,
            blacklist: open(ctx).await?,
            contacts: [rows(ctx).await?, rows(ctx).await?],
            values: rows(ctx).await?,
            leads: [rows(ctx).await?, rows(ctx).await?],
            calls: rows(ctx).await?,
            recordings: match extract::recordings::are_kept(&ctx.mapping) {
                true => Some(Children::new(rows::<SourceRecording>(ctx).await?, 1)),
                false => None,
            },
            conversations: rows(ctx).await?,
            messages: rows(ctx).await?,
        })
    }
}

async fn rows<R: Row>(ctx: &Context) -> Result<Rows<R>, TransformError> {
    Ok(Box::new(open::<R>(ctx).await?))
}

/// A source table without the raw records, which nothing here looks at.
async fn open<R: Row>(ctx: &Context) -> Result<TableReader<R>, TransformError> {
    let reader = archive::open::<R>(ctx, &ctx.run, ctx.pass).await?;
    Ok(reader.without(&[snapshot::RAW_JSON])?)
}
