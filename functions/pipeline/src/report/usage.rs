//! What was spent of the rate limit, over all starts of a run.
//!
//! The connection counts from its own beginning and forgets with its process. So after every step the difference to the
//! last record is stored as a new object under `runs/<run>/usage/`, and the report adds them up. A connection is known by
//! the start of its first window; its last record stands under `usage/`, because one connection may serve several runs.
//! A process that dies in the middle of a step takes the count of that step with it.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::ports::gorgias::{Usage, Window};
use crate::run_folder::{self, DocumentError};

/// Purpose of requests that no step claims.
pub const WHOLE_RUN: &str = "run";

/// Requests of one step in one process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "version")]
enum StoredUsage {
    #[serde(rename = "1")]
    V1(UsageV1),
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
struct UsageV1 {
    purpose: String,
    requests: BTreeMap<String, u64>,
    throttled: u64,
    limit: Option<u32>,
    windows: Vec<WindowV1>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct WindowV1 {
    started_at: Timestamp,
    milliseconds: u64,
    requests: u64,
    throttled: u64,
}

/// Stores what was sent since the last record, and returns how many requests those were. Nothing new, nothing stored.
/// The worker calls it after each step, or [`steps::record`](super::steps::record), which does it too.
///
/// # Errors
/// [`DocumentError`].
pub async fn record(ctx: &Context) -> Result<u64, DocumentError> {
    record_for(ctx, WHOLE_RUN).await
}

/// As [`record`], with the step that the requests were for.
///
/// # Errors
/// [`DocumentError`].
pub async fn record_for(ctx: &Context, purpose: &str) -> Result<u64, DocumentError> {
    let now = stored(&ctx.destination.usage(), purpose);
    let total = now.total();
    let connection = now.windows.first().map_or(0, |window| window.started_at.as_nanosecond());
    let marks = ctx.key(&format!("usage/{connection:020}"))?;
    let before = match ctx.store.list(&marks).await?.last() {
        Some(newest) => {
            let StoredUsage::V1(before) = run_folder::need(ctx, newest).await?;
            before
        }
        None => UsageV1::default(),
    };
    if total <= before.total() {
        return Ok(0);
    }
    let since = now.since(&before);
    let key = ctx.run_key(&format!("usage/{connection:020}-{total:012}.json"))?;
    let requests = since.total();
    run_folder::put(ctx, &key, &StoredUsage::V1(since)).await?;
    let mark = ctx.key(&format!("usage/{connection:020}/{total:012}.json"))?;
    run_folder::put(ctx, &mark, &StoredUsage::V1(now)).await?;
    Ok(requests)
}

/// Requests of a run.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RunUsage {
    /// By route pattern and method.
    pub requests: BTreeMap<String, u64>,
    /// By purpose, such as `load`.
    pub purposes: BTreeMap<String, u64>,
    /// Answers 429.
    pub throttled: u64,
    /// Requests that the bucket takes, as the last answers told it.
    pub limit: Option<u32>,
    /// Windows in order of time, each with its purpose.
    pub windows: Vec<(Window, String)>,
}

impl RunUsage {
    /// All requests.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.requests.values().sum()
    }

    /// Seconds of the windows that no step claims: those of steps that stopped with an error.
    #[must_use]
    pub fn unclaimed_seconds(&self) -> f64 {
        let unclaimed = self.windows.iter().filter(|(_, purpose)| purpose == WHOLE_RUN);
        let milliseconds = unclaimed.map(|(window, _)| window.milliseconds).sum();
        Duration::from_millis(milliseconds).as_secs_f64()
    }
}

/// Adds up what all starts of the run have recorded, but for the report's own look at the account's name: it would make
/// every report differ from the one before.
///
/// # Errors
/// [`DocumentError`].
pub async fn read(ctx: &Context) -> Result<RunUsage, DocumentError> {
    let mut usage = RunUsage::default();
    for key in ctx.store.list(&ctx.run_key("usage")?).await? {
        let StoredUsage::V1(part) = run_folder::need(ctx, &key).await?;
        if part.purpose == super::STEP {
            continue;
        }
        *usage.purposes.entry(part.purpose.clone()).or_default() += part.total();
        for (route, count) in part.requests {
            *usage.requests.entry(route).or_default() += count;
        }
        usage.throttled += part.throttled;
        usage.limit = part.limit.or(usage.limit);
        for window in part.windows {
            let WindowV1 { started_at, milliseconds, requests, throttled } = window;
            usage
                .windows
                .push((Window { started_at, milliseconds, requests, throttled }, part.purpose.clone()));
        }
    }
    usage.windows.sort_by_key(|(window, _)| window.started_at);
    Ok(usage)
}

fn stored(usage: &Usage, purpose: &str) -> UsageV1 {
    let window = |window: &Window| WindowV1 {
        started_at: window.started_at,
        milliseconds: window.milliseconds,
        requests: window.requests,
        throttled: window.throttled,
    };
    UsageV1 {
        purpose: purpose.to_owned(),
        requests: usage.requests.clone(),
        throttled: usage.throttled,
        limit: usage.bucket.map(|(_, limit)| limit),
        windows: usage.windows.iter().map(window).collect(),
    }
}

impl UsageV1 {
    fn total(&self) -> u64 {
        self.requests.values().sum()
    }

    /// What was added since an earlier record of the same connection.
    fn since(&self, before: &Self) -> Self {
        let earlier = |route: &String| before.requests.get(route).copied().unwrap_or(0);
        let requests =
            self.requests.iter().map(|(route, count)| (route.clone(), count.saturating_sub(earlier(route))));
        let last = before.windows.last();
        let windows = self.windows.iter().filter_map(|window| match last {
            Some(last) if window.started_at < last.started_at => None,
            Some(last) if window.started_at == last.started_at => Some(WindowV1 {
                requests: window.requests.saturating_sub(last.requests),
                throttled: window.throttled.saturating_sub(last.throttled),
                ..window.clone()
            }),
            _ => Some(window.clone()),
        });
        Self {
            purpose: self.purpose.clone(),
            requests: requests.filter(|(_, count)| *count > 0).collect(),
            throttled: self.throttled.saturating_sub(before.throttled),
            limit: self.limit,
            windows: windows.filter(|window| window.requests > 0).collect(),
        }
    }
}
