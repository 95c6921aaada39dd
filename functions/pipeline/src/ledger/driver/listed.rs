//! Work whose outcomes need no thought.

use std::collections::VecDeque;

use async_trait::async_trait;
use migration::ledger::ReceiptClass;

use super::{Action, Outcome, Reaction, Work, WorkFailure, codes};
use crate::ledger::Ledger;

/// A fixed list of writes whose outcomes need no thought: schema, switches.
pub struct Listed {
    actions: VecDeque<Action>,
    class: ReceiptClass,
}

impl Listed {
    /// Writes in order; `class` is the receipt of each that is applied.
    #[must_use]
    pub fn new(actions: Vec<Action>, class: ReceiptClass) -> Self {
        Self { actions: actions.into(), class }
    }

    fn is_over(&self, action: &Action, ledger: &Ledger) -> bool {
        ledger.is_over(&action.key)
            && (ledger.book().class(&action.key) == Some(self.class)
                || ledger.book().is_refused_in(&action.key, ledger.run()))
    }
}

#[async_trait]
impl Work for Listed {
    fn next(&mut self, ledger: &Ledger) -> Result<Option<Action>, WorkFailure> {
        while let Some(action) = self.actions.pop_front() {
            if !self.is_over(&action, ledger) {
                return Ok(Some(action));
            }
        }
        Ok(None)
    }

    async fn settle(
        &mut self,
        _action: &Action,
        outcome: Outcome,
        _ledger: &Ledger,
    ) -> Result<Reaction, WorkFailure> {
        Ok(plain(outcome, self.class))
    }
}

/// What follows from an outcome where nothing can be done about it.
#[must_use]
pub fn plain(outcome: Outcome, class: ReceiptClass) -> Reaction {
    match outcome {
        Outcome::Done { id, via, .. } => Reaction::done(id, class, via),
        Outcome::Refused { status, message } => {
            Reaction::refused(codes::REFUSED, format!("refused with {status}: {message}"))
        }
        Outcome::Taken | Outcome::Held(_) => {
            Reaction::refused(codes::CONFLICT, "another record holds the identifier")
        }
        Outcome::Gone => Reaction::refused(codes::GONE, "the record to change is gone"),
        Outcome::Unsettled => Reaction::Leave,
    }
}
