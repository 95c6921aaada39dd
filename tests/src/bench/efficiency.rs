//! Whether a whole run spends the account's bucket: requests against the floor, and time against the bound.
//!
//! The bucket is the documented one (40 in 20 s by API key); time runs faster on both sides by the same factor, so the
//! ratio is kept. The factor is printed.

use anyhow::Context;
use serde_json::{Value, json};

use crate::measured::deskferry;
use crate::world::{Size, World};

/// What to run.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Contacts; 250 of them with their leads and calls are about ten minutes of a real account.
    #[arg(long, default_value_t = 250)]
    contacts: u64,
    /// Calls.
    #[arg(long, default_value_t = 750)]
    calls: u64,
    /// Seed of the account.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// `requests/seconds` of the account.
    #[arg(long, default_value = "40/20")]
    bucket: String,
    /// How many times faster than real time.
    #[arg(long, default_value_t = 20)]
    time_scale: u32,
    /// Accepted for uniformity: output is JSON always.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let world = World::start(&Size {
        seed: arguments.seed,
        contacts: arguments.contacts,
        calls: arguments.calls,
        bucket: arguments.bucket.clone(),
        time_scale: arguments.time_scale,
    })?;
    let command = ["--config", world.config()?, "--json", "--no-input", "run", "--yes"];
    let (_, lines) = deskferry(world.folder(), &command, &[0, 4])?;
    let last: Value = serde_json::from_str(lines.last().context("the run printed nothing")?)?;
    let requests = last["requests"].as_f64().context("no requests in the summary")?;
    let floor = last["requests_floor"].as_f64().context("no floor in the summary")?;
    let mut figure = json!({
        "type": "summary",
        "bench": "efficiency",
        "bucket": arguments.bucket,
        "time_scale": arguments.time_scale,
        "requests_over_floor": crate::measured::round(requests / floor),
    });
    for key in [
        "verdict",
        "requests",
        "requests_floor",
        "responses_429",
        "bound_seconds",
        "elapsed_seconds",
        "efficiency",
    ] {
        figure[key] = last[key].clone();
    }
    println!("{figure}");
    Ok(())
}
