//! Where the snapshots are and how to ask them.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::Sheet;
use super::material::Material;
use crate::report::text::grouped;

/// The page.
pub(super) fn sheet(material: &Material) -> Sheet {
    let report = &material.report;
    let lake = format!("{}/{}", report.migration, snapshot::LAKE_FOLDER);
    let mut out = format!(
        "# Snapshots\n\nEverything that was read, wished for and found is kept as Parquet files below `{lake}` in the \
         store, one folder a table: `<table>/run_id={run}/pass=<pass>/`. `full` is the source and what Gorgias should \
         hold, `before` is Gorgias before the first write (the baseline of a rollback), `after` is Gorgias as read back. \
         Nothing in them is ever changed; `_manifest.json` lists every file with its SHA-256.\n\n\
         They hold personal data: keep them where only those can read who may.\n\n## Tables of this run\n\n",
        run = report.run
    );
    if material.shelf.is_empty() {
        out.push_str("None: no snapshot of this run is sealed yet.\n");
    } else {
        out.push_str("| table | pass | rows | what it holds |\n| --- | --- | --- | --- |\n");
    }
    for (dataset, rows) in &material.shelf {
        let meaning = dataset.table.meaning;
        // Writing to a String cannot fail.
        writeln!(out, "| {} | {} | {} | {meaning} |", dataset.table.name, dataset.pass, grouped(*rows)).ok();
    }
    out.push_str(&questions(&report.migration, &lake, &report.run));
    let mut tables: BTreeMap<&str, u64> = BTreeMap::new();
    for (dataset, rows) in &material.shelf {
        *tables.entry(dataset.table.name).or_default() += rows;
    }
    let about = format!("where the {} tables of the run lie, and how to query them", tables.len());
    Sheet::text("snapshots.md", about, out)
}

fn questions(migration: &str, lake: &str, run: &str) -> String {
    format!(
        "\n## Asking them\n\nWith the command `snapshot`, in the folder of the store:\n\n\
         ```\nsnapshot ls --lake {migration}\nsnapshot verify --rows --lake {migration}\nsnapshot describe\n```\n\n\
         With DuckDB, in the same folder:\n\n\
         ```sql\nSET TimeZone = 'UTC';\n\
         -- leads by status\n\
         SELECT lead_status, count(*) FROM read_parquet('{lake}/src_leaddesk_lead/run_id={run}/pass=full/*.parquet')\n\
         GROUP BY ALL ORDER BY ALL;\n\n\
         -- where a contact went\n\
         SELECT leaddesk_id, gorgias_id, gorgias_url FROM read_parquet('{lake}/ctl_id_map/run_id={run}/pass=full/*.parquet')\n\
         WHERE object = 'contact';\n\n\
         -- contacts without a customer: the count that nobody has to take on trust\n\
         SELECT count(*) FILTER (m.gorgias_id IS NULL) AS missing, count(*) AS contacts\n\
         FROM read_parquet('{lake}/src_leaddesk_contact/run_id={run}/pass=full/*.parquet') s\n\
         LEFT JOIN read_parquet('{lake}/ctl_id_map/run_id={run}/pass=full/*.parquet') m\n\
         ON m.object = 'contact' AND m.leaddesk_id = s.leaddesk_contact_id;\n\n\
         -- what did not arrive, and why\n\
         SELECT object, reason_code, count(*) FROM read_parquet('{lake}/ctl_failure/run_id={run}/pass=full/*.parquet')\n\
         GROUP BY ALL ORDER BY 3 DESC;\n```\n\n\
         Times are UTC; the text that LeadDesk gave stands beside them in columns that end in `_raw`. Ids are text.\n"
    )
}
