//! LeadDesk's interfaces and the operator's files -> the `source` snapshot.
//!
//! Works part by part; a part that is sealed is not read again. Everything that was asked of LeadDesk is stored as
//! pages first ([`pages`]), so that a restart asks for at most one page again and gives the same bytes. A page that is
//! HTML, cut off, or shorter than announced stops the part: it is never taken for "no records".
//! Deliberately absent: anything that changes LeadDesk.

pub mod call_facts;
pub mod call_rows;
pub mod calls;
pub mod chat;
mod chat_beside;
mod chat_frames;
pub mod chat_text;
pub mod chat_window;
pub mod contact;
pub mod contacts;
pub mod error;
pub mod export_rows;
pub mod histories;
pub mod listing;
mod lists;
pub mod operator_tables;
pub mod organisation;
pub mod pages;
pub mod part;
pub mod recordings;
pub mod seen;
mod settings;
pub mod since;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::future::Future;

use bytes::Bytes;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use snapshot::tables::{
    SourceAgent, SourceBlacklist, SourceCall, SourceCampaign, SourceChatMessage, SourceContact,
    SourceConversation, SourceDocument, SourceField, SourceFieldValue, SourceGroup, SourceLead, SourceList,
    SourceOffice, SourceOutcome, SourceRecording,
};
use snapshot::{Row, Sealed, TableSchema};

pub use error::ExtractError;

use crate::archive;
use crate::context::Context;
use crate::operator::folder::Folder;
use crate::ports::store::{Put, StoreError};
use crate::progress::Event;
use crate::step::{StepFinding, StepReport};
use part::PartRecord;
use seen::Seen;
use since::Since;

/// Name of the step in reports and events.
const STEP: &str = "extract";

/// Parts in the order in which they are read; the file of rejects of each is `runs/<run>/extract/<part>.json`.
pub const PARTS: [&str; 8] =
    ["organisation", "leads", "calls", "contacts", "histories", "recordings", "settings", "chat"];

/// Tables that the step leaves behind; the one of recordings only where they are to be kept.
#[must_use]
pub fn tables(ctx: &Context) -> Vec<&'static TableSchema> {
    let recordings = recordings::are_kept(&ctx.mapping).then_some(SourceRecording::SCHEMA);
    let always = [
        SourceAgent::SCHEMA,
        SourceCampaign::SCHEMA,
        SourceList::SCHEMA,
        SourceLead::SCHEMA,
        SourceContact::SCHEMA,
        SourceFieldValue::SCHEMA,
        SourceCall::SCHEMA,
        SourceOutcome::SCHEMA,
        SourceBlacklist::SCHEMA,
        SourceField::SCHEMA,
        SourceOffice::SCHEMA,
        SourceGroup::SCHEMA,
        SourceDocument::SCHEMA,
        SourceConversation::SCHEMA,
        SourceChatMessage::SCHEMA,
    ];
    always.into_iter().chain(recordings).collect()
}

/// When this run began to read, and which files it began with. Written once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "version")]
enum StoredStart {
    #[serde(rename = "1")]
    V1 { started_at: Timestamp, files: BTreeMap<String, String> },
}

/// Reads everything that is not sealed yet.
///
/// # Errors
/// See [`ExtractError`]; what was read so far stays stored.
pub async fn run(ctx: &Context) -> Result<StepReport, ExtractError> {
    if is_done(ctx).await? {
        return report(ctx, true).await;
    }
    let folder = scan(ctx).await?;
    let (started_at, files) = begin(ctx, &folder).await?;
    let since = Since::of(ctx).await?;
    let extraction = Extraction { ctx, folder: &folder, started_at, files, since: since.as_ref() };
    extraction.organisation().await?;
    extraction.leads().await?;
    extraction.calls().await?;
    extraction.contacts().await?;
    extraction.histories().await?;
    extraction.recordings().await?;
    extraction.settings().await?;
    extraction.chat().await?;
    report(ctx, false).await
}

/// Every table is sealed; files that changed since do not matter any more.
async fn is_done(ctx: &Context) -> Result<bool, ExtractError> {
    for table in tables(ctx) {
        if !archive::is_sealed(ctx, &ctx.run, ctx.pass, table).await? {
            return Ok(false);
        }
    }
    Ok(true)
}

async fn report(ctx: &Context, was_done: bool) -> Result<StepReport, ExtractError> {
    let mut report = StepReport { step: STEP, was_done, ..StepReport::default() };
    for record in records(ctx).await? {
        for finding in record.findings {
            report.findings.push(StepFinding {
                code: finding.code,
                count: finding.count,
                text: finding.text,
            });
        }
    }
    for table in tables(ctx) {
        if let Some(manifest) = archive::manifest(ctx, &ctx.run, ctx.pass, table).await? {
            report.records.insert(table.name.to_owned(), manifest.rows);
        }
    }
    report.findings.sort();
    Ok(report)
}

/// Every reject of every part, for the step that writes the table of failures.
///
/// # Errors
/// [`ExtractError::Store`], [`ExtractError::StoredPage`].
pub async fn records(ctx: &Context) -> Result<Vec<PartRecord>, ExtractError> {
    let mut records = Vec::new();
    for name in PARTS {
        records.extend(part::load(ctx, name).await?);
    }
    Ok(records)
}

/// When this run began to read the source.
///
/// # Errors
/// [`ExtractError::Store`] before the extraction.
pub async fn started_at(ctx: &Context) -> Result<Timestamp, ExtractError> {
    let key = ctx.pass_key("extract/started.json")?;
    let bytes = ctx.store.get(&key).await?;
    let StoredStart::V1 { started_at, .. } =
        serde_json::from_slice(&bytes).map_err(|_| ExtractError::StoredPage { key: key.to_string() })?;
    Ok(started_at)
}

async fn scan(ctx: &Context) -> Result<Folder, ExtractError> {
    let root = ctx.files.clone();
    Ok(tokio::task::spawn_blocking(move || Folder::scan(&root)).await??)
}

/// Freezes the moment and the files of this run.
async fn begin(
    ctx: &Context,
    folder: &Folder,
) -> Result<(Timestamp, BTreeMap<String, String>), ExtractError> {
    let digests = {
        let folder = folder.clone();
        tokio::task::spawn_blocking(move || folder.digests()).await??
    };
    let key = ctx.pass_key("extract/started.json")?;
    let unreadable = || ExtractError::StoredPage { key: key.to_string() };
    let bytes = match ctx.store.get(&key).await {
        Ok(bytes) => bytes,
        Err(StoreError::NotFound { .. }) => {
            let start = StoredStart::V1 { started_at: ctx.clock.now(), files: digests.clone() };
            let body = Bytes::from(serde_json::to_vec(&start).map_err(|_| unreadable())?);
            match ctx.store.put_new(&key, body.clone()).await? {
                Put::Created => body,
                Put::AlreadyThere => ctx.store.get(&key).await?,
            }
        }
        Err(error) => return Err(error.into()),
    };
    let StoredStart::V1 { started_at, files } = serde_json::from_slice(&bytes).map_err(|_| unreadable())?;
    let names: std::collections::BTreeSet<&String> = files.keys().chain(digests.keys()).collect();
    let changed = names.into_iter().find(|name| files.get(*name) != digests.get(*name)).cloned();
    match changed {
        Some(file) => Err(ExtractError::FileChanged { file }),
        None => Ok((started_at, digests)),
    }
}

/// Digests of the operator's files that this reading began with; none when it has not begun.
///
/// # Errors
/// [`ExtractError`] when the store or the document cannot be read.
pub async fn begun_with(ctx: &Context) -> Result<Option<BTreeMap<String, String>>, ExtractError> {
    let key = ctx.pass_key("extract/started.json")?;
    let bytes = match ctx.store.get(&key).await {
        Ok(bytes) => bytes,
        Err(StoreError::NotFound { .. }) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let unreadable = |_| ExtractError::StoredPage { key: key.to_string() };
    let StoredStart::V1 { files, .. } = serde_json::from_slice(&bytes).map_err(unreadable)?;
    Ok(Some(files))
}

/// One extraction: what all parts share.
struct Extraction<'a> {
    ctx: &'a Context,
    folder: &'a Folder,
    started_at: Timestamp,
    /// Digests of the operator's files.
    files: BTreeMap<String, String>,
    /// The reading that this one goes on from.
    since: Option<&'a Since>,
}

impl Extraction<'_> {
    /// Where rows of an operator's file come from.
    fn seen(&self, page: &str) -> Seen {
        Seen::new(self.started_at, page)
    }

    /// Runs a part unless its tables and its record are there. `make` gives the record and the tables to publish.
    async fn part<F, T>(
        &self,
        name: &'static str,
        tables: &[&'static TableSchema],
        make: F,
    ) -> Result<(), ExtractError>
    where
        F: FnOnce() -> T,
        T: Future<Output = Result<(PartRecord, Vec<Sealed>), ExtractError>>,
    {
        let ctx = self.ctx;
        let mut is_sealed = part::load(ctx, name).await?.is_some();
        for table in tables {
            is_sealed &= archive::is_sealed(ctx, &ctx.run, ctx.pass, table).await?;
        }
        if is_sealed {
            return Ok(());
        }
        let step = |part: &str| (STEP, part.to_owned());
        let (started, named) = step(name);
        ctx.progress.emit(ctx.clock.now(), Event::StepStarted { step: started, part: named, total: None });
        let (record, sealed) = make().await?;
        let record = part::store(ctx, name, record).await?;
        let mut rows = 0;
        for table in sealed {
            rows += table.manifest.rows;
            archive::publish(ctx, table).await?;
        }
        for finding in &record.findings {
            if let Some(code) = migration::finding::Code::from_text(&finding.code) {
                let event =
                    Event::Finding { code: code.as_str(), count: finding.count, text: finding.text.clone() };
                ctx.progress.emit(ctx.clock.now(), event);
            }
        }
        let failed = u64::try_from(record.rejects.len()).unwrap_or(0);
        let event = Event::StepFinished { step: STEP, part: name.to_owned(), done: rows, failed };
        ctx.progress.emit(ctx.clock.now(), event);
        Ok(())
    }

    /// Whether calls come from a call log; a delta goes on as the run began.
    async fn has_call_log(&self) -> Result<bool, ExtractError> {
        let file = crate::operator::folder::OperatorFile::Calls;
        let is_there = self.folder.path(file).is_some();
        match self.since {
            None => Ok(is_there),
            Some(since) => match since.has_call_log().await? {
                false if is_there => Err(ExtractError::CallLogAppeared),
                has_log => Ok(has_log),
            },
        }
    }

    async fn calls(&self) -> Result<(), ExtractError> {
        if !self.has_call_log().await? {
            return Ok(());
        }
        let name = crate::operator::folder::OperatorFile::Calls.name();
        self.part("calls", &[SourceCall::SCHEMA], || async {
            if let Some(since) = self.since
                && (!self.files.contains_key(name) || since.is_same_file(name, &self.files))
            {
                let record = part::load(&since.base, "calls").await?.unwrap_or_default();
                return Ok((record, vec![since::whole::<SourceCall>(self.ctx, since).await?]));
            }
            let (record, mut sealed) = self.call_log().await?;
            if let Some(since) = self.since
                && let Some(log) = sealed.pop()
            {
                sealed.push(since::calls_beside(self.ctx, since, log).await?);
            }
            Ok((record, sealed))
        })
        .await
    }

    async fn call_log(&self) -> Result<(PartRecord, Vec<Sealed>), ExtractError> {
        let (ctx, folder, seen) = (self.ctx.clone(), self.folder.clone(), self.seen("calls.csv"));
        tokio::task::spawn_blocking(move || {
            let mut record = PartRecord::default();
            let sealed = calls::from_file(&ctx, &folder, &seen, &mut record)?;
            Ok((record, sealed.into_iter().collect()))
        })
        .await?
    }

    async fn contacts(&self) -> Result<(), ExtractError> {
        self.part("contacts", &[SourceContact::SCHEMA, SourceFieldValue::SCHEMA], || async {
            let ids = lists::contact_ids(self.ctx).await?;
            let mut record = PartRecord::default();
            let sealed = match self.since {
                None => contacts::read(self.ctx, &ids, None, &mut record).await?,
                Some(since) => {
                    let due = since::due(self.ctx, since).await?;
                    let (ask, carried) = since::part(&ids, &due, since).await?;
                    contacts::read(self.ctx, &ask, Some(carried), &mut record).await?
                }
            };
            Ok((record, vec![sealed.contacts, sealed.values]))
        })
        .await
    }

    async fn histories(&self) -> Result<(), ExtractError> {
        if self.has_call_log().await? {
            return Ok(());
        }
        self.part("histories", &[SourceCall::SCHEMA], || async {
            let phones = lists::phones(self.ctx).await?;
            let mut record = PartRecord::default();
            let since = match self.since {
                None => None,
                Some(since) => Some(histories::moved(self.ctx, since, &phones).await?),
            };
            let sealed = histories::read(self.ctx, &phones, since, &mut record).await?;
            Ok((record, vec![sealed]))
        })
        .await
    }

    async fn recordings(&self) -> Result<(), ExtractError> {
        if !recordings::are_kept(&self.ctx.mapping) {
            return Ok(());
        }
        self.part("recordings", &[SourceRecording::SCHEMA], || async {
            let mut record = PartRecord::default();
            let sealed = recordings::read(self.ctx, &mut record).await?;
            Ok((record, vec![sealed]))
        })
        .await
    }

    async fn chat(&self) -> Result<(), ExtractError> {
        self.part("chat", &[SourceConversation::SCHEMA, SourceChatMessage::SCHEMA], || async {
            if let Some(since) = self.since
                && since.has_same_archives(&self.files)
            {
                let record = part::load(&since.base, "chat").await?.unwrap_or_default();
                let conversations = since::whole::<SourceConversation>(self.ctx, since).await?;
                return Ok((
                    record,
                    vec![conversations, since::whole::<SourceChatMessage>(self.ctx, since).await?],
                ));
            }
            let (record, sealed) = self.chat_exports().await?;
            match self.since {
                None => Ok((record, sealed)),
                Some(since) => Ok((record, chat_beside::chats(self.ctx, since, sealed).await?)),
            }
        })
        .await
    }

    async fn chat_exports(&self) -> Result<(PartRecord, Vec<Sealed>), ExtractError> {
        let (ctx, folder, seen) = (self.ctx.clone(), self.folder.clone(), self.seen("chatbot"));
        tokio::task::spawn_blocking(move || {
            let mut record = PartRecord::default();
            let sealed = chat::read(&ctx, &folder, &seen, &mut record)?;
            Ok((record, vec![sealed.conversations, sealed.messages]))
        })
        .await?
    }
}
