//! `doctor`: whether a migration could begin. Looks at everything although one thing fails, and writes nothing.

use std::path::Path;

use connectors::connect;
use pipeline::doctor::{Check, State};
use serde_json::json;
use snapshot::RunId;

use crate::arguments::Common;
use crate::clean;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::project;
use crate::screen::Screen;
use crate::words;

/// Stands where a run's name would: nothing is kept under it.
const NO_RUN: &str = "2000-01-01-doctor";
/// Free bytes below which a migration may run out of room: snapshots, spills and a copy of what was read.
const FREE_BYTES_MIN: u64 = 2_000_000_000;

/// Looks, and tells what was seen.
pub(crate) fn run(screen: &Screen, common: &Common) -> Result<Exit, Failure> {
    super::in_runtime(async {
        let config = project::read_config(&common.config).await?;
        screen.say(format!(
            "Looking at {} and {}; nothing is written",
            project::shown(&config.leaddesk.original_api_url),
            project::shown(&config.gorgias.base_url),
        ));
        let run: RunId = NO_RUN.parse()?;
        let store = connect::open_store(&config.store).await?;
        let ctx = project::look(screen, &config, run, store)?;
        let mut checks = pipeline::doctor::run(&ctx).await;
        checks.push(disk(&config.workspace));
        for check in &checks {
            tell(screen, check);
        }
        let count = |state| checks.iter().filter(|check| check.state == state).count() as u64;
        let (bad, warnings) = (count(State::Bad), count(State::Warning));
        screen.say(match (bad, warnings) {
            (0, 0) => "A migration can begin".to_owned(),
            (0, some) => {
                format!("A migration can begin; {} to read first", words::plural(some, "warning", "warnings"))
            }
            (some, _) => {
                format!("A migration would stop: {} to mend first", words::plural(some, "thing", "things"))
            }
        });
        screen.event(json!({ "type": "doctor", "bad": bad, "warnings": warnings }));
        if bad == 0 {
            screen.next("deskferry discover", "reads both accounts, writes to neither");
            return Ok(Exit::Done);
        }
        screen.next("deskferry doctor", "when they are mended");
        let is_access = checks.iter().any(|check| check.state == State::Bad && check.is_access);
        Ok(if is_access { Exit::Access } else { Exit::Error })
    })
}

fn tell(screen: &Screen, check: &Check) {
    let mark = match check.state {
        State::Good => "good    ",
        State::Warning => "warning ",
        State::Bad => "bad     ",
        State::NotSeen => "not seen",
    };
    let code = check.code.as_deref().unwrap_or("");
    screen.say(format!("{mark}  {:<26} {code:<6}  {}", check.name, clean::line(&check.text)));
    if let Some(advice) =
        check.advice.as_ref().filter(|_| check.state > State::Good && check.state != State::NotSeen)
    {
        screen.say(format!("{:10}{:<26} {:6}  {}", "", "", "", clean::line(advice)));
    }
    screen.event(json!({
        "type": "check",
        "name": check.name,
        "state": check.state.as_str(),
        "code": check.code,
        "text": check.text,
        "advice": check.advice,
    }));
}

/// Room where spills, and in a local store all snapshots, go.
fn disk(workspace: &Path) -> Check {
    const NAME: &str = "Disk";
    // The folder may not be there yet; room is that of what will hold it.
    let there = workspace.ancestors().find(|folder| folder.exists()).unwrap_or(Path::new("."));
    let there = if there.as_os_str().is_empty() { Path::new(".") } else { there };
    match rustix::fs::statvfs(there) {
        Err(error) => {
            Check::not_good(NAME, State::Warning, "E0302", error.to_string(), "check the folder of the store")
        }
        Ok(room) => {
            let free = room.f_bavail.saturating_mul(room.f_frsize);
            let text = format!("{} MB free in {}", words::count(free / 1_000_000), there.display());
            if free >= FREE_BYTES_MIN {
                Check::good(NAME, text)
            } else {
                Check::not_good(
                    NAME,
                    State::Bad,
                    "E0302",
                    text,
                    "make room: two gigabytes are careful for 100,000 contacts",
                )
            }
        }
    }
}
