//! Runs `deskferry` in a process of its own and reads what that process used.

use std::ffi::OsString;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::Instant;

use anyhow::{Context, bail};
use serde_json::{Value, json};

/// What one process used.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Used {
    /// Wall seconds, process start included.
    pub(crate) wall_seconds: f64,
    /// User and system seconds of all threads.
    pub(crate) cpu_seconds: f64,
    /// Largest resident memory, bytes.
    pub(crate) peak_bytes: u64,
}

impl Used {
    /// As JSON figures.
    pub(crate) fn to_json(self) -> Value {
        json!({
            "wall_seconds": round(self.wall_seconds),
            "cpu_seconds": round(self.cpu_seconds),
            "peak_megabytes": self.peak_bytes / 1_000_000,
        })
    }
}

/// Three decimals are all that a noisy machine supports.
pub(crate) fn round(figure: f64) -> f64 {
    (figure * 1000.0).round() / 1000.0
}

/// The body of the hidden subcommand: runs `deskferry` in this process and leaves the figures in `usage`.
pub(crate) fn inside(usage: &Path, arguments: Vec<OsString>) -> anyhow::Result<ExitCode> {
    let code = deskferry::run(std::iter::once(OsString::from("deskferry")).chain(arguments));
    let status = std::fs::read_to_string("/proc/self/status").context("this system has no /proc")?;
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let figures = json!({ "peak_bytes": peak_bytes(&status)?, "cpu_seconds": cpu_seconds(&stat)? });
    std::fs::write(usage, figures.to_string())?;
    Ok(code)
}

pub(crate) fn peak_bytes(status: &str) -> anyhow::Result<u64> {
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .context("no VmHWM in the process status")?;
    let kilobytes: u64 = line.trim().trim_end_matches("kB").trim().parse()?;
    Ok(kilobytes * 1024)
}

/// Fields 14 and 15 of the process status line are user and system time, in hundredths of a second on Linux.
fn cpu_seconds(stat: &str) -> anyhow::Result<f64> {
    let after_name = stat.rsplit_once(')').context("unexpected form of the process status line")?.1;
    let fields: Vec<&str> = after_name.split_whitespace().collect();
    let user: f64 = fields.get(11).context("no user time")?.parse()?;
    let system: f64 = fields.get(12).context("no system time")?.parse()?;
    Ok((user + system) / 100.0)
}

/// Seconds that all threads of this process have worked so far.
pub(crate) fn process_cpu_seconds() -> anyhow::Result<f64> {
    cpu_seconds(&std::fs::read_to_string("/proc/self/stat")?)
}

/// Runs one `deskferry` command to its end. Output of the command is returned line by line.
///
/// Fails when the command does not exit with one of `accepted`.
pub(crate) fn deskferry(
    scratch: &Path,
    arguments: &[&str],
    accepted: &[i32],
) -> anyhow::Result<(Used, Vec<String>)> {
    deskferry_with(scratch, arguments, accepted, &[])
}

/// As [`deskferry`], with more in its environment.
pub(crate) fn deskferry_with(
    scratch: &Path,
    arguments: &[&str],
    accepted: &[i32],
    environment: &[(&str, String)],
) -> anyhow::Result<(Used, Vec<String>)> {
    let usage = scratch.join(format!("usage-{}.json", arguments.join("-").len()));
    let start = Instant::now();
    let more = environment.iter().map(|(name, value)| (name, value));
    let output =
        child(&usage, arguments)?.envs(more).stdout(Stdio::piped()).stderr(Stdio::piped()).output()?;
    let wall_seconds = start.elapsed().as_secs_f64();
    let code = output.status.code().unwrap_or(-1);
    if !accepted.contains(&code) {
        bail!(
            "deskferry {} ended with {code}:\n{}",
            arguments.join(" "),
            String::from_utf8_lossy(&output.stderr)
        );
    }
    let figures: Value = serde_json::from_slice(&std::fs::read(&usage)?)?;
    let used = Used {
        wall_seconds,
        cpu_seconds: figures["cpu_seconds"].as_f64().context("no processor time")?,
        peak_bytes: figures["peak_bytes"].as_u64().context("no peak")?,
    };
    let lines = String::from_utf8(output.stdout)?.lines().map(str::to_owned).collect();
    Ok((used, lines))
}

pub(crate) fn child(usage: &Path, arguments: &[&str]) -> anyhow::Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("deskferry").arg("--usage").arg(usage).arg("--").args(arguments);
    for (name, secret) in crate::bench::SECRETS {
        command.env(name, secret);
    }
    Ok(command)
}

/// A server of the twins in a process of its own; ended by its process id when dropped.
pub(crate) struct Server {
    child: Child,
    /// `http://127.0.0.1:<port>`.
    pub(crate) url: String,
}

impl Server {
    /// Starts `deskferry twin …` and waits for the event that names its address.
    pub(crate) fn start(scratch: &Path, name: &str, arguments: &[&str]) -> anyhow::Result<Self> {
        let mut all = vec!["--json", "twin", name, "--listen", "127.0.0.1:0"];
        all.extend_from_slice(arguments);
        let mut child = child(&scratch.join(format!("usage-{name}.json")), &all)?
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let stdout = child.stdout.take().context("the server has no output")?;
        for line in BufReader::new(stdout).lines() {
            let event: Value = serde_json::from_str(&line?)?;
            if let Some(url) = event["url"].as_str() {
                return Ok(Self { child, url: url.to_owned() });
            }
        }
        let _ = child.kill();
        bail!("the {name} server ended before it told its address")
    }

    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
