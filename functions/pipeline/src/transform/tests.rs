//! The whole way from an account in memory to what Gorgias should hold.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use expect_test::expect;
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
async fn every_record_finds_its_place() {
    let world = world();
    up_to_extract(&world).await;
    run(&world.ctx).await.expect("transformed");
    expect![[""]].assert_eq(&transcript(&world).await);
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
    expect![[""]].assert_eq(&lines.join("\n"));
    let values: Vec<String> = rows::<MapValue>(&world)
        .await
        .iter()
        .map(|row| {
            format!("{} {} -> {:?} ({})", row.value_kind, row.source_value, row.target_value, row.reason)
        })
        .collect();
    expect![[""]].assert_eq(&values.join("\n"));
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
