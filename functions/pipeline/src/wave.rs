//! Waves of the load, in the order of their dependencies.

use std::fmt;

/// A part of the load that opens only after the one before it was found right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wave {
    /// Customers with channels and values.
    Customers,
    /// Tickets of leads and of calls without lead.
    Leads,
    /// Tickets of chatbot conversations.
    Chats,
}

impl Wave {
    /// All waves in order.
    pub const ALL: [Self; 3] = [Self::Customers, Self::Leads, Self::Chats];

    /// Lower-case word, as in keys of the store.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Customers => "customers",
            Self::Leads => "leads",
            Self::Chats => "chats",
        }
    }

    /// Reads the word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|wave| wave.as_str() == word)
    }

    /// Whether a ticket with this word in its column `wave` belongs here.
    #[must_use]
    pub fn holds_tickets_of(self, word: &str) -> bool {
        match self {
            Self::Customers => false,
            Self::Leads => matches!(word, "lead" | "calls"),
            Self::Chats => word == "chat",
        }
    }

    /// The wave that must be found right before this one opens.
    #[must_use]
    pub fn before(self) -> Option<Self> {
        match self {
            Self::Customers => None,
            Self::Leads => Some(Self::Customers),
            Self::Chats => Some(Self::Leads),
        }
    }
}

impl fmt::Display for Wave {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}
