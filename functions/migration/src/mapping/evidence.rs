//! What a decision of a proposal rests on: how sure it is, what the values look like, and what else would be possible.
//!
//! Samples are shapes: letters and digits are replaced before anything is kept, so no value can be read from them.

use crate::canonical::Canonical;

/// A value before and after, both masked.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sample {
    /// Shape of the source value.
    pub before: String,
    /// Shape of what would arrive; empty when it would not arrive in the target.
    pub after: String,
}

/// Something else that a row could become.
#[derive(Debug, Clone, PartialEq)]
pub struct Alternative {
    /// In the words of [`MappingRow::target`](super::MappingRow::target).
    pub target: String,
    /// 0 to 1.
    pub confidence: f64,
    /// Why, and from whom when it is not from the rules.
    pub reason: String,
}

/// What a row's decision rests on.
#[derive(Debug, Clone, PartialEq)]
pub struct RowEvidence {
    /// How sure the decision is, 0 to 1.
    pub confidence: f64,
    /// Share of the records looked at that have a value, where records were looked at.
    pub fill_share: Option<f64>,
    /// Distinct values; `None` when there are more than are counted, or none were looked at.
    pub distinct: Option<u64>,
    /// A few values, masked.
    pub samples: Vec<Sample>,
    /// Other targets, the best first.
    pub alternatives: Vec<Alternative>,
}

impl RowEvidence {
    /// Evidence of a decision for which no values were looked at.
    #[must_use]
    pub fn certain(confidence: f64) -> Self {
        Self { confidence, fill_share: None, distinct: None, samples: Vec::new(), alternatives: Vec::new() }
    }

    pub(super) fn render(&self, out: &mut Canonical) {
        out.put("confidence", self.confidence).put_option("fill_share", self.fill_share);
        out.put_option("distinct", self.distinct);
        for sample in &self.samples {
            out.put("before", &sample.before).put("after", &sample.after);
        }
        for alternative in &self.alternatives {
            out.put("alternative", &alternative.target).put("confidence", alternative.confidence);
            out.put("reason", &alternative.reason);
        }
    }
}
