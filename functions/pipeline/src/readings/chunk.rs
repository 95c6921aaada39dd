//! The stored form of a chunk: compressed lines of JSON, one that says which form it is and when it began, then one
//! for each answer.
//!
//! Records are kept as texts, byte for byte, because tables hold them as they came. The frame carries a checksum.

use std::io::{Read as _, Write as _};

use bytes::Bytes;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ports::gorgias::{Page, Raw};

/// The compressor's own default: a tenth of the size at a few hundred megabytes a second.
const LEVEL: i32 = 3;

#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "version")]
enum Head {
    #[serde(rename = "1")]
    V1 { began_at: Timestamp },
}

/// An answer, first form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Answer {
    /// The record that was asked for; absent for the page of a list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) id: Option<u64>,
    /// Where the list goes on; absent at its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) next: Option<String>,
    /// The records as they came.
    pub(super) records: Vec<String>,
}

impl Answer {
    pub(super) fn page<T>(page: &Page<T>) -> Self {
        let records = page.records.iter().map(|raw| raw.json.clone()).collect();
        Self { id: None, next: page.next.as_ref().map(|next| next.0.clone()), records }
    }

    pub(super) fn single<T>(id: u64, records: &[Raw<T>]) -> Self {
        Self { id: Some(id), next: None, records: records.iter().map(|raw| raw.json.clone()).collect() }
    }
}

/// Answers in the order in which they were asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Chunk {
    pub(super) answers: Vec<Answer>,
    /// Bytes of their records.
    pub(super) bytes: usize,
    /// When the first of them came.
    pub(super) began_at: Option<Timestamp>,
}

impl Chunk {
    pub(super) fn push(&mut self, answer: Answer, now: impl FnOnce() -> Timestamp) {
        self.began_at.get_or_insert_with(now);
        self.bytes += answer.records.iter().map(String::len).sum::<usize>();
        self.answers.push(answer);
    }

    pub(super) fn encode(&self) -> std::io::Result<Bytes> {
        let mut text = serde_json::to_vec(&Head::V1 { began_at: self.began_at.unwrap_or_default() })?;
        text.push(b'\n');
        for answer in &self.answers {
            serde_json::to_writer(&mut text, answer)?;
            text.push(b'\n');
        }
        let mut encoder = zstd::Encoder::new(Vec::new(), LEVEL)?;
        encoder.include_checksum(true)?;
        encoder.write_all(&text)?;
        Ok(Bytes::from(encoder.finish()?))
    }

    pub(super) fn decode(bytes: &[u8]) -> std::io::Result<Self> {
        let mut text = String::new();
        zstd::Decoder::new(bytes)?.read_to_string(&mut text)?;
        let mut lines = text.lines();
        let Head::V1 { began_at } = serde_json::from_str(lines.next().unwrap_or_default())?;
        let mut chunk = Self { began_at: Some(began_at), ..Self::default() };
        for line in lines {
            chunk.push(serde_json::from_str(line)?, || began_at);
        }
        Ok(chunk)
    }
}
