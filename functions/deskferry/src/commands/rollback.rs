//! `rollback plan | apply | undo | purge`: takes back what a run wrote, and the way back before the purge.

use migration::load_plan;
use pipeline::rollback::{self, CertificateV1, Phase, PlanV1, Planned, Rollback, RollbackError};
use pipeline::sample;
use pipeline::worker::StepError;
use serde_json::json;

use crate::arguments::{Common, RollbackDeed};
use crate::clean;
use crate::exit::Exit;
use crate::failure::{Failure, catalogue};
use crate::interrupt;
use crate::project::Project;
use crate::runs::Wanted;
use crate::screen::Screen;
use crate::words;

use super::agree;
use super::tables::{reasons, table};

/// Left-overs that are shown one by one; the certificate has all.
const RESIDUE_SHOWN_MAX: usize = 10;

/// Runs one of the four.
pub(crate) fn run(screen: &Screen, common: &Common, deed: &RollbackDeed) -> Result<Exit, Failure> {
    super::in_runtime(async {
        let project = Project::open(screen, common, "rollback", Wanted::Newest).await?;
        let interrupt = interrupt::listen()?;
        let may_ask = !common.no_input;
        project.work(screen, &interrupt, carry_out(screen, &project, deed, may_ask)).await
    })
}

async fn carry_out(
    screen: &Screen,
    project: &Project,
    deed: &RollbackDeed,
    may_ask: bool,
) -> Result<Exit, Failure> {
    let ctx = &project.context;
    match deed {
        RollbackDeed::Plan => plan(screen, project).await,
        RollbackDeed::Apply(consent) => {
            let newest = needed(project).await?;
            if newest.phase == Phase::Planned {
                let asked = "takes back what the run wrote";
                agree::to(screen, consent, &newest.plan.account, asked, "rollback apply", may_ask)?;
            }
            let certificate = rollback::apply(ctx).await.map_err(|error| told(error, screen))?;
            tell(screen, project, &certificate);
            if newest.plan.count("remove") > 0 {
                let command = format!("deskferry rollback purge --confirm {}", newest.plan.count("remove"));
                let hold = rollback::hold(ctx, &newest.plan).await?;
                if hold.is_zero() {
                    screen.say("Of a sample nothing is held; deskferry rollback undo brings everything back");
                    screen.next(&command, "removes it for good");
                } else {
                    let until = certificate.at.checked_add(hold).unwrap_or(certificate.at);
                    let until = words::moment(until, &screen.look().zone);
                    screen.say(format!("Held until {until}; deskferry rollback undo brings everything back"));
                    screen.next(&command, "removes it for good, after the hold");
                }
            }
            Ok(Exit::Done)
        }
        RollbackDeed::Undo => {
            let certificate = rollback::undo(ctx).await.map_err(|error| told(error, screen))?;
            tell(screen, project, &certificate);
            screen.next("deskferry reconcile --again", "proves that everything is back");
            Ok(Exit::Done)
        }
        RollbackDeed::Purge(consent) => {
            let newest = needed(project).await?;
            let wanted = newest.plan.count("remove");
            let asked = "removes records for good, which cannot be undone";
            agree::to(screen, consent, &wanted.to_string(), asked, "rollback purge", may_ask)?;
            let certificate = rollback::purge(ctx, wanted).await.map_err(|error| told(error, screen))?;
            tell(screen, project, &certificate);
            if sample::wish(ctx).await.map_err(StepError::from)?.is_some() {
                screen.next("deskferry run", "moves everything");
            } else {
                screen.next("deskferry discover", "begins another run");
            }
            Ok(Exit::Done)
        }
    }
}

async fn needed(project: &Project) -> Result<Rollback, Failure> {
    let newest = rollback::newest(&project.context).await?;
    newest.ok_or_else(|| {
        Failure::new(&catalogue::ROLLBACK_PHASE, "there is no rollback plan").then("deskferry rollback plan")
    })
}

/// Plans a rollback, and shows it.
pub(super) async fn plan(screen: &Screen, project: &Project) -> Result<Exit, Failure> {
    match rollback::plan(&project.context).await.map_err(|error| told(error, screen))? {
        Planned::Nothing => {
            screen.say("Nothing to take back: the run wrote nothing to Gorgias");
            screen.next("deskferry status", "");
        }
        Planned::Open(open) => {
            let (number, phase) = (open.plan.number, open.phase);
            screen.say(format!("Rollback {number} is {}: nothing new is planned beside it", phase.as_str()));
            let next = match phase {
                Phase::Applied => ("deskferry rollback undo", "brings everything back"),
                Phase::Undoing => ("deskferry rollback undo", "goes on"),
                Phase::Purging => ("deskferry rollback purge", "goes on"),
                _ => ("deskferry rollback apply", "goes on"),
            };
            screen.next(next.0, next.1);
        }
        Planned::New(plan) => show(screen, project, &plan),
    }
    Ok(Exit::Done)
}

fn show(screen: &Screen, project: &Project, plan: &PlanV1) {
    screen.say(format!("Rollback {} of run {}: nothing is changed yet", plan.number, clean::line(&plan.run)));
    for line in table(&plan.objects, &DEEDS) {
        screen.say(line);
    }
    for line in reasons(&plan.reasons) {
        screen.say(line);
    }
    if plan.switches > 0 {
        let what = words::plural(plan.switches, "rule, survey or webhook", "rules, surveys and webhooks");
        screen.say(format!("  {what} switched on again"));
    }
    if plan.has_changes() {
        let tickets = plan.objects.get("ticket").and_then(|deeds| deeds.get("remove")).copied().unwrap_or(0);
        let requests = tickets + 4 * plan.count("give_back") + plan.count("archive") + 2 * plan.switches;
        let seconds = load_plan::bound_seconds(requests, &project.config.gorgias.bucket);
        screen.say(format!(
            "  about {} requests, {} at the rate limit",
            words::count(requests),
            words::duration(seconds)
        ));
    }
    let rows = project.place(&format!("lake/v1/ctl_rollback/run_id={}", plan.run));
    screen.say(format!("  record by record: {rows}"));
    screen.event(json!({
        "type": "rollback_plan",
        "number": plan.number,
        "objects": plan.objects,
        "reasons": plan.reasons,
        "switches": plan.switches,
        "has_changes": plan.has_changes(),
    }));
    if plan.has_changes() {
        let command = format!("deskferry rollback apply --confirm {}", clean::line(&plan.account));
        screen.next(&command, "into the trash first, for good only after the hold");
    } else {
        screen.say("Nothing to do: nothing of this run is left that may be taken back");
        screen.next("deskferry status", "");
    }
}

/// Deeds of a plan and outcomes of a certificate, with their headings.
const DEEDS: [(&str, &str); 5] = [
    ("remove", "remove"),
    ("give_back", "give back"),
    ("archive", "archive"),
    ("keep", "keep"),
    ("nothing", "nothing"),
];
const OUTCOMES: [(&str, &str); 8] = [
    ("in_trash", "in trash"),
    ("removed", "removed"),
    ("given_back", "given back"),
    ("archived", "archived"),
    ("waiting", "with purge"),
    ("there", "there"),
    ("kept", "kept"),
    ("nothing", "nothing"),
];

fn tell(screen: &Screen, project: &Project, certificate: &CertificateV1) {
    screen.say(format!("Rollback {} is {}", certificate.number, clean::line(&certificate.phase)));
    for line in table(&certificate.objects, &OUTCOMES) {
        screen.say(line);
    }
    for line in reasons(&certificate.reasons) {
        screen.say(line);
    }
    // That fields stay archived is said once, by its code.
    let is_open = |left: &&rollback::ResidueV1| left.code != rollback::codes::ARCHIVED;
    let residue: Vec<_> = certificate.residue.iter().filter(is_open).collect();
    for left in residue.iter().take(RESIDUE_SHOWN_MAX) {
        screen.say(format!(
            "  left  {} {} {}  {}",
            left.object,
            left.gorgias_id,
            left.code,
            clean::line(&left.text)
        ));
    }
    if residue.len() > RESIDUE_SHOWN_MAX {
        screen.say(format!("  and {} more", residue.len() - RESIDUE_SHOWN_MAX));
    }
    screen.say(format!(
        "Gorgias shows {} of ours outside of the trash, {} of them unexpected",
        words::plural(certificate.shown, "record", "records"),
        words::count(certificate.unexpected),
    ));
    let folder = project.place(&format!("rollback/{:04}", certificate.number));
    screen.say(format!("Certificate {folder}"));
    screen.event(json!({
        "type": "rollback",
        "number": certificate.number,
        "phase": certificate.phase,
        "objects": certificate.objects,
        "reasons": certificate.reasons,
        "residue": certificate.residue,
        "shown": certificate.shown,
        "unexpected": certificate.unexpected,
        "folder": folder,
    }));
}

/// The failure that a person can act on.
fn told(error: RollbackError, screen: &Screen) -> Failure {
    let code = error.code().to_owned();
    let failure = match &error {
        RollbackError::Held { number, until } => {
            let until = words::moment(*until, &screen.look().zone);
            Failure::new(&catalogue::HELD, format!("rollback {number} is held until {until}"))
                .then("deskferry rollback undo")
        }
        RollbackError::InDoubt { .. } => {
            Failure::new(&catalogue::OUT_OF_ORDER, error.to_string()).then("deskferry load")
        }
        RollbackError::RepairOpen { .. } => {
            Failure::new(&catalogue::OUT_OF_ORDER, error.to_string()).then("deskferry repair apply")
        }
        RollbackError::NoPlan | RollbackError::OutOfOrder { .. } => {
            Failure::new(&catalogue::ROLLBACK_PHASE, error.to_string()).then("deskferry rollback plan")
        }
        RollbackError::OtherCount { .. } => Failure::new(&catalogue::NOT_AGREED, error.to_string()),
        RollbackError::OtherAccount { .. } => Failure::new(&catalogue::STALE, error.to_string()),
        _ => return Failure::from(error),
    };
    failure.detail(code)
}
