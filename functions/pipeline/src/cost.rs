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

/// A run to judge larger ones by.
#[derive(Debug, Clone, Copy)]
pub struct Sample<'a> {
    /// Its turns.
    pub turns: &'a [Turn],
    /// Contacts of its account.
    pub contacts: u64,
    /// Requests to Gorgias.
    pub requests: u64,
}

/// A run over `contacts` contacts at a rate limit of `per_second` requests, judged by a small and a larger run: what both
/// have is fixed, the difference grows with the contacts. Functions that speak to Gorgias wait for it, which is paid.
#[must_use]
pub fn projected(small: Sample<'_>, large: Sample<'_>, contacts: u64, per_second: f64) -> Bill {
    let grown = |small_count: f64, large_count: f64| -> f64 {
        let slope = (large_count - small_count) / float(large.contacts.saturating_sub(small.contacts).max(1));
        (large_count + slope * (float(contacts) - float(large.contacts))).max(0.0)
    };
    let sum = |sample: Sample<'_>, what: &str| -> f64 {
        sample.turns.iter().map(|turn| float(turn.used.get(what).copied().unwrap_or(0))).sum()
    };
    let both = |what: &str| grown(sum(small, what), sum(large, what));
    let mut bill = Bill::default();
    bill.add("store_writes", both("store_writes"), STORE_WRITE);
    bill.add("store_reads", both("store_reads"), STORE_READ);
    bill.add("secret_requests", both("secret_requests"), SECRET_REQUEST);
    let seconds = grown(float(small.requests), float(large.requests)) / per_second.max(0.01);
    bill.add("gigabyte_seconds", seconds * waiting_gigabytes(large.turns), GIGABYTE_SECOND);
    let busy = grown(busy_gigabyte_seconds(small.turns), busy_gigabyte_seconds(large.turns));
    bill.add("gigabyte_seconds", busy, GIGABYTE_SECOND);
    overhead(&mut bill, float(large.turns.len() as u64) + seconds / TURN_SECONDS);
    bill
}

/// A gigabyte in S3 for a month.
const GIGABYTE_MONTH: f64 = 0.023;

/// What a run is expected to do, before it has turns.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Expected {
    /// Reading LeadDesk.
    pub source_seconds: f64,
    /// Reading and writing Gorgias.
    pub gorgias_seconds: f64,
    /// Requests to LeadDesk.
    pub source_requests: u64,
    /// Requests to Gorgias.
    pub gorgias_requests: u64,
    /// Customers and messages.
    pub records: u64,
    /// Bytes that stay in the store.
    pub stored_bytes: u64,
}

/// Memory of the functions, as the template gives it: gigabytes that read LeadDesk, transform, and speak to Gorgias.
const GIGABYTES: [f64; 3] = [0.5, 1.727_539_062_5, 0.25];
/// Records a second that a function transforms and compares; a tenth of what this machine does.
const RECORDS_PER_SECOND: f64 = 2_000.0;
/// Steps of a run, each of which is a turn at least.
const STEPS: f64 = 12.0;
/// Objects that a turn creates and reads beside its work: its record, its lock, what it looks at.
const OBJECTS_OF_A_TURN: (f64, f64) = (20.0, 60.0);
/// Writes that one object of the ledger announces, and answers that one object of a reading keeps.
const WRITES_PER_OBJECT: f64 = 20.0;
/// Tables of a run, with their parts and manifests.
const OBJECTS_OF_TABLES: f64 = 200.0;

/// What a run costs that has not begun. Functions that wait for an answer are paid while they wait.
#[must_use]
pub fn forecast(expected: &Expected) -> Bill {
    let [extract, transform, load] = GIGABYTES;
    let transforming = float(expected.records) / RECORDS_PER_SECOND;
    let waiting = expected.source_seconds + expected.gorgias_seconds;
    let turns = STEPS + (waiting + transforming) / TURN_SECONDS;
    let mut bill = Bill::default();
    let seconds =
        expected.source_seconds * extract + transforming * transform + expected.gorgias_seconds * load;
    bill.add("gigabyte_seconds", seconds, GIGABYTE_SECOND);
    let ledger = float(expected.gorgias_requests + expected.source_requests) / WRITES_PER_OBJECT;
    let (writes, reads) = OBJECTS_OF_A_TURN;
    bill.add("store_writes", ledger + OBJECTS_OF_TABLES + turns * writes, STORE_WRITE);
    // Every turn reads the ledger's newest checkpoint and what came after it.
    bill.add("store_reads", ledger + OBJECTS_OF_TABLES * 4.0 + turns * reads, STORE_READ);
    bill.add("secret_requests", turns * 2.0, SECRET_REQUEST);
    overhead(&mut bill, turns);
    bill.add("storage_gigabyte_months", float(expected.stored_bytes) / 1e9, GIGABYTE_MONTH);
    bill
}

/// Work of a function between its start and the margin before its hard end.
const TURN_SECONDS: f64 = 255.0;

/// Memory of the functions that wait for Gorgias, weighted by their requests.
fn waiting_gigabytes(turns: &[Turn]) -> f64 {
    let used = |turn: &Turn, what: &str| float(turn.used.get(what).copied().unwrap_or(0));
    let requests: f64 = turns.iter().map(|turn| used(turn, "gorgias_requests")).sum();
    let weighted: f64 = turns
        .iter()
        .map(|turn| used(turn, "gorgias_requests") * used(turn, "memory_megabytes") / 1_024.0)
        .sum();
    if requests > 0.0 { weighted / requests } else { 0.0 }
}

/// Of the turns that do not wait for Gorgias.
fn busy_gigabyte_seconds(turns: &[Turn]) -> f64 {
    let used = |turn: &Turn, what: &str| float(turn.used.get(what).copied().unwrap_or(0));
    turns
        .iter()
        .filter(|turn| !speaks_to_gorgias(turn))
        .map(|turn| used(turn, "milliseconds") / 1_000.0 * used(turn, "memory_megabytes") / 1_024.0)
        .sum()
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
    fn what_grows_is_told_from_what_is_fixed_and_waiting_is_paid() {
        // 100 writes are fixed, one more comes with each contact; 1,000 contacts take 2,000 requests.
        let small = [turn(1_000, 512, 200, 200), turn(100, 1_024, 0, 0)];
        let large = [turn(9_000, 512, 1_100, 2_000), turn(1_000, 1_024, 0, 0)];
        let sample = |turns, contacts, requests| Sample { turns, contacts, requests };
        let bill = projected(sample(&small, 100, 200), sample(&large, 1_000, 2_000), 100_000, 2.0);
        let turns = 2.0 + 100_000.0 / TURN_SECONDS;
        close(bill.lines["store_writes"].0, 100_100.0 + 3.0 * turns);
        close(bill.lines["gigabyte_seconds"].0, 100_000.0 * 0.5 + 100.0 + 0.125 * turns);
    }
}
