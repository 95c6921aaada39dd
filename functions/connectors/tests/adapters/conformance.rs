//! Every adapter runs the suite of its port.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use connectors::clock::VirtualClock;
use connectors::queue::{InProcessQueue, QueueSettings};
use connectors::store::ObjectStoreAdapter;
use jiff::Timestamp;
use pipeline::conformance::{self, NotPassed, Passed, QueueUnderTest};
use pipeline::ports::clock::Clock;
use pipeline::ports::store::{Key, Store, StoreError};

use crate::faulty_objects::{Faulty, PutFault};

const STORE_CHECKS: Passed = Passed { checks: 21 };
const QUEUE_CHECKS: Passed = Passed { checks: 20 };

pub(crate) fn queue_under_test(settings: QueueSettings) -> QueueUnderTest {
    let clock: Arc<dyn Clock> = Arc::new(VirtualClock::new(Timestamp::UNIX_EPOCH));
    QueueUnderTest {
        queue: Arc::new(InProcessQueue::new(Arc::clone(&clock), settings)),
        clock,
        visibility: settings.visibility,
        receives_max: settings.receives_max,
        left_out: &[],
    }
}

pub(crate) const SETTINGS: QueueSettings =
    QueueSettings { visibility: Duration::from_secs(60), receives_max: 3 };

#[tokio::test]
async fn the_local_directory_is_a_store() {
    let folders = std::sync::Mutex::new(Vec::new());
    let passed = conformance::store(async || {
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        let store = ObjectStoreAdapter::local(&folder.path().join("made/by/the/store"))
            .map_err(|error| error.to_string())?;
        folders.lock().unwrap().push(folder);
        Ok(Arc::new(store) as Arc<dyn Store>)
    })
    .await;
    assert_eq!(passed.unwrap(), STORE_CHECKS);
}

#[tokio::test]
async fn the_memory_is_a_store() {
    let passed =
        conformance::store(async || Ok(Arc::new(ObjectStoreAdapter::memory()) as Arc<dyn Store>)).await;
    assert_eq!(passed.unwrap(), STORE_CHECKS);
}

#[tokio::test]
async fn a_medium_that_lies_about_the_first_write_is_a_store_nevertheless() {
    for fault in PutFault::ALL {
        let passed = conformance::store(async || {
            Ok(Arc::new(ObjectStoreAdapter::over(Arc::new(Faulty::once(fault)))) as Arc<dyn Store>)
        })
        .await;
        assert_eq!(passed.unwrap_or_else(|error| panic!("{fault:?}: {error}")), STORE_CHECKS);
    }
}

#[tokio::test]
async fn a_medium_that_never_works_is_an_error_and_no_truth() {
    let key = Key::new("a/b").unwrap();
    for (fault, action) in [(PutFault::NothingStored, "write"), (PutFault::SaysAlreadyThere, "write")] {
        let store = ObjectStoreAdapter::over(Arc::new(Faulty::always(fault)));
        match store.put_new(&key, Bytes::from_static(b"x")).await {
            Err(StoreError::Medium { action: found, .. }) => assert_eq!(found, action),
            other => panic!("{fault:?}: {other:?}"),
        }
        assert!(matches!(store.get(&key).await, Err(StoreError::NotFound { .. })));
    }
}

#[tokio::test]
async fn the_queue_in_process_is_a_queue() {
    let passed = conformance::queue(async || Ok(queue_under_test(SETTINGS))).await;
    assert_eq!(passed.unwrap(), QUEUE_CHECKS);
    let other = QueueSettings { visibility: Duration::from_secs(6 * 3_600), receives_max: 2 };
    assert_eq!(conformance::queue(async || Ok(queue_under_test(other))).await.unwrap(), QUEUE_CHECKS);
}

#[tokio::test]
async fn a_suite_that_cannot_run_says_so() {
    let store = conformance::store(async || Err("no bucket in this place".to_owned())).await;
    assert_eq!(store.unwrap_err().to_string(), "not run: no bucket in this place");
    let queue = conformance::queue(async || Err("no queue in this place".to_owned())).await;
    assert!(matches!(queue, Err(NotPassed::NotRun { .. })), "{queue:?}");
    let hasty = QueueSettings { visibility: Duration::from_secs(1), receives_max: 3 };
    let queue = conformance::queue(async || Ok(queue_under_test(hasty))).await;
    assert!(matches!(queue, Err(NotPassed::NotRun { .. })), "{queue:?}");
}
