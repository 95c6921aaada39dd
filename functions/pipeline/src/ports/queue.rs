//! The queue: it only wakes workers. A message names work by reference and holds no personal data.

use std::time::Duration;

use async_trait::async_trait;

/// Bytes of a body at most (facts: SQS takes 1 MiB; we stay far below, bodies are pointers).
pub const BODY_BYTES_MAX: usize = 16 * 1024;

/// A message to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// Messages of one group are delivered one after the other, in order.
    pub group: String,
    /// Two sends to one group with one id within five minutes are one message.
    pub deduplication_id: String,
    /// JSON text, at most [`BODY_BYTES_MAX`].
    pub body: String,
}

/// A message received; it comes back after the visibility timeout unless deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Proof for this delivery alone.
    pub receipt: String,
    /// The group it was sent to.
    pub group: String,
    /// The body as sent.
    pub body: String,
    /// 1 for the first delivery.
    pub receive_count: u32,
}

/// A message that was received too often and put aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// The group it was sent to.
    pub group: String,
    /// The body as sent.
    pub body: String,
}

/// Why the queue could not do it.
#[derive(Debug, thiserror::Error)]
pub enum QueueError {
    /// The body is longer than [`BODY_BYTES_MAX`].
    #[error("message body has {bytes} bytes, at most {BODY_BYTES_MAX} fit")]
    TooLarge {
        /// Bytes of the refused body.
        bytes: usize,
    },
    /// The receipt's visibility has run out or is unknown.
    #[error("the receipt is no longer valid")]
    ReceiptExpired,
    /// The medium failed.
    #[error("queue failed to {action}")]
    Medium {
        /// `send`, `receive`, `delete`, `extend`.
        action: &'static str,
        /// The cause.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// A queue with groups, redelivery and dead letters, as SQS FIFO has them.
#[async_trait]
pub trait Queue: Send + Sync {
    /// Sends; success means that it will be delivered at least once.
    async fn send(&self, message: Outgoing) -> Result<(), QueueError>;
    /// At most `limit` (1 to 10) messages that are visible now; none when nothing came within `wait`.
    /// While a message of a group is out, no later message of that group is given, by the same receive either.
    async fn receive(&self, limit: usize, wait: Duration) -> Result<Vec<Delivery>, QueueError>;
    /// Done with it.
    async fn delete(&self, receipt: &str) -> Result<(), QueueError>;
    /// Makes it visible again after `timeout` from now (zero: at once).
    async fn extend(&self, receipt: &str, timeout: Duration) -> Result<(), QueueError>;
    /// Messages that were received too often and put aside, oldest first. They stay there.
    async fn dead_letters(&self) -> Result<Vec<DeadLetter>, QueueError>;
}
