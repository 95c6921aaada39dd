//! `run --sample`: opens the run of a sample, or makes one from the run that is decided and not yet written.
//!
//! Deliberately absent: running it, which is the same as for every run.

use jiff::Timestamp;
use pipeline::conduct::{self, Next, Step};
use pipeline::context::Context;
use pipeline::rollback;
use pipeline::sample::{self, WishV1};
use pipeline::worker;
use serde_json::json;
use snapshot::RunId;

use super::confirm::{self, Approval};
use super::steps;
use crate::arguments::Common;
use crate::failure::{Failure, catalogue};
use crate::interrupt::Interrupt;
use crate::project::Project;
use crate::run_id;
use crate::runs::{RunState, Runs, Wanted};
use crate::screen::Screen;

/// Opens the sample: the one that is under way, or a new one.
pub(super) async fn open(
    screen: &Screen,
    common: &Common,
    interrupt: &Interrupt,
    approval: Option<&Approval<'_>>,
    size: u32,
    seed: Option<u64>,
) -> Result<Project, Failure> {
    let whole = Project::open(screen, common, "run", Wanted::UnfinishedOrNew).await?;
    let ctx = &whole.context;
    if let Some(held) = sample::wish(ctx).await.map_err(worker::StepError::from)? {
        return go_on(screen, whole, &held, size, seed);
    }
    whole.work(screen, interrupt, decided(screen, &whole, approval)).await?;
    if let Some((run, held)) = same(ctx, size, seed).await? {
        tell(screen, run.as_str(), &held);
        drop(whole);
        return reopened(screen, common, &run).await;
    }
    let runs = Runs { store: &*ctx.store, migration: &ctx.migration };
    if runs.is_prepared(ctx.run.as_str()).await? {
        let what = format!("run {} writes already, and a sample comes before", ctx.run);
        return Err(Failure::new(&catalogue::OUT_OF_ORDER, what).then("deskferry run"));
    }
    let mut all = runs.list().await?;
    let mut samples = 0;
    for run in &all {
        samples += u64::from(runs.sample(run).await?.is_some_and(|held| held.of == ctx.run.as_str()));
    }
    let now = Timestamp::now();
    let seed = seed.unwrap_or(samples + 1);
    let wish = WishV1 { of: ctx.run.to_string(), size, seed, asked_at: now };
    let today = now.to_zoned(screen.look().zone.clone()).date();
    let run = loop {
        let run = run_id::next(&all, today)?;
        match sample::begin(ctx, &run, &wish).await {
            // A start that was killed left the name to a sample of other numbers.
            Err(sample::SampleError::Another { .. }) => all.push(run),
            begun => {
                begun.map_err(worker::StepError::from)?;
                break run;
            }
        }
    };
    tell(screen, run.as_str(), &wish);
    // The lock is given back before it is taken again.
    drop(whole);
    reopened(screen, common, &run).await
}

async fn reopened(screen: &Screen, common: &Common, run: &RunId) -> Result<Project, Failure> {
    let common = Common { run: Some(run.to_string()), ..common.clone() };
    Project::open(screen, &common, "run", Wanted::Any).await
}

/// The newest sample of this run with these numbers that nobody took back.
async fn same(ctx: &Context, size: u32, seed: Option<u64>) -> Result<Option<(RunId, WishV1)>, Failure> {
    let runs = Runs { store: &*ctx.store, migration: &ctx.migration };
    for run in runs.list().await?.into_iter().rev() {
        let Some(held) = runs.sample(&run).await? else { continue };
        let is_same = held.of == ctx.run.as_str() && held.size == size;
        let of_sample = Context { run: run.clone(), ..ctx.clone() };
        if is_same
            && seed.is_none_or(|seed| seed == held.seed)
            && rollback::of_this_run(&of_sample).await?.is_none()
        {
            return Ok(Some((run, held)));
        }
    }
    Ok(None)
}

fn tell(screen: &Screen, run: &str, wish: &WishV1) {
    let WishV1 { of, size, seed, .. } = wish;
    screen.say(format!("Sample      run {run} over at most {size} tickets of run {of}, seed {seed}"));
    screen.event(json!({ "type": "sample", "run": run, "of": of, "size": size, "seed": seed }));
}

/// A sample that is under way goes on; one of other numbers has to end first.
fn go_on(
    screen: &Screen,
    held: Project,
    wish: &WishV1,
    size: u32,
    seed: Option<u64>,
) -> Result<Project, Failure> {
    let run = held.run().to_string();
    let is_meant = wish.size == size && seed.is_none_or(|seed| seed == wish.seed);
    if is_meant || held.state == RunState::Finished {
        tell(screen, &run, wish);
        return Ok(held);
    }
    let WishV1 { size, seed, .. } = wish;
    let what = format!("sample {run} of size {size} and seed {seed} is under way");
    Err(Failure::new(&catalogue::OUT_OF_ORDER, what)
        .with_why("two samples at once would be taken for one")
        .fix(format!("end it: deskferry run --run {run}"))
        .then(format!("deskferry run --sample {size} --seed {seed}")))
}

/// Whether the run is a sample.
pub(super) async fn is_one(project: &Project) -> Result<bool, Failure> {
    Ok(sample::wish(&project.context).await.map_err(worker::StepError::from)?.is_some())
}

/// What can be done with a sample that is written.
pub(super) fn say_next(screen: &Screen, project: &Project) {
    let run = project.run();
    screen.say(format!("To compare by hand: deskferry spotcheck new --run {run}"));
    screen.say("To move everything: deskferry run, which takes over what the sample wrote");
    screen.next(&format!("deskferry rollback plan --run {run}"), "takes the sample back without a trace");
}

/// Everything up to the approval.
pub(super) async fn decided(
    screen: &Screen,
    project: &Project,
    approval: Option<&Approval<'_>>,
) -> Result<(), Failure> {
    loop {
        match conduct::next(&worker::look(&project.context).await?) {
            Next::Run(step @ (Step::Discover | Step::Propose)) => {
                steps::one(screen, project, step).await?;
            }
            Next::Confirmation => {
                let approval = approval.ok_or_else(steps::not_confirmed)?;
                confirm::approve(screen, project, approval).await?;
            }
            _ => return Ok(()),
        }
    }
}
