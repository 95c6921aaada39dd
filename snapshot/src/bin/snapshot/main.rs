//! The `snapshot` command: lists, shows, checks, compares and describes the snapshots of a lake.
//!
//! Reads the lake alone; never writes to it and never leaves the machine. Exit codes: 0 done, 1 error, 2 usage,
//! 3 differences found and `--exit-code` given.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

mod describe;
mod diff;
mod ls;
mod name;
mod output;
mod show;
mod verify;

use output::Output;

/// Reads the Parquet snapshots of a migration.
#[derive(Parser)]
#[command(version, after_help = AFTER_HELP, arg_required_else_help = true)]
struct Arguments {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: Command,
}

const AFTER_HELP: &str = "\
A snapshot is named <table>/<run>/<pass>, such as dst_gorgias_ticket/2026-11-22-a1/after. Without run or pass the newest \
is meant. The path of its folder is a name too.

Examples:
  snapshot ls --lake deskferry-demo/run/acme
  snapshot diff dst_gorgias_ticket/2026-11-22-a1/before after
  snapshot ddl --engine duckdb > lake.sql && duckdb -init lake.sql";

/// Options of every command.
#[derive(Args)]
struct Common {
    /// Folder of the migration: the one that holds lake/v1
    #[arg(long, global = true, value_name = "PATH", default_value = ".", env = "DESKFERRY_LAKE")]
    lake: PathBuf,
    /// Print NDJSON events to stdout; the first names the version of their form
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Subcommand)]
enum Command {
    /// List the snapshots of the lake
    Ls(ls::Arguments),
    /// Show what a snapshot is and its first rows
    Show(show::Arguments),
    /// Check digests, and with --rows every row, of snapshots
    Verify(verify::Arguments),
    /// Compare two snapshots of one table: keys added, removed, changed, with field, old and new value
    Diff(diff::Arguments),
    /// Print the data dictionary
    Describe(describe::DescribeArguments),
    /// Print what an SQL engine needs to read the lake
    Ddl(describe::DdlArguments),
}

fn main() -> ExitCode {
    let Arguments { common, command } = Arguments::parse();
    let mut output = Output::new(common.json);
    let done = output.begin().map_err(Into::into).and_then(|()| match command {
        Command::Ls(arguments) => ls::run(&common.lake, &arguments, &mut output),
        Command::Show(arguments) => show::run(&common.lake, &arguments, &mut output),
        Command::Verify(arguments) => verify::run(&common.lake, &arguments, &mut output),
        Command::Diff(arguments) => diff::run(&common.lake, &arguments, &mut output),
        Command::Describe(arguments) => describe::describe(&arguments, &mut output),
        Command::Ddl(arguments) => describe::ddl(&common.lake, &arguments, &mut output),
    });
    done.and_then(|code| Ok(output.end().map(|()| code)?)).unwrap_or_else(|error| output.fail(&error))
}
