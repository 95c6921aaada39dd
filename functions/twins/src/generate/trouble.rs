//! Plants everything that usually goes wrong in a real account, once each, at known places.
//!
//! Deliberately absent: chance. Trouble sits at fixed positions of every account, whatever its seed; only the names
//! around it vary.

use crate::generate::account::Account;
use crate::generate::call::{CALL_ID_FIRST, CallRecord, NO_CONTACT, NONE, Recording};
use crate::generate::chance::{Chance, Stream, narrow, small};
use crate::generate::chatbot;
use crate::generate::contact::{CONTACT_ID_FIRST, ContactText, NO_LIST};
use crate::generate::organisation::{BlacklistEntry, Outcome, value_for};
use crate::generate::person::Person;
use crate::generate::phone;
use crate::generate::planted::{Place, Planted, PlantedKind};
use crate::generate::stamp::Stamp;
use crate::generate::words::HOSTILE_TEXT;

/// The first so many contacts are set aside for trouble; ordinary chance never touches them.
pub(crate) const RESERVED: u32 = 18;

const THREE_LISTS: [u32; 3] = [0, 1, 2];
const HOUSEHOLD: [u32; 3] = [3, 4, 5];
const THREE_NUMBERS: u32 = 6;
const PHONE_ONLY: u32 = 7;
const ALL_SLOTS: u32 = 8;
const HOSTILE: u32 = 9;
const BLACKLISTED: u32 = 10;
const SHORT_ROW: u32 = 11;
const MOVED: u32 = 12;
const TOUCHED: u32 = 13;
const NO_IDENTITY: u32 = 14;
const INVALID_PHONE: u32 = 15;
const INVALID_EMAIL: u32 = 16;

/// What goes wrong with the planted calls, in the order of their sequence numbers.
const CALLS: [(u32, PlantedKind); 12] = [
    (HOSTILE, PlantedKind::HostileComment),
    (THREE_LISTS[0], PlantedKind::TimeInGap),
    (THREE_LISTS[0], PlantedKind::TimeInFold),
    (THREE_LISTS[1], PlantedKind::TimeInFold),
    (NO_CONTACT, PlantedKind::CallWithoutContact),
    (HOUSEHOLD[0], PlantedKind::CallWithoutAgent),
    (THREE_NUMBERS, PlantedKind::RecordingGone),
    (THREE_LISTS[0], PlantedKind::RenamedOutcome),
    (BLACKLISTED, PlantedKind::RenamedOutcome),
    (THREE_LISTS[0], PlantedKind::DuplicateOutcomeName),
    (THREE_LISTS[1], PlantedKind::DuplicateOutcomeName),
    (TOUCHED, PlantedKind::PhoneToBeTouched),
];

/// The list that is gone at the later time: the last.
pub(crate) fn doomed_list(account: &Account) -> u32 {
    account.organisation.lists.last().map_or(0, |list| list.id)
}

/// The contact that is moved until the later time.
pub(crate) fn moved_contact() -> u32 {
    CONTACT_ID_FIRST + MOVED
}

/// The contact of which one number is touched until the later time.
pub(crate) fn touched_contact() -> u32 {
    CONTACT_ID_FIRST + TOUCHED
}

/// Turns the reserved contacts into the planted ones.
pub(crate) fn plant_contacts(account: &mut Account) {
    let kept_lists = small(account.organisation.lists.len() - 1);
    for position in 0..RESERVED {
        let record = &mut account.contacts[position as usize];
        record.lists = [small(position as usize) % kept_lists, NO_LIST];
        record.phones = 1;
    }
    for (list, position) in (0_u16..).zip(THREE_LISTS) {
        let person = account.contacts[THREE_LISTS[0] as usize].person;
        let record = &mut account.contacts[position as usize];
        record.person = person;
        record.lists[0] = list;
    }
    account.contacts[THREE_NUMBERS as usize].phones = 3;
    account.contacts[NO_IDENTITY as usize].phones = 0;
    // The second campaign labels all slots; its lists are every n-th with the campaign's position.
    account.contacts[ALL_SLOTS as usize].lists[0] = 1;
    for position in 0..RESERVED {
        let text = card(account, position);
        account.texts.insert(position, text);
    }
    if account.shape.short_row {
        account.short_rows.insert(SHORT_ROW);
    }
}

/// The card of a planted contact: sound, apart from what is planted in it.
fn card(account: &Account, position: u32) -> ContactText {
    let record = account.contacts[position as usize];
    let person = Person { seed: account.shape.seed, number: record.person };
    let (given, family) = person.name();
    let style = if position == THREE_LISTS[1] || position == HOUSEHOLD[2] { 6 } else { 0 };
    let line = match position {
        3..=5 => Person { number: account.contacts[HOUSEHOLD[0] as usize].person, ..person },
        _ => person,
    };
    let phones = (0..record.phones).map(|slot| line.phone(slot, style)).collect();
    let mut text = ContactText {
        phones,
        email: format!("{}.planted{}@example.org", person.words().code, record.person),
        fname: given,
        lname: family,
        ..ContactText::default()
    };
    let mut chance = Chance::of(account.shape.seed, Stream::ContactFields, u64::from(position));
    match position {
        PHONE_ONLY => text = ContactText { phones: text.phones, ..ContactText::default() },
        ALL_SLOTS => {
            let fields = account.fields_at(position);
            text.others = fields.iter().map(|field| (field.slot, value_for(field, &mut chance))).collect();
        }
        HOSTILE => {
            HOSTILE_TEXT.clone_into(&mut text.comment);
            "Åke \"Acke\"".clone_into(&mut text.fname);
            "O'Näs; Ström".clone_into(&mut text.lname);
            "Testikuja 1; 2.\nporras \"B\"".clone_into(&mut text.address);
        }
        NO_IDENTITY => text.email.clear(),
        INVALID_PHONE => text.phones = vec![phone::INVALID[1].to_owned()],
        INVALID_EMAIL => "not-an-address".clone_into(&mut text.email),
        _ => {}
    }
    text
}

/// The planted calls, by sequence number.
pub(crate) fn calls(account: &mut Account) -> Vec<CallRecord> {
    account.comments.insert(0, HOSTILE_TEXT);
    let chosen = &account.organisation;
    let agent = chosen.agents[0];
    let outcome = |campaign: u16, name: &str| {
        let fits = |outcome: &Outcome| outcome.campaign == Some(campaign) && outcome.name == name;
        small(chosen.outcomes.iter().position(fits).expect("every campaign has its own outcomes"))
    };
    let plant = |(sequence, (contact, kind)): (u32, (u32, PlantedKind))| {
        let workday = Stamp::civil(2025, 3, 3, 10, 0, 0).plus(sequence * 86_400 * 7);
        let mut call = CallRecord {
            sequence,
            contact,
            created_at: workday,
            agent,
            campaign: 0,
            outcome: outcome(0, "Sopimus"),
            talk: 61,
            slot: 0,
            inbound: false,
            recording: Recording::Kept,
        };
        match kind {
            // Clocks of the European Union skip this minute …
            PlantedKind::TimeInGap => call.created_at = Stamp::civil(2025, 3, 30, 3, 15, 0),
            // … and show this one twice (both in the zone of Helsinki, where 3:00 becomes 4:00 and 4:00 becomes 3:00).
            PlantedKind::TimeInFold => call.created_at = Stamp::civil(2025, 10, 26, 3, 20, 0),
            PlantedKind::CallWithoutAgent => {
                (call.agent, call.outcome, call.talk) = (NONE, NONE, 0);
                (call.inbound, call.recording) = (true, Recording::None);
            }
            PlantedKind::RecordingGone => call.recording = Recording::Gone,
            PlantedKind::RenamedOutcome => {
                let month = if contact == BLACKLISTED { 9 } else { 4 };
                call.outcome = outcome(0, "Offer sent");
                call.created_at = Stamp::civil(2025, month, 8, 11, 5, 0);
            }
            PlantedKind::DuplicateOutcomeName if contact == THREE_LISTS[1] => {
                (call.campaign, call.outcome) = (1, outcome(1, "Sopimus"));
            }
            _ => {}
        }
        call
    };
    (0_u32..).zip(CALLS).map(plant).collect()
}

/// Adds the planted rows of the blacklist, and writes down where everything is.
pub(crate) fn record(account: &mut Account) {
    let line = account.phones_at(BLACKLISTED).remove(0);
    let written = [phone::dialled(&line), format!("00{}", line.trim_start_matches('+'))];
    for number in written.clone() {
        let created_at = Stamp::civil(2025, 5, 5, 12, 0, 0);
        account.blacklist.push(BlacklistEntry { number, sponsor: None, created_at });
    }
    let mut planted =
        vec![Planted { kind: PlantedKind::BlacklistedInTwoFormats, place: Place::Numbers(written.into()) }];
    contacts_planted(account, &mut planted);
    calls_planted(account, &mut planted);
    organisation_planted(account, &mut planted);
    let [cut, anonymised] = chatbot::planted_ids();
    planted.push(Planted { kind: PlantedKind::CutConversation, place: Place::Conversations(vec![cut]) });
    planted.push(Planted {
        kind: PlantedKind::AnonymisedConversation,
        place: Place::Conversations(vec![anonymised]),
    });
    planted.sort_by_key(|planted| planted.kind);
    account.planted = planted;
}

fn contacts_planted(account: &Account, planted: &mut Vec<Planted>) {
    let mut at = |kind, positions: &[u32]| {
        let ids = positions.iter().map(|position| CONTACT_ID_FIRST + position).collect();
        planted.push(Planted { kind, place: Place::Contacts(ids) });
    };
    at(PlantedKind::PersonInThreeLists, &THREE_LISTS);
    at(PlantedKind::HouseholdPhone, &HOUSEHOLD);
    at(PlantedKind::ThreeNumbers, &[THREE_NUMBERS]);
    at(PlantedKind::PhoneOnlyContact, &[PHONE_ONLY]);
    at(PlantedKind::AllSlotsFilled, &[ALL_SLOTS]);
    at(PlantedKind::HostileContact, &[HOSTILE]);
    at(PlantedKind::NoIdentity, &[NO_IDENTITY]);
    at(PlantedKind::InvalidPhone, &[INVALID_PHONE]);
    at(PlantedKind::InvalidEmail, &[INVALID_EMAIL]);
    at(PlantedKind::ContactToBeMoved, &[MOVED]);
    at(PlantedKind::PhoneToBeTouched, &[TOUCHED]);
    if account.shape.short_row {
        at(PlantedKind::ShortExportRow, &[SHORT_ROW]);
    }
}

fn calls_planted(account: &Account, planted: &mut Vec<Planted>) {
    let mut found: Vec<(PlantedKind, u32)> = (0..narrow(account.calls.len()))
        .filter_map(|position| {
            let sequence = account.calls[position as usize].sequence;
            let (_, kind) = CALLS.get(sequence as usize)?;
            Some((*kind, CALL_ID_FIRST + position))
        })
        .filter(|(kind, _)| !matches!(kind, PlantedKind::PhoneToBeTouched))
        .collect();
    found.sort_unstable();
    for same in found.chunk_by(|one, other| one.0 == other.0) {
        let ids = same.iter().map(|(_, id)| *id).collect();
        planted.push(Planted { kind: same[0].0, place: Place::Calls(ids) });
    }
}

fn organisation_planted(account: &Account, planted: &mut Vec<Planted>) {
    let chosen = &account.organisation;
    let mut at = |kind, place| planted.push(Planted { kind, place });
    let users =
        |range: std::ops::Range<usize>| Place::Users(chosen.users[range].iter().map(|it| it.id).collect());
    at(PlantedKind::AgentWithoutEmail, users(6..8));
    at(PlantedKind::SharedEmail, users(0..2));
    at(PlantedKind::GroupNamedLikeOffice, Place::Groups(vec![chosen.groups[1].id]));
    let disabled = chosen.campaigns.iter().filter(|campaign| campaign.disabled).map(|campaign| campaign.id);
    at(PlantedKind::DisabledCampaign, Place::Campaigns(disabled.collect()));
    let first_two = chosen.campaigns.iter().take(2).map(|campaign| campaign.id);
    at(PlantedKind::ClashingLabels, Place::Campaigns(first_two.collect()));
    at(PlantedKind::ListToBeDeleted, Place::Lists(vec![doomed_list(account)]));
}
