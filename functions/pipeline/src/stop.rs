//! The wish of a person to stop, and whether writes are still under way.
//!
//! Whoever writes stops between two writes, waits for the answers that are on their way, and stores what they say; then
//! nothing is left in doubt. Everything else changes nothing outside and can be dropped at once. Deliberately absent:
//! signals (the command line listens for them).

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::ports::clock::Clock;

/// How long a request on its way is waited for: longer than an answer takes, shorter than one that is tried again and
/// again.
const ANSWER_WAIT: Duration = Duration::from_secs(2);

/// Somebody asked to stop, and a part stopped between two requests. What it had is kept; the next start goes on there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("stopped between two requests, as was asked")]
pub struct Stopped;

impl Stopped {
    /// Stable code of steps that stopped; a stopped load has it too.
    pub const CODE: &'static str = "LOD100";
}

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

    /// Awaits the answer to a request, unless somebody asked to stop before it left. One that is on its way then is waited
    /// for, but not for long.
    ///
    /// # Errors
    /// [`Stopped`].
    pub(crate) async fn answered<T>(
        &self,
        clock: &dyn Clock,
        request: impl Future<Output = T>,
    ) -> Result<T, Stopped> {
        if self.is_requested() {
            return Err(Stopped);
        }
        let given_up = async {
            self.requested().await;
            clock.sleep(ANSWER_WAIT).await;
        };
        tokio::select! {
            biased;
            answer = request => Ok(answer),
            () = given_up => Err(Stopped),
        }
    }

    /// Does what can be dropped at any moment, unless somebody asks to stop.
    ///
    /// # Errors
    /// [`Stopped`].
    pub(crate) async fn unless_requested<T>(&self, work: impl Future<Output = T>) -> Result<T, Stopped> {
        tokio::select! {
            biased;
            () = self.requested() => Err(Stopped),
            done = work => Ok(done),
        }
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

/// How work ended that could be asked to stop.
#[derive(Debug, PartialEq, Eq)]
pub enum Ended<T> {
    /// By itself.
    Itself(T),
    /// Because it was asked to; `is_settled` when every answer on its way was read and stored before.
    Asked {
        /// Nothing was left in doubt.
        is_settled: bool,
    },
}

/// Does some work until `asked` completes; then lets whoever writes end between two writes, for at most `drain`, and
/// drops the rest: it changes nothing outside.
pub async fn until<T, E>(
    stop: &Stop,
    work: impl Future<Output = Result<T, E>>,
    asked: impl Future<Output = ()>,
    drain: Duration,
) -> Ended<Result<T, E>> {
    let mut work = pin!(work);
    tokio::select! {
        biased;
        () = asked => {}
        outcome = &mut work => return Ended::Itself(outcome),
    }
    stop.request();
    // The work goes on meanwhile: answers on their way are read, and what they say is stored.
    let quiet = tokio::time::timeout(drain, stop.is_quiet());
    tokio::select! {
        biased;
        outcome = &mut work => match outcome {
            Ok(done) => Ended::Itself(Ok(done)),
            Err(_) => Ended::Asked { is_settled: true },
        },
        quiet = quiet => Ended::Asked { is_settled: quiet.is_ok() },
    }
}

#[cfg(test)]
mod tests {
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

    async fn told(writes: Duration, then: Result<u8, u8>) -> Ended<Result<u8, u8>> {
        let stop = Stop::default();
        let work = async {
            let writing = stop.writing();
            tokio::time::sleep(writes).await;
            drop(writing);
            tokio::time::sleep(Duration::from_secs(1)).await;
            then
        };
        let asked = tokio::time::sleep(Duration::from_secs(10));
        until(&stop, work, asked, Duration::from_secs(5)).await
    }

    #[tokio::test(start_paused = true)]
    async fn work_that_is_asked_to_stop_ends_between_two_writes() {
        let seconds = Duration::from_secs;
        assert_eq!(told(seconds(3), Ok(1)).await, Ended::Itself(Ok(1)));
        assert_eq!(told(seconds(3), Err(1)).await, Ended::Itself(Err(1)));
        // The write under way ends, what would follow is dropped.
        assert_eq!(told(seconds(12), Ok(1)).await, Ended::Asked { is_settled: true });
        assert_eq!(told(seconds(60), Ok(1)).await, Ended::Asked { is_settled: false });
    }
}
