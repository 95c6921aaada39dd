//! Why a record is not as LeadDesk has it after a delta, or only in part. Stable.

/// People changed fields of it.
pub const CHANGED: &str = "DEL111";
/// People deleted it, or some of its messages.
pub const DELETED: &str = "DEL112";
/// LeadDesk and people changed the same field.
pub const CONFLICT: &str = "DEL113";
/// It holds a changed field that no request writes.
pub const NOT_WRITABLE: &str = "DEL114";
/// A person merged it into another customer.
pub const MERGED: &str = "DEL115";
/// It was never loaded: refused, or its customer is not there.
pub const NOT_LOADED: &str = "DEL116";
/// Somebody changed it while the delta ran; the next one looks again.
pub const CHANGED_SINCE: &str = "DEL117";
/// Gorgias refused the write.
pub const REFUSED: &str = "DEL118";
/// Its source vanished from LeadDesk.
pub const VANISHED: &str = "DEL119";
/// Somebody acted on it between our look and our write, and it holds what we wrote.
pub const OVERTAKEN: &str = "DEL120";

/// The reason in words.
pub(crate) fn words(code: &str) -> &'static str {
    match code {
        CHANGED => "people changed it, and what they wrote stays",
        DELETED => "people deleted it, or some of its messages; nothing is brought back",
        CONFLICT => {
            "LeadDesk and people changed the same field; a rule of the mapping or a person settles it"
        }
        NOT_WRITABLE => "it holds a changed field that can only be written when the record is made",
        MERGED => "a person merged it into another customer",
        NOT_LOADED => "it was not loaded, so it cannot be brought up to date",
        CHANGED_SINCE => "somebody changed it while the delta ran; the next delta looks again",
        REFUSED => "Gorgias refused the write",
        VANISHED => "LeadDesk does not show its source any more",
        OVERTAKEN => "somebody acted on it while it was written; look whether their change is there",
        _ => "",
    }
}
