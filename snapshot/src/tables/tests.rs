//! What holds for every table: names, sentences, classes; and the released schemas.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use expect_test::expect;

use super::ALL;
use crate::column::{Column, ColumnType, PersonalData};
use crate::schema::{Layer, RAW_JSON, SOURCE_ROW_HASH, TableSchema};

/// Calls `check` for every column and lists those for which it is false.
fn assert_columns(rule: &str, check: impl Fn(&TableSchema, &Column) -> bool) {
    let mut broken = String::new();
    for table in ALL {
        for stored in table.stored_columns() {
            if !check(table, &stored.column) {
                writeln!(broken, "{}.{}", table.name, stored.column.name).unwrap();
            }
        }
    }
    assert!(broken.is_empty(), "{rule}:\n{broken}");
}

#[test]
fn names_are_fit_for_every_engine() {
    const RESERVED: [&str; 14] = [
        "timestamp",
        "date",
        "user",
        "order",
        "group",
        "table",
        "column",
        "values",
        "select",
        "from",
        "to",
        "end",
        "start",
        "partition",
    ];
    let is_name = |name: &str| {
        name.len() <= 255
            && name.starts_with(|first: char| first.is_ascii_lowercase())
            && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
            && !RESERVED.contains(&name)
    };
    assert_columns("not a name for Athena and DuckDB", |_, column| is_name(column.name));
    assert_columns("a partition column has this name", |_, column| {
        !["run_id", "pass"].contains(&column.name)
    });
    let tables: BTreeSet<&str> = ALL.iter().map(|table| table.name).collect();
    assert_eq!(tables.len(), ALL.len(), "two tables have one name");
    for table in ALL {
        let systems: &[&str] = match table.layer {
            Layer::Source => &["leaddesk_"],
            Layer::Wanted | Layer::Found => &["gorgias_"],
            Layer::Mapping | Layer::Control => &[""],
        };
        let begin = format!("{}_", table.layer.as_str());
        let rest = table.name.strip_prefix(&begin).unwrap_or_default();
        assert!(
            is_name(table.name) && systems.iter().any(|system| rest.starts_with(system)),
            "{}",
            table.name
        );
        let columns: BTreeSet<&str> =
            table.stored_columns().iter().map(|stored| stored.column.name).collect();
        assert_eq!(columns.len(), table.stored_columns().len(), "{}: two columns have one name", table.name);
    }
}

#[test]
fn every_column_is_described() {
    let is_sentence = |text: &str| {
        let begins = text.starts_with(|first: char| first.is_uppercase() || first == '`');
        begins && text.ends_with('.') && text.len() > 3 && text.trim() == text && !text.contains("  ")
    };
    assert_columns("no sentence", |_, column| is_sentence(column.meaning));
    assert_columns("emptiness is not explained, or it cannot be empty", |_, column| {
        column.is_nullable == column.null_meaning.is_some()
    });
    assert_columns("no source field", |table, column| {
        let is_ours =
            [SOURCE_ROW_HASH, "row_hash", "deskferry_run_id", "deskferry_pass"].contains(&column.name);
        let has_source = matches!(table.layer, Layer::Source | Layer::Found);
        is_ours || has_source == column.source_field.is_some()
    });
    assert_columns("a number or a duration without unit", |_, column| {
        let ends = ["_count", "_seconds", "_share"].iter().any(|end| column.name.ends_with(end));
        !ends || column.unit.is_some()
    });
    assert!(ALL.iter().all(|table| is_sentence(table.meaning.lines().last().unwrap_or_default().trim())));
}

#[test]
fn endings_of_names_say_the_type() {
    assert_columns("the name promises another type", |_, column| match column.name {
        name if name.ends_with("_id") || name.ends_with("_raw") || name.ends_with("_e164") => {
            column.kind == ColumnType::Text
        }
        name if name.ends_with("_normalized") || name.ends_with("_hash") => column.kind == ColumnType::Text,
        name if name.ends_with("_at") => column.kind == ColumnType::Instant,
        name if name.starts_with("is_") || name.starts_with("has_") => column.kind == ColumnType::Flag,
        name if name.ends_with("_seconds") => column.kind == ColumnType::Int32,
        name if name.ends_with("_count") => matches!(column.kind, ColumnType::Int32 | ColumnType::Int64),
        _ => true,
    });
    assert_columns("a flag is not named like one", |_, column| {
        let named = column.name.starts_with("is_")
            || column.name.starts_with("has_")
            || column.name == "value_boolean";
        column.kind != ColumnType::Flag || named
    });
}

#[test]
fn columns_that_name_a_person_are_marked() {
    const TELLING: [&str; 14] = [
        "email",
        "phone",
        "first_name",
        "last_name",
        "customer_name",
        "agent_name",
        "username",
        "number_raw",
        "number_e164",
        "body_",
        "comment",
        "raw_json",
        "address",
        "sender_name",
    ];
    assert_columns("points at a person without saying so", |_, column| {
        let tells = TELLING.iter().any(|word| column.name.contains(word));
        let is_harmless = column.kind != ColumnType::Text || column.name == "web_address";
        !tells || is_harmless || column.personal == PersonalData::Direct
    });
}

#[test]
fn keys_raw_records_and_control_columns_are_in_their_places() {
    for table in ALL {
        assert!(table.key_columns().count() > 0, "{} has no key", table.name);
        assert!(table.columns[0].is_key, "{}: the key comes first", table.name);
        assert!(table.key_columns().all(|column| !column.is_nullable), "{}", table.name);
        let stored = table.stored_columns();
        let last = stored.last().map(|stored| stored.column.name);
        let has_raw = matches!(table.layer, Layer::Source | Layer::Found);
        assert_eq!(last == Some(RAW_JSON), has_raw, "{}", table.name);
        let has_hash = matches!(table.layer, Layer::Source | Layer::Wanted | Layer::Found);
        assert_eq!(table.row_hash_column().is_some(), has_hash, "{}", table.name);
        let names: Vec<&str> = table.columns.iter().map(|column| column.name).collect();
        if table.layer == Layer::Source {
            let control = ["source_row_hash", "extracted_at", "source_page", "is_deleted", "raw_json"];
            assert!(names.ends_with(&control), "{}", table.name);
        }
    }
    assert_columns("came later and cannot be empty", |table, column| {
        column.since == 1 || (column.is_nullable && column.since <= table.version)
    });
    let unhashed: BTreeSet<&str> = ALL
        .iter()
        .flat_map(|table| table.columns)
        .filter(|column| !column.is_hashed)
        .map(|column| column.name)
        .collect();
    assert_eq!(Vec::from_iter(unhashed), ["extracted_at", "raw_json", "source_page", "source_row_hash"]);
}

#[test]
fn bloom_filters_are_on_second_look_up_keys_only() {
    assert_columns("look-up keys are e-mails, numbers and ids that are not the sort key", |_, column| {
        let is_id = column.name.ends_with("external_id")
            || (column.name.starts_with("gorgias_") && column.name.ends_with("_id"));
        let fits = ["email", "email_normalized", "phone_e164", "number_e164"].contains(&column.name) || is_id;
        !column.is_looked_up || (fits && !column.is_key)
    });
}

/// A changed line means that files of a released version read differently: add nullable columns with a new version instead.
#[test]
fn released_schemas_stay_as_they_are() {
    let mut text = String::new();
    for table in ALL {
        writeln!(text, "{} v{} {}", table.name, table.version, table.fingerprint().short()).unwrap();
    }
    expect![[r#"
        src_leaddesk_agent v1 cd130d3fdeb8
        src_leaddesk_campaign v1 e3a181502cee
        src_leaddesk_list v1 a7145c2b0b68
        src_leaddesk_lead v1 fa8db5c9fbf3
        src_leaddesk_contact v1 623dcee563b9
        src_leaddesk_field_value v1 1cab4c075d45
        src_leaddesk_call v1 ab246a5e3649
        src_leaddesk_recording v1 b1d3b6fdd0f9
        src_leaddesk_outcome v1 0e152e791e44
        src_leaddesk_blacklist v1 f30b7e65546d
        src_leaddesk_field v1 48e3c595ab57
        src_leaddesk_office v1 4e84c95aa08e
        src_leaddesk_group v1 0f6bdbc8ec0a
        src_leaddesk_conversation v1 153273b37ae8
        src_leaddesk_chat_message v1 d09e5a4b5379
        src_leaddesk_document v1 ee7e3f5c5b1f
        want_gorgias_tag v1 a47e6f703863
        want_gorgias_field v1 07e0a7678190
        want_gorgias_team v1 c459ef698f47
        want_gorgias_team_member v1 9d1025397e4c
        want_gorgias_user v1 d15514539597
        want_gorgias_customer v1 e324be1abf66
        want_gorgias_customer_channel v1 c213115629c9
        want_gorgias_customer_value v1 93790d8b3e02
        want_gorgias_ticket v1 4d12fdfbc356
        want_gorgias_ticket_tag v1 bad9594b0c79
        want_gorgias_ticket_value v1 72ca121beaa7
        want_gorgias_message v1 23c88a12a4bd
        want_gorgias_attachment v1 95e68ce4f5c6
        dst_gorgias_user v1 7e36a624b34c
        dst_gorgias_team v1 57b514b1affe
        dst_gorgias_tag v1 4b24d5320203
        dst_gorgias_field v1 d85f20a771e1
        dst_gorgias_rule v1 d99c188d09f0
        dst_gorgias_setting v1 afe57a78a44c
        dst_gorgias_integration v1 cd30e70adf43
        dst_gorgias_customer v1 9dce3a261a74
        dst_gorgias_customer_channel v1 7519c18fd20a
        dst_gorgias_customer_value v1 57a5b2963ce8
        dst_gorgias_ticket v1 2845d24e245e
        dst_gorgias_ticket_tag v1 fae2c98253e5
        dst_gorgias_ticket_value v1 81c651a618b8
        dst_gorgias_message v1 c7e620f766c5
        map_field v1 5babba9d1f28
        map_value v1 00c57bde19bd
        ctl_run v1 6813afffebe3
        ctl_id_map v1 b191151d02c3
        ctl_failure v1 701a82e43856
        ctl_recon_count v1 e4323dd9ae6f
        ctl_recon_difference v1 4b6be1d77f55
        ctl_request_window v1 abcfdcdc3465
        ctl_rollback v1 075b893e0106
        ctl_repair v1 86d130d317ed
        ctl_delta v1 48cdef4aabf0
        ctl_delta_scope v1 8af722aa164f
    "#]]
    .assert_eq(&text);
}

#[test]
fn a_mistyped_table_name_leads_to_the_right_one() {
    let nearest = |name| super::named(name).unwrap_err().why();
    assert_eq!(nearest("src_leaddesk_calls"), "the nearest name is src_leaddesk_call");
    assert_eq!(nearest("gorgias_ticket"), "the nearest name is want_gorgias_ticket");
    assert_eq!(nearest("dst_ticket_tag"), "the nearest name is dst_gorgias_ticket_tag");
    assert_eq!(nearest("weather"), "no name comes near");
    assert_eq!(super::named("src_leaddesk_call").unwrap().name, "src_leaddesk_call");
}
