//! `snapshot show`: what a snapshot is, and rows of it.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use serde_json::{Map, json};
use snapshot::lake::{Lake, StoredSnapshot};
use snapshot::{PersonalData, ValueBuf};

use crate::name;
use crate::output::{Output, cell, counted, grouped, is_masked, json_value, size};

/// Columns in a table for people, unless others are named.
const COLUMNS_SHOWN: usize = 6;

#[derive(Args)]
pub(crate) struct Arguments {
    /// <table>, <table>/<run>, <table>/<run>/<pass> or the snapshot's folder
    #[arg(value_name = "SNAPSHOT")]
    name: String,
    /// Columns, separated by commas; "all" for all. People get the first six otherwise, programs all
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',')]
    columns: Vec<String>,
    /// Rows, at most
    #[arg(long, value_name = "ROWS", default_value_t = 10)]
    limit: usize,
    /// Only rows whose first key column is this
    #[arg(long, value_name = "VALUE")]
    key: Option<String>,
    /// Show values that point at a person instead of masking them
    #[arg(long)]
    show_personal_data: bool,
}

pub(crate) fn run(lake: &Path, arguments: &Arguments, output: &mut Output) -> Result<ExitCode> {
    let snapshot = name::find(&Lake::open(lake)?, &arguments.name)?;
    let columns = columns(&snapshot, arguments, output.is_json());
    facts(&snapshot, output)?;
    let masks: Vec<bool> = columns.iter().map(|name| mask(&snapshot, name, arguments)).collect();
    let key = snapshot.manifest.dataset.table.key_columns().next().map_or("", |column| column.name);
    // The first key column comes along to be compared, and is not shown for that.
    let asked: Vec<&str> = std::iter::once(key).chain(columns.iter().copied()).collect();
    let is_meant = |values: &Vec<ValueBuf>| {
        let key = values[0].as_value();
        arguments.key.as_ref().is_none_or(|wanted| key.to_text().is_some_and(|text| text == wanted.as_str()))
    };
    let mut rows = Vec::new();
    let mut shown = 0_usize;
    for values in snapshot.records(&asked)? {
        if shown >= arguments.limit {
            break;
        }
        let values = values?;
        if !is_meant(&values) {
            continue;
        }
        shown += 1;
        let values = values[1..].iter().zip(&masks);
        if output.is_json() {
            let fields: Map<_, _> = columns
                .iter()
                .zip(values)
                .map(|(name, (value, mask))| ((*name).to_owned(), json_value(value, *mask)))
                .collect();
            output.event(&json!({"type": "row", "row": fields}))?;
        } else {
            rows.push(values.map(|(value, mask)| cell(value, *mask)).collect());
        }
    }
    output.event(&json!({"type": "summary", "rows_shown": shown, "rows": snapshot.manifest.rows}))?;
    if shown == 0 {
        output.line("No row to show.")?;
    } else {
        output.table(&columns, rows)?;
    }
    let of = snapshot.manifest.dataset.table.columns.len();
    output.line(&format!(
        "{} of {} rows, {} of {of} columns; others with --limit, --columns.",
        grouped(shown as u64),
        grouped(snapshot.manifest.rows),
        columns.len()
    ))?;
    output.next(&format!("snapshot describe {}", snapshot.manifest.dataset.table.name))?;
    Ok(ExitCode::SUCCESS)
}

fn columns<'a>(snapshot: &StoredSnapshot, arguments: &'a Arguments, is_json: bool) -> Vec<&'a str> {
    let all = snapshot.manifest.dataset.table.columns.iter().map(|column| column.name);
    match &arguments.columns[..] {
        [] if is_json => all.collect(),
        [] => all.take(COLUMNS_SHOWN).collect(),
        [only] if only == "all" => all.collect(),
        named => named.iter().map(String::as_str).collect(),
    }
}

fn mask(snapshot: &StoredSnapshot, name: &str, arguments: &Arguments) -> bool {
    let columns = snapshot.manifest.dataset.table.columns.iter();
    let personal = columns
        .clone()
        .find(|column| column.name == name)
        .map_or(PersonalData::None, |column| column.personal);
    is_masked(personal, arguments.show_personal_data)
}

fn facts(snapshot: &StoredSnapshot, output: &mut Output) -> Result<()> {
    let manifest = &snapshot.manifest;
    let made_from: Vec<&str> = manifest.made_from.iter().map(snapshot::Digest::as_str).collect();
    output.event(&json!({
        "type": "snapshot",
        "name": manifest.dataset.to_string(),
        "rows": manifest.rows,
        "bytes": manifest.bytes,
        "parts": manifest.parts.len(),
        "digest": manifest.digest().as_str(),
        "content_digest": manifest.content_digest.as_str(),
        "schema_version": manifest.schema_version,
        "tool_version": manifest.tool_version,
        "mapping_hash": manifest.mapping_hash,
        "made_from": made_from,
        "taken_at": manifest.taken_at.map(|instant| instant.to_string()),
    }))?;
    output.heading(&manifest.dataset.to_string())?;
    output.line(manifest.dataset.table.meaning)?;
    output.line(&format!(
        "{} rows, {} in {}, schema version {}, written by {}, digest {}",
        grouped(manifest.rows),
        size(manifest.bytes),
        counted(manifest.parts.len(), "part"),
        manifest.schema_version,
        manifest.tool_version,
        manifest.digest().short()
    ))?;
    Ok(())
}
