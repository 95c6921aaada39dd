//! The account itself: who is in it, and every question that an API or a file may ask about it.
//!
//! Deliberately absent: how LeadDesk shows any of it; that is the twin's affair.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use crate::generate::Shape;
use crate::generate::call::{CALL_ID_FIRST, Call, CallRecord, NO_CONTACT, NONE, Recording};
use crate::generate::chance::narrow;
use crate::generate::contact::{CONTACT_ID_FIRST, Contact, ContactRecord, ContactText, Draft};
use crate::generate::index::Index;
use crate::generate::organisation::{
    AgentGroup, BlacklistEntry, CallingList, Campaign, FieldDefinition, Office, Organisation, Outcome, User,
};
use crate::generate::phone;
use crate::generate::planted::Planted;
use crate::generate::stamp::Stamp;

/// A whole LeadDesk account. Its bytes depend on its shape, and on the changes that were applied since.
#[derive(Debug, Clone)]
pub struct Account {
    pub(crate) shape: Shape,
    pub(crate) organisation: Organisation,
    pub(crate) blacklist: Vec<BlacklistEntry>,
    pub(crate) contacts: Vec<ContactRecord>,
    /// Cards that somebody edited, by position; all others are computed.
    pub(crate) texts: BTreeMap<u32, ContactText>,
    /// Numbers that were changed on their own, by position and slot.
    pub(crate) phone_updates: BTreeMap<(u32, u8), Stamp>,
    /// In the order of creation.
    pub(crate) calls: Vec<CallRecord>,
    /// Planted comments, by sequence number.
    pub(crate) comments: BTreeMap<u32, &'static str>,
    /// Contacts whose export rows lack the last column, by position.
    pub(crate) short_rows: BTreeSet<u32>,
    pub(crate) persons: u32,
    pub(crate) index: Index,
    pub(crate) planted: Vec<Planted>,
}

impl Account {
    /// What it was generated from.
    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    /// User accounts, by id.
    pub fn users(&self) -> impl ExactSizeIterator<Item = &User> {
        self.organisation.users.iter()
    }

    /// Offices, by id.
    pub fn offices(&self) -> impl ExactSizeIterator<Item = &Office> {
        self.organisation.offices.iter()
    }

    /// Agent groups, by id.
    pub fn groups(&self) -> impl ExactSizeIterator<Item = &AgentGroup> {
        self.organisation.groups.iter()
    }

    /// Names of the sponsors.
    pub fn sponsors(&self) -> impl Iterator<Item = &str> {
        self.organisation.sponsors.iter().map(String::as_str)
    }

    /// Campaigns, by id.
    pub fn campaigns(&self) -> impl ExactSizeIterator<Item = &Campaign> {
        self.organisation.campaigns.iter()
    }

    /// Calling lists that are not gone, by id.
    pub fn lists(&self) -> impl Iterator<Item = &CallingList> {
        self.organisation.lists.iter().filter(|list| !list.gone)
    }

    /// Outcomes, by id, each with the campaign it belongs to.
    pub fn outcomes(&self) -> impl Iterator<Item = (&Outcome, Option<&Campaign>)> {
        self.organisation.outcomes.iter().map(|outcome| {
            let campaign =
                outcome.campaign.map(|position| &self.organisation.campaigns[usize::from(position)]);
            (outcome, campaign)
        })
    }

    /// Labels of the custom slots, by campaign and slot.
    pub fn fields(&self) -> impl Iterator<Item = (&Campaign, &FieldDefinition)> {
        let campaigns = self.organisation.campaigns.iter().zip(&self.organisation.fields);
        campaigns.flat_map(|(campaign, fields)| fields.iter().map(move |field| (campaign, field)))
    }

    /// Numbers that must not be called, in the order of upload.
    pub fn blacklist(&self) -> &[BlacklistEntry] {
        &self.blacklist
    }

    /// What was planted on purpose, for tests that look for each of it.
    pub fn planted(&self) -> &[Planted] {
        &self.planted
    }

    /// How many contacts there are.
    pub fn contact_count(&self) -> usize {
        self.contacts.iter().filter(|contact| contact.alive).count()
    }

    /// How many contacts are in a list that is not gone: those that a reader of exports can find.
    pub fn listed_contact_count(&self) -> usize {
        let listed = |contact: &&ContactRecord| {
            let mut lists =
                contact.memberships().map(|(list, _)| &self.organisation.lists[usize::from(list)]);
            contact.alive && lists.any(|list| !list.gone)
        };
        self.contacts.iter().filter(listed).count()
    }

    /// How many pairs of list and contact there are.
    pub fn lead_count(&self) -> usize {
        self.lists().map(|list| self.members(list).count()).sum()
    }

    /// How many calls there are.
    pub fn call_count(&self) -> usize {
        self.calls.len()
    }

    /// The list of that id, unless it is gone.
    pub fn list(&self, id: u32) -> Option<&CallingList> {
        self.lists().find(|list| list.id == id)
    }

    /// The campaigns that call a list.
    pub fn campaigns_of<'a>(&'a self, list: &'a CallingList) -> impl Iterator<Item = &'a Campaign> {
        list.campaigns.iter().map(|position| &self.organisation.campaigns[usize::from(*position)])
    }

    /// The contact of that id, unless it was deleted.
    pub fn contact(&self, id: u32) -> Option<Contact> {
        Some(self.contact_at(self.position_of(id)?))
    }

    /// All contacts, by id, each computed as it is asked for.
    pub fn contacts(&self) -> impl Iterator<Item = Contact> {
        self.positions().map(|position| self.contact_at(position))
    }

    /// The call of that id.
    pub fn call(&self, id: u32) -> Option<Call> {
        let position = id.checked_sub(CALL_ID_FIRST)?;
        (position < narrow(self.calls.len())).then(|| self.call_at(position))
    }

    /// All calls, by id, each computed as it is asked for.
    pub fn calls(&self) -> impl Iterator<Item = Call> {
        (0..narrow(self.calls.len())).map(|position| self.call_at(position))
    }

    /// Ids of all contacts, ascending.
    pub fn contact_ids(&self) -> impl Iterator<Item = u32> {
        self.positions().map(|position| CONTACT_ID_FIRST + position)
    }

    /// Ids of the contacts in a list, ascending; none if the list is gone.
    pub fn contact_ids_of_list(&self, list_id: u32) -> impl Iterator<Item = u32> {
        let members = self.list(list_id).into_iter().flat_map(|list| self.members(list));
        members.map(|position| CONTACT_ID_FIRST + position)
    }

    /// Whether a contact is in a list.
    pub fn is_in_list(&self, contact_id: u32, list_id: u32) -> bool {
        self.position_of(contact_id).is_some_and(|position| {
            let lists = self.contacts[position as usize].memberships();
            lists
                .map(|(list, _)| &self.organisation.lists[usize::from(list)])
                .any(|list| list.id == list_id && !list.gone)
        })
    }

    /// Positions of the calls created in `from <= created_at < to`, for [`Account::call_at`].
    pub(crate) fn calls_created(&self, from: Option<Stamp>, to: Option<Stamp>) -> Range<u32> {
        let place = |bound: Stamp| narrow(self.calls.partition_point(|call| call.created_at < bound));
        let begin = from.map_or(0, place);
        begin..to.map_or(narrow(self.calls.len()), place).max(begin)
    }

    /// Ids of the contacts with exactly this raw number, ascending.
    pub fn contacts_with_phone(&self, raw: &str) -> Vec<u32> {
        let candidates = self.index.raw.candidates(raw);
        let found = candidates.filter(|position| self.phones_at(*position).iter().any(|phone| phone == raw));
        found.map(|position| CONTACT_ID_FIRST + position).collect()
    }

    /// Ids of the contacts with exactly this address, ascending.
    pub fn contacts_with_email(&self, email: &str) -> Vec<u32> {
        let candidates = self.index.emails.candidates(email);
        let found = candidates.filter(|position| self.email_at(*position) == email);
        found.map(|position| CONTACT_ID_FIRST + position).collect()
    }

    /// Ids of the contacts with exactly this national id, ascending.
    pub fn contacts_with_ssc(&self, ssc: &str) -> Vec<u32> {
        let candidates = self.index.sscs.candidates(ssc);
        let found = candidates.filter(|position| self.ssc_at(*position) == ssc);
        found.map(|position| CONTACT_ID_FIRST + position).collect()
    }

    /// Ids of the calls with a number: as calls show it, or as it stands raw on the contact that was called.
    pub fn calls_with_phone(&self, number: &str) -> Vec<u32> {
        let mut found: Vec<u32> = self
            .index
            .strangers
            .candidates(number)
            .filter(|position| self.calls[*position as usize].stranger_number(self.shape.seed) == number)
            .collect();
        let contacts = self.index.raw.candidates(number).chain(self.index.dialled.candidates(number));
        for contact in contacts.collect::<BTreeSet<u32>>() {
            let phones = self.phones_at(contact);
            let dialled = |call: &CallRecord| {
                let phone = phones.get(usize::from(call.slot));
                phone.is_some_and(|raw| raw == number || phone::dialled(raw) == number)
            };
            let calls = self.index.calls.of(contact as usize);
            found.extend(calls.iter().filter(|position| dialled(&self.calls[**position as usize])));
        }
        found.sort_unstable();
        found.into_iter().map(|position| CALL_ID_FIRST + position).collect()
    }

    /// Ids of the calls of a contact, ascending.
    pub fn calls_of_contact(&self, contact_id: u32) -> Vec<u32> {
        let Some(contact) = contact_id.checked_sub(CONTACT_ID_FIRST) else {
            return Vec::new();
        };
        self.index.calls.of(contact as usize).iter().map(|position| CALL_ID_FIRST + position).collect()
    }

    /// The call whose sound file has this name, whether or not the file is still there.
    pub fn call_with_recording(&self, name: &str) -> Option<Call> {
        let id = name.strip_suffix(".wav.mp3")?.rsplit('-').next()?.parse().ok()?;
        self.call(id).filter(|call| call.record_file == name)
    }

    pub(crate) fn position_of(&self, contact_id: u32) -> Option<u32> {
        let position = contact_id.checked_sub(CONTACT_ID_FIRST)?;
        self.contacts.get(position as usize).filter(|contact| contact.alive).map(|_| position)
    }

    pub(crate) fn positions(&self) -> impl Iterator<Item = u32> {
        (0..).zip(&self.contacts).filter(|(_, contact)| contact.alive).map(|(position, _)| position)
    }

    /// Positions of the contacts in a list, ascending.
    pub(crate) fn members<'a>(&'a self, list: &CallingList) -> impl Iterator<Item = u32> + use<'a> {
        let position = self.organisation.lists.iter().position(|other| other.id == list.id);
        position.map_or(&[][..], |position| self.index.lists.of(position)).iter().copied()
    }

    pub(crate) fn draft(&self, position: u32) -> Draft {
        let record = self.contacts[position as usize];
        Draft { seed: self.shape.seed, position, person: record.person, phones: record.phones }
    }

    /// The labels that hold for a contact: those of the first campaign of its first list.
    pub(crate) fn fields_at(&self, position: u32) -> &[FieldDefinition] {
        let list = self.contacts[position as usize].lists[0];
        let campaign = self.organisation.lists.get(usize::from(list)).and_then(|list| list.campaigns.first());
        campaign.map_or(&[], |campaign| self.organisation.fields[usize::from(*campaign)].as_slice())
    }

    pub(crate) fn text_at(&self, position: u32) -> ContactText {
        let edited = self.texts.get(&position).cloned();
        edited.unwrap_or_else(|| self.draft(position).text(self.fields_at(position)))
    }

    pub(crate) fn phones_at(&self, position: u32) -> Vec<String> {
        let edited = self.texts.get(&position).map(|text| text.phones.clone());
        edited.unwrap_or_else(|| self.draft(position).phones())
    }

    pub(crate) fn email_at(&self, position: u32) -> String {
        let edited = self.texts.get(&position).map(|text| text.email.clone());
        edited.unwrap_or_else(|| self.draft(position).email())
    }

    pub(crate) fn ssc_at(&self, position: u32) -> String {
        let edited = self.texts.get(&position).map(|text| text.ssc.clone());
        edited.unwrap_or_else(|| self.draft(position).ssc())
    }

    fn contact_at(&self, position: u32) -> Contact {
        let record = self.contacts[position as usize];
        let lists = record.memberships().map(|(list, _)| &self.organisation.lists[usize::from(list)]);
        Contact {
            id: CONTACT_ID_FIRST + position,
            list_ids: lists.filter(|list| !list.gone).map(|list| list.id).collect(),
            updated_at: record.updated_at,
            text: self.text_at(position),
        }
    }

    pub(crate) fn outcome_at(&self, record: &CallRecord) -> Option<&Outcome> {
        (record.outcome != NONE).then(|| &self.organisation.outcomes[usize::from(record.outcome)])
    }

    pub(crate) fn agent_of(&self, record: &CallRecord) -> Option<&User> {
        (record.agent != NONE).then(|| &self.organisation.users[usize::from(record.agent)])
    }

    pub(crate) fn campaign_of(&self, record: &CallRecord) -> Option<&Campaign> {
        (record.campaign != NONE).then(|| &self.organisation.campaigns[usize::from(record.campaign)])
    }

    fn number_of(&self, record: &CallRecord) -> String {
        if record.contact == NO_CONTACT {
            return record.stranger_number(self.shape.seed);
        }
        let phones = self.phones_at(record.contact);
        phones.get(usize::from(record.slot)).map_or_else(String::new, |raw| phone::dialled(raw))
    }

    pub(crate) fn call_at(&self, position: u32) -> Call {
        let record = &self.calls[position as usize];
        let seed = self.shape.seed;
        let id = CALL_ID_FIRST + position;
        let (agent, campaign, outcome) =
            (self.agent_of(record), self.campaign_of(record), self.outcome_at(record));
        let group_id = agent.and_then(|agent| agent.group_id);
        let group = group_id.and_then(|id| self.groups().find(|group| group.id == id));
        let number = self.number_of(record);
        let record_file = match record.recording {
            Recording::None => String::new(),
            _ => format!("{}_{}-{id}.wav.mp3", record.created_at.compact(), number.replace('/', "")),
        };
        Call {
            id,
            agent_id: agent.map(|agent| agent.id),
            agent_username: agent.map(|agent| agent.username.clone()).unwrap_or_default(),
            agent_group_id: group_id,
            agent_group_name: group.map(|group| group.name.clone()).unwrap_or_default(),
            talk_time: u32::from(record.talk),
            created_at: record.created_at,
            talked: record.talked(seed),
            number,
            campaign_id: campaign.map(|campaign| campaign.id),
            campaign_name: campaign.map(|campaign| campaign.name.clone()).unwrap_or_default(),
            contact_id: (record.contact != NO_CONTACT).then(|| CONTACT_ID_FIRST + record.contact),
            customer_id: record.customer_id(),
            outcome_id: outcome.map(|outcome| outcome.id),
            outcome_name: outcome
                .map(|outcome| outcome.name_at(record.created_at).to_owned())
                .unwrap_or_default(),
            comment: match self.comments.get(&record.sequence) {
                Some(planted) => (*planted).to_owned(),
                None => record.comment(seed),
            },
            record_file,
            recording: record.recording,
            inbound: record.inbound,
            order_ids: record.order_ids(seed, outcome.is_some_and(|outcome| outcome.name == "Deal")),
        }
    }
}
