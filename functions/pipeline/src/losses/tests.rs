//! Losses of a small account against what was approved of them.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::*;
use crate::test_world::{FakeLeadDesk, World};

fn reviewer() -> Reviewer {
    Reviewer::new("Reviewer One").expect("a name")
}

fn moment() -> Timestamp {
    "2026-06-01T00:00:00Z".parse().expect("a moment")
}

/// One contact without a usable address, one without any way to reach it, two that are one person, one that is gone.
fn account() -> FakeLeadDesk {
    let contact = |id: u64, data: &str| {
        (id, format!(r#"{{"success":true,"contact_id":{id},"data":{{"id":{id},{data}}}}}"#))
    };
    let row = |id: u64, phone: &str| format!("{id};{phone};Aino;Esimerkki;;;;;;;;;;\r\n");
    FakeLeadDesk {
        campaigns: vec![r#"{"id":12,"name":"Spring"}"#.into()],
        lists: vec![("41".into(), "List A".into())],
        exports: [(
            "41".to_owned(),
            [row(1, "+358401234567"), row(2, "+358401234567"), row(3, ""), row(4, "+358401234569")].concat(),
        )]
        .into(),
        contacts: BTreeMap::from([
            contact(
                1,
                r#""phone":"+358401234567","fname":"Aino","lname":"Esimerkki","email":"not-an-address""#,
            ),
            contact(2, r#""phone":"+358401234567","fname":"Aino","lname":"Esimerkki""#),
            contact(3, r#""fname":"Aino","lname":"Esimerkki""#),
        ]),
        ..FakeLeadDesk::default()
    }
}

/// An account that was extracted and transformed under a mapping that nobody had to settle.
async fn transformed_world() -> World {
    let world = World::new(account());
    world.file("calls.csv", "id;created_at;talk_time;number;contact_id;campaign;agent_id;record_file\n1;2024-01-01 10:00:00;1;+358401234567;1;12;0;a.mp3\n2;2024-01-02 10:00:00;1;+358401234569;4;12;0;b.mp3\n");
    crate::discover::run(&world.ctx).await.expect("discovered");
    let confirmation = crate::propose::Confirmation {
        reviewer: "Reviewer One".into(),
        at: moment(),
        proposal_digest: None,
        leave_out: Vec::new(),
    };
    crate::propose::confirm(&world.ctx, &confirmation).await.expect("confirmed");
    crate::extract::run(&world.ctx).await.expect("extracted");
    crate::transform::run(&world.ctx).await.expect("transformed");
    world
}

fn shown(losses: &Losses) -> String {
    let lines = losses.kinds.iter().map(|(key, lost)| {
        let example = lost.examples.first().map_or("", String::as_str);
        format!("{key} {} {} {example}", lost.way.as_str(), lost.count)
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn every_loss_has_a_kind_a_count_and_an_example() {
    let world = transformed_world().await;
    let losses = transformed(&world.ctx).await.expect("told");
    expect_test::expect![[r#"
        contact/CUS103 as-text 1 contact 1: email: not one valid address (…)
        contact/EXT311 dropped 1 contact 4: LeadDesk has no such contact any more
        contact/LOS203 merged 1 contact 2 into 1: same number and name
        lead/LEA104 rounded 2 lead 41:1
        lead/LEA105 dropped 1 lead 41:4: its contact was not read: it is gone or could not be used
        list/LOS202 documented 1 tag or card of its leads, settings in the handoff
        recording/LOS201 dropped 2 call 1"#]]
    .assert_eq(&shown(&losses));
}

#[tokio::test]
async fn equal_to_the_budget_is_within_and_one_more_of_any_kind_is_over() {
    let world = transformed_world().await;
    let losses = transformed(&world.ctx).await.expect("told");
    let exact = LossBudget::exact(&losses);
    check(&world.ctx).await.expect("nothing is approved, so nothing is held against it");
    approve(&world.ctx, &exact, true, &reviewer(), moment()).await.expect("kept");
    check(&world.ctx).await.expect("equal");
    assert!(losses.kinds.len() >= 5, "the account shows several kinds");
    for key in losses.kinds.keys() {
        let mut less = exact.clone();
        less.kinds.get_mut(key).expect("a kind of it").bound -= 1;
        approve(&world.ctx, &less, true, &reviewer(), moment()).await.expect("kept");
        let Err(LossError::Over { over }) = check(&world.ctx).await else { panic!("{key} is not noticed") };
        assert_eq!(over.iter().map(|excess| &excess.key).collect::<Vec<_>>(), [key]);
        let raised = raise(&world.ctx, &reviewer(), moment()).await.expect("raised");
        assert_eq!(raised.len(), 1);
        check(&world.ctx).await.expect("accepted by name");
    }
}

#[tokio::test]
async fn a_kind_that_nobody_approved_is_over() {
    let world = transformed_world().await;
    let mut budget = LossBudget::exact(&transformed(&world.ctx).await.expect("told"));
    let (key, _) = budget.kinds.pop_first().expect("a kind");
    approve(&world.ctx, &budget, true, &reviewer(), moment()).await.expect("kept");
    let error = check(&world.ctx).await.expect_err("over");
    assert_eq!(error.code(), OVER_BEFORE_LOAD);
    assert!(error.to_string().contains(&key.to_string()), "{error}");
}

#[tokio::test]
async fn a_budget_that_somebody_edited_is_refused() {
    let world = transformed_world().await;
    let budget = LossBudget::exact(&transformed(&world.ctx).await.expect("told"));
    let digest = approve(&world.ctx, &budget, true, &reviewer(), moment()).await.expect("kept");
    let key = world.ctx.run_key(&format!("loss/budget-{digest}.json")).expect("a key");
    let text = {
        let objects = world.store.objects.lock().expect("free");
        String::from_utf8_lossy(&objects[&key]).replace("\"bound\": 1", "\"bound\": 2")
    };
    world.store.objects.lock().expect("free").insert(key, Bytes::from(text));
    assert_eq!(check(&world.ctx).await.expect_err("refused").code(), "DOC102");
}
