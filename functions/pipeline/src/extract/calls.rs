//! The call log: from the operator's file, streamed, in bounded memory.
//!
//! The file is read twice: first for ids that stand in it more than once, then for the rows. Two equal rows are one
//! call; two different rows with one id are both put aside, because nothing says which one is true.

use std::collections::{BTreeMap, BTreeSet};

use migration::finding;
use snapshot::tables::SourceCall;
use snapshot::{Sealed, TableWriter};

use super::call_rows::{CallColumns, TALK_SECONDS_PLAUSIBLE_MAX, parse};
use super::error::ExtractError;
use super::part::{PartRecord, SourceReject};
use super::seen::Seen;
use crate::archive;
use crate::context::Context;
use crate::operator::fault::FileFault;
use crate::operator::folder::{Folder, OperatorFault, OperatorFile};

/// One id, several contents.
pub const CONTRADICTION: &str = "EXT303";

/// Reads `calls.csv`. `None` when the operator did not supply it.
///
/// # Errors
/// A refused file, and what the writer says.
pub fn from_file(
    ctx: &Context,
    folder: &Folder,
    seen: &Seen,
    record: &mut PartRecord,
) -> Result<Option<Sealed>, ExtractError> {
    if folder.path(OperatorFile::Calls).is_none() {
        return Ok(None);
    }
    let repeated = repeated_ids(folder)?;
    let mut reading = Reading {
        ctx,
        seen,
        writer: archive::writer::<SourceCall>(ctx, ctx.pass, Vec::new())?,
        set_aside: repeated.into_iter().map(|id| (id, Vec::new())).collect(),
        record,
        notes: BTreeMap::new(),
        rows: 0,
    };
    reading.rows(folder)?;
    reading.finish().map(Some)
}

fn refused(fault: FileFault) -> OperatorFault {
    OperatorFault { file: OperatorFile::Calls.name().to_owned(), fault }
}

/// Ids on more than one row: eight bytes a row, sorted.
fn repeated_ids(folder: &Folder) -> Result<BTreeSet<u64>, ExtractError> {
    let Some(mut table) = folder.table(OperatorFile::Calls)? else { return Ok(BTreeSet::new()) };
    let columns = CallColumns::of(table.header());
    let mut ids = Vec::new();
    while let Some((_, row)) = table.next_row().map_err(refused)? {
        ids.extend(columns.id_of(&row));
    }
    ids.sort_unstable();
    Ok(ids.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| pair[0]).collect())
}

struct Reading<'a> {
    ctx: &'a Context,
    seen: &'a Seen,
    writer: TableWriter<SourceCall>,
    /// Rows whose id stands on several of them.
    set_aside: BTreeMap<u64, Vec<SourceCall>>,
    record: &'a mut PartRecord,
    notes: BTreeMap<&'static str, u64>,
    rows: u64,
}

impl Reading<'_> {
    fn rows(&mut self, folder: &Folder) -> Result<(), ExtractError> {
        let Some(mut table) = folder.table(OperatorFile::Calls)? else { return Ok(()) };
        let columns = CallColumns::of(table.header());
        while let Some((header, row)) = table.next_row().map_err(refused)? {
            self.rows += 1;
            match parse(&columns, header, &row, &self.ctx.mapping, self.seen) {
                Err(reject) => self.record.rejects.push(reject),
                Ok(call) => {
                    let id = call.leaddesk_call_id.parse().unwrap_or(0);
                    match self.set_aside.get_mut(&id) {
                        Some(rows) => rows.push(call),
                        None => self.take(call)?,
                    }
                }
            }
        }
        if !table.last_row_ended() {
            self.record.find(
                "FIL201",
                1,
                "calls.csv has no line end at its end; it may have been cut behind a row",
            );
        }
        Ok(())
    }

    fn take(&mut self, call: SourceCall) -> Result<(), ExtractError> {
        let mut note =
            |code: &'static str, applies: bool| *self.notes.entry(code).or_default() += u64::from(applies);
        note(finding::CAL110_DST_GAP.as_str(), call.dst_note.as_deref() == Some("gap"));
        note(finding::CAL111_DST_FOLD.as_str(), call.dst_note.as_deref() == Some("fold"));
        let plausible =
            call.talk_seconds.is_none_or(|seconds| (0..=TALK_SECONDS_PLAUSIBLE_MAX).contains(&seconds));
        note("EXT401", !plausible);
        self.record.count("call", 1);
        self.writer.push(call)?;
        Ok(())
    }

    fn finish(mut self) -> Result<Sealed, ExtractError> {
        let mut doubled = 0;
        for (id, rows) in std::mem::take(&mut self.set_aside) {
            let mut rows = rows.into_iter();
            let Some(first) = rows.next() else { continue };
            let rest: Vec<SourceCall> = rows.collect();
            if rest.iter().all(|other| other.raw_json == first.raw_json) {
                doubled += u64::try_from(rest.len()).unwrap_or(0);
                self.take(first)?;
            } else {
                let reason = format!("{} different rows carry this id", rest.len() + 1);
                self.record.rejects.push(SourceReject::record("call", id.to_string(), CONTRADICTION, reason));
            }
        }
        self.record.find(finding::CAL109_DUPLICATE.as_str(), doubled, "rows of calls.csv repeat another row");
        for (code, count) in &self.notes {
            let text = match *code {
                "EXT401" => "calls with a negative duration or one above ninety hours; kept as written",
                _ => "times of calls fall into an hour in which the clock was moved",
            };
            self.record.find(code, *count, text);
        }
        self.record.check_drift(self.ctx, "call", self.rows)?;
        Ok(self.writer.seal()?)
    }
}
