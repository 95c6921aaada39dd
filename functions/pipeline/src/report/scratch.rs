//! What is known of source records, brought together in the scratch folder: many tables say one thing each about a
//! record, and sorting them together needs no memory.

snapshot::table! {
    /// One statement about a source record.
    pub struct ScratchFact = "ctl_scratch_fact", Control, version 1 multi {
        /// Kind of record, such as `contact`.
        object: String => key category,
        /// Id of the record at the source.
        leaddesk_id: String => key indirect,
        /// What the statement says; see the words below.
        fact_kind: String => key category,
        /// Key of what was made of it.
        external_id: Option<String> => indirect,
        /// Id at Gorgias.
        gorgias_id: Option<String> => indirect,
        /// Address of the record for people.
        gorgias_url: Option<String> => indirect,
        /// How the id was learned.
        via: Option<String> => category,
        /// Code of the reason.
        code: Option<String> => category,
        /// The reason, without values.
        reason: Option<String> => category,
    }
}

/// The record stands in the source snapshot.
pub(super) const SOURCE: &str = "source";
/// Extraction put the record aside; every such statement is a record of its own.
pub(super) const SET_ASIDE: &str = "set_aside";
/// Transform or load refused the record.
pub(super) const REJECTED: &str = "rejected";
/// The record was left out by decision or rule.
pub(super) const EXCLUDED: &str = "excluded";
/// A value of the record was dropped.
pub(super) const VALUE_REJECTED: &str = "value_rejected";
/// The record is part of another.
pub(super) const MERGED: &str = "merged";
/// Where the record should be; with a code when it is not there, or not as wished.
pub(super) const TARGET: &str = "target";
/// The record as it was read back, where it has an id of its own.
pub(super) const FOUND: &str = "found";
