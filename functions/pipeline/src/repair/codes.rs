//! Why a record that differs is not mended, or only in part. Stable.

/// People changed fields of it.
pub const CHANGED: &str = "RPR101";
/// People deleted it, or some of its messages.
pub const DELETED: &str = "RPR102";
/// A field was damaged, and people changed it since.
pub const CONFLICT: &str = "RPR103";
/// It is not there, and nobody deleted it.
pub const MISSING: &str = "RPR104";
/// It holds a field that no request writes.
pub const NOT_WRITABLE: &str = "RPR105";
/// It is a tag, team or field definition.
pub const BY_HAND: &str = "RPR106";
/// It holds something beside what was wished that nobody of us wrote.
pub const UNWISHED: &str = "RPR107";
/// A person merged it into another customer.
pub const MERGED: &str = "RPR108";
/// Gorgias refused the write.
pub const REFUSED: &str = "RPR109";
/// Somebody changed it since the plan.
pub const CHANGED_SINCE: &str = "RPR110";
/// Somebody acted on it while it was written.
pub const OVERTAKEN: &str = "RPR112";
/// It carries a key of ours, and this ledger did not write it.
pub const NOT_OURS: &str = "RPR111";

/// The reason in words.
pub(crate) fn words(code: &str) -> &'static str {
    match code {
        CHANGED => "people changed it, and what they wrote stays",
        DELETED => "people deleted it, or some of its messages; nothing is brought back",
        CONFLICT => {
            "a field was damaged and people changed it since; a rule of the mapping or a person settles it"
        }
        MISSING => "it is not there although it was written, and nobody deleted it",
        NOT_WRITABLE => "it holds a field that can only be written when the record is made",
        BY_HAND => "definitions are mended by hand",
        UNWISHED => "it holds something beside what was wished, which is not ours to remove",
        MERGED => "a person merged it into another customer",
        REFUSED => "Gorgias refused the write",
        CHANGED_SINCE => "somebody changed it since the plan; plan again",
        OVERTAKEN => "somebody acted on it while it was written; look whether their change is there",
        NOT_OURS => "it carries a key of ours and was not written by this ledger",
        _ => "",
    }
}
