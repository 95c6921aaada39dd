//! What the handoff is written from: small tables, the mapping and the report.

use std::collections::BTreeMap;

use migration::mapping::ConfirmedMapping;
use snapshot::tables::{
    MapField, MapValue, SourceAgent, SourceCampaign, SourceDocument, SourceGroup, SourceList, SourceOffice,
    SourceOutcome, WantTeam, WantUser,
};
use snapshot::{Dataset, MANIFEST_FILE, Manifest, Pass, RAW_JSON, Row};

use super::HandoffError;
use super::proof::Proof;
use crate::archive::{self, ArchiveError};
use crate::context::Context;
use crate::documents;
use crate::report::ReportV1;
use crate::report::known::tag_of_campaign;

/// Columns of a row of the operator's, in lower case, with values as text; empty cells are left out.
pub(crate) type Cells = BTreeMap<String, String>;

/// Everything that is written about.
pub(crate) struct Material {
    pub(crate) report: ReportV1,
    pub(crate) mapping: ConfirmedMapping,
    pub(crate) campaigns: Vec<SourceCampaign>,
    pub(crate) lists: Vec<SourceList>,
    pub(crate) outcomes: Vec<SourceOutcome>,
    pub(crate) agents: Vec<SourceAgent>,
    pub(crate) offices: Vec<SourceOffice>,
    pub(crate) groups: Vec<SourceGroup>,
    pub(crate) users: Vec<WantUser>,
    pub(crate) teams: Vec<WantTeam>,
    pub(crate) fields: Vec<MapField>,
    /// Contacts that are part of another one: contact, contact that names the person, reason.
    pub(crate) merges: Vec<(String, String, String)>,
    /// Rows of `dialer.csv`.
    pub(crate) dialer: Vec<Cells>,
    /// Rows of `lists.csv`.
    pub(crate) list_rows: Vec<Cells>,
    /// Items of `leadapps.json`, as received.
    pub(crate) lead_apps: Vec<serde_json::Value>,
    /// Sealed snapshots of the run, with their rows.
    pub(crate) shelf: Vec<(Dataset, u64)>,
    /// What was agreed, and what came of it.
    pub(crate) proof: Proof,
}

impl Material {
    pub(crate) async fn read(ctx: &Context, report: ReportV1) -> Result<Self, HandoffError> {
        let mut material = Self {
            report,
            mapping: documents::confirmed_mapping(ctx).await?,
            campaigns: small(ctx).await?,
            lists: small(ctx).await?,
            outcomes: small(ctx).await?,
            agents: small(ctx).await?,
            offices: small(ctx).await?,
            groups: small(ctx).await?,
            users: small(ctx).await?,
            teams: small(ctx).await?,
            fields: small(ctx).await?,
            merges: Vec::new(),
            dialer: Vec::new(),
            list_rows: Vec::new(),
            lead_apps: Vec::new(),
            shelf: shelf(ctx).await?,
            proof: Proof::read(ctx).await?,
        };
        for value in archive::open::<MapValue>(ctx, &ctx.run, Pass::Full).await? {
            let MapValue { value_kind, source_value, target_value, reason } = value?;
            if let Some(person) =
                target_value.filter(|person| value_kind == "merge" && *person != source_value)
            {
                material.merges.push((source_value, person, reason));
            }
        }
        for document in archive::open::<SourceDocument>(ctx, &ctx.run, Pass::Full).await? {
            material.take(&document?)?;
        }
        Ok(material)
    }

    /// Puts a row of the operator's files where it belongs.
    pub(crate) fn take(&mut self, document: &SourceDocument) -> Result<(), HandoffError> {
        let value: serde_json::Value = serde_json::from_str(&document.raw_json).map_err(|source| {
            HandoffError::Row { document: document.document_name.clone(), row: document.row_number, source }
        })?;
        match document.document_name.as_str() {
            "dialer" => self.dialer.push(cells(&value)),
            "lists" => self.list_rows.push(cells(&value)),
            _ => self.lead_apps.push(value),
        }
        Ok(())
    }

    /// The tag that tells tickets of a campaign apart.
    pub(crate) fn tag_of(&self, campaign: &str) -> Option<&String> {
        tag_of_campaign(&self.mapping, campaign)
    }
}

fn cells(row: &serde_json::Value) -> Cells {
    let text = |value: &serde_json::Value| match value {
        serde_json::Value::String(text) => text.trim().to_owned(),
        serde_json::Value::Null => String::new(),
        other => other.to_string(),
    };
    let cells = row.as_object().into_iter().flatten();
    cells
        .map(|(name, value)| (name.to_lowercase(), text(value)))
        .filter(|(_, value)| !value.is_empty())
        .collect()
}

/// A table that fits into memory, since a person has typed every row of it.
async fn small<R: Row>(ctx: &Context) -> Result<Vec<R>, HandoffError> {
    let mut reader = archive::open::<R>(ctx, &ctx.run, Pass::Full).await?;
    if R::SCHEMA.position(RAW_JSON).is_some() {
        reader = reader.without(&[RAW_JSON])?;
    }
    Ok(reader.collect::<Result<Vec<R>, _>>()?)
}

/// Snapshots of this run, in order of table and pass.
async fn shelf(ctx: &Context) -> Result<Vec<(Dataset, u64)>, HandoffError> {
    let mut shelf = Vec::new();
    let root = ctx.key(snapshot::LAKE_FOLDER)?;
    let mark = format!("/run_id={}/", ctx.run);
    for key in ctx.store.list(&root).await? {
        let is_ours = key.as_str().ends_with(MANIFEST_FILE) && key.as_str().contains(&mark);
        if is_ours {
            let manifest = Manifest::decode(&ctx.store.get(&key).await?).map_err(ArchiveError::from)?;
            shelf.push((manifest.dataset, manifest.rows));
        }
    }
    shelf.sort_by_key(|(dataset, _): &(Dataset, u64)| dataset.to_string());
    Ok(shelf)
}
