//! Names of snapshots at the command line: `<table>`, `<table>/<run>`, `<table>/<run>/<pass>` or a folder.

use snapshot::lake::{Lake, StoredSnapshot};
use snapshot::{Dataset, Pass, RunId, SnapshotError, tables};

/// The snapshot of this name. Without run the newest run that has the table; without pass the last of its passes.
pub(crate) fn find(lake: &Lake, name: &str) -> Result<StoredSnapshot, SnapshotError> {
    if name.contains("run_id=") {
        return lake.snapshot(&Dataset::from_folder(name)?);
    }
    let segments: Vec<&str> = name.trim_matches('/').split('/').collect();
    let none = || SnapshotError::NoSuchSnapshot { name: name.to_owned() };
    let (table, run, pass) = match segments[..] {
        [table] => (table, None, None),
        [table, run] => (table, Some(run), None),
        [table, run, pass] => (table, Some(run), Some(pass)),
        _ => return Err(none()),
    };
    let table = tables::named(table)?;
    let run: Option<RunId> = run.map(str::parse).transpose()?;
    let pass: Option<Pass> = pass.map(str::parse).transpose()?;
    if let (Some(run), Some(pass)) = (&run, pass) {
        return lake.snapshot(&Dataset { run: run.clone(), pass, table }).map_err(|error| match error {
            // The name as it was typed says more than a path.
            SnapshotError::NoSuchSnapshot { .. } => none(),
            other => other,
        });
    }
    let is_meant = |snapshot: &StoredSnapshot| {
        let dataset = &snapshot.manifest.dataset;
        dataset.table == table && run.as_ref().is_none_or(|run| dataset.run == *run)
    };
    let meant = lake.snapshots()?.into_iter().filter(is_meant);
    let newest = meant.max_by(|left, right| {
        let order = |snapshot: &StoredSnapshot| {
            (snapshot.manifest.dataset.run.clone(), snapshot.manifest.dataset.pass)
        };
        order(left).cmp(&order(right))
    });
    newest.ok_or_else(none)
}

/// The snapshot that a comparison is with: a whole name, or `<run>/<pass>` or `<pass>` of the same table.
pub(crate) fn find_beside(lake: &Lake, first: &Dataset, name: &str) -> Result<StoredSnapshot, SnapshotError> {
    let segments: Vec<&str> = name.trim_matches('/').split('/').collect();
    let full = match segments[..] {
        [pass] if pass.parse::<Pass>().is_ok() => format!("{}/{}/{pass}", first.table.name, first.run),
        [run, pass] if run.parse::<RunId>().is_ok() => format!("{}/{run}/{pass}", first.table.name),
        _ => name.to_owned(),
    };
    find(lake, &full)
}
