//! What became of the recordings: how many are in the store, and how many hang on their messages at Gorgias.

use migration::ledger::DestinationObject;
use serde::{Deserialize, Serialize};
use snapshot::tables::SourceRecording;
use snapshot::{Pass, Row as _};

use crate::archive::{self, ArchiveError};
use crate::context::Context;
use crate::ledger::book::Book;
use crate::ledger::driver::codes;

/// Recordings by what became of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct RecordingsV1 {
    /// In the store.
    pub archived: u64,
    /// Not at LeadDesk any more.
    pub gone: u64,
    /// Not taken, for a reason that stays.
    pub failed: u64,
    /// Not fetched for now.
    pub pending: u64,
    /// Uploaded to Gorgias.
    pub uploaded: u64,
    /// Of these, the ones that may lie there twice because an answer was lost; an upper bound.
    pub uploaded_again: u64,
    /// Not taken by Gorgias.
    pub upload_refused: u64,
}

/// Counts the recordings of the run; `None` where none were to be fetched. Uploads are those of the whole ledger.
pub(super) async fn read(ctx: &Context, book: Option<&Book>) -> Result<Option<RecordingsV1>, ArchiveError> {
    if !archive::is_sealed(ctx, &ctx.run, Pass::Full, SourceRecording::SCHEMA).await? {
        return Ok(None);
    }
    let mut counts = RecordingsV1::default();
    for row in archive::open::<SourceRecording>(ctx, &ctx.run, Pass::Full).await? {
        match row?.recording_state.as_str() {
            "archived" => counts.archived += 1,
            "gone" => counts.gone += 1,
            "pending" => counts.pending += 1,
            _ => counts.failed += 1,
        }
    }
    let uploads =
        book.into_iter().flat_map(Book::iter).filter(|(key, _)| key.object == DestinationObject::Upload);
    for (key, _) in uploads {
        let code = book.and_then(|book| book.note(key)).map(|note| note.code.as_str());
        counts.uploaded += u64::from(matches!(code, Some(codes::UPLOADED | codes::UPLOADED_AGAIN)));
        counts.uploaded_again += u64::from(code == Some(codes::UPLOADED_AGAIN));
        counts.upload_refused += u64::from(code == Some(codes::UPLOAD_REFUSED));
    }
    Ok(Some(counts))
}

impl RecordingsV1 {
    /// The figures in words.
    #[must_use]
    pub fn in_words(&self) -> String {
        let all = [
            (self.archived, "in the store"),
            (self.uploaded, "uploaded to Gorgias"),
            (self.gone, "not at LeadDesk any more"),
            (self.failed, "not taken, each with its reason"),
            (self.pending, "not fetched for now"),
            (self.upload_refused, "not taken by Gorgias"),
            (self.uploaded_again, "perhaps uploaded twice, with a copy that hangs on nothing"),
        ];
        let told: Vec<String> = all
            .into_iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, what)| format!("{} {what}", super::text::grouped(count)))
            .collect();
        if told.is_empty() { "no call names one".to_owned() } else { told.join("; ") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_told_where_there_are_any() {
        let counts = RecordingsV1 {
            archived: 1_200,
            uploaded: 1_199,
            gone: 3,
            upload_refused: 1,
            ..Default::default()
        };
        assert_eq!(
            counts.in_words(),
            "1,200 in the store; 1,199 uploaded to Gorgias; 3 not at LeadDesk any more; 1 not taken by Gorgias"
        );
        assert_eq!(RecordingsV1::default().in_words(), "no call names one");
    }
}
