//! What the values of one slot look like, collected in one pass and in bounded memory.

use std::collections::{BTreeMap, BTreeSet};

use super::{Pattern, SlotKind, convert, patterns, words};
use crate::mapping::Sample;
use crate::text::{clean, fingerprint, mask_shape};

/// Distinct values that are counted exactly.
pub const DISTINCT_MAX: usize = 50;
/// Masked samples that are kept.
pub const SAMPLES_MAX: usize = 5;

/// Counts of fitting values. The outcome does not depend on the order of values.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SlotStatistics {
    filled: u64,
    numbers: u64,
    booleans: u64,
    /// Yes and no in words, not as digits.
    boolean_words: u64,
    dates: u64,
    sensitive: u64,
    too_long: u64,
    distinct: BTreeSet<u128>,
    has_more_distinct: bool,
    samples: BTreeSet<Shape>,
    patterns: BTreeMap<Pattern, u64>,
}

/// A value without its letters and digits, and what it would read as.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Shape {
    text: String,
    number: Option<String>,
    boolean: Option<bool>,
    date: Option<String>,
}

impl Shape {
    fn of(value: &str) -> Self {
        Self {
            text: mask_shape(value),
            number: convert::number(value).map(|number| mask_shape(&number.to_string())),
            boolean: words::boolean(value),
            date: convert::iso_date(value).map(|date| mask_shape(&date)),
        }
    }

    fn read_as(&self, kind: SlotKind) -> Sample {
        let after = match kind {
            SlotKind::Text => Some(self.text.clone()),
            SlotKind::Number => self.number.clone(),
            SlotKind::Boolean => self.boolean.map(|answer| answer.to_string()),
            SlotKind::Date => self.date.clone(),
        };
        Sample { before: self.text.clone(), after: after.unwrap_or_default() }
    }
}

impl SlotStatistics {
    /// No value yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes one value; empty ones do not count.
    pub fn observe(&mut self, raw: &str) {
        let value = clean(raw);
        if value.is_empty() {
            return;
        }
        self.filled += 1;
        let is_number = convert::number(&value).is_some();
        self.numbers += u64::from(is_number);
        if words::boolean(&value).is_some() {
            self.booleans += 1;
            self.boolean_words += u64::from(!is_number);
        }
        self.dates += u64::from(convert::iso_date(&value).is_some());
        self.sensitive += u64::from(patterns::is_sensitive(&value));
        for pattern in patterns::of(&value) {
            *self.patterns.entry(pattern).or_default() += 1;
        }
        self.too_long += u64::from(value.chars().count() > crate::gorgias::FIELD_TEXT_CHARS_MAX);
        self.count_distinct(fingerprint(0, &value.to_lowercase()));
        self.keep_sample(Shape::of(&value));
    }

    /// Adds what another part of the contacts showed.
    pub fn merge(&mut self, other: &Self) {
        self.filled += other.filled;
        self.numbers += other.numbers;
        self.booleans += other.booleans;
        self.boolean_words += other.boolean_words;
        self.dates += other.dates;
        self.sensitive += other.sensitive;
        self.too_long += other.too_long;
        for value in &other.distinct {
            self.count_distinct(*value);
        }
        self.has_more_distinct |= other.has_more_distinct;
        for (pattern, count) in &other.patterns {
            *self.patterns.entry(*pattern).or_default() += count;
        }
        for sample in &other.samples {
            self.keep_sample(sample.clone());
        }
    }

    /// The smallest are kept, so that the order of arrival does not show.
    fn count_distinct(&mut self, value: u128) {
        if self.distinct.insert(value) && self.distinct.len() > DISTINCT_MAX {
            self.distinct.pop_last();
            self.has_more_distinct = true;
        }
    }

    fn keep_sample(&mut self, sample: Shape) {
        if self.samples.insert(sample) && self.samples.len() > SAMPLES_MAX {
            self.samples.pop_last();
        }
    }

    /// Values that are not empty.
    #[must_use]
    pub fn filled(&self) -> u64 {
        self.filled
    }

    /// Values that read as numbers without loss.
    #[must_use]
    pub fn numbers(&self) -> u64 {
        self.numbers
    }

    /// Values that read as yes or no.
    #[must_use]
    pub fn booleans(&self) -> u64 {
        self.booleans
    }

    /// Yes and no in words.
    #[must_use]
    pub fn boolean_words(&self) -> u64 {
        self.boolean_words
    }

    /// Values that read as dates.
    #[must_use]
    pub fn dates(&self) -> u64 {
        self.dates
    }

    /// Values that look like bank accounts or national ids.
    #[must_use]
    pub fn sensitive(&self) -> u64 {
        self.sensitive
    }

    /// Values of a form.
    #[must_use]
    pub fn having(&self, pattern: Pattern) -> u64 {
        self.patterns.get(&pattern).copied().unwrap_or(0)
    }

    /// How many of some texts are among the values, without case; exact while [`distinct`](Self::distinct) is.
    #[must_use]
    pub fn among<'t>(&self, texts: impl IntoIterator<Item = &'t str>) -> usize {
        let keys = texts.into_iter().map(|text| fingerprint(0, &clean(text).to_lowercase()));
        keys.filter(|key| self.distinct.contains(key)).count()
    }

    /// Values longer than a text field takes.
    #[must_use]
    pub fn too_long(&self) -> u64 {
        self.too_long
    }

    /// Distinct values, exact up to [`DISTINCT_MAX`]; `None` when there are more.
    #[must_use]
    pub fn distinct(&self) -> Option<usize> {
        (!self.has_more_distinct).then_some(self.distinct.len())
    }

    /// Shapes of some values: no value can be read from them.
    pub fn samples(&self) -> impl Iterator<Item = &str> {
        self.samples.iter().map(|shape| shape.text.as_str())
    }

    /// The same shapes beside those of what would arrive in a field of this kind; empty where a value does not fit.
    #[must_use]
    pub fn samples_as(&self, kind: SlotKind) -> Vec<Sample> {
        self.samples.iter().map(|shape| shape.read_as(kind)).collect()
    }
}
