//! A few contacts of every list, evenly spaced: what their slots look like.
//!
//! The answers are stored as pages, so that the proposal can be made again from the same values.

use std::collections::BTreeMap;

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream};
use migration::fields::{ContactField, Scope, ScopeMap, SlotKey, SlotStatistics};
use migration::leaddesk::{ListId, Slot};

use crate::context::Context;
use crate::extract::contact::ContactRows;
use crate::extract::contacts;
use crate::extract::error::ExtractError;
use crate::extract::pages;
use crate::extract::seen::Seen;
use crate::transform::records;

/// Contacts of one list that are looked at.
pub const SAMPLES_PER_LIST_MAX: usize = 200;
/// Contacts that are looked at in all: bounds the requests of discovery on accounts with many lists.
pub const SAMPLES_MAX: usize = 2_000;

fn page_name(list_id: &str) -> String {
    format!("samples/{list_id}.ndjson")
}

/// At most `count` of the ids, evenly spaced, first and last included.
#[must_use]
pub fn evenly(ids: &[u64], count: usize) -> Vec<u64> {
    if ids.len() <= count {
        return ids.to_vec();
    }
    match count {
        0 => Vec::new(),
        1 => vec![ids[0]],
        _ => (0..count).map(|number| ids[number * (ids.len() - 1) / (count - 1)]).collect(),
    }
}

/// How many of every list: all lists alike, within both bounds.
#[must_use]
pub fn share(lists: usize) -> usize {
    SAMPLES_PER_LIST_MAX.min(SAMPLES_MAX / lists.max(1)).max(1)
}

/// Reads the samples of one list unless they are stored. Returns how many contacts were asked for.
///
/// # Errors
/// What LeadDesk or the store say.
pub async fn read(ctx: &Context, list_id: &str, ids: &[u64]) -> Result<u64, ExtractError> {
    let count = u64::try_from(ids.len()).unwrap_or(0);
    if pages::load(ctx, &page_name(list_id)).await?.is_some() {
        return Ok(count);
    }
    let fetched_at = ctx.clock.now();
    let lines: Vec<String> = stream::iter(ids.iter().copied())
        .map(|id| contacts::line(ctx, id))
        .buffered(ctx.limits.source_in_flight.max(1))
        .try_collect()
        .await?;
    let mut body = lines.join("\n");
    body.push('\n');
    pages::store(ctx, &page_name(list_id), fetched_at, Bytes::from(body)).await?;
    Ok(count)
}

/// Id and answer of every contact of the list that was looked at; no answer for one that LeadDesk did not give.
///
/// # Errors
/// What the store says.
pub(crate) async fn answers(ctx: &Context, list: &str) -> Result<Vec<(u64, Option<String>)>, ExtractError> {
    let name = page_name(list);
    let Some(page) = pages::load(ctx, &name).await? else { return Ok(Vec::new()) };
    let broken = || ExtractError::StoredPage { key: name.clone() };
    let answer = |line: Option<&str>| line.and_then(contacts::answer_of).ok_or_else(broken);
    page.lines().map(answer).collect()
}

/// What the stored samples show.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Samples {
    /// Values of the slots, by slot and scope.
    pub slots: BTreeMap<SlotKey, SlotStatistics>,
    /// Values of the fields that every card has.
    pub card: BTreeMap<ContactField, SlotStatistics>,
    /// Contacts that were looked at, by the scope of their list.
    pub looked_at: BTreeMap<Scope, u64>,
}

/// Reads the stored samples.
///
/// # Errors
/// What the store says.
pub async fn statistics(
    ctx: &Context,
    lists: impl IntoIterator<Item = ListId>,
    scopes: &ScopeMap,
) -> Result<Samples, ExtractError> {
    let mut samples = Samples::default();
    for list in lists {
        let name = page_name(&list.to_string());
        let Some(page) = pages::load(ctx, &name).await? else { continue };
        let seen = Seen::new(page.fetched_at, name.clone());
        let scope = scopes.scope(list);
        for line in page.lines() {
            let broken = || ExtractError::StoredPage { key: name.clone() };
            let Ok(rows) =
                contacts::parse_line(line.ok_or_else(broken)?, &ctx.mapping, &seen).ok_or_else(broken)?
            else {
                continue;
            };
            samples.observe(scope, rows);
        }
    }
    Ok(samples)
}

impl Samples {
    fn observe(&mut self, scope: Scope, rows: ContactRows) {
        *self.looked_at.entry(scope).or_default() += 1;
        for value in rows.values {
            let slot = u8::try_from(value.slot_number).ok().and_then(Slot::new);
            let Some(slot) = slot else { continue };
            self.slots.entry(SlotKey { slot, scope }).or_default().observe(&value.value_raw);
        }
        let Ok(contact) = records::contact(rows.contact, Vec::new()) else { return };
        for field in ContactField::ALL.iter().copied() {
            if let Some(value) = field.value(&contact) {
                self.card.entry(field).or_default().observe(value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_reach_from_end_to_end() {
        let ids: Vec<u64> = (1..=1_000).collect();
        let chosen = evenly(&ids, 200);
        assert_eq!((chosen.len(), chosen.first(), chosen.last()), (200, Some(&1), Some(&1_000)));
        assert!(chosen.windows(2).all(|pair| pair[1] - pair[0] >= 5));
        assert_eq!(evenly(&ids, 1), [1]);
        assert_eq!(evenly(&ids[..3], 200), [1, 2, 3]);
        assert_eq!((share(0), share(3), share(100), share(100_000)), (200, 200, 20, 1));
    }
}
