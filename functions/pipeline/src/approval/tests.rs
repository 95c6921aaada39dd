//! An approval holds while nothing changes, and says what has when something does.

use std::sync::Arc;

use expect_test::expect;
use migration::finding::ObjectKind;
use migration::mapping::RowId;
use migration::settings::{RecordingPolicy, TagChoice};

use super::*;
use crate::conduct::Step;
use crate::propose::{self, Confirmation, LeaveOut};
use crate::test_world::{Changed, FakeGorgias, FakeLeadDesk, World};
use crate::worker::{StepError, run_step};
use crate::{discover, extract};

fn account() -> FakeLeadDesk {
    FakeLeadDesk {
        users: vec![
            r#"{"id":8,"name":"Agent Two","username":"agent2","employment":"active","role":"Agent"}"#.into(),
            r#"{"id":9,"name":"Agent One","username":"agent1","employment":"active","role":"Agent","primary_email":"agent1@acme.example"}"#.into(),
        ],
        campaigns: vec![r#"{"id":12,"name":"VIP","type":"outbound","disabled":false}"#.into()],
        ..FakeLeadDesk::default()
    }
}

fn confirmation(minute: &str) -> Confirmation {
    let id = RowId::new(ObjectKind::User, 8);
    Confirmation {
        reviewer: "Reviewer One".into(),
        at: format!("2026-06-01T00:{minute}:00Z").parse().expect("a moment"),
        proposal_digest: None,
        leave_out: vec![LeaveOut { id, reason: "left the company".into() }],
    }
}

async fn approved() -> World {
    let world = World::new(account());
    discover::run(&world.ctx).await.expect("discovered");
    propose::confirm(&world.ctx, &confirmation("00")).await.expect("confirmed");
    world
}

/// What a check says of the world with another Gorgias or other choices.
async fn told(ctx: &Context) -> String {
    match holding(ctx).await {
        Ok(_) => "holds".to_owned(),
        Err(error) => format!("{} {error}", error.code()),
    }
}

#[tokio::test]
async fn an_approval_holds_until_something_changes() {
    let world = approved().await;
    assert_eq!(told(&world.ctx).await, "holds");
    let with = |changed| {
        let mut ctx = world.ctx.clone();
        ctx.destination = Arc::new(FakeGorgias { changed: Some(changed) });
        ctx
    };
    assert_eq!(told(&with(Changed::UnusedUser)).await, "holds", "the mapping does not refer to it");
    let mut all = Vec::new();
    for changed in [
        Changed::Domain,
        Changed::ServiceUser,
        Changed::AgentGone,
        Changed::AgentDeactivated,
        Changed::AgentEmail,
        Changed::TagRenamed,
        Changed::TagGone,
        Changed::FieldAdded,
    ] {
        all.push(told(&with(changed)).await);
    }
    expect![[r#"
        APR101 the approval does not hold any more: the Gorgias account: the subdomain has changed
        APR101 the approval does not hold any more: the Gorgias account: the user that the migration runs as has changed
        APR101 the approval does not hold any more: the Gorgias account: user 2 is not there any more
        APR101 the approval does not hold any more: the Gorgias account: user 2: whether it is active has changed
        APR101 the approval does not hold any more: the Gorgias account: user 2: its email address has changed
        APR101 the approval does not hold any more: the Gorgias account: tag 3: its name has changed
        APR101 the approval does not hold any more: the Gorgias account: tag 3 is not there any more
        APR101 the approval does not hold any more: the Gorgias account: a field `HasOptedOutOfEmail` of somebody else was not there when the mapping was approved"#]].assert_eq(&all.join("\n"));
}

#[tokio::test]
async fn other_settings_make_it_stale_and_can_be_approved_while_nothing_is_prepared() {
    let mut world = approved().await;
    world.ctx.mapping.tags = TagChoice::Campaign;
    world.ctx.mapping.recording = RecordingPolicy::Link;
    expect!["APR101 the approval does not hold any more: the mapping: setting `recording` has changed; the mapping: setting `tags` has changed"].assert_eq(&told(&world.ctx).await);
    let error = run_step(&world.ctx, Step::Prepare).await.expect_err("stale");
    assert!(
        matches!(error, StepError::Approval(ApprovalError::Stale { is_prepared: false, .. })),
        "{error:?}"
    );
    assert_eq!(error.code(), "APR101");
    let anew = propose::confirm(&world.ctx, &confirmation("01")).await.expect("approved anew");
    assert_eq!(holding(&world.ctx).await.expect("holds"), anew);
    // The same once more is the same; another person approves nothing new.
    assert_eq!(propose::confirm(&world.ctx, &confirmation("01")).await.expect("the same"), anew);
    assert_eq!(propose::confirm(&world.ctx, &confirmation("02")).await.expect_err("once").code(), "MAP106");
    assert_eq!(world.stored("approvals/").len(), 2);
}

fn edit(world: &World, part: &str, from: &str, to: &str) {
    let mut objects = world.store.objects.lock().expect("free");
    let (_, body) = objects.iter_mut().find(|(key, _)| key.as_str().contains(part)).expect("stored");
    let text = String::from_utf8_lossy(body).replace(from, to);
    assert_ne!(text.as_bytes(), &body[..], "{part} does not hold {from}");
    *body = text.into();
}

#[tokio::test]
async fn the_source_snapshot_is_part_of_it_once_it_is_sealed() {
    let world = approved().await;
    edit(&world, "inventory.json", "Agent One", "Agent Uno");
    expect!["APR101 the approval does not hold any more: the source: the inventory has changed"]
        .assert_eq(&told(&world.ctx).await);
    edit(&world, "inventory.json", "Agent Uno", "Agent One");
    assert_eq!(told(&world.ctx).await, "holds");

    run_step(&world.ctx, Step::Extract).await.expect("extracted");
    assert_eq!(told(&world.ctx).await, "holds");
    world.forget("src_leaddesk_agent/run_id=2026-11-22-a1/pass=full/_manifest");
    expect!["APR101 the approval does not hold any more: the source: the snapshot of src_leaddesk_agent is not there any more"].assert_eq(&told(&world.ctx).await);
    // Extracting again gives another snapshot when the account has changed meanwhile.
    extract::run(&world.ctx).await.expect("extracted again");
    assert_eq!(told(&world.ctx).await, "holds", "the same source, the same manifest");
}

#[tokio::test]
async fn an_approval_that_seals_nothing_does_not_hold() {
    let world = approved().await;
    let mapping = documents::confirmed_mapping(&world.ctx).await.expect("confirmed");
    world.forget("approvals/");
    let pointer = documents::mapping::StoredPointer::V1 {
        digest: mapping.digest().to_hex(),
        reviewer: "Reviewer One".into(),
        confirmed_at: mapping.confirmed_at(),
    };
    let key = world.ctx.run_key("mapping.json").expect("a key");
    documents::put(&world.ctx, key, &pointer).await.expect("stored");
    assert_eq!(documents::confirmed_mapping(&world.ctx).await.expect("of an older program"), mapping);
    expect!["APR102 the approval says nothing about the accounts that it was given for"]
        .assert_eq(&told(&world.ctx).await);
    propose::confirm(&world.ctx, &confirmation("01")).await.expect("approved anew");
    assert_eq!(told(&world.ctx).await, "holds");
}

#[tokio::test]
async fn nothing_is_held_before_a_person_approved() {
    let world = World::new(account());
    discover::run(&world.ctx).await.expect("discovered");
    expect!["DOC101 cannot read the approval"].assert_eq(&told(&world.ctx).await);
}
