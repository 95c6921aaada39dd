//! Whether a message has left Gorgias because of us.
//!
//! What is written is dated back, so the newest messages of the account are those that Gorgias or people made now. One
//! that goes out to a customer on a ticket of ours, and that no other user wrote, was sent by a rule or by a fault of
//! ours: the load stops at the first. Deliberately absent: answers that a support agent writes; they may.

use std::collections::BTreeSet;

use migration::gorgias::UserId;
use migration::keys::ExternalId;
use migration::ledger::DestinationObject;

use crate::ledger::Ledger;
use crate::ports::gorgias::Message;

/// Outcomes between two looks: one request in five hundred.
pub(super) const OUTCOMES_BETWEEN: u64 = 500;
/// `via` of what a rule sent.
const VIA_RULE: &str = "rule";
/// Channel of notes, which never leave.
const NOTE: &str = "internal-note";

/// The first message among the newest that went out on a ticket of ours.
pub(super) fn first_outgoing<'m>(
    newest: &'m [Message],
    service_user: UserId,
    ledger: &Ledger,
) -> Option<&'m Message> {
    let mut candidates = newest.iter().filter(|message| is_outgoing(message, service_user)).peekable();
    candidates.peek()?;
    let tickets: BTreeSet<u64> = ledger
        .book()
        .state()
        .have()
        .filter(|(key, _)| key.object == DestinationObject::Ticket)
        .map(|(_, id)| id.0)
        .collect();
    candidates.find(|message| tickets.contains(&message.ticket.0))
}

fn is_outgoing(message: &Message, service_user: UserId) -> bool {
    let is_ours = message.external_id.as_deref().is_some_and(|key| key.starts_with(ExternalId::PREFIX));
    let leaves = message.from_agent && message.channel != NOTE && message.is_public != Some(false);
    let by_nobody = message.sender.is_none_or(|sender| sender == service_user.0);
    leaves && !is_ours && (message.via == VIA_RULE || by_nobody)
}

#[cfg(test)]
mod tests {
    use migration::gorgias::{MessageId, TicketId};

    use super::*;

    fn message(
        via: &str,
        channel: &str,
        from_agent: bool,
        sender: Option<u64>,
        key: Option<&str>,
    ) -> Message {
        Message {
            id: MessageId(1),
            ticket: TicketId(2),
            external_id: key.map(str::to_owned),
            channel: channel.to_owned(),
            via: via.to_owned(),
            from_agent,
            is_public: Some(channel != NOTE),
            sender,
            receiver: None,
            sent_at: None,
            created_at: None,
            body_text: None,
            body_html: None,
            attachments: Vec::new(),
        }
    }

    #[test]
    fn rules_and_nobody_send_and_people_and_notes_do_not() {
        let table = [
            (message("rule", "email", true, Some(9), None), true),
            (message("api", "email", true, None, None), true),
            (message("api", "sms", true, Some(7), None), true),
            (message("helpdesk", "email", true, Some(9), None), false),
            (message("email", "email", false, Some(9), None), false),
            (message("rule", NOTE, true, None, None), false),
            (message("api", "chat", true, Some(7), Some("leaddesk:chat-message:a:1")), false),
        ];
        for (message, expected) in table {
            assert_eq!(is_outgoing(&message, UserId(7)), expected, "{message:?}");
        }
    }
}
