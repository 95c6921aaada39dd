//! One record as wished and as it is now -> which fields are written again, which stay, and why. Pure.
//!
//! The decision is `migration::decide`'s, with the wish unchanged. What it is told as "last written" is what our last
//! write came to: when nobody else acted on the record, that is what is there now, and every difference is damage; when
//! somebody did, it is the wish, but for fields that an earlier plan found damaged while nobody had acted.

use std::collections::{BTreeMap, BTreeSet};

use migration::decide::{
    Action, Decision, FieldImage, FieldStates, Found, FoundKey, KeepReason, LastWritten, Origin, RecordImage,
    decide,
};
use migration::settings::ConflictRule;

use super::codes;

/// Fields that an earlier plan found damaged and that nobody mended since, with what they held.
pub(crate) type Damaged = BTreeMap<String, Option<String>>;

/// A record of ours.
pub(crate) struct Case<'a> {
    /// As it was wished, with all of its messages.
    pub(crate) wished: RecordImage,
    /// As it is now; nothing when it is gone or in the trash.
    pub(crate) found: Option<RecordImage>,
    /// What an earlier plan found.
    pub(crate) damaged: Option<&'a Damaged>,
    /// Somebody else acted on it, or wants it in the trash.
    pub(crate) is_touched: bool,
}

/// What becomes of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Judged {
    /// What the engine says.
    pub(crate) decision: Decision,
    /// Fields that are there and that nobody wished for, where they are not ours to remove.
    pub(crate) unwished: Vec<String>,
    /// Somebody else acted on it.
    is_touched: bool,
}

/// Judges one record; `rule` settles a field that was damaged and that people changed since.
pub(crate) fn judge(case: Case<'_>, rule: impl Fn(&str) -> ConflictRule) -> Judged {
    let Case { wished, found, damaged, is_touched } = case;
    let Some(found) = found else {
        // Nothing of what we wrote is left where nobody took it away.
        let last = LastWritten { origin: Origin::Created, image: wished.clone() };
        let decision = decide(Some(&wished), Some(&last).filter(|_| is_touched), None, rule);
        return Judged { decision, unwished: Vec::new(), is_touched };
    };
    let held = held(&wished.fields, &found.fields);
    let is_unwished =
        |name: &&String| !wished.fields.contains_key(*name) && (is_touched || !held.contains_key(*name));
    let unwished: Vec<String> = found.fields.keys().filter(is_unwished).cloned().collect();
    let image = if is_touched {
        let mut image = wished.clone();
        for (name, value) in damaged.into_iter().flatten() {
            match value {
                Some(value) => image.fields.insert(name.clone(), value.clone()),
                None => image.fields.remove(name),
            };
        }
        image
    } else {
        RecordImage { fields: held, messages: found.messages.clone() }
    };
    let last = LastWritten { origin: Origin::Created, image };
    let found = Found { image: found, key: FoundKey::Ours, has_foreign_traces: is_touched };
    let decision = decide(Some(&wished), Some(&last), Some(&found), rule);
    Judged { decision, unwished, is_touched }
}

/// What of the found fields our last write came to. A tag, channel or value that nobody wished for counts only where it
/// stands in the place of one that is missing: else somebody put it there who leaves no event.
fn held(wished: &FieldImage, found: &FieldImage) -> FieldImage {
    let mut missing: BTreeMap<&str, usize> = BTreeMap::new();
    let mut extra: BTreeMap<&str, usize> = BTreeMap::new();
    for name in wished.keys().filter(|name| !found.contains_key(*name)) {
        *missing.entry(set_of(name).unwrap_or_default()).or_default() += 1;
    }
    for name in found.keys().filter(|name| !wished.contains_key(*name)) {
        *extra.entry(set_of(name).unwrap_or_default()).or_default() += 1;
    }
    let in_place: BTreeSet<&str> =
        extra.iter().filter(|(set, count)| missing.get(*set) >= Some(*count)).map(|(set, _)| *set).collect();
    let counts =
        |name: &str| wished.contains_key(name) || set_of(name).is_none_or(|set| in_place.contains(set));
    found.iter().filter(|(name, _)| counts(name)).map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// The set that a field belongs to: tags, values, channels of one kind. Nothing for fields that stand alone.
fn set_of(name: &str) -> Option<&str> {
    if name.starts_with("message[") {
        return None;
    }
    let (kind, rest) = name.split_once('[')?;
    match (kind, rest.split_once(' ')) {
        ("channel", Some((channel, _))) => Some(&name[..kind.len() + 1 + channel.len()]),
        _ => Some(kind),
    }
}

impl Judged {
    /// Whether the record is as it was wished.
    pub(crate) fn is_as_wished(&self) -> bool {
        self.decision.action == Action::Keep(KeepReason::AsWished) && self.unwished.is_empty()
    }

    /// Code of what keeps the record, or some of it, from being as it was wished; the gravest.
    pub(crate) fn code(&self) -> Option<&'static str> {
        let decision = &self.decision;
        match decision.action {
            Action::Create => Some(codes::MISSING),
            Action::Keep(KeepReason::DeletedByPeople) => Some(codes::DELETED),
            _ if !decision.conflicts.is_empty() => Some(codes::CONFLICT),
            _ if !decision.messages_deleted.is_empty() => Some(codes::DELETED),
            _ if !decision.kept.is_empty() => Some(codes::CHANGED),
            _ if !self.unwished.is_empty() && self.is_touched => Some(codes::CHANGED),
            _ if !self.unwished.is_empty() => Some(codes::UNWISHED),
            _ => None,
        }
    }

    /// Names of the fields that stay as they are.
    pub(crate) fn kept(&self) -> Vec<&str> {
        let states = self.decision.kept.iter().chain(&self.decision.conflicts);
        let names = states.map(|states: &FieldStates| states.field.as_str());
        names.chain(self.unwished.iter().map(String::as_str)).collect()
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

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
        format!(
            "{action} | append {} | {} {}",
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
            - | append  | - 
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
            - | append  | - 
            - | append  | RPR101 message[5].body_text,subject
            - | append  | RPR102 
            - | append  | RPR102 
            - | append  | RPR102 "]]
        .assert_eq(&lines.join("\n"));
    }

    #[test]
    fn damage_that_an_earlier_plan_saw_is_told_from_what_people_did_since() {
        let earlier: &[(&str, Option<&str>)] = &[("subject", Some("Dea1"))];
        let edited: &Fields =
            &[("subject", "Call back"), ("tag[Q4]", "set"), ("message[5].body_text", "Hello")];
        let tagged: &Fields = &[
            ("subject", "Dea1"),
            ("tag[VIP]", "set"),
            ("tag[Q4]", "set"),
            ("message[5].body_text", "Hello"),
        ];
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
        ];
        expect![[r"
            - | append  | RPR107 tag[rule]
            channel[phone +1]=listed channel[phone +2]= | append  | - 
            channel[email a@b.c]=listed is_spam= | append  | RPR107 channel[chat 9]"]]
        .assert_eq(&lines.join("\n"));
    }
}
