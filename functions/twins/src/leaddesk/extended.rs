//! Commands whose modules exist on the vendor's page but whose names and shapes are assumed.
//!
//! Deliberately absent: reliance on them. A whole migration must pass without.

use serde::Serialize;

use crate::generate::Stamp;
use crate::leaddesk::answer::Answer;
use crate::leaddesk::original::{Context, Refusal};

/// The most rows that one page of the blacklist holds, and its default.
const BLACKLIST_PAGE_MAX: u32 = 1_000;

#[derive(Serialize)]
struct ResultItem<'a> {
    id: String,
    name: &'a str,
    campaign_id: String,
    #[serde(rename = "type")]
    kind: &'a str,
}

/// Outcomes; `campaign_id` is `0` for global ones.
pub(crate) fn list_results(context: &Context<'_>) -> Result<Answer, Refusal> {
    let items = context.account.outcomes().map(|(outcome, campaign)| ResultItem {
        id: outcome.id.to_string(),
        name: &outcome.name,
        campaign_id: campaign.map_or(0, |campaign| campaign.id).to_string(),
        kind: outcome.kind,
    });
    Ok(Answer::json(&items.collect::<Vec<_>>()))
}

#[derive(Serialize)]
struct CampaignItem<'a> {
    id: String,
    name: &'a str,
    sponsor: &'a str,
    office: &'a str,
    active: bool,
    created_at: Stamp,
}

/// Campaigns with what the REST collection does not show.
pub(crate) fn list_campaigns(context: &Context<'_>) -> Result<Answer, Refusal> {
    let items = context.account.campaigns().map(|campaign| CampaignItem {
        id: campaign.id.to_string(),
        name: &campaign.name,
        sponsor: campaign.sponsor.as_deref().unwrap_or_default(),
        office: campaign.office.as_deref().unwrap_or_default(),
        active: !campaign.disabled,
        created_at: campaign.created_at,
    });
    Ok(Answer::json(&items.collect::<Vec<_>>()))
}

#[derive(Serialize)]
struct BlacklistItem<'a> {
    number: &'a str,
    sponsor: &'a str,
    created_at: Stamp,
}

/// A page of the blacklist, in the order of upload; `sponsor` is empty for global entries.
pub(crate) fn list_blacklist(context: &Context<'_>) -> Result<Answer, Refusal> {
    let offset = context.number("offset")?.unwrap_or(0);
    let limit = context.number("limit")?.unwrap_or(BLACKLIST_PAGE_MAX);
    if !(1..=BLACKLIST_PAGE_MAX).contains(&limit) {
        return Err(Refusal::invalid("limit"));
    }
    let page = context.account.blacklist().iter().skip(offset as usize).take(limit as usize);
    let items = page.map(|entry| BlacklistItem {
        number: &entry.number,
        sponsor: entry.sponsor.as_deref().unwrap_or_default(),
        created_at: entry.created_at,
    });
    Ok(Answer::json(&items.collect::<Vec<_>>()))
}

#[derive(Serialize)]
struct FieldItem<'a> {
    campaign_id: String,
    slot: String,
    label: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
    values: &'a [&'a str],
}

/// Labels of the custom slots of every campaign.
pub(crate) fn list_custom_fields(context: &Context<'_>) -> Result<Answer, Refusal> {
    let items = context.account.fields().map(|(campaign, field)| FieldItem {
        campaign_id: campaign.id.to_string(),
        slot: format!("other{}", field.slot),
        label: field.label,
        kind: field.kind.text(),
        values: field.values,
    });
    Ok(Answer::json(&items.collect::<Vec<_>>()))
}
