//! The digest over everything that a reviewer sees.

use super::super::{Decision, MappingRow, Rationale};
use crate::canonical::{Canonical, Digest};
use crate::fields::FieldPlan;
use crate::settings::MappingSettings;
use crate::tags::TagPlan;
use crate::teams::TeamPlan;
use crate::users::UserMatches;

/// Pieces that older programs did not know are rendered only where they are, so that what they stored keeps its digest.
pub(in crate::mapping) fn digest(
    rows: &[&MappingRow],
    settings: &MappingSettings,
    fields: &FieldPlan,
    tags: &TagPlan,
    teams: &TeamPlan,
    users: &UserMatches,
) -> Digest {
    let mut out = Canonical::new("mapping-proposal/1");
    settings.render(&mut out);
    fields.render(&mut out);
    tags.render(&mut out);
    teams.render(&mut out);
    users.render(&mut out);
    for row in rows {
        out.put("row", &row.id).put("name", &row.name).put("target", &row.target);
        out.put_option("count", row.count).put("decision", row.decision.as_str());
        let mut carry = |rationale: &Rationale| {
            out.put("carry", &rationale.reason).put_option("share", rationale.share);
        };
        match &row.decision {
            Decision::Carry(rationale) => carry(rationale),
            Decision::Leave(objection) => {
                out.put("leave", &objection.reason).put("code", objection.code);
            }
            Decision::Conflict { carry: rationale, leave } => {
                carry(rationale);
                out.put("leave", &leave.reason).put("code", leave.code);
            }
        }
        if let Some(evidence) = &row.evidence {
            evidence.render(&mut out);
        }
    }
    out.digest()
}
