//! Arguments of the last evening.

use clap::{Args, Subcommand};
use jiff::Timestamp;
use jiff::civil::Date;

use super::Consent;

/// Arguments of `cutover`.
#[derive(Debug, Args)]
pub(crate) struct Cutover {
    #[command(subcommand)]
    pub(crate) deed: CutoverDeed,
}

/// What a cut-over does.
#[derive(Debug, Subcommand)]
pub(crate) enum CutoverDeed {
    /// Whether the migration is ready: point by point, with reason and what to do; writes nothing
    Status(CutoverStatus),
    /// Freeze check, last delta, comparison of everything, certificate, rules on again, package
    Run(CutoverRun),
}

impl CutoverDeed {
    /// The word on the command line.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Status(_) => "status",
            Self::Run(_) => "run",
        }
    }
}

/// Arguments of `cutover status`.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct CutoverStatus {
    /// Exit with 5 when something is in the way
    #[arg(long, visible_alias = "exit-code")]
    pub(crate) strict: bool,
}

/// Arguments of `cutover run`.
#[derive(Debug, Args)]
pub(crate) struct CutoverRun {
    #[command(flatten)]
    pub(crate) consent: Consent,
    /// Who runs it and signs the certificate
    #[arg(long, value_name = "NAME")]
    pub(crate) by: Option<String>,
    /// From when on LeadDesk is closed to its agents, such as 2026-11-28T18:00:00+02:00 [default: now]
    #[arg(long, value_name = "TIME")]
    pub(crate) frozen_since: Option<Timestamp>,
    /// The day on which the data of the migration is deleted, such as 2027-01-31 [default: 30 days after]
    #[arg(long, value_name = "DAY")]
    pub(crate) delete_on: Option<Date>,
    /// Who takes upon themselves what is in the way; recorded, and told in report and package
    #[arg(long, value_name = "NAME", requires = "reason")]
    pub(crate) force_by: Option<String>,
    /// Why
    #[arg(long, value_name = "TEXT", requires = "force_by")]
    pub(crate) reason: Option<String>,
}

/// Arguments of `handoff`.
#[derive(Debug, Args)]
pub(crate) struct Handoff {
    /// Record the day on which the data of the migration is deleted, such as 2027-01-31
    #[arg(long, value_name = "DAY", requires = "by")]
    pub(crate) delete_on: Option<Date>,
    /// Who decided on that day
    #[arg(long, value_name = "NAME", requires = "delete_on")]
    pub(crate) by: Option<String>,
}
