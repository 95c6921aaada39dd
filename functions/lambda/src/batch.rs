//! One SQS batch: each message has its own outcome, and no message takes the others down.
//!
//! Facts (AWS, "Handling errors for an SQS event source"): what is named in `batchItemFailures` comes back, everything
//! else is deleted; in a FIFO queue the handler must stop at the first failure and name it and all later messages. A name
//! that is empty or unknown fails the whole batch.

use std::panic::AssertUnwindSafe;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
pub use aws_lambda_events::event::sqs::SqsEvent as Event;
use aws_lambda_events::event::sqs::{BatchItemFailure, SqsBatchResponse, SqsMessage};
use futures::FutureExt as _;
use lambda_runtime::LambdaEvent;
use tokio::time::Instant;

use crate::settings::STOP_MARGIN_SECONDS;

/// A message, as far as a function needs it.
#[derive(Debug, Clone)]
pub struct Delivered {
    /// Name within the batch.
    pub id: String,
    /// The text.
    pub body: String,
    /// Proof for changing its visibility.
    pub receipt: String,
    /// 1 for the first delivery.
    pub receive_count: u32,
    /// How long ago it was sent.
    pub age: Duration,
}

/// What becomes of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// Done with: it is deleted.
    Finished,
    /// It comes back; in a FIFO queue so does everything behind it.
    Returned,
}

/// Does what messages ask for. One at a time in a process, so nothing has to be sent between threads.
#[async_trait(?Send)]
pub trait Handle {
    /// One message; work that does not end by itself is to stop at `stop_at`.
    async fn handle(&self, message: &Delivered, stop_at: Instant) -> Fate;
}

#[async_trait(?Send)]
impl Handle for crate::home::Home {
    async fn handle(&self, message: &Delivered, stop_at: Instant) -> Fate {
        let counts = std::sync::Arc::new(crate::metrics::Counts::default());
        counts.add("MessageAgeSeconds", message.age.as_secs());
        let fate = match self.role {
            crate::role::Role::Conduct => crate::conductor::handle(self, &message.body, &counts).await,
            crate::role::Role::Work(function) => {
                crate::turn::handle(self, function, message, stop_at, &counts).await
            }
        };
        counts.write(&self.name, jiff::Timestamp::now());
        fate
    }
}

/// Handles the batch in order, and names what comes back.
pub async fn handle(handler: &dyn Handle, event: LambdaEvent<Event>) -> SqsBatchResponse {
    let stop_at = stop_at(event.context.deadline(), SystemTime::now(), Instant::now());
    in_order(handler, event.payload.records, stop_at).await
}

/// When to stop, on the monotonic clock: the deadline of AWS less the margin, but never in the past.
fn stop_at(deadline: SystemTime, wall: SystemTime, now: Instant) -> Instant {
    let left = deadline.duration_since(wall).unwrap_or_default();
    now + left.saturating_sub(Duration::from_secs(STOP_MARGIN_SECONDS))
}

async fn in_order(handler: &dyn Handle, records: Vec<SqsMessage>, stop_at: Instant) -> SqsBatchResponse {
    let mut response = SqsBatchResponse::default();
    let mut is_stopped = false;
    for record in records {
        let message = delivered(record);
        if !is_stopped {
            // A bug of ours ends one message, and is seen as what it is.
            let fate = AssertUnwindSafe(handler.handle(&message, stop_at)).catch_unwind().await;
            is_stopped = match fate {
                Ok(fate) => fate == Fate::Returned,
                Err(_) => {
                    tracing::error!(message = %message.id, "a message ended in a panic");
                    true
                }
            };
        }
        if is_stopped {
            let mut failure = BatchItemFailure::default();
            failure.item_identifier = message.id;
            response.batch_item_failures.push(failure);
        }
    }
    response
}

fn delivered(record: SqsMessage) -> Delivered {
    let number = |name: &str| record.attributes.get(name).and_then(|text| text.parse::<u64>().ok());
    let sent = number("SentTimestamp").map(|at| SystemTime::UNIX_EPOCH + Duration::from_millis(at));
    Delivered {
        receive_count: number("ApproximateReceiveCount").and_then(|n| u32::try_from(n).ok()).unwrap_or(1),
        age: sent.and_then(|sent| SystemTime::now().duration_since(sent).ok()).unwrap_or_default(),
        id: record.message_id.unwrap_or_default(),
        body: record.body.unwrap_or_default(),
        receipt: record.receipt_handle.unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    /// Does what the body says.
    #[derive(Default)]
    struct Told(Mutex<Vec<String>>);

    #[async_trait(?Send)]
    impl Handle for Told {
        async fn handle(&self, message: &Delivered, _stop_at: Instant) -> Fate {
            self.0.lock().unwrap().push(message.id.clone());
            match message.body.as_str() {
                "fail" => Fate::Returned,
                "panic" => panic!("as told"),
                _ => Fate::Finished,
            }
        }
    }

    async fn check(bodies: &[&str], seen: &[&str], returned: &[&str]) {
        let records = bodies.iter().enumerate().map(|(number, body)| {
            let mut record = SqsMessage::default();
            record.message_id = Some(format!("m{number}"));
            record.body = Some((*body).to_owned());
            record
        });
        let told = Told::default();
        let response = in_order(&told, records.collect(), Instant::now()).await;
        assert_eq!(*told.0.lock().unwrap(), seen, "{bodies:?}");
        let names: Vec<&str> =
            response.batch_item_failures.iter().map(|failure| failure.item_identifier.as_str()).collect();
        assert_eq!(names, returned, "{bodies:?}");
        // Every name is one of the batch, and none is empty.
        let text = serde_json::to_string(&response).unwrap();
        assert!(text.starts_with(r#"{"batchItemFailures":["#) && !text.contains("null"), "{text}");
    }

    #[tokio::test]
    async fn what_fails_comes_back_with_everything_behind_it() {
        check(&[], &[], &[]).await;
        check(&["ok", "ok"], &["m0", "m1"], &[]).await;
        check(&["ok", "fail", "ok"], &["m0", "m1"], &["m1", "m2"]).await;
        check(&["panic", "ok"], &["m0"], &["m0", "m1"]).await;
        check(&["ok", "ok", "panic"], &["m0", "m1", "m2"], &["m2"]).await;
    }

    #[tokio::test(start_paused = true)]
    async fn work_stops_before_its_function_is_killed() {
        let (wall, now) = (SystemTime::UNIX_EPOCH, Instant::now());
        let deadline = |seconds| wall + Duration::from_secs(seconds);
        assert_eq!(stop_at(deadline(300), wall, now), now + Duration::from_secs(255));
        assert_eq!(stop_at(deadline(10), wall, now), now);
        assert_eq!(stop_at(wall - Duration::from_secs(5), wall, now), now);
    }
}
