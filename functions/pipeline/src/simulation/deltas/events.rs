//! What happens in histories of deltas: changes at LeadDesk, and what people at Gorgias do around one delta.

use std::collections::BTreeSet;
use std::time::Duration;

use super::super::desk::{Books, LISTS, own_email};

/// Changes at LeadDesk, by their number.
pub(super) const CHANGES: [&str; 10] = [
    "desk_renames",
    "desk_gives_address",
    "desk_adds_card",
    "desk_calls",
    "desk_calls",
    "desk_moves",
    "desk_deletes",
    "desk_joins",
    "desk_parts",
    "desk_remarks",
];

/// What has to happen in histories: one that never does proves nothing about it.
pub const FIRED: [&str; 19] = [
    "desk_renames",
    "desk_gives_address",
    "desk_adds_card",
    "desk_calls",
    "desk_moves",
    "desk_deletes",
    "desk_joins",
    "desk_parts",
    "desk_remarks",
    "desk_while_writing",
    "person_between",
    "person_while_dead",
    "person_while_writing",
    "killed",
    "log_in_part",
    "taken_back",
    "kept_vanished",
    "tagged_vanished",
    "closed_vanished",
];

/// What people at Gorgias do around one delta.
#[derive(Default)]
pub(super) struct People {
    /// While a process lies dead.
    pub(super) while_dead: bool,
    /// So often while it writes.
    pub(super) while_writing: u64,
    /// And so long after one another.
    pub(super) pause: Duration,
}

/// One change at LeadDesk.
pub(in crate::simulation) fn change(books: &mut Books, kind: u64, contact: u64, other: u64, text: u64) {
    let minute = books.tick();
    let next = 1 + books.cards.len() as u64;
    let other_email = books.cards.get(&other).map(|card| card.email.clone());
    let Some(card) = books.cards.get_mut(&contact).filter(|card| card.is_alive) else { return };
    match kind {
        0 => card.lname = format!("Name{text}"),
        1 => card.email = format!("new{contact}x{text}@example.com"),
        2 => return books.add_card(next, LISTS[0]),
        3 | 4 => return books.add_call(contact),
        5 => {
            // From one list to the other.
            let there: BTreeSet<u32> = LISTS.into_iter().filter(|list| !card.lists.contains(list)).collect();
            if !there.is_empty() {
                card.lists = there;
            }
        }
        6 => {
            (card.is_alive, card.lists) = (false, BTreeSet::new());
            return;
        }
        7 => card.email = other_email.unwrap_or_default(),
        8 => card.email = own_email(contact),
        _ => card.comment = format!("Remark {text}"),
    }
    card.updated = minute;
}
