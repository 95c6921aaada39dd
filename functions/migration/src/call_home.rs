//! Which ticket a call belongs to.
//!
//! The lead of its contact and of a list that its campaign dials; else the person's newest lead; else a ticket of calls
//! without lead, of the person or, without a person, of the number. Leads are kept as three numbers each.
//! Deliberately absent: following LeadDesk's `customer_id`, whose meaning is unknown (facts: call record).

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use crate::contact_point::{Region, digits_of, normalize_phone};
use crate::leaddesk::{Call, CallingList, CampaignId, ContactId, Lead, LeadId, ListId};
use crate::person::{PersonId, Persons, PhoneOwner};
use crate::text::{clean, folded};

/// Digits below which a text is no number, such as `0` or `anonymous`.
const DIGITS_MIN: usize = 3;

/// Where a call goes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Home {
    /// The ticket of this lead.
    Lead(LeadId),
    /// The calls-without-lead ticket of this person, who has no lead at all. Holds the contact that names the person.
    PersonWithoutLead(ContactId),
    /// The calls-without-lead ticket of a number: E.164, else its digits.
    Number(String),
    /// Neither person nor number: the ticket of unknown callers.
    Nobody,
}

/// One lead in the index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    contact: ContactId,
    /// Latest evidence in seconds; leads without any come last.
    recency: i64,
    list: ListId,
    /// Index into the campaign names; [`NO_CAMPAIGN`] without one.
    last_campaign: u32,
}

const NO_CAMPAIGN: u32 = u32::MAX;

/// Collects leads in any order.
#[derive(Debug, Default)]
pub struct CallIndexBuilder {
    entries: Vec<Entry>,
    campaign_names: BTreeMap<String, u32>,
}

/// Answers for every call where it goes.
#[derive(Debug, Clone)]
pub struct CallIndex {
    /// By contact; of one contact the newest first.
    entries: Vec<Entry>,
    /// Newest lead of every person that has one, by person.
    newest: Vec<(PersonId, LeadId)>,
    campaign_names: BTreeMap<String, u32>,
    campaigns_of_list: BTreeMap<ListId, Vec<CampaignId>>,
    persons: Arc<Persons>,
    region: Region,
}

impl CallIndexBuilder {
    /// Knows no lead yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes one lead.
    pub fn add(&mut self, lead: &Lead) {
        let last_campaign = match lead.last_campaign.as_deref().map(folded).filter(|name| !name.is_empty()) {
            None => NO_CAMPAIGN,
            Some(name) => {
                let next = u32::try_from(self.campaign_names.len()).unwrap_or(NO_CAMPAIGN);
                *self.campaign_names.entry(name).or_insert(next)
            }
        };
        let recency = lead.last_call_at.max(lead.contact_updated_at).map_or(i64::MIN, Timestamp::as_second);
        self.entries.push(Entry { contact: lead.id.contact, recency, list: lead.id.list, last_campaign });
    }

    /// Sorts the index. `lists` tell which campaigns dial a list.
    #[must_use]
    pub fn finish(self, lists: &[CallingList], persons: Arc<Persons>, region: Region) -> CallIndex {
        let Self { mut entries, campaign_names } = self;
        entries.sort_unstable_by_key(|entry| {
            (entry.contact, entry.list, std::cmp::Reverse(entry.recency), entry.last_campaign)
        });
        entries.dedup_by_key(|entry| (entry.contact, entry.list));
        // Newest first, of equals the larger list: later lists are newer.
        entries.sort_unstable_by_key(|entry| (entry.contact, std::cmp::Reverse((entry.recency, entry.list))));
        entries.shrink_to_fit();
        let newest = newest(&entries, &persons);
        let campaigns_of_list = lists.iter().map(|list| (list.id, list.campaigns.clone())).collect();
        CallIndex { entries, newest, campaign_names, campaigns_of_list, persons, region }
    }
}

fn newest(entries: &[Entry], persons: &Persons) -> Vec<(PersonId, LeadId)> {
    let mut all: Vec<(PersonId, i64, LeadId)> = entries
        .chunk_by(|left, right| left.contact == right.contact)
        .filter_map(|leads| {
            let first = leads.first()?;
            let person = persons.person_of(first.contact).unwrap_or(PersonId(first.contact));
            Some((person, first.recency, LeadId { list: first.list, contact: first.contact }))
        })
        .collect();
    all.sort_unstable_by_key(|(person, recency, lead)| (*person, std::cmp::Reverse((*recency, *lead))));
    all.dedup_by_key(|(person, ..)| *person);
    all.into_iter().map(|(person, _, lead)| (person, lead)).collect()
}

impl CallIndex {
    /// Where a call goes.
    #[must_use]
    pub fn home(&self, call: &Call) -> Home {
        if let Some(contact) = call.contact {
            if let Some(lead) = self.lead_of_campaign(contact, call) {
                return Home::Lead(lead);
            }
            let person = self
                .persons
                .person_of(contact)
                .or_else(|| self.has_lead(contact).then_some(PersonId(contact)));
            if let Some(person) = person {
                return self.home_of_person(person);
            }
        }
        self.home_of_number(call.number.as_deref())
    }

    /// Where something of a person goes: its newest lead, else its ticket of calls without lead.
    #[must_use]
    pub fn home_of_person(&self, person: PersonId) -> Home {
        match self.newest.binary_search_by_key(&person, |(person, _)| *person) {
            Ok(index) => Home::Lead(self.newest[index].1),
            Err(_) => Home::PersonWithoutLead(person.contact()),
        }
    }

    /// A number that exactly one person has leads to that person; nobody is merged by it.
    fn home_of_number(&self, number: Option<&str>) -> Home {
        let Some(number) = number.map(clean) else { return Home::Nobody };
        let normalized = normalize_phone(&number, self.region);
        let (owner, key) = match &normalized {
            Some(phone) => (self.persons.owner_of_phone(phone), phone.as_str().to_owned()),
            None => (self.persons.owner_of_raw_number(&number), digits_of(&number)),
        };
        if normalized.is_none() && key.len() < DIGITS_MIN {
            return Home::Nobody;
        }
        match owner {
            PhoneOwner::One(person) => self.home_of_person(person),
            PhoneOwner::Several(_) | PhoneOwner::Nobody => Home::Number(key),
        }
    }

    fn leads_of(&self, contact: ContactId) -> &[Entry] {
        let start = self.entries.partition_point(|entry| entry.contact < contact);
        let length = self.entries[start..].partition_point(|entry| entry.contact == contact);
        &self.entries[start..start + length]
    }

    fn has_lead(&self, contact: ContactId) -> bool {
        !self.leads_of(contact).is_empty()
    }

    /// The newest lead of the contact in a list that the call's campaign dials, or was last called in.
    fn lead_of_campaign(&self, contact: ContactId, call: &Call) -> Option<LeadId> {
        let name = call.campaign_name.as_deref().map(folded).filter(|name| !name.is_empty());
        let name = name.and_then(|name| self.campaign_names.get(&name).copied());
        let leads = self.leads_of(contact);
        let dialled = |entry: &&Entry| {
            let campaigns = self.campaigns_of_list.get(&entry.list);
            call.campaign
                .is_some_and(|campaign| campaigns.is_some_and(|campaigns| campaigns.contains(&campaign)))
        };
        let called = |entry: &&Entry| name.is_some_and(|name| entry.last_campaign == name);
        let found = leads.iter().find(dialled).or_else(|| leads.iter().find(called))?;
        Some(LeadId { list: found.list, contact })
    }
}
