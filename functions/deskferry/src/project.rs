//! One migration, opened: its configuration, its lock, its run, its ports and its logs.
//!
//! Deliberately absent: steps. Whatever is open here is open for every command alike.

use std::fs::{File, OpenOptions};
use std::future::Future;
use std::io::LineWriter;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use connectors::clock::RealClock;
use connectors::config::{Config, ConfigError};
use connectors::connect::{self, Surroundings};
use connectors::http::log::{HttpLog, NdjsonLog, NoLog};
use connectors::place::StorePlace;
use jiff::Timestamp;
use pipeline::carried;
use pipeline::context::Context;
use pipeline::ports::clock::Clock;
use pipeline::ports::queue::Queue;
use pipeline::ports::store::Store;
use pipeline::stop::{self, Ended};
use snapshot::RunId;

use crate::arguments::Common;
use crate::failure::{Failure, catalogue};
use crate::interrupt::{self, Interrupt};
use crate::lock::{self, Lock};
use crate::records::{HTTP_FILE, Records};
use crate::runs::{self, RunState, Runs, Wanted};
use crate::screen::Screen;
use crate::{clean, words};

/// Folder for spills, beside the folders of the migrations, so that no listing of the store ever meets it.
const SCRATCH_FOLDER: &str = ".scratch";

/// Time that the writes under way get; longer than any answer takes that is not lost.
const DRAIN_MAX: Duration = Duration::from_secs(35);

/// A migration that nobody else works on as long as this lives.
pub(crate) struct Project {
    /// What steps are given.
    pub(crate) context: Context,
    /// What wakes workers.
    pub(crate) queue: Arc<dyn Queue>,
    /// The configuration.
    pub(crate) config: Config,
    /// How far the run was when it was opened.
    pub(crate) state: RunState,
    scratch: PathBuf,
    // Given back when this is dropped.
    _lock: Lock,
}

impl Project {
    /// Reads the configuration, takes the lock, chooses the run and connects; sends no request.
    pub(crate) async fn open(
        screen: &Screen,
        common: &Common,
        command: &str,
        wanted: Wanted,
    ) -> Result<Self, Failure> {
        let config = read_config(&common.config).await?;
        let now = Timestamp::now();
        let lock = lock::acquire(&folder(&config), command, now, &screen.look().zone)?;
        let today = now.to_zoned(screen.look().zone.clone()).date();
        let store = connect::open_store(&config.store).await?;
        let runs = Runs { store: &*store, migration: &config.migration };
        let chosen = runs.choose(common.run.as_deref(), wanted, today).await?;
        screen.say(format!("Run {} of migration {} ({})", chosen.run, config.migration, chosen.state));
        let state = chosen.state;
        let run_folder = runs::folder_of(&folder(&config), &chosen.run);
        screen.record(Records::open(&run_folder)?);
        let scratch = scratch(&config);
        empty_folder(&scratch)?;
        let log: Arc<dyn HttpLog> = Arc::new(NdjsonLog::new(http_log(&run_folder)?));
        let clock: Arc<dyn Clock> = Arc::new(RealClock::new());
        let queue = connect::open_queue(&config.queue, Arc::clone(&clock)).await?;
        let surroundings = Surroundings { clock, progress: screen.progress(), log };
        let mut context = connect::connect(&config, chosen.run, scratch.clone(), store, surroundings)?;
        carried::keep_settings(&context, &Config::text(&common.config).map_err(refused)?)
            .await
            .map_err(not_carried)?;
        // As long as this process lives, no other one of this migration sends anything: what an earlier one announced is
        // old, whatever its clock said. A bucket is open to others.
        context.limits.ledger.is_exclusive = matches!(config.store, StorePlace::Folder(_));
        let bucket = config.gorgias.bucket;
        let per_second = f64::from(bucket.capacity) / bucket.window.as_secs_f64();
        screen.pace(format!("{} req/s", (per_second * 10.0).round() / 10.0));
        screen.say(format!(
            "Contacting {} and {}, at most {} there",
            shown(&config.leaddesk.original_api_url),
            shown(&config.gorgias.base_url),
            words::rate(per_second),
        ));
        Ok(Self { context, queue, config, state, scratch, _lock: lock })
    }

    /// Does some work, or stops between two writes when somebody asks to.
    pub(crate) async fn work<T>(
        &self,
        screen: &Screen,
        interrupt: &Interrupt,
        work: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        let asked = async {
            interrupt.requested().await;
            interrupt::say_stopping(screen);
        };
        let all_ended = match stop::until(&self.context.stop, work, asked, DRAIN_MAX).await {
            Ended::Itself(outcome) => return outcome,
            Ended::Asked { is_settled } => is_settled,
        };
        let how = if all_ended {
            "every request was answered"
        } else {
            "some requests are in doubt and will be looked up"
        };
        Err(Failure::new(&catalogue::INTERRUPTED, format!("run {} was interrupted; {how}", self.run())))
    }

    /// Where something of the migration stands in the store, as a person would open it.
    pub(crate) fn place(&self, rest: &str) -> String {
        self.config.store.of(&format!("{}/{rest}", self.config.migration))
    }

    /// The lake, as the `snapshot` command takes it.
    pub(crate) fn lake(&self) -> String {
        self.config.store.of(&self.config.migration)
    }

    /// The run.
    pub(crate) fn run(&self) -> &RunId {
        &self.context.run
    }
}

/// The ports of a run without its lock and logs, for commands that only look.
pub(crate) fn look(
    screen: &Screen,
    config: &Config,
    run: RunId,
    store: Arc<dyn Store>,
) -> Result<Context, Failure> {
    let (clock, log) = (Arc::new(RealClock::new()), Arc::new(NoLog));
    let surroundings = Surroundings { clock, progress: screen.progress(), log };
    Ok(connect::connect(config, run, scratch(config), store, surroundings)?)
}

fn scratch(config: &Config) -> PathBuf {
    config.workspace.join(SCRATCH_FOLDER).join(&config.migration)
}

fn not_carried(error: carried::CarryError) -> Failure {
    Failure::new(&catalogue::STORE, "cannot keep the settings of the run").because_of_source(&error)
}

impl Drop for Project {
    fn drop(&mut self) {
        // Spills hold personal data; what cannot be removed now is removed at the next start.
        std::fs::remove_dir_all(&self.scratch).ok();
    }
}

/// Reads and checks `migration.toml`.
pub(crate) async fn read_config(path: &Path) -> Result<Config, Failure> {
    connect::read_config(path).await.map_err(|error| refused(error).seen_in(path.display().to_string()))
}

fn refused(error: ConfigError) -> Failure {
    let entry = catalogue::find(error.code()).unwrap_or(&catalogue::CONFIG_FORM);
    Failure::new(entry, error.to_string()).because_of_source(&error).fix(error.fix())
}

/// Folder of what this machine keeps of the migration; in a local store it is the migration's own.
pub(crate) fn folder(config: &Config) -> PathBuf {
    config.workspace.join(&config.migration)
}

/// An address as it may be shown: credentials and parameters are refused when the configuration is read, and cut here too.
pub(crate) fn shown(url: &impl ToString) -> String {
    let text = url.to_string();
    let end = text.find(['?', '#']).unwrap_or(text.len());
    clean::line(text[..end].trim_end_matches('/')).into_owned()
}

fn empty_folder(folder: &Path) -> std::io::Result<()> {
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    std::fs::create_dir_all(folder)
}

/// Where the requests of a run are written.
pub(crate) fn http_log(run_folder: &Path) -> std::io::Result<LineWriter<File>> {
    let file = OpenOptions::new().create(true).append(true).open(run_folder.join(HTTP_FILE))?;
    Ok(LineWriter::new(file))
}
