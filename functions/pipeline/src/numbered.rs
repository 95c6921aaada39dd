//! Numbered undertakings beside a load: one folder each, and in it one document per phase, written once.
//!
//! Deliberately absent: what the undertakings are; see `rollbacks` and `repairs`.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::ledger::key::draw_nonce;
use crate::ports::store::{InvalidKey, Key, Put};
use crate::run_folder::{self, DocumentError};

/// Document with which a number is taken.
const CLAIM: &str = "begun.json";

/// A number that is taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "version")]
enum StoredClaim {
    #[serde(rename = "1")]
    V1 { at: Timestamp, nonce: String },
}

/// A phase that began or ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "version")]
enum StoredMark {
    #[serde(rename = "1")]
    V1 {
        /// When, by this machine's clock.
        at: Timestamp,
        /// From when on the account's log has to be read again.
        log_from: Timestamp,
    },
}

/// Key of a document of one of them.
pub(crate) fn key(ctx: &Context, folder: &str, number: u32, document: &str) -> Result<Key, InvalidKey> {
    ctx.key(&format!("{folder}/{number:04}/{document}"))
}

/// Takes the next free number. One whose planning did not end stays without a plan.
pub(crate) async fn claim(ctx: &Context, folder: &str, now: Timestamp) -> Result<u32, DocumentError> {
    let mut number = 1;
    // Drawn for every try: a number is free only for who wrote its mark.
    let claim = StoredClaim::V1 { at: now, nonce: draw_nonce() };
    while run_folder::put(ctx, &key(ctx, folder, number, CLAIM)?, &claim).await? == Put::AlreadyThere {
        number += 1;
    }
    Ok(number)
}

/// Marks that a phase began; the first mark stays.
pub(crate) async fn mark(ctx: &Context, key: &Key, log_from: Timestamp) -> Result<(), DocumentError> {
    let mark = StoredMark::V1 { at: ctx.clock.now(), log_from };
    run_folder::put(ctx, key, &mark).await?;
    Ok(())
}

/// When a phase began, and from when on the account's log has to be read again; nothing where it did not.
pub(crate) async fn marked(
    ctx: &Context,
    key: &Key,
) -> Result<Option<(Timestamp, Timestamp)>, DocumentError> {
    let stored = run_folder::get(ctx, key).await?;
    Ok(stored.map(|StoredMark::V1 { at, log_from }| (at, log_from)))
}

/// Marks that a survey began to read; the first mark stays. From when on the account's log has to be read again.
pub(crate) async fn survey_began(
    ctx: &Context,
    reading: &str,
    log_from: Timestamp,
) -> Result<Timestamp, DocumentError> {
    let key = ctx.run_key(&format!("read/{reading}/began.json"))?;
    run_folder::put(ctx, &key, &StoredMark::V1 { at: ctx.clock.now(), log_from }).await?;
    let StoredMark::V1 { log_from, .. } = run_folder::need(ctx, &key).await?;
    Ok(log_from)
}

/// Keys of all plans, in order of their numbers.
pub(crate) async fn plans(ctx: &Context, folder: &str) -> Result<Vec<Key>, DocumentError> {
    let keys = ctx.store.list(&ctx.key(folder)?).await?;
    Ok(keys.into_iter().filter(|key| key.as_str().ends_with("/plan.json")).collect())
}
