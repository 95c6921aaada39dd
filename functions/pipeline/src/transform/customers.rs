//! Contacts -> persons -> customers, and the frames that their tickets need.
//!
//! Contacts are read twice: first to find out who is one person, then to make the customers. Persons with one contact
//! are made as they come; members of larger persons are sorted together in the scratch folder first.

use std::collections::{BTreeMap, BTreeSet};
use std::iter::Peekable;

use migration::contact_point::Region;
use migration::customer::{CustomerContext, CustomerOutcome, Leftover, draft_customer, shown_name};
use migration::gorgias::{CustomerDraft, FieldValue};
use migration::keys::ExternalId;
use migration::leaddesk::{Contact, ContactId};
use migration::person::{ContactIdentity, PersonId, Persons, Resolver};
use snapshot::tables::{
    SourceContact, SourceFieldValue, WantCustomer, WantCustomerChannel, WantCustomerValue,
};
use snapshot::{SnapshotError, TableWriter};

use super::Rows;
use super::balance::Disposition;
use super::error::TransformError;
use super::failures::{Failures, PANIC, guarded};
use super::frames::{contact_from_json, contact_json};
use super::records;
use super::scratch::{LEAD, PERSON, ScratchFrame, ScratchMember, leftovers_json};
use crate::archive::Sorted;

/// Who is one person, over all contacts.
///
/// # Errors
/// What the reader says.
pub(super) fn persons(
    contacts: Rows<SourceContact>,
    region: Region,
    mut observe: impl FnMut(&SourceContact),
) -> Result<Persons, TransformError> {
    let mut resolver = Resolver::new();
    for row in contacts {
        let row = row?;
        observe(&row);
        if let Ok(contact) = records::contact(row, Vec::new()) {
            resolver.add(ContactIdentity::of(&contact, region));
        }
    }
    Ok(resolver.finish())
}

/// Contacts with their slots: two tables in the same order, read side by side.
pub(super) struct ContactCards {
    contacts: Rows<SourceContact>,
    values: Peekable<Rows<SourceFieldValue>>,
}

impl ContactCards {
    /// Both readers stand at their beginning.
    pub(super) fn new(contacts: Rows<SourceContact>, values: Rows<SourceFieldValue>) -> Self {
        Self { contacts, values: values.peekable() }
    }
}

impl Iterator for ContactCards {
    type Item = Result<(SourceContact, Vec<SourceFieldValue>), SnapshotError>;

    fn next(&mut self) -> Option<Self::Item> {
        let contact = match self.contacts.next()? {
            Ok(contact) => contact,
            Err(error) => return Some(Err(error)),
        };
        let mut values = Vec::new();
        while let Some(next) = self.values.peek() {
            // Values of a contact that was put aside come before the next contact's and are passed over.
            let is_due =
                next.as_ref().map_or(true, |value| value.leaddesk_contact_id <= contact.leaddesk_contact_id);
            if !is_due {
                break;
            }
            match self.values.next() {
                Some(Ok(value)) if value.leaddesk_contact_id == contact.leaddesk_contact_id => {
                    values.push(value);
                }
                Some(Err(error)) => return Some(Err(error)),
                Some(Ok(_)) | None => {}
            }
        }
        Some(Ok((contact, values)))
    }
}

/// Takes customers of every origin, each key once.
pub(super) struct CustomerSink {
    /// Customers.
    pub(super) customers: TableWriter<WantCustomer>,
    /// Their channels.
    pub(super) channels: TableWriter<WantCustomerChannel>,
    /// Their values.
    pub(super) values: TableWriter<WantCustomerValue>,
    /// Customers that stand for nobody known; several records may ask for one.
    placeholders: BTreeSet<String>,
}

/// Origin of a customer.
pub(super) const FROM_CONTACT: &str = "contact";
/// Origin of a customer that is a number.
pub(super) const FROM_NUMBER: &str = "number";
/// Origin of a customer that is a visitor of the chat.
pub(super) const FROM_VISITOR: &str = "visitor";

impl CustomerSink {
    /// Nothing yet.
    #[must_use]
    pub(super) fn new(
        customers: TableWriter<WantCustomer>,
        channels: TableWriter<WantCustomerChannel>,
        values: TableWriter<WantCustomerValue>,
    ) -> Self {
        Self { customers, channels, values, placeholders: BTreeSet::new() }
    }

    /// Adds a placeholder unless it is there.
    ///
    /// # Errors
    /// What the writer says.
    pub(super) fn placeholder(&mut self, draft: &CustomerDraft, origin: &str) -> Result<(), SnapshotError> {
        if self.placeholders.insert(draft.external_id.as_str().to_owned()) {
            self.push(draft, None, origin)?;
        }
        Ok(())
    }

    /// Adds a customer; its key must be new.
    ///
    /// # Errors
    /// What the writer says.
    pub(super) fn push(
        &mut self,
        draft: &CustomerDraft,
        person: Option<PersonId>,
        origin: &str,
    ) -> Result<(), SnapshotError> {
        let external_id = draft.external_id.as_str();
        let count = |length: usize| i32::try_from(length).unwrap_or(i32::MAX);
        self.customers.push(WantCustomer {
            external_id: external_id.to_owned(),
            leaddesk_contact_id: person.map(|person| person.contact().to_string()),
            customer_name: draft.name.clone(),
            email: draft.email.clone(),
            language: draft.language.clone(),
            timezone: draft.timezone.clone(),
            channel_count: count(draft.channels.len()),
            value_count: count(draft.values.len()),
            origin: origin.to_owned(),
        })?;
        for channel in &draft.channels {
            self.channels.push(WantCustomerChannel {
                customer_external_id: external_id.to_owned(),
                channel_type: channel.kind.as_str().to_owned(),
                address: channel.address.clone(),
                is_preferred: channel.is_preferred,
            })?;
        }
        for value in &draft.values {
            let columns = ValueColumns::of(&value.value);
            self.values.push(WantCustomerValue {
                customer_external_id: external_id.to_owned(),
                field_key: value.field.to_string(),
                data_type: columns.data_type.to_owned(),
                value_text: columns.text,
                value_number: columns.number,
                value_boolean: columns.boolean,
            })?;
        }
        Ok(())
    }
}

/// A value over the three columns, of which one is filled.
pub(super) struct ValueColumns {
    /// Gorgias' word.
    pub(super) data_type: &'static str,
    /// Text.
    pub(super) text: Option<String>,
    /// Number.
    pub(super) number: Option<f64>,
    /// Yes or no.
    pub(super) boolean: Option<bool>,
}

impl ValueColumns {
    /// Spreads a value.
    #[must_use]
    pub(super) fn of(value: &FieldValue) -> Self {
        let (text, number, boolean) = (None, None, None);
        match value {
            FieldValue::Text(value) => Self { data_type: "text", text: Some(value.clone()), number, boolean },
            FieldValue::Number(value) => Self { data_type: "number", text, number: Some(*value), boolean },
            FieldValue::Boolean(value) => Self { data_type: "boolean", text, number, boolean: Some(*value) },
        }
    }
}

/// Persons without a customer of their own: the placeholder that stands for them, or nothing when a bug stopped them.
pub(super) type Substitutes = BTreeMap<PersonId, Option<ExternalId>>;

/// Makes the customers of persons.
pub(super) struct MakingCustomers<'a, 'b> {
    /// What customers depend on.
    pub(super) ctx: CustomerContext<'a>,
    /// Where customers go.
    pub(super) sink: &'a mut CustomerSink,
    /// Where frames go.
    pub(super) frames: &'a mut TableWriter<ScratchFrame>,
    /// Where failures go.
    pub(super) failures: &'a mut Failures<'b>,
    /// Persons without a customer of their own.
    pub(super) substitutes: &'a mut Substitutes,
    /// Persons have a frame also beside those of their leads: an earlier reading may have put calls there.
    pub(super) keeps_person_frames: bool,
}

impl MakingCustomers<'_, '_> {
    /// Makes customers of single contacts and sorts the members of larger persons into `members`.
    ///
    /// # Errors
    /// What readers and writers say.
    pub(super) fn singles(
        &mut self,
        cards: ContactCards,
        members: &mut TableWriter<ScratchMember>,
        mut progress: impl FnMut(u64),
    ) -> Result<(), TransformError> {
        for (done, card) in (1_u64..).zip(cards) {
            let (row, values) = card?;
            self.failures.balance.source("contact", 1);
            progress(done);
            let id = row.leaddesk_contact_id.clone();
            let Ok(contact) = records::contact(row, values) else {
                self.failures.rejected("contact", id, "EXT301", "the contact has no id")?;
                continue;
            };
            let person = self.ctx.persons.person_of(contact.id).unwrap_or(PersonId(contact.id));
            if self.ctx.persons.members(person).len() > 1 {
                members.push(ScratchMember {
                    person_id: person.to_string(),
                    contact_id: id,
                    contact_json: contact_json(&contact),
                })?;
            } else {
                self.person(person, &[contact])?;
            }
        }
        Ok(())
    }

    /// Makes customers of persons with several contacts.
    ///
    /// # Errors
    /// What readers and writers say.
    pub(super) fn several(&mut self, members: Sorted<ScratchMember>) -> Result<(), TransformError> {
        let mut group: Vec<Contact> = Vec::new();
        let mut current: Option<PersonId> = None;
        for member in members {
            let member = member?;
            let contact = contact_from_json(&member.contact_json).ok_or(TransformError::ScratchDamaged)?;
            let person = self.ctx.persons.person_of(contact.id).unwrap_or(PersonId(contact.id));
            if let Some(done) = current.filter(|current| *current != person) {
                self.person(done, &group)?;
                group.clear();
            }
            current = Some(person);
            group.push(contact);
        }
        match current {
            Some(person) => self.person(person, &group),
            None => Ok(()),
        }
    }

    fn person(&mut self, person: PersonId, members: &[Contact]) -> Result<(), TransformError> {
        let ctx = self.ctx;
        let Some(outcome) = guarded(|| draft_customer(person, members, &ctx)) else {
            self.substitutes.insert(person, None);
            for member in members {
                let reason = "a bug stopped the transformation of this person";
                self.failures.rejected("contact", member.id.to_string(), PANIC, reason)?;
            }
            return Ok(());
        };
        let merged = u64::try_from(members.len().saturating_sub(1)).unwrap_or(0);
        self.failures.balance.settle("contact", merged, Disposition::Merged);
        self.failures.notes(&outcome.notes);
        for value in &outcome.rejected_values {
            self.failures.value_rejected(value.to_reject())?;
        }
        match &outcome.reject {
            Some(reject) => {
                let code = reject.code.as_str();
                self.failures.rejected("contact", reject.source_id.clone(), code, reject.reason.clone())?;
                self.substitutes.insert(person, Some(outcome.draft.external_id.clone()));
                self.sink.placeholder(&outcome.draft, FROM_CONTACT)?;
            }
            None => {
                self.failures.balance.settle("contact", 1, Disposition::Wanted);
                self.sink.push(&outcome.draft, Some(person), FROM_CONTACT)?;
            }
        }
        self.frames_of(person, members, &outcome)
    }

    /// One frame for every lead of the person; one for the person itself when it has none.
    fn frames_of(
        &mut self,
        person: PersonId,
        members: &[Contact],
        outcome: &CustomerOutcome,
    ) -> Result<(), TransformError> {
        let name = shown_name(&outcome.draft);
        let mut frame = |kind: &str, list_id: String, contact_id: String, leftovers_json: Option<String>| {
            self.frames.push(ScratchFrame {
                frame_kind: kind.to_owned(),
                list_id,
                contact_id,
                customer_external_id: outcome.draft.external_id.as_str().to_owned(),
                customer_name: name.clone(),
                leftovers_json,
            })
        };
        // What a member in no list has left stands on the card of the first member that is in one.
        let is_listed = |id: ContactId| self.ctx.memberships.lists_of(id).next().is_some();
        let Some(host) = members.iter().map(|member| member.id).find(|id| is_listed(*id)) else {
            return Ok(frame(PERSON, String::new(), person.to_string(), leftovers_json(&outcome.leftover))?);
        };
        for member in members {
            let moved: Vec<Leftover> = outcome
                .leftover
                .iter()
                .filter(|left| left.contact == member.id || (member.id == host && !is_listed(left.contact)))
                .map(|left| Leftover { contact: member.id, ..left.clone() })
                .collect();
            for list in self.ctx.memberships.lists_of(member.id) {
                frame(LEAD, list.to_string(), member.id.to_string(), leftovers_json(&moved))?;
            }
        }
        if self.keeps_person_frames {
            frame(PERSON, String::new(), person.to_string(), leftovers_json(&outcome.leftover))?;
        }
        Ok(())
    }
}
