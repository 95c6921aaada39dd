//! Rows of a chatbot export, file by file; texts as exported.
//!
//! Deliberately absent: merging of several exports and what the rows become (see `extract`).

use std::io::BufRead;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::archive_check::ChatFile;
use super::delimited::Row;
use super::fault::{FileFault, RowFlaw};
use super::table::{Header, Table, cell};

/// One message as exported.
#[derive(Debug, Clone, PartialEq)]
pub struct MessageRow {
    /// Conversation.
    pub conversation_id: String,
    /// Message, unique in its conversation.
    pub message_id: String,
    /// When it was said.
    pub sent_at: Timestamp,
    /// Who said it, in lower case.
    pub sender: String,
    /// Shown name.
    pub sender_name: Option<String>,
    /// As exported.
    pub text: String,
    /// Recognised intent.
    pub intent: Option<String>,
    /// Certainty of the intent.
    pub score: Option<f64>,
    /// `like`, `dislike`.
    pub feedback: Option<String>,
    /// Where the bot was met.
    pub channel: Option<String>,
    /// The row as JSON.
    pub raw_json: String,
}

/// How a conversation ended, and with whom it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutcomeRow {
    /// Conversation.
    pub conversation_id: String,
    /// `handled`, `transferred`, `unanswered`.
    pub outcome: Option<String>,
    /// Who took over.
    pub transferred_to: Option<String>,
    /// Last recognised intent.
    pub last_intent: Option<String>,
    /// Empty when anonymised.
    pub customer_email: Option<String>,
    /// Empty when anonymised.
    pub customer_phone: Option<String>,
    /// The row as JSON.
    pub raw_json: String,
}

/// When a conversation was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimingRow {
    /// Conversation.
    pub conversation_id: String,
    /// First contact.
    pub started_at: Option<Timestamp>,
    /// Last contact.
    pub ended_at: Option<Timestamp>,
    /// As stated.
    pub duration_seconds: Option<i32>,
    /// As stated.
    pub first_response_seconds: Option<i32>,
    /// As stated.
    pub message_count: Option<i32>,
    /// The row as JSON.
    pub raw_json: String,
}

/// Participation of an agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentRow {
    /// Conversation.
    pub conversation_id: String,
    /// Login name.
    pub agent_username: Option<String>,
    /// The row as JSON.
    pub raw_json: String,
}

/// A row that is put aside. `line` counts from one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedRow {
    /// Where it begins.
    pub line: u64,
    /// Stable code.
    pub code: &'static str,
    /// Why, without a value of the row.
    pub reason: String,
}

/// A readable time is missing.
pub const NO_TIME: &str = "EXT302";
/// Something that identifies the row is missing.
pub const NO_ID: &str = "EXT301";
/// The sender is none of the four.
pub const UNKNOWN_SENDER: &str = "EXT309";

/// Reads one of the four files to its end, row by row.
///
/// # Errors
/// Every [`FileFault`] but `Empty` becomes the whole file's; an aggregate export is [`FileFault::Aggregate`].
pub fn read_rows<T>(
    input: &mut dyn BufRead,
    file: ChatFile,
    parse: impl Fn(&Header, &Row<'_>) -> Result<T, RefusedRow>,
    mut take: impl FnMut(Result<T, RefusedRow>),
) -> Result<(), FileFault> {
    let mut table = Table::open(input, required(file), &[]).map_err(|fault| aggregate(file, fault))?;
    while let Some((header, row)) = table.next_row()? {
        take(match row.flaw {
            Some(flaw) => Err(flawed(row.line, flaw)),
            None => parse(header, &row),
        });
    }
    Ok(())
}

fn required(file: ChatFile) -> &'static [&'static str] {
    match file {
        ChatFile::Conversations => &["conversation_id", "message_id", "timestamp", "sender", "text"],
        ChatFile::Outcomes => &["conversation_id", "outcome"],
        ChatFile::Timing => &["conversation_id", "started_at", "ended_at"],
        ChatFile::Agent => &["conversation_id", "agent_username"],
    }
}

/// Without texts or ids of messages there are only figures in the file, whatever else it holds.
fn aggregate(file: ChatFile, fault: FileFault) -> FileFault {
    match &fault {
        FileFault::Header { missing, .. } if file == ChatFile::Conversations => {
            let column =
                ["text", "message_id"].into_iter().find(|column| missing.split(", ").any(|m| m == *column));
            match column {
                Some(column) => FileFault::Aggregate { missing: column.to_owned() },
                None => fault,
            }
        }
        _ => fault,
    }
}

fn flawed(line: u64, flaw: RowFlaw) -> RefusedRow {
    RefusedRow { line, code: flaw.code(), reason: flaw.to_string() }
}

fn id(header: &Header, row: &Row<'_>, column: &'static str) -> Result<String, RefusedRow> {
    cell(row, header.position(column)).map(|text| text.trim().to_owned()).ok_or_else(|| RefusedRow {
        line: row.line,
        code: NO_ID,
        reason: format!("{column} is empty"),
    })
}

/// A row of `conversations.csv`.
///
/// # Errors
/// The row with its reason.
pub fn message(header: &Header, row: &Row<'_>) -> Result<MessageRow, RefusedRow> {
    let text = |column| cell(row, header.position(column));
    let time = text("timestamp");
    let sent_at = time.as_deref().and_then(instant).ok_or_else(|| RefusedRow {
        line: row.line,
        code: NO_TIME,
        reason: "timestamp is not ISO 8601".to_owned(),
    })?;
    let sender = text("sender").unwrap_or_default().trim().to_lowercase();
    if !matches!(sender.as_str(), "customer" | "bot" | "agent" | "system") {
        let reason = "sender is none of customer, bot, agent, system".to_owned();
        return Err(RefusedRow { line: row.line, code: UNKNOWN_SENDER, reason });
    }
    Ok(MessageRow {
        conversation_id: id(header, row, "conversation_id")?,
        message_id: id(header, row, "message_id")?,
        sent_at,
        sender,
        sender_name: text("sender_name"),
        text: header.position("text").map(|at| row.get(at).to_owned()).unwrap_or_default(),
        intent: text("intent"),
        score: text("score")
            .and_then(|score| score.trim().parse::<f64>().ok())
            .filter(|score| score.is_finite()),
        feedback: text("feedback"),
        channel: text("channel"),
        raw_json: header.raw_json(row),
    })
}

/// A row of `outcomes.csv`.
///
/// # Errors
/// The row with its reason.
pub fn outcome(header: &Header, row: &Row<'_>) -> Result<OutcomeRow, RefusedRow> {
    let text = |column| cell(row, header.position(column));
    Ok(OutcomeRow {
        conversation_id: id(header, row, "conversation_id")?,
        outcome: text("outcome"),
        transferred_to: text("transferred_to"),
        last_intent: text("last_intent"),
        customer_email: text("customer_email"),
        customer_phone: text("customer_phone"),
        raw_json: header.raw_json(row),
    })
}

/// A row of `timing.csv`.
///
/// # Errors
/// The row with its reason; an unreadable time refuses the row, an empty one does not.
pub fn timing(header: &Header, row: &Row<'_>) -> Result<TimingRow, RefusedRow> {
    let text = |column| cell(row, header.position(column));
    let time = |column: &'static str| match text(column) {
        None => Ok(None),
        Some(written) => instant(&written).map(Some).ok_or_else(|| RefusedRow {
            line: row.line,
            code: NO_TIME,
            reason: format!("{column} is not ISO 8601"),
        }),
    };
    let number = |column| text(column).and_then(|written| written.trim().parse::<i32>().ok());
    Ok(TimingRow {
        conversation_id: id(header, row, "conversation_id")?,
        started_at: time("started_at")?,
        ended_at: time("ended_at")?,
        duration_seconds: number("duration_seconds"),
        first_response_seconds: number("first_response_seconds"),
        message_count: number("message_count"),
        raw_json: header.raw_json(row),
    })
}

/// A row of `agent.csv`.
///
/// # Errors
/// The row with its reason.
pub fn agent(header: &Header, row: &Row<'_>) -> Result<AgentRow, RefusedRow> {
    Ok(AgentRow {
        conversation_id: id(header, row, "conversation_id")?,
        agent_username: cell(row, header.position("agent_username")),
        raw_json: header.raw_json(row),
    })
}

/// ISO 8601; UTC when no offset is given, since the export is in UTC (facts: chatbot export).
#[must_use]
pub fn instant(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    text.parse::<Timestamp>().ok().or_else(|| {
        text.parse::<DateTime>().ok()?.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
    })
}
