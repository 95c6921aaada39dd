//! What a function has as long as its environment lives: store, queues, clients, and nothing of one message.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_config::SdkConfig;
use connectors::aws::{self, S3Store, SecretsError, SpentMeter, SqsQueue};
use connectors::clock::RealClock;
use connectors::config::{Config, ConfigError, References};
use connectors::connect::{self, ConnectError, Surroundings};
use connectors::http::log::NoLog;
use connectors::place::{Bucket, InvalidPlace};
use pipeline::carried::{self, CarryError};
use pipeline::conduct::Function;
use pipeline::context::Context;
use pipeline::ports::queue::{Outgoing, Queue, QueueError};
use pipeline::ports::store::{Key, Store};
use pipeline::progress::Progress;
use pipeline::stop::Stop;
use secrecy::SecretString;
use snapshot::RunId;

use crate::role::Role;
use crate::settings::RETRY_SECONDS;

/// Where objects of no migration stand; no migration can have this name.
const NOBODYS: &str = "_unread";
/// Stands in for the credentials of a system that this function has nothing to do with; its role cannot read the real
/// ones, and a request with these is refused.
const WITHHELD: &str = "withheld";

/// Why a function cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum CannotBegin {
    /// A variable of the environment that the template sets.
    #[error("the environment has no {0}")]
    Lacking(&'static str),
    /// `DESKFERRY_STORE` names no bucket.
    #[error("DESKFERRY_STORE cannot be used")]
    Place(#[from] InvalidPlace),
}

/// Why the run that a message names cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum CannotOpen {
    /// What the run carries.
    #[error("cannot read what the run carries")]
    Carried(#[from] CarryError),
    /// It carries no settings: no person has started it here.
    #[error("the run has no settings in the store")]
    NoSettings,
    /// The settings cannot be used.
    #[error("the settings of the run cannot be used")]
    Config(#[from] ConfigError),
    /// Credentials cannot be had.
    #[error("cannot read the credentials")]
    Secrets(#[from] SecretsError),
    /// Clients cannot be built.
    #[error("cannot connect")]
    Connect(#[from] ConnectError),
}

/// A run, ready for its steps.
#[derive(Clone)]
pub(crate) struct Opened {
    pub(crate) ctx: Context,
    /// Host of the destination account: the group of everything that speaks to it.
    pub(crate) account: String,
}

/// One environment of one function.
pub struct Home {
    pub(crate) role: Role,
    pub(crate) meter: SpentMeter,
    /// Name of the function, as AWS has it.
    pub(crate) name: String,
    pub(crate) memory_megabytes: u64,
    /// How long a message stays away whose step failed for a reason that may pass.
    pub(crate) retry: Duration,
    store: Arc<S3Store>,
    control: SqsQueue,
    /// The queue that wakes this function, for those that change the visibility of a message.
    pub(crate) own: SqsQueue,
    functions: BTreeMap<Function, SqsQueue>,
    settings: SdkConfig,
    opened: Mutex<Option<(String, Opened)>>,
}

fn variable(name: &'static str) -> Result<String, CannotBegin> {
    std::env::var(name).ok().filter(|text| !text.is_empty()).ok_or(CannotBegin::Lacking(name))
}

/// Shorter than the constant only where the destination is a stand-in, which takes no long time for anything.
fn retry_seconds() -> u64 {
    let told = std::env::var("DESKFERRY_RETRY_SECONDS").ok();
    told.and_then(|text| text.parse().ok()).unwrap_or(RETRY_SECONDS)
}

impl Home {
    /// Reads what the template has put into the environment; sends no request.
    ///
    /// # Errors
    /// [`CannotBegin`] names what is missing.
    pub async fn from_environment(role: Role) -> Result<Self, CannotBegin> {
        let settings = aws::settings(None).await;
        let meter = SpentMeter::default();
        let bucket: Bucket = variable("DESKFERRY_STORE")?.parse()?;
        let kms_key = variable("DESKFERRY_KMS_KEY").ok();
        let queue = |url: String| SqsQueue::new(&settings, url, None, meter.clone());
        let control = queue(variable("DESKFERRY_CONTROL_QUEUE")?);
        let (own, functions) = match role {
            Role::Work(_) => (queue(variable("DESKFERRY_WORK_QUEUE")?), BTreeMap::new()),
            Role::Conduct => {
                let named = [
                    (Function::Extract, "DESKFERRY_EXTRACT_QUEUE"),
                    (Function::Transform, "DESKFERRY_TRANSFORM_QUEUE"),
                    (Function::Load, "DESKFERRY_LOAD_QUEUE"),
                    (Function::Reconcile, "DESKFERRY_RECONCILE_QUEUE"),
                ];
                let mut functions = BTreeMap::new();
                for (function, name) in named {
                    functions.insert(function, queue(variable(name)?));
                }
                (control.clone(), functions)
            }
        };
        let memory = std::env::var("AWS_LAMBDA_FUNCTION_MEMORY_SIZE").ok();
        Ok(Self {
            role,
            name: std::env::var("AWS_LAMBDA_FUNCTION_NAME").unwrap_or_else(|_| role.as_str().to_owned()),
            store: Arc::new(S3Store::new(&settings, bucket, kms_key, meter.clone())),
            control,
            own,
            functions,
            memory_megabytes: memory.and_then(|text| text.parse().ok()).unwrap_or(0),
            retry: Duration::from_secs(retry_seconds()),
            settings,
            meter,
            opened: Mutex::default(),
        })
    }

    /// Opens the connection to the store by a look at a place that is empty in all likelihood.
    pub async fn warm(&self) {
        if let Ok(key) = Key::new(format!("{NOBODYS}/quarantine/warm")) {
            // Whatever is wrong shows again with the first message, and is told there.
            let _ = self.store.get(&key).await;
        }
    }

    /// Opens a run: its newest settings, the credentials that this function needs, and the clients. Clients stay for the
    /// next message of the same run with the same settings.
    pub(crate) async fn open(
        &self,
        migration: &str,
        run: &RunId,
        progress: Arc<dyn Progress>,
    ) -> Result<Opened, CannotOpen> {
        let text = carried::settings(&*self.store, migration, run).await?.ok_or(CannotOpen::NoSettings)?;
        let name = format!("{migration}\n{run}\n{text}");
        let held = self.opened.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut opened = match held.filter(|(held, _)| *held == name) {
            Some((_, opened)) => opened,
            None => {
                let opened = self.connect(&text, run, Arc::clone(&progress)).await?;
                *self.opened.lock().unwrap_or_else(PoisonError::into_inner) = Some((name, opened.clone()));
                opened
            }
        };
        opened.ctx.progress = progress;
        opened.ctx.stop = Stop::default();
        Ok(opened)
    }

    /// Forgets clients and credentials; they may be what failed.
    pub(crate) fn forget(&self) {
        *self.opened.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    async fn connect(
        &self,
        text: &str,
        run: &RunId,
        progress: Arc<dyn Progress>,
    ) -> Result<Opened, CannotOpen> {
        let (path, folder) = (PathBuf::from("migration.toml"), scratch());
        let References { leaddesk, gorgias } = References::read(text, &path)?;
        let needed = match self.role {
            Role::Work(Function::Extract) => leaddesk,
            Role::Work(Function::Load | Function::Reconcile) => gorgias,
            Role::Work(Function::Transform) | Role::Conduct => Vec::new(),
        };
        let secrets = aws::resolve(&self.settings, needed.clone(), &self.meter).await?;
        let config = Config::parse(text, &path, &folder, &|reference, _| match secrets.get(reference) {
            Some(secret) => Ok(secret.clone()),
            None if needed.iter().any(|name| name == reference) => {
                Err("functions read credentials from Secrets Manager alone; write it as secret:NAME#KEY"
                    .to_owned())
            }
            None => Ok(SecretString::from(WITHHELD)),
        })?;
        let url = &config.gorgias.base_url;
        let account = match url.port() {
            Some(port) => format!("{}:{port}", url.host_str().unwrap_or_default()),
            None => url.host_str().unwrap_or_default().to_owned(),
        };
        let surroundings = Surroundings { clock: Arc::new(RealClock::new()), progress, log: Arc::new(NoLog) };
        let store: Arc<dyn Store> = self.store.clone();
        let mut ctx = connect::connect(&config, run.clone(), folder.join("spill"), store, surroundings)?;
        ctx.files = folder.join("files").join(&ctx.migration);
        Ok(Opened { ctx, account })
    }

    pub(crate) fn store(&self) -> &dyn Store {
        &*self.store
    }

    /// Sends a step to its function.
    pub(crate) async fn send(
        &self,
        function: Function,
        group: &str,
        id: &str,
        body: String,
    ) -> Result<(), QueueError> {
        let Some(queue) = self.functions.get(&function) else {
            return Err(QueueError::Medium { action: "send", source: "only conduct sends steps".into() });
        };
        queue.send(Outgoing { group: group.to_owned(), deduplication_id: id.to_owned(), body }).await
    }

    /// Wakes `conduct` for a run.
    pub(crate) async fn wake(&self, message: Outgoing) -> Result<(), QueueError> {
        self.control.send(message).await
    }

    /// Keeps a message that nobody can read, so that a person can; it would block its group for ever.
    pub(crate) async fn quarantine(&self, body: &str) -> bool {
        let digest = migration::canonical::Digest::of(body.as_bytes()).to_hex();
        let Ok(key) = Key::new(format!("{NOBODYS}/quarantine/{digest}")) else { return false };
        self.store.put_new(&key, body.to_owned().into()).await.is_ok()
    }
}

/// Folder of this environment. AWS gives each its own `/tmp`; elsewhere the process id keeps them apart.
pub(crate) fn scratch() -> PathBuf {
    std::env::temp_dir().join(format!("deskferry-{}", std::process::id()))
}
