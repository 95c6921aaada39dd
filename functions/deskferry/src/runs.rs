//! The runs of a migration as the store shows them: which there are, which is unfinished, which is meant.
//!
//! A run has begun when its settings are stored. Deliberately absent: what a run has done. Steps find that out by
//! themselves; here only its end counts.

use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};

use jiff::civil::Date;
use pipeline::ports::store::{InvalidKey, Key, Store, StoreError};
use pipeline::sample::{self, WishV1};
use snapshot::RunId;

use crate::failure::{Failure, catalogue};
use crate::run_id;

/// Folder of all runs below the migration's folder.
const RUNS_FOLDER: &str = "runs";
/// Folder of the settings of all runs.
const SETTINGS_FOLDER: &str = "settings";
/// Folder of all reports below the migration's folder, by run and number.
const REPORTS_FOLDER: &str = "reports";
/// The document that the step `finish` leaves: what was switched off is on again.
const FINISHED_FILE: &str = "finish.json";
/// The document that the step `prepare` leaves.
const PREPARED_FILE: &str = "destination.json";
/// What the last step leaves in the newest report.
const HANDOFF_FOLDER: &str = "handoff";

/// Which run a command works on when none is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// The newest unfinished one, else a new one.
    UnfinishedOrNew,
    /// The newest unfinished one, else the newest, else a new one: a finished run is not begun again by accident.
    Any,
    /// The newest unfinished one, else the newest.
    UnfinishedOrNewest,
    /// The newest.
    Newest,
}

/// How far a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RunState {
    /// Made by this command.
    New,
    /// Begun, and goes on.
    Unfinished,
    /// Written, proven, and everything switched on again.
    Finished,
}

impl RunState {
    /// In words.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Unfinished => "goes on",
            Self::Finished => "finished",
        }
    }
}

impl fmt::Display for RunState {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

/// The run that a command works on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Chosen {
    pub(crate) run: RunId,
    pub(crate) state: RunState,
}

/// Folder of a run's documents and logs.
pub(crate) fn folder_of(migration: &Path, run: &RunId) -> PathBuf {
    migration.join(RUNS_FOLDER).join(run.as_str())
}

/// The runs of one migration in its store.
#[derive(Clone, Copy)]
pub(crate) struct Runs<'a> {
    pub(crate) store: &'a dyn Store,
    pub(crate) migration: &'a str,
}

impl Runs<'_> {
    /// Names below a folder of the migration, each with what follows it.
    async fn below(&self, folder: &str) -> Result<Vec<(String, String)>, StoreError> {
        let folder = self.key(folder)?;
        let start = format!("{folder}/");
        let keys = self.store.list(&folder).await?;
        let split = keys.iter().filter_map(|key| key.as_str().strip_prefix(&start)?.split_once('/'));
        Ok(split.map(|(name, rest)| (name.to_owned(), rest.to_owned())).collect())
    }

    fn key(&self, rest: &str) -> Result<Key, StoreError> {
        Key::new(format!("{}/{rest}", self.migration))
            .map_err(|error: InvalidKey| StoreError::ForeignKey(error))
    }

    /// All runs, oldest first. Foreign folders are not runs.
    pub(crate) async fn list(&self) -> Result<Vec<RunId>, StoreError> {
        let names = self.below(SETTINGS_FOLDER).await?;
        let runs: BTreeSet<RunId> = names.iter().filter_map(|(name, _)| name.parse().ok()).collect();
        Ok(runs.into_iter().collect())
    }

    /// How far a run is that exists. It is finished when its last step has left what it has to leave.
    pub(crate) async fn state(&self, run: &RunId) -> Result<RunState, StoreError> {
        let finished = self.key(&format!("{RUNS_FOLDER}/{run}/{FINISHED_FILE}"))?;
        match self.store.get(&finished).await {
            Ok(_) => {}
            Err(StoreError::NotFound { .. }) => return Ok(RunState::Unfinished),
            Err(error) => return Err(error),
        }
        // Reports are numbered with leading zeros, so the newest is the greatest name. Verdicts stand beside them.
        let reports = self.below(&format!("{REPORTS_FOLDER}/{run}")).await?;
        let newest =
            reports.iter().map(|(number, _)| number).filter(|name| name.parse::<u32>().is_ok()).max();
        if newest.is_some() && self.sample(run).await?.is_some() {
            return Ok(RunState::Finished);
        }
        let has_handoff = reports
            .iter()
            .any(|(number, rest)| Some(number) == newest && rest.split('/').next() == Some(HANDOFF_FOLDER));
        Ok(if has_handoff { RunState::Finished } else { RunState::Unfinished })
    }

    /// What the run is a sample of; nothing when it is none.
    pub(crate) async fn sample(&self, run: &RunId) -> Result<Option<WishV1>, StoreError> {
        let key = self.key(&format!("{RUNS_FOLDER}/{run}/{}", sample::MARK))?;
        match self.store.get(&key).await {
            Ok(bytes) => Ok(sample::wish_from(&bytes)),
            Err(StoreError::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Whether the run wrote to Gorgias, or was about to.
    pub(crate) async fn is_prepared(&self, run: &str) -> Result<bool, StoreError> {
        match self.store.get(&self.key(&format!("{RUNS_FOLDER}/{run}/{PREPARED_FILE}"))?).await {
            Ok(_) => Ok(true),
            Err(StoreError::NotFound { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Runs that count when none is named, oldest first: a sample steps back once the run that it is a sample of began to
    /// write.
    async fn counting(&self) -> Result<Vec<RunId>, StoreError> {
        let mut counting = Vec::new();
        for run in self.list().await? {
            match self.sample(&run).await? {
                Some(wish) if self.is_prepared(&wish.of).await? => {}
                _ => counting.push(run),
            }
        }
        Ok(counting)
    }

    /// The run that is meant: the named one, or by the rule of the command.
    pub(crate) async fn choose(
        &self,
        named: Option<&str>,
        wanted: Wanted,
        today: Date,
    ) -> Result<Chosen, Failure> {
        let runs = self.list().await?;
        if let Some(name) = named {
            let run: RunId = name.parse().map_err(|error| {
                Failure::new(&catalogue::BAD_ARGUMENT, "--run is not the name of a run").because(&error)
            })?;
            return match (runs.contains(&run), wanted) {
                (true, _) => Ok(Chosen { state: self.state(&run).await?, run }),
                (false, Wanted::UnfinishedOrNew | Wanted::Any) => Ok(Chosen { run, state: RunState::New }),
                (false, _) => Err(no_such_run(&run, &runs)),
            };
        }
        let mut found = None;
        let counting = self.counting().await?;
        for run in counting.iter().rev() {
            let state = self.state(run).await?;
            let is_newest = Some(run) == counting.last();
            let fits = match wanted {
                Wanted::UnfinishedOrNew => state == RunState::Unfinished,
                // The newest one, unless an unfinished one is found further back.
                Wanted::UnfinishedOrNewest | Wanted::Any => state == RunState::Unfinished || is_newest,
                Wanted::Newest => is_newest,
            };
            if fits {
                found = Some(Chosen { run: run.clone(), state });
            }
            if state == RunState::Unfinished || wanted == Wanted::Newest {
                break;
            }
        }
        match found {
            Some(chosen) => Ok(chosen),
            None if matches!(wanted, Wanted::UnfinishedOrNew | Wanted::Any) => {
                Ok(Chosen { run: run_id::next(&runs, today)?, state: RunState::New })
            }
            None => Err(Failure::new(&catalogue::OUT_OF_ORDER, "no run has begun")
                .with_why("the first step of a run is discover")
                .then("deskferry discover")),
        }
    }
}

fn no_such_run(run: &RunId, runs: &[RunId]) -> Failure {
    let failure = Failure::new(&catalogue::NO_SUCH_RUN, format!("there is no run {run}"));
    match runs.iter().next_back() {
        Some(newest) => failure.with_why(format!("the newest one is {newest}")),
        None => failure.with_why("no run has begun").then("deskferry discover"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use connectors::store::ObjectStoreAdapter;
    use jiff::civil::date;

    async fn put(store: &dyn Store, key: &str) {
        store.put_new(&Key::new(format!("acme/{key}")).unwrap(), "{}".into()).await.unwrap();
    }

    async fn store(runs: &[(&str, bool)]) -> ObjectStoreAdapter {
        let store = ObjectStoreAdapter::memory();
        for (run, finished) in runs {
            put(&store, &format!("settings/{run}/0001.toml")).await;
            put(&store, &format!("runs/{run}/inventory.json")).await;
            if *finished {
                put(&store, &format!("runs/{run}/{FINISHED_FILE}")).await;
                put(&store, &format!("reports/{run}/0001/handoff/index.json")).await;
                put(&store, &format!("reports/{run}/verdict-leads.json")).await;
            }
        }
        store
    }

    async fn choose(store: &dyn Store, named: Option<&str>, wanted: Wanted) -> Result<Chosen, Failure> {
        Runs { store, migration: "acme" }.choose(named, wanted, date(2026, 11, 22)).await
    }

    async fn check(runs: &[(&str, bool)], named: Option<&str>, wanted: Wanted, expected: &str) {
        let chosen = choose(&store(runs).await, named, wanted).await;
        let shown = chosen.map_or_else(
            |error| error.code().to_owned(),
            |chosen| format!("{} {}", chosen.run, chosen.state),
        );
        assert_eq!(shown, expected, "{runs:?} {named:?} {wanted:?}");
    }

    #[tokio::test]
    async fn commands_go_on_where_a_run_stopped() {
        let some: &[(&str, bool)] =
            &[("2026-11-20-a1", false), ("2026-11-21-a1", true), ("not-a-run", false)];
        check(some, None, Wanted::UnfinishedOrNew, "2026-11-20-a1 goes on").await;
        check(some, None, Wanted::UnfinishedOrNewest, "2026-11-20-a1 goes on").await;
        check(some, None, Wanted::Newest, "2026-11-21-a1 finished").await;
        let finished: &[(&str, bool)] = &[("2026-11-22-a1", true)];
        check(finished, None, Wanted::UnfinishedOrNew, "2026-11-22-a2 new").await;
        check(finished, None, Wanted::UnfinishedOrNewest, "2026-11-22-a1 finished").await;
        check(finished, None, Wanted::Any, "2026-11-22-a1 finished").await;
        check(some, None, Wanted::Any, "2026-11-20-a1 goes on").await;
        check(&[], None, Wanted::Any, "2026-11-22-a1 new").await;
        check(&[], None, Wanted::UnfinishedOrNew, "2026-11-22-a1 new").await;
        check(&[], None, Wanted::UnfinishedOrNewest, "E0604").await;
        check(&[], None, Wanted::Newest, "E0604").await;
    }

    #[tokio::test]
    async fn a_run_without_its_last_report_goes_on() {
        let store = store(&[("2026-11-20-a1", true)]).await;
        put(&store, "reports/2026-11-20-a1/0002/report.json").await;
        let chosen = choose(&store, None, Wanted::UnfinishedOrNew).await.unwrap();
        assert_eq!((chosen.run.as_str(), chosen.state), ("2026-11-20-a1", RunState::Unfinished));
    }

    #[tokio::test]
    async fn a_sample_counts_until_its_run_begins_to_write() {
        let store = store(&[("2026-11-20-a1", false), ("2026-11-20-a2", true)]).await;
        let mark =
            r#"{"version":"1","of":"2026-11-20-a1","size":25,"seed":1,"asked_at":"2026-11-20T10:00:00Z"}"#;
        let key = Key::new("acme/runs/2026-11-20-a2/sample.json".to_owned()).unwrap();
        store.put_new(&key, mark.into()).await.unwrap();
        let shown = async |wanted| {
            let chosen = choose(&store, None, wanted).await.unwrap();
            format!("{} {}", chosen.run, chosen.state)
        };
        assert_eq!(shown(Wanted::Newest).await, "2026-11-20-a2 finished");
        assert_eq!(shown(Wanted::Any).await, "2026-11-20-a1 goes on");
        put(&store, "runs/2026-11-20-a1/destination.json").await;
        assert_eq!(shown(Wanted::Newest).await, "2026-11-20-a1 goes on");
        put(&store, "reports/2026-11-20-a2/0001/report.json").await;
        let named = choose(&store, Some("2026-11-20-a2"), Wanted::Newest).await.unwrap();
        assert_eq!(named.state, RunState::Finished);
    }

    #[tokio::test]
    async fn a_named_run_must_exist_unless_it_may_begin() {
        let some: &[(&str, bool)] = &[("2026-11-20-a1", true)];
        check(some, Some("2026-11-20-a1"), Wanted::UnfinishedOrNew, "2026-11-20-a1 finished").await;
        check(some, Some("2026-11-30-x7"), Wanted::UnfinishedOrNew, "2026-11-30-x7 new").await;
        check(some, Some("2026-11-30-x7"), Wanted::UnfinishedOrNewest, "E0113").await;
        check(some, Some("../../etc"), Wanted::Newest, "E0116").await;
    }
}
