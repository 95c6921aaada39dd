//! Newer chatbot exports beside what the reading before told.
//!
//! An export is a window: what lies in front of it was told before and stays told, conversation by conversation, message
//! by message, row by row. What the newer exports tell anew counts. Deliberately absent: taking anything away.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use snapshot::tables::{SourceChatMessage, SourceConversation};
use snapshot::{Sealed, TableReader};

use super::error::ExtractError;
use super::since::{self, Since};
use crate::context::Context;

/// What a conversation's raw text holds.
#[derive(Serialize, Deserialize)]
struct RawFrames {
    outcome: Box<RawValue>,
    timing: Box<RawValue>,
}

/// Conversations and messages of the reading before, with those of the new exports laid over.
///
/// # Errors
/// What the readers and the writers say.
pub(super) async fn chats(
    ctx: &Context,
    since: &Since,
    exported: Vec<Sealed>,
) -> Result<Vec<Sealed>, ExtractError> {
    let [conversations, messages] =
        <[Sealed; 2]>::try_from(exported).map_err(|_| ExtractError::StoredPage { key: "chat".to_owned() })?;
    let mut told: BTreeMap<String, SourceConversation> = BTreeMap::new();
    for row in TableReader::<SourceConversation>::of(&conversations)? {
        let row = row?;
        told.insert(row.conversation_id.clone(), row);
    }
    let mut said: BTreeMap<String, Vec<SourceChatMessage>> = BTreeMap::new();
    for row in TableReader::<SourceChatMessage>::of(&messages)? {
        let row = row?;
        said.entry(row.conversation_id.clone()).or_default().push(row);
    }
    for row in since.open::<SourceChatMessage>().await? {
        let row = row?;
        if told.contains_key(&row.conversation_id) {
            let thread = said.entry(row.conversation_id.clone()).or_default();
            if thread.iter().all(|held| held.message_id != row.message_id) {
                thread.push(row);
            }
        }
    }
    for (id, thread) in &mut said {
        thread
            .sort_by(|left, right| (left.sent_at, &left.message_id).cmp(&(right.sent_at, &right.message_id)));
        for (position, message) in (1..).zip(thread.iter_mut()) {
            message.position = position;
        }
        if let Some(row) = told.get_mut(id) {
            row.message_count = i32::try_from(thread.len()).unwrap_or(i32::MAX);
        }
    }
    for row in since.open::<SourceConversation>().await? {
        let row = row?;
        if let Some(new) = told.get_mut(&row.conversation_id) {
            keep_told(new, row);
        }
    }
    let ids: BTreeSet<String> = told.keys().cloned().collect();
    let of_messages = ids.clone();
    let (told, said) = (told.into_values().collect(), said.into_values().flatten().collect());
    Ok(vec![
        since::some(ctx, since, told, move |row: &SourceConversation| !ids.contains(&row.conversation_id))
            .await?,
        since::some(ctx, since, said, move |row: &SourceChatMessage| {
            !of_messages.contains(&row.conversation_id)
        })
        .await?,
    ])
}

/// Of a conversation whose outcome, times or agents the new exports do not tell, what was told before stays.
fn keep_told(new: &mut SourceConversation, before: SourceConversation) {
    let read = |text: &str| serde_json::from_str::<RawFrames>(text).ok();
    if let (Some(mut raw), Some(held)) = (read(&new.raw_json), read(&before.raw_json)) {
        if raw.outcome.get() == "null" {
            new.outcome = before.outcome;
            new.transferred_to = before.transferred_to;
            new.last_intent = before.last_intent;
            new.customer_email_raw = before.customer_email_raw;
            new.customer_phone_raw = before.customer_phone_raw;
            raw.outcome = held.outcome;
        }
        if raw.timing.get() == "null" {
            new.started_at = before.started_at;
            new.ended_at = before.ended_at;
            new.duration_seconds = before.duration_seconds;
            new.first_response_seconds = before.first_response_seconds;
            new.stated_message_count = before.stated_message_count;
            raw.timing = held.timing;
        }
        if let Ok(text) = serde_json::to_string(&raw) {
            new.raw_json = text;
        }
    }
    let names = [before.agent_usernames, new.agent_usernames.take()];
    let names: BTreeSet<&str> = names.iter().flatten().flat_map(|names| names.split(',')).collect();
    new.agent_usernames = (!names.is_empty()).then(|| names.into_iter().collect::<Vec<_>>().join(","));
}
