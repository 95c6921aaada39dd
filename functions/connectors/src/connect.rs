//! From a configuration to the ports: the one place that knows which adapter stands behind which URL.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use pipeline::context::Context;
use pipeline::ports::clock::Clock;
use pipeline::ports::queue::{Queue, QueueError};
use pipeline::ports::store::{Store, StoreError};
use pipeline::ports::suggester::Suggester;
use pipeline::progress::Progress;
use pipeline::stop::Stop;
use secrecy::SecretString;
use snapshot::RunId;

#[cfg(feature = "aws")]
use crate::aws;
use crate::config::{self, Config, ConfigError, References};
use crate::http::log::HttpLog;
use crate::place::{QueuePlace, StorePlace};
use crate::queue::{InProcessQueue, QueueSettings};
use crate::store::ObjectStoreAdapter;
use crate::{gorgias, leaddesk, suggester};

/// What a process lends to everything that it connects.
pub struct Surroundings {
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Receives what happens.
    pub progress: Arc<dyn Progress>,
    /// Receives every request, without secrets.
    pub log: Arc<dyn HttpLog>,
}

/// A port could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The store's folder cannot be used.
    #[error("cannot open the store")]
    Store(#[source] StoreError),
    /// The program was built for one machine.
    #[error("{place} is at AWS, and this program was built without it")]
    WithoutAws {
        /// What the configuration names.
        place: String,
    },
    /// The queue cannot be found.
    #[error("cannot find the queue")]
    Queue(#[source] QueueError),
    /// LeadDesk's client cannot be built.
    #[error(transparent)]
    LeadDesk(leaddesk::CannotConnect),
    /// Gorgias' client cannot be built.
    #[error(transparent)]
    Gorgias(gorgias::CannotConnect),
    /// The suggester's client cannot be built.
    #[error(transparent)]
    Suggester(suggester::CannotConnect),
}

/// Reads and checks `migration.toml`, with secrets from wherever its references lead.
///
/// # Errors
/// [`ConfigError`] with a stable code; no text of it shows a secret.
pub async fn read_config(path: &Path) -> Result<Config, ConfigError> {
    let text = Config::text(path)?;
    let kept = kept_secrets(References::read(&text, path)?).await?;
    Config::parse(&text, path, Config::folder_of(path), &|reference, folder| match kept.get(reference) {
        Some(secret) => Ok(secret.clone()),
        None => config::from_surroundings(reference, folder),
    })
}

#[cfg(feature = "aws")]
async fn kept_secrets(references: References) -> Result<BTreeMap<String, SecretString>, ConfigError> {
    let all: Vec<String> = references.leaddesk.into_iter().chain(references.gorgias).collect();
    let (held, kept): (Vec<String>, Vec<String>) = all
        .into_iter()
        .filter(|reference| reference.starts_with(config::SECRET_PREFIX))
        .partition(|reference| own_copy(reference).is_some());
    let mut secrets: BTreeMap<String, SecretString> =
        held.into_iter().filter_map(|reference| Some((reference.clone(), own_copy(&reference)?))).collect();
    if !kept.is_empty() {
        let settings = aws::settings(None).await;
        let read = aws::resolve(&settings, kept, &aws::SpentMeter::default()).await;
        secrets.extend(
            read.map_err(|error| ConfigError::Secret { key: "a reference", why: error.to_string() })?,
        );
    }
    Ok(secrets)
}

/// Secrets of a deployment are for its functions alone; whoever drives a run from elsewhere has a copy of his own.
#[cfg(feature = "aws")]
fn own_copy(reference: &str) -> Option<SecretString> {
    let (_, key) = reference.rsplit_once('#')?;
    let name = format!("DESKFERRY_SECRET_{}", key.to_uppercase());
    std::env::var(name).ok().filter(|value| !value.is_empty()).map(SecretString::from)
}

#[cfg(not(feature = "aws"))]
async fn kept_secrets(_references: References) -> Result<BTreeMap<String, SecretString>, ConfigError> {
    Ok(BTreeMap::new())
}

/// Opens the store that the configuration names; nothing else is touched.
///
/// # Errors
/// The folder cannot be made or used, or this program was built without AWS.
pub async fn open_store(place: &StorePlace) -> Result<Arc<dyn Store>, ConnectError> {
    match place {
        StorePlace::Folder(folder) => {
            Ok(Arc::new(ObjectStoreAdapter::local(folder).map_err(ConnectError::Store)?))
        }
        #[cfg(feature = "aws")]
        StorePlace::Bucket(bucket) => {
            let settings = aws::settings(None).await;
            let meter = aws::SpentMeter::default();
            Ok(Arc::new(aws::S3Store::new(&settings, bucket.clone(), None, meter)))
        }
        #[cfg(not(feature = "aws"))]
        StorePlace::Bucket(bucket) => Err(ConnectError::WithoutAws { place: bucket.to_string() }),
    }
}

/// Opens the queue that the configuration names.
///
/// # Errors
/// There is none of this name, or this program was built without AWS.
pub async fn open_queue(place: &QueuePlace, clock: Arc<dyn Clock>) -> Result<Arc<dyn Queue>, ConnectError> {
    match place {
        QueuePlace::InProcess => Ok(Arc::new(InProcessQueue::new(clock, QueueSettings::default()))),
        #[cfg(feature = "aws")]
        QueuePlace::Sqs(address) => {
            let settings = aws::settings(Some(&address.region)).await;
            let found = aws::SqsQueue::find(&settings, address, aws::SpentMeter::default()).await;
            Ok(Arc::new(found.map_err(ConnectError::Queue)?))
        }
        #[cfg(not(feature = "aws"))]
        QueuePlace::Sqs(address) => Err(ConnectError::WithoutAws { place: address.to_string() }),
    }
}

/// Connects the two systems and puts everything together for the steps of one run; sends no request yet.
///
/// # Errors
/// [`ConnectError`].
pub fn connect(
    config: &Config,
    run: RunId,
    scratch: PathBuf,
    store: Arc<dyn Store>,
    surroundings: Surroundings,
) -> Result<Context, ConnectError> {
    let Surroundings { clock, progress, log } = surroundings;
    let source = leaddesk::Client::new(
        leaddesk::Access {
            original_api_url: config.leaddesk.original_api_url.clone(),
            rest_api_url: config.leaddesk.rest_api_url.clone(),
            auth: config.leaddesk.auth.clone(),
            account: config.leaddesk.account,
            client_id: config.leaddesk.client_id.clone(),
            client_secret: config.leaddesk.client_secret.clone(),
            in_flight: config.limits.source_in_flight,
            requests_per_second: config.leaddesk.requests_per_second,
            recording_hosts: config.leaddesk.recording_hosts.clone(),
        },
        Arc::clone(&clock),
        Arc::clone(&log),
    )
    .map_err(ConnectError::LeadDesk)?;
    let destination = gorgias::Client::new(
        gorgias::Access {
            base_url: config.gorgias.base_url.clone(),
            email: config.gorgias.email.clone(),
            api_key: config.gorgias.api_key.clone(),
            bucket: config.gorgias.bucket,
        },
        Arc::clone(&clock),
        Arc::clone(&log),
    )
    .map_err(ConnectError::Gorgias)?;
    let suggester = match &config.suggester {
        None => None,
        Some(access) => {
            let model = suggester::ChatModel::new(access.clone(), Arc::clone(&clock), log);
            let model: Arc<dyn Suggester> = Arc::new(model.map_err(ConnectError::Suggester)?);
            Some(model)
        }
    };
    Ok(Context {
        migration: config.migration.clone(),
        run,
        pass: snapshot::Pass::Full,
        held_open: pipeline::archive::HeldOpen::default(),
        store,
        source: Arc::new(source),
        destination: Arc::new(destination),
        suggester,
        clock,
        progress,
        files: config.leaddesk.files.clone(),
        scratch,
        mapping: config.mapping.clone(),
        limits: config.limits.clone(),
        stop: Stop::default(),
        hours: None,
    })
}
