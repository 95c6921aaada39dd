//! `plan --output` and `apply`: what a person read is exactly what is written.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::path::Path;

use migration::load_plan;
use pipeline::conduct::Step;
use pipeline::plan::saved::{PlannedV1, SavedPlanError, SavedPlanV1, StoredSavedPlan};
use pipeline::wave::Wave;
use pipeline::worker;
use serde_json::json;

use super::{agree, run as running, steps};
use crate::arguments::{Apply, Common, Plan};
use crate::clean;
use crate::exit::Exit;
use crate::failure::{Failure, catalogue};
use crate::interrupt;
use crate::project::Project;
use crate::runs::Wanted;
use crate::screen::Screen;
use crate::words;

/// Bytes of a saved plan at most: it holds counts and digests, no records.
const FILE_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// Makes the plan; keeps it in a file, if one is named.
pub(super) fn plan(screen: &Screen, common: &Common, arguments: &Plan) -> Result<Exit, Failure> {
    let Some(path) = &arguments.output else {
        return steps::run(screen, common, steps::Wish::One(Step::Plan));
    };
    super::in_runtime(async {
        let project = Project::open(screen, common, "plan", Wanted::UnfinishedOrNewest).await?;
        let interrupt = interrupt::listen()?;
        project.work(screen, &interrupt, steps::one(screen, &project, Step::Plan)).await?;
        let saved = SavedPlanV1::of(&project.context).await.map_err(told)?;
        tell(screen, &saved);
        tell_start(screen, &project).await?;
        keep(path, &saved)?;
        screen.say(format!("Saved       {}", path.display()));
        screen.event(json!({
            "type": "saved_plan",
            "file": path,
            "plan": saved.plan,
            "has_changes": saved.has_changes,
            "objects": saved.objects,
        }));
        let command = format!("deskferry apply {} --confirm {}", path.display(), clean::line(&saved.account));
        screen.next(&command, "writes exactly this");
        Ok(Exit::Done)
    })
}

/// Writes what the file says, if it is still so.
pub(super) fn run(screen: &Screen, common: &Common, arguments: &Apply) -> Result<Exit, Failure> {
    super::in_runtime(async {
        let saved = read(&arguments.plan)?;
        let common = Common { run: common.run.clone().or_else(|| Some(saved.run.clone())), ..common.clone() };
        let project = Project::open(screen, &common, "apply", Wanted::UnfinishedOrNewest).await?;
        let interrupt = interrupt::listen()?;
        saved.check(&project.context).await.map_err(told)?;
        tell(screen, &saved);
        if !saved.has_changes {
            screen.say("Nothing to do: the plan writes nothing");
        }
        let consequence = format!("writes to the Gorgias account {}", clean::line(&saved.account));
        let command = format!("apply {}", arguments.plan.display());
        agree::to(screen, &arguments.consent, &saved.account, &consequence, &command, !common.no_input)?;
        steps::tell_found(screen, &project).await?;
        running::whole(screen, &project, &interrupt, None, arguments.strict).await
    })
}

/// When agents can start: customers are written and read back first, then the tickets that are needed for it.
pub(super) async fn tell_start(screen: &Screen, project: &Project) -> Result<(), Failure> {
    let (plan, _) = pipeline::plan::read(&project.context).await.map_err(worker::StepError::from)?;
    let (customers, leads) = (plan.wave(Wave::Customers), plan.wave(Wave::Leads));
    if leads.first == 0 {
        return Ok(());
    }
    let requests = plan.forecast.customers + customers.records + leads.first;
    let seconds = load_plan::bound_seconds(requests, &project.config.gorgias.bucket);
    screen.say(format!(
        "Agents      can start about {} after the load begins: {} of {} tickets come first, {} of them open",
        words::duration(seconds),
        words::count(leads.first),
        words::count(leads.records),
        words::count(leads.open),
    ));
    screen.event(json!({
        "type": "agents_start", "requests": requests, "seconds": seconds, "first": leads.first, "open": leads.open,
    }));
    Ok(())
}

fn tell(screen: &Screen, saved: &SavedPlanV1) {
    screen.say(format!(
        "Plan {} for the Gorgias account {}",
        &saved.plan[..12.min(saved.plan.len())],
        clean::line(&saved.account)
    ));
    screen.say(format!(
        "  {:<12}{:>9}{:>9}{:>9}{:>9}{:>9}",
        "", "create", "update", "skip", "cannot", "decided"
    ));
    for (object, planned) in &saved.objects {
        let PlannedV1 { create, update, skip, cannot, decided, .. } = planned;
        let cells =
            [create, update, skip, cannot, decided].map(|count| format!("{:>9}", words::count(*count)));
        screen.say(format!("  {:<12}{}", clean::line(object), cells.concat()));
    }
    screen.say(format!(
        "Forecast    {} requests at the least, {} at the rate limit of the account",
        words::count(saved.requests_floor),
        words::duration(saved.bound_seconds),
    ));
}

/// Nothing that is there is replaced.
fn keep(path: &Path, saved: &SavedPlanV1) -> Result<(), Failure> {
    let mut text = serde_json::to_vec_pretty(&StoredSavedPlan::V1(saved.clone()))?;
    text.push(b'\n');
    let written =
        OpenOptions::new().write(true).create_new(true).open(path).and_then(|mut file| file.write_all(&text));
    written.map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => {
            Failure::new(&catalogue::FILE_EXISTS, format!("{} is there already", path.display()))
                .fix("move it away, or name another file with --output")
        }
        _ => {
            Failure::new(&catalogue::LOCAL_FILES, format!("cannot write {}", path.display())).because(&error)
        }
    })
}

fn read(path: &Path) -> Result<SavedPlanV1, Failure> {
    let unreadable = |error: &std::io::Error| {
        Failure::new(&catalogue::LOCAL_FILES, format!("cannot read {}", path.display())).because(error)
    };
    let size = std::fs::metadata(path).map_err(|error| unreadable(&error))?.len();
    if size > FILE_BYTES_MAX {
        return Err(Failure::new(
            &catalogue::BAD_ARGUMENT,
            format!("{} is no saved plan: it is too large", path.display()),
        )
        .then("deskferry plan --output plan.json"));
    }
    let bytes = std::fs::read(path).map_err(|error| unreadable(&error))?;
    SavedPlanV1::read(&bytes).map_err(|error| told(error).seen_in(path.display().to_string()))
}

/// The failure that a person can act on.
fn told(error: SavedPlanError) -> Failure {
    let code = error.code();
    let failure = match &error {
        SavedPlanError::Stale(_) => Failure::new(&catalogue::STALE, error.to_string())
            .fix("look at what changed, and plan again")
            .then("deskferry plan --output plan.json"),
        SavedPlanError::Unreadable(_) => Failure::new(&catalogue::BAD_ARGUMENT, error.to_string())
            .then("deskferry plan --output plan.json"),
        _ => return Failure::from(error),
    };
    failure.detail(code)
}
