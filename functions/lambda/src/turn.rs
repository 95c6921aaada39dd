//! One turn: as much of a step as fits into the time of the function, its record, and the word to `conduct`.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use connectors::aws::Spent;
use pipeline::carried::{self, CarryError};
use pipeline::conduct::{DeltaPart, Function, Step};
use pipeline::context::Context;
use pipeline::ports::queue::Queue as _;
use pipeline::step::StepReport;
use pipeline::stop::{self, Ended};
use pipeline::turns::{self, Turn, TurnEnd, Wake, WakeMessage};
use pipeline::worker::{self, Message, StepError};
use snapshot::{Pass, RunId};
use tokio::time::Instant;

use crate::batch::{Delivered, Fate};
use crate::conductor::put_aside;
use crate::home::{Home, Opened, scratch};
use crate::logs::chain;
use crate::metrics::Counts;
use crate::settings::STOP_MARGIN_SECONDS;

/// Left of the margin for the record of the turn and the word to `conduct`.
const AFTERWARDS: Duration = Duration::from_secs(10);
/// Code of a message that went out to a customer.
const OUTGOING: &str = "LOD005";

/// Handles one message.
pub(crate) async fn handle(
    home: &Home,
    function: Function,
    message: &Delivered,
    stop_at: Instant,
    counts: &Arc<Counts>,
) -> Fate {
    let Some((migration, run, step)) = understood(&message.body, function) else {
        return put_aside(home, &message.body, counts).await;
    };
    let opened = match home.open(&migration, &run, counts.clone()).await {
        Ok(opened) => opened,
        Err(error) => {
            tracing::error!(migration, run = %run, error = chain(&error), "cannot open");
            return later(home, message).await;
        }
    };
    tracing::info!(migration, run = %run, step = %step, receive_count = message.receive_count, "turn begins");
    let turn = take(home, &opened, step, stop_at, counts).await;
    // Spills hold personal data, and the space is short.
    let _ = tokio::fs::remove_dir_all(scratch().join("spill")).await;
    let end = turn.end;
    tracing::info!(migration, run = %run, step = %step, ?end, code = turn.code, text = turn.text, "turn ends");
    if end != TurnEnd::Done && end != TurnEnd::Unfinished {
        home.forget();
    }
    match told(home, &opened.ctx, &migration, &run, &turn).await {
        Ok(()) if end == TurnEnd::Failed => later(home, message).await,
        Ok(()) => Fate::Finished,
        Err(error) => {
            tracing::error!(migration, run = %run, error = chain(&*error), "cannot tell how the turn ended");
            later(home, message).await
        }
    }
}

fn understood(body: &str, function: Function) -> Option<(String, RunId, Step)> {
    let Message::V1 { migration, run, step } = serde_json::from_str(body).ok()?;
    let step = Step::from_text(&step).filter(|step| step.function() == Some(function))?;
    Some((migration, run.parse().ok()?, step))
}

/// The message comes back when what failed may have passed, not after the long time that a killed function takes.
async fn later(home: &Home, message: &Delivered) -> Fate {
    if let Err(error) = home.own.extend(&message.receipt, home.retry).await {
        tracing::warn!(error = chain(&error), "the message comes back later than need be");
    }
    Fate::Returned
}

async fn take(home: &Home, opened: &Opened, step: Step, stop_at: Instant, counts: &Counts) -> Turn {
    let ctx = &opened.ctx;
    let began_at = ctx.clock.now();
    let (began, spent, usage) = (Instant::now(), home.meter.read(), ctx.destination.usage());
    let drain = Duration::from_secs(STOP_MARGIN_SECONDS).saturating_sub(AFTERWARDS);
    let work = async {
        if let Some(pass) = reading_of(step) {
            carried::fetch_files(&ctx.reading(pass)).await.map_err(Failure::Carry)?;
        }
        worker::run_step(ctx, step).await.map_err(Failure::Step)
    };
    let (end, code, text) = match stop::until(&ctx.stop, work, tokio::time::sleep_until(stop_at), drain).await
    {
        Ended::Itself(Ok(report)) => {
            tell(&report);
            (TurnEnd::Done, None, None)
        }
        Ended::Asked { is_settled } => {
            let text = (!is_settled).then(|| "some requests are in doubt and will be looked up".to_owned());
            (TurnEnd::Unfinished, None, text)
        }
        Ended::Itself(Err(failure)) => {
            let end = if failure.may_pass() { TurnEnd::Failed } else { TurnEnd::Halted };
            counts.add("OutgoingMessages", u64::from(failure.code() == OUTGOING));
            counts.add("Halted", u64::from(end == TurnEnd::Halted));
            (end, Some(failure.code()), Some(failure.text()))
        }
    };
    let now = ctx.destination.usage();
    let requests = now.requests.values().sum::<u64>() - usage.requests.values().sum::<u64>();
    let throttled = now.throttled - usage.throttled;
    let milliseconds = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    counts.add("Requests", requests);
    counts.add("Responses429", throttled);
    counts.add("TurnMilliseconds", milliseconds);
    if let (Some(window), Some((_, limit))) = (now.windows.last(), now.bucket) {
        counts.add("WindowFill", window.requests * 100 / u64::from(limit.max(1)));
    }
    let mut used = used(home.meter.read().since(spent));
    used.extend([
        ("gorgias_requests".to_owned(), requests),
        ("milliseconds".to_owned(), milliseconds),
        ("memory_megabytes".to_owned(), home.memory_megabytes),
    ]);
    Turn { step: step.to_string(), began_at, ended_at: ctx.clock.now(), end, code, text, used }
}

/// The reading of LeadDesk that a step makes.
fn reading_of(step: Step) -> Option<Pass> {
    match step {
        Step::Extract => Some(Pass::Full),
        Step::Delta(number, DeltaPart::Read) => Some(Pass::Delta(number)),
        _ => None,
    }
}

/// What the step did, in numbers.
fn tell(report: &StepReport) {
    let records = serde_json::to_string(&report.records).unwrap_or_default();
    tracing::info!(step = report.step, was_done = report.was_done, records, "step ends");
}

fn used(spent: Spent) -> BTreeMap<String, u64> {
    let all = serde_json::to_value(spent).unwrap_or_default();
    serde_json::from_value(all).unwrap_or_default()
}

/// Stores the turn and wakes `conduct`, unless the same message comes back anyway.
async fn told(
    home: &Home,
    ctx: &Context,
    migration: &str,
    run: &RunId,
    turn: &Turn,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let number = turns::record(ctx, turn).await?;
    if turn.end != TurnEnd::Failed {
        let id = format!("turn/{number}");
        home.wake(WakeMessage::outgoing(migration, run.as_str(), Wake::Completion, &id)).await?;
    }
    Ok(())
}

/// Why a turn did not come to its end.
#[derive(Debug)]
enum Failure {
    Carry(CarryError),
    Step(StepError),
}

impl Failure {
    fn may_pass(&self) -> bool {
        match self {
            Self::Carry(error) => {
                matches!(error, CarryError::Store(_) | CarryError::Document(_) | CarryError::Begun(_))
            }
            Self::Step(error) => error.may_pass(),
        }
    }

    fn code(&self) -> String {
        match self {
            Self::Carry(_) => "STO101".to_owned(),
            Self::Step(error) => error.code(),
        }
    }

    fn text(&self) -> String {
        match self {
            Self::Carry(error) => chain(error),
            Self::Step(error) => chain(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(body: &str, function: Function, expected: Option<&str>) {
        let found = understood(body, function);
        let told = found.map(|(migration, run, step)| format!("{migration}/{run}/{step}"));
        assert_eq!(told.as_deref(), expected, "{body}");
    }

    #[test]
    fn a_message_that_nobody_can_read_is_told_apart() {
        let body = |step: &str| {
            format!(r#"{{"version":"1","migration":"acme","run":"2026-11-22-a1","step":"{step}"}}"#)
        };
        check(&body("extract"), Function::Extract, Some("acme/2026-11-22-a1/extract"));
        check(&body("load/leads"), Function::Load, Some("acme/2026-11-22-a1/load/leads"));
        check(&body("plan"), Function::Load, Some("acme/2026-11-22-a1/plan"));
        check(&body("delta/3/make"), Function::Transform, Some("acme/2026-11-22-a1/delta/3/make"));
        check(&body("delta/3/make"), Function::Load, None);
        // Another function's step, a step that there is not, one for a person, another form, no JSON at all.
        check(&body("extract"), Function::Load, None);
        check(&body("fly"), Function::Load, None);
        check(&body("discover"), Function::Extract, None);
        check(&body("extract").replace("\"1\"", "\"9\""), Function::Extract, None);
        check(&body("extract").replace("2026-11-22-a1", "../etc"), Function::Extract, None);
        check("no message of ours", Function::Extract, None);
    }
}
