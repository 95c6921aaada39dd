//! Events of the steps as JSON, for `--json` and for the run's log.
//!
//! Fields are added, never renamed: `ui` in the first event says which version this is.

use jiff::Timestamp;
use pipeline::progress::Event;
use serde_json::{Value, json};

/// One event as an object with `type` and `at`.
pub(crate) fn render(at: Timestamp, event: &Event) -> Value {
    match event {
        Event::StepStarted { step, part, total } => {
            json!({ "type": "step_started", "at": at, "step": step, "part": part, "total": total })
        }
        Event::StepAdvanced { step, part, done, failed, bucket } => json!({
            "type": "step_advanced",
            "at": at,
            "step": step,
            "part": part,
            "done": done,
            "failed": failed,
            "bucket_used": bucket.map(|(used, _)| used),
            "bucket_limit": bucket.map(|(_, limit)| limit),
        }),
        Event::StepFinished { step, part, done, failed } => {
            json!({ "type": "step_finished", "at": at, "step": step, "part": part, "done": done, "failed": failed })
        }
        Event::WorkFound { step, settled, planned, in_doubt, wait_seconds } => json!({
            "type": "work_found",
            "at": at,
            "step": step,
            "settled": settled,
            "planned": planned,
            "in_doubt": in_doubt,
            "wait_seconds": wait_seconds,
        }),
        Event::DoubtsSettled { step, arrived, absent, left } => json!({
            "type": "doubts_settled",
            "at": at,
            "step": step,
            "arrived": arrived,
            "absent": absent,
            "left": left,
        }),
        Event::LagMeasured { step, lag_milliseconds, is_visible } => json!({
            "type": "lag_measured",
            "at": at,
            "step": step,
            "lag_milliseconds": lag_milliseconds,
            "is_visible": is_visible,
        }),
        Event::Resting { hours, until } => {
            json!({ "type": "resting", "at": at, "hours": hours, "until": until })
        }
        Event::Finding { code, count, text } => finding(at, code, *count, text),
    }
}

/// Something that a person should know.
pub(crate) fn finding(at: Timestamp, code: &str, count: u64, text: &str) -> Value {
    json!({ "type": "finding", "at": at, "code": code, "count": count, "text": text })
}

/// One line, `type` first, so that people who read a stream see at once what a line is.
pub(crate) fn line(event: &Value) -> String {
    let whole = event.to_string();
    let Some((kind, fields)) = event.as_object().and_then(|fields| Some((fields.get("type")?, fields)))
    else {
        return whole;
    };
    let others: serde_json::Map<String, Value> = fields
        .iter()
        .filter(|(key, _)| *key != "type")
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    let rest = Value::Object(others).to_string();
    match rest.strip_prefix('{') {
        Some("}") => format!("{{\"type\":{kind}}}"),
        Some(rest) => format!("{{\"type\":{kind},{rest}"),
        None => whole,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_type_comes_first() {
        assert_eq!(line(&json!({ "at": 1, "type": "x", "zone": [2] })), r#"{"type":"x","at":1,"zone":[2]}"#);
        assert_eq!(line(&json!({ "type": "x" })), r#"{"type":"x"}"#);
        assert_eq!(line(&json!({ "at": 1 })), r#"{"at":1}"#);
    }
}
