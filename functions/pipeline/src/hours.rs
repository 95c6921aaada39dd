//! Resting outside of the hours in which Gorgias may be kept busy.
//!
//! Only what takes long rests, and between two requests: writers announce nothing new, readers ask for no further page. So
//! nothing is in doubt while a step rests, and it may be ended at any moment. Deliberately absent: the hours themselves
//! (see `migration::working_hours`).

use std::time::Duration;

use jiff::Timestamp;

use crate::context::Context;
use crate::progress::Event;
use crate::stop::Stopped;

/// Longest sleep in one piece: a clock that is set, or a machine that slept, is noticed then.
const LOOK_PAUSE: Duration = Duration::from_secs(5 * 60);

/// A step rests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rest {
    /// Until when.
    pub(crate) until: Timestamp,
    /// When to look at the clock again, from now.
    pub(crate) look_in: Duration,
}

impl Context {
    /// For a step that keeps Gorgias busy for long.
    #[must_use]
    pub(crate) fn keeping_hours(&self) -> Self {
        Self { hours: self.limits.hours.clone(), ..self.clone() }
    }

    /// Whether the step in hand has to rest now.
    pub(crate) fn rest(&self) -> Option<Rest> {
        let now = self.clock.now();
        let until = self.hours.as_ref()?.opens_at(now)?;
        let wait = Duration::try_from(until.duration_since(now)).ok().filter(|wait| !wait.is_zero())?;
        Some(Rest { until, look_in: wait.min(LOOK_PAUSE) })
    }

    /// Tells that the step rests.
    pub(crate) fn tell_rest(&self, rest: Rest) {
        let hours = self.hours.as_ref().map(ToString::to_string).unwrap_or_default();
        self.progress.emit(self.clock.now(), Event::Resting { hours, until: rest.until });
    }

    /// Returns when the step in hand may go on, at once within its hours.
    ///
    /// # Errors
    /// [`Stopped`] when somebody asks to stop meanwhile.
    pub(crate) async fn within_hours(&self) -> Result<(), Stopped> {
        let Some(rest) = self.rest() else { return Ok(()) };
        self.tell_rest(rest);
        while let Some(rest) = self.rest() {
            self.stop.unless_requested(self.clock.sleep(rest.look_in)).await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
