//! Codes of the steps: what stopped one, and what one found that is no fault of a single record.
//!
//! The steps know their codes and the case; here stands what each means and what to do, for `explain`. Codes about records
//! stand in `migration::finding` and `pipeline::report::advice`. A test holds this list to the steps' sources.

mod reading;
mod writing;

use reading::READING;
use writing::WRITING;

/// One code of a step: code, what happened, what to do.
pub(crate) type StepCode = (&'static str, &'static str, &'static str);

/// Every code, in order.
pub(crate) fn all() -> impl Iterator<Item = &'static StepCode> {
    let mut all: Vec<&StepCode> = READING.iter().chain(WRITING).collect();
    all.sort_unstable_by_key(|(code, _, _)| *code);
    all.into_iter()
}

#[cfg(test)]
mod tests;
