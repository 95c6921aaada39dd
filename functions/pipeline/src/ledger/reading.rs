//! Reading a ledger: its place, its secret, its newest checkpoint and the segments behind it.

use futures::StreamExt as _;
use migration::canonical::Digest;

use super::book::Book;
use super::key::Secret;
use super::stored::{StoredCheckpoint, StoredKey, StoredSegment};
use super::{
    CHECKPOINT_SEGMENTS, LedgerError, UNFIT_CHECKPOINT, checkpoint_key, decode, encode, put_patiently,
    segment_key,
};
use crate::context::Context;
use crate::ports::store::{Key, StoreError};
use crate::progress::Event;

/// Segments read at the same time.
const READ_AHEAD: usize = 16;

pub(super) async fn folder_of(ctx: &Context) -> Result<(String, String), LedgerError> {
    let account = ctx.destination.account().await.map_err(LedgerError::Account)?;
    let folder = ctx.key(&format!("ledger/{}", account.domain)).map_err(LedgerError::AccountName)?;
    Ok((account.domain, folder.as_str().to_owned()))
}

pub(super) async fn read_or_draw_secret(ctx: &Context, folder: &str) -> Result<Secret, LedgerError> {
    let key = Key::new(format!("{folder}/key")).map_err(LedgerError::AccountName)?;
    let bytes = match ctx.store.get(&key).await {
        Ok(bytes) => bytes,
        Err(StoreError::NotFound { .. }) => {
            let drawn = encode(&StoredKey::V1 { key: Secret::draw().to_hex() })?;
            put_patiently(&*ctx.store, &*ctx.clock, &key, &drawn).await.map_err(LedgerError::Store)?;
            // Another start may have drawn at the same moment: what stands in the store counts.
            ctx.store.get(&key).await.map_err(LedgerError::Store)?
        }
        Err(other) => return Err(LedgerError::Store(other)),
    };
    let StoredKey::V1 { key: text } = decode(&key, &bytes)?;
    Secret::from_hex(&text).ok_or(LedgerError::Secret { key })
}

/// Reads the newest checkpoint and all later segments.
pub(super) async fn read_book(ctx: &Context, folder: &str) -> Result<Book, LedgerError> {
    let prefix = Key::new(folder.to_owned()).map_err(LedgerError::AccountName)?;
    let keys = ctx.store.list(&prefix).await.map_err(LedgerError::Store)?;
    let numbered = |start: &str| -> Vec<u64> {
        let names = keys.iter().filter_map(|key| key.as_str().strip_prefix(start));
        names.filter(|name| name.len() == 10).filter_map(|name| name.parse().ok()).collect()
    };
    let end = numbered(&format!("{folder}/")).last().map_or(0, |last| last + 1);
    // A checkpoint only spares reading: one that does not fit is passed over, and the segments decide.
    let mut book = Book::default();
    for next in numbered(&format!("{folder}/ckpt/")).into_iter().rev() {
        match read_checkpoint(ctx, folder, next).await {
            Ok(covered) => {
                book = covered;
                break;
            }
            Err(
                error @ (LedgerError::Unreadable { .. }
                | LedgerError::Nonsense { .. }
                | LedgerError::Checkpoint { .. }),
            ) => {
                tell_unfit(ctx, &error);
            }
            Err(error) => return Err(error),
        }
    }
    read_segments(ctx, folder, &mut book, end).await?;
    Ok(book)
}

fn tell_unfit(ctx: &Context, error: &LedgerError) {
    let text = format!("{error}; the ledger was read from its segments instead");
    ctx.progress.emit(ctx.clock.now(), Event::Finding { code: UNFIT_CHECKPOINT, count: 1, text });
}

/// Takes the segments before `end` in.
async fn read_segments(ctx: &Context, folder: &str, book: &mut Book, end: u64) -> Result<(), LedgerError> {
    let keys: Result<Vec<Key>, _> =
        (book.state().next_sequence()..end).map(|number| segment_key(folder, number)).collect();
    let mut segments = futures::stream::iter(keys?)
        .map(|key| async move {
            match ctx.store.get(&key).await {
                Ok(bytes) => Ok::<_, LedgerError>((key, bytes)),
                Err(StoreError::NotFound { .. }) => Err(LedgerError::Missing { key }),
                Err(other) => Err(LedgerError::Store(other)),
            }
        })
        .buffered(READ_AHEAD);
    while let Some(read) = segments.next().await {
        let (key, bytes) = read?;
        let StoredSegment::V1(segment) = decode(&key, &bytes)?;
        book.apply(&segment, &bytes).map_err(|source| LedgerError::Broken { key, source })?;
    }
    Ok(())
}

/// Reads the checkpoint of the segments before `next`, and holds it against the last of them.
async fn read_checkpoint(ctx: &Context, folder: &str, next: u64) -> Result<Book, LedgerError> {
    let key = checkpoint_key(folder, next)?;
    let bytes = ctx.store.get(&key).await.map_err(LedgerError::Store)?;
    let StoredCheckpoint::V1(stored) = decode(&key, &bytes)?;
    let last = segment_key(folder, next.saturating_sub(1))?;
    let covered = ctx.store.get(&last).await.map_err(LedgerError::Store)?;
    let is_whole = stored.content_sha256 == stored.content_digest();
    if !is_whole || stored.next != next || stored.head_sha256 != Digest::of(&covered).to_hex() {
        return Err(LedgerError::Checkpoint { key });
    }
    Book::from_checkpoint(&stored).map_err(|source| LedgerError::Nonsense { key, source })
}

/// Reads the whole chain from its first segment and compares every checkpoint with it.
///
/// # Errors
/// [`LedgerError`] names the first object that is not what it should be.
pub async fn verify(ctx: &Context) -> Result<Book, LedgerError> {
    let (_, folder) = folder_of(ctx).await?;
    let newest = read_book(ctx, &folder).await?;
    let mut book = Book::default();
    let end = newest.state().next_sequence();
    while book.state().next_sequence() < end {
        let next = (book.state().next_sequence() / CHECKPOINT_SEGMENTS + 1) * CHECKPOINT_SEGMENTS;
        read_segments(ctx, &folder, &mut book, next.min(end)).await?;
        let key = checkpoint_key(&folder, book.state().next_sequence())?;
        match ctx.store.get(&key).await {
            Ok(bytes) => {
                let StoredCheckpoint::V1(stored) = decode(&key, &bytes)?;
                if stored != book.to_checkpoint() {
                    return Err(LedgerError::Checkpoint { key });
                }
            }
            Err(StoreError::NotFound { .. }) => (),
            Err(other) => return Err(LedgerError::Store(other)),
        }
    }
    Ok(book)
}
