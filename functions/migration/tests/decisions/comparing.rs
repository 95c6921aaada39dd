//! Comparison, verdict and balance.

use expect_test::{Expect, expect};
use migration::compare::{
    Balance, Compared, Image, NORMALISATIONS, Tally, Verdict, compare_record, missing, render_value,
    unexpected,
};
use migration::gorgias::FieldValue;
use proptest::prelude::*;

use crate::support::seeded;

fn image(fields: &[(&str, &str)]) -> Image {
    fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn check(object: Compared, wanted: &[(&str, &str)], found: &[(&str, &str)], expected: &Expect) {
    let comparison = compare_record(object, &image(wanted), &image(found));
    let mut out = format!("{} fields", comparison.fields);
    for difference in &comparison.discrepancies {
        out = format!(
            "{out}\n{} {}: {:?} / {:?}",
            difference.code, difference.field, difference.wanted, difference.found
        );
    }
    expected.assert_eq(&out);
}

#[test]
fn differences() {
    check(Compared::Ticket, &[("status", "open")], &[("status", "open")], &expect!["1 fields"]);
    check(
        Compared::Ticket,
        &[("status", "open"), ("subject", "A"), ("tag[Q4]", "")],
        &[("status", "closed"), ("tag[q4]", ""), ("channel", "phone")],
        &expect![[r#"
            5 fields
            CMP106 channel: None / Some("phone")
            CMP104 status: Some("open") / Some("closed")
            CMP105 subject: Some("A") / None
            CMP105 tag[Q4]: Some("") / None
            CMP106 tag[q4]: None / Some("")"#]],
    );
}

#[test]
fn declared_exceptions() {
    check(
        Compared::Customer,
        &[
            ("name", "Anna Example "),
            ("email", "Anna@Example.com"),
            ("channel[email Anna@Example.com]", "preferred"),
        ],
        &[
            ("name", "Anna Example"),
            ("email", "anna@example.com"),
            ("channel[email anna@example.com]", "preferred"),
            ("first_name", "Anna"),
            ("managed_value[customer_type]", "vip"),
            ("updated_at", "2026-01-01T00:00:00Z"),
        ],
        &expect!["3 fields"],
    );
    check(
        Compared::Customer,
        &[("name", "Anna Example"), ("channel[phone +358401234567]", "preferred")],
        &[("name", "anna example"), ("channel[phone +358401234568]", "preferred")],
        &expect![[r#"
            3 fields
            CMP105 channel[phone +358401234567]: Some("preferred") / None
            CMP106 channel[phone +358401234568]: None / Some("preferred")
            CMP104 name: Some("Anna Example") / Some("anna example")"#]],
    );
    // What is forgiven for one kind of record is not forgiven for another.
    check(
        Compared::Message,
        &[("body_text", "Same")],
        &[("body_text", "Same "), ("first_name", "Anna")],
        &expect![[r#"
            2 fields
            CMP104 body_text: Some("Same") / Some("Same ")
            CMP106 first_name: None / Some("Anna")"#]],
    );
    for declared in NORMALISATIONS {
        assert!(!declared.reason.is_empty() && !declared.field.contains('['), "{}", declared.field);
    }
}

#[test]
fn whole_records() {
    let gone = missing(&image(&[("a", "1"), ("b", "2")]));
    assert_eq!((gone.fields, gone.discrepancies[0].code.as_str()), (2, "CMP101"));
    let extra = unexpected();
    assert_eq!((extra.fields, extra.discrepancies[0].code.as_str()), (0, "CMP102"));
}

#[test]
fn values_have_one_writing() {
    let check = |value: FieldValue, expected: &str| assert_eq!(render_value(&value), expected);
    check(FieldValue::Number(3.0), "3");
    check(FieldValue::Number(0.5), "0.5");
    check(FieldValue::Number(-0.0), "0");
    check(FieldValue::Number(1234.56), "1234.56");
    check(FieldValue::Boolean(true), "true");
    check(FieldValue::Text("  as it is".to_owned()), "  as it is");
}

#[test]
fn nothing_begins_as_a_pass() {
    let good = Tally { wanted: 2, compared: 2, fields: 9, ..Tally::default() };
    let check = |tally: Tally, expected: Verdict| assert_eq!(tally.verdict(), expected, "{tally:?}");
    check(Tally::default(), Verdict::Empty);
    check(Tally { wanted: 2, ..Tally::default() }, Verdict::Empty);
    check(Tally { wanted: 2, compared: 2, ..Tally::default() }, Verdict::Empty);
    check(good, Verdict::Pass);
    check(Tally { explained: 5, ..good }, Verdict::Pass);
    check(Tally { compared: 1, ..good }, Verdict::Fail);
    check(Tally { compared: 3, ..good }, Verdict::Fail);
    check(Tally { unexplained: 1, ..good }, Verdict::Fail);
    check(Tally { duplicates: 1, ..good }, Verdict::Fail);
    check(Tally { not_checked: 1, ..good }, Verdict::Fail);
    let mut sum = good;
    sum.merge(&Tally { wanted: 1, compared: 1, fields: 3, unexplained: 1, ..Tally::default() });
    assert_eq!((sum.wanted, sum.fields, sum.verdict()), (3, 12, Verdict::Fail));
    assert_eq!(Verdict::Empty.as_str(), "empty");
}

#[test]
fn balances_hold_or_are_not_made() {
    let balance = Balance::new(10, 1, 2, 6, 1).unwrap();
    assert_eq!((balance.source(), balance.excluded(), balance.merged()), (10, 1, 2));
    assert_eq!((balance.loaded(), balance.failed()), (6, 1));
    expect!["10 in the source, but 1 excluded + 2 merged + 6 loaded + 0 failed make 9"]
        .assert_eq(&Balance::new(10, 1, 2, 6, 0).unwrap_err().to_string());
    assert!(Balance::new(1, u64::MAX, 1, u64::MAX, 1).is_err(), "no wrapping around");
}

fn images() -> impl Strategy<Value = Image> {
    proptest::collection::btree_map("[a-e]|tag\\[[xyz]\\]", "[pq]{0,2}", 0..6)
}

proptest! {
    #![proptest_config(seeded(500))]

    #[test]
    fn equal_is_equal_and_one_wrong_byte_is_found(
        wanted in images(), at in any::<prop::sample::Index>(), wrong in "[r-z]",
    ) {
        let same = compare_record(Compared::Ticket, &wanted, &wanted);
        prop_assert!(same.discrepancies.is_empty());
        prop_assert_eq!(same.fields, wanted.len() as u64);
        if !wanted.is_empty() {
            let name = wanted.keys().nth(at.index(wanted.len())).unwrap().clone();
            let mut found = wanted.clone();
            found.get_mut(&name).unwrap().push_str(&wrong);
            let comparison = compare_record(Compared::Ticket, &wanted, &found);
            prop_assert_eq!(comparison.discrepancies.len(), 1);
            prop_assert_eq!(&comparison.discrepancies[0].field, &name);
        }
    }

    #[test]
    fn both_directions_count_the_same(wanted in images(), found in images()) {
        let one = compare_record(Compared::Message, &wanted, &found);
        let other = compare_record(Compared::Message, &found, &wanted);
        prop_assert_eq!(one.fields, other.fields);
        let fields = |comparison: &migration::compare::Comparison| {
            comparison.discrepancies.iter().map(|difference| difference.field.clone()).collect::<Vec<_>>()
        };
        prop_assert_eq!(fields(&one), fields(&other));
    }

    #[test]
    fn only_exact_sums_balance(parts in proptest::array::uniform4(0_u64..100), source in 0_u64..400) {
        let [excluded, merged, loaded, failed] = parts;
        let sum: u64 = parts.iter().sum();
        prop_assert_eq!(Balance::new(source, excluded, merged, loaded, failed).is_ok(), source == sum);
        prop_assert!(Balance::new(sum, excluded, merged, loaded, failed).is_ok());
    }
}
