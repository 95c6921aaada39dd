//! The day on which the data of a migration is deleted, as it was decided: who, when, on which ground. The newest counts.
//!
//! Deliberately absent: deleting. Nothing in the store is ever removed by this program.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::run_folder::{self, DocumentError};

/// Days after a cut-over, unless another day is named.
pub const KEPT_DAYS: i32 = 30;

/// The stored form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "version")]
enum StoredDeletion {
    #[serde(rename = "1")]
    V1(DeletionV1),
}

/// A decision, first form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeletionV1 {
    /// The day.
    pub day: Date,
    /// Who decided; nothing where nobody is named.
    pub by: Option<String>,
    /// When.
    pub at: Timestamp,
    /// It was named, and does not follow from the cut-over.
    pub is_named: bool,
}

/// The day so many days after a moment.
#[must_use]
pub fn day_after(at: Timestamp, days: i32) -> Date {
    let day = at.to_zoned(TimeZone::UTC).date();
    day.checked_add(days.days()).unwrap_or(day)
}

/// Records a decision. One that says the same as the newest leaves no trace.
///
/// # Errors
/// [`DocumentError`].
pub async fn decide(
    ctx: &Context,
    day: Date,
    by: Option<&str>,
    is_named: bool,
) -> Result<DeletionV1, DocumentError> {
    let newest = newest(ctx).await?;
    if let Some(held) = newest.filter(|held| held.day == day && held.by.as_deref() == by) {
        return Ok(held);
    }
    let decision = DeletionV1 { day, by: by.map(str::to_owned), at: ctx.clock.now(), is_named };
    run_folder::append(ctx, "deletion", 4, &StoredDeletion::V1(decision.clone())).await?;
    Ok(decision)
}

/// The decision that counts.
///
/// # Errors
/// [`DocumentError`].
pub async fn newest(ctx: &Context) -> Result<Option<DeletionV1>, DocumentError> {
    let Some(newest) = ctx.store.list(&ctx.run_key("deletion")?).await?.pop() else { return Ok(None) };
    let StoredDeletion::V1(decision) = run_folder::need(ctx, &newest).await?;
    Ok(Some(decision))
}
