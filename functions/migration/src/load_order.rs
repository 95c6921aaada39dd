//! Which tickets come first within their wave: what agents need to work, then history.
//!
//! Open tickets first, then closed ones, each the newest first; equals in order of key. Deliberately absent: the records
//! themselves; an order is over keys alone, so that a plan made again is the same.

use std::cmp::{Ordering, Reverse};

use jiff::{SignedDuration, Timestamp};

/// What the place of a ticket depends on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TicketAge {
    /// Our key.
    pub key: String,
    /// Somebody still has to work on it.
    pub is_open: bool,
    /// When something last happened in it.
    pub last_at: Timestamp,
}

/// Which of two tickets is loaded first.
#[must_use]
pub fn compare(left: &TicketAge, right: &TicketAge) -> Ordering {
    place(left).cmp(&place(right))
}

/// Sorts tickets into the order of loading.
pub fn sort(tickets: &mut [TicketAge]) {
    tickets.sort_by(compare);
}

fn place(ticket: &TicketAge) -> (bool, Reverse<Timestamp>, &str) {
    (!ticket.is_open, Reverse(ticket.last_at), &ticket.key)
}

/// Of tickets in order, how many there are after which agents can start: the open ones, and what happened within `recent`
/// before the newest.
#[must_use]
pub fn needed_to_start(sorted: &[TicketAge], recent: SignedDuration) -> usize {
    let newest = sorted.iter().map(|ticket| ticket.last_at).max();
    let since = newest.and_then(|newest| newest.checked_sub(recent).ok());
    sorted.partition_point(|ticket| ticket.is_open || since.is_none_or(|since| ticket.last_at >= since))
}
