//! Arguments of the commands that write once more.

use clap::{Args, Subcommand};

use super::Strict;

/// Arguments of `retry`.
#[derive(Debug, Args)]
pub(crate) struct Retry {
    /// What was refused, and what had to wait for it
    #[arg(long, required = true)]
    pub(crate) failed: bool,
    #[command(flatten)]
    pub(crate) strict: Strict,
}

/// Arguments of `repair`.
#[derive(Debug, Args)]
pub(crate) struct Repair {
    #[command(subcommand)]
    pub(crate) deed: RepairDeed,
}

/// What a repair does.
#[derive(Debug, Subcommand)]
pub(crate) enum RepairDeed {
    /// Read Gorgias, and say record by record what would be written again and what stays, and why
    Plan,
    /// Write again what was damaged, make again what was lost, and compare
    Apply(Strict),
}

impl RepairDeed {
    /// The word on the command line.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Plan => "plan",
            Self::Apply(_) => "apply",
        }
    }
}
