//! A whole run against both stand-ins in processes of their own: stopped in the middle, locked while it runs, resumed.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests: whatever fails here fails the test"
)]

use std::io::{BufRead, BufReader, Lines, Read};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Output, Stdio};

use serde_json::Value;

/// Enough for a load that takes a few seconds at the rate below, few enough for a test.
const ACCOUNT: [&str; 6] = ["--seed", "5", "--contacts", "60", "--calls", "60"];
/// Forty requests a second: slow enough to be stopped in the middle.
const SPEED: [&str; 4] = ["--bucket", "40/20", "--time-scale", "20"];

fn deskferry(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_deskferry"));
    command
        .args(arguments)
        .current_dir(folder)
        .env("LEADDESK_AUTH", "canary-auth-3b7d")
        .env("LEADDESK_CLIENT_ID", "canary-client-9f21")
        .env("LEADDESK_CLIENT_SECRET", "canary-secret-77ac")
        .env("GORGIAS_API_KEY", "canary-key-e05c")
        .stdin(Stdio::null());
    command
}

/// A process that ends with the test.
struct Running {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Running {
    fn start(folder: &Path, arguments: &[&str]) -> Self {
        let mut child =
            deskferry(folder, arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    /// Reads events until one fits.
    fn until(&mut self, fits: impl Fn(&Value) -> bool) -> Value {
        for line in self.lines.by_ref() {
            let event = serde_json::from_str(&line.unwrap()).unwrap();
            if fits(&event) {
                return event;
            }
        }
        let mut stderr = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
        panic!("ended before the event came:\n{stderr}");
    }

    fn interrupt(self) -> (i32, String) {
        self.signal("-INT")
    }

    fn signal(mut self, signal: &str) -> (i32, String) {
        let asked = Command::new("kill").args([signal, &self.child.id().to_string()]).status().unwrap();
        assert!(asked.success());
        // Whoever reads must go on reading, or the process waits for its reader.
        self.lines.by_ref().for_each(drop);
        let mut stderr = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
        (self.child.wait().unwrap().code().unwrap(), stderr)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn twin(folder: &Path, system: &str, more: &[&str]) -> (Running, String) {
    let mut running = Running::start(folder, &[&["--json", "twin", system], &ACCOUNT[..], more].concat());
    let url = running.until(|event| event["type"] == "twin")["url"].as_str().unwrap().to_owned();
    (running, url)
}

fn write_config(folder: &Path, leaddesk: &str, gorgias: &str) {
    let init = deskferry(folder, &["init", "--migration", "acme"]).output().unwrap();
    assert!(init.status.success());
    let path = folder.join("migration.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let text = text
        .replace("https://api.leaddesk.com", leaddesk)
        .replace("https://restapi-nor.leaddesk.com/stable", &format!("{leaddesk}/stable"))
        .replace("https://acme.gorgias.com", gorgias)
        .replace("bucket = \"40/20\"", "bucket = \"40/1\"")
        .replace("# destination = \"EU\"", "destination = \"EU\"")
        .replace("default_region = \"FI\"", "default_region = \"FI\"\nrequests_per_second = 1000");
    std::fs::write(path, text).unwrap();
}

fn ended(folder: &Path, arguments: &[&str]) -> (i32, String, String) {
    let Output { status, stdout, stderr } = deskferry(folder, arguments).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code().unwrap(), text(stdout), text(stderr))
}

/// Every text file that a run left outside of the snapshots, and every line that was printed.
fn texts(folder: &Path, into: &mut Vec<(String, String)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            texts(&path, into);
        } else if let Ok(text) = std::fs::read_to_string(&path) {
            into.push((path.display().to_string(), text));
        }
    }
}

/// Both stand-ins with a configuration that points at them.
struct World {
    folder: tempfile::TempDir,
    _twins: [Running; 2],
}

impl World {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (leaddesk, leaddesk_url) = twin(folder.path(), "leaddesk", &["--files", "operator-files"]);
        let (gorgias, gorgias_url) = twin(folder.path(), "gorgias", &SPEED);
        write_config(folder.path(), &leaddesk_url, &gorgias_url);
        Self { folder, _twins: [leaddesk, gorgias] }
    }

    fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn run_folder(&self) -> std::path::PathBuf {
        let mut runs = std::fs::read_dir(self.folder().join("run/acme/runs")).unwrap();
        runs.next().unwrap().unwrap().path()
    }
}

fn begins(step: &'static str) -> impl Fn(&Value) -> bool {
    move |event| event["type"] == "step_started" && event["step"] == step
}

#[test]
fn a_run_waits_for_approval_is_stopped_goes_on_and_leaks_no_key() {
    let world = World::start();
    let folder = world.folder();
    let (code, _, stderr) = ended(folder, &["run", "--no-input"]);
    assert_eq!(code, 5, "{stderr}");
    assert!(stderr.contains("Error E0501") && stderr.contains("deskferry map approve --by"), "{stderr}");
    let (code, proposal, stderr) = ended(folder, &["confirm", "--by", "Reviewer", "--no-input"]);
    assert_eq!((code, proposal.contains("are open")), (2, true), "{stderr}");
    let (code, _, stderr) = ended(folder, &["confirm", "--by", "Reviewer", "--yes"]);
    assert_eq!(code, 0, "{stderr}");

    let mut stopped = Running::start(folder, &["run", "--json"]);
    stopped.until(begins("extract"));
    let (code, stderr) = stopped.interrupt();
    assert_eq!(code, 130, "{stderr}");
    assert!(stderr.contains("Error E0702") && stderr.ends_with("Then: deskferry run\n"), "{stderr}");

    let mut resumed = Running::start(folder, &["run", "--json"]);
    resumed.until(begins("load"));
    let (code, _, refused) = ended(folder, &["load"]);
    assert_eq!(code, 1);
    assert!(
        refused.contains("Error E0301") && refused.contains("(deskferry run) has held it since"),
        "{refused}"
    );
    let (code, status, _) = ended(folder, &["status"]);
    assert_eq!(code, 0);
    assert!(status.contains("(deskferry run) has held it since"), "{status}");
    let summary = resumed.until(|event| event["type"] == "summary");
    assert_eq!(summary["verdict"], "pass", "{summary}");
    assert_eq!((&summary["duplicates"], &summary["fields_different"]), (&Value::from(0), &Value::from(0)));
    assert!(resumed.lines.next().is_none(), "the summary is the last line");
    // The account has planted trouble: one record is refused on purpose.
    assert_eq!(resumed.child.wait().unwrap().code(), Some(4));

    let (_, finished, _) = ended(folder, &["status"]);
    assert!(finished.contains("  finished\n") && !finished.contains("has held it since"), "{finished}");

    let (code, report, _) = ended(folder, &["report", "--strict"]);
    assert_eq!(code, 4, "{report}");
    let mut all = vec![("output".to_owned(), format!("{refused}{status}{report}{summary}"))];
    texts(&folder.join("run"), &mut all);
    for (place, text) in &all {
        assert!(!text.contains("canary-"), "a key stands in {place}");
    }
    for log in ["events.ndjson", "http.ndjson"] {
        let (_, text) = all.iter().find(|(place, _)| place.ends_with(log)).unwrap();
        assert!(text.lines().all(|line| serde_json::from_str::<Value>(line).is_ok()), "{log}");
        assert!(text.lines().count() > 50, "{log}");
    }
}

#[test]
fn a_stop_while_writing_falls_between_two_writes() {
    let world = World::start();
    let mut run = Running::start(world.folder(), &["run", "--yes", "--json"]);
    run.until(|event| begins("load")(event) && event["part"] == "leads");
    let (code, stderr) = run.interrupt();
    assert_eq!(code, 130, "{stderr}");
    assert!(stderr.contains("every request was answered"), "{stderr}");
    let log = std::fs::read_to_string(world.run_folder().join("http.ndjson")).unwrap();
    let writes: Vec<Value> = log
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .filter(|record| {
            record["system"] == "gorgias" && !record["route"].as_str().unwrap().starts_with("GET ")
        })
        .collect();
    assert!(!writes.is_empty());
    assert!(writes.iter().all(|record| record["outcome"] == "answered"), "{writes:?}");
    // Every answer is in the ledger too: the next start finds nothing in doubt and says so before anything else.
    let mut resumed = Running::start(world.folder(), &["run", "--json"]);
    let found = resumed.until(|event| event["type"] == "found");
    assert_eq!(found["in_doubt"], 0, "{found}");
    assert!(
        found["settled"].as_u64() > Some(0) && found["settled"].as_u64() < found["planned"].as_u64(),
        "{found}"
    );
    resumed.until(|event| event["type"] == "summary");
    // The lock goes with the process, which ends after its last line.
    assert_eq!(resumed.child.wait().unwrap().code(), Some(4));
    let (code, again, _) = ended(world.folder(), &["run"]);
    assert!(code == 4 && again.contains("Nothing to do: run"), "{again}");
}

/// How many deltas are there, and how many of them came to their end.
fn deltas(world: &World) -> (usize, usize) {
    let Ok(entries) = std::fs::read_dir(world.run_folder().join("delta")) else { return (0, 0) };
    let folders: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    (folders.len(), folders.iter().filter(|folder| folder.join("watermark.json").exists()).count())
}

#[test]
fn deltas_again_and_again_end_cleanly_between_two_and_within_one() {
    let world = World::start();
    let folder = world.folder();
    let (code, _, stderr) = ended(folder, &["run", "--yes", "--no-input"]);
    assert_eq!(code, 4, "{stderr}");
    let mut waiting = Running::start(folder, &["delta", "--every", "1h", "--json"]);
    waiting.until(|event| event["type"] == "delta");
    let (code, stderr) = waiting.signal("-TERM");
    assert_eq!(code, 0, "{stderr}");
    assert!(stderr.contains("Stopped between two deltas: nothing is under way"), "{stderr}");
    assert_eq!(deltas(&world), (1, 1));

    // One that comes soon begins by itself.
    let mut often = Running::start(folder, &["delta", "--every", "1s", "--json"]);
    often.until(|event| event["type"] == "delta" && event["number"] == 3);
    let (code, stderr) = often.interrupt();
    assert!(code == 0 || code == 130, "{stderr}");
    let (begun, ended_before) = deltas(&world);

    // A reading that takes seconds, so that it is under way for certain.
    let path = folder.join("migration.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let slow = text.replace("requests_per_second = 1000", "requests_per_second = 2");
    assert_ne!(slow, text);
    std::fs::write(&path, slow).unwrap();
    let mut reading = Running::start(folder, &["delta", "--every", "1h", "--json"]);
    reading.until(begins("delta"));
    let (code, stderr) = reading.signal("-TERM");
    assert_eq!(code, 130, "{stderr}");
    assert!(stderr.contains("Error E0702"), "{stderr}");
    let (open, still) = deltas(&world);
    assert_eq!((open - still, still), (1, ended_before), "one is open");
    assert!(open == begun || open == begun + 1);

    // The next start goes on with it.
    std::fs::write(&path, text).unwrap();
    let (code, told, stderr) = ended(folder, &["delta", "--json"]);
    assert_eq!(code, 0, "{stderr}");
    let told: Vec<Value> = told.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let delta = told.iter().find(|event| event["type"] == "delta").unwrap();
    assert_eq!(delta["number"], open, "{delta}");
    assert_eq!(deltas(&world), (open, open));
}
