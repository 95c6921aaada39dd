//! Records that somebody acted on while a delta wrote them, and that hold what we wrote.
//!
//! Gorgias has no conditional writes: a change that falls between our look at a record and our write is gone, and nobody
//! tells what it was. The account's log tells that somebody acted, so a person can look. Deliberately absent: guessing.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use migration::gorgias::{TicketId, UserId};
use serde::{Deserialize, Serialize};
use snapshot::tables::ControlDelta;

use super::rows::as_mend;
use super::work::remark;
use super::{DeltaError, codes};
use crate::context::Context;
use crate::deltas::{BegunV1, DoneV1, ResidueV1};
use crate::evidence::{self, Touched};
use crate::ledger::driver::DriveError;
use crate::ledger::request::{Trace, messages_of};
use crate::ports::gorgias::ReadError;
use crate::reconcile::Scene;
use crate::repair::work::{is_touched, writes_of};
use crate::run_folder;

/// Deed of rows that add a message to a ticket.
const APPEND: &str = "append";
/// The clocks of this machine and of Gorgias may be so far apart.
const CLOCKS_APART: SignedDuration = SignedDuration::from_hours(1);

/// How far the log went before any record was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "version")]
enum StoredLog {
    #[serde(rename = "1")]
    V1 {
        /// The moment of its newest entry, or one before all that count.
        log_from: Timestamp,
    },
}

async fn service_user(ctx: &Context) -> Result<UserId, DeltaError> {
    Ok(ctx.destination.service_user().await?.id)
}

/// Marks how far the log goes; the first start of a delta does so before it looks at any record.
pub(super) async fn log_from(ctx: &Context, begun: &BegunV1) -> Result<Timestamp, DeltaError> {
    let key = ctx.run_key(&format!("delta/{:04}/log.json", begun.number))?;
    if run_folder::get::<StoredLog>(ctx, &key).await?.is_none() {
        let since = begun.at.checked_sub(CLOCKS_APART).unwrap_or(Timestamp::MIN);
        let seen = evidence::since(ctx, service_user(ctx).await?, since).await?;
        let stored = StoredLog::V1 { log_from: seen.until().unwrap_or(since) };
        run_folder::put(ctx, &key, &stored).await?;
    }
    let StoredLog::V1 { log_from } = run_folder::need(ctx, &key).await?;
    Ok(log_from)
}

/// Names them in the watermark.
pub(super) async fn name(
    scene: &Scene<'_>,
    log_from: Timestamp,
    rows: &[ControlDelta],
    done: &mut DoneV1,
) -> Result<(), DeltaError> {
    if rows.iter().all(|row| row.change.is_none() && row.action != APPEND) {
        return Ok(());
    }
    let touched = acted(scene.ctx, log_from).await?;
    let unwritten: BTreeSet<(String, String)> = done
        .residue
        .iter()
        .filter(|left| [codes::CHANGED_SINCE, codes::DELETED, codes::REFUSED].contains(&left.code.as_str()))
        .map(|left| (left.object.clone(), left.gorgias_id.clone()))
        .collect();
    for row in rows.iter().filter(|row| row.change.is_some()) {
        let mend = as_mend(row.clone());
        if unwritten.contains(&(row.object.clone(), row.gorgias_id.clone()))
            || !is_touched(&mend, &touched, log_from)?
        {
            continue;
        }
        let mut is_ours = false;
        for write in writes_of(&mend, &scene.secret).map_err(DriveError::Work)? {
            is_ours |= matches!(write.request.look_up(&*scene.ctx.destination).await?, Trace::Found { .. });
        }
        if is_ours {
            let text = codes::words(codes::OVERTAKEN);
            remark(done, &row.object, &row.external_id, &row.gorgias_id, codes::OVERTAKEN, text);
        }
    }
    name_hidden(scene, log_from, rows, &touched, done).await
}

/// Tickets that show an earlier moment of their last message than the message has: somebody answered between our look at
/// the messages and our write of that moment.
async fn name_hidden(
    scene: &Scene<'_>,
    log_from: Timestamp,
    rows: &[ControlDelta],
    touched: &Touched,
    done: &mut DoneV1,
) -> Result<(), DeltaError> {
    let appended = rows.iter().filter(|row| row.action == APPEND);
    let tickets: BTreeSet<u64> = appended.filter_map(|row| row.gorgias_id.parse().ok()).collect();
    let has_messages = touched.of_kind("TicketMessage").next().is_some();
    for id in tickets {
        if !has_messages && !touched.holds_after("Ticket", id, log_from) {
            continue;
        }
        let raw = match scene.ctx.destination.ticket(TicketId(id)).await {
            Ok(raw) => raw,
            Err(ReadError::NotFound { .. }) => continue,
            Err(error) => return Err(error.into()),
        };
        let held = messages_of(&*scene.ctx.destination, TicketId(id)).await?;
        let last = held.iter().filter_map(|message| message.sent_at).max();
        let key = raw.record.external_id.unwrap_or_default();
        let is_named = |left: &ResidueV1| left.object == "ticket" && left.external_id == key;
        if raw.record.last_message_at < last && !done.residue.iter().any(is_named) {
            let text = codes::words(codes::OVERTAKEN);
            remark(done, "ticket", &key, &id.to_string(), codes::OVERTAKEN, text);
        }
    }
    Ok(())
}

/// Who but us acted on which records since the log was marked.
pub(super) async fn acted(ctx: &Context, log_from: Timestamp) -> Result<Touched, DeltaError> {
    Ok(evidence::since(ctx, service_user(ctx).await?, log_from).await?)
}
