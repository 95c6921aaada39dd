//! What a rollback does with one record.

use expect_test::expect;
use migration::decide::{Action, RecordImage};
use migration::rollback::{Deed, Judgement, Made, adopted, made};

fn image(fields: &[(&str, &str)]) -> RecordImage {
    let fields = fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    RecordImage { fields: fields.collect(), messages: std::collections::BTreeSet::new() }
}

fn told(judgement: &Judgement) -> String {
    let reason = judgement.reason.map_or("-", |(code, _)| code);
    format!("{} {reason} {}", judgement.deed.as_str(), judgement.kept_fields.join(","))
}

#[test]
fn what_we_made_goes_whole_or_stays_whole() {
    let written = image(&[("subject", "Deal"), ("status", "closed")]);
    let check = |found: Option<&[(&str, &str)]>, is_touched, is_needed, messages: &[&str]| {
        let foreign: Vec<String> = messages.iter().map(|text| (*text).to_owned()).collect();
        let mut found = found.map(image);
        if let Some(found) = &mut found {
            found.messages.extend(foreign.iter().cloned());
        }
        told(&made(Made {
            written: written.clone(),
            found,
            is_touched,
            is_needed,
            otherwise: Deed::Remove,
            foreign_messages: &foreign,
        }))
    };
    let same: &[(&str, &str)] = &[("subject", "Deal"), ("status", "closed")];
    let lines = [
        check(Some(same), false, false, &[]),
        check(None, true, true, &[]),
        check(Some(same), true, false, &[]),
        check(Some(same), false, true, &[]),
        check(Some(same), false, false, &["reply"]),
        check(Some(&[("subject", "Deal!"), ("status", "open")]), false, false, &[]),
        check(Some(&[("subject", "Deal"), ("status", "closed"), ("tag[VIP]", "set")]), false, false, &[]),
        check(Some(&[("subject", "Deal")]), false, false, &[]),
    ];
    expect![[r#"
        remove - 
        nothing ROL106 
        keep ROL102 
        keep ROL104 
        keep ROL103 
        keep ROL101 status,subject
        keep ROL101 tag[VIP]
        keep ROL101 status"#]]
    .assert_eq(&lines.join("\n"));
}

#[test]
fn what_was_there_loses_what_we_filled_and_keeps_what_people_wrote() {
    let before = image(&[("name", "Aino")]);
    let written =
        image(&[("name", "Aino"), ("external_id", "leaddesk:contact:1"), ("channel[phone 1]", "listed")]);
    let check = |found: Option<&[(&str, &str)]>| {
        let (judgement, decision) = adopted(before.clone(), written.clone(), found.map(image));
        let writes = match decision.action {
            Action::Update(changes) => changes
                .iter()
                .map(|change| format!("{}={}", change.field, change.write.as_deref().unwrap_or("")))
                .collect::<Vec<_>>()
                .join(" "),
            _ => String::new(),
        };
        format!("{} | {writes}", told(&judgement))
    };
    let lines = [
        check(Some(&[
            ("name", "Aino"),
            ("external_id", "leaddesk:contact:1"),
            ("channel[phone 1]", "listed"),
        ])),
        check(Some(&[
            ("name", "Aino"),
            ("external_id", "leaddesk:contact:1"),
            ("channel[phone 1]", "preferred"),
        ])),
        check(Some(&[("name", "Aino K."), ("external_id", "shop:7"), ("note", "VIP")])),
        check(Some(&[("name", "Aino")])),
        check(None),
    ];
    expect![[r#"
        give_back -  | channel[phone 1]= external_id=
        give_back ROL101 channel | external_id=
        give_back ROL101 external_id,name | 
        give_back ROL108  | 
        nothing ROL106  | "#]]
    .assert_eq(&lines.join("\n"));
}

#[test]
fn every_reason_has_words_of_its_own() {
    use migration::rollback::codes::{self, words};
    let codes = [
        codes::CHANGED,
        codes::TOUCHED,
        codes::ANSWERED,
        codes::NEEDED,
        codes::BROUGHT_BACK,
        codes::ABSENT,
        codes::EARLIER_RUN,
        codes::AS_BEFORE,
        codes::NOT_REMOVED,
        codes::ARCHIVED,
        codes::SECOND,
        codes::MERGED,
    ];
    crate::support::assert_own_words(&codes, words);
    assert_eq!(
        Judgement::because(Deed::Keep, codes::SECOND).reason,
        Some((codes::SECOND, words(codes::SECOND)))
    );
}

#[test]
fn every_deed_has_a_word_of_its_own() {
    let deeds = [Deed::Remove, Deed::GiveBack, Deed::Archive, Deed::Keep, Deed::Nothing];
    expect!["remove give_back archive keep nothing"].assert_eq(&deeds.map(Deed::as_str).join(" "));
}
