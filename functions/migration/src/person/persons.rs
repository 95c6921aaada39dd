//! The outcome of identity resolution, kept in sorted tables.

use std::fmt;

use super::{Key, MergeReason, email_key, phone_key, raw_number_key};
use crate::contact_point::{E164, Email};
use crate::leaddesk::ContactId;

/// A person: named by the smallest contact id of its contacts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PersonId(pub ContactId);

impl PersonId {
    /// The contact that names the person.
    #[must_use]
    pub fn contact(self) -> ContactId {
        self.0
    }
}

impl fmt::Display for PersonId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.0)
    }
}

/// A contact that became part of a person named by another contact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Merge {
    /// The person.
    pub person: PersonId,
    /// The contact, which does not name the person.
    pub member: ContactId,
    /// What joins it. Email is named when both do.
    pub reason: MergeReason,
    /// Another contact with the same key: the smallest.
    pub linked_to: ContactId,
}

/// Who has a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PhoneOwner {
    /// No contact.
    Nobody,
    /// Exactly one person.
    One(PersonId),
    /// Several; the smallest is named.
    Several(PersonId),
}

impl PhoneOwner {
    /// The person that may carry the number where only one can.
    #[must_use]
    pub fn first(self) -> Option<PersonId> {
        match self {
            Self::Nobody => None,
            Self::One(person) | Self::Several(person) => Some(person),
        }
    }
}

/// No link yet.
const UNLINKED: u64 = 0;

/// Which contact belongs to which person. Tables are sorted; every look-up is a binary search.
#[derive(Debug, Clone)]
pub struct Persons {
    /// Contact ids, ascending, each once.
    contacts: Vec<u64>,
    /// For each contact the index of the contact that names its person.
    roots: Vec<u32>,
    /// For each contact what joins it and with whom; only members of a person of several are linked.
    links: Vec<(u64, MergeReason)>,
    /// (root index, contact index) of persons that have several contacts, ascending.
    groups: Vec<(u32, u32)>,
    /// Fingerprint of an address and root index, ascending.
    emails: Vec<(u128, u32)>,
    /// Fingerprint of a number and root index, ascending.
    phones: Vec<(u128, u32)>,
    persons: usize,
}

impl Persons {
    pub(super) fn build(
        mut contacts: Vec<u64>,
        mut emails: Vec<Key>,
        mut phones_with_name: Vec<Key>,
        phones: Vec<Key>,
    ) -> Self {
        contacts.sort_unstable();
        contacts.dedup();
        contacts.shrink_to_fit();
        let mut joined = Joined::new(&contacts);
        joined.join(&mut emails, MergeReason::Email);
        joined.join(&mut phones_with_name, MergeReason::PhoneAndName);
        drop(phones_with_name);
        let (roots, links) = joined.finish();

        let mut groups: Vec<(u32, u32)> = (0_u32..)
            .zip(&roots)
            .filter(|(index, _)| links[*index as usize].0 != UNLINKED)
            .map(|(index, root)| (*root, index))
            .collect();
        groups.sort_unstable();
        let persons = (0_u32..).zip(&roots).filter(|(index, root)| index == *root).count();
        let emails = by_root(&contacts, &roots, emails);
        let phones = by_root(&contacts, &roots, phones);
        Self { contacts, roots, links, groups, emails, phones, persons }
    }

    fn index_of(&self, contact: ContactId) -> Option<usize> {
        self.contacts.binary_search(&contact.0).ok()
    }

    fn named(&self, root: u32) -> PersonId {
        PersonId(ContactId(self.contacts[root as usize]))
    }

    /// The person of a contact; `None` for a contact that was never added.
    #[must_use]
    pub fn person_of(&self, contact: ContactId) -> Option<PersonId> {
        self.index_of(contact).map(|index| self.named(self.roots[index]))
    }

    /// Its contacts, smallest first; empty for an unknown person.
    #[must_use]
    pub fn members(&self, person: PersonId) -> Vec<ContactId> {
        let Some(index) = self.index_of(person.0) else { return Vec::new() };
        if self.roots[index] as usize != index {
            return Vec::new();
        }
        if self.links[index].0 == UNLINKED {
            return vec![person.0];
        }
        let root = self.roots[index];
        let start = self.groups.partition_point(|(other, _)| *other < root);
        self.groups[start..]
            .iter()
            .take_while(|(other, _)| *other == root)
            .map(|(_, member)| ContactId(self.contacts[*member as usize]))
            .collect()
    }

    /// Every contact that does not name its person, in order of person, then of contact.
    #[must_use]
    pub fn merges(&self) -> Merges<'_> {
        Merges { persons: self, next: 0 }
    }

    /// Persons in ascending order.
    pub fn iter(&self) -> impl Iterator<Item = PersonId> + '_ {
        (0_u32..).zip(&self.roots).filter(|(index, root)| index == *root).map(|(index, _)| self.named(index))
    }

    /// Number of persons.
    #[must_use]
    pub fn count(&self) -> usize {
        self.persons
    }

    /// Number of contacts.
    #[must_use]
    pub fn contact_count(&self) -> usize {
        self.contacts.len()
    }

    /// The person with this address. Addresses join persons, so there is at most one.
    #[must_use]
    pub fn person_by_email(&self, email: &Email) -> Option<PersonId> {
        owners(&self.emails, email_key(email)).first().map(|(_, root)| self.named(*root))
    }

    /// Who has this number.
    #[must_use]
    pub fn owner_of_phone(&self, phone: &E164) -> PhoneOwner {
        self.owner(phone_key(phone))
    }

    /// Who has this number, which cannot be normalised; compared by its digits.
    #[must_use]
    pub fn owner_of_raw_number(&self, number: &str) -> PhoneOwner {
        self.owner(raw_number_key(number))
    }

    fn owner(&self, key: u128) -> PhoneOwner {
        match owners(&self.phones, key) {
            [] => PhoneOwner::Nobody,
            [(_, root)] => PhoneOwner::One(self.named(*root)),
            [(_, root), ..] => PhoneOwner::Several(self.named(*root)),
        }
    }
}

fn owners(table: &[(u128, u32)], key: u128) -> &[(u128, u32)] {
    let start = table.partition_point(|(other, _)| *other < key);
    let length = table[start..].partition_point(|(other, _)| *other == key);
    &table[start..start + length]
}

fn by_root(contacts: &[u64], roots: &[u32], keys: Vec<Key>) -> Vec<(u128, u32)> {
    let mut table: Vec<(u128, u32)> = keys
        .into_iter()
        .filter_map(|(key, contact)| contacts.binary_search(&contact).ok().map(|index| (key, roots[index])))
        .collect();
    table.sort_unstable();
    table.dedup();
    table.shrink_to_fit();
    table
}

/// Walks all merges.
#[derive(Debug, Clone)]
pub struct Merges<'a> {
    persons: &'a Persons,
    next: usize,
}

impl Iterator for Merges<'_> {
    type Item = Merge;

    fn next(&mut self) -> Option<Merge> {
        loop {
            let (root, member) = *self.persons.groups.get(self.next)?;
            self.next += 1;
            if root != member {
                let (linked_to, reason) = self.persons.links[member as usize];
                return Some(Merge {
                    person: self.persons.named(root),
                    member: ContactId(self.persons.contacts[member as usize]),
                    reason,
                    linked_to: ContactId(linked_to),
                });
            }
        }
    }
}

/// Union-find over contact indexes in which the smaller index always names the union.
struct Joined<'a> {
    contacts: &'a [u64],
    parents: Vec<u32>,
    links: Vec<(u64, MergeReason)>,
}

impl<'a> Joined<'a> {
    fn new(contacts: &'a [u64]) -> Self {
        let count = u32::try_from(contacts.len())
            .expect("LeadDesk accounts hold far fewer than four milliard contacts");
        Self {
            contacts,
            parents: (0..count).collect(),
            links: vec![(UNLINKED, MergeReason::PhoneAndName); contacts.len()],
        }
    }

    fn root(&mut self, mut index: u32) -> u32 {
        while self.parents[index as usize] != index {
            let grandparent = self.parents[self.parents[index as usize] as usize];
            self.parents[index as usize] = grandparent;
            index = grandparent;
        }
        index
    }

    fn join(&mut self, keys: &mut Vec<Key>, reason: MergeReason) {
        keys.sort_unstable();
        keys.dedup();
        for group in keys.chunk_by(|left, right| left.0 == right.0).filter(|group| group.len() > 1) {
            let smallest = group[0].1;
            for (position, (_, contact)) in group.iter().enumerate() {
                let partner = if position == 0 { group[1].1 } else { smallest };
                self.link(*contact, partner, reason);
                self.unite(smallest, *contact);
            }
        }
    }

    fn link(&mut self, contact: u64, partner: u64, reason: MergeReason) {
        let Ok(index) = self.contacts.binary_search(&contact) else { return };
        let link = &mut self.links[index];
        // Email comes first, then the smallest partner: independent of the order of keys.
        if link.0 == UNLINKED || (reason, partner) < (link.1, link.0) {
            *link = (partner, reason);
        }
    }

    fn unite(&mut self, left: u64, right: u64) {
        let (Ok(left), Ok(right)) = (self.contacts.binary_search(&left), self.contacts.binary_search(&right))
        else {
            return;
        };
        let (Ok(left), Ok(right)) = (u32::try_from(left), u32::try_from(right)) else { return };
        let (left, right) = (self.root(left), self.root(right));
        let (smaller, larger) = (left.min(right), left.max(right));
        self.parents[larger as usize] = smaller;
    }

    fn finish(mut self) -> (Vec<u32>, Vec<(u64, MergeReason)>) {
        let roots = (0..self.parents.len())
            .filter_map(|index| u32::try_from(index).ok())
            .map(|index| self.root(index));
        let roots: Vec<u32> = roots.collect();
        (roots, self.links)
    }
}
