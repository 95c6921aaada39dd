//! `run`: everything from discovery to the report, or on from where it stopped.

use connectors::place::QueuePlace;
use pipeline::conduct::Step;
use pipeline::report;
use pipeline::rollback;
use pipeline::step::StepReport;
use pipeline::worker::{self, Rest};
use serde_json::json;
use twins::gorgias::LedgerCounts;

use super::confirm::{self, Approval};
use super::{remote, sample, steps};
use crate::arguments::{Common, Run, Strict};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::figures::{self, Paths};
use crate::interrupt::{self, Interrupt};
use crate::project::Project;
use crate::runs::{RunState, Wanted};
use crate::screen::Screen;
use crate::{clean, words};

/// Runs all steps.
pub(crate) fn run(screen: &Screen, common: &Common, arguments: &Run) -> Result<Exit, Failure> {
    super::in_runtime(async {
        let interrupt = interrupt::listen()?;
        let approval =
            arguments.yes.then_some(Approval { by: &arguments.by, unasked: true, may_ask: !common.no_input });
        let project = match arguments.sample {
            Some(size) => {
                sample::open(screen, common, &interrupt, approval.as_ref(), size, arguments.seed).await?
            }
            None => Project::open(screen, common, "run", Wanted::Any).await?,
        };
        steps::tell_found(screen, &project).await?;
        whole(screen, &project, &interrupt, approval.as_ref(), arguments.strict).await
    })
}

/// Everything that is left to do, and the figures at its end.
pub(super) async fn whole(
    screen: &Screen,
    project: &Project,
    interrupt: &Interrupt,
    approval: Option<&Approval<'_>>,
    strict: Strict,
) -> Result<Exit, Failure> {
    let rest = match project.config.queue {
        QueuePlace::InProcess => project.work(screen, interrupt, to_end(screen, project, approval)).await?,
        QueuePlace::Sqs(_) => {
            let watched = remote::to_end(screen, project, approval);
            project.work(screen, interrupt, watched).await?
        }
    };
    if let Some(rollback) = rollback::of_this_run(&project.context).await? {
        let since = words::moment(rollback.since, &screen.look().zone);
        let (number, phase) = (rollback.plan.number, rollback.phase.as_str());
        screen.say(format!("Rollback {number} took this run back: {phase} since {since}"));
        screen.next("deskferry rollback plan", "says what can be done about it");
    } else if sample::is_one(project).await? && rest == Rest::Done {
        sample::say_next(screen, project);
    } else if project.state == RunState::Finished && rest == Rest::Done {
        screen.say(format!("Nothing to do: run {} is written, proven and finished", project.run()));
        screen.next("deskferry discover", "begins another run");
    } else {
        steps::say_next(screen, project).await?;
    }
    let told = tell(screen, project, None, None).await?;
    if matches!(project.config.queue, QueuePlace::Sqs(_)) {
        remote::tell_cost(screen, project).await?;
    }
    Ok(match (rest, told) {
        (Rest::Decision(wave), _) => steps::not_proven(wave).exit(),
        (_, Some(told)) if strict.strict && told.fields_different > 0 => Exit::Differences,
        (_, Some(told)) if told.failed > 0 => Exit::SomeFailed,
        _ => Exit::Done,
    })
}

/// Works until nothing is left to do; the approval is used when the mapping waits for one.
pub(crate) async fn to_end(
    screen: &Screen,
    project: &Project,
    approval: Option<&Approval<'_>>,
) -> Result<Rest, Failure> {
    let mut tell = |step: Step, report: &StepReport| steps::tell(screen, project, step, report);
    let mut rest = worker::run_to_end(&project.context, &*project.queue, &mut tell).await?;
    if rest == Rest::Confirmation {
        let Some(approval) = approval else { return Err(steps::not_confirmed()) };
        confirm::approve(screen, project, approval).await?;
        rest = worker::run_to_end(&project.context, &*project.queue, &mut tell).await?;
    }
    match rest {
        Rest::Done => {}
        Rest::Confirmation => return Err(steps::not_confirmed()),
        Rest::Decision(wave) => screen.fail(&steps::not_proven(wave)),
    }
    Ok(rest)
}

/// What the figures say that decides the exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Told {
    /// The verdict is a pass.
    pub(crate) is_proven: bool,
    /// Records that did not arrive.
    pub(crate) failed: u64,
    /// Differences without explanation.
    pub(crate) fields_different: u64,
}

/// What a command says at the very end.
pub(crate) type Closing<'a> = &'a dyn Fn(&Screen, &report::SummaryV1, &Paths);

/// Shows the figures of the newest report; the last event is the summary. Nothing is shown before there is a report.
pub(crate) async fn tell(
    screen: &Screen,
    project: &Project,
    ledgers: Option<LedgerCounts>,
    closing: Option<Closing<'_>>,
) -> Result<Option<Told>, Failure> {
    let Some(latest) = report::latest(&project.context).await? else { return Ok(None) };
    let summary = &latest.report.summary;
    let paths = Paths {
        report: project.config.store.of(latest.folder.as_str()),
        lake: project.place("lake/v1"),
        run: project.place(&format!("runs/{}", project.run())),
    };
    for line in figures::lines(summary, ledgers) {
        screen.say(line);
    }
    if let Some(sample) = &latest.report.sample {
        for line in sample.brief() {
            screen.say(format!("Sample      {}", clean::line(&line)));
        }
        screen.event(json!({ "type": "sample_shows", "sample": sample }));
    }
    screen.say(format!("Report      {}", paths.report));
    screen.say(format!("Lake        {}", paths.lake));
    screen.say(format!("Run         {}", paths.run));
    if let Some(closing) = closing {
        closing(screen, summary, &paths);
    }
    screen.event(figures::event(summary, ledgers, &paths));
    Ok(Some(Told {
        is_proven: summary.verdict == "pass",
        failed: summary.objects.values().map(|counts| counts.failed).sum(),
        fields_different: summary.fields_different,
    }))
}
