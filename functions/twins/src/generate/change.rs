//! What happens in an account between two visits.
//!
//! Deliberately absent: an undo. A twin that should show the earlier state again is started again.

use serde::{Deserialize, Serialize};

use crate::generate::account::Account;
use crate::generate::call::NO_CONTACT;
use crate::generate::chance::{Chance, Stream, narrow, small};
use crate::generate::contact::{CONTACT_ID_FIRST, ContactRecord, NO_LIST};
use crate::generate::stamp::Stamp;
use crate::generate::trouble;

/// One change by the account's people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "snake_case", deny_unknown_fields)]
pub enum Change {
    /// A list is deleted or archived: it is no longer listed, nor are its contacts unless they are in another list.
    DeleteList {
        /// Its id.
        list_id: u32,
    },
    /// A contact leaves its first list for another.
    MoveContact {
        /// Its id; it stays the same.
        contact_id: u32,
        /// The new list.
        to_list_id: u32,
    },
    /// Only the update time of one number moves (facts: export column 10).
    TouchPhone {
        /// Whose number.
        contact_id: u32,
        /// Which: 0 for the primary.
        slot: u8,
        /// When.
        at: Stamp,
    },
    /// Somebody edits the comment of a card.
    EditComment {
        /// Whose card.
        contact_id: u32,
        /// The new text.
        comment: String,
        /// When.
        at: Stamp,
    },
    /// Somebody edits the card; what is not given stays.
    EditCard {
        /// Whose card.
        contact_id: u32,
        /// First name.
        #[serde(default)]
        fname: Option<String>,
        /// Last name.
        #[serde(default)]
        lname: Option<String>,
        /// The address.
        #[serde(default)]
        email: Option<String>,
        /// Raw numbers, the primary one first.
        #[serde(default)]
        phones: Option<Vec<String>>,
        /// When.
        at: Stamp,
    },
    /// An account of LeadDesk shows another name from now on, also in what happened before.
    RenameUser {
        /// Its id.
        user_id: u32,
        /// The new name.
        name: String,
    },
    /// An outcome is called otherwise from a moment on.
    RenameOutcome {
        /// Its id.
        outcome_id: u32,
        /// The new name.
        name: String,
        /// When.
        at: Stamp,
    },
    /// A contact is deleted; its calls stay.
    DeleteContact {
        /// Its id.
        contact_id: u32,
    },
    /// A new person is put into a list.
    AddContact {
        /// Which list.
        list_id: u32,
        /// When.
        at: Stamp,
    },
    /// An ordinary call is made or taken; not earlier than the account's last one.
    AddCall {
        /// To whom; without it the number is unknown.
        contact_id: Option<u32>,
        /// When.
        at: Stamp,
    },
}

/// A change that names something that is not there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChangeError {
    /// No such list, or it is gone already.
    #[error("there is no list {0}")]
    NoList(u32),
    /// No such contact, or it was deleted.
    #[error("there is no contact {0}")]
    NoContact(u32),
    /// No such account.
    #[error("there is no user {0}")]
    NoUser(u32),
    /// No such outcome.
    #[error("there is no outcome {0}")]
    NoOutcome(u32),
    /// The contact has fewer numbers, or none to call.
    #[error("contact {contact_id} has no number {slot}")]
    NoPhone {
        /// Whose number.
        contact_id: u32,
        /// Which.
        slot: u8,
    },
    /// Calls only ever follow each other.
    #[error("the last call is of {last}, so none can be added at {at}")]
    TooEarly {
        /// The present last call.
        last: Stamp,
        /// The wished time.
        at: Stamp,
    },
}

/// The later time begins on this day at the earliest, which is after every generated call.
fn later() -> Stamp {
    Stamp::civil(2026, 2, 16, 9, 0, 0)
}

impl Account {
    /// What happens until the later time, drawn from a seed: the planted changes, and edits, deletions, newcomers and
    /// calls in small shares. Can be drawn again from the changed account, for a still later time.
    pub fn later_changes(&self, seed: u64) -> Vec<Change> {
        let mut changes = Vec::new();
        let last_call = self.calls.last().map(|call| call.created_at);
        let last_touch = self.phone_updates.values().copied().max();
        let mut at = last_call.max(last_touch).map_or(later(), |last| last.max(later()));
        let mut next = || {
            at = at.plus(37);
            at
        };
        if self.shape.trouble {
            let contact_id = trouble::moved_contact();
            let moved = self.contact(contact_id).map(|contact| contact.list_ids);
            let elsewhere = moved.and_then(|present| self.lists().find(|list| !present.contains(&list.id)));
            changes.extend(elsewhere.map(|list| Change::MoveContact { contact_id, to_list_id: list.id }));
            let touched = self.contact(trouble::touched_contact()).map(|contact| contact.id);
            changes.extend(touched.map(|contact_id| Change::TouchPhone { contact_id, slot: 0, at: next() }));
        }
        let reserved = if self.shape.trouble { trouble::RESERVED } else { 0 };
        for position in self.positions().filter(|position| *position >= reserved) {
            let mut chance = Chance::of(seed, Stream::Later, u64::from(position));
            let contact_id = CONTACT_ID_FIRST + position;
            match chance.below(1000) {
                0..10 => {
                    let comment = format!("Updated remark {}", chance.below(1000));
                    changes.push(Change::EditComment { contact_id, comment, at: next() });
                }
                10..12 => changes.push(Change::DeleteContact { contact_id }),
                12..15 => {
                    let lists = self.contacts[position as usize].lists;
                    let list = &self.organisation.lists[usize::from(lists[0])];
                    let added = Change::AddContact { list_id: list.id, at: next() };
                    changes.extend(Some(added).filter(|_| !list.gone));
                }
                15..35 if self.contacts[position as usize].phones > 0 => {
                    changes.push(Change::AddCall { contact_id: Some(contact_id), at: next() });
                }
                _ => {}
            }
        }
        if self.shape.trouble {
            let doomed = self.list(trouble::doomed_list(self));
            changes.extend(doomed.map(|list| Change::DeleteList { list_id: list.id }));
        }
        changes
    }

    /// The account at the later time.
    ///
    /// # Panics
    /// Never: changes drawn from an account name only what is in it.
    #[must_use]
    pub fn at_later_time(&self, seed: u64) -> Self {
        let mut later = self.clone();
        later.apply(&self.later_changes(seed)).expect("drawn changes fit the account they were drawn from");
        later
    }

    /// Applies changes in order. Those before a failing one stay applied.
    ///
    /// # Errors
    /// When a change names something that is not there.
    pub fn apply(&mut self, changes: &[Change]) -> Result<(), ChangeError> {
        let applied = changes.iter().try_for_each(|change| self.apply_one(change));
        self.refresh();
        applied
    }

    fn apply_one(&mut self, change: &Change) -> Result<(), ChangeError> {
        match change {
            Change::DeleteList { list_id } => {
                let position = self.list_position(*list_id)?;
                self.organisation.lists[usize::from(position)].gone = true;
            }
            Change::MoveContact { contact_id, to_list_id } => {
                let position = self.contact_position(*contact_id)?;
                let list = self.list_position(*to_list_id)?;
                // A computed card depends on the list's labels; moving must not rewrite what people typed.
                let text = self.text_at(position);
                self.texts.insert(position, text);
                let record = &mut self.contacts[position as usize];
                if record.lists[1] == list {
                    record.lists = [list, NO_LIST];
                } else {
                    record.lists[0] = list;
                }
            }
            Change::TouchPhone { contact_id, slot, at } => {
                let position = self.contact_position(*contact_id)?;
                if usize::from(*slot) >= self.phones_at(position).len() {
                    return Err(ChangeError::NoPhone { contact_id: *contact_id, slot: *slot });
                }
                self.phone_updates.insert((position, *slot), *at);
            }
            Change::EditComment { contact_id, comment, at } => {
                let position = self.contact_position(*contact_id)?;
                let mut text = self.text_at(position);
                text.comment.clone_from(comment);
                self.texts.insert(position, text);
                self.contacts[position as usize].updated_at = *at;
            }
            Change::EditCard { contact_id, fname, lname, email, phones, at } => {
                let position = self.contact_position(*contact_id)?;
                let mut text = self.text_at(position);
                for (held, given) in
                    [(&mut text.fname, fname), (&mut text.lname, lname), (&mut text.email, email)]
                {
                    if let Some(given) = given {
                        held.clone_from(given);
                    }
                }
                if let Some(phones) = phones {
                    self.contacts[position as usize].phones = u8::try_from(phones.len()).unwrap_or(u8::MAX);
                    text.phones.clone_from(phones);
                }
                self.texts.insert(position, text);
                self.contacts[position as usize].updated_at = *at;
            }
            Change::RenameUser { user_id, name } => {
                let user = self.organisation.users.iter_mut().find(|user| user.id == *user_id);
                name.clone_into(&mut user.ok_or(ChangeError::NoUser(*user_id))?.name);
            }
            Change::RenameOutcome { outcome_id, name, at } => {
                let outcomes = &mut self.organisation.outcomes;
                let outcome = outcomes.iter_mut().find(|outcome| outcome.id == *outcome_id);
                let outcome = outcome.ok_or(ChangeError::NoOutcome(*outcome_id))?;
                let former = std::mem::replace(&mut outcome.name, name.clone());
                outcome.former_name = Some((*at, former));
            }
            Change::DeleteContact { contact_id } => {
                let position = self.contact_position(*contact_id)?;
                self.contacts[position as usize].alive = false;
            }
            Change::AddContact { list_id, at } => self.add_contact(self.list_position(*list_id)?, *at),
            Change::AddCall { contact_id, at } => self.add_call(*contact_id, *at)?,
        }
        Ok(())
    }

    fn list_position(&self, list_id: u32) -> Result<u16, ChangeError> {
        let position = self.organisation.lists.iter().position(|list| list.id == list_id && !list.gone);
        position.map(small).ok_or(ChangeError::NoList(list_id))
    }

    fn contact_position(&self, contact_id: u32) -> Result<u32, ChangeError> {
        self.position_of(contact_id).ok_or(ChangeError::NoContact(contact_id))
    }

    fn add_contact(&mut self, list: u16, updated_at: Stamp) {
        let person = self.persons;
        self.persons += 1;
        let (lists, finalised) = ([list, NO_LIST], [false; 2]);
        self.contacts.push(ContactRecord { person, updated_at, lists, finalised, phones: 1, alive: true });
    }

    fn add_call(&mut self, contact_id: Option<u32>, at: Stamp) -> Result<(), ChangeError> {
        if let Some(last) = self.calls.last().map(|call| call.created_at).filter(|last| *last > at) {
            return Err(ChangeError::TooEarly { last, at });
        }
        let contact = match contact_id {
            None => NO_CONTACT,
            Some(contact_id) => {
                let position = self.contact_position(contact_id)?;
                if self.contacts[position as usize].phones == 0 {
                    return Err(ChangeError::NoPhone { contact_id, slot: 0 });
                }
                position
            }
        };
        let sequence = narrow(self.calls.len());
        let mut chance = Chance::of(self.shape.seed, Stream::Calls, u64::from(sequence));
        self.calls.push(self.draw_call(sequence, contact, at, &mut chance));
        Ok(())
    }
}
