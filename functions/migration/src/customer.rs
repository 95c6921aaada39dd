//! Persons as customers.
//!
//! One customer a person, whatever the number of its contacts; what finds no home stands on the lead card, so that
//! nothing is dropped silently. Deliberately absent: language and zone, which LeadDesk does not hold for contacts.

use std::collections::{BTreeMap, BTreeSet};

use crate::fields::{ContactField, FieldPlan, FieldSource, Memberships, ScopeMap, ValueReject};
use crate::finding::{self, Code, Note, ObjectKind};
use crate::gorgias::{CustomerDraft, FieldValue, FieldValueDraft};
use crate::keys::ExternalId;
use crate::leaddesk::{Contact, ContactId};
use crate::mapping::RowSubject;
use crate::person::{PersonId, Persons, full_name};
use crate::reject::Reject;
use crate::settings::{FieldChoice, MappingSettings, UnreachablePolicy};
use crate::text::{clean_line, clean_some, folded};

mod blacklist;
mod channels;
mod placeholder;
mod values;

pub use blacklist::{Blacklist, BlacklistHit};
pub use placeholder::{number_customer, unknown_callers, unreachable_customer, visitor_customer};

/// Everything besides the contacts themselves that a customer depends on.
#[derive(Debug, Clone, Copy)]
pub struct CustomerContext<'a> {
    /// Choices.
    pub settings: &'a MappingSettings,
    /// Which slots become fields.
    pub fields: &'a FieldPlan,
    /// Who is who, and who has which number.
    pub persons: &'a Persons,
    /// Which lists a contact is in.
    pub memberships: &'a Memberships,
    /// Where a list's slots have their meaning.
    pub scopes: &'a ScopeMap,
    /// Numbers that must not be called.
    pub blacklist: &'a Blacklist,
    /// Normalised addresses of Gorgias users, which no customer can carry (facts: uniqueness).
    pub reserved_emails: &'a BTreeSet<String>,
}

/// A value that found no home in the customer and stands on the contact's lead card.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Leftover {
    /// The contact that has it.
    pub contact: ContactId,
    /// What agents know it as.
    pub label: String,
    /// The value, cleaned.
    pub value: String,
}

impl std::fmt::Debug for Leftover {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Leftover({}, {}, {} characters)", self.contact, self.label, self.value.chars().count())
    }
}

/// A single value that cannot be carried where it belongs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct RejectedValue {
    /// The contact that has it.
    pub contact: ContactId,
    /// `email`, `phone`, or the slot with its scope.
    pub field: String,
    /// Stable code.
    pub code: Code,
    /// Why.
    pub reason: String,
    /// The value, masked.
    pub masked: String,
}

impl RejectedValue {
    fn of_field(contact: ContactId, field: &str, reject: ValueReject, value: &str) -> Self {
        let masked = crate::text::mask_shape(value);
        let (field, reason) = (field.to_owned(), reject.to_string());
        Self { contact, field, code: finding::FLD106_VALUE_REJECTED, reason, masked }
    }

    /// The same as a reject of the contact.
    #[must_use]
    pub fn to_reject(&self) -> Reject {
        let reason = format!("{}: {} ({})", self.field, self.reason, self.masked);
        Reject::new(ObjectKind::Contact, self.contact, self.code, reason)
    }
}

/// What becomes of a person.
#[derive(Debug, Clone, PartialEq)]
pub struct CustomerOutcome {
    /// The customer that the person's tickets hang on. It is the common placeholder when the person is rejected.
    pub draft: CustomerDraft,
    /// Values that cannot be carried where they belong.
    pub rejected_values: Vec<RejectedValue>,
    /// Values for the lead cards, in order of contact.
    pub leftover: Vec<Leftover>,
    /// What was decided by rule.
    pub notes: Vec<Note>,
    /// Set when the person itself is not carried.
    pub reject: Option<Reject>,
}

/// Collects what one person gives.
#[derive(Default)]
struct Collected {
    channels: channels::Channels,
    values: BTreeMap<FieldSource, FieldValue>,
    rejected: Vec<RejectedValue>,
    leftover: Vec<Leftover>,
    notes: Vec<Note>,
    opted_out: Option<String>,
}

impl Collected {
    fn leave(&mut self, contact: ContactId, label: impl Into<String>, value: impl Into<String>) {
        self.leftover.push(Leftover { contact, label: label.into(), value: value.into() });
    }

    fn note(&mut self, code: Code, contact: ContactId, detail: impl Into<String>) {
        self.notes.push(Note::new(code, ObjectKind::Contact, contact, detail));
    }
}

/// Drafts the customer of a person from all of its contacts, in any order; the smallest id comes first in every choice.
#[must_use]
pub fn draft_customer(person: PersonId, members: &[Contact], ctx: &CustomerContext<'_>) -> CustomerOutcome {
    let mut members: Vec<&Contact> = members.iter().collect();
    members.sort_by_key(|contact| contact.id);
    let mut collected = Collected::default();
    let name = name(&members, &mut collected);
    for contact in &members {
        channels::collect(person, contact, ctx, &mut collected);
        values::collect(contact, ctx, &mut collected);
        other_fields(contact, ctx, &mut collected);
    }
    if ctx.memberships.lists_of(person.contact()).next().is_none() {
        note_homeless(&members, ctx, &mut collected);
    }
    if let Some(why) = collected.opted_out.take() {
        collected.values.insert(FieldSource::EmailOptOut, FieldValue::Boolean(true));
        collected.note(finding::CUS107_OPTED_OUT, person.contact(), why);
    }
    outcome(person, name, ctx, collected)
}

fn outcome(
    person: PersonId,
    name: Option<String>,
    ctx: &CustomerContext<'_>,
    mut collected: Collected,
) -> CustomerOutcome {
    let external_id = ExternalId::customer(person.contact());
    let (email, channels) = std::mem::take(&mut collected.channels).finish();
    let raw_phone = collected.values.contains_key(&FieldSource::RawPhone);
    let mut reject = None;
    let draft = if channels.is_empty() && !raw_phone && ctx.settings.unreachable == UnreachablePolicy::Reject
    {
        let reason = "no usable email and phone";
        reject = Some(Reject::new(ObjectKind::Contact, person, finding::CUS102_UNREACHABLE_REJECTED, reason));
        unreachable_customer()
    } else {
        if channels.is_empty() {
            collected.note(finding::CUS101_UNREACHABLE, person.contact(), "placeholder customer");
        }
        let values = field_values(ctx.fields, std::mem::take(&mut collected.values));
        CustomerDraft { external_id, name, email, channels, language: None, timezone: None, values }
    };
    let Collected { rejected, leftover, mut notes, .. } = collected;
    notes.sort();
    CustomerOutcome { draft, rejected_values: rejected, leftover, notes, reject }
}

/// Values for the fields that the plan has; in order of source.
fn field_values(fields: &FieldPlan, values: BTreeMap<FieldSource, FieldValue>) -> Vec<FieldValueDraft> {
    values
        .into_iter()
        .filter_map(|(source, value)| {
            let field = fields.field(source)?.draft.key.clone();
            Some(FieldValueDraft { field, value })
        })
        .collect()
}

fn name(members: &[&Contact], collected: &mut Collected) -> Option<String> {
    let mut names = members.iter().filter_map(|contact| Some((contact.id, full_name(contact)?)));
    let (_, first) = names.next()?;
    let others: Vec<(ContactId, String)> = names.filter(|(_, name)| folded(name) != folded(&first)).collect();
    for (contact, other) in others {
        collected.note(finding::CUS108_OTHER_NAME, contact, "");
        collected.leave(contact, "Name", other);
    }
    Some(first)
}

/// What a customer of Gorgias has no place for: the lead card, unless a person gave it a field or left it out.
fn other_fields(contact: &Contact, ctx: &CustomerContext<'_>, collected: &mut Collected) {
    for field in ContactField::ALL.iter().copied().filter(|field| field.is_card()) {
        let Some(value) = clean_some(field.value(contact)) else { continue };
        let source = FieldSource::Contact(field);
        let choice = ctx.settings.field_choice(&RowSubject::Contact(field));
        match (choice, ctx.fields.field(source)) {
            (Some(FieldChoice::Leave(_)), _) => {}
            (_, None) => collected.leave(contact.id, field.label(), value),
            (_, Some(planned)) => {
                let label = planned.draft.label.clone();
                let home =
                    values::into_field(contact.id, source, field.as_str(), planned.kind, &value, collected);
                if home.is_none() {
                    collected.leave(contact.id, label, value);
                }
            }
        }
    }
}

/// Leftovers of contacts in no list have no lead card.
fn note_homeless(members: &[&Contact], ctx: &CustomerContext<'_>, collected: &mut Collected) {
    for contact in members {
        let count = collected.leftover.iter().filter(|leftover| leftover.contact == contact.id).count();
        if count > 0 && ctx.memberships.lists_of(contact.id).next().is_none() {
            collected.note(finding::CUS110_LEFTOVER_WITHOUT_LEAD, contact.id, format!("{count} values"));
        }
    }
}

/// The name for a subject: the customer's name, else nothing.
#[must_use]
pub fn shown_name(draft: &CustomerDraft) -> Option<String> {
    draft.name.as_deref().map(clean_line).filter(|name| !name.is_empty())
}
