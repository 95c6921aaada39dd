//! How often a question is put before it is given up, and what is told then.
//!
//! Deliberately absent: chance; four requests in flight need no jitter to spread.

use std::time::Duration;

use pipeline::ports::leaddesk::SourceError;

use crate::http::{TransportError, pause_after};

/// Tries of one question that may fail. Five pauses last 15 s: long enough for a restart of the other side.
const TRIES_MAX: u32 = 6;
/// Answers 429 in a row; each waits as asked, so this is patience of at least a quarter of an hour.
const THROTTLED_MAX: u32 = 900;
/// Wait after a 429 that names none.
const THROTTLED_PAUSE: Duration = Duration::from_secs(1);

/// Why a try did not help.
#[derive(Debug)]
pub(super) enum Trouble {
    /// No connection or no answer.
    Transport(TransportError),
    /// The request could not be built: a credential holds bytes that no header may hold.
    NotBuilt,
    /// 429 with its wait.
    Throttled(Option<Duration>),
    /// 408 or 5xx.
    Status { status: u16, code: Option<String> },
    /// An answer that is none.
    Unusable(String),
    /// 401 with a token that has been replaced since.
    TokenRenewed,
}

#[derive(Debug, thiserror::Error)]
enum LastCause {
    #[error("HTTP status {status}{}", .code.as_deref().map(|code| format!(" with {code}")).unwrap_or_default())]
    Status { status: u16, code: Option<String> },
    #[error("too many answers 429")]
    Throttled,
    #[error("a credential holds characters that cannot be sent")]
    NotBuilt,
}

/// Counts the tries of one question.
#[derive(Debug)]
pub(super) struct Tries {
    request: &'static str,
    failed: u32,
    throttled: u32,
    renewed: bool,
}

impl Tries {
    pub(super) fn new(request: &'static str) -> Self {
        Self { request, failed: 0, throttled: 0, renewed: false }
    }

    /// True once: a fresh token that is refused too means wrong credentials.
    pub(super) fn may_renew_token(&mut self) -> bool {
        !std::mem::replace(&mut self.renewed, true)
    }

    /// The pause before the next try, or the end of the question.
    pub(super) fn pause_or_give_up(&mut self, trouble: Trouble) -> Result<Duration, SourceError> {
        let request = self.request.to_owned();
        let no_answer = |source| Err(SourceError::NoAnswer { request: request.clone(), source });
        match trouble {
            Trouble::TokenRenewed => return Ok(Duration::ZERO),
            Trouble::NotBuilt => return no_answer(Box::new(LastCause::NotBuilt)),
            Trouble::Throttled(wait) if self.throttled < THROTTLED_MAX => {
                self.throttled += 1;
                return Ok(wait.unwrap_or(THROTTLED_PAUSE));
            }
            _ => {}
        }
        self.failed += 1;
        if self.failed < TRIES_MAX {
            return Ok(pause_after(self.failed));
        }
        match trouble {
            Trouble::Unusable(why) => Err(SourceError::Unusable { request, why }),
            Trouble::Transport(cause) => no_answer(Box::new(cause)),
            Trouble::Status { status, code } => no_answer(Box::new(LastCause::Status { status, code })),
            Trouble::Throttled(_) => no_answer(Box::new(LastCause::Throttled)),
            Trouble::NotBuilt | Trouble::TokenRenewed => no_answer(Box::new(LastCause::NotBuilt)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn six_failures_end_a_question_and_refusals_by_rate_do_not() {
        let mut tries = Tries::new("contact/get");
        for _ in 0..100 {
            let pause = tries.pause_or_give_up(Trouble::Throttled(Some(Duration::from_secs(9)))).unwrap();
            assert_eq!(pause, Duration::from_secs(9));
        }
        let mut waited = Duration::ZERO;
        for _ in 1..TRIES_MAX {
            waited += tries.pause_or_give_up(Trouble::Status { status: 500, code: None }).unwrap();
        }
        assert_eq!(waited, Duration::from_millis(15_500));
        let end = tries.pause_or_give_up(Trouble::Status { status: 503, code: Some("ERR_UNDEFINED".into()) });
        let error = end.unwrap_err();
        assert_eq!(error.to_string(), "LeadDesk did not answer contact/get");
        let cause = std::error::Error::source(&error).unwrap().to_string();
        assert_eq!(cause, "HTTP status 503 with ERR_UNDEFINED");
    }

    #[test]
    fn endless_refusals_by_rate_end_too() {
        let mut tries = Tries::new("contact/get");
        let end = std::iter::repeat_with(|| tries.pause_or_give_up(Trouble::Throttled(None)))
            .take(2_000)
            .find_map(Result::err);
        assert!(matches!(end, Some(SourceError::NoAnswer { .. })));
    }
}
