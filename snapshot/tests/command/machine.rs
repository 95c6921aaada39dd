//! With `--json`: NDJSON events, the version first, nothing for people in between.

use expect_test::{Expect, expect};

use crate::fixture::World;

fn check(words: &str, out: &Expect) {
    let said = World::new().run(&format!("{words} --json"));
    for line in said.out.lines() {
        let event: serde_json::Value = serde_json::from_str(line).unwrap();
        assert!(event["type"].is_string(), "{line}");
    }
    assert!(said.out.starts_with(r#"{"tool":"snapshot","tool_version":"#), "{}", said.out);
    out.assert_eq(said.out.split_once('\n').unwrap().1);
}

#[test]
fn ls_and_verify() {
    check(
        "ls --table blacklist",
        &expect![[r#"
        {"bytes":1,"content_digest":"28bad3145ec1bfca147036266c0b69cb8d3a1e4506a66e6b6abf80fe884e2aae","digest":"DIGEST","folder":"LAKE/lake/v1/src_leaddesk_blacklist/run_id=2026-11-22-a1/pass=full","name":"src_leaddesk_blacklist/2026-11-22-a1/full","parts":1,"pass":"full","rows":2,"run":"2026-11-22-a1","schema_version":1,"table":"src_leaddesk_blacklist","taken_at":null,"tool_version":"0.1.0","type":"snapshot"}
        {"remarks":0,"snapshots":1,"type":"summary"}
        {"command":"snapshot show src_leaddesk_blacklist/2026-11-22-a1/full --lake LAKE","type":"next"}
    "#]],
    );
    check(
        "verify src_leaddesk_blacklist",
        &expect![[r#"
        {"is_good":true,"name":"src_leaddesk_blacklist/2026-11-22-a1/full","rows":2,"type":"verified"}
        {"bad":0,"bytes":1,"good":1,"rows_checked":false,"type":"summary"}
        {"command":"snapshot verify --rows --lake LAKE","type":"next"}
    "#]],
    );
}

#[test]
fn show_gives_all_columns_and_masks_persons() {
    check(
        "show src_leaddesk_blacklist --limit 1",
        &expect![[r#"
        {"bytes":1,"content_digest":"28bad3145ec1bfca147036266c0b69cb8d3a1e4506a66e6b6abf80fe884e2aae","digest":"DIGEST","made_from":[],"mapping_hash":null,"name":"src_leaddesk_blacklist/2026-11-22-a1/full","parts":1,"rows":2,"schema_version":1,"taken_at":null,"tool_version":"0.1.0","type":"snapshot"}
        {"row":{"extracted_at":"1970-01-01T00:00:00Z","is_deleted":false,"number_e164":"(masked)","number_raw":"(masked)","raw_json":"(masked)","source_page":"blacklist.csv#rows=1-2","source_row_hash":"8a582132a3e3eb18c6e6bd82331fd586","sponsor_name":""},"type":"row"}
        {"rows":2,"rows_shown":1,"type":"summary"}
        {"command":"snapshot describe src_leaddesk_blacklist","type":"next"}
    "#]],
    );
}

#[test]
fn diff_gives_all_differences() {
    check(
        "diff want_gorgias_ticket/2026-11-22-a1/full 2026-11-23-a1/full",
        &expect![[r#"
        {"key":{"external_id":"leaddesk:lead:41:0"},"type":"removed"}
        {"fields":[{"column":"subject","new":"(masked)","old":"(masked)"},{"column":"status","new":"open","old":"closed"}],"key":{"external_id":"leaddesk:lead:41:3"},"type":"changed"}
        {"key":{"external_id":"leaddesk:lead:41:5"},"type":"added"}
        {"added":1,"changed":1,"new":"want_gorgias_ticket/2026-11-23-a1/full","old":"want_gorgias_ticket/2026-11-22-a1/full","removed":1,"same":3,"type":"summary"}
        {"command":"snapshot show want_gorgias_ticket/2026-11-23-a1/full --lake LAKE","type":"next"}
    "#]],
    );
}

#[test]
fn describe_gives_one_event_per_table() {
    check(
        "describe want_gorgias_ticket_tag",
        &expect![[r#"
        {"allows_several_rows_per_key":false,"columns":[{"encoding":"identifier","example":"leaddesk:lead:41:1001","is_in_row_hash":true,"is_nullable":false,"meaning":"The ticket.","name":"ticket_external_id","null_meaning":null,"personal_data":"indirect","since":1,"source_field":null,"type":"text","unit":null},{"encoding":"category","example":"Q4-Outbound-SMS","is_in_row_hash":true,"is_nullable":false,"meaning":"The tag.","name":"tag_name","null_meaning":null,"personal_data":"none","since":1,"source_field":null,"type":"text","unit":null},{"encoding":"unique","example":null,"is_in_row_hash":false,"is_nullable":false,"meaning":"Hash over all mapped columns of the row, 32 hexadecimal digits.","name":"row_hash","null_meaning":null,"personal_data":"none","since":1,"source_field":null,"type":"text","unit":null},{"encoding":"category","example":null,"is_in_row_hash":false,"is_nullable":false,"meaning":"Run that wrote the file; the same as run_id in the path, for files that are copied out of it.","name":"deskferry_run_id","null_meaning":null,"personal_data":"none","since":1,"source_field":null,"type":"text","unit":null},{"encoding":"category","example":null,"is_in_row_hash":false,"is_nullable":false,"meaning":"Pass that wrote the file; the same as pass in the path, for files that are copied out of it.","name":"deskferry_pass","null_meaning":null,"personal_data":"none","since":1,"source_field":null,"type":"text","unit":null}],"layer":"want","meaning":"Tags of tickets.","schema_fingerprint":"bad9594b0c796f9116e7b178164372e2f1ef8f0229c3b2530702d99a12d971cc","schema_version":1,"sorted_by":["ticket_external_id","tag_name"],"table":"want_gorgias_ticket_tag","type":"table"}
        {"tables":1,"type":"summary"}
        {"command":"snapshot ddl --engine duckdb > lake.sql","type":"next"}
    "#]],
    );
}

#[test]
fn errors_are_events_too() {
    check(
        "show weather",
        &expect![[r#"
        {"code":"SNP301","fix":"snapshot describe lists all tables","type":"error","what":"there is no table \"weather\"","why":"no name comes near"}
    "#]],
    );
}
