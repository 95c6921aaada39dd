//! One record as written and as it is now -> what a rollback does with it, and why. Pure.
//!
//! The decision is `migration::decide`'s; here are the images that it is given and the words for its answer.

use migration::decide::{
    Action, Decision, FieldStates, Found, FoundKey, KeepReason, LastWritten, RecordImage, decide,
};
use migration::settings::ConflictRule;

use super::codes;
use crate::sides::field_names;

/// What a rollback does with a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Deed {
    /// Into the trash where there is one, and for good when the hold is over.
    Remove,
    /// What we filled is taken out of a record that was there before.
    GiveBack,
    /// A definition that has no deletion is archived.
    Archive,
    /// Left as it is, because of people.
    Keep,
    /// Left as it is, because there is nothing to do.
    Nothing,
}

impl Deed {
    /// The word in the table.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Remove => "remove",
            Self::GiveBack => "give_back",
            Self::Archive => "archive",
            Self::Keep => "keep",
            Self::Nothing => "nothing",
        }
    }
}

/// What is done and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Judgement {
    /// What is done.
    pub(crate) deed: Deed,
    /// Code and words of the reason; none where nothing stands in the way.
    pub(crate) reason: Option<(&'static str, &'static str)>,
    /// Fields that people changed.
    pub(crate) kept_fields: Vec<String>,
}

impl Judgement {
    /// Without a reason.
    pub(crate) fn of(deed: Deed) -> Self {
        Self { deed, reason: None, kept_fields: Vec::new() }
    }

    /// Kept, or nothing to do.
    pub(crate) fn because(deed: Deed, code: &'static str) -> Self {
        Self { deed, reason: Some((code, codes::words(code))), kept_fields: Vec::new() }
    }
}

/// A record that we made.
pub(crate) struct Made<'a> {
    /// As it was written.
    pub(crate) written: RecordImage,
    /// As it is now; nothing when it is gone or in the trash.
    pub(crate) found: Option<RecordImage>,
    /// Somebody else acted on it.
    pub(crate) is_touched: bool,
    /// Something that stays needs it.
    pub(crate) is_needed: bool,
    /// What is done when nothing stands in the way.
    pub(crate) otherwise: Deed,
    /// Its messages that are not ours, if it has messages.
    pub(crate) foreign_messages: &'a [String],
}

/// Judges a record that we made: whole or not at all.
pub(crate) fn made(record: Made<'_>) -> Judgement {
    let last = LastWritten { origin: migration::decide::Origin::Created, image: record.written };
    let found =
        record.found.map(|image| Found { image, key: FoundKey::Ours, has_foreign_traces: record.is_touched });
    let decision = decide(None, Some(&last), found.as_ref(), |_| ConflictRule::DestinationWins);
    match decision.action {
        Action::Delete if record.is_needed => Judgement::because(Deed::Keep, codes::NEEDED),
        Action::Delete => Judgement::of(record.otherwise),
        Action::Keep(KeepReason::Absent) => Judgement::because(Deed::Nothing, codes::ABSENT),
        _ if !decision.kept.is_empty() => {
            let mut judgement = Judgement::because(Deed::Keep, codes::CHANGED);
            judgement.kept_fields = names(&decision.kept);
            judgement
        }
        _ if !record.foreign_messages.is_empty() => Judgement::because(Deed::Keep, codes::ANSWERED),
        _ => Judgement::because(Deed::Keep, codes::TOUCHED),
    }
}

/// Judges a record that was there before us: field by field. The decision says what is written.
pub(crate) fn adopted(
    before: RecordImage,
    written: RecordImage,
    found: Option<RecordImage>,
) -> (Judgement, Decision) {
    let last = LastWritten { origin: migration::decide::Origin::Adopted, image: written };
    let found = found.map(|image| Found { image, key: FoundKey::Ours, has_foreign_traces: false });
    let decision = decide(Some(&before), Some(&last), found.as_ref(), |_| ConflictRule::DestinationWins);
    let mut judgement = match (&decision.action, &found) {
        (_, None) => Judgement::because(Deed::Nothing, codes::ABSENT),
        (Action::Update(_), _) => Judgement::of(Deed::GiveBack),
        (Action::Keep(KeepReason::AsWished), _) => Judgement::because(Deed::GiveBack, codes::AS_BEFORE),
        _ => Judgement::because(Deed::GiveBack, codes::CHANGED),
    };
    judgement.kept_fields = names(&decision.kept);
    if !judgement.kept_fields.is_empty() && judgement.reason.is_none() {
        judgement.reason = Some((codes::CHANGED, codes::words(codes::CHANGED)));
    }
    (judgement, decision)
}

fn names(states: &[FieldStates]) -> Vec<String> {
    field_names(states.iter().map(|states| states.field.as_str()))
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

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
}
