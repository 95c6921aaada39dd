//! Acknowledgements that data may leave the European Economic Area: who, when, for which places and records.
//!
//! They belong to the migration, not to one run, and each names the very places that it covers. Deliberately absent:
//! judging whether the ground that somebody gives is one.

use jiff::Timestamp;
use migration::residency::{self, WayOut};
use migration::text::clean_line;
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::documents::inventory::Inventory;
use crate::ports::store::{InvalidKey, Key, Put};
use crate::run_folder::{self, DocumentError};

/// Folder of the migration that holds them.
const FOLDER: &str = "mappings/acknowledged";
/// Acknowledgements of one migration at most; a bound for the search for a free number.
const NUMBERS_MAX: u32 = 10_000;

/// Who answers for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Acknowledgement {
    /// Ways out of the area that it covers, as [`WayOut`] is shown.
    pub ways: Vec<String>,
    /// Who.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// Which records, in words.
    pub scope: String,
    /// Legal ground, in words.
    pub basis: Option<String>,
}

/// The stored form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "version")]
enum StoredAcknowledgement {
    #[serde(rename = "1")]
    V1(Acknowledgement),
}

/// Why work that would move data out of the area does not begin, or why nothing was recorded.
#[derive(Debug, thiserror::Error)]
pub enum ResidencyError {
    /// Nobody acknowledged it.
    #[error("contacts of the EU would leave it, and nobody has acknowledged that: {}", ways(.0))]
    Open(Vec<WayOut>),
    /// Nothing would leave the area.
    #[error(
        "there is nothing to acknowledge: no data of the EU would leave it, or all of it is acknowledged"
    )]
    NothingOpen,
    /// Who or what is empty.
    #[error("an acknowledgement needs {what}")]
    Empty {
        /// What is missing.
        what: &'static str,
    },
    /// There are too many.
    #[error("there are more than {NUMBERS_MAX} acknowledgements")]
    TooMany,
    /// The store.
    #[error("cannot read or keep an acknowledgement")]
    Document(#[from] DocumentError),
}

fn ways(ways: &[WayOut]) -> String {
    ways.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

impl ResidencyError {
    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Open(_) => "DIS205",
            Self::NothingOpen | Self::Empty { .. } | Self::TooMany => "RES101",
            Self::Document(_) => "STO101",
        }
    }
}

fn key(ctx: &Context, number: u32) -> Result<Key, InvalidKey> {
    ctx.key(&format!("{FOLDER}/{number:04}.json"))
}

/// All of them, in order.
///
/// # Errors
/// What the store says.
pub async fn acknowledged(ctx: &Context) -> Result<Vec<Acknowledgement>, DocumentError> {
    let mut found = Vec::new();
    for number in 1..=NUMBERS_MAX {
        match run_folder::get(ctx, &key(ctx, number)?).await? {
            Some(StoredAcknowledgement::V1(one)) => found.push(one),
            None => break,
        }
    }
    Ok(found)
}

/// Ways out that nobody has acknowledged.
///
/// # Errors
/// What the store says.
pub async fn open(ctx: &Context) -> Result<Vec<WayOut>, DocumentError> {
    let found = acknowledged(ctx).await?;
    let named = found.iter().flat_map(|one| one.ways.iter().map(String::as_str));
    Ok(residency::open_ways(&ctx.limits.stated.places, named))
}

/// Whether the source holds people whom the law of the area protects: by the account's own country, or by numbers that
/// discovery saw.
#[must_use]
pub fn is_concerned(ctx: &Context, inventory: Option<&Inventory>) -> bool {
    residency::is_inside(ctx.mapping.region)
        || inventory.is_some_and(|inventory| inventory.overview.numbers_inside_eea > 0)
}

/// Lets work begin that moves data to the destination.
///
/// # Errors
/// [`ResidencyError::Open`].
pub async fn check(ctx: &Context, inventory: Option<&Inventory>) -> Result<(), ResidencyError> {
    if !is_concerned(ctx, inventory) {
        return Ok(());
    }
    let open = open(ctx).await?;
    if open.is_empty() { Ok(()) } else { Err(ResidencyError::Open(open)) }
}

/// Lets discovery begin, which keeps samples of contacts in the store.
///
/// # Errors
/// [`ResidencyError::Open`], with the store alone.
pub(crate) async fn check_store(ctx: &Context) -> Result<(), ResidencyError> {
    if !residency::is_inside(ctx.mapping.region) {
        return Ok(());
    }
    let mut open = open(ctx).await?;
    open.retain(|way| matches!(way, WayOut::Store(_)));
    if open.is_empty() { Ok(()) } else { Err(ResidencyError::Open(open)) }
}

/// Records that somebody answers for every way out that is open now.
///
/// # Errors
/// [`ResidencyError`]; nothing is recorded then.
pub async fn acknowledge(
    ctx: &Context,
    by: &str,
    scope: &str,
    basis: Option<&str>,
) -> Result<Acknowledgement, ResidencyError> {
    let filled = |what, text: &str| match clean_line(text) {
        text if text.is_empty() => Err(ResidencyError::Empty { what }),
        text => Ok(text),
    };
    let (by, scope) = (filled("a name", by)?, filled("a scope", scope)?);
    let basis = basis.map(clean_line).filter(|text| !text.is_empty());
    let ways: Vec<String> = open(ctx).await?.iter().map(ToString::to_string).collect();
    if ways.is_empty() {
        return Err(ResidencyError::NothingOpen);
    }
    let acknowledgement = Acknowledgement { ways, by, at: ctx.clock.now(), scope, basis };
    let stored = StoredAcknowledgement::V1(acknowledgement.clone());
    for number in 1..=NUMBERS_MAX {
        let key = key(ctx, number).map_err(DocumentError::from)?;
        if run_folder::put(ctx, &key, &stored).await? == Put::Created {
            return Ok(acknowledgement);
        }
    }
    Err(ResidencyError::TooMany)
}

#[cfg(test)]
mod tests {
    use migration::residency::{Place, Places};

    use super::*;
    use crate::testing::{Account, World};

    fn at(world: &World, store: &str, destination: &str) -> Context {
        let mut ctx = world.context();
        let place = |text: &str| Place::stated(text).expect("a place");
        ctx.limits.stated.places = Places { store: place(store), destination: place(destination) };
        ctx
    }

    #[tokio::test]
    async fn data_stays_until_somebody_answers_for_the_very_places() {
        let world = World::new(Account::default());
        let ctx = at(&world, "FI", "US");
        let refused = check(&ctx, None).await.expect_err("nobody acknowledged it");
        assert_eq!(refused.code(), "DIS205");
        assert_eq!(
            refused.to_string(),
            "contacts of the EU would leave it, and nobody has acknowledged that: Gorgias account in US"
        );
        // Looking moves nothing to the destination.
        check_store(&ctx).await.expect("the store is inside");
        acknowledge(&ctx, "  ", "all", None).await.expect_err("nobody");
        acknowledge(&ctx, "A. Admin", "", None).await.expect_err("nothing");
        let made =
            acknowledge(&ctx, "A. Admin", "all contacts", Some("contract clauses")).await.expect("recorded");
        assert_eq!(made.ways, ["Gorgias account in US"]);
        check(&ctx, None).await.expect("acknowledged");
        assert!(matches!(acknowledge(&ctx, "A. Admin", "all", None).await, Err(ResidencyError::NothingOpen)));

        // The store moves: that is another way out.
        let moved = at(&world, "US", "US");
        check_store(&moved).await.expect_err("nobody acknowledged this store");
        acknowledge(&moved, "A. Admin", "all contacts", None).await.expect("recorded");
        check(&moved, None).await.expect("both are acknowledged");
        assert_eq!(acknowledged(&moved).await.expect("readable").len(), 2);
    }

    #[tokio::test]
    async fn places_that_nobody_stated_count_as_outside_and_only_where_the_law_applies() {
        let world = World::new(Account::default());
        let mut ctx = world.context();
        ctx.limits.stated = crate::context::Stated::default();
        assert!(matches!(check(&ctx, None).await, Err(ResidencyError::Open(ways)) if ways.len() == 2));
        ctx.mapping.region = "US".parse().expect("a region");
        check(&ctx, None).await.expect("nobody is protected by the law of the area");
        check(&at(&world, "FI", "SE"), None).await.expect("nothing leaves");
    }
}
