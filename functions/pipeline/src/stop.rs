//! The wish of a person to stop, and whether writes are still under way.
//!
//! Whoever writes stops between two writes, waits for the answers that are on their way, and stores what they say; then
//! nothing is left in doubt. Everything else changes nothing outside and can be dropped at once. Deliberately absent:
//! signals (the command line listens for them).

use std::sync::Arc;

use tokio::sync::watch;

/// How many parts write, and whether somebody asked to stop.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct State {
    writers: usize,
    is_requested: bool,
}

/// Shared by whoever asks and whoever writes. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Stop(Arc<watch::Sender<State>>);

impl Default for Stop {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(State::default())))
    }
}

impl Stop {
    /// Asks to stop. There is no way back: a new start goes on.
    pub fn request(&self) {
        self.0.send_modify(|state| state.is_requested = true);
    }

    /// Whether somebody asked.
    #[must_use]
    pub fn is_requested(&self) -> bool {
        self.0.borrow().is_requested
    }

    /// Returns when somebody asks.
    pub async fn requested(&self) {
        self.wait(|state| state.is_requested).await;
    }

    /// Returns when nobody writes.
    pub async fn is_quiet(&self) {
        self.wait(|state| state.writers == 0).await;
    }

    async fn wait(&self, fits: impl FnMut(&State) -> bool) {
        let mut receiver = self.0.subscribe();
        if receiver.wait_for(fits).await.is_err() {
            // The sender lives as long as `self`, so this is never reached; waiting is what it would mean.
            std::future::pending::<()>().await;
        }
    }

    /// Counts as writing until the value is dropped.
    pub(crate) fn writing(&self) -> Writing {
        self.0.send_modify(|state| state.writers += 1);
        Writing(self.clone())
    }
}

/// Somebody writes.
pub(crate) struct Writing(Stop);

impl Drop for Writing {
    fn drop(&mut self) {
        self.0.0.send_modify(|state| state.writers -= 1);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn quiet_means_that_the_last_writer_has_ended() {
        let stop = Stop::default();
        stop.is_quiet().await;
        let (first, second) = (stop.writing(), stop.writing());
        stop.request();
        stop.requested().await;
        assert!(stop.is_requested());
        drop(first);
        let early = tokio::time::timeout(Duration::from_secs(1), stop.is_quiet()).await;
        assert!(early.is_err());
        drop(second);
        stop.is_quiet().await;
    }
}
