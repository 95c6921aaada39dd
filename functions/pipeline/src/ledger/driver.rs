//! Carries writes out: announce, send, classify, settle. One engine for everything that changes Gorgias.
//!
//! The next group is announced while the requests of the group before are still on their way, so that the rate
//! limit and not the store decides the pace. Every outcome has one of three meanings: applied, not applied, in doubt;
//! what is in doubt is looked up, at once and again when it can no longer take effect, before it is announced again.
//!
//! Deliberately absent: pacing (the connection does it) and what a write is for (see [`Work`]).

mod breaker;
mod doubts;
mod engine;
mod job;
mod listed;
mod probes;
mod watch;
mod withdraw;

pub use listed::{Listed, plain, uploaded};

use async_trait::async_trait;
use migration::gorgias::UserId;
use migration::ledger::{ReceiptClass, Via, WriteKey};

use super::request::{Holder, Request};
use super::stored::NoteV1;
use super::{Ledger, LedgerError};
use crate::context::Context;
use crate::ports::gorgias::Attachment;
use crate::progress::Event;

use engine::Engine;

/// Cause of a failure inside a [`Work`].
pub type WorkFailure = Box<dyn std::error::Error + Send + Sync>;

/// One write to do.
#[derive(Debug, Clone, PartialEq)]
pub struct Action {
    /// Name in the ledger.
    pub key: WriteKey,
    /// The write.
    pub request: Request,
    /// Keyed digest of the wish behind it; the request's own when absent.
    pub wish: Option<String>,
    attempts: u32,
}

impl Action {
    /// A write.
    #[must_use]
    pub fn new(key: WriteKey, request: Request) -> Self {
        Self { key, request, wish: None, attempts: 0 }
    }
}

/// How a write ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// It took effect.
    Done {
        /// Id of the record.
        id: u64,
        /// Answer or look-up.
        via: Via,
        /// For tickets that were looked up: external ids of the messages that arrived.
        arrived: Option<Vec<String>>,
    },
    /// A file lies at Gorgias.
    Uploaded(Attachment),
    /// Nothing was applied: others hold an identifier of the customer to create. Nobody, if the look-up found none.
    Held(Vec<Holder>),
    /// Nothing was applied: the identifier is taken.
    Taken,
    /// Nothing was applied, and never will be.
    Refused {
        /// HTTP status.
        status: u16,
        /// Gorgias' words without values.
        message: String,
    },
    /// The record to change is gone.
    Gone,
    /// Still not known after many tries.
    Unsettled,
}

/// What follows from an outcome.
#[derive(Debug, Clone, PartialEq)]
pub enum Reaction {
    /// The write is over.
    Record {
        /// Id at Gorgias, if there is a record.
        dest_id: Option<u64>,
        /// How it ended.
        class: ReceiptClass,
        /// How we know.
        via: Via,
        /// Why it did not go as wished.
        note: Option<NoteV1>,
        /// Writes that could not be named before.
        follow: Vec<Action>,
    },
    /// Nothing was applied; this is sent instead, under the same key.
    Instead(Action),
    /// It stays in doubt: the next start looks again.
    Leave,
}

impl Reaction {
    /// Done as wished.
    #[must_use]
    pub fn done(id: u64, class: ReceiptClass, via: Via) -> Self {
        Self::Record { dest_id: Some(id), class, via, note: None, follow: Vec::new() }
    }

    /// Given up, with a reason.
    #[must_use]
    pub fn refused(code: &str, text: impl Into<String>) -> Self {
        let note = Some(NoteV1 { code: code.to_owned(), text: text.into() });
        Self::Record {
            dest_id: None,
            class: ReceiptClass::Refused,
            via: Via::Answer,
            note,
            follow: Vec::new(),
        }
    }
}

/// Where writes come from and what their outcomes mean.
#[async_trait]
pub trait Work: Send {
    /// The next write, in order; `None` at the end. Writes that have a receipt are not given.
    ///
    /// # Errors
    /// Whatever keeps the source of writes from being read.
    fn next(&mut self, ledger: &Ledger) -> Result<Option<Action>, WorkFailure>;

    /// What follows from an outcome.
    ///
    /// # Errors
    /// Only for outcomes that make it impossible to go on.
    async fn settle(
        &mut self,
        action: &Action,
        outcome: Outcome,
        ledger: &Ledger,
    ) -> Result<Reaction, WorkFailure>;

    /// Whether a write that was in doubt and did not take effect is sent again.
    fn is_wanted(&mut self, _action: &Action) -> bool {
        true
    }

    /// The user that we write as, where every so many writes somebody looks whether a message has left Gorgias.
    fn watched_for(&self) -> Option<UserId> {
        None
    }
}

/// Name of what is driven, for progress.
#[derive(Debug, Clone)]
pub struct Part {
    /// Step.
    pub step: &'static str,
    /// Part of the step.
    pub name: String,
    /// Writes to do, when known.
    pub total: Option<u64>,
}

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// Writes with an effect.
    pub done: u64,
    /// Writes without.
    pub failed: u64,
    /// Outcomes learnt by a look-up.
    pub looked_up: u64,
    /// Writes announced more than once.
    pub repeated: u64,
    /// Writes that stay in doubt.
    pub left: u64,
    /// Fresh records that were looked up to see how long Gorgias takes to show them.
    pub probes: u64,
    /// Writes repeated on a look-up that may have come too early; the look for duplicates decides.
    pub suspects: u64,
    /// Records of ours withdrawn because another owner had written them too.
    pub withdrawn: u64,
}

/// Why driving stopped. Everything that was learnt before is in the ledger.
#[derive(Debug, thiserror::Error)]
pub enum DriveError {
    /// The ledger cannot go on.
    #[error("the ledger stopped the step")]
    Ledger(#[source] LedgerError),
    /// The source of writes failed.
    #[error("cannot prepare the next write")]
    Work(#[source] WorkFailure),
    /// Credentials or permission.
    #[error("Gorgias refused the credentials or the permission for {request}")]
    Credentials {
        /// Route.
        request: String,
    },
    /// Too many records were refused; something common is wrong.
    #[error("stopped after {refused} refused records; most often {code}: {text}")]
    Breaker {
        /// Refused so far.
        refused: u64,
        /// Commonest reason.
        code: String,
        /// Its words.
        text: String,
    },
    /// Somebody asked to stop. Every answer is in the ledger.
    #[error("stopped between two writes, as was asked")]
    Stopped,
    /// A message went out to a customer.
    #[error(
        "message {message} of ticket {ticket} went out to a customer, written by nobody; nothing more is written"
    )]
    Outgoing {
        /// Ticket of ours.
        ticket: u64,
        /// The message.
        message: u64,
    },
    /// The destination cannot be reached.
    #[error("Gorgias cannot be reached for {request}")]
    Unreachable {
        /// Route.
        request: String,
    },
}

impl DriveError {
    /// The same call later may succeed without anyone changing anything.
    #[must_use]
    pub fn is_resumable(&self) -> bool {
        matches!(self, Self::Stopped | Self::Unreachable { .. } | Self::Ledger(LedgerError::Store(_)))
    }
}

/// Does all of `work`; returns when every write has an outcome in the ledger.
///
/// # Errors
/// [`DriveError`]; outcomes learnt before are stored.
pub async fn drive(
    ctx: &Context,
    ledger: &mut Ledger,
    work: &mut dyn Work,
    part: &Part,
) -> Result<Tally, DriveError> {
    let started = Event::StepStarted { step: part.step, part: part.name.clone(), total: part.total };
    ctx.progress.emit(ctx.clock.now(), started);
    let _writing = ctx.stop.writing();
    let mut engine = Engine::new(ctx, ledger, work, part);
    let outcome = engine.run().await;
    let tally = engine.tally;
    outcome?;
    let finished = Event::StepFinished {
        step: part.step,
        part: part.name.clone(),
        done: tally.done,
        failed: tally.failed,
    };
    ctx.progress.emit(ctx.clock.now(), finished);
    Ok(tally)
}

/// Reasons why a write did not go as wished. Stable.
pub mod codes {
    /// Gorgias refused the record.
    pub const REFUSED: &str = "LOD101";
    /// Another record holds an identifier of ours.
    pub const CONFLICT: &str = "LOD102";
    /// The parent was not loaded.
    pub const PARENT_NOT_LOADED: &str = "LOD103";
    /// The outcome of the write could not be learnt.
    pub const UNSETTLED: &str = "LOD104";
    /// The record to change was deleted by a person meanwhile.
    pub const GONE: &str = "LOD105";
    /// A ticket was created and some of its messages were not; the text names their positions.
    pub const ARRIVED_IN_PART: &str = "LOD106";
    /// Writes were repeated on a look-up that may have come too early.
    pub const SUSPECT: &str = "LOD107";
    /// Records of ours were withdrawn because another owner had written them too.
    pub const WITHDRAWN: &str = "LOD108";
    /// A file was uploaded; the text is its address.
    pub const UPLOADED: &str = "LOD109";
    /// A file was uploaded once more because an answer was lost; the text is the address that is used.
    pub const UPLOADED_AGAIN: &str = "LOD110";
    /// Gorgias does not take a file; its message goes without.
    pub const UPLOAD_REFUSED: &str = "LOD111";
    /// A person merged the customer into another one; the text is the id that it had.
    pub const MERGED: &str = "LOD112";
    /// A foreign tool's key stands on the record.
    pub const FOREIGN_KEY: &str = "CNF103";
    /// A number was left out because another customer holds it.
    pub const NUMBER_HELD: &str = "CUS105";
}

#[cfg(test)]
mod tests;
