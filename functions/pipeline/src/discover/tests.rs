//! Discovery of an account in memory.

use expect_test::expect;

use super::*;
use crate::test_world::{FakeLeadDesk, Fault, World};

fn account() -> FakeLeadDesk {
    let contact = |id: u64| {
        format!(
            r#"{{"success":true,"contact_id":{id},"data":{{"id":{id},"other1":"{id}","ssc":"010100-123X"}}}}"#
        )
    };
    FakeLeadDesk {
        users: vec![r#"{"id":7,"name":"A","username":"a","office":"North","role":"Agent"}"#.into()],
        campaigns: vec![r#"{"id":12,"name":"Spring"}"#.into()],
        lists: vec![("41".into(), "List A".into()), ("42".into(), "List B".into())],
        exports: [
            ("41".to_owned(), (1..=300).map(|id| format!("{id};+358401234567;;;;;;;;;;;;\r\n")).collect()),
            ("42".to_owned(), "1;x;;;;;;;;;;;;\r\n2;y;;;;;;;;;;;\r\n".to_owned()),
        ]
        .into(),
        contacts: (1..=300).map(|id| (id, contact(id))).collect(),
        ..FakeLeadDesk::default()
    }
}

/// An account with files of which some cannot be used.
fn with_files() -> World {
    let world = World::new(account());
    world.file("lists.csv", "list_id;campaign_ids\n41;12\n");
    world.file("calls.csv", "id;created_at;talk_time;number;contact_id;campaign;agent_id\n1;2024-01-01 10:00:00;1;x;0;0;0\n2;never;1;x;0;0;0\n");
    world.file("groups.csv", "group;name\n1;x\n");
    world.file("bot.zip", "not a zip");
    world.file("notes.txt", "x");
    world
}

#[tokio::test]
async fn both_sides_and_the_files_are_told() {
    let world = with_files();
    let report = run(&world.ctx).await.expect("discovered");
    let lines: Vec<String> =
        report.findings.iter().map(|f| format!("{} {} {}", f.code, f.count, f.text)).collect();
    expect![[r#"
        DIS103 1 results.csv is not there
        DIS106 1 LeadDesk shows neither licences nor prices; [parallel] in migration.toml takes those of the contract
        DIS201 1 rules are active at the destination: Auto-reply
        DIS202 1 satisfaction surveys are on at the destination: chat
        DIS203 1 webhooks would fire for every migrated ticket: Orders
        DIS206 1 0 of 25 customer fields are active, 25 are free
        DIS206 1 1 of 25 ticket fields are active, 24 are free
        DIS208 1 active agents have no Gorgias user
        DIS209 1 Gorgias does not restrict which tickets an agent sees
        DIS210 1 knowledge-base articles and translations are not part of a migration
        DIS211 1 plan pro: tickets above it and answers of AI Agent are billed; by default nothing is written that counts as sent, and whether imported tickets count is not documented
        DIS212 1 plan pro; 40 requests in 20 s
        FIL107 1 cannot use groups.csv: the header lacks group_id, group_name, username; it has group, name; expected are group_id, group_name, username; extract stops at it until it is mended
        FIL202 1 files in the folder that are not known by name; they are not read
        ZIP101 1 cannot use bot.zip: not a ZIP file, or cut off; extract stops at it until it is mended"#]].assert_eq(&lines.join("\n"));
    let inventory = documents::inventory(&world.ctx).await.expect("stored");
    let overview = &inventory.overview;
    let scope: Vec<String> = overview
        .scope
        .iter()
        .map(|row| format!("{} {:?} {}", row.what, row.count, row.disposition))
        .collect();
    expect![[r#"
        contact Some(300) migrated
        campaign Some(1) migrated
        lead Some(301) migrated
        call Some(2) migrated
        conversation Some(0) migrated
        chat_message Some(0) migrated
        agent Some(1) migrated
        office Some(1) migrated
        group Some(0) migrated
        outcome Some(0) migrated
        slot_setting Some(0) migrated
        blacklist_entry Some(0) migrated
        lead_app Some(0) documented
        dialer Some(0) documented
        list Some(2) documented
        recording None left_out
        sensitive_value None left_out
        order None left_out
        activity None left_out
        omni_message None left_out"#]]
    .assert_eq(&scope.join("\n"));
    assert_eq!(overview.lists["41"], ListCounts { rows: 300, contacts: 300, broken_rows: 0 });
    assert_eq!(overview.lists["42"], ListCounts { rows: 2, contacts: 1, broken_rows: 1 });
    assert_eq!(overview.files["calls.csv"].broken_rows, 1);
    assert_eq!(overview.files["groups.csv"].refused.as_deref(), Some("FIL107"));
    assert_eq!((overview.sampled_contacts, world.source.asked("contact")), (201, 201));
    assert_eq!(inventory.gorgias_users.len(), 2, "all pages of users are read");
    assert!(!world.all_text().contains("010100-123X"));
    let scopes = migration::fields::ScopeMap::new(&inventory.lists);
    let statistics =
        samples::statistics(&world.ctx, inventory.lists.iter().map(|list| list.id), &scopes).await;
    let statistics = statistics.expect("stored");
    let filled: Vec<String> =
        statistics.slots.iter().map(|(key, seen)| format!("{key} {}", seen.filled())).collect();
    assert_eq!(filled, ["other1:campaign-12 200", "other1:list-42 1"]);
    let looked_at: Vec<String> =
        statistics.looked_at.iter().map(|(scope, contacts)| format!("{scope} {contacts}")).collect();
    assert_eq!(looked_at, ["campaign-12 200", "list-42 1"]);
    assert!(run(&world.ctx).await.expect("there").was_done);
}

#[tokio::test]
async fn wrong_credentials_are_named_before_anything_long() {
    let world = World::new(account());
    *world.source.fault.lock().expect("free") = Fault::Credentials;
    let error = run(&world.ctx).await.expect_err("refused");
    expect!["SRC101 LeadDesk refuses the credentials; check `leaddesk.auth`, `leaddesk.client_id` and `leaddesk.client_secret`"]
        .assert_eq(&format!("{} {error}", error.code()));
    assert_eq!(world.source.asked("export"), 0);
    assert!(world.stored("").is_empty());
}
