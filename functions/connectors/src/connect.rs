//! From a configuration to the ports: the one place that knows which adapter stands behind which URL.

use std::path::PathBuf;
use std::sync::Arc;

use pipeline::context::Context;
use pipeline::ports::clock::Clock;
use pipeline::ports::queue::Queue;
use pipeline::ports::store::{Store, StoreError};
use pipeline::progress::Progress;
use pipeline::stop::Stop;
use snapshot::RunId;

use crate::clock::RealClock;
use crate::config::Config;
use crate::http::log::HttpLog;
use crate::queue::{InProcessQueue, QueueSettings};
use crate::store::ObjectStoreAdapter;
use crate::{gorgias, leaddesk};

/// What a process needs to run steps.
#[derive(Clone)]
pub struct Connected {
    /// For the steps.
    pub context: Context,
    /// For the worker.
    pub queue: Arc<dyn Queue>,
}

/// A port could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The store's folder cannot be used.
    #[error("cannot open the store")]
    Store(#[source] StoreError),
    /// LeadDesk's client cannot be built.
    #[error(transparent)]
    LeadDesk(leaddesk::CannotConnect),
    /// Gorgias' client cannot be built.
    #[error(transparent)]
    Gorgias(gorgias::CannotConnect),
}

/// Opens the store that the configuration names; nothing else is touched.
///
/// # Errors
/// The folder cannot be made or used.
pub fn open_store(config: &Config) -> Result<Arc<dyn Store>, StoreError> {
    Ok(Arc::new(ObjectStoreAdapter::local(&config.store)?))
}

/// Connects everything; sends no request yet.
///
/// # Errors
/// [`ConnectError`].
pub fn connect(
    config: &Config,
    run: RunId,
    scratch: PathBuf,
    progress: Arc<dyn Progress>,
    log: Arc<dyn HttpLog>,
) -> Result<Connected, ConnectError> {
    let clock: Arc<dyn Clock> = Arc::new(RealClock::new());
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
        log,
    )
    .map_err(ConnectError::Gorgias)?;
    let context = Context {
        migration: config.migration.clone(),
        run,
        store: open_store(config).map_err(ConnectError::Store)?,
        source: Arc::new(source),
        destination: Arc::new(destination),
        clock: Arc::clone(&clock),
        progress,
        files: config.leaddesk.files.clone(),
        scratch,
        mapping: config.mapping.clone(),
        limits: config.limits.clone(),
        stop: Stop::default(),
    };
    let queue = Arc::new(InProcessQueue::new(clock, QueueSettings::default()));
    Ok(Connected { context, queue })
}
