//! Rows of the source snapshot as LeadDesk's words.
//!
//! Ids were checked when the rows were written; a row whose id cannot be read all the same is an error of the snapshot
//! and becomes a reject, never a guess.

use std::collections::BTreeMap;

use migration::leaddesk::{
    Call, CallingList, Campaign, CampaignId, ChatMessage, ChatSender, Contact, ContactId, Conversation,
    Direction, FetchedRecording, Group, GroupId, Lead, LeadId, LeadStatus, NotAnId, Office, Outcome,
    RecordingState, Slot, SlotSetting, StoredSound, User,
};
use snapshot::tables::{
    SourceAgent, SourceCall, SourceCampaign, SourceChatMessage, SourceContact, SourceConversation,
    SourceField, SourceFieldValue, SourceGroup, SourceLead, SourceList, SourceOffice, SourceOutcome,
    SourceRecording,
};

/// A contact with its filled slots.
///
/// # Errors
/// [`NotAnId`] when the row carries no id.
pub fn contact(row: SourceContact, values: Vec<SourceFieldValue>) -> Result<Contact, NotAnId> {
    let id: ContactId = row.leaddesk_contact_id.parse()?;
    let mut phones: Vec<String> = row.phone_raw.into_iter().collect();
    for number in split(row.phones_joined.as_deref(), '|') {
        if !phones.contains(&number) {
            phones.push(number);
        }
    }
    let slots: BTreeMap<Slot, String> = values
        .into_iter()
        .filter_map(|value| Some((Slot::new(u8::try_from(value.slot_number).ok()?)?, value.value_raw)))
        .collect();
    Ok(Contact {
        id,
        phones,
        first_name: row.first_name,
        last_name: row.last_name,
        email: row.email_raw,
        www: row.web_address,
        address: row.street_address,
        postcode: row.postcode,
        city: row.city,
        country: row.country,
        title: row.job_title,
        company: row.company_name,
        company_registration: row.company_registration,
        vat_number: row.vat_number,
        comment: row.comment,
        slots,
    })
}

/// A lead.
///
/// # Errors
/// [`NotAnId`] when the row carries no ids.
pub fn lead(row: &SourceLead) -> Result<Lead, NotAnId> {
    let id = LeadId { list: row.leaddesk_list_id.parse()?, contact: row.leaddesk_contact_id.parse()? };
    let status = match row.lead_status.as_str() {
        "finished" => LeadStatus::Finished,
        "in_circulation" => LeadStatus::InCirculation,
        _ => LeadStatus::Unused,
    };
    Ok(Lead {
        id,
        list_name: row.list_name.clone(),
        status,
        status_text: row.lead_status_raw.clone(),
        last_result: row.last_result_name.clone(),
        last_campaign: row.last_campaign_name.clone(),
        last_agent: row.last_agent_name.clone(),
        last_call_at: row.last_call_at,
        contact_updated_at: row.contact_updated_at,
        phones: split(row.phones_joined.as_deref(), '|').collect(),
    })
}

/// A call.
///
/// # Errors
/// [`NotAnId`] when the row carries no id.
pub fn call(row: SourceCall) -> Result<Call, NotAnId> {
    Ok(Call {
        id: row.leaddesk_call_id.parse()?,
        created_at: row.created_at,
        talk_seconds: row.talk_seconds,
        agent: optional(row.agent_id.as_deref()),
        agent_username: row.agent_username,
        group: optional(row.agent_group_id.as_deref()),
        group_name: row.agent_group_name,
        number: row.number_raw,
        campaign: optional(row.campaign_id.as_deref()),
        campaign_name: row.campaign_name,
        contact: optional(row.leaddesk_contact_id.as_deref()),
        outcome: optional(row.outcome_id.as_deref()),
        outcome_name: row.outcome_name,
        comment: row.comment,
        recording: row.recording_file,
        fetched: None,
        direction: direction(row.direction.as_deref()),
        call_type: row.call_type_name.or(row.call_type),
    })
}

/// What became of a call's recording. A word that nobody knows is not taken for success.
#[must_use]
pub fn fetched(row: SourceRecording) -> FetchedRecording {
    let sound = match (row.content_type, row.size_bytes, row.sha256, row.store_key) {
        (Some(content_type), Some(bytes), Some(sha256), Some(key)) => {
            let bytes = u64::try_from(bytes).unwrap_or(0);
            Some(StoredSound { content_type, bytes, sha256, key })
        }
        _ => None,
    };
    let state = RecordingState::from_word(&row.recording_state).unwrap_or(RecordingState::Failed);
    FetchedRecording { state, sound: sound.filter(|_| state == RecordingState::Archived) }
}

/// Seen from the company.
#[must_use]
pub fn direction(word: Option<&str>) -> Option<Direction> {
    match word {
        Some("in") => Some(Direction::Inbound),
        Some("out") => Some(Direction::Outbound),
        _ => None,
    }
}

/// A user account.
///
/// # Errors
/// [`NotAnId`] when the row carries no id.
pub fn user(row: SourceAgent) -> Result<User, NotAnId> {
    Ok(User {
        id: row.leaddesk_agent_id.parse()?,
        name: row.agent_name,
        username: row.username,
        email: row.email_raw,
        role: row.role_raw,
        is_active: row.is_active,
        office: row.office_name,
    })
}

/// A campaign.
///
/// # Errors
/// [`NotAnId`] when the row carries no id.
pub fn campaign(row: SourceCampaign) -> Result<Campaign, NotAnId> {
    Ok(Campaign {
        id: row.leaddesk_campaign_id.parse()?,
        name: row.campaign_name,
        kind: row.campaign_type,
        is_disabled: row.is_disabled,
        sponsor: row.sponsor_name,
    })
}

/// A calling list.
///
/// # Errors
/// [`NotAnId`] when the row carries no id.
pub fn list(row: SourceList) -> Result<CallingList, NotAnId> {
    Ok(CallingList {
        id: row.leaddesk_list_id.parse()?,
        name: row.list_name,
        campaigns: split(row.campaign_ids.as_deref(), ',')
            .filter_map(|id| id.parse::<CampaignId>().ok())
            .collect(),
        office: row.office_name,
    })
}

/// An outcome.
///
/// # Errors
/// [`NotAnId`] when the row carries no id.
pub fn outcome(row: SourceOutcome) -> Result<Outcome, NotAnId> {
    Ok(Outcome {
        id: row.outcome_id.parse()?,
        name: row.outcome_name,
        campaign: optional(row.campaign_id.as_deref()),
        finalises: row.is_finalising,
    })
}

/// Label and type of a slot.
///
/// # Errors
/// [`NotAnId`] when the row carries no campaign or slot.
pub fn slot_setting(row: SourceField) -> Result<SlotSetting, NotAnId> {
    Ok(SlotSetting {
        campaign: row.campaign_id.parse()?,
        slot: u8::try_from(row.slot_number).ok().and_then(Slot::new).ok_or(NotAnId)?,
        label: row.field_label,
        kind: row.field_type,
        values: split(row.allowed_values.as_deref(), '|').collect(),
    })
}

/// An office.
#[must_use]
pub fn office(row: SourceOffice) -> Office {
    Office { name: row.office_name, time_zone: row.time_zone }
}

/// Groups from their member rows.
///
/// # Errors
/// [`NotAnId`] when a row carries no id.
pub fn groups(rows: impl IntoIterator<Item = SourceGroup>) -> Result<Vec<Group>, NotAnId> {
    let mut groups: BTreeMap<GroupId, Group> = BTreeMap::new();
    for row in rows {
        let id: GroupId = row.group_id.parse()?;
        let group = groups.entry(id).or_insert_with(|| Group {
            id,
            name: row.group_name.clone(),
            usernames: Vec::new(),
        });
        if !row.username.is_empty() {
            group.usernames.push(row.username);
        }
    }
    Ok(groups.into_values().collect())
}

/// A conversation with its messages.
#[must_use]
pub fn conversation(row: SourceConversation, messages: Vec<SourceChatMessage>) -> Conversation {
    Conversation {
        id: row.conversation_id,
        outcome: row.outcome,
        transferred_to: row.transferred_to,
        customer_email: row.customer_email_raw,
        customer_phone: row.customer_phone_raw,
        started_at: row.started_at,
        ended_at: row.ended_at,
        stated_messages: row.stated_message_count.and_then(|count| u32::try_from(count).ok()),
        agents: split(row.agent_usernames.as_deref(), ',').collect(),
        messages: messages.into_iter().map(chat_message).collect(),
    }
}

fn chat_message(row: SourceChatMessage) -> ChatMessage {
    let sender = match row.sender.as_str() {
        "customer" => ChatSender::Customer,
        "bot" => ChatSender::Bot,
        "agent" => ChatSender::Agent,
        _ => ChatSender::System,
    };
    ChatMessage {
        id: row.message_id,
        sent_at: row.sent_at,
        sender,
        sender_name: row.sender_name,
        text: row.body_clean,
        intent: row.intent,
        feedback: row.feedback,
    }
}

fn optional<T: std::str::FromStr>(text: Option<&str>) -> Option<T> {
    text?.parse().ok()
}

fn split(joined: Option<&str>, mark: char) -> impl Iterator<Item = String> + '_ {
    joined
        .into_iter()
        .flat_map(move |joined| joined.split(mark))
        .filter(|part| !part.is_empty())
        .map(str::to_owned)
}
