//! An approval holds for exactly what it was given for: 10,000 random changes of mapping, source and account.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use expect_test::expect;
use migration::approval::{
    Account, ApprovalSeal, Ground, Made, account_facts, mapping_facts, snapshot_facts, source_facts,
};
use migration::canonical::Digest;
use migration::fields::{Scope, SlotKey, SlotKind, SlotStatistics};
use migration::finding::ObjectKind;
use migration::gorgias::{self, Field, FieldId, FieldKind, FieldObject, Tag, TagId, Team, TeamId, UserId};
use migration::leaddesk::{self, CampaignId, Group, GroupId, Slot, SlotSetting};
use migration::mapping::{ConfirmedMapping, MappingProposal, ProposalInput, Reviewer, RowChoice, RowId};
use migration::settings::{ConflictRule, ConsentField, MappingSettings, SlotChoice};
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;

use crate::support::{at, campaign, gorgias_user, list, seeded, settings, user};

/// Everything that an approval looks at, to be changed at will.
#[derive(Clone)]
struct World {
    settings: MappingSettings,
    confirmed: Digest,
    inventory: String,
    manifests: BTreeMap<String, Digest>,
    domain: String,
    service_user: UserId,
    users: Vec<gorgias::User>,
    teams: Vec<Team>,
    tags: Vec<Tag>,
    fields: Vec<Field>,
    made: Made,
}

static MAPPING: LazyLock<ConfirmedMapping> = LazyLock::new(|| {
    let world = World::without_mapping();
    let scope = Scope::Campaign(CampaignId(12));
    let mut statistics: BTreeMap<SlotKey, SlotStatistics> = BTreeMap::new();
    let mut slot_settings = Vec::new();
    for (number, label) in [(1, "Customer number"), (2, "Shoe size"), (3, "Branch")] {
        let slot = Slot::new(number).unwrap();
        let seen: &mut SlotStatistics = statistics.entry(SlotKey { slot, scope }).or_default();
        for value in ["A-1", "A-2", "A-3"] {
            seen.observe(value);
        }
        let (label, kind) = (label.to_owned(), "text".to_owned());
        slot_settings.push(SlotSetting { campaign: CampaignId(12), slot, label, kind, values: Vec::new() });
    }
    let group = |id, name: &str| Group { id: GroupId(id), name: name.into(), usernames: vec!["u1".into()] };
    let input = ProposalInput {
        users: &[
            user(1, "Agent One", "one@company.example", "Agent"),
            user(2, "Agent Two", "two@company.example", "Agent"),
        ],
        campaigns: &[campaign(12, "Q4-Outbound-SMS", "Sponsor A"), campaign(13, "Winter", "Sponsor A")],
        lists: &[list(7, "Autumn", &[12])],
        offices: &[],
        groups: &[group(5, "Night shift"), group(6, "Day shift")],
        statistics: &statistics,
        card_statistics: &BTreeMap::new(),
        looked_at: &BTreeMap::new(),
        outcomes: &[],
        lead_statuses: &BTreeMap::new(),
        outside: &BTreeMap::new(),
        slot_settings: &slot_settings,
        gorgias_users: &world.users,
        gorgias_teams: &world.teams,
        gorgias_tags: &world.tags,
        gorgias_fields: &world.fields,
    };
    let proposal = MappingProposal::propose(settings(), &input);
    proposal.confirm(Reviewer::new("Reviewer").unwrap(), at("2026-01-01T00:00:00Z")).unwrap()
});

impl World {
    fn without_mapping() -> Self {
        let field = |id, label: &str, key: Option<&str>, is_active| Field {
            id: FieldId(id),
            object: FieldObject::Customer,
            label: label.to_owned(),
            external_id: key.map(str::to_owned),
            kind: FieldKind::Text,
            is_active,
            is_managed: false,
        };
        let key = Some("leaddesk:field:other2:campaign-12");
        let team = |id, name: &str, description: Option<&str>| Team {
            id: TeamId(id),
            name: name.into(),
            description: description.map(str::to_owned),
        };
        Self {
            settings: settings(),
            confirmed: Digest([0; 32]),
            inventory: "inventory".to_owned(),
            manifests: ["src_leaddesk_contact", "src_leaddesk_call", "src_leaddesk_lead"]
                .map(|table| (table.to_owned(), Digest::of(table.as_bytes())))
                .into(),
            domain: "acme".to_owned(),
            service_user: UserId(1),
            users: vec![
                gorgias_user(10, "one@company.example"),
                gorgias_user(11, "two@company.example"),
                gorgias_user(12, "nobody@company.example"),
            ],
            teams: vec![team(40, "Day shift", Some("Key: leaddesk:group:6")), team(41, "Sales", None)],
            tags: vec![
                Tag { id: TagId(20), name: "Winter".to_owned() },
                Tag { id: TagId(21), name: "vip".to_owned() },
            ],
            fields: vec![
                field(30, "Customer number", Some("leaddesk:field:other1:campaign-12"), true),
                field(31, "Shoe size", key, false),
                field(32, "Birthday", None, true),
            ],
            made: Made::default(),
        }
    }

    fn new() -> Self {
        Self { confirmed: MAPPING.digest(), ..Self::without_mapping() }
    }

    fn seal(&self) -> ApprovalSeal {
        let account = Account {
            domain: &self.domain,
            service_user: self.service_user,
            users: &self.users,
            teams: &self.teams,
            tags: &self.tags,
            fields: &self.fields,
            made: &self.made,
        };
        ApprovalSeal {
            mapping: mapping_facts(&self.settings, self.confirmed),
            source: source_facts(Digest::of(self.inventory.as_bytes())).and(snapshot_facts(&self.manifests)),
            account: account_facts(&MAPPING, &account),
        }
    }

    fn stale(&self) -> Vec<String> {
        Self::new().seal().stale(&self.seal()).iter().map(ToString::to_string).collect()
    }
}

/// One choice of a word list, other than the one that is there.
fn other<T: Copy + PartialEq>(all: &[T], at: &mut T, pick: usize) {
    let others: Vec<T> = all.iter().copied().filter(|choice| choice != at).collect();
    *at = others[pick % others.len()];
}

/// Changes the mapping.
fn change_mapping(world: &mut World, which: usize, pick: usize, text: &str) {
    use migration::settings as s;
    let it = &mut world.settings;
    let number = u64::try_from(pick).unwrap() + 1;
    match which % 21 {
        0 => it.zone = migration::local_time::SourceZone::new(["UTC", "Asia/Tokyo"][pick % 2]).unwrap(),
        1 => it.region = ["NO", "SE", "EE"][pick % 3].parse().unwrap(),
        2 => other(s::TagChoice::ALL, &mut it.tags, pick),
        3 => other(s::SecondLevel::ALL, &mut it.second_level, pick),
        4 => other(s::CallChannel::ALL, &mut it.call_channel, pick),
        5 => other(s::ChatVisibility::ALL, &mut it.chat_visibility, pick),
        6 => it.unfinished_status = gorgias::TicketStatus::Closed,
        7 => other(s::UnreachablePolicy::ALL, &mut it.unreachable, pick),
        8 => other(s::UnnormalisablePhone::ALL, &mut it.unnormalisable_phone, pick),
        9 => other(s::PhoneSharing::ALL, &mut it.phone_sharing, pick),
        10 => other(s::RecordingPolicy::ALL, &mut it.recording, pick),
        11 => other(s::AnonymisedChat::ALL, &mut it.anonymised_chat, pick),
        12 => drop(it.users_by_hand.insert(leaddesk::UserId(number), UserId(number))),
        13 => drop(it.placeholder_users.insert(leaddesk::UserId(number))),
        14 => it.consent_fields.push(ConsentField {
            slot: Slot::new(u8::try_from(pick % 35).unwrap() + 1).unwrap(),
            scope: None,
            opted_out_words: [text.to_owned()].into(),
        }),
        15 => {
            let key = format!("other{}:list-{number}", pick % 35 + 1).parse().unwrap();
            let choice = if pick.is_multiple_of(2) {
                SlotChoice::Leave(text.to_owned())
            } else {
                SlotChoice::Carry { purpose: text.to_owned(), kind: Some(SlotKind::ALL[0]) }
            };
            it.slot_choices.insert(key, choice);
        }
        16 => it.field_room.customer = pick + 26,
        17 => it.conflict_default = ConflictRule::SourceWins,
        18 => drop(it.conflict_rules.insert(text.to_owned(), ConflictRule::ALL[pick % 3])),
        19 => {
            let choice = RowChoice::Leave { reason: text.to_owned() };
            it.choices.0.insert(RowId::new(ObjectKind::Campaign, number), choice);
        }
        _ => world.confirmed = Digest::of(text.as_bytes()),
    }
}

/// Changes what LeadDesk showed.
fn change_source(world: &mut World, which: usize, pick: usize, text: &str) {
    let table = world.manifests.keys().nth(pick % world.manifests.len()).unwrap().clone();
    match which % 5 {
        0 => world.inventory.push_str(text),
        1 => drop(world.manifests.remove(&table)),
        2 => world.manifests.clear(),
        3 => drop(world.manifests.insert(table, Digest::of(text.as_bytes()))),
        _ => drop(world.manifests.insert(format!("src_{text}"), Digest::of(text.as_bytes()))),
    }
}

/// Changes what the mapping refers to in Gorgias.
fn change_account(world: &mut World, which: usize, pick: usize, text: &str) {
    let id = 1_000 + u64::try_from(pick).unwrap();
    let matched = pick % 2;
    match which % 18 {
        0 => world.domain.push_str(text),
        1 => world.service_user = UserId(id),
        2 => drop(world.users.remove(matched)),
        3 => world.users[matched].is_active = false,
        4 => world.users[matched].email = Some(text.to_owned()),
        5 => world.users[matched].role.push_str(text),
        6 => drop(world.tags.remove(0)),
        7 => world.tags[0].name.push_str(text),
        8 => {
            let name = ["Q4-Outbound-SMS", "sponsor a"][matched].to_owned();
            world.tags.push(Tag { id: TagId(id), name });
        }
        9 => drop(world.teams.remove(0)),
        10 => world.teams[0].name.push_str(text),
        11 => world.teams.push(Team { id: TeamId(id), name: "Night shift".into(), description: None }),
        12 => drop(world.fields.remove(matched)),
        13 => world.fields[matched].label.push_str(text),
        14 => world.fields[matched].kind = [FieldKind::Number, FieldKind::Boolean][pick / 2 % 2],
        15 => world.fields[matched].is_managed = true,
        16 => world.fields[0].is_active = false,
        _ => {
            let label = ["Branch", "leaddesk_disposition__c", "HasOptedOutOfEmail"][pick % 3].to_owned();
            world.fields.push(Field { id: FieldId(id), label, ..world.fields[2].clone() });
        }
    }
}

proptest! {
    #![proptest_config(seeded(10_000))]

    #[test]
    fn every_change_after_the_approval_is_refused(
        ground in 0_usize..3, which in 0_usize..360, pick in 0_usize..1_000, text in "[a-zA-Z0-9å'\"\n]{1,12}",
    ) {
        let mut world = World::new();
        let sealed = world.seal();
        prop_assert_eq!(sealed.stale(&World::new().seal()), Vec::new(), "nothing has changed");
        match ground {
            0 => change_mapping(&mut world, which, pick, &text),
            1 => change_source(&mut world, which, pick, &text),
            _ => change_account(&mut world, which, pick, &text),
        }
        let stale = sealed.stale(&world.seal());
        let expected = [Ground::Mapping, Ground::Source, Ground::Account][ground];
        prop_assert!(!stale.is_empty(), "ground {ground} change {which} was not seen");
        prop_assert!(stale.iter().all(|one| one.ground == expected), "{:?}", stale);
        // Back again, it holds again.
        prop_assert_eq!(world.seal().stale(&sealed).is_empty(), false);
        if sealed.digest() == world.seal().digest() {
            return Err(TestCaseError::fail("two seals with one digest"));
        }
    }
}

#[test]
fn reasons_are_told_in_words() {
    let told = |change: &dyn Fn(&mut World)| {
        let mut world = World::new();
        change(&mut world);
        world.stale().join("\n")
    };
    expect!["the mapping: setting `call_channel` has changed"]
        .assert_eq(&told(&|world| change_mapping(world, 4, 0, "")));
    expect!["the source: the snapshot of src_leaddesk_call is not there any more"]
        .assert_eq(&told(&|world| change_source(world, 1, 0, "")));
    expect![[r#"
        the Gorgias account: field 31: its type has changed
        the Gorgias account: user 11 is not there any more"#]]
    .assert_eq(&told(&|world| {
        change_account(world, 2, 1, "");
        change_account(world, 14, 1, "");
    }));
    expect!["the Gorgias account: a tag `Q4-Outbound-SMS` of somebody else was not there when the mapping was approved"]
        .assert_eq(&told(&|world| change_account(world, 8, 0, "")));
    // Two choices that trade their values leave every list of values as it was.
    let swapped = |world: &mut World, one: &str, two: &str| {
        for (key, reason) in [("other1:list-1", one), ("other1:list-2", two)] {
            world.settings.slot_choices.insert(key.parse().unwrap(), SlotChoice::Leave(reason.into()));
        }
    };
    let (mut one, mut two) = (World::new(), World::new());
    swapped(&mut one, "a", "b");
    swapped(&mut two, "b", "a");
    assert_eq!(one.seal().stale(&two.seal()).len(), 1);
}

#[test]
fn what_the_mapping_does_not_use_may_change() {
    let holds = |change: &dyn Fn(&mut World)| {
        let mut world = World::new();
        change(&mut world);
        assert_eq!(world.stale(), Vec::<String>::new());
    };
    holds(&|world| drop(world.users.remove(2)));
    holds(&|world| world.users[0].name = "Married".into());
    holds(&|world| world.tags[1].name = "very important".into());
    holds(&|world| world.fields[2].kind = FieldKind::Number);
    holds(&|world| world.teams[1].name = "Support".into());
    // What we make ourselves is no change: a field that is switched on, tags, teams and fields that are created.
    holds(&|world| {
        world.fields[1].is_active = true;
        change_account(world, 8, 0, "");
        change_account(world, 11, 0, "");
        change_account(world, 17, 0, "");
        world.made.tags.insert(TagId(1_000));
        world.made.teams.insert(TeamId(1_000));
        world.made.fields.insert(FieldId(1_000));
    });
}
