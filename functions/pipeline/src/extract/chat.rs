//! Chatbot exports: several ZIP files merged into conversations and their messages.
//!
//! Messages are gathered in a scratch table sorted by conversation, so that memory holds one conversation at a time.
//! A message that two exports tell in two ways is put aside in both; so is one whose conversation is in no other file.
//! Deliberately absent: inventing anything from totals.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use migration::finding;
use snapshot::tables::{SourceChatMessage, SourceConversation};
use snapshot::{Sealed, TableWriter};

use super::chat_frames::{Frame, Frames};
use super::chat_window::Window;
use super::error::ExtractError;
use super::part::{PartRecord, SourceReject};
use super::seen::Seen;
use crate::archive;
use crate::context::Context;
use crate::operator::archive_check::{ChatArchive, ChatFile, damaged};
use crate::operator::chat::{self, MessageRow, RefusedRow};
use crate::operator::fault::FileFault;
use crate::operator::folder::{Folder, OperatorFault};

/// Two exports tell the same thing in two ways.
pub const CONTRADICTION: &str = "EXT307";
/// A message whose conversation stands in no other file of the exports.
pub const WITHOUT_CONVERSATION: &str = "EXT308";

snapshot::table! {
    /// Messages of chatbot exports in the order of their conversation, before repetitions are settled.
    pub struct ScratchMessage = "ctl_scratch_chat_message", Control, version 1 {
        /// The conversation.
        conversation_id: String => key indirect,
        /// When it was said.
        sent_at: Timestamp => key indirect,
        /// The message.
        message_id: String => key indirect,
        /// Position among all rows of all exports.
        arrival: i64 => key,
        /// Who said it.
        sender: String => category,
        /// Shown name.
        sender_name: Option<String> => direct,
        /// As exported.
        body_raw: String => free,
        /// Recognised intent.
        intent: Option<String> => category,
        /// Certainty.
        score: Option<f64>,
        /// Judgement.
        feedback: Option<String> => category,
        /// Channel.
        channel: Option<String> => category,
        /// File that it came from.
        archive: String => category,
        /// The row.
        raw_json: String => free,
    }
}

/// Both tables of the chatbot.
#[derive(Debug)]
pub struct SealedChat {
    /// Conversations.
    pub conversations: Sealed,
    /// Messages.
    pub messages: Sealed,
}

/// Reads every ZIP file of the folder and seals both tables, which are empty without a ZIP file.
///
/// # Errors
/// A refused ZIP file, and what the writer says.
pub fn read(
    ctx: &Context,
    folder: &Folder,
    seen: &Seen,
    record: &mut PartRecord,
) -> Result<SealedChat, ExtractError> {
    let mut frames = Frames::default();
    let mut scratch = archive::scratch_writer::<ScratchMessage>(ctx)?;
    let mut rows = 0_i64;
    let mut refused = 0_u64;
    for (name, path) in folder.archives() {
        let fault = |fault: FileFault| OperatorFault { file: name.to_owned(), fault };
        let mut archive = ChatArchive::open(path).map_err(fault)?;
        if archive.ignored_entries > 0 {
            let count = u64::try_from(archive.ignored_entries).unwrap_or(0);
            record.find("ZIP201", count, format!("files in {name} that are not part of a chatbot export"));
        }
        refused += read_frames(&mut archive, name, &mut frames, record)?;
        refused += read_messages(&mut archive, name, &mut scratch, &mut rows, record)?;
    }
    let total = u64::try_from(rows).unwrap_or(0) + refused;
    record.check_drift(ctx, "chat_message", total)?;
    let sorted = archive::read_back(scratch)?;
    Merging::new(ctx, seen, &frames, record)?.merge(sorted)
}

fn refuse(record: &mut PartRecord, object: &str, archive: &str, file: ChatFile, row: RefusedRow) {
    let place = format!("{archive}/{}:line-{}", file.name(), row.line);
    record.rejects.push(SourceReject::record(object, place, row.code, row.reason));
}

/// Outcomes, timings and agents of one export. Returns the rows that were refused.
fn read_frames(
    archive: &mut ChatArchive,
    name: &str,
    frames: &mut Frames,
    record: &mut PartRecord,
) -> Result<u64, ExtractError> {
    let rejects_before = record.rejects.len();
    let fault = |file, fault| OperatorFault { file: name.to_owned(), fault: damaged(file, fault) };
    let file = ChatFile::Outcomes;
    archive
        .read(file, |input| {
            chat::read_rows(input, file, chat::outcome, |row| match row {
                Ok(row) => frames.take_outcome(name, row),
                Err(row) => refuse(record, "chat_frame", name, file, row),
            })
        })
        .map_err(|cause| fault(file, cause))?;
    let file = ChatFile::Timing;
    archive
        .read(file, |input| {
            chat::read_rows(input, file, chat::timing, |row| match row {
                Ok(row) => frames.take_timing(name, row),
                Err(row) => refuse(record, "chat_frame", name, file, row),
            })
        })
        .map_err(|cause| fault(file, cause))?;
    let file = ChatFile::Agent;
    archive
        .read(file, |input| {
            chat::read_rows(input, file, chat::agent, |row| match row {
                Ok(row) => frames.take_agent(row.conversation_id, row.agent_username),
                Err(row) => refuse(record, "chat_frame", name, file, row),
            })
        })
        .map_err(|cause| fault(file, cause))?;
    Ok(u64::try_from(record.rejects.len() - rejects_before).unwrap_or(0))
}

/// Messages of one export. Returns the rows that were refused.
fn read_messages(
    archive: &mut ChatArchive,
    name: &str,
    scratch: &mut TableWriter<ScratchMessage>,
    rows: &mut i64,
    record: &mut PartRecord,
) -> Result<u64, ExtractError> {
    let file = ChatFile::Conversations;
    let mut failure = None;
    let mut refused = 0;
    archive
        .read(file, |input| {
            chat::read_rows(input, file, chat::message, |row| match row {
                Ok(row) => {
                    *rows += 1;
                    if failure.is_none() {
                        failure = scratch.push(scratch_row(row, *rows, name)).err();
                    }
                }
                Err(row) => {
                    refused += 1;
                    refuse(record, "chat_message", name, file, row);
                }
            })
        })
        .map_err(|cause| OperatorFault { file: name.to_owned(), fault: damaged(file, cause) })?;
    match failure {
        Some(failure) => Err(failure.into()),
        None => Ok(refused),
    }
}

fn scratch_row(row: MessageRow, arrival: i64, archive: &str) -> ScratchMessage {
    ScratchMessage {
        conversation_id: row.conversation_id,
        sent_at: row.sent_at,
        message_id: row.message_id,
        arrival,
        sender: row.sender,
        sender_name: row.sender_name,
        body_raw: row.text,
        intent: row.intent,
        score: row.score,
        feedback: row.feedback,
        channel: row.channel,
        archive: archive.to_owned(),
        raw_json: row.raw_json,
    }
}

/// Settles repetitions, conversation by conversation.
struct Merging<'a> {
    ctx: &'a Context,
    seen: &'a Seen,
    frames: &'a Frames,
    record: &'a mut PartRecord,
    conversations: TableWriter<SourceConversation>,
    messages: TableWriter<SourceChatMessage>,
    window: Window,
    repeated: u64,
}

impl<'a> Merging<'a> {
    fn new(
        ctx: &'a Context,
        seen: &'a Seen,
        frames: &'a Frames,
        record: &'a mut PartRecord,
    ) -> Result<Self, ExtractError> {
        Ok(Self {
            ctx,
            seen,
            frames,
            record,
            conversations: archive::writer(ctx, ctx.pass, Vec::new())?,
            messages: archive::writer(ctx, ctx.pass, Vec::new())?,
            window: Window::default(),
            repeated: 0,
        })
    }

    fn merge(mut self, rows: archive::Sorted<ScratchMessage>) -> Result<SealedChat, ExtractError> {
        let mut unseen = self.frames.ids();
        let mut group: Vec<ScratchMessage> = Vec::new();
        for row in rows {
            let row = row?;
            if group.first().is_some_and(|first| first.conversation_id != row.conversation_id) {
                unseen.remove(&group[0].conversation_id);
                self.conversation(std::mem::take(&mut group))?;
            }
            group.push(row);
        }
        if let Some(first) = group.first() {
            unseen.remove(&first.conversation_id);
            self.conversation(group)?;
        }
        // Conversations that only the other files know: their messages are missing, and that is told, not hidden.
        for id in unseen {
            self.push_conversation(id, 0)?;
        }
        self.record.find(
            finding::CHT108_DUPLICATE_MESSAGE.as_str(),
            self.repeated,
            "messages stand in several exports",
        );
        self.window.report(self.ctx, self.record);
        Ok(SealedChat { conversations: self.conversations.seal()?, messages: self.messages.seal()? })
    }

    /// `rows` are in order of time, message and arrival.
    fn conversation(&mut self, rows: Vec<ScratchMessage>) -> Result<(), ExtractError> {
        let Some(id) = rows.first().map(|row| row.conversation_id.clone()) else { return Ok(()) };
        if !self.frames.holds(&id) {
            for row in &rows {
                let reject = SourceReject::record(
                    "chat_message",
                    format!("{id}/{}", row.message_id),
                    WITHOUT_CONVERSATION,
                    "its conversation stands in neither outcomes.csv nor timing.csv",
                );
                self.record.rejects.push(reject);
            }
            return Ok(());
        }
        let contradicted = self.contradicted(&id, &rows);
        let mut taken: BTreeSet<String> = BTreeSet::new();
        let mut position = 0;
        for row in rows {
            if contradicted.contains(&row.message_id) {
                continue;
            }
            if !taken.insert(row.message_id.clone()) {
                self.repeated += 1;
                continue;
            }
            position += 1;
            self.window.observe(row.sent_at);
            let message = self.message(position, row);
            self.messages.push(message)?;
        }
        self.push_conversation(&id, position)
    }

    /// Messages that are told in two ways; each way is a reject.
    fn contradicted(&mut self, id: &str, rows: &[ScratchMessage]) -> BTreeSet<String> {
        let mut first: BTreeMap<&str, &ScratchMessage> = BTreeMap::new();
        let mut contradicted = BTreeSet::new();
        for row in rows {
            let known = first.entry(&row.message_id).or_insert(row);
            let same =
                (known.sent_at, &known.sender, &known.body_raw) == (row.sent_at, &row.sender, &row.body_raw);
            if !same {
                contradicted.insert(row.message_id.clone());
            }
        }
        for row in rows.iter().filter(|row| contradicted.contains(&row.message_id)) {
            let place = format!("{id}/{}", row.message_id);
            let reason = format!("{} and another export tell it in two ways", row.archive);
            self.record.rejects.push(SourceReject::record("chat_message", place, CONTRADICTION, reason));
        }
        contradicted
    }

    fn message(&self, position: i32, row: ScratchMessage) -> SourceChatMessage {
        SourceChatMessage {
            conversation_id: row.conversation_id,
            position,
            message_id: row.message_id,
            sent_at: row.sent_at,
            sender: row.sender,
            sender_name: row.sender_name,
            body_clean: super::chat_text::plain(&row.body_raw),
            body_raw: row.body_raw,
            intent: row.intent,
            score: row.score,
            feedback: row.feedback,
            channel: row.channel,
            source_row_hash: String::new(),
            extracted_at: self.seen.at,
            source_page: row.archive,
            is_deleted: false,
            raw_json: row.raw_json,
        }
    }

    fn push_conversation(&mut self, id: &str, message_count: i32) -> Result<(), ExtractError> {
        let Frame { outcome, timing } = self.frames.of(id, self.record);
        let (outcome, timing) = (outcome.as_ref(), timing.as_ref());
        let stated = timing.and_then(|timing| timing.message_count);
        self.window.conversation(id, timing.and_then(|timing| timing.started_at), stated, message_count);
        self.window.files(
            outcome.is_some(),
            timing.is_some(),
            self.frames.is_in_agent_file(id),
            message_count > 0,
        );
        self.record.count("conversation", 1);
        self.record.count("chat_message", u64::try_from(message_count).unwrap_or(0));
        let raw = |json: Option<&String>| json.cloned().unwrap_or_else(|| "null".to_owned());
        let raw_json = format!(
            "{{\"outcome\":{},\"timing\":{}}}",
            raw(outcome.map(|row| &row.raw_json)),
            raw(timing.map(|row| &row.raw_json))
        );
        self.conversations.push(SourceConversation {
            conversation_id: id.to_owned(),
            outcome: outcome.and_then(|row| row.outcome.clone()),
            transferred_to: outcome.and_then(|row| row.transferred_to.clone()),
            last_intent: outcome.and_then(|row| row.last_intent.clone()),
            customer_email_raw: outcome.and_then(|row| row.customer_email.clone()),
            customer_phone_raw: outcome.and_then(|row| row.customer_phone.clone()),
            started_at: timing.and_then(|row| row.started_at),
            ended_at: timing.and_then(|row| row.ended_at),
            duration_seconds: timing.and_then(|row| row.duration_seconds),
            first_response_seconds: timing.and_then(|row| row.first_response_seconds),
            stated_message_count: stated,
            agent_usernames: self.frames.agents(id),
            message_count,
            source_row_hash: String::new(),
            extracted_at: self.seen.at,
            source_page: "chatbot".to_owned(),
            is_deleted: false,
            raw_json,
        })?;
        Ok(())
    }
}
