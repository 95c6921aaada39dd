//! LeadApps as JSON, and the taxonomy of outcomes.

use migration::text::clean_line;
use snapshot::tables::SourceOutcome;

use super::material::Material;
use super::{HandoffError, Sheet};
use crate::report::cell::Table;

/// Configurations of LeadApps as received, in order; values that never leave the source were withheld at extraction.
pub(super) fn lead_apps(material: &Material) -> Result<Sheet, HandoffError> {
    let mut text = serde_json::to_string_pretty(&material.lead_apps).map_err(HandoffError::Json)?;
    text.push('\n');
    let about = match material.lead_apps.len() {
        0 => "configurations of LeadApps: empty, since no leadapps.json was supplied and no interface shows them".to_owned(),
        count => format!("configurations of LeadApps, as they were supplied; none of them runs at Gorgias: {count}"),
    };
    Ok(Sheet::text("leadapps.json", about, text))
}

/// Where an outcome can be chosen.
pub(super) fn scope(outcome: &SourceOutcome) -> String {
    outcome
        .campaign_id
        .as_ref()
        .map_or_else(|| "account".to_owned(), |campaign| format!("campaign {campaign}"))
}

fn finalises(outcome: &SourceOutcome) -> &'static str {
    match outcome.is_finalising {
        Some(true) => "yes",
        Some(false) => "no",
        None => "not stated",
    }
}

/// The taxonomy as a table, most frequent first.
pub(super) fn dispositions(material: &Material) -> Result<Sheet, HandoffError> {
    let mut table = Table::new(&["outcome_id", "name", "scope", "finalises", "calls", "known_from"])?;
    let mut outcomes: Vec<&SourceOutcome> = material.outcomes.iter().collect();
    outcomes.sort_by(|left, right| {
        right.call_count.cmp(&left.call_count).then_with(|| left.outcome_id.cmp(&right.outcome_id))
    });
    for outcome in &outcomes {
        let known_from = if outcome.origin == "file" { "results.csv" } else { "calls" };
        let (name, calls) = (clean_line(&outcome.outcome_name), outcome.call_count.to_string());
        table.push(&[&outcome.outcome_id, &name, &scope(outcome), finalises(outcome), &calls, known_from])?;
    }
    let about = match outcomes.len() {
        0 => "outcomes of calls: empty, since neither results.csv nor a call names any".to_owned(),
        count => format!(
            "outcomes of calls, where they can be chosen, whether they end a lead, how often: {count}"
        ),
    };
    Ok(Sheet { name: "dispositions.csv".to_owned(), about, body: table.into_bytes()? })
}
