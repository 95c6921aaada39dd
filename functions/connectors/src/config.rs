//! `migration.toml`: read once, checked whole, and refused with the place and the way out.
//!
//! Secrets stand in it only as references, `env:NAME`, `file:path` or `secret:NAME#KEY`; a value that stands there itself
//! is refused without being shown. Deliberately absent: expansion of variables inside values.

mod document;
mod error;
mod mapping;
mod secret;
mod stated;

use std::path::{Path, PathBuf};

use migration::pacer::Bucket;
use migration::settings::MappingSettings;
use pipeline::context::Limits;
use secrecy::SecretString;
use url::{Host, Url};

use crate::place::{InvalidPlace, QueuePlace, StorePlace};
use crate::suggester;

pub use error::ConfigError;
pub use secret::from_surroundings;

use crate::leaddesk::{RECORDING_HOSTS, pattern_fault};

/// LeadDesk, resolved.
#[derive(Debug, Clone)]
pub struct LeadDeskConfig {
    /// Address of the Original API.
    pub original_api_url: Url,
    /// Address of the REST API, zone included.
    pub rest_api_url: Url,
    /// Key of the Original API.
    pub auth: SecretString,
    /// Account number.
    pub account: u64,
    /// REST credentials.
    pub client_id: SecretString,
    /// REST credentials.
    pub client_secret: SecretString,
    /// Folder of the operator's files and chatbot ZIPs.
    pub files: PathBuf,
    /// Requests a second over both APIs.
    pub requests_per_second: f64,
    /// Hosts that recordings are taken from.
    pub recording_hosts: Vec<String>,
}

/// Gorgias, resolved.
#[derive(Debug, Clone)]
pub struct GorgiasConfig {
    /// Address of the account.
    pub base_url: Url,
    /// User whose key it is.
    pub email: String,
    /// API key.
    pub api_key: SecretString,
    /// Bucket until the header corrects it.
    pub bucket: Bucket,
}

impl GorgiasConfig {
    /// The same user at another address, such as that of a stand-in; nothing for text that is no address.
    #[must_use]
    pub fn at(&self, base_url: &str, api_key: &str, bucket: Bucket) -> Option<Self> {
        let base_url = Url::parse(base_url).ok()?;
        let api_key = SecretString::from(api_key.to_owned());
        Some(Self { base_url, email: self.email.clone(), api_key, bucket })
    }
}

/// The whole file, resolved and checked.
#[derive(Debug, Clone)]
pub struct Config {
    /// Folder of the migration in the store, and name of its ledger.
    pub migration: String,
    /// Source.
    pub leaddesk: LeadDeskConfig,
    /// Destination.
    pub gorgias: GorgiasConfig,
    /// Snapshots, ledger, reports.
    pub store: StorePlace,
    /// What wakes the steps.
    pub queue: QueuePlace,
    /// Folder on this machine for what never leaves it: lock, logs, spills. The store's own, where that is a folder.
    pub workspace: PathBuf,
    /// Choices of the mapping.
    pub mapping: MappingSettings,
    /// Bounds of the run.
    pub limits: Limits,
    /// A language model that adds suggestions to proposals; off unless the file names one.
    pub suggester: Option<suggester::Access>,
}

/// Beginning of a reference into Secrets Manager.
pub const SECRET_PREFIX: &str = "secret:";
/// Folder for what stays on this machine, when the store is elsewhere.
const WORKSPACE_FOLDER: &str = ".deskferry";

/// The references to secrets that a file holds, by the system that they open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct References {
    /// Credentials of LeadDesk.
    pub leaddesk: Vec<String>,
    /// Credentials of Gorgias.
    pub gorgias: Vec<String>,
}

impl References {
    /// Reads them from the text of a file; resolves none.
    ///
    /// # Errors
    /// [`ConfigError`] when the text is no configuration.
    pub fn read(text: &str, path: &Path) -> Result<Self, ConfigError> {
        let file = document::read(text, path)?;
        Ok(Self {
            leaddesk: vec![file.leaddesk.auth, file.leaddesk.client_id, file.leaddesk.client_secret],
            gorgias: vec![file.gorgias.api_key],
        })
    }
}

impl Config {
    /// The text of a file.
    ///
    /// # Errors
    /// [`ConfigError::Unreadable`].
    pub fn text(path: &Path) -> Result<String, ConfigError> {
        std::fs::read_to_string(path).map_err(|source| ConfigError::unreadable(path, source))
    }

    /// Where relative paths in a file start.
    #[must_use]
    pub fn folder_of(path: &Path) -> &Path {
        path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
    }

    /// Checks a text; relative paths in it start at `folder`, and `secrets` resolves its references.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn parse(
        text: &str,
        path: &Path,
        folder: &Path,
        secrets: &dyn Fn(&str, &Path) -> Result<SecretString, String>,
    ) -> Result<Self, ConfigError> {
        let file = document::read(text, path)?;
        check_name(&file.migration)?;
        let secret = |key: &'static str, reference: &str| {
            secrets(reference, folder).map_err(|why| ConfigError::secret(key, &why))
        };
        let leaddesk = LeadDeskConfig {
            original_api_url: address("leaddesk.original_api_url", &file.leaddesk.original_api_url)?,
            rest_api_url: address("leaddesk.rest_api_url", &file.leaddesk.rest_api_url)?,
            auth: secret("leaddesk.auth", &file.leaddesk.auth)?,
            account: file.leaddesk.account,
            client_id: secret("leaddesk.client_id", &file.leaddesk.client_id)?,
            client_secret: secret("leaddesk.client_secret", &file.leaddesk.client_secret)?,
            files: folder.join(&file.leaddesk.files),
            requests_per_second: pace(file.leaddesk.requests_per_second)?,
            recording_hosts: recording_hosts(file.leaddesk.recording_hosts.as_deref())?,
        };
        let bucket = Bucket::parse(&file.gorgias.bucket, file.gorgias.reserve).map_err(|error| {
            ConfigError::value(
                "gorgias.bucket",
                &error.to_string(),
                "write it as \"40/20\": requests and seconds, and keep reserve below 1",
            )
        })?;
        let gorgias = GorgiasConfig {
            base_url: address("gorgias.base_url", &file.gorgias.base_url)?,
            email: email(&file.gorgias.email)?,
            api_key: secret("gorgias.api_key", &file.gorgias.api_key)?,
            bucket,
        };
        let store = store_place(&file.store.url, folder)?;
        let queue = queue_place(&file.queue.url)?;
        let workspace = store.folder().cloned().unwrap_or_else(|| folder.join(WORKSPACE_FOLDER));
        let suggester = match &file.suggester {
            None => None,
            // A key that is not there stops no run: everything works without the suggester.
            Some(table) => Some(suggester::Access {
                base_url: address("suggester.base_url", &table.base_url)?,
                model: model(&table.model)?,
                api_key: match &table.api_key {
                    None => Ok(None),
                    Some(reference) => {
                        check_reference(reference)?;
                        secrets(reference, folder).map(Some)
                    }
                },
                timeout: None,
            }),
        };
        let mapping = mapping::settings(&file)?;
        let mut limits = mapping::limits(&file)?;
        limits.stated = stated::read(&file, &leaddesk.rest_api_url, &queue)?;
        Ok(Self {
            migration: file.migration,
            leaddesk,
            gorgias,
            store,
            queue,
            workspace,
            mapping,
            limits,
            suggester,
        })
    }
}

/// The name becomes a folder and a part of object keys.
fn check_name(name: &str) -> Result<(), ConfigError> {
    let valid = (1..=64).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_');
    if valid {
        return Ok(());
    }
    Err(ConfigError::value(
        "migration",
        "it is no name for a folder",
        "use 1 to 64 lower-case letters, digits, - and _, such as \"acme\"",
    ))
}

fn address(key: &'static str, text: &str) -> Result<Url, ConfigError> {
    let url = Url::parse(text).map_err(|error| {
        ConfigError::value(
            key,
            &format!("it is no address ({error})"),
            "write it whole, such as \"https://acme.gorgias.com\"",
        )
    })?;
    let is_loopback = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(host)) => host.is_loopback(),
        Some(Host::Ipv6(host)) => host.is_loopback(),
        None => false,
    };
    if url.scheme() != "https" && !(url.scheme() == "http" && is_loopback) {
        return Err(ConfigError::value(
            key,
            "it is not encrypted",
            "use https; http is accepted on this machine alone",
        ));
    }
    if !url.username().is_empty() || url.password().is_some() || url.query().is_some() {
        return Err(ConfigError::value(
            key,
            "it holds more than a host and a path",
            "leave credentials and parameters out; secrets are references of their own",
        ));
    }
    Ok(url)
}

fn email(text: &str) -> Result<String, ConfigError> {
    if text.contains('@') && !text.contains(':') && !text.contains(char::is_whitespace) {
        return Ok(text.to_owned());
    }
    Err(ConfigError::value(
        "gorgias.email",
        "it is no email address",
        "give the address of the user whose API key it is",
    ))
}

/// A key that stands in the file itself is refused at once, whether it would work or not.
fn check_reference(reference: &str) -> Result<(), ConfigError> {
    if ["env:", "file:", SECRET_PREFIX].iter().any(|prefix| reference.starts_with(prefix)) {
        return Ok(());
    }
    Err(ConfigError::secret("suggester.api_key", "a value stands where a reference belongs"))
}

fn model(text: &str) -> Result<String, ConfigError> {
    if (1..=200).contains(&text.len()) && text.chars().all(|character| character.is_ascii_graphic()) {
        return Ok(text.to_owned());
    }
    Err(ConfigError::value(
        "suggester.model",
        "it is no name of a model",
        "write it as the endpoint names it",
    ))
}

fn pace(requests: f64) -> Result<f64, ConfigError> {
    if requests > 0.0 && requests <= 1_000_000.0 {
        return Ok(requests);
    }
    Err(ConfigError::value(
        "leaddesk.requests_per_second",
        "it is zero, negative or beyond reason",
        "5 is careful; LeadDesk documents no limit",
    ))
}

/// A pattern too wide would let an address from outside lead anywhere.
fn recording_hosts(patterns: Option<&[String]>) -> Result<Vec<String>, ConfigError> {
    let Some(patterns) = patterns else { return Ok(RECORDING_HOSTS.map(str::to_owned).to_vec()) };
    match patterns.iter().find_map(|pattern| pattern_fault(pattern)) {
        None => Ok(patterns.to_vec()),
        Some(fault) => Err(ConfigError::value(
            "leaddesk.recording_hosts",
            fault,
            "name hosts as \"rec-*.leaddesk.com\": * stands for a part of one label",
        )),
    }
}

/// `file:` names a folder, `s3://` a bucket.
fn store_place(url: &str, folder: &Path) -> Result<StorePlace, ConfigError> {
    const FIX: &str = "write it as \"file:run\" or \"s3://bucket/prefix\"";
    let refused = |why: &str| ConfigError::value("store.url", why, FIX);
    match url.strip_prefix("file:") {
        Some("") => Err(refused("it names no folder")),
        Some(rest) => Ok(StorePlace::Folder(folder.join(rest))),
        None if url.starts_with("s3:") => {
            Ok(StorePlace::Bucket(url.parse().map_err(|error: InvalidPlace| refused(error.what))?))
        }
        None => Err(refused("it is of an unknown kind")),
    }
}

/// `in-process:` runs the steps here, `sqs://` wakes functions.
fn queue_place(url: &str) -> Result<QueuePlace, ConfigError> {
    const FIX: &str = "write it as \"in-process:\" or \"sqs://region/account/queue.fifo\"";
    let refused = |why: &str| ConfigError::value("queue.url", why, FIX);
    match url.strip_prefix("in-process:") {
        Some("") => Ok(QueuePlace::InProcess),
        Some(_) => Err(refused("nothing stands behind in-process:")),
        None if url.starts_with("sqs:") => {
            Ok(QueuePlace::Sqs(url.parse().map_err(|error: InvalidPlace| refused(error.what))?))
        }
        None => Err(refused("it is of an unknown kind")),
    }
}

#[cfg(test)]
mod tests;
