//! Arguments of what is beside a migration: its deployment in AWS, and the stand-ins of both systems.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::Run;

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
