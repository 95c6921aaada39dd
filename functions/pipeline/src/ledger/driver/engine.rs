//! The loop behind [`super::drive`]: what is announced, what is on its way, what waits.

mod asides;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use migration::ledger::{ReceiptClass, Via};

use super::breaker::Breaker;
use super::doubts::{Doubtful, Doubts};
use super::job::{self, Answer, Ended, Finished};
use super::probes::Probes;
use super::withdraw::{self, Late};
use super::{Action, DriveError, Outcome, Part, Reaction, Tally, Work};
use crate::context::Context;
use crate::ledger::stored::{IntentV1, NoteV1, ReceiptV1, key_text};
use crate::ledger::timing::Moment;
use crate::ledger::{Draft, Ledger, LedgerError};
use crate::ports::store::{Put, StoreError};
use crate::progress::Event;

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

type Appended = (Draft, Vec<Action>, Moment, Result<Put, StoreError>);

enum Step {
    Ended(Ended),
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
    /// In the ledger, not sent, with the last moment to start.
    announced: VecDeque<(Action, Moment)>,
    running: FuturesUnordered<BoxFuture<'static, Ended>>,
    /// Writes among what is running.
    writing: usize,
    append: Option<BoxFuture<'static, Appended>>,
    receipts: Vec<ReceiptV1>,
    doubts: Doubts,
    probes: Probes,
    exhausted: bool,
    stop: Option<DriveError>,
    /// Another owner took over: answers that still come are kept apart.
    late: Option<Vec<Late>>,
    /// No request starts before.
    paused_until: Option<Moment>,
    /// Outside of the hours nothing new is announced; when to look again.
    resting_until: Option<Moment>,
    not_sent_in_a_row: u32,
    breaker: Breaker,
    /// Requests started while the last segment was on its way.
    sent_during_append: usize,
    /// Outcomes since somebody looked for messages that left Gorgias.
    unwatched: u64,
    pub(super) tally: Tally,
}

impl<'a> Engine<'a> {
    pub(super) fn new(
        ctx: &'a Context,
        ledger: &'a mut Ledger,
        work: &'a mut dyn Work,
        part: &'a Part,
    ) -> Self {
        let timing = *ledger.timing();
        Self {
            ctx,
            work,
            part,
            ready: VecDeque::new(),
            announced: VecDeque::new(),
            running: FuturesUnordered::new(),
            writing: 0,
            append: None,
            receipts: Vec::new(),
            doubts: Doubts::new(timing.barrier),
            probes: Probes::default(),
            exhausted: false,
            stop: None,
            late: None,
            paused_until: None,
            resting_until: None,
            not_sent_in_a_row: 0,
            breaker: Breaker::default(),
            sent_during_append: 0,
            unwatched: 0,
            tally: Tally::default(),
            ledger,
        }
    }

    pub(super) async fn run(&mut self) -> Result<(), DriveError> {
        loop {
            if self.ctx.stop.is_requested() {
                self.stop.get_or_insert(DriveError::Stopped);
            }
            if self.stop.is_none() {
                self.look_at_hours();
                // Looks first: one that waits behind writes would measure that wait as a lag.
                self.start_look_ups();
                self.start_requests();
                self.start_append()?;
            }
            match self.step().await {
                Step::Ended(Ended::Write(finished)) => {
                    self.writing -= 1;
                    self.finish(finished).await?;
                }
                Step::Ended(Ended::Probe(probe, is_visible)) => self.probed(probe, is_visible),
                Step::Ended(Ended::Watch(seen)) => self.watched(&seen),
                Step::Appended(appended) => self.appended(appended)?,
                Step::Woken => (),
                Step::Idle => break,
            }
        }
        self.tally.suspects = self.doubts.suspects();
        if let Some(late) = self.late.take() {
            self.tally.withdrawn =
                withdraw::run(self.ctx, self.ledger, late).await.map_err(DriveError::Ledger)?;
        } else {
            self.store_rest().await?;
        }
        self.stop.take().map_or(Ok(()), Err)
    }

    /// Outcomes that no segment carries yet; what was announced and never sent is not in doubt.
    async fn store_rest(&mut self) -> Result<(), DriveError> {
        let mut receipts = std::mem::take(&mut self.receipts);
        let unsent = self.announced.drain(..).map(|(action, _)| action).chain(self.ready.drain(..));
        let unsent: Vec<Action> = unsent.collect();
        receipts.extend(unsent.iter().filter_map(|action| self.not_applied(action)));
        if !receipts.is_empty() {
            self.ledger.announce(Vec::new(), receipts).await.map_err(DriveError::Ledger)?;
        }
        Ok(())
    }

    fn now(&self) -> Moment {
        Moment::now(&*self.ctx.clock)
    }

    /// Waits for whatever comes first.
    async fn step(&mut self) -> Step {
        let stopping = self.stop.is_some();
        let busy = !self.running.is_empty() || self.append.is_some();
        let wake = if stopping { None } else { self.next_wake() };
        if !busy && wake.is_none() {
            return Step::Idle;
        }
        let sleep = wake.map_or(Duration::ZERO, |due| due.since(self.now()));
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
            Some(ended) = self.running.next(), if !self.running.is_empty() => Step::Ended(ended),
            done = appended, if appending => Step::Appended(done),
            () = self.ctx.stop.requested(), if !stopping => Step::Woken,
            () = self.ctx.clock.sleep(sleep), if wake.is_some() => Step::Woken,
            else => Step::Idle,
        };
        if matches!(step, Step::Appended(_)) {
            self.append = None;
        }
        step
    }

    fn next_wake(&self) -> Option<Moment> {
        let room = self.running.len() < self.in_flight();
        let look = self.doubts.next_due(self.has_fresh_work()).filter(|_| room);
        let probe = self.probes.next_due().filter(|_| room);
        let paused = self.paused_until.filter(|_| !self.announced.is_empty());
        let resting = self.resting_until.filter(|_| !self.ready.is_empty());
        look.into_iter().chain(probe).chain(paused).chain(resting).min()
    }

    fn in_flight(&self) -> usize {
        self.ctx.limits.destination_in_flight.max(1)
    }

    /// Whether a record may still be sent whose visibility could show how far the look-up is.
    fn has_fresh_work(&self) -> bool {
        let can_gather = (!self.exhausted && !self.doubts.is_full()) || !self.ready.is_empty();
        (can_gather && self.resting_until.is_none())
            || !self.announced.is_empty()
            || self.writing > 0
            || self.append.is_some()
            || !self.probes.is_empty()
    }

    /// Sends announced writes while there is room.
    fn start_requests(&mut self) {
        let now = self.now();
        if self.paused_until.is_some_and(|paused| now < paused) {
            return;
        }
        self.paused_until = None;
        while self.running.len() < self.in_flight() {
            let Some((action, until)) = self.announced.pop_front() else { break };
            if now > until {
                self.ready.push_back(action);
                continue;
            }
            self.sent_during_append += 1;
            self.writing += 1;
            let (gorgias, store) = (Arc::clone(&self.ctx.destination), Arc::clone(&self.ctx.store));
            self.running.push(Box::pin(job::send(gorgias, store, action, now)));
        }
    }

    /// Looks for writes in doubt whose time has come, and at fresh records that measure the lag.
    fn start_look_ups(&mut self) {
        let now = self.now();
        while self.running.len() < self.in_flight() {
            let Some(doubtful) = self.doubts.take_due(now, self.has_fresh_work()) else { break };
            self.writing += 1;
            let gorgias = Arc::clone(&self.ctx.destination);
            self.running.push(Box::pin(job::look_up(gorgias, doubtful, now)));
        }
        while self.running.len() < self.in_flight() {
            let Some(probe) = self.probes.take_due(now) else { break };
            let gorgias = Arc::clone(&self.ctx.destination);
            self.running.push(Box::pin(job::probe(gorgias, probe)));
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
        if self.resting_until.is_some() {
            // One is taken to know whether there is anything to wait for.
            if self.ready.is_empty() {
                self.gather(&mut group, 1)?;
                self.ready.extend(group.drain(..));
            }
        } else if self.announced.len() <= low_water {
            // A crash leaves no more in doubt than one group and what is in flight.
            let open = self.announced.len() + self.writing;
            let room = (group_max + self.in_flight()).saturating_sub(open);
            self.gather(&mut group, group_max.min(room))?;
        }
        let quiet = self.writing == 0 && self.announced.is_empty();
        if group.is_empty() && (self.receipts.is_empty() || !quiet) {
            return Ok(());
        }
        let mut receipts = std::mem::take(&mut self.receipts);
        receipts.extend(group.iter().filter_map(|action| self.not_applied(action)));
        let intents = group.iter().map(|action| self.intent(action)).collect();
        let draft = self.ledger.draft_work(intents, receipts).map_err(DriveError::Ledger)?;
        let (store, clock) = (Arc::clone(&self.ctx.store), Arc::clone(&self.ctx.clock));
        let drafted = self.now();
        self.sent_during_append = 0;
        self.append = Some(Box::pin(async move {
            let put = draft.put(&*store, &*clock).await;
            (draft, group, drafted, put)
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
        while group.len() < group_max && !self.doubts.is_full() {
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
        if self.ledger.book().doubt(&action.key).is_none() {
            return Some(action);
        }
        let still = self.ledger.still_of(&action.key, self.now(), self.ctx.clock.now());
        let visibility = self.ledger.lag().visibility();
        self.doubts.push(Doubtful::new(action, still), visibility);
        None
    }

    fn appended(&mut self, (draft, group, drafted, put): Appended) -> Result<(), DriveError> {
        let put = put.map_err(LedgerError::Store).map_err(DriveError::Ledger)?;
        match self.ledger.commit(draft, put) {
            Ok(()) => {}
            // What is on its way comes back all the same, and is then held against what the new owner did.
            Err(error @ LedgerError::AnotherOwner { .. }) => {
                self.late = Some(Vec::new());
                self.stop = Some(DriveError::Ledger(error));
                return Ok(());
            }
            Err(error) => return Err(DriveError::Ledger(error)),
        }
        let until = self.ledger.timing().may_start_until(drafted);
        self.announced.extend(group.into_iter().map(|action| (action, until)));
        Ok(())
    }

    async fn finish(&mut self, finished: Finished) -> Result<(), DriveError> {
        let Finished { mut action, answer, started } = finished;
        if !matches!(answer, Answer::NotSent { .. }) {
            self.not_sent_in_a_row = 0;
        }
        if let Some(late) = &mut self.late {
            if let Answer::Outcome(Outcome::Done { id, .. }) = answer {
                late.push(Late { action, id });
            }
            return Ok(());
        }
        match answer {
            Answer::Outcome(outcome) => return self.settle(action, outcome, started).await,
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
                    return self.settle(action, Outcome::Unsettled, started).await;
                }
                let still = self.now().after(self.ledger.timing().request_life);
                let visibility = self.ledger.lag().visibility();
                self.doubts.push(Doubtful::new(action, still), visibility);
            }
            Answer::Absent { still } => {
                let visibility = self.ledger.lag().visibility();
                let doubtful = Doubtful::new(action, still);
                let absent = self.doubts.absent(doubtful, visibility, self.now());
                let (again, over): (Vec<_>, Vec<_>) =
                    absent.into_iter().partition(|action| self.work.is_wanted(action));
                self.tally.repeated += again.len() as u64;
                self.ready.extend(again);
                let settled: Vec<_> = over.iter().filter_map(|action| self.not_applied(action)).collect();
                self.receipts.extend(settled);
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
        self.paused_until = Some(self.now().after(pause));
    }

    async fn settle(&mut self, action: Action, outcome: Outcome, started: Moment) -> Result<(), DriveError> {
        let answered = match outcome {
            Outcome::Done { via, .. } => Some(via),
            Outcome::Uploaded(_) => Some(Via::Answer),
            _ => None,
        };
        match self.work.settle(&action, outcome, self.ledger).await.map_err(DriveError::Work)? {
            Reaction::Instead(mut other) => {
                other.attempts = action.attempts + 1;
                self.ready.push_front(other);
            }
            // Neither done nor failed: nobody knows.
            Reaction::Leave => self.tally.left += 1,
            Reaction::Record { dest_id, class, via, note, follow } => {
                self.tally.looked_up += u64::from(answered == Some(Via::Lookup));
                let applied = !matches!(class, ReceiptClass::Refused | ReceiptClass::Absent);
                if answered == Some(Via::Answer) && class == ReceiptClass::Created {
                    self.consider_probe(&action, started);
                }
                // What is put off, and has no reason, is counted when it comes to its end.
                if applied || class == ReceiptClass::Refused || note.is_some() {
                    self.count(applied, note.as_ref());
                }
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
            self.breaker.applied();
        } else {
            self.tally.failed += 1;
            let seen = self.part.total.unwrap_or(self.tally.done + self.tally.failed);
            if let Some(tripped) = self.breaker.refused(note, seen, &self.ctx.limits) {
                self.stop.get_or_insert(tripped);
            }
        }
        self.consider_watch();
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
}
