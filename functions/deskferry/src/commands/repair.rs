//! `repair plan | apply`: writes again what differs from what was wished although nobody changed it.

use migration::load_plan;
use pipeline::repair::{self, DoneV1, PlanV1, Planned, RepairError};
use serde_json::json;

use super::steps;
use super::tables::{reasons, table};
use crate::arguments::{Common, RepairDeed, Strict};
use crate::clean;
use crate::exit::Exit;
use crate::failure::{Failure, catalogue};
use crate::interrupt;
use crate::project::Project;
use crate::runs::Wanted;
use crate::screen::Screen;
use crate::words;

/// Left-overs that are shown one by one; the store has all.
const RESIDUE_SHOWN_MAX: usize = 10;
/// Requests that a record takes: one that looks before the write, and the write.
const REQUESTS_PER_RECORD: u64 = 2;

/// Deeds of a plan and outcomes of what was done, with their headings.
const DEEDS: [(&str, &str); 5] =
    [("mend", "mend"), ("append", "append"), ("make_again", "make again"), ("ask", "ask"), ("keep", "keep")];
const OUTCOMES: [(&str, &str); 5] = [
    ("mended", "mended"),
    ("appended", "appended"),
    ("made_again", "made again"),
    ("kept", "kept"),
    ("refused", "refused"),
];

/// Runs one of the two.
pub(crate) fn run(screen: &Screen, common: &Common, deed: &RepairDeed) -> Result<Exit, Failure> {
    super::in_runtime(async {
        let project = Project::open(screen, common, "repair", Wanted::UnfinishedOrNewest).await?;
        let interrupt = interrupt::listen()?;
        project.work(screen, &interrupt, carry_out(screen, &project, deed)).await
    })
}

async fn carry_out(screen: &Screen, project: &Project, deed: &RepairDeed) -> Result<Exit, Failure> {
    match deed {
        RepairDeed::Plan => plan(screen, project).await,
        RepairDeed::Apply(strict) => apply(screen, project, *strict).await,
    }
}

async fn plan(screen: &Screen, project: &Project) -> Result<Exit, Failure> {
    match repair::plan(&project.context).await.map_err(told)? {
        Planned::Nothing => {
            screen.say("Nothing to mend: the run wrote nothing to Gorgias");
            screen.next("deskferry status", "");
        }
        Planned::Open(open) => {
            screen.say(format!(
                "Repair {} is {}: nothing new is planned beside it",
                open.plan.number,
                open.phase.as_str()
            ));
            screen.next("deskferry repair apply", "goes on");
        }
        Planned::New(plan) => show(screen, project, &plan),
    }
    Ok(Exit::Done)
}

fn show(screen: &Screen, project: &Project, plan: &PlanV1) {
    let (number, run) = (plan.number, clean::line(&plan.run));
    let compared = words::plural(plan.compared, "record", "records");
    screen.say(format!("Repair {number} of run {run}: {compared} looked at, nothing is changed yet"));
    for line in table(&plan.objects, &DEEDS) {
        screen.say(line);
    }
    for line in reasons(&plan.reasons) {
        screen.say(line);
    }
    if plan.writes() > 0 {
        let requests = REQUESTS_PER_RECORD * plan.writes();
        let seconds = load_plan::bound_seconds(requests, &project.config.gorgias.bucket);
        screen.say(format!(
            "  about {} requests, {} at the rate limit",
            words::count(requests),
            words::duration(seconds)
        ));
    }
    let rows = project.place(&format!("lake/v1/ctl_repair/run_id={}", plan.run));
    screen.say(format!("  record by record: {rows}"));
    screen.event(json!({
        "type": "repair_plan",
        "number": plan.number,
        "compared": plan.compared,
        "objects": plan.objects,
        "reasons": plan.reasons,
        "writes": plan.writes(),
    }));
    if plan.writes() > 0 {
        screen.next("deskferry repair apply", "writes these again, and compares");
    } else {
        screen.say("Nothing to do: nothing differs that may be written again");
        screen.next("deskferry status", "");
    }
}

async fn apply(screen: &Screen, project: &Project, strict: Strict) -> Result<Exit, Failure> {
    let done = repair::apply(&project.context).await.map_err(told)?;
    tell(screen, &done);
    let exit = steps::compare_again(screen, project, strict).await?;
    steps::say_next(screen, project).await?;
    Ok(if done.count("refused") > 0 { Exit::SomeFailed } else { exit })
}

fn tell(screen: &Screen, done: &DoneV1) {
    screen.say(format!("Repair {} is applied", done.number));
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
    screen.event(json!({
        "type": "repair",
        "number": done.number,
        "objects": done.objects,
        "reasons": done.reasons,
        "residue": done.residue,
    }));
}

/// The failure that a person can act on.
fn told(error: RepairError) -> Failure {
    let code = error.code().to_owned();
    let failure = match &error {
        RepairError::InDoubt { .. } => {
            Failure::new(&catalogue::OUT_OF_ORDER, error.to_string()).then("deskferry load")
        }
        RepairError::NoPlan => {
            Failure::new(&catalogue::OUT_OF_ORDER, error.to_string()).then("deskferry repair plan")
        }
        RepairError::OtherAccount { .. } => Failure::new(&catalogue::STALE, error.to_string()),
        _ => return Failure::from(error),
    };
    failure.detail(code)
}
