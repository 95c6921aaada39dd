//! What every store must keep.

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use futures::future::{Either, join_all, select};

use super::{NotPassed, Passed, Suite, Verdict, demand, made, store_files, told};
use crate::ports::store::{Key, Put, Store, StoreError};

/// Creators that race for one key.
const CREATORS: u8 = 16;
/// Larger than any buffer on the way, so that a partial object would show.
pub(super) const LARGE_BYTES: usize = 20 * 1024 * 1024;

/// Holds a store to the promises of [`Store`]. `make` gives a new and empty one each time.
///
/// # Errors
/// [`NotPassed`]: the first promise that is not kept, or why the suite did not run.
pub async fn store(make: impl AsyncFn() -> Result<Arc<dyn Store>, String>) -> Result<Passed, NotPassed> {
    let scratch = tempfile::tempdir()
        .map_err(|error| NotPassed::NotRun { why: told("no folder for scratch files", &error) })?;
    let scratch = scratch.path();
    let mut suite = Suite::default();
    macro_rules! check {
        ($name:literal, $work:path $(, $argument:expr)*) => {{
            let store = made(&make).await?;
            suite.check($name, Box::pin($work(&*store $(, $argument)*))).await?;
        }};
    }
    check!("a new object is created and read back", creates);
    check!("the same bytes again are a success", creates_again);
    check!("other bytes find the object already there and leave it alone", keeps_the_first);
    check!("an object without bytes is an object", keeps_empty_objects);
    check!("what was never written is not found", finds_nothing);
    check!("a list is sorted bytewise", lists_in_order);
    check!("a list stops at the end of its last segment", lists_to_the_boundary);
    check!("a list of nothing is empty", lists_nothing);
    check!("every character of a key comes back", keeps_keys);
    check!("one of many creators wins", one_creator_wins);
    check!("many creators of the same bytes all succeed", equal_creators_all_win);
    check!("a large object is whole", keeps_large_objects);
    check!("a partial object is never seen", shows_no_partial_object);
    check!("a file is stored as it is", store_files::stores_a_file, scratch);
    check!("other files find the object already there", store_files::keeps_the_first_file, scratch);
    check!("a large file is whole", store_files::stores_a_large_file, scratch);
    check!("a missing file stores nothing", store_files::stores_no_missing_file, scratch);
    check!("one of many files wins", store_files::one_file_wins, scratch);
    check!("a local copy has the bytes", store_files::copies, scratch);
    check!("local copies of different keys are different files", store_files::copies_apart, scratch);
    check!("what was never written cannot be copied", copies_nothing, scratch);
    Ok(suite.passed())
}

pub(super) fn key(text: &str) -> Result<Key, String> {
    Key::new(text).map_err(|error| error.to_string())
}

pub(super) async fn put(store: &dyn Store, at: &Key, body: impl Into<Bytes>) -> Result<Put, String> {
    store.put_new(at, body.into()).await.map_err(|error| told("put_new", &error))
}

pub(super) async fn holds(store: &dyn Store, at: &Key, expected: &[u8]) -> Verdict {
    let found = store.get(at).await.map_err(|error| told("get", &error))?;
    demand(found == expected, || {
        format!("{at} holds {} bytes that are not those of {}", found.len(), expected.len())
    })
}

pub(super) fn is(found: Put, expected: Put) -> Verdict {
    demand(found == expected, || format!("{found:?} instead of {expected:?}"))
}

/// Bytes that do not repeat at any buffer size.
pub(super) fn patterned(length: usize, seed: u8) -> Vec<u8> {
    let mut state = u64::from(seed) + 1;
    (0..length)
        .map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            state.to_be_bytes()[0]
        })
        .collect()
}

async fn creates(store: &dyn Store) -> Verdict {
    let at = key("a/b/1")?;
    is(put(store, &at, "one").await?, Put::Created)?;
    holds(store, &at, b"one").await
}

async fn creates_again(store: &dyn Store) -> Verdict {
    let at = key("a/b/1")?;
    is(put(store, &at, "one").await?, Put::Created)?;
    is(put(store, &at, "one").await?, Put::Created)?;
    holds(store, &at, b"one").await
}

async fn keeps_the_first(store: &dyn Store) -> Verdict {
    let at = key("a/b/1")?;
    is(put(store, &at, "one").await?, Put::Created)?;
    // Of another length, of the same length, and the beginning of what is there.
    for other in ["another", "two", "on", ""] {
        is(put(store, &at, other).await?, Put::AlreadyThere)?;
        holds(store, &at, b"one").await?;
    }
    Ok(())
}

async fn keeps_empty_objects(store: &dyn Store) -> Verdict {
    let at = key("a/empty")?;
    is(put(store, &at, "").await?, Put::Created)?;
    holds(store, &at, b"").await?;
    is(put(store, &at, "").await?, Put::Created)?;
    is(put(store, &at, "full").await?, Put::AlreadyThere)?;
    listed(store, "a", &["a/empty"]).await
}

fn not_found<T>(what: &str, at: &Key, outcome: Result<T, StoreError>) -> Verdict {
    match outcome {
        Err(StoreError::NotFound { key }) if key == *at => Ok(()),
        Err(other) => Err(told(&format!("{what} does not say that {at} is not there"), &other)),
        Ok(_) => Err(format!("{what} found {at}")),
    }
}

async fn finds_nothing(store: &dyn Store) -> Verdict {
    put(store, &key("a/b/1")?, "one").await?;
    // A folder is no object either.
    for absent in ["a/b/2", "a/b/1.x", "a/b/11", "a", "a/b", "c"] {
        let at = key(absent)?;
        not_found("get", &at, store.get(&at).await)?;
    }
    Ok(())
}

async fn copies_nothing(store: &dyn Store, scratch: &Path) -> Verdict {
    put(store, &key("a/b/1")?, "one").await?;
    for absent in ["a/b/2", "a/b", "c"] {
        let at = key(absent)?;
        not_found("local_copy", &at, store.local_copy(&at, scratch).await)?;
    }
    Ok(())
}

async fn listed(store: &dyn Store, prefix: &str, expected: &[&str]) -> Verdict {
    let found = store.list(&key(prefix)?).await.map_err(|error| told("list", &error))?;
    let found: Vec<&str> = found.iter().map(Key::as_str).collect();
    demand(found == expected, || format!("list of {prefix}: {found:?} instead of {expected:?}"))
}

async fn lists_in_order(store: &dyn Store) -> Verdict {
    // Bytewise over the whole key: a walk through folders has another order, because `-` and `.` come before `/`.
    let expected =
        ["p/A", "p/a-b", "p/a.b", "p/a/a", "p/a/b", "p/a0", "p/a=b", "p/a_b", "p/b/10", "p/b/2", "p/b/2.x"];
    for place in [4, 0, 7, 2, 9, 5, 1, 10, 3, 8, 6] {
        put(store, &key(expected[place])?, "x").await?;
    }
    listed(store, "p", &expected).await
}

async fn lists_to_the_boundary(store: &dyn Store) -> Verdict {
    for name in ["a/b/1", "a/b/c/d", "a/bc/1", "a/b.x", "a/b-1/y", "a/B/1", "b/a/b/1", "ab/1"] {
        put(store, &key(name)?, "x").await?;
    }
    listed(store, "a/b", &["a/b/1", "a/b/c/d"]).await?;
    listed(store, "a/b/c", &["a/b/c/d"]).await?;
    listed(store, "b", &["b/a/b/1"]).await?;
    // An object is not below itself.
    listed(store, "a/b.x", &[]).await
}

async fn lists_nothing(store: &dyn Store) -> Verdict {
    listed(store, "a", &[]).await?;
    put(store, &key("a/b/1")?, "one").await?;
    listed(store, "a/c", &[]).await
}

async fn keeps_keys(store: &dyn Store) -> Verdict {
    let names = [
        "lake/v1/src_leaddesk_contact/run_id=0190-ab/pass=full/part-00000.zstd.parquet",
        "lake/v1/.hidden/...",
        "lake/v1/=/-/_/a..b",
    ];
    for name in names {
        is(put(store, &key(name)?, name).await?, Put::Created)?;
    }
    for name in names {
        holds(store, &key(name)?, name.as_bytes()).await?;
    }
    listed(store, "lake/v1", &[names[1], names[2], names[0]]).await
}

async fn one_creator_wins(store: &dyn Store) -> Verdict {
    let at = &key("ledger/acme/000001")?;
    let race =
        (0..CREATORS).map(|creator| async move { (creator, put(store, at, vec![creator; 4_096]).await) });
    let mut winners = Vec::new();
    for (creator, outcome) in join_all(race).await {
        if outcome? == Put::Created {
            winners.push(creator);
        }
    }
    let [winner] = winners[..] else { return Err(format!("winners: {winners:?}")) };
    holds(store, at, &vec![winner; 4_096]).await
}

async fn equal_creators_all_win(store: &dyn Store) -> Verdict {
    let at = &key("lake/v1/part")?;
    for outcome in join_all((0..CREATORS).map(|_| put(store, at, "same bytes"))).await {
        is(outcome?, Put::Created)?;
    }
    holds(store, at, b"same bytes").await
}

async fn keeps_large_objects(store: &dyn Store) -> Verdict {
    let (at, body) = (key("lake/v1/large")?, patterned(LARGE_BYTES, 0));
    is(put(store, &at, body.clone()).await?, Put::Created)?;
    holds(store, &at, &body).await
}

async fn shows_no_partial_object(store: &dyn Store) -> Verdict {
    let (folder, at, body) = (key("lake/v1")?, key("lake/v1/large")?, Bytes::from(patterned(LARGE_BYTES, 1)));
    let mut writing = std::pin::pin!(store.put_new(&at, body.clone()));
    loop {
        let look = std::pin::pin!(async { (store.list(&folder).await, store.get(&at).await) });
        match select(writing.as_mut(), look).await {
            Either::Left((outcome, _)) => {
                is(outcome.map_err(|error| told("put_new", &error))?, Put::Created)?;
                return holds(store, &at, &body).await;
            }
            Either::Right(((list, found), _)) => {
                let list = list.map_err(|error| told("list while writing", &error))?;
                demand(list.is_empty() || list == [at.clone()], || {
                    format!("listed while writing: {list:?}")
                })?;
                match found {
                    Ok(found) => demand(found == body, || format!("{} bytes while writing", found.len()))?,
                    Err(StoreError::NotFound { .. }) => {
                        demand(list.is_empty(), || "listed before it can be read".to_owned())?;
                    }
                    Err(other) => return Err(told("get while writing", &other)),
                }
            }
        }
    }
}
