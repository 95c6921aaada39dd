//! What a repair does with one record.

use expect_test::expect;
use migration::decide::{Action, RecordImage};
use migration::repair::{Case, Damaged, Judged, judge};
use migration::settings::ConflictRule;

fn image(fields: &[(&str, &str)], messages: &[&str]) -> RecordImage {
    let fields = fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let messages = messages.iter().map(|message| (*message).to_owned());
    RecordImage { fields: fields.collect(), messages: messages.collect() }
}

fn told(judged: &Judged) -> String {
    let decision = &judged.decision;
    let action = match &decision.action {
        Action::Update(changes) => changes
            .iter()
            .map(|change| format!("{}={}", change.field, change.write.as_deref().unwrap_or("")))
            .collect::<Vec<_>>()
            .join(" "),
        Action::Create => "create".to_owned(),
        _ => "-".to_owned(),
    };
    let state = if judged.is_as_wished() { "as wished" } else { action.as_str() };
    format!(
        "{state} | append {} | {} {}",
        decision.append.join(","),
        judged.code().unwrap_or("-"),
        judged.kept().join(",")
    )
}

type Fields = [(&'static str, &'static str)];

fn check(
    found: Option<(&Fields, &[&str])>,
    is_touched: bool,
    damaged: &[(&str, Option<&str>)],
    rule: ConflictRule,
) -> String {
    let wished =
        image(&[("subject", "Deal"), ("tag[Q4]", "set"), ("message[5].body_text", "Hello")], &["a", "b"]);
    let damaged: Damaged =
        damaged.iter().map(|(name, value)| ((*name).to_owned(), value.map(str::to_owned))).collect();
    let case = Case {
        wished,
        found: found.map(|(fields, messages)| image(fields, messages)),
        damaged: Some(&damaged),
        is_touched,
    };
    told(&judge(case, |_| rule))
}

const WHOLE: &Fields = &[("subject", "Deal"), ("tag[Q4]", "set"), ("message[5].body_text", "Hello")];
const BROKEN: &Fields = &[("subject", "Dea1"), ("tag[Q4]", "set"), ("message[5].body_text", "Hell0")];
const ASK: ConflictRule = ConflictRule::Ask;

#[test]
fn what_nobody_touched_is_written_again() {
    let lines = [
        check(Some((WHOLE, &["a", "b"])), false, &[], ASK),
        check(Some((BROKEN, &["a", "b"])), false, &[], ASK),
        check(Some((WHOLE, &["b"])), false, &[], ASK),
        check(Some((BROKEN, &[])), false, &[], ASK),
        check(None, false, &[], ASK),
        check(Some((&[("subject", "Deal"), ("tag[Q4]", "set")], &["a", "b"])), false, &[], ASK),
    ];
    expect![[r"
        as wished | append  | - 
        message[5].body_text=Hello subject=Deal | append  | - 
        - | append a | - 
        message[5].body_text=Hello subject=Deal | append a,b | - 
        create | append  | RPR104 
        message[5].body_text=Hello | append  | - "]]
    .assert_eq(&lines.join("\n"));
}

#[test]
fn what_people_touched_stays_as_they_left_it() {
    let lines = [
        check(Some((WHOLE, &["a", "b"])), true, &[], ASK),
        check(Some((BROKEN, &["a", "b"])), true, &[], ASK),
        check(Some((WHOLE, &["b"])), true, &[], ASK),
        check(None, true, &[], ASK),
        check(None, true, &[("subject", Some("Dea1"))], ConflictRule::SourceWins),
    ];
    expect![[r"
        as wished | append  | - 
        - | append  | RPR101 message[5].body_text,subject
        - | append  | RPR102 
        - | append  | RPR102 
        - | append  | RPR102 "]]
    .assert_eq(&lines.join("\n"));
}

#[test]
fn damage_that_an_earlier_plan_saw_is_told_from_what_people_did_since() {
    let earlier: &[(&str, Option<&str>)] = &[("subject", Some("Dea1"))];
    let edited: &Fields = &[("subject", "Call back"), ("tag[Q4]", "set"), ("message[5].body_text", "Hello")];
    let tagged: &Fields =
        &[("subject", "Dea1"), ("tag[VIP]", "set"), ("tag[Q4]", "set"), ("message[5].body_text", "Hello")];
    let lines = [
        // The damage is still there, and people did something else.
        check(Some((tagged, &["a", "b"])), true, earlier, ASK),
        // People wrote over it: a rule settles it.
        check(Some((edited, &["a", "b"])), true, earlier, ASK),
        check(Some((edited, &["a", "b"])), true, earlier, ConflictRule::DestinationWins),
        check(Some((edited, &["a", "b"])), true, earlier, ConflictRule::SourceWins),
        // The same edit without any damage is theirs.
        check(Some((edited, &["a", "b"])), true, &[], ConflictRule::SourceWins),
    ];
    expect![[r"
        subject=Deal | append  | RPR101 tag[VIP]
        - | append  | RPR103 subject
        - | append  | RPR101 subject
        subject=Deal | append  | - 
        - | append  | RPR101 subject"]]
    .assert_eq(&lines.join("\n"));
}

#[test]
fn what_nobody_wished_is_removed_only_where_it_took_the_place_of_a_wish() {
    let check = |found: &[(&str, &str)]| {
        let wished = image(
            &[("tag[Q4]", "set"), ("channel[phone +1]", "listed"), ("channel[email a@b.c]", "listed")],
            &[],
        );
        let case = Case { wished, found: Some(image(found, &[])), damaged: None, is_touched: false };
        told(&judge(case, |_| ASK))
    };
    let lines = [
        check(&[
            ("tag[Q4]", "set"),
            ("tag[rule]", "set"),
            ("channel[phone +1]", "listed"),
            ("channel[email a@b.c]", "listed"),
        ]),
        check(&[("tag[Q4]", "set"), ("channel[phone +2]", "listed"), ("channel[email a@b.c]", "listed")]),
        check(&[
            ("tag[Q4]", "set"),
            ("channel[chat 9]", "listed"),
            ("channel[phone +1]", "listed"),
            ("is_spam", "true"),
        ]),
        // One is missing, and two are there that nobody wished for: which of them took its place?
        check(&[
            ("tag[rule]", "set"),
            ("tag[VIP]", "set"),
            ("channel[phone +1]", "listed"),
            ("channel[email a@b.c]", "listed"),
        ]),
        // A number does not take the place of an address.
        check(&[("tag[Q4]", "set"), ("channel[phone +1]", "listed"), ("channel[phone +2]", "listed")]),
    ];
    expect![[r"
        - | append  | RPR107 tag[rule]
        channel[phone +1]=listed channel[phone +2]= | append  | - 
        channel[email a@b.c]=listed is_spam= | append  | RPR107 channel[chat 9]
        tag[Q4]=set | append  | RPR107 tag[VIP],tag[rule]
        channel[email a@b.c]=listed | append  | RPR107 channel[phone +2]"]]
    .assert_eq(&lines.join("\n"));
}

#[test]
fn every_reason_has_words_of_its_own() {
    use migration::repair::codes::{self, words};
    let codes = [
        codes::CHANGED,
        codes::DELETED,
        codes::CONFLICT,
        codes::MISSING,
        codes::NOT_WRITABLE,
        codes::BY_HAND,
        codes::UNWISHED,
        codes::MERGED,
        codes::REFUSED,
        codes::CHANGED_SINCE,
        codes::OVERTAKEN,
        codes::NOT_OURS,
    ];
    crate::support::assert_own_words(&codes, words);
}
