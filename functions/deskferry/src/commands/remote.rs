//! `run` and `delta` where the steps are functions: what a person has to see is done here, then they are woken and watched.
//!
//! Watching changes nothing: a run goes on without it. Deliberately absent: deploying the functions (see `infra`).

use std::time::Duration;

use pipeline::carried::{self, CarryError};
use pipeline::conduct::{self, Next, Step};
use pipeline::cost;
use pipeline::delta::{self, DeltaError};
use pipeline::deltas::Delta;
use pipeline::sample;
use pipeline::turns::{self, Action, Turn, TurnEnd, Wake, WakeMessage, Why};
use pipeline::worker::{self, Rest, StepError};
use serde_json::json;

use super::confirm::{self, Approval};
use super::delta::told;
use super::steps;
use crate::failure::{Failure, catalogue};
use crate::project::Project;
use crate::screen::Screen;
use crate::words;

/// Between two looks; a turn takes longer than this.
const LOOK_EVERY: Duration = Duration::from_secs(3);

/// Works until nothing is left to do without a person.
pub(crate) async fn to_end(
    screen: &Screen,
    project: &Project,
    approval: Option<&Approval<'_>>,
) -> Result<Rest, Failure> {
    begin(screen, project, approval).await?;
    carried::keep_files(&project.context).await.map_err(not_taken)?;
    watched(screen, project, Wake::Person).await
}

/// One delta; one that is open is gone on with. The operator's files go along as they are now.
pub(crate) async fn delta(screen: &Screen, project: &Project) -> Result<Delta, Failure> {
    take_files(screen, project).await?;
    let ctx = &project.context;
    let number = delta::due(ctx).await.map_err(of_delta)?;
    match watched(screen, project, Wake::Delta).await? {
        Rest::Done => {}
        Rest::Confirmation => return Err(steps::not_confirmed()),
        Rest::Decision(wave) => return Err(steps::not_proven(wave)),
    }
    let all = delta::all(ctx).await.map_err(StepError::from)?;
    let delta = all.into_iter().find(|delta| delta.begun.number == number);
    delta.ok_or_else(|| of_delta(DeltaError::NotLoaded))
}

/// Puts the operator's files into the store for the next delta, and says whether they differ from those before.
pub(crate) async fn take_files(screen: &Screen, project: &Project) -> Result<bool, Failure> {
    let ctx = &project.context;
    sample::refuse(ctx, "a delta").await.map_err(StepError::from)?;
    let shown = worker::look(ctx).await?;
    if conduct::next(&shown) != Next::Nothing {
        return Err(of_delta(DeltaError::NotLoaded));
    }
    let are_newer = carried::keep_newer_files(ctx).await.map_err(not_taken)?;
    screen.say(match (are_newer, shown.open_delta()) {
        (false, _) => "Files       as before",
        (true, None) => "Files       changed; the next delta reads them",
        (true, Some(_)) => {
            "Files       changed; the delta under way began with the earlier ones, the next one reads them"
        }
    });
    Ok(are_newer)
}

fn of_delta(error: DeltaError) -> Failure {
    told(error.into())
}

fn not_taken(error: CarryError) -> Failure {
    Failure::new(&catalogue::STORE, "cannot take the operator's files along").because_of_source(&error)
}

/// Wakes the functions, and watches until they rest.
async fn watched(screen: &Screen, project: &Project, why: Wake) -> Result<Rest, Failure> {
    let ctx = &project.context;
    let mut seen = turns::history(ctx).await.map_err(StepError::from)?.turns;
    let id = format!("person/{}", ctx.clock.now().as_millisecond());
    let wake = WakeMessage::outgoing(&ctx.migration, ctx.run.as_str(), why, &id);
    project.queue.send(wake).await.map_err(StepError::from)?;
    screen.say("Woken       the functions work on it; watching (to stop watching changes nothing)");
    let mut is_woken = true;
    loop {
        let history = turns::history(ctx).await.map_err(StepError::from)?;
        if history.turns > seen {
            let new = history.turns - seen;
            for turn in &history.recent[history.recent.len().saturating_sub(new)..] {
                tell(screen, turn);
            }
            seen = history.turns;
            is_woken = false;
        }
        let shown = worker::look(ctx).await?;
        match turns::next(&shown, &history, Wake::Completion) {
            // Where a delta was asked for, an end before its first turn is that of the run.
            Action::Rest(Why::Done) if !(is_woken && why == Wake::Delta) => return Ok(Rest::Done),
            // Before the first turn after the call this is the state that the person has just mended.
            Action::Rest(_) if is_woken => {}
            Action::Rest(Why::Decision(wave)) => {
                screen.fail(&steps::not_proven(wave));
                return Ok(Rest::Decision(wave));
            }
            Action::Rest(Why::Confirmation) => return Ok(Rest::Confirmation),
            Action::Rest(why) => return Err(halted(history.recent.last(), why)),
            Action::Send { .. } => {}
        }
        ctx.clock.sleep(LOOK_EVERY).await;
    }
}

/// What the run has cost so far.
pub(crate) async fn tell_cost(screen: &Screen, project: &Project) -> Result<(), Failure> {
    let turns = turns::all(&project.context).await.map_err(StepError::from)?;
    let bill = cost::of_turns(&turns);
    let dollars = bill.dollars();
    screen.say(format!("Cost        {dollars:.4} $ of AWS so far (prices of {})", cost::PRICES_OF));
    screen.event(json!({
        "type": "cost",
        "prices_of": cost::PRICES_OF,
        "dollars": dollars,
        "lines": bill.lines,
        "idle_dollars_a_month": cost::IDLE_DOLLARS_A_MONTH,
    }));
    Ok(())
}

/// What a person starts and looks at, on this machine.
async fn begin(screen: &Screen, project: &Project, approval: Option<&Approval<'_>>) -> Result<(), Failure> {
    let ctx = &project.context;
    loop {
        match conduct::next(&worker::look(ctx).await?) {
            Next::Run(step @ (Step::Discover | Step::Propose)) => {
                let report = worker::run_step(ctx, step).await?;
                steps::tell(screen, project, step, &report);
            }
            Next::Confirmation => {
                let Some(approval) = approval else { return Err(steps::not_confirmed()) };
                confirm::approve(screen, project, approval).await?;
            }
            _ => return Ok(()),
        }
    }
}

fn tell(screen: &Screen, turn: &Turn) {
    let seconds = turn.ended_at.duration_since(turn.began_at).as_secs_f64().max(0.0);
    let how = match turn.end {
        TurnEnd::Done => "done",
        TurnEnd::Unfinished => "goes on",
        TurnEnd::Failed => "failed, and is tried again",
        TurnEnd::Halted => "halted",
    };
    let code = turn.code.as_deref().map(|code| format!(" ({code})")).unwrap_or_default();
    screen.say(format!("{:<21} {how}{code}, {}", turn.step, words::duration(seconds)));
    screen.event(json!({
        "type": "turn",
        "step": turn.step,
        "end": turn.end,
        "code": turn.code,
        "began_at": turn.began_at,
        "ended_at": turn.ended_at,
        "used": turn.used,
    }));
}

/// Codes of an approval that does not hold.
fn is_stale(code: &str) -> bool {
    code == "APR101" || code == "APR102"
}

fn halted(last: Option<&Turn>, why: Why) -> Failure {
    let failure = match why {
        Why::TooMany => Failure::new(&catalogue::STOPPED, "the run has had more turns than any run needs"),
        _ if last.and_then(|turn| turn.code.as_deref()).is_some_and(is_stale) => {
            Failure::new(&catalogue::STALE, "the approval of the mapping does not hold any more")
        }
        _ => Failure::new(&catalogue::STOPPED, "the run waits for a person"),
    };
    let Some(turn) = last else { return failure };
    let code = turn.code.as_deref().unwrap_or("no code");
    let text = turn.text.as_deref().unwrap_or("no reason was stored");
    failure
        .with_why(format!("{} ended with {code}: {text}", turn.step))
        .fix("mend what it names, then run again")
        .then(if turn.step.starts_with(delta::STEP) { "deskferry delta" } else { "deskferry run" })
}
