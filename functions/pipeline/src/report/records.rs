//! What became of each source record: one row a record, and the counts of those rows.
//!
//! Pure over the statements that were gathered (see `gather`). A record without any trace of what became of it is not
//! counted, so that the balance of its kind breaks and names it.

use std::collections::BTreeMap;

use super::scratch::{
    EXCLUDED, FOUND, MERGED, REJECTED, SET_ASIDE, SOURCE, ScratchFact, TARGET, VALUE_REJECTED,
};
use super::summary::Outcomes;

/// What became of a source record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// There, and found equal to what was wished.
    Loaded,
    /// Part of another record.
    Merged,
    /// Left out by decision or rule.
    Excluded,
    /// Not there, or different.
    Failed,
}

impl State {
    /// Lower-case word, as in `records.csv`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Loaded => "loaded",
            Self::Merged => "merged",
            Self::Excluded => "excluded",
            Self::Failed => "failed",
        }
    }
}

impl Outcomes {
    /// Counts one more record.
    pub fn add(&mut self, state: State) {
        match state {
            State::Loaded => self.loaded += 1,
            State::Merged => self.merged += 1,
            State::Excluded => self.excluded += 1,
            State::Failed => self.failed += 1,
        }
    }
}

/// One source record and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Kind of record.
    pub object: String,
    /// Id at the source, or its place there when it has none.
    pub source_id: String,
    /// Our key at Gorgias.
    pub external_id: Option<String>,
    /// Id at Gorgias.
    pub target_id: Option<String>,
    /// Address for people.
    pub target_url: Option<String>,
    /// How the id was learned.
    pub via: Option<String>,
    /// What became of it.
    pub state: State,
    /// Code of the reason; loaded records have one when a value of theirs was dropped.
    pub code: Option<String>,
    /// The reason, without values.
    pub reason: Option<String>,
}

/// The lines of all statements about one id. Usually one line; more when several records of the source share the id.
#[must_use]
pub fn lines(facts: &[ScratchFact]) -> Vec<Line> {
    let of = |kind: &'static str| facts.iter().filter(move |fact| fact.fact_kind == kind);
    let mut lines: Vec<Line> = of(SET_ASIDE).map(|fact| line(fact, State::Failed)).collect();
    let refused = beyond_set_aside(facts);
    let sources = of(SOURCE).count();
    let Some(first) = of(SOURCE).next() else {
        // Refused without being in the snapshot: each statement is a record.
        lines.extend(refused.into_iter().map(|fact| line(fact, refused_state(fact))));
        return lines;
    };
    let decisive = refused.into_iter().max_by_key(|fact| fact.fact_kind == EXCLUDED);
    let (merged, target) = (of(MERGED).next(), of(TARGET).next());
    let mut decided = match (decisive, merged, target) {
        (Some(fact), _, _) => Some(line(fact, refused_state(fact))),
        (None, Some(fact), _) => Some(line(fact, State::Merged)),
        (None, None, Some(fact)) => {
            Some(line(fact, if fact.code.is_some() { State::Failed } else { State::Loaded }))
        }
        (None, None, None) => None,
    };
    if let Some(line) = &mut decided {
        if let Some(found) = of(FOUND).next() {
            line.target_id.clone_from(&found.gorgias_id);
        }
        if let Some(value) = of(VALUE_REJECTED).next().filter(|_| line.code.is_none()) {
            line.code.clone_from(&value.code);
            line.reason.clone_from(&value.reason);
        }
    }
    lines.extend(decided);
    // The snapshot holds the id several times, and only one record was made of it.
    lines.extend((1..sources).map(|_| line(first, State::Merged)));
    lines
}

/// Refusals without those that repeat what extraction had put aside.
fn beyond_set_aside(facts: &[ScratchFact]) -> Vec<&ScratchFact> {
    let mut told: BTreeMap<Option<&str>, usize> = BTreeMap::new();
    for fact in facts.iter().filter(|fact| fact.fact_kind == SET_ASIDE) {
        *told.entry(fact.code.as_deref()).or_default() += 1;
    }
    let refused = facts.iter().filter(|fact| matches!(fact.fact_kind.as_str(), REJECTED | EXCLUDED));
    refused
        .filter(|fact| match told.get_mut(&fact.code.as_deref()) {
            Some(count) if *count > 0 => {
                *count -= 1;
                false
            }
            _ => true,
        })
        .collect()
}

fn refused_state(fact: &ScratchFact) -> State {
    if fact.fact_kind == EXCLUDED { State::Excluded } else { State::Failed }
}

fn line(fact: &ScratchFact, state: State) -> Line {
    Line {
        object: fact.object.clone(),
        source_id: fact.leaddesk_id.clone(),
        external_id: fact.external_id.clone(),
        target_id: fact.gorgias_id.clone(),
        target_url: fact.gorgias_url.clone(),
        via: fact.via.clone(),
        state,
        code: fact.code.clone(),
        reason: fact.reason.clone(),
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    /// `kind`, `kind:CODE`, or `kind@id`.
    fn fact(text: &str) -> ScratchFact {
        let (text, id) = text.split_once('@').map_or((text, None), |(text, id)| (text, Some(id.to_owned())));
        let (kind, code) =
            text.split_once(':').map_or((text, None), |(kind, code)| (kind, Some(code.to_owned())));
        ScratchFact {
            object: "call".into(),
            leaddesk_id: "7".into(),
            fact_kind: kind.into(),
            external_id: None,
            gorgias_id: id,
            gorgias_url: None,
            via: None,
            code,
            reason: None,
        }
    }

    fn check(facts: &[&str], expected: &Expect) {
        let facts: Vec<ScratchFact> = facts.iter().map(|text| fact(text)).collect();
        let lines = lines(&facts);
        let shown = lines.iter().map(|line| {
            let code = line.code.as_deref().unwrap_or("-");
            format!("{} {} {code}", line.state.as_str(), line.target_id.as_deref().unwrap_or("-"))
        });
        expected.assert_eq(&shown.collect::<Vec<_>>().join(", "));
    }

    #[test]
    fn every_record_has_one_line() {
        check(&["source", "target@5"], &expect!["loaded 5 -"]);
        check(&["source", "target@5", "found@9"], &expect!["loaded 9 -"]);
        check(&["source", "target@5", "value_rejected:FLD106"], &expect!["loaded 5 FLD106"]);
        check(&["source", "target:CMP104@5"], &expect!["failed 5 CMP104"]);
        check(&["source", "merged@5", "target:REP101"], &expect!["merged 5 -"]);
        check(&["source", "rejected:CUS102", "target:REP101"], &expect!["failed - CUS102"]);
        check(&["source", "rejected:LEA105", "excluded:FLD101"], &expect!["excluded - FLD101"]);
    }

    #[test]
    fn what_extraction_put_aside_is_a_record_of_its_own() {
        check(
            &["set_aside:EXT303", "rejected:EXT303", "source", "target@5"],
            &expect!["failed - EXT303, loaded 5 -"],
        );
        check(
            &["set_aside:EXT301", "set_aside:EXT301", "rejected:EXT301", "rejected:EXT301"],
            &expect!["failed - EXT301, failed - EXT301"],
        );
        check(&["rejected:T-PARENT", "rejected:T-PARENT"], &expect!["failed - T-PARENT, failed - T-PARENT"]);
    }

    #[test]
    fn a_second_record_with_the_same_id_is_part_of_the_first() {
        check(&["source", "source", "target@5"], &expect!["loaded 5 -, merged - -"]);
    }

    #[test]
    fn a_record_without_a_trace_has_no_line() {
        check(&["source"], &expect![""]);
    }
}
