//! `run` where the steps are functions: what a person has to see is done here, then they are woken and watched.
//!
//! Watching changes nothing: a run goes on without it. Deliberately absent: deploying the functions (see `infra`).

use std::time::Duration;

use pipeline::carried;
use pipeline::conduct::{self, Next, Step};
use pipeline::cost;
use pipeline::turns::{self, Action, Turn, TurnEnd, Wake, WakeMessage, Why};
use pipeline::worker::{self, Rest, StepError};
use serde_json::json;

use super::confirm::{self, Approval};
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
    let ctx = &project.context;
    carried::keep_files(ctx).await.map_err(|error| {
        Failure::new(&catalogue::STORE, "cannot take the operator's files along").because_of_source(&error)
    })?;
    let mut seen = turns::history(ctx).await.map_err(StepError::from)?.turns;
    let id = format!("person/{}", ctx.clock.now().as_millisecond());
    let wake = WakeMessage::outgoing(&ctx.migration, ctx.run.as_str(), Wake::Person, &id);
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
            Action::Rest(Why::Done) => return Ok(Rest::Done),
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
        .then("deskferry run")
}
