//! A call as a message: the customer's template, filled.
//!
//! Internal note by default: never sent, never billed (facts: billing). A recording in the store becomes an attachment
//! where that is chosen. Deliberately absent: any link that holds a key or a signature.

use jiff::Timestamp;

use crate::call_template::{Placeholder, indented};
use crate::finding::{self, Note, ObjectKind};
use crate::gorgias::{AttachmentDraft, Delivery, MessageDraft, Sender};
use crate::keys::ExternalId;
use crate::leaddesk::{Call, Direction, RecordingState};
use crate::local_time;
use crate::message::message;
use crate::settings::{CallChannel, RecordingPolicy};
use crate::text::{clean, clean_line, clean_some};
use crate::ticket::TicketContext;

/// Gorgias' word for the channel of explicit choice.
const PHONE_CHANNEL: &str = "phone";

/// The message of a call and what is worth telling about it.
#[must_use]
pub fn call_message(call: &Call, ctx: &TicketContext<'_>) -> (MessageDraft, Vec<Note>) {
    let mut notes = Vec::new();
    let id = call.id.to_string();
    let at = not_in_future(call.created_at, ctx.as_of);
    let mut note = |code, detail: &str| notes.push(Note::new(code, ObjectKind::Call, &id, detail));
    if at != call.created_at {
        note(finding::CAL106_TIME_IN_FUTURE, "set to the time of extraction");
    }
    if call.talk_seconds.is_none_or(|seconds| seconds < 0) {
        note(finding::CAL107_DURATION_UNKNOWN, "");
    }
    let author = ctx.users.sender(call.agent);
    if author == Sender::ServiceUser {
        note(finding::CAL101_NO_AGENT, "");
    }
    if ctx.settings.call_channel == CallChannel::Phone && call.direction.is_none() {
        note(finding::CAL108_NO_DIRECTION, "");
    }
    let state = call.fetched.as_ref().map(|fetched| fetched.state);
    let (recording, withheld) = recording_text(call.recording.as_deref(), ctx.settings.recording, state);
    if withheld {
        note(finding::CAL105_RECORDING_WITHHELD, "");
    }
    let text = text(call, recording, ctx);
    let delivery = delivery(call.direction, author, at, ctx);
    let mut draft = message(ExternalId::call(call.id), delivery, &text, (ObjectKind::Call, &id), &mut notes);
    if ctx.settings.recording == RecordingPolicy::Upload {
        draft.attachment = attachment(call);
    }
    (draft, notes)
}

/// The recording as an attachment. Its own name at LeadDesk holds the number that was called, and names of attachments
/// become part of addresses; the text shows that name.
fn attachment(call: &Call) -> Option<AttachmentDraft> {
    let sound = call.fetched.as_ref()?.sound.clone()?;
    let ending = sound.key.rsplit('.').next().unwrap_or_default();
    Some(AttachmentDraft {
        file_name: format!("call-{}.{ending}", call.id),
        content_type: sound.content_type,
        bytes: sound.bytes,
        sha256: sound.sha256,
        store_key: sound.key,
    })
}

/// A moment later than the extraction is a slip of a clock or a zone, and Gorgias refuses it.
pub(crate) fn not_in_future(at: Timestamp, as_of: Timestamp) -> Timestamp {
    at.min(as_of)
}

fn delivery(
    direction: Option<Direction>,
    author: Sender,
    at: Timestamp,
    ctx: &TicketContext<'_>,
) -> Delivery {
    let channel = PHONE_CHANNEL.to_owned();
    match (ctx.settings.call_channel, direction) {
        (CallChannel::Phone, Some(Direction::Inbound)) => Delivery::Incoming { channel, at },
        (CallChannel::Phone, Some(Direction::Outbound)) => {
            Delivery::Outgoing { channel, author, sent_at: at }
        }
        (CallChannel::Phone, None) | (CallChannel::InternalNote, _) => Delivery::InternalNote { author, at },
    }
}

fn text(call: &Call, recording: Option<String>, ctx: &TicketContext<'_>) -> String {
    let template = &ctx.settings.call_template;
    let line = |value: Option<&str>| value.map(clean_line).filter(|value| !value.is_empty());
    let campaign =
        || line(call.campaign_name.as_deref()).or_else(|| line(ctx.campaigns.name(call.campaign?)));
    let agent = || {
        line(call.agent.and_then(|id| ctx.users.name_of(id))).or_else(|| line(call.agent_username.as_deref()))
    };
    let mut text = template.render(|placeholder| match placeholder {
        Placeholder::Direction => Some(direction_text(call.direction).to_owned()),
        Placeholder::Time => Some(local_time::render(call.created_at, &ctx.settings.zone)),
        Placeholder::Duration => Some(duration_text(call.talk_seconds)),
        Placeholder::Outcome => line(call.outcome_name.as_deref()),
        Placeholder::OutcomeId => call.outcome.map(|id| id.to_string()),
        Placeholder::Agent => agent(),
        Placeholder::Group => line(call.group_name.as_deref()),
        Placeholder::Campaign => campaign(),
        Placeholder::CampaignId => call.campaign.map(|id| id.to_string()),
        Placeholder::Number => line(call.number.as_deref()),
        Placeholder::Comment => clean_some(call.comment.as_deref()),
        Placeholder::CallId => Some(call.id.to_string()),
        Placeholder::CallType => line(call.call_type.as_deref()),
        Placeholder::Recording => recording.clone(),
    });
    let mentions = ctx.settings.recording != RecordingPolicy::None && !template.shows(Placeholder::Recording);
    if let Some(recording) = recording.filter(|_| mentions) {
        text = format!("{text}\nRecording: {}", indented(&recording));
    }
    text
}

fn direction_text(direction: Option<Direction>) -> &'static str {
    match direction {
        Some(Direction::Inbound) => "Inbound",
        Some(Direction::Outbound) => "Outbound",
        None => "unknown",
    }
}

/// `05:07 (307 s)`; minutes go on counting after an hour.
#[must_use]
pub fn duration_text(seconds: Option<i32>) -> String {
    match seconds {
        Some(seconds) if seconds >= 0 => format!("{:02}:{:02} ({seconds} s)", seconds / 60, seconds % 60),
        _ => "unknown".to_owned(),
    }
}

/// What the text says of a recording, and whether something was withheld.
///
/// A link is written only when nothing in it can be a key: no query, no fragment, no user, `https` alone. A recording that
/// is uploaded is only named: whether Gorgias takes the file is not known yet, and the attachment speaks for itself.
#[must_use]
pub fn recording_text(
    recording: Option<&str>,
    policy: RecordingPolicy,
    state: Option<RecordingState>,
) -> (Option<String>, bool) {
    let Some(recording) = recording.map(clean).filter(|recording| !recording.is_empty()) else {
        return (None, false);
    };
    let is_link = recording.contains("://");
    let holds_key =
        recording.contains(['?', '#', '@', '&', '=', '\n']) || recording.contains(char::is_whitespace);
    let name = recording.rsplit(['/', '\\']).next().unwrap_or("").to_owned();
    let name_is_safe = !holds_key && !name.is_empty();
    match policy {
        RecordingPolicy::None => (Some("not migrated".to_owned()), false),
        RecordingPolicy::Link if is_link && !holds_key && recording.starts_with("https://") => {
            (Some(recording), false)
        }
        RecordingPolicy::Link if !is_link && name_is_safe => (Some(name), false),
        RecordingPolicy::Link => (Some("link withheld".to_owned()), true),
        RecordingPolicy::Upload | RecordingPolicy::Archive => {
            let name = if name_is_safe { name } else { "recording".to_owned() };
            let text = match state {
                Some(RecordingState::Archived) if policy == RecordingPolicy::Upload => name,
                Some(RecordingState::Archived) => format!("{name}, archived"),
                Some(RecordingState::Gone) => format!("{name}, not at LeadDesk any more"),
                Some(RecordingState::Failed | RecordingState::Pending) | None => {
                    format!("{name}, could not be fetched")
                }
            };
            (Some(text), false)
        }
    }
}
