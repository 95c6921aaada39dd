//! A delta after a small share of a large account changed.
//!
//! What the full pass costs is measured step by step in processes of its own. What comparing and making cost is measured
//! inside this process, so that starting, reading LeadDesk and writing the new reading do not count for it.
//!
//! The full pass is what `pass=full` in the lake stands for: the reading of LeadDesk and the wish that is made of it, so
//! `extract` and `transform` together. The bound is held against seconds of work and not against the clock: a real
//! LeadDesk answers a few requests a second, and hours of waiting would make any delta look small. The share of `transform`
//! alone is printed beside it, and so is what the delta's own reading costs, which is bounded by the requests.

use anyhow::bail;
use pipeline::delta;
use pipeline::extract::since;
use serde_json::{Value, json};
use twins::generate::{Account, Change, Shape, Stamp};

use crate::measured::{deskferry, process_cpu_seconds, round};
use crate::world::{Size, World};

/// Size of the account, and how much of it changes.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Contacts.
    #[arg(long, default_value_t = 100_000)]
    contacts: u64,
    /// Calls.
    #[arg(long, default_value_t = 300_000)]
    calls: u64,
    /// Share of the contacts that change, in percent.
    #[arg(long, default_value_t = 0.5)]
    percent: f64,
    /// Seed of the account.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Accepted for uniformity: output is JSON always.
    #[arg(long)]
    json: bool,
}

/// Requests may exceed the floor by so much.
const REQUESTS_RATIO_MAX: f64 = 1.1;
/// Comparing and making may take so much of what the full pass takes.
const CPU_SHARE_MAX: f64 = 0.05;
/// Steps of the full pass before anything is loaded.
const STEPS: [&[&str]; 7] = [
    &["discover"],
    &["propose"],
    &["confirm", "--by", "bench", "--yes"],
    &["prepare"],
    &["extract"],
    &["transform"],
    &["plan"],
];

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let Arguments { contacts, calls, seed, .. } = *arguments;
    let size = Size { seed, contacts, calls, bucket: "1000000/1".to_owned(), time_scale: 1 };
    let world = World::start(&size)?;
    let config = world.config()?.to_owned();
    let mut full = serde_json::Map::new();
    for step in STEPS {
        let command = [&["--config", config.as_str(), "--json", "--no-input"], step].concat();
        let (used, _) = deskferry(world.folder(), &command, &[0, 4])?;
        println!(
            "{}",
            json!({ "type": "figure", "bench": "delta", "step": step[0], "used": used.to_json() })
        );
        full.insert(step[0].to_owned(), json!(used.cpu_seconds));
    }
    let changes = changes(arguments)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let figures = runtime.block_on(measure(&world, &changes))?;
    let cpu = |step: &str| full.get(step).and_then(Value::as_f64).unwrap_or(f64::NAN);
    let (requests, floor) = (figures.requests as f64, figures.floor as f64);
    let of_transform = figures.make_seconds / cpu("transform");
    let of_pass = figures.make_seconds / (cpu("extract") + cpu("transform"));
    println!(
        "{}",
        json!({
            "type": "summary",
            "bench": "delta",
            "contacts": contacts,
            "calls": calls,
            "changes": changes.len(),
            "requests": figures.requests,
            "requests_floor": figures.floor,
            "requests_ratio": round(requests / floor),
            "read_cpu_seconds": round(figures.read_seconds),
            "diff_and_transform_cpu_seconds": round(figures.make_seconds),
            "full_extract_cpu_seconds": cpu("extract"),
            "full_transform_cpu_seconds": cpu("transform"),
            "share_of_full_transform": round(of_transform),
            "share_of_full_extract_and_transform": round(of_pass),
            "source": figures.source,
            "wished": figures.wished,
        })
    );
    if requests > floor * REQUESTS_RATIO_MAX {
        bail!("{requests} requests are more than {REQUESTS_RATIO_MAX} times the floor of {floor}");
    }
    if of_pass > CPU_SHARE_MAX {
        bail!("comparing and making take {of_pass} of the full pass, more than {CPU_SHARE_MAX}");
    }
    Ok(())
}

struct Figures {
    requests: u64,
    floor: u64,
    read_seconds: f64,
    make_seconds: f64,
    source: Value,
    wished: Value,
}

async fn measure(world: &World, changes: &[Change]) -> anyhow::Result<Figures> {
    let body = json!({ "changes": changes, "files": world.folder().join("operator-files") });
    let url = format!("{}/__twin/advance", world.leaddesk.url);
    let answer = reqwest::Client::new().post(url).json(&body).send().await?;
    if !answer.status().is_success() {
        bail!("the changes were refused: {}", answer.text().await?);
    }
    let ctx = world.context().await?;
    let start = process_cpu_seconds()?;
    let begun = delta::read(&ctx).await?;
    let read = process_cpu_seconds()?;
    let requests = ctx.source.requests().values().sum();
    let plan = delta::make(&ctx, &begun).await?;
    let made = process_cpu_seconds()?;
    let floor = since::floor(&ctx.reading(snapshot::Pass::Delta(begun.number))).await?;
    Ok(Figures {
        requests,
        floor,
        read_seconds: read - start,
        make_seconds: made - read,
        source: json!(plan.source),
        wished: json!(plan.wished),
    })
}

/// Cards that are edited, newcomers, and calls, spread over the account.
fn changes(arguments: &Arguments) -> anyhow::Result<Vec<Change>> {
    let size = |records: u64| u32::try_from(records);
    let shape =
        Shape { seed: arguments.seed, ..Shape::with_size(size(arguments.contacts)?, size(arguments.calls)?) };
    let account = Account::generate(shape)?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a count is one")]
    let count = (arguments.contacts as f64 * arguments.percent / 100.0).round() as usize;
    let stride = (usize::try_from(arguments.contacts)? / count.max(1)).max(1);
    let fits =
        account.contacts().filter(|contact| !contact.list_ids.is_empty() && !contact.text.phones.is_empty());
    let at = Stamp::civil(2026, 3, 2, 9, 0, 0);
    let change = |(number, contact): (usize, twins::generate::Contact)| match number % 10 {
        0 => Change::AddContact { list_id: contact.list_ids[0], at },
        1..4 => Change::AddCall { contact_id: Some(contact.id), at },
        kind => Change::EditCard {
            contact_id: contact.id,
            fname: None,
            lname: (kind < 8).then(|| format!("Newname{number}")),
            email: (kind >= 8).then(|| format!("new.address{number}@example.com")),
            phones: None,
            at,
        },
    };
    Ok(fits.step_by(stride).take(count).enumerate().map(change).collect())
}
