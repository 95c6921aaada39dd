//! What a prefix of the ledger says: where every write stands, and why some did not go as wished.
//!
//! The rules are `migration::ledger`'s; here stored segments are translated for them, and notes are kept beside.

use std::collections::BTreeMap;

use jiff::Timestamp;
use migration::ledger::{
    Checkpoint, CheckpointEntry, DestinationId, LedgerState, ReceiptClass, Settled, WriteKey, WriteState,
    Written,
};

use super::stored::{
    CheckpointV1, EntryV1, HeldNoteV1, KindV1, Nonsense, NoteV1, SegmentV1, class_of, digest, key_of,
    key_text, nonsense, operation_of,
};

/// Why a segment cannot follow.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Misfit {
    /// It says something that no ledger says.
    #[error("the segment makes no sense")]
    Nonsense(#[from] Nonsense),
    /// It breaks a rule of the ledger.
    #[error("the segment breaks a rule")]
    Rule(#[from] migration::ledger::LedgerError),
}

/// The state after a prefix.
#[derive(Debug, Clone, PartialEq)]
pub struct Book {
    state: LedgerState,
    run: String,
    notes: BTreeMap<WriteKey, (String, NoteV1)>,
}

impl Default for Book {
    fn default() -> Self {
        Self { state: LedgerState::new(), run: String::new(), notes: BTreeMap::new() }
    }
}

impl Book {
    /// Takes the next segment in; `bytes` are those that are stored.
    ///
    /// # Errors
    /// [`Misfit`] when the segment cannot follow; the state is then unchanged.
    pub fn apply(&mut self, segment: &SegmentV1, bytes: &[u8]) -> Result<(), Misfit> {
        self.state.apply(&segment.to_segment()?, bytes)?;
        if let KindV1::Fence { run, .. } = &segment.kind {
            self.run.clone_from(run);
        }
        for receipt in &segment.receipts {
            let key = key_of(&receipt.key)?;
            match &receipt.note {
                Some(note) => self.notes.insert(key, (self.run.clone(), note.clone())),
                None => self.notes.remove(&key),
            };
        }
        Ok(())
    }

    /// The rules' own view.
    #[must_use]
    pub fn state(&self) -> &LedgerState {
        &self.state
    }

    /// What is known of a write.
    #[must_use]
    pub fn written(&self, key: &WriteKey) -> Option<&Written> {
        self.state.written(key)
    }

    /// Id of the record, when it is there.
    #[must_use]
    pub fn destination(&self, key: &WriteKey) -> Option<u64> {
        self.written(key).and_then(Written::destination).map(|id| id.0)
    }

    /// Id of the record, when it is there, or was before a write that is in doubt.
    #[must_use]
    pub fn held(&self, key: &WriteKey) -> Option<u64> {
        match self.written(key).and_then(Written::rest) {
            Some(Settled::Applied(id)) => Some(id.0),
            _ => None,
        }
    }

    /// Class of the last receipt.
    #[must_use]
    pub fn class(&self, key: &WriteKey) -> Option<ReceiptClass> {
        self.written(key).and_then(|written| written.class)
    }

    /// The record is there, and was there before us: only what we filled is ours.
    #[must_use]
    pub fn is_adopted(&self, key: &WriteKey) -> bool {
        self.held(key).is_some() && self.written(key).is_some_and(|written| !written.is_ours)
    }

    /// While the write is in doubt: until when its request may have started.
    #[must_use]
    pub fn doubt(&self, key: &WriteKey) -> Option<Timestamp> {
        self.written(key).and_then(|written| written.not_after)
    }

    /// Gorgias refused it, in whichever run.
    #[must_use]
    pub fn is_refused(&self, key: &WriteKey) -> bool {
        self.written(key).is_some_and(|written| written.state == WriteState::Settled(Settled::Refused))
    }

    /// Refused in this very run: not tried again before the next.
    #[must_use]
    pub fn is_refused_in(&self, key: &WriteKey, run: &str) -> bool {
        self.is_refused(key) && self.notes.get(key).is_none_or(|(noted, _)| noted == run)
    }

    /// Why a write did not go as wished.
    #[must_use]
    pub fn note(&self, key: &WriteKey) -> Option<&NoteV1> {
        self.notes.get(key).map(|(_, note)| note)
    }

    /// Everything known, in order of key.
    pub fn iter(&self) -> impl Iterator<Item = (&WriteKey, &Written)> {
        self.state.iter()
    }

    /// The state that a checkpoint holds; digests of wishes are not among it.
    ///
    /// # Errors
    /// [`Nonsense`] for a word or digest that no ledger holds.
    pub fn from_checkpoint(stored: &CheckpointV1) -> Result<Self, Nonsense> {
        let entries: Result<Vec<CheckpointEntry>, Nonsense> = stored.entries.iter().map(entry_of).collect();
        let state = LedgerState::from_checkpoint(Checkpoint {
            next: stored.next,
            head: digest("head_sha256", &stored.head_sha256)?,
            epoch: stored.epoch,
            is_open: stored.is_open,
            entries: entries?,
        });
        let mut notes = BTreeMap::new();
        for held in &stored.notes {
            notes.insert(key_of(&held.key)?, (held.run.clone(), held.note.clone()));
        }
        Ok(Self { state, run: stored.run.clone(), notes })
    }

    /// The checkpoint that holds this state.
    #[must_use]
    pub fn to_checkpoint(&self) -> CheckpointV1 {
        let notes = self.notes.iter().map(|(key, (run, note))| HeldNoteV1 {
            key: key_text(key),
            run: run.clone(),
            note: note.clone(),
        });
        let mut checkpoint = CheckpointV1 {
            next: self.state.next_sequence(),
            head_sha256: self.state.head().to_hex(),
            epoch: self.state.epoch(),
            is_open: self.state.is_open(),
            run: self.run.clone(),
            entries: self.state.iter().map(|(key, written)| stored_entry(key, written)).collect(),
            notes: notes.collect(),
            content_sha256: String::new(),
        };
        checkpoint.content_sha256 = checkpoint.content_digest();
        checkpoint
    }
}

fn stored_entry(key: &WriteKey, written: &Written) -> EntryV1 {
    let (intended, rest) = match written.state {
        WriteState::Planned => (None, None),
        WriteState::Settled(rest) => (None, Some(rest)),
        WriteState::Intended { operation, before } => (Some(operation.as_str().to_owned()), Some(before)),
    };
    let (rest, dest_id) = match rest {
        None => ("planned", None),
        Some(Settled::Nothing) => ("nothing", None),
        Some(Settled::Applied(id)) => ("applied", Some(id.0)),
        Some(Settled::Undone(id)) => ("undone", Some(id.0)),
        Some(Settled::Refused) => ("refused", None),
        Some(Settled::Skipped) => ("skipped", None),
    };
    EntryV1 {
        key: key_text(key),
        rest: rest.to_owned(),
        dest_id,
        intended,
        not_after: written.not_after,
        announced_in: written.announced_in,
        class: written.class.map(|class| class.as_str().to_owned()),
        is_ours: written.is_ours,
    }
}

fn entry_of(stored: &EntryV1) -> Result<CheckpointEntry, Nonsense> {
    let id = stored.dest_id.map(DestinationId).ok_or(nonsense("dest_id", "there"));
    let rest = match stored.rest.as_str() {
        "planned" => None,
        "nothing" => Some(Settled::Nothing),
        "applied" => Some(Settled::Applied(id?)),
        "undone" => Some(Settled::Undone(id?)),
        "refused" => Some(Settled::Refused),
        "skipped" => Some(Settled::Skipped),
        _ => return Err(nonsense("rest", "a known word")),
    };
    let state = match (stored.intended.as_deref(), rest) {
        (None, None) => WriteState::Planned,
        (None, Some(rest)) => WriteState::Settled(rest),
        (Some(word), Some(before)) => WriteState::Intended { operation: operation_of(word)?, before },
        (Some(_), None) => return Err(nonsense("rest", "known for an open intent")),
    };
    Ok(CheckpointEntry {
        key: key_of(&stored.key)?,
        written: Written {
            state,
            class: stored.class.as_deref().map(class_of).transpose()?,
            is_ours: stored.is_ours,
            version: None,
            fields: Vec::new(),
            not_after: stored.not_after,
            announced_in: stored.announced_in,
        },
    })
}
