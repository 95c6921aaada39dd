//! A sample over HTTP: what is chosen is written and nothing else, it goes without a trace, and the run of everything that
//! follows neither misses a record nor writes one twice.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use migration::loss::{LossBudget, Losses};
use migration::mapping::Reviewer;
use migration::settings::RecordingPolicy;
use pipeline::conduct::Step;
use pipeline::context::Context;
use pipeline::losses;
use pipeline::rollback::{self, Planned};
use pipeline::sample::{self, ChosenV1, WishV1};
use pipeline::wave::Wave;
use pipeline::worker::{self, run_step};
use pipeline::{delta, report};
use serde_json::Value;

use crate::rollback::{differences, essence};
use crate::world::World;

const SIZE: u32 = 25;

/// The run of everything, decided and not written.
async fn decided() -> (World, Value) {
    let world = World::start(60, 150).await;
    let before = world.gorgias.dump();
    world.decide().await;
    (world, before)
}

fn moment() -> Timestamp {
    "2026-11-23T10:00:00Z".parse().expect("a moment")
}

/// A sample of the world's run, not yet begun.
async fn sampled(world: &World, run: &str, seed: u64) -> Context {
    let ctx = world.context();
    let wish = WishV1 { of: ctx.run.to_string(), size: SIZE, seed, asked_at: moment() };
    let run = run.parse().expect("a valid run");
    sample::begin(ctx, &run, &wish).await.expect("a sample");
    Context { run, ..ctx.clone() }
}

/// Does every step of a run that the store shows open.
async fn to_the_end(world: &World, ctx: &Context) {
    let rest = worker::run_to_end(ctx, world.queue(), &mut |_, _| {}).await.expect("every step");
    assert_eq!(rest, worker::Rest::Done);
}

/// Our keys of a table.
fn keys(dump: &Value, table: &str) -> BTreeSet<String> {
    let rows = dump[table].as_array().expect("a table");
    let keys = rows.iter().filter_map(|row| row["external_id"].as_str());
    keys.filter(|key| key.starts_with("leaddesk:")).map(str::to_owned).collect()
}

fn count(dump: &Value, table: &str) -> usize {
    dump[table].as_array().map_or(0, Vec::len)
}

async fn chosen(ctx: &Context) -> ChosenV1 {
    sample::chosen(ctx).await.expect("readable").expect("a choice")
}

/// Takes a sample back for good.
async fn removed(ctx: &Context) {
    let Planned::New(plan) = rollback::plan(ctx).await.expect("readable") else { unreachable!("a new plan") };
    assert_eq!(plan.count("keep"), 0, "{:?}", plan.reasons);
    rollback::apply(ctx).await.expect("applied");
    // Of a sample nothing is held.
    let certificate = rollback::purge(ctx, plan.count("remove")).await.expect("purged at once");
    assert_eq!((certificate.shown, certificate.unexpected), (0, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sample_writes_what_was_chosen_and_nothing_else() {
    let (world, before) = decided().await;
    let ctx = sampled(&world, "2026-11-23-a2", 7).await;
    to_the_end(&world, &ctx).await;
    let chosen = chosen(&ctx).await;
    let after = world.gorgias.dump();

    let tickets: BTreeSet<String> = chosen.tickets.iter().cloned().collect();
    assert_eq!(keys(&after, "tickets"), tickets);
    assert_eq!(count(&after, "tickets"), count(&before, "tickets") + tickets.len());
    let ours = keys(&after, "customers");
    let customers: BTreeSet<String> = chosen.customers.iter().cloned().collect();
    assert!(ours.is_subset(&customers), "{:?}", ours.difference(&customers));
    // A customer of the sample was made, or is one of those that were there.
    let made = count(&after, "customers") - count(&before, "customers");
    let adopted = chosen.strata.iter().find(|it| it.name == "adopted").map_or(0, |it| it.chosen);
    assert!(made <= customers.len() && customers.len() - made <= usize::try_from(adopted).expect("few"));
    let requests = world.gorgias.requests();
    let sent =
        |route: &str| requests.iter().filter(|((name, _), _)| name == route).map(|(_, n)| *n).sum::<u64>();
    assert_eq!(sent("POST /api/tickets"), tickets.len() as u64);
    assert_eq!(sent("POST /api/customers"), made as u64);
    let ledgers = world.gorgias.ledgers();
    assert!(ledgers.is_empty(), "{ledgers:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sample_shows_everything_and_its_report_says_what_it_is() {
    let (world, _) = decided().await;
    let ctx = sampled(&world, "2026-11-23-a2", 7).await;
    to_the_end(&world, &ctx).await;
    let told = report::latest(&ctx).await.expect("readable").expect("a report").report;
    let chosen = told.sample.clone().expect("it says that it is a sample");
    assert_eq!(chosen, self::chosen(&ctx).await);
    assert_eq!((told.is_complete, told.summary.verdict.as_str()), (true, "pass"));
    let missing: Vec<_> = chosen.missing().collect();
    assert!(missing.is_empty(), "of {}: {missing:?}", chosen.size_needed);
    for kind in ["object", "trouble", "office", "month"] {
        assert!(chosen.strata.iter().any(|stratum| stratum.kind == kind), "{kind}");
    }
    let troubles: BTreeSet<&str> =
        chosen.strata.iter().filter(|it| it.kind == "trouble").map(|it| it.name.as_str()).collect();
    assert!(troubles.contains("merged") && troubles.len() > 6, "{troubles:?}");
    // Every source record is counted, and those outside stand under their own code.
    let outside = told.excluded.iter().find(|group| group.code == "SAM101").expect("records outside");
    for object in ["contact", "lead", "call", "conversation"] {
        let counts = told.summary.objects[object];
        assert!(counts.loaded > 0, "{object}: {counts:?}");
        assert_eq!(counts.source, counts.excluded + counts.merged + counts.loaded + counts.failed);
        assert!(outside.objects[object] > 0, "{object}");
    }
    // Of sixty contacts one cannot be read.
    assert_eq!(told.summary.objects["contact"].source, 59);
    let text = report::text::render(&told);
    assert!(text.contains("This is a sample, and no migration") && text.contains("seed 7"), "{text}");
    assert_eq!(told.next, "deskferry rollback plan");
    // Another seed chooses others.
    let other = sampled(&world, "2026-11-23-a3", 8).await;
    for step in [Step::Prepare, Step::Extract, Step::Transform] {
        run_step(&other, step).await.expect("readable");
    }
    assert_ne!(self::chosen(&other).await.tickets, chosen.tickets);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sample_goes_without_a_trace_and_the_run_of_everything_loads_all() {
    let (world, before) = decided().await;
    let ctx = sampled(&world, "2026-11-23-a2", 3).await;
    to_the_end(&world, &ctx).await;
    let tickets = chosen(&ctx).await.tickets;
    assert!(!tickets.is_empty());
    removed(&ctx).await;
    let after = world.gorgias.dump();
    assert_eq!(differences(&essence(&after), &essence(&before)), Vec::<String>::new());

    let whole = world.context();
    to_the_end(&world, whole).await;
    let told = report::latest(whole).await.expect("readable").expect("a report").report;
    assert_eq!((told.is_complete, told.summary.verdict.as_str()), (true, "pass"));
    assert!(told.sample.is_none() && told.excluded.iter().all(|group| group.code != "SAM101"));
    let dump = world.gorgias.dump();
    let loaded = keys(&dump, "tickets");
    assert!(tickets.iter().all(|ticket| loaded.contains(ticket)));
    assert_eq!(loaded.len() as u64, wished(whole).await);
    assert_eq!(count(&dump, "tickets"), count(&before, "tickets") + loaded.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_removal_the_run_of_everything_takes_the_sample_over() {
    let (world, before) = decided().await;
    let ctx = sampled(&world, "2026-11-23-a2", 3).await;
    to_the_end(&world, &ctx).await;
    let first = world.gorgias.dump();
    let whole = world.context();
    to_the_end(&world, whole).await;
    let dump = world.gorgias.dump();
    let ids = |dump: &Value| -> BTreeMap<String, String> {
        let rows = dump["tickets"].as_array().expect("tickets");
        let ours = rows.iter().filter(|row| row["external_id"].as_str().is_some());
        ours.map(|row| (row["external_id"].to_string(), row["id"].to_string())).collect()
    };
    let (early, late) = (ids(&first), ids(&dump));
    assert!(early.iter().all(|(key, id)| late.get(key) == Some(id)), "no ticket was made again");
    assert_eq!(late.len() as u64, wished(whole).await);
    assert_eq!(count(&dump, "tickets"), count(&before, "tickets") + late.len());
    let requests = world.gorgias.requests();
    let posted = requests.iter().filter(|((route, _), _)| route == "POST /api/tickets").map(|(_, n)| *n);
    assert_eq!(posted.sum::<u64>(), late.len() as u64);
    let told = report::latest(whole).await.expect("readable").expect("a report").report;
    assert_eq!((told.is_complete, told.summary.verdict.as_str()), (true, "pass"));
    assert_eq!(told.summary.duplicates, 0);
    // Taken back, everything goes, whichever run wrote it.
    let Planned::New(plan) = rollback::plan(whole).await.expect("readable") else { unreachable!("new") };
    assert_eq!(plan.count("keep"), 0, "{:?}", plan.reasons);
    assert_eq!(plan.objects["ticket"]["remove"], late.len() as u64);
}

/// Tickets that a run wishes for.
async fn wished(ctx: &Context) -> u64 {
    let (plan, _) = pipeline::plan::read(ctx).await.expect("a plan");
    plan.wave(Wave::Leads).records + plan.wave(Wave::Chats).records
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_approval_and_the_losses_of_everything_bind_a_sample() {
    let (world, before) = decided().await;
    let mut changed = sampled(&world, "2026-11-23-a2", 1).await;
    changed.mapping.recording = RecordingPolicy::Link;
    let refused = run_step(&changed, Step::Prepare).await.expect_err("not what was approved");
    assert_eq!(refused.code(), "APR101");
    // Somebody approved that nothing is lost, and everything would lose something.
    let by = Reviewer::new("Test Reviewer").expect("a name");
    let nothing = LossBudget::exact(&Losses::default());
    losses::approve(world.context(), &nothing, true, &by, moment()).await.expect("approved");
    let ctx = sampled(&world, "2026-11-23-a3", 1).await;
    let outcome = worker::run_to_end(&ctx, world.queue(), &mut |_, _| {}).await;
    assert_eq!(outcome.expect_err("over the budget").code(), "LOS101");
    let after = world.gorgias.dump();
    for table in ["tickets", "customers"] {
        assert_eq!(count(&after, table), count(&before, table), "{table}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_needs_a_run_of_everything_refuses_a_sample() {
    let (world, _) = decided().await;
    let ctx = sampled(&world, "2026-11-23-a2", 1).await;
    to_the_end(&world, &ctx).await;
    let refused = delta::run(&ctx).await.expect_err("no delta over a sample");
    assert_eq!(refused.code(), "SAM002");
    let refused = run_step(&ctx, Step::Handoff).await.expect_err("no handoff of a sample");
    assert_eq!(refused.code(), "SAM002");
    // The name of a sample belongs to its numbers.
    let wish = WishV1 { of: world.context().run.to_string(), size: SIZE, seed: 2, asked_at: moment() };
    let taken = sample::begin(world.context(), &ctx.run, &wish).await.expect_err("another sample");
    assert_eq!(taken.code(), "SAM003");
}
