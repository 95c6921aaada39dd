//! What a field of LeadDesk probably means, and where it should go: by its label, its values, its project's setting and
//! the fields that Gorgias has.
//!
//! A suggestion explains itself and decides nothing that the mapping forbids. Deliberately absent: a language model; what
//! one adds comes in as an alternative, see [`external`].

use std::collections::BTreeMap;

use crate::fields::{Pattern, Scope, SlotKey, SlotKind, SlotStatistics};
use crate::gorgias::{self, FieldKind, FieldObject};
use crate::leaddesk::SlotSetting;
use crate::mapping::Alternative;
use crate::settings::choice;
use crate::text::folded;

pub mod external;
mod label;
mod synonyms;
mod target;
mod values;

use label::LabelMatch;
pub use target::SuggestedTarget;

choice! {
    /// What a field is about.
    Concept {
        /// Never migrated by default: ids of persons, birth, gender, health, belief, bank, income.
        Sensitive = "sensitive",
        /// Yes means: not to be written to.
        OptOut = "opt-out",
        /// Yes means: may be written to.
        Consent = "consent",
        /// Of the machinery, not of the customer.
        Technical = "technical",
        /// Somebody who is not the customer.
        OtherPerson = "other-person",
        /// A number that no one answers.
        Fax = "fax",
        /// Email address.
        Email = "email",
        /// Phone number.
        Phone = "phone",
        /// Name of the customer or a part of it.
        Name = "name",
        /// Postal code.
        Postcode = "postcode",
        /// Street address.
        Address = "address",
        /// City.
        City = "city",
        /// Country.
        Country = "country",
        /// Language.
        Language = "language",
        /// Registration number of a company.
        CompanyId = "company-id",
        /// VAT number.
        Vat = "vat",
        /// Company name.
        Company = "company",
        /// Job title.
        JobTitle = "job-title",
        /// Web address.
        Web = "web",
        /// Number by which the company knows the customer.
        CustomerNumber = "customer-number",
        /// Number of a contract.
        ContractNumber = "contract-number",
        /// End of a contract.
        ContractEnd = "contract-end",
        /// Beginning of a contract.
        ContractStart = "contract-start",
        /// Class of customers.
        Segment = "segment",
        /// How often something was bought.
        OrderCount = "order-count",
        /// Money or another measure.
        Amount = "amount",
        /// How many.
        Count = "count",
        /// Some day.
        Date = "date",
        /// Yes or no.
        Flag = "flag",
        /// Free text.
        Notes = "notes",
        /// Where a lead came from.
        LeadSource = "lead-source",
        /// What is sold.
        Product = "product",
        /// Who sells it.
        Supplier = "supplier",
        /// Number of something.
        Identifier = "identifier",
    }
}

choice! {
    /// What kind of values a field has.
    ValueType {
        /// Anything.
        Text = "text",
        /// Numbers to reckon with.
        Number = "number",
        /// Yes or no.
        Boolean = "boolean",
        /// Days.
        Date = "date",
        /// Email addresses.
        Email = "email",
        /// Phone numbers.
        Phone = "phone",
        /// Postal codes.
        Postcode = "postcode",
        /// Web addresses.
        Url = "url",
        /// National ids.
        NationalId = "national-id",
        /// Bank accounts.
        Iban = "iban",
        /// No value at all.
        Empty = "empty",
    }
}

impl ValueType {
    /// How values are read in a custom field.
    #[must_use]
    pub fn slot_kind(self) -> SlotKind {
        match self {
            Self::Number => SlotKind::Number,
            Self::Boolean => SlotKind::Boolean,
            Self::Date => SlotKind::Date,
            _ => SlotKind::Text,
        }
    }
}

/// What a suggestion is made from.
#[derive(Debug, Clone, Copy)]
pub struct SuggestInput<'a> {
    /// What agents see.
    pub label: &'a str,
    /// The project's setting, where there is one.
    pub setting: Option<&'a SlotSetting>,
    /// The values.
    pub statistics: &'a SlotStatistics,
    /// Fields of the account.
    pub existing: &'a [gorgias::Field],
}

/// A type with what speaks for it.
#[derive(Debug, Clone, PartialEq)]
pub struct SuggestedType {
    /// The type.
    pub value_type: ValueType,
    /// 0 to 1.
    pub confidence: f64,
    /// In words, with the share of values.
    pub reason: String,
}

/// A target with what speaks for it.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// Where to.
    pub target: SuggestedTarget,
    /// 0 to 1.
    pub confidence: f64,
    /// In words.
    pub reason: String,
}

/// What the rules make of a field.
#[derive(Debug, Clone, PartialEq)]
pub struct Suggestion {
    /// The type of its values.
    pub value_type: SuggestedType,
    /// What its label means, where it means something.
    pub concept: Option<Concept>,
    /// Where to, the best first; at least one.
    pub candidates: Vec<Candidate>,
}

impl Suggestion {
    /// Why the field must not be carried by default, where it looks like what the mapping never takes.
    #[must_use]
    pub fn forbids(&self) -> Option<&str> {
        let best = self.best();
        let is_sensitive = self.concept == Some(Concept::Sensitive)
            || matches!(self.value_type.value_type, ValueType::NationalId | ValueType::Iban);
        (best.target == SuggestedTarget::Leave && is_sensitive).then_some(best.reason.as_str())
    }

    /// How sure a decision for `target` is, and everything else that was thought of.
    #[must_use]
    pub fn held_against(&self, is_target: impl Fn(&SuggestedTarget) -> bool) -> (f64, Vec<Alternative>) {
        let own = self.candidates.iter().find(|candidate| is_target(&candidate.target));
        let others = self.candidates.iter().filter(|candidate| !is_target(&candidate.target));
        let strongest = others.clone().map(|candidate| candidate.confidence).fold(0.0, f64::max);
        let own = own.map_or(0.5, |candidate| candidate.confidence);
        let confidence = if strongest > own { own.min(1.0 - strongest) } else { own };
        let alternative = |candidate: &Candidate| Alternative {
            target: candidate.target.to_string(),
            confidence: candidate.confidence,
            reason: candidate.reason.clone(),
        };
        (round(confidence), others.map(alternative).collect())
    }

    /// The best target.
    #[must_use]
    pub fn best(&self) -> &Candidate {
        // The rules end with a field of its own, so there is always one.
        &self.candidates[0]
    }
}

/// Suggests type and target of a field. The same input gives the same suggestion.
#[must_use]
pub fn suggest(input: &SuggestInput<'_>) -> Suggestion {
    with_meanings(input, &label::meanings(input.label), &known(input.existing))
}

/// Suggestions for all slots of an account; what labels mean is looked up once.
#[must_use]
pub fn suggest_all(
    statistics: &BTreeMap<SlotKey, SlotStatistics>,
    settings: &[SlotSetting],
    existing: &[gorgias::Field],
) -> BTreeMap<SlotKey, Suggestion> {
    let settings: BTreeMap<SlotKey, &SlotSetting> = settings
        .iter()
        .map(|setting| (SlotKey { slot: setting.slot, scope: Scope::Campaign(setting.campaign) }, setting))
        .collect();
    let known = known(existing);
    let mut meanings: BTreeMap<&str, Vec<LabelMatch>> = BTreeMap::new();
    let mut suggestions = BTreeMap::new();
    for (key, statistics) in statistics {
        let setting = settings.get(key).copied();
        let label = setting.map_or("", |setting| setting.label.as_str());
        let meanings = meanings.entry(label).or_insert_with(|| label::meanings(label));
        let input = SuggestInput { label, setting, statistics, existing };
        suggestions.insert(*key, with_meanings(&input, meanings, &known));
    }
    suggestions
}

/// A field of the account with what its label means.
struct Known<'a> {
    field: &'a gorgias::Field,
    meanings: Vec<LabelMatch>,
}

fn known(existing: &[gorgias::Field]) -> Vec<Known<'_>> {
    existing.iter().map(|field| Known { field, meanings: label::meanings(&field.label) }).collect()
}

fn with_meanings(input: &SuggestInput<'_>, meanings: &[LabelMatch], known: &[Known<'_>]) -> Suggestion {
    let value_type = values::value_type(input, meanings);
    let candidates = target::candidates(input, meanings, known, &value_type);
    Suggestion { value_type, concept: target::leading(meanings).map(|found| found.concept), candidates }
}

/// Share of the values that say something.
#[expect(clippy::cast_precision_loss, reason = "counts of values stay far below 2^52")]
fn share(statistics: &SlotStatistics, count: u64) -> f64 {
    let filled = statistics.filled().saturating_sub(statistics.having(Pattern::Void));
    if filled == 0 { 0.0 } else { (count as f64 / filled as f64).min(1.0) }
}

/// Two independent pieces of evidence: each takes its share of the doubt that the other leaves.
fn together(left: f64, right: f64) -> f64 {
    round(1.0 - (1.0 - left) * (1.0 - right))
}

/// Two digits: more would pretend.
fn round(confidence: f64) -> f64 {
    (confidence.clamp(0.0, 0.99) * 100.0).round() / 100.0
}

/// Whether a field of the account takes values of this type.
fn takes(field: &gorgias::Field, value_type: ValueType) -> bool {
    field.object == FieldObject::Customer
        && !field.is_managed
        && match field.kind {
            FieldKind::Text => true,
            FieldKind::Number => value_type == ValueType::Number,
            FieldKind::Boolean => value_type == ValueType::Boolean,
        }
}

/// Whether two labels are the same but for case and spacing.
fn same_label(left: &str, right: &str) -> bool {
    folded(left) == folded(right)
}
