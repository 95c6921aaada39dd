//! The cloud home on one machine: the template as it stands, deployed to an emulator with the binary as it is built, and a
//! whole migration between the stand-ins, woken by messages alone. Beside it the same migration on one machine: what both
//! leave behind must be the same, but for times.
//!
//! Deliberately absent: what an emulator cannot do, such as killing a function between two effects (see [`host`]).

mod compare;
pub(crate) mod conformance;
pub(crate) mod cost;
mod delta;
mod emulator;
mod front;
mod host;
mod mapping;
pub(crate) mod storm;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use aws_sdk_sqs::config::Credentials;
use aws_sdk_sqs::types::QueueAttributeName;
use serde_json::{Value, json};

use crate::bench::SECRETS;
use crate::measured::{deskferry_with, round};
use crate::world::{Size, World};
use emulator::{ACCOUNT, Emulator, REGION, free_port};
use front::Front;

/// Name of the run, the same in both homes, so that its name makes no difference.
const RUN: &str = "2026-11-22-a1";
/// Name of the migration in [`World`]'s settings.
const MIGRATION: &str = "bench";
/// Name of the stand-in of the account at Gorgias.
const ACCOUNT_AT_GORGIAS: &str = "acme";
/// First folder of the store.
const CUSTOMER: &str = "main";
/// The schedule is deployed for a later day.
const TICK_NEVER: i64 = 24 * 60 * 60;
/// One of so many creations of objects goes wrong.
const FAULT_EVERY: u64 = 23;

/// The programs that the cloud home is made of on this machine.
#[derive(Debug, clap::Args)]
struct Programs {
    /// Interpreter of the virtual environment that holds the emulator.
    #[arg(long)]
    python: PathBuf,
    /// Binary of the functions [default: beside this program].
    #[arg(long)]
    bootstrap: Option<PathBuf>,
}

impl Programs {
    fn bootstrap(&self) -> std::io::Result<PathBuf> {
        match &self.bootstrap {
            Some(path) => Ok(path.clone()),
            None => Ok(std::env::current_exe()?.with_file_name("bootstrap")),
        }
    }
}

/// What to run.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    programs: Programs,
    /// Contacts.
    #[arg(long, default_value_t = 120)]
    contacts: u64,
    /// Calls.
    #[arg(long, default_value_t = 400)]
    calls: u64,
    /// Seed of the account.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Leave the folder with logs and stores where it is.
    #[arg(long)]
    keep: bool,
    /// Accepted for uniformity: output is JSON always.
    #[arg(long)]
    json: bool,
}

/// Runs it.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let failures = runtime.block_on(end_to_end(arguments))?;
    for failure in &failures {
        eprintln!("{failure}");
    }
    Ok(if failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn end_to_end(arguments: &Arguments) -> anyhow::Result<Vec<String>> {
    let began = Instant::now();
    let size = Size {
        seed: arguments.seed,
        contacts: arguments.contacts,
        calls: arguments.calls,
        bucket: "4000/1".to_owned(),
        time_scale: 1,
    };
    let here = one_machine(&size)?;
    say(began, "one machine done");
    let cloud = Cloud::start(&arguments.programs, &size).await?;
    say(began, "deployed");
    cloud.poison().await?;
    let told = cloud.migrate()?;
    say(began, "migrated by functions");
    let deltas = delta::run(&here, &cloud).await?;
    say(began, "deltas done, one by the schedule");
    let queues = cloud.queues().await?;
    let differences = compare::homes(&here, &cloud.world, &cloud.download().await?).await?;
    let state = cloud.world.gorgias_state().await?;
    let held = cloud.world.held_against_us().await?;
    let restored = cloud.roll_back()?;
    say(began, "rolled back");
    let mut failures = differences.failures.clone();
    failures.extend(deltas.failures);
    failures.extend(queues.failures());
    failures.extend(held.iter().map(|held| format!("held against us: {held}")));
    let taken_back = restored.last().map_or(&Value::Null, |told| &told["objects"]["ticket"]["in_trash"]);
    if taken_back.as_u64() != Some(ours(&state)?) {
        failures.push(format!("{taken_back} tickets are in the trash, {} are ours", ours(&state)?));
    }
    let turns = told.iter().filter(|event| event["type"] == "turn").count();
    let summary = told.iter().rfind(|event| event["type"] == "summary").context("the run told no summary")?;
    failures.extend(unproven(summary));
    println!(
        "{}",
        json!({
            "proof": "aws end-to-end",
            "verdict": summary["verdict"],
            "fields_compared": summary["fields_compared"],
            "fields_different": summary["fields_different"],
            "duplicates": summary["duplicates"],
            "tickets": state["tickets"].as_array().map_or(0, Vec::len),
            "turns": turns,
            "turns_by_end": by_end(&told),
            "queues": queues.counts,
            "dead_letters": queues.dead,
            "quarantined": queues.quarantined,
            "front": cloud.front.to_json(),
            "changes_at_leaddesk": deltas.changes,
            "scheduled_delta": deltas.scheduled,
            "tables_equal": differences.tables_equal,
            "ids_equal": differences.ids_equal,
            "objects_equal": differences.objects_equal,
            "cost": told.iter().rfind(|event| event["type"] == "cost"),
            "rollback": restored.last().map(|told| json!({ "phase": told["phase"], "objects": told["objects"] })),
            "resources": cloud.outputs["Resources"],
            "code_bytes": cloud.outputs["CodeBytes"],
            "failures": failures,
            "elapsed_seconds": round(began.elapsed().as_secs_f64()),
        })
    );
    if arguments.keep {
        eprintln!("kept {}", cloud.world.keep().display());
    }
    Ok(failures)
}

/// What a summary says that is not as it has to be.
fn unproven(summary: &Value) -> Vec<String> {
    let mut failures = Vec::new();
    if summary["verdict"] != "pass" {
        failures.push(format!("the verdict is {}", summary["verdict"]));
    }
    if summary["duplicates"] != 0 {
        failures.push(format!("{} records are there twice", summary["duplicates"]));
    }
    failures
}

/// The moment in so many seconds, as EventBridge Scheduler writes it.
fn in_seconds(seconds: i64) -> anyhow::Result<String> {
    let at = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(seconds);
    Ok(at.strftime("%Y-%m-%dT%H:%M:%S").to_string())
}

fn say(began: Instant, what: &str) {
    eprintln!("{:>6.1} s  {what}", began.elapsed().as_secs_f64());
}

fn by_end(told: &[Value]) -> Value {
    let mut counts = std::collections::BTreeMap::<&str, u64>::new();
    for end in told.iter().filter(|event| event["type"] == "turn").filter_map(|event| event["end"].as_str()) {
        *counts.entry(end).or_default() += 1;
    }
    json!(counts)
}

/// The same migration in one process.
fn one_machine(size: &Size) -> anyhow::Result<World> {
    let world = World::start(size)?;
    one_at_a_time(world.config()?, &[])?;
    let arguments = ["--config", world.config()?, "--json", "--no-input", "--run", RUN, "run", "--yes"];
    deskferry_with(world.folder(), &arguments, &[0, 4], &[])?;
    Ok(world)
}

/// Requests one after the other, so that Gorgias gives the same ids in the same order; short quiet times; and more.
fn one_at_a_time(config: &str, more: &[(&str, String)]) -> anyhow::Result<()> {
    let mut text = std::fs::read_to_string(config)?;
    let quiet =
        "reserve = 0.0\nin_flight = 1\nrequest_life_seconds = 2\nvisibility_seconds = 0.5\nhold_seconds = 6";
    text = text.replace("reserve = 0.0", quiet);
    for (from, to) in more {
        if !text.contains(from) {
            bail!("the settings do not hold {from}");
        }
        text = text.replace(from, to);
    }
    Ok(std::fs::write(config, text)?)
}

/// The emulator, what was deployed to it, and the stand-ins.
struct Cloud {
    world: World,
    front: Front,
    emulator: Emulator,
    outputs: Value,
    sqs: aws_sdk_sqs::Client,
    store: aws_sdk_s3::Client,
}

impl Cloud {
    async fn start(programs: &Programs, size: &Size) -> anyhow::Result<Self> {
        let world = World::start(size)?;
        let port = free_port()?;
        let front = Front::start(format!("http://127.0.0.1:{port}")).await?;
        let emulator = Emulator::start(&programs.python, world.folder(), port, &front.url).await?;
        let bootstrap = programs.bootstrap()?;
        let secret = |name: &str| SECRETS.iter().find(|(key, _)| *key == name).map_or("", |(_, value)| value);
        let secrets = [
            (
                "LeadDeskSecret",
                json!({
                    "auth": secret("LEADDESK_AUTH"),
                    "client_id": secret("LEADDESK_CLIENT_ID"),
                    "client_secret": secret("LEADDESK_CLIENT_SECRET"),
                }),
            ),
            ("GorgiasSecret", json!({ "api_key": secret("GORGIAS_API_KEY") })),
        ];
        let architecture = if cfg!(target_arch = "aarch64") { "arm64" } else { "x86_64" };
        let parameters = [
            ("Architecture", architecture.to_owned()),
            ("Customer", CUSTOMER.to_owned()),
            ("Migration", MIGRATION.to_owned()),
            // Not before it is told otherwise.
            ("ScheduleState", "ENABLED".to_owned()),
            ("ScheduleExpression", format!("at({})", in_seconds(TICK_NEVER)?)),
        ];
        let outputs = emulator.deploy(world.folder(), &bootstrap, &secrets, &parameters)?;
        let queue = outputs["ControlQueueUrl"].as_str().and_then(|url| url.rsplit('/').next());
        let queue = queue.context("the stack names no control queue")?;
        let text = |name: &str| outputs[name].as_str().unwrap_or_default().to_owned();
        one_at_a_time(
            world.config()?,
            &[
                ("file:run", text("StoreUrl")),
                ("in-process:", format!("sqs://{REGION}/{ACCOUNT}/{queue}")),
                ("env:LEADDESK_AUTH", format!("secret:{}#auth", text("LeadDeskSecret"))),
                ("env:LEADDESK_CLIENT_ID", format!("secret:{}#client_id", text("LeadDeskSecret"))),
                ("env:LEADDESK_CLIENT_SECRET", format!("secret:{}#client_secret", text("LeadDeskSecret"))),
                ("env:GORGIAS_API_KEY", format!("secret:{}#api_key", text("GorgiasSecret"))),
            ],
        )?;
        let settings = aws_config::defaults(aws_config::BehaviorVersion::latest())
            .endpoint_url(&front.url)
            .region(aws_config::Region::new(REGION))
            .credentials_provider(Credentials::new("test", "test", None, None, "the emulator"))
            .load()
            .await;
        let (sqs, store) = (aws_sdk_sqs::Client::new(&settings), aws_sdk_s3::Client::new(&settings));
        Ok(Self { world, front, emulator, outputs, sqs, store })
    }

    fn environment(&self) -> [(&'static str, String); 4] {
        [
            ("AWS_ENDPOINT_URL", self.front.url.clone()),
            ("AWS_ACCESS_KEY_ID", "test".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "test".to_owned()),
            ("AWS_REGION", REGION.to_owned()),
        ]
    }

    fn command(&self, arguments: &[&str], accepted: &[i32]) -> anyhow::Result<Vec<Value>> {
        let all =
            [&["--config", self.world.config()?, "--json", "--no-input", "--run", RUN], arguments].concat();
        let (_, lines) = deskferry_with(self.world.folder(), &all, accepted, &self.environment())?;
        lines.iter().map(|line| Ok(serde_json::from_str(line)?)).collect()
    }

    /// Messages that nobody can read, one to each queue.
    async fn poison(&self) -> anyhow::Result<()> {
        for (name, url) in self.urls().await? {
            if name.contains("-dead") {
                continue;
            }
            let request = self.sqs.send_message().queue_url(url).message_body("no message of ours");
            request.message_group_id("poison").message_deduplication_id(name).send().await?;
        }
        Ok(())
    }

    /// A person's command, and from then on messages alone; some creations of objects go wrong.
    fn migrate(&self) -> anyhow::Result<Vec<Value>> {
        self.front.go_wrong_every(FAULT_EVERY);
        let told = self.command(&["run", "--yes"], &[0, 4])?;
        self.front.go_wrong_every(0);
        Ok(told)
    }

    /// The schedule, as it was deployed, ticks in so many seconds.
    fn tick_in(&self, seconds: i64) -> anyhow::Result<()> {
        let name = self.outputs["ScheduleName"].as_str().context("the stack names no schedule")?;
        self.emulator.reschedule(name, &format!("at({})", in_seconds(seconds)?))
    }

    /// What the commands told of the rollback.
    fn roll_back(&self) -> anyhow::Result<Vec<Value>> {
        let mut told = self.command(&["rollback", "plan"], &[0])?;
        told.extend(self.command(&["rollback", "apply", "--confirm", ACCOUNT_AT_GORGIAS], &[0])?);
        told.retain(|event| event["type"] == "rollback");
        Ok(told)
    }

    async fn urls(&self) -> anyhow::Result<Vec<(String, String)>> {
        let listed = self.sqs.list_queues().send().await?;
        let urls = listed.queue_urls().iter();
        Ok(urls.map(|url| (url.rsplit('/').next().unwrap_or_default().to_owned(), url.clone())).collect())
    }

    async fn queues(&self) -> anyhow::Result<Queues> {
        // What is left over is handled; a queue that is not empty after that is a finding.
        let until = Instant::now() + Duration::from_secs(20);
        let mut queues = loop {
            let mut queues = Queues::default();
            for (name, url) in self.urls().await? {
                let request = self.sqs.get_queue_attributes().queue_url(url);
                let found = request.attribute_names(QueueAttributeName::All).send().await?;
                let count = |name: QueueAttributeName| -> u64 {
                    let text = found.attributes().and_then(|all| all.get(&name));
                    text.and_then(|text| text.parse().ok()).unwrap_or(0)
                };
                let left = count(QueueAttributeName::ApproximateNumberOfMessages)
                    + count(QueueAttributeName::ApproximateNumberOfMessagesNotVisible);
                if name.contains("-dead") {
                    queues.dead += left;
                } else {
                    queues.counts.insert(name, left);
                }
            }
            if queues.counts.values().all(|left| *left == 0) || Instant::now() > until {
                break queues;
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
        };
        queues.quarantined = self.keys("_unread/quarantine/").await?.len();
        Ok(queues)
    }

    async fn keys(&self, below: &str) -> anyhow::Result<Vec<String>> {
        let bucket = self.outputs["StoreBucket"].as_str().context("the stack names no bucket")?;
        let request = self.store.list_objects_v2().bucket(bucket).prefix(format!("{CUSTOMER}/{below}"));
        let mut pages = request.into_paginator().send();
        let mut keys = Vec::new();
        while let Some(page) = pages.next().await {
            keys.extend(page?.contents().iter().filter_map(|object| object.key().map(str::to_owned)));
        }
        Ok(keys)
    }

    /// An object of the customer.
    async fn object(&self, key: &str) -> anyhow::Result<Vec<u8>> {
        let bucket = self.outputs["StoreBucket"].as_str().context("the stack names no bucket")?;
        let request = self.store.get_object().bucket(bucket).key(format!("{CUSTOMER}/{key}"));
        Ok(request.send().await?.body.collect().await?.to_vec())
    }

    /// The store of the migration, as a folder.
    async fn download(&self) -> anyhow::Result<PathBuf> {
        let folder = self.world.folder().join("downloaded");
        for key in self.keys(&format!("{MIGRATION}/lake/")).await? {
            let place = folder.join(key.strip_prefix(&format!("{CUSTOMER}/{MIGRATION}/")).unwrap_or(&key));
            std::fs::create_dir_all(place.parent().unwrap_or(Path::new(".")))?;
            std::fs::write(
                place,
                self.object(key.strip_prefix(&format!("{CUSTOMER}/")).unwrap_or(&key)).await?,
            )?;
        }
        Ok(folder)
    }
}

/// What the queues hold at the end.
#[derive(Debug, Default)]
struct Queues {
    counts: std::collections::BTreeMap<String, u64>,
    dead: u64,
    quarantined: usize,
}

impl Queues {
    fn failures(&self) -> Vec<String> {
        let mut failures = Vec::new();
        if self.dead > 0 {
            failures.push(format!("{} dead letters", self.dead));
        }
        if self.counts.is_empty() || self.counts.values().any(|left| *left > 0) {
            failures.push(format!("queues are not empty: {:?}", self.counts));
        }
        // One body, sent to five queues, is one object.
        if self.quarantined != 1 {
            failures.push(format!("{} unreadable messages were put aside, not 1", self.quarantined));
        }
        failures
    }
}

/// Tickets of ours in the account.
fn ours(state: &Value) -> anyhow::Result<u64> {
    let tickets = state["tickets"].as_array().context("the stand-in tells no tickets")?;
    let ours = tickets
        .iter()
        .filter(|ticket| ticket["external_id"].as_str().is_some_and(|key| key.starts_with("leaddesk:")));
    Ok(ours.count() as u64)
}
