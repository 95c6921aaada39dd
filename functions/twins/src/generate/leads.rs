//! Rows of a list export: one per contact and number, as LeadDesk's export button and API write them.
//!
//! Deliberately absent: e-mail, company and the custom slots. The export has fourteen columns and none of those (facts:
//! the calling-list export).

use std::borrow::Cow;

use crate::generate::account::Account;
use crate::generate::chance::{Chance, Stream, narrow};
use crate::generate::contact::CONTACT_ID_FIRST;
use crate::generate::organisation::CallingList;
use crate::generate::stamp::Stamp;

/// The last call of one number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastCall {
    /// When it was made.
    pub at: Stamp,
    /// Name of its outcome at that time, or empty.
    pub outcome: String,
    /// Name of its campaign, or empty.
    pub campaign: String,
    /// Name of its agent, or empty.
    pub agent: String,
}

/// One row of a list export.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportRow {
    /// Contact id; repeats for every number of the contact.
    pub contact_id: u32,
    /// Raw number; empty for a contact without any.
    pub phone: String,
    /// First name.
    pub fname: String,
    /// Last name.
    pub lname: String,
    /// Street.
    pub address: String,
    /// Postal code.
    pub postcode: String,
    /// City.
    pub city: String,
    /// Whether work on the contact has ended in this list.
    pub finalised: bool,
    /// Last change of the contact.
    pub contact_updated_at: Stamp,
    /// Last change of the number.
    pub phone_updated_at: Stamp,
    /// Last call of the number.
    pub last_call: Option<LastCall>,
    /// Whether the row lacks its last column.
    pub short: bool,
}

impl ExportRow {
    /// The columns in the order of the export: 14, or 13 for a short row.
    pub fn columns(&self) -> Vec<Cow<'_, str>> {
        let last = self.last_call.as_ref();
        let name = |part: fn(&LastCall) -> &str| Cow::Borrowed(last.map_or("", part));
        let mut columns = vec![
            Cow::Owned(self.contact_id.to_string()),
            Cow::Borrowed(self.phone.as_str()),
            Cow::Borrowed(&self.fname),
            Cow::Borrowed(&self.lname),
            Cow::Borrowed(&self.address),
            Cow::Borrowed(&self.postcode),
            Cow::Borrowed(&self.city),
            Cow::Borrowed(if self.finalised { "*" } else { "" }),
            Cow::Owned(self.contact_updated_at.to_string()),
            Cow::Owned(self.phone_updated_at.to_string()),
            last.map_or(Cow::Borrowed(""), |call| Cow::Owned(call.at.to_string())),
            name(|call| &call.outcome),
            name(|call| &call.campaign),
            name(|call| &call.agent),
        ];
        if self.short {
            columns.pop();
        }
        columns
    }
}

impl Account {
    /// The rows of a list's export, by contact id and number.
    pub fn export<'a>(&'a self, list: &CallingList) -> impl Iterator<Item = ExportRow> + use<'a> {
        let place = self.organisation.lists.iter().position(|other| other.id == list.id);
        self.members(list).flat_map(move |contact| self.rows_of(contact, place))
    }

    /// The rows of one contact in the list at `list`.
    fn rows_of(&self, contact: u32, list: Option<usize>) -> Vec<ExportRow> {
        let record = self.contacts[contact as usize];
        let finalised = record.memberships().any(|(other, ended)| Some(usize::from(other)) == list && ended);
        let text = self.text_at(contact);
        let numbers = if text.phones.is_empty() { vec![String::new()] } else { text.phones };
        (0_u8..)
            .zip(numbers)
            .map(|(slot, phone)| ExportRow {
                contact_id: CONTACT_ID_FIRST + contact,
                phone,
                fname: text.fname.clone(),
                lname: text.lname.clone(),
                address: text.address.clone(),
                postcode: text.postcode.clone(),
                city: text.city.clone(),
                finalised,
                contact_updated_at: record.updated_at,
                phone_updated_at: self.phone_updated_at(contact, slot),
                last_call: self.last_call(contact, slot),
                short: self.short_rows.contains(&contact),
            })
            .collect()
    }

    fn phone_updated_at(&self, contact: u32, slot: u8) -> Stamp {
        let touched = self.phone_updates.get(&(contact, slot)).copied();
        touched.unwrap_or_else(|| {
            let seed = self.shape.seed ^ u64::from(slot);
            let age = Chance::of(seed, Stream::PhoneUpdates, u64::from(contact)).below(90 * 86_400);
            // Numbers do not become older because somebody edits the card.
            Stamp::civil(2024, 9, 1, 8, 0, 0).plus(age)
        })
    }

    fn last_call(&self, contact: u32, slot: u8) -> Option<LastCall> {
        let calls =
            self.index.calls.of(contact as usize).iter().map(|position| &self.calls[*position as usize]);
        let last = calls.filter(|call| call.slot == slot).max_by_key(|call| call.created_at)?;
        Some(LastCall {
            at: last.created_at,
            outcome: self
                .outcome_at(last)
                .map_or_else(String::new, |it| it.name_at(last.created_at).to_owned()),
            campaign: self.campaign_of(last).map_or_else(String::new, |campaign| campaign.name.clone()),
            agent: self.agent_of(last).map_or_else(String::new, |agent| agent.name.clone()),
        })
    }

    /// When a contact's number was last called; 0 is the primary number.
    pub fn last_call_at(&self, contact_id: u32, slot: u8) -> Option<Stamp> {
        self.last_call(self.position_of(contact_id)?, slot).map(|call| call.at)
    }

    /// How many rows the exports of all lists have together.
    pub fn export_row_count(&self) -> usize {
        let rows = |contact: u32| narrow(self.phones_at(contact).len()).max(1) as usize;
        self.lists().flat_map(|list| self.members(list)).map(rows).sum()
    }
}
