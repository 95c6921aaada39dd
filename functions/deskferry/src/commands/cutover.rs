//! `cutover status | run`: whether the migration is ready, and the last evening itself.

use std::sync::Arc;

use connectors::connect;
use migration::cutover::{Point, State, Step, is_ready};
use pipeline::cutover::{self, Asked, CutoverError, Outcome};
use pipeline::cutovers::{self, Cutover};
use pipeline::delta::DeltaError;
use serde_json::json;

use super::agree;
use crate::arguments::{Common, CutoverDeed, CutoverRun, CutoverStatus};
use crate::clean;
use crate::exit::Exit;
use crate::failure::{Failure, catalogue};
use crate::interrupt;
use crate::project::{self, Project};
use crate::runs::{Runs, Wanted};
use crate::screen::Screen;
use crate::words;

/// Runs one of the two.
pub(crate) fn run(screen: &Screen, common: &Common, deed: &CutoverDeed) -> Result<Exit, Failure> {
    match deed {
        CutoverDeed::Status(wish) => super::in_runtime(status(screen, common, *wish)),
        CutoverDeed::Run(wish) => super::in_runtime(carry_out(screen, common, wish)),
    }
}

/// Looks without the lock: it may be asked while a delta runs.
async fn status(screen: &Screen, common: &Common, wish: CutoverStatus) -> Result<Exit, Failure> {
    let config = project::read_config(&common.config).await?;
    let store = connect::open_store(&config.store).await?;
    let runs = Runs { store: &*store, migration: &config.migration };
    let today = jiff::Timestamp::now().to_zoned(screen.look().zone.clone()).date();
    let chosen = runs.choose(common.run.as_deref(), Wanted::Newest, today).await?;
    let context = project::look(screen, &config, chosen.run.clone(), Arc::clone(&store))?;
    screen.say(format!("Cut-over of run {} of migration {}", chosen.run, config.migration));
    let points = cutover::readiness(&context).await;
    let newest = cutovers::newest(&context).await?;
    show(screen, &points);
    if let Some(newest) = &newest {
        screen.say(stands(screen, newest));
    }
    screen.event(json!({
        "type": "cutover_status",
        "run": chosen.run.as_str(),
        "is_ready": is_ready(&points),
        "points": points.iter().map(point_json).collect::<Vec<_>>(),
        "cutover": newest.as_ref().map(cutover_json),
    }));
    let is_over = newest.as_ref().is_some_and(|newest| newest.signed.is_some() && newest.is_ended());
    if is_over {
        screen.next("deskferry handoff", "the package, as it is now");
    } else {
        next(screen, &points);
    }
    Ok(if wish.strict && !is_over && !is_ready(&points) { Exit::Approval } else { Exit::Done })
}

/// The readiness of a run that is open already.
pub(super) async fn tell_readiness(screen: &Screen, project: &Project) {
    let points = cutover::readiness(&project.context).await;
    show(screen, &points);
    screen.event(json!({
        "type": "cutover_status",
        "run": project.run().as_str(),
        "is_ready": is_ready(&points),
        "points": points.iter().map(point_json).collect::<Vec<_>>(),
        "cutover": null,
    }));
}

fn show(screen: &Screen, points: &[Point]) {
    let open = points.iter().filter(|point| point.is_in_the_way()).count();
    screen.say(match open {
        0 => "Ready: nothing is in the way".to_owned(),
        open => format!("Not ready: {} in the way", words::plural(open as u64, "point is", "points are")),
    });
    for point in points {
        let mark = match point.state {
            State::Ready | State::Accepted => "+",
            State::NotKnown => "?",
            State::NotReady => "-",
        };
        screen.say(format!(
            "  {mark} {:<10}{} {:<27}{}",
            point.state.as_str(),
            point.code,
            point.about,
            clean::line(&point.reason)
        ));
        if let Some(advice) = point.advice {
            screen.say(format!("{:>12}   do: {advice}", ""));
        }
    }
}

fn next(screen: &Screen, points: &[Point]) {
    if is_ready(points) {
        screen.next("deskferry cutover run", "freeze check, last delta, comparison, certificate, package");
        return;
    }
    let first = points.iter().find(|point| point.is_in_the_way());
    let code = first.map(|point| point.code.as_str()).unwrap_or_default();
    screen.next(&format!("deskferry explain {code}"), "the first point that is in the way");
}

fn point_json(point: &Point) -> serde_json::Value {
    json!({
        "code": point.code.as_str(),
        "about": point.about,
        "state": point.state.as_str(),
        "reason": point.reason,
        "advice": point.advice,
    })
}

fn cutover_json(cutover: &Cutover) -> serde_json::Value {
    json!({
        "number": cutover.begun.number,
        "begun_at": cutover.begun.at,
        "frozen_since": cutover.begun.frozen_since,
        "step": migration::cutover::next(&cutover.shown()).as_str(),
        "is_signed": cutover.signed.is_some(),
        "refused": cutover.refused.as_ref().map(|refused| &refused.code),
        "forced": cutover.forced().collect::<Vec<_>>(),
    })
}

/// Where the newest cut-over stands, in a line.
fn stands(screen: &Screen, cutover: &Cutover) -> String {
    let at = |at| words::moment(at, &screen.look().zone);
    let number = cutover.begun.number;
    match (&cutover.signed, &cutover.refused) {
        (Some(signed), _) if cutover.is_ended() => {
            format!("Cut-over {number} was signed {} by {}", at(signed.at), who(signed.by.as_deref()))
        }
        (None, Some(refused)) if cutover.is_ended() => {
            format!("Cut-over {number} was refused {}: {}", at(refused.at), refused.code)
        }
        _ => {
            let step = migration::cutover::next(&cutover.shown());
            format!(
                "Cut-over {number} was begun {} and goes on with: {}",
                at(cutover.begun.at),
                step.as_str()
            )
        }
    }
}

fn who(by: Option<&str>) -> String {
    by.map_or_else(|| "nobody by name".to_owned(), |by| clean::line(by).into_owned())
}

async fn carry_out(screen: &Screen, common: &Common, wish: &CutoverRun) -> Result<Exit, Failure> {
    let project = Project::open(screen, common, "cutover", Wanted::Newest).await?;
    let interrupt = interrupt::listen()?;
    let named = |text: &Option<String>| {
        text.as_deref().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned)
    };
    let force = match (named(&wish.force_by), named(&wish.reason)) {
        (Some(by), Some(reason)) => Some((by, reason)),
        (None, None) if wish.force_by.is_none() => None,
        _ => {
            return Err(Failure::new(
                &catalogue::BAD_ARGUMENT,
                "--force-by and --reason need a name and words",
            ));
        }
    };
    let by = named(&wish.by).or_else(|| force.as_ref().map(|(by, _)| by.clone()));
    let asked = Asked { by, force, frozen_since: wish.frozen_since, delete_on: wish.delete_on };
    let work = async {
        let newest = cutovers::newest(&project.context).await?;
        if newest.is_none_or(|newest| newest.is_ended() && newest.signed.is_none()) {
            let (plan, _) = pipeline::plan::read(&project.context).await.map_err(|error| {
                Failure::new(&catalogue::OUT_OF_ORDER, "there is nothing to cut over")
                    .because(&error)
                    .then("deskferry run")
            })?;
            let asked = "brings over what changed last, compares everything and signs the certificate";
            agree::to(screen, &wish.consent, &plan.account, asked, "cutover run", !common.no_input)?;
        }
        let outcome = cutover::run(&project.context, &asked, &mut |step, now| tell(screen, step, now)).await;
        outcome.map_err(|error| told(screen, error))
    };
    let outcome = project.work(screen, &interrupt, work).await?;
    Ok(end(screen, &project, &outcome))
}

/// What a step came to.
fn tell(screen: &Screen, step: Step, now: &Cutover) {
    let line = match step {
        Step::Begin => {
            let since = words::moment(now.begun.frozen_since, &screen.look().zone);
            format!("LeadDesk counts as frozen since {since}")
        }
        Step::Delta => {
            let number = now.delta.as_ref().map_or(0, |delta| delta.number);
            format!("delta {number} brought over what changed until then")
        }
        Step::Reconcile => now.compared.as_ref().map_or_else(String::new, |compared| {
            let told = &compared.comparison;
            format!(
                "{} compared, {} differ ({} by people, {} damaged)",
                words::plural(told.fields, "field", "fields"),
                words::count(told.different),
                words::count(told.people),
                words::count(told.damage)
            )
        }),
        Step::Freeze => now.freeze.as_ref().map_or_else(String::new, |freeze| match freeze.changes.len() {
            0 => format!(
                "LeadDesk stood still; {} asked for once more",
                words::plural(freeze.cards, "card was", "cards were")
            ),
            _ => format!("LeadDesk did not stand still: {}", freeze.changes.join("; ")),
        }),
        Step::Restore => now.restored.as_ref().map_or_else(String::new, |restored| {
            format!(
                "{} as before the migration, {} changed by people, {} removed by people",
                words::count(restored.as_before.len() as u64),
                words::count(restored.changed.len() as u64),
                words::count(restored.removed.len() as u64)
            )
        }),
        Step::SignOff => now.signed.as_ref().map_or_else(String::new, |signed| {
            format!(
                "signed by {}, reconciliation {}",
                who(signed.by.as_deref()),
                short(&signed.reconciliation)
            )
        }),
        Step::Refuse => {
            now.refused.as_ref().map_or_else(String::new, |refused| format!("refused: {}", refused.code))
        }
        Step::HandOff => "report and package are written".to_owned(),
        Step::Nothing => String::new(),
    };
    screen.say(format!("{:<14}{}", step.as_str(), clean::line(&line)));
    if step == Step::Begin
        && let Some(force) = &now.begun.force
    {
        let codes = force.codes.join(", ");
        screen.say(format!(
            "{:<14}{} takes {codes} upon themselves: {}",
            "forced",
            clean::line(&force.by),
            clean::line(&force.reason)
        ));
    }
    screen.event(json!({ "type": "cutover_step", "step": step.as_str(), "text": line }));
}

/// The beginning of a digest, enough to tell two apart.
fn short(digest: &str) -> String {
    const SHOWN_MAX: usize = 12;
    digest.chars().take(SHOWN_MAX).collect()
}

fn end(screen: &Screen, project: &Project, outcome: &Outcome) -> Exit {
    let (cutover, word) = match outcome {
        Outcome::Signed(cutover) => (cutover, "signed"),
        Outcome::Nothing(cutover) => (cutover, "nothing"),
        Outcome::Refused(cutover) => (cutover, "refused"),
    };
    screen.event(json!({ "type": "cutover", "outcome": word, "cutover": cutover_json(cutover) }));
    if let Outcome::Nothing(_) = outcome {
        screen.say(format!("Nothing to do: {}", stands(screen, cutover)));
    }
    if let (Outcome::Refused(_), Some(refused)) = (outcome, &cutover.refused) {
        screen.say(format!("No certificate: {}", refused.code));
        for reason in &refused.reasons {
            screen.say(format!("  {}", clean::line(reason)));
        }
        screen.next(
            &format!("deskferry explain {}", refused.code),
            "says what to do; deskferry cutover run begins anew",
        );
        return Exit::Error;
    }
    if let Some(handed) = &cutover.handed {
        screen.say(format!("Report and package {}", project.config.store.of(&handed.report)));
    }
    screen.next("deskferry reconcile --again", "on any later day: damage told from people's work");
    Exit::Done
}

/// The failure that a person can act on.
fn told(screen: &Screen, error: CutoverError) -> Failure {
    let code = error.code();
    match &error {
        CutoverError::NotReady { points } => {
            show(screen, points);
            let firm = points.iter().any(Point::is_firm);
            let open: Vec<String> = points
                .iter()
                .filter(|point| point.is_in_the_way())
                .map(|point| point.code.to_string())
                .collect();
            let failure =
                Failure::new(&catalogue::NOT_READY, format!("the cut-over is refused: {}", open.join(", ")));
            let failure = if firm {
                failure.fix("settle what is named above; nobody can take it upon themselves")
            } else {
                failure
            };
            failure.then("deskferry cutover status").detail(code)
        }
        CutoverError::FreezeToCome { .. } => {
            Failure::new(&catalogue::BAD_ARGUMENT, error.to_string()).detail(code)
        }
        CutoverError::OtherAccount { .. } => Failure::new(&catalogue::STALE, error.to_string()).detail(code),
        CutoverError::Delta(inner) if matches!(**inner, DeltaError::NotLoaded) => {
            Failure::new(&catalogue::OUT_OF_ORDER, inner.to_string()).then("deskferry run").detail(code)
        }
        _ => Failure::from(error).or_then("deskferry cutover run").detail(code),
    }
}
