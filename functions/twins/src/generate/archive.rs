//! The chatbot's export: two archives of four tables each, whose windows overlap.
//!
//! Deliberately absent: one fixed layout. The vendor documents none, so the two archives differ where exports differ:
//! separator, byte order mark, folder, an extra column.

use std::io::{self, Cursor, Write};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use crate::generate::account::Account;
use crate::generate::chatbot::{ChatMessage, Conversation, Sender};
use crate::generate::files::rows;
use crate::generate::stamp::Stamp;

/// Names of the archives.
const NAMES: [&str; 2] = ["chatbot-1.zip", "chatbot-2.zip"];

/// Days from the window's begin to the end of the first archive, and to the begin of the second.
const FIRST_ENDS: u32 = 110 * 86_400;
const SECOND_BEGINS: u32 = 90 * 86_400;

/// In which state the operator's chatbot archives are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ChatbotExport {
    /// Two sound archives which together cover the chosen window.
    #[default]
    Good,
    /// Only the second archive, so that the first half of the chosen window is missing.
    ShortRange,
    /// The second archive lacks its last bytes.
    Damaged,
    /// Figures per day instead of messages.
    Aggregate,
    /// A message of the overlap has another text in the second archive.
    Contradicting,
}

/// Makes one table of an archive.
type Table = fn(&Account, &Layout) -> csv::Result<Vec<u8>>;

/// The layout of one archive.
struct Layout {
    folder: &'static str,
    separator: u8,
    byte_order_mark: bool,
    /// Half-open.
    window: (Stamp, Stamp),
    /// Adds a word to the first message of each conversation.
    contradicting: bool,
}

impl Layout {
    fn holds(&self, message: &ChatMessage) -> bool {
        self.window.0 <= message.at && message.at < self.window.1
    }
}

/// Name and bytes of each archive.
pub(crate) fn archives(account: &Account, export: ChatbotExport) -> Vec<(&'static str, io::Result<Vec<u8>>)> {
    let (from, until) = account.chatbot_window();
    let first = Layout {
        folder: "analytics/",
        separator: b',',
        byte_order_mark: false,
        window: (from, from.plus(FIRST_ENDS)),
        contradicting: false,
    };
    let second = Layout {
        folder: "",
        separator: b';',
        byte_order_mark: true,
        window: (from.plus(SECOND_BEGINS), until),
        contradicting: export == ChatbotExport::Contradicting,
    };
    let aggregate = export == ChatbotExport::Aggregate;
    let second_bytes = archive(account, &second, aggregate).map(|mut bytes| {
        if export == ChatbotExport::Damaged {
            bytes.truncate(bytes.len() * 3 / 5);
        }
        bytes
    });
    if export == ChatbotExport::ShortRange {
        return vec![(NAMES[1], second_bytes)];
    }
    vec![(NAMES[0], archive(account, &first, aggregate)), (NAMES[1], second_bytes)]
}

fn archive(account: &Account, layout: &Layout, aggregate: bool) -> io::Result<Vec<u8>> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    // Stated, because the present time would make every archive different.
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .last_modified_time(DateTime::default());
    let tables: [(&str, Table); 4] = [
        ("conversations", if aggregate { figures } else { messages }),
        ("outcomes", outcomes),
        ("timing", timing),
        ("agent", agents),
    ];
    for (stem, table) in tables {
        zip.start_file(format!("{}{stem}.csv", layout.folder), options).map_err(io::Error::from)?;
        if layout.byte_order_mark {
            zip.write_all("\u{FEFF}".as_bytes())?;
        }
        zip.write_all(&table(account, layout).map_err(io::Error::from)?)?;
    }
    Ok(zip.finish().map_err(io::Error::from)?.into_inner())
}

/// The conversations with at least one message in the layout's window.
fn within<'a>(account: &'a Account, layout: &'a Layout) -> impl Iterator<Item = Conversation> + 'a {
    account.conversations().filter(|conversation| conversation.messages.iter().any(|it| layout.holds(it)))
}

fn table<const COLUMNS: usize>(
    layout: &Layout,
    header: [&str; COLUMNS],
    records: impl Iterator<Item = [String; COLUMNS]>,
) -> csv::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut rows = rows(Box::new(&mut bytes), layout.separator);
    rows.write_record(header)?;
    for record in records {
        rows.write_record(record)?;
    }
    rows.flush()?;
    drop(rows);
    Ok(bytes)
}

fn messages(account: &Account, layout: &Layout) -> csv::Result<Vec<u8>> {
    let records = within(account, layout).flat_map(|conversation| {
        let id = conversation.id;
        let rows = conversation.messages.into_iter().enumerate().filter(|(_, message)| layout.holds(message));
        rows.map(move |(row, message)| {
            let text = if layout.contradicting && row == 0 {
                format!("{} (edited)", message.text)
            } else {
                message.text
            };
            let (sender, at) = (message.sender.text().to_owned(), message.at.instant());
            let feedback = message.feedback.to_owned();
            let rest =
                [message.sender_name, text, message.intent, message.score, feedback, "webchat".to_owned()];
            let [name, text, intent, score, feedback, channel] = rest;
            [id.clone(), message.id, at, sender, name, text, intent, score, feedback, channel]
        })
        .collect::<Vec<_>>()
    });
    let header = [
        "conversation_id",
        "message_id",
        "timestamp",
        "sender",
        "sender_name",
        "text",
        "intent",
        "score",
        "feedback",
        "channel",
    ];
    table(layout, header, records)
}

/// Figures per day, which is all that some exports hold.
fn figures(account: &Account, layout: &Layout) -> csv::Result<Vec<u8>> {
    let mut days = std::collections::BTreeMap::<String, (u32, u32)>::new();
    for conversation in within(account, layout) {
        let day = days.entry(conversation.started_at.to_string()[..10].to_owned()).or_default();
        day.0 += 1;
        day.1 += conversation.message_count;
    }
    let records = days
        .into_iter()
        .map(|(day, (conversations, messages))| [day, conversations.to_string(), messages.to_string()]);
    table(layout, ["date", "total_conversations", "total_messages"], records)
}

fn outcomes(account: &Account, layout: &Layout) -> csv::Result<Vec<u8>> {
    let records = within(account, layout).map(|conversation| {
        let last_intent = conversation.messages.iter().rev().find(|it| !it.intent.is_empty());
        let last_intent = last_intent.map(|message| message.intent.clone()).unwrap_or_default();
        let transferred_to = conversation.agent.map(|(_, username)| username).unwrap_or_default();
        let outcome = conversation.outcome.to_owned();
        [conversation.id, outcome, transferred_to, last_intent, conversation.email, conversation.phone]
    });
    let header =
        ["conversation_id", "outcome", "transferred_to", "last_intent", "customer_email", "customer_phone"];
    table(layout, header, records)
}

fn timing(account: &Account, layout: &Layout) -> csv::Result<Vec<u8>> {
    let records = within(account, layout).map(|conversation| {
        let answer = conversation.messages.iter().find(|it| it.sender != Sender::Customer);
        let first = conversation.messages.first().map_or(conversation.started_at, |message| message.at);
        let response = answer.map_or(0, |answer| answer.at.seconds_since(first));
        [
            conversation.id,
            conversation.started_at.instant(),
            conversation.ended_at.instant(),
            conversation.ended_at.seconds_since(conversation.started_at).to_string(),
            response.to_string(),
            conversation.message_count.to_string(),
        ]
    });
    let header = [
        "conversation_id",
        "started_at",
        "ended_at",
        "duration_seconds",
        "first_response_seconds",
        "message_count",
    ];
    table(layout, header, records)
}

fn agents(account: &Account, layout: &Layout) -> csv::Result<Vec<u8>> {
    let records = within(account, layout).filter_map(|conversation| {
        let (name, username) = conversation.agent?;
        let written = || conversation.messages.iter().filter(|it| it.sender == Sender::Agent);
        let (joined, left) = (written().next()?.at.instant(), written().next_back()?.at.instant());
        let count = written().count().to_string();
        Some([conversation.id, name, username, joined, left, count])
    });
    let header = ["conversation_id", "agent_name", "agent_username", "joined_at", "left_at", "message_count"];
    table(layout, header, records)
}
