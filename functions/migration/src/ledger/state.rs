//! What a log adds up to, and the rules that each next segment keeps.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{
    CHAIN_START, DestinationId, INTENTS_PER_SEGMENT_MAX, IllegalTransition, Operation, Receipt, ReceiptClass,
    Segment, SegmentKind, Settled, WriteEvent, WriteKey, WriteState,
};
use crate::canonical::{Canonical, Digest};

/// Why a segment does not continue the log. Nothing of it was taken over.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LedgerError {
    /// A number is missing or repeated.
    #[error("segment {found} cannot follow: {expected} is next")]
    Gap {
        /// The number that is next.
        expected: u64,
        /// The number of the segment.
        found: u64,
    },
    /// It was not made after the segment before it.
    #[error("segment {sequence} does not carry the digest of the segment before it")]
    BrokenChain {
        /// The segment.
        sequence: u64,
    },
    /// A log starts, and goes on after a close, with a fence.
    #[error("segment {sequence} must be a fence")]
    FenceNeeded {
        /// The segment.
        sequence: u64,
    },
    /// The epoch is not the one that the fences say.
    #[error("segment {sequence} carries epoch {found}, not {expected}")]
    WrongEpoch {
        /// The segment.
        sequence: u64,
        /// The epoch that fits.
        expected: u64,
        /// The epoch that it carries.
        found: u64,
    },
    /// Fences announce nothing and settle nothing; closes announce nothing.
    #[error("segment {sequence} carries intents or receipts that its kind must not carry")]
    Misplaced {
        /// The segment.
        sequence: u64,
    },
    /// More intents than a crash may leave in doubt.
    #[error("segment {sequence} announces {count} intents")]
    TooManyIntents {
        /// The segment.
        sequence: u64,
        /// Its intents.
        count: usize,
    },
    /// One segment announces a key twice.
    #[error("segment {sequence} announces {key} twice")]
    KeyTwice {
        /// The segment.
        sequence: u64,
        /// The key.
        key: WriteKey,
    },
    /// A receipt lacks the id that its class needs.
    #[error("segment {sequence} has a receipt for {key} without an id")]
    ReceiptWithoutId {
        /// The segment.
        sequence: u64,
        /// The key.
        key: WriteKey,
    },
    /// A write cannot go this way.
    #[error("segment {sequence} takes {key} where it cannot go")]
    Transition {
        /// The segment.
        sequence: u64,
        /// The key.
        key: WriteKey,
        /// What does not fit.
        source: IllegalTransition,
    },
    /// A close while something is in doubt, or with counts that are not those of the log.
    #[error("segment {sequence} closes an epoch that is not settled")]
    CloseUnsettled {
        /// The segment.
        sequence: u64,
    },
}

/// What is known of one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Where it stands.
    pub state: WriteState,
    /// Class of its last receipt; absent before the first.
    pub class: Option<ReceiptClass>,
    /// Whether we created the record; only such records may be removed.
    pub is_ours: bool,
    /// Digest of the wished record of the last intent.
    pub version: Option<Digest>,
    /// Keyed digests of the fields as Gorgias last returned them.
    pub fields: Vec<(String, Digest)>,
    /// While in doubt: until when its writer may have started the send.
    pub not_after: Option<Timestamp>,
    /// While in doubt: number of the segment that announced it, which tells whose announcement it was.
    pub announced_in: Option<u64>,
}

impl Written {
    fn new() -> Self {
        Self {
            state: WriteState::Planned,
            class: None,
            is_ours: false,
            version: None,
            fields: Vec::new(),
            not_after: None,
            announced_in: None,
        }
    }

    /// Where the write rests, or rested before what is announced now.
    #[must_use]
    pub fn rest(&self) -> Option<Settled> {
        match self.state {
            WriteState::Planned => None,
            WriteState::Settled(rest) | WriteState::Intended { before: rest, .. } => Some(rest),
        }
    }

    /// The record, when it is there.
    #[must_use]
    pub fn destination(&self) -> Option<DestinationId> {
        match self.state {
            WriteState::Settled(Settled::Applied(id)) => Some(id),
            _ => None,
        }
    }
}

/// What a log adds up to. Only [`LedgerState::apply`] moves it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerState {
    next: u64,
    head: Digest,
    epoch: u64,
    is_open: bool,
    keys: BTreeMap<WriteKey, Written>,
    doubts: usize,
}

impl Default for LedgerState {
    fn default() -> Self {
        Self::new()
    }
}

impl LedgerState {
    /// The empty log.
    #[must_use]
    pub fn new() -> Self {
        Self { next: 0, head: CHAIN_START, epoch: 0, is_open: false, keys: BTreeMap::new(), doubts: 0 }
    }

    /// Takes the next segment. `bytes` are the stored bytes of this segment: their digest is what the next one must carry.
    ///
    /// # Errors
    /// [`LedgerError`]; the state is then as before.
    pub fn apply(&mut self, segment: &Segment, bytes: &[u8]) -> Result<(), LedgerError> {
        self.check_place(segment)?;
        let mut touched: BTreeMap<&WriteKey, Written> = BTreeMap::new();
        for receipt in &segment.receipts {
            let entry = self.entry(&mut touched, &receipt.key);
            settle(entry, receipt, segment.sequence)?;
        }
        for (index, intent) in segment.intents.iter().enumerate() {
            if segment.intents[..index].iter().any(|other| other.key == intent.key) {
                return Err(LedgerError::KeyTwice { sequence: segment.sequence, key: intent.key.clone() });
            }
            let entry = self.entry(&mut touched, &intent.key);
            step(entry, WriteEvent::Intend(intent.operation), &intent.key, segment.sequence)?;
            entry.version = Some(intent.version);
            entry.not_after = Some(segment.not_after);
            entry.announced_in = Some(segment.sequence);
        }
        if let SegmentKind::Close { keys, key_set } = &segment.kind {
            self.check_close(segment, &touched, *keys, *key_set)?;
        }
        let touched: Vec<(WriteKey, Written)> =
            touched.into_iter().map(|(key, entry)| (key.clone(), entry)).collect();
        for (key, entry) in touched {
            let is_doubt = entry.not_after.is_some();
            let was_doubt = self.keys.insert(key, entry).is_some_and(|entry| entry.not_after.is_some());
            self.doubts = self.doubts + usize::from(is_doubt) - usize::from(was_doubt);
        }
        self.next = segment.sequence + 1;
        self.head = Digest::of(bytes);
        self.epoch = segment.epoch;
        self.is_open = !matches!(segment.kind, SegmentKind::Close { .. });
        Ok(())
    }

    fn entry<'t, 's>(
        &self,
        touched: &'t mut BTreeMap<&'s WriteKey, Written>,
        key: &'s WriteKey,
    ) -> &'t mut Written {
        touched.entry(key).or_insert_with(|| self.keys.get(key).cloned().unwrap_or_else(Written::new))
    }

    fn check_place(&self, segment: &Segment) -> Result<(), LedgerError> {
        let sequence = segment.sequence;
        if sequence != self.next {
            return Err(LedgerError::Gap { expected: self.next, found: sequence });
        }
        if segment.previous != self.head {
            return Err(LedgerError::BrokenChain { sequence });
        }
        let is_fence = matches!(segment.kind, SegmentKind::Fence { .. });
        if !is_fence && !self.is_open {
            return Err(LedgerError::FenceNeeded { sequence });
        }
        let expected = self.epoch + u64::from(is_fence);
        if segment.epoch != expected {
            return Err(LedgerError::WrongEpoch { sequence, expected, found: segment.epoch });
        }
        let carries_intents = !segment.intents.is_empty();
        let misplaced = match segment.kind {
            SegmentKind::Fence { .. } => carries_intents || !segment.receipts.is_empty(),
            SegmentKind::Work => false,
            SegmentKind::Close { .. } => carries_intents,
        };
        if misplaced {
            return Err(LedgerError::Misplaced { sequence });
        }
        let count = segment.intents.len();
        if count > INTENTS_PER_SEGMENT_MAX {
            return Err(LedgerError::TooManyIntents { sequence, count });
        }
        Ok(())
    }

    fn check_close(
        &self,
        segment: &Segment,
        touched: &BTreeMap<&WriteKey, Written>,
        keys: u64,
        key_set: Digest,
    ) -> Result<(), LedgerError> {
        let unsettled = |entry: &Written| entry.not_after.is_some();
        let in_doubt = self.keys.iter().any(|(key, entry)| unsettled(touched.get(key).unwrap_or(entry)))
            || touched.values().any(unsettled);
        let merged: std::collections::BTreeSet<&WriteKey> =
            self.keys.keys().chain(touched.keys().copied()).collect();
        let count = u64::try_from(merged.len()).unwrap_or(u64::MAX);
        if in_doubt || count != keys || digest_of_keys(merged.into_iter()) != key_set {
            return Err(LedgerError::CloseUnsettled { sequence: segment.sequence });
        }
        Ok(())
    }

    /// Number of the next segment: owning it is owning the right to send.
    #[must_use]
    pub fn next_sequence(&self) -> u64 {
        self.next
    }

    /// Digest that the next segment carries as `previous`.
    #[must_use]
    pub fn head(&self) -> Digest {
        self.head
    }

    /// Fences so far.
    #[must_use]
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Neither empty nor closed.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.is_open
    }

    /// What is known of a key.
    #[must_use]
    pub fn written(&self, key: &WriteKey) -> Option<&Written> {
        self.keys.get(key)
    }

    /// Everything known, in order of key.
    pub fn iter(&self) -> impl Iterator<Item = (&WriteKey, &Written)> {
        self.keys.iter()
    }

    /// Records that are there, in order of key.
    pub fn have(&self) -> impl Iterator<Item = (&WriteKey, DestinationId)> {
        self.keys.iter().filter_map(|(key, entry)| Some((key, entry.destination()?)))
    }

    /// Keys whose last intent has no receipt, with the moment until which its send may have started.
    pub fn doubt(&self) -> impl Iterator<Item = (&WriteKey, Operation, Timestamp)> {
        self.keys.iter().filter_map(|(key, entry)| match entry.state {
            WriteState::Intended { operation, .. } => Some((key, operation, entry.not_after?)),
            WriteState::Planned | WriteState::Settled(_) => None,
        })
    }

    /// Number of keys in doubt.
    #[must_use]
    pub fn doubt_count(&self) -> usize {
        self.doubts
    }

    /// What a close of this state has to carry.
    #[must_use]
    pub fn closing(&self) -> SegmentKind {
        let keys = u64::try_from(self.keys.len()).unwrap_or(u64::MAX);
        SegmentKind::Close { keys, key_set: digest_of_keys(self.keys.keys()) }
    }

    /// Everything, for a checkpoint that spares reading the log from its start.
    #[must_use]
    pub fn checkpoint(&self) -> Checkpoint {
        let entries = self
            .keys
            .iter()
            .map(|(key, written)| CheckpointEntry { key: key.clone(), written: written.clone() });
        let entries = entries.collect();
        Checkpoint { next: self.next, head: self.head, epoch: self.epoch, is_open: self.is_open, entries }
    }

    /// The state that a checkpoint holds.
    #[must_use]
    pub fn from_checkpoint(checkpoint: Checkpoint) -> Self {
        let Checkpoint { next, head, epoch, is_open, entries } = checkpoint;
        let keys: BTreeMap<WriteKey, Written> =
            entries.into_iter().map(|entry| (entry.key, entry.written)).collect();
        let doubts = keys.values().filter(|entry| entry.not_after.is_some()).count();
        Self { next, head, epoch, is_open, keys, doubts }
    }
}

/// A state as plain values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Number of the next segment.
    pub next: u64,
    /// Digest that it carries.
    pub head: Digest,
    /// Fences so far.
    pub epoch: u64,
    /// Neither empty nor closed.
    pub is_open: bool,
    /// Everything known, in order of key.
    pub entries: Vec<CheckpointEntry>,
}

/// One key of a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckpointEntry {
    /// The key.
    pub key: WriteKey,
    /// What is known of it.
    pub written: Written,
}

fn digest_of_keys<'a>(keys: impl Iterator<Item = &'a WriteKey>) -> Digest {
    let mut canonical = Canonical::new("ledger-keys/1");
    for key in keys {
        canonical.put(key.object.as_str(), &key.key);
    }
    canonical.digest()
}

fn step(entry: &mut Written, event: WriteEvent, key: &WriteKey, sequence: u64) -> Result<(), LedgerError> {
    entry.state = entry.state.next(event).map_err(|source| LedgerError::Transition {
        sequence,
        key: key.clone(),
        source,
    })?;
    Ok(())
}

fn settle(entry: &mut Written, receipt: &Receipt, sequence: u64) -> Result<(), LedgerError> {
    let was_announced = matches!(entry.state, WriteState::Intended { .. });
    let event = receipt
        .event(was_announced)
        .ok_or_else(|| LedgerError::ReceiptWithoutId { sequence, key: receipt.key.clone() })?;
    step(entry, event, &receipt.key, sequence)?;
    entry.not_after = None;
    entry.announced_in = None;
    match receipt.class {
        ReceiptClass::Absent => {}
        ReceiptClass::Refused | ReceiptClass::Skipped => entry.class = Some(receipt.class),
        class => {
            // What is adopted was there before us, whatever we made under the same key earlier.
            entry.is_ours =
                class == ReceiptClass::Created || (entry.is_ours && class != ReceiptClass::Adopted);
            entry.class = Some(class);
            entry.fields.clone_from(&receipt.fields);
        }
    }
    Ok(())
}
