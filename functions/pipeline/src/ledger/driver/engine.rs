//! The loop behind [`super::drive`]: what is announced, what is on its way, what waits.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use jiff::Timestamp;
use migration::ledger::{ReceiptClass, Via};

use super::job::{self, Answer, Finished};
use super::{Action, DriveError, Outcome, Part, Reaction, Tally, Work};
use crate::context::Context;
use crate::ledger::stored::{IntentV1, NoteV1, ReceiptV1, key_text};
use crate::ledger::timing::{later, until};
use crate::ledger::{Draft, Ledger, LedgerError};
use crate::ports::store::{Put, StoreError};
use crate::progress::Event;

/// Writes in doubt at the same time; more means that the destination is down, so nothing new is sent.
const DOUBTS_MAX: usize = 40;
/// Look-ups and repetitions of one write before it is given up and reported.
const ATTEMPTS_MAX: u32 = 6;
/// Requests in a row that could not be sent before the step stops.
const NOT_SENT_IN_A_ROW_MAX: u32 = 12;
/// First pause after a request that could not be sent; doubles up to [`NOT_SENT_PAUSE_MAX`].
const NOT_SENT_PAUSE: Duration = Duration::from_secs(1);
/// Longest pause between two tries to reach the destination.
const NOT_SENT_PAUSE_MAX: Duration = Duration::from_secs(30);
/// Outcomes between two progress events.
const PROGRESS_OUTCOMES: u64 = 25;

/// A write that may or may not have taken effect.
struct Doubtful {
    action: Action,
    /// When to look.
    due: Timestamp,
    /// From when on absence is a fact.
    quiet: Timestamp,
}

type Appended = (Draft, Vec<Action>, Result<Put, StoreError>);

enum Step {
    Finished(Finished),
    Appended(Appended),
    Woken,
    Idle,
}

pub(super) struct Engine<'a> {
    ctx: &'a Context,
    ledger: &'a mut Ledger,
    work: &'a mut dyn Work,
    part: &'a Part,
    /// To announce before anything new.
    ready: VecDeque<Action>,
    /// In the ledger, not sent.
    announced: VecDeque<(Action, Timestamp)>,
    running: FuturesUnordered<BoxFuture<'static, Finished>>,
    append: Option<BoxFuture<'static, Appended>>,
    receipts: Vec<ReceiptV1>,
    waiting: Vec<Doubtful>,
    exhausted: bool,
    stop: Option<DriveError>,
    /// No request starts before.
    paused_until: Option<Timestamp>,
    not_sent_in_a_row: u32,
    refused_in_a_row: usize,
    refusals: BTreeMap<(String, String), u64>,
    /// Requests started while the last segment was on its way.
    sent_during_append: usize,
    pub(super) tally: Tally,
}

impl<'a> Engine<'a> {
    pub(super) fn new(
        ctx: &'a Context,
        ledger: &'a mut Ledger,
        work: &'a mut dyn Work,
        part: &'a Part,
    ) -> Self {
        Self {
            ctx,
            ledger,
            work,
            part,
            ready: VecDeque::new(),
            announced: VecDeque::new(),
            running: FuturesUnordered::new(),
            append: None,
            receipts: Vec::new(),
            waiting: Vec::new(),
            exhausted: false,
            stop: None,
            paused_until: None,
            not_sent_in_a_row: 0,
            refused_in_a_row: 0,
            refusals: BTreeMap::new(),
            sent_during_append: 0,
            tally: Tally::default(),
        }
    }

    pub(super) async fn run(&mut self) -> Result<(), DriveError> {
        loop {
            if self.stop.is_none() {
                self.start_requests();
                self.start_look_ups();
                self.start_append()?;
            }
            match self.step().await {
                Step::Finished(finished) => self.finish(finished).await?,
                Step::Appended(appended) => self.appended(appended)?,
                Step::Woken => (),
                Step::Idle => break,
            }
        }
        if !self.receipts.is_empty() {
            let receipts = std::mem::take(&mut self.receipts);
            self.ledger.announce(Vec::new(), receipts).await.map_err(DriveError::Ledger)?;
        }
        self.stop.take().map_or(Ok(()), Err)
    }

    /// Waits for whatever comes first.
    async fn step(&mut self) -> Step {
        let stopping = self.stop.is_some();
        let busy = !self.running.is_empty() || self.append.is_some();
        let wake = if stopping { None } else { self.next_wake() };
        if !busy && wake.is_none() {
            return Step::Idle;
        }
        let sleep = wake.map_or(Duration::ZERO, |due| until(self.ctx.clock.now(), due));
        let append = &mut self.append;
        let appending = append.is_some();
        let appended = async {
            match append.as_mut() {
                Some(append) => append.await,
                None => std::future::pending().await,
            }
        };
        let step = tokio::select! {
            biased;
            Some(finished) = self.running.next(), if !self.running.is_empty() => Step::Finished(finished),
            done = appended, if appending => Step::Appended(done),
            () = self.ctx.clock.sleep(sleep), if wake.is_some() => Step::Woken,
            else => Step::Idle,
        };
        if matches!(step, Step::Appended(_)) {
            self.append = None;
        }
        step
    }

    fn next_wake(&self) -> Option<Timestamp> {
        let room = self.running.len() < self.in_flight();
        let look = self.waiting.iter().map(|doubtful| doubtful.due).min().filter(|_| room);
        let paused = self.paused_until.filter(|_| !self.announced.is_empty());
        look.into_iter().chain(paused).min()
    }

    fn in_flight(&self) -> usize {
        self.ctx.limits.destination_in_flight.max(1)
    }

    /// Sends announced writes while there is room.
    fn start_requests(&mut self) {
        let now = self.ctx.clock.now();
        if self.paused_until.is_some_and(|paused| now < paused) {
            return;
        }
        self.paused_until = None;
        while self.running.len() < self.in_flight() {
            let Some((action, not_after)) = self.announced.pop_front() else { break };
            if !self.ledger.timing().may_start(now, not_after) {
                self.ready.push_back(action);
                continue;
            }
            self.sent_during_append += 1;
            let gorgias = Arc::clone(&self.ctx.destination);
            self.running.push(Box::pin(job::send(gorgias, action)));
        }
    }

    /// Looks for writes in doubt whose time has come.
    fn start_look_ups(&mut self) {
        let now = self.ctx.clock.now();
        while self.running.len() < self.in_flight() {
            let Some(at) = self.waiting.iter().position(|doubtful| doubtful.due <= now) else { break };
            let doubtful = self.waiting.remove(at);
            let gorgias = Arc::clone(&self.ctx.destination);
            self.running.push(Box::pin(job::look_up(gorgias, doubtful.action, doubtful.quiet)));
        }
    }

    /// Announces the next group early enough, or stores outcomes when nothing else is left to do.
    fn start_append(&mut self) -> Result<(), DriveError> {
        if self.append.is_some() {
            return Ok(());
        }
        let group_max = self.ctx.limits.group_intents.max(1);
        let low_water = (self.in_flight() + 2 * self.sent_during_append).min(group_max);
        let mut group = Vec::new();
        if self.announced.len() <= low_water {
            self.gather(&mut group, group_max)?;
        }
        let quiet = self.running.is_empty() && self.announced.is_empty();
        if group.is_empty() && (self.receipts.is_empty() || !quiet) {
            return Ok(());
        }
        let mut receipts = std::mem::take(&mut self.receipts);
        receipts.extend(group.iter().filter_map(|action| self.not_applied(action)));
        let intents = group.iter().map(|action| self.intent(action)).collect();
        let draft = self.ledger.draft_work(intents, receipts).map_err(DriveError::Ledger)?;
        let (store, clock) = (Arc::clone(&self.ctx.store), Arc::clone(&self.ctx.clock));
        self.sent_during_append = 0;
        self.append = Some(Box::pin(async move {
            let put = draft.put(&*store, &*clock).await;
            (draft, group, put)
        }));
        Ok(())
    }

    fn intent(&self, action: &Action) -> IntentV1 {
        let body_hmac = action.request.body_hmac(self.ledger.secret());
        IntentV1 {
            key: key_text(&action.key),
            op: action.request.operation().as_str().to_owned(),
            version: action.wish.clone().unwrap_or_else(|| body_hmac.clone()),
            body_hmac,
            target: action.request.target(),
        }
    }

    /// A write that is announced again settles its earlier announcement first.
    fn not_applied(&self, action: &Action) -> Option<ReceiptV1> {
        self.ledger.book().doubt(&action.key).map(|_| ReceiptV1 {
            key: key_text(&action.key),
            dest_id: None,
            class: ReceiptClass::Absent.as_str().to_owned(),
            via: Via::Lookup.as_str().to_owned(),
            field_hmacs: BTreeMap::new(),
            note: None,
        })
    }

    /// Fills the next group: what waits first, then new work; what an earlier owner left in doubt is looked up instead.
    fn gather(&mut self, group: &mut Vec<Action>, group_max: usize) -> Result<(), DriveError> {
        while group.len() < group_max && self.waiting.len() < DOUBTS_MAX {
            if let Some(action) = self.ready.pop_front() {
                group.push(action);
                continue;
            }
            if self.exhausted {
                break;
            }
            match self.work.next(self.ledger) {
                Ok(Some(action)) => {
                    if let Some(action) = self.take_in(action) {
                        group.push(action);
                    }
                }
                Ok(None) => self.exhausted = true,
                Err(failure) => {
                    self.ready.extend(group.drain(..));
                    return Err(DriveError::Work(failure));
                }
            }
        }
        Ok(())
    }

    /// Gives the action back unless an earlier owner may have sent it.
    fn take_in(&mut self, action: Action) -> Option<Action> {
        let Some(not_after) = self.ledger.book().doubt(&action.key) else { return Some(action) };
        let quiet = self.ledger.timing().quiet_after_takeover(not_after);
        let due = self.ctx.clock.now();
        self.waiting.push(Doubtful { action, due, quiet });
        None
    }

    fn appended(&mut self, (draft, group, put): Appended) -> Result<(), DriveError> {
        let put = put.map_err(LedgerError::Store).map_err(DriveError::Ledger)?;
        let not_after = draft.not_after();
        self.ledger.commit(draft, put).map_err(DriveError::Ledger)?;
        self.announced.extend(group.into_iter().map(|action| (action, not_after)));
        Ok(())
    }

    async fn finish(&mut self, finished: Finished) -> Result<(), DriveError> {
        let Finished { mut action, answer } = finished;
        if !matches!(answer, Answer::NotSent { .. }) {
            self.not_sent_in_a_row = 0;
        }
        match answer {
            Answer::Outcome(outcome) => return self.settle(action, outcome).await,
            Answer::NotSent { request } => {
                self.not_sent(&request);
                self.ready.push_front(action);
            }
            Answer::Credentials { request } => {
                self.stop.get_or_insert(DriveError::Credentials { request });
            }
            Answer::InDoubt => {
                action.attempts += 1;
                if action.attempts >= ATTEMPTS_MAX {
                    return self.settle(action, Outcome::Unsettled).await;
                }
                let quiet = self.ledger.timing().quiet_at(self.ctx.clock.now());
                self.waiting.push(Doubtful { action, due: quiet, quiet });
            }
            Answer::Absent { quiet } => {
                if self.ctx.clock.now() < quiet {
                    self.waiting.push(Doubtful { action, due: quiet, quiet });
                } else {
                    self.tally.repeated += 1;
                    self.ready.push_back(action);
                }
            }
        }
        Ok(())
    }

    fn not_sent(&mut self, request: &str) {
        self.not_sent_in_a_row += 1;
        if self.not_sent_in_a_row >= NOT_SENT_IN_A_ROW_MAX {
            self.stop.get_or_insert(DriveError::Unreachable { request: request.to_owned() });
        }
        let doublings = (self.not_sent_in_a_row - 1).min(5);
        let pause = (NOT_SENT_PAUSE * 2_u32.pow(doublings)).min(NOT_SENT_PAUSE_MAX);
        self.paused_until = Some(later(self.ctx.clock.now(), pause));
    }

    async fn settle(&mut self, action: Action, outcome: Outcome) -> Result<(), DriveError> {
        let looked_up = matches!(outcome, Outcome::Done { via: Via::Lookup, .. });
        match self.work.settle(&action, outcome, self.ledger).await.map_err(DriveError::Work)? {
            Reaction::Instead(mut other) => {
                other.attempts = action.attempts + 1;
                self.ready.push_front(other);
            }
            // Neither done nor failed: nobody knows.
            Reaction::Leave => self.tally.left += 1,
            Reaction::Record { dest_id, class, via, note, follow } => {
                self.tally.looked_up += u64::from(looked_up);
                let applied = class != ReceiptClass::Refused;
                self.count(applied, note.as_ref());
                let field_hmacs = if applied { self.field_hmacs(&action) } else { BTreeMap::new() };
                self.receipts.push(ReceiptV1 {
                    key: key_text(&action.key),
                    dest_id,
                    class: class.as_str().to_owned(),
                    via: via.as_str().to_owned(),
                    field_hmacs,
                    note,
                });
                for next in follow {
                    if let Some(next) = self.take_in(next) {
                        self.ready.push_back(next);
                    }
                }
            }
        }
        Ok(())
    }

    fn field_hmacs(&self, action: &Action) -> BTreeMap<String, String> {
        let secret = self.ledger.secret();
        let fields = action.request.fields().into_iter();
        fields.map(|(name, value)| (name.to_owned(), secret.field_hash(name, &value))).collect()
    }

    /// Counts an outcome, tells the progress, and trips the breaker.
    fn count(&mut self, applied: bool, note: Option<&NoteV1>) {
        if applied {
            self.tally.done += 1;
            self.refused_in_a_row = 0;
        } else {
            self.tally.failed += 1;
            self.refused_in_a_row += 1;
            let reason = note.map_or_else(Default::default, |note| (note.code.clone(), note.text.clone()));
            *self.refusals.entry(reason).or_default() += 1;
            self.check_breaker();
        }
        if (self.tally.done + self.tally.failed).is_multiple_of(PROGRESS_OUTCOMES) {
            let event = Event::StepAdvanced {
                step: self.part.step,
                part: self.part.name.clone(),
                done: self.tally.done,
                failed: self.tally.failed,
                bucket: self.ctx.destination.usage().bucket,
            };
            self.ctx.progress.emit(self.ctx.clock.now(), event);
        }
    }

    /// A share of refusals means something only beyond the number that is bearable in a row.
    fn check_breaker(&mut self) {
        let limits = &self.ctx.limits;
        let seen = self.part.total.unwrap_or(self.tally.done + self.tally.failed).max(1);
        #[expect(clippy::cast_precision_loss, reason = "a percentage of record counts far below 2^52")]
        let percent = self.tally.failed as f64 * 100.0 / seen as f64;
        let many = usize::try_from(self.tally.failed).unwrap_or(usize::MAX) > limits.refused_in_a_row_max;
        let tripped = self.refused_in_a_row >= limits.refused_in_a_row_max
            || (many && percent > limits.refused_percent_max);
        if tripped && self.stop.is_none() {
            let commonest = self.refusals.iter().max_by_key(|(_, count)| **count);
            let (code, text) = commonest.map_or_else(Default::default, |(reason, _)| reason.clone());
            self.stop = Some(DriveError::Breaker { refused: self.tally.failed, code, text });
        }
    }
}
