//! What a run carries to the functions, which see the store alone: `migration.toml` as it is now, and the operator's files.
//!
//! Settings stand under `<migration>/settings/<run>/`, a new object each time that they change; the newest counts. Files stand
//! under `<migration>/files/` by their digest, and a document of the run names them. Secrets are references in the
//! settings, never values. Deliberately absent: reading the settings (the crate `connectors` does).

use std::collections::BTreeMap;
use std::path::Path;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use snapshot::RunId;

use crate::boxed::boxed;
use crate::context::Context;
use crate::extract::{self, ExtractError};
use crate::operator::folder::{self, Folder, OperatorFault};
use crate::ports::store::{InvalidKey, Key, Put, Store, StoreError};
use crate::run_folder::{self, DocumentError};
use crate::sample;

/// Why something could not be carried.
#[derive(Debug, thiserror::Error)]
pub enum CarryError {
    /// The store.
    #[error("cannot reach what the run carries")]
    Store(#[from] StoreError),
    /// A name that is no key.
    #[error("cannot name what the run carries")]
    Key(#[from] InvalidKey),
    /// A document.
    #[error("cannot read or keep the list of the operator's files")]
    Document(#[from] DocumentError),
    /// The operator's folder.
    #[error(transparent)]
    Folder(#[from] OperatorFault),
    /// What a reading began with.
    #[error("cannot tell which files the reading began with")]
    Begun(#[source] Box<ExtractError>),
    /// Another list is stored: the files have changed since the run began.
    #[error("the operator's files have changed since the run took them along; begin another run")]
    Changed,
    /// A name in the list that leads out of its folder.
    #[error("the list of the operator's files holds a name that is none")]
    Name,
    /// The folder for the files on this machine.
    #[error("cannot write the operator's files to this machine")]
    Local(#[from] std::io::Error),
    /// A thread ended unexpectedly.
    #[error("a worker that reads files failed")]
    Worker(#[from] tokio::task::JoinError),
}

/// Digests of the files by name.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "version")]
enum StoredFiles {
    #[serde(rename = "1")]
    V1 { files: BTreeMap<String, String> },
}

/// The files that the run was begun with.
const FIRST_LIST: &str = "operator-files.json";
/// Files of later days, by number; deltas go by the newest ones.
const LATER_LISTS: &str = "operator-files";

boxed!(CarryError { Begun(ExtractError) });

fn settings_folder(migration: &str, run: &RunId) -> Result<Key, InvalidKey> {
    Key::new(format!("{migration}/settings/{run}"))
}

/// Stores the settings of a run unless the newest ones are the same.
///
/// # Errors
/// [`CarryError`].
pub async fn keep_settings(ctx: &Context, text: &str) -> Result<(), CarryError> {
    if settings(&*ctx.store, &ctx.migration, &ctx.run).await?.as_deref() == Some(text) {
        return Ok(());
    }
    let folder = settings_folder(&ctx.migration, &ctx.run)?;
    let mut number = ctx.store.list(&folder).await?.len() + 1;
    loop {
        let key = Key::new(format!("{folder}/{number:04}.toml"))?;
        match ctx.store.put_new(&key, Bytes::from(text.to_owned())).await? {
            Put::Created => return Ok(()),
            Put::AlreadyThere => number += 1,
        }
    }
}

/// The newest settings of a run.
///
/// # Errors
/// [`CarryError`].
pub async fn settings(store: &dyn Store, migration: &str, run: &RunId) -> Result<Option<String>, CarryError> {
    let keys = store.list(&settings_folder(migration, run)?).await?;
    let Some(newest) = keys.last() else { return Ok(None) };
    let bytes = store.get(newest).await?;
    Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
}

/// The newest run of a migration that has settings and is no sample.
///
/// # Errors
/// [`CarryError`].
pub async fn newest_run(store: &dyn Store, migration: &str) -> Result<Option<RunId>, CarryError> {
    let folder = Key::new(format!("{migration}/settings"))?;
    let keys = store.list(&folder).await?;
    let below = format!("{folder}/");
    let runs = keys.iter().filter_map(|key| {
        let (run, _) = key.as_str().strip_prefix(&below)?.split_once('/')?;
        run.parse::<RunId>().ok()
    });
    let mut runs: Vec<RunId> = runs.collect();
    runs.sort_unstable();
    runs.dedup();
    while let Some(run) = runs.pop() {
        let mark = Key::new(format!("{migration}/runs/{run}/{}", sample::MARK))?;
        match store.get(&mark).await {
            Ok(_) => {}
            Err(StoreError::NotFound { .. }) => return Ok(Some(run)),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(None)
}

/// Stores the operator's files and the list of those that the run was begun with. The same files again are success.
///
/// # Errors
/// [`CarryError::Changed`] when the run took others along.
pub async fn keep_files(ctx: &Context) -> Result<(), CarryError> {
    let stored = StoredFiles::V1 { files: kept(ctx).await? };
    match run_folder::put(ctx, &ctx.run_key(FIRST_LIST)?, &stored).await? {
        Put::Created => Ok(()),
        Put::AlreadyThere => Err(CarryError::Changed),
    }
}

/// Stores the operator's files as they are now for the next delta, and says whether they differ from those before.
///
/// # Errors
/// [`CarryError`].
pub async fn keep_newer_files(ctx: &Context) -> Result<bool, CarryError> {
    let files = kept(ctx).await?;
    if files == newest_list(ctx).await? {
        return Ok(false);
    }
    run_folder::append(ctx, LATER_LISTS, 4, &StoredFiles::V1 { files }).await?;
    Ok(true)
}

/// The operator's files of this machine, put into the store: names with their digests.
async fn kept(ctx: &Context) -> Result<BTreeMap<String, String>, CarryError> {
    let root = ctx.files.clone();
    let (paths, files) = tokio::task::spawn_blocking(move || {
        let folder = Folder::scan(&root)?;
        Ok::<_, OperatorFault>((folder.paths(), folder.digests()?))
    })
    .await??;
    for (name, digest) in &files {
        if let Some(path) = paths.get(name) {
            ctx.store.put_new_file(&file_key(ctx, digest)?, path).await?;
        }
    }
    Ok(files)
}

async fn newest_list(ctx: &Context) -> Result<BTreeMap<String, String>, CarryError> {
    let later = ctx.store.list(&ctx.run_key(LATER_LISTS)?).await?.pop();
    let key = later.map_or_else(|| ctx.run_key(FIRST_LIST), Ok)?;
    let StoredFiles::V1 { files } = run_folder::need(ctx, &key).await?;
    Ok(files)
}

/// Puts the files that a reading goes by into the folder where it looks for them, and takes others away: those that it
/// began with, or the newest ones when it has not begun.
///
/// # Errors
/// [`CarryError`].
pub async fn fetch_files(reading: &Context) -> Result<(), CarryError> {
    let files = match extract::begun_with(reading).await? {
        Some(files) => files,
        None => newest_list(reading).await?,
    };
    tokio::fs::create_dir_all(&reading.files).await?;
    let mut there = tokio::fs::read_dir(&reading.files).await?;
    while let Some(entry) = there.next_entry().await? {
        if !entry.file_name().to_str().is_some_and(|name| files.contains_key(name)) {
            tokio::fs::remove_file(entry.path()).await?;
        }
    }
    for (name, digest) in files {
        if Path::new(&name).file_name().and_then(|last| last.to_str()) != Some(&name) {
            return Err(CarryError::Name);
        }
        let target = reading.files.join(&name);
        let held = target.clone();
        let held = tokio::task::spawn_blocking(move || folder::digest(&held)).await?;
        if held.ok().as_ref() != Some(&digest) {
            let copy = reading.store.local_copy(&file_key(reading, &digest)?, &reading.scratch).await?;
            // Copied beside its place first: a function that is killed must not leave half a file behind.
            let staged = reading.files.join(format!(".{digest}"));
            tokio::fs::copy(&copy, &staged).await?;
            tokio::fs::rename(&staged, &target).await?;
        }
    }
    Ok(())
}

fn file_key(ctx: &Context, digest: &str) -> Result<Key, InvalidKey> {
    ctx.key(&format!("files/{digest}"))
}
