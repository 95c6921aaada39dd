//! A writer and a reader outside of their hours, in the runtime's paused time.

use migration::gorgias::TagDraft;
use migration::ledger::ReceiptClass;
use migration::local_time::SourceZone;
use migration::working_hours::WorkingHours;

use super::*;
use crate::ledger::driver::{Action, DriveError, Listed, Part, Tally, drive};
use crate::ledger::request::Request;
use crate::ledger::{Ledger, Opening, key};
use crate::ports::gorgias::{Customer, Raw};
use crate::readings::{self, ReadingError};
use crate::testing::fake_gorgias::Pace;
use crate::testing::{Account, World};

const DAY: Duration = Duration::from_secs(24 * 3_600);
/// More than fit into two minutes of forty and two a second.
const TAGS: usize = 400;

/// Two minutes a day, of which the first begins twenty-six minutes after the world.
fn world() -> World {
    let pace =
        Pace { capacity: 40, interval: Duration::from_millis(500), latency: Duration::from_millis(300) };
    let mut world = World::paced(Account::fresh(), pace, Duration::from_millis(80));
    let zone = SourceZone::new("UTC").expect("a zone");
    world.limits.hours = Some(WorkingHours::parse("14:40-14:42", zone).expect("hours"));
    world
}

async fn write(ctx: &Context, count: usize) -> Result<Tally, DriveError> {
    let mut ledger = Ledger::open(ctx, &Opening::default()).await.map_err(DriveError::Ledger)?;
    let actions = (0..count).map(|number| {
        let draft = TagDraft { name: format!("tag-{number}"), description: String::new() };
        Action::new(key::tag(&draft.name, ledger.secret()), Request::CreateTag(draft))
    });
    let mut work = Listed::new(actions.collect(), ReceiptClass::Created);
    let part = Part { step: "load", name: "tags".to_owned(), total: None };
    let tally = drive(ctx, &mut ledger, &mut work, &part).await?;
    ledger.close().await.map_err(DriveError::Ledger)?;
    Ok(tally)
}

fn elapsed(world: &World) -> Duration {
    Duration::from_nanos(world.context().clock.elapsed_nanoseconds())
}

fn is_open(world: &World) -> bool {
    world.context().keeping_hours().rest().is_none()
}

#[tokio::test(start_paused = true)]
async fn nothing_new_is_announced_outside_of_the_hours_and_the_next_night_goes_on() {
    let world = world();
    let ctx = world.context().keeping_hours();
    let mut closed_since = Some(elapsed(&world));
    let mut written_while_closed = Vec::new();
    let watch = async {
        loop {
            let before = world.gorgias.all_requests();
            tokio::time::sleep(Duration::from_secs(5)).await;
            let now = elapsed(&world);
            closed_since = if is_open(&world) { None } else { closed_since.or(Some(now)) };
            // What was announced in the last moment of the hours may still be on its way.
            if closed_since.is_some_and(|since| now.saturating_sub(since) > Duration::from_secs(20)) {
                written_while_closed.push(world.gorgias.all_requests() - before);
            }
        }
    };
    let written = tokio::select! {
        written = write(&ctx, TAGS) => written,
        () = watch => unreachable!("it watches for ever"),
    };
    assert_eq!(written.expect("written").done, TAGS as u64);
    assert!(elapsed(&world) > DAY, "it took two nights: {:?}", elapsed(&world));
    assert!(elapsed(&world) < DAY + Duration::from_secs(3_600), "and no more: {:?}", elapsed(&world));
    assert!(written_while_closed.len() > 10_000, "{}", written_while_closed.len());
    assert_eq!(written_while_closed.iter().sum::<u64>(), 0);
}

#[tokio::test(start_paused = true)]
async fn who_has_nothing_to_do_does_not_wait_and_who_is_waited_for_keeps_no_hours() {
    let world = world();
    write(&world.context().keeping_hours(), 0).await.expect("nothing to do");
    write(&world.context(), 3).await.expect("written at once");
    assert!(!is_open(&world) && elapsed(&world) < Duration::from_secs(10), "{:?}", elapsed(&world));
}

#[tokio::test(start_paused = true)]
async fn a_step_that_rests_ends_at_once_when_it_is_asked_to_and_leaves_nothing_in_doubt() {
    let world = world();
    let ctx = world.context().keeping_hours();
    let asked = async {
        tokio::time::sleep(Duration::from_secs(400)).await;
        ctx.stop.request();
    };
    let (written, ()) = tokio::join!(write(&ctx, TAGS), asked);
    assert!(matches!(written, Err(DriveError::Stopped)), "{written:?}");
    assert!(elapsed(&world) < Duration::from_secs(401), "{:?}", elapsed(&world));
    let ledger = Ledger::open(&world.context(), &Opening::default()).await.expect("opened");
    assert_eq!(ledger.book().state().doubt_count(), 0);
    assert_eq!(world.gorgias.requests("POST /tags"), 0);
}

#[tokio::test(start_paused = true)]
async fn a_reader_asks_for_no_page_outside_of_the_hours() {
    let world = world();
    let ctx = world.context().keeping_hours();
    let read = || {
        let take = |count: &mut u64, _: Raw<Customer>| {
            *count += 1;
            Ok::<_, ReadingError>(())
        };
        readings::whole(&ctx, "hours/customers", || Ok(0_u64), take)
    };
    let early = tokio::time::timeout(Duration::from_secs(25 * 60), read()).await;
    assert!(early.is_err() && world.gorgias.all_requests() == 0);
    read().await.expect("read");
    assert!(is_open(&world) && world.gorgias.all_requests() > 0);
}
