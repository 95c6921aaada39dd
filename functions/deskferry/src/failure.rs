//! What is said when something goes wrong: what, why, where, how to mend it, and what to run then.
//!
//! Every error has a code that is never reused; `deskferry explain CODE` knows it offline. Deliberately absent: secrets
//! and personal data, neither of which any error of the crates below holds.

pub(crate) mod catalogue;
mod diagnose;
mod severity;
pub(crate) mod step_codes;

use std::error::Error;

use anstyle::{AnsiColor, Style};
use serde_json::{Value, json};

use crate::clean;
use crate::exit::Exit;
use catalogue::Entry;

pub(crate) use severity::severity_of;

const ALARM: Style = AnsiColor::Red.on_default().bold();
const LABEL: Style = Style::new().bold();

/// One error, ready to be shown.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Failure {
    entry: &'static Entry,
    what: String,
    why: Vec<String>,
    seen_in: Option<String>,
    fix: Option<String>,
    then: Option<String>,
    detail: Option<String>,
}

impl Failure {
    /// An error of this kind; `what` says what was attempted, on what.
    pub(crate) fn new(entry: &'static Entry, what: impl Into<String>) -> Self {
        Self { entry, what: what.into(), why: Vec::new(), seen_in: None, fix: None, then: None, detail: None }
    }

    /// Adds the cause and its causes, each once.
    #[must_use]
    pub(crate) fn because(mut self, cause: &dyn Error) -> Self {
        let mut next = Some(cause);
        while let Some(error) = next {
            self = self.with_why(error.to_string());
            next = error.source();
        }
        self
    }

    /// Adds the causes of an error whose own text is said already.
    #[must_use]
    pub(crate) fn because_of_source(self, error: &dyn Error) -> Self {
        match error.source() {
            Some(cause) => self.because(cause),
            None => self,
        }
    }

    /// Adds one sentence of explanation, unless it is said already.
    #[must_use]
    pub(crate) fn with_why(mut self, why: impl Into<String>) -> Self {
        let why = why.into();
        if why != self.what && !self.why.iter().any(|known| known.contains(&why)) {
            self.why.push(why);
        }
        self
    }

    /// Where it was seen: a file, a step, a run.
    #[must_use]
    pub(crate) fn seen_in(mut self, place: impl Into<String>) -> Self {
        self.seen_in = Some(place.into());
        self
    }

    /// How to mend this very case; without it the catalogue's advice is shown.
    #[must_use]
    pub(crate) fn fix(mut self, fix: impl Into<String>) -> Self {
        self.fix = Some(fix.into());
        self
    }

    /// The command to run afterwards.
    #[must_use]
    pub(crate) fn then(mut self, command: impl Into<String>) -> Self {
        self.then = Some(command.into());
        self
    }

    /// The code under which reports name this very case.
    #[must_use]
    pub(crate) fn detail(mut self, code: impl Into<String>) -> Self {
        self.detail = Some(code.into());
        self
    }

    /// Adds the command to run afterwards, unless one is named.
    #[must_use]
    pub(crate) fn or_then(mut self, command: &str) -> Self {
        self.then.get_or_insert_with(|| command.to_owned());
        self
    }

    /// How the program ends.
    pub(crate) fn exit(&self) -> Exit {
        self.entry.exit
    }

    /// Whether it is this one.
    pub(crate) fn is(&self, entry: &Entry) -> bool {
        self.entry.code == entry.code
    }

    /// Its code.
    #[cfg(test)]
    pub(crate) fn code(&self) -> &'static str {
        self.entry.code
    }

    fn fix_text(&self) -> &str {
        self.fix.as_deref().unwrap_or(self.entry.fix)
    }

    /// For people; styled, the stream removes the style where it does not belong.
    pub(crate) fn to_text(&self) -> String {
        let mut text = format!("{ALARM}Error {}{ALARM:#}: {}", self.entry.code, clean::line(&self.what));
        let mut why = if self.why.is_empty() { self.entry.why.to_owned() } else { self.why.join(": ") };
        if let Some(detail) = &self.detail {
            why.push_str(&format!(" ({detail})"));
        }
        let rows = [
            ("Why", Some(why.as_str())),
            ("Seen in", self.seen_in.as_deref()),
            ("Fix", Some(self.fix_text())),
            ("Then", self.then.as_deref()),
        ];
        for (label, row) in rows {
            if let Some(row) = row {
                let indented = clean::block(row).replace('\n', "\n       ");
                text.push_str(&format!("\n  {LABEL}{label}{LABEL:#}: {indented}"));
            }
        }
        text
    }

    /// For scripts.
    pub(crate) fn to_json(&self) -> Value {
        json!({
            "type": "error",
            "code": self.entry.code,
            "exit_code": self.entry.exit.code(),
            "what": clean::line(&self.what),
            "why": self.why.iter().map(|why| clean::line(why)).collect::<Vec<_>>(),
            "seen_in": self.seen_in.as_deref().map(clean::line),
            "fix": clean::block(self.fix_text()),
            "then": self.then,
            "detail": self.detail,
        })
    }
}

/// Any error of the crates below, with the code that its kind has.
impl<E: Error + Send + Sync + 'static> From<E> for Failure {
    fn from(error: E) -> Self {
        diagnose::diagnose(&error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    fn shown(failure: &Failure) -> String {
        anstream::adapter::strip_str(&failure.to_text()).to_string()
    }

    #[test]
    fn an_error_has_the_published_shape() {
        let failure = Failure::new(&catalogue::LOCKED, "another process works on migration acme")
            .with_why("process 4711 (deskferry load) holds it since 14:05")
            .seen_in("run/acme/deskferry.lock")
            .then("deskferry status");
        expect![[r#"
            Error E0301: another process works on migration acme
              Why: process 4711 (deskferry load) holds it since 14:05
              Seen in: run/acme/deskferry.lock
              Fix: wait until it is done, or end that process; the lock goes with it
              Then: deskferry status"#]]
        .assert_eq(&shown(&failure));
    }

    #[test]
    fn a_cause_is_told_once() {
        let inner = std::io::Error::other("disk full");
        let outer = std::io::Error::other(inner);
        let failure = Failure::new(&catalogue::LOCAL_FILES, "cannot write the log").because(&outer);
        assert_eq!(failure.why, ["disk full"]);
    }

    #[test]
    fn outside_text_cannot_steer_the_terminal() {
        let failure =
            Failure::new(&catalogue::LOCAL_FILES, "a\u{1b}[2J").with_why("b\u{7}").seen_in("c\u{9b}");
        let text = shown(&failure);
        assert!(!text.contains(['\u{1b}', '\u{7}', '\u{9b}']), "{text:?}");
        assert!(!failure.to_json().to_string().contains("\\u001b"));
    }
}
