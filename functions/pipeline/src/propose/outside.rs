//! Suggestions from outside: asked for once a run, kept, and shown as alternatives. Nothing is decided by them.
//!
//! They are kept so that the proposal can be made again with the same digest. Whatever goes wrong is a finding.

use std::collections::BTreeMap;

use migration::fields::{SlotKey, is_sensitive_label};
use migration::mapping::Alternative;
use migration::suggest::external::PER_ROW_MAX;
use migration::suggest::suggest_all;
use serde::{Deserialize, Serialize};

use super::ProposeError;
use crate::context::Context;
use crate::discover::samples::Samples;
use crate::documents::inventory::Inventory;
use crate::documents::mapping::AlternativeV2;
use crate::documents::{self, DocumentError};
use crate::ports::suggester::{DescribedField, Suggester};
use crate::step::StepFinding;

/// Questions of one run at most: bounds what an account with many projects costs.
const QUESTIONS_MAX: usize = 20;
/// Characters of a label that are told.
const LABEL_CHARS_MAX: usize = 120;
/// Suggestions that named no field or no target of ours.
const DROPPED: &str = "SUG104";
/// Fields beyond the bound of questions.
const NOT_ASKED: &str = "SUG105";

/// What came from outside, as stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "version")]
enum StoredSuggestions {
    /// First version.
    #[serde(rename = "1")]
    V1 {
        /// Who said it.
        source: String,
        /// By slot and scope.
        suggestions: BTreeMap<String, Vec<AlternativeV2>>,
    },
}

fn key(ctx: &Context) -> Result<crate::ports::store::Key, DocumentError> {
    Ok(ctx.run_key("suggestions.json")?)
}

/// What is kept for this run.
///
/// # Errors
/// What the store says.
pub(super) async fn kept(ctx: &Context) -> Result<BTreeMap<SlotKey, Vec<Alternative>>, ProposeError> {
    let stored: Option<StoredSuggestions> = documents::get(ctx, key(ctx)?).await?;
    let Some(StoredSuggestions::V1 { suggestions, .. }) = stored else { return Ok(BTreeMap::new()) };
    let read = |(key, others): (String, Vec<AlternativeV2>)| {
        Some((key.parse().ok()?, others.into_iter().map(AlternativeV2::read).collect()))
    };
    Ok(suggestions.into_iter().filter_map(read).collect())
}

/// Asks, unless nobody is there to ask or the answers of this run are kept already.
///
/// # Errors
/// What the store says; the suggester's failures are findings.
pub(super) async fn ask(
    ctx: &Context,
    inventory: &Inventory,
    samples: &Samples,
) -> Result<Vec<StepFinding>, ProposeError> {
    let Some(suggester) = ctx.suggester.as_deref() else { return Ok(Vec::new()) };
    let stored: Option<StoredSuggestions> = documents::get(ctx, key(ctx)?).await?;
    if stored.is_some() {
        return Ok(Vec::new());
    }
    let (keys, fields) = describe(inventory, samples);
    let mut answers: BTreeMap<String, Vec<AlternativeV2>> = BTreeMap::new();
    let mut findings = Vec::new();
    let (mut dropped, mut answered) = (0, 0_usize);
    let per_question = suggester.fields_per_question().max(1);
    for question in fields.chunks(per_question).take(QUESTIONS_MAX) {
        match suggester.suggest(question).await {
            Ok(suggestions) => {
                answered += 1;
                dropped += take(suggester, question, &keys, suggestions, &mut answers);
            }
            Err(error) => {
                let text = format!("{}: {error}; the proposal is made without it", suggester.name());
                findings.push(StepFinding { code: error.code().to_owned(), count: 1, text });
                // Who fails once is not asked again in this run of the step.
                break;
            }
        }
    }
    let find = |code: &str, count: usize, text: &str| StepFinding {
        code: code.to_owned(),
        count: u64::try_from(count).unwrap_or(u64::MAX),
        text: text.to_owned(),
    };
    if dropped > 0 {
        findings.push(find(
            DROPPED,
            dropped,
            "suggestions from outside that name no field or target of ours",
        ));
    }
    let beyond = fields.len().saturating_sub(per_question * QUESTIONS_MAX);
    if beyond > 0 {
        findings.push(find(NOT_ASKED, beyond, "fields beyond the bound of questions to the suggester"));
    }
    // After a failure nothing is kept: the next proposal asks again.
    if answered > 0 && findings.iter().all(|found| matches!(found.code.as_str(), DROPPED | NOT_ASKED)) {
        let source = suggester.name().to_owned();
        documents::put(ctx, key(ctx)?, &StoredSuggestions::V1 { source, suggestions: answers }).await?;
    }
    Ok(findings)
}

/// Fields that may be told, and what they are. What is sensitive by its label or values is not even described.
fn describe(inventory: &Inventory, samples: &Samples) -> (Vec<SlotKey>, Vec<DescribedField>) {
    let suggestions = suggest_all(&samples.slots, &inventory.slot_settings, &inventory.gorgias_fields);
    let settings: BTreeMap<SlotKey, _> = inventory
        .slot_settings
        .iter()
        .map(|setting| {
            let scope = migration::fields::Scope::Campaign(setting.campaign);
            (SlotKey { slot: setting.slot, scope }, setting)
        })
        .collect();
    let mut keys = Vec::new();
    let mut fields = Vec::new();
    for (key, suggestion) in &suggestions {
        let Some(statistics) = samples.slots.get(key).filter(|statistics| statistics.filled() > 0) else {
            continue;
        };
        let setting = settings.get(key);
        let label = setting.map_or("", |setting| setting.label.as_str());
        if suggestion.forbids().is_some() || is_sensitive_label(label).is_some() {
            continue;
        }
        let label = migration::text::clean_line(label);
        fields.push(DescribedField {
            number: keys.len(),
            label: migration::text::truncate_chars(&label, LABEL_CHARS_MAX).into_owned(),
            stated_type: setting.map_or_else(String::new, |setting| setting.kind.clone()),
            seen_type: suggestion.value_type.value_type.as_str().to_owned(),
            shapes: statistics.samples().map(str::to_owned).collect(),
        });
        keys.push(*key);
    }
    (keys, fields)
}

/// Takes what can be used; returns how many could not.
fn take(
    suggester: &dyn Suggester,
    question: &[DescribedField],
    keys: &[SlotKey],
    suggestions: Vec<migration::suggest::external::ExternalSuggestion>,
    answers: &mut BTreeMap<String, Vec<AlternativeV2>>,
) -> usize {
    let mut dropped = 0;
    for suggestion in suggestions {
        let was_asked = question.iter().any(|field| field.number == suggestion.field);
        let alternative = suggestion.alternative(suggester.name()).filter(|_| was_asked);
        let (Some(alternative), Some(key)) = (alternative, keys.get(suggestion.field)) else {
            dropped += 1;
            continue;
        };
        let row = answers.entry(key.to_string()).or_default();
        if row.len() < PER_ROW_MAX {
            row.push(AlternativeV2::of(&alternative));
        } else {
            dropped += 1;
        }
    }
    dropped
}
