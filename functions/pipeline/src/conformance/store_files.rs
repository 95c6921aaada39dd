//! What every store must keep about files on this machine.

use std::path::{Path, PathBuf};

use futures::future::join_all;

use super::store::{LARGE_BYTES, holds, is, key, patterned, put};
use super::{Verdict, demand, told};
use crate::ports::store::{Key, Put, Store};

fn file(scratch: &Path, name: &str, body: &[u8]) -> Result<PathBuf, String> {
    let path = scratch.join(name);
    std::fs::write(&path, body).map_err(|error| told("cannot write a scratch file", &error))?;
    Ok(path)
}

async fn put_file(store: &dyn Store, at: &Key, path: &Path) -> Result<Put, String> {
    store.put_new_file(at, path).await.map_err(|error| told("put_new_file", &error))
}

async fn copied(store: &dyn Store, at: &Key, scratch: &Path) -> Result<Vec<u8>, String> {
    let path = store.local_copy(at, scratch).await.map_err(|error| told("local_copy", &error))?;
    std::fs::read(path).map_err(|error| told("cannot read the local copy", &error))
}

pub(super) async fn stores_a_file(store: &dyn Store, scratch: &Path) -> Verdict {
    let at = key("a/file")?;
    let path = file(scratch, "some", b"some bytes")?;
    is(put_file(store, &at, &path).await?, Put::Created)?;
    is(put_file(store, &at, &path).await?, Put::Created)?;
    holds(store, &at, b"some bytes").await?;
    // The object does not change with the file, and the file stays.
    file(scratch, "some", b"changed since")?;
    holds(store, &at, b"some bytes").await?;
    let empty = file(scratch, "empty", b"")?;
    is(put_file(store, &key("a/empty")?, &empty).await?, Put::Created)?;
    holds(store, &key("a/empty")?, b"").await
}

pub(super) async fn keeps_the_first_file(store: &dyn Store, scratch: &Path) -> Verdict {
    let at = key("a/file")?;
    is(put(store, &at, "first").await?, Put::Created)?;
    for (name, body) in [("longer", "another"), ("equally long", "other"), ("shorter", "fir"), ("empty", "")]
    {
        is(put_file(store, &at, &file(scratch, name, body.as_bytes())?).await?, Put::AlreadyThere)?;
        holds(store, &at, b"first").await?;
    }
    // However it came there: the same bytes are a success.
    is(put_file(store, &at, &file(scratch, "same", b"first")?).await?, Put::Created)
}

pub(super) async fn stores_a_large_file(store: &dyn Store, scratch: &Path) -> Verdict {
    let (at, body) = (key("lake/v1/large")?, patterned(LARGE_BYTES, 2));
    let path = file(scratch, "large", &body)?;
    is(put_file(store, &at, &path).await?, Put::Created)?;
    holds(store, &at, &body).await?;
    let found = copied(store, &at, scratch).await?;
    demand(found == body, || {
        format!("the local copy has {} bytes that are not those of {}", found.len(), body.len())
    })?;
    let mut other = body;
    other[LARGE_BYTES - 1] ^= 1;
    is(put_file(store, &at, &file(scratch, "large", &other)?).await?, Put::AlreadyThere)
}

pub(super) async fn stores_no_missing_file(store: &dyn Store, scratch: &Path) -> Verdict {
    let at = key("a/missing")?;
    let outcome = store.put_new_file(&at, &scratch.join("not there")).await;
    demand(outcome.is_err(), || format!("{outcome:?} for a file that is not there"))?;
    let list = store.list(&key("a")?).await.map_err(|error| told("list", &error))?;
    demand(list.is_empty(), || format!("stored nevertheless: {list:?}"))?;
    is(put(store, &at, "later").await?, Put::Created)
}

pub(super) async fn one_file_wins(store: &dyn Store, scratch: &Path) -> Verdict {
    let at = &key("lake/v1/part")?;
    let mut files = Vec::new();
    for creator in 0..8_u8 {
        files.push((creator, file(scratch, &format!("racer-{creator}"), &vec![creator; 100_000])?));
    }
    let race = files.iter().map(|(creator, path)| async move { (*creator, put_file(store, at, path).await) });
    let mut winners = Vec::new();
    for (creator, outcome) in join_all(race).await {
        if outcome? == Put::Created {
            winners.push(creator);
        }
    }
    let [winner] = winners[..] else { return Err(format!("winners: {winners:?}")) };
    holds(store, at, &vec![winner; 100_000]).await
}

pub(super) async fn copies(store: &dyn Store, scratch: &Path) -> Verdict {
    let at = key("a/b/1")?;
    put(store, &at, "one").await?;
    for round in ["first", "second"] {
        let found = copied(store, &at, scratch).await?;
        demand(found == b"one", || format!("the {round} copy has {} bytes", found.len()))?;
    }
    Ok(())
}

pub(super) async fn copies_apart(store: &dyn Store, scratch: &Path) -> Verdict {
    let names = ["x/y", "x__y", "x_y", "x-y", "x.y", "x/z/y", "x/z__y"];
    for name in names {
        put(store, &key(name)?, name).await?;
    }
    let mut paths = Vec::new();
    for name in names {
        let path =
            store.local_copy(&key(name)?, scratch).await.map_err(|error| told("local_copy", &error))?;
        paths.push((name, path));
    }
    for (name, path) in paths {
        let found = std::fs::read(&path).map_err(|error| told("cannot read the local copy", &error))?;
        demand(found == name.as_bytes(), || format!("the copy of {name} holds other bytes"))?;
    }
    Ok(())
}
