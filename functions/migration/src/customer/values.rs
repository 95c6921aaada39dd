//! Slots of a contact as field values of its customer.

use super::{Collected, CustomerContext, RejectedValue};
use crate::fields::{FieldSource, LeftReason, Scope, SlotKey, SlotKind, convert};
use crate::finding;
use crate::leaddesk::{Contact, ContactId, Slot};
use crate::text::{clean, folded};

/// What one slot of one contact comes to, over all scopes of the contact.
enum Home {
    /// In a field.
    Carried,
    /// On the lead card, under this label.
    Shown(String),
    /// Nowhere, by rule or by choice.
    Left,
}

pub(super) fn collect(contact: &Contact, ctx: &CustomerContext<'_>, out: &mut Collected) {
    if contact.slots.is_empty() {
        return;
    }
    let scopes = ctx.memberships.scopes_of(contact.id, ctx.scopes);
    for (slot, raw) in &contact.slots {
        let value = clean(raw);
        if value.is_empty() {
            continue;
        }
        consent(contact, *slot, &scopes, &value, ctx, out);
        match slot_home(contact, *slot, &scopes, &value, ctx, out) {
            Home::Carried | Home::Left => {}
            Home::Shown(label) => out.leave(contact.id, label, value),
        }
    }
}

/// Puts a value into a field. `None` when it does not fit or another value is there already; both are noted.
pub(super) fn into_field(
    contact: ContactId,
    source: FieldSource,
    name: &str,
    kind: SlotKind,
    value: &str,
    out: &mut Collected,
) -> Option<()> {
    match convert(value, kind) {
        Err(reject) => {
            out.rejected.push(RejectedValue::of_field(contact, name, reject, value));
            None
        }
        Ok(converted) => match out.values.get(&source) {
            None => {
                out.values.insert(source, converted);
                Some(())
            }
            Some(present) if *present == converted => Some(()),
            Some(_) => {
                out.note(finding::CUS109_VALUES_DIFFER, contact, name);
                None
            }
        },
    }
}

/// A value goes to the field of every scope that the contact is in. Sensitive in one scope is sensitive everywhere.
fn slot_home(
    contact: &Contact,
    slot: Slot,
    scopes: &[Scope],
    value: &str,
    ctx: &CustomerContext<'_>,
    out: &mut Collected,
) -> Home {
    let keys = scopes.iter().map(|scope| SlotKey { slot, scope: *scope });
    if keys.clone().any(|key| ctx.fields.left_slot(key).is_some_and(|left| !left.reason.is_shown())) {
        return Home::Left;
    }
    let mut home = Home::Shown(format!("LeadDesk {slot}"));
    for key in keys {
        let source = FieldSource::Slot(key);
        if let Some(left) = ctx.fields.left_slot(key) {
            if matches!(home, Home::Shown(_)) {
                home = Home::Shown(left.label.clone());
            }
            continue;
        }
        let Some(field) = ctx.fields.field(source) else { continue };
        let label = field.draft.label.clone();
        if into_field(contact.id, source, &key.to_string(), field.kind, value, out).is_some() {
            home = Home::Carried;
        } else if matches!(home, Home::Shown(_)) {
            home = Home::Shown(label);
        }
    }
    home
}

fn consent(
    contact: &Contact,
    slot: Slot,
    scopes: &[Scope],
    value: &str,
    ctx: &CustomerContext<'_>,
    out: &mut Collected,
) {
    let folded_value = folded(value);
    let hit = ctx.settings.consent_fields.iter().find(|field| {
        field.slot == slot
            && field.scope.is_none_or(|scope| scopes.contains(&scope))
            && field.opted_out_words.iter().any(|word| folded(word) == folded_value)
    });
    let is_chosen = scopes.iter().any(|scope| {
        let left = ctx.fields.left_slot(SlotKey { slot, scope: *scope });
        matches!(left.map(|left| &left.reason), Some(LeftReason::OptOut(words))
            if words.iter().any(|word| folded(word) == folded_value))
    });
    if hit.is_some() || is_chosen {
        out.opted_out.get_or_insert_with(|| format!("consent field {slot} of contact {}", contact.id));
    }
}
