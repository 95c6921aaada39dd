//! `migration.toml`: read once, checked whole, and refused with the place and the way out.
//!
//! Secrets stand in it only as references, `env:NAME` or `file:path`; a value that stands there itself is refused without
//! being shown. Deliberately absent: expansion of variables inside values.

mod document;
mod error;
mod mapping;
mod secret;

use std::path::{Path, PathBuf};

use migration::pacer::Bucket;
use migration::settings::MappingSettings;
use pipeline::context::Limits;
use secrecy::SecretString;
use url::{Host, Url};

pub use error::ConfigError;

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

/// The whole file, resolved and checked.
#[derive(Debug, Clone)]
pub struct Config {
    /// Folder of the migration in the store, and name of its ledger.
    pub migration: String,
    /// Source.
    pub leaddesk: LeadDeskConfig,
    /// Destination.
    pub gorgias: GorgiasConfig,
    /// Folder of the store on this machine.
    pub store: PathBuf,
    /// Choices of the mapping.
    pub mapping: MappingSettings,
    /// Bounds of the run.
    pub limits: Limits,
}

impl Config {
    /// Reads and checks the file; relative paths in it start at its folder.
    ///
    /// # Errors
    /// [`ConfigError`] with a stable code; no text of it shows a secret.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|source| ConfigError::unreadable(path, source))?;
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        Self::parse(&text, path, folder, &secret::from_surroundings)
    }

    /// As [`Config::load`], from a text and with another way to resolve references.
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
        let store = folder.join(place("store.url", &file.store.url, "file:", "s3://")?);
        place("queue.url", &file.queue.url, "in-process:", "sqs://")?;
        let mapping = mapping::settings(&file)?;
        let limits = mapping::limits(&file)?;
        Ok(Self { migration: file.migration, leaddesk, gorgias, store, mapping, limits })
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

/// Takes `local` off a URL; the cloud form is known and refused by name, so that nobody guesses.
fn place<'a>(key: &'static str, url: &'a str, local: &str, cloud: &str) -> Result<&'a str, ConfigError> {
    if let Some(rest) = url.strip_prefix(local) {
        if rest.is_empty() && local == "file:" {
            return Err(ConfigError::value(key, "it names no folder", "write it as \"file:run\""));
        }
        return Ok(rest);
    }
    if url.starts_with(cloud) {
        return Err(ConfigError::value(
            key,
            "this build runs on one machine and has no adapter for it",
            &format!("use \"{local}{}\"", if local == "file:" { "run" } else { "" }),
        ));
    }
    Err(ConfigError::value(
        key,
        "it is of an unknown kind",
        &format!("use \"{local}{}\"", if local == "file:" { "run" } else { "" }),
    ))
}

#[cfg(test)]
mod tests;
