//! Deltas of the cloud home: one that the schedule begins, one that a person asks for; and the same on one machine.

use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use serde_json::Value;

use super::{Cloud, MIGRATION, RUN};
use crate::measured::deskferry_with;
use crate::world::World;

/// What people do in LeadDesk between load and delta is drawn from this seed.
const SEED: u64 = 7;
/// The schedule ticks so long after it is set.
const TICK_AFTER: i64 = 3;
/// How long a tick may take to arrive, schedules being kept to the minute, and the delta behind it.
const DELTA_MAX: Duration = Duration::from_secs(150);

/// What both homes told of their deltas.
#[derive(Debug)]
pub(super) struct Deltas {
    /// Changes at LeadDesk.
    pub(super) changes: u64,
    /// Watermark of the delta that the schedule began.
    pub(super) scheduled: Value,
    /// Differences between the homes.
    pub(super) failures: Vec<String>,
}

/// Changes both sources alike, and brings over what changed: here by commands, there by the schedule and a command.
pub(super) async fn run(here: &World, cloud: &Cloud) -> anyhow::Result<Deltas> {
    let changes = here.advance(SEED).await?;
    let there = cloud.world.advance(SEED).await?;
    let mut failures = Vec::new();
    if changes == 0 || changes != there {
        failures.push(format!("{changes} changes here, {there} there"));
    }
    let arguments = ["--config", here.config()?, "--json", "--no-input", "--run", RUN, "delta"];
    for _ in 0..2 {
        deskferry_with(here.folder(), &arguments, &[0], &[])?;
    }
    cloud.command(&["delta", "--files-only"], &[0])?;
    cloud.tick_in(TICK_AFTER)?;
    let scheduled = cloud.watermark(1).await?;
    let told = cloud.command(&["delta"], &[0])?;
    let asked = told.iter().rfind(|event| event["type"] == "delta").context("no delta was told")?;
    if asked["number"] != 2 || asked["is_unchanged"] != true {
        failures.push(format!("the second delta is {asked}"));
    }
    for number in 1..=2 {
        let folder = here.folder().join("run").join(MIGRATION).join("runs").join(RUN);
        let text = std::fs::read(folder.join(format!("delta/{number:04}/watermark.json")))?;
        let (ours, theirs) =
            (timeless(serde_json::from_slice(&text)?), timeless(cloud.watermark(number).await?));
        for (name, ours) in ours.as_object().context("a watermark is an object")? {
            if theirs[name] != *ours {
                failures.push(format!("delta {number}: {name} is {ours} here, {} there", theirs[name]));
            }
        }
    }
    Ok(Deltas { changes, scheduled, failures })
}

/// Without the moments at which a home did something. A function that is warm is still signed in.
fn timeless(mut watermark: Value) -> Value {
    if let Some(members) = watermark.as_object_mut() {
        members.retain(|name, _| name != "at" && name != "read_from");
        if let Some(requests) = members.get_mut("requests").and_then(Value::as_object_mut) {
            requests.retain(|kind, _| kind != "POST /oauth/access-token");
        }
    }
    watermark
}

impl Cloud {
    /// Waits for the end of a delta.
    async fn watermark(&self, number: u32) -> anyhow::Result<Value> {
        let until = Instant::now() + DELTA_MAX;
        let key = format!("{MIGRATION}/runs/{RUN}/delta/{number:04}/watermark.json");
        while Instant::now() < until {
            if self.keys(&key).await?.len() == 1 {
                return Ok(serde_json::from_slice(&self.object(&key).await?)?);
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
        bail!("delta {number} did not come to its end within {DELTA_MAX:?}")
    }
}
