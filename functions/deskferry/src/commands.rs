//! One module per command; commands that share everything but the step they run share a module.

mod acknowledge;
mod agree;
mod apply;
mod cloud;
mod completions;
mod confirm;
mod cutover;
mod delta;
mod demo;
mod doctor;
mod estimate;
pub(crate) mod explain;
mod handoff;
mod init;
mod map;
mod proposal;
mod rehearse;
mod remote;
mod repair;
mod rollback;
mod run;
mod sample;
mod schema;
mod spotcheck;
mod status;
mod steps;
mod tables;
mod trace;
mod twin;

use std::future::Future;
use std::time::Duration;

use pipeline::conduct::Step;

use crate::arguments::{Arguments, Command};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::screen::Screen;

/// Time that threads get which still read or write files when a command has ended.
const LEFT_BEHIND_MAX: Duration = Duration::from_secs(2);

/// Runs the command and says how it ended.
pub(crate) fn dispatch(screen: &Screen, arguments: &Arguments) -> Result<Exit, Failure> {
    let common = &arguments.common;
    match &arguments.command {
        Command::Demo(demo) => demo::run(screen, common, demo),
        Command::Init(init) => init::run(screen, common, init),
        Command::Explain(explain) => explain::run(screen, explain),
        Command::Schema(schema) => schema::run(schema),
        Command::Completions(completions) => Ok(completions::run(completions)),
        Command::Twin(twin) => twin::run(screen, twin),
        Command::Run(run) => run::run(screen, common, run),
        Command::Rehearse(rehearse) => rehearse::run(screen, common, rehearse),
        Command::Doctor => doctor::run(screen, common),
        Command::Acknowledge(acknowledge) => acknowledge::run(screen, common, acknowledge),
        Command::Discover => steps::run(screen, common, steps::Wish::One(Step::Discover)),
        Command::Map(map) => map::run(screen, common, &map.deed),
        Command::Propose => steps::run(screen, common, steps::Wish::One(Step::Propose)),
        Command::Estimate(wish) => estimate::run(screen, common, wish),
        Command::Confirm(confirm) => confirm::run(screen, common, confirm),
        Command::Prepare => steps::run(screen, common, steps::Wish::One(Step::Prepare)),
        Command::Extract => steps::run(screen, common, steps::Wish::One(Step::Extract)),
        Command::Transform => steps::run(screen, common, steps::Wish::One(Step::Transform)),
        Command::Plan(wish) => apply::plan(screen, common, wish),
        Command::Apply(wish) => apply::run(screen, common, wish),
        Command::Load => steps::run(screen, common, steps::Wish::Load),
        Command::Retry(retry) => steps::run(screen, common, steps::Wish::Retry(retry.strict)),
        Command::Reconcile(reconcile) => steps::run(screen, common, steps::Wish::Reconcile(*reconcile)),
        Command::Delta(delta) => delta::run(screen, common, delta),
        Command::Repair(deed) => repair::run(screen, common, &deed.deed),
        Command::Cutover(deed) => cutover::run(screen, common, &deed.deed),
        Command::Report(strict) => steps::run(screen, common, steps::Wish::Report(*strict)),
        Command::SpotCheck(wish) => spotcheck::run(screen, common, &wish.deed),
        Command::Handoff(wish) => handoff::run(screen, common, wish),
        Command::Rollback(deed) => rollback::run(screen, common, &deed.deed),
        Command::Status => status::run(screen, common),
        Command::Where(wish) => trace::find(screen, common, wish),
        Command::Why(wish) => trace::explain(screen, common, wish),
        Command::Aws(aws) => cloud::run(screen, common, &aws.deed),
    }
}

/// Runs a command that waits for something. What still runs at the end is left behind: it changes nothing any more.
fn in_runtime<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let outcome = runtime.block_on(work);
    runtime.shutdown_timeout(LEFT_BEHIND_MAX);
    outcome
}
