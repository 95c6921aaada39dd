//! Every kind of planted trouble is there and is what it says.

use std::collections::{BTreeMap, BTreeSet};

use crate::support::{calls, contacts, demo, place};
use twins::generate::{Account, Contact, FieldDefinition, Place, PlantedKind, Recording, Shape};

#[test]
fn every_kind_is_planted_once_whatever_the_seed_and_size() {
    let shapes = [
        Shape::demo(),
        Shape::demo().seeded(99),
        Shape { contacts: 40, leads: 40, calls: 40, ..Shape::demo() },
        Shape { contacts: 50, leads: 100, calls: 60, lists: 4, campaigns: 3, agents: 10, ..Shape::demo() },
        Shape::with_size(5_000, 9_000),
    ];
    for shape in shapes {
        let account = Account::generate(shape.clone()).unwrap();
        let kinds: Vec<PlantedKind> = account.planted().iter().map(|planted| planted.kind).collect();
        assert_eq!(kinds, PlantedKind::ALL, "{shape:?}");
        for kind in PlantedKind::ALL {
            check(&account, kind);
        }
    }
    let without = Account::generate(Shape { short_row: false, ..Shape::demo() }).unwrap();
    assert!(without.planted().iter().all(|planted| planted.kind != PlantedKind::ShortExportRow));
    assert!(without.lists().flat_map(|list| without.export(list)).all(|row| row.columns().len() == 14));
}

fn check(account: &Account, kind: PlantedKind) {
    let holds = match kind {
        PlantedKind::PersonInThreeLists
        | PlantedKind::HouseholdPhone
        | PlantedKind::ThreeNumbers
        | PlantedKind::PhoneOnlyContact
        | PlantedKind::AllSlotsFilled
        | PlantedKind::HostileContact
        | PlantedKind::NoIdentity
        | PlantedKind::InvalidPhone
        | PlantedKind::InvalidEmail
        | PlantedKind::ShortExportRow => contact_holds(account, kind),
        PlantedKind::CallWithoutContact
        | PlantedKind::CallWithoutAgent
        | PlantedKind::RecordingGone
        | PlantedKind::HostileComment
        | PlantedKind::TimeInGap
        | PlantedKind::TimeInFold
        | PlantedKind::RenamedOutcome
        | PlantedKind::DuplicateOutcomeName => call_holds(account, kind),
        PlantedKind::CutConversation | PlantedKind::AnonymisedConversation => {
            conversation_holds(account, kind)
        }
        // What they turn into is tested with the later time.
        PlantedKind::ListToBeDeleted | PlantedKind::ContactToBeMoved | PlantedKind::PhoneToBeTouched => true,
        _ => table_holds(account, kind),
    };
    assert!(holds, "{kind:?} at {:?}", place(account, kind));
}

fn digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}

fn contact_holds(account: &Account, kind: PlantedKind) -> bool {
    let found: Vec<Contact> =
        contacts(account, kind).into_iter().map(|id| account.contact(id).unwrap()).collect();
    let first = &found[0].text;
    let distinct = |part: fn(&Contact) -> String| found.iter().map(part).collect::<BTreeSet<_>>().len();
    match kind {
        PlantedKind::PersonInThreeLists => {
            found.len() == 3
                && distinct(|contact| contact.list_ids[0].to_string()) == 3
                && distinct(|contact| contact.text.email.clone()) == 1
                && distinct(|contact| contact.text.lname.clone()) == 1
        }
        PlantedKind::HouseholdPhone => {
            found.len() == 3
                && distinct(|contact| contact.text.phones[0].clone()) == 2
                && distinct(|contact| contact.text.email.clone()) == 3
        }
        PlantedKind::ThreeNumbers => first.phones.iter().collect::<BTreeSet<_>>().len() == 3,
        PlantedKind::PhoneOnlyContact => {
            !first.phones.is_empty() && first.email.is_empty() && first.lname.is_empty()
        }
        PlantedKind::AllSlotsFilled => {
            first.others.len() == 35 && first.others.iter().all(|(_, value)| !value.is_empty())
        }
        PlantedKind::HostileContact => {
            let wanted = [";", "\"", "\n", "<script>", "🇫🇮", "שלום"];
            wanted.iter().all(|part| first.comment.contains(part)) && first.address.contains('\n')
        }
        PlantedKind::NoIdentity => {
            first.phones.is_empty() && first.email.is_empty() && !first.lname.is_empty()
        }
        PlantedKind::InvalidPhone => digits(&first.phones[0]).is_empty(),
        PlantedKind::InvalidEmail => !first.email.is_empty() && !first.email.contains('@'),
        _ => {
            let list = account.list(found[0].list_ids[0]).unwrap();
            let mut rows = account.export(list).filter(|row| row.contact_id == found[0].id);
            rows.all(|row| row.columns().len() == 13)
        }
    }
}

fn call_holds(account: &Account, kind: PlantedKind) -> bool {
    let found: Vec<_> = calls(account, kind).into_iter().map(|id| account.call(id).unwrap()).collect();
    let first = &found[0];
    match kind {
        PlantedKind::CallWithoutContact => first.contact_id.is_none() && first.number.starts_with('+'),
        PlantedKind::CallWithoutAgent => first.agent_id.is_none() && first.inbound && first.talked.is_none(),
        PlantedKind::RecordingGone => first.recording == Recording::Gone && !first.record_file.is_empty(),
        PlantedKind::HostileComment => first.comment.contains("\"quoted\"\n<b>"),
        PlantedKind::TimeInGap => first.created_at.to_string() == "2025-03-30 03:15:00",
        PlantedKind::TimeInFold => {
            found.len() == 2 && found.iter().all(|call| call.created_at.to_string() == "2025-10-26 03:20:00")
        }
        PlantedKind::RenamedOutcome => {
            first.outcome_id == found[1].outcome_id && first.outcome_name != found[1].outcome_name
        }
        _ => {
            first.outcome_name == found[1].outcome_name
                && first.outcome_id != found[1].outcome_id
                && first.campaign_id != found[1].campaign_id
        }
    }
}

fn conversation_holds(account: &Account, kind: PlantedKind) -> bool {
    let Place::Conversations(ids) = place(account, kind) else { return false };
    let found = account.conversations().find(|conversation| conversation.id == ids[0]).unwrap();
    if kind == PlantedKind::AnonymisedConversation {
        let named =
            found.messages.iter().any(|it| it.sender.text() == "customer" && !it.sender_name.is_empty());
        return found.email.is_empty() && found.phone.is_empty() && !named;
    }
    let (from, _) = account.chatbot_window();
    found.started_at < from
        && found.messages.iter().all(|message| message.at >= from)
        && usize::try_from(found.message_count).unwrap() > found.messages.len()
}

fn table_holds(account: &Account, kind: PlantedKind) -> bool {
    match (kind, place(account, kind)) {
        (PlantedKind::AgentWithoutEmail, Place::Users(ids)) => {
            account.users().filter(|user| ids.contains(&user.id)).all(|user| user.email.is_none())
        }
        (PlantedKind::SharedEmail, Place::Users(ids)) => {
            let emails = account.users().filter(|user| ids.contains(&user.id)).map(|user| user.email.clone());
            ids.len() == 2 && emails.collect::<BTreeSet<_>>().len() == 1
        }
        (PlantedKind::GroupNamedLikeOffice, Place::Groups(ids)) => {
            let group = account.groups().find(|group| group.id == ids[0]).unwrap();
            account.offices().any(|office| office.name == group.name)
        }
        (PlantedKind::DisabledCampaign, Place::Campaigns(ids)) => {
            account.campaigns().any(|campaign| campaign.id == ids[0] && campaign.disabled)
        }
        (PlantedKind::ClashingLabels, Place::Campaigns(ids)) => {
            let labels = |id: u32| -> BTreeMap<u8, &'static str> {
                let of = account.fields().filter(move |(campaign, _)| campaign.id == id);
                of.map(|(_, FieldDefinition { slot, label, .. })| (*slot, *label)).collect()
            };
            let (one, other) = (labels(ids[0]), labels(ids[1]));
            one.len() == 35
                && one.iter().all(|(slot, label)| other[slot] != *label)
                && one.values().all(|label| other.values().any(|again| again == label))
        }
        (PlantedKind::BlacklistedInTwoFormats, Place::Numbers(numbers)) => {
            let tail = |text: &String| digits(text).chars().rev().take(8).collect::<String>();
            let listed = |number: &String| account.blacklist().iter().any(|entry| entry.number == *number);
            numbers[0] != numbers[1] && tail(&numbers[0]) == tail(&numbers[1]) && numbers.iter().all(listed)
        }
        _ => false,
    }
}

#[test]
fn the_demonstration_holds_the_default_list() {
    assert_eq!(demo().planted().len(), PlantedKind::ALL.len());
}
