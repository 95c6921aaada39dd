//! What is paid by the call: counted where it is called.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};

/// Calls by their price.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Spent {
    /// PUT, multipart and LIST requests of S3, which cost the same.
    pub store_writes: u64,
    /// GET and HEAD requests of S3.
    pub store_reads: u64,
    /// Bytes written to S3.
    pub store_bytes_written: u64,
    /// Bytes read from S3.
    pub store_bytes_read: u64,
    /// Requests to SQS; a body up to 64 KiB is one.
    pub queue_requests: u64,
    /// Requests to Secrets Manager.
    pub secret_requests: u64,
}

impl Spent {
    /// What was added since `before`.
    #[must_use]
    pub fn since(self, before: Self) -> Self {
        Self {
            store_writes: self.store_writes.saturating_sub(before.store_writes),
            store_reads: self.store_reads.saturating_sub(before.store_reads),
            store_bytes_written: self.store_bytes_written.saturating_sub(before.store_bytes_written),
            store_bytes_read: self.store_bytes_read.saturating_sub(before.store_bytes_read),
            queue_requests: self.queue_requests.saturating_sub(before.queue_requests),
            secret_requests: self.secret_requests.saturating_sub(before.secret_requests),
        }
    }
}

#[derive(Debug, Default)]
struct Counters {
    store_writes: AtomicU64,
    store_reads: AtomicU64,
    store_bytes_written: AtomicU64,
    store_bytes_read: AtomicU64,
    queue_requests: AtomicU64,
    secret_requests: AtomicU64,
}

/// Counts for all adapters of a process. Cheap to clone; clones count together.
#[derive(Debug, Clone, Default)]
pub struct SpentMeter(Arc<Counters>);

impl SpentMeter {
    /// Everything so far.
    #[must_use]
    pub fn read(&self) -> Spent {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Spent {
            store_writes: count(&self.0.store_writes),
            store_reads: count(&self.0.store_reads),
            store_bytes_written: count(&self.0.store_bytes_written),
            store_bytes_read: count(&self.0.store_bytes_read),
            queue_requests: count(&self.0.queue_requests),
            secret_requests: count(&self.0.secret_requests),
        }
    }

    pub(super) fn store_write(&self, bytes: usize) {
        self.0.store_writes.fetch_add(1, Ordering::Relaxed);
        self.0.store_bytes_written.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    pub(super) fn store_read(&self, bytes: usize) {
        self.0.store_reads.fetch_add(1, Ordering::Relaxed);
        self.0.store_bytes_read.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    pub(super) fn queue_request(&self) {
        self.0.queue_requests.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn secret_request(&self) {
        self.0.secret_requests.fetch_add(1, Ordering::Relaxed);
    }
}
