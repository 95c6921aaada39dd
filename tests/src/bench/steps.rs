//! Speed and memory of the steps before loading, at growing sizes, so that "linear" can be read off.

use std::path::Path;

use serde_json::{Value, json};

use crate::measured::{deskferry, round};
use crate::world::{Size, World};

/// Sizes to measure.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Contacts of the largest account; a quarter of it is measured too.
    #[arg(long, default_value_t = 200_000)]
    contacts: u64,
    /// Calls of the largest account.
    #[arg(long, default_value_t = 600_000)]
    calls: u64,
    /// Seed of the account.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Accepted for uniformity: output is JSON always.
    #[arg(long)]
    json: bool,
}

/// Steps in the order of the flow; the ones before `extract` only make the ground.
const STEPS: [&[&str]; 7] = [
    &["discover"],
    &["propose"],
    &["confirm", "--by", "bench", "--yes"],
    &["prepare"],
    &["extract"],
    &["transform"],
    &["plan"],
];

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let small = measure(arguments.seed, arguments.contacts / 4, arguments.calls / 4)?;
    let large = measure(arguments.seed, arguments.contacts, arguments.calls)?;
    let mut summary = serde_json::Map::new();
    for (step, figures) in &large {
        let quarter = small.iter().find(|(name, _)| name == step).map(|(_, figures)| figures);
        let ratio = |key: &str| {
            let part = quarter.and_then(|figures| figures[key].as_f64()).unwrap_or(f64::NAN);
            round(figures[key].as_f64().unwrap_or(f64::NAN) / part)
        };
        summary.insert(
            step.clone(),
            json!({ "cpu_ratio_at_4x": ratio("cpu_seconds"), "peak_megabytes": figures["peak_megabytes"] }),
        );
    }
    println!("{}", json!({ "type": "summary", "bench": "steps", "steps": summary }));
    Ok(())
}

fn measure(seed: u64, contacts: u64, calls: u64) -> anyhow::Result<Vec<(String, Value)>> {
    let size = Size { seed, contacts, calls, bucket: "1000000/1".to_owned(), time_scale: 1 };
    let world = World::start(&size)?;
    let config = world.config()?;
    let mut figures = Vec::new();
    for step in STEPS {
        let before = bytes_below(&world.folder().join("run"))?;
        // 4: finished, and some records were set aside, which the planted trouble makes sure of.
        let arguments = [&["--config", config, "--json", "--no-input"], step].concat();
        let (used, _) = deskferry(world.folder(), &arguments, &[0, 4])?;
        let written = bytes_below(&world.folder().join("run"))?.saturating_sub(before);
        let records = contacts + calls;
        let mut figure = used.to_json();
        figure["records_per_second"] = json!(round(records as f64 / used.wall_seconds));
        figure["bytes_written_per_record"] = json!(round(written as f64 / records as f64));
        let mut line = json!({ "type": "figure", "bench": "steps", "step": step[0], "contacts": contacts, "calls": calls });
        if let (Some(line), Some(figure)) = (line.as_object_mut(), figure.as_object()) {
            line.extend(figure.clone());
        }
        println!("{line}");
        figures.push((step[0].to_owned(), figure));
    }
    Ok(figures)
}

fn bytes_below(folder: &Path) -> std::io::Result<u64> {
    let mut bytes = 0;
    let mut open = vec![folder.to_path_buf()];
    while let Some(folder) = open.pop() {
        let entries = match std::fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        for entry in entries {
            let entry = entry?;
            let kind = entry.file_type()?;
            if kind.is_dir() {
                open.push(entry.path());
            } else {
                bytes += entry.metadata()?.len();
            }
        }
    }
    Ok(bytes)
}
