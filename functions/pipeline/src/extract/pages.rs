//! Pages of what LeadDesk said, kept as they were read, so that a restart asks for nothing twice.
//!
//! A page is one line of JSON that says when it was read, and the body. The first page stored under a key is the truth
//! for the whole run: two readers end with the same bytes. Withheld values are gone before a page is stored.

use bytes::{Bytes, BytesMut};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::error::ExtractError;
use crate::context::Context;
use crate::ports::store::{Put, StoreError};

/// A page as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// When LeadDesk was asked.
    pub fetched_at: Timestamp,
    /// The body.
    pub body: Bytes,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "version")]
enum Head {
    #[serde(rename = "1")]
    V1 { fetched_at: Timestamp },
}

/// The stored page, if there is one. `name` is relative to `runs/<run>/pages/`.
///
/// # Errors
/// [`ExtractError::Store`], [`ExtractError::StoredPage`].
pub async fn load(ctx: &Context, name: &str) -> Result<Option<Page>, ExtractError> {
    let key = ctx.run_key(&format!("pages/{name}"))?;
    match ctx.store.get(&key).await {
        Ok(bytes) => parse(&bytes).map(Some).ok_or_else(|| ExtractError::StoredPage { key: key.to_string() }),
        Err(StoreError::NotFound { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Stores a page. When another reader was faster, theirs is given back.
///
/// # Errors
/// [`ExtractError::Store`], [`ExtractError::StoredPage`].
pub async fn store(
    ctx: &Context,
    name: &str,
    fetched_at: Timestamp,
    body: Bytes,
) -> Result<Page, ExtractError> {
    let key = ctx.run_key(&format!("pages/{name}"))?;
    let head = serde_json::to_vec(&Head::V1 { fetched_at })
        .map_err(|_| ExtractError::StoredPage { key: key.to_string() })?;
    let mut bytes = BytesMut::with_capacity(head.len() + 1 + body.len());
    bytes.extend_from_slice(&head);
    bytes.extend_from_slice(b"\n");
    bytes.extend_from_slice(&body);
    match ctx.store.put_new(&key, bytes.freeze()).await? {
        Put::Created => Ok(Page { fetched_at, body }),
        Put::AlreadyThere => {
            load(ctx, name).await?.ok_or_else(|| ExtractError::StoredPage { key: key.to_string() })
        }
    }
}

fn parse(bytes: &Bytes) -> Option<Page> {
    let end = bytes.iter().position(|byte| *byte == b'\n')?;
    let Head::V1 { fetched_at } = serde_json::from_slice(&bytes[..end]).ok()?;
    Some(Page { fetched_at, body: bytes.slice(end + 1..) })
}

impl Page {
    /// The lines of the body; `None` for a line that is not UTF-8.
    pub fn lines(&self) -> impl Iterator<Item = Option<&str>> {
        self.body
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty())
            .map(|line| std::str::from_utf8(line).ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_without_its_head_is_no_page() {
        let whole =
            Bytes::from_static(b"{\"version\":\"1\",\"fetched_at\":\"2024-01-01T00:00:00Z\"}\na\nb\n");
        let page = parse(&whole).expect("whole");
        assert_eq!(page.lines().collect::<Vec<_>>(), [Some("a"), Some("b")]);
        assert_eq!(parse(&Bytes::from_static(b"a\nb\n")), None);
        assert_eq!(parse(&whole.slice(..20)), None);
    }
}
