//! How many requests a second the twins answer over kept connections, from this one process.

use std::time::{Duration, Instant};

use anyhow::ensure;
use serde_json::json;

use crate::bench::SECRETS;
use crate::measured::round;
use crate::world::{Size, World};

/// How hard and how long.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Contacts of the account.
    #[arg(long, default_value_t = 100_000)]
    contacts: u64,
    /// Calls of the account.
    #[arg(long, default_value_t = 300_000)]
    calls: u64,
    /// Seconds a twin.
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// Connections.
    #[arg(long, default_value_t = 16)]
    connections: usize,
    /// Accepted for uniformity: output is JSON always.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let start = Instant::now();
    let world = World::start(&Size {
        seed: 1,
        contacts: arguments.contacts,
        calls: arguments.calls,
        bucket: "10000000/1".to_owned(),
        time_scale: 1,
    })?;
    let start_seconds = round(start.elapsed().as_secs_f64());
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let key = SECRETS[0].1;
    let leaddesk = runtime.block_on(hammer(arguments, |client, _| {
        client.get(format!("{}/?auth={key}&mod=calling_list&cmd=list", world.leaddesk.url))
    }))?;
    let gorgias = runtime.block_on(hammer(arguments, |client, n| {
        client
            .get(format!("{}/api/customers?external_id=leaddesk:contact:{n}", world.gorgias.url))
            .basic_auth("migration@acme.example", Some(SECRETS[3].1))
    }))?;
    println!(
        "{}",
        json!({
            "type": "summary", "bench": "twins", "contacts": arguments.contacts, "calls": arguments.calls,
            "start_seconds": start_seconds, "leaddesk_per_second": leaddesk, "gorgias_per_second": gorgias,
            "leaddesk_process": world.leaddesk.id(), "gorgias_process": world.gorgias.id(),
        })
    );
    Ok(())
}

async fn hammer(
    arguments: &Arguments,
    request: impl Fn(&reqwest::Client, u64) -> reqwest::RequestBuilder,
) -> anyhow::Result<f64> {
    let client =
        reqwest::Client::builder().pool_max_idle_per_host(arguments.connections).tcp_nodelay(true).build()?;
    let end = Instant::now() + Duration::from_secs(arguments.seconds);
    let start = Instant::now();
    let one = |connection: u64| {
        let (client, request) = (client.clone(), &request);
        async move {
            let mut count = 0_u64;
            while Instant::now() < end {
                let answer = request(&client, connection * 1_000_000 + count).send().await?;
                ensure!(answer.status().is_success(), "a twin answered {}", answer.status());
                answer.bytes().await?;
                count += 1;
            }
            anyhow::Ok(count)
        }
    };
    let counts = futures::future::try_join_all((0..arguments.connections as u64).map(one)).await?;
    Ok(round(counts.iter().sum::<u64>() as f64 / start.elapsed().as_secs_f64()))
}
