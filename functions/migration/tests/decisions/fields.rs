//! Slots, their types and values, and the plan under the limits of the account.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use expect_test::{Expect, expect};
use migration::fields::{
    DISTINCT_MAX, FieldAction, FieldPlan, FieldPlanInput, FieldSource, LeftReason, Memberships, Scope,
    ScopeMap, SlotKey, SlotKind, SlotStatistics, convert, infer,
};
use migration::gorgias::{self, FieldKind, FieldObject, FieldValue};
use migration::leaddesk::{CampaignId, ContactId, ListId, Slot, SlotSetting};
use migration::settings::{FieldRoom, MappingSettings, SlotChoice};
use proptest::prelude::*;

use crate::support::{list, notes_text, seeded, settings};

#[test]
fn values() {
    let check = |kind: SlotKind, raw: &str, expected: &str| {
        let found = match convert(raw, kind) {
            Ok(FieldValue::Text(text)) => format!("text {text}"),
            Ok(FieldValue::Number(number)) => format!("number {number}"),
            Ok(FieldValue::Boolean(answer)) => format!("{answer}"),
            Err(reject) => format!("reject: {reject}"),
        };
        assert_eq!(found, expected, "{raw:?} as {}", kind.as_str());
    };
    let number = |raw, expected| check(SlotKind::Number, raw, expected);
    number("12", "number 12");
    number("-3", "number -3");
    number("0", "number 0");
    number("1,5", "number 1.5");
    number("1.5", "number 1.5");
    number("1 234,50", "number 1234.5");
    number("1\u{a0}234", "number 1234");
    number("1.234,5", "number 1234.5");
    number("1,234.5", "number 1234.5");
    number("1.234.567", "number 1234567");
    number("1'000", "number 1000");
    number("0,5", "number 0.5");
    number("007", "reject: not a number");
    number("+358401234567", "reject: not a number");
    number("12,34,56", "reject: not a number");
    number("1 23", "reject: not a number");
    number("12 €", "reject: not a number");
    number("1e5", "reject: not a number");
    number("NaN", "reject: not a number");
    number("12.", "reject: not a number");
    number(",5", "reject: not a number");
    number("1234567890123456", "reject: not a number");
    number(" ", "reject: empty");
    let boolean = |raw, expected| check(SlotKind::Boolean, raw, expected);
    for yes in ["kyllä", "Ja", "JAH", "sí", "yes", "true", "1", "x"] {
        boolean(yes, "true");
    }
    for no in ["ei", "nej", "Nei", "nein", "nee", "no", "false", "0"] {
        boolean(no, "false");
    }
    boolean("maybe", "reject: neither yes nor no");
    let date = |raw, expected| check(SlotKind::Date, raw, expected);
    date("2024-03-31", "text 2024-03-31");
    date("31.3.2024", "text 2024-03-31");
    date("31/03/2024", "text 2024-03-31");
    date("31-03-2024", "text 2024-03-31");
    date("2024-03-31 10:20:30", "text 2024-03-31T10:20:30");
    date("31.3.2024 10:20", "text 2024-03-31T10:20:00");
    date("29.2.2023", "reject: not a date");
    date("3/31/2024", "reject: not a date");
    date("31.3.24", "text 2024-03-31");
    date("20240331", "text 2024-03-31");
    date("soon", "reject: not a date");
    check(SlotKind::Text, "  spaced  ", "text spaced");
    check(SlotKind::Text, &"a".repeat(1_001), "reject: longer than 1000 characters");
}

fn observed(values: &[&str]) -> SlotStatistics {
    let mut statistics = SlotStatistics::new();
    for value in values {
        statistics.observe(value);
    }
    statistics
}

fn setting(campaign: u64, slot: u8, label: &str, kind: &str, values: &[&str]) -> SlotSetting {
    SlotSetting {
        campaign: CampaignId(campaign),
        slot: Slot::new(slot).unwrap(),
        label: label.to_owned(),
        kind: kind.to_owned(),
        values: values.iter().map(|value| (*value).to_owned()).collect(),
    }
}

#[test]
fn inference() {
    let check = |values: &[&str], setting: Option<SlotSetting>, expected: &Expect| {
        let inference = infer(&observed(values), setting.as_ref());
        let kind = inference.slot_kind().as_str();
        expected.assert_eq(&format!("{kind} {:.2}: {}", inference.share, inference.reason));
    };
    let numbers = ["1", "2", "3,5", "4", "5", "6"];
    let words = ["kyllä", "ei", "Kyllä", "EI", "kyllä"];
    let dates = ["1.2.2024", "2.2.2024", "3.2.2024", "2024-02-04", "5.2.2024"];
    check(&numbers, None, &expect!["number 1.00: values are numbers; 6 of 6 fit"]);
    check(
        &numbers,
        Some(setting(1, 1, "N", "text", &[])),
        &expect!["text 1.00: setting says text; 6 of 6 fit"],
    );
    check(&numbers[..3], None, &expect!["text 1.00: too few values for another type; 3 of 3 fit"]);
    check(
        &numbers[..3],
        Some(setting(1, 1, "N", "number", &[])),
        &expect!["number 1.00: setting says number; 3 of 3 fit"],
    );
    check(
        &["1", "two", "3"],
        Some(setting(1, 1, "N", "number", &[])),
        &expect!["text 1.00: setting says number, but too many values do not fit; 3 of 3 fit"],
    );
    check(&words, None, &expect!["boolean 1.00: values are yes and no; 5 of 5 fit"]);
    check(&["0", "1", "0", "1", "1"], None, &expect!["number 1.00: values are numbers; 5 of 5 fit"]);
    check(
        &words,
        Some(setting(1, 1, "B", "dropdown", &["kyllä", "ei"])),
        &expect!["boolean 1.00: drop-down of yes and no; 5 of 5 fit"],
    );
    check(
        &["red", "green"],
        Some(setting(1, 1, "C", "dropdown", &["red", "green"])),
        &expect!["text 1.00: drop-down; 2 of 2 fit"],
    );
    check(&dates, None, &expect!["date 1.00: values are dates; 5 of 5 fit"]);
    check(&dates, Some(setting(1, 1, "D", "text", &[])), &expect!["date 1.00: values are dates; 5 of 5 fit"]);
    check(&["a", "b", "c", "d", "e"], None, &expect!["text 1.00: values are text; 5 of 5 fit"]);
    check(&[], None, &expect!["text 1.00: too few values for another type; 0 of 0 fit"]);
}

#[test]
fn statistics_show_shapes_not_values() {
    let statistics = observed(&["Anna Virtanen", "040 123 4567", "", "  "]);
    assert_eq!(statistics.filled(), 2);
    assert_eq!(statistics.samples().collect::<Vec<_>>(), ["000 000 0000", "Aaaa Aaaaaaaa"]);
    let many: Vec<String> = (0..60).map(|number| format!("value {number}")).collect();
    let many = observed(&many.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(many.distinct(), None, "more than {DISTINCT_MAX}");
    assert_eq!(observed(&["a", "A", "b"]).distinct(), Some(2));
}

fn key(slot: u8, campaign: u64) -> SlotKey {
    SlotKey { slot: Slot::new(slot).unwrap(), scope: Scope::Campaign(CampaignId(campaign)) }
}

fn field(
    id: u64,
    object: FieldObject,
    label: &str,
    external_id: &str,
    kind: FieldKind,
    is_active: bool,
) -> gorgias::Field {
    gorgias::Field {
        id: gorgias::FieldId(id),
        object,
        label: label.to_owned(),
        external_id: (!external_id.is_empty()).then(|| external_id.to_owned()),
        kind,
        is_active,
        is_managed: false,
    }
}

fn plan(
    statistics: &BTreeMap<SlotKey, SlotStatistics>,
    slots: &[SlotSetting],
    existing: &[gorgias::Field],
    mapping: &MappingSettings,
) -> FieldPlan {
    let scope_names = BTreeMap::from([
        (Scope::Campaign(CampaignId(12)), "Autumn".to_owned()),
        (Scope::Campaign(CampaignId(13)), "Winter".to_owned()),
    ]);
    FieldPlan::build(&FieldPlanInput {
        statistics,
        settings: slots,
        existing,
        scope_names: &scope_names,
        mapping,
        suggestions: &BTreeMap::new(),
    })
}

fn shown(plan: &FieldPlan) -> String {
    let mut out = String::new();
    for field in plan.fields() {
        let action = match field.action {
            FieldAction::Create => "create".to_owned(),
            FieldAction::Reuse(id) => format!("reuse {id}"),
            FieldAction::Reactivate(id) => format!("reactivate {id}"),
        };
        let object = field.draft.object.as_str();
        writeln!(
            out,
            "{} = {object} `{}` {} {action}",
            field.draft.key,
            field.draft.label,
            field.kind.as_str()
        )
        .unwrap();
    }
    for left in plan.left() {
        writeln!(out, "left {} `{}` {:?}", left.key, left.label, left.reason).unwrap();
    }
    for conflict in plan.conflicts() {
        writeln!(out, "conflict `{}`: {}", conflict.label, conflict.reason).unwrap();
    }
    out
}

#[test]
fn fixed_fields_are_always_there() {
    expect![[r"
        leaddesk:field:disposition = Ticket `leaddesk_disposition__c` text create
        leaddesk:field:lead-status = Ticket `leaddesk_lead_status__c` text create
        leaddesk:field:email-opt-out = Customer `HasOptedOutOfEmail` boolean create
    "]]
    .assert_eq(&shown(&plan(&BTreeMap::new(), &[], &[], &settings())));
}

#[test]
fn existing_fields_are_used_reactivated_or_in_the_way() {
    let existing = [
        field(1, FieldObject::Ticket, "leaddesk_disposition__c", "", FieldKind::Text, true),
        field(2, FieldObject::Ticket, "Leaddesk_lead_status__c", "", FieldKind::Text, false),
        field(3, FieldObject::Ticket, "HasOptedOutOfEmail", "", FieldKind::Boolean, true),
    ];
    let plan = plan(&BTreeMap::new(), &[], &existing, &settings());
    expect![[r"
        leaddesk:field:disposition = Ticket `leaddesk_disposition__c` text reuse 1
        leaddesk:field:lead-status = Ticket `leaddesk_lead_status__c` text reactivate 2
        conflict `HasOptedOutOfEmail`: a Ticket field carries the label
    "]]
    .assert_eq(&shown(&plan));
    expect![[r"
        FLD104 slot/leaddesk:field:lead-status `leaddesk_lead_status__c` (field 2)
    "]]
    .assert_eq(&notes_text(plan.notes()));
}

#[test]
fn labels_clash_and_sensitive_slots_stay_out() {
    let statistics = BTreeMap::from([
        (key(1, 12), observed(&["a", "b", "c"])),
        (key(1, 13), observed(&["d", "e"])),
        (key(2, 12), observed(&["131052-308T"])),
        (key(3, 12), observed(&["f"])),
        (key(4, 12), observed(&["FI21 1234 5600 0007 85"])),
        (key(5, 12), observed(&[""])),
        (key(6, 12), observed(&["x y"])),
    ]);
    let slots = [
        setting(12, 1, "Customer number", "text", &[]),
        setting(13, 1, "customer number", "text", &[]),
        setting(12, 2, "Henkilötunnus", "text", &[]),
        setting(12, 3, "Priority", "text", &[]),
        setting(12, 6, "Sisäinen tieto", "text", &[]),
    ];
    let existing = [field(9, FieldObject::Ticket, "priority", "", FieldKind::Text, false)];
    let mut mapping = settings();
    mapping.slot_choices.insert(key(6, 12), SlotChoice::Leave("internal".to_owned()));
    let plan = plan(&statistics, &slots, &existing, &mapping);
    expect![[r#"
        leaddesk:field:disposition = Ticket `leaddesk_disposition__c` text create
        leaddesk:field:lead-status = Ticket `leaddesk_lead_status__c` text create
        leaddesk:field:email-opt-out = Customer `HasOptedOutOfEmail` boolean create
        leaddesk:field:other1:campaign-12 = Customer `Customer number (Autumn)` text create
        leaddesk:field:other1:campaign-13 = Customer `customer number (Winter)` text create
        leaddesk:field:other3:campaign-12 = Customer `Priority (Autumn)` text create
        left other2:campaign-12 `Henkilötunnus` Sensitive("label contains `henkilötunnu`")
        left other4:campaign-12 `LeadDesk other 4` Sensitive("values have the shape of a bank account or national id")
        left other6:campaign-12 `Sisäinen tieto` ByChoice("internal")
    "#]]
    .assert_eq(&shown(&plan));
}

#[test]
fn over_the_limit_the_fullest_win() {
    let mut statistics = BTreeMap::new();
    for slot in 1..=4 {
        let values = vec!["v"; usize::from(slot)];
        statistics.insert(key(slot, 12), observed(&values));
    }
    let mut mapping = settings();
    // One place is taken by a field of the account, one by the opt-out field.
    mapping.field_room = FieldRoom { ticket: 25, customer: 4, both: None };
    let existing = [field(9, FieldObject::Customer, "customer_type", "", FieldKind::Text, true)];
    let limited = plan(&statistics, &[], &existing, &mapping);
    let left: Vec<String> = limited.left().map(|left| format!("{} {:?}", left.key, left.reason)).collect();
    assert_eq!(left, ["other1:campaign-12 NoRoom { rank: 4 }", "other2:campaign-12 NoRoom { rank: 3 }"]);
    assert!(limited.left().all(|left| left.reason.is_shown()));
    mapping.field_room = FieldRoom { ticket: 25, customer: 25, both: Some(4) };
    let both = plan(&statistics, &[], &existing, &mapping);
    assert_eq!(both.left().count(), 4, "three fixed fields and one present fill four places");
    mapping.field_room = FieldRoom { ticket: 1, customer: 25, both: None };
    let none = plan(&BTreeMap::new(), &[], &[], &mapping);
    assert_eq!(none.conflicts().len(), 1, "the second ticket field has no room");
}

#[test]
fn planning_again_uses_what_the_first_run_made() {
    let statistics = BTreeMap::from([(key(1, 12), observed(&["a"]))]);
    let slots = [setting(12, 1, "Customer number", "text", &[])];
    let id = FieldSource::Slot(key(1, 12)).key().0;
    let check = |existing: gorgias::Field, expected: &str| {
        let plan = plan(&statistics, &slots, &[existing], &settings());
        let line = shown(&plan).lines().filter(|line| line.contains("other1")).collect::<Vec<_>>().join("\n");
        assert_eq!(line, expected);
    };
    let customer = FieldObject::Customer;
    check(
        field(4, customer, "Renamed by people", &id, FieldKind::Text, true),
        "leaddesk:field:other1:campaign-12 = Customer `Renamed by people` text reuse 4",
    );
    check(
        field(4, customer, "Customer number", &id, FieldKind::Text, false),
        "leaddesk:field:other1:campaign-12 = Customer `Customer number` text reactivate 4",
    );
    check(
        field(4, customer, "Customer number", &id, FieldKind::Number, true),
        "left other1:campaign-12 `Customer number` Clash",
    );
}

#[test]
fn scopes_follow_the_only_campaign() {
    let scopes = ScopeMap::new(&[
        list(1, "A", &[12]),
        list(2, "B", &[12, 13]),
        list(3, "C", &[]),
        list(4, "D", &[13, 13]),
    ]);
    let shown: Vec<String> = (1..=5).map(|id| scopes.scope(ListId(id)).to_string()).collect();
    assert_eq!(shown, ["campaign-12", "list-2", "list-3", "campaign-13", "list-5"]);
    assert_eq!(ScopeMap::from_pairs(scopes.pairs()), scopes);
    let memberships =
        Memberships::new([(ContactId(9), ListId(4)), (ContactId(9), ListId(1)), (ContactId(9), ListId(4))]);
    assert_eq!(memberships.lists_of(ContactId(9)).collect::<Vec<_>>(), [ListId(1), ListId(4)]);
    assert_eq!(memberships.scopes_of(ContactId(8), &scopes), []);
}

#[test]
fn keys_read_back() {
    for text in ["other7:campaign-12", "other35:list-3"] {
        assert_eq!(text.parse::<SlotKey>().unwrap().to_string(), text);
    }
    for text in ["other36:list-3", "other7", "other7:office-1", "other7:list-0"] {
        assert!(text.parse::<SlotKey>().is_err(), "{text}");
    }
}

fn any_value() -> impl Strategy<Value = String> {
    prop_oneof![
        "[0-9 .,-]{0,12}",
        "(kyllä|ei|yes|no|0|1)",
        "[0-9]{1,2}[./-][0-9]{1,2}[./-][0-9]{4}",
        "[a-zA-Zäö ]{0,12}",
    ]
}

proptest! {
    #![proptest_config(seeded(400))]

    #[test]
    fn conversion_never_changes_a_number(whole in 0_u64..1_000_000_000, cents in 0_u64..100) {
        let text = format!("{whole},{cents:02}");
        let FieldValue::Number(number) = convert(&text, SlotKind::Number).unwrap() else { panic!("not a number") };
        prop_assert_eq!(format!("{number:.2}"), format!("{whole}.{cents:02}"));
    }

    #[test]
    fn what_was_inferred_fits(values in proptest::collection::vec(any_value(), 0..60)) {
        let mut statistics = SlotStatistics::new();
        values.iter().for_each(|value| statistics.observe(value));
        let inference = infer(&statistics, None);
        let filled = values.iter().filter(|value| !value.trim().is_empty());
        let fitting = filled.clone().filter(|value| convert(value, inference.slot_kind()).is_ok()).count();
        let count = filled.count();
        prop_assert_eq!(statistics.filled(), count as u64);
        if count > 0 {
            prop_assert!((fitting as f64 / count as f64 - inference.share).abs() < 1e-9);
            prop_assert!(inference.share >= 0.98);
        }
    }

    #[test]
    fn statistics_do_not_depend_on_order(
        values in proptest::collection::vec("[a-z0-9]{1,3}", 0..200), cut in any::<prop::sample::Index>(),
    ) {
        let mut whole = SlotStatistics::new();
        values.iter().for_each(|value| whole.observe(value));
        let (left, right) = values.split_at(if values.is_empty() { 0 } else { cut.index(values.len()) });
        let part = |values: &[String]| {
            let mut part = SlotStatistics::new();
            values.iter().rev().for_each(|value| part.observe(value));
            part
        };
        let mut merged = part(right);
        merged.merge(&part(left));
        prop_assert_eq!(merged, whole);
    }

    #[test]
    fn every_plan_keeps_the_limits(
        filled in proptest::collection::btree_map((1_u8..=35, 12_u64..16), 1_usize..6, 0..70),
        customer in 0_usize..30,
        both in proptest::option::of(0_usize..30),
    ) {
        let statistics: BTreeMap<SlotKey, SlotStatistics> = filled
            .iter()
            .map(|((slot, campaign), count)| (key(*slot, *campaign), observed(&vec!["value"; *count])))
            .collect();
        let mut mapping = settings();
        mapping.field_room = FieldRoom { ticket: 25, customer, both };
        let plan = plan(&statistics, &[], &[], &mapping);
        let customers = plan.fields_of(FieldObject::Customer).count();
        prop_assert!(customers <= customer);
        prop_assert!(both.is_none_or(|both| plan.fields().count() <= both));
        let slots = plan.fields().filter(|field| matches!(field.source, FieldSource::Slot(_))).count();
        prop_assert_eq!(slots + plan.left().count(), statistics.len());
        let mut labels: Vec<String> = plan.fields().map(|field| field.draft.label.to_lowercase()).collect();
        labels.sort();
        labels.dedup();
        prop_assert_eq!(labels.len(), plan.fields().count());
        // Nobody with fewer values got a place that somebody with more was refused.
        let fewest = plan.fields().filter(|field| field.filled > 0).map(|field| field.filled).min();
        let most_left = plan.left().filter(|left| left.reason != LeftReason::Clash).map(|left| left.filled).max();
        if let (Some(fewest), Some(most_left)) = (fewest, most_left) {
            prop_assert!(fewest >= most_left);
        }
    }
}
