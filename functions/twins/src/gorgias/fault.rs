//! Faults on request: a plan, as data, of which requests go wrong and how.
//!
//! A plan counts requests by method and route, so the same requests meet the same faults. Deliberately absent:
//! chance; a caller that wants random faults draws a plan from a seed.

use serde::{Deserialize, Serialize};

/// Which requests a fault meets.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct When {
    /// Method, for example `POST`; `None` = any.
    pub method: Option<String>,
    /// Route as the request counts name it, for example `/api/tickets/{id}`; `None` = any.
    pub route: Option<String>,
    /// The first matching request that meets the fault, counted from 1 since the plan was set; `None` = the first.
    pub nth: Option<u64>,
    /// How many matching requests in a row meet it; `None` = one if `nth` is given, else all.
    pub times: Option<u64>,
}

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// The connection closes before the request has any effect.
    HangUpBeforeCommit,
    /// The request takes effect and the connection closes without an answer.
    LostAnswerAfterCommit,
    /// This status, and no effect.
    StatusBefore(u16),
    /// This status, although the request took effect.
    StatusAfter(u16),
    /// A page of HTML with this status, and no effect.
    Html(u16),
    /// The request takes effect; the answer breaks off in the middle of its body.
    Truncate,
    /// The request takes effect; the answer comes after this many account seconds.
    Delay(f64),
    /// The connection closes at once, and the request takes effect after this many account seconds.
    ApplyLate(f64),
}

/// One fault of a plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// Which requests meet it.
    #[serde(default)]
    pub when: When,
    /// What goes wrong.
    pub action: Action,
}

/// A fault and how often it has been met.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PlannedFault {
    /// The fault.
    pub fault: Fault,
    /// Requests that matched so far.
    pub matched: u64,
    /// Requests that met it so far.
    pub fired: u64,
}

impl PlannedFault {
    fn meets(&mut self, method: &str, route: &str) -> bool {
        let when = &self.fault.when;
        let wanted = |wanted: &Option<String>, given| wanted.as_deref().is_none_or(|wanted| wanted == given);
        if !wanted(&when.method, method) || !wanted(&when.route, route) {
            return false;
        }
        self.matched += 1;
        let times = when.times.unwrap_or(if when.nth.is_some() { 1 } else { u64::MAX });
        self.matched >= when.nth.unwrap_or(1) && self.fired < times
    }
}

/// The plan at work.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    plan: Vec<PlannedFault>,
}

impl Faults {
    pub(crate) fn set(&mut self, faults: Vec<Fault>) {
        self.plan = faults.into_iter().map(|fault| PlannedFault { fault, matched: 0, fired: 0 }).collect();
    }

    pub(crate) fn plan(&self) -> &[PlannedFault] {
        &self.plan
    }

    /// The fault that this request meets; the earliest of the plan when several fit.
    pub(crate) fn meet(&mut self, method: &str, route: &str) -> Option<Action> {
        let mut action = None;
        for planned in &mut self.plan {
            if planned.meets(method, route) && action.is_none() {
                planned.fired += 1;
                action = Some(planned.fault.action);
            }
        }
        action
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fired(when: When, requests: &[(&str, &str)]) -> Vec<bool> {
        let mut faults = Faults::default();
        faults.set(vec![Fault { when, action: Action::Truncate }]);
        requests.iter().map(|(method, route)| faults.meet(method, route).is_some()).collect()
    }

    #[test]
    fn a_plan_counts_matching_requests() {
        let requests = [("GET", "/a"), ("POST", "/a"), ("POST", "/b"), ("POST", "/a"), ("POST", "/a")];
        let post_a = |nth, times| When { method: Some("POST".into()), route: Some("/a".into()), nth, times };
        assert_eq!(fired(When::default(), &requests), [true; 5]);
        assert_eq!(fired(post_a(None, None), &requests), [false, true, false, true, true]);
        assert_eq!(fired(post_a(Some(2), None), &requests), [false, false, false, true, false]);
        assert_eq!(fired(post_a(Some(2), Some(2)), &requests), [false, false, false, true, true]);
        assert_eq!(fired(post_a(None, Some(1)), &requests), [false, true, false, false, false]);
    }

    #[test]
    fn plans_are_data() {
        let plan = r#"[{"when":{"method":"POST","nth":3},"action":"lost_answer_after_commit"},{"action":{"status_before":503}}]"#;
        let faults: Vec<Fault> = serde_json::from_str(plan).unwrap();
        assert_eq!(faults[0].action, Action::LostAnswerAfterCommit);
        assert_eq!(faults[1], Fault { when: When::default(), action: Action::StatusBefore(503) });
        assert!(serde_json::from_str::<Fault>(r#"{"action":"truncate","wen":{}}"#).is_err());
    }
}
