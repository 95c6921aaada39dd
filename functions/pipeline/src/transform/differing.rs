//! Two readings of LeadDesk, compared by key and row hash: the keys of what differs.
//!
//! Deliberately absent: what follows from it (see [`changed`](super::changed)).

use std::collections::{BTreeMap, BTreeSet};

use migration::leaddesk::ContactId;
use snapshot::diff::{self, KeyDifference, Kind};
use snapshot::tables::{
    SourceAgent, SourceBlacklist, SourceCall, SourceCampaign, SourceChatMessage, SourceContact,
    SourceConversation, SourceFieldValue, SourceLead, SourceList, SourceOutcome, SourceRecording,
};
use snapshot::{Row as _, TableSchema, ValueBuf};

use super::error::TransformError;
use crate::archive;
use crate::context::Context;
use crate::extract;
use crate::extract::since::Since;

/// Share of a table, in percent, that may vanish between two readings before a person is asked.
const VANISHED_PERCENT_MAX: f64 = 1.0;
/// Share of a table, in percent, that may change.
const CHANGED_PERCENT_MAX: f64 = 20.0;
/// Below this many, a share says nothing.
const ROWS_MIN: u64 = 20;
/// Code of the finding that too much vanished.
pub(super) const MUCH_VANISHED: &str = migration::finding::DEL101_MUCH_VANISHED.as_str();
/// Code of the finding that too much changed.
pub(super) const MUCH_CHANGED: &str = migration::finding::DEL102_MUCH_CHANGED.as_str();

/// What differs between two readings, by keys.
#[derive(Debug, Default)]
pub(super) struct Differing {
    /// Contacts that came, went, or have another card, slot or lead.
    pub(super) contacts: BTreeSet<ContactId>,
    /// Of these, those whose cards are there in the new reading and are not as they were.
    pub(super) cards: BTreeSet<ContactId>,
    /// Calls that are new or told in another way.
    pub(super) calls: BTreeSet<String>,
    /// Of these, those that were told before.
    pub(super) told_before: BTreeSet<String>,
    /// Conversations that are new or told in another way.
    pub(super) conversations: BTreeSet<String>,
    pub(super) counts: BTreeMap<String, BTreeMap<String, u64>>,
    /// A table that every record may depend on differs.
    is_shape_changed: bool,
}

impl Differing {
    pub(super) fn is_empty(&self) -> bool {
        self.contacts.is_empty()
            && self.calls.is_empty()
            && self.conversations.is_empty()
            && !self.is_shape_changed
    }
}

/// Compares all tables.
pub(super) async fn differing(ctx: &Context, since: &Since) -> Result<Differing, TransformError> {
    let mut out = Differing::default();
    for table in extract::tables(ctx) {
        compare(ctx, since, table, &mut out).await?;
    }
    Ok(out)
}

/// Compares one table by key and row hash.
async fn compare(
    ctx: &Context,
    since: &Since,
    table: &'static TableSchema,
    out: &mut Differing,
) -> Result<(), TransformError> {
    let old = archive::manifest(ctx, &ctx.run, since.base.pass, table).await?;
    let new = archive::manifest(ctx, &ctx.run, ctx.pass, table).await?;
    let Some((old, new)) = old.zip(new) else { return Ok(()) };
    if old.content_digest == new.content_digest && old.rows == new.rows {
        return Ok(());
    }
    let rows = old.rows;
    let old = archive::opened(&since.base, &ctx.run, since.base.pass, table).await?;
    let new = archive::opened(ctx, &ctx.run, ctx.pass, table).await?;
    let (found, counts) = tokio::task::spawn_blocking(move || diff::keys(&old, &new)).await??;
    check(ctx, table, counts.removed, counts.added + counts.changed, rows)?;
    let named = [("added", counts.added), ("removed", counts.removed), ("changed", counts.changed)];
    let named = named.into_iter().filter(|(_, count)| *count > 0);
    out.counts.insert(table.name.to_owned(), named.map(|(name, count)| (name.to_owned(), count)).collect());
    for difference in &found {
        take(table, difference, out);
    }
    Ok(())
}

/// Deletions by mistake, a mapping that drifted, a file of another account: a person has to look first.
fn check(
    ctx: &Context,
    table: &'static TableSchema,
    vanished: u64,
    changed: u64,
    rows: u64,
) -> Result<(), TransformError> {
    let is_weighed = [SourceContact::SCHEMA, SourceLead::SCHEMA, SourceCall::SCHEMA].contains(&table);
    #[expect(clippy::cast_precision_loss, reason = "counts of records stay far below 2^52")]
    let is_above =
        |count: u64, percent: f64| count > ROWS_MIN && count as f64 * 100.0 / rows.max(1) as f64 > percent;
    let is_accepted = |code: &str| ctx.limits.accepted_findings.iter().any(|accepted| accepted == code);
    if is_weighed && is_above(vanished, VANISHED_PERCENT_MAX) && !is_accepted(MUCH_VANISHED) {
        return Err(TransformError::MuchVanished { table: table.name, vanished, rows });
    }
    // More calls are what a call log is for.
    let is_changed = table != SourceCall::SCHEMA && is_above(changed, CHANGED_PERCENT_MAX);
    if is_weighed && is_changed && !is_accepted(MUCH_CHANGED) {
        return Err(TransformError::MuchChanged { table: table.name, changed, rows });
    }
    Ok(())
}

fn take(table: &'static TableSchema, difference: &KeyDifference, out: &mut Differing) {
    let KeyDifference { kind, key } = difference;
    let is_gone = *kind == Kind::Removed;
    let text = |at: usize| match key.get(at) {
        Some(ValueBuf::Text(text)) => text.clone(),
        _ => String::new(),
    };
    let contact = |at: usize| text(at).parse::<ContactId>().ok();
    if table == SourceContact::SCHEMA {
        out.contacts.extend(contact(0));
        if !is_gone {
            out.cards.extend(contact(0));
        }
    } else if table == SourceFieldValue::SCHEMA {
        out.contacts.extend(contact(0));
    } else if table == SourceLead::SCHEMA {
        out.contacts.extend(contact(1));
    } else if table == SourceCall::SCHEMA || table == SourceRecording::SCHEMA {
        // A call that is not told any more stays where it is.
        if !is_gone {
            out.calls.insert(text(0));
            if table == SourceRecording::SCHEMA || *kind == Kind::Changed {
                out.told_before.insert(text(0));
            }
        }
    } else if table == SourceConversation::SCHEMA || table == SourceChatMessage::SCHEMA {
        out.conversations.insert(text(0));
    } else if [SourceAgent::SCHEMA, SourceCampaign::SCHEMA, SourceList::SCHEMA, SourceOutcome::SCHEMA]
        .contains(&table)
        || table == SourceBlacklist::SCHEMA
    {
        out.is_shape_changed = true;
    }
}
