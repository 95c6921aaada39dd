//! One wrong byte at Gorgias among a hundred thousand records: found, and nothing else is.
//!
//! The account is migrated and proven first; then one character of one field of one message is changed behind everybody's
//! back, and everything is read back and compared once more.

use anyhow::{Context, ensure};
use serde_json::{Value, json};

use crate::measured::{deskferry, round};
use crate::world::{Size, World};

/// How much, and which record.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Contacts; with their leads and calls they are at least five times as many records.
    #[arg(long, default_value_t = 20_200)]
    contacts: u64,
    /// Calls.
    #[arg(long, default_value_t = 60_000)]
    calls: u64,
    /// Seed of the account, and of the record that is changed.
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
    let config = ["--config", world.config()?, "--json", "--no-input"];
    let (used, lines) = deskferry(world.folder(), &[&config[..], &["run", "--yes"]].concat(), &[0, 4])?;
    let summary: Value = serde_json::from_str(lines.last().context("the run printed nothing")?)?;
    ensure!(summary["verdict"] == "pass", "the run was not proven before anything was changed: {summary}");
    let objects = summary["objects"].as_object().context("no objects in the summary")?;
    let records: u64 = objects.values().filter_map(|counts| counts["loaded"].as_u64()).sum();

    let planted = plant(&world, arguments.seed)?;
    let (_, lines) =
        deskferry(world.folder(), &[&config[..], &["reconcile", "--again", "--strict"]].concat(), &[3])?;
    let events =
        lines.iter().map(|line| serde_json::from_str::<Value>(line)).collect::<Result<Vec<_>, _>>()?;
    let steps = || events.iter().filter(|event| event["type"] == "step_done");
    let sum = |name: &str| -> u64 { steps().filter_map(|event| event["records"][name].as_u64()).sum() };
    let different = sum("fields_different");
    let waves: Vec<&Value> = steps()
        .filter(|event| event["records"]["fields_different"] != 0)
        .map(|event| &event["wave"])
        .collect();
    println!(
        "{}",
        json!({
            "type": "summary", "bench": "wrong-byte", "records": records,
            "fields_compared": summary["fields_compared"], "planted": planted["id"], "field": planted["field"],
            "fields_different": different, "waves": waves, "run_seconds": round(used.wall_seconds),
        })
    );
    ensure!(different == 1, "{different} fields differ where one was changed");
    Ok(())
}

/// Changes one character in the text of one message, drawn by the seed.
fn plant(world: &World, seed: u64) -> anyhow::Result<Value> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let client = reqwest::Client::new();
        let url = format!("{}/__twin/edit", world.gorgias.url);
        // A stride through the messages that the account certainly has; the multiplier is that of a linear generator.
        let nth = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1) >> 33;
        let nth = nth % 50_000;
        let edit = json!({ "plant_wrong_byte": {
            "kind": "message", "which": { "nth": nth }, "field": "body_text"
        }});
        let answer = client.post(url).json(&edit).send().await?;
        ensure!(answer.status().is_success(), "nothing was changed: {}", answer.text().await?);
        Ok(answer.json().await?)
    })
}
