//! Sorted runs on disk, and merging them.
//!
//! A run is digested when it is written and when it is read back: a flipped bit on the way would otherwise become a
//! record of its own, under a digest of its own.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;
use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use super::buffer::SortBuffer;
use super::record::Record;
use crate::digest::{Digest, Digesting};
use crate::error::SnapshotError;
use crate::schema::TableSchema;

/// Runs that are merged at once: each holds a file open and a buffer.
pub(super) const MERGE_RUNS_MAX: usize = 64;
/// Bytes of one read or write.
const BUFFER_BYTES: usize = 64 << 10;

/// A finished run. Its file is removed when it is dropped.
pub(super) struct Run {
    table: &'static str,
    path: PathBuf,
    digest: Digest,
    bytes: u64,
}

impl Drop for Run {
    fn drop(&mut self) {
        // The folder goes with the snapshot; a file that stays until then costs room only.
        let _ = std::fs::remove_file(&self.path);
    }
}

pub(super) struct RunWriter {
    table: &'static str,
    path: PathBuf,
    out: BufWriter<Digesting<File>>,
}

fn refused(attempt: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> SnapshotError {
    let path = path.to_owned();
    move |source| SnapshotError::File { attempt, path, source }
}

impl RunWriter {
    pub(super) fn new(table: &TableSchema, path: PathBuf) -> Result<Self, SnapshotError> {
        let file = File::create_new(&path).map_err(refused("create", &path))?;
        Ok(Self {
            table: table.name,
            path,
            out: BufWriter::with_capacity(BUFFER_BYTES, Digesting::new(file)),
        })
    }

    pub(super) fn push(&mut self, record: &[u8]) -> Result<(), SnapshotError> {
        self.out.write_all(record).map_err(refused("write", &self.path))
    }

    pub(super) fn finish(self) -> Result<Run, SnapshotError> {
        let out = self.out.into_inner().map_err(|error| refused("write", &self.path)(error.into_error()))?;
        let (digest, bytes, _) = out.finish();
        Ok(Run { table: self.table, path: self.path, digest, bytes })
    }
}

struct RunReader<'a> {
    run: &'a Run,
    input: Option<BufReader<Digesting<File>>>,
    left: u64,
}

impl<'a> RunReader<'a> {
    fn open(run: &'a Run) -> Result<Self, SnapshotError> {
        let file = File::open(&run.path).map_err(refused("open", &run.path))?;
        let input = Some(BufReader::with_capacity(BUFFER_BYTES, Digesting::new(file)));
        Ok(Self { run, input, left: run.bytes })
    }

    /// Puts the next record into `record`; false at the end, where the digest is compared.
    fn next_into(&mut self, record: &mut Vec<u8>) -> Result<bool, SnapshotError> {
        let damaged = || SnapshotError::ScratchDamaged { table: self.run.table };
        let Some(input) = &mut self.input else { return Ok(false) };
        record.clear();
        if self.left > 0 {
            record.resize(8, 0);
            input.read_exact(record).map_err(refused("read", &self.run.path))?;
            let total = Record::total_length(record)
                .filter(|total| *total as u64 <= self.left)
                .ok_or_else(damaged)?;
            record.resize(total, 0);
            input.read_exact(&mut record[8..]).map_err(refused("read", &self.run.path))?;
            self.left -= total as u64;
            return Ok(true);
        }
        let mut rest = Vec::new();
        input.read_to_end(&mut rest).map_err(refused("read", &self.run.path))?;
        let (digest, _, _) = self.input.take().ok_or_else(damaged)?.into_inner().finish();
        if digest == self.run.digest { Ok(false) } else { Err(damaged()) }
    }
}

/// The first record of one source that is not yet merged.
struct Head {
    record: Vec<u8>,
    source: usize,
}

impl Ord for Head {
    /// Reversed, since the heap gives the greatest first.
    fn cmp(&self, other: &Self) -> Ordering {
        Record::new(&other.record)
            .order(Record::new(&self.record))
            .then_with(|| other.source.cmp(&self.source))
    }
}

impl PartialOrd for Head {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Head {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Head {}

/// Hands over the records of all runs, and of the buffer if there is one, in order.
pub(super) fn merge(
    runs: &[Run],
    buffer: Option<&mut SortBuffer>,
    mut take: impl FnMut(Record<'_>) -> Result<(), SnapshotError>,
) -> Result<(), SnapshotError> {
    let mut readers = runs.iter().map(RunReader::open).collect::<Result<Vec<_>, _>>()?;
    let mut buffered = buffer.map(SortBuffer::sorted);
    let mut advance = |source: usize, record: &mut Vec<u8>| match readers.get_mut(source) {
        Some(reader) => reader.next_into(record),
        None => Ok(buffered.as_mut().and_then(Iterator::next).is_some_and(|next| {
            record.clear();
            record.extend_from_slice(next.as_bytes());
            true
        })),
    };
    let mut heap = BinaryHeap::with_capacity(runs.len() + 1);
    for source in 0..=runs.len() {
        let mut record = Vec::new();
        if advance(source, &mut record)? {
            heap.push(Head { record, source });
        }
    }
    // Read beside the heap: a head is whole whenever the heap looks at it, even after an error.
    let mut next = Vec::new();
    while let Some(mut head) = heap.peek_mut() {
        take(Record::new(&head.record))?;
        if advance(head.source, &mut next)? {
            std::mem::swap(&mut head.record, &mut next);
        } else {
            PeekMut::pop(head);
        }
    }
    Ok(())
}
