//! Which steps of a run keep the hours of Gorgias, and what is told of their rest.

use std::time::Duration;

use expect_test::expect;
use migration::local_time::SourceZone;
use migration::working_hours::WorkingHours;

use super::*;
use crate::report::steps;

const HOUR: Duration = Duration::from_secs(3_600);

/// Each step begins outside of the three hours of the day.
#[test]
fn the_steps_that_take_long_rest_and_no_other_and_a_rest_is_no_time_spent() {
    let mut world = World::new(Account::fresh());
    let zone = SourceZone::new("UTC").expect("a zone");
    let hours = WorkingHours::parse("15:00-18:00", zone).expect("hours");
    world.limits.hours = Some(hours.clone());
    let books = Books::of(4);
    let desk = Arc::new(Desk::of(books.clone()));
    let files = tempfile::tempdir().expect("a temporary folder");
    books.write_log(1, files.path());
    in_virtual_time(async {
        let ctx = at_desk(&world, &desk, files.path());
        let mut told = Vec::new();
        for step in [Step::Discover, Step::Propose, Step::Prepare].into_iter().chain(STEPS) {
            while hours.opens_at(ctx.clock.now()) == Some(ctx.clock.now()) {
                world.clock.advance(HOUR);
            }
            let began = ctx.clock.now();
            run_step(&ctx, step).await.expect("every step comes to its end");
            if step == Step::Propose {
                confirm(&ctx).await;
            }
            let has_rested = hours.open_between(began, ctx.clock.now()) > Duration::ZERO
                || hours.opens_at(ctx.clock.now()) == Some(ctx.clock.now());
            told.push(format!("{step} {}", if has_rested { "rests" } else { "goes on" }));
        }
        expect![[r"
            discover goes on
            propose goes on
            prepare goes on
            extract goes on
            transform goes on
            plan goes on
            load/customers rests
            reconcile/customers rests
            load/leads rests
            reconcile/leads rests
            load/chats goes on
            reconcile/chats goes on
            finish goes on"]]
        .assert_eq(&told.join("\n"));
        let read = steps::read(&ctx).await.expect("read");
        let rested: u64 = read.iter().map(|step| step.rested_milliseconds).sum();
        assert!(rested > 2 * 86_400_000, "days of rest: {rested} ms");
        let spent = steps::seconds_at_destination(&read);
        let open = |step: &steps::StepV1| hours.open_between(step.started_at, step.ended_at).as_secs_f64();
        let long = read.iter().filter(|step| ["plan", "load", "reconcile"].contains(&step.step.as_str()));
        let open: f64 = long.map(open).sum();
        assert!(spent <= open + 60.0, "{spent} s of work, {open} s of hours");
    });
}
