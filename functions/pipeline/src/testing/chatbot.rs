//! Chatbot exports as operators drop them, for tests.

use std::io::Write as _;

pub(crate) const MESSAGES: &str =
    "conversation_id,message_id,timestamp,sender,sender_name,text,intent,score,feedback,channel,extra\n";
const OUTCOMES: &str = "conversation_id,outcome,transferred_to,last_intent,customer_email,customer_phone\n";
const TIMING: &str =
    "conversation_id,started_at,ended_at,duration_seconds,first_response_seconds,message_count\n";
const AGENT: &str = "conversation_id,agent_name,agent_username,joined_at,left_at,message_count\n";

/// A ZIP file of the four files; `messages` with its header, the others without.
pub(crate) fn export(messages: &str, outcomes: &str, timing: &str) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let files = [
        ("conversations.csv", messages.to_owned()),
        ("outcomes.csv", format!("{OUTCOMES}{outcomes}")),
        ("timing.csv", format!("{TIMING}{timing}")),
        ("agent.csv", AGENT.to_owned()),
    ];
    for (name, content) in files {
        writer.start_file(name, zip::write::SimpleFileOptions::default()).expect("a valid name");
        writer.write_all(content.as_bytes()).expect("in memory");
    }
    writer.finish().expect("in memory").into_inner()
}

/// A row of `conversations.csv`.
pub(crate) fn message(conversation: &str, id: &str, second: u32, sender: &str, text: &str) -> String {
    format!("{conversation},{id},2024-05-01T10:00:{second:02}Z,{sender},,\"{text}\",,,,web,more\n")
}
