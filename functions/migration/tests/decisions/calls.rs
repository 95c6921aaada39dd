//! Calls: their text, their template, their recording, and the ticket that they belong to.

use std::sync::Arc;

use expect_test::{Expect, expect};
use migration::call_home::{CallIndexBuilder, Home};
use migration::call_note::{call_message, duration_text, recording_text};
use migration::call_template::{CallTemplate, Placeholder};
use migration::gorgias::Delivery;
use migration::leaddesk::{
    Call, CampaignId, Contact, ContactId, Direction, FetchedRecording, Lead, LeadId, ListId, RecordingState,
    StoredSound, UserId,
};
use migration::settings::{CallChannel, RecordingPolicy};
use proptest::prelude::*;

use crate::support::{TicketWorld, at, call, contact, fi, lead, list, notes_text, person, resolve, seeded};

fn shown_delivery(delivery: &Delivery) -> String {
    match delivery {
        Delivery::InternalNote { author, at } => format!("note by {author:?} at {at}"),
        Delivery::Incoming { channel, at } => format!("in on {channel} at {at}"),
        Delivery::Outgoing { channel, author, sent_at } => {
            format!("out on {channel} by {author:?} at {sent_at}")
        }
    }
}

fn check(world: &TicketWorld, call: &Call, expected: &Expect) {
    let (message, notes) = call_message(call, &world.ctx());
    let shown = format!(
        "{} {}\n{}\n--\n{}",
        message.external_id,
        shown_delivery(&message.delivery),
        message.body_text,
        notes_text(&notes)
    );
    expected.assert_eq(&shown);
}

#[test]
fn the_standard_text() {
    check(
        &TicketWorld::new(),
        &call(9, "2024-03-31T01:30:00Z"),
        &expect![[r#"
            leaddesk:call:9 note by User(UserId(5)) at 2024-03-31T01:30:00Z
            Direction: Outbound
            Call time: 2024-03-31 04:30:00 Europe/Helsinki (+03:00)
            Duration: 05:07 (307 s)
            Outcome: Deal (3)
            Agent: Agent Five
            Campaign: Q4-Outbound-SMS
            Number: +358401234567
            Comment: -
            Call id: 9
            --
        "#]],
    );
}

#[test]
fn a_call_with_nothing_known() {
    let bare = Call {
        talk_seconds: None,
        agent: None,
        agent_username: None,
        number: None,
        campaign: Some(CampaignId(13)),
        campaign_name: None,
        contact: None,
        outcome: None,
        outcome_name: None,
        direction: None,
        recording: Some("call-9.wav.mp3".to_owned()),
        fetched: None,
        comment: Some(" \u{0} ".to_owned()),
        ..call(9, "2027-01-01T00:00:00Z")
    };
    check(
        &TicketWorld::new(),
        &bare,
        &expect![[r#"
            leaddesk:call:9 note by ServiceUser at 2026-10-01T00:00:00Z
            Direction: unknown
            Call time: 2027-01-01 02:00:00 Europe/Helsinki (+02:00)
            Duration: unknown
            Outcome: - (-)
            Agent: -
            Campaign: Renewals
            Number: -
            Comment: -
            Call id: 9
            --
            CAL106 call/9 set to the time of extraction
            CAL107 call/9
            CAL101 call/9
        "#]],
    );
}

#[test]
fn comments_cannot_pose_as_lines() {
    let tricky = Call {
        comment: Some("first; \"quoted\"\r\nOutcome: Fake (1)\n<b>bold</b> 👍 שלום".to_owned()),
        agent: Some(UserId(6)),
        ..call(9, "2024-01-01T10:00:00Z")
    };
    let (message, _) = call_message(&tricky, &TicketWorld::new().ctx());
    let comment = message
        .body_text
        .lines()
        .skip_while(|line| !line.starts_with("Comment"))
        .collect::<Vec<_>>()
        .join("\n");
    expect![[r#"
        Comment: first; "quoted"
          Outcome: Fake (1)
          <b>bold</b> 👍 שלום
        Call id: 9"#]]
    .assert_eq(&comment);
    assert!(message.body_html.contains("&lt;b&gt;bold&lt;/b&gt;"));
    assert!(message.body_text.contains("Agent: Agent Six"), "an agent without user is named in the text");
}

#[test]
fn channels() {
    let mut world = TicketWorld::new();
    world.settings.call_channel = CallChannel::Phone;
    let check = |direction, expected: &str| {
        let call = Call { direction, ..call(9, "2024-01-01T10:00:00Z") };
        assert_eq!(shown_delivery(&call_message(&call, &world.ctx()).0.delivery), expected);
    };
    check(Some(Direction::Inbound), "in on phone at 2024-01-01T10:00:00Z");
    check(Some(Direction::Outbound), "out on phone by User(UserId(5)) at 2024-01-01T10:00:00Z");
    check(None, "note by User(UserId(5)) at 2024-01-01T10:00:00Z");
}

#[test]
fn recordings() {
    let check = |policy: RecordingPolicy, raw: &str, expected: &str| {
        let (text, withheld) = recording_text(Some(raw), policy, None);
        let shown = format!("{}{}", text.unwrap_or_default(), if withheld { " (withheld)" } else { "" });
        assert_eq!(shown, expected, "{raw:?} under {}", policy.as_str());
    };
    check(RecordingPolicy::None, "a.mp3", "not migrated");
    check(RecordingPolicy::None, "https://x.example/a.mp3?sig=k", "not migrated");
    check(RecordingPolicy::Link, "https://x.example/a.mp3", "https://x.example/a.mp3");
    check(RecordingPolicy::Link, "https://x.example/a.mp3?sig=k", "link withheld (withheld)");
    check(RecordingPolicy::Link, "https://user:key@x.example/a.mp3", "link withheld (withheld)");
    check(RecordingPolicy::Link, "https://x.example/a.mp3#key", "link withheld (withheld)");
    check(RecordingPolicy::Link, "http://x.example/a.mp3", "link withheld (withheld)");
    check(RecordingPolicy::Link, "a.wav.mp3", "a.wav.mp3");
    check(RecordingPolicy::Archive, " ", "");
    let fetched = |policy, raw: &str, state, expected: &str| {
        assert_eq!(
            recording_text(Some(raw), policy, state),
            (Some(expected.to_owned()), false),
            "{raw:?} {state:?}"
        );
    };
    let (upload, archive) = (RecordingPolicy::Upload, RecordingPolicy::Archive);
    fetched(upload, "https://x.example/a.mp3", Some(RecordingState::Archived), "a.mp3");
    fetched(upload, "https://x.example/a.mp3?sig=k", Some(RecordingState::Archived), "recording");
    fetched(archive, "a.mp3", Some(RecordingState::Archived), "a.mp3, archived");
    fetched(archive, "a.mp3", Some(RecordingState::Gone), "a.mp3, not at LeadDesk any more");
    fetched(upload, "a.mp3", Some(RecordingState::Failed), "a.mp3, could not be fetched");
    fetched(upload, "a.mp3", Some(RecordingState::Pending), "a.mp3, could not be fetched");
    fetched(archive, "a.mp3", None, "a.mp3, could not be fetched");
    let mut world = TicketWorld::new();
    world.settings.recording = RecordingPolicy::Link;
    let recorded = Call {
        recording: Some("https://x.example/a.mp3?sig=KEY".to_owned()),
        ..call(9, "2024-01-01T10:00:00Z")
    };
    let (message, notes) = call_message(&recorded, &world.ctx());
    assert!(message.body_text.ends_with("Call id: 9\nRecording: link withheld"));
    assert!(!message.body_html.contains("KEY"));
    assert_eq!(notes_text(&notes), "CAL105 call/9\n");
}

#[test]
fn a_recording_in_the_store_hangs_on_its_call_where_that_is_chosen() {
    let check = |policy, name: &str, key: &str, expected: Option<&str>| {
        let sound = StoredSound {
            content_type: "audio/mpeg".to_owned(),
            bytes: 7,
            sha256: "ab".to_owned(),
            key: key.to_owned(),
        };
        let recorded = Call {
            recording: Some(name.to_owned()),
            fetched: Some(FetchedRecording { state: RecordingState::Archived, sound: Some(sound) }),
            ..call(9, "2024-01-01T10:00:00Z")
        };
        let mut world = TicketWorld::new();
        world.settings.recording = policy;
        let attachment = call_message(&recorded, &world.ctx()).0.attachment;
        assert_eq!(attachment.as_ref().map(|it| it.file_name.as_str()), expected, "{name}");
        assert!(attachment.is_none_or(|it| (it.bytes, it.store_key.as_str()) == (7, key)));
    };
    let upload = RecordingPolicy::Upload;
    check(upload, "20250103-101112_+358501234567-9.wav.mp3", "r/x.mp3", Some("call-9.mp3"));
    check(upload, "a\"\r\nX: y.mp3", "r/x.wav", Some("call-9.wav"));
    check(RecordingPolicy::Archive, "a.mp3", "r/x.mp3", None);
    check(RecordingPolicy::Link, "a.mp3", "r/x.mp3", None);
}

#[test]
fn durations() {
    for (seconds, expected) in [
        (Some(0), "00:00 (0 s)"),
        (Some(59), "00:59 (59 s)"),
        (Some(3_725), "62:05 (3725 s)"),
        (Some(-1), "unknown"),
        (None, "unknown"),
    ] {
        assert_eq!(duration_text(seconds), expected);
    }
}

#[test]
fn templates() {
    let check = |text: &str, expected: &Expect| {
        let shown = match CallTemplate::parse(text) {
            Ok(template) => template.render(|placeholder| match placeholder {
                Placeholder::CallId => Some("9".to_owned()),
                Placeholder::Comment => Some("one\ntwo".to_owned()),
                _ => None,
            }),
            Err(error) => format!("error: {error}"),
        };
        expected.assert_eq(&shown);
    };
    check(
        "Id: {call_id}\n\nNote: {comment} / { agent }",
        &expect![[r"
        Id: 9
        Note: one
          two / -"]],
    );
    check("", &expect!["error: the template is empty"]);
    check("Id {call_id}", &expect!["error: line 1 is not of the form `Label: value`"]);
    check("Id: {call_id}\n{agent}: x", &expect!["error: line 2 is not of the form `Label: value`"]);
    check("Id: {call_id}\nID: {agent}", &expect!["error: line 2 repeats the label `ID`"]);
    check("Id: {call_ref}", &expect!["error: line 1 names the unknown placeholder `{call_ref}`"]);
    check("Id: {call_id", &expect!["error: line 1 has a brace without its partner"]);
    check("Id: call_id}", &expect!["error: line 1 has a brace without its partner"]);
    check("Agent: {agent}", &expect!["error: the template does not show {call_id}"]);
    let many: String = (0..51).map(|line| format!("L{line}: {{call_id}}\n")).collect();
    check(&many, &expect!["error: the template has more than 50 lines"]);
    let standard = CallTemplate::standard();
    assert_eq!(CallTemplate::parse(standard.as_str()), Ok(standard.clone()));
    assert!(Placeholder::ALL.iter().filter(|placeholder| standard.shows(**placeholder)).count() == 10);
}

struct Homes {
    contacts: Vec<Contact>,
    leads: Vec<Lead>,
}

impl Homes {
    /// Contacts 1 and 2 are Anna; 3 is Bo, who shares her number; 4 has no lead; 5 is unreachable but listed.
    fn new() -> Self {
        let contacts = vec![
            person(1, "Anna Example", "anna@example.com", &["0401234567"]),
            person(2, "Anna Example", "anna@example.com", &["0501234567"]),
            person(3, "Bo Example", "", &["0401234567"]),
            person(4, "Cy Example", "", &["0441234567"]),
        ];
        let mut leads = vec![lead(7, 1), lead(8, 1), lead(8, 2), lead(9, 3), lead(9, 5)];
        leads[0].last_call_at = Some(at("2024-05-01T00:00:00Z"));
        leads[1].last_call_at = Some(at("2024-01-01T00:00:00Z"));
        leads[2].contact_updated_at = Some(at("2024-06-01T00:00:00Z"));
        leads[3].last_campaign = Some("Renewals".to_owned());
        Self { contacts, leads }
    }

    fn home(&self, call: &Call) -> Home {
        let mut builder = CallIndexBuilder::new();
        self.leads.iter().for_each(|lead| builder.add(lead));
        let lists = [list(7, "A", &[12]), list(8, "B", &[13]), list(9, "C", &[])];
        builder.finish(&lists, Arc::new(resolve(&self.contacts)), fi()).home(call)
    }
}

#[test]
fn homes() {
    let homes = Homes::new();
    let check = |contact: Option<u64>, campaign: Option<u64>, name: &str, number: &str, expected: &str| {
        let call = Call {
            contact: contact.map(ContactId),
            campaign: campaign.map(CampaignId),
            campaign_name: (!name.is_empty()).then(|| name.to_owned()),
            number: (!number.is_empty()).then(|| number.to_owned()),
            ..call(1, "2024-01-01T00:00:00Z")
        };
        let shown = match homes.home(&call) {
            Home::Lead(lead) => format!("lead {lead}"),
            Home::PersonWithoutLead(contact) => format!("person {contact}"),
            Home::Number(number) => format!("number {number}"),
            Home::Nobody => "nobody".to_owned(),
        };
        assert_eq!(shown, expected, "contact {contact:?} campaign {campaign:?} {name:?} {number:?}");
    };
    check(Some(1), Some(12), "", "", "lead 7:1");
    check(Some(1), Some(13), "", "", "lead 8:1");
    // No list of the contact belongs to the campaign: the person's newest lead, of any contact.
    check(Some(1), Some(99), "", "", "lead 8:2");
    check(Some(1), None, "", "", "lead 8:2");
    check(Some(3), Some(99), "renewals", "", "lead 9:3");
    check(Some(3), Some(99), "Other", "", "lead 9:3");
    check(Some(4), Some(12), "", "", "person 4");
    // Listed, but its card was never read: it still has its lead.
    check(Some(5), Some(12), "", "", "lead 9:5");
    // The contact is gone, the number is not.
    check(Some(77), Some(12), "", "0501234567", "lead 8:2");
    check(None, None, "", "044 123 4567", "person 4");
    // Two persons share it: nobody is guessed.
    check(None, None, "", "0401234567", "number +358401234567");
    check(None, None, "", "+46701234567", "number +46701234567");
    check(None, None, "", "12-345", "number 12345");
    check(None, None, "", "anonymous", "nobody");
    check(None, None, "", "0", "nobody");
    check(None, None, "", "", "nobody");
}

#[test]
fn newest_of_equals_is_the_later_list() {
    let mut homes = Homes::new();
    homes.leads = vec![lead(7, 4), lead(9, 4), lead(8, 4)];
    let call = Call {
        contact: Some(ContactId(4)),
        campaign: None,
        campaign_name: None,
        ..call(1, "2024-01-01T00:00:00Z")
    };
    assert_eq!(homes.home(&call), Home::Lead(LeadId { list: ListId(9), contact: ContactId(4) }));
}

proptest! {
    #![proptest_config(seeded(150))]

    #[test]
    fn every_call_has_one_home_in_every_order(
        drawn in proptest::collection::btree_set((1_u64..5, 1_u64..8), 0..15),
        times in proptest::collection::vec(0_i64..5, 15),
        calls in proptest::collection::vec((0_u64..9, 0_u64..4), 1..10),
    ) {
        let contacts: Vec<Contact> = (1..6).map(contact).collect();
        let mut leads: Vec<Lead> = drawn
            .iter()
            .zip(&times)
            .map(|((list, contact), time)| Lead {
                last_call_at: Some(jiff::Timestamp::from_second(*time).unwrap()),
                ..lead(*list, *contact)
            })
            .collect();
        let lists = [list(1, "A", &[1]), list(2, "B", &[2]), list(3, "C", &[1, 2])];
        let index = |leads: &[Lead]| {
            let mut builder = CallIndexBuilder::new();
            leads.iter().for_each(|lead| builder.add(lead));
            builder.finish(&lists, Arc::new(resolve(&contacts)), fi())
        };
        let forward = index(&leads);
        leads.reverse();
        let backward = index(&leads);
        for (contact, campaign) in calls {
            let call = Call {
                contact: (contact > 0).then_some(ContactId(contact)),
                campaign: (campaign > 0).then_some(CampaignId(campaign)),
                campaign_name: None,
                number: None,
                ..call(1, "2024-01-01T00:00:00Z")
            };
            let home = forward.home(&call);
            prop_assert_eq!(&backward.home(&call), &home);
            let own: Vec<&Lead> = leads.iter().filter(|lead| lead.id.contact.0 == contact).collect();
            match home {
                Home::Lead(id) => {
                    prop_assert!(own.iter().any(|lead| lead.id == id));
                    let dialled = |lead: &&&Lead| lists.iter().any(|list| {
                        list.id == lead.id.list && list.campaigns.contains(&CampaignId(campaign))
                    });
                    let among: Vec<&&Lead> = match own.iter().filter(dialled).count() {
                        0 => own.iter().collect(),
                        _ => own.iter().filter(dialled).collect(),
                    };
                    let newest = among.iter().map(|lead| (lead.last_call_at, lead.id.list)).max();
                    prop_assert_eq!(newest.map(|(_, list)| list), Some(id.list));
                }
                Home::PersonWithoutLead(found) => prop_assert!(own.is_empty() && found.0 == contact && contact < 6),
                Home::Number(_) => prop_assert!(false, "no call has a number"),
                Home::Nobody => prop_assert!(own.is_empty() && !(1..6).contains(&contact)),
            }
        }
    }
}
