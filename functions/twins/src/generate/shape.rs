//! How large a generated account is, and what it must hold.
//!
//! Deliberately absent: proportions. How many calls go unanswered or which share of people has an address is part of
//! the generator and not a wish.

/// The smallest counts into which every planted oddity fits.
const FLOOR: [(&str, u32); 8] = [
    ("contacts", 40),
    ("calls", 40),
    ("agents", 10),
    ("offices", 1),
    ("groups", 2),
    ("campaigns", 3),
    ("lists", 4),
    ("conversations", 4),
];

/// Bounds that keep every id in the generator's 32 bits with room to grow.
const CEILING: u32 = 20_000_000;

/// Bounds of the tables of the organisation.
const TABLE_CEILING: u32 = 5_000;

/// The wished size of an account. Equal shapes give equal accounts, byte by byte.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shape {
    /// Everything is drawn from this.
    pub seed: u64,
    /// Distinct contact ids.
    pub contacts: u32,
    /// Of a thousand contacts, how many belong to a person who has another one in some other list.
    pub repeats_permille: u32,
    /// Pairs of list and contact, from `contacts` to twice as many: what is above `contacts` are ids in two lists.
    pub leads: u32,
    /// Calls of the whole account, with and without contact.
    pub calls: u32,
    /// User accounts of all roles, agents being most of them.
    pub agents: u32,
    /// Offices, each with a time zone.
    pub offices: u32,
    /// Agent groups; with two or more and any office, one of them is named like an office.
    pub groups: u32,
    /// Campaigns, which LeadDesk also calls projects.
    pub campaigns: u32,
    /// Sponsors above the campaigns.
    pub sponsors: u32,
    /// Calling lists, spread over the campaigns.
    pub lists: u32,
    /// Chatbot conversations.
    pub conversations: u32,
    /// Chatbot messages in all conversations together, each counted once; at least two per conversation.
    pub messages: u32,
    /// So many of the calls go to one contact; above 500 they do not fit one request at the destination.
    pub busiest_calls: u32,
    /// Whether everything that usually goes wrong is planted; then the counts have small lower bounds.
    pub trouble: bool,
    /// Whether one export row has 13 columns instead of 14. Only with `trouble`.
    pub short_row: bool,
}

/// A shape that cannot be generated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ShapeError {
    /// Trouble is wished and does not fit.
    #[error("an account with planted trouble needs at least {floor} {what}, not {wished}")]
    TooSmall {
        /// The count in question.
        what: &'static str,
        /// The smallest possible value.
        floor: u32,
        /// What was asked for.
        wished: u32,
    },
    /// Ids would overflow.
    #[error("an account holds at most {ceiling} {what}, not {wished}")]
    TooLarge {
        /// The count in question.
        what: &'static str,
        /// The largest possible value.
        ceiling: u32,
        /// What was asked for.
        wished: u32,
    },
    /// Counts that contradict each other.
    #[error("{what}")]
    Contradiction {
        /// What cannot be.
        what: &'static str,
    },
}

impl Shape {
    /// The account of the demonstration.
    pub fn demo() -> Self {
        Self {
            seed: 1,
            contacts: 1_200,
            repeats_permille: 70,
            leads: 1_500,
            calls: 4_000,
            agents: 24,
            offices: 3,
            groups: 5,
            campaigns: 4,
            sponsors: 2,
            lists: 8,
            conversations: 120,
            messages: 960,
            busiest_calls: 0,
            trouble: true,
            short_row: true,
        }
    }

    /// The demonstration's account grown to so many contacts (each one lead) and calls; the organisation grows along.
    pub fn with_size(contacts: u32, calls: u32) -> Self {
        Self {
            contacts,
            leads: contacts,
            calls,
            agents: 24 + (contacts / 2_000).min(476),
            lists: 8 + (contacts / 5_000).min(492),
            ..Self::demo()
        }
    }

    /// The same shape with another seed.
    #[must_use]
    pub fn seeded(self, seed: u64) -> Self {
        Self { seed, ..self }
    }

    pub(crate) fn check(&self) -> Result<(), ShapeError> {
        for (what, wished) in self.records() {
            if wished > CEILING {
                return Err(ShapeError::TooLarge { what, ceiling: CEILING, wished });
            }
        }
        for (what, wished) in self.tables() {
            if wished > TABLE_CEILING {
                return Err(ShapeError::TooLarge { what, ceiling: TABLE_CEILING, wished });
            }
        }
        self.check_relations()?;
        if !self.trouble {
            return Ok(());
        }
        for (what, floor) in FLOOR {
            let wished = self.count(what);
            if wished < floor {
                return Err(ShapeError::TooSmall { what, floor, wished });
            }
        }
        Ok(())
    }

    fn check_relations(&self) -> Result<(), ShapeError> {
        let contradictions = [
            (
                self.leads < self.contacts,
                "every contact is a lead of its list, so leads cannot be fewer than contacts",
            ),
            (self.leads > self.contacts.saturating_mul(2), "a contact is in two lists at most"),
            (self.leads > self.contacts && self.lists < 2, "contacts in two lists need two lists"),
            (self.contacts > 0 && self.lists == 0, "contacts need a list"),
            (self.lists > 0 && self.campaigns == 0, "lists need a campaign"),
            (
                self.messages < self.conversations.saturating_mul(2),
                "a conversation has at least two messages",
            ),
            (self.conversations == 0 && self.messages > 0, "messages need a conversation"),
            (self.busiest_calls > self.calls, "one contact cannot have more calls than the account"),
            (self.busiest_calls > 0 && self.contacts == 0, "the busiest contact needs a contact"),
        ];
        match contradictions.into_iter().find(|(holds, _)| *holds) {
            Some((_, what)) => Err(ShapeError::Contradiction { what }),
            None => Ok(()),
        }
    }

    fn records(&self) -> [(&'static str, u32); 5] {
        [
            ("contacts", self.contacts),
            ("leads", self.leads),
            ("calls", self.calls),
            ("conversations", self.conversations),
            ("messages", self.messages),
        ]
    }

    fn tables(&self) -> [(&'static str, u32); 6] {
        [
            ("agents", self.agents),
            ("offices", self.offices),
            ("groups", self.groups),
            ("campaigns", self.campaigns),
            ("sponsors", self.sponsors),
            ("lists", self.lists),
        ]
    }

    fn count(&self, wanted: &str) -> u32 {
        self.records()
            .into_iter()
            .chain(self.tables())
            .find(|(what, _)| *what == wanted)
            .map_or(0, |(_, count)| count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_are_checked() {
        let check = |change: fn(&mut Shape)| {
            let mut shape = Shape::demo();
            change(&mut shape);
            shape.check().map_err(|error| error.to_string())
        };
        assert_eq!(check(|_| ()), Ok(()));
        type Change = fn(&mut Shape);
        let refused: [(Change, &str); 5] = [
            (|shape| shape.leads = 1_000, "fewer than contacts"),
            (|shape| shape.contacts = 10, "two lists at most"),
            (|shape| (shape.contacts, shape.leads) = (10, 10), "at least 40 contacts, not 10"),
            (|shape| shape.calls = CEILING + 1, "at most 20000000 calls"),
            (|shape| shape.agents = 9, "at least 10 agents"),
        ];
        for (change, expected) in refused {
            let text = check(change).unwrap_err();
            assert!(text.contains(expected), "{text}");
        }
        assert_eq!(check(|shape| (shape.contacts, shape.leads, shape.trouble) = (1, 1, false)), Ok(()));
    }
}
