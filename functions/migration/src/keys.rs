//! Keys that link a source record to what was made of it. Derived, never drawn.

use std::fmt;

use crate::leaddesk::{CallId, ContactId, LeadId};

/// Longest external id that Gorgias keeps, in characters.
pub const EXTERNAL_ID_CHARS_MAX: usize = 255;

/// `external_id` of what we create in Gorgias, such as `leaddesk:contact:123`. Same source key, same id, in every run.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExternalId(String);

impl ExternalId {
    /// Prefix of everything that this tool creates.
    pub const PREFIX: &'static str = "leaddesk:";

    /// Customer of a person: the smallest contact id of the person names it.
    #[must_use]
    pub fn customer(contact: ContactId) -> Self {
        Self(format!("leaddesk:contact:{contact}"))
    }

    /// Placeholder customer of a phone number that belongs to no contact. `number` is the normalised number.
    #[must_use]
    pub fn number(number: &str) -> Self {
        Self::bounded("leaddesk:number:", number)
    }

    /// Placeholder customer for one conversation without identity.
    #[must_use]
    pub fn visitor(conversation: &str) -> Self {
        Self::bounded("leaddesk:visitor:", conversation)
    }

    /// Ticket of a lead.
    #[must_use]
    pub fn lead(lead: LeadId) -> Self {
        Self(format!("leaddesk:lead:{lead}"))
    }

    /// Ticket for the calls of a customer that belong to no lead.
    #[must_use]
    pub fn calls_without_lead(customer: &ExternalId) -> Self {
        Self::bounded(
            "leaddesk:calls:",
            customer.as_str().strip_prefix(Self::PREFIX).unwrap_or(customer.as_str()),
        )
    }

    /// Ticket of a chatbot conversation.
    #[must_use]
    pub fn chat(conversation: &str) -> Self {
        Self::bounded("leaddesk:chat:", conversation)
    }

    /// Message of a call.
    #[must_use]
    pub fn call(call: CallId) -> Self {
        Self(format!("leaddesk:call:{call}"))
    }

    /// First message of a lead's ticket.
    #[must_use]
    pub fn lead_card(lead: LeadId) -> Self {
        Self(format!("leaddesk:card:{lead}"))
    }

    /// Message of a conversation.
    #[must_use]
    pub fn chat_message(conversation: &str, message: &str) -> Self {
        // The length in front keeps two different pairs from meeting in one text.
        Self::bounded("leaddesk:chatmessage:", &format!("{}:{conversation}:{message}", conversation.len()))
    }

    /// Takes a stored id back; any text is accepted.
    #[must_use]
    pub fn from_stored(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Injective and at most [`EXTERNAL_ID_CHARS_MAX`] characters: a long rest is replaced by its SHA-256.
    fn bounded(prefix: &str, rest: &str) -> Self {
        use sha2::{Digest, Sha256};
        if prefix.len() + rest.chars().count() <= EXTERNAL_ID_CHARS_MAX && !rest.starts_with("sha256=") {
            return Self(format!("{prefix}{rest}"));
        }
        let digest = Sha256::digest(rest.as_bytes());
        let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        Self(format!("{prefix}sha256={hex}"))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ExternalId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// `external_id` of a custom field definition, such as `leaddesk:field:other7:campaign-12` or `leaddesk:field:disposition`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FieldKey(pub String);

/// Key of a Gorgias team: `office:<name>` or `group:<id>`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TeamKey(pub String);

impl fmt::Display for FieldKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl fmt::Display for TeamKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}
