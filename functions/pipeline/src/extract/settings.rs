//! Outcomes, blacklist, slots, offices, groups, documents: what the operator's files and the calls say of them.

use std::collections::BTreeSet;

use snapshot::tables::{
    SourceAgent, SourceBlacklist, SourceCall, SourceDocument, SourceField, SourceGroup, SourceOffice,
    SourceOutcome,
};
use snapshot::{Row, Sealed, TableReader};

use super::call_facts::CallFacts;
use super::error::ExtractError;
use super::part::PartRecord;
use super::seen::Seen;
use super::{Extraction, operator_tables, organisation};
use crate::archive;
use crate::context::Context;
use crate::operator::folder::{Folder, OperatorFile};

/// The sealed tables that are looked through.
struct Readers {
    agents: TableReader<SourceAgent>,
    calls: TableReader<SourceCall>,
}

impl Extraction<'_> {
    pub(super) async fn settings(&self) -> Result<(), ExtractError> {
        let tables = [
            SourceOutcome::SCHEMA,
            SourceBlacklist::SCHEMA,
            SourceField::SCHEMA,
            SourceOffice::SCHEMA,
            SourceGroup::SCHEMA,
            SourceDocument::SCHEMA,
        ];
        self.part("settings", &tables, || async {
            let ctx = self.ctx;
            let readers = Readers {
                agents: archive::open(ctx, &ctx.run, ctx.pass).await?,
                calls: archive::open(ctx, &ctx.run, ctx.pass).await?,
            };
            let (ctx, folder, seen) = (ctx.clone(), self.folder.clone(), self.seen("operator"));
            tokio::task::spawn_blocking(move || make(&ctx, &folder, &seen, readers)).await?
        })
        .await
    }
}

fn make(
    ctx: &Context,
    folder: &Folder,
    seen: &Seen,
    readers: Readers,
) -> Result<(PartRecord, Vec<Sealed>), ExtractError> {
    let mut record = PartRecord::default();
    let mut facts = CallFacts::default();
    for call in readers.calls {
        facts.observe(&call?);
    }
    let mut named_offices = BTreeSet::new();
    for agent in readers.agents {
        named_offices.extend(agent?.office_name.filter(|name| !name.is_empty()));
    }
    let listed = operator_tables::outcomes(folder, &mut record)?;
    let outcomes = facts.outcomes(&listed, seen);
    let renamed = u64::try_from(facts.renamed_outcomes.len()).unwrap_or(0);
    record.find(
        "EXT406",
        renamed,
        "outcomes were renamed: calls show them under several names; the latest counts",
    );
    if folder.path(OperatorFile::Results).is_none() {
        let text = "the taxonomy holds the outcomes that calls show, and no other";
        let count = u64::try_from(outcomes.len()).unwrap_or(0).max(1);
        record.find(migration::finding::DIS103_NO_OUTCOME_TAXONOMY.as_str(), count, text);
    }
    let mut groups = operator_tables::groups(folder, &mut record)?;
    facts.add_groups(&mut groups);
    let blacklist = operator_tables::blacklist(folder, &ctx.mapping, seen, &mut record)?;
    let fields = operator_tables::fields(folder, seen, &mut record)?;
    let zones = operator_tables::offices(folder, &mut record)?;
    let offices =
        organisation::offices(&zones, &named_offices, &Seen::new(seen.at, OperatorFile::Offices.name()));
    let documents = operator_tables::documents(folder, seen, &mut record)?;
    let sealed = vec![
        seal(ctx, outcomes, "outcome", &mut record)?,
        seal(ctx, blacklist, "blacklist_entry", &mut record)?,
        seal(ctx, fields, "field", &mut record)?,
        seal(ctx, offices, "office", &mut record)?,
        seal(ctx, groups.rows(seen), "group_member", &mut record)?,
        seal(ctx, documents, "document", &mut record)?,
    ];
    Ok((record, sealed))
}

fn seal<R: Row>(
    ctx: &Context,
    rows: Vec<R>,
    kind: &str,
    record: &mut PartRecord,
) -> Result<Sealed, ExtractError> {
    let mut writer = archive::writer::<R>(ctx, ctx.pass, Vec::new())?;
    record.count(kind, u64::try_from(rows.len()).unwrap_or(0));
    for row in rows {
        writer.push(row)?;
    }
    Ok(writer.seal()?)
}
