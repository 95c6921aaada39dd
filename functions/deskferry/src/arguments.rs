//! The command tree. Commands stand in the order in which a migration runs them.
//!
//! Deliberately absent: secrets. They come from the environment or a file that `migration.toml` names, never from here,
//! because arguments show up in process lists and shell histories.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

mod decide;
mod ending;
mod looking;
mod machines;
mod mending;
mod rehearsing;

pub(crate) use decide::{
    Acknowledge, Confirm, Estimate, Export, Import, Map, MapDeed, MapFormat, RECENT_DAYS, Schema, SchemaName,
};
pub(crate) use ending::{Cutover, CutoverDeed, CutoverRun, CutoverStatus, Handoff};
pub(crate) use looking::{
    Kind, SpotCheck, SpotCheckDeed, SpotCheckNew, SpotCheckRecord, SpotCheckShow, Where, Why,
};
pub(crate) use machines::{
    Account, Aws, AwsDeed, Deploy, Destroy, GorgiasTwin, LeadDeskTwin, Profile, Stack, System, Twin,
};
pub(crate) use mending::{Repair, RepairDeed, Retry};
pub(crate) use rehearsing::Rehearse;

/// Moves a company's records from LeadDesk to Gorgias, and proves every field by reading it back.
#[derive(Debug, Parser)]
#[command(name = "deskferry", version, max_term_width = 100, arg_required_else_help = true)]
#[command(
    after_help = "Start here:  deskferry demo    (a whole migration on this machine; no account, no network)"
)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Options of every command; they may stand before or after it.
#[derive(Debug, Clone, Args)]
pub(crate) struct Common {
    /// What to migrate, from where, to where
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        default_value = "migration.toml",
        help_heading = "Everywhere"
    )]
    pub(crate) config: PathBuf,
    /// Events as JSON lines on standard output; text for people goes to standard error
    #[arg(long, global = true, help_heading = "Everywhere")]
    pub(crate) json: bool,
    /// When to use colour
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto", help_heading = "Everywhere")]
    pub(crate) color: Color,
    /// Never ask; fail with the option to pass instead
    #[arg(long, global = true, help_heading = "Everywhere")]
    pub(crate) no_input: bool,
    /// The run, such as 2026-11-22-a1 [default: the newest unfinished one, else a new one]
    #[arg(long, global = true, value_name = "ID", help_heading = "Everywhere")]
    pub(crate) run: Option<String>,
}

/// When to use colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// At a terminal, unless NO_COLOR or TERM=dumb says otherwise.
    Auto,
    /// Also in pipes and files.
    Always,
    /// Not at all.
    Never,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// A whole migration between stand-ins of both systems on this machine, with report
    Demo(Demo),
    /// Write a commented migration.toml
    Init(Init),
    /// Run all steps, from discover to report, or go on where the run stopped
    Run(Run),
    /// Whether a migration could begin: access, tier, plan, rate limit, files, places, clock, disk
    Doctor,
    /// Look at both accounts and the operator's files; writes nothing to either
    Discover,
    /// Record who answers for data that leaves the EU: who, when, for which records
    Acknowledge(Acknowledge),
    /// Decide what lands where: propose, review, export, import, approve
    Map(Map),
    /// Propose what lands where, field by field, with reasons; as `map propose`
    Propose,
    /// Say what the run will send, how long it takes, what it costs and what it loses; writes to neither account
    Estimate(Estimate),
    /// Play the whole migration, taking it back and a second load against a stand-in of the real Gorgias account, which is only read
    Rehearse(Rehearse),
    /// Approve the proposal and what is lost; nothing is written to Gorgias before; as `map approve`
    Confirm(Confirm),
    /// Save what Gorgias holds, then create fields, tags and teams, and pause what would mail customers
    Prepare,
    /// Read LeadDesk and the files into the source snapshot
    Extract,
    /// Turn the source snapshot into what Gorgias should hold
    Transform,
    /// Cut the work into waves, and say how many requests and hours they take
    Plan(Plan),
    /// Write what a saved plan says, exactly that, and prove it
    Apply(Apply),
    /// Write to Gorgias, wave by wave; a wave opens when the one before it is proven
    Load,
    /// Write once more what Gorgias refused, when its cause is mended, and compare again
    Retry(Retry),
    /// Read Gorgias back and compare every field of every record
    Reconcile(Reconcile),
    /// Bring over what changed at LeadDesk since the last reading; what people changed at Gorgias stays
    Delta(Delta),
    /// Mend what differs from what was wished: plan, apply; what people changed stays
    Repair(Repair),
    /// The last evening: whether it is ready, freeze check, last delta, comparison, certificate, package
    Cutover(Cutover),
    /// Write the report of a run as text, JSON and CSV
    Report(Strict),
    /// Compare some records by hand: draw them, record what people said, show what it says of the others
    #[command(name = "spotcheck")]
    SpotCheck(SpotCheck),
    /// Write the handoff package, folder and ZIP: scope, mapping, proofs, dialer, who to provision, what is lost and open
    Handoff(Handoff),
    /// Take back what a run wrote: plan, apply, undo, purge; nothing that people touched is changed
    Rollback(Rollback),
    /// Where the run stands
    Status,
    /// Where a record of LeadDesk went: its row, its write, what was read back; asks neither system
    Where(Where),
    /// Why a field at Gorgias holds what it holds: source value, rule, approval, write, read-back
    Why(Why),
    /// Deploy, look at and take down the functions in AWS, by the tools sam and aws
    Aws(Aws),
    /// Serve a stand-in of one system on loopback, until interrupted
    Twin(Twin),
    /// What a code means and what to do about it
    Explain(Explain),
    /// Print the JSON schema of a file that people edit
    Schema(Schema),
    /// Print completions for a shell
    Completions(Completions),
}

impl Command {
    /// How to run the command again, for those that go on where they stopped.
    pub(crate) fn again(&self) -> Option<String> {
        match self {
            Self::Init(_)
            | Self::Aws(_)
            | Self::Twin(_)
            | Self::Explain(_)
            | Self::Schema(_)
            | Self::Completions(_) => None,
            Self::Where(_) | Self::Why(_) | Self::SpotCheck(_) => None,
            Self::Map(map) => Some(map.deed.again()),
            Self::Rollback(rollback) => Some(format!("deskferry rollback {}", rollback.deed.name())),
            Self::Repair(repair) => Some(format!("deskferry repair {}", repair.deed.name())),
            Self::Cutover(cutover) => Some(format!("deskferry cutover {}", cutover.deed.name())),
            Self::Retry(_) => Some("deskferry retry --failed".to_owned()),
            Self::Apply(apply) => Some(format!("deskferry apply {}", apply.plan.display())),
            Self::Acknowledge(_) => Some("deskferry acknowledge --by NAME --scope TEXT".to_owned()),
            Self::Confirm(_) => Some("deskferry confirm --by \"YOUR NAME\"".to_owned()),
            other => Some(format!("deskferry {}", other.name())),
        }
    }

    /// The word on the command line.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Demo(_) => "demo",
            Self::Init(_) => "init",
            Self::Run(_) => "run",
            Self::Rehearse(_) => "rehearse",
            Self::Doctor => "doctor",
            Self::Discover => "discover",
            Self::Acknowledge(_) => "acknowledge",
            Self::Map(_) => "map",
            Self::Propose => "propose",
            Self::Estimate(_) => "estimate",
            Self::Confirm(_) => "confirm",
            Self::Prepare => "prepare",
            Self::Extract => "extract",
            Self::Transform => "transform",
            Self::Plan(_) => "plan",
            Self::Apply(_) => "apply",
            Self::Load => "load",
            Self::Retry(_) => "retry",
            Self::Reconcile(_) => "reconcile",
            Self::Delta(_) => "delta",
            Self::Repair(_) => "repair",
            Self::Cutover(_) => "cutover",
            Self::Report(_) => "report",
            Self::SpotCheck(_) => "spotcheck",
            Self::Handoff(_) => "handoff",
            Self::Rollback(_) => "rollback",
            Self::Status => "status",
            Self::Where(_) => "where",
            Self::Why(_) => "why",
            Self::Aws(_) => "aws",
            Self::Twin(_) => "twin",
            Self::Explain(_) => "explain",
            Self::Schema(_) => "schema",
            Self::Completions(_) => "completions",
        }
    }
}

/// Arguments of `demo`.
#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// Seed of the generated account; one seed gives one account
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Where everything is written; emptied first when it is the folder of an earlier demo
    #[arg(long, value_name = "FOLDER", default_value = "./deskferry-demo")]
    pub(crate) dir: PathBuf,
    /// Leave both stand-ins running afterwards, until interrupted
    #[arg(long)]
    pub(crate) keep: bool,
}

/// Arguments of `init`.
#[derive(Debug, Args)]
pub(crate) struct Init {
    /// Name of the migration, which becomes the folder in the store: lower-case letters, digits and dashes
    #[arg(long, value_name = "NAME", default_value = "acme")]
    pub(crate) migration: String,
    /// Replace a file that is there
    #[arg(long)]
    pub(crate) force: bool,
}

/// Arguments of `run`.
#[derive(Debug, Args)]
pub(crate) struct Run {
    /// Approve the proposed mapping without looking, as --by
    #[arg(long)]
    pub(crate) yes: bool,
    /// Who approves
    #[arg(long, value_name = "NAME", default_value = "run --yes")]
    pub(crate) by: String,
    /// Move only so many tickets, chosen to show every kind of record, office, month and trouble; a run of its own
    #[arg(long, value_name = "TICKETS", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) sample: Option<u32>,
    /// Seed of the sample; the same one chooses the same records [default: the number of the sample]
    #[arg(long, value_name = "N", requires = "sample")]
    pub(crate) seed: Option<u64>,
    #[command(flatten)]
    pub(crate) strict: Strict,
}

/// Arguments of `plan`.
#[derive(Debug, Args)]
pub(crate) struct Plan {
    /// Keep the plan in a file that `deskferry apply` takes
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

/// Arguments of `apply`.
#[derive(Debug, Args)]
pub(crate) struct Apply {
    /// The file that `deskferry plan --output` wrote
    #[arg(value_name = "PLAN")]
    pub(crate) plan: PathBuf,
    #[command(flatten)]
    pub(crate) consent: Consent,
    #[command(flatten)]
    pub(crate) strict: Strict,
}

/// Arguments of `reconcile`.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Reconcile {
    #[command(flatten)]
    pub(crate) strict: Strict,
    /// Read everything once more although it is proven; what is found is kept beside the verdict of the run
    #[arg(long)]
    pub(crate) again: bool,
}

/// Arguments of `delta`.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Delta {
    /// Go on, with so much time from one beginning to the next, such as 15m, until interrupted
    #[arg(long, value_name = "TIME", value_parser = every)]
    pub(crate) every: Option<std::time::Duration>,
    /// Take the operator's files along as they are now, for the next delta, and begin none: for deltas on a schedule
    #[arg(long, conflicts_with = "every")]
    pub(crate) files_only: bool,
    #[command(flatten)]
    pub(crate) strict: Strict,
}

/// Less would read LeadDesk without end.
const EVERY_MIN: std::time::Duration = std::time::Duration::from_secs(1);

fn every(text: &str) -> Result<std::time::Duration, String> {
    let span: jiff::SignedDuration = text.parse().map_err(|_| "not a time, such as 15m or 1h".to_owned())?;
    let span = std::time::Duration::try_from(span).map_err(|_| "a negative time".to_owned())?;
    if span < EVERY_MIN { Err("less than a second".to_owned()) } else { Ok(span) }
}

/// Arguments of `rollback`.
#[derive(Debug, Args)]
pub(crate) struct Rollback {
    #[command(subcommand)]
    pub(crate) deed: RollbackDeed,
}

/// What a rollback does.
#[derive(Debug, Subcommand)]
pub(crate) enum RollbackDeed {
    /// Read Gorgias, and say record by record what would be taken back and what stays, and why
    Plan,
    /// Put tickets into the trash, give back what was there before, archive fields; can be undone
    Apply(Consent),
    /// Bring back what was taken, as long as nothing is purged
    Undo,
    /// Remove for good what lay in the trash for the time of the hold; cannot be undone
    Purge(Consent),
}

impl RollbackDeed {
    /// The word on the command line.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Plan => "plan",
            Self::Apply(_) => "apply",
            Self::Undo => "undo",
            Self::Purge(_) => "purge",
        }
    }
}

/// What has to be typed, given beforehand.
#[derive(Debug, Args)]
pub(crate) struct Consent {
    /// What has to be typed: the account's subdomain to apply, the number of records to purge
    #[arg(long, value_name = "WORD")]
    pub(crate) confirm: Option<String>,
}

/// Whether differences decide the exit code.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Strict {
    /// Exit with 3 when differences are found
    #[arg(long, visible_alias = "exit-code")]
    pub(crate) strict: bool,
}

/// Arguments of `explain`.
#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// The code, such as DIS301 or E0201; without it all codes are listed
    #[arg(value_name = "CODE")]
    pub(crate) code: Option<String>,
}

/// Arguments of `completions`.
#[derive(Debug, Args)]
pub(crate) struct Completions {
    /// The shell
    pub(crate) shell: Shell,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_tree_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn common_options_stand_anywhere() {
        for line in
            ["deskferry --json status --run 2026-11-22-a1", "deskferry --run 2026-11-22-a1 status --json"]
        {
            let parsed = Arguments::try_parse_from(line.split(' ')).unwrap();
            assert!(parsed.common.json, "{line}");
            assert_eq!(parsed.common.run.as_deref(), Some("2026-11-22-a1"), "{line}");
        }
    }

    #[test]
    fn no_option_takes_a_secret() {
        fn options(command: &clap::Command) -> Vec<String> {
            let own = command.get_arguments().map(|argument| argument.get_id().to_string());
            own.chain(command.get_subcommands().flat_map(options)).collect()
        }
        let all = options(&Arguments::command());
        for word in ["key", "secret", "token", "password", "auth"] {
            assert!(!all.iter().any(|name| name.contains(word)), "{word} in {all:?}");
        }
    }
}
