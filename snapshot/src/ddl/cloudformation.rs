//! The tables as resources of a CloudFormation template: what `CREATE EXTERNAL TABLE` says, and where partitions are.
//!
//! Partitions are projected, so that nobody has to register one, and both keys are injected: a query names the run and
//! the pass that it asks for. A list of values would have to be kept up to date, and a run or a delta that is missing in
//! it would be missing in every answer without a word; and rows of two passes added together mean nothing.

use std::fmt::Write as _;

use serde_json::json;

use super::{athena_type, bounded, comment};
use crate::dataset::LAKE_FOLDER;
use crate::schema::TableSchema;

/// Logical name of the database in the template.
const DATABASE: &str = "Database";
/// The bucket, in the words of the template: made by the stack, or given to it.
const BUCKET: &str = "{Bucket: !If [CreatesStore, !Ref Store, !Ref StoreBucketName]}";
/// The migration's root, for `Fn::Sub`; the names are parameters of the template.
pub const ROOT: &str = "s3://${Bucket}/${Customer}/${Migration}";

/// `AWS::Glue::Table` resources in YAML, indented to stand below `Resources:`. `root` is the URL of the migration's root
/// as `Fn::Sub` takes it, such as [`ROOT`].
#[must_use]
pub fn cloudformation(tables: &[&TableSchema], root: &str) -> String {
    let root = root.trim_end_matches('/');
    tables.iter().map(|table| resource(table, root)).collect()
}

fn resource(table: &TableSchema, root: &str) -> String {
    let columns = table.stored_columns().iter().fold(String::new(), |mut text, stored| {
        let column = &stored.column;
        // Writing to a String cannot fail. JSON's quotes are YAML's.
        let _ = writeln!(
            text,
            "            - {{Name: {}, Type: {}, Comment: {}}}",
            column.name,
            athena_type(column.kind),
            json!(comment(column))
        );
        text
    });
    let location = json!(format!("{root}/{LAKE_FOLDER}/{}/", table.name));
    format!(
        "  {logical}:
    Type: AWS::Glue::Table
    Properties:
      CatalogId: !Ref AWS::AccountId
      DatabaseName: !Ref {DATABASE}
      TableInput:
        Name: {name}
        Description: {meaning}
        TableType: EXTERNAL_TABLE
        Parameters:
          EXTERNAL: 'TRUE'
          classification: parquet
          parquet.compression: ZSTD
          deskferry.schema_version: '{version}'
          projection.enabled: 'true'
          projection.run_id.type: injected
          projection.pass.type: injected
        PartitionKeys:
          - {{Name: run_id, Type: string, Comment: Run}}
          - {{Name: pass, Type: string, Comment: Which reading of the world within the run}}
        StorageDescriptor:
          Location: !Sub [{location}, {BUCKET}]
          InputFormat: org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat
          OutputFormat: org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat
          SerdeInfo:
            SerializationLibrary: org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe
          Columns:
{columns}",
        logical = logical(table.name),
        name = table.name,
        meaning = json!(bounded(&table.meaning.replace('\n', " "))),
        version = table.version,
    )
}

/// `src_leaddesk_lead` as `TableSrcLeaddeskLead`: logical names are letters and digits.
fn logical(name: &str) -> String {
    let words = name.split('_').map(|word| {
        let (first, rest) = word.split_at(word.len().min(1));
        format!("{}{rest}", first.to_ascii_uppercase())
    });
    std::iter::once("Table".to_owned()).chain(words).collect()
}
