//! The runs of a migration as the local store shows them: which there are, which is unfinished, which is meant.
//!
//! Deliberately absent: what a run has done. Steps find that out by themselves; here only its end counts.

use std::fmt;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use jiff::civil::Date;
use snapshot::RunId;

use crate::failure::{Failure, catalogue};
use crate::run_id;

/// Folder of all runs below the migration's folder.
const RUNS_FOLDER: &str = "runs";
/// Folder of all reports below the migration's folder, by run and number.
const REPORTS_FOLDER: &str = "reports";
/// The document that the step `finish` leaves: what was switched off is on again.
const FINISHED_FILE: &str = "finish.json";
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

/// All runs, oldest first. Foreign folders are not runs.
pub(crate) fn list(migration: &Path) -> std::io::Result<Vec<RunId>> {
    let entries = match std::fs::read_dir(migration.join(RUNS_FOLDER)) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut runs = Vec::new();
    for entry in entries {
        runs.extend(entry?.file_name().to_str().and_then(|name| name.parse::<RunId>().ok()));
    }
    runs.sort();
    Ok(runs)
}

/// How far a run is that exists. It is finished when its last step has left what it has to leave.
pub(crate) fn state(migration: &Path, run: &RunId) -> RunState {
    let restored = folder_of(migration, run).join(FINISHED_FILE).exists();
    let handed_off = newest_report(migration, run).is_some_and(|report| report.join(HANDOFF_FOLDER).is_dir());
    if restored && handed_off { RunState::Finished } else { RunState::Unfinished }
}

/// Reports are numbered with leading zeros, so the newest is the greatest name. Verdicts stand beside them.
fn newest_report(migration: &Path, run: &RunId) -> Option<PathBuf> {
    let reports = std::fs::read_dir(migration.join(REPORTS_FOLDER).join(run.as_str())).ok()?;
    let is_number = |path: &PathBuf| {
        path.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.parse::<u32>().is_ok())
    };
    reports.filter_map(Result::ok).map(|entry| entry.path()).filter(is_number).max()
}

/// The run that is meant: the named one, or by the rule of the command.
pub(crate) fn choose(
    migration: &Path,
    named: Option<&str>,
    wanted: Wanted,
    today: Date,
) -> Result<Chosen, Failure> {
    let runs = list(migration)?;
    let existing = |run: &RunId| Chosen { run: run.clone(), state: state(migration, run) };
    if let Some(name) = named {
        let run: RunId = name.parse().map_err(|error| {
            Failure::new(&catalogue::BAD_ARGUMENT, "--run is not the name of a run").because(&error)
        })?;
        return match (runs.contains(&run), wanted) {
            (true, _) => Ok(existing(&run)),
            (false, Wanted::UnfinishedOrNew | Wanted::Any) => Ok(Chosen { run, state: RunState::New }),
            (false, _) => Err(no_such_run(&run, &runs)),
        };
    }
    let newest = runs.iter().next_back();
    let unfinished = runs.iter().rev().find(|run| state(migration, run) == RunState::Unfinished);
    let found = match wanted {
        Wanted::UnfinishedOrNew => unfinished,
        Wanted::UnfinishedOrNewest | Wanted::Any => unfinished.or(newest),
        Wanted::Newest => newest,
    };
    match found {
        Some(run) => Ok(existing(run)),
        None if matches!(wanted, Wanted::UnfinishedOrNew | Wanted::Any) => {
            Ok(Chosen { run: run_id::next(&runs, today)?, state: RunState::New })
        }
        None => Err(Failure::new(&catalogue::OUT_OF_ORDER, "no run has begun")
            .with_why("the first step of a run is discover")
            .then("deskferry discover")),
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
    use jiff::civil::date;
    use tempfile::TempDir;

    fn migration(runs: &[(&str, bool)]) -> TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (run, finished) in runs {
            let path = folder.path().join(RUNS_FOLDER).join(run);
            std::fs::create_dir_all(&path).unwrap();
            if *finished {
                std::fs::write(path.join(FINISHED_FILE), "{}").unwrap();
                let reports = folder.path().join(REPORTS_FOLDER).join(run);
                std::fs::create_dir_all(reports.join("0001").join(HANDOFF_FOLDER)).unwrap();
                std::fs::write(reports.join("verdict-leads.json"), "{}").unwrap();
            }
        }
        folder
    }

    fn check(runs: &[(&str, bool)], named: Option<&str>, wanted: Wanted, expected: &str) {
        let folder = migration(runs);
        let chosen = choose(folder.path(), named, wanted, date(2026, 11, 22));
        let shown = chosen.map_or_else(
            |error| error.code().to_owned(),
            |chosen| format!("{} {}", chosen.run, chosen.state),
        );
        assert_eq!(shown, expected, "{runs:?} {named:?} {wanted:?}");
    }

    #[test]
    fn commands_go_on_where_a_run_stopped() {
        let some: &[(&str, bool)] =
            &[("2026-11-20-a1", false), ("2026-11-21-a1", true), ("not-a-run", false)];
        check(some, None, Wanted::UnfinishedOrNew, "2026-11-20-a1 goes on");
        check(some, None, Wanted::UnfinishedOrNewest, "2026-11-20-a1 goes on");
        check(some, None, Wanted::Newest, "2026-11-21-a1 finished");
        let finished: &[(&str, bool)] = &[("2026-11-22-a1", true)];
        check(finished, None, Wanted::UnfinishedOrNew, "2026-11-22-a2 new");
        check(finished, None, Wanted::UnfinishedOrNewest, "2026-11-22-a1 finished");
        check(finished, None, Wanted::Any, "2026-11-22-a1 finished");
        check(some, None, Wanted::Any, "2026-11-20-a1 goes on");
        check(&[], None, Wanted::Any, "2026-11-22-a1 new");
        check(&[], None, Wanted::UnfinishedOrNew, "2026-11-22-a1 new");
        check(&[], None, Wanted::UnfinishedOrNewest, "E0604");
        check(&[], None, Wanted::Newest, "E0604");
    }

    #[test]
    fn a_run_without_its_last_report_goes_on() {
        let folder = migration(&[("2026-11-20-a1", true)]);
        std::fs::create_dir_all(folder.path().join(REPORTS_FOLDER).join("2026-11-20-a1/0002")).unwrap();
        let chosen = choose(folder.path(), None, Wanted::UnfinishedOrNew, date(2026, 11, 22)).unwrap();
        assert_eq!((chosen.run.as_str(), chosen.state), ("2026-11-20-a1", RunState::Unfinished));
    }

    #[test]
    fn a_named_run_must_exist_unless_it_may_begin() {
        let some: &[(&str, bool)] = &[("2026-11-20-a1", true)];
        check(some, Some("2026-11-20-a1"), Wanted::UnfinishedOrNew, "2026-11-20-a1 finished");
        check(some, Some("2026-11-30-x7"), Wanted::UnfinishedOrNew, "2026-11-30-x7 new");
        check(some, Some("2026-11-30-x7"), Wanted::UnfinishedOrNewest, "E0113");
        check(some, Some("../../etc"), Wanted::Newest, "E0116");
    }
}
