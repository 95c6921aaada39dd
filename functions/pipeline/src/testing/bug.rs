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
}

impl Bug {
    /// All of them.
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
