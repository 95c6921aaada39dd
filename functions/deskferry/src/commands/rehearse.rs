//! `rehearse`: the whole migration, read back, taken back and loaded again, against a stand-in of the real account.
//!
//! The real account is read by the same client as always and never written to: no context that writes has it as its
//! destination. Deliberately absent: going on with a rehearsal that was interrupted, since its stand-in is gone; what
//! LeadDesk answered is taken over.

use std::collections::BTreeMap;

use migration::load_plan;
use migration::pacer::Bucket;
use pipeline::conduct::Step;
use pipeline::context::Context;
use pipeline::rehearsal::{self, AgainV1, Came, FedV1, RehearsalV1, StoredRehearsal, TakenBackV1, Told};
use pipeline::report::{self, Latest, page::RemarkV1};
use pipeline::step::StepReport;
use pipeline::worker;
use serde_json::json;
use snapshot::RunId;

use super::confirm::Approval;
use super::{sample, steps};
use crate::arguments::{Common, Rehearse};
use crate::exit::Exit;
use crate::failure::{Failure, catalogue};
use crate::interrupt;
use crate::project::Project;
use crate::rehearsal::compare::{self, Records};
use crate::rehearsal::{self as staging, Feeding, Stage, StandIn};
use crate::runs::{Runs, Wanted};
use crate::screen::Screen;
use crate::{clean, run_id, words};

/// A wave was not found right.
const WAVE: &str = "REH201";
/// After taking it back the account is not as it was.
const NOT_RESTORED: &str = "REH202";
/// The second load is not the first one.
const UNEQUAL: &str = "REH203";
/// Something would have reached somebody, or was done that must not be done.
const EFFECTS: &str = "REH204";
/// The real account was asked to change something.
const WRITTEN: &str = "REH205";
/// Fields cannot be deleted at Gorgias, and stay archived: no residue of ours.
const FIELD_STAYS: &str = "ROL110";

/// Runs a rehearsal, or removes all of them.
pub(crate) fn run(screen: &Screen, common: &Common, arguments: &Rehearse) -> Result<Exit, Failure> {
    if !(arguments.time_scale.is_finite() && arguments.time_scale >= 1.0) {
        return Err(Failure::new(&catalogue::BAD_ARGUMENT, "--time-scale must be a number of at least 1"));
    }
    super::in_runtime(async {
        let interrupt = interrupt::listen()?;
        let project = Project::open(screen, common, "rehearse", Wanted::UnfinishedOrNew).await?;
        if arguments.remove {
            let count = staging::remove_all(&project.config)?;
            screen.say(format!("Removed     {}", words::plural(count as u64, "rehearsal", "rehearsals")));
            return Ok(Exit::Done);
        }
        let approval =
            arguments.yes.then_some(Approval { by: &arguments.by, unasked: true, may_ask: !common.no_input });
        let played = async {
            ready(screen, &project, approval.as_ref()).await?;
            play(screen, &project, arguments.time_scale).await
        };
        let told = project.work(screen, &interrupt, played).await?;
        Ok(ended(screen, &told))
    })
}

/// Decides what is not decided, and refuses a run that writes already.
async fn ready(screen: &Screen, project: &Project, approval: Option<&Approval<'_>>) -> Result<(), Failure> {
    let ctx = &project.context;
    pipeline::sample::refuse(ctx, "a rehearsal").await.map_err(worker::StepError::from)?;
    sample::decided(screen, project, approval).await?;
    let runs = Runs { store: &*ctx.store, migration: &ctx.migration };
    if runs.is_prepared(ctx.run.as_str()).await? {
        let what = format!("run {} writes already, and a rehearsal comes before", ctx.run);
        return Err(Failure::new(&catalogue::OUT_OF_ORDER, what).then("deskferry run"));
    }
    Ok(())
}

/// Everything in its order, from the first look at the account to the report.
async fn play(screen: &Screen, project: &Project, scale: f64) -> Result<RehearsalV1, Failure> {
    let whole = &project.context;
    let began_at = whole.clock.now();
    let stage = Stage::new(&project.config, whole)?;
    let number = stage.number;
    screen.say(format!("Rehearsal   {number}, in {}; the real account is only read", stage.folder.display()));
    let reading = stage.reading(screen, &whole.run).await?;
    rehearsal::take_over(whole, &reading).await?;
    take_answers(screen, &stage, &reading).await?;

    let look = stage.look(screen, &whole.run).await?;
    let (feeding, fed) = fed(screen, project, &look, &reading, scale).await?;
    let stand_in = feeding.start().await?;
    let before = compare::everything(&stand_in.twin.dump());
    let players = Players { screen, project, stage: &stage, stand_in: &stand_in };
    let (first, came) = players.load(&whole.run).await?;
    let latest = report_of(&first).await?;
    let loaded = compare::ours(&stand_in.twin.dump());
    let taken_back = players.take_back(&first, &before).await?;
    let again = match came {
        Came::Wrong(_) => None,
        Came::ToReport => Some(players.again(&first, &loaded).await?),
    };
    let account = latest.report.account.clone().unwrap_or_default();
    let requests = latest.report.summary.requests;
    let mut told = RehearsalV1 {
        number,
        run: whole.run.to_string(),
        account,
        began_at,
        ended_at: whole.clock.now(),
        time_scale: scale,
        fed,
        seconds_at_limit: load_plan::bound_seconds(requests, &stand_in.bucket),
        forecast: latest.report.forecast.clone(),
        loaded: latest.report.summary.clone(),
        taken_back,
        again,
        asked: look.destination.usage().requests,
        ledgers: ledgers(&stand_in),
        wrong: Vec::new(),
    };
    told.wrong = wrong(&told, came);
    stand_in.twin.stop().await;
    keep(screen, &stage, &told)?;
    Ok(told)
}

/// What an interrupted rehearsal was answered is not asked again; the rest of it goes.
async fn take_answers(screen: &Screen, stage: &Stage, reading: &Context) -> Result<(), Failure> {
    let Some(folder) = &stage.interrupted else { return Ok(()) };
    let left = stage.left_by(screen, &reading.run, folder).await?;
    rehearsal::take_answers(&left, reading).await?;
    drop(left);
    std::fs::remove_dir_all(folder)?;
    screen.say(
        "            the one before was interrupted and its stand-in is gone; what LeadDesk answered is taken over",
    );
    screen.say("            (deskferry rehearse --remove forgets it)");
    Ok(())
}

/// Reads both accounts, and gives the stand-in what the real one holds.
async fn fed(
    screen: &Screen,
    project: &Project,
    look: &Context,
    reading: &Context,
    scale: f64,
) -> Result<(Feeding, FedV1), Failure> {
    let account = look.destination.account().await.map_err(rehearsal::RehearsalError::from)?;
    let caller = look.destination.service_user().await.map_err(rehearsal::RehearsalError::from)?;
    rehearsal::look(look).await?;
    let told = look.destination.usage().bucket.map(|(_, limit)| limit);
    let configured = project.config.gorgias.bucket;
    let bucket = Bucket { capacity: told.unwrap_or(configured.capacity).max(1), ..configured };
    let mut feeding = Feeding::new(&project.config, &account.domain, caller.id.0, bucket, scale);
    rehearsal::feed(look, &mut |told, json| feeding.take(told, json)).await?;
    for step in [Step::Extract, Step::Transform] {
        let report = worker::run_step(reading, step).await?;
        steps::tell(screen, project, step, &report);
    }
    let take = &mut |told: Told<'_>, json: &str| feeding.take(told, json);
    let in_full = rehearsal::details(look, reading, take).await?;
    let copy = feeding.copy();
    let fed = FedV1 { taken: copy.taken().clone(), left: copy.left().clone(), in_full };
    screen.say(format!(
        "Stand-in    of account {}, {} requests in {}, {scale} times faster",
        clean::line(&account.domain),
        bucket.capacity,
        words::duration(bucket.window.as_secs_f64())
    ));
    Ok((feeding, fed))
}

async fn report_of(ctx: &Context) -> Result<Latest, Failure> {
    let latest = report::latest(ctx).await.map_err(worker::StepError::from)?;
    latest.ok_or_else(|| Failure::new(&catalogue::UNEXPECTED, "the rehearsal made no report"))
}

/// The parts, played on the stage.
struct Players<'a> {
    screen: &'a Screen,
    project: &'a Project,
    stage: &'a Stage,
    stand_in: &'a StandIn,
}

impl Players<'_> {
    /// A whole run against the stand-in, up to its report.
    async fn load(&self, run: &RunId) -> Result<(Context, Came), Failure> {
        let ctx = self.stage.played(self.screen, run, self.stand_in).await?;
        let mut tell = |step: Step, report: &StepReport| steps::tell(self.screen, self.project, step, report);
        let came = rehearsal::run(&ctx, &mut tell).await?;
        Ok((ctx, came))
    }

    async fn take_back(&self, ctx: &Context, before: &Records) -> Result<Option<TakenBackV1>, Failure> {
        self.screen.say("Taking back what was loaded, for good");
        let Some(certificate) = rehearsal::take_back(ctx).await? else { return Ok(None) };
        let after = compare::everything(&self.stand_in.twin.dump());
        let different = compare::different(before, &after);
        Ok(Some(TakenBackV1 { certificate, compared: before.len() as u64, different }))
    }

    /// Another run over the same source, after the first one was taken back.
    async fn again(&self, first: &Context, loaded: &Records) -> Result<AgainV1, Failure> {
        self.screen.say("Loading everything once more");
        let day = first.clock.now().to_zoned(self.screen.look().zone.clone()).date();
        let run = run_id::next(std::slice::from_ref(&first.run), day)?;
        let reading = Context { run: run.clone(), ..first.clone() };
        rehearsal::take_over(&self.project.context, &reading).await?;
        rehearsal::take_answers(first, &reading).await?;
        let (second, _) = self.load(&run).await?;
        let latest = report_of(&second).await?;
        let now = compare::ours(&self.stand_in.twin.dump());
        let different = compare::different(loaded, &now);
        Ok(AgainV1 { loaded: latest.report.summary, compared: loaded.len() as u64, different })
    }
}

fn ledgers(stand_in: &StandIn) -> BTreeMap<String, u64> {
    let counts = stand_in.twin.ledgers().counts();
    let told = [
        ("mails", counts.outbox),
        ("invitations", counts.invitations),
        ("billed for certain", counts.billing_certain),
        ("billed perhaps", counts.billing_possible),
        ("violations", counts.violations),
    ];
    told.into_iter().map(|(what, count)| (what.to_owned(), count as u64)).collect()
}

/// Everything that keeps a rehearsal from passing.
fn wrong(told: &RehearsalV1, came: Came) -> Vec<RemarkV1> {
    let mut wrong = Vec::new();
    let mut add = |code: &str, text: String| wrong.push(RemarkV1 { code: code.to_owned(), text });
    if let Came::Wrong(wave) = came {
        add(WAVE, format!("wave {wave} was not found right"));
    } else if told.loaded.verdict != "pass" {
        add(WAVE, format!("the load was found {}", told.loaded.verdict));
    }
    match &told.taken_back {
        None => add(NOT_RESTORED, "nothing was taken back".to_owned()),
        Some(back) => {
            let residue = back.certificate.residue.iter().filter(|it| it.code != FIELD_STAYS).count();
            let left = residue as u64 + back.certificate.unexpected + back.certificate.shown;
            if left > 0 {
                add(NOT_RESTORED, format!("{left} records are left after taking back"));
            }
            if !back.different.is_empty() {
                add(NOT_RESTORED, format!("records are not as before: {}", back.different.join(", ")));
            }
        }
    }
    if let Some(again) = &told.again {
        if again.loaded.verdict != "pass" {
            add(UNEQUAL, format!("the second load was found {}", again.loaded.verdict));
        }
        if !again.different.is_empty() {
            add(UNEQUAL, format!("the second load made other records: {}", again.different.join(", ")));
        }
    }
    for what in ["mails", "invitations", "violations"] {
        let count = told.ledgers.get(what).copied().unwrap_or(0);
        if count > 0 {
            add(EFFECTS, format!("the stand-in counted {count} {what}"));
        }
    }
    for route in told.asked.keys().filter(|route| !route.starts_with("GET ")) {
        add(WRITTEN, format!("the real account was sent {route}"));
    }
    wrong
}

/// Writes the report; with it the rehearsal is over.
fn keep(screen: &Screen, stage: &Stage, told: &RehearsalV1) -> Result<(), Failure> {
    let text = told.lines().join("\n") + "\n";
    std::fs::write(stage.folder.join(staging::TEXT), text)?;
    let stored = StoredRehearsal::V1(Box::new(told.clone()));
    let json = serde_json::to_string_pretty(&stored).map_err(std::io::Error::from)?;
    std::fs::write(stage.folder.join(staging::REPORT), json + "\n")?;
    screen.event(
        json!({ "type": "rehearsal", "number": told.number, "passed": told.is_passed(), "report": told }),
    );
    Ok(())
}

/// Shows the report, and decides the exit code.
fn ended(screen: &Screen, told: &RehearsalV1) -> Exit {
    screen.say("");
    for line in told.lines() {
        screen.say(clean::line(&line).into_owned());
    }
    if !told.is_passed() {
        let failure = Failure::new(&catalogue::REHEARSAL, "the rehearsal did not pass");
        let failure = told
            .wrong
            .iter()
            .fold(failure, |failure, wrong| failure.with_why(format!("{}: {}", wrong.code, wrong.text)));
        screen.fail(&failure);
        return failure.exit();
    }
    screen.next("deskferry run --sample 25", "a few records in the real account, before everything");
    let failed: u64 = told.loaded.objects.values().map(|object| object.failed).sum();
    if failed > 0 { Exit::SomeFailed } else { Exit::Done }
}
