//! Small records and contexts that the tables start from.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use jiff::Timestamp;
use migration::contact_point::Region;
use migration::customer::{Blacklist, CustomerContext};
use migration::fields::{FieldPlan, FieldPlanInput, Memberships, ScopeMap};
use migration::finding::Note;
use migration::leaddesk::{
    Call, CallId, CallingList, Campaign, CampaignId, Contact, ContactId, Direction, Lead, LeadId, LeadStatus,
    ListId, OutcomeId, User, UserId,
};
use migration::local_time::SourceZone;
use migration::person::{ContactIdentity, Persons, Resolver};
use migration::settings::MappingSettings;
use migration::tags::TagPlan;
use migration::teams::TeamPlan;
use migration::ticket::{CampaignIndex, TicketContext};
use migration::users::{NameIndex, UserMatches};
use proptest::test_runner::{Config as ProptestConfig, RngSeed};

/// Properties draw from a fixed seed: a failure is found again by running the test again.
pub(crate) fn seeded(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        rng_seed: RngSeed::Fixed(20_261_123),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

pub(crate) fn fi() -> Region {
    "FI".parse().unwrap()
}

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(crate) fn settings() -> MappingSettings {
    MappingSettings::new(SourceZone::new("Europe/Helsinki").unwrap(), fi())
}

pub(crate) fn contact(id: u64) -> Contact {
    Contact {
        id: ContactId(id),
        phones: Vec::new(),
        first_name: None,
        last_name: None,
        email: None,
        www: None,
        address: None,
        postcode: None,
        city: None,
        country: None,
        title: None,
        company: None,
        company_registration: None,
        vat_number: None,
        comment: None,
        slots: BTreeMap::new(),
    }
}

/// A contact with name, email and numbers; empty texts are absent.
pub(crate) fn person(id: u64, name: &str, email: &str, phones: &[&str]) -> Contact {
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let (first, last) = name.split_once(' ').unwrap_or((name, ""));
    Contact {
        first_name: some(first),
        last_name: some(last),
        email: some(email),
        phones: phones.iter().map(|phone| (*phone).to_owned()).collect(),
        ..contact(id)
    }
}

pub(crate) fn resolve(contacts: &[Contact]) -> Persons {
    let mut resolver = Resolver::new();
    for contact in contacts {
        resolver.add(ContactIdentity::of(contact, fi()));
    }
    resolver.finish()
}

pub(crate) fn lead(list: u64, contact: u64) -> Lead {
    Lead {
        id: LeadId { list: ListId(list), contact: ContactId(contact) },
        list_name: format!("List {list}"),
        status: LeadStatus::InCirculation,
        status_text: "in_circulation".to_owned(),
        last_result: None,
        last_campaign: None,
        last_agent: None,
        last_call_at: None,
        contact_updated_at: None,
        phones: Vec::new(),
    }
}

pub(crate) fn call(id: u64, created_at: &str) -> Call {
    Call {
        id: CallId(id),
        created_at: at(created_at),
        talk_seconds: Some(307),
        agent: Some(UserId(5)),
        agent_username: Some("agent5".to_owned()),
        group: None,
        group_name: None,
        number: Some("+358401234567".to_owned()),
        campaign: Some(CampaignId(12)),
        campaign_name: Some("Q4-Outbound-SMS".to_owned()),
        contact: Some(ContactId(1)),
        outcome: Some(OutcomeId(3)),
        outcome_name: Some("Deal".to_owned()),
        comment: None,
        recording: None,
        fetched: None,
        direction: Some(Direction::Outbound),
        call_type: None,
    }
}

pub(crate) fn campaign(id: u64, name: &str, sponsor: &str) -> Campaign {
    Campaign {
        id: CampaignId(id),
        name: name.to_owned(),
        kind: None,
        is_disabled: false,
        sponsor: (!sponsor.is_empty()).then(|| sponsor.to_owned()),
    }
}

pub(crate) fn list(id: u64, name: &str, campaigns: &[u64]) -> CallingList {
    CallingList {
        id: ListId(id),
        name: name.to_owned(),
        campaigns: campaigns.iter().map(|id| CampaignId(*id)).collect(),
        office: None,
    }
}

pub(crate) fn user(id: u64, name: &str, email: &str, role: &str) -> User {
    User {
        id: UserId(id),
        name: name.to_owned(),
        username: format!("agent{id}"),
        email: (!email.is_empty()).then(|| email.to_owned()),
        role: role.to_owned(),
        is_active: true,
        office: None,
    }
}

pub(crate) fn gorgias_user(id: u64, email: &str) -> migration::gorgias::User {
    migration::gorgias::User {
        id: migration::gorgias::UserId(id),
        name: String::new(),
        email: (!email.is_empty()).then(|| email.to_owned()),
        role: "agent".to_owned(),
        is_active: true,
    }
}

/// Fixed fields only.
pub(crate) fn fixed_fields(settings: &MappingSettings) -> FieldPlan {
    FieldPlan::build(&FieldPlanInput {
        statistics: &BTreeMap::new(),
        settings: &[],
        existing: &[],
        scope_names: &BTreeMap::new(),
        mapping: settings,
        suggestions: &BTreeMap::new(),
    })
}

/// Owns what a [`CustomerContext`] borrows.
pub(crate) struct CustomerWorld {
    pub(crate) settings: MappingSettings,
    pub(crate) fields: FieldPlan,
    pub(crate) persons: Persons,
    pub(crate) memberships: Memberships,
    pub(crate) scopes: ScopeMap,
    pub(crate) blacklist: Blacklist,
    pub(crate) reserved_emails: BTreeSet<String>,
}

impl CustomerWorld {
    pub(crate) fn new(contacts: &[Contact]) -> Self {
        let settings = settings();
        Self {
            fields: fixed_fields(&settings),
            persons: resolve(contacts),
            memberships: Memberships::new(contacts.iter().map(|contact| (contact.id, ListId(7)))),
            scopes: ScopeMap::new(&[list(7, "Autumn", &[12])]),
            blacklist: Blacklist::default(),
            reserved_emails: BTreeSet::new(),
            settings,
        }
    }

    pub(crate) fn ctx(&self) -> CustomerContext<'_> {
        CustomerContext {
            settings: &self.settings,
            fields: &self.fields,
            persons: &self.persons,
            memberships: &self.memberships,
            scopes: &self.scopes,
            blacklist: &self.blacklist,
            reserved_emails: &self.reserved_emails,
        }
    }
}

/// Owns what a [`TicketContext`] borrows.
pub(crate) struct TicketWorld {
    pub(crate) settings: MappingSettings,
    pub(crate) fields: FieldPlan,
    pub(crate) users: UserMatches,
    pub(crate) names: NameIndex,
    pub(crate) teams: TeamPlan,
    pub(crate) tags: TagPlan,
    pub(crate) campaigns: CampaignIndex,
}

impl TicketWorld {
    /// Agent 5 has a user, agent 6 has none; agents 7 and 8 share a name.
    pub(crate) fn new() -> Self {
        let settings = settings();
        let users = [
            user(5, "Agent Five", "five@company.example", "Agent"),
            user(6, "Agent Six", "", "Agent"),
            user(7, "Same Name", "seven@company.example", "Agent"),
            user(8, "Same Name", "eight@company.example", "Agent"),
        ];
        let users = migration::users::match_users(&users, &[gorgias_user(50, "five@company.example")]);
        let campaigns = [campaign(12, "Q4-Outbound-SMS", "Sponsor A"), campaign(13, "Renewals", "")];
        let mut teams = TeamPlan::default();
        teams.of_user.insert(UserId(5), migration::keys::TeamKey("group:2".to_owned()));
        Self {
            fields: fixed_fields(&settings),
            names: users.by_name(),
            users,
            teams,
            tags: TagPlan::build(&campaigns, &[], &settings, &[]),
            campaigns: CampaignIndex::new(&campaigns),
            settings,
        }
    }

    pub(crate) fn ctx(&self) -> TicketContext<'_> {
        TicketContext {
            settings: &self.settings,
            fields: &self.fields,
            users: &self.users,
            names: &self.names,
            teams: &self.teams,
            tags: &self.tags,
            campaigns: &self.campaigns,
            as_of: at("2026-10-01T00:00:00Z"),
        }
    }
}

/// One note a line: code, record, detail.
pub(crate) fn notes_text(notes: &[Note]) -> String {
    let mut out = String::new();
    for note in notes {
        let line = format!("{} {}/{} {}", note.code, note.object.as_str(), note.source_id, note.detail);
        writeln!(out, "{}", line.trim_end()).unwrap();
    }
    out
}

/// Each of these codes is told in words, and in no other's; a code that nobody knows is told in none.
pub(crate) fn assert_own_words(codes: &[&str], words: fn(&str) -> &'static str) {
    let told: BTreeSet<&str> = codes.iter().map(|code| words(code)).filter(|text| text.len() > 10).collect();
    assert_eq!(told.len(), codes.len(), "{told:?}");
    assert_eq!(words("ABC999"), "");
}
