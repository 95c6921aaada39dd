//! Call records: thirty bytes each at rest, the rest computed when somebody asks.
//!
//! Deliberately absent: the result of the line. The visible API shows the outcome only (facts: two taxonomies).

use std::borrow::Cow;

use crate::generate::chance::{Chance, Stream};
use crate::generate::contact::CONTACT_ID_FIRST;
use crate::generate::phone;
use crate::generate::stamp::Stamp;
use crate::generate::words::LANGUAGES;

/// The id of the first call; ids count up from here in the order of creation.
pub(crate) const CALL_ID_FIRST: u32 = 100_001;

/// Marks a call without contact.
pub(crate) const NO_CONTACT: u32 = u32::MAX;
/// Marks a call without agent, or without outcome.
pub(crate) const NONE: u16 = u16::MAX;

/// What became of the sound file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recording {
    /// There never was one.
    None,
    /// It can be downloaded.
    Kept,
    /// The call still names it, but its retention has ended.
    Gone,
}

/// What cannot be computed from the call's sequence number.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CallRecord {
    /// The order of generation; keeps texts with their call while ids follow time.
    pub(crate) sequence: u32,
    pub(crate) contact: u32,
    pub(crate) created_at: Stamp,
    pub(crate) agent: u16,
    pub(crate) campaign: u16,
    pub(crate) outcome: u16,
    /// Seconds; 0 for unanswered calls.
    pub(crate) talk: u16,
    /// Which of the contact's numbers.
    pub(crate) slot: u8,
    pub(crate) inbound: bool,
    pub(crate) recording: Recording,
}

/// A call as LeadDesk has it. Absent ids are written `0`, absent names and times empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// Unique in the account; the API's parameter for it is `call_ref_id`.
    pub id: u32,
    /// Who took or made it.
    pub agent_id: Option<u32>,
    /// Login name of the agent.
    pub agent_username: String,
    /// The agent's group at the time.
    pub agent_group_id: Option<u32>,
    /// Its name.
    pub agent_group_name: String,
    /// Seconds; authoritative, start and end may disagree by a few.
    pub talk_time: u32,
    /// Local time.
    pub created_at: Stamp,
    /// Start, end of talk and end of after-work; none for unanswered calls.
    pub talked: Option<[Stamp; 3]>,
    /// Remote number, in international form where that could be told.
    pub number: String,
    /// Campaign, where there is one.
    pub campaign_id: Option<u32>,
    /// Its name.
    pub campaign_name: String,
    /// Contact, where there is one.
    pub contact_id: Option<u32>,
    /// Differs from the contact id; meaning unknown (facts).
    pub customer_id: Option<u32>,
    /// Outcome chosen by the agent.
    pub outcome_id: Option<u32>,
    /// The outcome's name at the time.
    pub outcome_name: String,
    /// Free text.
    pub comment: String,
    /// Name of the sound file, or empty.
    pub record_file: String,
    /// Whether the file is still there.
    pub recording: Recording,
    /// True for calls from outside.
    pub inbound: bool,
    /// Orders taken in the call.
    pub order_ids: Vec<u32>,
}

/// The names of a call's fields, in the order of the API's object (facts: the call record).
pub const CALL_FIELDS: [&str; 23] = [
    "id",
    "agent_id",
    "agent_username",
    "agent_group_id",
    "agent_group_name",
    "talk_time",
    "created_at",
    "talk_start",
    "talk_end",
    "handling_stop",
    "number",
    "campaign",
    "campaign_name",
    "contact_id",
    "customer_id",
    "call_ending_reason",
    "call_ending_reason_name",
    "comment",
    "record_file",
    "direction",
    "call_type",
    "call_type_name",
    "order_ids",
];

impl Call {
    /// The values of all fields but the last (`order_ids`), in the order of [`CALL_FIELDS`].
    pub fn cells(&self) -> [Cow<'_, str>; 22] {
        let id = |id: Option<u32>| Cow::Owned(id.unwrap_or(0).to_string());
        let time = |place: usize| {
            self.talked.map_or(Cow::Borrowed(""), |times| Cow::Owned(times[place].to_string()))
        };
        // Only this code and name are known (facts: `1` is `semi`); calls from outside show none.
        let (call_type, call_type_name) = if self.inbound { ("", "") } else { ("1", "semi") };
        [
            Cow::Owned(self.id.to_string()),
            id(self.agent_id),
            Cow::Borrowed(&self.agent_username),
            id(self.agent_group_id),
            Cow::Borrowed(&self.agent_group_name),
            Cow::Owned(self.talk_time.to_string()),
            Cow::Owned(self.created_at.to_string()),
            time(0),
            time(1),
            time(2),
            Cow::Borrowed(&self.number),
            id(self.campaign_id),
            Cow::Borrowed(&self.campaign_name),
            id(self.contact_id),
            id(self.customer_id),
            id(self.outcome_id),
            Cow::Borrowed(&self.outcome_name),
            Cow::Borrowed(&self.comment),
            Cow::Borrowed(&self.record_file),
            Cow::Borrowed(self.direction()),
            Cow::Borrowed(call_type),
            Cow::Borrowed(call_type_name),
        ]
    }

    /// `in` or `out`.
    pub fn direction(&self) -> &'static str {
        if self.inbound { "in" } else { "out" }
    }
}

impl CallRecord {
    fn chance(&self, seed: u64) -> Chance {
        Chance::of(seed, Stream::CallText, u64::from(self.sequence))
    }

    /// The number of a caller whom no list knows.
    pub(crate) fn stranger_number(&self, seed: u64) -> String {
        phone::stranger(seed, u64::from(self.sequence))
    }

    pub(crate) fn customer_id(&self) -> Option<u32> {
        (self.contact != NO_CONTACT).then(|| 900_001 + self.contact + CONTACT_ID_FIRST)
    }

    pub(crate) fn talked(&self, seed: u64) -> Option<[Stamp; 3]> {
        let mut chance = self.chance(seed);
        let (ring, drift, after) = (chance.between(3, 25), chance.below(3), chance.between(5, 60));
        (self.talk > 0).then(|| {
            let start = self.created_at.plus(ring);
            let end = start.plus(u32::from(self.talk) + drift);
            [start, end, end.plus(after)]
        })
    }

    pub(crate) fn comment(&self, seed: u64) -> String {
        let mut chance = Chance::of(seed ^ 1, Stream::CallText, u64::from(self.sequence));
        if chance.per_mille(720) {
            return String::new();
        }
        let language = [0, 0, 0, 1, 2, 3, 4][chance.below(7) as usize];
        (*chance.pick(LANGUAGES[language].remarks)).to_owned()
    }

    pub(crate) fn order_ids(&self, seed: u64, deal: bool) -> Vec<u32> {
        let mut chance = Chance::of(seed ^ 2, Stream::CallText, u64::from(self.sequence));
        let orders = if deal { chance.between(1, 2) } else { 0 };
        (0..orders).map(|order| 700_001 + self.sequence * 2 + order).collect()
    }
}
