//! Arguments of what is decided before anything moves.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

/// Arguments of `acknowledge`.
#[derive(Debug, Args)]
pub(crate) struct Acknowledge {
    /// Who answers for it
    #[arg(long, value_name = "NAME")]
    pub(crate) by: String,
    /// For which records, in words
    #[arg(long, value_name = "TEXT")]
    pub(crate) scope: String,
    /// On which legal ground, such as "standard contractual clauses"
    #[arg(long, value_name = "TEXT")]
    pub(crate) basis: Option<String>,
}

/// Arguments of `estimate`.
#[derive(Debug, Args)]
pub(crate) struct Estimate {
    /// Hours in which Gorgias may be kept busy, such as 20:00-06:00 [default: gorgias.hours, else all day]
    #[arg(long, value_name = "HOURS")]
    pub(crate) window: Option<String>,
    /// Zone of these hours, such as Europe/Helsinki [default: leaddesk.time_zone]
    #[arg(long, value_name = "ZONE", requires = "window")]
    pub(crate) zone: Option<String>,
    /// Agents start when open tickets and those of so many last days are there
    #[arg(long, value_name = "DAYS", default_value_t = RECENT_DAYS)]
    pub(crate) recent_days: u32,
}

/// A month is what agents look back on.
pub(crate) const RECENT_DAYS: u32 = 30;

/// Arguments of `map`.
#[derive(Debug, Args)]
pub(crate) struct Map {
    #[command(subcommand)]
    pub(crate) deed: MapDeed,
}

/// What is done with the mapping.
#[derive(Debug, Subcommand)]
pub(crate) enum MapDeed {
    /// Propose what lands where, field by field, with reasons
    Propose,
    /// Write the review page: one file for a browser, which makes no request
    Review(Review),
    /// Write the mapping as a file that people fill in
    Export(Export),
    /// Take what people filled in, all of it or nothing, and say what changes
    Import(Import),
    /// Approve the proposal with everything that was imported; nothing is written to Gorgias before
    Approve(Confirm),
}

impl MapDeed {
    /// How to run it again.
    pub(crate) fn again(&self) -> String {
        match self {
            Self::Propose => "deskferry map propose".to_owned(),
            Self::Review(_) => "deskferry map review".to_owned(),
            Self::Export(export) => format!("deskferry map export --format {}", export.format.as_str()),
            Self::Import(import) => format!("deskferry map import {}", import.file.display()),
            Self::Approve(_) => "deskferry map approve --by \"YOUR NAME\"".to_owned(),
        }
    }
}

/// Arguments of `map review`.
#[derive(Debug, Args)]
pub(crate) struct Review {
    /// Where the page is written
    #[arg(long, value_name = "FILE", default_value = "mapping.html")]
    pub(crate) out: PathBuf,
    /// Open it in the browser
    #[arg(long)]
    pub(crate) open: bool,
}

/// Arguments of `map export`.
#[derive(Debug, Args)]
pub(crate) struct Export {
    /// Form of the file
    #[arg(long, default_value = "toml")]
    pub(crate) format: MapFormat,
    /// Where it is written [default: mapping.toml, mapping.xlsx or mapping.html]
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Write over a file that says something which was not imported
    #[arg(long)]
    pub(crate) force: bool,
}

/// Form of a mapping file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum MapFormat {
    /// For text editors; comments in a file that is there are kept.
    Toml,
    /// For office programs.
    Xlsx,
    /// For browsers.
    Html,
}

impl MapFormat {
    /// The word, which is the ending too.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Toml => "toml",
            Self::Xlsx => "xlsx",
            Self::Html => "html",
        }
    }
}

/// Arguments of `map import`.
#[derive(Debug, Args)]
pub(crate) struct Import {
    /// mapping.toml, a workbook (.xlsx), or decisions.json of the review page
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Who filled it in; decisions.json says it itself
    #[arg(long, value_name = "NAME")]
    pub(crate) by: Option<String>,
}

/// Arguments of `schema`.
#[derive(Debug, Args)]
pub(crate) struct Schema {
    /// Of which file
    pub(crate) name: SchemaName,
}

/// Files with a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SchemaName {
    /// mapping.toml
    Mapping,
    /// decisions.json
    Decisions,
}

/// Arguments of `confirm`.
#[derive(Debug, Args)]
pub(crate) struct Confirm {
    /// Who approves; stands in the confirmed mapping
    #[arg(long, value_name = "NAME")]
    pub(crate) by: String,
    /// Approve without being asked
    #[arg(long)]
    pub(crate) yes: bool,
}
