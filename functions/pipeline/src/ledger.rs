//! The journal of every write to one destination account: announced before it is sent, receipted after.
//!
//! Owning the next number is owning the right to send, because an object is created once and never replaced. Every
//! start is a recovery: read, verify the chain, append a fence; what was announced without an outcome is in doubt
//! and is looked up before it may be announced again (see [`driver`]).
//!
//! Deliberately absent: the lock that keeps two processes on one machine apart (the command line holds it), and a detector
//! of pauses: every answer is followed by an append, which tells of another owner.

pub mod book;
pub mod driver;
pub mod history;
pub mod key;
pub mod lag;
mod reading;
pub mod request;
pub mod stored;
pub mod timing;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;

use crate::context::Context;
use crate::ports::clock::Clock;
use crate::ports::gorgias::ReadError;
use crate::ports::store::{InvalidKey, Key, Put, Store, StoreError};

use migration::canonical::Digest;
use migration::ledger::{SegmentKind, WriteKey};

use book::{Book, Misfit};
use key::{Secret, draw_nonce};
use lag::LagMeter;
use stored::{IntentV1, KindV1, Nonsense, ReceiptV1, SegmentV1, StoredCheckpoint, StoredSegment};
use timing::{Moment, Timing};

pub use reading::verify;
use reading::{folder_of, read_book, read_or_draw_secret};

/// A checkpoint did not fit its segments and was passed over.
pub const UNFIT_CHECKPOINT: &str = "LED102";
/// Segments between two checkpoints; bounds what a start has to read.
pub const CHECKPOINT_SEGMENTS: u64 = 500;
/// Fences that a start tries before it yields to another owner.
const FENCE_TRIES_MAX: usize = 5;
/// Tries for one object while the store fails.
const STORE_TRIES_MAX: u32 = 6;
/// First pause between two tries; doubles each time.
const STORE_PAUSE: Duration = Duration::from_millis(250);

/// Why the ledger cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// The account at Gorgias could not be asked for its name.
    #[error("cannot read the destination account")]
    Account(#[source] ReadError),
    /// The account's name is no object name.
    #[error("the destination account's name cannot name a ledger")]
    AccountName(#[source] InvalidKey),
    /// The store failed.
    #[error("cannot use the ledger's store")]
    Store(#[source] StoreError),
    /// An object is not what it should be. Nothing is skipped.
    #[error("ledger object {key} cannot be read")]
    Unreadable {
        /// The object.
        key: Key,
        /// What is wrong.
        source: serde_json::Error,
    },
    /// The chain is broken: an object was lost or changed.
    #[error("ledger chain is broken at {key}")]
    Broken {
        /// The object.
        key: Key,
        /// How.
        source: Misfit,
    },
    /// A number is missing in the chain: an object was lost.
    #[error("ledger object {key} is missing, and later ones are there: the ledger is not whole")]
    Missing {
        /// The object.
        key: Key,
    },
    /// A checkpoint says something that no ledger says.
    #[error("ledger checkpoint {key} makes no sense")]
    Nonsense {
        /// The object.
        key: Key,
        /// What.
        source: Nonsense,
    },
    /// A checkpoint does not agree with the segment that it covers last.
    #[error("ledger checkpoint {key} does not fit its segments")]
    Checkpoint {
        /// The object.
        key: Key,
    },
    /// The key object holds no key.
    #[error("ledger key object {key} holds no key")]
    Secret {
        /// The object.
        key: Key,
    },
    /// Someone else has taken the next number: stop sending.
    #[error("another owner writes to this ledger since segment {number}")]
    AnotherOwner {
        /// The number that was taken.
        number: u64,
    },
    /// A segment cannot be written as text; a bug.
    #[error("cannot write a ledger segment")]
    Encode(#[source] serde_json::Error),
}

/// A segment on its way into the store.
pub struct Draft {
    segment: SegmentV1,
    key: Key,
    bytes: Bytes,
    checkpoint: Option<(Key, Bytes)>,
}

impl Draft {
    /// End of the hold of what this segment announces.
    #[must_use]
    pub fn not_after(&self) -> Timestamp {
        self.segment.not_after
    }

    /// Creates the object; waits and tries again while the store fails, because the number stays ours until told
    /// otherwise.
    ///
    /// # Errors
    /// The last failure of the store.
    pub async fn put(&self, store: &dyn Store, clock: &dyn Clock) -> Result<Put, StoreError> {
        let segment = put_patiently(store, clock, &self.key, &self.bytes);
        let checkpoint = async {
            match &self.checkpoint {
                Some((key, bytes)) => put_patiently(store, clock, key, bytes).await.map(|_| ()),
                None => Ok(()),
            }
        };
        let (put, checkpoint) = futures::join!(segment, checkpoint);
        checkpoint?;
        put
    }
}

async fn put_patiently(
    store: &dyn Store,
    clock: &dyn Clock,
    key: &Key,
    bytes: &Bytes,
) -> Result<Put, StoreError> {
    let mut pause = STORE_PAUSE;
    let mut tries = 1;
    loop {
        match store.put_new(key, bytes.clone()).await {
            Err(StoreError::Medium { .. }) if tries < STORE_TRIES_MAX => {
                clock.sleep(pause).await;
                pause *= 2;
                tries += 1;
            }
            answer => return answer,
        }
    }
}

/// What an owner declares when it begins.
#[derive(Debug, Clone, Copy, Default)]
pub struct Opening {
    /// Digest of the load plan, once there is one.
    pub plan: Option<Digest>,
    /// Digest of the baseline, once there is one.
    pub baseline: Option<Digest>,
    /// Number of the attempt to write once more what was refused; 0 for the run itself.
    pub attempt: u32,
}

/// The open ledger of one destination account.
pub struct Ledger {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    folder: String,
    account: String,
    run: String,
    secret: Secret,
    timing: Timing,
    lag: LagMeter,
    book: Book,
    /// Number of our fence.
    fence: u64,
    /// When it stood.
    opened: Moment,
    checkpoint: Option<(Key, Bytes)>,
}

impl Ledger {
    /// Reads the ledger of the account that the context's destination belongs to, verifies it and fences it.
    ///
    /// # Errors
    /// [`LedgerError`]; a broken chain is never repaired here.
    pub async fn open(ctx: &Context, opening: &Opening) -> Result<Self, LedgerError> {
        let (account, folder) = folder_of(ctx).await?;
        let secret = read_or_draw_secret(ctx, &folder).await?;
        let book = read_book(ctx, &folder).await?;
        let mut ledger = Self {
            store: Arc::clone(&ctx.store),
            clock: Arc::clone(&ctx.clock),
            folder,
            account,
            run: match opening.attempt {
                0 => ctx.run.to_string(),
                attempt => format!("{}+{attempt}", ctx.run),
            },
            secret,
            timing: ctx.limits.ledger,
            lag: LagMeter::new(ctx.limits.ledger.visibility),
            book,
            fence: 0,
            opened: Moment::now(&*ctx.clock),
            checkpoint: None,
        };
        ledger.fence(ctx, opening).await?;
        ledger.opened = Moment::now(&*ctx.clock);
        Ok(ledger)
    }

    /// Reads the ledger without taking it over; nothing can be announced. For reports.
    ///
    /// # Errors
    /// As [`Ledger::open`].
    pub async fn read(ctx: &Context) -> Result<(Book, Secret), LedgerError> {
        let (_, folder) = folder_of(ctx).await?;
        let secret = read_or_draw_secret(ctx, &folder).await?;
        Ok((read_book(ctx, &folder).await?, secret))
    }

    /// As [`Ledger::read`] where the account's name is known already: saves the request that asks for it.
    ///
    /// # Errors
    /// As [`Ledger::open`].
    pub async fn read_of(ctx: &Context, account: &str) -> Result<(Book, Secret), LedgerError> {
        let folder = ctx.key(&format!("ledger/{account}")).map_err(LedgerError::AccountName)?;
        let secret = read_or_draw_secret(ctx, folder.as_str()).await?;
        Ok((read_book(ctx, folder.as_str()).await?, secret))
    }

    /// When the first segment of the account's log was written; `None` while there is none.
    ///
    /// # Errors
    /// [`LedgerError`] when it cannot be read.
    pub async fn began(ctx: &Context, account: &str) -> Result<Option<Timestamp>, LedgerError> {
        let folder = ctx.key(&format!("ledger/{account}")).map_err(LedgerError::AccountName)?;
        let key = segment_key(folder.as_str(), 0)?;
        match ctx.store.get(&key).await {
            Ok(bytes) => {
                let StoredSegment::V1(segment) = decode(&key, &bytes)?;
                Ok(Some(segment.written_at))
            }
            Err(StoreError::NotFound { .. }) => Ok(None),
            Err(error) => Err(LedgerError::Store(error)),
        }
    }

    async fn fence(&mut self, ctx: &Context, opening: &Opening) -> Result<(), LedgerError> {
        let kind = KindV1::Fence {
            run: self.run.clone(),
            plan: opening.plan.map(Digest::to_hex),
            baseline: opening.baseline.map(Digest::to_hex),
        };
        for _ in 0..FENCE_TRIES_MAX {
            let draft = self.draft(kind.clone(), Vec::new(), Vec::new())?;
            let put = draft.put(&*self.store, &*self.clock).await.map_err(LedgerError::Store)?;
            if put == Put::Created {
                self.fence = draft.segment.sequence;
                return self.commit(draft, put);
            }
            self.book = read_book(ctx, &self.folder).await?;
        }
        Err(LedgerError::AnotherOwner { number: self.book.state().next_sequence() })
    }

    /// Subdomain of the account.
    #[must_use]
    pub fn account(&self) -> &str {
        &self.account
    }

    /// Secret of the keyed hashes.
    #[must_use]
    pub fn secret(&self) -> &Secret {
        &self.secret
    }

    /// Time rules.
    #[must_use]
    pub fn timing(&self) -> &Timing {
        &self.timing
    }

    /// The run that writes.
    #[must_use]
    pub fn run(&self) -> &str {
        &self.run
    }

    /// Everything that is known.
    #[must_use]
    pub fn book(&self) -> &Book {
        &self.book
    }

    /// How long Gorgias takes to show what was written.
    #[must_use]
    pub fn lag(&self) -> &LagMeter {
        &self.lag
    }

    pub(crate) fn lag_mut(&mut self) -> &mut LagMeter {
        &mut self.lag
    }

    /// Where its objects stand.
    pub(crate) fn folder(&self) -> &str {
        &self.folder
    }

    /// What the log holds now, for an owner that has lost it.
    pub(crate) async fn reread(&self, ctx: &Context) -> Result<Book, LedgerError> {
        read_book(ctx, &self.folder).await
    }

    /// From when on nothing of a write in doubt can take effect any more; `now` and `wall` are the same instant.
    #[must_use]
    pub fn still_of(&self, key: &WriteKey, now: Moment, wall: Timestamp) -> Moment {
        let written = self.book.written(key);
        let Some(not_after) = written.and_then(|written| written.not_after) else { return now };
        let is_inherited =
            written.and_then(|written| written.announced_in).is_some_and(|number| number < self.fence);
        if is_inherited {
            self.timing.still_after_takeover(not_after, self.opened, now, wall)
        } else {
            // Ours, of an earlier part of this step: all of its requests have ended.
            now.after(self.timing.request_life)
        }
    }

    /// Nothing more has to be done for this write in this run: it took effect, or was refused.
    #[must_use]
    pub fn is_over(&self, key: &WriteKey) -> bool {
        let in_doubt = self.book.doubt(key).is_some();
        !in_doubt && (self.book.destination(key).is_some() || self.book.is_refused_in(key, &self.run))
    }

    /// Prepares the next work segment. Only one draft may be on its way at a time.
    ///
    /// # Errors
    /// [`LedgerError::Encode`].
    pub fn draft_work(
        &mut self,
        intents: Vec<IntentV1>,
        receipts: Vec<ReceiptV1>,
    ) -> Result<Draft, LedgerError> {
        self.draft(KindV1::Work, intents, receipts)
    }

    fn draft(
        &mut self,
        kind: KindV1,
        intents: Vec<IntentV1>,
        receipts: Vec<ReceiptV1>,
    ) -> Result<Draft, LedgerError> {
        let now = self.clock.now();
        let state = self.book.state();
        let sequence = state.next_sequence();
        let segment = SegmentV1 {
            sequence,
            prev_sha256: state.head().to_hex(),
            nonce: draw_nonce(),
            epoch: state.epoch() + u64::from(matches!(kind, KindV1::Fence { .. })),
            kind,
            written_at: now,
            not_after: if intents.is_empty() { now } else { self.timing.not_after(now) },
            intents,
            receipts,
        };
        let stored = StoredSegment::V1(segment);
        let bytes = encode(&stored)?;
        let StoredSegment::V1(segment) = stored;
        Ok(Draft {
            key: segment_key(&self.folder, sequence)?,
            segment,
            bytes,
            checkpoint: self.checkpoint.take(),
        })
    }

    /// Takes a stored draft into account. From here on its intents may be sent.
    ///
    /// # Errors
    /// [`LedgerError::AnotherOwner`] when the number was taken by someone else.
    pub fn commit(&mut self, draft: Draft, put: Put) -> Result<(), LedgerError> {
        if put == Put::AlreadyThere {
            return Err(LedgerError::AnotherOwner { number: draft.segment.sequence });
        }
        let key = draft.key;
        self.book
            .apply(&draft.segment, &draft.bytes)
            .map_err(|source| LedgerError::Broken { key, source })?;
        let next = self.book.state().next_sequence();
        if next.is_multiple_of(CHECKPOINT_SEGMENTS) {
            let bytes = encode(&StoredCheckpoint::V1(self.book.to_checkpoint()))?;
            self.checkpoint = Some((checkpoint_key(&self.folder, next)?, bytes));
        }
        Ok(())
    }

    /// Announces writes and stores outcomes in one segment, and waits for it.
    ///
    /// # Errors
    /// [`LedgerError::AnotherOwner`] and failures of the store.
    pub async fn announce(
        &mut self,
        intents: Vec<IntentV1>,
        receipts: Vec<ReceiptV1>,
    ) -> Result<Timestamp, LedgerError> {
        let draft = self.draft_work(intents, receipts)?;
        let put = draft.put(&*self.store, &*self.clock).await.map_err(LedgerError::Store)?;
        let not_after = draft.not_after();
        self.commit(draft, put)?;
        Ok(not_after)
    }

    /// Ends this ownership. While something is in doubt the ledger stays open: the next start settles it.
    ///
    /// # Errors
    /// As [`Ledger::announce`].
    pub async fn close(mut self) -> Result<(), LedgerError> {
        if self.book.state().doubt_count() > 0 {
            return Ok(());
        }
        let SegmentKind::Close { keys, key_set } = self.book.state().closing() else { return Ok(()) };
        let draft = self.draft(KindV1::Close { keys, key_set: key_set.to_hex() }, Vec::new(), Vec::new())?;
        let put = draft.put(&*self.store, &*self.clock).await.map_err(LedgerError::Store)?;
        self.commit(draft, put)
    }
}

fn encode<T: serde::Serialize>(stored: &T) -> Result<Bytes, LedgerError> {
    serde_json::to_vec(stored).map(Bytes::from).map_err(LedgerError::Encode)
}

fn decode<T: serde::de::DeserializeOwned>(key: &Key, bytes: &[u8]) -> Result<T, LedgerError> {
    serde_json::from_slice(bytes).map_err(|source| LedgerError::Unreadable { key: key.clone(), source })
}

fn segment_key(folder: &str, number: u64) -> Result<Key, LedgerError> {
    Key::new(format!("{folder}/{number:010}")).map_err(LedgerError::AccountName)
}

fn checkpoint_key(folder: &str, number: u64) -> Result<Key, LedgerError> {
    Key::new(format!("{folder}/ckpt/{number:010}")).map_err(LedgerError::AccountName)
}
