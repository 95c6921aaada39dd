//! What a delta has to ask LeadDesk for, and what it takes over from the reading before without asking.
//!
//! Lists and exports are read anew, since they are cheap and show what moved: a contact is read again when its row is new,
//! when anything but its calls differs in its row, or when its stamps fall into the overlap (facts: incremental reading).
//! Deliberately absent: trusting that two clocks agree.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use snapshot::tables::{SourceCall, SourceContact, SourceFieldValue, SourceLead};
use snapshot::{Pass, Row, Sealed, TableReader};

use super::error::ExtractError;
use super::seen::local_time;
use super::{StoredStart, part};
use crate::archive;
use crate::context::Context;
use crate::deltas;

/// Changes that show up late are seen all the same: the source's clock and ours need not agree, and its stamps have no
/// zone (facts: pitfalls).
pub const OVERLAP: SignedDuration = SignedDuration::from_hours(48);
/// Columns of the export that belong to calls: a new call does not change the contact.
const CALL_COLUMNS: std::ops::Range<usize> = 10..14;
/// Columns of stamps that show a change of the contact or of its number.
const CONTACT_STAMPS: [usize; 2] = [8, 9];
/// Column of the last call of a number.
const CALL_STAMP: usize = 10;
/// Column of the number.
const NUMBER: usize = 1;

/// The reading before.
pub struct Since {
    /// Its place in the store.
    pub base: Context,
    /// Stamps from here on are read again.
    pub from: Timestamp,
    files: BTreeMap<String, String>,
}

impl Since {
    /// The reading that this one goes on from; nothing for a full reading.
    ///
    /// # Errors
    /// [`ExtractError::Store`], [`ExtractError::StoredPage`].
    pub async fn of(ctx: &Context) -> Result<Option<Self>, ExtractError> {
        let Pass::Delta(number) = ctx.pass else { return Ok(None) };
        let begun = deltas::begun(ctx, number).await.map_err(|_| unreadable("begun.json"))?;
        let base = ctx.reading(begun.base.parse().map_err(|_| unreadable(&begun.base))?);
        let bytes = ctx.store.get(&base.pass_key("extract/started.json")?).await?;
        let StoredStart::V1 { started_at, files } =
            serde_json::from_slice(&bytes).map_err(|_| unreadable("started.json"))?;
        let from = started_at.checked_sub(OVERLAP).unwrap_or(Timestamp::MIN);
        Ok(Some(Self { base, from, files }))
    }

    /// Whether a file of the operator is the one that was read before.
    #[must_use]
    pub fn is_same_file(&self, name: &str, now: &BTreeMap<String, String>) -> bool {
        self.files.get(name) == now.get(name)
    }

    /// Whether the chatbot exports are those that were read before.
    #[must_use]
    pub fn has_same_archives(&self, now: &BTreeMap<String, String>) -> bool {
        let archives = |files: &BTreeMap<String, String>| -> BTreeMap<String, String> {
            let is_archive = |name: &&String| name.to_ascii_lowercase().ends_with(".zip");
            files.keys().filter(is_archive).map(|name| (name.clone(), files[name].clone())).collect()
        };
        archives(&self.files) == archives(now)
    }

    /// Whether the calls of the reading before came from a call log.
    ///
    /// # Errors
    /// [`ExtractError::Store`], [`ExtractError::StoredPage`].
    pub async fn has_call_log(&self) -> Result<bool, ExtractError> {
        Ok(part::load(&self.base, "calls").await?.is_some())
    }

    /// A table as it was read before.
    ///
    /// # Errors
    /// [`ExtractError::Archive`].
    pub async fn open<R: Row>(&self) -> Result<TableReader<R>, ExtractError> {
        Ok(archive::open::<R>(&self.base, &self.base.run, self.base.pass).await?)
    }
}

fn unreadable(key: &str) -> ExtractError {
    ExtractError::StoredPage { key: key.to_owned() }
}

/// What is asked for again.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Due {
    /// Contacts, ascending.
    pub contacts: BTreeSet<u64>,
    /// Numbers with new calls.
    pub phones: BTreeSet<String>,
}

/// Requests that the recipe cannot do without: every list and export anew, and each contact and number that moved.
///
/// # Errors
/// What the readers say.
pub async fn floor(ctx: &Context) -> Result<u64, ExtractError> {
    let Some(since) = Since::of(ctx).await? else { return Ok(0) };
    let rows = |table| archive::manifest(ctx, &ctx.run, ctx.pass, table);
    let page = u64::from(crate::ports::leaddesk::REST_PAGE_ITEMS);
    let (mut pages, mut lists) = (0, 0);
    for table in [snapshot::tables::SourceAgent::SCHEMA, snapshot::tables::SourceCampaign::SCHEMA] {
        pages += rows(table).await?.map_or(0, |manifest| manifest.rows).div_ceil(page).max(1);
    }
    if let Some(manifest) = rows(snapshot::tables::SourceList::SCHEMA).await? {
        lists = manifest.rows;
    }
    let due = due(ctx, &since).await?;
    let numbers = if since.has_call_log().await? { 0 } else { due.phones.len() };
    let moved = u64::try_from(due.contacts.len() + numbers).unwrap_or(u64::MAX);
    // The list of lists is one request.
    Ok(1 + pages + lists + moved)
}

/// What the exports show to have moved.
///
/// # Errors
/// What the readers say.
pub async fn due(ctx: &Context, since: &Since) -> Result<Due, ExtractError> {
    let old = since.open::<SourceLead>().await?;
    let new = archive::open::<SourceLead>(ctx, &ctx.run, ctx.pass).await?;
    let (from, zone) = (since.from, ctx.mapping.zone.clone());
    tokio::task::spawn_blocking(move || {
        let mut due = Due::default();
        let mut old = old.peekable();
        for row in new {
            let row = row?;
            let key = row.key();
            let mut before = None;
            while let Some(next) = old.next_if(|next| next.as_ref().map_or(true, |next| next.key() <= key)) {
                before = Some(next?).filter(|next| next.key() == key);
            }
            let cells = cells(&row.raw_json);
            let earlier = before.map(|before| cells_of(&before));
            let is_recent = |column: usize| {
                let times = cells.iter().filter_map(|cells| local_time(Some(cells.get(column)?), &zone));
                times.into_iter().any(|time| time.at >= from)
            };
            let is_new = earlier.is_none();
            let has_moved = earlier.as_ref().is_some_and(|earlier| card(earlier) != card(&cells));
            if (is_new || has_moved || CONTACT_STAMPS.into_iter().any(is_recent))
                && let Ok(id) = row.leaddesk_contact_id.parse()
            {
                due.contacts.insert(id);
            }
            let known: BTreeSet<(&str, &str)> =
                earlier.iter().flatten().filter_map(|cells| number_and_call(cells)).collect();
            for row in &cells {
                let Some((number, call)) = number_and_call(row) else { continue };
                let is_recent = local_time(Some(call), &zone).is_some_and(|time| time.at >= from);
                if !known.contains(&(number, call)) || is_recent {
                    due.phones.insert(number.to_owned());
                }
            }
        }
        Ok(due)
    })
    .await?
}

/// Stamps of cards, numbers and last calls that lie behind a moment, as the exports of this reading show them.
///
/// # Errors
/// What the reader says.
pub async fn stamps_behind(ctx: &Context, moment: Timestamp) -> Result<BTreeMap<String, u64>, ExtractError> {
    let rows = archive::open::<SourceLead>(ctx, &ctx.run, ctx.pass).await?;
    let zone = ctx.mapping.zone.clone();
    tokio::task::spawn_blocking(move || {
        let (mut cards, mut called) = (0, 0);
        for row in rows {
            for row in cells(&row?.raw_json) {
                let is_behind = |column: usize| {
                    local_time(row.get(column).map(String::as_str), &zone)
                        .is_some_and(|time| time.at > moment)
                };
                cards += u64::from(CONTACT_STAMPS.into_iter().any(is_behind));
                called += u64::from(is_behind(CALL_STAMP));
            }
        }
        Ok(BTreeMap::from([("cards and numbers".to_owned(), cards), ("last calls".to_owned(), called)]))
    })
    .await?
}

fn number_and_call(cells: &[String]) -> Option<(&str, &str)> {
    Some((cells.get(NUMBER)?.as_str(), cells.get(CALL_STAMP)?.as_str()))
}

fn cells_of(lead: &SourceLead) -> Vec<Vec<String>> {
    cells(&lead.raw_json)
}

/// The rows of an export as they were received; a row that cannot be read is a row that differs.
fn cells(raw_json: &str) -> Vec<Vec<String>> {
    serde_json::from_str(raw_json).unwrap_or_default()
}

/// What of the rows tells about the contact.
fn card(rows: &[Vec<String>]) -> Vec<Vec<&str>> {
    let of_row = |row: &Vec<String>| -> Vec<usize> {
        (0..row.len()).filter(|column| !CALL_COLUMNS.contains(column)).collect()
    };
    rows.iter().map(|row| of_row(row).into_iter().map(|column| row[column].as_str()).collect()).collect()
}

/// Contacts of the reading before that are not asked for again.
pub struct Carried {
    /// Ids that the reading before could not use; they are not asked for again either.
    pub rejects: Vec<part::SourceReject>,
    /// Cards.
    pub contacts: TableReader<SourceContact>,
    /// Slots.
    pub values: TableReader<SourceFieldValue>,
    /// Ids of these.
    pub kept: BTreeSet<u64>,
}

/// Parts ids into those to ask for, and those that are taken over.
///
/// # Errors
/// What the readers say.
pub async fn part(ids: &[u64], due: &Due, since: &Since) -> Result<(Vec<u64>, Carried), ExtractError> {
    let record = part::load(&since.base, "contacts").await?.unwrap_or_default();
    let mut known = BTreeSet::new();
    for row in since.open::<SourceContact>().await?.without(&[snapshot::RAW_JSON])? {
        known.extend(row?.leaddesk_contact_id.parse::<u64>());
    }
    let is_card = |reject: &part::SourceReject| reject.object == "contact" && !reject.is_value_only;
    let rejected: BTreeMap<u64, part::SourceReject> = record
        .rejects
        .into_iter()
        .filter(is_card)
        .filter_map(|reject| Some((reject.leaddesk_id.parse().ok()?, reject)))
        .collect();
    let (mut ask, mut kept, mut rejects) = (Vec::new(), BTreeSet::new(), Vec::new());
    for id in ids.iter().copied() {
        match rejected.get(&id) {
            _ if due.contacts.contains(&id) => ask.push(id),
            Some(reject) => rejects.push(reject.clone()),
            None if known.contains(&id) => drop(kept.insert(id)),
            None => ask.push(id),
        }
    }
    let (contacts, values) = (since.open().await?, since.open().await?);
    Ok((ask, Carried { rejects, contacts, values, kept }))
}

/// Takes a whole table over.
///
/// # Errors
/// What reader and writer say.
pub async fn whole<R: Row + Send + 'static>(ctx: &Context, since: &Since) -> Result<Sealed, ExtractError> {
    some(ctx, since, Vec::new(), |_: &R| true).await
}

/// Takes those rows of a table over of which this is true, and puts others beside them.
///
/// # Errors
/// What reader and writer say.
pub async fn some<R: Row + Send + 'static>(
    ctx: &Context,
    since: &Since,
    others: Vec<R>,
    is_kept: impl Fn(&R) -> bool + Send + 'static,
) -> Result<Sealed, ExtractError> {
    let reader = since.open::<R>().await?;
    let mut writer = archive::writer::<R>(ctx, ctx.pass, Vec::new())?;
    tokio::task::spawn_blocking(move || {
        for row in others {
            writer.push(row)?;
        }
        for row in reader {
            let row = row?;
            if is_kept(&row) {
                writer.push(row)?;
            }
        }
        Ok(writer.seal()?)
    })
    .await?
}

/// Calls of the reading before that a new log does not tell anew.
///
/// # Errors
/// What the readers and the writer say.
pub async fn calls_beside(ctx: &Context, since: &Since, log: Sealed) -> Result<Sealed, ExtractError> {
    let told: BTreeSet<String> = TableReader::<SourceCall>::of(&log)?
        .without(&[snapshot::RAW_JSON])?
        .map(|row| row.map(|row| row.leaddesk_call_id))
        .collect::<Result<_, _>>()?;
    let mut writer = archive::writer::<SourceCall>(ctx, ctx.pass, Vec::new())?;
    let old = since.open::<SourceCall>().await?;
    tokio::task::spawn_blocking(move || {
        for row in TableReader::<SourceCall>::of(&log)? {
            writer.push(row?)?;
        }
        for row in old {
            let row = row?;
            if !told.contains(&row.leaddesk_call_id) {
                writer.push(row)?;
            }
        }
        Ok(writer.seal()?)
    })
    .await?
}
