//! What a run in the cloud home costs: what its turns used, times a price table with a date.
//!
//! Prices are those of `us-east-1` without free tiers, in dollars, as AWS publishes them (aws.amazon.com/lambda/pricing,
//! /s3/pricing, /sqs/pricing, /secrets-manager/pricing, /kms/pricing; looked up in November 2026). Deliberately absent: taxes,
//! discounts, Athena, and logs beyond what functions write.

use std::collections::BTreeMap;

use crate::turns::Turn;

/// When the prices were looked up.
pub const PRICES_OF: &str = "2026-11-22, us-east-1";

/// A gigabyte-second of a function on arm64.
const GIGABYTE_SECOND: f64 = 0.000_013_333_4;
/// An invocation.
const INVOCATION: f64 = 0.20 / 1_000_000.0;
/// A PUT, POST or LIST request to S3.
const STORE_WRITE: f64 = 5.0 / 1_000_000.0;
/// A GET or HEAD request to S3.
const STORE_READ: f64 = 0.4 / 1_000_000.0;
/// A request to a FIFO queue.
const QUEUE_REQUEST: f64 = 0.50 / 1_000_000.0;
/// A request to Secrets Manager.
const SECRET_REQUEST: f64 = 0.05 / 10_000.0;
/// Requests to queues that one turn causes outside of its function: the event source receives and deletes its message and
/// that of the conductor, which sends one.
const QUEUE_REQUESTS_OF_A_TURN: u64 = 5;
/// A turn wakes the conductor, which takes this long with this much memory, and lists the store.
const CONDUCTOR: (f64, f64, u64) = (0.5, 0.25, 6);

/// A deployment that does nothing, as `infra/README.md` adds it up: key, two secrets, alarms and a dashboard beyond the free
/// ones, and the pollers of five queues.
pub const IDLE_DOLLARS_A_MONTH: f64 = 9.9;

/// Dollars by service.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Bill {
    /// Quantity and dollars by what is paid for.
    pub lines: BTreeMap<&'static str, (f64, f64)>,
}

impl Bill {
    fn add(&mut self, what: &'static str, quantity: f64, price: f64) {
        let line = self.lines.entry(what).or_default();
        line.0 += quantity;
        line.1 += quantity * price;
    }

    /// All dollars.
    #[must_use]
    pub fn dollars(&self) -> f64 {
        self.lines.values().map(|(_, dollars)| dollars).sum()
    }
}

/// What the turns used.
#[must_use]
pub fn of_turns(turns: &[Turn]) -> Bill {
    let mut bill = Bill::default();
    for turn in turns {
        let used = |name: &str| turn.used.get(name).copied().unwrap_or(0);
        let seconds = float(used("milliseconds")) / 1_000.0;
        let gigabytes = float(used("memory_megabytes")) / 1_024.0;
        bill.add("gigabyte_seconds", seconds * gigabytes, GIGABYTE_SECOND);
        bill.add("store_writes", float(used("store_writes")), STORE_WRITE);
        bill.add("store_reads", float(used("store_reads")), STORE_READ);
        bill.add("queue_requests", float(used("queue_requests")), QUEUE_REQUEST);
        bill.add("secret_requests", float(used("secret_requests")), SECRET_REQUEST);
        overhead(&mut bill, 1.0);
    }
    bill
}

fn overhead(bill: &mut Bill, turns: f64) {
    let (seconds, gigabytes, requests) = CONDUCTOR;
    bill.add("gigabyte_seconds", turns * seconds * gigabytes, GIGABYTE_SECOND);
    bill.add("invocations", turns * 2.0, INVOCATION);
    bill.add("store_writes", turns * float(requests) / 2.0, STORE_WRITE);
    bill.add("store_reads", turns * float(requests) / 2.0, STORE_READ);
    bill.add("queue_requests", turns * float(QUEUE_REQUESTS_OF_A_TURN), QUEUE_REQUEST);
}

/// The same work for `records` records at a rate limit of `per_second` requests, of which the run needed `requests` for
/// `of` records. Functions that speak to Gorgias wait for it, and that is paid; everything else grows with the records.
#[must_use]
pub fn at_the_limit(turns: &[Turn], requests: u64, of: u64, records: u64, per_second: f64) -> Bill {
    let times = float(records) / float(of.max(1));
    let mut bill = Bill::default();
    for (what, (quantity, _)) in of_turns(turns).lines {
        let price = match what {
            "gigabyte_seconds" => continue,
            "store_writes" => STORE_WRITE,
            "store_reads" => STORE_READ,
            "queue_requests" => QUEUE_REQUEST,
            "secret_requests" => SECRET_REQUEST,
            _ => INVOCATION,
        };
        bill.add(what, quantity * times, price);
    }
    let seconds_of = |waits: bool| -> f64 {
        let some = turns.iter().filter(|turn| waits == speaks_to_gorgias(turn));
        some.map(|turn| {
            let used = |name: &str| float(turn.used.get(name).copied().unwrap_or(0));
            used("milliseconds") / 1_000.0 * used("memory_megabytes") / 1_024.0
        })
        .sum()
    };
    // Memory of the functions that wait, weighted by their requests.
    let asked: f64 =
        turns.iter().map(|turn| float(turn.used.get("gorgias_requests").copied().unwrap_or(0))).sum();
    let weighted: f64 = turns
        .iter()
        .map(|turn| {
            let used = |name: &str| float(turn.used.get(name).copied().unwrap_or(0));
            used("gorgias_requests") * used("memory_megabytes") / 1_024.0
        })
        .sum();
    let gigabytes = if asked > 0.0 { weighted / asked } else { 0.0 };
    let waiting = float(requests) * times / per_second.max(0.01) * gigabytes;
    bill.add(
        "gigabyte_seconds",
        seconds_of(false) * times + waiting.max(seconds_of(true) * times),
        GIGABYTE_SECOND,
    );
    bill
}

fn speaks_to_gorgias(turn: &Turn) -> bool {
    turn.used.get("gorgias_requests").is_some_and(|requests| *requests > 0)
}

#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
fn float(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::turns::TurnEnd;

    fn turn(milliseconds: u64, megabytes: u64, writes: u64, requests: u64) -> Turn {
        let used = [
            ("milliseconds", milliseconds),
            ("memory_megabytes", megabytes),
            ("store_writes", writes),
            ("gorgias_requests", requests),
        ];
        let at = jiff::Timestamp::UNIX_EPOCH;
        Turn {
            step: "load/leads".to_owned(),
            began_at: at,
            ended_at: at,
            end: TurnEnd::Done,
            code: None,
            text: None,
            used: used.map(|(name, count)| (name.to_owned(), count)).into(),
        }
    }

    fn close(found: f64, expected: f64) {
        assert!((found - expected).abs() < 1e-9, "{found} instead of {expected}");
    }

    #[test]
    fn a_turn_costs_its_time_its_requests_and_its_messages() {
        let bill = of_turns(&[turn(10_000, 1_024, 100, 0)]);
        close(bill.lines["gigabyte_seconds"].0, 10.0 + 0.125);
        close(bill.lines["store_writes"].0, 103.0);
        close(bill.lines["store_writes"].1, 103.0 * 5e-6);
        close(bill.lines["invocations"].0, 2.0);
        close(bill.dollars(), bill.lines.values().map(|(_, dollars)| dollars).sum());
    }

    #[test]
    fn waiting_for_the_rate_limit_is_paid() {
        // 1,000 records took 200 requests in two seconds with 512 MB; 100,000 take 20,000 requests, which take 10,000 s.
        let turns = [turn(2_000, 512, 10, 200), turn(1_000, 1_024, 10, 0)];
        let bill = at_the_limit(&turns, 200, 1_000, 100_000, 2.0);
        close(bill.lines["gigabyte_seconds"].0, 10_000.0 * 0.5 + 100.0);
        close(bill.lines["store_writes"].0, 26.0 * 100.0);
        // Without a limit only the work itself counts.
        let fast = at_the_limit(&turns, 200, 1_000, 100_000, 1_000_000.0);
        close(fast.lines["gigabyte_seconds"].0, 100.0 + 100.0);
    }
}
