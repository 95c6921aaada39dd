//! Whether a migration may be cut over, and what comes next when it is: facts -> readiness, what is done -> the next step.
//!
//! Nothing begins as ready: what could not be looked at stands in the way like what is wrong, unless a person accepts it
//! by its code or takes it upon themselves by name. Deliberately absent: gathering the facts (see `pipeline::cutover`).

mod course;
mod points;

use jiff::Timestamp;

use crate::finding::{self, Code};

pub use course::{FreezeEvidence, Shown, Step, Switch, next};
pub use points::{COMPARISON_HOURS_MAX, DELTA_LAG_HOURS_MAX, is_ready, readiness};

/// Something that could not be looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotSeen(pub String);

/// A fact, or why there is none.
pub type Seen<T> = Result<T, NotSeen>;

/// What a comparison of everything came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compared {
    /// When it ended.
    pub at: Timestamp,
    /// Nothing differs, or a person accepted every kind of difference by name.
    pub is_right: bool,
    /// Fields that were compared.
    pub fields: u64,
    /// Fields that differ and that other users or customers changed.
    pub people: u64,
    /// Fields that differ although nobody else acted.
    pub damage: u64,
    /// Fields that differ, of which it was not told whose doing it is.
    pub untold: u64,
}

impl Compared {
    /// Whether what differs is people's work alone.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.fields > 0 && (self.is_right || (self.damage == 0 && self.untold == 0))
    }
}

/// Whether the approval still holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Approval {
    /// It does.
    Holds {
        /// Who approved.
        by: String,
    },
    /// Something changed since.
    Stale {
        /// What.
        what: String,
    },
    /// Nobody approved.
    Missing,
}

/// Agents and their users.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Agents {
    /// Agents who go on working.
    pub active: u64,
    /// Of these, those without a user of their own.
    pub without_user: u64,
}

/// What was exported of the chatbots.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Chats {
    /// No export was supplied.
    None,
    /// Conversations were read.
    Exported {
        /// The last message.
        last: Option<Timestamp>,
        /// End of the window, as the operator states it.
        until: Option<Timestamp>,
    },
}

/// How far LeadDesk was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Read {
    /// The last delta that came to its end; nothing before the first one.
    pub delta: Option<u32>,
    /// A delta that was begun and is not at its end.
    pub open: Option<u32>,
    /// What changed before this moment was read.
    pub read_from: Timestamp,
    /// Fields that deltas wrote since the last comparison and that were not as written when they were read back.
    pub different: u64,
}

/// What the last delta and the comparison will take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastDelta {
    /// Requests to LeadDesk.
    pub source_requests: u64,
    /// Records to write at Gorgias, as deltas before wrote in as much time; nothing where none ran.
    pub writes: Option<u64>,
    /// Requests to Gorgias that read everything back.
    pub read_back: u64,
    /// Seconds of all of it at the rate of the account.
    pub seconds: u64,
    /// What it rests on.
    pub basis: String,
}

/// What people found who compared records by hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SpotChecks {
    /// Records that were judged.
    pub judged: u64,
    /// Of these, wrong.
    pub wrong: u64,
}

/// Files of the snapshots, each held against its digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Snapshots {
    /// All as they were sealed.
    Intact {
        /// Tables.
        tables: u64,
        /// Files.
        files: u64,
    },
    /// One is not.
    Damaged {
        /// Which, and how.
        what: String,
    },
}

/// Everything that decides whether a migration may be cut over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// Now.
    pub now: Timestamp,
    /// The run is loaded and every wave is proven, and what was switched off for it is on again.
    pub is_loaded: bool,
    /// A rollback that took records away, in words.
    pub taken_back: Option<String>,
    /// The last comparison of everything.
    pub compared: Seen<Option<Compared>>,
    /// Records with a field that both sides changed and that nobody settled.
    pub conflicts: Seen<u64>,
    /// Records that Gorgias refused.
    pub failed: Seen<u64>,
    /// Writes without an answer.
    pub in_doubt: Seen<u64>,
    /// The approval.
    pub approval: Seen<Approval>,
    /// Agents.
    pub agents: Seen<Agents>,
    /// Rules, surveys and webhooks that we hold switched off.
    pub switched_off: Seen<u64>,
    /// Chatbot exports.
    pub chats: Seen<Chats>,
    /// How far LeadDesk was read.
    pub read: Seen<Read>,
    /// What is to come.
    pub last_delta: Seen<LastDelta>,
    /// Spot checks.
    pub spot_checks: Seen<SpotChecks>,
    /// Snapshots.
    pub snapshots: Seen<Snapshots>,
}

/// State of one point.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// Nothing stands in the way.
    Ready,
    /// Something does; a person accepted it by its code.
    Accepted,
    /// It could not be looked at.
    NotKnown,
    /// Something stands in the way.
    NotReady,
}

impl State {
    /// The words.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Accepted => "accepted",
            Self::NotKnown => "not known",
            Self::NotReady => "not ready",
        }
    }

    /// Reads the words.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        [Self::Ready, Self::Accepted, Self::NotKnown, Self::NotReady]
            .into_iter()
            .find(|state| state.as_str() == text)
    }
}

/// One point of the readiness.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Point {
    /// Stable code.
    pub code: Code,
    /// What it is about, in a word or two.
    pub about: &'static str,
    /// How it stands.
    pub state: State,
    /// Why.
    pub reason: String,
    /// What to do; nothing where nothing is to be done.
    pub advice: Option<&'static str>,
}

impl Point {
    /// Whether it keeps the migration from being cut over.
    #[must_use]
    pub fn is_in_the_way(&self) -> bool {
        matches!(self.state, State::NotReady | State::NotKnown)
    }

    /// Whether nobody can take it upon themselves: without it there is nothing to cut over.
    #[must_use]
    pub fn is_firm(&self) -> bool {
        self.is_in_the_way() && [finding::CUT101_NOT_LOADED, finding::CUT114_TAKEN_BACK].contains(&self.code)
    }
}
