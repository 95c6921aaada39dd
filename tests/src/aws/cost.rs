//! What a migration costs in the cloud, reckoned from two accounts that ran there.

use std::process::ExitCode;

use anyhow::Context;
use pipeline::cost::{self, Sample};
use pipeline::turns::Turn;
use serde_json::json;

use super::{Cloud, Programs};
use crate::world::Size;

/// Contacts that costs are told for.
const COST_CONTACTS: u64 = 100_000;
/// More than this is too much for so many.
const COST_DOLLARS_MAX: f64 = 1.0;
/// Documented for an API key (facts: 40 requests in 20 s).
const DOCUMENTED_PER_SECOND: f64 = 2.0;

/// Costs of one account, as a run in the cloud told them.
struct Told {
    turns: Vec<Turn>,
    contacts: u64,
    requests: u64,
}

impl Told {
    fn sample(&self) -> Sample<'_> {
        Sample { turns: &self.turns, contacts: self.contacts, requests: self.requests }
    }
}

/// What to run.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    programs: Programs,
    /// Contacts of the larger account; the smaller one has a tenth.
    #[arg(long, default_value_t = 1_500)]
    contacts: u64,
    /// Accepted for uniformity: output is JSON always.
    #[arg(long)]
    json: bool,
}

/// Runs two accounts through the cloud home, and says what 100,000 contacts with three calls each cost at the documented
/// rate limit.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let told = |contacts: u64| runtime.block_on(told(arguments, contacts));
    let (small, large) = (told(arguments.contacts / 10)?, told(arguments.contacts)?);
    let bill = cost::projected(small.sample(), large.sample(), COST_CONTACTS, DOCUMENTED_PER_SECOND);
    println!(
        "{}",
        json!({
            "figure": "aws cost",
            "contacts": COST_CONTACTS,
            "prices_of": cost::PRICES_OF,
            "dollars": bill.dollars(),
            "lines": bill.lines,
            "judged_by_contacts": [small.contacts, large.contacts],
            "requests_per_second": DOCUMENTED_PER_SECOND,
            "idle_dollars_a_month": cost::IDLE_DOLLARS_A_MONTH,
        })
    );
    Ok(if bill.dollars() <= COST_DOLLARS_MAX { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn told(arguments: &Arguments, contacts: u64) -> anyhow::Result<Told> {
    let size = Size { seed: 1, contacts, calls: 3 * contacts, bucket: "4000/1".to_owned(), time_scale: 1 };
    let cloud = Cloud::start(&arguments.programs, &size).await?;
    let events = cloud.command(&["run", "--yes"], &[0, 4])?;
    let summary = events.iter().rfind(|event| event["type"] == "summary").context("no summary")?;
    let turns = events.iter().filter(|event| event["type"] == "turn").map(|event| {
        Ok(serde_json::from_value(json!({
            "step": event["step"],
            "began_at": event["began_at"],
            "ended_at": event["ended_at"],
            "end": event["end"],
            "code": event["code"],
            "text": null,
            "used": event["used"],
        }))?)
    });
    Ok(Told {
        turns: turns.collect::<anyhow::Result<_>>()?,
        contacts: summary["objects"]["contact"]["source"].as_u64().context("no contacts")?,
        requests: summary["requests"].as_u64().context("no requests")?,
    })
}
