//! A folder, both stand-ins when a script asks for them, and the command itself as a process.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use super::steady::steady;

/// Wide enough that no scenario waits for it.
const SPEED: [&str; 4] = ["--bucket", "4000/20", "--time-scale", "20"];

/// The stage of one scenario.
pub(crate) struct World {
    folder: TempDir,
    /// What the commands cost; beside the folder, whose content scripts tell.
    figures: TempDir,
    twins: Vec<Twin>,
    secrets: Vec<(String, String)>,
    /// Address of Gorgias' stand-in.
    gorgias: String,
    /// Address of LeadDesk's stand-in.
    leaddesk: String,
}

/// A stand-in; it ends with the scenario.
struct Twin(Child);

impl Drop for Twin {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

impl World {
    pub(crate) fn new() -> Self {
        let names = ["LEADDESK_AUTH", "LEADDESK_CLIENT_ID", "LEADDESK_CLIENT_SECRET", "GORGIAS_API_KEY"];
        let secrets = names.map(|name| (name.to_owned(), format!("canary-{}", name.to_lowercase())));
        Self {
            folder: tempfile::tempdir().expect("a folder"),
            figures: tempfile::tempdir().expect("a folder"),
            twins: Vec::new(),
            secrets: secrets.to_vec(),
            gorgias: String::new(),
            leaddesk: String::new(),
        }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let usage = self.figures.path().join("usage.json");
        let mut command = Command::new(env!("CARGO_BIN_EXE_prove"));
        command.arg("deskferry").arg("--usage").arg(usage).arg("--").args(arguments);
        command.current_dir(self.folder.path()).envs(self.secrets.iter().cloned()).stdin(Stdio::null());
        command
    }

    /// Runs the command to its end and tells what it printed.
    pub(crate) fn run(&self, line: &str) -> String {
        let arguments: Vec<&str> = line.split_whitespace().map(|word| word.trim_matches('"')).collect();
        let Output { status, stdout, stderr } = self.command(&arguments).output().expect("the command runs");
        let (stdout, stderr) = (text(stdout), text(stderr));
        for (name, secret) in &self.secrets {
            assert!(!stdout.contains(secret) && !stderr.contains(secret), "{name} was printed by {line}");
        }
        let mut told = steady(&stdout, self.folder.path());
        for line in steady(&stderr, self.folder.path()).lines() {
            told += format!("! {line}").trim_end();
            told.push('\n');
        }
        match status.code() {
            Some(0) => (),
            Some(code) => told += &format!("exit {code}\n"),
            None => told += "ended by a signal\n",
        }
        told
    }

    /// Carries out a stage direction.
    pub(crate) fn direct(&mut self, line: &str) {
        let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
        match verb {
            // Both systems, and a migration.toml that points at them.
            "twins" => self.start_twins(rest),
            // `replace OLD => NEW in FILE`; \n is the end of a line
            "replace" => {
                let (change, file) = rest.rsplit_once(" in ").expect("a file");
                let (old, new) = change.split_once(" => ").expect("two texts");
                let (old, new) = (old.replace("\\n", "\n"), new.replace("\\n", "\n"));
                let path = self.path(file);
                let before = std::fs::read_to_string(&path).expect("a text file");
                assert!(before.contains(&old), "{file} does not hold {old}");
                std::fs::write(path, before.replace(&old, &new)).expect("a file");
            }
            // `cut FILE`: the last third is lost.
            "cut" => {
                let bytes = std::fs::read(self.path(rest)).expect("a file");
                std::fs::write(self.path(rest), &bytes[..bytes.len() * 2 / 3]).expect("a file");
            }
            // `flip FILE`: one bit in the middle.
            "flip" => {
                let mut bytes = std::fs::read(self.path(rest)).expect("a file");
                let middle = bytes.len() / 2;
                bytes[middle] ^= 1;
                std::fs::write(self.path(rest), bytes).expect("a file");
            }
            "remove" => std::fs::remove_file(self.path(rest)).expect("a file"),
            // `secret NAME VALUE`; without a value it is not there at all.
            "secret" => {
                let (name, value) = rest.split_once(' ').unwrap_or((rest, ""));
                self.secrets.retain(|(known, _)| known != name);
                if !value.is_empty() {
                    self.secrets.push((name.to_owned(), value.to_owned()));
                }
            }
            // `advance SEED`: agents go on working in LeadDesk, and the operator exports the files once more.
            "advance" => self.advance(rest.parse().expect("a seed")),
            // `edit JSON`: a record changes at Gorgias behind everybody's back.
            "edit" => self.edit(rest),
            // `judge NAME`: the page of the newest spot check filled in: the first record wrong, the second unsure.
            "judge" => self.judge(rest),
            other => unreachable!("no such stage direction: {other}"),
        }
    }

    /// What the page's script would download, from what the page holds.
    fn judge(&self, by: &str) {
        let reports = self.path("run/acme/reports");
        let mut pages: Vec<PathBuf> = Vec::new();
        for run in std::fs::read_dir(reports).expect("reports") {
            let checks = run.expect("a run").path().join("spotcheck");
            pages.extend(
                std::fs::read_dir(checks).into_iter().flatten().map(|entry| entry.expect("a check").path()),
            );
        }
        pages.sort();
        let newest = pages.last().expect("a spot check").join("spotcheck.html");
        let page = std::fs::read_to_string(newest).expect("a page");
        let held = |name: &str| -> Vec<String> {
            let pattern = regex::Regex::new(&format!("data-{name}=\"([^\"]*)\"")).expect("a pattern");
            pattern.captures_iter(&page).map(|found| found[1].to_owned()).collect()
        };
        let verdict = |place: usize| ["wrong", "unsure"].get(place).copied().unwrap_or("right");
        let records: Vec<Value> = held("object")
            .iter()
            .zip(held("id"))
            .enumerate()
            .map(|(place, (object, id))| {
                let comment = if place == 0 { "not the user we meant" } else { "" };
                serde_json::json!({
                    "object": object, "leaddesk_id": id, "verdict": verdict(place), "comment": comment,
                })
            })
            .collect();
        let file = serde_json::json!({
            "version": "1", "run": held("run")[0], "sample": held("sample")[0].parse::<u32>().expect("a number"),
            "digest": held("digest")[0], "by": by, "records": records,
        });
        std::fs::write(self.path("spotcheck.json"), file.to_string()).expect("a file");
    }

    fn start_twins(&mut self, shape: &str) {
        let shape: Vec<&str> = shape.split_whitespace().collect();
        let leaddesk = self.start_twin("leaddesk", &[&shape[..], &["--files", "operator-files"]].concat());
        let gorgias = self.start_twin("gorgias", &[&shape[..], &SPEED[..]].concat());
        let init = self.command(&["init", "--migration", "acme"]).output().expect("the command runs");
        assert!(init.status.success(), "{}", text(init.stderr));
        for change in [
            format!("https://api.leaddesk.com => {leaddesk}"),
            format!("https://restapi-nor.leaddesk.com/stable => {leaddesk}/stable"),
            format!("https://acme.gorgias.com => {gorgias}"),
            // One request after the other, so that records get their ids in one order.
            "bucket = \"40/20\" => bucket = \"4000/1\"\nin_flight = 1".to_owned(),
            "# destination = \"EU\" => destination = \"EU\"".to_owned(),
            "default_region = \"FI\" => default_region = \"FI\"\nrequests_per_second = 1000".to_owned(),
        ] {
            self.direct(&format!("replace {change} in migration.toml"));
        }
        self.gorgias = gorgias;
        self.leaddesk = leaddesk;
    }

    /// Agents go on working in LeadDesk, by a seed, and the operator exports the files once more.
    pub(crate) fn advance(&self, seed: u64) {
        let body = serde_json::json!({ "seed": seed, "files": self.folder.path().join("operator-files") });
        let url = format!("{}/__twin/advance", self.leaddesk);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let answer = runtime.block_on(async { reqwest::Client::new().post(url).json(&body).send().await });
        assert!(answer.expect("an answer").status().is_success(), "the changes were refused");
    }

    /// Runs the command twice at the same time; exit code and standard output of each.
    pub(crate) fn together(&self, line: &str) -> [(Option<i32>, String); 2] {
        let arguments: Vec<&str> = line.split_whitespace().collect();
        let start = || {
            let mut command = self.command(&arguments);
            command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("the command starts")
        };
        [start(), start()].map(|child| {
            let output = child.wait_with_output().expect("the command ends");
            (output.status.code(), text(output.stdout))
        })
    }

    /// Runs the command and kills it as soon as it has printed this.
    pub(crate) fn killed(&self, line: &str, at: &str) {
        let arguments: Vec<&str> = line.split_whitespace().collect();
        let mut command = self.command(&arguments);
        let mut child =
            command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("the command starts");
        let stdout = child.stdout.take().expect("its output");
        let mut lines = BufReader::new(stdout).lines().map(|line| line.expect("a line"));
        assert!(lines.any(|line| line.contains(at)), "{at} was never printed");
        child.kill().expect("it is there");
        child.wait().expect("it ends");
    }

    fn control(&self, twin: &str, what: &str) -> Value {
        let url = format!("{twin}/__twin/{what}");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let answer = reqwest::Client::new().get(url).send().await.expect("an answer");
            serde_json::from_str(&answer.text().await.expect("a body")).expect("JSON")
        })
    }

    /// Requests that the real account got, by method and route.
    pub(crate) fn requests(&self) -> BTreeMap<String, u64> {
        let mut counts = BTreeMap::new();
        for row in self.control(&self.gorgias, "requests")["requests"].as_array().expect("rows") {
            let route = row["route"].as_str().expect("a route").to_owned();
            *counts.entry(route).or_default() += row["count"].as_u64().expect("a count");
        }
        counts
    }

    /// The real account as it is, without the time of day.
    pub(crate) fn account(&self) -> Value {
        self.control(&self.gorgias, "state")
    }

    /// Cards of contacts that LeadDesk was asked for.
    pub(crate) fn contacts_read(&self) -> u64 {
        let ledgers = self.control(&self.leaddesk, "ledgers");
        let requests = ledgers["requests"].as_object().expect("requests");
        let of_cards = requests.iter().filter(|(what, _)| what.contains("contact/get"));
        of_cards.filter_map(|(_, count)| count.as_u64()).sum()
    }

    /// Name of the first entry that fits.
    pub(crate) fn name(&self, name: &str) -> String {
        self.path(name).file_name().expect("a name").to_string_lossy().into_owned()
    }

    /// Whether a path is there.
    pub(crate) fn is_there(&self, name: &str) -> bool {
        self.folder.path().join(name).exists()
    }

    fn edit(&self, edit: &str) {
        let edit: Value = serde_json::from_str(edit).expect("an edit in JSON");
        let url = format!("{}/__twin/edit", self.gorgias);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let answer = runtime.block_on(async { reqwest::Client::new().post(url).json(&edit).send().await });
        assert!(answer.expect("an answer").status().is_success(), "the edit was refused");
    }

    fn start_twin(&mut self, system: &str, more: &[&str]) -> String {
        let arguments = [&["--json", "twin", system, "--listen", "127.0.0.1:0"][..], more].concat();
        let mut command = self.command(&arguments);
        let mut child =
            command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("a stand-in starts");
        let stdout = child.stdout.take().expect("its output");
        self.twins.push(Twin(child));
        let mut events = BufReader::new(stdout).lines().map(|line| line.expect("a line"));
        let url = events.find_map(|line| {
            let event: Value = serde_json::from_str(&line).expect("an event");
            event["url"].as_str().map(str::to_owned)
        });
        url.expect("its address")
    }

    /// A path in the folder; `*` stands for anything; the first entry that fits counts.
    fn path(&self, name: &str) -> PathBuf {
        name.split('/').fold(self.folder.path().to_owned(), |folder, part| {
            let Some((before, after)) = part.split_once('*') else { return folder.join(part) };
            let fits = |path: &Path| {
                let name = path.file_name().expect("a name").to_string_lossy().into_owned();
                name.starts_with(before) && name.ends_with(after)
            };
            let entries =
                std::fs::read_dir(&folder).expect("a folder").map(|entry| entry.expect("an entry").path());
            let mut entries: Vec<PathBuf> = entries.filter(|path| fits(path)).collect();
            entries.sort();
            assert!(!entries.is_empty(), "nothing fits {part}");
            entries.swap_remove(0)
        })
    }
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).expect("text")
}
