//! One record as written and as it is now -> what a rollback does with it, and why. Pure.
//!
//! The decision is `crate::decide`'s; here are the images that it is given and the words for its answer.

use crate::decide::{
    Action, Decision, FieldStates, Found, FoundKey, KeepReason, LastWritten, Origin, RecordImage, decide,
    field_names,
};
use crate::settings::ConflictRule;

/// What a rollback does with a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Deed {
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
    pub fn as_str(self) -> &'static str {
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
pub struct Judgement {
    /// What is done.
    pub deed: Deed,
    /// Code and words of the reason; none where nothing stands in the way.
    pub reason: Option<(&'static str, &'static str)>,
    /// Fields that people changed.
    pub kept_fields: Vec<String>,
}

impl Judgement {
    /// Without a reason.
    pub fn of(deed: Deed) -> Self {
        Self { deed, reason: None, kept_fields: Vec::new() }
    }

    /// Kept, or nothing to do.
    pub fn because(deed: Deed, code: &'static str) -> Self {
        Self { deed, reason: Some((code, codes::words(code))), kept_fields: Vec::new() }
    }
}

/// A record that we made.
pub struct Made<'a> {
    /// As it was written.
    pub written: RecordImage,
    /// As it is now; nothing when it is gone or in the trash.
    pub found: Option<RecordImage>,
    /// Somebody else acted on it.
    pub is_touched: bool,
    /// Something that stays needs it.
    pub is_needed: bool,
    /// What is done when nothing stands in the way.
    pub otherwise: Deed,
    /// Its messages that are not ours, if it has messages.
    pub foreign_messages: &'a [String],
}

/// Judges a record that we made: whole or not at all.
pub fn made(record: Made<'_>) -> Judgement {
    let last = LastWritten { origin: Origin::Created, image: record.written };
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
pub fn adopted(
    before: RecordImage,
    written: RecordImage,
    found: Option<RecordImage>,
) -> (Judgement, Decision) {
    let last = LastWritten { origin: Origin::Adopted, image: written };
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

/// Why a record is kept, or needs nothing. Stable.
pub mod codes {
    /// People changed fields of it.
    pub const CHANGED: &str = "ROL101";
    /// People acted on it, as the account's log tells.
    pub const TOUCHED: &str = "ROL102";
    /// It holds messages that are not ours.
    pub const ANSWERED: &str = "ROL103";
    /// Something that stays needs it.
    pub const NEEDED: &str = "ROL104";
    /// People acted on it while it was being removed; it was brought back.
    pub const BROUGHT_BACK: &str = "ROL105";
    /// It is gone or in the trash already.
    pub const ABSENT: &str = "ROL106";
    /// An earlier run of this migration wrote it.
    pub const EARLIER_RUN: &str = "ROL107";
    /// It is as it was before the migration already.
    pub const AS_BEFORE: &str = "ROL108";
    /// Gorgias did not remove it.
    pub const NOT_REMOVED: &str = "ROL109";
    /// A definition that Gorgias archives and never deletes.
    pub const ARCHIVED: &str = "ROL110";
    /// A second record with a key of ours that the ledger does not know.
    pub const SECOND: &str = "ROL111";
    /// A person merged the customer into another one.
    pub const MERGED: &str = "ROL112";

    /// The reason in words.
    pub fn words(code: &str) -> &'static str {
        match code {
            CHANGED => "people changed it, and what they wrote stays",
            TOUCHED => "people acted on it",
            ANSWERED => "it holds messages that are not ours",
            NEEDED => "something that stays needs it",
            BROUGHT_BACK => "people acted on it while it was being removed, so it was brought back",
            ABSENT => "it is gone or in the trash already",
            EARLIER_RUN => "an earlier run of this migration wrote it; roll that run back by its name",
            AS_BEFORE => "it is as it was before the migration already",
            NOT_REMOVED => "Gorgias did not remove it; remove it by hand",
            ARCHIVED => "Gorgias deletes no field definitions; it stays archived",
            SECOND => "a second record with a key of ours that the ledger does not know; look at it by hand",
            MERGED => "a person merged it into another customer, which stays",
            _ => "",
        }
    }
}
