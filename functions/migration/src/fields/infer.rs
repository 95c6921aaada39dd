//! Which type the values of a slot have.

use super::{SlotKind, SlotStatistics, words};
use crate::gorgias::FieldKind;
use crate::leaddesk::SlotSetting;
use crate::suggest::{Suggestion, ValueType};

/// Share of values that must fit before a type other than text is taken: the rest would be rejected.
pub const FIT_SHARE_MIN: f64 = 0.98;
/// Fewer values say nothing about a type.
const VALUES_MIN: u64 = 5;

/// A type with its evidence.
#[derive(Debug, Clone, PartialEq)]
pub struct Inference {
    /// Gorgias' data type.
    pub kind: FieldKind,
    /// Values are dates and become ISO text.
    pub date: bool,
    /// Share of the filled values that fit, 0 to 1.
    pub share: f64,
    /// Why, in words with counts.
    pub reason: String,
}

impl Inference {
    /// How values are read.
    #[must_use]
    pub fn slot_kind(&self) -> SlotKind {
        match (self.kind, self.date) {
            (FieldKind::Text, true) => SlotKind::Date,
            (FieldKind::Text, false) => SlotKind::Text,
            (FieldKind::Number, _) => SlotKind::Number,
            (FieldKind::Boolean, _) => SlotKind::Boolean,
        }
    }
}

/// The type of a slot from its values, and from the project's setting where there is one.
#[must_use]
pub fn infer(statistics: &SlotStatistics, setting: Option<&SlotSetting>) -> Inference {
    let stated = setting.map(|setting| setting.kind.trim().to_lowercase());
    let drop_down_is_boolean = setting.is_some_and(|setting| {
        !setting.values.is_empty() && setting.values.iter().all(|value| words::boolean(value).is_some())
    });
    let filled = statistics.filled();
    let (booleans, numbers, dates) = (statistics.booleans(), statistics.numbers(), statistics.dates());
    let boolean = |why: &str| found(SlotKind::Boolean, booleans, filled, why);
    match stated.as_deref() {
        Some("number") if fits(numbers, filled) => {
            found(SlotKind::Number, numbers, filled, "setting says number")
        }
        Some("number") => text(statistics, "setting says number, but too many values do not fit"),
        Some("dropdown") if drop_down_is_boolean && fits(booleans, filled) => {
            boolean("drop-down of yes and no")
        }
        Some("dropdown") => text(statistics, "drop-down"),
        _ if filled < VALUES_MIN => text(statistics, "too few values for another type"),
        // Two distinct values at most in each of the two answers: yes and no, written in up to two ways.
        _ if fits(booleans, filled)
            && statistics.boolean_words() > 0
            && statistics.distinct().is_some_and(|distinct| distinct <= 4) =>
        {
            boolean("values are yes and no")
        }
        _ if fits(dates, filled) => found(SlotKind::Date, dates, filled, "values are dates"),
        Some("text") => text(statistics, "setting says text"),
        _ if fits(numbers, filled) => found(SlotKind::Number, numbers, filled, "values are numbers"),
        _ => text(statistics, "values are text"),
    }
}

/// The type of a slot from its values and setting, and from what its label means: numbers that name or call somebody are
/// text, noughts and ones of a flag are yes and no.
#[must_use]
pub fn informed(
    statistics: &SlotStatistics,
    setting: Option<&SlotSetting>,
    suggestion: Option<&Suggestion>,
) -> Inference {
    let inference = infer(statistics, setting);
    let Some(suggested) = suggestion.map(|suggestion| &suggestion.value_type) else { return inference };
    let kind = inference.slot_kind();
    let says_number = setting.is_some_and(|setting| setting.kind.trim().eq_ignore_ascii_case("number"));
    match suggested.value_type {
        ValueType::Phone | ValueType::Postcode if kind == SlotKind::Number => {
            text(statistics, &suggested.reason)
        }
        ValueType::Text if kind == SlotKind::Number && !says_number => text(statistics, &suggested.reason),
        ValueType::Boolean
            if matches!(kind, SlotKind::Number | SlotKind::Text)
                && statistics.filled() >= VALUES_MIN
                && fits(statistics.booleans(), statistics.filled()) =>
        {
            found(SlotKind::Boolean, statistics.booleans(), statistics.filled(), &suggested.reason)
        }
        _ => inference,
    }
}

/// A type that a person chose, with the share of values that fit it.
#[must_use]
pub fn chosen(statistics: &SlotStatistics, kind: SlotKind) -> Inference {
    let filled = statistics.filled();
    let fitting = match kind {
        SlotKind::Text => filled - statistics.too_long(),
        SlotKind::Number => statistics.numbers(),
        SlotKind::Boolean => statistics.booleans(),
        SlotKind::Date => statistics.dates(),
    };
    found(kind, fitting, filled, "type chosen by a person")
}

fn fits(fitting: u64, filled: u64) -> bool {
    share(fitting, filled) >= FIT_SHARE_MIN
}

/// Nothing filled means that nothing contradicts.
#[expect(clippy::cast_precision_loss, reason = "counts of values stay far below 2^52")]
fn share(fitting: u64, filled: u64) -> f64 {
    if filled == 0 { 1.0 } else { fitting as f64 / filled as f64 }
}

fn found(kind: SlotKind, fitting: u64, filled: u64, why: &str) -> Inference {
    Inference {
        kind: kind.field_kind(),
        date: kind == SlotKind::Date,
        share: share(fitting, filled),
        reason: format!("{why}; {fitting} of {filled} fit"),
    }
}

fn text(statistics: &SlotStatistics, why: &str) -> Inference {
    found(SlotKind::Text, statistics.filled() - statistics.too_long(), statistics.filled(), why)
}
