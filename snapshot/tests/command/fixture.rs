//! A small lake and a way to run the command on it.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use snapshot::lake::Lake;
use snapshot::tables::{SourceBlacklist, WantTicket};
use snapshot::{Pass, Row, TableWriter, WriteContext};

pub(crate) struct World {
    root: tempfile::TempDir,
}

/// What a command said and how it ended.
pub(crate) struct Said {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl World {
    /// Two full snapshots of tickets that differ in three rows, and a blacklist.
    pub(crate) fn new() -> Self {
        let world = Self { root: tempfile::tempdir().unwrap() };
        world.place("2026-11-22-a1", Pass::Full, (0..5).map(ticket));
        let changed = (1..6).map(|id| {
            if id == 3 {
                WantTicket { status: "open".into(), subject: "Other".into(), ..ticket(id) }
            } else {
                ticket(id)
            }
        });
        world.place("2026-11-23-a1", Pass::Full, changed);
        world.place("2026-11-22-a1", Pass::Full, [number("+358000000001"), number("+358000000002")]);
        world
    }

    fn place<R: Row>(&self, run: &str, pass: Pass, rows: impl IntoIterator<Item = R>) {
        let context = WriteContext {
            run: run.parse().unwrap(),
            pass,
            tool_version: "0.1.0".into(),
            mapping_hash: None,
            made_from: Vec::new(),
            taken_at: None,
        };
        let scratch = tempfile::tempdir().unwrap();
        let mut writer = TableWriter::new(context, scratch.path(), 1 << 20).unwrap();
        for row in rows {
            writer.push(row).unwrap();
        }
        Lake::at(self.root.path()).place(&writer.seal().unwrap()).unwrap();
    }

    pub(crate) fn root(&self) -> &Path {
        self.root.path()
    }

    pub(crate) fn part(&self, table: &str) -> PathBuf {
        self.root().join(format!("lake/v1/{table}/run_id=2026-11-22-a1/pass=full/part-00000.zstd.parquet"))
    }

    /// Runs the command with these words.
    pub(crate) fn run(&self, words: &str) -> Said {
        self.run_at(self.root(), words)
    }

    /// The command with these words, not yet run.
    pub(crate) fn command(&self, words: &str) -> Command {
        command_at(self.root(), words)
    }

    /// The same as [`World::run`] on another folder. What depends on the bytes of a file, or on where the lake is, is replaced.
    pub(crate) fn run_at(&self, lake: &Path, words: &str) -> Said {
        let output = command_at(lake, words).output().unwrap();
        let text = |bytes: Vec<u8>| {
            let mut text = String::from_utf8(bytes).unwrap().replace(self.root().to_str().unwrap(), "LAKE");
            for snapshot in Lake::at(self.root()).snapshots().unwrap() {
                let digest = snapshot.manifest.digest();
                text = text.replace(digest.as_str(), "DIGEST").replace(digest.short(), "DIGEST······");
                text = text.replace(&format!("\"bytes\":{}", snapshot.manifest.bytes), "\"bytes\":1");
            }
            text.lines().map(|line| format!("{}\n", without_size(line.trim_end()))).collect::<String>()
        };
        Said { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }
}

fn command_at(lake: &Path, words: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_snapshot"));
    command.args(words.split_whitespace()).arg("--lake").arg(lake).stdin(Stdio::null());
    command.env_clear();
    command
}

/// The line with ones in place of the digits before `kB`.
fn without_size(line: &str) -> String {
    let Some((before, after)) = line.split_once(" kB") else { return line.to_owned() };
    let start = before.rfind([' ', '(']).map_or(0, |at| at + 1);
    let ones = before[start..].replace(|digit: char| digit.is_ascii_digit(), "1");
    format!("{}{ones} kB{after}", &before[..start])
}

fn ticket(id: u32) -> WantTicket {
    let at = jiff::Timestamp::from_second(1_760_000_000 + i64::from(id)).unwrap();
    WantTicket {
        external_id: format!("leaddesk:lead:41:{id}"),
        wave: "lead".into(),
        customer_external_id: format!("leaddesk:contact:{id}"),
        subject: format!("Lead {id}"),
        status: "closed".into(),
        channel: "phone".into(),
        via: "api".into(),
        is_from_agent: false,
        assignee_agent_id: None,
        assignee_team_key: None,
        created_at: at,
        closed_at: Some(at),
        last_message_at: at,
        message_count: 1,
        created_evidence: "call".into(),
    }
}

fn number(number: &str) -> SourceBlacklist {
    SourceBlacklist {
        number_raw: number.into(),
        sponsor_name: String::new(),
        number_e164: Some(number.into()),
        source_row_hash: String::new(),
        extracted_at: jiff::Timestamp::UNIX_EPOCH,
        source_page: "blacklist.csv#rows=1-2".into(),
        is_deleted: false,
        raw_json: format!("{{\"number\":\"{number}\"}}"),
    }
}
