//! Stops a step when so many records are refused that something common must be wrong.

use std::collections::BTreeMap;

use super::DriveError;
use crate::context::Limits;
use crate::ledger::stored::NoteV1;

/// Refusals so far, by their reason.
#[derive(Default)]
pub(super) struct Breaker {
    refused: u64,
    in_a_row: usize,
    reasons: BTreeMap<(String, String), u64>,
}

impl Breaker {
    /// A record was written.
    pub(super) fn applied(&mut self) {
        self.in_a_row = 0;
    }

    /// A record was refused; `seen` is how many there are to write, or how many were tried. The error comes when it was
    /// one too many: a share means something only beyond the number that is bearable in a row.
    pub(super) fn refused(
        &mut self,
        note: Option<&NoteV1>,
        seen: u64,
        limits: &Limits,
    ) -> Option<DriveError> {
        self.refused += 1;
        self.in_a_row += 1;
        let reason = note.map_or_else(Default::default, |note| (note.code.clone(), note.text.clone()));
        *self.reasons.entry(reason).or_default() += 1;
        #[expect(clippy::cast_precision_loss, reason = "a percentage of record counts far below 2^52")]
        let percent = self.refused as f64 * 100.0 / seen.max(1) as f64;
        let many = usize::try_from(self.refused).unwrap_or(usize::MAX) > limits.refused_in_a_row_max;
        if self.in_a_row < limits.refused_in_a_row_max && !(many && percent > limits.refused_percent_max) {
            return None;
        }
        let commonest = self.reasons.iter().max_by_key(|(_, count)| **count);
        let (code, text) = commonest.map_or_else(Default::default, |(reason, _)| reason.clone());
        Some(DriveError::Breaker { refused: self.refused, code, text })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note(code: &str) -> NoteV1 {
        NoteV1 { code: code.to_owned(), text: String::new() }
    }

    #[test]
    fn twenty_in_a_row_stop_and_one_success_starts_anew() {
        let limits = Limits::default();
        let mut breaker = Breaker::default();
        for _ in 0..19 {
            assert!(breaker.refused(Some(&note("A")), 100_000, &limits).is_none());
        }
        breaker.applied();
        for _ in 0..19 {
            assert!(breaker.refused(Some(&note("B")), 100_000, &limits).is_none());
        }
        let stop = breaker.refused(Some(&note("B")), 100_000, &limits);
        let Some(DriveError::Breaker { refused, code, .. }) = stop else { panic!("not tripped") };
        assert_eq!((refused, code.as_str()), (39, "B"), "the commonest reason is named");
    }

    #[test]
    fn a_share_counts_only_beyond_the_number_that_is_bearable() {
        let limits = Limits::default();
        let mut breaker = Breaker::default();
        let mut alternate = |seen| {
            breaker.applied();
            breaker.refused(None, seen, &limits)
        };
        for _ in 0..20 {
            assert!(alternate(30).is_none());
        }
        assert!(alternate(10_000).is_none(), "far below two percent");
        assert!(alternate(1_000).is_some(), "above two percent");
    }
}
