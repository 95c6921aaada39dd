//! What the ledger says of single records, segment by segment: announced when, written how, known by what.
//!
//! Deliberately absent: judging whether the ledger is whole; whoever opens it for writing does that.

use std::collections::BTreeMap;

use futures::StreamExt as _;
use jiff::Timestamp;

use super::stored::{KindV1, StoredSegment};
use super::{LedgerError, decode, segment_key};
use crate::context::Context;
use crate::ports::store::{Key, StoreError};

/// Segments read at the same time.
const READ_AHEAD: usize = 16;

/// One mention of a record in the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mention {
    /// Number of the segment.
    pub segment: u64,
    /// When the segment was written, by the writer's clock.
    pub at: Timestamp,
    /// The run whose owner wrote it.
    pub run: String,
    /// What it says.
    pub what: Said,
}

/// What a segment says of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// A write was announced: `create`, `update`, `restore`, `trash`, `delete`.
    Announced(String),
    /// It ended.
    Ended {
        /// How: `created`, `adopted`, `updated`, `refused` and so on.
        class: String,
        /// How that is known: `answer` or `lookup`.
        via: String,
        /// Id at Gorgias.
        id: Option<u64>,
        /// Code and words of what did not go as wished.
        note: Option<(String, String)>,
    },
}

/// Every mention of these keys, in the order of the segments. Sends no request to either system.
///
/// # Errors
/// [`LedgerError`] for a segment that cannot be read.
pub async fn of(
    ctx: &Context,
    account: &str,
    keys: &[String],
) -> Result<BTreeMap<String, Vec<Mention>>, LedgerError> {
    let folder = ctx.key(&format!("ledger/{account}")).map_err(LedgerError::AccountName)?;
    let held = ctx.store.list(&folder).await.map_err(LedgerError::Store)?;
    let start = format!("{folder}/");
    let numbers = held.iter().filter_map(|key| key.as_str().strip_prefix(&start));
    let numbers: Vec<u64> =
        numbers.filter(|name| name.len() == 10).filter_map(|name| name.parse().ok()).collect();
    let objects: Result<Vec<Key>, LedgerError> =
        numbers.into_iter().map(|number| segment_key(folder.as_str(), number)).collect();
    let mut segments = futures::stream::iter(objects?)
        .map(|key| async move {
            match ctx.store.get(&key).await {
                Ok(bytes) => Ok::<_, LedgerError>((key, bytes)),
                Err(StoreError::NotFound { .. }) => Err(LedgerError::Missing { key }),
                Err(other) => Err(LedgerError::Store(other)),
            }
        })
        .buffered(READ_AHEAD);
    let mut mentions: BTreeMap<String, Vec<Mention>> = BTreeMap::new();
    let mut run = String::new();
    while let Some(read) = segments.next().await {
        let (key, bytes) = read?;
        let StoredSegment::V1(segment) = decode(&key, &bytes)?;
        if let KindV1::Fence { run: of, .. } = &segment.kind {
            run.clone_from(of);
        }
        let (number, at) = (segment.sequence, segment.written_at);
        let mut say = |key: String, what| {
            if keys.contains(&key) {
                let mention = Mention { segment: number, at, run: run.clone(), what };
                mentions.entry(key).or_default().push(mention);
            }
        };
        for receipt in segment.receipts {
            let note = receipt.note.map(|note| (note.code, note.text));
            let ended = Said::Ended { class: receipt.class, via: receipt.via, id: receipt.dest_id, note };
            say(receipt.key, ended);
        }
        for intent in segment.intents {
            say(intent.key, Said::Announced(intent.op));
        }
    }
    Ok(mentions)
}
