//! The long part of a report: every source record once, into `records.csv`, the counts and the control tables.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufWriter;
use std::path::PathBuf;

use snapshot::tables::{ControlIdMap, ControlReconCount};
use snapshot::{Pass, Sealed, SnapshotError, TableWriter};

use super::ReportError;
use super::cell::guarded;
use super::gather::Tables;
use super::known::Known;
use super::page::Reasons;
use super::records::{Line, lines};
use super::scratch::{ScratchFact, VALUE_REJECTED};
use super::summary::Outcomes;
use crate::archive::{self, Sorted};
use crate::context::Context;
use crate::extract::part::SourceReject;

/// Columns of `records.csv`.
pub(super) const COLUMNS: [&str; 7] =
    ["object", "source_id", "target_id", "target_url", "state", "reason_code", "reason"];

/// What going through all records gives.
pub(super) struct Built {
    /// Counts by kind.
    pub(super) outcomes: BTreeMap<String, Outcomes>,
    /// Reasons by code.
    pub(super) reasons: Reasons,
    /// `records.csv`; its folder vanishes with this.
    pub(super) csv: PathBuf,
    /// Which record stands for which.
    pub(super) id_map: Sealed,
    _folder: tempfile::TempDir,
}

/// Goes through all records. Takes time and no memory to speak of; call it where waiting is allowed.
///
/// # Errors
/// [`ReportError`].
pub(super) fn build(
    ctx: &Context,
    tables: Tables,
    known: &Known,
    set_aside: Vec<SourceReject>,
) -> Result<Built, ReportError> {
    let mut writer = archive::scratch_writer::<ScratchFact>(ctx)?;
    tables.gather(known, set_aside, &mut writer)?;
    let facts = archive::read_back(writer)?;
    let folder = tempfile::tempdir_in(&ctx.scratch).map_err(ReportError::Scratch)?;
    let path = folder.path().join("records.csv");
    let file = File::create(&path).map_err(ReportError::Scratch)?;
    let mut rows = csv::Writer::from_writer(BufWriter::new(file));
    rows.write_record(COLUMNS)?;

    let mut outcomes: BTreeMap<String, Outcomes> = BTreeMap::new();
    let mut reasons = Reasons::default();
    let mut id_map = archive::writer::<ControlIdMap>(ctx, Pass::Full, Vec::new())?;
    for group in ById::new(facts) {
        let group = group?;
        for fact in group.iter().filter(|fact| fact.fact_kind == VALUE_REJECTED) {
            let code = fact.code.as_deref().unwrap_or("none");
            reasons.dropped_values.add(code, &fact.object, &fact.leaddesk_id);
        }
        let mut is_mapped = false;
        for line in lines(&group) {
            outcomes.entry(line.object.clone()).or_default().add(line.state);
            reasons.take(&line);
            write(&mut rows, &line)?;
            is_mapped = is_mapped || map(&mut id_map, line)?;
        }
    }
    rows.flush().map_err(ReportError::Scratch)?;
    Ok(Built { outcomes, reasons, csv: path, id_map: id_map.seal()?, _folder: folder })
}

fn write(rows: &mut csv::Writer<BufWriter<File>>, line: &Line) -> Result<(), csv::Error> {
    let text = |cell: &'_ Option<String>| cell.clone().unwrap_or_default();
    let cells = [
        line.object.clone(),
        line.source_id.clone(),
        text(&line.target_id),
        text(&line.target_url),
        line.state.as_str().to_owned(),
        text(&line.code),
        text(&line.reason),
    ];
    rows.write_record(cells.iter().map(|cell| guarded(cell).into_owned()))
}

/// Adds the record to the id map when it is at Gorgias; tells whether it did.
fn map(id_map: &mut TableWriter<ControlIdMap>, line: Line) -> Result<bool, SnapshotError> {
    let (Some(via), Some(_)) = (&line.via, line.target_id.as_ref().or(line.target_url.as_ref())) else {
        return Ok(false);
    };
    id_map.push(ControlIdMap {
        via: via.clone(),
        object: line.object,
        leaddesk_id: line.source_id,
        external_id: line.external_id,
        gorgias_id: line.target_id,
        gorgias_url: line.target_url,
    })?;
    Ok(true)
}

/// Statements of one record together.
struct ById {
    facts: std::iter::Peekable<Sorted<ScratchFact>>,
}

impl ById {
    fn new(facts: Sorted<ScratchFact>) -> Self {
        Self { facts: facts.peekable() }
    }
}

impl Iterator for ById {
    type Item = Result<Vec<ScratchFact>, SnapshotError>;

    fn next(&mut self) -> Option<Self::Item> {
        let first = match self.facts.next()? {
            Ok(first) => first,
            Err(error) => return Some(Err(error)),
        };
        let mut group = vec![first];
        while let Some(next) = self.facts.next_if(|next| match next {
            Ok(next) => next.object == group[0].object && next.leaddesk_id == group[0].leaddesk_id,
            Err(_) => true,
        }) {
            match next {
                Ok(next) => group.push(next),
                Err(error) => return Some(Err(error)),
            }
        }
        Some(Ok(group))
    }
}

/// Rows of the table of counts: the balance of every kind at the source, beside what was compared at Gorgias.
#[must_use]
pub(super) fn count_rows(
    source: &BTreeMap<String, u64>,
    outcomes: &BTreeMap<String, Outcomes>,
    compared: &BTreeMap<String, crate::reconcile::verdict::ObjectTally>,
) -> Vec<ControlReconCount> {
    let signed = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    let mut rows: BTreeMap<&str, ControlReconCount> = BTreeMap::new();
    let empty = |object: &str| ControlReconCount {
        object: object.to_owned(),
        source_count: 0,
        excluded_count: 0,
        merged_count: 0,
        loaded_count: 0,
        failed_count: 0,
        found_count: 0,
        fields_compared: 0,
        fields_different: 0,
    };
    for (object, records) in source {
        let row = rows.entry(object).or_insert_with(|| empty(object));
        row.source_count = signed(*records);
    }
    for (object, counts) in outcomes {
        let row = rows.entry(object).or_insert_with(|| empty(object));
        row.excluded_count = signed(counts.excluded);
        row.merged_count = signed(counts.merged);
        row.loaded_count = signed(counts.loaded);
        row.failed_count = signed(counts.failed);
        row.found_count = signed(counts.loaded);
    }
    let mut all: Vec<ControlReconCount> = rows.into_values().collect();
    for (object, tally) in compared {
        // Kinds at Gorgias stand under a name of their own: `field` is a kind on both sides.
        let mut row = empty(&format!("gorgias_{object}"));
        row.found_count = signed(tally.compared);
        row.fields_compared = signed(tally.fields);
        row.fields_different = signed(tally.unexplained);
        all.push(row);
    }
    all
}
