//! The port over an [`Account`]: pages, faults, late effects, a count of every request.

mod port;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

use super::account::{Account, Fault, No};
use super::bug::Bug;
use super::chance::Weather;
use super::told::Told;
use super::world::{Effects, TestClock};
use crate::ledger::timing::later;
use crate::ports::clock::Clock;
use crate::ports::gorgias::{Cursor, PAGE_RECORDS_MAX, Page, Raw, ReadError, WriteError};
use crate::stop::Stop;

type Effect = Box<dyn FnOnce(&mut Account, Timestamp) + Send>;

/// A leaky bucket, and how long an answer takes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    pub(crate) capacity: u32,
    pub(crate) interval: Duration,
    pub(crate) latency: Duration,
}

struct Inside {
    weather: Weather,
    bug: Option<Bug>,
    /// What a client with a stale cache sees of records by their ids.
    stale: Option<Account>,
    pace: Option<Pace>,
    /// When the bucket is empty again, in the clock's nanoseconds.
    empty_at: u64,
    account: Account,
    requests: BTreeMap<String, u64>,
    /// By route and its number from 1.
    faults: BTreeMap<(String, u64), Fault>,
    late: Vec<(Timestamp, Effect)>,
    /// By route, what a person does right before the next write on it takes effect.
    before: BTreeMap<String, Effect>,
    told: Told,
    /// Every page and record of people, tickets and messages that was asked for, in order.
    reads: Vec<String>,
    /// Asks to stop when so many requests have come in all.
    stop_at: Option<(u64, Stop)>,
}

impl Inside {
    fn of(account: Account) -> Self {
        Self {
            weather: Weather::fair(),
            bug: None,
            stale: None,
            pace: None,
            empty_at: 0,
            account,
            requests: BTreeMap::new(),
            faults: BTreeMap::new(),
            late: Vec::new(),
            before: BTreeMap::new(),
            told: Told::default(),
            reads: Vec::new(),
            stop_at: None,
        }
    }
}

/// One connection to an account; others may share it.
pub(crate) struct FakeGorgias {
    inside: Arc<Mutex<Inside>>,
    clock: Arc<TestClock>,
    effects: Arc<Effects>,
}

impl FakeGorgias {
    pub(crate) fn new(account: Account, clock: Arc<TestClock>, effects: Arc<Effects>) -> Self {
        Self { inside: Arc::new(Mutex::new(Inside::of(account))), clock, effects }
    }

    /// Another process' connection to the same account.
    pub(crate) fn beside(&self, effects: Arc<Effects>) -> Self {
        Self { inside: Arc::clone(&self.inside), clock: Arc::clone(&self.clock), effects }
    }

    pub(crate) fn set_weather(&self, weather: Weather) {
        self.with(|inside| inside.weather = weather);
    }

    pub(crate) fn weather<T>(&self, look: impl FnOnce(&mut Weather) -> T) -> T {
        self.with(|inside| look(&mut inside.weather))
    }

    pub(crate) fn set_bug(&self, bug: Option<Bug>) {
        self.with(|inside| inside.bug = bug);
    }

    /// From now on a client with [`Bug::StaleReads`] sees the account as it is now.
    pub(crate) fn go_stale(&self) {
        self.with(|inside| {
            inside.stale = (inside.bug == Some(Bug::StaleReads)).then(|| inside.account.clone());
        });
    }

    /// A record by its id, as this client sees it.
    fn seen<T: Clone>(&self, find: impl Fn(&Account) -> Option<&T>) -> Option<T> {
        self.with(|inside| {
            let stale = inside.stale.as_ref().and_then(&find);
            stale.or_else(|| find(&inside.account)).cloned()
        })
    }

    /// Whether a record that took effect at `since` shows in a look-up by its key.
    fn shows(inside: &Inside, now: Timestamp, id: u64, since: Option<Timestamp>) -> bool {
        since.is_none_or(|since| later(since, inside.weather.lag_of(id)) <= now)
    }

    fn with<T>(&self, look: impl FnOnce(&mut Inside) -> T) -> T {
        let now = self.clock.now();
        let mut inside = self.inside.lock().unwrap_or_else(PoisonError::into_inner);
        let (due, late) = std::mem::take(&mut inside.late).into_iter().partition(|(at, _)| *at <= now);
        inside.late = late;
        let due: Vec<(Timestamp, Effect)> = due;
        for (at, effect) in due {
            effect(&mut inside.account, at);
        }
        look(&mut inside)
    }

    /// The `nth` request (from 1) on this route goes wrong.
    pub(crate) fn fail(&self, route: &str, nth: u64, fault: Fault) {
        self.with(|inside| inside.faults.insert((route.to_owned(), nth), fault));
    }

    /// A person acts after our last look and right before our next write on this route takes effect.
    #[cfg(test)]
    pub(crate) fn person_before(
        &self,
        route: &str,
        act: impl FnOnce(&mut Account, Timestamp) + Send + 'static,
    ) {
        self.with(|inside| inside.before.insert(route.to_owned(), Box::new(act)));
    }

    /// Asks to stop when so many more requests have come.
    pub(crate) fn stop_after(&self, requests: u64, stop: &Stop) {
        let at = self.all_requests() + requests;
        self.with(|inside| inside.stop_at = Some((at, stop.clone())));
    }

    /// Pages and records that were asked for since they were last taken.
    pub(crate) fn reads(&self) -> Vec<String> {
        self.with(|inside| inside.reads.clone())
    }

    pub(crate) fn take_reads(&self) -> Vec<String> {
        self.with(|inside| std::mem::take(&mut inside.reads))
    }

    fn note(&self, route: &str, what: &str) {
        self.with(|inside| inside.reads.push(format!("{route} {what}")));
    }

    /// A record with a text from which it can be understood again.
    fn raw<T: Clone + std::fmt::Debug + Send + 'static>(&self, record: &T) -> Raw<T> {
        self.with(|inside| inside.told.tell(record))
    }

    fn again<T: Clone + 'static>(&self, json: &str) -> Result<Raw<T>, ReadError> {
        let unusable =
            || ReadError::Unusable { request: "a kept answer".to_owned(), why: "never told".to_owned() };
        self.with(|inside| inside.told.again(json)).ok_or_else(unusable)
    }

    pub(crate) fn account<T>(&self, look: impl FnOnce(&mut Account) -> T) -> T {
        self.with(|inside| look(&mut inside.account))
    }

    pub(crate) fn requests(&self, route: &str) -> u64 {
        self.with(|inside| inside.requests.get(route).copied().unwrap_or(0))
    }

    pub(crate) fn usage_by_route(&self) -> BTreeMap<String, u64> {
        self.with(|inside| inside.requests.clone())
    }

    pub(crate) fn all_requests(&self) -> u64 {
        self.with(|inside| inside.requests.values().sum())
    }

    pub(crate) fn set_pace(&self, pace: Pace) {
        self.with(|inside| inside.pace = Some(pace));
    }

    /// Waits for room in the bucket, and for the way there and back.
    async fn travel(&self) {
        let now = self.clock.elapsed_nanoseconds();
        let wait = self.with(|inside| {
            let pace = inside.pace?;
            let nanoseconds = |duration: Duration| u64::try_from(duration.as_nanos()).expect("short");
            let interval = nanoseconds(pace.interval);
            inside.empty_at = inside.empty_at.max(now) + interval;
            let room = u64::from(pace.capacity) * interval;
            let send_at = inside.empty_at.saturating_sub(room).max(now);
            Some(Duration::from_nanos(send_at - now) + pace.latency)
        });
        if let Some(wait) = wait {
            self.clock.sleep(wait).await;
        }
    }

    /// Counts a request and tells what goes wrong with it.
    fn arrive(&self, route: &str) -> Option<Fault> {
        self.with(|inside| {
            let count = inside.requests.entry(route.to_owned()).or_default();
            *count += 1;
            let nth = *count;
            let all: u64 = inside.requests.values().sum();
            if let Some((_, stop)) = inside.stop_at.take_if(|(at, _)| *at == all) {
                stop.request();
            }
            inside.faults.get(&(route.to_owned(), nth)).copied()
        })
    }

    /// As [`FakeGorgias::arrive`] for a write, which the weather may meet too.
    fn arrive_write(&self, route: &str) -> Option<Fault> {
        let planned = self.arrive(route);
        self.with(|inside| planned.or_else(|| inside.weather.write_fault(route == "POST /tickets")))
    }

    fn read<T>(&self, route: &str, look: impl FnOnce(&Account) -> T) -> Result<T, ReadError> {
        match self.arrive(route) {
            None => Ok(self.with(|inside| look(&inside.account))),
            Some(Fault::Credentials) => Err(ReadError::Credentials { request: route.to_owned() }),
            Some(Fault::Refused) => Err(ReadError::Refused { request: route.to_owned() }),
            Some(_) => {
                Err(ReadError::NoAnswer { request: route.to_owned(), source: "connection reset".into() })
            }
        }
    }

    fn page<T: Clone + std::fmt::Debug + Send + 'static>(
        &self,
        route: &str,
        cursor: Option<&Cursor>,
        look: impl FnOnce(&Account) -> Vec<T>,
    ) -> Result<Page<T>, ReadError> {
        let from: usize = cursor.map_or(Ok(0), |cursor| cursor.0.parse()).expect("own cursor");
        self.note(route, &format!("from {from}"));
        let all = self.read(route, look)?;
        let until = all.len().min(from + PAGE_RECORDS_MAX);
        let next = (until < all.len()).then(|| Cursor(until.to_string()));
        Ok(Page { records: all[from..until].iter().map(|record| self.raw(record)).collect(), next })
    }

    async fn write<T: Send + 'static>(
        &self,
        route: &str,
        partial: Option<Effect>,
        apply: impl FnOnce(&mut Account, Timestamp) -> Result<T, No> + Send + 'static,
    ) -> Result<T, WriteError> {
        self.travel().await;
        self.effects.begins().await;
        let request = route.to_owned();
        let now = self.clock.now();
        let bug = self.with(|inside| {
            if let Some(act) = inside.before.remove(route) {
                act(&mut inside.account, now);
            }
            inside.bug
        });
        let in_doubt = |request| match bug {
            Some(Bug::DoubtIsNotSent) => WriteError::NotSent { request, source: None },
            Some(Bug::DoubtIsRefused) => {
                WriteError::Refused { request, status: 500, message: "server error".to_owned() }
            }
            _ => WriteError::InDoubt { request, source: None },
        };
        let answer = match self.arrive_write(route) {
            Some(Fault::NotSent) => return Err(WriteError::NotSent { request, source: None }),
            Some(Fault::Credentials) => return Err(WriteError::Credentials { request }),
            Some(Fault::Refused) => {
                return Err(WriteError::Refused { request, status: 400, message: "invalid".to_owned() });
            }
            Some(Fault::Vanished) => return Err(in_doubt(request)),
            Some(Fault::Late(seconds)) => {
                let at = later(now, Duration::from_secs(seconds));
                let effect: Effect = Box::new(move |account, at| drop(apply(account, at)));
                self.with(|inside| inside.late.push((at, effect)));
                return Err(in_doubt(request));
            }
            Some(Fault::Partial) => {
                let effect = partial.expect("only tickets can arrive in part");
                self.with(|inside| effect(&mut inside.account, now));
                self.effects.happened().await;
                return Err(in_doubt(request));
            }
            Some(Fault::AnswerLost) => {
                self.with(|inside| drop(apply(&mut inside.account, now)));
                self.effects.happened().await;
                return Err(in_doubt(request));
            }
            None => self.with(|inside| apply(&mut inside.account, now)),
        };
        self.effects.happened().await;
        answer.map_err(|no| match no {
            No::Refused(why) => WriteError::Refused { request, status: 400, message: why.to_owned() },
            No::Conflict => WriteError::Conflict { request },
            No::Gone => WriteError::Gone { request },
        })
    }
}
