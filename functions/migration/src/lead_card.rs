//! First message of a ticket: everything about the lead that has no other home.

use jiff::Timestamp;

use crate::call_template::indented;
use crate::customer::Leftover;
use crate::finding::{Note, ObjectKind};
use crate::gorgias::{Delivery, MessageDraft, Sender};
use crate::keys::ExternalId;
use crate::leaddesk::{ContactId, Lead};
use crate::local_time;
use crate::message::message;
use crate::text::clean_line;
use crate::ticket::TicketContext;

/// The card of a lead: list, status, owner, last result, last call, and what is left of its contact.
#[must_use]
pub fn lead_card(
    lead: &Lead,
    campaigns: &[String],
    leftovers: &[Leftover],
    at: Timestamp,
    ctx: &TicketContext<'_>,
    notes: &mut Vec<Note>,
) -> MessageDraft {
    let zone = &ctx.settings.zone;
    let mut card = Card::new("Lead from LeadDesk");
    card.line("Lead", &lead.id.to_string());
    card.line("List", &format!("{} ({})", clean_line(&lead.list_name), lead.id.list));
    card.line("Campaign", &campaigns.join(", "));
    card.line("Status", &lead.status_text);
    if clean_line(&lead.status_text) != lead.status.as_str() {
        card.line("Status in list", lead.status.as_str());
    }
    card.line("Owner", lead.last_agent.as_deref().unwrap_or(""));
    card.line("Last result", lead.last_result.as_deref().unwrap_or(""));
    card.line("Last campaign", lead.last_campaign.as_deref().unwrap_or(""));
    if let Some(at) = lead.last_call_at {
        card.line("Last call", &local_time::render(at, zone));
    }
    if let Some(at) = lead.contact_updated_at {
        card.line("Contact updated", &local_time::render(at, zone));
    }
    card.line(
        "Numbers in list",
        &lead.phones.iter().map(|phone| clean_line(phone)).collect::<Vec<_>>().join(", "),
    );
    card.leftovers(leftovers, lead.id.contact);
    let delivery = Delivery::InternalNote { author: Sender::ServiceUser, at };
    let id = lead.id.to_string();
    message(ExternalId::lead_card(lead.id), delivery, &card.text, (ObjectKind::Lead, &id), notes)
}

/// The card of a contact that is in no list, for its ticket of calls without lead.
#[must_use]
pub fn contact_card(
    customer: &ExternalId,
    leftovers: &[Leftover],
    at: Timestamp,
    notes: &mut Vec<Note>,
) -> Option<MessageDraft> {
    let contact = leftovers.first()?.contact;
    let mut card = Card::new("Contact from LeadDesk");
    for leftover in leftovers {
        card.line(&leftover.label, &leftover.value);
    }
    let key = customer.as_str().strip_prefix(ExternalId::PREFIX).unwrap_or(customer.as_str());
    let external_id = ExternalId::from_stored(format!("leaddesk:card:{key}"));
    let delivery = Delivery::InternalNote { author: Sender::ServiceUser, at };
    let id = contact.to_string();
    Some(message(external_id, delivery, &card.text, (ObjectKind::Contact, &id), notes))
}

struct Card {
    text: String,
}

impl Card {
    fn new(title: &str) -> Self {
        Self { text: title.to_owned() }
    }

    /// One `Label: value` line; later lines of a value are indented. An empty value has no line.
    fn line(&mut self, label: &str, value: &str) {
        let value = crate::text::clean(value);
        if !value.is_empty() {
            self.text =
                format!("{}\n{}: {}", std::mem::take(&mut self.text), clean_line(label), indented(&value));
        }
    }

    fn leftovers(&mut self, leftovers: &[Leftover], contact: ContactId) {
        for leftover in leftovers.iter().filter(|leftover| leftover.contact == contact) {
            self.line(&leftover.label, &leftover.value);
        }
    }
}
