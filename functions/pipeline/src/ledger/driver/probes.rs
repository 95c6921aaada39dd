//! Fresh records that are looked up until they show.

use std::time::Duration;

use crate::ledger::request::Request;
use crate::ledger::timing::Moment;

/// First pause after a look that found nothing; doubles up to [`PAUSE_MAX`].
const PAUSE: Duration = Duration::from_millis(500);
/// Longest pause between two looks.
const PAUSE_MAX: Duration = Duration::from_secs(15);

/// One of them.
pub(super) struct Probe {
    pub(super) request: Request,
    /// When its creation was sent.
    pub(super) started: Moment,
    /// When its creation was answered.
    pub(super) answered: Moment,
    due: Moment,
    pause: Duration,
}

/// Those that wait for their next look, or are being looked up.
#[derive(Default)]
pub(super) struct Probes {
    waiting: Vec<Probe>,
    /// When those that are being looked up were sent.
    looked_at: Vec<Moment>,
}

impl Probes {
    pub(super) fn push(&mut self, request: Request, started: Moment, answered: Moment) {
        self.waiting.push(Probe { request, started, answered, due: answered, pause: PAUSE });
    }

    /// It did not show: another look later.
    pub(super) fn again(&mut self, probe: Probe, now: Moment) {
        self.looked_at.retain(|started| *started != probe.started);
        let pause = (probe.pause * 2).min(PAUSE_MAX);
        self.waiting.push(Probe { due: now.after(probe.pause), pause, ..probe });
    }

    /// It is over with.
    pub(super) fn done(&mut self, probe: &Probe) {
        self.looked_at.retain(|started| *started != probe.started);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.looked_at.is_empty()
    }

    pub(super) fn has_one_since(&self, moment: Moment) -> bool {
        let waiting = self.waiting.iter().map(|probe| probe.started);
        waiting.chain(self.looked_at.iter().copied()).any(|started| started >= moment)
    }

    pub(super) fn take_due(&mut self, now: Moment) -> Option<Probe> {
        let at = self.waiting.iter().position(|probe| probe.due <= now)?;
        let probe = self.waiting.remove(at);
        self.looked_at.push(probe.started);
        Some(probe)
    }

    pub(super) fn next_due(&self) -> Option<Moment> {
        self.waiting.iter().map(|probe| probe.due).min()
    }
}
