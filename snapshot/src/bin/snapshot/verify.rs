//! `snapshot verify`: whether snapshots still are what was written.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use serde_json::json;
use snapshot::lake::{Depth, Entry, Lake};
use snapshot::{SnapshotError, lake::StoredSnapshot};

use crate::name;
use crate::output::{Output, grouped, size};

#[derive(Args)]
pub(crate) struct Arguments {
    /// Snapshots to check; without any, all of the lake
    #[arg(value_name = "SNAPSHOT")]
    names: Vec<String>,
    /// Check every row too: its order, its row hash, and the digest over all of them
    #[arg(long)]
    rows: bool,
}

pub(crate) fn run(lake_path: &Path, arguments: &Arguments, output: &mut Output) -> Result<ExitCode> {
    let lake = Lake::open(lake_path)?;
    let entries = if arguments.names.is_empty() {
        lake.entries()?
    } else {
        arguments
            .names
            .iter()
            .map(|name| name::find(&lake, name).map(Entry::Sealed))
            .collect::<Result<_, _>>()?
    };
    let depth = if arguments.rows { Depth::Rows } else { Depth::Files };
    let (mut good, mut bad, mut bytes) = (0_u64, 0_u64, 0_u64);
    for entry in entries {
        match entry {
            Entry::Sealed(snapshot) => match snapshot.verify(depth) {
                Ok(()) => {
                    good += 1;
                    bytes += snapshot.manifest.bytes;
                    report_good(&snapshot, output)?;
                }
                Err(error) => {
                    bad += 1;
                    report_bad(&snapshot.manifest.dataset.to_string(), &error, output)?;
                }
            },
            Entry::Unreadable(folder, error) => {
                bad += 1;
                report_bad(&folder.display().to_string(), &error, output)?;
            }
            Entry::Unfinished(folder) => {
                output.event(&json!({"type": "unfinished", "folder": folder}))?;
                output.line(&format!("-    unfinished, so no snapshot: {}", folder.display()))?;
            }
        }
    }
    if good + bad == 0 {
        return Err(SnapshotError::EmptyLake { path: lake_path.to_owned() }.into());
    }
    output.event(
        &json!({"type": "summary", "good": good, "bad": bad, "bytes": bytes, "rows_checked": arguments.rows}),
    )?;
    let what = if arguments.rows { "files and rows" } else { "files" };
    output.line(&format!("{} good ({what}, {}), {} bad", grouped(good), size(bytes), grouped(bad)))?;
    let lake = lake_path.display();
    if bad > 0 {
        output.next(&format!(
            "restore what is bad from the original store, then: snapshot verify --lake {lake}"
        ))?;
        return Ok(ExitCode::FAILURE);
    }
    let next = if arguments.rows { "ls" } else { "verify --rows" };
    output.next(&format!("snapshot {next} --lake {lake}"))?;
    Ok(ExitCode::SUCCESS)
}

fn report_good(snapshot: &StoredSnapshot, output: &mut Output) -> Result<()> {
    let name = snapshot.manifest.dataset.to_string();
    output
        .event(&json!({"type": "verified", "name": name, "rows": snapshot.manifest.rows, "is_good": true}))?;
    Ok(output.line(&format!("ok   {name}"))?)
}

fn report_bad(name: &str, error: &SnapshotError, output: &mut Output) -> Result<()> {
    let (code, what, why, fix) = (error.code(), error.to_string(), error.why(), error.fix());
    output.event(&json!({
        "type": "verified", "name": name, "is_good": false, "code": code, "what": what, "why": why, "fix": fix,
    }))?;
    Ok(output
        .line(&format!("BAD  {name}\n     Error {code}: {what}\n       Why: {why}\n       Fix: {fix}"))?)
}
