//! Looks at what the store shows of a run, and sends the message for what comes next.

use std::sync::Arc;

use pipeline::carried;
use pipeline::conduct::Function;
use pipeline::turns::{self, Action, NEWEST, Wake, WakeMessage};
use pipeline::worker::{self, Message, StepError};
use snapshot::RunId;

use crate::batch::Fate;
use crate::home::{CannotOpen, Home, Opened};
use crate::logs::chain;
use crate::metrics::Counts;

/// Why nothing could be decided or sent. All of it may pass.
#[derive(Debug, thiserror::Error)]
enum CannotConduct {
    #[error("cannot open the run")]
    Open(#[from] CannotOpen),
    #[error("cannot look at the run")]
    Look(#[from] StepError),
    #[error("cannot send the step to its function")]
    Send(#[from] pipeline::ports::queue::QueueError),
}

/// Handles one message.
pub(crate) async fn handle(home: &Home, body: &str, counts: &Arc<Counts>) -> Fate {
    let Ok(WakeMessage::V1 { migration, run, why }) = serde_json::from_str(body) else {
        return put_aside(home, body, counts).await;
    };
    let run = match named(home, &migration, &run).await {
        Ok(Some(run)) => run,
        Ok(None) => {
            tracing::info!(migration, "no run has begun");
            return Fate::Finished;
        }
        Err(()) => return put_aside(home, body, counts).await,
    };
    match decide(home, &migration, &run, why, counts).await {
        Ok(()) => Fate::Finished,
        Err(error) => {
            tracing::error!(migration, run = %run, error = chain(&error), "cannot conduct");
            home.forget();
            Fate::Returned
        }
    }
}

/// Keeps what cannot be read where a person finds it; if that fails too, it comes back.
pub(crate) async fn put_aside(home: &Home, body: &str, counts: &Counts) -> Fate {
    tracing::error!(bytes = body.len(), "a message cannot be read and is put aside");
    counts.add("Quarantined", 1);
    if home.quarantine(body).await { Fate::Finished } else { Fate::Returned }
}

async fn named(home: &Home, migration: &str, run: &str) -> Result<Option<RunId>, ()> {
    if run != NEWEST {
        return run.parse().map(Some).map_err(|_| ());
    }
    carried::newest_run(home.store(), migration).await.map_err(|_| ())
}

async fn decide(
    home: &Home,
    migration: &str,
    run: &RunId,
    why: Wake,
    counts: &Arc<Counts>,
) -> Result<(), CannotConduct> {
    let Opened { ctx, account } = home.open(migration, run, counts.clone()).await?;
    let shown = worker::look(&ctx).await?;
    let history = turns::history(&ctx).await.map_err(StepError::from)?;
    let woken_by = serde_json::to_value(why).unwrap_or_default();
    let woken_by = woken_by.as_str();
    match turns::next(&shown, &history, why) {
        Action::Rest(why) => {
            counts.add("Halted", u64::from(matches!(why, turns::Why::Halted | turns::Why::TooMany)));
            tracing::info!(migration, run = %run, woken_by, ?why, turns = history.turns, "rests");
        }
        Action::Send { step, function, turn } => {
            let message =
                Message::V1 { migration: migration.to_owned(), run: run.to_string(), step: step.to_string() };
            let group = match function {
                Function::Extract | Function::Transform => migration,
                // One at a time per account: one can spend the whole rate limit.
                Function::Load | Function::Reconcile => &account,
            };
            let id = format!("{migration}/{run}/{step}/{turn}");
            home.send(function, group, &id, serde_json::to_string(&message).unwrap_or_default()).await?;
            tracing::info!(migration, run = %run, woken_by, step = %step, turn, "sent");
        }
    }
    Ok(())
}
