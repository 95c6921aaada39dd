//! The suites of the ports, run by the adapters of S3 and SQS against the emulator.
//!
//! The emulator's clock is moved ahead where a suite lets time pass, so that visibility timeouts take no time.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use aws_sdk_s3::config::Credentials;
use aws_sdk_sqs::types::QueueAttributeName as Name;
use connectors::aws::{S3Store, SpentMeter, SqsQueue};
use connectors::place::Bucket;
use jiff::Timestamp;
use pipeline::conformance::{self, NotPassed, Passed, QueueUnderTest};
use pipeline::ports::clock::Clock;
use pipeline::ports::store::Store;
use serde_json::{Value, json};

use super::emulator::{ACCOUNT, Emulator, REGION, free_port};
use super::front::Front;

/// Visibility of the queues under test.
const VISIBILITY: Duration = Duration::from_secs(40);
/// Deliveries before a message is put aside.
const RECEIVES_MAX: u32 = 3;

/// The emulator takes a receipt of a FIFO queue whose time is over; AWS refuses it (`DeleteMessage` in its reference).
const LEFT_OUT: [&str; 1] = ["a receipt ends with its deadline"];

/// What to run.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Interpreter of the virtual environment that holds the emulator.
    #[arg(long)]
    python: PathBuf,
    /// Accepted for uniformity: output is JSON always.
    #[arg(long)]
    json: bool,
}

/// Time that moves on both sides when somebody waits.
struct MovedClock {
    began: Instant,
    ahead: Mutex<Duration>,
    file: PathBuf,
}

impl MovedClock {
    fn new(file: &Path) -> Self {
        Self { began: Instant::now(), ahead: Mutex::default(), file: file.to_owned() }
    }

    fn ahead(&self) -> Duration {
        *self.ahead.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Clock for MovedClock {
    fn now(&self) -> Timestamp {
        Timestamp::now() + jiff::SignedDuration::try_from(self.ahead()).unwrap_or_default()
    }

    fn elapsed_nanoseconds(&self) -> u64 {
        u64::try_from((self.began.elapsed() + self.ahead()).as_nanos()).unwrap_or(u64::MAX)
    }

    async fn sleep(&self, duration: Duration) {
        let mut ahead = self.ahead.lock().unwrap_or_else(PoisonError::into_inner);
        *ahead += duration;
        // A file that cannot be written shows at once: the suite then finds no time passed.
        let _ = std::fs::write(&self.file, ahead.as_secs_f64().to_string());
    }
}

/// Runs it.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let is_right = runtime.block_on(suites(arguments))?;
    Ok(if is_right { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn suites(arguments: &Arguments) -> anyhow::Result<bool> {
    let began = Instant::now();
    let folder = tempfile::Builder::new().prefix("deskferry-prove-").tempdir()?;
    let clock = folder.path().join("clock");
    let port = free_port()?;
    let front = Front::start(format!("http://127.0.0.1:{port}")).await?;
    let _emulator = Emulator::with_clock(&arguments.python, folder.path(), port, &front.url, &clock).await?;
    let settings = aws_config::defaults(aws_config::BehaviorVersion::latest())
        .endpoint_url(&front.url)
        .region(aws_config::Region::new(REGION))
        .credentials_provider(Credentials::new("test", "test", None, None, "the emulator"))
        .load()
        .await;
    let place = aws_sdk_s3::types::CreateBucketConfiguration::builder()
        .location_constraint(aws_sdk_s3::types::BucketLocationConstraint::from(REGION))
        .build();
    let client = aws_sdk_s3::Client::new(&settings);
    client.create_bucket().bucket("suite").create_bucket_configuration(place).send().await?;

    let store = store(&settings).await;
    // The same once more, while one of three creations goes wrong.
    front.go_wrong_every(3);
    let troubled = self::store(&settings).await;
    front.go_wrong_every(0);
    let queue = queue(&settings, &clock).await;
    let outcomes = [("store", &store), ("store_with_faults", &troubled), ("queue", &queue)];
    let told: serde_json::Map<String, Value> =
        outcomes.iter().map(|(name, outcome)| ((*name).to_owned(), told(outcome))).collect();
    println!(
        "{}",
        json!({
            "proof": "aws conformance",
            "suites": told,
            "left_out": LEFT_OUT,
            "front": front.to_json(),
            "elapsed_seconds": crate::measured::round(began.elapsed().as_secs_f64()),
        })
    );
    Ok(outcomes.iter().all(|(_, outcome)| outcome.is_ok()))
}

fn told(outcome: &Result<Passed, NotPassed>) -> Value {
    match outcome {
        Ok(passed) => json!({ "checks": passed.checks }),
        Err(error) => json!({ "broken": error.to_string() }),
    }
}

async fn store(settings: &aws_config::SdkConfig) -> Result<Passed, NotPassed> {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    conformance::store(async || {
        let number = NUMBER.fetch_add(1, Ordering::SeqCst);
        let bucket: Bucket =
            format!("s3://suite/store-{number}").parse().map_err(|error| format!("{error}"))?;
        Ok(Arc::new(S3Store::new(settings, bucket, None, SpentMeter::default())) as Arc<dyn Store>)
    })
    .await
}

async fn queue(settings: &aws_config::SdkConfig, file: &Path) -> Result<Passed, NotPassed> {
    let number = AtomicU64::new(0);
    let clock: Arc<dyn Clock> = Arc::new(MovedClock::new(file));
    conformance::queue(async || {
        let number = number.fetch_add(1, Ordering::SeqCst);
        let queue = made(settings, number).await.map_err(|error| format!("{error:#}"))?;
        Ok(QueueUnderTest {
            queue: Arc::new(queue),
            clock: Arc::clone(&clock),
            visibility: VISIBILITY,
            receives_max: RECEIVES_MAX,
            left_out: &LEFT_OUT,
        })
    })
    .await
}

/// A queue as the template makes it.
async fn made(settings: &aws_config::SdkConfig, number: u64) -> anyhow::Result<SqsQueue> {
    let client = aws_sdk_sqs::Client::new(settings);
    let request = client.create_queue().queue_name(format!("suite-{number}-dead.fifo"));
    let dead =
        request.attributes(Name::FifoQueue, "true").send().await?.queue_url().unwrap_or_default().to_owned();
    let redrive = json!({
        "deadLetterTargetArn": format!("arn:aws:sqs:{REGION}:{ACCOUNT}:suite-{number}-dead.fifo"),
        "maxReceiveCount": RECEIVES_MAX,
    });
    let request = client
        .create_queue()
        .queue_name(format!("suite-{number}.fifo"))
        .attributes(Name::FifoQueue, "true")
        .attributes(Name::DeduplicationScope, "messageGroup")
        .attributes(Name::FifoThroughputLimit, "perMessageGroupId")
        .attributes(Name::VisibilityTimeout, VISIBILITY.as_secs().to_string())
        .attributes(Name::RedrivePolicy, redrive.to_string());
    let url = request.send().await?.queue_url().unwrap_or_default().to_owned();
    Ok(SqsQueue::new(settings, url, Some(dead), SpentMeter::default()))
}
