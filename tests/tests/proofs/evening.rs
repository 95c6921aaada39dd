//! What a cut-over asks for is counted in the report, and what was switched off comes back in the order that was agreed, as
//! Gorgias sees it: at the end of the run, of a delta, of a cut-over and of a rollback, also where the process dies in between.

use std::time::Duration;

use pipeline::conduct::Step;
use pipeline::cutover::{self, Asked, Outcome};
use pipeline::report::{self, usage};
use pipeline::wave::Wave;
use pipeline::worker::run_step;
use pipeline::{delta, rollback};
use twins::generate::{Change, Stamp};

use crate::world::World;

/// The other way round than where nothing is agreed.
const REVERSED: &str = "[cutover]\nrestore_order = [\"webhooks\", \"surveys\", \"rules\"]\n";
const AGREED: [&str; 3] = ["webhooks", "surveys", "rules"];
const RULES: &str = "PUT /api/rules/{id}";
const SURVEYS: &str = "PUT /api/account/settings/{id}";
const WEBHOOKS: &str = "PUT /api/integrations/{id}";

fn asked() -> Asked {
    let force = Some(("Proof".to_owned(), "nobody compares by hand in a proof".to_owned()));
    Asked { by: Some("Proof".to_owned()), force, ..Asked::default() }
}

/// One contact gets another remark, so that the next delta has something to write.
fn remark(world: &World, minute: u32) {
    let contact_id = {
        let account = world.leaddesk.twin().account();
        let mut listed = account.contacts().filter(|contact| contact.list_ids.len() == 1);
        listed.nth(20).expect("a contact").id
    };
    let at = Stamp::civil(2026, 3, 2, 9, minute, 0);
    let change = Change::EditComment { contact_id, comment: format!("remark {minute}"), at };
    world.leaddesk.twin().apply(&[change]).expect("the contact is there");
}

fn kind(route: &str) -> Option<&'static str> {
    let kinds = [(RULES, "rules"), (SURVEYS, "surveys"), (WEBHOOKS, "webhooks")];
    kinds.iter().find(|(name, _)| *name == route).map(|(_, kind)| *kind)
}

/// Kinds of switches in the order in which Gorgias was asked for them after the last write of anything else; repetitions of
/// one kind are one.
fn came_back(world: &World, since: usize) -> Vec<&'static str> {
    let writes = world.gorgias.writes().split_off(since);
    let behind = writes.iter().rposition(|route| kind(route).is_none()).map_or(0, |place| place + 1);
    let mut order: Vec<&str> = writes[behind..].iter().filter_map(|route| kind(route)).collect();
    order.dedup();
    order
}

/// Works until Gorgias was asked so often for surveys, and dies then, with the request in flight.
async fn dies_at_surveys<T>(world: &World, times: usize, work: impl Future<Output = T>) {
    let before = world.gorgias.writes().len();
    let is_asked = async {
        let count = || world.gorgias.writes()[before..].iter().filter(|route| *route == SURVEYS).count();
        while count() < times {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::select! {
        biased;
        () = is_asked => {}
        _ = Box::pin(work) => unreachable!("surveys come back before the last of the three"),
    }
}

/// Whether rules, surveys and webhooks are as before the migration.
fn assert_loud(world: &World, when: &str) {
    let dump = world.gorgias.dump();
    for table in ["rules", "integrations"] {
        let records = dump[table].as_array().cloned().unwrap_or_default();
        assert!(!records.is_empty(), "{when}: {table}");
        for record in records {
            assert!(record["deactivated_datetime"].is_null(), "{when}: {record}");
        }
    }
    let settings = dump["settings"].to_string();
    assert!(settings.contains("\"send_survey_for_chat\":true"), "{when}: {settings}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_switched_off_comes_back_in_the_agreed_order_although_the_process_dies() {
    let world = World::with(40, 40, REVERSED, |_, _| {}).await;
    world.run_through(Step::Reconcile(Wave::Chats)).await;
    let since = world.gorgias.writes().len();
    dies_at_surveys(&world, 1, run_step(world.context(), Step::Finish)).await;
    let ctx = &world.restarted().await;
    assert_eq!(came_back(&world, since), AGREED[..2], "it died before the rules");
    run_step(ctx, Step::Finish).await.expect("the next start finishes");
    assert_eq!(came_back(&world, since), AGREED, "finish");
    assert_loud(&world, "finish");

    remark(&world, 1);
    let since = world.gorgias.writes().len();
    delta::run(ctx).await.expect("a delta");
    assert_eq!(came_back(&world, since), AGREED, "delta");

    remark(&world, 2);
    let since = world.gorgias.writes().len();
    // Off with the first write of the last delta, on at the end.
    dies_at_surveys(&world, 2, cutover::run(ctx, &asked(), &mut |_, _| ())).await;
    assert_eq!(came_back(&world, since), AGREED[..2], "it died before the rules");
    let ctx = &world.restarted().await;
    let outcome = cutover::run(ctx, &asked(), &mut |_, _| ()).await.expect("the next start goes on");
    assert!(matches!(outcome, Outcome::Signed(_)), "{outcome:?}");
    assert_eq!(came_back(&world, since), AGREED, "cut-over");
    assert_loud(&world, "cut-over");

    let since = world.gorgias.writes().len();
    rollback::plan(ctx).await.expect("a plan");
    dies_at_surveys(&world, 2, rollback::apply(ctx)).await;
    assert_eq!(came_back(&world, since), AGREED[..2], "it died before the rules");
    rollback::apply(&world.restarted().await).await.expect("the next start goes on");
    // The next start switches off anew what is on, since it may have to write; the way back begins anew with it.
    assert!(came_back(&world, since).ends_with(&AGREED), "rollback: {:?}", came_back(&world, since));
    assert_loud(&world, "rollback");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_report_counts_what_a_cut_over_asked_for() {
    let world = World::start(40, 40).await;
    world.run_through(Step::Finish).await;
    let ctx = world.context();
    let asked_of = |world: &World| world.gorgias.requests().values().sum::<u64>();
    let before = asked_of(&world);
    assert_eq!(usage::read(ctx).await.expect("usage").total(), before, "of the run, every request");
    remark(&world, 1);
    let outcome = cutover::run(ctx, &asked(), &mut |_, _| ()).await.expect("a cut-over");
    assert!(matches!(outcome, Outcome::Signed(_)), "{outcome:?}");
    let told = usage::read(ctx).await.expect("usage");
    // The readiness is looked at before the cut-over begins, and the report looks up the account's name itself.
    let untold = asked_of(&world) - told.total();
    assert!(untold <= 2, "{untold} of {} are not told: {:?}", asked_of(&world), told.purposes);
    let spent = |purpose: &str| told.purposes.get(purpose).copied().unwrap_or(0);
    assert!(spent("delta") > 0 && spent("cutover") > 0, "{:?}", told.purposes);
    assert_eq!(spent("delta") + spent("cutover"), told.total() - before, "{:?}", told.purposes);
    let latest = report::latest(ctx).await.expect("a report").expect("the cut-over makes one");
    assert_eq!(latest.report.summary.requests, told.total());
}
