//! What the loop asks Gorgias beside the writes: whether fresh records show, and whether a message has left.

use std::sync::Arc;

use super::super::probes::Probe;
use super::super::{Action, DriveError, job, watch};
use super::Engine;
use crate::ledger::timing::Moment;
use crate::ports::gorgias::Message;
use crate::progress::Event;

impl Engine<'_> {
    /// What is announced goes out in any case.
    pub(super) fn look_at_hours(&mut self) {
        let rest = self.ctx.rest();
        if let Some(rest) = rest.filter(|_| self.resting_until.is_none()) {
            self.ctx.tell_rest(rest);
        }
        self.resting_until = rest.map(|rest| self.now().after(rest.look_in));
    }

    /// Some fresh records are looked up: to measure the lag, and to see how far the look-up is for those in doubt.
    pub(super) fn consider_probe(&mut self, action: &Action, started: Moment) {
        if !action.request.has_indexed_key() {
            return;
        }
        let measures = self.ledger.lag_mut().wants_probe();
        if measures || self.doubts.wants_barrier(self.now(), started, &self.probes) {
            self.probes.push(action.request.clone(), started, self.now());
            self.tally.probes += 1;
        }
    }

    pub(super) fn probed(&mut self, probe: Probe, is_visible: bool) {
        let now = self.now();
        let lag = now.since(probe.answered);
        let measured = Event::LagMeasured {
            step: self.part.step,
            lag_milliseconds: u64::try_from(lag.as_millis()).unwrap_or(u64::MAX),
            is_visible,
        };
        self.ctx.progress.emit(self.ctx.clock.now(), measured);
        // Where nobody waits for it, that it took so long is all there is to learn.
        let is_over = lag > self.ledger.lag().visibility() && self.doubts.is_empty();
        if !is_visible && !is_over {
            self.probes.again(probe, now);
            return;
        }
        self.probes.done(&probe);
        if is_visible {
            self.doubts.reached(probe.started);
        }
        self.ledger.lag_mut().observe(lag);
        self.doubts.lag_seen(lag);
    }

    /// Whether something left Gorgias is asked every so many writes; a read that fails is asked again later.
    pub(super) fn consider_watch(&mut self) {
        self.unwatched += 1;
        if self.unwatched >= watch::OUTCOMES_BETWEEN && self.work.watched_for().is_some() {
            self.unwatched = 0;
            self.running.push(Box::pin(job::watch(Arc::clone(&self.ctx.destination))));
        }
    }

    pub(super) fn watched(&mut self, seen: &[Message]) {
        let Some(service_user) = self.work.watched_for() else { return };
        if let Some(message) = watch::first_outgoing(seen, service_user, self.ledger) {
            let (ticket, message) = (message.ticket.0, message.id.0);
            self.stop.get_or_insert(DriveError::Outgoing { ticket, message });
        }
    }
}
