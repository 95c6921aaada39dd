//! Why a record is kept, or needs nothing. Stable.

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
pub(crate) fn words(code: &str) -> &'static str {
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
