//! Reading the ledger of a large account, as every start does before it may send anything.
//!
//! The ledger is that of a real load. It is read with its checkpoints, and once more from its segments alone, as after a
//! checkpoint that does not fit; beside it every byte of it is read and hashed once, which no reading can do without.

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context as _, bail, ensure};
use migration::canonical::Digest;
use pipeline::context::Context;
use pipeline::ledger::Ledger;
use serde_json::{Value, json};

use crate::measured::{deskferry, round};
use crate::world::{Size, World};

/// A start may read so long.
const READ_SECONDS_MAX: f64 = 2.0;
/// Every figure is the median of so many.
const TIMES: usize = 5;

/// How large the account is.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Contacts; with their leads and calls about four times as many receipts.
    #[arg(long, default_value_t = 25_000)]
    contacts: u64,
    /// Calls.
    #[arg(long, default_value_t = 50_000)]
    calls: u64,
    /// Seed of the account.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Accepted for uniformity: output is JSON always.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let world = World::start(&Size {
        seed: arguments.seed,
        contacts: arguments.contacts,
        calls: arguments.calls,
        bucket: "1000000/1".to_owned(),
        time_scale: 1,
    })?;
    let command = ["--config", world.config()?, "--json", "--no-input", "run", "--yes"];
    deskferry(world.folder(), &command, &[0, 4])?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let figures = runtime.block_on(measure(&world))?;
    println!("{figures}");
    let seconds = figures["read_seconds"].as_f64().context("a figure")?;
    if seconds > READ_SECONDS_MAX {
        bail!("a start reads the ledger for {seconds} s, more than {READ_SECONDS_MAX} s");
    }
    Ok(())
}

async fn measure(world: &World) -> anyhow::Result<Value> {
    let ctx = world.context().await?;
    let account = ctx.destination.account().await?.domain;
    let folder = world.folder().join("run/bench/ledger").join(&account);
    let receipts = Ledger::read_of(&ctx, &account).await?.0.iter().count();
    ensure!(receipts > 0, "nothing was written");
    let read = read_seconds(&ctx, &account, receipts).await?;
    let files = files_below(&folder)?;
    let bytes_seconds = median((0..TIMES).map(|_| hash(&files)).collect::<anyhow::Result<_>>()?);
    let checkpoints = folder.join("ckpt");
    let aside = world.folder().join("checkpoints");
    std::fs::rename(&checkpoints, &aside).context("the ledger has checkpoints")?;
    let segments_only = read_seconds(&ctx, &account, receipts).await?;
    Ok(json!({
        "type": "summary",
        "bench": "ledger",
        "receipts": receipts,
        "files": files.len(),
        "bytes": files.iter().map(|file| Ok(file.metadata()?.len())).sum::<anyhow::Result<u64>>()?,
        "read_seconds": round(read),
        "read_without_checkpoints_seconds": round(segments_only),
        "read_and_hash_bytes_seconds": round(bytes_seconds),
        "read_to_bytes_ratio": round(read / bytes_seconds),
        "without_checkpoints_to_bytes_ratio": round(segments_only / bytes_seconds),
    }))
}

async fn read_seconds(ctx: &Context, account: &str, receipts: usize) -> anyhow::Result<f64> {
    let mut seconds = Vec::new();
    for _ in 0..TIMES {
        let began = Instant::now();
        let (book, _) = Ledger::read_of(ctx, account).await?;
        seconds.push(began.elapsed().as_secs_f64());
        ensure!(book.iter().count() == receipts, "another reading of the same ledger differs");
    }
    Ok(median(seconds))
}

fn hash(files: &[PathBuf]) -> anyhow::Result<f64> {
    let began = Instant::now();
    for file in files {
        std::hint::black_box(Digest::of(&std::fs::read(file)?));
    }
    Ok(began.elapsed().as_secs_f64())
}

fn files_below(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            files.extend(files_below(&path)?);
        } else {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn median(mut seconds: Vec<f64>) -> f64 {
    seconds.sort_by(f64::total_cmp);
    seconds[seconds.len() / 2]
}
