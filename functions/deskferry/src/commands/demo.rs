//! `demo`: a whole migration between stand-ins of both systems, with an honest report.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Instant;

use jiff::Timestamp;
use pipeline::report::SummaryV1;
use pipeline::worker::{self, Rest};
use twins::gorgias::Bucket;

use super::confirm::Approval;
use super::{cutover, delta, rollback, run};
use crate::arguments::{Common, Demo, Strict};
use crate::demo::afterwards;
use crate::demo::folder::{Addresses, DemoFolder};
use crate::exit::Exit;
use crate::failure::{Failure, catalogue};
use crate::figures::{self, Paths};
use crate::interrupt::{self, Interrupt};
use crate::project::Project;
use crate::runs::Wanted;
use crate::screen::Screen;
use crate::stand_in::{self, Keys, Pace};
use crate::{lock, words};

/// How much faster the rate limit's clock runs, so that a demonstration takes seconds. Shown on the screen.
const TIME_SCALE: f64 = 200.0;
/// Who approves; everybody who reads the mapping sees that nobody looked.
const APPROVED_BY: &str = "demo approval";

/// Runs the demonstration.
pub(crate) fn run(screen: &Screen, common: &Common, arguments: &Demo) -> Result<Exit, Failure> {
    screen.say("A whole migration from LeadDesk to Gorgias, between stand-ins on this machine");
    screen.say(format!("Everything is written to {}; nothing leaves this machine", arguments.dir.display()));
    let folder = DemoFolder::claim(&arguments.dir)?;
    let _lock = lock::acquire(folder.path(), "demo", Timestamp::now(), &screen.look().zone)?;
    folder.empty()?;
    super::in_runtime(async {
        let interrupt = interrupt::listen()?;
        let began = Instant::now();
        let world = World::start(screen, &folder, arguments.seed).await?;
        let exit = migrate(screen, common, &folder, &world, &interrupt, began).await?;
        if arguments.keep {
            screen.say(format!(
                "Stand-ins   {} and {}; Ctrl-C stops them",
                world.leaddesk.base_url(),
                world.gorgias.base_url()
            ));
            interrupt.requested().await;
        }
        world.stop().await;
        Ok(exit)
    })
}

/// Both stand-ins.
struct World {
    leaddesk: twins::leaddesk::Running,
    gorgias: twins::gorgias::Running,
}

impl World {
    async fn start(screen: &Screen, folder: &DemoFolder, seed: u64) -> Result<Self, Failure> {
        let keys = Keys::test();
        let account = stand_in::account(seed, None, None)?;
        account.write_files(&folder.operator_files()).map_err(|error| {
            Failure::new(&catalogue::LOCAL_FILES, "cannot write the operator's files").because(&error)
        })?;
        screen.say(format!(
            "Account     seed {seed}: {} contacts, {} leads, {} calls, {} agents, and trouble of every kind planted",
            words::count(account.contact_count() as u64),
            words::count(account.lead_count() as u64),
            words::count(account.call_count() as u64),
            account.users().count(),
        ));
        let pace = Pace { bucket: Bucket::default(), time_scale: TIME_SCALE };
        let loopback = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let preexisting = stand_in::preexisting(&account);
        let gorgias = stand_in::start_gorgias(preexisting, pace, seed, loopback, &keys).await?;
        folder.write_keys(&keys)?;
        let evidence = twins::leaddesk::Profile::Evidence;
        let leaddesk = stand_in::start_leaddesk(account, evidence, loopback, &keys).await?;
        let addresses = Addresses {
            leaddesk: leaddesk.base_url(),
            leaddesk_rest: leaddesk.rest_url(),
            gorgias: gorgias.base_url(),
        };
        folder.write_config(&addresses, pace, &leaddesk.twin().account())?;
        screen.say(format!(
            "Rate limit  {} requests in {} s as documented, with time running {TIME_SCALE} times faster",
            pace.bucket.capacity, pace.bucket.window_seconds,
        ));
        Ok(Self { leaddesk, gorgias })
    }

    async fn stop(self) {
        self.leaddesk.stop().await;
        self.gorgias.stop().await;
    }
}

async fn migrate(
    screen: &Screen,
    common: &Common,
    folder: &DemoFolder,
    world: &World,
    interrupt: &Interrupt,
    began: Instant,
) -> Result<Exit, Failure> {
    let common = Common { config: folder.config(), run: None, ..common.clone() };
    let project = Project::open(screen, &common, "demo", Wanted::UnfinishedOrNew).await?;
    let approval = Approval { by: APPROVED_BY, unasked: true, may_ask: false };
    let rest = project.work(screen, interrupt, run::to_end(screen, &project, Some(&approval))).await?;
    if rest == Rest::Done {
        project.work(screen, interrupt, go_on(screen, &project, folder, world)).await?;
    }
    let ledgers = world.gorgias.ledgers();
    let closing = |screen: &Screen, summary: &SummaryV1, paths: &Paths| {
        screen.say(format!(
            "Time        {} in all; {}",
            words::duration(began.elapsed().as_secs_f64()),
            figures::real_time(summary)
        ));
        screen.say(format!("Try         {}", figures::duckdb(&paths.lake)));
        screen.next("deskferry init", "your own accounts; nothing is written before you approve a mapping");
    };
    let told = run::tell(screen, &project, Some(ledgers.counts()), Some(&closing)).await?;
    let is_proven = told.is_some_and(|told| told.is_proven && told.fields_different == 0);
    Ok(if rest == Rest::Done && is_proven && ledgers.is_empty() { Exit::Done } else { Exit::Error })
}

/// Agents go on working after the load, and so does a colleague in Gorgias: a delta, and what a rollback would do.
async fn go_on(
    screen: &Screen,
    project: &Project,
    folder: &DemoFolder,
    world: &World,
) -> Result<(), Failure> {
    let loaded = world.gorgias.dump();
    let twin = world.leaddesk.twin();
    let told = afterwards::afterwards(&twin.account(), &loaded);
    let told = told.ok_or_else(|| impossible("the account has too few contacts for a delta"))?;
    screen.say(format!("Meanwhile   {} changes in LeadDesk, and one in Gorgias:", told.changes.len()));
    for (_, words) in &told.changes {
        screen.say(format!("  {words}"));
    }
    let changes: Vec<_> = told.changes.iter().map(|(change, _)| change.clone()).collect();
    twin.apply(&changes).map_err(|error| impossible("the stand-in refused a change").because(&error))?;
    twin.account().write_files(&folder.operator_files()).map_err(|error| {
        Failure::new(&catalogue::LOCAL_FILES, "cannot write the operator's files").because(&error)
    })?;
    let rename = afterwards::their_rename(told.renamed_there, &loaded);
    let (path, body) = rename.ok_or_else(|| impossible("a customer that was loaded is not there"))?;
    world
        .gorgias
        .edit(|editor| editor.as_person("PUT", &path, Some(body)))
        .map_err(|_| impossible("the stand-in refused a change of its own people"))?;
    screen.say("Cut-over before the delta:");
    cutover::tell_readiness(screen, project).await;
    let delta = worker::run_delta(&project.context).await?;
    delta::tell(screen, project, &delta, Strict { strict: false });
    screen.say("Cut-over after the delta:");
    cutover::tell_readiness(screen, project).await;
    rollback::plan(screen, project).await?;
    Ok(())
}

fn impossible(text: &str) -> Failure {
    Failure::new(&catalogue::UNEXPECTED, text)
}
