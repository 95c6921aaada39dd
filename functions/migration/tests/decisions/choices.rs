//! What a person decides row by row, and that the proposal honours it.

use std::collections::BTreeSet;

use expect_test::expect;
use migration::fields::{FieldSource, SlotKind};
use migration::finding::ObjectKind;
use migration::gorgias::{self, FieldId, FieldKind, FieldObject, TeamId, TicketStatus};
use migration::leaddesk::{Group, GroupId, LeadStatus, Office, Outcome, OutcomeId, UserId};
use migration::mapping::{
    CarryInto, ChoiceError, Decision, MappingChoices, MappingProposal, RowChoice, RowId, RowSubject,
    legal_choices,
};
use migration::users::{GorgiasRole, SourceRole};

use crate::mappings::Account;
use crate::support::settings;

fn account() -> Account {
    let mut account = Account::new();
    account.offices.push(Office { name: "North".into(), time_zone: None });
    account.groups.push(Group { id: GroupId(8), name: "Closers".into(), usernames: vec!["agent1".into()] });
    account.gorgias_teams.push(gorgias::Team { id: TeamId(3), name: "Support".into(), description: None });
    let outcome = Outcome { id: OutcomeId(5), name: "Deal".into(), campaign: None, finalises: Some(true) };
    account.outcomes.push((outcome, 7));
    account.lead_statuses.insert("Qualified".into(), 4);
    account.gorgias_fields.push(gorgias::Field {
        id: FieldId(30),
        object: FieldObject::Customer,
        label: "Customer no.".into(),
        external_id: None,
        kind: FieldKind::Text,
        is_active: true,
        is_managed: false,
    });
    account
}

fn row(object: ObjectKind, id: &str) -> RowId {
    RowId::new(object, id)
}

fn choices(choices: impl IntoIterator<Item = (RowId, RowChoice)>) -> MappingChoices {
    MappingChoices(choices.into_iter().collect())
}

/// The row after one choice, and the proposal.
fn after(id: &RowId, choice: RowChoice) -> (String, MappingProposal) {
    let chosen = settings().with_choices(&choices([(id.clone(), choice)])).expect("a legal choice");
    let proposal = account().propose(chosen);
    let row = proposal.rows().find(|row| row.id == *id).expect("the row is still there");
    let why = match &row.decision {
        Decision::Carry(why) => why.reason.clone(),
        Decision::Leave(why) => format!("{} {}", why.code, why.reason),
        Decision::Conflict { leave, .. } => format!("{} {}", leave.code, leave.reason),
    };
    (format!("{} -> {} ({why})", row.decision.as_str(), row.target), proposal)
}

fn carry(purpose: &str, kind: Option<SlotKind>, into: Option<CarryInto>) -> RowChoice {
    RowChoice::Carry { purpose: purpose.into(), kind, into }
}

fn leave() -> RowChoice {
    RowChoice::Leave { reason: "not needed".into() }
}

#[test]
fn every_row_that_can_be_decided_is_there() {
    let proposal = account().propose(settings());
    let mut shown = String::new();
    for row in proposal.rows() {
        assert!(row.evidence.is_some(), "{} has no evidence", row.id);
        let legal: Vec<&str> = legal_choices(&row.id).iter().map(|kind| kind.as_str()).collect();
        shown.push_str(&format!("{} {:?}: {}\n", row.id, row.name, legal.join(" ")));
        if let Some(subject) = RowSubject::of(&row.id) {
            assert_eq!(subject.row(), row.id, "ids read back");
        }
    }
    expect![[r#"
        contact/address "Address": carry leave
        contact/birthyear "Birth year": 
        contact/city "City": carry leave
        contact/comment "Comment": carry leave
        contact/company "Company": carry leave
        contact/companyid "Company registration": carry leave
        contact/country "Country": carry leave
        contact/email "Email": 
        contact/fname "First name": 
        contact/gender "Gender": 
        contact/lname "Last name": 
        contact/phone "Phone": 
        contact/postcode "Postal code": carry leave
        contact/ssc "Social security number": 
        contact/title "Title": carry leave
        contact/vatin "VAT number": carry leave
        contact/www "Web": carry leave
        lead/status "leaddesk_lead_status__c": carry leave
        lead/status:finished "finished": status
        lead/status:in_circulation "in_circulation": status
        lead/status:qualified "Qualified": status
        lead/status:unused "unused": status
        user/1 "Agent One": user placeholder
        user/2 "Agent Two": user placeholder
        user/role:admin "admin": role
        user/role:agent "agent": role
        user/role:manager "manager": role
        user/role:sponsor "sponsor": role
        user/role:team-leader "team-leader": role
        campaign/12 "Q4-Outbound-SMS": rename leave
        campaign/sponsor:Sponsor A "Sponsor A": rename leave
        outcome/5 "Deal": rename leave
        outcome/latest "leaddesk_disposition__c": carry leave
        office/office:North "North": rename team leave
        group/group:8 "Closers": rename team leave
        slot/other1:campaign-12 "Customer number": carry leave
        slot/other2:campaign-12 "Syntymäaika": carry leave
        blacklist_entry/opt-out "HasOptedOutOfEmail": carry leave
    "#]]
    .assert_eq(&shown);
}

/// A choice of every form that a row takes, good and bad.
fn cases() -> [(RowId, RowChoice); 30] {
    let slot = || row(ObjectKind::Slot, "other1:campaign-12");
    let birth = || row(ObjectKind::Slot, "other2:campaign-12");
    let company = || row(ObjectKind::Contact, "company");
    let office = || row(ObjectKind::Office, "office:North");
    let campaign = || row(ObjectKind::Campaign, "12");
    let sponsor = || row(ObjectKind::Campaign, "sponsor:Sponsor A");
    let outcome = || row(ObjectKind::Outcome, "5");
    let agent = || row(ObjectKind::User, "2");
    let words = BTreeSet::from(["no".to_owned()]);
    let rename = || RowChoice::Rename { name: "  New  name ".into() };
    [
        (slot(), leave()),
        (slot(), carry("", Some(SlotKind::Number), None)),
        (slot(), carry("billing", None, Some(CarryInto::NewField("Account key".into())))),
        (slot(), carry("", None, Some(CarryInto::Field(FieldId(30))))),
        (slot(), carry("", Some(SlotKind::Boolean), Some(CarryInto::Field(FieldId(30))))),
        (slot(), carry("", None, Some(CarryInto::Field(FieldId(31))))),
        (slot(), carry("", None, Some(CarryInto::LeadCard))),
        (slot(), carry("", None, Some(CarryInto::OptOut(words)))),
        (birth(), carry("", None, None)),
        (birth(), carry("age check by contract", None, None)),
        (company(), carry("", None, None)),
        (company(), leave()),
        (row(ObjectKind::Outcome, "latest"), leave()),
        (row(ObjectKind::Lead, "status"), carry("", None, Some(CarryInto::NewField("Stage".into())))),
        (campaign(), rename()),
        (campaign(), leave()),
        (sponsor(), rename()),
        (office(), rename()),
        (office(), RowChoice::Team(TeamId(3))),
        (office(), RowChoice::Team(TeamId(4))),
        (office(), leave()),
        (row(ObjectKind::Group, "group:8"), leave()),
        (outcome(), rename()),
        (outcome(), leave()),
        (agent(), RowChoice::User(gorgias::UserId(10))),
        (agent(), RowChoice::User(gorgias::UserId(11))),
        (agent(), RowChoice::Placeholder { reason: "left the company".into() }),
        (row(ObjectKind::User, "role:agent"), RowChoice::Role(GorgiasRole::LiteAgent)),
        (row(ObjectKind::Lead, "status:qualified"), RowChoice::Status(TicketStatus::Closed)),
        (row(ObjectKind::Lead, "status:finished"), RowChoice::Status(TicketStatus::Open)),
    ]
}

#[test]
fn choices_are_honoured_row_by_row() {
    let mut shown = String::new();
    for (id, choice) in cases() {
        let (line, _) = after(&id, choice.clone());
        shown.push_str(&format!("{id} {}: {line}\n", choice.kind().as_str()));
    }
    expect![[r#"
        slot/other1:campaign-12 leave: leave ->  (FLD113 left by choice: not needed)
        slot/other1:campaign-12 carry: carry -> customer field `Customer number` (number, created) (chosen by a person; type chosen by a person; 0 of 2 fit)
        slot/other1:campaign-12 carry: carry -> customer field `Account key` (text, created) (chosen by a person; too few values for another type; 2 of 2 fit)
        slot/other1:campaign-12 carry: carry -> customer field `Customer no.` (text, there already) (chosen by a person; too few values for another type; 2 of 2 fit)
        slot/other1:campaign-12 carry: conflict -> field `Customer no.` (FLD105 a field of type text carries the label)
        slot/other1:campaign-12 carry: conflict -> field `Customer number` (FLD112 the chosen field is not there)
        slot/other1:campaign-12 carry: carry -> lead card (the lead card alone, chosen by a person)
        slot/other1:campaign-12 carry: carry -> customer opt-out (chosen by a person; 1 words opt out)
        slot/other2:campaign-12 carry: conflict -> field `Syntymäaika` (FLD111 label contains `syntymä`: it is carried with a purpose only)
        slot/other2:campaign-12 carry: carry -> customer field `Syntymäaika` (text, created) (chosen by a person; too few values for another type; 1 of 1 fit)
        contact/company carry: carry -> customer field `Company` (text, created) (chosen by a person)
        contact/company leave: leave ->  (FLD113 left by choice: not needed)
        outcome/latest leave: leave ->  (FLD113 left by choice: not needed)
        lead/status carry: carry -> ticket field `Stage` (text, created) (chosen by a person)
        campaign/12 rename: carry -> tag `New name` (created) (campaign 12; renamed by a person)
        campaign/12 leave: leave ->  (TAG106 left by choice: not needed)
        campaign/sponsor:Sponsor A rename: carry -> tag `New name` (created) (sponsor; renamed by a person)
        office/office:North rename: carry -> team `New name` (created) (renamed by a person; members by roster, zone and leaders in the description)
        office/office:North team: carry -> team `Support` (there already) (chosen by a person; the team keeps its members and description)
        office/office:North team: conflict -> team `North` (created) (TEA106 team 4, which a person chose, is not in the account)
        office/office:North leave: leave ->  (TEA107 left by choice: not needed)
        group/group:8 leave: leave ->  (TEA107 left by choice: not needed)
        outcome/5 rename: carry -> value `New name (5)` (renamed by a person; the id stays behind it)
        outcome/5 leave: leave ->  (FLD113 left by choice: not needed; it stands in the notes of calls)
        user/2 user: carry -> user 10 (chosen by a person)
        user/2 user: conflict -> user 11 (USR108 user 11 is not in the account)
        user/2 placeholder: leave -> service user (USR107 given to the placeholder by name: left the company)
        user/role:agent role: carry -> role `lite-agent` (chosen by a person)
        lead/status:qualified status: carry -> ticket status `closed` (chosen by a person)
        lead/status:finished status: carry -> ticket status `open` (chosen by a person)
    "#]].assert_eq(&shown);
}

#[test]
fn choices_reach_the_plans() {
    let (_, proposal) = after(&row(ObjectKind::Campaign, "12"), leave());
    assert_eq!(proposal.tags().tags_for(&[migration::leaddesk::CampaignId(12)], None), ["Sponsor A"]);
    let (_, proposal) = after(&row(ObjectKind::Group, "group:8"), leave());
    assert_eq!(proposal.teams().team_of(Some(UserId(1))), None);
    let (_, proposal) = after(&row(ObjectKind::Group, "group:8"), RowChoice::Team(TeamId(3)));
    let key = proposal.teams().team_of(Some(UserId(1))).expect("a team").clone();
    let team = proposal.teams().team(&key).expect("planned");
    assert_eq!((team.draft.name.as_str(), team.present()), ("Support", Some((key, TeamId(3)))));
    let slot = row(ObjectKind::Slot, "other1:campaign-12");
    let (_, proposal) = after(&slot, carry("", None, Some(CarryInto::Field(FieldId(30)))));
    let source = FieldSource::Slot("other1:campaign-12".parse().expect("a key"));
    assert_eq!(proposal.fields().field(source).expect("a field").draft.label, "Customer no.");
    let (_, proposal) = after(&row(ObjectKind::User, "role:agent"), RowChoice::Role(GorgiasRole::LiteAgent));
    assert_eq!(proposal.users().to_provision[0].role, "lite-agent");
    let status = row(ObjectKind::Lead, "status:qualified");
    let (_, proposal) = after(&status, RowChoice::Status(TicketStatus::Closed));
    let of = |word| proposal.settings().ticket_status(LeadStatus::InCirculation, word);
    assert_eq!((of("QUALIFIED"), of("Contacted")), (TicketStatus::Closed, TicketStatus::Open));
}

#[test]
fn two_rows_never_share_a_field_in_silence() {
    let into = || carry("", None, Some(CarryInto::Field(FieldId(30))));
    let chosen = settings().with_choices(&choices([
        (row(ObjectKind::Slot, "other1:campaign-12"), into()),
        (row(ObjectKind::Contact, "company"), into()),
    ]));
    let proposal = account().propose(chosen.expect("each is legal"));
    let open: Vec<String> =
        proposal.conflicts().iter().map(|found| format!("{} {}", found.id, found.leave.code)).collect();
    assert_eq!(open, ["contact/company FLD110", "user/2 USR101"], "what is filled comes first");
}

#[test]
fn later_choices_replace_earlier_ones_and_the_digest_tells() {
    let id = row(ObjectKind::Campaign, "12");
    let first = settings().with_choices(&choices([(id.clone(), leave())])).expect("legal");
    let second =
        first.with_choices(&choices([(id, RowChoice::Rename { name: "Spring".into() })])).expect("legal");
    let digests = BTreeSet::from([settings().digest(), first.digest(), second.digest()]);
    assert_eq!(digests.len(), 3);
    assert_eq!(second.choices.0.len(), 1);
    let digest =
        |settings: &migration::settings::MappingSettings| account().propose(settings.clone()).digest();
    assert_ne!(digest(&first), digest(&second));
    assert_eq!(digest(&second), digest(&second));
}

#[test]
fn what_a_row_does_not_take_is_refused_with_its_name() {
    let long = "x".repeat(600);
    let cases = [
        (row(ObjectKind::Contact, "email"), leave()),
        (row(ObjectKind::Contact, "ssc"), carry("why", None, None)),
        (row(ObjectKind::Call, "7"), leave()),
        (row(ObjectKind::Slot, "other99:campaign-1"), leave()),
        (row(ObjectKind::User, "2"), leave()),
        (row(ObjectKind::Campaign, "12"), RowChoice::Team(TeamId(1))),
        (row(ObjectKind::Campaign, "12"), RowChoice::Rename { name: " ".into() }),
        (row(ObjectKind::Campaign, "12"), RowChoice::Rename { name: long.clone() }),
        (row(ObjectKind::Slot, "other1:list-2"), RowChoice::Leave { reason: String::new() }),
        (row(ObjectKind::Slot, "other1:list-2"), carry(&long, None, None)),
        (row(ObjectKind::Slot, "other1:list-2"), carry("", None, Some(CarryInto::NewField(" ".into())))),
        (row(ObjectKind::Slot, "other1:list-2"), carry("", Some(SlotKind::Text), Some(CarryInto::LeadCard))),
        (row(ObjectKind::Slot, "other1:list-2"), carry("", None, Some(CarryInto::OptOut(BTreeSet::new())))),
        (row(ObjectKind::Outcome, "latest"), carry("", Some(SlotKind::Number), None)),
        (row(ObjectKind::Outcome, "latest"), carry("", None, Some(CarryInto::LeadCard))),
        (
            row(ObjectKind::Contact, "company"),
            carry("", None, Some(CarryInto::OptOut(BTreeSet::from(["no".into()])))),
        ),
    ];
    let mut shown = String::new();
    for (id, choice) in cases {
        let error: ChoiceError =
            settings().with_choices(&choices([(id.clone(), choice)])).expect_err("refused");
        assert_eq!(error.row(), &id);
        shown.push_str(&format!("{error}\n"));
    }
    expect![[r#"
        nothing can be decided on row contact/email
        nothing can be decided on row contact/ssc
        nothing can be decided on row call/7
        nothing can be decided on row slot/other99:campaign-1
        row user/2 takes `user` or `placeholder`, not `leave`
        row campaign/12 takes `rename` or `leave`, not `team`
        row campaign/12: name is missing
        row campaign/12: name is too long
        row slot/other1:list-2: reason is missing
        row slot/other1:list-2: purpose is too long
        row slot/other1:list-2: label is missing
        row slot/other1:list-2 cannot be carried so: only a field has a type
        row slot/other1:list-2: words is missing
        row outcome/latest cannot be carried so: its type is fixed by the mapping
        row outcome/latest cannot be carried so: it is a field and nothing else
        row contact/company cannot be carried so: a field of the card becomes a field or stands on the lead card
    "#]].assert_eq(&shown);
}

#[test]
fn roles_of_leaddesk_in_every_spelling() {
    for (text, role) in [
        ("Admin", Some(SourceRole::Admin)),
        ("Team Leader", Some(SourceRole::TeamLeader)),
        ("team-leader", Some(SourceRole::TeamLeader)),
        ("SPONSOR", Some(SourceRole::Sponsor)),
        ("Robot", None),
    ] {
        assert_eq!(SourceRole::from_text(text), role, "{text}");
    }
}
