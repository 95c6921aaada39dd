//! Credentials from Secrets Manager: `secret:NAME#KEY` names one text of a secret that is a JSON object.

use std::collections::BTreeMap;

use aws_config::SdkConfig;
use aws_sdk_secretsmanager::Client;
use secrecy::SecretString;

use super::cause::CallFailed;
use super::spent::SpentMeter;
use crate::config::SECRET_PREFIX;

/// Why a secret cannot be had. No text of it shows a value.
#[derive(Debug, thiserror::Error)]
pub enum SecretsError {
    /// The reference is not of the form `secret:NAME#KEY`.
    #[error("{reference} is no reference to a text of a secret; write it as secret:NAME#KEY")]
    Form {
        /// The reference.
        reference: String,
    },
    /// Secrets Manager did not give it.
    #[error("cannot read the secret {name}")]
    Unreadable {
        /// Its name.
        name: String,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// It is there, and has no such text.
    #[error("the secret {name} is no JSON object with a text under {key}")]
    Lacking {
        /// Its name.
        name: String,
        /// What was looked for.
        key: String,
    },
}

/// Reads every text that `references` name; each secret is read once. References of another kind are left to others.
///
/// # Errors
/// [`SecretsError`] names the first one that cannot be had.
pub async fn resolve(
    settings: &SdkConfig,
    references: impl IntoIterator<Item = String>,
    meter: &SpentMeter,
) -> Result<BTreeMap<String, SecretString>, SecretsError> {
    let client = Client::new(settings);
    let mut texts: BTreeMap<String, String> = BTreeMap::new();
    let mut resolved = BTreeMap::new();
    for reference in references {
        let Some(rest) = reference.strip_prefix(SECRET_PREFIX) else { continue };
        let (name, key) = rest
            .split_once('#')
            .filter(|(name, key)| !name.is_empty() && !key.is_empty())
            .ok_or_else(|| SecretsError::Form { reference: reference.clone() })?;
        if !texts.contains_key(name) {
            meter.secret_request();
            texts.insert(name.to_owned(), read(&client, name).await?);
        }
        let lacking = || SecretsError::Lacking { name: name.to_owned(), key: key.to_owned() };
        let object: serde_json::Value = serde_json::from_str(&texts[name]).map_err(|_| lacking())?;
        let value = object.get(key).and_then(serde_json::Value::as_str).filter(|text| !text.is_empty());
        resolved.insert(reference.clone(), SecretString::from(value.ok_or_else(lacking)?.to_owned()));
    }
    Ok(resolved)
}

async fn read(client: &Client, name: &str) -> Result<String, SecretsError> {
    let unreadable = |source| SecretsError::Unreadable { name: name.to_owned(), source };
    let found = client.get_secret_value().secret_id(name).send().await;
    let found = found.map_err(|error| unreadable(Box::new(CallFailed::of("Secrets Manager", &error))))?;
    match found.secret_string() {
        Some(text) => Ok(text.to_owned()),
        None => Err(SecretsError::Lacking { name: name.to_owned(), key: "any name".to_owned() }),
    }
}
