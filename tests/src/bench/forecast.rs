//! Whether the forecast that discovery and samples give is what the run then sends and takes.
//!
//! Generated accounts of growing size, each different in lists, calls, repeated persons, custom fields, customers who are
//! there already and tickets before, are looked at, estimated, and then migrated by the real steps over HTTP between both
//! stand-ins on loopback. Time passes as the limits of both systems make it, and stands while this machine computes.
//! Deliberately absent: any look at the generator by the estimate, which has the two accounts and the operator's files
//! alone.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context as _, bail, ensure};
use connectors::connect::{self, Surroundings};
use connectors::http::log::NoLog;
use jiff::Timestamp;
use pipeline::conduct::{self, Next};
use pipeline::context::Context;
use pipeline::estimate::{self, EstimateV1};
use pipeline::progress::Silent;
use pipeline::propose::{self, Confirmation, LeaveOut};
use pipeline::report::steps;
use pipeline::worker;
use serde_json::{Value, json};
use twins::generate::{Account, Shape};
use twins::gorgias::{self, Bucket, ManualClock, Preexisting, PreexistingCustomer, PreexistingUser};
use twins::leaddesk;

use super::idle_clock::IdleClock;
use crate::measured::round;

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
    /// How far the forecast may be off, in percent.
    #[arg(long, default_value_t = 5.0)]
    percent_max: f64,
    /// Accepted for uniformity: output is JSON always.
    #[arg(long)]
    json: bool,
}

/// Steps that talk to LeadDesk or Gorgias after the forecast.
const STEPS: [&str; 6] = ["prepare", "extract", "plan", "load", "reconcile", "finish"];
/// When every account stands at its beginning.
const BEGIN: &str = "2026-06-01T00:00:00Z";
/// Steps of a run at most, so that one that goes round ends.
const STEPS_MAX: usize = 100;

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
    let began = Instant::now();
    let shape = shape_of(arguments, number);
    let account = Account::generate(shape.clone()).map_err(|error| anyhow::anyhow!("{error}"))?;
    let folder = tempfile::Builder::new().prefix("deskferry-forecast-").tempdir()?;
    account.write_files(&folder.path().join("operator-files")).map_err(|error| anyhow::anyhow!("{error}"))?;
    let records =
        account.contact_count() + account.lead_count() + account.call_count() + shape.messages as usize;
    let (capacity, seconds) =
        arguments.bucket.split_once('/').context("a bucket is written requests/seconds")?;
    let there = preexisting(&account, number);
    let twin_clock = ManualClock::at(BEGIN).context("no instant")?;
    let clock = IdleClock::start(BEGIN.parse()?, twin_clock.clone());
    let mut config = gorgias::Config {
        bucket: Bucket { capacity: capacity.parse()?, window_seconds: seconds.parse()? },
        clock: gorgias::Clock::Manual(twin_clock),
        seed: shape.seed,
        ..gorgias::Config::default()
    };
    config.switches.seats_max = there.users.len() + 100;
    config.preexisting = there;
    let gorgias = gorgias::start(config).await?;
    let leaddesk = leaddesk::start(source_config(), account).await?;
    let urls = [leaddesk.base_url(), leaddesk.rest_url(), gorgias.base_url()];
    let migrated = migrate(folder.path(), &urls, arguments, Arc::clone(&clock)).await;
    clock.stop();
    leaddesk.stop().await;
    gorgias.stop().await;
    let Migrated { said, requests, seconds } = migrated?;
    let range = said.requests_total;
    Ok(json!({
        "type": "account",
        "number": number,
        "records": records,
        "contacts": shape.contacts,
        "lists": shape.lists,
        "cards_read": said.evidence.cards_read,
        "requests_predicted": range.likely,
        "requests_range": [range.low, range.high],
        "requests_actual": requests,
        "requests_ratio": round(float(range.likely) / float(requests)),
        "seconds_predicted": round(said.times.all.likely),
        "seconds_actual": round(seconds),
        "seconds_ratio": round(said.times.all.likely / seconds),
        "machine_seconds": round(began.elapsed().as_secs_f64()),
    }))
}

#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
fn float(count: u64) -> f64 {
    count as f64
}

/// What was said, and what then happened.
struct Migrated {
    said: EstimateV1,
    /// Requests to Gorgias of the steps after it.
    requests: u64,
    /// Seconds of these steps.
    seconds: f64,
}

/// Looks, estimates, approves, and does all steps in their order.
async fn migrate(
    folder: &Path,
    urls: &[String; 3],
    arguments: &Arguments,
    clock: Arc<IdleClock>,
) -> anyhow::Result<Migrated> {
    let path = folder.join("migration.toml");
    std::fs::write(&path, configuration(folder, urls, arguments)?)?;
    let config = connect::read_config(&path).await?;
    let store = connect::open_store(&config.store).await?;
    let surroundings = Surroundings { clock, progress: Arc::new(Silent), log: Arc::new(NoLog) };
    let run = "2026-06-01-a1".parse()?;
    let mut ctx = connect::connect(&config, run, folder.join("scratch"), store, surroundings)?;
    ctx.limits.ledger.is_exclusive = true;
    let options = estimate::Options {
        bucket: config.gorgias.bucket,
        source_per_second: config.leaddesk.requests_per_second,
        hours: None,
        recent_days: 30,
    };
    let mut said = None;
    for _ in 0..STEPS_MAX {
        match conduct::next(&worker::look(&ctx).await?) {
            Next::Run(step) => drop(worker::run_step(&ctx, step).await?),
            Next::Confirmation => {
                said = Some(estimate::run(&ctx, &options).await?);
                approve(&ctx).await?;
            }
            Next::Decision(wave) => bail!("wave {wave} was not found right"),
            Next::Nothing => break,
        }
    }
    let taken: Vec<_> = steps::read(&ctx).await?;
    let taken = taken.iter().filter(|step| STEPS.contains(&step.step.as_str()));
    let seconds = |step: &steps::StepV1| step.ended_at.duration_since(step.started_at).as_secs_f64();
    Ok(Migrated {
        said: said.context("nothing was estimated")?,
        requests: taken.clone().map(|step| step.requests).sum(),
        seconds: taken.map(seconds).sum(),
    })
}

/// Open rows are left out, as `deskferry run --yes` does.
async fn approve(ctx: &Context) -> anyhow::Result<()> {
    let open = propose::proposal(ctx).await?.conflicts();
    let leave_out =
        open.into_iter().map(|row| LeaveOut { id: row.id, reason: "left out by the bench".to_owned() });
    let at: Timestamp = BEGIN.parse()?;
    let confirmation = Confirmation {
        reviewer: "bench".to_owned(),
        at,
        proposal_digest: None,
        leave_out: leave_out.collect(),
    };
    propose::confirm(ctx, &confirmation).await?;
    Ok(())
}

fn configuration(folder: &Path, urls: &[String; 3], arguments: &Arguments) -> anyhow::Result<String> {
    for (name, secret) in super::SECRETS {
        std::fs::write(folder.join(name), secret)?;
    }
    let [leaddesk, rest, gorgias] = urls;
    let (bucket, per_second) = (&arguments.bucket, arguments.source_per_second);
    Ok(format!(
        r#"migration = "bench"

[leaddesk]
original_api_url = "{leaddesk}"
rest_api_url = "{rest}"
auth = "file:LEADDESK_AUTH"
account = 1234
client_id = "file:LEADDESK_CLIENT_ID"
client_secret = "file:LEADDESK_CLIENT_SECRET"
files = "operator-files"
time_zone = "Europe/Helsinki"
default_region = "FI"
requests_per_second = {per_second:?}

[residency]
store = "FI"
destination = "EU"

[gorgias]
base_url = "{gorgias}"
email = "migration@acme.example"
api_key = "file:GORGIAS_API_KEY"
bucket = "{bucket}"
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

    fn arguments(accounts: u32, largest: u32) -> Arguments {
        Arguments {
            accounts,
            smallest: 1_000,
            largest,
            seed: 1,
            first: 1,
            bucket: "40/20".to_owned(),
            source_per_second: 5.0,
            percent_max: 5.0,
            json: true,
        }
    }

    #[test]
    fn accounts_grow_and_differ() {
        let arguments = arguments(20, 100_000);
        let shapes: Vec<Shape> = (1..=20).map(|number| shape_of(&arguments, number)).collect();
        let records = |shape: &Shape| shape.contacts + shape.leads + shape.calls + shape.messages;
        assert_eq!((records(&shapes[0]), records(&shapes[19])), (1_000, 100_000));
        assert!(shapes.windows(2).all(|pair| records(&pair[0]) < records(&pair[1])));
        for shape in shapes {
            Account::generate(shape).expect("a sound shape");
        }
    }

    #[test]
    fn what_was_forecast_is_what_happens() {
        run(&arguments(2, 2_600)).expect("within five percent");
    }
}
