//! Long readings of Gorgias, kept in the store while they go on, so that a start goes on where the last one ended.
//!
//! A reading is one list, or one request for each of many records. Its answers are kept chunk by chunk under
//! `runs/<run>/read/<name>/<beginning>-<number>`. A start takes the kept answers first, without a request and one chunk
//! at a time, then asks on from the kept cursor: whoever reads sees the same records in the same order as if nothing had
//! happened. A clean stop keeps the chunk in progress, a kill loses it. A list whose cursor expired is begun anew, and so
//! is a reading that rested for days; chunks of an earlier beginning are not used again.
//!
//! The name says what is read, for what, and which attempt it is. Whoever has to see Gorgias afresh takes another name,
//! derived from what the store shows: how many attempts were kept, and how far the ledger is. Chunks stay when they have
//! served, as everything in the store does.
//!
//! Deliberately absent: lists that are read within seconds (users, teams, tags, fields, rules, integrations).

mod chunk;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use futures::StreamExt as _;
use futures::future::{BoxFuture, Either, select};
use jiff::SignedDuration;
use migration::gorgias::CustomerId;

use crate::context::Context;
use crate::listing::{BEGINNINGS_MAX, Listed, Walk};
use crate::ports::gorgias::{Cursor, Customer, Gorgias, Message, Page, Raw, ReadError, Ticket};
use crate::ports::store::{InvalidKey, Key, Put, StoreError};
use crate::stop::{Stop, Stopped, Writing};

use chunk::{Answer, Chunk};

/// Pages of a list that one chunk holds: ten seconds of reading, lost by a kill, for one object.
const CHUNK_PAGES: usize = 20;
/// Single answers that one chunk holds: two minutes of reading.
const CHUNK_ANSWERS: usize = 250;
/// Bytes of records after which a chunk is full, whatever it holds: replaying takes a few times as much memory.
const CHUNK_BYTES: usize = 8 * 1024 * 1024;
/// A reading that rested longer is begun anew: its halves would show two states of an account that people work in.
const REST_MAX: SignedDuration = SignedDuration::from_hours(3 * 24);

/// Why a reading ended early. What was read before is kept.
#[derive(Debug, thiserror::Error)]
pub enum ReadingError {
    /// A request.
    #[error("a request of the reading failed")]
    Read(#[from] ReadError),
    /// The list has to be begun anew.
    #[error("the position in a list expired")]
    Expired(#[source] ReadError),
    /// The store.
    #[error("cannot keep what was read")]
    Store(#[from] StoreError),
    /// A name that is no key.
    #[error("cannot name what was read")]
    Key(#[from] InvalidKey),
    /// What was kept is not what was written.
    #[error("what was kept in {key} cannot be used: {why}")]
    Damaged {
        /// The chunk.
        key: Key,
        /// What is wrong, without content.
        why: String,
    },
    /// Somebody asked to stop.
    #[error("the reading was stopped and goes on at the next start")]
    Stopped(#[from] Stopped),
}

impl ReadingError {
    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Read(ReadError::Credentials { .. }) => "GOR101",
            Self::Read(_) | Self::Expired(_) => "GOR102",
            Self::Store(_) | Self::Key(_) | Self::Damaged { .. } => "STO101",
            Self::Stopped(_) => Stopped::CODE,
        }
    }
}

/// A record of a long list, kept as the text that it came in.
pub(crate) trait Kept: Listed + Send + Sized {
    /// A page of the account's whole list.
    fn page<'g>(
        gorgias: &'g dyn Gorgias,
        cursor: Option<&'g Cursor>,
    ) -> BoxFuture<'g, Result<Page<Self>, ReadError>>;

    /// Understands the text again.
    fn again(gorgias: &dyn Gorgias, json: &str) -> Result<Raw<Self>, ReadError>;
}

macro_rules! kept {
    ($($record:ty, $page:ident, $again:ident;)+) => {$(
        impl Kept for $record {
            fn page<'g>(
                gorgias: &'g dyn Gorgias,
                cursor: Option<&'g Cursor>,
            ) -> BoxFuture<'g, Result<Page<Self>, ReadError>> {
                gorgias.$page(cursor)
            }

            fn again(gorgias: &dyn Gorgias, json: &str) -> Result<Raw<Self>, ReadError> {
                gorgias.$again(json)
            }
        }
    )+};
}

kept! {
    Customer, customers, customer_from;
    Ticket, tickets, ticket_from;
    Message, messages, message_from;
}

/// How a walk ended.
enum End {
    Whole,
    Expired(ReadError),
}

/// One reading. Counts as writing as long as it lives, since what it has in hand is not kept yet.
pub(crate) struct Reading<'a> {
    ctx: &'a Context,
    /// `read/<name>` in the run's folder.
    folder: String,
    beginning: u32,
    /// Chunks of this beginning in order.
    kept: Vec<Key>,
    /// In progress.
    chunk: Chunk,
    /// Another process keeps the same reading: this one goes on and keeps nothing.
    is_overtaken: bool,
    _writing: Writing,
}

impl<'a> Reading<'a> {
    /// Finds what is kept under this name.
    ///
    /// # Errors
    /// [`ReadingError::Store`], [`ReadingError::Damaged`].
    pub(crate) async fn open(ctx: &'a Context, name: &str) -> Result<Self, ReadingError> {
        let folder = format!("read/{name}");
        let keys = ctx.store.list(&ctx.run_key(&folder)?).await?;
        let beginning = keys.last().and_then(beginning_of).unwrap_or(0);
        let kept = keys.into_iter().filter(|key| beginning_of(key) == Some(beginning)).collect();
        let (chunk, writing) = (Chunk::default(), ctx.stop.writing());
        let mut reading =
            Self { ctx, folder, beginning, kept, chunk, is_overtaken: false, _writing: writing };
        if let Some(last) = reading.kept.last() {
            let began_at = reading.load(last).await?.began_at;
            if began_at.is_some_and(|at| ctx.clock.now().duration_since(at) > REST_MAX) {
                reading.begin_anew();
            }
        }
        Ok(reading)
    }

    /// Forgets what was read, for a list whose cursor expired.
    pub(crate) fn begin_anew(&mut self) {
        self.beginning += 1;
        self.kept.clear();
        self.chunk = Chunk::default();
    }

    /// Walks the account's whole list as [`walk`](crate::listing::walk) does.
    ///
    /// # Errors
    /// Whatever `take` says, and [`ReadingError`]; [`ReadingError::Expired`] asks to begin anew.
    pub(crate) async fn walk<T: Kept, E: From<ReadingError>>(
        &mut self,
        take: impl FnMut(Raw<T>) -> Result<(), E>,
    ) -> Result<(), E> {
        match self.walk_once(take).await? {
            End::Whole => Ok(()),
            End::Expired(error) => Err(ReadingError::Expired(error).into()),
        }
    }

    async fn walk_once<T: Kept, E: From<ReadingError>>(
        &mut self,
        take: impl FnMut(Raw<T>) -> Result<(), E>,
    ) -> Result<End, E> {
        let outcome = self.walk_on(take).await;
        let flushed = self.flush().await;
        let end = outcome?;
        flushed?;
        Ok(end)
    }

    async fn walk_on<T: Kept, E: From<ReadingError>>(
        &mut self,
        mut take: impl FnMut(Raw<T>) -> Result<(), E>,
    ) -> Result<End, E> {
        let mut walk = Walk::default();
        let mut cursor = None;
        for key in self.kept.clone() {
            for answer in self.load(&key).await?.answers {
                for raw in self.records::<T>(&key, &answer)? {
                    walk.meet(raw, &mut take)?;
                }
                cursor = walk.next(answer.next.map(Cursor)).map_err(ReadingError::from)?;
                if cursor.is_none() {
                    return Ok(End::Whole);
                }
            }
        }
        loop {
            let page = match ask(self.ctx, T::page(&*self.ctx.destination, cursor.as_ref())).await {
                Err(ReadingError::Read(error @ ReadError::Refused { .. })) if cursor.is_some() => {
                    return Ok(End::Expired(error));
                }
                page => page?,
            };
            self.keep(Answer::page(&page), CHUNK_PAGES).await?;
            for raw in page.records {
                walk.meet(raw, &mut take)?;
            }
            cursor = walk.next(page.next).map_err(ReadingError::from)?;
            if cursor.is_none() {
                return Ok(End::Whole);
            }
        }
    }

    /// Asks for each of many in their order, several at a time, and shows every answer beside what it was asked for. The
    /// order must be the same at every start. One that is gone has no record in its answer.
    ///
    /// # Errors
    /// Whatever `wanted` and `visit` say, and [`ReadingError`].
    pub(crate) async fn each<'f, W, T: Kept, E: From<ReadingError>>(
        &mut self,
        wanted: impl Iterator<Item = Result<(W, u64), E>>,
        fetch: impl Fn(u64) -> BoxFuture<'f, Result<Vec<Raw<T>>, ReadError>>,
        visit: impl FnMut(W, u64, Vec<Raw<T>>) -> Result<(), E>,
    ) -> Result<(), E> {
        let outcome = self.each_on(wanted, fetch, visit).await;
        let flushed = self.flush().await;
        outcome?;
        Ok(flushed?)
    }

    async fn each_on<'f, W, T: Kept, E: From<ReadingError>>(
        &mut self,
        mut wanted: impl Iterator<Item = Result<(W, u64), E>>,
        fetch: impl Fn(u64) -> BoxFuture<'f, Result<Vec<Raw<T>>, ReadError>>,
        mut visit: impl FnMut(W, u64, Vec<Raw<T>>) -> Result<(), E>,
    ) -> Result<(), E> {
        for key in self.kept.clone() {
            for answer in self.load(&key).await?.answers {
                let (beside, id) = match wanted.next().transpose()? {
                    Some((beside, id)) if answer.id == Some(id) => (beside, id),
                    _ => return Err(damaged(&key, "it answers another question").into()),
                };
                let records = self.records::<T>(&key, &answer)?;
                visit(beside, id, records)?;
            }
        }
        let ctx = self.ctx;
        let reads = wanted.map(|next| {
            let asked = next.map(|(beside, id)| (beside, id, fetch(id)));
            async move {
                let (beside, id, request) = asked?;
                match ask(ctx, request).await {
                    Ok(records) => Ok((beside, id, records)),
                    Err(ReadingError::Read(ReadError::NotFound { .. })) => Ok((beside, id, Vec::new())),
                    Err(error) => Err(E::from(error)),
                }
            }
        });
        let mut reads = futures::stream::iter(reads).buffered(ctx.limits.destination_in_flight.max(1));
        while let Some(read) = reads.next().await {
            let (beside, id, records) = read?;
            self.keep(Answer::single(id, &records), CHUNK_ANSWERS).await?;
            visit(beside, id, records)?;
        }
        Ok(())
    }

    /// Keeps what is in hand. Called again when it was cut off, it keeps the same bytes.
    ///
    /// # Errors
    /// [`ReadingError::Store`].
    pub(crate) async fn flush(&mut self) -> Result<(), ReadingError> {
        if !self.chunk.answers.is_empty() && !self.is_overtaken {
            let name = format!("{}/{:04}-{:06}.ndjson.zst", self.folder, self.beginning, self.kept.len());
            let key = self.ctx.run_key(&name)?;
            let bytes = self.chunk.encode().map_err(|error| damaged(&key, &error.to_string()))?;
            match self.ctx.store.put_new(&key, bytes).await? {
                Put::Created => self.kept.push(key),
                Put::AlreadyThere => self.is_overtaken = true,
            }
        }
        self.chunk = Chunk::default();
        Ok(())
    }

    async fn keep(&mut self, answer: Answer, answers_max: usize) -> Result<(), ReadingError> {
        self.chunk.push(answer, || self.ctx.clock.now());
        if self.chunk.answers.len() >= answers_max || self.chunk.bytes >= CHUNK_BYTES {
            self.flush().await?;
        }
        Ok(())
    }

    async fn load(&self, key: &Key) -> Result<Chunk, ReadingError> {
        if self.ctx.stop.is_requested() {
            return Err(Stopped.into());
        }
        let bytes = self.ctx.store.get(key).await?;
        Chunk::decode(&bytes).map_err(|error| damaged(key, &error.to_string()))
    }

    fn records<T: Kept>(&self, key: &Key, answer: &Answer) -> Result<Vec<Raw<T>>, ReadingError> {
        let again = |json: &String| {
            T::again(&*self.ctx.destination, json).map_err(|error| damaged(key, &error.to_string()))
        };
        answer.records.iter().map(again).collect()
    }
}

fn damaged(key: &Key, why: &str) -> ReadingError {
    ReadingError::Damaged { key: key.clone(), why: why.to_owned() }
}

/// The number in front of the name of a chunk.
fn beginning_of(key: &Key) -> Option<u32> {
    let (_, name) = key.as_str().rsplit_once('/')?;
    name.split_once('-')?.0.parse().ok()
}

async fn ask<T>(ctx: &Context, request: BoxFuture<'_, Result<T, ReadError>>) -> Result<T, ReadingError> {
    ctx.within_hours().await?;
    Ok(ctx.stop.answered(&*ctx.clock, request).await??)
}

/// Asks for a customer with values and channels, which lists do not show.
pub(crate) fn in_full(
    ctx: &Context,
) -> impl Fn(u64) -> BoxFuture<'static, Result<Vec<Raw<Customer>>, ReadError>> + use<> {
    let gorgias = Arc::clone(&ctx.destination);
    move |id| {
        let gorgias = Arc::clone(&gorgias);
        Box::pin(async move { Ok(vec![gorgias.customer(CustomerId(id)).await?]) })
    }
}

/// A whole list, into what `begin` makes; one whose cursor expired is begun anew, with nothing left of the first try.
///
/// # Errors
/// Whatever `begin` and `take` say, and [`ReadingError`].
pub(crate) async fn whole<T: Kept, S, E: From<ReadingError>>(
    ctx: &Context,
    name: &str,
    begin: impl Fn() -> Result<S, E>,
    mut take: impl FnMut(&mut S, Raw<T>) -> Result<(), E>,
) -> Result<S, E> {
    let mut reading = Reading::open(ctx, name).await?;
    let mut beginnings = 1;
    loop {
        let mut made = begin()?;
        match reading.walk_once(|raw| take(&mut made, raw)).await? {
            End::Whole => return Ok(made),
            End::Expired(_) if beginnings < BEGINNINGS_MAX => {
                beginnings += 1;
                reading.begin_anew();
            }
            End::Expired(error) => return Err(ReadingError::Expired(error).into()),
        }
    }
}

/// Both to their ends. When one fails the other is dropped; when somebody asked to stop, it is left to keep what it has.
///
/// # Errors
/// The first of the two.
pub(crate) async fn both<A, B, E>(
    stop: &Stop,
    one: impl Future<Output = Result<A, E>>,
    other: impl Future<Output = Result<B, E>>,
) -> Result<(A, B), E> {
    match select(Box::pin(one), Box::pin(other)).await {
        Either::Left((Ok(a), other)) => Ok((a, other.await?)),
        Either::Right((Ok(b), one)) => Ok((one.await?, b)),
        Either::Left((Err(error), other)) => {
            if stop.is_requested() {
                other.await.ok();
            }
            Err(error)
        }
        Either::Right((Err(error), one)) => {
            if stop.is_requested() {
                one.await.ok();
            }
            Err(error)
        }
    }
}
