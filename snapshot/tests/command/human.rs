//! Without `--json`: tables, one line per finding, the next command last.

use std::fs;
use std::process::Stdio;

use expect_test::{Expect, expect};

use crate::fixture::World;

fn check(words: &str, code: i32, out: &Expect) {
    let said = World::new().run(words);
    out.assert_eq(&said.out);
    assert_eq!((said.code, said.err.as_str()), (Some(code), ""), "{words}");
}

#[test]
fn ls_lists_what_is_there() {
    let world = World::new();
    fs::create_dir_all(world.root().join("lake/v1/want_gorgias_tag/run_id=2026-11-22-a1/pass=full")).unwrap();
    let said = world.run("ls");
    expect![[r#"
        ──────────────────────────────────────────────────────────────────────────────────────
         table                    run             pass   rows   size     parts   digest
        ══════════════════════════════════════════════════════════════════════════════════════
         src_leaddesk_blacklist   2026-11-22-a1   full   2      1.1 kB   1       DIGEST······
        ──────────────────────────────────────────────────────────────────────────────────────
         want_gorgias_ticket      2026-11-22-a1   full   5      1.1 kB   1       DIGEST······
        ──────────────────────────────────────────────────────────────────────────────────────
         want_gorgias_ticket      2026-11-23-a1   full   5      1.1 kB   1       DIGEST······
        ──────────────────────────────────────────────────────────────────────────────────────
        unfinished, so no snapshot: LAKE/lake/v1/want_gorgias_tag/run_id=2026-11-22-a1/pass=full

        Next: snapshot verify --lake LAKE
    "#]]
    .assert_eq(&said.out);
    check(
        "ls --table blacklist",
        0,
        &expect![[r#"
        ──────────────────────────────────────────────────────────────────────────────────────
         table                    run             pass   rows   size     parts   digest
        ══════════════════════════════════════════════════════════════════════════════════════
         src_leaddesk_blacklist   2026-11-22-a1   full   2      1.1 kB   1       DIGEST······
        ──────────────────────────────────────────────────────────────────────────────────────

        Next: snapshot show src_leaddesk_blacklist/2026-11-22-a1/full --lake LAKE
    "#]],
    );
    check(
        "ls --run 2026-11-30-a1",
        0,
        &expect![[r#"
        No snapshot matches.

        Next: snapshot ls --lake LAKE
    "#]],
    );
}

#[test]
fn show_masks_what_points_at_a_person() {
    check(
        "show src_leaddesk_blacklist",
        0,
        &expect![[r#"
        src_leaddesk_blacklist/2026-11-22-a1/full
        Blacklisted numbers.
        2 rows, 1.1 kB in 1 part, schema version 1, written by 0.1.0, digest DIGEST······
        ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
         number_raw   sponsor_name   number_e164   source_row_hash                    extracted_at           source_page
        ════════════════════════════════════════════════════════════════════════════════════════════════════════════════════════════
         (masked)                    (masked)      8a582132a3e3eb18c6e6bd82331fd586   1970-01-01T00:00:00Z   blacklist.csv#rows=1-2
        ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
         (masked)                    (masked)      005b2ec93ab98517bbf8ce04920beda0   1970-01-01T00:00:00Z   blacklist.csv#rows=1-2
        ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
        2 of 2 rows, 6 of 8 columns; others with --limit, --columns.

        Next: snapshot describe src_leaddesk_blacklist
    "#]],
    );
    check(
        "show src_leaddesk_blacklist --columns number_raw --limit 1 --show-personal-data",
        0,
        &expect![[r#"
            src_leaddesk_blacklist/2026-11-22-a1/full
            Blacklisted numbers.
            2 rows, 1.1 kB in 1 part, schema version 1, written by 0.1.0, digest DIGEST······
            ───────────────
             number_raw
            ═══════════════
             +358000000001
            ───────────────
            1 of 2 rows, 1 of 8 columns; others with --limit, --columns.

            Next: snapshot describe src_leaddesk_blacklist
        "#]],
    );
}

#[test]
fn show_picks_rows_and_columns() {
    check(
        "show want_gorgias_ticket/2026-11-22-a1 --key leaddesk:lead:41:3 --columns external_id,status,created_at,row_hash",
        0,
        &expect![[r#"
            want_gorgias_ticket/2026-11-22-a1/full
            Tickets that shall exist.
            5 rows, 1.1 kB in 1 part, schema version 1, written by 0.1.0, digest DIGEST······
            ───────────────────────────────────────────────────────────────────────────────────────
             external_id          status   created_at             row_hash
            ═══════════════════════════════════════════════════════════════════════════════════════
             leaddesk:lead:41:3   closed   2025-10-09T08:53:23Z   342b4701c024563e2ec4bd8db76076a4
            ───────────────────────────────────────────────────────────────────────────────────────
            1 of 5 rows, 4 of 15 columns; others with --limit, --columns.

            Next: snapshot describe want_gorgias_ticket
        "#]],
    );
    check(
        "show want_gorgias_ticket --key none",
        0,
        &expect![[r#"
        want_gorgias_ticket/2026-11-23-a1/full
        Tickets that shall exist.
        5 rows, 1.1 kB in 1 part, schema version 1, written by 0.1.0, digest DIGEST······
        No row to show.
        0 of 5 rows, 6 of 15 columns; others with --limit, --columns.

        Next: snapshot describe want_gorgias_ticket
    "#]],
    );
}

#[test]
fn verify_says_what_is_bad_and_goes_on() {
    let world = World::new();
    let said = world.run("verify --rows");
    expect![[r#"
        ok   src_leaddesk_blacklist/2026-11-22-a1/full
        ok   want_gorgias_ticket/2026-11-22-a1/full
        ok   want_gorgias_ticket/2026-11-23-a1/full
        3 good (files and rows, 11.1 kB), 0 bad

        Next: snapshot ls --lake LAKE
    "#]]
    .assert_eq(&said.out);
    assert_eq!(said.code, Some(0));
    let path = world.part("want_gorgias_ticket");
    let mut bytes = fs::read(&path).unwrap();
    bytes[500] ^= 4;
    fs::write(&path, bytes).unwrap();
    let said = world.run("verify");
    let digest = said.out.split_once("begins ").unwrap().1[..12].to_owned();
    expect![[r#"
        ok   src_leaddesk_blacklist/2026-11-22-a1/full
        BAD  want_gorgias_ticket/2026-11-22-a1/full
             Error SNP201: LAKE/lake/v1/want_gorgias_ticket/run_id=2026-11-22-a1/pass=full/part-00000.zstd.parquet is not the file that the manifest lists: its SHA-256 begins DIGEST, listed is b7b02774b5e6
               Why: bits were flipped, the copy was cut, or another file was put in its place
               Fix: restore the file from the original store, then: snapshot verify
        ok   want_gorgias_ticket/2026-11-23-a1/full
        2 good (files, 11.1 kB), 1 bad

        Next: restore what is bad from the original store, then: snapshot verify --lake LAKE
    "#]].assert_eq(&said.out.replace(&digest, "DIGEST"));
    assert_eq!(said.code, Some(1));
    assert_eq!(world.run("verify want_gorgias_ticket/2026-11-23-a1").code, Some(0));
}

#[test]
fn an_empty_lake_is_not_a_good_one() {
    let world = World::new();
    fs::remove_dir_all(world.root().join("lake/v1")).unwrap();
    fs::create_dir_all(world.root().join("lake/v1")).unwrap();
    let said = world.run("verify");
    expect![[r#"
        Error SNP309: there is no snapshot in LAKE
          Why: a check of nothing says nothing
          Fix: name the migration's folder with --lake, the one that holds lake/v1
    "#]]
    .assert_eq(&said.err);
    assert_eq!(said.code, Some(1));
}

#[test]
fn diff_tells_added_removed_and_changed_rows() {
    let words = "diff want_gorgias_ticket/2026-11-22-a1/full 2026-11-23-a1/full";
    check(
        words,
        0,
        &expect![[r#"
        want_gorgias_ticket/2026-11-22-a1/full -> want_gorgias_ticket/2026-11-23-a1/full
        - removed  external_id=leaddesk:lead:41:0
        ~ changed  external_id=leaddesk:lead:41:3
            subject: (masked) -> (masked)
            status: closed -> open
        + added    external_id=leaddesk:lead:41:5
        1 added, 1 removed, 1 changed, 3 the same

        Next: snapshot show want_gorgias_ticket/2026-11-23-a1/full --lake LAKE
    "#]],
    );
    check(
        &format!("{words} --limit 1 --exit-code --show-personal-data"),
        3,
        &expect![[r#"
        want_gorgias_ticket/2026-11-22-a1/full -> want_gorgias_ticket/2026-11-23-a1/full
        - removed  external_id=leaddesk:lead:41:0
        … 2 more; all with --limit 3
        1 added, 1 removed, 1 changed, 3 the same

        Next: snapshot show want_gorgias_ticket/2026-11-23-a1/full --lake LAKE
    "#]],
    );
    check(
        "diff want_gorgias_ticket/2026-11-22-a1/full full --exit-code",
        0,
        &expect![[r#"
        want_gorgias_ticket/2026-11-22-a1/full -> want_gorgias_ticket/2026-11-22-a1/full
        0 added, 0 removed, 0 changed, 5 the same

        Next: snapshot show want_gorgias_ticket/2026-11-22-a1/full --lake LAKE
    "#]],
    );
}

#[test]
fn errors_say_what_why_and_how_to_fix() {
    let world = World::new();
    let said = |words: &str| {
        let said = world.run(words);
        assert_eq!(said.code, Some(1), "{words}");
        said.err
    };
    let all = [
        said("show want_gorgias_tickets"),
        said("show want_gorgias_ticket/2026-11-22"),
        said("show want_gorgias_ticket/2026-11-22-a1/final"),
        said("show want_gorgias_ticket/2026-11-22-a1/after"),
        said("show want_gorgias_ticket --columns colour"),
        said("diff want_gorgias_ticket src_leaddesk_blacklist"),
        world.run_at(&world.root().join("lake/v1/want_gorgias_ticket"), "ls").err,
    ];
    expect![[r#"
        Error SNP301: there is no table "want_gorgias_tickets"
          Why: the nearest name is want_gorgias_ticket
          Fix: snapshot describe lists all tables
        Error SNP303: "2026-11-22" is not a run id
          Why: a run id is a date and a suffix, such as 2026-11-22-a1
          Fix: snapshot ls lists what is there
        Error SNP304: "final" is not a pass
          Why: a pass is full, before, after or delta_0001 and so on
          Fix: snapshot ls lists what is there
        Error SNP307: there is no snapshot want_gorgias_ticket/2026-11-22-a1/after
          Why: a snapshot without a manifest does not exist
          Fix: snapshot ls lists what is there
        Error SNP302: want_gorgias_ticket has no column "colour"
          Why: columns are never renamed, so it never had one
          Fix: snapshot describe <table> lists its columns
        Error SNP308: want_gorgias_ticket and src_leaddesk_blacklist are two tables
          Why: only two snapshots of one table have the same keys and columns
          Fix: compare <table>/<run>/<pass> with another run or pass of the same table
        Error SNP306: there is no lake at LAKE/lake/v1/want_gorgias_ticket
          Why: a lake is a folder lake/v1 with one folder per table
          Fix: name the migration's folder with --lake, the one that holds lake/v1
    "#]]
    .assert_eq(&all.concat());
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let world = World::new();
    let mut child = world.command("describe").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), String::from_utf8(output.stderr).unwrap().as_str()), (Some(0), ""));
}

#[test]
fn colour_comes_when_forced_and_goes_when_unwanted() {
    let world = World::new();
    let escapes = |variables: &[(&str, &str)]| {
        let output =
            world.command("show want_gorgias_ticket").envs(variables.iter().copied()).output().unwrap();
        output.stdout.contains(&0x1b)
    };
    assert!(!escapes(&[]));
    assert!(escapes(&[("CLICOLOR_FORCE", "1")]));
    assert!(!escapes(&[("NO_COLOR", "1"), ("CLICOLOR", "1")]));
}

#[test]
fn wrong_usage_ends_with_two() {
    let world = World::new();
    for words in ["", "list", "diff onlyone", "ddl", "ls --colour"] {
        assert_eq!(world.run(words).code, Some(2), "{words:?}");
    }
}

#[test]
fn documents_are_alone_on_stdout() {
    let world = World::new();
    let said = world.run("describe want_gorgias_ticket_tag");
    expect![[r#"
        # Data dictionary

        ## want_gorgias_ticket_tag

        Tags of tickets.

        Schema version 1. Sorted by ticket_external_id, tag_name; one row per key.

        | column | type | meaning | empty means | unit | example | comes from | personal data | since |
        | --- | --- | --- | --- | --- | --- | --- | --- | --- |
        | ticket_external_id | text | The ticket. | never empty |  | leaddesk:lead:41:1001 | the migration | indirect | 1 |
        | tag_name | text | The tag. | never empty |  | Q4-Outbound-SMS | the migration | none | 1 |
        | row_hash | text | Hash over all mapped columns of the row, 32 hexadecimal digits. | never empty |  |  | computed when written | none | 1 |
        | deskferry_run_id | text | Run that wrote the file; the same as run_id in the path, for files that are copied out of it. | never empty |  |  | constant in each file | none | 1 |
        | deskferry_pass | text | Pass that wrote the file; the same as pass in the path, for files that are copied out of it. | never empty |  |  | constant in each file | none | 1 |
    "#]].assert_eq(&said.out);
    expect![[r#"

        Next: snapshot ddl --engine duckdb > lake.sql
    "#]]
    .assert_eq(&said.err);
}

#[test]
fn ddl_makes_a_view_for_each_table_that_has_rows() {
    let world = World::new();
    let said = world
        .run("ddl --engine duckdb want_gorgias_ticket_tag want_gorgias_team_member src_leaddesk_blacklist");
    expect![[r#"
        -- Instants are UTC; without this line DuckDB shows them in the zone of the session.
        SET TimeZone = 'UTC';

        -- Tags of tickets.
        -- want_gorgias_ticket_tag has no rows here.

        -- Members of teams, by their LeadDesk login.
        -- want_gorgias_team_member has no rows here.

        -- Blacklisted numbers.
        CREATE OR REPLACE VIEW src_leaddesk_blacklist AS SELECT * FROM read_parquet(
          'LAKE/lake/v1/src_leaddesk_blacklist/*/*/*.parquet',
          hive_partitioning = true, hive_types = {'run_id': VARCHAR, 'pass': VARCHAR}, union_by_name = true);
        COMMENT ON COLUMN src_leaddesk_blacklist.number_raw IS 'PII direct. Number as received; LeadDesk compares exactly this text.';
        COMMENT ON COLUMN src_leaddesk_blacklist.sponsor_name IS 'Sponsor that it holds for; empty text means everywhere.';
        COMMENT ON COLUMN src_leaddesk_blacklist.number_e164 IS 'PII direct. Number in E.164. Empty: not a valid number.';
        COMMENT ON COLUMN src_leaddesk_blacklist.source_row_hash IS 'Hash over all mapped columns; the writer computes it, so what is given here is replaced.';
        COMMENT ON COLUMN src_leaddesk_blacklist.extracted_at IS 'When the record was read.';
        COMMENT ON COLUMN src_leaddesk_blacklist.source_page IS 'Where the record was read: the request''s page, or the file and row.';
        COMMENT ON COLUMN src_leaddesk_blacklist.is_deleted IS 'Whether a delta found the record gone; its other columns are then those of the last sight.';
        COMMENT ON COLUMN src_leaddesk_blacklist.deskferry_run_id IS 'Run that wrote the file; the same as run_id in the path, for files that are copied out of it.';
        COMMENT ON COLUMN src_leaddesk_blacklist.deskferry_pass IS 'Pass that wrote the file; the same as pass in the path, for files that are copied out of it.';
        COMMENT ON COLUMN src_leaddesk_blacklist.raw_json IS 'PII direct. The record as received, JSON.';
    "#]].assert_eq(&said.out);
}

#[test]
fn ddl_makes_athena_tables() {
    let world = World::new();
    let said = world.run("ddl --engine athena --database acme --location s3://bucket/acme/ ctl_recon_count src_leaddesk_office");
    expect![[r#"
        CREATE EXTERNAL TABLE IF NOT EXISTS acme.ctl_recon_count (
          object string COMMENT 'Object.',
          source_count bigint COMMENT 'Records in the source.',
          excluded_count bigint COMMENT 'Left out by decision.',
          merged_count bigint COMMENT 'Merged into another.',
          loaded_count bigint COMMENT 'Written.',
          failed_count bigint COMMENT 'Not written.',
          found_count bigint COMMENT 'Read back.',
          fields_compared bigint COMMENT 'Fields that were compared.',
          fields_different bigint COMMENT 'Of these, different.',
          deskferry_run_id string COMMENT 'Run that wrote the file; the same as run_id in the path, for files that are copied out of it.',
          deskferry_pass string COMMENT 'Pass that wrote the file; the same as pass in the path, for files that are copied out of it.'
        )
        COMMENT 'The balance per object: source = excluded + merged + loaded + failed.'
        PARTITIONED BY (run_id string, pass string)
        STORED AS PARQUET
        LOCATION 's3://bucket/acme/lake/v1/ctl_recon_count/'
        TBLPROPERTIES ('parquet.compression'='ZSTD', 'classification'='parquet', 'deskferry.schema_version'='1');

        CREATE EXTERNAL TABLE IF NOT EXISTS acme.src_leaddesk_office (
          office_name string COMMENT 'Name, which is the key.',
          time_zone string COMMENT 'IANA zone. Empty: not told by the operator.',
          source_row_hash string COMMENT 'Hash over all mapped columns; the writer computes it, so what is given here is replaced.',
          extracted_at timestamp COMMENT 'When the record was read.',
          source_page string COMMENT 'Where the record was read: the request’s page, or the file and row.',
          is_deleted boolean COMMENT 'Whether a delta found the record gone; its other columns are then those of the last sight.',
          deskferry_run_id string COMMENT 'Run that wrote the file; the same as run_id in the path, for files that are copied out of it.',
          deskferry_pass string COMMENT 'Pass that wrote the file; the same as pass in the path, for files that are copied out of it.',
          raw_json string COMMENT 'PII direct. The record as received, JSON.'
        )
        COMMENT 'Offices.'
        PARTITIONED BY (run_id string, pass string)
        STORED AS PARQUET
        LOCATION 's3://bucket/acme/lake/v1/src_leaddesk_office/'
        TBLPROPERTIES ('parquet.compression'='ZSTD', 'classification'='parquet', 'deskferry.schema_version'='1');
    "#]].assert_eq(&said.out);
}

#[test]
fn ddl_makes_resources_of_a_template() {
    let world = World::new();
    let said = world.run("ddl --engine cloudformation ctl_recon_count");
    // Indented as a template has it; the expectation below is not.
    let lines = said.out.lines().map(|line| line.strip_prefix("  ").unwrap_or(line));
    let unindented = lines.map(|line| format!("{line}\n")).collect::<String>();
    expect![[r#"
          TableCtlReconCount:
            Type: AWS::Glue::Table
            Properties:
              CatalogId: !Ref AWS::AccountId
              DatabaseName: !Ref Database
              TableInput:
                Name: ctl_recon_count
                Description: "The balance per object: source = excluded + merged + loaded + failed."
                TableType: EXTERNAL_TABLE
                Parameters:
                  EXTERNAL: 'TRUE'
                  classification: parquet
                  parquet.compression: ZSTD
                  deskferry.schema_version: '1'
                  projection.enabled: 'true'
                  projection.run_id.type: injected
                  projection.pass.type: injected
                PartitionKeys:
                  - {Name: run_id, Type: string, Comment: Run}
                  - {Name: pass, Type: string, Comment: Which reading of the world within the run}
                StorageDescriptor:
                  Location: !Sub ["s3://${Bucket}/${Customer}/${Migration}/lake/v1/ctl_recon_count/", {Bucket: !If [CreatesStore, !Ref Store, !Ref StoreBucketName]}]
                  InputFormat: org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat
                  OutputFormat: org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat
                  SerdeInfo:
                    SerializationLibrary: org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe
                  Columns:
                    - {Name: object, Type: string, Comment: "Object."}
                    - {Name: source_count, Type: bigint, Comment: "Records in the source."}
                    - {Name: excluded_count, Type: bigint, Comment: "Left out by decision."}
                    - {Name: merged_count, Type: bigint, Comment: "Merged into another."}
                    - {Name: loaded_count, Type: bigint, Comment: "Written."}
                    - {Name: failed_count, Type: bigint, Comment: "Not written."}
                    - {Name: found_count, Type: bigint, Comment: "Read back."}
                    - {Name: fields_compared, Type: bigint, Comment: "Fields that were compared."}
                    - {Name: fields_different, Type: bigint, Comment: "Of these, different."}
                    - {Name: deskferry_run_id, Type: string, Comment: "Run that wrote the file; the same as run_id in the path, for files that are copied out of it."}
                    - {Name: deskferry_pass, Type: string, Comment: "Pass that wrote the file; the same as pass in the path, for files that are copied out of it."}
    "#]].assert_eq(&unindented);
}
