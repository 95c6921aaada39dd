//! One suite per port. Every adapter runs the suite of its port, and nobody else tests what the port promises.
//!
//! A suite works on whatever `make` builds, a new one for each check, and names the first promise that is not kept. One
//! that cannot run says so and never passes. Deliberately absent: adapters, and real waiting: time passes on the clock
//! that comes with a queue.

mod queue;
mod queue_groups;
mod store;
mod store_files;

use std::error::Error;
use std::future::Future;

pub use queue::{QueueUnderTest, queue};
pub use store::store;

/// Every promise was kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Passed {
    /// Checks that ran; never zero.
    pub checks: usize,
}

/// The suite did not end well.
#[derive(Debug, thiserror::Error)]
pub enum NotPassed {
    /// Nothing is known about the adapter: it could not be set up.
    #[error("not run: {why}")]
    NotRun {
        /// What was missing.
        why: String,
    },
    /// A promise of the port does not hold.
    #[error("broken: {check}: {what}")]
    Broken {
        /// The promise.
        check: &'static str,
        /// What was seen instead.
        what: String,
    },
}

/// What a check found: nothing to complain about, or what was seen instead of the promise.
type Verdict = Result<(), String>;

/// Counts the checks of a suite.
#[derive(Default)]
struct Suite {
    checks: usize,
}

impl Suite {
    async fn check(
        &mut self,
        check: &'static str,
        work: impl Future<Output = Verdict>,
    ) -> Result<(), NotPassed> {
        work.await.map_err(|what| NotPassed::Broken { check, what })?;
        self.checks += 1;
        Ok(())
    }

    fn passed(self) -> Passed {
        Passed { checks: self.checks }
    }
}

/// A new instance, or the admission that there is none.
async fn made<T>(make: &impl AsyncFn() -> Result<T, String>) -> Result<T, NotPassed> {
    make().await.map_err(|why| NotPassed::NotRun { why })
}

fn demand(holds: bool, otherwise: impl FnOnce() -> String) -> Verdict {
    if holds { Ok(()) } else { Err(otherwise()) }
}

/// An error with its causes, since a suite is read by whoever mends the adapter.
fn told(action: &str, error: &dyn Error) -> String {
    let mut text = format!("{action}: {error}");
    let mut cause = error.source();
    while let Some(next) = cause {
        text = format!("{text}: {next}");
        cause = next.source();
    }
    text
}
