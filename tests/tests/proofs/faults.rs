//! A whole migration over HTTP through everything that a connection and a server do wrong: written once, proven, nobody mailed.

use pipeline::conduct::Step;
use pipeline::wave::Wave;
use twins::gorgias::{Action, Fault, When};

use crate::world::World;

/// One of each kind on every kind of write, spread over the run.
fn plan() -> Vec<Fault> {
    let on = |route: &str, nth: u64, action: Action| Fault {
        when: When {
            method: Some("POST".to_owned()),
            route: Some(route.to_owned()),
            nth: Some(nth),
            times: None,
        },
        action,
    };
    let kinds = [
        Action::HangUpBeforeCommit,
        Action::LostAnswerAfterCommit,
        Action::StatusBefore(503),
        Action::StatusAfter(500),
        Action::StatusAfter(502),
        Action::StatusBefore(429),
        Action::Html(502),
        Action::Html(200),
        Action::Truncate,
        Action::ApplyLate(1.0),
        Action::Delay(0.2),
    ];
    let mut plan = Vec::new();
    for (route, distance) in [("/api/customers", 3), ("/api/tickets", 9)] {
        plan.extend((1..).zip(kinds).map(|(place, action)| on(route, place * distance, action)));
    }
    plan.extend(
        (1..)
            .zip([Action::LostAnswerAfterCommit, Action::StatusAfter(504)])
            .map(|(nth, action)| on("/api/tags", nth, action)),
    );
    plan.extend(
        (1..)
            .zip([Action::LostAnswerAfterCommit, Action::HangUpBeforeCommit])
            .map(|(nth, action)| on("/api/teams", nth, action)),
    );
    plan.extend(
        (1..)
            .zip([Action::StatusAfter(500), Action::Truncate])
            .map(|(nth, action)| on("/api/custom-fields", nth, action)),
    );
    plan
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_storm_over_http_changes_nothing_about_the_end() {
    let world = World::start(40, 80).await;
    world.gorgias.set_faults(plan());
    world.run_through(Step::Handoff).await;
    let never: Vec<_> = world.gorgias.faults().into_iter().filter(|fault| fault.fired == 0).collect();
    assert!(never.is_empty(), "{never:?}");
    let report = pipeline::report::latest(world.context()).await.expect("readable").expect("a report");
    let summary = report.report.summary;
    assert_eq!((summary.verdict.as_str(), summary.duplicates, summary.fields_different), ("pass", 0, 0));
    let ledgers = world.gorgias.ledgers().counts();
    assert_eq!((ledgers.outbox, ledgers.invitations, ledgers.violations), (0, 0, 0));
    world.run_through_again().await;
    for wave in Wave::ALL {
        assert!(pipeline::reconcile::again(world.context(), wave).await.expect("readable").1, "{wave}");
    }
}
