//! Recordings of calls into the store, where the mapping asks for them: each is fetched once.
//!
//! Addresses of recordings die within minutes, so the sound is kept here and uploaded from here. An object is named by
//! its call and its content, `recordings/v1/call=<id>/<sha256>.<ending>`: a restart, and any later run of the migration,
//! finds it by its call and proves it by its name. What cannot be fetched never blocks the call: it gets a state and a
//! code. Deliberately absent: deciding what Gorgias gets.

use std::collections::BTreeMap;

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream};
use migration::finding::{self, Code};
use migration::settings::{MappingSettings, RecordingPolicy};
use serde::{Deserialize, Serialize};
use snapshot::tables::{SourceCall, SourceRecording};
use snapshot::{Sealed, SnapshotError, TableReader, TableWriter};

use super::error::ExtractError;
use super::pages::{self, Page};
use super::part::{PartRecord, SourceReject};
use super::seen::Seen;
use crate::archive;
use crate::context::Context;
use crate::ledger::key::sha256_hex;
use crate::ports::leaddesk::{FetchedRecording, RecordingError, Sound, SourceError};
use crate::ports::store::{Key, Put};
use crate::progress::Event;

/// Recordings of one stored page.
pub const PAGE_RECORDINGS: usize = 100;
/// Folder of the sound, below that of the migration.
pub const FOLDER: &str = "recordings/v1";
/// Below this many that are pending, a share says nothing.
const PENDING_MIN: u64 = 20;

/// Whether recordings are to be in the store: both choices that move sound keep it there first.
#[must_use]
pub fn are_kept(settings: &MappingSettings) -> bool {
    matches!(settings.recording, RecordingPolicy::Upload | RecordingPolicy::Archive)
}

/// What became of a recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum State {
    Archived,
    Gone,
    Failed,
    Pending,
}

impl State {
    fn as_str(self) -> &'static str {
        match self {
            Self::Archived => "archived",
            Self::Gone => "gone",
            Self::Failed => "failed",
            Self::Pending => "pending",
        }
    }
}

/// An object of the archive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Kept {
    content_type: String,
    bytes: u64,
    sha256: String,
    /// Below the folder of the migration.
    key: String,
}

/// One line of a page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Line {
    call: String,
    file: String,
    state: State,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    kept: Option<Kept>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    code: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

/// A call that names a recording.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Named {
    call: String,
    file: String,
}

/// The file's name: a call holds a name or a whole address, whose signature is nobody's business.
fn bare(text: &str) -> Option<&str> {
    let path = text.split(['?', '#']).next().unwrap_or_default();
    let name = path.rsplit(['/', '\\']).next().unwrap_or_default().trim();
    (!matches!(name, "" | "." | "..")).then_some(name)
}

fn page_name(number: usize) -> String {
    format!("recordings/{number:06}.ndjson")
}

/// Fetches what is not in the store yet, then makes the table.
///
/// # Errors
/// [`ExtractError::RecordingsPending`] when so many cannot be fetched for now that something common is wrong; what
/// LeadDesk says about credentials; what the store or the writer say.
pub(super) async fn read(ctx: &Context, record: &mut PartRecord) -> Result<Sealed, ExtractError> {
    let part = || "recordings".to_owned();
    tokio::fs::create_dir_all(&ctx.scratch).await.map_err(ExtractError::Scratch)?;
    ctx.progress.emit(ctx.clock.now(), Event::StepStarted { step: "extract", part: part(), total: None });
    let mut calls = archive::open::<SourceCall>(ctx, &ctx.run, ctx.pass).await?;
    let mut fetching = Fetching { ctx, archived: None };
    let mut making = Making::new(ctx)?;
    let mut unsettled = Vec::new();
    for number in 0.. {
        let (rest, named) = tokio::task::spawn_blocking(move || next_named(calls)).await?;
        calls = rest;
        let named = named?;
        if named.is_empty() {
            break;
        }
        let page = match pages::load(ctx, &page_name(number)).await? {
            Some(page) => page,
            None => {
                let page = fetching.page(&named).await?;
                // A page with something pending is asked again by the next start.
                if lines(&page, number)?.iter().any(|line| line.state == State::Pending) {
                    unsettled.push((number, page.clone()));
                    page
                } else {
                    pages::store(ctx, &page_name(number), page.fetched_at, page.body).await?
                }
            }
        };
        making.take(number, &page)?;
        let (done, failed) = (making.total(), making.total() - making.count(State::Archived));
        let event = Event::StepAdvanced { step: "extract", part: part(), done, failed, bucket: None };
        ctx.progress.emit(ctx.clock.now(), event);
    }
    check_pending(ctx, making.count(State::Pending), making.total())?;
    for (number, page) in unsettled {
        pages::store(ctx, &page_name(number), page.fetched_at, page.body).await?;
    }
    let (done, failed) = (making.total(), making.total() - making.count(State::Archived));
    let sealed = making.seal(record)?;
    ctx.progress.emit(ctx.clock.now(), Event::StepFinished { step: "extract", part: part(), done, failed });
    Ok(sealed)
}

/// A few that cannot be fetched are reported; many mean that their host is down, and then waiting is better.
fn check_pending(ctx: &Context, pending: u64, total: u64) -> Result<(), ExtractError> {
    #[expect(clippy::cast_precision_loss, reason = "counts of records stay far below 2^52")]
    let percent = pending as f64 * 100.0 / total.max(1) as f64;
    let is_accepted =
        ctx.limits.accepted_findings.iter().any(|code| code == finding::CAL118_RECORDING_PENDING.as_str());
    if pending <= PENDING_MIN || percent <= ctx.limits.refused_percent_max || is_accepted {
        return Ok(());
    }
    Err(ExtractError::RecordingsPending { pending, total })
}

/// The next page's worth of calls that name a recording.
fn next_named(
    mut calls: TableReader<SourceCall>,
) -> (TableReader<SourceCall>, Result<Vec<Named>, SnapshotError>) {
    let mut named = Vec::new();
    while named.len() < PAGE_RECORDINGS {
        match calls.next() {
            None => break,
            Some(Err(error)) => return (calls, Err(error)),
            Some(Ok(row)) => {
                if let Some(file) = row.recording_file.as_deref().and_then(bare) {
                    named.push(Named { file: file.to_owned(), call: row.leaddesk_call_id });
                }
            }
        }
    }
    (calls, Ok(named))
}

fn lines(page: &Page, number: usize) -> Result<Vec<Line>, ExtractError> {
    let broken = || ExtractError::StoredPage { key: page_name(number) };
    let parse = |line: Option<&str>| serde_json::from_str(line.ok_or_else(broken)?).map_err(|_| broken());
    page.lines().map(parse).collect()
}

/// Knows what the archive holds once that is asked for.
struct Fetching<'c> {
    ctx: &'c Context,
    /// By call.
    archived: Option<BTreeMap<String, Key>>,
}

impl Fetching<'_> {
    async fn page(&mut self, named: &[Named]) -> Result<Page, ExtractError> {
        let ctx = self.ctx;
        let archived = match self.archived.take() {
            Some(archived) => archived,
            None => archived(ctx).await?,
        };
        let archived = self.archived.insert(archived);
        let fetched_at = ctx.clock.now();
        let texts: Vec<String> = stream::iter(named)
            .map(|named| line(ctx, named, archived.get(&named.call)))
            .buffered(ctx.limits.source_in_flight.max(1))
            .try_collect()
            .await?;
        let mut body = texts.join("\n");
        body.push('\n');
        Ok(Page { fetched_at, body: Bytes::from(body) })
    }
}

/// Every recording of the archive; of several for one call the first.
async fn archived(ctx: &Context) -> Result<BTreeMap<String, Key>, ExtractError> {
    let prefix = ctx.key(FOLDER)?;
    let mut archived = BTreeMap::new();
    for key in ctx.store.list(&prefix).await? {
        let rest = key.as_str().strip_prefix(prefix.as_str()).and_then(|rest| rest.strip_prefix("/call="));
        if let Some((call, _)) = rest.and_then(|rest| rest.split_once('/')) {
            archived.entry(call.to_owned()).or_insert(key);
        }
    }
    Ok(archived)
}

async fn line(ctx: &Context, named: &Named, archived: Option<&Key>) -> Result<String, ExtractError> {
    let Named { call, file } = named.clone();
    let line = match outcome(ctx, named, archived).await? {
        Ok(kept) => Line { call, file, state: State::Archived, kept: Some(kept), code: None, reason: None },
        Err(error) => {
            let (state, code) = judged(&error);
            let reason = Some(error.to_string());
            Line { call, file, state, kept: None, code: Some(code.as_str().to_owned()), reason }
        }
    };
    serde_json::to_string(&line).map_err(|_| ExtractError::ItemShape { what: "recordings" })
}

async fn outcome(
    ctx: &Context,
    named: &Named,
    archived: Option<&Key>,
) -> Result<Result<Kept, RecordingError>, ExtractError> {
    if let Some(key) = archived {
        return Ok(Ok(proven(ctx, key).await?));
    }
    match ctx.source.recording(&named.file, &ctx.scratch).await {
        Ok(fetched) => Ok(Ok(keep(ctx, &named.call, fetched).await?)),
        // Common to all of them, and no fault of a recording.
        Err(RecordingError::Address(source @ SourceError::Credentials { .. })) => {
            Err(ExtractError::Source { what: "recordings", source })
        }
        Err(RecordingError::Scratch(source)) => Err(ExtractError::Scratch(source)),
        Err(error) => Ok(Err(error)),
    }
}

/// Whether a later run may bring it, and the code.
fn judged(error: &RecordingError) -> (State, Code) {
    match error {
        RecordingError::Gone => (State::Gone, finding::CAL112_RECORDING_GONE),
        RecordingError::Refused(_) => (State::Failed, finding::CAL113_RECORDING_ADDRESS),
        RecordingError::Redirected { .. } => (State::Failed, finding::CAL114_RECORDING_REDIRECTED),
        RecordingError::TooLarge { .. } => (State::Failed, finding::CAL115_RECORDING_TOO_LARGE),
        RecordingError::NotSound => (State::Failed, finding::CAL116_RECORDING_NOT_SOUND),
        RecordingError::Status { status: 408 | 429 | 500.. } => {
            (State::Pending, finding::CAL118_RECORDING_PENDING)
        }
        RecordingError::Status { .. } => (State::Failed, finding::CAL117_RECORDING_REFUSED),
        RecordingError::NoAnswer(_) | RecordingError::Scratch(_) => {
            (State::Pending, finding::CAL118_RECORDING_PENDING)
        }
        RecordingError::Address(SourceError::NoAnswer { .. } | SourceError::Unusable { .. }) => {
            (State::Pending, finding::CAL119_RECORDING_NO_ADDRESS)
        }
        RecordingError::Address(_) => (State::Failed, finding::CAL119_RECORDING_NO_ADDRESS),
    }
}

/// Puts a download into the archive.
async fn keep(ctx: &Context, call: &str, fetched: FetchedRecording) -> Result<Kept, ExtractError> {
    let FetchedRecording { path, bytes, sha256, sound } = fetched;
    let below = format!("{FOLDER}/call={call}/{sha256}.{}", sound.extension());
    let key = ctx.key(&below)?;
    match ctx.store.put_new_file(&key, &path).await? {
        Put::Created => Ok(Kept { content_type: sound.content_type().to_owned(), bytes, sha256, key: below }),
        Put::AlreadyThere => Err(ExtractError::RecordingDamaged { key: key.to_string() }),
    }
}

/// What an earlier start or run has kept, held against its name.
async fn proven(ctx: &Context, key: &Key) -> Result<Kept, ExtractError> {
    let damaged = || ExtractError::RecordingDamaged { key: key.to_string() };
    let body = ctx.store.get(key).await?;
    let sound = Sound::of(&body).ok_or_else(damaged)?;
    let sha256 = sha256_hex(&body);
    let name = format!("/{sha256}.{}", sound.extension());
    let below =
        key.as_str().strip_prefix(&format!("{}/", ctx.migration)).filter(|below| below.ends_with(&name));
    Ok(Kept {
        content_type: sound.content_type().to_owned(),
        bytes: body.len() as u64,
        sha256,
        key: below.ok_or_else(damaged)?.to_owned(),
    })
}

struct Making {
    writer: TableWriter<SourceRecording>,
    rejects: Vec<SourceReject>,
    counts: BTreeMap<State, u64>,
    codes: BTreeMap<String, u64>,
}

impl Making {
    fn new(ctx: &Context) -> Result<Self, ExtractError> {
        let writer = archive::writer::<SourceRecording>(ctx, ctx.pass, Vec::new())?;
        Ok(Self { writer, rejects: Vec::new(), counts: BTreeMap::new(), codes: BTreeMap::new() })
    }

    fn count(&self, state: State) -> u64 {
        self.counts.get(&state).copied().unwrap_or(0)
    }

    fn total(&self) -> u64 {
        self.counts.values().sum()
    }

    fn take(&mut self, number: usize, page: &Page) -> Result<(), ExtractError> {
        let seen = Seen::new(page.fetched_at, format!("recordings/{number:06}"));
        for line in lines(page, number)? {
            *self.counts.entry(line.state).or_default() += 1;
            if let Some((code, reason)) = line.code.as_ref().zip(line.reason) {
                *self.codes.entry(code.clone()).or_default() += 1;
                self.rejects.push(SourceReject::value("call", line.call.clone(), code, reason));
            }
            let kept = line.kept;
            self.writer.push(SourceRecording {
                leaddesk_call_id: line.call,
                raw_json: serde_json::json!({ "record_file": line.file }).to_string(),
                recording_file: line.file,
                recording_state: line.state.as_str().to_owned(),
                reason_code: line.code,
                content_type: kept.as_ref().map(|kept| kept.content_type.clone()),
                size_bytes: kept.as_ref().and_then(|kept| i64::try_from(kept.bytes).ok()),
                sha256: kept.as_ref().map(|kept| kept.sha256.clone()),
                store_key: kept.map(|kept| kept.key),
                source_row_hash: String::new(),
                extracted_at: seen.at,
                source_page: seen.page.clone(),
                is_deleted: false,
            })?;
        }
        Ok(())
    }

    fn seal(self, record: &mut PartRecord) -> Result<Sealed, ExtractError> {
        for (state, count) in &self.counts {
            record.count(&format!("recording_{}", state.as_str()), *count);
        }
        for (code, count) in &self.codes {
            let title = Code::from_text(code).map_or("", |code| code.entry().title);
            record.find(code, *count, title);
        }
        record.rejects.extend(self.rejects);
        Ok(self.writer.seal()?)
    }
}

#[cfg(test)]
mod tests;
