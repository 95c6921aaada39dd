//! One record as it was wished before, as it is wished now, and as it is -> the rows of the plan. Pure.

use std::collections::BTreeMap;

use migration::decide::{
    Action, Decision, FieldStates, Found, FoundKey, KeepReason, LastWritten, Origin, RecordImage, decide,
    field_names,
};
use migration::settings::ConflictRule;
use serde::{Deserialize, Serialize};
use snapshot::tables::{ControlDelta, ControlRepair};

use super::codes;
use crate::mends::Mends;

/// Fields that an earlier delta could not settle, with what was written before it.
pub(super) type Unsettled = BTreeMap<String, Option<String>>;

/// Decides by the three states; `unsettled` says what was written last where that is not what was wished.
pub(super) fn judge(
    before: RecordImage,
    wished: &RecordImage,
    found: Option<RecordImage>,
    unsettled: Option<&Unsettled>,
    rule: impl Fn(&str) -> ConflictRule,
) -> Decision {
    let mut image = before;
    for (name, value) in unsettled.into_iter().flatten() {
        match value {
            Some(value) => image.fields.insert(name.clone(), value.clone()),
            None => image.fields.remove(name),
        };
    }
    let last = LastWritten { origin: Origin::Created, image };
    let found = found.map(|image| Found { image, key: FoundKey::Ours, has_foreign_traces: false });
    decide(Some(wished), Some(&last), found.as_ref(), rule)
}

/// Code of what keeps the record, or some of it, from being as it is wished; the gravest.
pub(super) fn code(decision: &Decision) -> Option<&'static str> {
    match decision.action {
        Action::Keep(KeepReason::DeletedByPeople) => Some(codes::DELETED),
        _ if !decision.conflicts.is_empty() => Some(codes::CONFLICT),
        _ if !decision.messages_deleted.is_empty() => Some(codes::DELETED),
        _ if !decision.kept.is_empty() => Some(codes::CHANGED),
        _ => None,
    }
}

/// What a row is about.
pub(super) struct Place<'a> {
    pub(super) object: &'a str,
    pub(super) external_id: &'a str,
    /// Id in Gorgias; of the ticket for a message that is appended.
    pub(super) id: Option<u64>,
}

impl Place<'_> {
    /// A row without fields.
    pub(super) fn row(&self, action: &str, code: Option<&'static str>) -> ControlDelta {
        ControlDelta {
            object: self.object.to_owned(),
            external_id: self.external_id.to_owned(),
            gorgias_id: self.id.map(|id| id.to_string()).unwrap_or_default(),
            action: action.to_owned(),
            reason_code: code.map(str::to_owned),
            reason: code.map(|code| codes::words(code).to_owned()),
            changed_fields: None,
            kept_fields: None,
            change: None,
            conflict: None,
        }
    }

    /// The row of a record that is there; none when nothing is to be said of it.
    pub(super) fn judged(
        &self,
        mends: &Mends,
        unwritable: &[String],
        states: &States<'_>,
        ticket: Option<u64>,
    ) -> Result<Option<ControlDelta>, serde_json::Error> {
        let code = states.code.or((!unwritable.is_empty()).then_some(codes::NOT_WRITABLE));
        if mends.is_empty() && code.is_none() {
            return Ok(None);
        }
        let action = match (mends.is_empty(), code) {
            (false, _) => "update",
            (true, Some(codes::CONFLICT)) => "ask",
            (true, _) => "keep",
        };
        let joined = |names: Vec<String>| (!names.is_empty()).then(|| names.join(" "));
        let kept = states.kept.iter().chain(&states.conflicts).map(|states| states.field.as_str());
        let kept = kept.chain(unwritable.iter().map(String::as_str));
        Ok(Some(ControlDelta {
            changed_fields: joined(field_names(mends.iter().map(|(name, _)| name))),
            kept_fields: joined(field_names(kept)),
            change: (!mends.is_empty()).then(|| mends.encode(ticket)).transpose()?,
            conflict: conflicts_text(&states.conflicts)?,
            ..self.row(action, code)
        }))
    }
}

/// What of a decision belongs to one row.
#[derive(Default)]
pub(super) struct States<'a> {
    pub(super) code: Option<&'static str>,
    pub(super) kept: Vec<&'a FieldStates>,
    pub(super) conflicts: Vec<&'a FieldStates>,
}

/// The stored form of fields in conflict.
#[derive(Serialize, Deserialize)]
#[serde(tag = "version")]
enum StoredConflicts {
    #[serde(rename = "1")]
    V1 { fields: BTreeMap<String, ConflictV1> },
}

/// One field that both sides changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConflictV1 {
    /// What was written last.
    pub written: Option<String>,
    /// What people made of it.
    pub found: Option<String>,
    /// What LeadDesk has now.
    pub wish: Option<String>,
}

fn conflicts_text(conflicts: &[&FieldStates]) -> Result<Option<String>, serde_json::Error> {
    if conflicts.is_empty() {
        return Ok(None);
    }
    let fields = conflicts.iter().map(|states| {
        let name = match states.field.split_once("].") {
            Some((message, field)) if message.starts_with("message[") => field,
            _ => states.field.as_str(),
        };
        let conflict = ConflictV1 {
            written: states.last_written.clone(),
            found: states.found.clone(),
            wish: states.wish.clone(),
        };
        (name.to_owned(), conflict)
    });
    serde_json::to_string(&StoredConflicts::V1 { fields: fields.collect() }).map(Some)
}

/// Fields in conflict of a row.
///
/// # Errors
/// When the text is none of ours.
pub fn conflicts(row: &ControlDelta) -> Result<BTreeMap<String, ConflictV1>, serde_json::Error> {
    let Some(text) = &row.conflict else { return Ok(BTreeMap::new()) };
    let StoredConflicts::V1 { fields } = serde_json::from_str(text)?;
    Ok(fields)
}

/// The row as the work that writes fields takes it.
pub(super) fn as_mend(row: ControlDelta) -> ControlRepair {
    ControlRepair {
        object: row.object,
        external_id: row.external_id,
        gorgias_id: row.gorgias_id,
        action: if row.change.is_some() { "mend".to_owned() } else { row.action },
        reason_code: row.reason_code,
        reason: row.reason,
        mended_fields: row.changed_fields,
        kept_fields: row.kept_fields,
        change: row.change,
    }
}
