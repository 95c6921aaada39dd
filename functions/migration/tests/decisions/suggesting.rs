//! What fields are taken for, by label, values and the fields of the account; and what that changes in a proposal.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use expect_test::expect;
use migration::fields::{Pattern, SlotStatistics};
use migration::gorgias::{Field, FieldId, FieldKind, FieldObject};
use migration::leaddesk::{CampaignId, Slot, SlotSetting};
use migration::mapping::Decision;
use migration::suggest::external::{ExternalSuggestion, REASON_CHARS_MAX};
use migration::suggest::{SuggestInput, suggest};

use crate::mappings::Account;
use crate::support::settings;

fn field(id: u64, label: &str, kind: FieldKind) -> Field {
    Field {
        id: FieldId(id),
        object: FieldObject::Customer,
        label: label.to_owned(),
        external_id: None,
        kind,
        is_active: true,
        is_managed: false,
    }
}

fn observed(values: &[&str]) -> SlotStatistics {
    let mut statistics = SlotStatistics::new();
    values.iter().for_each(|value| statistics.observe(value));
    statistics
}

fn check(label: &str, kind: &str, values: &[&str]) -> String {
    let setting = SlotSetting {
        campaign: CampaignId(12),
        slot: Slot::new(1).unwrap(),
        label: label.to_owned(),
        kind: kind.to_owned(),
        values: Vec::new(),
    };
    let existing =
        [field(30, "Customer number", FieldKind::Text), field(31, "Order count", FieldKind::Number)];
    let statistics = observed(values);
    let input = SuggestInput { label, setting: Some(&setting), statistics: &statistics, existing: &existing };
    let found = suggest(&input);
    assert_eq!(found, suggest(&input), "the same again");
    let best = found.best();
    format!(
        "{label}: {} -> {} {} ({})\n",
        found.value_type.value_type.as_str(),
        best.target,
        best.confidence,
        best.reason
    )
}

#[test]
fn fields_are_taken_for_what_label_and_values_say_together() {
    let mut shown = String::new();
    for (label, kind, values) in [
        ("Sähköposti 2", "text", &["a@example.com", "b@example.com", "-"][..]),
        ("Osasto", "text", &["a@example.com", "b@example.com"][..]),
        ("Puhelinnumero", "number", &["0401234567", "0501234567"][..]),
        ("Mobil", "text", &["41234567", "92345678"][..]),
        ("Puhelinmalli", "text", &["Nova 3", "Max"][..]),
        ("Säljarens mejl", "text", &["a@example.com"][..]),
        ("Markkinointilupa", "dropdown", &["kyllä", "ei", "ei", "kyllä", "ei"][..]),
        ("Werbesperre", "text", &["1", "0", "0", "1", "0"][..]),
        ("Kundnr", "text", &["10023", "10024", "10025"][..]),
        ("Anzahl Bestellungen", "number", &["1", "3", "12"][..]),
        ("Postinro", "text", &["00100", "33200"][..]),
        ("Kesto", "text", &["1,5", "2,25"][..]),
        ("Isikukood", "text", &["37605030299"][..]),
        ("Tunniste", "text", &["131052-308T", "131052-308T"][..]),
        ("Viite", "text", &["FI2112345600000785"][..]),
        ("Importlauf", "text", &["17", "18"][..]),
        ("Extra", "text", &["{\"batch\":1}", "{\"batch\":2}"][..]),
        ("Bemerkungen", "text", &["ruft nächste Woche noch einmal wegen des neuen Vertrags an"][..]),
        ("Old", "text", &["-", "n/a"][..]),
        ("Siguiente contacto", "text", &["marzo de 2024", "verano"][..]),
    ] {
        shown.push_str(&check(label, kind, values));
    }
    expect![[r#"
        Sähköposti 2: email -> customer email 0.96 (100 % of the values have this form)
        Osasto: email -> customer email 0.79 (100 % of the values have this form)
        Puhelinnumero: phone -> customer phone 0.96 (100 % of the values may be phone numbers, and so says the label)
        Mobil: phone -> customer phone 0.96 (100 % of the values may be phone numbers, and so says the label)
        Puhelinmalli: text -> customer field (text) 0.64 (label means `malli`; the values are text)
        Säljarens mejl: email -> customer field (text) 0.65 (label means `säljare`; 100 % of the values have this form)
        Markkinointilupa: boolean -> customer opt-out when no 0.94 (label means `markkinointilupa`; 100 % of the values mean yes or no)
        Werbesperre: boolean -> customer opt-out when yes 0.89 (label means `werbesperre`; all values are 0 or 1, and the label names no measure)
        Kundnr: text -> existing field `Customer number` (30) 0.95 (means the same as a field of the account (`kundnr`))
        Anzahl Bestellungen: number -> existing field `Order count` (31) 0.95 (means the same as a field of the account (`anzahl bestellungen`))
        Postinro: postcode -> customer field (text) 0.63 (label means `postinro`; 100 % of the values may be postal codes, and so says the label)
        Kesto: number -> customer field (number) 0.54 (label is not known; 100 % of the values are numbers)
        Isikukood: national-id -> nothing 0.97 (label contains `isikukood`: never carried by default)
        Tunniste: national-id -> nothing 0.99 (100 % of the values pass the check of such numbers: never carried by default)
        Viite: iban -> nothing 0.99 (100 % of the values pass the check of such numbers: never carried by default)
        Importlauf: text -> nothing 0.99 (label means `importlauf`: of the machinery, not of the customer)
        Extra: text -> nothing 0.9 (values are of a machine, not of the customer)
        Bemerkungen: text -> lead card 0.96 (free text: 100 % of the values are sentences)
        Old: empty -> nothing 0.95 (no value is filled)
        Siguiente contacto: text -> customer field (text) 0.63 (label means `contract no`; the values are text)
    "#]].assert_eq(&shown);
}

#[test]
fn forms_are_told_by_their_checks() {
    let count = |pattern, values: &[&str]| observed(values).having(pattern);
    assert_eq!(count(Pattern::NationalId, &["131052-308T", "811218-9876", "010190-1234"]), 3);
    assert_eq!(count(Pattern::NationalId, &["131052-308U", "811399-9876", "12345678901", "2024-01-01"]), 0);
    assert_eq!(count(Pattern::NationalId, &["12345678Z", "X1234567L"]), 2);
    assert_eq!(count(Pattern::NationalId, &["12345678A"]), 0);
    assert_eq!(count(Pattern::Iban, &["FI2112345600000785", "DE89 3704 0044 0532 0130 00"]), 2);
    assert_eq!(count(Pattern::Iban, &["FI2112345600000786"]), 0);
    assert_eq!(
        count(Pattern::PhoneInternational, &["+358 40 123 4567", "0046701234567", "tel:+4712345678"]),
        3
    );
    assert_eq!(count(Pattern::PhoneTrunk, &["040 123 4567", "0151/12345678", "00123"]), 2);
    assert_eq!(count(Pattern::PhoneBare, &["41234567", "20240331", "123", "31.3.2024"]), 1);
    assert_eq!(count(Pattern::PostcodeSure, &["123 45", "1234 AB", "SW1A 1AA", "D-10115"]), 4);
    assert_eq!(
        count(Pattern::Url, &["www.example.com", "https://example.org/x", "example.net", "v1.2", "12.5"]),
        3
    );
    assert_eq!(count(Pattern::Opaque, &["0123456789abcdef", "1234567890123456"]), 1);
    // Nothing that people may write stops the count.
    let odd = ["LUCÍA", "ÄÄÄÄ-", "–", "\u{1f600}\u{1f600}", "+", "(", "Æ1234", "1-2-3", "٠١٢٣٤"];
    assert_eq!(observed(&odd).filled(), 9);
}

#[test]
fn dates_in_more_forms_become_iso_text() {
    use migration::fields::{SlotKind, convert};
    use migration::gorgias::FieldValue;
    let date = |text: &str| match convert(text, SlotKind::Date) {
        Ok(FieldValue::Text(text)) => text,
        other => format!("{other:?}"),
    };
    assert_eq!(date("31.3.24"), "2024-03-31");
    assert_eq!(date("31/12/99"), "1999-12-31");
    assert_eq!(date("20240331"), "2024-03-31");
    assert_eq!(date("20241331"), "Err(NotADate)");
    assert_eq!(date("12345678"), "Err(NotADate)");
}

#[test]
fn suggestions_change_kinds_and_hold_back_what_is_sensitive() {
    let mut account = Account::new();
    let scope = migration::fields::Scope::Campaign(CampaignId(12));
    let labels = [(3, "Puhelin 2"), (4, "Uutiskirje"), (5, "Kontonummer"), (6, "Asiakasnro")];
    let values: BTreeMap<u8, &[&str]> = BTreeMap::from([
        (3, &["41234567", "92345678", "42345678", "43345678", "44345678"][..]),
        (4, &["1", "0", "1", "1", "0"][..]),
        (5, &["12 34 56", "77 12 33"][..]),
        (6, &["1001", "1002", "1003", "1004", "1005"][..]),
    ]);
    for (number, label) in labels {
        let slot = Slot::new(number).unwrap();
        let mut setting = account.slot_settings[0].clone();
        (setting.slot, setting.label) = (slot, label.to_owned());
        account.slot_settings.push(setting);
        account.statistics.insert(migration::fields::SlotKey { slot, scope }, observed(values[&number]));
    }
    account.gorgias_fields.push(field(30, "Customer id", FieldKind::Text));
    let mut shown = String::new();
    for row in account.propose(settings()).rows().filter(|row| row.id.source_id.starts_with("other")) {
        let evidence = row.evidence.as_ref().expect("evidence");
        let decision = match &row.decision {
            Decision::Leave(why) => format!("leave {}", why.code),
            other => other.as_str().to_owned(),
        };
        writeln!(
            shown,
            "{} `{}` -> {}: {decision}, {} sure, filled {:?}, {:?} distinct",
            row.id.source_id,
            row.name,
            row.target,
            evidence.confidence,
            evidence.fill_share,
            evidence.distinct
        )
        .unwrap();
        for sample in evidence.samples.iter().take(2) {
            writeln!(shown, "  `{}` -> `{}`", sample.before, sample.after).unwrap();
        }
        for other in &evidence.alternatives {
            writeln!(shown, "  or {} ({}): {}", other.target, other.confidence, other.reason).unwrap();
        }
    }
    expect![[r#"
        other1:campaign-12 `Customer number` -> customer field `Customer number` (text, created): carry, 0.05 sure, filled Some(0.5), Some(2) distinct
          `A-0` -> `A-0`
          or existing field `Customer id` (30) (0.95): means the same as a field of the account (`customer number`)
        other2:campaign-12 `Syntymäaika` -> : leave FLD101, 0.97 sure, filled Some(0.25), Some(1) distinct
          `0.0.0000` -> ``
          or customer field (date) (0.69): label means `syntymäaika`; 100 % of the values are days
        other3:campaign-12 `Puhelin 2` -> customer field `Puhelin 2` (text, created): carry, 0.04 sure, filled Some(1.0), Some(5) distinct
          `00000000` -> `00000000`
          or customer phone (0.96): 100 % of the values may be phone numbers, and so says the label
        other4:campaign-12 `Uutiskirje` -> customer field `Uutiskirje` (boolean, created): carry, 0.11 sure, filled Some(1.0), Some(2) distinct
          `0` -> `false`
          `0` -> `true`
          or customer opt-out when no (0.89): label means `uutiskirje`; all values are 0 or 1, and the label names no measure
        other5:campaign-12 `Kontonummer` -> : leave FLD101, 0.97 sure, filled Some(0.5), Some(2) distinct
          `00 00 00` -> ``
          or customer field (text) (0.67): label means `kontonummer`; the values are text
        other6:campaign-12 `Asiakasnro` -> customer field `Asiakasnro` (text, created): carry, 0.05 sure, filled Some(1.0), Some(5) distinct
          `0000` -> `0000`
          or existing field `Customer id` (30) (0.95): means the same as a field of the account (`asiakasnro`)
    "#]].assert_eq(&shown);
}

#[test]
fn what_comes_from_outside_is_bounded() {
    let suggestion = |target: &str, confidence, reason: &str| {
        ExternalSuggestion { field: 0, target: target.into(), confidence, reason: reason.into() }
            .alternative("model `m`")
    };
    let known = suggestion("phone", 0.876, "  looks\nlike a number ").expect("known");
    assert_eq!(known.target, "customer phone");
    assert_eq!(
        (known.confidence, known.reason.as_str()),
        (0.88, "suggested by model `m`: looks like a number")
    );
    assert_eq!(suggestion("delete everything", 0.9, ""), None);
    assert_eq!(suggestion("phone", 1.5, ""), None);
    assert_eq!(suggestion("phone", f64::NAN, ""), None);
    let long = suggestion("leave", 0.5, &"x".repeat(5_000)).expect("cut");
    assert!(long.reason.chars().count() <= REASON_CHARS_MAX + 30);
}
