//! Arguments of `rehearse`.

use clap::Args;

/// Arguments of `rehearse`.
#[derive(Debug, Args)]
pub(crate) struct Rehearse {
    /// Approve the proposed mapping without looking, as --by
    #[arg(long)]
    pub(crate) yes: bool,
    /// Who approves
    #[arg(long, value_name = "NAME", default_value = "rehearse --yes")]
    pub(crate) by: String,
    /// How many times faster than real time the stand-in's rate limit runs
    #[arg(long, value_name = "FACTOR", default_value = "200")]
    pub(crate) time_scale: f64,
    /// Remove every rehearsal of this migration from this machine, and do nothing else
    #[arg(long)]
    pub(crate) remove: bool,
}
