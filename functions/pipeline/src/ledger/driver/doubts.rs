//! Writes that may or may not have taken effect, and when to look for them.
//!
//! An absence counts only when nothing of the write can take effect any more, what took effect is visible, and, where it
//! is asked for, a record that was sent later has shown (the barrier). Deliberately absent: the look-ups themselves.

use std::time::Duration;

use super::Action;
use super::probes::Probes;
use crate::ledger::timing::Moment;

/// Writes in doubt at the same time; more means that the destination is down, so nothing new is sent.
const DOUBTS_MAX: usize = 40;
/// Longest wait for the barrier beyond the wait for visibility; then visibility alone decides.
const BARRIER_MAX: Duration = Duration::from_secs(15 * 60);

/// A write that may or may not have taken effect.
pub(super) struct Doubtful {
    pub(super) action: Action,
    /// From here on nothing of it takes effect any more.
    pub(super) still: Moment,
    due: Moment,
}

impl Doubtful {
    pub(super) fn new(action: Action, still: Moment) -> Self {
        Self { action, still, due: still }
    }
}

/// All of them.
pub(super) struct Doubts {
    waiting: Vec<Doubtful>,
    has_barrier: bool,
    /// Everything sent before has shown, if the look-up shows records in the order of their effects.
    reached: Option<Moment>,
    /// How long visibility was waited for, for each absence that was believed.
    believed: Vec<Duration>,
    suspects: u64,
}

impl Doubts {
    pub(super) fn new(has_barrier: bool) -> Self {
        Self { waiting: Vec::new(), has_barrier, reached: None, believed: Vec::new(), suspects: 0 }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    pub(super) fn is_full(&self) -> bool {
        self.waiting.len() >= DOUBTS_MAX
    }

    /// Looks again when absence can be a fact.
    pub(super) fn push(&mut self, doubtful: Doubtful, visibility: Duration) {
        let due = doubtful.still.after(visibility);
        self.waiting.push(Doubtful { due, ..doubtful });
    }

    /// A look-up found nothing. The action comes back when that proves that there is nothing.
    pub(super) fn absent(&mut self, doubtful: Doubtful, visibility: Duration, now: Moment) -> Option<Action> {
        if now < doubtful.still.after(visibility) {
            self.push(doubtful, visibility);
            return None;
        }
        self.believed.push(visibility);
        Some(doubtful.action)
    }

    /// One whose time has come. `has_fresh_work`: something may still be sent that could show how far the look-up is.
    pub(super) fn take_due(&mut self, now: Moment, has_fresh_work: bool) -> Option<Doubtful> {
        let at = self.waiting.iter().position(|doubtful| self.due(doubtful, has_fresh_work) <= now)?;
        Some(self.waiting.remove(at))
    }

    pub(super) fn next_due(&self, has_fresh_work: bool) -> Option<Moment> {
        self.waiting.iter().map(|doubtful| self.due(doubtful, has_fresh_work)).min()
    }

    fn due(&self, doubtful: &Doubtful, has_fresh_work: bool) -> Moment {
        let waits = has_fresh_work && self.lacks_barrier(doubtful);
        if waits { doubtful.due.after(BARRIER_MAX) } else { doubtful.due }
    }

    fn lacks_barrier(&self, doubtful: &Doubtful) -> bool {
        self.has_barrier
            && doubtful.action.request.has_indexed_key()
            && self.reached.is_none_or(|reached| reached < doubtful.still)
    }

    /// Whether a record that was sent at `started` should be looked up as a barrier, and none is on its way already.
    pub(super) fn wants_barrier(&self, now: Moment, started: Moment, probes: &Probes) -> bool {
        self.waiting.iter().any(|doubtful| {
            doubtful.due <= now
                && doubtful.still <= started
                && self.lacks_barrier(doubtful)
                && !probes.has_one_since(doubtful.still)
        })
    }

    /// A record that was sent at `started` has shown.
    pub(super) fn reached(&mut self, started: Moment) {
        self.reached = self.reached.max(Some(started));
    }

    /// A record took so long to show: absences that were believed earlier than that are open to doubt again.
    pub(super) fn lag_seen(&mut self, lag: Duration) {
        let before = self.believed.len();
        self.believed.retain(|waited| *waited >= lag);
        self.suspects += (before - self.believed.len()) as u64;
    }

    /// Writes that were repeated on an absence that came too early, as is known now. The scan for duplicates that every
    /// reconciliation makes decides what became of them.
    pub(super) fn suspects(&self) -> u64 {
        self.suspects
    }
}
