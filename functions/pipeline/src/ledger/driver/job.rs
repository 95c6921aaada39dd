//! One conversation with Gorgias about one write: send it or look for it, and say what that means.

use std::sync::Arc;

use migration::ledger::Via;

use super::doubts::Doubtful;
use super::probes::Probe;
use super::{Action, Outcome};
use crate::ledger::key::sha256_hex;
use crate::ledger::request::{Request, StoredFile, Trace, holders};
use crate::ledger::timing::Moment;
use crate::ports::gorgias::{Attachment, Gorgias, Message, NewFile, ReadError, WriteError};
use crate::ports::store::{Store, StoreError};

/// A conversation that has ended.
pub(super) enum Ended {
    /// About a write.
    Write(Finished),
    /// About a fresh record, and whether it shows.
    Probe(Probe, bool),
    /// About the newest messages of the account; none when they could not be read.
    Watch(Vec<Message>),
}

/// What a conversation about a write says.
pub(super) struct Finished {
    /// The write.
    pub(super) action: Action,
    /// What is known now.
    pub(super) answer: Answer,
    /// When the conversation began.
    pub(super) started: Moment,
}

/// What a conversation says.
pub(super) enum Answer {
    /// The outcome is known.
    Outcome(Outcome),
    /// Nothing was sent.
    NotSent {
        /// Route.
        request: String,
    },
    /// Credentials or permission.
    Credentials {
        /// Route.
        request: String,
    },
    /// It may have taken effect; what is absent now may still come.
    InDoubt,
    /// A look-up does not show it.
    Absent {
        /// From here on nothing of it takes effect any more.
        still: Moment,
    },
}

/// Sends a write; files come from the store.
pub(super) async fn send(
    gorgias: Arc<dyn Gorgias>,
    store: Arc<dyn Store>,
    action: Action,
    started: Moment,
) -> Ended {
    let sent = match &action.request {
        Request::Upload(file) => upload(&*gorgias, &*store, file).await.map(Outcome::Uploaded),
        request => {
            let done = |id| Outcome::Done { id, via: Via::Answer, arrived: None };
            request.send(&*gorgias).await.map(done)
        }
    };
    let answer = match sent {
        Ok(outcome) => Answer::Outcome(outcome),
        Err(WriteError::Refused { status, message, .. }) => {
            Answer::Outcome(Outcome::Refused { status, message })
        }
        Err(WriteError::Gone { .. }) => Answer::Outcome(Outcome::Gone),
        Err(WriteError::Credentials { request }) => Answer::Credentials { request },
        Err(WriteError::NotSent { request, .. }) => Answer::NotSent { request },
        Err(WriteError::Conflict { request }) => who_holds(&*gorgias, &action.request, request).await,
        Err(WriteError::InDoubt { .. }) => look_at_once(&*gorgias, &action.request).await,
    };
    Ended::Write(Finished { action, answer, started })
}

/// Uploads a file of the store, if it is still the one that is wanted.
async fn upload(
    gorgias: &dyn Gorgias,
    store: &dyn Store,
    file: &StoredFile,
) -> Result<Attachment, WriteError> {
    let request = || "POST /upload".to_owned();
    let body = match store.get(&file.key).await {
        Ok(body) if sha256_hex(&body) == file.sha256 => body,
        Ok(_) | Err(StoreError::NotFound { .. }) => {
            let message = "stopped before sending: the file in the store is gone or another one".to_owned();
            return Err(WriteError::Refused { request: request(), status: 0, message });
        }
        Err(error) => {
            return Err(WriteError::NotSent { request: request(), source: Some(Box::new(error)) });
        }
    };
    let (name, content_type) = (file.name.clone(), file.content_type.clone());
    gorgias.upload(&NewFile { name, content_type, body }).await
}

/// Looks for the effect of a write that may have been sent earlier.
pub(super) async fn look_up(gorgias: Arc<dyn Gorgias>, doubtful: Doubtful, started: Moment) -> Ended {
    let Doubtful { action, still, .. } = doubtful;
    let answer = match action.request.look_up(&*gorgias).await {
        Ok(trace) => found(trace).unwrap_or(Answer::Absent { still }),
        Err(ReadError::Credentials { request }) => Answer::Credentials { request },
        Err(_) => Answer::InDoubt,
    };
    Ended::Write(Finished { action, answer, started })
}

/// Looks whether a fresh record shows. A read that fails has seen nothing.
pub(super) async fn probe(gorgias: Arc<dyn Gorgias>, probe: Probe) -> Ended {
    let is_visible = matches!(probe.request.look_up(&*gorgias).await, Ok(Trace::Found { .. }));
    Ended::Probe(probe, is_visible)
}

/// Reads the newest messages.
pub(super) async fn watch(gorgias: Arc<dyn Gorgias>) -> Ended {
    Ended::Watch(gorgias.newest_messages().await.unwrap_or_default())
}

/// Most answers that get lost belong to writes that took effect: one look saves the long wait.
async fn look_at_once(gorgias: &dyn Gorgias, request: &Request) -> Answer {
    match request.look_up(gorgias).await {
        Ok(trace) => found(trace).unwrap_or(Answer::InDoubt),
        Err(_) => Answer::InDoubt,
    }
}

fn found(trace: Trace) -> Option<Answer> {
    match trace {
        Trace::Found { id, messages } => {
            Some(Answer::Outcome(Outcome::Done { id, via: Via::Lookup, arrived: Some(messages) }))
        }
        Trace::Absent | Trace::Repeatable => None,
    }
}

/// A conflict applied nothing, so a failed look-up is the same as a request that was not sent.
async fn who_holds(gorgias: &dyn Gorgias, wish: &Request, request: String) -> Answer {
    let looked = match wish {
        Request::CreateCustomer(customer) => holders(gorgias, customer).await.map(Outcome::Held),
        Request::CreateTag(_) | Request::CreateField(_) | Request::CreateTeam(_) => {
            wish.look_up(gorgias).await.map(|trace| match trace {
                Trace::Found { id, .. } => Outcome::Done { id, via: Via::Lookup, arrived: None },
                Trace::Absent | Trace::Repeatable => Outcome::Taken,
            })
        }
        _ => Ok(Outcome::Taken),
    };
    match looked {
        Ok(outcome) => Answer::Outcome(outcome),
        Err(ReadError::Credentials { request }) => Answer::Credentials { request },
        Err(_) => Answer::NotSent { request },
    }
}
