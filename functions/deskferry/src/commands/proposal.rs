//! What `propose` shows: how many rows of each kind arrive, and the least certain rows with what else they could be.

use std::collections::BTreeMap;

use migration::mapping::{Decision, MappingProposal, MappingRow};
use pipeline::propose;
use serde_json::json;

use super::tables;
use crate::clean;
use crate::failure::Failure;
use crate::project::Project;
use crate::screen::Screen;

/// Rows that are shown, the least certain first.
const ROWS_SHOWN_MAX: usize = 15;
/// Confidence from which a row needs no second look.
const SURE: f64 = 0.9;
/// Characters of a column; the rest stands in the document.
const COLUMN_CHARS: usize = 44;
/// Decisions in the order of the columns.
const COLUMNS: [(&str, &str); 3] = [("carry", "arrive"), ("leave", "do not"), ("conflict", "open")];

/// Tells the proposal of the run.
pub(crate) async fn tell(screen: &Screen, project: &Project) -> Result<(), Failure> {
    let proposal = propose::proposal(&project.context).await?;
    for line in counts(&proposal) {
        screen.say(line);
    }
    let doubtful = doubtful(&proposal);
    let shown = doubtful.len().min(ROWS_SHOWN_MAX);
    if shown > 0 {
        screen.say(format!("  {} rows deserve a look; the least certain first:", doubtful.len()));
    }
    for row in &doubtful[..shown] {
        for line in lines(row) {
            screen.say(line);
        }
    }
    let digest = proposal.digest().to_hex();
    let document = project.place(&format!("mappings/{digest}/proposal.json"));
    screen.say(format!("  all rows with their evidence: {document}"));
    screen.say("  what is lost by it, and is approved with it: deskferry estimate");
    screen.event(json!({
        "type": "proposed",
        "digest": digest,
        "doubtful": doubtful.len(),
        "least_certain": doubtful[..shown]
            .iter()
            .map(|row| json!({ "row": row.id.to_string(), "confidence": confidence(row) }))
            .collect::<Vec<_>>(),
        "document": document,
    }));
    Ok(())
}

fn counts(proposal: &MappingProposal) -> Vec<String> {
    let mut objects: BTreeMap<String, BTreeMap<String, u64>> = BTreeMap::new();
    for row in proposal.rows() {
        let counts = objects.entry(row.id.object.as_str().to_owned()).or_default();
        *counts.entry(row.decision.as_str().to_owned()).or_default() += 1;
    }
    tables::table(&objects, &COLUMNS)
}

fn confidence(row: &MappingRow) -> f64 {
    row.evidence.as_ref().map_or(1.0, |evidence| evidence.confidence)
}

/// Rows without certainty, open ones first.
fn doubtful(proposal: &MappingProposal) -> Vec<&MappingRow> {
    let is_open = |row: &MappingRow| matches!(row.decision, Decision::Conflict { .. });
    let mut rows: Vec<&MappingRow> =
        proposal.rows().filter(|row| is_open(row) || confidence(row) < SURE).collect();
    rows.sort_by(|left, right| {
        is_open(right)
            .cmp(&is_open(left))
            .then(confidence(left).total_cmp(&confidence(right)))
            .then(left.id.cmp(&right.id))
    });
    rows
}

fn cut(text: &str) -> String {
    migration::text::truncate_chars(&clean::line(text), COLUMN_CHARS).into_owned()
}

/// The row, and the best of what else it could be.
fn lines(row: &MappingRow) -> Vec<String> {
    let target = if row.target.is_empty() { "nothing" } else { row.target.as_str() };
    let mark = if matches!(row.decision, Decision::Conflict { .. }) { "open" } else { "" };
    let mut lines = vec![format!(
        "  {mark:<4} {:>3.0} %  {:<24} {:<28} -> {}",
        confidence(row) * 100.0,
        cut(&row.id.to_string()),
        cut(&row.name),
        cut(target),
    )];
    let best = row.evidence.iter().flat_map(|evidence| &evidence.alternatives).next();
    if let Some(other) = best {
        lines.push(format!(
            "       {:>3.0} %  {:<24} {:<28} or {} ({})",
            other.confidence * 100.0,
            "",
            "",
            cut(&other.target),
            clean::line(&other.reason),
        ));
    }
    if let Decision::Conflict { leave, .. } = &row.decision {
        lines.push(format!("              {} {}", leave.code, clean::line(&leave.reason)));
    }
    lines
}

#[cfg(test)]
mod tests {
    use migration::finding::{self, ObjectKind};
    use migration::mapping::{Alternative, Objection, Rationale, RowEvidence, RowId};

    use super::*;

    fn row(decision: Decision, confidence: f64) -> MappingRow {
        let mut evidence = RowEvidence::certain(confidence);
        evidence.alternatives.push(Alternative {
            target: "customer phone".to_owned(),
            confidence: 0.96,
            reason: "so says the label".to_owned(),
        });
        MappingRow {
            id: RowId::new(ObjectKind::Slot, "other3:campaign-12"),
            name: "Puhelin 2".to_owned(),
            target: "customer field `Puhelin 2` (text, created)".to_owned(),
            count: Some(5),
            decision,
            evidence: Some(evidence),
        }
    }

    #[test]
    fn a_row_shows_what_else_it_could_be() {
        let rationale = || Rationale { reason: "why".to_owned(), share: None };
        let objection =
            Objection { code: finding::FLD110_TAKEN_TWICE, reason: "another row goes there".to_owned() };
        let shown = [
            row(Decision::Carry(rationale()), 0.04),
            row(Decision::Conflict { carry: rationale(), leave: objection }, 0.5),
        ];
        let text: Vec<String> = shown.iter().flat_map(lines).collect();
        assert_eq!(text.len(), 5, "{text:#?}");
        assert!(text[0].contains("4 %") && text[0].contains("-> customer field `Puhelin 2`"), "{}", text[0]);
        assert!(text[1].contains("96 %") && text[1].contains("or customer phone (so says the label)"));
        assert!(text[2].trim_start().starts_with("open") && text[2].contains("50 %"), "{}", text[2]);
        assert!(text[4].contains("FLD110 another row goes there"), "{}", text[4]);
    }
}
