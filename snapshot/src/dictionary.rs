//! The data dictionary: what every column means, for people and for tools.

use std::fmt::Write as _;

use serde_json::{Value as Json, json};

use crate::column::Column;
use crate::schema::{Origin, TableSchema};

/// The dictionary of these tables in Markdown.
#[must_use]
pub fn markdown(tables: &[&TableSchema]) -> String {
    let mut text = String::from("# Data dictionary\n");
    for table in tables {
        let key: Vec<&str> = table.key_columns().map(|column| column.name).collect();
        // Writing to a String cannot fail, here and below.
        let _ = write!(text, "\n## {}\n\n{}\n\n", table.name, table.meaning);
        let _ = write!(text, "Schema version {}. Sorted by {}", table.version, key.join(", "));
        text.push_str(if table.is_multi {
            "; several rows may share a key.\n\n"
        } else {
            "; one row per key.\n\n"
        });
        text.push_str("| column | type | meaning | empty means | unit | example | comes from | personal data | since |\n");
        text.push_str("| --- | --- | --- | --- | --- | --- | --- | --- | --- |\n");
        for stored in table.stored_columns() {
            let column = stored.column;
            let cells = [
                column.name,
                column.kind.as_str(),
                column.meaning,
                empty_means(&column),
                column.unit.unwrap_or(""),
                column.example.unwrap_or(""),
                origin(&column, stored.origin),
                column.personal.as_str(),
            ];
            for cell in cells {
                let _ = write!(text, "| {} ", cell.replace('|', "\\|").replace('\n', " "));
            }
            let _ = writeln!(text, "| {} |", column.since);
        }
    }
    text
}

fn empty_means(column: &Column) -> &'static str {
    if column.is_nullable { column.null_meaning.unwrap_or("not known") } else { "never empty" }
}

fn origin(column: &Column, origin: Origin) -> &'static str {
    match origin {
        Origin::Field(_) => column.source_field.unwrap_or("the migration"),
        Origin::RowHash => "computed when written",
        Origin::RunId | Origin::Pass => "constant in each file",
    }
}

/// One table of the dictionary as JSON.
#[must_use]
pub fn json(table: &TableSchema) -> Json {
    let columns: Vec<Json> =
        table.stored_columns().iter().map(|stored| column_json(&stored.column)).collect();
    json!({
        "table": table.name,
        "layer": table.layer.as_str(),
        "meaning": table.meaning,
        "schema_version": table.version,
        "schema_fingerprint": table.fingerprint().as_str(),
        "sorted_by": table.key_columns().map(|column| column.name).collect::<Vec<_>>(),
        "allows_several_rows_per_key": table.is_multi,
        "columns": columns,
    })
}

fn column_json(column: &Column) -> Json {
    json!({
        "name": column.name,
        "type": column.kind.as_str(),
        "is_nullable": column.is_nullable,
        "meaning": column.meaning,
        "null_meaning": column.null_meaning,
        "unit": column.unit,
        "example": column.example,
        "source_field": column.source_field,
        "personal_data": column.personal.as_str(),
        "encoding": column.encoding.as_str(),
        "is_in_row_hash": column.is_hashed,
        "since": column.since,
    })
}
