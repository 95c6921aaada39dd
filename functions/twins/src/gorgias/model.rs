//! The records of an account, kept small: two hundred thousand tickets with a million messages are a normal account.
//!
//! Deliberately absent: how records look on the wire; see `shapes`.

use std::sync::Arc;

use serde_json::Value;

use super::clock::Instant;

/// A word of a small vocabulary, stored once for all records that use it.
pub(crate) type Word = Arc<str>;

/// Who made a record. What the client under test did not make, it must not delete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    Preexisting,
    Client,
    Person,
}

/// An agent.
#[derive(Debug, Clone)]
pub(crate) struct User {
    pub(crate) id: u64,
    pub(crate) email: String,
    pub(crate) name: String,
    pub(crate) role: String,
    pub(crate) external_id: Option<String>,
    pub(crate) bio: Option<String>,
    pub(crate) country: Option<String>,
    pub(crate) language: Option<String>,
    pub(crate) timezone: String,
    pub(crate) sso: Option<String>,
    pub(crate) picture: Option<String>,
    pub(crate) created: Instant,
    pub(crate) updated: Instant,
    pub(crate) owner: bool,
}

/// An address of a customer.
#[derive(Debug, Clone)]
pub(crate) struct Channel {
    pub(crate) id: u64,
    pub(crate) kind: Word,
    pub(crate) address: Box<str>,
    pub(crate) preferred: bool,
    pub(crate) created: Instant,
    pub(crate) updated: Instant,
}

/// Values of custom fields by field id, sorted by it.
pub(crate) type Values = Vec<(u64, Value)>;

/// A customer.
#[derive(Debug, Clone)]
pub(crate) struct Customer {
    pub(crate) id: u64,
    pub(crate) external_id: Option<Box<str>>,
    pub(crate) email: Option<Box<str>>,
    pub(crate) name: Option<Box<str>>,
    pub(crate) language: Option<Box<str>>,
    pub(crate) timezone: Option<Box<str>>,
    pub(crate) note: Option<Box<str>>,
    pub(crate) channels: Vec<Channel>,
    pub(crate) values: Values,
    pub(crate) custom: Option<Box<CustomerData>>,
    /// How the name came to be known: `agent` for the API and people, `email` for what mail headers told.
    pub(crate) name_set_via: Option<&'static str>,
    pub(crate) created: Instant,
    pub(crate) updated: Instant,
    /// When it was stored, which `list_lag_seconds` counts from.
    pub(crate) stored: Instant,
    pub(crate) origin: Origin,
}

/// The free JSON of a customer and its version.
#[derive(Debug, Clone)]
pub(crate) struct CustomerData {
    pub(crate) value: Value,
    pub(crate) version: Option<Instant>,
}

/// A team of users.
#[derive(Debug, Clone)]
pub(crate) struct Team {
    pub(crate) id: u64,
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) emoji: Option<String>,
    pub(crate) members: Vec<u64>,
    pub(crate) created: Instant,
    pub(crate) origin: Origin,
}

/// A tag.
#[derive(Debug, Clone)]
pub(crate) struct Tag {
    pub(crate) id: u64,
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) color: String,
    pub(crate) usage: u64,
    pub(crate) created: Instant,
    pub(crate) origin: Origin,
}

/// What a custom field belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum ObjectType {
    Ticket,
    Customer,
}

impl ObjectType {
    pub(crate) const NAMES: [&'static str; 2] = ["Ticket", "Customer"];

    pub(crate) fn named(name: &str) -> Self {
        if name == "Customer" { Self::Customer } else { Self::Ticket }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ticket => "Ticket",
            Self::Customer => "Customer",
        }
    }
}

/// The definition of a custom field.
#[derive(Debug, Clone)]
pub(crate) struct Field {
    pub(crate) id: u64,
    pub(crate) external_id: Option<String>,
    pub(crate) object: ObjectType,
    pub(crate) label: String,
    pub(crate) description: Option<String>,
    pub(crate) priority: i64,
    pub(crate) required: bool,
    pub(crate) requirement: &'static str,
    pub(crate) managed: Option<&'static str>,
    /// Checked when stored: `data_type` and `input_settings` as the client sent them.
    pub(crate) definition: Value,
    pub(crate) created: Instant,
    pub(crate) updated: Instant,
    pub(crate) deactivated: Option<Instant>,
    pub(crate) origin: Origin,
}

/// A ticket.
#[derive(Debug, Clone)]
pub(crate) struct Ticket {
    pub(crate) id: u64,
    pub(crate) external_id: Option<Box<str>>,
    pub(crate) status: &'static str,
    pub(crate) priority: &'static str,
    pub(crate) channel: Word,
    pub(crate) via: Word,
    pub(crate) from_agent: bool,
    pub(crate) spam: bool,
    pub(crate) imported: bool,
    pub(crate) unread: bool,
    pub(crate) customer: Option<u64>,
    pub(crate) assignee_user: Option<u64>,
    pub(crate) assignee_team: Option<u64>,
    pub(crate) language: Option<Box<str>>,
    pub(crate) subject: Option<Box<str>>,
    pub(crate) meta: Option<Box<Value>>,
    pub(crate) tags: Vec<u64>,
    pub(crate) values: Values,
    /// In the order of `created_datetime` and id.
    pub(crate) messages: Vec<u64>,
    pub(crate) survey: Option<u64>,
    pub(crate) times: TicketTimes,
    /// When it was stored, which `list_lag_seconds` counts from.
    pub(crate) stored: Instant,
    pub(crate) origin: Origin,
}

/// The many instants of a ticket.
#[derive(Debug, Clone)]
pub(crate) struct TicketTimes {
    pub(crate) created: Instant,
    pub(crate) updated: Instant,
    pub(crate) opened: Option<Instant>,
    pub(crate) closed: Option<Instant>,
    pub(crate) trashed: Option<Instant>,
    pub(crate) snoozed_until: Option<Instant>,
    pub(crate) last_message: Option<Instant>,
    pub(crate) last_received: Option<Instant>,
}

/// A message of a ticket.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    pub(crate) id: u64,
    pub(crate) ticket: u64,
    pub(crate) external_id: Option<Box<str>>,
    pub(crate) channel: Word,
    pub(crate) via: Word,
    pub(crate) from_agent: bool,
    pub(crate) public: bool,
    pub(crate) imported: bool,
    /// The server attached its guess of what the customer wants.
    pub(crate) intent: bool,
    pub(crate) sender: Option<u64>,
    pub(crate) receiver: Option<u64>,
    pub(crate) body_text: Option<Box<str>>,
    pub(crate) body_html: Option<Box<str>>,
    pub(crate) subject: Option<Box<str>>,
    pub(crate) created: Instant,
    pub(crate) sent: Option<Instant>,
    pub(crate) stored: Instant,
    /// What most messages do not have.
    pub(crate) rare: Option<Box<Rare>>,
    pub(crate) origin: Origin,
}

/// The seldom given parts of a message.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Rare {
    pub(crate) message_id: Option<Box<str>>,
    pub(crate) stripped_text: Option<Box<str>>,
    pub(crate) stripped_html: Option<Box<str>>,
    pub(crate) stripped_signature: Option<Box<str>>,
    pub(crate) source: Option<Value>,
    pub(crate) attachments: Vec<Value>,
    pub(crate) macros: Vec<Value>,
    pub(crate) actions: Option<Value>,
    pub(crate) headers: Option<Value>,
    pub(crate) meta: Option<Value>,
    pub(crate) integration_id: Option<u64>,
    pub(crate) rule_id: Option<u64>,
    pub(crate) last_sending_error: Option<Value>,
    pub(crate) opened: Option<Instant>,
    pub(crate) failed: Option<Instant>,
    pub(crate) deleted: Option<Instant>,
}

/// First and last token of a name, as the server splits it: the middle is in neither (facts: customers).
pub(crate) fn split_name(name: &str) -> (&str, &str) {
    let mut tokens = name.split_whitespace();
    let first = tokens.next().unwrap_or_default();
    (first, tokens.next_back().unwrap_or_default())
}

/// The form of an address under which it must be unique.
pub(crate) fn normal_address(kind: &str, address: &str) -> String {
    let trimmed = address.trim();
    match kind {
        "email" => trimmed.to_lowercase(),
        "phone" | "whatsapp" => {
            let digits: String =
                trimmed.chars().filter(|letter| letter.is_ascii_digit() || *letter == '+').collect();
            match digits.strip_prefix("00") {
                _ if digits.is_empty() => trimmed.to_owned(),
                Some(rest) => format!("+{rest}"),
                None => digits,
            }
        }
        _ => trimmed.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lose_their_middle() {
        assert_eq!(split_name("Test Middle Customer"), ("Test", "Customer"));
        assert_eq!(split_name("Single"), ("Single", ""));
        assert_eq!(split_name("  "), ("", ""));
    }

    #[test]
    fn addresses_are_compared_in_one_form() {
        let check = |kind, address, normal| assert_eq!(normal_address(kind, address), normal, "{address}");
        check("email", " Ann@Example.ORG ", "ann@example.org");
        check("phone", "+358 (40) 123-4567", "+358401234567");
        check("phone", "00358401234567", "+358401234567");
        check("phone", "0401234567", "0401234567");
        check("twitter", " @Ann ", "@Ann");
    }
}
