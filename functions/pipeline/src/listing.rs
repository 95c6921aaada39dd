//! Walks a list of Gorgias to its end. A list is complete or an error; a missing page never looks like an end.

use std::collections::BTreeSet;

use futures::future::BoxFuture;

use crate::ports::gorgias::{
    AuditEvent, Cursor, Customer, Field, Integration, Message, Page, Raw, ReadError, Rule, Tag, Team, Ticket,
    User,
};

/// Pages of one list at most: a list that never ends is a fault, not a large account.
const PAGES_MAX: usize = 200_000;
/// Times that a list is begun anew because its cursor expired.
pub(crate) const BEGINNINGS_MAX: usize = 3;

/// A record that a list shows.
pub(crate) trait Listed {
    /// Tells it apart from the other records of its list.
    fn list_id(&self) -> u64;
}

macro_rules! listed {
    ($($record:ty),+ $(,)?) => {$(
        impl Listed for $record {
            fn list_id(&self) -> u64 {
                self.id.0
            }
        }
    )+};
}

listed!(Customer, Field, Integration, Message, Rule, Tag, Team, Ticket, User);

impl Listed for AuditEvent {
    fn list_id(&self) -> u64 {
        self.id
    }
}

/// Calls `take` with every record once, in the order of the list: one that moved within the list while it was walked is
/// taken where it was met first.
///
/// # Errors
/// Whatever `fetch` or `take` say. [`ReadError::Refused`] after the first page means that the cursor expired: the
/// caller begins anew.
pub(crate) async fn walk<'a, T: Listed, E: From<ReadError>>(
    mut fetch: impl FnMut(Option<Cursor>) -> BoxFuture<'a, Result<Page<T>, ReadError>>,
    mut take: impl FnMut(Raw<T>) -> Result<(), E>,
) -> Result<u64, E> {
    let mut walk = Walk::default();
    let mut cursor: Option<Cursor> = None;
    loop {
        let page = fetch(cursor.take()).await?;
        for raw in page.records {
            walk.meet(raw, &mut take)?;
        }
        cursor = walk.next(page.next)?;
        if cursor.is_none() {
            return Ok(walk.seen.len() as u64);
        }
    }
}

/// How far a walk is.
#[derive(Default)]
pub(crate) struct Walk {
    seen: BTreeSet<u64>,
    cursors: BTreeSet<String>,
}

impl Walk {
    /// Takes a record unless it was met before.
    pub(crate) fn meet<T: Listed, E>(
        &mut self,
        raw: Raw<T>,
        take: &mut impl FnMut(Raw<T>) -> Result<(), E>,
    ) -> Result<(), E> {
        if self.seen.insert(raw.record.list_id()) { take(raw) } else { Ok(()) }
    }

    /// Where to go on; `None` at the end.
    ///
    /// # Errors
    /// [`ReadError::Unusable`] when the list leads nowhere.
    pub(crate) fn next(&mut self, next: Option<Cursor>) -> Result<Option<Cursor>, ReadError> {
        let Some(next) = next else { return Ok(None) };
        if self.cursors.len() < PAGES_MAX && self.cursors.insert(next.0.clone()) {
            return Ok(Some(next));
        }
        let why = "the list repeats itself or does not end".to_owned();
        Err(ReadError::Unusable { request: "a list".to_owned(), why })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Listed for u64 {
        fn list_id(&self) -> u64 {
            *self
        }
    }

    fn page(ids: &[u64], next: Option<&str>) -> Page<u64> {
        let raw = |id: &u64| Raw { record: *id, json: String::new() };
        Page { records: ids.iter().map(raw).collect(), next: next.map(|text| Cursor(text.to_owned())) }
    }

    async fn walked(pages: Vec<Page<u64>>) -> Result<Vec<u64>, ReadError> {
        let mut pages = pages.into_iter();
        let mut taken = Vec::new();
        let fetch = |_| {
            let page = pages.next().ok_or(ReadError::Refused { request: "list".to_owned() });
            Box::pin(async move { page }) as BoxFuture<'static, _>
        };
        walk(fetch, |raw| {
            taken.push(raw.record);
            Ok::<(), ReadError>(())
        })
        .await?;
        Ok(taken)
    }

    #[tokio::test]
    async fn every_record_comes_once_and_an_endless_list_is_an_error() {
        let whole = walked(vec![page(&[1, 2], Some("a")), page(&[2, 3], Some("b")), page(&[], None)]).await;
        assert_eq!(whole.expect("whole"), [1, 2, 3]);
        let expired = walked(vec![page(&[1], Some("a"))]).await;
        assert!(matches!(expired, Err(ReadError::Refused { .. })));
        let endless = walked(vec![page(&[1], Some("a")), page(&[1], Some("a")), page(&[1], Some("a"))]).await;
        assert!(matches!(endless, Err(ReadError::Unusable { .. })));
    }
}
