//! The queue inside one process. It redelivers, blocks groups, forgets duplicates and puts dead letters aside exactly as
//! SQS FIFO does, because the code above it must not notice the difference.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use pipeline::ports::clock::Clock;
use pipeline::ports::queue::{BODY_BYTES_MAX, DeadLetter, Delivery, Outgoing, Queue, QueueError};

/// How long two sends with one deduplication id are one message (facts: SQS FIFO).
const DEDUPLICATION_WINDOW: Duration = Duration::from_secs(300);
/// Deliveries of one receive at most (facts: SQS).
const RECEIVE_MAX: usize = 10;
/// How often an empty queue is looked at while a receive waits.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Settings of the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueueSettings {
    /// Time after which a message that was not deleted comes back.
    pub visibility: Duration,
    /// Deliveries after which a message is put aside.
    pub receives_max: u32,
}

impl Default for QueueSettings {
    /// Six times the longest step of a worker, as the queues in AWS have it; three tries.
    fn default() -> Self {
        Self { visibility: Duration::from_secs(6 * 3600), receives_max: 3 }
    }
}

#[derive(Debug, Clone)]
struct Held {
    group: String,
    body: String,
    receive_count: u32,
    /// Nanoseconds; zero: never received.
    visible_at: u64,
    receipt: Option<String>,
}

#[derive(Debug, Default)]
struct State {
    messages: VecDeque<Held>,
    dead: Vec<DeadLetter>,
    seen: BTreeMap<String, u64>,
    receipts: u64,
}

/// A queue that lives as long as the process.
pub struct InProcessQueue {
    clock: Arc<dyn Clock>,
    settings: QueueSettings,
    state: Mutex<State>,
}

impl InProcessQueue {
    /// An empty queue.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>, settings: QueueSettings) -> Self {
        Self { clock, settings, state: Mutex::default() }
    }

    fn with<T>(&self, work: impl FnOnce(&mut State, u64) -> T) -> T {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.clock.elapsed_nanoseconds();
        work(&mut state, now)
    }

    fn take(&self, limit: usize) -> Vec<Delivery> {
        let (visibility, receives_max) = (nanoseconds(self.settings.visibility), self.settings.receives_max);
        self.with(|state, now| {
            state.bury(now, receives_max);
            let mut blocked: BTreeSet<String> = state
                .messages
                .iter()
                .filter(|held| held.receipt.is_some() && held.visible_at > now)
                .map(|held| held.group.clone())
                .collect();
            let mut deliveries = Vec::new();
            for held in &mut state.messages {
                if deliveries.len() == limit {
                    break;
                }
                // Order within a group: once one of it may not go, none behind it may.
                if blocked.contains(&held.group) {
                    continue;
                }
                if held.visible_at > now {
                    blocked.insert(held.group.clone());
                    continue;
                }
                // One message of a group is out at a time, within one receive as well.
                blocked.insert(held.group.clone());
                state.receipts += 1;
                held.receive_count += 1;
                held.visible_at = now.saturating_add(visibility);
                let receipt = format!("receipt-{}", state.receipts);
                held.receipt = Some(receipt.clone());
                deliveries.push(Delivery {
                    receipt,
                    group: held.group.clone(),
                    body: held.body.clone(),
                    receive_count: held.receive_count,
                });
            }
            deliveries
        })
    }
}

impl State {
    /// Puts messages aside that came back too often.
    fn bury(&mut self, now: u64, receives_max: u32) {
        let State { messages, dead, .. } = self;
        messages.retain(|held| {
            let is_dead = held.receive_count >= receives_max && held.visible_at <= now;
            if is_dead {
                dead.push(DeadLetter { group: held.group.clone(), body: held.body.clone() });
            }
            !is_dead
        });
    }

    fn position(&self, receipt: &str, now: u64) -> Option<usize> {
        self.messages
            .iter()
            .position(|held| held.receipt.as_deref() == Some(receipt) && held.visible_at > now)
    }
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[async_trait]
impl Queue for InProcessQueue {
    async fn send(&self, message: Outgoing) -> Result<(), QueueError> {
        if message.body.len() > BODY_BYTES_MAX {
            return Err(QueueError::TooLarge { bytes: message.body.len() });
        }
        self.with(|state, now| {
            let window = nanoseconds(DEDUPLICATION_WINDOW);
            state.seen.retain(|_, at| now.saturating_sub(*at) < window);
            if state.seen.contains_key(&message.deduplication_id) {
                return;
            }
            state.seen.insert(message.deduplication_id, now);
            let (group, body) = (message.group, message.body);
            state.messages.push_back(Held { group, body, receive_count: 0, visible_at: 0, receipt: None });
        });
        Ok(())
    }

    async fn receive(&self, limit: usize, wait: Duration) -> Result<Vec<Delivery>, QueueError> {
        let until = self.clock.elapsed_nanoseconds().saturating_add(nanoseconds(wait));
        loop {
            let deliveries = self.take(limit.clamp(1, RECEIVE_MAX));
            let now = self.clock.elapsed_nanoseconds();
            if !deliveries.is_empty() || now >= until {
                return Ok(deliveries);
            }
            self.clock.sleep(LOOK_EVERY.min(Duration::from_nanos(until - now))).await;
        }
    }

    async fn delete(&self, receipt: &str) -> Result<(), QueueError> {
        self.with(|state, now| match state.position(receipt, now) {
            Some(position) => {
                state.messages.remove(position);
                Ok(())
            }
            None => Err(QueueError::ReceiptExpired),
        })
    }

    async fn extend(&self, receipt: &str, timeout: Duration) -> Result<(), QueueError> {
        self.with(|state, now| {
            let position = state.position(receipt, now).ok_or(QueueError::ReceiptExpired)?;
            let held = state.messages.get_mut(position).ok_or(QueueError::ReceiptExpired)?;
            held.visible_at = now.saturating_add(nanoseconds(timeout));
            Ok(())
        })
    }

    async fn dead_letters(&self) -> Result<Vec<DeadLetter>, QueueError> {
        Ok(self.with(|state, now| {
            state.bury(now, self.settings.receives_max);
            state.dead.clone()
        }))
    }
}
