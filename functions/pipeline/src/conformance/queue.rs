//! What every queue must keep about single messages.

use std::sync::Arc;
use std::time::Duration;

use super::{NotPassed, Passed, Suite, Verdict, demand, made, queue_groups, told};
use crate::ports::clock::Clock;
use crate::ports::queue::{BODY_BYTES_MAX, DeadLetter, Delivery, Outgoing, Queue, QueueError};

/// How long a receive may take until what is visible must have come.
const PATIENCE: Duration = Duration::from_secs(1);
/// Deadlines are met within this much of the queue's own time.
const SLACK: Duration = Duration::from_secs(1);
/// Shorter visibilities would run out within a check.
const VISIBILITY_MIN: Duration = Duration::from_secs(20);

/// A new and empty queue, its settings, and the time it lives in.
#[derive(Clone)]
pub struct QueueUnderTest {
    /// The queue.
    pub queue: Arc<dyn Queue>,
    /// Sleeping on it lets time pass for the queue: at once where time is virtual, really where the queue is elsewhere.
    pub clock: Arc<dyn Clock>,
    /// Time after which a message comes back, at least 20 s.
    pub visibility: Duration,
    /// Deliveries after which a message is put aside, at least 2.
    pub receives_max: u32,
    /// Checks that an emulator behind the adapter cannot pass, by name; they do not count as passed.
    pub left_out: &'static [&'static str],
}

/// Holds a queue to the promises of [`Queue`]. `make` gives a new and empty one each time.
///
/// # Errors
/// [`NotPassed`]: the first promise that is not kept, or why the suite did not run.
pub async fn queue(make: impl AsyncFn() -> Result<QueueUnderTest, String>) -> Result<Passed, NotPassed> {
    let shape = made(&make).await?;
    if shape.visibility < VISIBILITY_MIN || shape.receives_max < 2 {
        let why = "the suite needs a visibility of at least 20 s and two deliveries".to_owned();
        return Err(NotPassed::NotRun { why });
    }
    let mut suite = Suite::default();
    macro_rules! check {
        ($name:literal, $work:path) => {{
            if !shape.left_out.contains(&$name) {
                let bench = made(&make).await?;
                suite.check($name, Box::pin($work(&bench))).await?;
            }
        }};
    }
    check!("a message is delivered as it was sent", delivers);
    check!("an empty queue answers after the wait", waits);
    check!("what was deleted does not come back", forgets_deleted);
    check!("what was not deleted comes back after its deadline, not before", redelivers);
    check!("a receive that waits gets what becomes visible", wakes_up);
    check!("a receipt ends with its deadline", ends_receipts);
    check!("an unknown receipt is refused", refuses_unknown_receipts);
    check!("a longer deadline holds", extends);
    check!("no deadline gives the message back at once", gives_back);
    check!("a message that came too often is put aside", buries);
    check!("dead letters stand in the order of their end", orders_dead_letters);
    check!("a message done at the last delivery is no dead letter", spares_finished);
    check!("bodies end at the limit", bounds_bodies);
    check!("no receive gives more than asked for", bounds_receives);
    check!("one deduplication id is one message for five minutes", queue_groups::deduplicates);
    check!("a group comes in order", queue_groups::keeps_order);
    check!("a message that is out holds its group back", queue_groups::blocks_the_group);
    check!("a message that comes back comes before its followers", queue_groups::redelivers_in_order);
    check!("other groups flow", queue_groups::lets_others_flow);
    check!("a dead letter frees its group", queue_groups::frees_the_group);
    Ok(suite.passed())
}

impl QueueUnderTest {
    /// Sends a message whose body is its deduplication id.
    pub(super) async fn send(&self, group: &str, id: &str) -> Verdict {
        self.send_body(group, id, id.to_owned()).await
    }

    pub(super) async fn send_body(&self, group: &str, id: &str, body: String) -> Verdict {
        let message = Outgoing { group: group.to_owned(), deduplication_id: id.to_owned(), body };
        self.queue.send(message).await.map_err(|error| told("send", &error))
    }

    /// Exactly so many messages, in as many receives as it takes.
    pub(super) async fn take(&self, wanted: usize) -> Result<Vec<Delivery>, String> {
        let mut all = Vec::new();
        while all.len() < wanted {
            let more = self.queue.receive(10, PATIENCE).await.map_err(|error| told("receive", &error))?;
            demand(!more.is_empty(), || format!("{} messages came, {wanted} are there", all.len()))?;
            all.extend(more);
        }
        demand(all.len() == wanted, || format!("{} messages came, {wanted} are there: {all:?}", all.len()))?;
        Ok(all)
    }

    pub(super) async fn take_one(&self) -> Result<Delivery, String> {
        self.take(1).await?.pop().ok_or_else(|| "no message".to_owned())
    }

    /// Nothing is visible now.
    pub(super) async fn takes_nothing(&self, when: &str) -> Verdict {
        let found = self.queue.receive(10, Duration::ZERO).await.map_err(|error| told("receive", &error))?;
        demand(found.is_empty(), || format!("delivered {when}: {found:?}"))
    }

    pub(super) async fn delete(&self, delivery: &Delivery) -> Verdict {
        self.queue.delete(&delivery.receipt).await.map_err(|error| told("delete", &error))
    }

    pub(super) async fn extend(&self, delivery: &Delivery, timeout: Duration) -> Verdict {
        self.queue.extend(&delivery.receipt, timeout).await.map_err(|error| told("extend", &error))
    }

    pub(super) async fn pass(&self, time: Duration) {
        self.clock.sleep(time).await;
    }

    /// The deadline of everything that is out now passes.
    pub(super) async fn pass_deadline(&self) {
        self.pass(self.visibility + SLACK).await;
    }

    pub(super) async fn dead(&self) -> Result<Vec<DeadLetter>, String> {
        self.queue.dead_letters().await.map_err(|error| told("dead_letters", &error))
    }

    /// Receives the only message until it is put aside.
    pub(super) async fn wear_out(&self) -> Verdict {
        for _ in 0..self.receives_max {
            self.take_one().await?;
            self.pass_deadline().await;
        }
        Ok(())
    }
}

pub(super) fn came(delivery: &Delivery, body: &str, receive_count: u32) -> Verdict {
    demand(delivery.body == body && delivery.receive_count == receive_count, || {
        format!("{delivery:?} instead of {body:?}, delivery {receive_count}")
    })
}

async fn delivers(bench: &QueueUnderTest) -> Verdict {
    let body = r#"{"what":"ä 🙂 \u0000"}"#;
    bench.send_body("acme/load", "id-1", body.to_owned()).await?;
    let delivery = bench.take_one().await?;
    came(&delivery, body, 1)?;
    demand(delivery.group == "acme/load" && !delivery.receipt.is_empty(), || format!("{delivery:?}"))
}

async fn waits(bench: &QueueUnderTest) -> Verdict {
    bench.takes_nothing("by an empty queue").await?;
    let before = bench.clock.elapsed_nanoseconds();
    let wait = Duration::from_secs(2);
    let found = bench.queue.receive(10, wait).await.map_err(|error| told("receive", &error))?;
    let waited = Duration::from_nanos(bench.clock.elapsed_nanoseconds() - before);
    demand(found.is_empty() && waited <= wait + SLACK, || format!("{found:?} after {waited:?}"))
}

async fn forgets_deleted(bench: &QueueUnderTest) -> Verdict {
    bench.send("g", "m").await?;
    bench.delete(&bench.take_one().await?).await?;
    bench.takes_nothing("after its deletion").await?;
    bench.pass_deadline().await;
    bench.takes_nothing("after its deletion and deadline").await?;
    demand(bench.dead().await?.is_empty(), || "a deleted message is a dead letter".to_owned())
}

async fn redelivers(bench: &QueueUnderTest) -> Verdict {
    bench.send("g", "m").await?;
    let first = bench.take_one().await?;
    came(&first, "m", 1)?;
    bench.takes_nothing("at once for a second time").await?;
    bench.pass(bench.visibility - 5 * SLACK).await;
    bench.takes_nothing("before its deadline").await?;
    bench.pass(6 * SLACK).await;
    let second = bench.take_one().await?;
    came(&second, "m", 2)?;
    demand(first.receipt != second.receipt, || "two deliveries have one receipt".to_owned())
}

async fn wakes_up(bench: &QueueUnderTest) -> Verdict {
    bench.send("g", "m").await?;
    let first = bench.take_one().await?;
    bench.extend(&first, 3 * SLACK).await?;
    let found = bench.queue.receive(10, 6 * SLACK).await.map_err(|error| told("receive", &error))?;
    let [second] = &found[..] else { return Err(format!("{found:?} came within the wait")) };
    came(second, "m", 2)
}

async fn ends_receipts(bench: &QueueUnderTest) -> Verdict {
    bench.send("g", "m").await?;
    let first = bench.take_one().await?;
    bench.pass_deadline().await;
    expired(bench, &first.receipt, "after its deadline").await?;
    let second = bench.take_one().await?;
    came(&second, "m", 2)?;
    expired(bench, &first.receipt, "while somebody else has the message").await?;
    bench.takes_nothing("although it is out").await?;
    bench.delete(&second).await
}

async fn expired(bench: &QueueUnderTest, receipt: &str, when: &str) -> Verdict {
    let refused = |outcome: Result<(), QueueError>, action: &str| match outcome {
        Err(QueueError::ReceiptExpired) => Ok(()),
        other => Err(format!("{action} by a receipt {when}: {other:?}")),
    };
    refused(bench.queue.delete(receipt).await, "delete")?;
    refused(bench.queue.extend(receipt, Duration::ZERO).await, "extend")
}

async fn refuses_unknown_receipts(bench: &QueueUnderTest) -> Verdict {
    bench.send("g", "m").await?;
    expired(bench, "never given", "that was never given").await?;
    let delivery = bench.take_one().await?;
    bench.delete(&delivery).await?;
    expired(bench, &delivery.receipt, "of a deleted message").await
}

async fn extends(bench: &QueueUnderTest) -> Verdict {
    bench.send("g", "m").await?;
    let first = bench.take_one().await?;
    for _ in 0..3 {
        bench.pass(bench.visibility / 2).await;
        bench.extend(&first, bench.visibility).await?;
    }
    bench.takes_nothing("although its deadline was put off").await?;
    // A shorter deadline is possible as well.
    bench.extend(&first, 5 * SLACK).await?;
    bench.pass(6 * SLACK).await;
    came(&bench.take_one().await?, "m", 2)
}

async fn gives_back(bench: &QueueUnderTest) -> Verdict {
    bench.send("g", "m").await?;
    let first = bench.take_one().await?;
    bench.extend(&first, Duration::ZERO).await?;
    came(&bench.take_one().await?, "m", 2)?;
    expired(bench, &first.receipt, "that was given back").await
}

async fn buries(bench: &QueueUnderTest) -> Verdict {
    bench.send("g", "m").await?;
    for count in 1..=bench.receives_max {
        came(&bench.take_one().await?, "m", count)?;
        demand(bench.dead().await?.is_empty(), || format!("put aside during delivery {count}"))?;
        bench.pass_deadline().await;
    }
    bench.takes_nothing("after the last delivery").await?;
    let dead = bench.dead().await?;
    let [letter] = &dead[..] else { return Err(format!("dead letters: {dead:?}")) };
    demand(letter.group == "g" && letter.body == "m", || format!("{letter:?}"))?;
    // They stay, and reading them takes nothing away.
    bench.pass_deadline().await;
    demand(bench.dead().await? == dead, || "the dead letters have changed".to_owned())
}

async fn orders_dead_letters(bench: &QueueUnderTest) -> Verdict {
    for body in ["first", "second", "third"] {
        bench.send(body, body).await?;
        bench.wear_out().await?;
        // It may be put aside no sooner than somebody asks for messages.
        bench.takes_nothing("after its last delivery").await?;
    }
    let bodies: Vec<String> = bench.dead().await?.into_iter().map(|letter| letter.body).collect();
    demand(bodies == ["first", "second", "third"], || format!("{bodies:?}"))
}

async fn spares_finished(bench: &QueueUnderTest) -> Verdict {
    bench.send("g", "m").await?;
    for _ in 1..bench.receives_max {
        bench.take_one().await?;
        bench.pass_deadline().await;
    }
    let last = bench.take_one().await?;
    came(&last, "m", bench.receives_max)?;
    bench.delete(&last).await?;
    bench.pass_deadline().await;
    demand(bench.dead().await?.is_empty(), || "it was put aside although it was done".to_owned())
}

async fn bounds_bodies(bench: &QueueUnderTest) -> Verdict {
    // Two bytes a character: the limit counts bytes.
    let longest = "ä".repeat(BODY_BYTES_MAX / 2);
    bench.send_body("g", "longest", longest.clone()).await?;
    let longer = format!("{longest}.");
    let message = Outgoing { group: "g".to_owned(), deduplication_id: "longer".to_owned(), body: longer };
    match bench.queue.send(message).await {
        Err(QueueError::TooLarge { bytes }) if bytes == BODY_BYTES_MAX + 1 => {}
        other => return Err(format!("a body above the limit: {other:?}")),
    }
    let delivery = bench.take_one().await?;
    demand(delivery.body == longest, || format!("a body of {} bytes came", delivery.body.len()))?;
    bench.delete(&delivery).await?;
    bench.takes_nothing("although it was too long").await?;
    // What was refused has not used up its deduplication id.
    bench.send("g", "longer").await?;
    came(&bench.take_one().await?, "longer", 1)
}

async fn bounds_receives(bench: &QueueUnderTest) -> Verdict {
    let wanted = 60;
    for number in 0..wanted {
        bench.send(&format!("group-{number}"), &format!("message-{number}")).await?;
    }
    let mut bodies = std::collections::BTreeSet::new();
    for limit in (1..=10).cycle().take(2 * wanted) {
        let found =
            bench.queue.receive(limit, Duration::ZERO).await.map_err(|error| told("receive", &error))?;
        demand(found.len() <= limit, || format!("{} messages came, {limit} were asked for", found.len()))?;
        for delivery in found {
            demand(delivery.receive_count == 1, || format!("{delivery:?}"))?;
            bodies.insert(delivery.body);
        }
    }
    demand(bodies.len() == wanted, || format!("{} of {wanted} messages came", bodies.len()))
}
