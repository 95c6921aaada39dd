//! Leads and calls without lead as tickets.

use std::fmt::Write as _;

use expect_test::{Expect, expect};
use migration::customer::Leftover;
use migration::gorgias::{FieldValue, SUBJECT_CHARS_MAX, TicketDraft, TicketStatus};
use migration::keys::ExternalId;
use migration::leaddesk::{Call, CampaignId, ContactId, Lead, LeadStatus, OutcomeId};
use migration::message::{BODY_BYTES_MAX, messages_in_creation};
use migration::settings::CallChannel;
use migration::ticket::{
    CallsTicketInput, DraftedTicket, Evidence, LeadTicketInput, TicketContext, draft_calls_ticket,
    draft_lead_ticket,
};
use proptest::prelude::*;

use crate::support::{TicketWorld, at, call, lead, list, notes_text, seeded};

fn shown(drafted: &DraftedTicket) -> String {
    let ticket = &drafted.ticket;
    let mut out = format!("{} of {} on {}\n", ticket.external_id, ticket.customer, ticket.channel);
    writeln!(out, "{}", ticket.subject).unwrap();
    let closed = ticket.closed_at.map_or(String::new(), |at| format!(" until {at}"));
    writeln!(
        out,
        "{} {}{closed} ({})",
        ticket.status.as_str(),
        ticket.created_at,
        drafted.created_from.as_str()
    )
    .unwrap();
    let team = ticket.assignee_team.as_ref().map_or("nobody", |team| team.0.as_str());
    writeln!(out, "for {:?} in {team}, tags {}", ticket.assignee_user, ticket.tags.join(" | ")).unwrap();
    for value in &ticket.values {
        let FieldValue::Text(text) = &value.value else { panic!("ticket fields are text") };
        writeln!(out, "{} = {text}", value.field).unwrap();
    }
    for message in &ticket.messages {
        writeln!(out, "* {} {}", message.external_id, message.delivery.at()).unwrap();
    }
    out + &notes_text(&drafted.notes)
}

fn input<'a>(lead: &'a Lead, calls: &'a [Call], customer: &'a ExternalId) -> LeadTicketInput<'a> {
    LeadTicketInput { lead, list: None, customer, customer_name: Some("Anna Example"), calls, leftovers: &[] }
}

fn check(world: &TicketWorld, lead: &Lead, calls: &[Call], expected: &Expect) {
    let customer = ExternalId::customer(ContactId(1));
    expected.assert_eq(&shown(&draft_lead_ticket(&input(lead, calls, &customer), &world.ctx())));
}

#[test]
fn a_finished_lead_with_calls() {
    let lead = Lead {
        status: LeadStatus::Finished,
        status_text: "Qualified".to_owned(),
        last_agent: Some("agent five".to_owned()),
        last_call_at: Some(at("2024-05-03T10:00:00Z")),
        contact_updated_at: Some(at("2024-05-02T10:00:00Z")),
        ..lead(7, 1)
    };
    let second = Call {
        outcome: Some(OutcomeId(4)),
        outcome_name: Some("No deal".to_owned()),
        ..call(11, "2024-05-03T09:00:00Z")
    };
    let calls = [second, call(10, "2024-05-01T09:00:00Z"), call(10, "2024-05-01T09:00:00Z")];
    check(
        &TicketWorld::new(),
        &lead,
        &calls,
        &expect![[r"
            leaddesk:lead:7:1 of leaddesk:contact:1 on internal-note
            LeadDesk lead: Anna Example – List 7
            closed 2024-05-01T09:00:00Z until 2024-05-03T10:00:00Z (call)
            for Some(UserId(5)) in group:2, tags Q4-Outbound-SMS | Sponsor A
            leaddesk:field:disposition = No deal (4)
            leaddesk:field:lead-status = Qualified
            * leaddesk:card:7:1 2024-05-01T09:00:00Z
            * leaddesk:call:10 2024-05-01T09:00:00Z
            * leaddesk:call:11 2024-05-03T09:00:00Z
            CAL109 call/10
        "]],
    );
}

#[test]
fn a_lead_without_any_evidence() {
    let unused = Lead { status: LeadStatus::Unused, status_text: "unused".to_owned(), ..lead(7, 1) };
    let mut world = TicketWorld::new();
    let expected = expect![[r"
        leaddesk:lead:7:1 of leaddesk:contact:1 on internal-note
        LeadDesk lead: Anna Example – List 7
        open 2026-10-01T00:00:00Z (extraction)
        for None in nobody, tags 
        leaddesk:field:lead-status = unused
        * leaddesk:card:7:1 2026-10-01T00:00:00Z
        LEA104 lead/7:1
    "]];
    check(&world, &unused, &[], &expected);
    world.settings.unfinished_status = TicketStatus::Closed;
    let customer = ExternalId::customer(ContactId(1));
    let closed = draft_lead_ticket(&input(&unused, &[], &customer), &world.ctx()).ticket;
    assert_eq!((closed.status, closed.closed_at), (TicketStatus::Closed, Some(at("2026-10-01T00:00:00Z"))));
}

#[test]
fn owners_that_cannot_be_found() {
    let world = TicketWorld::new();
    let customer = ExternalId::customer(ContactId(1));
    let check = |name: &str, user: Option<u64>, expected_notes: &str| {
        let lead = Lead {
            last_agent: Some(name.to_owned()),
            contact_updated_at: Some(at("2024-01-01T00:00:00Z")),
            ..lead(7, 1)
        };
        let drafted = draft_lead_ticket(&input(&lead, &[], &customer), &world.ctx());
        assert_eq!(drafted.ticket.assignee_user.map(|user| user.0), user, "{name}");
        let notes: Vec<&str> = drafted.notes.iter().map(|note| note.code.as_str()).collect();
        assert_eq!(notes.join(" "), expected_notes, "{name}");
    };
    check("Agent Five", Some(5), "LEA103");
    check("Agent Six", None, "LEA103");
    check("Same Name", None, "LEA103 USR105");
    check("Somebody Gone", None, "LEA103 USR106");
    check(" ", None, "LEA103");
}

#[test]
fn evidence_is_the_earliest() {
    let customer = ExternalId::customer(ContactId(1));
    let world = TicketWorld::new();
    let check = |calls: &[Call], last: Option<&str>, updated: Option<&str>, expected: (Evidence, &str)| {
        let lead = Lead { last_call_at: last.map(at), contact_updated_at: updated.map(at), ..lead(7, 1) };
        let drafted = draft_lead_ticket(&input(&lead, calls, &customer), &world.ctx());
        assert_eq!((drafted.created_from, drafted.ticket.created_at), (expected.0, at(expected.1)));
    };
    let (early, late, future) = ("2024-01-01T00:00:00Z", "2024-02-01T00:00:00Z", "2030-01-01T00:00:00Z");
    check(&[call(1, early)], Some(late), Some(late), (Evidence::Call, early));
    check(&[call(1, late)], Some(late), Some(early), (Evidence::Update, early));
    check(&[], Some(early), Some(late), (Evidence::List, early));
    check(&[call(1, early)], Some(early), None, (Evidence::Call, early));
    check(&[], Some(future), None, (Evidence::List, "2026-10-01T00:00:00Z"));
}

#[test]
fn outcome_by_time_then_from_the_list() {
    let customer = ExternalId::customer(ContactId(1));
    let world = TicketWorld::new();
    let check = |calls: &[Call], last_result: Option<&str>, expected: Option<&str>| {
        let lead = Lead { last_result: last_result.map(str::to_owned), ..lead(7, 1) };
        let ticket = draft_lead_ticket(&input(&lead, calls, &customer), &world.ctx()).ticket;
        let value = ticket.values.iter().find(|value| value.field == migration::fields::disposition_key());
        let text = value.map(|value| match &value.value {
            FieldValue::Text(text) => text.as_str(),
            FieldValue::Number(_) | FieldValue::Boolean(_) => "not text",
        });
        assert_eq!(text, expected);
    };
    let outcome = |id: u64, time: &str, outcome: Option<u64>, name: &str| Call {
        outcome: outcome.map(OutcomeId),
        outcome_name: (!name.is_empty()).then(|| name.to_owned()),
        ..call(id, time)
    };
    let (early, late) = ("2024-01-01T00:00:00Z", "2024-02-01T00:00:00Z");
    let deal = outcome(1, early, Some(3), "Deal");
    check(&[outcome(2, late, None, ""), deal.clone()], Some("Busy"), Some("Deal (3)"));
    check(&[outcome(2, late, Some(4), " "), deal.clone()], None, Some("(4)"));
    check(&[outcome(2, late, None, "Call\nback"), deal], None, Some("Call back"));
    check(&[outcome(1, early, Some(3), "A"), outcome(2, early, Some(3), "B")], None, Some("B (3)"));
    check(&[outcome(1, early, None, "")], Some("Busy"), Some("Busy"));
    check(&[], None, None);
}

#[test]
fn tags_come_from_calls_else_from_the_list() {
    let customer = ExternalId::customer(ContactId(1));
    let world = TicketWorld::new();
    let dialled = list(7, "List 7", &[13, 12]);
    let tags = |lead: &Lead, calls: &[Call]| {
        let input = LeadTicketInput { list: Some(&dialled), ..input(lead, calls, &customer) };
        draft_lead_ticket(&input, &world.ctx()).ticket.tags.join(" | ")
    };
    let plain = lead(7, 1);
    let named = Lead { last_campaign: Some("renewals".to_owned()), ..lead(7, 1) };
    let other = Call { campaign: Some(CampaignId(13)), ..call(1, "2024-01-01T00:00:00Z") };
    assert_eq!(tags(&plain, &[other]), "Renewals");
    assert_eq!(tags(&named, &[]), "Renewals");
    assert_eq!(tags(&named, &[call(1, "2024-01-01T00:00:00Z")]), "Q4-Outbound-SMS | Renewals | Sponsor A");
    assert_eq!(tags(&plain, &[]), "Q4-Outbound-SMS | Renewals | Sponsor A");
}

#[test]
fn the_card_shows_what_has_no_other_home() {
    let full = Lead {
        status_text: "Contacted".to_owned(),
        last_result: Some("Callback".to_owned()),
        last_campaign: Some("Renewals".to_owned()),
        last_agent: Some("Somebody Gone".to_owned()),
        last_call_at: Some(at("2024-05-03T10:00:00Z")),
        contact_updated_at: Some(at("2024-05-02T10:00:00Z")),
        phones: vec!["040 123".to_owned(), "12-34".to_owned()],
        ..lead(7, 1)
    };
    let left = |contact, label: &str, value: &str| Leftover {
        contact: ContactId(contact),
        label: label.to_owned(),
        value: value.to_owned(),
    };
    let leftovers = [
        left(1, "Comment", "one\nStatus: fake"),
        left(2, "City", "Turku"),
        left(1, "Web", "www.example.com"),
    ];
    let customer = ExternalId::customer(ContactId(1));
    let input = LeadTicketInput { leftovers: &leftovers, ..input(&full, &[], &customer) };
    let ticket = draft_lead_ticket(&input, &TicketWorld::new().ctx()).ticket;
    expect![[r"
        Lead from LeadDesk
        Lead: 7:1
        List: List 7 (7)
        Campaign: Renewals
        Status: Contacted
        Status in list: in_circulation
        Owner: Somebody Gone
        Last result: Callback
        Last campaign: Renewals
        Last call: 2024-05-03 13:00:00 Europe/Helsinki (+03:00)
        Contact updated: 2024-05-02 13:00:00 Europe/Helsinki (+03:00)
        Numbers in list: 040 123, 12-34
        Comment: one
          Status: fake
        Web: www.example.com"]]
    .assert_eq(&ticket.messages[0].body_text);
}

#[test]
fn calls_without_lead() {
    let world = TicketWorld::new();
    let customer = ExternalId::number("+358401234567");
    let calls = [call(11, "2024-05-03T09:00:00Z"), call(10, "2024-05-01T09:00:00Z")];
    let leftovers = [Leftover { contact: ContactId(4), label: "City".to_owned(), value: "Oulu".to_owned() }];
    let draft = |calls: &[Call], leftovers: &[Leftover]| {
        let input = CallsTicketInput { customer: &customer, customer_name: None, calls, leftovers };
        draft_calls_ticket(&input, &world.ctx())
    };
    expect![[r"
        leaddesk:calls:number:+358401234567 of leaddesk:number:+358401234567 on internal-note
        LeadDesk calls without lead
        closed 2024-05-01T09:00:00Z until 2024-05-03T09:00:00Z (call)
        for Some(UserId(5)) in group:2, tags Q4-Outbound-SMS | Sponsor A
        leaddesk:field:disposition = Deal (3)
        * leaddesk:card:number:+358401234567 2024-05-01T09:00:00Z
        * leaddesk:call:10 2024-05-01T09:00:00Z
        * leaddesk:call:11 2024-05-03T09:00:00Z
    "]]
    .assert_eq(&shown(&draft(&calls, &leftovers).unwrap()));
    assert_eq!(draft(&[], &leftovers), None);
}

#[test]
fn limits() {
    let world = TicketWorld::new();
    let customer = ExternalId::customer(ContactId(1));
    let name = "N".repeat(2_000);
    let named = Lead {
        status_text: "s".repeat(2_000),
        contact_updated_at: Some(at("2024-01-01T00:00:00Z")),
        ..lead(7, 1)
    };
    let long = Call { comment: Some("<".repeat(BODY_BYTES_MAX)), ..call(1, "2024-01-02T00:00:00Z") };
    let input = LeadTicketInput {
        customer_name: Some(&name),
        ..input(&named, std::slice::from_ref(&long), &customer)
    };
    let drafted = draft_lead_ticket(&input, &world.ctx());
    assert_eq!(drafted.ticket.subject.chars().count(), SUBJECT_CHARS_MAX);
    let body = &drafted.ticket.messages[1];
    assert!(body.body_html.len() <= BODY_BYTES_MAX && body.body_text.len() <= BODY_BYTES_MAX);
    let codes: Vec<&str> = drafted.notes.iter().map(|note| note.code.as_str()).collect();
    assert_eq!(codes, ["LEA103", "TIC101", "TIC102", "TIC105"]);
}

#[test]
fn more_messages_than_a_creation_takes() {
    let world = TicketWorld::new();
    let customer = ExternalId::customer(ContactId(1));
    let calls: Vec<Call> = (1..=600)
        .map(|id| Call {
            created_at: at("2024-01-01T00:00:00Z") + jiff::SignedDuration::from_secs(id),
            ..call(id.unsigned_abs(), "2024-01-01T00:00:00Z")
        })
        .collect();
    let lead = lead(7, 1);
    let drafted = draft_lead_ticket(&input(&lead, &calls, &customer), &world.ctx());
    assert_eq!(drafted.ticket.messages.len(), 601);
    assert_eq!(messages_in_creation(&drafted.ticket.messages), 500);
    assert_eq!(notes_text(&drafted.notes), "TIC103 lead/7:1 500 with the ticket, 101 after it\n");
    let big: Vec<Call> =
        calls.into_iter().take(40).map(|call| Call { comment: Some("x".repeat(200_000)), ..call }).collect();
    let ticket = draft_lead_ticket(&input(&lead, &big, &customer), &world.ctx()).ticket;
    let riding = messages_in_creation(&ticket.messages);
    assert!((2..40).contains(&riding), "bodies of {riding} messages fit into one request");
    assert_eq!(messages_in_creation(&ticket.messages[..1]), 1);
}

#[test]
fn phone_by_explicit_choice() {
    let mut world = TicketWorld::new();
    world.settings.call_channel = CallChannel::Phone;
    let customer = ExternalId::customer(ContactId(1));
    let lead = lead(7, 1);
    assert_eq!(draft_lead_ticket(&input(&lead, &[], &customer), &world.ctx()).ticket.channel, "phone");
}

fn is_sound(ticket: &TicketDraft, ctx: &TicketContext<'_>) -> Result<(), TestCaseError> {
    prop_assert!(!ticket.messages.is_empty());
    prop_assert!(ticket.messages.is_sorted_by_key(|message| message.delivery.at()));
    prop_assert!(ticket.messages.iter().all(|message| message.delivery.at() >= ticket.created_at));
    prop_assert!(ticket.messages.iter().all(|message| message.delivery.at() <= ctx.as_of));
    prop_assert!(ticket.closed_at.is_none_or(|closed| closed >= ticket.created_at && closed <= ctx.as_of));
    prop_assert_eq!(ticket.closed_at.is_some(), ticket.status == TicketStatus::Closed);
    let mut ids: Vec<&ExternalId> = ticket.messages.iter().map(|message| &message.external_id).collect();
    ids.sort();
    ids.dedup();
    prop_assert_eq!(ids.len(), ticket.messages.len());
    prop_assert!(ticket.tags.is_sorted());
    Ok(())
}

proptest! {
    #![proptest_config(seeded(150))]

    #[test]
    fn tickets_are_sound_and_do_not_depend_on_order(
        times in proptest::collection::vec((1_u64..12, 0_i64..2_000_000_000), 0..10),
        last in proptest::option::of(0_i64..2_000_000_000),
        updated in proptest::option::of(0_i64..2_000_000_000),
        finished in any::<bool>(),
    ) {
        let moment = |seconds: i64| jiff::Timestamp::from_second(seconds).unwrap();
        let mut calls: Vec<Call> = times
            .iter()
            .map(|(id, seconds)| Call { created_at: moment(*seconds), ..call(*id, "2024-01-01T00:00:00Z") })
            .collect();
        let lead = Lead {
            status: if finished { LeadStatus::Finished } else { LeadStatus::InCirculation },
            last_call_at: last.map(moment),
            contact_updated_at: updated.map(moment),
            ..lead(7, 1)
        };
        let world = TicketWorld::new();
        let customer = ExternalId::customer(ContactId(1));
        let drafted = draft_lead_ticket(&input(&lead, &calls, &customer), &world.ctx());
        is_sound(&drafted.ticket, &world.ctx())?;
        let calls_input = CallsTicketInput { customer: &customer, customer_name: None, calls: &calls, leftovers: &[] };
        if let Some(drafted) = draft_calls_ticket(&calls_input, &world.ctx()) {
            is_sound(&drafted.ticket, &world.ctx())?;
        }
        calls.reverse();
        let distinct: std::collections::BTreeSet<u64> = times.iter().map(|(id, _)| *id).collect();
        if distinct.len() == times.len() {
            prop_assert_eq!(draft_lead_ticket(&input(&lead, &calls, &customer), &world.ctx()), drafted);
        }
    }
}
