//! A small run in memory: what the store holds after it, and what is reported.

use expect_test::{ExpectFile, expect, expect_file};
use snapshot::tables::{ControlIdMap, ControlReconCount};

use super::fixture::{compared, loaded, transformed};
use super::*;
use crate::testing::{Account, World};
use crate::transform::StoredCounts;

async fn text_of(world: &World, key: &str) -> String {
    let bytes = world.context().store.get(&Key::new(key).expect("a key")).await.expect("stored");
    String::from_utf8(bytes.to_vec()).expect("text")
}

async fn check(world: &World, number: u32, file: &str, expected: &ExpectFile) {
    let key = format!("acme/reports/2026-11-22-t1/{number:04}/{file}");
    expected.assert_eq(&text_of(world, &key).await);
}

#[tokio::test]
async fn the_report_of_a_small_run() {
    let world = World::new(Account::fresh());
    let ctx = world.context();
    transformed(&ctx).await;
    loaded(&ctx).await;
    compared(&ctx, &[], &[]).await;
    let report = run(&ctx).await.expect("reported");
    assert!(!report.was_done);
    check(&world, 1, "report.txt", &expect_file!["goldens/report.txt"]).await;
    check(&world, 1, "records.csv", &expect_file!["goldens/records.csv"]).await;
    for file in ["report.txt", "report.json"] {
        let text = text_of(&world, &format!("acme/reports/2026-11-22-t1/0001/{file}")).await;
        for word in ["Ada", "ada@", "+358", "private"] {
            assert!(!text.contains(word), "{word} stands in {file}");
        }
    }
}

/// The stored report is held against the new one, so each of its figures has to come back as it was, to the last bit.
#[test]
fn figures_come_back_from_the_store_to_the_last_bit() {
    for seed in 1..=20_000_u32 {
        let hours = f64::from(seed) / 3600.0;
        let text = serde_json::to_string(&hours).expect("a number");
        let back: f64 = serde_json::from_str(&text).expect("the same number");
        assert_eq!(back.to_bits(), hours.to_bits(), "{text}");
    }
}

#[tokio::test]
async fn the_same_report_is_not_made_twice_and_a_new_one_gets_a_new_number() {
    let world = World::new(Account::fresh());
    let ctx = world.context();
    transformed(&ctx).await;
    run(&ctx).await.expect("reported before anything was written");
    let first = latest(&ctx).await.expect("read").expect("there");
    assert_eq!((first.number, first.report.summary.verdict.as_str()), (1, "empty"));
    assert!(run(&ctx).await.expect("reported").was_done);

    loaded(&ctx).await;
    compared(&ctx, &["CMP104"], &[]).await;
    run(&ctx).await.expect("reported");
    let second = latest(&ctx).await.expect("read").expect("there");
    let contact = second.report.summary.objects["contact"];
    assert_eq!((second.number, second.report.summary.verdict.as_str(), contact.failed), (2, "fail", 2));
    assert_eq!(second.report.next, "deskferry explain CMP104");
    let sealed = archive::is_sealed(&ctx, &ctx.run, Pass::Full, ControlIdMap::SCHEMA).await.expect("read");
    assert!(!sealed, "tables are sealed only once every wave is found right");

    compared(&ctx, &["CMP104"], &["CMP104"]).await;
    run(&ctx).await.expect("reported");
    let third = latest(&ctx).await.expect("read").expect("there");
    assert_eq!((third.number, third.report.is_complete), (3, true));
    let counts = archive::open::<ControlReconCount>(&ctx, &ctx.run, Pass::Full).await.expect("sealed");
    let shown: Vec<String> = counts
        .map(|row| row.expect("read"))
        .map(|row| {
            let parts =
                [row.source_count, row.excluded_count, row.merged_count, row.loaded_count, row.failed_count];
            format!("{} {parts:?} {} {}", row.object, row.fields_compared, row.fields_different)
        })
        .collect();
    expect![[r#"
        agent [2, 1, 0, 1, 0] 0 0
        call [3, 0, 0, 2, 1] 0 0
        campaign [1, 0, 0, 1, 0] 0 0
        contact [4, 0, 1, 1, 2] 0 0
        gorgias_customer [0, 0, 0, 0, 0] 10 1
        gorgias_message [0, 0, 0, 0, 0] 10 0
        gorgias_ticket [0, 0, 0, 0, 0] 5 0
        office [1, 0, 0, 1, 0] 0 0"#]]
    .assert_eq(&shown.join("\n"));
    let map = archive::open::<ControlIdMap>(&ctx, &ctx.run, Pass::Full).await.expect("sealed");
    let shown: Vec<String> = map
        .map(|row| row.expect("read"))
        .map(|row| format!("{} {} {:?} {}", row.object, row.leaddesk_id, row.gorgias_id, row.via))
        .collect();
    expect![[r#"
        agent 17 Some("2") matched
        call 1 None answer
        call 2 None answer
        campaign 301 Some("71") answer
        contact 1001 Some("501") answer
        contact 1002 Some("501") merged
        contact 1004 Some("502") answer
        office North Some("61") answer"#]]
    .assert_eq(&shown.join("\n"));
}

#[tokio::test]
async fn a_record_that_transform_counted_and_nobody_can_find_stops_the_report() {
    let world = World::new(Account::fresh());
    let ctx = world.context();
    transformed(&ctx).await;
    let key = ctx.run_key("counts.json").expect("a key");
    let text = text_of(&world, key.as_str()).await;
    let StoredCounts::V1(mut balance) = serde_json::from_str(&text).expect("own form");
    balance.objects.get_mut("call").expect("counted").source += 1;
    let bytes = serde_json::to_vec(&StoredCounts::V1(balance)).expect("own form");
    world.store.tamper(&key, &bytes);
    let error = run(&ctx).await.expect_err("one call is nowhere");
    let cause = std::error::Error::source(&error).expect("a cause").to_string();
    assert_eq!((error.code(), cause.as_str()), ("CMP107", "records of kind call do not add up"));
}

#[tokio::test]
async fn usage_survives_a_resume_and_counts_nothing_twice() {
    let world = World::new(Account::fresh());
    let ctx = world.context();
    ctx.destination.account().await.expect("answered");
    assert_eq!(usage::record_for(&ctx, "prepare").await.expect("kept"), 1);
    assert_eq!(usage::record(&ctx).await.expect("kept"), 0);
    ctx.destination.account().await.expect("answered");
    ctx.destination.settings().await.expect("answered");
    assert_eq!(usage::record_for(&ctx, "load").await.expect("kept"), 2);
    ctx.destination.account().await.expect("answered");
    assert_eq!(usage::record_for(&ctx, STEP).await.expect("kept"), 1);
    let read = usage::read(&ctx).await.expect("read");
    let shown = format!("{} {:?} {:?}", read.total(), read.requests, read.purposes);
    expect![[r#"3 {"GET /account": 2, "GET /account/settings": 1} {"load": 2, "prepare": 1}"#]]
        .assert_eq(&shown);
    // Another run of the same process counts what it sends itself.
    let other = Context { run: "2026-11-22-t2".parse().expect("a run id"), ..world.context() };
    other.destination.account().await.expect("answered");
    usage::record_for(&other, "load").await.expect("kept");
    assert_eq!(usage::read(&other).await.expect("read").total(), 1);
}

#[tokio::test]
async fn a_step_that_found_everything_done_leaves_no_trace() {
    let world = World::new(Account::fresh());
    let ctx = world.context();
    let started_at = ctx.clock.now();
    steps::record(&ctx, started_at, &StepReport { was_done: true, ..StepReport::of("extract") })
        .await
        .expect("kept");
    assert_eq!(steps::read(&ctx).await.expect("read").len(), 0);
    for seconds in [5, 7] {
        let started_at = ctx.clock.now();
        ctx.destination.account().await.expect("answered");
        world.clock.advance(std::time::Duration::from_secs(seconds));
        steps::record(&ctx, started_at, &StepReport::of("load")).await.expect("kept");
    }
    steps::record(&ctx, ctx.clock.now(), &StepReport::of("transform")).await.expect("kept");
    let read = steps::read(&ctx).await.expect("read");
    assert!((steps::seconds_at_destination(&read) - 12.0).abs() < 1e-9);
    let rows: Vec<String> =
        steps::rows(&read).into_iter().map(|row| format!("{} {:?}", row.step, row.note)).collect();
    expect![[r#"
        load Some("ran 2 times")
        transform None"#]]
    .assert_eq(&rows.join("\n"));
}
