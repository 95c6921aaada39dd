//! Whether the forecast that discovery and samples give is what the run then sends and takes.
//!
//! Generated accounts of growing size, each different in lists, calls, repeated persons, custom fields, customers who are
//! there already and tickets before, are looked at, estimated, and then migrated between both stand-ins over loopback. The
//! clock of both sides runs faster by one factor, so that the ratio of times is kept; it is printed with each account.
//! Steps that talk to neither system are not counted as time. Deliberately absent: any look at the generator by the
//! estimate, which has the two accounts and the operator's files alone.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use serde_json::{Value, json};
use twins::generate::{Account, Shape};
use twins::gorgias::{self, Bucket, Preexisting, PreexistingCustomer, PreexistingUser};
use twins::leaddesk;

use crate::measured::{deskferry, round};

/// What to run.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Arguments {
    /// Accounts.
    #[arg(long, default_value_t = 20)]
    accounts: u32,
    /// Records of the smallest: contacts, leads, calls and chatbot messages together.
    #[arg(long, default_value_t = 1_000)]
    smallest: u32,
    /// Records of the largest.
    #[arg(long, default_value_t = 100_000)]
    largest: u32,
    /// Seed of the first account.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Begin with this account; the others before it are left out.
    #[arg(long, default_value_t = 1)]
    first: u32,
    /// `requests/seconds` of the account at Gorgias.
    #[arg(long, default_value = "40/20")]
    bucket: String,
    /// Requests a second to LeadDesk.
    #[arg(long, default_value_t = 5.0)]
    source_per_second: f64,
    /// How many times faster than real time at the most; small accounts run slower, so that this machine does not count.
    #[arg(long, default_value_t = 60.0)]
    time_scale_max: f64,
    /// Seconds that a run should last at the least on this machine.
    #[arg(long, default_value_t = 40.0)]
    seconds_min: f64,
    /// How far the forecast may be off, in percent.
    #[arg(long, default_value_t = 5.0)]
    percent_max: f64,
    /// Accepted for uniformity: output is JSON always.
    #[arg(long)]
    json: bool,
}

/// Steps that talk to LeadDesk or Gorgias after the forecast.
const STEPS: [&str; 6] = ["prepare", "extract", "plan", "load", "reconcile", "finish"];
/// About this many requests to Gorgias come of one record, for the choice of the time scale alone.
const REQUESTS_PER_RECORD: f64 = 0.6;

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Runtime::new()?;
    let (mut worst_requests, mut worst_time, mut wide) = (0.0_f64, 0.0_f64, Vec::new());
    for number in arguments.first..=arguments.accounts {
        let figure = runtime.block_on(account(arguments, number))?;
        let off =
            |name: &str| figure[name].as_f64().map_or(f64::INFINITY, |ratio| (ratio - 1.0).abs() * 100.0);
        let (requests, time) = (off("requests_ratio"), off("seconds_ratio"));
        worst_requests = worst_requests.max(requests);
        worst_time = worst_time.max(time);
        if requests > arguments.percent_max || time > arguments.percent_max {
            wide.push(number);
        }
        println!("{figure}");
    }
    println!(
        "{}",
        json!({
            "type": "summary",
            "bench": "forecast",
            "accounts": arguments.accounts + 1 - arguments.first,
            "worst_requests_percent": round(worst_requests),
            "worst_seconds_percent": round(worst_time),
            "off_by_more": wide,
        })
    );
    ensure!(
        wide.is_empty(),
        "the forecast is off by more than {} % for accounts {wide:?}",
        arguments.percent_max
    );
    Ok(())
}

/// Records of the account with this number: each so many times larger than the one before.
fn records_of(arguments: &Arguments, number: u32) -> f64 {
    let (smallest, largest) = (f64::from(arguments.smallest), f64::from(arguments.largest));
    let steps = f64::from(arguments.accounts.saturating_sub(1).max(1));
    smallest * (largest / smallest).powf(f64::from(number - 1) / steps)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "counts far below 2^32, not negative"
)]
fn whole(number: f64) -> u32 {
    number.max(0.0).round() as u32
}

/// One of a few choices, different for neighbours.
fn pick<T: Copy>(choices: &[T], number: u32, step: u32) -> T {
    choices[((number * step) as usize) % choices.len()]
}

fn shape_of(arguments: &Arguments, number: u32) -> Shape {
    let records = records_of(arguments, number);
    let contacts = whole(records * pick(&[0.18, 0.25, 0.12, 0.32, 0.21], number, 1)).max(60);
    let leads = whole(f64::from(contacts) * pick(&[1.0, 1.25, 1.6, 1.1], number, 3));
    let conversations = whole(records * pick(&[0.0, 0.01, 0.004], number, 1));
    let conversations = if conversations == 0 { 0 } else { conversations.max(4) };
    let messages = conversations * pick(&[6, 9, 12], number, 2);
    let calls = whole(records).saturating_sub(contacts + leads + messages).max(60);
    let trouble = conversations > 0;
    Shape {
        seed: arguments.seed + u64::from(number),
        contacts,
        repeats_permille: pick(&[70, 20, 150, 0, 100], number, 2),
        leads,
        calls,
        agents: 12 + number * 3,
        offices: pick(&[1, 3, 6], number, 1),
        groups: pick(&[2, 5, 9], number, 2),
        campaigns: pick(&[3, 4, 7, 12], number, 1),
        sponsors: pick(&[1, 2, 4], number, 1),
        lists: pick(&[4, 9, 17, 36, 6], number, 1),
        conversations,
        messages,
        busiest_calls: if calls > 5_000 { pick(&[0, 700, 1_300], number, 1) } else { 0 },
        trouble,
        short_row: trouble,
    }
}

/// What Gorgias holds: users for the agents, customers of whom some are contacts, tickets.
fn preexisting(account: &Account, number: u32) -> Preexisting {
    let standard = Preexisting::default();
    let mut users = standard.users;
    let mut taken: BTreeSet<String> = users.iter().map(|user| user.email.to_lowercase()).collect();
    for user in account.users() {
        let Some(email) = user.email.clone().filter(|email| taken.insert(email.to_lowercase())) else {
            continue;
        };
        users.push(PreexistingUser {
            name: user.name.clone(),
            email,
            role: "agent".to_owned(),
            external_id: None,
        });
    }
    let mut customers = standard.customers;
    let every = pick(&[10, 40, 25, 1_000, 15], number, 1);
    for contact in account.contacts().step_by(every) {
        let email = contact.text.email;
        let is_plain = email.split_once('@').is_some_and(|(name, domain)| {
            domain.contains('.') && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '.')
        });
        if is_plain && taken.insert(email.to_lowercase()) {
            customers.push(PreexistingCustomer { email: Some(email), ..PreexistingCustomer::default() });
        }
    }
    for stranger in 0..pick(&[0_u32, 120, 450], number, 1) {
        let email = Some(format!("stranger{stranger}@example.org"));
        customers.push(PreexistingCustomer { email, ..PreexistingCustomer::default() });
    }
    Preexisting { users, customers, tickets: pick(&[2, 60, 260], number, 2), ..standard }
}

/// The stand-in of LeadDesk with the keys that the commands are given.
fn source_config() -> leaddesk::Config {
    let secret = |name: &str| {
        let known = super::SECRETS.iter().find(|(known, _)| *known == name);
        known.map_or_else(String::new, |(_, secret)| (*secret).to_owned())
    };
    let mut config = leaddesk::Config::new(leaddesk::Profile::Evidence);
    config.auth = secret("LEADDESK_AUTH");
    config.client_id = secret("LEADDESK_CLIENT_ID");
    config.client_secret = secret("LEADDESK_CLIENT_SECRET");
    config
}

async fn account(arguments: &Arguments, number: u32) -> anyhow::Result<Value> {
    let shape = shape_of(arguments, number);
    let account = Account::generate(shape.clone()).map_err(|error| anyhow::anyhow!("{error}"))?;
    let folder = tempfile::Builder::new().prefix("deskferry-forecast-").tempdir()?;
    account.write_files(&folder.path().join("operator-files")).map_err(|error| anyhow::anyhow!("{error}"))?;
    let records =
        account.contact_count() + account.lead_count() + account.call_count() + shape.messages as usize;
    let (capacity, seconds) =
        arguments.bucket.split_once('/').context("a bucket is written requests/seconds")?;
    let bucket = Bucket { capacity: capacity.parse()?, window_seconds: seconds.parse()? };
    let per_second = f64::from(bucket.capacity) / bucket.window_seconds;
    let real = records_of(arguments, number) * REQUESTS_PER_RECORD / per_second
        + f64::from(shape.contacts) / arguments.source_per_second;
    let scale = (real / arguments.seconds_min).clamp(1.0, arguments.time_scale_max).round();
    let there = preexisting(&account, number);
    let mut config =
        gorgias::Config { bucket, time_scale: scale, seed: shape.seed, ..gorgias::Config::default() };
    config.switches.seats_max = there.users.len() + 100;
    config.preexisting = there;
    let gorgias = gorgias::start(config).await?;
    let leaddesk = leaddesk::start(source_config(), account).await?;
    let path = folder.path().join("migration.toml");
    let text =
        configuration(&leaddesk.base_url(), &leaddesk.rest_url(), &gorgias.base_url(), arguments, scale)?;
    std::fs::write(&path, text)?;
    let migrated = {
        let (folder, path) = (folder.path().to_owned(), path.clone());
        tokio::task::spawn_blocking(move || migrate(&folder, &path)).await?
    };
    leaddesk.stop().await;
    gorgias.stop().await;
    let Migrated { estimate, requests, seconds } = migrated?;
    let predicted =
        |pointer: &str| estimate.pointer(pointer).and_then(Value::as_f64).context("no such figure");
    let (predicted_requests, predicted_seconds) =
        (predicted("/requests_total/likely")?, predicted("/times/all/likely")?);
    Ok(json!({
        "type": "account",
        "number": number,
        "records": records,
        "contacts": shape.contacts,
        "lists": shape.lists,
        "time_scale": scale,
        "cards_read": estimate["evidence"]["cards_read"],
        "requests_predicted": predicted_requests,
        "requests_range": [predicted("/requests_total/low")?, predicted("/requests_total/high")?],
        "requests_actual": requests,
        "requests_ratio": round(predicted_requests / requests),
        "seconds_predicted": round(predicted_seconds * scale),
        "seconds_actual": round(seconds * scale),
        "seconds_ratio": round(predicted_seconds / seconds),
    }))
}

/// What was said, and what then happened.
struct Migrated {
    estimate: Value,
    /// Requests to Gorgias of the steps after it.
    requests: f64,
    /// Seconds of the steps that talk to either system, as this machine's clock has them.
    seconds: f64,
}

fn migrate(folder: &Path, config: &Path) -> anyhow::Result<Migrated> {
    let config = config.to_str().context("the folder for temporary files has a name that is no text")?;
    let command = |words: &[&str], accepted: &[i32]| {
        let all: Vec<&str> =
            ["--config", config, "--json", "--no-input"].iter().chain(words).copied().collect();
        deskferry(folder, &all, accepted)
    };
    command(&["discover"], &[0])?;
    let (_, lines) = command(&["estimate"], &[0])?;
    let mut events = lines.iter().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let estimate = events.rfind(|event| event["type"] == "estimate").context("no estimate was told")?;
    command(&["run", "--yes"], &[0, 4])?;
    let (mut requests, mut seconds) = (0.0, 0.0);
    for step in steps(folder)? {
        if STEPS.iter().any(|name| step["step"] == *name) {
            requests += step["requests"].as_f64().unwrap_or(0.0);
            let at = |name: &str| -> anyhow::Result<jiff::Timestamp> {
                Ok(step[name].as_str().context("a step without times")?.parse()?)
            };
            seconds += at("ended_at")?.duration_since(at("started_at")?).as_secs_f64();
        }
    }
    Ok(Migrated { estimate: estimate["estimate"].clone(), requests, seconds })
}

/// Records of steps of the one run.
fn steps(folder: &Path) -> anyhow::Result<Vec<Value>> {
    let runs = folder.join("run").join("bench").join("runs");
    let mut steps = Vec::new();
    for run in entries(&runs)? {
        for path in entries(&run.join("steps"))? {
            steps.push(serde_json::from_slice(&std::fs::read(path)?)?);
        }
    }
    Ok(steps)
}

fn entries(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path()));
    Ok(entries.collect::<Result<_, _>>()?)
}

fn configuration(
    leaddesk: &str,
    rest: &str,
    gorgias: &str,
    arguments: &Arguments,
    scale: f64,
) -> anyhow::Result<String> {
    let (requests, seconds) =
        arguments.bucket.split_once('/').context("a bucket is written requests/seconds")?;
    let window = seconds.parse::<f64>()? / scale;
    let per_second = arguments.source_per_second * scale;
    Ok(format!(
        r#"migration = "bench"

[leaddesk]
original_api_url = "{leaddesk}"
rest_api_url = "{rest}"
auth = "env:LEADDESK_AUTH"
account = 1234
client_id = "env:LEADDESK_CLIENT_ID"
client_secret = "env:LEADDESK_CLIENT_SECRET"
files = "operator-files"
time_zone = "Europe/Helsinki"
default_region = "FI"
requests_per_second = {per_second}
in_flight = 16

[gorgias]
base_url = "{gorgias}"
email = "migration@acme.example"
api_key = "env:GORGIAS_API_KEY"
bucket = "{requests}/{window}"
reserve = 0.0

[store]
url = "file:run"

[queue]
url = "in-process:"
"#
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_grow_and_differ() {
        let arguments = Arguments {
            accounts: 20,
            smallest: 1_000,
            largest: 100_000,
            seed: 1,
            first: 1,
            bucket: "40/20".to_owned(),
            source_per_second: 5.0,
            time_scale_max: 60.0,
            seconds_min: 40.0,
            percent_max: 5.0,
            json: true,
        };
        let shapes: Vec<Shape> = (1..=20).map(|number| shape_of(&arguments, number)).collect();
        let records = |shape: &Shape| shape.contacts + shape.leads + shape.calls + shape.messages;
        assert_eq!((records(&shapes[0]), records(&shapes[19])), (1_000, 100_000));
        assert!(shapes.windows(2).all(|pair| records(&pair[0]) < records(&pair[1])));
        for shape in shapes {
            Account::generate(shape).expect("a sound shape");
        }
    }
}
