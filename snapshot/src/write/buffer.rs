//! Rows in memory until they are sorted.

use super::record::Record;

/// Records one behind the other, and where each begins.
#[derive(Default)]
pub(super) struct SortBuffer {
    bytes: Vec<u8>,
    entries: Vec<Entry>,
    is_disordered: bool,
}

#[derive(Clone, Copy)]
struct Entry {
    /// First bytes of the key, so that most comparisons need not look into the records.
    head: u64,
    from: usize,
    until: usize,
}

impl SortBuffer {
    pub(super) fn push(&mut self, record: &[u8]) {
        let from = self.bytes.len();
        self.bytes.extend_from_slice(record);
        let entry = Entry { head: head_of(Record::new(record).key()), from, until: self.bytes.len() };
        if let Some(&last) = self.entries.last()
            && !self.is_disordered
        {
            self.is_disordered = order(&self.bytes, last, entry).is_gt();
        }
        self.entries.push(entry);
    }

    /// Memory in use, nearly.
    pub(super) fn bytes(&self) -> usize {
        self.bytes.len() + self.entries.len() * size_of::<Entry>()
    }

    /// Whether the records came in order.
    pub(super) fn is_sorted(&self) -> bool {
        !self.is_disordered
    }

    /// The record that was pushed first.
    pub(super) fn first(&self) -> Option<Record<'_>> {
        self.entries.first().map(|entry| record_at(&self.bytes, *entry))
    }

    /// The records in order.
    pub(super) fn sorted(&mut self) -> impl Iterator<Item = Record<'_>> {
        let bytes = &self.bytes;
        if self.is_disordered {
            self.entries.sort_unstable_by(|left, right| order(bytes, *left, *right));
            self.is_disordered = false;
        }
        self.entries.iter().map(|entry| record_at(bytes, *entry))
    }

    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.entries.clear();
        self.is_disordered = false;
    }
}

fn record_at(bytes: &[u8], entry: Entry) -> Record<'_> {
    Record::new(&bytes[entry.from..entry.until])
}

fn order(bytes: &[u8], left: Entry, right: Entry) -> std::cmp::Ordering {
    left.head.cmp(&right.head).then_with(|| record_at(bytes, left).order(record_at(bytes, right)))
}

/// The first eight bytes of a key as a number that compares like them.
fn head_of(key: &[u8]) -> u64 {
    let mut head = [0; 8];
    let length = key.len().min(8);
    head[..length].copy_from_slice(&key[..length]);
    u64::from_be_bytes(head)
}
