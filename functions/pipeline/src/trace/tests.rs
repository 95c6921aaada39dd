//! Where records went, and why fields hold what they hold, from a small run made by hand.

use std::collections::BTreeMap;

use expect_test::{Expect, expect};
use snapshot::tables::{
    FoundCustomer, FoundCustomerChannel, FoundCustomerValue, WantCustomer, WantCustomerChannel,
    WantCustomerValue, WantUser,
};

use super::*;
use crate::report::fixture::{at, compared, loaded, seal_rows, transformed};
use crate::testing::{Account, World};

fn wish(id: &str, name: &str) -> WantCustomer {
    WantCustomer {
        external_id: format!("leaddesk:contact:{id}"),
        leaddesk_contact_id: Some(id.into()),
        customer_name: Some(name.into()),
        email: Some("ada@example.com".into()),
        language: None,
        timezone: None,
        channel_count: 1,
        value_count: 0,
        origin: "contact".into(),
    }
}

fn found(id: &str, ours: &str, name: &str) -> FoundCustomer {
    FoundCustomer {
        gorgias_customer_id: id.into(),
        external_id: Some(format!("leaddesk:contact:{ours}")),
        customer_name: Some(name.into()),
        first_name: None,
        last_name: None,
        email: Some("ada@example.com".into()),
        language: None,
        timezone: None,
        created_at: Some(at()),
        updated_at: Some(at()),
        has_detail: true,
        raw_json: "{}".into(),
    }
}

async fn read_back(ctx: &Context) {
    let mut writer = archive::writer(ctx, Pass::After, Vec::new()).expect("a writer");
    for row in [found("501", "1001", "Ada Example"), found("502", "1004", "Ada")] {
        writer.push(row).expect("a row");
    }
    archive::publish(ctx, writer.seal().expect("sealed")).await.expect("stored");
    for table in [
        archive::writer::<FoundCustomerChannel>(ctx, Pass::After, Vec::new()).expect("a writer").seal(),
        archive::writer::<FoundCustomerValue>(ctx, Pass::After, Vec::new()).expect("a writer").seal(),
    ] {
        archive::publish(ctx, table.expect("sealed")).await.expect("stored");
    }
}

/// A run whose customer of contact 1004 has another name at Gorgias than was wished, which a person accepted.
pub(crate) async fn world() -> World {
    let world = World::new(Account::fresh());
    let ctx = world.context();
    transformed(&ctx).await;
    seal_rows(&ctx, vec![wish("1001", "Ada Example"), wish("1004", "Ada Example")]).await;
    let channel = |id: &str| WantCustomerChannel {
        customer_external_id: format!("leaddesk:contact:{id}"),
        channel_type: "email".into(),
        address: "ada@example.com".into(),
        is_preferred: true,
    };
    seal_rows(&ctx, vec![channel("1001")]).await;
    seal_rows(&ctx, Vec::<WantCustomerValue>::new()).await;
    seal_rows(&ctx, Vec::<WantUser>::new()).await;
    loaded(&ctx).await;
    compared(&ctx, &["CMP104"], &["CMP104"]).await;
    read_back(&ctx).await;
    crate::report::run(&ctx).await.expect("a report");
    world
}

fn told(record: &Record) -> String {
    let mut lines = vec![format!(
        "{} {} -> {} key {} merged {:?} found {:?}",
        record.object,
        record.leaddesk_id,
        record.name(),
        record.external_id.as_deref().unwrap_or("-"),
        record.merged_into,
        record.is_found,
    )];
    lines.extend(record.troubles.iter().map(|it| format!("trouble {} {}", it.code, it.state)));
    for mention in &record.mentions {
        lines.push(format!("segment {} {:?}", mention.segment, mention.what));
    }
    for field in &record.fields {
        lines.push(format!(
            "{}: {:?} / {:?} {}",
            field.name,
            field.wanted,
            field.found,
            field.code.as_deref().unwrap_or("same")
        ));
    }
    lines.join("\n")
}

async fn check(id: &str, object: Option<&str>, expected: Expect) {
    let world = world().await;
    let before = world.gorgias.all_requests();
    let answer = match find(&world.context(), id, object).await {
        Ok(records) => records.iter().map(told).collect::<Vec<_>>().join("\n"),
        Err(error) => format!("{}: {error}", error.code()),
    };
    assert_eq!(world.gorgias.all_requests(), before, "no request is sent");
    expected.assert_eq(&answer);
}

#[tokio::test]
async fn a_record_is_found_with_its_write_and_what_was_read_back() {
    check(
        "1004",
        None,
        expect![[r#"
        contact 1004 -> customer 502 key leaddesk:contact:1004 merged None found Some(true)
        segment 1 Announced("create")
        segment 2 Ended { class: "created", via: "answer", id: Some(502), note: None }
        email: Some("ada@example.com") / Some("ada@example.com") same
        external_id: Some("leaddesk:contact:1004") / Some("leaddesk:contact:1004") same
        name: Some("Ada Example") / Some("Ada") CMP104"#]],
    )
    .await;
    check("1002", Some("contact"), expect![[r#"
        contact 1002 -> customer 501 key leaddesk:contact:1001 merged Some(("contact 1001", "email")) found Some(true)
        segment 1 Announced("create")
        segment 2 Ended { class: "created", via: "answer", id: Some(501), note: None }
        channel[email ada@example.com]: Some("preferred") / None CMP105
        email: Some("ada@example.com") / Some("ada@example.com") same
        external_id: Some("leaddesk:contact:1001") / Some("leaddesk:contact:1001") same
        name: Some("Ada Example") / Some("Ada Example") same"#]]).await;
    check(
        "1003",
        None,
        expect![[r#"
        contact 1003 -> contact 1003 key - merged None found None
        trouble CUS102 rejected"#]],
    )
    .await;
    check("9999", None, expect!["TRC002: run 2026-11-22-t1 read no record of LeadDesk with the id 9999"])
        .await;
}

async fn because(id: &str, field: &str, kind: Option<&str>, expected: Expect) {
    let world = world().await;
    let answer = match why(&world.context(), id, field, kind).await {
        Ok((record, fields)) => {
            let line = |field: &Field| {
                let sources: BTreeMap<&str, String> =
                    field.sources.iter().map(|cell| (cell.column.as_str(), cell.shown(false))).collect();
                format!(
                    "{} {}: {sources:?} by \"{}\" approved by {} wished {} found {} {:?}",
                    record.name(),
                    field.shown_label(false),
                    field.rule.words,
                    record.approved.0,
                    field.wanted.as_deref().map_or_else(String::new, |text| field.shown(text, false)),
                    field.found.as_deref().map_or_else(String::new, |text| field.shown(text, false)),
                    field.code,
                )
            };
            fields.iter().map(line).collect::<Vec<_>>().join("\n")
        }
        Err(error) => format!("{}: {error}", error.code()),
    };
    expected.assert_eq(&answer);
}

#[tokio::test]
async fn a_field_is_explained_from_its_source_to_what_was_read_back() {
    because("502", "name", None, expect![[r#"customer 502 name: {"first_name": "Aaa", "last_name": "Aaaaaaa"} by "first and last name, joined" approved by Reviewer wished A. E. found A. Some("CMP104")"#]]).await;
    because("501", "EMAIL", Some("customer"), expect![[r#"
        customer 501 email a…@….com: {"email_raw": "a…@….com"} by "trimmed, in lower case, when it is a valid address" approved by Reviewer wished preferred found  Some("CMP105")
        customer 501 email: {"email_raw": "a…@….com"} by "trimmed, in lower case, when it is a valid address" approved by Reviewer wished a…@….com found a…@….com None"#]]).await;
    because(
        "501",
        "colour",
        None,
        expect!["TRC004: customer 501 has no field colour; it has channel, email, external_id, name"],
    )
    .await;
    because(
        "777",
        "name",
        None,
        expect!["TRC003: run 2026-11-22-t1 wrote no ticket, customer or message 777"],
    )
    .await;
}

#[tokio::test]
async fn nothing_is_told_before_the_report() {
    let world = World::new(Account::fresh());
    transformed(&world.context()).await;
    let error = find(&world.context(), "1001", None).await.expect_err("no report");
    assert_eq!(error.code(), "TRC001");
}
