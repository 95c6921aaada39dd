//! The whole way from an account in memory to what Gorgias should hold.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use expect_test::expect;
use snapshot::Pass;
use snapshot::tables::SourceLead;

use super::*;
use crate::propose::{self, Confirmation, LeaveOut};
use crate::test_world::{FakeLeadDesk, World};
use crate::{discover, extract};

mod generated;

/// Discovers, confirms everything that is open by leaving it out, extracts.
pub(super) async fn up_to_extract(world: &World) {
    let ctx = &world.ctx;
    discover::run(ctx).await.expect("discovered");
    propose::run(ctx).await.expect("proposed");
    let proposal = propose::proposal(ctx).await.expect("proposed");
    let leave_out = proposal
        .conflicts()
        .into_iter()
        .map(|conflict| LeaveOut { id: conflict.id, reason: "test".into() })
        .collect();
    let confirmation = Confirmation {
        reviewer: "Reviewer One".into(),
        at: "2026-06-01T00:00:00Z".parse().expect("a moment"),
        proposal_digest: None,
        leave_out,
    };
    propose::confirm(ctx, &confirmation).await.expect("confirmed");
    extract::run(ctx).await.expect("extracted");
}

pub(super) async fn rows<R: Row>(world: &World) -> Vec<R> {
    let reader = archive::open::<R>(&world.ctx, &world.ctx.run, Pass::Full).await.expect("sealed");
    reader.collect::<Result<_, _>>().expect("readable")
}

fn contact(id: u64, data: &str) -> (u64, String) {
    (id, format!(r#"{{"success":true,"contact_id":{id},"data":{{"id":{id},{data}}}}}"#))
}

/// Contact 1 and 2 are one person; 3 is in no list; 4 has nothing; 5 is gone.
fn account() -> FakeLeadDesk {
    FakeLeadDesk {
        users: vec![
            r#"{"id":7,"name":"Agent One","username":"agent1","employment":"active","office":"North","role":"Agent","primary_email":"agent1@acme.example"}"#.into(),
            r#"{"id":8,"name":"Agent Two","username":"agent2","employment":"active","role":"Agent","primary_email":null}"#.into(),
        ],
        campaigns: vec![
            r#"{"id":12,"name":"Spring","type":"outbound","disabled":false}"#.into(),
            r#"{"id":13,"name":"Autumn","type":"outbound","disabled":true}"#.into(),
        ],
        lists: vec![("41".into(), "List A".into()), ("5".into(), "List B".into())],
        exports: [
            (
                "41".to_owned(),
                "1;+358401234501;;;;;;*;2024-01-02 10:00:00;;2024-01-03 10:00:00;Deal;Spring;Agent One\r\n\
                 4;;;;;;;;2024-01-02 10:00:00;;;;;\r\n\
                 5;+358401234505;;;;;;;2024-01-02 10:00:00;;;;;\r\n"
                    .to_owned(),
            ),
            ("5".to_owned(), "2;+358401234502;;;;;;;2024-02-02 10:00:00;;;;;\r\n".to_owned()),
        ]
        .into(),
        contacts: [
            contact(1, r#""fname":"Ann","lname":"Example","phone":"+358401234501","email":"ann@example.com","city":"Espoo","other1":"Gold""#),
            contact(2, r#""fname":"Ann","lname":"Example","phone":"+358401234502","email":"ANN@example.com","company":"Acme""#),
            contact(3, r#""fname":"Bo","phone":"0401234503","comment":"vip""#),
            contact(4, r#""fname":"Nobody""#),
        ]
        .into(),
        ..FakeLeadDesk::default()
    }
}

const CALLS: &str = "id;created_at;talk_time;number;contact_id;campaign;agent_id;call_ending_reason;call_ending_reason_name;direction;comment;campaign_name\n\
    10;2024-01-03 10:00:00;65;+358401234501;1;12;7;5;Deal;out;\"a;\"\"b\"\"\nc\";Spring\n\
    11;2024-01-04 10:00:00;0;0401234503;3;0;8;;;in;;\n\
    12;2024-01-05 10:00:00;0;+358401234999;0;12;7;;;in;;Spring\n\
    13;2024-01-06 10:00:00;0;anonymous;0;0;0;;;in;;\n\
    14;2024-01-07 10:00:00;9;+358401234505;5;12;7;6;Busy;out;;Spring\n\
    15;2024-01-08 10:00:00;9;+358401234502;0;13;7;6;Busy;out;;Autumn\n";

pub(super) fn world() -> World {
    let world = World::new(account());
    world.file("calls.csv", CALLS);
    world.file("sponsors.csv", "campaign_id;sponsor\n12;Acme Oy\n");
    world.file("lists.csv", "list_id;campaign_ids;rounds;expiry;office\n41;12;3;;North\n");
    world.file("fields.csv", "campaign_id;slot;label;type;values\n12;other1;Level;text;\n");
    world.file("offices.csv", "name;time_zone\nNorth;Europe/Helsinki\n");
    world.file("groups.csv", "group_id;group_name;username\n3;Team A;agent1\n");
    world.file("blacklist.csv", "number;sponsor\n040 123 4501;\n");
    world
}

async fn transcript(world: &World) -> String {
    let mut out = String::new();
    for row in rows::<WantCustomer>(world).await {
        let _ = writeln!(
            out,
            "customer {} {:?} {:?} {}",
            row.external_id, row.customer_name, row.email, row.origin
        );
    }
    for row in rows::<WantCustomerChannel>(world).await {
        let _ = writeln!(
            out,
            "channel {} {} {} {}",
            row.customer_external_id, row.channel_type, row.address, row.is_preferred
        );
    }
    for row in rows::<WantCustomerValue>(world).await {
        let _ = writeln!(
            out,
            "value {} {} {:?} {:?}",
            row.customer_external_id, row.field_key, row.value_text, row.value_boolean
        );
    }
    for row in rows::<WantTicket>(world).await {
        let assignee = (
            row.assignee_agent_id.as_deref().unwrap_or("-"),
            row.assignee_team_key.as_deref().unwrap_or("-"),
        );
        let _ = writeln!(
            out,
            "ticket {} {} of {} {} {:?} {} {} messages {}",
            row.external_id,
            row.wave,
            row.customer_external_id,
            row.status,
            assignee,
            row.created_at,
            row.message_count,
            row.created_evidence
        );
    }
    for row in rows::<WantTicketTag>(world).await {
        let _ = writeln!(out, "tag {} {}", row.ticket_external_id, row.tag_name);
    }
    for row in rows::<WantTicketValue>(world).await {
        let _ = writeln!(out, "value {} {} {:?}", row.ticket_external_id, row.field_key, row.value_text);
    }
    for row in rows::<WantMessage>(world).await {
        let _ = writeln!(
            out,
            "message {}/{} {} {} {} {:?} {:?} {}",
            row.ticket_external_id,
            row.position,
            row.external_id,
            row.kind,
            row.sender_kind,
            row.sender_agent_id,
            row.leaddesk_id,
            row.body_text.replace('\n', " | ")
        );
    }
    for row in rows::<ControlFailure>(world).await {
        let _ = writeln!(
            out,
            "{} {} {} {} {}",
            row.state, row.object, row.leaddesk_id, row.reason_code, row.reason
        );
    }
    out
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "one table of everything that is made")]
async fn every_record_finds_its_place() {
    let world = world();
    up_to_extract(&world).await;
    run(&world.ctx).await.expect("transformed");
    expect![[r#"
        customer leaddesk:contact:1 Some("Ann Example") Some("ann@example.com") contact
        customer leaddesk:contact:3 Some("Bo") None contact
        customer leaddesk:contact:4 Some("Nobody") None contact
        customer leaddesk:number:+358401234505 Some("Caller +358401234505") None number
        customer leaddesk:number:+358401234999 Some("Caller +358401234999") None number
        customer leaddesk:number:unknown Some("LeadDesk unknown callers") None number
        channel leaddesk:contact:1 email ann@example.com true
        channel leaddesk:contact:1 phone +358401234501 true
        channel leaddesk:contact:1 phone +358401234502 false
        channel leaddesk:contact:3 phone +358401234503 true
        channel leaddesk:number:+358401234505 phone +358401234505 true
        channel leaddesk:number:+358401234999 phone +358401234999 true
        value leaddesk:contact:1 leaddesk:field:email-opt-out None Some(true)
        value leaddesk:contact:1 leaddesk:field:other1:campaign-12 Some("Gold") None
        ticket leaddesk:calls:contact:3 calls of leaddesk:contact:3 closed ("-", "-") 2024-01-04T08:00:00Z 2 messages call
        ticket leaddesk:calls:number:+358401234505 calls of leaddesk:number:+358401234505 closed ("7", "group:3") 2024-01-07T08:00:00Z 1 messages call
        ticket leaddesk:calls:number:+358401234999 calls of leaddesk:number:+358401234999 closed ("7", "group:3") 2024-01-05T08:00:00Z 1 messages call
        ticket leaddesk:calls:number:unknown calls of leaddesk:number:unknown closed ("-", "-") 2024-01-06T08:00:00Z 1 messages call
        ticket leaddesk:lead:41:1 lead of leaddesk:contact:1 closed ("7", "group:3") 2024-01-02T08:00:00Z 2 messages update
        ticket leaddesk:lead:41:4 lead of leaddesk:contact:4 open ("-", "-") 2024-01-02T08:00:00Z 1 messages update
        ticket leaddesk:lead:5:2 lead of leaddesk:contact:1 open ("-", "-") 2024-01-08T08:00:00Z 2 messages call
        tag leaddesk:calls:number:+358401234505 Acme Oy
        tag leaddesk:calls:number:+358401234505 Spring
        tag leaddesk:calls:number:+358401234999 Acme Oy
        tag leaddesk:calls:number:+358401234999 Spring
        tag leaddesk:lead:41:1 Acme Oy
        tag leaddesk:lead:41:1 Spring
        tag leaddesk:lead:41:4 Acme Oy
        tag leaddesk:lead:41:4 Spring
        tag leaddesk:lead:5:2 Autumn
        value leaddesk:calls:number:+358401234505 leaddesk:field:disposition Some("Busy (6)")
        value leaddesk:lead:41:1 leaddesk:field:disposition Some("Deal (5)")
        value leaddesk:lead:41:1 leaddesk:field:lead-status Some("finished")
        value leaddesk:lead:41:4 leaddesk:field:lead-status Some("unused")
        value leaddesk:lead:5:2 leaddesk:field:disposition Some("Busy (6)")
        value leaddesk:lead:5:2 leaddesk:field:lead-status Some("unused")
        message leaddesk:calls:contact:3/1 leaddesk:card:contact:3 note service None None Contact from LeadDesk | Comment: vip
        message leaddesk:calls:contact:3/2 leaddesk:call:11 note service None Some("11") Direction: Inbound | Call time: 2024-01-04 10:00:00 Europe/Helsinki (+02:00) | Duration: 00:00 (0 s) | Outcome: - (-) | Agent: Agent Two | Campaign: - | Number: 0401234503 | Comment: - | Call id: 11
        message leaddesk:calls:number:+358401234505/1 leaddesk:call:14 note user Some("7") Some("14") Direction: Outbound | Call time: 2024-01-07 10:00:00 Europe/Helsinki (+02:00) | Duration: 00:09 (9 s) | Outcome: Busy (6) | Agent: Agent One | Campaign: Spring | Number: +358401234505 | Comment: - | Call id: 14
        message leaddesk:calls:number:+358401234999/1 leaddesk:call:12 note user Some("7") Some("12") Direction: Inbound | Call time: 2024-01-05 10:00:00 Europe/Helsinki (+02:00) | Duration: 00:00 (0 s) | Outcome: - (-) | Agent: Agent One | Campaign: Spring | Number: +358401234999 | Comment: - | Call id: 12
        message leaddesk:calls:number:unknown/1 leaddesk:call:13 note service None Some("13") Direction: Inbound | Call time: 2024-01-06 10:00:00 Europe/Helsinki (+02:00) | Duration: 00:00 (0 s) | Outcome: - (-) | Agent: - | Campaign: - | Number: anonymous | Comment: - | Call id: 13
        message leaddesk:lead:41:1/1 leaddesk:card:41:1 note service None None Lead from LeadDesk | Lead: 41:1 | List: List A (41) | Campaign: Spring | Status: finished | Owner: Agent One | Last result: Deal | Last campaign: Spring | Last call: 2024-01-03 10:00:00 Europe/Helsinki (+02:00) | Contact updated: 2024-01-02 10:00:00 Europe/Helsinki (+02:00) | Numbers in list: +358401234501 | City: Espoo
        message leaddesk:lead:41:1/2 leaddesk:call:10 note user Some("7") Some("10") Direction: Outbound | Call time: 2024-01-03 10:00:00 Europe/Helsinki (+02:00) | Duration: 01:05 (65 s) | Outcome: Deal (5) | Agent: Agent One | Campaign: Spring | Number: +358401234501 | Comment: a;"b" |   c | Call id: 10
        message leaddesk:lead:41:4/1 leaddesk:card:41:4 note service None None Lead from LeadDesk | Lead: 41:4 | List: List A (41) | Campaign: Spring | Status: unused | Contact updated: 2024-01-02 10:00:00 Europe/Helsinki (+02:00)
        message leaddesk:lead:5:2/1 leaddesk:card:5:2 note service None None Lead from LeadDesk | Lead: 5:2 | List: List B (5) | Campaign: Autumn | Status: unused | Contact updated: 2024-02-02 10:00:00 Europe/Helsinki (+02:00) | Numbers in list: +358401234502 | Company: Acme
        message leaddesk:lead:5:2/2 leaddesk:call:15 note user Some("7") Some("15") Direction: Outbound | Call time: 2024-01-08 10:00:00 Europe/Helsinki (+02:00) | Duration: 00:09 (9 s) | Outcome: Busy (6) | Agent: Agent One | Campaign: Autumn | Number: +358401234502 | Comment: - | Call id: 15
        excluded agent 8 USR107 records of this agent carry the service user
        rejected contact 5 EXT311 LeadDesk has no such contact any more
        rejected lead 41:5 LEA105 its contact was not read: it is gone or could not be used
    "#]].assert_eq(&transcript(&world).await);
    let balance = counts(&world.ctx).await.expect("stored");
    let lines: Vec<String> = balance
        .objects
        .iter()
        .map(|(object, c)| {
            format!(
                "{object} {} = {} excluded + {} merged + {:?} rejected + {} wanted",
                c.source, c.excluded, c.merged, c.rejected, c.wanted
            )
        })
        .collect();
    expect![[r#"
        agent 2 = 1 excluded + 0 merged + {} rejected + 1 wanted
        call 6 = 0 excluded + 0 merged + {} rejected + 6 wanted
        campaign 2 = 0 excluded + 0 merged + {} rejected + 2 wanted
        contact 5 = 0 excluded + 1 merged + {"EXT311": 1} rejected + 3 wanted
        field 1 = 0 excluded + 0 merged + {} rejected + 1 wanted
        group 1 = 0 excluded + 0 merged + {} rejected + 1 wanted
        lead 4 = 0 excluded + 0 merged + {"LEA105": 1} rejected + 3 wanted
        office 1 = 0 excluded + 0 merged + {} rejected + 1 wanted
        outcome 2 = 0 excluded + 0 merged + {} rejected + 2 wanted"#]]
    .assert_eq(&lines.join("\n"));
    let values: Vec<String> = rows::<MapValue>(&world)
        .await
        .iter()
        .map(|row| {
            format!("{} {} -> {:?} ({})", row.value_kind, row.source_value, row.target_value, row.reason)
        })
        .collect();
    expect![[r#"
        campaign_tag 12 -> Some("Spring") (campaign)
        campaign_tag 13 -> Some("Autumn") (campaign)
        group_team 3 -> Some("group:3") (team)
        lead_status finished -> Some("closed") (status of the lead's ticket)
        lead_status in_circulation -> Some("open") (status of the lead's ticket)
        lead_status unused -> Some("open") (status of the lead's ticket)
        merge 2 -> Some("1") (same email)
        office_team North -> Some("office:North") (team)
        outcome 5 -> Some("Deal (5)") (value of the disposition field where it is the latest)
        outcome 6 -> Some("Busy (6)") (value of the disposition field where it is the latest)
        role Agent -> Some("basic-agent") (role of a user to provision)"#]]
    .assert_eq(&values.join("\n"));
}

#[tokio::test]
async fn the_same_input_gives_the_same_bytes() {
    let world = world();
    up_to_extract(&world).await;
    let report = run(&world.ctx).await.expect("transformed");
    assert!(!report.was_done);
    let before = world.store.objects.lock().expect("free").clone();
    assert!(run(&world.ctx).await.expect("verified").was_done);
    for gone in ["/want_gorgias", "/map_", "/ctl_", "/counts.json"] {
        world.forget(gone);
    }
    assert!(!run(&world.ctx).await.expect("transformed again").was_done);
    assert!(*world.store.objects.lock().expect("free") == before, "other bytes from the same input");
}

#[tokio::test]
async fn without_a_confirmation_nothing_happens() {
    let world = world();
    discover::run(&world.ctx).await.expect("discovered");
    let error = run(&world.ctx).await.expect_err("refused");
    expect!["DOC101"].assert_eq(error.code());
    assert_eq!(world.stored("want_gorgias"), Vec::<String>::new());
}

/// A budget of a few rows makes every table spill; nothing may depend on it but the time.
#[tokio::test]
async fn memory_does_not_decide() {
    let roomy = world();
    up_to_extract(&roomy).await;
    run(&roomy.ctx).await.expect("transformed");
    let mut tight = world();
    tight.ctx.limits.writer_bytes = 256;
    up_to_extract(&tight).await;
    run(&tight.ctx).await.expect("transformed");
    assert_eq!(transcript(&roomy).await, transcript(&tight).await);
}

#[tokio::test]
async fn unreachable_persons_share_a_customer_when_they_are_rejected() {
    let mut world = world();
    world.ctx.mapping.unreachable = migration::settings::UnreachablePolicy::Reject;
    up_to_extract(&world).await;
    run(&world.ctx).await.expect("transformed");
    let tickets = rows::<WantTicket>(&world).await;
    let of_4 = tickets.iter().find(|ticket| ticket.external_id == "leaddesk:lead:41:4").expect("carried");
    assert_eq!(of_4.customer_external_id, "leaddesk:contact:unreachable");
    let customers: BTreeSet<String> =
        rows::<WantCustomer>(&world).await.into_iter().map(|c| c.external_id).collect();
    assert!(customers.contains("leaddesk:contact:unreachable") && !customers.contains("leaddesk:contact:4"));
    assert_eq!(rows::<SourceLead>(&world).await.len(), 4);
}
