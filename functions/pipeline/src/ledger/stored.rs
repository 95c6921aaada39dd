//! The ledger's objects as they stand in the store. Versioned; old versions are read for ever and never written.
//!
//! Deliberately absent: personal data. Keys are ids, contents are keyed hashes.

use std::collections::BTreeMap;

use jiff::Timestamp;
use migration::canonical::Digest;
use migration::ledger::{
    DestinationId, DestinationObject, Intent, Operation, Receipt, ReceiptClass, Segment, SegmentKind, Via,
    WriteKey,
};
use serde::{Deserialize, Serialize};

/// One numbered segment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "version")]
pub enum StoredSegment {
    /// First form.
    #[serde(rename = "1")]
    V1(SegmentV1),
}

/// Contents of a segment, first form. Digests are hexadecimal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SegmentV1 {
    /// Its number, from zero.
    pub sequence: u64,
    /// SHA-256 of the bytes of the segment before; zeros for the first.
    pub prev_sha256: String,
    /// Drawn for every attempt, so that an attempt recognises its own object.
    pub nonce: String,
    /// Counts the fences.
    pub epoch: u64,
    /// What it is for.
    pub kind: KindV1,
    /// Time of writing, by the writer's clock.
    pub written_at: Timestamp,
    /// No request announced here starts after this moment.
    pub not_after: Timestamp,
    /// Writes that may happen from now on.
    pub intents: Vec<IntentV1>,
    /// Outcomes of writes announced earlier.
    pub receipts: Vec<ReceiptV1>,
}

/// What a segment is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KindV1 {
    /// A new owner begins; nothing announced before may be announced again without a look-up.
    Fence {
        /// The run that starts.
        run: String,
        /// Digest of its load plan; absent before there is one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        plan: Option<String>,
        /// Digest of the baseline; absent before there is one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        baseline: Option<String>,
    },
    /// Intents and receipts.
    Work,
    /// The owner ends; nothing is in doubt.
    Close {
        /// Keys that have a receipt.
        keys: u64,
        /// Digest of the sorted keys.
        key_set: String,
    },
}

/// An announced write.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IntentV1 {
    /// What is written: kind of record, `/`, key.
    pub key: String,
    /// How: `create`, `update`, `restore`, `trash`, `delete`.
    pub op: String,
    /// Digest of the wished contents.
    pub version: String,
    /// Keyed hash of the whole request.
    pub body_hmac: String,
    /// Id of the record at Gorgias that is changed, unless the write makes one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<u64>,
}

/// The outcome of a write.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceiptV1 {
    /// What was written.
    pub key: String,
    /// Its id at Gorgias; absent when nothing was applied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dest_id: Option<u64>,
    /// How it ended.
    pub class: String,
    /// How we know: `answer`, `lookup`.
    pub via: String,
    /// Shortened keyed hash of each field as written.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub field_hmacs: BTreeMap<String, String>,
    /// Reason for what did not go as wished.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<NoteV1>,
}

/// Why something did not go as wished.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoteV1 {
    /// Stable code.
    pub code: String,
    /// Gorgias' words or ours, without values.
    pub text: String,
}

/// A note with the run that made it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldNoteV1 {
    /// Key of the write.
    pub key: String,
    /// The run.
    pub run: String,
    /// The note.
    pub note: NoteV1,
}

/// The state after a prefix of the ledger: a pure function of that prefix.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "version")]
pub enum StoredCheckpoint {
    /// First form.
    #[serde(rename = "1")]
    V1(CheckpointV1),
}

/// Contents of a checkpoint, first form. Hashes of contents stay in the segments alone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CheckpointV1 {
    /// Number of the next segment.
    pub next: u64,
    /// SHA-256 of the bytes of the last one.
    pub head_sha256: String,
    /// Fences so far.
    pub epoch: u64,
    /// Not closed.
    pub is_open: bool,
    /// The run of the last fence.
    pub run: String,
    /// Everything known, by key.
    pub entries: Vec<EntryV1>,
    /// Notes, by key.
    pub notes: Vec<HeldNoteV1>,
    /// SHA-256 of everything above as it is written without this field: a changed byte is found before it is believed.
    #[serde(default)]
    pub content_sha256: String,
}

impl CheckpointV1 {
    /// Digest of the contents; the field that holds it does not count.
    #[must_use]
    pub fn content_digest(&self) -> String {
        let bare = Self { content_sha256: String::new(), ..self.clone() };
        // Plain structs of texts and numbers: there is nothing that could not be written.
        Digest::of(&serde_json::to_vec(&bare).unwrap_or_default()).to_hex()
    }
}

/// One key of a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntryV1 {
    /// The key.
    pub key: String,
    /// Where it rests, or rested before the open intent: `planned`, `nothing`, `applied`, `undone`, `refused`, `skipped`.
    pub rest: String,
    /// The record, for `applied` and `undone`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dest_id: Option<u64>,
    /// Operation of the open intent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub intended: Option<String>,
    /// Until when its send may have started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_after: Option<Timestamp>,
    /// Number of the segment of the open intent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub announced_in: Option<u64>,
    /// Class of the last receipt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
    /// We created it.
    pub is_ours: bool,
}

/// The secret behind the keyed hashes of one ledger.
#[derive(Serialize, Deserialize)]
#[serde(tag = "version")]
pub enum StoredKey {
    /// First form.
    #[serde(rename = "1")]
    V1 {
        /// 32 bytes in hexadecimal.
        key: String,
    },
}

/// The object is JSON of the right shape and still says something that no ledger says.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} is not {expected}")]
pub struct Nonsense {
    /// The field.
    pub what: &'static str,
    /// What it should be.
    pub expected: &'static str,
}

pub(super) fn nonsense(what: &'static str, expected: &'static str) -> Nonsense {
    Nonsense { what, expected }
}

pub(super) fn digest(what: &'static str, text: &str) -> Result<Digest, Nonsense> {
    Digest::from_hex(text).ok_or(nonsense(what, "a SHA-256 in hexadecimal"))
}

/// Text of a key.
pub(super) fn key_text(key: &WriteKey) -> String {
    key.to_string()
}

/// Reads the text of a key.
pub(super) fn key_of(text: &str) -> Result<WriteKey, Nonsense> {
    let (object, key) = text.split_once('/').ok_or(nonsense("key", "a kind, a slash and a key"))?;
    let object = DestinationObject::from_word(object).ok_or(nonsense("key", "of a known kind"))?;
    Ok(WriteKey::new(object, key))
}

pub(super) fn class_of(word: &str) -> Result<ReceiptClass, Nonsense> {
    ReceiptClass::from_word(word).ok_or(nonsense("class", "a known word"))
}

pub(super) fn operation_of(word: &str) -> Result<Operation, Nonsense> {
    Operation::from_word(word).ok_or(nonsense("op", "a known word"))
}

impl SegmentV1 {
    /// The segment as the rules of the ledger see it. Hashes of fields stay behind: a state of millions of records would
    /// not fit with them, and whoever needs them reads the segments.
    ///
    /// # Errors
    /// [`Nonsense`] for a word or a digest that no ledger holds.
    pub fn to_segment(&self) -> Result<Segment, Nonsense> {
        let nothing = Digest([0; 32]);
        let maybe = |what, text: &Option<String>| text.as_deref().map(|text| digest(what, text)).transpose();
        let kind = match &self.kind {
            KindV1::Fence { run, plan, baseline } => SegmentKind::Fence {
                run: run.clone(),
                plan: maybe("plan", plan)?.unwrap_or(nothing),
                baseline: maybe("baseline", baseline)?,
            },
            KindV1::Work => SegmentKind::Work,
            KindV1::Close { keys, key_set } => {
                SegmentKind::Close { keys: *keys, key_set: digest("key_set", key_set)? }
            }
        };
        let intents: Result<Vec<Intent>, Nonsense> = self.intents.iter().map(IntentV1::to_intent).collect();
        let receipts: Result<Vec<Receipt>, Nonsense> =
            self.receipts.iter().map(ReceiptV1::to_receipt).collect();
        Ok(Segment {
            sequence: self.sequence,
            previous: digest("prev_sha256", &self.prev_sha256)?,
            nonce: nonce_of(&self.nonce)?,
            epoch: self.epoch,
            kind,
            not_after: self.not_after,
            intents: intents?,
            receipts: receipts?,
        })
    }
}

impl IntentV1 {
    fn to_intent(&self) -> Result<Intent, Nonsense> {
        Ok(Intent {
            key: key_of(&self.key)?,
            operation: operation_of(&self.op)?,
            version: digest("version", &self.version)?,
            body: digest("body_hmac", &self.body_hmac)?,
        })
    }
}

impl ReceiptV1 {
    fn to_receipt(&self) -> Result<Receipt, Nonsense> {
        Ok(Receipt {
            key: key_of(&self.key)?,
            destination: self.dest_id.map(DestinationId),
            class: class_of(&self.class)?,
            via: Via::from_word(&self.via).ok_or(nonsense("via", "a known word"))?,
            fields: Vec::new(),
            reason: self.note.as_ref().map(|note| note.code.clone()),
        })
    }
}

fn nonce_of(text: &str) -> Result<[u8; 16], Nonsense> {
    let wrong = nonsense("nonce", "16 bytes in hexadecimal");
    let padded =
        Digest::from_hex(&format!("{text:0<64}")).filter(|_| text.len() == 32).ok_or(wrong.clone())?;
    padded.0[..16].try_into().map_err(|_| wrong)
}
