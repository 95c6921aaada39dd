//! Goldens of every stored document: read for ever, so they are added to and never edited.

use std::collections::{BTreeMap, BTreeSet};

use expect_test::expect_file;
use migration::canonical::Digest;
use migration::fields::{Scope, SlotKey, SlotKind};
use migration::finding::ObjectKind;
use migration::gorgias;
use migration::leaddesk::{
    CallingList, Campaign, CampaignId, Group, GroupId, ListId, Office, Outcome, OutcomeId, Slot, SlotSetting,
    User, UserId,
};
use migration::mapping::{
    CarryInto, ConfirmedMapping, MappingChoices, MappingProposal, ProposalInput, Reviewer, RowChoice, RowId,
};
use migration::settings::{ConflictRule, ConsentField, MappingSettings, SlotChoice};
use migration::users::GorgiasRole;

use super::inventory::{FileEntry, FindingEntry, Inventory, ListCounts, Overview, ScopeRow, StoredInventory};
use super::mapping::{StoredMapping, StoredPointer, StoredProposal};
use super::*;

fn settings() -> MappingSettings {
    let zone = migration::local_time::SourceZone::new("Europe/Helsinki").expect("a zone");
    let mut settings = MappingSettings::new(zone, "FI".parse().expect("a region"));
    let slot = Slot::new(4).expect("a slot");
    settings.users_by_hand = [(UserId(3), gorgias::UserId(9))].into();
    settings.placeholder_users = [UserId(4)].into();
    settings.consent_fields = vec![ConsentField {
        slot,
        scope: Some(Scope::List(ListId(5))),
        opted_out_words: BTreeSet::from(["no".into()]),
    }];
    let key =
        |slot: u8| SlotKey { slot: Slot::new(slot).expect("a slot"), scope: Scope::Campaign(CampaignId(12)) };
    settings.slot_choices = [
        (key(2), SlotChoice::Leave("not needed".into())),
        (key(3), SlotChoice::Carry { purpose: "billing".into(), kind: Some(SlotKind::Text) }),
    ]
    .into();
    settings.conflict_rules = [("name".to_owned(), ConflictRule::SourceWins)].into();
    settings.with_choices(&choices()).expect("legal choices")
}

/// One choice of every form.
fn choices() -> MappingChoices {
    let row = RowId::new;
    let carry = |kind, into| RowChoice::Carry { purpose: "asked for".into(), kind, into };
    let words = BTreeSet::from(["no".to_owned()]);
    MappingChoices(BTreeMap::from([
        (
            row(ObjectKind::Contact, "city"),
            carry(Some(SlotKind::Text), Some(CarryInto::NewField("Town".into()))),
        ),
        (row(ObjectKind::Contact, "title"), carry(None, Some(CarryInto::Field(gorgias::FieldId(77))))),
        (row(ObjectKind::Slot, "other9:campaign-12"), carry(None, Some(CarryInto::OptOut(words)))),
        (row(ObjectKind::Slot, "other12:campaign-12"), carry(None, Some(CarryInto::LeadCard))),
        (row(ObjectKind::Contact, "comment"), RowChoice::Leave { reason: "internal".into() }),
        (row(ObjectKind::Campaign, "12"), RowChoice::Rename { name: "Tag of ours".into() }),
        (row(ObjectKind::Office, "office:North"), RowChoice::Team(gorgias::TeamId(3))),
        (row(ObjectKind::User, "1"), RowChoice::User(gorgias::UserId(2))),
        (row(ObjectKind::User, "5"), RowChoice::Placeholder { reason: "gone".into() }),
        (row(ObjectKind::User, "role:agent"), RowChoice::Role(GorgiasRole::LiteAgent)),
        (row(ObjectKind::Lead, "status:unused"), RowChoice::Status(gorgias::TicketStatus::Closed)),
    ]))
}

fn user(id: u64, email: Option<&str>) -> User {
    User {
        id: UserId(id),
        name: format!("Agent {id}"),
        username: format!("agent{id}"),
        email: email.map(str::to_owned),
        role: "Agent".into(),
        is_active: true,
        office: Some("North".into()),
    }
}

fn inventory() -> Inventory {
    let finding = FindingEntry { code: "DIS201".into(), count: 1, text: "Auto-reply".into() };
    let overview = Overview {
        gorgias_domain: "acme".into(),
        gorgias_status: Some("active".into()),
        gorgias_plan: None,
        service_user_id: 1,
        source_counts: [("contact".to_owned(), 3)].into(),
        gorgias_counts: [("user".to_owned(), 2)].into(),
        lists: [("5".to_owned(), ListCounts { rows: 3, contacts: 2, broken_rows: 1 })].into(),
        files: [("calls.csv".to_owned(), FileEntry { sha256: "00".into(), rows: 1, ..FileEntry::default() })]
            .into(),
        scope: vec![ScopeRow {
            what: "lead".into(),
            count: Some(2),
            disposition: "migrated".into(),
            note: "tickets".into(),
        }],
        findings: vec![finding],
        numbers_inside_eea: 0,
        sampled_contacts: 2,
    };
    Inventory {
        taken_at: "2026-06-01T00:00:00Z".parse().expect("a moment"),
        users: vec![user(1, Some("one@example.com")), user(2, None), user(3, None), user(4, None)],
        campaigns: vec![Campaign {
            id: CampaignId(12),
            name: "Spring".into(),
            kind: None,
            is_disabled: false,
            sponsor: Some("Acme".into()),
        }],
        lists: vec![CallingList {
            id: ListId(5),
            name: "List".into(),
            campaigns: vec![CampaignId(12)],
            office: None,
        }],
        offices: vec![Office { name: "North".into(), time_zone: Some("Europe/Helsinki".into()) }],
        groups: vec![Group { id: GroupId(8), name: "Team".into(), usernames: vec!["agent1".into()] }],
        slot_settings: vec![SlotSetting {
            campaign: CampaignId(12),
            slot: Slot::new(1).expect("a slot"),
            label: "Level".into(),
            kind: "dropdown".into(),
            values: vec!["Gold".into()],
        }],
        outcomes: Vec::new(),
        lead_statuses: BTreeMap::new(),
        gorgias_users: vec![gorgias::User {
            id: gorgias::UserId(2),
            name: "One".into(),
            email: Some("one@example.com".into()),
            role: "agent".into(),
            is_active: true,
        }],
        gorgias_teams: vec![gorgias::Team { id: gorgias::TeamId(3), name: "Old".into(), description: None }],
        gorgias_tags: vec![gorgias::Tag { id: gorgias::TagId(4), name: "spring".into() }],
        gorgias_fields: vec![gorgias::Field {
            id: gorgias::FieldId(5),
            object: gorgias::FieldObject::Ticket,
            label: "Reason".into(),
            external_id: None,
            kind: gorgias::FieldKind::Text,
            is_active: true,
            is_managed: true,
        }],
        overview,
    }
}

fn proposal() -> MappingProposal {
    let inventory = inventory();
    let mut statistics = BTreeMap::new();
    for slot in (1..=3).chain(9..=12) {
        let key = SlotKey { slot: Slot::new(slot).expect("a slot"), scope: Scope::Campaign(CampaignId(12)) };
        let seen: &mut migration::fields::SlotStatistics = statistics.entry(key).or_default();
        (0..10).for_each(|number| seen.observe(&format!("{number}.5")));
    }
    MappingProposal::propose(
        settings(),
        &ProposalInput {
            users: &inventory.users,
            campaigns: &inventory.campaigns,
            lists: &inventory.lists,
            offices: &inventory.offices,
            groups: &inventory.groups,
            statistics: &statistics,
            card_statistics: &BTreeMap::new(),
            looked_at: &BTreeMap::new(),
            outcomes: &inventory.outcomes,
            lead_statuses: &inventory.lead_statuses,
            slot_settings: &inventory.slot_settings,
            outside: &BTreeMap::new(),
            gorgias_users: &inventory.gorgias_users,
            gorgias_teams: &inventory.gorgias_teams,
            gorgias_tags: &inventory.gorgias_tags,
            gorgias_fields: &inventory.gorgias_fields,
        },
    )
}

fn confirmed() -> ConfirmedMapping {
    let id = RowId::new(ObjectKind::User, 2);
    let proposal = proposal().leave(&id, "left").expect("a conflict");
    let id = RowId::new(ObjectKind::Contact, "title");
    let proposal = proposal.leave(&id, "the field is gone").expect("a conflict");
    let id = RowId::new(ObjectKind::User, 3);
    let proposal = proposal.leave(&id, "the user is gone").expect("a conflict");
    let reviewer = Reviewer::new("Reviewer One").expect("a name");
    proposal
        .confirm(reviewer, "2026-06-01T00:00:00Z".parse().expect("a moment"))
        .expect("no conflict is open")
}

fn pretty<T: Serialize>(document: &T) -> String {
    serde_json::to_string_pretty(document).expect("documents are JSON") + "\n"
}

#[test]
fn an_inventory_comes_back_as_it_was() {
    let stored = pretty(&StoredInventory::of(&inventory()));
    expect_file!["goldens/inventory_v1.json"].assert_eq(&stored);
    let read: StoredInventory =
        serde_json::from_str(include_str!("goldens/inventory_v1.json")).expect("readable");
    assert_eq!(read.read().expect("well formed"), inventory());
    let mut later = inventory();
    let outcome = |id: u64, campaign| Outcome {
        id: OutcomeId(id),
        name: "Deal".into(),
        campaign,
        finalises: campaign.map(|_| true),
    };
    later.outcomes = vec![(outcome(5, None), 7), (outcome(6, Some(CampaignId(12))), 0)];
    later.lead_statuses = [("Qualified".to_owned(), 4)].into();
    let stored = pretty(&StoredInventory::of(&later));
    expect_file!["goldens/inventory_v1_outcomes.json"].assert_eq(&stored);
    let read: StoredInventory = serde_json::from_str(&stored).expect("readable");
    assert_eq!(read.read().expect("well formed"), later);
}

#[test]
fn a_confirmed_mapping_comes_back_as_it_was() {
    let stored = pretty(&StoredMapping::of(&confirmed()));
    expect_file!["goldens/mapping_v2.json"].assert_eq(&stored);
    let read: StoredMapping =
        serde_json::from_str(include_str!("goldens/mapping_v2.json")).expect("readable");
    assert_eq!(read.read().expect("unchanged"), confirmed());
}

/// What an older program confirmed stays confirmed, by the digest that it had then.
#[test]
fn mappings_of_the_first_version_are_read_for_ever() {
    let read: StoredMapping =
        serde_json::from_str(include_str!("goldens/mapping_v1.json")).expect("readable");
    assert!(matches!(read, StoredMapping::V1(_)));
    let mapping = read.read().expect("unchanged");
    assert!(mapping.rows().iter().all(|row| row.evidence.is_none()));
    assert_eq!(mapping.settings().choices, MappingChoices::default());
    let proposal: StoredProposal =
        serde_json::from_str(include_str!("goldens/proposal_v1.json")).expect("readable");
    assert!(matches!(proposal, StoredProposal::V1(_)));
}

/// Shares come back to the last bit; otherwise the digest would call an untouched mapping edited.
#[test]
fn shares_are_exact() {
    #[derive(Serialize, serde::Deserialize)]
    struct Shares(#[serde(with = "exact")] f64, #[serde(with = "exact::option")] Option<f64>);
    for filled in 1..400_u32 {
        for fitting in 0..=filled {
            let share = f64::from(fitting) / f64::from(filled);
            let text = serde_json::to_string(&Shares(share, Some(share))).expect("JSON");
            let Shares(back, optional) = serde_json::from_str(&text).expect("shares");
            assert_eq!(
                (back.to_bits(), optional.map(f64::to_bits)),
                (share.to_bits(), Some(share.to_bits()))
            );
        }
    }
}

#[test]
fn a_changed_mapping_is_refused() {
    let golden = include_str!("goldens/mapping_v2.json");
    for (from, to) in [
        ("Spring", "Winter"),
        ("\"open\"", "\"closed\""),
        ("Reviewer One", "Reviewer Two"),
        ("left by choice", "carried"),
        ("\"confidence\": \"1\"", "\"confidence\": \"0.5\""),
        ("Tag of ours", "Tag of theirs"),
    ] {
        assert!(golden.contains(from), "{from}");
        let read: StoredMapping =
            serde_json::from_str(&golden.replacen(from, to, 1)).expect("still a document");
        assert!(read.read().is_err(), "{from} became {to}");
    }
    assert!(
        serde_json::from_str::<StoredMapping>(&golden.replacen(
            "\"version\": \"2\"",
            "\"version\": \"3\"",
            1
        ))
        .is_err()
    );
}

#[test]
fn proposals_and_pointers_keep_their_form() {
    expect_file!["goldens/proposal_v2.json"].assert_eq(&pretty(&StoredProposal::of(&proposal())));
    let first: StoredMapping =
        serde_json::from_str(include_str!("goldens/mapping_v1.json")).expect("readable");
    let first = first.read().expect("unchanged");
    let pointer = StoredPointer::V1 {
        digest: first.digest().to_hex(),
        reviewer: "Reviewer One".into(),
        confirmed_at: first.confirmed_at(),
    };
    expect_file!["goldens/pointer_v1.json"].assert_eq(&pretty(&pointer));
}

#[test]
fn approvals_keep_their_form() {
    use super::approval::{ApprovalV1, SealV1, StoredApproval, StoredSourceSnapshot};
    use migration::approval::{ApprovalSeal, Facts};
    // Digests of fixed texts: the form is held here, what goes into a seal elsewhere.
    let digest = |text: &str| Digest::of(text.as_bytes());
    let facts =
        |names: &[&str]| Facts::from_pairs(names.iter().map(|name| ((*name).to_owned(), digest(name))));
    let seal = ApprovalSeal {
        mapping: facts(&["setting `tags`", "the choice for user/8", "the confirmed document"]),
        source: facts(&["the inventory"]),
        account: facts(&["the subdomain", "user 2", "user 2: its role"]),
    };
    let stored = StoredApproval::V1(ApprovalV1 {
        mapping: digest("mapping").to_hex(),
        proposal: digest("proposal").to_hex(),
        reviewer: "Reviewer One".into(),
        approved_at: "2026-06-01T00:00:00Z".parse().expect("a moment"),
        seal: SealV1::of(&seal),
    });
    expect_file!["goldens/approval_v1.json"].assert_eq(&pretty(&stored));
    let StoredApproval::V1(read) =
        serde_json::from_str(include_str!("goldens/approval_v1.json")).expect("readable");
    assert_eq!(read.seal.read().expect("well formed"), seal);
    let manifests = [("src_leaddesk_contact".to_owned(), digest("manifest").to_hex())].into();
    expect_file!["goldens/source_snapshot_v1.json"]
        .assert_eq(&pretty(&StoredSourceSnapshot::V1 { manifests }));
}

#[test]
fn answers_keep_their_form() {
    use super::answers::{AnswersV1, StoredAnswers, rows_of};
    use migration::mapping::document::{Answer, Answers};
    use migration::mapping::{CarryInto, RowChoice};
    let carry = RowChoice::Carry {
        purpose: "billing".into(),
        kind: None,
        into: Some(CarryInto::OptOut(["no".to_owned(), "never".to_owned()].into())),
    };
    let answer = |choice, comment: &str, is_seen| Answer { choice, comment: comment.into(), is_seen };
    let answers: Answers = [
        (RowId::new(ObjectKind::Slot, "other1:campaign-12"), answer(Some(carry), "asked\ntwice", true)),
        (RowId::new(ObjectKind::User, 8), answer(Some(RowChoice::User(gorgias::UserId(2))), "", false)),
        (RowId::new(ObjectKind::User, 9), answer(None, "", true)),
    ]
    .into();
    let at = |text: &str| text.parse::<jiff::Timestamp>().expect("a moment");
    let stored = StoredAnswers::V1(AnswersV1 {
        proposal: Digest::of(b"proposal").to_hex(),
        began_at: 1,
        reviewer: Some("Reviewer One".into()),
        decided_at: Some(at("2026-06-01T00:00:00Z")),
        imported_at: at("2026-06-02T00:00:00Z"),
        file_sha256: Digest::of(b"file").to_hex(),
        rows: rows_of(&answers),
    });
    expect_file!["goldens/answers_v1.json"].assert_eq(&pretty(&stored));
    let StoredAnswers::V1(read) =
        serde_json::from_str(include_str!("goldens/answers_v1.json")).expect("readable");
    assert_eq!(read.read().expect("well formed"), answers);
}
