//! Secrets by reference.

use std::path::Path;

use secrecy::SecretString;

/// Reads `env:NAME` or `file:path`; what Secrets Manager keeps was read before. The reason for a refusal never shows the text: it may be the secret itself.
pub fn from_surroundings(reference: &str, folder: &Path) -> Result<SecretString, String> {
    let value = if let Some(name) = reference.strip_prefix("env:") {
        std::env::var(name).map_err(|_| format!("the environment has no text in {name}"))?
    } else if let Some(path) = reference.strip_prefix("file:") {
        std::fs::read_to_string(folder.join(path))
            .map_err(|error| format!("the file {path} cannot be read ({})", error.kind()))?
    } else if reference.starts_with(super::SECRET_PREFIX) {
        return Err(
            "this program was built without Secrets Manager; build it with `--features aws`".to_owned()
        );
    } else {
        return Err("a value stands where a reference belongs".to_owned());
    };
    let value = value.trim();
    if value.is_empty() {
        return Err("the reference leads to an empty text".to_owned());
    }
    Ok(SecretString::from(value.to_owned()))
}
