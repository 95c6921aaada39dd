//! Which type the values of a field have, and how sure that is.

use super::label::LabelMatch;
use super::{Concept, SuggestInput, SuggestedType, ValueType, round, share};
use crate::fields::Pattern;

/// Share of values from which a form counts as the field's type, although some values are wrong.
const MOST: f64 = 0.8;
/// The same for types that reject what does not fit.
const NEARLY_ALL: f64 = 0.9;
/// Bank accounts and national ids: half is far too many already.
const HALF: f64 = 0.5;
/// Distinct values of yes and no in two ways each.
const ANSWERS_MAX: usize = 4;

pub(super) fn value_type(input: &SuggestInput<'_>, meanings: &[LabelMatch]) -> SuggestedType {
    let statistics = input.statistics;
    let of = |pattern| share(statistics, statistics.having(pattern));
    if statistics.filled() == statistics.having(Pattern::Void) {
        return found(ValueType::Empty, 0.95, "no value is filled");
    }
    let sensitive = [(ValueType::Iban, of(Pattern::Iban)), (ValueType::NationalId, of(Pattern::NationalId))];
    for (value_type, part) in sensitive {
        if part >= HALF {
            return found(value_type, 0.5 + part / 2.0, &percent(part, "pass the check of such numbers"));
        }
    }
    for (value_type, part) in [(ValueType::Email, of(Pattern::Email)), (ValueType::Url, of(Pattern::Url))] {
        if part >= MOST {
            return found(value_type, part, &percent(part, "have this form"));
        }
    }
    phone(input, meanings)
        .or_else(|| date(input))
        .or_else(|| boolean(input, meanings))
        .or_else(|| postcode(input, meanings))
        .or_else(|| number(input, meanings))
        .unwrap_or_else(|| text(input))
}

fn found(value_type: ValueType, confidence: f64, reason: &str) -> SuggestedType {
    SuggestedType { value_type, confidence: round(confidence), reason: reason.to_owned() }
}

fn percent(part: f64, what: &str) -> String {
    format!("{:.0} % of the values {what}", part * 100.0)
}

fn score(meanings: &[LabelMatch], concepts: &[Concept]) -> f64 {
    let fitting = meanings.iter().filter(|found| concepts.contains(&found.concept));
    fitting.map(|found| found.score).fold(0.0, f64::max)
}

/// The better of two groups of meanings.
fn means(meanings: &[LabelMatch], these: &[Concept], others: &[Concept]) -> bool {
    let score_of_these = score(meanings, these);
    score_of_these > 0.0 && score_of_these >= score(meanings, others)
}

/// Numbers by which things are known, not reckoned with.
const IDENTIFIERS: &[Concept] = &[
    Concept::CustomerNumber,
    Concept::ContractNumber,
    Concept::Identifier,
    Concept::CompanyId,
    Concept::Vat,
    Concept::Technical,
];
const PHONES: &[Concept] = &[Concept::Phone, Concept::Fax];
const MEASURES: &[Concept] = &[Concept::Amount, Concept::Count, Concept::OrderCount];

fn phone(input: &SuggestInput<'_>, meanings: &[LabelMatch]) -> Option<SuggestedType> {
    let of = |pattern| share(input.statistics, input.statistics.having(pattern));
    let (international, trunk, bare) =
        (of(Pattern::PhoneInternational), of(Pattern::PhoneTrunk), of(Pattern::PhoneBare));
    let all = international + trunk + bare;
    if all < MOST {
        return None;
    }
    let is_named = means(meanings, PHONES, IDENTIFIERS);
    let others: Vec<Concept> = IDENTIFIERS.iter().chain(MEASURES).copied().collect();
    let is_something_else = score(meanings, &others) > score(meanings, PHONES);
    if is_named {
        return Some(found(
            ValueType::Phone,
            all.min(1.0),
            &percent(all, "may be phone numbers, and so says the label"),
        ));
    }
    if international >= HALF && !is_something_else {
        let part = international + trunk;
        return Some(found(ValueType::Phone, 0.95 * part.min(1.0), &percent(part, "are phone numbers")));
    }
    if international + trunk >= MOST && !is_something_else {
        return Some(found(ValueType::Phone, 0.85, &percent(trunk, "begin like phone numbers")));
    }
    None
}

fn date(input: &SuggestInput<'_>) -> Option<SuggestedType> {
    let part = share(input.statistics, input.statistics.dates());
    (part >= NEARLY_ALL).then(|| found(ValueType::Date, part, &percent(part, "are days")))
}

fn boolean(input: &SuggestInput<'_>, meanings: &[LabelMatch]) -> Option<SuggestedType> {
    let statistics = input.statistics;
    let part = share(statistics, statistics.booleans());
    let distinct = statistics.distinct()?;
    let voids = usize::try_from(statistics.having(Pattern::Void)).unwrap_or(usize::MAX).min(2);
    if part < NEARLY_ALL || distinct.saturating_sub(voids) > ANSWERS_MAX {
        return None;
    }
    if statistics.boolean_words() > 0 {
        return Some(found(ValueType::Boolean, part, &percent(part, "mean yes or no")));
    }
    // Noughts and ones: the label tells a flag from a count.
    let is_measure = score(meanings, MEASURES) > 0.0
        && score(meanings, MEASURES) >= score(meanings, &[Concept::Flag, Concept::Consent, Concept::OptOut]);
    let says_number = input.setting.is_some_and(|setting| setting.kind.trim().eq_ignore_ascii_case("number"));
    (!is_measure && !says_number && distinct <= 2)
        .then(|| found(ValueType::Boolean, 0.8, "all values are 0 or 1, and the label names no measure"))
}

fn postcode(input: &SuggestInput<'_>, meanings: &[LabelMatch]) -> Option<SuggestedType> {
    let of = |pattern| share(input.statistics, input.statistics.having(pattern));
    let (sure, maybe) = (of(Pattern::PostcodeSure), of(Pattern::PostcodeMaybe));
    if sure >= MOST {
        return Some(found(ValueType::Postcode, sure, &percent(sure, "have the form of postal codes")));
    }
    let others: Vec<Concept> = IDENTIFIERS.iter().chain(MEASURES).copied().collect();
    (sure + maybe >= MOST && means(meanings, &[Concept::Postcode], &others)).then(|| {
        found(ValueType::Postcode, 0.9, &percent(sure + maybe, "may be postal codes, and so says the label"))
    })
}

fn number(input: &SuggestInput<'_>, meanings: &[LabelMatch]) -> Option<SuggestedType> {
    let part = share(input.statistics, input.statistics.numbers());
    if part < NEARLY_ALL {
        return None;
    }
    let says_number = input.setting.is_some_and(|setting| setting.kind.trim().eq_ignore_ascii_case("number"));
    let bare = share(input.statistics, input.statistics.having(Pattern::PhoneBare));
    let is_identifier =
        means(meanings, IDENTIFIERS, MEASURES) || (score(meanings, PHONES) > 0.0 && bare >= HALF);
    if is_identifier && !says_number {
        return Some(found(ValueType::Text, 0.85, "digits, but the label names something, not a measure"));
    }
    Some(found(ValueType::Number, part, &percent(part, "are numbers")))
}

fn text(input: &SuggestInput<'_>) -> SuggestedType {
    let statistics = input.statistics;
    let typed =
        [statistics.dates(), statistics.numbers(), statistics.booleans(), statistics.having(Pattern::Email)];
    let most = typed.into_iter().max().unwrap_or(0);
    let part = share(statistics, most);
    if part > 0.4 {
        return found(ValueType::Text, 0.9 - part / 2.0, &percent(part, "fit another type, too few for it"));
    }
    found(ValueType::Text, 0.95, "the values are text")
}
