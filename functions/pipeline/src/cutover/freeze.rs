//! Whether LeadDesk still stands still after everything was brought over and compared.
//!
//! Asked in three ways, none of which relies on another: a whole reading by the recipe of deltas, held against the one
//! before row by row; the stamps that LeadDesk itself puts on cards, numbers and calls; and some cards, asked for one by
//! one whatever the lists say. What no interface shows is said so. Deliberately absent: trusting that two clocks agree -
//! a stamp behind the freeze counts, whatever else is the same.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use migration::cutover::FreezeEvidence;
use snapshot::tables::{SourceCall, SourceContact, SourceLead};
use snapshot::{Pass, RAW_JSON};

use super::{CutoverError, facts};
use crate::archive;
use crate::context::Context;
use crate::cutovers::{Cutover, FreezeV1};
use crate::deltas::{self, Delta};
use crate::extract::since;
use crate::ports::leaddesk::SourceError;
use crate::source_json::without_withheld;

/// Cards that are asked for one by one; with none changed, fewer than one card in sixteen has (95 %).
const CARDS_MAX: usize = 50;

/// Holds what `probe`, a delta behind the comparison, read and brought over against the freeze, and asks for single cards
/// once more. What changed keeps the certificate from being signed.
pub(super) async fn check(ctx: &Context, open: &Cutover, probe: &Delta) -> Result<FreezeV1, CutoverError> {
    let last = open.delta.as_ref().map_or(0, |delta| delta.number);
    let pass = probe.pass();
    let since = open.begun.frozen_since;
    let mut evidence =
        FreezeEvidence { stamps: stamps(ctx, pass, since).await?, ..FreezeEvidence::default() };
    let mut requests: BTreeMap<String, u64> = BTreeMap::new();
    for delta in deltas::all(ctx).await?.into_iter().filter(|delta| delta.begun.number > last) {
        for (table, found) in delta.plan.iter().flat_map(|plan| &plan.source) {
            *evidence.tables.entry(table.clone()).or_default() += found.values().sum::<u64>();
        }
        if let Some(done) = &delta.done {
            evidence.written +=
                ["created", "updated", "appended"].iter().map(|it| done.count(it)).sum::<u64>();
            for (kind, count) in &done.requests {
                *requests.entry(kind.clone()).or_default() += count;
            }
        }
    }
    let drawn = cards(ctx, pass).await?;
    evidence.cards = drawn.len() as u64;
    for (id, raw) in &drawn {
        evidence.cards_changed += u64::from(!is_same(ctx, id, raw).await?);
    }
    Ok(FreezeV1 {
        at: ctx.clock.now(),
        since,
        delta: probe.begun.number,
        changes: evidence.changes(),
        looked: looked(&evidence, probe.begun.number),
        unseen: unseen(ctx, pass).await?,
        requests,
        tables: evidence.tables,
        stamps: evidence.stamps,
        cards: evidence.cards,
        cards_changed: evidence.cards_changed,
    })
}

/// Stamps of LeadDesk behind the freeze.
async fn stamps(ctx: &Context, pass: Pass, since: Timestamp) -> Result<BTreeMap<String, u64>, CutoverError> {
    let mut stamps = since::stamps_behind(&ctx.reading(pass), since).await?;
    let calls = archive::open::<SourceCall>(ctx, &ctx.run, pass).await?;
    let calls = calls.without(&[RAW_JSON]).map_err(archive::ArchiveError::from)?;
    let mut behind = 0;
    for call in calls {
        behind += u64::from(call.map_err(archive::ArchiveError::from)?.created_at > since);
    }
    stamps.insert("calls".to_owned(), behind);
    Ok(stamps)
}

/// Cards of contacts that are in a list, spread evenly over all of these, as they were read last. One in no list may be
/// deleted since long, and is known by its calls alone.
async fn cards(ctx: &Context, pass: Pass) -> Result<Vec<(String, String)>, CutoverError> {
    let mut listed = BTreeSet::new();
    let leads = archive::open::<SourceLead>(ctx, &ctx.run, pass).await?;
    for lead in leads.without(&[RAW_JSON]).map_err(archive::ArchiveError::from)? {
        listed.insert(lead.map_err(archive::ArchiveError::from)?.leaddesk_contact_id);
    }
    let every = listed.len().div_ceil(CARDS_MAX).max(1);
    let (mut drawn, mut place) = (Vec::new(), 0_usize);
    for row in archive::open::<SourceContact>(ctx, &ctx.run, pass).await? {
        let row = row.map_err(archive::ArchiveError::from)?;
        if listed.contains(&row.leaddesk_contact_id) {
            if place.is_multiple_of(every) {
                drawn.push((row.leaddesk_contact_id, row.raw_json));
            }
            place += 1;
        }
    }
    Ok(drawn)
}

async fn is_same(ctx: &Context, id: &str, raw: &str) -> Result<bool, CutoverError> {
    let now = match ctx.source.contact(id).await {
        Ok(now) => now,
        Err(SourceError::NotFound { .. }) => return Ok(false),
        Err(error) => return Err(error.into()),
    };
    // What may not be kept was taken out of the card when it was read.
    let Ok(now) = without_withheld(&now) else { return Ok(false) };
    let read = |text: &str| serde_json::from_str::<serde_json::Value>(text).ok();
    Ok(read(&now).is_some_and(|now| Some(now) == read(raw)))
}

fn looked(evidence: &FreezeEvidence, delta: u32) -> Vec<String> {
    vec![
        format!(
            "delta {delta} read LeadDesk once more after the comparison, every list and every export anew, and held it against \
             the reading before, row by row"
        ),
        "the stamps of every card, number and call were held against the moment of the freeze".to_owned(),
        format!("{} cards, spread evenly, were asked for one by one whatever the lists say", evidence.cards),
    ]
}

/// What no interface shows, for this account.
async fn unseen(ctx: &Context, pass: Pass) -> Result<Vec<String>, CutoverError> {
    let mut unseen = vec![
        "contacts that are in no list: no interface lists them".to_owned(),
        "changes of a card that move no stamp and no column of an export, beside the cards that were asked for".to_owned(),
        "settings of the dialer, LeadApps and rights of users: no interface shows when they change".to_owned(),
        "times of LeadDesk are to the second and without a zone: a change in the very second of the freeze can go unseen"
            .to_owned(),
    ];
    if facts::has_call_log(ctx, pass).await? {
        unseen.push(
            "calls that are not in the operator's call log: the export shows only that a number was called, so a log that ends \
             before the freeze hides what was said"
                .to_owned(),
        );
    }
    if facts::chats_of(ctx, pass).await?.is_some() {
        unseen.push(
            "chatbot conversations after the end of the operator's export: no interface tells them"
                .to_owned(),
        );
    }
    Ok(unseen)
}
