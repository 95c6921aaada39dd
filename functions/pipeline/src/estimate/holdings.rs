//! How much Gorgias holds already, as far as a few minutes of reading tell.
//!
//! Lists tell no totals, so their pages are counted, up to a bound. Reads only.

use std::collections::BTreeSet;

use migration::text::folded;

use crate::context::Context;
use crate::ports::gorgias::{Cursor, ReadError};

/// Pages of one list that are read: twenty thousand records, less than two minutes at two requests a second.
const PAGES_MAX: usize = 200;

/// What is there.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Holdings {
    /// Customers that were counted.
    pub(super) customers: u64,
    /// Whether those are all.
    pub(super) has_all_customers: bool,
    /// Addresses of those who carry no key of another tool, for comparison.
    pub(super) free_emails: BTreeSet<String>,
    /// Tickets that were counted.
    pub(super) tickets: u64,
    /// Their messages, as far as the list tells.
    pub(super) messages: u64,
    /// Whether those are all.
    pub(super) has_all_tickets: bool,
}

/// Counts.
///
/// # Errors
/// What Gorgias says.
pub(super) async fn look(ctx: &Context) -> Result<Holdings, ReadError> {
    let mut held = Holdings::default();
    let mut cursor: Option<Cursor> = None;
    for _ in 0..PAGES_MAX {
        let page = ctx.destination.customers(cursor.as_ref()).await?;
        for raw in page.records {
            held.customers += 1;
            let is_free = raw.record.external_id.as_deref().is_none_or(str::is_empty);
            held.free_emails.extend(raw.record.email.filter(|_| is_free).map(|email| folded(&email)));
        }
        cursor = page.next;
        if cursor.is_none() {
            held.has_all_customers = true;
            break;
        }
    }
    let mut cursor: Option<Cursor> = None;
    for _ in 0..PAGES_MAX {
        let page = ctx.destination.tickets(cursor.as_ref()).await?;
        for raw in page.records {
            held.tickets += 1;
            held.messages +=
                raw.record.message_count.and_then(|count| u64::try_from(count).ok()).unwrap_or(0);
        }
        cursor = page.next;
        if cursor.is_none() {
            held.has_all_tickets = true;
            break;
        }
    }
    Ok(held)
}
