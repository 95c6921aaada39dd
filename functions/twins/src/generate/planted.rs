//! What was put into an account on purpose, and where it is.
//!
//! Deliberately absent: what a reader should make of it.

use serde::{Deserialize, Serialize};

/// A kind of trouble that real accounts have (facts: data the generator must contain).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlantedKind {
    /// One person, three lists, three contact ids.
    PersonInThreeLists,
    /// Several people with one number, written in two ways.
    HouseholdPhone,
    /// One contact with three numbers, hence three export rows.
    ThreeNumbers,
    /// A contact that manual dialling left behind: a number and nothing else.
    PhoneOnlyContact,
    /// A contact with all 35 slots filled.
    AllSlotsFilled,
    /// Two campaigns that label every slot differently.
    ClashingLabels,
    /// A contact with separators, quotes, line ends, markup, emoji and right-to-left script in its card.
    HostileContact,
    /// A contact without number and address.
    NoIdentity,
    /// A contact whose number is none.
    InvalidPhone,
    /// A contact whose address is none.
    InvalidEmail,
    /// One number on the blacklist in two formats.
    BlacklistedInTwoFormats,
    /// An export row of 13 columns.
    ShortExportRow,
    /// Users without address.
    AgentWithoutEmail,
    /// Two accounts with one address.
    SharedEmail,
    /// An agent group named like an office.
    GroupNamedLikeOffice,
    /// A campaign that is switched off.
    DisabledCampaign,
    /// One outcome name under two ids, in two campaigns, both used.
    DuplicateOutcomeName,
    /// An outcome that calls show under two names.
    RenamedOutcome,
    /// A call that belongs to no contact.
    CallWithoutContact,
    /// A missed call from outside that nobody took.
    CallWithoutAgent,
    /// A call whose sound file is gone.
    RecordingGone,
    /// A call comment that breaks naive readers.
    HostileComment,
    /// A call at a time that the spring change skips in Europe.
    TimeInGap,
    /// Two calls at a time that the autumn change repeats in Europe.
    TimeInFold,
    /// A conversation that began before the export's window.
    CutConversation,
    /// A conversation without identity.
    AnonymisedConversation,
    /// A list that is gone at the later time.
    ListToBeDeleted,
    /// A contact that is in another list at the later time.
    ContactToBeMoved,
    /// A contact of which only a number's update time changes until the later time.
    PhoneToBeTouched,
}

impl PlantedKind {
    /// All kinds.
    pub const ALL: [Self; 29] = [
        Self::PersonInThreeLists,
        Self::HouseholdPhone,
        Self::ThreeNumbers,
        Self::PhoneOnlyContact,
        Self::AllSlotsFilled,
        Self::ClashingLabels,
        Self::HostileContact,
        Self::NoIdentity,
        Self::InvalidPhone,
        Self::InvalidEmail,
        Self::BlacklistedInTwoFormats,
        Self::ShortExportRow,
        Self::AgentWithoutEmail,
        Self::SharedEmail,
        Self::GroupNamedLikeOffice,
        Self::DisabledCampaign,
        Self::DuplicateOutcomeName,
        Self::RenamedOutcome,
        Self::CallWithoutContact,
        Self::CallWithoutAgent,
        Self::RecordingGone,
        Self::HostileComment,
        Self::TimeInGap,
        Self::TimeInFold,
        Self::CutConversation,
        Self::AnonymisedConversation,
        Self::ListToBeDeleted,
        Self::ContactToBeMoved,
        Self::PhoneToBeTouched,
    ];
}

/// Where something is: ids as the account's API and files show them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// Contact ids.
    Contacts(Vec<u32>),
    /// Call ids.
    Calls(Vec<u32>),
    /// User ids.
    Users(Vec<u32>),
    /// Group ids.
    Groups(Vec<u32>),
    /// Campaign ids.
    Campaigns(Vec<u32>),
    /// Outcome ids.
    Outcomes(Vec<u32>),
    /// List ids.
    Lists(Vec<u32>),
    /// Raw texts on the blacklist.
    Numbers(Vec<String>),
    /// Conversation ids of the chatbot export.
    Conversations(Vec<String>),
}

/// One planted thing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Planted {
    /// What it is.
    pub kind: PlantedKind,
    /// Where to find it.
    pub place: Place,
}
