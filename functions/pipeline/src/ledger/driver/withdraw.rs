//! What an owner does with answers that come after another has taken over.
//!
//! The new owner may have looked before our request took effect, found nothing and written the record again. Only we know
//! the id of ours, so we wait for its receipt: if that names another record, ours is put into the trash, or noted where
//! there is no trash. Deliberately absent: removing anything for good, and writing to the log, which is not ours any more.

use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::Action;
use crate::context::Context;
use crate::ledger::key::draw_nonce;
use crate::ledger::request::Request;
use crate::ledger::stored::key_text;
use crate::ledger::timing::Moment;
use crate::ledger::{Ledger, LedgerError};
use crate::ports::store::Key;

/// Pause between two looks at the new owner's receipts.
const PAUSE: Duration = Duration::from_secs(5);

/// A write that took effect although another owner had taken over.
pub(super) struct Late {
    pub(super) action: Action,
    pub(super) id: u64,
}

/// What became of such a record, kept beside the log for the final look for duplicates.
#[derive(Serialize, Deserialize)]
#[serde(tag = "version")]
enum StoredOrphan {
    #[serde(rename = "1")]
    V1 {
        key: String,
        /// Ours.
        dest_id: u64,
        /// The new owner's; absent when it had no receipt in time.
        kept: Option<u64>,
        /// Ours is in the trash.
        is_trashed: bool,
    },
}

/// Waits for the new owner's receipts and withdraws what is there twice; says how many records that were.
pub(super) async fn run(ctx: &Context, ledger: &Ledger, late: Vec<Late>) -> Result<u64, LedgerError> {
    let timing = ledger.timing();
    let patience = timing.hold + timing.request_life + 2 * timing.visibility;
    let deadline = Moment::now(&*ctx.clock).after(patience);
    let mut open: Vec<Late> =
        late.into_iter().filter(|late| late.action.request.target().is_none()).collect();
    let mut withdrawn = 0;
    while !open.is_empty() {
        let book = ledger.reread(ctx).await?;
        let is_last = Moment::now(&*ctx.clock) >= deadline;
        let mut left = Vec::new();
        for late in open {
            match book.destination(&late.action.key) {
                Some(kept) if kept == late.id => {}
                Some(kept) => {
                    let is_trashed = trash(ctx, &late).await;
                    note(ctx, ledger, &late, Some(kept), is_trashed).await?;
                    withdrawn += u64::from(is_trashed);
                }
                None if is_last => note(ctx, ledger, &late, None, false).await?,
                None => left.push(late),
            }
        }
        open = left;
        if !open.is_empty() {
            ctx.clock.sleep(PAUSE).await;
        }
    }
    Ok(withdrawn)
}

/// Only tickets have a trash. What cannot be withdrawn now is found by the look for duplicates.
async fn trash(ctx: &Context, late: &Late) -> bool {
    if !matches!(late.action.request, Request::CreateTicket(_)) {
        return false;
    }
    let id = migration::gorgias::TicketId(late.id);
    ctx.destination.set_ticket_trashed(id, Some(ctx.clock.now())).await.is_ok()
}

async fn note(
    ctx: &Context,
    ledger: &Ledger,
    late: &Late,
    kept: Option<u64>,
    is_trashed: bool,
) -> Result<(), LedgerError> {
    let orphan = StoredOrphan::V1 { key: key_text(&late.action.key), dest_id: late.id, kept, is_trashed };
    let bytes = serde_json::to_vec(&orphan).map_err(LedgerError::Encode)?;
    let name = format!("{}/orphans/{}-{}", ledger.folder(), late.id, draw_nonce());
    let key = Key::new(name).map_err(LedgerError::AccountName)?;
    ctx.store.put_new(&key, Bytes::from(bytes)).await.map_err(LedgerError::Store)?;
    Ok(())
}
