//! The logs of a run on this machine: `events.ndjson` and `http.ndjson` in the run's folder.
//!
//! They are written for people who look for what happened, and nothing ever reads them back to decide something; that is
//! why they may grow in place, unlike everything in the store. Deliberately absent: addresses with parameters, bodies,
//! headers; a key of LeadDesk sits in every query string.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::screen::event_json;

/// Events of a run.
pub(crate) const EVENTS_FILE: &str = "events.ndjson";
/// Requests of a run.
pub(crate) const HTTP_FILE: &str = "http.ndjson";

/// `events.ndjson`, open for appending.
pub(crate) struct Records {
    events: BufWriter<File>,
    failed: bool,
}

impl Records {
    /// Opens the log in the run's folder, which is made if need be.
    pub(crate) fn open(run_folder: &Path) -> io::Result<Self> {
        Ok(Self { events: appending(run_folder, EVENTS_FILE)?, failed: false })
    }

    /// Appends one event. A log that cannot be written is given up; it must not stop a migration.
    pub(crate) fn event(&mut self, event: &Value) {
        if self.failed {
            return;
        }
        let is_milestone = event["type"] != "step_advanced";
        let written = writeln!(self.events, "{}", event_json::line(event));
        let flushed = if is_milestone { self.events.flush() } else { Ok(()) };
        self.failed = written.is_err() || flushed.is_err();
    }

    /// Hands everything to the system.
    pub(crate) fn flush(&mut self) {
        self.failed |= self.events.flush().is_err();
    }
}

fn appending(folder: &Path, name: &str) -> io::Result<BufWriter<File>> {
    std::fs::create_dir_all(folder)?;
    let path: PathBuf = folder.join(name);
    Ok(BufWriter::new(OpenOptions::new().create(true).append(true).open(path)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn logs_grow_over_restarts() {
        let folder = tempfile::tempdir().unwrap();
        let run = folder.path().join("runs/2026-11-22-a1");
        for step in ["extract", "transform"] {
            let mut records = Records::open(&run).unwrap();
            records.event(&json!({ "type": "step_started", "step": step }));
            records.event(&json!({ "type": "step_advanced", "step": step }));
            drop(records);
        }
        let text = std::fs::read_to_string(run.join(EVENTS_FILE)).unwrap();
        let steps: Vec<Value> =
            text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["step"].clone()).collect();
        assert_eq!(steps, ["extract", "extract", "transform", "transform"]);
    }

    #[test]
    fn a_log_that_cannot_be_written_is_reported_at_the_start() {
        let file = tempfile::NamedTempFile::new().unwrap();
        assert!(Records::open(&file.path().join("runs")).is_err());
    }
}
