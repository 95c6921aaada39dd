//! Customers that stand for somebody unknown, so that calls and conversations have a ticket to hang on.

use super::CustomerContext;
use crate::canonical::Digest;
use crate::contact_point::{Email, digits_of, normalize_phone};
use crate::fields::FieldSource;
use crate::gorgias::{ChannelKind, CustomerChannel, CustomerDraft, FieldValue, FieldValueDraft};
use crate::keys::ExternalId;
use crate::person::PhoneOwner;

fn nobody(external_id: ExternalId, name: Option<&str>) -> CustomerDraft {
    CustomerDraft {
        external_id,
        name: name.map(str::to_owned),
        email: None,
        channels: Vec::new(),
        language: None,
        timezone: None,
        values: Vec::new(),
    }
}

fn channel(kind: ChannelKind, address: &str) -> CustomerChannel {
    CustomerChannel { kind, address: address.to_owned(), is_preferred: true }
}

/// Common customer of all rejected persons, for their leads and calls.
#[must_use]
pub fn unreachable_customer() -> CustomerDraft {
    nobody(ExternalId::from_stored("leaddesk:contact:unreachable"), Some("LeadDesk contacts without address"))
}

/// Common customer of calls without contact and number.
#[must_use]
pub fn unknown_callers() -> CustomerDraft {
    nobody(ExternalId::from_stored("leaddesk:number:unknown"), Some("LeadDesk unknown callers"))
}

/// Customer of a number that is no person's alone. `number` is normalised where that was possible.
///
/// The number becomes a channel only when no person carries it, since Gorgias may hold a number once.
#[must_use]
pub fn number_customer(number: &str, ctx: &CustomerContext<'_>) -> CustomerDraft {
    let normalized = normalize_phone(number, ctx.settings.region);
    let owner = match &normalized {
        Some(phone) => ctx.persons.owner_of_phone(phone),
        None => ctx.persons.owner_of_raw_number(number),
    };
    let mut draft = nobody(ExternalId::number(number), Some(&format!("Caller {number}")));
    if owner == PhoneOwner::Nobody && digits_of(number).len() >= 3 {
        draft.channels.push(channel(ChannelKind::Phone, number));
    }
    if ctx.blacklist.hit(number, normalized.as_ref()).is_some()
        && let Some(field) = ctx.fields.field(FieldSource::EmailOptOut)
    {
        let value = FieldValue::Boolean(true);
        draft.values.push(FieldValueDraft { field: field.draft.key.clone(), value });
    }
    draft
}

/// Customer of a visitor who is no known person.
///
/// One customer for all conversations of an unknown address, since Gorgias holds an address once; the address itself
/// does not stand in the key. Without an address every conversation has its own.
#[must_use]
pub fn visitor_customer(conversation: &str, email: Option<&Email>, is_reserved: bool) -> CustomerDraft {
    match email {
        Some(email) if !is_reserved => {
            let digest = Digest::of(email.normalized.as_bytes()).to_hex();
            let mut draft = nobody(ExternalId::visitor(&format!("email-{}", &digest[..32])), None);
            draft.email = Some(email.as_given.clone());
            draft.channels.push(channel(ChannelKind::Email, &email.as_given));
            draft
        }
        _ => nobody(ExternalId::visitor(conversation), Some("JennyBot visitor")),
    }
}
