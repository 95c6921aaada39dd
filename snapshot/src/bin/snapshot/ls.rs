//! `snapshot ls`: what is in the lake.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use serde_json::json;
use snapshot::lake::{Entry, Lake, StoredSnapshot};

use crate::output::{Output, grouped, size};

#[derive(Args)]
pub(crate) struct Arguments {
    /// Only tables whose name contains this
    #[arg(long, value_name = "TEXT")]
    table: Option<String>,
    /// Only this run
    #[arg(long, value_name = "RUN")]
    run: Option<String>,
}

pub(crate) fn run(lake: &Path, arguments: &Arguments, output: &mut Output) -> Result<ExitCode> {
    let entries = Lake::open(lake)?.entries()?;
    let mut rows = Vec::new();
    let mut first = None;
    let mut remarks = Vec::new();
    for entry in &entries {
        match entry {
            Entry::Sealed(snapshot) if is_wanted(snapshot, arguments) => {
                output.event(&event(snapshot))?;
                rows.push(row(snapshot));
                first.get_or_insert_with(|| snapshot.manifest.dataset.to_string());
            }
            Entry::Sealed(_) => {}
            Entry::Unfinished(folder) => {
                output.event(&json!({"type": "unfinished", "folder": folder}))?;
                remarks.push(format!("unfinished, so no snapshot: {}", folder.display()));
            }
            Entry::Unreadable(folder, error) => {
                let (code, what) = (error.code(), error.to_string());
                output.event(&json!({"type": "unreadable", "folder": folder, "code": code, "what": what}))?;
                remarks.push(format!("unreadable, {code}: {what}"));
            }
        }
    }
    output.event(&json!({"type": "summary", "snapshots": rows.len(), "remarks": remarks.len()}))?;
    if rows.is_empty() {
        output.line("No snapshot matches.")?;
    } else {
        output.table(&["table", "run", "pass", "rows", "size", "parts", "digest"], rows)?;
    }
    for remark in &remarks {
        output.line(remark)?;
    }
    let lake = lake.display();
    output.next(&first.map_or_else(
        || format!("snapshot ls --lake {lake}"),
        |name| {
            if remarks.is_empty() {
                format!("snapshot show {name} --lake {lake}")
            } else {
                format!("snapshot verify --lake {lake}")
            }
        },
    ))?;
    Ok(ExitCode::SUCCESS)
}

fn is_wanted(snapshot: &StoredSnapshot, arguments: &Arguments) -> bool {
    let dataset = &snapshot.manifest.dataset;
    arguments.table.as_ref().is_none_or(|part| dataset.table.name.contains(part.as_str()))
        && arguments.run.as_ref().is_none_or(|run| dataset.run.as_str() == run)
}

fn event(snapshot: &StoredSnapshot) -> serde_json::Value {
    let manifest = &snapshot.manifest;
    json!({
        "type": "snapshot",
        "name": manifest.dataset.to_string(),
        "table": manifest.dataset.table.name,
        "run": manifest.dataset.run.as_str(),
        "pass": manifest.dataset.pass.to_string(),
        "rows": manifest.rows,
        "bytes": manifest.bytes,
        "parts": manifest.parts.len(),
        "digest": manifest.digest().as_str(),
        "content_digest": manifest.content_digest.as_str(),
        "schema_version": manifest.schema_version,
        "tool_version": manifest.tool_version,
        "taken_at": manifest.taken_at.map(|instant| instant.to_string()),
        "folder": snapshot.folder,
    })
}

fn row(snapshot: &StoredSnapshot) -> Vec<String> {
    let manifest = &snapshot.manifest;
    vec![
        manifest.dataset.table.name.to_owned(),
        manifest.dataset.run.to_string(),
        manifest.dataset.pass.to_string(),
        grouped(manifest.rows),
        size(manifest.bytes),
        manifest.parts.len().to_string(),
        manifest.digest().short().to_owned(),
    ]
}
