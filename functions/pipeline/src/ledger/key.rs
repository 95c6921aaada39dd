//! Names of writes in the ledger, and the keyed hashes that stand there instead of contents.

use std::fmt;
use std::fmt::Write as _;

use hmac::{Hmac, KeyInit, Mac};
use migration::gorgias::FieldObject;
use migration::keys::{ExternalId, FieldKey, TeamKey};
use migration::ledger::{DestinationObject, WriteKey};
use sha2::{Digest, Sha256};

/// Hexadecimal digits of a field's hash: 64 bits tell changed from unchanged.
const FIELD_HASH_DIGITS: usize = 16;
/// Hexadecimal digits of a file's digest in its key.
const UPLOAD_HASH_DIGITS: usize = 16;

/// A customer.
#[must_use]
pub fn customer(id: &ExternalId, secret: &Secret) -> WriteKey {
    WriteKey::new(DestinationObject::Customer, record(id, secret))
}

/// Custom values of a customer.
#[must_use]
pub fn values(id: &ExternalId, secret: &Secret) -> WriteKey {
    WriteKey::new(DestinationObject::CustomerValues, record(id, secret))
}

/// A ticket with its first messages.
#[must_use]
pub fn ticket(id: &ExternalId, secret: &Secret) -> WriteKey {
    WriteKey::new(DestinationObject::Ticket, record(id, secret))
}

/// A message beyond those that a ticket's creation carries.
#[must_use]
pub fn message(id: &ExternalId, secret: &Secret) -> WriteKey {
    WriteKey::new(DestinationObject::Message, record(id, secret))
}

/// A file for a message, by its content: another content is another upload.
#[must_use]
pub fn upload(message: &ExternalId, sha256: &str, secret: &Secret) -> WriteKey {
    let digest = sha256.get(..UPLOAD_HASH_DIGITS).unwrap_or(sha256);
    WriteKey::new(DestinationObject::Upload, format!("{}@{digest}", record(message, secret)))
}

/// A ticket that stands beside the one that carries its key; it has no name but its id.
#[must_use]
pub fn second_ticket(id: u64) -> WriteKey {
    WriteKey::new(DestinationObject::Ticket, format!("second={id}"))
}

/// A message that stands beside the one that carries its key.
#[must_use]
pub fn second_message(id: u64) -> WriteKey {
    WriteKey::new(DestinationObject::Message, format!("second={id}"))
}

/// A tag, by its case-sensitive name. Names are customers' own words, so only their hash is kept.
#[must_use]
pub fn tag(name: &str, secret: &Secret) -> WriteKey {
    WriteKey::new(DestinationObject::Tag, format!("hmac={}", secret.hash(name.as_bytes())))
}

/// A custom field definition.
#[must_use]
pub fn field(object: FieldObject, key: &FieldKey) -> WriteKey {
    WriteKey::new(DestinationObject::Field, format!("{}/{key}", object.as_str()))
}

/// A team.
#[must_use]
pub fn team(key: &TeamKey) -> WriteKey {
    WriteKey::new(DestinationObject::Team, key.to_string())
}

/// A rule, setting or integration that is switched off for the run.
#[must_use]
pub fn switch(object: DestinationObject, id: u64) -> WriteKey {
    WriteKey::new(object, id.to_string())
}

/// Ids that hold a phone number are replaced by their keyed hash: the ledger holds no personal data.
fn record(id: &ExternalId, secret: &Secret) -> String {
    let text = id.as_str();
    if text.contains(":number:") { format!("hmac={}", secret.hash(text.as_bytes())) } else { text.to_owned() }
}

/// The secret of one ledger. Never printed.
#[derive(Clone)]
pub struct Secret([u8; 32]);

impl Secret {
    /// Wraps 32 bytes.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Draws a new one: four random identifiers hold 296 random bits.
    #[must_use]
    pub fn draw() -> Self {
        let mut digest = Sha256::new();
        for _ in 0..4 {
            digest.update(nonce_bytes());
        }
        Self(digest.finalize().into())
    }

    /// Reads the hexadecimal form.
    #[must_use]
    pub fn from_hex(text: &str) -> Option<Self> {
        let bytes: Option<Vec<u8>> = (0..text.len())
            .step_by(2)
            .map(|at| text.get(at..at + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok()))
            .collect();
        bytes?.try_into().ok().map(Self)
    }

    /// The hexadecimal form, for the store alone.
    #[must_use]
    pub fn to_hex(&self) -> String {
        hex(&self.0)
    }

    /// HMAC-SHA256 in hexadecimal.
    #[must_use]
    pub fn hash(&self, content: &[u8]) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes a key of any length");
        mac.update(content);
        hex(&mac.finalize().into_bytes())
    }

    /// Shortened hash of one field.
    #[must_use]
    pub fn field_hash(&self, name: &str, value: &str) -> String {
        let mut text = String::with_capacity(name.len() + value.len() + 1);
        text.push_str(name);
        text.push('\u{0}');
        text.push_str(value);
        let mut hash = self.hash(text.as_bytes());
        hash.truncate(FIELD_HASH_DIGITS);
        hash
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Secret(…)")
    }
}

/// SHA-256 in hexadecimal.
#[must_use]
pub fn sha256_hex(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// A text that no other attempt draws.
#[must_use]
pub fn draw_nonce() -> String {
    hex(&nonce_bytes())
}

fn nonce_bytes() -> [u8; 16] {
    uuid::Uuid::now_v7().into_bytes()
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        write!(text, "{byte:02x}").expect("writing to a String cannot fail");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phone_number_never_becomes_part_of_a_key() {
        let secret = Secret::new([7; 32]);
        let number = ExternalId::number("+358401234567");
        let calls = ExternalId::calls_without_lead(&number);
        for key in [customer(&number, &secret), ticket(&calls, &secret)] {
            assert!(!key.key.contains("358401234567"), "{key}");
            assert!(key.key.contains("hmac="), "{key}");
        }
        let other = customer(&number, &Secret::new([8; 32]));
        assert_ne!(customer(&number, &secret), other);
    }

    #[test]
    fn secret_survives_its_hexadecimal_form_and_is_not_printed() {
        let secret = Secret::draw();
        let back = Secret::from_hex(&secret.to_hex()).expect("own form");
        assert_eq!(back.hash(b"x"), secret.hash(b"x"));
        assert!(!format!("{secret:?}").contains(&secret.to_hex()[..8]));
        assert!(Secret::from_hex("zz").is_none());
        assert!(Secret::from_hex("00ff").is_none());
    }

    #[test]
    fn field_hash_separates_name_and_value() {
        let secret = Secret::new([1; 32]);
        assert_ne!(secret.field_hash("ab", "c"), secret.field_hash("a", "bc"));
        assert_eq!(secret.field_hash("a", "b").len(), FIELD_HASH_DIGITS);
    }
}
