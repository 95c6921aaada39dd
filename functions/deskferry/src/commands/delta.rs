//! `delta [--every TIME]`: brings over what changed at LeadDesk, once or again and again.

use std::time::{Duration, Instant};

use connectors::place::QueuePlace;
use pipeline::delta::DeltaError;
use pipeline::deltas::{Delta, DoneV1};
use pipeline::worker::{self, StepError};
use serde_json::json;

use super::remote;
use super::tables::{reasons, table};
use crate::arguments::{self, Common, Strict};
use crate::clean;
use crate::exit::Exit;
use crate::failure::{Failure, catalogue};
use crate::interrupt::{self, Interrupt};
use crate::project::Project;
use crate::runs::Wanted;
use crate::screen::Screen;
use crate::words;

/// Left-overs that are shown one by one; the store has all.
const RESIDUE_SHOWN_MAX: usize = 10;

/// Outcomes with their headings.
const OUTCOMES: [(&str, &str); 6] = [
    ("created", "created"),
    ("updated", "updated"),
    ("appended", "appended"),
    ("conflict", "conflict"),
    ("kept", "kept"),
    ("refused", "refused"),
];

/// One delta, or one after the other.
pub(crate) fn run(screen: &Screen, common: &Common, arguments: &arguments::Delta) -> Result<Exit, Failure> {
    super::in_runtime(async {
        let interrupt = interrupt::listen()?;
        match arguments.every {
            None if arguments.files_only => files_only(screen, common).await,
            None => tick(screen, common, &interrupt, arguments.strict).await,
            Some(every) => again_and_again(screen, common, &interrupt, arguments.strict, every).await,
        }
    })
}

/// One delta. Where another process works on the migration there is nothing to do: it is its turn.
async fn tick(
    screen: &Screen,
    common: &Common,
    interrupt: &Interrupt,
    strict: Strict,
) -> Result<Exit, Failure> {
    let project = match Project::open(screen, common, "delta", Wanted::UnfinishedOrNewest).await {
        Ok(project) => project,
        Err(failure) if failure.is(&catalogue::LOCKED) => {
            screen.say("Nothing done: another process works on this migration, and this one leaves it alone");
            screen.event(json!({ "type": "delta", "is_skipped": true }));
            return Ok(Exit::Done);
        }
        Err(failure) => return Err(failure),
    };
    let delta = async {
        match project.config.queue {
            QueuePlace::InProcess => worker::run_delta(&project.context).await.map_err(told),
            QueuePlace::Sqs(_) => remote::delta(screen, &project).await,
        }
    };
    let delta = project.work(screen, interrupt, delta).await?;
    Ok(tell(screen, &project, &delta, strict))
}

/// The operator's files go where the functions find them.
async fn files_only(screen: &Screen, common: &Common) -> Result<Exit, Failure> {
    let project = Project::open(screen, common, "delta", Wanted::UnfinishedOrNewest).await?;
    let are_newer = match project.config.queue {
        QueuePlace::InProcess => {
            screen.say("Nothing to do: without functions a delta reads the operator's files where they lie");
            false
        }
        QueuePlace::Sqs(_) => remote::take_files(screen, &project).await?,
    };
    screen.event(json!({ "type": "operator_files", "are_newer": are_newer }));
    Ok(Exit::Done)
}

/// Deltas until somebody asks to stop. What may pass is told and tried again with the next one.
async fn again_and_again(
    screen: &Screen,
    common: &Common,
    interrupt: &Interrupt,
    strict: Strict,
    every: Duration,
) -> Result<Exit, Failure> {
    let mut worst = Exit::Done;
    loop {
        let began = Instant::now();
        match tick(screen, common, interrupt, strict).await {
            Ok(Exit::Done) => {}
            Ok(exit) => worst = exit,
            Err(failure) if matches!(failure.exit(), Exit::Error | Exit::Stopped) => screen.fail(&failure),
            Err(failure) => return Err(failure),
        }
        let rest = every.saturating_sub(began.elapsed());
        screen.say(format!("The next delta begins in {}", words::duration(rest.as_secs_f64())));
        tokio::select! {
            () = interrupt.requested() => {
                screen.say("Stopped between two deltas: nothing is under way");
                return Ok(worst);
            }
            () = tokio::time::sleep(rest) => {}
        }
    }
}

pub(super) fn tell(screen: &Screen, project: &Project, delta: &Delta, strict: Strict) -> Exit {
    let Some(done) = &delta.done else { return Exit::Error };
    screen.say(format!("Delta {} of run {}", done.number, project.run()));
    let asked: u64 = done.requests.values().sum();
    screen.say(format!(
        "  LeadDesk  {}, of which {} could not be saved",
        words::plural(asked, "request", "requests"),
        words::count(done.requests_floor)
    ));
    for line in delta.plan.iter().flat_map(|plan| differences(&plan.source)) {
        screen.say(line);
    }
    if let Some(plan) = delta.plan.as_ref().filter(|plan| !plan.vanished.is_empty()) {
        for (cause, count) in &plan.vanished {
            let records = words::plural(*count, "record", "records");
            screen.say(format!("  vanished  {records}, likely: {cause}"));
        }
    }
    if done.is_unchanged && done.objects.is_empty() {
        screen.say("  Nothing to do: nothing changed that Gorgias should hold in another way");
    }
    for line in table(&done.objects, &OUTCOMES) {
        screen.say(line);
    }
    for line in reasons(&done.reasons) {
        screen.say(line);
    }
    for left in done.residue.iter().take(RESIDUE_SHOWN_MAX) {
        let (object, id, code) = (&left.object, &left.gorgias_id, &left.code);
        screen.say(format!("  left  {object} {id} {code}  {}", clean::line(&left.text)));
    }
    if done.residue.len() > RESIDUE_SHOWN_MAX {
        screen.say(format!("  and {} more", done.residue.len() - RESIDUE_SHOWN_MAX));
    }
    if done.fields_compared > 0 {
        let compared = words::plural(done.fields_compared, "field", "fields");
        screen.say(format!("  read back {compared}, {} different", words::count(done.fields_different)));
    }
    let rows = project.place(&format!("lake/v1/ctl_delta/run_id={}", project.run()));
    if !done.objects.is_empty() {
        screen.say(format!("  record by record: {rows}"));
    }
    event(screen, delta, done);
    next(screen, done);
    exit(done, strict)
}

fn differences(
    source: &std::collections::BTreeMap<String, std::collections::BTreeMap<String, u64>>,
) -> Vec<String> {
    let counts = |counts: &std::collections::BTreeMap<String, u64>| {
        let shown: Vec<String> =
            counts.iter().map(|(what, count)| format!("{} {what}", words::count(*count))).collect();
        shown.join(", ")
    };
    source.iter().map(|(table, found)| format!("  {table:<28}{}", counts(found))).collect()
}

fn event(screen: &Screen, delta: &Delta, done: &DoneV1) {
    let plan = delta.plan.clone().unwrap_or_default();
    screen.event(json!({
        "type": "delta",
        "number": done.number,
        "is_skipped": false,
        "is_unchanged": done.is_unchanged,
        "source": plan.source,
        "wished": plan.wished,
        "vanished": plan.vanished,
        "requests": done.requests,
        "requests_floor": done.requests_floor,
        "objects": done.objects,
        "reasons": done.reasons,
        "residue": done.residue,
        "fields_compared": done.fields_compared,
        "fields_different": done.fields_different,
    }));
}

fn next(screen: &Screen, done: &DoneV1) {
    if done.fields_different > 0 {
        screen.next("deskferry reconcile --again", "names each field that differs");
    } else if done.count("conflict") > 0 {
        screen.next("deskferry explain DEL113", "says how a conflict is settled");
    } else {
        screen.next("deskferry delta", "brings over what changes from now on");
    }
}

fn exit(done: &DoneV1, strict: Strict) -> Exit {
    match done {
        done if done.count("refused") > 0 => Exit::SomeFailed,
        done if strict.strict && (done.fields_different > 0 || done.count("conflict") > 0) => {
            Exit::Differences
        }
        _ => Exit::Done,
    }
}

/// The failure that a person can act on.
pub(super) fn told(error: StepError) -> Failure {
    let StepError::Delta(cause) = &error else { return Failure::from(error) };
    let code = cause.code().to_owned();
    let failure = match &**cause {
        DeltaError::NotLoaded => {
            Failure::new(&catalogue::OUT_OF_ORDER, cause.to_string()).then("deskferry run")
        }
        DeltaError::OtherAccount { .. } => Failure::new(&catalogue::STALE, cause.to_string()),
        _ => return Failure::from(error),
    };
    failure.detail(code)
}
