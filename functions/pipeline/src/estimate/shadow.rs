//! LeadDesk on trial: what discovery knows of the account, answered as LeadDesk would, and counted.
//!
//! Lists, exports, users and campaigns are read from LeadDesk once and repeated from memory; cards come from [`Cards`].
//! Deliberately absent: recordings, of which only the call log tells anything before the extraction.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream};

use super::cards::Cards;
use super::error::EstimateError;
use crate::context::Context;
use crate::discover::samples;
use crate::extract::call_rows::{self, CallColumns};
use crate::extract::contacts;
use crate::extract::error::ExtractError;
use crate::extract::pages;
use crate::extract::seen::{Seen, canonical_id};
use crate::operator::folder::{Folder, OperatorFault, OperatorFile};
use crate::ports::leaddesk::{
    FetchedRecording, LeadDesk, ListItem, PhoneHistory, RecordingError, RestPage, SourceError,
};

/// Contacts outside of all lists, and numbers without a call log, that are looked at.
const SAMPLES_MAX: usize = 200;

/// What the call log says beside the calls themselves.
#[derive(Debug, Clone, Default)]
pub(super) struct CallLog {
    /// Whether there is one.
    pub(super) is_there: bool,
    /// Contacts that calls name.
    pub(super) contacts: BTreeSet<u64>,
    /// Calls that name a recording.
    pub(super) recordings: u64,
    /// Seconds of talk of these.
    pub(super) recorded_seconds: u64,
}

/// The account as far as it is known.
pub(super) struct Shadow {
    real: Arc<dyn LeadDesk>,
    lists: Vec<ListItem>,
    exports: BTreeMap<String, Bytes>,
    cards: Cards,
    /// Contacts that calls name and no list.
    outside: u64,
    /// Calls by number, of numbers that were asked for.
    histories: BTreeMap<String, Vec<String>>,
    requests: Mutex<BTreeMap<String, u64>>,
}

impl Shadow {
    /// Reads what is needed: one request a list, and a few samples that discovery had no reason to take.
    ///
    /// # Errors
    /// What LeadDesk, the store or the files say.
    pub(super) async fn look(ctx: &Context) -> Result<(Self, CallLog), EstimateError> {
        let log = call_log_of(ctx).await?;
        let lists = pages::ask(ctx, "calling lists", ctx.source.lists()).await?;
        let mut cards = Cards::default();
        let mut exports = BTreeMap::new();
        for (number, list) in (0_u32..).zip(&lists) {
            let Some(id) = canonical_id(&list.id) else { continue };
            let export = pages::ask(ctx, "a list export", ctx.source.list_export(&id)).await?;
            let of = |fault| ExtractError::Export { list_id: id.clone(), fault: Box::new(fault) };
            cards.export(number, &export).map_err(of)?;
            cards.read(samples::answers(ctx, &id).await?);
            exports.insert(id, export);
        }
        let outside: BTreeSet<u64> =
            log.contacts.iter().copied().filter(|id| !cards.is_listed(*id)).collect();
        let ids: Vec<u64> = outside.iter().copied().collect();
        let lines: Vec<String> = stream::iter(samples::evenly(&ids, SAMPLES_MAX))
            .map(|id| contacts::line(ctx, id))
            .buffered(ctx.limits.source_in_flight.max(1))
            .try_collect()
            .await?;
        cards.read(lines.iter().filter_map(|line| contacts::answer_of(line)));
        cards.settle(&outside);
        let histories = if log.is_there { BTreeMap::new() } else { histories(ctx, &cards).await? };
        let real = Arc::clone(&ctx.source);
        let requests = Mutex::default();
        Ok((Self { real, lists, exports, cards, outside: outside.len() as u64, histories, requests }, log))
    }

    /// The cards.
    pub(super) fn cards(&self) -> &Cards {
        &self.cards
    }

    /// Contacts that lists and calls name.
    pub(super) fn contacts(&self) -> u64 {
        self.cards.listed() + self.outside
    }

    fn count(&self, command: &str) {
        let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        *requests.entry(command.to_owned()).or_default() += 1;
    }
}

/// The call log of the operator's folder.
///
/// # Errors
/// A refused file.
pub(super) async fn call_log_of(ctx: &Context) -> Result<CallLog, ExtractError> {
    let ctx = ctx.clone();
    tokio::task::spawn_blocking(move || call_log(&ctx)).await?
}

/// The call log in one pass.
fn call_log(ctx: &Context) -> Result<CallLog, ExtractError> {
    let folder = Folder::scan(&ctx.files)?;
    let refused = |fault| OperatorFault { file: OperatorFile::Calls.name().to_owned(), fault };
    let mut log = CallLog::default();
    let Some(mut table) = folder.table(OperatorFile::Calls)? else { return Ok(log) };
    log.is_there = true;
    let columns = CallColumns::of(table.header());
    let seen = Seen::new(ctx.clock.now(), "estimate");
    while let Some((header, row)) = table.next_row().map_err(refused)? {
        let Ok(call) = call_rows::parse(&columns, header, &row, &ctx.mapping, &seen) else { continue };
        log.contacts.extend(call.leaddesk_contact_id.and_then(|id| id.parse::<u64>().ok()));
        if call.recording_file.is_some() {
            log.recordings += 1;
            log.recorded_seconds +=
                call.talk_seconds.and_then(|seconds| u64::try_from(seconds).ok()).unwrap_or(0);
        }
    }
    Ok(log)
}

/// Calls of some numbers, evenly spaced.
async fn histories(ctx: &Context, cards: &Cards) -> Result<BTreeMap<String, Vec<String>>, EstimateError> {
    let phones: Vec<&str> = cards.phones().into_iter().collect();
    let places: Vec<u64> = (0..phones.len() as u64).collect();
    let mut histories = BTreeMap::new();
    for place in samples::evenly(&places, SAMPLES_MAX) {
        let Some(phone) = usize::try_from(place).ok().and_then(|place| phones.get(place)) else { continue };
        let calls = match pages::ask(ctx, "call histories", ctx.source.phone_history(phone)).await {
            Ok(history) => history.calls,
            Err(ExtractError::Source { source: SourceError::NotFound { .. }, .. }) => Vec::new(),
            Err(error) => return Err(error.into()),
        };
        histories.insert((*phone).to_owned(), calls);
    }
    Ok(histories)
}

/// A number that is the same for the same text in every run.
fn spread(text: &str) -> usize {
    text.bytes().fold(0_usize, |sum, byte| sum.wrapping_mul(31).wrapping_add(usize::from(byte)))
}

#[async_trait]
impl LeadDesk for Shadow {
    async fn lists(&self) -> Result<Vec<ListItem>, SourceError> {
        self.count("calling_list/list");
        Ok(self.lists.clone())
    }

    async fn list_export(&self, list_id: &str) -> Result<Bytes, SourceError> {
        self.count("calling_list/export");
        let missing = || SourceError::NotFound { request: "calling_list/export".to_owned() };
        self.exports.get(list_id).cloned().ok_or_else(missing)
    }

    async fn contact(&self, contact_id: &str) -> Result<String, SourceError> {
        self.count("contact/get");
        let missing = || SourceError::NotFound { request: "contact/get".to_owned() };
        contact_id.parse().ok().and_then(|id| self.cards.answer(id)).ok_or_else(missing)
    }

    async fn call(&self, _call_id: &str) -> Result<String, SourceError> {
        Err(SourceError::NotFound { request: "call/get".to_owned() })
    }

    async fn users(&self, page: u32) -> Result<RestPage, SourceError> {
        self.count("GET /users");
        self.real.users(page).await
    }

    async fn campaigns(&self, page: u32) -> Result<RestPage, SourceError> {
        self.count("GET /campaigns");
        self.real.campaigns(page).await
    }

    async fn phone_history(&self, phone: &str) -> Result<PhoneHistory, SourceError> {
        self.count("GET /gdpr/contact");
        let known = self.histories.get(phone);
        let other = || {
            let place = spread(phone).checked_rem(self.histories.len())?;
            self.histories.values().nth(place)
        };
        let calls = known.or_else(other).cloned().unwrap_or_default();
        Ok(PhoneHistory { raw_json: String::new(), calls })
    }

    async fn recording_exists(&self, _file_name: &str) -> Result<bool, SourceError> {
        Ok(false)
    }

    async fn recording(&self, _file_name: &str, _scratch: &Path) -> Result<FetchedRecording, RecordingError> {
        Err(RecordingError::Gone)
    }

    fn requests(&self) -> BTreeMap<String, u64> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
