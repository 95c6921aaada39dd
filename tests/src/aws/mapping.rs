//! Gives messages of a FIFO queue to a function, as an event source mapping does, with what goes wrong between the two.
//!
//! Source for the rules: AWS, "Handling errors for an SQS event source": an empty list deletes the batch; a name that is empty
//! or unknown, an answer that cannot be read, or a failed invocation deletes nothing.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{Message, MessageSystemAttributeName};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use serde_json::{Map, Value, json};

use super::host::{Function, Outcome, Trouble};

/// What can go wrong with one delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Mishap {
    /// The function was killed.
    Killed,
    /// Its time was over.
    TimedOut,
    /// It succeeded, and the mapping died before it deleted the message.
    NotDeleted,
    /// The message was given to it twice.
    Twice,
    /// There was no room for the function; the message went back.
    Throttled,
}

impl Mishap {
    /// All of them.
    pub(crate) const ALL: [Self; 5] =
        [Self::Killed, Self::TimedOut, Self::NotDeleted, Self::Twice, Self::Throttled];

    /// A word for figures.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Killed => "killed",
            Self::TimedOut => "timed_out",
            Self::NotDeleted => "not_deleted",
            Self::Twice => "delivered_twice",
            Self::Throttled => "throttled",
        }
    }
}

/// Counts of all mappings of a run.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// Events that functions were given.
    pub(crate) invocations: u64,
    /// Messages that came back and were given again.
    pub(crate) redeliveries: u64,
    /// What went wrong.
    pub(crate) mishaps: BTreeMap<Mishap, u64>,
    /// Largest resident memory of a process, by handler, bytes.
    pub(crate) peaks: BTreeMap<&'static str, u64>,
    /// Answers that break a rule; none is right.
    pub(crate) broken: Vec<String>,
}

/// One queue and its function.
pub(crate) struct Mapping {
    pub(crate) queue: Client,
    pub(crate) url: String,
    pub(crate) function: Function,
    pub(crate) seen: Arc<Mutex<Seen>>,
    /// Chance of a mishap at one delivery, in percent.
    pub(crate) percent: u32,
    pub(crate) chance: ChaCha8Rng,
}

impl Mapping {
    /// A mapping whose mishaps follow from the seed.
    pub(crate) fn new(
        queue: Client,
        url: String,
        function: Function,
        seen: Arc<Mutex<Seen>>,
        percent: u32,
        seed: u64,
    ) -> Self {
        Self { queue, url, function, seen, percent, chance: ChaCha8Rng::seed_from_u64(seed) }
    }

    /// Polls until it is dropped.
    pub(crate) async fn run(mut self) -> anyhow::Result<()> {
        loop {
            let request = self
                .queue
                .receive_message()
                .queue_url(&self.url)
                .max_number_of_messages(1)
                .wait_time_seconds(1)
                .message_system_attribute_names(MessageSystemAttributeName::All);
            for message in request.send().await?.messages.unwrap_or_default() {
                self.deliver(&message).await?;
            }
        }
    }

    fn mishap(&mut self) -> Option<Mishap> {
        if self.chance.random_range(0..100) >= self.percent {
            return None;
        }
        Some(Mishap::ALL[self.chance.random_range(0..Mishap::ALL.len())])
    }

    async fn deliver(&mut self, message: &Message) -> anyhow::Result<()> {
        let mishap = self.mishap();
        let after = Duration::from_millis(self.chance.random_range(1..1_500));
        {
            let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
            seen.redeliveries +=
                u64::from(attribute(message, &MessageSystemAttributeName::ApproximateReceiveCount) != "1");
            if let Some(mishap) = mishap {
                *seen.mishaps.entry(mishap).or_default() += 1;
            }
        }
        let trouble = match mishap {
            Some(Mishap::Throttled) => return Ok(()),
            Some(Mishap::Killed) => Trouble::Killed(after),
            Some(Mishap::TimedOut) => Trouble::Timeout(after),
            _ => Trouble::None,
        };
        let event = json!({ "Records": [record(message)] });
        if mishap == Some(Mishap::Twice) {
            self.invoke(&event, Trouble::None).await?;
        }
        let outcome = self.invoke(&event, trouble).await?;
        let id = message.message_id().unwrap_or_default();
        if self.is_done(id, &outcome) && mishap != Some(Mishap::NotDeleted) {
            let receipt = message.receipt_handle().unwrap_or_default();
            // A receipt that has run out means that somebody else has the message: nothing to delete.
            let _ = self.queue.delete_message().queue_url(&self.url).receipt_handle(receipt).send().await;
        }
        Ok(())
    }

    async fn invoke(&mut self, event: &Value, trouble: Trouble) -> anyhow::Result<Outcome> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).invocations += 1;
        let outcome = self.function.invoke(event.clone(), trouble).await;
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.peaks.insert(self.function.handler(), self.function.peak_bytes);
        outcome
    }

    /// Whether the answer says that the message may be deleted.
    fn is_done(&self, id: &str, outcome: &Outcome) -> bool {
        let Outcome::Answered(answer) = outcome else { return false };
        match returned(answer, &[id]) {
            Ok(names) => names.is_empty(),
            Err(why) => {
                self.seen.lock().unwrap_or_else(PoisonError::into_inner).broken.push(why);
                false
            }
        }
    }
}

/// The messages that an answer gives back.
fn returned<'a>(answer: &'a Value, batch: &[&str]) -> Result<Vec<&'a str>, String> {
    let list = match answer.get("batchItemFailures") {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::Array(list)) => list,
        Some(_) => return Err("batchItemFailures is no list".to_owned()),
    };
    list.iter()
        .map(|failure| match failure.get("itemIdentifier").and_then(Value::as_str) {
            Some(name) if batch.contains(&name) => Ok(name),
            _ => Err(format!("an answer names {failure}, which is no message of its batch")),
        })
        .collect()
}

fn attribute(message: &Message, name: &MessageSystemAttributeName) -> String {
    message.attributes().and_then(|all| all.get(name)).cloned().unwrap_or_default()
}

fn record(message: &Message) -> Value {
    let attributes: Map<String, Value> = message
        .attributes()
        .into_iter()
        .flatten()
        .map(|(name, value)| (name.as_str().to_owned(), json!(value)))
        .collect();
    json!({
        "messageId": message.message_id(),
        "receiptHandle": message.receipt_handle(),
        "body": message.body(),
        "attributes": attributes,
        "messageAttributes": {},
        "md5OfBody": message.md5_of_body(),
        "eventSource": "aws:sqs",
        "awsRegion": super::emulator::REGION,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_read_as_aws_reads_them() {
        let batch = ["a", "b"];
        let names = |text: &str| {
            let answer: Value = serde_json::from_str(text).expect("JSON");
            returned(&answer, &batch).map(|names| names.join(","))
        };
        for nothing in ["{}", "null", r#"{"batchItemFailures":null}"#, r#"{"batchItemFailures":[]}"#] {
            assert_eq!(names(nothing), Ok(String::new()), "{nothing}");
        }
        assert_eq!(names(r#"{"batchItemFailures":[{"itemIdentifier":"b"}]}"#), Ok("b".to_owned()));
        for wrong in [
            r#"{"batchItemFailures":[{"itemIdentifier":""}]}"#,
            r#"{"batchItemFailures":[{"itemIdentifier":null}]}"#,
            r#"{"batchItemFailures":[{"itemIdentifier":"c"}]}"#,
            r#"{"batchItemFailures":[{"identifier":"a"}]}"#,
            r#"{"batchItemFailures":"a"}"#,
        ] {
            assert!(names(wrong).is_err(), "{wrong}");
        }
    }
}
