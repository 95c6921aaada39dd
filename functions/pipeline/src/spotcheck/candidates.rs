//! Every record of the run with what it could stand for: object, office, month, trouble.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use migration::finding;
use migration::spot_check::{Name, Sampler, Stratum};
use migration::text::folded;
use snapshot::tables::{
    ControlFailure, ControlIdMap, ControlReconDifference, MapValue, SourceAgent, SourceCall,
    SourceConversation, SourceLead,
};
use snapshot::{Pass, RAW_JSON, Row, TableReader};

use super::SpotError;
use crate::archive::{self, ArchiveError};
use crate::context::Context;
use crate::trace::TraceError;

/// Objects that a person can compare.
const OBJECTS: [&str; 8] =
    ["contact", "lead", "call", "conversation", "agent", "office", "group", "campaign"];

/// What is known of records beside their own rows.
#[derive(Default)]
struct Known {
    troubles: BTreeMap<Name, BTreeSet<String>>,
    /// Office by agent's folded name or login.
    offices: BTreeMap<String, String>,
    /// Records outside of the sample, where the run is one: nothing of them was written.
    outside: BTreeSet<Name>,
}

impl Known {
    fn trouble(&mut self, object: &str, id: &str, word: &str) {
        if OBJECTS.contains(&object) {
            self.troubles.entry((object.to_owned(), id.to_owned())).or_default().insert(word.to_owned());
        }
    }

    fn offer(&self, sampler: &mut Sampler, name: &Name, at: Option<Timestamp>, agent: Option<&String>) {
        if !self.outside.contains(name) {
            sampler.offer(name, &self.strata(name, at, agent));
        }
    }

    fn strata(&self, name: &Name, at: Option<Timestamp>, agent: Option<&String>) -> Vec<Stratum> {
        let mut strata = vec![Stratum::Object(name.0.clone())];
        strata.extend(self.troubles.get(name).into_iter().flatten().cloned().map(Stratum::Trouble));
        let office = agent.and_then(|agent| self.offices.get(&folded(agent)));
        strata.extend(office.cloned().map(Stratum::Office));
        strata.extend(at.map(|at| Stratum::Month(at.to_string().chars().take(7).collect())));
        strata
    }
}

async fn rows<R: Row>(ctx: &Context) -> Result<Option<TableReader<R>>, SpotError> {
    match archive::open::<R>(ctx, &ctx.run, Pass::Full).await {
        Ok(reader) if R::SCHEMA.position(RAW_JSON).is_some() => Ok(Some(reader.without(&[RAW_JSON])?)),
        Ok(reader) => Ok(Some(reader)),
        Err(ArchiveError::Missing { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Offers every record of the run.
pub(super) async fn offer(ctx: &Context, sampler: &mut Sampler) -> Result<(), SpotError> {
    let known = known(ctx).await?;
    let ids =
        rows::<ControlIdMap>(ctx).await?.ok_or_else(|| TraceError::NoIdMap { run: ctx.run.to_string() })?;
    for row in ids {
        let row = row?;
        // These come with their own rows, which tell month and office.
        if !matches!(row.object.as_str(), "lead" | "call" | "conversation")
            && OBJECTS.contains(&row.object.as_str())
        {
            let name = (row.object, row.leaddesk_id);
            known.offer(sampler, &name, None, None);
        }
    }
    for name in known.troubles.keys() {
        known.offer(sampler, name, None, None);
    }
    for row in rows::<SourceAgent>(ctx).await?.into_iter().flatten() {
        let row = row?;
        let name = ("agent".to_owned(), row.leaddesk_agent_id);
        known.offer(sampler, &name, None, Some(&row.agent_name));
    }
    for row in rows::<SourceLead>(ctx).await?.into_iter().flatten() {
        let row = row?;
        let name = ("lead".to_owned(), row.leaddesk_lead_id);
        let at = row.last_call_at.or(row.contact_updated_at);
        known.offer(sampler, &name, at, row.last_agent_name.as_ref());
    }
    for row in rows::<SourceCall>(ctx).await?.into_iter().flatten() {
        let row = row?;
        let name = ("call".to_owned(), row.leaddesk_call_id);
        known.offer(sampler, &name, Some(row.created_at), row.agent_username.as_ref());
    }
    for row in rows::<SourceConversation>(ctx).await?.into_iter().flatten() {
        let row = row?;
        let name = ("conversation".to_owned(), row.conversation_id);
        known.offer(sampler, &name, row.started_at, None);
    }
    Ok(())
}

async fn known(ctx: &Context) -> Result<Known, SpotError> {
    let mut known = Known::default();
    for row in rows::<ControlFailure>(ctx).await?.into_iter().flatten() {
        let row = row?;
        if row.reason_code == finding::SAM101_OUTSIDE.as_str() {
            known.outside.insert((row.object, row.leaddesk_id));
            continue;
        }
        known.trouble(&row.object, &row.leaddesk_id, &row.reason_code);
    }
    for row in rows::<MapValue>(ctx).await?.into_iter().flatten() {
        let row = row?;
        if row.value_kind == "merge" && row.target_value.as_deref() != Some(row.source_value.as_str()) {
            known.trouble("contact", &row.source_value, "merged");
        }
    }
    let mut differing: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for row in rows::<ControlReconDifference>(ctx).await?.into_iter().flatten() {
        let row = row?;
        differing.entry(row.external_id).or_default().insert(row.code);
    }
    for row in rows::<ControlIdMap>(ctx).await?.into_iter().flatten() {
        let row = row?;
        for code in row.external_id.and_then(|ours| differing.get(&ours)).into_iter().flatten() {
            known.trouble(&row.object, &row.leaddesk_id, code);
        }
        if row.via == "adopted" {
            known.trouble(&row.object, &row.leaddesk_id, "adopted");
        }
    }
    for row in rows::<SourceAgent>(ctx).await?.into_iter().flatten() {
        let row = row?;
        if let Some(office) = row.office_name {
            known.offices.insert(folded(&row.agent_name), office.clone());
            known.offices.insert(folded(&row.username), office);
        }
    }
    Ok(known)
}
