//! What an SQL engine needs to know to read the lake: Athena tables, as statements and as a template, and DuckDB views.

use std::fmt::Write as _;

use crate::column::{Column, ColumnType, PersonalData};
use crate::dataset::LAKE_FOLDER;
use crate::schema::TableSchema;

mod cloudformation;

pub use cloudformation::{ROOT as CLOUDFORMATION_ROOT, cloudformation};

/// Longest comment that the Glue catalogue keeps, in bytes.
const GLUE_COMMENT_BYTES_MAX: usize = 255;

/// `CREATE EXTERNAL TABLE` statements for Athena. `location` is the URL of the migration's root, such as
/// `s3://bucket/acme`; partitions are added by whoever seals a snapshot.
#[must_use]
pub fn athena(tables: &[&TableSchema], database: &str, location: &str) -> String {
    let mut text = String::new();
    let location = location.trim_end_matches('/');
    for table in tables {
        // Writing to a String cannot fail, here and below.
        let _ = writeln!(text, "CREATE EXTERNAL TABLE IF NOT EXISTS {database}.{} (", table.name);
        let columns = table.stored_columns();
        for (position, stored) in columns.iter().enumerate() {
            let column = &stored.column;
            let comma = if position + 1 < columns.len() { "," } else { "" };
            let comment = quoted(&comment(column));
            let _ = writeln!(text, "  {} {} COMMENT {comment}{comma}", column.name, athena_type(column.kind));
        }
        let _ = writeln!(text, ")\nCOMMENT {}", quoted(bounded(table.meaning)));
        text.push_str("PARTITIONED BY (run_id string, pass string)\nSTORED AS PARQUET\n");
        let _ = writeln!(text, "LOCATION {}", quoted(&format!("{location}/{LAKE_FOLDER}/{}/", table.name)));
        let _ = writeln!(
            text,
            "TBLPROPERTIES ('parquet.compression'='ZSTD', 'classification'='parquet', \
             'deskferry.schema_version'='{}');\n",
            table.version
        );
    }
    text
}

fn comment(column: &Column) -> String {
    let personal = match column.personal {
        PersonalData::Direct => "PII direct. ",
        PersonalData::Indirect => "PII indirect. ",
        PersonalData::None => "",
    };
    let empty = column.null_meaning.map(|meaning| format!(" Empty: {meaning}.")).unwrap_or_default();
    bounded(&format!("{personal}{}{empty}", column.meaning.replace('\n', " "))).to_owned()
}

/// The beginning of a comment that Glue takes.
fn bounded(comment: &str) -> &str {
    &comment[..comment.floor_char_boundary(GLUE_COMMENT_BYTES_MAX)]
}

/// A Hive literal. Engines disagree on how to write a quote inside quotes, so it becomes another character.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', "/").replace('\'', "\u{2019}"))
}

fn athena_type(kind: ColumnType) -> &'static str {
    match kind {
        ColumnType::Text => "string",
        ColumnType::Instant => "timestamp",
        ColumnType::Int32 => "int",
        ColumnType::Int64 => "bigint",
        ColumnType::Flag => "boolean",
        ColumnType::Number => "double",
    }
}

/// A script for `duckdb -init`: one view per table. `root` is the migration's root, a folder or an `s3://` URL; `present`
/// says which tables have files, since a view over no file is an error in DuckDB.
#[must_use]
pub fn duckdb(tables: &[&TableSchema], root: &str, present: impl Fn(&TableSchema) -> bool) -> String {
    let root = root.trim_end_matches('/');
    let mut text = String::from(
        "-- Instants are UTC; without this line DuckDB shows them in the zone of the session.\n",
    );
    text.push_str("SET TimeZone = 'UTC';\n");
    if root.starts_with("s3://") {
        text.push_str("INSTALL httpfs;\nLOAD httpfs;\nCREATE SECRET (TYPE s3, PROVIDER credential_chain);\n");
    }
    for table in tables {
        let meaning = table.meaning.replace('\n', " ");
        let _ = write!(text, "\n-- {meaning}\n");
        if !present(table) {
            let _ = writeln!(text, "-- {} has no rows here.", table.name);
            continue;
        }
        let files = format!("{root}/{LAKE_FOLDER}/{}/*/*/*.parquet", table.name).replace('\'', "''");
        let _ = writeln!(
            text,
            "CREATE OR REPLACE VIEW {} AS SELECT * FROM read_parquet(\n  '{files}',\n  hive_partitioning = true, \
             hive_types = {{'run_id': VARCHAR, 'pass': VARCHAR}}, union_by_name = true);",
            table.name
        );
        for column in table.stored_columns().iter().map(|stored| stored.column) {
            let comment = comment(&column).replace('\'', "''");
            let _ = writeln!(text, "COMMENT ON COLUMN {}.{} IS '{comment}';", table.name, column.name);
        }
    }
    text
}
