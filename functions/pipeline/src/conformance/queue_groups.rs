//! What every queue must keep about groups and duplicates.

use std::collections::BTreeSet;
use std::time::Duration;

use super::queue::{QueueUnderTest, came};
use super::{Verdict, demand};

/// Well within and well beyond the five minutes in which duplicates are forgotten.
const WITHIN: Duration = Duration::from_secs(290);
const BEYOND: Duration = Duration::from_secs(20);

pub(super) async fn deduplicates(bench: &QueueUnderTest) -> Verdict {
    bench.send("g", "id").await?;
    bench.send("g", "id").await?;
    bench.send_body("g", "id", "another body".to_owned()).await?;
    let only = bench.take_one().await?;
    came(&only, "id", 1)?;
    bench.delete(&only).await?;
    bench.takes_nothing("although it is a duplicate").await?;
    bench.pass(WITHIN).await;
    bench.send("g", "id").await?;
    bench.takes_nothing("although it is a duplicate of a message that is done").await?;
    bench.pass(BEYOND).await;
    bench.send("g", "id").await?;
    came(&bench.take_one().await?, "id", 1)
}

pub(super) async fn keeps_order(bench: &QueueUnderTest) -> Verdict {
    let sent: Vec<String> = (0..25).map(|number| format!("message-{number}")).collect();
    for id in &sent {
        bench.send("g", id).await?;
    }
    for expected in &sent {
        let delivery = bench.take_one().await?;
        came(&delivery, expected, 1)?;
        bench.delete(&delivery).await?;
    }
    bench.takes_nothing("beyond what was sent").await
}

pub(super) async fn blocks_the_group(bench: &QueueUnderTest) -> Verdict {
    bench.send("g", "first").await?;
    bench.send("g", "second").await?;
    let first = bench.take_one().await?;
    came(&first, "first", 1)?;
    bench.takes_nothing("while the message before it is out").await?;
    bench.send("g", "third").await?;
    bench.takes_nothing("while a message of its group is out").await?;
    bench.delete(&first).await?;
    came(&bench.take_one().await?, "second", 1)
}

pub(super) async fn redelivers_in_order(bench: &QueueUnderTest) -> Verdict {
    bench.send("g", "first").await?;
    bench.send("g", "second").await?;
    came(&bench.take_one().await?, "first", 1)?;
    bench.pass_deadline().await;
    let again = bench.take_one().await?;
    came(&again, "first", 2)?;
    bench.delete(&again).await?;
    came(&bench.take_one().await?, "second", 1)
}

pub(super) async fn lets_others_flow(bench: &QueueUnderTest) -> Verdict {
    for group in ["a", "b", "c"] {
        for number in 1..=2 {
            bench.send(group, &format!("{group}{number}")).await?;
        }
    }
    let out = bench.take(3).await?;
    let bodies: BTreeSet<&str> = out.iter().map(|delivery| delivery.body.as_str()).collect();
    demand(bodies == BTreeSet::from(["a1", "b1", "c1"]), || format!("{bodies:?}"))?;
    bench.takes_nothing("while every group has a message out").await?;
    let done = out.iter().find(|delivery| delivery.group == "b").ok_or("no message of b")?;
    bench.delete(done).await?;
    came(&bench.take_one().await?, "b2", 1)?;
    bench.send("d", "d1").await?;
    came(&bench.take_one().await?, "d1", 1)
}

pub(super) async fn frees_the_group(bench: &QueueUnderTest) -> Verdict {
    bench.send("g", "poison").await?;
    bench.send("g", "next").await?;
    bench.wear_out().await?;
    let next = bench.take_one().await?;
    came(&next, "next", 1)?;
    bench.delete(&next).await?;
    let dead = bench.dead().await?;
    demand(dead.len() == 1 && dead.iter().all(|letter| letter.body == "poison"), || format!("{dead:?}"))
}
