//! Work whose outcomes need no thought.

use std::collections::VecDeque;

use async_trait::async_trait;
use migration::ledger::{ReceiptClass, Via};

use super::{Action, Outcome, Reaction, Work, WorkFailure, codes};
use crate::ledger::Ledger;
use crate::ledger::key::sha256_hex;
use crate::ledger::stored::NoteV1;
use crate::ports::gorgias::Attachment;

/// Hexadecimal digits of the number of an upload: any reader of JSON takes it.
const UPLOAD_NUMBER_DIGITS: usize = 13;

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

/// The receipt of an upload. It has no id at Gorgias, so a number is derived from its address, which is what counts.
#[must_use]
pub fn uploaded(file: &Attachment, code: &str) -> Reaction {
    let digits = sha256_hex(file.url.as_bytes());
    let number = digits.get(..UPLOAD_NUMBER_DIGITS).and_then(|digits| u64::from_str_radix(digits, 16).ok());
    Reaction::Record {
        dest_id: Some(number.unwrap_or(0)),
        class: ReceiptClass::Created,
        via: Via::Answer,
        note: Some(NoteV1 { code: code.to_owned(), text: file.url.clone() }),
        follow: Vec::new(),
    }
}

/// What follows from an outcome where nothing can be done about it.
#[must_use]
pub fn plain(outcome: Outcome, class: ReceiptClass) -> Reaction {
    match outcome {
        Outcome::Done { id, via, .. } => Reaction::done(id, class, via),
        Outcome::Uploaded(file) => uploaded(&file, codes::UPLOADED),
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
