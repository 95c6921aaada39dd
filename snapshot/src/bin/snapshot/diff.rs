//! `snapshot diff`: what changed between two snapshots of one table.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use serde_json::{Map, Value as Json, json};
use snapshot::diff::{Difference, FieldChange, compare};
use snapshot::lake::Lake;
use snapshot::{Column, TableSchema, ValueBuf};

use crate::name;
use crate::output::{Output, cell, grouped, is_masked, json_value};

/// Exit code when differences were found and the caller asked to be told so.
const EXIT_DIFFERENT: u8 = 3;

#[derive(Args)]
pub(crate) struct Arguments {
    /// The older snapshot: <table>/<run>/<pass> or its folder
    #[arg(value_name = "A")]
    old: String,
    /// The newer snapshot: the same, or <run>/<pass> or <pass> of the same table
    #[arg(value_name = "B")]
    new: String,
    /// Differences listed for people, at most; all are counted. Programs get all
    #[arg(long, value_name = "ROWS", default_value_t = 100)]
    limit: u64,
    /// Show values that point at a person instead of masking them
    #[arg(long)]
    show_personal_data: bool,
    /// Exit with 3 when there are differences
    #[arg(long)]
    exit_code: bool,
}

pub(crate) fn run(lake_path: &Path, arguments: &Arguments, output: &mut Output) -> Result<ExitCode> {
    let lake = Lake::open(lake_path)?;
    let old = name::find(&lake, &arguments.old)?;
    let new = name::find_beside(&lake, &old.manifest.dataset, &arguments.new)?;
    let (old_name, new_name) = (old.manifest.dataset.to_string(), new.manifest.dataset.to_string());
    output.heading(&format!("{old_name} -> {new_name}"))?;
    let table = old.manifest.dataset.table;
    let mut differences = compare(&old.manifest, &old.part_paths(), &new.manifest, &new.part_paths())?;
    let view = View { table, shows_personal_data: arguments.show_personal_data };
    let mut listed = 0;
    for difference in &mut differences {
        let difference = difference?;
        if output.is_json() {
            output.event(&view.event(&difference))?;
        } else if listed < arguments.limit {
            output.line(&view.text(&difference))?;
        }
        listed += 1;
    }
    let counts = differences.counts();
    output.event(&json!({
        "type": "summary", "old": old_name, "new": new_name,
        "same": counts.same, "added": counts.added, "removed": counts.removed, "changed": counts.changed,
    }))?;
    if listed > arguments.limit {
        output.line(&format!("… {} more; all with --limit {listed}", grouped(listed - arguments.limit)))?;
    }
    output.line(&format!(
        "{} added, {} removed, {} changed, {} the same",
        grouped(counts.added),
        grouped(counts.removed),
        grouped(counts.changed),
        grouped(counts.same)
    ))?;
    output.next(&format!("snapshot show {new_name} --lake {}", lake_path.display()))?;
    let is_told = arguments.exit_code && counts.has_differences();
    Ok(if is_told { ExitCode::from(EXIT_DIFFERENT) } else { ExitCode::SUCCESS })
}

/// How differences of one table look.
struct View {
    table: &'static TableSchema,
    shows_personal_data: bool,
}

impl View {
    fn is_masked(&self, column: &Column) -> bool {
        is_masked(column.personal, self.shows_personal_data)
    }

    fn is_masked_field(&self, name: &str) -> bool {
        // A column that is not known is masked too: better too much than too little.
        self.table
            .columns
            .iter()
            .find(|column| column.name == name)
            .is_none_or(|column| self.is_masked(column))
    }

    fn key_text(&self, key: &[ValueBuf]) -> String {
        let columns = self.table.key_columns().zip(key);
        let texts =
            columns.map(|(column, value)| format!("{}={}", column.name, cell(value, self.is_masked(column))));
        texts.collect::<Vec<_>>().join(", ")
    }

    fn key_json(&self, key: &[ValueBuf]) -> Json {
        let columns = self.table.key_columns().zip(key);
        let fields: Map<_, _> = columns
            .map(|(column, value)| (column.name.to_owned(), json_value(value, self.is_masked(column))))
            .collect();
        Json::Object(fields)
    }

    fn text(&self, difference: &Difference) -> String {
        match difference {
            Difference::Added { key } => format!("+ added    {}", self.key_text(key)),
            Difference::Removed { key } => format!("- removed  {}", self.key_text(key)),
            Difference::Changed { key, fields } => {
                let mut text = format!("~ changed  {}", self.key_text(key));
                for FieldChange { column, old, new } in fields {
                    let mask = self.is_masked_field(column);
                    text.push_str(&format!("\n    {column}: {} -> {}", cell(old, mask), cell(new, mask)));
                }
                text
            }
        }
    }

    fn event(&self, difference: &Difference) -> Json {
        match difference {
            Difference::Added { key } => json!({"type": "added", "key": self.key_json(key)}),
            Difference::Removed { key } => json!({"type": "removed", "key": self.key_json(key)}),
            Difference::Changed { key, fields } => {
                let fields: Vec<Json> = fields
                    .iter()
                    .map(|FieldChange { column, old, new }| {
                        let mask = self.is_masked_field(column);
                        json!({"column": column, "old": json_value(old, mask), "new": json_value(new, mask)})
                    })
                    .collect();
                json!({"type": "changed", "key": self.key_json(key), "fields": fields})
            }
        }
    }
}
