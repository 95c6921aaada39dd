//! Joining sorted tables without loading them: groups, and children of parents.

use std::iter::Peekable;
use std::marker::PhantomData;

use crate::error::SnapshotError;
use crate::key::Key;
use crate::row::Row;

/// Rows that share the first columns of the sort key; never empty.
#[derive(Debug, Clone, PartialEq)]
pub struct Group<R> {
    /// The shared columns.
    pub key: Key,
    /// In key order.
    pub rows: Vec<R>,
}

/// Gathers sorted rows into groups. Memory is bounded by the largest group.
pub struct Grouped<R: Row, I: Iterator<Item = Result<R, SnapshotError>>> {
    children: Children<R, I>,
}

impl<R: Row, I: Iterator<Item = Result<R, SnapshotError>>> Grouped<R, I> {
    /// Groups by the first `key_columns` columns of the sort key. `rows` come in key order.
    pub fn new(rows: I, key_columns: usize) -> Self {
        Self { children: Children::new(rows, key_columns) }
    }
}

impl<R: Row, I: Iterator<Item = Result<R, SnapshotError>>> Iterator for Grouped<R, I> {
    type Item = Result<Group<R>, SnapshotError>;

    fn next(&mut self) -> Option<Self::Item> {
        let key = match self.children.next_key()? {
            Ok(key) => key,
            Err(error) => return Some(Err(error)),
        };
        Some(self.children.take(&key).map(|rows| Group { key, rows }))
    }
}

/// Sorted rows that belong to the rows of another sorted table: tags to tickets, messages to tickets.
///
/// ```
/// use snapshot::tables::{WantTicket, WantTicketTag};
/// use snapshot::{Row as _, SnapshotError, TableReader};
///
/// /// Tags whose ticket is not there.
/// fn orphans(tickets: TableReader<WantTicket>, tags: TableReader<WantTicketTag>) -> Result<u64, SnapshotError> {
///     let mut tags = tags.children(1);
///     for ticket in tickets {
///         let its_tags = tags.take(&ticket?.key())?;
///         assert!(its_tags.is_sorted_by_key(|tag| tag.tag_name.clone()));
///     }
///     tags.orphans()
/// }
/// ```
pub struct Children<R: Row, I: Iterator<Item = Result<R, SnapshotError>>> {
    rows: Peekable<Keyed<R, I>>,
    orphans: u64,
}

impl<R: Row, I: Iterator<Item = Result<R, SnapshotError>>> Children<R, I> {
    /// Joins by the first `key_columns` columns of the sort key. `rows` come in key order.
    pub fn new(rows: I, key_columns: usize) -> Self {
        Self { rows: Keyed { rows, key_columns, row: PhantomData }.peekable(), orphans: 0 }
    }

    /// The rows of this parent. Parents are asked for in key order; rows of parents that were never asked for are
    /// skipped and counted as orphans.
    ///
    /// # Errors
    /// When reading fails.
    pub fn take(&mut self, parent: &Key) -> Result<Vec<R>, SnapshotError> {
        while self.next_before(parent)?.is_some() {
            self.orphans += 1;
        }
        let mut taken = Vec::new();
        while let Some(next) = self.rows.next_if(|next| next.as_ref().map_or(true, |(key, _)| key == parent))
        {
            taken.push(next?.1);
        }
        Ok(taken)
    }

    /// The next row whose parent stands before this one, for callers that want to see the orphans.
    ///
    /// # Errors
    /// When reading fails.
    pub fn next_before(&mut self, parent: &Key) -> Result<Option<R>, SnapshotError> {
        let is_before =
            |next: &Result<(Key, R), SnapshotError>| next.as_ref().map_or(true, |(key, _)| key < parent);
        self.rows.next_if(is_before).transpose().map(|next| next.map(|(_, row)| row))
    }

    /// The joining columns of the next row.
    pub fn next_key(&mut self) -> Option<Result<Key, SnapshotError>> {
        match self.rows.peek()? {
            Ok((key, _)) => Some(Ok(key.clone())),
            Err(_) => self.rows.next().map(|next| next.map(|(key, _)| key)),
        }
    }

    /// Rows whose parent never came: those skipped so far and all that are left.
    ///
    /// # Errors
    /// When reading fails.
    pub fn orphans(mut self) -> Result<u64, SnapshotError> {
        self.rows.try_fold(self.orphans, |count, next| next.map(|_| count + 1))
    }
}

/// Rows with their joining columns.
struct Keyed<R: Row, I: Iterator<Item = Result<R, SnapshotError>>> {
    rows: I,
    key_columns: usize,
    row: PhantomData<fn() -> R>,
}

impl<R: Row, I: Iterator<Item = Result<R, SnapshotError>>> Iterator for Keyed<R, I> {
    type Item = Result<(Key, R), SnapshotError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.rows.next().map(|row| row.map(|row| (row.key_prefix(self.key_columns), row)))
    }
}

/// Two sorted tables side by side by their whole keys: left alone, right alone, or both.
pub struct Merged<L: Row, R: Row, I, J>
where
    I: Iterator<Item = Result<L, SnapshotError>>,
    J: Iterator<Item = Result<R, SnapshotError>>,
{
    left: Peekable<Keyed<L, I>>,
    right: Peekable<Keyed<R, J>>,
}

impl<L: Row, R: Row, I, J> Merged<L, R, I, J>
where
    I: Iterator<Item = Result<L, SnapshotError>>,
    J: Iterator<Item = Result<R, SnapshotError>>,
{
    /// Joins by the first `key_columns` columns of both sort keys, which name one row on each side. Both come in key
    /// order.
    pub fn new(left: I, right: J, key_columns: usize) -> Self {
        let left = Keyed { rows: left, key_columns, row: PhantomData }.peekable();
        let right = Keyed { rows: right, key_columns, row: PhantomData }.peekable();
        Self { left, right }
    }
}

impl<L: Row, R: Row, I, J> Iterator for Merged<L, R, I, J>
where
    I: Iterator<Item = Result<L, SnapshotError>>,
    J: Iterator<Item = Result<R, SnapshotError>>,
{
    type Item = Result<(Option<L>, Option<R>), SnapshotError>;

    fn next(&mut self) -> Option<Self::Item> {
        let order = match (self.left.peek(), self.right.peek()) {
            (None, None) => return None,
            (Some(Ok((left, _))), Some(Ok((right, _)))) => left.cmp(right),
            (Some(_), None) | (Some(Err(_)), _) => std::cmp::Ordering::Less,
            (None, Some(_)) | (_, Some(Err(_))) => std::cmp::Ordering::Greater,
        };
        let left = if order.is_le() { self.left.next().transpose() } else { Ok(None) };
        let right = if order.is_ge() { self.right.next().transpose() } else { Ok(None) };
        Some(left.and_then(|left| Ok((left.map(|(_, row)| row), right?.map(|(_, row)| row)))))
    }
}
