//! LeadDesk's words: what the source holds, parsed once at the edge.
//!
//! Ids are positive integers in LeadDesk's own answers (sometimes written as strings there); in the lake they are text.
//! Zone-less times are already resolved to UTC here; the raw text stays in the source snapshot.
//! Deliberately absent: wire shapes, files, and every field that is never read (national id, birth year, gender).

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;

use crate::settings::choice;

macro_rules! numeric_id {
    ($(#[$doc:meta] $name:ident),+ $(,)?) => {$(
        #[$doc]
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub u64);

        impl fmt::Display for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(out, "{}", self.0)
            }
        }

        impl FromStr for $name {
            type Err = NotAnId;
            fn from_str(text: &str) -> Result<Self, NotAnId> {
                match text.trim().parse::<u64>() {
                    Ok(number) if number > 0 => Ok(Self(number)),
                    _ => Err(NotAnId),
                }
            }
        }
    )+};
}

/// The text is not a positive integer, so it identifies nothing in LeadDesk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a positive integer id")]
pub struct NotAnId;

numeric_id! {
    /// Id of a contact; one person has one per list.
    ContactId,
    /// Id of a calling list.
    ListId,
    /// Id of a campaign, which is also the project.
    CampaignId,
    /// Id of a call (`call_ref_id`).
    CallId,
    /// Id of a user account (agent, team leader, manager, admin, sponsor).
    UserId,
    /// Id of an agent group.
    GroupId,
    /// Id of an outcome (call ending reason).
    OutcomeId,
}

/// One of the 35 free text slots (`other1` … `other35`) of a contact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot(u8);

impl Slot {
    /// Slots per contact.
    pub const COUNT: u8 = 35;

    /// `number` is 1 to 35; anything else is `None`.
    #[must_use]
    pub fn new(number: u8) -> Option<Self> {
        (1..=Self::COUNT).contains(&number).then_some(Self(number))
    }

    /// Parses LeadDesk's field name, for example `other7`.
    #[must_use]
    pub fn from_field_name(name: &str) -> Option<Self> {
        Self::new(name.strip_prefix("other")?.parse().ok()?)
    }

    /// 1 to 35.
    #[must_use]
    pub fn number(self) -> u8 {
        self.0
    }
}

impl fmt::Display for Slot {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "other{}", self.0)
    }
}

/// A contact card. Empty values of any kind arrive as `None`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contact {
    /// Unique per account.
    pub id: ContactId,
    /// As LeadDesk has them; the primary number first, without repetition.
    pub phones: Vec<String>,
    /// As received.
    pub first_name: Option<String>,
    /// As received.
    pub last_name: Option<String>,
    /// As received, not yet validated.
    pub email: Option<String>,
    /// Web address.
    pub www: Option<String>,
    /// Street address.
    pub address: Option<String>,
    /// Postal code, text.
    pub postcode: Option<String>,
    /// City.
    pub city: Option<String>,
    /// Country, free text or code.
    pub country: Option<String>,
    /// Job title.
    pub title: Option<String>,
    /// Company name.
    pub company: Option<String>,
    /// Company registration number.
    pub company_registration: Option<String>,
    /// VAT number.
    pub vat_number: Option<String>,
    /// Free text, may have several lines.
    pub comment: Option<String>,
    /// The filled slots.
    pub slots: BTreeMap<Slot, String>,
}

/// A lead: one contact in one calling list. LeadDesk has no lead object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LeadId {
    /// The list.
    pub list: ListId,
    /// The contact in it.
    pub contact: ContactId,
}

impl fmt::Display for LeadId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}", self.list, self.contact)
    }
}

impl FromStr for LeadId {
    type Err = NotAnId;
    fn from_str(text: &str) -> Result<Self, NotAnId> {
        let (list, contact) = text.split_once(':').ok_or(NotAnId)?;
        Ok(Self { list: list.parse()?, contact: contact.parse()? })
    }
}

/// State of a lead in its list, in the terms of LeadDesk's own list overview.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LeadStatus {
    /// Never called.
    Unused,
    /// Called, not finished.
    InCirculation,
    /// Finalised; stays in the list.
    Finished,
}

impl LeadStatus {
    /// `unused`, `in_circulation`, `finished`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unused => "unused",
            Self::InCirculation => "in_circulation",
            Self::Finished => "finished",
        }
    }
}

/// A lead with what the list export (one row per phone number) or the operator's `leads.csv` says of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lead {
    /// (list, contact).
    pub id: LeadId,
    /// Name of the list.
    pub list_name: String,
    /// Derived from the export rows.
    pub status: LeadStatus,
    /// The words that `leaddesk_lead_status__c` keeps: the operator's status, else the derived one.
    pub status_text: String,
    /// Last call result name, verbatim.
    pub last_result: Option<String>,
    /// Name of the campaign of the last call.
    pub last_campaign: Option<String>,
    /// Name of the agent of the last call: the owner.
    pub last_agent: Option<String>,
    /// Latest call over all numbers.
    pub last_call_at: Option<Timestamp>,
    /// When the contact card changed.
    pub contact_updated_at: Option<Timestamp>,
    /// Numbers of the export rows, as received.
    pub phones: Vec<String>,
}

/// Direction of a call, seen from the company.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// The customer called.
    Inbound,
    /// The company called.
    Outbound,
}

choice! {
    /// What became of a recording on its way into the store.
    RecordingState {
        /// It is in the store.
        Archived = "archived",
        /// LeadDesk has it no more.
        Gone = "gone",
        /// It was not taken.
        Failed = "failed",
        /// It could not be fetched for now.
        Pending = "pending",
    }
}

/// A sound file in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredSound {
    /// Media type.
    pub content_type: String,
    /// Size.
    pub bytes: u64,
    /// SHA-256, hexadecimal.
    pub sha256: String,
    /// Object below the folder of the migration; its ending is that of the sound.
    pub key: String,
}

/// A recording that was to be fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchedRecording {
    /// What became of it.
    pub state: RecordingState,
    /// The file, when it is in the store.
    pub sound: Option<StoredSound>,
}

/// A call record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// `call_ref_id`.
    pub id: CallId,
    /// When the call was made.
    pub created_at: Timestamp,
    /// Seconds of talk; authoritative over start and end. `None` when it cannot be read.
    pub talk_seconds: Option<i32>,
    /// Handler.
    pub agent: Option<UserId>,
    /// Login name of the handler.
    pub agent_username: Option<String>,
    /// Group of the handler at call time.
    pub group: Option<GroupId>,
    /// Name of that group.
    pub group_name: Option<String>,
    /// Remote number as received.
    pub number: Option<String>,
    /// Campaign.
    pub campaign: Option<CampaignId>,
    /// Its name at call time.
    pub campaign_name: Option<String>,
    /// Contact, absent for unknown callers.
    pub contact: Option<ContactId>,
    /// Outcome.
    pub outcome: Option<OutcomeId>,
    /// Its name at call time.
    pub outcome_name: Option<String>,
    /// What the agent wrote.
    pub comment: Option<String>,
    /// Recording's file name.
    pub recording: Option<String>,
    /// What became of the recording, where recordings are fetched.
    pub fetched: Option<FetchedRecording>,
    /// Absent when LeadDesk says neither `in` nor `out`.
    pub direction: Option<Direction>,
    /// Name of the calling mode, such as `semi`.
    pub call_type: Option<String>,
}

/// A user account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Account id.
    pub id: UserId,
    /// Shown name.
    pub name: String,
    /// Login name.
    pub username: String,
    /// Agents without one are normal.
    pub email: Option<String>,
    /// Role text as received: Admin, Agent, Team Leader, Manager, Sponsor.
    pub role: String,
    /// `employment` is `active`.
    pub is_active: bool,
    /// Office name.
    pub office: Option<String>,
}

/// A campaign; the project is the same object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Campaign {
    /// Campaign id.
    pub id: CampaignId,
    /// Shown name.
    pub name: String,
    /// Type text as received.
    pub kind: Option<String>,
    /// Switched off.
    pub is_disabled: bool,
    /// Client on whose behalf calls are made, from `sponsors.csv`.
    pub sponsor: Option<String>,
}

/// A calling list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallingList {
    /// List id.
    pub id: ListId,
    /// Shown name.
    pub name: String,
    /// Campaigns that dial it, from `lists.csv`.
    pub campaigns: Vec<CampaignId>,
    /// Office, from `lists.csv`.
    pub office: Option<String>,
}

/// An outcome (older name: call ending reason). The id is the key; names repeat across projects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Outcome id.
    pub id: OutcomeId,
    /// Shown name.
    pub name: String,
    /// `global` or the campaign that owns it.
    pub campaign: Option<CampaignId>,
    /// Whether choosing it finalises the contact.
    pub finalises: Option<bool>,
}

/// Label and type of a slot in one campaign, from `fields.csv`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlotSetting {
    /// The project whose setting this is.
    pub campaign: CampaignId,
    /// The slot.
    pub slot: Slot,
    /// What agents see.
    pub label: String,
    /// `text`, `number` or `dropdown`.
    pub kind: String,
    /// Drop-down values.
    pub values: Vec<String>,
}

/// An office: an administrative flag with a name, sometimes a time zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Office {
    /// Name, the only identity an office has.
    pub name: String,
    /// IANA zone.
    pub time_zone: Option<String>,
}

/// An agent group: the nearest thing to a team.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Group id.
    pub id: GroupId,
    /// Shown name.
    pub name: String,
    /// Login names of the members.
    pub usernames: Vec<String>,
}

/// Who said a chatbot message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChatSender {
    /// The visitor.
    Customer,
    /// The bot.
    Bot,
    /// A person of the company.
    Agent,
    /// The system.
    System,
}

/// One message of a chatbot conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChatMessage {
    /// Unique within its conversation.
    pub id: String,
    /// When it was said.
    pub sent_at: Timestamp,
    /// Who said it.
    pub sender: ChatSender,
    /// Shown name of the sender.
    pub sender_name: Option<String>,
    /// As exported; may hold HTML.
    pub text: String,
    /// Recognised intent.
    pub intent: Option<String>,
    /// `like` or `dislike`.
    pub feedback: Option<String>,
}

/// A chatbot conversation with its messages in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conversation {
    /// Conversation id, text.
    pub id: String,
    /// `handled`, `transferred`, `unanswered`.
    pub outcome: Option<String>,
    /// Who took over.
    pub transferred_to: Option<String>,
    /// Visitor's address, absent when anonymised.
    pub customer_email: Option<String>,
    /// Visitor's number, absent when anonymised.
    pub customer_phone: Option<String>,
    /// From the timing file.
    pub started_at: Option<Timestamp>,
    /// From the timing file.
    pub ended_at: Option<Timestamp>,
    /// Count that the timing file states.
    pub stated_messages: Option<u32>,
    /// Login names of agents that took part, from the agent file.
    pub agents: Vec<String>,
    /// In order of time, then of id.
    pub messages: Vec<ChatMessage>,
}
