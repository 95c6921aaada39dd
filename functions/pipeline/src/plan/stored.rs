//! The plan as it stands in the store.

use migration::load_plan::{Counts, Forecast};
use serde::{Deserialize, Serialize};

use crate::wave::Wave;

/// A load plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "version")]
pub enum StoredPlan {
    /// First form.
    #[serde(rename = "1")]
    V1(PlanV1),
}

/// Contents of a plan, first form.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlanV1 {
    /// Subdomain of the destination.
    pub account: String,
    /// SHA-256 over the baseline's manifests.
    pub baseline: String,
    /// In order.
    pub waves: Vec<WaveV1>,
    /// What is written and what is there.
    pub counts: CountsV1,
    /// Requests by kind.
    pub forecast: ForecastV1,
    /// The fewest requests with which this can be written and proven.
    pub requests_floor: u64,
    /// The account's rate limit.
    pub bucket: BucketV1,
    /// Seconds that the rate limit makes the floor last.
    pub bound_seconds: f64,
}

/// A wave of the plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaveV1 {
    /// `customers`, `leads`, `chats`.
    pub name: String,
    /// Customers or tickets that belong to it, written or not.
    pub records: u64,
    /// Writes that are due.
    pub writes: u64,
    /// Open tickets, which come first.
    #[serde(default, skip_serializing_if = "crate::run_folder::is_zero")]
    pub open: u64,
    /// Tickets after which agents can start: the open ones and those of the last thirty days.
    #[serde(default, skip_serializing_if = "crate::run_folder::is_zero")]
    pub first: u64,
    /// In the order of loading.
    pub batches: Vec<BatchV1>,
}

/// Neighbours in the order of loading: open tickets first, then the newest; customers as their tickets come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchV1 {
    /// From 1.
    pub number: u64,
    /// First key, shortened to its kind and id; numbers of persons are left out.
    pub first: String,
    /// Last key, likewise.
    pub last: String,
    /// Records in it.
    pub records: u64,
}

/// Rate limit of the account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BucketV1 {
    /// Requests that a full bucket takes.
    pub capacity: u32,
    /// Time in which it drains.
    pub window_milliseconds: u64,
}

/// Requests by kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForecastV1 {
    /// Reads before the first write.
    pub baseline: u64,
    /// Tags, fields, teams, switches.
    pub schema: u64,
    /// Customers.
    pub customers: u64,
    /// Tickets and appended messages.
    pub tickets: u64,
    /// Reading back.
    pub read_back: u64,
    /// Reading tickets and messages once more, because a later wave of tickets opens on the verdict of the earlier.
    #[serde(default)]
    pub gates: u64,
}

/// Records that are written, and that are there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CountsV1 {
    /// Customers before.
    pub customers_before: u64,
    /// Customers to create.
    pub customers_created: u64,
    /// Existing customers to fill up.
    pub customers_adopted: u64,
    /// Customers with custom values to write.
    pub customers_with_values: u64,
    /// Tickets before.
    pub tickets_before: u64,
    /// Tickets to create.
    pub tickets_created: u64,
    /// Messages before, as far as lists told.
    pub messages_before: u64,
    /// Messages to create.
    pub messages_created: u64,
    /// Of these, the ones beyond a ticket's creation.
    pub messages_appended: u64,
    /// Files that are uploaded for messages.
    #[serde(default, skip_serializing_if = "crate::run_folder::is_zero")]
    pub files_uploaded: u64,
    /// Tags that were created.
    pub tags_created: u64,
    /// Fields that were created or reactivated.
    pub fields_written: u64,
    /// Teams that were created.
    pub teams_created: u64,
    /// Rules, settings and webhooks that are switched off.
    pub switched: u64,
}

pub(super) fn counts(counts: &Counts) -> CountsV1 {
    CountsV1 {
        customers_before: counts.customers_before,
        customers_created: counts.customers_created,
        customers_adopted: counts.customers_adopted,
        customers_with_values: counts.customers_with_values,
        tickets_before: counts.tickets_before,
        tickets_created: counts.tickets_created,
        messages_before: counts.messages_before,
        messages_created: counts.messages_created,
        messages_appended: counts.messages_appended,
        files_uploaded: counts.files_uploaded,
        tags_created: counts.tags_created,
        fields_written: counts.fields_written,
        teams_created: counts.teams_created,
        switched: counts.switched,
    }
}

pub(super) fn forecast(forecast: &Forecast, gates: u64) -> ForecastV1 {
    let Forecast { baseline, schema, customers, tickets, read_back } = *forecast;
    ForecastV1 { baseline, schema, customers, tickets, read_back, gates }
}

impl PlanV1 {
    /// One wave; empty when the plan does not name it.
    #[must_use]
    pub fn wave(&self, wave: Wave) -> WaveV1 {
        let found = self.waves.iter().find(|planned| planned.name == wave.as_str());
        found.cloned().unwrap_or_else(|| WaveV1::empty(wave.as_str()))
    }

    /// Waves that have records, in order.
    #[must_use]
    pub fn waves_with_records(&self) -> Vec<Wave> {
        Wave::ALL.into_iter().filter(|wave| self.wave(*wave).records > 0).collect()
    }
}

impl WaveV1 {
    pub(super) fn empty(name: &str) -> Self {
        Self { name: name.to_owned(), records: 0, writes: 0, open: 0, first: 0, batches: Vec::new() }
    }

    /// Adds the next record in the order of loading.
    pub(super) fn add(&mut self, key: &str, writes: u64, batch_records: u64) {
        self.records += 1;
        self.writes += writes;
        let key = shown(key);
        match self.batches.last_mut() {
            Some(batch) if batch.records < batch_records => {
                batch.records += 1;
                batch.last = key;
            }
            _ => {
                let number = self.batches.len() as u64 + 1;
                self.batches.push(BatchV1 { number, first: key.clone(), last: key, records: 1 });
            }
        }
    }
}

/// A key as a plan may show it: a plan holds no number of a person.
fn shown(key: &str) -> String {
    match key.split_once(":number:") {
        Some((kind, number)) => {
            let digest = crate::ledger::key::sha256_hex(number.as_bytes());
            format!("{kind}:number:sha256={}", &digest[..12])
        }
        None => key.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_are_full_but_the_last_and_hold_no_number() {
        let mut wave = WaveV1::empty("customers");
        for key in ["leaddesk:contact:1", "leaddesk:contact:2", "leaddesk:number:+358401234567"] {
            wave.add(key, 2, 2);
        }
        assert_eq!((wave.records, wave.writes), (3, 6));
        let sizes: Vec<u64> = wave.batches.iter().map(|batch| batch.records).collect();
        assert_eq!(sizes, [2, 1]);
        assert_eq!(wave.batches[0].last, "leaddesk:contact:2");
        assert!(!wave.batches[1].first.contains("358"), "{}", wave.batches[1].first);
    }
}
