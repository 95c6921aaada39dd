//! The text of a call's message as the customer writes it: one `Label: value` a line, values as `{placeholders}`.
//!
//! Deliberately absent: conditions and loops; every call has the same lines.

use std::collections::BTreeMap;
use std::fmt;

use crate::settings::choice;

choice! {
    /// What a template may show of a call.
    Placeholder {
        /// `Inbound`, `Outbound` or `unknown`.
        Direction = "direction",
        /// Local time, zone and offset.
        Time = "time",
        /// `mm:ss` and seconds.
        Duration = "duration",
        /// Outcome name.
        Outcome = "outcome",
        /// Outcome id, which is the key.
        OutcomeId = "outcome_id",
        /// Agent name.
        Agent = "agent",
        /// Group at call time.
        Group = "group",
        /// Campaign name.
        Campaign = "campaign",
        /// Campaign id.
        CampaignId = "campaign_id",
        /// Remote number as received.
        Number = "number",
        /// What the agent wrote.
        Comment = "comment",
        /// `call_ref_id`.
        CallId = "call_id",
        /// Name of the calling mode.
        CallType = "call_type",
        /// What became of the recording.
        Recording = "recording",
    }
}

/// Stands where a call has no value.
pub const ABSENT: &str = "-";

const STANDARD: &str = "Direction: {direction}\n\
    Call time: {time}\n\
    Duration: {duration}\n\
    Outcome: {outcome} ({outcome_id})\n\
    Agent: {agent}\n\
    Campaign: {campaign}\n\
    Number: {number}\n\
    Comment: {comment}\n\
    Call id: {call_id}";

/// Lines that a template may have.
pub const LINES_MAX: usize = 50;

/// Why a text is not a template. Lines count from one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// Nothing in it.
    #[error("the template is empty")]
    Empty,
    /// More than [`LINES_MAX`] lines.
    #[error("the template has more than {LINES_MAX} lines")]
    TooLong,
    /// A line without `Label: `.
    #[error("line {line} is not of the form `Label: value`")]
    NoLabel {
        /// The line.
        line: usize,
    },
    /// A label that stands twice.
    #[error("line {line} repeats the label `{label}`")]
    LabelTwice {
        /// The line.
        line: usize,
        /// The label.
        label: String,
    },
    /// A name that no call has.
    #[error("line {line} names the unknown placeholder `{{{name}}}`")]
    UnknownPlaceholder {
        /// The line.
        line: usize,
        /// The name.
        name: String,
    },
    /// A brace without its partner.
    #[error("line {line} has a brace without its partner")]
    LoneBrace {
        /// The line.
        line: usize,
    },
    /// Without the call id no message can be traced to its call.
    #[error("the template does not show {{call_id}}")]
    NoCallId,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    Value(Placeholder),
}

/// A checked template: every line has a label of its own and known placeholders, and the call id is shown.
#[derive(Clone, PartialEq, Eq)]
pub struct CallTemplate {
    text: String,
    lines: Vec<Vec<Piece>>,
}

impl fmt::Debug for CallTemplate {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_tuple("CallTemplate").field(&self.text).finish()
    }
}

impl CallTemplate {
    /// The nine lines of the default.
    #[must_use]
    pub fn standard() -> Self {
        Self::parse(STANDARD).expect("the standard template is checked by a test")
    }

    /// Reads a template. Surrounding white space and empty lines do not count.
    ///
    /// # Errors
    /// The first thing that is wrong, with its line.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        let text = crate::text::clean(text);
        let mut lines = Vec::new();
        let mut labels = BTreeMap::new();
        for (index, line) in text.split('\n').enumerate() {
            let number = index + 1;
            if line.trim().is_empty() {
                continue;
            }
            let label = line.split_once(':').map(|(label, _)| label.trim().to_owned());
            let label = label
                .filter(|label| !label.is_empty() && !label.contains(['{', '}']))
                .ok_or(TemplateError::NoLabel { line: number })?;
            if labels.insert(label.to_lowercase(), number).is_some() {
                return Err(TemplateError::LabelTwice { line: number, label });
            }
            lines.push(pieces(line.trim_end(), number)?);
        }
        if lines.is_empty() {
            return Err(TemplateError::Empty);
        }
        if lines.len() > LINES_MAX {
            return Err(TemplateError::TooLong);
        }
        let template = Self { text, lines };
        if template.shows(Placeholder::CallId) { Ok(template) } else { Err(TemplateError::NoCallId) }
    }

    /// As it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether a value is shown.
    #[must_use]
    pub fn shows(&self, placeholder: Placeholder) -> bool {
        self.lines.iter().flatten().any(|piece| *piece == Piece::Value(placeholder))
    }

    /// Fills the lines. Later lines of a value are indented, so that no value can pose as a line of its own.
    pub fn render(&self, value: impl Fn(Placeholder) -> Option<String>) -> String {
        let mut out = String::new();
        for line in &self.lines {
            if !out.is_empty() {
                out.push('\n');
            }
            for piece in line {
                match piece {
                    Piece::Text(text) => out.push_str(text),
                    Piece::Value(placeholder) => {
                        out.push_str(&indented(&value(*placeholder).unwrap_or_else(|| ABSENT.to_owned())));
                    }
                }
            }
        }
        out
    }
}

/// Indents all lines but the first by two spaces.
#[must_use]
pub(crate) fn indented(value: &str) -> String {
    if value.contains('\n') { value.replace('\n', "\n  ") } else { value.to_owned() }
}

fn pieces(line: &str, number: usize) -> Result<Vec<Piece>, TemplateError> {
    let mut out = Vec::new();
    let mut rest = line;
    while let Some(open) = rest.find(['{', '}']) {
        if rest.as_bytes()[open] == b'}' {
            return Err(TemplateError::LoneBrace { line: number });
        }
        let close = rest[open..].find('}').ok_or(TemplateError::LoneBrace { line: number })? + open;
        if open > 0 {
            out.push(Piece::Text(rest[..open].to_owned()));
        }
        let name = rest[open + 1..close].trim();
        let placeholder = Placeholder::from_word(name)
            .ok_or_else(|| TemplateError::UnknownPlaceholder { line: number, name: name.to_owned() })?;
        out.push(Piece::Value(placeholder));
        rest = &rest[close + 1..];
    }
    if !rest.is_empty() {
        out.push(Piece::Text(rest.to_owned()));
    }
    Ok(out)
}
