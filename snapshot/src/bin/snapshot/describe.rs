//! `snapshot describe` and `snapshot ddl`: the data dictionary, and what SQL engines need.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, ValueEnum};
use serde_json::json;
use snapshot::lake::{Lake, StoredSnapshot};
use snapshot::{SnapshotError, TableSchema, ddl, dictionary, tables};

use crate::output::Output;

#[derive(Args)]
pub(crate) struct DescribeArguments {
    /// Tables; without any, all
    #[arg(value_name = "TABLE")]
    tables: Vec<String>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Engine {
    /// CREATE EXTERNAL TABLE statements for Athena and Glue
    Athena,
    /// The same tables as resources of a CloudFormation template, partitions included
    Cloudformation,
    /// A script for duckdb -init: one view per table
    Duckdb,
}

#[derive(Args)]
pub(crate) struct DdlArguments {
    /// Tables; without any, all
    #[arg(value_name = "TABLE")]
    tables: Vec<String>,
    /// For which engine
    #[arg(long, value_enum)]
    engine: Engine,
    /// Athena: database of the tables
    #[arg(long, value_name = "NAME", default_value = "migration")]
    database: String,
    /// URL or path of the migration's folder as the engine sees it; the one given with --lake otherwise
    #[arg(long, value_name = "URL")]
    location: Option<String>,
}

fn chosen(names: &[String]) -> Result<Vec<&'static TableSchema>, SnapshotError> {
    if names.is_empty() {
        Ok(tables::ALL.to_vec())
    } else {
        names.iter().map(|name| tables::named(name)).collect()
    }
}

pub(crate) fn describe(arguments: &DescribeArguments, output: &mut Output) -> Result<ExitCode> {
    let tables = chosen(&arguments.tables)?;
    for table in &tables {
        let mut event = dictionary::json(table);
        event["type"] = json!("table");
        output.event(&event)?;
    }
    output.event(&json!({"type": "summary", "tables": tables.len()}))?;
    output.line(dictionary::markdown(&tables).trim_end())?;
    output.next_beside_document("snapshot ddl --engine duckdb > lake.sql")?;
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn ddl(lake: &Path, arguments: &DdlArguments, output: &mut Output) -> Result<ExitCode> {
    let tables = chosen(&arguments.tables)?;
    let location = match (&arguments.location, arguments.engine) {
        (Some(location), _) => location.clone(),
        (None, Engine::Cloudformation) => ddl::CLOUDFORMATION_ROOT.to_owned(),
        (None, _) => Lake::open(lake)?.root().display().to_string(),
    };
    let (engine, sql, next) = match arguments.engine {
        Engine::Athena => {
            let sql = ddl::athena(&tables, &arguments.database, &location);
            (
                "athena",
                sql,
                "run the statements in Athena, then add the partitions: MSCK REPAIR TABLE <table>",
            )
        }
        Engine::Cloudformation => (
            "cloudformation",
            ddl::cloudformation(&tables, &location),
            "put the lines below Resources: of infra/template.yaml with infra/check --write-tables",
        ),
        Engine::Duckdb => {
            // A lake elsewhere cannot be looked into from here: its tables are taken to be there.
            let present =
                if arguments.location.is_some() { None } else { Some(Lake::open(lake)?.snapshots()?) };
            let has_parts = |table: &TableSchema| {
                let is_part = |snapshot: &StoredSnapshot| {
                    snapshot.manifest.dataset.table == table && !snapshot.manifest.parts.is_empty()
                };
                present.as_ref().is_none_or(|snapshots| snapshots.iter().any(is_part))
            };
            ("duckdb", ddl::duckdb(&tables, &location, has_parts), "duckdb -init lake.sql")
        }
    };
    output.event(&json!({"type": "ddl", "engine": engine, "sql": sql}))?;
    output.line(sql.trim_end())?;
    output.next_beside_document(next)?;
    Ok(ExitCode::SUCCESS)
}
