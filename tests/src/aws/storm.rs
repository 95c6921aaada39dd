//! A whole migration by functions in a storm: killed, out of time, twice, not deleted, throttled, while S3 fails now and
//! then. Every trouble follows from the seed but for the moment at which a process is in its work.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use aws_sdk_sqs::config::Credentials;
use serde_json::{Value, json};

use super::emulator::{ACCOUNT, Emulator, REGION, free_port};
use super::front::Front;
use super::host::{Deployed, Function};
use super::mapping::{Mapping, Mishap, Seen};
use super::{Programs, RUN, one_at_a_time};
use crate::bench::SECRETS;
use crate::measured::{child, round};
use crate::world::{Size, World};

/// The functions, as the template names them.
const HANDLERS: [&str; 5] = ["conduct", "extract", "transform", "load", "reconcile"];
/// Seconds after which a message comes back; the functions of a storm are done or dead long before.
const VISIBILITY_SECONDS: u64 = 12;
/// Hard end of a function.
const TIMEOUT: Duration = Duration::from_secs(75);
/// A run that takes longer has stopped making progress.
const PATIENCE: Duration = Duration::from_secs(420);

/// What to run.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    programs: Programs,
    /// Contacts.
    #[arg(long, default_value_t = 60)]
    contacts: u64,
    /// Calls.
    #[arg(long, default_value_t = 150)]
    calls: u64,
    /// First seed.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Storms, each with the next seed.
    #[arg(long, default_value_t = 1)]
    storms: u64,
    /// Chance that something goes wrong with a delivery, in percent.
    #[arg(long, default_value_t = 35)]
    percent: u32,
    /// One of so many creations of objects goes wrong; 0 for none.
    #[arg(long, default_value_t = 17)]
    fault_every: u64,
    /// Accepted for uniformity: output is JSON always.
    #[arg(long)]
    json: bool,
}

/// Runs it.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let mut is_right = true;
    for seed in arguments.seed..arguments.seed + arguments.storms {
        is_right &= runtime.block_on(storm(arguments, seed))?;
    }
    Ok(if is_right { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn storm(arguments: &Arguments, seed: u64) -> anyhow::Result<bool> {
    let began = Instant::now();
    let world = World::start(&Size {
        seed,
        contacts: arguments.contacts,
        calls: arguments.calls,
        bucket: "4000/1".to_owned(),
        time_scale: 1,
    })?;
    let port = free_port()?;
    let front = Front::start(format!("http://127.0.0.1:{port}")).await?;
    let _emulator = Emulator::start(&arguments.programs.python, world.folder(), port, &front.url).await?;
    let settings = aws_config::defaults(aws_config::BehaviorVersion::latest())
        .endpoint_url(&front.url)
        .region(aws_config::Region::new(REGION))
        .credentials_provider(Credentials::new("test", "test", None, None, "the emulator"))
        .load()
        .await;
    let sqs = aws_sdk_sqs::Client::new(&settings);
    let (urls, dead) = queues(&sqs).await?;
    prepare(&settings, &world).await?;
    front.go_wrong_every(arguments.fault_every);

    let seen = Arc::new(Mutex::new(Seen::default()));
    let mut mappings = tokio::task::JoinSet::new();
    for (number, handler) in HANDLERS.into_iter().enumerate() {
        let function = Function::new(deployed(arguments, handler, &front.url, &urls, &world)?);
        let url = urls[handler].clone();
        let seed = seed.wrapping_mul(31).wrapping_add(number as u64);
        let mapping = Mapping::new(sqs.clone(), url, function, Arc::clone(&seen), arguments.percent, seed);
        mappings.spawn(mapping.run());
    }
    let told = watched(&world, &front.url, &mut mappings).await?;
    mappings.abort_all();
    front.go_wrong_every(0);

    let summary = told.iter().rfind(|event| event["type"] == "summary").context("the run told no summary")?;
    let dead_letters = left(&sqs, &dead).await?;
    let held = world.held_against_us().await?;
    let seen = std::mem::take(&mut *seen.lock().unwrap_or_else(PoisonError::into_inner));
    let is_right = summary["verdict"] == "pass"
        && summary["duplicates"] == 0
        && summary["fields_different"] == 0
        && held.is_empty()
        && dead_letters == 0
        && seen.broken.is_empty();
    let (mishaps, peaks) = (mishaps(&seen), peaks(&seen));
    println!(
        "{}",
        json!({
            "proof": "aws storm",
            "seed": seed,
            "verdict": summary["verdict"],
            "fields_compared": summary["fields_compared"],
            "fields_different": summary["fields_different"],
            "duplicates": summary["duplicates"],
            "turns": told.iter().filter(|event| event["type"] == "turn").count(),
            "invocations": seen.invocations,
            "redeliveries": seen.redeliveries,
            "mishaps": mishaps,
            "front": front.to_json()["faults"],
            "peak_megabytes": peaks,
            "dead_letters": dead_letters,
            "held_against_us": held,
            "broken_answers": seen.broken,
            "elapsed_seconds": round(began.elapsed().as_secs_f64()),
        })
    );
    Ok(is_right)
}

/// What went wrong, by its word; what never did stands there as 0.
fn mishaps(seen: &Seen) -> BTreeMap<&'static str, u64> {
    let counted = |mishap: &Mishap| seen.mishaps.get(mishap).copied().unwrap_or(0);
    Mishap::ALL.iter().map(|mishap| (mishap.name(), counted(mishap))).collect()
}

/// Megabytes by handler.
fn peaks(seen: &Seen) -> BTreeMap<&'static str, u64> {
    seen.peaks.iter().map(|(handler, bytes)| (*handler, bytes / 1_000_000)).collect()
}

/// The command of a person, watching until the run rests. A mapping that ends before it is an error.
async fn watched(
    world: &World,
    endpoint: &str,
    mappings: &mut tokio::task::JoinSet<anyhow::Result<()>>,
) -> anyhow::Result<Vec<Value>> {
    let config = world.config()?;
    let arguments = ["--config", config, "--json", "--no-input", "--run", RUN, "run", "--yes"];
    let mut command =
        tokio::process::Command::from(child(&world.folder().join("usage-run.json"), &arguments)?);
    command
        .env("AWS_ENDPOINT_URL", endpoint)
        .env("AWS_ACCESS_KEY_ID", "test")
        .env("AWS_SECRET_ACCESS_KEY", "test")
        .env("AWS_REGION", REGION)
        .kill_on_drop(true);
    let output = tokio::select! {
        output = tokio::time::timeout(PATIENCE, command.output()) => output.context("the run makes no progress")??,
        ended = mappings.join_next() => bail!("a mapping ended: {ended:?}"),
    };
    if !matches!(output.status.code(), Some(0 | 4)) {
        bail!("the run ended with {:?}:\n{}", output.status, String::from_utf8_lossy(&output.stderr));
    }
    let lines = String::from_utf8(output.stdout)?;
    lines.lines().map(|line| Ok(serde_json::from_str(line)?)).collect()
}

/// Queues like those of the template, but for a shorter visibility: nobody waits an hour for a test.
async fn queues(sqs: &aws_sdk_sqs::Client) -> anyhow::Result<(BTreeMap<String, String>, Vec<String>)> {
    use aws_sdk_sqs::types::QueueAttributeName as Name;
    let (mut urls, mut dead) = (BTreeMap::new(), Vec::new());
    for handler in HANDLERS {
        let request = sqs.create_queue().queue_name(format!("{handler}-dead.fifo"));
        let made = request.attributes(Name::FifoQueue, "true").send().await?;
        dead.push(made.queue_url().unwrap_or_default().to_owned());
        let redrive = json!({
            "deadLetterTargetArn": format!("arn:aws:sqs:{REGION}:{ACCOUNT}:{handler}-dead.fifo"),
            "maxReceiveCount": 30,
        });
        let request = sqs
            .create_queue()
            .queue_name(format!("{handler}.fifo"))
            .attributes(Name::FifoQueue, "true")
            .attributes(Name::DeduplicationScope, "messageGroup")
            .attributes(Name::FifoThroughputLimit, "perMessageGroupId")
            .attributes(Name::VisibilityTimeout, VISIBILITY_SECONDS.to_string())
            .attributes(Name::RedrivePolicy, redrive.to_string());
        let made = request.send().await?;
        urls.insert(handler.to_owned(), made.queue_url().unwrap_or_default().to_owned());
    }
    Ok((urls, dead))
}

async fn left(sqs: &aws_sdk_sqs::Client, urls: &[String]) -> anyhow::Result<u64> {
    use aws_sdk_sqs::types::QueueAttributeName as Name;
    let mut sum = 0;
    for url in urls {
        let request = sqs.get_queue_attributes().queue_url(url).attribute_names(Name::All);
        let found = request.send().await?;
        let text = found.attributes().and_then(|all| all.get(&Name::ApproximateNumberOfMessages)).cloned();
        sum += text.and_then(|text| text.parse::<u64>().ok()).unwrap_or(0);
    }
    Ok(sum)
}

/// Bucket, secrets and settings.
async fn prepare(settings: &aws_config::SdkConfig, world: &World) -> anyhow::Result<()> {
    let store = aws_sdk_s3::Client::new(settings);
    let place = aws_sdk_s3::types::CreateBucketConfiguration::builder()
        .location_constraint(aws_sdk_s3::types::BucketLocationConstraint::from(REGION))
        .build();
    store.create_bucket().bucket("storm-store").create_bucket_configuration(place).send().await?;
    let values: serde_json::Map<String, Value> =
        SECRETS.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
    let secrets = aws_sdk_secretsmanager::Client::new(settings);
    secrets.create_secret().name("storm").secret_string(Value::Object(values).to_string()).send().await?;
    let mut more = vec![
        ("file:run", "s3://storm-store/main".to_owned()),
        ("in-process:", format!("sqs://{REGION}/{ACCOUNT}/conduct.fifo")),
    ];
    let references =
        ["env:LEADDESK_AUTH", "env:LEADDESK_CLIENT_ID", "env:LEADDESK_CLIENT_SECRET", "env:GORGIAS_API_KEY"];
    for reference in references {
        more.push((reference, format!("secret:storm#{}", reference.trim_start_matches("env:"))));
    }
    one_at_a_time(world.config()?, &more)
}

fn deployed(
    arguments: &Arguments,
    handler: &'static str,
    endpoint: &str,
    urls: &BTreeMap<String, String>,
    world: &World,
) -> anyhow::Result<Deployed> {
    let bootstrap = arguments.programs.bootstrap()?;
    let mut environment: BTreeMap<String, String> = [
        ("AWS_ENDPOINT_URL", endpoint),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("AWS_REGION", REGION),
        ("DESKFERRY_STORE", "s3://storm-store/main"),
        ("DESKFERRY_RETRY_SECONDS", "2"),
        ("DESKFERRY_CONTROL_QUEUE", &urls["conduct"]),
        ("DESKFERRY_WORK_QUEUE", &urls[handler]),
        ("RUST_LOG", "info"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into();
    for worker in &HANDLERS[1..] {
        environment.insert(format!("DESKFERRY_{}_QUEUE", worker.to_uppercase()), urls[*worker].clone());
    }
    let scratch = world.folder().join(handler);
    std::fs::create_dir_all(&scratch)?;
    Ok(Deployed { handler, bootstrap, environment, timeout: TIMEOUT, scratch })
}
