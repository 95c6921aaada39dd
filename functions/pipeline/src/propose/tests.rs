//! Confirming: by digest, without open rows, once.

use expect_test::expect;

use super::*;
use crate::discover;
use crate::test_world::{FakeLeadDesk, World};

fn account() -> FakeLeadDesk {
    FakeLeadDesk {
        users: vec![
            r#"{"id":8,"name":"Agent Two","username":"agent2","employment":"active","role":"Agent"}"#.into(),
        ],
        ..FakeLeadDesk::default()
    }
}

fn confirmation(leave_out: Vec<LeaveOut>) -> Confirmation {
    let at = "2026-06-01T00:00:00Z".parse().expect("a moment");
    Confirmation { reviewer: "Reviewer One".into(), at, proposal_digest: None, leave_out }
}

fn agent_8() -> Vec<LeaveOut> {
    let id = RowId::new(finding::ObjectKind::User, 8);
    vec![LeaveOut { id, reason: "left the company".into() }]
}

#[tokio::test]
async fn open_rows_stop_with_their_reasons() {
    let world = World::new(account());
    discover::run(&world.ctx).await.expect("discovered");
    let report = run(&world.ctx).await.expect("proposed");
    assert_eq!(report.findings.len(), 1);
    let error = confirm(&world.ctx, &confirmation(Vec::new())).await.expect_err("open");
    expect!["MAP104 1 rows of the proposal are open; the first is user/8: agent without email"]
        .assert_eq(&format!("{} {error}", error.code()));
    assert_eq!(world.stored("confirmed.json"), Vec::<String>::new());
    let mapping = confirm(&world.ctx, &confirmation(agent_8())).await.expect("confirmed");
    assert_eq!(documents::confirmed_mapping(&world.ctx).await.expect("stored"), mapping);
    assert_eq!(confirm(&world.ctx, &confirmation(agent_8())).await.expect("the same"), mapping);
    let other = Confirmation { reviewer: "Reviewer Two".into(), ..confirmation(agent_8()) };
    assert_eq!(confirm(&world.ctx, &other).await.expect_err("once").code(), "MAP106");
}

#[tokio::test]
async fn what_was_seen_is_what_is_confirmed() {
    let world = World::new(account());
    discover::run(&world.ctx).await.expect("discovered");
    let seen = proposal(&world.ctx).await.expect("proposed").digest().to_hex();
    assert_eq!(proposal(&world.ctx).await.expect("again").digest().to_hex(), seen);
    let mut later = world.ctx.clone();
    later.mapping.tags = migration::settings::TagChoice::Campaign;
    let stale = Confirmation { proposal_digest: Some(seen.clone()), ..confirmation(agent_8()) };
    assert_eq!(confirm(&later, &stale).await.expect_err("other proposal").code(), "MAP102");
    confirm(&world.ctx, &stale).await.expect("the one that was seen");
}

#[tokio::test]
async fn a_short_chat_window_is_accepted_by_name_only() {
    let mut world = World::new(account());
    let mut export = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, text) in [
        (
            "conversations.csv",
            "conversation_id,message_id,timestamp,sender,text\nc1,m1,2024-05-10T00:00:00Z,customer,hi\n",
        ),
        ("outcomes.csv", "conversation_id,outcome\nc1,handled\n"),
        ("timing.csv", "conversation_id,started_at,ended_at\nc1,,\n"),
        ("agent.csv", "conversation_id,agent_username\n"),
    ] {
        export.start_file(name, zip::write::SimpleFileOptions::default()).expect("a valid name");
        std::io::Write::write_all(&mut export, text.as_bytes()).expect("in memory");
    }
    world.file("bot.zip", export.finish().expect("in memory").into_inner());
    let at = |text: &str| text.parse::<Timestamp>().expect("a moment");
    world.ctx.limits.chat_window = Some((at("2024-05-01T00:00:00Z"), at("2024-06-01T00:00:00Z")));
    discover::run(&world.ctx).await.expect("discovered");
    let error = confirm(&world.ctx, &confirmation(agent_8())).await.expect_err("not accepted");
    expect!["MAP105 these risks must be accepted by name: DIS301"]
        .assert_eq(&format!("{} {error}", error.code()));
    world.ctx.limits.accepted_findings.push("DIS301".into());
    confirm(&world.ctx, &confirmation(agent_8())).await.expect("accepted");
}

#[tokio::test]
async fn an_edited_mapping_is_refused() {
    let world = World::new(account());
    discover::run(&world.ctx).await.expect("discovered");
    confirm(&world.ctx, &confirmation(agent_8())).await.expect("confirmed");
    {
        let mut objects = world.store.objects.lock().expect("free");
        let (_, body) =
            objects.iter_mut().find(|(key, _)| key.as_str().ends_with("confirmed.json")).expect("stored");
        *body = String::from_utf8_lossy(body).replace("leaddesk_lead_status__c", "other").into();
    }
    assert_eq!(documents::confirmed_mapping(&world.ctx).await.expect_err("edited").code(), "DOC103");
}
