//! Pages of what LeadDesk said, kept as they were read, so that a restart asks for nothing twice.
//!
//! A page is one line of JSON that says when it was read, and the body. The first page stored under a key is the truth
//! for the whole run: two readers end with the same bytes. Withheld values are gone before a page is stored.

use bytes::{Bytes, BytesMut};
use futures::{StreamExt as _, stream};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::error::ExtractError;
use crate::context::Context;
use crate::ports::leaddesk::SourceError;
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
    let key = ctx.pass_key(&format!("pages/{name}"))?;
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
    let key = ctx.pass_key(&format!("pages/{name}"))?;
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

/// Asks LeadDesk, unless somebody asked to stop.
///
/// # Errors
/// [`ExtractError::Source`], [`ExtractError::Stopped`].
pub async fn ask<T>(
    ctx: &Context,
    what: &'static str,
    request: impl Future<Output = Result<T, SourceError>>,
) -> Result<T, ExtractError> {
    let answer = ctx.stop.answered(&*ctx.clock, request).await?;
    answer.map_err(|source| ExtractError::Source { what, source })
}

/// The stored page with a line for each of these questions, asked now unless an earlier start did. When asking ends
/// early, the lines so far are kept beside the pages, and the next start asks for the others only.
///
/// # Errors
/// Whatever `ask` says, [`ExtractError::Store`], [`ExtractError::StoredPage`].
pub async fn of_lines<Q, L>(
    ctx: &Context,
    name: &str,
    questions: &[Q],
    ask: impl Fn(Q) -> L,
) -> Result<Page, ExtractError>
where
    Q: Copy,
    L: Future<Output = Result<String, ExtractError>>,
{
    if let Some(page) = load(ctx, name).await? {
        return Ok(page);
    }
    // What was answered is not stored yet.
    let _writing = ctx.stop.writing();
    let folder = ctx.pass_key(&format!("pages/begun/{name}"))?;
    let mut fetched_at = None;
    let mut lines: Vec<String> = Vec::new();
    for key in ctx.store.list(&folder).await? {
        let part = parse(&ctx.store.get(&key).await?);
        let part = part.ok_or_else(|| ExtractError::StoredPage { key: key.to_string() })?;
        fetched_at.get_or_insert(part.fetched_at);
        lines.extend(part.lines().map(|line| line.unwrap_or_default().to_owned()));
    }
    let fetched_at = fetched_at.unwrap_or_else(|| ctx.clock.now());
    let begun = lines.len();
    let rest = questions.iter().skip(begun).copied().map(ask);
    let mut answers = stream::iter(rest).buffered(ctx.limits.source_in_flight.max(1));
    while let Some(answer) = answers.next().await {
        match answer {
            Ok(line) => lines.push(line),
            Err(error) => {
                if let Some(new) = lines.get(begun..).filter(|new| !new.is_empty()) {
                    store(ctx, &format!("begun/{name}/{begun:06}"), fetched_at, body(new)).await?;
                }
                return Err(error);
            }
        }
    }
    store(ctx, name, fetched_at, body(&lines)).await
}

fn body(lines: &[String]) -> Bytes {
    let mut body = lines.join("\n");
    body.push('\n');
    Bytes::from(body)
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
