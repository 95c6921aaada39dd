//! The place where requests are made to fail: a hook that is asked once per request, and a plan that is data.
//!
//! Deliberately absent: any effect. A plan only says what should happen to a request; the server makes it so.

use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};

/// The twin's name in a plan that several twins share.
pub(crate) const SERVICE: &str = "leaddesk";

/// What a hook is told about a request. Never its query or body: keys and people are in there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestSummary<'a> {
    /// `leaddesk`.
    pub service: &'a str,
    /// Upper-case HTTP method.
    pub method: &'a str,
    /// `module/command` of the Original API (`contact/get`), path below the REST path without names and ids (`users`,
    /// `gdpr/contact`, `audio/files`, `oauth/access-token`), `recording` for a download, `write` for a refused write
    /// command, `unknown` for everything else.
    pub route: &'a str,
}

/// What is to become of a request.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum FaultAction {
    /// It is answered.
    #[default]
    None,
    /// Not handled; an error of this status in the API's own shape.
    Status(u16),
    /// Not handled; 429 with this many seconds in `Retry-After`, or without the header.
    TooManyRequests(Option<u32>),
    /// Not handled; status 200 with a page for people.
    Html,
    /// Not handled; status 200 with nothing.
    Empty,
    /// Not handled; 302 to this address.
    Redirect(String),
    /// Not handled; status 200 with so many bytes of nothing useful.
    Huge(u64),
    /// Not handled; the connection closes without an answer.
    DropBefore,
    /// Handled; the connection closes without an answer.
    DropAfter,
    /// Handled; the body ends after so many bytes and the header agrees with the shorter length.
    Truncate(usize),
    /// Handled; the header announces the whole body, and the connection closes after so many bytes of it.
    BreakOff(usize),
    /// Handled; one bit of this byte of the body is flipped, counted round if the body is shorter.
    Garble(usize),
    /// Handled and answered so many milliseconds later.
    Delay(u64),
}

/// Decides what is to become of each request.
pub trait Fault: Send + Sync {
    /// Asked once per request, in the order of arrival, before it is handled.
    fn next(&self, request: &RequestSummary<'_>) -> FaultAction;

    /// How often each part of the plan has struck, for reports.
    fn struck(&self) -> Vec<u64> {
        Vec::new()
    }
}

/// Which requests a rule is for. What is not said holds for all.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct When {
    /// A twin, for plans that several twins share.
    pub service: Option<String>,
    /// An HTTP method.
    pub method: Option<String>,
    /// As in [`RequestSummary::route`].
    pub route: Option<String>,
    /// The first of these requests that is struck, counted from 1.
    pub nth: Option<u64>,
    /// The last one that is struck. Without it: only the `nth` if that is given, else no end.
    pub until: Option<u64>,
    /// Only every so-manieth of these requests, counted from `nth`, or from 1.
    pub every: Option<u64>,
    /// Strikes so many of a thousand of the remaining ones, drawn from the plan's seed.
    pub per_mille: Option<u32>,
}

impl When {
    fn is_for(&self, request: &RequestSummary<'_>) -> bool {
        let agrees =
            |wished: &Option<String>, actual: &str| wished.as_deref().is_none_or(|wished| wished == actual);
        agrees(&self.service, request.service)
            && agrees(&self.method, request.method)
            && agrees(&self.route, request.route)
    }

    /// Whether the `count`-th matching request is struck; `dice` is below a thousand.
    fn strikes(&self, count: u64, dice: u64) -> bool {
        let from = self.nth.unwrap_or(1);
        let repeats = self.every.is_some() || self.per_mille.is_some();
        let until = self.until.or(self.nth.filter(|_| !repeats)).unwrap_or(u64::MAX);
        (from..=until).contains(&count)
            && self.every.is_none_or(|every| (count - from).is_multiple_of(every.max(1)))
            && self.per_mille.is_none_or(|share| dice < u64::from(share))
    }
}

/// One line of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultRule {
    /// Which requests.
    pub when: When,
    /// What becomes of them.
    pub action: FaultAction,
}

/// A plan of faults. Equal plans strike equal sequences of requests equally.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultPlan {
    /// For rules with `per_mille`.
    #[serde(default)]
    pub seed: u64,
    /// The first rule that strikes decides; every rule counts all requests it is for.
    pub rules: Vec<FaultRule>,
}

/// A plan at work.
#[derive(Debug, Default)]
pub struct ScheduledFaults {
    plan: FaultPlan,
    counts: Vec<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    matched: AtomicU64,
    struck: AtomicU64,
}

impl ScheduledFaults {
    /// Starts a plan with all counters at zero.
    pub fn new(plan: FaultPlan) -> Self {
        let counts = plan.rules.iter().map(|_| Counts::default()).collect();
        Self { plan, counts }
    }
}

impl Fault for ScheduledFaults {
    fn next(&self, request: &RequestSummary<'_>) -> FaultAction {
        let mut decided = None;
        for (place, (rule, counts)) in (0_u64..).zip(self.plan.rules.iter().zip(&self.counts)) {
            if !rule.when.is_for(request) {
                continue;
            }
            let count = counts.matched.fetch_add(1, Ordering::SeqCst) + 1;
            if decided.is_none() && rule.when.strikes(count, dice(self.plan.seed, place, count)) {
                counts.struck.fetch_add(1, Ordering::SeqCst);
                decided = Some(rule.action.clone());
            }
        }
        decided.unwrap_or_default()
    }

    fn struck(&self) -> Vec<u64> {
        self.counts.iter().map(|counts| counts.struck.load(Ordering::SeqCst)).collect()
    }
}

/// A number below a thousand for the `count`-th request of a rule.
fn dice(seed: u64, rule: u64, count: u64) -> u64 {
    let mut mixed =
        seed ^ rule.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ count.wrapping_mul(0xD1B5_4A32_D192_ED03);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    (mixed ^ (mixed >> 31)) % 1000
}

#[cfg(test)]
mod tests {
    use super::*;

    fn struck(when: &str, requests: u64) -> Vec<u64> {
        let plan = format!(r#"{{"seed":5,"rules":[{{"when":{when},"action":{{"status":500}}}}]}}"#);
        let faults = ScheduledFaults::new(serde_json::from_str(&plan).unwrap());
        let request = RequestSummary { service: SERVICE, method: "GET", route: "contact/get" };
        (1..=requests).filter(|_| faults.next(&request) == FaultAction::Status(500)).collect()
    }

    #[test]
    fn rules_strike_when_they_say() {
        assert_eq!(struck(r#"{"nth":3}"#, 6), [3]);
        assert_eq!(struck(r#"{"nth":2,"until":4}"#, 6), [2, 3, 4]);
        assert_eq!(struck(r#"{"every":3}"#, 7), [1, 4, 7]);
        assert_eq!(struck(r#"{"nth":2,"every":3}"#, 9), [2, 5, 8]);
        assert_eq!(struck("{}", 3), [1, 2, 3]);
        assert!(struck(r#"{"route":"users"}"#, 3).is_empty());
        assert!(struck(r#"{"method":"POST"}"#, 3).is_empty());
        assert!(struck(r#"{"service":"gorgias"}"#, 3).is_empty());
    }

    #[test]
    fn shares_are_drawn_from_the_seed() {
        let hits = struck(r#"{"per_mille":100}"#, 2_000);
        assert!((140..260).contains(&hits.len()), "{}", hits.len());
        assert_eq!(hits, struck(r#"{"per_mille":100}"#, 2_000));
        assert!(struck(r#"{"per_mille":0}"#, 100).is_empty());
    }

    #[test]
    fn the_first_striking_rule_decides_and_all_count() {
        let plan = r#"{"rules":[
            {"when":{"nth":2},"action":"html"},
            {"when":{"nth":2,"until":3},"action":{"truncate":10}}]}"#;
        let faults = ScheduledFaults::new(serde_json::from_str(plan).unwrap());
        let request = RequestSummary { service: SERVICE, method: "GET", route: "users" };
        let actions: Vec<FaultAction> = (0..4).map(|_| faults.next(&request)).collect();
        assert_eq!(
            actions,
            [FaultAction::None, FaultAction::Html, FaultAction::Truncate(10), FaultAction::None]
        );
        assert_eq!(faults.struck(), [1, 1]);
    }

    #[test]
    fn plans_with_unknown_words_are_refused() {
        for plan in [
            r#"{"rules":[{"when":{"path":"/"},"action":"html"}]}"#,
            r#"{"rules":[{"when":{},"action":"explode"}]}"#,
            r#"{"rules":[],"extra":1}"#,
        ] {
            assert!(serde_json::from_str::<FaultPlan>(plan).is_err(), "{plan}");
        }
    }
}
