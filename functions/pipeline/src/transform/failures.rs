//! Rows of the table of failures, gathered from the extraction and from every part of the transformation.

use std::panic::{AssertUnwindSafe, catch_unwind};

use migration::finding::Note;
use migration::reject::Reject;
use snapshot::tables::ControlFailure;
use snapshot::{SnapshotError, TableWriter};

use super::balance::{Balance, Disposition};
use crate::extract::part::SourceReject;

/// Code of a record whose transformation panicked: a bug of ours, which costs this record and no other.
pub const PANIC: &str = "T-PANIC";
/// Code of a record whose parent record could not be made.
pub const WITHOUT_PARENT: &str = "T-PARENT";

/// Kinds of source records that are balanced.
pub const OBJECTS: [&str; 11] = [
    "agent",
    "call",
    "campaign",
    "chat_message",
    "contact",
    "conversation",
    "field",
    "group",
    "lead",
    "office",
    "outcome",
];

/// Takes failures and counts them.
pub(super) struct Failures<'a> {
    writer: TableWriter<ControlFailure>,
    /// Counts of all records.
    pub(super) balance: &'a mut Balance,
}

impl<'a> Failures<'a> {
    /// Nothing failed yet.
    pub(super) fn new(writer: TableWriter<ControlFailure>, balance: &'a mut Balance) -> Self {
        Self { writer, balance }
    }

    /// A record of the source that extraction put aside. It is part of the source, so it is counted there too; what is no
    /// record of its own, such as a row of `sponsors.csv`, is a value that is missing.
    ///
    /// # Errors
    /// [`SnapshotError`] when the disk refuses.
    pub(super) fn extracted(&mut self, reject: SourceReject) -> Result<(), SnapshotError> {
        let state = if reject.is_value_only || !OBJECTS.contains(&reject.object.as_str()) {
            "value_rejected"
        } else {
            self.balance.source(&reject.object, 1);
            self.balance.settle(&reject.object, 1, Disposition::Rejected(&reject.code));
            "rejected"
        };
        self.push(&reject.object, reject.leaddesk_id, &reject.code, reject.reason, state)
    }

    /// A record that cannot be carried. Returns after counting it as rejected.
    ///
    /// # Errors
    /// [`SnapshotError`] when the disk refuses.
    pub(super) fn rejected(
        &mut self,
        object: &str,
        id: impl Into<String>,
        code: &str,
        reason: impl Into<String>,
    ) -> Result<(), SnapshotError> {
        self.balance.settle(object, 1, Disposition::Rejected(code));
        self.push(object, id.into(), code, reason.into(), "rejected")
    }

    /// A record that is left out by decision or rule.
    ///
    /// # Errors
    /// [`SnapshotError`] when the disk refuses.
    pub(super) fn excluded(
        &mut self,
        object: &str,
        id: impl Into<String>,
        code: &str,
        reason: impl Into<String>,
    ) -> Result<(), SnapshotError> {
        self.balance.settle(object, 1, Disposition::Excluded);
        self.push(object, id.into(), code, reason.into(), "excluded")
    }

    /// A value of a record that is carried without it.
    ///
    /// # Errors
    /// [`SnapshotError`] when the disk refuses.
    pub(super) fn value_rejected(&mut self, reject: Reject) -> Result<(), SnapshotError> {
        let object = reject.object.as_str();
        self.push(object, reject.source_id, reject.code.as_str(), reject.reason, "value_rejected")
    }

    /// What was decided by rule; counted by code.
    pub(super) fn notes(&mut self, notes: &[Note]) {
        for note in notes {
            self.balance
                .note_of(note.code.as_str(), || format!("{} {}", note.object.as_str(), note.source_id));
        }
    }

    fn push(
        &mut self,
        object: &str,
        leaddesk_id: String,
        code: &str,
        reason: String,
        state: &str,
    ) -> Result<(), SnapshotError> {
        self.writer.push(ControlFailure {
            object: object.to_owned(),
            leaddesk_id,
            reason_code: code.to_owned(),
            reason,
            state: state.to_owned(),
        })
    }

    /// The table.
    #[must_use]
    pub(super) fn into_writer(self) -> TableWriter<ControlFailure> {
        self.writer
    }
}

/// Runs a pure decision about one record; a panic in it is this record's own failure.
pub(super) fn guarded<T>(decide: impl FnOnce() -> T) -> Option<T> {
    // The decision borrows immutable facts only, so nothing half-changed outlives the panic.
    catch_unwind(AssertUnwindSafe(decide)).ok()
}
