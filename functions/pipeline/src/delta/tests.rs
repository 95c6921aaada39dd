//! Which reading's wish counts.

use std::collections::BTreeMap;

use snapshot::Pass;

use crate::deltas::{self, DoneV1, PlanV1};
use crate::testing::{Account, World};

fn plan(tickets: u64) -> PlanV1 {
    let states = BTreeMap::from([("changed".to_owned(), tickets)]);
    let wished = if tickets > 0 { BTreeMap::from([("ticket".to_owned(), states)]) } else { BTreeMap::new() };
    PlanV1 { wished, ..PlanV1::default() }
}

/// A delta over an unchanged source has no tables: while it writes what earlier ones left open, theirs count.
#[tokio::test]
async fn the_wish_stays_where_it_was_while_a_delta_without_changes_writes() {
    let world = World::new(Account::fresh());
    let ctx = world.context();
    let mut seen = Vec::new();
    for (number, tickets) in [(1, 2), (2, 0), (3, 1)] {
        let begun = deltas::begin(&ctx).await.expect("begun");
        assert_eq!(begun.number, number);
        seen.push(deltas::wish(&ctx).await.expect("known"));
        deltas::keep_plan(&ctx, number, &plan(tickets)).await.expect("kept");
        seen.push(deltas::wish(&ctx).await.expect("known"));
        let done = DoneV1 { number, is_unchanged: tickets == 0, ..DoneV1::default() };
        deltas::finish(&ctx, done).await.expect("finished");
        seen.push(deltas::wish(&ctx).await.expect("known"));
    }
    let [full, one, three] = [Pass::Full, Pass::Delta(1), Pass::Delta(3)];
    assert_eq!(seen, [full, one, one, one, one, one, one, three, three]);
}
