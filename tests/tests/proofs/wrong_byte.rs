//! One wrong byte at Gorgias is found wherever it is, and nothing else is.

use expect_test::{Expect, expect};
use pipeline::conduct::Step;
use pipeline::wave::Wave;
use pipeline::worker::run_step;
use twins::gorgias::{RecordKind, Which};

use crate::world::World;

/// Loads a wave, changes one character of one field of the newest record of a kind, and reads the wave back.
async fn check(wave: Wave, kind: RecordKind, field: &str, expected: &Expect) {
    let world = World::start(40, 80).await;
    world.run_through(Step::Load(wave)).await;
    world.gorgias.edit(|editor| {
        let ids = editor.ids(kind);
        let planted =
            ids.iter().rev().find_map(|id| editor.plant_wrong_byte(kind, &Which::Id(*id), field).ok());
        assert!(planted.is_some(), "no record has text in {field}");
    });
    let report = run_step(world.context(), Step::Reconcile(wave)).await.expect("a comparison");
    let codes: Vec<String> =
        report.findings.iter().map(|finding| format!("{} {}", finding.code, finding.count)).collect();
    expected.assert_eq(&format!("different {:?}; {codes:?}", report.records.get("fields_different")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_the_name_of_a_customer() {
    check(Wave::Customers, RecordKind::Customer, "name", &expect![[r#"different Some(1); ["CMP104 1"]"#]])
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_the_number_of_a_customer() {
    // The wanted number is missing, and another one is there.
    check(
        Wave::Customers,
        RecordKind::Customer,
        "channel:phone",
        &expect![[r#"different Some(2); ["CMP105 1", "CMP106 1"]"#]],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_the_subject_of_a_ticket() {
    check(Wave::Leads, RecordKind::Ticket, "subject", &expect![[r#"different Some(1); ["CMP104 1"]"#]]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_the_text_of_a_message() {
    check(Wave::Leads, RecordKind::Message, "body_text", &expect![[r#"different Some(1); ["CMP104 1"]"#]])
        .await;
}
