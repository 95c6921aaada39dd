//! What was announced and what came of it: one numbered, hash-chained log per destination account.
//!
//! A segment announces intents before their requests leave and carries the receipts of earlier ones. Here are its types,
//! the state that a log adds up to, and the rules that every log keeps. Deliberately absent: storing, signing and
//! encoding; callers bring the bytes of a segment, this module only hashes them. No personal data: keys, ids and digests.

use std::fmt;

use jiff::{SignedDuration, Timestamp};

use crate::canonical::Digest;
use crate::settings::choice;

mod state;

pub use state::{Checkpoint, CheckpointEntry, LedgerError, LedgerState, Written};

/// Layout of segments that this code writes.
pub const SEGMENT_VERSION: u32 = 1;
/// Intents that one segment may announce: after a crash so many look-ups are needed.
pub const INTENTS_PER_SEGMENT_MAX: usize = 100;
/// Intents that a loader announces at once by default.
pub const INTENTS_PER_SEGMENT: usize = 20;
/// `previous` of the first segment.
pub const CHAIN_START: Digest = Digest([0; 32]);
/// How long a request may still take effect after it was sent.
pub const REQUEST_LIFE: SignedDuration = SignedDuration::from_secs(90);
/// How long a record may take until a look-up shows it.
pub const VISIBILITY_DELAY: SignedDuration = SignedDuration::from_secs(30);

choice! {
    /// What kind of record of Gorgias a write concerns.
    DestinationObject {
        /// A customer.
        Customer = "customer",
        /// A ticket with the messages of its creation.
        Ticket = "ticket",
        /// A message appended to a ticket.
        Message = "message",
        /// A file that is uploaded for a message. It has no id at Gorgias; its address stands in the note of its receipt.
        Upload = "upload",
        /// A tag.
        Tag = "tag",
        /// A team.
        Team = "team",
        /// A custom field definition.
        Field = "field",
        /// Custom field values of a customer.
        CustomerValues = "customer_values",
        /// A user; only on explicit consent.
        User = "user",
        /// A rule that is paused or resumed.
        Rule = "rule",
        /// An integration that is paused or resumed.
        Integration = "integration",
        /// An account setting that is changed for the run.
        Setting = "setting",
    }
}

choice! {
    /// What a request does.
    Operation {
        /// Makes the record.
        Create = "create",
        /// Changes fields of the record.
        Update = "update",
        /// Puts the record into the trash, or archives it.
        Trash = "trash",
        /// Takes it out again.
        Restore = "restore",
        /// Removes it for good.
        Delete = "delete",
        /// Takes what we filled out of a record that is not ours.
        Release = "release",
    }
}

choice! {
    /// What came of an intent, or of a look-up.
    ReceiptClass {
        /// We made it.
        Created = "created",
        /// It was there and is used.
        Adopted = "adopted",
        /// Fields were written.
        Updated = "updated",
        /// It is in the trash.
        Trashed = "trashed",
        /// It is out of the trash.
        Restored = "restored",
        /// It is gone.
        Deleted = "deleted",
        /// It was there before us and is as it was before us, but for what people changed.
        Released = "released",
        /// Nothing had to be done.
        Skipped = "skipped",
        /// Gorgias refused; nothing took effect.
        Refused = "refused",
        /// Looked up after the quiet time: nothing took effect, it may be announced again.
        Absent = "absent",
    }
}

choice! {
    /// How a receipt was learned.
    Via {
        /// From the answer to the request.
        Answer = "answer",
        /// From a look-up.
        Lookup = "lookup",
    }
}

/// Names one write target: the record's kind and its key, such as an external id or a tag's name digest.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WriteKey {
    /// Kind of record.
    pub object: DestinationObject,
    /// Its key among its kind.
    pub key: String,
}

impl WriteKey {
    /// A key.
    pub fn new(object: DestinationObject, key: impl Into<String>) -> Self {
        Self { object, key: key.into() }
    }
}

impl fmt::Display for WriteKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}/{}", self.object.as_str(), self.key)
    }
}

/// Id of a record at Gorgias, of any kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct DestinationId(pub u64);

impl fmt::Display for DestinationId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.0)
    }
}

/// The announcement of one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Intent {
    /// What it is about.
    pub key: WriteKey,
    /// What it does.
    pub operation: Operation,
    /// Digest of the wished record: tells later which version was written.
    pub version: Digest,
    /// Keyed digest of the body.
    pub body: Digest,
}

/// What came of one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// What it was about.
    pub key: WriteKey,
    /// The record at Gorgias; absent when there is none.
    pub destination: Option<DestinationId>,
    /// What came of it.
    pub class: ReceiptClass,
    /// How it was learned.
    pub via: Via,
    /// Keyed digests of the fields as Gorgias returned them, in order of name.
    pub fields: Vec<(String, Digest)>,
    /// Stable code when it was refused.
    pub reason: Option<String>,
}

/// What a segment is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SegmentKind {
    /// Starts an epoch: whoever appended it may send from now on, nobody else.
    Fence {
        /// The run that starts.
        run: String,
        /// Digest of its plan.
        plan: Digest,
        /// Digest of the baseline's manifest, without which no load starts.
        baseline: Option<Digest>,
    },
    /// Announces intents, carries receipts.
    Work,
    /// Ends an epoch: every key is settled.
    Close {
        /// Keys that have a receipt.
        keys: u64,
        /// Digest of the sorted keys.
        key_set: Digest,
    },
}

/// One object of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// Its number, from zero, without a gap.
    pub sequence: u64,
    /// SHA-256 of the stored bytes of the segment before; [`CHAIN_START`] for the first.
    pub previous: Digest,
    /// Drawn for every attempt to append: tells whose segment took the number.
    pub nonce: [u8; 16],
    /// Counts the fences.
    pub epoch: u64,
    /// What it is for.
    pub kind: SegmentKind,
    /// After this moment its writer certainly starts no send.
    pub not_after: Timestamp,
    /// Requests that will be sent.
    pub intents: Vec<Intent>,
    /// What came of earlier ones.
    pub receipts: Vec<Receipt>,
}

/// Where one write stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriteState {
    /// Nothing announced.
    Planned,
    /// Announced; whether it took effect is not known.
    Intended {
        /// What was announced.
        operation: Operation,
        /// Where it stood before.
        before: Settled,
    },
    /// Settled.
    Settled(Settled),
}

/// Where a write rests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    /// Nothing took effect yet.
    Nothing,
    /// The record is there.
    Applied(DestinationId),
    /// The record was there and is in the trash or gone.
    Undone(DestinationId),
    /// Gorgias refused it.
    Refused,
    /// Nothing had to be done.
    Skipped,
}

/// What happens to a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriteEvent {
    /// It is announced.
    Intend(Operation),
    /// It took effect, on this record.
    Apply(DestinationId),
    /// Gorgias refused it.
    Refuse,
    /// A look-up after the quiet time shows that it did not take effect.
    Absent,
    /// A look-up shows the record although nothing was announced in this log.
    Find(DestinationId),
    /// Nothing has to be done.
    Skip,
}

/// The event cannot happen in this state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{event:?} cannot follow {state:?}")]
pub struct IllegalTransition {
    /// State before.
    pub state: WriteState,
    /// Event that does not fit.
    pub event: WriteEvent,
}

impl WriteState {
    /// The state after an event. An announced write must be settled before it is announced again.
    ///
    /// # Errors
    /// [`IllegalTransition`] for everything that no correct loader does.
    pub fn next(self, event: WriteEvent) -> Result<Self, IllegalTransition> {
        use Operation::{Create, Delete, Release, Restore, Trash, Update};
        let illegal = IllegalTransition { state: self, event };
        let rest = match self {
            Self::Planned => Settled::Nothing,
            Self::Settled(rest) => rest,
            Self::Intended { operation, before } => {
                let rest = match (event, operation) {
                    (WriteEvent::Apply(id), Create | Update | Restore) => Settled::Applied(id),
                    (WriteEvent::Apply(id), Trash | Delete) => Settled::Undone(id),
                    // Nothing of ours is left at the record: a later load adopts it again.
                    (WriteEvent::Apply(_), Release) => Settled::Nothing,
                    (WriteEvent::Refuse, _) if before == Settled::Nothing => Settled::Refused,
                    (WriteEvent::Refuse | WriteEvent::Absent, _) => before,
                    (WriteEvent::Intend(_) | WriteEvent::Find(_) | WriteEvent::Skip, _) => {
                        return Err(illegal);
                    }
                };
                return Ok(Self::Settled(rest));
            }
        };
        match (rest, event) {
            // A record that is there is not made again; one that is gone is not changed.
            (Settled::Applied(_), WriteEvent::Intend(Create | Restore))
            | (Settled::Undone(_), WriteEvent::Intend(Update | Trash | Release))
            | (Settled::Nothing | Settled::Refused | Settled::Skipped, WriteEvent::Intend(Release)) => {
                Err(illegal)
            }
            (_, WriteEvent::Intend(operation)) => Ok(Self::Intended { operation, before: rest }),
            (Settled::Nothing | Settled::Refused | Settled::Skipped, WriteEvent::Find(id)) => {
                Ok(Self::Settled(Settled::Applied(id)))
            }
            (Settled::Nothing | Settled::Skipped, WriteEvent::Skip) => Ok(Self::Settled(Settled::Skipped)),
            (Settled::Applied(_) | Settled::Undone(_) | Settled::Refused, WriteEvent::Skip) => {
                Ok(Self::Settled(rest))
            }
            (_, WriteEvent::Apply(_) | WriteEvent::Refuse | WriteEvent::Absent | WriteEvent::Find(_)) => {
                Err(illegal)
            }
        }
    }
}

impl Receipt {
    /// The event that a receipt stands for; `None` when it lacks the id that its class needs.
    #[must_use]
    pub fn event(&self, was_announced: bool) -> Option<WriteEvent> {
        match self.class {
            ReceiptClass::Skipped => Some(WriteEvent::Skip),
            ReceiptClass::Refused => Some(WriteEvent::Refuse),
            ReceiptClass::Absent => Some(WriteEvent::Absent),
            ReceiptClass::Created
            | ReceiptClass::Adopted
            | ReceiptClass::Updated
            | ReceiptClass::Trashed
            | ReceiptClass::Restored
            | ReceiptClass::Deleted
            | ReceiptClass::Released => {
                let id = self.destination?;
                Some(if was_announced { WriteEvent::Apply(id) } else { WriteEvent::Find(id) })
            }
        }
    }
}

/// The moment from which look-ups tell the truth about everything in doubt: no send starts after `not_after`, none takes
/// effect later than [`REQUEST_LIFE`] after that, and all are visible [`VISIBILITY_DELAY`] later. `None` without doubt.
#[must_use]
pub fn quiet_from(not_after: impl IntoIterator<Item = Timestamp>) -> Option<Timestamp> {
    let last = not_after.into_iter().max()?;
    Some(last.checked_add(REQUEST_LIFE + VISIBILITY_DELAY).unwrap_or(Timestamp::MAX))
}
