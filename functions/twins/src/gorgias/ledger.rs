//! The ledgers: what a careful migration must leave empty.
//!
//! They record effects that a real account would have had beyond its data: mails, invitations, fees, harm.
//! Deliberately absent: judging; a test or a report does that.

use serde::Serialize;

/// One recorded effect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// Account time, ISO-8601 UTC.
    pub at: String,
    /// What happened, in a fixed word: see the constants of [`codes`].
    pub code: &'static str,
    /// The ticket concerned.
    pub ticket_id: Option<u64>,
    /// The message concerned.
    pub message_id: Option<u64>,
    /// The user or customer concerned.
    pub person_id: Option<u64>,
    /// What a reader needs to find the cause: a rule's name, a route, a channel. Never a key or a message text.
    pub detail: String,
}

/// The words of [`Entry::code`].
pub mod codes {
    /// Outbox: an outgoing message without `sent_datetime`, which Gorgias sends (facts: sending rule).
    pub const MESSAGE_SENT: &str = "message-sent";
    /// Outbox: a rule answered a ticket.
    pub const RULE_REPLIED: &str = "rule-replied";
    /// Outbox: a satisfaction survey was scheduled or sent.
    pub const SURVEY_SCHEDULED: &str = "survey-scheduled";
    /// Outbox: an HTTP integration was called.
    pub const WEBHOOK_CALLED: &str = "webhook-called";
    /// Invitations: a user was created and invited by mail.
    pub const USER_INVITED: &str = "user-invited";
    /// Billing, certain: a ticket got its first message that was sent from Gorgias.
    pub const TICKET_BILLED: &str = "ticket-billed";
    /// Billing, possible: a ticket got its first public, pre-dated message from an agent.
    pub const TICKET_MAYBE_BILLED: &str = "ticket-maybe-billed";
    /// Violation: tickets were deleted because their customer was.
    pub const TICKETS_CASCADED: &str = "tickets-deleted-with-customer";
    /// Violation: tickets lost their customer because it was deleted.
    pub const TICKETS_ORPHANED: &str = "tickets-orphaned-by-customer";
    /// Violation: a ticket or message that named somebody by e-mail created a customer.
    pub const PERSON_CREATED: &str = "person-created-by-reference";
    /// Violation: a ticket or message that named somebody changed that person.
    pub const PERSON_CHANGED: &str = "person-changed-by-reference";
    /// Violation: a client asked to delete a user.
    pub const USER_DELETION: &str = "user-deletion-requested";
    /// Violation: a client sent a key or parameter that the API does not document.
    pub const UNKNOWN_KEY: &str = "unknown-key";
    /// Violation: a client deleted, archived or trashed a record that it had not created.
    pub const FOREIGN_RECORD: &str = "foreign-record-removed";
    /// Violation: a live record already carried this external id.
    pub const DUPLICATE_EXTERNAL_ID: &str = "duplicate-external-id";
    /// Violation: customers or tags were merged, which cannot be undone.
    pub const MERGED: &str = "records-merged";
    /// Violation: a ticket was snoozed into the past, reopened at once and fired rules.
    pub const SNOOZED_INTO_PAST: &str = "snoozed-into-past";
}

/// All ledgers of a twin, in the order of events.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Ledgers {
    /// What left the account: messages, rule replies, surveys, webhook calls.
    pub outbox: Vec<Entry>,
    /// Invitation mails to new users.
    pub invitations: Vec<Entry>,
    /// Tickets that Gorgias bills.
    pub billing_certain: Vec<Entry>,
    /// Tickets that Gorgias may bill; not documented (facts: billing).
    pub billing_possible: Vec<Entry>,
    /// What a careful migration never does.
    pub violations: Vec<Entry>,
}

/// How many entries each ledger holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct LedgerCounts {
    /// Entries of the outbox.
    pub outbox: usize,
    /// Entries of the invitations.
    pub invitations: usize,
    /// Tickets billed for certain.
    pub billing_certain: usize,
    /// Tickets billed possibly.
    pub billing_possible: usize,
    /// Violations.
    pub violations: usize,
}

impl Ledgers {
    /// How many entries each ledger holds.
    #[must_use]
    pub fn counts(&self) -> LedgerCounts {
        LedgerCounts {
            outbox: self.outbox.len(),
            invitations: self.invitations.len(),
            billing_certain: self.billing_certain.len(),
            billing_possible: self.billing_possible.len(),
            violations: self.violations.len(),
        }
    }

    /// Whether every ledger is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.counts() == LedgerCounts::default()
    }
}
