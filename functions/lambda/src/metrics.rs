//! What a turn counts, in CloudWatch's embedded metric format: one log line, no request.
//!
//! Source: CloudWatch, "Embedded metric format specification".

use std::collections::BTreeMap;
use std::io::Write as _;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use pipeline::progress::{Event, Progress};
use serde_json::{Map, Value, json};

/// Namespace of all metrics.
const NAMESPACE: &str = "deskferry";
/// Names and units; a metric that is not here is not sent.
const UNITS: [(&str, &str); 12] = [
    ("Halted", "Count"),
    ("InDoubt", "Count"),
    ("LookUps", "Count"),
    ("MessageAgeSeconds", "Seconds"),
    ("OutgoingMessages", "Count"),
    ("Quarantined", "Count"),
    ("RecordsDone", "Count"),
    ("RecordsFailed", "Count"),
    ("Requests", "Count"),
    ("Responses429", "Count"),
    ("TurnMilliseconds", "Milliseconds"),
    ("WindowFill", "Percent"),
];

/// Counts of one turn; receives what the step tells.
#[derive(Debug, Default)]
pub(crate) struct Counts(Mutex<BTreeMap<&'static str, u64>>);

impl Counts {
    pub(crate) fn add(&self, name: &'static str, count: u64) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(name).or_default() += count;
    }

    /// Writes all of them as one line.
    pub(crate) fn write(&self, function: &str, at: Timestamp) {
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let line = line(function, &counts, at);
        // Standard output that is gone is nothing that a turn could mend.
        let _ = writeln!(std::io::stdout().lock(), "{line}");
    }
}

impl Progress for Counts {
    fn emit(&self, _at: Timestamp, event: Event) {
        match event {
            Event::StepStarted { step, part, total } => tracing::info!(step, part, total, "part begins"),
            Event::StepAdvanced { .. } => {}
            Event::StepFinished { step, part, done, failed } => {
                self.add("RecordsDone", done);
                self.add("RecordsFailed", failed);
                tracing::info!(step, part, done, failed, "part ends");
            }
            Event::WorkFound { step, settled, planned, in_doubt, wait_seconds } => {
                self.add("InDoubt", in_doubt);
                tracing::info!(step, settled, planned, in_doubt, wait_seconds, "found");
            }
            Event::DoubtsSettled { step, arrived, absent, left } => {
                self.add("LookUps", arrived + absent + left);
                tracing::info!(step, arrived, absent, left, "doubts settled");
            }
            Event::LagMeasured { step, lag_milliseconds, is_visible } => {
                tracing::info!(step, lag_milliseconds, is_visible, "lag measured");
            }
            Event::Resting { hours, until } => tracing::info!(hours, %until, "rests"),
            Event::Finding { code, count, text } => tracing::info!(code, count, text, "finding"),
        }
    }
}

fn line(function: &str, counts: &BTreeMap<&'static str, u64>, at: Timestamp) -> String {
    let sent = UNITS.iter().filter(|(name, _)| counts.contains_key(name));
    let metrics: Vec<Value> = sent.map(|(name, unit)| json!({ "Name": name, "Unit": unit })).collect();
    let directive = json!({ "Namespace": NAMESPACE, "Dimensions": [["Function"]], "Metrics": metrics });
    let mut members = Map::new();
    let aws = json!({ "Timestamp": at.as_millisecond(), "CloudWatchMetrics": [directive] });
    members.insert("_aws".to_owned(), aws);
    members.insert("Function".to_owned(), function.into());
    members.extend(counts.iter().map(|(name, count)| ((*name).to_owned(), (*count).into())));
    Value::Object(members).to_string()
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    #[test]
    fn one_line_says_what_a_turn_counted() {
        let counts = Counts::default();
        let finished = |done| Event::StepFinished { step: "load", part: "leads".to_owned(), done, failed: 1 };
        counts.emit(Timestamp::UNIX_EPOCH, finished(3));
        counts.emit(Timestamp::UNIX_EPOCH, finished(4));
        let counted = counts.0.lock().unwrap().clone();
        expect![[r#"{"Function":"load","RecordsDone":7,"RecordsFailed":2,"_aws":{"CloudWatchMetrics":[{"Dimensions":[["Function"]],"Metrics":[{"Name":"RecordsDone","Unit":"Count"},{"Name":"RecordsFailed","Unit":"Count"}],"Namespace":"deskferry"}],"Timestamp":1000}}"#]]
            .assert_eq(&line("load", &counted, Timestamp::from_millisecond(1_000).unwrap()));
    }
}
