//! Proposal, conflicts, confirmation and digest.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use expect_test::expect;
use migration::fields::{FieldPlan, Scope, SlotKey, SlotStatistics};
use migration::finding::ObjectKind;
use migration::gorgias::{self, FieldKind, FieldObject};
use migration::leaddesk::{CampaignId, Group, Office, Outcome, Slot, SlotSetting, User, UserId};
use migration::mapping::{
    Alternative, ConfirmedMapping, Decision, MappingParts, MappingProposal, ProposalInput, Reviewer,
    RowChoice, RowEvidence, RowId, SettleError,
};
use migration::settings::{CallChannel, ConflictRule, MappingSettings, RecordingPolicy};

use crate::support::{at, campaign, gorgias_user, list, settings, user};

pub(crate) struct Account {
    pub(crate) users: Vec<User>,
    pub(crate) gorgias_users: Vec<gorgias::User>,
    pub(crate) gorgias_teams: Vec<gorgias::Team>,
    pub(crate) gorgias_fields: Vec<gorgias::Field>,
    pub(crate) statistics: BTreeMap<SlotKey, SlotStatistics>,
    pub(crate) slot_settings: Vec<SlotSetting>,
    pub(crate) looked_at: BTreeMap<Scope, u64>,
    pub(crate) outcomes: Vec<(Outcome, u64)>,
    pub(crate) lead_statuses: BTreeMap<String, u64>,
    pub(crate) offices: Vec<Office>,
    pub(crate) groups: Vec<Group>,
}

impl Account {
    pub(crate) fn new() -> Self {
        let slot = |number| Slot::new(number).unwrap();
        let scope = Scope::Campaign(CampaignId(12));
        let mut statistics: BTreeMap<SlotKey, SlotStatistics> = BTreeMap::new();
        for (number, value) in [(1, "A-1"), (1, "A-2"), (2, "1.1.1980")] {
            statistics.entry(SlotKey { slot: slot(number), scope }).or_default().observe(value);
        }
        let setting = |number, label: &str| SlotSetting {
            campaign: CampaignId(12),
            slot: slot(number),
            label: label.to_owned(),
            kind: "text".to_owned(),
            values: Vec::new(),
        };
        Self {
            users: vec![
                user(1, "Agent One", "one@company.example", "Agent"),
                user(2, "Agent Two", "", "Agent"),
            ],
            gorgias_users: vec![gorgias_user(10, "one@company.example")],
            gorgias_teams: Vec::new(),
            gorgias_fields: Vec::new(),
            statistics,
            slot_settings: vec![setting(1, "Customer number"), setting(2, "Syntymäaika")],
            looked_at: [(scope, 4)].into(),
            outcomes: Vec::new(),
            lead_statuses: BTreeMap::new(),
            offices: Vec::new(),
            groups: Vec::new(),
        }
    }

    pub(crate) fn propose(&self, settings: MappingSettings) -> MappingProposal {
        MappingProposal::propose(
            settings,
            &ProposalInput {
                users: &self.users,
                campaigns: &[campaign(12, "Q4-Outbound-SMS", "Sponsor A")],
                lists: &[list(7, "Autumn", &[12])],
                offices: &self.offices,
                groups: &self.groups,
                statistics: &self.statistics,
                card_statistics: &BTreeMap::new(),
                looked_at: &self.looked_at,
                outcomes: &self.outcomes,
                lead_statuses: &self.lead_statuses,
                slot_settings: &self.slot_settings,
                outside: &BTreeMap::new(),
                gorgias_users: &self.gorgias_users,
                gorgias_teams: &self.gorgias_teams,
                gorgias_tags: &[],
                gorgias_fields: &self.gorgias_fields,
            },
        )
    }
}

pub(crate) fn shown(proposal: &MappingProposal) -> String {
    let mut out = String::new();
    for row in proposal.rows() {
        let why = match &row.decision {
            Decision::Carry(rationale) => rationale.reason.clone(),
            Decision::Leave(objection) => format!("{} {}", objection.code, objection.reason),
            Decision::Conflict { carry, leave } => {
                format!("{} / {} {}", carry.reason, leave.code, leave.reason)
            }
        };
        let target = if row.target.is_empty() { "nothing" } else { &row.target };
        writeln!(out, "{} -> {target}: {} ({why})", row.id, row.decision.as_str()).unwrap();
    }
    out
}

fn reviewer() -> Reviewer {
    Reviewer::new(" Rita  Reviewer ").unwrap()
}

#[test]
fn a_proposal_row_by_row() {
    expect![[r#"
        contact/address -> lead card: carry (no field in Gorgias unless a person gives it one)
        contact/birthyear -> nothing: leave (FLD101 never read into the store)
        contact/city -> lead card: carry (no field in Gorgias unless a person gives it one)
        contact/comment -> lead card: carry (no field in Gorgias unless a person gives it one)
        contact/company -> lead card: carry (no field in Gorgias unless a person gives it one)
        contact/companyid -> lead card: carry (no field in Gorgias unless a person gives it one)
        contact/country -> lead card: carry (no field in Gorgias unless a person gives it one)
        contact/email -> customer email: carry (valid addresses; others stand on the lead card)
        contact/fname -> customer name: carry (first and last name)
        contact/gender -> nothing: leave (FLD101 never read into the store)
        contact/lname -> customer name: carry (first and last name)
        contact/phone -> customer phone: carry (every number in its international form)
        contact/postcode -> lead card: carry (no field in Gorgias unless a person gives it one)
        contact/ssc -> nothing: leave (FLD101 never read into the store)
        contact/title -> lead card: carry (no field in Gorgias unless a person gives it one)
        contact/vatin -> lead card: carry (no field in Gorgias unless a person gives it one)
        contact/www -> lead card: carry (no field in Gorgias unless a person gives it one)
        lead/status -> ticket field `leaddesk_lead_status__c` (text, created): carry (fixed by the mapping)
        lead/status:finished -> ticket status `closed`: carry (nobody waits for anything)
        lead/status:in_circulation -> ticket status `open`: carry (the setting for unfinished leads)
        lead/status:unused -> ticket status `open`: carry (the setting for unfinished leads)
        user/1 -> user 10: carry (matched by email)
        user/2 -> service user: conflict (provision with role `basic-agent` / USR101 agent without email)
        user/role:admin -> role `admin`: carry (role of a user to provision)
        user/role:agent -> role `basic-agent`: carry (role of a user to provision)
        user/role:manager -> role `agent`: carry (role of a user to provision)
        user/role:sponsor -> role `observer-agent`: carry (role of a user to provision)
        user/role:team-leader -> role `agent`: carry (role of a user to provision)
        campaign/12 -> tag `Q4-Outbound-SMS` (created): carry (campaign 12)
        campaign/sponsor:Sponsor A -> tag `Sponsor A` (created): carry (sponsor)
        outcome/latest -> ticket field `leaddesk_disposition__c` (text, created): carry (fixed by the mapping)
        slot/other1:campaign-12 -> customer field `Customer number` (text, created): carry (too few values for another type; 2 of 2 fit)
        slot/other2:campaign-12 -> nothing: leave (FLD101 label contains `syntymä`)
        blacklist_entry/opt-out -> customer field `HasOptedOutOfEmail` (boolean, created): carry (fixed by the mapping)
    "#]].assert_eq(&shown(&Account::new().propose(settings())));
}

#[test]
fn conflicts_stand_between_a_proposal_and_its_confirmation() {
    let mut account = Account::new();
    account.gorgias_fields.push(gorgias::Field {
        id: gorgias::FieldId(3),
        object: FieldObject::Customer,
        label: "HasOptedOutOfEmail".to_owned(),
        external_id: None,
        kind: FieldKind::Text,
        is_active: true,
        is_managed: false,
    });
    let proposal = account.propose(settings());
    let open = proposal.clone().confirm(reviewer(), at("2026-01-01T00:00:00Z")).unwrap_err();
    let ids: Vec<String> = open.iter().map(|conflict| conflict.id.to_string()).collect();
    assert_eq!(ids, ["user/2", "blacklist_entry/opt-out"]);

    let agent = RowId::new(ObjectKind::User, 2);
    let field = RowId::new(ObjectKind::BlacklistEntry, "opt-out");
    let matched = RowId::new(ObjectKind::User, 1);
    let unknown = RowId::new(ObjectKind::User, 9);
    let refused = |id: &RowId, reason: &str| proposal.clone().leave(id, reason).unwrap_err();
    assert_eq!(refused(&agent, " "), SettleError::NoReason(agent.clone()));
    assert_eq!(refused(&matched, "why"), SettleError::NoConflict(matched.clone()));
    assert_eq!(refused(&unknown, "why"), SettleError::NoSuchRow(unknown.clone()));

    let settled = proposal.clone().leave(&agent, "left the company").unwrap();
    assert_ne!(settled.digest(), proposal.digest());
    assert!(settled.users().placeholders.contains(&UserId(2)), "given to the service user by name");
    assert_eq!(settled.users().blocking().count(), 0);
    let settled = settled.leave(&field, "not needed").unwrap();
    let confirmed = settled.confirm(reviewer(), at("2026-01-01T00:00:00Z")).unwrap();
    assert_eq!(confirmed.reviewer().as_str(), "Rita Reviewer");
    let why =
        confirmed.rows().iter().find(|row| row.id == agent).map(|row| format!("{:?}", row.decision)).unwrap();
    assert!(why.contains("agent without email; left by choice: left the company"), "{why}");
}

fn confirmed() -> ConfirmedMapping {
    let mut chosen = settings();
    chosen.placeholder_users.insert(UserId(2));
    Account::new().propose(chosen).confirm(reviewer(), at("2026-01-01T00:00:00Z")).unwrap()
}

#[test]
fn stored_mappings_are_what_was_confirmed() {
    let mapping = confirmed();
    assert_eq!(confirmed().digest(), mapping.digest(), "same input, same digest");
    assert_eq!(ConfirmedMapping::from_parts(mapping.parts().clone()), Ok(mapping.clone()));
    let check = |what: &str, change: &dyn Fn(&mut MappingParts)| {
        let mut parts = mapping.parts().clone();
        change(&mut parts);
        assert!(ConfirmedMapping::from_parts(parts).is_err(), "{what} is not covered by the digest");
    };
    check("a setting", &|parts| parts.settings.call_channel = CallChannel::Phone);
    check("a field", &|parts| parts.fields = FieldPlan::default());
    check("a tag", &|parts| parts.tags.of_campaign.clear());
    check("a team", &|parts| {
        parts.teams.of_user.insert(UserId(1), migration::keys::TeamKey("group:1".to_owned()));
    });
    check("a group's team", &|parts| {
        let team = migration::keys::TeamKey("group:1".to_owned());
        parts.teams.of_group.insert(migration::leaddesk::GroupId(1), team);
    });
    check("a user", &|parts| {
        parts.users.matched.insert(UserId(2), gorgias::UserId(10));
    });
    check("a scope", &|parts| parts.scopes = migration::fields::ScopeMap::default());
    check("a campaign", &|parts| parts.campaigns = migration::ticket::CampaignIndex::default());
    check("a row", &|parts| {
        parts.rows.pop();
    });
    check("a row's name", &|parts| parts.rows[0].name.push('x'));
    check("the evidence", &|parts| parts.rows[0].evidence = None);
    let evidence = |what: &str, change: &dyn Fn(&mut RowEvidence)| {
        check(what, &|parts| parts.rows.iter_mut().filter_map(|row| row.evidence.as_mut()).for_each(change));
    };
    evidence("the confidence", &|evidence| evidence.confidence = 0.25);
    evidence("the fill share", &|evidence| evidence.fill_share = Some(0.125));
    evidence("distinct values", &|evidence| evidence.distinct = Some(99));
    evidence("samples", &|evidence| evidence.samples.clear());
    evidence("alternatives", &|evidence| {
        let (target, reason) = ("lead card".to_owned(), "why not".to_owned());
        evidence.alternatives.push(Alternative { target, confidence: 0.5, reason });
    });
    check("the reviewer", &|parts| parts.reviewer = Reviewer::new("Somebody Else").unwrap());
    check("the time", &|parts| parts.confirmed_at = at("2026-01-02T00:00:00Z"));
    check("the digest", &|parts| parts.digest = migration::canonical::Digest([0; 32]));
}

#[test]
fn every_setting_is_in_the_digest() {
    let base = settings().digest();
    let check = |what: &str, change: &dyn Fn(&mut MappingSettings)| {
        let mut changed = settings();
        change(&mut changed);
        assert_ne!(changed.digest(), base, "{what}");
    };
    check("zone", &|it| it.zone = migration::local_time::SourceZone::new("Europe/Oslo").unwrap());
    check("region", &|it| it.region = "NO".parse().unwrap());
    check("tags", &|it| it.tags = migration::settings::TagChoice::Project);
    check("second level", &|it| it.second_level = migration::settings::SecondLevel::List);
    check("call channel", &|it| it.call_channel = CallChannel::Phone);
    check("chat", &|it| it.chat_visibility = migration::settings::ChatVisibility::Public);
    check("unfinished", &|it| it.unfinished_status = gorgias::TicketStatus::Closed);
    check("unreachable", &|it| it.unreachable = migration::settings::UnreachablePolicy::Reject);
    check("phones", &|it| it.unnormalisable_phone = migration::settings::UnnormalisablePhone::KeepAsField);
    check("sharing", &|it| it.phone_sharing = migration::settings::PhoneSharing::EveryPerson);
    check("recording", &|it| it.recording = RecordingPolicy::Archive);
    check("anonymised", &|it| it.anonymised_chat = migration::settings::AnonymisedChat::Skip);
    check("by hand", &|it| {
        it.users_by_hand.insert(UserId(1), gorgias::UserId(2));
    });
    check("placeholder", &|it| {
        it.placeholder_users.insert(UserId(1));
    });
    check("consent", &|it| {
        it.consent_fields.push(migration::settings::ConsentField {
            slot: Slot::new(1).unwrap(),
            scope: None,
            opted_out_words: std::collections::BTreeSet::new(),
        });
    });
    check("slot", &|it| {
        let key = "other1:list-2".parse().unwrap();
        it.slot_choices.insert(key, migration::settings::SlotChoice::Leave(String::new()));
    });
    check("room", &|it| it.field_room.both = Some(25));
    check("template", &|it| {
        it.call_template = migration::call_template::CallTemplate::parse("Id: {call_id}").unwrap();
    });
    check("conflict", &|it| it.conflict_default = ConflictRule::SourceWins);
    check("a choice", &|it| {
        let id = RowId::new(ObjectKind::User, 1);
        it.choices.0.insert(id, RowChoice::User(gorgias::UserId(1)));
    });
    check("conflict of a field", &|it| {
        it.conflict_rules.insert("name".to_owned(), ConflictRule::SourceWins);
    });
}

#[test]
fn words_of_choices_read_back() {
    fn check<T: Copy + PartialEq + std::fmt::Debug>(
        all: &[T],
        word: fn(T) -> &'static str,
        read: fn(&str) -> Option<T>,
    ) {
        for choice in all {
            assert_eq!(read(word(*choice)), Some(*choice));
        }
        assert_eq!(read("something else"), None);
    }
    check(CallChannel::ALL, CallChannel::as_str, CallChannel::from_word);
    check(RecordingPolicy::ALL, RecordingPolicy::as_str, RecordingPolicy::from_word);
    check(ConflictRule::ALL, ConflictRule::as_str, ConflictRule::from_word);
}

#[test]
fn reviewers_have_names() {
    assert!(Reviewer::new(" \n ").is_err());
}
