//! The queue over SQS FIFO.
//!
//! SQS gives several messages of one group in one receive; the port promises one at a time, so that what is received
//! can be worked on side by side. So each receive asks for one message until there are enough: while it is out, SQS holds
//! its group back. Functions do not receive at all: the event source of Lambda does it for them.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{Message, MessageSystemAttributeName};
use pipeline::ports::queue::{BODY_BYTES_MAX, DeadLetter, Delivery, Outgoing, Queue, QueueError};

use super::cause::CallFailed;
use super::spent::SpentMeter;
use crate::place::QueueAddress;

/// Facts: SQS gives at most ten messages at once.
const RECEIVE_MAX: usize = 10;
/// Facts: a receive waits at most twenty seconds.
const WAIT_SECONDS_MAX: u64 = 20;
/// Facts: a message can be hidden for at most twelve hours.
const VISIBILITY_SECONDS_MAX: u64 = 12 * 60 * 60;
/// Facts: names of groups and duplicates have at most 128 characters.
const NAME_CHARS_MAX: usize = 128;
/// Looks at the dead letters at most; the first that shows none is the last one.
const LOOKS_MAX: usize = 100;
/// How long a dead letter that was looked at stays hidden, should the looking end in the middle.
const LOOK_SECONDS: i32 = 30;

/// One FIFO queue, with the queue of its dead letters.
#[derive(Debug, Clone)]
pub struct SqsQueue {
    client: Client,
    url: String,
    dead_letters_url: Option<String>,
    meter: SpentMeter,
}

impl SqsQueue {
    /// A queue by its URL; sends no request.
    #[must_use]
    pub fn new(
        settings: &SdkConfig,
        url: String,
        dead_letters_url: Option<String>,
        meter: SpentMeter,
    ) -> Self {
        Self { client: Client::new(settings), url, dead_letters_url, meter }
    }

    /// Asks SQS for the URL of a queue.
    ///
    /// # Errors
    /// [`QueueError::Medium`] when there is none.
    pub async fn find(
        settings: &SdkConfig,
        address: &QueueAddress,
        meter: SpentMeter,
    ) -> Result<Self, QueueError> {
        let client = Client::new(settings);
        meter.queue_request();
        let request = client.get_queue_url().queue_name(&address.name);
        let found = request.queue_owner_aws_account_id(&address.account).send().await;
        let found = found.map_err(|error| medium("find", CallFailed::of("SQS", &error)))?;
        let url = found.queue_url().unwrap_or_default().to_owned();
        Ok(Self { client, url, dead_letters_url: None, meter })
    }

    async fn ask(
        &self,
        url: &str,
        limit: i32,
        wait: u64,
        hide: Option<i32>,
    ) -> Result<Vec<Message>, QueueError> {
        self.meter.queue_request();
        let request = self
            .client
            .receive_message()
            .queue_url(url)
            .max_number_of_messages(limit)
            .wait_time_seconds(i32::try_from(wait).unwrap_or(0))
            .set_visibility_timeout(hide)
            .message_system_attribute_names(MessageSystemAttributeName::MessageGroupId)
            .message_system_attribute_names(MessageSystemAttributeName::ApproximateReceiveCount)
            .message_system_attribute_names(MessageSystemAttributeName::SentTimestamp);
        let received = request.send().await;
        let received = received.map_err(|error| medium("receive", CallFailed::of("SQS", &error)))?;
        Ok(received.messages.unwrap_or_default())
    }
}

fn medium(action: &'static str, error: CallFailed) -> QueueError {
    // Codes of SQS for a receipt that ended, was used, or never was one.
    let has_ended = error.code.contains("MessageNotInflight")
        || error.code.contains("ReceiptHandleIsInvalid")
        || (error.code.contains("InvalidParameterValue") && matches!(action, "delete" | "extend"));
    if has_ended {
        QueueError::ReceiptExpired
    } else {
        QueueError::Medium { action, source: Box::new(error) }
    }
}

/// The text, or its digest where it is longer than a name may be.
fn bounded(text: String) -> String {
    if text.len() <= NAME_CHARS_MAX {
        text
    } else {
        migration::canonical::Digest::of(text.as_bytes()).to_hex()
    }
}

fn delivery(message: &Message) -> Delivery {
    let attribute = |name| message.attributes().and_then(|all| all.get(&name)).cloned().unwrap_or_default();
    Delivery {
        receipt: message.receipt_handle().unwrap_or_default().to_owned(),
        group: attribute(MessageSystemAttributeName::MessageGroupId),
        body: message.body().unwrap_or_default().to_owned(),
        receive_count: attribute(MessageSystemAttributeName::ApproximateReceiveCount).parse().unwrap_or(1),
    }
}

#[async_trait]
impl Queue for SqsQueue {
    async fn send(&self, message: Outgoing) -> Result<(), QueueError> {
        if message.body.len() > BODY_BYTES_MAX {
            return Err(QueueError::TooLarge { bytes: message.body.len() });
        }
        self.meter.queue_request();
        let request = self
            .client
            .send_message()
            .queue_url(&self.url)
            .message_group_id(bounded(message.group))
            .message_deduplication_id(bounded(message.deduplication_id))
            .message_body(message.body);
        request.send().await.map_err(|error| medium("send", CallFailed::of("SQS", &error)))?;
        Ok(())
    }

    async fn receive(&self, limit: usize, wait: Duration) -> Result<Vec<Delivery>, QueueError> {
        let mut deliveries: Vec<Delivery> = Vec::new();
        while deliveries.len() < limit.clamp(1, RECEIVE_MAX) {
            let whole_seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
            let wait = if deliveries.is_empty() { whole_seconds.min(WAIT_SECONDS_MAX) } else { 0 };
            let messages = self.ask(&self.url, 1, wait, None).await?;
            if messages.is_empty() {
                break;
            }
            deliveries.extend(messages.iter().map(delivery));
        }
        Ok(deliveries)
    }

    async fn delete(&self, receipt: &str) -> Result<(), QueueError> {
        self.meter.queue_request();
        let request = self.client.delete_message().queue_url(&self.url).receipt_handle(receipt);
        request.send().await.map_err(|error| medium("delete", CallFailed::of("SQS", &error)))?;
        Ok(())
    }

    async fn extend(&self, receipt: &str, timeout: Duration) -> Result<(), QueueError> {
        self.meter.queue_request();
        let seconds = timeout.as_secs().min(VISIBILITY_SECONDS_MAX);
        let request = self
            .client
            .change_message_visibility()
            .queue_url(&self.url)
            .receipt_handle(receipt)
            .visibility_timeout(i32::try_from(seconds).unwrap_or(0));
        request.send().await.map_err(|error| medium("extend", CallFailed::of("SQS", &error)))?;
        Ok(())
    }

    /// Looks without taking: a dead letter that was looked at is visible again at once.
    async fn dead_letters(&self) -> Result<Vec<DeadLetter>, QueueError> {
        let Some(url) = &self.dead_letters_url else { return Ok(Vec::new()) };
        let mut letters: BTreeMap<(u64, String), DeadLetter> = BTreeMap::new();
        let mut held = Vec::new();
        for _ in 0..LOOKS_MAX {
            // Hidden for a moment, so that the next look shows the next ones.
            let messages = self.ask(url, 10, 0, Some(LOOK_SECONDS)).await?;
            if messages.is_empty() {
                break;
            }
            for message in messages {
                let sent = message
                    .attributes()
                    .and_then(|all| all.get(&MessageSystemAttributeName::SentTimestamp))
                    .and_then(|text| text.parse().ok())
                    .unwrap_or(0);
                let Delivery { receipt, group, body, .. } = delivery(&message);
                held.push(receipt);
                let id = message.message_id().unwrap_or_default().to_owned();
                letters.insert((sent, id), DeadLetter { group, body });
            }
        }
        for receipt in held {
            self.meter.queue_request();
            let request = self.client.change_message_visibility().queue_url(url).receipt_handle(receipt);
            let shown = request.visibility_timeout(0).send().await;
            shown.map_err(|error| medium("extend", CallFailed::of("SQS", &error)))?;
        }
        Ok(letters.into_values().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_for_the_queue_are_short_and_stay_different() {
        assert_eq!(bounded("acme/2026-11-22-a1/turn/7".to_owned()), "acme/2026-11-22-a1/turn/7");
        let (one, other) = ("x".repeat(129), "y".repeat(129));
        assert!(bounded(one.clone()).len() <= NAME_CHARS_MAX && bounded(one) != bounded(other));
    }
}
