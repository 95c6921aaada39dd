//! LeadDesk account, operator's files and Gorgias account -> `Inventory` and scope, with findings.
//!
//! Reads only, and few requests: lists are counted through their exports, contacts looked at in samples. The first read
//! on each side shows whether the credentials hold. Deliberately absent: writing anywhere but into our store.

pub mod destination;
pub mod error;
pub mod files;
pub mod samples;
mod scope;
pub mod scope_document;
mod surroundings;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use migration::contact_point::{Region, normalize_phone};
use migration::leaddesk::{CallingList, Campaign, User};
use migration::settings::RecordingPolicy;

use snapshot::tables::SourceLead;

pub use error::DiscoverError;

use crate::context::Context;
use crate::documents::inventory::{FindingEntry, Inventory, ListCounts, Overview, StoredInventory};
use crate::documents::{self, DocumentError};
use crate::extract::error::ExtractError;
use crate::extract::export_rows::{self, ExportOf, OwnStatuses};
use crate::extract::listing::{self, Collection};
use crate::extract::organisation;
use crate::extract::seen::{Seen, canonical_id};
use crate::operator::folder::Folder;
use crate::plan;
use crate::progress::Event;
use crate::residency::{self, ResidencyError};
use crate::step::{StepFinding, StepReport};
use crate::transform::records;
use destination::Destination;
use files::Files;
use surroundings::Surroundings;

/// Name of the step in reports and events.
const STEP: &str = "discover";

/// Looks at both accounts and the files, and stores the inventory. Does nothing when there is one.
///
/// # Errors
/// See [`DiscoverError`].
pub async fn run(ctx: &Context) -> Result<StepReport, DiscoverError> {
    match documents::inventory(ctx).await {
        Ok(inventory) => Ok(report(&inventory, true)),
        Err(DocumentError::Missing { .. }) => {
            let inventory = look(ctx).await?;
            // Before the inventory, whose presence ends the step.
            scope_document::keep(ctx, &inventory).await?;
            documents::put(
                ctx,
                ctx.run_key("inventory.json").map_err(DocumentError::from)?,
                &StoredInventory::of(&inventory),
            )
            .await?;
            Ok(report(&inventory, false))
        }
        Err(error) => Err(error.into()),
    }
}

fn report(inventory: &Inventory, was_done: bool) -> StepReport {
    let overview = &inventory.overview;
    let finding = |found: &FindingEntry| StepFinding {
        code: found.code.clone(),
        count: found.count,
        text: found.text.clone(),
    };
    StepReport {
        step: STEP,
        was_done,
        records: overview.source_counts.clone(),
        findings: overview.findings.iter().map(finding).collect(),
    }
}

fn started(ctx: &Context, part: &str, total: Option<u64>) {
    ctx.progress.emit(ctx.clock.now(), Event::StepStarted { step: STEP, part: part.to_owned(), total });
}

fn finished(ctx: &Context, part: &str, done: u64) {
    ctx.progress
        .emit(ctx.clock.now(), Event::StepFinished { step: STEP, part: part.to_owned(), done, failed: 0 });
}

async fn look(ctx: &Context) -> Result<Inventory, DiscoverError> {
    residency::check_store(ctx).await?;
    let taken_at = ctx.clock.now();
    started(ctx, "LeadDesk", None);
    let source = Source::look(ctx).await.map_err(DiscoverError::of_source)?;
    finished(ctx, "LeadDesk", source.counts.values().sum());
    started(ctx, "Gorgias", None);
    let destination = destination::look(ctx).await?;
    finished(ctx, "Gorgias", destination.counts.values().sum());
    let mut inventory = inventory(taken_at, source, destination, ctx.mapping.recording);
    let open = residency::open(ctx).await.map_err(ResidencyError::from)?;
    let concerned = residency::is_concerned(ctx, Some(&inventory));
    let around = Surroundings {
        stated: &ctx.limits.stated,
        open_ways: if concerned { &open } else { &[] },
        bucket: plan::bucket(ctx),
    };
    around.tell(&mut inventory);
    for found in &inventory.overview.findings {
        if let Some(code) = migration::finding::Code::from_text(&found.code) {
            let event = Event::Finding { code: code.as_str(), count: found.count, text: found.text.clone() };
            ctx.progress.emit(ctx.clock.now(), event);
        }
    }
    Ok(inventory)
}

fn inventory(
    taken_at: jiff::Timestamp,
    source: Source,
    destination: Destination,
    recording: RecordingPolicy,
) -> Inventory {
    let mut findings = source.files.findings;
    findings.extend(destination.findings);
    findings.sort();
    let mut counts = source.counts;
    counts.extend(source.files.counts.iter().map(|(kind, count)| (kind.clone(), *count)));
    let overview = Overview {
        gorgias_domain: destination.domain,
        gorgias_status: destination.status,
        gorgias_plan: destination.plan,
        service_user_id: destination.service_user,
        scope: scope::rows(&counts, source.files.has_calls, recording),
        source_counts: counts,
        gorgias_counts: destination.counts,
        lists: source.list_counts,
        files: source.files.entries,
        findings,
        numbers_inside_eea: source.numbers_inside_eea,
        sampled_contacts: source.sampled_contacts,
    };
    Inventory {
        taken_at,
        users: source.users,
        campaigns: source.campaigns,
        lists: source.lists,
        offices: source.files.offices,
        groups: source.files.groups,
        slot_settings: source.files.slot_settings,
        outcomes: source.files.outcomes,
        lead_statuses: source.files.lead_statuses,
        gorgias_users: destination.users,
        gorgias_teams: destination.teams,
        gorgias_tags: destination.tags,
        gorgias_fields: destination.fields,
        overview,
    }
}

/// The source side.
struct Source {
    users: Vec<User>,
    campaigns: Vec<Campaign>,
    lists: Vec<CallingList>,
    list_counts: BTreeMap<String, ListCounts>,
    counts: BTreeMap<String, u64>,
    files: Files,
    sampled_contacts: u64,
    numbers_inside_eea: u64,
}

impl Source {
    async fn look(ctx: &Context) -> Result<Self, ExtractError> {
        // The cheapest read of each interface comes first: both keys are proved before anything long begins.
        let users = listing::read(ctx, Collection::Users).await?;
        let listed = ctx
            .source
            .lists()
            .await
            .map_err(|source| ExtractError::Source { what: "calling lists", source })?;
        let campaigns = listing::read(ctx, Collection::Campaigns).await?;
        let files = {
            let ctx = ctx.clone();
            tokio::task::spawn_blocking(move || files::look(&ctx, &Folder::scan(&ctx.files)?)).await??
        };
        let seen = Seen::new(ctx.clock.now(), STEP);
        let mut source = Self {
            users: users
                .values()
                .filter_map(|item| records::user(organisation::agent(item, &seen).ok()?).ok())
                .collect(),
            campaigns: campaigns
                .values()
                .filter_map(|item| {
                    records::campaign(organisation::campaign(item, &files.sponsors, &seen).ok()?).ok()
                })
                .collect(),
            lists: Vec::new(),
            list_counts: BTreeMap::new(),
            counts: BTreeMap::new(),
            files,
            sampled_contacts: 0,
            numbers_inside_eea: 0,
        };
        let lists: Vec<(String, String)> =
            listed.into_iter().filter_map(|list| Some((canonical_id(&list.id)?, list.name))).collect();
        source.lists(ctx, &lists, &seen).await?;
        let length = |length: usize| u64::try_from(length).unwrap_or(u64::MAX);
        let offices: std::collections::BTreeSet<&str> = source
            .users
            .iter()
            .filter_map(|user| user.office.as_deref())
            .chain(source.files.offices.iter().map(|office| office.name.as_str()))
            .collect();
        for (kind, count) in [
            ("agent", source.users.len()),
            ("campaign", source.campaigns.len()),
            ("list", source.lists.len()),
            ("office", offices.len()),
        ] {
            source.counts.insert(kind.to_owned(), length(count));
        }
        Ok(source)
    }

    /// Counts every list through its export and looks at some of its contacts.
    async fn lists(
        &mut self,
        ctx: &Context,
        lists: &[(String, String)],
        seen: &Seen,
    ) -> Result<(), ExtractError> {
        let statuses = OwnStatuses::new();
        let share = samples::share(lists.len());
        let mut contacts = Vec::new();
        started(ctx, "lists", u64::try_from(lists.len()).ok());
        for (done, (list_id, list_name)) in (1_u64..).zip(lists) {
            let export = ctx.source.list_export(list_id).await;
            let export = export.map_err(|source| ExtractError::Source { what: "a list export", source })?;
            let of = ExportOf { list_id, list_name, statuses: &statuses };
            let leads = export_rows::parse(of, &export, &ctx.mapping, seen)
                .map_err(|fault| ExtractError::Export { list_id: list_id.clone(), fault: Box::new(fault) })?;
            let ids: Vec<u64> =
                leads.leads.iter().filter_map(|lead| lead.leaddesk_contact_id.parse().ok()).collect();
            self.numbers_inside_eea += numbers_inside_eea(&leads.leads, ctx.mapping.region);
            self.sampled_contacts += samples::read(ctx, list_id, &samples::evenly(&ids, share)).await?;
            let counts = ListCounts {
                rows: leads.rows,
                contacts: u64::try_from(ids.len()).unwrap_or(0),
                broken_rows: u64::try_from(leads.rejects.len()).unwrap_or(0),
            };
            *self.counts.entry("lead".to_owned()).or_default() += counts.contacts;
            self.list_counts.insert(list_id.clone(), counts);
            contacts.extend(ids);
            if let Ok(id) = list_id.parse() {
                let office = self.files.lists.get(list_id).and_then(|settings| settings.office.clone());
                let campaigns = self.files.campaigns_of(list_id);
                self.lists.push(CallingList { id, name: list_name.clone(), campaigns, office });
            }
            let event =
                Event::StepAdvanced { step: STEP, part: "lists".to_owned(), done, failed: 0, bucket: None };
            ctx.progress.emit(ctx.clock.now(), event);
        }
        contacts.sort_unstable();
        contacts.dedup();
        self.counts.insert("contact".to_owned(), u64::try_from(contacts.len()).unwrap_or(0));
        self.lists.sort_by_key(|list| list.id);
        finished(ctx, "lists", u64::try_from(lists.len()).unwrap_or(0));
        Ok(())
    }
}

/// Numbers of the area in an export, where the account's own country does not already say that they are there.
fn numbers_inside_eea(leads: &[SourceLead], region: Region) -> u64 {
    if migration::residency::is_inside(region) {
        return 0;
    }
    let numbers = leads.iter().filter_map(|lead| lead.phones_joined.as_deref());
    let parts = numbers.flat_map(|joined| joined.split('|'));
    let inside = parts.filter(|raw| {
        normalize_phone(raw, region)
            .is_some_and(|number| migration::residency::is_number_inside(number.as_str()))
    });
    u64::try_from(inside.count()).unwrap_or(u64::MAX)
}
