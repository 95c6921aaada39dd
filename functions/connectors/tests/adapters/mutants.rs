//! The suites themselves: each promise that is broken on purpose is found, and named.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use connectors::queue::QueueSettings;
use connectors::store::ObjectStoreAdapter;
use expect_test::{Expect, expect};
use pipeline::conformance::{self, NotPassed, QueueUnderTest};
use pipeline::ports::queue::{DeadLetter, Delivery, Outgoing, Queue, QueueError};
use pipeline::ports::store::{Key, Put, Store, StoreError};

use crate::conformance::{SETTINGS, queue_under_test};

/// How a store breaks its word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum StoreFlaw {
    SaysCreated,
    SaysAlreadyThere,
    CutsShort,
    FindsEmptiness,
    ListsNeighbours,
    ListsBackwards,
    ForgetsFiles,
    CopiesIntoOnePlace,
}

struct FlawedStore {
    inner: ObjectStoreAdapter,
    flaw: StoreFlaw,
}

#[async_trait]
impl Store for FlawedStore {
    async fn put_new(&self, key: &Key, mut body: Bytes) -> Result<Put, StoreError> {
        if self.flaw == StoreFlaw::CutsShort {
            body.truncate(1_000_000);
        }
        let put = self.inner.put_new(key, body).await?;
        Ok(match self.flaw {
            StoreFlaw::SaysCreated => Put::Created,
            StoreFlaw::SaysAlreadyThere => Put::AlreadyThere,
            _ => put,
        })
    }

    async fn put_new_file(&self, key: &Key, path: &Path) -> Result<Put, StoreError> {
        if self.flaw == StoreFlaw::ForgetsFiles {
            return Ok(Put::Created);
        }
        self.inner.put_new_file(key, path).await
    }

    async fn get(&self, key: &Key) -> Result<Bytes, StoreError> {
        match self.inner.get(key).await {
            Err(StoreError::NotFound { .. }) if self.flaw == StoreFlaw::FindsEmptiness => Ok(Bytes::new()),
            other => other,
        }
    }

    async fn local_copy(&self, key: &Key, scratch: &Path) -> Result<PathBuf, StoreError> {
        let place = if self.flaw == StoreFlaw::CopiesIntoOnePlace {
            scratch.join("copy")
        } else {
            return self.inner.local_copy(key, scratch).await;
        };
        let body = self.inner.get(key).await?;
        std::fs::write(&place, body).unwrap();
        Ok(place)
    }

    async fn list(&self, prefix: &Key) -> Result<Vec<Key>, StoreError> {
        let mut keys = match (self.flaw, prefix.as_str().rsplit_once('/')) {
            (StoreFlaw::ListsNeighbours, Some((folder, _))) => {
                let mut keys = self.inner.list(&Key::new(folder).unwrap()).await?;
                keys.retain(|key| key.as_str().starts_with(prefix.as_str()));
                keys
            }
            _ => self.inner.list(prefix).await?,
        };
        if self.flaw == StoreFlaw::ListsBackwards {
            keys.reverse();
        }
        Ok(keys)
    }
}

fn broken(outcome: Result<conformance::Passed, NotPassed>, expected: &Expect, flaw: &str) {
    match outcome {
        Err(NotPassed::Broken { check, .. }) => expected.assert_eq(check),
        other => panic!("{flaw}: {other:?}"),
    }
}

async fn check_store(flaw: StoreFlaw, expected: Expect) {
    let make =
        async || Ok(Arc::new(FlawedStore { inner: ObjectStoreAdapter::memory(), flaw }) as Arc<dyn Store>);
    broken(conformance::store(make).await, &expected, &format!("{flaw:?}"));
}

#[tokio::test]
async fn a_store_that_breaks_its_word_is_found() {
    check_store(
        StoreFlaw::SaysCreated,
        expect!["other bytes find the object already there and leave it alone"],
    )
    .await;
    check_store(StoreFlaw::SaysAlreadyThere, expect!["a new object is created and read back"]).await;
    check_store(StoreFlaw::CutsShort, expect!["a large object is whole"]).await;
    check_store(StoreFlaw::FindsEmptiness, expect!["what was never written is not found"]).await;
    check_store(StoreFlaw::ListsNeighbours, expect!["a list stops at the end of its last segment"]).await;
    check_store(StoreFlaw::ListsBackwards, expect!["a list is sorted bytewise"]).await;
    check_store(StoreFlaw::ForgetsFiles, expect!["a file is stored as it is"]).await;
    check_store(StoreFlaw::CopiesIntoOnePlace, expect!["local copies of different keys are different files"])
        .await;
}

/// How a queue breaks its word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum QueueFlaw {
    ForgetsGroups,
    OneGroup,
    KeepsDuplicates,
    RemembersForEver,
    TakesAnyReceipt,
    TakesAnyBody,
    GivesAllItHas,
    IgnoresExtensions,
    DropsDeletions,
    LosesDeadLetters,
    CountsFromZero,
}

struct FlawedQueue {
    inner: Arc<dyn Queue>,
    flaw: QueueFlaw,
    sends: AtomicU64,
    names: std::sync::Mutex<std::collections::BTreeSet<String>>,
}

impl FlawedQueue {
    /// Group names as they were sent.
    fn with_groups(&self, mut deliveries: Vec<Delivery>) -> Vec<Delivery> {
        if self.flaw == QueueFlaw::ForgetsGroups {
            for delivery in &mut deliveries {
                delivery.group = delivery.group.rsplit_once('-').unwrap().0.to_owned();
            }
        }
        deliveries
    }
}

#[async_trait]
impl Queue for FlawedQueue {
    async fn send(&self, mut message: Outgoing) -> Result<(), QueueError> {
        let number = self.sends.fetch_add(1, Ordering::SeqCst);
        match self.flaw {
            QueueFlaw::ForgetsGroups => message.group = format!("{}-{number}", message.group),
            QueueFlaw::OneGroup => message.group = "g".to_owned(),
            QueueFlaw::KeepsDuplicates => message.deduplication_id = number.to_string(),
            QueueFlaw::RemembersForEver if self.names.lock().unwrap().contains(&message.deduplication_id) => {
                return Ok(());
            }
            QueueFlaw::TakesAnyBody => message.body.truncate(16_384),
            _ => {}
        }
        let name = message.deduplication_id.clone();
        self.inner.send(message).await?;
        self.names.lock().unwrap().insert(name);
        Ok(())
    }

    async fn receive(&self, limit: usize, wait: Duration) -> Result<Vec<Delivery>, QueueError> {
        let limit = if self.flaw == QueueFlaw::GivesAllItHas { 10 } else { limit };
        let mut deliveries = self.inner.receive(limit, wait).await?;
        if self.flaw == QueueFlaw::CountsFromZero {
            deliveries.iter_mut().for_each(|delivery| delivery.receive_count -= 1);
        }
        Ok(self.with_groups(deliveries))
    }

    async fn delete(&self, receipt: &str) -> Result<(), QueueError> {
        match self.flaw {
            QueueFlaw::DropsDeletions => Ok(()),
            QueueFlaw::TakesAnyReceipt => self.inner.delete(receipt).await.or(Ok(())),
            _ => self.inner.delete(receipt).await,
        }
    }

    async fn extend(&self, receipt: &str, timeout: Duration) -> Result<(), QueueError> {
        if self.flaw == QueueFlaw::IgnoresExtensions {
            Ok(())
        } else {
            self.inner.extend(receipt, timeout).await
        }
    }

    async fn dead_letters(&self) -> Result<Vec<DeadLetter>, QueueError> {
        let mut letters = self.inner.dead_letters().await?;
        if self.flaw == QueueFlaw::ForgetsGroups {
            for letter in &mut letters {
                letter.group = letter.group.rsplit_once('-').unwrap().0.to_owned();
            }
        }
        Ok(if self.flaw == QueueFlaw::LosesDeadLetters { Vec::new() } else { letters })
    }
}

async fn check_queue(flaw: QueueFlaw, expected: Expect) {
    let make = async || {
        let bench = queue_under_test(SETTINGS);
        let (inner, sends, names) =
            (Arc::clone(&bench.queue), AtomicU64::new(0), std::sync::Mutex::default());
        Ok(QueueUnderTest { queue: Arc::new(FlawedQueue { inner, flaw, sends, names }), ..bench })
    };
    broken(conformance::queue(make).await, &expected, &format!("{flaw:?}"));
}

/// The queue runs on other settings than it says.
async fn check_settings(settings: QueueSettings, expected: Expect) {
    let make = async || {
        let bench = queue_under_test(settings);
        Ok(QueueUnderTest { visibility: SETTINGS.visibility, receives_max: SETTINGS.receives_max, ..bench })
    };
    broken(conformance::queue(make).await, &expected, &format!("{settings:?}"));
}

#[tokio::test]
async fn a_queue_that_breaks_its_word_is_found() {
    check_queue(QueueFlaw::ForgetsGroups, expect!["a group comes in order"]).await;
    check_queue(QueueFlaw::OneGroup, expect!["a message is delivered as it was sent"]).await;
    check_queue(QueueFlaw::KeepsDuplicates, expect!["one deduplication id is one message for five minutes"])
        .await;
    check_queue(QueueFlaw::RemembersForEver, expect!["one deduplication id is one message for five minutes"])
        .await;
    check_queue(QueueFlaw::TakesAnyReceipt, expect!["a receipt ends with its deadline"]).await;
    check_queue(QueueFlaw::TakesAnyBody, expect!["bodies end at the limit"]).await;
    check_queue(QueueFlaw::GivesAllItHas, expect!["no receive gives more than asked for"]).await;
    check_queue(QueueFlaw::IgnoresExtensions, expect!["a receive that waits gets what becomes visible"])
        .await;
    check_queue(QueueFlaw::DropsDeletions, expect!["what was deleted does not come back"]).await;
    check_queue(QueueFlaw::LosesDeadLetters, expect!["a message that came too often is put aside"]).await;
    check_queue(QueueFlaw::CountsFromZero, expect!["a message is delivered as it was sent"]).await;
}

#[tokio::test]
async fn a_queue_with_other_deadlines_than_it_says_is_found() {
    let with =
        |seconds, receives_max| QueueSettings { visibility: Duration::from_secs(seconds), receives_max };
    check_settings(with(50, 3), expect!["what was not deleted comes back after its deadline, not before"])
        .await;
    check_settings(with(70, 3), expect!["what was not deleted comes back after its deadline, not before"])
        .await;
    check_settings(with(60, 2), expect!["a message that came too often is put aside"]).await;
    check_settings(with(60, 9), expect!["a message that came too often is put aside"]).await;
}
