//! Steps one by one, each as its own command.
//!
//! Deliberately absent: the order of steps. `pipeline::conduct` knows it, and says what comes next.

use std::collections::BTreeMap;

use migration::load_plan;
use pipeline::conduct::{self, Next, Step};
use pipeline::discover::scope_document;
use pipeline::step::StepReport;
use pipeline::wave::Wave;
use pipeline::worker;
use pipeline::{reconcile, report};
use serde_json::json;

use crate::arguments::{Common, Reconcile, Strict};
use crate::exit::Exit;
use crate::failure::{Failure, catalogue};
use crate::figures;
use crate::interrupt;
use crate::project::Project;
use crate::runs::Wanted;
use crate::screen::Screen;
use crate::words;

/// Characters of a line of counts, about.
const LINE_CHARS: usize = 100;
/// Where the counts of a further line begin.
const INDENT: usize = 24;

/// Under this name the plan tells the fewest requests that it takes.
const FLOOR_RECORD: &str = "requests_floor";

/// What a command asks for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Wish {
    /// One step.
    One(Step),
    /// All waves, each compared before the next one opens.
    Load,
    /// What was refused, once more.
    Retry(Strict),
    /// The comparison of every wave that is loaded.
    Reconcile(Reconcile),
    /// The report.
    Report(Strict),
}

impl Wish {
    fn command(self) -> &'static str {
        match self {
            Self::One(step) => step.name(),
            Self::Load => "load",
            Self::Retry(_) => "retry",
            Self::Reconcile(_) => "reconcile",
            Self::Report(_) => "report",
        }
    }

    /// Discovery begins a run, reports look back at one, everything else goes on with one.
    fn wanted(self) -> Wanted {
        match self {
            Self::One(Step::Discover) => Wanted::UnfinishedOrNew,
            Self::One(Step::Handoff) | Self::Report(_) | Self::Retry(_) => Wanted::Newest,
            _ => Wanted::UnfinishedOrNewest,
        }
    }
}

/// Does what the command asks for, and says what comes next.
pub(crate) fn run(screen: &Screen, common: &Common, wish: Wish) -> Result<Exit, Failure> {
    super::in_runtime(async {
        let project = Project::open(screen, common, wish.command(), wish.wanted()).await?;
        let interrupt = interrupt::listen()?;
        if wish.command() == "load" {
            tell_found(screen, &project).await?;
        }
        let exit = project.work(screen, &interrupt, carry_out(screen, &project, wish)).await?;
        say_next(screen, &project).await?;
        Ok(exit)
    })
}

async fn carry_out(screen: &Screen, project: &Project, wish: Wish) -> Result<Exit, Failure> {
    match wish {
        Wish::One(Step::Propose) => {
            one(screen, project, Step::Propose).await?;
            super::proposal::tell(screen, project).await?;
            Ok(Exit::Done)
        }
        Wish::One(Step::Plan) => {
            one(screen, project, Step::Plan).await?;
            super::apply::tell_start(screen, project).await?;
            Ok(Exit::Done)
        }
        Wish::One(step) => one(screen, project, step).await.map(|_| Exit::Done),
        Wish::Load => load(screen, project).await,
        Wish::Retry(strict) => retry(screen, project, strict).await,
        Wish::Reconcile(wish) if wish.again => reconcile_again(screen, project, wish.strict).await,
        Wish::Reconcile(wish) => reconcile(screen, project, wish.strict).await,
        Wish::Report(strict) => {
            one(screen, project, Step::Report).await?;
            tell_report(screen, project, strict).await
        }
    }
}

/// What an earlier start left behind: how much is written, and what is in doubt. Sends no request.
pub(crate) async fn tell_found(screen: &Screen, project: &Project) -> Result<(), Failure> {
    if let Some(found) = pipeline::load::found(&project.context).await.map_err(worker::StepError::from)? {
        screen.say(found_line(&found));
        screen.event(json!({
            "type": "found",
            "settled": found.settled,
            "planned": found.planned,
            "in_doubt": found.in_doubt,
        }));
    }
    Ok(())
}

/// `Found       61 % loaded (1,204 of 1,973 writes), 3 in doubt`.
fn found_line(found: &pipeline::load::Found) -> String {
    // Rounded down: what is not wholly there is not shown as if it were.
    let percent = (found.settled * 100).checked_div(found.planned).unwrap_or(100).min(100);
    format!(
        "Found       {percent} % loaded ({} of {} writes), {} in doubt",
        words::count(found.settled),
        words::count(found.planned),
        words::count(found.in_doubt)
    )
}

pub(super) async fn one(screen: &Screen, project: &Project, step: Step) -> Result<StepReport, Failure> {
    let report = worker::run_step(&project.context, step).await?;
    tell(screen, project, step, &report);
    Ok(report)
}

async fn load(screen: &Screen, project: &Project) -> Result<Exit, Failure> {
    loop {
        match conduct::next(&worker::look(&project.context).await?) {
            Next::Run(step @ (Step::Load(_) | Step::Reconcile(_))) => {
                one(screen, project, step).await?;
            }
            Next::Run(Step::Finish | Step::Report | Step::Handoff) | Next::Nothing => {
                screen.say("Every wave is loaded and proven");
                return Ok(Exit::Done);
            }
            Next::Decision(wave) => return Err(not_proven(wave)),
            Next::Confirmation => return Err(not_confirmed()),
            Next::Run(step) => {
                return Err(Failure::new(
                    &catalogue::OUT_OF_ORDER,
                    format!("nothing can be loaded before {step}"),
                )
                .then(format!("deskferry {}", step.name())));
            }
        }
    }
}

async fn retry(screen: &Screen, project: &Project, strict: Strict) -> Result<Exit, Failure> {
    let ctx = &project.context;
    let step = |error| worker::StepError::from(error);
    let refused = pipeline::load::refused(ctx).await.map_err(step)?;
    if refused == 0 {
        screen.say("Nothing to do: Gorgias refused no record of this run");
        return Ok(Exit::Done);
    }
    pipeline::approval::holding(ctx).await.map_err(worker::StepError::from)?;
    let attempt = pipeline::load::next_attempt(ctx).await.map_err(step)?;
    screen.say(format!("Attempt {attempt}: {} were refused", words::plural(refused, "write", "writes")));
    let shown = worker::look(ctx).await?;
    for wave in Wave::ALL.into_iter().filter(|wave| shown.done.contains(&Step::Load(*wave))) {
        let report = pipeline::load::retry(ctx, wave, attempt).await.map_err(step)?;
        tell(screen, project, Step::Load(wave), &report);
    }
    let left = pipeline::load::refused(ctx).await.map_err(step)?;
    screen.say(match left {
        0 => "Every record is written".to_owned(),
        left => format!("{} refused again", words::plural(left, "write is", "writes are")),
    });
    screen.event(json!({ "type": "retry", "attempt": attempt, "refused_before": refused, "refused": left }));
    let exit = compare_again(screen, project, strict).await?;
    Ok(if left > 0 { Exit::SomeFailed } else { exit })
}

/// A wave that has no good verdict yet is compared for it; the others are read once more.
pub(crate) async fn compare_again(
    screen: &Screen,
    project: &Project,
    strict: Strict,
) -> Result<Exit, Failure> {
    let shown = worker::look(&project.context).await?;
    let is_proven = Wave::ALL.iter().all(|wave| {
        shown.gates[conduct::place(*wave)] == conduct::Gate::Passed
            || !shown.done.contains(&Step::Load(*wave))
    });
    if is_proven {
        once_more(screen, project, strict, true).await
    } else {
        reconcile(screen, project, strict).await
    }
}

async fn reconcile(screen: &Screen, project: &Project, strict: Strict) -> Result<Exit, Failure> {
    let shown = worker::look(&project.context).await?;
    let loaded: Vec<Wave> =
        Wave::ALL.into_iter().filter(|wave| shown.done.contains(&Step::Load(*wave))).collect();
    if loaded.is_empty() {
        return Err(Failure::new(&catalogue::OUT_OF_ORDER, "there is nothing to compare: no wave is loaded")
            .then("deskferry load"));
    }
    for wave in loaded {
        one(screen, project, Step::Reconcile(wave)).await?;
    }
    let differs = matches!(conduct::next(&worker::look(&project.context).await?), Next::Decision(_));
    Ok(if strict.strict && differs { Exit::Differences } else { Exit::Done })
}

async fn reconcile_again(screen: &Screen, project: &Project, strict: Strict) -> Result<Exit, Failure> {
    once_more(screen, project, strict, false).await
}

/// `was_written` after something was written once more: second records that came of it are taken out of the way.
async fn once_more(
    screen: &Screen,
    project: &Project,
    strict: Strict,
    was_written: bool,
) -> Result<Exit, Failure> {
    let ctx = &project.context;
    let mut tell_wave = |wave, report: &StepReport| tell(screen, project, Step::Reconcile(wave), report);
    let compared = reconcile::everything::everything(ctx, was_written, &mut tell_wave).await;
    let compared = compared.map_err(worker::StepError::from)?;
    let (different, holds) = (compared.different, compared.is_right());
    screen.say(match different {
        0 if holds => "Gorgias still holds what the run wrote".to_owned(),
        0 => "There was nothing to compare, which proves nothing".to_owned(),
        1 => "1 field differs since the run was proven".to_owned(),
        many => format!("{} fields differ since the run was proven", words::count(many)),
    });
    if compared.people > 0 {
        screen.say(format!(
            "  people    {} of records on which other users or customers acted since: theirs, and no damage",
            words::plural(compared.people, "field", "fields")
        ));
    }
    if compared.damage > 0 {
        screen.say(format!(
            "  damage    {} of records on which nobody else acted: deskferry repair plan says what can be mended",
            words::plural(compared.damage, "field", "fields")
        ));
    }
    screen.event(json!({
        "type": "compared_again",
        "fields_different": different,
        "fields_of_people": compared.people,
        "fields_damaged": compared.damage,
        "holds": holds,
    }));
    Ok(if strict.strict && !holds { Exit::Differences } else { Exit::Done })
}

/// Shows the newest report and says by the exit code how the run went.
async fn tell_report(screen: &Screen, project: &Project, strict: Strict) -> Result<Exit, Failure> {
    let Some(latest) = report::latest(&project.context).await? else { return Ok(Exit::Done) };
    let summary = &latest.report.summary;
    for line in figures::lines(summary, None) {
        screen.say(line);
    }
    let folder = project.config.store.of(latest.folder.as_str());
    screen.say(format!("Report      {folder}"));
    screen.event(json!({
        "type": "report",
        "folder": folder,
        "verdict": summary.verdict,
        "fields_different": summary.fields_different,
        "fields_explained": summary.fields_explained,
    }));
    let failed: u64 = summary.objects.values().map(|counts| counts.failed).sum();
    Ok(if strict.strict && summary.fields_different > 0 {
        Exit::Differences
    } else if failed > 0 {
        Exit::SomeFailed
    } else {
        Exit::Done
    })
}

/// Says what a step did.
pub(crate) fn tell(screen: &Screen, project: &Project, step: Step, report: &StepReport) {
    for finding in &report.findings {
        screen.finding(&finding.code, finding.count, &finding.text);
    }
    screen.step_done(step.name());
    let how = if report.was_done { "was done already" } else { "done" };
    let head = format!("{:<21} {how}", step.to_string());
    for line in folded(&head, &report.records) {
        screen.say(line);
    }
    screen.event(json!({
        "type": "step_done",
        "step": step.name(),
        "wave": step.wave().map(Wave::as_str),
        "was_done": report.was_done,
        "records": report.records,
    }));
    if step == Step::Discover {
        let scope = project.place(&format!("runs/{}/{}", project.run(), scope_document::MARKDOWN));
        screen.say(format!("Scope       {scope}"));
        screen.event(json!({ "type": "scope", "document": scope }));
    }
    if let Some(requests) = report.records.get(FLOOR_RECORD).filter(|_| step == Step::Plan) {
        let seconds = load_plan::bound_seconds(*requests, &project.config.gorgias.bucket);
        screen.say(format!(
            "Forecast    {} requests at the least, {} at the rate limit of the account",
            words::count(*requests),
            words::duration(seconds),
        ));
        screen.event(json!({ "type": "forecast", "requests_floor": requests, "bound_seconds": seconds }));
    }
}

/// The counts behind the head, on as many lines as they need.
fn folded(head: &str, records: &BTreeMap<String, u64>) -> Vec<String> {
    let mut lines = vec![head.to_owned()];
    let mut separator = ": ";
    for (kind, count) in records {
        let item = format!("{kind} {}", words::count(*count));
        let line = lines.last_mut().filter(|line| line.chars().count() + item.len() < LINE_CHARS);
        match line {
            Some(line) => *line = format!("{line}{separator}{item}"),
            None => lines.push(format!("{:<INDENT$}{item}", "")),
        }
        separator = ", ";
    }
    lines
}

/// The one command to run next.
pub(crate) async fn say_next(screen: &Screen, project: &Project) -> Result<(), Failure> {
    let (command, why) = next_command(&project.lake(), conduct::next(&worker::look(&project.context).await?));
    screen.next(&command, why);
    Ok(())
}

/// The command for what comes next, and why.
pub(crate) fn next_command(lake: &str, next: Next) -> (String, &'static str) {
    match next {
        Next::Run(Step::Prepare) => ("deskferry run".to_owned(), "writes to Gorgias, wave by wave"),
        Next::Run(Step::Finish) => {
            ("deskferry run".to_owned(), "switches on again what was paused, then reports")
        }
        Next::Run(step) => (format!("deskferry {}", step.name()), ""),
        Next::Confirmation => {
            ("deskferry map review".to_owned(), "look at it; then deskferry map approve --by \"YOUR NAME\"")
        }
        Next::Decision(_) => ("deskferry report".to_owned(), "what differs, record by record"),
        Next::Nothing => (format!("snapshot ls --lake {lake}"), "every table of the run"),
    }
}

/// A wave was not found right.
pub(crate) fn not_proven(wave: Wave) -> Failure {
    Failure::new(&catalogue::BAD_VERDICT, format!("wave {wave} is not proven, so no further wave opens"))
        .fix("look at the differences in the report; mend them, or accept their codes in migration.toml under [accept] findings")
        .then("deskferry report")
}

/// Nobody approved the mapping.
pub(crate) fn not_confirmed() -> Failure {
    Failure::new(&catalogue::NOT_CONFIRMED, "the mapping of this run is not approved")
        .then("deskferry map approve --by \"YOUR NAME\"")
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    #[test]
    fn counts_are_folded() {
        let records: BTreeMap<String, u64> =
            (1_u64..=6).map(|n| (format!("want_gorgias_table_{n}"), n * 1_000)).collect();
        expect![[r#"
            transform             done: want_gorgias_table_1 1,000, want_gorgias_table_2 2,000
                                    want_gorgias_table_3 3,000, want_gorgias_table_4 4,000
                                    want_gorgias_table_5 5,000, want_gorgias_table_6 6,000"#]]
        .assert_eq(&folded("transform             done", &records).join("\n"));
        assert_eq!(folded("plan done", &BTreeMap::new()), ["plan done"]);
    }

    #[test]
    fn what_a_start_finds_is_rounded_down() {
        let line =
            |settled, planned, in_doubt| found_line(&pipeline::load::Found { settled, planned, in_doubt });
        assert_eq!(line(1_204, 1_973, 3), "Found       61 % loaded (1,204 of 1,973 writes), 3 in doubt");
        assert_eq!(line(1_999, 2_000, 0), "Found       99 % loaded (1,999 of 2,000 writes), 0 in doubt");
        assert_eq!(line(0, 0, 0), "Found       100 % loaded (0 of 0 writes), 0 in doubt");
    }

    #[test]
    fn what_comes_next_is_one_command() {
        let command = |next| next_command("run/acme", next).0;
        assert_eq!(command(Next::Run(Step::Propose)), "deskferry propose");
        assert_eq!(command(Next::Run(Step::Load(Wave::Leads))), "deskferry load");
        assert_eq!(command(Next::Confirmation), "deskferry map review");
        assert_eq!(command(Next::Nothing), "snapshot ls --lake run/acme");
    }
}
