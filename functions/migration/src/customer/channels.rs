//! Addresses and numbers of a person as channels of its customer.

use std::collections::BTreeSet;

use super::{Collected, CustomerContext, RejectedValue};
use crate::contact_point::{EMAIL_CHARS_MAX, digits_of, normalize_email, normalize_phone};
use crate::fields::FieldSource;
use crate::finding;
use crate::gorgias::{ChannelKind, CustomerChannel, FIELD_TEXT_CHARS_MAX, FieldValue};
use crate::leaddesk::Contact;
use crate::person::{PersonId, PhoneOwner};
use crate::settings::{PhoneSharing, UnnormalisablePhone};
use crate::text::{clean, clean_line, mask_email, mask_phone};

/// Digits below which a text is no address of a channel, whatever the settings say.
const RAW_DIGITS_MIN: usize = 3;

/// Channels in order of arrival, each address once.
#[derive(Default)]
pub(super) struct Channels {
    channels: Vec<CustomerChannel>,
    seen: BTreeSet<(ChannelKind, String)>,
}

impl Channels {
    /// `same` is what two writings of one address have in common. The first of a kind is the preferred one.
    pub(super) fn add(&mut self, kind: ChannelKind, address: &str, same: String) {
        if self.seen.insert((kind, same)) {
            let is_preferred = !self.channels.iter().any(|channel| channel.kind == kind);
            self.channels.push(CustomerChannel { kind, address: address.to_owned(), is_preferred });
        }
    }

    /// The primary email and all channels: emails first, in order of arrival.
    pub(super) fn finish(self) -> (Option<String>, Vec<CustomerChannel>) {
        let mut channels = self.channels;
        channels.sort_by_key(|channel| channel.kind);
        let email = channels.iter().find(|channel| channel.kind == ChannelKind::Email);
        (email.map(|channel| channel.address.clone()), channels)
    }
}

pub(super) fn collect(person: PersonId, contact: &Contact, ctx: &CustomerContext<'_>, out: &mut Collected) {
    if let Some(raw) = contact.email.as_deref().map(clean).filter(|raw| !raw.is_empty()) {
        email(contact, &raw, ctx, out);
    }
    for raw in contact.phones.iter().map(|raw| clean_line(raw)).filter(|raw| !raw.is_empty()) {
        phone(person, contact, &raw, ctx, out);
    }
}

fn email(contact: &Contact, raw: &str, ctx: &CustomerContext<'_>, out: &mut Collected) {
    let refused = match normalize_email(raw) {
        None => Some((finding::CUS103_EMAIL_INVALID, "not one valid address")),
        Some(email) if ctx.reserved_emails.contains(&email.normalized) => {
            Some((finding::CUS106_EMAIL_OF_AGENT, "address of a Gorgias user"))
        }
        Some(email) => {
            out.channels.add(ChannelKind::Email, &email.as_given, email.normalized);
            None
        }
    };
    if let Some((code, reason)) = refused {
        out.rejected.push(RejectedValue {
            contact: contact.id,
            field: "email".to_owned(),
            code,
            reason: reason.to_owned(),
            masked: mask_email(raw),
        });
        out.leave(contact.id, "Email (not carried)", raw);
    }
}

fn phone(person: PersonId, contact: &Contact, raw: &str, ctx: &CustomerContext<'_>, out: &mut Collected) {
    let normalized = normalize_phone(raw, ctx.settings.region);
    if let Some(hit) = ctx.blacklist.hit(raw, normalized.as_ref()) {
        out.opted_out.get_or_insert_with(|| format!("number on the blacklist ({})", hit.as_str()));
    }
    let owner = match &normalized {
        Some(phone) => ctx.persons.owner_of_phone(phone),
        None => ctx.persons.owner_of_raw_number(raw),
    };
    match normalized {
        Some(phone) => {
            if may_carry(person, owner, ctx) {
                out.channels.add(ChannelKind::Phone, phone.as_str(), phone.as_str().to_owned());
            } else {
                out.note(finding::CUS105_PHONE_OF_ANOTHER_CUSTOMER, contact.id, shared_detail(owner, raw));
                out.leave(contact.id, "Phone (of another customer)", phone.as_str());
            }
        }
        None => unnormalised(person, contact, raw, owner, ctx, out),
    }
}

fn shared_detail(owner: PhoneOwner, raw: &str) -> String {
    match owner.first() {
        Some(person) => format!("{} belongs to contact {person}", mask_phone(raw)),
        None => mask_phone(raw),
    }
}

/// A number can be at one customer only, unless the settings say that the account takes more.
fn may_carry(person: PersonId, owner: PhoneOwner, ctx: &CustomerContext<'_>) -> bool {
    match owner {
        PhoneOwner::Several(first) => {
            first == person || ctx.settings.phone_sharing == PhoneSharing::EveryPerson
        }
        PhoneOwner::One(_) | PhoneOwner::Nobody => true,
    }
}

fn unnormalised(
    person: PersonId,
    contact: &Contact,
    raw: &str,
    owner: PhoneOwner,
    ctx: &CustomerContext<'_>,
    out: &mut Collected,
) {
    let digits = digits_of(raw);
    let usable = digits.len() >= RAW_DIGITS_MIN && raw.chars().count() <= EMAIL_CHARS_MAX;
    let policy = ctx.settings.unnormalisable_phone;
    let kept = match policy {
        UnnormalisablePhone::SendAsIs if usable && may_carry(person, owner, ctx) => {
            out.channels.add(ChannelKind::Phone, raw, digits);
            true
        }
        UnnormalisablePhone::KeepAsField => keep_as_field(raw, out),
        UnnormalisablePhone::SendAsIs => false,
    };
    out.rejected.push(RejectedValue {
        contact: contact.id,
        field: "phone".to_owned(),
        code: finding::CUS104_PHONE_UNNORMALISED,
        reason: format!("no international form; {}", if kept { policy.as_str() } else { "on the lead card" }),
        masked: mask_phone(raw),
    });
    if !kept {
        out.leave(contact.id, "Phone (as received)", raw);
    }
}

/// Adds the number to the text field, as long as it fits.
fn keep_as_field(raw: &str, out: &mut Collected) -> bool {
    let text = match out.values.get(&FieldSource::RawPhone) {
        Some(FieldValue::Text(text)) if text.split(", ").any(|other| other == raw) => return true,
        Some(FieldValue::Text(text)) => format!("{text}, {raw}"),
        _ => raw.to_owned(),
    };
    let fits = text.chars().count() <= FIELD_TEXT_CHARS_MAX;
    if fits {
        out.values.insert(FieldSource::RawPhone, FieldValue::Text(text));
    }
    fits
}
