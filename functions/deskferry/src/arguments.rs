//! The command tree. Commands stand in the order in which a migration runs them.
//!
//! Deliberately absent: secrets. They come from the environment or a file that `migration.toml` names, never from here,
//! because arguments show up in process lists and shell histories.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

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
    /// Write the report of a run as text, JSON and CSV
    Report(Strict),
    /// Write the handoff folder: dialer, LeadApps, outcomes, who to provision, what is lost
    Handoff,
    /// Take back what a run wrote: plan, apply, undo, purge; nothing that people touched is changed
    Rollback(Rollback),
    /// Where the run stands
    Status,
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
            Self::Map(map) => Some(map.deed.again()),
            Self::Rollback(rollback) => Some(format!("deskferry rollback {}", rollback.deed.name())),
            Self::Repair(repair) => Some(format!("deskferry repair {}", repair.deed.name())),
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
            Self::Report(_) => "report",
            Self::Handoff => "handoff",
            Self::Rollback(_) => "rollback",
            Self::Status => "status",
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
    #[command(flatten)]
    pub(crate) strict: Strict,
}

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
    /// Hours in which the migration may work, such as 20:00-06:00 [default: all day]
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

/// Arguments of `retry`.
#[derive(Debug, Args)]
pub(crate) struct Retry {
    /// What was refused, and what had to wait for it
    #[arg(long, required = true)]
    pub(crate) failed: bool,
    #[command(flatten)]
    pub(crate) strict: Strict,
}

/// Arguments of `delta`.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Delta {
    /// Go on, with so much time from one beginning to the next, such as 15m, until interrupted
    #[arg(long, value_name = "TIME", value_parser = every)]
    pub(crate) every: Option<std::time::Duration>,
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

/// Arguments of `aws`.
#[derive(Debug, Args)]
pub(crate) struct Aws {
    #[command(subcommand)]
    pub(crate) deed: AwsDeed,
}

/// What is done with a deployment.
#[derive(Debug, Subcommand)]
pub(crate) enum AwsDeed {
    /// Deploy the template with `sam deploy`, and say what migration.toml takes
    Deploy(Deploy),
    /// What the stack tells, and where the run stands
    Status(Stack),
    /// Wake the functions and watch, as `deskferry run` does
    Run(Run),
    /// Follow the functions' logs with `sam logs`
    Logs(Stack),
    /// Delete the stack; store, key and secrets stay
    Destroy(Destroy),
}

/// Which deployment.
#[derive(Debug, Args)]
pub(crate) struct Stack {
    /// Name of the stack
    #[arg(long, value_name = "NAME", default_value = "deskferry")]
    pub(crate) stack: String,
}

/// Arguments of `aws deploy`.
#[derive(Debug, Args)]
pub(crate) struct Deploy {
    #[command(flatten)]
    pub(crate) stack: Stack,
    /// The template
    #[arg(long, value_name = "FILE", default_value = "infra/template.yaml")]
    pub(crate) template: PathBuf,
    /// More for `sam deploy`, such as --parameter-overrides Customer=acme
    #[arg(last = true, value_name = "SAM ARGUMENTS")]
    pub(crate) more: Vec<String>,
}

/// Arguments of `aws destroy`.
#[derive(Debug, Args)]
pub(crate) struct Destroy {
    #[command(flatten)]
    pub(crate) stack: Stack,
    /// The name of the stack once more
    #[arg(long, value_name = "NAME")]
    pub(crate) confirm: Option<String>,
}

/// Whether differences decide the exit code.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Strict {
    /// Exit with 3 when differences are found
    #[arg(long, visible_alias = "exit-code")]
    pub(crate) strict: bool,
}

/// Arguments of `twin`.
#[derive(Debug, Args)]
pub(crate) struct Twin {
    #[command(subcommand)]
    pub(crate) system: System,
}

/// Which system to stand in for.
#[derive(Debug, Subcommand)]
pub(crate) enum System {
    /// LeadDesk: Original API, REST API, and the operator's files on request
    #[command(name = "leaddesk")]
    LeadDesk(LeadDeskTwin),
    /// Gorgias: REST API with a rate limit, strict about what it does not know
    Gorgias(GorgiasTwin),
}

/// Size of the generated account.
#[derive(Debug, Clone, Args)]
pub(crate) struct Account {
    /// Loopback address; port 0 picks a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    pub(crate) listen: SocketAddr,
    /// Seed of the generated account; give both stand-ins the same one
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Contacts of the LeadDesk account [default: 1200, with 1500 leads]
    #[arg(long)]
    pub(crate) contacts: Option<u32>,
    /// Calls of the LeadDesk account [default: 4000, or three for each contact]
    #[arg(long)]
    pub(crate) calls: Option<u32>,
}

/// Arguments of `twin leaddesk`.
#[derive(Debug, Args)]
pub(crate) struct LeadDeskTwin {
    #[command(flatten)]
    pub(crate) account: Account,
    /// Write the operator's files and chatbot ZIPs of the account here
    #[arg(long, value_name = "FOLDER")]
    pub(crate) files: Option<PathBuf>,
    /// How much of LeadDesk is there
    #[arg(long, default_value = "evidence")]
    pub(crate) profile: Profile,
}

/// How much of LeadDesk is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Profile {
    /// What public documents or real client code show.
    Evidence,
    /// Also what is merely plausible.
    Extended,
}

/// Arguments of `twin gorgias`.
#[derive(Debug, Args)]
pub(crate) struct GorgiasTwin {
    #[command(flatten)]
    pub(crate) account: Account,
    /// Rate limit, as requests/seconds
    #[arg(long, default_value = "40/20")]
    pub(crate) bucket: String,
    /// How many times faster than this machine's clock the account's time runs
    #[arg(long, value_name = "K", default_value_t = 1.0)]
    pub(crate) time_scale: f64,
    /// What goes wrong: a JSON list such as [{"when":{"method":"POST","nth":3},"action":"lost_answer_after_commit"}]
    #[arg(long, value_name = "FILE")]
    pub(crate) faults: Option<PathBuf>,
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
