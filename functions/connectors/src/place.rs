//! Where a store and a queue are: on this machine, or at AWS as `s3://bucket/prefix` and `sqs://region/account/queue`.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use pipeline::ports::store::Key;

/// Where the store is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StorePlace {
    /// A folder on this machine.
    Folder(PathBuf),
    /// A bucket of S3.
    Bucket(Bucket),
}

impl StorePlace {
    /// An object's place, as a person would open it.
    #[must_use]
    pub fn of(&self, key: &str) -> String {
        match self {
            Self::Folder(folder) => folder.join(key).display().to_string(),
            Self::Bucket(bucket) => format!("{bucket}/{key}"),
        }
    }

    /// The folder, when it is on this machine.
    #[must_use]
    pub fn folder(&self) -> Option<&PathBuf> {
        match self {
            Self::Folder(folder) => Some(folder),
            Self::Bucket(_) => None,
        }
    }
}

/// Where the queue is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum QueuePlace {
    /// In this process: the steps run here.
    InProcess,
    /// A queue of SQS that wakes the functions: the steps run there.
    Sqs(QueueAddress),
}

/// Text that names no place at AWS.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub struct InvalidPlace {
    /// What is wrong with it.
    pub what: &'static str,
}

/// A bucket and the prefix of everything that is ours in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bucket {
    /// Name of the bucket.
    pub name: String,
    /// Without slashes at its ends; empty for the whole bucket.
    pub prefix: String,
}

impl FromStr for Bucket {
    type Err = InvalidPlace;

    fn from_str(text: &str) -> Result<Self, InvalidPlace> {
        let rest = text.strip_prefix("s3://").ok_or(InvalidPlace { what: "it does not begin with s3://" })?;
        let (name, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        let prefix = prefix.trim_matches('/');
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '.';
        if !(3..=63).contains(&name.len()) || !name.chars().all(fits) {
            return Err(InvalidPlace { what: "it names no bucket" });
        }
        if !prefix.is_empty() && Key::new(prefix).is_err() {
            return Err(InvalidPlace { what: "its prefix is no object name" });
        }
        Ok(Self { name: name.to_owned(), prefix: prefix.to_owned() })
    }
}

impl fmt::Display for Bucket {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "s3://{}", self.name)?;
        if self.prefix.is_empty() { Ok(()) } else { write!(out, "/{}", self.prefix) }
    }
}

/// A queue by region, account and name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueAddress {
    /// Region, such as `eu-west-1`.
    pub region: String,
    /// Account number of twelve digits.
    pub account: String,
    /// Name, ending in `.fifo`.
    pub name: String,
}

impl FromStr for QueueAddress {
    type Err = InvalidPlace;

    fn from_str(text: &str) -> Result<Self, InvalidPlace> {
        let rest =
            text.strip_prefix("sqs://").ok_or(InvalidPlace { what: "it does not begin with sqs://" })?;
        let parts: Vec<&str> = rest.split('/').collect();
        let [region, account, name] = parts[..] else {
            return Err(InvalidPlace { what: "it is not region, account and queue, joined by /" });
        };
        let is_word = |text: &str, more: &str| {
            !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || more.contains(c))
        };
        if !is_word(region, "-") {
            return Err(InvalidPlace { what: "it names no region" });
        }
        if account.len() != 12 || !account.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(InvalidPlace { what: "its account is no number of twelve digits" });
        }
        let is_fifo = name.strip_suffix(".fifo").is_some_and(|stem| is_word(stem, "-_"));
        if !is_fifo || name.len() > 80 {
            return Err(InvalidPlace { what: "it names no FIFO queue; such names end in .fifo" });
        }
        Ok(Self { region: region.to_owned(), account: account.to_owned(), name: name.to_owned() })
    }
}

impl fmt::Display for QueueAddress {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "sqs://{}/{}/{}", self.region, self.account, self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_and_their_prefixes() {
        for (text, name, prefix) in [
            ("s3://acme-store", "acme-store", ""),
            ("s3://acme-store/", "acme-store", ""),
            ("s3://acme.store/a/b/", "acme.store", "a/b"),
        ] {
            let bucket: Bucket = text.parse().unwrap();
            assert_eq!((bucket.name.as_str(), bucket.prefix.as_str()), (name, prefix), "{text}");
            assert_eq!(bucket.to_string().parse::<Bucket>().unwrap(), bucket);
        }
        for text in ["file:run", "s3://", "s3://ab", "s3://Acme", "s3://acme/../x", "s3://acme/a b"] {
            assert!(text.parse::<Bucket>().is_err(), "{text}");
        }
    }

    #[test]
    fn queues_by_region_account_and_name() {
        let text = "sqs://eu-west-1/123456789012/acme-control.fifo";
        let address: QueueAddress = text.parse().unwrap();
        assert_eq!(address.to_string(), text);
        for text in [
            "in-process:",
            "sqs://eu-west-1/123456789012",
            "sqs://eu-west-1/12/acme.fifo",
            "sqs://eu-west-1/123456789012/acme",
            "sqs://eu west/123456789012/acme.fifo",
            "sqs://eu-west-1/123456789012/.fifo",
        ] {
            assert!(text.parse::<QueueAddress>().is_err(), "{text}");
        }
    }
}
