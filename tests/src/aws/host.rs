//! Runs the functions' binary as AWS does, with the troubles of which no emulator is capable: killed at a chosen moment,
//! past its time, frozen between invocations.
//!
//! Source for the interface: "Using the Lambda runtime API". One environment is one process and serves one event at a time.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Context;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{Response, StatusCode};
use axum::routing::{get, post};
use serde_json::{Value, json};
use tokio::process::{Child, Command};
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

/// Facts: a request or an answer has at most 6 MB.
pub(crate) const PAYLOAD_BYTES_MAX: usize = 6 * 1024 * 1024;
/// Facts: an environment has ten seconds to begin.
const INIT_MAX: Duration = Duration::from_secs(10);

/// A function as it is deployed.
#[derive(Debug, Clone)]
pub(crate) struct Deployed {
    /// Handler, as in the template.
    pub(crate) handler: &'static str,
    /// The binary.
    pub(crate) bootstrap: PathBuf,
    /// Its variables; nothing of this process reaches it.
    pub(crate) environment: BTreeMap<String, String>,
    /// Its hard end.
    pub(crate) timeout: Duration,
    /// Where it may write.
    pub(crate) scratch: PathBuf,
}

/// What happens to an invocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Trouble {
    /// Nothing.
    None,
    /// The process is killed so long after it took the event.
    Killed(Duration),
    /// The function has less time than it needs.
    Timeout(Duration),
}

/// How an invocation ended.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Outcome {
    /// With an answer.
    Answered(Value),
    /// The function said that it failed.
    Failed(Value),
    /// Its time was over.
    TimedOut,
    /// The process ended.
    Crashed,
    /// Event or answer had more bytes than may pass.
    TooLarge,
}

enum Posted {
    Answer(Bytes),
    Error(Value),
}

struct Job {
    id: String,
    event: Bytes,
    deadline: Duration,
}

struct Runtime {
    jobs: tokio::sync::Mutex<mpsc::Receiver<Job>>,
    waiting: Mutex<Option<(String, oneshot::Sender<Posted>)>>,
    asked: tokio::sync::Notify,
}

/// One execution environment.
struct Environment {
    runtime: Arc<Runtime>,
    jobs: mpsc::Sender<Job>,
    child: Child,
    server: tokio::task::JoinHandle<()>,
    invocations: u64,
}

/// A function with at most one environment, as one group of a FIFO queue has it.
pub(crate) struct Function {
    deployed: Deployed,
    environment: Option<Environment>,
    /// Largest resident memory of any of its processes, bytes.
    pub(crate) peak_bytes: u64,
}

async fn next(State(runtime): State<Arc<Runtime>>) -> Response<Body> {
    runtime.asked.notify_one();
    let Some(job) = runtime.jobs.lock().await.recv().await else { return status(StatusCode::GONE) };
    let response = Response::builder()
        .header("Lambda-Runtime-Aws-Request-Id", &job.id)
        .header("Lambda-Runtime-Deadline-Ms", job.deadline.as_millis().to_string())
        .header("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:eu-west-1:000000000000:function:f")
        .header("Lambda-Runtime-Trace-Id", "Root=1-00000000-000000000000000000000000;Sampled=0")
        .header("Content-Type", "application/json")
        .body(Body::from(job.event));
    response.unwrap_or_else(|_| status(StatusCode::INTERNAL_SERVER_ERROR))
}

fn status(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::from("{\"status\":\"OK\"}"));
    *response.status_mut() = status;
    response
}

impl Runtime {
    fn take(&self, id: &str, posted: Posted) -> Response<Body> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        match waiting.take() {
            Some((wanted, sender)) if wanted == id => {
                // Nobody waits any more when the time was over.
                let _ = sender.send(posted);
                status(StatusCode::ACCEPTED)
            }
            other => {
                *waiting = other;
                status(StatusCode::BAD_REQUEST)
            }
        }
    }
}

async fn answered(
    State(runtime): State<Arc<Runtime>>,
    Path(id): Path<String>,
    body: Bytes,
) -> Response<Body> {
    if body.len() > PAYLOAD_BYTES_MAX {
        runtime.take(&id, Posted::Error(json!({ "errorType": "Function.ResponseSizeTooLarge" })));
        return status(StatusCode::PAYLOAD_TOO_LARGE);
    }
    runtime.take(&id, Posted::Answer(body))
}

async fn failed(State(runtime): State<Arc<Runtime>>, Path(id): Path<String>, body: Bytes) -> Response<Body> {
    runtime.take(&id, Posted::Error(serde_json::from_slice(&body).unwrap_or_default()))
}

impl Environment {
    async fn start(deployed: &Deployed) -> anyhow::Result<Self> {
        let (jobs, receiver) = mpsc::channel(1);
        let runtime = Arc::new(Runtime {
            jobs: tokio::sync::Mutex::new(receiver),
            waiting: Mutex::default(),
            asked: tokio::sync::Notify::new(),
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let app = Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next))
            .route("/2018-06-01/runtime/invocation/{id}/response", post(answered))
            .route("/2018-06-01/runtime/invocation/{id}/error", post(failed))
            .layer(DefaultBodyLimit::max(3 * PAYLOAD_BYTES_MAX))
            .with_state(Arc::clone(&runtime));
        let server = tokio::spawn(async move {
            let _ = axum::serve(listener, app).await;
        });
        let log = deployed.scratch.join(format!("{}.log", deployed.handler));
        let log = std::fs::OpenOptions::new().create(true).append(true).open(log)?;
        let child = Command::new(&deployed.bootstrap)
            .env_clear()
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .env("AWS_LAMBDA_RUNTIME_API", address.to_string())
            .env("_HANDLER", deployed.handler)
            .env("AWS_LAMBDA_FUNCTION_NAME", deployed.handler)
            .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "512")
            .env("TMPDIR", &deployed.scratch)
            .envs(&deployed.environment)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .context("cannot start the binary of the functions")?;
        let mut environment = Self { runtime, jobs, child, server, invocations: 0 };
        let runtime = Arc::clone(&environment.runtime);
        tokio::select! {
            () = runtime.asked.notified() => Ok(environment),
            status = environment.child.wait() => anyhow::bail!("the binary ended before it asked: {:?}", status?),
            () = tokio::time::sleep(INIT_MAX) => anyhow::bail!("the binary did not ask within {INIT_MAX:?}"),
        }
    }

    async fn invoke(&mut self, event: Bytes, timeout: Duration, trouble: Trouble) -> anyhow::Result<Outcome> {
        self.thaw();
        self.invocations += 1;
        let (sender, mut receiver) = oneshot::channel();
        let id = format!("invocation-{}", self.invocations);
        let time = match trouble {
            Trouble::Timeout(shorter) => shorter,
            _ => timeout,
        };
        let deadline = SystemTime::now().duration_since(UNIX_EPOCH)? + time;
        *self.runtime.waiting.lock().unwrap_or_else(PoisonError::into_inner) = Some((id.clone(), sender));
        self.jobs.send(Job { id, event, deadline }).await.context("the environment takes no events")?;
        let end = Instant::now() + time;
        let kill = match trouble {
            Trouble::Killed(after) => Instant::now() + after,
            _ => end + Duration::from_secs(3600),
        };
        let outcome = tokio::select! {
            posted = &mut receiver => match posted {
                Ok(Posted::Answer(body)) => Outcome::Answered(serde_json::from_slice(&body)?),
                Ok(Posted::Error(error)) if error["errorType"] == "Function.ResponseSizeTooLarge" => Outcome::TooLarge,
                Ok(Posted::Error(error)) => Outcome::Failed(error),
                Err(_) => Outcome::Crashed,
            },
            _ = self.child.wait() => Outcome::Crashed,
            () = tokio::time::sleep_until(kill) => Outcome::Crashed,
            () = tokio::time::sleep_until(end) => Outcome::TimedOut,
        };
        if matches!(outcome, Outcome::Answered(_) | Outcome::Failed(_)) {
            self.freeze();
        }
        Ok(outcome)
    }

    /// Largest resident memory so far; nothing for a process that is gone.
    fn peak_bytes(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()?)).ok()?;
        crate::measured::peak_bytes(&status).ok()
    }

    fn signal(&self, signal: rustix::process::Signal) {
        let id =
            self.child.id().and_then(|id| i32::try_from(id).ok()).and_then(rustix::process::Pid::from_raw);
        if let Some(id) = id {
            // A process that has ended needs no signal.
            let _ = rustix::process::kill_process(id, signal);
        }
    }

    /// AWS lets no process run between two events.
    fn freeze(&self) {
        self.signal(rustix::process::Signal::STOP);
    }

    fn thaw(&self) {
        self.signal(rustix::process::Signal::CONT);
    }
}

impl Drop for Environment {
    fn drop(&mut self) {
        self.signal(rustix::process::Signal::KILL);
        self.server.abort();
    }
}

impl Function {
    /// A function without an environment yet.
    pub(crate) fn new(deployed: Deployed) -> Self {
        Self { deployed, environment: None, peak_bytes: 0 }
    }

    /// Its handler.
    pub(crate) fn handler(&self) -> &'static str {
        self.deployed.handler
    }

    /// One event. An environment that did not end well is not used again.
    pub(crate) async fn invoke(&mut self, event: Value, trouble: Trouble) -> anyhow::Result<Outcome> {
        let event = Bytes::from(serde_json::to_vec(&event)?);
        if event.len() > PAYLOAD_BYTES_MAX {
            return Ok(Outcome::TooLarge);
        }
        let mut environment = match self.environment.take() {
            Some(environment) => environment,
            None => Environment::start(&self.deployed).await?,
        };
        let outcome = environment.invoke(event, self.deployed.timeout, trouble).await?;
        self.peak_bytes = self.peak_bytes.max(environment.peak_bytes().unwrap_or(0));
        if matches!(outcome, Outcome::Answered(_) | Outcome::Failed(_)) {
            self.environment = Some(environment);
        }
        Ok(outcome)
    }
}
