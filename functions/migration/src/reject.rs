//! Records that cannot be written, each with its reason.
//!
//! Deliberately absent: the record itself (it is in the source snapshot) and any value of it.

use std::fmt;

use crate::finding::{Code, ObjectKind};

/// One source record, or one value of it, that does not arrive.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reject {
    /// Kind of source record.
    pub object: ObjectKind,
    /// Its id.
    pub source_id: String,
    /// Stable code.
    pub code: Code,
    /// Why, in words; ids, counts and masked values only.
    pub reason: String,
}

impl Reject {
    /// A reject with its reason.
    pub fn new(
        object: ObjectKind,
        source_id: impl fmt::Display,
        code: Code,
        reason: impl Into<String>,
    ) -> Self {
        Self { object, source_id: source_id.to_string(), code, reason: reason.into() }
    }
}

impl fmt::Display for Reject {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "reject {}/{}: {} {}", self.object.as_str(), self.source_id, self.code, self.reason)
    }
}
