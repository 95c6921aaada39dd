//! A process that dies while it reads back: the next one asks for what was in hand, and for nothing else again.

use pipeline::conduct::Step;
use pipeline::wave::Wave;
use pipeline::worker::run_step;

use crate::world::World;

/// Single answers that a kill may lose, and requests that were on their way.
const LOST_MAX: u64 = 250 + 4;
/// Answers after which the process dies: one chunk is kept, the second is in hand.
const ANSWERS: u64 = 330;

fn asked(world: &World) -> u64 {
    let requests = world.gorgias.requests();
    requests.iter().filter(|((route, _), _)| route == "GET /api/customers/{id}").map(|(_, count)| count).sum()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reading_that_is_killed_does_not_begin_again() {
    let world = World::start(600, 200).await;
    world.run_through(Step::Load(Wave::Customers)).await;
    let before = asked(&world);
    let death = async {
        while asked(&world) - before < ANSWERS {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        () = death => {}
        ended = run_step(world.context(), Step::Reconcile(Wave::Customers)) => {
            panic!("it came to its end before it died: {ended:?}");
        }
    }
    let died_at = asked(&world) - before;
    let report = run_step(world.context(), Step::Reconcile(Wave::Customers)).await.expect("goes on");
    let (compared, all) = (report.records["customer"], asked(&world) - before);
    assert_eq!(report.findings, []);
    assert!(compared > died_at, "{compared} customers are too few to die among");
    let again = all - compared;
    assert!(again > 0 && again <= LOST_MAX.min(died_at), "{again} of {died_at} were asked for again");
    assert!(again < died_at - 200, "a whole chunk was kept");
}
