//! Bodies of messages under the account's limits.

use crate::finding::{self, Note, ObjectKind};
use crate::gorgias::{Delivery, MESSAGES_PER_TICKET_CREATE_MAX, MessageDraft};
use crate::keys::ExternalId;
use crate::text::{html_from_text, truncate_for_html};

/// Bytes of a text or HTML body that every known account takes (facts: message create body, 1 MB each).
pub const BODY_BYTES_MAX: usize = 1_000_000;
/// Bytes of message bodies in one ticket creation: below the 10 MB that a request may have, with room for JSON escapes.
pub const TICKET_BODIES_BYTES_MAX: usize = 4_000_000;

/// A message from plain text; a text over the limit is cut, marked and noted.
#[must_use]
pub fn message(
    external_id: ExternalId,
    delivery: Delivery,
    text: &str,
    about: (ObjectKind, &str),
    notes: &mut Vec<Note>,
) -> MessageDraft {
    let kept = truncate_for_html(text, BODY_BYTES_MAX);
    if kept.len() != text.len() {
        let detail = format!("{} of {} bytes", kept.len(), text.len());
        notes.push(Note::new(finding::TIC102_BODY_CUT, about.0, about.1, detail));
    }
    let body_html = html_from_text(&kept);
    MessageDraft { external_id, delivery, body_text: kept.into_owned(), body_html, attachment: None }
}

/// How many of the messages ride in the creation of their ticket; the rest is appended one by one. At least one rides.
#[must_use]
pub fn messages_in_creation(messages: &[MessageDraft]) -> usize {
    let mut bytes = 0_usize;
    let fitting = messages
        .iter()
        .take(MESSAGES_PER_TICKET_CREATE_MAX)
        .take_while(|message| {
            bytes += message.body_text.len() + message.body_html.len();
            bytes <= TICKET_BODIES_BYTES_MAX
        })
        .count();
    fitting.max(1).min(messages.len())
}
