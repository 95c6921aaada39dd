//! The real program, killed with SIGKILL at random moments over loopback, and started again until it comes to its end.
//!
//! Quiet times are shortened to the stand-in's, so that many kills fit into minutes. Deliberately absent: trust in the
//! ledger: what was created is counted at the stand-in.

use std::process::{ExitCode, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context;
use serde_json::{Value, json};

use crate::measured::{child, deskferry, round};
use crate::world::{Size, World};

/// Quiet time of the stand-in: what a request lives, and what a record takes to show.
const QUIET: (f64, f64) = (1.0, 0.5);

/// What to run.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Contacts; about four times as many writes.
    #[arg(long, default_value_t = 2_000)]
    contacts: u64,
    /// Calls.
    #[arg(long, default_value_t = 4_000)]
    calls: u64,
    /// Kills.
    #[arg(long, default_value_t = 20)]
    kills: u32,
    /// Seed of the account and of the moments.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Longest time from a start to a kill, in milliseconds.
    #[arg(long, default_value_t = 3_500)]
    longest: u64,
    /// Accepted for uniformity: output is JSON always.
    #[arg(long)]
    json: bool,
}

/// Runs it.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let world = World::start(&Size {
        seed: arguments.seed,
        contacts: arguments.contacts,
        calls: arguments.calls,
        bucket: "4000/1".to_owned(),
        time_scale: 1,
    })?;
    let config = world.config()?;
    let text = std::fs::read_to_string(config)?;
    let waits =
        format!("reserve = 0.0\nrequest_life_seconds = {}\nvisibility_seconds = {}", QUIET.0, QUIET.1);
    std::fs::write(config, text.replace("reserve = 0.0", &waits))?;
    let command = ["--config", config, "--json", "--no-input", "run", "--yes"];
    let usage = world.folder().join("usage-killed.json");
    let mut moments = arguments.seed;
    let mut kills = 0;
    while kills < arguments.kills {
        moments = moments.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let until = Duration::from_millis(50 + (moments >> 33) % arguments.longest);
        let mut process = child(&usage, &command)?
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let started = Instant::now();
        let ended = loop {
            if let Some(status) = process.try_wait()? {
                break Some(status);
            }
            if started.elapsed() >= until {
                process.kill()?;
                process.wait()?;
                break None;
            }
            thread::sleep(Duration::from_millis(5));
        };
        match ended {
            None => kills += 1,
            Some(_) => break,
        }
    }
    let before = requests(&world)?;
    let started = Instant::now();
    let (_, lines) = deskferry(world.folder(), &command, &[0, 4])?;
    let seconds = started.elapsed().as_secs_f64();
    let last: Value = serde_json::from_str(lines.last().context("the run printed nothing")?)?;
    let found = lines.iter().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let found = found.into_iter().find(|event| event["type"] == "found").unwrap_or(Value::Null);
    let after = requests(&world)?;
    let created = |route: &str| count(&after, route, 201);
    let tickets = last["objects"]["lead"]["loaded"].as_u64().unwrap_or(0);
    let mails = told(&world, "ledgers")?["counts"]["outbox"].clone();
    let figure = json!({
        "type": "summary",
        "proof": "kill",
        "kills": kills,
        "verdict": last["verdict"],
        "duplicates": last["duplicates"],
        "fields_different": last["fields_different"],
        "mails": mails,
        "tickets_created": created("POST /api/tickets"),
        "customers_created": created("POST /api/customers"),
        "leads_loaded": tickets,
        "found_by_the_last_start": found,
        "last_start_seconds": round(seconds),
        "tickets_created_before_the_last_start": count(&before, "POST /api/tickets", 201),
    });
    println!("{figure}");
    let is_right = last["verdict"] == "pass" && last["duplicates"] == 0 && mails == 0;
    Ok(if is_right { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What the stand-in counted, by route and status.
fn requests(world: &World) -> anyhow::Result<Value> {
    Ok(told(world, "requests")?["requests"].clone())
}

fn told(world: &World, what: &str) -> anyhow::Result<Value> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let url = format!("{}/__twin/{what}", world.gorgias.url);
    let text = runtime.block_on(async { reqwest::get(url).await?.text().await })?;
    Ok(serde_json::from_str(&text)?)
}

fn count(requests: &Value, route: &str, status: u64) -> u64 {
    let rows = requests.as_array().into_iter().flatten();
    rows.filter(|row| row["route"] == route && row["status"] == status)
        .filter_map(|row| row["count"].as_u64())
        .sum()
}
