//! A whole migration on the profile of what is evident, plus the operator's files: all twelve rows, nothing mailed.

use expect_test::expect;
use pipeline::conduct::Step;
use pipeline::report;

use crate::world::World;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_row_lands_or_is_documented_and_nobody_is_mailed() {
    let world = World::start(80, 200).await;
    world.run_through(Step::Handoff).await;
    let latest = report::latest(world.context()).await.expect("readable reports").expect("a report");
    let summary = latest.report.summary;

    // Rows 1 to 10 by object; the identity is checked when the report is made, so here it is the reach that counts.
    let objects: Vec<String> = summary
        .objects
        .iter()
        .map(|(object, balance)| format!("{object} {}", if balance.source > 0 { "some" } else { "none" }))
        .collect();
    expect![[r#"
        agent some
        call some
        campaign some
        chat_message some
        contact some
        conversation some
        field some
        group some
        lead some
        office some
        outcome some"#]]
    .assert_eq(&objects.join("\n"));
    for (object, balance) in &summary.objects {
        let sum = balance.excluded + balance.merged + balance.loaded + balance.failed;
        assert_eq!(balance.source, sum, "{object}");
    }
    assert_eq!((summary.verdict.as_str(), summary.fields_different, summary.duplicates), ("pass", 0, 0));
    assert!(summary.fields_compared > 1_000, "{}", summary.fields_compared);
    // Whether the approval still holds is looked at before prepare and before each wave, a dozen requests each time.
    let looks = 4.0 * 12.0;
    assert!(summary.requests as f64 <= 1.05 * summary.requests_floor as f64 + looks, "{summary:?}");
    assert_eq!(summary.responses_429, 0);

    // Nothing left Gorgias, nobody was invited, nothing is billed, nothing was harmed.
    let ledgers = world.gorgias.ledgers();
    assert!(ledgers.is_empty(), "{:?}", ledgers.counts());

    // Rows 11 and 12: documents.
    let handoff = world.folder.path().join("run").join(latest.folder.as_str()).join("handoff");
    let mut names: Vec<String> = std::fs::read_dir(&handoff)
        .expect("the handoff folder")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    for wanted in ["README.md", "leadapps.json", "dispositions.csv", "to-provision.csv", "lost-or-changed.md"]
    {
        assert!(names.iter().any(|name| name == wanted), "{wanted} is not in {names:?}");
    }
    assert!(names.iter().any(|name| name.starts_with("dialer-")), "{names:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_start_finds_everything_done_and_sends_nothing() {
    let world = World::start(40, 80).await;
    world.run_through(Step::Handoff).await;
    let sent: u64 = world.gorgias.requests().values().sum();
    world.run_through_again().await;
    assert_eq!(world.gorgias.requests().values().sum::<u64>(), sent, "a finished run needs no request");
}
