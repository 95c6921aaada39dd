//! `status`: which runs there are, who works on them now, what is done, what comes next. Sends no request.

use std::sync::Arc;

use connectors::connect;
use pipeline::conduct::{self, Next, Step};
use pipeline::context::Context;
use pipeline::deltas::DoneV1;
use pipeline::wave::Wave;
use pipeline::worker;
use serde_json::{Value, json};

use crate::arguments::Common;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::runs::{RunState, Runs, Wanted};
use crate::screen::Screen;
use crate::{lock, project, words};

/// Steps in the order of the flow.
const BEFORE_WAVES: [Step; 6] =
    [Step::Discover, Step::Propose, Step::Prepare, Step::Extract, Step::Transform, Step::Plan];

/// Shows where the run stands.
pub(crate) fn run(screen: &Screen, common: &Common) -> Result<Exit, Failure> {
    super::in_runtime(status(screen, common))
}

async fn status(screen: &Screen, common: &Common) -> Result<Exit, Failure> {
    let config = project::read_config(&common.config).await?;
    let folder = project::folder(&config);
    let lake = config.store.of(&config.migration);
    screen.say(format!("Migration {} in {lake}", config.migration));
    let now = jiff::Timestamp::now();
    if let Some(holder) = lock::holder(&folder, now, &screen.look().zone) {
        screen.say(format!("Now         {holder}"));
    }
    let store = connect::open_store(&config.store).await?;
    let runs = Runs { store: &*store, migration: &config.migration };
    let all = runs.list().await?;
    for run in &all {
        let state = runs.state(run).await?;
        screen.say(format!(
            "Run {run}  {}",
            if state == RunState::Finished { "finished" } else { "unfinished" }
        ));
    }
    if all.is_empty() {
        screen.event(json!({ "type": "status", "migration": config.migration, "runs": [] }));
        screen.next("deskferry discover", "no run has begun");
        return Ok(Exit::Done);
    }
    let today = now.to_zoned(screen.look().zone.clone()).date();
    let chosen = runs.choose(common.run.as_deref(), Wanted::UnfinishedOrNewest, today).await?;
    let context = project::look(screen, &config, chosen.run.clone(), Arc::clone(&store))?;
    let shown = worker::look(&context).await?;
    let rollback = pipeline::rollback::of_this_run(&context).await?;
    let next = conduct::next(&shown);
    tell_steps(screen, &shown, next);
    if let Some(rollback) = &rollback {
        let since = words::moment(rollback.since, &screen.look().zone);
        let (number, phase) = (rollback.plan.number, rollback.phase.as_str());
        screen.say(format!("Rollback {number} of run {}: {phase} since {since}", rollback.plan.run));
    }
    let delta = tell_deltas(screen, &context).await?;
    let names = |steps: &[Step]| steps.iter().map(ToString::to_string).collect::<Vec<_>>();
    screen.event(json!({
        "type": "status",
        "migration": config.migration,
        "runs": all.iter().map(snapshot::RunId::as_str).collect::<Vec<_>>(),
        "run": chosen.run.as_str(),
        "is_confirmed": shown.is_confirmed,
        "done": names(&shown.done),
        "rollback": rollback.as_ref().map(|rollback| json!({
            "number": rollback.plan.number,
            "run": rollback.plan.run,
            "phase": rollback.phase.as_str(),
        })),
        "delta": delta,
        "next": match next {
            Next::Run(step) => step.to_string(),
            Next::Confirmation => "confirm".to_owned(),
            Next::Decision(wave) => format!("decision/{wave}"),
            Next::Nothing => "nothing".to_owned(),
        },
    }));
    let (command, why) = super::steps::next_command(&lake, next);
    screen.next(&command, why);
    Ok(Exit::Done)
}

/// The last delta that came to its end, and one that did not; the former as an event tells it.
async fn tell_deltas(screen: &Screen, context: &Context) -> Result<Option<Value>, Failure> {
    let deltas = pipeline::delta::all(context).await?;
    let last = deltas.iter().rfind(|delta| delta.done.is_some());
    let done = last.and_then(|delta| delta.done.as_ref());
    if let Some(done) = done {
        let zone = &screen.look().zone;
        let (at, read) = (words::moment(done.at, zone), words::moment(done.read_from, zone));
        screen.say(format!("Delta {}  done {at}, LeadDesk as of {read}; {}", done.number, told(done)));
    }
    if let Some(open) = deltas.iter().find(|delta| delta.done.is_none()) {
        screen.say(format!("Delta {}  begun and not at its end; deskferry delta goes on", open.begun.number));
    }
    Ok(done.map(|done| {
        json!({
            "number": done.number,
            "at": done.at,
            "read_from": done.read_from,
            "is_unchanged": done.is_unchanged,
            "objects": done.objects,
            "reasons": done.reasons,
        })
    }))
}

/// What a delta came to, in a few words.
fn told(done: &DoneV1) -> String {
    let counts = ["created", "updated", "appended", "conflict", "kept", "refused"].map(|outcome| {
        let count = done.count(outcome);
        (count > 0).then(|| format!("{outcome} {}", words::count(count)))
    });
    let shown: Vec<String> = counts.into_iter().flatten().collect();
    if shown.is_empty() { "nothing changed".to_owned() } else { shown.join(", ") }
}

/// One line per step: done, next or still to come.
fn tell_steps(screen: &Screen, shown: &conduct::Shown, next: Next) {
    for step in flow() {
        let is_next = next == Next::Run(step);
        let mark = if shown.done.contains(&step) || is_passed(shown, step) {
            "done"
        } else if is_next {
            "next"
        } else {
            "-"
        };
        screen.say(format!("  {:<21} {mark}", step.to_string()));
        if step == Step::Propose {
            screen.say(format!(
                "  {:<21} {}",
                "confirm",
                if shown.is_confirmed {
                    "done"
                } else if next == Next::Confirmation {
                    "next"
                } else {
                    "-"
                }
            ));
        }
    }
}

fn flow() -> impl Iterator<Item = Step> {
    let waves = Wave::ALL.into_iter().flat_map(|wave| [Step::Load(wave), Step::Reconcile(wave)]);
    BEFORE_WAVES.into_iter().chain(waves).chain([Step::Finish, Step::Report, Step::Handoff])
}

fn is_passed(shown: &conduct::Shown, step: Step) -> bool {
    matches!(step, Step::Reconcile(wave) if shown.gates[conduct::place(wave)] == conduct::Gate::Passed)
}
