//! Counts of a migration -> requests by step and kind, the hours they take, and when agents can start.
//!
//! The kinds add up to what an undisturbed run sends, care included: fresh records that are looked up, looks for outgoing
//! messages, and what is read when the run ends. Every count may be known, or lie between two bounds. Deliberately absent:
//! the clock, and requests repeated after faults, for which the upper bound leaves room.

use crate::load_plan::{self, Counts, PAGE_LENGTH, pages};
use crate::pacer::Bucket;

/// A count with its bounds; all three are equal where it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Range {
    /// At the least.
    pub low: u64,
    /// Most likely.
    pub likely: u64,
    /// At the most.
    pub high: u64,
}

impl Range {
    /// A count that is known.
    #[must_use]
    pub fn exact(count: u64) -> Self {
        Self { low: count, likely: count, high: count }
    }

    /// A count with a margin on either side.
    #[must_use]
    pub fn around(likely: u64, margin: u64) -> Self {
        Self { low: likely.saturating_sub(margin), likely, high: likely.saturating_add(margin) }
    }

    /// Whether nothing about it is estimated.
    #[must_use]
    pub fn is_exact(&self) -> bool {
        self.low == self.high
    }

    /// Bound by bound.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self { low: self.low + other.low, likely: self.likely + other.likely, high: self.high + other.high }
    }
}

/// How far the true share may be from the one in the sample, in 19 of 20 samples, times the records it is applied to.
///
/// Wilson's interval, which also says something of a share of none or of all; the wider side counts.
#[must_use]
pub fn margin(hits: u64, sample: u64, applied_to: u64) -> u64 {
    if sample == 0 || applied_to == 0 {
        return applied_to;
    }
    let (hits, sample, applied_to) = (float(hits), float(sample), float(applied_to));
    let share = (hits / sample).clamp(0.0, 1.0);
    let square = DEVIATIONS * DEVIATIONS / sample;
    let middle = (share + square / 2.0) / (1.0 + square);
    let spread = share * (1.0 - share) / sample + square / (4.0 * sample);
    let half = DEVIATIONS / (1.0 + square) * spread.sqrt();
    let width = (middle + half - share).max(share - (middle - half));
    whole(width.min(1.0) * applied_to)
}

/// Standard deviations on either side that hold 19 of 20.
const DEVIATIONS: f64 = 1.96;

#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
fn float(count: u64) -> f64 {
    count as f64
}

/// Rounded up.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "shares of counts, not negative")]
fn whole(number: f64) -> u64 {
    number.max(0.0).ceil() as u64
}

/// What the run writes and finds, as far as the forecast needs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Work {
    /// All counts of the load plan.
    pub counts: Counts,
    /// Of the tickets, those of chatbot conversations: a wave of their own.
    pub chat_tickets: u64,
    /// Of the messages, theirs.
    pub chat_messages: u64,
    /// Kinds of things that are switched off: rules, settings, integrations.
    pub switch_kinds: u64,
}

/// Requests of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kind {
    /// The step that sends them.
    pub step: &'static str,
    /// What they are for.
    pub what: &'static str,
    /// How many.
    pub requests: u64,
}

/// Records of a wave that are all looked up in the beginning, and of how many later ones one is.
const FIRST_LOOKED_UP: u64 = 3;
/// One in so many of the later ones.
const RECORDS_PER_LOOK_UP: u64 = 200;
/// Writes between two looks for outgoing messages.
const WRITES_PER_WATCH: u64 = 500;
/// The account itself is read by discovery, and not again.
const READ_BEFORE: u64 = 1;

/// Fresh records that are looked up to learn how long Gorgias takes to show them.
fn look_ups(created: u64) -> u64 {
    created.min(FIRST_LOOKED_UP) + created / RECORDS_PER_LOOK_UP
}

/// Requests of an undisturbed run to Gorgias, by step and kind, in order.
#[must_use]
pub fn requests(work: &Work) -> Vec<Kind> {
    let counts = &work.counts;
    let floor = load_plan::requests_floor(counts);
    let lead_tickets = counts.tickets_created.saturating_sub(work.chat_tickets);
    let lead_messages = counts.messages_created.saturating_sub(work.chat_messages);
    let customer_writes = counts.customers_created + counts.customers_adopted + counts.customers_with_values;
    // Messages and files of leads and chats are not told apart: only leads have files or more than 500 messages.
    let lead_writes = lead_tickets + counts.messages_appended + counts.files_uploaded;
    let care = look_ups(counts.customers_created)
        + look_ups(lead_tickets)
        + look_ups(work.chat_tickets)
        + customer_writes / WRITES_PER_WATCH
        + lead_writes / WRITES_PER_WATCH
        + work.chat_tickets / WRITES_PER_WATCH;
    let customers_back = pages(counts.teams_before + counts.teams_created)
        + pages(counts.tags_before + counts.tags_created)
        + pages(counts.ticket_fields_before)
        + pages(counts.customer_fields_before)
        + pages(counts.customers_before + counts.customers_created)
        + counts.customers_created
        + counts.customers_adopted;
    let kind = |step, what, requests| Kind { step, what, requests };
    vec![
        kind("prepare", "lists as they are", floor.baseline.saturating_sub(READ_BEFORE)),
        kind(
            "prepare",
            "tags, fields, teams",
            counts.tags_created + counts.fields_written + counts.teams_created,
        ),
        kind("prepare", "rules, surveys, webhooks off", counts.switched),
        kind("plan", "customers that are there", counts.customers_adopted),
        kind("load", "customers", counts.customers_created + counts.customers_adopted),
        kind("load", "values of customers", counts.customers_with_values),
        kind("load", "tickets", counts.tickets_created),
        kind("load", "messages beyond 500", counts.messages_appended),
        kind("load", "files", counts.files_uploaded),
        kind("load", "look-ups and watch", care),
        kind("reconcile", "schema and customers", customers_back),
        kind("reconcile", "tickets and messages", tickets_back(counts, lead_tickets, lead_messages, work)),
        kind(
            "finish",
            "switched on again",
            if counts.switched > 0 { counts.switched + work.switch_kinds } else { 0 },
        ),
    ]
}

/// Reading tickets back, once for each of their waves.
fn tickets_back(counts: &Counts, lead_tickets: u64, lead_messages: u64, work: &Work) -> u64 {
    let mut requests = 0;
    let (mut tickets, mut messages) = (0, 0);
    for (of_wave, said) in [(lead_tickets, lead_messages), (work.chat_tickets, work.chat_messages)] {
        if of_wave > 0 {
            tickets += of_wave;
            messages += said;
            let by_account = pages(counts.messages_before + messages);
            requests += pages(counts.tickets_before + tickets) + by_account.min(tickets);
        }
    }
    requests
}

/// Requests after which agents can start: customers are there and proven, and `first` tickets after them.
#[must_use]
pub fn requests_until_start(work: &Work, first: u64) -> u64 {
    let before = |kind: &&Kind| {
        matches!(kind.step, "prepare" | "plan")
            || matches!(kind.what, "customers" | "values of customers" | "schema and customers")
    };
    let kinds = requests(work);
    kinds.iter().filter(before).map(|kind| kind.requests).sum::<u64>() + first
}

/// Seconds that the account's limit makes so many requests last.
#[must_use]
pub fn seconds_at(requests: u64, bucket: &Bucket) -> f64 {
    load_plan::bound_seconds(requests, bucket)
}

/// Name of the limit that rules, for people: `2 requests a second`.
#[must_use]
pub fn limit_in_words(bucket: &Bucket) -> String {
    let rate = (bucket.sustained_per_second() * 100.0).round() / 100.0;
    format!("{rate} requests a second")
}

/// Requests that reading a list of so many entries takes.
#[must_use]
pub fn list_requests(entries: u64) -> u64 {
    entries.div_ceil(PAGE_LENGTH).max(1)
}
