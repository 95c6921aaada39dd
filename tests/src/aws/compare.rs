//! Holds what two homes left behind against each other.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context;
use serde_json::Value;
use snapshot::tables::ControlIdMap;
use snapshot::{Manifest, TableReader};

use super::{MIGRATION, RUN};
use crate::world::World;

/// Lists of an account at Gorgias whose records are compared, and whether their times are wished and not the server's.
const LISTS: [(&str, bool); 6] = [
    ("users", false),
    ("customers", false),
    ("teams", false),
    ("tags", false),
    ("custom_fields", false),
    ("tickets", true),
];

/// Times of tickets and messages that are ours; the others say when the server did something.
const WISHED_TIMES: [&str; 3] = ["created_datetime", "closed_datetime", "sent_datetime"];

/// What was compared, and what differs.
#[derive(Debug, Default)]
pub(crate) struct Differences {
    pub(crate) tables_equal: u64,
    pub(crate) ids_equal: u64,
    pub(crate) objects_equal: u64,
    pub(crate) failures: Vec<String>,
}

/// Compares the wished tables and the id map of both lakes, and both accounts.
pub(crate) async fn homes(here: &World, there: &World, lake: &Path) -> anyhow::Result<Differences> {
    let mut found = Differences::default();
    let (ours, theirs) = (digests(&here.folder().join("run").join(MIGRATION))?, digests(lake)?);
    let wished = |name: &&String| name.starts_with("want_");
    let names: std::collections::BTreeSet<&String> =
        ours.keys().chain(theirs.keys()).filter(wished).collect();
    for name in names {
        if ours.contains_key(name) && ours.get(name) == theirs.get(name) {
            found.tables_equal += 1;
        } else {
            found.failures.push(format!("{name}: {:?} here, {:?} there", ours.get(name), theirs.get(name)));
        }
    }
    if found.tables_equal == 0 {
        found.failures.push("no table was compared".to_owned());
    }
    let (ours, theirs) = (ids(&here.folder().join("run").join(MIGRATION))?, ids(lake)?);
    found.ids_equal = ours.iter().filter(|(key, id)| theirs.get(*key) == Some(id)).count() as u64;
    if ours != theirs || ours.is_empty() {
        found.failures.push(format!(
            "id map: {} rows here, {} there, {} equal",
            ours.len(),
            theirs.len(),
            found.ids_equal
        ));
    }
    let (ours, theirs) = (here.gorgias_state().await?, there.gorgias_state().await?);
    for (list, times_are_wished) in LISTS {
        accounts(list, times_are_wished, &ours[list], &theirs[list], &mut found)?;
    }
    Ok(found)
}

/// Ids at Gorgias by object and id at LeadDesk. Addresses for people hold the stand-in's port and are left out.
fn ids(migration: &Path) -> anyhow::Result<BTreeMap<(String, String), Option<String>>> {
    let folder = migration.join(format!("lake/v1/ctl_id_map/run_id={RUN}/pass=full"));
    let manifest = Manifest::decode(&std::fs::read(folder.join("_manifest.json"))?)?;
    let parts: Vec<_> = manifest.parts.iter().map(|part| folder.join(&part.file_name)).collect();
    let mut ids = BTreeMap::new();
    for row in TableReader::<ControlIdMap>::open(&manifest, parts)? {
        let row = row?;
        ids.insert((row.object, row.leaddesk_id), row.gorgias_id);
    }
    Ok(ids)
}

/// Digest over the rows of every table, by name and pass.
fn digests(migration: &Path) -> anyhow::Result<BTreeMap<String, String>> {
    let mut digests = BTreeMap::new();
    for table in std::fs::read_dir(migration.join("lake/v1"))? {
        let table = table?;
        let Ok(passes) = std::fs::read_dir(table.path().join(format!("run_id={RUN}"))) else { continue };
        for pass in passes {
            let pass = pass?;
            let text = std::fs::read_to_string(pass.path().join("_manifest.json"))?;
            let manifest: Value = serde_json::from_str(&text)?;
            let digest = manifest["content_digest"].as_str().context("a manifest without digest")?;
            let name = format!("{}/{}", table.file_name().display(), pass.file_name().display());
            digests.insert(name, digest.to_owned());
        }
    }
    Ok(digests)
}

fn accounts(
    list: &str,
    times_are_wished: bool,
    ours: &Value,
    theirs: &Value,
    found: &mut Differences,
) -> anyhow::Result<()> {
    let (ours, theirs) = (ours.as_array().context("no list")?, theirs.as_array().context("no list")?);
    if ours.len() != theirs.len() {
        found.failures.push(format!("{list}: {} here, {} there", ours.len(), theirs.len()));
    }
    let mut told = false;
    for (ours, theirs) in ours.iter().zip(theirs) {
        // What was there before has times relative to the stand-in's start.
        let is_ours = ours["external_id"].as_str().is_some_and(|key| key.starts_with("leaddesk:"));
        let times_are_wished = times_are_wished && is_ours;
        let (ours, theirs) = (timeless(ours, times_are_wished), timeless(theirs, times_are_wished));
        if ours == theirs {
            found.objects_equal += 1;
        } else if !told {
            told = true;
            found.failures.push(format!("{list}: {}", first_difference(&ours, &theirs, "")));
        }
    }
    Ok(())
}

/// The record without the moments at which the server did something, and without the server's address.
fn timeless(record: &Value, times_are_wished: bool) -> Value {
    match record {
        Value::Object(members) => Value::Object(
            members
                .iter()
                .filter(|(name, _)| {
                    let is_wished = times_are_wished && WISHED_TIMES.contains(&name.as_str());
                    (!name.ends_with("_datetime") || is_wished) && *name != "uri"
                })
                .map(|(name, value)| {
                    // Everything else within a ticket is a record of the server's.
                    let is_ours = name == "messages";
                    (name.clone(), timeless(value, times_are_wished && is_ours))
                })
                .collect(),
        ),
        Value::Array(items) => items.iter().map(|item| timeless(item, times_are_wished)).collect(),
        other => other.clone(),
    }
}

/// Where two records differ first; no value of a person stands in it, only its kind.
fn first_difference(ours: &Value, theirs: &Value, place: &str) -> String {
    match (ours, theirs) {
        (Value::Object(ours), Value::Object(theirs)) => {
            let names: std::collections::BTreeSet<&String> = ours.keys().chain(theirs.keys()).collect();
            let differs = names.into_iter().find(|name| ours.get(*name) != theirs.get(*name));
            let Some(name) = differs else { return format!("{place}: nothing") };
            let (one, other) =
                (ours.get(name).unwrap_or(&Value::Null), theirs.get(name).unwrap_or(&Value::Null));
            first_difference(one, other, &format!("{place}.{name}"))
        }
        (Value::Array(ours), Value::Array(theirs)) if ours.len() == theirs.len() => {
            let differs = ours.iter().zip(theirs).position(|(one, other)| one != other);
            let Some(position) = differs else { return format!("{place}: nothing") };
            first_difference(&ours[position], &theirs[position], &format!("{place}[{position}]"))
        }
        (Value::Number(ours), Value::Number(theirs)) => format!("{place}: {ours} here, {theirs} there"),
        _ => format!("{place} differs"),
    }
}
