//! Loading in dependency order, in batches; how many requests it needs at the least, and how long the account's bucket
//! makes that last.
//!
//! The floor counts requests that cannot be saved while every field of every record is read back:
//! * one creation for each tag, field, team, customer and ticket; one more for a customer with custom values, since
//!   creation takes none; one for each message beyond the 500 that a ticket creation carries, and for each file;
//! * two writes for each rule, setting and webhook that is switched off for the run: off and on;
//! * lists by pages of 100 before and after; and one read of each written customer, because lists show neither its
//!   channels nor its values (facts: list item of a customer);
//! * messages by pages of 100 over the whole account, or ticket by ticket, whichever is fewer.
//!
//! Deliberately absent: retries, look-ups after faults, and every request that a careless order would add; and the records
//! themselves: a batch names a range of the sorted keys of its wave.

use std::collections::BTreeMap;
use std::fmt;
use std::num::NonZeroUsize;
use std::ops::Range;
use std::time::Duration;

use crate::gorgias::MESSAGES_PER_TICKET_CREATE_MAX;
use crate::pacer::Bucket;
use crate::settings::choice;

choice! {
    /// A step of loading. No wave opens before the one before it has a good verdict.
    Wave {
        /// Customers, since tickets hang on them.
        Customers = "customers",
        /// Leads and calls without lead, with their messages.
        Tickets = "tickets",
        /// Chatbot conversations.
        Chats = "chats",
    }
}

/// The unit of work: a half-open range of the wave's sorted keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// Its wave.
    pub wave: Wave,
    /// Counts the batches of the wave from zero; derived, so a plan made again gives the same.
    pub number: u32,
    /// Places among the wave's sorted keys; never empty.
    pub keys: Range<usize>,
}

impl fmt::Display for Batch {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}/{:06}", self.wave.as_str(), self.number)
    }
}

/// Cuts `keys` sorted keys into batches of `size`; the last may be smaller. No keys, no batches.
#[must_use]
pub fn plan_batches(wave: Wave, keys: usize, size: NonZeroUsize) -> Vec<Batch> {
    (0_u32..)
        .zip((0..keys).step_by(size.get()))
        .map(|(number, from)| Batch { wave, number, keys: from..keys.min(from.saturating_add(size.get())) })
        .collect()
}

/// All batches of a run, in the order of loading.
#[must_use]
pub fn plan_waves(keys: &BTreeMap<Wave, usize>, size: NonZeroUsize) -> Vec<Batch> {
    keys.iter().flat_map(|(wave, keys)| plan_batches(*wave, *keys, size)).collect()
}

/// Entries of one page of a list (facts: paging).
pub const PAGE_LENGTH: u64 = 100;

/// What is written, and what is there already. Records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Users in Gorgias.
    pub users: u64,
    /// Teams before.
    pub teams_before: u64,
    /// Teams created.
    pub teams_created: u64,
    /// Tags before.
    pub tags_before: u64,
    /// Tags created.
    pub tags_created: u64,
    /// Ticket fields before, archived ones included.
    pub ticket_fields_before: u64,
    /// Customer fields before, archived ones included.
    pub customer_fields_before: u64,
    /// Fields created or reactivated.
    pub fields_written: u64,
    /// Rules before.
    pub rules_before: u64,
    /// Integrations before.
    pub integrations_before: u64,
    /// Rules, webhooks and settings that are switched off for the run and on again.
    pub switched: u64,
    /// Customers before.
    pub customers_before: u64,
    /// Customers created.
    pub customers_created: u64,
    /// Existing customers that are filled up: each is read before and written once.
    pub customers_adopted: u64,
    /// Of both, those with custom values.
    pub customers_with_values: u64,
    /// Tickets before.
    pub tickets_before: u64,
    /// Tickets created.
    pub tickets_created: u64,
    /// Messages before, over all tickets.
    pub messages_before: u64,
    /// Messages created, first ones included.
    pub messages_created: u64,
    /// Of these, the ones that do not fit into their ticket's creation.
    pub messages_appended: u64,
    /// Files that are uploaded for them.
    pub files_uploaded: u64,
}

/// Requests by kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Forecast {
    /// Reads before the first write: account, caller, settings, and one pass over every list.
    pub baseline: u64,
    /// Tags, fields, teams, and switching off and on.
    pub schema: u64,
    /// Customers: creation, values, reads and changes of adopted ones.
    pub customers: u64,
    /// Tickets, appended messages and the files of both.
    pub tickets: u64,
    /// Reading back.
    pub read_back: u64,
}

impl Forecast {
    /// All requests.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.baseline + self.schema + self.customers + self.tickets + self.read_back
    }
}

/// Requests for the account itself: the account, who we are, the settings.
const ACCOUNT_READS: u64 = 3;

/// Pages of a list; the first page is read even when the list is empty.
#[must_use]
pub fn pages(records: u64) -> u64 {
    records.div_ceil(PAGE_LENGTH).max(1)
}

/// Messages of a ticket that creation does not take.
#[must_use]
pub fn appended(messages: u64) -> u64 {
    messages.saturating_sub(u64::try_from(MESSAGES_PER_TICKET_CREATE_MAX).unwrap_or(u64::MAX))
}

/// Whether reading all messages of the account is cheaper than reading them ticket by ticket.
#[must_use]
pub fn read_messages_by_account(counts: &Counts) -> bool {
    pages(counts.messages_before + counts.messages_created) <= counts.tickets_created
}

/// The fewest requests with which this can be written and proven.
#[must_use]
pub fn requests_floor(counts: &Counts) -> Forecast {
    let baseline = ACCOUNT_READS
        + pages(counts.users)
        + pages(counts.teams_before)
        + pages(counts.tags_before)
        + pages(counts.ticket_fields_before)
        + pages(counts.customer_fields_before)
        + pages(counts.rules_before)
        + pages(counts.integrations_before)
        + pages(counts.customers_before)
        + pages(counts.tickets_before);
    let schema = counts.tags_created + counts.fields_written + counts.teams_created + 2 * counts.switched;
    let customers = counts.customers_created + 2 * counts.customers_adopted + counts.customers_with_values;
    let tickets = counts.tickets_created + counts.messages_appended + counts.files_uploaded;
    let messages = if counts.tickets_created == 0 {
        0
    } else if read_messages_by_account(counts) {
        pages(counts.messages_before + counts.messages_created)
    } else {
        counts.tickets_created
    };
    // At most 25 fields of a type are active, so new ones add no page to either list.
    let read_back = pages(counts.teams_before + counts.teams_created)
        + pages(counts.tags_before + counts.tags_created)
        + pages(counts.ticket_fields_before)
        + pages(counts.customer_fields_before)
        + pages(counts.customers_before + counts.customers_created)
        + pages(counts.tickets_before + counts.tickets_created)
        + counts.customers_created
        + counts.customers_adopted
        + messages;
    Forecast { baseline, schema, customers, tickets, read_back }
}

/// Time that the bucket makes `requests` last at the least: a full bucket at once, the rest at the leak rate.
#[must_use]
pub fn bound(requests: u64, bucket: &Bucket) -> Duration {
    Duration::try_from_secs_f64(bound_seconds(requests, bucket)).unwrap_or(Duration::MAX)
}

/// [`bound`] in seconds.
#[must_use]
pub fn bound_seconds(requests: u64, bucket: &Bucket) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "request counts stay far below 2^52")]
    let requests = requests as f64;
    let burst = f64::from(bucket.capacity) * (1.0 - bucket.reserve);
    (requests - burst).max(0.0) / bucket.sustained_per_second()
}

/// Time bound over time taken, 0 to 1; 1 when nothing bounds.
#[must_use]
pub fn efficiency(bound: Duration, elapsed: Duration) -> f64 {
    if elapsed <= bound { 1.0 } else { bound.as_secs_f64() / elapsed.as_secs_f64() }
}
