//! Every way in which the file can be wrong, with the words that the user reads.

use std::path::{Path, PathBuf};

use expect_test::{Expect, expect};
use secrecy::SecretString;

use super::Config;
use crate::place::StorePlace;

const GOOD: &str = r#"migration = "acme"

[leaddesk]
original_api_url = "https://api.leaddesk.com"
rest_api_url = "https://restapi-nor.leaddesk.com/stable"
auth = "env:LEADDESK_AUTH"
account = 1234
client_id = "env:LEADDESK_CLIENT_ID"
client_secret = "env:LEADDESK_CLIENT_SECRET"
files = "operator-files"
time_zone = "Europe/Helsinki"
default_region = "FI"

[gorgias]
base_url = "https://acme.gorgias.com"
email = "migration@acme.example"
api_key = "env:GORGIAS_API_KEY"
bucket = "40/20"
reserve = 0.0

[store]
url = "file:run"
[queue]
url = "in-process:"
"#;

fn parse(text: &str) -> Result<Config, super::ConfigError> {
    let secrets = |reference: &str, _: &Path| match reference.strip_prefix("env:") {
        Some(name) if name.starts_with("LEADDESK") || name.starts_with("GORGIAS") => {
            Ok(SecretString::from("s3cr3t"))
        }
        Some(name) => Err(format!("the environment has no text in {name}")),
        None => Err("a value stands where a reference belongs".to_owned()),
    };
    Config::parse(text, Path::new("migration.toml"), Path::new("/base"), &secrets)
}

/// Replaces one line of the good file and shows the refusal.
fn check(line: &str, with: &str, expected: &Expect) {
    assert!(GOOD.contains(line), "{line}");
    let error = parse(&GOOD.replace(line, with)).expect_err(with);
    expected.assert_eq(&format!("{} {error}\nfix: {}", error.code(), error.fix()));
}

#[test]
fn the_documented_file_is_accepted_with_paths_from_its_folder() {
    let config = parse(GOOD).expect("the documented file");
    assert_eq!(config.store, StorePlace::Folder(PathBuf::from("/base/run")));
    assert_eq!(config.leaddesk.files, Path::new("/base/operator-files"));
    assert_eq!(config.gorgias.bucket.capacity, 40);
    assert!(!format!("{config:?}").contains("s3cr3t"));
}

#[test]
fn unknown_keys_are_answered_with_the_nearest() {
    check(
        "reserve = 0.0",
        "reserv = 0.0",
        &expect![[r#"
        E0103 migration.toml:19: unknown key "reserv"
        fix: did you mean "reserve"?"#]],
    );
    check(
        "[queue]",
        "[queues]",
        &expect![[r#"
        E0103 migration.toml:23: unknown key "queues"
        fix: did you mean "queue"?"#]],
    );
}

#[test]
fn secrets_are_references_and_never_shown() {
    check(
        r#"api_key = "env:GORGIAS_API_KEY""#,
        r#"api_key = "abcdef0123""#,
        &expect![[r#"
        E0105 gorgias.api_key leads to no secret: a value stands where a reference belongs
        fix: write env:NAME or file:path and put the secret there; never the secret itself"#]],
    );
    check(
        r#"auth = "env:LEADDESK_AUTH""#,
        r#"auth = 12345"#,
        &expect![[r#"
        E0102 migration.toml:6: the value is of the wrong type, expected a string
        fix: compare with the file that this writes: deskferry init"#]],
    );
    check(
        "env:LEADDESK_AUTH",
        "env:NOT_THERE",
        &expect![[r#"
        E0105 leaddesk.auth leads to no secret: the environment has no text in NOT_THERE
        fix: write env:NAME or file:path and put the secret there; never the secret itself"#]],
    );
}

#[test]
fn values_are_checked_before_anything_starts() {
    check(
        "https://acme.gorgias.com",
        "http://acme.gorgias.com",
        &expect![[r#"
        E0104 gorgias.base_url cannot be used: it is not encrypted
        fix: use https; http is accepted on this machine alone"#]],
    );
    check(
        r#"bucket = "40/20""#,
        r#"bucket = "0/20""#,
        &expect![[r#"
        E0104 gorgias.bucket cannot be used: a bucket is written `requests/seconds`, such as 40/20, with both above zero
        fix: write it as "40/20": requests and seconds, and keep reserve below 1"#]],
    );
    check(
        "file:run",
        "s3://B/prefix",
        &expect![[r#"
        E0104 store.url cannot be used: it names no bucket
        fix: write it as "file:run" or "s3://bucket/prefix""#]],
    );
    check(
        "in-process:",
        "sqs://eu-west-1/123456789012/acme",
        &expect![[r#"
        E0104 queue.url cannot be used: it names no FIFO queue; such names end in .fifo
        fix: write it as "in-process:" or "sqs://region/account/queue.fifo""#]],
    );
    check(
        r#"migration = "acme""#,
        r#"migration = "../acme""#,
        &expect![[r#"
        E0104 migration cannot be used: it is no name for a folder
        fix: use 1 to 64 lower-case letters, digits, - and _, such as "acme""#]],
    );
    check(
        "Europe/Helsinki",
        "Helsinki",
        &expect![[r#"
        E0104 leaddesk.time_zone cannot be used: it is no known zone
        fix: use an IANA name, such as "Europe/Helsinki""#]],
    );
    check(
        "[store]",
        "[limits]\ngroup_intents = 0\n[store]",
        &expect![[r#"
        E0104 limits.group_intents cannot be used: it is out of range
        fix: use 1 to 100"#]],
    );
    check(
        "[store]",
        "[mapping]\ncall_channel = \"sms\"\n[store]",
        &expect![[r#"
        E0104 mapping.call_channel cannot be used: it is none of the choices
        fix: choose one of: internal-note, phone"#]],
    );
    check(
        "[store]",
        "[accept]\nfindings = [\"DIS999\"]\n[store]",
        &expect![[r#"
        E0104 accept.findings cannot be used: a code is not in the catalogue
        fix: name codes as the findings show them, such as "DIS301""#]],
    );
}

#[test]
fn hours_that_are_none_are_refused() {
    check(
        "reserve = 0.0",
        "reserve = 0.0\nhours = \"8-16\"",
        &expect![[r#"
        E0104 gorgias.hours cannot be used: hours are written `20:00-06:00`, with two different times
        fix: leave them out to work day and night"#]],
    );
    check(
        "reserve = 0.0",
        "reserve = 0.0\nhours_zone = \"Europe/Helsinki\"",
        &expect![[r#"
        E0104 gorgias.hours_zone cannot be used: there are no hours that it is for
        fix: add hours = "20:00-06:00", or leave the zone out"#]],
    );
    check(
        "reserve = 0.0",
        "reserve = 0.0\nhours = \"20:00-06:00\"\nhours_zone = \"Helsinki\"",
        &expect![[r#"
            E0104 gorgias.hours_zone cannot be used: it is no known zone
            fix: use an IANA name, such as "Europe/Helsinki""#]],
    );
}

#[test]
fn hours_are_of_the_zone_that_is_named_or_of_leaddesk() {
    let shown = |lines: &str| {
        let text = GOOD.replace("reserve = 0.0", &format!("reserve = 0.0\n{lines}"));
        parse(&text).expect("good").limits.hours.map(|hours| hours.to_string())
    };
    assert_eq!(shown(""), None);
    assert_eq!(shown("hours = \"20:00-6:00\"").as_deref(), Some("20:00-06:00 Europe/Helsinki"));
    let elsewhere = "hours = \"20:00-06:00\"\nhours_zone = \"America/New_York\"";
    assert_eq!(shown(elsewhere).as_deref(), Some("20:00-06:00 America/New_York"));
}

#[test]
fn text_that_is_no_toml_and_missing_keys_name_their_line() {
    check(
        "account = 1234",
        "account = ",
        &expect![[r#"
        E0102 migration.toml:7: not valid TOML
        fix: compare with the file that this writes: deskferry init"#]],
    );
    check(
        "default_region = \"FI\"\n",
        "",
        &expect![[r#"
        E0102 migration.toml:3: missing field `default_region`
        fix: compare with the file that this writes: deskferry init"#]],
    );
}

#[test]
fn a_suggester_is_off_unless_it_is_named_and_its_key_may_be_missing() {
    assert!(parse(GOOD).expect("good").suggester.is_none());
    let with = |table: &str| parse(&format!("{GOOD}[suggester]\n{table}\n"));
    let table = "base_url = \"https://models.example/v1\"\nmodel = \"small-1\"\n";
    assert!(matches!(with(table).expect("good").suggester.expect("named").api_key, Ok(None)));
    let keyed = with(&format!("{table}api_key = \"env:MODEL_KEY\"")).expect("a missing key stops no run");
    assert!(keyed.suggester.expect("named").api_key.is_err_and(|why| why.contains("MODEL_KEY")));
    let refused = |table: &str| with(table).expect_err("refused").to_string();
    assert_eq!(
        refused(&format!("{table}api_key = \"sk-12345\"")),
        "suggester.api_key leads to no secret: a value stands where a reference belongs"
    );
    assert_eq!(
        refused("base_url = \"http://models.example/v1\"\nmodel = \"m\""),
        "suggester.base_url cannot be used: it is not encrypted"
    );
    assert_eq!(
        refused("base_url = \"https://models.example/v1\"\nmodel = \"\""),
        "suggester.model cannot be used: it is no name of a model"
    );
}
