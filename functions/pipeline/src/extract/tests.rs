//! Extraction from a LeadDesk in memory: what goes well, what goes wrong, and what a restart does.

use expect_test::{Expect, expect};
use snapshot::tables::{SourceCall, SourceContact, SourceLead};
use snapshot::{Pass, Row};

use super::*;
use crate::archive;
use crate::ports::leaddesk::LeadDesk as _;
use crate::test_world::{FakeLeadDesk, Fault, World};
use crate::worker::StepError;

mod chat_exports;

/// Two users, one campaign, one list with two contacts, of which one has two numbers.
pub(super) fn account() -> FakeLeadDesk {
    let contact = |id: u64, extra: &str| {
        format!(
            r#"{{"success":true,"contact_id":{id},"data":{{"id":{id},"fname":"First{id}","ssc":"010100-123X",{extra}}}}}"#
        )
    };
    FakeLeadDesk {
        users: vec![
            r#"{"id":7,"name":"Agent One","username":"agent1","employment":"active","office":"North","role":"Agent","primary_email":"agent1@acme.example"}"#.into(),
            r#"{"id":8,"name":"Lead One","username":"lead1","employment":"inactive","office":null,"role":"Team Leader","primary_email":""}"#.into(),
        ],
        campaigns: vec![r#"{"id":12,"name":"Spring","type":"outbound","disabled":false}"#.into()],
        lists: vec![("41".into(), "List A".into())],
        exports: [(
            "41".to_owned(),
            "1001;+358401234567;First1001;;;;;*;2024-01-02 10:00:00;;2024-01-03 10:00:00;Deal;Spring;Agent One\r\n\
             1002;0401234568;First1002;;;;;;2024-01-02 11:00:00;;;;;\r\n\
             1001;+358401234569;First1001;;;;;;2024-01-02 10:00:00;;2024-01-04 10:00:00;Busy;Spring;Agent One\r\n\
             1003;+358401234570;First1003;;;;;;2024-01-02 10:00:00;;;;\r\n"
                .to_owned(),
        )]
        .into(),
        contacts: [
            (1001, contact(1001, r#""phone":"+358401234567","phone_numbers":[{"number":"+358401234569"}],"email":"A@Example.com","other3":"Gold","birthyear":"1970""#)),
            (1002, contact(1002, r#""phone":"0401234568","email":null,"extra":{"nested":[1]}"#)),
            (1005, contact(1005, r#""phone":"+358401234599""#)),
        ]
        .into(),
        ..FakeLeadDesk::default()
    }
}

const CALLS: &str = "id;created_at;talk_time;number;contact_id;campaign;agent_id;call_ending_reason;call_ending_reason_name;direction;agent_username;agent_group_id;agent_group_name\n\
    1;2024-03-31 03:30:00;65;+358401234567;1001;12;7;5;Deal;out;agent1;3;Team\n\
    2;2024-01-04 10:00:00;-5;+358401234599;1005;12;0;5;Done deal;in;;;\n\
    3;2024-01-05 10:00:00;0;anonymous;0;0;0;;;in;;;\n\
    3;2024-01-05 10:00:00;0;anonymous;0;0;0;;;in;;;\n\
    4;2024-01-05 10:00:00;0;+358401234000;0;12;7;;;out;;;\n\
    4;2024-01-05 10:00:01;0;+358401234000;0;12;7;;;out;;;\n\
    5;0000-00-00 00:00:00;0;+358401234000;0;12;7;;;out;;;\n\
    6;2024-01-05 10:00:00;0\n";

pub(super) async fn rows<R: Row>(world: &World) -> Vec<R> {
    let reader = archive::open::<R>(&world.ctx, &world.ctx.run, Pass::Full).await.expect("sealed");
    reader.collect::<Result<_, _>>().expect("readable")
}

async fn rejects(world: &World) -> Vec<String> {
    let records = records(&world.ctx).await.expect("stored");
    let rejects = records.into_iter().flat_map(|record| record.rejects);
    rejects
        .map(|reject| format!("{} {} {} {}", reject.object, reject.leaddesk_id, reject.code, reject.reason))
        .collect()
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "one table of everything that is read")]
async fn everything_that_the_interfaces_and_files_show() {
    let world = World::new(account());
    world.file("calls.csv", CALLS);
    let report = run(&world.ctx).await.expect("extracted");
    assert!(!report.was_done);
    let counts: Vec<String> = report.records.iter().map(|(table, rows)| format!("{table} {rows}")).collect();
    expect![[r#"
        src_leaddesk_agent 2
        src_leaddesk_blacklist 0
        src_leaddesk_call 3
        src_leaddesk_campaign 1
        src_leaddesk_chat_message 0
        src_leaddesk_contact 3
        src_leaddesk_conversation 0
        src_leaddesk_document 0
        src_leaddesk_field 0
        src_leaddesk_field_value 1
        src_leaddesk_group 1
        src_leaddesk_lead 2
        src_leaddesk_list 1
        src_leaddesk_office 1
        src_leaddesk_outcome 1"#]]
    .assert_eq(&counts.join("\n"));
    let findings: Vec<String> = report
        .findings
        .iter()
        .map(|finding| format!("{} {} {}", finding.code, finding.count, finding.text))
        .collect();
    expect![[r#"
        CAL109 1 rows of calls.csv repeat another row
        CAL110 1 times of calls fall into an hour in which the clock was moved
        DIS103 1 the taxonomy holds the outcomes that calls show, and no other
        DIS104 1 contacts hold a nested value where a text belongs; it stays in the raw record
        EXT401 1 calls with a negative duration or one above ninety hours; kept as written
        EXT406 1 outcomes were renamed: calls show them under several names; the latest counts"#]]
    .assert_eq(&findings.join("\n"));
    expect![[r#"
        lead 41:line-4 ROW101 13 columns instead of 14
        call 4 EXT303 2 different rows carry this id
        call 5 EXT302 created_at: the zero date stands for no moment
        call calls.csv:line-9 ROW101 3 columns instead of 13"#]]
    .assert_eq(&rejects(&world).await.join("\n"));

    let leads: Vec<String> = rows::<SourceLead>(&world)
        .await
        .iter()
        .map(|lead| {
            let last = lead.last_call_at.map(|at| at.to_string());
            format!(
                "{} {} {:?} {:?} {:?}",
                lead.leaddesk_lead_id, lead.lead_status, last, lead.last_result_name, lead.phones_joined
            )
        })
        .collect();
    expect![[r#"
        41:1001 finished Some("2024-01-04T08:00:00Z") Some("Busy") Some("+358401234567|+358401234569")
        41:1002 unused None None Some("0401234568")"#]]
    .assert_eq(&leads.join("\n"));
    let contacts: Vec<String> = rows::<SourceContact>(&world)
        .await
        .iter()
        .map(|contact| {
            format!(
                "{} {:?} {:?} {:?} {}",
                contact.leaddesk_contact_id,
                contact.phone_e164,
                contact.phones_joined,
                contact.email_normalized,
                contact.raw_json
            )
        })
        .collect();
    expect![[r#"
        1001 Some("+358401234567") Some("+358401234569") Some("a@example.com") {"success":true,"contact_id":1001,"data":{"id":1001,"fname":"First1001","ssc":"withheld","phone":"+358401234567","phone_numbers":[{"number":"+358401234569"}],"email":"A@Example.com","other3":"Gold","birthyear":"withheld"}}
        1002 Some("+358401234568") None None {"success":true,"contact_id":1002,"data":{"id":1002,"fname":"First1002","ssc":"withheld","phone":"0401234568","email":null,"extra":{"nested":[1]}}}
        1005 Some("+358401234599") None None {"success":true,"contact_id":1005,"data":{"id":1005,"fname":"First1005","ssc":"withheld","phone":"+358401234599"}}"#]].assert_eq(&contacts.join("\n"));
    let calls: Vec<String> = rows::<SourceCall>(&world)
        .await
        .iter()
        .map(|call| {
            format!(
                "{} {} {:?} {:?} {:?}",
                call.leaddesk_call_id,
                call.created_at,
                call.dst_note,
                call.leaddesk_contact_id,
                call.outcome_name
            )
        })
        .collect();
    expect![[r#"
        1 2024-03-31T01:30:00Z Some("gap") Some("1001") Some("Deal")
        2 2024-01-04T08:00:00Z None Some("1005") Some("Done deal")
        3 2024-01-05T08:00:00Z None None None"#]]
    .assert_eq(&calls.join("\n"));
    assert!(!world.all_text().contains("010100-123X"), "a withheld value was stored");
}

#[tokio::test]
async fn a_second_start_asks_for_nothing() {
    let world = World::new(account());
    world.file("calls.csv", CALLS);
    run(&world.ctx).await.expect("extracted");
    let asked = world.source.requests();
    let report = run(&world.ctx).await.expect("verified");
    assert!(report.was_done);
    assert_eq!(world.source.requests(), asked);
}

#[tokio::test]
async fn a_restart_from_stored_pages_gives_the_same_bytes() {
    let world = World::new(account());
    world.file("calls.csv", CALLS);
    run(&world.ctx).await.expect("extracted");
    let before = world.store.objects.lock().expect("free").clone();
    let asked = world.source.requests();
    for gone in ["/lake/", "/extract/contacts", "/extract/settings", "/extract/leads"] {
        world.forget(gone);
    }
    run(&world.ctx).await.expect("extracted again");
    assert_eq!(world.source.requests(), asked, "pages are not asked for twice");
    assert!(*world.store.objects.lock().expect("free") == before, "other bytes after a restart");
}

/// Hashes over all mapped columns of the source tables; when a record was read is no content.
async fn hashes(world: &World) -> Vec<String> {
    let hashed = |all: Vec<String>| {
        let mut all = all;
        all.sort();
        all
    };
    let contacts = rows::<SourceContact>(world).await.iter().map(Row::row_hash).collect();
    let calls = rows::<SourceCall>(world).await.iter().map(Row::row_hash).collect();
    let leads = rows::<SourceLead>(world).await.iter().map(Row::row_hash).collect();
    [hashed(contacts), hashed(calls), hashed(leads)].concat()
}

#[tokio::test]
async fn a_kill_at_any_effect_leaves_the_same_snapshot() {
    let undisturbed = World::new(account());
    undisturbed.file("calls.csv", CALLS);
    run(&undisturbed.ctx).await.expect("extracted");
    let wanted = hashes(&undisturbed).await;
    let mut point = 0;
    loop {
        point += 1;
        let world = World::new(account());
        world.file("calls.csv", CALLS);
        let ended = world.store.until_death(point, run(&world.ctx)).await;
        run(&world.ctx).await.expect("goes on");
        assert_eq!(hashes(&world).await, wanted, "killed at point {point}");
        if ended.is_some() {
            break;
        }
    }
    assert!(point > 60, "{point} points are few");
}

#[tokio::test]
async fn a_stop_after_any_request_keeps_every_answer() {
    let undisturbed = World::new(account());
    run(&undisturbed.ctx).await.expect("extracted");
    let wanted = (hashes(&undisturbed).await, undisturbed.source.requests());
    let all: u64 = wanted.1.values().sum();
    for stop in 1..all {
        let mut world = World::new(account());
        *world.source.stop_at.lock().expect("free") = Some((stop, world.ctx.stop.clone()));
        let error = StepError::from(run(&world.ctx).await.expect_err("stopped"));
        assert!(error.is_stopped() && error.code() == "LOD100", "{stop}: {error:?}");
        world.ctx.stop.is_quiet().await;
        world.ctx.stop = crate::stop::Stop::default();
        run(&world.ctx).await.expect("goes on");
        assert_eq!((hashes(&world).await, world.source.requests()), wanted, "stopped after request {stop}");
    }
    assert!(all > 8, "{all} requests are few");
}

#[tokio::test]
async fn an_unusable_answer_stops_and_is_never_nothing() {
    let world = World::new(account());
    *world.source.fault.lock().expect("free") = Fault::UnusableContact(1002);
    let error = run(&world.ctx).await.expect_err("stopped");
    expect!["SRC105 cannot read contacts from LeadDesk"].assert_eq(&format!("{} {error}", error.code()));
    assert_eq!(world.stored("src_leaddesk_contact"), Vec::<String>::new());
    *world.source.fault.lock().expect("free") = Fault::None;
    run(&world.ctx).await.expect("goes on");
    assert_eq!(rows::<SourceContact>(&world).await.len(), 2);
    assert_eq!(world.source.asked("lists"), 1);
}

#[tokio::test]
async fn users_must_add_up() {
    let mut source = account();
    source.users =
        (10..210).map(|id| format!(r#"{{"id":{id},"name":"A{id}","username":"a{id}"}}"#)).collect();
    let world = World::new(source);
    *world.source.fault.lock().expect("free") = Fault::UserAddedWhilePaging;
    run(&world.ctx).await.expect("the second reading adds up");
    assert_eq!(rows::<SourceAgent>(&world).await.len(), 200);

    let world = World::new(account());
    *world.source.fault.lock().expect("free") = Fault::UsersNeverAddUp;
    let error = run(&world.ctx).await.expect_err("stopped");
    let expected = expect!["EXT101 LeadDesk announces 3 users, but 2 different ones could be read"];
    expected.assert_eq(&format!("{} {error}", error.code()));
}

#[tokio::test]
async fn an_object_without_id_is_put_aside() {
    let mut source = account();
    source.users.push(r#"{"id":null,"name":"Nobody"}"#.into());
    let world = World::new(source);
    run(&world.ctx).await.expect("extracted");
    assert_eq!(rows::<SourceAgent>(&world).await.len(), 2);
    let rejected = rejects(&world).await;
    assert!(rejected.iter().any(|reject| reject.starts_with("agent unknown EXT301")), "{rejected:?}");
}

#[tokio::test]
async fn wrong_credentials_stop_at_once() {
    let world = World::new(account());
    *world.source.fault.lock().expect("free") = Fault::Credentials;
    assert_eq!(run(&world.ctx).await.expect_err("stopped").code(), "SRC101");
    assert_eq!(world.source.asked("contact"), 0);
}

#[tokio::test]
async fn files_must_not_change_under_a_run() {
    let world = World::new(account());
    world.file("calls.csv", CALLS);
    *world.source.fault.lock().expect("free") = Fault::UnusableContact(1001);
    run(&world.ctx).await.expect_err("stopped");
    world.file("calls.csv", CALLS.replace("Deal", "Sale"));
    let error = run(&world.ctx).await.expect_err("stopped");
    let expected = expect![
        "EXT104 calls.csv changed since this run began to read; put the old one back or start a new run"
    ];
    expected.assert_eq(&format!("{} {error}", error.code()));
}

#[tokio::test]
async fn drift_stops_instead_of_putting_everything_aside() {
    let mut source = account();
    let row = |id: u32| format!("{id};+358401234567;A;;;;;maybe;2024-01-02 10:00:00;;;;;\r\n");
    source.exports.insert("41".into(), (2000..2100).map(row).collect());
    let error = run(&World::new(source).ctx).await.expect_err("stopped");
    let expected = expect![
        "EXT103 100 of 100 records of lead cannot be read; the commonest reason is EXT304: column 8 holds an unknown flag"
    ];
    expected.assert_eq(&format!("{} {error}", error.code()));
}

#[tokio::test]
async fn without_a_call_log_histories_are_read() {
    let mut source = account();
    let call = r#"{"created_at":"2024-01-03 10:00:00","phone_number":"+358401234567","result":"Deal","comment":"x","direction":"out","duration":"65","call_recording":""}"#;
    source.histories.insert("+358401234567".into(), vec![call.into(), call.into()]);
    source.histories.insert("+358401234569".into(), vec![call.into()]);
    let world = World::new(source);
    let report = run(&world.ctx).await.expect("extracted");
    assert!(report.findings.iter().any(|finding| finding.code == "DIS102"));
    let calls = rows::<SourceCall>(&world).await;
    assert_eq!(calls.len(), 2, "the call of both numbers counts once, the repeated one twice");
    assert!(calls.iter().all(|call| call.leaddesk_contact_id.as_deref() == Some("1001")));
    assert!(calls.iter().all(|call| call.leaddesk_call_id.parse::<u64>().is_ok_and(|id| id >= 1 << 63)));
    let first: Vec<String> = calls.into_iter().map(|call| call.leaddesk_call_id).collect();
    world.forget("/lake/");
    world.forget("/extract/histories");
    run(&world.ctx).await.expect("extracted again");
    let second: Vec<String> =
        rows::<SourceCall>(&world).await.into_iter().map(|call| call.leaddesk_call_id).collect();
    assert_eq!(first, second);
}

/// A refused file stops before anything is asked of LeadDesk in vain: its code and text are stable.
async fn check_file(name: &str, content: &[u8], expected: Expect) {
    let world = World::new(account());
    world.file(name, content);
    let shown = match run(&world.ctx).await {
        Ok(_) => rejects(&world).await.join("\n"),
        Err(error) => {
            let source =
                std::error::Error::source(&error).map(|source| format!(": {source}")).unwrap_or_default();
            format!("{} {error}{source}", error.code())
        }
    };
    expected.assert_eq(&shown);
}

#[tokio::test]
async fn refused_files_say_why() {
    check_file(
        "calls.csv",
        b"",
        expect!["FIL101 a file of the operator is refused: cannot use calls.csv: the file is empty"],
    )
    .await;
    check_file("calls.csv", &CALLS.as_bytes()[..CALLS.len() - 40], expect!["FIL104 a file of the operator is refused: cannot use calls.csv: the last row, line 8, has 5 of 13 columns and no line end: the file was cut"]).await;
    check_file("calls.csv", CALLS.replace(';', "\t").as_bytes(), expect!["FIL106 a file of the operator is refused: cannot use calls.csv: columns seem to be parted by tabs; use `;` or `,`"]).await;
    check_file("calls.csv", CALLS.replace("talk_time", "duration").as_bytes(), expect!["FIL107 a file of the operator is refused: cannot use calls.csv: the header lacks talk_time; it has id, created_at, duration, number, contact_id, campaign, agent_id, call_ending_reason, call_ending_reason_name, direction, agent_username, agent_group_id, agent_group_name; expected are id, created_at, talk_time, number, contact_id, campaign, agent_id, agent_username, agent_group_id, agent_group_name, talk_start, talk_end, handling_stop, campaign_name, call_ending_reason, call_ending_reason_name, comment, record_file, direction, call_type, call_type_name, order_ids"]).await;
    check_file("offices.csv", b"name;time_zone\nK\xe4\xe4nt\xf6;\n", expect!["FIL102 a file of the operator is refused: cannot use offices.csv: not UTF-8 at byte 16; it looks like Latin-1 or Windows-1252: save it again as UTF-8"]).await;
    check_file(
        "results.csv",
        b"id;name\n1;Deal\nx;Busy\n",
        expect![[r#"
        lead 41:line-4 ROW101 13 columns instead of 14
        outcome results.csv:line-3 EXT301 id is missing or no positive integer"#]],
    )
    .await;
    check_file(
        "fields.csv",
        b"campaign_id;slot;label\n12;other3;A\n12;other3;B\n12;other36;C\n",
        expect![[r#"
        lead 41:line-4 ROW101 13 columns instead of 14
        field fields.csv:line-3 EXT303 another row names the same slot of the same campaign; the first counts
        field fields.csv:line-4 EXT301 slot is none of other1 to other35"#]],
    )
    .await;
    check_file(
        "leadapps.json",
        b"{\"a\":1}",
        expect![
            "FIL109 a file of the operator is refused: cannot use leadapps.json: not a JSON array of objects"
        ],
    )
    .await;
    check_file(
        "leadapps.json",
        b"[{\"name\":\"Page\"}]",
        expect!["lead 41:line-4 ROW101 13 columns instead of 14"],
    )
    .await;
    check_file(
        "bot.zip",
        b"not a zip",
        expect!["ZIP101 a file of the operator is refused: cannot use bot.zip: not a ZIP file, or cut off"],
    )
    .await;
}
