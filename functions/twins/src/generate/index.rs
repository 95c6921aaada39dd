//! Look-up tables over an account: by raw number, dialled number, address, national id, list and contact.
//!
//! Deliberately absent: the texts themselves. Tables hold hashes and positions; whoever looks something up compares the
//! computed text, so that two texts of one hash cannot be mixed up.

use crate::generate::chance::{hash_text, narrow};
use crate::generate::contact::{ContactRecord, NO_LIST};

/// Positions by hash, sorted.
#[derive(Debug, Clone, Default)]
pub(crate) struct ByText(Vec<(u64, u32)>);

impl ByText {
    pub(crate) fn add(&mut self, text: &str, position: u32) {
        if !text.is_empty() {
            self.0.push((hash_text(text), position));
        }
    }

    pub(crate) fn seal(&mut self) {
        self.0.sort_unstable();
        self.0.dedup();
        self.0.shrink_to_fit();
    }

    /// Candidates, ascending; some may only share the hash.
    pub(crate) fn candidates(&self, text: &str) -> impl Iterator<Item = u32> {
        let hash = hash_text(text);
        let from = self.0.partition_point(|(other, _)| *other < hash);
        self.0[from..].iter().take_while(move |(other, _)| *other == hash).map(|(_, position)| *position)
    }
}

/// Members by group: one vector of members and where each group's part begins.
#[derive(Debug, Clone, Default)]
pub(crate) struct Grouped {
    begins: Vec<u32>,
    members: Vec<u32>,
}

impl Grouped {
    /// `groups_of(member)` names the groups of each of `0..members`; members of a group stay ascending.
    pub(crate) fn new<G: Iterator<Item = usize>>(
        groups: usize,
        members: u32,
        groups_of: impl Fn(u32) -> G,
    ) -> Self {
        let mut begins = vec![0_u32; groups + 1];
        for member in 0..members {
            for group in groups_of(member) {
                begins[group + 1] += 1;
            }
        }
        for group in 0..groups {
            begins[group + 1] += begins[group];
        }
        let mut next = begins.clone();
        let mut placed = vec![0_u32; begins[groups] as usize];
        for member in 0..members {
            for group in groups_of(member) {
                placed[next[group] as usize] = member;
                next[group] += 1;
            }
        }
        Self { begins, members: placed }
    }

    pub(crate) fn of(&self, group: usize) -> &[u32] {
        match (self.begins.get(group), self.begins.get(group + 1)) {
            (Some(from), Some(to)) => &self.members[*from as usize..*to as usize],
            _ => &[],
        }
    }
}

/// All tables of an account.
#[derive(Debug, Clone, Default)]
pub(crate) struct Index {
    /// Contacts by each raw number.
    pub(crate) raw: ByText,
    /// Contacts by each number as calls show it.
    pub(crate) dialled: ByText,
    pub(crate) emails: ByText,
    pub(crate) sscs: ByText,
    /// Calls without contact, by number.
    pub(crate) strangers: ByText,
    /// Contacts by list.
    pub(crate) lists: Grouped,
    /// Calls by contact.
    pub(crate) calls: Grouped,
}

/// Contacts by list, without the deleted ones.
pub(crate) fn by_list(contacts: &[ContactRecord], lists: usize) -> Grouped {
    Grouped::new(lists, narrow(contacts.len()), |position| {
        let contact = contacts[position as usize];
        contact.lists.into_iter().filter(move |list| contact.alive && *list != NO_LIST).map(usize::from)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_keep_their_members_in_order() {
        let grouped =
            Grouped::new(3, 7, |member| [member as usize % 2].into_iter().chain((member == 4).then_some(2)));
        assert_eq!(grouped.of(0), [0, 2, 4, 6]);
        assert_eq!(grouped.of(1), [1, 3, 5]);
        assert_eq!(grouped.of(2), [4]);
        assert!(grouped.of(3).is_empty());
    }

    #[test]
    fn texts_are_found_under_their_own_hash() {
        let mut table = ByText::default();
        for (text, position) in [("b", 2), ("a", 1), ("b", 0), ("", 9)] {
            table.add(text, position);
        }
        table.seal();
        assert_eq!(table.candidates("b").collect::<Vec<_>>(), [0, 2]);
        assert_eq!(table.candidates("").count(), 0);
    }
}
