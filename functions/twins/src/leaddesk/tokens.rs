//! Tokens of the REST API, and signatures of recording addresses.
//!
//! Deliberately absent: refresh tokens; nothing shows that LeadDesk has them. Also absent: secrets worth keeping, since
//! a twin only ever guards generated people.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Mutex;

use sha2::{Digest, Sha256};

/// Issues tokens and knows until when each holds.
#[derive(Debug, Default)]
pub(crate) struct Tokens(Mutex<Issued>);

#[derive(Debug, Default)]
struct Issued {
    count: u64,
    /// Token to the first second in which it no longer holds.
    expiries: BTreeMap<String, u64>,
}

impl Tokens {
    pub(crate) fn issue(&self, secret: &str, now: u64, seconds: u64) -> String {
        let mut issued = self.issued();
        issued.count += 1;
        let token = digest(&["token", secret, &issued.count.to_string()]);
        issued.expiries.retain(|_, expiry| *expiry > now);
        issued.expiries.insert(token.clone(), now.saturating_add(seconds));
        token
    }

    pub(crate) fn holds(&self, token: &str, now: u64) -> bool {
        self.issued().expiries.get(token).is_some_and(|expiry| now < *expiry)
    }

    fn issued(&self) -> std::sync::MutexGuard<'_, Issued> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// The signature of a recording's address that holds until `expires`.
pub(crate) fn signature(secret: &str, name: &str, expires: u64) -> String {
    digest(&["recording", secret, name, &expires.to_string()])
}

fn digest(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.len().to_be_bytes());
        hash.update(part);
    }
    hash.finalize().iter().take(20).fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        write!(text, "{byte:02x}").ok();
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_expire_and_differ() {
        let tokens = Tokens::default();
        let (first, second) = (tokens.issue("s", 100, 60), tokens.issue("s", 100, 60));
        assert_ne!(first, second);
        assert!(tokens.holds(&first, 159) && !tokens.holds(&first, 160) && !tokens.holds("other", 100));
    }

    #[test]
    fn signatures_depend_on_every_part() {
        let base = signature("s", "name", 1);
        for other in [signature("t", "name", 1), signature("s", "named", 1), signature("s", "name", 2)] {
            assert_ne!(base, other);
        }
    }
}
