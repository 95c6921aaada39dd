//! Thousands of simulated histories on all cores; one line of JSON, and a failure when anything is there twice or missing.
//!
//! Deliberately absent: the simulation, which is the product's own code in a world in memory (`pipeline::simulation`).

use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Instant;

use clap::Args;
use pipeline::simulation::{Bug, DELTA_FIRED, Importer, Migrated, Ongoing, Sum, Template};
use serde_json::{Value, json};

/// Seeds within which every bug must show.
const BUG_SEEDS: u64 = 1_000;

/// Arguments of `crash`.
#[derive(Debug, Args)]
pub(crate) struct Crash {
    /// Storms to draw.
    #[arg(long, default_value_t = 1_000)]
    seeds: u64,
    /// The first seed.
    #[arg(long, default_value_t = 0)]
    first: u64,
    /// Tickets of every history.
    #[arg(long, default_value_t = 200)]
    records: u64,
    /// Prints JSON; it does so in any case.
    #[arg(long)]
    json: bool,
}

/// Arguments of `compare`.
#[derive(Debug, Args)]
pub(crate) struct Compare {
    /// Storms to draw.
    #[arg(long, default_value_t = 1_000)]
    seeds: u64,
    /// Tickets of every history.
    #[arg(long, default_value_t = 200)]
    records: u64,
    /// Prints JSON; it does so in any case.
    #[arg(long)]
    json: bool,
}

/// Arguments of `rollback`.
#[derive(Debug, Args)]
pub(crate) struct Rollback {
    /// Histories to draw.
    #[arg(long, default_value_t = 1_000)]
    seeds: u64,
    /// The first seed.
    #[arg(long, default_value_t = 0)]
    first: u64,
    /// People of every migration.
    #[arg(long, default_value_t = 8)]
    people: u64,
    /// People of the migration whose rollback is killed at every point.
    #[arg(long, default_value_t = 200)]
    people_killed: u64,
    /// Prints JSON; it does so in any case.
    #[arg(long)]
    json: bool,
}

/// Arguments of `repair`.
#[derive(Debug, Args)]
pub(crate) struct Repair {
    /// Histories to draw.
    #[arg(long, default_value_t = 1_000)]
    seeds: u64,
    /// The first seed.
    #[arg(long, default_value_t = 0)]
    first: u64,
    /// People of every migration.
    #[arg(long, default_value_t = 8)]
    people: u64,
    /// Prints JSON; it does so in any case.
    #[arg(long)]
    json: bool,
}

/// Arguments of `delta`.
#[derive(Debug, Args)]
pub(crate) struct Delta {
    /// Histories to draw.
    #[arg(long, default_value_t = 1_000)]
    seeds: u64,
    /// The first seed.
    #[arg(long, default_value_t = 0)]
    first: u64,
    /// People of every migration.
    #[arg(long, default_value_t = 6)]
    people: u64,
    /// Points at which one delta with every kind of change is killed, at most.
    #[arg(long, default_value_t = 1_000)]
    points: u64,
    /// Prints JSON; it does so in any case.
    #[arg(long)]
    json: bool,
}

/// Arguments of `cutover`.
#[derive(Debug, Args)]
pub(crate) struct Cutover {
    /// People of the migration.
    #[arg(long, default_value_t = 6)]
    people: u64,
    /// Points at which the cut-over is killed, at most.
    #[arg(long, default_value_t = 10_000)]
    points: u64,
    /// Prints JSON; it does so in any case.
    #[arg(long)]
    json: bool,
}

/// Plays histories on all cores and adds them up; which of them failed first does not depend on the cores.
fn play(first: u64, count: u64, history: impl Fn(u64) -> Sum + Sync) -> (Sum, f64) {
    let started = Instant::now();
    let next = AtomicU64::new(first);
    let workers = thread::available_parallelism().map_or(1, usize::from);
    let mut sum = Sum::default();
    let parts: Vec<Sum> = thread::scope(|scope| {
        let work = || {
            let mut sum = Sum::default();
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= first + count {
                    return sum;
                }
                sum.add(&history(number));
            }
        };
        let handles: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        handles.into_iter().map(|handle| handle.join().expect("a history does not panic")).collect()
    });
    parts.iter().for_each(|part| sum.add(part));
    sum.first_wrong = parts.iter().filter_map(|part| part.first_wrong).min();
    (sum, started.elapsed().as_secs_f64())
}

fn told(sum: &Sum, seconds: f64) -> Value {
    let mut told = serde_json::to_value(sum).unwrap_or_default();
    told["look_ups_per_1000_records"] = json!(sum.look_ups_per_thousand());
    told["histories_per_second"] = json!((sum.histories as f64 / seconds.max(0.001)).round());
    told
}

fn ended(is_right: bool) -> ExitCode {
    if is_right { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Every kill point, storms by seed, and bugs on purpose.
pub(crate) fn crash(arguments: &Crash) -> ExitCode {
    let template = Template::new(arguments.records);
    let undisturbed = template.undisturbed();
    let points = template.kill_points();
    let (killed, seconds) = play(1, points, |point| template.killed_at(point));
    println!(
        "{}",
        json!({ "type": "undisturbed", "look_ups": undisturbed.look_ups, "probes": undisturbed.probes, "wrong": undisturbed.wrong })
    );
    let mut line = told(&killed, seconds);
    line["type"] = json!("kill_points");
    line["look_ups_per_kill"] = json!(killed.look_ups as f64 / points as f64);
    line["look_ups_per_kill_max"] = json!(killed.look_ups_max);
    println!("{line}");
    let (storms, seconds) = play(arguments.first, arguments.seeds, |seed| template.stormy(seed, None));
    let mut line = told(&storms, seconds);
    line["type"] = json!("storms");
    println!("{line}");
    let small = Template::new(30);
    let mut unnoticed = 0;
    for bug in Bug::ALL {
        let seeds = (0..BUG_SEEDS).find(|seed| small.shows(*seed, bug)).map(|seed| seed + 1);
        unnoticed += u64::from(seeds.is_none());
        println!("{}", json!({ "type": "bug", "bug": format!("{bug:?}"), "noticed_after_seeds": seeds }));
    }
    let never: Vec<&str> = KINDS.into_iter().filter(|kind| !storms.faults.contains_key(*kind)).collect();
    println!(
        "{}",
        json!({ "type": "summary", "wrong": undisturbed.wrong + killed.wrong + storms.wrong, "bugs_unnoticed": unnoticed, "faults_never_fired": never })
    );
    ended(undisturbed.wrong + killed.wrong + storms.wrong + unnoticed == 0 && never.is_empty())
}

/// Kinds of faults that must have struck.
const KINDS: [&str; 8] = [
    "not_sent",
    "answer_lost",
    "vanished",
    "applied_late",
    "ticket_in_part",
    "refused",
    "store_failed",
    "store_answer_lost",
];

/// The same storms for all importers.
pub(crate) fn compare(arguments: &Compare) -> ExitCode {
    let template = Template::new(arguments.records);
    let (ours, seconds) = play(0, arguments.seeds, |seed| template.stormy(seed, None));
    let line = |name: &str, sum: &Sum, seconds: f64| {
        let mut line = told(sum, seconds);
        line["type"] = json!("importer");
        line["importer"] = json!(name);
        println!("{line}");
    };
    line("deskferry", &ours, seconds);
    for importer in Importer::ALL {
        let (theirs, seconds) = play(0, arguments.seeds, |seed| template.naive(seed, importer));
        line(importer.as_str(), &theirs, seconds);
    }
    ended(ours.wrong == 0)
}

/// People, storms and deaths around a rollback.
pub(crate) fn rollback(arguments: &Rollback) -> ExitCode {
    let large = Migrated::new(arguments.people_killed);
    let killed = play(1, large.kill_points(), |point| large.killed_at(point));
    let migrated = Migrated::new(arguments.people);
    both(&killed, &play(arguments.first, arguments.seeds, |seed| migrated.history(seed)))
}

/// Damage, people, storms and deaths around a repair.
pub(crate) fn repair(arguments: &Repair) -> ExitCode {
    let large = Migrated::new(arguments.people.max(9));
    let killed = play(1, large.repair_points(), |point| large.mended_at(point));
    let migrated = Migrated::new(arguments.people);
    both(&killed, &play(arguments.first, arguments.seeds, |seed| migrated.repair_history(seed)))
}

/// People of both systems, and deaths, around deltas; some runs are taken back afterwards.
pub(crate) fn delta(arguments: &Delta) -> ExitCode {
    let ongoing = Ongoing::new(arguments.people);
    let points = ongoing.delta_points().min(arguments.points);
    let killed = play(1, points, |point| ongoing.killed_at(point));
    let histories = play(arguments.first, arguments.seeds, |seed| ongoing.history(seed));
    let mut unnoticed = 0;
    for bug in Bug::OF_DELTA {
        let seeds = (0..BUG_SEEDS).find(|seed| ongoing.shows(*seed, bug)).map(|seed| seed + 1);
        unnoticed += u64::from(seeds.is_none());
        println!("{}", json!({ "type": "bug", "bug": format!("{bug:?}"), "noticed_after_seeds": seeds }));
    }
    // A few histories need not show everything.
    let is_enough = arguments.seeds >= FIRED_SEEDS_MIN;
    let never: Vec<&str> =
        DELTA_FIRED.into_iter().filter(|kind| !histories.0.faults.contains_key(*kind)).collect();
    println!("{}", json!({ "type": "fired", "bugs_unnoticed": unnoticed, "faults_never_fired": never }));
    let told = both(&killed, &histories);
    if unnoticed == 0 && (never.is_empty() || !is_enough) { told } else { ExitCode::FAILURE }
}

/// Histories in which everything that is counted must have happened.
const FIRED_SEEDS_MIN: u64 = 200;

/// A cut-over with every kind of change, killed at every point.
pub(crate) fn cutover(arguments: &Cutover) -> ExitCode {
    let ongoing = Ongoing::new(arguments.people);
    let points = ongoing.cutover_points().min(arguments.points);
    let (killed, seconds) = play(1, points, |point| ongoing.cutover_killed_at(point));
    let mut line = told(&killed, seconds);
    line["type"] = json!("kill_points");
    println!("{line}");
    ended(killed.wrong == 0)
}

/// Tells what came of every kill point and of the histories, and ends well when nothing was wrong.
fn both(killed: &(Sum, f64), histories: &(Sum, f64)) -> ExitCode {
    for (name, (figures, seconds)) in [("kill_points", killed), ("histories", histories)] {
        let mut line = told(figures, *seconds);
        line["type"] = json!(name);
        println!("{line}");
    }
    let ((killed, _), (histories, _)) = (killed, histories);
    let wrong = killed.wrong + histories.wrong;
    println!(
        "{}",
        json!({ "type": "summary", "wrong": wrong, "edits": histories.edits, "edits_lost": histories.edits_lost, "edits_overtaken": histories.edits_overtaken })
    );
    ended(wrong == 0)
}
