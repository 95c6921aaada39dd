//! What was forecast before anything moved, beside what then happened.
//!
//! Steps that somebody began again count all of their tries. Deliberately absent: judging; a forecast that was wrong says so
//! by its figures.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::steps::StepV1;
use super::text::grouped;
use crate::estimate::{EstimateV1, RangeV1};

/// Steps that the forecast speaks of, in order.
const STEPS: [&str; 5] = ["prepare", "plan", "load", "reconcile", "finish"];
/// The step that reads LeadDesk.
const EXTRACT: &str = "extract";

/// Forecast and outcome.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ForecastV1 {
    /// When the forecast was made.
    pub made_at: Timestamp,
    /// What it rested on.
    pub basis: String,
    /// Requests to Gorgias by step.
    pub steps: BTreeMap<String, FiguresV1>,
    /// All of them.
    pub requests: FiguresV1,
    /// Requests to LeadDesk by command.
    pub source_requests: BTreeMap<String, FiguresV1>,
    /// Seconds in which either system was read or written, as forecast.
    pub seconds_forecast: f64,
    /// The same, as it was.
    pub seconds_actual: f64,
}

/// One count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct FiguresV1 {
    /// Forecast, at the least.
    pub low: u64,
    /// Forecast, most likely.
    pub likely: u64,
    /// Forecast, at the most.
    pub high: u64,
    /// What happened.
    pub actual: u64,
}

impl FiguresV1 {
    fn of(range: RangeV1, actual: u64) -> Self {
        let RangeV1 { low, likely, high } = range;
        Self { low, likely, high, actual }
    }
}

/// Holds a forecast against the records of steps. Nothing before the run has come to the load.
#[must_use]
pub fn compare(estimate: &EstimateV1, steps: &[StepV1]) -> Option<ForecastV1> {
    if !steps.iter().any(|step| step.step == "load") {
        return None;
    }
    let of_step = |name: &str| steps.iter().filter(|step| step.step == name).map(|step| step.requests).sum();
    let range = |name: &str| {
        let kinds = estimate.requests.iter().filter(|kind| kind.step == name);
        kinds.fold(RangeV1::default(), |sum, kind| RangeV1 {
            low: sum.low + kind.requests.low,
            likely: sum.likely + kind.requests.likely,
            high: sum.high + kind.requests.high,
        })
    };
    let by_step: BTreeMap<String, FiguresV1> =
        STEPS.into_iter().map(|name| (name.to_owned(), FiguresV1::of(range(name), of_step(name)))).collect();
    let actual = by_step.values().map(|figures| figures.actual).sum();
    let asked = |command: &str| {
        let extracts = steps.iter().filter(|step| step.step == EXTRACT);
        extracts.filter_map(|step| step.source_requests.get(command)).sum()
    };
    let source_requests = estimate.source_requests.iter();
    let timed = steps.iter().filter(|step| step.step == EXTRACT || STEPS.contains(&step.step.as_str()));
    Some(ForecastV1 {
        made_at: estimate.made_at,
        basis: estimate.evidence.basis.clone(),
        requests: FiguresV1::of(estimate.requests_total, actual),
        steps: by_step,
        source_requests: source_requests
            .map(|(command, range)| (command.clone(), FiguresV1::of(*range, asked(command))))
            .collect(),
        seconds_forecast: estimate.times.all.likely,
        seconds_actual: timed.map(|step| step.ended_at.duration_since(step.started_at).as_secs_f64()).sum(),
    })
}

impl ForecastV1 {
    /// Lines for people.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let mut lines = vec![format!("  made {} from {}", self.made_at, self.basis)];
        for (what, figures) in &self.steps {
            lines.push(line(what, figures));
        }
        lines.push(line("all to Gorgias", &self.requests));
        for (command, figures) in &self.source_requests {
            lines.push(line(command, figures));
        }
        lines.push(format!(
            "  {:<24} {:.0} s forecast, {:.0} s taken{}",
            "time",
            self.seconds_forecast,
            self.seconds_actual,
            off(self.seconds_forecast, self.seconds_actual)
        ));
        lines
    }
}

fn line(what: &str, figures: &FiguresV1) -> String {
    let FiguresV1 { low, likely, high, actual } = *figures;
    let mut text = format!("  {what:<24} {} forecast", grouped(likely));
    if low != high {
        // Writing to a String cannot fail.
        write!(text, " ({} to {})", grouped(low), grouped(high)).ok();
    }
    #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
    let off = off(likely as f64, actual as f64);
    write!(text, ", {} sent{off}", grouped(actual)).ok();
    text
}

/// `, 1.2 % too much`; nothing where there is nothing to compare.
fn off(forecast: f64, actual: f64) -> String {
    if actual <= 0.0 {
        return String::new();
    }
    let percent = (forecast / actual - 1.0) * 100.0;
    if percent.abs() < 0.05 {
        ", as forecast".to_owned()
    } else if percent > 0.0 {
        format!(", {percent:.1} % too much")
    } else {
        format!(", {:.1} % too little", -percent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_say_how_far_it_was_off() {
        let figures = FiguresV1 { low: 90, likely: 100, high: 120, actual: 105 };
        assert_eq!(
            line("load", &figures),
            "  load                     100 forecast (90 to 120), 105 sent, 4.8 % too little"
        );
        let exact = FiguresV1 { low: 7, likely: 7, high: 7, actual: 7 };
        assert_eq!(line("finish", &exact), "  finish                   7 forecast, 7 sent, as forecast");
        assert_eq!((off(3.0, 0.0), off(103.0, 100.0)), (String::new(), ", 3.0 % too much".to_owned()));
    }
}
