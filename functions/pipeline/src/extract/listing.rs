//! A REST collection read page by page until the ids add up to what LeadDesk announces.
//!
//! Pages shift when somebody adds or removes an object meanwhile, so a listing that does not add up is read again from
//! the start, a few times, and never taken as it is (facts: REST resources).

use std::collections::BTreeMap;

use bytes::Bytes;

use super::error::ExtractError;
use super::pages::{self, Page};
use super::seen::canonical_id;
use crate::context::Context;
use crate::ports::leaddesk::{REST_PAGE_ITEMS, RestPage, SourceError};
use crate::source_json::{SourceObject, without_withheld};

/// Times that a listing is read before its counts are believed to be wrong.
const READINGS_MAX: u32 = 3;
/// Pages of one listing at most: ten million objects.
const PAGES_MAX: u32 = 100_000;

/// A collection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Collection {
    /// REST `/users`.
    Users,
    /// REST `/campaigns`.
    Campaigns,
}

impl Collection {
    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Users => "users",
            Self::Campaigns => "campaigns",
        }
    }

    async fn page(self, ctx: &Context, number: u32) -> Result<RestPage, SourceError> {
        match self {
            Self::Users => ctx.source.users(number).await,
            Self::Campaigns => ctx.source.campaigns(number).await,
        }
    }
}

/// The stored listing, read now unless an earlier start did: one redacted object a line, in order of id.
///
/// # Errors
/// [`ExtractError::CountDiffers`] when the ids do not add up, [`ExtractError::Source`] and what the store says.
pub async fn stored(ctx: &Context, collection: Collection) -> Result<Page, ExtractError> {
    let name = format!("{}.ndjson", collection.name());
    if let Some(page) = pages::load(ctx, &name).await? {
        return Ok(page);
    }
    let fetched_at = ctx.clock.now();
    let items = read(ctx, collection).await?;
    let mut body = String::new();
    for item in items.values() {
        body.push_str(item);
        body.push('\n');
    }
    pages::store(ctx, &name, fetched_at, Bytes::from(body)).await
}

/// Objects by id, withheld values gone. Objects without an id count too, by their text; whoever reads them puts them aside.
pub type Items = BTreeMap<(u64, String), String>;

/// Reads a collection until it adds up.
///
/// # Errors
/// As [`stored`].
pub async fn read(ctx: &Context, collection: Collection) -> Result<Items, ExtractError> {
    let mut last = (0, 0);
    for _ in 0..READINGS_MAX {
        let (announced, items) = read_once(ctx, collection).await?;
        let found = u64::try_from(items.len()).unwrap_or(u64::MAX);
        if found == announced {
            return Ok(items);
        }
        last = (announced, found);
    }
    Err(ExtractError::CountDiffers { what: collection.name(), announced: last.0, found: last.1 })
}

async fn read_once(ctx: &Context, collection: Collection) -> Result<(u64, Items), ExtractError> {
    let what = collection.name();
    let mut items = BTreeMap::new();
    let mut announced = 0;
    for number in 1..=PAGES_MAX {
        let page = pages::ask(ctx, what, collection.page(ctx, number)).await?;
        announced = page.announced;
        let length = page.items.len();
        for item in page.items {
            let item = without_withheld(&item).map_err(|_| ExtractError::ItemShape { what })?;
            let id = SourceObject::parse(&item)
                .ok()
                .and_then(|object| canonical_id(&object.text("id")?)?.parse().ok());
            let key = match id {
                Some(id) => (id, String::new()),
                None => (0, item.clone()),
            };
            items.insert(key, item);
        }
        let is_complete = u64::try_from(items.len()).unwrap_or(u64::MAX) >= announced;
        // A short page in the middle is not the end as long as objects are missing; an empty one cannot go on.
        if is_complete
            || length == 0
            || (length < REST_PAGE_ITEMS as usize && number > pages_needed(announced))
        {
            break;
        }
    }
    Ok((announced, items))
}

fn pages_needed(announced: u64) -> u32 {
    u32::try_from(announced.div_ceil(u64::from(REST_PAGE_ITEMS))).unwrap_or(u32::MAX)
}
