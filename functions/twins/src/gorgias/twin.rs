//! One twin: its account under a lock, its gate (bucket, faults, counts), and the way of a request through both.
//!
//! The gate comes first: authentication, then the bucket, then planned faults; only then the account is locked.
//! Deliberately absent: sockets; see `serving`.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::answer::{Answer, Answered, Refusal};
use super::bucket::{Admission, Leaking};
use super::clock::{Instant, Ticking};
use super::config::{Config, RetryAfter, Switches};
use super::control;
use super::edit::Editor;
use super::effects::settle;
use super::fault::{Action, Fault, Faults, PlannedFault};
use super::ledger::{Ledgers, codes};
use super::model::Origin;
use super::reading::UNKNOWN_FIELD;
use super::route::{Call, Found, find};
use super::seed;
use super::state::{Actor, State};

/// Writes that are kept in their order: enough for an account that a test looks at, little memory for one that is measured.
const WRITES_KEPT_MAX: usize = 10_000;

/// How often each route answered with each status.
pub type RequestCounts = BTreeMap<(String, u16), u64>;

/// What stands before the account.
#[derive(Debug)]
struct Gate {
    bucket: Leaking,
    faults: Faults,
    counts: RequestCounts,
    /// Routes of writes in the order in which they came.
    writes: Vec<String>,
    requests: u64,
}

/// An account and its gate.
#[derive(Debug)]
pub(crate) struct Twin {
    pub(crate) switches: Switches,
    pub(crate) time_scale: f64,
    basic: String,
    bearer: Option<String>,
    clock: Ticking,
    gate: Mutex<Gate>,
    state: Mutex<State>,
}

/// What the gate decided about a request.
pub(crate) struct Passage {
    pub(crate) outcome: Result<Option<Action>, Refusal>,
    /// Whole account seconds to wait, on a 429.
    pub(crate) retry_after: Option<u64>,
}

/// A request as it came, taken apart as far as HTTP goes.
#[derive(Debug)]
pub(crate) struct Incoming {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) authorization: Option<String>,
    pub(crate) content_type: String,
    pub(crate) body: bytes::Bytes,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A panic under the lock is a bug of the twin that its own request has shown already; the rest goes on.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Twin {
    pub(crate) fn new(config: &Config) -> Self {
        Self::with(config, |now| seed::account(config, now))
    }

    /// A twin of an account that was put together elsewhere.
    pub(crate) fn with(config: &Config, account: impl FnOnce(Instant) -> State) -> Self {
        let scale = if config.time_scale.is_finite() { config.time_scale.max(0.001) } else { 1.0 };
        let clock = Ticking::start(&config.clock, scale);
        let now = clock.now();
        let basic = STANDARD.encode(format!("{}:{}", config.email, config.api_key));
        Self {
            switches: config.switches.clone(),
            time_scale: scale,
            basic: format!("Basic {basic}"),
            bearer: config.bearer.as_ref().map(|token| format!("Bearer {token}")),
            gate: Mutex::new(Gate {
                bucket: Leaking::new(config.bucket, config.switches.other_client_share, now),
                faults: Faults::default(),
                counts: RequestCounts::new(),
                writes: Vec::new(),
                requests: 0,
            }),
            state: Mutex::new(account(now)),
            clock,
        }
    }

    fn now(&self) -> Instant {
        self.clock.now()
    }

    /// Name of the route of a request, as counts and faults know it.
    pub(crate) fn route_name(method: &str, path: &str) -> &'static str {
        match find(method, path) {
            Found::Route(route, _) => route.template,
            Found::WrongMethod(_) => "(wrong method)",
            Found::Nowhere => "(nowhere)",
        }
    }

    /// Authentication, bucket and planned faults, in this order.
    pub(crate) fn pass(&self, incoming: &Incoming, route: &str) -> Passage {
        let refused = |refusal| Passage { outcome: Err(refusal), retry_after: None };
        let given = incoming.authorization.as_deref();
        if given != Some(&self.basic) && (given.is_none() || given != self.bearer.as_deref()) {
            return refused(Refusal::new(401, "Valid credentials are required."));
        }
        if self.switches.deactivated {
            return refused(Refusal::new(403, "This account is deactivated."));
        }
        let now = self.now();
        let mut gate = lock(&self.gate);
        match gate.bucket.admit(now) {
            Admission::Admitted => {
                Passage { outcome: Ok(gate.faults.meet(&incoming.method, route)), retry_after: None }
            }
            Admission::Throttled { retry_after_seconds } => Passage {
                outcome: Err(Refusal::new(429, "Too many requests.")),
                retry_after: match self.switches.retry_after {
                    RetryAfter::Seconds => Some(retry_after_seconds),
                    RetryAfter::Zero => Some(0),
                    RetryAfter::Absent => None,
                },
            },
        }
    }

    /// Keeps the place of a write among all writes, whatever becomes of it.
    pub(crate) fn note(&self, method: &str, route: &str) {
        let mut gate = lock(&self.gate);
        if method != "GET" && gate.writes.len() < WRITES_KEPT_MAX {
            gate.writes.push(format!("{method} {route}"));
        }
    }

    /// Counts an answer; returns the call-limit header and the number of the request.
    pub(crate) fn count(&self, method: &str, route: &str, status: u16) -> (String, u64) {
        let now = self.now();
        let mut gate = lock(&self.gate);
        gate.requests += 1;
        *gate.counts.entry((format!("{method} {route}"), status)).or_default() += 1;
        let requests = gate.requests;
        (gate.bucket.gauge(now), requests)
    }

    /// Carries a request out on the account.
    pub(crate) fn serve(&self, incoming: Incoming) -> Answered<Answer> {
        let Incoming { method, path, query, content_type, body, .. } = incoming;
        let (route, parts) = match find(&method, &path) {
            Found::Route(route, parts) => (route, parts),
            Found::WrongMethod(allowed) => {
                let message = format!("The method is not allowed; allowed are {}.", allowed.join(", "));
                return Err(Refusal::new(405, message));
            }
            Found::Nowhere => return Err(Refusal::new(404, "This resource does not exist.")),
        };
        let call = Call { path, query, content_type, body, parts };
        let mut state = self.account();
        let outcome = (route.run)(&mut state, &call);
        if let Err(refusal) = &outcome {
            note_unknown_keys(&mut state, refusal, &format!("{method} {}", route.template));
        }
        outcome
    }

    /// The account, brought to the present.
    fn account(&self) -> MutexGuard<'_, State> {
        let mut state = lock(&self.state);
        // Under the lock, so that instants of requests never run backwards.
        state.now = self.now().max(state.now);
        state.actor = Actor { user: state.owner, origin: Origin::Client };
        settle(&mut state);
        state
    }

    pub(crate) fn dump(&self) -> Value {
        control::dump(&self.account())
    }

    pub(crate) fn ledgers(&self) -> Ledgers {
        self.account().ledgers.clone()
    }

    pub(crate) fn requests(&self) -> RequestCounts {
        lock(&self.gate).counts.clone()
    }

    pub(crate) fn writes(&self) -> Vec<String> {
        lock(&self.gate).writes.clone()
    }

    pub(crate) fn responses_429(&self) -> u64 {
        let gate = lock(&self.gate);
        gate.counts.iter().filter(|((_, status), _)| *status == 429).map(|(_, count)| count).sum()
    }

    pub(crate) fn set_faults(&self, faults: Vec<Fault>) {
        lock(&self.gate).faults.set(faults);
    }

    pub(crate) fn faults(&self) -> Vec<PlannedFault> {
        lock(&self.gate).faults.plan().to_vec()
    }

    pub(crate) fn edit<T>(&self, change: impl FnOnce(&mut Editor<'_>) -> T) -> T {
        change(&mut Editor { state: &mut self.account() })
    }
}

/// Undocumented keys are harm even when they are refused: a careful migration never sends one.
fn note_unknown_keys(state: &mut State, refusal: &Refusal, route: &str) {
    for (field, messages) in &refusal.fields {
        if messages.iter().any(|message| message == UNKNOWN_FIELD) {
            let entry = state.entry(codes::UNKNOWN_KEY, format!("{route} {field}"));
            state.violation(entry);
        }
    }
}
