//! Ways to break the protocol on purpose: a simulation that does not notice them proves nothing.

use crate::ledger::timing::Timing;

/// One of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bug {
    /// A write in doubt is sent again as if it had never left.
    DoubtIsNotSent,
    /// A server error counts as a refusal.
    DoubtIsRefused,
    /// The look-up finds nothing, ever.
    BlindLookUp,
    /// The look-up takes a similar key for ours.
    PrefixLookUp,
    /// Messages of a ticket that was in doubt are not looked at.
    MessagesUnchecked,
    /// An object that is there already counts as ours.
    TakenIsMine,
    /// The newest segment of the ledger is not seen.
    StaleList,
    /// The ledger is not stored.
    LedgerForgotten,
    /// A request is believed to have no effect any more as soon as it is given up.
    NoLifeWait,
    /// A record is believed to be visible at once.
    NoVisibilityWait,
    /// A barrier is trusted although the index shows records in any order.
    BarrierAlone,
    /// Another process is believed to be gone while it is not.
    LockAssumed,
    /// What was announced may be sent at any time.
    NoHold,
    /// A request is believed to live for a second only.
    ShortLife,
    /// A delta leaves its watermark before it writes.
    WatermarkFirst,
    /// A delta's watermark is not stored.
    WatermarkForgotten,
    /// What a delta decided is not kept: a start that goes on decides anew.
    DecisionsForgotten,
    /// What changed is told by the list exports alone.
    ListAlone,
    /// A delta writes by what it saw at an earlier time.
    StaleReads,
    /// Fields that both sides changed are LeadDesk's.
    ConflictsDropped,
    /// A message that is appended is sent twice.
    AppendedTwice,
    /// What people took away is brought back before it is looked at.
    TrashUndone,
    /// A ticket whose lead vanished is deleted.
    VanishedDeleted,
}

impl Bug {
    /// Those of a load.
    pub const ALL: [Self; 14] = [
        Self::DoubtIsNotSent,
        Self::DoubtIsRefused,
        Self::BlindLookUp,
        Self::PrefixLookUp,
        Self::MessagesUnchecked,
        Self::TakenIsMine,
        Self::StaleList,
        Self::LedgerForgotten,
        Self::NoLifeWait,
        Self::NoVisibilityWait,
        Self::BarrierAlone,
        Self::LockAssumed,
        Self::NoHold,
        Self::ShortLife,
    ];

    /// Those of a delta.
    pub const OF_DELTA: [Self; 9] = [
        Self::WatermarkFirst,
        Self::WatermarkForgotten,
        Self::DecisionsForgotten,
        Self::ListAlone,
        Self::StaleReads,
        Self::ConflictsDropped,
        Self::AppendedTwice,
        Self::TrashUndone,
        Self::VanishedDeleted,
    ];

    /// The time rules with this bug in them.
    pub(crate) fn timing(self, timing: Timing) -> Timing {
        use std::time::Duration;
        let day = Duration::from_secs(86_400);
        match self {
            Self::NoLifeWait => Timing { request_life: Duration::ZERO, ..timing },
            Self::ShortLife => Timing { request_life: Duration::from_secs(1), barrier: false, ..timing },
            Self::NoVisibilityWait => Timing { visibility: Duration::ZERO, barrier: false, ..timing },
            Self::BarrierAlone => Timing { visibility: Duration::ZERO, barrier: true, ..timing },
            Self::LockAssumed => Timing { is_exclusive: true, ..timing },
            // The writer believes in a day, the successor does not know.
            Self::NoHold => Timing { margin: Duration::ZERO, hold: day, is_exclusive: true, ..timing },
            _ => timing,
        }
    }
}
