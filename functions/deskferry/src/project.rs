//! One migration, opened: its configuration, its lock, its run, its ports and its logs.
//!
//! Deliberately absent: steps. Whatever is open here is open for every command alike.

use std::fs::{File, OpenOptions};
use std::future::Future;
use std::io::LineWriter;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use connectors::config::Config;
use connectors::connect::{Connected, connect};
use connectors::http::log::{HttpLog, NdjsonLog, NoLog};
use jiff::Timestamp;
use pipeline::context::Context;
use pipeline::ports::queue::Queue;
use snapshot::RunId;

use crate::arguments::Common;
use crate::failure::{Failure, catalogue};
use crate::interrupt::{self, Interrupt};
use crate::lock::{self, Lock};
use crate::records::{HTTP_FILE, Records};
use crate::runs::{self, RunState, Wanted};
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
    pub(crate) fn open(
        screen: &Screen,
        common: &Common,
        command: &str,
        wanted: Wanted,
    ) -> Result<Self, Failure> {
        let config = read_config(&common.config)?;
        let now = Timestamp::now();
        let lock = lock::acquire(&folder(&config), command, now, &screen.look().zone)?;
        let today = now.to_zoned(screen.look().zone.clone()).date();
        let chosen = runs::choose(&folder(&config), common.run.as_deref(), wanted, today)?;
        screen.say(format!("Run {} of migration {} ({})", chosen.run, config.migration, chosen.state));
        let state = chosen.state;
        let run_folder = runs::folder_of(&folder(&config), &chosen.run);
        screen.record(Records::open(&run_folder)?);
        let scratch = config.store.join(SCRATCH_FOLDER).join(&config.migration);
        empty_folder(&scratch)?;
        let log: Arc<dyn HttpLog> = Arc::new(NdjsonLog::new(http_log(&run_folder)?));
        let Connected { mut context, queue } =
            connect(&config, chosen.run, scratch.clone(), screen.progress(), log)?;
        // As long as this process lives, no other one of this migration sends anything: what an earlier one announced is
        // old, whatever its clock said.
        context.limits.ledger.is_exclusive = true;
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
        let mut work = pin!(work);
        tokio::select! {
            biased;
            () = interrupt.requested() => {}
            outcome = &mut work => return outcome,
        }
        interrupt::say_stopping(screen);
        self.context.stop.request();
        // The work goes on meanwhile: answers on their way are read, and what they say is stored.
        let quiet = tokio::time::timeout(DRAIN_MAX, self.context.stop.is_quiet());
        let all_ended = tokio::select! {
            biased;
            outcome = &mut work => match outcome {
                Ok(done) => return Ok(done),
                Err(_) => true,
            },
            quiet = quiet => quiet.is_ok(),
        };
        let how = if all_ended {
            "every request was answered"
        } else {
            "some requests are in doubt and will be looked up"
        };
        Err(Failure::new(&catalogue::INTERRUPTED, format!("run {} was interrupted; {how}", self.run())))
    }

    /// The migration's folder in the store.
    pub(crate) fn folder(&self) -> PathBuf {
        folder(&self.config)
    }

    /// The run.
    pub(crate) fn run(&self) -> &RunId {
        &self.context.run
    }
}

/// The ports of a run without its lock and logs, for commands that only look.
pub(crate) fn look(screen: &Screen, config: &Config, run: RunId) -> Result<Context, Failure> {
    let scratch = config.store.join(SCRATCH_FOLDER).join(&config.migration);
    Ok(connect(config, run, scratch, screen.progress(), Arc::new(NoLog))?.context)
}

impl Drop for Project {
    fn drop(&mut self) {
        // Spills hold personal data; what cannot be removed now is removed at the next start.
        std::fs::remove_dir_all(&self.scratch).ok();
    }
}

/// Reads and checks `migration.toml`.
pub(crate) fn read_config(path: &Path) -> Result<Config, Failure> {
    Config::load(path).map_err(|error| {
        let entry = catalogue::find(error.code()).unwrap_or(&catalogue::CONFIG_FORM);
        Failure::new(entry, error.to_string())
            .because_of_source(&error)
            .seen_in(path.display().to_string())
            .fix(error.fix())
    })
}

/// The migration's folder in the store.
pub(crate) fn folder(config: &Config) -> PathBuf {
    config.store.join(&config.migration)
}

/// An address as it may be shown: credentials and parameters are refused when the configuration is read, and cut here too.
fn shown(url: &impl ToString) -> String {
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

fn http_log(run_folder: &Path) -> std::io::Result<LineWriter<File>> {
    let file = OpenOptions::new().create(true).append(true).open(run_folder.join(HTTP_FILE))?;
    Ok(LineWriter::new(file))
}
